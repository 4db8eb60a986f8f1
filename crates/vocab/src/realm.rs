//! Realms: which chains a profile belongs to, and where their peers are.

use crate::code::{Code, Refusal};
use bitcoin::hex::{DisplayHex as _, FromHex as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::net::SocketAddr;

/// The chains of a profile and the peers that serve them. Read from a TOML *realm file*.
///
/// A profile is bound to the two genesis hashes for life. Every realm is followed by the same code: what differs between them are
/// parameters and offers (`testbed`), never a mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Realm {
    /// Name shown to the user, such as `sandbox`.
    pub name: String,
    /// Coins of this realm are worth nothing: an empty password is allowed and faces say so.
    #[serde(default)]
    pub valueless: bool,
    /// The Bitcoin chain.
    pub bitcoin: BitcoinParams,
    /// The sidechain pegged to it.
    pub sidechain: SidechainParams,
    /// Where test coins and blocks can be asked for, if the realm offers them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub testbed: Option<Testbed>,
    /// The control plane of Bitcoin staking, if the realm has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staking: Option<StakingParams>,
}

/// The Bitcoin chain of a realm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BitcoinParams {
    /// `bitcoin`, `signet`, `testnet4` or `regtest`.
    pub network: bitcoin::Network,
    /// P2P addresses of peers that serve BIP157 filters. Empty: DNS seeds of the network.
    #[serde(default)]
    pub peers: Vec<SocketAddr>,
    /// How many peers must agree on filter headers. 1 is allowed only when every peer is on loopback.
    #[serde(default = "one")]
    pub required_peers: u8,
}

/// The sidechain of a realm: the fields a client must be configured with, named as elementsd's own options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SidechainParams {
    /// Elements' name of the chain, such as `liquidv1`.
    pub chain_name: String,
    /// The four magic bytes in the order in which they cross the wire.
    #[serde(with = "hex_magic")]
    pub network_magic: [u8; 4],
    /// The whole genesis block, consensus-encoded, hex.
    pub genesis_block: String,
    /// Its hash; must be the hash of `genesis_block`.
    pub genesis_hash: elements::BlockHash,
    /// The pegged asset, in which fees are paid.
    pub policy_asset: elements::AssetId,
    /// Genesis hash of the Bitcoin chain this chain is pegged to.
    pub parent_genesis_hash: bitcoin::BlockHash,
    /// Signing script before dynamic federations (bare k-of-n), hex.
    pub signblockscript: elements::Script,
    /// Witness size limit of that script, bytes.
    pub genesis_max_block_witness: u32,
    /// Federation peg script before any transition, hex.
    pub fedpegscript: elements::Script,
    /// Blocks in a dynafed epoch.
    pub epoch_length: u32,
    /// Votes a proposal needs within one epoch: 4/5 of the epoch, rounded down.
    pub vote_threshold: u32,
    /// For how many epochs a federation script stays claimable, the current one included.
    pub total_valid_epochs: u32,
    /// Bitcoin confirmations before a peg-in can be claimed, the block of the deposit counted as the first.
    pub pegin_confirmation_depth: u32,
    /// First height with dynafed headers.
    pub dynafed_active_from_height: u32,
    /// Whether peg-outs need a PAK proof.
    #[serde(default)]
    pub enforce_pak: bool,
    /// Extension space of the first dynafed block, hex. Elements' own default unless a chain was started with other PAK entries.
    #[serde(default = "default_extension_space")]
    pub first_extension_space: Vec<String>,
    /// Address prefixes.
    pub address: AddressPrefixes,
    /// P2P addresses of Elements peers that serve BIP157 filters.
    #[serde(default)]
    pub peers: Vec<SocketAddr>,
    /// Servers that are asked whether they stand on the same branch: `tcp://host:port` or `ssl://host:port` of an Electrum server,
    /// `http://…` or `https://…` of an Esplora server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Asset registries (`http://…`, `https://…`): asked what assets are called, believed nothing that the asset's id does not commit to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub registries: Vec<String>,
}

