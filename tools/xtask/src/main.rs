//! `cargo run -p xtask -- …`: generates files from the controls' declarations, scaffolds controls and packages
//! functions.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rectify_catalogue::{controls, service};
use serde_json::json;
use xtask::dist::{self, Dist};
use xtask::package::{self, Package};
use xtask::scaffold::{self, NewControl};
use xtask::{artifact, book};

/// Generates, checks and packages everything that follows from the controls' declarations.
#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo run -p xtask --", arg_required_else_help = true)]
struct Arguments {
    /// Root of the repository.
    #[arg(long, global = true, default_value = ".", value_name = "FOLDER")]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

const NEW_CONTROLS: &str = "Examples:
  cargo run -p xtask -- new-control ec2 ebs-volume-unencrypted --type AWS::EC2::Volume \\
      --field encrypted --title 'EBS volume is not encrypted' \\
      --why 'Anyone with access to the disk or a snapshot can read the data.'

  cargo run -p xtask -- new-control rds rds-instance-multi-az --type AWS::RDS::DBInstance \\
      --field multiAZ --title 'Database has no standby' \\
      --why 'The database is down while its Availability Zone is.' \\
      --view Instance --level L2 --breaks 'Nothing; the standby costs as much as the instance.'";

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes the templates, docs/controls/*.md, docs/deployment.md, docs/frameworks.md, the programs of the functions and
    /// shared sample events.
    ///
    /// Pages and programs of deleted controls are removed. No other file is changed.
    Generate {
        /// Write nothing; print each stale file with its difference, and exit with 1 if there is one.
        #[arg(long)]
        check: bool,
    },
    /// Lists the controls.
    Catalogue {
        /// Print JSON, with parameter schemas and permissions.
        #[arg(long)]
        json: bool,
    },
    /// Creates a new control that compiles, with passing tests, and prints the next steps.
    ///
    /// Writes the control, four sample events and the lines that register it; `generate` then writes its programs.
    /// The control evaluates one boolean of the configuration item, which is where most controls start. With `--view`
    /// it is a `Setting` with its remediation: one call sets the boolean, and the same call restores it. No other
    /// remediation can be scaffolded.
    #[command(after_help = NEW_CONTROLS)]
    NewControl(Box<NewControl>),
    /// Builds the functions for deployment into target/lambda/<binary>/bootstrap, the CodeUri folders of template.yaml.
    ///
    /// Set CARGO_BUILD_JOBS=1 if memory is short: the EC2 SDK alone takes about 9 GB to compile.
    #[command(after_help = "Example:\n  cargo run -p xtask -- package --control <id>")]
    Package(Package),
    /// Builds the command line and packs it with its manual pages, completions and checksum in target/dist.
    #[command(after_help = "Example:\n  cargo run -p xtask -- dist-cli --program target/debug/rectify")]
    DistCli(Dist),
    /// Arranges the pages of docs/SUMMARY.md for mdBook in a folder, which `make book` builds.
    Book {
        /// The folder; what it contains is removed.
        #[arg(long, value_name = "FOLDER", default_value = "target/book")]
        output: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprint(&format!("xtask: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    match &arguments.command {
        Command::Generate { check } => generate(arguments, *check),
        Command::Catalogue { json } => {
            print(&if *json { catalogue_json() } else { catalogue_table() });
            Ok(ExitCode::SUCCESS)
        }
        Command::NewControl(new) => {
            print(&scaffold::write(&arguments.root, new)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Package(selection) => {
            let functions = package::package(&arguments.root, &controls().collect::<Vec<_>>(), selection, eprint)?;
            print(package::table(&functions).trim_end());
            Ok(ExitCode::SUCCESS)
        }
        Command::DistCli(selection) => {
            print(&dist::pack(&arguments.root, selection)?.display().to_string());
            Ok(ExitCode::SUCCESS)
        }
        Command::Book { output } => {
            let pages = book::arrange(&arguments.root, output)?;
            print(&format!("{pages} pages in {}", output.display()));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn generate(arguments: &Arguments, check: bool) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let artifacts = artifact::all(&arguments.root, &controls().collect::<Vec<_>>())?;
    if !check {
        for path in artifact::write(&arguments.root, &artifacts)? {
            print(&path);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let stale = artifact::stale(&arguments.root, &artifacts)?;
    for file in &stale {
        eprint(&format!("{}: stale: {}", file.path, file.difference.trim_end()));
    }
    if stale.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprint("run `cargo run -p xtask -- generate`");
    Ok(ExitCode::FAILURE)
}

fn catalogue_table() -> String {
    let rows: Vec<[String; 4]> = controls()
        .map(|it| {
            let fix = if it.has_calls() { it.meta.level.to_string() } else { "-".to_owned() };
            [service(it).to_owned(), it.meta.id.to_owned(), fix, it.meta.title.to_owned()]
        })
        .collect();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or_default();
    let (first, second) = (width(0), width(1));
    let lines: Vec<String> = rows
        .iter()
        .map(|[service, id, fix, title]| format!("{service:first$}  {id:second$}  {fix:2}  {title}"))
        .collect();
    lines.join("\n")
}

fn condition(permission: &rectify_compliance::Permission) -> serde_json::Value {
    use rectify_compliance::permission::Condition;
    match permission.condition {
        Some(Condition::Equals(key, value)) => json!([key, value]),
        Some(Condition::Partitions(patterns)) => json!(["dynamodb:LeadingKeys", patterns]),
        Some(Condition::Events(types)) => json!(["events:detail-type", types]),
        None => serde_json::Value::Null,
    }
}

fn catalogue_json() -> String {
    let permissions = |list: &[rectify_compliance::Permission]| -> Vec<serde_json::Value> {
        list.iter()
            .map(|it| json!({"action": it.action, "resource": it.resource, "condition": condition(it)}))
            .collect()
    };
    let all: Vec<serde_json::Value> = controls()
        .map(|it| {
            json!({
                "id": it.meta.id,
                "title": it.meta.title,
                "service": service(it),
                "severity": format!("{:?}", it.meta.severity),
                "level": it.meta.level,
                "resourceTypes": it.meta.resource_types,
                "onChange": it.meta.on_change(),
                "frequency": it.meta.frequency().map(rectify_compliance::Frequency::api_name),
                "parameters": it.parameters(),
                "rulePermissions": permissions(&it.rule_permissions()),
                "remediationPermissions": permissions(&it.remediation_permissions()),
                "undoPermissions": it.remediation.map(|remediation| permissions(remediation.undo_permissions())),
            })
        })
        .collect();
    format!("{:#}", serde_json::Value::Array(all))
}

#[allow(clippy::print_stdout, reason = "the output of the command")]
fn print(text: &str) {
    println!("{text}");
}

#[allow(clippy::print_stderr, reason = "progress and errors")]
fn eprint(text: &str) {
    eprintln!("{text}");
}
