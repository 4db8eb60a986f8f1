//! BIP39 recovery words: make, show, confirm, restore.

use crate::secret::{Secret, Seed};
use bip39::{Error, Language, Mnemonic};
use bitcoin::hashes::{Hash as _, sha256};
use causeway_vocab::{Code, Refusal};
use rand::{CryptoRng, RngCore};
use std::borrow::Cow;
use zeroize::{Zeroize as _, Zeroizing};

/// The longest text that is read as words, bytes.
const MAX_TEXT: usize = 1_000;
/// Word lists that words are restored from. New wallets are always English.
const LANGUAGES: [Language; 3] = [Language::English, Language::SimplifiedChinese, Language::TraditionalChinese];

/// How many words a new wallet gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordCount {
    /// 128 bits.
    Twelve,
    /// 256 bits.
    TwentyFour,
}

/// A valid BIP39 sentence.
pub struct Words(pub(crate) Mnemonic);

impl Words {
    /// Makes new English words from `rng`, with the user's own dice or coin text mixed in when given.
    ///
    /// The rule, which anybody can redo by hand: the operating system gives `n` bytes (16 or 32); the own text, exactly as typed in
    /// UTF-8, is hashed with SHA-256 and its first `n` bytes are XORed onto them. So a bad text cannot weaken a good generator,
    /// nor a bad generator a good text.
    pub fn generate(count: WordCount, rng: &mut (impl RngCore + CryptoRng), own: Option<&Secret>) -> Words {
        let mut entropy = Zeroizing::new([0u8; 32]);
        let entropy = match count {
            WordCount::Twelve => &mut entropy[..16],
            WordCount::TwentyFour => &mut entropy[..],
        };
        rng.fill_bytes(entropy);
        if let Some(own) = own {
            let mut digest = sha256::Hash::hash(own.reveal().as_bytes()).to_byte_array();
            entropy.iter_mut().zip(digest).for_each(|(byte, own)| *byte ^= own);
            digest.zeroize();
        }
        Words(Mnemonic::from_entropy_in(Language::English, entropy).expect("BUG: 16 and 32 bytes are BIP39 lengths"))
    }

    /// Reads 12 to 24 words in English, simplified or traditional Chinese; case and spacing do not matter.
    ///
    /// Refused with `BadWords` and the `position` of the first word that is in no list (1-based; absent when the number of words
    /// or the checksum is wrong).
    pub fn restore(text: &Secret) -> Result<Words, Refusal> {
        let bad = || Refusal::new(Code::BadWords);
        if text.reveal().len() > MAX_TEXT {
            return Err(bad());
        }
        let text = normal(text.reveal());
        let mut mistake = None;
        for language in LANGUAGES {
            match Mnemonic::parse_in_normalized(language, &text) {
                Ok(words) => return Ok(Words(words)),
                Err(Error::UnknownWord(index)) => mistake = mistake.max(Some(index)),
                // Every word is known, so none can be blamed; another list may still have them all with a right checksum.
                Err(Error::InvalidChecksum) => mistake = Some(usize::MAX),
                Err(_) => return Err(bad()),
            }
        }
        match mistake {
            Some(index) if index < usize::MAX => Err(bad().with("position", index + 1)),
            _ => Err(bad()),
        }
    }

    /// The words, in order, for showing once.
    pub fn shown(&self) -> impl Iterator<Item = &'static str> {
        self.0.words()
    }

    /// Checks that the user can repeat the word at `position` (1-based). Refused with `WordsDoNotMatch` and `position`.
    pub fn confirm(&self, position: usize, word: &str) -> Result<(), Refusal> {
        let expected = position.checked_sub(1).and_then(|index| self.0.words().nth(index));
        match expected.is_some_and(|expected| *normal(word) == *expected) {
            true => Ok(()),
            false => Err(Refusal::new(Code::WordsDoNotMatch).with("position", position)),
        }
    }

    /// The seed with this passphrase (empty for none), as BIP39 says.
    pub fn seed(&self, passphrase: &Secret) -> Seed {
        Seed::from_bytes(self.0.to_seed(passphrase.reveal()))
    }
}

