//! See `vault::backup::read_hostile_backup`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vault::backup::read_hostile_backup(data));
