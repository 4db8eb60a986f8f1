//! HTTP on loopback.

use std::time::Duration;

/// A client that asks no proxy: settings of the machine are not for loopback.
pub fn client(patience: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // Nothing here is encrypted. But where another crate of the same program builds the library with TLS, it makes no client without a
    // provider; one that is installed already stays.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(patience).build()
}
