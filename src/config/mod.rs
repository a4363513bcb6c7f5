//! The configuration file: which one counts, what may stand in it, and where each value came
//! from.
//!
//! A key that is unknown or out of range is refused with file, line and name; a key that does
//! nothing is not accepted. What the values mean is for the floors above.

mod anchoring;
mod audit;
mod bundles;
mod compatibility;
mod places;
mod policy;
mod settings;
#[cfg(test)]
mod tests;
mod views;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Rv};
use crate::system::environment::Environment;
use crate::system::files::Access;
pub use anchoring::{AnchorAt, Anchoring, OnAnchorFailure};
pub use audit::{AuditRules, Level, OnFailure, OnTamper, Sync};
pub use bundles::{BundleRules, VerifyMode};
pub use compatibility::Compatibility;
use places::{Places, Trust};
pub use policy::MechanismRules;
pub use settings::{ExportPolicy, PublicWrite, ReadOnlyLogin, StoreKind, Value};
pub(crate) use settings::{MOST_LANES, MOST_MEMORY_KIB, MOST_PASSES};
pub use views::{Points, ViewChoice, Views};

/// All that can be configured, with every value filled in.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The data directory; always absolute.
    pub directory: PathBuf,
    /// The group that shares the data directory, by name and number.
    pub group: Option<(String, u32)>,
    /// True if one more slot with an uninitialised token is always offered.
    pub spare_slot: bool,
    /// Argon2id's memory for new PINs.
    pub argon2_memory_kib: u32,
    /// Argon2id's passes for new PINs.
    pub argon2_passes: u32,
    /// Argon2id's lanes for new PINs.
    pub argon2_lanes: u32,
    /// Wrong PINs before the PIN is locked.
    pub pin_tries: u32,
    /// Whether a PIN may be tried where the try cannot be counted.
    pub readonly_login: ReadOnlyLogin,
    /// Whether token keys may be made readable.
    pub export: ExportPolicy,
    /// Who may change public token objects.
    pub public_write: PublicWrite,
    /// True if a key is for data or for keys, not for both.
    pub separate_uses: bool,
    /// True if secret keys of a session can be read or wrapped only when that is asked for.
    pub close_session_keys: bool,
    /// True if keys make nothing new before their start date and after their end date.
    pub dates: bool,
    /// Whether mechanisms that are broken or outlived are offered.
    pub legacy: bool,
    /// Where programs expect what the standard does not say.
    pub compatibility: Compatibility,
    /// Which other mechanisms are offered, and how strong keys must be.
    pub rules: MechanismRules,
    /// Which keys programs see.
    pub views: Views,
    /// How bundles sign and are verified.
    pub bundles: BundleRules,
    /// What is recorded, and what happens when that fails.
    pub audit: AuditRules,
    /// What is kept outside of the token's directory.
    pub anchoring: Anchoring,
    /// Where tokens are kept.
    pub store_kind: StoreKind,
    /// True if the store may lie on a network or user-space file system.
    pub shared_fs: bool,
    /// The trace that this process is a part of (`TRACEPARENT`), for its records.
    pub(crate) trace: Option<String>,
    /// What this process sees (`CLAVIGER_VIEW`), whatever the file says.
    pub(crate) forced_view: Option<ViewChoice>,
    /// What holds for single tokens, each with all that holds for it.
    tokens: Vec<(String, Configuration)>,
    file: Option<PathBuf>,
    directory_origin: Origin,
    lines: BTreeMap<&'static str, usize>,
}

/// Where a value came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// This line of the configuration file.
    File(usize),
    /// This environment variable.
    Environment(&'static str),
    /// The system-wide directory is there and writable.
    System,
}

/// A value as `claviger config show` prints it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The key with its section, `pin.tries`.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where the value came from.
    pub origin: Origin,
    /// What the key is for.
    pub meaning: &'static str,
}

/// Why a configuration cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The file, if one was at fault.
    pub file: Option<PathBuf>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The key or environment variable.
    pub key: Option<String>,
    /// What is wrong, and what would be right.
    pub why: String,
}

/// A configuration file that could count, in the order of precedence.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its path.
    pub path: PathBuf,
    /// True if it is there.
    pub exists: bool,
    /// True if it is the one that counts.
    pub counts: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            directory: PathBuf::from(places::SYSTEM_DIRECTORY),
            group: None,
            spare_slot: false,
            argon2_memory_kib: 19_456,
            argon2_passes: 2,
            argon2_lanes: 1,
            pin_tries: 10,
            readonly_login: ReadOnlyLogin::Deny,
            export: ExportPolicy::Deny,
            public_write: PublicWrite::Login,
            separate_uses: false,
            close_session_keys: false,
            dates: true,
            legacy: false,
            compatibility: Compatibility::default(),
            rules: MechanismRules::default(),
            views: Views::default(),
            bundles: BundleRules::default(),
            audit: AuditRules::default(),
            anchoring: Anchoring::default(),
            store_kind: StoreKind::Disk,
            shared_fs: false,
            trace: None,
            forced_view: None,
            tokens: Vec::new(),
            file: None,
            directory_origin: Origin::Default,
            lines: BTreeMap::new(),
        }
    }
}

