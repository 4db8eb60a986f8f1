//! A realm and a chain for tests.

use causeway_vocab::Realm;
use std::sync::OnceLock;

/// The realm of the Elements fixtures.
pub(crate) fn realm() -> Realm {
    static READ: OnceLock<Realm> = OnceLock::new();
    READ.get_or_init(read_realm).clone()
}

fn read_realm() -> Realm {
    let text = include_str!("../../../tests/fixtures/elements/chain.json");
    let chain: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
    let mut params = chain["network"].clone();
    let fields = params.as_object_mut().expect("an object");
    for extra in
        ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
    {
        fields.remove(extra);
    }
    Realm {
        name: "lab".into(),
        valueless: true,
        bitcoin: causeway_vocab::BitcoinParams {
            network: bitcoin::Network::Regtest,
            peers: vec!["127.0.0.1:18444".parse().expect("an address")],
            required_peers: 1,
        },
        sidechain: serde_json::from_value(params).expect("the fields of chain.json"),
        testbed: None,
        staking: None,
    }
}

use crate::{BitcoinWallet, Descriptors, LOOKAHEAD};
use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::constants::genesis_block;
use bitcoin::hashes::Hash as _;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut,
    Txid, Witness, transaction,
};
use causeway_vocab::{BitcoinBatch, Tip};

const TPUB: &str =
    "tpubDCWqZRL1NPdcRDcmec63BCwTVBZKJLKC4JQxyjPHSq38f5iEAjrcu7XbweVnfWNgws2BeKeoTm18WKZBrQNVL6CF9h2UuPxWsSsDZnHfENK";

/// An empty BIP84 wallet.
pub(crate) fn wallet() -> BitcoinWallet {
    wallet_of(&format!("wpkh([59389195/84'/1'/0']{TPUB}/<0;1>/*)"))
}

/// An empty wallet of any public descriptor over the key of [`wallet`], written `KEY`.
pub(crate) fn wallet_of(descriptor: &str) -> BitcoinWallet {
    let text = descriptor.replace("KEY", &format!("[59389195/84'/1'/0']{TPUB}"));
    let descriptors = Descriptors::parse(&text, Network::Regtest).expect("a descriptor");
    BitcoinWallet::create(&descriptors, Network::Regtest, None, LOOKAHEAD).expect("a wallet").0
}

/// A script that is nobody's here.
pub(crate) fn stranger() -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::all_zeros())
}

/// A payment out of nowhere; `salt` makes it differ from others.
pub(crate) fn gift(script: &ScriptBuf, sat: u64, salt: u32) -> Transaction {
    let outpoint = OutPoint { txid: Txid::from_byte_array([7; 32]), vout: salt };
    spend(&[outpoint], &[(script.clone(), sat)])
}

/// A transaction that signals replacement, with an empty witness: wallets do not check scripts.
pub(crate) fn spend(inputs: &[OutPoint], outputs: &[(ScriptBuf, u64)]) -> Transaction {
    let input = |previous_output: &OutPoint| TxIn {
        previous_output: *previous_output,
        script_sig: ScriptBuf::new(),
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        witness: Witness::new(),
    };
    let output = |(script, sat): &(ScriptBuf, u64)| TxOut { value: Amount::from_sat(*sat), script_pubkey: script.clone() };
    Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: inputs.iter().map(input).collect(),
        output: outputs.iter().map(output).collect(),
    }
}

/// A chain of blocks that link but prove no work.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) blocks: Vec<Block>,
}

impl Chain {
    pub(crate) fn new() -> Chain {
        Chain { blocks: vec![genesis_block(Network::Regtest)] }
    }

    /// Adds a block; `salt` tells forks apart.
    pub(crate) fn mine(&mut self, txs: Vec<Transaction>, salt: u32) {
        let parent = self.blocks.last().expect("genesis");
        let header = Header {
            version: Version::TWO,
            prev_blockhash: parent.block_hash(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: parent.header.time + 600,
            bits: CompactTarget::from_consensus(0x207f_ffff),
            nonce: salt,
        };
        let mut block = Block { header, txdata: txs };
        block.header.merkle_root = block.compute_merkle_root().unwrap_or(TxMerkleNode::all_zeros());
        self.blocks.push(block);
    }

    pub(crate) fn tip_at(&self, height: usize) -> Tip<BlockHash> {
        let block = &self.blocks[height];
        Tip { height: height as u32, hash: block.block_hash(), time: block.header.time }
    }

    pub(crate) fn height(&self) -> usize {
        self.blocks.len() - 1
    }

    /// The batch of a client that has matched everything from `from` on.
    pub(crate) fn batch(&self, from: usize, rollback_to: Option<usize>, unconfirmed: Vec<Transaction>) -> BitcoinBatch {
        let matched = (from.max(1)..self.blocks.len()).filter(|height| !self.blocks[*height].txdata.is_empty());
        BitcoinBatch {
            rollback_to: rollback_to.map(|height| self.tip_at(height)),
            blocks: matched.map(|height| (self.tip_at(height), self.blocks[height].clone())).collect(),
            unconfirmed,
            tip: self.tip_at(self.height()),
            scanned_to: self.height() as u32,
        }
    }
}

/// Random numbers that are the same in every run.
pub(crate) fn rng(seed: u64) -> rand::rngs::StdRng {
    rand::SeedableRng::seed_from_u64(seed)
}
