//! Keys: a mechanism and a key for an operation, and making keys.
//! PKCS#11 3.2, "Key management functions".

use std::sync::Arc;

use crate::custody::software::Software;
use crate::error::{Result, Rv};
use crate::mechanism::Mechanism;
use crate::mechanism::params::MechanismParams;
use crate::object::attribute;
use crate::object::class::{Birth, Class, KeyType, Species, admit, complete};
use crate::object::template::{Template, Value};
use crate::secret::Secret;
use crate::session::Kind;
use crate::token::objects::Held;
use crate::token::policy::{self, KeyUse};

use super::Call;

/// A mechanism as a caller gave it, in safe values.
#[derive(Debug)]
pub(crate) struct GivenMechanism {
    /// Its number, known or not.
    pub(crate) id: u64,
    /// Its parameter.
    pub(crate) params: MechanismParams,
}

/// The handles of a key pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyPair {
    /// The public key's.
    pub public: u64,
    /// The private key's.
    pub private: u64,
}

impl Mechanism {
    /// A column of the row, or `CKR_MECHANISM_INVALID`: the mechanism is known, but not for
    /// this function.
    pub(super) fn column<F>(&self, column: Option<F>) -> Result<F> {
        column
            .ok_or_else(|| Rv::MechanismInvalid.because(format!("{} does not do this", self.name)))
    }

    /// The kind of key that a generation mechanism makes.
    fn species(&self, class: Class) -> Result<Species> {
        let key_type =
            self.makes().ok_or_else(|| Rv::GeneralError.because("a row that makes no key"))?;
        Ok(Species::key(class, key_type))
    }
}

