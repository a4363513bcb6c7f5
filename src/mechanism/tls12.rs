//! TLS 1.2: premaster secrets for RSA, master secrets, the keys of a connection, exported keys, and
//! the MAC of Finished.
//!
//! All but the first is one function, RFC 5246's PRF, with labels that the mechanisms fix; only an
//! exporter takes the caller's. The PRF of TLS 1.0 and 1.1, over MD5 and SHA-1, is not offered.
//! PKCS#11 3.2, "TLS 1.2 Mechanisms"; RFC 5246, 5, 6.3, 7.4.7.1, 7.4.9, 8.1; RFC 5705; RFC 7627.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::kdf_params::{KdfParams, Randoms};
use super::mac::{Code, Running};
use super::params::{MechanismParams, invalid};
use super::{
    Derivation, Derived, Key, expect_template, registry, secret_key, secret_value, value_len,
};
use crate::engine::aws_lc::kdf::tls12_prf;
use crate::engine::hash::Digest;
use crate::engine::random;
use crate::error::{Error, Result, Rv};
use crate::object::attribute::{self, Attr};
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::secret::Secret;

/// Bytes of a master secret, and of a premaster secret that RSA carries.
const MASTER: usize = 48;
/// Bytes of each side's random value.
const RANDOM: usize = 32;
/// The longest key or vector of a connection.
const LONGEST_PART: u64 = 64;
/// The lengths of the MAC of Finished.
const FINISHED: std::ops::RangeInclusive<u64> = 12..=Digest::MAX_LEN as u64;

/// Where a premaster secret comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Premaster {
    /// The client made it and encrypted it: it begins with the version.
    Rsa,
    /// Both sides agreed on it.
    Agreed,
}

fn digest(hash: u64) -> Result<Digest> {
    match registry::digest_of(hash) {
        Some(digest @ (Digest::Sha256 | Digest::Sha384 | Digest::Sha512)) => Ok(digest),
        _ => Err(invalid("hash function of TLS 1.2")),
    }
}

fn check_randoms(randoms: &Randoms) -> Result<()> {
    if randoms.client.len() == RANDOM && randoms.server.len() == RANDOM {
        Ok(())
    } else {
        Err(invalid("the random values of TLS have 32 bytes"))
    }
}

/// The secrets of TLS are of no type of their own.
fn generic(key: &Key) -> Result<&Secret> {
    secret_value(key, &[KeyType::GenericSecret])
}

/// The pseudorandom function of a key.
fn prf(key: &Key, hash: u64, label: &[u8], seeds: [&[u8]; 2], len: usize) -> Result<Secret> {
    let digest = digest(hash)?;
    let secret = generic(key)?;
    Secret::build(len, |out| {
        Ok(secret.expose(|secret| tls12_prf(digest, secret, label, seeds, out))?)
    })
}

/// Makes the premaster secret that a client encrypts for the server's RSA key: the version that it
/// offers, of whichever protocol (DTLS counts down), and random bytes. RFC 5246, 7.4.7.1.
pub(super) fn premaster(template: &Template, params: &MechanismParams) -> Result<Template> {
    let MechanismParams::Version(version) = params else {
        return Err(invalid("a premaster secret needs a version"));
    };
    expect_template(template, Class::SecretKey, KeyType::GenericSecret)?;
    if template.contains(attribute::VALUE_LEN.id) && value_len(template)? != MASTER {
        return Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN of a premaster secret"));
    }
    let value = random::secret(MASTER - version.len())?;
    let value = value.expose(|random| {
        Secret::build(MASTER, |room| {
            let all = version.iter().chain(random);
            room.iter_mut().zip(all).for_each(|(to, from)| *to = *from);
            Ok::<_, Error>(())
        })
    })?;
    secret_key(template, KeyType::GenericSecret, value)
}

