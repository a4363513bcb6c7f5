//! Each fuzz target on a few thousand seeded inputs, so that none of them rots and nothing
//! shallow slips through between runs of the fuzzer (`docs/testing.md`).
//!
//! `CLAVIGER_FUZZ_INPUTS=200000` takes more of them, `CLAVIGER_FUZZ_SEED=7` others.

#![allow(unsafe_code, reason = "calls through the C ABI are what is tested here")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
#![allow(unreachable_pub, missing_docs, reason = "a test binary has no interface")]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

/// Numbers that look random and are the same every time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Tells the input if the target fails.
struct Told<'a>(u64, &'a [u8]);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("input {}: {:02x?}", self.0, self.1);
        }
    }
}

fn number_from(variable: &str, default: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.map_or(default, |text| text.parse().expect("a number"))
}

fn smoke(target: fn(&[u8])) {
    let inputs = number_from("CLAVIGER_FUZZ_INPUTS", 2000);
    smoke_while(target, |done| done < inputs);
}

fn smoke_while(target: fn(&[u8]), go_on: impl Fn(u64) -> bool) {
    let seed = number_from("CLAVIGER_FUZZ_SEED", 1);
    for number in (0..).take_while(|number| go_on(*number)) {
        let mut numbers = Numbers(seed.rotate_left(40) ^ number);
        // Short inputs are about as frequent as long ones.
        let len = usize::try_from(numbers.next() % (8 << (numbers.next() % 8))).unwrap();
        let input: Vec<u8> = (0..len).map(|_| numbers.next().to_le_bytes()[0]).collect();
        let _told = Told(number, &input);
        target(&input);
    }
}

#[test]
fn templates() {
    smoke(fuzz::template);
}

#[test]
fn mechanism_parameters() {
    smoke(fuzz::mechanism_params);
}

#[test]
fn stored_objects() {
    smoke(fuzz::stored_object);
}

#[test]
fn call_sequences() {
    smoke(fuzz::call_sequence);
}

/// Sequences until a million calls were made, each compared with the model of the rules.
#[test]
fn a_million_calls_in_sequences() {
    let most = number_from("CLAVIGER_FUZZ_CALLS", 1_000_000);
    smoke_while(fuzz::call_sequence, |_| fuzz::calls() < most);
    assert!(fuzz::calls() >= most, "fewer calls than were asked for");
}
