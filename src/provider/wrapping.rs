//! Keys that leave and come back wrapped. PKCS#11 3.2, "C_WrapKey", "C_UnwrapKey",
//! "C_WrapKeyAuthenticated", "C_UnwrapKeyAuthenticated".
//!
//! A key that was unwrapped has no history that this token knows of, whatever it was before. All
//! that can be wrong with a wrapped key, its length apart, is one answer: which of several
//! checks failed would tell something of what is inside.

use std::sync::Arc;

use crate::call::{Room, Written};
use crate::error::{Error, Result, Rv};
use crate::mechanism::operation::{Ciphering, Reply};
use crate::mechanism::{Mechanism, Wraps, wrapping};
use crate::object::attribute;
use crate::object::class::reading::matches;
use crate::object::class::{Birth, Class, Species, admit, asked_len, complete};
use crate::object::template::Template;
use crate::secret::Secret;
use crate::token::objects::{Held, Viewer};
use crate::token::policy::{KeyUse, Unwrap, Wrap};

use super::keys::with_demands;
use super::{Call, GivenMechanism};

/// What the codes about keys are called when the key is one that wraps.
static OF_WRAPPING_KEY: &[(Rv, Rv)] = &[
    (Rv::KeyHandleInvalid, Rv::WrappingKeyHandleInvalid),
    (Rv::KeyTypeInconsistent, Rv::WrappingKeyTypeInconsistent),
    (Rv::KeySizeRange, Rv::WrappingKeySizeRange),
];
/// And when it is one that unwraps.
static OF_UNWRAPPING_KEY: &[(Rv, Rv)] = &[
    (Rv::KeyHandleInvalid, Rv::UnwrappingKeyHandleInvalid),
    (Rv::KeyTypeInconsistent, Rv::UnwrappingKeyTypeInconsistent),
    (Rv::KeySizeRange, Rv::UnwrappingKeySizeRange),
];
/// A key to be wrapped is the data of the mechanism.
static OF_KEY: &[(Rv, Rv)] = &[(Rv::DataLenRange, Rv::KeySizeRange)];
/// A wrapped key by its length alone.
static OF_LENGTH: &[(Rv, Rv)] = &[
    (Rv::EncryptedDataLenRange, Rv::WrappedKeyLenRange),
    (Rv::DataLenRange, Rv::WrappedKeyLenRange),
];
/// Everything else about a wrapped key.
static OF_CONTENT: &[(Rv, Rv)] = &[
    (Rv::EncryptedDataLenRange, Rv::WrappedKeyInvalid),
    (Rv::EncryptedDataInvalid, Rv::WrappedKeyInvalid),
    (Rv::AeadDecryptFailed, Rv::WrappedKeyInvalid),
    (Rv::DataLenRange, Rv::WrappedKeyInvalid),
    (Rv::DataInvalid, Rv::WrappedKeyInvalid),
    (Rv::AttributeValueInvalid, Rv::WrappedKeyInvalid),
    (Rv::CurveNotSupported, Rv::WrappedKeyInvalid),
    (Rv::DomainParamsInvalid, Rv::WrappedKeyInvalid),
    (Rv::ParameterSetNotSupported, Rv::WrappedKeyInvalid),
    (Rv::PublicKeyInvalid, Rv::WrappedKeyInvalid),
    (Rv::TemplateIncomplete, Rv::WrappedKeyInvalid),
    (Rv::TemplateInconsistent, Rv::WrappedKeyInvalid),
];

/// Gives an error the name that it has for the caller.
fn named(names: &'static [(Rv, Rv)]) -> impl Fn(Error) -> Error {
    |error| match names.iter().find(|(general, _)| *general == error.rv) {
        Some((_, rv)) => rv.because(error.why),
        None => error,
    }
}

/// A key about to leave.
struct Leaving {
    by: Arc<Held>,
    key: Arc<Held>,
    bytes: Secret,
}

