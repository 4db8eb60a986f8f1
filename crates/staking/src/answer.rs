//! How the control plane's REST interface tells of a delegation. Nothing in it is believed: see [`crate::delegation::Verified`].

use crate::adaptor::AdaptorSignature;
use crate::delegation::{Adaptors, CovenantSignatures, Registration};
use crate::params::Params;
use crate::script::Terms;
use crate::stake::{BadStake, Rules, Stake};
use bitcoin::base64::Engine as _;
use bitcoin::base64::prelude::BASE64_STANDARD;
use bitcoin::consensus::deserialize;
use bitcoin::hex::FromHex as _;
use bitcoin::{Amount, Transaction, XOnlyPublicKey};
use secp256k1::schnorr::Signature;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The answer to `/babylon/btcstaking/v1/btc_delegation/{staking_tx_hash_hex}`.
#[derive(Debug, Clone, Deserialize)]
pub struct DelegationAnswer {
    btc_delegation: Told,
}

#[derive(Debug, Clone, Deserialize)]
struct Told {
    btc_pk: XOnlyPublicKey,
    fp_btc_pk_list: Vec<XOnlyPublicKey>,
    staking_time: u16,
    total_sat: String,
    staking_tx_hex: String,
    slashing_tx_hex: String,
    delegator_slash_sig_hex: String,
    #[serde(default)]
    covenant_sigs: Vec<ToldAdaptors>,
    unbonding_time: u16,
    undelegation_response: ToldUnbonding,
    params_version: u32,
    #[serde(default)]
    status_desc: String,
    #[serde(default)]
    stk_exp: Option<ToldExtension>,
}

#[derive(Debug, Clone, Deserialize)]
struct ToldUnbonding {
    unbonding_tx_hex: String,
    #[serde(default)]
    covenant_unbonding_sig_list: Vec<ToldSignature>,
    slashing_tx_hex: String,
    delegator_slashing_sig_hex: String,
    #[serde(default)]
    covenant_slashing_sigs: Vec<ToldAdaptors>,
}

#[derive(Debug, Clone, Deserialize)]
struct ToldExtension {
    #[serde(default)]
    previous_stk_covenant_sigs: Vec<ToldSignature>,
}

#[derive(Debug, Clone, Deserialize)]
struct ToldSignature {
    pk: XOnlyPublicKey,
    sig: String,
}

#[derive(Debug, Clone, Deserialize)]
struct ToldAdaptors {
    cov_pk: XOnlyPublicKey,
    adaptor_sigs: Vec<String>,
}

