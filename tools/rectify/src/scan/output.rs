//! A scan in the formats that were chosen, and its exit code.

use std::fs::OpenOptions;
use std::path::Path;

use rectify_compliance::Severity;
use rectify_scan::report::{self, Format, Layout};
use rectify_scan::result::severity;
use rectify_scan::{Row, Scan};

use crate::arguments::{Output, ScanArguments};
use crate::cli_error::CliError;
use crate::report::{Ending, Report};
use crate::style::Style;

/// The columns of text that does not go to a terminal.
const WIDTH: usize = 160;

/// Writes the files, and returns what goes to standard output: of a scan that was compared with an earlier one only what
/// is new. JSON has every row, so that the next scan can be compared with it, and HTML has the state of each requirement.
///
/// # Errors
/// [`CliError::Machine`] when a file cannot be written.
pub(super) fn report(scan: &Scan, arguments: &ScanArguments, style: Style) -> Result<Report, CliError> {
    let width = console::Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| columns.into());
    let terminal = Layout { width, color: style.is_colored(), verbose: arguments.details };
    let new = scan.only_new();
    let render = |format: Format, layout: Layout| {
        let shown = if matches!(format, Format::Json | Format::Html) { scan } else { &new };
        render(format, shown, layout)
    };
    let mut text = String::new();
    for Output { format, file } in &arguments.output {
        match file {
            Some(file) => write(file, &render(*format, Layout { width: WIDTH, color: false, ..terminal })?)?,
            None => text.push_str(&render(*format, terminal)?),
        }
    }
    if arguments.output.iter().all(|it| it.file.is_some()) {
        text = render(Format::Text, terminal)?;
    }
    let json = serde_json::to_value(scan).map_err(|error| CliError::Machine(format!("json: {error}")))?;
    Ok(Report { text, json, ending: ending(&new.rows, arguments.fail_on) })
}

/// The scan in one format.
fn render(format: Format, scan: &Scan, layout: Layout) -> Result<String, CliError> {
    report::render(format, scan, layout).map_err(|error| CliError::Machine(format!("{}: {error}", format.name())))
}

/// Creates the files that are absent, before a scan that may take minutes.
///
/// # Errors
/// [`CliError::Machine`] when one cannot be written.
pub(super) fn prepare(outputs: &[Output]) -> Result<(), CliError> {
    for file in outputs.iter().filter_map(|it| it.file.as_deref()) {
        let opened = OpenOptions::new().append(true).create(true).open(file);
        opened.map_err(|error| unwritable(file, &error))?;
    }
    Ok(())
}

fn unwritable(file: &Path, error: &std::io::Error) -> CliError {
    CliError::Machine(format!("--output: {}: {error}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(file, text).map_err(|error| unwritable(file, &error))
}

/// A finding weighs more than a missing verdict: it is certain.
fn ending(rows: &[Row], fail_on: Severity) -> Ending {
    if rows.iter().any(|row| row.outcome.is_failed() && severity(row) >= fail_on) {
        Ending::Violations
    } else if rows.iter().any(|row| row.outcome.is_unknown()) {
        Ending::Unfinished
    } else {
        Ending::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rectify_scan::{Outcome, Place};

    fn row(control: &str, outcome: Outcome) -> Row {
        Row {
            control: control.to_owned(),
            place: Place { account: "111122223333".to_owned(), region: "eu-west-1".to_owned() },
            resource_type: "AWS::EC2::SecurityGroup".to_owned(),
            resource_id: "sg-1".to_owned(),
            name: None,
            arn: None,
            source: None,
            outcome,
        }
    }

    #[test]
    fn the_exit_code_distinguishes_findings_from_missing_verdicts() {
        let failed = |control| row(control, Outcome::Failed { reason: "open".to_owned(), plan: None });
        let unreadable = || row("restricted-ssh", Outcome::Unreadable { reason: "denied".to_owned() });
        let passed = || row("restricted-ssh", Outcome::Passed { reason: None });
        // `restricted-ssh` is of severity high, `efs-encrypted-check` of medium.
        let rows = [
            (vec![passed()], Severity::Low, 0),
            (vec![], Severity::Low, 0),
            (vec![passed(), unreadable()], Severity::Low, 1),
            (vec![unreadable(), failed("restricted-ssh")], Severity::Low, 2),
            (vec![failed("restricted-ssh")], Severity::High, 2),
            (vec![failed("efs-encrypted-check")], Severity::High, 0),
            (vec![failed("efs-encrypted-check"), unreadable()], Severity::High, 1),
        ];
        for (rows, fail_on, code) in rows {
            assert_eq!(ending(&rows, fail_on).code(), code, "{rows:?} {fail_on:?}");
        }
    }
}
