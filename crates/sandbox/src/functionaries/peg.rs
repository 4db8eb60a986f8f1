//! Runs one member's [`Watchman`]: shows it both chains block by block and carries its effects out.

use super::in_force::InForce;
use super::link::Links;
use super::persist;
use crate::error::SandboxError;
use crate::node::Node;
use bitcoin::hashes::Hash as _;
use causeway_federation::watchman::{Effect, Input, PeginClaim, PegoutRequest, Watchman, WatchmanConfig, WatchmanState};
use causeway_federation::{Envelope, FunctionaryKeys};
use causeway_sidechain::consensus::pegin::PeginWitness;
use causeway_sidechain::consensus::pegout::Pegout;
use causeway_vocab::{Height, SidechainParams, Tip};
use elements::Block;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, watch};

/// How often Bitcoin is asked for news.
const POLL: Duration = Duration::from_millis(500);
/// What payments offer, sat/vB. A chain without strangers has no market to estimate from.
pub(super) const FEE_RATE: u64 = 2;
/// Blocks shown in one go before messages are heard again.
const STRIDE: usize = 200;

/// What a member needs to guard the peg.
pub(super) struct Peg {
    pub(super) index: usize,
    pub(super) node: Arc<Node>,
    pub(super) links: Arc<Links>,
    pub(super) inbox: mpsc::Receiver<Envelope>,
    /// Where its state lies.
    pub(super) path: PathBuf,
    /// Peg-outs that it knows of and that nobody has paid yet.
    pub(super) pending: watch::Sender<u32>,
    /// Whether the block signer of this member is halted.
    pub(super) halted: watch::Receiver<bool>,
    /// Turns false when it is switched off.
    pub(super) off: watch::Receiver<bool>,
}

impl Peg {
    /// Runs until it is switched off, which happens between inputs and so never half-way through a write.
    pub(super) async fn run(mut self, config: WatchmanConfig, keys: FunctionaryKeys) -> Result<(), SandboxError> {
        let saved: Option<WatchmanState> = persist::load(&self.path)?;
        let mut machine = Watchman::new(config, keys, saved);
        let mut halts = self.halted.clone();
        halts.mark_changed();
        let mut in_force = None;
        let (mut off, mut tips) = (self.off.clone(), self.node.watch_tip());
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = super::switched_off(&mut off) => return Ok(()),
                Ok(()) = halts.changed() => {
                    let halted = *halts.borrow_and_update();
                    self.step(&mut machine, Input::Halted(halted)).await?;
                }
                _ = tips.changed() => self.follow(&mut machine, &mut in_force).await?,
                Some(envelope) = self.inbox.recv() => self.step(&mut machine, Input::Message(Box::new(envelope))).await?,
                _ = poll.tick() => {
                    self.follow(&mut machine, &mut in_force).await?;
                    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                    let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
                    self.step(&mut machine, Input::Tick { now, fee_rate: FEE_RATE }).await?;
                }
            }
            let pending = machine.state().pegouts.values().filter(|pegout| pegout.paid.is_none() && !pegout.refused).count();
            self.pending.send_replace(pending as u32);
        }
    }

    /// Shows the machine what is new on both chains, Bitcoin first: a claim is judged by the depth that its deposit has by then, so Bitcoin
    /// must be known at least as far as it was when the claim's block was validated.
    async fn follow(&self, machine: &mut Watchman, in_force: &mut Option<InForce>) -> Result<(), SandboxError> {
        let last = self.node.tip().height;
        for _ in 0..STRIDE {
            match next_of_bitcoin(&self.node, machine.state()).await {
                Ok(Some(input)) => self.step(machine, input).await?,
                Ok(None) => {
                    for _ in 0..STRIDE {
                        let Some(input) = next_of_sidechain(&self.node, machine.state(), in_force, last)? else { break };
                        self.step(machine, input).await?;
                    }
                    return Ok(());
                }
                Err(error) => {
                    // It may be restarting; the next poll goes on from the same place.
                    tracing::debug!(self.index, %error, "no news from Bitcoin");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn step(&self, machine: &mut Watchman, input: Input) -> Result<(), SandboxError> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for effect in machine.step(input) {
                match effect {
                    Effect::Broadcast(envelope) => self.links.broadcast(&envelope),
                    Effect::Persist(state) => {
                        persist::save(&self.path, &state).await?;
                        inputs.push_back(Input::Persisted { revision: state.revision });
                    }
                    Effect::BroadcastBitcoin(tx) => {
                        // Said again with every block until it is in one, so a failure now costs a block.
                        if let Err(error) = self.node.rpc().broadcast(&tx).await {
                            tracing::warn!(self.index, txid = %tx.compute_txid(), %error, "Bitcoin does not take a payment");
                        }
                    }
                    Effect::Alarm(fault) => {
                        tracing::error!(self.index, "the peg is not as it must be");
                        // Names amounts, so it is not for every log.
                        tracing::debug!(self.index, %fault, "what is wrong with the peg");
                    }
                }
            }
        }
        Ok(())
    }
}

/// What a watchman in this state knows once it has seen both chains as they are now. It only reads: nothing is sent, and nothing kept.
pub(super) async fn survey(node: &Node, mut machine: Watchman) -> Result<WatchmanState, SandboxError> {
    let (mut in_force, last) = (None, node.tip().height);
    loop {
        let input = match next_of_bitcoin(node, machine.state()).await? {
            Some(input) => input,
            None => match next_of_sidechain(node, machine.state(), &mut in_force, last)? {
                Some(input) => input,
                None => return Ok(machine.state().clone()),
            },
        };
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            inputs.extend(machine.step(input).into_iter().filter_map(|effect| match effect {
                Effect::Persist(state) => Some(Input::Persisted { revision: state.revision }),
                _ => None,
            }));
        }
    }
}

