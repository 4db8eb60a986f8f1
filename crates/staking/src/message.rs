//! Messages to the control plane, in the fields of its protobuf definitions.
//!
//! Amounts are sat, times are blocks, transactions are consensus-encoded, keys are x-only.

use crate::delegation::Registration;
use crate::eots::{EotsSignature, PublicRandomness};
use crate::fund::Extension;
use crate::inclusion;
use crate::possession::{Account, Kind};
use crate::protection::Vote;
use crate::randomness::{Commitment, Proof};
use crate::stake::Stake;
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash as _;
use bitcoin::{Transaction, Txid, XOnlyPublicKey};
use prost::{Message, Name};
use secp256k1::schnorr::Signature;

macro_rules! named {
    ($($type:ident = $package:literal $name:literal;)*) => {
        $(impl Name for $type {
            const PACKAGE: &'static str = $package;
            const NAME: &'static str = $name;

            fn type_url() -> String {
                concat!("/", $package, ".", $name).to_owned()
            }
        })*
    };
}

named! {
    CreateBtcDelegation = "babylon.btcstaking.v1" "MsgCreateBTCDelegation";
    BtcStakeExpand = "babylon.btcstaking.v1" "MsgBtcStakeExpand";
    AddBtcDelegationInclusionProof = "babylon.btcstaking.v1" "MsgAddBTCDelegationInclusionProof";
    BtcUndelegate = "babylon.btcstaking.v1" "MsgBTCUndelegate";
    WithdrawReward = "babylon.incentive" "MsgWithdrawReward";
    CommitPubRandList = "babylon.finality.v1" "MsgCommitPubRandList";
    AddFinalitySig = "babylon.finality.v1" "MsgAddFinalitySig";
}

/// Proof that a Bitcoin key belongs to an account.
#[derive(Clone, PartialEq, Message)]
pub struct ProofOfPossession {
    /// 0 BIP340, 1 BIP322, 2 ECDSA.
    #[prost(uint32, tag = "1")]
    pub btc_sig_type: u32,
    /// The signature in the form of its kind.
    #[prost(bytes = "vec", tag = "2")]
    pub btc_sig: Vec<u8>,
}

impl ProofOfPossession {
    /// A proof of a kind.
    pub fn new(kind: Kind, signature: Vec<u8>) -> ProofOfPossession {
        let btc_sig_type = match kind {
            Kind::Bip340 => 0,
            Kind::Bip322 => 1,
            Kind::Ecdsa => 2,
        };
        ProofOfPossession { btc_sig_type, btc_sig: signature }
    }
}

/// A BIP322 signature with the address that made it.
#[derive(Clone, PartialEq, Message)]
pub struct Bip322Signature {
    /// The address.
    #[prost(string, tag = "1")]
    pub address: String,
    /// The serialized witness.
    #[prost(bytes = "vec", tag = "2")]
    pub sig: Vec<u8>,
}

/// A transaction's place in a block.
#[derive(Clone, PartialEq, Message)]
pub struct TransactionKey {
    /// Its number.
    #[prost(uint32, tag = "1")]
    pub index: u32,
    /// The block's hash, in the order of the header.
    #[prost(bytes = "vec", tag = "2")]
    pub hash: Vec<u8>,
}

/// That a transaction stands in a block.
#[derive(Clone, PartialEq, Message)]
pub struct InclusionProof {
    /// Where.
    #[prost(message, optional, tag = "1")]
    pub key: Option<TransactionKey>,
    /// Neighbours up to the merkle root, one after another.
    #[prost(bytes = "vec", tag = "2")]
    pub proof: Vec<u8>,
}

impl From<&inclusion::InclusionProof> for InclusionProof {
    fn from(proof: &inclusion::InclusionProof) -> InclusionProof {
        let key = TransactionKey { index: proof.index, hash: proof.block.to_byte_array().to_vec() };
        InclusionProof { key: Some(key), proof: proof.sibling_bytes() }
    }
}

