//! Release packages: software that runs only when a majority of everybody who answers for it has signed.
//!
//! A [`Manifest`] names the files of a release by size and SHA256. Three groups sign it, each with a threshold of its own: the publisher
//! who built it, auditors who read it, functionaries who will run it. The file format and the signed bytes are described in
//! docs/release-packages.md; what is signed never depends on how the JSON around it is written.

use bitcoin::hashes::{Hash as _, HashEngine as _, sha256};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use bitcoin::secp256k1::{Keypair, Message, SECP256K1, XOnlyPublicKey, schnorr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::collections::BTreeSet;
use std::fmt;

/// What every package says it is.
pub const FORMAT: &str = "causeway-release-1";
/// Longest package, bytes of JSON.
pub const MAX_PACKAGE: usize = 1 << 20;
/// Most files of a release.
pub const MAX_FILES: usize = 1000;
/// Most keys of one role, and most signatures of a package.
pub const MAX_KEYS: usize = 100;
/// Longest name of a product or file, bytes.
const MAX_NAME: usize = 200;
/// Tag of the signed hash (as BIP340 tags its hashes).
const TAG: &[u8] = b"causeway/release";

/// A version: three numbers, compared from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub [u32; 3]);

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name, without a path.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Hash of all of it.
    #[serde(with = "hex_array")]
    pub sha256: [u8; 32],
}

/// What is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Which program: a signature for one is none for another.
    pub product: String,
    /// Which version of it.
    pub version: Version,
    /// Unix seconds.
    pub released: u32,
    /// Its files, ascending by name.
    pub files: Vec<File>,
}

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Built it.
    Publisher,
    /// Read it.
    Auditor,
    /// Will run it.
    Functionary,
}

impl Role {
    /// All of them, in the order in which they are judged.
    pub const ALL: [Role; 3] = [Role::Publisher, Role::Auditor, Role::Functionary];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Publisher => "publisher",
            Role::Auditor => "auditor",
            Role::Functionary => "functionary",
        })
    }
}

/// The keys of one role and how many must sign: more than half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quorum {
    /// How many.
    pub threshold: u8,
    /// Of whom.
    pub keys: Vec<XOnlyPublicKey>,
}

/// Whose signatures count. Comes with the installed program, never with the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedKeys")]
pub struct ReleaseKeys {
    product: String,
    publisher: Quorum,
    auditor: Quorum,
    functionary: Quorum,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedKeys {
    product: String,
    publisher: Quorum,
    auditor: Quorum,
    functionary: Quorum,
}

/// A signature with the role in which it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// In which role.
    pub role: Role,
    /// By whom.
    pub key: XOnlyPublicKey,
    /// BIP340, over [`Manifest::digest`].
    pub signature: schnorr::Signature,
}

/// A manifest with its signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    format: String,
    /// What is released.
    pub manifest: Manifest,
    /// Who stands for it.
    pub signatures: Vec<Signature>,
}

/// Why a package is not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseFault {
    /// No package: not the JSON that the format describes, or beyond its bounds.
    #[error("no release package: {0}")]
    Format(String),
    /// Keys that cannot judge anything: an empty or minority quorum, or a key that stands in two places.
    #[error("release keys: {0}")]
    Keys(&'static str),
    /// Of another program.
    #[error("a release of {found}, not of {wanted}")]
    Product {
        /// What it is of.
        found: String,
        /// What is wanted.
        wanted: String,
    },
    /// Not newer than what is installed.
    #[error("version {offered} is not newer than {installed}")]
    Downgrade {
        /// What is installed.
        installed: Version,
        /// What the package holds.
        offered: Version,
    },
    /// Signed by a key that is none of ours.
    #[error("key {0} is nobody's")]
    UnknownSigner(XOnlyPublicKey),
    /// Signed in a role that the key does not have.
    #[error("key {key} signs as {role} and is not one")]
    WrongRole {
        /// The key.
        key: XOnlyPublicKey,
        /// The role it claims.
        role: Role,
    },
    /// The same key signs twice.
    #[error("key {0} signs more than once")]
    DuplicateSigner(XOnlyPublicKey),
    /// The signature does not hold for this manifest.
    #[error("the signature of key {0} does not hold")]
    BadSignature(XOnlyPublicKey),
    /// Too few of a role have signed.
    #[error("{have} of {need} signatures by role {role}")]
    Short {
        /// Which role.
        role: Role,
        /// Good signatures.
        have: usize,
        /// Signatures needed.
        need: u8,
    },
    /// A file that is not what was signed.
    #[error("file {0} is not the one that was signed")]
    File(String),
}

