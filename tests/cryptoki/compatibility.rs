//! `[compatibility]` of the configuration: each switch changes one answer, and nothing else does.
//! What the standard says is tested first, what the switch makes of it after.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::children::in_child;
use crate::support::operations::{plain, with_struct};
use crate::support::template::len;
use crate::support::{Bench, Refused, Rv, Session, Token, call, isolated, known, template};

fn token_with(bench: &Bench, switch: &str) -> Token {
    if !switch.is_empty() {
        bench.configure(&format!("[compatibility]\n{switch} = true"));
    }
    bench.token()
}

#[test]
fn nobody_logs_out() {
    isolated(|bench| {
        token_with(bench, "").public().logout().refused(ck::CKR_USER_NOT_LOGGED_IN);
    });
}

#[test]
fn with_logout_again_nobody_logs_out_with_success() {
    isolated(|bench| {
        let token = token_with(bench, "logout_again");
        let session = token.user();
        session.logout().unwrap();
        session.logout().unwrap();
        assert_eq!(session.state(), ck::CKS_RW_PUBLIC_SESSION);
        call!(session, C_Logout(session.handle + 1)).is(ck::CKR_SESSION_HANDLE_INVALID);
    });
}

/// Begins a digest of "ab", then does the calls that have a pointer missing.
fn stumble(session: &Session<'_>, call: impl FnOnce(&Session<'_>) -> Rv) {
    session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
    call(session).is(ck::CKR_ARGUMENTS_BAD);
}

