//! What can be typed about decisions: exemptions, breakers, a fix that was undone and is wanted again.

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{LedgerArguments, account_id, control_ids};

/// The verbs of an exemption.
#[derive(Debug, Subcommand)]
pub(crate) enum ExemptCommand {
    /// Adds an exemption: found and reported as before, and not acted upon until its day.
    Add(ExemptArguments),
    /// Lists exemptions; those that are over or were ended only with --all.
    List {
        /// Those that concern this control; default: all.
        #[arg(long, value_name = "ID", value_parser = control_ids())]
        control: Option<String>,
        /// Also those that are over or were ended.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        ledger: LedgerArguments,
    },
    /// Ends an exemption before its day; it stays on record.
    End {
        /// The exemption's id, as `exempt list` shows it.
        #[arg(value_name = "EXEMPTION")]
        id: String,
        /// Who, for the ledger; default: USER.
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
    /// The control, or `*` for every one.
    #[arg(long, value_name = "ID", value_parser = control_or_all)]
    pub(crate) control: String,
    /// The account, or `*` for every one; default: AWS_ACCOUNT_ID.
    #[arg(long, value_name = "ID", value_parser = account_or_all)]
    pub(crate) account: Option<String>,
    /// The id, name or ARN of the resource, whole; `*` and `?` stand for anything.
    #[arg(long, value_name = "GLOB")]
    pub(crate) resource: Option<String>,
    /// A tag whose key begins with `rectify:exempt`; in its value `*` and `?` stand for anything.
    #[arg(long, value_name = "KEY=GLOB")]
    pub(crate) tag: Option<String>,
    /// The day or instant it ends, e.g. 2027-03-31 (begins at 00:00 UTC) or 2027-03-31T18:00:00Z.
    #[arg(long, value_name = "DAY", value_parser = instant)]
    pub(crate) until: Timestamp,
    /// Why, for whoever finds it.
    #[arg(long)]
    pub(crate) reason: String,
    /// Who decided it.
    #[arg(long, value_name = "NAME")]
    pub(crate) approver: String,
    /// Where the decision is written down, e.g. SEC-123.
    #[arg(long)]
    pub(crate) ticket: String,
    /// Who enters it, for the ledger; default: USER.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// The verbs of a breaker.
#[derive(Debug, Subcommand)]
pub(crate) enum BreakerCommand {
    /// Lists the breakers that are open: of the controls, and of the resources they kept from being fixed; one that was not
    /// met since it opened is shown where its resource is named.
    List(BreakerArguments),
    /// Closes a breaker before its time: a control's own, or that of a control on one resource.
    Reset {
        #[command(flatten)]
        breaker: BreakerArguments,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Who, for the ledger; default: USER.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

/// A control's breaker, or its breaker on one resource.
#[derive(Debug, Args)]
pub(crate) struct BreakerArguments {
    /// The control; without it `list` shows those of all, and `reset` has nothing to close.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: Option<String>,
    /// The resource's id, as AWS Config has it.
    #[arg(long, value_name = "RESOURCE ID", requires = "control")]
    pub(crate) resource: Option<String>,
    /// The resource's type; default: the control's own where it has one only.
    #[arg(long = "type", value_name = "TYPE", requires = "resource")]
    pub(crate) kind: Option<String>,
    /// The account that owns the resource; default: AWS_ACCOUNT_ID.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Which attempt's fix is wanted again.
#[derive(Debug, Args)]
pub(crate) struct RedoArguments {
    /// The id of the attempt that was undone.
    #[arg(value_name = "ATTEMPT")]
    pub(crate) attempt: String,
    /// The event bus the remediations listen on; default: EVENT_BUS, then the account's default bus.
    #[arg(long, value_name = "NAME")]
    pub(crate) bus: Option<String>,
    /// Who, for the ledger; default: USER.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// What is looked at.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// What the stack put before every name.
    #[arg(long, default_value = "rectify-")]
    pub(crate) prefix: String,
    /// URL or name of the queue of events that could not be handled; repeat it for several. Default: none is looked at.
    #[arg(long = "queue", value_name = "QUEUE")]
    pub(crate) queues: Vec<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

fn control_or_all(text: &str) -> Result<String, String> {
    let known = text == "*" || rectify_catalogue::find(text).is_some();
    known.then(|| text.to_owned()).ok_or_else(|| format!("expected a control's id or `*`: received `{text}`"))
}

fn account_or_all(text: &str) -> Result<String, String> {
    if text == "*" { Ok(text.to_owned()) } else { account_id(text) }
}

/// An instant, or the first of a day.
fn instant(text: &str) -> Result<Timestamp, String> {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    whole.parse().map_err(|_| format!("expected a day such as 2027-03-31, or an instant: received `{text}`"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_utc_and_nonsense_is_named() {
        assert_eq!(instant("2027-03-31").unwrap().to_string(), "2027-03-31T00:00:00Z");
        assert_eq!(instant("2027-03-31T18:00:00Z").unwrap().to_string(), "2027-03-31T18:00:00Z");
        assert!(instant("next week").unwrap_err().ends_with("received `next week`"));
    }
}
