//! The tasks of a session: one per connection, and one that asks.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::Uri;
use hyper::body::Bytes;
use qt_model::time::Ts;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::binance::{Feed, Line};
use super::listener::{Listener, Socket};
use super::{http, net};

/// What a session has to say.
#[derive(Debug)]
pub enum Heard {
    /// A connection stands; what follows on it has no past.
    Up {
        line: usize,
        ts: Ts,
    },
    Message {
        line: usize,
        ts: Ts,
        bytes: Bytes,
    },
    /// An answer over REST, to whom it may concern.
    Reply {
        line: usize,
        ts: Ts,
        url: String,
        bytes: Bytes,
    },
    /// A connection is gone.
    Down {
        line: usize,
        ts: Ts,
        reason: String,
    },
    /// Messages that found the queue full.
    Lost {
        line: usize,
        ts: Ts,
        count: u64,
    },
}

/// Takes what is heard; gives it back if there is no room.
pub type Hear = Arc<dyn Fn(Heard) -> Result<(), Heard> + Send + Sync>;

/// Asks for the book of an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub line: usize,
    pub symbol: String,
}

/// Asks, from any thread.
#[derive(Clone, Debug)]
pub struct Asker(mpsc::UnboundedSender<Ask>);

/// The other end, for [`Session::run`].
#[derive(Debug)]
pub struct Asked(mpsc::UnboundedReceiver<Ask>);

impl Asker {
    pub fn ask(&self, ask: Ask) {
        // A session that is over answers nobody.
        let _ = self.0.send(ask);
    }
}

/// A way to ask, and its other end.
pub fn asking() -> (Asker, Asked) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Asker(sender), Asked(receiver))
}

/// A clock that never goes back, nor stands still.
#[derive(Clone, Debug)]
pub struct Clock {
    last: Arc<AtomicI64>,
}

impl Clock {
    /// Begins behind that time, whatever the machine thinks.
    pub fn behind(floor: Ts) -> Self {
        Self { last: Arc::new(AtomicI64::new(floor.nanos())) }
    }

    pub fn now(&self) -> Ts {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX);
        let next = |last: i64| Some(now.max(last.saturating_add(1)));
        let before = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        Ts::from_nanos(now.max(before.unwrap_or_default().saturating_add(1)))
    }
}

/// Times of a session.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections live so long at the venue; they are made anew a little before.
    pub life: Duration,
    /// The old connection is kept so long beside the new one.
    pub overlap: Duration,
    pub reconnect_base: Duration,
    pub reconnect_max: Duration,
    /// Two questions about one book are so far apart.
    pub ask_again: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            life: Duration::from_secs(24 * 3600 - 600),
            overlap: Duration::from_secs(2),
            reconnect_base: Duration::from_millis(250),
            reconnect_max: Duration::from_secs(30),
            ask_again: Duration::from_millis(250),
        }
    }
}

/// A session with one market.
#[derive(Clone)]
pub struct Session {
    pub feed: Feed,
    pub limits: Limits,
    pub clock: Clock,
    pub hear: Hear,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("feed", &self.feed).finish_non_exhaustive()
    }
}

impl Session {
    /// How many connections it has, and the instruments of each.
    pub fn lines(&self) -> Vec<Vec<String>> {
        self.feed.lines().into_iter().map(|line| line.symbols).collect()
    }

