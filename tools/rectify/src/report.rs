//! What a command answers: once as text, once as JSON, and how it ended.

use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde_json::Value;

/// An answer in both forms; which one is printed is not the command's business.
#[derive(Debug, PartialEq)]
pub(crate) struct Report {
    /// For people; ends in a line break.
    pub(crate) text: String,
    /// For programs.
    pub(crate) json: Value,
    /// For the shell.
    pub(crate) ending: Ending,
}

/// How a command ended that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing to worry about.
    Fine,
    /// A control does not hold.
    Finding,
}

impl Ending {
    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Finding => 1,
        }
    }
}

impl Report {
    /// An answer without a finding.
    pub(crate) fn fine(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, ending: Ending::Fine }
    }
}

/// Columns without lines, as wide as their words: what `grep` and eyes both read.
pub(crate) fn columns(header: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// An instant as people read it: UTC, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_end_where_their_words_end() {
        let cell = str::to_owned;
        let rows = vec![vec![cell("restricted-ssh"), cell("High")], vec![cell("x"), cell("Low")]];
        let text = columns(vec![cell("CONTROL"), cell("SEVERITY")], rows);
        assert_eq!(text, "CONTROL         SEVERITY\nrestricted-ssh  High\nx               Low\n");
    }

    #[test]
    fn a_moment_is_utc_to_the_second() {
        let at: Timestamp = "2026-03-04T05:06:07.890Z".parse().unwrap();
        assert_eq!(moment(at), "2026-03-04 05:06:07Z");
    }
}
