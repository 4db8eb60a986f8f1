//! What the native window draws.

use super::texts::{self, Texts};
use super::{Asked, Opening, Purpose, Told, ask};
use causeway_contract::{Code, Failure, WalletCreate};
use causeway_keys::{Secret, WordCount, Words};
use eframe::egui::{
    self, Align, Color32, FontData, FontDefinitions, FontFamily, Grid, Layout, RichText, TextEdit, Ui, ViewportCommand,
};
use std::sync::mpsc::{Receiver, channel};
use zeroize::Zeroize;

/// Shortest password outside valueless realms; the app enforces it, the window says it first.
const LEAST_PASSWORD: usize = 8;

/// Pages of the window.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Page {
    /// Count and own entropy.
    Choose,
    /// The words.
    Show,
    /// Three of them typed again.
    Confirm,
    /// Words typed in.
    Type,
    /// Password of a wallet whose words are to be seen.
    Unlock,
    /// Name, passphrase, password.
    Seal,
}

struct WordsWindow {
    opening: Opening,
    texts: &'static Texts,
    page: Page,
    count: WordCount,
    own_entropy: String,
    words: Vec<String>,
    asked: [usize; 3],
    answers: [String; 3],
    typed: String,
    name: String,
    passphrase: String,
    password: String,
    again: String,
    birthday: String,
    trouble: String,
    waiting: Option<Receiver<Result<Told, String>>>,
}

/// Shows the window until it is closed or the parent says that the wallet was made.
pub(super) fn show(opening: Opening) -> Result<(), String> {
    let texts = texts::of(&opening.language);
    let (page, title) = match opening.purpose {
        Purpose::Create => (Page::Choose, texts.create_title),
        Purpose::Restore => (Page::Type, texts.restore_title),
        Purpose::Backup => (Page::Unlock, texts.backup_title),
    };
    let viewport = egui::ViewportBuilder::default().with_inner_size([560.0, 620.0]).with_resizable(false).with_title(title);
    let options = eframe::NativeOptions { viewport, ..Default::default() };
    let dark = opening.dark;
    let window = WordsWindow {
        opening,
        texts,
        page,
        count: WordCount::Twelve,
        own_entropy: String::new(),
        words: Vec::new(),
        asked: [0; 3],
        answers: Default::default(),
        typed: String::new(),
        name: texts.default_name.to_owned(),
        passphrase: String::new(),
        password: String::new(),
        again: String::new(),
        birthday: String::new(),
        trouble: String::new(),
        waiting: None,
    };
    eframe::run_native(
        title,
        options,
        Box::new(move |creation| {
            creation.egui_ctx.set_theme(if dark { egui::Theme::Dark } else { egui::Theme::Light });
            install_fonts(&creation.egui_ctx);
            Ok(Box::new(window))
        }),
    )
    .map_err(|e| e.to_string())
}

/// egui ships no Chinese face; the system's is used when there is one.
fn install_fonts(context: &egui::Context) {
    const FACES: [&str; 3] = [
        "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
        "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    ];
    let Some(face) = FACES.iter().find_map(|path| std::fs::read(path).ok()) else { return };
    let mut fonts = FontDefinitions::default();
    fonts.font_data.insert("cjk".into(), FontData::from_owned(face).into());
    for family in [FontFamily::Proportional, FontFamily::Monospace] {
        fonts.families.entry(family).or_default().push("cjk".into());
    }
    context.set_fonts(fonts);
}

impl eframe::App for WordsWindow {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.hear(ui.ctx());
        egui::CentralPanel::default().show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 10.0;
            ui.add_space(8.0);
            match self.page {
                Page::Choose => self.choose(ui),
                Page::Show => self.show_words(ui),
                Page::Confirm => self.confirm(ui),
                Page::Type => self.type_words(ui),
                Page::Unlock => self.unlock(ui),
                Page::Seal => self.seal(ui),
            }
            if self.waiting.is_some() {
                ui.label(self.texts.working);
            } else if !self.trouble.is_empty() {
                let red =
                    if self.opening.dark { Color32::from_rgb(0xF1, 0x8C, 0x7E) } else { Color32::from_rgb(0xA3, 0x28, 0x1D) };
                ui.colored_label(red, &self.trouble);
            }
        });
    }
}

impl Drop for WordsWindow {
    fn drop(&mut self) {
        self.words.zeroize();
        self.answers.zeroize();
        for secret in [&mut self.own_entropy, &mut self.typed, &mut self.passphrase, &mut self.password, &mut self.again] {
            secret.zeroize();
        }
    }
}

