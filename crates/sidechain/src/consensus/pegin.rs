//! Peg-ins: deposits to the federation on the parent chain, claimed here with a proof.

use super::MAX_MONEY;
use super::federation::Fedpeg;
use super::tweak::deposit_script;
use bitcoin::Network;
use bitcoin::hashes::Hash as _;
use causeway_vocab::SidechainParams;
use elements::confidential::{Asset, Nonce, Value};
use elements::{AssetId, PeginData, Script, TxOut, TxOutWitness};

/// Items of a peg-in witness.
const ITEMS: usize = 6;
/// Blocks before a coinbase output of the parent chain can be claimed.
const PARENT_COINBASE_MATURITY: u32 = 100;
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

/// What a chain says about its peg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peg {
    /// The pegged asset.
    pub asset: AssetId,
    /// Genesis hash of the parent chain. Only Bitcoin's networks are known as parents; any other makes every proof fail.
    pub parent_genesis: bitcoin::BlockHash,
    /// Confirmations a deposit needs, the block of the deposit counted as the first.
    pub depth: u32,
}

impl From<&SidechainParams> for Peg {
    fn from(params: &SidechainParams) -> Peg {
        Peg { asset: params.policy_asset, parent_genesis: params.parent_genesis_hash, depth: params.pegin_confirmation_depth }
    }
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
        let [value, asset, genesis, claim_script, tx, proof] = items else { return Err(PeginFault::ItemCount(items.len())) };
        let value = value.as_ref().try_into().map(u64::from_le_bytes).map_err(|_| PeginFault::Value)?;
        let asset = <[u8; 32]>::try_from(asset.as_ref()).map_err(|_| PeginFault::Asset)?;
        let genesis = <[u8; 32]>::try_from(genesis.as_ref()).map_err(|_| PeginFault::ParentGenesis)?;
        PeginWitness::of_parts(
            value,
            AssetId::from_byte_array(asset),
            bitcoin::BlockHash::from_byte_array(genesis),
            claim_script.as_ref(),
            tx.as_ref(),
            proof.as_ref(),
        )
    }

    /// The same from the type of the library, which has read the fixed fields already.
    pub fn of_library(data: &PeginData) -> Result<PeginWitness, PeginFault> {
        let PeginData { value, asset_id, genesis_hash, claim_script, transaction, merkle_proof, .. } = data;
        PeginWitness::of_parts(*value, *asset_id, *genesis_hash, claim_script.as_bytes(), transaction, merkle_proof)
    }

    fn of_parts(
        value: u64,
        asset: AssetId,
        parent_genesis: bitcoin::BlockHash,
        claim_script: &[u8],
        tx: &[u8],
        proof: &[u8],
    ) -> Result<PeginWitness, PeginFault> {
        if value > MAX_MONEY {
            return Err(PeginFault::Value);
        }
        if claim_script.len() > MAX_CLAIM_SCRIPT {
            return Err(PeginFault::ClaimScript);
        }
        Ok(PeginWitness {
            value,
            asset,
            parent_genesis,
            claim_script: Script::from(claim_script.to_vec()),
            parent_tx: bitcoin::consensus::deserialize(tx).map_err(|_| PeginFault::ParentTransaction)?,
            proof: bitcoin::consensus::deserialize(proof).map_err(|_| PeginFault::MerkleProof)?,
        })
    }

    /// Builds the witness that claims output `vout` of the transaction `txid` in `block`. The parent transaction is stripped of its own
    /// witness.
    ///
    /// `None` when the block does not hold the transaction or the transaction has no such output.
    pub fn build(
        peg: &Peg,
        block: &bitcoin::Block,
        txid: &bitcoin::Txid,
        vout: u32,
        claim_script: &Script,
    ) -> Option<PeginWitness> {
        let parent_tx = strip(block.txdata.iter().find(|tx| tx.compute_txid() == *txid)?);
        let proof = bitcoin::MerkleBlock::from_block_with_predicate(block, |id| id == txid);
        // Written and read once, so that the padding of its bits is that of a proof that was read.
        let proof = bitcoin::consensus::deserialize(&bitcoin::consensus::serialize(&proof)).ok()?;
        Some(PeginWitness {
            value: parent_tx.output.get(vout as usize)?.value.to_sat(),
            asset: peg.asset,
            parent_genesis: peg.parent_genesis,
            claim_script: claim_script.clone(),
            parent_tx,
            proof,
        })
    }

    /// The six items, as the input carries them.
    pub fn to_items(&self) -> [Vec<u8>; ITEMS] {
        [
            self.value.to_le_bytes().to_vec(),
            self.asset.to_byte_array().to_vec(),
            self.parent_genesis.to_byte_array().to_vec(),
            self.claim_script.to_bytes(),
            bitcoin::consensus::serialize(&self.parent_tx),
            bitcoin::consensus::serialize(&self.proof),
        ]
    }

    /// The same in the type of the library, for the witness of an input.
    pub fn to_library(&self) -> elements::PeginWitness {
        let [.., transaction, merkle_proof] = self.to_items();
        elements::PeginWitness::new(PeginData {
            value: self.value,
            asset_id: self.asset,
            genesis_hash: self.parent_genesis,
            claim_script: bitcoin::ScriptBuf::from_bytes(self.claim_script.to_bytes()),
            transaction,
            merkle_proof,
            referenced_block: self.proof.header.block_hash(),
        })
    }

    /// The output that the peg-in input spends for all later rules: explicit, script = claim script.
    pub fn claimed_output(&self) -> TxOut {
        TxOut {
            asset: Asset::Explicit(self.asset),
            value: Value::Explicit(self.value),
            nonce: Nonce::Null,
            script_pubkey: self.claim_script.clone(),
            witness: TxOutWitness::default(),
        }
    }

    /// Verifies everything but depth and double claims, against the federation scripts in force (see
    /// [`super::header::HeaderState::fedpegs_for_next_block`]).
    ///
    /// Stricter than elementsd in one thing: a peg program of an unknown witness version lets nothing through, instead of everything.
    pub fn verify(&self, peg: &Peg, deposit: &bitcoin::OutPoint, fedpegs: &[Fedpeg]) -> Result<Deposit, PeginFault> {
        if self.parent_genesis != peg.parent_genesis {
            return Err(PeginFault::ParentGenesis);
        }
        if self.asset != peg.asset {
            return Err(PeginFault::Asset);
        }
        if self.parent_tx.compute_txid() != deposit.txid {
            return Err(PeginFault::WrongTransaction);
        }
        let output = self.parent_tx.output.get(deposit.vout as usize).ok_or(PeginFault::WrongTransaction)?;
        if output.value.to_sat() != self.value {
            return Err(PeginFault::WrongValue);
        }
        let (mut matched, mut positions) = (Vec::new(), Vec::new());
        self.proof.extract_matches(&mut matched, &mut positions).map_err(|_| PeginFault::MerkleProof)?;
        let ([txid], [position]) = (matched.as_slice(), positions.as_slice()) else { return Err(PeginFault::MerkleProof) };
        if *txid != deposit.txid {
            return Err(PeginFault::WrongProof);
        }
        if !has_work(&self.proof.header, &peg.parent_genesis) {
            return Err(PeginFault::ProofOfWork);
        }
        let pays = |fedpeg| deposit_script(fedpeg, &self.claim_script).is_ok_and(|script| script == output.script_pubkey);
        if !fedpegs.iter().any(pays) {
            return Err(PeginFault::NotToFederation);
        }
        Ok(Deposit {
            block: self.proof.header.block_hash(),
            transactions: self.proof.txn.num_transactions(),
            position: *position,
            value: self.value,
        })
    }
}

