//! A log beside a checkpoint of it that was kept elsewhere: does the log still continue what was
//! signed then, or was an older one put back, or another one in its place?
//!
//! Only the tiles on the path between the two are read. Across generations the first leaf of each
//! log names the last checkpoint of the log before it. RFC 9162 section 2.1.4.2.

use std::fmt;

use super::checkpoint::{Checkpoint, origin, parse_origin};
use super::leaf::Leaf;
use super::note::{Note, NoteError, PublicKey, VerifierKey};
use super::tree::{
    Hash, Hashes, TreeError, consistency_proof, inclusion_proof, leaf_hash, verify_consistency,
    verify_inclusion,
};

/// The logs of a token, as far as comparing needs them.
pub trait History {
    /// The nodes of a generation's log as it was with this many leaves.
    fn hashes(&self, generation: u64, size: u64) -> Box<dyn Hashes + '_>;

    /// The first entry of a generation's log.
    ///
    /// # Errors
    /// `Missing` or `Read`.
    fn first_entry(&self, generation: u64) -> Result<Vec<u8>, TreeError>;
}

/// The end of a token's log, which its own key has signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// Whose log.
    pub serial: String,
    /// Which of the token's logs it is.
    pub generation: u64,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The Ed25519 key of this generation.
    pub key: [u8; 32],
}

/// How a kept checkpoint stands to a log that continues it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// It is the log's end.
    Same,
    /// The log has grown since.
    Behind,
}

/// Why a log does not continue a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// What was kept is no checkpoint of this token: it says nothing about the log.
    Unreadable(String),
    /// It is newer than the log: an older log was put back.
    Ahead {
        /// Its generation.
        generation: u64,
        /// Its size.
        size: u64,
    },
    /// It is about another log of the same name.
    Fork,
    /// It is about a log of this name, and another key has signed it.
    OtherKey,
    /// What it takes to compare is not in the log's files.
    Unproven(String),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "no checkpoint of this token: {why}"),
            Self::Ahead { generation, size } => write!(
                f,
                "an older state was put back: generation {generation} of the log had {size} entries"
            ),
            Self::Fork => f.write_str("the log does not continue the checkpoint that was kept"),
            Self::OtherKey => f.write_str("the kept checkpoint was signed with another key"),
            Self::Unproven(why) => write!(f, "the log cannot be held against what was kept: {why}"),
        }
    }
}

impl From<NoteError> for Mismatch {
    fn from(error: NoteError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl End {
    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> String {
        origin(&self.serial, self.generation)
    }

    /// Holds the log against a signed note that was kept elsewhere.
    ///
    /// # Errors
    /// What does not fit. Only `Unreadable` is no evidence against the log.
    pub fn compare(&self, kept: &[u8], history: &dyn History) -> Result<Kept, Mismatch> {
        let note = Note::parse(kept)?;
        let kept = Checkpoint::parse(note.text())?;
        let (serial, generation) = parse_origin(&kept.origin)
            .ok_or_else(|| Mismatch::Unreadable("another kind of log".to_owned()))?;
        if serial != self.serial {
            return Err(Mismatch::Unreadable(format!("it is of token {serial}")));
        }
        if generation > self.generation {
            return Err(Mismatch::Ahead { generation, size: kept.size });
        }
        if generation == self.generation {
            let own = VerifierKey::new(&kept.origin, PublicKey::Ed25519(self.key))?;
            match note.verify(&[own]) {
                Ok(_) => return extends(&kept, (self.generation, self.size, self.root), history),
                Err(NoteError::Unsigned) => return Err(Mismatch::OtherKey),
                Err(error) => return Err(error.into()),
            }
        }
        // The keys of earlier generations are gone; the log names what they signed last.
        let end = self.end_of(generation, history)?;
        extends(&kept, end, history)?;
        Ok(Kept::Behind)
    }

    /// The last checkpoint of an earlier generation, as the ones after it name it.
    fn end_of(&self, wanted: u64, history: &dyn History) -> Result<(u64, u64, Hash), Mismatch> {
        let unproven = |why: String| Mismatch::Unproven(why);
        let (mut at, mut size, mut root) = (self.generation, self.size, self.root);
        while at > wanted {
            let first = history.first_entry(at).map_err(|error| unproven(error.to_string()))?;
            let hashes = history.hashes(at, size);
            inclusion_proof(0, size, &|level, index| hashes.get(level, index))
                .and_then(|proof| verify_inclusion(&leaf_hash(&first), 0, size, &proof, &root))
                .map_err(|error| unproven(error.to_string()))?;
            let named = match Leaf::parse(&first) {
                Ok(Leaf::Generation { previous: Some(previous), .. }) => previous.into_owned(),
                _ => return Err(unproven(format!("generation {at} names none before it"))),
            };
            let named = Note::parse(named.as_bytes())
                .and_then(|note| Checkpoint::parse(note.text()))
                .map_err(|error| unproven(error.to_string()))?;
            at -= 1;
            if named.origin != origin(&self.serial, at) {
                return Err(unproven(format!("the log names {} before it", named.origin)));
            }
            (size, root) = (named.size, named.root);
        }
        Ok((at, size, root))
    }
}

/// Does the log with this end begin with the one that was kept?
fn extends(
    kept: &Checkpoint,
    (generation, size, root): (u64, u64, Hash),
    history: &dyn History,
) -> Result<Kept, Mismatch> {
    if kept.size > size {
        return Err(Mismatch::Ahead { generation, size: kept.size });
    }
    if kept.size == size {
        return if kept.root == root { Ok(Kept::Same) } else { Err(Mismatch::Fork) };
    }
    let hashes = history.hashes(generation, size);
    let proof = consistency_proof(kept.size, size, &|level, index| hashes.get(level, index))
        .map_err(|error| Mismatch::Unproven(error.to_string()))?;
    verify_consistency(kept.size, &kept.root, size, &root, &proof).map_err(|_| Mismatch::Fork)?;
    Ok(Kept::Behind)
}
