use super::*;
use crate::fixtures::{Recorded, bytes, delegations, delegations_as_built, load};
use crate::identifiable::Announcement;
use crate::script::Leaf;
use crate::spend::{BadSpend, Spend};
use crate::testing::{covenant_signatures, pairs, sign, stake};
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash as _;
use proptest::prelude::*;
use serde_json::Value;

fn bytes_of(transaction: &Transaction, version: &Value) -> Vec<u8> {
    // Some of the recorded slashing transactions have version 1, which is allowed; ours have 2.
    let version = Version(i32::from(bytes(version)[0]));
    serialize(&Transaction { version, ..transaction.clone() })
}

#[test]
fn transactions_and_sighashes_are_those_of_the_recorded_delegations() {
    for Recorded { case, stake, staking } in delegations_as_built() {
        let (want, name) = (&case["expected"], &case["name"]);
        let outpoint = stake.find_in(&staking).expect("the stake is there once");
        assert_eq!(Value::from(outpoint.vout), want["staking_tx"]["output_index"], "{name}");
        let unbonding = stake.unbonding(outpoint);
        let unbonding_outpoint = OutPoint { txid: unbonding.compute_txid(), vout: 0 };
        let spends = [
            ("unbonding_tx", unbonding, stake.staking_output(), &stake.trees().staking, Leaf::Unbonding),
            ("slashing_tx", stake.slashing(outpoint), stake.staking_output(), &stake.trees().staking, Leaf::Slashing),
            (
                "unbonding_slashing_tx",
                stake.unbonding_slashing(unbonding_outpoint.txid),
                stake.unbonding_output(),
                &stake.trees().unbonding,
                Leaf::Slashing,
            ),
        ];
        for (what, transaction, prevout, tree, leaf) in spends {
            let Some(want) = want.get(what) else { continue };
            assert_eq!(bytes_of(&transaction, &want["hex"]), bytes(&want["hex"]), "{name} {what}");
            let version = Version(i32::from(bytes(&want["hex"])[0]));
            let spend = Spend::new(Transaction { version, ..transaction }, 0, vec![prevout], tree, leaf).expect("a spend");
            assert_eq!(spend.sighash().to_byte_array().to_vec(), bytes(&want["sighash"]), "{name} {what}");
        }
    }
}

#[test]
fn a_finished_unbonding_is_that_of_the_recorded_one() {
    let all = delegations();
    let Recorded { case, stake, staking } = all.iter().find(|d| d.case["name"] == "ts-unbonding").expect("the case");
    let spend = stake.unbonding_spend(stake.find_in(staking).expect("there"));
    let signatures = crate::fixtures::covenant_unbonding(case);
    let staker = crate::fixtures::signature(&case["signatures"]["staker_unbonding"]);
    let finished = spend.with_covenant(&stake.terms().covenant, &signatures, &staker).expect("finished");
    assert_eq!(serialize(&finished), bytes(&case["unbonding_tx_with_witness"]["hex"]));
    assert_eq!(
        crate::spend::leaf_spent(&finished, finished.input[0].previous_output, &stake.trees().staking),
        Some(Leaf::Unbonding)
    );
}

#[test]
fn signing_requests_are_those_of_the_recorded_ones() {
    for Recorded { case, stake, staking } in delegations_as_built() {
        let Some(want) = case.get("psbts") else { continue };
        let outpoint = stake.find_in(&staking).expect("there");
        let slashing = stake.slashing_spend(outpoint).to_psbt();
        let later = stake.unbonding_slashing_spend(stake.unbonding(outpoint).compute_txid()).to_psbt();
        assert_eq!(slashing.serialize(), bytes(&want["slashingPsbt"]));
        assert_eq!(later.serialize(), bytes(&want["unbondingSlashingPsbt"]));
    }
}

#[test]
fn first_phase_stakes_are_recognised() {
    for case in load("staking_scripts.json").as_array().expect("cases") {
        let want = &case["expected"]["op_return_script_hex"];
        let terms = crate::fixtures::terms_of_parameters(&case["parameters"]);
        let tag: [u8; 4] = bytes(&case["parameters"]["tag"]).try_into().expect("4 bytes");
        let Some(announcement) = Announcement::of(tag, &terms) else {
            continue;
        };
        let script = announcement.script();
        if want.as_str().is_some_and(|text| !text.is_empty()) {
            assert_eq!(script.to_bytes(), bytes(want));
        }
        assert_eq!(Announcement::read(&script), Some(announcement));
        let staked = terms.trees().expect("scripts").staking.output(Amount::from_sat(100_000));
        let said = TxOut { value: Amount::ZERO, script_pubkey: script };
        let find = |outputs: Vec<TxOut>, tag| {
            let transaction = spend(OutPoint::null(), Sequence::MAX, outputs);
            Announcement::find(&transaction, tag, |_| terms.clone()).map(|(_, outpoint)| outpoint.vout)
        };
        assert_eq!(find(vec![said.clone(), staked.clone()], tag), Some(1));
        assert_eq!(find(vec![said.clone(), staked.clone()], *b"none"), None);
        assert_eq!(find(vec![said.clone(), said.clone(), staked.clone()], tag), None);
        assert_eq!(find(vec![said.clone(), staked.clone(), staked.clone()], tag), None);
        assert_eq!(find(vec![said], tag), None);
    }
}

