//! Whether the log and the state of a token can be trusted, and what follows if they cannot.

use std::sync::Arc;

use crate::config::OnTamper;
use crate::error::{Error, Result, Rv};
use crate::object::attribute;
use crate::object::class::Class;
use crate::secret::Secret;
use crate::store::head::HeadFault;
use crate::store::vault::Vault;
use crate::store::{Mode, Transaction};

use super::Token;
use super::objects::Held;

impl Token {
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
    pub(super) fn react(&self, fault: HeadFault) -> Result<()> {
        if let HeadFault::Store(error) = fault {
            return Err(error.into());
        }
        if self.settings.audit.on_tamper == OnTamper::Warn {
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

    /// From here on, for the reason that was found first.
    pub(super) fn distrust(&self, why: String) {
        self.quarantine.remark(&why);
        if let Some(login) = self.login_mut().as_mut() {
            login.distrusted.get_or_insert(why);
        }
    }

    /// A token that was changed outside is not changed any further.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR`, with what was found.
    pub(super) fn refuse_distrusted(&self) -> Result<()> {
        let found = self.login().as_ref().and_then(|login| login.distrusted.clone());
        found
            .filter(|_| self.settings.audit.on_tamper == OnTamper::Refuse)
            .map_or(Ok(()), |why| Err(distrusted(why)))
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
            || self.has_distrusted_lanes()
    }

    /// For the security officer: takes the token as it is, and begins a new generation of its
    /// log under a new key. Nobody may have a session with it.
    ///
    /// # Errors
    /// Those of a wrong PIN, or the store's.
    pub(crate) fn accept_state(&self, so_pin: &Secret) -> Result<()> {
        let vault = self.check_so_pin(so_pin)?;
        let (audit, key) = vault.new_audit_key()?;
        let mut transaction = self.store()?.begin(Mode::Write)?;
        transaction.rebuild_state()?;
        transaction.begin_generation(&audit, &key, "the security officer accepts the state")?;
        transaction.commit()?;
        Ok(self.lanes().map_or(Ok(()), |lanes| lanes.accept_distrusted())?)
    }
}

fn distrusted(why: String) -> Error {
    Rv::DeviceError.because(format!("{why}; `claviger token accept-state` takes it as it is"))
}
