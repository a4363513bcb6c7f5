//! TLS 1.2: from the premaster secret to the keys of a connection, its exporter and its Finished.
//! PKCS#11 3.2, "TLS 1.2 Mechanisms".

use std::ptr::null_mut;

use cryptoki_sys as ck;

use crate::support::known::{self, hex};
use crate::support::operations::{Mechanism, with_struct};
use crate::support::template::len;
use crate::support::{Refused, Rv, Session, Template, call, isolated, template};

/// NIST's vectors: a premaster secret, the randoms, the master secret.
const PREMASTER: &str = "f8938ecc9edebc5030c0c6a441e213cd24e6f770a50dda07876f8d55da062bca\
                         db386b411fd4fe4313a604fce6c17fbc";
const CLIENT: &str = "36c129d01a3200894b9179faac589d9835d58775f9b5ea3587cb8fd0364cae8c";
const SERVER: &str = "f6c9575ed7ddd73e1f7d16eca115415812a43c2b747daaaae043abfb50053fce";
const MASTER: &str = "202c88c00f84a17a20027079604787461176455539e705be730890602c289a50\
                      01e34eeb3a043e5d52a65e66125188bf";
/// NIST's: other randoms, and the key material that the master secret gives with them.
const OTHER_CLIENT: &str = "62e1fd91f23f558a605f28478c58cf72637b89784d959df7e946d3f07bd1b616";
const OTHER_SERVER: &str = "ae6c806f8ad4d80784549dff28a4b58fd837681a51d928c3e30ee5ff14f39868";
const MATERIAL: &str = "d06139889fffac1e3a71865f504aa5d0d2a2e89506c6f2279b670c3e1b74f531\
                        016a2530c51a3a0f7e1d6590d0f0566b2f387f8d11fd4f731cdd572d2eae927f";

struct Randoms {
    client: Vec<u8>,
    server: Vec<u8>,
}

impl Randoms {
    fn of(client: &str, server: &str) -> Self {
        Self { client: hex(client), server: hex(server) }
    }

    fn lend(&self) -> ck::CK_SSL3_RANDOM_DATA {
        ck::CK_SSL3_RANDOM_DATA {
            pClientRandom: self.client.as_ptr().cast_mut(),
            ulClientRandomLen: len(self.client.len()),
            pServerRandom: self.server.as_ptr().cast_mut(),
            ulServerRandomLen: len(self.server.len()),
        }
    }
}

fn secret(session: &Session<'_>, value: &str, open: bool) -> ck::CK_OBJECT_HANDLE {
    let template = known::generic(&hex(value)).with(template! {
        CKA_DERIVE => true, CKA_SENSITIVE => !open, CKA_EXTRACTABLE => open,
    });
    session.create(&template).expect("a secret")
}

fn readable() -> Template {
    template! { CKA_SENSITIVE => false, CKA_EXTRACTABLE => true, CKA_DERIVE => true }
}

/// As Java's SunPKCS11 does it for RSA: no length in the template.
#[test]
fn a_client_makes_a_premaster_secret_and_its_master_secret() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let offered = ck::CK_VERSION { major: 3, minor: 3 };
        let how = with_struct(ck::CKM_TLS_PRE_MASTER_KEY_GEN, &offered);
        let premaster = session.generate(&how, &readable()).unwrap();
        session.has(premaster, ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET);
        session.has(premaster, ck::CKA_VALUE_LEN, 48_u64);
        session.has(premaster, ck::CKA_KEY_GEN_MECHANISM, ck::CKM_TLS_PRE_MASTER_KEY_GEN);
        session.has(premaster, ck::CKA_LOCAL, true);
        let value = session.get(premaster, ck::CKA_VALUE).unwrap();
        assert_eq!((value.len(), &value[..2]), (48, &[3, 3][..]));
        let other = session.generate(&how, &readable()).unwrap();
        assert_ne!(session.get(other, ck::CKA_VALUE).unwrap()[2..], value[2..]);
        let (randoms, mut version) = (Randoms::of(CLIENT, SERVER), ck::CK_VERSION::default());
        let params = ck::CK_TLS12_MASTER_KEY_DERIVE_PARAMS {
            RandomInfo: randoms.lend(),
            pVersion: &raw mut version,
            prfHashMechanism: ck::CKM_SHA256,
        };
        let derive = with_struct(ck::CKM_TLS12_MASTER_KEY_DERIVE, &params);
        session.derive(&derive, premaster, &readable()).unwrap();
        assert_eq!((version.major, version.minor), (3, 3));
        let short = readable().and(ck::CKA_VALUE_LEN, 47_u64);
        session.generate(&how, &short).refused(ck::CKR_ATTRIBUTE_VALUE_INVALID);
        let long = with_struct(ck::CKM_TLS_PRE_MASTER_KEY_GEN, &[3_u8, 3, 0]);
        session.generate(&long, &readable()).refused(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}

