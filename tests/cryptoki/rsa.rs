//! RSA signatures and encryption. PKCS#11 3.2, "PKCS #1 v1.5 RSA", "PKCS #1 RSA PSS",
//! "PKCS #1 RSA OAEP".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known;
use crate::support::operations::{input, lend_room, plain, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, Token, call, isolated};

/// The DER header of a SHA-256 DigestInfo (RFC 8017, section 9.2).
const SHA256_HEADER: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

/// A hash: its name for openssl, its mechanism, its MGF, and the signatures with it.
struct Hash {
    name: &'static str,
    digest: ck::CK_MECHANISM_TYPE,
    mgf: ck::CK_ULONG,
    pkcs1: ck::CK_MECHANISM_TYPE,
    pss: ck::CK_MECHANISM_TYPE,
}

const HASHES: &[Hash] = &[
    Hash {
        name: "sha224",
        digest: ck::CKM_SHA224,
        mgf: ck::CKG_MGF1_SHA224,
        pkcs1: ck::CKM_SHA224_RSA_PKCS,
        pss: ck::CKM_SHA224_RSA_PKCS_PSS,
    },
    Hash {
        name: "sha256",
        digest: ck::CKM_SHA256,
        mgf: ck::CKG_MGF1_SHA256,
        pkcs1: ck::CKM_SHA256_RSA_PKCS,
        pss: ck::CKM_SHA256_RSA_PKCS_PSS,
    },
    Hash {
        name: "sha384",
        digest: ck::CKM_SHA384,
        mgf: ck::CKG_MGF1_SHA384,
        pkcs1: ck::CKM_SHA384_RSA_PKCS,
        pss: ck::CKM_SHA384_RSA_PKCS_PSS,
    },
    Hash {
        name: "sha512",
        digest: ck::CKM_SHA512,
        mgf: ck::CKG_MGF1_SHA512,
        pkcs1: ck::CKM_SHA512_RSA_PKCS,
        pss: ck::CKM_SHA512_RSA_PKCS_PSS,
    },
];

/// The known key pair in a session: public and private.
struct Keys<'t> {
    session: Session<'t>,
    public: ck::CK_OBJECT_HANDLE,
    private: ck::CK_OBJECT_HANDLE,
}

fn keys(token: &Token) -> Keys<'_> {
    let session = token.user();
    let public = session.create(&known::rsa_public()).expect("the public key");
    let private = session.create(&known::rsa_private()).expect("the private key");
    Keys { session, public, private }
}

fn pss(hash: ck::CK_MECHANISM_TYPE, mgf: ck::CK_ULONG, salt: usize) -> ck::CK_RSA_PKCS_PSS_PARAMS {
    ck::CK_RSA_PKCS_PSS_PARAMS { hashAlg: hash, mgf, sLen: len(salt) }
}

fn oaep(
    hash: ck::CK_MECHANISM_TYPE,
    mgf: ck::CK_ULONG,
    label: &[u8],
) -> ck::CK_RSA_PKCS_OAEP_PARAMS {
    ck::CK_RSA_PKCS_OAEP_PARAMS {
        hashAlg: hash,
        mgf,
        source: ck::CKZ_DATA_SPECIFIED,
        pSourceData: if label.is_empty() { null_mut() } else { label.as_ptr().cast_mut().cast() },
        ulSourceDataLen: len(label.len()),
    }
}

/// Data of a few kilobytes.
const DATA: &[u8] = &[0x61; 3000];

#[test]
fn pkcs1_signatures_verify_with_openssl() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, public, private } = keys(&token);
        let openssl = bench.openssl();
        openssl.take_public_key(&session, public);
        for Hash { name, pkcs1, .. } in HASHES {
            let how = plain(*pkcs1);
            let signature = session.sign(&how, private, DATA).unwrap();
            assert_eq!(signature.len(), 256);
            openssl.verifies(DATA, &signature, &format!("-rawin -digest {name}"));
            let parts = [&DATA[..1], &DATA[1..1000], &DATA[1000..]];
            assert_eq!(session.sign_parts(&how, private, &parts).unwrap(), signature);
            session.verify(&how, public, DATA, &signature).unwrap();
        }
    });
}