impl Configuration {
    /// The configuration that counts under `environment`.
    ///
    /// # Errors
    /// A file that is named but missing, that is not trustworthy, or that says something wrong.
    pub(crate) fn load(environment: &Environment) -> Result<Self, ConfigError> {
        let mut loaded = Self::load_from(&Places::of(environment))?;
        loaded.trace.clone_from(&environment.traceparent);
        if let Some(text) = &environment.claviger_view {
            let key = Some("$CLAVIGER_VIEW".to_owned());
            let wrong = |why: String| ConfigError { key, ..ConfigError::new(why) };
            let view = ViewChoice::parse(text).map_err(wrong)?;
            loaded.forced_view = Some(view.clone());
            for (_, own) in &mut loaded.tokens {
                own.forced_view = Some(view.clone());
            }
        }
        Ok(loaded)
    }

    /// The configuration that counts in this process.
    ///
    /// # Errors
    /// As [`Configuration::load`].
    pub fn of_this_process() -> Result<Self, ConfigError> {
        Self::load(&Environment::read())
    }

    /// The files that could count in this process, the first that exists being the one.
    #[must_use]
    pub fn candidates() -> Vec<Candidate> {
        let mut candidates = Places::of(&Environment::read()).candidates();
        if let Some(first) = candidates.iter_mut().find(|candidate| candidate.exists) {
            first.counts = true;
        }
        candidates
    }

    fn load_from(places: &Places) -> Result<Self, ConfigError> {
        let mut configuration = match places.file()? {
            None => Self::default(),
            Some(file) => {
                let text = places::read_file(&file, places.trust)?;
                Self::parse(&file, &text).map_err(first)?
            }
        };
        let line = configuration.lines.get("directory");
        let configured = line.map(|line| (configuration.directory.clone(), Origin::File(*line)));
        (configuration.directory, configuration.directory_origin) = places.directory(configured)?;
        anchoring::check_place(&configuration)?;
        Ok(configuration)
    }

    fn parse(file: &Path, text: &str) -> Result<Self, Vec<ConfigError>> {
        let mut configuration = Self { file: Some(file.to_owned()), ..Self::default() };
        let problems = settings::read(&mut configuration, text);
        if let Some(line) = configuration.lines.get("directory") {
            configuration.directory_origin = Origin::File(*line);
        }
        if problems.is_empty() {
            return Ok(configuration);
        }
        let in_file = |problem: ConfigError| ConfigError { file: Some(file.to_owned()), ..problem };
        Err(problems.into_iter().map(in_file).collect())
    }

    /// Who may use the files of the data directory.
    #[must_use]
    pub(crate) fn access(&self) -> Access {
        match self.group {
            None => Access::Owner,
            Some((_, id)) => Access::Group(id),
        }
    }

    /// The file that was read, if there was one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Every value and where it came from, in the order of the documentation; then what is said
    /// of single tokens.
    #[must_use]
    pub fn sources(&self) -> Vec<Source> {
        let origin = |key| match (key, self.lines.get(key)) {
            ("directory", _) => self.directory_origin,
            (_, Some(line)) => Origin::File(*line),
            (_, None) => Origin::Default,
        };
        let all = settings::all().map(|setting| setting.source(self, origin(setting.key)));
        let own = self.tokens.iter().flat_map(|(name, own)| own.own_sources(name));
        all.chain(own).collect()
    }

    /// What the file says of this one token.
    fn own_sources(&self, name: &str) -> impl Iterator<Item = Source> {
        settings::all().filter_map(move |setting| {
            let line = self.lines.get(setting.key)?;
            let source = setting.source(self, Origin::File(*line));
            let key = format!("token.{}.{}", settings::quoted(name), setting.key);
            Some(Source { key, ..source })
        })
    }

    /// The tokens of which the file says something, by label or serial number, and what holds
    /// for each.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.tokens.iter().map(|(name, own)| (name.as_str(), own))
    }

    /// What is wrong with the value of a key that was found good before.
    pub(crate) fn refusal(&self, key: &'static str, why: String) -> ConfigError {
        let file = self.file.clone();
        let line = self.lines.get(key).copied();
        ConfigError { file, line, key: Some(key.to_owned()), why }
    }

    /// Reads one file, whether or not it is the one that counts.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn of_file(file: &Path) -> Result<Self, Vec<ConfigError>> {
        let text = places::read_file(file, Trust::of(&Environment::read()));
        Self::parse(file, &text.map_err(|error| vec![error])?)
    }
}

fn first(problems: Vec<ConfigError>) -> ConfigError {
    let unknown = || ConfigError::new("the file cannot be read as TOML");
    problems.into_iter().next().unwrap_or_else(unknown)
}

impl ConfigError {
    fn new(why: impl Into<String>) -> Self {
        Self { file: None, line: None, key: None, why: why.into() }
    }

    fn about_file(file: &Path, why: impl Into<String>) -> Self {
        Self { file: Some(file.to_owned()), ..Self::new(why) }
    }

    fn about_key(key: &str, line: usize, why: impl Into<String>) -> Self {
        Self { key: Some(key.to_owned()), line: Some(line), ..Self::new(why) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{}:{line}: ", file.display())?,
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            (None, _) => {}
        }
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.why)
    }
}

impl std::error::Error for ConfigError {}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Rv::GeneralError.because(format!("configuration: {error}"))
    }
}
