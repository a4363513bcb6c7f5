//! What lasts of a token: its record, its PIN records and tries, its objects.
//!
//! A store keeps rows and knows no key: `vault` seals and opens them, `search` makes the rows
//! by which they are found. Every change goes through one `Transaction` and becomes real in its
//! `commit` alone, which puts it into the state tree (`state`), appends to the log (`log`) and
//! signs the new `head`. Implementors: `sqlite`, and `memory`, which forgets. Both keep the
//! promises of `contract`.

#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

pub(crate) mod attempt;
#[cfg(test)]
pub(crate) mod contract;
mod error;
pub(crate) mod head;
pub(crate) mod history;
pub(crate) mod lanes;
pub(crate) mod log;
pub(crate) mod memory;
pub(crate) mod search;
pub(crate) mod sqlite;
pub(crate) mod state;
pub(crate) mod vault;

use std::fmt::{self, Write as _};
use std::sync::Arc;

pub(crate) use self::error::StoreError;
use self::head::{AuditKey, CheckedHead, Head, HeadFault};
use crate::audit::history::History;
use crate::audit::record::LaneId;
use crate::engine::kdf::Argon2Cost;
use crate::engine::{EngineError, random};

use crate::system::files::{LockKind, RecordLock};

/// How many wrong PINs lock a role, unless the configuration says otherwise.
pub(crate) const TRIES: u32 = 10;

/// The lasting name of an object; written in hexadecimal it is its unique id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectId(pub(crate) [u8; 16]);

impl ObjectId {
    /// The object with a name as CKA_UNIQUE_ID has it.
    pub(crate) fn named(text: &str) -> Option<Self> {
        let is_ours = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_ours)?;
        Some(Self(number.to_be_bytes()))
    }

    /// A new name.
    pub(crate) fn random() -> Result<Self, EngineError> {
        random::array().map(Self)
    }

    /// The name of an object that is on no token: of the `count`th of those whose names begin so.
    pub(crate) fn of_session(prefix: [u8; 8], count: u64) -> Self {
        let mut bytes = [0; 16];
        let (front, back) = bytes.split_at_mut(prefix.len());
        front.copy_from_slice(&prefix);
        back.copy_from_slice(&count.to_be_bytes());
        Self(bytes)
    }

    /// The name as `Display` writes it.
    pub(crate) fn text(&self) -> Vec<u8> {
        let digit =
            |value: u8| b"0123456789abcdef".get(usize::from(value)).copied().unwrap_or_default();
        self.0.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    /// The name that `Display` writes so.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; size_of::<Self>()];
        let (pairs, rest) = text.as_chunks::<2>();
        if !rest.is_empty() || pairs.len() != bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let [high, low] = pair.map(|digit| {
                let digit = Some(char::from(digit)).filter(|digit| !digit.is_ascii_uppercase());
                digit.and_then(|digit| digit.to_digit(16)).and_then(|d| u8::try_from(d).ok())
            });
            *byte = high? << 4 | low?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().into_iter().try_for_each(|digit| f.write_char(char::from(digit)))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

/// Whose PIN it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    SecurityOfficer,
    User,
}

/// One value by which an object is found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct SearchRow {
    pub(crate) attribute: u64,
    pub(crate) value: Vec<u8>,
}

/// An object as it is kept: what may be read without a key, and what is sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StoredObject {
    pub(crate) id: ObjectId,
    /// Its place in the state tree, fixed at birth. The store chooses it in `insert` and ignores
    /// it otherwise.
    pub(crate) slot: u64,
    /// Grows with every change.
    pub(crate) version: u64,
    pub(crate) class: u64,
    pub(crate) key_type: Option<u64>,
    pub(crate) private: bool,
    /// Attributes in clear.
    pub(crate) clear: Vec<u8>,
    /// The secret part under the data key; empty if there is none.
    pub(crate) sealed: Vec<u8>,
    /// The data key under the key of `epoch`; empty if there is none.
    pub(crate) data_key: Vec<u8>,
    pub(crate) epoch: u64,
    pub(crate) search: Vec<SearchRow>,
}

/// What is needed to check a PIN and to open the token master key with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PinRecord {
    pub(crate) salt: [u8; 16],
    pub(crate) cost: Argon2Cost,
    pub(crate) sealed_master: Vec<u8>,
    /// A pepper was mixed in, and has to be again.
    pub(crate) pepper: bool,
}

