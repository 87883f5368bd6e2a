//! The demo: creates noncompliant resources and lets the deployable binaries find, plan, fix, verify and undo them.
//!
//! It checks the result itself. Each scenario lists the lines of a resource's state that the fix may change; every
//! other line, the verdicts, the calls and the undo must match too. No other module of this crate knows controls by
//! name.

mod fixture;
mod limits;
mod report;
mod run;
pub mod scan;
mod scenario;
mod state;

use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::world::{LocalAwsConfig, LocalAwsError, World};
pub use limits::Limit;
pub use report::Report;
use run::CreatedResource;
pub use run::Row;
pub use scenario::{ExpectedEnd, SCENARIOS, Scenario};

/// Why the demo could not finish.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Local AWS did not start, or did not become idle.
    #[error(transparent)]
    World(#[from] LocalAwsError),
    /// A resource could not be created or read.
    #[error("{scenario}: {step}: {why}")]
    Resource {
        /// The resource's scenario.
        scenario: &'static str,
        /// The step that failed.
        step: &'static str,
        /// The service's error.
        why: String,
    },
    /// The command line could not be run.
    #[error("`{}`: {why}", program.display())]
    CommandLine {
        /// The program.
        program: PathBuf,
        /// The operating system's error.
        why: String,
    },
}

/// Longer than any remediation of the demo runs (moto takes a second for `DescribeInstanceTypes`), as Lambda's waits
/// are.
const RETRY_WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// What the demo deploys, as `rectify.yaml`.
pub const SETTINGS: &str = include_str!("rectify.yaml");

/// Runs the demo and reports its result.
///
/// # Errors
/// [`DemoError`] when it cannot finish. A row with problems is not an error: see [`Report::passed`].
pub async fn run(mut settings: LocalAwsConfig) -> Result<Report, DemoError> {
    let steps = Steps::new(7);
    steps.begin("starting AWS Config, Lambda, EventBridge and moto");
    let rectify = settings.binaries.join("rectify");
    settings.defer_rules = true;
    // Two controls evaluate the account: by the last attempt of the second, the first must have released its lease.
    settings.retry_waits = RETRY_WAITS;
    let world = World::start(settings).await?;
    world.proxy().set_root_access_keys(1);
    steps.begin("creating resources");
    let mut resources: Vec<CreatedResource> = Vec::with_capacity(SCENARIOS.len());
    for scenario in SCENARIOS {
        resources.push(CreatedResource::create(scenario, &world).await?);
    }
    steps.begin("evaluating rules, planning and applying fixes");
    world.put_rules()?;
    wait_until_idle(&world).await?;
    steps.begin("evaluating again");
    wait_until_idle(&world).await?;
    let mut rows = Vec::with_capacity(resources.len());
    for created in resources {
        rows.push(Row::after_fix(created, &world).await?);
    }
    steps.begin("undoing every fix with `rectify undo`");
    for row in &mut rows {
        row.undo(&world, &rectify).await?;
    }
    steps.begin("checking that undone resources are found again and left alone");
    wait_until_idle(&world).await?;
    wait_until_idle(&world).await?;
    for row in &mut rows {
        row.after_undo(&world).await?;
    }
    // Limits are shown only once the remediations are known to work.
    let mut limits = Vec::new();
    if rows.iter().all(|row| row.problems.is_empty()) {
        steps.begin("trying the limits: plan mode, an exemption, the breaker, the hourly budget");
        limits = limits::run(&world, &rectify).await?;
    }
    steps.end();
    let report = Report::of(rows, limits, &world);
    world.stop().await?;
    Ok(report)
}

/// Starts every scheduled rule and waits until nothing is pending.
async fn wait_until_idle(world: &World) -> Result<(), DemoError> {
    world.wait_until_idle().await?;
    for rule in &world.stack().rules {
        // An error only says that the rule has no schedule.
        let _unscheduled = world.engine().start_schedule(&rule.name);
    }
    Ok(world.wait_until_idle().await?)
}

/// Progress on standard error: a spinner on a terminal, one line per step elsewhere.
struct Steps {
    bar: ProgressBar,
    total: usize,
    current: std::cell::Cell<usize>,
}

impl Steps {
    fn new(total: usize) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, total, current: std::cell::Cell::new(0) }
    }

    fn begin(&self, step: &str) {
        use std::io::Write;
        self.current.set(self.current.get() + 1);
        let text = format!("[{}/{}] {step}", self.current.get(), self.total);
        if self.bar.is_hidden() {
            // A closed standard error must not end the demo.
            let _ = writeln!(std::io::stderr(), "{text}");
        } else {
            self.bar.set_message(text);
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
