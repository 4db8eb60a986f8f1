//! One test per field of a sidechain draft that can lie.

use crate::check::{Checked, Policy, check};
use crate::derive::Account;
use crate::sign::sign;
use crate::testing::{accounts, path, realm, rng, signing_keys};
use causeway_vocab::{AssetId, Atoms, Code, Draft, Opening, Refusal, SidechainDraft, Signed};
use elements::confidential::{Asset, AssetBlindingFactor, Value, ValueBlindingFactor};
use elements::pset::PartiallySignedTransaction as Pset;
use elements::secp256k1_zkp::{PublicKey, SECP256K1, SecretKey};
use elements::{LockTime, OutPoint, Script, Sequence, Transaction, TxIn, TxOut, TxOutSecrets, Txid};

fn policy_asset() -> elements::AssetId {
    realm().sidechain.policy_asset
}

fn gold() -> elements::AssetId {
    elements::AssetId::from_byte_array([3; 32])
}

fn own_script(chain: u32, index: u32) -> Script {
    accounts().sidechain_script_at(&path(Account::Sidechain, chain, index)).expect("ours")
}

fn stranger() -> Script {
    Script::from([&[0, 20][..], &[5; 20]].concat())
}

/// Where an output goes.
#[derive(Clone)]
enum To {
    Stranger,
    /// Our own, at this index of the change chain.
    Back(u32),
    /// Our script, blinded to somebody else's key.
    BackBlindedToStranger(u32),
    /// Explicit, to this script.
    Explicit(Script),
    Fee,
}

fn burn() -> Script {
    Script::from(vec![0x6a])
}

fn peg_out(genesis: bitcoin::BlockHash) -> Script {
    use bitcoin::hashes::Hash as _;
    let destination = [&[0u8, 20][..], &[8; 20]].concat();
    Script::from([&[0x6a, 32][..], &genesis.to_byte_array(), &[22], &destination].concat())
}

fn opening(secrets: &TxOutSecrets) -> Opening {
    Opening { asset: secrets.asset, asset_bf: secrets.asset_bf, value: secrets.value, value_bf: secrets.value_bf }
}

