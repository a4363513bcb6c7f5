//! `claviger audit`: what is on record, whether it is what was signed, and proof of it.
//!
//! But for `publish` and `hash` nothing here logs in: an auditor needs no PIN. Nothing is written,
//! but by `publish`, by `prune` and where an export is marked; for everything else files that
//! cannot be written to will do.

mod certificate;
mod csv;
mod export;
mod filter;
mod follow;
mod hash;
mod line;
mod listing;
mod moment;
mod prove;
mod prune;
mod publish;
mod show;
mod syslog;
mod verify;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use claviger::audit::checkpoint::Checkpoint;
use claviger::audit::note::VerifierKey;
use claviger::audit::verify::{Fault, Report, What};
use claviger::config::Configuration;
use claviger::provider::administration::audit::{LogView, Standing};

use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::library::Library;
use crate::output;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check the whole log against its signed checkpoint, and what the token holds against the log.
    Verify(verify::Arguments),
    /// List what is on record.
    Show(show::Arguments),
    /// Go on listing what is put on record from now on.
    Follow(follow::Arguments),
    /// Write the records for other programs: JSON lines, CSV or syslog.
    Export(export::Arguments),
    /// Remove old entries that were exported; what is left stays provable.
    Prune(prune::Arguments),
    /// Prove that one entry is in the log, to somebody who has only the log's key.
    Prove(prove::Arguments),
    /// Prove that a destroyed key is gone, and check such a proof.
    Certificate(certificate::Arguments),
    /// Lay the log out for others to read, with a signed checkpoint, and bring that to the anchors.
    Publish(publish::Arguments),
    /// Print what records say of an input, if `audit.hash` is set.
    Hash(hash::Arguments),
    /// Print the signed checkpoint: size and root of the log.
    Checkpoint(LogChoice),
    /// Print the key that the log is signed with, to be kept elsewhere and given to `verify`.
    Key(LogChoice),
}

/// Which log.
#[derive(Args)]
pub(crate) struct LogChoice {
    #[command(flatten)]
    token: TokenChoice,
    /// An earlier log of the token: it begins a new one when it is initialised again, and with
    /// `token accept-state`.
    #[arg(long, value_name = "NUMBER")]
    generation: Option<u64>,
    /// A copy of a log, with no token: the directory that holds `tile`.
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["token", "slot", "generation"])]
    log: Option<PathBuf>,
    /// The checkpoint of that copy [default: the file `checkpoint` in the directory].
    #[arg(long, value_name = "FILE", requires = "log")]
    checkpoint: Option<PathBuf>,
}

/// A log, and where to look for its next checkpoint.
struct OpenLog {
    view: LogView,
    /// Another one has begun since.
    is_earlier: bool,
    place: Place,
}

enum Place {
    Token { library: Box<Library>, slot: u64, name: String },
    Copy { directory: PathBuf, checkpoint: PathBuf },
}

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Follow(arguments) => follow::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Prune(arguments) => prune::run(arguments),
        Command::Prove(arguments) => prove::run(&arguments),
        Command::Certificate(arguments) => certificate::run(arguments),
        Command::Publish(arguments) => publish::run(&arguments),
        Command::Hash(arguments) => hash::run(&arguments),
        Command::Checkpoint(choice) => output::print(&choice.open()?.view.checkpoint),
        Command::Key(choice) => key(&choice),
    }
}

impl LogChoice {
    fn open(&self) -> Result<OpenLog, Failure> {
        let place = match &self.log {
            Some(directory) => {
                let beside = || directory.join("checkpoint");
                let checkpoint = self.checkpoint.clone().unwrap_or_else(beside);
                Place::Copy { directory: directory.clone(), checkpoint }
            }
            None => {
                let library = Library::open(&Configuration::of_this_process()?)?;
                let found = self.token.find_files(&library)?;
                let name = found.name();
                Place::Token { slot: found.slot, name, library: Box::new(library) }
            }
        };
        let mut view = place.view()?;
        let newest = view.generation;
        if let Some(number) = self.generation.filter(|number| *number != newest) {
            view = view.earlier(number).map_err(|fault| {
                Failure::new(Code::NotFound, fault.to_string())
                    .or(format!("the log is in its generation {newest}"))
            })?;
        }
        Ok(OpenLog { is_earlier: view.generation != newest, view, place })
    }
}

