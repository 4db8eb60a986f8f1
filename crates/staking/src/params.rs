//! Staking parameters by version and Bitcoin height (x/btcstaking `Params`).

use crate::rate::Rate;
use bitcoin::base64::Engine as _;
use bitcoin::base64::prelude::BASE64_STANDARD;
use bitcoin::{Amount, ScriptBuf, XOnlyPublicKey};
use causeway_vocab::Height;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;

/// The committee that co-signs unbonding and slashing: `quorum` of `keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covenant {
    /// Members in the order of the parameters; scripts sort them.
    pub keys: Vec<XOnlyPublicKey>,
    /// Signatures that a covenant path needs, neither fewer nor more.
    pub quorum: u32,
}

impl Covenant {
    /// Members in the order of the scripts: ascending by their bytes.
    pub fn sorted(&self) -> Vec<XOnlyPublicKey> {
        let mut keys = self.keys.clone();
        keys.sort_unstable_by_key(XOnlyPublicKey::serialize);
        keys
    }
}

/// What a stake that was registered under one version of the parameters has to keep for life.
///
/// Reads and writes the form in which the control plane answers: x-only keys in hex, the slashing script in base64, 64-bit numbers as
/// decimal strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    /// The committee.
    pub covenant: Covenant,
    /// Least and most that one stake may lock.
    pub value: (Amount, Amount),
    /// Shortest and longest term, in blocks.
    pub term: (u16, u16),
    /// Where the slashed share goes.
    pub slashing_script: ScriptBuf,
    /// Least fee of a slashing transaction; this wallet pays exactly this.
    pub slashing_fee: Amount,
    /// Share of a stake that slashing takes.
    pub slashing_rate: Rate,
    /// Relative lock of the unbonding output and of what slashing leaves, in blocks.
    pub unbonding_time: u16,
    /// Fee of an unbonding transaction, exact.
    pub unbonding_fee: Amount,
    /// Least commission a finality provider may take.
    pub min_commission: Rate,
    /// Gas that a registration ahead of the staking transaction costs besides its own.
    pub registration_gas: u64,
    /// Control-plane height until which only listed stakes are accepted.
    pub allow_list_until: u64,
    /// First Bitcoin height at which these parameters apply.
    pub activation_height: Height,
}

/// Parameters that contradict themselves, by the name of the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the staking parameters contradict themselves in {0}")]
pub struct BadParams(pub &'static str);

impl Params {
    pub(crate) fn check(self) -> Result<Params, BadParams> {
        let members: BTreeSet<_> = self.covenant.keys.iter().map(XOnlyPublicKey::serialize).collect();
        let quorum = usize::try_from(self.covenant.quorum).unwrap_or(usize::MAX);
        let good = [
            ("covenant_pks", members.len() == self.covenant.keys.len()),
            ("covenant_quorum", (1..=members.len()).contains(&quorum)),
            ("max_staking_value_sat", self.value.0 <= self.value.1 && self.value.1 <= Amount::MAX_MONEY),
            ("min_staking_value_sat", self.value.0 > self.unbonding_fee),
            ("max_staking_time_blocks", 0 < self.term.0 && self.term.0 <= self.term.1),
            ("unbonding_time_blocks", self.unbonding_time > 0),
            ("slashing_pk_script", !self.slashing_script.is_empty()),
        ];
        match good.iter().find(|(_, good)| !good) {
            Some((field, _)) => Err(BadParams(field)),
            None => Ok(self),
        }
    }
}

/// Every version of the parameters, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamsHistory(Vec<(u32, Params)>);

impl ParamsHistory {
    /// Versions as the control plane lists them. Each must be higher than the one before; heights may repeat but never fall.
    pub fn new(versions: Vec<(u32, Params)>) -> Result<ParamsHistory, BadParams> {
        let ascends =
            |pair: &[(u32, Params)]| pair[0].0 < pair[1].0 && pair[0].1.activation_height <= pair[1].1.activation_height;
        if versions.windows(2).all(ascends) { Ok(ParamsHistory(versions)) } else { Err(BadParams("btc_activation_height")) }
    }

    /// The version for a Bitcoin height: the last whose activation is not above it. `None` before the first.
    ///
    /// The height is that of the block with the staking transaction, or the control plane's Bitcoin tip for a stake that is registered
    /// before it is broadcast and for an extension.
    pub fn at_height(&self, height: Height) -> Option<(u32, &Params)> {
        let after = self.0.partition_point(|(_, params)| params.activation_height <= height);
        self.0[..after].last().map(|(version, params)| (*version, params))
    }

    /// One version by its number.
    pub fn version(&self, version: u32) -> Option<&Params> {
        self.0.iter().find(|(number, _)| *number == version).map(|(_, params)| params)
    }
}

#[derive(Serialize, Deserialize)]
struct Answer {
    covenant_pks: Vec<XOnlyPublicKey>,
    covenant_quorum: u32,
    min_staking_value_sat: Number,
    max_staking_value_sat: Number,
    min_staking_time_blocks: u16,
    max_staking_time_blocks: u16,
    slashing_pk_script: String,
    min_slashing_tx_fee_sat: Number,
    slashing_rate: Rate,
    unbonding_time_blocks: u16,
    unbonding_fee_sat: Number,
    min_commission_rate: Rate,
    delegation_creation_base_gas_fee: Number,
    allow_list_expiration_height: Number,
    btc_activation_height: Height,
}

/// A 64-bit number in the JSON form of protobuf: a decimal string; a plain number is read too.
struct Number(u64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Text(String),
            Plain(u64),
        }
        match Form::deserialize(deserializer)? {
            Form::Plain(number) => Ok(Number(number)),
            Form::Text(text) => text.parse().map(Number).map_err(serde::de::Error::custom),
        }
    }
}

