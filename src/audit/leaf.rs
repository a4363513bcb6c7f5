//! What a leaf of the log can be: the record of a use as it stood in its lane, or a line that
//! begins with its kind.
//!
//! A commit's last leaf is the state leaf: what the store holds, in one hash, and how far each
//! lane is in the log.

use std::borrow::Cow;

use super::line::{LineError, Reader, Writer, push_hex, push_number, read_hex};
use super::record::{LaneId, Record, read_lane, read_time};
use super::time::Time;
use super::tree::Hash;

/// A leaf.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Leaf<'a> {
    /// A use, out of a lane.
    Use(Record<'a>),
    /// A call that changed the token.
    Change(Record<'a>),
    /// A call before any login, kept without a key: it names no mechanism and no key, and is no
    /// login that succeeded.
    Unauthenticated(Record<'a>),
    /// A process has opened its lane.
    LaneOpened(LaneOpened<'a>),
    /// A lane is in the log from its first record to its last.
    LaneClosed {
        /// Which.
        lane: LaneId,
        /// How many records it had.
        records: u64,
        /// When that was found.
        time: Time,
    },
    /// A lane ends before it was closed; what was valid of it is in the log.
    LaneCut {
        /// Which.
        lane: LaneId,
        /// How many records of it, from the first, are in the log.
        records: u64,
        /// How many bytes after them could not be used.
        lost_bytes: u64,
        /// What is known about why.
        reason: Cow<'a, str>,
        /// When that was found.
        time: Time,
    },
    /// A lane that somebody has changed, or that is gone; it was kept aside.
    LaneDistrusted {
        /// Which.
        lane: LaneId,
        /// How many records of it, from the first, are in the log.
        records: u64,
        /// Where it is kept.
        file: Cow<'a, str>,
        /// When that was found.
        time: Time,
    },
    /// Something of the store was found to be changed outside and is not used any more. It is
    /// kept as it was found.
    Quarantined {
        /// The object's unique id, if it is one that can be named.
        key: Option<Cow<'a, str>>,
        /// What was found.
        reason: Cow<'a, str>,
        /// When.
        time: Time,
    },
    /// The log begins.
    Generation {
        /// Which generation, as in the log's name.
        number: u64,
        /// When.
        time: Time,
        /// The last checkpoint that was known of the generation before, a signed note.
        previous: Option<Cow<'a, str>>,
        /// Why there is a new generation.
        reason: Cow<'a, str>,
    },
    /// What the store holds.
    State(StateLeaf<'a>),
}

/// What is the same for all calls of a process.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LaneOpened<'a> {
    /// Which lane.
    pub lane: LaneId,
    /// When.
    pub time: Time,
    /// The boot id of the kernel.
    pub boot: Cow<'a, str>,
    /// The host's name.
    pub host: Cow<'a, str>,
    /// The process.
    pub pid: u64,
    /// Its effective user.
    pub uid: u64,
    /// Its program (see `printable`).
    pub exe: Cow<'a, str>,
    /// The token's serial number.
    pub token: Cow<'a, str>,
    /// Where the private keys live.
    pub custody: Cow<'a, str>,
    /// The trace that the process was started under.
    pub trace: Option<Cow<'a, str>>,
}

/// What the store holds, in one hash.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StateLeaf<'a> {
    /// The root over the slots of objects.
    pub state_root: Hash,
    /// How many slots.
    pub slots: u64,
    /// The hash of the token record, without what changes by itself.
    pub token_hash: Hash,
    /// The epoch of the key-encryption key.
    pub epoch: u64,
    /// The open lanes in order, each with the number of its records, from the first without a
    /// gap, that are in the log.
    pub lanes: Vec<(LaneId, u64)>,
    /// The machine's id.
    pub machine: Cow<'a, str>,
    /// The database file's inode.
    pub inode: u64,
}

/// The name of a file or host as text. Bytes that are no UTF-8 become `\xNN`; backslashes are
/// doubled, so that no two names become one text.
#[must_use]
pub fn printable(name: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(name)
        && !text.contains('\\')
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text += &chunk.valid().replace('\\', "\\\\");
        chunk.invalid().iter().for_each(|byte| text += &format!("\\x{byte:02x}"));
    }
    Cow::Owned(text)
}

impl<'a> Leaf<'a> {
    /// Adds the line to a buffer, without an end of line.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut line = Writer::new(out);
        match self {
            Self::Use(record) => record.write(line),
            Self::Change(record) => {
                line.plain("kind", b"change");
                record.write(line);
            }
            Self::Unauthenticated(record) => {
                line.plain("kind", b"unauthenticated");
                record.write(line);
            }
            Self::LaneOpened(opened) => opened.write(line),
            Self::LaneClosed { lane, records, time } => {
                line.plain("kind", b"lane-closed");
                lane.push(line.key("lane"));
                line.number("records", *records);
                line.plain("time", &time.text());
                line.finish();
            }
            Self::LaneCut { lane, records, lost_bytes, reason, time } => {
                line.plain("kind", b"lane-cut");
                lane.push(line.key("lane"));
                line.number("records", *records);
                line.number("lost_bytes", *lost_bytes);
                line.text("reason", reason);
                line.plain("time", &time.text());
                line.finish();
            }
            Self::LaneDistrusted { lane, records, file, time } => {
                line.plain("kind", b"lane-distrusted");
                lane.push(line.key("lane"));
                line.number("records", *records);
                line.text("file", file);
                line.plain("time", &time.text());
                line.finish();
            }
            Self::Quarantined { key, reason, time } => {
                line.plain("kind", b"quarantined");
                line.optional_text("key", key.as_deref());
                line.text("reason", reason);
                line.plain("time", &time.text());
                line.finish();
            }
            Self::Generation { number, time, previous, reason } => {
                line.plain("kind", b"generation");
                line.number("number", *number);
                line.plain("time", &time.text());
                line.optional_text("previous", previous.as_deref());
                line.text("reason", reason);
                line.finish();
            }
            Self::State(state) => state.write(line),
        }
    }

    /// The line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        bytes
    }

    /// Reads a line that `encode` made, and nothing else.
    ///
    /// # Errors
    /// Where it is not such a line.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LineError> {
        let mut line = Reader::new(bytes);
        if !line.has("kind") {
            return Record::read(line).map(Self::Use);
        }
        match line.plain_value("a kind")? {
            b"change" => Record::read(line).map(Self::Change),
            b"unauthenticated" => read_unauthenticated(line),
            b"lane-opened" => LaneOpened::read(line).map(Self::LaneOpened),
            b"state" => StateLeaf::read(line).map(Self::State),
            b"lane-closed" => {
                let (lane, records) = (read_lane(&mut line)?, line.number("records")?);
                let time = read_time(&mut line)?;
                line.finish().map(|()| Self::LaneClosed { lane, records, time })
            }
            b"lane-cut" => {
                let (lane, records) = (read_lane(&mut line)?, line.number("records")?);
                let (lost_bytes, reason) = (line.number("lost_bytes")?, line.text("reason")?);
                let time = read_time(&mut line)?;
                line.finish()?;
                Ok(Self::LaneCut { lane, records, lost_bytes, reason, time })
            }
            b"lane-distrusted" => {
                let (lane, records) = (read_lane(&mut line)?, line.number("records")?);
                let (file, time) = (line.text("file")?, read_time(&mut line)?);
                line.finish().map(|()| Self::LaneDistrusted { lane, records, file, time })
            }
            b"quarantined" => {
                let (key, reason) = (line.optional_text("key")?, line.text("reason")?);
                let time = read_time(&mut line)?;
                line.finish().map(|()| Self::Quarantined { key, reason, time })
            }
            b"generation" => {
                let (number, time) = (line.number("number")?, read_time(&mut line)?);
                let (previous, reason) = (line.optional_text("previous")?, line.text("reason")?);
                line.finish().map(|()| Self::Generation { number, time, previous, reason })
            }
            _ => Err(line.wrong("a kind that is known")),
        }
    }

    /// The record, if it is one of a call.
    #[must_use]
    pub const fn record(&self) -> Option<&Record<'a>> {
        match self {
            Self::Use(record) | Self::Change(record) | Self::Unauthenticated(record) => {
                Some(record)
            }
            _ => None,
        }
    }
}

