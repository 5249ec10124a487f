//! See `sim::hostile::proof`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::proof(data));