impl Serialize for Params {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let answer = Answer {
            covenant_pks: self.covenant.keys.clone(),
            covenant_quorum: self.covenant.quorum,
            min_staking_value_sat: Number(self.value.0.to_sat()),
            max_staking_value_sat: Number(self.value.1.to_sat()),
            min_staking_time_blocks: self.term.0,
            max_staking_time_blocks: self.term.1,
            slashing_pk_script: BASE64_STANDARD.encode(&self.slashing_script),
            min_slashing_tx_fee_sat: Number(self.slashing_fee.to_sat()),
            slashing_rate: self.slashing_rate,
            unbonding_time_blocks: self.unbonding_time,
            unbonding_fee_sat: Number(self.unbonding_fee.to_sat()),
            min_commission_rate: self.min_commission,
            delegation_creation_base_gas_fee: Number(self.registration_gas),
            allow_list_expiration_height: Number(self.allow_list_until),
            btc_activation_height: self.activation_height,
        };
        answer.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Params, D::Error> {
        use serde::de::Error as _;
        let answer = Answer::deserialize(deserializer)?;
        let script =
            BASE64_STANDARD.decode(&answer.slashing_pk_script).map_err(|_| D::Error::custom(BadParams("slashing_pk_script")))?;
        let params = Params {
            covenant: Covenant { keys: answer.covenant_pks, quorum: answer.covenant_quorum },
            value: (Amount::from_sat(answer.min_staking_value_sat.0), Amount::from_sat(answer.max_staking_value_sat.0)),
            term: (answer.min_staking_time_blocks, answer.max_staking_time_blocks),
            slashing_script: ScriptBuf::from_bytes(script),
            slashing_fee: Amount::from_sat(answer.min_slashing_tx_fee_sat.0),
            slashing_rate: answer.slashing_rate,
            unbonding_time: answer.unbonding_time_blocks,
            unbonding_fee: Amount::from_sat(answer.unbonding_fee_sat.0),
            min_commission: answer.min_commission_rate,
            registration_gas: answer.delegation_creation_base_gas_fee.0,
            allow_list_until: answer.allow_list_expiration_height.0,
            activation_height: answer.btc_activation_height,
        };
        params.check().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::load;
    use serde_json::json;

    fn history(network: &str) -> ParamsHistory {
        let file = load(&format!("params.{network}.json"));
        let versions = file.as_array().expect("versions").iter().map(|entry| {
            let version = entry["version"].as_u64().expect("a number");
            (u32::try_from(version).expect("small"), serde_json::from_value(entry["params"].clone()).expect("parameters"))
        });
        ParamsHistory::new(versions.collect()).expect("ascending")
    }

    #[test]
    fn the_last_version_that_is_active_at_a_height_applies() {
        let (mainnet, testnet) = (history("mainnet"), history("testnet"));
        for case in load("params_selection.json").as_array().expect("cases") {
            let height = Height::try_from(case["btc_height"].as_u64().expect("a number")).expect("small");
            let history = if case["network"] == "mainnet" { &mainnet } else { &testnet };
            assert_eq!(json!(history.at_height(height).map(|(version, _)| version)), case["version"], "{case}");
        }
    }

    #[test]
    fn parameters_are_written_as_they_were_read() {
        for network in ["mainnet", "testnet"] {
            for entry in load(&format!("params.{network}.json")).as_array().expect("versions") {
                let params: Params = serde_json::from_value(entry["params"].clone()).expect("parameters");
                assert_eq!(serde_json::to_value(&params).expect("JSON"), entry["params"]);
            }
        }
    }

    #[test]
    fn parameters_that_contradict_themselves_are_refused() {
        let good = load("params.mainnet.json")[0]["params"].clone();
        let spoilt = [
            ("covenant_quorum", json!(10)),
            ("covenant_quorum", json!(0)),
            ("min_staking_value_sat", json!("64000")),
            ("max_staking_value_sat", json!("499999")),
            ("max_staking_time_blocks", json!(63_999)),
            ("max_staking_time_blocks", json!(65_536)),
            ("unbonding_time_blocks", json!(0)),
            ("slashing_pk_script", json!("")),
            ("slashing_rate", json!("1.1")),
        ];
        for (field, value) in spoilt {
            let mut params = good.clone();
            params[field] = value;
            assert!(serde_json::from_value::<Params>(params).is_err(), "{field}");
        }
        let mut twice = good.clone();
        twice["covenant_pks"][1] = twice["covenant_pks"][0].clone();
        assert!(serde_json::from_value::<Params>(twice).is_err());
    }
}
