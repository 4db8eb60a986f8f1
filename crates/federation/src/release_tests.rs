use super::*;
use bitcoin::secp256k1::SecretKey;
use proptest::prelude::*;

fn pair(number: u8) -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[number; 32]).expect("a key"))
}

fn quorum(threshold: u8, numbers: std::ops::Range<u8>) -> Quorum {
    Quorum { threshold, keys: numbers.map(|number| pair(number).x_only_public_key().0).collect() }
}

/// One publisher, two of three auditors, three of five functionaries.
fn keys() -> ReleaseKeys {
    ReleaseKeys::new("causeway".into(), quorum(1, 1..2), quorum(2, 11..14), quorum(3, 21..26)).expect("majorities")
}

fn manifest() -> Manifest {
    let file = |name: &str, byte: u8| File { name: name.into(), size: 1000 + u64::from(byte), sha256: [byte; 32] };
    let files = vec![file("causeway-1.2.3.deb", 1), file("causeway-1.2.3.tar.gz", 2)];
    Manifest { product: "causeway".into(), version: Version([1, 2, 3]), released: 1_800_000_000, files }
}

const ENOUGH: [(Role, u8); 6] = [
    (Role::Publisher, 1),
    (Role::Auditor, 11),
    (Role::Auditor, 13),
    (Role::Functionary, 21),
    (Role::Functionary, 22),
    (Role::Functionary, 25),
];

fn signed(manifest: Manifest, signers: &[(Role, u8)]) -> Package {
    let signatures = signers.iter().map(|(role, number)| manifest.sign(*role, &pair(*number), &[9; 32])).collect();
    Package::new(manifest, signatures)
}

#[test]
fn a_package_with_every_majority_is_applied_over_an_older_version() {
    let package = signed(manifest(), &ENOUGH);
    let installed = ["1.2.2", "1.1.9", "0.99.99"].map(|text| text.parse().expect("a version"));
    assert_eq!(package.verify(&keys(), None), Ok(()));
    for installed in installed {
        assert_eq!(package.verify(&keys(), Some(installed)), Ok(()));
    }
    assert_eq!(Package::from_json(&package.to_json()), Ok(package.clone()));
    assert_eq!(package.check_file("causeway-1.2.3.deb", 1001, [1; 32]), Ok(()));
    for (name, size, hash) in [("causeway-1.2.3.deb", 1002, 1), ("causeway-1.2.3.deb", 1001, 2), ("other.deb", 1001, 1)] {
        assert_eq!(package.check_file(name, size, [hash; 32]), Err(ReleaseFault::File(name.into())));
    }
}

#[test]
fn one_signature_short_is_short_whichever_it_is() {
    for missing in 0..ENOUGH.len() {
        let mut signers = ENOUGH.to_vec();
        let (role, _) = signers.remove(missing);
        let need = keys().quorum(role).threshold;
        let have = usize::from(need) - 1;
        assert_eq!(signed(manifest(), &signers).verify(&keys(), None), Err(ReleaseFault::Short { role, have, need }));
    }
}

#[test]
fn signatures_that_do_not_count_refuse_the_package() {
    let key = |number: u8| pair(number).x_only_public_key().0;
    let with = |role, number| signed(manifest(), &[&ENOUGH[..], &[(role, number)]].concat()).verify(&keys(), None);
    assert_eq!(with(Role::Auditor, 11), Err(ReleaseFault::DuplicateSigner(key(11))));
    assert_eq!(with(Role::Auditor, 23), Err(ReleaseFault::WrongRole { key: key(23), role: Role::Auditor }));
    assert_eq!(with(Role::Functionary, 99), Err(ReleaseFault::UnknownSigner(key(99))));
    assert_eq!(with(Role::Auditor, 12), Ok(()), "more than enough is enough");

    // A signature given in one role is none in another, nor for another manifest.
    let mut moved = signed(manifest(), &ENOUGH);
    moved.signatures[1].signature = manifest().sign(Role::Functionary, &pair(11), &[9; 32]).signature;
    assert_eq!(moved.verify(&keys(), None), Err(ReleaseFault::BadSignature(key(11))));
    let mut changed = signed(manifest(), &ENOUGH);
    changed.manifest.files[1].sha256[0] ^= 1;
    assert_eq!(changed.verify(&keys(), None), Err(ReleaseFault::BadSignature(key(1))));
}

