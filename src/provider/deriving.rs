//! Deriving keys. PKCS#11 3.2, "C_DeriveKey".
//!
//! A parameter may name further keys by their handles. They are used as the base key is, and so
//! meet the same checks, and what is derived is no more open than any of them allows.

use std::sync::Arc;

use crate::error::{Result, Rv};
use crate::mechanism::params::MechanismParams;
use crate::mechanism::{Derivation, Derived, Key, Mechanism, Publish};
use crate::object::attribute;
use crate::object::class::roles::permit_pair;
use crate::object::class::{Admitted, Birth, Class, KeyType, Species, admit, asked_len, complete};
use crate::object::public_half::PublicHalf;
use crate::object::template::Template;
use crate::token::objects::Held;
use crate::token::policy::{self, KeyUse};

use super::keys::with_demands;
use super::{Call, GivenMechanism};

/// The keys that a derivation uses, the base key first.
struct Sources(Vec<Arc<Held>>);

impl Sources {
    fn all(&self, flag: attribute::Attr<bool>) -> bool {
        self.0.iter().all(|held| held.object.is_set(flag))
    }

    fn birth(&self) -> Birth {
        Birth::Derive {
            always_sensitive: self.all(attribute::ALWAYS_SENSITIVE),
            never_extractable: self.all(attribute::NEVER_EXTRACTABLE),
        }
    }

    /// A caller's template, with what the sources ask of every key that is derived from them.
    fn prepare(
        &self,
        row: &Mechanism,
        params: &MechanismParams,
        mut template: Template,
    ) -> Result<Template> {
        for held in &self.0 {
            let demanded = held.object.attributes.get(attribute::DERIVE_TEMPLATE);
            template = with_demands(template, demanded)?;
        }
        if let Some(usual) = row.derives_usually {
            if !template.contains(attribute::CLASS.id) {
                template.set(attribute::CLASS, Class::SecretKey.code());
            }
            if !template.contains(attribute::KEY_TYPE.id)
                && let Some(key_type) = usual.key_type(params)
            {
                template.set(attribute::KEY_TYPE, key_type.code());
            }
        }
        if row.shows_base {
            if self.0.iter().any(|held| held.object.is_set(attribute::SENSITIVE)) {
                template.set(attribute::SENSITIVE, true);
            }
            if !self.all(attribute::EXTRACTABLE) {
                template.set(attribute::EXTRACTABLE, false);
            }
        }
        Ok(template)
    }
}

