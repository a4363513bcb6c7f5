//! `claviger key generate`: makes a key pair, a secret key, or the two pairs of a bundle.

use clap::Args;
use claviger::provider::administration::{Naming, NewKey as Algorithm};
use claviger::secret::Secret;

use crate::choice::TokenChoice;
use crate::failure::Failure;
use crate::library::{Library, NewKey, Selector};
use crate::output::{self, Format};
use crate::pin_source::UserPin;
use crate::view::{HexId, ObjectView, hex};

const GENERATE_HELP: &str = "\
Algorithms (`claviger key algorithms` lists all):
  rsa:2048 ...            key pairs to sign and decrypt
  ec:p256 ...             key pairs to sign (ECDSA) and to agree on keys (ECDH)
  ed25519, ed448          key pairs to sign
  x25519, x448            key pairs to agree on keys
  dh:ffdhe2048 ...        key pairs to agree on keys (Diffie-Hellman, RFC 7919)
  ml-dsa:65, slh-dsa:...  key pairs to sign
  ml-kem:768 ...          key pairs to encapsulate
  comp-sig:..., comp-kem:...  composites of two algorithms
  bundle:ed25519+ml-dsa:65    two pairs that sign together; the second is called LABEL#pq
  aes:128, chacha20 ...   secret keys to encrypt and decrypt
  poly1305                secret keys to authenticate one message each
  generic:BYTES           secret keys of 14 to 64 bytes, to sign (HMAC) and derive

Private and secret keys are made so that they can be used but not read. With --extractable they can
leave the token wrapped by a key with CKA_TRUSTED.";

#[derive(Args)]
#[command(after_help = GENERATE_HELP)]
pub(crate) struct Generate {
    /// What to make, for example ec:p256.
    algorithm: Algorithm,
    /// The label of the new objects.
    #[arg(short, long, value_name = "LABEL")]
    label: String,
    /// The id of the new objects; of a key pair's halves it is otherwise computed.
    #[arg(long, value_name = "HEX")]
    id: Option<HexId>,
    /// Let the private or secret key leave the token, wrapped by a key with CKA_TRUSTED.
    #[arg(long)]
    extractable: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(library: &Library, arguments: &Generate) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let pin = arguments.pin.source().known(&token.name())?;
    warn_of_doubles(library, token.slot, &pin, (&arguments.label, arguments.id.as_ref()))?;
    let naming = Naming {
        label: &arguments.label,
        id: arguments.id.as_ref().map(|id| id.0.as_slice()),
        extractable: arguments.extractable,
    };
    let key = NewKey { algorithm: arguments.algorithm, naming };
    let made = library.generate_key(token.slot, &pin, &key)?;
    if arguments.format.json {
        return output::print_json(&made);
    }
    let mut text = format!(
        "Made {} \"{}\" on {}.\n",
        arguments.algorithm,
        output::printable(&arguments.label),
        output::printable(&token.name())
    );
    for object in &made {
        text += &line(object);
    }
    output::print(&text)
}

/// One new object, for people.
pub(super) fn line(object: &ObjectView) -> String {
    format!("{:<11}  id {}  {}\n", object.class.name(), hex(&object.id), object.uri)
}

/// Two keys of one name or id are legal, and tools then take either.
pub(super) fn warn_of_doubles(
    library: &Library,
    slot: u64,
    pin: &Secret,
    (label, id): (&str, Option<&HexId>),
) -> Result<(), Failure> {
    let label = Selector { label: Some(label.to_owned()), ..Selector::default() };
    if !library.list_objects(slot, Some(pin), &label)?.is_empty() {
        output::note("warning: there are objects with this label already; tools may take either");
    }
    if let Some(id) = id {
        let id = Selector { id: Some(id.0.clone()), ..Selector::default() };
        if !library.list_objects(slot, Some(pin), &id)?.is_empty() {
            output::note("warning: there are objects with this id already; tools may take either");
        }
    }
    Ok(())
}