type Stumble = fn(&Session<'_>) -> Rv;

const STUMBLES: &[Stumble] = &[
    |of| call!(of, C_Digest(of.handle, null_mut(), 5, null_mut(), &mut 0)),
    |of| call!(of, C_Digest(of.handle, [0; 5].as_mut_ptr(), 5, null_mut(), null_mut())),
    |of| call!(of, C_DigestUpdate(of.handle, null_mut(), 5)),
    |of| call!(of, C_DigestFinal(of.handle, null_mut(), null_mut())),
];

#[test]
fn a_digest_ends_with_bad_arguments() {
    isolated(|bench| {
        let token = token_with(bench, "");
        let session = token.public();
        for stumble_over in STUMBLES {
            stumble(&session, stumble_over);
            session.digest_final().refused(ck::CKR_OPERATION_NOT_INITIALIZED);
        }
    });
}

#[test]
fn with_digest_goes_on_it_does_not_end() {
    isolated(|bench| {
        let token = token_with(bench, "digest_goes_on");
        let session = token.user();
        for stumble_over in STUMBLES {
            stumble(&session, stumble_over);
            session.digest_update(b"abc").unwrap();
            let digest = session.digest_final().unwrap();
            assert_eq!(digest, session.digest(&plain(ck::CKM_SHA256), b"abc").unwrap());
        }
        // Other operations end as ever.
        let key = session.create(&known::aes(&[1; 16])).unwrap();
        session.encrypt_init(&plain(ck::CKM_AES_ECB), key).unwrap();
        call!(session, C_Encrypt(session.handle, null_mut(), 16, null_mut(), &mut 0))
            .is(ck::CKR_ARGUMENTS_BAD);
        session.encrypt_final().refused(ck::CKR_OPERATION_NOT_INITIALIZED);
        // So does a digest that its caller ends.
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        call!(session, C_SessionCancel(session.handle, ck::CKF_DIGEST)).is(ck::CKR_OK);
        session.digest_final().refused(ck::CKR_OPERATION_NOT_INITIALIZED);
    });
}

fn oaep() -> ck::CK_RSA_PKCS_OAEP_PARAMS {
    ck::CK_RSA_PKCS_OAEP_PARAMS {
        hashAlg: ck::CKM_SHA_1,
        mgf: ck::CKG_MGF1_SHA1,
        source: ck::CKZ_DATA_SPECIFIED,
        pSourceData: null_mut(),
        ulSourceDataLen: 0,
    }
}

/// What C_EncryptInit answers to parameters of OAEP that are wrong in every way.
fn refuses_bad_oaep(session: &Session<'_>, with: ck::CK_RV) {
    let key = session.create(&known::rsa_public()).unwrap();
    let bad = [
        ck::CK_RSA_PKCS_OAEP_PARAMS { hashAlg: ck::CKM_AES_CBC, ..oaep() },
        ck::CK_RSA_PKCS_OAEP_PARAMS { mgf: 77, ..oaep() },
        ck::CK_RSA_PKCS_OAEP_PARAMS { source: 5, ..oaep() },
        ck::CK_RSA_PKCS_OAEP_PARAMS { ulSourceDataLen: 5, ..oaep() },
    ];
    for params in &bad {
        session.encrypt_init(&with_struct(ck::CKM_RSA_PKCS_OAEP, params), key).refused(with);
    }
    session.encrypt_init(&plain(ck::CKM_RSA_PKCS_OAEP), key).refused(with);
    let good = oaep();
    for size in [0, 1, len(size_of_val(&good)) - 1, len(size_of_val(&good)) + 1] {
        let mut short = with_struct(ck::CKM_RSA_PKCS_OAEP, &good);
        short.c.ulParameterLen = size;
        session.encrypt_init(&short, key).refused(with);
    }
    // Another mechanism's parameter is what it is, and a good one is taken.
    let how = plain(ck::CKM_RSA_PKCS_PSS);
    let private = session.create(&known::rsa_private().and(ck::CKA_SIGN, true)).unwrap();
    session.sign_init(&how, private).refused(ck::CKR_MECHANISM_PARAM_INVALID);
    session.encrypt_init(&with_struct(ck::CKM_RSA_PKCS_OAEP, &good), key).unwrap();
}

#[test]
fn a_bad_parameter_of_oaep_is_one_of_the_mechanism() {
    isolated(|bench| {
        let token = token_with(bench, "");
        refuses_bad_oaep(&token.user(), ck::CKR_MECHANISM_PARAM_INVALID);
    });
}

#[test]
fn with_oaep_arguments_it_is_a_bad_argument() {
    isolated(|bench| {
        let token = token_with(bench, "oaep_arguments");
        refuses_bad_oaep(&token.user(), ck::CKR_ARGUMENTS_BAD);
    });
}

#[test]
fn with_fork_initialized_a_child_begins_anew() {
    isolated(|bench| {
        let token = token_with(bench, "fork_initialized");
        let session = token.user();
        in_child(|| {
            token.module.initialize().refused(ck::CKR_CRYPTOKI_ALREADY_INITIALIZED);
            token.module.finalize().unwrap();
            token.module.finalize().refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED);
            token.module.initialize().unwrap();
        });
        in_child(|| {
            // Any call begins; the parent's session and login are not the child's.
            session.random(8).refused(ck::CKR_SESSION_HANDLE_INVALID);
            let own = token.public();
            assert_eq!(own.state(), ck::CKS_RW_PUBLIC_SESSION);
            own.login(ck::CKU_USER, crate::support::USER_PIN).unwrap();
            own.create(&template! {
                CKA_CLASS => ck::CKO_DATA, CKA_TOKEN => true, CKA_LABEL => "the child's",
            })
            .unwrap();
            in_child(|| session.random(8).refused(ck::CKR_SESSION_HANDLE_INVALID));
        });
        assert_eq!(session.state(), ck::CKS_RW_USER_FUNCTIONS, "the parent notices nothing");
        assert_eq!(session.count(&template! { CKA_LABEL => "the child's" }), 1);
        token.module.finalize().unwrap();
        in_child(|| token.module.finalize().refused(ck::CKR_CRYPTOKI_NOT_INITIALIZED));
    });
}

/// A data object whose label is given twice.
fn labelled_twice(session: &Session<'_>, second: &str) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
    session.create(&template! {
        CKA_CLASS => ck::CKO_DATA, CKA_LABEL => "first", CKA_LABEL => second,
    })
}

#[test]
fn two_values_of_one_attribute_are_inconsistent() {
    isolated(|bench| {
        let token = token_with(bench, "");
        let session = token.user();
        labelled_twice(&session, "second").refused(ck::CKR_TEMPLATE_INCONSISTENT);
        labelled_twice(&session, "first").unwrap();
    });
}

#[test]
fn with_template_repeats_the_last_value_counts() {
    isolated(|bench| {
        let token = token_with(bench, "template_repeats");
        let session = token.user();
        let object = labelled_twice(&session, "second").unwrap();
        session.has(object, ck::CKA_LABEL, "second");
        token.module.finalize().unwrap();
        bench.configure("");
        token.module.initialize().unwrap();
        let session = token.user();
        labelled_twice(&session, "second").refused(ck::CKR_TEMPLATE_INCONSISTENT);
    });
}

/// A pair on Ed448, whose curve is given as it is written here.
fn ed448(session: &Session<'_>, curve: &[u8]) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
    session.generate_pair(&how, &template! { CKA_EC_PARAMS => curve }, &template! {}).unwrap()
}

