#![no_main]
//! See `src/stored_object.rs`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::stored_object(bytes));
