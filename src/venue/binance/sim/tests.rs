//! The venue as its clients meet it.