/// Spends our blinded 100,000 of the policy asset and 50 of gold.
fn draft(outputs: &[(elements::AssetId, u64, To)]) -> SidechainDraft {
    let mut rng = rng(11);
    let random = |rng: &mut rand::rngs::StdRng| SecretKey::new(rng);
    let stranger_key = PublicKey::from_secret_key(SECP256K1, &random(&mut rng));
    let key_of = |script: &Script| PublicKey::from_secret_key(SECP256K1, &accounts().blinding_key_of(script));
    let mut spent = Vec::new();
    for (asset, value, index) in [(policy_asset(), 100_000, 0), (gold(), 50, 1)] {
        let script = own_script(0, index);
        let secrets = TxOutSecrets::new(asset, AssetBlindingFactor::new(&mut rng), value, ValueBlindingFactor::new(&mut rng));
        let made_from = TxOutSecrets::new(asset, AssetBlindingFactor::zero(), value, ValueBlindingFactor::zero());
        let ephemeral = random(&mut rng);
        let txout =
            TxOut::with_txout_secrets(&mut rng, SECP256K1, script.clone(), key_of(&script), ephemeral, secrets, &[made_from]);
        spent.push((txout.expect("blinds"), secrets));
    }
    let inputs: Vec<TxOutSecrets> = spent.iter().map(|(_, secrets)| *secrets).collect();
    let place = |to: &To| match to {
        To::Stranger => (stranger(), Some(stranger_key)),
        To::Back(index) => (own_script(1, *index), Some(key_of(&own_script(1, *index)))),
        To::BackBlindedToStranger(index) => (own_script(1, *index), Some(stranger_key)),
        To::Explicit(script) => (script.clone(), None),
        To::Fee => (Script::new(), None),
    };
    let last = outputs.iter().rposition(|(.., to)| place(to).1.is_some());
    let mut made: Vec<Option<(TxOut, TxOutSecrets)>> = vec![None; outputs.len()];
    for (vout, (asset, value, to)) in outputs.iter().enumerate().filter(|(vout, _)| Some(*vout) != last) {
        let (script, blinder) = place(to);
        let zero = TxOutSecrets::new(*asset, AssetBlindingFactor::zero(), *value, ValueBlindingFactor::zero());
        made[vout] = Some(match blinder {
            None => (
                TxOut {
                    asset: Asset::Explicit(*asset),
                    value: Value::Explicit(*value),
                    script_pubkey: script,
                    ..TxOut::default()
                },
                zero,
            ),
            Some(blinder) => {
                let secrets =
                    TxOutSecrets::new(*asset, AssetBlindingFactor::new(&mut rng), *value, ValueBlindingFactor::new(&mut rng));
                let ephemeral = random(&mut rng);
                let txout = TxOut::with_txout_secrets(&mut rng, SECP256K1, script, blinder, ephemeral, secrets, &inputs);
                (txout.expect("blinds"), secrets)
            }
        });
    }
    if let Some(last) = last {
        let (asset, value, to) = &outputs[last];
        let (script, blinder) = place(to);
        let others: Vec<&TxOutSecrets> = made.iter().flatten().map(|(_, secrets)| secrets).collect();
        let (txout, asset_bf, value_bf, _) = TxOut::new_last_confidential(
            &mut rng,
            SECP256K1,
            *value,
            *asset,
            script,
            blinder.expect("blinded"),
            &inputs,
            &others,
        )
        .expect("blinds");
        let secrets = TxOutSecrets::new(*asset, asset_bf, *value, value_bf);
        made[last] = Some((txout, secrets));
    }
    let made: Vec<_> = made.into_iter().flatten().collect();
    let input = |vout| TxIn {
        previous_output: OutPoint { txid: Txid::from_byte_array([6; 32]), vout },
        sequence: Sequence::ENABLE_LOCKTIME_NO_RBF,
        ..TxIn::default()
    };
    let tx = Transaction {
        version: 2,
        lock_time: LockTime::ZERO,
        input: (0..2).map(input).collect(),
        output: made.iter().map(|(txout, _)| txout.clone()).collect(),
    };
    let mut pset = Pset::from_tx(tx);
    let source = |chain, index| {
        let path = path(Account::Sidechain, chain, index);
        let key = accounts().key_at(&path, Account::Sidechain).expect("ours");
        (bitcoin::PublicKey::new(key), (accounts().fingerprint, path))
    };
    for (vin, index) in [(0, 0), (1, 1)] {
        let input = &mut pset.inputs_mut()[vin];
        input.final_script_sig = None;
        input.final_script_witness = None;
        input.witness_utxo = Some(spent[vin].0.clone());
        input.bip32_derivation.extend([source(0, index)]);
    }
    for (vout, (.., to)) in outputs.iter().enumerate() {
        pset.outputs_mut()[vout].blinding_key = place(to).1.map(bitcoin::PublicKey::new);
        if let To::Back(index) | To::BackBlindedToStranger(index) = to {
            pset.outputs_mut()[vout].bip32_derivation.extend([source(1, *index)]);
        }
    }
    SidechainDraft {
        pset,
        inputs: inputs.iter().map(opening).collect(),
        outputs: made.iter().map(|(_, secrets)| Some(opening(secrets))).collect(),
    }
}

/// Pays 20 gold to a stranger; 30 gold and 99,400 come back; fee 600.
fn payment() -> SidechainDraft {
    static MADE: std::sync::OnceLock<SidechainDraft> = std::sync::OnceLock::new();
    let make = || {
        draft(&[
            (gold(), 20, To::Stranger),
            (gold(), 30, To::Back(0)),
            (policy_asset(), 99_400, To::Back(1)),
            (policy_asset(), 600, To::Fee),
        ])
    };
    MADE.get_or_init(make).clone()
}

