//! RSA beside its usual forms: bare numbers, SHA-3, and what only the legacy switch brings.
//! PKCS#11 3.2, "X.509 (raw) RSA", "PKCS #1 v1.5 RSA signature with …"; RFC 8017.

use cryptoki_sys as ck;

use crate::support::known::{self, RSA_MODULUS, hex};
use crate::support::operations::{Mechanism, plain, with_struct};
use crate::support::{Refused, Session, isolated, template};

type Pair = (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE);

fn imported(session: &Session<'_>) -> Pair {
    let public = session.create(&known::rsa_public()).expect("a public key");
    (public, session.create(&known::rsa_private()).expect("a private key"))
}

fn raw() -> Mechanism<'static> {
    plain(ck::CKM_RSA_X_509)
}

#[test]
fn bare_numbers_are_signed_as_openssl_does() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let (public, private) = imported(&session);
        openssl.take_public_key(&session, public);
        for data in [&[7; 15][..], &[0x11; 256], &[2]] {
            let signature = session.sign(&raw(), private, data).unwrap();
            assert_eq!(signature.len(), 256);
            openssl.file("signature", &signature);
            let recovered = openssl.must(
                "pkeyutl -verifyrecover -pubin -keyform DER -inkey public.der -in signature \
                 -pkeyopt rsa_padding_mode:none",
            );
            let padded = [&vec![0; 256 - data.len()][..], data].concat();
            assert_eq!(recovered, padded);
            session.verify(&raw(), public, data, &signature).unwrap();
            session.verify(&raw(), public, &padded, &signature).unwrap();
            let other = session.verify(&raw(), public, &[9; 16], &signature);
            other.refused(ck::CKR_SIGNATURE_INVALID);
            let short = session.verify(&raw(), public, data, &signature[1..]);
            short.refused(ck::CKR_SIGNATURE_LEN_RANGE);
        }
    });
}

#[test]
fn bare_numbers_are_encrypted_and_come_back_as_long_as_the_modulus() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = imported(&session);
        let sealed = session.encrypt(&raw(), public, &[7; 15]).unwrap();
        assert_eq!(sealed.len(), 256);
        let opened = session.decrypt(&raw(), private, &sealed).unwrap();
        assert_eq!(opened, [vec![0; 241], vec![7; 15]].concat());
        let short = session.decrypt(&raw(), private, &sealed[1..]);
        short.refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        let large = session.decrypt(&raw(), private, &hex(RSA_MODULUS));
        large.refused(ck::CKR_ENCRYPTED_DATA_INVALID);
    });
}

#[test]
fn numbers_that_are_not_below_the_modulus_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = imported(&session);
        let modulus = hex(RSA_MODULUS);
        let mut below = modulus.clone();
        *below.last_mut().unwrap() -= 2;
        assert_eq!(session.sign(&raw(), private, &below).unwrap().len(), 256);
        for number in [&modulus[..], &[0xff; 256]] {
            session.sign(&raw(), private, number).refused(ck::CKR_DATA_INVALID);
            session.encrypt(&raw(), public, number).refused(ck::CKR_DATA_INVALID);
            let verified = session.verify(&raw(), public, &[1], number);
            verified.refused(ck::CKR_SIGNATURE_INVALID);
        }
        // 0, 1 and -1 sign themselves.
        *below.last_mut().unwrap() += 1;
        for number in [&below[..], &[], &[0], &[1], &[0; 256]] {
            session.sign(&raw(), private, number).refused(ck::CKR_DATA_INVALID);
        }
        for len in [257, 1000] {
            session.sign(&raw(), private, &vec![0; len]).refused(ck::CKR_DATA_LEN_RANGE);
            session.encrypt(&raw(), public, &vec![0; len]).refused(ck::CKR_DATA_LEN_RANGE);
        }
    });
}

#[test]
fn signatures_with_sha3_are_taken_by_openssl() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let (public, private) = imported(&session);
        openssl.take_public_key(&session, public);
        for (pkcs, pss, hash, mgf, bits) in [
            (ck::CKM_SHA3_224_RSA_PKCS, ck::CKM_SHA3_224_RSA_PKCS_PSS, ck::CKM_SHA3_224, 6, 224),
            (ck::CKM_SHA3_256_RSA_PKCS, ck::CKM_SHA3_256_RSA_PKCS_PSS, ck::CKM_SHA3_256, 7, 256),
            (ck::CKM_SHA3_384_RSA_PKCS, ck::CKM_SHA3_384_RSA_PKCS_PSS, ck::CKM_SHA3_384, 8, 384),
            (ck::CKM_SHA3_512_RSA_PKCS, ck::CKM_SHA3_512_RSA_PKCS_PSS, ck::CKM_SHA3_512, 9, 512),
        ] {
            let signature = session.sign(&plain(pkcs), private, b"message").unwrap();
            let digest = format!("-rawin -digest sha3-{bits}");
            openssl.verifies(b"message", &signature, &digest);
            session.verify(&plain(pkcs), public, b"message", &signature).unwrap();
            let parameter = ck::CK_RSA_PKCS_PSS_PARAMS { hashAlg: hash, mgf, sLen: bits / 8 };
            let how = with_struct(pss, &parameter);
            let signature = session.sign(&how, private, b"message").unwrap();
            let options = format!("{digest} -pkeyopt rsa_padding_mode:pss");
            openssl.verifies(b"message", &signature, &options);
            let wrong = session.verify(&how, public, b"massage", &signature);
            wrong.refused(ck::CKR_SIGNATURE_INVALID);
        }
    });
}

const LEGACY: [ck::CK_MECHANISM_TYPE; 3] =
    [ck::CKM_MD5_RSA_PKCS, ck::CKM_SHA1_RSA_PKCS, ck::CKM_ECDSA_SHA1];

fn new_rsa(session: &Session<'_>, bits: ck::CK_ULONG) -> Result<Pair, crate::support::Rv> {
    let public = template! { CKA_MODULUS_BITS => bits, CKA_PUBLIC_EXPONENT => b"\x01\x00\x01" };
    session.generate_pair(&plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN), &public, &template! {})
}

#[test]
fn what_is_outlived_is_not_offered_unless_it_is_asked_for() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (_, private) = imported(&session);
        for mechanism in LEGACY {
            session.sign(&plain(mechanism), private, b"m").refused(ck::CKR_MECHANISM_INVALID);
        }
        for bits in [1024, 1536, 1920] {
            new_rsa(&session, bits).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
        let info = token.module.mechanism_info(token.slot, ck::CKM_RSA_PKCS_KEY_PAIR_GEN);
        assert_eq!(info.unwrap().ulMinKeySize, 2048);
    });
}

#[test]
fn with_the_legacy_switch_old_hashes_and_short_moduli_serve() {
    isolated(|bench| {
        bench.configure("[mechanisms]\nlegacy = true\n");
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        for bits in [1024, 1536] {
            let (public, private) = new_rsa(&session, bits).unwrap();
            session.has(public, ck::CKA_MODULUS_BITS, bits);
            openssl.take_public_key(&session, public);
            for (mechanism, digest) in
                [(ck::CKM_MD5_RSA_PKCS, "md5"), (ck::CKM_SHA1_RSA_PKCS, "sha1")]
            {
                let signature = session.sign(&plain(mechanism), private, b"message").unwrap();
                openssl.verifies(b"message", &signature, &format!("-rawin -digest {digest}"));
            }
        }
        for bits in [512, 1023, 1025, 2055, 8320] {
            new_rsa(&session, bits).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        }
    });
}
