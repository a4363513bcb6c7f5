//! RSA keys: generated, and imported whole or in part. PKCS#11 3.2, "RSA private key objects",
//! "PKCS #1 RSA key pair generation".

use cryptoki_sys as ck;

use crate::support::known;
use crate::support::operations::plain;
use crate::support::template::len;
use crate::support::{Bench, Refused, isolated, template};

const DATA: &[u8] = b"a message";

fn template_with_modulus(modulus: &[u8]) -> crate::support::Template {
    known::rsa_public().without(ck::CKA_MODULUS).and(ck::CKA_MODULUS, modulus)
}

/// Generation takes a while, so it is tried once per test.
fn generated(bench: &Bench, bits: ck::CK_ULONG) {
    let token = bench.token();
    let session = token.user();
    let public = template! {
        CKA_MODULUS_BITS => bits, CKA_PUBLIC_EXPONENT => b"\x01\x00\x01", CKA_TOKEN => true,
    };
    let private = template! { CKA_TOKEN => true };
    let how = plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN);
    let (public, private) = session.generate_pair(&how, &public, &private).unwrap();
    let modulus = session.get(public, ck::CKA_MODULUS).unwrap();
    assert_eq!(len(modulus.len()) * 8, bits);
    assert!(modulus[0] >= 128, "all bits of the modulus are used");
    session.has(private, ck::CKA_MODULUS, &modulus);
    session.has(private, ck::CKA_PUBLIC_EXPONENT, b"\x01\x00\x01");
    session.has(public, ck::CKA_MODULUS_BITS, bits);
    let openssl = bench.openssl();
    openssl.take_public_key(&session, public);
    let signature = session.sign(&plain(ck::CKM_SHA256_RSA_PKCS), private, DATA).unwrap();
    openssl.verifies(DATA, &signature, "-rawin -digest sha256");
}

#[test]
fn a_key_without_its_primes_works_as_well() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let public = session.create(&known::rsa_public()).unwrap();
        let private = session.create(&known::rsa_private()).unwrap();
        let how = plain(ck::CKM_SHA256_RSA_PKCS);
        let bare = session.create(&known::rsa_private_without_primes()).unwrap();
        let signature = session.sign(&how, bare, DATA).unwrap();
        assert_eq!(signature, session.sign(&how, private, DATA).unwrap());
        session.verify(&how, public, DATA, &signature).unwrap();
    });
}

#[test]
fn inconsistent_keys_are_not_imported() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let mut wrong = known::hex(known::RSA_PRIME_1);
        wrong[100] ^= 4;
        let key = known::rsa_private().without(ck::CKA_PRIME_1).and(ck::CKA_PRIME_1, &wrong);
        session.create(&key).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        let even = template_with_modulus(&[0xfe; 256]);
        session.create(&even).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
    });
}

#[test]
fn keys_of_2048_bits_are_generated() {
    isolated(|bench| generated(bench, 2048));
}

#[test]
fn keys_of_3072_bits_are_generated() {
    isolated(|bench| generated(bench, 3072));
}

#[test]
fn keys_of_other_sizes_and_exponents_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let how = plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN);
        let none = template! {};
        let refused = &[
            ck::CKR_KEY_SIZE_RANGE,
            ck::CKR_ATTRIBUTE_VALUE_INVALID,
            ck::CKR_TEMPLATE_INCONSISTENT,
        ];
        for bits in [0, 512, 2047, 4097, 8320, ck::CK_ULONG::MAX] {
            let public = template! { CKA_MODULUS_BITS => bits };
            let made = session.generate_pair(&how, &public, &none);
            made.expect_err("an odd size").is_one_of(refused);
        }
        for exponent in [b"".as_slice(), b"\x01", b"\x02", b"\x01\x00\x00"] {
            let public = template! {
                CKA_MODULUS_BITS => 2048_u64, CKA_PUBLIC_EXPONENT => exponent,
            };
            let made = session.generate_pair(&how, &public, &none);
            made.expect_err("an odd exponent").is_one_of(refused);
        }
        session.generate_pair(&how, &none, &none).refused(ck::CKR_TEMPLATE_INCOMPLETE);
        assert_eq!(session.count(&none), 0);
    });
}
