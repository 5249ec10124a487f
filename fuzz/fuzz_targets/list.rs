//! See `sim::hostile::list`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::list(data));
