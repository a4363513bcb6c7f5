//! How objects come into being: `admit` and `Admitted` judge a caller's template before anything
//! is made, `complete` turns it into a whole object's attributes. PKCS#11 3.2, "Creating objects".

use std::sync::Arc;

use super::consistency::consistent;
use super::defaults::{AllDefaults, Terms, is_usually_private};
use super::lengths::asked_len;
use super::rules::{self, Row};
use super::{Class, Species, roles, secrecy, value};
use crate::cryptoki;
use crate::error::{Result, Rv};
use crate::object::attribute::{self, Change};
use crate::object::computed::{self, PublicPart};
use crate::object::template::{Template, Value};
use crate::secret::Secret;

/// How an object comes into being. A copy has its own function, `change::copy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Birth {
    /// By `C_CreateObject`.
    Create,
    /// By `C_GenerateKey`.
    Generate,
    /// As the public half of `C_GenerateKeyPair`.
    GeneratePublic,
    /// As the private half of `C_GenerateKeyPair`.
    GeneratePrivate,
    /// By `C_DeriveKey`, from a key with these two attributes.
    Derive { always_sensitive: bool, never_extractable: bool },
    /// By `C_UnwrapKey`.
    Unwrap,
    /// By `C_EncapsulateKey` or `C_DecapsulateKey`.
    Encapsulate,
}

impl Birth {
    fn is_generation(self) -> bool {
        matches!(self, Self::Generate | Self::GeneratePublic | Self::GeneratePrivate)
    }

    /// Whether the caller must give the attribute of a row.
    pub(super) fn demands(self, row: &Row) -> bool {
        match self {
            Self::Create => row.has(rules::N1),
            Self::Generate | Self::GeneratePublic | Self::GeneratePrivate => row.has(rules::N3),
            Self::Derive { .. } | Self::Unwrap | Self::Encapsulate => row.has(rules::N5),
        }
    }

    /// Whether the caller must not give the attribute of a row.
    pub(super) fn forbids(self, row: &Row) -> bool {
        match self {
            Self::Create => row.has(rules::N2),
            Self::Generate | Self::GeneratePublic | Self::GeneratePrivate => row.has(rules::N4),
            Self::Derive { .. } | Self::Unwrap | Self::Encapsulate => row.has(rules::N6),
        }
    }
}

/// Who asks, and under which policy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'t> {
    /// Whether the security officer is logged in.
    pub(crate) so: bool,
    /// Whether private objects are in sight: the user is logged in.
    pub(crate) sees_private: bool,
    /// Whether `policy.export` is `deny`.
    pub(crate) export_denied: bool,
    /// Whether `policy.separate_uses` is on.
    pub(crate) separate_uses: bool,
    /// Whether `policy.close_session_keys` is on.
    pub(crate) close_session_keys: bool,
    /// The mechanism that generates the key, if one does.
    pub(crate) mechanism: Option<u64>,
    /// The defaults that are made already.
    pub(crate) defaults: Option<&'t AllDefaults>,
}

#[cfg(test)]
impl Context<'_> {
    /// Nobody in particular, under the rules of the standard alone.
    pub(crate) const STANDARD: Self = Self {
        so: false,
        sees_private: true,
        export_denied: false,
        separate_uses: false,
        close_session_keys: false,
        mechanism: None,
        defaults: None,
    };
}

/// Judges a caller's template for an object that is about to be made, before the work of making
/// it. For `Birth::Create`, `complete` calls it.
///
/// # Errors
/// The codes of the standard's section on creating objects, and of the export policy.
pub(crate) fn admit(
    given: &Template,
    species: Species,
    birth: Birth,
    context: &Context,
) -> Result<()> {
    judge(given, species, birth)?;
    let mut flags = Template::default();
    for (id, value) in given.iter() {
        if matches!(value, Value::Bool(_) | Value::Ulong(_)) {
            flags.put(id, value.try_clone()?);
        }
    }
    fill(&mut flags, species, birth, context);
    consistent(&flags, species, context)
}

/// A template of a secret key that lacks nothing but its value.
pub(crate) struct Admitted<'t> {
    template: Template,
    species: Species,
    birth: Birth,
    context: Context<'t>,
}

impl<'t> Admitted<'t> {
    /// Judges a caller's template, as `admit` does.
    ///
    /// # Errors
    /// As `admit`.
    pub(crate) fn secret_key(
        mut template: Template,
        species: Species,
        birth: Birth,
        context: Context<'t>,
    ) -> Result<Self> {
        judge(&template, species, birth)?;
        fill(&mut template, species, birth, &context);
        consistent(&template, species, &context)?;
        Ok(Self { template, species, birth, context })
    }

    /// The length in bytes that the caller asks for, or that all keys of the type have.
    pub(crate) fn asked_len(&self) -> Result<Option<usize>> {
        asked_len(&self.template, self.species.key_type)
    }

    /// All attributes of the key but `CKA_UNIQUE_ID`.
    ///
    /// # Errors
    /// `CKR_ATTRIBUTE_VALUE_INVALID` for a value that makes no key.
    pub(crate) fn with_value(self, value: Secret) -> Result<Template> {
        let Self { mut template, species, birth, context } = self;
        template.set(attribute::VALUE, value);
        let public = value::settle(&mut template, species)?;
        finish(template, species, (birth, &context), public.as_ref())
    }
}

