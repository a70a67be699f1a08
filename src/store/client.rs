//! Requests to the server, from any thread, each with a bound on its time.

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use clickhouse::{Client as Http, Compression};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use crate::address::{Address, Credentials};
use crate::error::StoreError;

/// Inserts that are under way at one time.
const INSERTS_MAX: usize = 6;

/// What an insert may take before it counts as failed.
const INSERT_TIMEOUT: Duration = Duration::from_secs(30);

/// Reading a part of a series, or changing a table.
const QUERY_TIMEOUT: Duration = Duration::from_secs(120);

/// Making a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The server closes a connection that was quiet for three seconds.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// A body is compressed and sent in pieces of this size.
const PIECE: usize = 1 << 20;

/// A server. Threads may share it.
pub(crate) struct Client {
    runtime: Runtime,
    http: Http,
    inserts: Semaphore,
    /// How it is called in messages.
    pub(crate) name: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects with the first request, not before.
    pub(crate) fn new(
        address: &Address,
        credentials: &Credentials,
        tls: &ClientConfig,
    ) -> io::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_keepalive(Some(Duration::from_secs(60)));
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let pool = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector);
        let mut http = Http::with_http_client(pool)
            .with_url(address.server())
            .with_compression(Compression::Lz4)
            .with_product_info("qt", env!("CARGO_PKG_VERSION"));
        let user = credentials.user.as_ref().or(address.user.as_ref());
        if let Some(user) = user {
            http = http.with_user(user);
        }
        if let Some(password) = &credentials.password {
            // A password is somebody's: the usual user, where none is named.
            http = http.with_user(user.map_or("default", String::as_str)).with_password(password);
        }
        let inserts = Semaphore::new(INSERTS_MAX);
        Ok(Self { runtime, http, inserts, name: address.to_string() })
    }

    /// The answer to a query, whole.
    pub(crate) fn bytes(&self, sql: &str, format: &str) -> Result<Bytes, StoreError> {
        self.within(QUERY_TIMEOUT, async {
            self.http.query_raw(sql).fetch_bytes(format)?.collect().await
        })
    }

    /// The rows of an answer, as texts.
    pub(crate) fn rows(&self, sql: &str) -> Result<Vec<Vec<String>>, StoreError> {
        self.rows_within(sql, QUERY_TIMEOUT)
    }

    pub(crate) fn rows_within(
        &self,
        sql: &str,
        timeout: Duration,
    ) -> Result<Vec<Vec<String>>, StoreError> {
        let bytes = self.within(timeout, async {
            self.http.query_raw(sql).fetch_bytes("TabSeparated")?.collect().await
        })?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| self.misread("is not UTF-8 where texts are expected"))?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(self.misread("breaks off within a line"));
        }
        Ok(text.lines().map(|line| line.split('\t').map(unescaped).collect()).collect())
    }

    /// A statement without an answer.
    pub(crate) fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.within(QUERY_TIMEOUT, self.http.query_raw(sql).execute())
    }

    /// A statement that adds a few rows.
    pub(crate) fn add(&self, sql: &str) -> Result<(), StoreError> {
        self.within(INSERT_TIMEOUT, self.http.query_raw(sql).execute())
    }

    /// Inserts a block under a name by which the server knows it if it comes again.
    pub(crate) fn insert(&self, sql: &str, body: Vec<u8>, token: &str) -> Result<(), StoreError> {
        let body = Bytes::from(body);
        self.within(INSERT_TIMEOUT, async {
            let _turn = self.inserts.acquire().await;
            let mut insert = self
                .http
                .insert_formatted_with(sql)
                .with_setting("async_insert", "0")
                .with_setting("insert_deduplicate", "1")
                .with_setting("insert_deduplication_token", token);
            for from in (0..body.len()).step_by(PIECE) {
                insert.send(body.slice(from..body.len().min(from + PIECE))).await?;
            }
            insert.end().await
        })
    }

    fn within<T>(
        &self,
        timeout: Duration,
        work: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T, StoreError> {
        match self.runtime.block_on(async { tokio::time::timeout(timeout, work).await }) {
            Ok(done) => done.map_err(|error| StoreError::of(&self.name, &error)),
            Err(_) => {
                Err(StoreError::Late { store: self.name.clone(), seconds: timeout.as_secs() })
            }
        }
    }

    /// An answer that was not expected.
    pub(crate) fn misread(&self, message: impl Into<String>) -> StoreError {
        StoreError::Answer { store: self.name.clone(), message: message.into() }
    }
}

/// A cell of a TabSeparated answer.
fn unescaped(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(char) = chars.next() {
        match (char, if char == '\\' { chars.next() } else { None }) {
            (_, Some('n')) => out.push('\n'),
            (_, Some('t')) => out.push('\t'),
            (_, Some(other)) => out.push(other),
            (char, None) => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::crypto::ring;

    use super::*;

    #[test]
    fn cells_lose_their_escapes() {
        assert_eq!(unescaped(r"DateTime64(9, \'UTC\')"), "DateTime64(9, 'UTC')");
        assert_eq!(unescaped(r"a\tb\\c\n"), "a\tb\\c\n");
    }

    #[test]
    fn nobody_at_home_is_told_in_time() {
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = Address::parse(&format!("http://127.0.0.1:{port}/q")).unwrap();
        let nobody = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let client = Client::new(&address, &Credentials::default(), &nobody).unwrap();
        let error = client.execute("SELECT 1").unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
        assert!(error.to_string().contains("does not answer"), "{error}");
    }
}
