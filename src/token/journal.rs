//! The records of what changes a token, each in the commit that makes the change; and whether
//! the token's log and state can be trusted. `docs/audit-format.md` shows the lines.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::{Arc, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::audit::leaf::Leaf;
use crate::audit::record::{LaneId, Record, Role as RecordedRole};
use crate::audit::time::Time;
use crate::call::Function;
use crate::error::{Error, Result, Rv};
use crate::object::attribute;
use crate::object::class::Class;
use crate::store::head::HeadFault;
use crate::store::vault::Vault;
use crate::store::{Mode, ObjectId, Role, Transaction};

use super::Token;
use super::objects::Held;

/// What is known of a call in progress, for its record.
pub(crate) struct Note {
    function: Function,
    session: u64,
    /// The mechanism's name.
    pub(crate) mechanism: Cell<Option<&'static str>>,
}

impl Note {
    /// Of a call that has just come in.
    pub(crate) const fn of(function: Function, session: u64) -> Self {
        Self { function, session, mechanism: Cell::new(None) }
    }
}

/// A change of the token under way: what will be committed, and what its leaves will say.
pub(super) struct Change<'s> {
    pub(super) transaction: Box<dyn Transaction + 's>,
    note: &'s Note,
    signed: bool,
    concerned: Vec<(ObjectId, u64)>,
}

impl Change<'_> {
    /// Names an object that is changed, and its version; each gets a leaf.
    pub(super) fn concerns(&mut self, id: ObjectId, version: u64) {
        self.concerned.push((id, version));
    }
}

pub(super) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

const fn recorded(role: Option<Role>) -> RecordedRole {
    match role {
        None => RecordedRole::None,
        Some(Role::User) => RecordedRole::User,
        Some(Role::SecurityOfficer) => RecordedRole::SecurityOfficer,
    }
}

