//! One row: what was made, what was found, planned, called, and how it went back, with everything that is not as it should be.

use std::path::Path;

use rectify_compliance::{Plan, Work};
use serde::Serialize;
use serde_json::Value;

use super::DemoError;
use super::scenario::{Ending, Scenario};
use super::state::{self, State};
use crate::engine::{Compliance, ResourceKey};
use crate::wiring::Wiring;
use crate::world::World;

/// A resource as it was made.
#[derive(Debug, Clone)]
pub(super) struct Made {
    scenario: &'static Scenario,
    resource: ResourceKey,
    before: State,
}

/// One resource's story.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What people call it.
    pub name: &'static str,
    /// The control.
    pub control: &'static str,
    /// The resource's id.
    pub resource: String,
    /// What the remediation found in its live read; none where nothing was wrong.
    pub finding: Option<String>,
    /// The plan, step by step.
    pub plan: Vec<String>,
    /// The calls that were made.
    pub calls: Vec<String>,
    /// The lines of the resource's state that the calls changed: `- ` went, `+ ` came.
    pub changes: Vec<String>,
    /// The rule's verdict after the fix.
    pub after: String,
    /// How undoing went.
    pub undone: String,
    /// What is not as it should be; empty when all is.
    pub problems: Vec<String>,
    #[serde(skip)]
    made: Made,
    #[serde(skip)]
    attempt: Option<String>,
}

impl Made {
    /// Makes the resource of a scenario and reads its state.
    pub(super) async fn make(scenario: &'static Scenario, world: &World) -> Result<Self, DemoError> {
        let failed = |step| move |why| DemoError::Resource { scenario: scenario.name, step, why };
        let resource = scenario.fault.make(world.clients()).await.map_err(failed("make"))?;
        let before = state::read(scenario.fault, &resource, world.clients()).await.map_err(failed("read"))?;
        Ok(Self { scenario, resource, before })
    }

    async fn state(&self, world: &World) -> Result<State, DemoError> {
        state::read(self.scenario.fault, &self.resource, world.clients()).await.map_err(|why| DemoError::Resource {
            scenario: self.scenario.name,
            step: "read",
            why,
        })
    }

    /// What the state must be once the fix is applied, if one is.
    fn fixed(&self) -> State {
        let Ending::Fixed(changes) = self.scenario.ending else { return self.before.clone() };
        let mut state = self.before.clone();
        for (from, to) in changes {
            state.remove(*from);
            if !to.is_empty() {
                state.insert((*to).to_owned());
            }
        }
        state
    }

    fn rule<'a>(&self, wiring: &'a Wiring) -> Option<&'a str> {
        let name = |rule: &&crate::wiring::Rule| rule.name.ends_with(&format!("-{}", self.scenario.control));
        wiring.rules.iter().find(name).map(|rule| rule.name.as_str())
    }

    fn verdict(&self, world: &World) -> Option<Compliance> {
        self.rule(world.wiring()).and_then(|rule| world.compliance_of(rule, &self.resource))
    }
}

impl Row {
    /// Reads what became of a resource once rules and remediations are through with it.
    pub(super) async fn after_fix(made: Made, world: &World) -> Result<Self, DemoError> {
        let told = announcements(world, &made);
        let first = told.first();
        let detail = |key: &str| first.and_then(|it| it.get(key)).and_then(Value::as_str).map(str::to_owned);
        let (verdict, state) = (made.verdict(world), made.state(world).await?);
        let mut row = Self {
            name: made.scenario.name,
            control: made.scenario.control,
            resource: made.resource.resource_id.clone(),
            finding: detail("finding"),
            plan: first.map(plan_lines).unwrap_or_default(),
            calls: first.map(call_lines).unwrap_or_default(),
            changes: changes(&made.before, &state),
            after: verdict.map_or("none", Compliance::name).to_owned(),
            undone: String::new(),
            problems: Vec::new(),
            attempt: detail("attempt"),
            made,
        };
        let outcome = detail("outcome").unwrap_or_else(|| "nothing announced".to_owned());
        let (wanted_outcome, wanted_verdict) = match row.made.scenario.ending {
            Ending::Fixed(_) => ("verified", Compliance::Compliant),
            Ending::Planned => ("planned", Compliance::NonCompliant),
            Ending::Right => ("nothing announced", Compliance::Compliant),
        };
        row.expect("outcome", wanted_outcome, &outcome);
        row.expect("verdict", wanted_verdict.name(), &row.after.clone());
        if matches!(row.made.scenario.ending, Ending::Fixed(_)) {
            row.expect("reason", "as planned", &detail("reason").unwrap_or_default());
            if row.finding.is_none() {
                row.problems.push("no finding was told".to_owned());
            }
        }
        if told.len() > 1 {
            row.problems.push(format!("told {} times", told.len()));
        }
        row.expect_state("after the fix", &row.made.fixed(), &state);
        Ok(row)
    }

