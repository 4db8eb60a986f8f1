//! `causeway verify`: checks an exported proof, evidence or a release package offline.

use crate::Why;
use crate::render::render;
use causeway_app::release::{self, Package, ReleaseKeys, Role, Version};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Largest proof file.
const MOST_BYTES: u64 = 64 << 20;

/// What a release package is judged by.
#[derive(clap::Args)]
pub(crate) struct Release {
    /// For a release package: whose signatures count. Comes with the installed program, never with the package.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// For a release package: the version that is installed; an older or equal one is refused.
    #[arg(long, value_name = "VERSION")]
    installed: Option<String>,
}

/// Prints each statement with its verdict; fails unless all hold.
pub(crate) fn verify(file: &Path, by: &Release, json: bool) -> Result<(), Why> {
    let text = if file == Path::new("-") {
        let stdin = std::io::Read::take(std::io::stdin(), MOST_BYTES);
        std::io::read_to_string(stdin).map_err(|e| Why::Said(format!("{}: {e}", file.display())))?
    } else if let Some(link) = file.to_str().filter(|text| text.starts_with(causeway_app::proofs::LINK)) {
        link.to_owned()
    } else {
        read(file)?
    };
    let (value, ok) = if is_release(&text) {
        let keys = by
            .keys
            .as_deref()
            .ok_or_else(|| Why::Said("this is a release package: say by --keys whose signatures count".into()))?;
        (judge(&text, &read(keys)?, by.installed.as_deref(), file.parent())?, true)
    } else {
        let verdict = causeway_app::proofs::verify(&text)?;
        let value = serde_json::to_value(&verdict).map_err(|e| Why::Said(e.to_string()))?;
        (value, verdict.ok)
    };
    if json {
        println!("{value}");
    } else {
        print!("{}", render(&value));
    }
    if ok { Ok(()) } else { Err(Why::Said("the proof does not hold".into())) }
}

fn read(file: &Path) -> Result<String, Why> {
    let failed = |e: std::io::Error| Why::Said(format!("{}: {e}", file.display()));
    if std::fs::metadata(file).map_err(failed)?.len() > MOST_BYTES {
        return Err(Why::Said("the file is too large to be a proof".into()));
    }
    std::fs::read_to_string(file).map_err(failed)
}

fn is_release(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| value["format"] == release::FORMAT)
}

/// Judges a package; files of the release that lie in `beside` must be those that were signed.
fn judge(text: &str, keys: &str, installed: Option<&str>, beside: Option<&Path>) -> Result<Value, Why> {
    let refused = |fault: release::ReleaseFault| Why::Said(fault.to_string());
    let keys = ReleaseKeys::from_json(keys).map_err(refused)?;
    let installed = installed.map(str::parse::<Version>).transpose().map_err(refused)?;
    let package = Package::from_json(text).map_err(refused)?;
    package.verify(&keys, installed).map_err(refused)?;
    let mut files = Vec::new();
    for file in &package.manifest.files {
        let path = beside.map(|dir| dir.join(&file.name)).filter(|path| path.exists());
        if let Some(path) = &path {
            let failed = |e: std::io::Error| Why::Said(format!("{}: {e}", path.display()));
            let (size, hash) = release::measure(std::fs::File::open(path).map_err(failed)?).map_err(failed)?;
            package.check_file(&file.name, size, hash).map_err(refused)?;
        }
        files.push(json!({ "name": file.name, "size": file.size, "matches": path.is_some() }));
    }
    let by = |role| package.signatures.iter().filter(|signature| signature.role == role).count();
    let signed: serde_json::Map<_, _> = Role::ALL.into_iter().map(|role| (role.to_string(), json!(by(role)))).collect();
    let manifest = &package.manifest;
    Ok(
        json!({ "product": manifest.product, "version": manifest.version, "released": manifest.released, "signed": signed, "files": files }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::secp256k1::{Keypair, SECP256K1, SecretKey};
    use causeway_app::release::{File, Manifest};

    fn said(outcome: Result<Value, Why>) -> String {
        outcome.err().map(|why| why.to_string()).expect("refused")
    }

    #[test]
    fn a_release_package_is_judged_by_its_keys_its_version_and_the_files_beside_it() {
        let pair = |number: u8| Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[number; 32]).expect("a key"));
        let key = |number: u8| pair(number).x_only_public_key().0.to_string();
        let quorum =
            |numbers: &[u8]| json!({ "threshold": numbers.len(), "keys": numbers.iter().map(|n| key(*n)).collect::<Vec<_>>() });
        let keys =
            json!({ "product": "causeway", "publisher": quorum(&[1]), "auditor": quorum(&[2, 3]), "functionary": quorum(&[4]) });
        let keys = keys.to_string();
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("causeway.bin"), b"the program").expect("written");
        let (size, sha256) = release::measure(&b"the program"[..]).expect("read");
        let manifest = Manifest {
            product: "causeway".into(),
            version: Version([2, 0, 1]),
            released: 5,
            files: vec![File { name: "causeway.bin".into(), size, sha256 }],
        };
        let signers = [(Role::Publisher, 1), (Role::Auditor, 2), (Role::Auditor, 3), (Role::Functionary, 4)];
        let package = |count: usize| {
            let signatures = signers[..count].iter().map(|(role, n)| manifest.sign(*role, &pair(*n), &[0; 32])).collect();
            Package::new(manifest.clone(), signatures).to_json()
        };
        let good = package(4);
        assert!(is_release(&good) && !is_release("{}"));
        let judged = judge(&good, &keys, Some("2.0.0"), Some(dir.path())).ok().expect("applied");
        assert_eq!(judged["files"][0]["matches"], true);
        assert_eq!(judged["signed"]["auditor"], 2);
        assert_eq!(judge(&good, &keys, None, None).ok().expect("applied")["files"][0]["matches"], false);

        assert_eq!(said(judge(&package(3), &keys, None, None)), "0 of 1 signatures by role functionary");
        assert_eq!(said(judge(&good, &keys, Some("2.0.1"), None)), "version 2.0.1 is not newer than 2.0.1");
        std::fs::write(dir.path().join("causeway.bin"), b"another one").expect("written");
        assert_eq!(said(judge(&good, &keys, None, Some(dir.path()))), "file causeway.bin is not the one that was signed");
    }
}