/// Registers a stake; without a proof, ahead of its broadcast.
#[derive(Clone, PartialEq, Message)]
#[expect(missing_docs, reason = "the fields of the control plane's definition")]
pub struct CreateBtcDelegation {
    #[prost(string, tag = "1")]
    pub staker_addr: String,
    #[prost(message, optional, tag = "2")]
    pub pop: Option<ProofOfPossession>,
    #[prost(bytes = "vec", tag = "3")]
    pub btc_pk: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub fp_btc_pk_list: Vec<Vec<u8>>,
    #[prost(uint32, tag = "5")]
    pub staking_time: u32,
    #[prost(int64, tag = "6")]
    pub staking_value: i64,
    #[prost(bytes = "vec", tag = "7")]
    pub staking_tx: Vec<u8>,
    #[prost(message, optional, tag = "8")]
    pub staking_tx_inclusion_proof: Option<InclusionProof>,
    #[prost(bytes = "vec", tag = "9")]
    pub slashing_tx: Vec<u8>,
    #[prost(bytes = "vec", tag = "10")]
    pub delegator_slashing_sig: Vec<u8>,
    #[prost(uint32, tag = "11")]
    pub unbonding_time: u32,
    #[prost(bytes = "vec", tag = "12")]
    pub unbonding_tx: Vec<u8>,
    #[prost(int64, tag = "13")]
    pub unbonding_value: i64,
    #[prost(bytes = "vec", tag = "14")]
    pub unbonding_slashing_tx: Vec<u8>,
    #[prost(bytes = "vec", tag = "15")]
    pub delegator_unbonding_slashing_sig: Vec<u8>,
}

impl CreateBtcDelegation {
    /// The registration of a stake.
    pub fn new(
        account: &Account,
        pop: ProofOfPossession,
        stake: &Stake,
        registration: &Registration,
        proof: Option<&inclusion::InclusionProof>,
    ) -> CreateBtcDelegation {
        let terms = stake.terms();
        CreateBtcDelegation {
            staker_addr: account.as_str().to_owned(),
            pop: Some(pop),
            btc_pk: terms.staker.serialize().to_vec(),
            fp_btc_pk_list: terms.providers.iter().map(|key| key.serialize().to_vec()).collect(),
            staking_time: terms.staking_time.into(),
            staking_value: signed(stake.value()),
            staking_tx: serialize(&registration.staking),
            staking_tx_inclusion_proof: proof.map(InclusionProof::from),
            slashing_tx: serialize(&registration.slashing),
            delegator_slashing_sig: registration.staker_slashing.serialize().to_vec(),
            unbonding_time: terms.unbonding_time.into(),
            unbonding_tx: serialize(&registration.unbonding),
            unbonding_value: signed(stake.unbonding_output().value),
            unbonding_slashing_tx: serialize(&registration.unbonding_slashing),
            delegator_unbonding_slashing_sig: registration.staker_unbonding_slashing.serialize().to_vec(),
        }
    }
}

/// Registers an extension ahead of its broadcast.
#[derive(Clone, PartialEq, Message)]
#[expect(missing_docs, reason = "the fields of the control plane's definition")]
pub struct BtcStakeExpand {
    #[prost(string, tag = "1")]
    pub staker_addr: String,
    #[prost(message, optional, tag = "2")]
    pub pop: Option<ProofOfPossession>,
    #[prost(bytes = "vec", tag = "3")]
    pub btc_pk: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub fp_btc_pk_list: Vec<Vec<u8>>,
    #[prost(uint32, tag = "5")]
    pub staking_time: u32,
    #[prost(int64, tag = "6")]
    pub staking_value: i64,
    #[prost(bytes = "vec", tag = "7")]
    pub staking_tx: Vec<u8>,
    #[prost(bytes = "vec", tag = "8")]
    pub slashing_tx: Vec<u8>,
    #[prost(bytes = "vec", tag = "9")]
    pub delegator_slashing_sig: Vec<u8>,
    #[prost(uint32, tag = "10")]
    pub unbonding_time: u32,
    #[prost(bytes = "vec", tag = "11")]
    pub unbonding_tx: Vec<u8>,
    #[prost(int64, tag = "12")]
    pub unbonding_value: i64,
    #[prost(bytes = "vec", tag = "13")]
    pub unbonding_slashing_tx: Vec<u8>,
    #[prost(bytes = "vec", tag = "14")]
    pub delegator_unbonding_slashing_sig: Vec<u8>,
    #[prost(string, tag = "15")]
    pub previous_staking_tx_hash: String,
    #[prost(bytes = "vec", tag = "16")]
    pub funding_tx: Vec<u8>,
}

