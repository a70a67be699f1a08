//! Bars against rules so plain that they can be believed.

use proptest::prelude::*;
use qt_model::record::{Head, Level};
use qt_model::words::{BarClock, Side};
use rust_decimal::Decimal;

use super::*;

const SECOND: i64 = 1_000_000_000;

/// Prints and quotes, each a millisecond after its venue's time.
struct Tape {
    batch: Batch,
    ids: Vec<InstrumentId>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    ms: i64,
    px: i64,
    qty: i64,
    side: Option<Side>,
}

fn row(ms: i64, px: i64, qty: i64) -> Row {
    Row { ms, px, qty, side: None }
}

impl Tape {
    fn new() -> Self {
        let mut table = Instruments::default();
        let scale = |digits| Scale::new(digits).unwrap();
        let ids = ["x:A", "x:B"].map(|symbol| {
            let symbol = Symbol::new(symbol).unwrap();
            table.declare(Instrument::new(symbol, scale(2), scale(1))).unwrap()
        });
        Self { batch: Batch::new(Arc::new(table)), ids: ids.to_vec() }
    }

    fn head(&self, lane: usize, ms: i64) -> Head {
        let nanos = |ms: i64| Ts::from_nanos(ms * 1_000_000);
        // Received in order, whatever the venue's clock says.
        let last = self.batch.slots().last().map_or(Ts::MIN, |slot| slot.ts_recv);
        let seq = self.batch.len() as u64;
        Head::new(nanos(ms), nanos(ms + 1).max(last), seq, Some(self.ids[lane]))
    }

    fn print_of(mut self, lane: usize, row: Row) -> Self {
        let head = self.head(lane, row.ms);
        let (px, qty) = (Px::new(row.px), Qty::new(row.qty).unwrap());
        self.batch.push_row(Trade { head, px, qty, side: row.side, id: None }, &[]);
        self
    }

    fn prints(self, rows: &[Row]) -> Self {
        rows.iter().fold(self, |tape, row| tape.print_of(0, *row))
    }

    fn quote(mut self, ms: i64, bid: i64, ask: i64) -> Self {
        let head = self.head(0, ms);
        let px = |px: i64| (px != 0).then(|| Px::new(px));
        let quote = Quote {
            head,
            bid_px: px(bid),
            bid_qty: None,
            ask_px: px(ask),
            ask_qty: None,
            id: None,
        };
        self.batch.push_row(quote, &[]);
        self
    }

    fn run(&self, rules: Rules, pieces: usize) -> (Vec<Bar>, Tally, Batch) {
        let mut bars = Bars::new(rules).unwrap();
        let mut out = Batch::default();
        for start in (0..self.batch.len()).step_by(pieces) {
            let mut piece = Batch::new(Arc::clone(self.batch.instruments()));
            piece.push_range(&self.batch, start, self.batch.len().min(start + pieces));
            bars.batch(&piece, &mut out).unwrap();
        }
        bars.finish(&mut out);
        (out.rows::<Bar>().to_vec(), *bars.tally(), out)
    }

    fn bars(&self, rules: Rules) -> Vec<Bar> {
        self.run(rules, 1_000).0
    }
}

fn rules(every: &str) -> Rules {
    let every = every.split(',').map(|text| Every::parse(text).unwrap()).collect();
    Rules { every, only: true, unfinished: true, ..Rules::default() }
}

/// Opening second, prices, size and prints of bars.
fn shown(bars: &[Bar]) -> Vec<(i64, [i64; 4], i64, u64)> {
    let of = |bar: &Bar| {
        let px = [bar.open, bar.high, bar.low, bar.close].map(Px::mantissa);
        (bar.open_ts.nanos() / SECOND, px, bar.volume.mantissa(), bar.trades.unwrap())
    };
    bars.iter().map(of).collect()
}

#[test]
fn a_bar_of_time_holds_the_prints_of_its_interval() {
    let tape = Tape::new().prints(&[
        row(61_000, 100, 5),
        row(90_000, 120, 1),
        row(119_999, 90, 2),
        row(120_000, 95, 7),
        row(310_000, 99, 1),
    ]);
    let bars = tape.bars(Rules { unfinished: false, ..rules("1m") });
    assert_eq!(shown(&bars), [(60, [100, 120, 90, 90], 8, 3), (120, [95, 95, 95, 95], 7, 1)]);
    let [first, second] = &bars[..] else { panic!("two bars") };
    assert_eq!((first.clock, first.step), (BarClock::Time, Decimal::from(60 * SECOND)));
    assert_eq!(first.head.ts_event.nanos(), 120 * SECOND, "its end");
    assert_eq!(first.head.ts_recv.nanos(), 120_001_000_000, "when that was known");
    assert_eq!((first.head.seq, second.head.seq), (0, 1));
    assert_eq!(first.notional, Some("0.80".parse().unwrap()));
    assert_eq!(first.buy_volume, None, "no side was given");
    let (_, tally, _) = tape.run(Rules { unfinished: false, ..rules("1m") }, 9);
    assert_eq!((tally.bars, tally.unfinished), (2, 1));
    assert_eq!(tape.bars(rules("1m")).len(), 3);
}

