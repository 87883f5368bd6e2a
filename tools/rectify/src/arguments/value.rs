//! The values of arguments, parsed.

use clap::builder::PossibleValuesParser;
use jiff::{SignedDuration, Timestamp};
use rectify_compliance::AccountId;

pub(super) use super::control::control_ids;

/// The longest duration, days: ten years.
const MAX_DAYS: u32 = 3650;
/// The longest text, characters.
const MAX_TEXT: usize = 1000;
/// Texts that fill a required field and say nothing, in lowercase.
const PLACEHOLDERS: [&str; 9] = ["n/a", "n.a.", "none", "nil", "null", "tbd", "todo", "unknown", "xxx"];
/// Letters by their class that are shown as nothing.
const FILLERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

/// An account id.
pub(super) fn account_id(text: &str) -> Result<String, String> {
    if AccountId::is_id(text) { Ok(text.to_owned()) } else { Err(format!("expected 12 digits: received `{text}`")) }
}

/// A control's id, or `*` for all.
pub(super) fn control_or_all(text: &str) -> Result<String, String> {
    let known = text == "*" || rectify_catalogue::find(text).is_some();
    known.then(|| text.to_owned()).ok_or_else(|| format!("expected a control id or `*`: received `{text}`"))
}

/// An account id, or `*` for all.
pub(super) fn account_or_all(text: &str) -> Result<String, String> {
    if text == "*" { Ok(text.to_owned()) } else { account_id(text) }
}

/// A control's id, or the id of an attempt: a word in capitals and digits, which no control's id is.
pub(super) fn control_or_attempt(text: &str) -> Result<String, String> {
    let is_attempt = !text.is_empty() && text.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
    let known = is_attempt || rectify_catalogue::find(text).is_some();
    known.then(|| text.to_owned()).ok_or_else(|| {
        format!("expected a control id or an attempt id: received `{text}`: `rectify controls` lists the controls")
    })
}

/// What a person states for the record: one line of text that says something.
pub(super) fn stated(text: &str) -> Result<String, String> {
    let text = text.trim();
    let says = text.chars().any(|it| it.is_alphanumeric() && !FILLERS.contains(&it));
    if !says || PLACEHOLDERS.contains(&text.to_lowercase().as_str()) {
        return Err(format!("expected a text, not a blank or a placeholder: received `{}`", text.escape_debug()));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("expected one line without control characters: received `{}`", text.escape_debug()));
    }
    if text.chars().count() > MAX_TEXT {
        return Err(format!("expected at most {MAX_TEXT} characters: received {}", text.chars().count()));
    }
    Ok(text.to_owned())
}

/// A duration: a whole number of hours, days or weeks.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let parsed = text.split_at_checked(text.len().saturating_sub(1)).and_then(|(number, unit)| {
        let hours = match unit {
            "h" => 1,
            "d" => 24,
            "w" => 7 * 24,
            _ => return None,
        };
        number.parse::<u32>().ok()?.checked_mul(hours)
    });
    match parsed {
        Some(hours @ 1..) if hours <= 24 * MAX_DAYS => Ok(SignedDuration::from_hours(i64::from(hours))),
        Some(_) => Err(format!("expected between 1h and {MAX_DAYS}d: received `{text}`")),
        None => Err(format!("expected a duration such as 12h, 90d or 2w: received `{text}`")),
    }
}

/// A duration of whole days, in days.
pub(super) fn days(text: &str) -> Result<u16, String> {
    let hours = duration(text).map(|it| it.as_hours()).ok().filter(|hours| hours % 24 == 0);
    hours
        .and_then(|hours| u16::try_from(hours / 24).ok())
        .ok_or_else(|| format!("expected whole days from 1d to {MAX_DAYS}d: received `{text}`"))
}

/// A time, or a date as its midnight UTC.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let complete = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    complete.parse().map_err(|_| {
        format!("expected a date such as 2027-03-31, or a time such as 2027-03-31T18:00:00Z: received `{text}`")
    })
}

/// The beginning of a period: a duration before now, or a time.
pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    let now = Timestamp::now();
    let at = match duration(text) {
        Ok(lasts) => now.saturating_sub(lasts).unwrap_or(Timestamp::MIN),
        Err(_) => instant(text)
            .map_err(|_| format!("expected a duration such as 7d, or a date such as 2026-11-01: received `{text}`"))?,
    };
    if at <= now { Ok(at) } else { Err(format!("expected a time that has passed: received `{text}`")) }
}

/// The outcomes of an attempt, and `open` for one without.
pub(super) fn outcomes() -> PossibleValuesParser {
    PossibleValuesParser::new([
        "open",
        "stopped",
        "gone",
        "already-compliant",
        "not-applicable",
        "exempt",
        "planned",
        "breaker-open",
        "over-budget",
        "verified",
        "pending",
        "failed",
    ])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_date_means_midnight_utc_and_invalid_text_is_refused() {
        assert_eq!(instant("2027-03-31").unwrap().to_string(), "2027-03-31T00:00:00Z");
        assert_eq!(instant("2027-03-31T18:00:00Z").unwrap().to_string(), "2027-03-31T18:00:00Z");
        assert!(instant("next week").unwrap_err().ends_with("received `next week`"));
    }

    #[test]
    fn a_duration_has_a_unit_and_limits() {
        for (text, hours) in [("12h", 12), ("90d", 2160), ("2w", 336), ("3650d", 87_600)] {
            assert_eq!(duration(text), Ok(SignedDuration::from_hours(hours)), "{text}");
        }
        for text in ["", "90", "d", "-1d", "1.5d", "90 d", "1m", "90é"] {
            let expected = format!("expected a duration such as 12h, 90d or 2w: received `{text}`");
            assert_eq!(duration(text), Err(expected));
        }
        for text in ["0h", "0d", "3651d", "87601h"] {
            assert_eq!(duration(text), Err(format!("expected between 1h and 3650d: received `{text}`")));
        }
        assert_eq!((days("2w"), days("48h"), days("3650d")), (Ok(14), Ok(2), Ok(3650)));
    }

    #[test]
    fn a_period_begins_in_the_past() {
        let hours = Timestamp::now().duration_since(since("2w").unwrap()).as_hours();
        assert!((335..=336).contains(&hours), "{hours}");
        assert_eq!(since("2026-01-01").unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert!(since("2999-01-01").unwrap_err().starts_with("expected a time that has passed"));
        assert!(since("last week").unwrap_err().starts_with("expected a duration such as 7d, or a date"));
    }

    #[test]
    fn a_stated_text_says_something_in_one_line() {
        for text in ["vendor appliance", " SEC-123 ", "éé", "漢", "7", "none of them is public"] {
            assert_eq!(stated(text), Ok(text.trim().to_owned()));
        }
        for text in ["", " \t", "\u{200b}\u{feff}", "\u{3164}", "\u{2800}", "—", "?!", "N/A", "none", "ToDo", " tbd "]
        {
            assert!(stated(text).unwrap_err().starts_with("expected a text, not a blank"), "{text:?}");
        }
        assert_eq!(
            stated("a\u{1b}[31m").unwrap_err(),
            "expected one line without control characters: received `a\\u{1b}[31m`"
        );
        assert!(stated("a\nb").unwrap_err().starts_with("expected one line"));
        assert!(stated(&"a".repeat(1000)).is_ok());
        assert_eq!(stated(&"a".repeat(1001)).unwrap_err(), "expected at most 1000 characters: received 1001");
    }
}
