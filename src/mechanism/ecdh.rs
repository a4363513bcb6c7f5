//! Diffie-Hellman on elliptic curves: the raw secret, or one of the key derivation functions; also
//! as a key encapsulation with an ephemeral key. All curves here have no cofactor, or set the bits
//! that undo it, so that the derivation with cofactor is the same.
//!
//! PKCS#11 3.2, "Elliptic Curve Diffie-Hellman key derivation", "CK_ECDH1_DERIVE_PARAMS".

use std::sync::Arc;

use zeroize::Zeroizing;

use super::derivation::with_parity;
use super::operation::{Encapsulating, room};
use super::params::{MechanismParams, invalid};
use super::{Derivation, Key, expect_key, inconsistent, private_key_of, registry};
use crate::custody::{DerivePrimitive, KeyKind, PrivateKey};
use crate::engine::aws_lc::ec::EcPrivate;
use crate::engine::hash::{Digest, Hasher};
use crate::engine::montgomery::MontgomeryPrivate;
use crate::error::{Error, Result, Rv};
use crate::object::class::{Class, KeyType};
use crate::object::curve::CurveName;
use crate::object::{Object, Prepared};
use crate::secret::Secret;

/// Edwards keys only where they lie on a Montgomery curve, as SoftHSM has them.
const AGREEING: &[KeyType] = &[KeyType::Ec, KeyType::EcMontgomery, KeyType::EcEdwards];
/// The longest secret that is derived, in bytes; far beyond every key type.
const LONGEST: usize = 8192;
/// DER's tag; no point here is longer than its lengths of one byte.
const OCTET_STRING: u8 = 0x04;

/// How a key is made of the secret that was agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kdf {
    /// The secret itself.
    None,
    /// ANSI X9.63, section 5.6.3: the secret, a counter, the shared data.
    X963(Digest),
    /// The one-step function of SP 800-56C, section 4: the counter, the secret, the shared data.
    Concatenation(Digest),
}

/// Derives a secret; with a length, its last bytes or that much of the derivation function.
pub(super) fn derive(derivation: &Derivation<'_>) -> Result<Secret> {
    let &Derivation { base, params, len, key_type, .. } = derivation;
    let (private, curve) = agreeing(base)?;
    let (kdf, shared, public) = parameter(params)?;
    check_asked(len)?;
    let point = raw_point(curve, public);
    let agreed = private.derive(DerivePrimitive::Ecdh { point })?;
    with_parity(key_type, finish(agreed, kdf, shared, len)?)
}

/// Prepares a secret for the holder of a public key: an ephemeral key agrees with it, and the
/// ciphertext is that key's public half.
pub(super) fn encapsulate(
    key: &Key,
    params: &MechanismParams,
    len: Option<usize>,
) -> Result<Box<dyn Encapsulating>> {
    check_public(key)?;
    let curve = match key.prepared()? {
        Prepared::Ec(public) => CurveName::Weierstrass(public.curve()),
        Prepared::Montgomery(curve, _) => CurveName::Montgomery(*curve),
        _ => return Err(inconsistent()),
    };
    let (kdf, shared, public) = parameter(params)?;
    if !public.is_empty() {
        return Err(invalid("a point where the ephemeral key gives it"));
    }
    check_asked(len)?;
    Ok(Box::new(Encapsulation { key: Arc::clone(key), curve, kdf, shared: shared.to_vec(), len }))
}

/// Gives the secret that was made for a private key.
pub(super) fn decapsulate(
    key: &Key,
    params: &MechanismParams,
    ciphertext: &[u8],
    len: Option<usize>,
) -> Result<Secret> {
    let (private, curve) = agreeing(key)?;
    let (kdf, shared, public) = parameter(params)?;
    if !public.is_empty() {
        return Err(invalid("a point where the ciphertext is one"));
    }
    check_asked(len)?;
    if ciphertext.len() != curve.point_len() {
        return Err(Rv::WrappedKeyLenRange.because("length of an ephemeral public key"));
    }
    finish(opened(private.as_ref(), ciphertext)?, kdf, shared, len)
}

