//! The arguments of `scan`.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::PossibleValuesParser;
use rectify_catalogue::SERVICES;
use rectify_catalogue::profiles::PROFILES;
use rectify_compliance::{AccountId, Framework, Severity};
use rectify_scan::report::{Format, UnknownFormat};

pub(super) const AFTER_HELP: &str = "\
Exit codes, which differ from those of the other commands so that a pipeline can distinguish them:
  0  no finding at or above --fail-on, and every selected resource has a verdict
  1  not finished: some resources have no verdict and no finding counts, or an error, also of the arguments
  2  a finding at or above --fail-on

Examples:
  rectify scan                                        all controls in the region of AWS_REGION
  rectify scan --region eu-west-1 --region us-east-1 --severity high
  rectify scan --region all --output text,csv:scan.csv
  rectify scan --role-arn \"$ROLE_ARN\" --external-id example
  rectify scan --accounts organization --role-name SecurityAudit --output html:organization.html
  rectify scan --framework cis-5.0 --output text,html:report.html,json:scan.json
  rectify scan --control restricted-ssh --details
  rectify scan --control restricted-ssh --resource 'sg-0*' --fail-on critical
  rectify scan --config-snapshot 111122223333_Config_us-east-1_ConfigSnapshot.json.gz
  rectify scan --aggregator organization --region eu-west-1
  rectify scan --event events/efs-encrypted-check/compliant-encrypted.json
  rectify scan --changed-since yesterday.json --output text,json:today.json
  rectify scan --cloudformation template.yaml --output text,sarif:rectify.sarif
  rectify scan --terraform-plan plan.json             of terraform show -json plan.tfplan
  rectify scan --parameters rectify.yaml              with the parameters of a deployment";

/// The names of the frameworks.
const FRAMEWORKS: [(&str, Framework); 5] = [
    ("cis-5.0", Framework::Cis50),
    ("cis-3.0", Framework::Cis30),
    ("fsbp", Framework::Fsbp),
    ("nist-800-53-r5", Framework::Nist80053r5),
    ("pci-4.0", Framework::Pci40),
];

/// The names of the severities.
const SEVERITIES: [(&str, Severity); 4] =
    [("low", Severity::Low), ("medium", Severity::Medium), ("high", Severity::High), ("critical", Severity::Critical)];

/// Arguments of `scan`. A control is scanned if all of the given options select it.
#[derive(Debug, Args)]
pub(crate) struct ScanArguments {
    /// Only this control; repeatable. See `rectify controls`.
    #[arg(long, value_name = "ID", value_parser = super::value::control_ids(), hide_possible_values = true)]
    pub(crate) control: Vec<String>,
    /// Not this control; repeatable.
    #[arg(long, value_name = "ID", value_parser = super::value::control_ids(), hide_possible_values = true)]
    pub(crate) exclude: Vec<String>,
    /// Only controls of this service; repeatable.
    #[arg(long, value_name = "SERVICE", value_parser = PossibleValuesParser::new(SERVICES))]
    pub(crate) service: Vec<String>,
    /// Only controls that cover a requirement of this framework.
    #[arg(long, value_name = "FRAMEWORK", value_parser = framework)]
    pub(crate) framework: Option<Framework>,
    /// Only controls of this profile, with its parameters.
    #[arg(long, value_name = "PROFILE", value_parser = PossibleValuesParser::new(PROFILES.iter().map(|it| it.name)))]
    pub(crate) controls_profile: Option<String>,
    /// Only controls of this severity and above: low, medium, high or critical.
    #[arg(long, value_name = "LEVEL", value_parser = severity)]
    pub(crate) severity: Option<Severity>,
    /// Only resources whose id or name matches; `*` matches any text.
    #[arg(long, value_name = "GLOB")]
    pub(crate) resource: Option<String>,
    /// A region; repeatable; default: that of the credentials. `all`: every region that the account has enabled. Global
    /// controls are scanned once, in their home region, in any case.
    #[arg(long)]
    pub(crate) region: Vec<String>,
    /// Scan with the credentials of this role, which is assumed first.
    #[arg(long, value_name = "ARN", value_parser = role_arn, conflicts_with = "accounts")]
    pub(crate) role_arn: Option<String>,
    /// The external id that the trust policy of the assumed role requires.
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    /// Scan these accounts: a file with an account id a line, or `organization` for all its active accounts. In each,
    /// the role of --role-name is assumed, except in the account of the credentials.
    #[arg(long, value_name = "FILE|organization", requires = "role_name", conflicts_with = "account")]
    pub(crate) accounts: Option<Accounts>,
    /// The name of the role that exists in each of the accounts, with its path if it has one.
    #[arg(long, value_name = "NAME", requires = "accounts", value_parser = role_name)]
    pub(crate) role_name: Option<String>,
    /// A snapshot or history file that AWS Config delivered, .json or .json.gz, `-` for standard input; repeatable. AWS is
    /// not called: controls that need more than recorded items are reported as not scanned.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["region", "account", "role_arn", "accounts"])]
    pub(crate) config_snapshot: Vec<PathBuf>,
    /// Events that AWS Config sends to a rule, or configuration items, one per file, `-` for standard input; repeatable.
    /// Each resource is evaluated by every control of its type; AWS is not called.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["region", "account", "role_arn", "accounts", "config_snapshot"])]
    pub(crate) event: Vec<PathBuf>,
    /// An AWS Config aggregator in the region: what AWS Config recorded in its accounts and regions is evaluated. Controls
    /// that need more than queries return are reported as not scanned.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["account", "role_arn", "accounts", "config_snapshot", "event"])]
    pub(crate) aggregator: Option<String>,
    /// Report only what is new since this report of `--output json`: findings that it does not have, or has for another
    /// reason, and results that lost their verdict. Only these count for the exit code.
    #[arg(long, value_name = "REPORT")]
    pub(crate) changed_since: Option<PathBuf>,
    /// A CloudFormation template, JSON or YAML; repeatable. What it would create is evaluated before it is deployed. AWS
    /// is not called: what is known only at deployment has no verdict, and a control that cannot answer from a template
    /// is not scanned. --region and --account are those of the deployment.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config_snapshot", "event", "aggregator", "role_arn", "accounts"])]
    pub(crate) cloudformation: Vec<PathBuf>,
    /// A Terraform plan, as `terraform show -json` prints it; repeatable. What it would create or change is evaluated like
    /// a template.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config_snapshot", "event", "aggregator", "role_arn", "accounts"])]
    pub(crate) terraform_plan: Vec<PathBuf>,
    /// The values of the templates' parameters, in JSON: an object, or a list of ParameterKey and ParameterValue.
    #[arg(long, value_name = "FILE", requires = "cloudformation")]
    pub(crate) template_parameters: Option<PathBuf>,
    /// The account that the credentials must belong to; default: any.
    #[arg(long, value_name = "ID", value_parser = super::value::account_id)]
    pub(crate) account: Option<String>,
    /// A `rectify.yaml`, for the parameters of the controls; those in mode off are not scanned unless --control has
    /// them.
    #[arg(long, value_name = "FILE")]
    pub(crate) parameters: Option<PathBuf>,
    /// The lowest severity at which a finding makes the exit code 2.
    #[arg(long, value_name = "LEVEL", default_value = "low", value_parser = severity)]
    pub(crate) fail_on: Severity,
    /// In the text, below each finding: its whole reason, what changes, and the commands that fix it.
    #[arg(long)]
    pub(crate) details: bool,
    /// What to write, and where: text, json, jsonl, csv, html, ocsf, asff, sarif or junit, with a file if not to standard
    /// output. Repeatable, or separated by commas. Standard output gets the text if no other format goes there.
    #[arg(long, value_name = "FORMAT[:FILE]", value_delimiter = ',')]
    pub(crate) output: Vec<Output>,
}

