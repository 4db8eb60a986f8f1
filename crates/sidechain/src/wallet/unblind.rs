//! Opening what was paid to us.

use super::descriptor::KeyPath;
use causeway_vocab::Opening;
use elements::{OutPoint, TxOut};
use secp256k1_zkp::SecretKey;

/// Something that our keys may open: an output that pays one of our scripts, or an amount that we issued.
///
/// Independent of the wallet and `Send`, so that a caller can open many at once; each costs one rewind of a range proof, or nothing
/// when it is explicit.
pub struct Candidate {
    place: Place,
    key: SecretKey,
    output: TxOut,
}

/// Which amount of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// An output.
    Output(OutPoint, KeyPath),
    /// The asset amount issued by the input that spends this outpoint.
    Issued(OutPoint),
    /// The reissuance tokens issued by that input.
    Tokens(OutPoint),
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Which.
    pub place: Place,
    /// What it holds; `None` when it was blinded to a stranger's key. Checked against both commitments.
    pub opening: Option<Opening>,
}

impl Candidate {
    /// Opens it. Pure.
    pub fn open(self) -> Opened {
        let _ = (self.place, self.key, self.output);
        todo!()
    }
}
