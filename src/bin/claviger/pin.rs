//! `claviger pin`: the owner changes a PIN, the security officer gives the user a new one.
//! PKCS#11 3.2, "C_SetPIN" and "C_InitPIN".

use clap::{Args, Subcommand};
use claviger::config::Configuration;

use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::library::{Library, Role};
use crate::output;
use crate::pin_source::{NewPin, SoPin, UserPin};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Change your PIN, knowing the old one.
    Set(Set),
    /// As security officer, give the user a new PIN (also the first one, or after too many tries).
    Reset(Reset),
}

#[derive(Args)]
pub(crate) struct Set {
    /// Change the security officer's PIN instead of the user's.
    #[arg(long)]
    so: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    user_pin: UserPin,
    #[command(flatten)]
    so_pin: SoPin,
    #[command(flatten)]
    new_pin: NewPin,
}

#[derive(Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    so_pin: SoPin,
    #[command(flatten)]
    new_pin: NewPin,
}

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    let library = Library::open(&Configuration::of_this_process()?)?;
    match command {
        Command::Set(arguments) => set(&library, &arguments),
        Command::Reset(arguments) => reset(&library, &arguments),
    }
}

fn set(library: &Library, arguments: &Set) -> Result<(), Failure> {
    let (role, source, other) = match arguments.so {
        true => (Role::SecurityOfficer, arguments.so_pin.source(), arguments.user_pin.source()),
        false => (Role::User, arguments.user_pin.source(), arguments.so_pin.source()),
    };
    if other.is_named() {
        let cause = match role {
            Role::User => "--so-pin-... belongs to `pin set --so` and `pin reset`",
            Role::SecurityOfficer => "with --so, the old PIN comes from --so-pin-...",
        };
        return Err(Failure::new(Code::Usage, cause));
    }
    let token = arguments.token.find(library)?;
    let old = source.known(&token.name())?;
    let new = arguments.new_pin.source().chosen(&token.name())?;
    library.change_pin(token.slot, role, &old, &new)?;
    let whose = match role {
        Role::User => "user PIN",
        Role::SecurityOfficer => "security officer's PIN",
    };
    output::print(&format!("Changed the {whose} of {}.\n", output::printable(&token.name())))
}

fn reset(library: &Library, arguments: &Reset) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let so_pin = arguments.so_pin.source().known(&token.name())?;
    let new = arguments.new_pin.source().chosen(&token.name())?;
    library.init_user_pin(token.slot, &so_pin, &new)?;
    output::print(&format!("Set the user PIN of {}.\n", output::printable(&token.name())))
}
