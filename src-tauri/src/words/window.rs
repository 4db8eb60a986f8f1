//! What the native window draws.

use super::look::{self, Colours};
use super::texts::{self, Texts};
use super::{Asked, Opening, Purpose, Told};
use causeway_contract::{Code, Failure, WalletCreate};
use causeway_keys::{Secret, WordCount, Words};
use eframe::egui::{self, Align, Button, Grid, Key, Layout, RichText, TextEdit, Ui, ViewportCommand};
use rand::{CryptoRng, RngCore};
use std::sync::Arc;
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

/// Puts a question to the parent and waits for its answer; called off the thread that draws.
pub(super) type Ask = Arc<dyn Fn(&Asked) -> Result<Told, String> + Send + Sync>;

/// Where words come from: the system's generator, or a known one under test.
pub(super) trait Random: RngCore + CryptoRng {}
impl<T: RngCore + CryptoRng> Random for T {}

pub(super) struct WordsWindow {
    opening: Opening,
    texts: &'static Texts,
    colours: Colours,
    ask: Ask,
    rng: Box<dyn Random>,
    page: Page,
    /// The page was just turned: its first field gets the keyboard.
    turned: bool,
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
pub(super) fn show(opening: Opening, ask: Ask) -> Result<(), String> {
    let window = WordsWindow::new(opening, ask, Box::new(rand::rngs::OsRng));
    let title = window.title();
    let viewport = egui::ViewportBuilder::default().with_inner_size([560.0, 620.0]).with_resizable(false).with_title(title);
    let options = eframe::NativeOptions { viewport, ..Default::default() };
    let dress = move |creation: &eframe::CreationContext<'_>| {
        window.dress(&creation.egui_ctx);
        Ok(Box::new(window) as Box<dyn eframe::App>)
    };
    eframe::run_native(title, options, Box::new(dress)).map_err(|e| e.to_string())
}

