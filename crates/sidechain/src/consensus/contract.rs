//! Asset contracts: the JSON that an issuance commits to, and the rules registries hold it to.

use elements::ContractHash;
use elements::hashes::sha256;
use secp256k1_zkp::PublicKey;
use serde_json::{Map, Value};

/// Longest contract we read, bytes.
pub const MAX_CONTRACT_SIZE: usize = 16 * 1024;

/// A contract in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    canonical: String,
    fields: Map<String, Value>,
}

/// Why a contract is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContractFault {
    /// Not a JSON object, or longer than [`MAX_CONTRACT_SIZE`].
    #[error("not a JSON object")]
    NotJson,
    /// Not in canonical form: keys sorted, no spaces.
    #[error("not in canonical form")]
    NotCanonical,
    /// A fraction, or a number beyond 64 bits: there is more than one way to write it, so nobody could say which hash is meant.
    #[error("numbers must be whole and below 2^64")]
    Number,
    /// Version other than 0.
    #[error("version must be 0")]
    Version,
    /// No or malformed domain.
    #[error("domain must be a lower case domain name")]
    Domain,
    /// No or malformed issuer key.
    #[error("issuer_pubkey must be a compressed public key")]
    IssuerKey,
    /// No name, longer than 255 characters, or not ASCII.
    #[error("name must be 1 to 255 ASCII characters")]
    Name,
    /// No precision, or above 8.
    #[error("precision must be 0 to 8")]
    Precision,
    /// The ticker is not 3 to 24 characters of a-zA-Z0-9.-, or missing where one is needed.
    #[error("ticker must be 3 to 24 characters of a-zA-Z0-9.-")]
    Ticker,
}

impl Contract {
    /// A contract from its fields, in canonical form. Not validated.
    pub fn new(domain: &str, issuer: &PublicKey, name: &str, precision: u8, ticker: &str) -> Contract {
        let fields = serde_json::json!({
            "entity": { "domain": domain },
            "issuer_pubkey": issuer.to_string(),
            "name": name,
            "precision": precision,
            "ticker": ticker,
            "version": 0,
        });
        Contract::of_value(&fields).expect("BUG: an object was just made")
    }

    /// Reads any JSON object and brings it into canonical form. The rules are checked by [`Contract::validate`].
    pub fn parse(text: &str) -> Result<Contract, ContractFault> {
        if text.len() > MAX_CONTRACT_SIZE {
            return Err(ContractFault::NotJson);
        }
        let value = serde_json::from_str(text).map_err(|_| ContractFault::NotJson)?;
        Contract::of_value(&value)
    }

    /// Reads a contract that must already be canonical, valid and carry a ticker, as ELIP-100 asks of asset metadata.
    pub fn parse_canonical(text: &str) -> Result<Contract, ContractFault> {
        let contract = Contract::parse(text)?;
        if contract.canonical != text {
            return Err(ContractFault::NotCanonical);
        }
        contract.validate()?;
        if contract.ticker().is_none() {
            return Err(ContractFault::Ticker);
        }
        Ok(contract)
    }

    fn of_value(value: &Value) -> Result<Contract, ContractFault> {
        if !whole_numbers(value) {
            return Err(ContractFault::Number);
        }
        match sorted(value) {
            Value::Object(fields) => {
                let canonical = serde_json::to_string(&fields).expect("BUG: JSON values can be written");
                Ok(Contract { canonical, fields })
            }
            _ => Err(ContractFault::NotJson),
        }
    }

    /// Keys sorted at every level, no spaces: the text whose hash the issuance commits to.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// SHA256 of the canonical text. RPCs and registries show it reversed, as `Display` does.
    pub fn hash(&self) -> ContractHash {
        ContractHash::from_byte_array(sha256::Hash::hash(self.canonical.as_bytes()).to_byte_array())
    }

    /// Domain that vouches for the asset.
    pub fn domain(&self) -> Option<&str> {
        self.fields.get("entity")?.get("domain")?.as_str()
    }

    /// Name of the asset.
    pub fn name(&self) -> Option<&str> {
        self.fields.get("name")?.as_str()
    }

    /// Short name, unique per registry.
    pub fn ticker(&self) -> Option<&str> {
        self.fields.get("ticker")?.as_str()
    }

    /// Digits after the decimal point.
    pub fn precision(&self) -> Option<u8> {
        u8::try_from(self.fields.get("precision")?.as_u64()?).ok()
    }

    /// Key that may speak for the asset.
    pub fn issuer(&self) -> Option<PublicKey> {
        use bitcoin::hex::FromHex as _;
        let bytes = <[u8; 33]>::from_hex(self.fields.get("issuer_pubkey")?.as_str()?).ok()?;
        PublicKey::from_slice(&bytes).ok()
    }

    /// Checks the rules that registries hold contracts to. A ticker may be absent.
    pub fn validate(&self) -> Result<(), ContractFault> {
        let require = |ok, fault| if ok { Ok(()) } else { Err(fault) };
        require(self.fields.get("version").and_then(Value::as_u64) == Some(0), ContractFault::Version)?;
        require(self.domain().is_some_and(is_domain), ContractFault::Domain)?;
        require(self.issuer().is_some(), ContractFault::IssuerKey)?;
        require(self.name().is_some_and(|n| n.is_ascii() && (1..=255).contains(&n.len())), ContractFault::Name)?;
        require(self.precision().is_some_and(|p| p <= 8), ContractFault::Precision)?;
        match self.fields.get("ticker") {
            None => Ok(()),
            Some(ticker) => require(ticker.as_str().is_some_and(is_ticker), ContractFault::Ticker),
        }
    }
}

fn is_ticker(text: &str) -> bool {
    (3..=24).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

/// Two labels or more of lower case letters, digits and inner hyphens; the last one not numeric.
fn is_domain(text: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.len() <= 255
        && text.split('.').count() >= 2
        && text.split('.').all(label)
        && text.rsplit('.').next().is_some_and(|top| top.len() >= 2 && !top.bytes().all(|b| b.is_ascii_digit()))
}

fn whole_numbers(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::Array(items) => items.iter().all(whole_numbers),
        Value::Object(map) => map.values().all(whole_numbers),
        _ => true,
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_can_be_written_in_several_ways_are_refused_wherever_they_are() {
        for text in [r#"{"a":20202020202020202020202020}"#, r#"{"a":{"b":[1,0.5]}}"#, r#"{"a":1e3}"#, r#"{"a":-0}"#] {
            assert_eq!(Contract::parse(text), Err(ContractFault::Number), "{text}");
        }
        for text in [r#"{"a":18446744073709551615,"b":-9223372036854775808}"#, r#"{"b":[0],"a":{}}"#] {
            let contract = Contract::parse(text).expect("whole numbers");
            assert_eq!(Contract::parse(contract.canonical()).expect("canonical").hash(), contract.hash());
        }
    }
}
