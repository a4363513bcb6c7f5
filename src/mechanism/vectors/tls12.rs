//! TLS 1.2: NIST's vectors of its PRF (CAVP, "TLS 1.2"), and what OpenSSL 3.0's TLS1-PRF computes
//! where NIST has none.

use super::{Key, Mechanism, derived, hex, secret, secret_key, signatures, verify};
use crate::cryptoki as ck;
use crate::error::Rv;
use crate::mechanism::Derivation;
use crate::mechanism::kdf_params::{KdfParams, Randoms};
use crate::mechanism::params::MechanismParams;
use crate::object::attribute;
use crate::object::class::{Class, KeyType};
use crate::object::template::Template;
use crate::secret::Secret;

/// NIST's: a premaster secret and the master secret that it gives with the two randoms.
const PREMASTER: &str = "f8938ecc9edebc5030c0c6a441e213cd24e6f770a50dda07876f8d55da062bca
                         db386b411fd4fe4313a604fce6c17fbc";
const MASTER: &str = "202c88c00f84a17a20027079604787461176455539e705be730890602c289a50
                      01e34eeb3a043e5d52a65e66125188bf";
const CLIENT: &str = "36c129d01a3200894b9179faac589d9835d58775f9b5ea3587cb8fd0364cae8c";
const SERVER: &str = "f6c9575ed7ddd73e1f7d16eca115415812a43c2b747daaaae043abfb50053fce";

/// NIST's: the randoms with which the same master secret gives this key material.
const OTHER_CLIENT: &str = "62e1fd91f23f558a605f28478c58cf72637b89784d959df7e946d3f07bd1b616";
const OTHER_SERVER: &str = "ae6c806f8ad4d80784549dff28a4b58fd837681a51d928c3e30ee5ff14f39868";
const MATERIAL: &str = "d06139889fffac1e3a71865f504aa5d0d2a2e89506c6f2279b670c3e1b74f531
                        016a2530c51a3a0f7e1d6590d0f0566b2f387f8d11fd4f731cdd572d2eae927f
                        6f2f81410b25e6960be68985add6c38445ad9f8c64bf8068bf9a6679485d966f
                        1ad6f68b43495b10a683755ea2b858d70ccac7ec8b053c6bd41ca299d4e51928";

/// OpenSSL's: with SHA-384 and the hash of "session"; of a secret of three bytes; of an exporter
/// with SHA-512, without and with the context "abc"; of both Finished over the hash of "handshake".
const SESSION: &str = "b1e24729396710ce6a41d8ebcb1a55709bd807a101ba2743843b0d5f73e1b4da
                       49e07126f16045a39676de257a1ed8a8";
const EXTENDED: &str = "4ad27a8e5dbf33a7d29894c847bcc56714b37b42f6790b2512c4a429e16918d4
                        c1eed83897b5f8f65620345f08c25151";
const OF_SHORT: &str = "39d32ff9927468a587b362407fb2d580ad73a5d40faedda26295f502ed5481e8
                        3cea4394e8604018539ec4d19553b8f2";
const EXPORTED: [(Option<&[u8]>, &str); 2] = [
    (None, "d7bdb031a839822b5a5a7c7ade25b3332f3bfef8774fc28b4c1e3e41fedcd62149ae091e072b4932"),
    (
        Some(b"abc"),
        "4982c71b4c74b8835fd85b2ffdb048e4f09f79fbd13205002655a9a7c0f541ac088aed298f6e855a",
    ),
];
const HANDSHAKE: &str = "dfff30d188055f20aaa1610f29102805528465bbad91709ded764e8899f5ad2b";
const FINISHED: [(u64, &str); 2] = [
    (2, "79b01b6911a3a7a2a471423d"),
    (1, "2538016410d06e2543816a9a7f5c3e22568b7881ce4d819aff4cf3d9fafa3b59"),
];

pub(super) fn run(row: &Mechanism) -> usize {
    match row.name {
        "CKM_TLS12_MASTER_KEY_DERIVE" | "CKM_TLS12_MASTER_KEY_DERIVE_DH" => masters(row),
        "CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE" | "CKM_TLS12_EXTENDED_MASTER_KEY_DERIVE_DH" => {
            extended(row)
        }
        "CKM_TLS12_KEY_AND_MAC_DERIVE" => materials(row, true),
        "CKM_TLS12_KEY_SAFE_DERIVE" => materials(row, false),
        "CKM_TLS_KDF" | "CKM_TLS12_KDF" => exports(row),
        "CKM_TLS_MAC" | "CKM_TLS12_MAC" => codes(row),
        _ => 0,
    }
}

fn randoms(client: &str, server: &str) -> Randoms {
    Randoms { client: hex(client), server: hex(server) }
}

fn generic(value: &str) -> Key {
    secret_key(KeyType::GenericSecret, &hex(value))
}

/// What a row makes of a base key, in its order, and what it shows.
fn made(
    row: &Mechanism,
    base: &Key,
    params: KdfParams,
) -> crate::error::Result<(Vec<Vec<u8>>, Vec<u8>)> {
    let params = &MechanismParams::Kdf(params);
    let key_type = KeyType::GenericSecret;
    let derivation = Derivation { base, params, others: &[], len: None, key_type };
    let derived = row.derive_objects.expect(row.name)(&derivation, vec![Template::default()])?;
    let values = derived.objects.into_iter().map(|(_, value)| {
        value.as_ref().map_or(Vec::new(), |value: &Secret| value.expose(<[u8]>::to_vec))
    });
    Ok((values.collect(), derived.shown))
}

