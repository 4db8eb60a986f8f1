//! What goes into the machine and what comes out.

use super::state::SigningState;
use crate::evidence::{DoubleSign, Evidence};
use crate::functionary::{Federation, MemberId};
use crate::message::Envelope;
use bitcoin::secp256k1::PublicKey;
use causeway_vocab::{Height, Tip};
use elements::dynafed::{FullParams, Params};
use elements::{Block, BlockHash};

/// Milliseconds of a clock that does not run backwards; the same clock for all inputs of one machine.
pub type Millis = u64;

/// How fast rounds go, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// From the acceptance of one block to the proposal of the next.
    pub interval: Millis,
    /// How long round 0 may take after that.
    pub round: Millis,
    /// How much longer each further round may take.
    pub round_step: Millis,
    /// A round never takes longer than this.
    pub round_most: Millis,
    /// What others may have missed is said again after this time.
    pub resend: Millis,
}

impl Timing {
    /// Times that suit this block interval.
    pub fn of_interval(interval: Millis) -> Timing {
        Timing { interval, round: 3000, round_step: 1000, round_most: 60_000, resend: 700 }
    }
}

/// What a machine is configured with; the same for all members, `wanted` apart.
#[derive(Debug, Clone)]
pub struct BlocksignerConfig {
    /// Genesis hash: messages of another chain are foreign.
    pub genesis: BlockHash,
    /// Every federation that may come to sign; which one does is read off the parameters in force. Blocks that vote for parameters which
    /// none of these could live with get no vote here.
    pub federations: Vec<Federation>,
    /// How fast.
    pub timing: Timing,
    /// The parameters this member votes for until they are in force; not those that [`crate::dynafed::check_proposal`] refuses.
    pub wanted: Option<FullParams>,
}

/// What the runtime found when it validated a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every rule holds, signatures apart.
    Valid,
    /// A rule is broken, or not enough is known to say.
    Invalid,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// Time passes. At least every hundred milliseconds or so, and when [`super::Blocksigner::wake_at`] says.
    Tick {
        /// Now.
        now: Millis,
    },
    /// A message came in. Whether it is genuine is checked here.
    Message(Box<Envelope>),
    /// Answers [`Effect::BuildTemplate`]. Ignored when it no longer fits.
    Template(Box<Block>),
    /// Answers [`Effect::Validate`].
    Validated {
        /// The block.
        hash: BlockHash,
        /// What was found.
        verdict: Verdict,
    },
    /// Answers [`Effect::Persist`]: this revision, and with it every earlier one, is on disk.
    Persisted {
        /// [`SigningState::revision`].
        revision: u64,
    },
    /// The chain has a new tip: after [`Effect::FinishBlock`], or because the block came from elsewhere.
    BlockAccepted {
        /// The new tip.
        tip: Tip<BlockHash>,
        /// Full parameters in force for the block above it.
        params: Box<FullParams>,
    },
    /// A proof that the runtime has, from an earlier run or from elsewhere. Whether it holds is checked here.
    Proof(Box<DoubleSign>),
    /// The operator has looked at the proof against this block key: it halts this member no longer. Ignored when there is none.
    Acknowledged {
        /// One of [`super::Blocksigner::halted_by`].
        key: PublicKey,
    },
}

/// What is to be done, in this order.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Send to every other member. May be lost.
    Broadcast(Box<Envelope>),
    /// Send to one member. May be lost.
    Send {
        /// To whom.
        to: MemberId,
        /// What.
        message: Box<Envelope>,
    },
    /// Build a valid unsigned block on `prev` and answer with [`Input::Template`].
    BuildTemplate {
        /// Its height.
        height: Height,
        /// Its parent.
        prev: BlockHash,
        /// What its header is to propose.
        proposed: Params,
    },
    /// Validate all of a block but its signatures, and answer with [`Input::Validated`].
    Validate(Box<Block>),
    /// Write to disk, and only then answer with [`Input::Persisted`]. A later one replaces an earlier one.
    Persist(Box<SigningState>),
    /// A complete block, valid here: store and announce it, then say [`Input::BlockAccepted`].
    FinishBlock(Box<Block>),
    /// Enough members signed a block that is invalid here: either they signed what they must not, or witnesses, which the hash does not
    /// commit to, were spoilt on the way. Said once per height. This member never builds on it unless the runtime accepts it.
    InvalidBlockSigned(Box<Block>),
    /// Others work on this height: fetch the blocks in between.
    Behind {
        /// The height.
        height: Height,
    },
    /// A member said two things that exclude each other. Said once per member and height.
    EquivocationFound(Box<Evidence>),
    /// A member signed two blocks of one height: tell everybody, wallets too. Said once per member and height. If it signs now, this member
    /// signs nothing more until [`Input::Acknowledged`].
    DoubleSigned(Box<DoubleSign>),
    /// The parameters in force name signers that are not configured. The machine waits for parameters it knows.
    UnknownFederation,
}
