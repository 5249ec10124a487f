//! See `sim::hostile::selected`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::selected(data));
