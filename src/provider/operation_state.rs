//! The state of a session's operations, for the caller to keep. PKCS#11 3.2, "C_GetOperationState",
//! "C_SetOperationState".
//!
//! What is given out is sealed: the caller can neither read nor change it. Where somebody is
//! logged in it opens in every process of that token, else in this process only. Keys are not in
//! it, and are asked for; one that wants the PIN again before each use has no state to save.

use crate::call::{Room, Written};
use crate::engine::{EngineError, random, sealing};
use crate::error::{Error, Result, Rv};
use crate::mechanism::operation::{Ciphering, Signing, Verifying};
use crate::mechanism::saved::{self, Saved};
use crate::object::attribute;
use crate::secret::Secret;
use crate::session::operation::Operation;
use crate::session::{DigestRun, Operations, Origin, Running};
use crate::token::policy::{Decrypt, Encrypt, KeyUse, Sign, Verify};

use super::access::logged_in;
use super::journal::facts_of;
use super::{Call, GivenMechanism};

const DIGEST: u8 = 1;
const ENCRYPT: u8 = 2;
const DECRYPT: u8 = 3;
const SIGN: u8 = 4;
const VERIFY: u8 = 5;

/// Who can open a state: everyone who logs in to the token, or this process.
const BY_TOKEN: u8 = 1;
const BY_PROCESS: u8 = 2;

fn unsaveable(why: &'static str) -> Error {
    Rv::StateUnsaveable.because(why)
}

fn invalid(why: &'static str) -> Error {
    Rv::SavedStateInvalid.because(why)
}

/// An operation of one kind, if one is active.
fn saved_of<T>(
    operation: &Operation<T>,
    save: impl FnOnce(&T, bool) -> Result<Saved>,
) -> Result<Option<Saved>> {
    match operation.running() {
        Some((running, streaming)) => save(running, streaming).map(Some),
        None if operation.is_active() => Err(unsaveable("it waits for the PIN")),
        None => Ok(None),
    }
}

fn begun(kind: u8, origin: &Origin, streaming: bool) -> Saved {
    Saved {
        kind,
        mechanism: origin.row.id,
        params: origin.params.clone(),
        key: Vec::new(),
        streaming,
        input: 0,
        hash: None,
        state: None,
    }
}

fn with_key<W: ?Sized>(kind: u8, running: &Running<W>, streaming: bool) -> Result<Saved> {
    let origin = running.origin.as_ref().ok_or_else(|| unsaveable("no state is kept of it"))?;
    let key = running.facts.key.as_ref().map(|(key, _)| &key.attributes);
    let key = key.ok_or_else(|| unsaveable("no key"))?;
    if key.is_set(attribute::ALWAYS_AUTHENTICATE) {
        return Err(unsaveable("the key wants the PIN again before each use"));
    }
    let id = key.get(attribute::UNIQUE_ID).ok_or_else(|| unsaveable("a key without identity"))?;
    let hash = match &running.hash {
        Some(hash) => hash.save()?,
        None => None,
    };
    let (key, input) = (id.to_vec(), running.input);
    Ok(Saved { key, input, hash, ..begun(kind, origin, streaming) })
}

fn cipher(kind: u8, running: &Running<dyn Ciphering>, streaming: bool) -> Result<Saved> {
    let saved = with_key(kind, running, streaming)?;
    if !streaming {
        return Ok(saved);
    }
    let (params, pending) = running.work.resume()?.ok_or_else(|| no_state(&saved))?;
    Ok(Saved { params, state: Some(pending), ..saved })
}

fn no_state(saved: &Saved) -> Error {
    unsaveable(match saved.kind {
        ENCRYPT | DECRYPT => "this cipher gives no state in the midst of its data",
        _ => "this mechanism gives no state in the midst of its data",
    })
}

/// The state of a mechanism's work once parts were taken.
fn with_state(saved: Saved, save: impl FnOnce() -> Result<Option<Secret>>) -> Result<Saved> {
    if !saved.streaming {
        return Ok(saved);
    }
    let state = save()?.ok_or_else(|| no_state(&saved))?;
    Ok(Saved { state: Some(state), ..saved })
}

