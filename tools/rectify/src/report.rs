//! The output of a command, as text and as JSON, and its exit code.

use comfy_table::{Table, presets};
use jiff::Timestamp;
use rectify_scan::report::{table, visible};
use serde_json::Value;

use crate::arguments::ListFormat;
use crate::cli_error::CliError;

/// The output in both forms; `main` decides which one is printed.
#[derive(Debug, PartialEq)]
pub(crate) struct Report {
    /// The text output; ends with a newline.
    pub(crate) text: String,
    /// The JSON output.
    pub(crate) json: Value,
    /// Decides the exit code.
    pub(crate) ending: Ending,
}

/// The result of a command that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Success, no finding.
    Fine,
    /// A control is violated, or a check of the doctor failed.
    Finding,
    /// A scan has findings that count.
    Violations,
    /// A scan has resources without a verdict, and no finding that counts.
    Unfinished,
}

impl Ending {
    /// The exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Finding | Self::Unfinished => 1,
            Self::Violations => 2,
        }
    }
}

impl Report {
    /// Output without a finding.
    pub(crate) fn fine(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, ending: Ending::Fine }
    }
}

/// A list in the form that was chosen; `text` is its text.
///
/// # Errors
/// [`CliError::Machine`] if the rows cannot be written.
pub(crate) fn list(
    format: Option<ListFormat>,
    header: &[&str],
    rows: Vec<Vec<String>>,
    text: String,
    json: Value,
) -> Result<Report, CliError> {
    let text = match format {
        None | Some(ListFormat::Text) => text,
        Some(ListFormat::Json) => format!("{json:#}\n"),
        Some(ListFormat::Csv) => {
            table(header, rows.into_iter()).map_err(|error| CliError::Machine(format!("csv: {error}")))?
        }
    };
    Ok(Report::fine(text, json))
}

/// Aligned columns without borders, readable and greppable.
pub(crate) fn columns(header: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        // What others wrote must not reach the terminal as control characters.
        table.add_row(row.iter().map(|cell| visible(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// A timestamp as text: UTC, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_without_trailing_spaces() {
        let cell = str::to_owned;
        let rows = vec![vec![cell("restricted-ssh"), cell("High")], vec![cell("x"), cell("Low")]];
        let text = columns(vec![cell("CONTROL"), cell("SEVERITY")], rows);
        assert_eq!(text, "CONTROL         SEVERITY\nrestricted-ssh  High\nx               Low\n");
    }

    #[test]
    fn columns_show_control_characters_as_text() {
        let text = columns(vec!["REASON".to_owned()], vec![vec!["a\u{1b}[31mb\n".to_owned()]]);
        assert_eq!(text, "REASON\na\\u{1b}[31mb\\n\n");
    }

    #[test]
    fn a_list_has_three_forms_with_the_same_rows() {
        let rows = || vec![vec!["=1+1".to_owned(), "b".to_owned()]];
        let form = |format| list(format, &["one", "two"], rows(), "text\n".to_owned(), serde_json::json!([1])).unwrap();
        assert_eq!(form(None).text, "text\n");
        assert_eq!(form(Some(ListFormat::Json)).text, "[\n  1\n]\n");
        assert_eq!(form(Some(ListFormat::Csv)).text, "\"one\",\"two\"\r\n\"'=1+1\",\"b\"\r\n");
    }

    #[test]
    fn a_timestamp_is_utc_to_the_second() {
        let at: Timestamp = "2026-03-04T05:06:07.890Z".parse().unwrap();
        assert_eq!(moment(at), "2026-03-04 05:06:07Z");
    }
}
