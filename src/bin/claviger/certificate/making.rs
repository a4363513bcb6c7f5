//! `claviger certificate request` and `claviger certificate self-signed`.

use std::path::PathBuf;

use clap::Args;
use claviger::provider::administration::{Naming, Signer};
use x509_cert::der;

use super::content::{Wanted, as_pem, signed};
use super::kept::{Parsed, store};
use super::names::{AlternativeName, Subject};
use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::files;
use crate::key_choice::KeyChoice;
use crate::library::{Library, Signed};
use crate::pin_source::UserPin;

const HELP: &str = "\
Every key pair that signs can do it: RSA (PKCS#1 v1.5 with SHA-256, or what --mechanism names, as
SHA384_RSA_PKCS_PSS), EC (ECDSA with the hash of the curve's length), Ed25519 and Ed448, ML-DSA
(RFC 9881), SLH-DSA (RFC 9909) and composites (the LAMPS draft). A key of a bundle signs alone: a
certificate has one key.

Example:
  claviger certificate self-signed --key web --subject CN=a.example --san DNS:a.example --days 90";

/// What a certificate or request is to say, and who signs it.
#[derive(Args)]
struct About {
    /// Who it is for, as RFC 4514 writes names: CN=example.org,O=Example.
    #[arg(long, value_name = "NAME")]
    subject: Subject,
    /// Another name: DNS:..., IP:..., email:... or URI:...; can be given again.
    #[arg(long, value_name = "NAME")]
    san: Vec<AlternativeName>,
    /// The key issues certificates: basic constraints and key usage say so.
    #[arg(long)]
    ca: bool,
    /// The mechanism that signs, by the standard's name.
    #[arg(short, long, value_name = "NAME")]
    mechanism: Option<String>,
    /// Where it goes; "-", and without the option, is standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write DER and not PEM.
    #[arg(long)]
    der: bool,
    #[command(flatten)]
    key: KeyChoice,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
}

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Request {
    #[command(flatten)]
    about: About,
}

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct SelfSigned {
    #[command(flatten)]
    about: About,
    /// How long it is valid from now on.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    days: u32,
    /// Keep it on the token as well, with the label and id of the key.
    #[arg(long)]
    store: bool,
}

impl About {
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            subject: &self.subject.0,
            alternative: self.san.iter().map(|name| name.0.clone()).collect(),
            authority: self.ca,
        }
    }

    /// Has the key sign what is made for it, and writes the result.
    fn finish(&self, label: &str, signed: &[u8]) -> Result<(), Failure> {
        let output = self.output.as_deref();
        match self.der {
            true => files::write(output, signed),
            false => files::write(output, &as_pem(label, signed).map_err(unwritable)?),
        }
    }
}

fn unwritable(error: der::Error) -> Failure {
    Failure::new(Code::Failed, format!("it cannot be written as DER: {error}"))
}

fn whole(made: &Signed) -> Result<Vec<u8>, Failure> {
    signed(&made.content, &made.signer.algorithm, &made.signature).map_err(unwritable)
}

pub(super) fn request(library: &Library, arguments: &Request) -> Result<(), Failure> {
    let about = &arguments.about;
    let (token, selector) = about.key.find(library, &about.token)?;
    let pin = about.pin.source().known(&token.name())?;
    let make = |signer: &Signer| about.wanted().request(signer).map_err(unwritable);
    let by = (&selector, about.mechanism.as_deref());
    let made = library.sign_made(token.slot, &pin, by, make)?;
    about.finish("CERTIFICATE REQUEST", &whole(&made)?)
}

pub(super) fn self_signed(library: &Library, arguments: &SelfSigned) -> Result<(), Failure> {
    let about = &arguments.about;
    let (token, selector) = about.key.find(library, &about.token)?;
    let pin = about.pin.source().known(&token.name())?;
    let make = |signer: &Signer| {
        let content = about.wanted().certificate(signer, arguments.days);
        content.map_err(|error| {
            Failure::new(Code::Usage, format!("no such certificate can be written: {error}"))
                .or("--days must end before the year 10000")
        })
    };
    let by = (&selector, about.mechanism.as_deref());
    let made = library.sign_made(token.slot, &pin, by, make)?;
    let certificate = whole(&made)?;
    if arguments.store {
        let parsed = Parsed::of(&certificate).map_err(unwritable)?;
        let (label, id) = (made.signer.label.as_str(), Some(made.signer.id.as_slice()));
        store(library, (&token, &pin), &parsed, &Naming { label, id, extractable: false })?;
    }
    about.finish("CERTIFICATE", &certificate)
}
