//! Keys of every kind that mechanisms differ by, on a target's token.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::attributes::Attributes;
use super::bytes::Bytes;
use super::module::{Module, ask};

/// Composites, whose numbers no header has yet.
const CKM_COMP_SIG_KEY_PAIR_GEN: ck::CK_MECHANISM_TYPE = 0x403d;
const CKM_COMP_KEM_KEY_PAIR_GEN: ck::CK_MECHANISM_TYPE = 0x4040;
const CKP_COMP_KEM_MLKEM768_P256: ck::CK_ULONG = 0x05;
const CKP_CLAVIGER_XWING: ck::CK_ULONG = 0xC34C_0001;

/// The two halves of a key; the same handle twice for a secret key.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) public: ck::CK_OBJECT_HANDLE,
    pub(crate) private: ck::CK_OBJECT_HANDLE,
}

const TRUE: &[u8] = &[1];
const AES_USES: &[ck::CK_ATTRIBUTE_TYPE] = &[ck::CKA_ENCRYPT, ck::CKA_DECRYPT];
const MAC_USES: &[ck::CK_ATTRIBUTE_TYPE] = &[ck::CKA_SIGN, ck::CKA_VERIFY, ck::CKA_DERIVE];

fn secret(
    module: &Module,
    session: ck::CK_SESSION_HANDLE,
    how: ck::CK_MECHANISM_TYPE,
    len: ck::CK_ULONG,
    uses: &[ck::CK_ATTRIBUTE_TYPE],
) {
    let mut c = ck::CK_MECHANISM { mechanism: how, pParameter: null_mut(), ulParameterLen: 0 };
    let (len, id) = (len.to_ne_bytes(), [how.to_le_bytes()[0], len as u8]);
    let mut given = vec![(ck::CKA_TOKEN, TRUE), (ck::CKA_VALUE_LEN, &len), (ck::CKA_ID, &id)];
    given.extend(uses.iter().map(|kind| (*kind, TRUE)));
    let mut attributes = Attributes::of(&given, &mut Bytes::new(&[]));
    let (rows, count) = attributes.lend();
    let mut key = 0;
    let rv = ask!(module, C_GenerateKey(session, &raw mut c, rows, count, &raw mut key));
    assert_eq!(rv, ck::CKR_OK, "C_GenerateKey");
}

fn pair(
    module: &Module,
    session: ck::CK_SESSION_HANDLE,
    how: ck::CK_MECHANISM_TYPE,
    about: &[(ck::CK_ATTRIBUTE_TYPE, &[u8])],
    uses: [&[ck::CK_ATTRIBUTE_TYPE]; 2],
) {
    let mut c = ck::CK_MECHANISM { mechanism: how, pParameter: null_mut(), ulParameterLen: 0 };
    let template = |uses: &[ck::CK_ATTRIBUTE_TYPE], about: &[(u64, &[u8])]| {
        let mut given: Vec<(u64, &[u8])> = vec![(ck::CKA_TOKEN, TRUE)];
        given.extend_from_slice(about);
        given.extend(uses.iter().map(|kind| (*kind, TRUE)));
        Attributes::of(&given, &mut Bytes::new(&[]))
    };
    let (mut public, mut private) = (template(uses[0], about), template(uses[1], &[]));
    let ((rows, count), (own, own_count)) = (public.lend(), private.lend());
    let (mut one, mut two) = (0, 0);
    let (first, second, how) = (&raw mut one, &raw mut two, &raw mut c);
    let rv =
        ask!(module, C_GenerateKeyPair(session, how, rows, count, own, own_count, first, second));
    assert_eq!(rv, ck::CKR_OK, "C_GenerateKeyPair");
}

