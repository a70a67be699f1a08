//! What a run was worth: every metric, fed as things happen.
//!
//! [`Statistics`] takes mids, orders, fills, cash and equity of one run and ends as [`Figures`]; the
//! registry says what each metric means and how it is had. Money is exact; a ratio of two exact sums
//! becomes a double once; what is undefined is absent with a reason. Absent on purpose: clocks,
//! calendars, conversion between currencies, and anything that would need the run a second time.

mod along;
mod attribution;
mod book;
mod bootstrap;
mod contract;
mod crossval;
mod drawdown;
mod execution;
mod exposure;
mod figures;
mod horizons;
mod inference;
mod latency;
mod market;
mod normal;
mod options;
mod orders;
mod overfit;
mod quantiles;
mod quoted;
mod registry;
mod returns;
mod sampler;
mod statistics;
mod sum;
mod tail;
mod tally;
#[cfg(test)]
mod tests;
mod trade_summary;
mod trades;
mod value;
mod wealth;

pub use crate::ledger::Money;
pub use along::{Extremes, Path};
pub use attribution::Attribution;
pub use bootstrap::{Bootstrap, Plan, SplitMix64, Spread};
pub use crossval::{Folds, FoldsError, Split, Validated};
pub use drawdown::{Amount, Drawdown, Drawdowns, Episode};
pub use execution::FillContext;
pub use exposure::Worth;
pub use figures::Figures;
pub use inference::{Measured, Trials};
pub use latency::Leg;
pub use market::Touch;
pub use normal::{cdf, density, quantile};
pub use options::{Horizon, HorizonError, Options};
pub use orders::{OrderEvent, Queue};
pub use overfit::{Overfit, OverfitError, overfit};
pub use quantiles::Quantiles;
pub use quoted::Quoted;
pub use registry::{Definition, FAMILIES, Family, definition, definitions};
pub use returns::{Against, Mode, Returns, Terms};
pub use sampler::{Sample, SampleError};
pub use statistics::Statistics;
pub use tail::Sorted;
pub use trades::{Matching, Trade};
pub use value::{Absent, Figure, Value};
