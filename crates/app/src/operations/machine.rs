//! What all operations share: what the world tells them, and what they ask of it.

use bitcoin::hex::{DisplayHex as _, FromHex as _};
use causeway_contract::{DraftKind, StepName};
use causeway_journal::Machine;
use causeway_vocab::{Height, NetworkId, Refusal};
use serde::{Deserialize, Serialize};

/// Confirmations, the block itself included, after which a payment counts as final.
pub(crate) fn final_depth(network: NetworkId) -> u32 {
    match network {
        NetworkId::Bitcoin => 6,
        // Signed blocks are undone by no honest federation; two is what its own watchmen wait for.
        NetworkId::Sidechain => 2,
    }
}

/// A finished transaction, kept in the journal so that the very same bytes are sent again after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finished {
    pub(crate) network: NetworkId,
    pub(crate) txid: String,
    /// Consensus encoding, hex.
    pub(crate) raw: String,
}

impl Finished {
    pub(crate) fn bitcoin(tx: &bitcoin::Transaction) -> Finished {
        let raw = bitcoin::consensus::serialize(tx).to_lower_hex_string();
        Finished { network: NetworkId::Bitcoin, txid: tx.compute_txid().to_string(), raw }
    }

    pub(crate) fn sidechain(tx: &elements::Transaction) -> Finished {
        let raw = elements::encode::serialize(tx).to_lower_hex_string();
        Finished { network: NetworkId::Sidechain, txid: tx.txid().to_string(), raw }
    }

    pub(crate) fn read_bitcoin(&self) -> Option<bitcoin::Transaction> {
        bitcoin::consensus::deserialize(&Vec::<u8>::from_hex(&self.raw).ok()?).ok()
    }

    pub(crate) fn read_sidechain(&self) -> Option<elements::Transaction> {
        elements::encode::deserialize(&Vec::<u8>::from_hex(&self.raw).ok()?).ok()
    }
}

/// Whether another transaction spends a coin that this one spends.
fn conflicts<O: PartialEq>(own: impl Iterator<Item = O> + Clone, others: impl Iterator<Item = O>) -> bool {
    let mut others = others;
    others.any(|spent| own.clone().any(|own| own == spent))
}

impl Finished {
    /// What a Bitcoin transaction in a block means to this one: it is in the block, or it never will be.
    pub(crate) fn on_bitcoin(&self, tx: &bitcoin::Transaction, at: At) -> Option<Input> {
        let txid = tx.compute_txid().to_string();
        if txid == self.txid {
            return Some(Input::InBlock { txid, at });
        }
        let own = self.read_bitcoin()?;
        let spent = |tx: &bitcoin::Transaction| tx.input.iter().map(|input| input.previous_output).collect::<Vec<_>>();
        conflicts(spent(&own).iter(), spent(tx).iter()).then_some(Input::Conflicted { time: at.time })
    }

    /// The same on the sidechain.
    pub(crate) fn on_sidechain(&self, tx: &elements::Transaction, at: At) -> Option<Input> {
        let txid = tx.txid().to_string();
        if txid == self.txid {
            return Some(Input::InBlock { txid, at });
        }
        let own = self.read_sidechain()?;
        let spent = |tx: &elements::Transaction| tx.input.iter().map(|input| input.previous_output).collect::<Vec<_>>();
        conflicts(spent(&own).iter(), spent(tx).iter()).then_some(Input::Conflicted { time: at.time })
    }
}

/// A block in which something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct At {
    /// Its height.
    pub(crate) height: Height,
    /// Its time, Unix seconds.
    pub(crate) time: u32,
}

/// A payment to the federation that waits to be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deposit {
    pub(crate) outpoint: bitcoin::OutPoint,
    /// Satoshi.
    pub(crate) value: u64,
    /// Its block.
    pub(crate) block: bitcoin::BlockHash,
    pub(crate) at: At,
}