#[test]
fn a_premaster_secret_gives_its_version_and_the_master_secret() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let base = secret(&session, PREMASTER, true);
        let randoms = Randoms::of(CLIENT, SERVER);
        let mut version = ck::CK_VERSION::default();
        let params = ck::CK_TLS12_MASTER_KEY_DERIVE_PARAMS {
            RandomInfo: randoms.lend(),
            pVersion: &raw mut version,
            prfHashMechanism: ck::CKM_SHA256,
        };
        let how = with_struct(ck::CKM_TLS12_MASTER_KEY_DERIVE, &params);
        let master = session.derive(&how, base, &readable()).unwrap();
        assert_eq!((version.major, version.minor), (0xf8, 0x93));
        session.has(master, ck::CKA_VALUE, &hex(MASTER));
        session.has(master, ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET);
        let listed = session.get(master, ck::CKA_ALLOWED_MECHANISMS).unwrap();
        assert_eq!(listed.len(), 6 * 8, "a master secret is for TLS only");
        // A secret that was agreed on has no version.
        let how = with_struct(ck::CKM_TLS12_MASTER_KEY_DERIVE_DH, &params);
        session.derive(&how, base, &readable()).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        let params = ck::CK_TLS12_MASTER_KEY_DERIVE_PARAMS { pVersion: null_mut(), ..params };
        let how = with_struct(ck::CKM_TLS12_MASTER_KEY_DERIVE_DH, &params);
        let master = session.derive(&how, base, &readable()).unwrap();
        session.has(master, ck::CKA_VALUE, &hex(MASTER));
        let long = readable().and(ck::CKA_VALUE_LEN, 47_u64);
        session.derive(&how, base, &long).refused(ck::CKR_TEMPLATE_INCONSISTENT);
        let short = secret(&session, "112233", true);
        let how = with_struct(ck::CKM_TLS12_MASTER_KEY_DERIVE, &params);
        session.derive(&how, short, &readable()).refused(ck::CKR_KEY_SIZE_RANGE);
    });
}

/// C_DeriveKey of the keys of a connection; the caller has no place for a handle.
fn keys(
    session: &Session<'_>,
    how: &Mechanism<'_>,
    base: ck::CK_OBJECT_HANDLE,
    template: &Template,
) -> Rv {
    let (mut c, s) = (how.c, session.handle);
    template.lend(|rows, count| {
        call!(session, C_DeriveKey(s, &raw mut c, base, rows, count, null_mut()))
    })
}

fn material(
    randoms: &Randoms,
    (mac, key, vector): (u64, u64, u64),
    out: &mut ck::CK_SSL3_KEY_MAT_OUT,
) -> ck::CK_TLS12_KEY_MAT_PARAMS {
    ck::CK_TLS12_KEY_MAT_PARAMS {
        ulMacSizeInBits: mac,
        ulKeySizeInBits: key,
        ulIVSizeInBits: vector,
        bIsExport: 0,
        RandomInfo: randoms.lend(),
        pReturnedKeyMaterial: &raw mut *out,
        prfHashMechanism: ck::CKM_SHA256,
    }
}

