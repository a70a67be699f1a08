//! The pipes of a command: inputs merged into one source, and one stream out.
//!
//! Glue between the flags in `stream_args`, the readers of the `stream` room and the merge of the
//! `market` room. A command that reads or writes records goes through here, so that all of them
//! treat bad records, cut streams and closed pipes alike.

mod filter;
mod given;
mod grades;
mod lane;
mod reading;
mod sink;
mod source;

pub(crate) use filter::{Filter, Next, Stage, first_of};
pub(crate) use given::{Given, is_catalog, open_given};
pub(crate) use reading::{Merged, Reading};
pub(crate) use sink::Sink;
pub(crate) use source::{Lane, Rules, Sources, tolerance, warn_of_skipped};
