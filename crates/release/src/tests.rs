use super::*;
use causeway_federation::release::Version;
use std::path::Path;

/// The arguments as a person types them, in this folder.
fn typed(dir: &Path, words: &[&str]) -> Outcome<String> {
    let paths =
        ["publisher", "auditor", "functionary", "pinner", "stranger", "keys", "signers", "package", "file", "other", "data"];
    let word = |word: &&str| {
        let path = paths.iter().any(|path| word.starts_with(path)) && word.contains('.');
        if path { dir.join(word).display().to_string() } else { (*word).to_owned() }
    };
    let all = ["causeway-release".to_owned()].into_iter().chain(words.iter().map(word));
    run(Arguments::try_parse_from(all).map_err(|e| e.to_string())?.command)
}

fn keygen(dir: &Path, name: &str) -> String {
    typed(dir, &["keygen", name]).expect("a key").trim().to_owned()
}

#[test]
fn a_release_is_signed_by_each_role_and_refused_while_one_signature_is_missing() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let names = ["publisher.key", "auditor1.key", "auditor2.key", "auditor3.key", "functionary1.key", "functionary2.key"];
    let public = names.map(|name| keygen(dir, name));
    let stranger = keygen(dir, "stranger.key");
    let (auditors, functionaries) = (format!("2:{}", public[1..4].join(",")), format!("2:{}", public[4..].join(",")));
    let publisher = format!("1:{}", public[0]);
    let keys = |auditors: &str| {
        let roles = ["--publisher", &publisher, "--auditor", auditors, "--functionary", &functionaries];
        typed(dir, &[&["keys", "--out", "keys.json"], &roles[..]].concat())
    };
    keys(&auditors).expect("majorities");
    assert!(keys(&auditors.replace("2:", "1:")).is_err(), "a minority cannot be asked for");
    assert!(keys(&format!("1:{}", public[0])).is_err(), "nor one key in two places");

    for (name, text) in [("file-linux-x86_64.deb", "the program"), ("other.txt", "its notes")] {
        std::fs::write(dir.join(name), text).expect("written");
    }
    let package = ["package", "--version", "1.2.3", "--out", "package.json", "file-linux-x86_64.deb", "other.txt"];
    typed(dir, &package).expect("a package");
    assert!(typed(dir, &package).is_err(), "it is not replaced");
    let sign = |role: &str, key: &str| typed(dir, &["sign", "package.json", "--role", role, "--key", key]);
    let verify = || typed(dir, &["verify", "package.json", "--keys", "keys.json"]);
    assert!(sign("owner", "publisher.key").is_err(), "no such role");
    let signers = [
        ("publisher", "publisher.key", "0 of 2 signatures by role auditor"),
        ("auditor", "auditor1.key", "1 of 2 signatures by role auditor"),
        ("auditor", "auditor3.key", "0 of 2 signatures by role functionary"),
        ("functionary", "functionary1.key", "1 of 2 signatures by role functionary"),
    ];
    assert_eq!(verify(), Err("0 of 1 signatures by role publisher".into()));
    for (role, key, short) in signers {
        sign(role, key).expect("signed");
        assert_eq!(verify(), Err(short.into()));
    }
    // Again in the same role counts once.
    sign("functionary", "functionary1.key").expect("signed");
    assert_eq!(verify(), Err(signers[3].2.into()));
    sign("functionary", "functionary2.key").expect("signed");
    assert!(verify().expect("everybody has signed").contains("2 of 2 files"));

    sign("auditor", "stranger.key").expect("anybody can sign");
    assert_eq!(verify(), Err(format!("key {stranger} is nobody's")));
}

#[test]
fn nobody_signs_files_that_are_missing_or_are_not_those_of_the_package() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    keygen(dir, "publisher.key");
    std::fs::write(dir.join("file.deb"), "the program").expect("written");
    typed(dir, &["package", "--version", "1.2.3", "--out", "package.json", "file.deb"]).expect("a package");
    let sign = || typed(dir, &["sign", "package.json", "--role", "publisher", "--key", "publisher.key"]);
    std::fs::write(dir.join("file.deb"), "another one").expect("written");
    assert_eq!(sign(), Err("file file.deb is not the one that was signed".into()));
    std::fs::remove_file(dir.join("file.deb")).expect("removed");
    assert!(sign().is_err_and(|why| why.starts_with("only 0 of 1 files")));
    for version in ["1.2", "1.2.3.4", "01.2.3"] {
        assert!(typed(dir, &["package", "--version", version, "--out", "package2.json", "package.json"]).is_err());
    }
    assert_eq!("1.2.3".parse(), Ok(Version([1, 2, 3])));
}

#[test]
fn pinned_data_counts_when_enough_have_signed_and_not_one_fewer() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let public = ["pinner1.key", "pinner2.key", "pinner3.key"].map(|name| keygen(dir, name)).join(",");
    assert!(typed(dir, &["signers", &format!("1:{public}"), "--out", "signers.json"]).is_err(), "a minority");
    assert!(typed(dir, &["signers", &format!("4:{public}"), "--out", "signers.json"]).is_err(), "more than there are");
    typed(dir, &["signers", &format!("2:{public}"), "--out", "signers.json"]).expect("a list");
    let data = r#"{"format":"causeway-pinned-1","genesis":"GENESIS","serial":7}"#.replace("GENESIS", &"11".repeat(32));
    std::fs::write(dir.join("data.json"), &data).expect("written");
    let sign = |key: &str| typed(dir, &["sign-pinned", "data.json", "--key", key]);
    let verify = || typed(dir, &["verify-pinned", "data.json", "--signers", "signers.json"]);
    sign("pinner1.key").expect("signed");
    let short = Err("pinned data: 1 good signatures, 2 needed".to_owned());
    assert_eq!(verify(), short);
    sign("pinner1.key").expect("signed again");
    assert_eq!(verify(), short);
    sign("pinner3.key").expect("signed");
    assert!(verify().expect("enough").starts_with("serial 7"));
    std::fs::write(dir.join("data.json"), data.replace('7', "8")).expect("written");
    assert_eq!(verify(), Err("pinned data: 0 good signatures, 2 needed".into()));
    std::fs::write(dir.join("data.json"), data.replace("pinned-1", "pinned-2")).expect("written");
    assert!(sign("pinner2.key").is_err(), "data that no wallet reads is not signed");
}

#[test]
fn a_secret_is_for_its_owner_alone_and_is_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a folder");
    let public = keygen(dir.path(), "stranger.key");
    let path = dir.path().join("stranger.key");
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    assert!(typed(dir.path(), &["keygen", "stranger.key"]).is_err());
    assert_eq!(typed(dir.path(), &["public", "stranger.key"]), Ok(format!("{public}\n")));
    let other = keygen(dir.path(), "publisher.key");
    let text = std::fs::read_to_string(&path).expect("text").replace(&public, &other);
    std::fs::write(&path, text).expect("written");
    assert!(typed(dir.path(), &["public", "stranger.key"]).is_err(), "halves that do not belong together");
}
