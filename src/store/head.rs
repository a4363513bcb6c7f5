//! The head of a token's log as the database keeps it, and whether it can be trusted: what is
//! signed, that the log on disk ends with it, and that the database says the same.
//!
//! The last leaf under every checkpoint is a state leaf. It is checked without reading the log:
//! the head keeps the right edge of the log without that leaf, so that the leaf and the edge
//! give the root or do not.

use std::fmt;
use std::sync::Arc;

use super::{AuditRecord, Mode, PinRecord, Store, StoreError, TokenRecord};
use crate::audit::checkpoint::{Checkpoint, origin};
use crate::audit::cosignature::Cosigner;
use crate::audit::hex;
use crate::audit::leaf::{Leaf, StateLeaf};
use crate::audit::note::{NoteSigner, PublicKey, VerifierKey};
use crate::audit::record::LaneId;
use crate::audit::tree::{Frontier, Hash, leaf_hash};
use crate::engine::ed25519::Ed25519Private;
use crate::engine::hash::sha256;
use crate::engine::kdf::hkdf_sha256;
use crate::engine::{EngineError, random};
use crate::secret::Secret;

/// The key that signs a generation of the log, in the hands of who is logged in.
pub(crate) struct AuditKey {
    seed: Secret,
    public: [u8; 32],
}

impl AuditKey {
    /// A new key.
    pub(super) fn generate() -> Result<Self, EngineError> {
        Self::from_seed(random::secret(32)?)
    }

    pub(super) fn from_seed(seed: Secret) -> Result<Self, EngineError> {
        let public = Ed25519Private::from_seed(&seed)?.public();
        Ok(Self { seed, public })
    }

    pub(super) const fn seed(&self) -> &Secret {
        &self.seed
    }

    /// The half that checks.
    pub(crate) const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The signer of the log with this name.
    pub(super) fn signer(&self, origin: &str) -> Result<NoteSigner, StoreError> {
        NoteSigner::from_seed(origin, &self.seed).map_err(|error| StoreError::Io(error.to_string()))
    }

    /// The ML-DSA-44 signer of published checkpoints of this log. Its seed comes from this key's
    /// (HKDF-SHA-256), so that a token keeps one secret for its log.
    pub(crate) fn cosigner(&self, origin: &str) -> Result<Cosigner, StoreError> {
        let io = |why: String| StoreError::Io(why);
        let seed = hkdf_sha256(&self.seed, b"claviger 1", b"audit-cosigner ml-dsa-44")
            .map_err(|error| io(format!("no seed for the cosigner: {error:?}")))?;
        Cosigner::from_seed(origin, seed).map_err(|error| io(error.to_string()))
    }
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey")
    }
}

impl<'a> dyn Store + 'a {
    /// Checks the head as `Transaction::check_head` does, and that the database is not an older
    /// one that was put back beside a newer log. Between transactions of others one commit at
    /// most stands behind the end of the log: each overwrites what it finds there.
    pub(crate) fn check_head(&self, public: &[u8; 32]) -> Result<CheckedHead, HeadFault> {
        let check = |mode| self.begin(mode).map_err(HeadFault::from)?.check_head(public);
        let mut checked = check(Mode::Read)?;
        while checked.behind > 1 {
            let before = (checked.generation, checked.size);
            checked = check(Mode::Read)?;
            if (checked.generation, checked.size) == before {
                return Err(HeadFault::because("the database is older than its log"));
            }
        }
        // With nobody else at work it is told whether one is under way.
        if checked.behind > 0 && !self.is_read_only() { check(Mode::Write) } else { Ok(checked) }
    }
}

/// The head of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    /// Which of the token's logs it is; the first is 1.
    pub(crate) generation: u64,
    /// How many leaves the log has.
    pub(crate) size: u64,
    pub(crate) root: Hash,
    /// The right edge of the log without its last leaf.
    pub(super) frontier: Vec<u8>,
    /// Where the last leaf stands in its bundle, and how long it is.
    pub(super) last_at: u64,
    pub(super) last_len: u64,
    /// The signed note over size and root.
    pub(crate) checkpoint: String,
    /// The root of the state tree as it stands; signed in the last leaf.
    pub(crate) state_root: Hash,
    /// For how many slots the tree has room, and how many are in use.
    pub(super) room: u64,
    pub(crate) slots: u64,
    /// The key that signs this generation.
    pub(crate) audit: AuditRecord,
}

/// What was found out about a head that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CheckedHead {
    pub(crate) generation: u64,
    /// How many leaves the log has.
    pub(crate) size: u64,
    /// The signed note over size and root.
    pub(crate) checkpoint: String,
    /// Open lanes, and how far each is sealed.
    pub(crate) lanes: Vec<(LaneId, u64)>,
    /// Slots that were changed without a login and are not signed yet.
    pub(crate) pending: u64,
    /// Objects whose rows are gone.
    pub(crate) missing: u64,
    /// Rows that are no objects.
    pub(crate) surplus: u64,
    /// Whole commits that stand in the log behind its end. One is under way, or was cut short
    /// just before the database committed, or was taken back; more were made by others since
    /// this transaction began, or the database is older than its log (`Store::check_head`).
    pub(crate) behind: u64,
}

