//! The operations that stand beside their primitives. Each is what a caller makes, C_SignInit and
//! C_Sign, with a key on the token that was used before; what a caller in a loop has ready is made
//! before the clock starts.

mod ciphers;
mod digests;
mod keys;
mod post_quantum;
mod signatures;

use super::attributes::{Attributes, Mechanism};
use super::beside::Line;
use super::module::{Module, Outcome, Session};
use super::workloads::Operation;
use cryptoki_sys as ck;

pub(crate) type Handle = ck::CK_OBJECT_HANDLE;
pub(crate) type Pair = (Handle, Handle);
type Prepare = for<'m> fn(&'m Module, Session<'m>) -> Outcome<Vec<Line<'m>>>;

/// Rows that share a key, and what they are called together.
pub(crate) const FAMILIES: &[(&str, Prepare)] = &[
    ("RSA-2048", |_, session| signatures::rsa(session, 2048)),
    ("RSA-3072", |_, session| signatures::rsa(session, 3072)),
    ("RSA-4096", |_, session| signatures::rsa(session, 4096)),
    ("ECDSA P-256", |_, session| signatures::ecdsa(session, &signatures::P256)),
    ("ECDSA P-384", |_, session| signatures::ecdsa(session, &signatures::P384)),
    ("ECDSA P-521", |_, session| signatures::ecdsa(session, &signatures::P521)),
    ("Ed25519", |_, session| signatures::ed25519(session)),
    ("Ed448", |_, session| signatures::ed448(session)),
    ("ECDH P-256", keys::p256),
    ("X25519", keys::x25519),
    ("AES", |_, session| ciphers::aes(session)),
    ("ChaCha20-Poly1305", |_, session| ciphers::chacha20_poly1305(session)),
    ("hashes", |_, session| digests::hashes(session)),
    ("HMAC", |_, session| digests::hmac(session)),
    ("SLH-DSA", |_, session| post_quantum::slh_dsa(session)),
    ("ML-DSA", |_, session| post_quantum::ml_dsa(session)),
    ("ML-KEM", post_quantum::ml_kem),
];

/// Token keys, as a caller who keeps them would have.
pub(crate) fn pair(
    session: &Session<'_>,
    how: ck::CK_MECHANISM_TYPE,
    public: Attributes,
) -> Outcome<Pair> {
    let mut public = public.flag(ck::CKA_TOKEN, true);
    let mut private = Attributes::new().flag(ck::CKA_TOKEN, true);
    session.generate_pair(&mut Mechanism::plain(how), &mut public, &mut private)
}

fn curve(session: &Session<'_>, how: ck::CK_MECHANISM_TYPE, name: &[u8]) -> Outcome<Pair> {
    pair(session, how, Attributes::new().bytes(ck::CKA_EC_PARAMS, name))
}

fn set(session: &Session<'_>, how: ck::CK_MECHANISM_TYPE, set: ck::CK_ULONG) -> Outcome<Pair> {
    pair(session, how, Attributes::new().number(ck::CKA_PARAMETER_SET, set))
}

fn secret(session: &Session<'_>, how: ck::CK_MECHANISM_TYPE) -> Outcome<Handle> {
    let mut template = Attributes::new()
        .flag(ck::CKA_TOKEN, true)
        .flag(ck::CKA_SENSITIVE, true)
        .flag(ck::CKA_ENCRYPT, true)
        .flag(ck::CKA_SIGN, true);
    if how != ck::CKM_CHACHA20_KEY_GEN {
        template = template.number(ck::CKA_VALUE_LEN, 32);
    }
    session.generate_key(&mut Mechanism::plain(how), &mut template)
}

/// Room for every signature.
const ROOM: usize = 18_000;

fn sign(
    session: Session<'_>,
    key: Handle,
    mut mechanism: Mechanism,
    data: Vec<u8>,
) -> Operation<'_> {
    let mut room = vec![0; ROOM];
    Box::new(move || session.sign(&mut mechanism, key, &data, &mut room).map(drop))
}

fn verify(
    session: Session<'_>,
    (public, private): Pair,
    mut mechanism: Mechanism,
    data: Vec<u8>,
) -> Outcome<Operation<'_>> {
    let mut room = vec![0; ROOM];
    let len = session.sign(&mut mechanism, private, &data, &mut room)?;
    room.truncate(len);
    Ok(Box::new(move || session.verify(&mut mechanism, public, &data, &room)))
}
