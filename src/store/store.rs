//! A database whose tables are the ones that this program knows.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use qt_model::instrument::{Instrument, Symbol};
use qt_model::record::{Batch, Kind};
use qt_model::time::Ts;
use rustls::ClientConfig;

use crate::address::{Address, Credentials};
use crate::client::Client;
use crate::error::StoreError;
use crate::native;
use crate::tables::{self, GRADES, LEDGER, Table, literal, quoted};

/// What a question whether somebody is there may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long records of a kind are kept, in days.
pub type KeptDays = fn(Kind) -> i32;

/// A store. Threads may share it.
#[derive(Debug)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) database: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) kept_days: KeptDays,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_ready: bool,
    /// Instruments whose terms were inserted.
    declared: BTreeSet<Vec<u8>>,
}

/// Where the series of a venue end: what to go on behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// The next number of each kind and symbol.
    pub next: BTreeMap<(Kind, String), u64>,
    pub last: Option<Ts>,
}

impl Store {
    /// A store at that address. Nobody is asked yet.
    pub fn new(
        address: &Address,
        credentials: &Credentials,
        tls: &ClientConfig,
        kept_days: KeptDays,
    ) -> io::Result<Self> {
        let client = Client::new(address, credentials, tls)?;
        let (database, tables) = (address.database.clone(), Table::all().collect());
        Ok(Self { client, database, tables, kept_days, state: Mutex::default() })
    }

    /// The address, for messages.
    pub fn name(&self) -> &str {
        &self.client.name
    }

    pub(crate) fn table(&self, kind: Kind) -> &Table {
        &self.tables[kind.index()]
    }

    /// A table's name in a statement.
    pub(crate) fn place(&self, table: &str) -> String {
        format!("{}.{}", quoted(&self.database), quoted(table))
    }

    /// Whether the server answers.
    pub fn probe(&self) -> Result<(), StoreError> {
        self.client.rows_within("SELECT 1", PROBE_TIMEOUT).map(|_| ())
    }

    /// The statements that make the database and its tables.
    pub fn statements(&self) -> Vec<String> {
        let records = self
            .tables
            .iter()
            .map(|table| table.create(&self.database, (self.kept_days)(table.kind)));
        let instruments = Table::of_instruments().create(&self.database, 0);
        [
            tables::create_database(&self.database),
            tables::create_ledger(&self.database),
            tables::create_grades(&self.database),
            instruments,
        ]
        .into_iter()
        .chain(records)
        .chain([tables::create_bars(&self.database)])
        .collect()
    }

    /// Makes what is missing, then compares.
    pub fn create(&self) -> Result<(), StoreError> {
        for statement in self.statements() {
            self.client.execute(&statement)?;
        }
        self.check()
    }

    /// Compares the tables of the database with what this program writes and reads.
    pub fn check(&self) -> Result<(), StoreError> {
        let database = literal(&self.database);
        let found = self.client.rows(&format!(
            "SELECT name, comment FROM system.tables WHERE database = {database}"
        ))?;
        let found: BTreeMap<&str, &str> = found
            .iter()
            .filter_map(|row| Some((row.first()?.as_str(), row.get(1)?.as_str())))
            .collect();
        let columns = self.client.rows(&format!(
            "SELECT table, name, type FROM system.columns WHERE database = {database} AND \
             default_kind != 'ALIAS'"
        ))?;
        let mut types: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for row in &columns {
            if let [table, name, ty] = row.as_slice() {
                types.insert((table, name), ty);
            }
        }
        if let Some(table) = [LEDGER, GRADES].into_iter().find(|it| !found.contains_key(it)) {
            return Err(self.missing(&found, table));
        }
        for table in self.tables.iter().chain([&Table::of_instruments()]) {
            let Some(comment) = found.get(table.name) else {
                return Err(self.missing(&found, table.name));
            };
            self.compare(table, comment, &types)?;
        }
        self.state().is_ready = true;
        Ok(())
    }

    fn missing(&self, found: &BTreeMap<&str, &str>, table: &str) -> StoreError {
        let what = match found.is_empty() {
            true => "such database, or it is empty".to_owned(),
            false => format!("table `{table}`"),
        };
        StoreError::Missing { store: self.name().to_owned(), what }
    }

