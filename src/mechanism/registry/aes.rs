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

pub(super) const ROWS: &[Mechanism] = &[
    row!(CKM_AES_KEY_GEN).keys(&[KeyType::Aes], 16, 32).generates(aes::generate),
    row!(CKM_AES_ECB)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::OptionalIv16)
        .encrypts(|key, params| aes::start(key, params, Mode::Ecb, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Ecb, Decrypt))
        .wraps(|key, params| {
            Ok(block_wrap::wrap(aes::start(key, params, Mode::Ecb, Encrypt)?, aes::BLOCK))
        })
        .unwraps(|key, params, len| {
            Ok(block_wrap::unwrap(aes::start(key, params, Mode::Ecb, Decrypt)?, aes::BLOCK, len))
        })
        .secrets_only(),
    row!(CKM_AES_CBC)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aes::start(key, params, Mode::Cbc, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Cbc, Decrypt))
        .wraps(|key, params| {
            Ok(block_wrap::wrap(aes::start(key, params, Mode::Cbc, Encrypt)?, aes::BLOCK))
        })
        .unwraps(|key, params, len| {
            Ok(block_wrap::unwrap(aes::start(key, params, Mode::Cbc, Decrypt)?, aes::BLOCK, len))
        })
        .secrets_only(),
    row!(CKM_AES_CBC_PAD)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aes::start(key, params, Mode::CbcPad, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::CbcPad, Decrypt))
        .wraps(|key, params| aes::start(key, params, Mode::CbcPad, Encrypt))
        .unwraps(|key, params, _| aes::start(key, params, Mode::CbcPad, Decrypt)),
    row!(CKM_AES_CTS)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aead::cts_message(key, params, Encrypt))
        .decrypts(|key, params| aead::cts_message(key, params, Decrypt))
        .wraps(|key, params| aead::cts_message(key, params, Encrypt))
        .unwraps(|key, params, _| aead::cts_message(key, params, Decrypt)),
    row!(CKM_AES_CTR)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Ctr)
        .encrypts(|key, params| aes::start(key, params, Mode::Ctr, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Ctr, Decrypt)),
    row!(CKM_AES_GCM)
        .keys(&[KeyType::Aes], 16, 32)
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
    row!(CKM_AES_KEY_WRAP)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::OptionalIv)
        .encrypts(|key, params| key_wrap::start(key, params, Kw, Encrypt))
        .decrypts(|key, params| key_wrap::start(key, params, Kw, Decrypt))
        .wraps(|key, params| key_wrap::start(key, params, Kw, Encrypt))
        .unwraps(|key, params, _| key_wrap::start(key, params, Kw, Decrypt)),
    // The old name, which was never defined well; those who have it mean RFC 5649.
    row!(CKM_AES_KEY_WRAP_PAD)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::OptionalIv)
        .encrypts(|key, params| key_wrap::start(key, params, Kwp, Encrypt))
        .decrypts(|key, params| key_wrap::start(key, params, Kwp, Decrypt))
        .wraps(|key, params| key_wrap::start(key, params, Kwp, Encrypt))
        .unwraps(|key, params, _| key_wrap::start(key, params, Kwp, Decrypt)),
    row!(CKM_AES_KEY_WRAP_KWP)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::OptionalIv)
        .encrypts(|key, params| key_wrap::start(key, params, Kwp, Encrypt))
        .decrypts(|key, params| key_wrap::start(key, params, Kwp, Decrypt))
        .wraps(|key, params| key_wrap::start(key, params, Kwp, Encrypt))
        .unwraps(|key, params, _| key_wrap::start(key, params, Kwp, Decrypt)),
    row!(CKM_AES_KEY_WRAP_PKCS7)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::OptionalIv)
        .encrypts(|key, params| key_wrap::start(key, params, Pkcs7, Encrypt))
        .decrypts(|key, params| key_wrap::start(key, params, Pkcs7, Decrypt))
        .wraps(|key, params| key_wrap::start(key, params, Pkcs7, Encrypt))
        .unwraps(|key, params, _| key_wrap::start(key, params, Pkcs7, Decrypt)),
    row!(CKM_AES_OFB)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aes::start(key, params, Mode::Ofb, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Ofb, Decrypt)),
    row!(CKM_AES_CFB128)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aes::start(key, params, Mode::Cfb128, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Cfb128, Decrypt)),
    row!(CKM_AES_CFB8)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aes::start(key, params, Mode::Cfb8, Encrypt))
        .decrypts(|key, params| aes::start(key, params, Mode::Cfb8, Decrypt)),
    row!(CKM_AES_CCM)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Cipher(CipherShape::Ccm))
        .encrypts(|key, params| aead::ccm(key, params, Encrypt))
        .decrypts(|key, params| aead::ccm(key, params, Decrypt))
        .wraps(|key, params| aead::ccm(key, params, Encrypt))
        .unwraps(|key, params, _| aead_wrap::unwrap(key, params, &aead::CCM))
        .envelops(
            Shape::Message,
            |key, params, data| aead_wrap::envelop(key, params, data, &aead::CCM),
            |key, params, data| aead_wrap::open(key, params, data, &aead::CCM),
        )
        .messages(aead::ccm_message),
    row!(CKM_AES_XTS)
        .keys(&[KeyType::AesXts], 64, 64)
        .takes(Shape::Iv16)
        .encrypts(|key, params| aead::xts_unit(key, params, Encrypt))
        .decrypts(|key, params| aead::xts_unit(key, params, Decrypt)),
    row!(CKM_AES_XTS_KEY_GEN).keys(&[KeyType::AesXts], 64, 64).generates(aead::generate_xts),
    row!(CKM_AES_CMAC)
        .keys(&[KeyType::Aes], 16, 32)
        .signs(|key, params| Ok(Box::new(mac::aes_cmac(key, params, Length::Full)?)))
        .verifies(|key, params| Ok(Box::new(mac::aes_cmac(key, params, Length::Full)?))),
    row!(CKM_AES_CMAC_GENERAL)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::MacLength)
        .signs(|key, params| Ok(Box::new(mac::aes_cmac(key, params, Length::Chosen)?)))
        .verifies(|key, params| Ok(Box::new(mac::aes_cmac(key, params, Length::Chosen)?))),
    row!(CKM_AES_GMAC)
        .keys(&[KeyType::Aes], 16, 32)
        .takes(Shape::Gcm)
        .signs(|key, params| Ok(Box::new(mac::gmac(key, params)?)))
        .verifies(|key, params| Ok(Box::new(mac::gmac(key, params)?))),
];
