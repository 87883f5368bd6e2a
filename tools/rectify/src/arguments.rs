//! The command-line arguments, with their help. Knows nothing of what the commands do.

mod check;
mod decide;
mod replay;
mod scan;
mod synth;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

pub(crate) use check::{CheckArguments, PlanArguments, PlanFormat};
pub(crate) use decide::{
    BreakerArguments, BreakerCommand, DoctorArguments, ExemptArguments, ExemptCommand, RedoArguments,
};
pub(crate) use replay::ReplayArguments;
pub(crate) use scan::{Output, ScanArguments};
pub(crate) use synth::SynthArguments;

const EXIT_CODES: &str = "\
Exit codes:
  0  success: compliant, done, or nothing to do
  1  a finding (check, plan, doctor), or a refusal (undo, redo)
  2  usage error: an argument, a file or an environment variable
  3  error: the control, the ledger, AWS or this machine failed
  scan has exit codes of its own: see rectify scan --help

Environment:
  AWS_REGION or AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
  AWS_ACCOUNT_ID, AWS_ENDPOINT_URL[_<SERVICE>], AWS_MAX_ATTEMPTS, EVENT_BUS, LEDGER_TABLE, NO_COLOR";

const EXAMPLES: &str = "\
Examples:
  rectify scan --severity high --output text,html:report.html
  rectify controls
  rectify check --control restricted-ssh --live sg-0123456789abcdef0 --account 111122223333
  rectify history --resource sg-0123456789abcdef0 --control restricted-ssh --account 111122223333
  rectify undo 01JZ0000000000000000000000 --hold-days 14 --confirm-exposure
  rectify exempt add --control restricted-ssh --resource sg-0123456789abcdef0 --until 2027-03-31 \\
      --reason \"vendor appliance\" --approver jane --ticket SEC-123
  rectify stop restricted-ssh --reason \"incident 42\"";

const UNDO_EXAMPLES: &str = "\
Undo reverts the fix and so restores the exposure it removed. It refuses if the resource was changed since, and shows the
difference; an interrupted undo continues where it stopped. If it changes something, it sets a hold: otherwise the next
finding would apply the fix again within seconds. Undoing twice has no effect.

Examples:
  rectify undo 01JZ0000000000000000000000                      shows the calls and prompts for confirmation
  rectify undo 01JZ0000000000000000000000 --confirm-exposure   does not prompt";

/// Checks resources, shows plans and history, and undoes fixes, with your own credentials.
#[derive(Debug, Parser)]
#[command(name = "rectify", version, after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Arguments {
    /// Print one JSON document instead of text, also for errors.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the controls with severity, level and finding.
    Controls,
    /// Evaluates all resources of an account and shows the findings. Writes nothing to AWS.
    #[command(after_help = scan::AFTER_HELP)]
    Scan(ScanArguments),
    /// Evaluates an event or a live resource and shows the plan. Writes nothing.
    #[command(after_help = check::EXAMPLES)]
    Check(CheckArguments),
    /// Shows the plan of the remediation for a live resource. Writes nothing.
    Plan(PlanArguments),
    /// Undoes an attempt of a remediation, unless the resource was changed since.
    #[command(after_help = UNDO_EXAMPLES)]
    Undo(UndoArguments),
    /// Ends the hold that an undo set and requests the remediation again.
    Redo(RedoArguments),
    /// Shows the history of an attempt or of a resource.
    History(HistoryArguments),
    /// Shows when findings began and ended, from the files of AWS Config. Calls nothing.
    #[command(after_help = replay::EXAMPLES)]
    Replay(ReplayArguments),
    /// Keeps a control's remediation from changing one resource for some days.
    Hold {
        #[command(subcommand)]
        command: HoldCommand,
    },
    /// Exempts resources from a control's remediation until a date: findings are still reported, nothing is changed.
    Exempt {
        #[command(subcommand)]
        command: ExemptCommand,
    },
    /// Shows and resets circuit breakers, which stop a control that fixes the same resource repeatedly or keeps failing.
    Breaker {
        #[command(subcommand)]
        command: BreakerCommand,
    },
    /// Checks the deployment: recorder, rules, ledger, queues. Writes nothing.
    Doctor(DoctorArguments),
    /// Writes the CloudFormation templates for a deployment from `rectify.yaml`.
    ///
    /// docs/deployment.md describes the file.
    #[command(after_help = synth::EXAMPLES)]
    Synth(SynthArguments),
    /// Stops all remediations, or those of one control.
    Stop(StopArguments),
    /// Resumes stopped remediations.
    Resume(ResumeArguments),
    /// Shows the stop switches that are on.
    Status(LedgerArguments),
    /// Prints a completion script for a shell.
    Completions {
        /// bash, elvish, fish, powershell or zsh.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages of all commands to a folder.
    Man {
        /// The folder, e.g. ~/.local/share/man/man1.
        folder: PathBuf,
    },
}

/// The location of the ledger.
#[derive(Debug, Args)]
pub(crate) struct LedgerArguments {
    /// The DynamoDB table of the ledger; default: LEDGER_TABLE, then the table of the stack with this --prefix.
    #[arg(long)]
    pub(crate) table: Option<String>,
    /// The name prefix of the stack, its parameter Prefix.
    #[arg(long, default_value = "rectify-")]
    pub(crate) prefix: String,
    /// The region of the ledger and of the resource; default: AWS_REGION.
    #[arg(long)]
    pub(crate) region: Option<String>,
}

