//! One question over HTTP.

use std::io;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::{Trust, net};

/// An answer, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after_seconds: Option<u64>,
    pub(super) weight: Option<u64>,
    pub(super) body: Bytes,
}

const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// No answer of a venue comes near this.
const BODY_MAX: usize = 64 << 20;

pub(super) async fn get(url: &str, trust: &Trust) -> io::Result<Answer> {
    let uri: Uri = url
        .parse()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("{url}: {error}")))?;
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer within fifteen seconds");
    timeout(ANSWER_WITHIN, ask(uri, trust)).await.map_err(|_| late())?
}

async fn ask(uri: Uri, trust: &Trust) -> io::Result<Answer> {
    let wire = net::connect(&uri, trust).await?;
    let host = uri.authority().map(|it| it.as_str().to_owned()).unwrap_or_default();
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(wire))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, concat!("qt/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let status = response.status().as_u16();
    let number = |name: &str| response.headers().get(name)?.to_str().ok()?.parse().ok();
    let (retry_after_seconds, weight) = (number("retry-after"), number("x-mbx-used-weight-1m"));
    let body = Limited::new(response.into_body(), BODY_MAX);
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Answer { status, retry_after_seconds, weight, body })
}