fn all_saved(operations: &Operations) -> Result<Vec<Saved>> {
    let all = [
        saved_of(&operations.digest, |running, streaming| {
            with_state(begun(DIGEST, &running.origin, streaming), || running.work.save())
        })?,
        saved_of(&operations.encrypt, |running, streaming| cipher(ENCRYPT, running, streaming))?,
        saved_of(&operations.decrypt, |running, streaming| cipher(DECRYPT, running, streaming))?,
        saved_of(&operations.sign, |running, streaming| {
            with_state(with_key(SIGN, running, streaming)?, || running.work.save())
        })?,
        saved_of(&operations.verify, |running, streaming| {
            with_state(with_key(VERIFY, running, streaming)?, || running.work.save())
        })?,
    ];
    let all: Vec<Saved> = all.into_iter().flatten().collect();
    let of = |kinds: [u8; 2]| all.iter().filter(|one| kinds.contains(&one.kind)).count();
    if of([ENCRYPT, DECRYPT]) > 1 || of([SIGN, VERIFY]) > 1 {
        return Err(unsaveable("two operations that would need the same key handle"));
    }
    if all.is_empty() {
        return Err(Rv::OperationNotInitialized.because("no operation whose state could be saved"));
    }
    Ok(all)
}

/// An operation that was made again.
enum Restored {
    Digest(DigestRun),
    Encrypt(Running<dyn Ciphering>),
    Decrypt(Running<dyn Ciphering>),
    Sign(Running<dyn Signing>),
    Verify(Running<dyn Verifying>),
}