fn masters(row: &Mechanism) -> usize {
    let agreed = row.name.ends_with("_DH");
    let params = |version| {
        let (randoms, hash) = (randoms(CLIENT, SERVER), ck::CKM_SHA256);
        KdfParams::TlsMaster { randoms, hash, version }
    };
    let (keys, shown) = made(row, &generic(PREMASTER), params(false)).expect(row.name);
    assert_eq!((keys, shown), (vec![hex(MASTER)], vec![]), "{}", row.name);
    let versioned = made(row, &generic(PREMASTER), params(true));
    let short = made(row, &generic("112233"), params(false));
    if agreed {
        assert_eq!(versioned.map_err(|error| error.rv), Err(Rv::MechanismParamInvalid));
        assert_eq!(short.expect(row.name).0, [hex(OF_SHORT)]);
    } else {
        assert_eq!(versioned.expect(row.name).1, hex("f893"));
        assert_eq!(short.map_err(|error| error.rv), Err(Rv::KeySizeRange));
    }
    2
}

fn extended(row: &Mechanism) -> usize {
    let params =
        |session_hash, hash| KdfParams::TlsExtendedMaster { session_hash, hash, version: false };
    let (keys, _) =
        made(row, &generic(PREMASTER), params(hex(SESSION), ck::CKM_SHA384)).expect(row.name);
    assert_eq!(keys, [hex(EXTENDED)], "{}", row.name);
    for (len, hash) in [(32, ck::CKM_SHA384), (48, ck::CKM_SHA_1), (20, ck::CKM_SHA_1)] {
        let refused = made(row, &generic(PREMASTER), params(vec![1; len], hash));
        assert_eq!(refused.map_err(|error| error.rv), Err(Rv::MechanismParamInvalid));
    }
    1
}

fn materials(row: &Mechanism, with_vectors: bool) -> usize {
    let open = super::key(Class::SecretKey, KeyType::GenericSecret, |new| {
        new.set(attribute::VALUE, secret(&hex(MASTER)));
        new.set(attribute::EXTRACTABLE, true);
    });
    let params = |mac_bits, key_bits, iv_bits| KdfParams::TlsKeys {
        mac_bits,
        key_bits,
        iv_bits,
        export: false,
        randoms: randoms(OTHER_CLIENT, OTHER_SERVER),
        hash: ck::CKM_SHA256,
    };
    let material = hex(MATERIAL);
    for (mac, key, vector) in [(160, 128, 128), (256, 256, 0), (0, 256, 96), (384, 0, 0)] {
        let (keys, shown) = made(row, &open, params(mac, key, vector)).expect(row.name);
        let all = [&keys.concat()[..], &shown].concat();
        assert_eq!(all, material[..all.len()], "{}", row.name);
        let vectors = if with_vectors { 2 * vector as usize / 8 } else { 0 };
        assert_eq!(shown.len(), vectors);
        assert_eq!(keys.concat().len() as u64 * 8, 2 * (mac + key));
    }
    for (mac, key, vector) in [(0, 0, 128), (4, 128, 0), (0, 1024, 0), (u64::MAX, 128, 0)] {
        let refused = made(row, &open, params(mac, key, vector)).map_err(|error| error.rv);
        assert_eq!(refused, Err(Rv::MechanismParamInvalid));
    }
    // Of a closed one, no vector that other lengths would have made part of a key.
    let closed = generic(MASTER);
    for (mac, key, vector, taken) in [
        (0, 128, 32, true),
        (0, 256, 96, true),
        (160, 128, 0, true),
        (160, 128, 128, !with_vectors),
        (0, 64, 32, !with_vectors),
        (0, 256, 128, !with_vectors),
    ] {
        let outcome = made(row, &closed, params(mac, key, vector));
        assert_eq!(outcome.is_ok(), taken, "{} {mac} {key} {vector}", row.name);
    }
    4
}

fn exports(row: &Mechanism) -> usize {
    for (context, expected) in EXPORTED {
        let params = MechanismParams::Kdf(KdfParams::TlsExport {
            label: b"EXPORTER-example".to_vec(),
            randoms: randoms(CLIENT, SERVER),
            context: context.map(<[u8]>::to_vec),
            hash: ck::CKM_SHA512,
        });
        let key = derived(row, &generic(MASTER), &params, Some(40)).expect(row.name);
        assert_eq!(key.expose(<[u8]>::to_vec), hex(expected), "{}", row.name);
        let none = derived(row, &generic(MASTER), &params, None);
        assert_eq!(none.err().map(|error| error.rv), Some(Rv::TemplateIncomplete));
    }
    EXPORTED.len()
}

fn codes(row: &Mechanism) -> usize {
    let key = generic(MASTER);
    for (side, expected) in FINISHED {
        let expected = hex(expected);
        let len = expected.len() as u64;
        let params = MechanismParams::TlsMac { hash: ck::CKM_SHA256, len, side };
        for made in signatures(row, &key, &params, &hex(HANDSHAKE)).expect(row.name) {
            assert_eq!(made, expected, "{}", row.name);
        }
        assert_eq!(verify(row, &key, &params, &hex(HANDSHAKE), &expected), Ok(()));
        let wrong = verify(row, &key, &params, b"another", &expected);
        assert_eq!(wrong.map_err(|error| error.rv), Err(Rv::SignatureInvalid));
    }
    for (hash, len, side) in [
        (ck::CKM_TLS_PRF, 12, 1),
        (ck::CKM_SHA256, 11, 1),
        (ck::CKM_SHA256, 65, 1),
        (ck::CKM_SHA256, 12, 0),
        (ck::CKM_SHA256, 12, 3),
    ] {
        let params = MechanismParams::TlsMac { hash, len, side };
        let refused = row.sign.expect(row.name)(&key, &params).err().map(|error| error.rv);
        assert_eq!(refused, Some(Rv::MechanismParamInvalid));
    }
    FINISHED.len()
}
