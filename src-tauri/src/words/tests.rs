//! The native window clicked through, page by page, with a parent that answers as the app does.

use super::texts::{self, Texts};
use super::window::WordsWindow;
use super::{Asked, Opening, Purpose, Told};
use causeway_contract::{Code, Failure, WalletCreate};
use causeway_keys::{Secret, WordCount, Words};
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, ViewportCommand, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::{By, NodeT as _, Queryable as _};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const ZOO: &str = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong";
/// The same entropy as twelve times `abandon`, in Chinese.
const CHINESE: &str = "的 的 的 的 的 的 的 的 的 的 的 在";

/// A window and what its parent heard.
struct Stage {
    window: Harness<'static, WordsWindow>,
    texts: &'static Texts,
    heard: Arc<Mutex<Vec<WalletCreate>>>,
}

impl Stage {
    fn new(purpose: Purpose, language: &str, valueless: bool) -> Stage {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        let ask = move |asked: &Asked| -> Result<Told, String> {
            Ok(match asked {
                Asked::Create(create) => {
                    let sentence = Secret::new(create.words.join(" "));
                    Words::restore(&sentence).map_err(|refusal| refusal.to_string())?;
                    let mut wallets = told.lock().expect("no test panicked with it");
                    wallets.push(serde_json::from_value(serde_json::to_value(create).expect("JSON")).expect("the same"));
                    Told::Done
                }
                Asked::Reveal { password } if password == "harbour light" => {
                    Told::Words(causeway_contract::Words { words: ZOO.split(' ').map(str::to_owned).collect() })
                }
                Asked::Reveal { .. } => Told::Refused(Failure::new(Code::WrongPassword)),
                Asked::Confirm(words) if words.words.join(" ") == ZOO => Told::Done,
                Asked::Confirm(_) => Told::Refused(Failure::new(Code::WordsDoNotMatch)),
            })
        };
        let opening = Opening { purpose, language: language.into(), dark: language != "en", valueless };
        let window = WordsWindow::new(opening, Arc::new(ask), Box::new(StdRng::seed_from_u64(27)));
        let window = Harness::builder()
            .with_size([560.0, 620.0])
            // Whether a Chinese face is installed is not what these tests are about.
            .allow_missing_glyphs()
            .build_eframe(move |creation| {
                window.dress(&creation.egui_ctx);
                window
            });
        let mut stage = Stage { window, texts: texts::of(language), heard };
        stage.window.run();
        stage
    }

    fn field<'a>(&'a self, label: &'a str) -> egui_kittest::Node<'a> {
        self.window.get(
            By::new()
                .label(label)
                .predicate(|node| matches!(node.role(), Role::TextInput | Role::MultilineTextInput | Role::PasswordInput)),
        )
    }

    fn write(&mut self, label: &str, text: &str) {
        self.field(label).focus();
        self.window.run();
        self.window.key_combination_modifiers(eframe::egui::Modifiers::COMMAND, &[Key::A]);
        self.field(label).type_text(text);
        self.window.run();
    }

    fn press(&mut self, button: &str) {
        self.window.get_by_role_and_label(Role::Button, button).click();
        self.window.run();
    }

    fn says(&self, text: &str) -> bool {
        self.window.query_all_by_label_contains(text).next().is_some()
    }

    fn asks(&self, label: &str) -> bool {
        self.window.query_all_by_label(label).next().is_some()
    }

    /// Presses the last button there is.
    fn end(&mut self, button: &str) -> bool {
        self.window.get_by_role_and_label(Role::Button, button).click();
        self.closes()
    }

    /// Runs until the window asks to be closed. The parent answers on a thread of its own, so there is something to wait for.
    fn closes(&mut self) -> bool {
        self.until(|stage| {
            let ours = stage.window.output().viewport_output.get(&ViewportId::ROOT);
            ours.is_some_and(|output| output.commands.contains(&ViewportCommand::Close))
        })
    }

    fn until(&mut self, holds: impl Fn(&Stage) -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            self.window.step();
            if holds(self) {
                return true;
            }
            std::thread::yield_now();
        }
        false
    }

    /// The words on the page, by the numbers that stand before them.
    fn words(&self) -> Vec<String> {
        let shown = self.window.query_all_by_role(Role::Label).filter_map(|node| {
            let label = node.accesskit_node().value()?;
            let (number, word) = label.trim_start().split_once("  ")?;
            Some((number.parse::<usize>().ok()?, word.to_owned()))
        });
        let mut shown: Vec<_> = shown.collect();
        shown.sort();
        shown.dedup();
        shown.into_iter().map(|(_, word)| word).collect()
    }

    /// Types the words that are asked for, `wrong` instead of the first of them, and goes on.
    fn answer(&mut self, words: &[String], wrong: Option<&str>) {
        self.fill(words, wrong);
        self.press(self.texts.next);
    }

    fn fill(&mut self, words: &[String], wrong: Option<&str>) {
        let asked: Vec<usize> = (1..=words.len()).filter(|n| self.asks(&format!("{} {n}", self.texts.word_number))).collect();
        assert_eq!(asked.len(), 3, "three words are asked for");
        for (place, number) in asked.into_iter().enumerate() {
            let word = wrong.filter(|_| place == 0).unwrap_or(&words[number - 1]);
            self.write(&format!("{} {number}", self.texts.word_number), word);
        }
    }

    fn made(&self) -> WalletCreate {
        let mut heard = self.heard.lock().expect("no test panicked with it");
        assert_eq!(heard.len(), 1, "one wallet is made");
        heard.remove(0)
    }
}

