//! A closed loop: a synthetic market, told by `venue-sim`, recorded, replayed and compared.
//!
//! What may differ: `ts_recv`, which is our clock and not the source's; `ts_event`, which the wire
//! cuts to microseconds (and leaves out of quotes and snapshots); `seq`, which the recorder counts;
//! and what a recorder adds: instruments, snapshots and gaps.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::frame::{World, stdout};

const MARKET: &str = "synth --seed 1 --symbols binance:BTCUSDT,binance:ETHUSDT --hours 0.03";

struct Loop {
    world: World,
    sim: Child,
    address: String,
}

impl Loop {
    /// A venue that tells the market at full speed, once it is listened to.
    fn new(market: &str, sim: &str) -> Self {
        let world = World::new();
        world.qt(&format!("{market} --out market.ndjson")).assert().success();
        let mut sim = world
            .std(&format!("venue-sim --input market.ndjson {sim}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(sim.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let address = said["address"].as_str().unwrap().to_owned();
        Self { world, sim, address }
    }

    fn recorder(&self, more: &str) -> Child {
        let address = &self.address;
        let settings = format!(
            "symbols = [\"BTCUSDT\", \"ETHUSDT\"]\nrest_url = \"http://{address}\"\n\
             ws_url = \"ws://{address}\"\n"
        );
        std::fs::write(self.world.path().join("recorder.toml"), settings).unwrap();
        let mut command = self.world.std(&format!("record run recorder.toml --acks {more}"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Lets the stream be told to its end, then stops the recorder in order.
    fn record(&mut self, more: &str) -> String {
        let recorder = self.recorder(more);
        let told = self.sim.wait_with_timeout(Duration::from_secs(60));
        assert!(told, "the venue did not come to the end of its stream");
        let _ = kill_process(Pid::from_child(&recorder), Signal::TERM);
        let output = recorder.wait_with_output().unwrap();
        let talk = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(143), "{talk}");
        talk
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = self.sim.kill();
        let _ = self.sim.wait();
    }
}

trait WaitWithTimeout {
    fn wait_with_timeout(&mut self, limit: Duration) -> bool;
}

impl WaitWithTimeout for Child {
    fn wait_with_timeout(&mut self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if self.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

/// The records of a kind and instrument, without what a loop may change.
fn essence(text: &str, kind: &str, sym: &str, fields: &[&str]) -> Vec<String> {
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record["k"] == kind && record["sym"] == sym)
        .filter(|record| kind != "depth" || record["action"] == "delta")
        .map(|record| {
            // Quotes of spot and snapshots come without a time of the venue.
            let ts = record["ts_event"].as_str().filter(|_| kind != "quote").map(|ts| &ts[..26]);
            let values: Vec<String> =
                fields.iter().map(|field| format!("{field}={}", record[*field])).collect();
            format!("{ts:?} {}", values.join(" "))
        })
        .collect()
}

const KINDS: [(&str, &[&str]); 3] = [
    ("trade", &["px", "qty", "side", "id"]),
    ("quote", &["bid_px", "bid_qty", "ask_px", "ask_qty", "id"]),
    ("depth", &["first_id", "last_id", "bids", "asks"]),
];

fn assert_same(source: &str, recorded: &str, kinds: &[&str]) {
    for sym in ["binance:BTCUSDT", "binance:ETHUSDT"] {
        for (kind, fields) in KINDS.iter().filter(|(kind, _)| kinds.contains(kind)) {
            let (told, heard) =
                (essence(source, kind, sym, fields), essence(recorded, kind, sym, fields));
            assert!(!told.is_empty(), "{kind} {sym}");
            assert_eq!(told.len(), heard.len(), "{kind} {sym}");
            let differs = told.iter().zip(&heard).find(|(a, b)| a != b);
            assert_eq!(differs, None, "{kind} {sym}");
        }
    }
}

fn count(text: &str, pattern: &str) -> usize {
    text.lines().filter(|line| line.contains(pattern)).count()
}

const SPOT: &str = "--venue binance --streams trade,depth,quote";
const AWAIT: &str = "--speed max --exit --await-streams 6 --await-books 2";

#[test]
fn what_the_venue_tells_is_what_is_recorded() {
    let mut world = Loop::new(MARKET, AWAIT);
    let talk = world.record(SPOT);
    assert!(!talk.contains("dropped"), "{talk}");
    let source = std::fs::read_to_string(world.world.path().join("market.ndjson")).unwrap();
    let recorded = stdout(&mut world.world.qt("replay"));
    assert_same(&source, &recorded, &["trade", "quote", "depth"]);
    assert_eq!(count(&recorded, r#""action":"snapshot""#), 2);
    assert_eq!(count(&recorded, r#""k":"gap""#), 0);
    world.world.qt("replay verify").assert().success();
    // The messages as they came give the same records once more.
    let mut files = Vec::new();
    for day in std::fs::read_dir(world.world.path().join("data/raw/venue=binance")).unwrap() {
        files.extend(std::fs::read_dir(day.unwrap().path()).unwrap().map(|it| it.unwrap().path()));
    }
    files.sort();
    world.world.qt("--data again record import").args(&files).assert().success();
    let again = stdout(&mut world.world.qt("--data again replay"));
    assert_same(&recorded, &again, &["trade", "quote", "depth"]);
}

#[test]
fn forced_disconnects_lose_nothing_that_was_told_and_are_noted() {
    let mut world = Loop::new(MARKET, &format!("{AWAIT} --disconnect-every 2500"));
    world.record(SPOT);
    let source = std::fs::read_to_string(world.world.path().join("market.ndjson")).unwrap();
    let recorded = stdout(&mut world.world.qt("replay"));
    assert_same(&source, &recorded, &["trade", "quote", "depth"]);
    let cuts = count(&recorded, r#""reason":"disconnect""#);
    assert!(cuts >= 2 && cuts.is_multiple_of(2), "{cuts}");
    // Each connection begins with a book of its own.
    assert_eq!(count(&recorded, r#""action":"snapshot""#), 2 + cuts);
}

#[test]
fn injected_gaps_are_noted_and_books_come_back() {
    let sim = AWAIT.replace("max", "200x");
    let mut world = Loop::new(MARKET, &format!("{sim} --gap-every 400 --duplicate-every 150"));
    world.record(SPOT);
    let source = std::fs::read_to_string(world.world.path().join("market.ndjson")).unwrap();
    let recorded = stdout(&mut world.world.qt("replay"));
    assert_same(&source, &recorded, &["trade", "quote"]);
    let gaps = count(&recorded, r#""reason":"sequence""#);
    assert!(gaps >= 3, "{gaps}");
    // A gap ends the book of its instrument, and a snapshot begins the next.
    let mut has_book = std::collections::BTreeMap::new();
    for record in recorded.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let sym = record["sym"].as_str().unwrap_or_default().to_owned();
        match (record["k"].as_str(), record["action"].as_str()) {
            (Some("gap"), _) => drop(has_book.insert(sym, false)),
            (Some("depth"), Some("snapshot")) => drop(has_book.insert(sym, true)),
            _ => {}
        }
    }
    assert_eq!(has_book.len(), 2);
    let snapshots = count(&recorded, r#""action":"snapshot""#);
    assert!(snapshots > 2, "{snapshots} snapshots, {gaps} gaps");
}

#[test]
fn futures_take_two_roads_and_lose_nothing_either() {
    let market = MARKET.replace("binance:", "binance-usdm:");
    let sim = AWAIT.replace("--await-streams 6", "--await-streams 6 --market usdm");
    let mut world = Loop::new(&market, &sim);
    world.record("--venue binance-usdm --streams trade,depth,quote");
    let source = std::fs::read_to_string(world.world.path().join("market.ndjson")).unwrap();
    let (source, recorded) = (
        source.replace("binance-usdm:", "binance:"),
        stdout(&mut world.world.qt("replay")).replace("binance-usdm:", "binance:"),
    );
    // Futures have times in milliseconds.
    let cut = |text: &str| {
        let mut out = String::new();
        for line in text.lines() {
            let mut record: Value = serde_json::from_str(line).unwrap();
            if let Some(ts) = record["ts_event"].as_str().map(|ts| format!("{}000000Z", &ts[..23]))
            {
                record["ts_event"] = ts.into();
            }
            out.push_str(&record.to_string());
            out.push('\n');
        }
        out
    };
    assert_same(&cut(&source), &cut(&recorded), &["trade", "quote", "depth"]);
}

#[test]
fn a_recorder_that_is_killed_goes_on_where_it_was() {
    // Long enough that both recorders have something to hear.
    let market = MARKET.replace("0.03", "2");
    let world = Loop::new(&market, "--speed 100x --await-streams 6");
    let run = |world: &Loop| {
        let mut recorder = world.recorder(&format!("{SPOT} --part-age-s 1"));
        let acks = BufReader::new(recorder.stdout.take().unwrap()).lines();
        // Kinds become parts one after the other, quotes last.
        let last = acks.map(|line| line.unwrap()).find(|line| line.contains(r#""quote""#));
        kill_process(Pid::from_child(&recorder), Signal::KILL).unwrap();
        recorder.wait().unwrap();
        assert!(last.unwrap().contains(r#""place":"catalog""#));
    };
    run(&world);
    run(&world);
    let recorded = stdout(&mut world.world.qt("replay"));
    assert!(count(&recorded, r#""k":"trade""#) > 0);
    for sym in ["binance:BTCUSDT", "binance:ETHUSDT"] {
        let seqs: Vec<u64> = recorded
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|record| record["k"] == "quote" && record["sym"] == sym)
            .map(|record| record["seq"].as_u64().unwrap())
            .collect();
        let whole: Vec<u64> = (0..seqs.len() as u64).collect();
        assert_eq!(seqs, whole, "numbers go on without a hole: {sym}");
    }
}

#[test]
fn two_recorders_of_one_catalog_refuse_each_other() {
    let world = Loop::new(MARKET, "--speed realtime --await-streams 100");
    let mut first = world.recorder(SPOT);
    let mut talk = BufReader::new(first.stderr.take().unwrap()).lines();
    let said = talk.next().unwrap().unwrap();
    assert!(said.contains("recording 2 instruments"), "{said}");
    let second = world.recorder(SPOT).wait_with_output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(2), "{said}");
    assert!(said.contains("another process writes to this catalog"), "{said}");
    let _ = kill_process(Pid::from_child(&first), Signal::TERM);
    first.wait().unwrap();
}

#[test]
fn a_recorder_tells_how_it_is() {
    use std::io::{Read, Write};
    let world = Loop::new(MARKET, "--speed realtime --await-streams 6");
    let mut recorder = world.recorder(&format!("{SPOT} --metrics 127.0.0.1:0"));
    let mut talk = BufReader::new(recorder.stderr.take().unwrap()).lines();
    let said = talk.next().unwrap().unwrap();
    let address = said.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let ask = |path: &str| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let value = |page: &str, name: &str| -> u64 {
        let line = page.lines().find(|line| line.starts_with(&format!("{name} ")));
        // A page asked for early says nothing of it yet.
        line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    };
    let end = Instant::now() + Duration::from_secs(20);
    let page = loop {
        let page = ask("/metrics");
        if value(&page, "qt_recorder_frames") > 50 || Instant::now() > end {
            break page;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    assert!(value(&page, "qt_recorder_received") > 50, "{page}");
    assert_eq!(value(&page, "qt_recorder_connections"), 1);
    assert!(page.contains("qt_recorder_state{state=\"ready\"} 1"), "{page}");
    assert!(page.contains("qt_recorder_wal_tier_files{tier=\"dlq\"} 0"), "{page}");
    assert!(ask("/").starts_with("HTTP/1.1 404"));
    let status = world.world.qt("--json record status").output().unwrap();
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!((&status["recording"], &status["degraded"]), (&true.into(), &false.into()));
    let _ = kill_process(Pid::from_child(&recorder), Signal::TERM);
    recorder.wait().unwrap();
}

#[test]
fn raw_frames_and_the_ledger_survive_being_killed_at_their_points() {
    for point in ["raw.sync", "ledger.sync"] {
        let world = Loop::new(MARKET, "--speed 50x --await-streams 6");
        let address = &world.address;
        let args = format!(
            "record run --symbols BTCUSDT,ETHUSDT --rest-url http://{address} \
             --ws-url ws://{address} {SPOT} --part-age-s 1"
        );
        let mut command = world.world.std(&args);
        command.env("QT_CRASH_AT", point).stderr(Stdio::null());
        let mut recorder = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        let _ = kill_process(Pid::from_child(&recorder), Signal::TERM);
        assert_eq!(recorder.wait().unwrap().code(), None, "{point}: it went on");
        // What is there can be read, and the next recorder starts.
        let mut next = world.recorder(SPOT);
        std::thread::sleep(Duration::from_millis(500));
        let _ = kill_process(Pid::from_child(&next), Signal::TERM);
        assert_eq!(next.wait().unwrap().code(), Some(143), "{point}");
        world.world.qt("record verify").assert().success();
    }
}
