//! What REST servers of the control plane report.

use super::{Asked, ControlPlane, bad, silent};
use bitcoin::base64::Engine as _;
use bitcoin::base64::prelude::BASE64_STANDARD;
use bitcoin::hex::FromHex as _;
use bitcoin::{Txid, XOnlyPublicKey};
use causeway_staking::Rate;
use causeway_staking::answer::DelegationAnswer;
use causeway_staking::envelope::Signed;
use causeway_staking::possession::Account;
use causeway_vocab::{Code, Height, Refusal};
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;

/// Most providers that are read.
const MOST_PROVIDERS: usize = 1_000;
/// Longest name of a provider, characters.
const LONGEST: usize = 64;

/// A finality provider, as it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its key.
    pub key: XOnlyPublicKey,
    /// What it calls itself; printable and short.
    pub moniker: String,
    /// The share of rewards that it keeps.
    pub commission: Rate,
    /// Satoshi that are staked with it and count.
    pub power: u64,
    /// It voted twice; nothing can be staked with it any more.
    pub slashed: bool,
    /// It does not vote and earns nothing.
    pub jailed: bool,
    /// Blocks of the liveness window that it missed, where that is told.
    pub missed: Option<u64>,
}

/// Rewards of an account in the smallest coin, as they are reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewards {
    /// Ever credited.
    pub coins: u64,
    /// Of that, paid out.
    pub withdrawn: u64,
}

#[derive(Deserialize)]
struct Description {
    #[serde(default)]
    moniker: String,
}

#[derive(Deserialize)]
struct ToldProvider {
    description: Option<Description>,
    commission: Rate,
    btc_pk: XOnlyPublicKey,
    #[serde(default)]
    slashed_babylon_height: Text,
    #[serde(default)]
    jailed: bool,
}

/// A 64-bit number in JSON: text or number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Number(u64),
}

impl Default for Text {
    fn default() -> Text {
        Text::Number(0)
    }
}

impl Text {
    fn number(&self) -> Result<u64, Refusal> {
        match self {
            Text::Text(text) => text.parse().map_err(|_| bad()),
            Text::Number(number) => Ok(*number),
        }
    }
}

#[derive(Deserialize)]
struct ToldProviders {
    finality_providers: Vec<ToldProvider>,
}

#[derive(Deserialize)]
struct ToldPower {
    btc_pk_hex: XOnlyPublicKey,
    voting_power: Text,
}

#[derive(Deserialize)]
struct ToldPowers {
    finality_providers: Vec<ToldPower>,
}

#[derive(Deserialize)]
struct ToldSigning {
    fp_btc_pk_hex: XOnlyPublicKey,
    missed_blocks_counter: Text,
}

#[derive(Deserialize)]
struct ToldSignings {
    signing_infos: Vec<ToldSigning>,
}

#[derive(Deserialize)]
struct ToldTip {
    header: ToldHeader,
}

#[derive(Deserialize)]
struct ToldHeader {
    height: Text,
}

#[derive(Deserialize)]
struct ToldAccount {
    account: ToldNumbers,
}

#[derive(Deserialize)]
struct ToldNumbers {
    account_number: Text,
    sequence: Text,
}

#[derive(Deserialize)]
struct Coin {
    denom: String,
    amount: Text,
}

#[derive(Deserialize)]
struct ToldBalance {
    balance: Coin,
}

#[derive(Deserialize)]
struct ToldGauges {
    reward_gauges: HashMap<String, ToldGauge>,
}

#[derive(Deserialize)]
struct ToldGauge {
    #[serde(default)]
    coins: Vec<Coin>,
    #[serde(default)]
    withdrawn_coins: Vec<Coin>,
}

#[derive(Deserialize)]
struct ToldVersions {
    params: Vec<ToldVersion>,
}

#[derive(Deserialize)]
struct ToldVersion {
    #[serde(default)]
    version: u32,
}

#[derive(Deserialize)]
struct ToldSent {
    tx_response: ToldResponse,
}

#[derive(Deserialize)]
struct ToldResponse {
    txhash: String,
    #[serde(default)]
    code: u32,
}

/// A stranger's name as it may be shown: one line of printable characters that do not turn the text around.
fn shown(name: &str) -> String {
    let hidden = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    name.chars().filter(|c| !hidden(*c)).take(LONGEST).collect::<String>().trim().to_owned()
}

impl ControlPlane {
    /// Finality providers, in the order in which they are told.
    pub async fn providers(&self) -> Result<Vec<Provider>, Refusal> {
        let told: ToldProviders =
            self.want(&format!("/babylon/btcstaking/v1/finality_providers?pagination.limit={MOST_PROVIDERS}")).await?;
        let height = self.latest_height().await?;
        let powers: ToldPowers =
            self.want(&format!("/babylon/finality/v1/finality_providers/{height}?pagination.limit={MOST_PROVIDERS}")).await?;
        let signing: ToldSignings =
            self.want(&format!("/babylon/finality/v1/signing_infos?pagination.limit={MOST_PROVIDERS}")).await?;
        let mut power = HashMap::new();
        for row in &powers.finality_providers {
            power.insert(row.btc_pk_hex, row.voting_power.number()?);
        }
        let mut missed = HashMap::new();
        for row in &signing.signing_infos {
            missed.insert(row.fp_btc_pk_hex, row.missed_blocks_counter.number()?);
        }
        let read = |told: ToldProvider| {
            Ok(Provider {
                moniker: shown(&told.description.map(|about| about.moniker).unwrap_or_default()),
                commission: told.commission,
                power: power.get(&told.btc_pk).copied().unwrap_or(0),
                slashed: told.slashed_babylon_height.number()? > 0,
                jailed: told.jailed,
                missed: missed.get(&told.btc_pk).copied(),
                key: told.btc_pk,
            })
        };
        told.finality_providers.into_iter().take(MOST_PROVIDERS).map(read).collect()
    }

