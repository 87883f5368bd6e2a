//! What can be typed, with its help. Decides nothing: that is the commands' business.

mod decide;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

pub(crate) use decide::{
    BreakerArguments, BreakerCommand, DoctorArguments, ExemptArguments, ExemptCommand, RedoArguments,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  fine: compliant, done, or nothing to do
  1  a finding (check, plan, doctor), or a refusal (undo, redo)
  2  usage: an argument, a file or a setting of the environment
  3  a fault: the control, the ledger or AWS could not answer

Environment:
  AWS_REGION or AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
  AWS_ACCOUNT_ID, AWS_ENDPOINT_URL[_<SERVICE>], AWS_MAX_ATTEMPTS, EVENT_BUS, LEDGER_TABLE, NO_COLOR";

const EXAMPLES: &str = "\
Examples:
  rectify controls
  rectify check --control restricted-ssh --live sg-0123456789abcdef0 --account 111122223333
  rectify history --resource sg-0123456789abcdef0 --control restricted-ssh --account 111122223333
  rectify undo 01JZ0000000000000000000000 --hold-days 14 --confirm-exposure
  rectify exempt add --control restricted-ssh --resource sg-0123456789abcdef0 --until 2027-03-31 \\
      --reason \"vendor appliance\" --approver jane --ticket SEC-123
  rectify stop restricted-ssh --reason \"incident 42\"";

const CHECK_EXAMPLES: &str = "\
Examples:
  rectify check --control iam-root-access-key-check --event event.json --subjects subjects.json
  rectify check --control cloud-trail-log-file-validation-enabled --event event.json --facts facts.json
  rectify check --control restricted-ssh --live sg-0123456789abcdef0 --account 111122223333
  rectify check --control restricted-ssh --event - < event.json && echo compliant";

const UNDO_EXAMPLES: &str = "\
Undo opens again what was closed. It refuses when the resource was changed since, and shows the difference; an undo that
broke off goes on where it stopped. It leaves a hold behind, without which the next finding would redo the fix within
seconds, unless nothing was changed. Undoing twice does nothing.

Examples:
  rectify undo 01JZ0000000000000000000000                      shows the calls, then asks
  rectify undo 01JZ0000000000000000000000 --confirm-exposure   does not ask";

/// Judges, undoes and tells what Rectify did, with your own credentials.
#[derive(Debug, Parser)]
#[command(name = "rectify", version, after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Arguments {
    /// Print one JSON document instead of text; errors too.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the controls: what each finds, how bad that is, how far its remediation reaches.
    Controls,
    /// Judges an event or a live resource and shows the plan. Writes nothing.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArguments),
    /// Shows what a remediation would do about a live resource. Writes nothing.
    Plan(PlanArguments),
    /// Takes an attempt of a remediation back, unless somebody changed the resource since.
    #[command(after_help = UNDO_EXAMPLES)]
    Undo(UndoArguments),
    /// Ends the hold an undo left behind and asks the remediation to look again.
    Redo(RedoArguments),
    /// Tells the story of an attempt or of a resource.
    History(HistoryArguments),
    /// Keeps remediations away from one resource for a while.
    Hold {
        #[command(subcommand)]
        command: HoldCommand,
    },
    /// Says that a control need not be enforced on something until a day: it is reported as before, and not acted upon.
    Exempt {
        #[command(subcommand)]
        command: ExemptCommand,
    },
    /// Shows and closes breakers: what keeps a control from fighting over a resource, or from failing on and on.
    Breaker {
        #[command(subcommand)]
        command: BreakerCommand,
    },
    /// Looks whether what is deployed can work: recorder, rules, ledger, queues. Writes nothing.
    Doctor(DoctorArguments),
    /// Switches remediations off: all of them, or those of one control.
    Stop(StopArguments),
    /// Switches remediations on again.
    Resume(ResumeArguments),
    /// Shows the stop switches that are on.
    Status(LedgerArguments),
    /// Prints the completions of a shell.
    Completions {
        /// bash, elvish, fish, powershell or zsh.
        shell: clap_complete::Shell,
    },
}

