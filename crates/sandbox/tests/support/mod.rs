//! A sandbox in a process of its own, and a peer that talks to it.

#![allow(unreachable_pub, reason = "there is nobody outside to reach it")]
#![allow(dead_code, reason = "every test binary uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use bitcoin::hashes::{Hash as _, sha256d};
use bitcoin::p2p::message_blockdata::Inventory;
use causeway_sandbox::{Control, Params};
use causeway_vocab::{Realm, SidechainParams};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A sandbox served by a child process, which is killed at the end of the test.
pub struct World {
    pub dir: tempfile::TempDir,
    pub realm: Realm,
    pub control: Control,
    child: Child,
    arguments: Vec<String>,
}

impl World {
    /// Brings a sandbox up that makes Bitcoin blocks on request only.
    pub async fn up(arguments: &[&str]) -> World {
        causeway_sandbox::bitcoind::find(None)
            .expect("these tests run a real bitcoind: set BITCOIND_EXE or run `cargo xtask run` once");
        let dir = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = ["--mine-every", "0"].iter().chain(arguments).map(|a| (*a).to_owned()).collect();
        let (realm, child) = launch(dir.path(), &arguments).await;
        let control = Control::at(realm.testbed.as_ref().unwrap().control).unwrap();
        World { dir, realm, control, child, arguments }
    }

