//! What is known of a token outside of its directory: the pinned key and the anchors. Both are
//! held against the log at a login; anchors are brought up to date there and later.
//!
//! What is committed is published afterwards, and an anchor is asked before the head is read: so
//! no anchor is ever newer than the log, unless an older directory was put back.

use std::sync::{Arc, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::anchor::{Anchor, Asked, Published, Put, Unreachable};
use crate::audit::checkpoint::{Checkpoint, origin, parse_origin};
use crate::audit::history::{End, Kept, Mismatch};
use crate::audit::note::{Note, NoteError, PublicKey, VerifierKey};
use crate::error::{Error, Result, Rv};
use crate::store::Mode;
use crate::store::head::{AuditKey, HeadFault};
use crate::store::vault::Vault;

use super::Token;
use super::login::Login;

/// More than anybody reads; the rest is not kept.
const MOST_WARNINGS: usize = 16;

/// What this process has brought to the anchors: the generation and size, once all have it.
#[derive(Default)]
pub(super) struct Anchored(Option<(u64, u64)>);

/// A checkpoint that was published.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The signed note, with the signatures of witnesses that gave one.
    pub checkpoint: String,
    /// The keys of this log, as text: Ed25519 and ML-DSA-44.
    pub keys: Vec<String>,
    /// Each anchor by name, with the reason if it does not have the checkpoint.
    pub anchors: Vec<(String, Option<String>)>,
}

/// The log's end, signed anew for others.
struct SignedLog {
    end: End,
    note: Note,
    checkpoint: Checkpoint,
}

/// What came of bringing a checkpoint to an anchor.
enum Brought {
    Done(Option<Note>),
    /// The log is not what it was.
    Fault(String),
    Failed(Unreachable),
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn of_note(error: NoteError) -> Error {
    error.into()
}

impl Token {
    /// Holds the log against the pinned key and the anchors at a login, once it is known to hold
    /// in itself; brings the anchors up to date. Some reason if the token cannot be trusted.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR` if an anchor cannot be asked and must be; the store's.
    pub(super) fn check_anchor(&self, vault: &Vault) -> Result<Option<String>> {
        let anchors = &self.settings.anchors;
        if anchors.is_empty() && self.settings.pinned.is_empty() {
            return Ok(None);
        }
        let key = vault.audit_signer()?;
        let generation = self.store()?.begin(Mode::Read)?.head()?.generation;
        if let Some(why) = self.pin_fault(generation, key)? {
            return Ok(Some(why));
        }
        if anchors.is_empty() {
            return Ok(None);
        }
        let mut anchored = self.anchored.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = Asked { serial: &self.serial, generation };
        let kept: Vec<_> = anchors.iter().map(|anchor| (anchor, anchor.get(asked))).collect();
        let log = match self.signed_log(key)? {
            Ok(log) => log,
            Err(why) => return Ok(Some(why)),
        };
        let (mut behind, mut failed) = (Vec::new(), Vec::new());
        for (anchor, kept) in kept {
            match kept.map(|kept| kept.map(|kept| self.compare(&log.end, &kept)).transpose()) {
                Ok(Ok(Some(Kept::Same))) => {}
                Ok(Ok(None | Some(Kept::Behind))) => behind.push(anchor),
                Ok(Err(Mismatch::Unreadable(why))) | Err(why) => {
                    failed.push(Unreachable { anchor: anchor.name(), why });
                }
                Ok(Err(mismatch)) => {
                    return Ok(Some(format!("anchor {}: {mismatch}", anchor.name())));
                }
            }
        }
        for anchor in behind {
            match self.bring(anchor, &log)? {
                Brought::Done(_) => {}
                Brought::Fault(why) => return Ok(Some(why)),
                Brought::Failed(why) => failed.push(why),
            }
        }
        match failed.first() {
            None => anchored.0 = Some((log.end.generation, log.end.size)),
            Some(why) if self.settings.anchors_must_answer => {
                return Err(Rv::DeviceError.because(why.to_string()));
            }
            Some(_) => failed.iter().for_each(|why| self.warn(why.to_string())),
        }
        Ok(None)
    }

    /// Brings the anchors up to date for whoever is logged in: after uses were sealed into the
    /// log, and before a logout. Nothing is lost if an anchor fails; `take_warnings` tells.
    pub(crate) fn put_anchor(&self) {
        let trusted = |login: &Login| login.distrusted.is_none();
        let vault =
            self.login().as_ref().filter(|login| trusted(login)).map(|it| Arc::clone(&it.vault));
        if let Some(vault) = vault {
            self.put_anchor_with(&vault);
        }
    }

