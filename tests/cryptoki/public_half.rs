//! The public key of a pair from the private one. PKCS#11 3.2, CKM_PUB_KEY_FROM_PRIV_KEY.

use cryptoki_sys as ck;

use crate::support::composite::{CKM_COMP_KEM_KEY_PAIR_GEN, CKM_COMP_SIG_KEY_PAIR_GEN};
use crate::support::known::{self, ED25519, P256};
use crate::support::operations::{plain, with_bytes};
use crate::support::{Refused, Session, Template, isolated, template};

const HOW: ck::CK_MECHANISM_TYPE = ck::CKM_PUB_KEY_FROM_PRIV_KEY;

/// Every kind of pair that is made quickly: how, and what the public template asks for.
fn pairs() -> Vec<(ck::CK_MECHANISM_TYPE, Template)> {
    let curve = |oid: &[u8]| template! { CKA_EC_PARAMS => oid };
    let set = |set: ck::CK_ULONG| template! { CKA_PARAMETER_SET => set };
    vec![
        (ck::CKM_RSA_PKCS_KEY_PAIR_GEN, template! { CKA_MODULUS_BITS => 2048_u64 }),
        (ck::CKM_EC_KEY_PAIR_GEN, curve(P256)),
        (ck::CKM_EC_KEY_PAIR_GEN_W_EXTRA_BITS, curve(P256)),
        (ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, curve(ED25519)),
        (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, curve(b"\x06\x03\x2b\x65\x6e")),
        (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, curve(b"\x06\x03\x2b\x65\x6f")),
        (ck::CKM_ML_DSA_KEY_PAIR_GEN, set(1)),
        (ck::CKM_ML_KEM_KEY_PAIR_GEN, set(2)),
        (ck::CKM_SLH_DSA_KEY_PAIR_GEN, set(3)),
        // MLDSA44-RSA2048-PSS, MLDSA44-Ed25519, MLDSA65-P384.
        (CKM_COMP_SIG_KEY_PAIR_GEN, set(0x01)),
        (CKM_COMP_SIG_KEY_PAIR_GEN, set(0x03)),
        (CKM_COMP_SIG_KEY_PAIR_GEN, set(0x0a)),
        // MLKEM768-RSA2048, MLKEM768-X25519, MLKEM768-P256, MLKEM1024-X448, X-Wing.
        (CKM_COMP_KEM_KEY_PAIR_GEN, set(0x01)),
        (CKM_COMP_KEM_KEY_PAIR_GEN, set(0x04)),
        (CKM_COMP_KEM_KEY_PAIR_GEN, set(0x05)),
        (CKM_COMP_KEM_KEY_PAIR_GEN, set(0x0b)),
        (CKM_COMP_KEM_KEY_PAIR_GEN, set(0xC34C_0001)),
    ]
}

/// What makes a public key, of any type.
const NUMBERS: [ck::CK_ATTRIBUTE_TYPE; 9] = [
    ck::CKA_CLASS,
    ck::CKA_KEY_TYPE,
    ck::CKA_PUBLIC_KEY_INFO,
    ck::CKA_MODULUS,
    ck::CKA_PUBLIC_EXPONENT,
    ck::CKA_EC_PARAMS,
    ck::CKA_EC_POINT,
    ck::CKA_PARAMETER_SET,
    ck::CKA_VALUE,
];

fn public_of(
    session: &Session<'_>,
    private: ck::CK_OBJECT_HANDLE,
    asked: &Template,
) -> Result<ck::CK_OBJECT_HANDLE, crate::support::Rv> {
    session.derive(&plain(HOW), private, asked)
}

