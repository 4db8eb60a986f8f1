//! Whom TLS connections are made to: servers with a certificate of a known authority.

use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The authorities whose certificates count. A certificate says that a server is the one it is called, not that it tells the truth.
#[derive(Debug, Clone)]
pub struct Trust {
    pub(super) config: Arc<ClientConfig>,
}

impl Trust {
    /// The public authorities.
    pub fn public() -> Trust {
        Trust::of(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// One authority or self-signed certificate only, in DER: for a server of one's own. `None` when it is no certificate.
    pub fn only(certificate: Vec<u8>) -> Option<Trust> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(certificate)).ok()?;
        Some(Trust::of(roots))
    }

    /// For clients of other servers.
    pub(crate) fn config(&self) -> ClientConfig {
        self.config.as_ref().clone()
    }

    fn of(roots: RootCertStore) -> Trust {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("BUG: the provider has the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Trust { config: Arc::new(config) }
    }
}
