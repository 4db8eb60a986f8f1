//! Making, restoring, watching, locking.

use crate::world::{Desk, open, open_by, refused, story, world};
use causeway_app::{App, Clock};
use causeway_contract::*;
use causeway_tests::main_job::until;
use std::time::{SystemTime, UNIX_EPOCH};

const PASSWORD: &str = "a pier of long planks 7";

fn create(words: &[String], passphrase: &str, restore: bool) -> WalletCreate {
    WalletCreate {
        name: "Jetty".into(),
        words: words.to_vec(),
        passphrase: passphrase.into(),
        password: PASSWORD.into(),
        restore,
        birthday: None,
    }
}

async fn new_words(app: &App) -> Vec<String> {
    app.words_new(WordsNew { count: 12, own_entropy: Some("6 1 3 2".into()) }).await.expect("words").words
}

fn unlock(wallet: u32, password: &str) -> WalletUnlock {
    WalletUnlock { wallet, password: password.into() }
}

#[test]
fn words_that_are_wrong_are_refused_where_they_are_wrong() {
    story(async {
        let desk = Desk::new().await;
        let words = new_words(&desk.app).await;
        let before = desk.app.app_state(Empty {}).await.expect("a state");
        let mut misspelt = words.clone();
        misspelt[3] = "harbour".into();
        let refusal = desk.app.wallet_create(create(&misspelt, "", true)).await.expect_err("misspelt");
        assert_eq!((refusal.code, refusal.args.get("position").map(String::as_str)), (Code::BadWords, Some("4")));
        let checksum: Vec<String> = std::iter::repeat_n("abandon".to_owned(), 12).collect();
        let refusal = desk.app.wallet_create(create(&checksum, "", true)).await.expect_err("a wrong checksum");
        assert_eq!((refusal.code, refusal.args.get("position")), (Code::BadWords, None));
        assert_eq!(refused(desk.app.wallet_create(create(&words[..11], "", true)).await), Code::BadWords);
        assert_eq!(desk.app.app_state(Empty {}).await.expect("a state"), before);
        desk.close().await;
    });
}

#[test]
fn wrong_passwords_are_counted_across_restarts_and_learn_nothing() {
    story(async {
        let desk = Desk::new().await;
        let words = new_words(&desk.app).await;
        let id = desk.app.wallet_create(create(&words, "", false)).await.expect("a wallet").id;
        desk.app.lock(Empty {}).await.expect("locked");
        // Wrong until the next try is more than a few seconds away; each notice of the chains is a moment to try again.
        desk.until(async |desk| {
            let refusal = desk.app.unlock(unlock(id, "wrong wrong wrong 9")).await.expect_err("wrong");
            let wait = refusal.args.get("wait_seconds").map_or(0, |wait| wait.parse().expect("a number"));
            assert!(matches!(refusal.code, Code::WrongPassword | Code::TooManyTries), "{refusal}");
            assert!(refusal.code == Code::WrongPassword || wait > 0, "{refusal}");
            refusal.code == Code::WrongPassword && wait >= 8
        })
        .await;
        let early = async |password| desk.app.unlock(unlock(id, password)).await;
        let (right, wrong) = (early(PASSWORD).await, early("wrong wrong wrong 9").await);
        assert_eq!((refused(right), refused(wrong)), (Code::TooManyTries, Code::TooManyTries), "the answer tells nothing");
        let desk = desk.restart().await;
        assert_eq!(refused(desk.app.unlock(unlock(id, PASSWORD)).await), Code::TooManyTries, "a restart forgives nothing");
        assert!(!desk.app.app_state(Empty {}).await.expect("a state").unlocked);
        desk.until(async |desk| match desk.app.unlock(unlock(id, PASSWORD)).await {
            Ok(_) => true,
            Err(refusal) => {
                assert_eq!(refusal.code, Code::TooManyTries);
                false
            }
        })
        .await;
        assert!(desk.app.app_state(Empty {}).await.expect("a state").unlocked);
        desk.close().await;
    });
}

