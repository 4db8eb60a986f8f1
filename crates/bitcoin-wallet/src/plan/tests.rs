use super::*;
use crate::testing::{Chain, gift, rng, spend, stranger, wallet, wallet_of};
use proptest::prelude::*;

/// A wallet with confirmed coins of these amounts.
fn funded(amounts: &[u64]) -> (BitcoinWallet, Chain) {
    fund(wallet(), amounts)
}

fn fund(mut wallet: BitcoinWallet, amounts: &[u64]) -> (BitcoinWallet, Chain) {
    let mut chain = Chain::new();
    let gifts = (0..).zip(amounts).map(|(salt, sat)| gift(&wallet.next_address().0.script, *sat, salt)).collect();
    chain.mine(gifts, 0);
    wallet.apply(&chain.batch(1, None, vec![]), 1).expect("a batch");
    (wallet, chain)
}

fn pay(sat: u64, rate: u64) -> Intent {
    Intent {
        recipients: vec![Recipient { script: stranger(), amount: Atoms(sat) }],
        drain_to: None,
        rate: FeeRate(rate),
        coins: vec![],
        exclude: BTreeSet::new(),
    }
}

fn input_sum(plan: &Plan) -> u64 {
    let spent = plan.psbt.inputs.iter().zip(&plan.psbt.unsigned_tx.input);
    spent
        .map(|(input, txin)| {
            let whole = input.non_witness_utxo.as_ref().expect("every input carries its whole transaction");
            assert_eq!(whole.compute_txid(), txin.previous_output.txid);
            whole.output[txin.previous_output.vout as usize].value.to_sat()
        })
        .sum()
}

fn output_sum(plan: &Plan) -> u64 {
    plan.psbt.unsigned_tx.output.iter().map(|output| output.value.to_sat()).sum()
}

/// Signatures are 72 bytes at most; the plan must reach its rate even then, and not waste: what it pays above is less than a change
/// output of 31 vB would cost and hold.
fn assert_rate(plan: &Plan, rate: u64, drain: bool) {
    let least = FeeRate(rate).fee(plan.vsize - 1).0;
    let dust = 330;
    let given_up = if plan.change.is_none() && !drain { FeeRate(rate).fee(31).0 + dust } else { 0 };
    // The library rounds every part up: to whole virtual bytes and to whole satoshi.
    let parts = (plan.psbt.inputs.len() + plan.psbt.outputs.len() + 2) as u64;
    let rounding = FeeRate(rate).fee(parts).0 + parts;
    assert!(plan.fee.0 >= least, "{} below {least}", plan.fee);
    assert!(plan.fee.0 <= least + given_up + rounding, "{} far above {least}", plan.fee);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_goes_in_comes_out_or_is_the_fee_and_frozen_coins_stay(
        amounts in prop::collection::vec(1_000u64..1_000_000, 1..12),
        sat in 300u64..2_000_000, rate in 100u64..50_000, frozen in any::<u16>(), chosen in any::<u16>(), drain in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let (mut wallet, _) = funded(&amounts);
        let coins = wallet.coins();
        let pick = |mask: u16| coins.iter().enumerate().filter(move |(n, _)| mask >> n & 1 == 1).map(|(_, coin)| coin.outpoint);
        let exclude: BTreeSet<_> = pick(frozen).collect();
        let chosen: Vec<_> = pick(chosen & (frozen ^ u16::MAX)).collect();
        let mut intent = Intent { exclude: exclude.clone(), coins: chosen.clone(), ..pay(sat, rate) };
        if drain {
            intent.recipients.clear();
            intent.drain_to = Some(stranger());
        }
        let before = wallet.snapshot();
        match wallet.plan(&intent, &mut rng(seed)) {
            Ok(plan) => {
                prop_assert_eq!(input_sum(&plan), output_sum(&plan) + plan.fee.0);
                assert_rate(&plan, rate, drain);
                let spent: BTreeSet<_> = plan.psbt.unsigned_tx.input.iter().map(|input| input.previous_output).collect();
                prop_assert!(spent.is_disjoint(&exclude));
                if !chosen.is_empty() {
                    prop_assert_eq!(spent, chosen.iter().copied().collect());
                }
                if drain {
                    prop_assert_eq!((plan.psbt.unsigned_tx.output.len(), plan.change), (1, None));
                } else {
                    prop_assert!(plan.psbt.unsigned_tx.output.iter().any(|out| out.value.to_sat() == sat && out.script_pubkey == stranger()));
                }
                let again = BitcoinWallet::load(before, bitcoin::Network::Regtest, crate::LOOKAHEAD).expect("loads").plan(&intent, &mut rng(seed));
                prop_assert_eq!(again.expect("the same").psbt, plan.psbt, "the same randomness, the same plan");
            }
            Err(refusal) => {
                let open: u64 = coins.iter().filter(|coin| !exclude.contains(&coin.outpoint)).map(|coin| coin.amount.0).sum();
                let offered: u64 = match chosen.as_slice() {
                    [] => open,
                    chosen => coins.iter().filter(|coin| chosen.contains(&coin.outpoint)).map(|coin| coin.amount.0).sum(),
                };
                let code = refusal.code;
                prop_assert!(matches!(code, Code::InsufficientFunds | Code::InsufficientFee | Code::Dust), "{refusal}");
                // Not refused when the money is plainly there: inputs of 69 vB and two outputs.
                let generous = (coins.len() as u64 * 69 + 200) * rate / 1000 + 1;
                prop_assert!(drain || code == Code::Dust || offered < sat + generous, "{refusal}");
                prop_assert_eq!(code == Code::InsufficientFee, !drain && sat <= offered);
            }
        }
    }
}

