//! The core: one pure step that history and the live market both drive.
//!
//! A [`Front`] knows the market, a [`Desk`] knows the strategy and all that is ours. A run of one
//! strategy has one of each; a run of many variants has one front and many desks, and computes
//! what they share once.

mod context;
mod desk;
mod front;
mod step;
mod strategy;
#[cfg(test)]
mod tests;

pub use context::{Books, Context, Declined};
pub use desk::{Desk, Effect};
pub use front::{Front, MarkRule, Seen, Top, TopFrom};
pub use step::Core;
pub use strategy::{Strategy, Wants};
