//! What the code of a strategy needs, under short names: `use qt::prelude::*;`.

pub use qt_market::book::{PriceBook, Resting};
pub use qt_model::ids::InstrumentId;
pub use qt_model::instrument::{Instrument, Instruments, Symbol};
pub use qt_model::order::{
    Amendment, Cash, CashFlow, Closure, Currency, Links, NewOrder, OrderNo, Pricing, ReportKind,
};
pub use qt_model::record::{Bar, Depth, Kind, Quote, Record, Trade};
pub use qt_model::step::{Operator, TimerId};
pub use qt_model::time::Ts;
pub use qt_model::units::{Px, Qty, Scale};
pub use qt_model::words::{DecisionAction, OrderStatus, Side, TimeInForce};
pub use rust_decimal::Decimal;

pub use crate::core::{Context, Declined, Strategy, Top, Wants};
pub use crate::native::{Column, Native, PerInstrument, Registration, Setup, SetupError};
pub use crate::orders::{Change, Entry};
pub use crate::outbox::{Decided, Output};
pub use crate::ticks::Steps;
