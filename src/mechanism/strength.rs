//! How strong a mechanism is, as far as a policy asks: the family that its key sizes belong to,
//! and the hash of a signature, which the standard's names tell. PKCS#11 3.2, "Mechanisms".

use super::Mechanism;
use super::params::{MechanismParams, Shape};
use crate::object::class::KeyType;

/// Keys whose sizes mean the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    /// Bits of the modulus.
    Rsa,
    /// Bits of the curve.
    Ec,
    /// A secret of an AES key.
    Aes,
    /// A secret of no other use than to be hashed.
    Hmac,
}

impl Family {
    /// The family of a type of key, if its size says how strong it is.
    pub(crate) const fn of(key_type: KeyType) -> Option<Self> {
        match key_type {
            KeyType::Rsa => Some(Self::Rsa),
            KeyType::Ec | KeyType::EcEdwards | KeyType::EcMontgomery => Some(Self::Ec),
            KeyType::Dh | KeyType::Dsa => None,
            KeyType::Aes => Some(Self::Aes),
            KeyType::MlDsa
            | KeyType::MlKem
            | KeyType::SlhDsa
            | KeyType::CompSig
            | KeyType::CompKem => None,
            KeyType::GenericSecret
            | KeyType::Sha1Hmac
            | KeyType::Sha224Hmac
            | KeyType::Sha256Hmac
            | KeyType::Sha384Hmac
            | KeyType::Sha512Hmac
            | KeyType::Sha512_224Hmac
            | KeyType::Sha512_256Hmac
            | KeyType::Sha512THmac
            | KeyType::Sha3_224Hmac
            | KeyType::Sha3_256Hmac
            | KeyType::Sha3_384Hmac
            | KeyType::Sha3_512Hmac
            | KeyType::Blake2b160Hmac
            | KeyType::Blake2b256Hmac
            | KeyType::Blake2b384Hmac
            | KeyType::Blake2b512Hmac
            | KeyType::Md5Hmac
            | KeyType::Hkdf
            | KeyType::Hotp => Some(Self::Hmac),
            KeyType::AesXts | KeyType::ChaCha20 | KeyType::Poly1305 => None,
            KeyType::Des | KeyType::Des2 | KeyType::Des3 => None,
        }
    }
}

impl Mechanism {
    /// The family that all its keys belong to, if they are of one.
    pub(crate) fn family(&self) -> Option<Family> {
        let first = Family::of(*self.key_types.first()?)?;
        self.key_types.iter().all(|it| Family::of(*it) == Some(first)).then_some(first)
    }

    /// Whether the standard counts its keys in bytes: secrets, except where generic ones of any
    /// length are made.
    pub(crate) fn counts_bytes(&self) -> bool {
        match self.key_types.first() {
            Some(KeyType::GenericSecret) => self.generate.is_none() || self.shape == Shape::Version,
            Some(KeyType::Aes | KeyType::AesXts | KeyType::Poly1305) => true,
            Some(KeyType::Des | KeyType::Des2 | KeyType::Des3) => true,
            Some(KeyType::ChaCha20) => self.generate.is_some(),
            Some(other) => Family::of(*other) == Some(Family::Hmac),
            None => false,
        }
    }

    /// Bits of the hash of a signature, if its name tells one. The hash of a MAC is not asked
    /// for: HMAC does not need it to be free of collisions.
    pub(crate) fn signature_hash_bits(&self) -> Option<u32> {
        let is_signature = [self.sign.is_some(), self.verify.is_some()].contains(&true)
            && self.key_types.iter().any(|key_type| key_type.is_asymmetric());
        if is_signature { hash_bits(self.name) } else { None }
    }
}

impl MechanismParams {
    /// Bits of the hash of a signature that the parameter names.
    pub(crate) fn signature_hash_bits(&self) -> Option<u32> {
        match self {
            Self::Pss { hash, .. } => super::find(*hash).and_then(|row| hash_bits(row.name)),
            _ => None,
        }
    }
}

/// Bits of the hash function that a name of the standard's names: `CKM_SHA256_RSA_PKCS`,
/// `CKM_ECDSA_SHA1`, `CKM_SHA_1`, `CKM_SHA512_224`, `CKM_HASH_ML_DSA_SHA3_256`. The last one
/// counts, since `CKM_SHA512_256` is no SHA-512.
fn hash_bits(name: &str) -> Option<u32> {
    let mut found = None;
    let mut words = name.split('_').peekable();
    while let Some(word) = words.next() {
        let shorter = words.peek().and_then(|next| next.parse::<u32>().ok());
        let bits = match word {
            "MD2" | "MD5" => Some(128),
            "SHA1" | "RIPEMD160" => Some(160),
            "RIPEMD128" => Some(128),
            "SHA" if shorter == Some(1) => Some(160),
            "SHA3" => shorter,
            // A hash of 256 bits has the strength of one.
            "SHAKE128" => Some(256),
            "SHAKE256" => Some(512),
            "SHA224" | "SHA256" | "SHA384" | "SHA512" => {
                shorter.filter(|bits| *bits >= 224).or_else(|| word.get(3..)?.parse().ok())
            }
            _ => None,
        };
        found = bits.or(found);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::registry::REGISTRY;
    use super::{Family, hash_bits};

    #[test]
    fn names_tell_their_hash() {
        for (name, bits) in [
            ("CKM_SHA_1", Some(160)),
            ("CKM_SHA1_RSA_PKCS", Some(160)),
            ("CKM_ECDSA_SHA1", Some(160)),
            ("CKM_MD5_RSA_PKCS", Some(128)),
            ("CKM_SHA256_RSA_PKCS_PSS", Some(256)),
            ("CKM_SHA512_224", Some(224)),
            ("CKM_SHA512_256", Some(256)),
            ("CKM_SHA3_224_RSA_PKCS", Some(224)),
            ("CKM_HASH_ML_DSA_SHA3_512", Some(512)),
            ("CKM_HASH_SLH_DSA_SHAKE128", Some(256)),
            ("CKM_RSA_PKCS", None),
            ("CKM_ECDSA", None),
            ("CKM_EDDSA", None),
        ] {
            assert_eq!(hash_bits(name), bits, "{name}");
        }
    }

    #[test]
    fn signatures_with_a_hash_in_their_name_are_found_and_macs_are_not() {
        let bits = |name: &str| {
            let row = REGISTRY.iter().find(|row| row.name == name).unwrap();
            row.signature_hash_bits()
        };
        assert_eq!(bits("CKM_SHA224_RSA_PKCS"), Some(224));
        assert_eq!(bits("CKM_ECDSA_SHA384"), Some(384));
        assert_eq!(bits("CKM_SHA_1_HMAC"), None);
        assert_eq!(bits("CKM_SHA_1"), None);
        assert_eq!(bits("CKM_ECDSA"), None);
    }

    #[test]
    fn sizes_are_counted_as_the_standard_counts_them() {
        let row = |name: &str| REGISTRY.iter().find(|row| row.name == name).unwrap();
        for (name, family, bytes) in [
            ("CKM_RSA_PKCS", Some(Family::Rsa), false),
            ("CKM_ECDSA", Some(Family::Ec), false),
            ("CKM_AES_KEY_GEN", Some(Family::Aes), true),
            ("CKM_GENERIC_SECRET_KEY_GEN", Some(Family::Hmac), false),
            ("CKM_SHA256_HMAC", Some(Family::Hmac), true),
            ("CKM_SHA256", None, false),
        ] {
            assert_eq!((row(name).family(), row(name).counts_bytes()), (family, bytes), "{name}");
        }
    }
}
