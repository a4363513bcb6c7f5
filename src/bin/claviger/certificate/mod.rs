//! `claviger certificate`: certificates and requests that keys of the token sign; certificates that
//! are kept on the token. RFC 5280, RFC 2986.

mod content;
mod kept;
mod making;
mod names;

use clap::Subcommand;
use claviger::config::Configuration;

use crate::failure::Failure;
use crate::library::Library;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a certificate request (PKCS#10) that a key of the token signs.
    Request(making::Request),
    /// Make a certificate that is signed with its own key.
    SelfSigned(making::SelfSigned),
    /// Keep a certificate on the token, beside its key.
    Import(kept::Import),
    /// Print a certificate of the token.
    Export(kept::Export),
    /// List the certificates of the token.
    List(kept::List),
}

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    let library = Library::open(&Configuration::of_this_process()?)?;
    match command {
        Command::Request(arguments) => making::request(&library, &arguments),
        Command::SelfSigned(arguments) => making::self_signed(&library, &arguments),
        Command::Import(arguments) => kept::import(&library, &arguments),
        Command::Export(arguments) => kept::export(&library, &arguments),
        Command::List(arguments) => kept::list(&library, &arguments),
    }
}
