//! The one integration binary: everything that needs the whole house, linked once.
//!
//! A file here is a topic; a topic that grows becomes a folder. Tests that need one room only live
//! in that room.

mod allocation;
mod architecture;
mod backtest;
mod damage;
mod exchange;
mod frame;
mod import;
mod interop;
mod pipes;
mod recorder;
mod runs;
mod schemas;
mod store;
