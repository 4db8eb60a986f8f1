//! PSETs out and back, honest and lying.

use super::*;
use crate::wallet::build::{Action, Drain, Recipient};
use crate::wallet::testing::{World, hex, vectors};
use elements::pset::elip100::TokenMetadata;
use elements::pset::raw::Key;
use proptest::prelude::*;
use secp256k1_zkp::SecretKey;
use std::str::FromStr as _;

/// A payment of the fixtures' first wallet to itself and to an address of nobody, with its openings.
fn draft(world: &mut World) -> SidechainDraft {
    let own = world.wallet.reveal_next(crate::wallet::Chain::External).1.confidential_address();
    let mut foreign = own.clone();
    foreign.payload =
        elements::address::Payload::WitnessProgram { version: elements::bitcoin::bech32::Fe32::Q, program: vec![9; 20] };
    let pay = |address, amount| Recipient { address, asset: world.policy(), amount };
    let recipients = vec![pay(own, 30_000), pay(foreign, 40_000)];
    let intent = world.intent(Action::Send { recipients, drain: Drain::No });
    let plan = world.wallet.plan(&intent, &mut world.rng).expect("enough");
    world.wallet.absorb(&plan.changes);
    world.blind(&plan)
}

#[test]
fn an_exported_draft_comes_back_with_all_its_openings() {
    let mut world = World::new("w1", 21);
    let draft = draft(&mut world);
    let exported = export(&draft, &mut world.rng);
    let binary = elements::encode::serialize(&exported);
    for bytes in [binary.clone(), exported.to_string().into_bytes(), format!("  {exported}\n").into_bytes()] {
        let back = import(&world.wallet, &bytes).expect("ours");
        assert_eq!((&back.inputs, &back.outputs), (&draft.inputs, &draft.outputs));
        assert_eq!(back.pset.extract_tx().expect("whole").txid(), draft.pset.extract_tx().expect("whole").txid());
        assert_eq!(world.sign(&back.pset), world.sign(&draft.pset));
    }
    let mut stranger = World::new("w2", 22);
    assert_eq!(import(&stranger.wallet, &binary).expect_err("not theirs").code, Code::NothingToSign);
    let theirs = self::draft(&mut stranger);
    assert_eq!(import(&world.wallet, &elements::encode::serialize(&theirs.pset)).expect_err("not ours").code, Code::BadDraft);
}

#[test]
fn without_records_only_what_we_can_open_is_open() {
    let mut world = World::new("w1", 23);
    let draft = draft(&mut world);
    let back = import(&world.wallet, &elements::encode::serialize(&draft.pset)).expect("ours");
    assert_eq!(back.inputs, draft.inputs);
    for (index, output) in draft.pset.outputs().iter().enumerate() {
        let readable = output.amount_comm.is_none() || world.wallet.path_of(&output.script_pubkey).is_some();
        assert_eq!(back.outputs[index], draft.outputs[index].filter(|_| readable));
    }
}

#[test]
fn a_draft_that_lies_is_refused_by_the_lie() {
    let mut world = World::new("w1", 24);
    let draft = draft(&mut world);
    let honest = export(&draft, &mut world.rng);
    let hidden = |pset: &Pset, ours: bool| {
        let outputs = pset.outputs().iter();
        let place = outputs
            .enumerate()
            .position(|(_, o)| o.amount_comm.is_some() && world.wallet.path_of(&o.script_pubkey).is_some() == ours);
        place.expect("a hidden output")
    };
    type Lie = fn(&mut Output);
    let strip: Lie = |o| {
        o.proprietary.clear();
        o.amount = o.amount.map(|amount| amount - 1);
    };
    let lies: [(&str, bool, Lie); 5] = [
        ("output-amount", true, |o| o.amount = Some(1)),
        ("output-asset", true, |o| o.asset = Some(AssetId::from_byte_array([3; 32]))),
        ("output-amount", false, |o| o.amount = o.amount.map(|amount| amount - 1)),
        ("output-asset", false, |o| o.set_abf(AssetBlindingFactor::from_byte_array([3; 32]).expect("a factor"))),
        ("output-amount", false, strip),
    ];
    for (why, ours, lie) in lies {
        let mut pset = honest.clone();
        let place = hidden(&pset, ours);
        lie(&mut pset.outputs_mut()[place]);
        let refused = import(&world.wallet, &elements::encode::serialize(&pset)).expect_err(why);
        assert_eq!((refused.code, refused.args["why"].as_str()), (Code::DraftLies, why));
        assert_eq!(refused.args["output"], place.to_string());
    }
    type InputLie = fn(&mut Input);
    let lies: [(&str, InputLie); 3] = [
        ("input-amount", |i| i.amount = Some(1)),
        ("input-asset", |i| i.asset = Some(AssetId::from_byte_array([3; 32]))),
        ("previous-output", |i| i.witness_utxo.as_mut().expect("there").value = Value::Explicit(5)),
    ];
    for (why, lie) in lies {
        let mut pset = honest.clone();
        lie(&mut pset.inputs_mut()[0]);
        let refused = import(&world.wallet, &elements::encode::serialize(&pset)).expect_err(why);
        assert_eq!((refused.code, refused.args["why"].as_str(), refused.args["input"].as_str()), (Code::DraftLies, why, "0"));
    }
}

