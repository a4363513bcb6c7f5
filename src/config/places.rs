//! Which configuration file and which data directory count for this process.
//!
//! In a privileged process (AT_SECURE) only `/etc/claviger` counts, and what root loads must
//! be root's own: who may write the file may otherwise redirect root's keys.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Candidate, ConfigError, Origin};
use crate::system::environment::{Environment, effective_user};
use crate::system::files;

const SYSTEM_FILE: &str = "/etc/claviger/claviger.toml";
/// The data directory of the whole machine, and of users without a home.
pub(super) const SYSTEM_DIRECTORY: &str = "/var/lib/claviger";

/// A configuration is a page of text; more is a mistake.
const MAX_FILE_LEN: u64 = 1 << 20;

/// Whose configuration this process believes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trust {
    AnyOwner,
    RootOnly,
}

/// The places that one environment leads to.
pub(super) struct Places {
    pub(super) named_file: Option<PathBuf>,
    pub(super) user_file: Option<PathBuf>,
    pub(super) system_file: PathBuf,
    pub(super) named_directory: Option<PathBuf>,
    pub(super) system_directory: PathBuf,
    pub(super) user_directory: Option<(PathBuf, Origin)>,
    pub(super) trust: Trust,
}

impl Places {
    pub(super) fn of(environment: &Environment) -> Self {
        // The XDG base directory specification: a path that is not absolute is ignored.
        let absolute = |path: &Option<PathBuf>| path.clone().filter(|path| path.is_absolute());
        let home = absolute(&environment.home);
        let below_home = |name: &str| home.as_ref().map(|home| home.join(name));
        let config_home = absolute(&environment.config_home).or_else(|| below_home(".config"));
        let user_directory = match absolute(&environment.data_home) {
            Some(base) => Some((base, Origin::Environment("XDG_DATA_HOME"))),
            None => below_home(".local/share").map(|base| (base, Origin::Default)),
        };
        Self {
            named_file: environment.claviger_conf.clone(),
            user_file: config_home.map(|base| base.join("claviger/claviger.toml")),
            system_file: PathBuf::from(SYSTEM_FILE),
            named_directory: environment.claviger_dir.clone(),
            system_directory: PathBuf::from(SYSTEM_DIRECTORY),
            user_directory: user_directory.map(|(base, origin)| (base.join("claviger"), origin)),
            trust: Trust::of(environment),
        }
    }

    /// The file that counts; none means the defaults.
    pub(super) fn file(&self) -> Result<Option<PathBuf>, ConfigError> {
        if let Some(named) = &self.named_file {
            refuse_relative("CLAVIGER_CONF", named)?;
            return Ok(Some(named.clone()));
        }
        Ok(self
            .candidates()
            .into_iter()
            .find(|candidate| candidate.exists)
            .map(|candidate| candidate.path))
    }

    /// Every file that could count. A named one leaves no choice, there or not.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let paths = match &self.named_file {
            Some(named) => vec![named],
            None => self.user_file.iter().chain([&self.system_file]).collect(),
        };
        let candidate = |path: &PathBuf| Candidate {
            path: path.clone(),
            exists: is_there(path),
            counts: false,
        };
        paths.into_iter().map(candidate).collect()
    }

    /// The data directory, given the one that the configuration file names.
    pub(super) fn directory(
        &self,
        configured: Option<(PathBuf, Origin)>,
    ) -> Result<(PathBuf, Origin), ConfigError> {
        if let Some(named) = &self.named_directory {
            refuse_relative("CLAVIGER_DIR", named)?;
            return Ok((named.clone(), Origin::Environment("CLAVIGER_DIR")));
        }
        if let Some(configured) = configured {
            return Ok(configured);
        }
        let system = &self.system_directory;
        if system.is_dir() && files::is_writable(system) {
            return Ok((system.clone(), Origin::System));
        }
        Ok(self.user_directory.clone().unwrap_or((system.clone(), Origin::Default)))
    }
}

impl Trust {
    pub(super) fn of(environment: &Environment) -> Self {
        match environment.secure || effective_user() == 0 {
            true => Self::RootOnly,
            false => Self::AnyOwner,
        }
    }
}

fn refuse_relative(variable: &str, path: &Path) -> Result<(), ConfigError> {
    if path.is_absolute() {
        return Ok(());
    }
    let why = format!("\"{}\" is not an absolute path", path.display());
    Err(ConfigError { key: Some(format!("${variable}")), ..ConfigError::new(why) })
}

/// False only if it is certain that there is no such file: one that cannot be examined must
/// not silently give way to the next.
fn is_there(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// The text of a configuration file that may be believed.
pub(super) fn read_file(path: &Path, trust: Trust) -> Result<String, ConfigError> {
    let refuse = |why: &str| ConfigError::about_file(path, why);
    let found = fs::metadata(path).map_err(|error| refuse(&format!("cannot be read: {error}")))?;
    if !found.is_file() {
        // Asked before opening, which would wait for a writer if this were a pipe.
        return Err(refuse("is not a regular file"));
    }
    let file = File::open(path).map_err(|error| refuse(&format!("cannot be opened: {error}")))?;
    let found = file.metadata().map_err(|error| refuse(&format!("cannot be read: {error}")))?;
    if trust == Trust::RootOnly {
        refuse_foreign(found.uid(), found.mode()).map_err(|why| refuse(&why))?;
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_LEN + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refuse(&format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > MAX_FILE_LEN {
        return Err(refuse("is longer than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        ConfigError { line: Some(line), ..refuse("is not UTF-8 text") }
    })
}

/// What root loads must be root's and not writable by others.
pub(super) fn refuse_foreign(owner: u32, mode: u32) -> Result<(), String> {
    if owner != 0 {
        return Err(format!(
            "belongs to user {owner}, but root only believes root's own files (chown root)"
        ));
    }
    if mode & 0o022 != 0 {
        return Err(format!(
            "has mode {:04o}: others could change what root believes (chmod go-w)",
            mode & 0o7777
        ));
    }
    Ok(())
}
