//! Plans over the coins of a real chain: what they balance to, what they cost, and that their proofs hold.

use super::*;
use crate::consensus::pegin::PeginWitness;
use crate::wallet::CtDescriptor;
use crate::wallet::descriptor::KeyPath;
use crate::wallet::state::{Kind, Problem, SupplyEvent};
use crate::wallet::testing::{World, fixture, hex};
use elements::{Address, Transaction};
use std::collections::BTreeMap;
use std::str::FromStr as _;

/// An address of the other wallet.
fn stranger(index: u32) -> Address {
    let fixture = fixture("wallet.json");
    let descriptor = CtDescriptor::parse(fixture["wallets"][1]["descriptor"].as_str().expect("text")).expect("valid");
    let params = crate::wallet::testing::chain_params();
    descriptor.derive(index, params.address_params()).expect("derives").confidential_address()
}

fn explicit_stranger(index: u32) -> Address {
    stranger(index).to_unconfidential()
}

fn gold() -> AssetId {
    AssetId::from_str(fixture("wallet.json")["assets"]["GOLD"].as_str().expect("an id")).expect("an id")
}

fn pay(address: Address, asset: AssetId, amount: u64) -> Recipient {
    Recipient { address, asset, amount }
}

fn send(recipients: Vec<Recipient>) -> Action {
    Action::Send { recipients, drain: Drain::No }
}

fn blinded_outputs(tx: &Transaction) -> usize {
    tx.output.iter().filter(|output| output.value.is_confidential()).count()
}

/// Per asset: inputs and issuances equal outputs and fee.
fn assert_conserves(plan: &Plan) {
    let mut sums = BTreeMap::<AssetId, i128>::new();
    for input in &plan.inputs {
        *sums.entry(input.opening.asset).or_default() += i128::from(input.opening.value);
        if let Some(issuance) = &input.issuance {
            *sums.entry(issuance.asset).or_default() += i128::from(issuance.amount);
            *sums.entry(issuance.token).or_default() += i128::from(issuance.tokens);
        }
    }
    for output in &plan.outputs {
        *sums.entry(output.asset).or_default() -= i128::from(output.amount);
    }
    assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
}

/// The planned size is that of the signed transaction, signatures counted with their largest size.
fn assert_measured(plan: &Plan, tx: &Transaction, intent: &Intent) {
    // A signature is one or two bytes shorter than the largest one, hardly ever more.
    let spare = 4 * tx.input.len();
    assert!((tx.weight()..=tx.weight() + spare).contains(&plan.weight), "{} planned, {} made", plan.weight, tx.weight());
    let made = if intent.discount { tx.discount_vsize() } else { tx.vsize() };
    assert!((made..=made + tx.input.len()).contains(&plan.vsize), "{} planned, {made} made", plan.vsize);
    assert!(plan.fee >= (made as u64 * intent.fee_rate).div_ceil(1000));
}

#[test]
fn a_payment_of_two_assets_balances_and_verifies() {
    for (rate, discount) in [(100, true), (100, false), (12_345, true)] {
        let mut world = World::new("w1", 1);
        let action = send(vec![pay(stranger(3), world.policy(), 25_000_000), pay(stranger(4), gold(), 40_000_000)]);
        let intent = Intent { fee_rate: rate, discount, ..world.intent(action) };
        let (plan, draft, tx) = world.make(&intent).expect("enough");
        assert_conserves(&plan);
        assert_measured(&plan, &tx, &intent);
        assert_eq!((plan.change.len(), blinded_outputs(&tx)), (2, 4));
        assert!(plan.outputs.iter().all(|output| output.purpose != Purpose::Balance));
        assert!(plan.fee < plan.vsize as u64 * rate / 1000 + 2, "no fee beyond the rate");

        let before = world.wallet.balances();
        world.wallet.absorb(&plan.changes);
        world.wallet.register_unconfirmed(&tx, &draft.outputs, 9);
        let after = world.wallet.balances();
        let total = |b: &crate::wallet::Balance| b.confirmed + b.pending;
        assert_eq!(total(&before[&world.policy()]) - total(&after[&world.policy()]), 25_000_000 + plan.fee);
        assert_eq!(total(&before[&gold()]) - total(&after[&gold()]), 40_000_000);
        assert_eq!(after[&gold()].own_pending, after[&gold()].pending);
        let flow = world.wallet.flow(&tx.txid()).expect("known");
        assert_eq!(flow.entry.kind, Kind::Send);
        assert!(flow.outputs.iter().all(|output| output.amount.is_some()), "what we paid stays known");
        let stored: u64 = world.wallet.coins().filter(|coin| coin.height.is_none()).map(|coin| coin.opening.value).sum();
        assert_eq!(stored, plan.change.iter().map(|change| change.amount).sum::<u64>());
    }
}

