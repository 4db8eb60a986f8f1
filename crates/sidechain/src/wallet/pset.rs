//! PSETs that leave the app and come back.

use super::state::SidechainWallet;
use causeway_vocab::{Refusal, SidechainDraft};
use elements::pset::PartiallySignedTransaction as Pset;

/// Largest PSET that is read, bytes. A hundred blinded outputs with their proofs take half a megabyte.
pub const MAX_PSET: usize = 4_000_000;

/// Reads a PSET: binary, base64 or hex. Bounded and total. Refused with `BadDraft`.
pub fn read(bytes: &[u8]) -> Result<Pset, Refusal> {
    let _ = bytes;
    todo!()
}

/// The base64 form of a draft. Openings travel along (ELIP-102 and proofs of amounts), so that an offline signer can check what it signs.
pub fn export(draft: &SidechainDraft) -> String {
    let _ = draft;
    todo!()
}

/// Opens a PSET that was made elsewhere: inputs from our coins or from the records it carries, outputs by our keys or from the records.
///
/// Refused with `BadDraft`; `NothingToSign` when it spends nothing of ours; `DraftLies` (`why`: `input-amount`, `input-asset`,
/// `output-amount`, `output-asset`, `previous-output`, and `input` or `output`) when a claim contradicts a commitment.
pub fn import(wallet: &SidechainWallet, bytes: &[u8]) -> Result<SidechainDraft, Refusal> {
    let _ = (wallet, bytes);
    todo!()
}

/// Takes the signatures out of `returned` into a copy of `sent`. Any other difference is refused with `DraftLies` (`why`: `changed`).
///
/// Signatures are verified by whoever finishes the transaction.
pub fn merge(sent: &Pset, returned: &Pset) -> Result<Pset, Refusal> {
    let _ = (sent, returned);
    todo!()
}
