//! Watchmen that crash, hear little and see Bitcoin change its mind. Each run follows from its seed, which a failure prints.

mod world;

use proptest::prelude::*;
use world::{World, set, with_emergency};

const HELD: u64 = 50_000_000;

fn funded(n: u8, k: u8, nested: bool, seed: u64) -> World {
    fill(World::new(n, k, nested, seed))
}

fn fill(mut world: World) -> World {
    for claim in 1..=5 {
        world.peg_in(HELD / 5, claim);
    }
    for _ in 0..4 {
        world.pass();
    }
    world
}

fn mine_until_paid(world: &mut World, wanted: usize) -> bool {
    mine_for(600, world, wanted)
}

/// Whether so many peg-outs are paid within so many quarters of a second.
fn mine_for(steps: u32, world: &mut World, wanted: usize) -> bool {
    for step in 0..steps {
        world.pass();
        if step % 8 == 7 {
            world.mine(true);
            world.block(Vec::new(), Vec::new());
        }
        if world.paid().len() == wanted {
            return true;
        }
    }
    false
}

/// Lets time pass and blocks come while `goes_on`, but not for ever.
fn mine_while(world: &mut World, goes_on: impl Fn(&World) -> bool) {
    for step in 0..800 {
        if step % 8 == 7 {
            if !goes_on(world) {
                break;
            }
            world.mine(true);
            world.block(Vec::new(), Vec::new());
        }
        world.pass();
    }
    world.paid();
}

#[test]
fn peg_outs_are_paid_in_one_batch_and_the_fee_is_theirs() {
    for (n, k, nested) in [(1, 1, false), (5, 3, true), (5, 3, false)] {
        let mut world = funded(n, k, nested, 5);
        for sat in [100_000, 2_000_000, 30_000_000] {
            world.peg_out(sat, true);
        }
        // Two sidechain confirmations are needed.
        world.block(Vec::new(), Vec::new());
        assert!(mine_until_paid(&mut world, 3), "{k} of {n}: {} paid", world.paid().len());
        assert_eq!(world.held(), HELD - 32_100_000);
        assert!(world.alarms.is_empty(), "{:?}", world.alarms);
    }
}

#[test]
fn unauthorised_and_tiny_peg_outs_are_never_paid() {
    let mut world = funded(5, 3, true, 6);
    world.peg_out(500_000, false);
    world.peg_out(999, true);
    let good = world.peg_out(500_000, true);
    assert!(mine_until_paid(&mut world, 1));
    assert!(!mine_until_paid(&mut world, 2));
    assert_eq!(world.paid(), [good].into());
    assert_eq!(world.alarms, ["dust".to_owned(), "unauthorised".to_owned()].into());
}

#[test]
fn a_claim_that_does_not_fit_its_deposit_is_reported_and_adds_no_coin() {
    let mut world = World::new(3, 2, false, 7);
    let claim = world.deposit(1_000_000, 1);
    let mut more = claim.clone();
    more.sat += 1;
    let mut foreign = claim.clone();
    foreign.claim_script = elements::Script::from(vec![0x51]);
    let mut unproven = claim.clone();
    unproven.proof.header.merkle_root = unproven.proof.header.prev_blockhash.to_raw_hash().into();
    world.block(vec![more, foreign, unproven], Vec::new());
    world.pass();
    world.pass();
    assert_eq!(world.alarms.len(), 3, "{:?}", world.alarms);
    for node in &world.nodes {
        assert!(node.machine.as_ref().is_some_and(|machine| machine.state().coins.is_empty()));
    }
    world.block(vec![claim.clone(), claim], Vec::new());
    world.pass();
    assert!(world.alarms.iter().any(|alarm| alarm.ends_with("claimed twice")));
    assert!(world.nodes.iter().all(|node| node.machine.as_ref().is_some_and(|machine| machine.state().coins.len() == 1)));
}

#[test]
fn a_batch_that_does_not_confirm_is_replaced_at_a_higher_fee() {
    let mut world = funded(5, 3, true, 8);
    world.peg_out(1_000_000, true);
    world.block(Vec::new(), Vec::new());
    for _ in 0..60 {
        world.pass();
    }
    assert_eq!(world.announced.len(), 1);
    // Blocks without it: they hold only what was there before.
    for _ in 0..4 {
        world.mine_empty();
    }
    for _ in 0..60 {
        world.pass();
    }
    assert!(world.announced.len() > 1);
    let pays = |tx: &bitcoin::Transaction| tx.output[0].value;
    let values: std::collections::BTreeSet<_> = world.announced.values().map(pays).collect();
    assert_eq!(values.len(), world.announced.len(), "each pays more fee");
    assert!(mine_until_paid(&mut world, 1));
}

/// Blocks, reorganisations, fees that move, and a peg-out every few steps; then the trouble ends. Gives what is owed, satoshi.
fn storm(world: &mut World, seed: u64, every: u64) -> u64 {
    let mut owed = 0;
    for step in 0..160_u64 {
        if step < 100 && step % every == 0 {
            let sat = 50_000 + (seed ^ step) % 900_000;
            world.peg_out(sat, true);
            owed += sat;
        }
        if step % 4 == 0 {
            world.block(Vec::new(), Vec::new());
        }
        weather(world, seed, step, 7);
    }
    (world.lost, world.crashes) = (0, 0);
    owed
}

