//! What goes into the machine and what comes out.

use super::state::{PegInForce, WatchmanState};
use crate::functionary::Federation;
use crate::message::Envelope;
use causeway_vocab::{Height, Tip};

/// Rules of the peg; the same for all members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PegPolicy {
    /// Bitcoin confirmations of a deposit when it is claimed, its own block counted as the first.
    pub pegin_depth: u32,
    /// Sidechain confirmations of a peg-out before it is paid, its own block counted as the first.
    pub pegout_depth: u32,
    /// Nothing below this is paid out, satoshi after the fee share.
    pub dust: u64,
    /// Peg-outs in one batch.
    pub batch_size: usize,
    /// Bounds of the fee rate, sat/vB.
    pub fee_rate: std::ops::RangeInclusive<u64>,
    /// A batch that is unconfirmed after this many Bitcoin blocks is proposed again with a higher fee.
    pub bump_after: u32,
    /// After this many Bitcoin confirmations a payment is taken to stay.
    pub final_depth: u32,
    /// How long it is one member's turn to propose, milliseconds.
    pub turn: u64,
}

impl Default for PegPolicy {
    fn default() -> Self {
        PegPolicy {
            pegin_depth: 10,
            pegout_depth: 2,
            dust: 1000,
            batch_size: 50,
            fee_rate: 1..=500,
            bump_after: 6,
            final_depth: 100,
            turn: 3000,
        }
    }
}

/// What a watchman is configured with; the same for all members.
#[derive(Debug, Clone)]
pub struct WatchmanConfig {
    /// Genesis hash of the sidechain: messages of another chain are foreign.
    pub genesis: elements::BlockHash,
    /// Every federation whose peg script deposits may pay, in the order in which they became known; later ones are only ever added
    /// behind. Which one keeps the change is read off the parameters in force.
    pub federations: Vec<Federation>,
    /// Rules of the peg.
    pub policy: PegPolicy,
}

/// A peg-in as a sidechain block has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeginClaim {
    /// The claimed Bitcoin output.
    pub deposit: bitcoin::OutPoint,
    /// What was claimed, satoshi.
    pub sat: u64,
    /// Who claimed: tweaks the peg script.
    pub claim_script: elements::Script,
    /// The Bitcoin transaction, from the claim's own proof.
    pub parent_tx: bitcoin::Transaction,
    /// Its inclusion, from the claim's own proof.
    pub proof: bitcoin::MerkleBlock,
}

/// A peg-out as a sidechain block has it: an output of consensus form to this parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PegoutRequest {
    /// The sidechain output, which names the peg-out.
    pub outpoint: elements::OutPoint,
    /// Where to pay.
    pub destination: bitcoin::ScriptBuf,
    /// What was burned, satoshi.
    pub sat: u64,
    /// Whether its authorisation proof holds, or none is asked for on this chain.
    pub authorised: bool,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// Time passes.
    Tick {
        /// Unix time, milliseconds: members take turns by it.
        now: u64,
        /// This member's estimate of the fee rate, sat/vB.
        fee_rate: u64,
    },
    /// Whether this member's block signer is halted, see [`crate::Blocksigner::halted_by`]. To be said again after every start.
    Halted(bool),
    /// A message came in. Whether it is genuine is checked here.
    Message(Box<Envelope>),
    /// Answers [`Effect::Persist`]: this revision, and with it every earlier one, is on disk.
    Persisted {
        /// [`WatchmanState::revision`].
        revision: u64,
    },
    /// The next Bitcoin block. Ignored unless it is the child of the last one.
    BitcoinConnected {
        /// Its height.
        height: Height,
        /// All of it.
        block: Box<bitcoin::Block>,
    },
    /// The Bitcoin block of this height, the last one, is undone.
    BitcoinDisconnected {
        /// Its height.
        height: Height,
    },
    /// The next sidechain block.
    SidechainConnected {
        /// The block.
        tip: Tip<elements::BlockHash>,
        /// Its peg-ins.
        pegins: Vec<PeginClaim>,
        /// Its peg-outs.
        pegouts: Vec<PegoutRequest>,
        /// The peg that its parameters have in force.
        peg: PegInForce,
    },
    /// The sidechain block of this height, the last one, is undone.
    SidechainDisconnected {
        /// Its height.
        height: Height,
    },
}

/// What is to be done, in this order.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Send to everybody who ever was a member. May be lost.
    Broadcast(Box<Envelope>),
    /// Write to disk, and only then answer with [`Input::Persisted`]. A later one replaces an earlier one.
    Persist(Box<WatchmanState>),
    /// Announce this Bitcoin transaction. Said again with every Bitcoin block until it is in one.
    BroadcastBitcoin(Box<bitcoin::Transaction>),
    /// Something about the peg is not as it must be.
    Alarm(PegFault),
}

/// What is wrong with a claim or a peg-out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PegFault {
    /// The claim's proof does not prove that the deposit is in a block of the best chain.
    #[error("deposit {0} is not proven to be on the Bitcoin chain")]
    DepositUnproven(bitcoin::OutPoint),
    /// Claimed before it was deep enough.
    #[error("deposit {deposit} was claimed at depth {depth}")]
    DepositShallow {
        /// The deposit.
        deposit: bitcoin::OutPoint,
        /// Its confirmations.
        depth: u32,
    },
    /// The amount claimed is not the amount deposited.
    #[error("deposit {0} was claimed with another amount")]
    AmountMismatch(bitcoin::OutPoint),
    /// The output does not pay a federation.
    #[error("deposit {0} pays no federation script")]
    ForeignScript(bitcoin::OutPoint),
    /// Claimed once already.
    #[error("deposit {0} was claimed twice")]
    ClaimedTwice(bitcoin::OutPoint),
    /// A coin of the federation was spent by a transaction that pays no batch of ours.
    #[error("coin {0} was spent by a transaction that is no batch")]
    UnknownSpend(bitcoin::OutPoint),
    /// The destination is not authorised.
    #[error("peg-out {0} is not authorised")]
    Unauthorised(elements::OutPoint),
    /// Too small to be paid.
    #[error("peg-out {0} is dust")]
    Dust(elements::OutPoint),
    /// No form of script that Bitcoin nodes relay.
    #[error("peg-out {0} goes to a script that is not relayed")]
    NonStandard(elements::OutPoint),
    /// A peg-out was paid and then disappeared from the sidechain.
    #[error("peg-out {0} was paid and is undone")]
    PaidAndUndone(elements::OutPoint),
    /// The federation owes more than it holds.
    #[error("the federation owes {owed} sat and holds {held}")]
    Insolvent {
        /// Peg-outs to be paid, satoshi.
        owed: u64,
        /// Coins, satoshi.
        held: u64,
    },
}