    /// Talks until asked to stop. Fails only if the instruments cannot be had at first.
    pub fn run(self, asks: Asked, should_stop: impl Fn() -> bool) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let stopped = async {
                while !should_stop() {
                    sleep(Duration::from_millis(50)).await;
                }
            };
            tokio::select! {
                () = stopped => Ok(()),
                failed = self.talk(asks.0) => failed,
            }
        })
    }

    async fn talk(&self, asks: mpsc::UnboundedReceiver<Ask>) -> io::Result<()> {
        let lines = self.feed.lines();
        let (url, weight) = self.feed.instruments_url();
        let mut budget = Budget::new(self.feed.weight_max());
        budget.spend(weight).await;
        let answer = http::get(&url, &self.feed.trust).await?;
        if answer.status != 200 {
            let text =
                String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)]).into_owned();
            let message = format!("{url}: status {}: {text}", answer.status);
            return Err(io::Error::other(message));
        }
        for line in 0..lines.len() {
            let (url, bytes) = (url.clone(), answer.body.clone());
            self.hear_surely(Heard::Reply { line, ts: self.clock.now(), url, bytes }).await;
        }
        for (at, line) in lines.into_iter().enumerate() {
            let session = self.clone();
            tokio::spawn(async move { session.keep(at, line).await });
        }
        self.ask(asks, budget).await;
        Ok(())
    }

    /// One connection, made again whenever it ends.
    async fn keep(&self, at: usize, line: Line) {
        let mut wait = self.limits.reconnect_base;
        let lost = Lost::none(at);
        loop {
            let began = Instant::now();
            let ended = self.listen(at, &line, &lost).await;
            let reason = match ended {
                Ok(reason) => reason.to_owned(),
                Err(error) => error.to_string(),
            };
            self.hear_surely(Heard::Down { line: at, ts: self.clock.now(), reason }).await;
            if began.elapsed() > Duration::from_secs(60) {
                wait = self.limits.reconnect_base;
            }
            // The clock's last digits are chance enough to keep clients apart.
            let chance = self.clock.now().nanos().unsigned_abs() % 1_000;
            sleep(wait.mul_f64(0.5 + chance as f64 / 2_000.0)).await;
            wait = (wait * 2).min(self.limits.reconnect_max);
        }
    }

    async fn listen(&self, at: usize, line: &Line, lost: &Lost) -> io::Result<&'static str> {
        let mut listener = Listener::new(self, at, line, lost, self.dial(line).await?);
        self.hear_surely(Heard::Up { line: at, ts: self.clock.now() }).await;
        listener.listen().await
    }

    /// Makes a connection.
    pub(super) async fn dial(&self, line: &Line) -> io::Result<Socket> {
        let uri: Uri = line.url.parse().map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{}: {error}", line.url))
        })?;
        let request = line.url.as_str().into_client_request().map_err(io::Error::other)?;
        let wire = net::connect(&uri, &self.feed.trust).await?;
        let config = WebSocketConfig::default().read_buffer_size(1 << 18);
        let shaken = tokio_tungstenite::client_async_with_config(request, wire, Some(config));
        let (socket, _) = timeout(Duration::from_secs(10), shaken)
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no handshake in ten seconds"))?
            .map_err(io::Error::other)?;
        Ok(socket)
    }

    /// Asks for books: one question at a time, within the venue's limits.
    async fn ask(&self, mut asks: mpsc::UnboundedReceiver<Ask>, mut budget: Budget) {
        let mut asked: VecDeque<(Ask, Instant)> = VecDeque::new();
        while let Some(ask) = asks.recv().await {
            while asked.front().is_some_and(|(_, at)| at.elapsed() > self.limits.ask_again) {
                asked.pop_front();
            }
            if let Some((_, at)) = asked.iter().rev().find(|(known, _)| *known == ask) {
                sleep_until(*at + self.limits.ask_again).await;
            }
            let mut wait = self.limits.ask_again;
            loop {
                let (url, weight) = self.feed.book_url(&ask.symbol);
                budget.spend(weight).await;
                match http::get(&url, &self.feed.trust).await {
                    Ok(answer) if answer.status == 200 => {
                        budget.used(answer.weight);
                        let (line, ts, bytes) = (ask.line, self.clock.now(), answer.body);
                        self.hear_surely(Heard::Reply { line, ts, url, bytes }).await;
                        break;
                    }
                    Ok(answer) => {
                        tracing_status(&url, answer.status, &answer.body);
                        let told = answer.retry_after_seconds.map(Duration::from_secs);
                        // A wrong question does not become right by asking again.
                        if told.is_none() && (400..500).contains(&answer.status) {
                            break;
                        }
                        sleep(told.unwrap_or(wait)).await;
                    }
                    Err(error) => {
                        tracing::warn!("{url}: {error}");
                        sleep(wait).await;
                    }
                }
                wait = (wait * 2).min(self.limits.reconnect_max);
            }
            asked.push_back((ask, Instant::now()));
        }
    }

    /// Says what must not be lost, and waits for room.
    async fn hear_surely(&self, mut heard: Heard) {
        while let Err(back) = (self.hear)(heard) {
            heard = back;
            sleep(Duration::from_millis(1)).await;
        }
    }
}

fn tracing_status(url: &str, status: u16, body: &Bytes) {
    let text = String::from_utf8_lossy(&body[..body.len().min(200)]);
    tracing::warn!("{url}: status {status}: {text}");
}

/// Messages that found no room, said before the next that does.
pub(super) struct Lost {
    line: usize,
    count: AtomicU64,
}

impl Lost {
    pub(super) fn none(line: usize) -> Self {
        Self { line, count: AtomicU64::new(0) }
    }

    pub(super) fn hear(&self, session: &Session, heard: Heard) {
        let count = self.count.load(Ordering::Relaxed);
        if count > 0 {
            let ts = session.clock.now();
            if (session.hear)(Heard::Lost { line: self.line, ts, count }).is_err() {
                self.count.fetch_add(1, Ordering::Relaxed);
                return;
            }
            self.count.store(0, Ordering::Relaxed);
        }
        if (session.hear)(heard).is_err() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Weight used in the minute of the clock.
#[derive(Debug)]
struct Budget {
    max: u64,
    minute: u64,
    used: u64,
}

impl Budget {
    fn new(max: u64) -> Self {
        Self { max, minute: 0, used: 0 }
    }

    /// Waits until so much may be spent.
    async fn spend(&mut self, weight: u64) {
        loop {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let minute = now.as_secs() / 60;
            if minute != self.minute {
                (self.minute, self.used) = (minute, 0);
            }
            if self.used + weight <= self.max || self.used == 0 {
                self.used += weight;
                return;
            }
            sleep(Duration::from_secs(60 - now.as_secs() % 60)).await;
        }
    }

    /// What the venue says was used, by others as well.
    fn used(&mut self, said: Option<u64>) {
        self.used = self.used.max(said.unwrap_or(0));
    }
}
