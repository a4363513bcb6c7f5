//! `claviger token`: make, list, show and delete tokens.
//! PKCS#11 3.2, "C_InitToken", except that a new token never replaces another one unasked.

use clap::{Args, Subcommand};
use claviger::config::Configuration;
use claviger::provider::administration::audit::Standing;
use serde::Serialize;

use crate::choice::TokenChoice;
use crate::failure::{Code, Failure};
use crate::library::{Library, Role};
use crate::output::{self, Format};
use crate::pin_source::{SoPin, UserPin};
use crate::prompt;
use crate::view::{ShownToken, SlotView};

/// Characters of a label, PKCS#11's CK_TOKEN_INFO.
const MAX_LABEL_LEN: usize = 32;

const INIT_HELP: &str = "\
Every call makes one more token, in a slot of its own. (`pkcs11-tool --init-token` without
--slot takes the first slot instead, so a second call initialises the first token again; with
`slots.spare = true` in the configuration there is always an empty slot for it to name.)

With --token or --slot the token that is there is initialised again: all that is on it is
deleted, and the security officer's PIN must be the one that it has.

Example, without questions:
  claviger token init --label web --so-pin-file so.pin --pin-file user.pin";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a token, with the security officer's PIN and the user's.
    Init(Init),
    /// List the slots and their tokens.
    List(List),
    /// Show one token.
    Show(Show),
    /// Seal all keys with a new key and remove the old one.
    Rotate(Rotate),
    /// Delete a token and everything on it.
    Delete(Delete),
    /// As security officer, take a token as it is after it was changed, restored or moved.
    AcceptState(AcceptState),
}

#[derive(Args)]
#[command(after_help = INIT_HELP)]
pub(crate) struct Init {
    /// The token's name, up to 32 bytes.
    #[arg(short, long, value_name = "NAME", value_parser = label)]
    label: String,
    /// Initialise this token again, by label or serial number, and delete all that is on it.
    #[arg(short, long, value_name = "LABEL|SERIAL", conflicts_with = "slot")]
    token: Option<String>,
    /// Initialise the token in this slot, and delete all that is on it.
    #[arg(long, value_name = "NUMBER")]
    slot: Option<u64>,
    #[command(flatten)]
    so_pin: SoPin,
    #[command(flatten)]
    user_pin: UserPin,
    /// Leave the user PIN unset; the security officer sets it later with `pin reset`.
    #[arg(long, conflicts_with_all = ["pin_file", "pin_env"])]
    no_user_pin: bool,
    /// Do not ask before a token is initialised again.
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    format: Format,
}

const ROTATE_HELP: &str = "\
Keys stay what they are, and programs that use them need not stop. What was destroyed before can
then be opened with nothing that is in the token's files, and `claviger audit certificate` proves
it. Copies that were made of the files before are as they were.";

#[derive(Args)]
#[command(after_help = ROTATE_HELP)]
pub(crate) struct Rotate {
    /// With the security officer's PIN instead of the user's.
    #[arg(long)]
    so: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    user_pin: UserPin,
    #[command(flatten)]
    so_pin: SoPin,
    #[command(flatten)]
    format: Format,
}

/// What `token rotate --json` prints.
#[derive(Serialize)]
struct Rotated {
    epoch: u64,
    objects: u64,
    unopened: u64,
    forgotten: bool,
}

#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    so_pin: SoPin,
    /// Do not ask for a confirmation.
    #[arg(short, long)]
    yes: bool,
}

const ACCEPT_HELP: &str = "\
Whoever changes a token's files, puts back an older copy or moves them to another machine is
noticed: private keys are then not used and nothing is changed, until the security officer says
that it was meant so. Find out first what has happened (`claviger doctor`, `claviger audit verify`)
and keep a copy of the token's directory: this signs whatever is there now.

The log begins anew under a new key, in the next generation; its first entry names the last
checkpoint of the one before, whose files stay. The new key is printed: keep it elsewhere. Programs
that use the token have to log in again.";

