//! Twenty thousand random templates, each given to us and to SoftHSM2 through one driver: what is
//! made, what is refused, and what reads back. PKCS#11 3.2, "Creating objects", "Object management
//! functions".
//!
//! A difference is cut down to the changes of a sound template that it takes. Each that is left is
//! in `differential/explained.txt` with its reason, or fails the test; so does a reason that no
//! template needs any more. Where SoftHSM2 is not installed nothing is compared, and that is said.
//!
//! `DIFFERENTIAL_TEMPLATES=100000` takes more of them, `DIFFERENTIAL_SEED=7` others.

#![allow(unsafe_code, reason = "calls through the C ABI are what is tested here")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]
#![allow(dead_code, unused_imports, reason = "support is written for all tests")]
#![allow(unreachable_pub, missing_docs, reason = "a test binary has no interface")]

mod support;

#[path = "differential/cases.rs"]
mod cases;
#[path = "differential/compare.rs"]
mod compare;
#[path = "differential/names.rs"]
mod names;
#[path = "differential/sides.rs"]
mod sides;
#[path = "differential/sound.rs"]
mod sound;

use std::path::Path;
use std::time::Duration;

use cases::{Case, Numbers};
use compare::{Differences, Explanations};
use sides::Side;
use support::isolation::isolated_in_memory;
use support::token::make_token;
use support::{Module, Token};

const SOFTHSM: &[&str] = &["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"];

/// The templates that the reasons were written for.
const COUNT: u64 = 20_000;
const SEED: u64 = 8;

/// Nobody's choice is to count: keys that are made readable are, and old mechanisms are there.
const CONFIGURATION: &str = "[policy]\nexport = \"standard\"\npublic_write = \"standard\"\n\
                             [mechanisms]\nlegacy = true\n[store]\nkind = \"memory\"\n";

fn number_from(variable: &str, default: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn templates_are_taken_as_softhsm_takes_them() {
    let Some(softhsm) = SOFTHSM.iter().map(Path::new).find(|path| path.exists()) else {
        eprintln!("NOT RUN: SoftHSM2 is not installed, so that there is nothing to compare with");
        return;
    };
    let count = number_from("DIFFERENTIAL_TEMPLATES", COUNT);
    let seed = number_from("DIFFERENTIAL_SEED", SEED);
    isolated_in_memory(Duration::from_secs(600), |bench| {
        bench.configure(CONFIGURATION);
        let ours = bench.token();
        let module = Module::load(softhsm);
        module.initialize().expect("SoftHSM's C_Initialize");
        let slot = make_token(&module, "theirs");
        let theirs = Token { module, slot };
        let sides = [Side::on(&ours), Side::on(&theirs)];
        let mut found = Differences::default();
        for number in 0..count {
            let case = Case::random(&mut Numbers(seed.rotate_left(40) ^ number));
            found.compare(&sides, &case);
        }
        found.tell(
            &Explanations::read(include_str!("differential/explained.txt")),
            (seed, count) == (SEED, COUNT),
        );
    });
}
