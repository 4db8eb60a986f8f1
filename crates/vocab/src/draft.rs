//! What travels between the wallets, which build, and the keys, which check and sign.

use elements::confidential::{AssetBlindingFactor, ValueBlindingFactor};
use elements::pset::PartiallySignedTransaction as Pset;
use serde::{Deserialize, Serialize};

/// The secrets behind one confidential output: what its commitments commit to.
///
/// Explicit outputs have zero blinding factors. A claim until the commitments have been computed again from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The asset.
    pub asset: elements::AssetId,
    /// Its asset blinding factor.
    pub asset_bf: AssetBlindingFactor,
    /// The amount, in atoms of the asset.
    pub value: u64,
    /// Its value blinding factor.
    pub value_bf: ValueBlindingFactor,
}

/// A blinded, unsigned sidechain transaction with the opening of each input and output.
///
/// `inputs[i]` opens the output that input `i` spends (for a peg-in: explicit policy asset). `outputs[i]` opens output `i`; `None`
/// only where somebody else blinded it, and such an output is shown as unverified and refused by default.
#[derive(Debug, Clone)]
pub struct SidechainDraft {
    /// BIP370 PSET, outputs blinded, every input with its `witness_utxo`.
    pub pset: Pset,
    /// Openings of the spent outputs, by input index.
    pub inputs: Vec<Opening>,
    /// Openings of the new outputs, by output index.
    pub outputs: Vec<Option<Opening>>,
}

/// An unsigned transaction of either chain, as a wallet built it or a file brought it. Trusted by nobody: `keys` recomputes what it does.
#[derive(Debug, Clone)]
pub enum Draft {
    /// A Bitcoin PSBT (BIP174); every input carries its full previous transaction or, for taproot, its previous output.
    Bitcoin(bitcoin::Psbt),
    /// A sidechain PSET with openings.
    Sidechain(Box<SidechainDraft>),
}

/// A finished transaction, ready to be written to disk and then broadcast.
#[derive(Debug, Clone)]
pub enum Signed {
    /// For the Bitcoin chain.
    Bitcoin(bitcoin::Transaction),
    /// For the sidechain.
    Sidechain(elements::Transaction),
}