#[test]
fn only_signatures_are_taken_from_a_returned_pset() {
    let mut world = World::new("w1", 25);
    let draft = draft(&mut world);
    let sent = export(&draft, &mut world.rng);
    let key = *sent.inputs()[0].bip32_derivation.keys().next().expect("a key");
    let mut returned = sent.clone();
    returned.inputs_mut()[0].partial_sigs.insert(key, vec![1, 2, 1]);
    returned.global.unknown.insert(Key { type_value: 0x70, key: vec![] }, vec![1]);
    let binary = |pset: &Pset| elements::encode::serialize(pset);
    let merged = merge(&world.wallet, &draft, &binary(&returned)).expect("the same transaction");
    let mut wanted = draft.clone();
    wanted.pset.inputs_mut()[0].partial_sigs.insert(key, vec![1, 2, 1]);
    assert_eq!(merged.pset, wanted.pset, "the signature and nothing else");
    assert_eq!(finish(&merged.pset, world.wallet.params().genesis_hash).expect_err("no signature at all").code, Code::BadDraft);

    type Lie = fn(&mut Pset, bitcoin::PublicKey);
    let lies: [(&str, Lie); 7] = [
        ("transaction", |pset, _| pset.inputs_mut()[0].sequence = None),
        ("output-amount", |pset, _| pset.outputs_mut()[0].amount = Some(1)),
        ("transaction", |pset, _| drop(pset.remove_output(0))),
        ("transaction", |pset, _| pset.outputs_mut().swap(0, 1)),
        ("signature", |pset, key| drop(pset.inputs_mut()[0].partial_sigs.insert(key, vec![1, 2, 3]))),
        ("signature", |pset, key| {
            let other = pset.inputs_mut()[0].bip32_derivation.remove(&key).map(|_| pset.inputs()[0].clone());
            pset.inputs_mut()[0] = other.expect("there");
            let stranger = bitcoin::PublicKey::new(SecretKey::from_slice(&[9; 32]).expect("a key").public_key(SECP256K1));
            pset.inputs_mut()[0].partial_sigs.insert(stranger, vec![1, 2, 1]);
        }),
        ("final", |pset, _| pset.inputs_mut()[0].final_script_witness = Some(Witness::from_slice(&[vec![1]]))),
    ];
    for (why, lie) in lies {
        let mut changed = returned.clone();
        lie(&mut changed, key);
        let refused = merge(&world.wallet, &draft, &binary(&changed)).expect_err(why);
        assert_eq!((refused.code, refused.args["why"].as_str()), (Code::DraftLies, why));
    }
}

