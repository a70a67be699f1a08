//! Listening on one connection, and on the one that takes its place before it ends.
//!
//! A connection that is as old as the venue lets it become, or whose end the venue announces, is
//! replaced while it still stands: see `handover`. What breaks without a word is made again by
//! whoever listens, with a gap.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use hyper::body::Bytes;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::binance::Line;
use super::handover::Handover;
use super::net::Wire;
use super::socket::{Heard, Lost, Session};

pub(super) type Socket = WebSocketStream<Box<dyn Wire>>;

type Dialling<'a> = Pin<Box<dyn Future<Output = io::Result<Box<Socket>>> + Send + 'a>>;

pub(super) struct Listener<'a> {
    session: &'a Session,
    at: usize,
    line: &'a Line,
    lost: &'a Lost,
    socket: Socket,
    /// When the connection has to be replaced, and when something was heard.
    replace_at: Instant,
    heard_at: Instant,
    stage: Stage<'a>,
    /// From when the next connection is dialled to when the old one is forgotten.
    handover: Option<Handover>,
}

/// How far the next connection is.
enum Stage<'a> {
    None,
    Dialling(Dialling<'a>, Duration),
    /// It stands beside the old one until then.
    Beside(Box<Socket>, Instant),
    /// The old one is left; what the new one says may have been heard until then.
    Alone(Instant),
}

/// What happened.
enum Event {
    Old(Option<Result<Message, Error>>),
    New(Option<Result<Message, Error>>),
    Dialled(io::Result<Box<Socket>>),
    Tick,
}

impl<'a> Listener<'a> {
    pub(super) fn new(
        session: &'a Session,
        at: usize,
        line: &'a Line,
        lost: &'a Lost,
        socket: Socket,
    ) -> Self {
        let now = Instant::now();
        let (replace_at, heard_at) = (now + session.limits.life, now);
        let (stage, handover) = (Stage::None, None);
        Self { session, at, line, lost, socket, replace_at, heard_at, stage, handover }
    }

    /// Listens until the connection ends; why it did.
    pub(super) async fn listen(&mut self) -> io::Result<&'static str> {
        let silence = Duration::from_secs(self.session.feed.silent_seconds_max());
        loop {
            let event = self.next().await;
            match event {
                Event::Old(message) => {
                    self.heard_at = Instant::now();
                    if let Some(ended) = self.old(message) {
                        // The next one stands already: nothing is lost.
                        if !self.leave() {
                            return ended;
                        }
                    }
                }
                Event::New(message) => self.new_one(message),
                Event::Dialled(Ok(socket)) => {
                    let until = Instant::now() + self.session.limits.overlap;
                    self.stage = Stage::Beside(socket, until);
                }
                Event::Dialled(Err(error)) => {
                    tracing::warn!("{}: {error}; the old connection still stands", self.line.url);
                    self.dial_after();
                }
                Event::Tick => {
                    if self.heard_at.elapsed() > silence {
                        return Ok("nothing was heard for too long");
                    }
                    self.turn();
                }
            }
        }
    }

    async fn next(&mut self) -> Event {
        let tick = self.deadline();
        let (dialled, new) = match &mut self.stage {
            Stage::Dialling(dialling, _) => (Some(dialling), None),
            Stage::Beside(socket, _) => (None, Some(socket)),
            Stage::None | Stage::Alone(_) => (None, None),
        };
        let dialled = async {
            match dialled {
                Some(dialling) => dialling.await,
                None => pending().await,
            }
        };
        let new = async {
            match new {
                Some(socket) => socket.next().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            message = self.socket.next() => Event::Old(message),
            message = new => Event::New(message),
            dialled = dialled => Event::Dialled(dialled),
            () = sleep_until(tick) => Event::Tick,
        }
    }

    /// When to look at the clock again.
    fn deadline(&self) -> Instant {
        let second = Instant::now() + Duration::from_secs(1);
        match &self.stage {
            Stage::None => self.replace_at.min(second),
            Stage::Beside(_, until) | Stage::Alone(until) => (*until).min(second),
            Stage::Dialling(..) => second,
        }
    }

    /// Goes on to the next stage where it is time.
    fn turn(&mut self) {
        let now = Instant::now();
        match &self.stage {
            Stage::None if now >= self.replace_at => self.dial(Duration::ZERO),
            Stage::Beside(_, until) if now >= *until => {
                self.leave();
            }
            Stage::Alone(until) if now >= *until => {
                (self.stage, self.handover) = (Stage::None, None);
            }
            Stage::None | Stage::Dialling(..) | Stage::Beside(..) | Stage::Alone(_) => {}
        }
    }

    /// Begins to make the next connection. From here on it is remembered what was heard.
    fn dial(&mut self, wait: Duration) {
        self.handover.get_or_insert_default();
        let (session, line) = (self.session, self.line);
        let dialling = async move {
            sleep(wait).await;
            session.dial(line).await.map(Box::new)
        };
        self.stage = Stage::Dialling(Box::pin(dialling), wait);
    }

    fn dial_after(&mut self) {
        let limits = self.session.limits;
        let waited = match &self.stage {
            Stage::Dialling(_, waited) => *waited,
            Stage::None | Stage::Beside(..) | Stage::Alone(_) => Duration::ZERO,
        };
        self.dial((waited * 2).clamp(limits.reconnect_base, limits.reconnect_max));
    }

    /// Takes what the connection that counts said; why it ended, if it did.
    fn old(&mut self, message: Option<Result<Message, Error>>) -> Option<io::Result<&'static str>> {
        let bytes = match message {
            Some(Ok(message)) => match content(message) {
                Ok(bytes) => bytes?,
                Err(reason) => return Some(Ok(reason)),
            },
            None => return Some(Ok(CLOSED)),
            Some(Err(error)) => return Some(Err(io::Error::other(error))),
        };
        let is_heard = match (&self.stage, &mut self.handover) {
            (Stage::Alone(_), Some(handover)) => handover.alone(&bytes),
            (_, Some(handover)) => {
                handover.old(&bytes);
                true
            }
            (_, None) => true,
        };
        let is_farewell = is_farewell(&bytes);
        if is_heard {
            self.say(bytes);
        }
        if is_farewell && matches!(self.stage, Stage::None) {
            self.dial(Duration::ZERO);
        }
        None
    }

    /// Takes what the next connection said; should it end, another is made.
    fn new_one(&mut self, message: Option<Result<Message, Error>>) {
        let has_room = match (message, &mut self.handover) {
            (Some(Ok(message)), Some(handover)) => match content(message) {
                Ok(Some(bytes)) => handover.new_one(bytes),
                Ok(None) => true,
                Err(_) => return self.dial_after(),
            },
            _ => return self.dial_after(),
        };
        if !has_room {
            self.leave();
        }
    }

    /// Leaves the old connection for the one beside it; `false` if there is none.
    fn leave(&mut self) -> bool {
        let until = Instant::now() + self.session.limits.overlap;
        let stage = std::mem::replace(&mut self.stage, Stage::Alone(until));
        let Stage::Beside(socket, _) = stage else {
            self.stage = stage;
            return false;
        };
        self.socket = *socket;
        let now = Instant::now();
        (self.replace_at, self.heard_at) = (now + self.session.limits.life, now);
        let waited: Vec<Bytes> = self.handover.iter_mut().flat_map(Handover::leave).collect();
        waited.into_iter().for_each(|bytes| self.say(bytes));
        true
    }

    fn say(&self, bytes: Bytes) {
        let heard = Heard::Message { line: self.at, ts: self.session.clock.now(), bytes };
        self.lost.hear(self.session, heard);
    }
}

