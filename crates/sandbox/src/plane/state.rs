//! What the control plane keeps of itself.

use super::chain::{Row, Seeds, hash_text, header};
use super::tree::{Entries, app_hash};
use crate::error::SandboxError;
use crate::world::replace_file;
use bitcoin::hashes::Hash as _;
use bitcoin::hex::FromHex as _;
use bitcoin::secp256k1::{SECP256K1, SecretKey, XOnlyPublicKey};
use bitcoin::{Amount, BlockHash, ScriptBuf, Txid};
use causeway_staking::delegation::{CovenantSignatures, Registration};
use causeway_staking::eots::{EotsKey, EotsSignature, PublicRandomness};
use causeway_staking::message::CreateBtcDelegation;
use causeway_staking::params::{Covenant, Params};
use causeway_staking::script::Terms;
use causeway_staking::stake::{Rules, Stake};
use causeway_staking::stored;
use prost::Message as _;
use rand::RngCore as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Blocks on top of a staking transaction's own before the stake counts.
pub(super) const DEPTH: u32 = 3;
/// What every account begins with, in the smallest coin: this world is worth nothing.
const WELCOME: u64 = 100_000_000;
/// What every block gives to all stakes together, in the smallest coin.
const REWARD: u64 = 10_000;
/// Members of the committee, and how many of them must sign.
const COMMITTEE: (usize, u32) = (5, 3);
/// Bitcoin blocks that are remembered, so that a reorganisation is found.
const REMEMBERED: usize = 200;

#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub(super) validators: Seeds,
    pub(super) committee: Vec<SecretKey>,
    pub(super) providers: Vec<Provider>,
    pub(super) versions: Vec<Params>,
    pub(super) blocks: Vec<Row>,
    /// Bitcoin blocks that were looked at, the last ones.
    pub(super) scanned: Vec<(u32, BlockHash)>,
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) delegations: BTreeMap<Txid, Delegation>,
    pub(super) gauges: BTreeMap<String, Gauge>,
    /// Transactions that were taken, by hash in capital hex, with their height.
    pub(super) taken: BTreeMap<String, u64>,
    pub(super) evidence: Vec<Evidence>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Provider {
    key: SecretKey,
    pub(super) moniker: String,
    /// Percent.
    pub(super) commission: u64,
    pub(super) jailed: bool,
    pub(super) slashed: Option<u64>,
    pub(super) missed: u64,
}

impl Provider {
    pub(super) fn key(&self) -> EotsKey {
        EotsKey::from_bytes(&self.key.secret_bytes()).expect("BUG: it was a key")
    }

    pub(super) fn public(&self) -> XOnlyPublicKey {
        self.key.x_only_public_key(SECP256K1).0
    }

