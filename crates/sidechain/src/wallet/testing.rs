//! Fixtures for the tests of this crate.

use super::build::{Action, BlindingJob, Intent, Plan};
use super::descriptor::CtDescriptor;
use super::state::{Changes, SidechainWallet};
use crate::consensus::proofs;
use bitcoin::bip32::{DerivationPath, Xpriv};
use causeway_vocab::{ChainBatch, SidechainBatch, SidechainDraft, SidechainParams, Tip};
use elements::pset::PartiallySignedTransaction as Pset;
use elements::sighash::SighashCache;
use elements::{Block, BlockHash, BlockHeader, EcdsaSighashType, Script, Transaction, Txid};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use secp256k1_zkp::{Message, SECP256K1};
use serde_json::Value;
use std::collections::BTreeSet;
use std::str::FromStr as _;
use std::sync::OnceLock;

/// A file of tests/fixtures/elements.
pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/elements/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(&path).expect(&path)).expect("fixture is JSON")
}

/// A file of tests/fixtures/liquid-public.
pub(crate) fn vectors(name: &str) -> Vec<Value> {
    let path = format!("{}/../../tests/fixtures/liquid-public/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(&path).expect(&path)).expect("fixture is JSON")
}

/// The chain of the Elements fixtures.
pub(crate) fn chain_params() -> SidechainParams {
    static PARAMS: OnceLock<SidechainParams> = OnceLock::new();
    PARAMS.get_or_init(read_chain_params).clone()
}

fn read_chain_params() -> SidechainParams {
    let mut params = fixture("chain.json")["network"].take();
    let fields = params.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    serde_json::from_value(params).expect("the fields of chain.json")
}

/// A block of wallet.json.
pub(crate) fn block(value: &Value) -> (Tip<BlockHash>, Block) {
    let bytes = hex(&value["block"]);
    let block: Block = elements::encode::deserialize(&bytes).expect("a block");
    (Tip { height: value["height"].as_u64().expect("height") as u32, hash: block.block_hash(), time: block.header.time }, block)
}

/// Bytes of a hex field.
pub(crate) fn hex(value: &Value) -> Vec<u8> {
    use bitcoin::hex::FromHex as _;
    Vec::from_hex(value.as_str().expect("text")).expect("hex")
}

/// Blocks of wallet.json as one batch.
pub(crate) fn wallet_chain() -> SidechainBatch {
    let batches = wallet_batches();
    let last = batches.last().expect("blocks").clone();
    ChainBatch { blocks: batches.into_iter().flat_map(|batch| batch.blocks).collect(), ..last }
}

/// Blocks of wallet.json, each a batch of its own.
pub(crate) fn wallet_batches() -> Vec<SidechainBatch> {
    static BLOCKS: OnceLock<Vec<(Tip<BlockHash>, Block)>> = OnceLock::new();
    let blocks = BLOCKS.get_or_init(|| fixture("wallet.json")["blocks"].as_array().expect("blocks").iter().map(block).collect());
    let batch = |(tip, block): (Tip<BlockHash>, Block)| ChainBatch {
        rollback_to: None,
        blocks: vec![(tip, block)],
        unconfirmed: vec![],
        tip,
        scanned_to: tip.height,
    };
    blocks.iter().cloned().map(batch).collect()
}

/// A wallet with its spending keys and a chain that mines what it is given.
pub(crate) struct World {
    pub(crate) wallet: SidechainWallet,
    pub(crate) rng: StdRng,
    master: Xpriv,
    past: Changes,
}

impl World {
    /// Wallet `name` of wallet.json at that chain's tip.
    pub(crate) fn new(name: &str, seed: u64) -> World {
        let mut world = World::empty(name, seed);
        world.past = world.wallet.apply(&wallet_chain(), &[], 0).changes;
        world
    }

    /// The same wallet before its first block.
    pub(crate) fn empty(name: &str, seed: u64) -> World {
        static WALLETS: OnceLock<Value> = OnceLock::new();
        let wallets = WALLETS.get_or_init(|| fixture("wallet.json")["wallets"].take());
        let described = wallets.as_array().expect("wallets").iter().find(|w| w["name"] == name).expect(name);
        let text = |key: &str| described[key].as_str().expect(key);
        let params = chain_params();
        let account = CtDescriptor::parse(text("descriptor")).and_then(|d| d.account(&params)).expect("valid");
        World {
            wallet: SidechainWallet::new(account, &params),
            rng: StdRng::seed_from_u64(seed),
            master: Xpriv::from_str(text("master_xprv")).expect("a key"),
            past: Changes::default(),
        }
    }

    /// The changes that made the wallet what it was at first.
    pub(crate) fn history_so_far(&self) -> Changes {
        self.past.clone()
    }

    pub(crate) fn policy(&self) -> elements::AssetId {
        self.wallet.params().policy_asset
    }

    pub(crate) fn intent(&self, action: Action) -> Intent {
        let none = BTreeSet::new;
        Intent { action, fee_rate: 100, discount: true, coins: none(), include: none(), exclude: none(), allow_explicit: true }
    }

    pub(crate) fn blind(&mut self, plan: &Plan) -> SidechainDraft {
        plan.blind(&mut self.rng, |jobs| jobs.into_iter().map(BlindingJob::run).collect())
    }

    /// Signs every input, as the keys would.
    pub(crate) fn sign(&self, pset: &Pset) -> Transaction {
        self.sign_as(pset, EcdsaSighashType::All)
    }

    /// The same with signatures of another kind.
    pub(crate) fn sign_as(&self, pset: &Pset, kind: EcdsaSighashType) -> Transaction {
        let mut tx = pset.extract_tx().expect("a whole transaction");
        let mut witnesses = Vec::new();
        for (vin, input) in pset.inputs().iter().enumerate() {
            let (public, (fingerprint, path)) = input.bip32_derivation.iter().next().expect("a key origin");
            assert_eq!(*fingerprint, self.master.fingerprint(SECP256K1));
            let key = self.master.derive_priv(SECP256K1, &DerivationPath::clone(path)).expect("derives").private_key;
            let spent = input.witness_utxo.as_ref().expect("the spent output");
            assert_eq!(bitcoin::PublicKey::new(key.public_key(SECP256K1)), *public);
            let script_code = Script::new_p2pkh(&public.pubkey_hash());
            let mut cache = SighashCache::new(&tx);
            let hash = cache.segwitv0_sighash(vin, &script_code, spent.value, kind);
            let signature = SECP256K1.sign_ecdsa(&Message::from_digest(hash.to_byte_array()), &key);
            let mut bytes = signature.serialize_der().to_vec();
            bytes.push(kind as u8);
            witnesses.push(vec![bytes, public.to_bytes()]);
        }
        for (input, witness) in tx.input.iter_mut().zip(witnesses) {
            input.witness.script_witness = elements::Witness::from_slice(&witness);
        }
        tx
    }

    /// Plans, blinds, signs and verifies; nothing is learnt yet.
    pub(crate) fn make(&mut self, intent: &Intent) -> Result<(Plan, SidechainDraft, Transaction), causeway_vocab::Refusal> {
        let plan = self.wallet.plan(intent, &mut self.rng)?;
        let draft = self.blind(&plan);
        let tx = self.sign(&draft.pset);
        let spent: Vec<_> = draft.pset.inputs().iter().map(|i| i.witness_utxo.clone().expect("the spent output")).collect();
        let fees = proofs::verify(&tx, &spent, self.policy()).expect("a valid transaction");
        assert_eq!(fees.into_iter().collect::<Vec<_>>(), [(self.policy(), plan.fee)]);
        Ok((plan, draft, tx))
    }

    /// A batch with one more block.
    pub(crate) fn next_block(&self, txs: Vec<Transaction>) -> SidechainBatch {
        let height = self.wallet.tip().map_or(0, |tip| tip.height + 1);
        let block = block_of(height, 0, txs);
        let tip = Tip { height, hash: block.block_hash(), time: block.header.time };
        ChainBatch { rollback_to: None, blocks: vec![(tip, block)], unconfirmed: vec![], tip, scanned_to: height }
    }

    /// Mines a transaction and learns the block.
    pub(crate) fn mine(&mut self, tx: Transaction) {
        let batch = self.next_block(vec![tx]);
        self.wallet.apply(&batch, &[], 0);
    }
}

/// A block with nothing but these transactions; `branch` tells apart blocks of one height.
pub(crate) fn block_of(height: u32, branch: u32, txdata: Vec<Transaction>) -> Block {
    let header = BlockHeader {
        version: 0x2000_0000,
        prev_blockhash: BlockHash::from_byte_array([0; 32]),
        merkle_root: elements::TxMerkleNode::from_byte_array([0; 32]),
        time: 1_700_000_000 + 60 * height + branch,
        height,
        ext: elements::BlockExtData::default(),
    };
    Block { header, txdata }
}

/// A transaction id that nothing has.
pub(crate) fn no_txid(byte: u8) -> Txid {
    Txid::from_byte_array([byte; 32])
}