/// What is judged, and with what.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["event", "live"]))]
pub(crate) struct CheckArguments {
    /// The control that judges.
    #[arg(long, value_name = "ID", value_parser = control_ids())]
    pub(crate) control: String,
    /// A rule event as AWS Config delivers it; `-` reads standard input. No call is made.
    #[arg(long, value_name = "FILE")]
    pub(crate) event: Option<PathBuf>,
    /// What the control would read from AWS besides the item, as JSON; default null.
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    pub(crate) facts: Option<PathBuf>,
    /// The list of subjects a scheduled event is judged on, as a JSON array.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["live", "facts"])]
    pub(crate) subjects: Option<PathBuf>,
    /// The id of a resource, as AWS Config has it, to be read now; for a whole account its id.
    #[arg(long, value_name = "RESOURCE ID")]
    pub(crate) live: Option<String>,
    /// The resource's type; default: the control's own where it has one only.
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "event")]
    pub(crate) kind: Option<String>,
    /// The rule's parameters as JSON; an event brings its own.
    #[arg(long, value_name = "JSON", conflicts_with = "event", default_value = "{}")]
    pub(crate) parameters: String,
    /// The account that owns the resource; default: AWS_ACCOUNT_ID.
    #[arg(long, value_name = "ID", conflicts_with = "event", value_parser = account_id)]
    pub(crate) account: Option<String>,
    /// Where the rule runs; default: the event's region, then AWS_REGION.
    #[arg(long)]
    pub(crate) region: Option<String>,
}

/// Which resource is planned for.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The control that plans.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: String,
    /// The id of the resource, as AWS Config has it; for a whole account its id.
    #[arg(value_name = "RESOURCE ID")]
    pub(crate) resource: String,
    /// The resource's type; default: the control's own where it has one only.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// The rule's parameters as JSON.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) parameters: String,
    /// The account that owns the resource; default: AWS_ACCOUNT_ID.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Option<String>,
    /// The resource's region; default: AWS_REGION.
    #[arg(long)]
    pub(crate) region: Option<String>,
}

/// Where the ledger is.
#[derive(Debug, Args)]
pub(crate) struct LedgerArguments {
    /// The ledger's DynamoDB table; default: LEDGER_TABLE.
    #[arg(long)]
    pub(crate) table: Option<String>,
    /// The ledger's region, and the resource's; default: AWS_REGION.
    #[arg(long)]
    pub(crate) region: Option<String>,
}

/// Which attempt is taken back.
#[derive(Debug, Args)]
pub(crate) struct UndoArguments {
    /// The attempt's id, as `history` and the events on the bus have it.
    #[arg(value_name = "ATTEMPT")]
    pub(crate) attempt: String,
    /// How long the control must leave the resource alone afterwards, days.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) hold_days: u16,
    /// Who undoes, for the ledger; default: USER.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Undo although somebody else changed the resource since: their change is overwritten, and recorded.
    #[arg(long)]
    pub(crate) overwrite_changes: bool,
    /// Yes, open again what was closed; without it a terminal is asked.
    #[arg(long)]
    pub(crate) confirm_exposure: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Whose story is told.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["attempt", "resource"]))]
pub(crate) struct HistoryArguments {
    /// One attempt, in full.
    #[arg(long, value_name = "ATTEMPT")]
    pub(crate) attempt: Option<String>,
    /// Every attempt on this resource, oldest first.
    #[arg(long, value_name = "RESOURCE ID")]
    pub(crate) resource: Option<String>,
    /// Of this control only.
    #[arg(long, value_name = "ID", value_parser = control_ids(), conflicts_with = "attempt")]
    pub(crate) control: Option<String>,
    /// The resource's type; default: the control's own where it has one only.
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "attempt")]
    pub(crate) kind: Option<String>,
    /// The account that owns the resource; default: AWS_ACCOUNT_ID.
    #[arg(long, value_name = "ID", conflicts_with = "attempt", value_parser = account_id)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// The verbs of a hold.
