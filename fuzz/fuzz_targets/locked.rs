//! See `sim::hostile::locked`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::locked(data));
