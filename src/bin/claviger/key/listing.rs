//! `claviger key list` and `claviger key show`: what may be told of keys. Nothing secret is read.

use clap::Args;

use crate::choice::TokenChoice;
use crate::failure::Failure;
use crate::key_choice::{KeyChoice, no_key};
use crate::library::{Library, Selector};
use crate::output::{self, Format};
use crate::pin_source::UserPin;
use crate::view::{ObjectView, hex};

#[derive(Args)]
pub(crate) struct List {
    /// Log in as the user and list private and secret keys as well; implied by --pin-file and
    /// --pin-env.
    #[arg(long)]
    login: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    key: KeyChoice,
    /// Log in as the user and show private and secret keys as well; implied by --pin-file and
    /// --pin-env.
    #[arg(long)]
    login: bool,
    #[command(flatten)]
    token: TokenChoice,
    #[command(flatten)]
    pin: UserPin,
    #[command(flatten)]
    format: Format,
}

pub(super) fn list(library: &Library, arguments: &List) -> Result<(), Failure> {
    let token = arguments.token.find(library)?;
    let pin = arguments.pin.if_asked(arguments.login, &token.name())?;
    let mut keys = library.list_objects(token.slot, pin.as_ref(), &Selector::default())?;
    keys.retain(|object| object.class.is_key());
    keys.sort_by(|one, other| (&one.label, &one.id).cmp(&(&other.label, &other.id)));
    if pin.is_none() {
        output::note("public keys only; --login shows the private and secret ones as well");
    }
    if arguments.format.json {
        return output::print_json(&keys);
    }
    let row = |key: &ObjectView| {
        vec![
            key.class.name().to_owned(),
            key.kind(),
            key.label.clone(),
            hex(&key.id),
            key.version.map_or(String::new(), |version| version.to_string()),
            key.usage.join(","),
        ]
    };
    let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
    output::print(&output::table(&["CLASS", "KIND", "LABEL", "ID", "VERSION", "USES"], &rows))
}

pub(super) fn show(library: &Library, arguments: &Show) -> Result<(), Failure> {
    let (token, selector) = arguments.key.find(library, &arguments.token)?;
    let pin = arguments.pin.if_asked(arguments.login, &token.name())?;
    let mut keys = library.list_objects(token.slot, pin.as_ref(), &selector)?;
    keys.retain(|object| object.class.is_key());
    if keys.is_empty() && pin.is_none() {
        return Err(no_key(&token).or("without --login only public keys are seen"));
    }
    if keys.is_empty() {
        return Err(no_key(&token));
    }
    if arguments.format.json {
        return output::print_json(&keys);
    }
    let shown: Vec<String> = keys.iter().map(|key| output::fields(&told(key))).collect();
    output::print(&shown.join("\n"))
}

fn told(key: &ObjectView) -> Vec<(&'static str, String)> {
    let word = |flag: Option<bool>| flag.map(|flag| if flag { "yes" } else { "no" }.to_owned());
    let origin = |local: bool| if local { "made on the token" } else { "came from outside" };
    let uses = if key.usage.is_empty() { "none".to_owned() } else { key.usage.join(", ") };
    let all = [
        ("class", Some(key.class.name().to_owned())),
        ("kind", Some(key.kind())),
        ("type", key.key_type.map(str::to_owned)),
        ("bits", key.bits.map(|bits| bits.to_string())),
        ("label", Some(key.label.clone())),
        ("id", Some(hex(&key.id))),
        ("uses", Some(uses)),
        ("version", key.version.map(|version| version.to_string())),
        ("valid from", key.start_date.clone()),
        ("valid until", key.end_date.clone()),
        ("origin", key.local.map(|local| origin(local).to_owned())),
        ("private", word(Some(key.private))),
        ("sensitive", word(key.sensitive)),
        ("extractable", word(key.extractable)),
        ("bundled with", key.bundled_with.clone()),
        ("unique id", Some(key.unique_id.clone())),
        ("uri", Some(key.uri.clone())),
    ];
    all.into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect()
}
