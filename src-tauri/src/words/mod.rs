//! The native window for recovery words.
//!
//! Words must never enter a webview, so they are shown and typed in a window of a child process of this same program. Its questions and
//! answers are JSON lines on the standard streams, private to the two processes.

mod look;
#[cfg(test)]
mod tests;
mod texts;
mod window;

use crate::host::Host;
use causeway_contract::{Code, Failure, WalletCreate, WalletUnlock, WalletView, Words, WordsConfirm};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write};
use std::process::Stdio;
use tauri::State;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use zeroize::Zeroizing;

/// What the window is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Purpose {
    /// New words, written down and confirmed.
    Create,
    /// Words that exist.
    Restore,
    /// The words of a wallet, shown again.
    Backup,
}

/// First line to the child.
#[derive(Serialize, Deserialize)]
struct Opening {
    purpose: Purpose,
    language: String,
    dark: bool,
    /// An empty password is allowed.
    valueless: bool,
}

/// A line from the child.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Asked {
    /// Make this wallet.
    Create(Box<WalletCreate>),
    /// The password, to see the words again.
    Reveal { password: String },
    /// The words were written down: three of them were typed again.
    Confirm(Words),
}

/// A line to the child.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Told {
    /// The wallet was made, or its words count as written down; close.
    Done,
    /// The words.
    Words(Words),
    /// No; say why.
    Refused(Failure),
}

/// Opens the window, in the language and theme of the page that calls, and carries what it asks to the app. Answers with the new wallet, or nothing when the user closed the window.
#[tauri::command]
pub(crate) async fn open_words(
    host: State<'_, Host>,
    purpose: Purpose,
    wallet: Option<u32>,
    language: String,
    dark: bool,
) -> Result<Option<WalletView>, Failure> {
    let app = host.app().await?;
    let state = app.app_state(causeway_contract::Empty {}).await?;
    let bug = |_| Failure::new(Code::Bug);
    let program = std::env::current_exe().map_err(bug)?;
    let mut child = tokio::process::Command::new(program)
        .arg("--words")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(bug)?;
    let (Some(mut to_child), Some(from_child)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Failure::new(Code::Bug));
    };
    let opening = Opening { purpose, language, dark, valueless: state.valueless };
    tell(&mut to_child, &opening).await?;
    let mut lines = BufReader::new(from_child).lines();
    let mut revealed = Zeroizing::new(String::new());
    while let Some(line) = lines.next_line().await.map_err(bug)?.map(Zeroizing::new) {
        let asked: Asked = serde_json::from_str(&line).map_err(|_| Failure::new(Code::Bug))?;
        match asked {
            Asked::Create(create) => match app.wallet_create(*create).await {
                Ok(wallet) => {
                    tell(&mut to_child, &Told::Done).await?;
                    return Ok(Some(wallet));
                }
                Err(refusal) => tell(&mut to_child, &Told::Refused(refusal)).await?,
            },
            Asked::Reveal { password } => {
                let wallet = wallet.ok_or_else(|| Failure::new(Code::UnknownWallet))?;
                *revealed = password.clone();
                let told = match app.wallet_words(WalletUnlock { wallet, password }).await {
                    Ok(words) => Told::Words(words),
                    Err(refusal) => Told::Refused(refusal),
                };
                tell(&mut to_child, &told).await?;
            }
            Asked::Confirm(Words { words }) => {
                let wallet = wallet.ok_or_else(|| Failure::new(Code::UnknownWallet))?;
                let confirm = WordsConfirm { wallet, password: revealed.to_string(), words };
                let told = match app.words_confirm(confirm).await {
                    Ok(_) => Told::Done,
                    Err(refusal) => Told::Refused(refusal),
                };
                tell(&mut to_child, &told).await?;
            }
        }
    }
    Ok(None)
}

async fn tell(child: &mut tokio::process::ChildStdin, line: &impl Serialize) -> Result<(), Failure> {
    let mut text = Zeroizing::new(serde_json::to_string(line).map_err(|_| Failure::new(Code::Bug))?);
    text.push('\n');
    child.write_all(text.as_bytes()).await.map_err(|_| Failure::new(Code::Bug))
}

/// The child's side: shows the window until it is closed or the wallet is made.
pub(crate) fn show() -> Result<(), String> {
    let mut first = String::new();
    std::io::stdin().lock().read_line(&mut first).map_err(|e| e.to_string())?;
    let opening: Opening = serde_json::from_str(&first).map_err(|e| e.to_string())?;
    window::show(opening, std::sync::Arc::new(ask))
}

/// Asks the parent and waits for its answer. Called off the thread that draws.
fn ask(asked: &Asked) -> Result<Told, String> {
    let text = Zeroizing::new(serde_json::to_string(asked).map_err(|e| e.to_string())?);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", *text).and_then(|()| out.flush()).map_err(|e| e.to_string())?;
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line).map_err(|e| e.to_string())?;
    serde_json::from_str(&line).map_err(|e| e.to_string())
}
