//! Official vectors, and an independent compiler's view of the same policies.

use super::*;
use crate::fixtures::{bytes, load, terms_of_parameters};
use crate::testing::{keys, terms};
use miniscript::Descriptor;
use proptest::prelude::*;

#[test]
fn scripts_and_outputs_are_those_of_the_official_vectors() {
    for case in load("staking_scripts.json").as_array().expect("cases") {
        let terms = terms_of_parameters(&case["parameters"]);
        let trees = terms.trees().expect("scripts");
        let script = |tree: &Tree, leaf| tree.leaf(leaf).expect("a leaf").to_bytes();
        let want = &case["expected"];
        assert_eq!(trees.staking.script_pubkey().to_bytes(), bytes(&want["staking_output_pkscript_hex"]));
        assert_eq!(script(&trees.staking, Leaf::Timelock), bytes(&want["staking_transaction_timelock_script_hex"]));
        assert_eq!(script(&trees.staking, Leaf::Unbonding), bytes(&want["staking_transaction_unbonding_script_hex"]));
        assert_eq!(script(&trees.staking, Leaf::Slashing), bytes(&want["staking_transaction_slashing_script_hex"]));
        assert_eq!(script(&trees.unbonding, Leaf::Timelock), bytes(&want["unbonding_transaction_time_lock_script_hex"]));
        assert_eq!(script(&trees.unbonding, Leaf::Slashing), bytes(&want["unbonding_transaction_slashing_script_hex"]));
        let derived = &case["derived"];
        for (tree, name) in [
            (&trees.staking, "staking_output"),
            (&trees.unbonding, "unbonding_output"),
            (&trees.refund, "slashing_change_output"),
        ] {
            assert_eq!(tree.script_pubkey().to_bytes(), bytes(&derived[name]["script_pubkey"]), "{name}");
            assert_eq!(hash_bytes(tree.merkle_root()).to_vec(), bytes(&derived[name]["merkle_root"]), "{name}");
            for (leaf, control) in derived[name]["control_blocks"].as_object().expect("leaves") {
                let leaf = match leaf.as_str() {
                    "timelock" | "unbonding_timelock" => Leaf::Timelock,
                    "unbonding" => Leaf::Unbonding,
                    "slashing" => Leaf::Slashing,
                    other => panic!("an unknown leaf {other}"),
                };
                assert_eq!(tree.control_block(leaf).expect("a leaf").serialize(), bytes(control), "{name}");
            }
        }
    }
}

/// The same policy in the words of another compiler.
fn descriptor(tree: &str) -> ScriptBuf {
    let text = format!("tr({},{tree})", internal_key());
    text.parse::<Descriptor<XOnlyPublicKey>>().unwrap_or_else(|e| panic!("{text}: {e}")).script_pubkey()
}

fn group(wrapper: &str, keys: &[XOnlyPublicKey], quorum: u32) -> String {
    let mut keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    keys.sort_unstable();
    match keys.as_slice() {
        [key] => format!("{wrapper}pk({key})"),
        keys => format!("{wrapper}multi_a({quorum},{})", keys.join(",")),
    }
}

fn outputs_by_descriptor(terms: &Terms) -> [ScriptBuf; 3] {
    let staker = terms.staker;
    let committee = group("", &terms.covenant.keys, terms.covenant.quorum);
    let provider = group("v:", &terms.providers, 1);
    let slashing = format!("and_v(and_v(v:pk({staker}),{provider}),{committee})");
    let unbonding = format!("and_v(v:pk({staker}),{committee})");
    let lock = |blocks: u16| format!("and_v(v:pk({staker}),older({blocks}))");
    let (term, wait) = (lock(terms.staking_time), lock(terms.unbonding_time));
    [
        descriptor(&format!("{{{{{term},{unbonding}}},{slashing}}}")),
        descriptor(&format!("{{{wait},{slashing}}}")),
        descriptor(&wait),
    ]
}

proptest! {
    #[test]
    fn outputs_are_those_of_an_independent_descriptor(
        seed in any::<u64>(), providers in 1usize..4, members in 1usize..12, quorum in 1u32..12, times in (1u16.., 1u16..),
    ) {
        let quorum = quorum.min(u32::try_from(members).expect("small"));
        let mut terms = terms(seed, providers, members, quorum);
        (terms.staking_time, terms.unbonding_time) = times;
        let trees = terms.trees().expect("scripts");
        let ours = [trees.staking, trees.unbonding, trees.refund].map(|tree| tree.script_pubkey());
        prop_assert_eq!(ours, outputs_by_descriptor(&terms));
    }

    #[test]
    fn a_key_in_two_places_is_refused(seed in any::<u64>(), from in 0usize..6, to in 0usize..6) {
        prop_assume!(from != to);
        let mut terms = terms(seed, 2, 3, 2);
        let mut all: Vec<XOnlyPublicKey> = [vec![terms.staker], terms.providers.clone(), terms.covenant.keys.clone()].concat();
        all[to] = all[from];
        terms.staker = all[0];
        terms.providers = all[1..3].to_vec();
        terms.covenant.keys = all[3..].to_vec();
        prop_assert_eq!(terms.trees(), Err(BadTerms::DuplicateKey));
    }
}

#[test]
fn terms_without_keys_locks_or_a_quorum_are_refused() {
    let good = terms(1, 1, 3, 2);
    let refused = |change: fn(&mut Terms)| {
        let mut terms = good.clone();
        change(&mut terms);
        terms.trees().expect_err("refused")
    };
    assert_eq!(refused(|terms| terms.providers.clear()), BadTerms::NoKeys);
    assert_eq!(refused(|terms| terms.covenant.keys.clear()), BadTerms::NoKeys);
    assert_eq!(refused(|terms| terms.covenant.quorum = 0), BadTerms::Quorum);
    assert_eq!(refused(|terms| terms.covenant.quorum = 4), BadTerms::Quorum);
    assert_eq!(refused(|terms| terms.staking_time = 0), BadTerms::NoLock);
    assert_eq!(refused(|terms| terms.unbonding_time = 0), BadTerms::NoLock);
    assert_eq!(refused(|terms| terms.covenant.keys = keys(9, 101)), BadTerms::TooLarge);
}
