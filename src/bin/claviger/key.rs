//! `claviger key`: generate keys on a token.
//!
//! Importing keys and certificates is left to PKCS#11 tools.

use std::fmt;
use std::str::FromStr;

use clap::{Args, Subcommand};
use claviger::config::Configuration;

use crate::choice::TokenChoice;
use crate::failure::Failure;
use crate::library::{Library, NewKey, Selector};
use crate::output::{self, Format};
use crate::pin_source::UserPin;
use crate::view::{HexId, hex};

const GENERATE_HELP: &str = "\
Algorithms:
  rsa:2048  rsa:3072  rsa:4096    key pairs to sign and decrypt
  ec:p256  ec:p384  ec:p521       key pairs to sign (ECDSA) and to agree on keys (ECDH)
  ed25519                         key pairs to sign
  aes:128  aes:256                secret keys to encrypt and decrypt
  generic:BYTES                   secret keys of 14 to 64 bytes, to sign (HMAC) and derive

Private and secret keys are made so that they can be used but not read.";

/// A key pair's or secret key's kind and size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Algorithm {
    /// Bits of the modulus.
    Rsa(u64),
    Ec(Field),
    Ed25519,
    /// Bits.
    Aes(u64),
    /// Bytes.
    Generic(u64),
}

/// A NIST curve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    P256,
    P384,
    P521,
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let (family, size) = lower.split_once(':').unwrap_or((&lower, ""));
        let number = size.parse::<u64>().ok();
        match (family, number, size) {
            ("rsa", Some(bits @ (2048 | 3072 | 4096)), _) => Ok(Self::Rsa(bits)),
            ("aes", Some(bits @ (128 | 256)), _) => Ok(Self::Aes(bits)),
            ("generic", Some(bytes @ 14..=64), _) => Ok(Self::Generic(bytes)),
            ("ec", _, "p256" | "p-256" | "secp256r1" | "prime256v1") => Ok(Self::Ec(Field::P256)),
            ("ec", _, "p384" | "p-384" | "secp384r1") => Ok(Self::Ec(Field::P384)),
            ("ec", _, "p521" | "p-521" | "secp521r1") => Ok(Self::Ec(Field::P521)),
            ("ed25519", _, "") | ("ec", _, "ed25519" | "edwards25519") => Ok(Self::Ed25519),
            _ => Err("known are rsa:2048, rsa:3072, rsa:4096, ec:p256, ec:p384, ec:p521, \
                      ed25519, aes:128, aes:256 and generic:14 to generic:64"
                .to_owned()),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "rsa:{bits}"),
            Self::Ec(Field::P256) => f.write_str("ec:p256"),
            Self::Ec(Field::P384) => f.write_str("ec:p384"),
            Self::Ec(Field::P521) => f.write_str("ec:p521"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Aes(bits) => write!(f, "aes:{bits}"),
            Self::Generic(bytes) => write!(f, "generic:{bytes}"),
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Generate a key pair or a secret key.
    Generate(Generate),
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

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    let library = Library::open(&Configuration::of_this_process()?)?;
    match command {
        Command::Generate(arguments) => generate(&library, &arguments),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_read_as_they_are_written() {
        for name in
            ["rsa:2048", "rsa:4096", "ec:p256", "ec:p521", "ed25519", "aes:256", "generic:32"]
        {
            let found: Algorithm = name.parse().unwrap();
            assert_eq!(found.to_string(), name);
        }
        assert_eq!("EC:prime256v1".parse(), Ok(Algorithm::Ec(Field::P256)));
        for wrong in ["", "rsa", "rsa:1024", "rsa:02048x", "ec:k256", "aes:192", "generic:0"] {
            assert!(wrong.parse::<Algorithm>().is_err(), "{wrong}");
        }
    }
}
