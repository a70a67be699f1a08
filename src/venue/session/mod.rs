//! Keeping a conversation with a venue: connect, listen, ask, come back.
//!
//! What is heard goes to a queue as it came, stamped by one clock that never goes back. The queue is
//! never waited for: what finds it full is counted, and said before the next message. Decoding is
//! somebody else's work, on another thread. Absent on purpose: anything about orders.

mod binance;
mod handover;
mod http;
mod listener;
mod net;
mod socket;
mod trust;

pub use binance::{Endpoints, Feed, FeedKind};
pub use socket::{Ask, Asked, Asker, Clock, Hear, Heard, Limits, Session, asking};
pub use trust::Trust;
