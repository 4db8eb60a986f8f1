//! What every server that is asked over HTTP has in common: its address, a client that follows nobody else, answers of bounded size.

use crate::source::Trust;
use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The address of a server without a slash at its end. `None` when it is no HTTP address, or carries a user, a query or a fragment.
pub(crate) fn address(base: &str) -> Option<(String, reqwest::Url)> {
    let base = base.trim_end_matches('/').to_owned();
    let url = reqwest::Url::parse(&base).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    let bare = url.username().is_empty() && url.query().is_none() && url.fragment().is_none();
    bare.then_some((base, url))
}

/// A client that follows no redirect and no proxy of the environment. Every part of an answer must come within `patience`, where there is one.
pub(crate) fn client(trust: &Trust, patience: Option<Duration>) -> Option<reqwest::Client> {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(trust.config())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT);
    let client = patience.into_iter().fold(client, reqwest::ClientBuilder::read_timeout);
    client.build().ok()
}

/// The body of an answer. Counted as it comes out of the decompressor, so a small answer cannot grow large here.
pub(crate) async fn body<E>(
    mut answer: reqwest::Response,
    most: usize,
    lost: impl Fn(reqwest::Error) -> E,
    oversized: E,
) -> Result<Vec<u8>, E> {
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(&lost)? {
        if bytes.len() + part.len() > most {
            return Err(oversized);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}
