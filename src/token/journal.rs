//! The records of a token's calls: uses go to the lane of this process before their caller sees
//! anything of them, changes into the commit that makes them. `docs/audit-format.md` shows the
//! lines.

use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;
use std::time::SystemTime;

use crate::audit::hex;
use crate::audit::leaf::Leaf;
use crate::audit::record::{LaneId, Record, Role as RecordedRole};
use crate::audit::time::Time;
use crate::call::Function;
use crate::config::{Level, OnFailure};
use crate::engine::hash::Mac;
use crate::error::{Result, Rv};
use crate::object::attribute;
use crate::store::lanes::{Lane, Written};
use crate::store::memory::lines::LineFile;
use crate::store::vault::Vault;
use crate::store::{Mode, ObjectId, Role, StoreError, Transaction};

use super::note::Note;
use super::{Home, Token};

/// A change of the token under way: what will be committed, and what its leaves will say.
pub(super) struct Change<'s> {
    pub(super) transaction: Box<dyn Transaction + 's>,
    note: &'s Note,
    signed: bool,
    concerned: Vec<Concerned>,
}

/// An object that is changed, its version, and the mechanism that made it.
type Concerned = (ObjectId, u64, Option<&'static str>);

impl Change<'_> {
    /// Names an object that is changed, and its version; each gets a leaf, with the mechanism
    /// that the note has now.
    pub(super) fn concerns(&mut self, id: ObjectId, version: u64) {
        self.concerned.push((id, version, self.note.mechanism.get()));
    }
}

pub(super) fn now() -> Time {
    SystemTime::now().into()
}

const fn recorded(role: Option<Role>) -> RecordedRole {
    match role {
        None => RecordedRole::None,
        Some(Role::User) => RecordedRole::User,
        Some(Role::SecurityOfficer) => RecordedRole::SecurityOfficer,
    }
}