/// Address prefixes of a sidechain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressPrefixes {
    /// Human-readable part of explicit segwit addresses.
    pub bech32_hrp: String,
    /// Human-readable part of confidential segwit addresses.
    pub blech32_hrp: String,
    /// Version byte of P2PKH.
    pub p2pkh_prefix: u8,
    /// Version byte of P2SH.
    pub p2sh_prefix: u8,
    /// Version byte of blinded base58 addresses.
    pub blinded_prefix: u8,
}

/// A service that hands out test coins and mines blocks on request. Plain HTTP, loopback only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Testbed {
    /// `POST /fund {"address","sat"}` -> `{"txid"}`; `POST /mine {"network","blocks"}` -> `{"tip"}`; see crates/sandbox/src/control/mod.rs.
    pub control: SocketAddr,
}

/// The control plane of Bitcoin staking: where it is asked, and the block from which it is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StakingParams {
    /// Its chain id, such as `bbn-1`.
    pub chain_id: String,
    /// Prefix of its accounts, such as `bbn`.
    pub account_prefix: String,
    /// Its smallest coin, in which fees are paid, such as `ubbn`.
    pub denom: String,
    /// Fee of 1000 units of gas, in `denom`.
    pub gas_price: u64,
    /// RPC addresses of at least two nodes: the first is followed, the others are compared with it.
    pub nodes: Vec<String>,
    /// REST addresses; what they answer is only reported.
    pub servers: Vec<String>,
    /// Height of a block that is trusted.
    pub anchor_height: u64,
    /// Its hash, hex.
    pub anchor_hash: String,
    /// For how long a verified block is trusted, seconds; well under the time in which validators can take their stake back.
    pub trusting_period: u32,
    /// Bitcoin blocks on top of a staking transaction's own before it counts.
    pub depth: u32,
}

impl StakingParams {
    /// The field that cannot be right.
    fn fault(&self) -> Option<&'static str> {
        let http = |list: &[String]| list.iter().all(|base| base.starts_with("https://") || base.starts_with("http://"));
        let good = [
            ("staking.chain_id", !self.chain_id.is_empty()),
            ("staking.account_prefix", bech32::Hrp::parse(&self.account_prefix).is_ok()),
            ("staking.nodes", self.nodes.len() >= 2 && http(&self.nodes)),
            ("staking.servers", !self.servers.is_empty() && http(&self.servers)),
            ("staking.anchor_hash", <[u8; 32]>::from_hex(&self.anchor_hash).is_ok()),
            ("staking.anchor_height", self.anchor_height > 0),
            ("staking.trusting_period", self.trusting_period > 0),
        ];
        good.into_iter().find(|(_, good)| !good).map(|(field, _)| field)
    }
}

fn one() -> u8 {
    1
}

/// What Elements puts there when a custom chain names no PAK entries: one entry whose keys nobody holds.
pub fn default_extension_space() -> Vec<String> {
    vec!["02fcba7ecf41bc7e1be4ee122d9d22e3333671eb0a3a87b5cdf099d59874e1940f".repeat(2)]
}

