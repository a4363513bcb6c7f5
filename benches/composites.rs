//! What a composite costs beside the sum of its parts, through the C interface of the module.
//!
//!     cargo bench --bench composites -- [--module PATH] [--millis 300] [--rounds 7]
//!
//! The parts are the same module's ML-DSA and classical mechanisms over a message as long as the
//! one that both halves of a composite sign. A composite verifies its classical half before it
//! lets the signature go, so that verification is one of the parts of signing.

mod support;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use cryptoki_sys as ck;
use support::attributes::{Attributes, Mechanism};
use support::machine::machine;
use support::module::{Module, Outcome, Session};
use support::scratch::{Scratch, built_module, logged_in, make_token};
use support::stopwatch::{measure, median};

type Fallible<T> = Result<T, Box<dyn Error>>;
type Pair = (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE);

const CKM_COMP_SIG_KEY_PAIR_GEN: ck::CK_ULONG = 0x403d;
const CKM_COMP_SIG: ck::CK_ULONG = 0x403e;
/// DER of the names of Ed25519 and P-256.
const ED25519: &[u8] = b"\x13\x0cedwards25519";
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// As long as what the halves of MLDSA65-Ed25519 sign.
const MESSAGE: [u8; 128] = [7; 128];

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
        classical: (ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519, ck::CKM_EDDSA),
    },
    Case {
        name: "MLDSA44-P256",
        set: 0x04,
        ml_dsa: ck::CKP_ML_DSA_44,
        classical: (ck::CKM_EC_KEY_PAIR_GEN, P256, ck::CKM_ECDSA_SHA256),
    },
];

struct Options {
    module: PathBuf,
    millis: u64,
    rounds: usize,
}

fn options(arguments: &[String]) -> Fallible<Options> {
    let mut options = Options { module: PathBuf::new(), millis: 300, rounds: 7 };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            // cargo says this to every bench.
            "--bench" => {}
            "--module" => options.module = fs::canonicalize(value()?)?,
            "--millis" => options.millis = value()?.parse()?,
            "--rounds" => options.rounds = value()?.parse()?,
            other => return Err(format!("what is {other}?").into()),
        }
    }
    if options.module.as_os_str().is_empty() {
        options.module = built_module()?;
    }
    Ok(options)
}

fn pair(session: &Session<'_>, how: ck::CK_ULONG, public: Attributes) -> Outcome<Pair> {
    session.generate_pair(&mut Mechanism::plain(how), &mut { public }, &mut Attributes::new())
}

/// Microseconds of one call.
fn micros(budget: Duration, mut operation: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    Ok(1e6 / measure(budget, &mut operation)?.per_second())
}

/// What one round of a case measured, in microseconds.
#[derive(Default)]
struct Round {
    sign: f64,
    sign_parts: f64,
    verify: f64,
    verify_parts: f64,
}

fn round(session: &Session<'_>, case: &Case, keys: [Pair; 3], budget: Duration) -> Outcome<Round> {
    let how = [CKM_COMP_SIG, ck::CKM_ML_DSA, case.classical.2];
    let mut signs = [0.0; 3];
    let mut verifies = [0.0; 3];
    for (place, (public, private)) in keys.into_iter().enumerate() {
        let mut signature = vec![0; 8192];
        let mut mechanism = Mechanism::plain(how[place]);
        let len = session.sign(&mut mechanism, private, &MESSAGE, &mut signature)?;
        signs[place] = micros(budget, || {
            session.sign(&mut mechanism, private, &MESSAGE, &mut vec![0; 8192]).map(|_| ())
        })?;
        let signature = &signature[..len];
        verifies[place] =
            micros(budget, || session.verify(&mut mechanism, public, &MESSAGE, signature))?;
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

fn run(options: &Options) -> Fallible<()> {
    println!("{}", machine());
    let scratch = Scratch::new("composites")?;
    let mut command = std::process::Command::new(env::current_exe()?);
    scratch.dress(&mut command).arg("--child").arg(&options.module);
    command.arg(options.millis.to_string()).arg(options.rounds.to_string());
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err("the measurement failed".into()) }
}

fn child(module: &str, millis: u64, rounds: usize) -> Fallible<()> {
    let module = Module::load(module.as_ref()).map_err(|why| why.to_string())?;
    module.initialize().map_err(|why| why.to_string())?;
    make_token(&module).map_err(|why| why.to_string())?;
    let session = logged_in(&module).map_err(|why| why.to_string())?;
    let budget = Duration::from_millis(millis);
    println!("| composite | sign | parts | ratio | verify | parts | ratio |");
    println!("|---|---|---|---|---|---|---|");
    for case in CASES {
        let keys = [
            pair(
                &session,
                CKM_COMP_SIG_KEY_PAIR_GEN,
                Attributes::new().number(ck::CKA_PARAMETER_SET, case.set),
            ),
            pair(
                &session,
                ck::CKM_ML_DSA_KEY_PAIR_GEN,
                Attributes::new().number(ck::CKA_PARAMETER_SET, case.ml_dsa),
            ),
            pair(
                &session,
                case.classical.0,
                Attributes::new().bytes(ck::CKA_EC_PARAMS, case.classical.1),
            ),
        ];
        let [first, second, third] = keys.map(|pair| pair.map_err(|why| why.to_string()));
        let keys = [first?, second?, third?];
        let measured: Outcome<Vec<Round>> =
            (0..rounds).map(|_| round(&session, case, keys, budget)).collect();
        let measured = measured.map_err(|why| why.to_string())?;
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

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [first, module, millis, rounds] if first == "--child" => {
            match (millis.parse(), rounds.parse()) {
                (Ok(millis), Ok(rounds)) => child(module, millis, rounds),
                _ => Err("numbers".into()),
            }
        }
        _ => options(&arguments).and_then(|options| run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("composites: {why}");
            ExitCode::FAILURE
        }
    }
}
