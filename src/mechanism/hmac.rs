//! HMAC over SHA-1 and SHA-2, at full and at chosen length.
//!
//! Keys are generic secrets or typed for the one hash function. PKCS#11 3.2, "Hash-Based Message
//! Authentication Codes (HMAC)".

use super::operation::{Signing, Verifying, room};
use super::params::{MechanismParams, invalid};
use super::{Key, generic, secret_value};
use crate::engine::hash::{Digest, Mac, constant_time_eq};
use crate::error::{Result, Rv};
use crate::object::class::KeyType;

/// Which of the two mechanisms of a hash function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Length {
    /// As long as the digest.
    Full,
    /// As the parameter says.
    Chosen,
}

/// The type of key that is for the HMAC of one hash function only.
const fn own_key_type(digest: Digest) -> KeyType {
    match digest {
        Digest::Sha1 => KeyType::Sha1Hmac,
        Digest::Sha224 => KeyType::Sha224Hmac,
        Digest::Sha256 => KeyType::Sha256Hmac,
        Digest::Sha384 => KeyType::Sha384Hmac,
        Digest::Sha512 => KeyType::Sha512Hmac,
    }
}

struct Hmac {
    mac: Mac,
    len: usize,
}

fn start(key: &Key, params: &MechanismParams, digest: Digest, length: Length) -> Result<Hmac> {
    let value = secret_value(key, &[KeyType::GenericSecret, own_key_type(digest)])?;
    let len = match (length, params) {
        (Length::Full, MechanismParams::None) => digest.len(),
        (Length::Chosen, MechanismParams::MacLength(len)) => usize::try_from(*len)
            .ok()
            .filter(|len| (1..=digest.len()).contains(len))
            .ok_or_else(|| invalid("length of a MAC"))?,
        (Length::Full, _) => return Err(invalid("this MAC takes no parameter")),
        (Length::Chosen, _) => return Err(invalid("this MAC takes its length as parameter")),
    };
    if !(1..=generic::LONGEST).contains(&value.len()) {
        return Err(Rv::KeySizeRange.because("an empty key, or one that is no key"));
    }
    Ok(Hmac { mac: value.expose(|value| Mac::new(digest, value))?, len })
}

/// Starts a MAC.
pub(super) fn sign(
    key: &Key,
    params: &MechanismParams,
    digest: Digest,
    length: Length,
) -> Result<Box<dyn Signing>> {
    Ok(Box::new(start(key, params, digest, length)?))
}

/// Starts the check of a MAC.
pub(super) fn verify(
    key: &Key,
    params: &MechanismParams,
    digest: Digest,
    length: Length,
) -> Result<Box<dyn Verifying>> {
    Ok(Box::new(start(key, params, digest, length)?))
}

impl Signing for Hmac {
    fn len(&self) -> usize {
        self.len
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.mac.update(part);
        Ok(())
    }

    fn finish(&mut self, out: &mut [u8]) -> Result<usize> {
        let mut computed = [0; Digest::MAX_LEN];
        self.mac.finish(&mut computed)?;
        room(out, self.len)?.copy_from_slice(room(&mut computed, self.len)?);
        Ok(self.len)
    }
}

impl Verifying for Hmac {
    fn check_len(&self, signature: usize) -> Result<()> {
        if signature == self.len {
            Ok(())
        } else {
            Err(Rv::SignatureLenRange.because("length of a MAC"))
        }
    }

    fn update(&mut self, part: &[u8]) -> Result<()> {
        self.mac.update(part);
        Ok(())
    }

    fn finish(&mut self, signature: &[u8]) -> Result<()> {
        self.check_len(signature.len())?;
        let mut computed = [0; Digest::MAX_LEN];
        self.mac.finish(&mut computed)?;
        if constant_time_eq(room(&mut computed, self.len)?, signature) {
            Ok(())
        } else {
            Err(Rv::SignatureInvalid.because("wrong MAC"))
        }
    }
}