/// Derives a master secret, which is for the other mechanisms here and nothing else.
pub(super) fn master(
    derivation: &Derivation<'_>,
    mut templates: Vec<Template>,
    premaster: Premaster,
) -> Result<Derived> {
    let base = generic(derivation.base)?;
    let (hash, label, seeds, version): (_, &[u8], [&[u8]; 2], _) = match derivation.params.kdf()? {
        KdfParams::TlsMaster { randoms, hash, version } => {
            check_randoms(randoms)?;
            (hash, b"master secret", [&randoms.client, &randoms.server], version)
        }
        KdfParams::TlsExtendedMaster { session_hash, hash, version } => {
            if session_hash.len() != digest(*hash)?.len() {
                return Err(invalid("length of the session's hash"));
            }
            (hash, b"extended master secret", [session_hash, &[]], version)
        }
        _ => return Err(invalid("a master secret needs its parameters")),
    };
    match premaster {
        Premaster::Rsa if base.len() != MASTER => {
            return Err(Rv::KeySizeRange.because("a premaster secret of RSA has 48 bytes"));
        }
        Premaster::Agreed if *version => {
            return Err(invalid("there is no version in a secret that was agreed on"));
        }
        _ => {}
    }
    if derivation.len.is_some_and(|len| len != MASTER) {
        return Err(Rv::TemplateInconsistent.because("a master secret has 48 bytes"));
    }
    if derivation.key_type != KeyType::GenericSecret {
        return Err(Rv::TemplateInconsistent.because("a master secret is a generic secret"));
    }
    let value = prf(derivation.base, *hash, label, seeds, MASTER)?;
    let mut made = templates.pop().unwrap_or_default();
    if !made.contains(attribute::ALLOWED_MECHANISMS.id) {
        made.set(attribute::ALLOWED_MECHANISMS, registry::OF_MASTER_SECRETS.to_vec());
    }
    let shown = match version {
        true => base.expose(|base| base.iter().copied().take(2).collect()),
        false => Vec::new(),
    };
    Ok(Derived { objects: vec![(made, Some(value))], shown })
}

/// Uses that the caller's template gives to the keys of ciphers, and not to those of MACs.
const OF_CIPHERS: [Attr<bool>; 3] = [attribute::ENCRYPT, attribute::DECRYPT, attribute::DERIVE];
/// And what MACs have instead.
const OF_MACS: [Attr<bool>; 2] = [attribute::SIGN, attribute::VERIFY];

/// Bytes of a part of the key material.
fn bytes(bits: u64) -> Result<usize> {
    match usize::try_from(bits / 8) {
        Ok(len) if bits.is_multiple_of(8) && bits / 8 <= LONGEST_PART => Ok(len),
        _ => Err(invalid("bits of a key or vector")),
    }
}

/// Derives the keys of a connection: MAC keys of client and server, cipher keys of client and
/// server; and shows their vectors, unless none are wanted.
///
/// Vectors are what follows the keys. Of a master secret that cannot be read they are shown only
/// in the shape of the ciphers that have them (AEAD), because shorter keys would move secret bytes
/// to where vectors are.
pub(super) fn keys(
    derivation: &Derivation<'_>,
    mut templates: Vec<Template>,
    with_vectors: bool,
) -> Result<Derived> {
    let master = generic(derivation.base)?;
    let KdfParams::TlsKeys { mac_bits, key_bits, iv_bits, export, randoms, hash } =
        derivation.params.kdf()?
    else {
        return Err(invalid("the keys of a connection need their parameters"));
    };
    check_randoms(randoms)?;
    if master.len() != MASTER {
        return Err(Rv::KeySizeRange.because("a master secret has 48 bytes"));
    }
    let (mac, key) = (bytes(*mac_bits)?, bytes(*key_bits)?);
    let vector = if with_vectors { bytes(*iv_bits)? } else { 0 };
    if *export || mac + key == 0 {
        return Err(invalid("keys for export, or none"));
    }
    let base = &derivation.base.attributes;
    let closed = base.is_set(attribute::SENSITIVE) || !base.is_set(attribute::EXTRACTABLE);
    if closed && vector != 0 && (mac != 0 || key < 16 || vector > 12) {
        return Err(invalid("of a secret that is not readable, vectors of AEAD ciphers only"));
    }
    if derivation.len.is_some_and(|len| len != key) {
        return Err(Rv::TemplateInconsistent.because("CKA_VALUE_LEN of another key"));
    }
    let asked = templates.pop().unwrap_or_default();
    let seeds: [&[u8]; 2] = [&randoms.server, &randoms.client];
    let total = 2 * (mac + key + vector);
    let material = prf(derivation.base, *hash, b"key expansion", seeds, total)?;
    material.expose(|material| {
        let mut rest = material;
        let mut take = |len: usize| {
            let (part, after) = rest.split_at_checked(len).unwrap_or_default();
            rest = after;
            part
        };
        let mut objects = Vec::new();
        for (len, template) in [
            (mac, of_mac(&asked, base)?),
            (mac, of_mac(&asked, base)?),
            (key, of_cipher(&asked, base)?),
            (key, of_cipher(&asked, base)?),
        ] {
            let part = take(len);
            if !part.is_empty() {
                objects.push((template, Some(Secret::copy_of(part)?)));
            }
        }
        Ok(Derived { objects, shown: rest.to_vec() })
    })
}