    pub(super) fn votes(&self) -> bool {
        !self.jailed && self.slashed.is_none()
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) number: u64,
    pub(super) sequence: u64,
    pub(super) balance: u64,
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct Gauge {
    pub(super) coins: u64,
    pub(super) withdrawn: u64,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Delegation {
    pub(super) account: String,
    /// The message that registered it, hex.
    message: String,
    pub(super) params_version: u32,
    pub(super) covenant: CovenantSignatures,
    /// Bitcoin block of its staking transaction.
    pub(super) seen: Option<u32>,
    /// It is proved to be deep enough.
    pub(super) proved: bool,
    /// Bitcoin block that holds a spend of the stake.
    pub(super) spent: Option<u32>,
    pub(super) unbonding_seen: bool,
}

/// Two votes of one provider at one height.
#[derive(Serialize, Deserialize)]
pub(super) struct Evidence {
    pub(super) provider: XOnlyPublicKey,
    pub(super) height: u64,
    pub(super) randomness: PublicRandomness,
    pub(super) canonical: (String, EotsSignature),
    pub(super) fork: (String, EotsSignature),
}

impl Delegation {
    pub(super) fn new(message: &CreateBtcDelegation, params_version: u32) -> Delegation {
        use bitcoin::hex::DisplayHex as _;
        Delegation {
            account: message.staker_addr.clone(),
            message: message.encode_to_vec().to_lower_hex_string(),
            params_version,
            covenant: CovenantSignatures::default(),
            seen: None,
            proved: false,
            spent: None,
            unbonding_seen: false,
        }
    }

    pub(super) fn message(&self) -> CreateBtcDelegation {
        let bytes = Vec::from_hex(&self.message).expect("BUG: we wrote it");
        CreateBtcDelegation::decode(&bytes[..]).expect("BUG: it was read before")
    }

    /// What was registered, as it was checked then.
    pub(super) fn registered(&self, params: &Params) -> (Stake, Registration) {
        read(&self.message(), params).expect("BUG: it was read before")
    }
}

/// Reads a registration under some parameters. `None` when it makes no stake.
pub(super) fn read(message: &CreateBtcDelegation, params: &Params) -> Option<(Stake, Registration)> {
    let key = |bytes: &Vec<u8>| XOnlyPublicKey::from_slice(bytes).ok();
    let signature = |bytes: &[u8]| bitcoin::secp256k1::schnorr::Signature::from_slice(bytes).ok();
    let transaction = |bytes: &[u8]| bitcoin::consensus::deserialize(bytes).ok();
    let terms = Terms {
        staker: key(&message.btc_pk)?,
        providers: message.fp_btc_pk_list.iter().map(key).collect::<Option<_>>()?,
        covenant: params.covenant.clone(),
        staking_time: message.staking_time.try_into().ok()?,
        unbonding_time: message.unbonding_time.try_into().ok()?,
    };
    let value = Amount::from_sat(message.staking_value.try_into().ok()?);
    let stake = Stake::new(terms, value, Rules::from(params)).ok()?;
    stake.check_against(params).ok()?;
    let registration = Registration {
        staking: transaction(&message.staking_tx)?,
        unbonding: transaction(&message.unbonding_tx)?,
        slashing: transaction(&message.slashing_tx)?,
        unbonding_slashing: transaction(&message.unbonding_slashing_tx)?,
        staker_slashing: signature(&message.delegator_slashing_sig)?,
        staker_unbonding_slashing: signature(&message.delegator_unbonding_slashing_sig)?,
    };
    Some((stake, registration))
}

impl State {
    /// The state of a directory, or a new one that begins at a Bitcoin block.
    pub(super) fn load_or_create(dir: &Path, bitcoin: (u32, BlockHash), now: u64) -> Result<State, SandboxError> {
        let path = dir.join("plane.json");
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| SandboxError::Damaged { path, why: e.to_string() }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let mut state = State::new(bitcoin);
                state.commit(now);
                state.save(dir)?;
                Ok(state)
            }
            Err(e) => Err(SandboxError::io("reading plane.json")(e)),
        }
    }

    fn new(bitcoin: (u32, BlockHash)) -> State {
        let rng = &mut rand::rngs::OsRng;
        let mut seed = || {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            bytes
        };
        let validators = (0..4).map(|_| seed()).collect();
        let committee: Vec<_> = (0..COMMITTEE.0).map(|_| SecretKey::new(&mut rand::rngs::OsRng)).collect();
        let provider = |(moniker, commission): (&str, u64)| Provider {
            key: SecretKey::new(&mut rand::rngs::OsRng),
            moniker: moniker.to_owned(),
            commission,
            jailed: false,
            slashed: None,
            missed: 0,
        };
        let params = Params {
            covenant: Covenant {
                keys: committee.iter().map(|key| key.x_only_public_key(SECP256K1).0).collect(),
                quorum: COMMITTEE.1,
            },
            value: (Amount::from_sat(50_000), Amount::from_sat(1_000_000_000)),
            term: (10, 10_000),
            slashing_script: ScriptBuf::new_op_return(b"babylon"),
            slashing_fee: Amount::from_sat(2_000),
            slashing_rate: "0.1".parse().expect("BUG: a share"),
            unbonding_time: 5,
            unbonding_fee: Amount::from_sat(1_000),
            min_commission: "0.03".parse().expect("BUG: a share"),
            registration_gas: 100_000,
            allow_list_until: 0,
            activation_height: 0,
        };
        State {
            validators,
            committee,
            providers: [("Alder", 3), ("Birch", 5), ("Cedar", 10)].into_iter().map(provider).collect(),
            versions: vec![params],
            blocks: Vec::new(),
            scanned: vec![bitcoin],
            accounts: BTreeMap::new(),
            delegations: BTreeMap::new(),
            gauges: BTreeMap::new(),
            taken: BTreeMap::new(),
            evidence: Vec::new(),
        }
    }

    pub(super) fn save(&self, dir: &Path) -> Result<(), SandboxError> {
        let json = serde_json::to_vec(self).expect("BUG: keys and numbers are JSON");
        replace_file(&dir.join("plane.json"), &json)
    }

