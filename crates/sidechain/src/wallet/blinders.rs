//! Blinding factors that follow from the wallet's master blinding key, as Jade and Ledger devices choose them.

use bitcoin::hashes::{Hash as _, HashEngine as _, Hmac, HmacEngine, sha256};
use elements::confidential::{AssetBlindingFactor, ValueBlindingFactor};

/// The blinding factors that a device with this SLIP77 master key gives output `index` of a transaction whose inputs hash to
/// `hash_prevouts` (BIP143). The last blinded output's value factor is balanced instead. `None` with the probability of a hash above the
/// curve order, which nobody has seen.
///
/// We check such drafts; we do not choose factors so ourselves: two drafts over the same coins would share their factors, and the
/// difference of their commitments would tell the difference of their amounts.
pub fn device_blinders(
    master: &[u8; 32],
    hash_prevouts: &[u8; 32],
    index: u32,
) -> Option<(AssetBlindingFactor, ValueBlindingFactor)> {
    let key = hmac(master, &[hash_prevouts]);
    let factor = |label: &[u8]| hmac(&key, &[label, &index.to_be_bytes()]);
    let asset_bf = AssetBlindingFactor::from_byte_array(factor(b"ABF")).ok()?;
    let value_bf = ValueBlindingFactor::from_slice(&factor(b"VBF")).ok()?;
    Some((asset_bf, value_bf))
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key);
    parts.iter().for_each(|part| engine.input(part));
    Hmac::from_engine(engine).to_byte_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::testing::{hex, vectors};

    #[test]
    fn factors_are_those_that_devices_choose() {
        for case in vectors("deterministic_blinders.json") {
            let array = |name: &str| <[u8; 32]>::try_from(hex(&case[name])).expect("32 bytes");
            for output in case["outputs"].as_array().expect("outputs") {
                let index = output["index"].as_u64().expect("an index") as u32;
                let (abf, vbf) =
                    device_blinders(&array("master_blinding_key"), &array("hash_prevouts"), index).expect("in range");
                assert_eq!(abf.into_inner().as_ref()[..], hex(&output["abf"]));
                assert_eq!(vbf.into_inner().as_ref()[..], hex(&output["vbf"]));
            }
        }
    }
}
