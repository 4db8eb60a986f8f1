//! Data about the realm's chain: shipped with the app, or newer in the profile as `pinned.json` and `pinned.sig`. It counts only signed.

use causeway_sidechain::consensus::pinned::{PinSigners, Pinned, PinnedFault};
use causeway_vocab::{Code, Refusal};
use elements::{BlockHash, BlockHeader};
use std::path::Path;
use std::sync::Arc;

/// Who answers for pinned data.
const SIGNERS: &str = include_str!("../../../assets/pinned/signers.json");
/// What ships, each with its signatures.
const SHIPPED: [(&str, &str); 1] =
    [(include_str!("../../../assets/pinned/liquidv1.json"), include_str!("../../../assets/pinned/liquidv1.sig"))];

/// The data that counts, and why some that was found does not.
pub(crate) struct Pins {
    pub(crate) pinned: Arc<Pinned>,
    pub(crate) refused: Option<Refusal>,
}

/// Finds the data for the chain with this genesis block.
pub(crate) fn load(profile: &Path, genesis: &BlockHash) -> Pins {
    let signers: PinSigners = serde_json::from_str(SIGNERS).expect("BUG: the list of signers ships with the app");
    let shipped = SHIPPED.map(|(data, signatures)| (data.to_owned(), signatures.to_owned()));
    let read = |name: &str| std::fs::read_to_string(profile.join(name));
    let own = read("pinned.json").ok().map(|data| (data, read("pinned.sig").unwrap_or_default()));
    judge(shipped.into_iter().chain(own), &signers, genesis)
}

/// Whether the data that ships with the program pins this header as the first of an epoch.
pub(crate) fn ships_root(genesis: &BlockHash, root: &BlockHeader) -> bool {
    let signers: PinSigners = serde_json::from_str(SIGNERS).expect("BUG: the list of signers ships with the app");
    let shipped = SHIPPED.map(|(data, signatures)| (data.to_owned(), signatures.to_owned()));
    judge(shipped, &signers, genesis).pinned.root.as_ref().is_some_and(|pinned| pinned.block_hash() == root.block_hash())
}

/// The newest of several data files, and the refusal of the last that is none.
fn judge(files: impl IntoIterator<Item = (String, String)>, signers: &PinSigners, genesis: &BlockHash) -> Pins {
    let mut pins = Pins { pinned: Arc::default(), refused: None };
    for (data, signatures) in files {
        match Pinned::read(data.as_bytes(), &signatures, signers, genesis) {
            Ok(pinned) if pinned.serial > pins.pinned.serial => pins.pinned = Arc::new(pinned),
            Ok(_) | Err(PinnedFault::OtherChain) => {}
            Err(fault) => {
                tracing::error!(%fault, "pinned data is refused");
                pins.refused = Some(Refusal::new(Code::BadRealm).with("field", "pinned").with("why", fault));
            }
        }
    }
    pins
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIQUID: &str = "1466275836220db2944ca059a3a10ef6fd2ea684b0688d2c379296888a206003";

    fn pin(genesis: &str, spoil: impl Fn(String) -> String) -> Pins {
        let signers: PinSigners = serde_json::from_str(SIGNERS).expect("signers");
        let files = SHIPPED.map(|(data, signatures)| (spoil(data.to_owned()), signatures.to_owned()));
        judge(files, &signers, &genesis.parse().expect("a hash"))
    }

    #[test]
    fn what_ships_is_signed_and_denies_the_block_of_the_incident() {
        let pins = pin(LIQUID, |data| data);
        assert_eq!((pins.refused, pins.pinned.serial), (None, 1));
        let hash = |text: &str| text.parse().expect("a hash");
        let denied = hash("e1d9a2aae69e0fc3ca18f7f7f84e0615e92a5e3b5000d66c10c34043346da0d5");
        let kept = hash("aad24e4fb64ca8adf4961667da87820cd48e553957ac64e75de7cdb298b5d66b");
        assert!(pins.pinned.forbids(4_050_336, &denied).is_some());
        assert!(pins.pinned.forbids(4_050_335, &kept).is_none());
        assert!(pins.pinned.forbids(4_050_335, &denied).is_some());
        assert_eq!(pins.pinned.root.as_ref().map(|root| root.height), Some(2_963_520));
        assert!(pins.pinned.peg_in_paused.is_some() && pins.pinned.peg_out_paused.is_some());
    }

    #[test]
    fn of_another_chain_it_says_nothing_and_damaged_it_is_refused_with_its_reason() {
        let other = pin(&"00".repeat(32), |data| data);
        assert_eq!((other.refused, other.pinned.serial), (None, 0));
        let spoilt = pin(LIQUID, |data| data.replace("4050336", "4050337"));
        let refused = spoilt.refused.expect("refused");
        assert_eq!((refused.code, refused.args["why"].as_str()), (Code::BadRealm, "0 good signatures, 2 needed"));
        assert_eq!(spoilt.pinned.serial, 0);
    }
}
