//! DES, triple DES, MD5 and CBC-MAC: what is outlived. PKCS#11 3.2, "Double and Triple-length DES"
//! and its CMAC, "Key derivation by data encryption", "AES-MAC"; PKCS#11 historical mechanisms,
//! "DES", "MD5".

use super::row;
use crate::cryptoki;
use crate::engine::aws_lc::cipher::Direction::{Decrypt, Encrypt};
use crate::engine::aws_lc::cipher::Mode;
use crate::engine::hash::Digest;
use crate::mechanism::cipher_params::CipherShape;
use crate::mechanism::kdf_params::KdfShape;
use crate::mechanism::mac::Length::{Chosen, Full};
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, des, digest, encrypted_data, generic, hmac};
use crate::object::class::KeyType;

/// The three modes of a cipher with keys of these types.
macro_rules! modes {
    ($ecb:ident, $cbc:ident, $pad:ident, $types:expr, $min:literal, $max:literal) => {
        [
            row!($ecb)
                .keys($types, $min, $max)
                .takes(Shape::Cipher(CipherShape::OptionalIv8))
                .encrypts(|key, params| des::start(key, params, $types, (Mode::Ecb, Encrypt)))
                .decrypts(|key, params| des::start(key, params, $types, (Mode::Ecb, Decrypt)))
                .legacy(),
            row!($cbc)
                .keys($types, $min, $max)
                .takes(Shape::Cipher(CipherShape::Iv8))
                .encrypts(|key, params| des::start(key, params, $types, (Mode::Cbc, Encrypt)))
                .decrypts(|key, params| des::start(key, params, $types, (Mode::Cbc, Decrypt)))
                .legacy(),
            row!($pad)
                .keys($types, $min, $max)
                .takes(Shape::Cipher(CipherShape::Iv8))
                .encrypts(|key, params| des::start(key, params, $types, (Mode::CbcPad, Encrypt)))
                .decrypts(|key, params| des::start(key, params, $types, (Mode::CbcPad, Decrypt)))
                .legacy(),
        ]
    };
}

const SINGLE: [Mechanism; 3] = modes!(CKM_DES_ECB, CKM_DES_CBC, CKM_DES_CBC_PAD, des::SINGLE, 8, 8);
const TRIPLE: [Mechanism; 3] =
    modes!(CKM_DES3_ECB, CKM_DES3_CBC, CKM_DES3_CBC_PAD, des::TRIPLE, 16, 24);

/// The MAC of a cipher, of half a block or of a chosen length.
macro_rules! cbc_mac {
    ($row:expr, $types:expr, $length:expr) => {
        $row.signs(|key, params| Ok(Box::new(des::cbc_mac(key, params, $types, $length)?)))
            .verifies(|key, params| Ok(Box::new(des::cbc_mac(key, params, $types, $length)?)))
            .legacy()
    };
}

/// A derivation by encrypting data.
macro_rules! encrypts_data {
    ($name:ident, $shape:ident, $mode:expr, $types:expr, $min:literal, $max:literal) => {
        row!($name)
            .keys($types, $min, $max)
            .usually(KeyType::GenericSecret)
            .takes(Shape::Kdf(KdfShape::$shape))
            .derives(|derivation| encrypted_data::derive_des(derivation, $types, $mode))
            .legacy()
    };
}

const fn md5_hmac(row: Mechanism) -> Mechanism {
    row.keys(&[KeyType::GenericSecret, KeyType::Md5Hmac], 1, generic::LONGEST as u64).legacy()
}

