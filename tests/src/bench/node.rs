//! A node that serves blocks which the federation of the fixtures signed.

use super::said;
use bitcoin::bip158::FilterHeader;
use bitcoin::consensus::encode;
use bitcoin::hashes::Hash as _;
use bitcoin::hex::FromHex as _;
use bitcoin::p2p::message::{CommandString, NetworkMessage, RawNetworkMessage};
use bitcoin::p2p::message_blockdata::Inventory;
use bitcoin::p2p::message_filter::{CFHeaders, CFilter};
use bitcoin::p2p::message_network::VersionMessage;
use bitcoin::p2p::{Address, Magic, ServiceFlags};
use causeway_sidechain::consensus::filter::Filter;
use causeway_sidechain::consensus::header::HeaderChain;
use causeway_sidechain::consensus::merkle;
use causeway_vocab::{Height, Realm, SidechainParams, Tip};
use elements::dynafed::Params;
use elements::{
    Block, BlockExtData, BlockHash, BlockHeader, OutPoint, Script, Sequence, Transaction, TxIn, TxInWitness, TxMerkleNode,
};
use secp256k1_zkp::{Message, SECP256K1, SecretKey};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A chain in the making, with the keys that sign it.
pub(super) struct Federation {
    params: Arc<SidechainParams>,
    chain: HeaderChain,
    sets: Value,
    /// From height 1 on.
    pub(super) blocks: Vec<Block>,
}

/// What the node has.
pub(super) struct Served {
    genesis: BlockHash,
    headers: Vec<BlockHeader>,
    blocks: Vec<Vec<u8>>,
    filters: Vec<Filter>,
}

impl Federation {
    pub(super) fn new(realm: &Realm) -> Result<Federation, String> {
        let file: Value = serde_json::from_str(include_str!("../../fixtures/elements/chain.json")).map_err(said)?;
        let params = Arc::new(realm.sidechain.clone());
        let chain = HeaderChain::new(Arc::clone(&params)).ok_or("no genesis block")?;
        Ok(Federation { params, chain, sets: file["network"]["signers"].clone(), blocks: Vec::new() })
    }

    /// Adds a signed block of these transactions. Whether what they spend exists is nobody's question here.
    pub(super) fn block(&mut self, transactions: Vec<Transaction>) -> Result<(), String> {
        let tip = self.chain.tip();
        let height = tip.height + 1;
        let current = self.chain.state().next_params(&self.params);
        let header = BlockHeader {
            version: 0x2000_0000,
            prev_blockhash: tip.hash,
            merkle_root: TxMerkleNode::from_byte_array([0; 32]),
            time: tip.time + 60,
            height,
            ext: BlockExtData::Dynafed { current, proposed: Params::Null, signblock_witness: Vec::new() },
        };
        let coinbase = Transaction {
            version: 2,
            lock_time: elements::LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint::default(),
                is_pegin: false,
                script_sig: Script::from([&[4][..], &height.to_le_bytes()].concat()),
                sequence: Sequence::MAX,
                asset_issuance: elements::AssetIssuance::default(),
                witness: TxInWitness { script_witness: vec![vec![0; 32]].into(), ..TxInWitness::default() },
            }],
            output: vec![super::lab::explicit(self.params.policy_asset, 0, Script::from(vec![0x6a]))],
        };
        let mut block = Block { header, txdata: std::iter::once(coinbase).chain(transactions).collect() };
        let commitment = merkle::witness_commitment_script(&block).map_err(said)?;
        block.txdata[0].output.push(super::lab::explicit(self.params.policy_asset, 0, commitment));
        block.header.merkle_root = merkle::block_root(&block).map_err(said)?;
        self.sign(&mut block.header)?;
        self.chain.accept(&block.header, u64::from(u32::MAX)).map_err(said)?;
        self.blocks.push(block);
        Ok(())
    }

    fn sign(&self, header: &mut BlockHeader) -> Result<(), String> {
        let message = Message::from_digest(header.block_hash().to_byte_array());
        let BlockExtData::Dynafed { current, signblock_witness, .. } = &mut header.ext else { return Err("no dynafed".into()) };
        let bytes = |value: &Value| Vec::<u8>::from_hex(value.as_str().unwrap_or_default()).map_err(said);
        let script = current.signblockscript().ok_or("no script")?.to_bytes();
        let sets = self.sets.as_object().ok_or("no signers")?.values();
        let set = sets.into_iter().find(|set| bytes(&set["p2wsh_script_pubkey"]).is_ok_and(|found| found == script));
        let set = set.ok_or("unknown signers")?;
        let k = usize::try_from(set["k"].as_u64().ok_or("no k")?).map_err(said)?;
        let mut witness = vec![Vec::new()];
        for key in set["private_keys"].as_array().ok_or("no keys")?.iter().take(k) {
            let key = SecretKey::from_slice(&bytes(key)?).map_err(said)?;
            witness.push([&SECP256K1.sign_ecdsa(&message, &key).serialize_der()[..], &[1]].concat());
        }
        witness.push(bytes(&set["witness_script"])?);
        *signblock_witness = witness;
        Ok(())
    }

    pub(super) fn tip(&self) -> Tip<BlockHash> {
        self.chain.tip()
    }

    /// A node with these blocks, which are taken apart one by one: together they are large.
    pub(super) fn served(&self, blocks: Vec<Block>) -> Served {
        let mut served = Served { genesis: self.params.genesis_hash, headers: vec![], blocks: vec![], filters: vec![] };
        for block in blocks {
            let filter = Filter::of_block(&block, |_| Some(Script::from(vec![0x51])));
            served.filters.push(filter.expect("BUG: every script is given"));
            served.blocks.push(elements::encode::serialize(&block));
            served.headers.push(block.header);
        }
        served
    }
}

