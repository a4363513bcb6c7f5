//! Comparing two answers, cutting a difference down to what it takes, and the list of reasons.

use std::collections::{BTreeMap, BTreeSet};

use cryptoki_sys as ck;

use super::cases::{Case, Change};
use super::names::{self, Form};
use super::sides::{Answer, Read, Side};
use super::sound::Birth;
use crate::support::Rv;

/// How often a difference was seen, and with which changes first.
#[derive(Default)]
struct Seen {
    times: u64,
    first: String,
}

/// All differences.
#[derive(Default)]
pub struct Differences {
    seen: BTreeMap<String, Seen>,
    compared: u64,
    made: u64,
}

impl Differences {
    pub fn compare(&mut self, sides: &[Side<'_>; 2], case: &Case) {
        let answers = answers(sides, case);
        self.compared += 1;
        let [ours, theirs] = &answers;
        if ours.rv == ck::CKR_OK && theirs.rv == ck::CKR_OK {
            self.made += 1;
        }
        if kind_of(&answers) != Difference::None {
            let (least, answers) = cut_down(sides, case, answers);
            if kind_of(&answers) == Difference::Why && least.changes.len() > 1 {
                // Each side tells of another of two faults: the standard leaves the order open.
                return;
            }
            let [ours, theirs] = answers.map(|answer| Rv(answer.rv));
            self.note(format!("{}\t{}\t{ours}\t{theirs}", least.told(), changes(&least)), case);
            return;
        }
        let refused = if ours.rv == ck::CKR_OK { "" } else { "refused " };
        for ((name, ours), (_, theirs)) in ours.reads.iter().zip(&theirs.reads) {
            if ours != theirs && !is_chance(case, *name, ours, theirs) {
                let (name, form) = (names::of(*name).name, names::of(*name).form);
                let (ours, theirs) = (shown(form, ours), shown(form, theirs));
                self.note(
                    format!("{refused}{}\treads {name}\t{ours}\t{theirs}", case.told()),
                    case,
                );
            }
        }
    }

    fn note(&mut self, what: String, case: &Case) {
        let seen = self.seen.entry(what).or_default();
        if seen.times == 0 {
            seen.first = changes(case);
        }
        seen.times += 1;
    }

    /// Fails the test unless each difference has a reason, and each reason a difference if these
    /// are the templates that they were written for.
    #[track_caller]
    pub fn tell(self, reasons: &Explanations, all: bool) {
        let mut used = BTreeSet::new();
        let mut told = Vec::new();
        for (what, Seen { times, first }) in &self.seen {
            match reasons.of(what) {
                Some(number) => _ = used.insert(number),
                None => told.push(format!("{what}\t({times} times, first with {first})")),
            }
        }
        let is_idle = |(number, row): &(usize, &[String; 5])| {
            !used.contains(number) && !row[4].starts_with("rare")
        };
        let idle = reasons.0.iter().enumerate().filter(is_idle);
        let idle: Vec<_> = idle.map(|(_, row)| row.join("\t")).collect();
        println!(
            "{} templates compared, {} taken by both; {} kinds of differences, {} not explained",
            self.compared,
            self.made,
            self.seen.len(),
            told.len()
        );
        assert!(told.is_empty(), "differences that nothing explains:\n{}", told.join("\n"));
        assert!(!all || idle.is_empty(), "reasons that nothing needs:\n{}", idle.join("\n"));
        assert!(self.made > self.compared / 4, "hardly anything was made");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Difference {
    None,
    /// One did it, the other refused.
    Whether,
    /// Both refused what has one fault, with different codes.
    Why,
}

fn answers(sides: &[Side<'_>; 2], case: &Case) -> [Answer; 2] {
    sides.each_ref().map(|side| side.answer(case))
}

fn kind_of([ours, theirs]: &[Answer; 2]) -> Difference {
    match (ours.rv == theirs.rv, ours.rv == ck::CKR_OK || theirs.rv == ck::CKR_OK) {
        (true, _) => Difference::None,
        (false, true) => Difference::Whether,
        (false, false) => Difference::Why,
    }
}

/// A case's changes in words.
fn changes(case: &Case) -> String {
    let mut told: Vec<String> = case.changes.iter().map(Change::told).collect();
    told.sort();
    if told.is_empty() { "sound".to_owned() } else { told.join(" ") }
}

/// The case with as few changes as show the same difference, and its answers.
fn cut_down(sides: &[Side<'_>; 2], case: &Case, mut answered: [Answer; 2]) -> (Case, [Answer; 2]) {
    let mut least = case.clone();
    let wanted = kind_of(&answered);
    let mut place = 0;
    while place < least.changes.len() {
        let fewer = least.without(place);
        let again = answers(sides, &fewer);
        if kind_of(&again) == wanted {
            (least, answered) = (fewer, again);
        } else {
            place += 1;
        }
    }
    (least, answered)
}

/// Whether values differ because each side made its own.
fn is_chance(case: &Case, name: ck::CK_ATTRIBUTE_TYPE, ours: &Read, theirs: &Read) -> bool {
    let random = matches!(name, ck::CKA_VALUE | ck::CKA_CHECK_VALUE | ck::CKA_EC_POINT);
    let lengths = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => ours.len() == theirs.len(),
        _ => false,
    };
    case.kind.birth != Birth::Create && random && lengths
}

fn shown(form: Form, read: &Read) -> String {
    match read {
        Err(rv) => Rv(*rv).to_string(),
        Ok(value) if value.is_empty() => "empty".to_owned(),
        Ok(value) if form == Form::Flag => {
            if value[0] == 0 {
                "false".to_owned()
            } else {
                "true".to_owned()
            }
        }
        Ok(value) if form == Form::Number && value.len() == 8 => {
            let number = ck::CK_ULONG::from_ne_bytes(value.as_slice().try_into().expect("eight"));
            format!("{number:#x}")
        }
        Ok(value) => format!("{} bytes", value.len()),
    }
}

/// Why differences are as they are: a line each, of four patterns and a reason.
pub struct Explanations(Vec<[String; 5]>);

impl Explanations {
    pub fn read(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let row = |line: &str| {
            let parts: Vec<String> = line.split('\t').map(str::to_owned).collect();
            parts.try_into().unwrap_or_else(|_| panic!("not five parts: {line}"))
        };
        Self(lines.map(row).collect())
    }

    /// The line that explains a difference.
    fn of(&self, what: &str) -> Option<usize> {
        let parts: Vec<&str> = what.split('\t').collect();
        let fits = |row: &[String; 5]| row.iter().zip(&parts).all(|(like, it)| is_like(it, like));
        self.0.iter().position(fits)
    }
}

/// Whether a text fits a pattern, in which `*` stands for anything and `|` between two for either.
fn is_like(text: &str, pattern: &str) -> bool {
    pattern.split('|').any(|pattern| {
        let Some((start, rest)) = pattern.split_once('*') else { return text == pattern };
        let Some(mut left) = text.strip_prefix(start) else { return false };
        let parts: Vec<&str> = rest.split('*').collect();
        let (last, middle) = parts.split_last().expect("one at least");
        for part in middle {
            let Some(place) = left.find(part) else { return false };
            left = &left[place + part.len()..];
        }
        left.ends_with(last)
    })
}
