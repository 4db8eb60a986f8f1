//! What a watchman must not forget.

use super::plan::BatchPlan;
use crate::functionary::MemberId;
use crate::message::Signature;
use causeway_vocab::Height;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A Bitcoin output of the federation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coin {
    /// Satoshi.
    pub sat: u64,
    /// The untweaked peg script.
    pub fedpegscript: bitcoin::ScriptBuf,
    /// Tweaks the script; `None` for change.
    pub claim_script: Option<bitcoin::ScriptBuf>,
    /// P2SH-P2WSH rather than P2WSH.
    pub nested: bool,
    /// Bitcoin block that holds it, or `None` after a reorganisation.
    pub confirmed: Option<Height>,
    /// Sidechain block that claimed it; `None` for change.
    pub claimed: Option<Height>,
    /// Coins of the federation that the transaction spends which made it: where they go otherwise for good, this one will never be.
    #[serde(default)]
    pub parents: Vec<bitcoin::OutPoint>,
    /// Bitcoin block and transaction that spent it.
    pub spent: Option<(Height, bitcoin::Txid)>,
}

/// A peg-out that is owed or was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pegout {
    /// Where to pay.
    pub destination: bitcoin::ScriptBuf,
    /// What was burned, satoshi.
    pub sat: u64,
    /// Sidechain block that holds it; `None` after a reorganisation.
    pub requested: Option<Height>,
    /// Spent by every transaction that this member ever signs for this peg-out, so that no two of them can confirm.
    pub anchor: Option<bitcoin::OutPoint>,
    /// Bitcoin block and transaction that paid it.
    pub paid: Option<(Height, bitcoin::Txid)>,
    /// Never to be paid, as it is unauthorised, dust or not relayed.
    pub refused: bool,
}

/// A batch this member signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// What it pays and spends.
    pub plan: BatchPlan,
    /// Bitcoin height when it was signed.
    pub signed_at: Height,
    /// Bitcoin block that holds it.
    pub confirmed: Option<Height>,
    /// Signatures per member, one per input; `None` where the member has no key.
    pub shares: BTreeMap<MemberId, Vec<Option<Signature>>>,
}

/// The peg as the dynafed parameters in force have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PegInForce {
    /// Untweaked output script: P2WSH, or P2SH for P2SH-P2WSH before the first transition.
    pub program: bitcoin::ScriptBuf,
    /// Untweaked witness script.
    pub fedpegscript: bitcoin::ScriptBuf,
}

/// Everything a watchman knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct WatchmanState {
    /// Counts the states, so that the runtime can say which one is on disk.
    pub revision: u64,
    /// The peg of the last sidechain block.
    #[serde(default)]
    pub peg: Option<PegInForce>,
    /// The last Bitcoin blocks, by height.
    pub bitcoin: BTreeMap<Height, bitcoin::BlockHash>,
    /// The last sidechain blocks, by height.
    pub sidechain: BTreeMap<Height, elements::BlockHash>,
    /// The federation's Bitcoin outputs, spent ones included until that is final.
    #[serde(with = "crate::wire::pairs")]
    pub coins: BTreeMap<bitcoin::OutPoint, Coin>,
    /// Peg-outs by the sidechain output that burned.
    #[serde(with = "crate::wire::pairs")]
    pub pegouts: BTreeMap<elements::OutPoint, Pegout>,
    /// Batches this member signed, until their payment is final.
    #[serde(with = "crate::wire::pairs")]
    pub batches: BTreeMap<bitcoin::Txid, Batch>,
    /// Deposits claimed, for ever.
    pub claimed: BTreeSet<bitcoin::OutPoint>,
    /// Claims that wait for their Bitcoin block to be deep enough here.
    #[serde(with = "crate::wire::pairs")]
    pub waiting: BTreeMap<bitcoin::OutPoint, WaitingClaim>,
    /// Peg-outs whose payment is final, for ever.
    pub settled: BTreeSet<elements::OutPoint>,
    /// Confirmed transactions that spend coins of the federation and pay no peg-outs known here. Nothing is signed while there are any.
    #[serde(with = "crate::wire::pairs")]
    pub unexplained: BTreeMap<bitcoin::Txid, (Height, bitcoin::Transaction)>,
    /// Outputs that were spent by showing a script like a federation's, and are no coins known here: deposits, perhaps, whose claims are not
    /// known yet. Whoever follows the chains from the beginning sees Bitcoin first.
    #[serde(default, with = "crate::wire::pairs")]
    pub strays: BTreeMap<bitcoin::OutPoint, (Height, bitcoin::Transaction)>,
}

/// A claim that is right but for the depth of its deposit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingClaim {
    /// The deposit.
    pub coin: Coin,
    /// The Bitcoin block that is proven to hold it.
    pub block: bitcoin::BlockHash,
    /// Bitcoin height when it was claimed.
    pub since: Height,
}
