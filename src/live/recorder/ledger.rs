//! The quality ledger: what each quarter of an hour saw, written once and never again.
//!
//! `quality/<YYYY-MM-DD>.jsonl`, a line per window, synced. A window in which the recorder started
//! or stopped is partial. Day grades are made of these lines alone.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use qt_market::quality::{
    DayGrade, RULES_VERSION, VenueFacts, WINDOW_NANOS, WindowFacts, grade_day, grade_window,
};
use qt_model::time::{Date, Ts};
use qt_model::words::Word;
use qt_stream::{crash, line_log};
use serde::{Deserialize, Serialize};

use super::counters::{Counters, Snapshot};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowLine {
    pub rules: u64,
    pub start: String,
    pub end: String,
    pub is_partial: bool,
    pub venues: Vec<VenueLine>,
    pub received: u64,
    pub dropped: u64,
    pub dropped_by_table: Vec<(String, u64)>,
    pub queue_peak_percent: u64,
    pub reconnects: u64,
    pub hurried_seconds: u64,
    pub insert_failures: u64,
    pub frames_refused: u64,
    /// What was lost of all that came, in parts of a million.
    pub loss_ppm: u64,
    pub grade: String,
    pub reasons: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueLine {
    pub venue: String,
    pub events: u64,
    pub events_per_second_min: u64,
    pub events_per_second_avg: u64,
    pub offline_seconds: u64,
    /// Stretches of ten seconds and more without an event; no loss in themselves.
    pub silences: u64,
}

/// A silence is so long.
const SILENCE_SECONDS: u64 = 10;

/// A queue that is so full is drained in a hurry.
pub const HURRY_PERCENT: u64 = 80;

const SECOND: i64 = 1_000_000_000;

/// Keeps the ledger of one recorder, which has one venue.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    counters: Arc<Counters>,
    queue_max: u64,
    venue: VenueLine,
    window: Window,
}

#[derive(Debug)]
struct Window {
    start: Ts,
    is_partial: bool,
    before: Snapshot,
    queue_peak_percent: u64,
    hurried_seconds: u64,
    /// The second at hand and its events.
    second: i64,
    events: u64,
    quietest: Option<u64>,
    quiet_for: u64,
    seconds: u64,
    is_offline: bool,
}

fn window_start(ts: Ts) -> Ts {
    Ts::from_nanos(ts.nanos().div_euclid(WINDOW_NANOS) * WINDOW_NANOS)
}

impl Ledger {
    pub fn open(
        root: &Path,
        venue: &str,
        queue_max: u64,
        counters: &Arc<Counters>,
        now: Ts,
    ) -> io::Result<Self> {
        let folder = root.join("quality");
        fs::create_dir_all(&folder)?;
        File::open(root)?.sync_all()?;
        let venue = VenueLine { venue: venue.to_owned(), ..VenueLine::default() };
        let window = Window::new(window_start(now), now, counters.snapshot(), true);
        Ok(Self { folder, counters: Arc::clone(counters), queue_max, venue, window })
    }

    /// An event came.
    pub fn event(&mut self, ts: Ts) {
        self.seconds_until(ts);
        self.window.events += 1;
        self.venue.events += 1;
    }

    /// Many events came at once.
    pub fn events(&mut self, ts: Ts, count: u64) {
        self.seconds_until(ts);
        self.window.events += count;
        self.venue.events += count;
    }

    pub fn offline(&mut self, ts: Ts) {
        self.seconds_until(ts);
        self.window.is_offline = true;
    }

    pub fn online(&mut self, ts: Ts) {
        self.seconds_until(ts);
        self.window.is_offline = false;
    }

    /// Closes the windows that are over.
    pub fn tick(&mut self, now: Ts) -> io::Result<()> {
        let queued = self.counters.queued_frames.load(Ordering::Relaxed);
        let percent = (queued * 100).checked_div(self.queue_max).unwrap_or(0).min(100);
        self.window.queue_peak_percent = self.window.queue_peak_percent.max(percent);
        let hurries = percent >= HURRY_PERCENT;
        if now.nanos().div_euclid(SECOND) != self.window.second && hurries {
            self.window.hurried_seconds += 1;
        }
        while now.since(self.window.start) >= WINDOW_NANOS {
            let end = Ts::from_nanos(self.window.start.nanos() + WINDOW_NANOS);
            self.seconds_until(end);
            self.close(end, now)?;
        }
        self.seconds_until(now);
        Ok(())
    }

    /// Closes the window at hand early: it is partial.
    pub fn finish(mut self, now: Ts) -> io::Result<()> {
        self.tick(now)?;
        self.window.is_partial = true;
        self.close(now, now)
    }

