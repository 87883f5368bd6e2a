//! The age of a resource at the time of an event.

use std::fmt;

use rectify_compliance::Timestamp;

const HOUR: i128 = 60 * 60 * 1000;
const DAY: i128 = 24 * HOUR;

/// An age in milliseconds; negative for a time in the future, which clock skew can produce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Age(i128);

impl Age {
    /// The age at `now` of something created at `since`.
    pub(crate) fn of(since: Timestamp, now: Timestamp) -> Self {
        Self(now.duration_since(since).as_millis())
    }

    /// Whether the age is more than this many days; exactly that many is not more.
    pub(crate) fn exceeds_days(self, days: u32) -> bool {
        self.exceeds(days, 0)
    }

    /// Whether the age is more than this many days and hours; exactly that is not more.
    pub(crate) fn exceeds(self, days: u32, hours: u32) -> bool {
        self.0 > i128::from(days) * DAY + i128::from(hours) * HOUR
    }

    /// Whether the age is less than this many hours.
    pub(crate) fn is_below_hours(self, hours: u32) -> bool {
        self.0 < i128::from(hours) * HOUR
    }

    /// Full days.
    pub(crate) fn days(self) -> i128 {
        (self.0 / DAY).max(0)
    }
}

/// In hours below two days, else in days.
impl fmt::Display for Age {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 2 * DAY { write!(out, "{} h", (self.0 / HOUR).max(0)) } else { write!(out, "{} d", self.days()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_compared_to_the_millisecond_and_shown_in_hours_or_days() {
        let since: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let at = |text: &str| Age::of(since, text.parse().unwrap());
        assert!(!at("2026-01-02T00:00:00Z").exceeds_days(1) && at("2026-01-02T00:00:00.001Z").exceeds_days(1));
        assert!(!at("2026-01-02T04:00:00Z").exceeds(1, 4) && at("2026-01-02T04:00:00.001Z").exceeds(1, 4));
        assert!(at("2026-01-01T02:59:59.999Z").is_below_hours(3) && !at("2026-01-01T03:00:00Z").is_below_hours(3));
        for (now, text) in [
            ("2025-12-31T00:00:00Z", "0 h"),
            ("2026-01-01T03:59:59Z", "3 h"),
            ("2026-01-02T23:59:59Z", "47 h"),
            ("2026-01-03T00:00:00Z", "2 d"),
            ("2026-05-13T12:00:00Z", "132 d"),
        ] {
            assert_eq!(at(now).to_string(), text, "{now}");
        }
    }
}
