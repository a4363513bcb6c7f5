//! Cases: a kind of object, what is done with it, and changes of a sound template by chance.

use cryptoki_sys as ck;

use super::names::{self, Form};
use super::sound::{KINDS, Kind, asked_of};

/// An attribute and its value.
pub type Row = (ck::CK_ATTRIBUTE_TYPE, Vec<u8>);

/// Numbers that look random and are the same every time (splitmix64).
pub struct Numbers(pub u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a length");
        usize::try_from(self.next() % end).expect("less than a length")
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

/// What is done with the changed template.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// An object is made with it.
    Make,
    /// A sound object is copied with it.
    Copy,
    /// It is set on a sound object.
    Set,
}

/// A change of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    Without(ck::CK_ATTRIBUTE_TYPE),
    /// In place of the attribute, if it was there.
    With(ck::CK_ATTRIBUTE_TYPE, Vec<u8>, &'static str),
}

impl Change {
    pub fn told(&self) -> String {
        match self {
            Self::Without(name) => format!("-{}", names::of(*name).name),
            Self::With(name, _, how) => format!("+{}={how}", names::of(*name).name),
        }
    }
}

/// One template and what is done with it.
#[derive(Clone)]
pub struct Case {
    pub kind: &'static Kind,
    pub act: Act,
    /// Through a read-only session.
    pub read_only: bool,
    pub changes: Vec<Change>,
}

impl Case {
    pub fn random(numbers: &mut Numbers) -> Self {
        let kind = numbers.pick(KINDS);
        let act = *numbers.pick(&[Act::Make, Act::Make, Act::Make, Act::Copy, Act::Set]);
        let read_only = numbers.below(12) == 0;
        let most = numbers.below(4);
        let mut changes: Vec<Change> = Vec::new();
        for _ in 0..most + usize::from(act == Act::Set) {
            let change = change(numbers, kind, act);
            let touched = |other: &Change| attribute(other) == attribute(&change);
            if !changes.iter().any(touched) {
                changes.push(change);
            }
        }
        Self { kind, act, read_only, changes }
    }

    /// The template with its changes; for Copy and Set the changes alone.
    pub fn template(&self) -> Vec<Row> {
        let mut rows = if self.act == Act::Make { (self.kind.sound)() } else { Vec::new() };
        for change in &self.changes {
            rows.retain(|(name, _)| *name != attribute(change));
            if let Change::With(name, value, _) = change {
                rows.push((*name, value.clone()));
            }
        }
        rows
    }

    /// The same without one of its changes.
    pub fn without(&self, place: usize) -> Self {
        let mut other = self.clone();
        other.changes.remove(place);
        other
    }

    /// What it is, without its changes.
    pub fn told(&self) -> String {
        let session = if self.read_only { " read-only" } else { "" };
        format!("{:?}{session} {}", self.act, self.kind.name)
    }
}

pub fn attribute(change: &Change) -> ck::CK_ATTRIBUTE_TYPE {
    match change {
        Change::Without(name) | Change::With(name, ..) => *name,
    }
}

fn change(numbers: &mut Numbers, kind: &'static Kind, act: Act) -> Change {
    let own = asked_of(kind);
    // An attribute of the kind, or now and then one that does not belong to it.
    let name = match numbers.below(12) {
        0 => numbers.pick(names::NAMES).number,
        _ => *numbers.pick(&own),
    };
    if act == Act::Make && numbers.below(10) == 0 {
        let sound = (kind.sound)();
        if !sound.is_empty() {
            return Change::Without(numbers.pick(&sound).0);
        }
    }
    let (value, how) = value(numbers, name);
    Change::With(name, value, how)
}

fn value(numbers: &mut Numbers, name: ck::CK_ATTRIBUTE_TYPE) -> (Vec<u8>, &'static str) {
    let ulong = |value: ck::CK_ULONG| value.to_ne_bytes().to_vec();
    match names::of(name).form {
        Form::Flag => match numbers.below(12) {
            0 => (Vec::new(), "empty"),
            1..=5 => (vec![0], "false"),
            _ => (vec![1], "true"),
        },
        Form::Number => match numbers.below(6) {
            0 => (ulong(0), "0"),
            1 => (ulong(ck::CK_ULONG::MAX), "max"),
            2 => (Vec::new(), "empty"),
            3 => (vec![1; 4], "short"),
            4 => (ulong(16), "16"),
            _ => (ulong(3), "3"),
        },
        Form::Bytes => match numbers.below(4) {
            0 => (Vec::new(), "empty"),
            1 => (vec![0; 1], "zero"),
            2 => (vec![7; 16], "16 bytes"),
            _ => (b"bytes".to_vec(), "5 bytes"),
        },
        Form::Date => match numbers.below(5) {
            0 => (Vec::new(), "empty"),
            1 => (b"2026".to_vec(), "short"),
            2 => (b"20269931".to_vec(), "no day"),
            3 => (b"20200101".to_vec(), "past"),
            _ => (b"20301231".to_vec(), "future"),
        },
        Form::Mechanisms => match numbers.below(3) {
            0 => (Vec::new(), "empty"),
            1 => (vec![1; 5], "5 bytes"),
            _ => (ulong(ck::CKM_AES_CBC), "one"),
        },
    }
}
