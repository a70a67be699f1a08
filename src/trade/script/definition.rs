//! What a strategy file says, before its parameters have values.

use qt_market::calendar::Calendar;
use qt_model::record::Kind;
use qt_model::words::TimeInForce;
use rust_decimal::Decimal;

/// An expression and the key that it stands under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub key: String,
    pub text: String,
}

/// A number that a run chooses.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: String,
    pub default: f64,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// Only whole numbers.
    pub is_whole: bool,
    pub about: String,
}

/// What makes a strategy think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// Each new row of its features.
    #[default]
    Features,
    /// Each record of a kind.
    Record(Kind),
    /// The clock of the stream, every so many nanoseconds from its first record on.
    Every(i64),
}

/// How large an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Size {
    /// Exactly so much.
    Fixed(Decimal),
    /// In units of size.
    Qty(Source),
    /// In units of money.
    Notional(Source),
}

impl Size {
    fn source(&self) -> Option<&Source> {
        match self {
            Self::Qty(source) | Self::Notional(source) => Some(source),
            Self::Fixed(_) => None,
        }
    }
}

/// A pair of rules, for the long and the short side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    pub long: Option<Source>,
    pub short: Option<Source>,
}

/// What ends a position beside its exit rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protect {
    /// Distances from the entry price, in units of price.
    pub stop_loss: Option<Source>,
    pub take_profit: Option<Source>,
    /// Distance from the best price since the entry.
    pub trailing: Option<Source>,
    pub max_holding_ns: Option<i64>,
}

/// How entries and exits are worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryStyle {
    /// Limit prices for buying and selling; market orders where absent.
    pub buy_at: Option<Source>,
    pub sell_at: Option<Source>,
    pub time_in_force: TimeInForce,
    /// Whether exits go at the market although entries have a limit.
    pub exit_at_market: bool,
    /// A working limit moves once its price is this many ticks off.
    pub requote_ticks: u32,
    /// A working order is cancelled after so long.
    pub timeout_ns: Option<i64>,
    /// Whether an entry for the other side turns the position in one order.
    pub reverse: bool,
    /// No entry for so long after an exit.
    pub cooldown_ns: i64,
}

impl Default for EntryStyle {
    fn default() -> Self {
        Self {
            buy_at: None,
            sell_at: None,
            time_in_force: TimeInForce::Gtc,
            exit_at_market: true,
            requote_ticks: 1,
            timeout_ns: None,
            reverse: true,
            cooldown_ns: 0,
        }
    }
}

/// Orders that the venue holds beside an entry: distances from its price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bracket {
    pub stop: Option<Source>,
    pub target: Option<Source>,
}

/// Quotes on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuoteStyle {
    pub bid: Source,
    pub ask: Source,
    pub requote_ticks: u32,
    pub post_only: bool,
    /// No quote that could lead beyond it.
    pub max_position: Option<Size>,
}

/// When the strategy trades.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    pub open: Calendar,
    /// Whether positions are closed when it is not open.
    pub flat_outside: bool,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub name: String,
    pub trigger: Trigger,
    pub params: Vec<Param>,
    /// The key of each is `features.NAME`.
    pub features: Vec<(String, Source)>,
    pub entry: Rule,
    pub exit: Rule,
    pub protect: Protect,
    pub size: Size,
    pub style: EntryStyle,
    pub bracket: Bracket,
    pub quote: Option<QuoteStyle>,
    pub schedule: Schedule,
}

impl Definition {
    /// A definition that does nothing yet.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            trigger: Trigger::default(),
            params: Vec::new(),
            features: Vec::new(),
            entry: Rule::default(),
            exit: Rule::default(),
            protect: Protect::default(),
            size: Size::Fixed(Decimal::ONE),
            style: EntryStyle::default(),
            bracket: Bracket::default(),
            quote: None,
            schedule: Schedule::default(),
        }
    }

    /// All expressions beside the features.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        let Self { entry, exit, protect, size, style, bracket, quote, .. } = self;
        let most = quote.as_ref().and_then(|quote| quote.max_position.as_ref());
        let sizes = [Some(size), most].into_iter().flatten().filter_map(Size::source);
        let optional = [
            &entry.long,
            &entry.short,
            &exit.long,
            &exit.short,
            &protect.stop_loss,
            &protect.take_profit,
            &protect.trailing,
            &style.buy_at,
            &style.sell_at,
            &bracket.stop,
            &bracket.target,
        ];
        let quotes = quote.iter().flat_map(|quote| [&quote.bid, &quote.ask]);
        optional.into_iter().filter_map(Option::as_ref).chain(sizes).chain(quotes)
    }
}
