//! `claviger key rotate`: makes the next version of a key.

use clap::Args;
use claviger::provider::administration::NewKey as Algorithm;
use serde::Serialize;

use crate::choice::TokenChoice;
use crate::failure::Failure;
use crate::library::Library;
use crate::output::{self, Format};
use crate::pin_source::UserPin;
use crate::view::ObjectView;

const ROTATE_HELP: &str = "\
The new version has the attributes of the one before, or is of another kind with --algorithm. The
one before goes on verifying and decrypting, and signs, encrypts and wraps no more. All of it is one
change of the token. With --operation, a command that is given again finds what it has done and does
nothing; without, each command makes a version.";

#[derive(Args)]
#[command(after_help = ROTATE_HELP)]
pub(crate) struct Rotate {
    /// The label of the key.
    label: String,
    /// Make a key of this kind instead.
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// The name of the operation, 1 to 128 bytes.
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    #[command(flatten)]
    format: Format,
}

/// What `key rotate --json` prints.
#[derive(Serialize)]
struct Rotated {
    version: u64,
    operation: String,
    was_done: bool,
    objects: Vec<ObjectView>,
}

pub(super) fn run(library: &Library, arguments: &Rotate) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let pin = arguments.pin.source().known(&token.name())?;
    let operation = match &arguments.operation {
        Some(name) => name.clone(),
        None => once(),
    };
    let label = arguments.label.as_str();
    let names = (label, operation.as_str());
    let done = library.rotate_key(token.slot, &pin, names, arguments.algorithm);
    let (version, objects, was_done) = done.map_err(|failure| {
        failure.or("`claviger object list --login` shows which keys have the label")
    })?;
    if arguments.format.json {
        return output::print_json(&Rotated { version, operation, was_done, objects });
    }
    let (label, name) = (output::printable(label), output::printable(&token.name()));
    let what = if was_done { "had been made before" } else { "is made" };
    output::print(&format!("Version {version} of \"{label}\" on {name} {what}.\n"))
}

/// A name that no other command has: the process and the time.
fn once() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_nanos());
    format!("claviger {} {now}", std::process::id())
}
