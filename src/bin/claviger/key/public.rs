//! `claviger key export-public`: prints a public key.

use clap::Args;

use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::key_choice::{KeyChoice, several};
use crate::library::Library;
use crate::output;
use crate::pin_source::UserPin;

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    key: KeyChoice,
    /// Log in as the user, for keys that are private; implied by --pin-file and --pin-env.
    #[arg(long)]
    login: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
}

pub(super) fn export(library: &Library, arguments: &Export) -> Result<(), Failure> {
    let (token, selector) = arguments.key.find(library, &arguments.token)?;
    let pin = arguments.pin.if_asked(arguments.login, &token.name())?;
    match library.public_keys(token.slot, pin.as_ref(), &selector)?.as_slice() {
        [key] => output::print(key),
        [] => Err(Failure::new(Code::NotFound, format!("no public key on {}", token.name()))
            .or("`claviger key list --login` shows what is there")),
        keys => Err(several(keys.len(), "public keys")),
    }
}
