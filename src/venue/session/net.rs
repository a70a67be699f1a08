//! Connections, plain or through TLS.

use std::io;
use std::time::Duration;

use hyper::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::Trust;

/// Both ways of a connection.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// Connects to where an address points: `http`, `https`, `ws` or `wss`.
pub(super) async fn connect(uri: &Uri, trust: &Trust) -> io::Result<Box<dyn Wire>> {
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
    let tls = TlsConnector::from(trust.config().clone());
    let stream = within(tls.connect(name, stream)).await?;
    Ok(Box::new(stream))
}

async fn within<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer within ten seconds");
    timeout(CONNECT_WITHIN, step).await.map_err(|_| late())?
}

fn invalid(uri: &Uri, message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{uri}: {message}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;

    use super::*;

    /// An authority of our own, and a server of `localhost` that it vouches for.
    fn office() -> (String, ServerConfig) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        (authority.pem(), config)
    }

    /// What a server that answers each greeting says to a client of that trust.
    async fn greet(host: &str, trust: &Trust, config: ServerConfig) -> io::Result<String> {
        let server = TcpListener::bind("127.0.0.1:0").await?;
        let uri = format!("https://{host}:{}/", server.local_addr()?.port()).parse().unwrap();
        tokio::spawn(async move {
            let (stream, _) = server.accept().await.unwrap();
            // A client that trusts nobody here hangs up.
            let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else {
                return;
            };
            let mut greeting = [0; 5];
            stream.read_exact(&mut greeting).await.unwrap();
            stream.write_all(&greeting).await.unwrap();
            stream.shutdown().await.unwrap();
        });
        let mut wire = connect(&uri, trust).await?;
        wire.write_all(b"hello").await?;
        let mut answer = String::new();
        wire.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_server_is_trusted_whose_authority_is_named() {
        let (pem, config) = office();
        let trust = Trust::with_pem(pem.as_bytes()).unwrap();
        assert_eq!(greet("localhost", &trust, config).await.unwrap(), "hello");
    }

    #[tokio::test]
    async fn a_server_of_an_unknown_authority_or_of_another_name_is_refused() {
        let (pem, config) = office();
        let refused = greet("localhost", &Trust::public().unwrap(), config.clone()).await;
        assert!(refused.unwrap_err().to_string().contains("UnknownIssuer"));
        let trust = Trust::with_pem(pem.as_bytes()).unwrap();
        let refused = greet("127.0.0.1", &trust, config).await.unwrap_err().to_string();
        assert!(refused.contains("not valid for name"), "{refused}");
    }

    #[test]
    fn certificates_that_are_none_are_refused_with_their_place() {
        let (good, _) = office();
        let cut = good.replace("-----END CERTIFICATE-----", "");
        let bent = good.replacen("MII", "AAA", 1);
        for (pem, expected) in [
            (String::new(), "no certificate in it; expected PEM"),
            ("a letter".to_owned(), "no certificate in it; expected PEM"),
            (format!("{good}{cut}"), "certificate 2: "),
            (format!("{good}{bent}"), "certificate 2: "),
        ] {
            let error = Trust::with_pem(pem.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
