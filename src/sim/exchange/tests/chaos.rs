//! Everything at once: whatever happens, in whatever order, the books agree.
//!
//! After each step the order table of a desk has taken every report as a legal one and knows the
//! same orders; a ledger kept from the reports alone equals the venue's. In the end nothing is left
//! behind: no reservation, no deadline of an order, no link.

use std::collections::VecDeque;

use proptest::prelude::*;
use qt_model::instrument::Instrument;
use qt_model::order::{Amendment, Cash, Currency, Links, NewOrder, OrderNo, Pricing, ReportKind};
use qt_model::time::Ts;
use qt_model::words::{InstrumentClass, RejectReason, Side, TimeInForce, TradingStatus};
use qt_trade::ledger::{Amount, Ledger};
use qt_trade::orders::OrderTable;

use super::super::due::Due;
use super::super::*;
use super::scenes::*;

#[derive(Clone, Debug)]
enum Step {
    Levels(bool, Vec<(Side, i64, i64)>),
    Trade(Side, i64, i64),
    Quote((i64, i64), (i64, i64)),
    Bar([i64; 4], i64),
    Mark(i64),
    Funding(i64, i64),
    Status(TradingStatus),
    Gap,
    Wait(i64),
    Submit(Box<Wish>),
    Cancel(u64),
    Amend(u64, Option<i64>, Option<i64>),
}

/// An order to be, with links to orders by how long ago they came.
#[derive(Clone, Debug)]
struct Wish {
    side: Side,
    qty: i64,
    pricing: Pricing,
    time_in_force: TimeInForce,
    life_ns: i64,
    display: Option<i64>,
    reduce_only: bool,
    parent: Option<u64>,
    group: Option<u64>,
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(BUY), Just(SELL)]
}

fn pricing() -> impl Strategy<Value = Pricing> {
    let at = || (92_i64..110).prop_map(px);
    prop_oneof![
        2 => Just(Pricing::Market),
        5 => at().prop_map(|px| Pricing::Limit { px }),
        1 => at().prop_map(|trigger| Pricing::Stop { trigger }),
        1 => (at(), at()).prop_map(|(trigger, px)| Pricing::StopLimit { trigger, px }),
        1 => (0_i64..5).prop_map(|by| Pricing::TrailingStop { distance: px(by) }),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let life = prop::sample::select(TimeInForce::ALL);
    let flags = (prop::option::weighted(0.2, 1_i64..4), prop::bool::weighted(0.2), 0_i64..2_000);
    let links = (prop::option::weighted(0.2, 0_u64..5), prop::option::weighted(0.2, 0_u64..5));
    (side(), 0_i64..12, pricing(), life, flags, links).prop_map(
        |(side, qty, pricing, time_in_force, (display, reduce_only, life_ns), (parent, group))| {
            let is_limit = matches!(pricing, Pricing::Limit { .. });
            let display = display.filter(|_| is_limit);
            Wish { side, qty, pricing, time_in_force, life_ns, display, reduce_only, parent, group }
        },
    )
}

fn order_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => wish().prop_map(|wish| Step::Submit(Box::new(wish))),
        2 => (1_u64..25).prop_map(Step::Cancel),
        2 => (1_u64..25, prop::option::of(92_i64..110), prop::option::of(1_i64..12))
            .prop_map(|(no, px, qty)| Step::Amend(no, px, qty)),
        1 => (0_i64..3_000).prop_map(Step::Wait),
        1 => prop::sample::select(TradingStatus::ALL).prop_map(Step::Status),
        2 => Just(Step::Status(TradingStatus::Open)),
        1 => (60_i64..140).prop_map(Step::Mark),
        1 => (-50_i64..50, 0_i64..3_000).prop_map(|(rate, due)| Step::Funding(rate, due)),
    ]
}

fn level() -> impl Strategy<Value = (Side, i64, i64)> {
    (side(), 0_i64..8, 0_i64..7).prop_map(|(side, away, qty)| {
        (side, if side == BUY { 100 - away } else { 101 + away }, qty)
    })
}

