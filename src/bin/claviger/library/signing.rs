//! Signatures, and keys and certificates that come in, as the commands ask for them.

use std::io::Read;

use claviger::provider::administration::{
    Naming, NewCertificate, SignatureChoice, Signer, Verifier,
};
use claviger::secret::Secret;
use claviger::session::state::Access;

use super::objects::choice_of;
use super::{Library, Role, Selector};
use crate::failure::Failure;
use crate::files::KeyFile;
use crate::view::ObjectView;

/// What a signature is verified with.
pub(crate) enum VerifiedBy {
    Key(Selector),
    /// SubjectPublicKeyInfo.
    PublicKey(Vec<u8>),
}

/// What was signed, with what is known of the key.
pub(crate) struct Signed {
    pub(crate) signer: Signer,
    pub(crate) content: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// The way out where a name means no key or several.
const WHICH: &str =
    "`claviger key list --login` shows the keys; --id and --unique-id tell them apart";

impl Library {
    /// Signs all that can be read.
    pub(crate) fn sign(
        &self,
        slot: u64,
        selector: &Selector,
        how: &SignatureChoice<'_>,
        input: &mut dyn Read,
    ) -> Result<Vec<u8>, Failure> {
        let choice = choice_of(selector);
        self.as_user(slot, how.pin, |session| self.provider.sign(session, &choice, how, input))
            .map_err(named)
    }

    /// Verifies a signature of all that can be read; without a PIN by public keys.
    pub(crate) fn verify(
        &self,
        slot: u64,
        pin: Option<&Secret>,
        (by, how): (&VerifiedBy, &SignatureChoice<'_>),
        (input, signature): (&mut dyn Read, &[u8]),
    ) -> Result<(), Failure> {
        let choice = match by {
            VerifiedBy::Key(selector) => choice_of(selector),
            VerifiedBy::PublicKey(_) => choice_of(&Selector::default()),
        };
        let by = match by {
            VerifiedBy::Key(_) => Verifier::Key(&choice),
            VerifiedBy::PublicKey(info) => Verifier::PublicKey(info),
        };
        let verify = |session| self.provider.verify(session, by, how, (input, signature));
        self.as_user(slot, pin, verify).map_err(named)
    }

    /// Signs what `make` writes when it knows the key.
    pub(crate) fn sign_made(
        &self,
        slot: u64,
        pin: &Secret,
        (selector, mechanism): (&Selector, Option<&str>),
        make: impl FnOnce(&Signer) -> Result<Vec<u8>, Failure>,
    ) -> Result<Signed, Failure> {
        let choice = choice_of(selector);
        let how = SignatureChoice { mechanism, pin: Some(pin), ..SignatureChoice::default() };
        let done = self.as_user(slot, Some(pin), |session| {
            let signer = self.provider.signer(session, &choice, &how)?;
            let content = match make(&signer) {
                Ok(content) => content,
                Err(failure) => return Ok(Err(failure)),
            };
            let how = SignatureChoice { mechanism: Some(signer.mechanism), ..how };
            let signature = self.provider.sign(session, &choice, &how, &mut content.as_slice())?;
            Ok(Ok(Signed { signer, content, signature }))
        });
        done.map_err(named)?
    }

    /// Takes in a key.
    pub(crate) fn import_key(
        &self,
        slot: u64,
        pin: &Secret,
        key: KeyFile,
        naming: &Naming<'_>,
    ) -> Result<Vec<ObjectView>, Failure> {
        let made = self.logged_in(slot, Role::User, pin, |session| match key {
            KeyFile::Private(key) => self.provider.import_private(session, key, naming),
            KeyFile::Public(info) => self.provider.import_public(session, &info, naming),
        })?;
        Ok(self.views(slot, made))
    }

    /// Takes in a certificate. Without an id it gets that of the key that it is of.
    pub(crate) fn import_certificate(
        &self,
        slot: u64,
        pin: &Secret,
        certificate: &NewCertificate<'_>,
        naming: &Naming<'_>,
    ) -> Result<Vec<ObjectView>, Failure> {
        let made = self.logged_in(slot, Role::User, pin, |session| {
            let found = match naming.id {
                Some(_) => None,
                None => self.provider.id_of_key(session, certificate.public_key)?,
            };
            let naming = Naming { id: naming.id.or(found.as_deref()), ..*naming };
            self.provider.import_certificate(session, certificate, &naming)
        })?;
        Ok(self.views(slot, made))
    }

    /// The certificates that match, with the DER of each.
    pub(crate) fn certificates(
        &self,
        slot: u64,
        pin: Option<&Secret>,
        selector: &Selector,
    ) -> Result<Vec<(ObjectView, Vec<u8>)>, Failure> {
        let choice = choice_of(selector);
        let found =
            self.as_user(slot, pin, |session| self.provider.certificates(session, &choice))?;
        let (views, values): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        Ok(self.views(slot, views).into_iter().zip(values).collect())
    }

    /// In a session that is logged in if there is a PIN.
    fn as_user<T>(
        &self,
        slot: u64,
        pin: Option<&Secret>,
        body: impl FnOnce(u64) -> Result<T, claviger::error::Error>,
    ) -> Result<T, Failure> {
        match pin {
            Some(pin) => self.logged_in(slot, Role::User, pin, body),
            None => Ok(self.in_session(slot, Access::ReadOnly, body)?),
        }
    }
}

/// Says how to name a key where that was the trouble.
fn named(failure: Failure) -> Failure {
    let is_about_names = ["keys match", "key matches"].iter().any(|it| failure.cause.contains(it));
    if is_about_names { failure.or(WHICH) } else { failure }
}
