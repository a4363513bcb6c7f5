//! Which mechanisms a token offers, and how strong keys must be: those of the registry that the
//! configuration lets be used. Every function that takes a mechanism or a key asks here.
//! PKCS#11 3.2, "C_GetMechanismList", "C_GetMechanismInfo".

use std::sync::Arc;

use crate::config::{BundleRules, ConfigError, Configuration, MechanismRules};
use crate::error::{Result, Rv};
use crate::mechanism::params::MechanismParams;
use crate::mechanism::registry::REGISTRY;
use crate::mechanism::strength::Family;
use crate::mechanism::{self, Mechanism};
use crate::object::attribute;
use crate::object::class::KeyType;
use crate::object::size::bits_of;
use crate::object::template::Template;

use crate::token::Token;

use super::Provider;
use super::administration::{is_key_name, key_types};

/// A mechanism as a token offers it.
#[derive(Clone, Copy)]
pub(crate) struct Offer {
    pub(crate) row: &'static Mechanism,
    /// The smallest key, which the configuration may have raised.
    pub(crate) min_key_size: u64,
}

/// What one token offers.
pub(crate) struct Offers {
    /// In the order of the standard's numbers.
    rows: Vec<Offer>,
    /// The mechanisms that work with fewer types of key than the standard has it.
    bound: Vec<(u64, Vec<KeyType>)>,
    rules: MechanismRules,
    legacy: bool,
    bundles: BundleRules,
}

/// What a token offers and asks for, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyView {
    /// How many mechanisms are offered.
    pub offered: usize,
    /// The names of those that this token has and does not offer; of legacy ones only the
    /// switch tells.
    pub withheld: Vec<&'static str>,
    /// The settings that ask for more than mechanisms do, and how many bits they ask for.
    pub least: Vec<(&'static str, u32)>,
}

/// What each token offers.
pub(super) struct AllOffers {
    usual: Arc<Offers>,
    /// By label or serial number, where the configuration names a token.
    own: Vec<(String, Arc<Offers>)>,
}

impl Offers {
    fn of(configuration: &Configuration) -> Self {
        let rules = configuration.rules.clone();
        let offered = REGISTRY.iter().filter(|row| !row.legacy || configuration.legacy);
        let legacy = configuration.legacy;
        let rows = offered.filter_map(|row| offer(row, &rules, legacy)).collect();
        let bound = rules.keys.iter().flat_map(|(name, types)| {
            let types: Vec<_> = types.iter().flat_map(|name| key_types(name)).collect();
            let named = REGISTRY.iter().filter(move |row| is(row, name));
            named.map(move |row| (row.id, types.clone()))
        });
        Self { rows, bound: bound.collect(), rules, legacy, bundles: configuration.bundles }
    }

    fn view(&self) -> PolicyView {
        let is_withheld = |row: &&Mechanism| !row.legacy && self.find(row.id).is_err();
        let families = [Family::Rsa, Family::Ec, Family::Aes, Family::Hmac];
        let sizes = families.into_iter().map(|family| least(family, &self.rules));
        let hash = (self.rules.hash_bits, "policy.hash_bits");
        let all = sizes.chain([hash]).filter(|(bits, _)| *bits > 0);
        PolicyView {
            offered: self.rows.len(),
            withheld: REGISTRY.iter().filter(is_withheld).map(|row| row.name).collect(),
            least: all.map(|(bits, name)| (name, bits)).collect(),
        }
    }

    /// How bundles sign and are verified.
    pub(super) const fn bundle_rules(&self) -> BundleRules {
        self.bundles
    }

