//! Laws of the wallet on random histories.

use super::build::{Action, Drain, Recipient};
use super::descriptor::Chain;
use super::state::{Changes, SidechainWallet};
use super::testing::{World, block_of};
use causeway_vocab::{ChainBatch, Tip};
use elements::{AssetId, BlockHash, Transaction};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// One step of a random history.
#[derive(Debug, Clone)]
enum Step {
    /// Pay ourselves a share of what we have, in per mille, and wait.
    Pay { share: u64, explicit: bool },
    /// Pay somebody else, or burn when there is too little.
    Spend { share: u64 },
    /// A block with the waiting transactions that the mask picks.
    Block { mask: u8 },
    /// Undo so many blocks, and mine as many empty ones and one more.
    Reorganise { depth: u32 },
    /// Forget what waits.
    Forget,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1..900u64, any::<bool>()).prop_map(|(share, explicit)| Step::Pay { share, explicit }),
        2 => (1..300u64).prop_map(|share| Step::Spend { share }),
        4 => any::<u8>().prop_map(|mask| Step::Block { mask }),
        2 => (1..5u32).prop_map(|depth| Step::Reorganise { depth }),
        1 => Just(Step::Forget),
    ];
    proptest::collection::vec(step, 1..14)
}

/// What a wallet should know, the slow way: every block of the chain and what waits, applied to a new wallet.
struct Model {
    /// The wallet before the first step, and its tip.
    start: SidechainWallet,
    base: Tip<BlockHash>,
    chain: Vec<(Tip<BlockHash>, elements::Block)>,
    waiting: Vec<Transaction>,
    branch: u32,
}

impl Model {
    fn height(&self) -> u32 {
        self.chain.last().map_or(self.base.height, |(tip, _)| tip.height)
    }

    fn push(&mut self, txs: Vec<Transaction>) {
        let block = block_of(self.height() + 1, self.branch, txs);
        let tip = Tip { height: block.header.height, hash: block.block_hash(), time: block.header.time };
        self.chain.push((tip, block));
    }

    fn tip(&self) -> Tip<BlockHash> {
        self.chain.last().map_or(self.base, |(tip, _)| *tip)
    }

    fn confirmed(&self, like: &SidechainWallet) -> BTreeMap<AssetId, u64> {
        let mut fresh = self.start.clone();
        fresh.absorb(&Changes { revealed: Chain::BOTH.map(|chain| like.revealed(chain)), ..Changes::default() });
        let tip = self.tip();
        let batch =
            ChainBatch { rollback_to: None, blocks: self.chain.clone(), unconfirmed: vec![], tip, scanned_to: tip.height };
        fresh.apply(&batch, &[], 0);
        fresh.balances().into_iter().map(|(asset, balance)| (asset, balance.confirmed)).collect()
    }
}

