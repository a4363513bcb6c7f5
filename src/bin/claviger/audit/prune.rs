//! `claviger audit prune`: removes from the beginning of a log what was exported and is older
//! than `audit.retain` days. Hashes stay, so that what is left can be proved.

use clap::Args;
use claviger::provider::administration::audit::{PruneLimit, Pruned};
use serde::Serialize;

use super::{LogChoice, Place};
use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::output::{self, Format};

const HELP: &str = "\
Entries go by 256, once all of these hold: `claviger audit export --mark` has written them, they
are older than `audit.retain` days, and they are not among the last. The log is checked first, and
one that is not what was signed is left as it is.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// An earlier log of the token.
    #[arg(long, value_name = "NUMBER")]
    generation: Option<u64>,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    format: Format,
}

/// What `audit prune --json` prints.
#[derive(Serialize)]
struct Shown {
    removed: u64,
    bytes: u64,
    first: u64,
    /// `everything`, `not-exported`, `young` or `last`.
    limit: &'static str,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { generation, token, format } = arguments;
    let log = LogChoice { token, generation, log: None, checkpoint: None }.open()?;
    let Place::Token { library, slot, .. } = &log.place else {
        return Err(Failure::new(Code::Usage, "a copy of a log is not pruned"));
    };
    let Pruned { first, entries, bytes, limit } = library.prune(*slot, &log.view)?;
    let (limit, why) = match limit {
        PruneLimit::Everything => ("everything", "`audit.retain` is 0: everything is kept"),
        PruneLimit::NotExported => {
            ("not-exported", "what follows was not exported: `claviger audit export --mark`")
        }
        PruneLimit::Young => ("young", "what follows is not older than `audit.retain` days"),
        PruneLimit::Last => ("last", "the last entries stay"),
    };
    if format.json {
        return output::print_json(&Shown { removed: entries, bytes, first, limit });
    }
    output::note(why);
    output::print(&format!(
        "Removed {entries} entries ({bytes} bytes); the first one in {} is entry {first}.\n",
        log.name()
    ))
}