impl Call<'_> {
    /// C_GetOperationState.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`, `CKR_STATE_UNSAVEABLE`.
    pub fn operation_state(&self, room: Room<'_>) -> Result<Written> {
        let all = all_saved(&self.open.session.operations())?;
        let plain = saved::to_bytes(&all);
        let plain = plain.ok_or_else(|| unsaveable("a parameter that is not kept"))?;
        room.fill(plain.len() + sealing::OVERHEAD + 1, |out| {
            let sealed = self.sealed(&plain)?;
            let room = out.get_mut(..sealed.len());
            let room = room.ok_or_else(|| Rv::GeneralError.because("less room than promised"))?;
            room.copy_from_slice(&sealed);
            Ok(sealed.len())
        })
    }

    /// C_SetOperationState: what was active before is gone, if all of it can be restored.
    ///
    /// # Errors
    /// `CKR_SAVED_STATE_INVALID`, `CKR_KEY_NEEDED`, `CKR_KEY_NOT_NEEDED`, `CKR_KEY_CHANGED`; those
    /// of beginning the operations anew.
    pub fn set_operation_state(&self, sealed: &[u8], cipher_key: u64, auth_key: u64) -> Result<()> {
        let plain = self.opened(sealed)?;
        let all = plain.expose(saved::from_bytes)?.ok_or_else(|| invalid("another format"))?;
        let has = |kinds: [u8; 2]| all.iter().any(|one| kinds.contains(&one.kind));
        // OpenSSL's provider names the key of a signature in both places: that is one key, and is
        // needed. For an operation without a key there is none.
        let same = cipher_key == auth_key && (has([ENCRYPT, DECRYPT]) || has([SIGN, VERIFY]));
        for (key, kinds) in [(cipher_key, [ENCRYPT, DECRYPT]), (auth_key, [SIGN, VERIFY])] {
            match (key, has(kinds)) {
                (0, true) => return Err(Rv::KeyNeeded.because("the state does not hold its key")),
                (1.., false) if !same => {
                    return Err(Rv::KeyNotNeeded.because("no operation with that key"));
                }
                _ => (),
            }
        }
        let mut restored = Vec::new();
        for one in all {
            let streaming = one.streaming;
            restored.push((self.restore(one, cipher_key, auth_key)?, streaming));
        }
        let mut operations = self.open.session.operations();
        operations.cancel_all();
        for (operation, streaming) in restored {
            match operation {
                Restored::Digest(running) => operations.digest.resume(running, streaming),
                Restored::Encrypt(running) => operations.encrypt.resume(running, streaming),
                Restored::Decrypt(running) => operations.decrypt.resume(running, streaming),
                Restored::Sign(running) => operations.sign.resume(running, streaming),
                Restored::Verify(running) => operations.verify.resume(running, streaming),
            }
        }
        Ok(())
    }

    fn restore(&self, one: Saved, cipher_key: u64, auth_key: u64) -> Result<Restored> {
        Ok(match one.kind {
            DIGEST => Restored::Digest(self.restore_digest(one)?),
            ENCRYPT => Restored::Encrypt(self.restore_cipher::<Encrypt>(one, cipher_key)?),
            DECRYPT => Restored::Decrypt(self.restore_cipher::<Decrypt>(one, cipher_key)?),
            SIGN => {
                let (state, mut running) =
                    self.restart::<Sign, dyn Signing>(one, auth_key, |row| row.sign)?;
                take_up(state, |bytes| running.work.restore(bytes))?;
                Restored::Sign(running)
            }
            VERIFY => {
                let (state, mut running) =
                    self.restart::<Verify, dyn Verifying>(one, auth_key, |row| row.verify)?;
                take_up(state, |bytes| running.work.restore(bytes))?;
                Restored::Verify(running)
            }
            _ => return Err(invalid("an operation of no kind")),
        })
    }

    fn restore_digest(&self, one: Saved) -> Result<DigestRun> {
        let given = GivenMechanism { id: one.mechanism, params: one.params };
        let row = self.row(&given)?;
        let mut work = row.column(row.digest)?(&given.params)?;
        take_up(one.state, |bytes| work.restore(bytes))?;
        Ok(DigestRun { origin: Origin { row, params: given.params }, work })
    }

    fn restore_cipher<Use: KeyUse>(&self, one: Saved, key: u64) -> Result<Running<dyn Ciphering>> {
        let is_encrypt = one.kind == ENCRYPT;
        let column = |row: &crate::mechanism::Mechanism| match is_encrypt {
            true => row.encrypt,
            false => row.decrypt,
        };
        let (state, mut running) = self.restart::<Use, dyn Ciphering>(one, key, column)?;
        if let Some(pending) = state {
            pending.expose(|bytes| {
                // What this gives was given out before the state was saved.
                let ready = running.work.update_len(bytes.len())?;
                Secret::build(ready, |out| running.work.update(bytes, out).map(drop)).map(drop)
            })?;
        }
        Ok(running)
    }

    /// Begins an operation anew, after every check that beginning it takes.
    fn restart<Use: KeyUse, W: ?Sized>(
        &self,
        one: Saved,
        key: u64,
        column: impl FnOnce(&crate::mechanism::Mechanism) -> Option<Start<W>>,
    ) -> Result<(Option<Secret>, Running<W>)> {
        let given = GivenMechanism { id: one.mechanism, params: one.params };
        let row = self.row(&given)?;
        let start = row.column(column(row))?;
        let held = self.key(key)?;
        if held.object.attributes.get(attribute::UNIQUE_ID) != Some(&one.key) {
            return Err(Rv::KeyChanged.because("the operation began with another key"));
        }
        let (held, again) = self.key_for::<Use>(row, key)?;
        if again {
            return Err(invalid("the key wants the PIN again before each use"));
        }
        let work = start(&held.object, &given.params)?;
        let mut hash = self.token().input_mac()?;
        if let (Some(hash), Some(state)) = (&mut hash, &one.hash)
            && !state.expose(|bytes| hash.restore(bytes))
        {
            return Err(invalid("the hash of the input"));
        }
        let running =
            Running { hash, input: one.input, ..Running::new(facts_of(&held, row), work) };
        Ok((one.state, running.of(row, given.params)))
    }

    /// The data that a state is bound to: the token, and who is logged in. Whether the session may
    /// write is not in it: nothing that is saved writes, and OpenSSL's provider goes on in a
    /// read-only session with what it began in another.
    fn associated(&self) -> Vec<u8> {
        let (serial, who) = (self.token().serial(), logged_in(self.token()));
        format!("claviger operation state 2\n{serial}\n{who:?}").into_bytes()
    }

    fn sealed(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let associated = self.associated();
        let (by, sealed) = match self.token().vault() {
            Some(vault) => (BY_TOKEN, vault.seal_state(&associated, plain)?),
            None => (BY_PROCESS, sealing::seal(self.provider.state_key()?, &associated, plain)?),
        };
        Ok([&[by], sealed.as_slice()].concat())
    }

    fn opened(&self, sealed: &[u8]) -> Result<Secret> {
        let associated = self.associated();
        let opened = match (sealed.split_first(), self.token().vault()) {
            (Some((&BY_TOKEN, rest)), Some(vault)) => vault.open_state(&associated, rest),
            (Some((&BY_PROCESS, rest)), _) => {
                sealing::open(self.provider.state_key()?, &associated, rest)
            }
            _ => return Err(invalid("of another token or of nobody")),
        };
        opened.map_err(|error| match error {
            EngineError::Memory => error.into(),
            _ => invalid("not sealed by this token for such a session"),
        })
    }
}

/// Starts one kind of work.
type Start<W> =
    fn(&crate::mechanism::Key, &crate::mechanism::params::MechanismParams) -> Result<Box<W>>;

fn take_up(state: Option<Secret>, restore: impl FnOnce(&[u8]) -> bool) -> Result<()> {
    match state {
        Some(state) if !state.expose(restore) => Err(invalid("the state of its work")),
        _ => Ok(()),
    }
}

impl super::Provider {
    /// The key for states of sessions without a login, made at its first use.
    fn state_key(&self) -> Result<&Secret> {
        if let Some(key) = self.state_key.get() {
            return Ok(key);
        }
        let made = random::secret(32)?;
        Ok(self.state_key.get_or_init(|| made))
    }
}
