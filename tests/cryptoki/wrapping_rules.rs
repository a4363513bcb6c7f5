//! Which key may leave under which, and what it may be when it comes back. PKCS#11 3.2,
//! C_WrapKey, C_UnwrapKey, "Common attributes"; the module's own policies.

use cryptoki_sys as ck;

use crate::support::known::{self, P256};
use crate::support::log::text;
use crate::support::operations::{Mechanism, plain};
use crate::support::{Refused, Session, Template, Token, USER_PIN, isolated, template};
use crate::wrapping::{asked, open, open_secret, wrapping_key};

fn kwp() -> Mechanism<'static> {
    plain(ck::CKM_AES_KEY_WRAP_KWP)
}

fn aes_asked() -> Template {
    asked(ck::CKO_SECRET_KEY, ck::CKK_AES)
}

/// An AES key of the token that the security officer trusts, for sessions of the user.
pub fn trusted_key(token: &Token, extra: Template) -> ck::CK_OBJECT_HANDLE {
    let officer = token.officer();
    let key = known::aes(&[5; 32]).with(template! {
        CKA_TOKEN => true, CKA_PRIVATE => false, CKA_TRUSTED => true, CKA_SENSITIVE => true,
        CKA_EXTRACTABLE => false, CKA_LABEL => "trusted",
    });
    officer.create(&key.with(extra)).expect("a trusted key");
    officer.logout().expect("C_Logout");
    officer.login(ck::CKU_USER, USER_PIN).expect("C_Login");
    officer.find(&template! { CKA_LABEL => "trusted" }).expect("a search")[0]
}

#[test]
fn attributes_of_both_keys_are_asked() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 16]);
        let kept = session
            .create(&known::aes(&[1; 16]).with(template! { CKA_EXTRACTABLE => false }))
            .unwrap();
        session.wrap(&kwp(), by, kept).refused(ck::CKR_KEY_UNEXTRACTABLE);
        let fixed = open_secret(ck::CKK_AES, &[1; 16]).and(ck::CKA_MODIFIABLE, false);
        let fixed = session.create(&fixed).unwrap();
        session.wrap(&kwp(), by, fixed).unwrap();
        session.set(by, &template! { CKA_WRAP => false }).unwrap();
        session.wrap(&kwp(), by, fixed).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        let listed = known::aes(&[7; 16])
            .and(ck::CKA_ALLOWED_MECHANISMS, &[ck::CKM_AES_KEY_WRAP, ck::CKM_AES_ECB][..]);
        let listed = session.create(&listed).unwrap();
        session.wrap(&kwp(), listed, fixed).refused(ck::CKR_MECHANISM_INVALID);
        let kw = plain(ck::CKM_AES_KEY_WRAP);
        let wrapped = session.wrap(&kw, listed, fixed).unwrap();
        session.unwrap_key(&kw, listed, &wrapped, &aes_asked()).unwrap();
        session
            .unwrap_key(&kwp(), listed, &wrapped, &aes_asked())
            .refused(ck::CKR_MECHANISM_INVALID);
    });
}

#[test]
fn a_key_that_wants_trust_leaves_under_trusted_keys_only() {
    isolated(|bench| {
        let token = bench.token();
        let trusted = trusted_key(&token, template! {});
        let session = token.read_only();
        let wants = open_secret(ck::CKK_AES, &[1; 16]).and(ck::CKA_WRAP_WITH_TRUSTED, true);
        let wants = session.create(&wants).unwrap();
        let untrusted = wrapping_key(&session, &[7; 16]);
        session.wrap(&kwp(), untrusted, wants).refused(ck::CKR_KEY_NOT_WRAPPABLE);
        session.wrap(&kwp(), trusted, wants).unwrap();
        // Nobody but the officer gives trust, and nobody takes the demand off.
        let forged = known::aes(&[7; 16]).and(ck::CKA_TRUSTED, true);
        session.create(&forged).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        session
            .set(untrusted, &template! { CKA_TRUSTED => true })
            .refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        let less = template! { CKA_WRAP_WITH_TRUSTED => false };
        session.set(wants, &less).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        session.copy(wants, &less).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        let copy = session.copy(wants, &template! {}).unwrap();
        session.wrap(&kwp(), untrusted, copy).refused(ck::CKR_KEY_NOT_WRAPPABLE);
    });
}

