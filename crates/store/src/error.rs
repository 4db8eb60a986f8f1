//! What a database error means to the user.

use causeway_vocab::{Code, Refusal};
use rusqlite::{Error, ErrorCode};

/// A full or failing disk is for the user to mend; whatever else goes wrong here is ours.
///
/// # Panics
/// On errors that only a defect of ours can cause, such as a broken constraint.
pub(crate) fn refusal(error: Error) -> Refusal {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Code::DiskFull.into(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::ApiMisuse | ErrorCode::TypeMismatch) | None => {
            panic!("BUG: the database was used wrongly: {error}")
        }
        Some(_) => Refusal::new(Code::DiskFailed).with("why", error),
    }
}

/// The same for files.
pub(crate) fn file_refusal(error: std::io::Error) -> Refusal {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Code::DiskFull.into(),
        _ => Refusal::new(Code::DiskFailed).with("why", error),
    }
}
