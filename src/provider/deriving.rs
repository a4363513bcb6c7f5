//! Deriving keys. PKCS#11 3.2, "C_DeriveKey".

use crate::error::{Result, Rv};
use crate::mechanism::Derivation;
use crate::object::attribute;
use crate::object::class::{Birth, Class, Species, admit, complete};
use crate::object::template::Template;
use crate::secret::Secret;
use crate::token::policy;

use super::keys::with_demands;
use super::{Call, GivenMechanism};

impl Call<'_> {
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
        let template = with_demands(template, base.get(attribute::DERIVE_TEMPLATE))?;
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
        let key_type = species.key_type.ok_or_else(|| Rv::GeneralError.because("no key type"))?;
        let (base, params) = (&held.object, &given.params);
        let value: Secret = derive(&Derivation { base, params, len: wanted, key_type })?;
        // What was derived is not kept before the use of its base is on record.
        self.token().record(&self.note, "CKR_OK")?;
        let mut made = template;
        made.set(attribute::VALUE, value);
        let whole = complete(made, birth, &context)?;
        self.token().add(&viewer, whole)
    }
}
