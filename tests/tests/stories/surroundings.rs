//! Hostile peers, full disks, strange profiles.

use crate::world::{Desk, open, refused, serve, story, world};
use causeway_app::App;
use causeway_contract::*;
use causeway_tests::world::beside;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What a person takes for an instant answer, even on a busy machine.
const INSTANT: Duration = Duration::from_secs(3);

/// A peer that says one thing to everybody and then only listens.
async fn peer(says: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = [0; 1024];
                // Whoever hung up has heard enough.
                let _ = stream.write_all(says).await;
                while stream.read(&mut heard).await.is_ok_and(|length| length > 0) {}
            });
        }
    });
    address
}

async fn sidechain(app: &App) -> NetworkView {
    let networks = app.networks(Empty {}).await.expect("networks");
    networks.into_iter().find(|network| network.network == NetworkId::Sidechain).expect("the sidechain")
}

/// Opens a profile that knows money with this as its only sidechain peer, and waits for the fault.
async fn meets(address: SocketAddr, code: Code) {
    let desk = Desk::with(0, 50_000).await;
    let before = desk.state().await;
    let dir = desk.shut().await;
    let mut realm = world().await.realm.clone();
    realm.sidechain.peers = vec![address];
    let app = open(dir.path(), realm).await.expect("opens");
    let desk = Desk { app, dir, wallet: 1 };
    desk.until(async |desk| sidechain(&desk.app).await.fault.is_some_and(|fault| fault.code == code)).await;
    let start = Instant::now();
    assert_eq!(desk.state().await, before);
    assert!(start.elapsed() < INSTANT, "the app answers while a peer plays tricks");
    let view = sidechain(&desk.app).await;
    assert_ne!(view.phase, Phase::Synced);
    assert_eq!(refused(desk.app.peg_in_address(Empty {}).await), Code::NotSynced);
    desk.close().await;
}

#[test]
fn a_peer_that_sends_garbage_is_a_fault_of_the_network() {
    story(async { meets(peer(&[0x5a; 4096]).await, Code::BadPeer).await });
}

#[test]
fn a_peer_that_says_nothing_is_a_fault_of_the_network() {
    story(async { meets(peer(&[]).await, Code::BadPeer).await });
}

#[test]
fn a_peer_of_another_chain_is_a_fault_of_the_network() {
    story(async {
        let other = serve("another", 1, 1).await;
        assert_ne!(other.sidechain.genesis_hash, world().await.realm.sidechain.genesis_hash);
        meets(other.sidechain.peers[0], Code::WrongGenesis).await;
        // Nor does a profile change its chain.
        let desk = Desk::new().await;
        let dir = desk.shut().await;
        assert_eq!(open(dir.path(), other).await.err().map(|refusal| refusal.code), Some(Code::WrongRealm));
    });
}

#[test]
fn a_vault_that_finds_no_room_leaves_no_wallet() {
    story(async {
        let desk = Desk::new().await;
        let before = desk.app.app_state(Empty {}).await.expect("a state");
        // The next vault is written through this name, to a device that is always full.
        std::os::unix::fs::symlink("/dev/full", desk.dir.path().join("wallet-2.new")).expect("a link");
        let second = || desk.app.wallet_quick_start(WalletQuickStart { name: "Second".into() });
        assert_eq!(refused(second().await), Code::DiskFull);
        assert_eq!(desk.app.app_state(Empty {}).await.expect("a state"), before);
        std::fs::remove_file(desk.dir.path().join("wallet-2.new")).expect("room again");
        assert_eq!(second().await.expect("a wallet").id, 2);
        desk.close().await;
    });
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
}

/// A small file system of its own; taken down on drop.
struct Small(tempfile::TempDir);

impl Small {
    /// `None` where this user may not mount.
    fn mount() -> Option<Small> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().to_str().expect("UTF-8").to_owned();
        run("mount", &["-t", "tmpfs", "-o", "size=6m", "none", &path]).then_some(Small(dir))
    }

    fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    fn again(&self, how: &str) {
        assert!(run("mount", &["-o", &format!("remount,{how}"), self.path().to_str().expect("UTF-8")]), "remounts {how}");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        run("umount", &["-l", self.path().to_str().expect("UTF-8")]);
    }
}