#[test]
fn the_keys_of_a_connection_come_back_in_the_parameter() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let base = secret(&session, MASTER, true);
        let randoms = Randoms::of(OTHER_CLIENT, OTHER_SERVER);
        let expected = hex(MATERIAL);
        let (mut client, mut server) = ([0xee; 5], [0xee; 5]);
        let mut out = ck::CK_SSL3_KEY_MAT_OUT {
            pIVClient: client.as_mut_ptr(),
            pIVServer: server.as_mut_ptr(),
            ..ck::CK_SSL3_KEY_MAT_OUT::default()
        };
        let aes = template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES };
        let params = material(&randoms, (64, 128, 32), &mut out);
        let how = with_struct(ck::CKM_TLS12_KEY_AND_MAC_DERIVE, &params);
        keys(&session, &how, base, &aes).is(ck::CKR_OK);
        let all = [out.hClientMacSecret, out.hServerMacSecret, out.hClientKey, out.hServerKey];
        let values: Vec<Vec<u8>> =
            all.iter().map(|key| session.get(*key, ck::CKA_VALUE).unwrap()).collect();
        let lengths: Vec<usize> = values.iter().map(Vec::len).collect();
        assert_eq!(lengths, [8, 8, 16, 16]);
        let vectors = [&client[..4], &server[..4]].concat();
        assert_eq!([values.concat(), vectors].concat(), expected[..56]);
        assert_eq!((client[4], server[4]), (0xee, 0xee), "nothing is written behind");
        session.has(all[0], ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET);
        assert!(session.flag(all[0], ck::CKA_SIGN) && session.flag(all[1], ck::CKA_VERIFY));
        session.has(all[2], ck::CKA_KEY_TYPE, ck::CKK_AES);
        assert!(session.flag(all[2], ck::CKA_ENCRYPT) && session.flag(all[3], ck::CKA_DECRYPT));
        // Without vectors there is no place for any, and none is shown.
        let mut out = ck::CK_SSL3_KEY_MAT_OUT::default();
        let params = material(&randoms, (0, 128, 32), &mut out);
        let how = with_struct(ck::CKM_TLS12_KEY_SAFE_DERIVE, &params);
        keys(&session, &how, base, &aes).is(ck::CKR_OK);
        assert_eq!((out.hClientMacSecret, out.hServerMacSecret), (0, 0));
        session.has(out.hClientKey, ck::CKA_VALUE, &expected[..16]);
        let how = with_struct(ck::CKM_TLS12_KEY_AND_MAC_DERIVE, &params);
        keys(&session, &how, base, &aes).is(ck::CKR_MECHANISM_PARAM_INVALID);
        let nowhere = ck::CK_TLS12_KEY_MAT_PARAMS { pReturnedKeyMaterial: null_mut(), ..params };
        let how = with_struct(ck::CKM_TLS12_KEY_SAFE_DERIVE, &nowhere);
        keys(&session, &how, base, &aes).is(ck::CKR_MECHANISM_PARAM_INVALID);
        let export = ck::CK_TLS12_KEY_MAT_PARAMS { bIsExport: 1, ..params };
        let how = with_struct(ck::CKM_TLS12_KEY_SAFE_DERIVE, &export);
        keys(&session, &how, base, &aes).is(ck::CKR_MECHANISM_PARAM_INVALID);
    });
}