fn book_step() -> impl Strategy<Value = Step> {
    let levels = |most| prop::collection::vec(level(), 1..most);
    prop_oneof![
        6 => levels(4).prop_map(|levels| Step::Levels(false, levels)),
        1 => levels(14).prop_map(|levels| Step::Levels(true, levels)),
        5 => (side(), 94_i64..108, 1_i64..9).prop_map(|(side, px, qty)| Step::Trade(side, px, qty)),
        1 => Just(Step::Gap),
        12 => order_step(),
    ]
}

fn quote_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (94_i64..104, 0_i64..9, 0_i64..4, 0_i64..9)
            .prop_map(|(bid, q, spread, r)| Step::Quote((bid, q), (bid + spread, r))),
        2 => (side(), 94_i64..108, 1_i64..9).prop_map(|(side, px, qty)| Step::Trade(side, px, qty)),
        8 => order_step(),
    ]
}

fn bar_step() -> impl Strategy<Value = Step> {
    let range = (92_i64..108, 0_i64..8, 0.0..=1.0, 0.0..=1.0);
    prop_oneof![
        4 => (range, 0_i64..90).prop_map(|((low, width, open, close), volume)| {
            let within = |part: f64| low + (part * width as f64) as i64;
            Step::Bar([within(open), low + width, low, within(close)], volume)
        }),
        6 => order_step(),
    ]
}

fn account() -> impl Strategy<Value = AccountKind> {
    prop_oneof![
        Just(AccountKind::Unlimited),
        Just(AccountKind::Cash),
        Just(AccountKind::Margin(MarginTerms::default())),
    ]
}

fn config() -> impl Strategy<Value = VenueConfig> {
    let fills = prop_oneof![
        prop::sample::select(&Preset::ALL[..]).prop_map(Preset::model),
        Just("queue=log,partial=off".parse::<FillModel>().unwrap()),
    ];
    let self_trade = prop_oneof![
        Just(SelfTrade::CancelNewest),
        Just(SelfTrade::CancelOldest),
        Just(SelfTrade::CancelBoth),
        Just(SelfTrade::Off),
    ];
    let slippage = prop_oneof![Just("none"), Just("7bps"), Just("2ticks"), Just("sqrt=0.05")];
    let share = prop::option::of(Just(number("0.1")));
    (fills, self_trade, account(), slippage, share, any::<bool>()).prop_map(
        |(fills, self_trade, account, slippage, volume_share, cancels)| {
            let cash = |amount, name| Cash { amount, currency: Currency::new(name).unwrap() };
            VenueConfig {
                fills,
                self_trade,
                account,
                balances: vec![cash(number("2000"), "USD"), cash(number("9"), "BTC")],
                slippage: slippage.parse().unwrap(),
                beyond_book: cancels.then_some(Slippage::Ticks(1)),
                half_spread: Slippage::Ticks(1),
                post_only: if cancels { PostOnly::Cancel } else { PostOnly::Reject },
                bars: BarRules { volume_share, grace_ns: 0 },
                price_band: Some(number("0.2")),
                ..VenueConfig::default()
            }
        },
    )
}

/// What is on its way to the venue.
#[derive(Clone, Copy, Debug)]
enum Message {
    Submit(OrderNo, NewOrder),
    Cancel(OrderNo),
    Amend(OrderNo, Amendment),
}

/// The venue, and what a desk knows of it.
struct House {
    scene: Scene,
    table: OrderTable,
    ledger: Ledger,
    bars: i64,
    /// So many messages are under way before the first arrives.
    lag: usize,
    wire: VecDeque<Message>,
}

impl House {
    fn new(config: VenueConfig, instrument: Instrument, lag: usize) -> Self {
        let scene = Scene::of(config, instrument);
        let ledger = scene.exchange.ledger(scene.id).clone();
        let (table, wire) = (OrderTable::default(), VecDeque::new());
        Self { scene, table, ledger, bars: 0, lag, wire }
    }