#[test]
fn a_digest_info_made_by_the_host_is_signed() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, public, private } = keys(&token);
        let digest = session.digest(&plain(ck::CKM_SHA256), DATA).unwrap();
        let info = [SHA256_HEADER, &digest].concat();
        let how = plain(ck::CKM_RSA_PKCS);
        let signature = session.sign(&how, private, &info).unwrap();
        let whole = session.sign(&plain(ck::CKM_SHA256_RSA_PKCS), private, DATA).unwrap();
        assert_eq!(signature, whole);
        session.verify(&how, public, &info, &signature).unwrap();
        session.sign(&how, private, &[1; 245]).expect("11 bytes less than the modulus fit");
        session.sign(&how, private, &[1; 246]).refused(ck::CKR_DATA_LEN_RANGE);
        session.sign(&how, private, b"").expect("nothing at all fits as well");
    });
}

#[test]
fn pss_signatures_verify_with_openssl() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, public, private } = keys(&token);
        let openssl = bench.openssl();
        openssl.take_public_key(&session, public);
        for Hash { name, digest: hash, mgf, pss: mechanism, .. } in HASHES {
            for salt in [0, 20, 32] {
                let parameter = pss(*hash, *mgf, salt);
                let how = with_struct(*mechanism, &parameter);
                let signature = session.sign(&how, private, DATA).unwrap();
                let padding = "-pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:";
                openssl.verifies(
                    DATA,
                    &signature,
                    &format!("-rawin -digest {name} {padding}{salt}"),
                );
                session.verify(&how, public, DATA, &signature).unwrap();
                let raw = with_struct(ck::CKM_RSA_PKCS_PSS, &parameter);
                let digest = session.digest(&plain(*hash), DATA).unwrap();
                session.verify(&raw, public, &digest, &signature).unwrap();
                let signature = session.sign(&raw, private, &digest).unwrap();
                session.verify(&how, public, DATA, &signature).unwrap();
                session.sign(&raw, private, &digest[1..]).refused(ck::CKR_DATA_LEN_RANGE);
            }
        }
    });
}

#[test]
fn wrong_pss_parameters_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, private, .. } = keys(&token);
        let (sha256, mgf) = (ck::CKM_SHA256, ck::CKG_MGF1_SHA256);
        let invalid = &[ck::CKR_MECHANISM_PARAM_INVALID, ck::CKR_ARGUMENTS_BAD];
        for wrong in [
            pss(ck::CKM_SHA384, mgf, 32),
            pss(ck::CKM_AES_CBC, mgf, 32),
            pss(sha256, 99, 32),
            pss(sha256, mgf, 224),
            pss(sha256, mgf, usize::MAX),
        ] {
            let how = with_struct(ck::CKM_SHA256_RSA_PKCS_PSS, &wrong);
            session.sign_init(&how, private).expect_err("wrong parameters").is_one_of(invalid);
        }
        for mechanism in [ck::CKM_RSA_PKCS_PSS, ck::CKM_SHA256_RSA_PKCS_PSS] {
            let begun = session.sign_init(&plain(mechanism), private);
            begun.expect_err("no parameters").is_one_of(invalid);
        }
    });
}

