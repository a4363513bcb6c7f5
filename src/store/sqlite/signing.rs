//! The signed commit: the state leaf, the entries on the disk, the checkpoint, the new head.
//!
//! Everything is written before the database commits: the entries behind the end of the log,
//! where they are nothing until the head says so.

use std::borrow::Cow;
use std::time::SystemTime;

use rusqlite::Connection;

use super::head;
use super::ledger::{Ledger, Signature, Unsigned, before_pending};
use super::token;
use crate::audit::checkpoint::{Checkpoint, origin};
use crate::audit::leaf::{Leaf, StateLeaf};
use crate::audit::record::{LaneId, Role};
use crate::audit::tree::Frontier;
use crate::store::head::{AuditKey, CheckedHead, Head, HeadFault, compare, machine, token_hash};
use crate::store::log::{End, Leaves, LogFiles};
use crate::store::{AuditRecord, StoreError, TokenRecord};

/// Our own checkpoints are far shorter, also with cosignatures.
const LONGEST_NOTE: usize = 16 << 10;

/// A token's files, as far as signing is concerned.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) log: LogFiles,
    /// Of `token.db`.
    pub(super) inode: u64,
}

/// A head that this process has checked or made, and its last leaf.
pub(super) type Trusted = (Head, Vec<u8>);

/// What is written into a log, and under what.
struct Entry<'e> {
    generation: u64,
    end: End,
    edge: Frontier,
    key: &'e AuditKey,
    audit: AuditRecord,
}

pub(super) fn end_of(head: &Head) -> End {
    End { size: head.size, last_at: head.last_at, last_len: head.last_len }
}

/// The last leaf of a head that is signed by this key, with the log on disk ending as signed.
pub(super) fn signed_leaf(
    connection: &Connection,
    place: &Place,
    found: &Head,
    public: &[u8; 32],
) -> Result<Vec<u8>, HeadFault> {
    let serial = token::serial(connection)?;
    let log = place.log.of(found.generation);
    let leaf = log.last_leaf(end_of(found))?;
    found.signed_state(&serial, public, &leaf)?;
    Ok(leaf)
}

/// Is the state tree the one that was signed with this last leaf?
pub(super) fn check_state(
    connection: &Connection,
    found: &Head,
    leaf: &[u8],
) -> Result<(), HeadFault> {
    let Ok(Leaf::State(signed)) = Leaf::parse(leaf) else {
        return Err(HeadFault::because("the log does not end with a state leaf"));
    };
    if found.state_root == signed.state_root {
        return Ok(());
    }
    match before_pending(connection, signed.state_root)?.root == signed.state_root {
        true => Ok(()),
        false => Err(HeadFault::because("the state of the objects is not what was signed")),
    }
}

/// Compares the database with the last leaf of its head.
pub(super) fn check(
    connection: &Connection,
    place: &Place,
    found: &Head,
    leaf: &[u8],
) -> Result<CheckedHead, HeadFault> {
    let Ok(Leaf::State(signed)) = Leaf::parse(leaf) else {
        return Err(HeadFault::because("the log does not end with a state leaf"));
    };
    let Unsigned { root, slots, pending } = before_pending(connection, signed.state_root)?;
    let record = token::read(connection)?;
    let before = Head { state_root: root, slots, ..found.clone() };
    compare(&signed, &state(connection, place, &before, &record)?)?;
    Ok(CheckedHead {
        generation: found.generation,
        size: found.size,
        checkpoint: found.checkpoint.clone(),
        lanes: signed.lanes,
        pending,
        missing: 0,
        surplus: 0,
        behind: 0,
    })
}

fn state(
    connection: &Connection,
    place: &Place,
    head: &Head,
    record: &TokenRecord,
) -> Result<StateLeaf<'static>, StoreError> {
    Ok(StateLeaf {
        state_root: head.state_root,
        slots: head.slots,
        token_hash: token_hash(record),
        epoch: record.epoch,
        lanes: head::lanes(connection)?,
        machine: Cow::Owned(machine(&record.serial)),
        inode: place.inode,
    })
}

/// Writes the first leaves and the head of a new token.
pub(super) fn begin(
    connection: &Connection,
    place: &Place,
    record: &TokenRecord,
    key: &AuditKey,
) -> Result<Trusted, StoreError> {
    let mut ledger = Ledger::default();
    ledger.cleared();
    let entry = Entry {
        generation: 1,
        end: End::START,
        edge: Frontier::new(),
        key,
        audit: record.audit.clone(),
    };
    let first = generation_leaf(1, None, "the token was initialised");
    let mut leaves = Leaves::default();
    leaves.push(&first)?;
    write(connection, place, &mut ledger, entry, (leaves, record, 0))
}

