//! Payment URIs: BIP21 with the schemes of Liquid.

use super::address::Confidentiality;
use causeway_vocab::{Refusal, SidechainParams};
use elements::{Address, AssetId};

/// `liquidnetwork:ADDRESS?amount=&assetid=&label=&message=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentUri {
    /// Where to.
    pub address: Address,
    /// Asset; absent means the policy asset.
    pub asset: Option<AssetId>,
    /// Atoms. In the URI a decimal figure of the policy asset's eight digits, whatever the asset.
    pub amount: Option<u64>,
    /// Name of the receiver.
    pub label: Option<String>,
    /// What it is for.
    pub message: Option<String>,
}

impl PaymentUri {
    /// Reads a URI of the chain's scheme or a plain address. Unknown parameters are ignored, `req-` ones refused (BIP21).
    ///
    /// Refused as [`super::parse_address`] does, or with `BadAmount`, `UnknownAsset`, `BadRequest` (`field`).
    pub fn parse(text: &str, params: &SidechainParams, confidentiality: Confidentiality) -> Result<PaymentUri, Refusal> {
        let _ = (text, params, confidentiality);
        todo!()
    }

    /// Writes the URI that [`PaymentUri::parse`] reads back.
    pub fn to_uri(&self, params: &SidechainParams) -> String {
        let _ = params;
        todo!()
    }
}
