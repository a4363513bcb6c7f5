//! What the command line tool and the documents ask for, in plain words: objects, new keys, the
//! end of a token, the mechanisms. No templates and no numbers of the standard leave this folder.
//!
//! Each step passes the hall as the C function does that it stands for, under the same rules.
//! PKCS#11 3.2, "Object management functions" and "Key management functions".

pub mod audit;
mod import;
mod kinds;
mod mechanisms;
mod new_key;
mod rotation;
mod signature;
mod versions;
mod view;

use std::sync::PoisonError;

use crate::call::Function;
use crate::error::{Result, Rv};
use crate::secret::Secret;
use crate::session::state::Access;
use crate::store::sqlite::{Opening, SqliteStore};

use super::Provider;
use super::sessions::UserType;
use super::slots::not_initialised;
pub use crate::token::anchoring::Publication;
pub use import::NewCertificate;
pub(crate) use mechanisms::structure_of;
pub use mechanisms::{KeySizes, MechanismRow, mechanism_table};
pub use new_key::{Naming, NewKey};
pub use rotation::Rotation;
pub use signature::{SignatureChoice, Signer, Verifier};
pub use versions::RotatedKey;
pub use view::{ObjectChoice, ObjectClass, ObjectView};
pub(super) use view::{is_key_name, key_name, key_types};

/// Handles asked for at a time.
const BATCH: usize = 512;

impl Provider {
    /// The objects that a session sees and that match.
    ///
    /// # Errors
    /// Those of C_FindObjects and C_GetAttributeValue.
    pub fn objects(&self, session: u64, choice: &ObjectChoice) -> Result<Vec<ObjectView>> {
        let handles = self.handles(session, choice)?;
        self.run(Function::GetAttributeValue, session, |call| {
            handles.into_iter().map(|handle| call.view(handle)).collect()
        })
    }

    pub(super) fn handles(&self, session: u64, choice: &ObjectChoice) -> Result<Vec<u64>> {
        let wanted = choice.template();
        self.run(Function::FindObjectsInit, session, |call| call.find_init(Some(&wanted)))?;
        let mut handles = Vec::new();
        loop {
            let found = self.run(Function::FindObjects, session, |call| call.find(BATCH))?;
            if found.is_empty() {
                break;
            }
            handles.extend(found);
        }
        self.run(Function::FindObjectsFinal, session, |call| call.find_final())?;
        Ok(handles)
    }

    /// Destroys the objects that match; how many there were.
    ///
    /// # Errors
    /// Those of C_FindObjects and C_DestroyObject. What came before the failure is destroyed.
    pub fn destroy_objects(&self, session: u64, choice: &ObjectChoice) -> Result<usize> {
        let handles = self.handles(session, choice)?;
        for handle in &handles {
            let handle = *handle;
            self.run(Function::DestroyObject, session, |call| call.destroy_object(handle))?;
        }
        Ok(handles.len())
    }

    /// Makes a key or a key pair on the token, to be used and not read; of a bundle both pairs,
    /// tied.
    ///
    /// # Errors
    /// Those of C_GenerateKey and C_GenerateKeyPair.
    pub fn make_key(
        &self,
        session: u64,
        key: NewKey,
        naming: &Naming<'_>,
    ) -> Result<Vec<ObjectView>> {
        let function = match key.is_secret() {
            true => Function::GenerateKey,
            false => Function::GenerateKeyPair,
        };
        let handles = self.run(function, session, |call| {
            let made = call.make_keys(key.described(naming)?)?;
            match key.is_bundle() {
                true => call.token().add_bundle(&call.viewer()?, made),
                false => call.token().add_all(&call.viewer()?, made),
            }
        })?;
        self.run(Function::GetAttributeValue, session, |call| {
            handles.iter().map(|handle| call.view(*handle)).collect()
        })
    }

    /// The serial number of the token in a slot, also of one that cannot be opened.
    #[must_use]
    pub fn serial(&self, slot: u64) -> Option<String> {
        let token = self.slot(slot).ok()?.token()?;
        Some(token.serial().to_owned())
    }

    /// Publishes the log of the token in a slot, where a session is logged in.
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN`, those of a token that cannot be trusted, the store's.
    pub fn publish(&self, slot: u64) -> Result<Publication> {
        self.token_in(slot)?.publish()
    }

    /// What records of signing and verifying say of an input (`audit.hash`): 64 hexadecimal
    /// digits. For the token in a slot where a session is logged in.
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN`; `CKR_FUNCTION_FAILED` if the input cannot be read.
    pub fn input_hash(&self, slot: u64, input: &mut dyn std::io::Read) -> Result<String> {
        self.token_in(slot)?.hash_of(input)
    }

    /// Deletes a token and everything on it. The security officer's PIN is checked first, with
    /// its tries counted.
    ///
    /// # Errors
    /// Those of C_OpenSession and C_Login; `CKR_SESSION_EXISTS` if this process has a session
    /// open on it; the store's.
    pub fn delete_token(&self, slot: u64, so_pin: &Secret) -> Result<()> {
        let held = self.slot(slot)?;
        let _one_at_a_time = self.initialising.lock().unwrap_or_else(PoisonError::into_inner);
        if self.session_counts(slot).0 != 0 {
            return Err(Rv::SessionExists.because("a session with this token is open"));
        }
        let serial = held.token().map(|token| token.serial().to_owned());
        let serial = serial.ok_or_else(not_initialised)?;
        let session = self.open_session(slot, Access::ReadWrite)?;
        let checked = self
            .run(Function::Login, session, |call| call.login(UserType::SecurityOfficer, so_pin));
        self.run(Function::CloseSession, session, |call| call.close_session())?;
        checked?;
        held.forget();
        if self.is_in_memory() {
            return self.look_for_tokens();
        }
        let directory = self.configuration.directory.join("tokens").join(serial);
        let opening = Opening {
            access: self.configuration.access(),
            shared_fs: self.configuration.shared_fs,
        };
        SqliteStore::open(&directory, opening)?.destroy()?;
        self.look_for_tokens()
    }
}