impl ReleaseKeys {
    /// Checks and builds. Each quorum must be a majority of its role, and no key may stand in two places.
    pub fn new(product: String, publisher: Quorum, auditor: Quorum, functionary: Quorum) -> Result<ReleaseKeys, ReleaseFault> {
        let mut seen = BTreeSet::new();
        for quorum in [&publisher, &auditor, &functionary] {
            let (k, n) = (usize::from(quorum.threshold), quorum.keys.len());
            if n == 0 || n > MAX_KEYS || k > n || k * 2 <= n {
                return Err(ReleaseFault::Keys("a threshold must be a majority of its role"));
            }
            if !quorum.keys.iter().all(|key| seen.insert(key.serialize())) {
                return Err(ReleaseFault::Keys("a key stands in two places"));
            }
        }
        Ok(ReleaseKeys { product, publisher, auditor, functionary })
    }

    /// Reads the keys file.
    pub fn from_json(text: &str) -> Result<ReleaseKeys, ReleaseFault> {
        serde_json::from_str(text).map_err(|e| ReleaseFault::Format(e.to_string()))
    }

    /// Which program these keys stand for.
    pub fn product(&self) -> &str {
        &self.product
    }

    /// The keys of a role.
    pub fn quorum(&self, role: Role) -> &Quorum {
        match role {
            Role::Publisher => &self.publisher,
            Role::Auditor => &self.auditor,
            Role::Functionary => &self.functionary,
        }
    }

    fn knows(&self, key: &XOnlyPublicKey) -> bool {
        Role::ALL.iter().any(|role| self.quorum(*role).keys.contains(key))
    }
}

impl TryFrom<UncheckedKeys> for ReleaseKeys {
    type Error = ReleaseFault;
    fn try_from(raw: UncheckedKeys) -> Result<Self, ReleaseFault> {
        ReleaseKeys::new(raw.product, raw.publisher, raw.auditor, raw.functionary)
    }
}

impl Manifest {
    /// The canonical bytes: see docs/release-packages.md.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let text = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
        };
        text(&mut bytes, &self.product);
        bytes.extend(self.version.0.iter().flat_map(|number| number.to_le_bytes()));
        bytes.extend(self.released.to_le_bytes());
        bytes.extend((self.files.len() as u32).to_le_bytes());
        for file in &self.files {
            text(&mut bytes, &file.name);
            bytes.extend(file.size.to_le_bytes());
            bytes.extend(file.sha256);
        }
        bytes
    }

    /// What is signed in this role: a tagged hash of the role and the canonical bytes.
    pub fn digest(&self, role: Role) -> Message {
        let tag = sha256::Hash::hash(TAG);
        let mut engine = sha256::Hash::engine();
        engine.input(tag.as_byte_array());
        engine.input(tag.as_byte_array());
        engine.input(&[match role {
            Role::Publisher => 0,
            Role::Auditor => 1,
            Role::Functionary => 2,
        }]);
        engine.input(&self.to_bytes());
        Message::from_digest(sha256::Hash::from_engine(engine).to_byte_array())
    }

    /// A signature in a role. `aux` is 32 fresh random bytes.
    pub fn sign(&self, role: Role, key: &Keypair, aux: &[u8; 32]) -> Signature {
        let signature = SECP256K1.sign_schnorr_with_aux_rand(&self.digest(role), key, aux);
        Signature { role, key: key.x_only_public_key().0, signature }
    }

    fn check(&self) -> Result<(), ReleaseFault> {
        let bad = |why: &str| Err(ReleaseFault::Format(why.to_owned()));
        if self.files.is_empty() || self.files.len() > MAX_FILES {
            return bad("number of files");
        }
        let plain = |name: &str| {
            !name.is_empty() && name.len() <= MAX_NAME && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
        };
        if !plain(&self.product) || !self.files.iter().all(|file| plain(&file.name)) {
            return bad("a name that is none");
        }
        if !self.files.windows(2).all(|pair| pair[0].name < pair[1].name) {
            return bad("files must ascend by name");
        }
        Ok(())
    }
}