#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Sets or replaces a hold: the control plans, and enforces nothing, on this resource.
    Add {
        #[command(flatten)]
        held: HeldArguments,
        /// How long, days.
        #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
        /// Why, for whoever finds it.
        #[arg(long)]
        reason: String,
        /// Who, for the ledger; default: USER.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Lists the holds on a resource that are not over.
    List(HeldResourceArguments),
    /// Ends a hold before its time.
    End {
        #[command(flatten)]
        held: HeldArguments,
        /// Who, for the ledger; default: USER.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

/// A control on a resource.
#[derive(Debug, Args)]
pub(crate) struct HeldArguments {
    /// The control.
    #[arg(long, value_name = "ID", value_parser = control_ids())]
    pub(crate) control: String,
    /// The resource's id, as AWS Config has it.
    #[arg(long, value_name = "RESOURCE ID")]
    pub(crate) resource: String,
    /// The resource's type; default: the control's own where it has one only.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// The account that owns the resource; default: AWS_ACCOUNT_ID.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// A resource, whatever the control.
#[derive(Debug, Args)]
pub(crate) struct HeldResourceArguments {
    /// The resource's id, as AWS Config has it.
    #[arg(long, value_name = "RESOURCE ID")]
    pub(crate) resource: String,
    /// The resource's type, e.g. AWS::EC2::SecurityGroup.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: String,
    /// The account that owns the resource; default: AWS_ACCOUNT_ID.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// What is switched off, and why.
#[derive(Debug, Args)]
pub(crate) struct StopArguments {
    /// The control; without it all controls stop.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: Option<String>,
    /// Why, for whoever finds it.
    #[arg(long)]
    pub(crate) reason: String,
    /// Who, for the ledger; default: USER.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// What is switched on again.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The control; without it the switch for all controls is released, and those of single controls stay.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: Option<String>,
    /// Who, for the ledger; default: USER.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

fn control_ids() -> PossibleValuesParser {
    PossibleValuesParser::new(rectify_catalogue::controls().map(|control| control.meta.id))
}

fn account_id(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|it| it.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected twelve digits: received `{text}`"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn refusal(words: &str) -> String {
        let parsed = Arguments::try_parse_from(format!("rectify {words}").split_whitespace());
        parsed.expect_err(words).to_string()
    }

    #[test]
    fn the_declaration_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let rows = [
            ("check --control restricted-ssh", "<--event <FILE>|--live <RESOURCE ID>>"),
            ("check --control restricted-sh --live sg-1", "'restricted-ssh'"),
            ("check --control restricted-ssh --event a --live b", "cannot be used with"),
            ("check --control restricted-ssh --live sg-1 --facts f", "--facts"),
            ("check --control restricted-ssh --live sg-1 --account 123", "expected twelve digits: received `123`"),
            ("check --control restricted-ssh --event e --account 111122223333", "--account"),
            ("history --attempt 01A --type t", "--type"),
            ("undo", "<ATTEMPT>"),
            ("undo 01A --hold-days 0", "0 is not in 1..=3650"),
            ("history", "<--attempt <ATTEMPT>|--resource <RESOURCE ID>>"),
            ("stop", "--reason <REASON>"),
            ("exempt add --control * --resource r --reason r --approver a --ticket t", "--until <DAY>"),
            ("exempt add --control nope --tag a=b --until 2027-01-01", "expected a control's id or `*`"),
            ("exempt add --control * --until 2027-01-01", "<--resource <GLOB>|--tag <KEY=GLOB>>"),
            ("breaker list --resource sg-1", "<CONTROL>"),
            ("hold add --control restricted-ssh --resource sg-1", "--reason <REASON>"),
        ];
        for (words, expected) in rows {
            let text = refusal(words);
            assert!(text.contains(expected), "{words}: {text}");
        }
    }

    #[test]
    fn help_says_what_an_exit_code_means_and_gives_examples() {
        let help = Arguments::command().render_long_help().to_string();
        assert!(help.contains("1  a finding (check, plan, doctor), or a refusal (undo, redo)"), "{help}");
        assert!(help.contains("rectify check --control restricted-ssh --live"), "{help}");
    }
}