/// Why an answer tells of no delegation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// A field cannot be read.
    #[error("the field {0} cannot be read")]
    Field(&'static str),
    /// The answer contradicts the parameters of its version.
    #[error("the unbonding time is not that of the parameters")]
    Params,
    /// The terms make no stake.
    #[error(transparent)]
    Stake(#[from] BadStake),
}

impl DelegationAnswer {
    /// Which version of the parameters the stake keeps.
    pub fn params_version(&self) -> u32 {
        self.btc_delegation.params_version
    }

    /// Whether the control plane says that it counts the stake, or did until its term was over: *reported*.
    pub fn counted(&self) -> bool {
        matches!(self.btc_delegation.status_desc.as_str(), "ACTIVE" | "EXPIRED")
    }

    /// What is told, under the parameters of that version. Still to be verified.
    pub fn read(&self, params: &Params) -> Result<(Stake, Registration, CovenantSignatures), BadAnswer> {
        let told = &self.btc_delegation;
        let later = &told.undelegation_response;
        if told.unbonding_time != params.unbonding_time {
            return Err(BadAnswer::Params);
        }
        let terms = Terms {
            staker: told.btc_pk,
            providers: told.fp_btc_pk_list.clone(),
            covenant: params.covenant.clone(),
            staking_time: told.staking_time,
            unbonding_time: told.unbonding_time,
        };
        let value = told.total_sat.parse().map(Amount::from_sat).map_err(|_| BadAnswer::Field("total_sat"))?;
        let stake = Stake::new(terms, value, Rules::from(params))?;
        let registration = Registration {
            staking: transaction(&told.staking_tx_hex, "staking_tx_hex")?,
            unbonding: transaction(&later.unbonding_tx_hex, "unbonding_tx_hex")?,
            slashing: transaction(&told.slashing_tx_hex, "slashing_tx_hex")?,
            unbonding_slashing: transaction(&later.slashing_tx_hex, "undelegation_response.slashing_tx_hex")?,
            staker_slashing: hex_signature(&told.delegator_slash_sig_hex, "delegator_slash_sig_hex")?,
            staker_unbonding_slashing: hex_signature(&later.delegator_slashing_sig_hex, "delegator_slashing_sig_hex")?,
        };
        let covenant = CovenantSignatures {
            unbonding: signatures(&later.covenant_unbonding_sig_list, "covenant_unbonding_sig_list")?,
            slashing: adaptors(&told.covenant_sigs, "covenant_sigs")?,
            unbonding_slashing: adaptors(&later.covenant_slashing_sigs, "covenant_slashing_sigs")?,
        };
        Ok((stake, registration, covenant))
    }

    /// The old committee's signatures over input 0 of an extension; empty for a stake that extends none.
    pub fn extension_signatures(&self) -> Result<BTreeMap<XOnlyPublicKey, Signature>, BadAnswer> {
        let told = self.btc_delegation.stk_exp.as_ref().map_or(&[][..], |told| &told.previous_stk_covenant_sigs);
        signatures(told, "previous_stk_covenant_sigs")
    }
}

fn transaction(hex: &str, field: &'static str) -> Result<Transaction, BadAnswer> {
    let bytes = Vec::from_hex(hex).map_err(|_| BadAnswer::Field(field))?;
    deserialize(&bytes).map_err(|_| BadAnswer::Field(field))
}

fn hex_signature(hex: &str, field: &'static str) -> Result<Signature, BadAnswer> {
    hex.parse().map_err(|_| BadAnswer::Field(field))
}

fn signatures(told: &[ToldSignature], field: &'static str) -> Result<BTreeMap<XOnlyPublicKey, Signature>, BadAnswer> {
    let read = |told: &ToldSignature| {
        let bytes = BASE64_STANDARD.decode(&told.sig).map_err(|_| BadAnswer::Field(field))?;
        Ok((told.pk, Signature::from_slice(&bytes).map_err(|_| BadAnswer::Field(field))?))
    };
    told.iter().map(read).collect()
}

fn adaptors(told: &[ToldAdaptors], field: &'static str) -> Result<Adaptors, BadAnswer> {
    let one = |text: &String| {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| BadAnswer::Field(field))?;
        AdaptorSignature::from_slice(&bytes).map_err(|_| BadAnswer::Field(field))
    };
    told.iter().map(|told| Ok((told.cov_pk, told.adaptor_sigs.iter().map(one).collect::<Result<_, _>>()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::{BadDelegation, Part, Verified};
    use crate::fixtures::load;
    use serde_json::Value;

    /// The parameters of the time: those that are recorded with the delegation, the rest as it is.
    fn params() -> Params {
        let recorded = crate::fixtures::delegations().remove(0).stake;
        let params: Params = serde_json::from_value(load("params.testnet.json")[6]["params"].clone()).expect("parameters");
        let (terms, rules) = (recorded.terms().clone(), recorded.rules().clone());
        Params {
            covenant: terms.covenant,
            unbonding_time: terms.unbonding_time,
            slashing_script: rules.slashing_script,
            slashing_fee: rules.slashing_fee,
            slashing_rate: rules.slashing_rate,
            unbonding_fee: rules.unbonding_fee,
            ..params
        }
    }

    fn checked(document: Value) -> Result<Verified, BadDelegation> {
        let answer: DelegationAnswer = serde_json::from_value(document).expect("an answer");
        let (stake, registration, covenant) = answer.read(&params()).expect("readable");
        Verified::check(stake, registration, covenant)
    }

    #[test]
    fn the_answer_about_a_real_delegation_verifies_in_every_part() {
        let document = load("btc_delegation.testnet.5d277e1b.rpc.json");
        let verified = checked(document.clone()).expect("verified");
        assert_eq!(verified.outpoint().txid.to_string(), "5d277e1b29e5589074aea95ac8c8230fd911c2ec3c58774aafdef915619b772c");
        assert_eq!(verified.covenant().unbonding.len(), 9);
        let mut fewer = document.clone();
        let list =
            fewer["btc_delegation"]["undelegation_response"]["covenant_unbonding_sig_list"].as_array_mut().expect("a list");
        list.truncate(5);
        assert_eq!(checked(fewer), Err(BadDelegation::Quorum { part: Part::Unbonding, have: 5, need: 6 }));
        let mut swapped = document;
        let list = swapped["btc_delegation"]["covenant_sigs"].as_array_mut().expect("a list");
        let first = list[0]["adaptor_sigs"].take();
        list[0]["adaptor_sigs"] = list[1]["adaptor_sigs"].take();
        list[1]["adaptor_sigs"] = first;
        assert!(matches!(checked(swapped), Err(BadDelegation::Covenant { part: Part::Slashing, .. })));
    }

    #[test]
    fn an_answer_that_cannot_be_read_names_the_field() {
        let read = |field: &str, value: Value| {
            let mut document = load("btc_delegation.testnet.5d277e1b.rpc.json");
            document["btc_delegation"][field] = value;
            let answer: DelegationAnswer = serde_json::from_value(document).expect("an answer");
            answer.read(&params()).map(|_| ())
        };
        assert_eq!(read("total_sat", "1e5".into()), Err(BadAnswer::Field("total_sat")));
        assert_eq!(read("staking_tx_hex", "00".into()), Err(BadAnswer::Field("staking_tx_hex")));
        assert_eq!(read("delegator_slash_sig_hex", "00".into()), Err(BadAnswer::Field("delegator_slash_sig_hex")));
        assert_eq!(read("unbonding_time", 1_009.into()), Err(BadAnswer::Params));
        assert!(matches!(read("total_sat", "100".into()), Err(BadAnswer::Stake(_))));
    }
}
