//! RSA as a key encapsulation, against openssl. PKCS#11 3.2, "PKCS #1 v1.5 RSA", "PKCS #1 RSA
//! OAEP", "X.509 (raw) RSA"; SP 800-56B Rev. 2, section 7.2.1.

use cryptoki_sys as ck;

use crate::support::known;
use crate::support::operations::{Mechanism, plain, with_bytes, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, Template, isolated, template};
use crate::wrapping_rsa::private_file;

/// Bytes of the known modulus.
const MODULUS: usize = 256;
const LABEL: &[u8] = b"a label";

type Pair = (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE);

fn pair(session: &Session<'_>) -> Pair {
    let public = known::rsa_public().and(ck::CKA_ENCAPSULATE, true);
    let private = known::rsa_private().and(ck::CKA_DECAPSULATE, true);
    let public = session.create(&public).expect("a public key");
    (public, session.create(&private).expect("a private key"))
}

fn oaep() -> ck::CK_RSA_PKCS_OAEP_PARAMS {
    ck::CK_RSA_PKCS_OAEP_PARAMS {
        hashAlg: ck::CKM_SHA256,
        mgf: ck::CKG_MGF1_SHA256,
        source: ck::CKZ_DATA_SPECIFIED,
        pSourceData: LABEL.as_ptr().cast_mut().cast(),
        ulSourceDataLen: len(LABEL.len()),
    }
}

/// A secret of the session that may be read.
fn readable(key_type: ck::CK_KEY_TYPE, length: Option<usize>) -> Template {
    let template = template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => key_type,
        CKA_SENSITIVE => false, CKA_EXTRACTABLE => true,
    };
    match length {
        Some(length) => template.and(ck::CKA_VALUE_LEN, len(length)),
        None => template,
    }
}

fn generic(length: usize) -> Template {
    readable(ck::CKK_GENERIC_SECRET, Some(length))
}

fn value(session: &Session<'_>, key: ck::CK_OBJECT_HANDLE) -> Vec<u8> {
    session.get(key, ck::CKA_VALUE).expect("CKA_VALUE")
}

#[test]
fn both_sides_have_the_same_secret() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let oaep = oaep();
        for how in [plain(ck::CKM_RSA_PKCS), with_struct(ck::CKM_RSA_PKCS_OAEP, &oaep)] {
            for (template, length) in [
                (generic(1), 1),
                (generic(48), 48),
                (readable(ck::CKK_AES, Some(32)), 32),
                // A type that has one length.
                (readable(ck::CKK_CHACHA20, None), 32),
            ] {
                let (sealed, made) = session.encapsulate(&how, public, &template).unwrap();
                assert_eq!(sealed.len(), MODULUS);
                let secret = value(&session, made);
                assert_eq!(secret.len(), length);
                let found = session.decapsulate(&how, private, &template, &sealed).unwrap();
                session.has(found, ck::CKA_VALUE, &secret);
                for flag in [ck::CKA_LOCAL, ck::CKA_ALWAYS_SENSITIVE, ck::CKA_NEVER_EXTRACTABLE] {
                    assert!(!session.flag(made, flag) && !session.flag(found, flag));
                }
                // It is a wrapped key, too.
                let unwrapped = session.unwrap_key(&how, private, &sealed, &template).unwrap();
                session.has(unwrapped, ck::CKA_VALUE, &secret);
                let (other, another) = session.encapsulate(&how, public, &template).unwrap();
                assert_ne!(other, sealed);
                assert!(length == 1 || value(&session, another) != secret);
            }
        }
        let raw = plain(ck::CKM_RSA_X_509);
        for template in [readable(ck::CKK_GENERIC_SECRET, None), generic(MODULUS)] {
            let (sealed, made) = session.encapsulate(&raw, public, &template).unwrap();
            assert_eq!(sealed.len(), MODULUS);
            let secret = value(&session, made);
            assert_eq!(secret.len(), MODULUS);
            let found = session.decapsulate(&raw, private, &template, &sealed).unwrap();
            session.has(found, ck::CKA_VALUE, &secret);
        }
    });
}

#[test]
fn openssl_opens_what_was_made_for_its_key_and_the_other_way_round() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        let (public, private) = pair(&session);
        private_file(bench, &session);
        openssl.take_public_key(&session, public);
        let parameter = oaep();
        let label: String = LABEL.iter().map(|byte| format!("{byte:02x}")).collect();
        let oaep_options = format!(
            "-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 \
             -pkeyopt rsa_mgf1_md:sha256 -pkeyopt rsa_oaep_label:{label}"
        );
        for (how, template, options) in [
            (plain(ck::CKM_RSA_PKCS), generic(32), "-pkeyopt rsa_padding_mode:pkcs1".to_owned()),
            (with_struct(ck::CKM_RSA_PKCS_OAEP, &parameter), generic(32), oaep_options),
            (
                plain(ck::CKM_RSA_X_509),
                generic(MODULUS),
                "-pkeyopt rsa_padding_mode:none".to_owned(),
            ),
        ] {
            let (sealed, made) = session.encapsulate(&how, public, &template).unwrap();
            let secret = value(&session, made);
            openssl.file("sealed", &sealed);
            let open = "pkeyutl -decrypt -inkey private.der -keyform DER -in sealed";
            assert_eq!(openssl.must(&format!("{open} {options}")), secret);

            let mut theirs = vec![0x5a; secret.len()];
            theirs[0] = 1;
            openssl.file("secret", &theirs);
            let seal = "pkeyutl -encrypt -pubin -inkey public.der -keyform DER -in secret";
            let sealed = openssl.must(&format!("{seal} {options}"));
            let found = session.decapsulate(&how, private, &template, &sealed).unwrap();
            session.has(found, ck::CKA_VALUE, &theirs);
        }
    });
}