/// Arguments of `undo`.
#[derive(Debug, Args)]
pub(crate) struct UndoArguments {
    /// The attempt id, as shown by `history` and in the announcements on the event bus.
    #[arg(value_name = "ATTEMPT")]
    pub(crate) attempt: String,
    /// How long the control's remediation must not change the resource afterwards, days.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) hold_days: u16,
    /// The operator, for the ledger; default: USER.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Undo even if the resource was changed since: that change is overwritten, and recorded.
    #[arg(long)]
    pub(crate) overwrite_changes: bool,
    /// Confirm the restored exposure; without it, a terminal prompts for confirmation.
    #[arg(long)]
    pub(crate) confirm_exposure: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("subject").required(true).args(["attempt", "resource"]))]
pub(crate) struct HistoryArguments {
    /// Show this attempt.
    #[arg(long, value_name = "ATTEMPT")]
    pub(crate) attempt: Option<String>,
    /// Show all attempts on this resource, oldest first.
    #[arg(long, value_name = "RESOURCE ID")]
    pub(crate) resource: Option<String>,
    /// Only attempts of this control.
    #[arg(long, value_name = "ID", value_parser = control_ids(), conflicts_with = "attempt")]
    pub(crate) control: Option<String>,
    /// The resource type; default: that of the control, if it has only one.
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "attempt")]
    pub(crate) kind: Option<String>,
    /// The account of the resource; default: that of the credentials.
    #[arg(long, value_name = "ID", conflicts_with = "attempt", value_parser = account_id)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// The commands of `hold`.
#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Sets or replaces a hold: the control still plans for this resource, but changes nothing.
    Add {
        #[command(flatten)]
        held: HeldArguments,
        /// The duration, days.
        #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
        /// The reason, for other operators.
        #[arg(long)]
        reason: String,
        /// The operator, for the ledger; default: USER.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Lists the current holds on a resource.
    List(HeldResourceArguments),
    /// Ends a hold early.
    End {
        #[command(flatten)]
        held: HeldArguments,
        /// The operator, for the ledger; default: USER.
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
    /// The AWS Config resource id.
    #[arg(long, value_name = "RESOURCE ID")]
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

/// A resource, for all controls.
#[derive(Debug, Args)]
pub(crate) struct HeldResourceArguments {
    /// The AWS Config resource id.
    #[arg(long, value_name = "RESOURCE ID")]
    pub(crate) resource: String,
    /// The resource type, e.g. AWS::EC2::SecurityGroup.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: String,
    /// The account of the resource; default: that of the credentials.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `stop`.
#[derive(Debug, Args)]
pub(crate) struct StopArguments {
    /// The control; default: all controls.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: Option<String>,
    /// The reason, for other operators.
    #[arg(long)]
    pub(crate) reason: String,
    /// The operator, for the ledger; default: USER.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    /// The control; without it, the switch for all controls is released, and switches of single controls stay on.
    #[arg(value_name = "CONTROL", value_parser = control_ids())]
    pub(crate) control: Option<String>,
    /// The operator, for the ledger; default: USER.
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
        Err(format!("expected 12 digits: received `{text}`"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn refusal(line: &str) -> String {
        let parsed = Arguments::try_parse_from(format!("rectify {line}").split_whitespace());
        parsed.expect_err(line).to_string()
    }

    #[test]
    fn the_command_definition_is_valid() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn unusable_arguments_are_named() {
        let rows = [
            ("check --control restricted-ssh", "<--event <FILE>|--live <RESOURCE ID>>"),
            ("check --control restricted-sh --live sg-1", "'restricted-ssh'"),
            ("check --control restricted-ssh --event a --live b", "cannot be used with"),
            ("check --control restricted-ssh --live sg-1 --facts f", "--facts"),
            ("check --control restricted-ssh --live sg-1 --account 123", "expected 12 digits: received `123`"),
            ("check --control restricted-ssh --event e --account 111122223333", "--account"),
            ("history --attempt 01A --type t", "--type"),
            ("undo", "<ATTEMPT>"),
            ("undo 01A --hold-days 0", "0 is not in 1..=3650"),
            ("history", "<--attempt <ATTEMPT>|--resource <RESOURCE ID>>"),
            ("stop", "--reason <REASON>"),
            ("exempt add --control * --resource r --reason r --approver a --ticket t", "--until <DATE>"),
            ("exempt add --control nope --tag a=b --until 2027-01-01", "expected a control id or `*`"),
            ("exempt add --control * --until 2027-01-01", "<--resource <GLOB>|--tag <KEY=GLOB>>"),
            ("breaker list --resource sg-1", "<CONTROL>"),
            ("plan restricted-ssh sg-1 --as terraform", "[possible values: cli]"),
            ("plan restricted-ssh sg-1 --as cli --json", "cannot be used with"),
            ("hold add --control restricted-ssh --resource sg-1", "--reason <REASON>"),
        ];
        for (line, expected) in rows {
            let text = refusal(line);
            assert!(text.contains(expected), "{line}: {text}");
        }
    }

    #[test]
    fn help_explains_exit_codes_and_gives_examples() {
        let help = Arguments::command().render_long_help().to_string();
        assert!(help.contains("1  a finding (check, plan, doctor), or a refusal (undo, redo)"), "{help}");
        assert!(help.contains("rectify check --control restricted-ssh --live"), "{help}");
    }
}