impl Call<'_> {
    /// C_DeriveKey. Some mechanisms make further keys, each by a template in their parameter. Gives
    /// a handle for each, the caller's key first; and what goes back through the parameter.
    ///
    /// # Errors
    /// The standard's, the policy's, the store's.
    pub(crate) fn derive_key(
        &self,
        given: &GivenMechanism,
        base: u64,
        template: Template,
        further: Vec<Template>,
    ) -> Result<(Vec<u64>, Vec<u8>)> {
        let row = self.row(given)?;
        if let Some(publish) = row.publish {
            let key = self.publish(given, (row, publish), base, template)?;
            return Ok((vec![key], Vec::new()));
        }
        row.column(row.derive.map(drop).or(row.derive_objects.map(drop)))?;
        let others: Vec<_> = given.params.handles();
        let others = others.into_iter().map(|other| self.further_source(row, other));
        let others = others.collect::<Result<Vec<_>>>()?;
        // The record names the key that was asked for last: the base key.
        let base = self.source::<policy::Derive>(row, base)?;
        let sources = Sources(std::iter::once(base).chain(others).collect());
        let templates = std::iter::once(template).chain(further);
        let templates = templates.map(|template| sources.prepare(row, &given.params, template));
        let templates = templates.collect::<Result<Vec<_>>>()?;
        let (whole, shown) = self.derived(row, given, &sources, templates)?;
        // What was derived is not kept before the use of what it came from is on record.
        for other in sources.0.iter().skip(1) {
            self.token().record(&self.note.beside(other), "CKR_OK")?;
        }
        self.token().record(&self.note, "CKR_OK")?;
        Ok((self.token().add_all(&self.viewer()?, whole)?, shown))
    }

    /// Makes an object of the public half of a private key, as if the caller had created it. That
    /// is no use of the private key: nothing is computed with it.
    fn publish(
        &self,
        given: &GivenMechanism,
        (row, publish): (&Mechanism, Publish),
        base: u64,
        template: Template,
    ) -> Result<u64> {
        given.params.none()?;
        let held = self.key(base)?;
        self.token().check_trust(&held)?;
        let PublicHalf { own, usual } = publish(&held.object)?;
        policy::check_listed(&held.object.attributes, row.id)?;
        let mut made = with_demands(template, Some(&own))?;
        for (id, value) in usual.iter() {
            if !made.contains(id) {
                made.put(id, value.try_clone()?);
            }
        }
        let viewer = self.viewer()?;
        self.check_birth(&viewer, &made, Species::of(&made)?)?;
        let mut whole =
            complete(made, Birth::Create, &self.token().context(&viewer, Some(given.id)))?;
        permit_pair(&whole, &held.object.attributes, &self.token().context(&viewer, None))?;
        if let Some(origin) = held.object.attributes.get(attribute::KEY_GEN_MECHANISM) {
            whole.set(attribute::KEY_GEN_MECHANISM, origin);
        }
        self.token().record(&self.note, "CKR_OK")?;
        self.token().add(&viewer, whole)
    }

    /// A key that a parameter names. One that can be read needs no `CKA_DERIVE`, which the standard
    /// asks of the base key alone.
    fn further_source(&self, row: &Mechanism, handle: u64) -> Result<Arc<Held>> {
        let row = &row.of_named_keys();
        let object = Arc::clone(&self.key(handle)?.object);
        if object.is_set(attribute::EXTRACTABLE) && !object.is_set(attribute::SENSITIVE) {
            return self.source::<policy::Join>(row, handle);
        }
        self.source::<policy::Derive>(row, handle)
    }

    /// A key that something is derived from.
    fn source<Use: KeyUse>(&self, row: &Mechanism, handle: u64) -> Result<Arc<Held>> {
        let (held, again) = self.key_for::<Use>(row, handle)?;
        if again {
            // The second login belongs to an operation that C_…Init started; there is none.
            let why = "a key with CKA_ALWAYS_AUTHENTICATE cannot derive";
            return Err(Rv::UserNotLoggedIn.because(why));
        }
        Ok(held)
    }

    /// Admits the templates and makes what they ask for, which is nowhere yet; and what goes back
    /// through the parameter.
    fn derived(
        &self,
        row: &Mechanism,
        given: &GivenMechanism,
        sources: &Sources,
        mut templates: Vec<Template>,
    ) -> Result<(Vec<Template>, Vec<u8>)> {
        let keys: Vec<Key> = sources.0.iter().map(|held| Arc::clone(&held.object)).collect();
        let (base, others) =
            keys.split_first().ok_or_else(|| Rv::GeneralError.because("no base key"))?;
        let first = templates.first();
        let key_type = first.and_then(|first| first.get(attribute::KEY_TYPE));
        let key_type = key_type.and_then(KeyType::from_code).unwrap_or(KeyType::GenericSecret);
        let len = first.map_or(Ok(None), |first| asked_len(first, Some(key_type)))?;
        let params = &given.params;
        let derivation = Derivation { base, params, others, len, key_type };
        let (viewer, birth) = (self.viewer()?, sources.birth());
        let context = self.token().context(&viewer, Some(given.id));
        if let Some(derive) = row.derive_objects {
            let Derived { objects, shown } = derive(&derivation, templates)?;
            for (made, _) in &objects {
                let species = Species::of(made)?;
                self.check_birth(&viewer, made, species)?;
                admit(made, species, birth, &context)?;
            }
            let whole = objects.into_iter().map(|(mut made, value)| {
                if let Some(value) = value {
                    made.set(attribute::VALUE, value);
                }
                complete(made, birth, &context)
            });
            return Ok((whole.collect::<Result<_>>()?, shown));
        }
        let derive = row.column(row.derive)?;
        let template = templates.pop().unwrap_or_default();
        let species = Species::of(&template)?;
        if !species.class.is_symmetric() {
            return Err(Rv::TemplateInconsistent.because("only secret keys can be derived"));
        }
        self.check_birth(&viewer, &template, species)?;
        let admitted = Admitted::secret_key(template, species, birth, context)?;
        Ok((vec![admitted.with_value(derive(&derivation)?)?], Vec::new()))
    }
}
