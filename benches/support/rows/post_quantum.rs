//! ML-DSA, ML-KEM and SLH-DSA.

use super::{Pair, set, sign, verify};
use crate::support::attributes::Mechanism;
use crate::support::beside::Line;
use crate::support::kem::Kem;
use crate::support::module::{Module, Outcome, Session};
#[cfg(target_arch = "x86_64")]
use crate::support::primitive::post_quantum::PreparedMlKem768;
use crate::support::primitive::post_quantum::{MlDsa65, MlKem768, SlhDsa};
use cryptoki_sys as ck;
use std::hint::black_box;

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

/// Each call makes a key of a session, which goes with it. The crate that was chosen for ML-KEM is
/// AWS-LC; the other is what the module uses where the processor allows it.
pub(super) fn ml_kem<'m>(module: &'m Module, session: Session<'m>) -> Outcome<Vec<Line<'m>>> {
    let pair = set(&session, ck::CKM_ML_KEM_KEY_PAIR_GEN, ck::CKP_ML_KEM_768)?;
    let (maker, opener) = (MlKem768::new()?, MlKem768::new()?);
    let (mut room, mut ciphertext) = ([0; MlKem768::CIPHERTEXT], [0; MlKem768::CIPHERTEXT]);
    opener.encapsulate(&mut ciphertext)?;
    let mut lines = vec![
        encapsulate(module, pair, "beside AWS-LC", move || maker.encapsulate(&mut room))?,
        decapsulate(module, pair, "beside AWS-LC", move || opener.decapsulate(&ciphertext))?,
    ];
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        let (maker, opener) = (PreparedMlKem768::new(), PreparedMlKem768::new());
        let ciphertext = opener.encapsulate()?;
        lines.push(encapsulate(module, pair, "beside libcrux with a prepared key", move || {
            maker.encapsulate().map(|made| {
                black_box(made);
            })
        })?);
        lines.push(decapsulate(module, pair, "beside libcrux with a prepared key", move || {
            opener.decapsulate(&ciphertext);
            Ok(())
        })?);
    }
    Ok(lines)
}

fn encapsulate<'m>(
    module: &'m Module,
    (public, _): Pair,
    beside: &str,
    bare: impl FnMut() -> Outcome<()> + 'm,
) -> Outcome<Line<'m>> {
    let (mut kem, mut room) = (Kem::of(module)?, [0; MlKem768::CIPHERTEXT]);
    let shelf = kem.shelf.clone();
    let ours = Box::new(move || kem.encapsulate(public, &mut room).map(drop));
    Ok(Line::new(format!("ML-KEM-768 encapsulate, {beside}"), ours, bare).filling(&shelf))
}

fn decapsulate<'m>(
    module: &'m Module,
    (public, private): Pair,
    beside: &str,
    bare: impl FnMut() -> Outcome<()> + 'm,
) -> Outcome<Line<'m>> {
    let (mut kem, mut ciphertext) = (Kem::of(module)?, [0; MlKem768::CIPHERTEXT]);
    kem.encapsulate(public, &mut ciphertext)?;
    let shelf = kem.shelf.clone();
    let ours = Box::new(move || kem.decapsulate(private, &ciphertext));
    Ok(Line::new(format!("ML-KEM-768 decapsulate, {beside}"), ours, bare).filling(&shelf))
}
