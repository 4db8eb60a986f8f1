use super::*;
use crate::fixtures::{bytes, delegations, transaction};
use crate::script::Terms;
use crate::stake::Rules;
use crate::testing::{covenant_signatures, pairs, sign, stake as example, terms};
use bitcoin::WitnessVersion;
use bitcoin::hashes::Hash as _;
use proptest::prelude::*;

/// Weight of the witness of a taproot key path.
const KEY_PATH: Weight = Weight::from_wu(66);

fn coin(index: u32, sat: u64) -> Coin {
    let outpoint = OutPoint { txid: bitcoin::Txid::all_zeros(), vout: index };
    let script_pubkey = ScriptBuf::new_p2tr(secp256k1::SECP256K1, crate::testing::keys(77, 1)[0], None);
    Coin { outpoint, output: TxOut { value: Amount::from_sat(sat), script_pubkey }, witness: KEY_PATH }
}

fn change() -> ScriptBuf {
    coin(0, 0).output.script_pubkey
}

#[test]
fn staking_transactions_are_those_of_the_recorded_ones() {
    for recorded in delegations() {
        let Some(funding) = recorded.case.get("funding") else { continue };
        let wanted = transaction(&recorded.case["expected"]["staking_tx"]["hex"]);
        let coins: Vec<Coin> = funding["utxos"]
            .as_array()
            .expect("coins")
            .iter()
            .map(|utxo| {
                let outpoint = format!("{}:{}", utxo["txid"].as_str().expect("text"), utxo["vout"]).parse().expect("an outpoint");
                let script_pubkey = ScriptBuf::from_bytes(bytes(&utxo["scriptPubKey"]));
                Coin { outpoint, output: TxOut { value: crate::fixtures::sat(&utxo["value"]), script_pubkey }, witness: KEY_PATH }
            })
            .collect();
        let fee = Fee::Exact(crate::fixtures::sat(&funding["staking_tx_fee_estimated_by_library"]));
        let funded = stake(&recorded.stake, &coins, wanted.output[1].script_pubkey.clone(), fee).expect("funded");
        assert_eq!(funded.transaction, wanted, "{}", recorded.case["name"]);
    }
}

fn sizes(witness: Weight, count: usize) -> Vec<Vec<u8>> {
    // One item that fills the weight: a count of items, a length, the bytes.
    assert!(count == 1 && witness.to_wu() < 250);
    vec![vec![0; usize::try_from(witness.to_wu()).expect("small") - 2]]
}