/// A key about to come in.
struct Entering<'c> {
    /// On whose behalf it was judged: what it becomes does not change with a logout in between.
    viewer: Viewer<'c>,
    template: Template,
    species: Species,
    /// The length that a secret key must have.
    len: Option<usize>,
}

impl Call<'_> {
    /// C_WrapKey; and what goes back into the parameter.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn wrap_key(
        &self,
        given: &GivenMechanism,
        (by, key): (u64, u64),
        room: Room<'_>,
    ) -> Result<(Written, Reply)> {
        let row = self.row(given)?;
        let start = row.column(row.wrap)?;
        if given.params.takes_back() {
            return self.wrap_key_authenticated(given, (by, key), &[], room);
        }
        let leaving = self.leaving(row, by, key)?;
        let work = start(&leaving.by.object, &given.params);
        let mut work = work.map_err(named(OF_WRAPPING_KEY))?;
        let len = work.whole_len(leaving.bytes.len()).map_err(named(OF_KEY))?;
        let written = room.fill(len, |out| {
            self.token().take_use(&self.note, &leaving.by.object)?;
            let written = wrapping::wrap(work.as_mut(), &leaving.bytes, out);
            let written = written.map_err(named(OF_KEY))?;
            self.record_leaving(&leaving).map(|()| written)
        })?;
        Ok((written, Reply::default()))
    }

    /// C_WrapKeyAuthenticated; and what goes back into the parameter.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn wrap_key_authenticated(
        &self,
        given: &GivenMechanism,
        (by, key): (u64, u64),
        associated: &[u8],
        room: Room<'_>,
    ) -> Result<(Written, Reply)> {
        let row = self.row(given)?;
        let start = row.column(row.envelop)?;
        let leaving = self.leaving(row, by, key)?;
        let work = start(&leaving.by.object, &given.params, associated);
        let mut work = work.map_err(named(OF_WRAPPING_KEY))?;
        let len = work.len(leaving.bytes.len()).map_err(named(OF_KEY))?;
        let mut returned = Reply::default();
        let written = room.fill(len, |out| {
            self.token().take_use(&self.note, &leaving.by.object)?;
            let enveloped = wrapping::envelop(work.as_mut(), &leaving.bytes, out);
            let (written, parameter) = enveloped.map_err(named(OF_KEY))?;
            returned = parameter;
            self.record_leaving(&leaving).map(|()| written)
        })?;
        Ok((written, returned))
    }

    /// C_UnwrapKey; the key's handle.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn unwrap_key(
        &self,
        given: &GivenMechanism,
        by: u64,
        wrapped: &[u8],
        template: Template,
    ) -> Result<u64> {
        let row = self.row(given)?;
        let start = row.column(row.unwrap)?;
        let by = self.wrapping_key::<Unwrap>(row, by, OF_UNWRAPPING_KEY)?;
        let entering = self.entering(given, row, &by, template)?;
        let work = start(&by.object, &given.params, entering.len);
        self.enter(given, &by, entering, work.map_err(named(OF_UNWRAPPING_KEY))?, wrapped)
    }

    /// C_UnwrapKeyAuthenticated; the key's handle.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn unwrap_key_authenticated(
        &self,
        given: &GivenMechanism,
        by: u64,
        (wrapped, associated): (&[u8], &[u8]),
        template: Template,
    ) -> Result<u64> {
        let row = self.row(given)?;
        let start = row.column(row.open)?;
        let by = self.wrapping_key::<Unwrap>(row, by, OF_UNWRAPPING_KEY)?;
        let entering = self.entering(given, row, &by, template)?;
        let work = start(&by.object, &given.params, associated);
        self.enter(given, &by, entering, work.map_err(named(OF_UNWRAPPING_KEY))?, wrapped)
    }

    fn wrapping_key<Use: KeyUse>(
        &self,
        row: &Mechanism,
        key: u64,
        names: &'static [(Rv, Rv)],
    ) -> Result<Arc<Held>> {
        let (held, again) = self.key_for::<Use>(row, key).map_err(named(names))?;
        if again {
            // The second login belongs to an operation that C_…Init started; there is none.
            let why = "a key with CKA_ALWAYS_AUTHENTICATE neither wraps nor unwraps";
            return Err(Rv::UserNotLoggedIn.because(why));
        }
        Ok(held)
    }

    /// Finds both keys and asks whether the one may leave under the other.
    fn leaving(&self, row: &Mechanism, by: u64, key: u64) -> Result<Leaving> {
        let by = self.wrapping_key::<Wrap>(row, by, OF_WRAPPING_KEY)?;
        let key = self.key(key)?;
        self.token().check_trust(&key)?;
        let class = key.object.attributes.get(attribute::CLASS).and_then(Class::from_code);
        if !class.is_some_and(Class::is_secret) {
            return Err(Rv::KeyNotWrappable.because("a public key needs no wrapping"));
        }
        self.token().may_leave(&key, &by, row.keeps_apart)?;
        if row.wraps == Wraps::SecretKeys && class == Some(Class::PrivateKey) {
            return Err(Rv::KeyNotWrappable.because("the mechanism wraps secret keys only"));
        }
        // The template says which keys this one is for: another key is a wrong handle.
        let demanded = by.object.attributes.get(attribute::WRAP_TEMPLATE);
        if demanded.is_some_and(|demanded| !matches(&key.object.attributes, demanded)) {
            return Err(Rv::KeyHandleInvalid.because("the key does not fit CKA_WRAP_TEMPLATE"));
        }
        let bytes = wrapping::bytes_of(&key.object)?;
        Ok(Leaving { by, key, bytes })
    }

    /// Two keys, two records: the one that wrapped, and the one that left.
    fn record_leaving(&self, leaving: &Leaving) -> Result<()> {
        for held in [&leaving.by, &leaving.key] {
            self.note.names_another(held);
            self.token().record(&self.note, "CKR_OK")?;
        }
        Ok(())
    }

    /// Judges the template of a key before anything is unwrapped.
    fn entering(
        &self,
        given: &GivenMechanism,
        row: &Mechanism,
        by: &Held,
        template: Template,
    ) -> Result<Entering<'_>> {
        let demanded = by.object.attributes.get(attribute::UNWRAP_TEMPLATE);
        let template = with_demands(template, demanded)?;
        let demanded = self.token().demands_on_unwrapped(by);
        let mut template = with_demands(template, Some(&demanded))?;
        self.name_bare(&mut template);
        let species = Species::of(&template)?;
        let fits = match row.wraps {
            Wraps::Any => species.class.is_secret(),
            Wraps::SecretKeys => species.class.is_symmetric(),
        };
        if !fits {
            return Err(Rv::TemplateInconsistent.because("no such keys come out of this"));
        }
        let viewer = self.viewer()?;
        self.check_birth(&viewer, &template, species)?;
        let context = self.token().context(&viewer, Some(given.id));
        admit(&template, species, Birth::Unwrap, &context)?;
        let len = asked_len(&template, species.key_type)?;
        Ok(Entering { viewer, template, species, len })
    }

    fn enter(
        &self,
        given: &GivenMechanism,
        by: &Held,
        entering: Entering<'_>,
        mut work: Box<dyn Ciphering>,
        wrapped: &[u8],
    ) -> Result<u64> {
        let room = work.whole_len(wrapped.len()).map_err(named(OF_LENGTH))?;
        let bytes = wrapping::unwrap(work.as_mut(), wrapped, room);
        let context = self.token().context(&entering.viewer, Some(given.id));
        let whole = bytes
            .and_then(|bytes| wrapping::attributes_of(entering.species, bytes))
            .and_then(|made| with_demands(entering.template, Some(&made)))
            .and_then(|made| complete(made, Birth::Unwrap, &context))
            .map_err(named(OF_CONTENT))?;
        // What was unwrapped is not kept before the use of the key is on record.
        self.note.concerns(by);
        self.token().record(&self.note, "CKR_OK")?;
        self.token().add(&entering.viewer, whole)
    }
}