#[test]
fn a_rate_below_one_satoshi_per_byte_is_kept() {
    let (mut wallet, _) = funded(&[100_000]);
    let plan = wallet.plan(&pay(10_000, 100), &mut rng(1)).expect("a plan");
    assert_eq!(plan.vsize, 141);
    assert!((15..=16).contains(&plan.fee.0), "0.1 sat/vB, rounded up: {}", plan.fee);
}

#[test]
fn taproot_inputs_carry_their_whole_transaction_too() {
    let (mut wallet, _) = fund(wallet_of("tr(KEY/<0;1>/*)"), &[100_000]);
    let plan = wallet.plan(&pay(10_000, 1_000), &mut rng(1)).expect("a plan");
    assert_eq!(input_sum(&plan), 100_000);
    assert!(plan.psbt.inputs[0].tap_internal_key.is_some());
}

#[test]
fn an_impossible_intent_is_refused_by_reason() {
    let (mut wallet, _) = funded(&[100_000]);
    let frozen = wallet.coins()[0].outpoint;
    let nobody = OutPoint::null();
    let many = |sat| Recipient { script: stranger(), amount: Atoms(sat) };
    for (name, intent, code) in [
        ("nobody", Intent { recipients: vec![], ..pay(1, 1_000) }, Code::NoRecipients),
        ("zero", pay(0, 1_000), Code::BadAmount),
        ("dust", pay(293, 1_000), Code::Dust),
        ("supply", pay(MAX_MONEY + 1, 1_000), Code::AboveSupply),
        ("supply in parts", Intent { recipients: vec![many(MAX_MONEY), many(MAX_MONEY)], ..pay(1, 1_000) }, Code::AboveSupply),
        ("too much", pay(100_001, 1_000), Code::InsufficientFunds),
        ("no fee left", pay(100_000, 1_000), Code::InsufficientFee),
        ("cheap", pay(1_000, 99), Code::FeeTooLow),
        ("dear", pay(1_000, CEILING.0 + 1), Code::FeeTooHigh),
        ("frozen", Intent { exclude: BTreeSet::from([frozen]), ..pay(1_000, 1_000) }, Code::InsufficientFunds),
        (
            "frozen choice",
            Intent { exclude: BTreeSet::from([frozen]), coins: vec![frozen], ..pay(1_000, 1_000) },
            Code::CoinUnavailable,
        ),
        ("unknown choice", Intent { coins: vec![nobody], ..pay(1_000, 1_000) }, Code::CoinUnavailable),
    ] {
        assert_eq!(wallet.plan(&intent, &mut rng(1)).expect_err(name).code, code, "{name}");
    }
    let refused = wallet.plan(&pay(100_001, 1_000), &mut rng(1)).expect_err("too much");
    assert_eq!(refused.args["available"], "100000");
}