const fn aes_mac(row: Mechanism) -> Mechanism {
    row.keys(&[KeyType::Aes], 16, 32).legacy()
}

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_DES_KEY_GEN)
        .keys(&[KeyType::Des], 8, 8)
        .generates(|asked, params| des::generate(asked, params, KeyType::Des))
        .legacy(),
    row!(CKM_DES2_KEY_GEN)
        .keys(&[KeyType::Des2], 16, 16)
        .generates(|asked, params| des::generate(asked, params, KeyType::Des2))
        .legacy(),
    row!(CKM_DES3_KEY_GEN)
        .keys(&[KeyType::Des3], 24, 24)
        .generates(|asked, params| des::generate(asked, params, KeyType::Des3))
        .legacy(),
    SINGLE[0],
    SINGLE[1],
    SINGLE[2],
    TRIPLE[0],
    TRIPLE[1],
    TRIPLE[2],
    cbc_mac!(row!(CKM_DES_MAC).keys(des::SINGLE, 8, 8), des::SINGLE, Full),
    cbc_mac!(
        row!(CKM_DES_MAC_GENERAL).keys(des::SINGLE, 8, 8).takes(Shape::MacLength),
        des::SINGLE,
        Chosen
    ),
    cbc_mac!(row!(CKM_DES3_MAC).keys(des::TRIPLE, 16, 24), des::TRIPLE, Full),
    cbc_mac!(
        row!(CKM_DES3_MAC_GENERAL).keys(des::TRIPLE, 16, 24).takes(Shape::MacLength),
        des::TRIPLE,
        Chosen
    ),
    row!(CKM_DES3_CMAC)
        .keys(des::TRIPLE, 16, 24)
        .signs(|key, params| Ok(Box::new(des::cmac(key, params, Full)?)))
        .verifies(|key, params| Ok(Box::new(des::cmac(key, params, Full)?)))
        .legacy(),
    row!(CKM_DES3_CMAC_GENERAL)
        .keys(des::TRIPLE, 16, 24)
        .takes(Shape::MacLength)
        .signs(|key, params| Ok(Box::new(des::cmac(key, params, Chosen)?)))
        .verifies(|key, params| Ok(Box::new(des::cmac(key, params, Chosen)?)))
        .legacy(),
    aes_mac(row!(CKM_AES_MAC))
        .signs(|key, params| Ok(Box::new(des::aes_cbc_mac(key, params, Full)?)))
        .verifies(|key, params| Ok(Box::new(des::aes_cbc_mac(key, params, Full)?))),
    aes_mac(row!(CKM_AES_MAC_GENERAL))
        .takes(Shape::MacLength)
        .signs(|key, params| Ok(Box::new(des::aes_cbc_mac(key, params, Chosen)?)))
        .verifies(|key, params| Ok(Box::new(des::aes_cbc_mac(key, params, Chosen)?))),
    encrypts_data!(CKM_DES_ECB_ENCRYPT_DATA, Data, Mode::Ecb, des::SINGLE, 8, 8),
    encrypts_data!(CKM_DES_CBC_ENCRYPT_DATA, DesCbcData, Mode::Cbc, des::SINGLE, 8, 8),
    encrypts_data!(CKM_DES3_ECB_ENCRYPT_DATA, Data, Mode::Ecb, des::TRIPLE, 16, 24),
    encrypts_data!(CKM_DES3_CBC_ENCRYPT_DATA, DesCbcData, Mode::Cbc, des::TRIPLE, 16, 24),
    row!(CKM_MD5).digests(|params| digest::start(params, Digest::Md5)).legacy(),
    md5_hmac(row!(CKM_MD5_HMAC))
        .signs(|key, params| hmac::sign(key, params, Digest::Md5, Full))
        .verifies(|key, params| hmac::verify(key, params, Digest::Md5, Full)),
    md5_hmac(row!(CKM_MD5_HMAC_GENERAL))
        .takes(Shape::MacLength)
        .signs(|key, params| hmac::sign(key, params, Digest::Md5, Chosen))
        .verifies(|key, params| hmac::verify(key, params, Digest::Md5, Chosen)),
    row!(CKM_MD5_KEY_DERIVATION)
        .keys(super::derivation::SECRETS, 1, generic::LONGEST as u64)
        .usually(KeyType::GenericSecret)
        .derives(|derivation| digest::derive(derivation, Digest::Md5))
        .legacy(),
];