#[test]
fn empty_intervals_repeat_the_close_when_asked() {
    let tape = Tape::new().prints(&[row(0, 100, 5), row(1_000, 101, 5), row(240_500, 90, 1)]);
    assert_eq!(tape.bars(rules("1m")).len(), 2);
    let filled = tape.bars(Rules { fill_empty: true, ..rules("1m") });
    let empty = |open| (open, [101; 4], 0, 0);
    let last = (240, [90; 4], 1, 1);
    assert_eq!(
        shown(&filled),
        [(0, [100, 101, 100, 101], 10, 2), empty(60), empty(120), empty(180), last]
    );
    let long = Tape::new().prints(&[row(0, 1, 1), row(1_000_000_000, 1, 1)]);
    let (bars, tally, _) = long.run(Rules { fill_empty: true, ..rules("1ms") }, 9);
    assert_eq!((bars.len() as u64, tally.unfilled), (series::FILL_MAX + 2, 1));
}

#[test]
fn late_prints_count_in_the_bar_at_hand_or_nowhere() {
    let rows = [row(59_000, 100, 5), row(60_000, 101, 5), row(59_999, 200, 1), row(61_000, 99, 1)];
    let tape = Tape::new().prints(&rows);
    let (bars, tally, _) = tape.run(rules("1m"), 9);
    assert_eq!((shown(&bars)[1], tally.late), ((60, [101, 200, 99, 99], 7, 3), 1));
    let (bars, tally, _) = tape.run(Rules { late: Late::Drop, ..rules("1m") }, 9);
    assert_eq!((shown(&bars)[1], tally.late), ((60, [101, 101, 99, 99], 6, 2), 1));
}

#[test]
fn prints_without_size_are_no_prints() {
    let tape = Tape::new().prints(&[row(1, 100, 0), row(2, 101, 5), row(3, 500, 0)]);
    let (bars, tally, _) = tape.run(rules("2ticks"), 9);
    assert_eq!((shown(&bars), tally.sizeless), (vec![(0, [101; 4], 5, 1)], 2));
}

#[test]
fn sessions_begin_intervals_and_end_bars() {
    let ts = |second: i64| Ts::from_nanos(second * SECOND);
    let calendar = Calendar::new(vec![(ts(90), ts(200)), (ts(1_000), ts(1_100))]);
    let rows = [
        row(80_000, 1, 1),
        row(95_000, 2, 1),
        row(155_000, 3, 1),
        row(199_999, 4, 1),
        row(200_000, 5, 1),
        row(1_070_000, 6, 1),
    ];
    let tape = Tape::new().prints(&rows);
    let (bars, tally, _) = tape.run(Rules { calendar: calendar.clone(), ..rules("1m") }, 9);
    assert_eq!(
        shown(&bars),
        [(90, [2; 4], 1, 1), (150, [3, 4, 3, 4], 2, 2), (1_060, [6; 4], 1, 1)]
    );
    assert_eq!((tally.outside, bars[1].head.ts_event), (2, ts(200)), "cut at the close");
    let by_count = tape.bars(Rules { calendar: calendar.clone(), ..rules("100ticks") });
    assert_eq!(shown(&by_count), [(95, [2, 4, 2, 4], 3, 3), (1_070, [6; 4], 1, 1)]);
    let filled = tape.bars(Rules { calendar, fill_empty: true, ..rules("1m") });
    let opens: Vec<i64> = shown(&filled).iter().map(|bar| bar.0).collect();
    assert_eq!(opens, [90, 150, 1_000, 1_060], "closed hours have no bars");
}

#[test]
fn weeks_begin_on_mondays_and_days_at_midnight() {
    let monday = Ts::parse(b"2024-08-05T00:00:00Z").unwrap();
    let thursday = monday.nanos() / 1_000_000 + 3 * 86_400_000 + 7;
    let bars = Tape::new().prints(&[row(thursday, 1, 1)]).bars(rules("1w,1d"));
    assert_eq!(bars[0].open_ts, monday);
    assert_eq!(bars[1].open_ts.to_string(), "2024-08-08T00:00:00.000000000Z");
    assert_eq!((bars[0].head.seq, bars[1].head.seq), (0, 1), "series share their numbers");
}

