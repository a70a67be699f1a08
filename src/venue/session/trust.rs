//! Whose certificates a connection through TLS may show.

use std::io;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The authorities that the public web trusts, and those that a user adds.
#[derive(Clone, Debug)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The authorities of the public web alone.
    pub fn public() -> io::Result<Self> {
        Self::of(RootCertStore::empty())
    }

    /// Those, and the certificates of a text in PEM: of an office's proxy, or of a server of one's own.
    pub fn with_pem(pem: &[u8]) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for (at, certificate) in (1..).zip(CertificateDer::pem_slice_iter(pem)) {
            let wrong = |error: &dyn std::fmt::Display| {
                io::Error::new(io::ErrorKind::InvalidData, format!("certificate {at}: {error}"))
            };
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        if roots.is_empty() {
            let message = "no certificate in it; expected PEM, `-----BEGIN CERTIFICATE-----`";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Self::of(roots)
    }

    fn of(mut roots: RootCertStore) -> io::Result<Self> {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// What a client of TLS is set up with.
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.0
    }
}
