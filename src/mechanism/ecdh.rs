//! Diffie-Hellman on the NIST curves: the raw secret, or the key derivation of ANSI X9.63.
//!
//! PKCS#11 3.2, "Elliptic Curve Diffie-Hellman key derivation", "CK_ECDH1_DERIVE_PARAMS".

use super::params::{MechanismParams, invalid};
use super::{Key, inconsistent, private_key, registry};
use crate::custody::{DerivePrimitive, KeyKind};
use crate::engine::aws_lc::ec::Curve;
use crate::engine::hash::{Digest, Hasher};
use crate::error::{Error, Result, Rv};
use crate::object::class::KeyType;
use crate::secret::Secret;

/// The longest secret that is derived, in bytes; far beyond every key type.
const LONGEST: usize = 8192;
/// DER's tag; no point here is longer than its lengths of one byte.
const OCTET_STRING: u8 = 0x04;

/// Derives a secret; with a length, its last bytes or that much of the derivation function.
pub(super) fn derive(
    key: &Key,
    params: &MechanismParams,
    len: Option<usize>,
) -> Result<Secret> {
    let private = private_key(key, KeyType::Ec)?;
    let KeyKind::Ec(curve) = private.kind() else { return Err(inconsistent()) };
    let MechanismParams::Ecdh1 { kdf, shared, public } = params else {
        return Err(invalid("key agreement needs its parameters"));
    };
    let kdf = registry::derivation_of(*kdf).ok_or_else(|| invalid("key derivation function"))?;
    if kdf.is_none() && !shared.is_empty() {
        return Err(invalid("shared data without a key derivation function"));
    }
    let point = raw_point(curve, public);
    let agreed = private.derive(DerivePrimitive::Ecdh { point })?;
    match kdf {
        None => last_bytes(agreed, len),
        Some(digest) => expand(&agreed, shared, digest, len),
    }
}

/// The point itself, where a caller gave it inside an octet string as in `CKA_EC_POINT`. A raw
/// point is recognised by its length first, since both begin with the same byte.
fn raw_point(curve: Curve, given: &[u8]) -> &[u8] {
    let field_len = curve.field_len();
    if given.len() == 1 + 2 * field_len || given.len() == 1 + field_len {
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
fn last_bytes(agreed: Secret, len: Option<usize>) -> Result<Secret> {
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

/// ANSI X9.63, section 5.6.3: digests of the secret, a counter from 1, and the shared data.
fn expand(agreed: &Secret, shared: &[u8], digest: Digest, len: Option<usize>) -> Result<Secret> {
    let len = len.ok_or_else(|| Rv::TemplateIncomplete.because("CKA_VALUE_LEN"))?;
    if len > LONGEST {
        return Err(too_long());
    }
    Secret::build(len, |room| {
        for (counter, part) in (1_u32..).zip(room.chunks_mut(digest.len())) {
            let mut hasher = Hasher::new(digest);
            agreed.expose(|agreed| hasher.update(agreed));
            hasher.update(&counter.to_be_bytes());
            hasher.update(shared);
            let mut block = [0; Digest::MAX_LEN];
            hasher.finish(&mut block)?;
            part.iter_mut().zip(block).for_each(|(to, from)| *to = from);
        }
        Ok::<_, Error>(())
    })
}
