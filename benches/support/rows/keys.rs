//! Operations that make keys of a session, with a checked template, a check value and a name.

use super::Pair;
use crate::support::attributes::{Attributes, Mechanism};
use crate::support::beside::Line;
use crate::support::module::{Module, Outcome, Session};
use crate::support::objects;
use crate::support::primitive::ec::{Ec, x25519 as agree, x25519_public};
use crate::support::shelf::Shelf;
use crate::support::workloads::Operation;
use aws_lc_sys::NID_X9_62_prime256v1 as NUMBER;
use cryptoki_sys as ck;

/// DER of the object identifier of RFC 8410.
const X25519: &[u8] = &[6, 3, 0x2b, 0x65, 0x6e];

/// The bare agreement parses the peer's point, which is another one for each.
pub(super) fn p256<'m>(module: &'m Module, session: Session<'m>) -> Outcome<Vec<Line<'m>>> {
    let keys = agreeing(&session, ck::CKM_EC_KEY_PAIR_GEN, objects::P256)?;
    let (point, mut room) = (point(&session, keys.0)?, [0; 32]);
    let (peer, bare) = (point.clone(), Ec::new(NUMBER)?);
    let (secrets, pairs) = (Shelf::of(module)?, Shelf::of(module)?);
    Ok(vec![
        Line::new("ECDH P-256 derive", derive(&secrets, keys, point), move || {
            bare.agree(&peer, &mut room)
        })
        .filling(&secrets),
        Line::new("generate P-256, and compute the point anew", generate(&pairs), || {
            Ec::new(NUMBER)?.check()
        })
        .filling(&pairs),
    ])
}

pub(super) fn x25519<'m>(module: &'m Module, session: Session<'m>) -> Outcome<Vec<Line<'m>>> {
    let keys = agreeing(&session, ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, X25519)?;
    let point = point(&session, keys.0)?;
    let (peer, mut room) = (x25519_public(&[9; 32]), [0; 32]);
    let secrets = Shelf::of(module)?;
    let ours = derive(&secrets, keys, point);
    let bare = move || agree(&[7; 32], &peer, &mut room);
    Ok(vec![Line::new("X25519 derive", ours, bare).filling(&secrets)])
}

fn agreeing(session: &Session<'_>, how: ck::CK_MECHANISM_TYPE, curve: &[u8]) -> Outcome<Pair> {
    let mut public = Attributes::new().flag(ck::CKA_TOKEN, true).bytes(ck::CKA_EC_PARAMS, curve);
    let mut private = Attributes::new().flag(ck::CKA_TOKEN, true).flag(ck::CKA_DERIVE, true);
    session.generate_pair(&mut Mechanism::plain(how), &mut public, &mut private)
}

fn point(session: &Session<'_>, public: ck::CK_OBJECT_HANDLE) -> Outcome<Vec<u8>> {
    let point = session.attribute(public, ck::CKA_EC_POINT)?;
    // Of a curve in Weierstrass form in DER: OCTET STRING, a length under 128.
    Ok(if point.len() == 32 { point } else { point.get(2..).unwrap_or_default().to_vec() })
}

fn derive<'m>(shelf: &Shelf<'m>, keys: Pair, peer: Vec<u8>) -> Operation<'m> {
    let (shelf, mut mechanism) = (shelf.clone(), Mechanism::ecdh(peer));
    let mut template = Attributes::new()
        .number(ck::CKA_CLASS, ck::CKO_SECRET_KEY)
        .number(ck::CKA_KEY_TYPE, ck::CKK_GENERIC_SECRET)
        .number(ck::CKA_VALUE_LEN, 32)
        .flag(ck::CKA_SENSITIVE, true)
        .flag(ck::CKA_EXTRACTABLE, false);
    Box::new(move || shelf.session().derive(&mut mechanism, keys.1, &mut template).map(drop))
}

fn generate<'m>(shelf: &Shelf<'m>) -> Operation<'m> {
    let (shelf, mut mechanism) = (shelf.clone(), Mechanism::plain(ck::CKM_EC_KEY_PAIR_GEN));
    let mut public = Attributes::new().bytes(ck::CKA_EC_PARAMS, objects::P256);
    let mut private = Attributes::new().flag(ck::CKA_SENSITIVE, true);
    Box::new(move || {
        shelf.session().generate_pair(&mut mechanism, &mut public, &mut private).map(drop)
    })
}
