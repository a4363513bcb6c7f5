//! From the configuration to a provider, and its end.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, RwLock};

use crate::config::Configuration;
use crate::error::{Result, Rv};
use crate::store::memory::lines::LineFile;
use crate::store::sqlite;
use crate::system::environment::Environment;

use super::Provider;
use super::diagnostics::Diagnostics;
use super::offers::AllOffers;
use super::table::SessionTable;
use super::views::Watch;

impl Provider {
    /// Reads the environment and the configuration, and looks which tokens there are. No token
    /// is opened yet.
    ///
    /// # Errors
    /// `CKR_GENERAL_ERROR` for a configuration that cannot be used; `CKR_DEVICE_ERROR` if the
    /// data directory cannot be read. Both go to the diagnostic log.
    pub fn initialize() -> Result<Self> {
        let environment = Environment::of_library();
        let diagnostics = Diagnostics::to(environment.claviger_log.as_deref());
        let note = |error: &crate::error::Error| {
            diagnostics.failed(crate::call::Function::Initialize, error);
        };
        let configuration =
            Configuration::load(&environment).map_err(Into::into).inspect_err(note)?;
        let assembled = Self::assemble(configuration, Diagnostics::to(None));
        let provider = assembled.inspect_err(note)?;
        provider.look_for_tokens().inspect_err(note)?;
        provider.refuse_another_copy().inspect_err(note)?;
        Ok(Self { diagnostics, watch: Watch::begin(), ..provider })
    }

    /// Two copies of the library in one process would drop each other's record locks.
    fn refuse_another_copy(&self) -> Result<()> {
        if sqlite::another_copy_uses(&self.token_directories()) {
            let why = "another copy of this library in this process uses the same tokens";
            return Err(Rv::CantLock.because(why));
        }
        Ok(())
    }

    /// A provider over a configuration that the caller has.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR` if the data directory cannot be read.
    pub fn with(configuration: Configuration) -> Result<Self> {
        let provider = Self::assemble(configuration, Diagnostics::to(None))?;
        provider.look_for_tokens()?;
        Ok(provider)
    }

    fn assemble(configuration: Configuration, diagnostics: Diagnostics) -> Result<Self> {
        let open = |path: &PathBuf| {
            let opened = LineFile::open(path).map(Arc::new);
            opened.map_err(|error| {
                Rv::GeneralError.because(format!("audit.file: {}: {error}", path.display()))
            })
        };
        let lines = configuration.audit.file.as_ref().map(open).transpose()?;
        let offers = AllOffers::of(&configuration)?;
        Ok(Self {
            configuration,
            diagnostics,
            offers,
            watch: Watch::default(),
            lines,
            initialising: Mutex::new(()),
            slots: RwLock::new(Vec::new()),
            sessions: SessionTable::default(),
            next_session: AtomicU64::new(1),
            next_object: Arc::new(AtomicU64::new(1)),
            state_key: OnceLock::new(),
        })
    }

    /// Ends every session and logs out of every token. Calls that other threads still have
    /// under way keep what they use until they return.
    pub(crate) fn finalize(&self) {
        self.sessions.take(|_| true);
        for slot in self.slots().iter() {
            slot.forget();
        }
    }
}
