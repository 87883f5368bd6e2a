//! Arguments of `check` and `plan`.

use std::path::PathBuf;

use clap::Args;

use super::LedgerArguments;
use super::value::{account_id, control_ids};

pub(super) const EXAMPLES: &str = "\
Examples:
  rectify check iam-root-access-key-check --event event.json --subjects subjects.json
  rectify check cloud-trail-log-file-validation-enabled --event event.json --facts facts.json
  rectify check restricted-ssh sg-0123456789abcdef0 --account 111122223333
  rectify check iam-root-access-key-check 111122223333
  rectify check rds-multi-az-support --event - < event.json && echo compliant";

pub(super) const PLAN_EXAMPLES: &str = "\
Below the plan, `blocked by` lists all that keeps a remediation from applying it now, and how to lift it: stop switch, \
scope, exemption, hold, protected ARN, level, stack, mode, grace period, breaker and budget, in the order in which a \
remediation checks them. `unknown` lists what could not be read.

Examples:
  rectify plan restricted-ssh sg-0123456789abcdef0

  # Only the commands that fix it
  rectify plan restricted-ssh sg-0123456789abcdef0 --as cli

  # As this file would deploy it
  rectify plan restricted-ssh sg-0123456789abcdef0 \\
      --parameters rectify.yaml";

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["resource", "event"]))]
pub(crate) struct CheckArguments {
    /// The control to evaluate.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: String,
    /// A resource to read now: its AWS Config id or its ARN; for an account, the account id; for an IAM user, a policy
    /// or a database also its name.
    #[arg(value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
    /// A rule event as AWS Config delivers it; `-` reads standard input. AWS is not called.
    #[arg(long, value_name = "FILE")]
    pub(crate) event: Option<PathBuf>,
    /// The facts that the control would read from AWS in addition to the configuration item, as JSON; default: the file of
    /// the same name in a folder `facts` next to the event, else null.
    #[arg(long, value_name = "FILE", conflicts_with = "resource")]
    pub(crate) facts: Option<PathBuf>,
    /// The subjects to evaluate for a scheduled event, as a JSON array; default: the file of the same name in a folder
    /// `subjects` next to the event.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resource", "facts"])]
    pub(crate) subjects: Option<PathBuf>,
    /// The resource type; default: that of the control, if it has only one.
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "event")]
    pub(crate) kind: Option<String>,
    /// The rule parameters as JSON; an event contains its own.
    #[arg(long, value_name = "JSON", conflicts_with = "event", default_value = "{}")]
    pub(crate) parameters: String,
    /// The account of the resource; default: that of the credentials.
    #[arg(long, value_name = "ID", conflicts_with = "event", value_parser = account_id)]
    pub(crate) account: Option<String>,
    /// The region of the rule; default: that of the event, then AWS_REGION.
    #[arg(long)]
    pub(crate) region: Option<String>,
    #[command(flatten)]
    pub(crate) output: PlanOutput,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The control whose plan to show.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: String,
    /// The resource: its AWS Config id or its ARN; for an account, the account id; for an IAM user, a policy or a
    /// database also its name.
    #[arg(value_name = "RESOURCE")]
    pub(crate) resource: String,
    /// The resource type; default: that of the control, if it has only one.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// The rule parameters as JSON, or a `rectify.yaml` with the parameters and the settings to plan for; default: those of
    /// the deployed function.
    #[arg(long, value_name = "JSON|FILE")]
    pub(crate) parameters: Option<String>,
    /// The account of the resource; default: that of the credentials.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
    #[command(flatten)]
    pub(crate) output: PlanOutput,
}

/// The form of a plan.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PlanOutput {
    /// Print only the calls of the plan, as commands of the AWS CLI for a POSIX shell; manual steps are comments.
    #[arg(long = "as", value_name = "FORM", conflicts_with = "json")]
    pub(crate) format: Option<PlanFormat>,
}

/// A form of a plan other than text.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum PlanFormat {
    /// Commands of the AWS CLI.
    Cli,
}
