//! ChaCha20 and Poly1305, alone and together. PKCS#11 3.2, "ChaCha20", "Poly1305",
//! "ChaCha20/Poly1305 and Salsa20/Poly1305 Authenticated Encryption / Decryption".

use super::row;
use crate::cryptoki;
use crate::engine::aws_lc::cipher::Direction::{Decrypt, Encrypt};
use crate::mechanism::cipher_params::CipherShape;
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, aead, aead_wrap, chacha20, mac};
use crate::object::class::KeyType;

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_CHACHA20_KEY_GEN)
        .keys(&[KeyType::ChaCha20], 32, 32)
        .generates(|asked, params| chacha20::generate(asked, params, KeyType::ChaCha20)),
    row!(CKM_CHACHA20)
        .keys(&[KeyType::ChaCha20], 256, 256)
        .takes(Shape::Cipher(CipherShape::ChaCha20))
        .encrypts(|key, params| chacha20::start(key, params, Encrypt))
        .decrypts(|key, params| chacha20::start(key, params, Decrypt)),
    row!(CKM_CHACHA20_POLY1305)
        .keys(&[KeyType::ChaCha20], 256, 256)
        .takes(Shape::Cipher(CipherShape::ChaCha20Poly1305))
        .encrypts(|key, params| aead::chacha20_poly1305(key, params, Encrypt))
        .decrypts(|key, params| aead::chacha20_poly1305(key, params, Decrypt))
        .envelops(
            Shape::Message,
            |key, params, data| aead_wrap::envelop(key, params, data, &aead::CHACHA20_POLY1305),
            |key, params, data| aead_wrap::open(key, params, data, &aead::CHACHA20_POLY1305),
        )
        .messages(aead::chacha20_poly1305_message),
    row!(CKM_POLY1305_KEY_GEN)
        .keys(&[KeyType::Poly1305], 32, 32)
        .generates(|asked, params| chacha20::generate(asked, params, KeyType::Poly1305)),
    row!(CKM_POLY1305)
        .keys(&[KeyType::Poly1305], 32, 32)
        .signs(|key, params| Ok(Box::new(mac::poly1305(key, params)?)))
        .verifies(|key, params| Ok(Box::new(mac::poly1305(key, params)?))),
];
