//! See `sim::hostile::contact`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::contact(data));