impl Realm {
    /// Reads and checks a realm file.
    ///
    /// Refused with [`Code::BadRealm`] and the offending `field` when a value is missing, malformed or contradicts another one.
    pub fn from_toml(text: &str) -> Result<Realm, Refusal> {
        let bad = |field: &str| Refusal::new(Code::BadRealm).with("field", field);
        let realm: Realm = toml::from_str(text).map_err(|e| bad(e.message().lines().next().unwrap_or("")))?;
        let side = &realm.sidechain;
        if side.genesis().is_none_or(|block| block.block_hash() != side.genesis_hash) {
            return Err(bad("sidechain.genesis_hash"));
        }
        let parent = bitcoin::constants::genesis_block(realm.bitcoin.network).block_hash();
        if side.parent_genesis_hash != parent {
            return Err(bad("sidechain.parent_genesis_hash"));
        }
        if side.epoch_length == 0 || side.total_valid_epochs == 0 {
            return Err(bad("sidechain.epoch_length"));
        }
        if u64::from(side.vote_threshold) != u64::from(side.epoch_length) * 4 / 5 {
            return Err(bad("sidechain.vote_threshold"));
        }
        if side.pegin_confirmation_depth == 0 {
            return Err(bad("sidechain.pegin_confirmation_depth"));
        }
        if side.first_extension_space.iter().any(|entry| Vec::<u8>::from_hex(entry).is_err()) {
            return Err(bad("sidechain.first_extension_space"));
        }
        let schemes = ["tcp://", "ssl://", "http://", "https://"];
        if side.sources.iter().any(|source| !schemes.iter().any(|scheme| source.starts_with(scheme))) {
            return Err(bad("sidechain.sources"));
        }
        if side.registries.iter().any(|base| !["http://", "https://"].iter().any(|scheme| base.starts_with(scheme))) {
            return Err(bad("sidechain.registries"));
        }
        let prefixes = &side.address;
        if [&prefixes.bech32_hrp, &prefixes.blech32_hrp].iter().any(|hrp| bech32::Hrp::parse(hrp).is_err()) {
            return Err(bad("sidechain.address"));
        }
        let loopback = !realm.bitcoin.peers.is_empty() && realm.bitcoin.peers.iter().all(|p| p.ip().is_loopback());
        if realm.bitcoin.required_peers == 0 || realm.bitcoin.required_peers > 15 || realm.bitcoin.required_peers < 2 && !loopback
        {
            return Err(bad("bitcoin.required_peers"));
        }
        if realm.testbed.as_ref().is_some_and(|t| !t.control.ip().is_loopback()) {
            return Err(bad("testbed.control"));
        }
        match realm.staking.as_ref().and_then(StakingParams::fault) {
            Some(field) => Err(bad(field)),
            None => Ok(realm),
        }
    }

    /// Writes the realm file that [`Realm::from_toml`] reads back.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("BUG: a realm has no value that TOML lacks")
    }
}

impl SidechainParams {
    /// The decoded genesis block, or `None` when the hex is damaged.
    pub fn genesis(&self) -> Option<elements::Block> {
        let bytes = Vec::<u8>::from_hex(&self.genesis_block).ok()?;
        elements::encode::deserialize(&bytes).ok()
    }

    /// The prefixes in the form that `elements` takes.
    ///
    /// # Panics
    /// When a human-readable part is none; [`Realm::from_toml`] refuses such a realm.
    pub fn address_params(&self) -> &'static elements::AddressParams {
        use std::sync::Mutex;
        static SEEN: Mutex<Vec<&'static elements::AddressParams>> = Mutex::new(Vec::new());
        let hrp = |text: &str| bech32::Hrp::parse(text).expect("BUG: checked when the realm was read");
        let wanted = elements::AddressParams {
            p2pkh_prefix: self.address.p2pkh_prefix,
            p2sh_prefix: self.address.p2sh_prefix,
            blinded_prefix: self.address.blinded_prefix,
            bech_hrp: hrp(&self.address.bech32_hrp),
            blech_hrp: hrp(&self.address.blech32_hrp),
        };
        // `elements` wants these for ever; a process sees a handful of realms, so each is leaked once.
        let mut seen = SEEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match seen.iter().find(|known| ***known == wanted) {
            Some(known) => known,
            None => {
                let leaked: &'static _ = Box::leak(Box::new(wanted));
                seen.push(leaked);
                leaked
            }
        }
    }
}

mod hex_magic {
    use super::*;

