#![no_main]
//! See `src/mechanism_params.rs`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::mechanism_params(bytes));
