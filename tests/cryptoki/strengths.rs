//! What the configuration lets mechanisms and keys do: allow and deny lists, least strengths,
//! for all tokens and for one.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, P256};
use crate::support::module::call;
use crate::support::operations::{Mechanism, plain, with_struct};
use crate::support::token::make_token;
use crate::support::{Module, Refused, Rv, Session, USER_PIN, isolated, template};

fn offered(module: &Module, slot: ck::CK_SLOT_ID) -> Vec<ck::CK_MECHANISM_TYPE> {
    let mut count = 0;
    call!(module, C_GetMechanismList(slot, null_mut(), &raw mut count)).is(ck::CKR_OK);
    let mut list = vec![0; usize::try_from(count).unwrap()];
    call!(module, C_GetMechanismList(slot, list.as_mut_ptr(), &raw mut count)).is(ck::CKR_OK);
    list
}

fn info(
    module: &Module,
    slot: ck::CK_SLOT_ID,
    mechanism: ck::CK_MECHANISM_TYPE,
) -> Result<ck::CK_MECHANISM_INFO, Rv> {
    let mut info = ck::CK_MECHANISM_INFO::default();
    call!(module, C_GetMechanismInfo(slot, mechanism, &raw mut info)).with(info)
}

fn aes(session: &Session<'_>, bytes: u64) -> Result<ck::CK_OBJECT_HANDLE, Rv> {
    session.generate(&plain(ck::CKM_AES_KEY_GEN), &template! { CKA_VALUE_LEN => bytes })
}

fn rsa(session: &Session<'_>, bits: u64) -> Result<(u64, u64), Rv> {
    let public = template! { CKA_MODULUS_BITS => bits };
    session.generate_pair(&plain(ck::CKM_RSA_PKCS_KEY_PAIR_GEN), &public, &template! {})
}

#[test]
fn a_denied_mechanism_is_not_listed_and_does_nothing() {
    isolated(|bench| {
        bench.configure("mechanisms.deny = [\"CKM_SHA256_*\", \"aes_cbc\", \"SHA384\"]");
        let token = bench.token();
        let session = token.user();
        let list = offered(&token.module, token.slot);
        for denied in [
            ck::CKM_SHA256_RSA_PKCS,
            ck::CKM_SHA256_HMAC,
            ck::CKM_SHA256_RSA_PKCS_PSS,
            ck::CKM_AES_CBC,
            ck::CKM_SHA384,
        ] {
            assert!(!list.contains(&denied), "{denied:#x} is listed");
            info(&token.module, token.slot, denied).refused(ck::CKR_MECHANISM_INVALID);
        }
        for kept in [ck::CKM_SHA256, ck::CKM_AES_CBC_PAD, ck::CKM_SHA384_RSA_PKCS] {
            assert!(list.contains(&kept), "{kept:#x} is not listed");
        }
        let hmac = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
            CKA_VALUE => &[7; 32], CKA_SIGN => true, CKA_VERIFY => true,
        };
        let key = session.create(&hmac).unwrap();
        session.sign_init(&plain(ck::CKM_SHA256_HMAC), key).refused(ck::CKR_MECHANISM_INVALID);
        session.verify_init(&plain(ck::CKM_SHA256_HMAC), key).refused(ck::CKR_MECHANISM_INVALID);
        session.sign_init(&plain(ck::CKM_SHA512_HMAC), key).unwrap();
        let key = session.create(&known::aes(&[1; 16])).unwrap();
        let iv = [0_u8; 16];
        let cbc = with_struct(ck::CKM_AES_CBC, &iv);
        session.encrypt_init(&cbc, key).refused(ck::CKR_MECHANISM_INVALID);
        session.decrypt_init(&cbc, key).refused(ck::CKR_MECHANISM_INVALID);
        let mut sha384 = plain(ck::CKM_SHA384).c;
        call!(session, C_DigestInit(session.handle, &raw mut sha384)).is(ck::CKR_MECHANISM_INVALID);
    });
}

#[test]
fn only_what_is_allowed_is_offered_and_a_denial_wins() {
    isolated(|bench| {
        bench.configure(
            "mechanisms.allow = [\"AES_*\", \"SHA512\"]\nmechanisms.deny = [\"AES_ECB\"]",
        );
        let token = bench.token();
        let session = token.user();
        let list = offered(&token.module, token.slot);
        assert!(list.contains(&ck::CKM_SHA512) && list.contains(&ck::CKM_AES_GCM));
        assert!(!list.contains(&ck::CKM_AES_ECB) && !list.contains(&ck::CKM_RSA_PKCS));
        rsa(&session, 2048).refused(ck::CKR_MECHANISM_INVALID);
        let key = aes(&session, 32).unwrap();
        let ecb = plain(ck::CKM_AES_ECB);
        session.encrypt_init(&ecb, key).refused(ck::CKR_MECHANISM_INVALID);
    });
}

