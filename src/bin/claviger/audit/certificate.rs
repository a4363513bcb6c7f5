//! `claviger audit certificate`: evidence that a key is gone, as one JSON object that stands on
//! its own. docs/erasure.md says what it proves and what it cannot.

use std::path::{Path, PathBuf};

use clap::Args;
use claviger::audit::checkpoint::parse_origin;
use claviger::audit::erasure::{Erasure, Evidence, Found, Places, Trail};
use claviger::audit::note::VerifierKey;
use claviger::audit::proof::Proof;
use claviger::provider::administration::audit::Standing;
use serde::{Deserialize, Serialize};

use super::{LogChoice, OpenLog, Place, text_of};
use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::output;

/// What a certificate says that it is.
const FORMAT: &str = "claviger-erasure/1";

const HELP: &str = "\
A certificate is issued for an object that was destroyed, once `claviger token rotate` has come
after that. It proves that this is in the token's log; docs/erasure.md says what it cannot prove.

With --check, ends with 0 if the certificate holds and is signed with a key that was given, with 3
if it holds and no key was given (whoever can replace the key can sign anything), else with 1.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The object that was destroyed, by its unique id.
    #[arg(required_unless_present = "check")]
    unique_id: Option<String>,
    /// Check this certificate instead; needs no token.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["unique_id", "token", "slot"])]
    check: Option<PathBuf>,
    /// The key that must have signed, as `claviger audit key` prints it. May be repeated: all of
    /// them must have signed.
    #[arg(long, value_name = "VKEY", value_parser = VerifierKey::parse, requires = "check")]
    key: Vec<VerifierKey>,
    #[command(flatten)]
    token: TokenChoice,
}

/// The file. What stands in it beside the proofs is there to be read, and must agree with them.
#[derive(Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
struct Certificate {
    format: String,
    token: String,
    key: String,
    epoch: u64,
    destroyed: Entry,
    before: State,
    rotated: Entry,
    state: State,
    log: String,
    size: u64,
    /// The signed note, the same as in the proofs.
    checkpoint: String,
    /// Whose signature it is; to be compared with one that was kept elsewhere.
    vkey: String,
}

#[derive(Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
struct Entry {
    index: u64,
    time: String,
    /// C2SP tlog-proof, with the entry in its `extra` line.
    proof: String,
}

#[derive(Serialize, Deserialize, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
struct State {
    index: u64,
    proof: String,
}

impl Certificate {
    fn of(evidence: &Evidence, proved: &Erasure, vkey: &VerifierKey) -> Self {
        let Places { destroyed, before, rotated, state } = proved.places;
        let serial = parse_origin(&proved.origin).map(|(serial, _)| serial.to_owned());
        Self {
            format: FORMAT.to_owned(),
            token: serial.unwrap_or_default(),
            key: proved.key.clone(),
            epoch: proved.epoch,
            destroyed: Entry {
                index: destroyed,
                time: proved.destroyed_at.to_string(),
                proof: evidence.destroyed.format(),
            },
            before: State { index: before, proof: evidence.before.format() },
            rotated: Entry {
                index: rotated,
                time: proved.rotated_at.to_string(),
                proof: evidence.rotated.format(),
            },
            state: State { index: state, proof: evidence.state.format() },
            log: proved.origin.clone(),
            size: proved.size,
            checkpoint: evidence.state.checkpoint.clone(),
            vkey: vkey.to_string(),
        }
    }

    fn evidence(&self) -> Result<Evidence, String> {
        let proof = |text: &str| Proof::parse(text).map_err(|why| why.to_string());
        Ok(Evidence {
            destroyed: proof(&self.destroyed.proof)?,
            before: proof(&self.before.proof)?,
            rotated: proof(&self.rotated.proof)?,
            state: proof(&self.state.proof)?,
        })
    }

    /// Holds the proofs against keys, and everything else against the proofs.
    fn check(&self, keys: &[VerifierKey]) -> Result<Erasure, String> {
        let evidence = self.evidence()?;
        let mut proved = Err("there is no key to check it with".to_owned());
        for key in keys {
            let with_this = evidence.check(std::slice::from_ref(key));
            proved = Ok(with_this.map_err(|why| why.to_string())?);
        }
        let proved = proved?;
        let own = VerifierKey::parse(&self.vkey).map_err(|why| format!("vkey: {why}"))?;
        if *self != Self::of(&evidence, &proved, &own) {
            return Err("it says something else than what it proves".to_owned());
        }
        Ok(proved)
    }
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    match (arguments.check, arguments.unique_id) {
        (Some(file), _) => check(&file, &arguments.key),
        (None, Some(unique_id)) => issue(arguments.token, &unique_id),
        (None, None) => Err(Failure::new(Code::Usage, "say which object")),
    }
}