/// Appends, signs and writes the new head; it becomes real with the database's commit.
pub(super) fn sign(
    connection: &Connection,
    place: &Place,
    ledger: &mut Ledger,
) -> Result<Trusted, StoreError> {
    let old = head::read(connection)?;
    let mut record = token::read(connection)?;
    let mut leaves = Leaves::default();
    let signature = std::mem::take(&mut ledger.signature);
    let entry = match &signature {
        Signature::None => return Err(StoreError::Unsigned),
        Signature::Refused(fault) => return Err(fault.clone().into()),
        Signature::Of(key, edge) => Entry {
            generation: old.generation,
            end: end_of(&old),
            edge: edge.clone(),
            key,
            audit: old.audit.clone(),
        },
        Signature::Anew(new) => {
            let generation = old.generation.saturating_add(1);
            // One that was changed may be of any length, and then names nothing.
            let last = Some(old.checkpoint.as_str()).filter(|note| note.len() <= LONGEST_NOTE);
            leaves.push(&generation_leaf(generation, last, &new.reason))?;
            record.audit = new.audit.clone();
            let (end, edge) = (End::START, Frontier::new());
            Entry { generation, end, edge, key: &new.key, audit: new.audit.clone() }
        }
    };
    for leaf in head::pending_leaves(connection)? {
        // Anybody who writes to the database can leave one: none may tell of a login.
        match (is_unsigned(&leaf), &signature) {
            (true, _) => leaves.push(&leaf)?,
            (false, Signature::Anew(_)) => {}
            (false, _) => {
                let why = "a record that waits to be signed tells more than anybody may do";
                return Err(StoreError::Distrusted(why.to_owned()));
            }
        }
    }
    head::clear_pending(connection)?;
    leaves.extend(&ledger.leaves);
    write(connection, place, ledger, entry, (leaves, &record, old.slots))
}

fn is_unsigned(leaf: &[u8]) -> bool {
    match Leaf::parse(leaf) {
        Ok(Leaf::Unauthenticated(_)) => true,
        Ok(Leaf::Change(record)) => record.role == Role::None && record.lane == LaneId::NONE,
        _ => false,
    }
}

fn generation_leaf(number: u64, previous: Option<&str>, reason: &str) -> Vec<u8> {
    let (previous, reason) = (previous.map(Cow::Borrowed), Cow::Borrowed(reason));
    Leaf::Generation { number, time: SystemTime::now().into(), previous, reason }.to_bytes()
}

fn write(
    connection: &Connection,
    place: &Place,
    ledger: &mut Ledger,
    entry: Entry<'_>,
    (mut leaves, record, slots): (Leaves, &TokenRecord, u64),
) -> Result<Trusted, StoreError> {
    let (state_root, room, slots) = ledger.write_state(connection, slots)?;
    let Entry { generation, end, mut edge, key, audit } = entry;
    let mut new = Head {
        generation,
        size: 0,
        root: [0; 32],
        frontier: Vec::new(),
        last_at: 0,
        last_len: 0,
        checkpoint: String::new(),
        state_root,
        room,
        slots,
        audit,
    };
    let last = Leaf::State(state(connection, place, &new, record)?).to_bytes();
    leaves.push(&last)?;
    let full = |_| StoreError::Full;
    if let Some((last, others)) = leaves.hashes().split_last() {
        others.iter().try_for_each(|hash| edge.append_to(*hash, |_| {})).map_err(full)?;
        new.frontier = edge.to_bytes();
        edge.append_to(*last, |_| {}).map_err(full)?;
    }
    let end = place.log.of(generation).append(end, &leaves)?;
    (new.size, new.last_at, new.last_len) = (end.size, end.last_at, end.last_len);
    new.root = edge.root();
    let origin = origin(&record.serial, generation);
    let signer = key.signer(&origin)?;
    let signed = Checkpoint { origin, size: new.size, root: new.root }.sign(&signer);
    new.checkpoint = signed.map_err(|error| StoreError::Io(error.to_string()))?.to_string();
    head::write(connection, &new)?;
    Ok((new, last))
}
