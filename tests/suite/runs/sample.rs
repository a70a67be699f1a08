//! A run of a strategy that rests on both sides of a random market: seeded, and told through the
//! same statistics and files as any other.

use std::path::Path;
use std::sync::Arc;

use qt_model::ids::{DecisionId, FillId, InstrumentId, OrderId, StrategyId};
use qt_model::instrument::{Instrument, Instruments, Symbol};
use qt_model::order::{Cash, CashFlow, CashReason, Currency, Execution, FillNo, OrderNo};
use qt_model::record::{Batch, Decision, Equity, Fill, Head, Order};
use qt_model::time::Ts;
use qt_model::units::{Px, Qty, Scale};
use qt_model::words::{
    DecisionAction, Liquidity, OrderStatus, OrderType, RunKind, RunStatus, Side, TimeInForce,
};
use qt_stream::runs::{Assumption, BandRow, Dataset, Input, Manifest, RunWriter, Strategy, run_id};
use qt_trade::metrics::{
    FillContext, Money, Options, OrderEvent, Plan, Queue, SplitMix64, Statistics, Touch, Trials,
    Value, Worth,
};
use rust_decimal::Decimal;

pub(crate) const LANES: [&str; 3] = ["calibrated", "pessimistic", "optimistic"];

const START: i64 = 1_723_075_200_000_000_000;
const STEP: i64 = 30_000_000_000;

/// How a sample run goes.
#[derive(Clone, Copy)]
pub(crate) struct Plot {
    pub(crate) seed: u64,
    pub(crate) steps: i64,
    /// The step from which on this run draws other chances, to differ from its twin.
    pub(crate) departs: Option<i64>,
}

impl Plot {
    pub(crate) const SHORT: Self = Self { seed: 7, steps: 400, departs: None };
    pub(crate) const LONG: Self = Self { seed: 11, steps: 2880 * 75, departs: None };
}

struct Lane {
    statistics: Statistics,
    batch: Batch,
    id: InstrumentId,
    cash: Money,
    position: i64,
    mid: i64,
    seq: [u64; 4],
    orders: u64,
}

fn money(units: i64, scale: u32) -> Money {
    Money::exact(Decimal::new(units, scale)).unwrap()
}

impl Lane {
    fn equity(&self) -> (Money, Money) {
        // Doubled cents times thousandths.
        let held = money(self.position * self.mid * 5, 6);
        (self.cash + held, held)
    }

    fn head(&mut self, ts: Ts, stream: usize) -> Head {
        self.seq[stream] += 1;
        Head::new(ts, ts, self.seq[stream], Some(self.id))
    }

    fn value(&mut self, ts: Ts) {
        let (equity, held) = self.equity();
        self.statistics.equity(ts, Worth { equity, gross: held.abs(), net: held });
        let head = Head { instrument: None, ..self.head(ts, 3) };
        let row = Equity {
            head,
            currency: "USDT".into(),
            equity: equity.to_decimal_nearest(),
            cash: Some(self.cash.to_decimal_nearest()),
            realized: None,
            unrealized: None,
            gross_exposure: Some(held.abs().to_decimal_nearest()),
            net_exposure: Some(held.to_decimal_nearest()),
        };
        self.batch.push_row(row, &[]);
    }

    fn trade(&mut self, ts: Ts, side: Side, px: i64, size: i64, liquidity: Liquidity) {
        self.orders += 1;
        let (order, touch) = (OrderNo(self.orders), self.statistics.touch(self.id));
        let (qty, px) = (Qty::new(size).unwrap(), Px::new(px));
        let decided = Ts::from_nanos(ts.nanos() - 2_000_000_000);
        let head = self.head(decided, 0);
        let name = self.orders.to_string();
        self.batch.push_row(
            Decision {
                head,
                decision_id: DecisionId::from(name.as_str()),
                strategy: StrategyId::from("sample"),
                action: DecisionAction::Quote,
                side: Some(side),
                px: Some(px),
                qty: Some(qty),
                reason: Some(format!("position {}", self.position)),
                trace_id: None,
            },
            &[],
        );
        self.push_order(decided, &name, OrderStatus::Submitted, (side, px, qty));
        let mid = touch.and_then(Touch::mid);
        let event = OrderEvent::Submitted { instrument: self.id, side, qty, decided, mid };
        self.statistics.order(ts, order, &event);
        let rests = liquidity == Liquidity::Maker;
        let queue = rests.then(|| Queue {
            ahead: Qty::new(size * 3).unwrap(),
            level: Qty::new(size * 10).unwrap(),
        });
        self.statistics.order(ts, order, &OrderEvent::Accepted { queue });
        // Three basis points taken, one given.
        let notional = Decimal::new(px.mantissa() * size, 5);
        let rate = if rests { Decimal::new(-1, 4) } else { Decimal::new(3, 4) };
        let fee = notional * rate;
        let cash = Cash { amount: fee, currency: Currency::new("USDT").unwrap() };
        let execution = Execution { fill: FillNo(self.orders), px, qty, liquidity, fee: cash };
        self.statistics.fill(ts, order, (self.id, side), &execution, &FillContext::default());
        let signed = if side == Side::Buy { size } else { -size };
        self.position += signed;
        self.cash = self.cash - money(signed * px.mantissa(), 5) - Money::exact(fee).unwrap();
        self.push_order(ts, &name, OrderStatus::Filled, (side, px, qty));
        let head = self.head(ts, 2);
        self.batch.push_row(
            Fill {
                head,
                fill_id: FillId::from(name.as_str()),
                order_id: Some(OrderId::from(name.as_str())),
                client_order_id: None,
                venue_order_id: None,
                account: None,
                strategy: Some(StrategyId::from("sample")),
                side,
                px,
                qty,
                fee: Some(fee.normalize()),
                fee_currency: Some("USDT".into()),
                liquidity: Some(liquidity),
                trace_id: None,
            },
            &[],
        );
        self.value(ts);
    }

