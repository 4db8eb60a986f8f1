//! One functionary's part in making blocks.
//!
//! Each height takes rounds, and each round has a proposer by rotation:
//!
//! 1. *propose*: the proposer puts a block to the vote, the one it is locked on if there is one;
//! 2. *prevote*: a member votes for the proposal if it is valid and the member is not locked on another block, or if the proposal
//!    proves that X members prevoted for it in a later round than that of the lock;
//! 3. *precommit*: who sees X prevotes of one round locks on the block and says so;
//! 4. *sign*: who sees X precommits of one round signs, once per height and for ever; Y signatures make the block.
//!
//! A round that takes too long is left for the next one, as soon as X members are known to be in it. These are the rules of
//! Tendermint (Buchman, Kwon, Milosevic, "The latest gossip on BFT consensus", 2018) without votes for nothing, and with a signature
//! that is given after the decision: a member that signed can never be led to another block, so a signature must not go out
//! before it is certain that all others will give theirs.
//!
//! **Safety.** An honest member signs one block per height, whatever the others do. Two sets of Y members share at least 2Y - n, so while
//! at most 2Y - n - 1 are Byzantine no two blocks of a height are ever complete. **Liveness.** While X (>= Y) members answer and their
//! messages arrive in the end, heights follow each other: rounds grow longer until they are long enough. Everything
//! that was said at the present height is said again until the height is done.
//!
//! **Crashes.** A vote goes out only after the state that binds its sender is on disk.
//!
//! **Treason.** A key of the present signers that is proven to have signed two blocks of one height halts whoever learns of it: the proof is
//! told until everybody has it, blocks that are complete are still taken, and nothing is signed any more, also after a restart. A chain that
//! stands still loses nothing; one whose signers serve two chains can lose everything. It goes on when the operators have looked at the proof
//! ([`Input::Acknowledged`]), so that the owner of the key can be voted out.

mod doubles;
mod input;
mod receive;
mod rules;
mod state;
mod votes;
mod witness;

pub use input::{BlocksignerConfig, Effect, Input, Millis, Timing, Verdict};
pub use state::{Lock, Signed, SigningState};

use crate::evidence::DoubleSign;
use crate::functionary::{Federation, FunctionaryKeys, MemberId};
use crate::message::{Certificate, Envelope, Proposal, Round, Signature, Vote};
use bitcoin::secp256k1::PublicKey;
use causeway_vocab::{Height, Tip};
use doubles::Doubles;
use elements::dynafed::FullParams;
use elements::{Block, BlockHash};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use votes::Votes;

/// Messages of rounds further ahead than this only tell where their sender is.
const ROUND_WINDOW: Round = 16;

/// Old rounds whose votes are kept.
const KEPT_ROUNDS: Round = 16;

/// The machine. Deterministic: the same inputs give the same effects.
pub struct Blocksigner {
    config: BlocksignerConfig,
    keys: FunctionaryKeys,
    tip: Tip<BlockHash>,
    params: FullParams,
    /// Who signs the next block, and which of them this is. `None`: this functionary only watches.
    seat: Option<(Federation, MemberId)>,
    state: SigningState,
    /// The last revision that is on disk.
    on_disk: u64,
    /// What may go out once the state of that revision is on disk.
    due: VecDeque<(u64, Due)>,
    /// Effects of the start, until the first input.
    first: Vec<Effect>,
    now: Millis,
    height: HeightState,
    /// The block of the tip, for those who are one behind.
    finished: Option<Box<Block>>,
    doubles: Doubles,
    /// A proof for each key that was convicted since the start.
    proofs: Vec<DoubleSign>,
}

/// What is forgotten with the height.
struct HeightState {
    started: Millis,
    round_since: Millis,
    resend_at: Millis,
    attempts: usize,
    /// A template was asked for in this round.
    building: Option<Round>,
    blocks: BTreeMap<BlockHash, Candidate>,
    proposals: BTreeMap<Round, Envelope>,
    votes: Votes,
    /// Proven prevotes of X members, by round.
    polkas: BTreeMap<Round, (BlockHash, Certificate)>,
    /// Proven precommits of X members.
    decided: Option<(BlockHash, Certificate)>,
    shares: BTreeMap<MemberId, (BlockHash, Signature)>,
    /// The complete block, once it went out.
    done: Option<Box<Block>>,
    /// A complete witness from somebody else.
    offered: Option<(BlockHash, Vec<Vec<u8>>)>,
    /// Where the others are.
    rounds: BTreeMap<MemberId, Round>,
    /// What this member said last, to be said again.
    said: BTreeMap<u8, Envelope>,
    reported: BTreeSet<MemberId>,
    alarmed: bool,
    behind: bool,
}

