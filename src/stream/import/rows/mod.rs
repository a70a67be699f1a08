//! Text tables of vendors: lines, fields, and what a row becomes.
//!
//! A format gives a [`Decode`], which says what one row means; this folder does the rest: lines,
//! quotes, byte order marks, scales, errors with their places. A decoder runs twice over a file: once
//! to measure how many decimals each instrument needs, once to make records. Through a pipe it
//! measures the beginning only.

mod cells;
mod out;
mod row;
mod source;

pub(in crate::import) use cells::{Clock, misread, missing, side, whole, word};
pub(in crate::import) use out::{Out, Which};
pub(in crate::import) use row::{Fields, Row};
pub(in crate::import) use source::{Begin, Decode, open, survey};
