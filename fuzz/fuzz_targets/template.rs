#![no_main]
//! See `src/template.rs`.

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| claviger_fuzz::template(bytes));
