//! What a failing call says of itself, and what it never says.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::children::take_log;
use crate::support::known::{self, P256};
use crate::support::module::call;
use crate::support::operations::{plain, with_bytes};
use crate::support::{Bench, Refused, SO_PIN, USER_PIN, isolated, template};

/// Has the module write lines of JSON; gives the file.
fn json_log(bench: &Bench) -> std::path::PathBuf {
    let log = bench.dir().join("why.jsonl");
    // SAFETY: one thread runs here.
    unsafe { std::env::set_var("CLAVIGER_LOG", &log) };
    log
}

fn fields(line: &str) -> serde_json::Map<String, serde_json::Value> {
    let value: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|why| {
        panic!("{why}: {line}");
    });
    value.as_object().unwrap().clone()
}

#[test]
fn a_line_of_json_has_a_field_for_each_thing_at_fault() {
    isolated(|bench| {
        let log = json_log(bench);
        let token = bench.token();
        let session = token.user();
        let no_signing = template! { CKA_SIGN => false, CKA_TOKEN => true };
        let key = session.create(&known::p256_private().with(no_signing)).unwrap();
        let id = String::from_utf8(session.get(key, ck::CKA_UNIQUE_ID).unwrap()).unwrap();
        take_log(&log);

        let refused = session.sign_init(&plain(ck::CKM_ECDSA), key);
        refused.refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        let told = take_log(&log);
        assert_eq!(told.lines().count(), 1, "{told}");
        let told = fields(told.trim());
        assert_eq!(told["function"], "C_SignInit");
        assert_eq!(told["rv"], "CKR_KEY_FUNCTION_NOT_PERMITTED");
        assert_eq!(told["mechanism"], "CKM_ECDSA");
        assert_eq!(told["attribute"], "CKA_SIGN");
        assert_eq!(told["key"], id);
        assert_eq!(told["session"], session.handle);
        assert_eq!(told["slot"], token.slot);
        assert_eq!(told["process"], std::process::id());
        assert!(told["time"].as_str().unwrap().ends_with('Z'), "{told:?}");

        let aes = session.create(&known::aes(&[1; 16])).unwrap();
        let short = with_bytes(ck::CKM_AES_GCM, &[0; 5]);
        session.encrypt_init(&short, aes).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        let told = fields(take_log(&log).trim());
        assert_eq!(told["mechanism"], "CKM_AES_GCM");
        assert_eq!(told["parameter"], "CK_GCM_PARAMS");

        let curve = template! { CKA_EC_PARAMS => P256, CKA_EC_POINT => &[0; 3] };
        let made = session.generate_pair(&plain(ck::CKM_EC_KEY_PAIR_GEN), &curve, &template! {});
        assert!(made.is_err());
        assert_eq!(fields(take_log(&log).trim())["attribute"], "CKA_EC_POINT");

        // Without a session there is less to tell; a length query is no failure.
        call!(token.module, C_GetSlotInfo(0x7777, null_mut())).is(ck::CKR_SLOT_ID_INVALID);
        let told = fields(take_log(&log).trim());
        assert_eq!(told["function"], "C_GetSlotInfo");
        assert!(told.get("session").is_none() && told.get("key").is_none());
        let mut short = [0; 1];
        let mut length = 1;
        session.digest_init(&plain(ck::CKM_SHA256)).unwrap();
        let handle = session.handle;
        call!(session, C_Digest(handle, null_mut(), 0, short.as_mut_ptr(), &raw mut length))
            .is(ck::CKR_BUFFER_TOO_SMALL);
        assert_eq!(take_log(&log), "");
    });
}

#[test]
fn text_has_the_same_in_brackets() {
    isolated(|bench| {
        let log = bench.log_to();
        let token = bench.token();
        let session = token.user();
        take_log(&log);
        let key = session.create(&known::aes(&[1; 16])).unwrap();
        session.sign_init(&plain(ck::CKM_AES_ECB), key).refused(ck::CKR_MECHANISM_INVALID);
        let told = take_log(&log);
        let place =
            format!(" [mechanism=CKM_AES_ECB session={} slot={}]\n", session.handle, token.slot);
        assert!(
            told.contains(" C_SignInit CKR_MECHANISM_INVALID ") && told.ends_with(&place),
            "{told}"
        );
    });
}

/// Every PIN and every key value that is given in a session full of mistakes is looked for, in
/// bytes and in hexadecimal digits.
#[test]
fn no_secret_is_ever_told() {
    isolated(|bench| {
        let log = json_log(bench);
        let token = bench.token();
        let session = token.public();
        let wrong_pin = "wrong-pin-5512";
        session.login(ck::CKU_USER, wrong_pin).refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_SO, wrong_pin).refused(ck::CKR_PIN_INCORRECT);
        session.login(ck::CKU_USER, USER_PIN).unwrap();
        session.set_pin(wrong_pin, "another-pin-81").refused(ck::CKR_PIN_INCORRECT);
        let secret = b"sixteen secrets!";
        let value = template! { CKA_VALUE => secret };
        for odd in [
            known::aes(secret).and(ck::CKA_LABEL, &[0xff_u8; 3]).and(ck::CKA_VALUE_LEN, 17_u64),
            known::aes(secret).and(ck::CKA_TOKEN, 7_u64),
            known::aes(&secret[..15]),
            known::p256_private().with(value.clone()),
            known::ed25519_private().with(template! { CKA_VALUE => &secret[..9] }),
            known::rsa_private().with(value.clone()),
            template! { CKA_CLASS => ck::CKO_SECRET_KEY }.with(value),
        ] {
            assert!(session.create(&odd).is_err());
        }
        let key = session.create(&known::aes(secret)).unwrap();
        let kinds = [
            ck::CKM_AES_ECB,
            ck::CKM_AES_CBC,
            ck::CKM_AES_GCM,
            ck::CKM_AES_CTR,
            ck::CKM_SHA256_HMAC,
            ck::CKM_RSA_PKCS,
            ck::CKM_ECDH1_DERIVE,
            0x7777,
        ];
        for kind in kinds {
            for how in [plain(kind), with_bytes(kind, secret), with_bytes(kind, &secret[..7])] {
                let _ = session.encrypt(&how, key, secret);
                let _ = session.decrypt(&how, key, &secret[..11]);
                let _ = session.sign(&how, key, secret);
                let _ = session.verify(&how, key, secret, secret);
                let _ = session.derive(&how, key, &template! { CKA_CLASS => ck::CKO_SECRET_KEY });
                for kind in [kind, 1] {
                    let _ = session.sign_init(&plain(kind), key + 999);
                }
            }
        }
        session.get(key, ck::CKA_VALUE).map(|_| ()).unwrap_or_default();
        let told = std::fs::read(&log).unwrap();
        assert!(told.iter().filter(|&&byte| byte == b'\n').count() > 60, "too few mistakes");
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        for secret in [wrong_pin.as_bytes(), USER_PIN.as_bytes(), SO_PIN.as_bytes(), secret] {
            for form in [secret.to_vec(), hex(secret).into_bytes(), secret[..9].to_vec()] {
                let found = told.windows(form.len()).any(|window| window == form);
                assert!(!found, "{} is told", String::from_utf8_lossy(&form));
            }
        }
        for line in String::from_utf8(told).unwrap().lines() {
            fields(line);
        }
    });
}
