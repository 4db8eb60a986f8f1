//! The world comes up, serves what light clients verify, and survives being killed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod support;

use bitcoin::hashes::Hash as _;
use bitcoin::p2p::message_filter::{CFCheckpt, CFHeaders, CFilter};
use causeway_sandbox::control::{Fund, Pause, SwitchAction};
use causeway_sidechain::consensus::filter::{self, Filter, FilterHeader};
use causeway_sidechain::consensus::header::HeaderState;
use causeway_vocab::NetworkId;
use elements::BlockHeader;
use std::time::Duration;
use support::{Peer, World};

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Follows headers by the rules of the light client.
fn follow(world: &World, headers: &[BlockHeader]) -> HeaderState {
    let mut state = HeaderState::genesis(world.sidechain()).unwrap();
    for header in headers {
        state = state.next(world.sidechain(), header, now()).unwrap_or_else(|e| panic!("height {}: {e}", header.height));
    }
    state
}

#[tokio::test]
async fn headers_filters_and_blocks_pass_the_checks_of_a_light_client() {
    let world = World::up(&["--epoch-length", "10"]).await;
    world.control.mine(NetworkId::Sidechain, 23).await.unwrap();
    let mut peer = Peer::connect(world.sidechain()).await;
    let headers = peer.headers(world.sidechain().genesis_hash).await;
    assert!(headers.len() >= 23);
    let state = follow(&world, &headers);
    assert_eq!(state.signers(), Some((3, 5)));
    for header in &headers {
        let full = header.dynafed_current().unwrap().is_full();
        assert_eq!(full, header.height == 1 || header.height % 10 == 0, "height {}", header.height);
    }
    // Asking from the middle gives the rest.
    assert_eq!(peer.headers(headers[9].block_hash()).await[..13], headers[10..23]);

    let stop = &headers[22];
    let stop_hash = bitcoin::BlockHash::from_byte_array(stop.block_hash().to_byte_array());
    let request = [&[0][..], &0_u32.to_le_bytes(), &stop_hash.to_byte_array()].concat();
    peer.send("getcfheaders", &request).await;
    let cfheaders: CFHeaders = bitcoin::consensus::deserialize(&peer.expect("cfheaders").await).unwrap();
    assert_eq!(cfheaders.previous_filter_header, FilterHeader::all_zeros());
    assert_eq!(cfheaders.filter_hashes.len(), 24);
    peer.send("getcfilters", &request).await;
    let mut chained = FilterHeader::all_zeros();
    for hash in &cfheaders.filter_hashes {
        let message: CFilter = bitcoin::consensus::deserialize(&peer.expect("cfilter").await).unwrap();
        assert_eq!(Filter(message.filter).hash(), *hash);
        chained = filter::chain(*hash, &chained);
    }
    let block = peer.block(stop.block_hash()).await;
    assert_eq!(block.header, *stop);
    let computed = Filter::of_block(&block, |_| None).unwrap();
    assert_eq!(Some(&computed.hash()), cfheaders.filter_hashes.last());

    let request = [&[0][..], &stop_hash.to_byte_array()].concat();
    peer.send("getcfcheckpt", &request).await;
    let checkpoints: CFCheckpt = bitcoin::consensus::deserialize(&peer.expect("cfcheckpt").await).unwrap();
    assert!(checkpoints.filter_headers.is_empty(), "below a thousand blocks there are none");
}

#[tokio::test]
async fn a_killed_world_continues_the_same_chains() {
    let mut world = World::up(&[]).await;
    world.control.mine(NetworkId::Sidechain, 5).await.unwrap();
    let mined = world.control.mine(NetworkId::Bitcoin, 3).await.unwrap();
    let before = Peer::connect(world.sidechain()).await.headers(world.sidechain().genesis_hash).await;
    world.kill_and_restart().await;
    // A peer that saw a block finds it again, and the chain goes on behind it.
    world.control.mine(NetworkId::Sidechain, 2).await.unwrap();
    let after = Peer::connect(world.sidechain()).await.headers(world.sidechain().genesis_hash).await;
    assert!(after.len() >= before.len() + 2);
    assert_eq!(after[..before.len()], before);
    follow(&world, &after);
    assert_eq!(world.bitcoin("getblockhash", serde_json::json!([mined.height])).await, mined.tip);
}

#[tokio::test]
async fn blocks_need_as_many_functionaries_as_the_threshold_says() {
    let world = World::up(&["--interval-ms", "500"]).await;
    for index in [0, 4] {
        world.control.functionary(index, SwitchAction::Stop).await.unwrap();
    }
    world.control.mine(NetworkId::Sidechain, 2).await.expect("three of five make blocks");
    world.control.functionary(2, SwitchAction::Stop).await.unwrap();
    assert_eq!(world.control.status().await.unwrap().functionaries, [false, true, false, true, false]);
    let stuck = tokio::time::timeout(Duration::from_secs(3), world.control.mine(NetworkId::Sidechain, 2)).await;
    assert!(!matches!(stuck, Ok(Ok(_))), "two of five must not make blocks");
    world.control.functionary(0, SwitchAction::Start).await.unwrap();
    world.control.mine(NetworkId::Sidechain, 2).await.expect("three of five make blocks again");
    let headers = Peer::connect(world.sidechain()).await.headers(world.sidechain().genesis_hash).await;
    follow(&world, &headers);
    assert!(world.control.functionary(5, SwitchAction::Stop).await.is_err(), "there is no sixth");
}