#[test]
fn what_a_trusted_key_wrapped_does_not_become_readable() {
    isolated(|bench| {
        let token = bench.token();
        let trusted = trusted_key(&token, template! {});
        let session = token.public();
        let secret = known::aes(&[1; 16]).with(template! {
            CKA_TOKEN => true, CKA_SENSITIVE => true, CKA_EXTRACTABLE => true,
            CKA_WRAP_WITH_TRUSTED => true,
        });
        let secret = session.create(&secret).unwrap();
        let wrapped = session.wrap(&kwp(), trusted, secret).unwrap();
        // Neither as data,
        session.decrypt_init(&kwp(), trusted).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        // nor as a key that shows its value, nor as one that any key may wrap.
        let back = session.unwrap_key(&kwp(), trusted, &wrapped, &aes_asked());
        back.refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let asked = template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES };
        let loose = asked.clone().and(ck::CKA_WRAP_WITH_TRUSTED, false);
        session
            .unwrap_key(&kwp(), trusted, &wrapped, &loose)
            .refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let back = session.unwrap_key(&kwp(), trusted, &wrapped, &asked).unwrap();
        session.get(back, ck::CKA_VALUE).refused(ck::CKR_ATTRIBUTE_SENSITIVE);
        let own = wrapping_key(&session, &[7; 16]);
        session.wrap(&kwp(), own, back).refused(ck::CKR_KEY_NOT_WRAPPABLE);
    });
}

#[test]
fn todays_policy_binds_keys_of_yesterday() {
    isolated(|bench| {
        bench.configure("policy.export = \"standard\"");
        let token = bench.token();
        let session = token.user();
        let loose = known::aes(&[1; 16]).with(template! {
            CKA_TOKEN => true, CKA_SENSITIVE => true, CKA_EXTRACTABLE => true,
        });
        let loose = session.create(&loose).unwrap();
        let by = wrapping_key(&session, &[7; 16]);
        session.wrap(&kwp(), by, loose).unwrap();
        token.module.finalize().unwrap();
        bench.configure("policy.export = \"deny\"");
        token.module.initialize().unwrap();
        let session = token.user();
        let loose = session.find(&template! { CKA_TOKEN => true, CKA_KEY_TYPE => ck::CKK_AES });
        let loose = loose.unwrap()[0];
        let by = wrapping_key(&session, &[7; 16]);
        session.wrap(&kwp(), by, loose).refused(ck::CKR_KEY_NOT_WRAPPABLE);
        let copy = session.copy(loose, &template! { CKA_TOKEN => false }).unwrap();
        session.wrap(&kwp(), by, copy).refused(ck::CKR_KEY_NOT_WRAPPABLE);
    });
}

#[test]
fn templates_of_wrapping_keys_hold() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let demands = template! { CKA_KEY_TYPE => ck::CKK_AES, CKA_LABEL => "for export" };
        let gives = template! { CKA_LABEL => "came in", CKA_SENSITIVE => true, CKA_WRAP => false };
        let by = known::aes(&[7; 16])
            .nesting(ck::CKA_WRAP_TEMPLATE, demands)
            .nesting(ck::CKA_UNWRAP_TEMPLATE, gives);
        let by = session.create(&by).unwrap();
        let key = session.create(&open_secret(ck::CKK_AES, &[1; 16])).unwrap();
        session.wrap(&kwp(), by, key).refused(ck::CKR_KEY_HANDLE_INVALID);
        session.set(key, &template! { CKA_LABEL => "for export" }).unwrap();
        let wrapped = session.wrap(&kwp(), by, key).unwrap();
        let refused = session.unwrap_key(&kwp(), by, &wrapped, &aes_asked());
        refused.refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let asked = aes_asked().without(ck::CKA_SENSITIVE);
        let back = session.unwrap_key(&kwp(), by, &wrapped, &asked).unwrap();
        session.has(back, ck::CKA_LABEL, "came in");
        assert!(session.flag(back, ck::CKA_SENSITIVE) && !session.flag(back, ck::CKA_WRAP));
        // A template does not look where its owner could not look.
        let guess = template! { CKA_VALUE => &[1; 16] };
        let asks = known::aes(&[7; 16]).nesting(ck::CKA_WRAP_TEMPLATE, guess);
        let asks = session.create(&asks).unwrap();
        let hidden =
            known::aes(&[1; 16]).with(template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => true });
        let hidden = session.create(&hidden).unwrap();
        session.wrap(&kwp(), asks, hidden).refused(ck::CKR_KEY_HANDLE_INVALID);
        session.wrap(&kwp(), asks, key).unwrap();
    });
}

#[test]
fn a_template_of_a_base_key_holds_for_what_is_derived() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let (public, _) = crate::ecdsa::generate(&session, P256);
        let point = crate::derive::point(&session, public, 32);
        let base = known::p256_private().and(ck::CKA_DERIVE, true).nesting(
            ck::CKA_DERIVE_TEMPLATE,
            template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false, CKA_ENCRYPT => false },
        );
        let base = session.create(&base).unwrap();
        let parameter = crate::derive::ecdh(&point);
        let how = crate::support::operations::with_struct(ck::CKM_ECDH1_DERIVE, &parameter);
        let asked = template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES,
        CKA_VALUE_LEN => 16_u64 };
        session
            .derive(&how, base, &asked.clone().and(ck::CKA_SENSITIVE, false))
            .refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let made = session.derive(&how, base, &asked).unwrap();
        assert!(session.flag(made, ck::CKA_SENSITIVE) && !session.flag(made, ck::CKA_EXTRACTABLE));
        assert!(!session.flag(made, ck::CKA_ENCRYPT) && !session.flag(made, ck::CKA_LOCAL));
    });
}