/// Calls about credentials are recorded without a login as well.
const fn is_about_credentials(function: Option<Function>) -> bool {
    use Function::{InitPin, InitToken, Login, LoginUser, SetPin};
    matches!(function, Some(InitPin | InitToken | Login | LoginUser | SetPin))
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
        let transaction = match vault {
            Some(vault) => self.begin_signed(vault)?,
            None => self.store()?.begin(Mode::Write)?,
        };
        Ok(Change { transaction, note, signed: vault.is_some(), concerned: Vec::new() })
    }

    /// A transaction that is signed with the keys of a login.
    pub(super) fn begin_signed(&self, vault: &Vault) -> Result<Box<dyn Transaction + '_>> {
        let mut transaction = self.store()?.begin(Mode::Write)?;
        let signed = transaction.sign_with(vault.audit_signer()?);
        signed.or_else(|fault| self.react(fault))?;
        Ok(transaction)
    }

    /// Makes a change real, together with its leaves.
    pub(super) fn commit_change(&self, mut change: Change<'_>) -> Result<()> {
        let lane = self.login().as_ref().and_then(|login| login.lane.clone());
        if change.signed {
            let record = self.record_of(change.note, "CKR_OK");
            let (lane, head) = match &self.home {
                Home::Directory(_) => {
                    (listed(&change, lane.as_deref())?, change.transaction.head()?.size)
                }
                Home::Memory(_) => (self.line_lane(), 0),
            };
            let hash = change.note.hash.get().map(|hash| Cow::Owned(hex(&hash)));
            let record = Record { lane, head, hash, ..record };
            if change.concerned.is_empty() {
                change.transaction.append_leaf(&Leaf::Change(record.clone()).to_bytes())?;
            }
            for (id, version, mechanism) in &change.concerned {
                let (key, version) = (Some(Cow::Owned(id.to_string())), Some(*version));
                let mechanism = mechanism.map(Cow::Borrowed);
                let record = Record { key, version, mechanism, ..record.clone() };
                change.transaction.append_leaf(&Leaf::Change(record).to_bytes())?;
            }
        }
        let findings = match change.signed {
            true => self.quarantine.append_to(&mut *change.transaction)?,
            false => 0,
        };
        change.transaction.commit()?;
        change.note.recorded.set(Some(true));
        self.quarantine.recorded(findings);
        if change.signed {
            self.put_anchor_at_commit();
        }
        Ok(())
    }

    /// The leaf of a call that succeeds with the commit that appends it.
    pub(super) fn change_leaf(&self, note: &Note) -> Vec<u8> {
        Leaf::Change(self.record_of(note, "CKR_OK")).to_bytes()
    }

    /// The record of a call as it stands now, without a lane.
    fn record_of<'r>(&self, note: &Note, rv: &'static str) -> Record<'r> {
        let context = note.context.as_deref();
        let own = |text: &Option<String>| text.clone().map(Cow::Owned);
        Record {
            lane: LaneId::NONE,
            time: now(),
            role: recorded(self.role()),
            session: note.session,
            call: Cow::Borrowed(note.call),
            mechanism: note.mechanism.get().map(Cow::Borrowed),
            input: note.input.get(),
            rv: Cow::Borrowed(rv),
            op: context.and_then(|context| own(&context.op)),
            actor: context.and_then(|context| own(&context.actor)),
            trace: context.and_then(|context| own(&context.trace)),
            ..Record::default()
        }
    }

    /// Puts on record what the command line tool does without a login. The record waits to be
    /// signed, as changes without a login do.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn record_command(&self, command: &'static str) -> Result<()> {
        let call = Cow::Borrowed(command);
        let record = Record { time: now(), call, rv: Cow::Borrowed("CKR_OK"), ..Record::default() };
        let mut transaction = self.store()?.begin(Mode::Write)?;
        transaction.append_leaf(&Leaf::Unauthenticated(record).to_bytes())?;
        Ok(transaction.commit()?)
    }

    /// Keeps the record of a call that came to `rv`, and seals the lane if it is time. Without a
    /// login only calls about credentials are recorded: nobody could say who wrote the others.
    ///
    /// # Errors
    /// The store's, `CKR_USER_NOT_LOGGED_IN` if the login ended meanwhile: the call must give
    /// nothing away then. None where `audit.on_failure` says so.
    pub(crate) fn record(&self, note: &Note, rv: &'static str) -> Result<()> {
        let level = note.function.map_or(Level::On, |it| self.settings.audit.level_of(it));
        if level == Level::Off || !note.lacks(rv == "CKR_OK") {
            return Ok(());
        }
        let kept = match &self.home {
            Home::Directory(_) => self.append(note, rv),
            Home::Memory(None) => Ok(()),
            Home::Memory(Some(lines)) => self.append_line(lines, note, rv),
        };
        note.recorded.set(Some(rv == "CKR_OK"));
        match kept {
            Err(error) if error.rv == Rv::UserNotLoggedIn => Err(error),
            Err(_)
                if level != Level::Force && self.settings.audit.on_failure == OnFailure::Warn =>
            {
                Ok(())
            }
            kept => kept,
        }
    }

    fn append(&self, note: &Note, rv: &'static str) -> Result<()> {
        let (mut last, mut replaced) = (None, false);
        loop {
            let lane = match self.login().as_ref() {
                Some(login) => login.lane.clone(),
                None if last.is_some() || note.needs_login() => {
                    return Err(StoreError::LaneClosed.into());
                }
                None => {
                    self.record_early(note, rv);
                    return Ok(());
                }
            };
            let Some(lane) = lane else { return self.without_lane() };
            if last == Some(lane.id()) {
                return Err(StoreError::LaneClosed.into());
            }
            match self.append_to(&lane, note, rv) {
                Ok(written) => {
                    if lane.should_seal(written.at) {
                        self.seal(&lane);
                    }
                    return Ok(());
                }
                // Another lane has taken its place, or the login ended.
                Err(StoreError::LaneClosed) => last = Some(lane.id()),
                Err(StoreError::Distrusted(_)) if !replaced => {
                    replaced = true;
                    self.replace(&lane);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The record of a use of a token in memory: a line of the file that has its log.
    fn append_line(&self, lines: &LineFile, note: &Note, rv: &'static str) -> Result<()> {
        if self.role().is_none() && note.needs_login() {
            return Err(StoreError::LaneClosed.into());
        }
        let mut line = Vec::new();
        self.with_record(note, rv, |record| {
            record.lane = self.line_lane();
            record.encode(&mut line);
        });
        Ok(lines.append([line.as_slice()])?)
    }

    /// In one file with the lines of others, a token in memory is told by its serial number.
    fn line_lane(&self) -> LaneId {
        LaneId::parse(&self.serial).unwrap_or(LaneId::NONE)
    }

    fn append_to(&self, lane: &Lane, note: &Note, rv: &'static str) -> Result<Written, StoreError> {
        self.with_record(note, rv, |record| {
            record.lane = lane.id();
            record.head = lane.head();
            lane.append(|seq, out| {
                record.seq = seq;
                record.encode(out);
            })
        })
    }

    /// The record of a call with the object that it was about. A record is large: made once, and
    /// changed where it is.
    fn with_record<R>(
        &self,
        note: &Note,
        rv: &'static str,
        take: impl FnOnce(&mut Record<'_>) -> R,
    ) -> R {
        let concerned = note.concerns.borrow();
        let key = concerned.as_ref().and_then(|(object, version)| {
            let id = object.attributes.get(attribute::UNIQUE_ID)?;
            Some((std::str::from_utf8(id).ok()?, *version))
        });
        let mut record: Record<'_> = self.record_of(note, rv);
        record.key = key.map(|(id, _)| Cow::Borrowed(id));
        record.version = key.map(|(_, version)| version).filter(|version| *version != 0);
        record.hash = note.hash.get().map(|hash| Cow::Owned(hex(&hash)));
        take(&mut record)
    }

    /// Begins the hash of an input, if records are to hold one and somebody is logged in.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn input_mac(&self) -> Result<Option<Mac>> {
        match self.settings.audit.hash {
            true => Ok(self.vault().map(|vault| vault.input_mac()).transpose()?),
            false => Ok(None),
        }
    }

    /// What records say of an input (`audit.hash`), for whoever is logged in.
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN`; those of reading.
    pub(crate) fn hash_of(&self, input: &mut dyn Read) -> Result<String> {
        let mut mac = self.require_login()?.input_mac()?;
        let mut bytes = [0; 8192];
        loop {
            let failed = |error: std::io::Error| Rv::FunctionFailed.because(error.to_string());
            match input.read(&mut bytes).map_err(failed)? {
                0 => break,
                len => mac.update(bytes.get(..len).unwrap_or_default()),
            }
        }
        let mut hash = [0; 32];
        mac.finish(&mut hash)?;
        Ok(hex(&hash))
    }

    /// Where nothing can be written nothing is recorded (`pin.readonly`); and what a token is
    /// still good for whose log cannot be trusted is not recorded there.
    fn without_lane(&self) -> Result<()> {
        if self.store()?.is_read_only() || self.is_distrusted() {
            return Ok(());
        }
        Err(Rv::DeviceError.because("no use can be recorded since the login could not be"))
    }

    /// What happens before any login is kept where anybody could write it, and only if it can be.
    fn record_early(&self, note: &Note, rv: &'static str) {
        let read_only = self.store().map_or(true, |store| store.is_read_only());
        if is_about_credentials(note.function) && !read_only {
            let record = Record { mechanism: None, ..self.record_of(note, rv) };
            let _ = self.lanes().map(|lanes| lanes.record_early(&record));
        }
    }
}

/// The name of a lane, if the log takes records of it.
fn listed(change: &Change<'_>, lane: Option<&Lane>) -> Result<LaneId> {
    let Some(lane) = lane else { return Ok(LaneId::NONE) };
    let listed = change.transaction.lanes()?.iter().any(|(id, _)| *id == lane.id());
    Ok(if listed { lane.id() } else { LaneId::NONE })
}
