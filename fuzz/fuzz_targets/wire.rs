//! Messages of venues: the first byte names the decoder, each line behind it is a message.
//!
//! Records that a decoder adds must be in order of their update numbers where a book is live, and a
//! message that is refused adds none.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| qt_fuzz::decode_messages(data));
