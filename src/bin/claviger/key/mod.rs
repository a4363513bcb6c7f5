//! `claviger key`: make and import keys, make their next versions, list, show and delete them,
//! print public keys.

mod generate;
mod import;
mod listing;
mod public;
mod removal;
mod rotate;

use clap::Subcommand;
use claviger::config::Configuration;
use claviger::provider::administration::NewKey as Algorithm;

use crate::failure::Failure;
use crate::library::Library;
use crate::output;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Generate a key pair or a secret key.
    Generate(generate::Generate),
    /// List what `key generate` can make, one a line.
    Algorithms,
    /// List keys; without a login, the public ones.
    List(listing::List),
    /// Show what may be shown of one key: its objects, uses, versions and dates.
    Show(listing::Show),
    /// Make the next version of a key: it takes the label, the one before becomes LABEL#vN.
    Rotate(rotate::Rotate),
    /// Print the public key of a key pair or certificate, as PEM.
    ExportPublic(public::Export),
    /// Take in a private or public key from a file.
    Import(import::Import),
    /// Delete a key: of a pair both halves.
    Delete(removal::Delete),
}

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    if matches!(command, Command::Algorithms) {
        return output::print(&(Algorithm::names().join("\n") + "\n"));
    }
    let library = Library::open(&Configuration::of_this_process()?)?;
    match command {
        Command::Generate(arguments) => generate::run(&library, &arguments),
        Command::Algorithms => Ok(()),
        Command::List(arguments) => listing::list(&library, &arguments),
        Command::Show(arguments) => listing::show(&library, &arguments),
        Command::Rotate(arguments) => rotate::run(&library, &arguments),
        Command::ExportPublic(arguments) => public::export(&library, &arguments),
        Command::Import(arguments) => import::run(&library, &arguments),
        Command::Delete(arguments) => removal::run(&library, &arguments),
    }
}
