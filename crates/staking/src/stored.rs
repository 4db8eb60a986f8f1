//! Parameters as the control plane keeps them in its state, where a store proof reaches them: key `01 || version (4, big-endian)` of the
//! store `btcstaking`, value `StoredParams` in protobuf.

use crate::params::{Covenant, Params};
use crate::rate::Rate;
use bitcoin::{Amount, ScriptBuf, XOnlyPublicKey};
use prost::Message;

/// The store of the control plane that holds parameters and delegations.
pub const STORE: &str = "btcstaking";
/// Decimal digits of a stored share, which has no point.
const DIGITS: usize = 18;

#[derive(Clone, PartialEq, Message)]
struct StoredParams {
    #[prost(uint32, tag = "1")]
    version: u32,
    #[prost(message, optional, tag = "2")]
    params: Option<Fields>,
}

#[derive(Clone, PartialEq, Message)]
struct Fields {
    #[prost(bytes = "vec", repeated, tag = "1")]
    covenant_pks: Vec<Vec<u8>>,
    #[prost(uint32, tag = "2")]
    covenant_quorum: u32,
    #[prost(int64, tag = "3")]
    min_staking_value_sat: i64,
    #[prost(int64, tag = "4")]
    max_staking_value_sat: i64,
    #[prost(uint32, tag = "5")]
    min_staking_time_blocks: u32,
    #[prost(uint32, tag = "6")]
    max_staking_time_blocks: u32,
    #[prost(bytes = "vec", tag = "7")]
    slashing_pk_script: Vec<u8>,
    #[prost(int64, tag = "8")]
    min_slashing_tx_fee_sat: i64,
    #[prost(string, tag = "9")]
    slashing_rate: String,
    #[prost(uint32, tag = "10")]
    unbonding_time_blocks: u32,
    #[prost(int64, tag = "11")]
    unbonding_fee_sat: i64,
    #[prost(string, tag = "12")]
    min_commission_rate: String,
    #[prost(uint64, tag = "13")]
    delegation_creation_base_gas_fee: u64,
    #[prost(uint64, tag = "14")]
    allow_list_expiration_height: u64,
    #[prost(uint32, tag = "15")]
    btc_activation_height: u32,
}

/// Where a version of the parameters stands in the store.
pub fn key(version: u32) -> [u8; 5] {
    let [a, b, c, d] = version.to_be_bytes();
    [1, a, b, c, d]
}

/// A share without its point, as it is stored.
fn digits(rate: Rate) -> String {
    let text = rate.to_string().replace('.', "");
    let text = text.trim_start_matches('0');
    if text.is_empty() { "0".to_owned() } else { text.to_owned() }
}

fn rate(digits: &str) -> Option<Rate> {
    if digits.is_empty() || digits.len() > DIGITS + 1 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padded = format!("{digits:0>width$}", width = DIGITS + 1);
    let (whole, part) = padded.split_at(padded.len() - DIGITS);
    format!("{whole}.{part}").parse().ok()
}

fn signed(amount: Amount) -> i64 {
    i64::try_from(amount.to_sat()).unwrap_or(i64::MAX)
}

fn amount(sat: i64) -> Option<Amount> {
    u64::try_from(sat).ok().map(Amount::from_sat)
}

/// The stored form of a version.
pub fn encode(version: u32, params: &Params) -> Vec<u8> {
    let fields = Fields {
        covenant_pks: params.covenant.keys.iter().map(|key| key.serialize().to_vec()).collect(),
        covenant_quorum: params.covenant.quorum,
        min_staking_value_sat: signed(params.value.0),
        max_staking_value_sat: signed(params.value.1),
        min_staking_time_blocks: params.term.0.into(),
        max_staking_time_blocks: params.term.1.into(),
        slashing_pk_script: params.slashing_script.to_bytes(),
        min_slashing_tx_fee_sat: signed(params.slashing_fee),
        slashing_rate: digits(params.slashing_rate),
        unbonding_time_blocks: params.unbonding_time.into(),
        unbonding_fee_sat: signed(params.unbonding_fee),
        min_commission_rate: digits(params.min_commission),
        delegation_creation_base_gas_fee: params.registration_gas,
        allow_list_expiration_height: params.allow_list_until,
        btc_activation_height: params.activation_height,
    };
    StoredParams { version, params: Some(fields) }.encode_to_vec()
}

/// Reads a stored version. `None` for what is none or contradicts itself.
pub fn decode(bytes: &[u8]) -> Option<(u32, Params)> {
    let stored = StoredParams::decode(bytes).ok()?;
    let fields = stored.params?;
    let keys = fields.covenant_pks.iter().map(|key| XOnlyPublicKey::from_slice(key));
    let params = Params {
        covenant: Covenant { keys: keys.collect::<Result<_, _>>().ok()?, quorum: fields.covenant_quorum },
        value: (amount(fields.min_staking_value_sat)?, amount(fields.max_staking_value_sat)?),
        term: (fields.min_staking_time_blocks.try_into().ok()?, fields.max_staking_time_blocks.try_into().ok()?),
        slashing_script: ScriptBuf::from_bytes(fields.slashing_pk_script),
        slashing_fee: amount(fields.min_slashing_tx_fee_sat)?,
        slashing_rate: rate(&fields.slashing_rate)?,
        unbonding_time: fields.unbonding_time_blocks.try_into().ok()?,
        unbonding_fee: amount(fields.unbonding_fee_sat)?,
        min_commission: rate(&fields.min_commission_rate)?,
        registration_gas: fields.delegation_creation_base_gas_fee,
        allow_list_until: fields.allow_list_expiration_height,
        activation_height: fields.btc_activation_height,
    };
    params.check().ok().map(|params| (stored.version, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::load;

    #[test]
    fn stored_parameters_are_read_as_they_were_written() {
        for network in ["mainnet", "testnet"] {
            for entry in load(&format!("params.{network}.json")).as_array().expect("versions") {
                let params: Params = serde_json::from_value(entry["params"].clone()).expect("parameters");
                assert_eq!(decode(&encode(3, &params)), Some((3, params.clone())));
                let none = Params { covenant: Covenant { quorum: 0, ..params.covenant.clone() }, ..params };
                assert_eq!(decode(&encode(3, &none)), None, "what contradicts itself is refused");
            }
        }
    }

    #[test]
    fn a_share_is_stored_without_its_point() {
        for (text, stored) in
            [("0.001", "1000000000000000"), ("1", "1000000000000000000"), ("0", "0"), ("0.05", "50000000000000000")]
        {
            let share: Rate = text.parse().expect("a share");
            assert_eq!((digits(share).as_str(), rate(stored)), (stored, Some(share)));
        }
        for bad in ["", "-1", "0.1", "1000000000000000001", "99999999999999999999"] {
            assert_eq!(rate(bad), None, "{bad}");
        }
    }
}