    /// The numbers of all.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.rows.iter().map(|offer| offer.row.id).collect()
    }

    /// The mechanism with this number.
    ///
    /// # Errors
    /// `CKR_MECHANISM_INVALID`.
    pub(crate) fn find(&self, number: u64) -> Result<Offer> {
        let place = self.rows.binary_search_by_key(&number, |offer| offer.row.id).ok();
        place.and_then(|place| self.rows.get(place).copied()).ok_or_else(|| {
            Rv::MechanismInvalid.because(match mechanism::find(number) {
                Some(row) => format!("{} is not offered, by the configuration", row.name),
                None => format!("mechanism 0x{number:x}"),
            })
        })
    }

    /// Whether a mechanism works with keys of a type, by the configuration too.
    ///
    /// # Errors
    /// `CKR_KEY_TYPE_INCONSISTENT`.
    pub(super) fn check_type(&self, row: &Mechanism, key_type: Option<KeyType>) -> Result<()> {
        let why = if !key_type.is_some_and(|own| row.key_types.contains(&own)) {
            "the mechanism does not work with this kind of key"
        } else if self.bound.iter().any(|(mechanism, types)| {
            *mechanism == row.id && !key_type.is_some_and(|own| types.contains(&own))
        }) {
            "mechanisms.keys keeps this kind of key from the mechanism"
        } else {
            return Ok(());
        };
        Err(Rv::KeyTypeInconsistent.because(why))
    }

    /// Whether a parameter asks for something that the configuration finds too weak.
    ///
    /// # Errors
    /// `CKR_MECHANISM_PARAM_INVALID`.
    pub(super) fn check_params(&self, params: &MechanismParams) -> Result<()> {
        match params.signature_hash_bits() {
            Some(bits) if bits < self.rules.hash_bits => {
                let least = self.rules.hash_bits;
                let why = format!("a hash of {bits} bits; policy.hash_bits is {least}");
                Err(Rv::MechanismParamInvalid.because(why))
            }
            _ => Ok(()),
        }
    }

    /// Whether a mechanism makes or takes keys of a size that is not outlived.
    ///
    /// # Errors
    /// `CKR_ATTRIBUTE_VALUE_INVALID`.
    pub(super) fn check_age(&self, row: &Mechanism, attributes: &Template) -> Result<()> {
        match bits_of(attributes) {
            Some(bits) if !self.legacy && bits < row.min_modern_size => {
                let least = row.min_modern_size;
                let why = format!("{bits} bits; below {least} only with mechanisms.legacy");
                Err(Rv::AttributeValueInvalid.because(why))
            }
            _ => Ok(()),
        }
    }

    /// Whether a key, or what is asked for in a template of one, is strong enough to be used.
    ///
    /// # Errors
    /// `CKR_KEY_SIZE_RANGE`.
    pub(super) fn check_key(&self, attributes: &Template) -> Result<()> {
        let key_type = attributes.get(attribute::KEY_TYPE).and_then(KeyType::from_code);
        let Some(family) = key_type.and_then(Family::of) else { return Ok(()) };
        let (least, name) = least(family, &self.rules);
        if least == 0 {
            return Ok(());
        }
        match bits_of(attributes) {
            Some(bits) if bits < u64::from(least) => {
                Err(Rv::KeySizeRange.because(format!("a key of {bits} bits; {name} is {least}")))
            }
            _ => Ok(()),
        }
    }
}

impl AllOffers {
    /// Takes them from the configuration.
    ///
    /// # Errors
    /// `CKR_GENERAL_ERROR` for names that no mechanism has.
    pub(super) fn of(configuration: &Configuration) -> Result<Self> {
        if let Some(problem) = rule_problems(configuration).into_iter().next() {
            return Err(problem.into());
        }
        let own = configuration.tokens();
        Ok(Self {
            usual: Arc::new(Offers::of(configuration)),
            own: own.map(|(name, own)| (name.to_owned(), Arc::new(Offers::of(own)))).collect(),
        })
    }
}

impl Provider {
    /// What the token in a slot offers and asks for, in words.
    ///
    /// # Errors
    /// As `offers`.
    pub fn policy(&self, slot: u64) -> Result<PolicyView> {
        Ok(self.offers(slot)?.view())
    }

    /// What the token in a slot offers; an uninitialised one, what tokens usually do.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`; the store's, if the configuration names tokens by their labels.
    pub(crate) fn offers(&self, slot: u64) -> Result<Arc<Offers>> {
        let name = match self.slot(slot)?.token() {
            Some(token) => self.name_in_configuration(&token)?,
            None => None,
        };
        let own = name.and_then(|name| {
            self.offers.own.iter().find_map(|(own, offers)| (own == name).then_some(offers))
        });
        Ok(Arc::clone(own.unwrap_or(&self.offers.usual)))
    }

    /// The name by which the configuration speaks of a token, if it does: the serial number, or
    /// the label.
    fn name_in_configuration(&self, token: &Token) -> Result<Option<&str>> {
        let named = |wanted: &str| {
            self.configuration.tokens().find_map(|(name, _)| (name == wanted).then_some(name))
        };
        if self.configuration.tokens().next().is_none() {
            return Ok(None);
        }
        if let Some(name) = named(token.serial()) {
            return Ok(Some(name));
        }
        let label = token.record_of_token()?.label;
        Ok(named(String::from_utf8_lossy(&label).trim_end()))
    }

    /// What the configuration says of a token.
    ///
    /// # Errors
    /// The store's, if it names tokens by their labels.
    pub(super) fn configuration_of(&self, token: &Token) -> Result<&Configuration> {
        let name = self.name_in_configuration(token)?;
        let mut own = self.configuration.tokens();
        let own = own.find_map(|(own, its)| (Some(own) == name).then_some(its));
        Ok(own.unwrap_or(&self.configuration))
    }
}