fn make_keys(module: &Module, session: ck::CK_SESSION_HANDLE) {
    use ck::{CKA_DECAPSULATE, CKA_ENCAPSULATE, CKA_UNWRAP, CKA_WRAP};
    use ck::{CKA_DECRYPT, CKA_DERIVE, CKA_ENCRYPT, CKA_SIGN, CKA_VERIFY};
    secret(module, session, ck::CKM_AES_KEY_GEN, 16, AES_USES);
    secret(module, session, ck::CKM_AES_KEY_GEN, 32, AES_USES);
    secret(module, session, ck::CKM_GENERIC_SECRET_KEY_GEN, 32, MAC_USES);
    let one_time = &[CKA_SIGN, CKA_VERIFY];
    secret(module, session, ck::CKM_HOTP_KEY_GEN, 20, one_time);
    let bits = 2048_u64.to_ne_bytes();
    let rsa = [
        &[CKA_VERIFY, CKA_ENCRYPT, CKA_ENCAPSULATE][..],
        &[CKA_SIGN, CKA_DECRYPT, CKA_DECAPSULATE][..],
    ];
    let ec = [&[CKA_VERIFY, CKA_ENCAPSULATE][..], &[CKA_SIGN, CKA_DERIVE, CKA_DECAPSULATE][..]];
    let signing = [&[CKA_VERIFY][..], &[CKA_SIGN][..]];
    let kem = [&[CKA_ENCAPSULATE][..], &[CKA_DECAPSULATE][..]];
    let envelope = [&[CKA_ENCAPSULATE, CKA_WRAP][..], &[CKA_DECAPSULATE, CKA_UNWRAP][..]];
    pair(module, session, ck::CKM_RSA_PKCS_KEY_PAIR_GEN, &[(ck::CKA_MODULUS_BITS, &bits)], rsa);
    let curve = |oid| [(ck::CKA_EC_PARAMS, oid)];
    let p256 = curve(b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07".as_slice());
    pair(module, session, ck::CKM_EC_KEY_PAIR_GEN, &p256, ec);
    pair(module, session, ck::CKM_EC_KEY_PAIR_GEN, &curve(b"\x06\x05\x2b\x81\x04\x00\x23"), ec);
    let ed25519 = curve(b"\x06\x03\x2b\x65\x70".as_slice());
    pair(module, session, ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, &ed25519, signing);
    // ML-DSA-44, MLDSA44-Ed25519, ML-KEM-768, MLKEM768-P256 and X-Wing.
    for (how, set, uses) in [
        (ck::CKM_ML_DSA_KEY_PAIR_GEN, ck::CKP_ML_DSA_44, signing),
        (CKM_COMP_SIG_KEY_PAIR_GEN, 0x03, signing),
        (ck::CKM_ML_KEM_KEY_PAIR_GEN, ck::CKP_ML_KEM_768, kem),
        (CKM_COMP_KEM_KEY_PAIR_GEN, CKP_COMP_KEM_MLKEM768_P256, kem),
        (CKM_COMP_KEM_KEY_PAIR_GEN, CKP_CLAVIGER_XWING, envelope),
    ] {
        pair(module, session, how, &[(ck::CKA_PARAMETER_SET, &set.to_ne_bytes())], uses);
    }
    let agreeing = [&[CKA_ENCAPSULATE][..], &[CKA_DERIVE, CKA_DECAPSULATE][..]];
    let dsa_numbers = [ck::CKA_PRIME, ck::CKA_SUBPRIME, ck::CKA_BASE];
    let dsa = (ck::CKM_DSA_PARAMETER_GEN, ck::CKM_DSA_KEY_PAIR_GEN);
    let dh = (ck::CKM_DH_PKCS_PARAMETER_GEN, ck::CKM_DH_PKCS_KEY_PAIR_GEN);
    for ((of_group, of_pair), bits, numbers, uses) in [
        (dsa, 1024, &dsa_numbers[..], signing),
        (dh, 2048, &[ck::CKA_PRIME, ck::CKA_BASE], agreeing),
    ] {
        let made = group(module, session, of_group, bits, numbers);
        let numbers = numbers.iter().copied();
        let about: Vec<_> = numbers.zip(made.iter().map(Vec::as_slice)).collect();
        pair(module, session, of_pair, &about, uses);
    }
}

/// The numbers of a group.
fn group(
    module: &Module,
    session: ck::CK_SESSION_HANDLE,
    how: ck::CK_MECHANISM_TYPE,
    bits: u64,
    numbers: &[ck::CK_ATTRIBUTE_TYPE],
) -> Vec<Vec<u8>> {
    let mut c = ck::CK_MECHANISM { mechanism: how, pParameter: null_mut(), ulParameterLen: 0 };
    let bits = bits.to_ne_bytes();
    let given = [(ck::CKA_PRIME_BITS, bits.as_slice())];
    let mut attributes = Attributes::of(&given, &mut Bytes::new(&[]));
    let ((rows, count), mut group) = (attributes.lend(), 0);
    let rv = ask!(module, C_GenerateKey(session, &raw mut c, rows, count, &raw mut group));
    assert_eq!(rv, ck::CKR_OK, "C_GenerateKey");
    let found = numbers.iter().map(|number| module.get(session, group, *number));
    let found = found.map(|number| number.expect("a number")).collect();
    assert_eq!(ask!(module, C_DestroyObject(session, group)), ck::CKR_OK);
    found
}

/// The keys of the token, halves with the same CKA_ID together.
pub(crate) fn keys(module: &Module, session: ck::CK_SESSION_HANDLE) -> Vec<Key> {
    let mut objects = module.objects(session);
    if objects.is_empty() {
        make_keys(module, session);
        objects = module.objects(session);
    }
    let mut keys: Vec<(Vec<u8>, Key)> = Vec::new();
    for object in objects {
        let id = module.get(session, object, ck::CKA_ID).expect("CKA_ID");
        match keys.iter_mut().find(|(other, _)| *other == id) {
            // Public objects are found before private ones.
            Some((_, key)) => key.private = object,
            None => keys.push((id, Key { public: object, private: object })),
        }
    }
    assert_eq!(keys.len(), 15, "every key is there");
    keys.into_iter().map(|(_, key)| key).collect()
}
