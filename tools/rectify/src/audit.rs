//! `rectify audit`: what people decided, when, with which credentials, and why.

use jiff::{SignedDuration, Timestamp};
use rectify_runtime::ledger::AuditEntry;
use rectify_runtime::settings::Environment;
use serde_json::{Value, json};

use crate::arguments::AuditArguments;
use crate::cli_error::CliError;
use crate::place::OpenLedger;
use crate::report::{self, Report, columns, moment};

/// How far back the list goes if the operator does not say.
const DEFAULT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The columns as CSV.
const HEADER: [&str; 5] = ["at", "by", "byArn", "what", "why"];

/// Lists the decisions of a period, oldest first.
pub(crate) async fn run(arguments: &AuditArguments, environment: &Environment) -> Result<Report, CliError> {
    let now = Timestamp::now();
    let since = arguments.since.unwrap_or_else(|| now.saturating_sub(DEFAULT).unwrap_or(Timestamp::MIN));
    let open = OpenLedger::open(&arguments.ledger, environment).await?;
    let entries = open.ledger.acts_between(since, now).await?;
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    let text = match rows.as_slice() {
        [] => format!("no decision since {} in {}\n", moment(since), open.table),
        rows => columns(["AT", "BY", "CREDENTIALS", "WHAT", "WHY"].map(str::to_owned).to_vec(), rows.to_vec()),
    };
    let json = json!({ "schema_version": 1, "since": since, "acts": entries.iter().map(as_json).collect::<Vec<_>>() });
    report::list(arguments.output, &HEADER, rows, text, json)
}

fn row(entry: &AuditEntry) -> Vec<String> {
    let AuditEntry { at, by, by_arn, what, why } = entry;
    vec![moment(*at), by.clone(), by_arn.clone().unwrap_or_default(), what.clone(), why.clone()]
}

fn as_json(entry: &AuditEntry) -> Value {
    let AuditEntry { at, by, by_arn, what, why } = entry;
    json!({ "at": at, "by": by, "by_arn": by_arn, "what": what, "why": why })
}