/// Which accounts are scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Accounts {
    /// The active accounts of the caller's organization.
    Organization,
    /// Those of a file, an id a line.
    File(PathBuf),
}

impl FromStr for Accounts {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "organization" { Self::Organization } else { Self::File(PathBuf::from(text)) })
    }
}

/// A format, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// The format.
    pub(crate) format: Format,
    /// The file; standard output if absent.
    pub(crate) file: Option<PathBuf>,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once(':') {
            Some((_, "")) => return Err(format!("expected a file after the colon: received `{text}`")),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = format.parse().map_err(|error: UnknownFormat| error.to_string())?;
        Ok(Self { format, file })
    }
}

fn role_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_role = matches!(parts.as_slice(), ["arn", _, "iam", "", account, role]
        if AccountId::is_id(account) && role.strip_prefix("role/").is_some_and(is_role_path));
    let expected = || format!("expected arn:<partition>:iam::<account>:role/<name>: received `{text}`");
    is_role.then(|| text.to_owned()).ok_or_else(expected)
}

fn role_name(text: &str) -> Result<String, String> {
    let expected = || format!("expected the name of a role, without account and ARN: received `{text}`");
    is_role_path(text).then(|| text.to_owned()).ok_or_else(expected)
}

/// Whether it is a role's name, after its path if it has one, in the characters of IAM.
fn is_role_path(text: &str) -> bool {
    let is_name =
        |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_alphanumeric() || b"+=,.@_-".contains(&it));
    text.split('/').all(is_name)
}

fn framework(text: &str) -> Result<Framework, String> {
    named(&FRAMEWORKS, text)
}

fn severity(text: &str) -> Result<Severity, String> {
    named(&SEVERITIES, text)
}

/// The value of this name.
fn named<T: Copy>(all: &[(&str, T)], text: &str) -> Result<T, String> {
    let found = all.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    let names = || all.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("expected one of {}: received `{text}`", names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_a_format_with_an_optional_file() {
        let output = |format, file: Option<&str>| Ok(Output { format, file: file.map(PathBuf::from) });
        let all = Format::ALL.map(Format::name).join(", ");
        let rows = [
            ("text", output(Format::Text, None)),
            ("json:out/scan.json", output(Format::Json, Some("out/scan.json"))),
            ("json:C:/scan.json", output(Format::Json, Some("C:/scan.json"))),
            ("json:", Err("expected a file after the colon: received `json:`".to_owned())),
            ("jsn", Err(format!("format: expected {all}: received `jsn`: did you mean `json`?"))),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }

    #[test]
    fn a_role_is_an_arn_or_a_name() {
        for (text, is_arn, is_name) in [
            ("arn:aws:iam::111122223333:role/SecurityAudit", true, false),
            ("arn:aws-cn:iam::111122223333:role/audit/SecurityAudit", true, false),
            ("arn:aws:iam::111122223333:user/ada", false, false),
            ("arn:aws:iam::1111:role/SecurityAudit", false, false),
            ("arn:aws:iam::111122223333:role/", false, false),
            ("SecurityAudit", false, true),
            ("audit/SecurityAudit", false, true),
            ("/SecurityAudit", false, false),
            ("Security Audit", false, false),
            ("", false, false),
        ] {
            assert_eq!((role_arn(text).is_ok(), role_name(text).is_ok()), (is_arn, is_name), "{text}");
        }
    }

    #[test]
    fn every_framework_has_a_name() {
        for framework in Framework::ALL {
            assert!(FRAMEWORKS.iter().any(|(_, it)| *it == framework), "{framework:?}");
        }
    }
}