#[test]
fn a_key_outside_its_dates_makes_nothing_new() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let ecb = plain(ck::CKM_AES_ECB);
        let date = |start: &str, end: &str| {
            template! { CKA_START_DATE => start.as_bytes(), CKA_END_DATE => end.as_bytes() }
        };
        let key = session.create(&known::aes(&[1; 16])).unwrap();
        let other = session.create(&open_secret(ck::CKK_AES, &[2; 16])).unwrap();
        let wrapped = session.wrap(&kwp(), key, other).unwrap();
        let sealed = session.encrypt(&ecb, key, &[0; 16]).unwrap();
        for (start, end, is_current) in [
            ("20000101", "20991231", true),
            ("20000101", "", true),
            ("", "20991231", true),
            ("", "", true),
            ("20000101", "20200101", false),
            ("", "20200101", false),
            ("20980101", "20991231", false),
            ("20980101", "", false),
        ] {
            session.set(key, &date(start, end)).unwrap();
            let made = [session.encrypt(&ecb, key, &[0; 16]), session.wrap(&kwp(), key, other)];
            for made in made {
                match is_current {
                    true => drop(made.expect("a key within its dates")),
                    false => made.refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED),
                }
            }
            // What was made before can be undone for ever.
            assert_eq!(session.decrypt(&ecb, key, &sealed).unwrap(), [0; 16]);
            session.unwrap_key(&kwp(), key, &wrapped, &aes_asked()).unwrap();
        }
        let signing = template! { CKA_END_DATE => b"20200101" };
        let private = session.create(&known::p256_private().with(signing)).unwrap();
        let public = session.create(&known::p256_public()).unwrap();
        let ecdsa = plain(ck::CKM_ECDSA_SHA256);
        session.sign_init(&ecdsa, private).refused(ck::CKR_KEY_FUNCTION_NOT_PERMITTED);
        session.set(private, &template! { CKA_END_DATE => b"" }).unwrap();
        let signature = session.sign(&ecdsa, private, b"data").unwrap();
        session.set(public, &template! { CKA_END_DATE => b"20200101" }).unwrap();
        session.verify(&ecdsa, public, b"data", &signature).unwrap();
    });
}

#[test]
fn dates_are_for_reference_only_where_the_configuration_says_so() {
    isolated(|bench| {
        bench.configure("policy.dates = false");
        let token = bench.token();
        let session = token.user();
        let old = known::aes(&[1; 16]).and(ck::CKA_END_DATE, b"20200101");
        let old = session.create(&old).unwrap();
        session.encrypt(&plain(ck::CKM_AES_ECB), old, &[0; 16]).unwrap();
    });
}

#[test]
fn a_key_is_for_data_or_for_keys_where_the_configuration_says_so() {
    isolated(|bench| {
        bench.configure("policy.separate_uses = true");
        let token = bench.token();
        let session = token.user();
        let uses = |session: &Session<'_>, key| {
            [ck::CKA_ENCRYPT, ck::CKA_DECRYPT, ck::CKA_WRAP, ck::CKA_UNWRAP]
                .map(|kind| session.flag(key, kind))
        };
        let usual = session.create(&known::aes(&[1; 16])).unwrap();
        assert_eq!(uses(&session, usual), [true, true, false, false]);
        let wraps = session.create(&known::aes(&[1; 16]).and(ck::CKA_WRAP, true)).unwrap();
        assert_eq!(uses(&session, wraps), [false, false, true, false]);
        let both = template! { CKA_WRAP => true, CKA_DECRYPT => true };
        session.create(&known::aes(&[1; 16]).with(both)).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let generated =
            template! { CKA_VALUE_LEN => 16_u64, CKA_ENCRYPT => true, CKA_UNWRAP => true };
        session
            .generate(&plain(ck::CKM_AES_KEY_GEN), &generated)
            .refused(ck::CKR_TEMPLATE_INCONSISTENT);
        // First this, then that: what was wrapped then could be decrypted now.
        session.set(wraps, &template! { CKA_WRAP => false }).unwrap();
        for late in [template! { CKA_DECRYPT => true }, template! { CKA_WRAP => true }] {
            session.set(wraps, &late).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
            session.copy(wraps, &late).refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        }
        let rsa = plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN);
        let public = template! { CKA_MODULUS_BITS => 2048_u64, CKA_WRAP => true };
        session
            .generate_pair(&rsa, &public, &template! { CKA_DECRYPT => true })
            .refused(ck::CKR_TEMPLATE_INCONSISTENT);
        session.generate_pair(&rsa, &public, &template! { CKA_UNWRAP => true }).unwrap();
        // An encapsulated secret is a wrapped key.
        let public = template! { CKA_MODULUS_BITS => 2048_u64, CKA_ENCAPSULATE => true };
        let both = template! { CKA_DECAPSULATE => true, CKA_DECRYPT => true };
        session.generate_pair(&rsa, &public, &both).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        session
            .generate_pair(&rsa, &public, &template! { CKA_DECRYPT => true })
            .refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let opens = template! { CKA_DECAPSULATE => true };
        let (public, private) = session.generate_pair(&rsa, &public, &opens).unwrap();
        assert!(!session.flag(public, ck::CKA_ENCRYPT));
        assert!(!session.flag(private, ck::CKA_DECRYPT));
        session
            .set(private, &template! { CKA_DECRYPT => true })
            .refused(ck::CKR_ATTRIBUTE_READ_ONLY);
        // Keys that do nothing else do it still without being asked.
        let how = plain(ck::CKM_ML_KEM_KEY_PAIR_GEN);
        let set = template! { CKA_PARAMETER_SET => ck::CKP_ML_KEM_512 };
        let (public, private) = session.generate_pair(&how, &set, &template! {}).unwrap();
        assert!(session.flag(public, ck::CKA_ENCAPSULATE));
        assert!(session.flag(private, ck::CKA_DECAPSULATE));
    });
}