fn checked(draft: SidechainDraft) -> Result<Checked, Refusal> {
    check(Draft::Sidechain(Box::new(draft)), &accounts(), &realm(), &Policy::default())
}

fn refused(draft: SidechainDraft) -> (Code, String) {
    let refusal = checked(draft).err().expect("a refusal");
    let why = refusal.args.get("why").cloned().unwrap_or_default();
    (refusal.code, why)
}

fn lie(why: &str) -> (Code, String) {
    (Code::DraftLies, why.into())
}

#[test]
fn an_honest_payment_is_told_as_it_is_and_signed() {
    let found = checked(payment()).expect("honest");
    let summary = found.summary();
    assert_eq!((summary.fee, summary.fee_asset), (Atoms(600), AssetId::Elements(policy_asset())));
    assert_eq!((summary.leaves.len(), summary.comes_back.len()), (1, 2));
    assert_eq!((summary.leaves[0].asset, summary.leaves[0].amount), (Some(AssetId::Elements(gold())), Some(Atoms(20))));
    assert!(summary.leaves[0].blinded && summary.leaves[0].address.as_ref().is_some_and(|address| address.starts_with("el1")));
    let sums = &summary.sums[&AssetId::Elements(gold())];
    assert_eq!((sums.spent, sums.leaves, sums.comes_back), (Atoms(50), Atoms(20), Atoms(30)));
    assert_eq!(summary.others_can_see, [3]);
    let (txid, vsize) = (summary.txid.clone(), summary.fee_share.vsize);
    let Ok(Signed::Sidechain(tx)) = sign(found, &signing_keys(), &mut rng(1)) else { panic!("signed") };
    assert_eq!(tx.txid().to_string(), txid);
    assert!(tx.discount_vsize() as u64 <= vsize && vsize <= tx.discount_vsize() as u64 + 1);
    // Consensus' own rules about amounts hold, and the signatures verify.
    let spent: Vec<TxOut> = payment().pset.inputs().iter().filter_map(|input| input.witness_utxo.clone()).collect();
    assert_eq!(tx.verify_tx_amt_proofs(SECP256K1, &spent), Ok(()));
    for (vin, spent) in spent.iter().enumerate() {
        let witness: Vec<Vec<u8>> = tx.input[vin].witness.script_witness.iter().map(<[u8]>::to_vec).collect();
        let hash = bitcoin::PublicKey::from_slice(&witness[1]).expect("a key").wpubkey_hash().expect("compressed");
        let code = Script::from(bitcoin::ScriptBuf::new_p2pkh(&hash.to_raw_hash().into()).into_bytes());
        let digest =
            elements::sighash::SighashCache::new(&tx).segwitv0_sighash(vin, &code, spent.value, elements::EcdsaSighashType::All);
        let signature = bitcoin::ecdsa::Signature::from_slice(&witness[0]).expect("a signature");
        let message = bitcoin::secp256k1::Message::from_digest(digest.to_byte_array());
        let key = bitcoin::secp256k1::PublicKey::from_slice(&witness[1]).expect("a key");
        assert_eq!(SECP256K1.verify_ecdsa(&message, &signature.signature, &key), Ok(()));
    }
}

#[test]
fn a_recipients_amount_that_is_not_what_its_commitment_holds_is_caught() {
    let mut lying = payment();
    lying.outputs[0].as_mut().expect("told").value = 10;
    assert_eq!(refused(lying), lie("opening"));
    let mut swapped = payment();
    swapped.outputs.swap(0, 1);
    assert_eq!(refused(swapped), lie("opening"));
}

#[test]
fn an_asset_that_is_not_what_its_generator_holds_is_caught() {
    let mut lying = payment();
    lying.outputs[0].as_mut().expect("told").asset = policy_asset();
    assert_eq!(refused(lying), lie("opening"));
    let mut lying = payment();
    lying.outputs[1].as_mut().expect("told").asset_bf = AssetBlindingFactor::zero();
    assert_eq!(refused(lying), lie("opening"));
}

