//! Updates of this program: a release package is judged by the keys that ship, and by nothing else.
//!
//! Nothing is fetched and nothing is run: the person opens the package, and gets to know which file it vouches for.

use crate::profile::Profile;
use crate::release::{Package, ReleaseFault, ReleaseKeys, Role, Version};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use causeway_contract::{Failure, UpdateCheck, UpdateFile, UpdateVerdict};
use causeway_vocab::{Code, Refusal};

/// Whose signatures count.
const KEYS: &str = include_str!("../../../assets/pinned/release.json");

/// The keys that ship with this program.
pub fn shipped_keys() -> ReleaseKeys {
    ReleaseKeys::from_json(KEYS).expect("BUG: the release keys ship with the app")
}

/// What part of the name of a file says that it is for this machine, such as `-linux-x86_64.`.
pub fn platform() -> String {
    format!("-{}-{}.", std::env::consts::OS, std::env::consts::ARCH)
}

/// Judges a package as an update of what is installed: signatures, product, version, and whether there is a file for this platform. With
/// `request.file`, that file must be one of them.
pub fn check(request: &UpdateCheck, keys: &ReleaseKeys, installed: Version) -> Result<UpdateVerdict, Refusal> {
    let package = Package::from_json(&request.package).map_err(refusal)?;
    package.verify(keys, Some(installed)).map_err(refusal)?;
    let manifest = &package.manifest;
    let platform = platform();
    // Larger ones are for nobody.
    let file = |file: &crate::release::File| {
        let size = u32::try_from(file.size).ok()?;
        Some(UpdateFile { name: file.name.clone(), size, sha256: file.sha256.to_lower_hex_string() })
    };
    let files: Vec<UpdateFile> = manifest.files.iter().filter(|file| file.name.contains(&platform)).filter_map(file).collect();
    if files.is_empty() {
        return Err(Refusal::new(Code::ReleaseForeign).with("platform", platform.trim_matches(['-', '.'])));
    }
    let verified = match &request.file {
        None => None,
        Some(given) => {
            let hash = <[u8; 32]>::from_hex(&given.sha256).map_err(|_| Refusal::new(Code::BadRequest).with("field", "sha256"))?;
            let same = |file: &&UpdateFile| file.size == given.size && file.sha256 == hash.to_lower_hex_string();
            let found = files.iter().find(same).ok_or_else(|| Refusal::new(Code::ReleaseFile).with("name", &given.name))?;
            Some(found.name.clone())
        }
    };
    let by = |role| package.signatures.iter().filter(|signature| signature.role == role).count() as u32;
    Ok(UpdateVerdict {
        version: manifest.version.to_string(),
        released: manifest.released,
        publishers: by(Role::Publisher),
        auditors: by(Role::Auditor),
        functionaries: by(Role::Functionary),
        files,
        verified,
    })
}

/// The version that runs.
pub fn installed() -> Version {
    env!("CARGO_PKG_VERSION").parse().expect("BUG: the version of this program is three numbers")
}

fn refusal(fault: ReleaseFault) -> Refusal {
    match fault {
        ReleaseFault::Short { role, have, need } => {
            Refusal::new(Code::ReleaseShort).with("role", role).with("have", have).with("need", need)
        }
        ReleaseFault::Downgrade { installed, offered } => {
            Refusal::new(Code::ReleaseOld).with("installed", installed).with("offered", offered)
        }
        other => Refusal::new(Code::BadRelease).with("why", other),
    }
}

impl Profile {
    pub(crate) async fn update_check(&self, request: UpdateCheck) -> Result<UpdateVerdict, Failure> {
        check(&request, &self.options.release_keys, installed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::{File, Manifest};
    use bitcoin::secp256k1::{Keypair, SECP256K1, SecretKey};

    fn pair(number: u8) -> Keypair {
        Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[number; 32]).expect("a key"))
    }