#[test]
fn weak_keys_are_not_made_and_not_used() {
    isolated(|bench| {
        bench
            .configure("[policy]\nrsa_bits = 3072\nec_bits = 384\naes_bits = 256\nhmac_bits = 256");
        let token = bench.token();
        let session = token.user();
        let least = |mechanism| info(&token.module, token.slot, mechanism).unwrap().ulMinKeySize;
        assert_eq!(least(ck::CKM_RSA_PKCS), 3072);
        assert_eq!(least(ck::CKM_RSA_PKCS_KEY_PAIR_GEN), 3072);
        assert_eq!(least(ck::CKM_ECDSA), 384);
        assert_eq!(least(ck::CKM_AES_GCM), 32);
        assert_eq!(least(ck::CKM_GENERIC_SECRET_KEY_GEN), 256);
        assert_eq!(least(ck::CKM_SHA256_HMAC), 32);
        rsa(&session, 2048).refused(ck::CKR_KEY_SIZE_RANGE);
        aes(&session, 16).refused(ck::CKR_KEY_SIZE_RANGE);
        aes(&session, 32).unwrap();
        let curve = template! { CKA_EC_PARAMS => P256 };
        session
            .generate_pair(&plain(ck::CKM_EC_KEY_PAIR_GEN), &curve, &template! {})
            .refused(ck::CKR_KEY_SIZE_RANGE);
        // What is too weak can be taken in, and not be used.
        let weak = session.create(&known::aes(&[1; 16])).unwrap();
        let ecb = plain(ck::CKM_AES_ECB);
        session.encrypt_init(&ecb, weak).refused(ck::CKR_KEY_SIZE_RANGE);
        session.decrypt_init(&ecb, weak).refused(ck::CKR_KEY_SIZE_RANGE);
        let weak = session.create(&known::p256_private()).unwrap();
        session.sign_init(&plain(ck::CKM_ECDSA), weak).refused(ck::CKR_KEY_SIZE_RANGE);
        let weak = session.create(&known::rsa_private()).unwrap();
        session.sign_init(&plain(ck::CKM_RSA_PKCS), weak).refused(ck::CKR_KEY_SIZE_RANGE);
    });
}

/// CKM_RSA_PKCS_PSS with one hash throughout.
fn pss(parameter: &ck::CK_RSA_PKCS_PSS_PARAMS) -> Mechanism<'_> {
    with_struct(ck::CKM_RSA_PKCS_PSS, parameter)
}

#[test]
fn weak_hashes_sign_nothing_in_the_name_or_in_the_parameter() {
    isolated(|bench| {
        bench.configure("policy.hash_bits = 256");
        let token = bench.token();
        let session = token.user();
        let list = offered(&token.module, token.slot);
        assert!(
            !list.contains(&ck::CKM_SHA224_RSA_PKCS) && list.contains(&ck::CKM_SHA256_RSA_PKCS)
        );
        // A digest and a MAC are no signatures.
        assert!(list.contains(&ck::CKM_SHA224) && list.contains(&ck::CKM_SHA_1_HMAC));
        let key = session.create(&known::rsa_private()).unwrap();
        let weak = plain(ck::CKM_SHA224_RSA_PKCS);
        session.sign_init(&weak, key).refused(ck::CKR_MECHANISM_INVALID);
        let mut parameter = ck::CK_RSA_PKCS_PSS_PARAMS {
            hashAlg: ck::CKM_SHA224,
            mgf: ck::CKG_MGF1_SHA224,
            sLen: 28,
        };
        session.sign_init(&pss(&parameter), key).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        parameter.hashAlg = ck::CKM_SHA256;
        parameter.mgf = ck::CKG_MGF1_SHA256;
        session.sign_init(&pss(&parameter), key).unwrap();
    });
}

