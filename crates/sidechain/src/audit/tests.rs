//! The books of small federations, and the claims of a real chain.

use super::*;
use crate::consensus::federation::Fedpeg;
use crate::consensus::fixtures::{bytes, chain, load};
use crate::consensus::header;
use crate::consensus::pegout::Pegout;
use bitcoin::hashes::Hash as _;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, Txid};
use elements::confidential::{Asset, Nonce, Value};
use elements::{AssetId, Block, BlockHeader, Script, TxOut, TxOutWitness};
use proptest::prelude::*;

/// Headers of the fixture chain by height.
fn headers() -> Vec<BlockHeader> {
    let file = load("elements/chain.json");
    let all = file["headers"].as_array().expect("headers");
    all.iter().map(|case| header::decode(&bytes(&case["header"])).expect("a header")).collect()
}

fn output(asset: AssetId, sat: u64, script: Script) -> TxOut {
    TxOut {
        asset: Asset::Explicit(asset),
        value: Value::Explicit(sat),
        nonce: Nonce::Null,
        script_pubkey: script,
        witness: TxOutWitness::default(),
    }
}

fn transaction(output: Vec<TxOut>) -> elements::Transaction {
    elements::Transaction { version: 2, lock_time: elements::LockTime::ZERO, input: vec![], output }
}

#[test]
fn claims_of_a_real_chain_are_read_with_the_peg_script_of_their_epoch() {
    let params = chain().params;
    let headers = headers();
    let file = load("elements/pegin.json");
    let mut ledger = Ledger::default();
    let valid = file["valid"].as_array().expect("cases");
    let invalid = file["invalid"].as_array().expect("cases");
    let expired = invalid.iter().find(|case| case["name"] == "fedpeg-a-expired").expect("the case");
    let claims = valid.iter().map(|case| (&case["claim_height"], &case["claim_tx"], Some(case)));
    let claims: Vec<_> = claims.chain([(&expired["height"], &expired["tx"], None)]).collect();
    let mut seen = 0;
    for header in &headers {
        let here = claims.iter().filter(|(height, ..)| height.as_u64() == Some(header.height.into()));
        let txs = here.clone().map(|(_, tx, _)| elements::encode::deserialize(&bytes(tx)).expect("a transaction"));
        let block = Block { header: header.clone(), txdata: std::iter::once(transaction(vec![])).chain(txs).collect() };
        let before = ledger.fedpegs_before(header.height, params.total_valid_epochs);
        let facts = read_sidechain(&params, &block, &before);
        assert_eq!(facts.claims.len(), here.clone().count());
        for (claim, (_, _, case)) in facts.claims.iter().zip(here) {
            seen += 1;
            let Some(case) = case else {
                assert_eq!(claim.epoch, None, "its peg script has expired");
                continue;
            };
            assert_eq!(claim.script.as_bytes(), bytes(&case["mainchain_script_pubkey"]), "{}", case["name"]);
            assert_eq!(Some(claim.sat), case["sat"].as_u64());
            assert_eq!(Some(claim.block.to_string().as_str()), case["parent_block_hash"].as_str());
            assert!(claim.epoch.is_some_and(|epoch| epoch <= header.height));
        }
        if !facts.is_empty() {
            ledger.put_sidechain(header.height, facts);
        }
    }
    assert_eq!(seen, valid.len() + 1);
    let total: u64 = valid.iter().filter_map(|case| case["sat"].as_u64()).sum();
    let summary = ledger.summary(|_| Some((1, 1)));
    assert_eq!((summary.bad_claims, summary.reserve, summary.unplaced), (1, total, 0));
    assert!(summary.short, "nothing stands behind the claim that has expired");
    let lost = ledger.summary(|_| None);
    assert_eq!((lost.reserve, lost.unplaced), (0, total), "deposits that Bitcoin does not know are no reserve");
}

