//! The genesis block and parameters of a chain, as elementsd computes them from its own options.

use crate::options::ChainOptions;
use bitcoin::hex::DisplayHex as _;
use causeway_federation::Federation;
use causeway_sidechain::consensus::issuance::pegged_asset;
use causeway_vocab::SidechainParams;
use causeway_vocab::realm::AddressPrefixes;
use elements::Script;
use elements::genesis::{NetworkParams, genesis_block};
use std::net::SocketAddr;

/// Elements' name of the chain. elementsd keeps a custom chain in a folder of this name.
pub const CHAIN_NAME: &str = "causeway";
/// What elementsd uses for custom chains unless `-pchmessagestart` says otherwise.
const CUSTOM_MAGIC: [u8; 4] = [0x53, 0x19, 0xf2, 0x0e];

/// Everything a client must know of the chain.
pub(crate) fn params(
    chain: &ChainOptions,
    federation: &Federation,
    first_pak: &[String],
    peers: Vec<SocketAddr>,
) -> SidechainParams {
    let signblockscript = federation.block_script();
    let fedpegscript = Script::from(federation.fedpegscript().into_bytes());
    let parent = bitcoin::constants::genesis_block(bitcoin::Network::Regtest).block_hash();
    // Without initial coins: all bitcoin of this chain came over the peg.
    let genesis = genesis_block(&NetworkParams::new(CHAIN_NAME.into(), fedpegscript.clone(), signblockscript.clone(), 0));
    SidechainParams {
        chain_name: CHAIN_NAME.to_owned(),
        network_magic: CUSTOM_MAGIC,
        genesis_block: elements::encode::serialize(&genesis).to_lower_hex_string(),
        genesis_hash: genesis.block_hash(),
        policy_asset: pegged_asset(CHAIN_NAME, fedpegscript.as_bytes(), signblockscript.as_bytes(), &parent),
        parent_genesis_hash: parent,
        genesis_max_block_witness: federation.block_witness_limit(),
        signblockscript,
        fedpegscript,
        epoch_length: chain.epoch_length,
        vote_threshold: (u64::from(chain.epoch_length) * 4 / 5) as u32,
        total_valid_epochs: chain.total_valid_epochs,
        pegin_confirmation_depth: chain.pegin_confirmation_depth,
        dynafed_active_from_height: 1,
        enforce_pak: chain.pak,
        first_extension_space: if chain.pak { first_pak.to_vec() } else { causeway_vocab::default_extension_space() },
        address: AddressPrefixes {
            bech32_hrp: "ert".into(),
            blech32_hrp: "el".into(),
            p2pkh_prefix: 235,
            p2sh_prefix: 75,
            blinded_prefix: 4,
        },
        peers,
        sources: Vec::new(),
        registries: Vec::new(),
    }
}

/// The arguments with which elementsd follows a chain with these parameters. Without its parent's RPC (`-mainchainrpc...`) it cannot check
/// peg-ins.
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
    if params.enforce_pak {
        args.extend(params.first_extension_space.iter().map(|entry| format!("-pak={entry}")));
    }
    args.extend(params.peers.iter().map(|peer| format!("-connect={peer}")));
    args
}

#[cfg(test)]
mod tests {
    use super::*;
    use elements::{Block, BlockHeader};

    #[test]
    fn the_same_options_give_the_genesis_and_pegged_asset_of_elementsd() {
        let text = include_str!("../../../tests/fixtures/elements/chain.json");
        let chain: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
        let network = &chain["network"];
        let script = |name: &str| -> Script { serde_json::from_value(network[name].clone()).expect("a script") };
        let (fedpeg, sign) = (script("fedpegscript"), script("signblockscript"));
        let parent = network["parent_genesis_hash"].as_str().expect("a hash").parse().expect("a hash");
        let asset = pegged_asset("lab", fedpeg.as_bytes(), sign.as_bytes(), &parent);
        assert_eq!(asset.to_string(), network["policy_asset"].as_str().expect("an asset"));

        // The fixture's chain has initial coins in a second transaction; the first one and the header's other fields are ours.
        let real: Block = {
            use bitcoin::hex::FromHex as _;
            let bytes = Vec::<u8>::from_hex(network["genesis_block"].as_str().expect("hex")).expect("hex");
            elements::encode::deserialize(&bytes).expect("a block")
        };
        let ours = genesis_block(&NetworkParams::new("lab".into(), fedpeg, sign, 0));
        assert_eq!(ours.txdata, real.txdata[..1]);
        let expected = BlockHeader { merkle_root: ours.header.merkle_root, ..real.header };
        assert_eq!(ours.header, expected);
        assert_eq!(ours.header.merkle_root.to_byte_array(), ours.txdata[0].txid().to_byte_array());
    }

    #[test]
    fn the_arguments_are_those_of_an_elementsd_that_follows_such_a_chain() {
        let text = include_str!("../../../tests/fixtures/elements/chain.json");
        let chain: serde_json::Value = serde_json::from_str(text).expect("fixture is JSON");
        let mut network = chain["network"].clone();
        let real: Vec<String> = serde_json::from_value(network["elementsd_consensus_args"].take()).expect("arguments");
        let fields = network.as_object_mut().expect("an object");
        for extra in
            ["parent_chain", "block_height_in_header", "elementsd_consensus_args", "elementsd_version", "signers", "fedpeg_keys"]
        {
            fields.remove(extra);
        }
        let params: SidechainParams = serde_json::from_value(network).expect("parameters");
        let ours = elementsd_args(&params);
        // Initial coins are the one thing in which our chains differ.
        for argument in real.iter().filter(|argument| !argument.starts_with("-initialfreecoins")) {
            assert!(ours.contains(argument), "{argument}");
        }
    }
}
