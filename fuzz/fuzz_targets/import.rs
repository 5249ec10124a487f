//! See `vault::read_hostile`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vault::read_hostile(data));
