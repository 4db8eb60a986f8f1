//! How assets are named: by contracts that hash to their ids, and by nothing else.

use causeway_contract::AssetLabel;
use causeway_store::{ContractRow, Reader};
use causeway_vocab::{AssetId, Code, Realm, Refusal};
use elements::{ContractHash, OutPoint};
use serde::Deserialize;
use std::collections::HashMap;

/// The fields of a contract that we read; what else it holds is kept as it is.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Contract {
    pub(crate) name: String,
    pub(crate) ticker: String,
    pub(crate) precision: u8,
    #[serde(default)]
    entity: Entity,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Entity {
    #[serde(default)]
    domain: String,
}

impl Contract {
    pub(crate) fn domain(&self) -> &str {
        &self.entity.domain
    }
}

/// An asset with a known contract.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) contract: Contract,
    pub(crate) json: String,
    pub(crate) hash: ContractHash,
    pub(crate) prevout: OutPoint,
}

/// Names of every asset that this profile can name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    assets: HashMap<elements::AssetId, Named>,
    /// Reissuance tokens of those assets, blinded and explicit form.
    tokens: HashMap<elements::AssetId, elements::AssetId>,
    policy: Option<elements::AssetId>,
}

fn bad(field: &str) -> Refusal {
    Refusal::new(Code::BadContract).with("field", field)
}

/// Checks the fields of a contract as Liquid's asset registry does, and gives its canonical JSON.
pub(crate) fn write_contract(ticker: &str, name: &str, domain: &str, precision: u8, issuer_key: &str) -> Result<String, Refusal> {
    let ticker_ok =
        (3..=24).contains(&ticker.len()) && ticker.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    if !ticker_ok {
        return Err(bad("ticker"));
    }
    if !(1..=255).contains(&name.len()) || !name.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return Err(bad("name"));
    }
    if precision > 8 {
        return Err(bad("precision"));
    }
    if !is_domain(domain) {
        return Err(bad("domain"));
    }
    // Keys in alphabetical order, without spaces: the form that is hashed.
    let text = |value: &str| serde_json::Value::String(value.to_owned()).to_string();
    Ok(format!(
        r#"{{"entity":{{"domain":{}}},"issuer_pubkey":{},"name":{},"precision":{precision},"ticker":{},"version":0}}"#,
        text(domain),
        text(issuer_key),
        text(name),
        text(ticker)
    ))
}

fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

/// Where a domain proves that an asset is its own.
pub(crate) fn domain_proof_url(domain: &str, asset: &elements::AssetId) -> String {
    let scheme = if domain.ends_with(".onion") { "http" } else { "https" };
    format!("{scheme}://{domain}/.well-known/liquid-asset-proof-{asset}")
}