/// The names of mechanisms and of key types in a configuration that are none of this token.
#[must_use]
pub fn rule_problems(configuration: &Configuration) -> Vec<ConfigError> {
    let own = configuration.tokens().map(|(_, own)| own);
    let mut problems = Vec::new();
    for one in std::iter::once(configuration).chain(own) {
        let lists = [("mechanisms.allow", &one.rules.allow), ("mechanisms.deny", &one.rules.deny)];
        for (key, names) in lists {
            // What a token inherits is told once.
            if !std::ptr::eq(one, configuration) && *names == *list(configuration, key) {
                continue;
            }
            for name in names.iter().filter(|name| !REGISTRY.iter().any(|row| is(row, name))) {
                let why = format!("{name:?} is no mechanism of this token; see docs/mechanisms.md");
                problems.push(one.refusal(key, why));
            }
        }
        if std::ptr::eq(one, configuration) || one.rules.keys != configuration.rules.keys {
            problems.extend(key_problems(one));
        }
        problems.extend(view_problems(one));
    }
    problems
}

fn key_problems(of: &Configuration) -> Vec<ConfigError> {
    let unknown = of.rules.keys.iter().flat_map(|(name, types)| {
        let no_mechanism = (!REGISTRY.iter().any(|row| is(row, name)))
            .then(|| format!("{name:?} is no mechanism of this token; see docs/mechanisms.md"));
        let wrong = types.iter().filter(|name| key_types(name).next().is_none());
        let no_type = wrong.map(|name| format!("{name:?} is no type of key of this token"));
        no_mechanism.into_iter().chain(no_type)
    });
    unknown.map(|why| of.refusal("mechanisms.keys", why)).collect()
}

fn view_problems(of: &Configuration) -> impl Iterator<Item = ConfigError> {
    let show = [&of.views.show].into_iter().map(|view| ("view.show", view));
    let programs = of.views.programs.iter().map(|(_, view)| ("view.programs", view));
    let libraries = of.views.libraries.iter().map(|(_, view)| ("view.libraries", view));
    let forced = of.forced_view.iter().map(|view| ("$CLAVIGER_VIEW", view));
    show.chain(programs).chain(libraries).chain(forced).filter_map(|(key, view)| {
        let wrong = view.kinds().iter().find(|kind| !is_key_name(kind))?;
        Some(of.refusal(key, format!("{wrong:?} is no type of key of this token")))
    })
}

fn list<'c>(configuration: &'c Configuration, key: &str) -> &'c [String] {
    match key {
        "mechanisms.allow" => &configuration.rules.allow,
        _ => &configuration.rules.deny,
    }
}

/// A mechanism as these rules have it offered, if they do.
fn offer(row: &'static Mechanism, rules: &MechanismRules, legacy: bool) -> Option<Offer> {
    let is_allowed = rules.allow.is_empty() || rules.allow.iter().any(|name| is(row, name));
    if !is_allowed || rules.deny.iter().any(|name| is(row, name)) {
        return None;
    }
    if row.signature_hash_bits().is_some_and(|bits| bits < rules.hash_bits) {
        return None;
    }
    let bits = row.family().map_or(0, |family| u64::from(least(family, rules).0));
    let least = if row.counts_bytes() { bits.div_ceil(8) } else { bits };
    let modern = if legacy { 0 } else { row.min_modern_size };
    let min_key_size = row.min_key_size.max(least).max(modern);
    // The largest key is not large enough: nothing could be done with it.
    (least == 0 || min_key_size <= row.max_key_size).then_some(Offer { row, min_key_size })
}

const fn least(family: Family, rules: &MechanismRules) -> (u32, &'static str) {
    match family {
        Family::Rsa => (rules.rsa_bits, "policy.rsa_bits"),
        Family::Ec => (rules.ec_bits, "policy.ec_bits"),
        Family::Aes => (rules.aes_bits, "policy.aes_bits"),
        Family::Hmac => (rules.hmac_bits, "policy.hmac_bits"),
    }
}

/// Whether a name from a configuration means a mechanism: in any case of letters, with or
/// without `CKM_`, `*` for any characters.
fn is(row: &Mechanism, name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let name = name.strip_prefix("CKM_").unwrap_or(&name);
    let own = row.name.strip_prefix("CKM_").unwrap_or(row.name);
    fits(name, own)
}

fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|from| rest.get(from..).is_some_and(|rest| fits(after, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, fit) in [
            ("SHA1_*", "SHA1_RSA_PKCS", true),
            ("SHA1_*", "SHA_1", false),
            ("*_PSS", "SHA256_RSA_PKCS_PSS", true),
            ("*RSA*", "RSA_PKCS", true),
            ("AES_*_PAD", "AES_CBC_PAD", true),
            ("AES_*_PAD", "AES_PAD", false),
            ("*", "", true),
            ("AES_CBC", "AES_CBC_PAD", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
        }
    }
}
