//! The keys that the workloads use: how they are made, and how they are found again.

use super::attributes::{Attributes, Mechanism};
use super::module::{Outcome, Session, refuse};
use cryptoki_sys::{
    CK_OBJECT_CLASS, CK_OBJECT_HANDLE, CKA_CLASS, CKA_DECRYPT, CKA_DERIVE, CKA_EC_PARAMS,
    CKA_ENCRYPT, CKA_EXTRACTABLE, CKA_ID, CKA_KEY_TYPE, CKA_LABEL, CKA_MODULUS_BITS, CKA_PRIVATE,
    CKA_PUBLIC_EXPONENT, CKA_SENSITIVE, CKA_SIGN, CKA_TOKEN, CKA_VALUE, CKA_VALUE_LEN, CKA_VERIFY,
    CKK_AES, CKM_AES_KEY_GEN, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN,
    CKM_GENERIC_SECRET_KEY_GEN, CKM_RSA_PKCS_KEY_PAIR_GEN, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY,
    CKO_SECRET_KEY,
};

pub(crate) const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
pub(crate) const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
pub(crate) const P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
/// PrintableString "edwards25519", which older modules want in place of the object identifier.
pub(crate) const ED25519: &[u8] = b"\x13\x0cedwards25519";

/// Lives on the token, or as long as the session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Token,
    Session,
}

fn key(label: &str, life: Life) -> Attributes {
    Attributes::new()
        .bytes(CKA_LABEL, label.as_bytes())
        .bytes(CKA_ID, label.as_bytes())
        .flag(CKA_TOKEN, life == Life::Token)
}

fn hidden(label: &str, life: Life) -> Attributes {
    key(label, life).flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true).flag(CKA_EXTRACTABLE, false)
}

type Pair = (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE);

pub(crate) fn make_rsa(session: &Session<'_>, label: &str, life: Life) -> Outcome<Pair> {
    session.generate_pair(
        &mut Mechanism::plain(CKM_RSA_PKCS_KEY_PAIR_GEN),
        &mut key(label, life)
            .number(CKA_MODULUS_BITS, 2048)
            .bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1])
            .flag(CKA_VERIFY, true)
            .flag(CKA_ENCRYPT, true),
        &mut hidden(label, life).flag(CKA_SIGN, true).flag(CKA_DECRYPT, true),
    )
}

pub(crate) fn make_ec(
    session: &Session<'_>,
    label: &str,
    curve: &[u8],
    life: Life,
) -> Outcome<Pair> {
    session.generate_pair(
        &mut Mechanism::plain(CKM_EC_KEY_PAIR_GEN),
        &mut key(label, life).bytes(CKA_EC_PARAMS, curve).flag(CKA_VERIFY, true),
        &mut hidden(label, life).flag(CKA_SIGN, true).flag(CKA_DERIVE, true),
    )
}

pub(crate) fn make_ed25519(session: &Session<'_>, label: &str, life: Life) -> Outcome<Pair> {
    session.generate_pair(
        &mut Mechanism::plain(CKM_EC_EDWARDS_KEY_PAIR_GEN),
        &mut key(label, life).bytes(CKA_EC_PARAMS, ED25519).flag(CKA_VERIFY, true),
        &mut hidden(label, life).flag(CKA_SIGN, true),
    )
}

pub(crate) fn make_aes(
    session: &Session<'_>,
    label: &str,
    life: Life,
) -> Outcome<CK_OBJECT_HANDLE> {
    session.generate_key(
        &mut Mechanism::plain(CKM_AES_KEY_GEN),
        &mut hidden(label, life)
            .number(CKA_VALUE_LEN, 32)
            .flag(CKA_ENCRYPT, true)
            .flag(CKA_DECRYPT, true)
            .flag(CKA_SIGN, true),
    )
}

pub(crate) fn make_mac_key(session: &Session<'_>, label: &str) -> Outcome<CK_OBJECT_HANDLE> {
    session.generate_key(
        &mut Mechanism::plain(CKM_GENERIC_SECRET_KEY_GEN),
        &mut hidden(label, Life::Token)
            .number(CKA_VALUE_LEN, 32)
            .flag(CKA_SIGN, true)
            .flag(CKA_VERIFY, true),
    )
}

/// An AES key with a value of the caller's, as one of many: found by its number.
pub(crate) fn create_numbered(session: &Session<'_>, number: u64) -> Outcome<CK_OBJECT_HANDLE> {
    session.create(
        &mut hidden(&format!("numbered-{number}"), Life::Token)
            .number(CKA_CLASS, CKO_SECRET_KEY)
            .number(CKA_KEY_TYPE, CKK_AES)
            .bytes(CKA_VALUE, &[number.to_le_bytes(); 4].concat())
            .flag(CKA_ENCRYPT, true),
    )
}

/// The search for the AES key of that number, by CKA_ID.
pub(crate) fn numbered(number: u64) -> Attributes {
    Attributes::new()
        .number(CKA_CLASS, CKO_SECRET_KEY)
        .bytes(CKA_ID, format!("numbered-{number}").as_bytes())
}

/// One key of each kind, on the token. A module without Ed25519 goes without.
pub(crate) fn make_all(session: &Session<'_>) -> Outcome<()> {
    make_rsa(session, "rsa", Life::Token)?;
    make_ec(session, "p256", P256, Life::Token)?;
    make_ec(session, "p384", P384, Life::Token)?;
    make_ec(session, "p521", P521, Life::Token)?;
    if let Err(why) = make_ed25519(session, "ed25519", Life::Token) {
        eprintln!("no Ed25519 key: {why}");
    }
    make_aes(session, "aes", Life::Token)?;
    make_mac_key(session, "mac")?;
    Ok(())
}

fn one(session: &Session<'_>, label: &str, class: CK_OBJECT_CLASS) -> Outcome<CK_OBJECT_HANDLE> {
    let mut wanted = Attributes::new().bytes(CKA_LABEL, label.as_bytes()).number(CKA_CLASS, class);
    match session.find(&mut wanted)?.as_slice() {
        [object] => Ok(*object),
        _ => refuse(format!("no single key {label}")),
    }
}

pub(crate) fn private(session: &Session<'_>, label: &str) -> Outcome<CK_OBJECT_HANDLE> {
    one(session, label, CKO_PRIVATE_KEY)
}

pub(crate) fn public(session: &Session<'_>, label: &str) -> Outcome<CK_OBJECT_HANDLE> {
    one(session, label, CKO_PUBLIC_KEY)
}

pub(crate) fn secret(session: &Session<'_>, label: &str) -> Outcome<CK_OBJECT_HANDLE> {
    one(session, label, CKO_SECRET_KEY)
}