    /// Kills the process without warning, and serves the directory again.
    pub async fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let (realm, child) = launch(self.dir.path(), &self.arguments).await;
        self.child = child;
        assert_eq!(realm, self.realm, "the same chains at the same addresses");
    }

    pub fn sidechain(&self) -> &SidechainParams {
        &self.realm.sidechain
    }

    pub async fn params(&self) -> Params {
        self.control.params().await.unwrap()
    }

    /// Calls bitcoind itself.
    pub async fn bitcoin(&self, method: &str, params: Value) -> Value {
        let cookie = std::fs::read_to_string(self.dir.path().join("bitcoin/regtest/.cookie")).unwrap();
        let world: Value = serde_json::from_slice(&std::fs::read(self.dir.path().join("world.json")).unwrap()).unwrap();
        let (user, password) = cookie.split_once(':').unwrap();
        let url = format!("http://127.0.0.1:{}/", world["ports"]["bitcoin_rpc"]);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let body = json!({ "jsonrpc": "1.0", "id": 0, "method": method, "params": params });
        let reply: Value =
            http.post(url).basic_auth(user, Some(password)).json(&body).send().await.unwrap().json().await.unwrap();
        assert_eq!(reply["error"], Value::Null, "{method}");
        reply["result"].clone()
    }

    /// Calls `check` until it gives something.
    pub async fn eventually<T>(&self, what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
        let poll = async {
            loop {
                if let Some(found) = check().await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let log = || std::fs::read_to_string(self.dir.path().join("sandbox.log")).unwrap();
        timeout(Duration::from_secs(90), poll).await.unwrap_or_else(|_| panic!("{what} never came: {}", log()))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn launch(dir: &Path, arguments: &[String]) -> (Realm, Child) {
    let mut child = None;
    let realm = causeway_sandbox::ensure_up(dir, |dir| {
        let log = std::fs::File::create(dir.join("sandbox.log"))?;
        let exe = PathBuf::from(env!("CARGO_BIN_EXE_causeway-sandbox"));
        let command = Command::new(exe).arg("--dir").arg(dir).args(arguments).stdout(Stdio::null()).stderr(log).spawn()?;
        child = Some(command);
        Ok(())
    })
    .await;
    let realm = realm.unwrap_or_else(|e| panic!("{e}: {}", std::fs::read_to_string(dir.join("sandbox.log")).unwrap()));
    (realm, child.expect("no sandbox answered before"))
}

/// A peer of the sidechain that has shaken hands.
pub struct Peer {
    stream: TcpStream,
    magic: [u8; 4],
}

impl Peer {
    pub async fn connect(params: &SidechainParams) -> Peer {
        use bitcoin::p2p::message_network::VersionMessage;
        use bitcoin::p2p::{Address, ServiceFlags};
        let stream = TcpStream::connect(params.peers[0]).await.unwrap();
        let mut peer = Peer { stream, magic: params.network_magic };
        let nobody = Address::new(&([127, 0, 0, 1], 0).into(), ServiceFlags::NONE);
        let mut version = VersionMessage::new(ServiceFlags::NONE, 0, nobody.clone(), nobody, 7, "/test/".into(), 0);
        version.version = 70016;
        version.relay = true;
        peer.send("version", &bitcoin::consensus::serialize(&version)).await;
        let theirs = peer.expect("version").await;
        let theirs: VersionMessage = bitcoin::consensus::deserialize(&theirs).unwrap();
        assert!(theirs.services.has(ServiceFlags::NETWORK | ServiceFlags::WITNESS | ServiceFlags::COMPACT_FILTERS));
        peer.send("verack", &[]).await;
        peer.expect("verack").await;
        peer
    }

    pub async fn send(&mut self, command: &str, payload: &[u8]) {
        let mut frame = self.magic.to_vec();
        let mut name = [0; 12];
        name[..command.len()].copy_from_slice(command.as_bytes());
        frame.extend(name);
        frame.extend((payload.len() as u32).to_le_bytes());
        frame.extend(&sha256d::Hash::hash(payload)[..4]);
        frame.extend(payload);
        self.stream.write_all(&frame).await.unwrap();
    }

    /// The next message; `None` when the connection is closed.
    pub async fn next(&mut self) -> Option<(String, Vec<u8>)> {
        let mut header = [0; 24];
        timeout(Duration::from_secs(10), self.stream.read_exact(&mut header)).await.expect("a message in time").ok()?;
        assert_eq!(header[..4], self.magic);
        let command = std::str::from_utf8(&header[4..16]).unwrap().trim_end_matches('\0').to_owned();
        let mut payload = vec![0; u32::from_le_bytes(header[16..20].try_into().unwrap()) as usize];
        self.stream.read_exact(&mut payload).await.unwrap();
        assert_eq!(header[20..], sha256d::Hash::hash(&payload)[..4]);
        Some((command, payload))
    }

    /// The payload of the next message of that name; others are passed over.
    pub async fn expect(&mut self, wanted: &str) -> Vec<u8> {
        loop {
            let (command, payload) = self.next().await.unwrap_or_else(|| panic!("closed before {wanted}"));
            if command == wanted {
                return payload;
            }
        }
    }

    /// Whether the other side has closed the connection, whatever it still had to say.
    pub async fn is_closed(&mut self) -> bool {
        while let Some((command, _)) = self.next().await {
            if command == "pong" {
                return false;
            }
        }
        true
    }

    /// Headers above `known`, as encoded.
    pub async fn headers(&mut self, known: elements::BlockHash) -> Vec<elements::BlockHeader> {
        let mut payload = 70016_u32.to_le_bytes().to_vec();
        payload.push(1);
        payload.extend(known.to_byte_array());
        payload.extend([0; 32]);
        self.send("getheaders", &payload).await;
        let answer = self.expect("headers").await;
        let (count, mut at) = bitcoin::consensus::deserialize_partial::<bitcoin::VarInt>(&answer).unwrap();
        let mut headers = Vec::new();
        for _ in 0..count.0 {
            let (header, used) = causeway_sidechain::consensus::header::decode_prefix(&answer[at..]).unwrap();
            at += used;
            assert_eq!(answer[at], 0, "no transactions follow a header");
            at += 1;
            headers.push(header);
        }
        assert_eq!(at, answer.len());
        headers
    }

    pub async fn block(&mut self, hash: elements::BlockHash) -> elements::Block {
        let hash = bitcoin::BlockHash::from_byte_array(hash.to_byte_array());
        self.send("getdata", &bitcoin::consensus::serialize(&vec![Inventory::WitnessBlock(hash)])).await;
        elements::encode::deserialize(&self.expect("block").await).unwrap()
    }

    pub async fn send_tx(&mut self, tx: &elements::Transaction) {
        self.send("tx", &elements::encode::serialize(tx)).await;
        // Messages are answered in order, so the transaction has been judged when this returns.
        self.send("ping", &[7; 8]).await;
        self.expect("pong").await;
    }
}
