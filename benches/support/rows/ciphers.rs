//! AES and ChaCha20-Poly1305. A caller has another IV for each message, and so do both sides here.

use super::{Handle, secret, sign};
use crate::support::attributes::Mechanism;
use crate::support::beside::Line;
use crate::support::module::{Outcome, Session, refuse};
use crate::support::primitive::cipher::{Aes, ChaCha, Cmac};
use crate::support::workloads::Operation;
use cryptoki_sys as ck;

const KIB: usize = 1024;
const TAG: usize = 16;

/// Counts up from the front.
fn next(iv: &mut [u8]) {
    for byte in &mut iv[..8] {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
}

pub(super) fn aes(session: Session<'_>) -> Outcome<Vec<Line<'_>>> {
    let key = secret(&session, ck::CKM_AES_KEY_GEN)?;
    let mut lines = Vec::new();
    for (name, len) in [("64 B", 64), ("16 KiB", 16 * KIB), ("1 MiB", KIB * KIB)] {
        let name = format!("AES-256-GCM encrypt, {name}");
        let (bare, plain, mut room, mut iv) =
            (Aes::gcm()?, vec![0x5a; len], vec![0; len + TAG], [0; 12]);
        lines.push(Line::new(name, encrypt(session, key, Mechanism::gcm(), len), move || {
            next(&mut iv);
            bare.encrypt(&iv, &plain, &mut room)?;
            match room[len..].first_chunk_mut() {
                Some(tag) => bare.tag(tag),
                None => refuse("no room for a tag"),
            }
        }));
    }
    let len = 16 * KIB;
    for (mode, bare, mechanism) in
        [("CBC", Aes::cbc()?, Mechanism::cbc()), ("CTR", Aes::ctr()?, Mechanism::ctr())]
    {
        let (plain, mut room, mut iv) = (vec![0x5a; len], vec![0; len + TAG], [0; 16]);
        lines.push(Line::new(
            format!("AES-256-{mode} encrypt, 16 KiB"),
            encrypt(session, key, mechanism, len),
            move || {
                next(&mut iv);
                bare.encrypt(&iv, &plain, &mut room)
            },
        ));
    }
    let (bare, data, mut room) = (Cmac::new()?, vec![0x5a; KIB], [0; TAG]);
    let ours = sign(session, key, Mechanism::plain(ck::CKM_AES_CMAC), data.clone());
    lines.push(Line::new("AES-256-CMAC, 1 KiB", ours, move || bare.code(&data, &mut room)));
    Ok(lines)
}

pub(super) fn chacha20_poly1305(session: Session<'_>) -> Outcome<Vec<Line<'_>>> {
    let key = secret(&session, ck::CKM_CHACHA20_KEY_GEN)?;
    let (bare, len, mut nonce) = (ChaCha::new()?, 16 * KIB, [0; 12]);
    let (plain, mut room) = (vec![0x5a; len], vec![0; len + TAG]);
    let ours = encrypt(session, key, Mechanism::chacha20_poly1305(), len);
    Ok(vec![Line::new("ChaCha20-Poly1305 encrypt, 16 KiB", ours, move || {
        next(&mut nonce);
        bare.seal(&nonce, &plain, &mut room)
    })])
}

fn encrypt(
    session: Session<'_>,
    key: Handle,
    mut mechanism: Mechanism,
    len: usize,
) -> Operation<'_> {
    let (plain, mut room) = (vec![0x5a; len], vec![0; len + TAG]);
    Box::new(move || {
        mechanism.next_iv();
        session.encrypt(&mut mechanism, key, &plain, &mut room).map(drop)
    })
}
