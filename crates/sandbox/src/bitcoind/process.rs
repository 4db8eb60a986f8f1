//! The bitcoind process: one per sandbox, on loopback, ending with us.

use super::rpc::Rpc;
use crate::error::SandboxError;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Name of the executable.
const EXECUTABLE: &str = if cfg!(windows) { "bitcoind.exe" } else { "bitcoind" };
/// How long a bitcoind may take to answer calls.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a bitcoind may take to end by itself.
const END_WITHIN: Duration = Duration::from_secs(20);

/// Finds a bitcoind: `chosen`, else the one `BITCOIND_EXE` names, else the one built into the user's cache
/// (`causeway/bitcoind/bin`), else the one installed beside this executable (`../lib/causeway`), else one on `PATH`.
pub fn find(chosen: Option<&Path>) -> Result<PathBuf, SandboxError> {
    let from_env = || std::env::var_os("BITCOIND_EXE").map(PathBuf::from);
    if let Some(path) = chosen.map(Path::to_owned).or_else(from_env) {
        return if path.is_file() { Ok(path) } else { Err(SandboxError::NoBitcoind) };
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .map(|cache| cache.join("causeway/bitcoind/bin").join(EXECUTABLE));
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.join("lib/causeway").join(EXECUTABLE)));
    let on_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).map(|dir| dir.join(EXECUTABLE)).collect::<Vec<_>>());
    cache.into_iter().chain(beside).chain(on_path).find(|path| path.is_file()).ok_or(SandboxError::NoBitcoind)
}

/// A port of loopback that nobody listens on right now.
pub(crate) fn free_port() -> Result<u16, SandboxError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(SandboxError::io("looking for a free port"))?;
    Ok(listener.local_addr().map_err(SandboxError::io("looking for a free port"))?.port())
}

/// A running bitcoind. Dropping it kills the process; [`Bitcoind::stop`] lets it end in good order.
pub(crate) struct Bitcoind {
    rpc: Rpc,
    kill: Sender<()>,
    ended: oneshot::Receiver<Option<ExitStatus>>,
}

impl Bitcoind {
    /// Starts bitcoind on `datadir` and waits until it answers. `Err` carries the last lines it wrote.
    ///
    /// A bitcoind of a sandbox that was killed may still be on its way out and hold the directory; it is waited for.
    pub(crate) async fn start(exe: &Path, datadir: &Path, p2p: SocketAddr, rpc_port: u16) -> Result<Bitcoind, SandboxError> {
        std::fs::create_dir_all(datadir).map_err(SandboxError::io("creating bitcoind's directory"))?;
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let mut bitcoind = Self::spawn(exe, datadir, p2p, rpc_port)?;
            match bitcoind.wait_ready(deadline).await {
                Ok(()) => return Ok(bitcoind),
                Err(why) if Instant::now() < deadline && why.contains("Cannot obtain a lock") => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(why) => return Err(SandboxError::Bitcoind(why)),
            }
        }
    }

    /// Calls to this bitcoind.
    pub(crate) fn rpc(&self) -> &Rpc {
        &self.rpc
    }

    /// Lets bitcoind write everything down and end; kills it when it takes too long.
    pub(crate) async fn stop(mut self) {
        // An error may mean that it is ending already; then it still has its state to write.
        let _ = self.rpc.call::<String>("stop", &[]).await;
        if tokio::time::timeout(END_WITHIN, &mut self.ended).await.is_ok() {
            return;
        }
        let _ = self.kill.send(());
        let _ = self.ended.await;
    }

    /// Completes when the process has ended by itself.
    pub(crate) async fn ended(&mut self) {
        let _ = (&mut self.ended).await;
    }

    fn spawn(exe: &Path, datadir: &Path, p2p: SocketAddr, rpc_port: u16) -> Result<Bitcoind, SandboxError> {
        // A cookie of an earlier run would only earn refusals until the new one is written.
        let cookie = datadir.join("regtest/.cookie");
        let _ = std::fs::remove_file(&cookie);
        let rpc = Rpc::new(rpc_port, cookie)?;
        let log = std::fs::File::create(datadir.join("stderr.log")).map_err(SandboxError::io("creating bitcoind's log"))?;
        let mut command = Command::new(exe);
        command
            .arg(format!("-datadir={}", datadir.display()))
            .arg(format!("-bind={p2p}"))
            .arg(format!("-rpcport={rpc_port}"))
            .args([
                "-regtest",
                "-server=1",
                "-listen=1",
                "-rpcbind=127.0.0.1",
                "-rpcallowip=127.0.0.1",
                "-txindex=1",
                "-blockfilterindex=1",
                "-peerblockfilters=1",
                // Wallets see a payment at once, not after the delay that hides its origin from strangers.
                "-whitelist=noban,relay,mempool,download@127.0.0.1",
                "-connect=0",
                "-dnsseed=0",
                "-fixedseeds=0",
                "-discover=0",
                "-natpmp=0",
                "-listenonion=0",
                "-dbcache=16",
                "-maxmempool=50",
                "-printtoconsole=0",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        // A signal to our process group is meant for us; we end bitcoind ourselves, in order.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        die_with_parent(&mut command);
        let (kill, killed) = channel();
        let (tell, ended) = oneshot::channel();
        let (started, spawned) = channel();
        // The kernel ends bitcoind when the *thread* that started it ends, so that thread does nothing but wait for it.
        std::thread::Builder::new()
            .name("bitcoind".into())
            .spawn(move || match command.spawn() {
                Ok(child) => {
                    let _ = started.send(Ok(()));
                    let _ = tell.send(watch(child, &killed));
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            })
            .map_err(SandboxError::io("starting a thread"))?;
        spawned
            .recv()
            .expect("BUG: the thread tells before it ends")
            .map_err(SandboxError::io(format!("starting {}", exe.display())))?;
        Ok(Bitcoind { rpc, kill, ended })
    }

    /// Waits for the first answer. `Err` has what bitcoind wrote before it gave up.
    async fn wait_ready(&mut self, deadline: Instant) -> Result<(), String> {
        loop {
            tokio::select! {
                status = &mut self.ended => {
                    let log = self.rpc.datadir().join("stderr.log");
                    let written = std::fs::read_to_string(log).unwrap_or_default();
                    return Err(format!("{}: {}", status.ok().flatten().map_or("ended".into(), |s| s.to_string()), written.trim()));
                }
                answer = self.rpc.call::<u32>("getblockcount", &[]) => if answer.is_ok() {
                    return Ok(());
                },
            }
            if Instant::now() > deadline {
                return Err("no answer".into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Waits for the end of the process; ends it when told to, or when nobody is left to tell.
fn watch(mut child: Child, killed: &Receiver<()>) -> Option<ExitStatus> {
    loop {
        match killed.recv_timeout(Duration::from_millis(50)) {
            Err(RecvTimeoutError::Timeout) => {
                if let Ok(Some(status)) = child.try_wait() {
                    return Some(status);
                }
            }
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                let _ = child.kill();
                return child.wait().ok();
            }
        }
    }
}

/// Has the kernel send SIGTERM to the child when the thread that starts it ends, however it ends.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn die_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    // SAFETY: between fork and exec the closure makes one system call, which is async-signal-safe, and touches no memory.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_: &mut Command) {}
