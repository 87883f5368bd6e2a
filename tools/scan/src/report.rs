//! The reports of a scan, each a pure function of its [`Scan`].
//!
//! What comes from an account is text in every format: names that contain markup, quotes, formulas, escape sequences or
//! marks of direction neither break the syntax nor reach a terminal as they are.

mod asff;
mod csv;
mod finding;
pub mod html;
mod json;
mod junit;
mod ocsf;
mod safe;
#[cfg(test)]
mod sample;
mod sarif;
mod summary;
mod text;

use std::io;
use std::str::FromStr;

pub use asff::asff;
pub use csv::{csv, table};
pub use json::{json, jsonl, schema};
pub use junit::junit;
pub use ocsf::ocsf;
pub use safe::visible;
pub use sarif::sarif;
pub use summary::{Counts, counts_by};
pub use text::{Layout, text};

use crate::Scan;

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Text,
    /// The [`Scan`]; its schema is `docs/schemas/scan.v1.schema.json`.
    Json,
    /// One JSON object a row.
    Jsonl,
    /// For a spreadsheet.
    Csv,
    /// One file for a browser.
    Html,
    /// Compliance Findings of the Open Cybersecurity Schema Framework.
    Ocsf,
    /// Findings for Security Hub.
    Asff,
    /// For code scanning.
    Sarif,
    /// For CI systems that show tests.
    Junit,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: [Self; 9] =
        [Self::Text, Self::Json, Self::Jsonl, Self::Csv, Self::Html, Self::Ocsf, Self::Asff, Self::Sarif, Self::Junit];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Ocsf => "ocsf",
            Self::Asff => "asff",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
        }
    }
}

/// A name that no format has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("format: expected {}: received `{received}`{}", names(), near(received))]
pub struct UnknownFormat {
    received: String,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let found = Self::ALL.into_iter().find(|format| format.name() == name);
        found.ok_or_else(|| UnknownFormat { received: safe::clip(&safe::visible(name), 40) })
    }
}

fn names() -> String {
    Format::ALL.map(Format::name).join(", ")
}

fn near(name: &str) -> String {
    rectify_compliance::nearest(name, Format::ALL.map(Format::name))
        .map_or_else(String::new, |it| format!(": did you mean `{it}`?"))
}

/// A scan in a format; `layout` is for [`Format::Text`].
///
/// # Errors
/// If a writer refuses the data, which no known scan causes.
pub fn render(format: Format, scan: &Scan, layout: Layout) -> io::Result<String> {
    match format {
        Format::Text => Ok(text(scan, layout)),
        Format::Json => json(scan),
        Format::Jsonl => scan.rows.iter().map(jsonl).collect(),
        Format::Csv => csv(scan),
        Format::Html => Ok(html::html(scan)),
        Format::Ocsf => Ok(ocsf(scan)),
        Format::Asff => Ok(asff(scan)),
        Format::Sarif => Ok(sarif(scan)),
        Format::Junit => junit(scan),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{example, forged, hostile};

    const LAYOUT: Layout = Layout { width: 80, color: false, verbose: true };

    #[test]
    fn a_format_is_found_by_its_name_and_an_error_suggests_the_nearest() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        let error = |name: &str| name.parse::<Format>().unwrap_err().to_string();
        let names = "format: expected text, json, jsonl, csv, html, ocsf, asff, sarif, junit: received ";
        assert_eq!(error("jsno"), format!("{names}`jsno`: did you mean `json`?"));
        assert_eq!(error("Sarif"), format!("{names}`Sarif`: did you mean `sarif`?"));
        assert_eq!(error("\u{1b}[2J"), format!("{names}`\\u{{1b}}[2J`"));
    }

    #[test]
    fn reports_are_the_same_each_time_and_end_in_a_newline() {
        for format in Format::ALL.into_iter() {
            let report = render(format, &example(), LAYOUT).unwrap();
            assert_eq!(render(format, &example(), LAYOUT).unwrap(), report);
            assert!(report.ends_with('\n'), "{}", format.name());
        }
    }

    #[test]
    fn no_hostile_name_reaches_a_terminal_as_it_is() {
        for format in Format::ALL.into_iter() {
            for scan in [hostile(), forged()] {
                safe::assert_printable(&render(format, &scan, LAYOUT).unwrap());
            }
        }
    }
}
