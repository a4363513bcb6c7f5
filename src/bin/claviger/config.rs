//! `claviger config`: show what is configured and check a file.
//!
//! What may stand in a file is decided in the library; here it is only told.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use claviger::config::{Candidate, ConfigError, Configuration, Origin, Source, Value};
use claviger::provider::offers::rule_problems;
use serde::Serialize;

use crate::failure::{Code, Failure};
use crate::output::{self, Format};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show every value and where it comes from.
    Show(Show),
    /// Check the configuration file, or another one, and tell everything that is wrong.
    Check(Check),
}

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    format: Format,
}

#[derive(Args)]
pub(crate) struct Check {
    /// The file to check instead of the one that counts.
    file: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Show(arguments) => show(&arguments),
        Command::Check(arguments) => check(&arguments),
    }
}

/// What `config show --json` prints.
#[derive(Serialize)]
struct Shown {
    file: Option<PathBuf>,
    values: Vec<ShownValue>,
}

#[derive(Serialize)]
struct ShownValue {
    key: String,
    value: serde_json::Value,
    /// `default`, `file`, `environment` or `system`.
    origin: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<&'static str>,
}

impl From<Source> for ShownValue {
    fn from(source: Source) -> Self {
        let (origin, line, variable) = match source.origin {
            Origin::Default => ("default", None, None),
            Origin::File(line) => ("file", Some(line), None),
            Origin::Environment(variable) => ("environment", None, Some(variable)),
            Origin::System => ("system", None, None),
        };
        let value = match source.value {
            Value::Text(text) => text.into(),
            Value::Number(number) => number.into(),
            Value::Switch(on) => on.into(),
            Value::List(items) => items.into(),
        };
        Self { key: source.key, value, origin, line, variable }
    }
}

fn show(arguments: &Show) -> Result<(), Failure> {
    let configuration = Configuration::of_this_process()?;
    if let Some(problem) = rule_problems(&configuration).into_iter().next() {
        return Err(problem.into());
    }
    let sources = configuration.sources();
    if arguments.format.json {
        let file = configuration.file().map(ToOwned::to_owned);
        let values = sources.into_iter().map(Into::into).collect();
        return output::print_json(&Shown { file, values });
    }
    let file = match configuration.file() {
        Some(file) => format!("# {}\n", output::printable(&file.to_string_lossy())),
        None => "# no configuration file\n".to_owned(),
    };
    let row = |source: &Source| {
        vec![
            format!("{} = {}", source.key, source.value),
            format!("# {}: {}", origin(source.origin), source.meaning),
        ]
    };
    let rows: Vec<Vec<String>> = sources.iter().map(row).collect();
    output::print(&(file + &output::table(&[], &rows)))
}

fn origin(origin: Origin) -> String {
    match origin {
        Origin::Default => "default".to_owned(),
        Origin::File(line) => format!("line {line}"),
        Origin::Environment(variable) => format!("${variable}"),
        Origin::System => "it is there and writable".to_owned(),
    }
}

/// What `config check --json` prints.
#[derive(Serialize)]
struct Checked {
    file: Option<PathBuf>,
    ok: bool,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Problem {
    file: Option<PathBuf>,
    line: Option<usize>,
    key: Option<String>,
    why: String,
}

/// Everything that is wrong with a file, the names of mechanisms in it included.
fn problems_of(file: &Path) -> Vec<ConfigError> {
    match Configuration::of_file(file) {
        Ok(configuration) => rule_problems(&configuration),
        Err(problems) => problems,
    }
}

fn check(arguments: &Check) -> Result<(), Failure> {
    let counting = || Configuration::candidates().into_iter().find(|candidate| candidate.counts);
    let file = arguments.file.clone().or_else(|| counting().map(|Candidate { path, .. }| path));
    let mut problems = file.as_deref().map_or(Vec::new(), problems_of);
    if arguments.file.is_none()
        && problems.is_empty()
        && let Err(error) = Configuration::of_this_process()
    {
        problems.push(error);
    }
    let ok = problems.is_empty();
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if arguments.format.json {
        let problem =
            |it: ConfigError| Problem { file: it.file, line: it.line, key: it.key, why: it.why };
        let problems = problems.into_iter().map(problem).collect();
        output::print_json(&Checked { file, ok, problems })?;
    } else if ok {
        let file = file.map_or("no configuration file: the defaults count".to_owned(), |file| {
            format!("{}: ok", file.display())
        });
        output::print(&(output::printable(&file) + "\n"))?;
    } else {
        output::print(&(output::printable(&lines.join("\n")) + "\n"))?;
    }
    if ok { Ok(()) } else { Err(Failure::new(Code::Configuration, "")) }
}
