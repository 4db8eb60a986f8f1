//! What can go wrong with a sandbox.

use std::path::PathBuf;

/// Why the sandbox cannot start, answer or go on.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No bitcoind was found anywhere.
    #[error("no bitcoind found; set BITCOIND_EXE or build it with `cargo xtask run`")]
    NoBitcoind,
    /// bitcoind ended or never became ready.
    #[error("bitcoind: {0}")]
    Bitcoind(String),
    /// bitcoind refused a call.
    #[error("bitcoind refused {method}: {message} ({code})")]
    Rpc {
        /// The method called.
        method: String,
        /// Bitcoin Core's error code.
        code: i64,
        /// Bitcoin Core's words.
        message: String,
    },
    /// A call over HTTP did not get through.
    #[error("no answer over HTTP: {0}")]
    Http(#[from] reqwest::Error),
    /// Another process serves this directory.
    #[error("{0} is served by another process")]
    InUse(PathBuf),
    /// Nobody serves this directory.
    #[error("no sandbox runs in {0}")]
    NotRunning(PathBuf),
    /// The sandbox was launched but did not become ready in time.
    #[error("the sandbox did not become ready within {0} seconds")]
    NotReady(u64),
    /// A setting that makes no chain.
    #[error("setting {0} is out of range")]
    BadOption(&'static str),
    /// A file of the sandbox is damaged beyond what a crash can do.
    #[error("{path}: {why}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The disk or the network of this machine.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// The control service refused a request.
    #[error("the sandbox refused: {0}")]
    Refused(String),
}

impl SandboxError {
    /// Wraps a system error with what was being done.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> SandboxError {
        let what = what.into();
        move |source| SandboxError::Io { what, source }
    }
}
