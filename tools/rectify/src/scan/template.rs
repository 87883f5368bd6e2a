//! The scan of templates and Terraform plans: what they would create, before it exists. Calls nothing.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use rectify_compliance::{AccountId, Region, Timestamp};
use rectify_scan::judges::ControlParameters;
use rectify_scan::result::SCHEMA_VERSION;
use rectify_scan::template::cloudformation::{self, ParameterValues, Template};
use rectify_scan::template::judge::unread_row;
use rectify_scan::template::{Target, TemplateJudges, Unread, answers, terraform};
use rectify_scan::{Place, Row, Scan};

use super::selection::Job;
use crate::arguments::ScanArguments;
use crate::cli_error::CliError;

/// The region of a template that no `--region` names.
const REGION: &str = "us-east-1";
/// The account of a template that no `--account` names: no account has it.
const ACCOUNT: &str = "000000000000";
/// The most bytes of a file; CloudFormation takes templates of 1 MB.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Where the templates would be deployed.
pub(super) fn target(region: Option<&str>, account: Option<&str>) -> Target {
    Target {
        account: AccountId::new(account.unwrap_or(ACCOUNT)),
        region: Region::new(region.unwrap_or(REGION)),
        is_given: region.is_some() && account.is_some(),
    }
}

/// Scans templates, then plans, in their order. A file that is not one is a row, and the others are scanned.
///
/// # Errors
/// [`CliError::Usage`] for invalid parameters, and if no selected control can answer from a template.
pub(super) fn scan(arguments: &ScanArguments, jobs: &[Job], target: &Target) -> Result<Scan, CliError> {
    let started = Timestamp::now();
    let values = match &arguments.template_parameters {
        Some(path) => parameter_values(path)?,
        None => ParameterValues::new(),
    };
    let controls: Vec<_> = jobs.iter().map(|job| job.control).collect();
    let parameters: ControlParameters =
        jobs.iter().map(|job| (job.control.meta.id.to_owned(), job.parameters.clone())).collect();
    let judges =
        TemplateJudges::new(&controls, &parameters, started).map_err(|error| CliError::usage(error.to_string()))?;
    let ids: Vec<String> = judges.controls().map(|control| control.meta.id.to_owned()).collect();
    if ids.is_empty() {
        let text = "scan: no selected control can answer from a template: docs/scan.md lists those that can";
        return Err(CliError::usage(text));
    }
    note_others(&controls.iter().map(|it| it.meta.id).filter(|id| !answers(id)).collect::<Vec<_>>());
    let mut rows: Vec<Row> = Vec::new();
    let templates = arguments.cloudformation.iter().map(|path| (path, false));
    let paths: Vec<_> = templates.chain(arguments.terraform_plan.iter().map(|path| (path, true))).collect();
    for (path, is_plan) in &paths {
        let file = path.display().to_string();
        let template = read(path).and_then(|text| {
            if *is_plan { terraform::read(&text, target) } else { cloudformation::read(&text, &values, target) }
        });
        let template = template.unwrap_or_else(|reason| Template {
            unread: vec![Unread { kind: "*".to_owned(), id: "*".to_owned(), line: None, reason }],
            ..Template::default()
        });
        rows.extend(template.unread.iter().map(|it| unread_row(&file, it, target)));
        rows.extend(judges.rows(&file, &template.resources, target));
    }
    // Stable: within a control the order of the files and lines stays.
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.control));
    let mut places: Vec<Place> = rows.iter().map(|row| row.place.clone()).collect();
    places.sort();
    places.dedup();
    Ok(Scan {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
        finished: Timestamp::now(),
        source: paths.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>().join(", "),
        places,
        controls: ids,
        rows,
        since: None,
    })
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    let read = file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if read as u64 > MOST_BYTES {
        return Err(format!("expected at most {MOST_BYTES} bytes: received more"));
    }
    Ok(text)
}

fn parameter_values(path: &Path) -> Result<ParameterValues, CliError> {
    let usage = |error: String| CliError::usage(format!("--template-parameters: {}: {error}", path.display()));
    cloudformation::parameter_values(&read(path).map_err(usage)?).map_err(usage)
}

