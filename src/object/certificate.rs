//! The one thing that is looked for inside a certificate: which kind of public key it has.
//! RFC 5280, section 4.1; identifiers of RFC 4055 and RFC 5480.

use super::der::{OBJECT_IDENTIFIER, SEQUENCE, first, whole};

/// A kind of public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PublicKind {
    /// RSA.
    Rsa,
    /// An elliptic curve for ECDSA.
    Ec,
    /// Anything else, or bytes that are no certificate.
    Other,
}

const RSA: &[&[u8]] = &[
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a],
];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// `[0]`, around the version.
const VERSION: u8 = 0xa0;
/// serialNumber, signature, issuer, validity and subject stand before the key.
const BEFORE_KEY: usize = 5;

/// The kind of public key in a certificate.
pub(crate) fn public_kind(certificate: &[u8]) -> PublicKind {
    match algorithm(certificate) {
        Some(EC) => PublicKind::Ec,
        Some(identifier) if RSA.contains(&identifier) => PublicKind::Rsa,
        _ => PublicKind::Other,
    }
}

/// The identifier of the algorithm of the public key.
fn algorithm(certificate: &[u8]) -> Option<&[u8]> {
    let sequence = |bytes| first(bytes).filter(|(tag, _, _)| *tag == SEQUENCE);
    let (_, signed) = whole(certificate).filter(|(tag, _)| *tag == SEQUENCE)?;
    let (_, mut fields, _) = sequence(signed)?;
    if let Some((VERSION, _, rest)) = first(fields) {
        fields = rest;
    }
    for _ in 0..BEFORE_KEY {
        fields = first(fields)?.2;
    }
    let (_, key, _) = sequence(fields)?;
    let (_, identifier, _) = sequence(key)?;
    first(identifier).filter(|(tag, _, _)| *tag == OBJECT_IDENTIFIER).map(|(_, oid, _)| oid)
}

#[cfg(test)]
mod tests {
    use super::super::der::{bit_string, element, integer};
    use super::*;

    fn certificate(oid: &[u8], version: bool) -> Vec<u8> {
        let identifier = element(SEQUENCE, &[&element(OBJECT_IDENTIFIER, &[oid])]);
        let key = element(SEQUENCE, &[&identifier, &bit_string(b"key")]);
        let empty = element(SEQUENCE, &[]);
        let number = element(VERSION, &[&integer(&[2])]);
        let version = if version { number.as_slice() } else { &[] };
        let parts: &[&[u8]] = &[version, &integer(&[7]), &empty, &empty, &empty, &empty, &key];
        let signed = element(SEQUENCE, parts);
        element(SEQUENCE, &[&signed, &empty, &bit_string(b"signature")])
    }

    #[test]
    fn the_kind_of_key_is_found_and_everything_else_is_other() {
        for version in [true, false] {
            assert_eq!(public_kind(&certificate(EC, version)), PublicKind::Ec);
            assert_eq!(public_kind(&certificate(RSA[0], version)), PublicKind::Rsa);
            assert_eq!(public_kind(&certificate(&[0x2b, 0x65, 0x70], version)), PublicKind::Other);
        }
        let whole = certificate(EC, true);
        for len in 0..whole.len() {
            assert_eq!(public_kind(&whole[..len]), PublicKind::Other, "{len}");
        }
    }
}
