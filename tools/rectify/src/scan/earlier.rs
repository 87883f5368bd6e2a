//! The report of an earlier scan, for `--changed-since`.

use std::path::{Path, PathBuf};

use rectify_compliance::values::Globs;
use rectify_scan::since::{self, Incomparable};
use rectify_scan::{Scan, Since};

use super::is_selected;
use crate::cli_error::CliError;

/// An earlier scan, and the file that it was read from.
pub(super) struct Earlier {
    path: PathBuf,
    scan: Scan,
}

/// Reads a report of `--output json`.
///
/// # Errors
/// [`CliError::Usage`] if the file cannot be read, or is another document.
pub(super) fn read(path: &Path) -> Result<Earlier, CliError> {
    let path = path.to_owned();
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|error| CliError::usage(format!("--changed-since: {}: {error}", path.display())))?;
    let scan = since::read(&text).map_err(|error| unusable(&path, &error))?;
    Ok(Earlier { path, scan })
}

impl Earlier {
    /// What changed about `resources`; about all if absent. Others were not scanned now, so they are not resolved.
    ///
    /// # Errors
    /// [`CliError::Usage`] if both scans have nothing in common.
    pub(super) fn changes(mut self, now: &Scan, resources: Option<&Globs>) -> Result<Since, CliError> {
        self.scan.rows.retain(|row| resources.is_none_or(|it| is_selected(row, it)));
        Since::between(&self.scan, now).map_err(|error| unusable(&self.path, &error))
    }
}

fn unusable(path: &Path, error: &Incomparable) -> CliError {
    CliError::usage(format!("--changed-since: {}: {error}", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use clap::Parser;
    use rectify_runtime::settings::Environment;
    use serde_json::json;

    use crate::arguments::{Arguments, Command};
    use crate::cli_error::CliError;
    use crate::report::Report;
    use crate::style::PLAIN;

    /// A scan of recorded items in this folder, by a control that needs no more.
    fn scan(folder: &Path, options: &str) -> Result<Report, CliError> {
        let line = format!("rectify scan --control efs-encrypted-check --config-snapshot items.json {options}");
        let in_folder = |word: &str| match word.rsplit_once(':').unwrap_or(("", word)) {
            ("", file) if file.ends_with(".json") => folder.join(file).display().to_string(),
            (format, file) if file.ends_with(".json") => format!("{format}:{}", folder.join(file).display()),
            _ => word.to_owned(),
        };
        let Command::Scan(arguments) = Arguments::try_parse_from(line.split(' ').map(in_folder)).unwrap().command
        else {
            unreachable!("{line}");
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(crate::scan::run(&arguments, &Environment::default(), PLAIN))
    }

    fn record(folder: &Path, systems: &[(&str, bool)]) {
        let item = |(id, encrypted): &(&str, bool)| {
            json!({
                "configuration": {"FileSystemId": id, "Encrypted": encrypted}, "supplementaryConfiguration": {},
                "configurationItemCaptureTime": "2026-03-04T05:06:07.000Z", "awsAccountId": "111122223333",
                "configurationItemStatus": "OK", "resourceType": "AWS::EFS::FileSystem", "resourceId": id, "tags": {},
                "ARN": format!("arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/{id}"),
                "awsRegion": "eu-west-1"
            })
        };
        let items: Vec<_> = systems.iter().map(item).collect();
        let file = json!({"fileVersion": "1.0", "configurationItems": items});
        std::fs::write(folder.join("items.json"), file.to_string()).unwrap();
    }

    #[test]
    fn only_what_is_new_is_reported_and_counts_for_the_exit_code() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        record(folder, &[("fs-1", false), ("fs-2", false)]);
        let first = scan(folder, "--output json:scan.json").unwrap();
        assert_eq!(first.ending.code(), 2, "{}", first.text);
        // The report of the second scan goes to the file of the first.
        let same = scan(folder, "--changed-since scan.json --output json:scan.json").unwrap();
        assert!(same.ending.code() == 0 && same.text.ends_with("No new findings\n"), "{}", same.text);
        assert_eq!(same.json["since"]["unchanged"], 2);
        record(folder, &[("fs-2", false), ("fs-3", false)]);
        let other = scan(folder, "--changed-since scan.json").unwrap();
        assert_eq!(other.ending.code(), 2);
        assert!(
            other.text.contains("1 new, 1 resolved, 1 unchanged") && !other.text.contains("fs-2"),
            "{}",
            other.text
        );
        let one = scan(folder, "--changed-since scan.json --resource fs-2").unwrap();
        assert!(one.ending.code() == 0 && one.text.contains("0 new, 0 resolved, 1 unchanged"), "{}", one.text);
    }

    #[test]
    fn an_unusable_report_is_refused_before_the_scan() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let absent = scan(folder, "--changed-since absent.json --output json:absent.json").unwrap_err();
        assert!(absent.code() == 1 && absent.to_string().contains("absent.json: No such file"), "{absent}");
        assert!(!folder.join("absent.json").exists());
        std::fs::write(folder.join("old.json"), "{\"schemaVersion\": 0}").unwrap();
        let old = scan(folder, "--changed-since old.json").unwrap_err().to_string();
        assert!(old.ends_with("schemaVersion 1: received schemaVersion 0"), "{old}");
    }
}
