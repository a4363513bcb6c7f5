//! `claviger key import`: takes in a private or public key from a file.

use std::path::PathBuf;

use clap::Args;
use claviger::provider::administration::Naming;

use super::generate::{line, warn_of_doubles};
use crate::choice::TokenChoice;
use crate::failure::Failure;
use crate::files;
use crate::library::Library;
use crate::output::{self, Format};
use crate::pin_source::{Password, UserPin};
use crate::view::HexId;

const HELP: &str = "\
FILE holds PEM or DER: a private key as PKCS#8 (RFC 5958), encrypted or not, or a public key as
SubjectPublicKeyInfo. Post-quantum keys are written as RFC 9881, 9909 and 9935 have them, composites
as the LAMPS drafts do. With a private key its public half is made.

The key was outside of the token, and the file goes on holding it: delete it where it should not
stay.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Import {
    /// The file; "-" is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The label of the new objects.
    #[arg(short, long, value_name = "LABEL")]
    label: String,
    /// Their id; otherwise it is computed from the public key.
    #[arg(long, value_name = "HEX")]
    id: Option<HexId>,
    /// Let the private key leave the token, wrapped by a key with CKA_TRUSTED.
    #[arg(long)]
    extractable: bool,
    #[command(flatten)]
    password: Password,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(library: &Library, arguments: &Import) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let pin = arguments.pin.source().known(&token.name())?;
    let key = files::key(&arguments.file, &arguments.password.source())?;
    warn_of_doubles(library, token.slot, &pin, (&arguments.label, arguments.id.as_ref()))?;
    let naming = Naming {
        label: &arguments.label,
        id: arguments.id.as_ref().map(|id| id.0.as_slice()),
        extractable: arguments.extractable,
    };
    let made = library
        .import_key(token.slot, &pin, key, &naming)
        .map_err(|failure| failure.while_doing(&arguments.file.display().to_string()))?;
    if arguments.format.json {
        return output::print_json(&made);
    }
    let lines: String = made.iter().map(line).collect();
    let (label, name) = (output::printable(&arguments.label), output::printable(&token.name()));
    output::print(&format!("Imported \"{label}\" to {name}.\n{lines}"))
}