#[test]
fn a_block_is_read_for_what_it_makes_and_destroys() {
    let params = chain().params;
    let mut header = headers().remove(3);
    header.height = 7;
    let (asset, other) = (params.policy_asset, AssetId::from_byte_array([9; 32]));
    let to = |parent, destination: &[u8]| {
        Pegout { parent_genesis: parent, destination: destination.to_vec().into(), extra: vec![] }.to_script()
    };
    let ours = params.parent_genesis_hash;
    let strange = bitcoin::BlockHash::from_byte_array([3; 32]);
    let payment = transaction(vec![
        output(asset, 100, to(ours, &[0, 20])),
        output(asset, 20, to(ours, &[])),
        output(asset, 3, to(strange, &[0, 20])),
        output(asset, 4_000, Script::from(vec![0x6a])),
        output(other, 50_000, Script::from(vec![0x6a])),
        output(asset, 600_000, Script::from(vec![0x51])),
        output(asset, 77, Script::new()),
    ]);
    let read = |collected: u64| {
        let coinbase = transaction(vec![output(asset, collected, Script::from(vec![0x51]))]);
        read_sidechain(&params, &Block { header: header.clone(), txdata: vec![coinbase, payment.clone()] }, &[])
    };
    let facts = read(77);
    assert_eq!(facts.requested, [Requested { destination: vec![0, 20].into(), sat: 100 }]);
    assert_eq!((facts.burned, facts.created), (20 + 3 + 4_000, 0));
    assert_eq!((read(70).burned, read(70).created), (4_023 + 7, 0), "a fee that nobody takes is burned");
    assert_eq!((read(80).burned, read(80).created), (4_023, 3), "a coinbase that takes more makes money");
    assert_eq!(facts.fedpeg, None);

    header.height = 0;
    let genesis = Block { header, txdata: vec![transaction(vec![output(asset, 5, Script::new())]), payment] };
    let facts = read_sidechain(&params, &genesis, &[]);
    assert!(facts.created >= 600_000 && facts.fedpeg.is_some_and(|fedpeg| fedpeg.epoch_start == 0));
    let real = params.genesis().expect("a block");
    assert_eq!(read_sidechain(&params, &real, &[]).created, crate::consensus::MAX_MONEY, "this chain began with all its coins");
}

fn script(tag: u8) -> ScriptBuf {
    [vec![0, 20], vec![tag; 20]].concat().into()
}

fn fedpeg(epoch_start: u32, tag: u8) -> Fedpeg {
    let inner = ScriptBuf::from(vec![0x51, tag]);
    Fedpeg { epoch_start, program: inner.to_p2wsh(), script: inner }
}

fn outpoint(tag: u8) -> OutPoint {
    OutPoint::new(Txid::from_byte_array([tag; 32]), 0)
}

fn claim(tag: u8, sat: u64) -> Claim {
    let block = bitcoin::BlockHash::from_byte_array([tag; 32]);
    Claim { deposit: outpoint(tag), sat, script: script(tag), block, epoch: Some(0) }
}

/// Blocks are placed by the first byte of their hash.
fn place(block: &bitcoin::BlockHash) -> Option<(u32, u32)> {
    let tag = u32::from(block.to_byte_array()[0]);
    Some((tag, 1_000 + tag))
}

fn spend(inputs: &[OutPoint], outputs: &[(ScriptBuf, u64)]) -> Transaction {
    let input = |previous_output: &OutPoint| bitcoin::TxIn { previous_output: *previous_output, ..bitcoin::TxIn::default() };
    let output = |(script_pubkey, sat): &(ScriptBuf, u64)| bitcoin::TxOut {
        value: Amount::from_sat(*sat),
        script_pubkey: script_pubkey.clone(),
    };
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: inputs.iter().map(input).collect(),
        output: outputs.iter().map(output).collect(),
    }
}

fn block(time: u32, txdata: Vec<Transaction>) -> bitcoin::Block {
    let mut header = bitcoin::constants::genesis_block(bitcoin::Network::Regtest).header;
    header.time = time;
    bitcoin::Block { header, txdata }
}

fn sidechain(time: u32, claims: Vec<Claim>, requested: &[(u8, u64)], burned: u64) -> SidechainFacts {
    let requested = requested.iter().map(|(tag, sat)| Requested { destination: script(*tag), sat: *sat }).collect();
    SidechainFacts { time, claims, requested, burned, ..SidechainFacts::default() }
}