    fn seconds_until(&mut self, ts: Ts) {
        let second = ts.nanos().div_euclid(SECOND);
        while self.window.second < second {
            let events = std::mem::take(&mut self.window.events);
            let window = &mut self.window;
            window.quietest = Some(window.quietest.map_or(events, |least| least.min(events)));
            window.seconds += 1;
            window.second += 1;
            if window.is_offline {
                self.venue.offline_seconds += 1;
            }
            window.quiet_for = if events == 0 { window.quiet_for + 1 } else { 0 };
            if window.quiet_for == SILENCE_SECONDS {
                self.venue.silences += 1;
            }
        }
    }

    fn close(&mut self, end: Ts, now: Ts) -> io::Result<()> {
        let after = self.counters.snapshot();
        // What came in the second at hand came behind the end, if the window ends by the clock.
        let is_whole = self.window.second == end.nanos().div_euclid(SECOND)
            && now.since(self.window.start) >= WINDOW_NANOS;
        let carried = if is_whole { self.window.events } else { 0 };
        self.venue.events -= carried;
        let line = self.line(end, &after);
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        line_log::append(&self.folder.join(file_name(self.window.start.date())), &text)?;
        crash::point("ledger.sync");
        let is_offline = self.window.is_offline;
        self.venue = VenueLine { venue: self.venue.venue.clone(), ..VenueLine::default() };
        self.window = Window::new(window_start(end), end.min(now), after, false);
        self.window.is_offline = is_offline;
        (self.window.events, self.venue.events) = (carried, carried);
        Ok(())
    }

    fn line(&self, end: Ts, after: &Snapshot) -> WindowLine {
        let Window { start, is_partial, before, .. } = &self.window;
        let mut venue = self.venue.clone();
        venue.events_per_second_min = self.window.quietest.unwrap_or(0);
        venue.events_per_second_avg = venue.events.checked_div(self.window.seconds).unwrap_or(0);
        let dropped_by_table = since(&before.dropped, &after.dropped);
        let frames_dropped = after.frames_dropped - before.frames_dropped;
        let dropped = dropped_by_table.iter().map(|(_, count)| count).sum::<u64>() + frames_dropped;
        let received = after.received - before.received;
        let mut line = WindowLine {
            rules: RULES_VERSION,
            start: start.to_string(),
            end: end.to_string(),
            is_partial: *is_partial,
            venues: vec![venue],
            received,
            dropped,
            dropped_by_table,
            queue_peak_percent: self.window.queue_peak_percent,
            reconnects: after.reconnects - before.reconnects,
            hurried_seconds: self.window.hurried_seconds,
            insert_failures: after.insert_failures - before.insert_failures,
            frames_refused: after.frames_refused - before.frames_refused,
            loss_ppm: dropped
                .saturating_mul(1_000_000)
                .checked_div(received + dropped)
                .unwrap_or(0),
            grade: String::new(),
            reasons: Vec::new(),
        };
        let graded = grade_window(&line.facts());
        line.grade = graded.grade.word().to_owned();
        line.reasons = graded.reasons.iter().map(ToString::to_string).collect();
        line
    }
}

fn file_name(date: Date) -> String {
    format!("{date}.jsonl")
}

fn since(before: &[(&'static str, u64)], after: &[(&'static str, u64)]) -> Vec<(String, u64)> {
    let known = |name: &str| before.iter().find(|it| it.0 == name).map_or(0, |it| it.1);
    let differences = after.iter().map(|(name, count)| ((*name).to_owned(), count - known(name)));
    differences.filter(|(_, count)| *count > 0).collect()
}

impl Window {
    fn new(start: Ts, from: Ts, before: Snapshot, is_partial: bool) -> Self {
        Self {
            start,
            is_partial,
            before,
            queue_peak_percent: 0,
            hurried_seconds: 0,
            second: from.nanos().div_euclid(SECOND),
            events: 0,
            quietest: None,
            quiet_for: 0,
            seconds: 0,
            is_offline: false,
        }
    }
}

impl WindowLine {
    /// What the grade depends on.
    pub fn facts(&self) -> WindowFacts {
        let venue = |line: &VenueLine| VenueFacts {
            offline_seconds: line.offline_seconds,
            events_per_second_min: line.events_per_second_min,
        };
        WindowFacts {
            is_partial: self.is_partial,
            dropped: self.dropped,
            queue_peak_percent: self.queue_peak_percent,
            reconnects: self.reconnects,
            hurried_seconds: self.hurried_seconds,
            venues: self.venues.iter().map(venue).collect(),
        }
    }
}