impl Call<'_> {
    /// The mechanism of a …Init call, or `None` if the call was to end an active operation.
    pub(super) fn given_or_cancel(
        &self,
        kind: Kind,
        given: Option<GivenMechanism>,
    ) -> Result<Option<GivenMechanism>> {
        if given.is_none() {
            let mut operations = self.open.session.operations();
            if !operations.is_active(kind) {
                return Err(Rv::ArgumentsBad.because("no mechanism, and nothing to end"));
            }
            operations.cancel(kind);
        }
        Ok(given)
    }

    /// The row of a mechanism.
    pub(super) fn row(&self, given: &GivenMechanism) -> Result<&'static Mechanism> {
        let row = self.provider.mechanism(self.open.slot, given.id)?;
        self.note.mechanism.set(Some(row.name));
        Ok(row)
    }

    /// The key for an operation with a mechanism, after every check that they may meet; and
    /// whether the key wants the PIN again.
    pub(super) fn key_for<Use: KeyUse>(
        &self,
        row: &Mechanism,
        key: u64,
    ) -> Result<(Arc<Held>, bool)> {
        let held = self.key(key)?;
        self.token().check_trust(&held)?;
        let attributes = &held.object.attributes;
        // A key of another type is that first, whatever its usage attributes say.
        let key_type = attributes.get(attribute::KEY_TYPE);
        let key_type = key_type.and_then(KeyType::from_code);
        if !key_type.is_some_and(|own| row.key_types.contains(&own)) {
            let why = "the mechanism does not work with this kind of key";
            return Err(Rv::KeyTypeInconsistent.because(why));
        }
        let _permit = policy::allow::<Use>(attributes, row.id)?;
        let again = attributes.is_set(attribute::ALWAYS_AUTHENTICATE);
        Ok((held, again))
    }

    /// Checks that come before any work: may this session make such an object?
    fn check_birth(&self, template: &Template, species: Species) -> Result<()> {
        let mut outline = Template::default();
        let private = template.get(attribute::PRIVATE).unwrap_or(species.class.is_secret());
        outline.set(attribute::PRIVATE, private);
        outline.set(attribute::TOKEN, template.is_set(attribute::TOKEN));
        self.token().check_write(&self.viewer()?, &outline)
    }

    /// C_GenerateKey; the key's handle.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn generate_key(&self, given: &GivenMechanism, template: Template) -> Result<u64> {
        let row = self.row(given)?;
        let generate = row.column(row.generate)?;
        let species = row.species(Class::SecretKey)?;
        self.check_birth(&template, species)?;
        let viewer = self.viewer()?;
        let context = self.token().context(&viewer, Some(given.id));
        admit(&template, species, Birth::Generate, &context)?;
        let made = generate(&template, &given.params)?;
        let whole = complete(made, Birth::Generate, &context)?;
        self.token().add(&viewer, whole)
    }

    /// C_GenerateKeyPair: both keys, or none.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn generate_key_pair(
        &self,
        given: &GivenMechanism,
        public: Template,
        private: Template,
    ) -> Result<KeyPair> {
        let row = self.row(given)?;
        let generate = row.column(row.generate_pair)?;
        if given.params != MechanismParams::None {
            return Err(Rv::MechanismParamInvalid.because("generation takes no parameter"));
        }
        let viewer = self.viewer()?;
        let context = self.token().context(&viewer, Some(given.id));
        for (template, class, birth) in [
            (&public, Class::PublicKey, Birth::GeneratePublic),
            (&private, Class::PrivateKey, Birth::GeneratePrivate),
        ] {
            let species = row.species(class)?;
            self.check_birth(template, species)?;
            admit(template, species, birth, &context)?;
        }
        let (public, private) = generate(&Software, &public, &private)?;
        let public = complete(public, Birth::GeneratePublic, &context)?;
        let private = complete(private, Birth::GeneratePrivate, &context)?;
        match self.token().add_all(&viewer, vec![public, private])?.as_slice() {
            [public, private] => Ok(KeyPair { public: *public, private: *private }),
            _ => Err(Rv::GeneralError.because("not two handles")),
        }
    }

    /// C_DeriveKey; the key's handle.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn derive_key(
        &self,
        given: &GivenMechanism,
        base: u64,
        template: Template,
    ) -> Result<u64> {
        let row = self.row(given)?;
        let derive = row.column(row.derive)?;
        let (held, again) = self.key_for::<policy::Derive>(row, base)?;
        if again {
            // The second login belongs to an operation that C_…Init started; there is none.
            let why = "a key with CKA_ALWAYS_AUTHENTICATE cannot derive";
            return Err(Rv::UserNotLoggedIn.because(why));
        }
        let base = &held.object.attributes;
        let birth = Birth::Derive {
            always_sensitive: base.is_set(attribute::ALWAYS_SENSITIVE),
            never_extractable: base.is_set(attribute::NEVER_EXTRACTABLE),
        };
        let template = with_derive_template(template, base)?;
        let species = Species::of(&template)?;
        if species.class != Class::SecretKey {
            return Err(Rv::TemplateInconsistent.because("only secret keys can be derived"));
        }
        self.check_birth(&template, species)?;
        let viewer = self.viewer()?;
        let context = self.token().context(&viewer, Some(given.id));
        admit(&template, species, birth, &context)?;
        let wanted = template.get(attribute::VALUE_LEN);
        let wanted = wanted
            .map(usize::try_from)
            .transpose()
            .map_err(|_| Rv::AttributeValueInvalid.because("CKA_VALUE_LEN"))?;
        let value: Secret = derive(&held.object, &given.params, wanted)?;
        // What was derived is not kept before the use of its base is on record.
        self.token().record(&self.note, "CKR_OK")?;
        let mut made = template;
        made.set(attribute::VALUE, value);
        let whole = complete(made, birth, &context)?;
        self.token().add(&viewer, whole)
    }
}

/// Adds what the base key's CKA_DERIVE_TEMPLATE asks of every key derived from it.
fn with_derive_template(mut template: Template, base: &Template) -> Result<Template> {
    if let Some(demanded) = base.get(attribute::DERIVE_TEMPLATE) {
        for (id, value) in demanded.iter() {
            let value: Value = value.try_clone()?;
            template.insert(id, value)?;
        }
    }
    Ok(template)
}