/// A process that may not write a file beyond `blocks` of 512 bytes finds the disk full there, and needs no right to mount anything. From nothing at all up to
/// enough, each limit falls into another write.
#[test]
fn a_disk_that_takes_no_more_refuses_at_whatever_write_and_forgets_nothing() {
    story(async {
        let desk = Desk::with(100_000, 0).await;
        let realm = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(realm.path(), world().await.realm.to_toml()).expect("the realm");
        let before = desk.history(NetworkId::Bitcoin).await;
        let mut dir = desk.shut().await;
        let ask = |label: &str| {
            serde_json::json!({
                "network": "bitcoin", "amount": null, "asset": null, "explicit": false, "label": label, "again": true
            })
            .to_string()
        };
        let (mut refusals, mut shown) = (0, Vec::new());
        for blocks in [0, 1, 8, 32, 64, 96, 128, 192, 256, 512, 1_024, 4_096, 1 << 20] {
            let mut limited = Command::new("sh");
            limited.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string()]);
            limited.arg(beside("causeway").expect("the command line is built")).arg("--profile").arg(dir.path());
            limited.arg("--realm").arg(realm.path()).args([
                "--json",
                "--sync",
                "0",
                "call",
                "receive",
                &ask(&blocks.to_string()),
            ]);
            let told = limited.output().expect("it runs");
            let answer: serde_json::Value =
                serde_json::from_slice(&told.stdout).unwrap_or_else(|_| panic!("with {blocks} blocks: {told:?}"));
            if told.status.success() {
                shown.push(answer["address"].as_str().expect("an address").to_owned());
            } else {
                let code = answer["refused"]["code"].as_str().unwrap_or_else(|| panic!("with {blocks} blocks: {told:?}"));
                assert!(["disk-full", "disk-failed"].contains(&code), "with {blocks} blocks: {told:?}");
                refusals += 1;
            }
            // With room again everything is there that was ever shown.
            let desk = Desk { app: open(dir.path(), world().await.realm.clone()).await.expect("opens"), dir, wallet: 1 };
            let addresses = desk.app.addresses(NetworkRef { network: NetworkId::Bitcoin }).await.expect("addresses");
            let known = |text: &String| addresses.iter().any(|address| address.address == *text);
            assert!(shown.iter().all(known), "with {blocks} blocks");
            let now = desk.history(NetworkId::Bitcoin).await;
            let txids = |rows: &[HistoryRow]| rows.iter().map(|row| (row.txid.clone(), row.height)).collect::<Vec<_>>();
            assert_eq!(txids(&now), txids(&before), "with {blocks} blocks");
            dir = desk.shut().await;
        }
        assert!(refusals >= 2 && !shown.is_empty(), "{refusals} refused, {} shown", shown.len());
    });
}

/// On a small file system that fills up while the app runs, where this user may mount one; `a_disk_that_takes_no_more…` needs nothing.
#[test]
fn a_full_disk_refuses_and_forgets_nothing() {
    story(async {
        let Some(disk) = Small::mount() else {
            eprintln!("not run: this user may not mount");
            return;
        };
        let realm = world().await.realm.clone();
        let app = open(disk.path(), realm.clone()).await.expect("opens");
        let wallet = app.wallet_quick_start(WalletQuickStart { name: "Desk".into() }).await.expect("a wallet").id;
        let desk = Desk { app, dir: tempfile::tempdir().expect("a folder"), wallet };
        desk.synced().await;
        desk.fund(100_000).await;
        let before = desk.state().await;
        let filler = disk.path().join("filler");
        let fill = |filler: &std::path::Path| {
            use std::io::Write as _;
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(filler).expect("a file");
            while file.write_all(&[0; 512]).is_ok() {}
        };
        // The database may have a little room of its own left, which is used up first.
        let ask = ReceiveRequest {
            network: NetworkId::Bitcoin,
            amount: None,
            asset: None,
            explicit: false,
            label: "x".repeat(255),
            again: false,
        };
        let mut refusal = None;
        for _ in 0..10_000 {
            fill(&filler);
            if let Err(told) = desk.app.receive(ask.clone()).await {
                refusal = Some(told.code);
                break;
            }
        }
        assert_eq!(refusal, Some(Code::DiskFull));
        let full = desk.state().await;
        assert_eq!(refused(desk.app.wallet_quick_start(WalletQuickStart { name: "B".into() }).await), Code::DiskFull);
        assert_eq!(desk.state().await, full, "what did not fit was not done");
        assert_eq!(desk.balance(NetworkId::Bitcoin).await, 100_000);
        std::fs::remove_file(&filler).expect("room again");
        desk.fund(50_000).await;
        desk.close().await;
        let app = open(disk.path(), realm).await.expect("opens again");
        let desk = Desk { app, dir: tempfile::tempdir().expect("a folder"), wallet };
        desk.synced().await;
        assert_eq!(desk.balance(NetworkId::Bitcoin).await, 150_000);
        assert_ne!(desk.state().await, before);

        desk.close().await;
        disk.again("ro");
        let closed = open(disk.path(), world().await.realm.clone()).await.err().map(|refusal| refusal.code);
        assert_eq!(closed, Some(Code::DiskFailed), "a disk that cannot be written is said to be so");
        disk.again("rw");
        let app = open(disk.path(), world().await.realm.clone()).await.expect("opens again");
        app.close().await;
    });
}