    /// How many versions of the parameters there are, by the highest number.
    pub(super) async fn last_version(&self) -> Result<u32, Refusal> {
        let told: ToldVersions = self.want("/babylon/btcstaking/v1/params_versions?pagination.limit=1000").await?;
        told.params.iter().map(|row| row.version).max().ok_or_else(bad)
    }

    /// Bitcoin height of the control plane's own light client.
    pub async fn bitcoin_tip(&self) -> Result<Height, Refusal> {
        let told: ToldTip = self.want("/babylon/btclightclient/v1/tip").await?;
        told.header.height.number()?.try_into().map_err(|_| bad())
    }

    /// A delegation; `None` when it is not registered. Still to be verified.
    pub async fn delegation(&self, staking: &Txid) -> Result<Option<DelegationAnswer>, Refusal> {
        self.get(&format!("/babylon/btcstaking/v1/btc_delegation/{staking}")).await
    }

    /// An account's number and how many transactions it signed; `None` when it was never paid.
    pub async fn account(&self, account: &Account) -> Result<Option<(u64, u64)>, Refusal> {
        let told: Option<ToldAccount> = self.get(&format!("/cosmos/auth/v1beta1/accounts/{}", account.as_str())).await?;
        told.map(|told| Ok((told.account.account_number.number()?, told.account.sequence.number()?))).transpose()
    }

    /// What an account holds, in the smallest coin.
    pub async fn balance(&self, account: &Account) -> Result<u64, Refusal> {
        let denom = &self.params.denom;
        let path = format!("/cosmos/bank/v1beta1/balances/{}/by_denom?denom={denom}", account.as_str());
        let told: ToldBalance = self.want(&path).await?;
        if told.balance.denom == *denom { told.balance.amount.number() } else { Err(bad()) }
    }

    /// What stakes of an account earned.
    pub async fn rewards(&self, account: &Account) -> Result<Rewards, Refusal> {
        let path = format!("/babylon/incentive/address/{}/reward_gauge", account.as_str());
        let Some(told) = self.get::<ToldGauges>(&path).await? else { return Ok(Rewards::default()) };
        let Some(gauge) = told.reward_gauges.get("BTC_STAKER") else { return Ok(Rewards::default()) };
        let of =
            |coins: &[Coin]| coins.iter().find(|coin| coin.denom == self.params.denom).map_or(Ok(0), |coin| coin.amount.number());
        let rewards = Rewards { coins: of(&gauge.coins)?, withdrawn: of(&gauge.withdrawn_coins)? };
        if rewards.withdrawn > rewards.coins { Err(bad()) } else { Ok(rewards) }
    }

    /// Hands a transaction over. Refused with `NotAccepted` (`txid`) when the control plane does not take it.
    pub async fn broadcast(&self, signed: &Signed) -> Result<(), Refusal> {
        let body = json!({ "tx_bytes": BASE64_STANDARD.encode(&signed.raw), "mode": "BROADCAST_MODE_SYNC" });
        let mut last = silent();
        for base in &self.params.servers {
            let request = self.http.post(format!("{}/cosmos/tx/v1beta1/txs", base.trim_end_matches('/'))).json(&body);
            match self.exchange(request).await {
                Ok(Asked::Found(bytes)) => {
                    let told: ToldSent = serde_json::from_slice(&bytes).map_err(|_| bad())?;
                    let hash = <[u8; 32]>::from_hex(&told.tx_response.txhash).map_err(|_| bad())?;
                    return match told.tx_response.code {
                        0 if hash == signed.hash() => Ok(()),
                        0 => Err(bad()),
                        _ => Err(Refusal::new(Code::NotAccepted).with("txid", told.tx_response.txhash)),
                    };
                }
                Ok(Asked::Missing) => last = bad(),
                Err(refusal) => last = refusal,
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_name_is_shown_without_what_hides_or_turns_text() {
        assert_eq!(shown(" A\u{202e}lder\n\u{200b}x "), "Alderx");
        assert_eq!(shown(&"é".repeat(200)).chars().count(), LONGEST);
    }

    #[test]
    fn numbers_are_read_in_both_forms_and_nothing_else() {
        let read = |text: &str| serde_json::from_str::<Text>(text).ok().and_then(|text| text.number().ok());
        assert_eq!((read("7"), read("\"7\"")), (Some(7), Some(7)));
        for hostile in ["-1", "1.5", "\"x\"", "null", "\"99999999999999999999999\""] {
            assert_eq!(read(hostile), None, "{hostile}");
        }
    }
}
