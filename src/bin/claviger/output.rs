//! What is printed: tables for people, JSON for programs, failures for both.
//! Results go to standard output, everything else to standard error.

use std::io::{self, ErrorKind, Write};

use clap::Args;
use serde::Serialize;

use crate::failure::{Code, Failure};

/// How a command prints its result.
#[derive(Args, Clone, Copy)]
pub(crate) struct Format {
    /// Print JSON with the field names that docs/cli.md lists.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints a result. A reader that went away is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Failed, format!("the result cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a result as JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Code::Failed, format!("not writable as JSON: {error}")))?;
    print(&format!("{text}\n"))
}

/// Says something beside the result.
pub(crate) fn note(text: &str) {
    // A closed standard error leaves nobody to tell.
    let _ = writeln!(io::stderr(), "claviger: {}", printable(text));
}

/// Tells a failure: its cause and the way out.
pub(crate) fn report(failure: &Failure) {
    if failure.cause.is_empty() {
        return;
    }
    note(&format!("error: {}", failure.cause));
    if let Some(way_out) = &failure.way_out {
        note(&format!("       {way_out}"));
    }
}

/// Text that cannot move the cursor: labels are written by others.
pub(crate) fn printable(text: &str) -> String {
    let escaped = |letter: char| match letter {
        '\n' => letter.to_string(),
        _ if claviger::audit::hidden(letter) => letter.escape_unicode().to_string(),
        _ => letter.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// Rows with aligned columns below a heading, if there is one; nothing if there are no rows.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heading: Vec<String> = heading.iter().map(|name| (*name).to_owned()).collect();
    let rows: Vec<Vec<String>> = Some(&heading)
        .filter(|heading| !heading.is_empty())
        .into_iter()
        .chain(rows)
        .map(|row| row.iter().map(|cell| printable(cell).replace('\n', " ")).collect())
        .collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(column, cell)| format!("{cell:<width$}", width = width(column).unwrap_or(0)))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// Lines of name and value, the names aligned.
pub(crate) fn fields(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().map(|(name, value)| format!("{name:<width$}  {}\n", printable(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_nothing_moves_the_cursor() {
        let rows = vec![
            vec!["a\u{1b}[2J".to_owned(), "1".to_owned()],
            vec!["ü".to_owned(), "22".to_owned()],
        ];
        assert_eq!(table(&["NAME", "N"], &rows), "NAME        N\na\\u{1b}[2J  1\nü           22\n");
        assert_eq!(fields(&[("a", "1".into()), ("bbb", "2".into())]), "a    1\nbbb  2\n");
    }
}
