//! Runs one member's [`Blocksigner`]: carries its effects out and brings the outcomes back.

use super::clock::Clock;
use super::link::Links;
use super::persist;
use crate::error::SandboxError;
use crate::node::{Node, Rejected};
use crate::world::World;
use causeway_federation::blocksigner::{Blocksigner, BlocksignerConfig, Effect, Input, Verdict};
use causeway_federation::{DoubleSign, Envelope, FunctionaryKeys};
use elements::Script;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// The machine wants to hear of the time at least this often.
const TICK: Duration = Duration::from_millis(100);

/// What a member needs to make blocks.
pub(super) struct Signer {
    pub(super) index: usize,
    pub(super) world: Arc<World>,
    pub(super) node: Arc<Node>,
    pub(super) clock: Arc<Clock>,
    pub(super) links: Arc<Links>,
    pub(super) inbox: mpsc::Receiver<Envelope>,
    /// Where its signing state lies.
    pub(super) path: PathBuf,
    /// Where the fees of its blocks go.
    pub(super) payout: Script,
    /// Changes when the operators have looked at what halts their functionaries.
    pub(super) acknowledged: watch::Receiver<()>,
    /// Whether it is halted by a proof of a double signature.
    pub(super) halted: watch::Sender<bool>,
    /// Turns false when it is switched off.
    pub(super) off: watch::Receiver<bool>,
}

impl Signer {
    /// Runs until it is switched off, which happens between inputs and so never half-way through a write.
    pub(super) async fn run(mut self, config: BlocksignerConfig, keys: FunctionaryKeys) -> Result<(), SandboxError> {
        let (mut off, mut tips) = (self.off.clone(), self.node.watch_tip());
        let mut moved = self.clock.watch();
        let headers = self.node.headers();
        let params = headers.next_full_params(self.node.params()).as_ref().clone();
        let saved = persist::load(&self.path)?;
        let mut machine = Blocksigner::new(config, keys, headers.tip(), params, saved, self.clock.now());
        tips.mark_changed();
        let (done, mut outcomes) = mpsc::unbounded_channel();
        let mut work = JoinSet::new();
        for proof in self.node.evidence().watch().0 {
            let proof = DoubleSign::from_bytes(&proof).expect("BUG: only proofs that hold are kept");
            self.take(&mut machine, Input::Proof(Box::new(proof)), &done, &mut work).await?;
        }
        loop {
            let now = self.clock.now();
            let wait = Duration::from_millis(machine.wake_at().saturating_sub(now)).min(TICK);
            let input = tokio::select! {
                () = super::switched_off(&mut off) => return Ok(()),
                _ = tips.changed() => Some(self.accepted()),
                Some(outcome) = outcomes.recv() => Some(outcome),
                Some(envelope) = self.inbox.recv() => Some(Input::Message(Box::new(envelope))),
                _ = moved.changed() => None,
                Ok(()) = self.acknowledged.changed() => {
                    for key in machine.halted_by() {
                        self.take(&mut machine, Input::Acknowledged { key }, &done, &mut work).await?;
                    }
                    continue;
                }
                () = tokio::time::sleep(wait) => None,
                Some(_) = work.join_next() => continue,
            };
            let mut inputs = VecDeque::from_iter(input);
            if inputs.is_empty() {
                // The clock may have been put forward because there is a new block; then the machine must hear of the block first.
                let now = self.clock.now();
                if tips.has_changed().unwrap_or(false) {
                    tips.mark_unchanged();
                    inputs.push_back(self.accepted());
                }
                inputs.push_back(Input::Tick { now });
            }
            for input in inputs {
                self.take(&mut machine, input, &done, &mut work).await?;
            }
        }
    }

    /// Gives the machine an input and does what it asks for.
    async fn take(
        &self,
        machine: &mut Blocksigner,
        input: Input,
        done: &mpsc::UnboundedSender<Input>,
        work: &mut JoinSet<()>,
    ) -> Result<(), SandboxError> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for effect in machine.step(input) {
                if let Some(answer) = self.carry_out(machine, effect, done, work).await? {
                    inputs.push_back(answer);
                }
            }
        }
        let halted = !machine.halted_by().is_empty();
        self.halted.send_if_modified(|was| std::mem::replace(was, halted) != halted);
        Ok(())
    }

    fn accepted(&self) -> Input {
        let headers = self.node.headers();
        let params = Box::new(headers.next_full_params(self.node.params()).as_ref().clone());
        Input::BlockAccepted { tip: headers.tip(), params }
    }

    /// Carries an effect out. What takes long happens in `work` and comes back over `done`.
    async fn carry_out(
        &self,
        machine: &Blocksigner,
        effect: Effect,
        done: &mpsc::UnboundedSender<Input>,
        work: &mut JoinSet<()>,
    ) -> Result<Option<Input>, SandboxError> {
        let index = self.index;
        let (node, done) = (Arc::clone(&self.node), done.clone());
        match effect {
            Effect::Broadcast(envelope) => self.links.broadcast(&envelope),
            Effect::Send { to, message } => {
                if let Some(index) = machine.signers().and_then(|set| self.world.index_of(set.member(to)?)) {
                    self.links.send(index, &message);
                }
            }
            Effect::Persist(state) => {
                persist::save(&self.path, &state).await?;
                return Ok(Some(Input::Persisted { revision: state.revision }));
            }
            Effect::BuildTemplate { height, prev, proposed } => {
                let payout = self.payout.clone();
                work.spawn(async move {
                    match node.propose(&payout, proposed).await {
                        Ok(block) if block.header.prev_blockhash == prev => {
                            let _ = done.send(Input::Template(Box::new(block)));
                        }
                        Ok(_) => tracing::debug!(index, height, "the chain went on while a block was built"),
                        Err(error) => tracing::warn!(index, height, %error, "no block to propose"),
                    }
                });
            }
            Effect::Validate(block) => {
                let hash = block.block_hash();
                work.spawn(async move {
                    let verdict = match node.check_proposal(*block).await {
                        Ok(()) => Verdict::Valid,
                        // The others finished it meanwhile, and it was validated then.
                        Err(_) if node.height_of(&hash).is_some() => Verdict::Valid,
                        Err(error) => {
                            tracing::debug!(index, %hash, %error, "a proposal is refused");
                            Verdict::Invalid
                        }
                    };
                    let _ = done.send(Input::Validated { hash, verdict });
                });
            }
            Effect::FinishBlock(block) => {
                work.spawn(async move {
                    match node.connect(*block).await {
                        Ok(_) => {}
                        // Another member finished it first and the chain has gone on since.
                        Err(Rejected::Block(error)) => tracing::debug!(index, %error, "a finished block does not connect"),
                        Err(Rejected::World(error)) => tracing::error!(index, %error, "a finished block cannot be stored"),
                    }
                });
            }
            Effect::InvalidBlockSigned(block) => {
                tracing::error!(index, hash = %block.block_hash(), "the others signed an invalid block; this member stops");
            }
            Effect::Behind { height } => tracing::debug!(index, height, "the others are ahead"),
            Effect::EquivocationFound(evidence) => {
                tracing::error!(index, member = evidence.member, "a member said two things that exclude each other");
            }
            Effect::DoubleSigned(proof) => {
                tracing::error!(index, height = proof.height(), "a member signed two blocks of one height");
                self.node.evidence().add(&proof)?;
            }
            Effect::UnknownFederation => tracing::error!(index, "the parameters in force name unknown signers"),
        }
        Ok(None)
    }
}