/// A block of the present height.
struct Candidate {
    block: Box<Block>,
    verdict: Option<Verdict>,
}

/// What goes out when the disk has what binds it. Signed only then.
enum Due {
    Proposal(Proposal),
    Prevote(Vote),
    Precommit(Vote, Certificate),
    Share(Height, BlockHash, Certificate),
}

impl Blocksigner {
    /// Starts at `tip`, with the full parameters in force above it and what was last persisted, if anything ever was.
    ///
    /// Starting without the last persisted state can make a member sign twice: see [`SigningState`].
    pub fn new(
        config: BlocksignerConfig,
        keys: FunctionaryKeys,
        tip: Tip<BlockHash>,
        params: FullParams,
        saved: Option<SigningState>,
        now: Millis,
    ) -> Blocksigner {
        let height = tip.height.saturating_add(1);
        let state = saved.unwrap_or_else(|| SigningState::new(height, 0));
        let mut machine = Blocksigner {
            seat: None,
            on_disk: state.revision,
            state,
            due: VecDeque::new(),
            first: Vec::new(),
            now,
            height: HeightState::new(now, &config.timing),
            finished: None,
            doubles: Doubles::default(),
            proofs: Vec::new(),
            config,
            keys,
            tip,
            params,
        };
        let mut effects = Vec::new();
        machine.enter_height(&mut effects);
        machine.first = effects;
        machine
    }