#[test]
fn altered_signatures_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, public, private } = keys(&token);
        let parameter = pss(ck::CKM_SHA256, ck::CKG_MGF1_SHA256, 32);
        for how in
            [plain(ck::CKM_SHA256_RSA_PKCS), with_struct(ck::CKM_SHA256_RSA_PKCS_PSS, &parameter)]
        {
            let right = session.sign(&how, private, DATA).unwrap();
            for at in [0, 128, 255] {
                let mut wrong = right.clone();
                wrong[at] ^= 1;
                let refused = session.verify(&how, public, DATA, &wrong);
                refused.refused(ck::CKR_SIGNATURE_INVALID);
            }
            session.verify(&how, public, b"other", &right).refused(ck::CKR_SIGNATURE_INVALID);
            session.verify(&how, public, DATA, &[0xff; 256]).refused(ck::CKR_SIGNATURE_INVALID);
            for length in [0, 1, 255] {
                let refused = session.verify(&how, public, DATA, &right[..length]);
                refused.refused(ck::CKR_SIGNATURE_LEN_RANGE);
            }
            let long = [right.as_slice(), b"x"].concat();
            let refused = session.verify(&how, public, DATA, &long);
            refused.refused(ck::CKR_SIGNATURE_LEN_RANGE);
        }
    });
}

#[test]
fn what_openssl_encrypts_is_decrypted() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, public, private } = keys(&token);
        let openssl = bench.openssl();
        openssl.take_public_key(&session, public);
        openssl.file("plain", b"a message");
        let encrypt = "pkeyutl -encrypt -pubin -keyform DER -inkey public.der -in plain";
        let sealed = openssl.must(&format!("{encrypt} -pkeyopt rsa_padding_mode:pkcs1"));
        let opened = session.decrypt(&plain(ck::CKM_RSA_PKCS), private, &sealed);
        assert_eq!(opened.unwrap(), b"a message");
        for Hash { name, digest: hash, mgf, .. } in HASHES {
            let parameter = oaep(*hash, *mgf, b"");
            let how = with_struct(ck::CKM_RSA_PKCS_OAEP, &parameter);
            let options = format!(
                "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:{name} \
                 -pkeyopt rsa_mgf1_md:{name}"
            );
            let sealed = openssl.must(&format!("{encrypt} {options}"));
            assert_eq!(session.decrypt(&how, private, &sealed).unwrap(), b"a message");
        }
    });
}

#[test]
fn oaep_with_sha_1_and_with_a_label_works() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, public, private } = keys(&token);
        let openssl = bench.openssl();
        openssl.take_public_key(&session, public);
        openssl.file("plain", b"a message");
        let label = "6c6162656c";
        let sealed = openssl.must(&format!(
            "pkeyutl -encrypt -pubin -keyform DER -inkey public.der -in plain \
             -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_label:{label}"
        ));
        let parameter = oaep(ck::CKM_SHA_1, ck::CKG_MGF1_SHA1, b"label");
        let how = with_struct(ck::CKM_RSA_PKCS_OAEP, &parameter);
        assert_eq!(session.decrypt(&how, private, &sealed).unwrap(), b"a message");
        let other = oaep(ck::CKM_SHA_1, ck::CKG_MGF1_SHA1, b"");
        let how = with_struct(ck::CKM_RSA_PKCS_OAEP, &other);
        session.decrypt(&how, private, &sealed).refused(ck::CKR_ENCRYPTED_DATA_INVALID);
        let sealed = session.encrypt(&how, public, b"x").unwrap();
        assert_eq!(session.decrypt(&how, private, &sealed).unwrap(), b"x");
    });
}

#[test]
fn messages_up_to_the_limit_are_encrypted() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, public, private } = keys(&token);
        let parameter = oaep(ck::CKM_SHA256, ck::CKG_MGF1_SHA256, b"");
        for (how, most) in [
            (plain(ck::CKM_RSA_PKCS), 256 - 11),
            (with_struct(ck::CKM_RSA_PKCS_OAEP, &parameter), 256 - 2 * 32 - 2),
        ] {
            for length in [0, 1, most] {
                let sealed = session.encrypt(&how, public, &DATA[..length]).unwrap();
                assert_eq!(sealed.len(), 256);
                let opened = session.decrypt(&how, private, &sealed).unwrap();
                assert_eq!(opened, DATA[..length]);
            }
            let long = session.encrypt(&how, public, &DATA[..=most]);
            long.refused(ck::CKR_DATA_LEN_RANGE);
        }
    });
}