/// The windows of a day. A line that was cut by a crash is left out.
pub fn windows(root: &Path, date: Date) -> io::Result<Vec<WindowLine>> {
    let text = match fs::read(root.join("quality").join(file_name(date))) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(text.split(|byte| *byte == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect())
}

/// The venues that the ledger knows on a day, each with the grade of the day.
pub fn graded(root: &Path, date: Date) -> io::Result<BTreeMap<String, DayGrade>> {
    let mut facts: BTreeMap<String, Vec<WindowFacts>> = BTreeMap::new();
    for line in windows(root, date)? {
        for venue in &line.venues {
            facts.entry(venue.venue.clone()).or_default().push(line.facts());
        }
    }
    Ok(facts.into_iter().map(|(venue, facts)| (venue, grade_day(&facts))).collect())
}

/// The bytes that the ledger has of a day.
pub fn length(root: &Path, date: Date) -> io::Result<u64> {
    Ok(fs::metadata(root.join("quality").join(file_name(date)))?.len())
}

/// The days that the ledger knows.
pub fn days(root: &Path) -> io::Result<Vec<Date>> {
    let entries = match fs::read_dir(root.join("quality")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut days = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let date = name.to_str().and_then(|name| name.strip_suffix(".jsonl"));
        days.extend(date.and_then(|date| Date::parse(date).ok()));
    }
    days.sort();
    Ok(days)
}

#[cfg(test)]
mod tests {
    use qt_model::words::Grade;

    use super::*;

    fn at(second: i64) -> Ts {
        Ts::from_nanos(Date::new(2024, 8, 8).unwrap().start().nanos() + second * SECOND)
    }

    #[test]
    fn windows_are_written_as_they_end_and_the_first_and_last_are_partial() {
        let root = tempfile::tempdir().unwrap();
        let counters = Arc::new(Counters::default());
        let mut ledger = Ledger::open(root.path(), "v", 100, &counters, at(100)).unwrap();
        for second in 100..1_900 {
            ledger.events(at(second), 3);
            if second == 1_000 {
                Counters::set(&counters.queued_frames, 89);
                counters.drop_rows(qt_model::record::Kind::Trade, 2);
            }
            ledger.tick(at(second)).unwrap();
            Counters::set(&counters.queued_frames, 0);
        }
        ledger.offline(at(1_900));
        ledger.online(at(1_950));
        ledger.finish(at(2_000)).unwrap();
        let windows = windows(root.path(), at(0).date()).unwrap();
        let partial: Vec<bool> = windows.iter().map(|window| window.is_partial).collect();
        assert_eq!(partial, [true, false, true]);
        let whole = &windows[1];
        assert_eq!((whole.start.as_str(), whole.venues[0].events), (&*at(900).to_string(), 2_700));
        assert_eq!((whole.venues[0].events_per_second_min, whole.queue_peak_percent), (3, 89));
        assert_eq!((whole.dropped, whole.grade.as_str()), (2, "bad"));
        assert_eq!(whole.dropped_by_table, [("trade".to_owned(), 2)]);
        assert_eq!(windows[2].venues[0].offline_seconds, 50);
        assert_eq!(windows[2].venues[0].silences, 1);
        let graded = graded(root.path(), at(0).date()).unwrap();
        let day = &graded["v"];
        assert_eq!((day.graded.grade, day.complete, day.partial), (Grade::Degraded, 1, 2));
        assert_eq!(graded.len(), 1);
        assert_eq!(days(root.path()).unwrap(), [at(0).date()]);
    }

    #[test]
    fn a_restart_adds_to_the_ledger_and_a_cut_line_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        let counters = Arc::new(Counters::default());
        for second in [0, 2_000] {
            let ledger = Ledger::open(root.path(), "v", 100, &counters, at(second)).unwrap();
            ledger.finish(at(second + 10)).unwrap();
        }
        let path = root.path().join("quality/2024-08-08.jsonl");
        let mut text = fs::read(&path).unwrap();
        assert_eq!(windows(root.path(), at(0).date()).unwrap().len(), 2);
        text.truncate(text.len() - 20);
        fs::write(&path, text).unwrap();
        assert_eq!(windows(root.path(), at(0).date()).unwrap().len(), 1);
        // Nor does the next window go down with it.
        let ledger = Ledger::open(root.path(), "v", 100, &counters, at(4_000)).unwrap();
        ledger.finish(at(4_010)).unwrap();
        assert_eq!(windows(root.path(), at(0).date()).unwrap().len(), 2);
    }
}