#[tokio::test]
async fn the_purse_pays_many_requests_in_a_row_and_blocks_confirm_them() {
    let world = World::up(&[]).await;
    let address = bitcoin::Address::p2wsh(&bitcoin::ScriptBuf::new(), bitcoin::Network::Regtest);
    let script = format!("{:x}", address.script_pubkey());
    // More than there are coins at first, so that change must be spent too.
    for _ in 0..60 {
        let request = Fund { address: address.to_string(), sat: 10_000_000, mine: 0 };
        world.control.fund(&request).await.unwrap();
    }
    world.control.mine(NetworkId::Bitcoin, 1).await.unwrap();
    let found = world.bitcoin("scantxoutset", serde_json::json!(["start", [format!("raw({script})")]])).await;
    assert_eq!(found["unspents"].as_array().unwrap().len(), 60);
    assert_eq!(found["total_amount"], 6.0);
    for bad in [Fund { address: "nowhere".into(), sat: 10_000, mine: 0 }, Fund { address: address.to_string(), sat: 1, mine: 0 }]
    {
        assert!(world.control.fund(&bad).await.is_err());
    }
}

#[tokio::test]
async fn a_reorganisation_replaces_the_last_bitcoin_blocks_with_more() {
    let world = World::up(&[]).await;
    let before = world.control.mine(NetworkId::Bitcoin, 4).await.unwrap();
    let after = world.control.reorg(3).await.unwrap();
    assert_eq!(after.height, before.height + 1);
    let fork = world.bitcoin("getblockhash", serde_json::json!([before.height])).await;
    assert_ne!(fork, before.tip);
}

#[tokio::test]
async fn web_pages_are_refused() {
    let world = World::up(&[]).await;
    let control = world.realm.testbed.as_ref().unwrap().control;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{control}/status");
    assert_eq!(http.get(&url).send().await.unwrap().status(), 200);
    assert_eq!(http.get(&url).header("host", "evil.example").send().await.unwrap().status(), 403);
    assert_eq!(http.get(&url).header("origin", "http://evil.example").send().await.unwrap().status(), 403);
    // What a form can post without asking first.
    let form = http.post(format!("http://{control}/down")).header("origin", "null").body("{}").send().await.unwrap();
    assert_eq!(form.status(), 403);
    let form = http.post(format!("http://{control}/mine")).header("content-type", "text/plain");
    let form = form.body(r#"{"network":"bitcoin","blocks":1}"#).send().await.unwrap();
    assert_eq!(form.status(), 415);
}

#[tokio::test]
async fn peers_that_break_the_protocol_are_dropped_and_others_are_served() {
    let world = World::up(&[]).await;
    let genesis = world.sidechain().genesis_hash.to_byte_array();
    let overlong = [&[0][..], &0_u32.to_le_bytes(), &[9; 32]].concat();
    for (command, payload) in [
        ("getheaders", vec![1, 2, 3]),
        ("getdata", vec![0xfe, 0xff, 0xff, 0xff, 0xff]),
        ("tx", vec![0; 40]),
        ("version", genesis.to_vec()),
        ("getcfilters", overlong),
    ] {
        let mut peer = Peer::connect(world.sidechain()).await;
        peer.send(command, &payload).await;
        peer.send("ping", &[1; 8]).await;
        assert!(peer.is_closed().await, "{command}");
    }
    let mut peer = Peer::connect(world.sidechain()).await;
    peer.send("sendcmpct", &[1, 2, 3]).await;
    peer.send("nonsense", &[]).await;
    peer.send("ping", &[1; 8]).await;
    assert!(!peer.is_closed().await, "unknown messages are passed over");
    // New blocks are announced, to each in the way it asked for.
    world.control.pause(&Pause { mine_timer: true, blocks: true }).await.unwrap();
    peer.send("sendheaders", &[]).await;
    peer.send("ping", &[1; 8]).await;
    peer.expect("pong").await;
    let mined = world.control.mine(NetworkId::Sidechain, 1).await.unwrap();
    let announced = peer.expect("headers").await;
    let (header, _) = causeway_sidechain::consensus::header::decode_prefix(&announced[1..]).unwrap();
    assert_eq!(header.block_hash().to_string(), mined.tip);
}

#[tokio::test]
async fn one_directory_has_one_sandbox_and_it_goes_down_when_told() {
    let world = World::up(&[]).await;
    let second = causeway_sandbox::serve(world.dir.path(), causeway_sandbox::Options::default()).await;
    assert!(matches!(second, Err(causeway_sandbox::SandboxError::InUse(_))));
    let realm = causeway_sandbox::ensure_up(world.dir.path(), |_| panic!("it runs already")).await.unwrap();
    assert_eq!(realm, world.realm);
    let params = causeway_sandbox::params(world.dir.path()).await.unwrap();
    assert_eq!(causeway_vocab::Realm::from_toml(&params.realm).unwrap(), world.realm);
    assert!(params.elementsd_args.contains(&format!("-connect={}", world.sidechain().peers[0])));
    causeway_sandbox::down(world.dir.path()).await.unwrap();
    assert!(causeway_sandbox::params(world.dir.path()).await.is_err());
    causeway_sandbox::down(world.dir.path()).await.expect("going down twice is fine");
}
