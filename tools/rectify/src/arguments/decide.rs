//! Arguments of the commands for decisions: exemptions, holds, stops, breakers, redo, and the doctor.

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};

use super::LedgerArguments;
use super::value::{account_id, account_or_all, control_ids, control_or_all, days, duration, instant, stated};

/// Who decides.
#[derive(Debug, Args)]
pub(crate) struct Operator {
    /// The operator, for the ledger; default: USER.
    #[arg(long, value_name = "NAME", value_parser = stated)]
    pub(crate) by: Option<String>,
}

/// Who decides, and why.
#[derive(Debug, Args)]
pub(crate) struct Reasoned {
    /// The reason, for other operators.
    #[arg(long, value_name = "TEXT", value_parser = stated)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) operator: Operator,
}

/// A control on a resource.
#[derive(Debug, Args)]
pub(crate) struct HeldArguments {
    /// The control.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: String,
    /// The resource: its AWS Config id or its ARN.
    #[arg(value_name = "RESOURCE")]
    pub(crate) resource: String,
    /// The resource type; default: that of the control, if it has only one.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// The account of the resource; default: that of the credentials.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// A hold to set, in place of an earlier one of the same control on the resource.
#[derive(Debug, Args)]
pub(crate) struct HoldArguments {
    #[command(flatten)]
    pub(crate) held: HeldArguments,
    /// How long, e.g. 12h, 14d or 2w; default: 7d.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) lasts: Option<SignedDuration>,
    /// The end date or time, e.g. 2027-03-31 (00:00 UTC) or 2027-03-31T18:00:00Z.
    #[arg(long, value_name = "DATE", value_parser = instant, conflicts_with = "lasts")]
    pub(crate) until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) decision: Reasoned,
}

/// The commands of `hold`.
#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// List current holds: all, those of a control, or that on a resource.
    List(ScopeArguments),
    /// End a hold early.
    End {
        #[command(flatten)]
        held: HeldArguments,
        #[command(flatten)]
        operator: Operator,
    },
}

/// The commands of `exempt`.
#[derive(Debug, Subcommand)]
pub(crate) enum ExemptCommand {
    /// List current exemptions; with --all also expired and ended ones.
    List {
        /// Only exemptions for this control; default: all.
        #[arg(value_name = "CONTROL", value_parser = control_ids())]
        control: Option<String>,
        /// Also show expired and ended exemptions.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        ledger: LedgerArguments,
    },
    /// End an exemption early; it stays on record.
    End {
        /// The exemption id, as shown by `exempt list`.
        #[arg(value_name = "EXEMPTION")]
        id: String,
        #[command(flatten)]
        operator: Operator,
        #[command(flatten)]
        ledger: LedgerArguments,
    },
    /// Set how long an exemption may last, for this ledger; default: a year. Exemptions in force are not changed.
    Limit {
        /// The longest duration, whole days, e.g. 180d.
        #[arg(value_name = "DURATION", value_parser = days)]
        days: u16,
        #[command(flatten)]
        decision: Reasoned,
        #[command(flatten)]
        ledger: LedgerArguments,
    },
}

/// An exemption to add.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["resource", "tag"]))]
#[command(group = clap::ArgGroup::new("end").required(true).args(["lasts", "until"]))]
pub(crate) struct ExemptArguments {
    /// The control, or `*` for all controls.
    #[arg(value_name = "CONTROL", value_parser = control_or_all)]
    pub(crate) control: String,
    /// The full id, name or ARN of the resource; `*` and `?` are wildcards.
    #[arg(value_name = "RESOURCE")]
    pub(crate) resource: Option<String>,
    /// A tag whose key begins with `rectify:exempt`; in its value, `*` and `?` are wildcards.
    #[arg(long, value_name = "KEY=GLOB")]
    pub(crate) tag: Option<String>,
    /// The account, or `*` for all accounts; default: that of the credentials.
    #[arg(long, value_name = "ID", value_parser = account_or_all)]
    pub(crate) account: Option<String>,
    /// How long, e.g. 12h, 90d or 2w; at most a year, unless `exempt limit` set another limit.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) lasts: Option<SignedDuration>,
    /// The end date or time, e.g. 2027-03-31 (00:00 UTC) or 2027-03-31T18:00:00Z.
    #[arg(long, value_name = "DATE", value_parser = instant)]
    pub(crate) until: Option<Timestamp>,
    /// The approver of the exemption.
    #[arg(long, value_name = "NAME", value_parser = stated)]
    pub(crate) approver: String,
    /// The ticket that records the decision, e.g. SEC-123.
    #[arg(long, value_name = "TICKET", value_parser = stated)]
    pub(crate) ticket: String,
    #[command(flatten)]
    pub(crate) decision: Reasoned,
    /// Confirm an exemption of all resources, or in all accounts.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `stop`.
#[derive(Debug, Args)]
pub(crate) struct StopArguments {
    /// The control; default: all controls.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: Option<String>,
    #[command(flatten)]
    pub(crate) decision: Reasoned,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The control; without it, the switch for all controls is released, and switches of single controls stay on.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: Option<String>,
    #[command(flatten)]
    pub(crate) operator: Operator,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// The commands of `breaker`.
#[derive(Debug, Subcommand)]
pub(crate) enum BreakerCommand {
    /// List the open breakers of controls and of resources. A resource's breaker is listed once it has blocked a fix, or if
    /// the resource is given.
    List(ScopeArguments),
    /// Reset a breaker early: that of a control, or that of a control on one resource.
    #[command(mut_arg("control", |it| it.required(true)))]
    Reset {
        #[command(flatten)]
        breaker: ScopeArguments,
        #[command(flatten)]
        decision: Reasoned,
    },
}

/// All controls, a control, or a control on a resource.
#[derive(Debug, Args)]
pub(crate) struct ScopeArguments {
    /// The control; default: all controls.
    #[arg(value_name = "CONTROL", index = 1, value_parser = control_ids())]
    pub(crate) control: Option<String>,
    /// The resource: its AWS Config id or its ARN.
    #[arg(value_name = "RESOURCE", index = 2, requires = "control")]
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
    #[command(flatten)]
    pub(crate) operator: Operator,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// Check an account and region before the first deployment: recorder, delivery channel, and the quotas for the rules,
    /// roles and functions that rectify.yaml selects.
    #[arg(long, conflicts_with = "queues")]
    pub(crate) before: bool,
    /// Compare the deployed rules and functions with this rectify.yaml; with --before, the default is ./rectify.yaml.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<std::path::PathBuf>,
    /// URL or name of a queue that should be empty, such as the dead-letter queue; repeatable. Default: no queue is checked.
    #[arg(long = "queue", value_name = "QUEUE")]
    pub(crate) queues: Vec<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}