/// Without a key anyone can write such records: none may pass for the use of a key.
fn read_unauthenticated(line: Reader<'_>) -> Result<Leaf<'_>, LineError> {
    let wrong = line.wrong("nothing that needs a login");
    let record = Record::read(line)?;
    let names_key = record.key.is_some() || record.mechanism.is_some() || record.version.is_some();
    let login = record.call.starts_with("C_Login") && record.succeeded();
    if names_key || login { Err(wrong) } else { Ok(Leaf::Unauthenticated(record)) }
}

impl<'a> LaneOpened<'a> {
    fn write(&self, mut line: Writer<'_>) {
        line.plain("kind", b"lane-opened");
        self.lane.push(line.key("lane"));
        line.plain("time", &self.time.text());
        line.text("boot", &self.boot);
        line.text("host", &self.host);
        line.number("pid", self.pid);
        line.number("uid", self.uid);
        line.text("exe", &self.exe);
        line.text("token", &self.token);
        line.text("custody", &self.custody);
        line.optional_text("trace", self.trace.as_deref());
        line.finish();
    }

    fn read(mut line: Reader<'a>) -> Result<Self, LineError> {
        let opened = Self {
            lane: read_lane(&mut line)?,
            time: read_time(&mut line)?,
            boot: line.text("boot")?,
            host: line.text("host")?,
            pid: line.number("pid")?,
            uid: line.number("uid")?,
            exe: line.text("exe")?,
            token: line.text("token")?,
            custody: line.text("custody")?,
            trace: line.optional_text("trace")?,
        };
        line.finish().map(|()| opened)
    }
}

impl<'a> StateLeaf<'a> {
    fn write(&self, mut line: Writer<'_>) {
        line.plain("kind", b"state");
        write_hash(&mut line, "state_root", &self.state_root);
        line.number("slots", self.slots);
        write_hash(&mut line, "token_hash", &self.token_hash);
        line.number("epoch", self.epoch);
        let out = line.key("lanes");
        out.push(b'[');
        for (place, (lane, records)) in self.lanes.iter().enumerate() {
            out.extend_from_slice(if place == 0 { b"[" } else { b",[" });
            lane.push(out);
            out.push(b',');
            push_number(out, *records);
            out.push(b']');
        }
        out.push(b']');
        line.text("machine", &self.machine);
        line.number("inode", self.inode);
        line.finish();
    }

    fn read(mut line: Reader<'a>) -> Result<Self, LineError> {
        let state = Self {
            state_root: read_hash(&mut line, "state_root")?,
            slots: line.number("slots")?,
            token_hash: read_hash(&mut line, "token_hash")?,
            epoch: line.number("epoch")?,
            lanes: read_lanes(&mut line)?,
            machine: line.text("machine")?,
            inode: line.number("inode")?,
        };
        line.finish().map(|()| state)
    }
}

fn read_lanes(line: &mut Reader<'_>) -> Result<Vec<(LaneId, u64)>, LineError> {
    const EXPECTED: &str = "open lanes in order";
    let mut lanes: Vec<(LaneId, u64)> = Vec::new();
    if !line.has("lanes") {
        return Err(line.wrong("lanes"));
    }
    line.mark(b"[", EXPECTED)?;
    while !line.at(b"]") {
        line.mark(if lanes.is_empty() { b"[" } else { b",[" }, EXPECTED)?;
        let id = LaneId::read(line.plain_value(EXPECTED)?).ok_or(line.wrong(EXPECTED))?;
        line.mark(b",", EXPECTED)?;
        let records = line.number_value()?;
        line.mark(b"]", EXPECTED)?;
        if lanes.last().is_some_and(|(last, _)| *last >= id) {
            return Err(line.wrong(EXPECTED));
        }
        lanes.push((id, records));
    }
    Ok(lanes)
}

fn write_hash(line: &mut Writer<'_>, key: &'static str, hash: &Hash) {
    let out = line.key(key);
    out.push(b'"');
    push_hex(out, hash);
    out.push(b'"');
}

fn read_hash(line: &mut Reader<'_>, key: &'static str) -> Result<Hash, LineError> {
    read_hex(line.plain(key)?).ok_or(line.wrong("64 hexadecimal digits"))
}
