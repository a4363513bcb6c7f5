//! `claviger object`: list and delete what is on a token.
//!
//! What is deleted is listed first, and deleted by its unique ids: no more than was shown.

use clap::{Args, Subcommand};
use claviger::config::Configuration;
use claviger::secret::Secret;

use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::library::{Library, Selector};
use crate::output::{self, Format};
use crate::pin_source::UserPin;
use crate::prompt;
use crate::view::{Class, HexId, ObjectView, SlotView, hex};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List objects; without a login, the public ones.
    List(List),
    /// Delete the objects that match everything that is given.
    Delete(Delete),
}

/// Which objects.
#[derive(Args)]
struct Which {
    /// Only this class.
    #[arg(long, value_enum)]
    class: Option<Class>,
    /// Only objects with this label.
    #[arg(short, long)]
    label: Option<String>,
    /// Only objects with this id.
    #[arg(long, value_name = "HEX")]
    id: Option<HexId>,
    /// Only the object with this unique id.
    #[arg(long, value_name = "ID")]
    unique_id: Option<String>,
}

impl Which {
    fn selector(&self) -> Selector {
        Selector {
            class: self.class,
            label: self.label.clone(),
            id: self.id.as_ref().map(|id| id.0.clone()),
            unique_id: self.unique_id.clone(),
        }
    }

    const fn is_given(&self) -> bool {
        self.class.is_some()
            || self.label.is_some()
            || self.id.is_some()
            || self.unique_id.is_some()
    }
}

#[derive(Args)]
pub(crate) struct List {
    /// Log in as the user and list private objects as well; implied by --pin-file and --pin-env.
    #[arg(long)]
    login: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    /// Do not ask for a confirmation.
    #[arg(short, long)]
    yes: bool,
}

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    if let Command::Delete(Delete { which, .. }) = &command
        && !which.is_given()
    {
        return Err(Failure::new(Code::Usage, "say which objects are to be deleted")
            .or("give --label, --id, --unique-id or --class; see `claviger object list`"));
    }
    let library = Library::open(&Configuration::of_this_process()?)?;
    match command {
        Command::List(arguments) => list(&library, &arguments),
        Command::Delete(arguments) => delete(&library, &arguments),
    }
}

fn list(library: &Library, arguments: &List) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let pin = arguments.pin.if_asked(arguments.login, &token.name())?;
    let found = library.list_objects(token.slot, pin.as_ref(), &arguments.which.selector())?;
    if pin.is_none() {
        output::note("public objects only; --login shows the private ones as well");
    }
    match arguments.format.json {
        true => output::print_json(&found),
        false => output::print(&shown(&found)),
    }
}

fn shown(objects: &[ObjectView]) -> String {
    let row = |object: &ObjectView| {
        vec![
            object.class.name().to_owned(),
            object.kind(),
            object.label.clone(),
            hex(&object.id),
            if object.private { "private" } else { "public" }.to_owned(),
            object.unique_id.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = objects.iter().map(row).collect();
    output::table(&["CLASS", "TYPE", "LABEL", "ID", "SEEN BY", "UNIQUE ID"], &rows)
}

fn delete(library: &Library, arguments: &Delete) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let pin = arguments.pin.source().known(&token.name())?;
    let found = library.list_objects(token.slot, Some(&pin), &arguments.which.selector())?;
    if found.is_empty() {
        let cause = format!("no object on {} matches", token.name());
        return Err(Failure::new(Code::NotFound, cause)
            .or("`claviger object list --login` shows what is there"));
    }
    delete_these(library, (&token, &pin), &found, arguments.yes)
}

/// Deletes objects that were found, after a question.
pub(crate) fn delete_these(
    library: &Library,
    (token, pin): (&SlotView, &Secret),
    found: &[ObjectView],
    yes: bool,
) -> Result<(), Failure> {
    if !yes {
        let what = format!("{}These objects of {}", shown(found), token.name());
        prompt::confirm(&format!("{what} will be deleted for good."))?;
    }
    let unique_ids: Vec<&str> = found.iter().map(|object| object.unique_id.as_str()).collect();
    let count = library.delete_objects(token.slot, pin, &unique_ids)?;
    let noun = if count == 1 { "object" } else { "objects" };
    output::print(&format!("Deleted {count} {noun} from {}.\n", output::printable(&token.name())))
}