#[test]
fn quotes_have_exact_middles_and_no_size() {
    let tape = Tape::new().quote(0, 100, 101).quote(1, 98, 103).quote(2, 0, 120).quote(3, 97, 103);
    let bars = tape.bars(Rules { of: Of::Mid, ..rules("3ticks") });
    assert_eq!(shown(&bars), [(0, [1_005, 1_005, 1_000, 1_000], 0, 3)]);
    assert_eq!((bars[0].notional, bars[0].buy_volume), (None, None));
    let bars = tape.bars(Rules { of: Of::Ask, ..rules("4ticks") });
    assert_eq!(shown(&bars), [(0, [101, 120, 101, 103], 0, 4)]);
    let refused = |rules| Bars::new(rules).map(|_| ()).unwrap_err();
    assert_eq!(refused(Rules { of: Of::Bid, ..rules("1volume") }), BarError::NeedsTrades("volume"));
    assert_eq!(
        refused(Rules { of: Of::Mid, only: false, ..rules("1m") }),
        BarError::MidBesideRecords
    );
}

#[test]
fn what_an_instrument_cannot_hold_is_an_error() {
    let tape = Tape::new().prints(&[row(0, 1, 1)]);
    let fails = |tape: &Tape, rules| {
        Bars::new(rules).unwrap().batch(&tape.batch, &mut Batch::default()).unwrap_err().to_string()
    };
    assert_eq!(
        fails(&tape, rules("0.25volume")),
        "a bar of x:A cannot take 0.25: the instrument has not so many decimals"
    );
    let most = qt_model::decimal::MAX_MANTISSA;
    let huge = Tape::new().prints(&[row(0, 1, most), row(1, 1, 1)]);
    assert!(fails(&huge, rules("1m")).contains("beyond 18 digits"));
    let wide = Tape::new().quote(0, most, most);
    assert!(fails(&wide, Rules { of: Of::Mid, ..rules("1m") }).contains("middle"));
}

#[test]
fn a_market_without_direction_ends_learning_bars_by_chance() {
    // A generator of its own: the lengths are about what was expected, whatever the draws.
    let mut state = 7_u64;
    let mut coin = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if state >> 63 == 0 { Side::Buy } else { Side::Sell }
    };
    let draw = |at| Row { side: Some(coin()), ..row(at, 100, 1) };
    let fair = Tape::new().prints(&(0..60_000).map(draw).collect::<Vec<_>>());
    let buys = |at| Row { side: Some(Side::Buy), ..row(at, 100, 1) };
    let one_sided = Tape::new().prints(&(0..60_000).map(buys).collect::<Vec<_>>());
    for every in ["imbalance", "run"] {
        let mean = 60_000 / fair.bars(rules(every)).len();
        assert!((200..4_000).contains(&mean), "{every}: {mean} prints a bar");
        let prints: Vec<u64> =
            one_sided.bars(rules(every)).iter().map(|bar| bar.trades.unwrap()).collect();
        assert!(prints[0] < 1_000, "{every}: {prints:?}");
    }
}

/// Bars as lists of prints, by a rule that says when a list is full.
fn model(rows: &[Row], is_full: impl Fn(&[Row]) -> bool) -> Vec<(i64, [i64; 4], i64, u64)> {
    let mut bars: Vec<Vec<Row>> = vec![Vec::new()];
    for row in rows.iter().filter(|row| row.qty > 0) {
        if is_full(bars.last().unwrap()) {
            bars.push(Vec::new());
        }
        bars.last_mut().unwrap().push(*row);
    }
    bars.retain(|bar| !bar.is_empty());
    bars.iter().map(|bar| summed(bar)).collect()
}

fn summed(bar: &[Row]) -> (i64, [i64; 4], i64, u64) {
    let px = || bar.iter().map(|row| row.px);
    let (high, low) = (px().max().unwrap(), px().min().unwrap());
    let qty = bar.iter().map(|row| row.qty).sum();
    (bar[0].ms / 1_000, [bar[0].px, high, low, bar[bar.len() - 1].px], qty, bar.len() as u64)
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let side = prop_oneof![Just(Some(Side::Buy)), Just(Some(Side::Sell))];
    let step = (0_i64..40_000, -20_i64..20, 0_i64..50, side);
    prop::collection::vec(step, 1..200).prop_map(|steps| {
        let (mut ms, mut px) = (0, 50);
        let row = |(wait, step, qty, side): (i64, i64, i64, Option<Side>)| {
            (ms, px) = (ms + wait, px + step);
            Row { ms, px, qty, side }
        };
        steps.into_iter().map(row).collect()
    })
}

