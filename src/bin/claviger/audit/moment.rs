//! Times on the command line: a time of RFC 3339, a day in UTC, or how long ago.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use claviger::audit::time::Time;

/// Microseconds in a minute.
const MINUTE: u64 = 60_000_000;

/// Reads a time: RFC 3339 with any offset and fraction, a day, or `2h` for two hours ago.
pub(super) fn moment(text: &str) -> Result<Time, &'static str> {
    let ago = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let then = now.checked_sub(span(text).ok()?)?;
        Some(Time::from_micros(u64::try_from(then.as_micros()).ok()?))
    };
    written(text)
        .or_else(ago)
        .ok_or("a time is 2026-11-21T20:24:05Z, with an offset if you like, a day, or 2h for ago")
}

/// Reads how long: a number and `s`, `m`, `h`, `d` or `w`.
pub(super) fn span(text: &str) -> Result<Duration, &'static str> {
    let read = || {
        let unit = text.chars().next_back()?;
        let number = text.strip_suffix(unit).filter(|it| it.bytes().all(|b| b.is_ascii_digit()))?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
    };
    read().ok_or("how long is a number and s, m, h, d or w: 90s, 2h, 7d")
}

fn written(text: &str) -> Option<Time> {
    let upper = text.to_ascii_uppercase();
    let (day, rest) = upper.split_at_checked(10)?;
    if rest.is_empty() {
        return Time::parse(format!("{day}T00:00:00.000000Z").as_bytes());
    }
    let (clock, rest) = rest.strip_prefix(['T', ' '])?.split_at_checked(8)?;
    // A leap second is taken for the second before it.
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
    if offset == "Z" {
        return Some(Time::from_micros(time));
    }
    let away = |offset: &str| {
        let (hours, minutes) = offset.split_once(':').filter(|_| offset.len() == 5)?;
        let number = |text: &str, most| {
            let digits = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
            text.parse::<u64>().ok().filter(|number| digits && *number <= most)
        };
        Some((number(hours, 23)? * 60 + number(minutes, 59)?) * MINUTE)
    };
    let time = match (offset.strip_prefix('+'), offset.strip_prefix('-')) {
        (Some(east), _) => time.checked_sub(away(east)?)?,
        (_, Some(west)) => time.checked_add(away(west)?)?,
        _ => return None,
    };
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
            assert_eq!(moment(text).unwrap().to_string(), time, "{text}");
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
            "2026-11-21T20:24:05+01:0",
            "2026-11-21T25:24:05Z",
            "2026-11-21T20:24:05ZZ",
            "1970-01-01T00:00:00+01:00",
            "2026-11-2é",
            "-2h",
            "2",
            "h",
            "2 h",
            "2y",
            "9999999999999999w",
            "999999999999w",
        ] {
            assert!(moment(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn how_long_ago_is_counted_from_now() {
        for (text, seconds) in [("0s", 0), ("90s", 90), ("5m", 300), ("2h", 7200), ("1w", 604_800)]
        {
            let then = Duration::from_micros(moment(text).unwrap().micros());
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let late = (now - then).as_secs() - seconds;
            assert!(late < 60, "{text}: {late}");
        }
    }
}