#[test]
fn ciphertexts_of_the_wrong_length_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, private, .. } = keys(&token);
        let how = plain(ck::CKM_RSA_PKCS);
        for length in [0, 1, 255, 257] {
            let refused = session.decrypt(&how, private, &DATA[..length]);
            refused.refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
        }
    });
}

#[test]
fn wrong_oaep_parameters_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, public, .. } = keys(&token);
        let right = oaep(ck::CKM_SHA256, ck::CKG_MGF1_SHA256, b"");
        let refused = &[ck::CKR_MECHANISM_PARAM_INVALID, ck::CKR_ARGUMENTS_BAD];
        for wrong in [
            ck::CK_RSA_PKCS_OAEP_PARAMS { hashAlg: ck::CKM_AES_CBC, ..right },
            ck::CK_RSA_PKCS_OAEP_PARAMS { mgf: 0, ..right },
            ck::CK_RSA_PKCS_OAEP_PARAMS { source: 2, ..right },
            ck::CK_RSA_PKCS_OAEP_PARAMS { ulSourceDataLen: 5, ..right },
            ck::CK_RSA_PKCS_OAEP_PARAMS { ulSourceDataLen: ck::CK_ULONG::MAX, ..right },
        ] {
            let how = with_struct(ck::CKM_RSA_PKCS_OAEP, &wrong);
            session.encrypt_init(&how, public).expect_err("wrong").is_one_of(refused);
        }
        let none = session.encrypt_init(&plain(ck::CKM_RSA_PKCS_OAEP), public);
        none.expect_err("no parameters").is_one_of(refused);
    });
}

/// Bleichenbacher's question has no answer: what comes out of a wrong padding is another message,
/// always the same for the same ciphertext.
#[test]
fn a_wrong_padding_gives_another_message() {
    isolated(|bench| {
        let token = bench.token();
        let Keys { session, public, private } = keys(&token);
        let how = plain(ck::CKM_RSA_PKCS);
        let mut lengths = Vec::new();
        for at in 0..12 {
            let mut sealed = session.encrypt(&how, public, b"a message").unwrap();
            sealed[255 - at] ^= 1;
            let other = session.decrypt(&how, private, &sealed).unwrap();
            assert_eq!(session.decrypt(&how, private, &sealed).unwrap(), other);
            assert!(other.len() <= 245 && other != b"a message");
            lengths.push(other.len());
        }
        lengths.dedup();
        assert!(lengths.len() > 1, "lengths differ as well: {lengths:?}");
        // What anybody can see is told.
        let long = session.decrypt(&how, private, &[0xff; 256]);
        long.refused(ck::CKR_ENCRYPTED_DATA_INVALID);
        let short = session.decrypt(&how, private, &[1; 255]);
        short.refused(ck::CKR_ENCRYPTED_DATA_LEN_RANGE);
    });
}

#[test]
fn room_for_the_message_alone_is_enough_and_less_is_on_record() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let public = session.create(&known::rsa_public().and(ck::CKA_ENCRYPT, true)).unwrap();
        let private = known::rsa_private().and(ck::CKA_DECRYPT, true).and(ck::CKA_TOKEN, true);
        let private = session.create(&private).unwrap();
        let how = plain(ck::CKM_RSA_PKCS);
        let sealed = session.encrypt(&how, public, b"message").unwrap();
        session.decrypt_init(&how, private).unwrap();
        let (given, given_len) = input(&sealed);
        let decrypt = |room| {
            lend_room(room, |out, out_len| {
                call!(session, C_Decrypt(session.handle, given, given_len, out, out_len))
            })
        };
        let (rv, needed, _) = decrypt(6);
        rv.is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!(needed, 7);
        let (rv, written, bytes) = decrypt(7);
        rv.is(ck::CKR_OK);
        assert_eq!(&bytes[..written], b"message");
        session.logout().unwrap();
        let log = bench.log();
        log.one("C_Decrypt", "CKR_BUFFER_TOO_SMALL");
        log.one("C_Decrypt", "CKR_OK");
    });
}
