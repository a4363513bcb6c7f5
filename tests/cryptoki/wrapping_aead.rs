//! Wrapping with AES-CCM, ChaCha20-Poly1305, AES-CTS and RSA without padding. PKCS#11 3.2, "AES-CCM
//! Authenticated Encryption / Decryption", "AES CBC with CipherText Stealing CTS", "X.509 (raw)
//! RSA", C_WrapKeyAuthenticated.

use cryptoki_sys as ck;

use crate::support::known;
use crate::support::operations::{plain, with_bytes, with_struct};
use crate::support::template::len;
use crate::support::{Refused, isolated, template};
use crate::wrapping::{asked, open, open_secret, wrapping_key};

fn ccm(nonce: &mut [u8], tag: &mut [u8], generator: ck::CK_ULONG) -> ck::CK_CCM_MESSAGE_PARAMS {
    ck::CK_CCM_MESSAGE_PARAMS {
        ulDataLen: 0,
        pNonce: nonce.as_mut_ptr(),
        ulNonceLen: len(nonce.len()),
        ulNonceFixedBits: 0,
        nonceGenerator: generator,
        pMAC: tag.as_mut_ptr(),
        ulMACLen: len(tag.len()),
    }
}

fn chacha(nonce: &mut [u8], tag: &mut [u8]) -> ck::CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS {
    ck::CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS {
        pNonce: nonce.as_mut_ptr(),
        ulNonceLen: len(nonce.len() * 8),
        pTag: tag.as_mut_ptr(),
    }
}

#[test]
fn a_key_comes_back_through_ccm_with_the_same_data_only() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 32]);
        for (template, class, key_type) in [
            (open_secret(ck::CKK_AES, &[3; 24]), ck::CKO_SECRET_KEY, ck::CKK_AES),
            (open(known::p256_private()), ck::CKO_PRIVATE_KEY, ck::CKK_EC),
        ] {
            let key = session.create(&template).unwrap();
            let asked = asked(class, key_type);
            for generator in [ck::CKG_NO_GENERATE, ck::CKG_GENERATE_RANDOM] {
                let (mut nonce, mut tag) = ([5; 12], [0; 16]);
                let parameter = ccm(&mut nonce, &mut tag, generator);
                let how = with_struct(ck::CKM_AES_CCM, &parameter);
                let wrapped = session.wrap_authenticated(&how, (by, key), b"the data").unwrap();
                assert_eq!(nonce == [5; 12], generator == ck::CKG_NO_GENERATE);
                let back = session.unwrap_authenticated(&how, by, (&wrapped, b"the data"), &asked);
                let back = back.unwrap();
                assert_eq!(session.get(back, ck::CKA_VALUE), session.get(key, ck::CKA_VALUE));
                let other = session.unwrap_authenticated(&how, by, (&wrapped, b"data"), &asked);
                other.refused(ck::CKR_WRAPPED_KEY_INVALID);
            }
        }
    });
}

/// C_WrapKey takes the parameter of an encryption, and one of its own.
#[test]
fn ccm_wraps_what_it_encrypts() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 16]);
        let key = session.create(&open_secret(ck::CKK_AES, &[3; 32])).unwrap();
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        let (mut nonce, aad) = ([5; 12], *b"the data");
        let plain = ck::CK_CCM_PARAMS {
            ulDataLen: 32,
            pNonce: nonce.as_mut_ptr(),
            ulNonceLen: 12,
            pAAD: aad.as_ptr().cast_mut(),
            ulAADLen: 8,
            ulMACLen: 16,
        };
        let how = with_struct(ck::CKM_AES_CCM, &plain);
        let sealed = session.encrypt(&how, by, &[3; 32]).unwrap();
        assert_eq!(session.wrap(&how, by, key).unwrap(), sealed);
        let back = session.unwrap_key(&how, by, &sealed, &asked).unwrap();
        session.has(back, ck::CKA_VALUE, &[3; 32]);
        let mut own = ck::CK_CCM_WRAP_PARAMS {
            ulDataLen: 0,
            pNonce: nonce.as_mut_ptr(),
            ulNonceLen: 12,
            ulNonceFixedBits: 0,
            nonceGenerator: ck::CKG_NO_GENERATE,
            pAAD: aad.as_ptr().cast_mut(),
            ulAADLen: 8,
            ulMACLen: 16,
        };
        let how = with_struct(ck::CKM_AES_CCM, &own);
        assert_eq!(session.wrap(&how, by, key).unwrap(), sealed);
        let back = session.unwrap_key(&how, by, &sealed, &asked).unwrap();
        session.has(back, ck::CKA_VALUE, &[3; 32]);
        own.nonceGenerator = ck::CKG_GENERATE_RANDOM;
        let how = with_struct(ck::CKM_AES_CCM, &own);
        let wrapped = session.wrap(&how, by, key).unwrap();
        assert_ne!(nonce, [5; 12], "the token made one");
        let back = session.unwrap_key(&how, by, &wrapped, &asked).unwrap();
        session.has(back, ck::CKA_VALUE, &[3; 32]);
        let mut changed = wrapped.clone();
        changed[40] ^= 1;
        session.unwrap_key(&how, by, &changed, &asked).refused(ck::CKR_WRAPPED_KEY_INVALID);
        session.unwrap_key(&how, by, &[1; 15], &asked).refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
    });
}

