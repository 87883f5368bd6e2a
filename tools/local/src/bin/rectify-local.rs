//! `rectify-local`: AWS with Rectify deployed in it, on this machine, for a person with the AWS CLI.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use rectify_local::event_log::News;
use rectify_local::world::{ACCOUNT, World, WorldError, WorldSettings};
use serde_json::json;

/// AWS Config, Lambda and EventBridge on this machine, with everything the template deploys running in them.
///
/// Nothing leaves this machine and no AWS account is needed: an own engine stands in for AWS Config, moto for the other
/// services, and the functions are the very binaries that would be deployed.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything and leave it running until Ctrl-C
    ///
    /// Prints the address, then every verdict, plan and outcome as it happens. Work against it with any AWS client, e.g.
    /// make a security group that is open to the world and watch AWS Config find it.
    Up(Up),

    /// Make faulty resources and show each one's way: found, planned, fixed, verified, undone
    ///
    /// Ends with 0 when every row is as it should be, with 1 when one is not, and with 3 when it could not be played.
    Demo(Demo),
}

#[derive(Args)]
struct Demo {
    /// The template that says what is deployed
    #[arg(long, default_value = "template.yaml")]
    template: PathBuf,

    /// The folder with the built binaries, the command line `rectify` among them
    #[arg(long, default_value = "target/debug", env = "RECTIFY_BINARIES")]
    binaries: PathBuf,

    /// Run another program in a function's place, e.g. `restricted-ssh-remediation=target/debug/other`
    #[arg(long = "replace", value_name = "BINARY=PROGRAM", value_parser = assignment)]
    replacements: Vec<(String, String)>,

    /// The folder for the logs of the functions and of moto
    #[arg(long, default_value = ".local/logs")]
    logs: PathBuf,

    /// Write the rows as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Up {
    /// The template that says what is deployed
    #[arg(long, default_value = "template.yaml")]
    template: PathBuf,

    /// The folder with the built binaries: `<folder>/<name>` or `<folder>/<name>/bootstrap`
    #[arg(long, default_value = "target/debug", env = "RECTIFY_BINARIES")]
    binaries: PathBuf,

    /// A template parameter, e.g. `RestrictedSshMode=enforce`; may be given many times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    parameters: Vec<(String, String)>,

    /// The region everything is in
    #[arg(long, default_value = "us-east-1")]
    region: String,

    /// The address of local AWS; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:4599")]
    listen: String,

    /// How many root access keys the account has; moto knows no root user
    #[arg(long, value_name = "COUNT")]
    root_access_keys: Option<u32>,

    /// How often AWS Config looks at the resources, seconds
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,

    /// The folder for the logs of the functions and of moto
    #[arg(long, default_value = ".local/logs")]
    logs: PathBuf,

