//! See `sim::hostile::question`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::question(data));
