//! Confidential descriptors (ELIP-150): which scripts are ours and which keys open what is paid to them.

use bitcoin::bip32::{ChildNumber, DerivationPath, Fingerprint};
use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::hex::DisplayHex as _;
use causeway_vocab::{Code, Refusal, SidechainParams};
use elements::opcodes::all::OP_RETURN;
use elements::script::Builder;
use elements::{Address, AddressParams, OutPoint, Script};
use elements_miniscript::confidential::{self, Key};
use elements_miniscript::descriptor::{DescriptorSecretKey, Wildcard};
use elements_miniscript::{
    DefiniteDescriptorKey, Descriptor as ScriptDescriptor, DescriptorPublicKey, ForEachKey as _, ToPublicKey as _,
};
use secp256k1_zkp::{PublicKey, SECP256K1, SecretKey};
use serde::{Deserialize, Serialize};
use std::str::FromStr as _;

/// Longest descriptor we read, bytes. The longest useful one, a multisig of 15 extended keys, stays below 3000.
pub const MAX_DESCRIPTOR: usize = 10_000;

/// Which of a wallet's two chains of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chain {
    /// Handed out to payers.
    External,
    /// Change and other outputs to ourselves.
    Internal,
}

impl Chain {
    /// Both, external first.
    pub const BOTH: [Chain; 2] = [Chain::External, Chain::Internal];
}

/// Where in the account a script is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyPath {
    /// External or internal.
    pub chain: Chain,
    /// Index in the chain.
    pub index: u32,
}

/// A confidential descriptor of any form that ELIP-150 and ELIP-151 know. Holds public spending keys only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CtDescriptor(confidential::Descriptor<DescriptorPublicKey>);

/// A descriptor that a wallet can follow: ranged, on the right network, and with a key that opens what it receives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    whole: CtDescriptor,
    /// One per chain; a single one when the descriptor has one path, which then serves both.
    chains: Vec<CtDescriptor>,
    params: &'static AddressParams,
}

/// One script of an account with everything that follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedScript {
    /// Output script.
    pub script: Script,
    /// Public blinding key: payers blind to it.
    pub blinding_key: PublicKey,
    descriptor: ScriptDescriptor<DefiniteDescriptorKey>,
    params: &'static AddressParams,
}

fn bad(why: &str) -> Refusal {
    Refusal::new(Code::BadDescriptor).with("why", why)
}

impl CtDescriptor {
    /// Reads a descriptor. The checksum may be absent; when there it must hold.
    ///
    /// Refused with `BadDescriptor`, `why` one of `too-long`, `not-confidential`, `checksum`, `syntax`, `private-key`, `blinding-key`
    /// and `no-wildcard` (for `elip151` only, which needs one).
    pub fn parse(text: &str) -> Result<CtDescriptor, Refusal> {
        let text = text.trim();
        if text.len() > MAX_DESCRIPTOR {
            return Err(bad("too-long"));
        }
        if !text.starts_with("ct(") {
            return Err(bad("not-confidential"));
        }
        if let Some((body, checksum)) = text.split_once('#')
            && elements_miniscript::descriptor::checksum::desc_checksum(body).ok().as_deref() != Some(checksum)
        {
            return Err(bad("checksum"));
        }
        let body = text.split('#').next().unwrap_or_default();
        let (_, script) = split(body).ok_or_else(|| bad("syntax"))?;
        // Only at the start of a key: within, the three letters stand in one public key of two thousand.
        let mut keys = script.split(|c: char| !c.is_ascii_alphanumeric());
        if keys.any(|key| key.get(1..4).is_some_and(|mark| mark.eq_ignore_ascii_case("prv"))) {
            return Err(bad("private-key"));
        }
        let ordinary = ScriptDescriptor::<DescriptorPublicKey>::from_str(script).map_err(|_| bad("syntax"))?;
        // The library unwraps on indices that cannot be derived.
        if body.starts_with("ct(elip151,") && (!ordinary.has_wildcard() || has_hardened_step(&ordinary)) {
            return Err(bad("no-wildcard"));
        }
        if ordinary.sanity_check().is_err() || ordinary.max_weight_to_satisfy().is_err() {
            return Err(bad("syntax"));
        }
        let whole = confidential::Descriptor::from_str(body).map_err(|_| bad("blinding-key"))?;
        Ok(CtDescriptor(whole))
    }

    /// `ct(<view key>, script descriptor)` with the view key that ELIP-151 derives from the script descriptor.
    ///
    /// Refused with `BadDescriptor` as in [`CtDescriptor::parse`].
    pub fn with_deterministic_view_key(script_descriptor: &str) -> Result<CtDescriptor, Refusal> {
        CtDescriptor::parse(&format!("ct(elip151,{})", script_descriptor.split('#').next().unwrap_or_default()))
    }