/// One step of everybody, at one of so many fee rates, and what Bitcoin does after it.
fn weather(world: &mut World, seed: u64, step: u64, rates: u64) {
    world.fee_rate = 1 + (seed >> (step % 40)) % rates;
    world.pass();
    match step % 10 {
        9 if step % 40 == 39 => world.reorganise(1 + (seed % 3) as usize),
        4 | 9 => world.mine(false),
        _ => {}
    }
    world.paid();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_paid_twice_and_all_is_paid_in_the_end(seed: u64, nested: bool) {
        let mut world = funded(5, 3, nested, seed);
        (world.lost, world.crashes) = (250, 25);
        let owed = storm(&mut world, seed, 9);
        let wanted = world.requested.len();
        prop_assert!(mine_until_paid(&mut world, wanted), "{} of {wanted} paid", world.paid().len());
        prop_assert_eq!(world.held(), HELD - owed);
        prop_assert!(world.restarts > 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_many_members_as_claimed_may_forget_what_they_signed_and_nothing_is_paid_twice(seed: u64, (n, k) in prop_oneof![Just((4, 3)), Just((5, 4))]) {
        let mut world = funded(n, k, false, seed);
        // 2k - n - 1 of them break their bindings; `World::announce` looks for two payments that could both confirm.
        world.forgetful = (0..usize::from(2 * k - n - 1)).map(|at| (at + seed as usize % 7) % usize::from(n)).collect();
        (world.lost, world.crashes) = (200, 40);
        storm(&mut world, seed, 12);
        let wanted = world.requested.len();
        prop_assert!(mine_until_paid(&mut world, wanted), "{} of {wanted} paid", world.paid().len());
        prop_assert!(world.restarts > 0);
    }
}

/// Who may follow a federation of 0 to 4, three of whom sign.
fn successor() -> impl Strategy<Value = (Vec<u8>, u8)> {
    prop_oneof![
        // added, removed, replaced, all at once, and another threshold alone
        Just((vec![0, 1, 2, 3, 4, 5, 6], 4)),
        Just((vec![1, 3, 4], 2)),
        Just((vec![0, 1, 2, 5, 6], 3)),
        Just((vec![2, 3, 4, 5, 6, 7], 4)),
        Just((vec![4, 3, 2, 1, 0], 4)),
    ]
}

/// Pegs while another federation takes over, in trouble; then the trouble ends.
fn change_of_federation(seed: u64, nested: bool, members: &[u8], k: u8, crashes: u32) -> Result<(), TestCaseError> {
    let mut world = funded(5, 3, nested, seed);
    (world.lost, world.crashes) = (200, crashes);
    // On their way: a deposit that is claimed only under the new federation, and peg-outs before, during and after the change.
    let late = world.deposit(3_000_000, 77);
    let (mut owed, mut late) = (0, Some(late));
    for step in 0..150_u64 {
        if step % 12 == 0 && step < 110 {
            let sat = 50_000 + (seed ^ step) % 900_000;
            world.peg_out(sat, true);
            owed += sat;
        }
        match step {
            30 => world.introduce(set(members, k)),
            60 => world.enforce(),
            90 => world.block(late.take().into_iter().collect(), Vec::new()),
            _ if step % 4 == 0 => world.block(Vec::new(), Vec::new()),
            _ => {}
        }
        weather(&mut world, seed, step, 5);
    }
    (world.lost, world.crashes) = (0, 0);
    let wanted = world.requested.len();
    prop_assert!(mine_until_paid(&mut world, wanted), "{} of {wanted} paid", world.paid().len());
    // In the end everything lies under the new script, paid for by itself.
    mine_while(&mut world, |world| world.kept() < world.held());
    prop_assert_eq!(world.kept(), world.held());
    prop_assert_eq!(world.held(), HELD + 3_000_000 - owed - world.cost_of_sweeps());
    prop_assert!(world.alarms.is_empty(), "{:?}", world.alarms);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pegs_in_flight_survive_a_change_of_the_federation(seed: u64, nested: bool, (members, k) in successor(), crashes in 0..25_u32) {
        change_of_federation(seed, nested, &members, k, crashes)?;
    }
}

/// Peg-outs that were bound to the change of a payment which a reorganisation took away, and which never came back.
#[test]
fn a_coin_that_a_reorganisation_took_for_good_binds_nobody_for_ever() {
    for (seed, crashes) in [(17_367_886_091_603_719_539, 1), (4_492_444_385_732_239_483, 11)] {
        change_of_federation(seed, true, &[2, 3, 4, 5, 6, 7], 4, crashes).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
}

#[test]
fn functionaries_that_left_are_not_needed_while_enough_keys_of_the_old_coins_stayed() {
    for (members, k) in [(vec![0, 1, 2, 5, 6], 3), (vec![4, 3, 2, 1, 0], 3)] {
        let mut world = funded(5, 3, true, 11);
        world.introduce(set(&members, k));
        world.enforce();
        world.block(Vec::new(), Vec::new());
        world.dismiss();
        world.peg_out(2_000_000, true);
        world.block(Vec::new(), Vec::new());
        assert!(mine_until_paid(&mut world, 1));
        mine_while(&mut world, |world| world.kept() < world.held());
        assert_eq!(world.held(), HELD - 2_000_000 - world.cost_of_sweeps());
    }
}

#[test]
fn coins_that_only_the_old_members_can_sign_wait_for_them_and_hold_up_nothing_else() {
    let mut world = funded(5, 3, false, 12);
    world.introduce(set(&[2, 5, 6, 7], 3));
    world.enforce();
    world.block(Vec::new(), Vec::new());
    world.peg_in(5_000_000, 99);
    world.dismiss();
    world.peg_out(2_000_000, true);
    world.block(Vec::new(), Vec::new());
    assert!(mine_until_paid(&mut world, 1), "the new deposit pays");
    world.peg_out(20_000_000, true);
    world.block(Vec::new(), Vec::new());
    assert!(!mine_for(100, &mut world, 2), "two of five old keys cannot");
    world.return_of_the_dismissed();
    assert!(mine_until_paid(&mut world, 2));
}

#[test]
fn coins_under_a_script_that_was_voted_out_move_without_any_peg_out() {
    for (members, k, nested) in [(vec![0, 1, 2, 5, 6], 3, true), (vec![5, 6, 7], 2, false)] {
        let mut world = funded(5, 3, nested, 14);
        world.introduce(set(&members, k));
        world.enforce();
        world.block(Vec::new(), Vec::new());
        mine_while(&mut world, |world| world.kept() < HELD / 2);
        assert_eq!(world.kept(), HELD - world.cost_of_sweeps());
        assert!(world.cost_of_sweeps() > 0 && world.cost_of_sweeps() <= HELD / 100);
        // From now on those who left are not needed for anything, and the new ones pay.
        world.dismiss();
        world.peg_out(HELD / 2, true);
        world.block(Vec::new(), Vec::new());
        assert!(mine_until_paid(&mut world, 1));
        assert!(world.alarms.is_empty(), "{:?}", world.alarms);
    }
}

#[test]
fn coins_are_moved_before_the_emergency_quorum_could_take_them() {
    for (delay, moved) in [(40, true), (4000, false)] {
        let set = with_emergency(set(&[0, 1, 2, 3, 4], 3), delay);
        let mut world = fill(World::of(set, false, 15));
        for _ in 0..150 {
            for _ in 0..8 {
                world.pass();
            }
            world.mine(true);
            assert!(world.oldest() < usize::from(delay) || world.bitcoin.len() < 70, "{} blocks old", world.oldest());
        }
        assert_eq!(world.held(), HELD - world.cost_of_sweeps());
        assert_eq!(world.cost_of_sweeps() > 0, moved, "what nobody can take is left alone");
        assert!(world.alarms.is_empty(), "{:?}", world.alarms);
    }
}

#[test]
fn members_who_follow_the_chains_from_the_beginning_do_not_pay_again_what_others_have_paid() {
    let mut world = funded(5, 3, false, 16);
    for sat in [700_000, 20_000_000, 900_000] {
        world.peg_out(sat, true);
        world.block(Vec::new(), Vec::new());
        let wanted = world.requested.len();
        assert!(mine_until_paid(&mut world, wanted));
    }
    // Nobody who paid is left to object.
    world.introduce(set(&[5, 6, 7], 2));
    world.enforce();
    world.block(Vec::new(), Vec::new());
    mine_while(&mut world, |world| world.kept() < world.held());
    world.dismiss();
    world.peg_out(400_000, true);
    world.block(Vec::new(), Vec::new());
    assert!(mine_until_paid(&mut world, 4));
    assert_eq!(world.held(), HELD - 22_000_000 - world.cost_of_sweeps());
    assert!(world.alarms.is_empty(), "{:?}", world.alarms);
    let known = world.nodes[5].machine.as_ref().expect("it runs").state();
    assert!(known.strays.is_empty() && known.unexplained.is_empty());
}

#[test]
fn watchmen_whose_block_signers_are_halted_sign_nothing_until_they_go_on() {
    let mut world = funded(5, 3, false, 17);
    world.halt(true);
    world.peg_out(1_000_000, true);
    world.block(Vec::new(), Vec::new());
    assert!(!mine_for(100, &mut world, 1));
    assert!(world.announced.is_empty());
    world.halt(false);
    assert!(mine_until_paid(&mut world, 1));
}

#[test]
fn coins_that_leave_without_paying_a_peg_out_are_reported_and_nothing_is_signed_any_more() {
    let mut world = funded(5, 3, true, 13);
    world.peg_out(1_000_000, true);
    world.steal();
    for _ in 0..40 {
        world.pass();
    }
    assert!(world.alarms.iter().any(|alarm| alarm.ends_with("no batch")), "{:?}", world.alarms);
    assert!(!mine_for(100, &mut world, 1));
}
