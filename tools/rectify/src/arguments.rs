//! The command-line arguments, with their help. Knows nothing of what the commands do.

mod check;
mod command_or;
mod control;
mod cost;
mod decide;
mod publish;
mod replaced;
mod replay;
mod scan;
mod synth;
mod value;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

pub(crate) use check::{CheckArguments, PlanArguments, PlanFormat, PlanOutput};
pub(crate) use command_or::CommandOr;
pub(crate) use cost::CostArguments;
use decide::Operator;
pub(crate) use decide::{
    BreakerCommand, DoctorArguments, ExemptArguments, ExemptCommand, HeldArguments, HoldArguments, HoldCommand,
    RedoArguments, ResumeArguments, ScopeArguments, StopArguments,
};
pub(crate) use publish::PublishArguments;
pub(crate) use replaced::replacement;
pub(crate) use replay::ReplayArguments;
pub(crate) use scan::{Accounts, Output, ScanArguments};
pub(crate) use synth::SynthArguments;
use value::account_id;

const EXIT_CODES: &str = "\
Exit codes:
  0  success: compliant, done, or nothing to do
  1  a finding (check, plan, doctor), or a refusal (undo, redo, publish)
  2  usage error: an argument, a file or an environment variable
  3  error: the control, the ledger, AWS or this machine failed
  scan has exit codes of its own: see rectify scan --help

Environment:
  AWS_REGION or AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, else AWS_PROFILE,
  AWS_ACCOUNT_ID, AWS_ENDPOINT_URL[_<SERVICE>], AWS_MAX_ATTEMPTS, EVENT_BUS, LEDGER_TABLE, NO_COLOR";

const EXAMPLES: &str = "\
Examples:
  rectify scan --severity high --output text,html:report.html
  rectify controls
  rectify check restricted-ssh sg-0123456789abcdef0 --account 111122223333
  rectify history restricted-ssh sg-0123456789abcdef0 --account 111122223333
  rectify undo 01JZ0000000000000000000000 --hold-for 14d --confirm-exposure
  rectify exempt restricted-ssh sg-0123456789abcdef0 --for 90d \\
      --reason \"vendor appliance\" --approver jane --ticket SEC-123
  rectify stop restricted-ssh --reason \"incident 42\"";

const UNDO_EXAMPLES: &str = "\
Undo reverts the fix and so restores the exposure it removed. It refuses if the resource was changed since, and shows the
difference; an interrupted undo continues where it stopped. If it changes something, it sets a hold: otherwise the next
finding would apply the fix again within seconds. Undoing twice has no effect.

Examples:
  rectify undo 01JZ0000000000000000000000                      shows the calls and prompts for confirmation
  rectify undo 01JZ0000000000000000000000 --confirm-exposure   does not prompt";

const HISTORY_EXAMPLES: &str = "\
Exit code 1: an attempt of the list cannot be read; it is a row of its own.

Examples:
  rectify history                                            all attempts of the last seven days, with counts
  rectify history restricted-ssh --since 30d --outcome planned --output csv
  rectify history restricted-ssh sg-0123456789abcdef0        the attempts on a resource, in full
  rectify history 01JZ0000000000000000000000                 one attempt";

const AUDIT_EXAMPLES: &str = "\
Examples:
  rectify audit                                              the decisions of the last thirty days
  rectify audit --since 2026-01-01 --output csv";

