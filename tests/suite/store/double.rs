//! A ClickHouse that is none: it answers what we ask, keeps what we send, and fails when told to.
//!
//! It knows the statements that this program makes and no others: an unknown one is an error that a test
//! sees. Blocks are kept under their names, and a name that came before is dropped, as the server does.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use qt::model::instrument::{Instrument, Instruments, Symbol};
use qt::model::record::{Batch, Kind};
use qt::model::time::{Date, Ts};
use qt::model::units::Scale;
use qt::store::{native, tables};

use super::wire::{inflated, request};

/// How a request fails.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// An exception of the server, before anything happened.
    Exception(u32, &'static str),
    /// The work is done and the connection is closed without an answer.
    Mute,
    /// The connection is closed and nothing is done.
    Hangup,
    /// So many bytes of a longer answer.
    Cut(Vec<u8>),
    /// Another answer, whole.
    Answer(&'static str),
}

/// Fails requests whose statement contains a text, so many times.
struct Trap {
    text: String,
    fault: Fault,
    times: usize,
}

#[derive(Default)]
struct State {
    /// Columns and comment of each table.
    tables: BTreeMap<String, (Vec<(String, String)>, String)>,
    blocks: Vec<(String, String, Vec<u8>)>,
    ledger: BTreeMap<(String, String), bool>,
    /// The last grade of each venue and day.
    grades: BTreeMap<(String, String), String>,
    traps: Vec<Trap>,
    /// The statements that came, each with the settings that came with it.
    seen: Vec<(String, BTreeMap<String, String>)>,
    repeats: Vec<String>,
}

pub(super) struct Double {
    state: Arc<Mutex<State>>,
    is_down: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

impl Double {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (state, is_down, is_over) = (
            Arc::<Mutex<State>>::default(),
            Arc::<AtomicBool>::default(),
            Arc::<AtomicBool>::default(),
        );
        let (theirs, down, over) = (Arc::clone(&state), Arc::clone(&is_down), Arc::clone(&is_over));
        let thread = thread::spawn(move || {
            for wire in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (state, down) = (Arc::clone(&theirs), Arc::clone(&down));
                // A client that goes away ends its thread and nothing else.
                thread::spawn(move || serve(&wire.ok()?, &state, &down));
            }
        });
        Self { state, is_down, is_over, port, thread: Some(thread) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/q", self.port)
    }

    /// Closes every connection without a word until it is told otherwise.
    pub(super) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    pub(super) fn fail(&self, text: &str, fault: Fault, times: usize) {
        self.state().traps.push(Trap { text: text.to_owned(), fault, times });
    }

    /// Fails no more.
    pub(super) fn forgive(&self) {
        self.state().traps.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The numbers of the records of a table, in the order in which they came.
    pub(super) fn seqs(&self, kind: Kind) -> Vec<u64> {
        let blocks = self.state().blocks.clone();
        let of_kind = blocks.iter().filter(|(table, ..)| table == kind.name());
        of_kind.flat_map(|(_, _, body)| records(kind, body)).map(|(_, _, seq)| seq).collect()
    }

    pub(super) fn blocks(&self, kind: Kind) -> usize {
        self.state().blocks.iter().filter(|(table, ..)| table == kind.name()).count()
    }

    /// Blocks that came again and were dropped.
    pub(super) fn repeats(&self, kind: Kind) -> usize {
        self.state().repeats.iter().filter(|table| *table == kind.name()).count()
    }

    /// The settings of the inserts into a table.
    pub(super) fn settings(&self, table: &str) -> Vec<BTreeMap<String, String>> {
        let start = format!("INSERT INTO `q`.`{table}`");
        let state = self.state();
        let ours = state.seen.iter().filter(|(sql, _)| sql.starts_with(&start));
        ours.map(|(_, settings)| settings.clone()).collect()
    }

    /// Gives a table another type for a column, as somebody else might have.
    pub(super) fn bend(&self, table: &str, column: &str, ty: &str) {
        let mut state = self.state();
        let columns = &mut state.tables.get_mut(table).unwrap().0;
        columns.iter_mut().find(|(name, _)| name == column).unwrap().1 = ty.to_owned();
    }

    pub(super) fn set_comment(&self, table: &str, comment: &str) {
        self.state().tables.get_mut(table).unwrap().1 = comment.to_owned();
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Symbol, time and number of each record of a block.
fn records(kind: Kind, body: &[u8]) -> Vec<(String, i64, u64)> {
    let mut known = Instruments::default();
    let scale = Scale::new(8).unwrap();
    for symbol in ["a:X", "a:Y"] {
        known.declare(Instrument::new(Symbol::new(symbol).unwrap(), scale, scale)).unwrap();
    }
    let table = tables::Table::of(kind);
    let mut batch = Batch::new(Arc::new(known));
    for block in native::blocks(body, &table.columns).unwrap() {
        native::rows(&table, &table.columns, &block, None, &mut batch).unwrap();
    }
    let symbol = |at: usize| batch.head(at).instrument.map(|id| batch.instruments().get(id));
    let name = |at| symbol(at).map_or(String::new(), |it| it.symbol.to_string());
    let of = |at: usize| (name(at), batch.head(at).ts_recv.nanos(), batch.head(at).seq);
    (0..batch.len()).map(of).collect()
}

/// Answers the requests of one connection.
fn serve(wire: &TcpStream, state: &Mutex<State>, is_down: &AtomicBool) -> Option<()> {
    wire.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let mut input = BufReader::new(wire);
    loop {
        let (mut query, body) = request(&mut input)?;
        if is_down.load(Ordering::SeqCst) {
            return None;
        }
        let is_insert = query.contains_key("query");
        let sql = match query.remove("query") {
            Some(sql) => sql,
            None => String::from_utf8(body.clone()).ok()?,
        };
        let body = if query.contains_key("decompress") { inflated(&body) } else { body };
        let mut state = state.lock().unwrap();
        state.seen.push((sql.clone(), query.clone()));
        let trap = state.traps.iter_mut().find(|trap| trap.times > 0 && sql.contains(&trap.text));
        let fault = trap.map(|trap| {
            trap.times -= 1;
            trap.fault.clone()
        });
        let answer = match &fault {
            Some(Fault::Exception(code, text)) => Err((*code, (*text).to_owned())),
            Some(Fault::Hangup) => return None,
            Some(Fault::Answer(text)) => Ok((*text).to_owned()),
            Some(Fault::Cut(bytes)) => {
                drop(state);
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len() + 9);
                (&mut &*wire).write_all(head.as_bytes()).ok()?;
                (&mut &*wire).write_all(bytes).ok()?;
                return None;
            }
            Some(Fault::Mute) | None => {
                state.answer(&sql, if is_insert { Some((&query, body)) } else { None })
            }
        };
        drop(state);
        if matches!(fault, Some(Fault::Mute)) {
            return None;
        }
        let text = match &answer {
            Ok(text) => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()),
            Err((code, message)) => {
                let text = format!("Code: {code}. DB::Exception: {message}");
                let status = if [516, 193].contains(code) { "403 Forbidden" } else { "500 Error" };
                let length = text.len();
                format!(
                    "HTTP/1.1 {status}\r\nX-ClickHouse-Exception-Code: {code}\r\nContent-Length: \
                     {length}\r\n\r\n{text}"
                )
            }
        };
        (&mut &*wire).write_all(text.as_bytes()).ok()?;
    }
}

type Answer = Result<String, (u32, String)>;

impl State {
    fn answer(
        &mut self,
        sql: &str,
        insert: Option<(&BTreeMap<String, String>, Vec<u8>)>,
    ) -> Answer {
        if let Some((settings, body)) = insert {
            return self.insert(sql, settings, body);
        }
        if sql == "SELECT 1" {
            return Ok("1\n".to_owned());
        }
        let makes_nothing =
            ["CREATE DATABASE IF NOT EXISTS `q`", "CREATE VIEW IF NOT EXISTS `q`.`"];
        if makes_nothing.iter().any(|start| sql.starts_with(start)) {
            return Ok(String::new());
        }
        if let Some(rest) = sql.strip_prefix("CREATE TABLE IF NOT EXISTS `q`.`") {
            self.create(rest);
            return Ok(String::new());
        }
        if sql.contains("FROM system.tables") {
            let line =
                |(name, (_, comment)): (&String, &(_, String))| format!("{name}\t{comment}\n");
            return Ok(self.tables.iter().map(line).collect());
        }
        if sql.contains("FROM system.columns") {
            let mut out = String::new();
            for (table, (columns, _)) in &self.tables {
                for (name, ty) in columns {
                    out.push_str(&format!("{table}\t{name}\t{}\n", ty.replace('\'', "\\'")));
                }
            }
            return Ok(out);
        }
        if sql.starts_with("SELECT count(), max(is_done)") {
            let [table, hash] = quoted(sql)[..] else { return Err((62, sql.to_owned())) };
            let known = self.ledger.get(&(table.to_owned(), hash.to_owned()));
            return Ok(known.map_or("0\tfalse\n".to_owned(), |done| format!("1\t{done}\n")));
        }
        if sql.starts_with("INSERT INTO `q`.`_wal_dedup`") {
            let (_, values) = sql.split_once("VALUES").unwrap();
            let [table, hash] = quoted(values)[..] else { return Err((62, sql.to_owned())) };
            let is_done = values.contains("true");
            let known = self.ledger.entry((table.to_owned(), hash.to_owned())).or_default();
            *known |= is_done;
            return Ok(String::new());
        }
        if sql.starts_with("INSERT INTO `q`.`_grades`") {
            assert!(sql.contains("insert_deduplicate = 0"), "{sql}");
            for row in quoted(sql.split_once("VALUES").unwrap().1).chunks(3) {
                let [venue, date, grade] = row else { return Err((62, sql.to_owned())) };
                let place = ((*venue).to_owned(), (*date).to_owned());
                self.grades.insert(place, (*grade).to_owned());
            }
            return Ok(String::new());
        }
        if sql.starts_with("SELECT toString(venue), toString(date), toString(argMax(grade") {
            let line = |((venue, date), grade): (&(String, String), &String)| {
                format!("{venue}\t{date}\t{grade}\n")
            };
            return Ok(self.grades.iter().map(line).collect());
        }
        if sql.contains(" AS kind, toString(sym) AS s, toString(toDate(ts_recv)) AS d") {
            return Ok(self.days(sql));
        }
        if sql.starts_with("SELECT toString(sym), toUnixTimestamp64Nano(max(ts_recv))") {
            return Ok(self.last(sql));
        }
        Err((62, format!("the double does not know: {sql}")))
    }

    fn create(&mut self, rest: &str) {
        let (name, rest) = rest.split_once('`').unwrap();
        let column = |line: &str| {
            let (name, rest) = line.strip_prefix("    `")?.split_once("` ")?;
            let ends = [" CODEC(", " DEFAULT ", " ALIAS "];
            let end = ends.iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
            let is_alias = rest.contains(" ALIAS ");
            let ty = rest[..end].trim_end_matches(',').to_owned();
            (!is_alias).then(|| (name.to_owned(), ty))
        };
        let columns = rest.lines().filter_map(column).collect();
        let comment = rest.rsplit_once("COMMENT '").map_or("", |(_, text)| text);
        let comment = comment.trim_end_matches('\'').to_owned();
        self.tables.entry(name.to_owned()).or_insert((columns, comment));
    }

    fn insert(&mut self, sql: &str, settings: &BTreeMap<String, String>, body: Vec<u8>) -> Answer {
        let rest = sql.strip_prefix("INSERT INTO `q`.`").ok_or((62, sql.to_owned()))?;
        let table = rest.split('`').next().unwrap().to_owned();
        assert!(self.tables.contains_key(&table), "{table} was made");
        assert!(sql.ends_with("FORMAT Native"), "{sql}");
        let token = settings["insert_deduplication_token"].clone();
        if self.blocks.iter().any(|(known, name, _)| (known, name) == (&table, &token)) {
            self.repeats.push(table);
            return Ok(String::new());
        }
        self.blocks.push((table, token, body));
        Ok(String::new())
    }

    /// The days of each kind and symbol that the statement names; no range of time.
    fn days(&self, sql: &str) -> String {
        let mut days: BTreeMap<(String, String, Date), (u64, i64, i64)> = BTreeMap::new();
        for (table, _, body) in &self.blocks {
            let Some(kind) = Kind::from_name(table) else { continue };
            if !sql.contains(&format!("FROM `q`.`{table}`")) {
                continue;
            }
            for (symbol, ts, _) in records(kind, body) {
                let place = (table.clone(), symbol, Ts::from_nanos(ts).date());
                let (rows, first, last) = days.entry(place).or_insert((0, ts, ts));
                (*rows, *first, *last) = (*rows + 1, (*first).min(ts), (*last).max(ts));
            }
        }
        let mut out = String::new();
        for ((kind, symbol, date), (rows, first, last)) in days {
            out.push_str(&format!("{kind}\t{symbol}\t{date}\t{rows}\t{first}\t{last}\n"));
        }
        out
    }

    /// The last record of each symbol on the day that the statement asks for.
    fn last(&self, sql: &str) -> String {
        let table = sql.split_once("FROM `q`.`").unwrap().1.split('`').next().unwrap();
        let kind = Kind::from_name(table).unwrap();
        let bound = |at: usize| {
            let text = sql.split("fromUnixTimestamp64Nano(").nth(at).unwrap();
            text.split(',').next().unwrap().parse::<i64>().unwrap()
        };
        let mut last: BTreeMap<String, (i64, u64)> = BTreeMap::new();
        let ours = self.blocks.iter().filter(|(name, ..)| name == table);
        for (symbol, ts, seq) in ours.flat_map(|(_, _, body)| records(kind, body)) {
            if ts >= bound(1) && ts < bound(2) && sql.contains(&format!("'{symbol}'")) {
                let known = last.entry(symbol).or_default();
                *known = (*known).max((ts, seq));
            }
        }
        last.iter().map(|(symbol, (ts, seq))| format!("{symbol}\t{ts}\t{seq}\n")).collect()
    }
}

/// The texts in quotes.
fn quoted(sql: &str) -> Vec<&str> {
    sql.split('\'').skip(1).step_by(2).collect()
}
