//! A real bitcoind on regtest, with just enough of its RPC.

use bitcoin::hex::DisplayHex as _;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

pub(crate) struct Daemon {
    dir: tempfile::TempDir,
    child: Option<Child>,
    rpc: SocketAddr,
    pub(crate) p2p: SocketAddr,
    args: Vec<String>,
}

fn executable() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let built = cache.map(|cache| cache.join("causeway/bitcoind/bin/bitcoind")).filter(|path| path.exists());
    let given = std::env::var_os("BITCOIND_EXE").map(PathBuf::from);
    given.or(built).expect("a bitcoind: name one in BITCOIND_EXE, or build one with `cargo xtask run`")
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

impl Daemon {
    pub(crate) fn start(args: &[&str]) -> Daemon {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let dir = tempfile::tempdir().expect("a directory");
        let mut daemon = Daemon { dir, child: None, rpc: free_port(), p2p: free_port(), args };
        daemon.run();
        daemon
    }

    /// Starts the process and waits until it answers.
    pub(crate) fn run(&mut self) {
        let mut child = Command::new(executable())
            .args(["-regtest", "-server", "-blockfilterindex=1", "-peerblockfilters=1", "-dnsseed=0", "-fixedseeds=0"])
            .args(["-listenonion=0", "-discover=0", "-natpmp=0", "-rpcuser=t", "-rpcpassword=t", "-printtoconsole=0"])
            .arg(format!("-datadir={}", self.dir.path().display()))
            .arg(format!("-bind={}", self.p2p))
            .arg(format!("-rpcport={}", self.rpc.port()))
            .args(&self.args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("bitcoind starts");
        // It answers as soon as it has loaded; until then the port is closed or says so.
        while self.try_rpc("getblockcount", json!([])).is_none() {
            let ended = child.try_wait().expect("a process");
            assert!(ended.is_none(), "bitcoind ended: {ended:?}");
            std::thread::yield_now();
        }
        self.child = Some(child);
    }

    /// Ends the process at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a running process");
            child.wait().expect("a process");
        }
    }

    /// Ends the process in order.
    pub(crate) fn stop(&mut self) {
        self.rpc("stop", json!([]));
        if let Some(mut child) = self.child.take() {
            child.wait().expect("a process");
        }
    }

    fn try_rpc(&self, method: &str, params: Value) -> Option<Value> {
        let body = json!({"id": 1, "method": method, "params": params}).to_string();
        let mut stream = TcpStream::connect(self.rpc).ok()?;
        // "dDp0" is "t:t".
        let head = format!(
            "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic dDp0\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
        // -28: still loading.
        if answer["error"]["code"] == -28 { None } else { Some(answer) }
    }

    pub(crate) fn rpc(&self, method: &str, params: Value) -> Value {
        let mut answer = self.try_rpc(method, params).expect("an answer");
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].take()
    }

    /// Mines blocks that pay a script.
    pub(crate) fn mine(&self, blocks: u32, script: &bitcoin::Script) {
        let descriptor = format!("raw({})", script.as_bytes().to_lower_hex_string());
        let info = self.rpc("getdescriptorinfo", json!([descriptor]));
        self.rpc("generatetodescriptor", json!([blocks, info["descriptor"]]));
    }

    pub(crate) fn height(&self) -> u32 {
        u32::try_from(self.rpc("getblockcount", json!([])).as_u64().expect("a height")).expect("small")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}