/// What an asset adds up to when nothing that waits is counted: confirmed coins, and those that waiting transactions spend.
fn confirmed_without_waiting(wallet: &SidechainWallet) -> BTreeMap<AssetId, u64> {
    let mut wallet = wallet.clone();
    let waiting: Vec<_> = wallet.history(None).take_while(|entry| entry.height.is_none()).map(|entry| entry.txid).collect();
    for txid in waiting {
        wallet.forget_unconfirmed(&txid);
    }
    wallet.balances().into_iter().map(|(asset, balance)| (asset, balance.confirmed)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_random_history_agrees_with_a_naive_model(steps in steps(), seed in any::<u64>()) {
        let mut world = World::new("w1", seed);
        let mut log = Changes::default();
        log.merge(world.history_so_far());
        let mut model = Model { start: world.wallet.clone(), base: world.wallet.tip().expect("a tip"), chain: vec![], waiting: vec![], branch: 0 };
        for step in steps {
            let have = world.wallet.balances().get(&world.policy()).map_or(0, |b| b.confirmed + b.own_pending);
            let mut learnt = Changes::default();
            match step {
                Step::Pay { share, explicit } => {
                    let (_, derived, applied) = world.wallet.reveal_next(Chain::External);
                    learnt.merge(applied.changes);
                    let address = if explicit { derived.explicit_address() } else { derived.confidential_address() };
                    let recipients = vec![Recipient { address, asset: world.policy(), amount: have * share / 1000 }];
                    let intent = world.intent(Action::Send { recipients, drain: Drain::No });
                    if let Ok((plan, _, tx)) = world.make(&intent) {
                        learnt.merge(plan.changes.clone());
                        world.wallet.absorb(&plan.changes);
                        learnt.merge(world.wallet.register_unconfirmed(&tx, &[], 1).changes);
                        model.waiting.push(tx);
                    }
                }
                Step::Spend { share } => {
                    let amount = have * share / 1000;
                    let intent = world.intent(Action::Burn { asset: world.policy(), amount });
                    if let Ok((plan, draft, tx)) = world.make(&intent) {
                        learnt.merge(plan.changes.clone());
                        world.wallet.absorb(&plan.changes);
                        learnt.merge(world.wallet.register_unconfirmed(&tx, &draft.outputs, 1).changes);
                        model.waiting.push(tx);
                    }
                }
                Step::Block { mask } => {
                    // Children cannot confirm without their parents, so the pick is a prefix.
                    let count = usize::from(mask) % (model.waiting.len() + 1);
                    let txs: Vec<_> = model.waiting.drain(..count).collect();
                    model.push(txs);
                    let tip = model.tip();
                    let blocks = model.chain[model.chain.len() - 1..].to_vec();
                    let batch = ChainBatch { rollback_to: None, blocks, unconfirmed: vec![], tip, scanned_to: tip.height };
                    learnt.merge(world.wallet.apply(&batch, &[], 2).changes);
                }
                Step::Reorganise { depth } => {
                    let keep = model.chain.len().saturating_sub(depth as usize);
                    let undone = model.chain.split_off(keep);
                    let fork = model.tip();
                    let returned: Vec<_> = undone.iter().flat_map(|(_, block)| block.txdata.clone()).collect();
                    model.waiting.splice(0..0, returned);
                    model.branch += 1;
                    for _ in 0..=undone.len() {
                        model.push(vec![]);
                    }
                    let tip = model.tip();
                    let batch = ChainBatch {
                        rollback_to: Some(fork),
                        blocks: model.chain[keep..].to_vec(),
                        unconfirmed: model.waiting.clone(),
                        tip,
                        scanned_to: tip.height,
                    };
                    learnt.merge(world.wallet.apply(&batch, &[], 3).changes);
                    let settled = world.wallet.clone();
                    world.wallet.apply(&batch, &[], 4);
                    prop_assert_eq!(&world.wallet, &settled, "applying a batch twice changes nothing");
                }
                Step::Forget => {
                    for tx in std::mem::take(&mut model.waiting) {
                        learnt.merge(world.wallet.forget_unconfirmed(&tx.txid()).changes);
                    }
                }
            }
            log.merge(learnt.clone());
            let mut twice = log.clone();
            twice.merge(learnt);
            prop_assert_eq!(&twice, &log, "merging twice changes nothing");
            let written = serde_json::to_string(&log).expect("JSON");
            let read: Changes = serde_json::from_str(&written).expect("reads back");
            prop_assert_eq!(&read, &log);
            let replayed = SidechainWallet::load(world.wallet.account().clone(), world.wallet.params(), &read);
            prop_assert_eq!(&replayed, &world.wallet, "replaying the log gives the wallet");
            prop_assert_eq!(confirmed_without_waiting(&world.wallet), model.confirmed(&world.wallet));
            let (listed, counted) = (world.wallet.history(None).count(), world.wallet.history_len());
            prop_assert_eq!(listed, counted);
        }
    }

    #[test]
    fn merging_is_associative(seed in any::<u64>(), cuts in proptest::collection::vec(0..22usize, 2)) {
        let mut world = World::empty("w1", seed);
        let batches = super::testing::wallet_batches();
        let parts: Vec<_> = batches.iter().map(|batch| world.wallet.apply(batch, &[], 0).changes).collect();
        let (first, second) = (cuts[0].min(cuts[1]).min(parts.len()), cuts[0].max(cuts[1]).min(parts.len()));
        let merged = |parts: &[Changes]| parts.iter().cloned().fold(Changes::default(), |mut sum, part| {
            sum.merge(part);
            sum
        });
        let mut left = merged(&parts[..second]);
        left.merge(merged(&parts[second..]));
        let mut right = merged(&parts[first..]);
        let mut start = merged(&parts[..first]);
        std::mem::swap(&mut start, &mut right);
        right.merge(start);
        prop_assert_eq!(left, right);
    }
}