#[test]
fn money_from_others_is_spent_unconfirmed_only_by_choice() {
    let (mut wallet, chain) = funded(&[]);
    let paid = gift(&wallet.next_address().0.script, 50_000, 77);
    wallet.apply(&chain.batch(2, None, vec![paid.clone()]), 2).expect("a batch");
    assert_eq!(wallet.plan(&pay(1_000, 1_000), &mut rng(1)).expect_err("pending").code, Code::InsufficientFunds);
    let coins = vec![OutPoint { txid: paid.compute_txid(), vout: 0 }];
    assert!(wallet.plan(&Intent { coins, ..pay(1_000, 1_000) }, &mut rng(1)).is_ok());
}

#[test]
fn planning_again_costs_no_change_address_and_holding_keeps_one() {
    let (mut wallet, _) = funded(&[100_000, 100_000]);
    let change = |plan: &Plan| plan.psbt.unsigned_tx.output[plan.change.expect("change").0 as usize].script_pubkey.clone();
    let first = wallet.plan(&pay(10_000, 1_000), &mut rng(1)).expect("a plan");
    assert!(first.changes.is_some());
    let second = wallet.plan(&pay(10_000, 2_000), &mut rng(1)).expect("a plan");
    assert_eq!(change(&first), change(&second));
    wallet.hold(&second);
    let third = wallet.plan(&pay(10_000, 2_000), &mut rng(1)).expect("a plan");
    assert_ne!(change(&second), change(&third));
    wallet.release(&second);
    assert_eq!(change(&wallet.plan(&pay(10_000, 2_000), &mut rng(1)).expect("a plan")), change(&second));
}

#[test]
fn a_bump_keeps_the_payment_and_takes_the_difference_from_the_change() {
    let (mut wallet, _) = funded(&[100_000]);
    let first = wallet.plan(&pay(10_000, 1_000), &mut rng(1)).expect("a plan");
    let sent = first.psbt.unsigned_tx.clone();
    wallet.insert_own(&sent, 5);
    let bump = wallet.plan_bump(sent.compute_txid(), FeeRate(5_000), &BTreeSet::new(), &mut rng(2)).expect("a plan");
    let replaced = bump.replaces.expect("it replaces");
    assert_eq!((replaced.txid, replaced.fee), (sent.compute_txid(), first.fee));
    assert_eq!(bump.psbt.unsigned_tx.input[0].previous_output, sent.input[0].previous_output);
    assert_eq!(input_sum(&bump), output_sum(&bump) + bump.fee.0);
    assert_rate(&bump, 5_000, false);
    let payment = |plan: &Plan| plan.psbt.unsigned_tx.output.iter().find(|out| out.script_pubkey == stranger()).cloned();
    assert_eq!(payment(&bump), payment(&first));
    let (vout, _) = bump.change.expect("change");
    let old_vout = first.change.expect("change").0;
    assert_eq!(bump.psbt.unsigned_tx.output[vout as usize].script_pubkey, sent.output[old_vout as usize].script_pubkey);
    assert!(bump.psbt.inputs[0].bip32_derivation.len() == 1 && bump.psbt.outputs[vout as usize].bip32_derivation.len() == 1);

    // A small raise is possible below 1 sat/vB, no raise is not.
    let dear = wallet.plan_bump(sent.compute_txid(), FeeRate(1_300), &BTreeSet::new(), &mut rng(2));
    assert!(dear.is_ok());
    let low = wallet.plan_bump(sent.compute_txid(), FeeRate(1_000), &BTreeSet::new(), &mut rng(2)).expect_err("no raise");
    assert_eq!(low.code, Code::FeeTooLow);
    let least: u64 = low.args["least"].parse().expect("a rate");
    assert!(wallet.plan_bump(sent.compute_txid(), FeeRate(least + 8), &BTreeSet::new(), &mut rng(2)).is_ok());
    wallet.insert_own(&bump.psbt.unsigned_tx, 5);
    assert_eq!(wallet.history_len(), 2);
    let gone = wallet.plan_bump(sent.compute_txid(), FeeRate(9_000), &BTreeSet::new(), &mut rng(2)).expect_err("replaced");
    assert_eq!(gone.code, Code::NotReplaceable);
}