    pub(super) fn height(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// What store proofs reach.
    pub(super) fn entries(&self) -> Entries {
        let stored = |(version, params): (u32, &Params)| (stored::key(version).to_vec(), stored::encode(version, params));
        (0..).zip(&self.versions).map(stored).collect()
    }

    /// Makes a block over the state as it is now. `now` is in milliseconds.
    pub(super) fn commit(&mut self, now: u64) {
        use bitcoin::hex::DisplayHex as _;
        let below = self.blocks.last();
        let time = below.map_or(now, |row| row.time.saturating_add(1).max(now));
        let app_hash = app_hash(stored::STORE, &self.entries()).to_lower_hex_string();
        let header = header(&self.validators, self.height() + 1, below, time, &app_hash);
        self.blocks.push(Row { time, app_hash, hash: hash_text(&header) });
        self.reward();
        for provider in self.providers.iter_mut().filter(|provider| provider.jailed) {
            provider.missed += 1;
        }
    }

    /// Shares the reward of a block among the stakes that count, less their providers' commission.
    fn reward(&mut self) {
        let tip = self.tip();
        let mut shares = Vec::new();
        for delegation in self.delegations.values() {
            let params = &self.versions[delegation.params_version as usize];
            let (stake, _) = delegation.registered(params);
            let provider = self.providers.iter().find(|provider| stake.terms().providers == [provider.public()]);
            if let Some(provider) = provider.filter(|provider| provider.votes())
                && status(delegation, &stake, tip) == "ACTIVE"
            {
                shares.push((delegation.account.clone(), stake.value().to_sat(), provider.commission));
            }
        }
        let total: u64 = shares.iter().map(|(_, sat, _)| sat).sum();
        for (account, sat, commission) in shares {
            let share = u64::try_from(u128::from(REWARD) * u128::from(sat) / u128::from(total)).unwrap_or(0);
            self.gauges.entry(account).or_default().coins += share * (100 - commission) / 100;
        }
    }

    /// Height of the last Bitcoin block that was looked at.
    pub(super) fn tip(&self) -> u32 {
        self.scanned.last().map_or(0, |(height, _)| *height)
    }

    /// An account, made when it is first asked for.
    pub(super) fn account(&mut self, address: &str) -> &mut Account {
        let number = self.accounts.len() as u64 + 1;
        self.accounts.entry(address.to_owned()).or_insert(Account { number, sequence: 0, balance: WELCOME })
    }

    /// Looks at the next Bitcoin block.
    pub(super) fn see(&mut self, height: u32, block: &bitcoin::Block) {
        for tx in &block.txdata {
            let txid = tx.compute_txid();
            if let Some(delegation) = self.delegations.get_mut(&txid) {
                delegation.seen = Some(height);
            }
            for input in &tx.input {
                let Some(delegation) = self.delegations.get(&input.previous_output.txid) else { continue };
                let (stake, registered) = delegation.registered(&self.versions[delegation.params_version as usize]);
                if stake.find_in(&registered.staking) == Some(input.previous_output) {
                    let unbonds = registered.unbonding.compute_txid() == txid;
                    let delegation = self.delegations.get_mut(&input.previous_output.txid).expect("BUG: found above");
                    (delegation.spent, delegation.unbonding_seen) = (Some(height), unbonds);
                }
            }
        }
        self.scanned.push((height, block.block_hash()));
        let above = self.scanned.len().saturating_sub(REMEMBERED);
        self.scanned.drain(..above);
    }

    /// Takes back what stood in the last Bitcoin block that was looked at.
    pub(super) fn unsee(&mut self) {
        let Some((height, _)) = self.scanned.pop() else { return };
        for delegation in self.delegations.values_mut() {
            if delegation.seen == Some(height) {
                (delegation.seen, delegation.proved) = (None, false);
            }
            if delegation.spent == Some(height) {
                (delegation.spent, delegation.unbonding_seen) = (None, false);
            }
        }
    }
}

/// The name that the public interface gives to where a delegation stands.
pub(super) fn status(delegation: &Delegation, stake: &Stake, tip: u32) -> &'static str {
    let terms = stake.terms();
    let quorum = terms.covenant.quorum as usize;
    let signed = delegation.covenant.unbonding.len() >= quorum && delegation.covenant.slashing.len() >= quorum;
    match delegation.seen {
        _ if delegation.spent.is_some() => "UNBONDED",
        Some(start) if delegation.proved => {
            let end = start.saturating_add(u32::from(terms.staking_time));
            if tip.saturating_add(u32::from(terms.unbonding_time)) >= end { "EXPIRED" } else { "ACTIVE" }
        }
        _ if signed => "VERIFIED",
        _ => "PENDING",
    }
}

/// A block hash in the order of the header.
pub(super) fn block_hash(bytes: &[u8]) -> Option<BlockHash> {
    BlockHash::from_slice(bytes).ok()
}
