//! `claviger key delete`: deletes a key, of a pair both halves. What is deleted is listed first,
//! and deleted by its unique ids: no more than was shown.

use clap::Args;

use crate::choice::TokenChoice;
use crate::failure::Failure;
use crate::key_choice::{KeyChoice, no_key};
use crate::library::Library;
use crate::object;
use crate::pin_source::UserPin;

#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    key: KeyChoice,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    /// Do not ask for a confirmation.
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(library: &Library, arguments: &Delete) -> Result<(), Failure> {
    let (token, selector) = arguments.key.find(library, &arguments.token)?;
    let pin = arguments.pin.source().known(&token.name())?;
    let mut found = library.list_objects(token.slot, Some(&pin), &selector)?;
    found.retain(|object| object.class.is_key());
    if found.is_empty() {
        return Err(no_key(&token));
    }
    object::delete_these(library, (&token, &pin), &found, arguments.yes)
}
