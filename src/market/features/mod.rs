//! Features: expressions over books, trades and bars, computed event by event.
//!
//! A list of expressions becomes a [`Plan`] in which each subexpression stands once; an [`Engine`]
//! keeps the state of a plan for every symbol and puts rows of values behind the records that
//! caused them. Steps run over blocks of events, so that a step's state stays in registers; where
//! blocks are cut changes nothing. Everything here is a double: prices became doubles in the feed,
//! and no way leads back.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "some kinds of record are events of features; all others pass"
)]

mod base;
mod books;
mod clusters;
mod engine;
mod expr;
mod feed;
pub mod flags;
mod graph;
mod latest;
mod lob;
mod node;
mod nodes;
mod places;
mod registry;
mod rows;
mod suggest;
mod value;
mod wide;
mod work;

#[cfg(test)]
mod tests;

pub use base::{Base, Clock};
pub(crate) use books::{Books, Turn};
pub use clusters::{Clusters, ClustersError};
pub use engine::{Engine, EngineOptions, Wanted};
pub use expr::{Argument, Expr, ExprError, ExprKind, Named, Operator, parse, parse_list};
pub use feed::BookFrom;
pub use graph::{CompileError, Plan};
pub use latest::{Latest, NoFeatures};
pub use lob::{LOB27, LobSet};
pub use registry::{Arg, ArgKind, Body, Function, SETS, Set, Timed, function, functions, set};
pub use rows::{Grid, Marks, Row, Rows};
pub use suggest::unknown;
pub use wide::wide;
pub use work::{Program, UnknownFeature};