    /// Whether it ends in `/*`.
    pub fn is_ranged(&self) -> bool {
        self.0.descriptor.has_wildcard()
    }

    /// One descriptor per path of a `<0;1>` step, in their order; itself when there is no such step.
    pub fn paths(&self) -> Vec<CtDescriptor> {
        let singles = self.0.descriptor.clone().into_single_descriptors().expect("BUG: path counts are checked when it is read");
        singles
            .into_iter()
            .map(|descriptor| CtDescriptor(confidential::Descriptor { key: self.0.key.clone(), descriptor }))
            .collect()
    }

    /// The script at an index, of the first path. `None` past the last index that needs no private key, or when a step is hardened.
    pub fn derive(&self, index: u32, params: &'static AddressParams) -> Option<DerivedScript> {
        let single = if self.0.descriptor.is_multipath() { self.paths().swap_remove(0) } else { self.clone() };
        if has_hardened_step(&single.0.descriptor) {
            return None;
        }
        let definite = single.0.at_derivation_index(index).ok()?;
        let address = definite.address(SECP256K1, params).ok()?;
        let blinding_key = address.blinding_pubkey?;
        Some(DerivedScript { script: address.script_pubkey(), blinding_key, descriptor: definite.descriptor, params })
    }

    /// The private blinding key of a script: opens what was blinded to it. `None` for bare public keys.
    pub fn private_blinding_key(&self, script: &Script, index: u32) -> Option<SecretKey> {
        match &self.0.key {
            Key::Slip77(master) => Some(master.blinding_private_key(script)),
            Key::Bare(_) => None,
            Key::View(key) => {
                let secret = match key {
                    DescriptorSecretKey::Single(single) => single.key.inner,
                    DescriptorSecretKey::XPrv(extended) => {
                        let path = match extended.wildcard {
                            Wildcard::None => extended.derivation_path.clone(),
                            Wildcard::Unhardened => extended.derivation_path.child(ChildNumber::from_normal_idx(index).ok()?),
                            Wildcard::Hardened => extended.derivation_path.child(ChildNumber::from_hardened_idx(index).ok()?),
                        };
                        extended.xkey.derive_priv(SECP256K1, &path).ok()?.private_key
                    }
                    DescriptorSecretKey::MultiXPrv(_) => return None,
                };
                Some(confidential::bare::tweak_private_key(SECP256K1, script, &secret))
            }
        }
    }

    /// The deterministic wallet identifier (ELIP-152). `None` when a step is hardened.
    pub fn dwid(&self, params: &'static AddressParams) -> Option<String> {
        let last = ChildNumber::from_normal_idx((1 << 31) - 1).ok()?;
        let address = self.derive(last.into(), params)?.confidential_address().to_string();
        let hash = sha256::Hash::hash(address.as_bytes()).to_byte_array();
        let groups: Vec<String> = hash[..16].chunks(2).map(|pair| pair.to_lower_hex_string()).collect();
        Some(groups.join("-"))
    }

    /// Checks that a wallet on that network can follow it.
    ///
    /// Refused with `BadDescriptor`, `why`: `no-wildcard`, `hardened` (needs private keys), `view-key` (nothing could be opened), `paths`
    /// (more than two, or an unusable blinding key), `network` (extended keys of another network).
    pub fn account(&self, params: &SidechainParams) -> Result<Account, Refusal> {
        if !self.is_ranged() {
            return Err(bad("no-wildcard"));
        }
        if has_hardened_step(&self.0.descriptor) {
            return Err(bad("hardened"));
        }
        if matches!(self.0.key, Key::Bare(_)) {
            return Err(bad("view-key"));
        }
        let main = params.chain_name == "liquidv1";
        if self.0.descriptor.for_any_key(|key| network_of(key).is_some_and(|network| network.is_mainnet() != main)) {
            return Err(bad("network"));
        }
        let address_params = params.address_params();
        let chains = self.paths();
        let usable = |path: &CtDescriptor| {
            let derived = path.derive(0, address_params);
            derived.is_some_and(|derived| path.private_blinding_key(&derived.script, 0).is_some())
        };
        if chains.len() > 2 || !chains.iter().all(usable) {
            return Err(bad("paths"));
        }
        Ok(Account { whole: self.clone(), chains, params: address_params })
    }
}

/// The checksummed form.
impl std::fmt::Display for CtDescriptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Account {
    /// The descriptor it was made from.
    pub fn descriptor(&self) -> &CtDescriptor {
        &self.whole
    }

