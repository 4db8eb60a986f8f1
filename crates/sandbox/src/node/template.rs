//! Proposals: the next block as a functionary would have it.

use super::{Node, Rejected, now};
use causeway_sidechain::consensus::block::{BlockFault, MAX_BLOCK_SIGOPS_COST, MAX_BLOCK_WEIGHT};
use causeway_sidechain::consensus::merkle;
use elements::opcodes::all::{OP_PUSHBYTES_0, OP_RETURN};
use elements::{
    Block, BlockExtData, BlockHeader, LockTime, OutPoint, Script, Sequence, Transaction, TxIn, TxInWitness, TxMerkleNode, TxOut,
    confidential, dynafed, script,
};
use std::sync::Arc;

/// Version of every block (`VERSIONBITS_TOP_BITS` of Elements).
const BLOCK_VERSION: u32 = 0x2000_0000;
/// Room for header, signatures and coinbase, weight units.
const RESERVED_WEIGHT: usize = 40_000;

impl Node {
    /// The next block with what waits in the mempool, valid but unsigned. Fees go to `payout`; `proposed` is the vote in its header.
    ///
    /// A waiting transaction that is valid no longer (its deposit was reorganised away, its federation script expired) is dropped.
    pub(crate) async fn propose(self: &Arc<Self>, payout: &Script, proposed: dynafed::Params) -> Result<Block, Rejected> {
        loop {
            let proposal = self.template(payout, &proposed);
            match self.check_proposal(proposal.clone()).await {
                Ok(()) => return Ok(proposal),
                Err(Rejected::Block(BlockFault::Transaction { txid, fault })) if self.read().mempool.contains(&txid) => {
                    tracing::warn!(%txid, %fault, "dropped a waiting transaction");
                    self.evict(txid);
                }
                Err(other) => return Err(other),
            }
        }
    }

    fn template(&self, payout: &Script, proposed: &dynafed::Params) -> Block {
        let state = self.read();
        let tip = state.headers.tip();
        let height = tip.height + 1;
        let mut txdata = vec![coinbase(height, self.params.policy_asset, 0, payout)];
        let (mut weight, mut sigops, mut fees) = (RESERVED_WEIGHT, 0, 0_u64);
        for waiting in state.mempool.iter() {
            // A child that follows a parent without room fails validation and is asked for again in the next block.
            if weight + waiting.weight > MAX_BLOCK_WEIGHT || sigops + waiting.sigop_cost > MAX_BLOCK_SIGOPS_COST {
                break;
            }
            weight += waiting.weight;
            sigops += waiting.sigop_cost;
            fees += waiting.fee;
            txdata.push(waiting.tx.clone());
        }
        txdata[0] = coinbase(height, self.params.policy_asset, fees, payout);
        let time = u32::try_from(now()).unwrap_or(u32::MAX).max(state.headers.median_time_past() + 1);
        let ext = BlockExtData::Dynafed {
            current: state.headers.next_params(&self.params),
            proposed: proposed.clone(),
            signblock_witness: Vec::new(),
        };
        let header = BlockHeader {
            version: BLOCK_VERSION,
            prev_blockhash: tip.hash,
            merkle_root: TxMerkleNode::from_byte_array([0; 32]),
            time,
            height,
            ext,
        };
        let mut block = Block { header, txdata };
        let commitment = merkle::witness_commitment_script(&block).expect("BUG: a template has distinct transactions");
        let commitment = explicit(self.params.policy_asset, 0, commitment);
        block.txdata[0].output.push(commitment);
        block.header.merkle_root = merkle::block_root(&block).expect("BUG: a template has distinct transactions");
        block
    }
}

/// The coinbase, still without its commitment to the witnesses. Without fees its first output must be unspendable, because a coin of zero
/// is none.
fn coinbase(height: u32, policy_asset: elements::AssetId, fees: u64, payout: &Script) -> Transaction {
    let to = if fees == 0 { script::Builder::new().push_opcode(OP_RETURN).into_script() } else { payout.clone() };
    Transaction {
        version: 2,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::default(),
            is_pegin: false,
            // A script of one byte would be too short for a coinbase, so elementsd puts OP_0 behind the height.
            script_sig: script::Builder::new().push_int(height.into()).push_opcode(OP_PUSHBYTES_0).into_script(),
            sequence: Sequence::MAX,
            asset_issuance: elements::AssetIssuance::default(),
            witness: TxInWitness { script_witness: vec![vec![0; 32]].into(), ..TxInWitness::default() },
        }],
        output: vec![explicit(policy_asset, fees, to)],
    }
}

fn explicit(asset: elements::AssetId, value: u64, script_pubkey: Script) -> TxOut {
    TxOut {
        asset: confidential::Asset::Explicit(asset),
        value: confidential::Value::Explicit(value),
        nonce: confidential::Nonce::Null,
        script_pubkey,
        witness: elements::TxOutWitness::default(),
    }
}
