//! Our own fixtures through the checks, and controls: a check that cannot fail is none.

use super::*;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Files of the kinds in the registry.
fn all_files() -> Vec<PathBuf> {
    ["elements", "liquid-public", "colored", "babylon", "bolts"]
        .iter()
        .flat_map(|folder| files(&fixtures().join(folder)).expect("a folder"))
        .collect()
}

#[test]
fn every_fixture_comes_out_as_it_says() {
    let reports: Vec<Report> = std::thread::scope(|scope| {
        let runs: Vec<_> = all_files().into_iter().map(|file| scope.spawn(move || run_file(&file))).collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    for report in reports {
        assert!(report.is_good(), "{}", failures(&report));
    }
}

fn failures(report: &Report) -> String {
    let file = report.file.display();
    match &report.outcome {
        Err(error) => format!("{file}: {error}"),
        Ok((kind, cases)) => {
            let bad =
                cases.iter().filter(|case| !case.ok).map(|case| format!("\n  {}: got {}, want {}", case.id, case.got, case.want));
            format!("{file} ({kind}):{}", bad.collect::<String>())
        }
    }
}

#[test]
fn a_file_under_another_name_is_known_by_its_structure() {
    for file in all_files() {
        let document = read(&file).expect("readable");
        let known = recognise(&file, &document).expect("known");
        let again = recognise(Path::new("never-seen.json"), &document).expect("known without its name");
        assert_eq!(known.name, again.name, "{}", file.display());
    }
}

#[test]
fn a_file_of_no_known_structure_is_an_error() {
    for document in [json!({}), json!([]), json!(null), json!([{ "a": 1 }]), json!({ "headers": [] }), json!("chain")] {
        assert!(run_document(Path::new("chain.json"), &document).is_err(), "{document}");
    }
}

#[test]
fn every_kind_has_a_fixture() {
    let met: Vec<&str> =
        all_files().iter().map(|file| recognise(file, &read(file).expect("readable")).expect("known").name).collect();
    for kind in kinds().iter().copied().flatten() {
        assert!(met.contains(&kind.name), "{}", kind.name);
    }
}

/// Makes a different value of the same type, so that only a comparison can notice.
fn flip(document: &mut Value, pointer: &str) {
    let value = document.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing at {pointer}"));
    *value = match value.take() {
        Value::Bool(is) => json!(!is),
        Value::Number(number) => json!(number.as_u64().expect("a whole number") + 1),
        Value::String(text) => {
            let (head, last) = text.split_at(text.len().saturating_sub(1));
            json!(format!("{head}{}", if last == "0" { "1" } else { "0" }))
        }
        other => panic!("{other} at {pointer} cannot be flipped"),
    };
}

/// Appends a copy of `from` to the list at `to`, under the names that items of that list use.
fn smuggle(document: &mut Value, from: &str, to: &str, names: &[(&str, &str)]) {
    let source = document.pointer(from).unwrap_or_else(|| panic!("nothing at {from}")).clone();
    let list = document.pointer_mut(to).and_then(Value::as_array_mut).expect("a list");
    let mut item = source.clone();
    item["why_invalid"] = json!("nothing is wrong with it");
    for (theirs, ours) in names {
        item[*ours] = source[*theirs].clone();
    }
    list.push(item);
}

type Spoil = fn(&mut Value);

/// Ways to make a fixture lie.
const CONTROLS: &[(&str, &str, Spoil)] = &[
    ("elements/chain.json", "merkle root", |d| flip(d, "/headers/5/expected/merkleroot")),
    ("elements/chain.json", "median time", |d| flip(d, "/headers/60/expected/mediantime")),
    ("elements/chain.json", "proposal", |d| flip(d, "/headers/11/expected/proposed/root")),
    ("elements/chain.json", "elided root", |d| flip(d, "/headers/22/expected/current/extra_root")),
    ("elements/chain.json", "hash", |d| flip(d, "/headers/30/hash")),
    ("elements/chain.json", "transition", |d| flip(d, "/transitions/0/new_root")),
    ("elements/chain.json", "peg script", |d| flip(d, "/rpc_at_heights/0/current_fedpegscripts/1")),
    ("elements/chain.json", "tip", |d| flip(d, "/tip_hash")),
    ("elements/bad_headers.json", "a good header among the bad", |d| smuggle(d, "/accepted_oddities/3", "/rejected", &[])),
    ("elements/bad_headers.json", "a bad header among the good", |d| smuggle(d, "/rejected/9", "/accepted_oddities", &[])),
    ("elements/filters.json", "filter", |d| flip(d, "/filters/80/filter")),
    ("elements/filters.json", "filter header", |d| flip(d, "/filters/3/filter_header")),
    ("elements/pegin.json", "tweaked script", |d| flip(d, "/valid/0/federation/tweaked_fedpegscript")),
    ("elements/pegin.json", "address", |d| flip(d, "/valid/1/mainchain_address")),
    ("elements/pegin.json", "digest", |d| flip(d, "/valid/2/claim_sighash")),
    ("elements/pegin.json", "maturity", |d| flip(d, "/maturity/1/allowed")),
    ("elements/pegin.json", "expiry", |d| flip(d, "/fedpeg_expiry_timeline/8/old_fedpeg_claim_allowed_in_next_block")),
    ("elements/pegin.json", "a good claim among the bad", |d| {
        smuggle(d, "/valid/0", "/invalid", &[("claim_tx", "tx"), ("claim_height", "height")]);
    }),
    ("elements/pegout.json", "value", |d| flip(d, "/without_pak/0/value")),
    ("elements/pegout.json", "summed key", |d| flip(d, "/pak/valid/0/summed_key")),
    ("elements/pegout.json", "list in force", |d| flip(d, "/pak/pak_list_in_force_from_height")),
    ("elements/pegout.json", "a good peg-out among the bad", |d| smuggle(d, "/pak/valid/0", "/pak/invalid", &[])),
    ("elements/issuance.json", "token", |d| flip(d, "/items/0/issuances/0/token")),
    ("elements/issuance.json", "amount behind a commitment", |d| flip(d, "/items/0/issuances/0/asset_amount/value")),
    ("elements/issuance.json", "unblinded value", |d| flip(d, "/items/0/outputs/0/value")),
    ("elements/issuance.json", "contract", |d| flip(d, "/items/0/contract_sha256")),
    ("elements/wallet.json", "balance after a block", |d| {
        let balances = d["blocks"][10]["balances"]["w1"].as_object_mut().expect("balances");
        *balances.values_mut().next().expect("an asset") = json!(1);
    }),
    ("elements/wallet.json", "an asset that is not there", |d| d["balances_at_tip"]["w2"]["00"] = json!(5)),
    ("elements/wallet.json", "coin", |d| flip(d, "/utxos_at_tip/0/value")),
    ("elements/wallet.json", "last used", |d| flip(d, "/last_used_index/w1/0")),
    ("elements/wallet.json", "address", |d| flip(d, "/wallets/0/addresses/1/confidential_address")),
    ("elements/wallet.json", "net", |d| {
        let net = d["transactions"][0]["net"].as_object_mut().expect("wallets").values_mut().next().expect("a wallet");
        *net.as_object_mut().expect("assets").values_mut().next().expect("an asset") = json!(7);
    }),
    ("colored/openassets/markers.json", "a bad marker called good", |d| flip(d, "/8/valid")),
    ("colored/openassets/markers.json", "quantity", |d| flip(d, "/0/quantities/0")),
    ("colored/openassets/real_transactions.json", "units", |d| flip(d, "/0/outputs/1/quantity")),
    ("colored/openassets/synthetic_transactions.json", "asset", |d| flip(d, "/0/outputs/0/asset_id_hash160")),
    ("colored/openassets/addresses.json", "a bad address called good", |d| flip(d, "/8/valid")),
    ("colored/colu/coloring.json", "overflow", |d| flip(d, "/0/overflow")),
    ("colored/colu/coloring.json", "units", |d| flip(d, "/0/outputs/0/0/amount")),
    ("colored/colu/transfer.json", "payload", |d| flip(d, "/1/payload")),
    ("colored/colu/issuance.json", "decoded", |d| flip(d, "/1/decoded/divisibility")),
    ("colored/epobc/kernel.json", "units", |d| flip(d, "/0/expected_colour_values/0")),
    ("colored/epobc/random_kernel.json", "units", |d| flip(d, "/1/expected_colour_values/0")),
    ("colored/counterparty/messages.json", "quantity", |d| flip(d, "/0/fields/quantity")),
    ("colored/counterparty/transactions.json", "message", |d| flip(d, "/0/message")),
    ("colored/counterparty/carriers.json", "key", |d| flip(d, "/2/multisig_data_pubkeys/0/1")),
    ("colored/counterparty/asset_names.json", "a bad name called good", |d| flip(d, "/names/20/valid")),
    ("liquid-public/headers.json", "k", |d| flip(d, "/1/expected/proof/k")),
    ("liquid-public/headers.json", "limit", |d| flip(d, "/2/expected/current/signblock_witness_limit")),
    ("liquid-public/headers.json", "a good header called bad", |d| flip(d, "/2/valid")),
    ("liquid-public/headers.json", "a bad header called good", |d| flip(d, "/8/valid")),
    ("liquid-public/dynafed_roots.json", "header root", |d| flip(d, "/3/params_root")),
    ("liquid-public/dynafed_roots.json", "root", |d| flip(d, "/4/current/root")),
    ("liquid-public/pak_lists_mainnet.json", "no key", |d| d["epoch_starting_2963520"][7]["offline"] = json!("00".repeat(33))),
    ("liquid-public/pegged_assets.json", "asset", |d| flip(d, "/0/asset")),
    ("liquid-public/issuance_ids.json", "token", |d| flip(d, "/0/expected/token")),
    ("liquid-public/issuance_transactions.json", "amount", |d| flip(d, "/0/expected/issuances/0/amount")),
    ("liquid-public/contracts.json", "hash", |d| flip(d, "/0/contract_hash")),
    ("liquid-public/contracts.json", "a bad contract called good", |d| flip(d, "/9/valid")),
    ("liquid-public/discount_vsize.json", "size", |d| flip(d, "/0/expected/discount_vsize")),
    ("liquid-public/elip144_ids.json", "id", |d| flip(d, "/asset_ids/0/id")),
    ("liquid-public/elip202_pegin_subsidy.json", "subsidy", |d| flip(d, "/3/subsidy")),
    ("liquid-public/pegin_addresses.json", "address", |d| flip(d, "/0/address")),
    ("liquid-public/pegin_witness.json", "position", |d| flip(d, "/cases/0/expected/tx_position")),
    ("liquid-public/pegin_witness.json", "a bad witness called good", |d| flip(d, "/cases/12/valid")),
    ("liquid-public/pegin_transactions.json", "contract", |d| flip(d, "/0/expected/pegin_inputs/0/contract")),
    ("liquid-public/pegout_pak.json", "derived key", |d| flip(d, "/1/sub_pubkey")),
    ("liquid-public/pegout_pak.json", "a bad proof called good", |d| flip(d, "/8/valid")),
    ("liquid-public/pegout_pak.json", "a good proof called bad", |d| flip(d, "/0/valid")),
    ("liquid-public/addresses.json", "script", |d| flip(d, "/0/script_pubkey")),
    ("liquid-public/addresses.json", "a good address called bad", |d| flip(d, "/0/valid")),
    ("liquid-public/ct_descriptors.json", "key", |d| flip(d, "/0/addresses/0/blinding_pubkey")),
    ("liquid-public/elip151.json", "view key", |d| flip(d, "/0/view_key")),
    ("liquid-public/slip77.json", "master key", |d| flip(d, "/0/master_blinding_key")),
    ("liquid-public/unblind.json", "value", |d| flip(d, "/0/expected/value")),
    ("liquid-public/commitments.json", "last factor", |d| flip(d, "/0/last_value_blinder_raw")),
    ("liquid-public/deterministic_blinders.json", "factor", |d| flip(d, "/0/outputs/0/vbf")),
    ("liquid-public/elip100_pset.json", "record", |d| flip(d, "/0/token_value")),
    ("liquid-public/elip102_pset.json", "record", |d| flip(d, "/0/value")),
    ("liquid-public/pegout_transactions.json", "peg-out", |d| flip(d, "/0/expected/outputs/1/is_pegout")),
    ("bolts/bolt11.json", "amount", |d| d["valid"][1]["amount_msat"] = json!("250000001")),
    ("bolts/bolt11.json", "a bad invoice called good", |d| {
        let mut bad = d["invalid"][1].clone();
        bad["network"] = json!("bitcoin");
        d["valid"].as_array_mut().expect("a list").push(bad);
    }),
    ("bolts/bolt12_offers.json", "a bad offer called good", |d| d[20]["valid"] = json!(true)),
    ("bolts/bolt12_format.json", "a good offer called bad", |d| d[0]["valid"] = json!(false)),
    ("babylon/params.mainnet.json", "quorum", |d| d[5]["params"]["covenant_quorum"] = json!(10)),
    ("babylon/params_selection.json", "version", |d| flip(d, "/4/version")),
    ("babylon/staking_scripts.json", "unbonding transaction", |d| flip(d, "/2/expected/unbonding_transaction_hex")),
    ("babylon/staking_scripts.json", "control block", |d| flip(d, "/2/derived/staking_output/control_blocks/slashing")),
    ("babylon/staking_scripts.json", "announcement", |d| flip(d, "/0/expected/op_return_script_hex")),
    ("babylon/delegations.json", "sighash", |d| flip(d, "/0/expected/unbonding_slashing_tx/sighash")),
    ("babylon/delegations.json", "slashed value", |d| flip(d, "/4/expected/slashing_tx/slashed_value")),
    ("babylon/delegations.json", "adaptor signature", |d| {
        flip(d, "/0/signatures/covenant_unbonding_slashing_adaptor/8/adaptor_sigs/0");
    }),
    ("babylon/delegations.json", "covenant signature", |d| flip(d, "/0/signatures/covenant_unbonding/3/sig")),
    ("babylon/delegations.json", "a good signature called invalid", |d| {
        let signatures = d[1]["signatures"].as_object_mut().expect("signatures");
        let good = signatures.remove("staker_slashing").expect("a signature");
        signatures.insert("INVALID_staker_slashing".to_owned(), good);
    }),
    ("babylon/delegations.json", "witness", |d| flip(d, "/3/unbonding_tx_with_witness/wtxid")),
    ("babylon/delegations.json", "request", |d| flip(d, "/1/psbts/slashingPsbt")),
    ("babylon/btc_delegation.testnet.5d277e1b.rpc.json", "signature", |d| {
        flip(d, "/btc_delegation/delegator_slash_sig_hex");
    }),
    ("babylon/btc_delegation.testnet.5d277e1b.rpc.json", "end", |d| flip(d, "/btc_delegation/end_height")),
    ("babylon/eots.json", "signature", |d| flip(d, "/valid/3/signature_2")),
    ("babylon/eots.json", "extracted key", |d| flip(d, "/valid/5/extracted_for_full_public_key")),
    ("babylon/eots.json", "an invalid case of no known kind", |d| d["invalid"][0]["kind"] = json!("other")),
    ("babylon/pub_rand.json", "randomness", |d| flip(d, "/1/public_randomness/0")),
    ("babylon/pub_rand.json", "aunt", |d| flip(d, "/3/double_vote/proof/aunts/0")),
    ("babylon/finality_votes.json", "proof", |d| flip(d, "/votes/1/proof/aunts/4")),
    ("babylon/finality_votes.json", "extracted secret", |d| flip(d, "/extracted_secret_even_y")),
    ("babylon/schnorr_adaptor.json", "a good signature called bad", |d| flip(d, "/verify/0/result")),
    ("babylon/schnorr_adaptor.json", "a bad signature called good", |d| flip(d, "/verify/5/result")),
    ("babylon/schnorr_adaptor.json", "extracted secret", |d| flip(d, "/extract/0/secadaptor")),
    ("babylon/pop.json", "a good proof called bad", |d| flip(d, "/cases/0/valid")),
    ("babylon/pop.json", "a bad proof called good", |d| flip(d, "/cases/1/valid")),
    ("babylon/pop.json", "virtual transaction", |d| flip(d, "/bip322_hashing/0/to_sign_txid")),
    ("babylon/messages.json", "encoding", |d| flip(d, "/messages/2/protobuf")),
    ("babylon/messages.json", "signature", |d| flip(d, "/sign_mode_direct/1/signature")),
    ("babylon/checkpoint_format.json", "signers", |d| flip(d, "/0/signers/3")),
    ("babylon/checkpoint_format.json", "a bad checkpoint called good", |d| flip(d, "/9/valid")),
    ("babylon/btc_timestamp.json", "place in the block", |d| flip(d, "/records/0/index_in_block")),
    ("babylon/btc_timestamp.json", "epoch", |d| flip(d, "/decoded/epoch")),
    ("babylon/btc_timestamp.json", "a validator's key", |d| {
        let record = d["protobuf"].as_str().expect("hex").replace("b4db328b0ba6016c", "b4db328b0ba6016d");
        assert_ne!(record, d["protobuf"], "the key is there");
        d["protobuf"] = json!(record);
    }),
];

#[test]
fn a_fixture_that_lies_is_reported() {
    std::thread::scope(|scope| {
        for (file, what, spoil) in CONTROLS {
            scope.spawn(move || {
                let path = fixtures().join(file);
                let mut document = read(&path).expect("readable");
                spoil(&mut document);
                let (_, cases) = run_document(&path, &document).unwrap_or_else(|e| panic!("{file}, {what}: {e}"));
                assert!(cases.iter().any(|case| !case.ok), "{file}, {what}: nothing was reported");
            });
        }
    });
}

/// Pointers to every text, number and truth value below `value`.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            leaves(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| leaves(item, &format!("{at}/{i}"), found)),
        Value::String(text) if text.is_empty() => {}
        Value::Number(number) if number.as_u64().is_none_or(|n| n == u64::MAX) => {}
        Value::Null => {}
        _ => found.push(at.to_owned()),
    }
}

#[test]
fn a_fixture_without_controls_is_compared_all_the_same() {
    /// Changes tried per file.
    const SAMPLE: usize = 12;
    std::thread::scope(|scope| {
        let controlled = |path: &Path| CONTROLS.iter().any(|(file, ..)| path.ends_with(file));
        for path in all_files().into_iter().filter(|path| !controlled(path)) {
            scope.spawn(move || {
                let document = read(&path).expect("readable");
                let mut pointers = Vec::new();
                leaves(&document, "", &mut pointers);
                let step = (pointers.len() / SAMPLE).max(1);
                let noticed = pointers.iter().skip(step / 2).step_by(step).any(|pointer| {
                    let mut spoilt = document.clone();
                    flip(&mut spoilt, pointer);
                    run_document(&path, &spoilt).map_or(true, |(_, cases)| cases.iter().any(|case| !case.ok))
                });
                assert!(noticed, "{}: none of {SAMPLE} changes was noticed", path.display());
            });
        }
    });
}