impl Place {
    fn view(&self) -> Result<LogView, Failure> {
        match self {
            Self::Token { library, slot, .. } => library.log(*slot),
            Self::Copy { directory, checkpoint } => LogView::at(directory, &text_of(checkpoint)?)
                .map_err(|error| {
                    Failure::new(Code::Failed, format!("{}: {error}", checkpoint.display()))
                }),
        }
    }
}

impl OpenLog {
    /// What to call it.
    fn name(&self) -> String {
        match &self.place {
            Place::Token { name, .. } => format!("the log of {name}"),
            Place::Copy { directory, .. } => format!("the log in {}", directory.display()),
        }
    }

    /// The keys by which it is checked: the given ones, or else what the token itself says.
    fn keys(&self, given: &[VerifierKey]) -> Vec<VerifierKey> {
        match given {
            [] => self.view.key.iter().cloned().collect(),
            given => given.to_vec(),
        }
    }

    /// The keys that the configuration pins for this log (`audit.key`).
    fn pinned(&self) -> Vec<VerifierKey> {
        let origin = self.view.checkpoint.lines().next().unwrap_or_default();
        let keys =
            Configuration::of_this_process().map_or_else(|_| Vec::new(), |it| it.anchoring.keys);
        let parsed = keys.iter().filter_map(|key| VerifierKey::parse(key).ok());
        parsed.filter(|key| key.name() == origin).collect()
    }

    /// Tells what is beside the log and no fault of it.
    fn note_standing(&self) {
        if self.is_earlier {
            return;
        }
        match &self.view.standing {
            Standing::Fits => {}
            Standing::Copied => output::note(
                "token.db was signed in another place than this: it was moved or copied; the log \
                 is held against its own checkpoint",
            ),
            Standing::Differs(why) => {
                output::note(&format!("token.db is not what the log says: {why}"));
            }
            // Nobody expects to hear of the token from a copy of its log.
            Standing::Unknown(_) if matches!(self.place, Place::Copy { .. }) => {}
            Standing::Unknown(why) => {
                output::note(&format!("what the token holds is not held against the log: {why}"));
            }
        }
        match self.view.pending {
            0 => {}
            1 => output::note("one object was changed without a login; the next login signs that"),
            count => output::note(&format!(
                "{count} objects were changed without a login; the next login signs that"
            )),
        }
    }

    /// The end of a listing.
    fn judge(&self, report: &Report) -> Result<(), Failure> {
        if let Some(fault) = &report.fault {
            return Err(self.fault(fault).or("nothing of the above can be relied on"));
        }
        if report.removed > 0 {
            let removed = report.removed;
            output::note(&format!("the first {removed} entries are gone; their hashes are there"));
        }
        self.note_standing();
        Ok(())
    }

    fn fault(&self, fault: &Fault) -> Failure {
        let cause = match fault.what {
            What::Unreadable(..) => format!("{} cannot be checked: {fault}", self.name()),
            _ => format!("{} is not what was signed: {fault}", self.name()),
        };
        Failure::new(Code::Failed, cause)
            .or("keep the files as they are; `claviger doctor` says what can be done")
    }
}

fn key(choice: &LogChoice) -> Result<(), Failure> {
    let log = choice.open()?;
    let Some(key) = &log.view.key else {
        return Err(Failure::new(Code::NotFound, format!("{} names no key", log.name()))
            .or("the key that signs now is in the token's database"));
    };
    let signed = Checkpoint::open(log.view.checkpoint.as_bytes(), std::slice::from_ref(key));
    signed.map_err(|error| {
        let cause = format!("the checkpoint is not signed with the token's own key: {error}");
        Failure::new(Code::Failed, cause).or("`claviger audit verify` says more")
    })?;
    output::print(&format!("{key}\n"))
}

fn text_of(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::new(Code::Failed, format!("{}: {error}", file.display())))
}