    /// Takes the fix back with the command line, as a person would.
    pub(super) async fn undo(&mut self, world: &World, rectify: &Path) -> Result<(), DemoError> {
        let (Ending::Fixed(_), Some(attempt)) = (self.made.scenario.ending, self.attempt.clone()) else {
            self.undone = "nothing to undo".to_owned();
            return Ok(());
        };
        match command_line(world, rectify, &["undo", &attempt, "--confirm-exposure"]).await? {
            Ok(()) => "restored".clone_into(&mut self.undone),
            Err(why) => {
                "refused".clone_into(&mut self.undone);
                self.problems.push(format!("undo: {why}"));
            }
        }
        self.expect_state("after undo", &self.made.before.clone(), &self.made.state(world).await?);
        Ok(())
    }

    /// Reads whether an undone resource is found again and left alone.
    pub(super) async fn after_undo(&mut self, world: &World) -> Result<(), DemoError> {
        if !matches!(self.made.scenario.ending, Ending::Fixed(_)) {
            return Ok(());
        }
        let verdict = self.made.verdict(world).map_or("none", Compliance::name);
        self.expect("verdict after undo", Compliance::NonCompliant.name(), verdict);
        let last = announcements(world, &self.made).pop();
        let reason =
            last.as_ref().and_then(|it| it.get("reason")).and_then(Value::as_str).unwrap_or("nothing announced");
        if reason.starts_with("held by demo until ") {
            self.undone = format!("{}, {verdict} again, held", self.undone);
        } else {
            self.problems.push(format!("after undo: expected a hold: received `{reason}`"));
        }
        self.expect_state("while held", &self.made.before.clone(), &self.made.state(world).await?);
        Ok(())
    }

    fn expect(&mut self, what: &str, wanted: &str, found: &str) {
        if wanted != found {
            self.problems.push(format!("{what}: expected {wanted}: received `{found}`"));
        }
    }

    fn expect_state(&mut self, when: &str, wanted: &State, found: &State) {
        self.problems.extend(wanted.difference(found).map(|line| format!("{when}: missing `{line}`")));
        self.problems.extend(found.difference(wanted).map(|line| format!("{when}: not expected `{line}`")));
    }
}

/// Runs the command line as a person of this world would; what it complained of, if it did.
pub(super) async fn command_line(
    world: &World,
    rectify: &Path,
    words: &[&str],
) -> Result<Result<(), String>, DemoError> {
    let table = world.wiring().tables.first().map(|table| table.name.clone()).unwrap_or_default();
    let run = tokio::process::Command::new(rectify)
        .args(words)
        .args(["--by", "demo", "--json"])
        .env("AWS_ENDPOINT_URL", world.endpoint())
        .env("AWS_REGION", &world.settings().region)
        .env("AWS_ACCESS_KEY_ID", "LKIAPERSON")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("LEDGER_TABLE", table)
        .output()
        .await
        .map_err(|error| DemoError::CommandLine { program: rectify.to_owned(), why: error.to_string() })?;
    if run.status.success() {
        return Ok(Ok(()));
    }
    let said = String::from_utf8_lossy(if run.stderr.is_empty() { &run.stdout } else { &run.stderr });
    Ok(Err(said.trim().to_owned()))
}

/// What the control's remediation told about the resource, oldest first.
fn announcements(world: &World, made: &Made) -> Vec<Value> {
    let is_ours = |detail: &Value| {
        detail.get("control").and_then(Value::as_str) == Some(made.scenario.control)
            && detail.get("resourceId").and_then(Value::as_str) == Some(&made.resource.resource_id)
    };
    world.bus().announcements().into_iter().map(|it| it.detail).filter(is_ours).collect()
}

fn plan_lines(detail: &Value) -> Vec<String> {
    let plan = detail.get("plan").cloned().unwrap_or_default();
    let Ok(plan) = serde_json::from_value::<Plan<Value>>(plan) else { return vec!["unreadable".to_owned()] };
    let hold = match &plan {
        Plan::Blocked { reason, .. } => Some(format!("hold: {reason}")),
        Plan::Noop | Plan::Apply { .. } => None,
    };
    let steps = plan.steps().iter().map(|step| match &step.work {
        Work::Api(call) => format!("{} {}", step.level, operation(call)),
        Work::Manual(instruction) => format!("{} {instruction}", step.level),
    });
    hold.into_iter().chain(steps).collect()
}

fn call_lines(detail: &Value) -> Vec<String> {
    let actions = detail.get("actions").and_then(Value::as_array);
    actions.map(|actions| actions.iter().map(rectify_compliance::plan::call_text).collect()).unwrap_or_default()
}

fn changes(before: &State, after: &State) -> Vec<String> {
    let gone = before.difference(after).map(|line| format!("- {line}"));
    gone.chain(after.difference(before).map(|line| format!("+ {line}"))).collect()
}

fn operation(call: &Value) -> String {
    let name = call.as_object().and_then(|call| call.keys().next()).cloned();
    name.or_else(|| call.as_str().map(str::to_owned)).unwrap_or_else(|| call.to_string())
}
