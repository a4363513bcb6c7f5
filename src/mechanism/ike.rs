//! The keys of IKE, versions 1 and 2, by whichever pseudorandom function both sides agreed on.
//! PKCS#11 3.2, "IKE Mechanisms"; RFC 2409, 5, 5.5 and appendix B; RFC 7296, 2.13, 2.14 and 2.18.
//!
//! The functions take keys of any length (RFC 2104, 4434 and 4615), so a generic secret may stand
//! for a key of the function's own type everywhere.

use super::derivation::{LONGEST, check_cut, value, wanted};
use super::kdf_params::KdfParams;
use super::mac::Code;
use super::params::{MechanismParams, invalid};
use super::{Derivation, Key, any_secret, hmac, registry, secret_value};
use crate::engine::aws_lc::cmac::Cmac;
use crate::engine::aws_lc::xcbc::Xcbc;
use crate::engine::hash::{Digest, Mac};
use crate::error::{Error, Result, Rv};
use crate::object::attribute;
use crate::object::class::KeyType;
use crate::secret::Secret;

/// The types of the functions' keys.
pub(super) const KEYS: &[KeyType] = &[
    KeyType::GenericSecret,
    KeyType::Sha1Hmac,
    KeyType::Sha224Hmac,
    KeyType::Sha256Hmac,
    KeyType::Sha384Hmac,
    KeyType::Sha512Hmac,
    KeyType::Aes,
];

/// How often a function runs for one key at most: its counter in IKEv2 is a byte, and the standard
/// has the same bound for IKEv1.
const MOST_RUNS: usize = 255;

/// A pseudorandom function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prf {
    Hmac(Digest),
    AesXcbc,
    AesCmac,
}

/// A piece of what a function takes.
#[derive(Clone, Copy)]
enum Part<'p> {
    Secret(&'p Secret),
    Bytes(&'p [u8]),
}

impl Part<'_> {
    fn read<R>(self, reader: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Secret(secret) => secret.expose(reader),
            Self::Bytes(bytes) => reader(bytes),
        }
    }
}

impl Prf {
    /// The function that a parameter names by its mechanism.
    fn named(mechanism: u64) -> Result<Self> {
        registry::ike_prf_of(mechanism).ok_or_else(|| invalid("pseudorandom function of IKE"))
    }

    /// Bytes that it gives.
    const fn len(self) -> usize {
        match self {
            Self::Hmac(digest) => digest.len(),
            Self::AesXcbc | Self::AesCmac => 16,
        }
    }

    /// The type of key that is for it.
    const fn key_type(self) -> Option<KeyType> {
        match self {
            Self::Hmac(digest) => hmac::own_key_type(digest),
            Self::AesXcbc | Self::AesCmac => Some(KeyType::Aes),
        }
    }

    /// The base key's value, if it is a key of the function's.
    fn key<'k>(self, derivation: &Derivation<'k>) -> Result<&'k Secret> {
        let own = self.key_type().unwrap_or(KeyType::GenericSecret);
        secret_value(derivation.base, &[KeyType::GenericSecret, own])
    }

    fn started(self, key: Part<'_>) -> Result<Box<dyn Code>> {
        key.read(|key| {
            Ok::<Box<dyn Code>, Error>(match self {
                Self::Hmac(digest) => Box::new(Mac::new(digest, key)?),
                Self::AesXcbc => Box::new(Xcbc::prf(key)?),
                Self::AesCmac => Box::new(Cmac::aes_prf(key)?),
            })
        })
    }

    /// What it gives for the parts, one after the other.
    fn of(self, key: Part<'_>, parts: &[Part<'_>]) -> Result<Secret> {
        let mut code = self.started(key)?;
        for part in parts {
            part.read(|part| code.update(part))?;
        }
        Secret::build(self.len(), |out| code.finish(out))
    }
}

/// The type of the key that is derived where the template names none: that of the function.
pub(super) fn usual_key_type(params: &MechanismParams) -> Option<KeyType> {
    match params {
        MechanismParams::Kdf(KdfParams::IkePrf { prf, .. }) => {
            registry::ike_prf_of(*prf).and_then(Prf::key_type)
        }
        _ => None,
    }
}

