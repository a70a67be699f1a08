//! What the recorder does, for whoever watches it: the text format of Prometheus.

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use qt_model::time::Ts;
use qt_stream::wal::{Folder, Tier};

use super::counters::Snapshot;
use super::open::database_root;
use super::sinks::Gauges;

/// The condition of a recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing is written any more.
    Error,
    /// No connection stands.
    Offline,
    /// The queue is nearly full, or something was dropped.
    Degraded,
    Ready,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Error, Self::Offline, Self::Degraded, Self::Ready];

    pub fn of(seen: &Snapshot, queue_max: u64) -> Self {
        let dropped = seen.dropped.iter().any(|(_, count)| *count > 0) || seen.frames_dropped > 0;
        match seen {
            seen if seen.writer_failed > 0 => Self::Error,
            seen if seen.connections == 0 => Self::Offline,
            seen if dropped || seen.queued_frames * 100 >= queue_max * 80 => Self::Degraded,
            _ => Self::Ready,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Offline => "offline",
            Self::Degraded => "degraded",
            Self::Ready => "ready",
        }
    }
}

/// The page. What a second sink counts has a label that says so.
pub fn page(root: &Path, gauges: &Gauges, now: Ts) -> String {
    let mut out = String::new();
    let seen = gauges.counters.snapshot();
    let is_alone = gauges.second.is_none();
    let folder = match is_alone && gauges.probe.is_some() {
        true => Folder::of(&database_root(root)),
        false => Folder::of(root),
    };
    sink(&mut out, "", &seen, &folder, now);
    if let Some(second) = &gauges.second {
        let folder = Folder::of(&database_root(root));
        sink(&mut out, "sink=\"clickhouse\"", &second.snapshot(), &folder, now);
    }
    for (name, value) in gauges.probe.iter().flat_map(|probe| probe.values()) {
        let _ = writeln!(out, "qt_recorder_{name} {value}");
    }
    let state = State::of(&seen, 65_536);
    for known in State::ALL {
        let holds = u8::from(known == state);
        let _ = writeln!(out, "qt_recorder_state{{state=\"{}\"}} {holds}", known.name());
    }
    out
}

/// What one sink counts.
fn sink(out: &mut String, label: &str, seen: &Snapshot, folder: &Folder, now: Ts) {
    let labels = |more: &str| match (label.is_empty(), more.is_empty()) {
        (true, true) => String::new(),
        (false, false) => format!("{{{label},{more}}}"),
        _ => format!("{{{label}{more}}}"),
    };
    for (name, value) in seen.values() {
        let _ = writeln!(out, "qt_recorder_{name}{} {value}", labels(""));
    }
    for (table, count) in &seen.dropped {
        let table = labels(&format!("table=\"{table}\""));
        let _ = writeln!(out, "qt_recorder_rows_dropped{table} {count}");
    }
    let _ = writeln!(out, "qt_recorder_loss_ppm{} {}", labels(""), seen.loss_ppm());
    for tier in Tier::ALL {
        let stat = folder.stat(tier).unwrap_or_default();
        let age = stat.oldest.map_or(0, |oldest| now.since(oldest).max(0) / 1_000_000_000);
        let tier = labels(&format!("tier=\"{}\"", tier.name()));
        let _ = writeln!(out, "qt_recorder_wal_tier_files{tier} {}", stat.files);
        let _ = writeln!(out, "qt_recorder_wal_tier_bytes{tier} {}", stat.bytes);
        let _ = writeln!(out, "qt_recorder_wal_tier_oldest_seconds{tier} {age}");
    }
}

/// Answers `GET /metrics` until asked to stop. The listener is bound by the caller, who knows where.
pub fn serve(
    listener: &TcpListener,
    page: impl Fn() -> String,
    should_stop: impl Fn() -> bool,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    while !should_stop() {
        match listener.accept() {
            // One watcher that leaves early is no reason to stop answering others.
            Ok((stream, _)) => {
                let _ = answer(stream, &page);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Binds to an address of this machine alone.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        let message = format!("{address} is not an address of the loopback");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    TcpListener::bind(address)
}

/// A request is not longer than this.
const REQUEST_MAX: usize = 8 << 10;

fn answer(mut stream: TcpStream, page: impl Fn() -> String) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < REQUEST_MAX {
        match stream.read(&mut buffer)? {
            0 => break,
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    let (status, body) = match request.starts_with(b"GET /metrics ") {
        true => ("200 OK", page()),
        false => ("404 Not Found", "only GET /metrics is answered here\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorder_is_in_the_worst_state_that_holds() {
        let good = || Snapshot { connections: 1, ..Snapshot::default() };
        let check = |seen: Snapshot, expected| assert_eq!(State::of(&seen, 100), expected);
        check(good(), State::Ready);
        check(Snapshot { queued_frames: 79, ..good() }, State::Ready);
        check(Snapshot { queued_frames: 80, ..good() }, State::Degraded);
        check(Snapshot { frames_dropped: 1, ..good() }, State::Degraded);
        check(Snapshot { dropped: vec![("trade", 1)], ..good() }, State::Degraded);
        check(Snapshot { connections: 0, ..good() }, State::Offline);
        check(Snapshot { writer_failed: 1, ..good() }, State::Error);
    }

    #[test]
    fn the_loopback_is_the_only_place() {
        assert!(bind("0.0.0.0:0".parse().unwrap()).is_err());
        assert!(bind("127.0.0.1:0".parse().unwrap()).is_ok());
    }
}