/// Says which selected controls need more than a template.
fn note_others(others: &[&str]) {
    if !others.is_empty() {
        let count = others.len();
        // A note that cannot be written is not worth the scan.
        drop(writeln!(
            std::io::stderr(),
            "{count} selected controls cannot answer from a template, and are not scanned: {}",
            others.join(", ")
        ));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use clap::Parser;
    use rectify_scan::Outcome;

    use super::*;
    use crate::arguments::{Arguments, Command};

    const OPEN: &str = "Parameters:\n  Cidr: {Type: String}\nResources:\n  Web:\n    Type: AWS::EC2::SecurityGroup\n    \
                        Properties:\n      SecurityGroupIngress:\n        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, \
                        CidrIp: !Ref Cidr}\n";

    fn scanned(line: &str) -> Result<Scan, CliError> {
        let line = format!("rectify scan {line}");
        let Command::Scan(arguments) = Arguments::try_parse_from(line.split_whitespace()).unwrap().command else {
            return Err(CliError::usage("another command"));
        };
        super::super::declared(&arguments)
    }

    fn shown(scan: &Scan) -> Vec<String> {
        let status = |outcome: &Outcome| match outcome {
            Outcome::Passed { .. } => "passed".to_owned(),
            Outcome::Failed { .. } => "failed".to_owned(),
            Outcome::NotApplicable { reason } | Outcome::Unreadable { reason } | Outcome::NotScanned { reason } => {
                reason.clone()
            }
        };
        let row = |row: &Row| {
            let source = row.source.as_ref().unwrap().to_string();
            let file = source.rsplit('/').next().unwrap();
            format!("{file} {} {} {}", row.control, row.resource_id, status(&row.outcome))
        };
        scan.rows.iter().map(row).collect()
    }

    #[test]
    fn each_file_is_scanned_and_one_that_is_no_template_is_a_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("open.yaml"), OPEN).unwrap();
        std::fs::write(path("empty.json"), "").unwrap();
        std::fs::write(path("cidr.json"), r#"{"Cidr": "0.0.0.0/0"}"#).unwrap();
        let files = ["empty.json", "open.yaml", "missing.yaml"].map(|name| format!("--cloudformation {}", path(name)));
        let line = format!("{} --control restricted-ssh --control encrypted-volumes", files.join(" "));
        let broken = [
            "empty.json * * expected a template: received nothing",
            "missing.yaml * * No such file or directory (os error 2)",
        ];
        let unknown = "open.yaml:4 restricted-ssh Web unknown: value known only at deployment: SecurityGroupIngress.0.CidrIp (Ref Cidr)";
        let scan = scanned(&line).unwrap();
        assert_eq!(shown(&scan), [broken[0], broken[1], unknown]);
        assert_eq!(scan.controls, ["restricted-ssh", "encrypted-volumes"]);
        let given = scanned(&format!("{line} --template-parameters {}", path("cidr.json"))).unwrap();
        assert_eq!(shown(&given), [broken[0], broken[1], "open.yaml:4 restricted-ssh Web failed"]);
        let none = scanned(&format!("{line} --resource Db")).unwrap();
        assert_eq!(shown(&none), [broken[0], broken[1]], "a file that cannot be read may have the resource");
    }

    #[test]
    fn plans_are_scanned_beside_templates() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("open.yaml"), OPEN).unwrap();
        let plan = r#"{"format_version": "1.2", "planned_values": {"root_module": {"resources": [{"address":
            "aws_ebs_volume.data", "mode": "managed", "type": "aws_ebs_volume", "name": "data", "values":
            {"encrypted": false}}]}}}"#;
        std::fs::write(path("plan.json"), plan).unwrap();
        let files = format!("--cloudformation {} --terraform-plan {}", path("open.yaml"), path("plan.json"));
        let scan = scanned(&format!("{files} --control encrypted-volumes --control efs-encrypted-check")).unwrap();
        assert_eq!(shown(&scan), ["plan.json encrypted-volumes aws_ebs_volume.data failed"]);
        let swapped = format!("--terraform-plan {} --control encrypted-volumes", path("open.yaml"));
        let [row] = &shown(&scanned(&swapped).unwrap())[..] else { unreachable!() };
        assert!(row.starts_with("open.yaml * * expected a plan, as `terraform show -json` prints it: "), "{row}");
    }

    #[test]
    fn unusable_arguments_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("open.yaml");
        std::fs::write(&file, OPEN).unwrap();
        let refused =
            |rest: &str| scanned(&format!("--cloudformation {} {rest}", file.display())).unwrap_err().to_string();
        assert_eq!(
            refused("--control iam-password-policy"),
            "scan: no selected control can answer from a template: docs/scan.md lists those that can"
        );
        assert!(refused("--region eu-west-1 --region eu-west-2").starts_with("--region: expected one region"));
        let values = refused(&format!("--template-parameters {}", file.display()));
        assert!(values.starts_with("--template-parameters: ") && values.contains("expected an object"), "{values}");
    }
}
