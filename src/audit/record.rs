//! The record of one call: who did what with which key, and what came of it.
//!
//! One JSON line with its keys in one order; the stored bytes are the leaf. There is no field
//! for a PIN, for key material, for plaintext or for a label.

use std::borrow::Cow;
use std::fmt;

use super::line::{LineError, Reader, Writer, push_hex, read_hex};
use super::time::Time;

/// Names a lane, at random: 16 hexadecimal digits. With 64 bits a log can have millions of
/// lanes before two are likely to be named alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LaneId(pub u64);

impl LaneId {
    /// For records of calls that no lane is open for.
    pub const NONE: Self = Self(0);

    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text.as_bytes())
    }

    pub(super) fn read(text: &[u8]) -> Option<Self> {
        read_hex(text).map(|bytes| Self(u64::from_be_bytes(bytes)))
    }

    pub(super) fn push(self, out: &mut Vec<u8>) {
        out.push(b'"');
        push_hex(out, &self.0.to_be_bytes());
        out.push(b'"');
    }
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Who was logged in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// Nobody.
    #[default]
    None,
    /// The user.
    User,
    /// The security officer.
    SecurityOfficer,
}

impl Role {
    /// As records write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::User => "user",
            Self::SecurityOfficer => "so",
        }
    }

    fn read(text: &[u8]) -> Option<Self> {
        let all = [Self::None, Self::User, Self::SecurityOfficer];
        all.into_iter().find(|role| role.name().as_bytes() == text)
    }
}

/// The record of one call.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Record<'a> {
    /// The lane of the process; what is the same for all its calls stands in the leaf that
    /// opens the lane.
    pub lane: LaneId,
    /// Position in the lane, from 1; 0 without a lane.
    pub seq: u64,
    /// When the call ended.
    pub time: Time,
    /// Who was logged in.
    pub role: Role,
    /// The session's handle.
    pub session: u64,
    /// The function's name.
    pub call: Cow<'a, str>,
    /// The mechanism's name.
    pub mechanism: Option<Cow<'a, str>>,
    /// The object's unique id.
    pub key: Option<Cow<'a, str>>,
    /// The object's version.
    pub version: Option<u64>,
    /// Bytes of input.
    pub input: Option<u64>,
    /// What the call returned.
    pub rv: Cow<'a, str>,
    /// The size of the log that the process had seen.
    pub head: u64,
    /// A keyed hash over the input, if the configuration asks for it.
    pub hash: Option<Cow<'a, str>>,
    /// The caller's name for what it is doing.
    pub op: Option<Cow<'a, str>>,
    /// On whose behalf, as the caller says.
    pub actor: Option<Cow<'a, str>>,
    /// The caller's trace, if it is not the lane's.
    pub trace: Option<Cow<'a, str>>,
}

impl<'a> Record<'a> {
    /// Adds the line to a buffer, without an end of line.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.write(Writer::new(out));
    }

    /// Reads a line that `encode` made, and nothing else.
    ///
    /// # Errors
    /// Where it is not such a line.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LineError> {
        Self::read(Reader::new(bytes))
    }

    /// True if the call succeeded.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.rv == "CKR_OK"
    }

    /// A record that borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        let own = |text: Cow<'a, str>| Cow::Owned::<'static, str>(text.into_owned());
        Record {
            call: own(self.call),
            mechanism: self.mechanism.map(own),
            key: self.key.map(own),
            rv: own(self.rv),
            hash: self.hash.map(own),
            op: self.op.map(own),
            actor: self.actor.map(own),
            trace: self.trace.map(own),
            lane: self.lane,
            seq: self.seq,
            time: self.time,
            role: self.role,
            session: self.session,
            version: self.version,
            input: self.input,
            head: self.head,
        }
    }

    pub(super) fn write(&self, mut line: Writer<'_>) {
        self.lane.push(line.key("lane"));
        line.number("seq", self.seq);
        line.plain("time", &self.time.text());
        line.plain("role", self.role.name().as_bytes());
        line.number("session", self.session);
        line.text("call", &self.call);
        line.optional_text("mechanism", self.mechanism.as_deref());
        line.optional_text("key", self.key.as_deref());
        line.optional_number("version", self.version);
        line.optional_number("in", self.input);
        line.text("rv", &self.rv);
        line.number("head", self.head);
        line.optional_text("hash", self.hash.as_deref());
        line.optional_text("op", self.op.as_deref());
        line.optional_text("actor", self.actor.as_deref());
        line.optional_text("trace", self.trace.as_deref());
        line.finish();
    }

    pub(super) fn read(mut line: Reader<'a>) -> Result<Self, LineError> {
        let record = Self {
            lane: read_lane(&mut line)?,
            seq: line.number("seq")?,
            time: read_time(&mut line)?,
            role: Role::read(line.plain("role")?).ok_or(line.wrong("none, user or so"))?,
            session: line.number("session")?,
            call: line.text("call")?,
            mechanism: line.optional_text("mechanism")?,
            key: line.optional_text("key")?,
            version: line.optional_number("version")?,
            input: line.optional_number("in")?,
            rv: line.text("rv")?,
            head: line.number("head")?,
            hash: line.optional_text("hash")?,
            op: line.optional_text("op")?,
            actor: line.optional_text("actor")?,
            trace: line.optional_text("trace")?,
        };
        line.finish()?;
        Ok(record)
    }
}

pub(super) fn read_lane(line: &mut Reader<'_>) -> Result<LaneId, LineError> {
    LaneId::read(line.plain("lane")?).ok_or(line.wrong("16 hexadecimal digits"))
}

pub(super) fn read_time(line: &mut Reader<'_>) -> Result<Time, LineError> {
    Time::parse(line.plain("time")?).ok_or(line.wrong("a time in UTC"))
}