impl BtcStakeExpand {
    /// The registration of an extension. `funding` is the transaction that made the coin of input 1.
    pub fn new(
        account: &Account,
        pop: ProofOfPossession,
        extension: &Extension,
        registration: &Registration,
        funding: &Transaction,
    ) -> BtcStakeExpand {
        let delegation = CreateBtcDelegation::new(account, pop, &extension.stake, registration, None);
        BtcStakeExpand {
            staker_addr: delegation.staker_addr,
            pop: delegation.pop,
            btc_pk: delegation.btc_pk,
            fp_btc_pk_list: delegation.fp_btc_pk_list,
            staking_time: delegation.staking_time,
            staking_value: delegation.staking_value,
            staking_tx: delegation.staking_tx,
            slashing_tx: delegation.slashing_tx,
            delegator_slashing_sig: delegation.delegator_slashing_sig,
            unbonding_time: delegation.unbonding_time,
            unbonding_tx: delegation.unbonding_tx,
            unbonding_value: delegation.unbonding_value,
            unbonding_slashing_tx: delegation.unbonding_slashing_tx,
            delegator_unbonding_slashing_sig: delegation.delegator_unbonding_slashing_sig,
            previous_staking_tx_hash: extension.funded.transaction.input[0].previous_output.txid.to_string(),
            funding_tx: serialize(funding),
        }
    }
}

/// Shows that a registered stake is in a block. Anybody may send it.
#[derive(Clone, PartialEq, Message)]
#[expect(missing_docs, reason = "the fields of the control plane's definition")]
pub struct AddBtcDelegationInclusionProof {
    #[prost(string, tag = "1")]
    pub signer: String,
    #[prost(string, tag = "2")]
    pub staking_tx_hash: String,
    #[prost(message, optional, tag = "3")]
    pub staking_tx_inclusion_proof: Option<InclusionProof>,
}

impl AddBtcDelegationInclusionProof {
    /// The proof for a staking transaction.
    pub fn new(signer: &Account, staking: Txid, proof: &inclusion::InclusionProof) -> AddBtcDelegationInclusionProof {
        AddBtcDelegationInclusionProof {
            signer: signer.as_str().to_owned(),
            staking_tx_hash: staking.to_string(),
            staking_tx_inclusion_proof: Some(proof.into()),
        }
    }
}

/// Shows that a stake was spent: unbonding, or the extension that follows it. Anybody may send it; it cannot be taken back.
#[derive(Clone, PartialEq, Message)]
#[expect(missing_docs, reason = "the fields of the control plane's definition")]
pub struct BtcUndelegate {
    #[prost(string, tag = "1")]
    pub signer: String,
    #[prost(string, tag = "2")]
    pub staking_tx_hash: String,
    #[prost(bytes = "vec", tag = "3")]
    pub stake_spending_tx: Vec<u8>,
    #[prost(message, optional, tag = "4")]
    pub stake_spending_tx_inclusion_proof: Option<InclusionProof>,
    #[prost(bytes = "vec", repeated, tag = "5")]
    pub funding_transactions: Vec<Vec<u8>>,
}

impl BtcUndelegate {
    /// `spending` with its witness, and the transactions that made the outputs it spends, in the order of its inputs.
    pub fn new(
        signer: &Account,
        staking: Txid,
        spending: &Transaction,
        proof: &inclusion::InclusionProof,
        parents: &[Transaction],
    ) -> BtcUndelegate {
        BtcUndelegate {
            signer: signer.as_str().to_owned(),
            staking_tx_hash: staking.to_string(),
            stake_spending_tx: serialize(spending),
            stake_spending_tx_inclusion_proof: Some(proof.into()),
            funding_transactions: parents.iter().map(serialize).collect(),
        }
    }
}

