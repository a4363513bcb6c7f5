//! `claviger audit hash`: what records say of an input, to find where it was signed. Needs a
//! login: without the token's keys nobody can try inputs.

use std::fs::File;
use std::path::PathBuf;

use clap::Args;
use claviger::config::Configuration;

use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::library::Library;
use crate::output;
use crate::pin_source::UserPin;

const HELP: &str = "\
With `audit.hash = true` records of signing and verifying hold this value as `hash`:
`claviger audit export | grep HASH` finds them. It is over what the caller gave the function: for
mechanisms that sign a digest, that is the digest.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// The file with the input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Code::Failed, format!("{}: {error}", arguments.file.display()))
    };
    let mut file = File::open(&arguments.file).map_err(failed)?;
    let library = Library::open(&Configuration::of_this_process()?)?;
    let token = arguments.token.find(&library)?;
    let pin = arguments.pin.source().known(&token.name())?;
    output::print(&format!("{}\n", library.input_hash(token.slot, &pin, &mut file)?))
}
