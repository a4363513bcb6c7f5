//! Arbitrary bytes in a token's database, where a public object's attributes stand in clear: what
//! someone who can write the file can do. The module refuses them or takes them for what they
//! say; it does not crash, and a private object beside them is what it was.

use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::ptr::null_mut;

use claviger::audit::tree::{leaf_hash, node_hash};
use cryptoki_sys as ck;
use rusqlite::{Connection, params};

use super::attributes::Attributes;
use super::bytes::Bytes;
use super::module::{Module, ask, directory, lent, with_module};

const PRIVATE_VALUE: &[u8] = b"sealed, and never another value";
const TRUE: &[u8] = &[1];
const FALSE: &[u8] = &[0];

/// Public objects by their CKA_LABEL: data and keys.
const LABELS: &[&[u8]] = &[b"data", b"ec", b"rsa"];

/// What is read of a changed object.
#[rustfmt::skip]
const READ: &[ck::CK_ATTRIBUTE_TYPE] = &[
    ck::CKA_CLASS, ck::CKA_KEY_TYPE, ck::CKA_LABEL, ck::CKA_VALUE, ck::CKA_ID, ck::CKA_MODULUS,
    ck::CKA_EC_POINT, ck::CKA_PRIVATE, ck::CKA_START_DATE, ck::CKA_WRAP_TEMPLATE,
    ck::CKA_ALLOWED_MECHANISMS, ck::CKA_PUBLIC_KEY_INFO, ck::CKA_UNIQUE_ID,
];

/// The only token directory whose name ends in the digits of this slot.
fn token_directory(slot: ck::CK_SLOT_ID) -> PathBuf {
    let ending = format!("{slot:06x}");
    let tokens = std::fs::read_dir(directory().join("data/tokens")).expect("the tokens");
    let mut paths = tokens.map(|entry| entry.expect("an entry").path());
    let is_it = |path: &PathBuf| path.to_string_lossy().ends_with(&ending);
    paths.find(is_it).expect("the directory of the token")
}

fn create(module: &Module, session: ck::CK_SESSION_HANDLE, given: &[(u64, &[u8])]) {
    let mut attributes = Attributes::of(given, &mut Bytes::new(&[]));
    let (rows, count) = attributes.lend();
    let mut object = 0;
    let rv = ask!(module, C_CreateObject(session, rows, count, &raw mut object));
    assert_eq!(rv, ck::CKR_OK, "C_CreateObject");
}

fn make_objects(module: &Module, session: ck::CK_SESSION_HANDLE) {
    let data = ck::CKO_DATA.to_ne_bytes();
    let public = ck::CKO_PUBLIC_KEY.to_ne_bytes();
    let common = |class, private, label| {
        let token: [(u64, &[u8]); 4] = [
            (ck::CKA_TOKEN, TRUE),
            (ck::CKA_CLASS, class),
            (ck::CKA_PRIVATE, private),
            (ck::CKA_LABEL, label),
        ];
        token.to_vec()
    };
    let mut private = common(data.as_slice(), TRUE, b"private".as_slice());
    private.push((ck::CKA_VALUE, PRIVATE_VALUE));
    create(module, session, &private);
    let mut clear = common(data.as_slice(), FALSE, LABELS[0]);
    clear.push((ck::CKA_VALUE, b"for everyone"));
    create(module, session, &clear);
    let mut ec = common(public.as_slice(), FALSE, LABELS[1]);
    let key_type = ck::CKK_EC_EDWARDS.to_ne_bytes();
    ec.push((ck::CKA_KEY_TYPE, &key_type));
    ec.push((ck::CKA_EC_PARAMS, b"\x06\x03\x2b\x65\x70"));
    // RFC 8032, test 1.
    ec.push((
        ck::CKA_EC_POINT,
        b"\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\
          \x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a",
    ));
    ec.push((ck::CKA_VERIFY, TRUE));
    create(module, session, &ec);
    let mut rsa = common(public.as_slice(), FALSE, LABELS[2]);
    let key_type = ck::CKK_RSA.to_ne_bytes();
    rsa.push((ck::CKA_KEY_TYPE, &key_type));
    rsa.push((ck::CKA_MODULUS, &[0xc5; 256]));
    rsa.push((ck::CKA_PUBLIC_EXPONENT, b"\x01\x00\x01"));
    rsa.push((ck::CKA_ENCRYPT, TRUE));
    rsa.push((ck::CKA_VERIFY, TRUE));
    create(module, session, &rsa);
}