#[test]
fn draining_leaves_nothing_of_the_asset() {
    let mut world = World::new("w1", 2);
    for asset in [gold(), world.policy()] {
        let recipients = vec![pay(stranger(0), asset, 0)];
        let intent = world.intent(Action::Send { recipients, drain: Drain::To(0) });
        let (plan, _, tx) = world.make(&intent).expect("enough");
        assert_conserves(&plan);
        assert_measured(&plan, &tx, &intent);
        assert!(plan.change.iter().all(|change| change.asset != asset));
        world.mine(tx);
        assert!(!world.wallet.balances().contains_key(&asset));
    }
    assert!(world.wallet.balances().is_empty());
}

#[test]
fn hidden_coins_paid_out_for_all_to_see_get_an_output_that_balances() {
    let mut world = World::new("w1", 3);
    let recipients = vec![pay(explicit_stranger(0), world.policy(), 0)];
    let intent = world.intent(Action::Send { recipients, drain: Drain::To(0) });
    let (plan, draft, tx) = world.make(&intent).expect("enough");
    assert_conserves(&plan);
    assert_measured(&plan, &tx, &intent);
    assert_eq!(blinded_outputs(&tx), 1);
    let balance = plan.outputs.iter().position(|output| output.purpose == Purpose::Balance).expect("there");
    assert_eq!((plan.outputs[balance].amount, tx.output[balance].script_pubkey.as_bytes()), (0, &[0x6a][..]));
    assert_eq!(draft.outputs[balance].expect("ours").value, 0);
}

/// Funds the wallet with one explicit coin and nothing else of the policy asset.
fn with_one_explicit_coin(world: &mut World, amount: u64) -> elements::OutPoint {
    let (_, derived, _) = world.wallet.reveal_next(Chain::External);
    let recipients = vec![pay(derived.explicit_address(), world.policy(), amount)];
    let (_, _, tx) = world.make(&world.intent(send(recipients))).expect("enough");
    let txid = tx.txid();
    world.mine(tx);
    let coin = world.wallet.coins().find(|coin| coin.outpoint.txid == txid && !coin.blinded);
    coin.expect("the explicit coin").outpoint
}

#[test]
fn explicit_coins_are_never_hidden_in_a_single_output() {
    let mut world = World::new("w1", 4);
    let coin = with_one_explicit_coin(&mut world, 1_000_000);
    for (address, drain, wanted) in [
        (stranger(0), Drain::To(0), 2),          // the payment and one that balances
        (stranger(0), Drain::No, 2),             // payment and change
        (explicit_stranger(0), Drain::To(0), 0), // nothing to hide
        (explicit_stranger(0), Drain::No, 2),    // change and one that balances
    ] {
        let recipients = vec![pay(address, world.policy(), 300_000)];
        let coins = [coin].into();
        let intent = Intent { coins, ..world.intent(Action::Send { recipients, drain }) };
        let (plan, _, tx) = world.make(&intent).expect("enough");
        assert_conserves(&plan);
        assert_measured(&plan, &tx, &intent);
        assert_eq!((blinded_outputs(&tx), plan.inputs.len()), (wanted, 1), "{drain:?}");
    }
}

