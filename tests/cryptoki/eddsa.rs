//! Ed25519, plain, with a context and prehashed. PKCS#11 3.2, "EdDSA"; RFC 8032.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, ED25519, ED25519_NAME, hex};
use crate::support::operations::{plain, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Session, isolated, template};

/// RFC 8032, test 1: the signature of nothing under the known key.
const OF_NOTHING: &str = "\
    e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
    5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

/// An example of RFC 8032, sections 7.2 and 7.3.
struct Example {
    prehashed: bool,
    seed: &'static str,
    public: &'static str,
    message: &'static str,
    context: &'static str,
    signature: &'static str,
}

/// With a context, and prehashed.
const EXAMPLES: &[Example] = &[
    Example {
        prehashed: false,
        seed: "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
        public: "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292",
        message: "f726936d19c800494e3fdaff20b276a8",
        context: "666f6f",
        signature: "\
                 55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a\
                 8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d",
    },
    Example {
        prehashed: false,
        seed: "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
        public: "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292",
        message: "f726936d19c800494e3fdaff20b276a8",
        context: "626172",
        signature: "\
                 fc60d5872fc46b3aa69f8b5b4351d5808f92bcc044606db097abab6dbcb1aee3\
                 216c48e8b3b66431b5b186d1d28f8ee15a5ca2df6668346291c2043d4eb3e90d",
    },
    Example {
        prehashed: false,
        seed: "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
        public: "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292",
        message: "508e9e6882b979fea900f62adceaca35",
        context: "666f6f",
        signature: "\
                 8b70c1cc8310e1de20ac53ce28ae6e7207f33c3295e03bb5c0732a1d20dc6490\
                 8922a8b052cf99b7c4fe107a5abb5b2c4085ae75890d02df26269d8945f84b0b",
    },
    Example {
        prehashed: false,
        seed: "ab9c2853ce297ddab85c993b3ae14bcad39b2c682beabc27d6d4eb20711d6560",
        public: "0f1d1274943b91415889152e893d80e93275a1fc0b65fd71b4b0dda10ad7d772",
        message: "f726936d19c800494e3fdaff20b276a8",
        context: "666f6f",
        signature: "\
                 21655b5f1aa965996b3f97b3c849eafba922a0a62992f73b3d1b73106a84ad85\
                 e9b86a7b6005ea868337ff2d20a7f5fbd4cd10b0be49a68da2b2e0dc0ad8960f",
    },
    Example {
        prehashed: true,
        seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        public: "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        message: "616263",
        context: "",
        signature: "\
                 98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
                 31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    },
];

fn parameter(prehashed: bool, context: &[u8]) -> ck::CK_EDDSA_PARAMS {
    ck::CK_EDDSA_PARAMS {
        phFlag: ck::CK_BBOOL::from(prehashed),
        ulContextDataLen: len(context.len()),
        pContextData: if context.is_empty() { null_mut() } else { context.as_ptr().cast_mut() },
    }
}

fn import(
    session: &Session<'_>,
    seed: &[u8],
    public: &[u8],
) -> (ck::CK_OBJECT_HANDLE, ck::CK_OBJECT_HANDLE) {
    let private = known::ed25519_private().without(ck::CKA_VALUE).and(ck::CKA_VALUE, seed);
    let point = known::ed25519_public().without(ck::CKA_EC_POINT).and(ck::CKA_EC_POINT, public);
    (session.create(&point).expect("a public key"), session.create(&private).expect("a key"))
}

#[test]
fn the_known_key_signs_nothing_as_rfc_8032_says() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::ed25519_private()).unwrap();
        let public = session.create(&known::ed25519_public()).unwrap();
        let how = plain(ck::CKM_EDDSA);
        assert_eq!(session.sign(&how, key, b"").unwrap(), hex(OF_NOTHING));
        assert_eq!(session.sign_parts(&how, key, &[]).unwrap(), hex(OF_NOTHING));
        session.verify(&how, public, b"", &hex(OF_NOTHING)).unwrap();
        session.has(key, ck::CKA_PUBLIC_KEY_INFO, &session_info(&session, public));
    });
}

fn session_info(session: &Session<'_>, key: ck::CK_OBJECT_HANDLE) -> Vec<u8> {
    let info = session.get(key, ck::CKA_PUBLIC_KEY_INFO).expect("CKA_PUBLIC_KEY_INFO");
    let header = hex("302a300506032b6570032100");
    assert_eq!(info, [header, hex(known::ED25519_PUBLIC)].concat(), "RFC 8410, section 4");
    info
}

#[test]
fn contexts_and_prehashing_give_what_rfc_8032_says() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        for example in EXAMPLES {
            let (public, private) = import(&session, &hex(example.seed), &hex(example.public));
            let (context, message) = (hex(example.context), hex(example.message));
            let parameter = parameter(example.prehashed, &context);
            let how = with_struct(ck::CKM_EDDSA, &parameter);
            let signature = hex(example.signature);
            assert_eq!(session.sign(&how, private, &message).unwrap(), signature);
            session.verify(&how, public, &message, &signature).unwrap();
            let without = session.verify(&plain(ck::CKM_EDDSA), public, &message, &signature);
            without.refused(ck::CKR_SIGNATURE_INVALID);
        }
    });
}

