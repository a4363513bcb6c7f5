//! What post-quantum keys cost through the C interface of the module: beside the bare primitive of
//! AWS-LC with a parsed key, in the same process and in turns; and composites beside the sum of
//! their parts.
//!
//!     cargo bench --bench post_quantum -- [--module PATH] [--millis 200] [--rounds 9]
//!
//! A composite's parts are the same module's ML-DSA and classical mechanisms over a message as long
//! as the one that both halves of a composite sign. A composite verifies its classical half before
//! it lets the signature go, so that verification is one of the parts of signing.

mod support;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

use cryptoki_sys as ck;
use support::attributes::{Attributes, Mechanism};
use support::kem::Kem;
use support::machine::machine;
use support::module::{Module, Outcome, Session};
use support::primitive::{MlDsa65, MlKem768};
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
/// Room for every signature and ciphertext.
const ROOM: usize = 8192;

/// The second table: what the log adds is what is missing here.
const WITHOUT_LOG: &str = "[audit]\noff = [\"C_Sign\", \"C_Verify\", \"C_EncapsulateKey\", \
    \"C_DecapsulateKey\", \"C_DestroyObject\"]\n";

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
    let mut options = Options { module: PathBuf::new(), millis: 200, rounds: 9 };
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

/// Token keys, as a caller who keeps them would have.
fn pair(session: &Session<'_>, how: ck::CK_ULONG, public: Attributes) -> Outcome<Pair> {
    let mut public = public.flag(ck::CKA_TOKEN, true);
    let mut private = Attributes::new().flag(ck::CKA_TOKEN, true);
    session.generate_pair(&mut Mechanism::plain(how), &mut public, &mut private)
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
    let (how, mut room) = ([CKM_COMP_SIG, ck::CKM_ML_DSA, case.classical.2], vec![0; ROOM]);
    let mut signs = [0.0; 3];
    let mut verifies = [0.0; 3];
    for (place, (public, private)) in keys.into_iter().enumerate() {
        let mut mechanism = Mechanism::plain(how[place]);
        let len = session.sign(&mut mechanism, private, &MESSAGE, &mut room)?;
        let signature = &room[..len].to_vec();
        signs[place] = micros(budget, || {
            session.sign(&mut mechanism, private, &MESSAGE, &mut room).map(|_| ())
        })?;
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

/// One operation of the module's, and the primitive under it.
type Operations<'o> = (Box<dyn FnMut() -> Outcome<()> + 'o>, Box<dyn FnMut() -> Outcome<()> + 'o>);

/// The module beside the primitive, in turns: microseconds of each, and the median of the ratios.
fn beside(
    name: &str,
    (mut ours, mut bare): Operations<'_>,
    (budget, rounds): (Duration, usize),
) -> Outcome<()> {
    let mut measured = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let (one, other) = if round % 2 == 0 {
            let one = micros(budget, &mut ours)?;
            (one, micros(budget, &mut bare)?)
        } else {
            let other = micros(budget, &mut bare)?;
            (micros(budget, &mut ours)?, other)
        };
        measured.push((one, other));
    }
    let of =
        |field: fn(&(f64, f64)) -> f64| median(&measured.iter().map(field).collect::<Vec<_>>());
    println!(
        "| {name} | {:.1} µs | {:.1} µs | {:.2} |",
        of(|it| it.0),
        of(|it| it.1),
        of(|it| it.0 / it.1)
    );
    Ok(())
}

/// Signing, verifying, encapsulating and decapsulating.
fn primitives(module: &Module, session: &Session<'_>, how: (Duration, usize)) -> Outcome<()> {
    println!("| | through C | bare AWS-LC | ratio |");
    println!("|---|---:|---:|---:|");
    let set = Attributes::new().number(ck::CKA_PARAMETER_SET, ck::CKP_ML_DSA_65);
    let (public, private) = pair(session, ck::CKM_ML_DSA_KEY_PAIR_GEN, set)?;
    let (bare, mut room, mut bare_room) = (MlDsa65::new()?, vec![0; ROOM], vec![0; ROOM]);
    let (mut to_sign, mut to_verify) =
        (Mechanism::plain(ck::CKM_ML_DSA), Mechanism::plain(ck::CKM_ML_DSA));
    let len = session.sign(&mut to_sign, private, &MESSAGE, &mut room)?;
    let signature = room[..len].to_vec();
    let bare_len = bare.sign(&MESSAGE, &mut bare_room)?;
    let bare_signature = bare_room[..bare_len].to_vec();
    beside(
        "ML-DSA-65 sign",
        (
            Box::new(|| session.sign(&mut to_sign, private, &MESSAGE, &mut room).map(|_| ())),
            Box::new(|| bare.sign(&MESSAGE, &mut bare_room).map(|_| ())),
        ),
        how,
    )?;
    beside(
        "ML-DSA-65 verify",
        (
            Box::new(|| session.verify(&mut to_verify, public, &MESSAGE, &signature)),
            Box::new(|| bare.verify(&MESSAGE, &bare_signature)),
        ),
        how,
    )?;
    let set = Attributes::new().number(ck::CKA_PARAMETER_SET, ck::CKP_ML_KEM_768);
    let (public, private) = pair(session, ck::CKM_ML_KEM_KEY_PAIR_GEN, set)?;
    let (mut kem, bare) = (Kem::of(module)?, MlKem768::new()?);
    let ciphertext = kem.encapsulate(public)?;
    let bare_ciphertext = bare.encapsulate()?;
    // Each call makes a key of a session, which goes with it.
    beside(
        "ML-KEM-768 encapsulate",
        (
            Box::new(|| kem.encapsulate(public).map(|_| ())),
            Box::new(|| bare.encapsulate().map(|_| ())),
        ),
        how,
    )?;
    beside(
        "ML-KEM-768 decapsulate",
        (
            Box::new(|| kem.decapsulate(private, &ciphertext)),
            Box::new(|| bare.decapsulate(&bare_ciphertext)),
        ),
        how,
    )
}

fn run(options: &Options) -> Fallible<()> {
    println!("{}", machine());
    for (name, configuration) in [("with the log", "# Defaults.\n"), ("without", WITHOUT_LOG)] {
        println!("\n{name}:\n");
        let scratch = Scratch::configured("post-quantum", configuration)?;
        let mut command = scratch.again()?;
        command.arg("--child").arg(&options.module);
        command.arg(options.millis.to_string()).arg(options.rounds.to_string());
        if !command.status()?.success() {
            return Err("the measurement failed".into());
        }
    }
    Ok(())
}

fn child(module: &str, millis: u64, rounds: usize) -> Outcome<()> {
    let module = Module::load(module.as_ref())?;
    module.initialize()?;
    make_token(&module)?;
    let session = logged_in(&module)?;
    let budget = Duration::from_millis(millis);
    primitives(&module, &session, (budget, rounds))?;
    println!("\n| composite | sign | parts | ratio | verify | parts | ratio |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for case in CASES {
        let number = |set| Attributes::new().number(ck::CKA_PARAMETER_SET, set);
        let curve = Attributes::new().bytes(ck::CKA_EC_PARAMS, case.classical.1);
        let keys = [
            pair(&session, CKM_COMP_SIG_KEY_PAIR_GEN, number(case.set))?,
            pair(&session, ck::CKM_ML_DSA_KEY_PAIR_GEN, number(case.ml_dsa))?,
            pair(&session, case.classical.0, curve)?,
        ];
        let measured: Outcome<Vec<Round>> =
            (0..rounds).map(|_| round(&session, case, keys, budget)).collect();
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

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [first, module, millis, rounds] if first == "--child" => {
            match (millis.parse(), rounds.parse()) {
                (Ok(millis), Ok(rounds)) => {
                    child(module, millis, rounds).map_err(|why| why.to_string().into())
                }
                _ => Err("numbers".into()),
            }
        }
        _ => options(&arguments).and_then(|options| run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("post_quantum: {why}");
            ExitCode::FAILURE
        }
    }
}