const EDWARDS448: &[u8] = b"\x13\x0aedwards448";

#[test]
fn ed448_by_its_name_takes_a_parameter() {
    isolated(|bench| {
        let token = token_with(bench, "");
        let session = token.user();
        let bare = plain(ck::CKM_EDDSA);
        let (public, private) = ed448(&session, EDWARDS448);
        session.sign_init(&bare, private).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        session.verify_init(&bare, public).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        // RFC 8410's identifier says which scheme it is.
        let (public, private) = ed448(&session, b"\x06\x03\x2b\x65\x71");
        let signature = session.sign(&bare, private, b"message").unwrap();
        session.verify(&bare, public, b"message", &signature).unwrap();
    });
}

#[test]
fn with_ed448_bare_it_needs_none() {
    isolated(|bench| {
        let token = token_with(bench, "ed448_bare");
        let session = token.user();
        let (public, private) = ed448(&session, EDWARDS448);
        let signature = session.sign(&plain(ck::CKM_EDDSA), private, b"message").unwrap();
        session.verify(&plain(ck::CKM_EDDSA), public, b"message", &signature).unwrap();
    });
}

/// A generic secret of 24 bytes, wrapped under the key that comes with it.
fn wrapped(session: &Session<'_>) -> (u64, Vec<u8>) {
    let by = template! {
        CKA_VALUE_LEN => 32, CKA_WRAP => true, CKA_UNWRAP => true, CKA_EXTRACTABLE => false,
    };
    let by = session.generate(&plain(ck::CKM_AES_KEY_GEN), &by).unwrap();
    let key = template! {
        CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        CKA_VALUE => &[9; 24], CKA_EXTRACTABLE => true,
    };
    let key = session.create(&key).unwrap();
    (by, session.wrap(&plain(ck::CKM_AES_KEY_WRAP), by, key).unwrap())
}

#[test]
fn what_is_unwrapped_has_a_type() {
    isolated(|bench| {
        let token = token_with(bench, "");
        let session = token.user();
        let (by, bytes) = wrapped(&session);
        let how = plain(ck::CKM_AES_KEY_WRAP);
        let readable = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
        session.unwrap_key(&how, by, &bytes, &readable).refused(ck::CKR_TEMPLATE_INCOMPLETE);
    });
}

#[test]
fn with_unwrap_bare_it_is_a_generic_secret() {
    isolated(|bench| {
        let token = token_with(bench, "unwrap_bare");
        let session = token.user();
        let (by, bytes) = wrapped(&session);
        let how = plain(ck::CKM_AES_KEY_WRAP);
        let readable = template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true };
        let key = session.unwrap_key(&how, by, &bytes, &readable).unwrap();
        assert_eq!(session.number(key, ck::CKA_CLASS), ck::CKO_SECRET_KEY);
        assert_eq!(session.number(key, ck::CKA_KEY_TYPE), ck::CKK_GENERIC_SECRET);
        assert_eq!(session.get(key, ck::CKA_VALUE).unwrap(), [9; 24]);
        // Who says one of the two has to say both.
        let half = template! { CKA_CLASS => ck::CKO_SECRET_KEY };
        session.unwrap_key(&how, by, &bytes, &half).refused(ck::CKR_TEMPLATE_INCOMPLETE);
    });
}

#[test]
fn no_flag_cancels_nothing() {
    isolated(|bench| {
        let token = token_with(bench, "");
        let session = token.public();
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        call!(session, C_SessionCancel(session.handle, 0)).is(ck::CKR_OK);
        session.digest_init(&plain(ck::CKM_SHA256)).refused(ck::CKR_OPERATION_ACTIVE);
    });
}

#[test]
fn with_cancel_bare_no_flag_cancels_everything() {
    isolated(|bench| {
        let token = token_with(bench, "cancel_bare");
        let session = token.user();
        let key = session.create(&known::aes(&[1; 16])).unwrap();
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        session.encrypt_init(&plain(ck::CKM_AES_ECB), key).unwrap();
        // A flag names what it names, as ever.
        call!(session, C_SessionCancel(session.handle, ck::CKF_SIGN)).is(ck::CKR_OK);
        session.digest_init(&plain(ck::CKM_SHA256)).refused(ck::CKR_OPERATION_ACTIVE);
        call!(session, C_SessionCancel(session.handle, 0)).is(ck::CKR_OK);
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        session.encrypt_init(&plain(ck::CKM_AES_ECB), key).unwrap();
    });
}
