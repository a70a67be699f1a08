//! A venue that is too simple to be wrong: maps, lists, and a search through all of it each time.
//!
//! It shares no code with the quick one but the vocabulary. One instrument with a book; queues that
//! need no estimate; limit, market, stop and iceberg orders, with all times in force that need no
//! clock; reduce-only orders; amendments, cancels, orders of ours that meet.

use std::collections::BTreeMap;

use qt_model::words::Side::{self, Buy, Sell};
use rust_decimal::Decimal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Market,
    Limit(i64),
    Stop(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Gtc,
    Ioc,
    Fok,
    Gtx,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    Newest,
    Oldest,
    Both,
    Off,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Nobody ahead, or everybody who does not trade.
    pub(super) is_front: bool,
    pub(super) fills_at_touch: bool,
    pub(super) is_partial: bool,
    pub(super) meeting: Meeting,
    pub(super) rejects_post_only: bool,
    pub(super) lot: i64,
    pub(super) maker: Decimal,
    pub(super) taker: Decimal,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) side: Side,
    pub(super) qty: i64,
    pub(super) kind: Kind,
    pub(super) life: Life,
    pub(super) display: Option<i64>,
    pub(super) reduce_only: bool,
}

#[derive(Clone, Copy, Debug)]
struct Order {
    no: u64,
    asked: Asked,
    filled: i64,
    /// A stop that waits for its trigger.
    waits: bool,
    rests: bool,
    /// Of two at one price the lower is first.
    turn: u64,
    ahead: Option<i64>,
    showing: i64,
}

#[derive(Debug)]
pub(super) struct Engine {
    rules: Rules,
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    has_book: bool,
    /// Side, price, size shown, size taken.
    taken: Vec<(Side, i64, i64, i64)>,
    orders: Vec<Order>,
    last: Option<i64>,
    highest: u64,
    turns: u64,
    pub(super) position: i64,
    pub(super) cash: Decimal,
    pub(super) said: Vec<String>,
}

/// Positive: the price is better for an order of that side than the other.
fn better(side: Side, px: i64, than: i64) -> i64 {
    if side == Buy { than - px } else { px - than }
}

impl Order {
    fn leaves(&self) -> i64 {
        self.asked.qty - self.filled
    }

    fn limit(&self) -> Option<i64> {
        if let Kind::Limit(px) = self.asked.kind { Some(px) } else { None }
    }
}

