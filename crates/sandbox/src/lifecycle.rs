//! Bringing a sandbox up and down.

use crate::control::Control;
use crate::error::SandboxError;
use crate::options::Options;
use causeway_vocab::Realm;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// How long a launched sandbox may take to become ready. The first start mines the first Bitcoin blocks.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// How long a sandbox may take to end.
const DOWN_WITHIN: Duration = Duration::from_secs(30);

/// What `GET /params` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// The realm file, TOML.
    pub realm: String,
    /// Arguments with which elementsd follows the sidechain.
    pub elementsd_args: Vec<String>,
}

/// The realm file of a sandbox; there once it has been served for the first time.
pub fn realm_path(dir: &Path) -> PathBuf {
    dir.join("realm.toml")
}

/// Runs the sandbox of `dir` until it is told to go down, by [`down`] or by SIGTERM or Ctrl-C. Creates it when there is none.
///
/// A sandbox that was killed continues the same chains. `Err` when another process serves `dir`.
pub async fn serve(dir: &Path, options: Options) -> Result<(), SandboxError> {
    crate::running::run(dir, options, signalled()).await
}

/// Completes at SIGTERM or Ctrl-C.
async fn signalled() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

/// The realm of the sandbox of `dir`, which answers when this returns.
///
/// When none runs, `launch` is called once: it must start a detached process that calls [`serve`] with `dir`.
pub async fn ensure_up(dir: &Path, launch: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<Realm, SandboxError> {
    if let Some(realm) = answering(dir).await {
        return Ok(realm);
    }
    launch(dir).map_err(SandboxError::io("launching the sandbox"))?;
    let deadline = Instant::now() + READY_WITHIN;
    let mut seen = false;
    while Instant::now() < deadline {
        if let Some(realm) = answering(dir).await {
            return Ok(realm);
        }
        match crate::world::is_locked(dir) {
            true => seen = true,
            // It took the directory and let go of it, so it has ended.
            false if seen => return Err(SandboxError::NotRunning(dir.to_owned())),
            false => {}
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(SandboxError::NotReady(READY_WITHIN.as_secs()))
}

/// Ends the sandbox of `dir` and waits until it has ended. Nothing happens when none runs.
pub async fn down(dir: &Path) -> Result<(), SandboxError> {
    let Some(control) = control_of(dir) else { return Ok(()) };
    if answering(dir).await.is_none() {
        return Ok(());
    }
    match control.down().await {
        // It may be gone before its answer is.
        Ok(()) | Err(SandboxError::Http(_)) => {}
        Err(other) => return Err(other),
    }
    let deadline = Instant::now() + DOWN_WITHIN;
    while crate::world::is_locked(dir) {
        if Instant::now() > deadline {
            return Err(SandboxError::InUse(dir.to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The parameters of the running sandbox of `dir`.
pub async fn params(dir: &Path) -> Result<Params, SandboxError> {
    match control_of(dir) {
        Some(control) => control.params().await.map_err(|_| SandboxError::NotRunning(dir.to_owned())),
        None => Err(SandboxError::NotRunning(dir.to_owned())),
    }
}

fn realm_of(dir: &Path) -> Option<Realm> {
    Realm::from_toml(&std::fs::read_to_string(realm_path(dir)).ok()?).ok()
}

fn control_of(dir: &Path) -> Option<Control> {
    Control::at(realm_of(dir)?.testbed?.control).ok()
}

/// The realm, if its own sandbox answers at its control address; another service there does not count.
async fn answering(dir: &Path) -> Option<Realm> {
    let realm = realm_of(dir)?;
    let control = Control::at(realm.testbed.as_ref()?.control).ok()?;
    let status = tokio::time::timeout(Duration::from_secs(5), control.status()).await.ok()?.ok()?;
    (status.genesis_hash == realm.sidechain.genesis_hash).then_some(realm)
}