/// Why a head cannot be trusted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum HeadFault {
    /// Everything fits, but the token is on another machine or in another file than the one
    /// for which it was signed.
    Copied,
    /// The database, the log or the checkpoint was changed outside the token.
    Tampered(String),
    /// It could not be found out.
    Store(StoreError),
}

impl HeadFault {
    pub(super) fn because(why: &str) -> Self {
        Self::Tampered(why.to_owned())
    }
}

impl fmt::Display for HeadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copied => f.write_str("the token was copied from another place"),
            Self::Tampered(why) => f.write_str(why),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl From<StoreError> for HeadFault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Distrusted(why) => Self::Tampered(why),
            StoreError::Corrupt(why) => Self::Tampered(format!("the database is damaged: {why}")),
            other => Self::Store(other),
        }
    }
}

impl From<HeadFault> for StoreError {
    fn from(fault: HeadFault) -> Self {
        match fault {
            HeadFault::Store(error) => error,
            other => Self::Distrusted(other.to_string()),
        }
    }
}

impl Head {
    /// The log's name.
    pub(crate) fn origin(&self, serial: &str) -> String {
        origin(serial, self.generation)
    }

    /// The right edge with the last leaf, if the two give the root.
    pub(super) fn edge_with(&self, last_leaf: &Hash) -> Result<Frontier, HeadFault> {
        let mut edge = Frontier::from_bytes(&self.frontier)
            .ok_or_else(|| HeadFault::because("the log's right edge is unreadable"))?;
        let fits = edge.append_to(*last_leaf, |_| {}).is_ok()
            && edge.size() == self.size
            && edge.root() == self.root;
        if fits { Ok(edge) } else { Err(HeadFault::because("the log does not end as signed")) }
    }

    /// Checks what is signed, and gives the state that the last leaf tells.
    pub(super) fn signed_state<'l>(
        &self,
        serial: &str,
        public: &[u8; 32],
        last_leaf: &'l [u8],
    ) -> Result<StateLeaf<'l>, HeadFault> {
        if self.audit.public != *public {
            return Err(HeadFault::because("the audit key was replaced"));
        }
        let origin = self.origin(serial);
        let key = VerifierKey::new(&origin, PublicKey::Ed25519(*public))
            .map_err(|error| HeadFault::Tampered(error.to_string()))?;
        let signed = Checkpoint::open(self.checkpoint.as_bytes(), &[key])
            .map_err(|error| HeadFault::Tampered(format!("the checkpoint: {error}")))?;
        if signed != (Checkpoint { origin, size: self.size, root: self.root }) {
            return Err(HeadFault::because("the checkpoint is about another state of the log"));
        }
        self.edge_with(&leaf_hash(last_leaf))?;
        match Leaf::parse(last_leaf) {
            Ok(Leaf::State(state)) => Ok(state),
            _ => Err(HeadFault::because("the log does not end with a state leaf")),
        }
    }
}

/// Compares the state that was signed with the one that is there.
pub(super) fn compare(signed: &StateLeaf<'_>, found: &StateLeaf<'_>) -> Result<(), HeadFault> {
    let differs = |what: &str| {
        Err(HeadFault::Tampered(format!("{what} in the database is not what was signed")))
    };
    if signed.state_root != found.state_root || signed.slots != found.slots {
        return differs("the state of the objects");
    }
    if signed.token_hash != found.token_hash || signed.epoch != found.epoch {
        return differs("the token's record");
    }
    if signed.lanes != found.lanes {
        return differs("the list of open lanes");
    }
    if signed.machine != found.machine || signed.inode != found.inode {
        return Err(HeadFault::Copied);
    }
    Ok(())
}

/// The hash of a token's record without the tries.
pub(super) fn token_hash(token: &TokenRecord) -> Hash {
    let serial_len = u64::try_from(token.serial.len()).unwrap_or(u64::MAX);
    let pins = [Some(&token.so), token.user.as_ref()].map(pin_hash);
    sha256(&[
        &[1],
        &serial_len.to_le_bytes(),
        token.serial.as_bytes(),
        &token.label,
        &token.instance,
        &token.epoch.to_le_bytes(),
        pins.as_flattened(),
        &token.audit.public,
        &token.audit.sealed,
    ])
}

fn pin_hash(pin: Option<&PinRecord>) -> Hash {
    let Some(pin) = pin else { return [0; 32] };
    sha256(&[
        &pin.salt,
        &pin.cost.memory_kib.to_le_bytes(),
        &pin.cost.passes.to_le_bytes(),
        &pin.cost.lanes.to_le_bytes(),
        &[u8::from(pin.pepper)],
        &pin.sealed_master,
    ])
}

/// Which machine this is, for this token alone; empty where machines have no id.
pub(super) fn machine(serial: &str) -> String {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    match id.trim() {
        "" => String::new(),
        id => {
            let mut digits = hex(&sha256(&[id.as_bytes(), b"\n", serial.as_bytes()]));
            digits.truncate(16);
            digits
        }
    }
}

/// What begins a new generation of the log.
#[derive(Clone, Debug)]
pub(super) struct NewGeneration {
    pub(super) audit: AuditRecord,
    pub(super) key: Arc<AuditKey>,
    pub(super) reason: String,
}