/// What `admit` says of each attribute, and of those that are not there.
fn judge(given: &Template, species: Species, birth: Birth) -> Result<()> {
    for (id, value) in given.iter() {
        let row = belongs(species, id)?;
        if birth.forbids(row) {
            return Err(Rv::AttributeReadOnly.because(attribute::name(id)));
        }
        flat(value)?;
        // Keys without a limit read as having an empty list: it must not be taken for one that
        // allows nothing.
        if id == attribute::ALLOWED_MECHANISMS.id
            && matches!(value, Value::Ulongs(list) if list.is_empty())
        {
            return Err(Rv::AttributeValueInvalid.because("CKA_ALLOWED_MECHANISMS without one"));
        }
    }
    expect(given, attribute::CLASS, species.class.code())?;
    if let Some(key_type) = species.key_type {
        expect(given, attribute::KEY_TYPE, key_type.code())?;
    }
    if let Some(missing) = species.find(|row| birth.demands(row) && !given.contains(row.id)) {
        return Err(Rv::TemplateIncomplete.because(attribute::name(missing.id)));
    }
    Ok(())
}

/// Makes a caller's template, with what a mechanism added to it, into all attributes of an
/// object but `CKA_UNIQUE_ID`, which the token gives.
///
/// # Errors
/// As `admit`; and `CKR_ATTRIBUTE_VALUE_INVALID`, `CKR_DOMAIN_PARAMS_INVALID` or
/// `CKR_CURVE_NOT_SUPPORTED` for values that make no key.
pub(crate) fn complete(
    mut template: Template,
    birth: Birth,
    context: &Context,
) -> Result<Template> {
    let species = Species::of(&template)?;
    if birth == Birth::Create {
        if species.class == Class::Profile {
            return Err(Rv::AttributeValueInvalid.because("the token alone says what it is"));
        }
        admit(&template, species, birth, context)?;
    }
    for (id, value) in template.iter() {
        belongs(species, id)?;
        if attribute::rule(id).is_some_and(|rule| rule.change == Change::ByToken) {
            return Err(Rv::AttributeReadOnly.because(attribute::name(id)));
        }
        flat(value)?;
    }
    let public = value::settle(&mut template, species)?;
    fill(&mut template, species, birth, context);
    consistent(&template, species, context)?;
    finish(template, species, (birth, context), public.as_ref())
}

/// Adds what is computed to a template that has all else.
fn finish(
    mut template: Template,
    species: Species,
    (birth, context): (Birth, &Context),
    public: Option<&PublicPart>,
) -> Result<Template> {
    if species.class == Class::DomainParameters {
        template.set(attribute::LOCAL, birth.is_generation());
    }
    if species.class.is_key() {
        record_birth(&mut template, species, birth, context);
    }
    computed::complete(&mut template, species, public)?;
    if birth.is_generation() || template.is_set(attribute::TOKEN) {
        computed::identify(&mut template, species);
    }
    Ok(template)
}

/// Whether the halves of a new pair belong together: the public key that was computed of the
/// private half's value has to be the public half's. Of keys on curves that is the pairwise
/// consistency check of SP 800-56A Rev. 3, 5.6.2.1.4.
///
/// # Errors
/// `CKR_FUNCTION_FAILED`.
pub(crate) fn check_halves(public: &Template, private: &Template) -> Result<()> {
    if public.get(attribute::PUBLIC_KEY_INFO) != private.get(attribute::PUBLIC_KEY_INFO) {
        return Err(Rv::FunctionFailed.because("the halves of a new pair do not fit"));
    }
    Ok(())
}

/// The row of an attribute that an object of this species can have.
fn belongs(species: Species, id: u64) -> Result<&'static Row> {
    species.row(id).ok_or_else(|| match attribute::rule(id) {
        None => Rv::AttributeTypeInvalid.because(format!("{id:#x}")),
        Some(rule) => Rv::TemplateInconsistent
            .because(format!("{} in a template of another class or type", rule.name)),
    })
}

/// A template inside a template has none inside it.
fn flat(value: &Value) -> Result<()> {
    match value {
        Value::Nested(inner) if inner.iter().any(|(_, v)| matches!(v, Value::Nested(_))) => {
            Err(Rv::TemplateInconsistent.because("templates nested too deep"))
        }
        _ => Ok(()),
    }
}

fn expect(given: &Template, name: attribute::Attr<u64>, expected: u64) -> Result<()> {
    match given.get(name) {
        Some(other) if other != expected => {
            Err(Rv::TemplateInconsistent.because(format!("another {}", name.name)))
        }
        _ => Ok(()),
    }
}

/// Gives flags and numbers that nobody gave their defaults.
fn fill(template: &mut Template, species: Species, birth: Birth, context: &Context) {
    let on_token = template.is_set(attribute::TOKEN);
    let terms = Terms {
        species,
        birth,
        private: is_usually_private(species.class, on_token, context.sees_private),
        closed: on_token || context.close_session_keys,
        separate_uses: context.separate_uses,
        for_keys: roles::is_for_keys(template),
    };
    let defaults = match context.defaults {
        Some(all) => all.get(terms),
        None => Arc::new(terms.defaults()),
    };
    template.set_defaults(defaults);
}

/// Writes where a key came from and whether it was ever readable.
fn record_birth(template: &mut Template, species: Species, birth: Birth, context: &Context) {
    let mechanism = context.mechanism.filter(|_| birth.is_generation());
    template.set(attribute::LOCAL, birth.is_generation());
    template.set(
        attribute::KEY_GEN_MECHANISM,
        mechanism.unwrap_or(cryptoki::CK_UNAVAILABLE_INFORMATION),
    );
    if species.class.is_secret() {
        let (always, never) = secrecy::history(template, birth);
        template.set(attribute::ALWAYS_SENSITIVE, always);
        template.set(attribute::NEVER_EXTRACTABLE, never);
    }
}