impl Package {
    /// A package with these signatures.
    pub fn new(manifest: Manifest, signatures: Vec<Signature>) -> Package {
        Package { format: FORMAT.to_owned(), manifest, signatures }
    }

    /// Reads a package; total. Says nothing about its signatures.
    pub fn from_json(text: &str) -> Result<Package, ReleaseFault> {
        if text.len() > MAX_PACKAGE {
            return Err(ReleaseFault::Format("too long".into()));
        }
        let package: Package = serde_json::from_str(text).map_err(|e| ReleaseFault::Format(e.to_string()))?;
        if package.format != FORMAT {
            return Err(ReleaseFault::Format("another format".into()));
        }
        if package.signatures.len() > MAX_KEYS {
            return Err(ReleaseFault::Format("too many signatures".into()));
        }
        package.manifest.check()?;
        Ok(package)
    }

    /// The file that [`Package::from_json`] reads.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("BUG: names and hex are JSON")
    }

    /// Whether this package may replace what is installed. Every signature must count: one that does not is not passed over, because
    /// somebody put it there.
    pub fn verify(&self, keys: &ReleaseKeys, installed: Option<Version>) -> Result<(), ReleaseFault> {
        let manifest = &self.manifest;
        manifest.check()?;
        if manifest.product != keys.product {
            return Err(ReleaseFault::Product { found: manifest.product.clone(), wanted: keys.product.clone() });
        }
        if let Some(installed) = installed.filter(|installed| manifest.version <= *installed) {
            return Err(ReleaseFault::Downgrade { installed, offered: manifest.version });
        }
        let mut seen = BTreeSet::new();
        for Signature { role, key, signature } in &self.signatures {
            if !keys.knows(key) {
                return Err(ReleaseFault::UnknownSigner(*key));
            }
            if !keys.quorum(*role).keys.contains(key) {
                return Err(ReleaseFault::WrongRole { key: *key, role: *role });
            }
            if !seen.insert(key.serialize()) {
                return Err(ReleaseFault::DuplicateSigner(*key));
            }
            if SECP256K1.verify_schnorr(signature, &manifest.digest(*role), key).is_err() {
                return Err(ReleaseFault::BadSignature(*key));
            }
        }
        for role in Role::ALL {
            let have = self.signatures.iter().filter(|signature| signature.role == role).count();
            let need = keys.quorum(role).threshold;
            if have < usize::from(need) {
                return Err(ReleaseFault::Short { role, have, need });
            }
        }
        Ok(())
    }

    /// Whether a file is the one that was signed.
    pub fn check_file(&self, name: &str, size: u64, hash: [u8; 32]) -> Result<(), ReleaseFault> {
        let signed = self.manifest.files.iter().any(|file| file.name == name && file.size == size && file.sha256 == hash);
        if signed { Ok(()) } else { Err(ReleaseFault::File(name.to_owned())) }
    }
}

/// Size and SHA256 of what a reader gives, for [`Package::check_file`].
pub fn measure(mut file: impl std::io::Read) -> std::io::Result<(u64, [u8; 32])> {
    let mut engine = sha256::Hash::engine();
    let size = std::io::copy(&mut file, &mut engine)?;
    Ok((size, sha256::Hash::from_engine(engine).to_byte_array()))
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl std::str::FromStr for Version {
    type Err = ReleaseFault;
    /// Reads three decimal numbers without signs or leading zeros.
    fn from_str(text: &str) -> Result<Version, ReleaseFault> {
        let bad = || ReleaseFault::Format("a version is three numbers".into());
        let numbers = text.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().map_err(|_| bad())?;
        let version = Version(numbers.try_into().map_err(|_| bad())?);
        if version.to_string() == text { Ok(version) } else { Err(bad()) }
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

mod hex_array {
    use super::*;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&bytes.as_hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        <[u8; 32]>::from_hex(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[path = "release_tests.rs"]
mod tests;
