//! The genesis block and parameters of a chain, as elementsd computes them from its own options.

use crate::options::ChainOptions;
use bitcoin::hex::DisplayHex as _;
use causeway_federation::Federation;
use causeway_vocab::SidechainParams;
use causeway_vocab::realm::AddressPrefixes;
use elements::hashes::{HashEngine as _, sha256};
use elements::opcodes::all::OP_RETURN;
use elements::{
    AssetId, Block, BlockExtData, BlockHeader, ContractHash, LockTime, OutPoint, Script, Sequence, Transaction, TxIn, TxOut,
    Txid, confidential, script,
};
use std::net::SocketAddr;

/// Elements' name of the chain. elementsd keeps a custom chain in a folder of this name.
pub const CHAIN_NAME: &str = "causeway";
/// What elementsd uses for custom chains unless `-pchmessagestart` says otherwise.
const CUSTOM_MAGIC: [u8; 4] = [0x53, 0x19, 0xf2, 0x0e];
/// Genesis time of custom chains (`CreateGenesisBlock` in chainparams.cpp of Elements).
const GENESIS_TIME: u32 = 1_296_688_602;

/// Hash of the chain's name and scripts, which the genesis block commits to (`CommitToArguments` in chainparams.cpp of Elements).
fn commitment(chain_name: &str, fedpegscript: &Script, signblockscript: &Script) -> sha256::Hash {
    let mut engine = sha256::Hash::engine();
    engine.input(chain_name.as_bytes());
    engine.input(fedpegscript.as_bytes().to_lower_hex_string().as_bytes());
    engine.input(signblockscript.as_bytes().to_lower_hex_string().as_bytes());
    sha256::Hash::from_engine(engine)
}

/// The pegged asset: issued by an input that cannot exist, with the parent's genesis hash as contract.
pub fn pegged_asset(chain_name: &str, fedpegscript: &Script, signblockscript: &Script, parent: bitcoin::BlockHash) -> AssetId {
    let commitment = commitment(chain_name, fedpegscript, signblockscript);
    let outpoint = OutPoint::new(Txid::from_byte_array(commitment.to_byte_array()), 0);
    let contract = ContractHash::from_byte_array(bitcoin::hashes::Hash::to_byte_array(parent));
    AssetId::from_entropy(AssetId::generate_asset_entropy(outpoint, contract))
}

/// The genesis block of a chain without initial coins: all its bitcoin came over the peg.
pub fn genesis_block(chain_name: &str, fedpegscript: &Script, signblockscript: &Script) -> Block {
    let commitment = commitment(chain_name, fedpegscript, signblockscript);
    let coinbase = Transaction {
        version: 1,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::default(),
            is_pegin: false,
            script_sig: script::Builder::new().push_slice(commitment.as_byte_array()).into_script(),
            sequence: Sequence::MAX,
            asset_issuance: elements::AssetIssuance::default(),
            witness: elements::TxInWitness::default(),
        }],
        output: vec![TxOut {
            asset: confidential::Asset::Explicit(AssetId::default()),
            value: confidential::Value::Explicit(0),
            nonce: confidential::Nonce::Null,
            script_pubkey: script::Builder::new().push_opcode(OP_RETURN).into_script(),
            witness: elements::TxOutWitness::default(),
        }],
    };
    let header = BlockHeader {
        version: 1,
        prev_blockhash: elements::BlockHash::from_byte_array([0; 32]),
        merkle_root: elements::TxMerkleNode::from_byte_array(coinbase.txid().to_byte_array()),
        time: GENESIS_TIME,
        height: 0,
        ext: BlockExtData::Proof { challenge: signblockscript.clone(), solution: Script::new() },
    };
    Block { header, txdata: vec![coinbase] }
}

