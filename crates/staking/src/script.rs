//! The locking scripts of a stake and the taproot outputs that hold them.
//!
//! Every output has an internal key that nobody knows (BIP341), so only the leaves spend it.

use crate::params::Covenant;
use bitcoin::hashes::Hash as _;
use bitcoin::opcodes::all::{OP_CHECKSIG, OP_CHECKSIGADD, OP_CHECKSIGVERIFY, OP_CSV, OP_NUMEQUAL, OP_NUMEQUALVERIFY};
use bitcoin::script::{Builder, Script, ScriptBuf};
use bitcoin::taproot::{ControlBlock, LeafVersion, TapLeafHash, TapNodeHash, TaprootBuilder, TaprootSpendInfo};
use bitcoin::{Amount, TxOut, XOnlyPublicKey};
use secp256k1::SECP256K1;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The x coordinate that BIP341 names for outputs without key path.
const NOBODY: [u8; 32] = [
    0x50, 0x92, 0x9b, 0x74, 0xc1, 0xa0, 0x49, 0x54, 0xb7, 0x8b, 0x4b, 0x60, 0x35, 0xe9, 0x7a, 0x5e, 0x07, 0x8a, 0x5a, 0x0f, 0x28,
    0xec, 0x96, 0xd5, 0x47, 0xbf, 0xee, 0x9a, 0xce, 0x80, 0x3a, 0xc0,
];

/// The internal key of every output here.
pub fn internal_key() -> XOnlyPublicKey {
    XOnlyPublicKey::from_slice(&NOBODY).expect("BUG: BIP341's point is on the curve")
}

/// Keys and locks that determine every script of one stake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The staker.
    pub staker: XOnlyPublicKey,
    /// Finality providers; the control plane takes exactly one, the scripts any number.
    pub providers: Vec<XOnlyPublicKey>,
    /// The committee.
    pub covenant: Covenant,
    /// Relative lock of the staking output, in blocks.
    pub staking_time: u16,
    /// Relative lock of the unbonding output and of what slashing leaves, in blocks.
    pub unbonding_time: u16,
}

/// Why terms make no scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTerms {
    /// A key stands in two places; who holds it would count twice.
    #[error("one key stands in two places")]
    DuplicateKey,
    /// No finality provider, or no committee.
    #[error("no finality provider or no covenant member")]
    NoKeys,
    /// The quorum is zero or larger than the committee.
    #[error("the quorum cannot be met")]
    Quorum,
    /// A lock of zero blocks locks nothing.
    #[error("a lock of zero blocks")]
    NoLock,
    /// More leaves or keys than fit; never met with real parameters.
    #[error("more keys than a script can hold")]
    TooLarge,
}

/// Most keys of one role; a leaf with more could not be spent within standard limits.
const MOST_KEYS: usize = 100;

impl Terms {
    fn check(&self) -> Result<(), BadTerms> {
        let keys = [std::slice::from_ref(&self.staker), &self.providers, &self.covenant.keys];
        let distinct: BTreeSet<_> = keys.iter().copied().flatten().map(XOnlyPublicKey::serialize).collect();
        let members = self.covenant.keys.len();
        if self.providers.is_empty() || members == 0 {
            return Err(BadTerms::NoKeys);
        }
        if self.providers.len() > MOST_KEYS || members > MOST_KEYS {
            return Err(BadTerms::TooLarge);
        }
        if distinct.len() != 1 + self.providers.len() + members {
            return Err(BadTerms::DuplicateKey);
        }
        if self.covenant.quorum == 0 || usize::try_from(self.covenant.quorum).map_or(true, |quorum| quorum > members) {
            return Err(BadTerms::Quorum);
        }
        if self.staking_time == 0 || self.unbonding_time == 0 {
            return Err(BadTerms::NoLock);
        }
        Ok(())
    }

    fn timelock(&self, blocks: u16) -> ScriptBuf {
        let builder = Builder::new().push_x_only_key(&self.staker).push_opcode(OP_CHECKSIGVERIFY);
        builder.push_int(i64::from(blocks)).push_opcode(OP_CSV).into_script()
    }

    fn unbonding(&self) -> ScriptBuf {
        let builder = Builder::new().push_x_only_key(&self.staker).push_opcode(OP_CHECKSIGVERIFY);
        threshold(builder, &self.covenant.keys, self.covenant.quorum, false).into_script()
    }

    fn slashing(&self) -> ScriptBuf {
        let builder = Builder::new().push_x_only_key(&self.staker).push_opcode(OP_CHECKSIGVERIFY);
        let builder = threshold(builder, &self.providers, 1, true);
        threshold(builder, &self.covenant.keys, self.covenant.quorum, false).into_script()
    }
}

