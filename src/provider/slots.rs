//! Slots and the tokens in them. PKCS#11 3.2, "Slot and token management functions".
//!
//! Every initialised token has a slot of its own, whose number is part of the token's serial
//! number and so never changes. Without any token, or with `slots.spare`, there is one more slot
//! with a token that waits to be initialised.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use crate::audit::line::hex;
use crate::config::StoreKind;
use crate::engine::random;
use crate::error::{Error, Result, Rv};
use crate::secret::Secret;
use crate::session::state::Access;
use crate::system::files::{self, LockKind, RecordLock};
use crate::token::login::{Tries, check_pin_length};
use crate::token::settings::Settings;
use crate::token::{Home, Token};

use super::Provider;

/// Slot numbers stay below 2^24: six digits of the serial number, and positive in consumers
/// that keep them in 31 bits.
pub(crate) const SLOT_LIMIT: u64 = 1 << 24;
const SERIAL_LEN: usize = 16;

/// A slot, with its token once that is initialised.
pub(super) struct Slot {
    pub(super) id: u64,
    token: RwLock<Option<Arc<Token>>>,
}

impl Slot {
    fn new(id: u64, token: Option<Arc<Token>>) -> Self {
        Self { id, token: RwLock::new(token) }
    }

    pub(super) fn token(&self) -> Option<Arc<Token>> {
        self.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, token: Arc<Token>) {
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// Logs out and drops the token.
    pub(super) fn forget(&self) {
        let token = self.token.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(token) = token {
            token.logout();
        }
    }
}

/// Somebody asks for a token where none is.
pub(super) fn not_initialised() -> Error {
    Rv::TokenNotRecognized.because("the token is not initialised")
}

/// What C_GetTokenInfo tells.
#[derive(Clone, Debug)]
pub struct TokenView {
    /// Padded with blanks.
    pub label: [u8; 32],
    /// Empty for a token that is not initialised.
    pub serial: String,
    /// False for a token that waits for C_InitToken.
    pub initialized: bool,
    /// A user PIN was set.
    pub user_pin_set: bool,
    /// Nothing can be changed.
    pub write_protected: bool,
    /// It was found to be changed outside.
    pub distrusted: bool,
    /// Tries left for the security officer's PIN.
    pub so_tries: Tries,
    /// Tries left for the user's PIN.
    pub user_tries: Tries,
    /// Sessions of this process.
    pub sessions: u64,
    /// Read/write sessions of this process.
    pub read_write_sessions: u64,
}

/// The slot number in a serial number: its last six digits.
fn slot_of(serial: &str) -> Option<u64> {
    let is_ours = serial.len() == SERIAL_LEN
        && serial.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let digits = serial.get(SERIAL_LEN - 6..).filter(|_| is_ours)?;
    u64::from_str_radix(digits, 16).ok()
}

/// A serial number for a token in a slot: ten random digits, and the slot's number.
fn new_serial(slot: u64) -> Result<String> {
    let random: [u8; 5] = random::array()?;
    Ok(format!("{}{slot:06x}", hex(&random)))
}

impl Provider {
    fn tokens_directory(&self) -> PathBuf {
        self.configuration.directory.join("tokens")
    }

    /// The directories of the tokens in the slots.
    pub(super) fn token_directories(&self) -> Vec<PathBuf> {
        if self.is_in_memory() {
            return Vec::new();
        }
        let tokens = self.tokens_directory();
        let slots = self.slots();
        slots.iter().filter_map(|slot| slot.token()).map(|t| tokens.join(t.serial())).collect()
    }

    fn new_token(&self, serial: String, settings: &Settings) -> Arc<Token> {
        let home = match self.is_in_memory() {
            true => Home::Memory(self.lines.clone()),
            false => Home::Directory(self.tokens_directory().join(&serial)),
        };
        Arc::new(Token::new(serial, home, settings.clone(), Arc::clone(&self.next_object)))
    }

    /// True if tokens are kept in this process alone: no directory is looked into then.
    pub(super) fn is_in_memory(&self) -> bool {
        self.configuration.store_kind == StoreKind::Memory
    }

