//! PSBTs that leave the app and come back.

use bitcoin::Psbt;
use causeway_vocab::Refusal;

/// Largest PSBT that is read, bytes.
pub const MAX_PSBT: usize = 4_000_000;

/// Reads a PSBT: binary, base64 or hex. Refused with `BadDraft`.
pub fn import(bytes: &[u8]) -> Result<Psbt, Refusal> {
    let _ = bytes;
    todo!()
}

/// The base64 form.
pub fn export(psbt: &Psbt) -> String {
    psbt.to_string()
}

/// Takes the signatures out of `returned` into a copy of `sent`. Anything else that differs is refused with `DraftLies` (args: `why`).
///
/// Signatures are verified by whoever finishes the transaction.
pub fn merge(sent: &Psbt, returned: &Psbt) -> Result<Psbt, Refusal> {
    let _ = (sent, returned);
    todo!()
}