#[test]
fn what_the_parameters_do_not_allow_is_refused() {
    let params: Params = serde_json::from_value(load("params.mainnet.json")[5]["params"].clone()).expect("parameters");
    let [staker, provider] = <[_; 2]>::try_from(crate::testing::keys(3, 2)).expect("two");
    let plan = |sat, blocks| Stake::plan(&params, staker, provider, Amount::from_sat(sat), blocks);
    assert!(plan(500_000, 64_000).is_ok());
    assert!(plan(500_000_000_000, 64_000).is_ok());
    assert!(matches!(plan(499_999, 64_000), Err(BadStake::Amount { .. })));
    assert!(matches!(plan(500_000_000_001, 64_000), Err(BadStake::Amount { .. })));
    assert!(matches!(plan(500_000, 63_999), Err(BadStake::Term { .. })));
    assert!(matches!(plan(500_000, 64_001), Err(BadStake::Term { .. })));
    assert!(matches!(plan(100_000, 64_000), Err(BadStake::Dust)), "slashing would leave less than its fee");
    let twice = Stake::plan(&params, staker, params.covenant.keys[0], Amount::from_sat(500_000), 64_000);
    assert_eq!(twice, Err(BadStake::Terms(BadTerms::DuplicateKey)));
    let stake = plan(500_000, 64_000).expect("a stake");
    let mut later = params.clone();
    later.unbonding_fee = Amount::from_sat(9_601);
    assert_eq!(stake.check_against(&later), Err(BadStake::Params));
    let mut later = params;
    later.covenant.keys[0] = crate::testing::keys(4, 1)[0];
    assert_eq!(stake.check_against(&later), Err(BadStake::Params));
}

proptest! {
    #![proptest_config(crate::testing::cases(48))]

    #[test]
    fn what_goes_in_comes_out_or_is_fee(seed in any::<u64>(), value in 40_000u64..1_000_000_000, rate in 0u64..=10_000) {
        let rate = format!("{}.{:04}", rate / 10_000, rate % 10_000).parse().expect("a rate");
        let rules = Rules { slashing_rate: rate, ..stake(seed, 3, 2).rules().clone() };
        let Ok(stake) = Stake::new(crate::testing::terms(seed, 1, 3, 2), Amount::from_sat(value), rules) else { return Ok(()) };
        let total = |transaction: &Transaction| transaction.output.iter().map(|output| output.value).sum::<Amount>();
        let unbonding = stake.unbonding(OutPoint::null());
        prop_assert_eq!(total(&unbonding) + stake.rules().unbonding_fee, stake.value());
        prop_assert_eq!(total(&stake.slashing(OutPoint::null())) + stake.rules().slashing_fee, stake.value());
        let later = stake.unbonding_slashing(unbonding.compute_txid());
        prop_assert_eq!(total(&later) + stake.rules().slashing_fee, total(&unbonding));
    }

    #[test]
    fn exactly_the_quorum_is_taken_from_the_signatures_there_are(
        seed in any::<u64>(), members in 1usize..10, quorum in 1u32..10, signing in 0usize..10,
    ) {
        let quorum = quorum.min(u32::try_from(members).expect("small"));
        let signing = signing.min(members);
        let stake = stake(seed, members, quorum);
        let spend = stake.unbonding_spend(OutPoint::null());
        let pairs = pairs(seed, 2 + members);
        let signatures = covenant_signatures(&spend, &pairs[2..2 + signing]);
        let staker = sign(&spend, &pairs[0]);
        let finished = spend.with_covenant(&stake.terms().covenant, &signatures, &staker);
        let need = usize::try_from(quorum).expect("small");
        if signing < need {
            prop_assert_eq!(finished, Err(BadSpend::Quorum { have: signing, need: quorum }));
            return Ok(());
        }
        let witness: Vec<Vec<u8>> = finished.expect("finished").input[0].witness.to_vec();
        prop_assert_eq!(witness.len(), members + 3);
        let filled: Vec<_> = witness[..members].iter().zip(stake.terms().covenant.sorted().into_iter().rev()).filter(|(s, _)| !s.is_empty()).collect();
        prop_assert_eq!(filled.len(), need);
        for (signature, key) in filled {
            let signature = secp256k1::schnorr::Signature::from_slice(signature).expect("64 bytes");
            prop_assert!(spend.is_signed_by(&key, &signature));
        }
    }

    #[test]
    fn any_script_is_read_without_harm(script in any::<Vec<u8>>(), data in any::<[u8; 71]>()) {
        let _ = Announcement::read(bitcoin::Script::from_bytes(&script));
        let script = bitcoin::script::Builder::new().push_opcode(bitcoin::opcodes::all::OP_RETURN).push_slice(data).into_script();
        if let Some(announcement) = Announcement::read(&script) {
            prop_assert_eq!(announcement.script(), script);
        }
    }
}

#[test]
fn a_signature_of_a_stranger_is_refused() {
    let stake = stake(5, 3, 2);
    let spend = stake.unbonding_spend(OutPoint::null());
    let pairs = pairs(5, 5);
    let mut signatures = covenant_signatures(&spend, &pairs[2..]);
    signatures.extend(covenant_signatures(&spend, &crate::testing::pairs(6, 1)));
    let staker = sign(&spend, &pairs[0]);
    assert_eq!(spend.with_covenant(&stake.terms().covenant, &signatures, &staker), Err(BadSpend::Stranger));
}