#[test]
fn an_explicit_output_with_blinding_factors_is_caught() {
    let mut lying = payment();
    lying.outputs[3].as_mut().expect("told").value_bf = ValueBlindingFactor::new(&mut rng(1));
    assert_eq!(refused(lying), lie("opening"));
}

#[test]
fn an_input_that_is_not_what_its_opening_says_is_caught() {
    let mut lying = payment();
    lying.inputs[0].value = 90_000;
    assert_eq!(refused(lying), lie("opening"));
    let mut lying = payment();
    lying.pset.inputs_mut()[0].witness_utxo = payment().pset.inputs()[1].witness_utxo.clone();
    assert_eq!(refused(lying), lie("opening"));
    let mut lying = payment();
    lying.pset.inputs_mut()[1].witness_utxo = None;
    assert_eq!(refused(lying), lie("previous-output-missing"));
}

#[test]
fn a_previous_transaction_that_is_another_is_caught() {
    let mut lying = payment();
    let other = lying.pset.extract_tx().expect("a transaction");
    lying.pset.inputs_mut()[0].non_witness_utxo = Some(other);
    assert_eq!(refused(lying), lie("previous-transaction"));
}

#[test]
fn an_unopened_output_is_refused_unless_accepted_and_then_shown_as_unverified() {
    let mut hidden = payment();
    hidden.outputs[0] = None;
    assert_eq!(refused(hidden.clone()), lie("unverified"));
    let policy = Policy { accept_unverified: true, ..Policy::default() };
    let found = check(Draft::Sidechain(Box::new(hidden)), &accounts(), &realm(), &policy).expect("honest");
    assert_eq!((found.summary().unverified.as_slice(), found.summary().leaves[0].amount), ([0].as_slice(), None));
    // Our own change must always be opened.
    let mut hidden = payment();
    hidden.outputs[1] = None;
    assert!(check(Draft::Sidechain(Box::new(hidden)), &accounts(), &realm(), &policy).is_err());
}

#[test]
fn change_blinded_to_somebody_else_is_caught() {
    let lying = draft(&[
        (gold(), 20, To::Stranger),
        (gold(), 30, To::BackBlindedToStranger(0)),
        (policy_asset(), 99_400, To::Back(1)),
        (policy_asset(), 600, To::Fee),
    ]);
    assert_eq!(refused(lying), lie("blinding"));
}

#[test]
fn change_that_only_claims_to_be_ours_is_shown_as_leaving() {
    let mut lying = payment();
    let claims = lying.pset.outputs()[1].bip32_derivation.clone();
    lying.pset.outputs_mut()[0].bip32_derivation = claims;
    let found = checked(lying).expect("honest");
    assert!(found.summary().leaves[0].claimed_ours);
    let mut silent = payment();
    silent.pset.outputs_mut()[1].bip32_derivation.clear();
    let found = checked(silent).expect("honest");
    assert_eq!(found.summary().sums[&AssetId::Elements(gold())].leaves, Atoms(50));
}

#[test]
fn an_input_that_is_not_at_its_claimed_path_is_caught() {
    let mut lying = payment();
    lying.pset.inputs_mut()[0].bip32_derivation.values_mut().for_each(|source| source.1 = path(Account::Sidechain, 0, 7));
    assert_eq!(refused(lying), lie("derivation"));
}

#[test]
fn signatures_that_leave_anything_open_are_refused() {
    for kind in [0x02, 0x03, 0x81, 0x00, 0x41] {
        let mut open = payment();
        open.pset.inputs_mut()[0].sighash_type = Some(elements::pset::PsbtSighashType::from_u32(kind));
        assert_eq!(refused(open), lie("sighash"), "{kind:#x}");
    }
}

