use super::*;
use crate::testing::{Chain, gift, spend, stranger, wallet};
use proptest::prelude::*;

/// A wallet with confirmed coins of these amounts.
fn funded(amounts: &[u64]) -> BitcoinWallet {
    let mut wallet = wallet();
    let mut chain = Chain::new();
    let gifts = (0..).zip(amounts).map(|(salt, sat)| gift(&wallet.next_address().0.script, *sat, salt)).collect();
    chain.mine(gifts, 0);
    wallet.apply(&chain.batch(1, None, vec![]), 1).expect("a batch");
    wallet
}

fn to(sat: u64) -> TxOut {
    TxOut { value: Amount::from_sat(sat), script_pubkey: stranger() }
}

fn sums(plan: &Plan) -> (u64, u64) {
    let spent = plan.psbt.inputs.iter().map(|input| input.witness_utxo.as_ref().expect("an output").value.to_sat()).sum();
    (spent, plan.psbt.unsigned_tx.output.iter().map(|output| output.value.to_sat()).sum())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_of_an_arrangement_moves_and_nothing_excluded_pays(
        amounts in prop::collection::vec(600u64..1_000_000, 1..10),
        first in any::<u8>(), frozen in any::<u16>(), paid in prop::collection::vec(330u64..20_000, 1..5),
        change_at in 0usize..6, rate in 100u64..20_000, sequence in any::<u32>(),
    ) {
        let mut wallet = funded(&amounts);
        let coins = wallet.coins();
        let exclude: BTreeSet<_> =
            coins.iter().enumerate().filter(|(n, _)| frozen >> n & 1 == 1).map(|(_, coin)| coin.outpoint).collect();
        let arrangement = Arrangement {
            // Arranged inputs are spent even where they are excluded from paying the fee.
            inputs: vec![coins[usize::from(first) % coins.len()].outpoint],
            outputs: paid.iter().map(|sat| to(*sat)).collect(),
            change_at,
            change: None,
            first_sequence: Sequence(sequence),
            version: Version::ONE,
            rate: FeeRate(rate),
            exclude: exclude.clone(),
        };
        match wallet.plan_arranged(&arrangement) {
            Ok(plan) => {
                let tx = &plan.psbt.unsigned_tx;
                let spent: Vec<_> = tx.input.iter().map(|input| input.previous_output).collect();
                prop_assert_eq!(&spent[..1], &arrangement.inputs[..]);
                prop_assert!(spent[1..].iter().all(|coin| !exclude.contains(coin)));
                prop_assert_eq!(spent.iter().collect::<BTreeSet<_>>().len(), spent.len());
                prop_assert_eq!((tx.input[0].sequence, tx.version), (Sequence(sequence), Version::ONE));
                let mut outputs = tx.output.clone();
                if let Some((vout, _)) = plan.change {
                    prop_assert_eq!(vout as usize, change_at.min(paid.len()));
                    let change = outputs.remove(vout as usize);
                    prop_assert!(wallet.is_mine(&change.script_pubkey) && change.value >= change.script_pubkey.minimal_non_dust());
                    prop_assert!(!plan.psbt.outputs[vout as usize].bip32_derivation.is_empty(), "signers know it");
                }
                prop_assert_eq!(outputs, arrangement.outputs);
                let (spent, made) = sums(&plan);
                prop_assert_eq!(spent, made + plan.fee.0);
                prop_assert!(plan.fee >= FeeRate(rate).fee(plan.vsize));
                // What is paid above the rate is less than a change output of 31 vB would cost and hold.
                let given_up = if plan.change.is_none() { FeeRate(rate).fee(31).0 + 330 + 1 } else { 0 };
                prop_assert!(plan.fee.0 <= FeeRate(rate).fee(plan.vsize).0 + given_up);
                for input in &plan.psbt.inputs {
                    prop_assert!(input.non_witness_utxo.is_some() && !input.bip32_derivation.is_empty());
                }
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.code, Code::InsufficientFunds);
                let free = coins.iter().filter(|coin| !exclude.contains(&coin.outpoint) || arrangement.inputs.contains(&coin.outpoint));
                let free: u64 = free.map(|coin| coin.amount.0).sum();
                // Not refused when the money is plainly there: inputs of 69 vB and outputs of 34.
                let generous = (coins.len() * 69 + paid.len() * 34 + 60) as u64 * rate / 1000 + 1;
                prop_assert!(free < paid.iter().sum::<u64>() + generous + 330, "{refusal}");
            }
        }
    }
}

#[test]
fn a_coin_of_somebody_else_is_no_input() {
    let mut wallet = funded(&[10_000]);
    let arrangement = Arrangement {
        inputs: vec![OutPoint::null()],
        outputs: vec![to(1_000)],
        change_at: 0,
        change: None,
        first_sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        version: Version::TWO,
        rate: FeeRate(1_000),
        exclude: BTreeSet::new(),
    };
    assert_eq!(wallet.plan_arranged(&arrangement).expect_err("refused").code, Code::CoinUnavailable);
}

#[test]
fn a_replacement_keeps_every_place_and_takes_its_fee_from_the_change() {
    let mut wallet = funded(&[50_000, 40_000]);
    let coins = wallet.coins();
    let (mine, change) = (wallet.next_address().0.script, wallet.next_address().0.script);
    let outputs = [(stranger(), 1_000), (mine, 2_000), (change.clone(), 46_000), (stranger(), 500)];
    let slow = spend(&[coins[0].outpoint], &outputs);
    wallet.insert_own(&slow, 5);
    let plan = wallet.plan_arranged_bump(slow.compute_txid(), 2, FeeRate(20_000), &BTreeSet::new()).expect("a plan");
    let tx = &plan.psbt.unsigned_tx;
    let scripts = |tx: &Transaction| tx.output.iter().map(|output| output.script_pubkey.clone()).collect::<Vec<_>>();
    assert_eq!((scripts(tx), tx.input.len(), tx.version), (scripts(&slow), 1, slow.version));
    let values: Vec<u64> = tx.output.iter().map(|output| output.value.to_sat()).collect();
    assert_eq!(values, [1_000, 2_000, 46_500 - plan.fee.0, 500]);
    assert_eq!(plan.replaces.expect("the old one").txid, slow.compute_txid());

    // More than the change holds: another coin is spent behind; none that is excluded.
    let costly = FeeRate(240_000);
    let plan = wallet.plan_arranged_bump(slow.compute_txid(), 2, costly, &BTreeSet::new()).expect("a plan");
    let spent: Vec<_> = plan.psbt.unsigned_tx.input.iter().map(|input| input.previous_output).collect();
    assert_eq!(spent, [coins[0].outpoint, coins[1].outpoint]);
    let exclude = BTreeSet::from([coins[1].outpoint]);
    let refused = wallet.plan_arranged_bump(slow.compute_txid(), 2, costly, &exclude).expect_err("refused");
    assert_eq!(refused.code, Code::InsufficientFunds);
    let refused = wallet.plan_arranged_bump(slow.compute_txid(), 0, FeeRate(20_000), &BTreeSet::new()).expect_err("not ours");
    assert_eq!(refused.code, Code::NotReplaceable);
    let refused = wallet.plan_arranged_bump(slow.compute_txid(), 2, FeeRate(1_000), &BTreeSet::new()).expect_err("too little");
    assert_eq!(refused.code, Code::FeeTooLow);
}