    /// Lets arrive what has been under way for long enough.
    fn deliver(&mut self, lag: usize) {
        while self.wire.len() > lag {
            let message = self.wire.pop_front().unwrap();
            let scene = &mut self.scene;
            let at = Ts::from_nanos(scene.now);
            let (market, out) = (&scene.market, &mut scene.out);
            match message {
                Message::Submit(order, new) => {
                    scene.exchange.submit(at, order, approved(new), market, out);
                }
                Message::Cancel(order) => scene.exchange.cancel(at, order, market, out),
                Message::Amend(order, change) => {
                    let standing = NewOrder::limit(scene.id, BUY, qty(1), px(1));
                    let change = changed(&standing, change);
                    scene.exchange.amend(at, order, change, market, out);
                }
            }
            self.listen();
        }
    }

    fn play(&mut self, step: &Step) {
        let scene = &mut self.scene;
        match step {
            Step::Levels(is_snapshot, levels) => {
                let mut levels = levels.clone();
                levels.sort_by_key(|level| level.0);
                scene.levels(*is_snapshot, &levels);
            }
            Step::Trade(side, px, qty) => {
                scene.trade(*side, *px, *qty);
            }
            Step::Quote(bid, ask) => {
                scene.quote(*bid, *ask);
            }
            Step::Bar(prices, volume) => {
                self.bars += 1;
                scene.bar(self.bars, *prices, *volume);
            }
            Step::Mark(mark) => {
                scene.mark(&mark.to_string());
            }
            Step::Funding(rate, due) => {
                let due = scene.now + due;
                scene.funding(&format!("{rate}e-4"), due);
            }
            Step::Status(status) => {
                scene.status(*status);
            }
            Step::Gap => {
                scene.gap();
            }
            Step::Wait(ns) => {
                let to = scene.now + ns;
                scene.until(to);
            }
            Step::Submit(wish) => self.submit(wish),
            Step::Cancel(no) => self.cancel(OrderNo(*no)),
            Step::Amend(no, to, size) => {
                let change = Amendment { px: to.map(px), qty: size.map(qty) };
                if self.table.amend(OrderNo(*no), change) {
                    self.wire.push_back(Message::Amend(OrderNo(*no), change));
                }
            }
        }
        self.listen();
        self.deliver(self.lag);
    }

    fn submit(&mut self, wish: &Wish) {
        let scene = &mut self.scene;
        let before = |ago: u64| self.table.next().0.checked_sub(ago).map(OrderNo);
        let links = Links {
            parent: wish.parent.and_then(|ago| before(ago + 1)).filter(|no| no.0 > 0),
            group: wish.group.and_then(before).filter(|no| no.0 > 0),
        };
        let new = NewOrder {
            pricing: wish.pricing,
            time_in_force: wish.time_in_force,
            good_till: Some(Ts::from_nanos(scene.now + wish.life_ns)),
            reduce_only: wish.reduce_only,
            display: wish.display.map(qty),
            links,
            ..NewOrder::market(scene.id, wish.side, qty(wish.qty))
        };
        let order = self.table.submit(new, Ts::from_nanos(scene.now), None);
        self.wire.push_back(Message::Submit(order, new));
    }

    fn cancel(&mut self, order: OrderNo) {
        if self.table.cancel(order) {
            self.wire.push_back(Message::Cancel(order));
        }
    }