#[test]
fn a_bump_that_would_swallow_the_change_is_refused() {
    let (mut wallet, _) = funded(&[11_000]);
    let sent = wallet.plan(&pay(10_000, 1_000), &mut rng(1)).expect("a plan").psbt.unsigned_tx;
    wallet.insert_own(&sent, 5);
    for rate in [6_000, 50_000] {
        let refused =
            wallet.plan_bump(sent.compute_txid(), FeeRate(rate), &BTreeSet::new(), &mut rng(2)).expect_err("no change left");
        assert!(matches!(refused.code, Code::InsufficientFee | Code::InsufficientFunds), "{refused}");
    }
}

#[test]
fn a_bump_outbids_the_children_too() {
    let (mut wallet, _) = funded(&[100_000]);
    let sent = wallet.plan(&pay(10_000, 1_000), &mut rng(1)).expect("a plan").psbt.unsigned_tx;
    wallet.insert_own(&sent, 5);
    let child = wallet.plan(&pay(10_000, 30_000), &mut rng(1)).expect("a plan");
    wallet.insert_own(&child.psbt.unsigned_tx, 6);
    let refused =
        wallet.plan_bump(sent.compute_txid(), FeeRate(5_000), &BTreeSet::new(), &mut rng(2)).expect_err("the child pays more");
    assert_eq!(refused.code, Code::FeeTooLow);
    let bump = wallet.plan_bump(sent.compute_txid(), FeeRate(40_000), &BTreeSet::new(), &mut rng(2)).expect("enough");
    assert!(bump.fee > child.fee);
}

#[test]
fn what_is_confirmed_or_not_ours_cannot_be_bumped() {
    let (mut wallet, chain) = funded(&[100_000]);
    let confirmed = wallet.history(0, 1)[0].txid;
    let incoming = gift(&wallet.next_address().0.script, 50_000, 9);
    wallet.apply(&chain.batch(2, None, vec![incoming.clone()]), 3).expect("a batch");
    for txid in [confirmed, incoming.compute_txid()] {
        let refused = wallet.plan_bump(txid, FeeRate(5_000), &BTreeSet::new(), &mut rng(1)).expect_err("cannot");
        assert_eq!(refused.code, Code::NotReplaceable);
    }
}

#[test]
fn a_child_lifts_its_parent_to_the_rate() {
    let (mut wallet, chain) = funded(&[]);
    let stuck = gift(&wallet.next_address().0.script, 50_000, 9);
    wallet.apply(&chain.batch(2, None, vec![stuck.clone()]), 3).expect("a batch");
    let child = wallet.plan_child(stuck.compute_txid(), FeeRate(10_000), &BTreeSet::new(), &mut rng(1)).expect("a plan");
    let pair = child.vsize + stuck.vsize() as u64;
    assert_eq!(child.fee, FeeRate(10_000).fee(pair));
    assert_eq!(child.psbt.unsigned_tx.input[0].previous_output.txid, stuck.compute_txid());
    assert_eq!(child.change.map(|(_, amount)| amount.0), Some(50_000 - child.fee.0));

    let (mut wallet, _) = funded(&[100_000]);
    let sent = wallet.plan(&pay(10_000, 1_000), &mut rng(1)).expect("a plan");
    let parent = sent.psbt.unsigned_tx;
    wallet.insert_own(&parent, 5);
    let child = wallet.plan_child(parent.compute_txid(), FeeRate(10_000), &BTreeSet::new(), &mut rng(1)).expect("a plan");
    assert_eq!(child.fee.0 + sent.fee.0, FeeRate(10_000).fee(child.vsize + parent.vsize() as u64).0);
    let low = wallet.plan_child(parent.compute_txid(), FeeRate(500), &BTreeSet::new(), &mut rng(1)).expect_err("already there");
    assert_eq!(low.code, Code::FeeTooLow);
    let lost =
        wallet.plan_child(Txid::from_raw_hash(bitcoin::hashes::Hash::all_zeros()), FeeRate(500), &BTreeSet::new(), &mut rng(1));
    assert_eq!(lost.expect_err("unknown").code, Code::NotFound);
    let swept = spend(
        &[OutPoint { txid: parent.compute_txid(), vout: 0 }, OutPoint { txid: parent.compute_txid(), vout: 1 }],
        &[(stranger(), 1_000)],
    );
    wallet.insert_own(&swept, 6);
    let none =
        wallet.plan_child(parent.compute_txid(), FeeRate(90_000), &BTreeSet::new(), &mut rng(1)).expect_err("nothing left");
    assert_eq!(none.code, Code::CoinUnavailable);
}