impl Engine {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            has_book: false,
            taken: Vec::new(),
            orders: Vec::new(),
            last: None,
            highest: 0,
            turns: 0,
            position: 0,
            cash: Decimal::ZERO,
            said: Vec::new(),
        }
    }

    fn levels(&self, side: Side) -> &BTreeMap<i64, i64> {
        if side == Buy { &self.bids } else { &self.asks }
    }

    fn best(&self, side: Side) -> Option<i64> {
        let mut prices = self.levels(side).keys().copied();
        if side == Buy { prices.next_back() } else { prices.next() }
    }

    fn shown(&self, side: Side, px: i64) -> Option<i64> {
        let levels = self.levels(side);
        let mut prices = levels.keys().copied();
        let deepest = if side == Buy { prices.next() } else { prices.next_back() };
        match levels.get(&px) {
            Some(qty) => Some(*qty),
            None if deepest.is_some_and(|deepest| better(side, px, deepest) > 0) => None,
            None => Some(0),
        }
    }

    fn left(&self, side: Side, px: i64) -> i64 {
        let shown = self.levels(side)[&px];
        let taken = self.taken.iter().find(|of| (of.0, of.1, of.2) == (side, px, shown));
        shown - taken.map_or(0, |of| of.3)
    }

    fn at(&self, no: u64) -> Option<usize> {
        self.orders.iter().position(|order| order.no == no)
    }

    fn reducible(&self, side: Side) -> i64 {
        if side == Buy { (-self.position).max(0) } else { self.position.max(0) }
    }

    fn open(&self, at: usize) -> i64 {
        let order = &self.orders[at];
        let bound =
            if order.asked.reduce_only { self.reducible(order.asked.side) } else { i64::MAX };
        order.leaves().min(bound)
    }

    /// Our resting orders of a side, the first to be filled first.
    fn resting(&self, side: Side) -> Vec<u64> {
        let mut found: Vec<_> =
            self.orders.iter().filter(|order| order.rests && order.asked.side == side).collect();
        found.sort_by_key(|order| {
            let px = order.limit().unwrap();
            (if side == Buy { -px } else { px }, order.turn)
        });
        found.into_iter().map(|order| order.no).collect()
    }

    fn end(&mut self, no: u64, reason: &str) {
        let at = self.at(no).unwrap();
        self.orders.remove(at);
        self.said.push(format!("cancel {no} {reason}"));
    }

    fn fill(&mut self, no: u64, px: i64, qty: i64, is_maker: bool) {
        let at = self.at(no).unwrap();
        let order = &mut self.orders[at];
        assert!(qty > 0 && qty <= order.leaves());
        order.filled += qty;
        order.showing -= qty.min(order.showing);
        let signed = if order.asked.side == Buy { qty } else { -qty };
        self.position += signed;
        let worth = Decimal::from(px * qty);
        let rate = if is_maker { self.rules.maker } else { self.rules.taker };
        self.cash -= Decimal::from(px * signed) + worth * rate;
        let word = if is_maker { "maker" } else { "taker" };
        self.said.push(format!("fill {no} {qty}@{px} {word}"));
        if self.orders[at].leaves() == 0 {
            self.orders.remove(at);
        }
    }

    fn fill_whole(&mut self, no: u64, px: i64) {
        match self.open(self.at(no).unwrap()) {
            0 => self.end(no, "nothing_to_reduce"),
            open => {
                self.fill(no, px, open, true);
                if self.at(no).is_some() {
                    self.end(no, "nothing_to_reduce");
                }
            }
        }
    }

    /// Reduce-only orders in the market are no larger than the position.
    fn cut(&mut self) {
        let numbers: Vec<_> = self.orders.iter().map(|order| order.no).collect();
        for no in numbers {
            let Some(at) = self.at(no).filter(|at| self.orders[*at].rests) else { continue };
            let open = self.open(at);
            self.cut_to(no, open);
        }
    }

    fn cut_to(&mut self, no: u64, open: i64) {
        let at = self.at(no).unwrap();
        let order = &mut self.orders[at];
        if open == order.leaves() {
            return;
        }
        if open == 0 {
            return self.end(no, "nothing_to_reduce");
        }
        order.asked.qty = order.filled + open;
        order.showing = order.showing.min(open);
        let qty = order.asked.qty;
        self.said.push(format!("amend {no} qty {qty}"));
    }

    pub(super) fn depth(&mut self, is_snapshot: bool, changes: &[(Side, i64, i64)]) {
        if !is_snapshot && !self.has_book {
            return;
        }
        if is_snapshot {
            (self.bids, self.asks) = (BTreeMap::new(), BTreeMap::new());
            self.has_book = true;
        }
        for (side, px, qty) in changes {
            let levels = if *side == Buy { &mut self.bids } else { &mut self.asks };
            match qty {
                0 => levels.remove(px),
                qty => levels.insert(*px, *qty),
            };
            if !is_snapshot {
                self.level(*side, *px, Some(*qty));
            }
        }
        if is_snapshot {
            let own: Vec<_> = self.orders.iter().filter(|order| order.rests).copied().collect();
            for order in own {
                let (side, px) = (order.asked.side, order.limit().unwrap());
                self.level(side, px, self.shown(side, px));
            }
        }
        let taken = std::mem::take(&mut self.taken);
        let stays = |of: &(Side, i64, i64, i64)| self.shown(of.0, of.1) == Some(of.2);
        self.taken = taken.into_iter().filter(stays).collect();
        self.crossed();
        self.triggers();
        self.cut();
    }

    /// What is ahead of us is no more than what is shown.
    fn level(&mut self, side: Side, px: i64, shown: Option<i64>) {
        let Some(shown) = shown else { return };
        for order in &mut self.orders {
            if order.rests && order.asked.side == side && order.limit() == Some(px) {
                let ahead = order.ahead.map_or(shown, |ahead| ahead.min(shown));
                order.ahead = if self.rules.is_front { order.ahead } else { Some(ahead) };
            }
        }
    }

    fn crossed(&mut self) {
        for side in [Buy, Sell] {
            let other = if side == Buy { Sell } else { Buy };
            let Some(best) = self.best(other) else { continue };
            for no in self.resting(side) {
                let px = self.orders[self.at(no).unwrap()].limit().unwrap();
                let past = better(side, best, px);
                if past > 0 || past == 0 && self.rules.fills_at_touch {
                    self.fill_whole(no, px);
                }
            }
        }
    }

    pub(super) fn trade(&mut self, aggressor: Side, px: i64, qty: i64) {
        self.last = Some(px);
        let side = if aggressor == Buy { Sell } else { Buy };
        if self.has_book {
            let mut reaching = qty;
            for no in self.resting(side) {
                let own = self.orders[self.at(no).unwrap()].limit().unwrap();
                match better(side, px, own) {
                    past if past > 0 => self.fill_whole(no, own),
                    0 => self.reach(no, &mut reaching),
                    _ => {}
                }
            }
        }
        self.triggers();
        self.cut();
    }

    /// So much of a trade at our price comes to an order and to those ahead of it.
    fn reach(&mut self, no: u64, reaching: &mut i64) {
        let at = self.at(no).unwrap();
        let order = &mut self.orders[at];
        let Some(ahead) = order.ahead else { return };
        let lot = self.rules.lot;
        let excess = *reaching - ahead;
        // To the nearest lot, and half a lot is one; less is kept for the next trade.
        let lots = if excess > 0 { (2 * excess + lot) / (2 * lot) } else { 0 };
        order.ahead = Some(if lots > 0 { 0 } else { -excess });
        if lots == 0 {
            return;
        }
        let excess = lots * lot;
        let (showing, px) = (order.showing, order.limit().unwrap());
        let open = self.open(at);
        let qty = if self.rules.is_partial { excess.min(showing).min(open) } else { open };
        if qty == 0 {
            return self.end(no, "nothing_to_reduce");
        }
        *reaching = (*reaching - qty).max(0);
        self.fill(no, px, qty, true);
        if let Some(at) = self.at(no).filter(|at| self.orders[*at].showing == 0) {
            self.queue(at);
        }
    }

    /// Puts an order at the end of its queue, with what it shows.
    fn queue(&mut self, at: usize) {
        self.turns += 1;
        let order = self.orders[at];
        let shown = self.shown(order.asked.side, order.limit().unwrap());
        let leaves = order.leaves();
        let order = &mut self.orders[at];
        order.turn = self.turns;
        order.rests = true;
        order.ahead = if self.rules.is_front { Some(0) } else { shown };
        order.showing = order.asked.display.map_or(leaves, |display| display.min(leaves));
    }

    fn price_for(&self, side: Side) -> Option<i64> {
        let other = if side == Buy { Sell } else { Buy };
        self.last.or_else(|| self.best(other))
    }

    fn triggers(&mut self) {
        for side in [Buy, Sell] {
            let Some(price) = self.price_for(side) else { continue };
            let mut found: Vec<_> = self.orders.iter().filter(|order| order.waits).collect();
            found.retain(|order| order.asked.side == side);
            found.sort_by_key(|order| {
                let Kind::Stop(trigger) = order.asked.kind else { panic!("{order:?}") };
                (if side == Buy { trigger } else { -trigger }, order.turn)
            });
            for no in found.into_iter().map(|order| order.no).collect::<Vec<_>>() {
                self.wait_or_go(no, price);
            }
        }
    }

    fn wait_or_go(&mut self, no: u64, price: i64) {
        let at = self.at(no).unwrap();
        let Kind::Stop(trigger) = self.orders[at].asked.kind else { panic!("no stop") };
        let side = self.orders[at].asked.side;
        if better(side, trigger, price) >= 0 {
            self.orders[at].waits = false;
            self.said.push(format!("trigger {no}"));
            self.enter(no);
        }
    }

    fn would_take(&self, side: Side, limit: i64) -> bool {
        let other = if side == Buy { Sell } else { Buy };
        let own = self
            .resting(other)
            .first()
            .map(|no| self.orders[self.at(*no).unwrap()].limit().unwrap());
        let reaches = |px: i64| better(side, px, limit) >= 0;
        self.best(other).is_some_and(reaches) || own.is_some_and(reaches)
    }

    /// What others offer up to a price.
    fn available(&self, side: Side, limit: Option<i64>) -> i64 {
        let other = if side == Buy { Sell } else { Buy };
        let prices = self.levels(other).keys().copied();
        let within = prices.filter(|px| limit.is_none_or(|limit| better(side, *px, limit) >= 0));
        within.map(|px| self.left(other, px)).sum()
    }

    fn refusal(&self, asked: &Asked) -> Option<&'static str> {
        if asked.qty == 0 {
            return Some("too_small");
        }
        if asked.qty % self.rules.lot != 0 {
            return Some("off_lot");
        }
        if !self.has_book && self.last.is_none() {
            return Some("no_market");
        }
        let limit = match asked.kind {
            Kind::Market => None,
            Kind::Limit(px) => Some(px),
            Kind::Stop(_) => return None,
        };
        if asked.reduce_only && self.reducible(asked.side) == 0 {
            return Some("would_not_reduce");
        }
        let is_post_only = asked.life == Life::Gtx;
        if is_post_only
            && self.rules.rejects_post_only
            && self.would_take(asked.side, limit.unwrap())
        {
            return Some("would_take");
        }
        if self.rules.meeting == Meeting::Newest {
            let other = if asked.side == Buy { Sell } else { Buy };
            let own = self
                .resting(other)
                .first()
                .map(|no| self.orders[self.at(*no).unwrap()].limit().unwrap());
            let is_within =
                |own: i64| limit.is_none_or(|limit| better(asked.side, own, limit) >= 0);
            if let Some(own) = own.filter(|own| is_within(*own))
                && self.available(asked.side, Some(own)) < asked.qty
            {
                return Some("self_trade");
            }
        }
        let is_short = self.available(asked.side, limit) < asked.qty;
        (asked.life == Life::Fok && is_short).then_some("cannot_fill")
    }

    pub(super) fn submit(&mut self, no: u64, asked: Asked) {
        self.highest = self.highest.max(no);
        if let Some(reason) = self.refusal(&asked) {
            self.said.push(format!("reject {no} {reason}"));
            return;
        }
        let (waits, rests, turn) = (false, false, 0);
        let order = Order { no, asked, filled: 0, waits, rests, turn, ahead: None, showing: 0 };
        self.orders.push(order);
        self.said.push(format!("ack {no}"));
        self.activate(no);
        self.cut();
    }

    fn activate(&mut self, no: u64) {
        let at = self.at(no).unwrap();
        if let Kind::Stop(_) = self.orders[at].asked.kind {
            self.turns += 1;
            (self.orders[at].waits, self.orders[at].turn) = (true, self.turns);
            if let Some(price) = self.price_for(self.orders[at].asked.side) {
                self.wait_or_go(no, price);
            }
        } else {
            self.enter(no);
        }
    }

    fn enter(&mut self, no: u64) {
        let open = self.open(self.at(no).unwrap());
        self.cut_to(no, open);
        let Some(at) = self.at(no) else { return };
        let order = self.orders[at];
        if let (Life::Gtx, Some(limit)) = (order.asked.life, order.limit())
            && self.would_take(order.asked.side, limit)
        {
            return self.end(no, "would_take");
        }
        while self.take_one(no) {}
        let Some(at) = self.at(no) else { return };
        if self.open(at) == 0 {
            return self.end(no, "nothing_to_reduce");
        }
        match (order.limit(), order.asked.life) {
            (None, _) => self.end(no, "no_liquidity"),
            (Some(_), Life::Ioc | Life::Fok) => self.end(no, "remainder"),
            (Some(_), Life::Gtc | Life::Gtx) => self.queue(at),
        }
    }

    /// Meets the best that stands against an order; whether there may be more.
    fn take_one(&mut self, no: u64) -> bool {
        let Some(at) = self.at(no) else { return false };
        let (order, open) = (self.orders[at], self.open(at));
        let side = order.asked.side;
        let other = if side == Buy { Sell } else { Buy };
        let within = |px: i64| order.limit().is_none_or(|limit| better(side, px, limit) >= 0);
        let mut prices: Vec<_> = self.levels(other).keys().copied().collect();
        prices.retain(|px| within(*px) && self.left(other, *px) > 0);
        let others = if side == Buy { prices.first() } else { prices.last() }.copied();
        let own = self.resting(other).first().copied();
        let own = own.map(|no| (no, self.orders[self.at(no).unwrap()].limit().unwrap()));
        let own = own.filter(|(_, px)| within(*px));
        if open == 0 {
            return false;
        }
        match (others, own) {
            (Some(px), own) if own.is_none_or(|(_, own)| better(side, px, own) >= 0) => {
                let qty = open.min(self.left(other, px));
                let shown = self.levels(other)[&px];
                self.taken.push((other, px, shown, shown - self.left(other, px) + qty));
                let last = *self.taken.last().unwrap();
                self.taken.retain(|of| (of.0, of.1) != (other, px));
                self.taken.push(last);
                self.fill(no, px, qty, false);
                true
            }
            (_, Some((own, px))) => self.meet(no, own, px),
            (_, None) => false,
        }
    }

    fn meet(&mut self, no: u64, own: u64, px: i64) -> bool {
        match self.rules.meeting {
            Meeting::Newest => self.end(no, "self_trade"),
            Meeting::Oldest => self.end(own, "self_trade"),
            Meeting::Both => {
                self.end(own, "self_trade");
                self.end(no, "self_trade");
            }
            Meeting::Off => {
                let qty = self.open(self.at(no).unwrap()).min(self.open(self.at(own).unwrap()));
                if qty == 0 {
                    self.end(own, "nothing_to_reduce");
                    return true;
                }
                self.fill(own, px, qty, true);
                self.fill(no, px, qty, false);
                // What it shows is what is left of it, whoever it traded with.
                if let Some(at) = self.at(own).filter(|at| self.orders[*at].showing == 0) {
                    self.queue(at);
                }
            }
        }
        self.at(no).is_some()
    }

    fn absent(&self, no: u64) -> &'static str {
        if no <= self.highest { "ended" } else { "unknown_order" }
    }

    pub(super) fn cancel(&mut self, no: u64) {
        match self.at(no) {
            Some(_) => self.end(no, "requested"),
            None => self.said.push(format!("no-cancel {no} {}", self.absent(no))),
        }
    }

    pub(super) fn amend(&mut self, no: u64, to: Option<i64>, size: Option<i64>) {
        let refuse = |reason: &str| format!("no-amend {no} {reason}");
        let Some(at) = self.at(no) else {
            return self.said.push(refuse(self.absent(no)));
        };
        let order = self.orders[at];
        let mut asked = order.asked;
        asked.qty = size.unwrap_or(asked.qty);
        match (&mut asked.kind, to) {
            (Kind::Limit(px) | Kind::Stop(px), Some(to)) => *px = to,
            (Kind::Market, Some(_)) => return self.said.push(refuse("malformed")),
            (_, None) => {}
        }
        let shows_more = asked.display.is_some_and(|display| display > asked.qty);
        if shows_more {
            return self.said.push(refuse("malformed"));
        }
        if asked.qty == 0 {
            return self.said.push(refuse("too_small"));
        }
        if asked.qty % self.rules.lot != 0 {
            return self.said.push(refuse("off_lot"));
        }
        let is_anew = to.is_some() || asked.qty > order.asked.qty;
        if let (Life::Gtx, Kind::Limit(px), true) = (asked.life, asked.kind, is_anew)
            && self.would_take(asked.side, px)
        {
            return self.said.push(refuse("would_take"));
        }
        let px = to.map_or(String::new(), |px| format!(" px {px}"));
        let qty = size.map_or(String::new(), |qty| format!(" qty {qty}"));
        self.said.push(format!("amend {no}{px}{qty}"));
        if asked.qty <= order.filled {
            self.orders.remove(at);
            return;
        }
        let is_same = order.rests && asked.kind == order.asked.kind && asked.qty <= order.asked.qty;
        let order = &mut self.orders[at];
        order.asked = asked;
        order.showing = order.showing.min(order.asked.qty - order.filled);
        if !is_same {
            (order.rests, order.waits) = (false, false);
            self.activate(no);
        }
        self.cut();
    }
}
