//! Connections, plain or through TLS.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Both ways of a connection.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Connects to where an address points: `http`, `https`, `ws` or `wss`.
pub(super) async fn connect(uri: &Uri) -> io::Result<Box<dyn Wire>> {
    let host = uri.host().ok_or_else(|| invalid(uri, "it names no host"))?;
    let is_secret = match uri.scheme_str() {
        Some("https" | "wss") => true,
        Some("http" | "ws") => false,
        _ => return Err(invalid(uri, "expected http, https, ws or wss")),
    };
    let port = uri.port_u16().unwrap_or(if is_secret { 443 } else { 80 });
    let stream = within(TcpStream::connect((host, port))).await?;
    stream.set_nodelay(true)?;
    if !is_secret {
        return Ok(Box::new(stream));
    }
    let name =
        ServerName::try_from(host.to_owned()).map_err(|_| invalid(uri, "no name of a host"))?;
    let stream = within(TlsConnector::from(config()?).connect(name, stream)).await?;
    Ok(Box::new(stream))
}

async fn within<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer within ten seconds");
    timeout(CONNECT_WITHIN, step).await.map_err(|_| late())?
}

fn config() -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn invalid(uri: &Uri, message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{uri}: {message}"))
}
