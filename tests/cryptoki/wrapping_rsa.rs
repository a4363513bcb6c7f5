//! Wrapping with RSA, alone and with AES, against openssl. PKCS#11 3.2, "PKCS #1 v1.5 RSA",
//! "PKCS #1 RSA OAEP", "RSA AES KEY WRAP".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, hex};
use crate::support::operations::{plain, with_struct};
use crate::support::{Bench, Refused, Session, isolated};
use crate::wrapping::{asked, open, open_secret};

const OAEP: ck::CK_RSA_PKCS_OAEP_PARAMS = ck::CK_RSA_PKCS_OAEP_PARAMS {
    hashAlg: ck::CKM_SHA256,
    mgf: ck::CKG_MGF1_SHA256,
    source: ck::CKZ_DATA_SPECIFIED,
    pSourceData: null_mut(),
    ulSourceDataLen: 0,
};

fn with_aes(oaep: &ck::CK_RSA_PKCS_OAEP_PARAMS, bits: u64) -> ck::CK_RSA_AES_KEY_WRAP_PARAMS {
    ck::CK_RSA_AES_KEY_WRAP_PARAMS {
        ulAESKeyBits: bits,
        pOAEPParams: (&raw const *oaep).cast_mut(),
    }
}

/// The known pair: public, private.
fn pair(session: &Session<'_>) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let public = session.create(&known::rsa_public()).expect("a public key");
    (public, session.create(&known::rsa_private()).expect("a private key"))
}

/// The known private key as a file for openssl, got out with the token's own wrapping.
pub(crate) fn private_file(bench: &Bench, session: &Session<'_>) {
    let by = crate::wrapping::wrapping_key(session, &[7; 16]);
    let key = session.create(&open(known::rsa_private())).expect("a private key");
    let how = plain(ck::CKM_AES_KEY_WRAP_KWP);
    let wrapped = session.wrap(&how, by, key).expect("a wrapped key");
    let pkcs8 = session.decrypt(&how, by, &wrapped).expect("its bytes");
    bench.openssl().file("private.der", &pkcs8);
}

#[test]
fn secret_keys_go_through_rsa_both_ways() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let parameter = with_aes(&OAEP, 256);
        for how in [
            plain(ck::CKM_RSA_PKCS),
            with_struct(ck::CKM_RSA_PKCS_OAEP, &OAEP),
            with_struct(ck::CKM_RSA_AES_KEY_WRAP, &parameter),
        ] {
            for (key_type, value) in
                [(ck::CKK_AES, &[9; 32][..]), (ck::CKK_GENERIC_SECRET, &[8; 100])]
            {
                let key = session.create(&open_secret(key_type, value)).unwrap();
                let wrapped = session.wrap(&how, public, key).unwrap();
                let asked = asked(ck::CKO_SECRET_KEY, key_type);
                let back = session.unwrap_key(&how, private, &wrapped, &asked).unwrap();
                session.has(back, ck::CKA_VALUE, value);
                let short = session.unwrap_key(&how, private, &wrapped[1..], &asked);
                short.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
            }
            let long = session.create(&open_secret(ck::CKK_GENERIC_SECRET, &[1; 300])).unwrap();
            match how.c.mechanism {
                ck::CKM_RSA_AES_KEY_WRAP => drop(session.wrap(&how, public, long).unwrap()),
                _ => session.wrap(&how, public, long).refused(ck::CKR_KEY_SIZE_RANGE),
            }
            session.wrap(&how, private, long).expect_err("a private key").is_one_of(&[
                ck::CKR_WRAPPING_KEY_TYPE_INCONSISTENT,
                ck::CKR_KEY_FUNCTION_NOT_PERMITTED,
            ]);
        }
    });
}

#[test]
fn private_keys_go_through_rsa_and_aes() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        for bits in [128, 192, 256] {
            let parameter = with_aes(&OAEP, bits);
            let how = with_struct(ck::CKM_RSA_AES_KEY_WRAP, &parameter);
            for (template, key_type) in [
                (known::rsa_private(), ck::CKK_RSA),
                (known::p256_private(), ck::CKK_EC),
                (known::ed25519_private(), ck::CKK_EC_EDWARDS),
            ] {
                let key = session.create(&open(template)).unwrap();
                let wrapped = session.wrap(&how, public, key).unwrap();
                let asked = asked(ck::CKO_PRIVATE_KEY, key_type);
                let back = session.unwrap_key(&how, private, &wrapped, &asked).unwrap();
                for same in [ck::CKA_PUBLIC_KEY_INFO, ck::CKA_VALUE, ck::CKA_PRIME_1] {
                    assert_eq!(session.get(back, same), session.get(key, same));
                }
            }
        }
    });
}