    fn keys() -> ReleaseKeys {
        let quorum = |threshold, numbers: &[u8]| crate::release::Quorum {
            threshold,
            keys: numbers.iter().map(|number| pair(*number).x_only_public_key().0).collect(),
        };
        ReleaseKeys::new("causeway".into(), quorum(1, &[1]), quorum(2, &[2, 3, 4]), quorum(2, &[5, 6, 7])).expect("keys")
    }

    fn package(version: [u32; 3], name: &str, signers: &[(Role, u8)]) -> String {
        let file = File { name: name.into(), size: 11, sha256: [7; 32] };
        let manifest = Manifest { product: "causeway".into(), version: Version(version), released: 5, files: vec![file] };
        let signatures = signers.iter().map(|(role, number)| manifest.sign(*role, &pair(*number), &[0; 32])).collect();
        Package::new(manifest, signatures).to_json()
    }

    const SIGNERS: [(Role, u8); 5] =
        [(Role::Publisher, 1), (Role::Auditor, 2), (Role::Auditor, 4), (Role::Functionary, 5), (Role::Functionary, 7)];

    fn judge(package: String, file: Option<UpdateFile>) -> Result<UpdateVerdict, Refusal> {
        check(&UpdateCheck { package, file }, &keys(), Version([1, 2, 3]))
    }

    #[test]
    fn an_update_is_vouched_for_only_newer_fully_signed_and_for_this_platform() {
        let name = format!("causeway-1.2.4{}deb", platform());
        let good = || package([1, 2, 4], &name, &SIGNERS);
        let verdict = judge(good(), None).expect("good");
        assert_eq!((verdict.version.as_str(), verdict.auditors, verdict.functionaries, verdict.verified), ("1.2.4", 2, 2, None));
        assert_eq!(verdict.files[0].sha256, "07".repeat(32));
        let file = |size, byte: &str| Some(UpdateFile { name: "x".into(), size, sha256: byte.repeat(32) });
        assert_eq!(judge(good(), file(11, "07")).expect("the file").verified, Some(name.clone()));

        let code = |outcome: Result<UpdateVerdict, Refusal>| outcome.expect_err("refused").code;
        assert_eq!(code(judge(good(), file(12, "07"))), Code::ReleaseFile);
        assert_eq!(code(judge(good(), file(11, "08"))), Code::ReleaseFile);
        assert_eq!(code(judge(good(), file(11, "0"))), Code::BadRequest);
        let short = judge(package([1, 2, 4], &name, &SIGNERS[..4]), None).expect_err("short");
        assert_eq!(
            (short.code, short.args["role"].as_str(), short.args["have"].as_str()),
            (Code::ReleaseShort, "functionary", "1")
        );
        for old in [[1, 2, 3], [1, 2, 2], [0, 9, 9]] {
            assert_eq!(code(judge(package(old, &name, &SIGNERS), None)), Code::ReleaseOld);
        }
        let foreign = judge(package([1, 2, 4], "causeway-1.2.4-beos-ppc.pkg", &SIGNERS), None);
        assert_eq!(code(foreign), Code::ReleaseForeign);
        assert_eq!(code(judge(good().replace("1.2.4", "1.2.5"), None)), Code::BadRelease, "what was not signed");
        assert_eq!(code(judge("{}".into(), None)), Code::BadRelease);
    }

    #[test]
    fn the_keys_that_ship_are_a_majority_of_each_role_and_accept_nothing_of_strangers() {
        let keys = shipped_keys();
        assert_eq!(keys.product(), "causeway");
        assert!(keys.quorum(Role::Auditor).keys.len() > 1 && keys.quorum(Role::Functionary).keys.len() > 2);
        let strangers = package([9, 0, 0], &format!("causeway-9.0.0{}deb", platform()), &SIGNERS);
        let refused = check(&UpdateCheck { package: strangers, file: None }, &keys, installed()).expect_err("refused");
        assert_eq!(refused.code, Code::BadRelease);
    }
}