/// What stood in clear, changed at a few places, or other bytes altogether.
fn changed(right: &[u8], bytes: &mut Bytes<'_>) -> Vec<u8> {
    if bytes.below(4) == 0 {
        return [&[1], bytes.rest()].concat();
    }
    let mut all = right.to_vec();
    while !bytes.is_empty() && !all.is_empty() {
        let place = usize::from(u16::from_le_bytes([bytes.byte(), bytes.byte()])) % all.len();
        match bytes.below(5) {
            0 => all.truncate(place),
            1 => {
                all.splice(place..place, bytes.some(20).iter().copied());
            }
            2 => drop(all.drain(place..(place + 1 + bytes.below(20)).min(all.len()))),
            3 => all[place] = bytes.pick(&[0, 1, 2, 3, 4, 5, 0xff]),
            _ => all[place] ^= bytes.byte(),
        }
    }
    all
}

/// Makes the state tree hold a row again, so that its bytes are read. Nobody signs that: the token
/// is distrusted from then on, and reading goes on. The tree has fewer slots than one tile.
fn fit_the_state_tree(database: &Connection, slot: i64) {
    let sql = "SELECT id, version, class, key_type, clear FROM object WHERE slot = ?1";
    let mut leaf = database
        .query_row(sql, [slot], |row| {
            let (id, version, class): (Vec<u8>, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (key_type, clear): (Option<i64>, Vec<u8>) = (row.get(3)?, row.get(4)?);
            let numbers = [version.to_le_bytes(), class.to_le_bytes()].concat();
            let kind =
                [&[0, u8::from(key_type.is_some())], &key_type.unwrap_or(0).to_le_bytes()[..]];
            // No epoch, no data key, nothing sealed.
            let rest = [&[0; 24], &(clear.len() as u64).to_le_bytes()[..], &clear].concat();
            Ok([&[1], &id[..], &numbers, &kind.concat(), &rest].concat())
        })
        .expect("a row");
    let sql = "SELECT attribute, value FROM search WHERE slot = ?1 ORDER BY attribute, value";
    let mut rows = database.prepare(sql).expect("a statement");
    let mut rows = rows.query([slot]).expect("search rows");
    while let Some(row) = rows.next().expect("a search row") {
        let (attribute, value): (i64, Vec<u8>) = (row.get(0).unwrap(), row.get(1).unwrap());
        leaf.extend(attribute.to_le_bytes());
        leaf.extend((value.len() as u64).to_le_bytes());
        leaf.extend(value);
    }
    let sql = "SELECT room, nodes FROM head, state WHERE place = 0";
    let (room, nodes): (i64, Vec<u8>) =
        database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).expect("a tile");
    let mut nodes: Vec<[u8; 32]> = nodes.as_chunks().0.to_vec();
    let (mut at, mut below, mut width) = (usize::try_from(slot).expect("a slot"), 0, 16);
    nodes[at] = leaf_hash(&leaf);
    for _ in 0..room.ilog2() {
        let (left, right) = (nodes[below + (at & !1)], nodes[below + (at | 1)]);
        (at, below, width) = (at / 2, below + width, width / 2);
        nodes[below + at] = node_hash(&left, &right);
    }
    let tile = "UPDATE state SET nodes = ?1 WHERE place = 0";
    assert_eq!(database.execute(tile, [nodes.concat()]), Ok(1));
    let root = "UPDATE head SET state_root = ?1";
    assert_eq!(database.execute(root, [nodes[below + at]]), Ok(1));
}

/// Tells the module that something was committed: the next generation.
fn move_generation(token: &std::path::Path) {
    let file = token.join("generation");
    let file = std::fs::File::options().read(true).write(true).open(file).expect("generation");
    let mut number = [0; 8];
    file.read_exact_at(&mut number, 0).expect("eight bytes");
    let next = u64::from_le_bytes(number) + 1;
    file.write_all_at(&next.to_le_bytes(), 0).expect("eight bytes are written");
}

