//! What single blocks say of the peg.

use crate::consensus::federation::{Fedpeg, initial_params};
use crate::consensus::pegin::{Peg, PeginWitness};
use crate::consensus::pegout::Pegout;
use bitcoin::ScriptBuf;
use bitcoin::hashes::Hash as _;
use causeway_vocab::{Height, SidechainParams};
use elements::confidential::Asset;
use elements::dynafed::Params;
use elements::{Block, Transaction, TxIn, TxOut};
use serde::{Deserialize, Serialize};

/// A claim of bitcoin by a sidechain transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The Bitcoin output.
    pub deposit: bitcoin::OutPoint,
    /// Satoshi made on the sidechain.
    pub sat: u64,
    /// Script of the Bitcoin output.
    pub script: ScriptBuf,
    /// The Bitcoin block that the claim proves to hold it.
    pub block: bitcoin::BlockHash,
    /// Epoch of the peg script that was paid. `None`: the claim breaks a rule, and nothing stands behind what it made.
    pub epoch: Option<Height>,
}

/// A peg-out: a promise to pay on Bitcoin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// Where to.
    pub destination: ScriptBuf,
    /// Satoshi destroyed on the sidechain.
    pub sat: u64,
}

/// What a sidechain block does to the peg.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SidechainFacts {
    /// Header time, Unix seconds.
    pub time: u32,
    /// Claims in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// Peg-outs in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requested: Vec<Requested>,
    /// Satoshi visibly destroyed without a peg-out.
    #[serde(default)]
    pub burned: u64,
    /// Satoshi made without a claim: coins of the genesis block, or a coinbase that takes more than the fees.
    #[serde(default)]
    pub created: u64,
    /// The peg script that the first block of an epoch puts in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fedpeg: Option<Fedpeg>,
}

impl SidechainFacts {
    /// Nothing in it need be kept.
    pub fn is_empty(&self) -> bool {
        *self == SidechainFacts { time: self.time, ..SidechainFacts::default() }
    }
}

/// Bitcoin that stays with the federation: an output to an untweaked peg script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The output.
    pub outpoint: bitcoin::OutPoint,
    /// Satoshi.
    pub sat: u64,
    /// Its script.
    pub script: ScriptBuf,
}

/// Bitcoin that leaves: an output of a transaction that spends coins of the federation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// The transaction.
    pub txid: bitcoin::Txid,
    /// Where to.
    pub destination: ScriptBuf,
    /// Satoshi.
    pub sat: u64,
}

/// A transaction that spends coins of the federation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// The transaction.
    pub txid: bitcoin::Txid,
    /// Those of its inputs that were coins of the federation.
    pub inputs: Vec<bitcoin::OutPoint>,
    /// What all its outputs hold, satoshi.
    pub out: u64,
}

/// What a Bitcoin block does to the coins of the federation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitcoinFacts {
    /// Header time, Unix seconds.
    pub time: u32,
    /// Transactions that spend coins of the federation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spends: Vec<Spend>,
    /// What stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// What leaves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paid: Vec<Paid>,
}

impl BitcoinFacts {
    /// Nothing in it need be kept.
    pub fn is_empty(&self) -> bool {
        *self == BitcoinFacts { time: self.time, ..BitcoinFacts::default() }
    }
}

/// Reads a block of the verified chain. `before` are the peg scripts of the epochs before its own, newest first, and of its own unless it starts
/// one.
///
/// Claims are verified but for the depth of their deposit: that its Bitcoin block is of the best chain is for the caller to see.
pub fn read_sidechain(params: &SidechainParams, block: &Block, before: &[Fedpeg]) -> SidechainFacts {
    let fedpeg = epoch_start(params, block);
    let window: Vec<&Fedpeg> = fedpeg.iter().chain(before).take(params.total_valid_epochs as usize).collect();
    let (mut fees, mut collected) = (0_u64, 0_u64);
    let mut facts = SidechainFacts { time: block.header.time, fedpeg: fedpeg.clone(), ..SidechainFacts::default() };
    for (position, tx) in block.txdata.iter().enumerate() {
        let made = position == 0;
        if !made {
            facts.claims.extend(tx.input.iter().filter_map(|input| claim(params, input, &window)));
        }
        for output in &tx.output {
            let Some(sat) = pegged(params, output) else { continue };
            if made {
                collected = collected.saturating_add(sat);
            } else if output.is_fee() {
                fees = fees.saturating_add(sat);
                continue;
            }
            match Pegout::of_output(output, &params.parent_genesis_hash, params.policy_asset) {
                Some((pegout, sat)) if !pegout.destination.is_empty() => {
                    facts.requested.push(Requested { destination: pegout.destination, sat });
                }
                _ if output.script_pubkey.is_provably_unspendable() => facts.burned = facts.burned.saturating_add(sat),
                _ => {}
            }
        }
    }
    facts.burned = facts.burned.saturating_add(fees.saturating_sub(collected));
    facts.created = collected.saturating_sub(fees);
    if block.header.height == 0 {
        // Whatever its transactions are, nobody paid for what the genesis block holds.
        let held =
            block.txdata.iter().skip(1).flat_map(|tx: &Transaction| &tx.output).filter_map(|output| pegged(params, output));
        facts.created = held.fold(facts.created, u64::saturating_add);
    }
    facts
}

/// Satoshi of an output that shows itself to hold the pegged asset.
fn pegged(params: &SidechainParams, output: &TxOut) -> Option<u64> {
    (output.asset == Asset::Explicit(params.policy_asset)).then_some(())?;
    output.value.explicit().filter(|sat| *sat > 0)
}

/// The peg script of the epoch that the block starts.
fn epoch_start(params: &SidechainParams, block: &Block) -> Option<Fedpeg> {
    let height = block.header.height;
    if !height.is_multiple_of(params.epoch_length) {
        return None;
    }
    let full = match block.header.dynafed_current() {
        Some(Params::Full(full)) => full.clone(),
        _ => initial_params(params),
    };
    Some(Fedpeg { epoch_start: height, program: full.fedpeg_program, script: full.fedpegscript.into() })
}

fn claim(params: &SidechainParams, input: &TxIn, window: &[&Fedpeg]) -> Option<Claim> {
    if !input.is_pegin {
        return None;
    }
    let txid = bitcoin::Txid::from_byte_array(input.previous_output.txid.to_byte_array());
    let deposit = bitcoin::OutPoint::new(txid, input.previous_output.vout);
    let unreadable = Claim { deposit, sat: 0, script: ScriptBuf::new(), block: bitcoin::BlockHash::all_zeros(), epoch: None };
    let Some(Ok(witness)) = input.witness.pegin_witness.data().map(PeginWitness::of_library) else { return Some(unreadable) };
    let peg = Peg::from(params);
    let paid =
        window.iter().find_map(|fedpeg| Some((fedpeg, witness.verify(&peg, &deposit, std::slice::from_ref(*fedpeg)).ok()?)));
    let Some((fedpeg, proven)) = paid else { return Some(Claim { sat: witness.value, ..unreadable }) };
    let script = witness.parent_tx.output[deposit.vout as usize].script_pubkey.clone();
    Some(Claim { deposit, sat: witness.value, script, block: proven.block, epoch: Some(fedpeg.epoch_start) })
}
