//! See `sim::hostile::statistic`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sim::hostile::statistic(data));
