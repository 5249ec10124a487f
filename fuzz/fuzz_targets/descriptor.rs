//! See `sim::hostile::descriptor`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::descriptor(data));
