//! Calling other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Success, or one sentence about what went wrong.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("BUG: crates/xtask lies two levels deep").to_owned()
}

/// Where everything that is built once and shared lives: `$XDG_CACHE_HOME/causeway` or `~/.cache/causeway`.
pub(crate) fn cache_dir() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_else(|| "/root".into())).join(".cache");
    base.unwrap_or_else(home).join("causeway")
}

/// Where cargo puts what it builds for the project: outside the checkout, so that a fresh clone builds little again.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| cache_dir().join("target"), PathBuf::from)
}

/// Runs a program in `dir` and fails with its name when it fails.
pub(crate) fn run(dir: &Path, program: impl AsRef<OsStr>, args: &[&str]) -> Outcome {
    let mut command = Command::new(&program);
    finish(command.current_dir(dir).args(args))
}

/// Runs a prepared command.
pub(crate) fn finish(command: &mut Command) -> Outcome {
    let shown = format!("{command:?}");
    let status = command.status().map_err(|e| format!("cannot start {shown}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown} ended with {status}")) }
}

/// Runs a program and returns what it printed.
pub(crate) fn read(program: &str, args: &[&str]) -> Outcome<String> {
    let output = Command::new(program).args(args).current_dir(root()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|e| format!("cannot start {program}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{program} {args:?} ended with {}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|e| format!("{program} printed no text: {e}"))
}

/// A call of cargo on the workspace, with the shared target directory and the fast linker.
pub(crate) struct Cargo(Command);

impl Cargo {
    /// `cargo SUBCOMMAND --locked`, except for subcommands that resolve nothing.
    pub(crate) fn new(subcommand: &str) -> Self {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(root()).arg(subcommand);
        if !matches!(subcommand, "fmt" | "install" | "deny") {
            command.arg("--locked");
        }
        // Set by `cargo xtask` for itself; the inner cargo must find its own.
        command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME");
        command.env("CARGO_TARGET_DIR", target_dir());
        command.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-C link-arg=-fuse-ld=mold");
        if std::env::var_os("CI").is_some() {
            // A checkout that is built once gains nothing from gigabytes kept for the next change.
            command.env("CARGO_INCREMENTAL", "0");
        }
        Cargo(command)
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn quiet(self) -> Self {
        self.arg("--quiet")
    }

    pub(crate) fn run(mut self) -> Outcome {
        finish(&mut self.0)
    }
}
