//! The rows as CSV (RFC 4180) for a spreadsheet.

use std::io;

use ::csv::{QuoteStyle, Terminator, WriterBuilder};

use super::finding::{docs, fixes, plan, reason, requirements, severity_name, status, title};
use super::safe::visible;
use crate::result::severity;
use crate::{PlanView, Row, Scan};

const HEADER: [&str; 18] = [
    "severity",
    "status",
    "control",
    "title",
    "account",
    "region",
    "resourceType",
    "resourceId",
    "name",
    "arn",
    "reason",
    "level",
    "changes",
    "fix",
    "requirements",
    "docs",
    "file",
    "line",
];

/// The rows, one per line, below a header; every field is quoted.
///
/// # Errors
/// If the writer refuses a record.
pub fn csv(scan: &Scan) -> io::Result<String> {
    table(&HEADER, scan.rows.iter().map(|row| record(scan, row).to_vec()))
}

/// Rows of text, one per line, below a header; every field is quoted, and none is run by a spreadsheet.
///
/// # Errors
/// If the writer refuses a record.
pub fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> io::Result<String> {
    let mut builder = WriterBuilder::new();
    let mut writer = builder.quote_style(QuoteStyle::Always).terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row.iter().map(|field| cell(field)))?;
    }
    let bytes = writer.into_inner().map_err(::csv::IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn record(scan: &Scan, row: &Row) -> [String; 18] {
    let (plan, source) = (plan(&row.outcome), row.source.as_ref());
    let lines = |of: fn(&PlanView) -> Vec<&str>| plan.map(|plan| of(plan).join("; ")).unwrap_or_default();
    let requirements = requirements(scan, &row.control);
    let requirements: Vec<String> = requirements.iter().map(|(it, id)| format!("{} {id}", it.title())).collect();
    [
        severity_name(severity(row)).to_owned(),
        status(&row.outcome).to_owned(),
        row.control.clone(),
        title(row).to_owned(),
        row.place.account.clone(),
        row.place.region.clone(),
        row.resource_type.clone(),
        row.resource_id.clone(),
        row.name.clone().unwrap_or_default(),
        row.arn.clone().unwrap_or_default(),
        reason(&row.outcome).to_owned(),
        plan.and_then(|plan| plan.level).map(|level| level.to_string()).unwrap_or_default(),
        lines(|plan| plan.changes.iter().map(String::as_str).collect()),
        lines(fixes),
        requirements.join("; "),
        docs(&row.control),
        source.map(|it| it.file.clone()).unwrap_or_default(),
        source.and_then(|it| it.line).map(|line| line.to_string()).unwrap_or_default(),
    ]
}

/// A field that a spreadsheet shows and does not run: an apostrophe stands before what begins as a formula, and what it
/// would trim before the formula does not count.
fn cell(field: &str) -> String {
    let formulas = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    let prefix = if field.trim_start().starts_with(formulas) { "'" } else { "" };
    format!("{prefix}{}", visible(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{HOSTILE, declared, example, hostile};

    fn records(text: &str) -> Vec<Vec<String>> {
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn a_finding_is_one_line() {
        let text = csv(&example()).unwrap();
        let line = "\"low\",\"failed\",\"rds-instance-deletion-protection-enabled\",\"Database can be deleted by one \
                    call\",\"111122223333\",\"eu-west-1\",\"AWS::RDS::DBInstance\",\"db-EXAMPLE1\",\"\",\"\",\
                    \"example-database: deletion protection is off\",\"L1\",\"'- deletion protection: off; + deletion \
                    protection: on\",\"aws rds modify-db-instance --db-instance-identifier example-database \
                    --deletion-protection\",";
        assert!(text.split("\r\n").any(|it| it.starts_with(line)), "{text}");
        assert!(text.contains("CIS 5.0 5.3; "), "{text}");
    }

    #[test]
    fn a_declared_resource_has_its_file_and_line() {
        let rows = records(&csv(&declared()).unwrap());
        let places: Vec<[&str; 2]> = rows.iter().take(4).map(|row| [&*row[16], &*row[17]]).collect();
        assert_eq!(places, [["file", "line"], ["./stacks/my network.yaml", "12"], ["plan.json", ""], ["", ""]]);
    }

    #[test]
    fn hostile_names_are_text_in_fields_of_their_own() {
        let records = records(&csv(&hostile()).unwrap());
        assert_eq!(records.len(), HOSTILE.len() * 5 + 1);
        for (record, name) in records.iter().skip(1).zip(HOSTILE.iter().flat_map(|name| [name; 5])) {
            assert_eq!(record[8].trim_start_matches('\''), visible(name));
            assert_eq!((record[16].trim_start_matches('\''), &*record[17]), (&*visible(name), "12"));
            for field in record {
                assert!(!field.trim_start().starts_with(['=', '+', '-', '@', '\t', '\u{ff1d}']), "{field}");
            }
        }
    }
}
