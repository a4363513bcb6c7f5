//! RSA: making pairs, encryption, signatures. PKCS#11 3.2, "RSA".

use super::{RSA_BITS, RSA_MODERN, RSA_NEW_BITS, row};
use crate::cryptoki;
#[cfg(feature = "legacy")]
use crate::engine::hash::Digest::{Md5, Sha1};
use crate::engine::hash::Digest::{
    Sha3_224, Sha3_256, Sha3_384, Sha3_512, Sha224, Sha256, Sha384, Sha512,
};
use crate::mechanism::params::Shape;
use crate::mechanism::rsa_signature::Scheme;
use crate::mechanism::{Mechanism, rsa, rsa_kem, rsa_raw, rsa_recovery, rsa_signature, rsa_wrap};
use crate::object::class::KeyType;

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_RSA_PKCS_KEY_PAIR_GEN)
        .keys(&[KeyType::Rsa], *RSA_NEW_BITS.start(), *RSA_NEW_BITS.end())
        .modern_from(RSA_MODERN)
        .generates_pair(rsa::generate_pair),
    row!(CKM_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .one_part()
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, None))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, None))
        .encrypts(|key, params| rsa::encrypt(key, params, rsa::Scheme::Pkcs1))
        .decrypts(|key, params| rsa::decrypt(key, params, rsa::Scheme::Pkcs1))
        .recovers(rsa_recovery::sign, rsa_recovery::verify)
        .wraps(|key, params| rsa::encrypt(key, params, rsa::Scheme::Pkcs1))
        .unwraps(rsa_wrap::unwrap_pkcs1)
        .encapsulates(|key, params, len| rsa_kem::encapsulate(key, params, len, rsa::Scheme::Pkcs1))
        .decapsulates(rsa_kem::decapsulate_pkcs1)
        .keeps_apart()
        .secrets_only(),
    row!(CKM_RSA_PKCS_OAEP)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Oaep)
        .encrypts(|key, params| rsa::encrypt(key, params, rsa::Scheme::Oaep))
        .decrypts(|key, params| rsa::decrypt(key, params, rsa::Scheme::Oaep))
        .wraps(|key, params| rsa::encrypt(key, params, rsa::Scheme::Oaep))
        .unwraps(|key, params, _| rsa::decrypt(key, params, rsa::Scheme::Oaep))
        .encapsulates(|key, params, len| rsa_kem::encapsulate(key, params, len, rsa::Scheme::Oaep))
        .decapsulates(rsa_kem::decapsulate_oaep)
        .keeps_apart()
        .secrets_only(),
    row!(CKM_RSA_AES_KEY_WRAP)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::RsaAes)
        .wraps(rsa_wrap::wrap_aes)
        .unwraps(|key, params, _| rsa_wrap::unwrap_aes(key, params))
        .keeps_apart(),
    row!(CKM_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .one_part()
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, None))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, None)),
    row!(CKM_SHA256_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha256)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha256))),
    row!(CKM_SHA384_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha384)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha384))),
    row!(CKM_SHA512_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha512)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha512))),
    row!(CKM_SHA256_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha256)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha256))),
    row!(CKM_SHA384_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha384)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha384))),
    row!(CKM_SHA512_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha512)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha512))),
    row!(CKM_SHA224_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha224)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha224))),
    row!(CKM_SHA224_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha224)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha224))),
    row!(CKM_RSA_X_509)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .one_part()
        .signs(rsa_raw::sign)
        .verifies(rsa_raw::verify)
        .encrypts(rsa_raw::encrypt)
        .decrypts(rsa_raw::decrypt)
        .recovers(rsa_raw::sign_recover, rsa_raw::verify_recover)
        .wraps(rsa_raw::encrypt)
        .unwraps(rsa_wrap::unwrap_raw)
        .encapsulates(rsa_kem::encapsulate_number)
        .decapsulates(rsa_kem::decapsulate_number)
        .secrets_only(),
    #[cfg(feature = "legacy")]
    row!(CKM_MD5_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Md5)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Md5)))
        .legacy(),
    #[cfg(feature = "legacy")]
    row!(CKM_SHA1_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha1)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha1)))
        .legacy(),
    #[cfg(feature = "legacy")]
    row!(CKM_SHA1_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha1)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha1)))
        .legacy(),
    row!(CKM_SHA3_224_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha3_224)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha3_224))),
    row!(CKM_SHA3_224_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha3_224)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha3_224))),
    row!(CKM_SHA3_256_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha3_256)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha3_256))),
    row!(CKM_SHA3_256_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha3_256)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha3_256))),
    row!(CKM_SHA3_384_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha3_384)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha3_384))),
    row!(CKM_SHA3_384_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha3_384)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha3_384))),
    row!(CKM_SHA3_512_RSA_PKCS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pkcs1, Some(Sha3_512)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pkcs1, Some(Sha3_512))),
    row!(CKM_SHA3_512_RSA_PKCS_PSS)
        .keys(&[KeyType::Rsa], *RSA_BITS.start(), *RSA_BITS.end())
        .takes(Shape::Pss)
        .signs(|key, params| rsa_signature::sign(key, params, Scheme::Pss, Some(Sha3_512)))
        .verifies(|key, params| rsa_signature::verify(key, params, Scheme::Pss, Some(Sha3_512))),
];
