//! Hash functions, and HMAC.

use super::{secret, sign};
use crate::support::attributes::Mechanism;
use crate::support::beside::Line;
use crate::support::module::{Outcome, Session};
use crate::support::primitive::hash::{Hmac, digest};
use cryptoki_sys as ck;
use sha2::{Sha256, Sha512};
use sha3::Sha3_256;

const LEN: usize = 16 * 1024;
type Bare = fn(&[u8]) -> Outcome<()>;

pub(super) fn hashes(session: Session<'_>) -> Outcome<Vec<Line<'_>>> {
    let bare: [(&str, ck::CK_MECHANISM_TYPE, Bare); 3] = [
        ("SHA-256", ck::CKM_SHA256, digest::<Sha256>),
        ("SHA-512", ck::CKM_SHA512, digest::<Sha512>),
        ("SHA3-256", ck::CKM_SHA3_256, digest::<Sha3_256>),
    ];
    let lines = bare.into_iter().map(|(name, how, bare)| {
        let (data, mut mechanism, mut room) = (vec![0x5a; LEN], Mechanism::plain(how), [0; 64]);
        let same = data.clone();
        Line::new(
            format!("{name}, 16 KiB"),
            Box::new(move || session.digest(&mut mechanism, &data, &mut room).map(drop)),
            move || bare(&same),
        )
    });
    Ok(lines.collect())
}

pub(super) fn hmac(session: Session<'_>) -> Outcome<Vec<Line<'_>>> {
    let key = secret(&session, ck::CKM_GENERIC_SECRET_KEY_GEN)?;
    let lines = [("64 B", 64), ("16 KiB", LEN)].into_iter().map(|(name, len)| {
        let (bare, data) = (Hmac::new(), vec![0x5a; len]);
        let ours = sign(session, key, Mechanism::plain(ck::CKM_SHA256_HMAC), data.clone());
        Line::new(format!("HMAC-SHA-256, {name}"), ours, move || bare.code(&data))
    });
    Ok(lines.collect())
}