proptest! {
    #[test]
    fn coins_pay_for_the_stake_and_exactly_the_rate(
        seed in any::<u64>(), amounts in prop::collection::vec(1u64..200_000, 1..6), rate in 1u64..200,
    ) {
        let (example, rate) = (example(seed, 3, 2), FeeRate::from_sat_per_vb(rate).expect("a rate"));
        let coins: Vec<Coin> = (0u32..).zip(&amounts).map(|(index, sat)| coin(index, *sat)).collect();
        let available = Amount::from_sat(amounts.iter().sum());
        match stake(&example, &coins, change(), Fee::Rate(rate)) {
            Ok(funded) => {
                let spent: Amount = funded.transaction.output.iter().map(|output| output.value).sum();
                prop_assert_eq!(spent + funded.fee, available);
                prop_assert!(example.find_in(&funded.transaction).is_some());
                let mut signed = funded.transaction.clone();
                signed.input.iter_mut().for_each(|input| input.witness = Witness::from_slice(&sizes(KEY_PATH, 1)));
                let least = rate.fee_vb(signed.vsize() as u64).expect("small");
                match funded.change {
                    Some(index) => {
                        prop_assert_eq!(funded.fee, least);
                        prop_assert!(!is_dust(&funded.transaction.output[index as usize]));
                    }
                    // Without change at most a dust output and its cost go to the miners.
                    None => prop_assert!(funded.fee >= least && funded.fee <= least + Amount::from_sat(330) + rate.fee_vb(44).expect("small")),
                }
            }
            Err(BadFunding::Short { available: said, needed }) => {
                prop_assert_eq!(said, available);
                prop_assert!(needed > available);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn a_withdrawal_pays_exactly_the_rate_or_is_refused(seed in any::<u64>(), sat in 0u64..200_000, rate in 0u64..2_000, which in 0usize..3) {
        let (example, rate) = (example(seed, 3, 2), FeeRate::from_sat_per_vb(rate).expect("a rate"));
        let locked = [Locked::Staking, Locked::Unbonding, Locked::Refund][which];
        let (outpoint, value) = (coin(1, 0).outpoint, Amount::from_sat(sat));
        match example.withdrawal(locked, outpoint, value, change(), rate) {
            Ok(spend) => {
                let staker = sign(&spend, &pairs(seed, 1)[0]);
                prop_assert!(spend.is_signed_by(&example.terms().staker, &staker));
                let finished = spend.with_staker(&staker);
                let fee = value - finished.output[0].value;
                prop_assert_eq!(fee, rate.fee_vb(finished.vsize() as u64).expect("small"));
                prop_assert_eq!(finished.input[0].sequence, Sequence::from_height(example.locked(locked).1));
                prop_assert!(finished.input[0].sequence.is_relative_lock_time() && finished.version == Version::TWO);
            }
            Err(error) => prop_assert!(matches!(error, BadFunding::Dust | BadFunding::Short { .. }), "{}", error),
        }
    }
}

#[test]
fn coins_that_would_change_the_id_or_are_named_twice_are_refused() {
    let (example, fee) = (example(1, 3, 2), Fee::Exact(Amount::from_sat(500)));
    let mut legacy = coin(0, 200_000);
    legacy.output.script_pubkey = ScriptBuf::new_p2pkh(&bitcoin::PubkeyHash::all_zeros());
    assert_eq!(stake(&example, &[legacy.clone()], change(), fee), Err(BadFunding::NotSegwit(legacy.outpoint)));
    let twice = [coin(0, 200_000), coin(0, 200_000)];
    assert_eq!(stake(&example, &twice, change(), fee), Err(BadFunding::Coins));
    assert_eq!(stake(&example, &[], change(), fee), Err(BadFunding::Coins));
    assert_eq!(stake(&example, &[coin(0, u64::MAX)], change(), fee), Err(BadFunding::Overflow));
    let short = BadFunding::Short { available: Amount::from_sat(100_499), needed: Amount::from_sat(100_500) };
    assert_eq!(stake(&example, &[coin(0, 100_499)], change(), fee), Err(short));
    assert_eq!(stake(&example, &[coin(0, 100_500 + 329)], change(), fee).map(|funded| funded.change), Ok(None));
    assert_eq!(stake(&example, &[coin(0, 100_500 + 330)], change(), fee).map(|funded| funded.change), Ok(Some(1)));
}

#[test]
fn an_extension_is_paid_by_its_coin_and_signed_by_the_old_committee() {
    let old = example(1, 3, 2);
    let outpoint = OutPoint { txid: bitcoin::Txid::all_zeros(), vout: 9 };
    let longer = Terms { staking_time: 30_000, ..old.terms().clone() };
    let new = Stake::new(longer, old.value(), old.rules().clone()).expect("a stake");
    let rate = FeeRate::from_sat_per_vb(7).expect("a rate");
    let extension = extend(&old, outpoint, new.clone(), &coin(0, 50_000), change(), Fee::Rate(rate)).expect("an extension");
    let pairs = pairs(1, 5);
    let committee = covenant_signatures(&extension.spend, &pairs[2..4]);
    let mut finished =
        extension.spend.with_covenant(&old.terms().covenant, &committee, &sign(&extension.spend, &pairs[0])).expect("finished");
    finished.input[1].witness = Witness::from_slice(&sizes(KEY_PATH, 1));
    assert_eq!(finished.compute_txid(), extension.funded.transaction.compute_txid());
    assert_eq!(rate.fee_vb(finished.vsize() as u64), Some(extension.funded.fee));
    assert_eq!(new.find_in(&finished).map(|outpoint| outpoint.vout), Some(0));
    let paid: Amount = finished.output.iter().map(|output| output.value).sum();
    assert_eq!(paid + extension.funded.fee, old.value() + Amount::from_sat(50_000));
}

#[test]
fn an_extension_that_changes_what_it_must_keep_is_refused() {
    let old = example(1, 3, 2);
    let outpoint = OutPoint { txid: bitcoin::Txid::all_zeros(), vout: 9 };
    let attempt = |terms: Terms, value: u64, coin: &Coin| {
        let new = Stake::new(terms, Amount::from_sat(value), old.rules().clone()).expect("a stake");
        extend(&old, outpoint, new, coin, change(), Fee::Exact(Amount::from_sat(500))).map(|_| ()).expect_err("refused")
    };
    let (same, other) = (old.terms().clone(), terms(2, 1, 3, 2));
    let money = coin(0, 50_000);
    assert_eq!(attempt(Terms { staker: other.staker, ..same.clone() }, 100_000, &money), BadFunding::OtherStaker);
    assert_eq!(attempt(Terms { providers: other.providers.clone(), ..same.clone() }, 100_000, &money), BadFunding::OtherProvider);
    assert_eq!(attempt(same.clone(), 99_999, &money), BadFunding::Smaller(old.value()));
    let mut changed = same.clone();
    changed.covenant.keys[..2].copy_from_slice(&other.covenant.keys[..2]);
    assert_eq!(attempt(changed, 100_000, &money), BadFunding::Committee { have: 1, need: 2 });
    let mut staked = coin(0, 50_000);
    staked.output.script_pubkey = old.trees().unbonding.script_pubkey();
    assert_eq!(attempt(same.clone(), 100_000, &staked), BadFunding::StakeAsCoin);
    assert_eq!(attempt(same.clone(), 100_000, &Coin { outpoint, ..money.clone() }), BadFunding::StakeAsCoin);
    assert!(matches!(attempt(same, 149_501, &money), BadFunding::Short { .. }));
}

#[test]
fn destinations_and_rules_keep_their_meaning() {
    let example = example(3, 3, 2);
    assert_eq!(example.trees().refund.script_pubkey().witness_version(), Some(WitnessVersion::V1));
    let dear = Rules { slashing_fee: Amount::from_sat(94_700), ..example.rules().clone() };
    assert_eq!(Stake::new(example.terms().clone(), example.value(), dear), Err(BadStake::Dust));
}