impl Deposit {
    /// Checks that the deposit is deep enough: the chain's depth, and 100 for a coinbase.
    pub fn check_depth(&self, peg: &Peg, parent: &(impl ParentChain + ?Sized)) -> Result<(), PeginFault> {
        let need = if self.position == 0 { peg.depth.max(PARENT_COINBASE_MATURITY) } else { peg.depth };
        match parent.confirmations(&self.block, self.transactions).unwrap_or(0) {
            got if got < need => Err(PeginFault::Immature { got, need }),
            _ => Ok(()),
        }
    }
}

/// The transaction without the witnesses of its inputs; the txid stays.
fn strip(tx: &bitcoin::Transaction) -> bitcoin::Transaction {
    let mut tx = tx.clone();
    for input in &mut tx.input {
        input.witness.clear();
    }
    tx
}

/// Whether the header's hash meets its own target, and the target the parent network's limit.
fn has_work(header: &bitcoin::block::Header, parent_genesis: &bitcoin::BlockHash) -> bool {
    let networks = [Network::Bitcoin, Network::Testnet, Network::Testnet4, Network::Signet, Network::Regtest];
    let is_parent = |network: &Network| bitcoin::constants::genesis_block(network).block_hash() == *parent_genesis;
    let Some(parent) = networks.into_iter().find(is_parent) else { return false };
    let target = header.target();
    // The way back rules out encodings that overflow or stand for a negative number.
    target.to_compact_lossy() == header.bits
        && target <= bitcoin::consensus::Params::new(parent).max_attainable_target
        && header.validate_pow(target).is_ok()
}

#[cfg(test)]
#[path = "pegin_tests.rs"]
mod tests;