/// What a private key agrees on with an ephemeral one, whose public half is the ciphertext.
pub(super) fn opened(private: &dyn PrivateKey, ciphertext: &[u8]) -> Result<Secret> {
    let agreed = private.derive(DerivePrimitive::Ecdh { point: ciphertext });
    agreed.map_err(|error| match error.rv {
        Rv::PublicKeyInvalid => Rv::WrappedKeyInvalid.because(error.why),
        _ => error,
    })
}

/// Checks that a key is a public one of a type that agrees.
pub(super) fn check_public(key: &Key) -> Result<()> {
    expect_key(key, Class::PublicKey, AGREEING)
}

/// The length of the points that a private key agrees with.
pub(super) fn point_len(key: &Key) -> Result<usize> {
    agreeing(key).map(|(_, curve)| curve.point_len())
}

/// A private key that agrees, and its curve.
fn agreeing(key: &Object) -> Result<(Arc<dyn PrivateKey>, CurveName)> {
    let private = private_key_of(key, AGREEING)?;
    let curve = match private.kind() {
        KeyKind::Ec(curve) => CurveName::Weierstrass(curve),
        KeyKind::Montgomery(curve) => CurveName::Montgomery(curve),
        _ => return Err(inconsistent()),
    };
    Ok((private, curve))
}

/// The derivation function, the shared data and the peer's point.
fn parameter(params: &MechanismParams) -> Result<(Kdf, &[u8], &[u8])> {
    let MechanismParams::Ecdh1 { kdf, shared, public } = params else {
        return Err(invalid("key agreement needs its parameters"));
    };
    let kdf = registry::derivation_of(*kdf).ok_or_else(|| invalid("key derivation function"))?;
    if kdf == Kdf::None && !shared.is_empty() {
        return Err(invalid("shared data without a key derivation function"));
    }
    Ok((kdf, shared, public))
}

pub(super) fn check_asked(len: Option<usize>) -> Result<()> {
    match len {
        Some(0) => Err(Rv::AttributeValueInvalid.because("CKA_VALUE_LEN")),
        _ => Ok(()),
    }
}

fn finish(agreed: Secret, kdf: Kdf, shared: &[u8], len: Option<usize>) -> Result<Secret> {
    match kdf {
        Kdf::None => last_bytes(agreed, len),
        Kdf::X963(_) | Kdf::Concatenation(_) => expand(&agreed, shared, kdf, len),
    }
}

struct Encapsulation {
    key: Key,
    curve: CurveName,
    kdf: Kdf,
    shared: Vec<u8>,
    len: Option<usize>,
}

impl Encapsulating for Encapsulation {
    fn len(&self) -> usize {
        self.curve.point_len()
    }

    fn encapsulate(&mut self, out: &mut [u8]) -> Result<(usize, Secret)> {
        let (point, agreed) = match self.key.prepared()? {
            Prepared::Ec(public) => {
                let ephemeral = EcPrivate::generate(public.curve())?;
                (ephemeral.public_point()?, ephemeral.derive(&public.point()?)?)
            }
            Prepared::Montgomery(curve, public) => {
                let ephemeral = MontgomeryPrivate::generate(*curve)?;
                (ephemeral.public()?, ephemeral.derive(public)?)
            }
            _ => return Err(inconsistent()),
        };
        let secret = finish(agreed, self.kdf, &self.shared, self.len)?;
        room(out, point.len())?.copy_from_slice(&point);
        Ok((point.len(), secret))
    }
}

/// The point itself, where a caller gave it inside an octet string as in `CKA_EC_POINT`. A raw
/// point is recognised by its length first, since both begin with the same byte.
fn raw_point(curve: CurveName, given: &[u8]) -> &[u8] {
    if curve.is_point_len(given.len()) {
        return given;
    }
    match given {
        [OCTET_STRING, 0x81, len @ 0x80..=0xff, rest @ ..] if rest.len() == usize::from(*len) => {
            rest
        }
        [OCTET_STRING, len @ 0..=0x7f, rest @ ..] if rest.len() == usize::from(*len) => rest,
        _ => given,
    }
}

