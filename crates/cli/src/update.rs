//! `causeway update`: judges a release package by the keys that ship with this program, and hands over the file that it vouches for.

use crate::Why;
use crate::render::render;
use causeway_app::release::ReleaseKeys;
use causeway_app::updates;
use causeway_contract::{UpdateCheck, UpdateFile};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Largest package, bytes.
const MOST_BYTES: u64 = 1 << 20;

/// Prints what the package brings; fails unless it may be installed. Files for this platform that lie beside it are checked as they are copied
/// into `into`, so that what lies there is what was checked. Nothing is run.
pub(crate) fn update(package: &Path, into: Option<&Path>, json: bool) -> Result<(), Why> {
    let into = into.map_or_else(|| beside(package).join("verified"), Path::to_owned);
    let value = judge(package, &into, &updates::shipped_keys(), updates::installed())?;
    if json {
        println!("{value}");
    } else {
        print!("{}", render(&value));
    }
    Ok(())
}

fn beside(package: &Path) -> PathBuf {
    package.parent().unwrap_or(Path::new("")).to_owned()
}

fn judge(package: &Path, into: &Path, keys: &ReleaseKeys, installed: causeway_app::release::Version) -> Result<Value, Why> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| Why::Said(format!("{path}: {e}"))
    };
    let mut text = String::new();
    let file = std::fs::File::open(package).map_err(failed(package))?;
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(failed(package))?;
    let request = |file| UpdateCheck { package: text.clone(), file };
    let verdict = updates::check(&request(None), keys, installed)?;
    let mut files = Vec::new();
    for UpdateFile { name, size, sha256 } in &verdict.files {
        let source = beside(package).join(name);
        let mut handed = None;
        if source.exists() {
            std::fs::create_dir_all(into).map_err(failed(into))?;
            let fresh = into.join(format!("{name}.unchecked"));
            let copy = || -> std::io::Result<UpdateFile> {
                let mut bytes = std::fs::File::open(&source)?.take(u64::from(*size) + 1);
                let mut to = std::fs::File::create(&fresh)?;
                std::io::copy(&mut bytes, &mut to)?;
                to.flush()?;
                to.sync_all()?;
                // Read back: what is vouched for is what lies there.
                let (size, hash) = causeway_app::release::measure(std::fs::File::open(&fresh)?)?;
                let size = u32::try_from(size).unwrap_or(u32::MAX);
                Ok(UpdateFile { name: name.clone(), size, sha256: bitcoin::hex::DisplayHex::to_lower_hex_string(&hash) })
            };
            let given = copy().map_err(failed(&source))?;
            if let Err(refusal) = updates::check(&request(Some(given)), keys, installed) {
                std::fs::remove_file(&fresh).map_err(failed(&fresh))?;
                return Err(refusal.into());
            }
            let path = into.join(name);
            std::fs::rename(&fresh, &path).map_err(failed(&path))?;
            handed = Some(path);
        }
        files.push(json!({ "name": name, "size": size, "sha256": sha256, "verified": handed }));
    }
    Ok(json!({
        "version": verdict.version,
        "released": verdict.released,
        "signed": { "publisher": verdict.publishers, "auditor": verdict.auditors, "functionary": verdict.functionaries },
        "files": files,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::secp256k1::{Keypair, SECP256K1, SecretKey};
    use causeway_app::release::{self, File, Manifest, Package, Quorum, Role, Version};

    #[test]
    fn the_file_that_a_release_vouches_for_is_handed_over_and_no_other() {
        let pair = |number: u8| Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[number; 32]).expect("a key"));
        let quorum = |number: u8| Quorum { threshold: 1, keys: vec![pair(number).x_only_public_key().0] };
        let keys = ReleaseKeys::new("causeway".into(), quorum(1), quorum(2), quorum(3)).expect("keys");
        let dir = tempfile::tempdir().expect("a folder");
        let name = format!("causeway-2.0.0{}deb", updates::platform());
        std::fs::write(dir.path().join(&name), b"the program").expect("written");
        let (size, sha256) = release::measure(&b"the program"[..]).expect("read");
        let files = vec![File { name: name.clone(), size, sha256 }];
        let manifest = Manifest { product: "causeway".into(), version: Version([2, 0, 0]), released: 5, files };
        let package = |roles: &[(Role, u8)]| {
            let signatures = roles.iter().map(|(role, number)| manifest.sign(*role, &pair(*number), &[0; 32])).collect();
            let path = dir.path().join("causeway-2.0.0.json");
            std::fs::write(&path, Package::new(manifest.clone(), signatures).to_json()).expect("written");
            path
        };
        let all = [(Role::Publisher, 1), (Role::Auditor, 2), (Role::Functionary, 3)];
        let into = dir.path().join("verified");
        let told = judge(&package(&all), &into, &keys, Version([1, 9, 9])).ok().expect("vouched for");
        assert_eq!(told["version"], "2.0.0");
        assert_eq!(std::fs::read(into.join(&name)).expect("handed over"), b"the program");

        std::fs::remove_dir_all(&into).expect("removed");
        let refused = |outcome: Result<Value, Why>| match outcome {
            Err(Why::Refused(refusal)) => refusal.code,
            _ => panic!("not refused"),
        };
        use causeway_contract::Code;
        assert_eq!(refused(judge(&package(&all[..2]), &into, &keys, Version([1, 9, 9]))), Code::ReleaseShort);
        assert_eq!(refused(judge(&package(&all), &into, &keys, Version([2, 0, 0]))), Code::ReleaseOld);
        assert_eq!(refused(judge(&package(&all), &into, &updates::shipped_keys(), Version([1, 9, 9]))), Code::BadRelease);
        std::fs::write(dir.path().join(&name), b"another one").expect("written");
        assert_eq!(refused(judge(&package(&all), &into, &keys, Version([1, 9, 9]))), Code::ReleaseFile);
        assert!(!into.join(&name).exists() && !into.join(format!("{name}.unchecked")).exists(), "nothing unchecked is left");
    }
}
