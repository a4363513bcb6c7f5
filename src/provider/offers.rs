//! Which mechanisms a slot offers: those of the registry that the configuration lets be used.
//! PKCS#11 3.2, "C_GetMechanismList", "C_GetMechanismInfo".

use crate::error::{Result, Rv};
use crate::mechanism::registry::REGISTRY;
use crate::mechanism::{self, Mechanism};

use super::Provider;

impl Provider {
    /// The mechanisms of a slot.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`.
    pub fn mechanisms(&self, id: u64) -> Result<Vec<u64>> {
        self.check_slot(id)?;
        Ok(REGISTRY.iter().filter(|row| self.offers(row)).map(|row| row.id).collect())
    }

    /// One mechanism of a slot.
    ///
    /// # Errors
    /// `CKR_SLOT_ID_INVALID`, `CKR_MECHANISM_INVALID`.
    pub(crate) fn mechanism(&self, id: u64, number: u64) -> Result<&'static Mechanism> {
        self.check_slot(id)?;
        mechanism::find(number)
            .filter(|row| self.offers(row))
            .ok_or_else(|| Rv::MechanismInvalid.because(format!("mechanism 0x{number:x}")))
    }

    /// Whether the configuration lets a mechanism be used.
    const fn offers(&self, row: &Mechanism) -> bool {
        !row.legacy || self.configuration.legacy
    }
}