#[test]
fn chosen_coins_are_all_spent_and_no_others() {
    let mut world = World::new("w1", 5);
    let coins: Vec<_> = world.wallet.coins().filter(|coin| coin.opening.asset == world.policy()).take(3).collect();
    let chosen = coins.iter().map(|coin| coin.outpoint).collect();
    let intent = Intent { coins: chosen, ..world.intent(send(vec![pay(stranger(1), world.policy(), 1000)])) };
    let (plan, _, _) = world.make(&intent).expect("enough");
    let mut spent: Vec<_> = plan.inputs.iter().map(|input| input.prevout).collect();
    spent.sort();
    assert_eq!(spent, coins.iter().map(|coin| coin.outpoint).collect::<Vec<_>>());
}

#[test]
fn an_asset_is_issued_reissued_and_burned() {
    for blinded in [false, true] {
        let mut world = World::new("w1", 6);
        let contract = ContractHash::from_byte_array([7; 32]);
        let intent = world.intent(Action::Issue { amount: 5_000, tokens: 1, contract, blinded });
        let (plan, draft, tx) = world.make(&intent).expect("enough");
        assert_conserves(&plan);
        assert_measured(&plan, &tx, &intent);
        let issuance = plan.inputs.iter().find_map(|input| input.issuance.clone()).expect("issues");
        world.wallet.register_unconfirmed(&tx, &draft.outputs, 1);
        world.mine(tx.clone());
        let held = |world: &World, asset| world.wallet.balances().get(&asset).map_or(0, |b| b.confirmed);
        assert_eq!((held(&world, issuance.asset), held(&world, issuance.token)), (5_000, 1));
        let known = world.wallet.issued_asset(&issuance.asset).expect("known");
        assert_eq!((known.token, known.contract_hash, known.blinded), (issuance.token, contract, blinded));
        assert_eq!((known.ours, known.reissuable, known.token_held), (true, Some(true), true));

        let intent = world.intent(Action::Reissue { asset: issuance.asset, amount: 70, entropy: None });
        let (plan, _, tx) = world.make(&intent).expect("the token is here");
        assert_conserves(&plan);
        assert_measured(&plan, &tx, &intent);
        assert_eq!(tx.input.iter().filter(|input| input.asset_issuance.amount.is_confidential()).count(), usize::from(blinded));
        world.mine(tx);
        assert_eq!((held(&world, issuance.asset), held(&world, issuance.token)), (5_070, 1));

        let intent = world.intent(Action::Burn { asset: issuance.asset, amount: 20 });
        let (plan, _, tx) = world.make(&intent).expect("enough");
        assert_conserves(&plan);
        assert_measured(&plan, &tx, &intent);
        world.mine(tx);
        assert_eq!(held(&world, issuance.asset), 5_050);
        let steps = world.wallet.issued_asset(&issuance.asset).expect("known").steps;
        let steps: Vec<_> = steps.into_iter().map(|step| (step.event, step.amount)).collect();
        let wanted = [(SupplyEvent::Issue, 5_000), (SupplyEvent::Reissue, 70), (SupplyEvent::Burn, 20)];
        assert_eq!(steps, wanted.map(|(event, amount)| (event, Some(amount))));
        let kinds: Vec<_> = world.wallet.history(None).take(3).map(|entry| entry.kind).collect();
        assert_eq!(kinds, [Kind::Burn, Kind::Reissue, Kind::Issue]);
    }
}