    fn compare(
        &self,
        table: &Table,
        comment: &str,
        types: &BTreeMap<(&str, &str), &str>,
    ) -> Result<(), StoreError> {
        let other = |message: String| StoreError::Schema {
            store: self.name().to_owned(),
            table: table.name.to_owned(),
            message,
        };
        let known = tables::VERSION;
        if let Some(version) = tables::version_of(comment).filter(|version| *version != known) {
            return Err(other(format!("it has schema version {version}, this qt knows {known}")));
        }
        for column in &table.columns {
            let wanted = column.form.stored();
            match types.get(&(table.name, column.name.as_str())) {
                Some(found) if **found == wanted => {}
                Some(found) => {
                    let name = &column.name;
                    return Err(other(format!("`{name}` is {found}, expected {wanted}")));
                }
                None => return Err(other(format!("there is no `{}`", column.name))),
            }
        }
        Ok(())
    }

    /// Looks once whether the tables are there, and makes them if not.
    pub fn prepare(&self) -> Result<(), StoreError> {
        if self.state().is_ready {
            return Ok(());
        }
        match self.check() {
            Err(StoreError::Missing { .. }) => self.create(),
            other => other,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Inserts the terms of the instruments that records name, those that were not yet.
    pub(crate) fn declare(&self, batch: &Batch, places: &[usize]) -> Result<(), StoreError> {
        let mut ids: Vec<_> = places.iter().filter_map(|at| batch.head(*at).instrument).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let instrument = batch.instruments().get(id);
            let body = native::encode_instrument(instrument)
                .map_err(|unfit| self.unfit(&unfit.to_string()))?;
            if self.state().declared.contains(&body) {
                continue;
            }
            let table = Table::of_instruments();
            self.client.insert(&self.into(&table), body.clone(), &native::hash(&table, &body))?;
            self.state().declared.insert(body);
        }
        Ok(())
    }

    pub(crate) fn unfit(&self, message: &str) -> StoreError {
        StoreError::Server { store: self.name().to_owned(), message: message.to_owned() }
    }

    /// The statement in front of a block.
    pub(crate) fn into(&self, table: &Table) -> String {
        let names = Table::names(&table.columns);
        format!("INSERT INTO {} ({names}) FORMAT Native", self.place(table.name))
    }

    /// The instruments of the store. One that changed its terms stands there more than once.
    pub fn instruments(&self) -> Result<Vec<Instrument>, StoreError> {
        let table = Table::of_instruments();
        let sql = format!(
            "SELECT {} FROM {} ORDER BY sym, loaded_at",
            select(&table.columns),
            self.place(table.name)
        );
        let bytes = self.client.bytes(&sql, "Native")?;
        native::decode_instruments(&table, &bytes).map_err(|message| self.client.misread(message))
    }

    /// Where the series of a venue end.
    pub fn ends(&self, venue: &str) -> Result<Ends, StoreError> {
        let mut ends = Ends::default();
        let venue = literal(&format!("{venue}:"));
        let of_kind = |kind: &Kind| {
            format!(
                "SELECT {} AS kind, toString(sym), max(seq) + 1, \
                 toUnixTimestamp64Nano(max(ts_recv)) FROM {} WHERE startsWith(sym, {venue}) GROUP \
                 BY sym",
                literal(kind.name()),
                self.place(kind.name())
            )
        };
        let all: Vec<String> =
            Kind::ALL.iter().filter(|kind| kind.is_market()).map(of_kind).collect();
        for row in self.client.rows(&all.join(" UNION ALL "))? {
            let known = match row.as_slice() {
                [kind, sym, next, last] => Kind::from_name(kind)
                    .zip(Symbol::new(sym).ok())
                    .zip(next.parse::<u64>().ok().zip(last.parse::<i64>().ok())),
                _ => None,
            };
            let Some(((kind, sym), (next, last))) = known else {
                return Err(self.client.misread("makes no sense where a series ends"));
            };
            ends.next.insert((kind, sym.to_string()), next);
            ends.last = ends.last.max(Some(Ts::from_nanos(last)));
        }
        Ok(ends)
    }
}

/// Columns as they are read: words come as plain texts.
pub(crate) fn select(columns: &[tables::Column]) -> String {
    let one = |column: &tables::Column| {
        let name = quoted(&column.name);
        match column.form.ty {
            tables::Type::Word => format!("CAST({name}, '{}') AS {name}", column.form.sent()),
            tables::Type::Bool
            | tables::Type::U8
            | tables::Type::U64
            | tables::Type::I64
            | tables::Type::F64
            | tables::Type::Time
            | tables::Type::Money
            | tables::Type::Text => name,
        }
    };
    columns.iter().map(one).collect::<Vec<_>>().join(", ")
}
