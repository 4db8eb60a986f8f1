//! Release packages: written, signed in a role, judged.

use crate::{Outcome, files, key};
use bitcoin::secp256k1::Keypair;
use causeway_federation::release::{self, File, Manifest, Package, Quorum, ReleaseFault, ReleaseKeys, Role};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

fn refused(fault: ReleaseFault) -> String {
    fault.to_string()
}

/// Unix seconds.
pub(crate) fn now() -> Outcome<u32> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?.as_secs();
    u32::try_from(seconds).map_err(|_| "the clock is off".into())
}

/// Writes the list of keys: publisher, auditor, functionary.
pub(crate) fn keys(product: &str, roles: [&str; 3], out: &Path) -> Outcome<String> {
    let quorum = |text: &str| key::threshold(text).map(|(threshold, keys)| Quorum { threshold, keys });
    let [publisher, auditor, functionary] = roles.map(quorum);
    let keys = ReleaseKeys::new(product.to_owned(), publisher?, auditor?, functionary?).map_err(refused)?;
    let text = serde_json::to_string_pretty(&keys).map_err(|e| e.to_string())?;
    files::replace(out, &format!("{text}\n"))?;
    Ok(format!("{}\n", out.display()))
}

/// Writes a package that nobody has signed.
pub(crate) fn write(product: &str, version: &str, released: u32, paths: &[PathBuf], out: &Path) -> Outcome<String> {
    let measured = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| format!("{}: no name", path.display()))?;
        measure(path, name)
    };
    let mut listed = paths.iter().map(measured).collect::<Outcome<Vec<File>>>()?;
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    let version = version.parse().map_err(refused)?;
    let manifest = Manifest { product: product.to_owned(), version, released, files: listed };
    let package = Package::new(manifest, Vec::new());
    // Whatever a reader would refuse is refused here.
    let package = Package::from_json(&package.to_json()).map_err(refused)?;
    files::create(out, &format!("{}\n", package.to_json()), 0o644)?;
    Ok(said(&package))
}

fn measure(path: &Path, name: &str) -> Outcome<File> {
    let (size, sha256) = std::fs::File::open(path).and_then(release::measure).map_err(files::failed(path))?;
    Ok(File { name: name.to_owned(), size, sha256 })
}

fn read(path: &Path) -> Outcome<Package> {
    Package::from_json(&files::read(path)?).map_err(refused)
}

/// Measures the files of a package that lie beside it; one that is not what the package says is refused. Gives how many lie there.
fn check_files(package: &Package, path: &Path) -> Outcome<usize> {
    let mut found = 0;
    for File { name, .. } in &package.manifest.files {
        let beside = path.with_file_name(name);
        if beside.exists() {
            let File { size, sha256, .. } = measure(&beside, name)?;
            package.check_file(name, size, sha256).map_err(refused)?;
            found += 1;
        }
    }
    Ok(found)
}

/// Signs a package whose files have been seen. Signing again in the same role replaces the signature.
pub(crate) fn sign(path: &Path, role: &str, key: &Keypair, aux: &[u8; 32]) -> Outcome<String> {
    let role = Role::ALL.into_iter().find(|known| known.to_string() == role).ok_or_else(|| format!("{role:?} is no role"))?;
    let mut package = read(path)?;
    let (found, all) = (check_files(&package, path)?, package.manifest.files.len());
    if found < all {
        return Err(format!("only {found} of {all} files lie beside the package: nobody signs what he has not got"));
    }
    let signature = package.manifest.sign(role, key, aux);
    package.signatures.retain(|other| other.key != signature.key);
    package.signatures.push(signature);
    files::replace(path, &format!("{}\n", package.to_json()))?;
    Ok(said(&package))
}

/// Judges a package and the files that lie beside it.
pub(crate) fn verify(path: &Path, keys: &Path) -> Outcome<String> {
    let keys = ReleaseKeys::from_json(&files::read(keys)?).map_err(refused)?;
    let package = read(path)?;
    package.verify(&keys, None).map_err(refused)?;
    let found = check_files(&package, path)?;
    Ok(format!("{}{found} of {} files lie beside it and are what was signed\n", said(&package), package.manifest.files.len()))
}

fn said(package: &Package) -> String {
    let manifest = &package.manifest;
    let mut text = format!("{} {}\n", manifest.product, manifest.version);
    for file in &manifest.files {
        let hash = bitcoin::hex::DisplayHex::to_lower_hex_string(&file.sha256);
        let _ = writeln!(text, "{hash}  {} ({} bytes)", file.name, file.size);
    }
    for signature in &package.signatures {
        let _ = writeln!(text, "signed as {} by {}", signature.role, signature.key);
    }
    text
}