fn issue(token: TokenChoice, unique_id: &str) -> Result<(), Failure> {
    let log = LogChoice { token, generation: None, log: None, checkpoint: None }.open()?;
    let places = find(&log, unique_id)?;
    let Some(key) = &log.view.key else {
        return Err(Failure::new(Code::Failed, format!("{} names no key", log.name())));
    };
    let prove = |index| {
        let proof = log.view.entry(index).and_then(|entry| log.view.prove(index, entry));
        proof.map_err(|fault| log.fault(&fault))
    };
    let evidence = Evidence {
        destroyed: prove(places.destroyed)?,
        before: prove(places.before)?,
        rotated: prove(places.rotated)?,
        state: prove(places.state)?,
    };
    let proved = evidence.check(std::slice::from_ref(key)).map_err(|error| {
        Failure::new(Code::Failed, format!("{}: {error}", log.name()))
            .or("`claviger audit verify` says what is wrong")
    })?;
    if let Place::Token { library, slot, .. } = &log.place
        && let Some(why) = library.what_is_left(*slot, unique_id, proved.epoch)?
    {
        return Err(Failure::new(Code::Failed, format!("no certificate: {why}"))
            .or("`claviger token rotate` removes what is left"));
    }
    output::print_json(&Certificate::of(&evidence, &proved, key))
}

/// Finds the entries in a log that is what was signed, of a token that is what its log says.
fn find(log: &OpenLog, unique_id: &str) -> Result<Places, Failure> {
    let mut trail = Trail::of(unique_id);
    let report = log.view.verify(&log.keys(&[]), &mut |index, leaf, _| trail.pass(index, leaf));
    if let Some(fault) = &report.fault {
        return Err(log.fault(fault));
    }
    if let Standing::Differs(why) | Standing::Unknown(why) = &log.view.standing {
        return Err(Failure::new(
            Code::Failed,
            format!("the token is not what its log says: {why}"),
        )
        .or("`claviger audit verify` says what is wrong"));
    }
    match trail.found() {
        Found::Erased(places) => Ok(places),
        Found::Destroyed(index) => {
            let cause = format!(
                "{unique_id} was destroyed by entry {index}, and the token has not been rotated \
                 since: the key of its epoch is still there"
            );
            Err(Failure::new(Code::Failed, cause).or("run `claviger token rotate`, then this"))
        }
        Found::Nothing => {
            let mut cause = format!("no destruction of {unique_id} is in {}", log.name());
            if report.removed > 0 {
                cause += &format!(", whose first {} entries were removed", report.removed);
            }
            Err(Failure::new(Code::NotFound, cause)
                .or("`claviger audit show --call DestroyObject` lists what is on record"))
        }
    }
}

fn check(file: &Path, given: &[VerifierKey]) -> Result<(), Failure> {
    let bad = |why: String| Failure::new(Code::Failed, format!("{}: {why}", file.display()));
    let certificate: Certificate = serde_json::from_str(&text_of(file)?)
        .map_err(|error| bad(format!("not a certificate: {error}")))?;
    if certificate.format != FORMAT {
        return Err(bad(format!("not a certificate of the kind {FORMAT}")));
    }
    let own = VerifierKey::parse(&certificate.vkey).map_err(|why| bad(format!("vkey: {why}")))?;
    let keys = if given.is_empty() { std::slice::from_ref(&own) } else { given };
    let proved = certificate.check(keys).map_err(bad)?;
    let verdict = if given.is_empty() { "self-consistent, key not pinned" } else { "verified" };
    let Places { destroyed, rotated, .. } = proved.places;
    output::print(&output::fields(&[
        ("Verdict", verdict.to_owned()),
        ("Token", certificate.token.clone()),
        ("Object", proved.key),
        ("Destroyed", format!("{}, entry {destroyed}", proved.destroyed_at)),
        ("Rotated", format!("{}, entry {rotated}, to epoch {}", proved.rotated_at, proved.epoch)),
        ("Log", format!("{}, {} entries", proved.origin, proved.size)),
    ]))?;
    if given.is_empty() {
        output::note("give the key with --key: whoever can replace it can sign anything");
        return Err(Failure::new(Code::NotPinned, ""));
    }
    Ok(())
}
