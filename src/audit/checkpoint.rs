//! Checkpoints: the size and the root of a log under its name, as the text of a signed note.
//!
//! A log is named `claviger/<serial>/<generation>`; the key that signs it has the same name.
//! Extension lines are refused: Claviger writes none, and the ML-DSA cosignature does not cover
//! them. C2SP tlog-checkpoint v1.0.0.

use super::base64;
use super::note::{Note, NoteError, NoteSigner, VerifierKey, check_name};
use super::tree::{EMPTY_ROOT, Hash, MAX_SIZE};

const FAMILY: &str = "claviger";

/// The name of a token's log: each generation is a log of its own.
#[must_use]
pub fn origin(serial: &str, generation: u64) -> String {
    format!("{FAMILY}/{serial}/{generation}")
}

/// The serial number and the generation that an origin names; `None` for logs of others.
#[must_use]
pub fn parse_origin(origin: &str) -> Option<(&str, u64)> {
    let rest = origin.strip_prefix(FAMILY)?.strip_prefix('/')?;
    let (serial, generation) = rest.rsplit_once('/')?;
    Some((serial, decimal(generation)?))
}

/// The size and root of a log at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, base64::encode(&self.root))
    }

    /// Reads what `body` makes, and nothing else.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Malformed("a checkpoint is three lines"));
        };
        check_name(origin)?;
        let size = decimal(size)
            .filter(|size| *size <= MAX_SIZE)
            .ok_or(NoteError::Malformed("a checkpoint without a size"))?;
        let root = base64::decode(root)
            .and_then(|root| Hash::try_from(root).ok())
            .ok_or(NoteError::Malformed("a checkpoint without a root"))?;
        if size == 0 && root != EMPTY_ROOT {
            return Err(NoteError::Malformed("a root over nothing"));
        }
        Ok(Self { origin: origin.into(), size, root })
    }

    /// The signed note with this signer's line.
    ///
    /// # Errors
    /// `Malformed` for an origin that no note can hold, `Key` if the signer has another name,
    /// `Engine` if the signature cannot be made.
    pub fn sign(&self, signer: &NoteSigner) -> Result<Note, NoteError> {
        if signer.verifier().name() != self.origin {
            return Err(NoteError::Key("the signer's name is not the log's"));
        }
        let mut note = Note::new(self.body())?;
        signer.sign(&mut note)?;
        Ok(note)
    }

    /// Reads a signed checkpoint: all signatures of these keys hold, there is at least one, and
    /// one of the keys that have signed has the log's own name.
    ///
    /// # Errors
    /// What reading and checking a note gives, and `Origin` for the checkpoint of another log.
    pub fn open(note: &[u8], keys: &[VerifierKey]) -> Result<Self, NoteError> {
        let note = Note::parse(note)?;
        let checkpoint = Self::parse(note.text())?;
        note.verify(keys)?;
        let own: Vec<VerifierKey> =
            keys.iter().filter(|key| key.name() == checkpoint.origin).cloned().collect();
        match note.verify(&own) {
            Ok(_) => Ok(checkpoint),
            Err(_) => Err(NoteError::Origin(checkpoint.origin)),
        }
    }
}

/// A number as checkpoints and proofs write it: no sign, no leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}
