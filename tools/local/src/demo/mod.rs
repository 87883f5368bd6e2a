//! The demo: faulty resources made, found, planned, fixed, verified and undone, by the binaries that would be deployed.
//!
//! It judges for itself: each scenario says which lines of a resource's state the fix may change, and every other line, the
//! verdicts, the calls and the way back must be as they should be. Of this crate only the demo knows controls by name.

mod fault;
mod limits;
mod report;
mod scenario;
mod state;
mod story;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::world::{World, WorldError, WorldSettings};
pub use limits::Limit;
pub use report::Report;
pub use scenario::{Ending, SCENARIOS, Scenario};
use story::Made;
pub use story::Row;

/// Why the demo could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The world did not start, or did not become quiet.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A resource could not be made or read.
    #[error("{scenario}: {step}: {why}")]
    Resource {
        /// Whose resource.
        scenario: &'static str,
        /// What was tried.
        step: &'static str,
        /// What AWS said.
        why: String,
    },
    /// The command line could not be run.
    #[error("`{}`: {why}", program.display())]
    CommandLine {
        /// The program.
        program: PathBuf,
        /// Why.
        why: String,
    },
}

/// Longer than any remediation of the demo works (`DescribeInstanceTypes` takes moto a second), as Lambda's waits are.
const RETRY_WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Template parameters of the demo: every control enforces, with the steps that need to be opted in to.
pub fn parameters() -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for (control, opts_in) in scenario::CONTROLS {
        parameters.insert(format!("{control}Mode"), "enforce".to_owned());
        if opts_in {
            parameters.insert(format!("{control}AllowL2"), "true".to_owned());
        }
    }
    // So that one tag shows a mode, and five groups a budget, whatever else there is.
    parameters.insert("AllowTagMode".to_owned(), "true".to_owned());
    parameters.insert("BudgetSharePercent".to_owned(), "100".to_owned());
    // No CloudTrail is played: everybody would be unknown.
    parameters.insert("Attribution".to_owned(), "false".to_owned());
    parameters
}

/// Plays the demo and says what came of it.
///
/// # Errors
/// [`DemoError`] when it cannot be played to its end. A row that is not as it should be is no error of this kind: see
/// [`Report::is_as_it_should_be`].
pub async fn play(mut settings: WorldSettings) -> Result<Report, DemoError> {
    let steps = Steps::new(7);
    steps.begin("starting AWS Config, Lambda, EventBridge and moto");
    let rectify = settings.binaries.join("rectify");
    settings.rules_later = true;
    // Two controls judge the account; whoever comes second must find the first one's lease gone at its last attempt.
    settings.retry_waits = RETRY_WAITS;
    let world = World::start(settings).await?;
    world.proxy().set_root_access_keys(1);
    steps.begin("making resources");
    let mut made: Vec<Made> = Vec::with_capacity(SCENARIOS.len());
    for scenario in SCENARIOS {
        made.push(Made::make(scenario, &world).await?);
    }
    steps.begin("rules judge, remediations plan and fix");
    world.put_rules()?;
    settle_all(&world).await?;
    steps.begin("judging again");
    settle_all(&world).await?;
    let mut rows = Vec::with_capacity(made.len());
    for made in made {
        rows.push(Row::after_fix(made, &world).await?);
    }
    steps.begin("undoing every fix, with the command line");
    for row in &mut rows {
        row.undo(&world, &rectify).await?;
    }
    steps.begin("judging what was undone, and that it is left alone");
    settle_all(&world).await?;
    settle_all(&world).await?;
    for row in &mut rows {
        row.after_undo(&world).await?;
    }
    // What holds a remediation back is shown once the remediation is known to work.
    let mut limits = Vec::new();
    if rows.iter().all(|row| row.problems.is_empty()) {
        steps.begin("plan mode, an exemption, a breaker, a budget");
        limits = limits::play(&world, &rectify).await?;
    }
    steps.end();
    let report = Report::of(rows, limits, &world);
    world.stop().await?;
    Ok(report)
}

/// Lets changes and schedules run until nothing happens any more.
async fn settle_all(world: &World) -> Result<(), DemoError> {
    world.settle().await?;
    for rule in &world.wiring().rules {
        // A rule without a schedule says so; the others run as if their time had come.
        let _change_only = world.engine().start_schedule(&rule.name);
    }
    Ok(world.settle().await?)
}

/// Progress on standard error: a spinner on a terminal, one line a step elsewhere.
struct Steps {
    bar: ProgressBar,
    of: usize,
    at: std::cell::Cell<usize>,
}

impl Steps {
    fn new(of: usize) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, of, at: std::cell::Cell::new(0) }
    }

    fn begin(&self, what: &str) {
        use std::io::Write;
        self.at.set(self.at.get() + 1);
        let text = format!("[{}/{}] {what}", self.at.get(), self.of);
        if self.bar.is_hidden() {
            // Without standard error nobody waits.
            let _ = writeln!(std::io::stderr(), "{text}");
        } else {
            self.bar.set_message(text);
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
