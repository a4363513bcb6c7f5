//! Bad input for every mechanism, through the C ABI. The tests are made from what
//! C_GetMechanismList and C_GetMechanismInfo say: each mechanism, in each function that its flags
//! claim, first with sound input, which must succeed, then with input that is wrong in one way.
//! Every answer must be one that the standard has for that; nothing may be written where no room
//! was given; and nothing may crash (each test runs in a process of its own).
//!
//! What is sound for a mechanism is found out (`sound.rs`), by its type of key and the structure
//! of its parameter. A new mechanism is tested as soon as it is in the registry; one for which
//! nothing sound is known fails these tests until `parameters.rs`, `keys.rs` or `inputs.rs` has a
//! line for it.

#![allow(unsafe_code, reason = "calls through the C ABI are what is tested here")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
#![allow(dead_code, unused_imports, reason = "support is written for all tests")]
#![allow(unreachable_pub, missing_docs, reason = "a test binary has no interface")]

mod support;

#[path = "bad_input/buffers.rs"]
mod buffers;
#[path = "bad_input/inputs.rs"]
mod inputs;
#[path = "bad_input/keys.rs"]
mod keys;
#[path = "bad_input/limits.rs"]
mod limits;
#[path = "bad_input/messages.rs"]
mod messages;
#[path = "bad_input/orders.rs"]
mod orders;
#[path = "bad_input/parameters.rs"]
mod parameters;
#[path = "bad_input/sound.rs"]
mod sound;
#[path = "bad_input/structures.rs"]
mod structures;
#[path = "bad_input/uses.rs"]
mod uses;
#[path = "bad_input/wrong_keys.rs"]
mod wrong_keys;
#[path = "bad_input/wrong_parameters.rs"]
mod wrong_parameters;