/// Truncation takes bytes from the front.
pub(super) fn last_bytes(agreed: Secret, len: Option<usize>) -> Result<Secret> {
    match len {
        None => Ok(agreed),
        Some(len) if len == agreed.len() => Ok(agreed),
        Some(len) => {
            let start = agreed.len().checked_sub(len).ok_or_else(too_long)?;
            agreed.expose(|agreed| Secret::copy_of(agreed.get(start..).unwrap_or_default()))
        }
    }
}

fn too_long() -> Error {
    Rv::TemplateInconsistent.because("CKA_VALUE_LEN is more than the agreement gives")
}

/// Digests of the secret, a counter from 1, and the shared data.
fn expand(agreed: &Secret, shared: &[u8], kdf: Kdf, len: Option<usize>) -> Result<Secret> {
    let len = len.ok_or_else(|| Rv::TemplateIncomplete.because("CKA_VALUE_LEN"))?;
    if len > LONGEST {
        return Err(too_long());
    }
    let (digest, counter_first) = match kdf {
        Kdf::X963(digest) => (digest, false),
        Kdf::Concatenation(digest) => (digest, true),
        Kdf::None => return Err(invalid("no key derivation function")),
    };
    Secret::build(len, |room| {
        for (counter, part) in (1_u32..).zip(room.chunks_mut(digest.len())) {
            let counter = counter.to_be_bytes();
            let (before, after) =
                if counter_first { (&counter[..], &[][..]) } else { (&[][..], &counter[..]) };
            let mut hasher = Hasher::new(digest);
            hasher.update(before);
            agreed.expose(|agreed| hasher.update(agreed));
            hasher.update(after);
            hasher.update(shared);
            let mut block = Zeroizing::new([0; Digest::MAX_LEN]);
            hasher.finish(&mut block[..])?;
            part.iter_mut().zip(block.iter()).for_each(|(to, from)| *to = *from);
        }
        Ok::<_, Error>(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::KeySpec;
    use crate::engine::aws_lc::ec::Curve;
    use crate::engine::montgomery::Montgomery;
    use crate::mechanism::tests::pair;
    use crate::mechanism::vectors::{hex, secret};

    /// NIST's CAVP vectors for "ANS X9.63-2001": secret, shared data, derived key.
    const EXPANSIONS: [(Digest, &str, &str, &str); 4] = [
        (
            Digest::Sha224,
            "da67a73072d521a8272c69023573012ddf9b46bff65b3900",
            "727997aed53e78f74b1d66743a4ea4d2",
            "dfc3126c5eebf9a58d89730e8d8ff7cc772592f28c10b349b437d9d068698a22
             e532eae975dfaf9c5c6a9f2935eafb05353013c253444e61f07bc9ddd15948e6
             14bdc7e445ba3b1893f42f87f18fb352d49956009a642c362d45410b43a9ab37
             6e9261210739174759511d1f9e52f6ec73dfed446dbafaf7fd1a57113abc2e8d",
        ),
        (
            Digest::Sha256,
            "22518b10e70f2a3f243810ae3254139efbee04aa57c7af7d",
            "75eef81aa3041e33b80971203d2c0c52",
            "c498af77161cc59f2962b9a713e2b215152d139766ce34a776df11866a69bf2e
             52a13d9c7c6fc878c50c5ea0bc7b00e0da2447cfd874f6cf92f30d0097111485
             500c90c3af8b487872d04685d14c8d1dc8d7fa08beb0ce0ababc11f0bd496269
             142d43525a78e5bc79a17f59676a5706dc54d54d4d1f0bd7e386128ec26afc21",
        ),
        (
            Digest::Sha384,
            "c051fd22539c9de791d6c43a854b8f80a6bf70190050854a",
            "1317504aa34759bb4c931e3b78201945",
            "cf6a84434734ac6949e1d7976743277be789906908ad3ca3a8923da7f476abbe
             b574306d7243031a85566914bfd247d2519c479953d9d55b6b831e56260806c3
             9af21b74e3ecf470e3bd8332791c8a23c13352514fdef00c2d1a408ba31b2d3f
             9fdcb373895484649a645d1845eec91b5bfdc5ad28c7824984482002dd4a8677",
        ),
        (
            Digest::Sha512,
            "00aa5bb79b33e389fa58ceadc047197f14e73712f452caa9fc4c9adb369348b8
             1507392f1a86ddfdb7c4ff8231c4bd0f44e44a1b55b1404747a9e2e753f55ef0
             5a2d",
            "e3b5b4c1b0d5cf1d2b3a2f9937895d31",
            "4463f869f3cc18769b52264b0112b5858f7ad32a5a2d96d8cffabf7fa733633d
             6e4dd2a599acceb3ea54a6217ce0b50eef4f6b40a5c30250a5a8eeee20800226
             7089dbf351f3f5022aa9638bf1ee419dea9c4ff745a25ac27bda33ca08bd56dd
             1a59b4106cf2dbbc0ab2aa8e2efa7b17902d34276951ceccab87f9661c3e8816",
        ),
    ];

    #[test]
    fn the_derivation_function_is_that_of_x9_63() {
        for (digest, agreed, shared, expected) in EXPANSIONS {
            let expected = hex(expected);
            for len in [1, 16, digest.len(), expected.len()] {
                let kdf = Kdf::X963(digest);
                let derived = expand(&secret(&hex(agreed)), &hex(shared), kdf, Some(len));
                derived.expect("a secret").expose(|derived| assert_eq!(derived, &expected[..len]));
            }
        }
    }

    /// RFC 7518, appendix C, which derives as SP 800-56A does.
    #[test]
    fn the_concatenation_puts_its_counter_first() {
        let agreed = "9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4";
        let info = "000000074131323847434d00000005416c69636500000003426f6200000080";
        let kdf = Kdf::Concatenation(Digest::Sha256);
        let derived = expand(&secret(&hex(agreed)), &hex(info), kdf, Some(16)).expect("a secret");
        derived.expose(|derived| assert_eq!(derived, hex("56aa8deaf8236d205c2228cd71a7101a")));
    }

    #[test]
    fn what_is_encapsulated_is_decapsulated() {
        let none = MechanismParams::Ecdh1 { kdf: 1, shared: vec![], public: vec![] };
        let sha256 = MechanismParams::Ecdh1 { kdf: 6, shared: vec![7; 3], public: vec![] };
        let pointed = MechanismParams::Ecdh1 { kdf: 1, shared: vec![], public: vec![4; 65] };
        for spec in [
            KeySpec::Ec(Curve::P256),
            KeySpec::Ec(Curve::Brainpool384),
            KeySpec::Montgomery(Montgomery::X25519),
            KeySpec::Montgomery(Montgomery::X448),
        ] {
            let (public, private) = pair(&spec);
            for (params, len) in [(&none, None), (&none, Some(16)), (&sha256, Some(100))] {
                let mut running = encapsulate(&public, params, len).expect("a start");
                let mut out = vec![0; running.len()];
                let (written, ours) = running.encapsulate(&mut out).expect("a secret");
                assert_eq!(written, out.len());
                let theirs = decapsulate(&private, params, &out, len).expect("a secret");
                ours.expose(|ours| theirs.expose(|theirs| assert_eq!(ours, theirs)));
                assert_eq!(len.unwrap_or(ours.len()), ours.len());
                // Another ephemeral key each time.
                let (_, again) = running.encapsulate(&mut out).expect("a secret");
                ours.expose(|ours| again.expose(|again| assert_ne!(ours, again)));
                let short = decapsulate(&private, params, &out[1..], len).expect_err("short");
                assert_eq!(short.rv, Rv::WrappedKeyLenRange);
                let wrong = decapsulate(&private, params, &vec![0; out.len()], len);
                assert_eq!(wrong.expect_err("no point").rv, Rv::WrappedKeyInvalid);
            }
            assert!(encapsulate(&public, &pointed, None).is_err());
            assert!(decapsulate(&private, &pointed, &[4; 65], None).is_err());
            assert!(encapsulate(&private, &none, None).is_err(), "the wrong half");
        }
    }
}
