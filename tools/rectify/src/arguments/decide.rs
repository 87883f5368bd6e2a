//! Arguments of the commands for decisions: exemptions, breakers, redo, and the doctor.

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{LedgerArguments, account_id, control_ids};

/// The commands of `exempt`.
#[derive(Debug, Subcommand)]
pub(crate) enum ExemptCommand {
    /// Adds an exemption: findings are still reported, but nothing is changed until its end date.
    Add(ExemptArguments),
    /// Lists current exemptions; with --all also expired and ended ones.
    List {
        /// Only exemptions for this control; default: all.
        #[arg(long, value_name = "ID", value_parser = control_ids())]
        control: Option<String>,
        /// Also show expired and ended exemptions.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        ledger: LedgerArguments,
    },
    /// Ends an exemption early; it stays on record.
    End {
        /// The exemption id, as shown by `exempt list`.
        #[arg(value_name = "EXEMPTION")]
        id: String,
        /// The operator, for the ledger; default: USER.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        #[command(flatten)]
        ledger: LedgerArguments,
    },
}

/// One exemption.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["resource", "tag"]))]
pub(crate) struct ExemptArguments {
    /// The control, or `*` for all controls.
    #[arg(long, value_name = "ID", value_parser = control_or_all)]
    pub(crate) control: String,
    /// The account, or `*` for all accounts; default: that of the credentials.
    #[arg(long, value_name = "ID", value_parser = account_or_all)]
    pub(crate) account: Option<String>,
    /// The full id, name or ARN of the resource; `*` and `?` are wildcards.
    #[arg(long, value_name = "GLOB")]
    pub(crate) resource: Option<String>,
    /// A tag whose key begins with `rectify:exempt`; in its value, `*` and `?` are wildcards.
    #[arg(long, value_name = "KEY=GLOB")]
    pub(crate) tag: Option<String>,
    /// The end date or time, e.g. 2027-03-31 (00:00 UTC) or 2027-03-31T18:00:00Z.
    #[arg(long, value_name = "DATE", value_parser = instant)]
    pub(crate) until: Timestamp,
    /// The reason, for other operators.
    #[arg(long)]
    pub(crate) reason: String,
    /// The approver of the exemption.
    #[arg(long, value_name = "NAME")]
    pub(crate) approver: String,
    /// The ticket that records the decision, e.g. SEC-123.
    #[arg(long)]
    pub(crate) ticket: String,
    /// The operator who adds it, for the ledger; default: USER.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// The commands of `breaker`.
#[derive(Debug, Subcommand)]
pub(crate) enum BreakerCommand {
    /// Lists the open breakers of controls and of resources. A resource's breaker is listed once it has blocked a fix, or if
    /// --resource names the resource.
    List(BreakerArguments),
    /// Resets a breaker early: that of a control, or that of a control on one resource.
    Reset {
        #[command(flatten)]
        breaker: BreakerArguments,
        /// The reason, for the record.
        #[arg(long)]
        reason: String,
        /// The operator, for the ledger; default: USER.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

/// A control's breaker, or its breaker on one resource.
#[derive(Debug, Args)]
pub(crate) struct BreakerArguments {
    /// The control; default for `list`: all controls. Required for `reset`.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: Option<String>,
    /// The AWS Config resource id.
    #[arg(long, value_name = "RESOURCE ID", requires = "control")]
    pub(crate) resource: Option<String>,
    /// The resource type; default: that of the control, if it has only one.
    #[arg(long = "type", value_name = "TYPE", requires = "resource")]
    pub(crate) kind: Option<String>,
    /// The account of the resource; default: that of the credentials.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `redo`.
#[derive(Debug, Args)]
pub(crate) struct RedoArguments {
    /// The id of the attempt that was undone.
    #[arg(value_name = "ATTEMPT")]
    pub(crate) attempt: String,
    /// The event bus of the remediations; default: EVENT_BUS, then the account's default bus.
    #[arg(long, value_name = "NAME")]
    pub(crate) bus: Option<String>,
    /// The operator, for the ledger; default: USER.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// URL or name of a queue that should be empty, such as the dead-letter queue; repeatable. Default: no queue is checked.
    #[arg(long = "queue", value_name = "QUEUE")]
    pub(crate) queues: Vec<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

fn control_or_all(text: &str) -> Result<String, String> {
    let known = text == "*" || rectify_catalogue::find(text).is_some();
    known.then(|| text.to_owned()).ok_or_else(|| format!("expected a control id or `*`: received `{text}`"))
}

fn account_or_all(text: &str) -> Result<String, String> {
    if text == "*" { Ok(text.to_owned()) } else { account_id(text) }
}

/// Parses a time, or a date as its midnight UTC.
fn instant(text: &str) -> Result<Timestamp, String> {
    let complete = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    complete.parse().map_err(|_| {
        format!("expected a date such as 2027-03-31, or a time such as 2027-03-31T18:00:00Z: received `{text}`")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_date_means_midnight_utc_and_invalid_text_is_refused() {
        assert_eq!(instant("2027-03-31").unwrap().to_string(), "2027-03-31T00:00:00Z");
        assert_eq!(instant("2027-03-31T18:00:00Z").unwrap().to_string(), "2027-03-31T18:00:00Z");
        assert!(instant("next week").unwrap_err().ends_with("received `next week`"));
    }
}