/// Two deposits, a burn, and a peg-out of 300 000 that was asked for.
fn books() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.put_sidechain(0, SidechainFacts { time: 900, fedpeg: Some(fedpeg(0, 1)), ..SidechainFacts::default() });
    ledger.put_sidechain(5, sidechain(1_500, vec![claim(10, 1_000_000), claim(20, 500_000)], &[], 0));
    ledger.put_sidechain(6, sidechain(1_600, vec![], &[], 50_000));
    ledger.put_sidechain(8, sidechain(1_800, vec![], &[(99, 300_000)], 0));
    ledger
}

/// Pays the peg-out of the books with change at the peg script in force.
fn payment() -> Transaction {
    spend(&[outpoint(10)], &[(script(99), 298_000), (fedpeg(0, 1).program, 700_000)])
}

#[test]
fn the_books_of_a_peg_in_a_burn_and_a_peg_out_are_exactly_right() {
    let mut ledger = books();
    let before = ledger.summary(place);
    assert_eq!((before.pegged_in, before.burned, before.pegged_out, before.created), (1_500_000, 50_000, 300_000, 0));
    assert_eq!((before.circulating, before.unpaid, before.reserve), (1_150_000, 300_000, 1_500_000));
    assert_eq!((before.owed(), before.coverage, before.missing, before.short), (1_450_000, Some(10_344), 0, false));

    ledger.put_bitcoin(50, ledger.read_bitcoin(&block(1_900, vec![payment()])));
    let after = ledger.summary(place);
    assert_eq!((after.circulating, after.unpaid, after.reserve), (1_150_000, 0, 1_200_000));
    assert_eq!((after.coverage, after.unexplained, after.short), (Some(10_434), 0, false));
    assert_eq!(after.fees, 0, "the fee was deducted from the peg-out");
    let last = after.points.last().expect("points");
    assert_eq!((last.circulating, last.reserve, last.time), (1_150_000, 1_200_000, 1_900));
    let first = after.points.first().expect("points");
    assert_eq!((first.circulating, first.reserve, first.time), (0, 1_000_000, 1_010), "the deposit comes before its claim");
}

#[test]
fn coins_that_leave_without_a_peg_out_are_a_shortfall_and_named() {
    let mut ledger = books();
    let theft = spend(&[outpoint(20)], &[(script(66), 499_000)]);
    ledger.put_bitcoin(50, ledger.read_bitcoin(&block(1_900, vec![payment(), theft.clone()])));
    let summary = ledger.summary(place);
    assert_eq!((summary.reserve, summary.missing, summary.short), (700_000, 450_000, true));
    assert_eq!(summary.unexplained_by, [Unexplained { txid: theft.compute_txid(), sat: 499_000 }]);
    assert_eq!(summary.coverage, Some(6_086));
    ledger.roll_back_bitcoin(Some(49));
    assert!(!ledger.summary(place).short);
}

#[test]
fn a_payment_that_serves_twice_explains_one_spend_only() {
    let mut ledger = books();
    let again = spend(&[outpoint(20)], &[(script(99), 298_000), (fedpeg(0, 1).program, 200_000)]);
    ledger.put_bitcoin(50, ledger.read_bitcoin(&block(1_900, vec![payment(), again])));
    let summary = ledger.summary(place);
    assert_eq!((summary.unexplained, summary.unpaid, summary.short), (298_000, 0, true));
}