/// A token apart from its objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TokenRecord {
    pub(crate) serial: String,
    pub(crate) label: [u8; 32],
    /// New each time that the token is initialised.
    pub(crate) instance: [u8; 16],
    pub(crate) so: PinRecord,
    pub(crate) user: Option<PinRecord>,
    pub(crate) so_tries: u32,
    pub(crate) user_tries: u32,
    /// The epoch whose key seals new data keys.
    pub(crate) epoch: u64,
    pub(crate) audit: AuditRecord,
}

/// The key that signs the log, as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AuditRecord {
    pub(crate) public: [u8; 32],
    /// The private half, sealed.
    pub(crate) sealed: Vec<u8>,
}

/// A token to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewToken {
    pub(crate) record: TokenRecord,
    /// The key of `record.epoch`, sealed.
    pub(crate) epoch_key: Vec<u8>,
    /// The key of `record.audit`, which signs the first checkpoint.
    pub(crate) audit_key: Arc<AuditKey>,
}

/// Which objects are wanted: those that meet every condition.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Query {
    pub(crate) class: Option<u64>,
    pub(crate) key_type: Option<u64>,
    pub(crate) private: Option<bool>,
    /// Per attribute, the values of which one must be among the object's search rows.
    pub(crate) search: Vec<(u64, Vec<Vec<u8>>)>,
}

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Read,
    Write,
}

/// Durable state of one token. Everything that must be true together goes through one
/// transaction; a thread has at most one at a time, of all stores, or it waits for itself.
pub(crate) trait Store: Send + Sync {
    /// A number that every commit moves, except those that only count tries. What was read
    /// after this number was, is still true while it is the same. `None` while a commit is under
    /// way or after one was cut short: ask the database then. Takes no lock.
    fn generation(&self) -> Option<u64>;

    /// Begins a transaction; a writer waits for the writers before it.
    fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction + '_>, StoreError>;

    /// True if nothing can be written: a directory without permission.
    fn is_read_only(&self) -> bool;

    /// The token's logs, to be compared with what was kept of them elsewhere.
    fn history(&self) -> Result<Box<dyn History + '_>, StoreError> {
        Err(StoreError::Io("there is no log on the disk".to_owned()))
    }

    /// Lays the current log out for readers of files, under a signed checkpoint of it.
    fn publish(&self, _checkpoint: &str) -> Result<(), StoreError> {
        Err(StoreError::Io("there is no log on the disk".to_owned()))
    }

    /// Keeps a checkpoint of the current log that a witness has signed, beside the log.
    fn keep_witnessed(&self, _checkpoint: &str) -> Result<(), StoreError> {
        Err(StoreError::Io("there is no log on the disk".to_owned()))
    }

    /// The last one that was kept of this generation.
    fn witnessed(&self, _generation: u64) -> Option<String> {
        None
    }

    /// Takes the lock that PIN attempts share, or waits until none is under way.
    fn lock_attempts(&self, kind: LockKind) -> Result<AttemptLock<'_>, StoreError>;

    /// Sees to it that what commits have replaced and removed is in no file of the store any
    /// more. False if it may be: somebody reads, and was waited for in vain.
    fn forget_replaced(&self) -> Result<bool, StoreError>;
}

/// The lock of `Store::lock_attempts`, released on drop; other processes see it.
pub(crate) struct AttemptLock<'s> {
    /// Held and never looked at; `None` where there are no other processes.
    pub(crate) _lock: Option<RecordLock<'s>>,
}

/// One consistent view and one set of changes. Rolls back when dropped; only `commit` makes the
/// changes real.
///
/// Changes are signed with the key of `sign_with`, each commit with one checkpoint. Without a key
/// only public objects that have nothing sealed can be changed: such changes wait, listed, for
/// the next signed commit. Tries are not part of what is signed.
pub(crate) trait Transaction {
    fn token(&self) -> Result<TokenRecord, StoreError>;

    /// Replaces the whole record, tries included; but not the audit key, which changes with the
    /// generation of the log alone.
    fn put_token(&mut self, record: &TokenRecord) -> Result<(), StoreError>;

    fn tries(&self, role: Role) -> Result<u32, StoreError>;