#[test]
fn new_words_are_shown_confirmed_and_become_a_wallet_in_every_language() {
    for (language, count) in [("en", 12), ("en", 24), ("zh-Hans", 12), ("zh-Hant", 24)] {
        let mut stage = Stage::new(Purpose::Create, language, false);
        let texts = stage.texts;
        stage.window.get_by_role_and_label(Role::RadioButton, &count.to_string()).click();
        stage.press(texts.show);
        let words = stage.words();
        assert_eq!(words.len(), count, "{language}: {words:?}");
        stage.press(texts.written);

        stage.answer(&words, Some("harbour"));
        assert!(stage.says(texts.wrong_word), "{language}: a wrong word is refused");
        stage.press(texts.back);
        assert_eq!(stage.words(), words, "{language}: the words can be looked at again");
        stage.press(texts.written);
        stage.answer(&words, None);

        stage.write(texts.name, "Harbour");
        stage.write(texts.password, "short");
        stage.write(texts.password_again, "short");
        stage.press(texts.create);
        assert!(stage.says(texts.weak_password), "{language}: a short password is refused");
        stage.write(texts.password, "harbour light");
        stage.press(texts.create);
        assert!(stage.says(texts.password_differs), "{language}: two passwords that differ are refused");
        stage.write(texts.password_again, "harbour light");
        assert!(stage.end(texts.create), "{language}: the window closes when the wallet is made");
        let made = stage.made();
        assert_eq!((made.words, made.restore, made.birthday), (words, false, None));
        assert_eq!((&*made.name, &*made.password, &*made.passphrase), ("Harbour", "harbour light", ""));
    }
}

#[test]
fn own_randomness_is_mixed_into_the_systems() {
    let own = "31 62 54 45 12 66 23";
    let mut stage = Stage::new(Purpose::Create, "en", true);
    stage.write(stage.texts.own_entropy, own);
    stage.press(stage.texts.show);
    let expected = |own: Option<&Secret>| -> Vec<String> {
        let words = Words::generate(WordCount::Twelve, &mut StdRng::seed_from_u64(27), own);
        words.shown().map(str::to_owned).collect()
    };
    assert_eq!(stage.words(), expected(Some(&Secret::new(own.into()))));
    assert_ne!(stage.words(), expected(None));
}

#[test]
fn words_with_a_passphrase_are_restored_from_their_year_on() {
    for (language, sentence) in [("en", ZOO), ("zh-Hans", CHINESE), ("zh-Hant", ZOO)] {
        let mut stage = Stage::new(Purpose::Restore, language, true);
        let texts = stage.texts;
        stage.write(texts.words, "zoo zoo harbor light");
        stage.press(texts.next);
        assert!(stage.says(texts.bad_word_at) || stage.says(texts.bad_words), "{language}: words of no list are refused");
        stage.write(texts.words, "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo");
        stage.press(texts.next);
        assert!(stage.says(texts.bad_words), "{language}: a wrong checksum is refused");
        stage.write(texts.words, &format!("  {}  ", sentence.to_uppercase()));
        stage.press(texts.next);
        stage.write(texts.passphrase, "lighthouse");
        stage.write(texts.birthday, "1999");
        stage.press(texts.restore);
        assert!(stage.says(texts.birthday_bad), "{language}: a year before Bitcoin is refused");
        stage.write(texts.birthday, "2026");
        assert!(stage.end(texts.restore), "{language}: the window closes when the wallet is made");
        let made = stage.made();
        assert_eq!(made.words, sentence.split(' ').collect::<Vec<_>>());
        assert_eq!((&*made.passphrase, made.restore, made.birthday), ("lighthouse", true, Some(1_767_225_600)));
        assert_eq!(made.name, texts.default_name);
    }
}

#[test]
fn the_keyboard_alone_restores_a_wallet() {
    let mut stage = Stage::new(Purpose::Restore, "en", true);
    assert!(stage.field(stage.texts.words).is_focused(), "the first field has the keyboard");
    stage.window.event(eframe::egui::Event::Text(ZOO.into()));
    stage.window.key_press(Key::Enter);
    stage.window.run();
    assert!(stage.field(stage.texts.name).is_focused(), "and so it is on the next page");
    for _ in 0..2 {
        stage.window.key_press(Key::Tab);
        stage.window.run();
    }
    assert!(stage.field(stage.texts.password).is_focused(), "Tab goes through the fields in reading order");
    stage.window.key_press(Key::Enter);
    assert!(stage.closes());
    assert_eq!(stage.made().words.join(" "), ZOO);
}

#[test]
fn the_words_are_shown_again_for_the_right_password_only_and_confirmed() {
    let mut stage = Stage::new(Purpose::Backup, "en", false);
    let texts = stage.texts;
    stage.write(texts.password, "harbor light");
    stage.press(texts.show);
    assert!(stage.until(|stage| stage.says(texts.wrong_password)));
    assert!(stage.words().is_empty());
    stage.write(texts.password, "harbour light");
    stage.press(texts.show);
    assert!(stage.until(|stage| stage.words().len() == 12));
    let words = stage.words();
    assert_eq!(words.join(" "), ZOO);
    stage.press(texts.written);
    stage.answer(&words, Some("harbour"));
    assert!(stage.says(texts.wrong_word), "what was not written down does not count");
    stage.fill(&words, None);
    assert!(stage.end(texts.next), "the window closes when the words count as written down");
    assert!(stage.heard.lock().expect("no test panicked with it").is_empty(), "looking makes no wallet");
}
