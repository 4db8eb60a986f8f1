//! What a transaction is meant to do with assets, as it is kept with a draft.

use bitcoin::{NetworkKind, ScriptBuf, Transaction};
use causeway_colored::guard::{self, Attached, Intent};
use causeway_colored::{Ancestry, Asset, Holding, Protocol, Source, Verdict, colu, epobc, open_assets};
use causeway_vocab::{Code, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The asset that an EPOBC transaction issues is named by the transaction itself, which is not known while it is planned.
const ITSELF: &str = "epobc:itself";
const EPOBC: &str = "epobc:";

/// Units of an asset, which is named as people exchange it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Units {
    pub(crate) asset: String,
    pub(crate) quantity: u64,
}

/// The default is an ordinary bitcoin transaction: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Meaning {
    pub(crate) protocol: Option<Protocol>,
    /// Units for each script; every other output holds none.
    pub(crate) units: BTreeMap<ScriptBuf, Vec<Units>>,
    pub(crate) issued: Vec<Units>,
    pub(crate) burned: Vec<Units>,
    /// Moves units that the Counterparty ledger binds to the inputs to this output.
    #[serde(default)]
    pub(crate) attached_to: Option<usize>,
    /// Returns such units to addresses, by a message that says so.
    #[serde(default)]
    pub(crate) detaches: bool,
}

/// The identifier of an asset as people exchange it.
pub(crate) fn asset_text(asset: Asset, network: NetworkKind) -> String {
    asset.text(network)
}

/// Reads any identifier of an asset of a coloured coin. Refused with `UnknownAsset`.
pub(crate) fn read_asset(text: &str, network: NetworkKind) -> Result<Asset, Refusal> {
    let unknown = || Refusal::new(Code::UnknownAsset).with("asset", text);
    if let Some(rest) = text.strip_prefix(EPOBC) {
        let txid = rest.strip_suffix(":0").unwrap_or(rest);
        return txid.parse().map(|txid| Asset::Epobc(epobc::ColourId(txid))).map_err(|_| unknown());
    }
    if let Ok(id) = open_assets::AssetId::parse(text, network) {
        return Ok(Asset::OpenAssets(id));
    }
    colu::AssetId::parse(text).map(Asset::Colu).map_err(|_| unknown())
}

impl Meaning {
    /// Issues an asset of EPOBC, which the transaction itself names, to a script.
    pub(crate) fn issuing_epobc(quantity: u64, script: ScriptBuf) -> Meaning {
        let units = Units { asset: ITSELF.into(), quantity };
        Meaning {
            protocol: Some(Protocol::Epobc),
            units: BTreeMap::from([(script, vec![units.clone()])]),
            issued: vec![units],
            ..Meaning::default()
        }
    }

    /// As the colouring engine wants it, for this transaction.
    pub(crate) fn intent(&self, tx: &Transaction, network: NetworkKind) -> Result<Intent, Refusal> {
        let asset = |text: &str| match text {
            ITSELF => Ok(Asset::Epobc(epobc::ColourId(tx.compute_txid()))),
            text => read_asset(text, network),
        };
        let quantities = |list: &[Units]| {
            list.iter().map(|units| Ok((asset(&units.asset)?, units.quantity))).collect::<Result<BTreeMap<_, _>, Refusal>>()
        };
        let mut units = BTreeMap::new();
        for (script, list) in &self.units {
            let held = |units: &Units| Ok(Holding { asset: asset(&units.asset)?, quantity: units.quantity });
            units.insert(script.clone(), list.iter().map(held).collect::<Result<Vec<_>, Refusal>>()?);
        }
        let attached = match self.attached_to {
            _ if self.detaches => Attached::Detached,
            Some(vout) => Attached::To(vout),
            None => Attached::Untouched,
        };
        Ok(Intent {
            protocol: self.protocol,
            units,
            issued: quantities(&self.issued)?,
            burned: quantities(&self.burned)?,
            attached,
        })
    }

    /// What a transaction does. Refused with `WrongColouring` or `ColourUnknown` when that is not certain.
    pub(crate) fn of<S: Source>(ancestry: &mut Ancestry<S>, tx: &Transaction, network: NetworkKind) -> Result<Meaning, Refusal> {
        let protocols = guard::protocols(tx);
        let [protocol] = protocols.as_slice() else {
            return match protocols.is_empty() {
                true => Ok(Meaning::default()),
                false => Err(Refusal::new(Code::WrongColouring).with("why", "several protocols")),
            };
        };
        let txid = tx.compute_txid();
        let (mut balance, mut units) = (BTreeMap::<String, i128>::new(), BTreeMap::<ScriptBuf, Vec<Units>>::new());
        let name =
            |asset: Asset| if asset == Asset::Epobc(epobc::ColourId(txid)) { ITSELF.into() } else { asset_text(asset, network) };
        let mut certain = |verdict: Verdict, coin: &dyn std::fmt::Display, sign: i128| match verdict {
            Verdict::Plain => Ok(Vec::new()),
            Verdict::Coloured(holdings) => {
                let named = |held: Holding| Units { asset: name(held.asset), quantity: held.quantity };
                let named: Vec<Units> = holdings.into_iter().map(named).collect();
                for units in &named {
                    *balance.entry(units.asset.clone()).or_default() += sign * i128::from(units.quantity);
                }
                Ok(named)
            }
            Verdict::Unknown(doubt) => Err(Refusal::new(Code::ColourUnknown).with("outpoint", coin).with("why", doubt)),
        };
        for input in &tx.input {
            let verdict = ancestry.verdict(input.previous_output);
            certain(verdict, &input.previous_output, -1)?;
        }
        for (output, verdict) in tx.output.iter().zip(ancestry.verdicts_of(tx)) {
            let held = certain(verdict, &txid, 1)?;
            if !held.is_empty() {
                units.entry(output.script_pubkey.clone()).or_default().extend(held);
            }
        }
        let side = |wanted: i128| {
            let of = |(asset, left): (&String, &i128)| {
                let quantity = u64::try_from(left.saturating_mul(wanted)).ok().filter(|quantity| *quantity > 0)?;
                Some(Units { asset: asset.clone(), quantity })
            };
            balance.iter().filter_map(of).collect()
        };
        Ok(Meaning { protocol: Some(*protocol), units, issued: side(1), burned: side(-1), ..Meaning::default() })
    }
}