#[test]
fn an_asset_without_token_cannot_be_reissued() {
    let mut world = World::new("w1", 7);
    let contract = ContractHash::from_byte_array([0; 32]);
    let intent = world.intent(Action::Issue { amount: 10, tokens: 0, contract, blinded: false });
    let (plan, _, tx) = world.make(&intent).expect("enough");
    let asset = plan.inputs.iter().find_map(|input| input.issuance.clone()).expect("issues").asset;
    world.mine(tx);
    assert_eq!(world.wallet.issued_asset(&asset).expect("known").reissuable, Some(false));
    let refused = world.make(&world.intent(Action::Reissue { asset, amount: 1, entropy: None })).expect_err("no token");
    assert_eq!(refused.code, Code::NoToken);
    let refused = world.make(&world.intent(Action::Reissue { asset: gold(), amount: 1, entropy: None })).expect_err("unknown");
    assert_eq!(refused.code, Code::UnknownAsset);
}

#[test]
fn a_peg_out_leaves_for_bitcoin() {
    let mut world = World::new("w1", 8);
    let destination = bitcoin::ScriptBuf::from_bytes([vec![0, 20], vec![3; 20]].concat());
    for drain in [false, true] {
        let action = Action::PegOut { amount: 150_000, drain, destination: destination.clone(), authorisation: None };
        let intent = world.intent(action);
        let (plan, _, tx) = world.make(&intent).expect("enough");
        assert_conserves(&plan);
        assert_measured(&plan, &tx, &intent);
        let parent = world.wallet.params().parent_genesis_hash;
        let seen = tx.output.iter().find_map(|output| Pegout::of_output(output, &parent, world.policy())).expect("a peg-out");
        assert_eq!(seen.0.destination, destination);
        assert!(drain || seen.1 == 150_000);
        world.mine(tx.clone());
        assert_eq!(world.wallet.history_entry(&tx.txid()).expect("known").kind, Kind::PegOut);
    }
    assert!(!world.wallet.balances().contains_key(&world.policy()));
}

#[test]
fn a_claimed_deposit_arrives_less_the_fee() {
    let mut world = World::new("w1", 9);
    let fixture = fixture("pegin.json");
    let claimed: Transaction = elements::encode::deserialize(&hex(&fixture["valid"][0]["claim_tx"])).expect("a transaction");
    let data = claimed.input[0].pegin_data().expect("a peg-in");
    let mut witness = PeginWitness::of_library(data).expect("six items");
    // Not the deposit's real claim script, which belongs to another wallet; only the federation would mind.
    witness.claim_script = world.wallet.account().derive(KeyPath { chain: Chain::External, index: 2 }).expect("derives").script;
    let deposit = bitcoin::OutPoint::new(witness.parent_tx.compute_txid(), 0);
    let value = witness.value;
    let intent = world.intent(Action::ClaimPegIn(Box::new(PegInClaim { deposit, witness: witness.clone() })));
    let (plan, draft, tx) = world.make(&intent).expect("enough");
    assert_conserves(&plan);
    assert_measured(&plan, &tx, &intent);
    assert_eq!(blinded_outputs(&tx), 2);
    assert_eq!(tx.input[0].pegin_prevout(), Some(deposit));
    let before = world.wallet.balances()[&world.policy()].confirmed;
    world.wallet.register_unconfirmed(&tx, &draft.outputs, 5);
    let arrived = world.wallet.balances()[&world.policy()];
    assert_eq!((arrived.confirmed, arrived.own_pending), (before, value - plan.fee));
    let flow = world.wallet.flow(&tx.txid()).expect("known");
    assert_eq!((flow.entry.kind, flow.inputs[0].amount), (Kind::PegIn, Some(value)));

    let higher = Intent { fee_rate: 200, ..intent.clone() };
    let (_, draft, second) = world.make(&higher).expect("enough");
    let twice = world.wallet.register_unconfirmed(&second, &draft.outputs, 6);
    assert_eq!(twice.problems, [Problem::DoubleSpend { refused: second.txid(), kept: tx.txid() }]);
    world.mine(second.clone());
    assert!(world.wallet.history_entry(&tx.txid()).is_none(), "a deposit is claimed once");
    assert_eq!(world.wallet.balances()[&world.policy()].pending, 0);

    witness.claim_script = stranger(0).script_pubkey();
    let foreign = world.intent(Action::ClaimPegIn(Box::new(PegInClaim { deposit, witness })));
    assert_eq!(world.make(&foreign).expect_err("not ours").code, Code::NotFound);
}