#[test]
fn both_keys_are_on_record() {
    isolated(|bench| {
        let token = bench.token();
        let trusted = trusted_key(&token, template! {});
        let session = token.public();
        let secret = known::aes(&[1; 16]).with(template! {
            CKA_TOKEN => true, CKA_SENSITIVE => true, CKA_EXTRACTABLE => true,
            CKA_WRAP_WITH_TRUSTED => true,
        });
        let secret = session.create(&secret).unwrap();
        let id = |key| String::from_utf8(session.get(key, ck::CKA_UNIQUE_ID).unwrap()).unwrap();
        let (by, key) = (id(trusted), id(secret));
        let wrapped = session.wrap(&kwp(), trusted, secret).unwrap();
        let asked = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES, CKA_TOKEN => true,
        };
        let back = session.unwrap_key(&kwp(), trusted, &wrapped, &asked).unwrap();
        let back = id(back);
        let mut damaged = wrapped.clone();
        damaged[0] ^= 1;
        session.unwrap_key(&kwp(), trusted, &damaged, &asked).refused(ck::CKR_WRAPPED_KEY_INVALID);
        session.logout().unwrap();
        let log = bench.log();
        let keys_of = |kind: &str, call: &str, rv: &str| -> Vec<String> {
            let of = log.of_kind(kind);
            let of = of.filter(|leaf| text(leaf, "call") == call && text(leaf, "rv") == rv);
            of.map(|leaf| text(leaf, "key").to_owned()).collect()
        };
        // A length query leaves no record; the call itself one for each of the two keys.
        assert_eq!(keys_of("", "C_WrapKey", "CKR_OK"), [by.clone(), key]);
        assert_eq!(keys_of("", "C_UnwrapKey", "CKR_OK"), std::slice::from_ref(&by));
        assert_eq!(keys_of("change", "C_UnwrapKey", "CKR_OK"), [back]);
        assert_eq!(keys_of("", "C_UnwrapKey", "CKR_WRAPPED_KEY_INVALID"), [by]);
    });
}

#[test]
fn token_objects_come_in_through_read_write_sessions_only() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let by = wrapping_key(&session, &[7; 16]);
        let key = session.create(&open(known::p256_private())).unwrap();
        let wrapped = session.wrap(&kwp(), by, key).unwrap();
        let asked = template! {
            CKA_CLASS => ck::CKO_PRIVATE_KEY, CKA_KEY_TYPE => ck::CKK_EC, CKA_TOKEN => true,
        };
        let reader = token.read_only();
        let refused = reader.unwrap_key(&kwp(), by, &wrapped, &asked);
        refused.refused(ck::CKR_SESSION_READ_ONLY);
        let kept = session.unwrap_key(&kwp(), by, &wrapped, &asked).unwrap();
        assert!(session.flag(kept, ck::CKA_SENSITIVE) && !session.flag(kept, ck::CKA_EXTRACTABLE));
        // Under the export policy nothing else lies on the token.
        let readable = asked.with(template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true });
        let refused = session.unwrap_key(&kwp(), by, &wrapped, &readable);
        refused.refused(ck::CKR_TEMPLATE_INCONSISTENT);
    });
}