/// Shorter keys would move secret bytes to where the vectors are.
#[test]
fn a_closed_master_secret_gives_closed_keys_and_vectors_of_aead_ciphers_only() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let base = secret(&session, MASTER, false);
        let randoms = Randoms::of(OTHER_CLIENT, OTHER_SERVER);
        let (mut client, mut server) = ([0; 16], [0; 16]);
        let mut out = ck::CK_SSL3_KEY_MAT_OUT {
            pIVClient: client.as_mut_ptr(),
            pIVServer: server.as_mut_ptr(),
            ..ck::CK_SSL3_KEY_MAT_OUT::default()
        };
        let aes = template! { CKA_CLASS => ck::CKO_SECRET_KEY, CKA_KEY_TYPE => ck::CKK_AES };
        for shape in [(0, 64, 128), (160, 128, 128), (0, 0, 128)] {
            let params = material(&randoms, shape, &mut out);
            let how = with_struct(ck::CKM_TLS12_KEY_AND_MAC_DERIVE, &params);
            keys(&session, &how, base, &aes).is(ck::CKR_MECHANISM_PARAM_INVALID);
        }
        assert_eq!((client, server), ([0; 16], [0; 16]));
        let params = material(&randoms, (0, 128, 32), &mut out);
        let how = with_struct(ck::CKM_TLS12_KEY_AND_MAC_DERIVE, &params);
        let open = aes.clone().with(readable());
        keys(&session, &how, base, &open).is(ck::CKR_TEMPLATE_INCONSISTENT);
        keys(&session, &how, base, &aes).is(ck::CKR_OK);
        for key in [out.hClientKey, out.hServerKey] {
            assert!(session.flag(key, ck::CKA_SENSITIVE));
            assert!(!session.flag(key, ck::CKA_EXTRACTABLE));
        }
    });
}

#[test]
fn exporters_and_finished_are_as_openssl_has_them() {
    isolated(|bench| {
        let token = bench.token();
        let session = token.user();
        let base = secret(&session, MASTER, true);
        let (randoms, label, context) = (Randoms::of(CLIENT, SERVER), b"EXPORTER-example", b"abc");
        let params = ck::CK_TLS_KDF_PARAMS {
            prfMechanism: ck::CKM_SHA512,
            pLabel: label.as_ptr().cast_mut(),
            ulLabelLength: len(label.len()),
            RandomInfo: randoms.lend(),
            pContextData: context.as_ptr().cast_mut(),
            ulContextDataLength: 3,
        };
        let asked = readable().and(ck::CKA_VALUE_LEN, 40_u64);
        let without =
            ck::CK_TLS_KDF_PARAMS { pContextData: null_mut(), ulContextDataLength: 0, ..params };
        for (params, expected) in [
            (
                params,
                "4982c71b4c74b8835fd85b2ffdb048e4f09f79fbd13205002655a9a7c0f541ac088aed298f6e855a",
            ),
            (
                without,
                "d7bdb031a839822b5a5a7c7ade25b3332f3bfef8774fc28b4c1e3e41fedcd62149ae091e072b4932",
            ),
        ] {
            for how in [ck::CKM_TLS_KDF, ck::CKM_TLS12_KDF] {
                let key = session.derive(&with_struct(how, &params), base, &asked).unwrap();
                session.has(key, ck::CKA_VALUE, &hex(expected));
            }
        }
        let old = ck::CK_TLS_KDF_PARAMS { prfMechanism: ck::CKM_TLS_PRF, ..params };
        let how = with_struct(ck::CKM_TLS_KDF, &old);
        session.derive(&how, base, &asked).refused(ck::CKR_MECHANISM_PARAM_INVALID);

        let handshake = hex("dfff30d188055f20aaa1610f29102805528465bbad91709ded764e8899f5ad2b");
        let mut params = ck::CK_TLS_MAC_PARAMS {
            prfHashMechanism: ck::CKM_SHA256,
            ulMacLength: 12,
            ulServerOrClient: 2,
        };
        for how in [ck::CKM_TLS_MAC, ck::CKM_TLS12_MAC] {
            let how = with_struct(how, &params);
            let code = session.sign(&how, base, &handshake).unwrap();
            assert_eq!(code, hex("79b01b6911a3a7a2a471423d"));
            assert_eq!(session.sign_parts(&how, base, &[&handshake]).unwrap(), code);
            session.verify(&how, base, &handshake, &code).unwrap();
        }
        for (length, side) in [(11, 1), (65, 1), (12, 0), (12, 3), (u64::MAX, 1)] {
            (params.ulMacLength, params.ulServerOrClient) = (length, side);
            let how = with_struct(ck::CKM_TLS_MAC, &params);
            session.sign(&how, base, &handshake).refused(ck::CKR_MECHANISM_PARAM_INVALID);
        }
    });
}