/// The caller's template with the secrecy of the master secret, which it must not change.
fn inherited(asked: &Template, base: &Template) -> Result<Template> {
    let mut made = asked.try_clone()?;
    for flag in [attribute::SENSITIVE, attribute::EXTRACTABLE] {
        let own = base.is_set(flag);
        if made.get(flag).is_some_and(|asked| asked != own) {
            return Err(Rv::TemplateInconsistent.because("not as secret as the master secret"));
        }
        made.set(flag, own);
    }
    Ok(made)
}

fn of_mac(asked: &Template, base: &Template) -> Result<Template> {
    let mut made = inherited(asked, base)?;
    for not_theirs in [attribute::VALUE_LEN.id, attribute::CHECK_VALUE.id] {
        made.remove(not_theirs);
    }
    for flag in OF_CIPHERS.iter().chain(&[attribute::WRAP, attribute::UNWRAP]) {
        made.remove(flag.id);
    }
    made.set(attribute::KEY_TYPE, KeyType::GenericSecret.code());
    for flag in OF_MACS {
        made.set(flag, true);
    }
    Ok(made)
}

fn of_cipher(asked: &Template, base: &Template) -> Result<Template> {
    let mut made = inherited(asked, base)?;
    for flag in OF_CIPHERS {
        if !made.contains(flag.id) {
            made.set(flag, true);
        }
    }
    Ok(made)
}

/// Derives a key that a protocol over TLS uses (RFC 5705).
pub(super) fn export(derivation: &Derivation<'_>) -> Result<Secret> {
    generic(derivation.base)?;
    let KdfParams::TlsExport { label, randoms, context, hash } = derivation.params.kdf()? else {
        return Err(invalid("an exporter needs its parameters"));
    };
    check_randoms(randoms)?;
    let mut seed = [&randoms.client[..], &randoms.server].concat();
    if let Some(context) = context {
        let len =
            u16::try_from(context.len()).map_err(|_| invalid("a context over 65535 bytes"))?;
        seed.extend_from_slice(&len.to_be_bytes());
        seed.extend_from_slice(context);
    }
    let len = derivation.wanted(None)?;
    let value = prf(derivation.base, *hash, label, [&seed, &[]], len)?;
    value.expose(|value| derivation.front_of(value))
}

/// The MAC of Finished over the hash of the handshake, which is its data.
pub(super) struct Finished {
    key: Key,
    hash: u64,
    label: &'static [u8],
    data: Zeroizing<Vec<u8>>,
}

/// The longest data of the MAC: a hash has no more.
const LONGEST_DATA: usize = 1 << 16;

impl Code for Finished {
    fn update(&mut self, part: &[u8]) -> Result<()> {
        if self.data.len() + part.len() > LONGEST_DATA {
            return Err(Rv::DataLenRange.because("more than the hash of a handshake"));
        }
        self.data.extend_from_slice(part);
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<()> {
        let code = prf(&self.key, self.hash, self.label, [&self.data, &[]], out.len())?;
        code.expose(|code| out.copy_from_slice(code));
        Ok::<_, Error>(())
    }
}

/// Starts the MAC of Finished.
pub(super) fn finished(key: &Key, params: &MechanismParams) -> Result<Running<Finished>> {
    generic(key)?;
    let MechanismParams::TlsMac { hash, len, side } = params else {
        return Err(invalid("the MAC of TLS needs its parameters"));
    };
    digest(*hash)?;
    let label: &[u8] = match side {
        1 => b"server finished",
        2 => b"client finished",
        _ => return Err(invalid("neither the server's nor the client's")),
    };
    let len = usize::try_from(*len).ok().filter(|_| FINISHED.contains(len));
    let len = len.ok_or_else(|| invalid("length of the MAC of TLS"))?;
    let (key, data) = (Arc::clone(key), Zeroizing::default());
    Ok(Running { code: Finished { key, hash: *hash, label, data }, len })
}
