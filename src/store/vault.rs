//! From a PIN to an object's secret part: a PIN key (Argon2id) opens the token master key, whose
//! "kek-seal" (HKDF) opens the random key of an epoch, which opens the data key of one version
//! of an object, which opens its secret part (AES-256-GCM throughout).
//!
//! A vault exists only for who is logged in. It neither counts tries nor commits anything.

mod associated;
mod error;
mod rotation;
mod saving;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};

use self::associated::{Content, associated};
pub(crate) use self::error::VaultError;
use self::error::not_opened;
pub(crate) use self::rotation::Rotated;
use super::head::AuditKey;
use super::{
    AuditRecord, NewToken, PinRecord, Role, StoredObject, TRIES, TokenRecord, Transaction,
};
use crate::config::{MOST_LANES, MOST_MEMORY_KIB, MOST_PASSES};
use crate::engine::hash::{Digest, Mac, constant_time_eq, keyed_blake3};
use crate::engine::kdf::{Argon2Cost, argon2id, hkdf_sha256};
use crate::engine::{EngineError, random, sealing};
use crate::secret::Secret;

const KEY_LEN: usize = 32;
const FIRST_EPOCH: u64 = 1;

/// The highest cost that is believed: a changed record must not exhaust the host's memory.
const HIGHEST_COST: Argon2Cost =
    Argon2Cost { memory_kib: MOST_MEMORY_KIB, passes: MOST_PASSES, lanes: MOST_LANES };

/// How a new PIN is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PinRules<'p> {
    pub(crate) cost: Argon2Cost,
    /// Something that the token's directory does not hold, mixed into the PIN key.
    pub(crate) pepper: Option<&'p Secret>,
    pub(crate) tries: u32,
}

impl Default for PinRules<'_> {
    /// OWASP's choice: 19 MiB, two passes; about 27 ms.
    fn default() -> Self {
        let cost = Argon2Cost { memory_kib: 19_456, passes: 2, lanes: 1 };
        Self { cost, pepper: None, tries: TRIES }
    }
}

/// The keys of one login.
pub(crate) struct Vault {
    serial: String,
    instance: [u8; 16],
    master: Secret,
    kek_seal: Secret,
    index: Secret,
    check_key: Secret,
    check: [u8; 32],
    /// The newest that is known: after a rotation no other is of use.
    epoch: RwLock<Option<(u64, Arc<Secret>)>>,
    audit_seal: Secret,
    lane_root: Secret,
    input_hash: Secret,
    state: Secret,
    /// None if what is kept of it cannot be opened, or is not one key.
    audit: Option<Arc<AuditKey>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({})", self.serial)
    }
}

impl Vault {
    /// Makes the keys and the record of a token that is initialised, without a user's PIN.
    pub(crate) fn create(
        serial: &str,
        label: [u8; 32],
        so_pin: &Secret,
        rules: &PinRules<'_>,
    ) -> Result<(NewToken, Self), VaultError> {
        let instance = random::array()?;
        let master = random::secret(KEY_LEN)?;
        let mut vault = Self::with_master(serial, instance, master, so_pin)?;
        let (audit, audit_key) = vault.new_audit_key()?;
        vault.audit = Some(Arc::clone(&audit_key));
        let (epoch_key, sealed) = vault.new_epoch_key(FIRST_EPOCH)?;
        vault.remember(FIRST_EPOCH, Arc::new(epoch_key));
        let record = TokenRecord {
            serial: serial.to_owned(),
            label,
            instance,
            so: vault.pin_record(Role::SecurityOfficer, so_pin, rules)?,
            user: None,
            so_tries: rules.tries,
            user_tries: rules.tries,
            epoch: FIRST_EPOCH,
            audit,
        };
        Ok((NewToken { record, epoch_key: sealed, audit_key }, vault))
    }

    /// Opens the token with a PIN. Slow on purpose; the try is counted by then.
    pub(crate) fn open(
        token: &TokenRecord,
        role: Role,
        pin: &Secret,
        pepper: Option<&Secret>,
    ) -> Result<Self, VaultError> {
        let record = match role {
            Role::SecurityOfficer => &token.so,
            Role::User => token.user.as_ref().ok_or(VaultError::WrongPin)?,
        };
        let key = pin_key(record, pin, pepper)?;
        let associated = associated(&token.serial, role.into(), None, 0);
        let master = match sealing::open(&key, &associated, &record.sealed_master) {
            Ok(master) if master.len() == KEY_LEN => master,
            Ok(_) | Err(EngineError::Decrypt) => return Err(VaultError::WrongPin),
            Err(error) => return Err(error.into()),
        };
        let mut vault = Self::with_master(&token.serial, token.instance, master, pin)?;
        vault.audit = vault.open_audit_key(&token.audit)?;
        Ok(vault)
    }