#[test]
fn a_changed_ciphertext_is_refused_or_another_secret() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let oaep = oaep();
        let invalid = ck::CKR_WRAPPED_KEY_INVALID;
        for (how, template, refusal) in [
            // PKCS#1 v1.5 never tells that a padding is wrong.
            (plain(ck::CKM_RSA_PKCS), generic(32), None),
            (with_struct(ck::CKM_RSA_PKCS_OAEP, &oaep), generic(32), Some(invalid)),
            (plain(ck::CKM_RSA_X_509), generic(MODULUS), None),
        ] {
            let (sealed, made) = session.encapsulate(&how, public, &template).unwrap();
            let mut changed = sealed.clone();
            changed[MODULUS - 1] ^= 1;
            let found = session.decapsulate(&how, private, &template, &changed);
            match refusal {
                Some(refusal) => found.refused(refusal),
                None => assert_ne!(value(&session, found.unwrap()), value(&session, made)),
            }
            let long = [&sealed[..], &[0]].concat();
            for bytes in [&sealed[1..], &long[..], &[]] {
                session
                    .decapsulate(&how, private, &template, bytes)
                    .expect_err("another length")
                    .is_one_of(&[ck::CKR_WRAPPED_KEY_LEN_RANGE, ck::CKR_ARGUMENTS_BAD]);
            }
            let too_large = session.decapsulate(&how, private, &template, &[0xff; MODULUS]);
            match how.c.mechanism {
                ck::CKM_RSA_PKCS => drop(too_large.unwrap()),
                _ => too_large.refused(invalid),
            }
        }
        // Numbers that the key does not change.
        let raw = plain(ck::CKM_RSA_X_509);
        let mut less = session.get(public, ck::CKA_MODULUS).unwrap();
        *less.last_mut().unwrap() -= 1;
        let [zero, mut one] = [vec![0; MODULUS], vec![0; MODULUS]];
        one[MODULUS - 1] = 1;
        for bytes in [zero, one, less] {
            session.decapsulate(&raw, private, &generic(MODULUS), &bytes).refused(invalid);
        }
    });
}

#[test]
fn templates_parameters_and_keys_that_do_not_fit_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, private) = pair(&session);
        let oaep = oaep();
        let padded = [plain(ck::CKM_RSA_PKCS), with_struct(ck::CKM_RSA_PKCS_OAEP, &oaep)];
        let raw = plain(ck::CKM_RSA_X_509);
        for how in &padded {
            let endless = readable(ck::CKK_GENERIC_SECRET, None);
            session.encapsulate(how, public, &endless).refused(ck::CKR_TEMPLATE_INCOMPLETE);
            session.encapsulate(how, public, &generic(0)).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
            let inconsistent = ck::CKR_TEMPLATE_INCONSISTENT;
            session.encapsulate(how, public, &generic(MODULUS)).refused(inconsistent);
        }
        let (sealed, _) = session.encapsulate(&padded[1], public, &generic(32)).unwrap();
        let another = generic(16);
        let refused = session.decapsulate(&padded[1], private, &another, &sealed);
        refused.refused(ck::CKR_TEMPLATE_INCONSISTENT);
        for length in [1, 32, MODULUS - 1, MODULUS + 1] {
            let other = generic(length);
            session.encapsulate(&raw, public, &other).refused(ck::CKR_TEMPLATE_INCONSISTENT);
            let refused = session.decapsulate(&raw, private, &other, &sealed);
            refused.refused(ck::CKR_TEMPLATE_INCONSISTENT);
        }
        let given = with_bytes(ck::CKM_RSA_PKCS, b"x");
        let bad = ck::CKR_MECHANISM_PARAM_INVALID;
        session.encapsulate(&given, public, &generic(32)).refused(bad);
        let none = plain(ck::CKM_RSA_PKCS_OAEP);
        session.encapsulate(&none, public, &generic(32)).refused(bad);
        session.decapsulate(&none, private, &generic(32), &sealed).refused(bad);
        for how in padded.iter().chain([&raw]) {
            refuse_keys(&session, how, (public, private));
        }
    });
}

fn refuse_keys(session: &Session<'_>, how: &Mechanism<'_>, (public, private): Pair) {
    let template = match how.c.mechanism {
        ck::CKM_RSA_X_509 => generic(MODULUS),
        _ => generic(32),
    };
    let sealed = session.encapsulate(how, public, &template).unwrap().0;
    let not_permitted = ck::CKR_KEY_FUNCTION_NOT_PERMITTED;
    let wrong = [ck::CKR_KEY_TYPE_INCONSISTENT, not_permitted];
    session.encapsulate(how, private, &template).expect_err("the other half").is_one_of(&wrong);
    let refused = session.decapsulate(how, public, &template, &sealed);
    refused.expect_err("the other half").is_one_of(&wrong);
    // Nobody encapsulates who was not asked to.
    let usual = session.create(&known::rsa_public()).unwrap();
    session.encapsulate(how, usual, &template).refused(not_permitted);
    let usual = session.create(&known::rsa_private()).unwrap();
    session.decapsulate(how, usual, &template, &sealed).refused(not_permitted);
    let short = session.encapsulate_into(how, public, &template, MODULUS - 1);
    assert_eq!((short.0.0, short.1, short.2), (ck::CKR_BUFFER_TOO_SMALL, MODULUS, 0));
    let none = session.decapsulate(how, 0, &template, &sealed);
    none.refused(ck::CKR_KEY_HANDLE_INVALID);
}
