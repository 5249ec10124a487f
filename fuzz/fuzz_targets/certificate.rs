//! See `sim::hostile::certificate`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::certificate(data));
