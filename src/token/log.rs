//! The log of a token while somebody is logged in: the lane of this process is opened, sealed
//! and closed, and the lanes of processes that are gone are brought in.
//!
//! Each step is a commit of its own. What a crash leaves in between is found by the next login.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use crate::audit::leaf::{LaneOpened, Leaf, printable};
use crate::audit::record::LaneId;
use crate::config::OnFailure;
use crate::error::{Error, Result};
use crate::store::lanes::{Lane, Lanes};
use crate::store::vault::Vault;
use crate::system::process::Process;

use super::journal::now;
use super::login::Login;
use super::{Home, Token};

/// What opening the log at a login came to.
#[derive(Clone, Default)]
pub(super) struct OpenedLog {
    /// Where this process's uses go; none where nothing can be written, or the log cannot be
    /// trusted.
    pub(super) lane: Option<Arc<Lane>>,
    /// Why the token cannot be trusted, if it cannot.
    pub(super) distrusted: Option<String>,
}

impl Token {
    /// Those of a token in a directory; one in memory has none.
    pub(super) fn lanes(&self) -> Option<Lanes> {
        let Home::Directory(directory) = &self.home else { return None };
        Some(Lanes::new(directory, self.settings.access, self.settings.lane_rules()))
    }

    /// Checks the head and opens this process's lane, at a login. A head that does not hold is
    /// no reason to refuse the login: verifying and public reads go on.
    ///
    /// # Errors
    /// The store's, unless `audit.on_failure` says otherwise.
    pub(super) fn open_log(&self, vault: &Arc<Vault>) -> Result<OpenedLog> {
        let Some(lanes) = self.lanes() else { return Ok(OpenedLog::default()) };
        let distrusted = match self.check_log(vault)? {
            None => self.check_anchor(vault)?,
            found => found,
        };
        if distrusted.is_some() || self.store()?.is_read_only() {
            return Ok(OpenedLog { lane: None, distrusted });
        }
        let opened = self.open_lane(&lanes, vault).and_then(|lane| {
            self.recover(&lanes, vault)?;
            Ok(lane)
        });
        match opened {
            Ok(lane) => Ok(OpenedLog { lane: Some(lane), distrusted: None }),
            Err(_) if self.settings.audit.on_failure == OnFailure::Warn => Ok(OpenedLog::default()),
            Err(error) => Err(error),
        }
    }

    /// Opens a lane, and puts what was recorded before any login into the log.
    fn open_lane(&self, lanes: &Lanes, vault: &Vault) -> Result<Arc<Lane>> {
        let mut transaction = self.begin_signed(vault)?;
        let lane = lanes.open(vault.lane_root())?;
        lane.saw_head(transaction.head()?.size);
        transaction.append_leaf(&self.lane_opened(lane.id()))?;
        transaction.put_lane(lane.id(), 0)?;
        let early = lanes.seal_early(transaction.as_mut())?;
        transaction.commit()?;
        // Should this fail, the same is sealed once more.
        let _ = early.committed();
        Ok(Arc::new(lane))
    }

    /// The leaf that says whose calls a lane will hold.
    fn lane_opened(&self, lane: LaneId) -> Vec<u8> {
        let process = Process::this();
        Leaf::LaneOpened(LaneOpened {
            lane,
            time: now(),
            boot: printable(&process.boot),
            host: printable(&process.host),
            pid: process.pid,
            uid: process.uid,
            exe: printable(&process.program),
            token: Cow::Borrowed(&self.serial),
            custody: Cow::Borrowed("software"),
            trace: self.settings.trace.as_deref().map(Cow::Borrowed),
        })
        .to_bytes()
    }

    /// Brings in the lanes of processes that are gone. Lanes that somebody has changed are told
    /// in the log and put aside.
    fn recover(&self, lanes: &Lanes, vault: &Vault) -> Result<()> {
        let mut recovery = lanes.recovery(vault.lane_root());
        loop {
            let mut transaction = self.begin_signed(vault)?;
            let step = recovery.step(transaction.as_mut())?;
            if step.is_empty() {
                return Ok(());
            }
            transaction.commit()?;
            if !step.committed() {
                return Ok(());
            }
        }
    }

    /// Puts what waits in the lane into the log. What cannot be sealed now stays in the lane, and
    /// is sealed later.
    pub(super) fn seal(&self, lane: &Arc<Lane>) {
        // Whoever finds somebody at it has nothing to do.
        let Ok(_one_at_a_time) = self.sealing.try_lock() else { return };
        let Some(vault) = self.vault() else { return };
        let sealed = self.seal_batch(lane, &vault);
        match sealed {
            Ok(()) => self.put_anchor(),
            Err(_) => lane.put_off(Instant::now()),
        }
        if sealed.is_err() && !lane.is_broken() || sealed.is_ok() && !lane.is_long() {
            return;
        }
        self.go_on_after(lane, &vault);
    }

    /// Records go on in another lane. Without one the old one goes on as long as it can.
    fn go_on_after(&self, lane: &Lane, vault: &Vault) {
        let next = self.lanes().map(|lanes| self.open_lane(&lanes, vault));
        if let Some(Ok(next)) = next {
            self.go_on_in(next);
            self.close_lane(lane, vault);
        }
    }

    /// Somebody has changed this lane, and no other has taken its place yet: one does now, if
    /// it can.
    pub(super) fn replace(&self, lane: &Lane) {
        let _one_at_a_time = self.sealing.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.login().as_ref().and_then(|login| login.lane.clone());
        if let Some(vault) = self.vault().filter(|_| current.is_some_and(|it| it.id() == lane.id()))
        {
            self.go_on_after(lane, &vault);
        }
    }

    fn seal_batch(&self, lane: &Lane, vault: &Vault) -> Result<()> {
        let mut transaction = self.begin_signed(vault)?;
        let batch = lane.seal(transaction.as_mut())?;
        if batch.is_empty() {
            return Ok(());
        }
        transaction.commit()?;
        batch.committed()?;
        Ok(())
    }

    fn go_on_in(&self, next: Arc<Lane>) {
        let mut login = self.login_mut();
        if let Some(login) = login.as_mut() {
            login.lane = Some(next);
        }
    }

    /// Puts all of the lane into the log at the end of a login. What cannot be written now is
    /// brought in by the next login of anybody.
    pub(super) fn close_log(&self, login: &Login) {
        if let Some(lane) = &login.lane {
            self.close_lane(lane, &login.vault);
            self.put_anchor_with(&login.vault);
        }
    }

    fn close_lane(&self, lane: &Lane, vault: &Vault) {
        let close = || -> Result<bool> {
            let mut transaction = self.begin_signed(vault)?;
            let batch = lane.close(transaction.as_mut())?;
            transaction.commit()?;
            batch.committed().map_err(Error::from)
        };
        while matches!(close(), Ok(true)) {}
    }

    /// True if lanes were found that somebody has changed or removed, and nobody has accepted
    /// that yet.
    pub(super) fn has_distrusted_lanes(&self) -> bool {
        self.lanes().is_some_and(|lanes| lanes.has_distrusted())
    }
}
