//! Which leaves are meant: by key, call, outcome, lane and time. Everything that is given must
//! hold; of an option that is given more than once, one. A name that nothing can have is refused:
//! an auditor who mistypes it must not read an empty list.

use clap::Args;
use claviger::audit::erasure::ROTATION;
use claviger::audit::leaf::Leaf;
use claviger::audit::record::LaneId;
use claviger::audit::time::Time;
use claviger::call::Function;
use claviger::error::Rv;

use super::line;
use super::moment::moment;

/// Which leaves.
#[derive(Args)]
pub(super) struct Filter {
    /// Only uses of the object with this unique id; may be repeated.
    #[arg(long, value_name = "UNIQUE_ID", value_parser = unique_id)]
    key: Vec<String>,
    /// Only this function, with or without `C_`; may be repeated.
    #[arg(long, value_name = "FUNCTION", value_parser = function)]
    call: Vec<&'static str>,
    /// Only calls that returned this value, with or without `CKR_`; may be repeated.
    #[arg(long, value_name = "VALUE", value_parser = return_value)]
    rv: Vec<&'static str>,
    /// Only calls that failed.
    #[arg(long, conflicts_with = "rv")]
    failed: bool,
    /// Only from this time on: RFC 3339, a day in UTC, or 2h for two hours ago.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Time>,
    /// Only before this time.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Time>,
    /// Only what is about this lane, that is, one process at one token.
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
        let is_key = |key: &str| self.key.iter().any(|wanted| wanted == key);
        (self.key.is_empty() || record.key.as_deref().is_some_and(is_key))
            && (self.call.is_empty() || self.call.iter().any(|name| *name == record.call))
            && (self.rv.is_empty() || self.rv.iter().any(|name| *name == record.rv))
            && !(self.failed && record.succeeded())
    }
}

fn unique_id(text: &str) -> Result<String, &'static str> {
    let fits = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let id = fits.then(|| text.to_ascii_lowercase());
    id.ok_or("a unique id is 32 hexadecimal digits: `claviger object list --json` shows it")
}

/// What the tool does and no function of the standard does stands under the command's name.
const COMMANDS: [&str; 2] = [ROTATION, "claviger audit prune"];

fn function(text: &str) -> Result<&'static str, &'static str> {
    let command = || COMMANDS.into_iter().find(|command| *command == text);
    named(text, "C_", Function::NAMES).or_else(command).ok_or("the standard has no such function")
}

fn return_value(text: &str) -> Result<&'static str, &'static str> {
    named(text, "CKR_", &["CKR_OK"])
        .or_else(|| named(text, "CKR_", Rv::NAMES))
        .ok_or("no function returns that")
}

pub(super) fn lane_id(text: &str) -> Result<LaneId, &'static str> {
    LaneId::parse(text).ok_or("a lane is 16 hexadecimal digits")
}

/// The name that is meant, with or without the standard's beginning, in capitals or not.
fn named(text: &str, beginning: &str, names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|name| {
        let short = name.strip_prefix(beginning).unwrap_or(name);
        text.eq_ignore_ascii_case(name) || text.eq_ignore_ascii_case(short)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_not_be_whole_and_must_be_the_standards() {
        for name in ["C_Sign", "c_sign", "sign"] {
            assert_eq!(function(name), Ok("C_Sign"), "{name}");
        }
        assert!(function("C_Sing").is_err() && function("").is_err());
        assert_eq!(return_value("ok"), Ok("CKR_OK"));
        assert_eq!(return_value("CKR_PIN_INCORRECT"), Ok("CKR_PIN_INCORRECT"));
        assert!(return_value("PIN").is_err());
        assert_eq!(unique_id(&"0A".repeat(16)), Ok("0a".repeat(16)));
        assert!(unique_id("0a").is_err() && unique_id(&"0g".repeat(16)).is_err());
    }
}