    fn push_order(
        &mut self,
        ts: Ts,
        name: &str,
        status: OrderStatus,
        (side, px, qty): (Side, Px, Qty),
    ) {
        let head = self.head(ts, 1);
        self.batch.push_row(
            Order {
                head,
                order_id: OrderId::from(name),
                client_order_id: None,
                venue_order_id: None,
                account: None,
                strategy: Some(StrategyId::from("sample")),
                previous: None,
                status,
                side,
                order_type: OrderType::Limit,
                time_in_force: TimeInForce::Gtc,
                qty,
                px: Some(px),
                stop_px: None,
                reduce_only: None,
                filled_qty: if status == OrderStatus::Filled { qty } else { Qty::ZERO },
                avg_px: None,
                reason: None,
                trace_id: None,
            },
            &[],
        );
    }
}

fn instruments() -> (Arc<Instruments>, InstrumentId) {
    let scale = |digits| Scale::new(digits).unwrap();
    let mut table = Instruments::default();
    let symbol = Symbol::new("sim:BTCUSDT").unwrap();
    let id = table.declare(Instrument::new(symbol, scale(2), scale(3))).unwrap();
    (Arc::new(table), id)
}

/// One lane from its first event to its last: the records and metrics go to `writer`.
fn play(
    plot: Plot,
    at: usize,
    table: &Arc<Instruments>,
    id: InstrumentId,
    writer: &mut RunWriter,
) -> BandRow {
    let mut options = Options::new(Currency::new("USDT").unwrap());
    options.bootstrap = Some(Plan { replicates: 200, block: None, seed: plot.seed });
    options.trials = Some(Trials { count: 12.0, variance: 0.005 });
    options.benchmark = Some(id);
    if plot.steps < 2880 * 3 {
        options.sample = qt_trade::metrics::Sample::every(3_600_000_000_000).unwrap();
    }
    let start = Ts::from_nanos(START);
    let statistics = Statistics::new(table, options, start, money(100_000, 0)).unwrap();
    let batch = Batch::new(Arc::clone(table));
    let (cash, mid) = (money(100_000, 0), 2 * 6_000_000);
    let mut lane = Lane { statistics, batch, id, cash, position: 0, mid, seq: [0; 4], orders: 0 };
    let mut market = SplitMix64::new(plot.seed);
    let mut chance = SplitMix64::new(plot.seed ^ 99);
    for step in 0..plot.steps {
        let ts = Ts::from_nanos(START + step * STEP);
        if plot.departs == Some(step) {
            chance = SplitMix64::new(plot.seed ^ 100);
        }
        let drift = if step / 20_000 % 3 == 1 { 0.495 } else { 0.502 };
        let jump = ((market.uniform() + market.uniform() + market.uniform()) / 3.0 - 0.5 + drift
            - 0.5)
            * 9000.0;
        lane.mid += 2 * (jump as i64 / 2);
        let half = 50 + (market.uniform() * 100.0) as i64;
        let (bid, ask) = (lane.mid / 2 - half, lane.mid / 2 + half);
        lane.statistics.mid(ts, id, Some(Touch { bid: Px::new(bid), ask: Px::new(ask) }));
        let luck = chance.uniform();
        // The models differ in how often a resting order is met.
        let rate = [0.05, 0.035, 0.07][at];
        let size = 10 + (chance.uniform() * 20.0) as i64;
        let later = Ts::from_nanos(ts.nanos() + 5_000_000_000);
        if lane.position.abs() > 300 {
            let (side, px) = if lane.position > 0 { (Side::Sell, bid) } else { (Side::Buy, ask) };
            let all = lane.position.abs();
            lane.trade(later, side, px, all, Liquidity::Taker);
        } else if luck < rate {
            let sell = chance.uniform() * 600.0 < (lane.position + 300) as f64;
            let (side, px) = if sell { (Side::Sell, ask) } else { (Side::Buy, bid) };
            lane.trade(later, side, px, size, Liquidity::Maker);
        }
        if step % 960 == 0 && step > 0 {
            let paid = -lane.position * lane.mid / 2;
            let cash =
                Cash { amount: Decimal::new(paid, 9), currency: Currency::new("USDT").unwrap() };
            let flow = CashFlow {
                instrument: Some(id),
                ts_event: later,
                reason: CashReason::Funding,
                cash,
            };
            lane.statistics.cash(later, &flow);
            lane.cash += Money::exact(cash.amount).unwrap();
        }
        if step % 20 == 0 {
            lane.value(later);
        }
        for row in lane.statistics.fill_qualities().collect::<Vec<_>>() {
            lane.batch.push_row(row, &[]);
        }
        for row in lane.statistics.round_trips().collect::<Vec<_>>() {
            lane.batch.push_row(row, &[]);
        }
        if lane.batch.len() > 4096 {
            writer.write(at, &lane.batch).unwrap();
            lane.batch.clear();
        }
    }
    let end = Ts::from_nanos(START + plot.steps * STEP);
    lane.value(end);
    let figures = lane.statistics.finish(end);
    for row in figures.fill_qualities() {
        lane.batch.push_row(row.clone(), &[]);
    }
    writer.write(at, &lane.batch).unwrap();
    let metrics = figures.metrics(end);
    writer.metrics(at, &metrics).unwrap();
    assert_eq!(
        figures.values().iter().find(|(name, _)| name == "pnl_unattributed").unwrap().1,
        Value::Money(Money::ZERO)
    );
    let values = figures.values().into_iter().filter_map(|(name, value)| {
        let text =
            value.exact().map(|it| it.to_string()).or(value.to_f64().map(|it| it.to_string()));
        Some((name, text?))
    });
    BandRow { lane: LANES[at].to_owned(), values: values.collect() }
}

