//! What is signed: `TBSCertificate` and `CertificationRequestInfo`, and the structure around it
//! and its signature. RFC 5280, 4.1; RFC 2986, 4.

use std::time::Duration;

use claviger::provider::administration::Signer;
use x509_cert::SubjectPublicKeyInfo;
use x509_cert::attr::Attributes;
use x509_cert::der::asn1::{AnyRef, BitStringRef, ContextSpecific, OctetString};
use x509_cert::der::pem::{self, LineEnding};
use x509_cert::der::{Decode, Encode, Result, Tag, TagMode, TagNumber};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extensions, ToExtension};
use x509_cert::name::Name;
use x509_cert::request::{CertReqInfo, ExtensionReq, Version};
use x509_cert::serial_number::SerialNumber;
use x509_cert::time::Validity;

/// `[0] EXPLICIT INTEGER v3`.
const VERSION_3: &[u8] = &[0xa0, 0x03, 0x02, 0x01, 0x02];
const DAY: u64 = 24 * 60 * 60;

/// What a certificate is to say.
pub(super) struct Wanted<'a> {
    pub(super) subject: &'a Name,
    pub(super) alternative: Vec<GeneralName>,
    /// Whether its key issues certificates.
    pub(super) authority: bool,
}

impl Wanted<'_> {
    fn extensions(&self, signer: Option<&Signer>) -> Result<Extensions> {
        let mut made = Extensions::new();
        let constraints = BasicConstraints { ca: self.authority, path_len_constraint: None };
        made.push((true, &constraints).to_extension(self.subject, &made)?);
        let uses = match self.authority {
            true => KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign),
            false => KeyUsage(KeyUsages::DigitalSignature.into()),
        };
        made.push((true, &uses).to_extension(self.subject, &made)?);
        if let Some(signer) = signer {
            let identifier = OctetString::new(signer.key_identifier.as_slice())?;
            let identifier = SubjectKeyIdentifier(identifier);
            made.push((false, &identifier).to_extension(self.subject, &made)?);
        }
        if !self.alternative.is_empty() {
            let names = SubjectAltName(self.alternative.clone());
            made.push((false, &names).to_extension(self.subject, &made)?);
        }
        Ok(made)
    }

    /// A certificate whose subject is its issuer.
    pub(super) fn certificate(&self, signer: &Signer, days: u32) -> Result<Vec<u8>> {
        let name = self.subject.to_der()?;
        let validity: Validity = Validity::from_now(Duration::from_secs(u64::from(days) * DAY))?;
        let extensions = ContextSpecific {
            tag_number: TagNumber(3),
            tag_mode: TagMode::Explicit,
            value: self.extensions(Some(signer))?,
        };
        sequence(&[
            VERSION_3,
            &serial(signer.serial)?,
            &signer.algorithm,
            &name,
            &validity.to_der()?,
            &name,
            &signer.public_key,
            &extensions.to_der()?,
        ])
    }

    /// A request for a certificate.
    pub(super) fn request(&self, signer: &Signer) -> Result<Vec<u8>> {
        let asked = ExtensionReq(self.extensions(None)?);
        let mut attributes = Attributes::new();
        attributes.insert(asked.try_into()?)?;
        let info = CertReqInfo {
            version: Version::V1,
            subject: self.subject.clone(),
            public_key: SubjectPublicKeyInfo::from_der(&signer.public_key)?,
            attributes,
        };
        info.to_der()
    }
}

/// A positive number of 16 bytes.
fn serial(mut bytes: [u8; 16]) -> Result<Vec<u8>> {
    let [first, ..] = &mut bytes;
    *first = *first & 0x7f | 0x40;
    let number: SerialNumber = SerialNumber::new(&bytes)?;
    number.to_der()
}

/// Content, algorithm and signature.
pub(super) fn signed(content: &[u8], algorithm: &[u8], signature: &[u8]) -> Result<Vec<u8>> {
    let signature = BitStringRef::from_bytes(signature)?.to_der()?;
    sequence(&[content, algorithm, &signature])
}

fn sequence(parts: &[&[u8]]) -> Result<Vec<u8>> {
    AnyRef::new(Tag::Sequence, &parts.concat())?.to_der()
}

/// RFC 7468.
pub(super) fn as_pem(label: &str, der: &[u8]) -> Result<Vec<u8>> {
    Ok(pem::encode_string(label, LineEnding::LF, der)?.into_bytes())
}
