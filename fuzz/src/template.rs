//! Arbitrary templates: objects are made, found, asked, copied, changed and destroyed by them.
//! What may not be read is never read.

use std::ptr::null_mut;

use cryptoki_sys as ck;

use super::attributes::Attributes;
use super::bytes::Bytes;
use super::module::{Module, ask, with_module};

const FALSE: &[u8] = &[0];
const TRUE: &[u8] = &[1];
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const ED25519: &[u8] = b"\x06\x03\x2b\x65\x70";

/// Attributes whose values are key material.
const SECRETS: &[ck::CK_ATTRIBUTE_TYPE] = &[
    ck::CKA_VALUE,
    ck::CKA_PRIVATE_EXPONENT,
    ck::CKA_PRIME_1,
    ck::CKA_PRIME_2,
    ck::CKA_EXPONENT_1,
    ck::CKA_EXPONENT_2,
    ck::CKA_COEFFICIENT,
];

type Given = Vec<(ck::CK_ATTRIBUTE_TYPE, &'static [u8])>;

/// A template that is nearly right, or none.
fn base(bytes: &mut Bytes<'_>) -> Given {
    macro_rules! number {
        ($number:ident) => {
            const { &ck::$number.to_ne_bytes() }
        };
    }
    let class = ck::CKA_CLASS;
    let mut given: Given = match bytes.below(8) {
        0 => vec![(class, number!(CKO_DATA)), (ck::CKA_VALUE, b"data")],
        1 => vec![
            (class, number!(CKO_CERTIFICATE)),
            (ck::CKA_CERTIFICATE_TYPE, number!(CKC_X_509)),
            (ck::CKA_SUBJECT, b"\x30\x00"),
            (ck::CKA_VALUE, b"\x30\x03\x02\x01\x05"),
        ],
        2 => vec![
            (class, number!(CKO_SECRET_KEY)),
            (ck::CKA_KEY_TYPE, number!(CKK_AES)),
            (ck::CKA_VALUE, &[0x41; 32]),
        ],
        3 => vec![
            (class, number!(CKO_SECRET_KEY)),
            (ck::CKA_KEY_TYPE, number!(CKK_GENERIC_SECRET)),
            (ck::CKA_VALUE, b"any length"),
        ],
        4 => vec![
            (class, number!(CKO_PRIVATE_KEY)),
            (ck::CKA_KEY_TYPE, number!(CKK_EC)),
            (ck::CKA_EC_PARAMS, P256),
            (ck::CKA_VALUE, &[0x21; 32]),
        ],
        5 => vec![
            (class, number!(CKO_PRIVATE_KEY)),
            (ck::CKA_KEY_TYPE, number!(CKK_EC_EDWARDS)),
            (ck::CKA_EC_PARAMS, ED25519),
            (ck::CKA_VALUE, &[0x22; 32]),
        ],
        6 => vec![
            (class, number!(CKO_PUBLIC_KEY)),
            (ck::CKA_KEY_TYPE, number!(CKK_RSA)),
            (ck::CKA_MODULUS, &[0xc5; 256]),
            (ck::CKA_PUBLIC_EXPONENT, b"\x01\x00\x01"),
        ],
        _ => return Vec::new(),
    };
    let choice = bytes.byte();
    for (bit, kind) in [ck::CKA_TOKEN, ck::CKA_PRIVATE, ck::CKA_SENSITIVE, ck::CKA_EXTRACTABLE]
        .into_iter()
        .enumerate()
    {
        // Two bits each: left out, false, true.
        match choice >> (2 * bit) & 3 {
            1 => given.push((kind, FALSE)),
            2 => given.push((kind, TRUE)),
            _ => {}
        }
    }
    given
}

/// Makes and uses objects with templates of these bytes.
pub fn template(input: &[u8]) {
    with_module(|module| {
        let slot = module.slot("template");
        let mut bytes = Bytes::new(input);
        let session = if bytes.below(8) == 7 { module.open(slot) } else { module.user(slot) };
        let mut made = Vec::new();
        let given = base(&mut bytes);
        let mut attributes = Attributes::of(&given, &mut bytes);
        let (rows, count) = attributes.lend();
        let count = if bytes.below(64) == 63 { ck::CK_ULONG::MAX } else { count };
        let mut object = 0;
        let rv = ask!(module, C_CreateObject(session, rows, count, &raw mut object));
        if rv == ck::CKR_OK {
            made.push(object);
            found_by_its_own_name(module, session, object);
        }
        search(module, session, rows, count);
        for object in made.clone() {
            use_object(module, session, object, &mut bytes, &mut made);
        }
        let mut kept = false;
        for object in made {
            keeps_its_secrets(module, session, object);
            kept |= ask!(module, C_DestroyObject(session, object)) != ck::CKR_OK;
        }
        if kept {
            module.renew(slot);
        }
    });
}

fn search(
    module: &Module,
    session: ck::CK_SESSION_HANDLE,
    rows: *mut ck::CK_ATTRIBUTE,
    count: ck::CK_ULONG,
) -> Vec<ck::CK_OBJECT_HANDLE> {
    let (mut found, mut number) = ([0; 8], 0);
    if ask!(module, C_FindObjectsInit(session, rows, count)) != ck::CKR_OK {
        return Vec::new();
    }
    let list = found.as_mut_ptr();
    assert_eq!(ask!(module, C_FindObjects(session, list, 8, &raw mut number)), ck::CKR_OK);
    assert_eq!(ask!(module, C_FindObjectsFinal(session)), ck::CKR_OK);
    found.into_iter().take(usize::try_from(number).expect("a count")).collect()
}

fn found_by_its_own_name(
    module: &Module,
    session: ck::CK_SESSION_HANDLE,
    object: ck::CK_OBJECT_HANDLE,
) {
    let name = module.get(session, object, ck::CKA_UNIQUE_ID).expect("CKA_UNIQUE_ID");
    let mut wanted = Attributes::of(&[(ck::CKA_UNIQUE_ID, name.as_slice())], &mut Bytes::new(&[]));
    let (rows, count) = wanted.lend();
    assert_eq!(search(module, session, rows, count), [object], "found by its own CKA_UNIQUE_ID");
}

fn use_object(
    module: &Module,
    session: ck::CK_SESSION_HANDLE,
    object: ck::CK_OBJECT_HANDLE,
    bytes: &mut Bytes<'_>,
    made: &mut Vec<ck::CK_OBJECT_HANDLE>,
) {
    let mut rooms = Attributes::rooms(bytes);
    let (rows, count) = rooms.lend();
    ask!(module, C_GetAttributeValue(session, object, rows, count));
    let mut changes = Attributes::of(&[], bytes);
    let (rows, count) = changes.lend();
    ask!(module, C_SetAttributeValue(session, object, rows, count));
    let mut changes = Attributes::of(&[], bytes);
    let (rows, count) = changes.lend();
    let mut copy = 0;
    if ask!(module, C_CopyObject(session, object, rows, count, &raw mut copy)) == ck::CKR_OK {
        made.push(copy);
    }
    let mut size = 0;
    ask!(module, C_GetObjectSize(session, object, &raw mut size));
    ask!(module, C_GetAttributeValue(session, object, null_mut(), 0));
}

/// A sensitive or unextractable key gives none of its secret parts; on the token no key is
/// readable at all.
fn keeps_its_secrets(
    module: &Module,
    session: ck::CK_SESSION_HANDLE,
    object: ck::CK_OBJECT_HANDLE,
) {
    let flag = |kind| module.get(session, object, kind).is_ok_and(|value| value == TRUE);
    let class = module.get(session, object, ck::CKA_CLASS).expect("CKA_CLASS");
    let is_secret = class == ck::CKO_PRIVATE_KEY.to_ne_bytes();
    if !is_secret && class != ck::CKO_SECRET_KEY.to_ne_bytes() {
        return;
    }
    let readable = !flag(ck::CKA_SENSITIVE) && flag(ck::CKA_EXTRACTABLE);
    assert!(!readable || !flag(ck::CKA_TOKEN), "a readable key on the token");
    for kind in SECRETS {
        let value = module.get(session, object, *kind).unwrap_or_default();
        assert!(readable || value.is_empty(), "attribute {kind:#x} came out");
    }
}
