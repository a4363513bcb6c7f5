//! `claviger audit follow`: what is put on record from now on. Each part is held against the
//! checkpoint that it came with, and that against the one before.

use std::time::{Duration, Instant};

use clap::Args;
use claviger::audit::note::VerifierKey;
use claviger::audit::verify::{Fault, Walk};
use claviger::provider::administration::audit::LogView;

use super::listing::Listing;
use super::moment::span;
use super::show::{Choice, Reader};
use super::{LogChoice, OpenLog};
use crate::failure::{Code, Failure};
use crate::output;

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(500);

const HELP: &str = "\
Goes on until it is interrupted, or for as long as --timeout says. With --since, what is on record
since then comes first. A use is on record for others once its process has sealed it, which takes
some seconds.";

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    #[command(flatten)]
    choice: Choice,
    /// End after this time, as 90s or 2h.
    #[arg(long, value_name = "TIME", value_parser = span)]
    timeout: Option<Duration>,
    #[command(flatten)]
    log: LogChoice,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.log.generation.is_some() {
        return Err(Failure::new(Code::Usage, "an earlier log does not grow any more")
            .or("`claviger audit show` lists it"));
    }
    let begun = Instant::now();
    let mut log = arguments.log.open()?;
    let mut follower = Follower {
        reader: Reader::new(&arguments.choice),
        listing: Listing::new(),
        walk: Walk::default(),
        keys: log.keys(&[]),
        lists: arguments.choice.filter.has_beginning(),
    };
    loop {
        let fault = follower.list(&log.view);
        if !follower.listing.flush() {
            return follower.listing.finish();
        }
        if let Some(fault) = fault {
            return Err(log.fault(&fault).or("nothing of the above can be relied on"));
        }
        let left = arguments.timeout.map_or(PAUSE, |most| most.saturating_sub(begun.elapsed()));
        if left.is_zero() {
            return follower.listing.finish();
        }
        std::thread::sleep(left.min(PAUSE));
        let generation = log.view.generation;
        log.view = log.place.view()?;
        if log.view.generation != generation {
            follower.end(&log, generation);
        }
    }
}

/// How far a log was listed.
struct Follower<'c> {
    reader: Reader<'c>,
    listing: Listing,
    walk: Walk,
    /// Those of the beginning: one that is exchanged later is believed only if the log begins anew.
    keys: Vec<VerifierKey>,
    /// False at first: what is there already is listed only if a beginning was asked for. It tells
    /// which process has which lane all the same.
    lists: bool,
}

impl Follower<'_> {
    /// Lists what is new; what is wrong with it.
    fn list(&mut self, view: &LogView) -> Option<Fault> {
        let Self { reader, listing, walk, keys, lists } = self;
        let report = view.go_on(walk, keys, &mut |index, leaf, bytes| {
            if !*lists {
                reader.skip(leaf);
            } else if let Some(line) = reader.pass(index, leaf, bytes) {
                listing.write(&line);
            }
        });
        self.lists = true;
        report.fault
    }

    /// Lists the last part of a log after which another one has begun, as far as that one tells.
    fn end(&mut self, log: &OpenLog, generation: u64) {
        let fault = match log.view.earlier(generation) {
            Ok(ended) => self.list(&ended),
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            output::note(&format!("the end of generation {generation} is not as signed: {fault}"));
        }
        output::note(&format!("generation {} of the log begins", log.view.generation));
        self.walk = Walk::default();
        self.keys = log.keys(&[]);
    }
}