    fn with_master(
        serial: &str,
        instance: [u8; 16],
        master: Secret,
        pin: &Secret,
    ) -> Result<Self, VaultError> {
        let derive = |label: &str| hkdf_sha256(&master, b"claviger 1", label.as_bytes());
        let (kek_seal, index) = (derive("kek-seal")?, derive("index")?);
        let (audit_seal, lane_root) = (derive("audit-seal")?, derive("lane")?);
        let input_hash = derive("input-hash")?;
        let state = derive("operation-state")?;
        let check_key = random::secret(KEY_LEN)?;
        let check = pin_code(&check_key, pin)?;
        Ok(Self {
            serial: serial.to_owned(),
            instance,
            master,
            kek_seal,
            index,
            check_key,
            check,
            epoch: RwLock::new(None),
            audit_seal,
            lane_root,
            input_hash,
            state,
            audit: None,
        })
    }

    /// The record for a new PIN of a role, or for the same PIN at a new cost.
    pub(crate) fn pin_record(
        &self,
        role: Role,
        pin: &Secret,
        rules: &PinRules<'_>,
    ) -> Result<PinRecord, VaultError> {
        let mut record = PinRecord {
            salt: random::array()?,
            cost: rules.cost,
            sealed_master: Vec::new(),
            pepper: rules.pepper.is_some(),
        };
        let key = pin_key(&record, pin, rules.pepper)?;
        let associated = associated(&self.serial, role.into(), None, 0);
        record.sealed_master =
            self.master.expose(|master| sealing::seal(&key, &associated, master))?;
        Ok(record)
    }

    /// True if the PIN is the one that opened this vault; checked in memory, without a try.
    pub(crate) fn pin_check(&self, pin: &Secret) -> bool {
        pin_code(&self.check_key, pin).is_ok_and(|code| constant_time_eq(&code, &self.check))
    }

    /// Which initialisation of the token this vault belongs to.
    pub(crate) const fn instance(&self) -> &[u8; 16] {
        &self.instance
    }

    /// A new key to sign a generation of the log with, and what is kept of it.
    pub(crate) fn new_audit_key(&self) -> Result<(AuditRecord, Arc<AuditKey>), VaultError> {
        let key = AuditKey::generate()?;
        let associated = self.associated(Content::AuditKey, None, 0);
        let sealed =
            key.seed().expose(|seed| sealing::seal(&self.audit_seal, &associated, seed))?;
        Ok((AuditRecord { public: *key.public(), sealed }, Arc::new(key)))
    }