#[test]
fn what_does_not_balance_is_caught_asset_by_asset() {
    let explicit = To::Explicit(stranger());
    let lying = draft(&[
        (gold(), 21, explicit.clone()),
        (gold(), 30, To::Back(0)),
        (policy_asset(), 99_400, To::Back(1)),
        (policy_asset(), 600, To::Fee),
    ]);
    let refusal = checked(lying).err().expect("51 gold out of 50");
    assert_eq!((refusal.args["why"].as_str(), refusal.args["asset"].clone()), ("balance", gold().to_string()));
    let inflated = draft(&[(gold(), 50, To::Back(0)), (policy_asset(), 99_399, To::Back(1)), (policy_asset(), 600, To::Fee)]);
    assert_eq!(refused(inflated), lie("balance"));
}

#[test]
fn a_fee_in_another_asset_is_refused() {
    let lying = draft(&[(gold(), 49, To::Back(0)), (gold(), 1, To::Fee), (policy_asset(), 100_000, To::Back(1))]);
    assert_eq!(refused(lying), lie("fee"));
}

#[test]
fn a_fee_out_of_proportion_is_refused() {
    let dear = draft(&[(gold(), 50, To::Back(0)), (policy_asset(), 60_000, To::Back(1)), (policy_asset(), 40_000, To::Fee)]);
    assert_eq!(refused(dear).0, Code::FeeTooHigh);
}

#[test]
fn burns_and_peg_outs_are_named_for_what_they_are() {
    use bitcoin::hashes::Hash as _;
    let genesis = realm().sidechain.parent_genesis_hash;
    let mixed = draft(&[
        (gold(), 20, To::Explicit(burn())),
        (policy_asset(), 50_000, To::Explicit(peg_out(genesis))),
        // A peg-out to another Bitcoin is no peg-out: the money is gone.
        (policy_asset(), 7, To::Explicit(peg_out(bitcoin::BlockHash::all_zeros()))),
        (gold(), 30, To::Back(0)),
        (policy_asset(), 49_393, To::Back(1)),
        (policy_asset(), 600, To::Fee),
    ]);
    let found = checked(mixed).expect("honest");
    let summary = found.summary();
    assert!(summary.leaves.is_empty());
    let burns: Vec<_> = summary.burns.iter().map(|burn| (burn.vout, burn.asset, burn.amount)).collect();
    assert_eq!(burns, [(0, AssetId::Elements(gold()), Atoms(20)), (2, AssetId::Elements(policy_asset()), Atoms(7))]);
    let peg_out = &summary.peg_outs[0];
    assert_eq!((peg_out.vout, peg_out.amount), (1, Atoms(50_000)));
    assert!(peg_out.address.as_ref().is_some_and(|address| address.starts_with("bcrt1")));
    let sums = &summary.sums[&AssetId::Elements(policy_asset())];
    assert_eq!((sums.pegged_out, sums.burned), (Atoms(50_000), Atoms(7)));
    assert_eq!(summary.others_can_see, [0, 1, 2, 5]);
}

/// Makes an issuance of the first input of a payment.
fn issue(amount: u64, tokens: Option<u64>) -> SidechainDraft {
    let contract = elements::ContractHash::from_byte_array([4; 32]);
    let outpoint = OutPoint { txid: Txid::from_byte_array([6; 32]), vout: 0 };
    let asset = elements::AssetId::new_issuance(outpoint, contract);
    let token = elements::AssetId::new_reissuance_token(outpoint, contract, false);
    let mut outputs = vec![(asset, 1_000, To::Explicit(own_script(1, 3)))];
    if let Some(tokens) = tokens {
        outputs.push((token, tokens, To::Explicit(own_script(1, 4))));
    }
    outputs.extend([(gold(), 50, To::Back(0)), (policy_asset(), 99_400, To::Back(1)), (policy_asset(), 600, To::Fee)]);
    let mut draft = draft(&outputs);
    let input = &mut draft.pset.inputs_mut()[0];
    input.issuance_value_amount = Some(amount);
    input.issuance_inflation_keys = tokens;
    input.issuance_asset_entropy = Some(elements::issuance::AssetEntropy::from_byte_array([4; 32]));
    draft
}

