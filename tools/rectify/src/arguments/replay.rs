//! The arguments of `replay`.

use std::path::PathBuf;

use clap::Args;

pub(super) const EXAMPLES: &str = "\
A finding begins with the first item that shows it and ends with the first item that does not: between two items nothing
is known. Only controls that evaluate the recorded item alone can be replayed, with the default of each parameter.

Examples:
  rectify replay history/*.json.gz                                     every finding, with its begin and end
  rectify replay history/*.json.gz --resource orders                   one resource, by id, name or ARN
  rectify replay history/*.json.gz --control rds-multi-az-support --json
  aws configservice get-resource-config-history --resource-type AWS::S3::Bucket --resource-id shop-images |
      rectify replay -                                                 the history as the API returns it

Exit codes:
  0  no finding is open at the end
  1  a finding is open, or an item cannot be read
  2  usage error: an argument or a file
  3  error: this machine failed";

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// History or snapshot files of AWS Config, in any order, gzipped or not; `-` reads standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Only this control; repeatable. Default: every control that evaluates recorded items alone.
    #[arg(long = "control", value_name = "ID", value_parser = super::value::control_ids())]
    pub(crate) controls: Vec<String>,
    /// Only the resource with this AWS Config id, name or ARN.
    #[arg(long, value_name = "RESOURCE ID")]
    pub(crate) resource: Option<String>,
}
