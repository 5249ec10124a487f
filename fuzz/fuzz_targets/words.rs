//! See `sim::hostile::words`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::words(data));