/// Everything a client must know of the chain.
pub(crate) fn params(chain: &ChainOptions, federation: &Federation, peers: Vec<SocketAddr>) -> SidechainParams {
    let signblockscript = federation.block_script();
    let fedpegscript = Script::from(federation.fedpegscript().into_bytes());
    let parent = bitcoin::constants::genesis_block(bitcoin::Network::Regtest).block_hash();
    let genesis = genesis_block(CHAIN_NAME, &fedpegscript, &signblockscript);
    SidechainParams {
        chain_name: CHAIN_NAME.to_owned(),
        network_magic: CUSTOM_MAGIC,
        genesis_block: elements::encode::serialize(&genesis).to_lower_hex_string(),
        genesis_hash: genesis.block_hash(),
        policy_asset: pegged_asset(CHAIN_NAME, &fedpegscript, &signblockscript, parent),
        parent_genesis_hash: parent,
        genesis_max_block_witness: federation.block_witness_limit(),
        signblockscript,
        fedpegscript,
        epoch_length: chain.epoch_length,
        vote_threshold: (u64::from(chain.epoch_length) * 4 / 5) as u32,
        total_valid_epochs: chain.total_valid_epochs,
        pegin_confirmation_depth: chain.pegin_confirmation_depth,
        dynafed_active_from_height: 1,
        enforce_pak: false,
        first_extension_space: causeway_vocab::default_extension_space(),
        address: AddressPrefixes {
            bech32_hrp: "ert".into(),
            blech32_hrp: "el".into(),
            p2pkh_prefix: 235,
            p2sh_prefix: 75,
            blinded_prefix: 4,
        },
        peers,
    }
}

/// The arguments with which elementsd follows a chain with these parameters. What it needs to check peg-ins against the parent's
/// RPC (`-validatepegin=1 -mainchainrpc...`) is for its user to add.
pub fn elementsd_args(params: &SidechainParams) -> Vec<String> {
    let mut args = vec![
        format!("-chain={}", params.chain_name),
        "-con_signed_blocks=1".into(),
        "-con_blockheightinheader=1".into(),
        "-con_has_parent_chain=1".into(),
        format!("-parentgenesisblockhash={}", params.parent_genesis_hash),
        format!("-signblockscript={:x}", params.signblockscript),
        format!("-con_max_block_sig_size={}", params.genesis_max_block_witness),
        format!("-fedpegscript={:x}", params.fedpegscript),
        "-con_start_p2wsh_script=0".into(),
        format!("-peginconfirmationdepth={}", params.pegin_confirmation_depth),
        format!("-dynamic_epoch_length={}", params.epoch_length),
        format!("-total_valid_epochs={}", params.total_valid_epochs),
        "-evbparams=dynafed:-1:::".into(),
        "-initialfreecoins=0".into(),
        "-con_connect_genesis_outputs=1".into(),
        format!("-enforce_pak={}", u8::from(params.enforce_pak)),
        // Confidential transactions pay for their discounted size here, as on Liquid (ELIP-200).
        "-acceptdiscountct=1".into(),
    ];
    args.extend(params.peers.iter().map(|peer| format!("-connect={peer}")));
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_options_give_the_genesis_and_pegged_asset_of_elementsd() {
        let text = include_str!("../../../tests/fixtures/elements/chain.json");
        let chain: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
        let network = &chain["network"];
        let script = |name: &str| -> Script { serde_json::from_value(network[name].clone()).expect("a script") };
        let (fedpeg, sign) = (script("fedpegscript"), script("signblockscript"));
        let parent = network["parent_genesis_hash"].as_str().expect("a hash").parse().expect("a hash");
        assert_eq!(pegged_asset("lab", &fedpeg, &sign, parent).to_string(), network["policy_asset"].as_str().expect("an asset"));

        // The fixture's chain has initial coins in a second transaction; the first one and the header's other fields are ours.
        let real: Block = {
            use bitcoin::hex::FromHex as _;
            let bytes = Vec::<u8>::from_hex(network["genesis_block"].as_str().expect("hex")).expect("hex");
            elements::encode::deserialize(&bytes).expect("a block")
        };
        let ours = genesis_block("lab", &fedpeg, &sign);
        assert_eq!(ours.txdata[0], real.txdata[0]);
        let expected = BlockHeader { merkle_root: ours.header.merkle_root, ..real.header };
        assert_eq!(ours.header, expected);
    }
}