#[test]
fn a_changed_password_opens_and_the_old_one_does_not() {
    story(async {
        let desk = Desk::new().await;
        let words = new_words(&desk.app).await;
        let id = desk.app.wallet_create(create(&words, "", false)).await.expect("a wallet").id;
        let change = |old: &str, new: &str| PasswordChange { wallet: id, old: old.into(), new: new.into() };
        assert_eq!(
            refused(desk.app.password_change(change("not this one 123", "another long plank 8")).await),
            Code::WrongPassword
        );
        desk.app.password_change(change(PASSWORD, "another long plank 8")).await.expect("changed");
        let desk = desk.restart().await;
        assert_eq!(refused(desk.app.unlock(unlock(id, PASSWORD)).await), Code::WrongPassword);
        desk.app.unlock(unlock(id, "another long plank 8")).await.expect("opens");
        assert_eq!(desk.app.wallet_words(unlock(id, "another long plank 8")).await.expect("words").words, words);
        desk.close().await;
    });
}

#[test]
fn keys_lock_by_themselves_when_nobody_uses_the_app() {
    story(async {
        let (dir, clock) = (tempfile::tempdir().expect("a folder"), Clock::default());
        let app = open_by(dir.path(), &clock).await;
        let id = app.wallet_create(create(&new_words(&app).await, "", false)).await.expect("a wallet").id;
        let mut settings = app.settings_get(Empty {}).await.expect("settings");
        settings.auto_lock_minutes = 5;
        app.settings_set(settings.clone()).await.expect("set");
        let unlocked = async || app.app_state(Empty {}).await.expect("a state").unlocked;
        let locks = async || until(&app, async || Ok((!unlocked().await).then_some(()))).await.expect("locks");
        let kept = async |minutes: u32| {
            clock.advance(minutes * 60);
            // What the housekeeper does next comes after what it would have locked.
            app.network_rescan(NetworkRescan { network: NetworkId::Bitcoin, from_height: 1 }).await.expect("used");
            unlocked().await
        };
        for _ in 0..3 {
            assert!(kept(4).await, "used every four minutes, it stays open");
        }
        clock.advance(5 * 60);
        locks().await;
        assert_eq!(refused(app.unlock(unlock(id, "wrong wrong wrong 9")).await), Code::WrongPassword);
        app.unlock(unlock(id, PASSWORD)).await.expect("opens");
        settings.auto_lock_minutes = 0;
        app.settings_set(settings.clone()).await.expect("set");
        clock.advance(24 * 60 * 60);
        settings.auto_lock_minutes = 1;
        assert!(unlocked().await, "zero is never");
        app.settings_set(settings).await.expect("set");
        clock.advance(60);
        locks().await;

        // Wrong passwords are waited out by the same clock, over a restart.
        let wrong = async |app: &App| refused(app.unlock(unlock(id, "wrong wrong wrong 9")).await);
        for _ in 0..12 {
            assert_eq!(wrong(&app).await, Code::WrongPassword);
            clock.advance(60 * 60);
        }
        assert_eq!(wrong(&app).await, Code::WrongPassword);
        app.close().await;
        let app = open_by(dir.path(), &clock).await;
        assert_eq!(refused(app.unlock(unlock(id, PASSWORD)).await), Code::TooManyTries);
        clock.advance(60 * 60);
        app.unlock(unlock(id, PASSWORD)).await.expect("opens");
        app.close().await;
    });
}

#[test]
fn a_keyring_key_opens_its_wallet_until_it_is_replaced_or_taken_out() {
    story(async {
        let desk = Desk::new().await;
        let id = desk.app.wallet_create(create(&new_words(&desk.app).await, "", false)).await.expect("a wallet").id;
        assert!(!desk.app.keyring_remembered(id).expect("known"));
        assert_eq!(
            desk.app.keyring_enable(unlock(id, "wrong wrong wrong 9")).await.err().map(|r| r.code),
            Some(Code::WrongPassword)
        );
        let key = desk.app.keyring_enable(unlock(id, PASSWORD)).await.expect("a key").as_bytes().to_owned();
        let read = |bytes: &[u8; 32]| causeway_keys::KeyringKey::from_bytes(*bytes);
        let desk = desk.restart().await;
        let unlocked = async |desk: &Desk| desk.app.app_state(Empty {}).await.expect("a state").unlocked;
        assert!(!unlocked(&desk).await && desk.app.keyring_remembered(id).expect("known"));
        desk.app.keyring_open(id, read(&key)).await.expect("opens");
        assert!(unlocked(&desk).await);

        let newer = desk.app.keyring_enable(unlock(id, PASSWORD)).await.expect("a key").as_bytes().to_owned();
        desk.app.lock(Empty {}).await.expect("locked");
        assert!(desk.app.keyring_open(id, read(&key)).await.is_err(), "the older key is nothing any more");
        desk.app.keyring_open(id, read(&newer)).await.expect("opens");
        desk.app.keyring_disable(unlock(id, PASSWORD)).await.expect("taken out");
        desk.app.lock(Empty {}).await.expect("locked");
        assert!(desk.app.keyring_open(id, read(&newer)).await.is_err());
        assert!(!unlocked(&desk).await && !desk.app.keyring_remembered(id).expect("known"));
        desk.close().await;
    });
}