    /// The serial numbers of the tokens in the data directory, or in memory, by slot.
    fn serials(&self) -> Result<Vec<(u64, String)>> {
        if self.is_in_memory() {
            let slots = self.slots();
            let tokens = slots.iter().filter_map(|slot| Some((slot.id, slot.token()?)));
            return Ok(tokens.map(|(id, token)| (id, token.serial().to_owned())).collect());
        }
        let directory = self.tokens_directory();
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                let why = format!("{} cannot be read: {error}", directory.display());
                return Err(Rv::DeviceError.because(why));
            }
        };
        let mut found: Vec<(u64, String)> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| slot_of(&name).map(|slot| (slot, name)))
            .collect();
        found.sort();
        Ok(found)
    }

    /// Looks which tokens there are now. Slots that are known keep their place; a slot goes
    /// only when its token's files are gone and no session is open on it.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR` if the data directory cannot be read, `CKR_GENERAL_ERROR` for verifier
    /// keys in the configuration that are none.
    pub fn look_for_tokens(&self) -> Result<()> {
        let settings = Settings::of(&self.configuration)?;
        let serials = self.serials()?;
        let in_use: Vec<u64> = self.sessions.all(|_| true).iter().map(|open| open.slot).collect();
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|slot| {
            let there = serials.iter().any(|(id, _)| *id == slot.id);
            there || in_use.contains(&slot.id)
        });
        for (id, serial) in serials {
            match slots.iter().find(|slot| slot.id == id) {
                Some(slot) if slot.token().is_some_and(|token| token.serial() == serial) => {}
                Some(slot) if in_use.contains(&slot.id) => {}
                Some(slot) => slot.put(self.new_token(serial, &settings)),
                None => {
                    let token = self.new_token(serial, &settings);
                    slots.push(Arc::new(Slot::new(id, Some(token))));
                }
            }
        }
        slots.sort_by_key(|slot| slot.id);
        if slots.is_empty() || self.configuration.spare_slot {
            let next = slots.last().map_or(0, |slot| slot.id + 1);
            slots.push(Arc::new(Slot::new(next, None)));
        }
        Ok(())
    }

    /// The numbers of the slots, in ascending order.
    #[must_use]
    pub fn slot_ids(&self) -> Vec<u64> {
        self.slots().iter().map(|slot| slot.id).collect()
    }

    pub(super) fn slot(&self, id: u64) -> Result<Arc<Slot>> {
        let slots = self.slots();
        let slot = slots.iter().find(|slot| slot.id == id);
        slot.cloned().ok_or_else(|| Rv::SlotIdInvalid.because(format!("no slot {id}")))
    }

    /// The token in a slot.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`; `CKR_TOKEN_NOT_RECOGNIZED` if it is not initialised.
    pub(super) fn token_in(&self, id: u64) -> Result<Arc<Token>> {
        self.slot(id)?.token().ok_or_else(not_initialised)
    }

    /// Is there such a slot?
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`.
    pub fn check_slot(&self, id: u64) -> Result<()> {
        self.slot(id).map(|_| ())
    }

    /// What C_GetSlotInfo says of a slot, at most 64 bytes.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`.
    pub fn slot_description(&self, id: u64) -> Result<String> {
        let slot = self.slot(id)?;
        Ok(match slot.token() {
            Some(token) => format!("Claviger slot {id}, token {}", token.serial()),
            None => format!("Claviger slot {id}, not initialised"),
        })
    }

    /// What C_GetTokenInfo says of a slot's token.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`, or the store's if the token cannot be opened.
    pub fn token_view(&self, id: u64) -> Result<TokenView> {
        let slot = self.slot(id)?;
        let (sessions, read_write_sessions) = self.session_counts(id);
        let Some(token) = slot.token() else {
            return Ok(TokenView {
                label: [b' '; 32],
                serial: String::new(),
                initialized: false,
                user_pin_set: false,
                write_protected: false,
                distrusted: false,
                so_tries: Tries::All,
                user_tries: Tries::All,
                sessions,
                read_write_sessions,
            });
        };
        let record = token.record_of_token()?;
        Ok(TokenView {
            label: record.label,
            serial: token.serial().to_owned(),
            initialized: true,
            user_pin_set: record.user.is_some(),
            write_protected: token.is_read_only()?,
            distrusted: token.is_distrusted() || token.breaks_pin(),
            so_tries: token.tries_of(record.so_tries),
            user_tries: token.tries_of(record.user_tries),
            sessions,
            read_write_sessions,
        })
    }

    /// C_InitToken: a new token in an empty slot, or all of a token's content wiped.
    ///
    /// # Errors
    /// `CKR_SESSION_EXISTS`, `CKR_PIN_LEN_RANGE`, `CKR_PIN_INCORRECT`, `CKR_PIN_LOCKED`, or the
    /// store's.
    pub fn init_token(&self, id: u64, so_pin: &Secret, label: &[u8; 32]) -> Result<()> {
        let slot = self.slot(id)?;
        let _one_at_a_time = self.initialising.lock().unwrap_or_else(PoisonError::into_inner);
        if self.session_counts(id).0 != 0 {
            return Err(Rv::SessionExists.because("a session with this token is open"));
        }
        if slot.token().is_none() {
            check_pin_length(so_pin)?;
            if let Some(made) = self.make_token(id, so_pin, label)? {
                slot.put(made);
                return Ok(());
            }
            // Another process was faster: its token is the one in this slot.
            self.look_for_tokens()?;
        }
        let token = self.slot(id)?.token();
        let token = token.ok_or_else(|| Rv::DeviceError.because("the token went away"))?;
        token.initialize_again(so_pin, label)
    }

    /// Makes a token in a slot of its own, whatever slots there are. Its slot's number.
    ///
    /// # Errors
    /// As `init_token`.
    pub fn init_another_token(&self, so_pin: &Secret, label: &[u8; 32]) -> Result<u64> {
        let _one_at_a_time = self.initialising.lock().unwrap_or_else(PoisonError::into_inner);
        check_pin_length(so_pin)?;
        loop {
            let id = self.serials()?.last().map_or(0, |(id, _)| id + 1);
            if let Some(made) = self.make_token(id, so_pin, label)? {
                let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
                slots.retain(|slot| slot.id != id);
                slots.push(Arc::new(Slot::new(id, Some(made))));
                drop(slots);
                self.look_for_tokens()?;
                return Ok(id);
            }
        }
    }

    /// Makes a token for a slot, under the data directory's lock; `None` if another process
    /// made one for that slot meanwhile.
    fn make_token(&self, id: u64, so_pin: &Secret, label: &[u8; 32]) -> Result<Option<Arc<Token>>> {
        if id >= SLOT_LIMIT {
            return Err(Rv::DeviceMemory.because("more tokens than slot numbers"));
        }
        if self.is_in_memory() {
            // No other process has this slot, and of this one nobody else makes tokens now.
            let token = self.new_token(new_serial(id)?, &Settings::of(&self.configuration)?);
            token.make(so_pin, label)?;
            return Ok(Some(token));
        }
        let access = self.configuration.access();
        let failed = |error: std::io::Error| {
            let directory = self.configuration.directory.display();
            Rv::DeviceError.because(format!("{directory} cannot be written to: {error}"))
        };
        files::make_directory(&self.tokens_directory(), access).map_err(failed)?;
        let lock_file = self.configuration.directory.join("claviger.lock");
        let lock_file = files::open_or_create(&lock_file, access).map_err(failed)?;
        let _lock = RecordLock::wait(&lock_file, 0, LockKind::Exclusive).map_err(failed)?;
        if self.serials()?.iter().any(|(taken, _)| *taken == id) {
            return Ok(None);
        }
        self.sweep_unfinished();
        let token = self.new_token(new_serial(id)?, &Settings::of(&self.configuration)?);
        token.make(so_pin, label)?;
        Ok(Some(token))
    }

    /// Removes what killed processes left of tokens half made or half deleted. The caller holds
    /// the data directory's lock, under which tokens are made.
    fn sweep_unfinished(&self) {
        let Ok(entries) = std::fs::read_dir(self.tokens_directory()) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_unfinished = [".new-", ".gone-"]
                .iter()
                .any(|prefix| name.as_encoded_bytes().starts_with(prefix.as_bytes()));
            if is_unfinished {
                // What cannot be removed disturbs nobody: it has no name of a token.
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Sessions of this process on a slot: all, and the read/write ones.
    pub(super) fn session_counts(&self, id: u64) -> (u64, u64) {
        self.sessions.all(|open| open.slot == id).iter().fold((0, 0), |counts, open| {
            let write = u64::from(open.session.access == Access::ReadWrite);
            (counts.0 + 1, counts.1 + write)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{new_serial, slot_of};

    #[test]
    fn a_serial_number_tells_its_slot() {
        let serial = new_serial(0x12_3456).unwrap();
        assert_eq!(serial.len(), 16);
        assert_eq!(slot_of(&serial), Some(0x12_3456));
        assert_eq!(slot_of(".new-0123456789a"), None);
        assert_eq!(slot_of("0123456789ABCDEF"), None);
        assert_eq!(slot_of("short"), None);
    }
}
