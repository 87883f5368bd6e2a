//! `rectify-local`: an emulated AWS with Rectify deployed in it, on this machine, for work with the AWS CLI.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use rectify_local::event_log::EventLog;
use rectify_local::proxy::ProxyError;
use rectify_local::world::{ACCOUNT, LocalAwsConfig, LocalAwsError, World};
use serde_json::json;

/// AWS Config, Lambda and EventBridge on this machine, running everything that the template deploys
///
/// Needs no AWS account, and nothing leaves this machine: a local engine replaces AWS Config, moto emulates the other
/// services, and the functions are the same binaries that you deploy.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start local AWS and run it until Ctrl-C
    ///
    /// Prints the endpoint, then every verdict, plan and outcome as it happens. Use it with any AWS client: create a
    /// security group that is open to the internet, for example, and watch AWS Config find it.
    Up(Up),

    /// Create noncompliant resources and show how each is found, planned, fixed, verified and undone
    ///
    /// Exits with 0 if everything ends as expected, with 1 if anything does not, and with 3 if the demo cannot finish.
    Demo(Demo),

    /// Create the same resources and scan them with `rectify scan`
    ///
    /// Exits with 0 if the scan ran to its end, with 1 if it did not, and with 3 if it cannot start.
    Scan(Scan),
}

#[derive(Args)]
struct Scan {
    /// The folder with the built command line `rectify`
    #[arg(long, default_value = "target/debug", env = "RECTIFY_BINARIES")]
    binaries: PathBuf,

    /// The folder for the logs of moto
    #[arg(long, default_value = ".local/logs")]
    logs: PathBuf,

    /// Arguments of `rectify scan`
    #[arg(last = true, default_values = ["--severity", "high", "--details"])]
    arguments: Vec<String>,
}

#[derive(Args)]
struct Demo {
    /// The folder with the built binaries, including the command line `rectify`
    #[arg(long, default_value = "target/debug", env = "RECTIFY_BINARIES")]
    binaries: PathBuf,

    /// Run another program instead of a function's binary, e.g. `restricted-ssh-remediation=target/debug/other`
    #[arg(long = "replace", value_name = "BINARY=PROGRAM", value_parser = assignment)]
    replacements: Vec<(String, String)>,

    /// The folder for the logs of moto and the functions
    #[arg(long, default_value = ".local/logs")]
    logs: PathBuf,

    /// Write the report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Up {
    /// What to deploy
    #[arg(long, value_name = "FILE", default_value = "rectify.yaml")]
    settings: PathBuf,

    /// The folder with the built binaries: `<folder>/<name>` or `<folder>/<name>/bootstrap`
    #[arg(long, default_value = "target/debug", env = "RECTIFY_BINARIES")]
    binaries: PathBuf,