#[test]
fn what_cannot_be_done_is_refused_by_code() {
    let mut world = World::new("w1", 10);
    let policy = world.policy();
    let everything = world.wallet.balances()[&policy].confirmed;
    let nowhere = bitcoin::ScriptBuf::new();
    let spent = elements::OutPoint::new(crate::wallet::testing::no_txid(1), 0);
    let plain = |action| move |intent: &mut Intent| intent.action = action;
    type Spoil = Box<dyn FnOnce(&mut Intent)>;
    let cases: Vec<(Code, Spoil)> = vec![
        (Code::NoRecipients, Box::new(plain(send(vec![])))),
        (Code::BadAmount, Box::new(plain(send(vec![pay(stranger(0), policy, 0)])))),
        (Code::AboveSupply, Box::new(plain(send(vec![pay(stranger(0), policy, MAX_MONEY + 1)])))),
        (Code::Dust, Box::new(plain(send(vec![pay(stranger(0), policy, 5)])))),
        (Code::InsufficientFunds, Box::new(plain(send(vec![pay(stranger(0), policy, everything + 1)])))),
        (Code::InsufficientFee, Box::new(plain(send(vec![pay(stranger(0), policy, everything)])))),
        (Code::InsufficientFunds, Box::new(plain(send(vec![pay(stranger(0), gold(), 100_000_001)])))),
        (Code::FeeTooLow, Box::new(|intent| intent.fee_rate = 99)),
        (Code::FeeTooHigh, Box::new(|intent| intent.fee_rate = MAX_FEE_RATE + 1)),
        (Code::CoinUnavailable, Box::new(move |intent| intent.coins = [spent].into())),
        (
            Code::BadRequest,
            Box::new(plain(Action::Send { recipients: vec![pay(stranger(0), policy, 1000)], drain: Drain::To(1) })),
        ),
        (Code::BadAmount, Box::new(plain(Action::Burn { asset: policy, amount: 0 }))),
        (
            Code::PegOutDestination,
            Box::new(plain(Action::PegOut { amount: 200_000, drain: false, destination: nowhere, authorisation: None })),
        ),
        (
            Code::Dust,
            Box::new(plain(Action::PegOut {
                amount: MIN_PEG_OUT - 1,
                drain: false,
                destination: bitcoin::ScriptBuf::from_bytes(vec![0x51]),
                authorisation: None,
            })),
        ),
        (
            Code::ExplicitAddress,
            Box::new(|intent: &mut Intent| {
                intent.allow_explicit = false;
                let Action::Send { recipients, .. } = &mut intent.action else { unreachable!() };
                recipients[0].address = explicit_stranger(0);
            }),
        ),
        (
            Code::WrongNetwork,
            Box::new(|intent: &mut Intent| {
                let Action::Send { recipients, .. } = &mut intent.action else { unreachable!() };
                recipients[0].address.params = &elements::AddressParams::LIQUID;
            }),
        ),
    ];
    for (code, spoil) in cases {
        let mut intent = world.intent(send(vec![pay(stranger(0), policy, 10_000)]));
        intent.allow_explicit = false;
        world.make(&intent).expect("fine before it is spoilt");
        spoil(&mut intent);
        assert_eq!(world.make(&intent).expect_err("refused").code, code, "{:?}", intent.action);
    }
}

#[test]
fn excluded_coins_are_left_alone() {
    let mut world = World::new("w1", 11);
    let gold_coins = world.wallet.coins().filter(|coin| coin.opening.asset == gold()).map(|coin| coin.outpoint).collect();
    let intent = Intent { exclude: gold_coins, ..world.intent(send(vec![pay(stranger(0), gold(), 1)])) };
    let refused = world.make(&intent).expect_err("nothing left");
    assert_eq!((refused.code, refused.args["available"].as_str()), (Code::InsufficientFunds, "0"));
}
