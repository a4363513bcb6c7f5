//! AES: making keys and the modes of operation. PKCS#11 3.2, "AES" and its sections.

use super::row;
use crate::cryptoki;
use crate::engine::aws_lc::cipher::Direction::{Decrypt, Encrypt};
use crate::engine::aws_lc::cipher::Mode;
use crate::mechanism::cipher_params::CipherShape;
use crate::mechanism::key_wrap::Scheme::{Kw, Kwp, Pkcs7};
use crate::mechanism::mac::Length;
use crate::mechanism::params::Shape;
use crate::mechanism::{Mechanism, aead, aead_wrap, aes, block_wrap, gcm, key_wrap, mac};
use crate::object::class::KeyType;

const fn aes(row: Mechanism) -> Mechanism {
    row.keys(&[KeyType::Aes], 16, 32)
}

/// A row that encrypts and decrypts, by what starts either way.
macro_rules! both_ways {
    ($name:ident, $shape:expr, $start:path $(, $more:expr)*) => {
        aes(row!($name))
            .takes($shape)
            .encrypts(|key, params| $start(key, params, $($more,)* Encrypt))
            .decrypts(|key, params| $start(key, params, $($more,)* Decrypt))
    };
}

/// One that does the same with keys.
macro_rules! keys_too {
    ($name:ident, $shape:expr, $start:path $(, $more:expr)*) => {
        both_ways!($name, $shape, $start $(, $more)*)
            .wraps(|key, params| $start(key, params, $($more,)* Encrypt))
            .unwraps(|key, params, _| $start(key, params, $($more,)* Decrypt))
    };
}

/// One that wraps keys in whole blocks.
macro_rules! in_blocks {
    ($name:ident, $shape:expr, $mode:expr) => {
        both_ways!($name, $shape, aes::start, $mode)
            .wraps(|key, params| {
                Ok(block_wrap::wrap(aes::start(key, params, $mode, Encrypt)?, aes::BLOCK))
            })
            .unwraps(|key, params, len| {
                Ok(block_wrap::unwrap(aes::start(key, params, $mode, Decrypt)?, aes::BLOCK, len))
            })
            .secrets_only()
    };
}

/// A row of CMAC.
macro_rules! cmac {
    ($name:ident, $length:expr) => {
        aes(row!($name))
            .signs(|key, params| Ok(Box::new(mac::aes_cmac(key, params, $length)?)))
            .verifies(|key, params| Ok(Box::new(mac::aes_cmac(key, params, $length)?)))
    };
}

/// A row of XCBC-MAC, which gives so many bytes.
macro_rules! xcbc {
    ($name:ident, $len:expr) => {
        row!($name)
            .keys(&[KeyType::Aes], 16, 16)
            .signs(|key, params| Ok(Box::new(mac::aes_xcbc(key, params, $len)?)))
            .verifies(|key, params| Ok(Box::new(mac::aes_xcbc(key, params, $len)?)))
    };
}

pub(super) const ROWS: &[Mechanism] = &[
    aes(row!(CKM_AES_KEY_GEN)).generates(aes::generate),
    in_blocks!(CKM_AES_ECB, Shape::OptionalIv16, Mode::Ecb),
    in_blocks!(CKM_AES_CBC, Shape::Iv16, Mode::Cbc),
    keys_too!(CKM_AES_CBC_PAD, Shape::Iv16, aes::start, Mode::CbcPad),
    keys_too!(CKM_AES_CTS, Shape::Iv16, aead::cts_message),
    both_ways!(CKM_AES_CTR, Shape::Ctr, aes::start, Mode::Ctr),
    aes(row!(CKM_AES_GCM))
        .takes(Shape::Gcm)
        .encrypts(gcm::encrypt)
        .decrypts(gcm::decrypt)
        .wraps(gcm::encrypt)
        .unwraps(|key, params, _| aead_wrap::unwrap(key, params, &gcm::AEAD))
        .envelops(
            Shape::Message,
            |key, params, data| aead_wrap::envelop(key, params, data, &gcm::AEAD),
            |key, params, data| aead_wrap::open(key, params, data, &gcm::AEAD),
        )
        .messages(gcm::message),
    keys_too!(CKM_AES_KEY_WRAP, Shape::OptionalIv, key_wrap::start, Kw).keeps_apart(),
    // The old name, which was never defined well; those who have it mean RFC 5649.
    keys_too!(CKM_AES_KEY_WRAP_PAD, Shape::OptionalIv, key_wrap::start, Kwp).keeps_apart(),
    keys_too!(CKM_AES_KEY_WRAP_KWP, Shape::OptionalIv, key_wrap::start, Kwp).keeps_apart(),
    keys_too!(CKM_AES_KEY_WRAP_PKCS7, Shape::OptionalIv, key_wrap::start, Pkcs7).keeps_apart(),
    both_ways!(CKM_AES_OFB, Shape::Iv16, aes::start, Mode::Ofb),
    both_ways!(CKM_AES_CFB128, Shape::Iv16, aes::start, Mode::Cfb128),
    both_ways!(CKM_AES_CFB8, Shape::Iv16, aes::start, Mode::Cfb8),
    both_ways!(CKM_AES_CFB1, Shape::Iv16, aes::start, Mode::Cfb1),
    both_ways!(CKM_AES_CCM, Shape::Cipher(CipherShape::Ccm), aead::ccm)
        .wraps(|key, params| aead::ccm(key, params, Encrypt))
        .unwraps(|key, params, _| aead_wrap::unwrap(key, params, &aead::CCM))
        .envelops(
            Shape::Message,
            |key, params, data| aead_wrap::envelop(key, params, data, &aead::CCM),
            |key, params, data| aead_wrap::open(key, params, data, &aead::CCM),
        )
        .messages(aead::ccm_message),
    keys_too!(CKM_AES_XTS, Shape::Iv16, aead::xts_unit)
        .keys(&[KeyType::AesXts], 64, 64)
        .secrets_only(),
    row!(CKM_AES_XTS_KEY_GEN).keys(&[KeyType::AesXts], 64, 64).generates(aead::generate_xts),
    cmac!(CKM_AES_CMAC, Length::Full),
    cmac!(CKM_AES_CMAC_GENERAL, Length::Chosen).takes(Shape::MacLength),
    xcbc!(CKM_AES_XCBC_MAC, 16),
    xcbc!(CKM_AES_XCBC_MAC_96, 12),
    aes(row!(CKM_AES_GMAC))
        .takes(Shape::Gcm)
        .signs(|key, params| Ok(Box::new(mac::gmac(key, params)?)))
        .verifies(|key, params| Ok(Box::new(mac::gmac(key, params)?))),
];