#[test]
fn a_signed_pset_is_finished_only_when_every_signature_holds() {
    let mut world = World::new("w1", 27);
    let draft = draft(&mut world);
    let genesis = world.wallet.params().genesis_hash;
    assert_eq!(finish(&draft.pset, genesis).expect_err("unsigned").code, Code::BadDraft);
    let signed = world.sign(&draft.pset);
    let mut returned = export(&draft, &mut world.rng);
    for (input, finished) in returned.inputs_mut().iter_mut().zip(&signed.input) {
        input.final_script_witness = Some(finished.witness.script_witness.clone());
    }
    let merged = merge(&world.wallet, &draft, &elements::encode::serialize(&returned)).expect("the same transaction");
    assert_eq!(finish(&merged.pset, genesis), Ok(signed));
    let mut forged = returned;
    let witness = forged.inputs()[0].final_script_witness.clone().expect("signed").to_vec();
    let mut signature = witness[0].clone();
    signature[10] ^= 1;
    forged.inputs_mut()[0].final_script_witness = Some(Witness::from_slice(&[signature, witness[1].clone()]));
    let merged = merge(&world.wallet, &draft, &elements::encode::serialize(&forged)).expect("the same transaction");
    assert_eq!(finish(&merged.pset, genesis).expect_err("forged").code, Code::BadDraft);
}

#[test]
fn asset_records_are_written_as_published() {
    for case in vectors("elip100_pset.json") {
        let text = |key: &str| case[key].as_str().expect(key);
        let contract = Contract::parse(text("contract")).expect("JSON");
        let prevout = elements::OutPoint::from_str(&format!("[elements]{}", text("prevout")))
            .or_else(|_| elements::OutPoint::from_str(text("prevout")))
            .expect("an outpoint");
        let blinded = case["issuance_blinded"].as_bool().expect("a flag");
        let asset = AssetId::from_str(text("asset")).expect("an id");
        let token = AssetId::from_str(text("token")).expect("an id");
        let mut pset = Pset::new_v2();
        // The published example's id does not follow from its contract, so that only the encoding can be checked by it.
        pset.add_asset_metadata(asset, &AssetMetadata::new(text("contract").to_owned(), prevout));
        pset.add_token_metadata(token, &TokenMetadata::new(asset, blinded));
        for (key, value) in [("metadata_key", "metadata_value"), ("token_key", "token_value")] {
            let wanted = (hex(&case[key]), hex(&case[value]));
            let written = pset.global.proprietary.iter().map(|(key, value)| {
                let Key { type_value, key } = key.to_key();
                ([vec![type_value], key].concat(), value.clone())
            });
            assert!(written.into_iter().any(|record| record == wanted), "{}: {key}", text("name"));
        }
        let holds = issuance::ids(prevout, contract.hash(), blinded).asset == asset;
        assert_eq!(described_assets(&pset).contains_key(&asset), holds && Contract::parse_canonical(text("contract")).is_ok());

        let mut ours = Pset::new_v2();
        describe_asset(&mut ours, &contract, prevout, blinded);
        assert_eq!(ours.global.proprietary == pset.global.proprietary, holds);
    }
}

#[test]
fn asset_factors_are_written_as_published() {
    for case in vectors("elip102_pset.json") {
        let factor = AssetBlindingFactor::from_slice(&hex(&case["abf"])).expect("a factor");
        let (mut input, mut output) = (Input::default(), Output::default());
        input.set_abf(factor);
        output.set_abf(factor);
        for records in [&input.proprietary, &output.proprietary] {
            let (key, value) = records.iter().next().expect("one record");
            let Key { type_value, key } = key.to_key();
            assert_eq!(([vec![type_value], key].concat(), value.clone()), (hex(&case["key"]), hex(&case["value"])));
        }
        assert_eq!((input.get_abf().expect("there").ok(), output.get_abf().expect("there").ok()), (Some(factor), Some(factor)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), place in 0..20_000usize, byte in any::<u8>()) {
        let world = WORLD.with(|world| world.clone());
        let _ = import(&world.0, &bytes);
        let mut spoilt = world.1;
        let place = place % spoilt.len();
        spoilt[place] = byte;
        let _ = import(&world.0, &spoilt);
    }
}

std::thread_local! {
    static WORLD: (SidechainWallet, Vec<u8>) = {
        let mut world = World::new("w1", 26);
        let draft = draft(&mut world);
        let bytes = elements::encode::serialize(&export(&draft, &mut world.rng));
        (world.wallet, bytes)
    };
}
