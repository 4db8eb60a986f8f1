//! A realm whose peers are closed doors, and wallets in it.

use crate::vectors::elements_chain;
use causeway_keys::{Accounts, Recovery, Secret, SigningKeys, WordCount, Words, account_descriptors};
use causeway_sidechain::wallet::descriptor::{Chain, KeyPath};
use causeway_sidechain::wallet::{CtDescriptor, SidechainWallet};
use causeway_vocab::{BitcoinParams, ChainBatch, Opening, Realm, SidechainBatch, Tip};
use elements::confidential::{Asset, AssetBlindingFactor, Nonce, Value, ValueBlindingFactor};
use elements::{
    AssetId, Block, BlockExtData, BlockHash, BlockHeader, OutPoint, RangeProof, RangeProofMessage, Script, Sequence,
    SurjectionProof, Transaction, TxIn, TxInWitness, TxMerkleNode, TxOut, TxOutWitness, Txid,
};
use rand::rngs::StdRng;
use secp256k1_zkp::{Generator, PedersenCommitment, SECP256K1, SecretKey};
use std::net::{SocketAddr, TcpListener};

/// The chains of the fixtures; `bitcoin` answers for the first, nobody for the second.
pub(super) fn realm(bitcoin: SocketAddr) -> Result<Realm, String> {
    let chain: serde_json::Value =
        serde_json::from_str(include_str!("../../fixtures/elements/chain.json")).expect("BUG: the fixture is JSON");
    let mut sidechain = (*elements_chain::params(&chain["network"])?).clone();
    sidechain.peers = vec![closed_door()?];
    Ok(Realm {
        name: "bench".into(),
        valueless: true,
        bitcoin: BitcoinParams { network: bitcoin::Network::Regtest, peers: vec![bitcoin], required_peers: 1 },
        sidechain,
        testbed: None,
        staking: None,
    })
}

/// An address where nobody listens.
pub(super) fn closed_door() -> Result<SocketAddr, String> {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).map_err(super::said)
}

/// A wallet of the sidechain with everything that signs for it.
pub(super) struct Owner {
    pub(super) accounts: Accounts,
    pub(super) keys: SigningKeys,
    pub(super) wallet: SidechainWallet,
}

impl Owner {
    pub(super) fn new(realm: &Realm, rng: &mut StdRng) -> Result<Owner, String> {
        let words = Words::generate(WordCount::Twelve, rng, None);
        let seed = Recovery { words, passphrase: Secret::new(String::new()) }.seed();
        let accounts = account_descriptors(&seed, realm).map_err(super::said)?;
        let account = CtDescriptor::parse(&accounts.sidechain_descriptor()).and_then(|d| d.account(&realm.sidechain));
        let wallet = SidechainWallet::new(account.map_err(super::said)?, &realm.sidechain);
        Ok(Owner { accounts, keys: SigningKeys::new(&seed, realm).map_err(super::said)?, wallet })
    }

    /// The path of one of the first addresses; all of them are watched.
    pub(super) fn path(index: u32) -> KeyPath {
        KeyPath { chain: Chain::External, index: index % 20 }
    }

    /// A confidential output to this wallet. Without a surjection proof: wallets do not read it.
    pub(super) fn paid(&self, index: u32, value: u64, rng: &mut StdRng) -> TxOut {
        let derived = self.wallet.account().derive(Owner::path(index)).expect("BUG: an index far below the last");
        let (nonce, secret) = Nonce::new_confidential(rng, SECP256K1, &derived.blinding_key);
        let opening = Opening {
            asset: self.wallet.params().policy_asset,
            asset_bf: AssetBlindingFactor::new(rng),
            value,
            value_bf: ValueBlindingFactor::new(rng),
        };
        let (generator, commitment, rangeproof) = range_proof(&opening, &derived.script, secret);
        TxOut {
            asset: Asset::Confidential(generator),
            value: Value::Confidential(commitment),
            nonce,
            script_pubkey: derived.script,
            witness: TxOutWitness { surjection_proof: SurjectionProof::EMPTY, rangeproof },
        }
    }
}

/// The commitments to an opening and the library's own range proof over them, as Elements wants it.
pub(super) fn range_proof(opening: &Opening, script: &Script, secret: SecretKey) -> (Generator, PedersenCommitment, RangeProof) {
    let generator = Generator::new_blinded(SECP256K1, opening.asset.into_tag(), opening.asset_bf.into_inner());
    let commitment = PedersenCommitment::new(SECP256K1, opening.value, opening.value_bf.into_inner(), generator);
    let message = RangeProofMessage::new(opening.asset, opening.asset_bf).to_byte_array();
    let proof = RangeProof::new(
        SECP256K1,
        TxOut::RANGEPROOF_MIN_VALUE,
        commitment,
        opening.value,
        opening.value_bf.into_inner(),
        &message,
        script.as_bytes(),
        secret,
        TxOut::RANGEPROOF_EXP_SHIFT,
        TxOut::RANGEPROOF_MIN_PRIV_BITS,
        generator,
    );
    (generator, commitment, proof.expect("BUG: the amount was just committed to"))
}

/// A transaction out of nowhere; `salt` makes its id differ from others.
pub(super) fn gift(output: Vec<TxOut>, salt: u32) -> Transaction {
    let input = TxIn {
        previous_output: OutPoint::new(Txid::from_byte_array([7; 32]), salt),
        is_pegin: false,
        script_sig: Script::new(),
        sequence: Sequence::MAX,
        asset_issuance: elements::AssetIssuance::null(),
        witness: TxInWitness::empty(),
    };
    Transaction { version: 2, lock_time: elements::LockTime::ZERO, input: vec![input], output }
}

/// An output that everybody can read.
pub(super) fn explicit(asset: AssetId, value: u64, script_pubkey: Script) -> TxOut {
    TxOut {
        asset: Asset::Explicit(asset),
        value: Value::Explicit(value),
        nonce: Nonce::Null,
        script_pubkey,
        witness: TxOutWitness::empty(),
    }
}

/// What a client tells of these blocks, from height 1 on.
pub(super) fn batch(blocks: Vec<Vec<Transaction>>) -> SidechainBatch {
    let block = |(height, txdata): (u32, Vec<Transaction>)| {
        let header = BlockHeader {
            version: 0x2000_0000,
            prev_blockhash: BlockHash::from_byte_array([0; 32]),
            merkle_root: TxMerkleNode::from_byte_array([0; 32]),
            time: 1_700_000_000 + 60 * height,
            height,
            ext: BlockExtData::default(),
        };
        let tip = Tip { height, hash: header.block_hash(), time: header.time };
        (tip, Block { header, txdata })
    };
    let blocks: Vec<_> = (1..).zip(blocks).map(block).collect();
    let tip = blocks.last().map(|(tip, _)| *tip).expect("BUG: a batch of some blocks");
    ChainBatch { rollback_to: None, blocks, unconfirmed: Vec::new(), tip, scanned_to: tip.height }
}
