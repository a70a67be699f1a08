//! The listener: requests to answers, upgrades to sockets.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use qt_model::instrument::Instruments;
use qt_model::record::Batch;
use qt_model::time::Ts;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::super::Market;
use super::connection::{self, Manners};
use super::messages::TimeUnit;
use super::player::{Player, Shared};
use super::state::Client;
use super::{Options, Pace, rest};

/// Chunks of messages that wait for a slow client: at full speed it holds up the stream, at a set
/// pace, where a chunk is a millisecond or more, it is cut once it is seconds behind.
fn chunks(pace: Pace) -> usize {
    match pace {
        Pace::Max => 64,
        Pace::Times(_) => 2048,
    }
}

/// The stream's way in: batches, from a thread that reads.
#[derive(Clone, Debug)]
pub struct Feeder(mpsc::Sender<Batch>);

impl Feeder {
    /// Hands over a batch, and waits for room. `false` once nobody takes any more.
    pub fn send(&self, batch: Batch) -> bool {
        self.0.blocking_send(batch).is_ok()
    }
}

/// A way in, and its other end for [`Sim::run`].
pub fn feed() -> (Feeder, mpsc::Receiver<Batch>) {
    let (sender, receiver) = mpsc::channel(8);
    (Feeder(sender), receiver)
}

/// What was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    pub records: u64,
    pub connections: u64,
    pub requests: u64,
}

/// A venue that is bound to its port.
#[derive(Debug)]
pub struct Sim {
    options: Options,
    runtime: tokio::runtime::Runtime,
    listener: TcpListener,
}

#[derive(Clone)]
struct Desk {
    shared: Shared,
    options: Options,
    weight: Arc<[AtomicU64; 2]>,
    minute: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
    requests: Arc<AtomicU64>,
}

