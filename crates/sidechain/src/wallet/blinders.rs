//! Blinding factors that follow from the wallet's master blinding key, as Jade and Ledger devices choose them.

use elements::confidential::{AssetBlindingFactor, ValueBlindingFactor};

/// The blinding factors that a device with this SLIP77 master key gives output `index` of a transaction whose inputs hash to
/// `hash_prevouts`. The last blinded output's value factor is balanced instead.
///
/// We check such drafts; we do not choose factors so ourselves: two drafts over the same coins would share their factors, and the
/// difference of their commitments would tell the difference of their amounts.
pub fn device_blinders(master: &[u8; 32], hash_prevouts: &[u8; 32], index: u32) -> (AssetBlindingFactor, ValueBlindingFactor) {
    let _ = (master, hash_prevouts, index);
    todo!()
}