impl Token {
    /// Begins a change. With the keys of a login it is signed; without, it waits to be.
    ///
    /// # Errors
    /// Those of a token that cannot be trusted, or the store's.
    pub(super) fn begin_change<'s>(
        &'s self,
        note: &'s Note,
        vault: Option<&Arc<Vault>>,
    ) -> Result<Change<'s>> {
        self.refuse_distrusted()?;
        let mut transaction = self.store()?.begin(Mode::Write)?;
        if let Some(vault) = vault {
            let signed = transaction.sign_with(vault.audit_signer()?);
            signed.or_else(|fault| self.react(fault))?;
        }
        Ok(Change { transaction, note, signed: vault.is_some(), concerned: Vec::new() })
    }

    /// Makes a change real, together with its leaves.
    pub(super) fn commit_change(&self, mut change: Change<'_>) -> Result<()> {
        if change.signed && change.concerned.is_empty() {
            change.transaction.append_leaf(&self.leaf_of(change.note, None))?;
        }
        if change.signed {
            for concerned in &change.concerned {
                let leaf = self.leaf_of(change.note, Some(concerned));
                change.transaction.append_leaf(&leaf)?;
            }
        }
        let findings = match change.signed {
            true => self.quarantine.append_to(&mut *change.transaction)?,
            false => 0,
        };
        change.transaction.commit()?;
        self.quarantine.recorded(findings);
        Ok(())
    }

    /// The leaf of a call that succeeds with the commit that appends it.
    pub(super) fn leaf_of(&self, note: &Note, concerned: Option<&(ObjectId, u64)>) -> Vec<u8> {
        let record = Record {
            lane: LaneId::NONE,
            time: now(),
            role: recorded(self.role()),
            session: note.session,
            call: Cow::Borrowed(note.function.name()),
            mechanism: note.mechanism.get().map(Cow::Borrowed),
            key: concerned.map(|(id, _)| Cow::Owned(id.to_string())),
            version: concerned.map(|(_, version)| *version),
            rv: Cow::Borrowed("CKR_OK"),
            ..Record::default()
        };
        Leaf::Change(record).to_bytes()
    }

    /// Checks the head of the log at a login. One that does not hold is no reason to refuse the
    /// login: verifying and public reads go on.
    pub(super) fn check_log(&self, vault: &Vault) -> Result<Option<String>> {
        let checked = match vault.audit_signer() {
            Ok(key) => self.store()?.check_head(key.public()),
            Err(_) => Err(HeadFault::Tampered("the audit key was replaced".to_owned())),
        };
        match checked {
            Ok(checked) => {
                if checked.missing > 0 || checked.surplus > 0 {
                    self.quarantine.rows(checked.missing, checked.surplus);
                }
                if checked.behind > 0 {
                    self.quarantine.remark("the log has a commit that the database lacks");
                }
                Ok(None)
            }
            Err(HeadFault::Store(error)) => Err(error.into()),
            Err(fault) => Ok(Some(fault.to_string())),
        }
    }

    /// What a fault that was found amid a login does: under `audit.on_tamper = "warn"` nothing
    /// but a line in the diagnostic log at the next login, else the token is distrusted.
    fn react(&self, fault: HeadFault) -> Result<()> {
        if let HeadFault::Store(error) = fault {
            return Err(error.into());
        }
        if !self.settings.tamper_refuses {
            return Ok(());
        }
        let why = fault.to_string();
        self.distrust(why.clone());
        Err(distrusted(why))
    }

    /// Checks amid a login that objects are judged by the state that was signed. If they are not,
    /// the token is distrusted from here on, and what can be read is read on.
    ///
    /// # Errors
    /// The store's.
    pub(super) fn check_state(&self, transaction: &dyn Transaction) -> Result<()> {
        let vault = match self.login().as_ref() {
            Some(login) if login.distrusted.is_none() => Arc::clone(&login.vault),
            _ => return Ok(()),
        };
        match transaction.check_state(vault.audit_signer()?.public()) {
            Ok(()) => Ok(()),
            Err(HeadFault::Store(error)) => Err(error.into()),
            Err(fault) => {
                self.distrust(fault.to_string());
                Ok(())
            }
        }
    }

    fn distrust(&self, why: String) {
        self.quarantine.remark(&why);
        let mut login = self.login.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(login) = login.as_mut() {
            login.distrusted = Some(why);
        }
    }

    /// A token that was changed outside is not changed any further.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR`, with what was found.
    pub(super) fn refuse_distrusted(&self) -> Result<()> {
        let found = self.login().as_ref().and_then(|login| login.distrusted.clone());
        found.filter(|_| self.settings.tamper_refuses).map_or(Ok(()), |why| Err(distrusted(why)))
    }

    /// Its private and secret keys are not used either; public ones verify on.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR`, with what was found.
    pub(crate) fn check_trust(&self, held: &Held) -> Result<()> {
        let class = held.object.attributes.get(attribute::CLASS).and_then(Class::from_code);
        match held.is_stored() && class.is_some_and(Class::is_secret) {
            true => self.refuse_distrusted(),
            false => Ok(()),
        }
    }

    /// True if what was found at the login, or since, says that the token was changed.
    pub(crate) fn is_distrusted(&self) -> bool {
        self.quarantine.rows_differ()
            || self.login().as_ref().is_some_and(|login| login.distrusted.is_some())
    }

    /// For the security officer: takes the token as it is, and begins a new generation of its
    /// log under a new key. Nobody may have a session with it.
    ///
    /// # Errors
    /// Those of a wrong PIN, or the store's.
    pub(crate) fn accept_state(&self, so_pin: &crate::secret::Secret) -> Result<()> {
        let vault = self.check_so_pin(so_pin)?;
        let (audit, key) = vault.new_audit_key()?;
        let mut transaction = self.store()?.begin(Mode::Write)?;
        transaction.rebuild_state()?;
        transaction.begin_generation(&audit, &key, "the security officer accepts the state")?;
        Ok(transaction.commit()?)
    }
}

fn distrusted(why: String) -> Error {
    Rv::DeviceError.because(format!("{why}; `claviger token accept-state` takes it as it is"))
}