    fn set_tries(&mut self, role: Role, left: u32) -> Result<(), StoreError>;

    /// The sealed key of an epoch, if there is such an epoch.
    fn epoch_key(&self, epoch: u64) -> Result<Option<Vec<u8>>, StoreError>;

    fn put_epoch_key(&mut self, epoch: u64, sealed: &[u8]) -> Result<(), StoreError>;

    /// Removes the keys of all epochs but this one.
    fn forget_epochs(&mut self, but: u64) -> Result<(), StoreError>;

    /// Puts another data key, sealed in another epoch, into the row of an object as this
    /// transaction has read it. The object's version stays: it says what it said.
    fn rewrap(
        &mut self,
        object: &StoredObject,
        data_key: Vec<u8>,
        epoch: u64,
    ) -> Result<(), StoreError>;

    /// An object whose row is the one in the state tree; `Tampered` if it is not.
    fn get(&self, id: &ObjectId) -> Result<Option<StoredObject>, StoreError>;

    /// The objects that meet the query, in order of slot.
    fn find(&self, query: &Query) -> Result<Vec<ObjectId>, StoreError>;

    /// Adds an object with a new id and gives the slot that it got.
    fn insert(&mut self, object: &StoredObject) -> Result<u64, StoreError>;

    /// Puts a newer version in the place of an object. False, and nothing changes, if the object
    /// is not there or is not older: somebody else was faster.
    fn replace(&mut self, object: &StoredObject) -> Result<bool, StoreError>;

    /// False if the object is not there.
    fn remove(&mut self, id: &ObjectId) -> Result<bool, StoreError>;

    /// Removes every object and every epoch key, for a token that is initialised anew.
    fn clear_objects(&mut self) -> Result<(), StoreError>;

    /// Puts a token in the place of the one that was here, and removes its objects.
    fn initialise(&mut self, new: &NewToken) -> Result<(), StoreError> {
        self.clear_objects()?;
        self.put_token(&new.record)?;
        self.put_epoch_key(new.record.epoch, &new.epoch_key)?;
        self.begin_generation(&new.record.audit, &new.audit_key, "the token was initialised")
    }

    /// Checks the head: the signature of its checkpoint by this key, that the log on disk ends
    /// as signed, and that the database says what the last leaf says. In a small token also that
    /// every object is found by what it says.
    fn check_head(&self, public: &[u8; 32]) -> Result<CheckedHead, HeadFault>;

    /// Checks that the state tree, by which objects are judged, is the one that was signed with
    /// this key. Cheap while the head is the one that this process has seen last.
    fn check_state(&self, public: &[u8; 32]) -> Result<(), HeadFault>;

    /// Signs what this transaction will commit; to be called before anything is changed. Checks
    /// the head as `check_head` does, unless this process has seen this very head before.
    ///
    /// After a fault a caller that commits nevertheless signs what it found; where that would
    /// sign a second history of the log, `commit` gives `Distrusted`.
    fn sign_with(&mut self, key: &Arc<AuditKey>) -> Result<(), HeadFault>;

    /// The head as it stands in the database, unchecked.
    fn head(&self) -> Result<Head, StoreError>;

    /// Adds a leaf to what `commit` appends, before its state leaf.
    fn append_leaf(&mut self, leaf: &[u8]) -> Result<(), StoreError>;

    /// The open lanes in order, with the number of their records that are in the log.
    fn lanes(&self) -> Result<Vec<(LaneId, u64)>, StoreError>;

    /// Opens a lane, or says how far it is in the log.
    fn put_lane(&mut self, lane: LaneId, records: u64) -> Result<(), StoreError>;

    /// A lane is closed. Nothing happens if it is not open.
    fn remove_lane(&mut self, lane: LaneId) -> Result<(), StoreError>;

    /// Begins a log anew at `commit`, under a new key and with a first leaf that names the last
    /// checkpoint. Needs no `sign_with`, and believes nothing of what the old log says. Open
    /// lanes were the old log's: they are no longer open.
    fn begin_generation(
        &mut self,
        audit: &AuditRecord,
        key: &Arc<AuditKey>,
        reason: &str,
    ) -> Result<(), StoreError>;

    /// Makes the state tree anew from the rows as they are: for who accepts them.
    fn rebuild_state(&mut self) -> Result<(), StoreError>;

    /// Makes the changes real and lasting.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
