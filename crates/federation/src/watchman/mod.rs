//! One functionary's part in the peg: what deposits it accepts, and what it pays out.
//!
//! Members take turns to propose a *batch* ([`BatchPlan`]): which coins are spent, which peg-outs paid, at which fee rate. The transaction
//! follows from that and is the same for everybody. Whoever finds every part of it right by its own view of both chains signs it;
//! k signatures on every input complete it.
//!
//! **Nothing is paid twice.** A member that signs a batch binds each of its peg-outs to an *anchor*, the first coin of the batch, on disk
//! before the signature goes out. From then on it signs a peg-out only in transactions that spend this coin, so at most one
//! of them confirms, and nothing that spends the coin without paying all peg-outs bound to it. Two sets of k signers share an honest
//! member while at most 2k - n - 1 are Byzantine, so this holds for the federation. Where members are bound to different anchors, their
//! vetoes name them, and the next proposal spends them all. A peg-out is let go of its anchor only when a final transaction has
//! spent the coin without paying it.
//!
//! **The federation changes.** Whoever was ever configured as a member signs for the coins whose scripts hold its key; members of the
//! federation whose peg is in force take turns to propose, and change goes to its script. Coins of older scripts are spent first while
//! enough of the present members hold keys of them; those that no peg-out takes are moved by *sweeps*, which pay nobody, and so are coins
//! that have lain still for three quarters of the emergency delay.
//!
//! **The sidechain is in doubt.** While the signers of its blocks are halted by a proof that one of them signed a height twice, nothing is
//! signed here either ([`Input::Halted`]).
//!
//! A batch that does not confirm is proposed again at a higher fee, spending the same coins and paying the same peg-outs. While one is under
//! way no other is begun.

mod batches;
mod chains;
mod input;
pub(crate) mod plan;
mod state;
mod sweeps;

pub use input::{Effect, Input, PegFault, PegPolicy, PeginClaim, PegoutRequest, WatchmanConfig};
pub use plan::{BatchPlan, BatchShare, BatchVeto, MAX_BATCH, fee_share, is_payment};
pub use state::{Batch, Coin, PegInForce, Pegout, WaitingClaim, WatchmanState};
pub use sweeps::FEE_PART;

use crate::functionary::{Federation, FunctionaryKeys, Member, MemberId};
use causeway_vocab::Height;
use std::collections::{BTreeSet, VecDeque};

/// The machine. Deterministic: the same inputs give the same effects.
pub struct Watchman {
    config: WatchmanConfig,
    keys: FunctionaryKeys,
    /// Everybody who ever was a member, in the order in which they became known: [`MemberId`] of peg messages is the place here.
    roster: Vec<Member>,
    /// Its place there; `None` signs nothing.
    me: Option<MemberId>,
    /// Untweaked output scripts of all federations, the newest first, with their witness scripts; whether P2SH-P2WSH.
    own_scripts: Vec<(bitcoin::ScriptBuf, bitcoin::ScriptBuf, bool)>,
    state: WatchmanState,
    /// The state changed in a way that must not be lost.
    dirty: bool,
    on_disk: u64,
    /// Batches whose signatures may go out once the state of that revision is on disk.
    due: VecDeque<(u64, bitcoin::Txid)>,
    now: u64,
    fee_rate: u64,
    /// The turn in which it proposed last.
    turn: u64,
    /// What vetoes asked for.
    wished_inputs: BTreeSet<bitcoin::OutPoint>,
    wished_pegouts: BTreeSet<elements::OutPoint>,
    insolvent: bool,
    /// Nothing is signed.
    halted: bool,
    /// Heights at the last tick, and how many ticks they have moved little.
    seen: (Height, Height),
    quiet: u32,
    /// Foreign spends that were reported.
    reported: BTreeSet<bitcoin::Txid>,
}

impl Watchman {
    /// Starts with what was last persisted, or from nothing: then every block from genesis on must be connected, on both chains.
    ///
    /// Starting without the last persisted state can make a member pay twice.
    ///
    /// # Panics
    /// When the configuration names no federation.
    pub fn new(config: WatchmanConfig, keys: FunctionaryKeys, saved: Option<WatchmanState>) -> Watchman {
        assert!(!config.federations.is_empty(), "a watchman is configured with a federation");
        let mut roster: Vec<Member> = Vec::new();
        for member in config.federations.iter().flat_map(Federation::members) {
            if !roster.contains(member) {
                roster.push(*member);
            }
        }
        let me = roster.iter().position(|member| *member == keys.member()).and_then(|place| MemberId::try_from(place).ok());
        let state = saved.unwrap_or_default();
        let scripts = |federation: &Federation| {
            let script = federation.fedpegscript();
            [false, true].map(|nested| (change_script(federation, nested), script.clone(), nested))
        };
        Watchman {
            own_scripts: config.federations.iter().rev().flat_map(scripts).collect(),
            roster,
            me,
            fee_rate: *config.policy.fee_rate.start(),
            config,
            keys,
            on_disk: state.revision,
            state,
            dirty: false,
            due: VecDeque::new(),
            now: 0,
            turn: 0,
            wished_inputs: BTreeSet::new(),
            wished_pegouts: BTreeSet::new(),
            insolvent: false,
            halted: false,
            seen: (0, 0),
            quiet: 0,
            reported: BTreeSet::new(),
        }
    }

    /// Takes one input; gives what is to be done for it, in order.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Tick { now, fee_rate } => self.tick(now, fee_rate, &mut effects),
            Input::Halted(halted) => self.halted = halted,
            Input::Message(envelope) => self.receive(*envelope, &mut effects),
            Input::Persisted { revision } => self.on_disk = self.on_disk.max(revision),
            Input::BitcoinConnected { height, block } => self.connect_bitcoin(height, &block, &mut effects),
            Input::BitcoinDisconnected { height } => self.disconnect_bitcoin(height),
            Input::SidechainConnected { tip, pegins, pegouts, peg } => {
                if self.connect_sidechain(tip, pegins, pegouts, &mut effects) {
                    self.dirty |= self.state.peg.as_ref() != Some(&peg);
                    self.state.peg = Some(peg);
                }
            }
            Input::SidechainDisconnected { height } => self.disconnect_sidechain(height, &mut effects),
        }
        if std::mem::take(&mut self.dirty) {
            self.state.revision += 1;
            effects.push(Effect::Persist(Box::new(self.state.clone())));
        }
        self.release(&mut effects);
        effects
    }

    /// What it knows: tips (the runtime connects what follows them), coins, peg-outs, batches.
    pub fn state(&self) -> &WatchmanState {
        &self.state
    }

    /// Where change goes now; `None` before the first sidechain block.
    pub fn change_script(&self) -> Option<&bitcoin::Script> {
        self.state.peg.as_ref().map(|peg| peg.program.as_script())
    }

    /// The federation whose peg is in force, if it is known.
    fn present(&self) -> Option<&Federation> {
        let script = &self.state.peg.as_ref()?.fedpegscript;
        self.config.federations.iter().rev().find(|federation| federation.fedpegscript() == *script)
    }
}

/// The untweaked peg output script of a federation: P2SH-P2WSH when `nested`, else P2WSH.
pub fn change_script(federation: &Federation, nested: bool) -> bitcoin::ScriptBuf {
    let p2wsh = federation.fedpegscript().to_p2wsh();
    if nested { p2wsh.to_p2sh() } else { p2wsh }
}
