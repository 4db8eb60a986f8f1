//! Peg-ins: deposits to the federation on the parent chain, claimed here with a proof.

use super::federation::Fedpeg;
use causeway_vocab::SidechainParams;
use elements::{Script, TxOut};

/// Longest claim script, bytes.
pub const MAX_CLAIM_SCRIPT: usize = 100;

/// The parent chain as far as we follow it.
pub trait ParentChain {
    /// Confirmations of that block on the best chain, its own included; `None` when it is not there, or when it is known to hold
    /// another number of transactions than `transactions`.
    fn confirmations(&self, block: &bitcoin::BlockHash, transactions: u32) -> Option<u32>;
}

/// Why a peg-in is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeginFault {
    /// Not six items.
    #[error("{0} witness items, six needed")]
    ItemCount(usize),
    /// Item 0 is not 8 bytes, or above the supply.
    #[error("value malformed or out of range")]
    Value,
    /// Item 1 is not the pegged asset.
    #[error("not the pegged asset")]
    Asset,
    /// Item 2 is not the genesis hash of the parent.
    #[error("another parent chain")]
    ParentGenesis,
    /// Item 3 is longer than 100 bytes.
    #[error("claim script longer than 100 bytes")]
    ClaimScript,
    /// Item 4 is not a whole transaction.
    #[error("parent transaction malformed")]
    ParentTransaction,
    /// Item 4 is not the transaction that the input names, or has no such output.
    #[error("another parent transaction than the input names")]
    WrongTransaction,
    /// The value is not that of the parent output.
    #[error("value differs from the parent output")]
    WrongValue,
    /// Item 5 is not a merkle proof, does not hash to its header's root, or matches not exactly one transaction.
    #[error("merkle proof malformed")]
    MerkleProof,
    /// The proof is of another transaction.
    #[error("merkle proof of another transaction")]
    WrongProof,
    /// The parent header has too little work, or claims less than the parent chain's floor.
    #[error("parent block without work")]
    ProofOfWork,
    /// The parent output does not pay a federation script in force, tweaked with the claim script.
    #[error("the deposit pays no federation script in force")]
    NotToFederation,
    /// The deposit is not deep enough, or not on the best parent chain.
    #[error("{got} confirmations, {need} needed")]
    Immature {
        /// Confirmations, 0 when the block is not on the best chain.
        got: u32,
        /// Needed.
        need: u32,
    },
    /// Claimed before.
    #[error("the deposit has been claimed")]
    AlreadyClaimed,
    /// The federation script cannot be tweaked.
    #[error("the federation script holds a push that is no key")]
    BadFederationScript,
}

/// The six items, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeginWitness {
    /// Value in satoshi.
    pub value: u64,
    /// Asset, as claimed.
    pub asset: elements::AssetId,
    /// Genesis hash of the parent chain, as claimed.
    pub parent_genesis: bitcoin::BlockHash,
    /// Script that the claim must satisfy: the deposit belongs to its owner.
    pub claim_script: Script,
    /// The parent transaction.
    pub parent_tx: bitcoin::Transaction,
    /// Proof that a parent block holds it.
    pub proof: bitcoin::MerkleBlock,
}

/// A deposit that has been checked except for its depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deposit {
    /// Parent block that holds it.
    pub block: bitcoin::BlockHash,
    /// Transactions in that block.
    pub transactions: u32,
    /// Position of the transaction in it; 0 is a coinbase.
    pub position: u32,
    /// Value in satoshi.
    pub value: u64,
}

impl PeginWitness {
    /// Reads the items of a peg-in witness. Total; checks form only.
    pub fn parse<I: AsRef<[u8]>>(items: &[I]) -> Result<PeginWitness, PeginFault> {
        let _ = items;
        todo!()
    }

    /// Builds the witness that claims output `vout` of `tx`, which must be in `block`. The parent transaction is stripped of its own witness.
    ///
    /// `None` when the block does not hold the transaction or the transaction has no such output.
    pub fn build(
        params: &SidechainParams,
        block: &bitcoin::Block,
        txid: &bitcoin::Txid,
        vout: u32,
        claim_script: &Script,
    ) -> Option<PeginWitness> {
        let _ = (params, block, txid, vout, claim_script);
        todo!()
    }

    /// The six items, as the input carries them.
    pub fn to_items(&self) -> Vec<Vec<u8>> {
        todo!()
    }

    /// The same in the type of the library.
    pub fn to_library(&self) -> elements::PeginWitness {
        todo!()
    }

    /// The output that the peg-in input spends for all later rules: explicit, script = claim script.
    pub fn claimed_output(&self) -> TxOut {
        todo!()
    }

    /// Verifies everything but depth and double claims, against the federation scripts in force (see
    /// [`super::header::HeaderState::fedpegs_for_next_block`]).
    pub fn verify(
        &self,
        params: &SidechainParams,
        deposit: &bitcoin::OutPoint,
        fedpegs: &[Fedpeg],
    ) -> Result<Deposit, PeginFault> {
        let _ = (params, deposit, fedpegs);
        todo!()
    }
}

impl Deposit {
    /// Checks that the deposit is deep enough: the chain's depth, and 100 for a coinbase.
    pub fn check_depth(&self, params: &SidechainParams, parent: &(impl ParentChain + ?Sized)) -> Result<(), PeginFault> {
        let _ = (params, parent);
        todo!()
    }
}

/// Tweaks every key of a federation script with the claim script.
///
/// Key P becomes P + HMAC-SHA256(P, claim script)·G. In the first Liquid watchman script (it starts with OP_DEPTH) the keys behind OP_ELSE stay.
/// Source: calculate_contract in pegins.cpp of Elements.
pub fn tweak_federation_script(fedpegscript: &[u8], claim_script: &Script) -> Result<bitcoin::ScriptBuf, PeginFault> {
    let _ = (fedpegscript, claim_script);
    todo!()
}

/// The Bitcoin output script to pay for a peg-in that `claim_script` can claim: P2WSH, or P2SH-P2WSH where the federation's program is P2SH.
pub fn deposit_script(fedpeg: &Fedpeg, claim_script: &Script) -> Result<bitcoin::ScriptBuf, PeginFault> {
    let _ = (fedpeg, claim_script);
    todo!()
}

/// The tweak of one federation key: HMAC-SHA256(key, claim script).
pub fn tweak_of(key: &[u8; 33], claim_script: &Script) -> [u8; 32] {
    let _ = (key, claim_script);
    todo!()
}

/// Satoshi that must be burnt by a transaction whose peg-ins total less than the subsidy threshold (ELIP-202).
///
/// `rate` is the parent's fee rate in satoshi per 1000 virtual bytes, `fedpegscript` its length in bytes, `threshold` the k of its k-of-n.
pub fn subsidy(pegins: u32, threshold: u32, fedpegscript: usize, rate: u64) -> Option<u64> {
    let _ = (pegins, threshold, fedpegscript, rate);
    todo!()
}