    /// Another value for a setting, by its path, e.g. `controls.restricted-ssh.mode=enforce`; repeatable
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = assignment)]
    overrides: Vec<(String, String)>,

    /// The region to emulate
    #[arg(long, default_value = "us-east-1")]
    region: String,

    /// The address to listen on; port 0 picks a free port
    #[arg(long, default_value = "127.0.0.1:4599")]
    listen: String,

    /// The number of root access keys of the account, since moto has no root user
    #[arg(long, value_name = "COUNT")]
    root_access_keys: Option<u32>,

    /// How often AWS Config records the resources, in seconds
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,

    /// The folder for the logs of moto and the functions
    #[arg(long, default_value = ".local/logs")]
    logs: PathBuf,

    /// Write JSON, one object per line: the deployment first, then each event
    #[arg(long)]
    json: bool,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}`: expected NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Why the program ends early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    World(#[from] LocalAwsError),
    #[error(transparent)]
    Demo(#[from] rectify_local::demo::DemoError),
    #[error(transparent)]
    Synth(#[from] rectify_synth::SynthError),
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

impl Failure {
    /// The exit code: 2 for an argument or a file, else 3.
    fn code(&self) -> u8 {
        match self {
            Self::Synth(_)
            | Self::World(LocalAwsError::File { .. } | LocalAwsError::Proxy(ProxyError::Listen { .. })) => 2,
            Self::World(_) | Self::Demo(_) | Self::Output(_) => 3,
        }
    }

    /// What to do, where the message alone does not say.
    fn next_step(&self) -> &'static str {
        match self {
            Self::World(LocalAwsError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                "\n  run it at the root of the repository, or name the files with --settings and --binaries"
            }
            Self::World(LocalAwsError::Proxy(ProxyError::Listen { .. })) => {
                "\n  another program listens there: --listen 127.0.0.1:0 picks a free port"
            }
            _ => "",
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Up(up) => run_up(up).await.map(|()| ExitCode::SUCCESS),
        Command::Demo(demo) => run_demo(demo).await,
        Command::Scan(scan) => run_scan(scan).await,
    };
    match result {
        Ok(code) => code,
        // A reader that closes the pipe (`| head`) is not a failure.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            // If standard error is closed too, the exit code must do.
            let _unwritten = writeln!(std::io::stderr(), "rectify-local: {failure}{}", failure.next_step());
            ExitCode::from(failure.code())
        }
    }
}

async fn run_demo(demo: Demo) -> Result<ExitCode, Failure> {
    let templates = rectify_synth::synth(rectify_local::demo::SETTINGS, &[])?;
    let mut settings = LocalAwsConfig::new(templates, &demo.binaries, &demo.logs);
    settings.replacements = demo.replacements.into_iter().map(|(name, program)| (name, program.into())).collect();
    let report = rectify_local::demo::run(settings).await?;
    let mut out = std::io::stdout().lock();
    if demo.json {
        writeln!(out, "{}", json!(report))?;
    } else {
        writeln!(out, "{report}")?;
    }
    out.flush()?;
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run_scan(scan: Scan) -> Result<ExitCode, Failure> {
    let templates = rectify_synth::synth(rectify_local::demo::scan::SETTINGS, &[])?;
    let settings = LocalAwsConfig::new(templates, &scan.binaries, &scan.logs);
    let ended = rectify_local::demo::scan::run(settings, &scan.arguments).await?;
    Ok(if ended { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run_up(up: Up) -> Result<(), Failure> {
    let file = std::fs::read_to_string(&up.settings)
        .map_err(|source| LocalAwsError::File { path: up.settings.clone(), source })?;
    let mut settings = LocalAwsConfig::new(rectify_synth::synth(&file, &up.overrides)?, &up.binaries, &up.logs);
    settings.region.clone_from(&up.region);
    settings.listen.clone_from(&up.listen);
    let world = World::start(settings).await?;
    if let Some(count) = up.root_access_keys {
        world.proxy().set_root_access_keys(count);
    }
    let result = report_events(&world, &up).await;
    world.stop().await?;
    result
}

/// Prints the deployment, then the events, until a signal or a closed output stops it.
async fn report_events(world: &World, up: &Up) -> Result<(), Failure> {
    print_deployment(world, up)?;
    let mut events = EventLog::default();
    let mut clock = tokio::time::interval(Duration::from_secs(up.every));
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut last_error = String::new();
    loop {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
            _ = terminate.recv() => return Ok(()),
            _ = clock.tick() => {}
        }
        let mut out = std::io::stdout().lock();
        for item in events.since_last(world) {
            if up.json { writeln!(out, "{}", json!(item))? } else { writeln!(out, "{item}")? }
        }
        out.flush()?;
        drop(out);
        // A resource that cannot be read may be readable next time: the error is printed once and the read repeated.
        let error = world.tick().await.err().map(|error| error.to_string()).unwrap_or_default();
        if !error.is_empty() && error != last_error {
            writeln!(std::io::stderr(), "rectify-local: {error}")?;
        }
        last_error = error;
    }
}

fn print_deployment(world: &World, up: &Up) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let stack = world.stack();
    let rules: Vec<&str> = stack.rules.iter().map(|rule| rule.name.as_str()).collect();
    if up.json {
        let started = json!({
            "what": "started",
            "endpoint": world.endpoint(),
            "configEndpoint": world.engine_endpoint(),
            "backendEndpoint": world.backend_endpoint(),
            "account": ACCOUNT,
            "region": up.region,
            "rules": rules,
            "functions": stack.functions.iter().map(|function| function.name.as_str()).collect::<Vec<_>>(),
            "ignored": stack.ignored,
            "unrecorded": world.unrecorded(),
            "logs": up.logs,
        });
        writeln!(out, "{started}")?;
        return Ok(out.flush()?);
    }
    let (endpoint, region) = (world.endpoint(), &up.region);
    writeln!(out, "Local AWS at {endpoint}, account {ACCOUNT}, region {region}, logs in {}.", up.logs.display())?;
    writeln!(out, "\n{} Config rules with their modes, {} functions:", rules.len(), stack.functions.len())?;
    for rule in &rules {
        let mode = stack.function(&format!("{rule}-fix")).and_then(|fix| fix.environment.get("MODE"));
        writeln!(out, "  {rule}  {}", mode.map_or("observe", String::as_str))?;
    }
    for (rule, types) in world.unrecorded() {
        writeln!(out, "\nNot recorded locally, so {rule} is never invoked for: {}", types.join(", "))?;
    }
    writeln!(out, "\nTry it in another terminal:\n")?;
    writeln!(
        out,
        "  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region} AWS_ACCESS_KEY_ID=LKIAOPERATOR AWS_SECRET_ACCESS_KEY=local"
    )?;
    writeln!(out, "  aws ec2 create-security-group --group-name open --description open")?;
    writeln!(
        out,
        "  aws ec2 authorize-security-group-ingress --group-name open --protocol tcp --port 22 --cidr 0.0.0.0/0"
    )?;
    writeln!(out, "  aws s3api create-bucket --bucket open-to-all --acl public-read")?;
    if let Some(rule) = rules.first() {
        writeln!(out, "  aws configservice get-compliance-details-by-config-rule --config-rule-name {rule}")?;
        writeln!(out, "  aws configservice start-config-rules-evaluation --config-rule-names {rule}")?;
    }
    writeln!(out, "\nCloudTrail has only the events that you post, to try attribution (docs/attribution.md):\n")?;
    writeln!(out, "  curl {endpoint}/_rectify/trail-events -d @event.json")?;
    writeln!(out, "\nPress Ctrl-C to stop.\n")?;
    Ok(out.flush()?)
}
