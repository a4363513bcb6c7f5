//! The proof that one entry is in a log, as a text that stands on its own.
//!
//! It holds the entry's place, the hashes up to the root and the signed checkpoint; who has the
//! entry and the log's key needs nothing else. C2SP tlog-proof.

use super::base64;
use super::checkpoint::{Checkpoint, decimal};
use super::note::{Note, NoteError, VerifierKey};
use super::tree::{Hash, leaf_hash, verify_inclusion};

const HEADING: &str = "c2sp.org/tlog-proof@v1";
/// A path in a tree of 2^64 leaves is no longer.
const LONGEST: usize = 64;

/// A proof of inclusion with its checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// What the application adds; nothing vouches for it.
    pub extra: Option<Vec<u8>>,
    /// The entry's place in the log.
    pub index: u64,
    /// The hashes from the leaf to the root.
    pub hashes: Vec<Hash>,
    /// The signed note.
    pub checkpoint: String,
}

impl Proof {
    /// The text.
    #[must_use]
    pub fn format(&self) -> String {
        let mut text = format!("{HEADING}\n");
        if let Some(extra) = &self.extra {
            text += &format!("extra {}\n", base64::encode(extra));
        }
        text += &format!("index {}\n", self.index);
        for hash in &self.hashes {
            text += &base64::encode(hash);
            text.push('\n');
        }
        text.push('\n');
        text + &self.checkpoint
    }

    /// Reads a proof; checks nothing of what it claims.
    ///
    /// # Errors
    /// `Malformed`.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let malformed = NoteError::Malformed;
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(malformed("a proof without a checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADING) {
            return Err(malformed("not a proof of a kind that is known"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => Some(
                line.strip_prefix("extra ")
                    .and_then(base64::decode)
                    .ok_or(malformed("extra data that cannot be read"))?,
            ),
            None => None,
        };
        let index = lines
            .next()
            .and_then(|line| decimal(line.strip_prefix("index ")?))
            .ok_or(malformed("a proof without an index"))?;
        let hashes: Option<Vec<Hash>> =
            lines.map(|line| Hash::try_from(base64::decode(line)?).ok()).collect();
        let hashes = hashes
            .filter(|hashes| hashes.len() <= LONGEST)
            .ok_or(malformed("a proof with other lines than hashes"))?;
        Ok(Self { extra, index, hashes, checkpoint: checkpoint.into() })
    }

    /// Checks that these bytes are the entry, and that the log's key has signed for it; gives
    /// the checkpoint.
    ///
    /// # Errors
    /// `Proof`, and what opening a checkpoint gives.
    pub fn verify(&self, entry: &[u8], keys: &[VerifierKey]) -> Result<Checkpoint, NoteError> {
        self.holds(entry, Checkpoint::open(self.checkpoint.as_bytes(), keys)?)
    }

    /// As `verify`, without a look at who has signed: the proof is then only consistent with
    /// itself.
    ///
    /// # Errors
    /// `Proof`, and what reading a checkpoint gives.
    pub fn check(&self, entry: &[u8]) -> Result<Checkpoint, NoteError> {
        let note = Note::parse(self.checkpoint.as_bytes())?;
        self.holds(entry, Checkpoint::parse(note.text())?)
    }

    fn holds(&self, entry: &[u8], checkpoint: Checkpoint) -> Result<Checkpoint, NoteError> {
        let Checkpoint { size, root, .. } = &checkpoint;
        verify_inclusion(&leaf_hash(entry), self.index, *size, &self.hashes, root)
            .map_err(|_| NoteError::Proof)?;
        Ok(checkpoint)
    }
}