#[test]
fn words_count_as_written_down_when_they_were_typed_again() {
    story(async {
        let desk = Desk::new().await;
        let wallet = desk.wallet;
        let backed_up = async || desk.app.app_state(Empty {}).await.expect("a state").wallets[0].backed_up;
        let words = desk.app.wallet_words(unlock(wallet, "")).await.expect("words").words;
        assert!(!backed_up().await, "looking is not writing down");
        let confirm = async |words: &[String]| {
            desk.app.words_confirm(WordsConfirm { wallet, password: String::new(), words: words.to_vec() }).await
        };
        let mut wrong = words.clone();
        wrong.swap(2, 3);
        wrong[2].push('x');
        let refusal = confirm(&wrong).await.expect_err("wrong");
        assert_eq!((refusal.code, refusal.args["position"].as_str()), (Code::WordsDoNotMatch, "3"));
        assert_eq!(refused(confirm(&words[..11]).await), Code::WordsDoNotMatch);
        assert!(!backed_up().await);
        assert!(confirm(&words).await.expect("confirmed").backed_up);
        assert!(backed_up().await);
        desk.close().await;
    });
}

#[test]
fn where_coins_have_value_a_password_is_asked_for() {
    story(async {
        let dir = tempfile::tempdir().expect("a folder");
        let realm = causeway_vocab::Realm { valueless: false, ..world().await.realm.clone() };
        let app = open(dir.path(), realm).await.expect("opens");
        let quick = WalletQuickStart { name: "Quick".into() };
        assert_eq!(refused(app.wallet_quick_start(quick).await), Code::NotOffered);
        let words = new_words(&app).await;
        let weak = WalletCreate { password: "short".into(), ..create(&words, "", false) };
        assert_eq!(refused(app.wallet_create(weak).await), Code::WeakPassword);
        assert!(app.app_state(Empty {}).await.expect("a state").wallets.is_empty());
        let id = app.wallet_create(create(&words, "", false)).await.expect("a wallet").id;
        let change = PasswordChange { wallet: id, old: PASSWORD.into(), new: "short".into() };
        assert_eq!(refused(app.password_change(change).await), Code::WeakPassword);
        app.unlock(unlock(id, PASSWORD)).await.expect("still opens");
        app.close().await;
    });
}

#[test]
fn a_locked_wallet_plans_but_does_not_sign() {
    story(async {
        let desk = Desk::new().await;
        let words = new_words(&desk.app).await;
        let id = desk.app.wallet_create(create(&words, "", false)).await.expect("a wallet").id;
        desk.fund(200_000).await;
        desk.app.lock(Empty {}).await.expect("locked");
        let to = desk.address(NetworkId::Bitcoin).await;
        let draft = desk.app.send_plan(Desk::payment(NetworkId::Bitcoin, to, 50_000)).await.expect("a plan");
        let review = desk.review(&draft).await.expect("a review");
        assert!(review.locked);
        let sign = DraftSign { draft: draft.draft, summary_hash: review.summary_hash };
        assert_eq!(refused(desk.app.draft_sign(sign.clone()).await), Code::Locked);
        desk.app.unlock(unlock(id, PASSWORD)).await.expect("opens");
        desk.app.draft_sign(sign).await.expect("signed");
        desk.close().await;
    });
}