/// The keys of the mechanisms have one of these types, whatever the parameter says.
fn expect_base(derivation: &Derivation<'_>) -> Result<()> {
    secret_value(derivation.base, KEYS).map(drop)
}

/// The value of a secret that both sides agreed on.
fn shared(key: &Key) -> Result<&Secret> {
    secret_value(key, &[KeyType::GenericSecret])
}

/// Derives SKEYID of IKEv1 or SKEYSEED of IKEv2, which are as long as what the function gives.
pub(super) fn prf(derivation: &Derivation<'_>) -> Result<Secret> {
    expect_base(derivation)?;
    let KdfParams::IkePrf { prf, data_as_key, nonces, new_key } = derivation.params.kdf()? else {
        return Err(invalid("IKE needs its parameters"));
    };
    if *data_as_key && new_key.is_some() {
        return Err(Rv::ArgumentsBad.because("bDataAsKey and bRekey exclude one another"));
    }
    let prf = Prf::named(*prf)?;
    if derivation.len.is_some_and(|len| len != prf.len()) {
        let why = "the key is as long as what the function of IKE gives";
        return Err(Rv::KeySizeRange.because(why));
    }
    let (nonces, others) = (Part::Bytes(nonces), derivation.others);
    let value = match (data_as_key, new_key, others) {
        (true, _, []) => {
            let base = shared(derivation.base)?;
            if nonces.read(<[u8]>::is_empty) {
                return Err(invalid("no nonces to be a key"));
            }
            prf.of(nonces, &[Part::Secret(base)])
        }
        (false, None, []) => {
            let base = prf.key(derivation)?;
            prf.of(Part::Secret(base), &[nonces])
        }
        (false, Some(_), [new_key]) => {
            let (base, new_key) = (prf.key(derivation)?, shared(new_key)?);
            prf.of(Part::Secret(base), &[Part::Secret(new_key), nonces])
        }
        _ => return Err(invalid("which keys IKE derives from")),
    }?;
    made(derivation, prf.len(), &value)
}

/// Derives one of the three keys of IKEv1 that follow from SKEYID; they are cut if need be.
pub(super) fn ike1(derivation: &Derivation<'_>) -> Result<Secret> {
    expect_base(derivation)?;
    let KdfParams::Ike1Prf { prf, previous, cookies, number, .. } = derivation.params.kdf()? else {
        return Err(invalid("IKEv1 needs its parameters"));
    };
    let prf = Prf::named(*prf)?;
    let base = prf.key(derivation)?;
    let (agreed, previous) = match (previous, derivation.others) {
        (None, [agreed]) => (shared(agreed)?, None),
        (Some(_), [agreed, previous]) => (shared(agreed)?, Some(any_secret(previous)?)),
        _ => return Err(invalid("which keys IKEv1 derives from")),
    };
    let len = derivation.len.unwrap_or(prf.len());
    check_len(derivation, len, prf.len())?;
    let number = [*number];
    let last = [Part::Secret(agreed), Part::Bytes(cookies), Part::Bytes(&number)];
    let parts = previous.map(Part::Secret).into_iter().chain(last).collect::<Vec<_>>();
    let value = prf.of(Part::Secret(base), &parts)?;
    made(derivation, len, &value)
}

/// Derives the key material of IKEv2: prf+ of RFC 7296, section 2.13.
pub(super) fn plus(derivation: &Derivation<'_>) -> Result<Secret> {
    expect_base(derivation)?;
    let KdfParams::IkePrfPlus { prf, seed, .. } = derivation.params.kdf()? else {
        return Err(invalid("prf+ of IKEv2 needs its parameters"));
    };
    let prf = Prf::named(*prf)?;
    let base = prf.key(derivation)?;
    let seed_key = optional_key(derivation)?;
    if seed_key.is_none() && seed.is_empty() {
        return Err(Rv::ArgumentsBad.because("prf+ of IKEv2 without a seed"));
    }
    let len = required_len(derivation)?;
    check_len(derivation, len, MOST_RUNS * prf.len())?;
    let fixed = seed_key.map(Part::Secret).into_iter().chain([Part::Bytes(seed)]);
    let fixed = fixed.collect::<Vec<_>>();
    repeated(derivation, (prf, len), |before, number| {
        let parts = [before.map(Part::Secret).into_iter().collect(), fixed.clone()].concat();
        let number = [number];
        prf.of(Part::Secret(base), &[parts, vec![Part::Bytes(&number)]].concat())
    })
}