proptest! {
    #[test]
    fn every_clock_does_what_its_rule_says(rows in rows(), pieces in 1_usize..40) {
        let tape = Tape::new().prints(&rows);
        let found = |every: &str| shown(&tape.run(rules(every), pieces).0);
        let signed = |row: &Row| if row.side == Some(Side::Buy) { row.qty } else { -row.qty };
        let side = |bar: &[Row], side| bar.iter().filter(|row| row.side == Some(side)).map(|row| row.qty).sum::<i64>();
        prop_assert_eq!(found("7ticks"), model(&rows, |bar| bar.len() == 7));
        prop_assert_eq!(found("10volume"), model(&rows, |bar| bar.iter().map(|row| row.qty).sum::<i64>() >= 100));
        // Hundredths times tenths: two and a half is 2500 thousandths.
        prop_assert_eq!(found("2.5notional"), model(&rows, |bar| bar.iter().map(|row| (row.px * row.qty).abs()).sum::<i64>() >= 2_500));
        prop_assert_eq!(found("6imbalance"), model(&rows, |bar| bar.iter().map(signed).sum::<i64>().abs() >= 60));
        prop_assert_eq!(found("6run"), model(&rows, |bar| side(bar, Side::Buy).max(side(bar, Side::Sell)) >= 60));
    }

    #[test]
    fn time_bars_are_groups_of_equal_intervals(rows in rows(), pieces in 1_usize..40) {
        let found = shown(&Tape::new().prints(&rows).run(rules("15s"), pieces).0);
        let mut groups = std::collections::BTreeMap::<i64, Vec<Row>>::new();
        for row in rows.iter().filter(|row| row.qty > 0) {
            groups.entry(row.ms.div_euclid(15_000) * 15).or_default().push(*row);
        }
        let expected: Vec<_> = groups.iter().map(|(open, bar)| {
            let (_, px, qty, prints) = summed(bar);
            (*open, px, qty, prints)
        }).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn money_and_bought_size_add_up(rows in rows()) {
        let bars = Tape::new().prints(&rows).bars(rules("1m,9ticks"));
        let total: i64 = rows.iter().map(|row| row.px * row.qty).sum();
        let bought: i64 = rows.iter().filter(|row| row.side == Some(Side::Buy)).map(|row| row.qty).sum();
        for clock in [BarClock::Time, BarClock::Tick] {
            let of = || bars.iter().filter(|bar| bar.clock == clock);
            prop_assert_eq!(of().filter_map(|bar| bar.notional).sum::<Decimal>(), Decimal::new(total, 3));
            prop_assert_eq!(of().filter_map(|bar| bar.buy_volume).map(Qty::mantissa).sum::<i64>(), bought);
        }
    }

    #[test]
    fn the_stream_stays_in_order_and_does_not_depend_on_batches(
        rows in rows(), lanes in prop::collection::vec(0_usize..2, 200), pieces in 1_usize..30,
    ) {
        let mut tape = Tape::new();
        for (at, (row, lane)) in rows.iter().zip(lanes).enumerate() {
            tape = tape.print_of(lane, *row);
            if at % 5 == 0 {
                let head = tape.head(1 - lane, row.ms);
                let level = Level { px: Px::new(1), qty: Qty::ZERO, side: Side::Buy };
                let action = qt_model::words::DepthAction::Delta;
                let depth = qt_model::record::Depth { head, action, first_id: None, last_id: None, prev_id: None };
                tape.batch.push_row(depth, &[level]);
            }
        }
        prop_assume!(tape.batch.settle());
        let rules = Rules { only: false, fill_empty: true, ..rules("15s,3ticks") };
        let (_, _, whole) = tape.run(rules.clone(), 10_000);
        let mut watch = crate::order::Watch::default();
        for record in whole.iter() {
            prop_assert_eq!(watch.check(Key::of(&record), whole.instruments()), None);
        }
        let (_, _, cut) = tape.run(rules, pieces);
        prop_assert!(whole.iter().eq(cut.iter()));
        let passed: Vec<_> = whole.iter().filter(|record| record.kind() != Kind::Bar).collect();
        prop_assert!(passed.into_iter().eq(tape.batch.iter()));
    }
}
