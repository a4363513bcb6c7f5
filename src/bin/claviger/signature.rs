//! `claviger sign` and `claviger verify`: signatures of files.

use std::path::PathBuf;

use clap::Args;
use claviger::config::Configuration;
use claviger::provider::administration::SignatureChoice;

use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::files;
use crate::key_choice::KeyChoice;
use crate::library::{Library, VerifiedBy};
use crate::output;
use crate::pin_source::UserPin;

const MECHANISMS_HELP: &str = "\
Without --mechanism the kind of key decides:
  rsa                  SHA256_RSA_PKCS
  ec                   ECDSA_SHA256, ECDSA_SHA384 or ECDSA_SHA512, by the length of the curve
  ed25519, ed448       EDDSA
  ml-dsa, slh-dsa      ML_DSA, SLH_DSA: the message itself
  comp-sig             COMP_SIG, which hashes with the set's hash
  a key of a bundle    CLAVIGER_BUNDLE, which signs with both keys
  generic, hmac-...    SHA256_HMAC, the hash of the key
  aes                  AES_CMAC, for keys with CKA_SIGN
docs/mechanisms.md lists all. Those with a hash in their name, ML-DSA and composites read the file
in parts, however long it is; EDDSA and SLH_DSA need all of it at once and take up to 64 MiB. PSS
has a salt as long as the hash. Mechanisms without a hash (RSA_PKCS, ECDSA) sign the file as the
digest that it is.

A signature of ECDSA is DER, as openssl reads it; with --raw it is r || s. All others are the bytes
that the standard has.";

/// How to sign.
#[derive(Args)]
struct How {
    /// The mechanism, by the standard's name.
    #[arg(short, long, value_name = "NAME")]
    mechanism: Option<String>,
    /// The context, for ML-DSA, SLH-DSA, composites and Ed25519 and Ed448: at most 255 bytes.
    #[arg(long, value_name = "TEXT")]
    context: Option<String>,
    /// ECDSA as r || s and not as DER.
    #[arg(long)]
    raw: bool,
}

impl How {
    fn choice(&self) -> SignatureChoice<'_> {
        SignatureChoice {
            mechanism: self.mechanism.as_deref(),
            context: self.context.as_deref().map(str::as_bytes),
            raw: self.raw,
            pin: None,
        }
    }
}

#[derive(Args)]
#[command(after_help = MECHANISMS_HELP)]
pub(crate) struct Sign {
    /// The file to sign; "-" is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the signature goes; "-", and without the option, is standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    key: KeyChoice,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
}

const VERIFY_HELP: &str = "\
Ends with 0 and says so if the signature is right, and with 8 if it is not. --mechanism, --context
and --raw must be those that it was made with.

Public keys need no login, secret keys do. With --public-key the key comes from a file, and the
token only computes.";

#[derive(Args)]
#[command(after_help = VERIFY_HELP)]
pub(crate) struct Verify {
    /// The file that was signed; "-" is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file with the signature.
    #[arg(short, long, value_name = "FILE")]
    signature: PathBuf,
    #[command(flatten)]
    key: KeyChoice,
    /// The public key, in a file of PEM or DER (SubjectPublicKeyInfo).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "id", "unique_id"])]
    public_key: Option<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Log in as the user, for secret keys; implied by --pin-file and --pin-env.
    #[arg(long)]
    login: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
}

pub(crate) fn sign(arguments: &Sign) -> Result<(), Failure> {
    let library = Library::open(&Configuration::of_this_process()?)?;
    let (token, selector) = arguments.key.find(&library, &arguments.token)?;
    let pin = arguments.pin.source().known(&token.name())?;
    let mut input = files::open(&arguments.file)?;
    let how = SignatureChoice { pin: Some(&pin), ..arguments.how.choice() };
    let signature = library.sign(token.slot, &selector, &how, input.as_mut())?;
    files::write(arguments.output.as_deref(), &signature)
}

pub(crate) fn verify(arguments: &Verify) -> Result<(), Failure> {
    let library = Library::open(&Configuration::of_this_process()?)?;
    let (token, by) = match &arguments.public_key {
        Some(file) => {
            let info = files::der(file, "PUBLIC KEY")?;
            (arguments.token.find(&library)?, VerifiedBy::PublicKey(info))
        }
        None if !arguments.key.is_given() => {
            return Err(Failure::new(Code::Usage, "say whose signature it is")
                .or("give --key, --id, --unique-id or --public-key"));
        }
        None => {
            let (token, selector) = arguments.key.find(&library, &arguments.token)?;
            (token, VerifiedBy::Key(selector))
        }
    };
    let pin = arguments.pin.if_asked(arguments.login, &token.name())?;
    let signature = files::whole(&arguments.signature)?;
    let mut input = files::open(&arguments.file)?;
    let how = arguments.how.choice();
    library.verify(token.slot, pin.as_ref(), (&by, &how), (input.as_mut(), &signature))?;
    output::print("The signature is right.\n")
}