/// The next step from what the machine knows of Bitcoin to what Bitcoin is: a block is undone or connected. `None` at the tip.
async fn next_of_bitcoin(node: &Node, known: &WatchmanState) -> Result<Option<Input>, SandboxError> {
    let rpc = node.rpc();
    let best = rpc.height().await?;
    let next = match known.bitcoin.last_key_value() {
        Some((&height, &hash)) if height > best || rpc.block_hash(height).await? != hash => {
            return Ok(Some(Input::BitcoinDisconnected { height }));
        }
        Some((height, _)) => height + 1,
        None => 0,
    };
    if next > best {
        return Ok(None);
    }
    let block = Box::new(rpc.block(&rpc.block_hash(next).await?).await?);
    Ok(Some(Input::BitcoinConnected { height: next, block }))
}

/// The next sidechain block up to height `last`. A sidechain block is never undone here: the node holds one chain.
fn next_of_sidechain(
    node: &Node,
    known: &WatchmanState,
    in_force: &mut Option<InForce>,
    last: Height,
) -> Result<Option<Input>, SandboxError> {
    let height = known.sidechain.last_key_value().map_or(0, |(height, _)| height + 1);
    if height > last {
        return Ok(None);
    }
    let Some(bytes) = node.block(height)? else { return Ok(None) };
    let block: Block = elements::encode::deserialize(&bytes).expect("BUG: the node stores valid blocks");
    let before = in_force.take();
    let epoch = in_force.insert(InForce::at(node, height, before)?);
    Ok(Some(connected(node.params(), epoch, height, &block)))
}

/// What a watchman sees in a sidechain block.
fn connected(params: &SidechainParams, in_force: &InForce, height: Height, block: &Block) -> Input {
    let pegins = block.txdata.iter().flat_map(|tx| &tx.input).filter(|input| input.is_pegin).filter_map(|input| {
        let witness = PeginWitness::of_library(input.witness.pegin_witness.data()?).ok()?;
        let txid = bitcoin::Txid::from_byte_array(input.previous_output.txid.to_byte_array());
        Some(PeginClaim {
            deposit: bitcoin::OutPoint::new(txid, input.previous_output.vout),
            sat: witness.value,
            claim_script: witness.claim_script,
            parent_tx: witness.parent_tx,
            proof: witness.proof,
        })
    });
    let pegouts = block.txdata.iter().flat_map(|tx| {
        let txid = tx.txid();
        tx.output.iter().enumerate().filter_map(move |(vout, output)| {
            let (pegout, sat) = Pegout::of_output(output, &params.parent_genesis_hash, params.policy_asset)?;
            let outpoint = elements::OutPoint::new(txid, vout as u32);
            // Blocks with an unauthorised one are invalid; bitcoin is not moved on the word of those who sign blocks.
            let authorised = in_force.pak.as_ref().is_none_or(|list| pegout.check_pak(list).is_ok());
            Some(PegoutRequest { outpoint, destination: pegout.destination, sat, authorised })
        })
    });
    let tip = Tip { height, hash: block.block_hash(), time: block.header.time };
    Input::SidechainConnected { tip, pegins: pegins.collect(), pegouts: pegouts.collect(), peg: in_force.peg.clone() }
}