#[test]
fn words_with_their_passphrase_and_birthday_find_the_same_money() {
    story(async {
        let before = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let desk = Desk::new().await;
        let words = new_words(&desk.app).await;
        let first = desk.app.wallet_create(create(&words, "low tide", false)).await.expect("a wallet");
        desk.fund(300_000).await;
        let giver = Desk::with(0, 200_000).await;
        giver.send(NetworkId::Sidechain, desk.address(NetworkId::Sidechain).await, 100_000).await;
        desk.until(async |desk| desk.balance(NetworkId::Sidechain).await == 100_000).await;

        let other = Desk::new().await;
        let birthday = u32::try_from(before).ok();
        let restored = other.app.wallet_create(WalletCreate { birthday, ..create(&words, "low tide", true) }).await;
        assert_eq!(restored.expect("a wallet").fingerprint, first.fingerprint);
        other.until(async |other| other.balance(NetworkId::Bitcoin).await == 300_000).await;
        other.until(async |other| other.balance(NetworkId::Sidechain).await == 100_000).await;
        for network in NetworkId::ALL {
            let txids = async |desk: &Desk| desk.history(network).await.into_iter().map(|row| row.txid).collect::<Vec<_>>();
            assert_eq!(txids(&other).await, txids(&desk).await);
        }
        assert_eq!(
            refused(other.app.wallet_create(create(&words, "low tide", true)).await),
            Code::BadRequest,
            "it is here already"
        );

        // Another passphrase is another wallet, side by side with the first.
        let stranger = other.app.wallet_create(create(&words, "high tide", true)).await.expect("a wallet");
        assert_ne!(stranger.fingerprint, first.fingerprint);
        other.synced().await;
        assert_eq!(other.balance(NetworkId::Bitcoin).await, 0);
        assert_eq!(other.app.app_state(Empty {}).await.expect("a state").wallets.len(), 3);
        for desk in [desk, giver, other] {
            desk.close().await;
        }
    });
}

#[test]
fn descriptors_that_cannot_be_watched_are_refused() {
    story(async {
        let desk = Desk::new().await;
        let own = desk.app.wallet_descriptors(WalletRef { wallet: desk.wallet }).await.expect("descriptors");
        for text in [&own.bitcoin, &own.sidechain] {
            assert!(text.contains("[") && text.contains("/84'/") && !text.contains("prv"), "public parts with their origin");
        }
        for (bitcoin, sidechain) in [("wpkh(nonsense)", own.sidechain.as_str()), (own.bitcoin.as_str(), "ct(nonsense)")] {
            let watch =
                WalletWatch { name: "Lookout".into(), bitcoin: bitcoin.into(), sidechain: sidechain.into(), birthday: None };
            assert_eq!(refused(desk.app.wallet_watch(watch).await), Code::BadDescriptor);
        }
        desk.close().await;
    });
}

#[test]
fn a_restart_keeps_settings_wallets_drafts_and_money() {
    story(async {
        let desk = Desk::with(200_000, 0).await;
        let mut settings = desk.app.settings_get(Empty {}).await.expect("settings");
        settings.language = "zh-Hant".into();
        settings.theme = Theme::Dark;
        settings.hide_amounts = true;
        settings.fee_limit_percent = 7;
        settings.auto_lock_minutes = 9;
        desk.app.settings_set(settings.clone()).await.expect("set");
        let bad = Settings { bitcoin_peers: vec!["somewhere".into()], ..settings.clone() };
        assert_eq!(refused(desk.app.settings_set(bad).await), Code::BadRequest);
        let to = desk.address(NetworkId::Bitcoin).await;
        let draft = desk.app.send_plan(Desk::payment(NetworkId::Bitcoin, to, 50_000)).await.expect("a plan");
        let second = desk.app.wallet_quick_start(WalletQuickStart { name: "Second".into() }).await.expect("a wallet").id;
        assert_eq!(desk.balance(NetworkId::Bitcoin).await, 0, "wallets do not share money");
        desk.app.wallet_rename(WalletRename { wallet: second, name: "Slip".into() }).await.expect("renamed");
        desk.app.wallet_select(WalletRef { wallet: desk.wallet }).await.expect("selected");
        let (state, app_state) = (desk.state().await, desk.app.app_state(Empty {}).await.expect("a state"));
        let review = desk.review(&draft).await.expect("a review");

        let desk = desk.restart().await;
        assert_eq!(desk.app.settings_get(Empty {}).await.expect("settings"), settings);
        assert_eq!(desk.state().await, state);
        assert_eq!(desk.app.app_state(Empty {}).await.expect("a state"), app_state);
        assert_eq!(desk.review(&draft).await.expect("a review").summary_hash, review.summary_hash);
        let operation = desk.sign(&draft).await.operation;

        // The payment was handed to nobody yet, or to somebody: either way it arrives.
        let desk = desk.restart().await;
        desk.finish(operation).await;
        assert_eq!(desk.balance(NetworkId::Bitcoin).await, 200_000 - draft.fee.0);
        let same = open(desk.dir.path(), world().await.realm.clone()).await.err().map(|refusal| refusal.code);
        assert_eq!(same, Some(Code::ProfileInUse));
        desk.close().await;
    });
}
