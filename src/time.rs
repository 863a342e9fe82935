//! [`Timestamp`]: the packet's own time.
//!
//! Everything in the engine is judged at the time the capture gives, never at the time of the machine that reads
//! it: replaying a file gives the same records every time.

use std::fmt;
use std::time::Duration;

/// Nanoseconds since 1970-01-01T00:00:00Z, as the capture recorded them.
///
/// Holds times up to the year 2554; arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;

impl Timestamp {
    /// The epoch itself.
    pub const ZERO: Self = Self(0);

    /// After every time a capture can give.
    pub const END: Self = Self(u64::MAX);

    /// A time from nanoseconds since the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A time from whole seconds since the epoch; saturates in the year 2554.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND))
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0 / NANOS_PER_SECOND
    }

    /// The time from `earlier` to this one; zero when packets run backwards.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// This time plus `duration`, saturating.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// The beginning of a day in UTC; `None` where there is no such day, before 1970 and after 2554.
    #[must_use]
    pub fn from_date(year: u16, month: u8, day: u8) -> Option<Self> {
        let wanted = (u64::from(year), u64::from(month), u64::from(day));
        let (mut low, mut high) = (0, u64::MAX / NANOS_PER_SECOND / SECONDS_PER_DAY);
        while low <= high {
            let middle = low.midpoint(high);
            match civil_from_days(middle).cmp(&wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(Self::from_seconds(middle * SECONDS_PER_DAY)),
                std::cmp::Ordering::Greater => high = middle.checked_sub(1)?,
            }
        }
        None
    }

    /// Year, month (1 to 12), day (1 to 31), hour, minute and second in UTC.
    #[must_use]
    pub const fn civil(self) -> (u64, u64, u64, u64, u64, u64) {
        let seconds = self.as_seconds();
        let (year, month, day) = civil_from_days(seconds / SECONDS_PER_DAY);
        let rest = seconds % SECONDS_PER_DAY;
        (year, month, day, rest / 3600, rest / 60 % 60, rest % 60)
    }
}

impl Timestamp {
    /// RFC 3339 in UTC with nine fractional digits: `2026-11-21T10:00:00.123456789Z`.
    const fn text(self) -> [u8; 30] {
        let (year, month, day, hour, minute, second) = self.civil();
        let text = *b"0000-00-00T00:00:00.000000000Z";
        let text = with_digits(text, 4, year);
        let text = with_digits(text, 7, month);
        let text = with_digits(text, 10, day);
        let text = with_digits(text, 13, hour);
        let text = with_digits(text, 16, minute);
        let text = with_digits(text, 19, second);
        with_digits(text, 29, self.0 % NANOS_PER_SECOND)
    }
}

/// Writes a number so that its last digit stands before `end`.
#[expect(clippy::indexing_slicing, reason = "the places are those of the text above")]
const fn with_digits(mut text: [u8; 30], mut end: usize, mut number: u64) -> [u8; 30] {
    while number > 0 && end > 0 {
        end -= 1;
        let [digit, ..] = (number % 10).to_le_bytes();
        text[end] = b'0' + digit;
        number /= 10;
    }
    text
}

/// RFC 3339 in UTC with nine fractional digits: `2026-11-21T10:00:00.123456789Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// The proleptic Gregorian date of a day count since 1970-01-01 (counted in 400-year eras that begin in March).
const fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc3339_with_nanoseconds() {
        assert_eq!(Timestamp::ZERO.to_string(), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(Timestamp::from_nanos(1_795_255_200_123_456_789).to_string(), "2026-11-21T10:00:00.123456789Z");
        assert_eq!(Timestamp::from_seconds(951_782_400).to_string(), "2000-02-29T00:00:00.000000000Z");
    }

    #[test]
    fn days_lead_to_times_and_back() {
        for (year, month, day) in [(1970, 1, 1), (2000, 2, 29), (2026, 11, 21), (2554, 7, 21)] {
            let time = Timestamp::from_date(year, month, day);
            let back = time.map(Timestamp::civil);
            assert_eq!(back, Some((year.into(), month.into(), day.into(), 0, 0, 0)));
        }
        for (year, month, day) in
            [(1969, 12, 31), (2026, 2, 29), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0), (9999, 1, 1)]
        {
            assert_eq!(Timestamp::from_date(year, month, day), None, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn never_goes_negative() {
        assert_eq!(Timestamp::ZERO.since(Timestamp::from_seconds(5)), Duration::ZERO);
    }
}
