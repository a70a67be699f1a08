//! One socket: what it is told, what it asks, and whether it still answers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::super::Market;
use super::control;
use super::player::Shared;
use super::state::Out;

pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// What a market asks of its clients.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    pub(super) ping: Duration,
    pub(super) pong_within: Duration,
    pub(super) messages_per_second: u32,
}

impl Manners {
    pub(super) fn of(market: Market, ping: Option<Duration>) -> Self {
        let (usual, pong_within, messages_per_second) = match market {
            Market::Spot => (Duration::from_secs(20), Duration::from_secs(60), 5),
            Market::UsdM | Market::CoinM => {
                (Duration::from_secs(180), Duration::from_secs(600), 10)
            }
        };
        Self { ping: ping.unwrap_or(usual), pong_within, messages_per_second }
    }
}

/// Serves one client until it leaves or is cut off.
pub(super) async fn serve(
    upgraded: Upgraded,
    client: u64,
    mut told: Receiver<Vec<Out>>,
    shared: Shared,
    manners: Manners,
) {
    let mut socket =
        WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let ended = talk(&mut socket, client, &mut told, &shared, manners).await;
    shared.lock().leave(client);
    shared.bell.notify_waiters();
    match ended {
        Ok(Ending::Cut) => hang_up(socket).await,
        Ok(Ending::Close(code, reason)) => {
            let frame = CloseFrame { code, reason: reason.into() };
            let _ = socket.close(Some(frame)).await;
            // A socket dropped with something unread resets the connection, and the client would
            // lose what is still on its way.
            let answered = async { while let Some(Ok(_)) = socket.next().await {} };
            let _ = timeout(Duration::from_secs(5), answered).await;
        }
        // Whoever has left needs no answer.
        Ok(Ending::Left) | Err(_) => {}
    }
}

enum Ending {
    /// Without a word.
    Cut,
    Close(CloseCode, &'static str),
    Left,
}

async fn talk(
    socket: &mut Socket,
    client: u64,
    told: &mut Receiver<Vec<Out>>,
    shared: &Shared,
    manners: Manners,
) -> Result<Ending, Error> {
    let mut pings = interval_at(Instant::now() + manners.ping, manners.ping);
    let mut unanswered: Option<(Instant, Bytes)> = None;
    let mut budget = Budget::default();
    loop {
        tokio::select! {
            chunk = told.recv() => {
                let Some(chunk) = chunk else { return Ok(Ending::Close(CloseCode::Normal, "")) };
                for out in chunk {
                    match out {
                        Out::Text(text) => socket.feed(Message::Text(text)).await?,
                        Out::Cut => {
                            socket.flush().await?;
                            return Ok(Ending::Cut);
                        }
                    }
                }
                if told.is_empty() {
                    socket.flush().await?;
                }
            }
            heard = socket.next() => {
                let Some(heard) = heard else { return Ok(Ending::Left) };
                let heard = heard?;
                if budget.is_spent(manners.messages_per_second) {
                    return Ok(Ending::Close(CloseCode::Policy, "Too many requests"));
                }
                match heard {
                    Message::Text(text) => {
                        let answer = control::answer(&mut shared.lock(), client, text.as_str());
                        socket.send(Message::text(answer)).await?;
                        shared.bell.notify_waiters();
                    }
                    // A pong that nobody asked for does not keep a connection alive.
                    Message::Pong(payload) => {
                        unanswered = unanswered.filter(|(_, asked)| *asked != payload);
                    }
                    Message::Ping(_) => socket.flush().await?,
                    Message::Close(_) => {
                        socket.flush().await?;
                        return Ok(Ending::Left);
                    }
                    Message::Binary(_) | Message::Frame(_) => {}
                }
            }
            _ = pings.tick() => {
                if unanswered.as_ref().is_some_and(|(at, _)| at.elapsed() >= manners.pong_within) {
                    return Ok(Ending::Close(CloseCode::Policy, "Pong timeout"));
                }
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let payload = Bytes::from(now.as_millis().to_string());
                unanswered.get_or_insert((Instant::now(), payload.clone()));
                socket.send(Message::Ping(payload)).await?;
            }
        }
    }
}

/// Messages of a client in the second at hand.
#[derive(Debug, Default)]
struct Budget {
    second: Option<Instant>,
    used: u32,
}

impl Budget {
    fn is_spent(&mut self, per_second: u32) -> bool {
        let now = Instant::now();
        if self.second.is_none_or(|began| now.duration_since(began) >= Duration::from_secs(1)) {
            (self.second, self.used) = (Some(now), 0);
        }
        self.used += 1;
        self.used > per_second
    }
}

/// Ends a connection so that what was sent still arrives: our side first, then whatever the client
/// has under way is read and forgotten.
async fn hang_up(socket: Socket) {
    let mut raw = socket.into_inner();
    let _ = raw.shutdown().await;
    let mut rest = [0; 1024];
    let drained = async { while raw.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
    let _ = timeout(Duration::from_secs(1), drained).await;
}
