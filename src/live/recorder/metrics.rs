//! What the recorder does, for whoever watches it: the text format of Prometheus.

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use qt_model::time::Ts;
use qt_stream::wal::{Folder, Tier};

use super::condition::State;
use super::counters::Snapshot;
use super::open::database_root;
use super::sinks::Gauges;

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
    let (state, since) = gauges.condition.look(&seen, now);
    for known in State::ALL {
        let holds = u8::from(known == state);
        let _ = writeln!(out, "qt_recorder_state{{state=\"{}\"}} {holds}", known.name());
    }
    let _ = writeln!(out, "qt_recorder_state_seconds {}", now.since(since).max(0) / 1_000_000_000);
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
    use std::sync::Arc;

    use qt_model::record::Kind;

    use super::*;

    #[test]
    fn what_a_database_counts_has_a_label_and_its_probe_has_not() {
        let root = tempfile::tempdir().unwrap();
        let mut gauges = Gauges::default();
        let now = Ts::from_nanos(1_723_075_200_000_000_000);
        let has = |page: &str, line: &str| page.lines().any(|it| it == line);
        let alone = page(root.path(), &gauges, now);
        assert!(has(&alone, "qt_recorder_received 0"), "{alone}");
        assert!(!alone.contains("clickhouse") && !alone.contains("store_reachable"), "{alone}");
        (gauges.second, gauges.probe) = (Some(Arc::default()), Some(Arc::default()));
        gauges.second.as_ref().unwrap().drop_rows(Kind::Trade, 7);
        let both = page(root.path(), &gauges, now);
        for line in [
            "qt_recorder_received 0",
            "qt_recorder_received{sink=\"clickhouse\"} 0",
            "qt_recorder_rows_dropped{sink=\"clickhouse\",table=\"trade\"} 7",
            "qt_recorder_wal_tier_files{tier=\"pending\"} 0",
            "qt_recorder_wal_tier_files{sink=\"clickhouse\",tier=\"pending\"} 0",
            "qt_recorder_store_reachable 0",
        ] {
            assert!(has(&both, line), "{line} is not in\n{both}");
        }
    }

    #[test]
    fn the_page_tells_since_when_the_condition_holds() {
        let gauges = Gauges::default();
        let at = |second: i64| Ts::from_nanos(second * 1_000_000_000);
        page(Path::new("nowhere"), &gauges, at(7));
        let page = page(Path::new("nowhere"), &gauges, at(10));
        assert!(page.contains("qt_recorder_state_seconds 3\n"), "{page}");
    }

    #[test]
    fn the_loopback_is_the_only_place() {
        assert!(bind("0.0.0.0:0".parse().unwrap()).is_err());
        assert!(bind("127.0.0.1:0".parse().unwrap()).is_ok());
    }
}
