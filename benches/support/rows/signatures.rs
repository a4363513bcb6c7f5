//! RSA, ECDSA and EdDSA.

use super::{Pair, curve, pair, sign, verify};
use crate::support::attributes::{Attributes, Mechanism};
use crate::support::beside::Line;
use crate::support::module::{Outcome, Session};
use crate::support::objects;
use crate::support::primitive::ec::Ec;
use crate::support::primitive::edwards::{Ed448, Ed25519, Signing};
use crate::support::primitive::rsa::Rsa;
use crate::support::workloads::Operation;
use aws_lc_sys as lc;
use cryptoki_sys as ck;
use std::hint::black_box;
use std::rc::Rc;

/// As long as a digest of SHA-256.
const DATA: [u8; 32] = [0x5a; 32];
/// DER of the object identifiers of RFC 8410.
const ED25519: &[u8] = &[6, 3, 0x2b, 0x65, 0x70];
const ED448: &[u8] = &[6, 3, 0x2b, 0x65, 0x71];
const LONGEST_RSA: usize = 512;

/// A curve: its name, in DER, and as AWS-LC counts them.
pub(super) struct Curve(&'static str, &'static [u8], i32);

pub(super) const P256: Curve = Curve("P-256", objects::P256, lc::NID_X9_62_prime256v1);
pub(super) const P384: Curve = Curve("P-384", objects::P384, lc::NID_secp384r1);
pub(super) const P521: Curve = Curve("P-521", objects::P521, lc::NID_secp521r1);

/// Both take the data as it is, as CKM_RSA_PKCS does.
pub(super) fn rsa(session: Session<'_>, bits: u16) -> Outcome<Vec<Line<'_>>> {
    let public = Attributes::new()
        .number(ck::CKA_MODULUS_BITS, bits.into())
        .bytes(ck::CKA_PUBLIC_EXPONENT, &[1, 0, 1]);
    let keys = pair(&session, ck::CKM_RSA_PKCS_KEY_PAIR_GEN, public)?;
    let bare = Rc::new(Rsa::new(bits.into())?);
    let [signer, verifier, salted, opener] = [(); 4].map(|()| Rc::clone(&bare));
    let (mut signed, mut sealed) = ([0; LONGEST_RSA], [0; LONGEST_RSA]);
    let signed_len = bare.sign(&DATA, &mut signed)?;
    let sealed_len = bare.encrypt(&DATA, &mut sealed)?;
    let [mut one, mut two, mut three, mut four] = [[0; LONGEST_RSA]; 4];
    let plain = || Mechanism::plain(ck::CKM_RSA_PKCS);
    Ok(vec![
        Line::new(
            format!("RSA-{bits} PKCS #1 sign, and check against a fault"),
            sign(session, keys.1, plain(), DATA.to_vec()),
            move || signer.sign(&DATA, &mut one).map(drop),
        ),
        Line::new(
            format!("RSA-{bits} PKCS #1 verify"),
            verify(session, keys, plain(), DATA.to_vec())?,
            move || verifier.verify(&DATA, &signed[..signed_len], &mut two),
        ),
        Line::new(
            format!("RSA-{bits} PSS sign, and check against a fault"),
            sign(session, keys.1, Mechanism::pss(), DATA.to_vec()),
            move || salted.sign_pss(&DATA, &mut three),
        ),
        Line::new(format!("RSA-{bits} OAEP decrypt"), decrypt(session, keys)?, move || {
            opener.decrypt(&sealed[..sealed_len], &mut four)
        }),
    ])
}

fn decrypt(session: Session<'_>, (public, private): Pair) -> Outcome<Operation<'_>> {
    let (mut mechanism, mut sealed, mut room) =
        (Mechanism::oaep(), vec![0; LONGEST_RSA], [0; LONGEST_RSA]);
    let len = session.encrypt(&mut mechanism, public, &DATA, &mut sealed)?;
    sealed.truncate(len);
    Ok(Box::new(move || session.decrypt(&mut mechanism, private, &sealed, &mut room).map(drop)))
}

pub(super) fn ecdsa<'m>(session: Session<'m>, of: &Curve) -> Outcome<Vec<Line<'m>>> {
    let Curve(name, der, number) = of;
    let keys = curve(&session, ck::CKM_EC_KEY_PAIR_GEN, der)?;
    let signer = Rc::new(Ec::new(*number)?);
    let verifier = Rc::clone(&signer);
    let (mut signature, mut room) = ([0; 160], [0; 160]);
    let len = signer.sign(&DATA, &mut signature)?;
    let plain = || Mechanism::plain(ck::CKM_ECDSA);
    Ok(vec![
        Line::new(
            format!("ECDSA {name} sign"),
            sign(session, keys.1, plain(), DATA.to_vec()),
            move || signer.sign(&DATA, &mut room).map(drop),
        ),
        Line::new(
            format!("ECDSA {name} verify"),
            verify(session, keys, plain(), DATA.to_vec())?,
            move || verifier.verify(&DATA, &signature[..len]),
        ),
    ])
}

pub(super) fn ed25519(session: Session<'_>) -> Outcome<Vec<Line<'_>>> {
    let keys = curve(&session, ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, ED25519)?;
    let (dalek, verifier, signer) = (Ed25519::new(), Ed25519::new(), Signing::from_seed(&[7; 32]));
    let signature = verifier.sign(&DATA);
    let plain = || Mechanism::plain(ck::CKM_EDDSA);
    Ok(vec![
        Line::new("Ed25519 sign", sign(session, keys.1, plain(), DATA.to_vec()), move || {
            signer.sign(&DATA)
        }),
        Line::new(
            "Ed25519 sign, beside ed25519-dalek",
            sign(session, keys.1, plain(), DATA.to_vec()),
            move || {
                black_box(dalek.sign(&DATA));
                Ok(())
            },
        ),
        Line::new("Ed25519 verify", verify(session, keys, plain(), DATA.to_vec())?, move || {
            verifier.verify(&DATA, &signature)
        }),
    ])
}

pub(super) fn ed448(session: Session<'_>) -> Outcome<Vec<Line<'_>>> {
    let keys = curve(&session, ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, ED448)?;
    let (bare, mechanism) = (Ed448::new(), Mechanism::plain(ck::CKM_EDDSA));
    let ours = sign(session, keys.1, mechanism, DATA.to_vec());
    Ok(vec![Line::new("Ed448 sign", ours, move || bare.sign(&DATA))])
}