/// Check resources, preview and undo remediations, and see what Rectify did, with your own credentials.
#[derive(Debug, Parser)]
#[command(name = "rectify", version, max_term_width = 120, after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(crate) struct Arguments {
    /// Print one JSON document instead of text, also for errors.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The profile of the AWS CLI for credentials and region, instead of the credentials of the environment.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the controls with severity, level and finding.
    Controls,
    /// Evaluate all resources of an account and show the findings. Writes nothing to AWS.
    #[command(after_help = scan::AFTER_HELP)]
    Scan(ScanArguments),
    /// Evaluate an event or a live resource and show the plan. Writes nothing.
    #[command(after_help = check::EXAMPLES)]
    Check(CheckArguments),
    /// Show the plan of the remediation for a live resource, and what keeps it from being applied. Writes nothing.
    #[command(after_help = check::PLAN_EXAMPLES)]
    Plan(PlanArguments),
    /// Undo an attempt of a remediation, unless the resource was changed since.
    #[command(after_help = UNDO_EXAMPLES)]
    Undo(UndoArguments),
    /// End the hold that an undo set and request the remediation again.
    Redo(RedoArguments),
    /// List attempts by time, or show one attempt or those on a resource.
    #[command(after_help = HISTORY_EXAMPLES)]
    History(HistoryArguments),
    /// List what people decided, by time: exemptions, holds, stops, undos, resets.
    #[command(after_help = AUDIT_EXAMPLES)]
    Audit(AuditArguments),
    /// Show when findings began and ended, from the files of AWS Config. Calls nothing.
    #[command(after_help = replay::EXAMPLES)]
    Replay(ReplayArguments),
    /// Keep a control's remediation from changing one resource for some days.
    Hold(CommandOr<HoldCommand, HoldArguments>),
    /// Exempt resources from a control's remediation until a date: findings are still reported, nothing is changed.
    Exempt(CommandOr<ExemptCommand, ExemptArguments>),
    /// Show and reset circuit breakers, which stop a control that fixes the same resource repeatedly or keeps failing.
    Breaker {
        #[command(subcommand)]
        command: BreakerCommand,
    },
    /// Check the deployment: recorder, rules, ledger, queues. Writes nothing.
    Doctor(DoctorArguments),
    /// Write the CloudFormation templates for a deployment from `rectify.yaml`.
    ///
    /// docs/deployment.md describes the file.
    #[command(after_help = synth::EXAMPLES)]
    Synth(SynthArguments),
    /// Upload a release to one bucket per region, which the accounts of the organization can read.
    #[command(after_help = publish::EXAMPLES)]
    Publish(PublishArguments),
    /// Compute what AWS charges in a month for the controls, for counts given or read from AWS Config. Writes nothing.
    ///
    /// docs/cost.md has the formula, the prices and what is not counted.
    #[command(after_help = cost::EXAMPLES)]
    Cost(CostArguments),
    /// Stop all remediations, or those of one control.
    Stop(StopArguments),
    /// Resume stopped remediations.
    Resume(ResumeArguments),
    /// Show the stop switches that are on.
    Status(LedgerArguments),
    /// Print a completion script for a shell.
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
    /// How long the control's remediation must not change the resource afterwards: whole days, e.g. 14d or 2w.
    #[arg(long = "hold-for", value_name = "DURATION", default_value = "7d", value_parser = value::days)]
    pub(crate) hold_days: u16,
    #[command(flatten)]
    pub(crate) operator: Operator,
    /// Undo even if the resource was changed since: that change is overwritten, and recorded.
    #[arg(long)]
    pub(crate) overwrite_changes: bool,
    /// Confirm the restored exposure; without it, a terminal prompts for confirmation.
    #[arg(long)]
    pub(crate) confirm_exposure: bool,
    /// The profile of the AWS CLI for the resource, if it is in another account than the ledger.
    #[arg(long, value_name = "PROFILE")]
    pub(crate) resource_profile: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArguments {
    /// A control, or the id of an attempt; default: all controls.
    #[arg(value_name = "CONTROL|ATTEMPT", value_parser = value::control_or_attempt)]
    pub(crate) what: Option<String>,
    /// The resource whose attempts by this control to show in full, oldest first: its AWS Config id or its ARN.
    #[arg(value_name = "RESOURCE", requires = "what")]
    pub(crate) resource: Option<String>,
    /// The resource type; default: that of the control, if it has only one.
    #[arg(long = "type", value_name = "TYPE", requires = "resource")]
    pub(crate) kind: Option<String>,
    /// The account of the resource; default: that of the credentials. Without a resource, only attempts in this account.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub(crate) account: Option<String>,
    /// List attempts since this time: a duration such as 12h or 30d, or a date; default: 7d.
    #[arg(long, value_name = "TIME", value_parser = value::since, conflicts_with = "resource")]
    pub(crate) since: Option<Timestamp>,
    /// List only attempts with this outcome; repeatable.
    #[arg(long, value_name = "OUTCOME", value_parser = value::outcomes(), conflicts_with = "resource")]
    pub(crate) outcome: Vec<String>,
    /// The form of the list.
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["resource", "json"])]
    pub(crate) output: Option<ListFormat>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// List decisions since this time: a duration such as 12h or 30d, or a date; default: 30d.
    #[arg(long, value_name = "TIME", value_parser = value::since)]
    pub(crate) since: Option<Timestamp>,
    /// The form of the list.
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
    pub(crate) output: Option<ListFormat>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,
}

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ListFormat {
    /// Aligned columns.
    Text,
    /// One JSON document, as with --json.
    Json,
    /// Comma-separated values below a header.
    Csv,
}