/// Pays rewards out.
#[derive(Clone, PartialEq, Message)]
pub struct WithdrawReward {
    /// `btc_staker` (rewards for staking both coins included) or `finality_provider`.
    #[prost(string, tag = "1")]
    pub r#type: String,
    /// Whose rewards.
    #[prost(string, tag = "2")]
    pub address: String,
}

/// Commits to the public randomness of coming heights.
#[derive(Clone, PartialEq, Message)]
#[expect(missing_docs, reason = "the fields of the control plane's definition")]
pub struct CommitPubRandList {
    #[prost(string, tag = "1")]
    pub signer: String,
    #[prost(bytes = "vec", tag = "2")]
    pub fp_btc_pk: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub start_height: u64,
    #[prost(uint64, tag = "4")]
    pub num_pub_rand: u64,
    #[prost(bytes = "vec", tag = "5")]
    pub commitment: Vec<u8>,
    #[prost(bytes = "vec", tag = "6")]
    pub sig: Vec<u8>,
}

impl CommitPubRandList {
    /// A signed commitment of a provider.
    pub fn new(signer: &Account, provider: &XOnlyPublicKey, commitment: &Commitment, signature: &Signature) -> CommitPubRandList {
        CommitPubRandList {
            signer: signer.as_str().to_owned(),
            fp_btc_pk: provider.serialize().to_vec(),
            start_height: commitment.start_height,
            num_pub_rand: commitment.count,
            commitment: commitment.root.0.to_vec(),
            sig: signature.serialize().to_vec(),
        }
    }
}

/// CometBFT's Merkle proof.
#[derive(Clone, PartialEq, Message)]
#[expect(missing_docs, reason = "the fields of the control plane's definition")]
pub struct MerkleProof {
    #[prost(int64, tag = "1")]
    pub total: i64,
    #[prost(int64, tag = "2")]
    pub index: i64,
    #[prost(bytes = "vec", tag = "3")]
    pub leaf_hash: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub aunts: Vec<Vec<u8>>,
}

/// A finality vote.
#[derive(Clone, PartialEq, Message)]
#[expect(missing_docs, reason = "the fields of the control plane's definition")]
pub struct AddFinalitySig {
    #[prost(string, tag = "1")]
    pub signer: String,
    #[prost(bytes = "vec", tag = "2")]
    pub fp_btc_pk: Vec<u8>,
    #[prost(uint64, tag = "3")]
    pub block_height: u64,
    #[prost(bytes = "vec", tag = "4")]
    pub pub_rand: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    pub proof: Option<MerkleProof>,
    #[prost(bytes = "vec", tag = "6")]
    pub block_app_hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "7")]
    pub finality_sig: Vec<u8>,
}

impl AddFinalitySig {
    /// A signed vote with the proof that its randomness was committed to. `None` for a proof with more leaves than a message can say.
    pub fn new(
        signer: &Account,
        provider: &XOnlyPublicKey,
        vote: &Vote,
        randomness: &PublicRandomness,
        proof: &Proof,
        signature: &EotsSignature,
    ) -> Option<AddFinalitySig> {
        let proof = MerkleProof {
            total: i64::try_from(proof.total).ok()?,
            index: i64::try_from(proof.index).ok()?,
            leaf_hash: proof.leaf_hash.0.to_vec(),
            aunts: proof.aunts.iter().map(|aunt| aunt.0.to_vec()).collect(),
        };
        Some(AddFinalitySig {
            signer: signer.as_str().to_owned(),
            fp_btc_pk: provider.serialize().to_vec(),
            block_height: vote.height,
            pub_rand: randomness.0.to_vec(),
            proof: Some(proof),
            block_app_hash: vote.app_hash.to_vec(),
            finality_sig: signature.0.to_vec(),
        })
    }
}

fn signed(amount: bitcoin::Amount) -> i64 {
    i64::try_from(amount.to_sat()).expect("BUG: a stake is less than all bitcoin")
}

/// A checkpoint as the control plane stores it, before it is on Bitcoin.
#[derive(Clone, PartialEq, Message)]
#[expect(missing_docs, reason = "the fields of the control plane's definition")]
pub struct RawCheckpoint {
    #[prost(uint64, tag = "1")]
    pub epoch_num: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub block_hash: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub bitmap: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub bls_multi_sig: Vec<u8>,
}
