//! Leaves as CSV (RFC 4180): a column for every field that any kind of leaf has.

use super::line::Line;

/// The columns, in order; new ones go to the end.
const COLUMNS: &[&str] = &[
    "index",
    "kind",
    "time",
    "lane",
    "seq",
    "role",
    "session",
    "call",
    "mechanism",
    "key",
    "version",
    "in",
    "rv",
    "head",
    "hash",
    "op",
    "actor",
    "trace",
    "boot",
    "host",
    "pid",
    "uid",
    "exe",
    "token",
    "custody",
    "records",
    "lost_bytes",
    "reason",
    "file",
    "number",
    "previous",
    "state_root",
    "slots",
    "token_hash",
    "epoch",
    "lanes",
    "machine",
    "inode",
];

/// What a spreadsheet takes for the beginning of a formula, in some of them also when it is wide.
const BEGINNINGS: &[char] = &['=', '+', '-', '@', '\'', '\t', '＝', '＋', '－', '＠'];

pub(super) fn heading() -> String {
    format!("{}\r\n", COLUMNS.join(","))
}

pub(super) fn row(line: &Line) -> String {
    let (index, time) = (line.index.to_string(), line.time.map(|time| time.to_string()));
    let value = |column: &&str| match *column {
        "index" => cell(&index),
        "kind" => cell(line.kind),
        "time" => cell(time.as_deref().unwrap_or_default()),
        column => cell(line.field(column).unwrap_or_default()),
    };
    let cells: Vec<String> = COLUMNS.iter().map(value).collect();
    format!("{}\r\n", cells.join(","))
}

/// A value that no spreadsheet computes: what callers and hosts wrote is only text. A value that
/// begins with an apostrophe gets one more, so that taking one away gives the value again.
fn cell(value: &str) -> String {
    let guard = if value.starts_with(BEGINNINGS) { "'" } else { "" };
    match value.contains([',', '"', '\r', '\n', ';']) {
        true => format!("\"{guard}{}\"", value.replace('"', "\"\"")),
        false => format!("{guard}{value}"),
    }
}

#[cfg(test)]
mod tests {
    use claviger::audit::leaf::{LaneOpened, Leaf, StateLeaf};
    use claviger::audit::record::{LaneId, Record};
    use claviger::audit::time::Time;

    use super::super::line::Processes;
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_early() {
        for (value, written) in [
            ("C_Sign", "C_Sign"),
            ("", ""),
            ("=1+1", "'=1+1"),
            ("-2", "'-2"),
            ("'=x", "''=x"),
            ("@SUM(1)", "'@SUM(1)"),
            ("＝1", "'＝1"),
            ("a,b", "\"a,b\""),
            ("=a\"b", "\"'=a\"\"b\""),
        ] {
            assert_eq!(cell(value), written);
        }
        let actor = "=cmd|' /C calc'!A0,".to_owned();
        let fields = vec![("call", "C_Sign".to_owned()), ("actor", actor)];
        let line = Line { index: 7, kind: "use", time: Some(Time::from_micros(0)), fields };
        let written = row(&line);
        assert_eq!(written.matches(',').count(), COLUMNS.len());
        assert!(written.starts_with("7,use,1970-01-01T00:00:00.000000Z,"), "{written}");
        assert!(written.contains(",\"'=cmd|' /C calc'!A0,\","), "{written}");
        assert!(written.ends_with("\r\n"));
    }

    #[test]
    fn every_field_of_every_leaf_has_a_column() {
        let text = || Some("x".into());
        let number = Some(1);
        let record = Record {
            mechanism: text(),
            key: text(),
            version: number,
            input: number,
            hash: text(),
            op: text(),
            actor: text(),
            trace: text(),
            ..Record::default()
        };
        let (lane, time) = (LaneId(1), Time::default());
        let (records, lost_bytes) = (1, 1);
        let reason = || "x".into();
        for leaf in [
            Leaf::LaneOpened(LaneOpened { lane, trace: text(), ..LaneOpened::default() }),
            Leaf::Use(Record { lane, ..record }),
            Leaf::LaneClosed { lane, records, time },
            Leaf::LaneCut { lane, records, lost_bytes, reason: reason(), time },
            Leaf::LaneDistrusted { lane, records, file: reason(), time },
            Leaf::Generation { number: 1, time, previous: text(), reason: reason() },
            Leaf::State(StateLeaf::default()),
        ] {
            let mut processes = Processes::default();
            processes.pass(&leaf);
            for (field, _) in processes.line(0, &leaf).fields {
                assert!(COLUMNS.contains(&field), "{field}");
            }
        }
    }
}
