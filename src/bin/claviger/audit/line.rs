//! One leaf of the log as names and values, in the order in which the leaf has them; with each
//! record, the process whose lane it came in.

use std::collections::HashMap;
use std::fmt::Write;

use claviger::audit::hidden;
use claviger::audit::leaf::{LaneOpened, Leaf, StateLeaf};
use claviger::audit::record::{LaneId, Record};
use claviger::audit::time::Time;

pub(super) type Fields = Vec<(&'static str, String)>;

/// A leaf in words.
pub(super) struct Line {
    pub(super) index: u64,
    pub(super) kind: &'static str,
    pub(super) time: Option<Time>,
    pub(super) fields: Fields,
}

impl Line {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| *field == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The processes whose lanes are open, at the place that a reader has come to.
#[derive(Default)]
pub(super) struct Processes(HashMap<LaneId, Fields>);

impl Processes {
    /// A leaf in words.
    pub(super) fn line(&self, index: u64, leaf: &Leaf<'_>) -> Line {
        let mut fields = Fields::new();
        match leaf {
            Leaf::Use(record) | Leaf::Change(record) | Leaf::Unauthenticated(record) => {
                record_fields(record, &mut fields);
                let process = self.0.get(&record.lane).into_iter().flatten();
                fields.extend(process.map(|(name, value)| (*name, value.clone())));
            }
            Leaf::LaneOpened(opened) => {
                fields.push(("lane", opened.lane.to_string()));
                process_fields(opened, &mut fields);
                push(&mut fields, "trace", opened.trace.as_deref());
            }
            Leaf::LaneClosed { lane, records, .. } => {
                fields.push(("lane", lane.to_string()));
                fields.push(("records", records.to_string()));
            }
            Leaf::LaneCut { lane, records, lost_bytes, reason, .. } => {
                fields.push(("lane", lane.to_string()));
                fields.push(("records", records.to_string()));
                fields.push(("lost_bytes", lost_bytes.to_string()));
                push(&mut fields, "reason", Some(reason));
            }
            Leaf::LaneDistrusted { lane, records, file, .. } => {
                fields.push(("lane", lane.to_string()));
                fields.push(("records", records.to_string()));
                push(&mut fields, "file", Some(file));
            }
            Leaf::Quarantined { key, reason, .. } => {
                push(&mut fields, "key", key.as_deref());
                push(&mut fields, "reason", Some(reason));
            }
            Leaf::Generation { number, previous, reason, .. } => {
                fields.push(("number", number.to_string()));
                push(&mut fields, "previous", previous.as_deref());
                push(&mut fields, "reason", Some(reason));
            }
            Leaf::State(state) => state_fields(state, &mut fields),
        }
        Line { index, kind: kind(leaf), time: time(leaf), fields }
    }

    /// Goes past a leaf.
    pub(super) fn pass(&mut self, leaf: &Leaf<'_>) {
        match leaf {
            Leaf::LaneOpened(opened) => {
                let mut fields = Fields::new();
                process_fields(opened, &mut fields);
                self.0.insert(opened.lane, fields);
            }
            Leaf::LaneClosed { lane, .. }
            | Leaf::LaneCut { lane, .. }
            | Leaf::LaneDistrusted { lane, .. } => {
                self.0.remove(lane);
            }
            _ => {}
        }
    }
}

pub(super) const fn kind(leaf: &Leaf<'_>) -> &'static str {
    match leaf {
        Leaf::Use(_) => "use",
        Leaf::Change(_) => "change",
        Leaf::Unauthenticated(_) => "unauthenticated",
        Leaf::LaneOpened(_) => "lane-opened",
        Leaf::LaneClosed { .. } => "lane-closed",
        Leaf::LaneCut { .. } => "lane-cut",
        Leaf::LaneDistrusted { .. } => "lane-distrusted",
        Leaf::Quarantined { .. } => "quarantined",
        Leaf::Generation { .. } => "generation",
        Leaf::State(_) => "state",
    }
}

/// When it happened; a state leaf has no time of its own.
pub(super) const fn time(leaf: &Leaf<'_>) -> Option<Time> {
    match leaf {
        Leaf::Use(record) | Leaf::Change(record) | Leaf::Unauthenticated(record) => {
            Some(record.time)
        }
        Leaf::LaneOpened(opened) => Some(opened.time),
        Leaf::LaneClosed { time, .. }
        | Leaf::LaneCut { time, .. }
        | Leaf::LaneDistrusted { time, .. }
        | Leaf::Quarantined { time, .. }
        | Leaf::Generation { time, .. } => Some(*time),
        Leaf::State(_) => None,
    }
}

/// Whose lane it is about.
pub(super) const fn lane(leaf: &Leaf<'_>) -> Option<LaneId> {
    match leaf {
        Leaf::Use(record) | Leaf::Change(record) | Leaf::Unauthenticated(record) => {
            Some(record.lane)
        }
        Leaf::LaneOpened(opened) => Some(opened.lane),
        Leaf::LaneClosed { lane, .. }
        | Leaf::LaneCut { lane, .. }
        | Leaf::LaneDistrusted { lane, .. } => Some(*lane),
        Leaf::Quarantined { .. } | Leaf::Generation { .. } | Leaf::State(_) => None,
    }
}

fn push(fields: &mut Fields, name: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        fields.push((name, visible(value)));
    }
}

fn push_number(fields: &mut Fields, name: &'static str, value: Option<u64>) {
    if let Some(value) = value {
        fields.push((name, value.to_string()));
    }
}

fn record_fields(record: &Record<'_>, fields: &mut Fields) {
    fields.push(("lane", record.lane.to_string()));
    fields.push(("seq", record.seq.to_string()));
    fields.push(("role", record.role.name().to_owned()));
    fields.push(("session", record.session.to_string()));
    push(fields, "call", Some(&record.call));
    push(fields, "mechanism", record.mechanism.as_deref());
    push(fields, "key", record.key.as_deref());
    push_number(fields, "version", record.version);
    push_number(fields, "in", record.input);
    push(fields, "rv", Some(&record.rv));
    fields.push(("head", record.head.to_string()));
    push(fields, "hash", record.hash.as_deref());
    push(fields, "op", record.op.as_deref());
    push(fields, "actor", record.actor.as_deref());
    push(fields, "trace", record.trace.as_deref());
}

fn process_fields(opened: &LaneOpened<'_>, fields: &mut Fields) {
    push(fields, "boot", Some(&opened.boot));
    push(fields, "host", Some(&opened.host));
    fields.push(("pid", opened.pid.to_string()));
    fields.push(("uid", opened.uid.to_string()));
    push(fields, "exe", Some(&opened.exe));
    push(fields, "token", Some(&opened.token));
    push(fields, "custody", Some(&opened.custody));
}

fn state_fields(state: &StateLeaf<'_>, fields: &mut Fields) {
    let lanes: Vec<String> =
        state.lanes.iter().map(|(lane, records)| format!("{lane}:{records}")).collect();
    fields.push(("state_root", crate::view::hex(&state.state_root)));
    fields.push(("slots", state.slots.to_string()));
    fields.push(("token_hash", crate::view::hex(&state.token_hash)));
    fields.push(("epoch", state.epoch.to_string()));
    fields.push(("lanes", lanes.join(" ")));
    push(fields, "machine", Some(&state.machine));
    fields.push(("inode", state.inode.to_string()));
}

/// Text as the leaf has it, except that quotation marks stand for themselves: nothing in it can
/// move a cursor, end a line or change the direction of what follows, and no two texts become one.
/// Hosts and callers choose it.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            // Writing to a string cannot fail.
            _ if hidden(c) => drop(write!(shown, "\\u{:04x}", u32::from(c))),
            _ => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn nothing_in_a_value_ends_a_line_or_moves_the_cursor() {
        let hostile = "a\n\u{1b}[2J\u{9b}\u{202e}é\\";
        assert_eq!(visible(hostile), "a\\u000a\\u001b[2J\\u009b\\u202eé\\\\");
    }
}
