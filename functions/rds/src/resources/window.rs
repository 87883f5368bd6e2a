//! A backup window in the format of RDS.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `hh:mm-hh:mm` in UTC, 24-hour clock; it may span midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Window {
    from: Minute,
    to: Minute,
}

/// A minute of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Minute(u16);

const MINUTES_PER_HOUR: u16 = 60;

impl FromStr for Minute {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let two = |digits: &str, below: u16| -> Result<u16, ()> {
            let number = digits.len() == 2 && digits.bytes().all(|it| it.is_ascii_digit());
            number.then(|| digits.parse().ok()).flatten().filter(|it| *it < below).ok_or(())
        };
        let (hour, minute) = text.split_once(':').ok_or(())?;
        Ok(Self(two(hour, 24)? * MINUTES_PER_HOUR + two(minute, MINUTES_PER_HOUR)?))
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02}:{:02}", self.0 / MINUTES_PER_HOUR, self.0 % MINUTES_PER_HOUR)
    }
}

impl TryFrom<String> for Window {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.trim().split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
        match parts {
            Some((from, to)) if from != to => Ok(Self { from, to }),
            _ => Err(format!("expected hh:mm-hh:mm: received `{}`", text.trim())),
        }
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        Window::try_from(text.to_owned()).map(|it| it.to_string())
    }

    #[test]
    fn a_window_is_parsed_in_the_format_of_rds() {
        for (text, written) in [("08:50-09:20", "08:50-09:20"), (" 23:45-00:15 ", "23:45-00:15")] {
            assert_eq!(read(text).as_deref(), Ok(written));
        }
        for text in
            ["8:50-9:20", "08:50", "24:00-24:30", "08:60-09:20", "08:50-08:50", "+8:50-09:20", "mon:08:50-09:20"]
        {
            assert_eq!(read(text), Err(format!("expected hh:mm-hh:mm: received `{text}`")));
        }
    }
}