#[test]
fn the_same_version_an_older_one_and_another_program_are_refused() {
    let package = signed(manifest(), &ENOUGH);
    for installed in [Version([1, 2, 3]), Version([1, 3, 0]), Version([2, 0, 0])] {
        let fault = ReleaseFault::Downgrade { installed, offered: Version([1, 2, 3]) };
        assert_eq!(package.verify(&keys(), Some(installed)), Err(fault));
    }
    let other = signed(Manifest { product: "other".into(), ..manifest() }, &ENOUGH);
    assert!(matches!(other.verify(&keys(), None), Err(ReleaseFault::Product { .. })));
}

#[test]
fn keys_that_could_be_outvoted_or_count_twice_are_refused() {
    let make = |publisher, auditor, functionary| ReleaseKeys::new("causeway".into(), publisher, auditor, functionary);
    let minority = make(quorum(1, 1..2), quorum(2, 11..15), quorum(3, 21..26));
    assert_eq!(minority, Err(ReleaseFault::Keys("a threshold must be a majority of its role")));
    for bad in [quorum(0, 1..1), quorum(2, 1..2)] {
        assert!(make(bad, quorum(2, 11..14), quorum(3, 21..26)).is_err());
    }
    let twice = make(quorum(1, 1..2), quorum(2, 11..14), quorum(3, 13..18));
    assert_eq!(twice, Err(ReleaseFault::Keys("a key stands in two places")));
    let json = serde_json::to_string(&keys()).expect("JSON");
    assert_eq!(ReleaseKeys::from_json(&json), Ok(keys()));
    assert!(ReleaseKeys::from_json(&json.replace("\"threshold\":3", "\"threshold\":2")).is_err());
}

#[test]
fn what_is_no_package_says_so() {
    let good = signed(manifest(), &ENOUGH).to_json();
    let changed = [
        good.replace(FORMAT, "causeway-release-2"),
        good.replace("causeway-1.2.3.deb", "../causeway-1.2.3.deb"),
        good.replace("causeway-1.2.3.deb", "zz"),
        good.replace("\"1.2.3\"", "\"1.2.03\""),
        good.replace("\"released\"", "\"more\": 1, \"released\""),
        good[..good.len() - 1].to_owned(),
        " ".repeat(MAX_PACKAGE + 1),
    ];
    for text in changed {
        assert!(matches!(Package::from_json(&text), Err(ReleaseFault::Format(_))), "{text:.200}");
    }
}

#[test]
fn the_signed_bytes_are_those_of_the_description() {
    // The example of docs/release-packages.md.
    let file = File { name: "a".into(), size: 2, sha256: [3; 32] };
    let manifest = Manifest { product: "x".into(), version: Version([1, 2, 3]), released: 4, files: vec![file] };
    let numbers = ["0100000078", "010000000200000003000000", "04000000", "01000000", "0100000061", "0200000000000000"].concat();
    let expected = numbers + &"03".repeat(32);
    assert_eq!(manifest.to_bytes().to_lower_hex_string(), expected);
    let digest = manifest.digest(Role::Auditor);
    assert_eq!(digest.as_ref().to_lower_hex_string(), EXAMPLE);
}

/// Of the example, as auditor.
const EXAMPLE: &str = "4e2469e78ca713f4945ea3e129c8d6ec616cb956e2856bd85a2a566f9310d17a";

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_change_of_a_byte_is_noticed(at: prop::sample::Index, to: u8) {
        let good = signed(manifest(), &ENOUGH).to_json();
        let mut bytes = good.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        if let Ok(package) = Package::from_json(&text) {
            // White space and the case of hex digits say nothing.
            let same = package == signed(manifest(), &ENOUGH);
            prop_assert_eq!(package.verify(&keys(), None).is_ok(), same);
        }
    }
}