#[test]
fn what_miners_take_is_no_shortfall_up_to_a_hundredth_of_what_is_moved() {
    for (burned, short) in [(0, true), (8_999, true), (9_000, false)] {
        let mut ledger = Ledger::default();
        ledger.put_sidechain(0, SidechainFacts { time: 900, fedpeg: Some(fedpeg(0, 1)), ..SidechainFacts::default() });
        // Ten thousand satoshi of the coin are neither paid out nor kept.
        ledger.put_sidechain(5, sidechain(1_500, vec![claim(10, 100_000)], &[(99, 90_000)], burned));
        let paid = spend(&[outpoint(10)], &[(script(99), 89_000)]);
        ledger.put_bitcoin(50, ledger.read_bitcoin(&block(1_900, vec![paid])));
        let summary = ledger.summary(place);
        assert_eq!((summary.missing, summary.fees, summary.short), (10_000 - burned, 10_000, short));
    }
    let mut ledger = books();
    let sweep = spend(&[outpoint(10), outpoint(20)], &[(fedpeg(0, 1).program, 1_497_000)]);
    ledger.put_bitcoin(50, ledger.read_bitcoin(&block(1_900, vec![sweep])));
    let summary = ledger.summary(place);
    assert_eq!((summary.reserve, summary.fees, summary.missing, summary.short), (1_497_000, 3_000, 0, false));
    assert_eq!(summary.unexplained, 0);
}

#[test]
fn coins_under_a_script_that_was_voted_out_are_told_apart() {
    let mut ledger = books();
    assert_eq!(ledger.summary(place).at_old_scripts, 0);
    ledger.put_sidechain(10, SidechainFacts { time: 1_850, fedpeg: Some(fedpeg(10, 2)), ..SidechainFacts::default() });
    assert_eq!(ledger.summary(place).at_old_scripts, 1_500_000);
    let moved = spend(&[outpoint(10), outpoint(20)], &[(script(99), 298_000), (fedpeg(10, 2).program, 1_200_000)]);
    ledger.put_bitcoin(50, ledger.read_bitcoin(&block(1_900, vec![moved])));
    let summary = ledger.summary(place);
    assert_eq!((summary.at_old_scripts, summary.reserve, summary.short), (0, 1_200_000, false));
    assert_eq!(ledger.fedpegs_before(10, 2), [fedpeg(0, 1)]);
    assert_eq!(ledger.fedpegs_before(11, 2), [fedpeg(10, 2), fedpeg(0, 1)]);
    assert_eq!(ledger.fedpegs_before(11, 1), [fedpeg(10, 2)]);
}

#[test]
fn a_block_that_was_read_before_a_claim_was_known_is_read_again() {
    let mut ledger = books();
    let chained = spend(&[outpoint(30)], &[(fedpeg(0, 1).program, 90_000)]);
    let on = spend(&[OutPoint::new(chained.compute_txid(), 0)], &[(script(99), 80_000)]);
    let bytes = block(1_900, vec![chained, on.clone()]);
    ledger.put_bitcoin(50, ledger.read_bitcoin(&bytes));
    let gift = ledger.summary(place);
    assert_eq!(
        (gift.reserve, gift.unpaid, gift.unexplained),
        (1_500_000, 0, 0),
        "an unknown coin became change and was paid out"
    );

    ledger.put_sidechain(9, sidechain(1_850, vec![claim(30, 100_000)], &[], 0));
    assert_eq!(ledger.summary(place).reserve, 1_600_000, "as long as its spending is not known");
    ledger.put_bitcoin(50, ledger.read_bitcoin(&bytes));
    assert_eq!(ledger.summary(place).reserve, 1_500_000);
    assert!(ledger.scripts().contains(&script(10)) && !ledger.scripts().contains(&script(30)), "spent coins are not followed");
    let wanted = ledger.scripts_of(9);
    assert_eq!(wanted, [(vec![script(30)], Since::Block(claim(30, 0).block))]);
}

#[test]
fn a_deposit_that_is_claimed_twice_is_one_coin() {
    let mut ledger = books();
    ledger.put_sidechain(9, sidechain(1_850, vec![claim(20, 500_000)], &[], 0));
    let summary = ledger.summary(place);
    assert_eq!((summary.pegged_in, summary.reserve, summary.short), (2_000_000, 1_500_000, true));
}