/// With openssl's RSA and openssl's AES key wrapping with padding, by hand.
#[test]
fn openssl_unwraps_what_the_token_wrapped_and_the_other_way_round() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let (public, private) = pair(&session);
        private_file(bench, &session);
        openssl.take_public_key(&session, public);
        let parameter = with_aes(&OAEP, 256);
        let how = with_struct(ck::CKM_RSA_AES_KEY_WRAP, &parameter);
        let key = session.create(&open(known::p256_private())).unwrap();
        let wrapped = session.wrap(&how, public, key).unwrap();
        openssl.file("first", &wrapped[..256]);
        openssl.file("second", &wrapped[256..]);
        let oaep = "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256";
        let aes = openssl
            .must(&format!("pkeyutl -decrypt -inkey private.der -keyform DER -in first {oaep}"));
        let digits: String = aes.iter().map(|byte| format!("{byte:02x}")).collect();
        let kwp = "enc -id-aes256-wrap-pad -iv A65959A6";
        let pkcs8 = openssl.must(&format!("{kwp} -d -K {digits} -in second"));
        openssl.file("key.der", &pkcs8);
        let info = openssl.must("pkey -in key.der -inform DER -pubout -outform DER");
        session.has(key, ck::CKA_PUBLIC_KEY_INFO, &info[..]);

        openssl.file("aes", &hex(&"5a".repeat(32)));
        let what = "pkeyutl -encrypt -pubin -inkey public.der -keyform DER -in aes";
        let first = openssl.must(&format!("{what} {oaep}"));
        let second = openssl.must(&format!("{kwp} -K {} -in key.der", "5a".repeat(32)));
        let asked = asked(ck::CKO_PRIVATE_KEY, ck::CKK_EC);
        let theirs = [first, second].concat();
        let back = session.unwrap_key(&how, private, &theirs, &asked).unwrap();
        session.has(back, ck::CKA_VALUE, &hex(known::P256_PRIVATE)[..]);
    });
}

/// Bleichenbacher's question has no answer where the length of the key is known.
#[test]
fn a_wrong_padding_gives_another_key_where_the_length_is_known() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let how = plain(ck::CKM_RSA_PKCS);
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        let long = asked.clone().and(ck::CKA_VALUE_LEN, 32_u64);
        let key = session.create(&open_secret(ck::CKK_AES, &[9; 32])).unwrap();
        let wrapped = session.wrap(&how, public, key).unwrap();
        let value = |wrapped: &[u8]| {
            let back = session.unwrap_key(&how, private, wrapped, &long).unwrap();
            session.get(back, ck::CKA_VALUE).unwrap()
        };
        assert_eq!(value(&wrapped), [9; 32]);
        let mut seen = vec![vec![9; 32]];
        for at in [1, 100, 255] {
            let mut wrong = wrapped.clone();
            wrong[at] ^= 1;
            seen.push(value(&wrong));
            assert_eq!(value(&wrong), value(&wrong), "asked again, it is the same");
        }
        // Right padding, other length; and a number that is not below the modulus.
        let shorter = session.create(&open_secret(ck::CKK_AES, &[9; 16])).unwrap();
        seen.push(value(&session.wrap(&how, public, shorter).unwrap()));
        seen.push(value(&[0xff; 256]));
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count, "each is another key");
        for length in [0, 246, u64::MAX] {
            let asked = self::asked(ck::CKO_SECRET_KEY, ck::CKK_GENERIC_SECRET)
                .and(ck::CKA_VALUE_LEN, length);
            let back = session.unwrap_key(&how, private, &wrapped, &asked);
            back.refused(ck::CKR_WRAPPED_KEY_LEN_RANGE);
        }
    });
}

#[test]
fn whichever_part_was_changed_it_is_one_refusal() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let parameter = with_aes(&OAEP, 128);
        let key = session.create(&open_secret(ck::CKK_AES, &[9; 32])).unwrap();
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        for how in [
            with_struct(ck::CKM_RSA_PKCS_OAEP, &OAEP),
            with_struct(ck::CKM_RSA_AES_KEY_WRAP, &parameter),
        ] {
            let wrapped = session.wrap(&how, public, key).unwrap();
            for at in [0, 100, 255, wrapped.len() - 40, wrapped.len() - 1] {
                let mut wrong = wrapped.clone();
                wrong[at] ^= 1;
                let back = session.unwrap_key(&how, private, &wrong, &asked);
                back.refused(ck::CKR_WRAPPED_KEY_INVALID);
            }
        }
        // An AES key of another length than the parameter says.
        let how = with_struct(ck::CKM_RSA_AES_KEY_WRAP, &parameter);
        let wrapped = session.wrap(&how, public, key).unwrap();
        let other = with_aes(&OAEP, 256);
        let how = with_struct(ck::CKM_RSA_AES_KEY_WRAP, &other);
        let back = session.unwrap_key(&how, private, &wrapped, &asked);
        back.refused(ck::CKR_WRAPPED_KEY_INVALID);
    });
}

#[test]
fn wrong_parameters_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let key = session.create(&open_secret(ck::CKK_AES, &[9; 32])).unwrap();
        let asked = asked(ck::CKO_SECRET_KEY, ck::CKK_AES);
        let unknown = ck::CK_RSA_PKCS_OAEP_PARAMS { hashAlg: 0xffff, ..OAEP };
        let nothing =
            ck::CK_RSA_AES_KEY_WRAP_PARAMS { pOAEPParams: null_mut(), ..with_aes(&OAEP, 256) };
        let refused = &[ck::CKR_MECHANISM_PARAM_INVALID, ck::CKR_ARGUMENTS_BAD];
        for parameter in
            [with_aes(&OAEP, 0), with_aes(&OAEP, 255), with_aes(&unknown, 256), nothing]
        {
            let how = with_struct(ck::CKM_RSA_AES_KEY_WRAP, &parameter);
            session.wrap(&how, public, key).expect_err("a parameter").is_one_of(refused);
            let back = session.unwrap_key(&how, private, &[0; 300], &asked);
            back.expect_err("a parameter").is_one_of(refused);
        }
        let how = plain(ck::CKM_RSA_AES_KEY_WRAP);
        session.wrap(&how, public, key).expect_err("no parameter").is_one_of(refused);
    });
}