#[test]
fn an_issuance_is_named_with_its_token_and_must_balance() {
    let found = checked(issue(1_000, Some(1))).expect("honest");
    let made = &found.summary().issues[0];
    assert_eq!((made.amount, made.tokens, made.reissuance, made.blinded), (Atoms(1_000), Atoms(1), false, false));
    assert_eq!(found.summary().sums[&made.asset].issued, Atoms(1_000));
    assert_eq!(found.summary().sums[&made.token].issued, Atoms(1));
    let fixed = checked(issue(1_000, None)).expect("honest");
    assert_eq!(fixed.summary().issues[0].tokens, Atoms::ZERO);
    assert_eq!(refused(issue(1_001, Some(1))), lie("balance"));
}

#[test]
fn a_reissuance_must_spend_its_token() {
    let mut lying = issue(1_000, None);
    lying.pset.inputs_mut()[0].issuance_blinding_nonce =
        Some(elements::issuance::AssetBlindingNonce::from_blinding_factor(AssetBlindingFactor::new(&mut rng(5))));
    assert_eq!(refused(lying), lie("reissuance"));
}

#[test]
fn a_misshapen_draft_is_refused() {
    let mut short = payment();
    short.outputs.pop();
    assert_eq!(refused(short).0, Code::BadDraft);
    let mut short = payment();
    short.inputs.pop();
    assert_eq!(refused(short).0, Code::BadDraft);
}

#[test]
fn a_review_covers_the_proofs_too() {
    let reviewed = checked(payment()).expect("honest").summary_hash();
    assert_eq!(checked(payment()).expect("honest").matches(&reviewed), Ok(()));
    let mut other = payment();
    other.pset.outputs_mut()[0].asset_surjection_proof = None;
    let refusal = checked(other).expect("honest").matches(&reviewed).expect_err("another transaction");
    assert_eq!(refusal.code, Code::ReviewMismatch);
}

/// Claims a deposit of 100,000 for our script, as the only input.
fn claim(change: impl Fn(&mut elements::PeginData)) -> SidechainDraft {
    use bitcoin::hashes::Hash as _;
    let claim_script = own_script(0, 9);
    let deposit = bitcoin::Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: bitcoin::absolute::LockTime::ZERO,
        input: vec![],
        output: vec![bitcoin::TxOut { value: bitcoin::Amount::from_sat(100_000), script_pubkey: bitcoin::ScriptBuf::new() }],
    };
    // An input, because a transaction without any is ambiguous on the wire.
    let deposit = bitcoin::Transaction { input: vec![bitcoin::TxIn::default()], ..deposit };
    let mut data = elements::PeginData {
        value: 100_000,
        asset_id: policy_asset(),
        genesis_hash: realm().sidechain.parent_genesis_hash,
        claim_script: bitcoin::ScriptBuf::from_bytes(claim_script.to_bytes()),
        transaction: bitcoin::consensus::encode::serialize(&deposit),
        merkle_proof: vec![0; 80],
        referenced_block: bitcoin::BlockHash::all_zeros(),
    };
    change(&mut data);
    let mut txin = TxIn {
        previous_output: OutPoint { txid: deposit.compute_txid().to_string().parse().expect("a txid"), vout: 0 },
        is_pegin: true,
        ..TxIn::default()
    };
    let value = data.value;
    txin.witness.pegin_witness = elements::PeginWitness::new(data);
    let explicit = |value, script_pubkey| TxOut {
        asset: Asset::Explicit(policy_asset()),
        value: Value::Explicit(value),
        script_pubkey,
        ..TxOut::default()
    };
    let output = vec![explicit(value - 500, own_script(1, 8)), explicit(500, Script::new())];
    let opened = |value| Opening {
        asset: policy_asset(),
        asset_bf: AssetBlindingFactor::zero(),
        value,
        value_bf: ValueBlindingFactor::zero(),
    };
    let mut pset = Pset::from_tx(Transaction { version: 2, lock_time: LockTime::ZERO, input: vec![txin], output });
    let source = |chain, index| {
        let path = path(Account::Sidechain, chain, index);
        let key = accounts().key_at(&path, Account::Sidechain).expect("ours");
        (bitcoin::PublicKey::new(key), (accounts().fingerprint, path))
    };
    pset.inputs_mut()[0].final_script_witness = None;
    pset.inputs_mut()[0].final_script_sig = None;
    pset.inputs_mut()[0].bip32_derivation.extend([source(0, 9)]);
    pset.outputs_mut()[0].bip32_derivation.extend([source(1, 8)]);
    SidechainDraft { pset, inputs: vec![opened(value)], outputs: vec![Some(opened(value - 500)), None] }
}

