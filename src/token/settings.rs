//! What the configuration says about a token.

use std::sync::Arc;
use std::time::Duration;

use crate::anchor::{Anchors, keys_of};
use crate::audit::note::VerifierKey;
use crate::config::{
    AnchorAt, AuditRules, Configuration, ExportPolicy, OnAnchorFailure, PublicWrite, ReadOnlyLogin,
    Sync,
};
use crate::engine::kdf::Argon2Cost;
use crate::error::Result;
use crate::store::lanes::{Durability, Rules};
use crate::store::sqlite::Opening;
use crate::store::vault::PinRules;
use crate::system::files::Access;

/// The configuration, as far as it is a token's.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(super) access: Access,
    shared_fs: bool,
    pub(super) cost: Argon2Cost,
    pub(super) tries: u32,
    pub(super) readonly_login: bool,
    pub(super) export_denied: bool,
    pub(super) separate_uses: bool,
    pub(super) close_session_keys: bool,
    pub(super) dates_count: bool,
    pub(super) public_write_needs_login: bool,
    pub(super) audit: AuditRules,
    /// The trace that this process is a part of.
    pub(super) trace: Option<String>,
    /// The keys that logs must be signed with, each under its log's name.
    pub(super) pinned: Vec<VerifierKey>,
    pub(super) anchors: Arc<Anchors>,
    pub(super) anchors_at_commit: bool,
    pub(super) anchors_must_answer: bool,
}

impl Settings {
    /// Takes them from the configuration.
    ///
    /// # Errors
    /// `CKR_GENERAL_ERROR` for verifier keys that are none.
    pub(crate) fn of(configuration: &Configuration) -> Result<Self> {
        let anchoring = &configuration.anchoring;
        Ok(Self {
            access: configuration.access(),
            shared_fs: configuration.shared_fs,
            cost: Argon2Cost {
                memory_kib: configuration.argon2_memory_kib,
                passes: configuration.argon2_passes,
                lanes: configuration.argon2_lanes,
            },
            tries: configuration.pin_tries,
            readonly_login: configuration.readonly_login == ReadOnlyLogin::Allow,
            export_denied: configuration.export == ExportPolicy::Deny,
            separate_uses: configuration.separate_uses,
            close_session_keys: configuration.close_session_keys,
            dates_count: configuration.dates,
            audit: configuration.audit.clone(),
            trace: configuration.trace.clone(),
            public_write_needs_login: configuration.public_write == PublicWrite::Login,
            pinned: keys_of("audit.key", &anchoring.keys)?,
            anchors: Arc::new(Anchors::of(configuration)?),
            anchors_at_commit: anchoring.at == AnchorAt::Commit,
            anchors_must_answer: anchoring.on_failure == OnAnchorFailure::Refuse,
        })
    }

    /// How the token's files are used.
    pub(super) const fn opening(&self) -> Opening {
        Opening { access: self.access, shared_fs: self.shared_fs }
    }

    /// How uses are recorded.
    pub(super) fn lane_rules(&self) -> Rules {
        let millis = |ms: u32| Duration::from_millis(u64::from(ms));
        let durability = match self.audit.sync {
            Sync::Never => Durability::Later,
            Sync::Every => Durability::Every,
            Sync::Interval => Durability::After(millis(self.audit.sync_ms)),
        };
        Rules { durability, seal_after: millis(self.audit.seal_ms) }
    }

    /// How a new PIN is kept.
    pub(super) fn pin_rules(&self) -> PinRules<'static> {
        PinRules { cost: self.cost, pepper: None, tries: self.tries }
    }

    /// How a PIN is to be kept that was kept at this cost, if the configuration has raised it
    /// in anything. Nothing is lowered.
    pub(super) fn raised(&self, kept: &Argon2Cost) -> Option<PinRules<'static>> {
        let memory_kib = kept.memory_kib.max(self.cost.memory_kib);
        let passes = kept.passes.max(self.cost.passes);
        let is_raised = memory_kib > kept.memory_kib || passes > kept.passes;
        let cost = Argon2Cost { memory_kib, passes, lanes: kept.lanes };
        is_raised.then_some(PinRules { cost, ..self.pin_rules() })
    }
}
