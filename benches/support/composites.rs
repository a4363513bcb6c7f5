//! Composite signatures beside the sum of their parts: the same module's ML-DSA and classical
//! mechanisms over a message as long as the one that both halves of a composite sign. A composite
//! verifies its classical half before it lets the signature go, so that verification is one of the
//! parts of signing.

use super::attributes::{Attributes, Mechanism};
use super::beside::{Plan, micros};
use super::module::{Outcome, Session};
use super::objects;
use super::rows::{Pair, pair};
use super::stopwatch::median;
use cryptoki_sys as ck;
use std::time::Duration;

const CKM_COMP_SIG_KEY_PAIR_GEN: ck::CK_ULONG = 0x403d;
const CKM_COMP_SIG: ck::CK_ULONG = 0x403e;
/// As long as what the halves of MLDSA65-Ed25519 sign.
const MESSAGE: [u8; 128] = [7; 128];
/// Room for every signature.
const ROOM: usize = 8192;

/// A composite, its post-quantum set, and its classical part: generation, curve, mechanism.
struct Case {
    name: &'static str,
    set: ck::CK_ULONG,
    ml_dsa: ck::CK_ULONG,
    classical: (ck::CK_ULONG, &'static [u8], ck::CK_ULONG),
}

const CASES: &[Case] = &[
    Case {
        name: "MLDSA65-Ed25519",
        set: 0x0c,
        ml_dsa: ck::CKP_ML_DSA_65,
        classical: (ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, objects::ED25519, ck::CKM_EDDSA),
    },
    Case {
        name: "MLDSA44-P256",
        set: 0x04,
        ml_dsa: ck::CKP_ML_DSA_44,
        classical: (ck::CKM_EC_KEY_PAIR_GEN, objects::P256, ck::CKM_ECDSA_SHA256),
    },
];

/// What one round of a case measured, in microseconds.
struct Round {
    sign: f64,
    sign_parts: f64,
    verify: f64,
    verify_parts: f64,
}

fn round(session: &Session<'_>, case: &Case, keys: [Pair; 3], budget: Duration) -> Outcome<Round> {
    let (how, mut room) = ([CKM_COMP_SIG, ck::CKM_ML_DSA, case.classical.2], vec![0; ROOM]);
    let mut signs = [0.0; 3];
    let mut verifies = [0.0; 3];
    for (place, (public, private)) in keys.into_iter().enumerate() {
        let mut mechanism = Mechanism::plain(how[place]);
        let len = session.sign(&mut mechanism, private, &MESSAGE, &mut room)?;
        let signature = &room[..len].to_vec();
        signs[place] = micros(budget, &mut || {
            session.sign(&mut mechanism, private, &MESSAGE, &mut room).map(drop)
        })?;
        verifies[place] =
            micros(budget, &mut || session.verify(&mut mechanism, public, &MESSAGE, signature))?;
    }
    let [sign, ml_dsa_sign, classical_sign] = signs;
    let [verify, ml_dsa_verify, classical_verify] = verifies;
    Ok(Round {
        sign,
        sign_parts: ml_dsa_sign + classical_sign + classical_verify,
        verify,
        verify_parts: ml_dsa_verify + classical_verify,
    })
}

/// Prints the table.
pub(crate) fn print(session: &Session<'_>, plan: Plan) -> Outcome<()> {
    println!("\n| composite | sign | parts | ratio | verify | parts | ratio |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for case in CASES {
        let number = |set| Attributes::new().number(ck::CKA_PARAMETER_SET, set);
        let curve = Attributes::new().bytes(ck::CKA_EC_PARAMS, case.classical.1);
        let keys = [
            pair(session, CKM_COMP_SIG_KEY_PAIR_GEN, number(case.set))?,
            pair(session, ck::CKM_ML_DSA_KEY_PAIR_GEN, number(case.ml_dsa))?,
            pair(session, case.classical.0, curve)?,
        ];
        let measured: Outcome<Vec<Round>> =
            (0..plan.rounds).map(|_| round(session, case, keys, plan.budget)).collect();
        let measured = measured?;
        let of = |field: fn(&Round) -> f64| median(&measured.iter().map(field).collect::<Vec<_>>());
        println!(
            "| {} | {:.1} µs | {:.1} µs | {:.2} | {:.1} µs | {:.1} µs | {:.2} |",
            case.name,
            of(|round| round.sign),
            of(|round| round.sign_parts),
            of(|round| round.sign / round.sign_parts),
            of(|round| round.verify),
            of(|round| round.verify_parts),
            of(|round| round.verify / round.verify_parts),
        );
    }
    Ok(())
}
