//! See `sim::hostile::message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::message(data));
