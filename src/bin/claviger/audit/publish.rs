//! `claviger audit publish`: lays the log out for readers of files, signs its checkpoint with
//! both keys, and brings it to the anchors. Needs a login: only the token's own keys sign.

use clap::Args;
use claviger::config::Configuration;
use serde::Serialize;

use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::library::Library;
use crate::output::{self, Format};
use crate::pin_source::UserPin;

const HELP: &str = "\
The directory log/GENERATION of the token is then a whole log as C2SP tlog-tiles has it: any web
server can serve it. Ends with 1 if an anchor does not have the checkpoint; the log is published
all the same.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Print the keys that sign instead of the checkpoint: one Ed25519, one ML-DSA-44. Keep them
    /// elsewhere, for `claviger audit verify --key` and for `audit.key` of the configuration.
    #[arg(long, conflicts_with = "json")]
    keys: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    #[command(flatten)]
    format: Format,
}

/// What `audit publish --json` prints.
#[derive(Serialize)]
struct Published {
    checkpoint: String,
    keys: Vec<String>,
    anchors: Vec<Anchored>,
}

#[derive(Serialize)]
struct Anchored {
    anchor: String,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let library = Library::open(&Configuration::of_this_process()?)?;
    let token = arguments.token.find(&library)?;
    let pin = arguments.pin.source().known(&token.name())?;
    let published = library.publish(token.slot, &pin)?;
    let failed: Vec<String> = published
        .anchors
        .iter()
        .filter_map(|(anchor, why)| Some(format!("anchor {anchor}: {}", why.as_ref()?)))
        .collect();
    if arguments.format.json {
        let anchored =
            |(anchor, why): (String, Option<String>)| Anchored { anchor, ok: why.is_none(), why };
        let anchors = published.anchors.into_iter().map(anchored).collect();
        let (checkpoint, keys) = (published.checkpoint, published.keys);
        output::print_json(&Published { checkpoint, keys, anchors })?;
    } else if arguments.keys {
        output::print(&(published.keys.join("\n") + "\n"))?;
    } else {
        output::print(&published.checkpoint)?;
    }
    match failed.as_slice() {
        [] => Ok(()),
        failed => Err(Failure::new(Code::Failed, failed.join("; "))
            .or("the log is published; the next login brings it to the anchors")),
    }
}
