//! Certificates that are kept on the token: import, export, list.

use std::path::PathBuf;

use clap::Args;
use claviger::provider::administration::{Naming, NewCertificate};
use claviger::secret::Secret;
use serde::Serialize;
use x509_cert::Certificate;
use x509_cert::der::{self, Decode, Encode};
use x509_cert::ext::pkix::BasicConstraints;

use super::content::as_pem;
use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::files;
use crate::key_choice::{KeyChoice, several};
use crate::library::{Library, Selector};
use crate::output::{self, Format};
use crate::pin_source::UserPin;
use crate::view::{HexId, ObjectView, SlotView, hex};

const IMPORT_HELP: &str = "\
CKA_SUBJECT, CKA_ISSUER, CKA_SERIAL_NUMBER and CKA_PUBLIC_KEY_INFO are those of the certificate. If
its key is on the token, it gets the id of the key, by which programs find one from the other.";

#[derive(Args)]
#[command(after_help = IMPORT_HELP)]
pub(crate) struct Import {
    /// The file with the certificate, PEM or DER; "-" is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The label of the new object; otherwise the subject.
    #[arg(short, long, value_name = "LABEL")]
    label: Option<String>,
    /// Its id; otherwise that of its key.
    #[arg(long, value_name = "HEX")]
    id: Option<HexId>,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    key: KeyChoice,
    /// Where it goes; "-", and without the option, is standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write DER and not PEM.
    #[arg(long)]
    der: bool,
    /// Log in as the user, for certificates that are private; implied by --pin-file and --pin-env.
    #[arg(long)]
    login: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
}

#[derive(Args)]
pub(crate) struct List {
    /// Log in as the user and list private certificates too; implied by --pin-file and --pin-env.
    #[arg(long)]
    login: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    #[command(flatten)]
    format: Format,
}

/// What `certificate list --json` prints; what is not there cannot be read in the certificate.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    object: ObjectView,
    #[serde(flatten)]
    content: Option<Content>,
}

#[derive(Serialize)]
struct Content {
    subject: String,
    issuer: String,
    serial: String,
    not_before: String,
    not_after: String,
}

/// A certificate, and what its attributes repeat of it.
pub(super) struct Parsed {
    value: Vec<u8>,
    certificate: Certificate,
    subject: Vec<u8>,
    issuer: Vec<u8>,
    serial: Vec<u8>,
    public_key: Vec<u8>,
}

impl Parsed {
    pub(super) fn of(value: &[u8]) -> der::Result<Self> {
        let certificate = Certificate::from_der(value)?;
        let content = certificate.tbs_certificate();
        Ok(Self {
            value: value.to_vec(),
            subject: content.subject().to_der()?,
            issuer: content.issuer().to_der()?,
            serial: content.serial_number().to_der()?,
            public_key: content.subject_public_key_info().to_der()?,
            certificate,
        })
    }

    fn attributes(&self) -> NewCertificate<'_> {
        let constraints = self.certificate.tbs_certificate().get_extension::<BasicConstraints>();
        NewCertificate {
            value: &self.value,
            subject: &self.subject,
            issuer: &self.issuer,
            serial: &self.serial,
            public_key: &self.public_key,
            is_authority: constraints.is_ok_and(|found| found.is_some_and(|(_, it)| it.ca)),
        }
    }

    fn content(&self) -> Content {
        let content = self.certificate.tbs_certificate();
        Content {
            subject: content.subject().to_string(),
            issuer: content.issuer().to_string(),
            serial: hex(content.serial_number().as_bytes()),
            not_before: content.validity().not_before.to_string(),
            not_after: content.validity().not_after.to_string(),
        }
    }
}

/// Puts a certificate on the token.
pub(super) fn store(
    library: &Library,
    (token, pin): (&SlotView, &Secret),
    certificate: &Parsed,
    naming: &Naming<'_>,
) -> Result<Vec<ObjectView>, Failure> {
    library.import_certificate(token.slot, pin, &certificate.attributes(), naming)
}

pub(super) fn import(library: &Library, arguments: &Import) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let pin = arguments.pin.source().known(&token.name())?;
    let value = files::der(&arguments.file, "CERTIFICATE")?;
    let parsed = Parsed::of(&value).map_err(|why| {
        let cause = format!("{} holds no X.509 certificate: {why}", arguments.file.display());
        Failure::new(Code::Failed, cause)
    })?;
    let subject = parsed.certificate.tbs_certificate().subject().to_string();
    let naming = Naming {
        label: arguments.label.as_deref().unwrap_or(&subject),
        id: arguments.id.as_ref().map(|id| id.0.as_slice()),
        extractable: false,
    };
    let made = store(library, (&token, &pin), &parsed, &naming)?;
    if arguments.format.json {
        return output::print_json(&made);
    }
    let (subject, name) = (output::printable(&subject), output::printable(&token.name()));
    output::print(&format!("Imported the certificate of {subject} to {name}.\n"))
}

pub(super) fn export(library: &Library, arguments: &Export) -> Result<(), Failure> {
    let (token, selector) = arguments.key.find(library, &arguments.token)?;
    let pin = arguments.pin.if_asked(arguments.login, &token.name())?;
    let found = library.certificates(token.slot, pin.as_ref(), &selector)?;
    let value = match found.as_slice() {
        [(_, value)] => value,
        [] => {
            let cause = format!("no certificate on {} matches", token.name());
            return Err(Failure::new(Code::NotFound, cause)
                .or("`claviger certificate list` shows what is there"));
        }
        more => return Err(several(more.len(), "certificates")),
    };
    let output = arguments.output.as_deref();
    if arguments.der {
        return files::write(output, value);
    }
    let text = as_pem("CERTIFICATE", value)
        .map_err(|why| Failure::new(Code::Failed, format!("it cannot be written as PEM: {why}")))?;
    files::write(output, &text)
}

pub(super) fn list(library: &Library, arguments: &List) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let pin = arguments.pin.if_asked(arguments.login, &token.name())?;
    let found = library.certificates(token.slot, pin.as_ref(), &Selector::default())?;
    let shown: Vec<Shown> = found
        .into_iter()
        .map(|(object, value)| Shown {
            object,
            content: Parsed::of(&value).ok().map(|parsed| parsed.content()),
        })
        .collect();
    if arguments.format.json {
        return output::print_json(&shown);
    }
    let row = |one: &Shown| {
        let content = one.content.as_ref();
        let text = |part: fn(&Content) -> &String| content.map(part).cloned().unwrap_or_default();
        vec![
            one.object.label.clone(),
            hex(&one.object.id),
            text(|it| &it.subject),
            text(|it| &it.issuer),
            text(|it| &it.serial),
            text(|it| &it.not_after),
        ]
    };
    let rows: Vec<Vec<String>> = shown.iter().map(row).collect();
    let heading = ["LABEL", "ID", "SUBJECT", "ISSUER", "SERIAL", "VALID UNTIL"];
    output::print(&output::table(&heading, &rows))
}