#[derive(Args)]
#[command(after_help = ACCEPT_HELP)]
pub(crate) struct AcceptState {
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    so_pin: SoPin,
}

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    let configuration = Configuration::of_this_process()?;
    let library = Library::open(&configuration)?;
    match command {
        Command::Init(arguments) => init(&library, &arguments),
        Command::List(arguments) => list(&library, &arguments),
        Command::Show(arguments) => show(&library, &arguments),
        Command::Rotate(arguments) => rotate(&library, &arguments),
        Command::Delete(arguments) => delete(&library, &configuration, &arguments),
        Command::AcceptState(arguments) => accept_state(&library, &arguments),
    }
}

fn init(library: &Library, arguments: &Init) -> Result<(), Failure> {
    let again = TokenChoice::of(arguments.token.as_deref(), arguments.slot);
    let again = again.map(|choice| choice.find_slot(library)).transpose()?;
    let old = again.as_ref().filter(|slot| slot.initialized);
    let name = format!("token \"{}\"", arguments.label);
    let so_pin = match old {
        Some(old) => arguments.so_pin.source().known(&old.name())?,
        None => arguments.so_pin.source().chosen(&name)?,
    };
    let user_pin = match arguments.no_user_pin {
        true => None,
        false => Some(arguments.user_pin.source().chosen(&name)?),
    };
    if let Some(old) = old.filter(|_| !arguments.yes) {
        prompt::confirm(&format!("All objects on {} will be deleted.", old.name()))?;
    }
    let made = library.init_token(again.map(|slot| slot.slot), &arguments.label, &so_pin)?;
    if let Some(user_pin) = user_pin {
        library.init_user_pin(made, &so_pin, &user_pin).map_err(|failure| {
            failure.while_doing("the token was made, but the user PIN was not set")
        })?;
    }
    let made = slot(library, made)?;
    if arguments.format.json {
        return output::print_json(&made);
    }
    output::print(&format!(
        "Made {} with serial number {} in slot {}.\n{}",
        output::printable(&made.name()),
        made.serial,
        made.slot,
        if arguments.no_user_pin {
            "It has no user PIN yet: `claviger pin reset` sets it.\n"
        } else {
            ""
        }
    ))
}

fn slot(library: &Library, number: u64) -> Result<SlotView, Failure> {
    let found = library.slots()?.into_iter().find(|slot| slot.slot == number);
    found.ok_or_else(|| Failure::new(Code::NotFound, format!("slot {number} is gone")))
}

fn list(library: &Library, arguments: &List) -> Result<(), Failure> {
    let slots = library.slots()?;
    if arguments.format.json {
        return output::print_json(&slots);
    }
    if !slots.iter().any(|slot| slot.initialized || slot.error.is_some()) {
        output::note("there is no token yet; `claviger token init --label NAME` makes one");
    }
    for slot in &slots {
        if let Some(why) = &slot.error {
            output::note(&format!("the token in slot {} cannot be used: {why}", slot.slot));
        }
    }
    let row = |slot: &SlotView| match (slot.initialized, &slot.error) {
        (_, Some(_)) => {
            vec![slot.slot.to_string(), "(unusable)".to_owned(), slot.serial.clone()]
        }
        (true, None) => vec![
            slot.slot.to_string(),
            slot.label.clone(),
            slot.serial.clone(),
            slot.user_pin.words().to_owned(),
            slot.so_pin.words().to_owned(),
        ],
        (false, None) => vec![slot.slot.to_string(), "(not initialised)".to_owned()],
    };
    let rows: Vec<Vec<String>> = slots.iter().map(row).collect();
    output::print(&output::table(&["SLOT", "TOKEN", "SERIAL", "USER PIN", "SO PIN"], &rows))
}