#[test]
fn a_peg_in_is_named_and_its_claim_must_match_the_deposit() {
    let found = checked(claim(|_| ())).expect("honest");
    let peg_in = &found.summary().peg_ins[0];
    assert_eq!(peg_in.amount, Atoms(100_000));
    assert!(peg_in.deposit.ends_with(":0"));
    assert_eq!(found.summary().sums[&AssetId::Elements(policy_asset())].spent, Atoms(100_000));
    assert!(matches!(sign(found, &signing_keys(), &mut rng(1)), Ok(Signed::Sidechain(tx)) if tx.input[0].is_pegin));

    use bitcoin::hashes::Hash as _;
    type Change = fn(&mut elements::PeginData);
    let cases: [(&str, Change); 4] = [
        ("amount", |data| data.value = 200_000),
        ("genesis", |data| data.genesis_hash = bitcoin::BlockHash::all_zeros()),
        ("deposit", |data| data.transaction[4] ^= 1),
        ("garbage", |data| data.transaction.clear()),
    ];
    for (name, change) in cases {
        assert_eq!(refused(claim(change)), lie("peg-in"), "{name}");
    }
    assert_eq!(refused(claim(|data| data.asset_id = gold())), lie("opening"));
    assert_eq!(refused(claim(|data| data.claim_script = bitcoin::ScriptBuf::new())), lie("derivation"));
}

#[test]
fn the_openings_of_a_real_chain_open_its_commitments_and_nothing_else_does() {
    use bitcoin::hex::FromHex as _;
    let text = include_str!("../../../../../tests/fixtures/elements/wallet.json");
    let file: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
    let mut seen = 0;
    for block in file["blocks"].as_array().expect("a list") {
        let raw = Vec::from_hex(block["block"].as_str().expect("hex")).expect("bytes");
        let mined: elements::Block = elements::encode::deserialize(&raw).expect("a block");
        for told in block["txs"].as_array().expect("a list") {
            let tx = mined.txdata.iter().find(|tx| tx.txid().to_string() == told["txid"]).expect("in the block");
            for output in told["outputs"].as_array().expect("a list") {
                if output["unblinds"] != true {
                    continue;
                }
                let txout = &tx.output[usize::try_from(output["vout"].as_u64().expect("a number")).expect("small")];
                let bytes = |name: &str| <[u8; 32]>::from_hex(output[name].as_str().expect("hex")).expect("32 bytes");
                let honest = Opening {
                    asset: output["asset"].as_str().expect("hex").parse().expect("an asset"),
                    asset_bf: AssetBlindingFactor::from_byte_array(bytes("asset_blinder_raw")).expect("a scalar"),
                    value: output["value"].as_u64().expect("a number"),
                    value_bf: ValueBlindingFactor::from_slice(&bytes("value_blinder_raw")).expect("a scalar"),
                };
                let opens = |opening: Opening| crate::check::opens(&txout.asset, &txout.value, &opening);
                assert!(opens(honest));
                assert!(!opens(Opening { value: honest.value + 1, ..honest }));
                assert!(!opens(Opening { asset: elements::AssetId::from_byte_array([1; 32]), ..honest }));
                let other = ValueBlindingFactor::new(&mut rng(seen));
                assert!(!opens(Opening { value_bf: other, ..honest }));
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen} outputs");
}