/// One space between words, lower case, NFKD; Chinese words, one sign each, may be written without spaces.
fn normal(text: &str) -> Zeroizing<String> {
    let mut lower = Cow::Owned(text.to_lowercase());
    Mnemonic::normalize_utf8_cow(&mut lower);
    let mut spaced = Zeroizing::new(String::with_capacity(2 * MAX_TEXT));
    for sign in lower.chars() {
        if !sign.is_ascii() && !spaced.is_empty() && !spaced.ends_with(' ') {
            spaced.push(' ');
        }
        if !sign.is_whitespace() {
            spaced.push(sign);
        } else if !spaced.is_empty() && !spaced.ends_with(' ') {
            spaced.push(' ');
        }
    }
    if spaced.ends_with(' ') {
        spaced.pop();
    }
    lower.to_mut().zeroize();
    spaced
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hex::DisplayHex as _;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn sentence(words: &Words) -> String {
        words.shown().collect::<Vec<_>>().join(" ")
    }

    const ABANDON: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

    #[test]
    fn the_published_vectors_give_their_seeds() {
        // BIP39 vectors (trezor/python-mnemonic), passphrase TREZOR.
        let words = Words::restore(&secret(ABANDON)).expect("a sentence");
        assert_eq!(
            words.seed(&secret("TREZOR")).0.to_lower_hex_string(),
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"
        );
        for (name, wallet) in crate::testing::fixture_wallets() {
            let words = Words::restore(&secret(wallet["mnemonic"].as_str().expect("words"))).expect(name);
            let seed = words.seed(&secret(wallet["passphrase"].as_str().expect("a passphrase")));
            assert_eq!(seed.0.to_lower_hex_string(), wallet["bip39_seed"].as_str().expect("a seed"), "{name}");
        }
    }

    #[test]
    fn own_text_is_mixed_in_by_the_documented_rule() {
        let rng = || StdRng::seed_from_u64(7);
        for (count, n) in [(WordCount::Twelve, 16), (WordCount::TwentyFour, 32)] {
            let mut system = [0u8; 32];
            rand::RngCore::fill_bytes(&mut rng(), &mut system[..n]);
            let digest = sha256::Hash::hash(b"4 1 6 6 2").to_byte_array();
            let by_hand: Vec<u8> = system[..n].iter().zip(digest).map(|(a, b)| a ^ b).collect();
            let mixed = Words::generate(count, &mut rng(), Some(&secret("4 1 6 6 2")));
            assert_eq!(mixed.0.to_entropy(), by_hand);
            let plain = Words::generate(count, &mut rng(), None);
            assert_eq!(plain.0.to_entropy(), system[..n]);
        }
    }

    #[test]
    fn a_wrong_sentence_is_refused_with_the_place_of_the_mistake() {
        let long = "abandon ".repeat(200);
        for (text, position) in [
            ("", None),
            ("abandon", None),
            (&ABANDON.replace("about", "abandon"), None),
            (&ABANDON.replacen("abandon", "abandn", 1), Some("1")),
            (&ABANDON.replace("about", "bitcoin"), Some("12")),
            (&long, None),
        ] {
            let refused = Words::restore(&secret(text)).err().expect(text);
            assert_eq!((refused.code, refused.args.get("position").map(String::as_str)), (Code::BadWords, position), "{text}");
        }
    }

    #[test]
    fn confirming_asks_for_the_word_at_its_place() {
        let words = Words::restore(&secret(ABANDON)).expect("a sentence");
        assert_eq!(words.confirm(12, " About "), Ok(()));
        for (position, word) in [(1, "about"), (0, "abandon"), (13, "about"), (12, "")] {
            let refused = words.confirm(position, word).expect_err(word);
            assert_eq!((refused.code, refused.args["position"].clone()), (Code::WordsDoNotMatch, position.to_string()));
        }
    }

    proptest! {
        #[test]
        fn words_in_every_list_are_restored_however_they_are_typed(
            entropy in prop_oneof![any::<[u8; 16]>().prop_map(|e| e.to_vec()), any::<[u8; 32]>().prop_map(|e| e.to_vec())],
            gap in "[ \t\n]{1,3}",
        ) {
            for language in LANGUAGES {
                let made = Mnemonic::from_entropy_in(language, &entropy).expect("a BIP39 length");
                let typed = made.words().collect::<Vec<_>>().join(&gap).to_uppercase();
                let words = Words::restore(&secret(&typed)).expect("its own words");
                prop_assert_eq!(sentence(&words), made.words().collect::<Vec<_>>().join(" "));
                if language != Language::English {
                    let unspaced: String = made.words().collect();
                    let words = Words::restore(&secret(&unspaced)).expect("its own words");
                    prop_assert_eq!(sentence(&words), made.words().collect::<Vec<_>>().join(" "));
                }
            }
        }
    }
}
