//! Times of records: UTC with microseconds, in the one spelling that records have (RFC 3339).

use std::time::{SystemTime, UNIX_EPOCH};

/// Length of a time as text.
pub(super) const TEXT_LEN: usize = 27;

const DAY: u64 = 86_400_000_000;
/// The end of the year 9999.
const LATEST: u64 = 2_932_897 * DAY - 1;

/// Microseconds since 1970, up to the year 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(u64);

impl From<SystemTime> for Time {
    /// What a clock says; one that says less than 1970 stands still there.
    fn from(clock: SystemTime) -> Self {
        let since = clock.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }
}

impl Time {
    /// From microseconds since 1970; a clock beyond the year 9999 stands still there.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(if micros > LATEST { LATEST } else { micros })
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// `2026-11-21T20:24:05.123456Z`.
    #[must_use]
    pub fn text(self) -> [u8; TEXT_LEN] {
        let (year, month, day) = date(self.0 / DAY);
        let second = self.0 % DAY / 1_000_000;
        let micros = self.0 % 1_000_000;
        let [y0, y1] = two(year / 100);
        let [y2, y3] = two(year % 100);
        let [m0, m1] = two(month);
        let [d0, d1] = two(day);
        let [h0, h1] = two(second / 3600);
        let [i0, i1] = two(second / 60 % 60);
        let [s0, s1] = two(second % 60);
        let [u0, u1] = two(micros / 10_000);
        let [u2, u3] = two(micros / 100 % 100);
        let [u4, u5] = two(micros % 100);
        [
            y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', i0, i1, b':', s0, s1,
            b'.', u0, u1, u2, u3, u4, u5, b'Z',
        ]
    }

    /// Reads what `text` makes, and nothing else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let [
            y0,
            y1,
            y2,
            y3,
            b'-',
            m0,
            m1,
            b'-',
            d0,
            d1,
            b'T',
            h0,
            h1,
            b':',
            i0,
            i1,
            b':',
            s0,
            s1,
            b'.',
            u0,
            u1,
            u2,
            u3,
            u4,
            u5,
            b'Z',
        ] = text
        else {
            return None;
        };
        let pair = |high: &u8, low: &u8| {
            let (high, low) = (high.wrapping_sub(b'0'), low.wrapping_sub(b'0'));
            (high < 10 && low < 10).then(|| u64::from(high * 10 + low))
        };
        let year = pair(y0, y1)? * 100 + pair(y2, y3)?;
        let (month, day) = (pair(m0, m1)?, pair(d0, d1)?);
        let (hour, minute, second) = (pair(h0, h1)?, pair(i0, i1)?, pair(s0, s1)?);
        let micros = pair(u0, u1)? * 10_000 + pair(u2, u3)? * 100 + pair(u4, u5)?;
        let days = days(year, month, day)?;
        if hour > 23 || minute > 59 || second > 59 || date(days) != (year, month, day) {
            return None;
        }
        let second = hour * 3600 + minute * 60 + second;
        Some(Self(days * DAY + second * 1_000_000 + micros))
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

fn two(number: u64) -> [u8; 2] {
    let number = u8::try_from(number).unwrap_or(0);
    [b'0' + number / 10 % 10, b'0' + number % 10]
}

/// Days from 1 March of the year 0 to 1970; years that begin in March have the leap day last.
const EPOCH: u64 = 719_468;
const ERA: u64 = 146_097;

/// Year, month and day of a day since 1970.
fn date(days: u64) -> (u64, u64, u64) {
    let day = days + EPOCH;
    let (era, day) = (day / ERA, day % ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (400 * era + year + later, month, day)
}

/// The reverse of `date`; days that no month has are for the caller to refuse.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let in_year = (153 * month + 2) / 5 + day - 1;
    let (era, of_era) = (year / 400, year % 400);
    Some(era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + in_year - EPOCH)
}

#[cfg(test)]
mod tests {
    use super::{DAY, LATEST, Time};

    #[test]
    fn known_times() {
        let pairs = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (1_795_292_645_123_456, "2026-11-21T20:24:05.123456Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999999Z"),
        ];
        for (micros, text) in pairs {
            assert_eq!(Time::from_micros(micros).to_string(), text);
            assert_eq!(Time::parse(text.as_bytes()), Some(Time::from_micros(micros)));
        }
    }

    #[test]
    fn every_day_comes_back() {
        for day in 0..=LATEST / DAY {
            let time = Time::from_micros(day * DAY + 1);
            assert_eq!(Time::parse(&time.text()), Some(time));
        }
    }

    #[test]
    fn no_other_spelling() {
        let wrong = [
            "2026-02-29T00:00:00.000000Z",
            "2026-13-01T00:00:00.000000Z",
            "2026-00-01T00:00:00.000000Z",
            "2026-01-00T00:00:00.000000Z",
            "2026-01-01T24:00:00.000000Z",
            "2026-01-01T00:60:00.000000Z",
            "2026-01-01T00:00:60.000000Z",
            "1969-12-31T00:00:00.000000Z",
            "2026-01-01t00:00:00.000000Z",
            "2026-01-01T00:00:00.000000z",
            "2026-01-01T00:00:00.00000Z",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.00000:Z",
            "",
        ];
        for text in wrong {
            assert_eq!(Time::parse(text.as_bytes()), None, "{text}");
        }
    }
}
