//! Issued assets: their ids, and the names other standards give them.

use elements::hashes::{HashEngine as _, sha256};
use elements::{AssetEntropy, AssetId, BlockHash, ContractHash, OutPoint, TxIn, Txid};

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
    ids_of_entropy(AssetId::generate_asset_entropy(prevout, contract), confidential, false)
}

/// The ids of the issuance in an input; `None` when it issues nothing.
pub fn ids_of(input: &TxIn) -> Option<IssuanceIds> {
    let issuance = &input.asset_issuance;
    if issuance.is_null() {
        return None;
    }
    let confidential = issuance.amount.is_confidential();
    let is_reissuance = !issuance.asset_blinding_nonce.is_null();
    let entropy = if is_reissuance {
        issuance.asset_entropy
    } else {
        AssetId::generate_asset_entropy(input.previous_output, issuance.asset_entropy.into_contract_hash())
    };
    Some(ids_of_entropy(entropy, confidential, is_reissuance))
}

fn ids_of_entropy(entropy: AssetEntropy, confidential: bool, is_reissuance: bool) -> IssuanceIds {
    let token = AssetId::reissuance_token_from_entropy(entropy, confidential);
    IssuanceIds { entropy, asset: AssetId::from_entropy(entropy), token, is_reissuance }
}

/// The pegged asset of a chain: a function of its name, scripts and parent.
pub fn pegged_asset(
    chain_name: &str,
    fedpegscript: &[u8],
    signblockscript: &[u8],
    parent_genesis: &bitcoin::BlockHash,
) -> AssetId {
    use bitcoin::hashes::Hash as _;
    use bitcoin::hex::DisplayHex as _;
    let mut engine = sha256::Hash::engine();
    engine.input(chain_name.as_bytes());
    engine.input(fedpegscript.to_lower_hex_string().as_bytes());
    engine.input(signblockscript.to_lower_hex_string().as_bytes());
    let commitment = sha256::Hash::from_engine(engine).to_byte_array();
    let prevout = OutPoint::new(Txid::from_byte_array(commitment), 0);
    ids(prevout, ContractHash::from_byte_array(parent_genesis.to_byte_array()), false).asset
}

/// The chain in CAIP-2 form, `bip122:` and the first 32 hex digits of its genesis hash (ELIP-144).
pub fn chain_identifier(genesis: &BlockHash) -> String {
    format!("bip122:{:.32}", genesis.to_string())
}

/// The asset in CAIP-19 form (ELIP-144).
pub fn asset_identifier(genesis: &BlockHash, asset: &AssetId) -> String {
    format!("{}/elip144:{asset}", chain_identifier(genesis))
}
