//! Bugs of ours: caught at the command boundary, written to a file, answered with one code.

use causeway_contract::{Code, Failure};
use std::future::Future;
use std::path::Path;

/// Runs `work` in a task of its own; a panic becomes `Code::Bug` with a report file in `dir`.
///
/// Money is safe: whatever the panic interrupted was one transaction that did not happen.
pub(crate) async fn guarded<T: Send + 'static>(
    dir: &Path,
    what: &'static str,
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::spawn(work).await {
        Ok(outcome) => outcome,
        Err(error) => {
            let why = match error.try_into_panic() {
                Ok(panic) => reason(&*panic),
                Err(error) => error.to_string(),
            };
            write(dir, what, &why);
            Err(Code::Bug.into())
        }
    }
}

/// Writes a report. Panic messages of this program name rules and ids, never secrets or amounts.
pub(crate) fn write(dir: &Path, what: &str, why: &str) {
    tracing::error!(what, why, "an invariant broke");
    let text = format!("causeway {}\nat: {}\nwhile: {what}\nwhy: {why}\n", env!("CARGO_PKG_VERSION"), jiff::Timestamp::now());
    let path = dir.join(format!("report-{}.txt", jiff::Timestamp::now().as_millisecond()));
    if let Err(error) = std::fs::write(&path, text) {
        tracing::error!(%error, "the report could not be written");
    }
}

fn reason(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