#[test]
fn a_parameter_that_asks_for_nothing_is_plain_ed25519() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::ed25519_private()).unwrap();
        let parameter = parameter(false, b"");
        let how = with_struct(ck::CKM_EDDSA, &parameter);
        assert_eq!(session.sign(&how, key, b"").unwrap(), hex(OF_NOTHING));
        // By the curve's name it is Ed25519ctx, which has no empty context.
        let named = known::ed25519_private().without(ck::CKA_EC_PARAMS);
        let named = session.create(&named.and(ck::CKA_EC_PARAMS, ED25519_NAME)).unwrap();
        session.sign_init(&how, named).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        let plain_signature = session.sign(&plain(ck::CKM_EDDSA), named, b"").unwrap();
        assert_eq!(plain_signature, hex(OF_NOTHING));
    });
}

#[test]
fn wrong_parameters_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let key = session.create(&known::ed25519_private()).unwrap();
        let context = [7; 256];
        let refused = &[ck::CKR_MECHANISM_PARAM_INVALID, ck::CKR_ARGUMENTS_BAD];
        let mut lost = parameter(false, b"context");
        lost.pContextData = null_mut();
        for wrong in [parameter(false, &context), parameter(true, &context), lost] {
            let begun = session.sign_init(&with_struct(ck::CKM_EDDSA, &wrong), key);
            begun.expect_err("a wrong parameter").is_one_of(refused);
        }
        let short: ck::CK_ULONG = 0;
        let begun = session.sign_init(&with_struct(ck::CKM_EDDSA, &short), key);
        begun.expect_err("a short parameter").is_one_of(refused);
    });
}

#[test]
fn generated_keys_verify_with_openssl() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let openssl = bench.openssl();
        for curve in [ED25519, ED25519_NAME] {
            let how = plain(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN);
            let public = template! { CKA_EC_PARAMS => curve, CKA_TOKEN => true };
            let private = template! { CKA_TOKEN => true };
            let (public, private) = session.generate_pair(&how, &public, &private).unwrap();
            assert_eq!(session.number(private, ck::CKA_KEY_TYPE), ck::CKK_EC_EDWARDS);
            assert_eq!(session.get(public, ck::CKA_EC_POINT).unwrap().len(), 32, "raw, as in 3.2");
            openssl.take_public_key(&session, public);
            let signature = session.sign(&plain(ck::CKM_EDDSA), private, b"a message").unwrap();
            openssl.verifies(b"a message", &signature, "-rawin");
        }
    });
}

#[test]
fn a_public_key_may_be_given_raw_or_as_octet_string() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let raw = hex(known::ED25519_PUBLIC);
        for point in [raw.clone(), known::octet_string(&raw)] {
            let key = known::ed25519_public().without(ck::CKA_EC_POINT);
            let key = session.create(&key.and(ck::CKA_EC_POINT, &point)).unwrap();
            session.has(key, ck::CKA_EC_POINT, &raw);
            session.verify(&plain(ck::CKM_EDDSA), key, b"", &hex(OF_NOTHING)).unwrap();
        }
    });
}

#[test]
fn keys_that_are_no_keys_are_not_imported() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let refused = &[ck::CKR_ATTRIBUTE_VALUE_INVALID, ck::CKR_TEMPLATE_INCONSISTENT];
        for point in [vec![0; 31], vec![0; 33], vec![], vec![0xff; 32]] {
            let key = known::ed25519_public().without(ck::CKA_EC_POINT);
            let made = session.create(&key.and(ck::CKA_EC_POINT, &point));
            made.expect_err("no point").is_one_of(refused);
        }
        for length in [0, 31, 33, 64] {
            let key = known::ed25519_private().without(ck::CKA_VALUE);
            let made = session.create(&key.and(ck::CKA_VALUE, &vec![1; length]));
            made.expect_err("no seed").is_one_of(refused);
        }
    });
}

#[test]
fn altered_signatures_are_refused() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let public = session.create(&known::ed25519_public()).unwrap();
        let how = plain(ck::CKM_EDDSA);
        for at in [0, 31, 32, 63] {
            let mut wrong = hex(OF_NOTHING);
            wrong[at] ^= 1;
            session.verify(&how, public, b"", &wrong).refused(ck::CKR_SIGNATURE_INVALID);
        }
        session.verify(&how, public, b"x", &hex(OF_NOTHING)).refused(ck::CKR_SIGNATURE_INVALID);
        for length in [0, 63, 65] {
            let refused = session.verify(&how, public, b"", &vec![0; length]);
            refused.refused(ck::CKR_SIGNATURE_LEN_RANGE);
        }
    });
}