fn show(library: &Library, arguments: &Show) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let policy = library.policy(token.slot)?;
    if arguments.format.json {
        return output::print_json(&ShownToken::of(token, &policy));
    }
    let not_offered = match policy.withheld.as_slice() {
        [] => "none".to_owned(),
        withheld => withheld.join(" "),
    };
    let least = policy.least.iter().map(|(name, bits)| format!("{name} = {bits}"));
    let least: Vec<String> = least.collect();
    output::print(&output::fields(&[
        ("label", token.label.clone()),
        ("serial", token.serial.clone()),
        ("slot", token.slot.to_string()),
        ("manufacturer", token.manufacturer.clone()),
        ("model", token.model.clone()),
        ("user PIN", token.user_pin.words().to_owned()),
        ("SO PIN", token.so_pin.words().to_owned()),
        ("writable", if token.write_protected { "no" } else { "yes" }.to_owned()),
        ("URI", token.uri.clone()),
        ("mechanisms", policy.offered.to_string()),
        ("not offered", not_offered),
        ("at least", least.join(", ")),
    ]))
}

fn rotate(library: &Library, arguments: &Rotate) -> Result<(), Failure> {
    let is_so = arguments.so || arguments.so_pin.source().is_named();
    let (role, source, other) = match is_so {
        true => (Role::SecurityOfficer, arguments.so_pin.source(), arguments.user_pin.source()),
        false => (Role::User, arguments.user_pin.source(), arguments.so_pin.source()),
    };
    if other.is_named() {
        return Err(Failure::new(Code::Usage, "one PIN is enough: the user's or the SO's"));
    }
    let token = arguments.token.find(library)?;
    let pin = source.known(&token.name())?;
    let done = library.rotate(token.slot, role, &pin)?;
    if done.unopened > 0 {
        let several = if done.unopened == 1 { "object" } else { "objects" };
        output::note(&format!("{} {several} could not be opened, as before", done.unopened));
    }
    if !done.is_forgotten {
        output::note(
            "the old key is removed, but may still be in the write-ahead log: another process \
             reads. It goes when the last process closes the token, or with the next rotation",
        );
    }
    if arguments.format.json {
        return output::print_json(&Rotated {
            epoch: done.epoch,
            objects: done.objects,
            unopened: done.unopened,
            forgotten: done.is_forgotten,
        });
    }
    output::print(&format!(
        "{} is in epoch {}; the data keys of {} objects are sealed with its key.\n",
        output::printable(&token.name()),
        done.epoch,
        done.objects
    ))
}

fn delete(
    library: &Library,
    configuration: &Configuration,
    arguments: &Delete,
) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    if !arguments.yes {
        let what = format!("{} (serial {}) and all its objects", token.name(), token.serial);
        prompt::confirm(&format!("{what} will be deleted for good."))?;
    }
    let so_pin = arguments.so_pin.source().known(&token.name())?;
    library.delete_token(token.slot, &so_pin).map_err(|failure| match failure.code {
        Code::Pin => {
            let directory = configuration.directory.join("tokens").join(&token.serial);
            let directory = directory.display();
            failure.or(format!("without that PIN, the owner of the files can remove {directory}"))
        }
        _ => failure,
    })?;
    output::print(&format!("Deleted {}.\n", output::printable(&token.name())))
}

fn accept_state(library: &Library, arguments: &AcceptState) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    if let Standing::Differs(why) = library.log(token.slot)?.standing {
        output::note(&format!("what is accepted: {why}"));
    }
    let so_pin = arguments.so_pin.source().known(&token.name())?;
    library.accept_state(token.slot, &so_pin)?;
    let log = library.log(token.slot)?;
    let key = log.key.map_or_else(String::new, |key| key.to_string());
    output::print(&format!(
        "Accepted the state of {}. Its log is in generation {}, signed with\n{key}\n",
        output::printable(&token.name()),
        log.generation
    ))
}

fn label(text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err("a token needs a name".to_owned()),
        1..=MAX_LABEL_LEN if text.contains('\0') => Err("a name holds no NUL".to_owned()),
        1..=MAX_LABEL_LEN if text.trim_end() != text => {
            Err("a name does not end in blanks: the standard pads with them".to_owned())
        }
        1..=MAX_LABEL_LEN => Ok(text.to_owned()),
        longer => Err(format!("{longer} bytes; the standard has room for {MAX_LABEL_LEN}")),
    }
}