/// The definition of the command line. A help shows no list of more than ten values: `rectify controls` has that of the
/// controls, and completions have every value.
pub(crate) fn command() -> clap::Command {
    without_lists(<Arguments as clap::CommandFactory>::command())
}

fn without_lists(command: clap::Command) -> clap::Command {
    let is_long = |arg: &clap::Arg| arg.get_possible_values().len() > 10;
    command
        .mut_args(|arg| if is_long(&arg) { arg.hide_possible_values(true) } else { arg })
        .mut_subcommands(without_lists)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> String {
        let parsed = Arguments::try_parse_from(format!("rectify {line}").split_whitespace());
        parsed.expect_err(line).to_string()
    }

    #[test]
    fn the_command_definition_is_valid() {
        command().debug_assert();
    }

    /// As in the AWS CLI, `gh` and `kubectl`.
    #[test]
    fn commands_are_described_in_the_imperative() {
        fn check(command: &clap::Command) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let verb = about.split(' ').next().unwrap_or_default();
            assert!(!verb.is_empty() && !verb.ends_with('s'), "{}: {about}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }

    #[test]
    fn unusable_arguments_are_named() {
        let rows = [
            ("check restricted-ssh", "<RESOURCE|--event <FILE>>"),
            ("check restricted-sh sg-1", "did you mean `restricted-ssh`? `rectify controls` lists them"),
            ("check restricted-ssh sg-1 --event a", "cannot be used with"),
            ("check restricted-ssh sg-1 --facts f", "--facts"),
            ("check restricted-ssh sg-1 --account 123", "expected 12 digits: received `123`"),
            ("check restricted-ssh --event e --account 111122223333", "--account"),
            ("history restricted-ssh --type t", "<RESOURCE>"),
            ("history restricted-ssh sg-1 --since 7d", "cannot be used with"),
            ("history --outcome done", "[possible values: open, stopped"),
            ("history --output csv --json", "cannot be used with"),
            ("history restricted-sh sg-1", "expected a control id or an attempt id: received `restricted-sh`"),
            ("undo", "<ATTEMPT>"),
            ("undo 01A --hold-for 0d", "expected whole days from 1d to 3650d: received `0d`"),
            ("undo 01A --hold-for 12h", "expected whole days from 1d to 3650d: received `12h`"),
            ("stop", "--reason <TEXT>"),
            ("exempt * r --reason r1 --approver a --ticket t", "<--for <DURATION>|--until <DATE>>"),
            ("exempt nope --tag a=b --for 90d", "expected a control id or `*`"),
            ("exempt * --for 90d", "<RESOURCE|--tag <KEY=GLOB>>"),
            ("exempt", "<CONTROL>"),
            ("exempt limit 0d --reason r1", "expected whole days from 1d to 3650d"),
            ("breaker reset --reason r1", "<CONTROL>"),
            ("cost --resources 0", "0 is not in 1..=10000000"),
            ("plan restricted-ssh sg-1 --as terraform", "[possible values: cli]"),
            ("plan restricted-ssh sg-1 --as cli --json", "cannot be used with"),
            ("hold restricted-ssh sg-1", "--reason <TEXT>"),
            (
                "hold restricted-ssh sg-1 --reason r1 --for 90",
                "expected a duration such as 12h, 90d or 2w: received `90`",
            ),
            ("hold restricted-ssh sg-1 --reason r1 --for 1d --until 2027-01-01", "cannot be used with"),
            ("publish --release r --bucket-prefix acme --organization o-exampleorgid", "--regions <REGIONS>"),
            ("publish --release r --bucket-prefix a.b --regions eu-west-1", "2 to 47 lowercase letters"),
        ];
        for (line, expected) in rows {
            let text = refusal(line);
            assert!(text.contains(expected), "{line}: {text}");
        }
    }

    /// Who, why, and with which approval is never left blank.
    #[test]
    fn blank_texts_are_refused() {
        let exempt = ["exempt", "restricted-ssh", "sg-1", "--for", "90d", "--reason", "vendor", "--approver", "jane"];
        let exempt = [&exempt[..], &["--ticket", "SEC-1", "--by", "ada"]].concat();
        let hold = ["hold", "restricted-ssh", "sg-1", "--reason", "vendor", "--by", "ada"].to_vec();
        let stop = ["stop", "--reason", "vendor", "--by", "ada"].to_vec();
        let reset = ["breaker", "reset", "restricted-ssh", "--reason", "vendor", "--by", "ada"].to_vec();
        let limit = ["exempt", "limit", "800d", "--reason", "vendor", "--by", "ada"].to_vec();
        for line in [exempt, hold, stop, reset, limit] {
            let parse = |line: &[&str]| Arguments::try_parse_from([&["rectify"], line].concat());
            assert!(parse(&line).is_ok(), "{line:?}");
            for (at, name) in line.iter().enumerate().filter(|(_, it)| it.starts_with("--") && **it != "--for") {
                for blank in ["", " ", "\t", "\u{200b}", "\u{3164}", "-", "...", "n/a", "None", "TBD"] {
                    let mut line = line.clone();
                    line[at + 1] = blank;
                    let text = parse(&line).expect_err(name).to_string();
                    assert!(text.contains(name) && text.contains("not a blank or a placeholder"), "{line:?}: {text}");
                }
            }
        }
    }

    #[test]
    fn a_group_takes_a_command_or_arguments() {
        let parse = |line: &str| Arguments::try_parse_from(format!("rectify {line}").split_whitespace());
        let hold = parse("hold restricted-ssh list --reason vendor --for 2w").unwrap().command;
        let Command::Hold(CommandOr::Arguments(hold)) = hold else { panic!("{hold:?}") };
        assert_eq!((hold.held.control.as_str(), hold.held.resource.as_str()), ("restricted-ssh", "list"));
        let list = parse("hold list restricted-ssh sg-1").unwrap().command;
        assert!(matches!(&list, Command::Hold(CommandOr::Command(HoldCommand::List(_)))), "{list:?}");
        let list = parse("exempt list --all").unwrap().command;
        assert!(
            matches!(&list, Command::Exempt(CommandOr::Command(ExemptCommand::List { all: true, .. }))),
            "{list:?}"
        );
    }

    #[test]
    fn help_explains_exit_codes_and_gives_examples() {
        let help = command().render_long_help().to_string();
        assert!(help.contains("1  a finding (check, plan, doctor), or a refusal (undo, redo, publish)"), "{help}");
        assert!(help.contains("rectify check restricted-ssh sg-"), "{help}");
    }
}
