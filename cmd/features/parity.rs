//! The same features twice: as they are computed, over blocks of events, and beside them one record
//! at a time, the way a live session does. The rows must be equal to the bit.

use qt_market::features::{Engine, Row, Rows};
use qt_model::record::Batch;

/// The engine in the shadow, and what it found.
#[derive(Debug)]
pub(super) struct Shadow {
    engine: Engine,
    one: Batch,
    rows: u64,
    different: u64,
    /// Where the first difference is.
    first: Option<String>,
}

impl Shadow {
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine, one: Batch::default(), rows: 0, different: 0, first: None }
    }

    /// Computes the rows of a batch again and compares.
    pub(super) fn compare(&mut self, batch: &Batch, rows: &Rows<'_>) {
        self.one.set_instruments(batch.instruments().clone());
        for at in 0..batch.len() {
            self.one.clear();
            self.one.push(batch.get(at));
            let single = self.engine.annotate(&self.one).of(0);
            let row = rows.of(at);
            self.rows += u64::from(row.is_some());
            if !are_equal(row, single) {
                self.different += 1;
                let head = batch.head(at);
                self.first
                    .get_or_insert_with(|| format!("at {} with seq {}", head.ts_recv, head.seq));
            }
        }
    }

    pub(super) fn is_equal(&self) -> bool {
        self.different == 0
    }

    /// What is to be said at the end.
    pub(super) fn verdict(&self) -> String {
        let Self { rows, different, .. } = self;
        match &self.first {
            None => format!("shadow parity: {rows} rows, all equal to the bit"),
            Some(first) => {
                format!("shadow parity: {rows} rows, {different} differ, the first {first}")
            }
        }
    }
}

fn are_equal(left: Option<Row<'_>>, right: Option<Row<'_>>) -> bool {
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => {
            // Absent is absent, whatever the bits of it.
            let bits = |value: &f64| if value.is_nan() { None } else { Some(value.to_bits()) };
            (left.warm, left.flags) == (right.warm, right.flags)
                && left.values.iter().map(bits).eq(right.values.iter().map(bits))
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use qt_market::features::{EngineOptions, Plan, Program, parse_list};
    use qt_model::record::Source;
    use qt_sim::synth::{Config, Market};

    use super::*;

    fn engine(list: &str) -> Engine {
        let plan = Plan::new(&parse_list(list).unwrap()).unwrap();
        Engine::new(Program::new(plan), EngineOptions::default(), Box::new(|_| true))
    }

    fn shadow_of(list: &str) -> Shadow {
        let config = Config { duration_ns: Some(60_000_000_000), ..Config::default() };
        let mut market = Market::new(&config).unwrap();
        let mut engine = engine("std(ret(mid, 1), 20), vwap(9)");
        let mut shadow = Shadow::new(self::engine(list));
        let mut batch = Batch::default();
        while market.next(&mut batch).unwrap() {
            let rows = engine.annotate(&batch);
            shadow.compare(&batch, &rows);
        }
        shadow
    }

    #[test]
    fn a_shadow_finds_what_differs_and_nothing_else() {
        let same = shadow_of("std(ret(mid, 1), 20), vwap(9)");
        assert!(same.is_equal() && same.rows > 100, "{}", same.verdict());
        let other = shadow_of("std(ret(mid, 1), 21), vwap(9)");
        assert!(other.different > 100, "{}", other.verdict());
        assert!(other.verdict().contains("the first at "), "{}", other.verdict());
    }
}