#[test]
fn a_token_may_have_rules_of_its_own() {
    isolated(|bench| {
        bench.configure(
            "slots.spare = true\nmechanisms.deny = [\"AES_ECB\"]\n\
             [token.old]\nmechanisms.deny = [\"AES_GCM\"]\npolicy.aes_bits = 256",
        );
        let module = bench.initialised();
        let usual = make_token(&module, "usual");
        let old = make_token(&module, "old");
        let (of_usual, of_old) = (offered(&module, usual), offered(&module, old));
        assert!(!of_usual.contains(&ck::CKM_AES_ECB) && of_usual.contains(&ck::CKM_AES_GCM));
        assert!(of_old.contains(&ck::CKM_AES_ECB) && !of_old.contains(&ck::CKM_AES_GCM));
        assert_eq!(info(&module, old, ck::CKM_AES_ECB).unwrap().ulMinKeySize, 32);
        for (slot, ecb, short) in [
            (usual, ck::CKR_MECHANISM_INVALID, ck::CKR_OK),
            (old, ck::CKR_OK, ck::CKR_KEY_SIZE_RANGE),
        ] {
            let session = module.read_write(slot);
            session.login(ck::CKU_USER, USER_PIN).unwrap();
            let key = aes(&session, 32).unwrap();
            session.encrypt_init(&plain(ck::CKM_AES_ECB), key).refused(ecb);
            aes(&session, 16).refused(short);
        }
    });
}

#[test]
fn a_mechanism_is_bound_to_types_of_keys() {
    isolated(|bench| {
        bench.configure(
            "mechanisms.keys = [\"*_KEY_DERIVATION=generic,hkdf\", \"SHA256_HMAC=hmac\", \
             \"CONCATENATE_*=generic\"]",
        );
        let token = bench.token();
        let session = token.user();
        let secret = |key_type: u64| {
            let uses = template! {
                CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => key_type, CKA_VALUE => &[7; 32],
                CKA_SIGN => true, CKA_VERIFY => true, CKA_DERIVE => true,
            };
            session.create(&uses).unwrap()
        };
        let (aes, generic) = (secret(ck::CKK_AES), secret(ck::CKK_GENERIC_SECRET));
        let typed = secret(ck::CKK_SHA256_HMAC);
        let made = template! {
            CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_GENERIC_SECRET,
        };
        let digest = plain(ck::CKM_SHA256_KEY_DERIVATION);
        session.derive(&digest, aes, &made).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        session.derive(&digest, generic, &made).unwrap();
        // The second key as well as the first.
        let join = |base: u64, other: u64| {
            let other: ck::CK_OBJECT_HANDLE = other;
            let how = with_struct(ck::CKM_CONCATENATE_BASE_AND_KEY, &other);
            session.derive(&how, base, &made)
        };
        join(aes, generic).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        join(generic, aes).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        join(generic, generic).unwrap();
        let hmac = plain(ck::CKM_SHA256_HMAC);
        session.sign_init(&hmac, generic).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        session.verify_init(&hmac, generic).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        session.sign_init(&hmac, typed).unwrap();
        // What is bound to nothing works as ever.
        session.verify_init(&plain(ck::CKM_SHA512_HMAC), generic).unwrap();
    });
}

#[test]
fn keys_of_mechanisms_that_are_not_known_are_refused_at_the_start() {
    isolated(|bench| {
        for wrong in ["SHA1-HMAC=hmac", "SHA256_HMAC=hmak", "SHA256_HMAC=aes,x25519", "=aes"] {
            bench.configure(&format!("mechanisms.keys = [\"{wrong}\"]"));
            bench.load().initialize().refused(ck::CKR_GENERAL_ERROR);
            bench.configure(&format!("[token.a]\nmechanisms.keys = [\"{wrong}\"]"));
            bench.load().initialize().refused(ck::CKR_GENERAL_ERROR);
        }
        bench.configure("mechanisms.keys = [\"SHA256_HMAC=generic, hmac\"]");
        bench.load().initialize().unwrap();
    });
}

#[test]
fn a_name_that_no_mechanism_has_is_refused_at_the_start() {
    isolated(|bench| {
        for wrong in ["SHA1-*", "CKM_NO_SUCH", "RSA"] {
            bench.configure(&format!("mechanisms.deny = [\"{wrong}\"]"));
            bench.load().initialize().refused(ck::CKR_GENERAL_ERROR);
            bench.configure(&format!("[token.a]\nmechanisms.allow = [\"{wrong}\"]"));
            bench.load().initialize().refused(ck::CKR_GENERAL_ERROR);
        }
        bench.configure("mechanisms.deny = [\"SHA256_*\"]");
        bench.load().initialize().unwrap();
    });
}