const CLOSED: &str = "the venue closed the connection";

/// What a message says; why the connection ends, if it is the last one.
fn content(message: Message) -> Result<Option<Bytes>, &'static str> {
    match message {
        Message::Text(text) => Ok(Some(text.into())),
        Message::Binary(bytes) => Ok(Some(bytes)),
        // Pings are answered by the library, with what they came with.
        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
        Message::Close(_) => Err(CLOSED),
    }
}

fn is_farewell(bytes: &[u8]) -> bool {
    bytes.len() < 200 && memchr::memmem::find(bytes, b"serverShutdown").is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::{Arc, Mutex};

    use futures_util::SinkExt;
    use qt_model::time::Ts;
    use tokio::net::TcpListener;
    use tokio::task::yield_now;

    use super::super::{Clock, Endpoints, Feed, FeedKind, Limits, Trust};
    use super::*;
    use crate::binance::Market;

    /// A venue that sends numbered prints, each to all of its connections, and counts who comes.
    async fn venue(server: TcpListener, came: Arc<AtomicUsize>) {
        let mut sockets = Vec::new();
        for number in 1_u64.. {
            let text = format!(r#"{{"stream":"a@trade","data":{{"e":"trade","t":{number}}}}}"#);
            for socket in &mut sockets {
                let socket: &mut WebSocketStream<tokio::net::TcpStream> = socket;
                // Those that were left do not listen any more.
                let _ = socket.send(Message::text(text.clone())).await;
            }
            let knock = tokio::time::timeout(Duration::from_millis(1), server.accept()).await;
            if let Ok(Ok((stream, _))) = knock {
                sockets.push(tokio_tungstenite::accept_async(stream).await.unwrap());
                came.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            yield_now().await;
        }
    }

    #[test]
    fn a_connection_is_replaced_without_a_gap_or_a_repetition() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let came = Arc::new(AtomicUsize::new(0));
        runtime.block_on(async {
            let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("ws://{}", server.local_addr().unwrap());
            tokio::spawn(venue(server, Arc::clone(&came)));
            let theirs = Arc::clone(&heard);
            let session = Session {
                feed: Feed {
                    market: Market::Spot,
                    symbols: vec!["A".to_owned()],
                    kinds: vec![FeedKind::Trade],
                    endpoints: Endpoints { rest: String::new(), ws: url.clone() },
                    trust: Trust::public().unwrap(),
                },
                limits: Limits {
                    life: Duration::from_millis(30),
                    overlap: Duration::from_millis(30),
                    ..Limits::default()
                },
                clock: Clock::behind(Ts::from_nanos(0)),
                hear: Arc::new(move |heard| {
                    if let Heard::Message { bytes, .. } = heard {
                        theirs.lock().unwrap().push(bytes);
                    }
                    Ok(())
                }),
            };
            let line = Line { url, books: Vec::new(), symbols: vec!["A".to_owned()] };
            let lost = Lost::none(0);
            let socket = session.dial(&line).await.unwrap();
            let mut listener = Listener::new(&session, 0, &line, &lost, socket);
            let enough = async {
                // So often was one replaced by the next.
                while came.load(std::sync::atomic::Ordering::Relaxed) < 5 {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::select! {
                ended = listener.listen() => panic!("the connection ended: {ended:?}"),
                () = enough => {}
            }
        });
        let heard = heard.lock().unwrap();
        let number = |bytes: &Bytes| -> u64 {
            let text = std::str::from_utf8(bytes).unwrap();
            text[text.find("\"t\":").unwrap() + 4..text.len() - 2].parse().unwrap()
        };
        let numbers: Vec<u64> = heard.iter().map(number).collect();
        assert!(numbers.len() > 20, "{numbers:?}");
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    }
}
