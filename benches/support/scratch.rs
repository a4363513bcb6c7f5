//! A temporary directory that holds a module's tokens, and a token in it.

use super::module::{Module, Outcome, Session, refuse};
use cryptoki_sys::{CK_SLOT_ID, CKU_SO, CKU_USER};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io, process};

pub(crate) const SO_PIN: &str = "13579-officer";
pub(crate) const USER_PIN: &str = "2468-bench";
const LABEL: &str = "bench";

/// Removed with all that is in it when dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new directory with empty token stores for Claviger, SoftHSM2 and kryoptic in it.
    pub(crate) fn new(name: &str) -> io::Result<Self> {
        Self::configured(name, "# Defaults.\n")
    }

    /// The same, with this configuration for Claviger.
    pub(crate) fn configured(name: &str, configuration: &str) -> io::Result<Self> {
        let path = env::temp_dir().join(format!("claviger-bench-{}-{name}", process::id()));
        fs::create_dir(&path)?;
        let scratch = Self(path);
        fs::create_dir(scratch.path().join("tokens"))?;
        fs::write(scratch.path().join("claviger.toml"), configuration)?;
        fs::write(
            scratch.path().join("softhsm2.conf"),
            format!(
                "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
                scratch.path().join("tokens").display()
            ),
        )?;
        Ok(scratch)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// This program again, as a process whose module finds its tokens here.
    pub(crate) fn again(&self) -> io::Result<Command> {
        let mut command = Command::new(env::current_exe()?);
        self.dress(&mut command);
        Ok(command)
    }

    /// Has a program find its tokens here.
    pub(crate) fn dress<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("CLAVIGER_DIR", self.path().join("tokens"))
            .env("CLAVIGER_CONF", self.path().join("claviger.toml"))
            .env("SOFTHSM2_CONF", self.path().join("softhsm2.conf"))
            .env("KRYOPTIC_CONF", self.path().join("kryoptic.sql"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory left behind is worth a word and no more.
        if let Err(why) = fs::remove_dir_all(self.path()) {
            eprintln!("{}: {why}", self.path().display());
        }
    }
}

/// The slot of our token.
pub(crate) fn slot(module: &Module) -> Outcome<CK_SLOT_ID> {
    let slots = module.slots()?;
    match slots.into_iter().find(|&slot| module.label(slot).is_ok_and(|label| label == LABEL)) {
        Some(slot) => Ok(slot),
        None => refuse("no slot with our token"),
    }
}

/// Makes a token in the first slot.
pub(crate) fn make_token(module: &Module) -> Outcome<()> {
    let Some(&first) = module.slots()?.first() else { return refuse("no slot") };
    module.init_token(first, SO_PIN, LABEL)?;
    let session = module.open(slot(module)?)?;
    session.login(CKU_SO, SO_PIN)?;
    session.init_pin(USER_PIN)?;
    session.logout()?;
    session.close()
}

/// A session that is logged in as the user.
pub(crate) fn logged_in(module: &Module) -> Outcome<Session<'_>> {
    let session = module.open(slot(module)?)?;
    session.login(CKU_USER, USER_PIN)?;
    Ok(session)
}

/// The module built with this bench: libclaviger.so in this folder (deps) or the one above.
pub(crate) fn built_module() -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    let built = program.ancestors().skip(1).take(2);
    built.map(|folder| folder.join("libclaviger.so")).find(|path| path.exists()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "no libclaviger.so: cargo build --release")
    })
}