/// What the world tells an operation. Only what changes its state is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Input {
    /// Peers hold the transaction.
    Sent { txid: String, time: u32 },
    /// The transaction is in a block.
    InBlock { txid: String, at: At },
    /// Blocks above this height were undone.
    Undone { network: NetworkId, above: Height },
    /// A deposit to this operation's address is in a block.
    Deposited(Deposit),
    /// The deposit is as deep as the federation asks.
    Deep { time: u32 },
    /// The next transaction of a distribution was built and signed.
    Paid { tx: Finished, spends: Vec<elements::OutPoint>, fee: u64 },
    /// The claim was built and signed.
    Claimed { claim: Finished, arrives: u64, time: u32 },
    /// A transaction on Bitcoin pays what was burned.
    PaidOut { outpoint: bitcoin::OutPoint, value: u64, at: At },
    /// Deep enough to be final.
    Final { time: u32 },
    /// A block holds another spend of the same coins.
    Conflicted { time: u32 },
    /// The user signed another transaction in its place.
    Replaced { time: u32 },
    /// The user wants the claim to wait.
    Held,
    /// The user wants it to go on.
    Resumed,
    /// The federation script that the deposit pays can no longer be claimed.
    Expired { time: u32 },
    /// The control plane knows the stake.
    Registered { time: u32 },
    /// The committee's signatures were verified.
    Cosigned { covenant: Box<causeway_staking::CovenantSignatures>, time: u32 },
    /// The staking transaction is in a block.
    Staked { at: At, block: bitcoin::BlockHash },
    /// The control plane counts the stake.
    Activated { time: u32 },
    /// A block holds a spend of an output of the stake.
    Spent(super::stake::Spent),
    /// The user signed to leave the stake early.
    Leaving { tx: Finished },
    /// The user signed to take coins of the stake back.
    Withdrawing { tx: Finished },
}

/// What an operation asks of the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Hand the transaction to peers; ask again until they take it or it is in a block. Answered by [`Input::Sent`].
    Send(Finished),
    /// Fetch the deposit's block, build, check and sign the claim. Answered by [`Input::Claimed`]. Needs the keys.
    Claim,
    /// Build, check and sign the next transaction of a distribution. Answered by [`Input::Paid`]. Needs the keys.
    Pay,
    /// Register the stake with the control plane. Answered by [`Input::Registered`]. Needs the keys.
    Register,
    /// Fetch and verify the committee's signatures. Answered by [`Input::Cosigned`].
    Cosign,
    /// Show the control plane that the stake is in a block. Answered by [`Input::Activated`]. Needs the keys.
    Prove,
}

/// A step of the timeline that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) time: u32,
    pub(crate) height: Option<Height>,
}

/// The best blocks of both chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heights {
    pub(crate) bitcoin: Height,
    pub(crate) sidechain: Height,
}

impl Heights {
    pub(crate) fn of(&self, network: NetworkId) -> Height {
        match network {
            NetworkId::Bitcoin => self.bitcoin,
            NetworkId::Sidechain => self.sidechain,
        }
    }

    /// Confirmations of a block at that height, itself included.
    pub(crate) fn depth(&self, network: NetworkId, height: Height) -> u32 {
        (self.of(network) + 1).saturating_sub(height)
    }
}

/// A kind of operation: a journalled machine that also knows what concerns it and how it looks.
pub(crate) trait Operation: Machine<Input = Input, Effect = Effect> {
    /// What this Bitcoin transaction, in that block, means to it. `federation` are the scripts to which the federation keeps its change.
    fn on_bitcoin(
        state: &Self::State,
        tx: &bitcoin::Transaction,
        block: bitcoin::BlockHash,
        at: At,
        federation: &[bitcoin::ScriptBuf],
    ) -> Option<Input>;

    /// What this sidechain transaction, in that block, means to it.
    fn on_sidechain(state: &Self::State, tx: &elements::Transaction, at: At) -> Option<Input>;

    /// What the new heights mean to it. Asked until there is nothing more.
    fn on_heights(state: &Self::State, heights: Heights, now: u32) -> Option<Input>;

    /// Its timeline.
    fn timeline(state: &Self::State, heights: Heights) -> Timeline;

    /// Whether a block holds this transaction of its own, so that nobody needs to be told of it any more.
    fn in_block(state: &Self::State, txid: &str) -> bool;

    /// Bitcoin scripts that it waits to see paid.
    fn scripts(_: &Self::State) -> Vec<bitcoin::ScriptBuf> {
        Vec::new()
    }

    /// Transactions of this operation with the part each plays.
    fn transactions(state: &Self::State) -> Vec<(NetworkId, String, &'static str)>;
}

/// What the timeline of an operation is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    pub(crate) kind: Option<DraftKind>,
    /// Steps in order with when they were passed.
    pub(crate) steps: Vec<(StepName, Option<Passed>)>,
    pub(crate) no_return: Option<u32>,
    pub(crate) done: u32,
    pub(crate) of: u32,
    pub(crate) counts: Option<NetworkId>,
    /// Blocks left until the end, by network.
    pub(crate) left: Vec<(NetworkId, u32)>,
    pub(crate) amount: Option<(String, u64)>,
    pub(crate) valid_until: Option<Height>,
    pub(crate) address: String,
    /// The address is to be paid by somebody.
    pub(crate) payable: bool,
    pub(crate) bitcoin_txid: Option<String>,
    pub(crate) sidechain_txid: Option<String>,
    pub(crate) arrives: Option<u64>,
    pub(crate) held: bool,
    pub(crate) can_hold: bool,
    pub(crate) why: Option<Refusal>,
}
