//! AES: making keys and the modes of operation. PKCS#11 3.2, "AES" and its sections.

use super::row;
use crate::cryptoki;
use crate::engine::aws_lc::cipher::Direction::{Decrypt, Encrypt};
use crate::engine::aws_lc::cipher::Mode;
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, aes, gcm};
use crate::object::class::KeyType;

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_AES_KEY_GEN).keys(&[KeyType::Aes], 16, 32).generates(aes::generate),
    row!(CKM_AES_ECB)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::OptionalIv16)
        .encrypts(|key, params| aes::start(key, params, Mode::Ecb, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Ecb, Decrypt)),
    row!(CKM_AES_CBC)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aes::start(key, params, Mode::Cbc, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Cbc, Decrypt)),
    row!(CKM_AES_CBC_PAD)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aes::start(key, params, Mode::CbcPad, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::CbcPad, Decrypt)),
    row!(CKM_AES_CTR)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Ctr)
        .encrypts(|key, params| aes::start(key, params, Mode::Ctr, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Ctr, Decrypt)),
    row!(CKM_AES_GCM)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Gcm)
        .encrypts(gcm::encrypt)
        .decrypts(gcm::decrypt),
];