/// Puts these bytes into a public object and uses it.
pub fn stored_object(input: &[u8]) {
    with_module(|module| {
        let slot = module.slot("stored_object");
        let session = module.user(slot);
        if module.objects(session).is_empty() {
            make_objects(module, session);
        }
        let token = token_directory(slot);
        let database = Connection::open(token.join("token.db")).expect("token.db");
        let mut bytes = Bytes::new(input);
        let number = bytes.below(LABELS.len());
        let (row, right): (i64, Vec<u8>) = database
            .query_row(
                "SELECT object.slot, clear FROM object JOIN search USING (slot)
                 WHERE attribute = 3 AND value = ?1",
                [LABELS[number]],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("the object");
        let put = |clear: &[u8]| {
            let sql = "UPDATE object SET clear = ?2, version = version + 1 WHERE slot = ?1";
            assert_eq!(database.execute(sql, params![row, clear]), Ok(1));
            fit_the_state_tree(&database, row);
            move_generation(&token);
        };
        put(&changed(&right, &mut bytes));
        let objects = module.objects(session);
        assert!(objects.len() == LABELS.len() + 1, "all are there: {objects:?}");
        for object in objects {
            use_object(module, session, object);
        }
        find_the_private_one(module, session);
        put(&right);
        for object in module.objects(session) {
            let label = module.get(session, object, ck::CKA_LABEL);
            assert!(label.is_ok(), "what is put back can be read: {label:?}");
        }
    });
}

fn find_the_private_one(module: &Module, session: ck::CK_SESSION_HANDLE) {
    let wanted = [(ck::CKA_LABEL, b"private".as_slice()), (ck::CKA_VALUE, PRIVATE_VALUE)];
    let mut wanted = Attributes::of(&wanted, &mut Bytes::new(&[]));
    let (rows, count) = wanted.lend();
    assert_eq!(ask!(module, C_FindObjectsInit(session, rows, count)), ck::CKR_OK);
    let (mut found, mut number) = ([0; 2], 0);
    let list = found.as_mut_ptr();
    assert_eq!(ask!(module, C_FindObjects(session, list, 2, &raw mut number)), ck::CKR_OK);
    assert_eq!(ask!(module, C_FindObjectsFinal(session)), ck::CKR_OK);
    assert_eq!(number, 1, "the private object is found by its value");
    let value = module.get(session, found[0], ck::CKA_VALUE);
    assert_eq!(value.as_deref(), Ok(PRIVATE_VALUE), "and has it");
}

fn use_object(module: &Module, session: ck::CK_SESSION_HANDLE, object: ck::CK_OBJECT_HANDLE) {
    for kind in READ {
        // One that holds other attributes is asked for its size only.
        if kind & ck::CKF_ARRAY_ATTRIBUTE != 0 {
            let mut row = ck::CK_ATTRIBUTE { type_: *kind, pValue: null_mut(), ulValueLen: 0 };
            ask!(module, C_GetAttributeValue(session, object, &raw mut row, 1));
        } else {
            let _ = module.get(session, object, *kind);
        }
    }
    let (data, len) = lent(b"data");
    for how in [ck::CKM_RSA_PKCS, ck::CKM_EDDSA, ck::CKM_ECDSA, ck::CKM_AES_ECB] {
        let mut c = ck::CK_MECHANISM { mechanism: how, pParameter: null_mut(), ulParameterLen: 0 };
        if ask!(module, C_VerifyInit(session, &raw mut c, object)) == ck::CKR_OK {
            let (signature, signature_len) = lent(&[0x5a; 256]);
            ask!(module, C_Verify(session, data, len, signature, signature_len));
        }
        if ask!(module, C_EncryptInit(session, &raw mut c, object)) == ck::CKR_OK {
            let (mut out, mut out_len) = ([0; 2048], 2048);
            let place = out.as_mut_ptr();
            ask!(module, C_Encrypt(session, data, len, place, &raw mut out_len));
        }
    }
    let nothing = [(ck::CKA_TOKEN, FALSE)];
    let mut nothing = Attributes::of(&nothing, &mut Bytes::new(&[]));
    let (rows, count) = nothing.lend();
    let mut copy = 0;
    if ask!(module, C_CopyObject(session, object, rows, count, &raw mut copy)) == ck::CKR_OK {
        // It may say that it must not be destroyed; then it ends with the session.
        ask!(module, C_DestroyObject(session, copy));
    }
}
