//! Signatures over checkpoints that tell a time: lines of types 0x04 (Ed25519) and 0x06
//! (ML-DSA-44) in the signed note.
//!
//! An ML-DSA-44 line is over a structure of its own, not over the note's text: who signs, when,
//! which log, from leaf 0 up to the size, and the root. An Ed25519 line, which witnesses make and
//! Claviger only checks, is over the time and the text. C2SP tlog-cosignature, v1.1.0-rc.1.

use super::checkpoint::Checkpoint;
use super::note::{Note, NoteError, PublicKey, Signature, VerifierKey};
use crate::engine::ed25519::Ed25519Public;
use crate::engine::ml_dsa::{MlDsa44Private, MlDsa44Public};
use crate::secret::Secret;

const LABEL: &[u8; 12] = b"subtree/v1\n\0";

/// An ML-DSA-44 key that signs checkpoints under a name.
pub struct Cosigner {
    key: MlDsa44Private,
    verifier: VerifierKey,
}

impl Cosigner {
    /// The cosigner with this name and 32-byte seed.
    ///
    /// # Errors
    /// `Key`, or `Engine` without memory.
    pub fn from_seed(name: &str, seed: Secret) -> Result<Self, NoteError> {
        let key = MlDsa44Private::from_seed(seed)?;
        let public = PublicKey::MlDsa44(Box::new(*key.public()));
        Ok(Self { key, verifier: VerifierKey::new(name, public)? })
    }

    /// The key by which its signatures are checked.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Adds its signature to a signed checkpoint; `time` in seconds since 1970.
    ///
    /// # Errors
    /// `Malformed` if the note is no checkpoint, `Engine` if the primitive fails.
    pub fn sign(&self, note: &mut Note, time: u64) -> Result<(), NoteError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        let message = message(self.verifier.name(), time, &checkpoint)?;
        let signature = self.key.sign(&message)?;
        let bytes = [time.to_be_bytes().as_slice(), &signature].concat();
        let (name, id) = (self.verifier.name().into(), self.verifier.id());
        note.signatures.push(Signature { name, id, bytes });
        Ok(())
    }
}

/// Checks a cosignature over the text of a note; gives its time in seconds since 1970.
///
/// # Errors
/// `Malformed` if the text is no checkpoint, `Invalid` if the signature does not hold, `Key` for
/// a key of another type.
pub fn check_note(key: &VerifierKey, text: &str, signature: &[u8]) -> Result<u64, NoteError> {
    let invalid = || NoteError::Invalid(key.name().into());
    let (time, signature) = signature.split_first_chunk().ok_or_else(invalid)?;
    let time = u64::from_be_bytes(*time);
    let checkpoint = Checkpoint::parse(text)?;
    let checked = match key.public() {
        PublicKey::Ed25519(_) => return Err(NoteError::Key("not a key for cosignatures")),
        PublicKey::Ed25519Cosigner(public) => {
            let message = format!("cosignature/v1\ntime {time}\n{text}");
            Ed25519Public::from_bytes(public)?.verify(message.as_bytes(), signature)
        }
        PublicKey::MlDsa44(public) => {
            let message = message(key.name(), time, &checkpoint)?;
            MlDsa44Public::from_bytes(public.as_slice())?.verify(&message, signature)
        }
    };
    match checked {
        Ok(()) if i64::try_from(time).is_ok() => Ok(time),
        _ => Err(invalid()),
    }
}

fn message(name: &str, time: u64, checkpoint: &Checkpoint) -> Result<Vec<u8>, NoteError> {
    let mut bytes = LABEL.to_vec();
    push_text(&mut bytes, name)?;
    bytes.extend_from_slice(&time.to_be_bytes());
    push_text(&mut bytes, &checkpoint.origin)?;
    bytes.extend_from_slice(&0_u64.to_be_bytes());
    bytes.extend_from_slice(&checkpoint.size.to_be_bytes());
    bytes.extend_from_slice(&checkpoint.root);
    Ok(bytes)
}

fn push_text(bytes: &mut Vec<u8>, text: &str) -> Result<(), NoteError> {
    let len = u8::try_from(text.len()).ok().filter(|len| *len > 0);
    bytes.push(len.ok_or(NoteError::Malformed("a name of more than 255 bytes"))?);
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}
