//! Leaves as messages of RFC 5424: the fields as structured data, the leaf itself as the text.

use claviger::audit::leaf::Leaf;

use super::line::Line;

/// The facility "log audit".
const FACILITY: u8 = 13;
/// Names our structured data. The project has no enterprise number; this is the one of examples
/// (RFC 5612), which nobody else can have.
const STRUCTURED_DATA: &str = "claviger@32473";

/// One message with its line end.
pub(super) fn message(line: &Line, leaf: &Leaf<'_>, bytes: &[u8]) -> String {
    write(line, severity(leaf), bytes)
}

/// Severities of RFC 5424: somebody changed something; a call failed, or something is missing;
/// all else is information.
fn severity(leaf: &Leaf<'_>) -> u8 {
    match leaf {
        Leaf::LaneDistrusted { .. } | Leaf::Quarantined { .. } => 2,
        Leaf::LaneCut { .. } => 4,
        Leaf::Generation { number, .. } if *number > 1 => 5,
        _ if leaf.record().is_some_and(|record| !record.succeeded()) => 4,
        _ => 6,
    }
}

fn write(line: &Line, severity: u8, leaf: &[u8]) -> String {
    let priority = FACILITY * 8 + severity;
    let time = line.time.map_or_else(|| "-".to_owned(), |time| time.to_string());
    let host = header(line.field("host"), 255);
    let process = header(line.field("pid"), 128);
    let message = header(line.field("call").or(Some(line.kind)), 32);
    let mut data = format!("[{STRUCTURED_DATA} index=\"{}\" kind=\"{}\"", line.index, line.kind);
    for (name, value) in &line.fields {
        data += &format!(" {name}=\"{}\"", parameter(value));
    }
    // The standard wants the mark before text that is not plain ASCII.
    let mark = if leaf.is_ascii() { "" } else { "\u{feff}" };
    let leaf = String::from_utf8_lossy(leaf);
    format!("<{priority}>1 {time} {host} claviger {process} {message} {data}] {mark}{leaf}\n")
}

/// A field of the header: printable ASCII without blanks, and not empty.
fn header(value: Option<&str>, longest: usize) -> String {
    let plain = |c: char| if c.is_ascii_graphic() { c } else { '?' };
    match value {
        None | Some("") => "-".to_owned(),
        Some(value) => value.chars().take(longest).map(plain).collect(),
    }
}

/// A value in structured data.
fn parameter(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use claviger::audit::time::Time;

    use super::*;

    #[test]
    fn a_message_is_one_line_with_everything_escaped() {
        let line = |fields: &[(&'static str, &str)]| {
            let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            Line { index: 7, kind: "use", time: Some(Time::from_micros(0)), fields }
        };
        let fields = [("call", "C_Sign"), ("host", "my host"), ("pid", "12"), ("op", "a]\"\\b")];
        assert_eq!(
            write(&line(&fields), 6, b"{}"),
            "<110>1 1970-01-01T00:00:00.000000Z my?host claviger 12 C_Sign \
             [claviger@32473 index=\"7\" kind=\"use\" call=\"C_Sign\" host=\"my host\" pid=\"12\" \
             op=\"a\\]\\\"\\\\b\"] {}\n"
        );
        let written = write(&line(&[]), 4, "{\"é\"}".as_bytes());
        assert!(written.contains("use\"] \u{feff}{\"é\"}\n"), "{written}");
        assert!(written.starts_with("<108>1 1970-01-01T00:00:00.000000Z - claviger - use "));
    }
}