    /// As `put_anchor`, with the keys of a login that ends.
    pub(super) fn put_anchor_with(&self, vault: &Vault) {
        if self.settings.anchors.is_empty() {
            return;
        }
        match self.bring_current(vault) {
            Ok(None) => {}
            Ok(Some(why)) => self.distrust(why),
            Err(error) => self.warn(error.to_string()),
        }
    }

    /// As `put_anchor`, after a change, if that is configured.
    pub(super) fn put_anchor_at_commit(&self) {
        if self.settings.anchors_at_commit {
            self.put_anchor();
        }
    }

    fn bring_current(&self, vault: &Vault) -> Result<Option<String>> {
        let key = vault.audit_signer()?;
        let mut anchored = self.anchored.lock().unwrap_or_else(PoisonError::into_inner);
        let head = self.store()?.begin(Mode::Read)?.head()?;
        if anchored.0 == Some((head.generation, head.size)) {
            return Ok(None);
        }
        let log = match self.signed_log(key)? {
            Ok(log) => log,
            Err(why) => return Ok(Some(why)),
        };
        let mut all = true;
        for anchor in self.settings.anchors.iter() {
            match self.bring(anchor, &log)? {
                Brought::Done(_) => {}
                Brought::Fault(why) => return Ok(Some(why)),
                Brought::Failed(why) => {
                    self.warn(why.to_string());
                    all = false;
                }
            }
        }
        anchored.0 = all.then_some((log.end.generation, log.end.size));
        Ok(None)
    }