#[test]
fn every_kind_of_private_key_gives_its_public_key() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for (how, public) in pairs() {
            let private = template! { CKA_ID => b"own", CKA_SUBJECT => b"\x30\x00" };
            let (public, private) =
                session.generate_pair(&plain(how), &public, &private).expect("a pair");
            let again = public_of(&session, private, &template! {}).unwrap();
            for number in NUMBERS {
                let (theirs, ours) = (session.get(public, number), session.get(again, number));
                assert_eq!(theirs, ours, "{how:#x} {number:#x}");
            }
            for (of_private, of_public) in [
                (ck::CKA_SIGN, ck::CKA_VERIFY),
                (ck::CKA_DECRYPT, ck::CKA_ENCRYPT),
                (ck::CKA_UNWRAP, ck::CKA_WRAP),
                (ck::CKA_DECAPSULATE, ck::CKA_ENCAPSULATE),
                (ck::CKA_DERIVE, ck::CKA_DERIVE),
            ] {
                assert_eq!(session.flag(private, of_private), session.flag(again, of_public));
            }
            for no in [ck::CKA_TOKEN, ck::CKA_PRIVATE, ck::CKA_LOCAL, ck::CKA_TRUSTED] {
                assert!(!session.flag(again, no), "{no:#x}");
            }
            session.has(again, ck::CKA_ID, b"own");
            session.has(again, ck::CKA_SUBJECT, b"\x30\x00");
            session.has(again, ck::CKA_LABEL, "");
            session.has(again, ck::CKA_KEY_GEN_MECHANISM, how);
        }
    });
}

#[test]
fn the_template_overrides_what_is_usual_and_nothing_else() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let private = session.create(&known::p256_private().and(ck::CKA_SIGN, true)).unwrap();
        let asked = template! {
            CKA_CLASS => ck::CKO_PUBLIC_KEY, CKA_KEY_TYPE => ck::CKK_EC, CKA_TOKEN => true,
            CKA_LABEL => "half", CKA_ID => b"other", CKA_VERIFY => false,
        };
        let public = public_of(&session, private, &asked).unwrap();
        session.has(public, ck::CKA_LABEL, "half");
        session.has(public, ck::CKA_ID, b"other");
        assert!(session.flag(public, ck::CKA_TOKEN) && !session.flag(public, ck::CKA_VERIFY));
        for (wrong, expected) in [
            (template! { CKA_CLASS => ck::CKO_SECRET_KEY }, ck::CKR_TEMPLATE_INCONSISTENT),
            (template! { CKA_KEY_TYPE => ck::CKK_RSA }, ck::CKR_TEMPLATE_INCONSISTENT),
            (template! { CKA_EC_POINT => b"\x04\x01\x04" }, ck::CKR_TEMPLATE_INCONSISTENT),
            (template! { CKA_SENSITIVE => false }, ck::CKR_TEMPLATE_INCONSISTENT),
            (template! { CKA_LOCAL => true }, ck::CKR_ATTRIBUTE_READ_ONLY),
            (template! { CKA_TRUSTED => true }, ck::CKR_ATTRIBUTE_READ_ONLY),
        ] {
            public_of(&session, private, &wrong).refused(expected);
        }
        let read_only =
            token.module.open(token.slot, ck::CKF_SERIAL_SESSION).expect("a read-only session");
        public_of(&read_only, private, &template! { CKA_TOKEN => true })
            .refused(ck::CKR_SESSION_READ_ONLY);
    });
}

#[test]
fn it_needs_a_private_key_and_no_permission_to_derive() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let sensitive = known::ed25519_private()
            .with(template! { CKA_SENSITIVE => true, CKA_EXTRACTABLE => false });
        let private = session.create(&sensitive).unwrap();
        assert!(!session.flag(private, ck::CKA_DERIVE));
        let public = public_of(&session, private, &template! {}).unwrap();
        session.has(public, ck::CKA_EC_PARAMS, ED25519);
        for other in [
            session.create(&known::aes(&[7; 16])).unwrap(),
            session.create(&known::ed25519_public()).unwrap(),
        ] {
            public_of(&session, other, &template! {}).refused(ck::CKR_KEY_TYPE_INCONSISTENT);
        }
        let how = with_bytes(HOW, b"anything");
        session.derive(&how, private, &template! {}).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        public_of(&session, 0xdead, &template! {}).refused(ck::CKR_KEY_HANDLE_INVALID);
        let fenced = [ck::CKM_EDDSA];
        let fenced = known::ed25519_private().and(ck::CKA_ALLOWED_MECHANISMS, &fenced[..]);
        let private = session.create(&fenced).unwrap();
        public_of(&session, private, &template! {}).refused(ck::CKR_MECHANISM_INVALID);
    });
}