/// Whether a text holds what a name must not: characters that cannot be seen, or that are not ASCII and so may look like others.
pub(crate) fn is_deceptive(text: &str) -> bool {
    !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// What a ticker looks like at a glance: case, and letters and digits that are drawn alike, make no difference, nor do points and dashes.
fn glance(text: &str) -> String {
    let alike = |c: char| match c.to_ascii_lowercase() {
        '0' => 'o',
        '1' | 'i' | '|' => 'l',
        '5' => 's',
        '8' => 'b',
        '2' => 'z',
        other => other,
    };
    text.chars().filter(|c| c.is_alphanumeric() || *c == '|').map(alike).collect::<String>().replace("rn", "m").replace("vv", "w")
}

/// Reads a contract; `field` of the refusal says what is wrong.
pub(crate) fn read_contract(json: &str) -> Result<(Contract, ContractHash), Refusal> {
    let hash = ContractHash::from_json_contract(json).map_err(|_| bad("contract"))?;
    let contract: Contract = serde_json::from_str(json).map_err(|_| bad("contract"))?;
    if contract.precision > 8 {
        return Err(bad("precision"));
    }
    for (field, text) in [("name", &contract.name), ("ticker", &contract.ticker), ("domain", &contract.entity.domain)] {
        if is_deceptive(text) || text.len() > 255 {
            return Err(bad(field));
        }
    }
    Ok((contract, hash))
}

impl Names {
    pub(crate) fn read(reader: &Reader<'_>, realm: &Realm) -> Result<Names, Refusal> {
        let mut names = Names { policy: Some(realm.sidechain.policy_asset), ..Names::default() };
        for row in reader.contracts()? {
            names.learn(&row);
        }
        Ok(names)
    }

    /// Takes a contract over if it hashes to the asset's id.
    pub(crate) fn learn(&mut self, row: &ContractRow) -> bool {
        let (Ok(asset), Ok(prevout), Ok((contract, hash))) =
            (row.asset.parse::<elements::AssetId>(), row.prevout.parse::<OutPoint>(), read_contract(&row.contract))
        else {
            return false;
        };
        let entropy = elements::AssetId::generate_asset_entropy(prevout, hash);
        if elements::AssetId::from_entropy(entropy) != asset {
            return false;
        }
        for confidential in [false, true] {
            self.tokens.insert(elements::AssetId::reissuance_token_from_entropy(entropy, confidential), asset);
        }
        self.assets.insert(asset, Named { contract, json: row.contract.clone(), hash, prevout });
        true
    }

    pub(crate) fn get(&self, asset: &elements::AssetId) -> Option<&Named> {
        self.assets.get(asset)
    }

    /// The asset that this one is a reissuance token of, if that asset is named.
    pub(crate) fn token_of(&self, token: &elements::AssetId) -> Option<elements::AssetId> {
        self.tokens.get(token).copied()
    }

    /// Whether another asset looks like this one.
    pub(crate) fn looks_like_another(&self, asset: &elements::AssetId) -> bool {
        self.assets.get(asset).is_some_and(|named| self.resembles(&named.contract.ticker, &named.contract.name, asset))
    }

    /// Whether a ticker or name of `asset` looks like that of another known asset, or like a coin that everybody knows.
    pub(crate) fn resembles(&self, ticker: &str, name: &str, asset: &elements::AssetId) -> bool {
        let (ticker, name) = (glance(ticker), glance(name));
        let coin = ["btc", "l-btc", "usdt", "l-usdt", "bitcoin"].map(glance);
        let other = |(id, other): (&elements::AssetId, &Named)| {
            id != asset && (glance(&other.contract.ticker) == ticker || glance(&other.contract.name) == name)
        };
        coin.contains(&ticker) || coin.contains(&name) || self.assets.iter().any(other)
    }

    /// The label of an asset.
    pub(crate) fn label(&self, asset: AssetId) -> AssetLabel {
        let label = |ticker: &str, name: &str, precision, named| AssetLabel {
            id: asset.to_string(),
            ticker: ticker.to_owned(),
            name: name.to_owned(),
            precision,
            named,
        };
        let id = match asset {
            AssetId::Bitcoin => return label("BTC", "Bitcoin", 8, true),
            AssetId::Elements(id) if Some(id) == self.policy => return label("L-BTC", "Bitcoin on the sidechain", 8, true),
            AssetId::Elements(id) => id,
        };
        if let Some(Named { contract, .. }) = self.assets.get(&id) {
            return label(&contract.ticker, &contract.name, contract.precision, true);
        }
        if let Some(named) = self.tokens.get(&id).and_then(|asset| self.assets.get(asset)) {
            return label(
                &format!("{}-TOKEN", named.contract.ticker),
                &format!("Reissuance token of {}", named.contract.name),
                0,
                true,
            );
        }
        let text = id.to_string();
        label(&text[..8], "", 0, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_hashes_the_same_however_its_keys_are_ordered() {
        let key = "02aa".to_owned() + &"00".repeat(31);
        let ours = write_contract("HBR27", "Harbour Bond 2027", "harbour.example", 2, &key).expect("a contract");
        let value: serde_json::Value = serde_json::from_str(&ours).expect("JSON");
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        assert_eq!(read_contract(&ours).expect("reads").1, read_contract(&pretty).expect("reads").1);
    }

    #[test]
    fn fields_that_the_registry_refuses_are_refused_by_name() {
        for (ticker, name, domain, precision, field) in [
            ("AB", "Name", "a.example", 0, "ticker"),
            ("AB C", "Name", "a.example", 0, "ticker"),
            ("ABC", "", "a.example", 0, "name"),
            ("ABC", "N\u{e4}me", "a.example", 0, "name"),
            ("ABC", "Name", "no dots", 0, "domain"),
            ("ABC", "Name", "-a.example", 0, "domain"),
            ("ABC", "Name", "a.example", 9, "precision"),
        ] {
            let refusal = write_contract(ticker, name, domain, precision, "02").expect_err(field);
            assert_eq!((refusal.code, refusal.args["field"].as_str()), (Code::BadContract, field));
        }
    }

    #[test]
    fn a_name_that_deceives_names_nothing() {
        for (name, ticker, field) in [
            ("Harbour\u{7f}", "HBR", "name"),
            ("Harb\u{430}ur", "HBR", "name"),
            ("Harbour", "H\u{200b}BR", "ticker"),
            ("Harbour", "HBR\u{1}", "ticker"),
        ] {
            let json = serde_json::json!({ "name": name, "ticker": ticker, "precision": 0, "entity": { "domain": "a.example" } });
            let refusal = read_contract(&json.to_string()).expect_err(field);
            assert_eq!((refusal.code, refusal.args["field"].as_str()), (Code::BadContract, field));
        }
    }

    #[test]
    fn tickers_that_are_drawn_alike_resemble_each_other() {
        let mut names = Names::default();
        let json = write_contract("HILL0", "Hill Bond", "a.example", 0, "02").expect("a contract");
        let prevout = OutPoint::default();
        let (_, hash) = read_contract(&json).expect("reads");
        let asset = elements::AssetId::from_entropy(elements::AssetId::generate_asset_entropy(prevout, hash));
        assert!(names.learn(&ContractRow { asset: asset.to_string(), contract: json, prevout: prevout.to_string() }));
        let other = elements::AssetId::from_byte_array([9; 32]);
        for (ticker, name, alike) in [
            ("hill0", "X", true),
            ("HI11O", "X", true),
            ("HIL-L0", "X", true),
            ("DALE", "hi11 bond", true),
            ("L8TC", "X", true),
            ("8TC", "X", true),
            ("U5DT", "X", true),
            ("DALE", "Dale Bond", false),
        ] {
            assert_eq!(names.resembles(ticker, name, &other), alike, "{ticker} {name}");
        }
        assert!(!names.looks_like_another(&asset), "it is itself");
    }

    #[test]
    fn a_contract_of_another_asset_names_nothing() {
        let json = write_contract("ABC", "Name", "a.example", 0, "02").expect("a contract");
        let prevout = OutPoint::default();
        let (_, hash) = read_contract(&json).expect("reads");
        let asset = elements::AssetId::from_entropy(elements::AssetId::generate_asset_entropy(prevout, hash));
        let row = ContractRow { asset: asset.to_string(), contract: json, prevout: prevout.to_string() };
        let mut names = Names::default();
        assert!(names.learn(&row));
        assert_eq!(names.label(AssetId::Elements(asset)).ticker, "ABC");
        let other = ContractRow { asset: "11".repeat(32), ..row };
        assert!(!names.learn(&other));
    }
}
