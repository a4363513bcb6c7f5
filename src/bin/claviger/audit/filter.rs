//! Which leaves are meant: by key, call, outcome, lane and time. Everything that is given must
//! hold; of an option that is given more than once, one.

use clap::Args;
use claviger::audit::leaf::Leaf;
use claviger::audit::record::LaneId;
use claviger::audit::time::Time;

use super::line;

/// Microseconds in a minute.
const MINUTE: u64 = 60_000_000;

/// Which leaves.
#[derive(Args)]
pub(super) struct Filter {
    /// Only uses of the object with this unique id; may be repeated.
    #[arg(long, value_name = "UNIQUE_ID")]
    key: Vec<String>,
    /// Only this function, with or without `C_`; may be repeated.
    #[arg(long, value_name = "FUNCTION")]
    call: Vec<String>,
    /// Only calls that returned this value, with or without `CKR_`; may be repeated.
    #[arg(long, value_name = "VALUE")]
    rv: Vec<String>,
    /// Only calls that failed.
    #[arg(long, conflicts_with = "rv")]
    failed: bool,
    /// Only from this time on: RFC 3339, or a day in UTC.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Time>,
    /// Only before this time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Time>,
    /// Only what is about this lane, that is, one process.
    #[arg(long, value_name = "LANE", value_parser = lane_id)]
    lane: Option<LaneId>,
}

impl Filter {
    pub(super) const fn has_beginning(&self) -> bool {
        self.since.is_some()
    }

    const fn wants_records(&self) -> bool {
        !self.key.is_empty() || !self.call.is_empty() || !self.rv.is_empty() || self.failed
    }

    /// `time` is the leaf's, or that of the leaf before it if it has none.
    pub(super) fn admits(&self, leaf: &Leaf<'_>, time: Time) -> bool {
        let in_time = self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time < until);
        let in_lane = self.lane.is_none_or(|lane| line::lane(leaf) == Some(lane));
        if !in_time || !in_lane {
            return false;
        }
        let Some(record) = leaf.record() else { return !self.wants_records() };
        let key = |key: &str| self.key.iter().any(|wanted| wanted.eq_ignore_ascii_case(key));
        (self.key.is_empty() || record.key.as_deref().is_some_and(key))
            && named(&self.call, &record.call, "C_")
            && named(&self.rv, &record.rv, "CKR_")
            && !(self.failed && record.succeeded())
    }
}

/// True if nothing is asked for, or this name, with or without the standard's beginning.
fn named(wanted: &[String], name: &str, beginning: &str) -> bool {
    let short = name.strip_prefix(beginning).unwrap_or(name);
    let same = |it: &String| it.eq_ignore_ascii_case(name) || it.eq_ignore_ascii_case(short);
    wanted.is_empty() || wanted.iter().any(same)
}

pub(super) fn lane_id(text: &str) -> Result<LaneId, &'static str> {
    LaneId::parse(text).ok_or("a lane is 16 hexadecimal digits")
}

/// Reads a time of RFC 3339, in any offset and with any fraction, or a day.
fn moment(text: &str) -> Result<Time, &'static str> {
    read_moment(text).ok_or("a time is 2026-11-21T20:24:05Z, with an offset if you like, or a day")
}

fn read_moment(text: &str) -> Option<Time> {
    let upper = text.to_ascii_uppercase();
    let (day, rest) = upper.split_at_checked(10)?;
    if rest.is_empty() {
        return Time::parse(format!("{day}T00:00:00.000000Z").as_bytes());
    }
    let (clock, rest) = rest.strip_prefix(['T', ' '])?.split_at_checked(8)?;
    let leap = clock.strip_suffix(":60");
    let clock = leap.map_or_else(|| clock.to_owned(), |minute| format!("{minute}:59"));
    let (fraction, offset) = match rest.strip_prefix('.') {
        None => (String::new(), rest),
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
            let (digits, offset) = rest.split_at_checked(end)?;
            (digits.chars().take(6).collect(), offset)
        }
    };
    let time = Time::parse(format!("{day}T{clock}.{fraction:0<6}Z").as_bytes())?.micros();
    let (east, offset) = match offset {
        "Z" => return Some(Time::from_micros(time)),
        _ => (offset.starts_with('+'), offset.strip_prefix(['+', '-'])?),
    };
    let (hours, minutes) = offset.split_once(':').filter(|_| offset.len() == 5)?;
    let number = |text: &str, most| {
        let digits = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
        text.parse::<u64>().ok().filter(|number| digits && *number <= most)
    };
    let offset = (number(hours, 23)? * 60 + number(minutes, 59)?) * MINUTE;
    let time = if east { time.checked_sub(offset)? } else { time.checked_add(offset)? };
    Some(Time::from_micros(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_spelling_of_the_rfc() {
        let pairs = [
            ("2026-11-21", "2026-11-21T00:00:00.000000Z"),
            ("2026-11-21T20:24:05Z", "2026-11-21T20:24:05.000000Z"),
            ("2026-11-21t20:24:05.5z", "2026-11-21T20:24:05.500000Z"),
            ("2026-11-21 20:24:05.123456789+05:30", "2026-11-21T14:54:05.123456Z"),
            ("2026-12-31T20:24:05-05:00", "2027-01-01T01:24:05.000000Z"),
            ("1990-12-31T23:59:60Z", "1990-12-31T23:59:59.000000Z"),
        ];
        for (text, time) in pairs {
            assert_eq!(read_moment(text).unwrap().to_string(), time, "{text}");
        }
        for wrong in [
            "",
            "now",
            "2026-11",
            "2026-02-30",
            "2026-11-21T20:24:05",
            "2026-11-21T20:24Z",
            "2026-11-21T20:24:05.Z",
            "2026-11-21T20:24:05+0530",
            "2026-11-21T20:24:05+24:00",
            "2026-11-21T25:24:05Z",
            "2026-11-21T20:24:05ZZ",
            "1970-01-01T00:00:00+01:00",
            "2026-11-2é",
        ] {
            assert_eq!(read_moment(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn names_need_not_be_whole() {
        let wanted = |name: &str| vec![name.to_owned()];
        assert!(named(&[], "C_Sign", "C_"));
        for name in ["C_Sign", "c_sign", "sign"] {
            assert!(named(&wanted(name), "C_Sign", "C_"), "{name}");
        }
        assert!(!named(&wanted("SignInit"), "C_Sign", "C_"));
    }
}
