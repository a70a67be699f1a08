//! What is done to a catalog between recordings: grades of days, and what is too old.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use qt_market::quality::DayGrade;
use qt_model::record::Kind;
use qt_model::time::{Date, Ts};
use qt_model::words::Word;
use qt_stream::catalog::{Catalog, Partition, Selection, WriterLock};
use qt_stream::wal::{Folder, Tier};

use super::ledger::{days, graded};
use super::open::database_root;
use super::tables::{Class, table};

/// Grades the market data of every closed day that the ledger knows. Returns how many partitions
/// have another grade than before.
pub fn grade_days(root: &Path, lock: &WriterLock, today: Date) -> io::Result<u64> {
    let catalog = Catalog::new(root);
    let known = days(root)?;
    let mut grades: BTreeMap<Date, BTreeMap<String, DayGrade>> = BTreeMap::new();
    let mut changed = 0;
    for partition in catalog.partitions(&Selection::default())? {
        let is_closed = partition.date < today && known.contains(&partition.date);
        let Some(symbol) = partition.symbol.as_ref().filter(|_| is_closed) else { continue };
        if !partition.kind.is_market() {
            continue;
        }
        let date = partition.date;
        let of_day = match grades.entry(date) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(graded(root, date)?),
        };
        if let Some(grade) = of_day.get(symbol.venue()) {
            let word = grade.graded.grade.word();
            changed += u64::from(catalog.set_grade(lock, &partition, word)?);
        }
    }
    Ok(changed)
}

/// The log of the catalog, and that of a database where there is one.
fn logs(root: &Path) -> Vec<(&'static str, Folder)> {
    let database = database_root(root);
    let mut logs = vec![("", Folder::of(root))];
    if database.is_dir() {
        logs.push(("clickhouse ", Folder::of(&database)));
    }
    logs
}

/// How long records of a kind are kept, in days.
pub fn kept_days(kind: Kind) -> i32 {
    match (table(kind).class, kind) {
        (Class::Market, _) => 183,
        (_, Kind::Verdict | Kind::Breach | Kind::Enforcement | Kind::Lockout | Kind::Audit) => 730,
        (Class::Orders | Class::Fills, _) | (_, Kind::Diff) => 365,
        (_, Kind::Equity) | (Class::Latency, _) => 30,
        (Class::Profit | Class::Runs | Class::Logs, _) => 90,
    }
}

/// How long files of a tier of the log are kept, in days. What is pending is never too old.
pub fn kept_tier_days(tier: Tier) -> Option<u64> {
    match tier {
        Tier::Pending => None,
        Tier::DeadLetters => Some(7),
        Tier::Corrupt => Some(30),
        Tier::Archive => Some(14),
    }
}

/// Something that is older than it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expired {
    Partition(Partition),
    LogFile(Tier, PathBuf),
}

/// What retention found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    pub scanned: u64,
    /// Partitions that are too old and stay, since something refers to them.
    pub pinned: u64,
    pub expired: Vec<Expired>,
}

/// Looks for what is too old. `pinned` names paths that must stay, such as those that a kept run
/// refers to.
pub fn expired(root: &Path, now: Ts, pinned: &dyn Fn(&Partition) -> bool) -> io::Result<Expiry> {
    let mut found = Expiry::default();
    let today = now.date();
    for partition in Catalog::new(root).partitions(&Selection::default())? {
        found.scanned += 1;
        if partition.date >= today.plus_days(-kept_days(partition.kind)) {
            continue;
        }
        if pinned(&partition) {
            found.pinned += 1;
        } else {
            found.expired.push(Expired::Partition(partition));
        }
    }
    for (folder, tier) in
        logs(root).into_iter().flat_map(|log| Tier::ALL.map(|it| (log.1.clone(), it)))
    {
        for name in folder.files(tier)? {
            found.scanned += 1;
            let path = folder.file(tier, &name);
            // A file of old records may be new in its tier, so its own age counts.
            let age = fs::metadata(&path)?.modified()?;
            let age = SystemTime::now().duration_since(age).unwrap_or_default();
            let day = Duration::from_secs(86_400);
            if kept_tier_days(tier).is_some_and(|days| age > day * u32::try_from(days).unwrap_or(0))
            {
                found.expired.push(Expired::LogFile(tier, path));
            }
        }
    }
    Ok(found)
}

