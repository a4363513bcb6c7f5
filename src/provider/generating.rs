//! Making keys and key pairs. PKCS#11 3.2, "Key management functions".

use crate::custody::software::Software;
use crate::error::{Result, Rv};
use crate::mechanism::Mechanism;
use crate::mechanism::params::MechanismParams;
use crate::object::attribute;
use crate::object::class::roles::permit_pair;
use crate::object::class::{Birth, Class, KeyType, Species, admit, check_halves, complete};
use crate::object::template::Template;

use super::{Call, GivenMechanism};

/// The handles of a key pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyPair {
    /// The public key's.
    pub public: u64,
    /// The private key's.
    pub private: u64,
}

impl Mechanism {
    /// The kind of key that a generation mechanism makes; where it can make several, the template
    /// says which.
    fn species(&self, class: Class, template: &Template) -> Result<Species> {
        let usual =
            self.makes().ok_or_else(|| Rv::GeneralError.because("a row that makes no key"))?;
        if self.key_types.len() == 1 {
            return Ok(Species::key(class, usual));
        }
        let asked = KeyType::from_code(template.require(attribute::KEY_TYPE)?);
        let asked = asked.filter(|asked| self.key_types.contains(asked));
        asked
            .map(|asked| Species::key(class, asked))
            .ok_or_else(|| Rv::TemplateInconsistent.because("the mechanism makes other keys"))
    }

    /// Says how long a generic secret is, where the mechanism makes but one length and the caller
    /// need not ask for it. PKCS#11 3.2, "TLS 1.2 Mechanisms".
    fn sized(&self, template: &Template) -> Result<Option<Template>> {
        let is_fixed = self.min_key_size == self.max_key_size;
        if !is_fixed
            || self.makes() != Some(KeyType::GenericSecret)
            || template.contains(attribute::VALUE_LEN.id)
        {
            return Ok(None);
        }
        let mut sized = template.try_clone()?;
        sized.set(attribute::VALUE_LEN, self.max_key_size);
        Ok(Some(sized))
    }
}

impl Call<'_> {
    /// C_GenerateKey; the key's handle.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn generate_key(&self, given: &GivenMechanism, template: Template) -> Result<u64> {
        let whole = self.make_secret(given, &template)?;
        self.token().add(&self.viewer()?, whole)
    }

    /// Makes a secret key, or the parameters of keys, which are nowhere yet.
    pub(super) fn make_secret(
        &self,
        given: &GivenMechanism,
        template: &Template,
    ) -> Result<Template> {
        let row = self.row(given)?;
        let generate = row.column(row.generate)?;
        let sized = row.sized(template)?;
        let template = sized.as_ref().unwrap_or(template);
        let class = match row.makes_parameters {
            true => Class::DomainParameters,
            false => row.makes().map_or(Class::SecretKey, KeyType::secret_class),
        };
        let species = row.species(class, template)?;
        let viewer = self.viewer()?;
        self.check_birth(&viewer, template, species)?;
        let context = self.token().context(&viewer, Some(given.id));
        admit(template, species, Birth::Generate, &context)?;
        let made = generate(template, &given.params)?;
        let whole = complete(made, Birth::Generate, &context)?;
        self.open.offers.check_key(&whole)?;
        Ok(whole)
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
        let pair = self.make_pair(given, &public, &private)?;
        match self.token().add_all(&self.viewer()?, pair)?.as_slice() {
            [public, private] => Ok(KeyPair { public: *public, private: *private }),
            _ => Err(Rv::GeneralError.because("not two handles")),
        }
    }

    /// Makes a key pair, public half first, which is nowhere yet.
    pub(super) fn make_pair(
        &self,
        given: &GivenMechanism,
        public: &Template,
        private: &Template,
    ) -> Result<Vec<Template>> {
        let row = self.row(given)?;
        let generate = row.column(row.generate_pair)?;
        if given.params != MechanismParams::None {
            return Err(Rv::MechanismParamInvalid.because("generation takes no parameter"));
        }
        let viewer = self.viewer()?;
        let context = self.token().context(&viewer, Some(given.id));
        for (template, class, birth) in [
            (public, Class::PublicKey, Birth::GeneratePublic),
            (private, Class::PrivateKey, Birth::GeneratePrivate),
        ] {
            let species = row.species(class, template)?;
            self.check_birth(&viewer, template, species)?;
            admit(template, species, birth, &context)?;
        }
        let mut sized = public.try_clone()?;
        if let Some(key_type) = row.makes() {
            sized.set(attribute::KEY_TYPE, key_type.code());
        }
        self.open.offers.check_age(row, &sized)?;
        let (public, private) = generate(&Software, public, private)?;
        let public = complete(public, Birth::GeneratePublic, &context)?;
        let private = complete(private, Birth::GeneratePrivate, &context)?;
        self.open.offers.check_key(&public)?;
        check_halves(&public, &private)?;
        permit_pair(&public, &private, &context)?;
        Ok(vec![public, private])
    }
}