    /// `None` if it was changed: the token's log cannot be trusted then, but its PIN was right.
    fn open_audit_key(&self, kept: &AuditRecord) -> Result<Option<Arc<AuditKey>>, VaultError> {
        let associated = self.associated(Content::AuditKey, None, 0);
        match sealing::open(&self.audit_seal, &associated, &kept.sealed) {
            Ok(seed) if seed.len() == KEY_LEN => Ok(Some(AuditKey::from_seed(seed)?)
                .filter(|key| *key.public() == kept.public)
                .map(Arc::new)),
            Ok(_) | Err(EngineError::Decrypt) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The key that signs the log. `Tampered` if it is not the one that was sealed.
    pub(crate) fn audit_signer(&self) -> Result<&Arc<AuditKey>, VaultError> {
        self.audit.as_ref().ok_or(VaultError::Tampered("the audit key was replaced"))
    }

    /// From which the first keys of lanes are made.
    pub(crate) const fn lane_root(&self) -> &Secret {
        &self.lane_root
    }

    /// Begins the hash of an input that a record holds: HMAC-SHA-256, so that nobody without the
    /// token's keys can try inputs.
    pub(crate) fn input_mac(&self) -> Result<Mac, VaultError> {
        Ok(self.input_hash.expose(|key| Mac::new(Digest::Sha256, key))?)
    }

    /// What stands for an attribute's value in the search rows of private objects.
    pub(crate) fn search_value(
        &self,
        attribute: u64,
        value: &[u8],
    ) -> Result<[u8; 16], VaultError> {
        let digest = keyed_blake3(&self.index, &[&attribute.to_le_bytes(), value])?;
        let (first, _) = digest.split_first_chunk().ok_or(EngineError::Length)?;
        Ok(*first)
    }

    /// Seals the secret part of an object whose other fields are filled in, under a new data
    /// key. Needs the transaction that will write the object.
    pub(crate) fn seal_object(
        &self,
        transaction: &dyn Transaction,
        object: &mut StoredObject,
        secret: &Secret,
    ) -> Result<(), VaultError> {
        let token = transaction.token()?;
        if token.instance != self.instance {
            return Err(VaultError::Replaced);
        }
        let epoch_key = self.epoch_key(transaction, token.epoch)?;
        let data_key = random::secret(KEY_LEN)?;
        object.data_key = self.seal_data_key(&epoch_key, object, &data_key)?;
        let associated = self.associated(Content::SecretPart, Some(object), object.version);
        object.sealed = secret.expose(|part| sealing::seal(&data_key, &associated, part))?;
        object.epoch = token.epoch;
        Ok(())
    }

    /// Opens the secret part of an object; empty if a public object has none.
    pub(crate) fn open_object(
        &self,
        transaction: &dyn Transaction,
        object: &StoredObject,
    ) -> Result<Secret, VaultError> {
        if object.sealed.is_empty() && object.data_key.is_empty() && !object.private {
            return Ok(Secret::copy_of(&[]).map_err(EngineError::from)?);
        }
        match self.try_open(transaction, object) {
            Err(VaultError::Tampered(why)) => match transaction.token()?.instance {
                instance if instance == self.instance => Err(VaultError::Tampered(why)),
                _ => Err(VaultError::Replaced),
            },
            other => other,
        }
    }

    fn try_open(
        &self,
        transaction: &dyn Transaction,
        object: &StoredObject,
    ) -> Result<Secret, VaultError> {
        let data_key = self.open_data_key(transaction, object)?;
        let associated = self.associated(Content::SecretPart, Some(object), object.version);
        sealing::open(&data_key, &associated, &object.sealed)
            .map_err(|error| not_opened(error, "an object was changed outside the token"))
    }

    fn seal_data_key(
        &self,
        epoch_key: &Secret,
        object: &StoredObject,
        data_key: &Secret,
    ) -> Result<Vec<u8>, EngineError> {
        let associated = self.associated(Content::DataKey, Some(object), object.version);
        data_key.expose(|key| sealing::seal(epoch_key, &associated, key))
    }

    fn open_data_key(
        &self,
        transaction: &dyn Transaction,
        object: &StoredObject,
    ) -> Result<Secret, VaultError> {
        let epoch_key = self.epoch_key(transaction, object.epoch)?;
        let associated = self.associated(Content::DataKey, Some(object), object.version);
        sealing::open(&epoch_key, &associated, &object.data_key)
            .map_err(|error| not_opened(error, "the data key of an object was changed"))
    }

    /// A new key for an epoch, and what is kept of it.
    fn new_epoch_key(&self, epoch: u64) -> Result<(Secret, Vec<u8>), EngineError> {
        let key = random::secret(KEY_LEN)?;
        let associated = self.associated(Content::EpochKey, None, epoch);
        let sealed = key.expose(|key| sealing::seal(&self.kek_seal, &associated, key))?;
        Ok((key, sealed))
    }

    /// The key of an epoch; one that is not known yet is looked up before anything is called
    /// tampered: another process may have rotated.
    fn epoch_key(
        &self,
        transaction: &dyn Transaction,
        epoch: u64,
    ) -> Result<Arc<Secret>, VaultError> {
        let known = self.epoch.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, key)) = known.filter(|(number, _)| *number == epoch) {
            return Ok(key);
        }
        let sealed = transaction
            .epoch_key(epoch)?
            .ok_or(VaultError::Tampered("an object names an epoch that does not exist"))?;
        let associated = self.associated(Content::EpochKey, None, epoch);
        let key = sealing::open(&self.kek_seal, &associated, &sealed)
            .map_err(|error| not_opened(error, "the key of an epoch was changed"))?;
        let key = Arc::new(key);
        self.remember(epoch, Arc::clone(&key));
        Ok(key)
    }

    fn remember(&self, epoch: u64, key: Arc<Secret>) {
        let mut known = self.epoch.write().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|(number, _)| *number < epoch) {
            *known = Some((epoch, key));
        }
    }

    fn associated(&self, content: Content, object: Option<&StoredObject>, number: u64) -> Vec<u8> {
        associated(&self.serial, content, object, number)
    }
}

fn pin_key(
    record: &PinRecord,
    pin: &Secret,
    pepper: Option<&Secret>,
) -> Result<Secret, VaultError> {
    let Argon2Cost { memory_kib, passes, lanes } = record.cost;
    let most = HIGHEST_COST;
    if memory_kib > most.memory_kib || passes > most.passes || lanes > most.lanes {
        return Err(VaultError::Tampered("the cost of a PIN is beyond reason"));
    }
    let stretched = argon2id(pin, &record.salt, record.cost)?;
    match (record.pepper, pepper) {
        (false, _) => Ok(stretched),
        (true, None) => Err(VaultError::NoPepper),
        (true, Some(pepper)) => {
            Ok(pepper.expose(|pepper| hkdf_sha256(&stretched, pepper, b"pin-pepper"))?)
        }
    }
}

fn pin_code(key: &Secret, pin: &Secret) -> Result<[u8; 32], EngineError> {
    let mut mac = key.expose(|key| Mac::new(Digest::Sha256, key))?;
    pin.expose(|pin| mac.update(pin));
    let mut code = [0; 32];
    mac.finish(&mut code)?;
    Ok(code)
}
