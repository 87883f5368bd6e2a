//! The command line of Rectify, which uses the operator's own credentials.
//!
//! Knows no control by name, and no SDK outside of modules named `client` and of `publish/bucket.rs`: controls come from
//! the catalogue, calls go through the runtime.
//!
//! | module | content |
//! |---|---|
//! | [`arguments`] | the arguments, with their help |
//! | [`scan`] | evaluates all resources of an account; writes nothing |
//! | [`check`] | evaluates an event or a live resource, and plans; writes nothing |
//! | [`undo`], [`redo`] | undoes an attempt, and requests its fix again |
//! | [`history`] | what was done, and why |
//! | [`audit`] | what people decided |
//! | [`offline`] | scans and replays files that AWS Config delivered |
//! | [`hold`], [`exempt`], [`switch`] | an operator's decisions against remediation |
//! | [`findings`] | open findings, as AWS Config reports them |
//! | [`breaker`] | circuit breakers |
//! | [`doctor`] | whether the deployment works |
//! | [`cost`] | what AWS charges in a month |
//! | [`controls`] | the catalogue as a table |
//! | [`man`] | the manual pages |
//! | [`synth`] | the templates that follow from `rectify.yaml` |
//! | [`publish`] | a release in the buckets of its regions |
//! | [`caller`] | credentials, with the account and ARN they belong to |
//! | [`place`] | region, resource, table and operator, from arguments and environment |
//! | [`report`], [`plan_text`], [`style`], [`cli_error`] | output and exit codes |

mod arguments;
mod audit;
mod breaker;
mod caller;
mod check;
mod cli_error;
mod controls;
mod cost;
mod doctor;
mod exempt;
mod findings;
mod history;
mod hold;
mod man;
mod offline;
mod place;
mod plan_text;
mod publish;
mod redo;
mod report;
mod scan;
mod style;
mod switch;
mod synth;
mod undo;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::FromArgMatches;
use rectify_runtime::settings::Environment;
use serde_json::json;

use arguments::{Arguments, Command};
use cli_error::CliError;
use report::Report;
use style::Style;

fn main() -> ExitCode {
    let parsed = arguments::command().try_get_matches().and_then(|it| Arguments::from_arg_matches(&it));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => return print_usage(&error),
    };
    let environment = caller::environment(arguments.profile.as_deref());
    let style = Style::of(&environment, std::io::stdout().is_terminal() && !arguments.json);
    let result = start(&arguments, &environment, style);
    let (text, code) = match &result {
        Ok(report) if arguments.json => (format!("{:#}\n", report.json), report.ending.code()),
        Ok(report) => (report.text.clone(), report.ending.code()),
        Err(error) if arguments.json => (format!("{:#}\n", error.as_json()), error.code()),
        Err(error) => return print_error(error, &environment),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        // A reader that closes the pipe early, such as `head`, is not an error.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            print_error(&CliError::Machine(format!("stdout: {error}")), &environment)
        }
        _ => ExitCode::from(code),
    }
}

/// Prints the help, or what is wrong with the arguments: to standard output as JSON if `--json` is among them.
fn print_usage(error: &clap::Error) -> ExitCode {
    let replacement = error.use_stderr().then(|| arguments::replacement(std::env::args().skip(1))).flatten();
    let text = replacement.map_or_else(|| error.render().to_string(), |text| format!("error: {text}"));
    let is_json = std::env::args().skip(1).take_while(|it| it != "--").any(|it| it == "--json");
    if is_json && error.use_stderr() {
        let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
        drop(writeln!(std::io::stdout(), "{:#}", CliError::usage(text).as_json()));
    } else if error.use_stderr() {
        drop(writeln!(std::io::stderr(), "{}", text.trim_end()));
    } else {
        drop(error.print());
    }
    // Of a scan, 2 means a finding: a pipeline must not read a misspelled argument as one.
    let is_scan = std::env::args().skip(1).find(|it| !it.starts_with('-')).is_some_and(|it| it == "scan");
    ExitCode::from(match error.exit_code() {
        0 => 0,
        _ if is_scan => 1,
        code => u8::try_from(code).unwrap_or(1),
    })
}

/// Prints an error to standard error. If that fails, only the exit code reports it.
fn print_error(error: &CliError, environment: &Environment) -> ExitCode {
    let style = Style::of(environment, std::io::stderr().is_terminal());
    let step = error.next_step().map_or_else(String::new, |step| format!("\n  {step}"));
    let written = writeln!(std::io::stderr(), "{} {error}{step}", style.error("rectify:"));
    drop(written);
    ExitCode::from(error.code())
}

fn start(arguments: &Arguments, environment: &Environment, style: Style) -> Result<Report, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::Machine(format!("runtime: {error}")))?;
    runtime.block_on(run(arguments, environment, style))
}

async fn run(arguments: &Arguments, environment: &Environment, style: Style) -> Result<Report, CliError> {
    match &arguments.command {
        Command::Controls => Ok(controls::table(style, style::width(environment))),
        Command::Replay(it) => offline::replay(it),
        Command::Synth(it) => synth::run(it),
        Command::Publish(it) => publish::run(it, environment).await,
        Command::Cost(it) => cost::run(it, environment).await,
        Command::Scan(it) => scan::run(it, environment, style).await,
        Command::Check(it) => check::run(it, environment, style).await,
        Command::Plan(it) => check::plan(it, environment, style).await,
        Command::Redo(it) => redo::run(it, environment).await,
        Command::Exempt(it) => exempt::run(it, environment).await,
        Command::Breaker { command } => breaker::run(command, environment).await,
        Command::Doctor(it) => doctor::run(it, environment, style).await,
        Command::Undo(it) => undo::run(it, environment, arguments.json).await,
        Command::Audit(it) => audit::run(it, environment).await,
        Command::History(it) => history::run(it, environment, style).await,
        Command::Hold(it) => hold::run(it, environment).await,
        Command::Stop(it) => switch::stop(it, environment).await,
        Command::Resume(it) => switch::resume(it, environment).await,
        Command::Status(it) => switch::status(it, environment, style).await,
        Command::Man { folder } => man::run(folder),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut arguments::command(), "rectify", &mut script);
            let script = String::from_utf8_lossy(&script).into_owned();
            Ok(Report::fine(script.clone(), json!({ "shell": shell.to_string(), "script": script })))
        }
    }
}