impl eframe::App for WordsWindow {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        self.hear(ui.ctx());
        egui::CentralPanel::default().frame(look::margins(&self.colours)).show(ui, |ui| {
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
                ui.colored_label(self.colours.of("halted"), &self.trouble);
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

/// A field with its label above and its hint below; `true` when Enter was pressed in it. Takes the keyboard when `first`.
fn field(ui: &mut Ui, label: &str, value: &mut String, secret: bool, hint: &str, first: bool) -> bool {
    let name = ui.label(RichText::new(label).strong());
    let edit = TextEdit::singleline(value).password(secret).desired_width(f32::INFINITY).margin(look::FIELD);
    let field = ui.add(edit).labelled_by(name.id);
    if first {
        field.request_focus();
    }
    if !hint.is_empty() {
        ui.label(RichText::new(hint).weak());
    }
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

impl WordsWindow {
    pub(super) fn new(opening: Opening, ask: Ask, rng: Box<dyn Random>) -> WordsWindow {
        let texts = texts::of(&opening.language);
        WordsWindow {
            page: match opening.purpose {
                Purpose::Create => Page::Choose,
                Purpose::Restore => Page::Type,
                Purpose::Backup => Page::Unlock,
            },
            colours: Colours::read(opening.dark),
            opening,
            texts,
            ask,
            rng,
            turned: true,
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
        }
    }

    fn title(&self) -> &'static str {
        match self.opening.purpose {
            Purpose::Create => self.texts.create_title,
            Purpose::Restore => self.texts.restore_title,
            Purpose::Backup => self.texts.backup_title,
        }
    }

    /// Sets theme and fonts, once.
    pub(super) fn dress(&self, context: &egui::Context) {
        look::dress(context, &self.colours, &self.opening.language);
    }

    fn turn(&mut self, page: Page) {
        self.trouble.clear();
        self.page = page;
        self.turned = true;
    }

    fn heading(ui: &mut Ui, title: &str, lead: &str) {
        ui.heading(RichText::new(title).strong());
        ui.label(lead);
        ui.add_space(4.0);
    }

    /// A row of buttons at the bottom right: the one that goes on, then the one that goes back. `true` when pressed.
    fn buttons(&self, ui: &mut Ui, onward: &str, enabled: bool, back: Option<&str>) -> (bool, bool) {
        ui.add_space(8.0);
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            let label = RichText::new(onward).strong().color(self.colours.of("on-accent"));
            let onward = ui.add_enabled(enabled, Button::new(label).fill(self.colours.of("accent"))).clicked();
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
        let first = std::mem::take(&mut self.turned);
        let entered = field(ui, texts.own_entropy, &mut self.own_entropy, true, texts.own_entropy_hint, first);
        if self.buttons(ui, texts.show, true, None).0 || entered {
            let own = (!self.own_entropy.is_empty()).then(|| Secret::new(std::mem::take(&mut self.own_entropy)));
            let words = Words::generate(self.count, &mut self.rng, own.as_ref());
            self.words = words.shown().map(str::to_owned).collect();
            self.show();
        }
    }

    /// Shows the words, and chooses those that are asked for afterwards.
    fn show(&mut self) {
        let asked = rand::seq::index::sample(&mut self.rng, self.words.len(), 3).into_vec();
        self.asked = asked.try_into().expect("BUG: three were asked for");
        self.asked.sort_unstable();
        self.turn(Page::Show);
    }

    fn show_words(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        Self::heading(ui, self.title(), texts.create_lead);
        Grid::new("words").num_columns(3).min_col_width(160.0).spacing([12.0, 10.0]).show(ui, |ui| {
            let rows = self.words.len().div_ceil(3);
            for row in 0..rows {
                for place in (row..self.words.len()).step_by(rows) {
                    ui.label(RichText::new(format!("{:>2}  {}", place + 1, self.words[place])).monospace().size(16.0).strong());
                }
                ui.end_row();
            }
        });
        if self.buttons(ui, texts.written, true, None).0 {
            self.turn(Page::Confirm);
        }
    }

    fn confirm(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        Self::heading(ui, self.title(), texts.confirm_lead);
        let mut entered = false;
        for (answer, place) in self.answers.iter_mut().zip(self.asked) {
            let first = std::mem::take(&mut self.turned);
            entered |= field(ui, &format!("{} {}", texts.word_number, place + 1), answer, false, "", first);
        }
        let (onward, back) = self.buttons(ui, texts.next, true, Some(texts.back));
        if onward || entered {
            let right =
                self.answers.iter().zip(self.asked).all(|(answer, place)| answer.trim().to_lowercase() == self.words[place]);
            if right && self.opening.purpose == Purpose::Backup {
                let words = causeway_contract::Words { words: self.words.clone() };
                self.send(ui.ctx(), Asked::Confirm(words));
            } else if right {
                self.turn(Page::Seal);
            } else {
                texts.wrong_word.clone_into(&mut self.trouble);
            }
        } else if back {
            self.turn(Page::Show);
        }
    }

    fn type_words(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        Self::heading(ui, texts.restore_title, texts.restore_lead);
        let name = ui.label(RichText::new(texts.words).strong());
        let edit = TextEdit::multiline(&mut self.typed).desired_rows(5).desired_width(f32::INFINITY).margin(look::FIELD);
        // Enter goes on here too: words are one line.
        let edit = ui.add(edit.return_key(None)).labelled_by(name.id);
        if std::mem::take(&mut self.turned) {
            edit.request_focus();
        }
        let entered = edit.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if self.buttons(ui, texts.next, true, None).0 || entered {
            let sentence = self.typed.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
            match Words::restore(&Secret::new(sentence)) {
                Ok(words) => {
                    self.words = words.shown().map(str::to_owned).collect();
                    self.turn(Page::Seal);
                }
                Err(refusal) => self.trouble = self.explain(&refusal),
            }
        }
    }

    fn unlock(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        Self::heading(ui, texts.backup_title, texts.backup_lead);
        let first = std::mem::take(&mut self.turned);
        let hint = if self.opening.valueless { texts.may_be_empty } else { "" };
        let entered = field(ui, texts.password, &mut self.password, true, hint, first);
        let free = self.waiting.is_none();
        if self.buttons(ui, texts.show, free, None).0 || (entered && free) {
            let asked = Asked::Reveal { password: std::mem::take(&mut self.password) };
            self.send(ui.ctx(), asked);
        }
    }

    fn seal(&mut self, ui: &mut Ui) {
        let texts = self.texts;
        let restore = self.opening.purpose == Purpose::Restore;
        ui.heading(RichText::new(self.title()).strong());
        let first = std::mem::take(&mut self.turned);
        let hint = if self.opening.valueless { texts.may_be_empty } else { "" };
        let mut entered = field(ui, texts.name, &mut self.name, false, "", first);
        entered |= field(ui, texts.passphrase, &mut self.passphrase, true, texts.passphrase_hint, false);
        entered |= field(ui, texts.password, &mut self.password, true, hint, false);
        entered |= field(ui, texts.password_again, &mut self.again, true, "", false);
        if restore {
            entered |= field(ui, texts.birthday, &mut self.birthday, false, texts.birthday_hint, false);
        }
        let free = self.waiting.is_none();
        let onward = self.buttons(ui, if restore { texts.restore } else { texts.create }, free, None).0;
        let done = onward || entered && free;
        if !done {
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

    /// Asks the parent on a thread of its own, so that the window keeps drawing.
    fn send(&mut self, context: &egui::Context, asked: Asked) {
        let (tell, hear) = channel();
        let context = context.clone();
        let ask = Arc::clone(&self.ask);
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
                self.show();
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
