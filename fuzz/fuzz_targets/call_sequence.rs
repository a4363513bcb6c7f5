#![no_main]
//! See `src/call_sequence.rs`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::call_sequence(bytes));
