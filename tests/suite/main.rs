//! The integration tests, in one binary because linking is what costs.

mod frame;
