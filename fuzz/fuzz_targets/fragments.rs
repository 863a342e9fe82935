#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| handprint_fuzz::fragments::check(data));
