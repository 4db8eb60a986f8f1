//! A draft as it is kept on disk.

use crate::guard::Meaning;
use crate::memory::Core;
use crate::names::Names;
use causeway_contract::{DraftKind, DraftView};
use causeway_store::ContractRow;
use causeway_vocab::{Code, Draft, NetworkId, Opening, Refusal, SidechainDraft};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Seconds for which a draft holds its coins.
pub(crate) const LIFE: u32 = 30 * 60;
/// The same for a draft that was written to a file: who signs it may be far away.
pub(crate) const LIFE_AWAY: u32 = 7 * 24 * 60 * 60;

/// Everything a draft is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) kind: DraftKind,
    pub(crate) network: NetworkId,
    pub(crate) unsigned: Unsigned,
    /// As it was shown when it was planned.
    pub(crate) view: DraftView,
    pub(crate) label: String,
    /// Whom it pays, as the user named them.
    pub(crate) payees: Vec<String>,
    pub(crate) purpose: Purpose,
}

/// The transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unsigned {
    /// Base64.
    Bitcoin(String),
    Sidechain {
        /// Base64.
        pset: String,
        inputs: Vec<Opening>,
        outputs: Vec<Option<Opening>>,
    },
    /// None yet: an order that is carried out in many.
    Order,
}

/// What else its operation needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Purpose {
    Plain,
    Replace {
        txid: String,
        #[serde(default)]
        meaning: Meaning,
    },
    /// Does something with assets of coloured coins.
    Coloured {
        meaning: Meaning,
        /// The asset that it is about.
        asset: Option<String>,
    },
    PegIn {
        claim_script: elements::Script,
        deposit_script: bitcoin::ScriptBuf,
        address: String,
        amount: u64,
        valid_until: u32,
    },
    PegOut {
        destination: bitcoin::ScriptBuf,
        address: String,
        amount: u64,
    },
    Issue {
        asset: String,
        contract: String,
        prevout: String,
    },
    Distribute(Box<crate::operations::distribute::Order>),
    /// Offers a coin.
    Offer,
    /// Makes a stake, with all that is signed for it.
    Stake(Box<crate::staking::Intent>),
    /// Spends an output of a stake.
    Unlock(Box<crate::staking::Unlock>),
    /// Decides about a payment to a redemption address.
    Redeem {
        redemption: u32,
        outpoint: String,
        accepted: bool,
    },
}

impl Body {
    /// What it is meant to do with assets of coloured coins.
    pub(crate) fn meaning(&self) -> Meaning {
        match &self.purpose {
            Purpose::Coloured { meaning, .. } | Purpose::Replace { meaning, .. } => meaning.clone(),
            _ => Meaning::default(),
        }
    }
}

impl Purpose {
    /// The contract of what it issues.
    pub(crate) fn contract(&self) -> Option<ContractRow> {
        let Purpose::Issue { asset, contract, prevout } = self else { return None };
        Some(ContractRow { asset: asset.clone(), contract: contract.clone(), prevout: prevout.clone() })
    }

    /// How assets are named once it is done: what it issues has a name before it exists.
    pub(crate) fn names<'c>(&self, core: &'c Core) -> Cow<'c, Names> {
        let Some(row) = self.contract() else { return Cow::Borrowed(&core.names) };
        let mut names = core.names.clone();
        names.learn(&row);
        Cow::Owned(names)
    }
}

impl Unsigned {
    pub(crate) fn of(draft: &Draft) -> Unsigned {
        match draft {
            Draft::Bitcoin(psbt) => Unsigned::Bitcoin(psbt.to_string()),
            Draft::Sidechain(draft) => {
                Unsigned::Sidechain { pset: draft.pset.to_string(), inputs: draft.inputs.clone(), outputs: draft.outputs.clone() }
            }
        }
    }

    pub(crate) fn draft(&self) -> Result<Draft, Refusal> {
        match self {
            Unsigned::Bitcoin(text) => text.parse().map(Draft::Bitcoin).map_err(|_| Code::BadDraft.into()),
            Unsigned::Sidechain { pset, inputs, outputs } => {
                let pset = pset.parse().map_err(|_| Refusal::new(Code::BadDraft))?;
                Ok(Draft::Sidechain(Box::new(SidechainDraft { pset, inputs: inputs.clone(), outputs: outputs.clone() })))
            }
            Unsigned::Order => Err(Refusal::new(Code::NotOffered).with("what", "draft")),
        }
    }

    /// The coins it spends.
    pub(crate) fn coins(&self) -> Result<Vec<String>, Refusal> {
        if let Unsigned::Order = self {
            return Ok(Vec::new());
        }
        Ok(match self.draft()? {
            Draft::Bitcoin(psbt) => psbt.unsigned_tx.input.iter().map(|input| input.previous_output.to_string()).collect(),
            Draft::Sidechain(draft) => {
                let inputs = draft.pset.inputs().iter();
                inputs.map(|input| format!("{}:{}", input.previous_txid, input.previous_output_index)).collect()
            }
        })
    }
}
