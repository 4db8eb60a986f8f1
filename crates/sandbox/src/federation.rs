//! The functionaries: tasks that agree on blocks over loopback sockets.

use crate::control::Pause;
use crate::error::SandboxError;
use crate::node::{Node, Rejected};
use crate::world::World;
use bitcoin::secp256k1::{Message, SECP256K1, SecretKey};
use causeway_vocab::Tip;
use elements::{Block, BlockExtData, BlockHash, Script};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Steers the functionaries.
pub(crate) struct Federation {
    node: Arc<Node>,
    wanted: watch::Sender<u32>,
    running: watch::Sender<Vec<bool>>,
    nudge: Notify,
}

impl Federation {
    pub(crate) fn new(node: Arc<Node>, functionaries: usize) -> Federation {
        Federation {
            node,
            wanted: watch::Sender::new(0),
            running: watch::Sender::new(vec![true; functionaries]),
            nudge: Notify::new(),
        }
    }

    /// Makes blocks now and returns when they are there.
    pub(crate) async fn make_blocks(&self, blocks: u32) -> Result<Tip<BlockHash>, SandboxError> {
        let mut tips = self.node.watch_tip();
        let target = tips.borrow().height + blocks;
        self.wanted.send_modify(|wanted| *wanted = target.max(*wanted));
        self.nudge.notify_one();
        let reached = tokio::time::timeout(Duration::from_secs(50), tips.wait_for(|tip| tip.height >= target)).await;
        match reached {
            Ok(Ok(tip)) => Ok(*tip),
            _ => Err(SandboxError::Refused("the federation makes no blocks; too few functionaries?".into())),
        }
    }

    /// Stops or starts a functionary; `false` when there is none of that index.
    pub(crate) fn switch(&self, index: u8, on: bool) -> bool {
        let mut known = false;
        self.running.send_modify(|running| {
            if let Some(one) = running.get_mut(usize::from(index)) {
                *one = on;
                known = true;
            }
        });
        known
    }

    pub(crate) fn running(&self) -> Vec<bool> {
        self.running.borrow().clone()
    }

    /// Runs until dropped.
    pub(crate) async fn run(&self, world: &World, interval: Duration, pause: watch::Receiver<Pause>) {
        let mut clock = tokio::time::interval(interval);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = clock.tick() => if pause.borrow().blocks { continue },
                () = self.nudge.notified() => {}
            }
            loop {
                if let Err(error) = self.round(world).await {
                    tracing::error!(%error, "no block");
                    break;
                }
                if self.node.tip().height >= *self.wanted.borrow() {
                    break;
                }
            }
        }
    }

    async fn round(&self, world: &World) -> Result<(), Rejected> {
        let on = self.running();
        let keys: Vec<&SecretKey> =
            world.functionaries.iter().zip(on).filter(|(_, on)| *on).map(|(keys, _)| &keys.block).collect();
        let k = usize::from(world.chain.threshold);
        if keys.len() < k {
            return Ok(());
        }
        let payout = payout(&world.functionaries[0].payout);
        let mut block = self.node.propose(&payout).await?;
        sign(&mut block, &keys[..k], &self.node.params().signblockscript);
        self.node.connect(block).await.map(drop)
    }
}

fn payout(key: &SecretKey) -> Script {
    let key = bitcoin::CompressedPublicKey(key.public_key(SECP256K1));
    Script::from(bitcoin::ScriptBuf::new_p2wpkh(&key.wpubkey_hash()).into_bytes())
}

fn sign(block: &mut Block, keys: &[&SecretKey], script: &Script) {
    let message = Message::from_digest(block.block_hash().to_byte_array());
    let mut witness = vec![Vec::new()];
    for key in keys {
        let mut signature = SECP256K1.sign_ecdsa(&message, key).serialize_der().to_vec();
        signature.push(1);
        witness.push(signature);
    }
    witness.push(script.to_bytes());
    if let BlockExtData::Dynafed { signblock_witness, .. } = &mut block.header.ext {
        *signblock_witness = witness;
    }
}
