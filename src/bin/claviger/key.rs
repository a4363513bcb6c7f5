//! `claviger key`: generate keys on a token, make their next versions, print public keys.
//!
//! Importing keys and certificates is left to PKCS#11 tools.

use clap::{Args, Subcommand};
use claviger::config::Configuration;
use claviger::provider::administration::NewKey as Algorithm;
use serde::Serialize;

use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::library::{Library, NewKey, Selector};
use crate::output::{self, Format};
use crate::pin_source::UserPin;
use crate::view::{HexId, ObjectView, hex};

const GENERATE_HELP: &str = "\
Algorithms (`claviger key algorithms` lists all):
  rsa:2048 ...        key pairs to sign and decrypt
  ec:p256 ...         key pairs to sign (ECDSA) and to agree on keys (ECDH)
  ed25519, ed448      key pairs to sign
  x25519, x448        key pairs to agree on keys
  aes:128 ...         secret keys to encrypt and decrypt
  generic:BYTES       secret keys of 14 to 64 bytes, to sign (HMAC) and derive

Private and secret keys are made so that they can be used but not read.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Generate a key pair or a secret key.
    Generate(Generate),
    /// List what `key generate` can make, one a line.
    Algorithms,
    /// Make the next version of a key: it takes the label, the one before becomes LABEL#vN.
    Rotate(Rotate),
    /// Print the public key of a key pair or certificate, as PEM.
    ExportPublic(ExportPublic),
}

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
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    #[command(flatten)]
    format: Format,
}

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

#[derive(Args)]
pub(crate) struct ExportPublic {
    /// The label of the key.
    #[arg(short, long, required_unless_present_any = ["id", "unique_id"])]
    label: Option<String>,
    /// Its id.
    #[arg(long, value_name = "HEX")]
    id: Option<HexId>,
    /// The unique id of one object.
    #[arg(long, value_name = "ID")]
    unique_id: Option<String>,
    /// Log in as the user, for keys that are private; implied by --pin-file and --pin-env.
    #[arg(long)]
    login: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
}

/// What `key rotate --json` prints.
#[derive(Serialize)]
struct Rotated {
    version: u64,
    operation: String,
    was_done: bool,
    objects: Vec<ObjectView>,
}

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    if matches!(command, Command::Algorithms) {
        return output::print(&(Algorithm::names().join("\n") + "\n"));
    }
    let library = Library::open(&Configuration::of_this_process()?)?;
    match command {
        Command::Generate(arguments) => generate(&library, &arguments),
        Command::Rotate(arguments) => rotate(&library, &arguments),
        Command::ExportPublic(arguments) => export_public(&library, &arguments),
        Command::Algorithms => Ok(()),
    }
}

fn generate(library: &Library, arguments: &Generate) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let pin = arguments.pin.source().known(&token.name())?;
    warn_of_doubles(library, token.slot, &pin, arguments)?;
    let key = NewKey {
        algorithm: arguments.algorithm,
        label: &arguments.label,
        id: arguments.id.as_ref().map(|id| id.0.as_slice()),
    };
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
        text += &format!("{:<11}  id {}  {}\n", object.class.name(), hex(&object.id), object.uri);
    }
    output::print(&text)
}

fn rotate(library: &Library, arguments: &Rotate) -> Result<(), Failure> {
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

fn export_public(library: &Library, arguments: &ExportPublic) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let source = arguments.pin.source();
    let pin = match arguments.login || source.is_named() {
        true => Some(source.known(&token.name())?),
        false => None,
    };
    let selector = Selector {
        class: None,
        label: arguments.label.clone(),
        id: arguments.id.as_ref().map(|id| id.0.clone()),
        unique_id: arguments.unique_id.clone(),
    };
    match library.public_keys(token.slot, pin.as_ref(), &selector)?.as_slice() {
        [key] => output::print(key),
        [] => Err(Failure::new(Code::NotFound, format!("no public key on {}", token.name()))
            .or("`claviger object list --login` shows what is there")),
        several => {
            let cause = format!("{} different public keys match", several.len());
            Err(Failure::new(Code::Failed, cause).or("say which with --id or --unique-id"))
        }
    }
}

/// Two keys of one name or id are legal, and tools then take either.
fn warn_of_doubles(
    library: &Library,
    slot: u64,
    pin: &claviger::secret::Secret,
    arguments: &Generate,
) -> Result<(), Failure> {
    let label = Selector { label: Some(arguments.label.clone()), ..Selector::default() };
    if !library.list_objects(slot, Some(pin), &label)?.is_empty() {
        output::note("warning: there are objects with this label already; tools may take either");
    }
    if let Some(id) = &arguments.id {
        let id = Selector { id: Some(id.0.clone()), ..Selector::default() };
        if !library.list_objects(slot, Some(pin), &id)?.is_empty() {
            output::note("warning: there are objects with this id already; tools may take either");
        }
    }
    Ok(())
}