impl WordsWindow {
    fn heading(ui: &mut Ui, title: &str, lead: &str) {
        ui.heading(RichText::new(title).strong());
        ui.label(lead);
        ui.add_space(4.0);
    }

    fn field(ui: &mut Ui, label: &str, value: &mut String, secret: bool, hint: &str) {
        let name = ui.label(RichText::new(label).strong());
        ui.add(TextEdit::singleline(value).password(secret).desired_width(f32::INFINITY)).labelled_by(name.id);
        if !hint.is_empty() {
            ui.label(RichText::new(hint).weak());
        }
    }

    /// A row of buttons at the bottom right: the one that goes on, then the one that goes back. `true` when pressed.
    fn buttons(ui: &mut Ui, onward: &str, enabled: bool, back: Option<&str>) -> (bool, bool) {
        ui.add_space(8.0);
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            let onward = ui.add_enabled(enabled, egui::Button::new(RichText::new(onward).strong())).clicked();
            let back = back.is_some_and(|text| ui.button(text).clicked());
            (onward, back)
        })
        .inner
    }

    fn choose(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        Self::heading(ui, texts.create_title, texts.create_lead);
        ui.label(RichText::new(texts.count).strong());
        ui.horizontal(|ui| {
            ui.radio_value(&mut self.count, WordCount::Twelve, "12");
            ui.radio_value(&mut self.count, WordCount::TwentyFour, "24");
        });
        Self::field(ui, texts.own_entropy, &mut self.own_entropy, true, texts.own_entropy_hint);
        if Self::buttons(ui, texts.show, true, None).0 {
            let own = (!self.own_entropy.is_empty()).then(|| Secret::new(std::mem::take(&mut self.own_entropy)));
            let mut rng = rand::rngs::OsRng;
            let words = Words::generate(self.count, &mut rng, own.as_ref());
            self.words = words.shown().map(str::to_owned).collect();
            self.asked =
                rand::seq::index::sample(&mut rng, self.words.len(), 3).into_vec().try_into().expect("BUG: three were asked for");
            self.asked.sort_unstable();
            self.page = Page::Show;
        }
    }

    fn show_words(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        let backup = self.opening.purpose == Purpose::Backup;
        let (title, lead) =
            if backup { (texts.backup_title, texts.create_lead) } else { (texts.create_title, texts.create_lead) };
        Self::heading(ui, title, lead);
        Grid::new("words").num_columns(3).min_col_width(160.0).spacing([12.0, 10.0]).show(ui, |ui| {
            let rows = self.words.len().div_ceil(3);
            for row in 0..rows {
                for place in (row..self.words.len()).step_by(rows) {
                    ui.label(RichText::new(format!("{:>2}  {}", place + 1, self.words[place])).monospace().size(16.0).strong());
                }
                ui.end_row();
            }
        });
        let (onward, _) = Self::buttons(ui, if backup { texts.close } else { texts.written }, true, None);
        match (onward, backup) {
            (true, true) => ui.ctx().send_viewport_cmd(ViewportCommand::Close),
            (true, false) => self.page = Page::Confirm,
            _ => {}
        }
    }

    fn confirm(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        Self::heading(ui, texts.create_title, texts.confirm_lead);
        for (answer, place) in self.answers.iter_mut().zip(self.asked) {
            Self::field(ui, &format!("{} {}", texts.word_number, place + 1), answer, false, "");
        }
        let (onward, back) = Self::buttons(ui, texts.next, true, Some(texts.back));
        if onward {
            let right =
                self.answers.iter().zip(self.asked).all(|(answer, place)| answer.trim().to_lowercase() == self.words[place]);
            self.go_if(right, Page::Seal, texts.wrong_word);
        } else if back {
            self.page = Page::Show;
        }
    }

    fn type_words(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        Self::heading(ui, texts.restore_title, texts.restore_lead);
        let name = ui.label(RichText::new(texts.words).strong());
        ui.add(TextEdit::multiline(&mut self.typed).desired_rows(5).desired_width(f32::INFINITY)).labelled_by(name.id);
        if Self::buttons(ui, texts.next, true, None).0 {
            let sentence = self.typed.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
            match Words::restore(&Secret::new(sentence)) {
                Ok(words) => {
                    self.words = words.shown().map(str::to_owned).collect();
                    self.trouble.clear();
                    self.page = Page::Seal;
                }
                Err(refusal) => self.trouble = self.explain(&refusal),
            }
        }
    }

    fn unlock(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        Self::heading(ui, texts.backup_title, texts.backup_lead);
        Self::field(ui, texts.password, &mut self.password, true, if self.opening.valueless { texts.may_be_empty } else { "" });
        if Self::buttons(ui, texts.show, self.waiting.is_none(), None).0 {
            let asked = Asked::Reveal { password: std::mem::take(&mut self.password) };
            self.send(ui.ctx(), asked);
        }
    }

    fn seal(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        let restore = self.opening.purpose == Purpose::Restore;
        ui.heading(RichText::new(if restore { texts.restore_title } else { texts.create_title }).strong());
        Self::field(ui, texts.name, &mut self.name, false, "");
        Self::field(ui, texts.passphrase, &mut self.passphrase, true, texts.passphrase_hint);
        Self::field(ui, texts.password, &mut self.password, true, if self.opening.valueless { texts.may_be_empty } else { "" });
        Self::field(ui, texts.password_again, &mut self.again, true, "");
        if restore {
            Self::field(ui, texts.birthday, &mut self.birthday, false, texts.birthday_hint);
        }
        let onward = Self::buttons(ui, if restore { texts.restore } else { texts.create }, self.waiting.is_none(), None).0;
        if !onward {
            return;
        }
        let birthday = match first_second_of(self.birthday.trim()) {
            Ok(birthday) => birthday,
            Err(()) => {
                texts.birthday_bad.clone_into(&mut self.trouble);
                return;
            }
        };
        if self.password != self.again {
            texts.password_differs.clone_into(&mut self.trouble);
        } else if !self.opening.valueless && self.password.chars().count() < LEAST_PASSWORD {
            texts.weak_password.clone_into(&mut self.trouble);
        } else {
            let create = WalletCreate {
                name: self.name.trim().to_owned(),
                words: self.words.clone(),
                passphrase: self.passphrase.clone(),
                password: self.password.clone(),
                restore,
                birthday,
            };
            self.send(ui.ctx(), Asked::Create(Box::new(create)));
        }
    }

    fn go_if(&mut self, right: bool, page: Page, trouble: &str) {
        if right {
            self.trouble.clear();
            self.page = page;
        } else {
            trouble.clone_into(&mut self.trouble);
        }
    }

    /// Asks the parent on a thread of its own, so that the window keeps drawing.
    fn send(&mut self, context: &egui::Context, asked: Asked) {
        let (tell, hear) = channel();
        let context = context.clone();
        self.trouble.clear();
        self.waiting = Some(hear);
        std::thread::spawn(move || {
            // A closed receiver means that the window is gone, and with it the question.
            let _ = tell.send(ask(&asked));
            context.request_repaint();
        });
    }

    fn hear(&mut self, context: &egui::Context) {
        let Some(told) = self.waiting.as_ref().and_then(|waiting| waiting.try_recv().ok()) else { return };
        self.waiting = None;
        match told {
            Ok(Told::Done) => context.send_viewport_cmd(ViewportCommand::Close),
            Ok(Told::Words(words)) => {
                self.words = words.words;
                self.page = Page::Show;
            }
            Ok(Told::Refused(refusal)) => self.trouble = self.explain(&refusal),
            Err(_) => self.texts.refused.clone_into(&mut self.trouble),
        }
    }

    fn explain(&self, refusal: &Failure) -> String {
        match (refusal.code, refusal.args.get("position")) {
            (Code::BadWords, Some(position)) => format!("{} {position}", self.texts.bad_word_at),
            (Code::BadWords, None) => self.texts.bad_words.to_owned(),
            (Code::WrongPassword | Code::TooManyTries, _) => self.texts.wrong_password.to_owned(),
            (Code::WeakPassword, _) => self.texts.weak_password.to_owned(),
            _ => self.texts.refused.to_owned(),
        }
    }
}

/// Unix seconds of the start of a year from 2009 on; nothing for an empty field.
fn first_second_of(year: &str) -> Result<Option<u32>, ()> {
    if year.is_empty() {
        return Ok(None);
    }
    let year: u32 = year.parse().map_err(drop)?;
    if !(2009..=2105).contains(&year) {
        return Err(());
    }
    let days = (1970..year).map(|y| if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) { 366 } else { 365 }).sum::<u32>();
    Ok(Some(days * 86_400))
}

#[cfg(test)]
mod tests {
    use super::first_second_of;

    #[test]
    fn a_birth_year_becomes_its_first_second() {
        assert_eq!(first_second_of(""), Ok(None));
        assert_eq!(first_second_of("2009"), Ok(Some(1_230_768_000)));
        assert_eq!(first_second_of("2026"), Ok(Some(1_767_225_600)));
        for bad in ["1999", "26", "next", "2106", "-2010"] {
            assert_eq!(first_second_of(bad), Err(()), "{bad}");
        }
    }
}