/// Deletes one thing that is too old. Returns its bytes.
pub fn delete(root: &Path, lock: &WriterLock, expired: &Expired) -> io::Result<u64> {
    match expired {
        Expired::Partition(partition) => Catalog::new(root).remove(lock, partition),
        Expired::LogFile(_, path) => {
            let bytes = fs::metadata(path)?.len();
            fs::remove_file(path)?;
            Ok(bytes)
        }
    }
}

/// The catalog as `status` sees it.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    pub is_recording: bool,
    /// The tiers of each log: whose it is, in front of its name.
    pub tiers: Vec<(&'static str, Tier, qt_stream::wal::TierStat)>,
    /// The last window of the ledger.
    pub window: Option<super::ledger::WindowLine>,
    /// What is wrong, in words. Empty is well.
    pub complaints: Vec<String>,
}

/// Files may be pending for so long while somebody loads them.
const PENDING_SECONDS_MAX: i64 = 300;

pub fn condition(root: &Path, now: Ts) -> io::Result<Condition> {
    let mut condition = Condition { is_recording: is_recording(root), ..Condition::default() };
    let limits = qt_stream::wal::DiskLimits::default();
    for (whose, folder, tier) in
        logs(root).into_iter().flat_map(|log| Tier::ALL.map(|tier| (log.0, log.1.clone(), tier)))
    {
        let stat = folder.stat(tier)?;
        condition.tiers.push((whose, tier, stat));
        let waited = stat.oldest.map_or(0, |oldest| now.since(oldest) / 1_000_000_000);
        let mut complain = |text: String| condition.complaints.push(format!("{whose}{text}"));
        match tier {
            Tier::Pending if limits.level(stat.bytes) > qt_stream::wal::WalLevel::Normal => {
                complain(format!("the log holds {} bytes", stat.bytes));
            }
            Tier::Pending if waited > PENDING_SECONDS_MAX => {
                complain(format!("files of the log have waited for {waited} s"));
            }
            Tier::DeadLetters if stat.files > 0 => {
                complain(format!("{} files of dead letters", stat.files));
            }
            Tier::Corrupt if stat.files > 0 => complain(format!("{} corrupt files", stat.files)),
            Tier::Pending | Tier::DeadLetters | Tier::Corrupt | Tier::Archive => {}
        }
    }
    let quarantined = Catalog::new(root).quarantined()?;
    if let Some(first) = quarantined.first() {
        let (count, path) = (quarantined.len(), first.path.display());
        condition.complaints.push(format!("{count} files in quarantine, the first {path}"));
    }
    if let Some(day) = days(root)?.pop() {
        condition.window = super::ledger::windows(root, day)?.pop();
    }
    if let Some(window) = condition.window.as_ref().filter(|window| window.grade != "good") {
        let reasons = window.reasons.join(", ");
        let text = format!("the window from {} is {}: {reasons}", window.start, window.grade);
        condition.complaints.push(text);
    }
    Ok(condition)
}

fn is_recording(root: &Path) -> bool {
    root.is_dir() && WriterLock::take(root).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_kept_for_as_long_as_the_table_says() {
        for (kind, days) in [
            (Kind::Trade, 183),
            (Kind::Depth, 183),
            (Kind::Fill, 365),
            (Kind::Order, 365),
            (Kind::Diff, 365),
            (Kind::Audit, 730),
            (Kind::Breach, 730),
            (Kind::Position, 90),
            (Kind::Run, 90),
            (Kind::Equity, 30),
            (Kind::Health, 30),
        ] {
            assert_eq!(kept_days(kind), days, "{}", kind.name());
        }
    }

    #[test]
    fn what_is_pending_is_never_too_old() {
        assert_eq!(kept_tier_days(Tier::Pending), None);
        assert_eq!(Tier::ALL.map(kept_tier_days), [None, Some(7), Some(30), Some(14)]);
    }
}
