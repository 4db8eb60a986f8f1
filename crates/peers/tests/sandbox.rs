//! Both clients against a running sandbox: a real bitcoind and a signing federation.

use causeway_peers::{BitcoinClient, BitcoinConfig, Event, Phase, ResumePoint, SidechainClient, SidechainConfig};
use causeway_sandbox::Options;
use causeway_vocab::Realm;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_clients_follow_a_sandbox_live() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().to_owned();
    let options = Options { block_interval: Duration::from_millis(500), ..Options::default() };
    let mut world = tokio::spawn(async move { causeway_sandbox::serve(&path, options).await });
    let up = causeway_sandbox::ensure_up(dir.path(), |_| Ok(()));
    let realm: Realm = tokio::select! {
        realm = up => realm.expect("a sandbox that is up"),
        ended = &mut world => panic!("the sandbox ended: {ended:?}"),
    };

    let bitcoin = BitcoinConfig { params: realm.bitcoin, checkpoint: None, resume: ResumePoint::default(), watch: vec![] };
    let (bitcoin, mut bitcoin_events) = BitcoinClient::start(bitcoin, &Handle::current());
    let sidechain = SidechainConfig {
        params: realm.sidechain,
        resume: ResumePoint::default(),
        watch: vec![],
        pinned: Default::default(),
        start: causeway_peers::Start::Genesis,
    };
    let (sidechain, mut sidechain_events) = SidechainClient::start(sidechain, &Handle::current()).expect("a realm that holds");

    let following = async {
        let mut synced = false;
        let mut heights = vec![];
        while heights.len() < 4 || !synced {
            tokio::select! {
                event = bitcoin_events.recv() => match event.expect("the client runs") {
                    Event::State(state) => synced |= state.phase == Phase::Synced && state.scanned_to > 0,
                    Event::Fault(fault) => panic!("{fault}"),
                    Event::Misrule(misrule) => panic!("{misrule:?}"),
                    _ => {}
                },
                event = sidechain_events.recv() => match event.expect("the client runs") {
                    Event::Batch(batch) => heights.push(batch.scanned_to),
                    Event::Fault(fault) => panic!("{fault}"),
                    Event::Misrule(misrule) => panic!("{misrule:?}"),
                    _ => {}
                },
            }
        }
        heights
    };
    let heights = timeout(Duration::from_secs(60), following).await.expect("both follow");
    assert!(heights.is_sorted_by(|a, b| a < b), "blocks come one by one: {heights:?}");
    let tip = sidechain.tip();
    let (height, block) = sidechain.block(tip.hash).await.expect("the block of the tip");
    assert_eq!((height, block.block_hash()), (tip.height, tip.hash));

    sidechain.shutdown().await;
    bitcoin.shutdown().await;
    causeway_sandbox::down(dir.path()).await.expect("a sandbox that goes down");
    world.await.expect("a task").expect("an orderly end");
}
