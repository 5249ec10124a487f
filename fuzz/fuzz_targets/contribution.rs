//! See `sim::hostile::contribution`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::contribution(data));