    /// Takes one input; gives what is to be done for it, in order.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = std::mem::take(&mut self.first);
        match input {
            Input::Tick { now } => self.now = self.now.max(now),
            Input::Message(envelope) => self.receive(*envelope, &mut effects),
            Input::Template(block) => self.take_template(block, &mut effects),
            Input::Validated { hash, verdict } => self.take_verdict(hash, verdict),
            Input::Persisted { revision } => self.on_disk = self.on_disk.max(revision),
            Input::BlockAccepted { tip, params } => self.accept(tip, *params, &mut effects),
            Input::Proof(proof) => {
                if let Some((_, me)) = self.seat {
                    self.learn(&proof, me, &mut effects);
                }
            }
            Input::Acknowledged { key } => self.acknowledge(key, &mut effects),
        }
        self.advance(&mut effects);
        effects
    }

    /// When the next [`Input::Tick`] matters, at the latest.
    pub fn wake_at(&self) -> Millis {
        let propose = self.height.started.saturating_add(self.config.timing.interval);
        let times = [propose, self.round_ends(), self.height.resend_at];
        times.into_iter().filter(|time| *time > self.now).min().unwrap_or(self.height.resend_at)
    }

    /// The height it works on.
    pub fn working_on(&self) -> (Height, Round) {
        (self.next_height(), self.state.round)
    }

    /// Who signs the next block, when this functionary is one of them.
    pub fn signers(&self) -> Option<&Federation> {
        self.seat.as_ref().map(|(federation, _)| federation)
    }

    /// Present signers that are proven to have signed a height twice, which the operator has not looked at. While there are any, nothing is
    /// signed.
    pub fn halted_by(&self) -> Vec<PublicKey> {
        let signs = |key: &PublicKey| self.seat.as_ref().is_some_and(|(set, _)| set.members().iter().any(|it| it.block == *key));
        self.state.convicted.iter().filter(|(key, seen)| !**seen && signs(key)).map(|(key, _)| *key).collect()
    }

    /// Notes on disk who signed twice.
    fn convict(&mut self, key: PublicKey, effects: &mut Vec<Effect>) {
        if let Entry::Vacant(fresh) = self.state.convicted.entry(key) {
            fresh.insert(false);
            self.persist(effects);
        }
    }

    fn acknowledge(&mut self, key: PublicKey, effects: &mut Vec<Effect>) {
        let Some(seen) = self.state.convicted.get_mut(&key).filter(|seen| !**seen) else { return };
        *seen = true;
        self.persist(effects);
        if self.seat.is_some() && self.next_height() == self.state.height && self.halted_by().is_empty() {
            // What was decided before, and not said, is said now.
            self.resume(effects);
        }
    }

    fn persist(&mut self, effects: &mut Vec<Effect>) {
        self.state.revision += 1;
        effects.push(Effect::Persist(Box::new(self.state.clone())));
    }

    fn next_height(&self) -> Height {
        self.tip.height.saturating_add(1)
    }

    fn take_seat(&mut self, effects: &mut Vec<Effect>) {
        let signers = self.config.federations.iter().find(|set| set.signblockscript() == self.params.signblockscript);
        if signers.is_none() {
            effects.push(Effect::UnknownFederation);
        }
        let me = self.keys.member();
        self.seat = signers.and_then(|set| Some((set.clone(), set.position(&me.message)?)));
        // A seat with a block key that is not ours would make shares that nobody takes.
        self.seat.take_if(|(set, me_at)| set.member(*me_at) != Some(&me));
    }

    fn accept(&mut self, tip: Tip<BlockHash>, params: FullParams, effects: &mut Vec<Effect>) {
        if tip == self.tip {
            return;
        }
        let done = self.height.done.take().filter(|block| block.block_hash() == tip.hash);
        self.doubles.advance(tip.height.saturating_add(1));
        if let (Some(block), Some((federation, _))) = (&done, &self.seat) {
            self.doubles.header(&block.header);
            for (key, signature) in witness::signatures(block, federation) {
                self.doubles.share(tip.height, key, tip.hash, signature);
            }
        }
        self.finished = done;
        (self.tip, self.params) = (tip, params);
        self.due.clear();
        self.height = HeightState::new(self.now, &self.config.timing);
        self.enter_height(effects);
    }

    /// Takes up the state of the present height, or a new one. A height below one that was worked on is only watched: what was
    /// signed there is no longer known.
    fn enter_height(&mut self, effects: &mut Vec<Effect>) {
        self.take_seat(effects);
        let height = self.next_height();
        if height < self.state.height {
            self.seat = None;
        } else if height > self.state.height {
            let convicted = std::mem::take(&mut self.state.convicted);
            self.state = SigningState { convicted, ..SigningState::new(height, self.state.revision) };
        }
        if self.seat.is_some() && height == self.state.height {
            self.resume(effects);
        }
    }

    /// Takes back what was said before a crash, to say it again.
    fn resume(&mut self, effects: &mut Vec<Effect>) {
        let height = self.state.height;
        if let Some(lock) = self.state.lock.clone() {
            let hash = lock.block.block_hash();
            effects.push(Effect::Validate(Box::new(lock.block.clone())));
            self.height.blocks.insert(hash, Candidate { block: Box::new(lock.block), verdict: None });
            self.height.polkas.insert(lock.polka.round, (hash, lock.polka));
        }
        let on_disk = self.state.revision;
        if let Some((round, hash)) = self.state.prevoted {
            self.due.push_back((on_disk, Due::Prevote(Vote { height, round, hash })));
        }
        if let Some((round, hash)) = self.state.precommitted
            && let Some((locked, polka)) = self.height.polkas.get(&round)
            && *locked == hash
        {
            self.due.push_back((on_disk, Due::Precommit(Vote { height, round, hash }, polka.clone())));
        }
        if let Some(signed) = self.state.signed.clone() {
            self.height.decided = Some((signed.hash, signed.precommits.clone()));
            self.due.push_back((on_disk, Due::Share(height, signed.hash, signed.precommits)));
        }
    }
}

impl HeightState {
    fn new(now: Millis, timing: &Timing) -> HeightState {
        HeightState {
            started: now,
            round_since: now,
            resend_at: now.saturating_add(timing.resend),
            attempts: 0,
            building: None,
            blocks: BTreeMap::new(),
            proposals: BTreeMap::new(),
            votes: Votes::default(),
            polkas: BTreeMap::new(),
            decided: None,
            shares: BTreeMap::new(),
            done: None,
            offered: None,
            rounds: BTreeMap::new(),
            said: BTreeMap::new(),
            reported: BTreeSet::new(),
            alarmed: false,
            behind: false,
        }
    }
}