    /// Takes what the venue said, and compares.
    fn listen(&mut self) {
        let id = self.scene.id;
        for execution in self.scene.out.drain(..) {
            match &execution {
                Execution::Report(report) => {
                    let mut change = None;
                    let taken = self.table.report(report, &mut change);
                    // A request that came too late is refused, and there is no order to tell.
                    let ended = RejectReason::Ended;
                    let is_refusal = report.what == ReportKind::CancelRefused(ended)
                        || report.what == ReportKind::AmendRefused(ended);
                    if is_refusal && taken.is_err() {
                        assert!(self.scene.exchange.resting(report.order).is_none());
                        continue;
                    }
                    taken.unwrap_or_else(|error| panic!("{execution:?}: {error:?}"));
                    let change = change.expect("what was taken changed something");
                    assert!(!change.is_late, "{execution:?}");
                    if let Some(fill) = change.fill {
                        self.ledger.fill(id, change.entry.new.side, &fill);
                    }
                }
                Execution::Cash(flow) => self.ledger.flow(flow),
                Execution::Closure(closure) => {
                    self.ledger.fill(id, closure.side, &closure.execution);
                }
            }
        }
        let is_under_way = |order: OrderNo| {
            self.wire
                .iter()
                .any(|message| matches!(message, Message::Submit(no, _) if *no == order))
        };
        let there = self.table.live().iter().filter(|entry| !is_under_way(entry.order));
        assert_eq!(there.clone().count(), self.scene.exchange.len());
        for entry in there {
            let resting = self.scene.exchange.resting(entry.order);
            let resting = resting.unwrap_or_else(|| panic!("{entry:?} does not stand"));
            assert_eq!((resting.new, resting.filled), (entry.new, entry.filled));
            assert!(resting.standing != Standing::Arriving, "{resting:?}");
        }
        let theirs = self.scene.exchange.ledger(id);
        assert_eq!(self.ledger.position(id).qty(), theirs.position(id).qty());
        let booked = |ledger: &Ledger| -> Vec<Amount> {
            ledger.wallets().iter().map(|wallet| wallet.cash()).collect()
        };
        assert_eq!(booked(&self.ledger), booked(theirs));
    }

    /// Cancels all that stands: nothing is left behind.
    fn end(mut self) {
        self.deliver(0);
        let live: Vec<_> = self.table.live().iter().map(|entry| entry.order).collect();
        for order in live {
            self.cancel(order);
            self.deliver(0);
        }
        let exchange = &self.scene.exchange;
        assert!(exchange.is_empty());
        assert!(exchange.venues[0].reserved.iter().all(|(_, amount)| amount.is_zero()));
        assert!(exchange.dues.iter().all(|(_, due)| !matches!(due, Due::Expiry(_))));
        let pit = &exchange.pits[self.scene.id.index()];
        assert_eq!((pit.live, pit.selling), (0, 0));
        assert!(pit.reducers.is_empty() && pit.opening.is_empty() && pit.trailing.is_empty());
        assert!(pit.bids.is_empty() && pit.asks.is_empty());
        assert!(pit.buy_stops.is_empty() && pit.sell_stops.is_empty());
        assert!(exchange.children.is_empty() && exchange.groups.is_empty());
    }
}

fn instrument(is_perpetual: bool) -> Instrument {
    let mut instrument = spot();
    instrument.terms.class = is_perpetual.then_some(InstrumentClass::Perpetual);
    instrument
}

fn live(config: VenueConfig, (is_perpetual, lag): (bool, usize), steps: &[Step]) {
    let mut house = House::new(config, instrument(is_perpetual), lag);
    steps.iter().for_each(|step| house.play(step));
    house.end();
}

fn cases() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_books_agree_over_depth(
        config in config(),
        terms in (any::<bool>(), 0_usize..4),
        steps in prop::collection::vec(book_step(), 1..80),
    ) {
        live(config, terms, &steps);
    }

    #[test]
    fn the_books_agree_over_quotes(
        config in config(),
        terms in (any::<bool>(), 0_usize..4),
        steps in prop::collection::vec(quote_step(), 1..80),
    ) {
        live(config, terms, &steps);
    }

    #[test]
    fn the_books_agree_over_bars(
        config in config(),
        terms in (any::<bool>(), 0_usize..4),
        steps in prop::collection::vec(bar_step(), 1..80),
    ) {
        live(config, terms, &steps);
    }
}
