//! ML-DSA, ML-KEM and SLH-DSA.

use super::{set, sign, verify};
use crate::support::attributes::Mechanism;
use crate::support::beside::Line;
use crate::support::kem::Kem;
use crate::support::module::{Module, Outcome, Session};
use crate::support::primitive::post_quantum::{MlDsa65, MlKem768, SlhDsa};
use cryptoki_sys as ck;

/// As long as what the halves of a composite sign.
const MESSAGE: [u8; 128] = [7; 128];
/// Room for every signature.
const ROOM: usize = 18_000;

pub(super) fn slh_dsa(session: Session<'_>) -> Outcome<Vec<Line<'_>>> {
    let keys = set(&session, ck::CKM_SLH_DSA_KEY_PAIR_GEN, ck::CKP_SLH_DSA_SHA2_128F)?;
    let (bare, mut room) = (SlhDsa::new(), vec![0; ROOM]);
    let ours = sign(session, keys.1, Mechanism::plain(ck::CKM_SLH_DSA), MESSAGE.to_vec());
    Ok(vec![Line::new("SLH-DSA-SHA2-128f sign", ours, move || bare.sign(&MESSAGE, &mut room))])
}

pub(super) fn ml_dsa(session: Session<'_>) -> Outcome<Vec<Line<'_>>> {
    let keys = set(&session, ck::CKM_ML_DSA_KEY_PAIR_GEN, ck::CKP_ML_DSA_65)?;
    let (signer, verifier) = (MlDsa65::new()?, MlDsa65::new()?);
    let (mut room, mut signature) = (vec![0; ROOM], vec![0; ROOM]);
    let len = signer.sign(&MESSAGE, &mut signature)?;
    signature.truncate(len);
    let plain = || Mechanism::plain(ck::CKM_ML_DSA);
    Ok(vec![
        Line::new("ML-DSA-65 sign", sign(session, keys.1, plain(), MESSAGE.to_vec()), move || {
            signer.sign(&MESSAGE, &mut room).map(drop)
        }),
        Line::new(
            "ML-DSA-65 verify",
            verify(session, keys, plain(), MESSAGE.to_vec())?,
            move || verifier.verify(&MESSAGE, &signature),
        ),
    ])
}

/// Each call makes a key of a session, which goes with it.
pub(super) fn ml_kem<'m>(module: &'m Module, session: Session<'m>) -> Outcome<Vec<Line<'m>>> {
    let (public, private) = set(&session, ck::CKM_ML_KEM_KEY_PAIR_GEN, ck::CKP_ML_KEM_768)?;
    let (mut one, mut other) = (Kem::of(module)?, Kem::of(module)?);
    let (maker, opener) = (MlKem768::new()?, MlKem768::new()?);
    let (mut room, mut bare_room) = ([0; MlKem768::CIPHERTEXT], [0; MlKem768::CIPHERTEXT]);
    let (mut ciphertext, mut bare_ciphertext) = (room, bare_room);
    let (one_shelf, other_shelf) = (one.shelf.clone(), other.shelf.clone());
    other.encapsulate(public, &mut ciphertext)?;
    opener.encapsulate(&mut bare_ciphertext)?;
    Ok(vec![
        Line::new(
            "ML-KEM-768 encapsulate",
            Box::new(move || one.encapsulate(public, &mut room).map(drop)),
            move || maker.encapsulate(&mut bare_room),
        )
        .filling(&one_shelf),
        Line::new(
            "ML-KEM-768 decapsulate",
            Box::new(move || other.decapsulate(private, &ciphertext)),
            move || opener.decapsulate(&bare_ciphertext),
        )
        .filling(&other_shelf),
    ])
}
