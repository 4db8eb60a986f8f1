//! A transaction before blinding.

use crate::wallet::descriptor::KeyPath;
use crate::wallet::state::Changes;
use crate::wallet::swap::Offer;
use causeway_vocab::Opening;
use elements::{AssetEntropy, AssetId, ContractHash, OutPoint, Script, TxIn, TxOut};
use elements_miniscript::{DefiniteDescriptorKey, Descriptor};
use secp256k1_zkp::{PublicKey, SecretKey};

/// What an output is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Pays a recipient of the intent, or comes to us because the action makes it.
    Payment,
    /// What is left of the coins.
    Change,
    /// Destroys.
    Burn,
    /// Leaves for Bitcoin.
    PegOut,
    /// Holds nothing and cannot be spent: lets the blinding factors balance where no other output could.
    Balance,
    /// The fee.
    Fee,
}

/// An output to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOutput {
    /// Script; empty for the fee.
    pub script: Script,
    /// Asset.
    pub asset: AssetId,
    /// Atoms.
    pub amount: u64,
    /// Key to blind to; `None` makes it explicit.
    pub blinding_key: Option<PublicKey>,
    /// Where the script is derived, when ours.
    pub path: Option<KeyPath>,
    /// What it is for.
    pub purpose: Purpose,
    /// The output as somebody else has blinded it.
    pub made: Option<TxOut>,
}

/// An issuance to be made by an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedIssuance {
    /// The asset.
    pub asset: AssetId,
    /// Its reissuance token.
    pub token: AssetId,
    /// Atoms.
    pub amount: u64,
    /// Tokens; 0 in a reissuance.
    pub tokens: u64,
    /// Hide the amounts.
    pub blinded: bool,
    /// New, or more.
    pub source: Source,
}

/// What an issuance continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Nothing: a new asset that commits to this contract.
    New(ContractHash),
    /// The asset with this entropy.
    More(AssetEntropy),
}

/// An input.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedInput {
    /// The coin; for a peg-in the Bitcoin outpoint.
    pub prevout: OutPoint,
    /// The output it spends, without proofs; for a peg-in what consensus puts in its place.
    pub output: TxOut,
    /// What that output holds.
    pub opening: Opening,
    /// Where its script is derived, when ours.
    pub path: Option<KeyPath>,
    /// What it issues.
    pub issuance: Option<PlannedIssuance>,
    /// The deposit's proof.
    pub pegin: Option<elements::PeginWitness>,
    /// The input as somebody else has signed it.
    pub signed: Option<TxIn>,
}

/// Change of one asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Of what.
    pub asset: AssetId,
    /// Atoms.
    pub amount: u64,
    /// Where it goes.
    pub path: KeyPath,
}

/// A planned transaction with what it costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Inputs in order.
    pub inputs: Vec<PlannedInput>,
    /// Outputs in order; the fee is last.
    pub outputs: Vec<PlannedOutput>,
    /// Satoshi of the policy asset.
    pub fee: u64,
    /// Weight units of the finished transaction, with signatures of the largest size.
    pub weight: usize,
    /// Virtual bytes that the fee was measured in: with the discount when the intent said so.
    pub vsize: usize,
    /// What comes back, by asset.
    pub change: Vec<Change>,
    /// To be absorbed and written when the plan is used: its addresses are now handed out.
    pub changes: Changes,
    /// An offer that is taken: its coin is the first input, its output the first output.
    pub(super) taken: Option<Offer>,
    /// Keys that hide issued amounts, by input.
    pub(super) issuance_keys: Vec<Option<SecretKey>>,
    /// The descriptors of the inputs.
    pub(super) input_descriptors: Vec<Option<Descriptor<DefiniteDescriptorKey>>>,
    /// The same of outputs to ourselves.
    pub(super) output_descriptors: Vec<Option<Descriptor<DefiniteDescriptorKey>>>,
}