#[test]
fn facts_survive_the_disk() {
    let facts = sidechain(7, vec![claim(1, 5)], &[(9, 8)], 3);
    let text = serde_json::to_string(&facts).expect("JSON");
    assert_eq!(serde_json::from_str::<SidechainFacts>(&text).expect("facts"), facts);
    let facts = books().read_bitcoin(&block(1_900, vec![payment()]));
    let text = serde_json::to_string(&facts).expect("JSON");
    assert_eq!(serde_json::from_str::<BitcoinFacts>(&text).expect("facts"), facts);
}

prop_compose! {
    /// A sidechain block with at most one claim of each tag.
    fn any_sidechain()(time in 1_000u32..2_000, tags in prop::collection::btree_set(1u8..40, 0..3), sat in 1u64..1_000_000,
        asked in prop::collection::vec((90u8..95, 1u64..500_000), 0..3), burned in 0u64..10_000) -> SidechainFacts {
        sidechain(time, tags.into_iter().map(|tag| claim(tag, sat)).collect(), &asked, burned)
    }
}

prop_compose! {
    fn any_bitcoin()(time in 1_000u32..2_000, spent in prop::collection::btree_set(1u8..40, 0..3), out in 0u64..900_000,
        paid in prop::collection::vec((90u8..96, 1u64..500_000), 0..3), kept in prop::option::of((50u8..80, 1u64..900_000))) -> BitcoinFacts {
        BitcoinFacts {
            time,
            spends: spent.into_iter().map(|tag| Spend { txid: Txid::from_byte_array([tag; 32]), inputs: vec![outpoint(tag)], out }).collect(),
            kept: kept.into_iter().map(|(tag, sat)| Kept { outpoint: outpoint(tag), sat, script: fedpeg(0, 1).program }).collect(),
            paid: paid.into_iter().map(|(tag, sat)| Paid { txid: Txid::from_byte_array([tag; 32]), destination: script(tag), sat }).collect(),
        }
    }
}

proptest! {
    #[test]
    fn the_books_balance_and_do_not_depend_on_the_order_of_facts(
        side in prop::collection::btree_map(1u32..50, any_sidechain(), 0..8),
        bitcoin in prop::collection::btree_map(1u32..50, any_bitcoin(), 0..8),
        fork in 0u32..50,
    ) {
        let mut ledger = Ledger::default();
        side.iter().for_each(|(height, facts)| ledger.put_sidechain(*height, facts.clone()));
        bitcoin.iter().for_each(|(height, facts)| ledger.put_bitcoin(*height, facts.clone()));
        let mut backwards = Ledger::default();
        bitcoin.iter().rev().for_each(|(height, facts)| backwards.put_bitcoin(*height, facts.clone()));
        side.iter().rev().for_each(|(height, facts)| backwards.put_sidechain(*height, facts.clone()));
        let summary = ledger.summary(place);
        prop_assert_eq!(&backwards.summary(place), &summary);

        prop_assert_eq!(summary.circulating, (summary.pegged_in + summary.created).saturating_sub(summary.pegged_out + summary.burned));
        prop_assert!(summary.unpaid <= summary.pegged_out && summary.at_old_scripts <= summary.reserve);
        prop_assert_eq!(summary.missing, summary.owed().saturating_sub(summary.reserve));
        if let Some(last) = summary.points.last() {
            prop_assert_eq!((last.circulating, last.reserve), (summary.circulating, summary.reserve));
        }
        prop_assert!(summary.points.is_sorted_by_key(|point| point.time) && summary.points.len() <= 242);

        // What was undone and came again leaves no trace.
        let mut undone = ledger.clone();
        undone.roll_back_sidechain(Some(fork));
        undone.roll_back_bitcoin(Some(fork));
        prop_assert!(undone.sidechain.keys().chain(undone.bitcoin.keys()).all(|height| *height <= fork));
        side.range(fork + 1..).for_each(|(height, facts)| undone.put_sidechain(*height, facts.clone()));
        bitcoin.range(fork + 1..).for_each(|(height, facts)| undone.put_bitcoin(*height, facts.clone()));
        prop_assert_eq!(&undone, &ledger);
        undone.roll_back_sidechain(None);
        undone.roll_back_bitcoin(None);
        prop_assert_eq!(undone, Ledger::default());
    }
}