/// Derives long keys of IKEv1 (RFC 2409, appendix B), and those of its quick mode (section 5.5).
///
/// Without anything to mix in, a key that is long enough is the base key's front. The standard
/// measures that by the function, appendix B by the base key, which is the same for every SKEYID.
pub(super) fn extended(derivation: &Derivation<'_>) -> Result<Secret> {
    expect_base(derivation)?;
    let KdfParams::Ike1Extended { prf, extra, .. } = derivation.params.kdf()? else {
        return Err(invalid("IKEv1 needs its parameters"));
    };
    let prf = Prf::named(*prf)?;
    let base = prf.key(derivation)?;
    let agreed = optional_key(derivation)?;
    let len = required_len(derivation)?;
    check_len(derivation, len, MOST_RUNS * prf.len())?;
    let is_plain = agreed.is_none() && extra.is_empty();
    if is_plain && len <= base.len() {
        return made(derivation, len, base);
    }
    let fixed = agreed.map(Part::Secret).into_iter().chain([Part::Bytes(extra)]);
    let fixed = fixed.collect::<Vec<_>>();
    repeated(derivation, (prf, len), |before, _| {
        let first = match before {
            Some(before) => Some(Part::Secret(before)),
            None => is_plain.then_some(Part::Bytes(&[0])),
        };
        let parts = [first.into_iter().collect(), fixed.clone()].concat();
        prf.of(Part::Secret(base), &parts)
    })
}

/// The key that goes into every run, if the parameter names one. Of IKEv1 it is the agreed secret.
fn optional_key<'k>(derivation: &Derivation<'k>) -> Result<Option<&'k Secret>> {
    match (derivation.params.kdf()?, derivation.others) {
        (KdfParams::IkePrfPlus { seed_key: Some(_), .. }, [seed]) => any_secret(seed).map(Some),
        (KdfParams::Ike1Extended { agreed: Some(_), .. }, [agreed]) => shared(agreed).map(Some),
        (KdfParams::IkePrfPlus { seed_key: None, .. }, [])
        | (KdfParams::Ike1Extended { agreed: None, .. }, []) => Ok(None),
        _ => Err(invalid("which keys IKE derives from")),
    }
}

/// The length of keys that have none of themselves.
fn required_len(derivation: &Derivation<'_>) -> Result<usize> {
    derivation.len.ok_or_else(|| Rv::TemplateIncomplete.because(attribute::VALUE_LEN.name))
}

/// Refuses more than there is; and so little that, if a source is closed, one key after the other,
/// each a byte longer, would give the longest away.
fn check_len(derivation: &Derivation<'_>, len: usize, most: usize) -> Result<()> {
    if len > most.min(LONGEST) {
        return Err(Rv::KeySizeRange.because("CKA_VALUE_LEN is more than IKE gives"));
    }
    wanted(Some(len), derivation.key_type, None)?;
    let mut sources = std::iter::once(derivation.base).chain(derivation.others);
    sources.try_for_each(|source| check_cut(source, len, most))
}

/// The front of what was computed, which has this length or more. Types that have several lengths
/// need not say which here: the function of IKE does.
fn made(derivation: &Derivation<'_>, len: usize, computed: &Secret) -> Result<Secret> {
    value(derivation.key_type, len, |room| {
        computed.expose(|computed| {
            room.iter_mut().zip(computed).for_each(|(to, from)| *to = *from);
        });
        Ok(())
    })
}

/// A key of this length from as many runs as it needs, each with what the one before it gave and
/// its own number.
fn repeated(
    derivation: &Derivation<'_>,
    (prf, len): (Prf, usize),
    mut run: impl FnMut(Option<&Secret>, u8) -> Result<Secret>,
) -> Result<Secret> {
    value(derivation.key_type, len, |room| {
        let mut before = None;
        for (number, part) in (1..=u8::MAX).zip(room.chunks_mut(prf.len())) {
            let made = run(before.as_ref(), number)?;
            made.expose(|made| part.iter_mut().zip(made).for_each(|(to, from)| *to = *from));
            before = Some(made);
        }
        Ok(())
    })
}