    /// Write JSON, one object a line: first what runs where, then what happens
    #[arg(long)]
    json: bool,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("`{text}`: expected NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Why the program ends with 3.
#[derive(Debug, thiserror::Error)]
enum Ending {
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Demo(#[from] rectify_local::demo::DemoError),
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Up(up) => run(up).await.map(|()| ExitCode::SUCCESS),
        Command::Demo(demo) => play(demo).await,
    };
    match ended {
        Ok(code) => code,
        // A reader that went away (`| head`) is no failure of ours.
        Err(Ending::Output(gone)) if gone.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(ending) => {
            // Without standard error there is nobody left to tell.
            let _unheard = writeln!(std::io::stderr(), "rectify-local: {ending}");
            ExitCode::from(3)
        }
    }
}

async fn play(demo: Demo) -> Result<ExitCode, Ending> {
    let mut settings = WorldSettings::new(&demo.template, &demo.binaries, &demo.logs);
    settings.parameters = rectify_local::demo::parameters();
    settings.others_off = true;
    settings.replacements = demo.replacements.into_iter().map(|(name, program)| (name, program.into())).collect();
    let report = rectify_local::demo::play(settings).await?;
    let mut out = std::io::stdout().lock();
    if demo.json {
        writeln!(out, "{}", json!(report))?;
    } else {
        writeln!(out, "{report}")?;
    }
    out.flush()?;
    Ok(if report.is_as_it_should_be() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run(up: Up) -> Result<(), Ending> {
    let mut settings = WorldSettings::new(&up.template, &up.binaries, &up.logs);
    settings.parameters = up.parameters.iter().cloned().collect::<BTreeMap<_, _>>();
    settings.region.clone_from(&up.region);
    settings.listen.clone_from(&up.listen);
    let world = World::start(settings).await?;
    if let Some(count) = up.root_access_keys {
        world.proxy().set_root_access_keys(count);
    }
    let told = tell(&world, &up).await;
    world.stop().await?;
    told
}

/// Introduces the world and tells what happens in it until a signal or a closed output ends that.
async fn tell(world: &World, up: &Up) -> Result<(), Ending> {
    introduce(world, up)?;
    let mut news = News::default();
    let mut clock = tokio::time::interval(Duration::from_secs(up.every));
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut last_refusal = String::new();
    loop {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
            _ = terminate.recv() => return Ok(()),
            _ = clock.tick() => {}
        }
        let mut out = std::io::stdout().lock();
        for item in news.since_last(world) {
            if up.json { writeln!(out, "{}", json!(item))? } else { writeln!(out, "{item}")? }
        }
        out.flush()?;
        drop(out);
        // A resource that cannot be read now may be readable at the next look: said once, tried again.
        let refusal = world.tick().await.err().map(|refusal| refusal.to_string()).unwrap_or_default();
        if !refusal.is_empty() && refusal != last_refusal {
            writeln!(std::io::stderr(), "rectify-local: {refusal}")?;
        }
        last_refusal = refusal;
    }
}

fn introduce(world: &World, up: &Up) -> Result<(), Ending> {
    let mut out = std::io::stdout().lock();
    let wiring = world.wiring();
    let rules: Vec<&str> = wiring.rules.iter().map(|rule| rule.name.as_str()).collect();
    if up.json {
        let started = json!({
            "what": "started",
            "endpoint": world.endpoint(),
            "configEndpoint": world.engine_endpoint(),
            "backendEndpoint": world.backend_endpoint(),
            "account": ACCOUNT,
            "region": up.region,
            "rules": rules,
            "functions": wiring.functions.iter().map(|function| function.name.as_str()).collect::<Vec<_>>(),
            "ignored": wiring.ignored,
            "unrecorded": world.unrecorded(),
            "logs": up.logs,
        });
        writeln!(out, "{started}")?;
        return Ok(out.flush()?);
    }
    let (endpoint, region) = (world.endpoint(), &up.region);
    writeln!(out, "Local AWS at {endpoint}, account {ACCOUNT}, region {region}, logs in {}.", up.logs.display())?;
    writeln!(out, "\n{} Config rules, {} functions:", rules.len(), wiring.functions.len())?;
    for rule in &rules {
        let mode = wiring.function(&format!("{rule}-fix")).and_then(|fix| fix.environment.get("MODE"));
        writeln!(out, "  {rule}  {}", mode.map_or("observe", String::as_str))?;
    }
    for (rule, types) in world.unrecorded() {
        writeln!(out, "\nNot recorded here, so that {rule} does not hear of them: {}", types.join(", "))?;
    }
    writeln!(out, "\nIn another terminal:\n")?;
    writeln!(
        out,
        "  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region} AWS_ACCESS_KEY_ID=LKIAPERSON AWS_SECRET_ACCESS_KEY=local"
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
    writeln!(out, "\nWho did it is asked of a CloudTrail that knows what it is told (docs/attribution.md):\n")?;
    writeln!(out, "  curl {endpoint}/_rectify/trail-events -d @event.json")?;
    writeln!(out, "\nCtrl-C ends it.\n")?;
    Ok(out.flush()?)
}