    pub(super) fn serialize<S: Serializer>(magic: &[u8; 4], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&magic.to_lower_hex_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 4], D::Error> {
        let text = String::deserialize(deserializer)?;
        <[u8; 4]>::from_hex(&text).map_err(|_| serde::de::Error::custom("network_magic is not 8 hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chain of a real elementsd, as its fixtures describe it.
    fn fixture() -> Realm {
        let text = include_str!("../../../tests/fixtures/elements/chain.json");
        let chain: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
        let mut params = chain["network"].clone();
        let fields = params.as_object_mut().expect("an object");
        for extra in
            ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
        {
            fields.remove(extra);
        }
        Realm {
            name: "lab".into(),
            valueless: true,
            bitcoin: BitcoinParams {
                network: bitcoin::Network::Regtest,
                peers: vec!["127.0.0.1:18444".parse().expect("an address")],
                required_peers: 1,
            },
            sidechain: serde_json::from_value(params).expect("the fields of chain.json"),
            testbed: None,
            staking: None,
        }
    }

    fn staking() -> StakingParams {
        StakingParams {
            chain_id: "bbn-1".into(),
            account_prefix: "bbn".into(),
            denom: "ubbn".into(),
            gas_price: 7,
            nodes: vec!["https://one.example".into(), "https://two.example".into()],
            servers: vec!["https://api.example".into()],
            anchor_height: 1,
            anchor_hash: "ab".repeat(32),
            trusting_period: 86_400,
            depth: 30,
        }
    }

    #[test]
    fn a_realm_reads_back_as_it_was_written() {
        let realm = fixture();
        assert_eq!(Realm::from_toml(&realm.to_toml()), Ok(realm.clone()));
        let realm = Realm { staking: Some(staking()), ..realm };
        assert_eq!(Realm::from_toml(&realm.to_toml()), Ok(realm));
    }

    #[test]
    fn a_control_plane_that_cannot_be_followed_is_refused_by_field() {
        type Break = fn(&mut StakingParams);
        let cases: [(&str, Break); 5] = [
            ("staking.nodes", |s| s.nodes.truncate(1)),
            ("staking.nodes", |s| s.nodes[1] = "tcp://two.example".into()),
            ("staking.servers", |s| s.servers.clear()),
            ("staking.anchor_hash", |s| s.anchor_hash = "ab".into()),
            ("staking.trusting_period", |s| s.trusting_period = 0),
        ];
        for (field, spoil) in cases {
            let mut broken = staking();
            spoil(&mut broken);
            let realm = Realm { staking: Some(broken), ..fixture() };
            let refused = Realm::from_toml(&realm.to_toml()).expect_err(field);
            assert_eq!((refused.code, refused.args["field"].as_str()), (Code::BadRealm, field));
        }
    }

    #[test]
    fn a_realm_that_contradicts_itself_is_refused_by_field() {
        type Break = fn(&mut Realm);
        let cases: [(&str, Break); 8] = [
            ("sidechain.sources", |r| r.sidechain.sources = vec!["ftp://host".into()]),
            ("sidechain.first_extension_space", |r| r.sidechain.first_extension_space = vec!["0g".into()]),
            ("sidechain.genesis_hash", |r| r.sidechain.genesis_block.replace_range(80..82, "ff")),
            ("sidechain.parent_genesis_hash", |r| r.bitcoin.network = bitcoin::Network::Signet),
            ("sidechain.vote_threshold", |r| r.sidechain.vote_threshold = 7),
            ("bitcoin.required_peers", |r| r.bitcoin.peers = vec!["10.0.0.1:8333".parse().expect("an address")]),
            ("testbed.control", |r| r.testbed = Some(Testbed { control: "10.0.0.1:1".parse().expect("an address") })),
            ("sidechain.pegin_confirmation_depth", |r| r.sidechain.pegin_confirmation_depth = 0),
        ];
        for (field, spoil) in cases {
            let mut realm = fixture();
            spoil(&mut realm);
            let refused = Realm::from_toml(&realm.to_toml()).expect_err(field);
            assert_eq!((refused.code, refused.args["field"].as_str()), (Code::BadRealm, field));
        }
    }
}
