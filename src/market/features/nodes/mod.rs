//! The steps that expressions are made of, by family.

pub(super) mod arithmetic;
pub(super) mod drift;
pub(super) mod logarithm;
pub(super) mod moments;
pub(super) mod pairs;
pub(super) mod ranks;
pub(super) mod regimes;
mod ring;
pub(super) mod running;
pub(super) mod shifts;
pub(super) mod smooth;
pub(super) mod strength;
pub(super) mod timed;
pub(super) mod window;