    /// Prefixes of its addresses.
    pub fn address_params(&self) -> &'static AddressParams {
        self.params
    }

    /// The chain that stands for the asked one: both are the same when the descriptor has a single path.
    pub fn chain(&self, chain: Chain) -> Chain {
        if self.chains.len() == 1 { Chain::External } else { chain }
    }

    /// The script at a path. `None` past index 2^31 - 1.
    pub fn derive(&self, path: KeyPath) -> Option<DerivedScript> {
        self.path(path.chain).derive(path.index, self.params)
    }

    /// The script descriptor at a path; no key is computed. `None` past index 2^31 - 1.
    pub(crate) fn definite(&self, path: KeyPath) -> Option<ScriptDescriptor<DefiniteDescriptorKey>> {
        self.path(path.chain).0.descriptor.at_derivation_index(path.index).ok()
    }

    /// Weight units that satisfying the script at a path adds to an input, signatures of the largest size.
    pub(crate) fn satisfaction_weight(&self, path: KeyPath) -> usize {
        let weight = self.path(path.chain).0.descriptor.max_weight_to_satisfy();
        weight.expect("BUG: descriptors that nothing satisfies are refused when they are read")
    }

    /// The output script at a path, without the rest. `None` past index 2^31 - 1.
    pub(crate) fn script(&self, path: KeyPath) -> Option<Script> {
        Some(self.definite(path)?.script_pubkey())
    }

    /// The private key that opens what was blinded to that script.
    pub fn private_blinding_key(&self, path: KeyPath, script: &Script) -> SecretKey {
        let key = self.path(path.chain).private_blinding_key(script, path.index);
        key.expect("BUG: an account has a view key, and its paths were derived before")
    }

    /// The key that hides the amounts of an issuance by the input that spends `prevout`: the blinding key of the script OP_RETURN
    /// <previous txid> <vout>, as elementsd derives it.
    pub fn issuance_blinding_key(&self, prevout: &OutPoint) -> SecretKey {
        let script = Builder::new()
            .push_opcode(OP_RETURN)
            .push_slice(&prevout.txid.to_byte_array())
            .push_int(prevout.vout.into())
            .into_script();
        self.private_blinding_key(KeyPath { chain: Chain::External, index: 0 }, &script)
    }

    fn path(&self, chain: Chain) -> &CtDescriptor {
        match self.chain(chain) {
            Chain::External => &self.chains[0],
            Chain::Internal => &self.chains[1],
        }
    }
}

impl DerivedScript {
    /// The address that hides asset and amount.
    pub fn confidential_address(&self) -> Address {
        self.explicit_address().to_confidential(self.blinding_key)
    }

    /// The address without a blinding key: what is paid to it, everybody sees.
    pub fn explicit_address(&self) -> Address {
        let address = Address::from_script(&self.script, None, self.params);
        address.expect("BUG: every descriptor that is read has an address")
    }

    /// Public keys with their origin, as PSETs name them: fingerprint of the master key and full path.
    pub fn key_origins(&self) -> Vec<(bitcoin::PublicKey, (Fingerprint, DerivationPath))> {
        let mut origins = Vec::new();
        self.descriptor.for_each_key(|key| {
            if let Some(path) = key.full_derivation_path() {
                origins.push((key.to_public_key(), (key.master_fingerprint(), path)));
            }
            true
        });
        origins
    }
}

/// Blinding key and script of `ct(KEY,SCRIPT)`.
fn split(body: &str) -> Option<(&str, &str)> {
    let inner = body.strip_prefix("ct(")?.strip_suffix(')')?;
    let mut depth = 0u32;
    let comma = inner.find(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })?;
    Some((&inner[..comma], &inner[comma + 1..]))
}

fn has_hardened_step(descriptor: &ScriptDescriptor<DescriptorPublicKey>) -> bool {
    let hardened = |path: &DerivationPath| path.into_iter().any(ChildNumber::is_hardened);
    descriptor.for_any_key(|key| match key {
        DescriptorPublicKey::Single(_) => false,
        DescriptorPublicKey::XPub(key) => key.wildcard == Wildcard::Hardened || hardened(&key.derivation_path),
        DescriptorPublicKey::MultiXPub(key) => {
            key.wildcard == Wildcard::Hardened || key.derivation_paths.paths().iter().any(hardened)
        }
    })
}

fn network_of(key: &DescriptorPublicKey) -> Option<bitcoin::NetworkKind> {
    match key {
        DescriptorPublicKey::Single(_) => None,
        DescriptorPublicKey::XPub(key) => Some(key.xkey.network),
        DescriptorPublicKey::MultiXPub(key) => Some(key.xkey.network),
    }
}

#[cfg(test)]
mod tests;
