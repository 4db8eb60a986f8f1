//! Issued assets: their ids, and the contracts they commit to.

use elements::{AssetEntropy, AssetId, AssetIssuance, ContractHash, OutPoint, TxIn};

/// The ids that follow from one issuance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuanceIds {
    /// What reissuances name.
    pub entropy: AssetEntropy,
    /// The asset.
    pub asset: AssetId,
    /// Its reissuance token. Depends on whether the amount was confidential.
    pub token: AssetId,
    /// A later issuance of an asset that exists.
    pub is_reissuance: bool,
}

/// The ids of a new issuance by the input that spends `prevout`. `confidential`: whether the issued amount is a commitment.
pub fn ids(prevout: OutPoint, contract: ContractHash, confidential: bool) -> IssuanceIds {
    let _ = (prevout, contract, confidential);
    todo!()
}

/// The ids of the issuance in an input; `None` when it issues nothing.
pub fn ids_of(input: &TxIn) -> Option<IssuanceIds> {
    let _: &AssetIssuance = &input.asset_issuance;
    todo!()
}

/// The pegged asset of a chain: a function of its name, scripts and parent.
pub fn pegged_asset(
    chain_name: &str,
    fedpegscript: &[u8],
    signblockscript: &[u8],
    parent_genesis: &bitcoin::BlockHash,
) -> AssetId {
    let _ = (chain_name, fedpegscript, signblockscript, parent_genesis);
    todo!()
}