#[test]
fn a_key_comes_back_through_chacha20_poly1305() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let uses = template! { CKA_WRAP => true, CKA_UNWRAP => true };
        let by = session.create(&known::secret(ck::CKK_CHACHA20, &[7; 32]).with(uses)).unwrap();
        let key = session.create(&open(known::rsa_private())).unwrap();
        let asked = asked(ck::CKO_PRIVATE_KEY, ck::CKK_RSA);
        for nonce in [&mut [5; 12][..], &mut [5; 24]] {
            let mut tag = [0; 16];
            let parameter = chacha(nonce, &mut tag);
            let how = with_struct(ck::CKM_CHACHA20_POLY1305, &parameter);
            let wrapped = session.wrap_authenticated(&how, (by, key), b"the data").unwrap();
            assert_ne!(tag, [0; 16]);
            let back = session.unwrap_authenticated(&how, by, (&wrapped, b"the data"), &asked);
            let back = back.unwrap();
            assert_eq!(session.get(back, ck::CKA_PRIME_1), session.get(key, ck::CKA_PRIME_1));
            let other = session.unwrap_authenticated(&how, by, (&wrapped, b"Data"), &asked);
            other.refused(ck::CKR_WRAPPED_KEY_INVALID);
        }
    });
}

#[test]
fn cts_wraps_keys_of_a_block_or_more() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 24]);
        let how = with_bytes(ck::CKM_AES_CTS, &[5; 16]);
        for length in [16_usize, 17, 31, 32, 100] {
            let value: Vec<u8> = (1..).take(length).collect();
            let key = session.create(&open_secret(ck::CKK_GENERIC_SECRET, &value)).unwrap();
            let wrapped = session.wrap(&how, by, key).unwrap();
            assert_eq!(wrapped.len(), length);
            assert_eq!(session.encrypt(&how, by, &value).unwrap(), wrapped);
            let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_GENERIC_SECRET);
            let back = session.unwrap_key(&how, by, &wrapped, &asked).unwrap();
            session.has(back, ck::CKA_VALUE, &value);
        }
        let short = session.create(&open_secret(ck::CKK_GENERIC_SECRET, &[1; 15])).unwrap();
        session.wrap(&how, by, short).refused(ck::CKR_KEY_SIZE_RANGE);
        session.encrypt(&how, by, &[1; 15]).refused(ck::CKR_DATA_LEN_RANGE);
        session.decrypt(&how, by, &[1; 15]).refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        for wrong in [&[][..], &[5; 15], &[5; 17]] {
            let how = with_bytes(ck::CKM_AES_CTS, wrong);
            session.encrypt(&how, by, &[1; 32]).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
    });
}

#[test]
fn rsa_without_padding_wraps_secrets_and_gives_their_last_bytes() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let public = session.create(&known::rsa_public()).unwrap();
        let private = session.create(&known::rsa_private()).unwrap();
        let how = plain(ck::CKM_RSA_X_509);
        for (key_type, value) in [(ck::CKK_AES, &[9; 32][..]), (ck::CKK_GENERIC_SECRET, &[8; 100])]
        {
            let key = session.create(&open_secret(key_type, value)).unwrap();
            let wrapped = session.wrap(&how, public, key).unwrap();
            assert_eq!(session.encrypt(&how, public, value).unwrap(), wrapped);
            let asked = asked(ck::CKO_SECRET_KEY, key_type);
            let long = asked.clone().and(ck::CKA_VALUE_LEN, len(value.len()));
            let back = session.unwrap_key(&how, private, &wrapped, &long).unwrap();
            session.has(back, ck::CKA_VALUE, value);
            // Nothing says how long the key is.
            let back = session.unwrap_key(&how, private, &wrapped, &asked);
            back.refused(ck::CKR_TEMPLATE_INCOMPLETE);
            let back = session.unwrap_key(&how, private, &wrapped[1..], &long);
            back.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
            let back = session.unwrap_key(&how, private, &[0xff; 256], &long);
            back.refused(ck::CKR_WRAPPED_KEY_INVALID);
        }
        // Piece by piece the whole number could be guessed.
        let key = session.create(&open_secret(ck::CKK_GENERIC_SECRET, &[8; 100])).unwrap();
        let wrapped = session.wrap(&how, public, key).unwrap();
        for length in [1, 13, 257, u64::MAX] {
            let asked =
                asked(ck::CKO_SECRET_KEY, ck::CKK_GENERIC_SECRET).and(ck::CKA_VALUE_LEN, length);
            let back = session.unwrap_key(&how, private, &wrapped, &asked);
            back.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
        }
        let private_key = session.create(&open(known::ed25519_private())).unwrap();
        session.wrap(&how, public, private_key).refused(ck::CKR_KEY_NOT_WRAPPABLE);
        let long = session.create(&open_secret(ck::CKK_GENERIC_SECRET, &[1; 300])).unwrap();
        session.wrap(&how, public, long).refused(ck::CKR_KEY_SIZE_RANGE);
    });
}