/// `quorum` of `keys` in the order of their bytes. A single key stands alone, without a count.
fn threshold(mut builder: Builder, keys: &[XOnlyPublicKey], quorum: u32, verify: bool) -> Builder {
    if let [key] = keys {
        return builder.push_x_only_key(key).push_opcode(if verify { OP_CHECKSIGVERIFY } else { OP_CHECKSIG });
    }
    let mut sorted = keys.to_vec();
    sorted.sort_unstable_by_key(XOnlyPublicKey::serialize);
    for (index, key) in sorted.iter().enumerate() {
        builder = builder.push_x_only_key(key).push_opcode(if index == 0 { OP_CHECKSIG } else { OP_CHECKSIGADD });
    }
    builder.push_int(i64::from(quorum)).push_opcode(if verify { OP_NUMEQUALVERIFY } else { OP_NUMEQUAL })
}

/// A way to spend an output of a stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leaf {
    /// The staker alone, after the lock.
    Timelock,
    /// Staker and committee: unbonding before the term ends, or extension.
    Unbonding,
    /// Staker, one finality provider and committee: slashing.
    Slashing,
}

/// A taproot output with its leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    leaves: Vec<(Leaf, ScriptBuf)>,
    info: TaprootSpendInfo,
}

impl Tree {
    /// Leaves with their depths, in the order of a depth-first walk.
    fn new(leaves: Vec<(u8, Leaf, ScriptBuf)>) -> Tree {
        let add = |builder: TaprootBuilder, (depth, _, script): &(u8, Leaf, ScriptBuf)| builder.add_leaf(*depth, script.clone());
        let builder = leaves.iter().try_fold(TaprootBuilder::new(), add).expect("BUG: the depths make a tree");
        let info = builder.finalize(SECP256K1, internal_key()).expect("BUG: the tree is complete");
        Tree { leaves: leaves.into_iter().map(|(_, leaf, script)| (leaf, script)).collect(), info }
    }

    /// The output's script.
    pub fn script_pubkey(&self) -> ScriptBuf {
        ScriptBuf::new_p2tr_tweaked(self.info.output_key())
    }

    /// The output with a value.
    pub fn output(&self, value: Amount) -> TxOut {
        TxOut { value, script_pubkey: self.script_pubkey() }
    }

    /// The root that tweaks the internal key.
    pub fn merkle_root(&self) -> TapNodeHash {
        self.info.merkle_root().expect("BUG: every tree has a leaf")
    }

    /// The script of a leaf; `None` when this output has no such leaf.
    pub fn leaf(&self, leaf: Leaf) -> Option<&Script> {
        self.leaves.iter().find(|(name, _)| *name == leaf).map(|(_, script)| script.as_script())
    }

    /// What proves that a leaf belongs to the output.
    pub fn control_block(&self, leaf: Leaf) -> Option<ControlBlock> {
        self.info.control_block(&(self.leaf(leaf)?.to_owned(), LeafVersion::TapScript))
    }

    /// The hash that signatures for a leaf commit to.
    pub fn leaf_hash(&self, leaf: Leaf) -> Option<TapLeafHash> {
        self.leaf(leaf).map(|script| TapLeafHash::from_script(script, LeafVersion::TapScript))
    }

    /// Which leaf a script is.
    pub fn leaf_of(&self, script: &Script) -> Option<Leaf> {
        self.leaves.iter().find(|(_, own)| own.as_script() == script).map(|(leaf, _)| *leaf)
    }
}

/// The three outputs of one stake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trees {
    /// `((timelock, unbonding), slashing)`: the stake itself.
    pub staking: Tree,
    /// `(timelock, slashing)`: after leaving early.
    pub unbonding: Tree,
    /// `timelock` alone: what slashing leaves to the staker.
    pub refund: Tree,
}

impl Terms {
    /// Every output that these terms make.
    pub fn trees(&self) -> Result<Trees, BadTerms> {
        self.check()?;
        let (term, wait) = (self.timelock(self.staking_time), self.timelock(self.unbonding_time));
        let (unbonding, slashing) = (self.unbonding(), self.slashing());
        Ok(Trees {
            staking: Tree::new(vec![
                (2, Leaf::Timelock, term),
                (2, Leaf::Unbonding, unbonding),
                (1, Leaf::Slashing, slashing.clone()),
            ]),
            unbonding: Tree::new(vec![(1, Leaf::Timelock, wait.clone()), (1, Leaf::Slashing, slashing)]),
            refund: Tree::new(vec![(0, Leaf::Timelock, wait)]),
        })
    }
}

/// The 32 bytes of a leaf hash or merkle root, in the order in which they are serialized.
pub fn hash_bytes(hash: impl Into<TapNodeHash>) -> [u8; 32] {
    hash.into().to_byte_array()
}

#[cfg(test)]
mod tests;
