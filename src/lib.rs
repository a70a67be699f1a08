//! The front door of `qt` as a library: the rooms under short names, and nothing else.
//!
//! A program with strategies of its own needs the [`prelude`], a [`Native`](trade::native::Native)
//! type for each of them, and [`main`]; `examples/desk` is one, and `docs/rust-strategies.md` tells the
//! rest. [`Rehearsal`] drives a strategy by hand, for its tests.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`model`] | units, time, ids, instruments, records, the inputs and outputs of the core |
//! | [`market`] | the total order of a stream and the merge; books, bars and features |
//! | [`stream`] | encodings, importers, the catalog |
//! | [`venue`] | what venues say on the wire |
//! | [`store`] | records in ClickHouse |
//! | [`trade`] | the core step, strategies, orders, positions and metrics |
//! | [`live`] | the recorder, strategies in other programs |
//! | [`sim`] | synthetic markets, simulated venues, the driver of a backtest |
//!
//! `docs/ARCHITECTURE.md` is the map; the commands are in `cmd/`.

pub use qt_cmd::{Rehearsal, main};
pub use qt_live as live;
pub use qt_market as market;
pub use qt_model as model;
pub use qt_sim as sim;
pub use qt_store as store;
pub use qt_stream as stream;
pub use qt_trade as trade;
pub use qt_trade::prelude;
pub use qt_venue as venue;