/// Serves until the program ends. Gives the address.
pub(super) async fn serve(served: Served, magic: [u8; 4]) -> Result<SocketAddr, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(said)?;
    let address = listener.local_addr().map_err(said)?;
    let served = Arc::new(served);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let served = Arc::clone(&served);
            // Whoever hangs up is gone.
            tokio::spawn(async move { drop(answer(stream, &served, Magic::from_bytes(magic)).await) });
        }
    });
    Ok(address)
}

async fn answer(mut stream: TcpStream, served: &Served, magic: Magic) -> Result<(), String> {
    loop {
        let mut head = [0; 24];
        stream.read_exact(&mut head).await.map_err(said)?;
        let length = u32::from_le_bytes(head[16..20].try_into().expect("BUG: four bytes"));
        let mut frame = head.to_vec();
        frame.resize(24 + usize::try_from(length.min(4_000_000)).map_err(said)?, 0);
        stream.read_exact(&mut frame[24..]).await.map_err(said)?;
        let message: RawNetworkMessage = encode::deserialize(&frame).map_err(said)?;
        for reply in served.replies(message.into_payload()) {
            stream.write_all(&encode::serialize(&RawNetworkMessage::new(magic, reply))).await.map_err(said)?;
        }
    }
}

fn raw(command: &'static str, payload: Vec<u8>) -> NetworkMessage {
    NetworkMessage::Unknown { command: CommandString::try_from_static(command).expect("BUG: a short name"), payload }
}

impl Served {
    fn height(&self, hash: &bitcoin::BlockHash) -> Option<Height> {
        let hash = BlockHash::from_byte_array(hash.to_byte_array());
        self.headers.iter().find(|header| header.block_hash() == hash).map(|header| header.height)
    }

    fn replies(&self, message: NetworkMessage) -> Vec<NetworkMessage> {
        let wire = |hash: BlockHash| bitcoin::BlockHash::from_byte_array(hash.to_byte_array());
        match message {
            NetworkMessage::Version(_) => {
                let services = ServiceFlags::NETWORK | ServiceFlags::WITNESS | ServiceFlags::COMPACT_FILTERS;
                let nobody = Address::new(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), services);
                let height = i32::try_from(self.headers.len()).unwrap_or(i32::MAX);
                let mut version =
                    VersionMessage::new(services, 1_800_000_000, nobody.clone(), nobody, 1, "/bench/".into(), height);
                version.version = 70016;
                vec![NetworkMessage::Version(version), NetworkMessage::Verack]
            }
            NetworkMessage::Ping(nonce) => vec![NetworkMessage::Pong(nonce)],
            NetworkMessage::GetHeaders(ask) => {
                let genesis = wire(self.genesis);
                let known = ask.locator_hashes.iter().find_map(|hash| self.height(hash).or((*hash == genesis).then_some(0)));
                let after: Vec<&BlockHeader> =
                    self.headers.iter().filter(|header| header.height > known.unwrap_or(0)).take(2_000).collect();
                let mut payload = encode::serialize(&bitcoin::VarInt(after.len() as u64));
                for header in after {
                    payload.extend(elements::encode::serialize(header));
                    payload.push(0);
                }
                vec![raw("headers", payload)]
            }
            NetworkMessage::GetCFHeaders(ask) => {
                let (first, last) = (ask.start_height as usize, self.height(&ask.stop_hash).unwrap_or(0) as usize);
                let below = self.filters.iter().take(first.saturating_sub(1));
                let previous = below.fold(FilterHeader::all_zeros(), |before, filter| filter.header(&before));
                let hashes = self.filters.iter().take(last).skip(first.saturating_sub(1)).map(Filter::hash).collect();
                vec![NetworkMessage::CFHeaders(CFHeaders {
                    filter_type: 0,
                    stop_hash: ask.stop_hash,
                    previous_filter_header: previous,
                    filter_hashes: hashes,
                })]
            }
            NetworkMessage::GetCFilters(ask) => {
                let last = self.height(&ask.stop_hash).unwrap_or(0);
                let wanted =
                    self.headers.iter().zip(&self.filters).filter(|(h, _)| (ask.start_height..=last).contains(&h.height));
                let filter = |(header, filter): (&BlockHeader, &Filter)| {
                    let block_hash = wire(header.block_hash());
                    NetworkMessage::CFilter(CFilter { filter_type: 0, block_hash, filter: filter.0.clone() })
                };
                wanted.map(filter).collect()
            }
            NetworkMessage::GetData(list) => list
                .iter()
                .map(|wanted| match wanted {
                    Inventory::WitnessBlock(hash) => match self.height(hash) {
                        Some(height) => raw("block", self.blocks[height as usize - 1].clone()),
                        None => NetworkMessage::NotFound(vec![*wanted]),
                    },
                    _ => NetworkMessage::NotFound(vec![*wanted]),
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}