/// Writes a run below `root`; `no` makes its name.
pub(crate) fn write(root: &Path, no: u8, plot: Plot) -> Manifest {
    let (table, id) = instruments();
    let at = Ts::from_nanos(START + i64::from(no) * 1_000_000_000);
    let name = run_id(at, [no; 10]);
    let mut params = std::collections::BTreeMap::new();
    params.insert("width".to_owned(), "1.5".to_owned());
    params.insert("limit".to_owned(), "0.3".to_owned());
    let input = Input {
        strategy: Strategy {
            id: "sample".into(),
            version: "1".into(),
            family: "sample".into(),
            params,
            ..Strategy::default()
        },
        datasets: vec![Dataset {
            name: "random walk".into(),
            digest: format!("seed:{}", plot.seed),
            records: u64::try_from(plot.steps).unwrap(),
            kinds: vec!["quote".into()],
            symbols: vec!["sim:BTCUSDT".into()],
            grade: Some("good".into()),
            ..Dataset::default()
        }],
        config_sha256: "5c0ffee".into(),
        seed: Some(plot.seed),
        latency: "place=constant:2s".into(),
        fees: "maker -1 bps, taker 3 bps".into(),
        grade: Some("good".into()),
        coverage: Some(0.998),
        ..Input::default()
    };
    let manifest = Manifest::begin(name.as_str(), RunKind::Backtest, at, input);
    let mut writer = RunWriter::create(root, manifest, &LANES).unwrap();
    for at in 0..LANES.len() {
        let row = play(plot, at, &table, id, &mut writer);
        writer.manifest_mut().output.band.push(row);
    }
    let end = Ts::from_nanos(START + plot.steps * STEP);
    let manifest = writer.manifest_mut();
    manifest.output.events = u64::try_from(plot.steps).unwrap();
    manifest.output.first_event = Some(Ts::from_nanos(START).to_string());
    manifest.output.last_event = Some(end.to_string());
    manifest.output.trials = Some(12);
    manifest.output.horizons = ["100ms", "1s", "10s"].map(str::to_owned).to_vec();
    let assumed = |name: &str, value: &str| Assumption { name: name.into(), value: value.into() };
    manifest.assumptions = vec![
        assumed("fills", "a resting order is met by chance; the band varies how often"),
        assumed("latency", "two seconds from decision to venue, constant"),
        assumed("mark", "mid"),
    ];
    manifest.warnings.push("the market is made up".to_owned());
    writer.finish(RunStatus::Done, Ts::from_nanos(at.nanos() + 1_234_000_000)).unwrap()
}
