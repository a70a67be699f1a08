//! Records as JSON objects: what NDJSON, the frame and the control lines of other encodings share.

pub(crate) mod encode;
pub(crate) mod general;
mod line;
pub(crate) mod object;
pub(crate) mod scales;
