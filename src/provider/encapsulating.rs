//! Secrets for the holders of public keys. PKCS#11 3.2, "C_EncapsulateKey", "C_DecapsulateKey".

use crate::call::{Room, Written};
use crate::error::{Result, Rv};
use crate::object::attribute::{self, Attr, Nested};
use crate::object::class::{Admitted, Birth, Class, Species};
use crate::object::template::Template;
use crate::secret::Secret;
use crate::token::policy::{Decapsulate, Encapsulate};

use super::keys::with_demands;
use super::{Call, GivenMechanism};

impl Call<'_> {
    /// C_EncapsulateKey: writes the ciphertext and gives the key's handle, or tells the length and
    /// makes nothing.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn encapsulate_key(
        &self,
        given: &GivenMechanism,
        key: u64,
        template: Template,
        room: Room<'_>,
    ) -> Result<(Written, Option<u64>)> {
        let row = self.row(given)?;
        let start = row.column(row.encapsulate)?;
        let (held, again) = self.key_for::<Encapsulate>(row, key)?;
        refuse_second_login(again)?;
        let demanded = (&held.object.attributes, attribute::ENCAPSULATE_TEMPLATE);
        let expected = self.expected(template, demanded, given)?;
        let mut work = start(&held.object, &given.params, expected.asked_len()?)?;
        let mut handle = None;
        let written = room.fill(work.len(), |out| {
            self.token().take_use(&self.note, &held.object)?;
            let (len, secret) = work.encapsulate(out)?;
            handle = Some(self.keep(expected, secret)?);
            Ok::<_, crate::error::Error>(len)
        })?;
        Ok((written, handle))
    }

    /// C_DecapsulateKey; the key's handle.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn decapsulate_key(
        &self,
        given: &GivenMechanism,
        key: u64,
        template: Template,
        ciphertext: &[u8],
    ) -> Result<u64> {
        let row = self.row(given)?;
        let open = row.column(row.decapsulate)?;
        let (held, again) = self.key_for::<Decapsulate>(row, key)?;
        refuse_second_login(again)?;
        let demanded = (&held.object.attributes, attribute::DECAPSULATE_TEMPLATE);
        let expected = self.expected(template, demanded, given)?;
        self.note.input.set(u64::try_from(ciphertext.len()).ok());
        let secret = open(&held.object, &given.params, ciphertext, expected.asked_len()?)?;
        self.keep(expected, secret)
    }

    /// Judges the caller's template, with what the other key demands of every key that comes of
    /// it, before a secret is made.
    fn expected(
        &self,
        template: Template,
        (other, demands): (&Template, Attr<Nested>),
        given: &GivenMechanism,
    ) -> Result<Admitted<'_>> {
        let mut template = with_demands(template, other.get(demands))?;
        if !template.contains(attribute::CLASS.id) {
            template.set(attribute::CLASS, Class::SecretKey.code());
        }
        let species = Species::of(&template)?;
        if species.class != Class::SecretKey {
            return Err(Rv::TemplateInconsistent.because("only secret keys come of a secret"));
        }
        let viewer = self.viewer()?;
        self.check_birth(&viewer, &template, species)?;
        let context = self.token().context(&viewer, Some(given.id));
        Admitted::secret_key(template, species, Birth::Encapsulate, context)
    }

    /// Makes the key, once the use of the other one is on record.
    fn keep(&self, expected: Admitted<'_>, secret: Secret) -> Result<u64> {
        self.token().record(&self.note, "CKR_OK")?;
        self.token().add(&self.viewer()?, expected.with_value(secret)?)
    }
}

/// The second login belongs to an operation that C_…Init started; there is none.
fn refuse_second_login(again: bool) -> Result<()> {
    if again {
        let why = "a key with CKA_ALWAYS_AUTHENTICATE cannot be used without a C_…Init";
        return Err(Rv::UserNotLoggedIn.because(why));
    }
    Ok(())
}