impl Sim {
    pub fn bind(options: Options) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = runtime.block_on(TcpListener::bind(address))?;
        Ok(Self { options, runtime, listener })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Tells the stream to whoever comes. Ends when asked to, or with the stream if so told.
    pub fn run(
        self,
        instruments: &Instruments,
        mut batches: mpsc::Receiver<Batch>,
        should_stop: impl Fn() -> bool,
    ) -> io::Result<Report> {
        let Self { options, runtime, listener } = self;
        let shared = Shared::default();
        shared.lock().know(instruments, options.market);
        let desk = Desk {
            shared: shared.clone(),
            options: options.clone(),
            weight: Arc::default(),
            minute: Arc::default(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let mut player = Player::new(&shared, &options);
        runtime.block_on(async {
            let stopped = async {
                while !should_stop() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            let told = async {
                player.play(&mut batches).await;
                if options.exit {
                    farewell(&shared).await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = stopped => {}
                () = told => {}
                () = accept(listener, &desk) => {}
            }
        });
        Ok(Report {
            records: player.told,
            connections: desk.connections.load(Ordering::Relaxed),
            requests: desk.requests.load(Ordering::Relaxed),
        })
    }
}

/// Lets every client have what was sent to it: without a sender each is told to close, and leaves.
async fn farewell(shared: &Shared) {
    shared.lock().clients.clear();
    for _ in 0..500 {
        if shared.open.load(Ordering::Relaxed) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn accept(listener: TcpListener, desk: &Desk) {
    // Until then connections wait in line.
    desk.shared.primed.notified().await;
    loop {
        // One connection that fails to come about is no reason to refuse the next.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let desk = desk.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let desk = desk.clone();
                async move { Ok::<_, Infallible>(desk.answer(request)) }
            });
            let http = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = http.with_upgrades().await;
        });
    }
}

type Reply = Response<Full<Bytes>>;

impl Desk {
    fn answer(&self, request: Request<Incoming>) -> Reply {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let wants_socket = request
            .headers()
            .get(header::UPGRADE)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
        if wants_socket { self.open(request) } else { self.rest(&request) }
    }

    fn rest(&self, request: &Request<Incoming>) -> Reply {
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let now = wall_clock();
        if request.method() != Method::GET {
            let message = format!("Path {path}, Method {} is invalid", request.method());
            return reply(&rest::refuse(404, -5000, &message), None, None);
        }
        let Some((market, _)) = rest::route(path) else {
            return reply(&rest::answer(&self.shared.lock(), path, query, now), None, None);
        };
        self.new_minute(now);
        let used = &self.weight[usize::from(market != Market::Spot)];
        if used.load(Ordering::Relaxed) >= rest::weight_max(market) {
            let message = format!(
                "Too much request weight used; current limit is {} request weight per 1 MINUTE. \
                 Please use WebSocket Streams for live updates to avoid polling the API.",
                rest::weight_max(market)
            );
            let left = 60 - now.nanos() / 1_000_000_000 % 60;
            let weight = used.load(Ordering::Relaxed);
            return reply(&rest::refuse(429, -1003, &message), Some(weight), Some(left));
        }
        let answer = {
            let mut venue = self.shared.lock();
            let answer = rest::answer(&venue, path, query, now);
            venue.books_asked += u64::from(answer.status == 200 && path.ends_with("/depth"));
            answer
        };
        self.shared.bell.notify_waiters();
        let weight = used.fetch_add(answer.weight, Ordering::Relaxed) + answer.weight;
        reply(&answer, Some(weight), None)
    }

    /// Weights are counted in minutes of the clock.
    fn new_minute(&self, now: Ts) {
        let minute = now.nanos().unsigned_abs() / 60_000_000_000;
        if self.minute.swap(minute, Ordering::Relaxed) != minute {
            self.weight.iter().for_each(|weight| weight.store(0, Ordering::Relaxed));
        }
    }

    fn open(&self, mut request: Request<Incoming>) -> Reply {
        let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
        let Some(key) = key.map(|key| derive_accept_key(key.as_bytes())) else {
            return reply(&rest::refuse(400, -1000, "no Sec-WebSocket-Key"), None, None);
        };
        let query = request.uri().query().unwrap_or_default().to_owned();
        let Some(asked) = Asked::of(request.uri().path(), &query, self.options.market) else {
            return reply(&rest::refuse(404, -5000, "no streams here"), None, None);
        };
        let (sender, told) = mpsc::channel(chunks(self.options.pace));
        let id = {
            let mut venue = self.shared.lock();
            let id = venue.join(Client {
                market: asked.market,
                sender,
                waiting: Vec::new(),
                is_combined: asked.is_combined,
                unit: asked.unit,
                streams: Default::default(),
            });
            asked.streams.iter().for_each(|stream| venue.subscribe(id, stream));
            id
        };
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.shared.open.fetch_add(1, Ordering::Relaxed);
        let manners = Manners::of(asked.market, self.options.ping);
        let shared = self.shared.clone();
        tokio::spawn(async move {
            match hyper::upgrade::on(&mut request).await {
                Ok(upgraded) => {
                    shared.bell.notify_waiters();
                    connection::serve(upgraded, id, told, shared.clone(), manners).await;
                }
                Err(_) => shared.lock().leave(id),
            }
            shared.open.fetch_sub(1, Ordering::Relaxed);
        });
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        let key = HeaderValue::from_str(&key).expect("base64 stands in a header");
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
        response
    }
}

/// What the address of a socket asks for.
struct Asked {
    market: Market,
    is_combined: bool,
    unit: TimeUnit,
    streams: Vec<String>,
}

impl Asked {
    fn of(path: &str, query: &str, market: Market) -> Option<Self> {
        // Futures have roads of their own for books and for the rest; both lead to all streams here.
        let roads = ["/public", "/market"];
        let routed = roads.iter().find_map(|road| path.strip_prefix(road));
        let market = if routed.is_some() { Market::UsdM } else { market };
        let path = routed.unwrap_or(path);
        let value = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let unit = match value("timeUnit") {
            Some("MICROSECOND" | "microsecond") => TimeUnit::Micros,
            _ => TimeUnit::Millis,
        };
        let split = |text: &str| {
            text.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        if path == "/stream" {
            let streams = split(&value("streams").unwrap_or_default().replace("%40", "@"));
            return Some(Self { market, is_combined: true, unit, streams });
        }
        let streams = path.strip_prefix("/ws")?;
        let is_ours = streams.is_empty() || streams.starts_with('/');
        let streams = split(&streams.replace("%40", "@"));
        is_ours.then_some(Self { market, is_combined: false, unit, streams })
    }
}

fn reply(answer: &rest::Answer, weight: Option<u64>, retry_after: Option<i64>) -> Reply {
    let mut response = Response::new(Full::new(Bytes::from(answer.body.clone())));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json;charset=UTF-8");
    headers.insert(header::CONTENT_TYPE, json);
    if let Some(weight) = weight {
        headers.insert("x-mbx-used-weight-1m", HeaderValue::from(weight));
    }
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn wall_clock() -> Ts {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ts::from_nanos(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX))
}
