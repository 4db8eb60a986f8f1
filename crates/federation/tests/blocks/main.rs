//! Functionaries against networks and members that misbehave. Each run follows from its seed, which a failure prints.

mod traitor;
mod world;

use proptest::prelude::*;
use world::{Conditions, World};

fn stormy(n: u8, k: u8) -> Conditions {
    Conditions { lost: 150, doubled: 100, delay: 900, crashes: 60, partitions: 150, calm_after: 15_000, ..Conditions::calm(n, k) }
}

#[test]
fn a_quiet_federation_makes_a_block_per_interval() {
    for (n, k) in [(1, 1), (3, 2), (5, 3), (15, 11)] {
        let mut world = World::new(Conditions::calm(n, k), 1);
        assert!(world.run(8_000, 6), "{k} of {n} made {} blocks", world.finished.len());
        assert!(world.accused.is_empty());
    }
}

#[test]
fn blocks_are_made_while_as_many_are_silent_as_signatures_allow() {
    for (n, k) in [(5, 3), (5, 4), (4, 3)] {
        let mut world = World::new(Conditions { silent: n - k, ..Conditions::calm(n, k) }, 2);
        assert!(world.run(90_000, 5), "{k} of {n} made {} blocks", world.finished.len());
    }
}

#[test]
fn one_more_silent_member_stops_the_chain_without_a_fork() {
    let mut world = World::new(Conditions { silent: 3, ..Conditions::calm(5, 3) }, 3);
    assert!(!world.run(30_000, 1));
    assert!(world.finished.is_empty());
}

#[test]
fn more_precommits_than_signatures_can_be_asked_for() {
    let mut world = World::new(Conditions { precommits: 4, silent: 1, ..Conditions::calm(5, 3) }, 4);
    assert!(world.run(60_000, 5));
    let mut world = World::new(Conditions { precommits: 4, silent: 2, ..Conditions::calm(5, 3) }, 4);
    assert!(!world.run(20_000, 1));
}

#[test]
fn one_byzantine_member_too_many_can_fork_the_chain() {
    // 2Y - n = 2 of 4: the bound of the safety claim is tight, and this harness would see a fork.
    let conditions = Conditions { byzantine: 2, partitions: 500, calm_after: 20_000, ..Conditions::calm(4, 3) };
    let forked = (0..40).find(|seed| World::new(conditions.clone(), *seed).run_until_fork(20_000));
    assert!(forked.is_some());
    // One fewer, and the same attacks are tried in vain.
    let conditions = Conditions { byzantine: 1, ..conditions };
    let (mut accused, mut doubles) = (0, 0);
    for seed in 0..8 {
        let mut world = World::new(conditions.clone(), seed);
        assert!(!world.run_until_fork(20_000));
        accused += world.accused.len();
        doubles += world.doubles.len();
        assert!(world.doubles.is_subset(&world.traitors()));
    }
    assert!(accused > 0, "nobody even tried");
    assert!(doubles > 0, "a height signed twice is proven to strangers");
}

#[test]
fn a_proof_of_a_double_signature_halts_the_network_until_the_operators_have_looked_at_it() {
    let conditions = Conditions { byzantine: 1, partitions: 500, calm_after: 20_000, ..Conditions::calm(4, 3) };
    let mut stopped = 0;
    for seed in 0..8 {
        let mut world = World::new(conditions.clone(), seed);
        world.operators = false;
        world.run(30_000, u32::MAX);
        let traitor = *world.traitors().first().expect("one");
        if world.doubles.is_empty() {
            continue;
        }
        stopped += 1;
        let honest: Vec<_> = (0..4).filter(|id| *id != traitor).collect();
        assert_eq!(world.halted(), honest.iter().copied().collect(), "everybody has heard");
        let heights: Vec<_> = honest.iter().map(|id| world.height_of(*id)).collect();
        // Nor does a restart make anybody forget.
        honest.iter().for_each(|id| world.restart(*id));
        world.run(60_000, u32::MAX);
        assert_eq!(heights, honest.iter().map(|id| world.height_of(*id)).collect::<Vec<_>>(), "nothing is signed");
        world.operators = true;
        honest.iter().for_each(|id| world.restart(*id));
        let highest = heights.iter().max().expect("three") + 3;
        assert!(world.run(200_000, highest as u32), "it goes on");
        assert!(!world.has_fork());
    }
    assert!(stopped > 0, "nobody even tried");
}

#[test]
fn a_proposer_that_lost_its_block_in_a_crash_gets_it_back() {
    let mut world = World::new(Conditions { byzantine: 1, ..stormy(4, 3) }, 3_983_515_601_780_099_460);
    assert!(world.run(150_000, 3), "stuck at {} blocks", world.finished.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_chain_goes_on_after_any_trouble(seed: u64, (n, k, silent) in prop_oneof![Just((5, 3, 0)), Just((5, 3, 2)), Just((4, 3, 1)), Just((3, 2, 1))]) {
        let mut world = World::new(Conditions { silent, ..stormy(n, k) }, seed);
        prop_assert!(world.run(120_000, 4), "stuck at {} blocks", world.finished.len());
        prop_assert!(!world.has_fork());
        prop_assert!(world.accused.is_empty(), "an honest member was accused");
    }

    #[test]
    fn no_fork_with_as_many_byzantine_members_as_claimed(seed: u64, (n, k) in prop_oneof![Just((4, 3)), Just((5, 4)), Just((7, 5))]) {
        let byzantine = 2 * k - n - 1;
        let mut world = World::new(Conditions { byzantine, ..stormy(n, k) }, seed);
        // Beyond n - k of them the chain may stop, but it must not fork.
        let goes_on = world.run(if byzantine <= n - k { 150_000 } else { 25_000 }, 3);
        prop_assert!(!world.has_fork());
        prop_assert!(goes_on || byzantine > n - k, "stuck at {} blocks", world.finished.len());
        let traitors = world.traitors();
        prop_assert!(world.accused.is_subset(&traitors), "an honest member was accused");
        prop_assert!(world.doubles.is_subset(&traitors), "an honest member signed twice");
    }

    #[test]
    fn another_federation_takes_over_in_any_trouble(seed: u64, successor in prop_oneof![
        Just((vec![0, 1, 2, 3, 4, 5, 6], 4)),
        Just((vec![1, 3, 4], 2)),
        Just((vec![4, 5, 6, 0], 3)),
        Just((vec![5, 6, 7], 2)),
        Just((vec![4, 3, 2, 1, 0], 4)),
    ]) {
        let mut world = World::new(Conditions { successor: Some(successor), ..stormy(5, 3) }, seed);
        prop_assert!(world.run(120_000, 5), "stuck at {} blocks", world.finished.len());
        prop_assert!(!world.has_fork());
        prop_assert!(world.accused.is_empty() && world.doubles.is_empty(), "an honest member was accused");
    }
}