    /// Publishes the log as it is now: partial tiles, the checkpoint with both signatures, and
    /// the anchors. Somebody is logged in.
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN`, those of a token that cannot be trusted, the store's.
    pub(crate) fn publish(&self) -> Result<Publication> {
        let vault = self.require_login()?;
        let found = self.login().as_ref().and_then(|login| login.distrusted.clone());
        if let Some(why) = found {
            return Err(Rv::DeviceError.because(format!("nothing is published: {why}")));
        }
        let key = vault.audit_signer()?;
        let _one_at_a_time = self.anchored.lock().unwrap_or_else(PoisonError::into_inner);
        let log = self.signed_log(key)?.map_err(|why| Rv::DeviceError.because(why))?;
        let mut note = log.note.clone();
        self.store()?.publish(&note.to_string())?;
        let mut anchors = Vec::new();
        for anchor in self.settings.anchors.iter() {
            let why = match self.bring(anchor, &log)? {
                Brought::Done(None) => None,
                Brought::Done(Some(signed)) => {
                    for line in signed.signatures {
                        if !note.signatures.contains(&line) {
                            note.signatures.push(line);
                        }
                    }
                    None
                }
                Brought::Fault(why) => {
                    self.distrust(why.clone());
                    Some(why)
                }
                Brought::Failed(failed) => Some(failed.why),
            };
            anchors.push((anchor.name(), why));
        }
        if note.signatures.len() > log.note.signatures.len() {
            self.store()?.publish(&note.to_string())?;
        }
        let keys = self.keys_of(&log.checkpoint.origin, key)?;
        let keys = keys.iter().map(ToString::to_string).collect();
        Ok(Publication { checkpoint: note.to_string(), keys, anchors })
    }

    /// What anchors had to say since this was asked last, for the diagnostic log.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn warn(&self, why: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.len() < MOST_WARNINGS && !warnings.contains(&why) {
            warnings.push(why);
        }
    }

    /// The end of the log, checked, and signed for others; or why it cannot be trusted.
    fn signed_log(&self, key: &Arc<AuditKey>) -> Result<std::result::Result<SignedLog, String>> {
        let checked = self.store()?.begin(Mode::Read)?.check_head(key.public());
        let checked = match checked {
            Ok(checked) => checked,
            Err(HeadFault::Store(error)) => return Err(error.into()),
            Err(fault) => return Ok(Err(fault.to_string())),
        };
        let mut note = Note::parse(checked.checkpoint.as_bytes()).map_err(of_note)?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(of_note)?;
        key.cosigner(&checkpoint.origin)?.sign(&mut note, seconds()).map_err(of_note)?;
        let end = End {
            serial: self.serial.clone(),
            generation: checked.generation,
            size: checkpoint.size,
            root: checkpoint.root,
            key: *key.public(),
        };
        Ok(Ok(SignedLog { end, note, checkpoint }))
    }

    fn compare(&self, end: &End, kept: &[u8]) -> std::result::Result<Kept, Mismatch> {
        let history = self.store().and_then(|store| Ok(store.history()?));
        let history = history.map_err(|error| Mismatch::Unproven(error.to_string()))?;
        end.compare(kept, history.as_ref())
    }

    fn bring(&self, anchor: &dyn Anchor, log: &SignedLog) -> Result<Brought> {
        let store = self.store()?;
        let SignedLog { end, note, checkpoint } = log;
        let witnessed = store
            .witnessed(end.generation)
            .and_then(|note| Checkpoint::parse(Note::parse(note.as_bytes()).ok()?.text()).ok());
        let history = store.history()?;
        let published = Published {
            of: Asked { serial: &self.serial, generation: end.generation },
            note,
            checkpoint,
            history: history.as_ref(),
            witnessed: witnessed.map_or(0, |checkpoint| checkpoint.size),
        };
        let fault = |what: &dyn std::fmt::Display| {
            Ok(Brought::Fault(format!("anchor {}: {what}", anchor.name())))
        };
        match anchor.put(&published) {
            Ok(Put::Kept) => Ok(Brought::Done(None)),
            Ok(Put::Signed(note)) => {
                // A convenience: the witness tells what it knows when it is asked.
                let _ = store.keep_witnessed(&note.to_string());
                Ok(Brought::Done(Some(note)))
            }
            Ok(Put::Contradicted) => fault(&Mismatch::Fork),
            Ok(Put::Newer { generation, size }) => {
                // Another process may have committed and been here meanwhile.
                let head = store.begin(Mode::Read)?.head()?;
                match (head.generation, head.size) >= (generation, size) {
                    true => Ok(Brought::Done(None)),
                    false => fault(&Mismatch::Ahead { generation, size }),
                }
            }
            Err(why) => Ok(Brought::Failed(Unreachable { anchor: anchor.name(), why })),
        }
    }

    /// The verifier keys of a log that this key signs.
    fn keys_of(&self, origin: &str, key: &AuditKey) -> Result<[VerifierKey; 2]> {
        let plain = VerifierKey::new(origin, PublicKey::Ed25519(*key.public())).map_err(of_note)?;
        Ok([plain, key.cosigner(origin)?.verifier().clone()])
    }

    /// The pinned keys that are about this token.
    fn pinned(&self) -> impl Iterator<Item = &VerifierKey> {
        let own = |key: &&VerifierKey| {
            parse_origin(key.name()).is_some_and(|(serial, _)| serial == self.serial)
        };
        self.settings.pinned.iter().filter(own)
    }

    /// Why the key of a login is not the pinned one, if this token's is pinned.
    fn pin_fault(&self, generation: u64, key: &AuditKey) -> Result<Option<String>> {
        if self.pinned().next().is_none() {
            return Ok(None);
        }
        let origin = origin(&self.serial, generation);
        let mut named = self.pinned().filter(|pinned| pinned.name() == origin).peekable();
        if named.peek().is_none() {
            return Ok(Some(format!("audit.key names no key of {origin}")));
        }
        let own = self.keys_of(&origin, key)?;
        let differs = !named.all(|pinned| own.contains(pinned));
        Ok(differs.then(|| format!("the key of {origin} is not the one that audit.key names")))
    }

    /// True if the log is not signed with the pinned key, as far as that is seen without a login.
    pub(crate) fn breaks_pin(&self) -> bool {
        if self.pinned().next().is_none() {
            return false;
        }
        let head = self.store().and_then(|store| Ok(store.begin(Mode::Read)?.head()?));
        let Ok(head) = head else { return true };
        let origin = head.origin(&self.serial);
        let signed = Checkpoint { origin: origin.clone(), size: head.size, root: head.root };
        let mut named = self.pinned().filter(|pinned| pinned.name() == origin).peekable();
        named.peek().is_none()
            || !named.filter(|key| matches!(key.public(), PublicKey::Ed25519(_))).all(|key| {
                Checkpoint::open(head.checkpoint.as_bytes(), std::slice::from_ref(key))
                    .is_ok_and(|found| found == signed)
            })
    }
}
