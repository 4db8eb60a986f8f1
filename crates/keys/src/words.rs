//! BIP39 recovery words: make, show, confirm, restore.

use crate::secret::{Secret, Seed};
use causeway_vocab::Refusal;
use rand::{CryptoRng, RngCore};

/// How many words a new wallet gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordCount {
    /// 128 bits.
    Twelve,
    /// 256 bits.
    TwentyFour,
}

/// A valid BIP39 sentence.
pub struct Words(pub(crate) bip39::Mnemonic);

impl Words {
    /// Makes new English words from `rng`, with the user's own dice or coin text mixed in when given.
    ///
    /// The rule, which anybody can redo by hand: the operating system gives `n` bytes (16 or 32); the own text, exactly as typed in UTF-8, is
    /// hashed with SHA-256 and its first `n` bytes are XORed onto them. So a bad text cannot weaken a good generator, nor a bad
    /// generator a good text.
    pub fn generate(count: WordCount, rng: &mut (impl RngCore + CryptoRng), own: Option<&Secret>) -> Words {
        let _ = (count, rng, own);
        todo!()
    }

    /// Reads words in English, simplified or traditional Chinese; case and spacing do not matter.
    ///
    /// Refused with [`causeway_vocab::Code::BadWords`] and the `position` of the first word that is in no list (1-based; absent when the number of words or
    /// the checksum is wrong).
    pub fn restore(text: &Secret) -> Result<Words, Refusal> {
        let _ = text;
        todo!()
    }

    /// The words, in order, for showing once.
    pub fn shown(&self) -> impl Iterator<Item = &'static str> {
        self.0.words()
    }

    /// Checks that the user can repeat the word at `position` (1-based). Refused with [`causeway_vocab::Code::WordsDoNotMatch`] and `position`.
    pub fn confirm(&self, position: usize, word: &str) -> Result<(), Refusal> {
        let _ = (position, word);
        todo!()
    }

    /// The seed with this passphrase (empty for none), as BIP39 says.
    pub fn seed(&self, passphrase: &Secret) -> Seed {
        Seed(self.0.to_seed(passphrase.reveal()))
    }
}
