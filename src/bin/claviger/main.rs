//! `claviger`: makes and keeps tokens, PINs, keys and objects, and says what is wrong.
//!
//! It stands above the library and uses its safe Rust API; what a token may do is decided
//! there. One file per subcommand; `library.rs` is the only one that calls the token.

mod audit;
mod certificate;
mod choice;
mod config;
mod doctor;
mod failure;
mod files;
mod key;
mod key_choice;
mod library;
mod object;
mod output;
mod pin;
mod pin_source;
mod prompt;
mod signature;
mod token;
mod uri;
mod view;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

const AFTER_HELP: &str = "\
PINs are asked for on the terminal, or read with --pin-file FILE or --pin-env VARIABLE
(and --so-pin-..., --new-pin-...). They are never taken from the command line, which other
users can see.

Exit codes:
  0  done
  1  failed, for the reason given
  2  the command line is wrong, or a PIN is needed and there is no terminal
  3  what is signed holds, but no key was given that it must be signed with
  4  the PIN is wrong, locked or not set
  5  the configuration cannot be used
  6  `doctor` found problems
  7  no such token, slot, object or entry
  8  the signature is wrong

Environment:
  CLAVIGER_CONF  the configuration file, instead of ~/.config/claviger/claviger.toml
                 or /etc/claviger/claviger.toml
  CLAVIGER_DIR   the directory of the tokens";

/// Makes and keeps PKCS#11 tokens: keys that tools can use and nobody can read.
#[derive(Parser)]
#[command(name = "claviger", version, after_help = AFTER_HELP, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make, list, show and delete tokens.
    #[command(subcommand)]
    Token(token::Command),
    /// Change a PIN, or give the user a new one.
    #[command(subcommand)]
    Pin(pin::Command),
    /// Generate, list, show, rotate and delete keys; print public keys.
    #[command(subcommand)]
    Key(key::Command),
    /// List and delete objects: keys, certificates, data.
    #[command(subcommand)]
    Object(object::Command),
    /// Make certificates and requests signed on the token; import, list and export certificates.
    #[command(subcommand)]
    Certificate(certificate::Command),
    /// Sign a file with a key of a token.
    Sign(signature::Sign),
    /// Verify the signature of a file.
    Verify(signature::Verify),
    /// Check, list, export and prove what is on record: who used which key, and what was changed.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Show and check the configuration.
    #[command(subcommand)]
    Config(config::Command),
    /// Find out what is installed, where it looks, what is wrong and how to mend it.
    Doctor(doctor::Arguments),
}

fn main() -> ExitCode {
    // Ends with 2 for a wrong command line, with 0 for --help and --version.
    let arguments = CommandLine::parse();
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::report(&failure);
            failure.code.into()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Token(command) => token::run(command),
        Command::Pin(command) => pin::run(command),
        Command::Key(command) => key::run(command),
        Command::Object(command) => object::run(command),
        Command::Certificate(command) => certificate::run(command),
        Command::Sign(arguments) => signature::sign(&arguments),
        Command::Verify(arguments) => signature::verify(&arguments),
        Command::Audit(command) => audit::run(command),
        Command::Config(command) => config::run(command),
        Command::Doctor(arguments) => doctor::run(&arguments),
    }
}
