//! One row of the report: the resource, its finding, plan, calls and undo, and every problem.

use std::path::Path;

use rectify_compliance::{Plan, Work};
use serde::Serialize;
use serde_json::Value;

use super::DemoError;
use super::scenario::{ExpectedEnd, Scenario};
use super::state::{self, State};
use crate::engine::{Compliance, ResourceKey};
use crate::stack::Stack;
use crate::world::World;

/// A scenario's resource and its state after creation.
#[derive(Debug, Clone)]
pub(super) struct CreatedResource {
    scenario: &'static Scenario,
    resource: ResourceKey,
    before: State,
}

/// What happened to one resource.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The name shown in the report.
    pub name: &'static str,
    /// The control.
    pub control: &'static str,
    /// The resource's id.
    pub resource: String,
    /// What the remediation found in its live read; none if the resource was compliant.
    pub finding: Option<String>,
    /// The plan, step by step.
    pub plan: Vec<String>,
    /// The calls made.
    pub calls: Vec<String>,
    /// The lines of the resource's state that the calls changed: `- ` removed, `+ ` added.
    pub changes: Vec<String>,
    /// The rule's verdict after the fix.
    pub after: String,
    /// The result of the undo.
    pub undone: String,
    /// What differs from the expected; empty if nothing does.
    pub problems: Vec<String>,
    #[serde(skip)]
    created: CreatedResource,
    #[serde(skip)]
    attempt: Option<String>,
}

impl CreatedResource {
    /// Creates the resource of a scenario and reads its state.
    pub(super) async fn create(scenario: &'static Scenario, world: &World) -> Result<Self, DemoError> {
        let failed = |step| move |why| DemoError::Resource { scenario: scenario.name, step, why };
        let resource = scenario.fixture.create(world.clients()).await.map_err(failed("create"))?;
        let before = state::read(scenario.fixture, &resource, world.clients()).await.map_err(failed("read"))?;
        Ok(Self { scenario, resource, before })
    }

    async fn state(&self, world: &World) -> Result<State, DemoError> {
        state::read(self.scenario.fixture, &self.resource, world.clients()).await.map_err(|why| DemoError::Resource {
            scenario: self.scenario.name,
            step: "read",
            why,
        })
    }

    /// The expected state after the fix; the state as created if none is expected.
    fn expected_state(&self) -> State {
        let ExpectedEnd::Fixed(changes) = self.scenario.expected else { return self.before.clone() };
        let mut state = self.before.clone();
        for (from, to) in changes {
            state.remove(*from);
            if !to.is_empty() {
                state.insert((*to).to_owned());
            }
        }
        state
    }

    fn rule<'a>(&self, stack: &'a Stack) -> Option<&'a str> {
        let name = |rule: &&crate::stack::Rule| rule.name.ends_with(&format!("-{}", self.scenario.control));
        stack.rules.iter().find(name).map(|rule| rule.name.as_str())
    }

    fn verdict(&self, world: &World) -> Option<Compliance> {
        self.rule(world.stack()).and_then(|rule| world.compliance_of(rule, &self.resource))
    }
}

impl Row {
    /// Reads the result for a resource once its rule and remediation are done.
    pub(super) async fn after_fix(created: CreatedResource, world: &World) -> Result<Self, DemoError> {
        let announced = announcements(world, &created);
        let first = announced.first();
        let detail = |key: &str| first.and_then(|it| it.get(key)).and_then(Value::as_str).map(str::to_owned);
        let (verdict, state) = (created.verdict(world), created.state(world).await?);
        let mut row = Self {
            name: created.scenario.name,
            control: created.scenario.control,
            resource: created.resource.resource_id.clone(),
            finding: detail("finding"),
            plan: first.map(plan_lines).unwrap_or_default(),
            calls: first.map(call_lines).unwrap_or_default(),
            changes: changes(&created.before, &state),
            after: verdict.map_or("none", Compliance::name).to_owned(),
            undone: String::new(),
            problems: Vec::new(),
            attempt: detail("attempt"),
            created,
        };
        let outcome = detail("outcome").unwrap_or_else(|| "nothing announced".to_owned());
        let (expected_outcome, expected_verdict) = match row.created.scenario.expected {
            ExpectedEnd::Fixed(_) => ("verified", Compliance::Compliant),
            ExpectedEnd::Planned => ("planned", Compliance::NonCompliant),
            ExpectedEnd::Untouched => ("nothing announced", Compliance::Compliant),
        };
        row.expect("outcome", expected_outcome, &outcome);
        row.expect("verdict", expected_verdict.name(), &row.after.clone());
        if matches!(row.created.scenario.expected, ExpectedEnd::Fixed(_)) {
            row.expect("reason", "as planned", &detail("reason").unwrap_or_default());
            if row.finding.is_none() {
                row.problems.push("no finding announced".to_owned());
            }
        }
        if announced.len() > 1 {
            row.problems.push(format!("announced {} times, expected once", announced.len()));
        }
        row.expect_state("after the fix", &row.created.expected_state(), &state);
        Ok(row)
    }

    /// Undoes the fix with `rectify undo`, as an operator would.
    pub(super) async fn undo(&mut self, world: &World, rectify: &Path) -> Result<(), DemoError> {
        let (ExpectedEnd::Fixed(_), Some(attempt)) = (self.created.scenario.expected, self.attempt.clone()) else {
            self.undone = "nothing to undo".to_owned();
            return Ok(());
        };
        match run_rectify(world, rectify, &["undo", &attempt, "--confirm-exposure"]).await? {
            Ok(()) => "restored".clone_into(&mut self.undone),
            Err(why) => {
                "refused".clone_into(&mut self.undone);
                self.problems.push(format!("undo: {why}"));
            }
        }
        self.expect_state("after undo", &self.created.before.clone(), &self.created.state(world).await?);
        Ok(())
    }

    /// Checks that an undone resource is found again and left alone.
    pub(super) async fn after_undo(&mut self, world: &World) -> Result<(), DemoError> {
        if !matches!(self.created.scenario.expected, ExpectedEnd::Fixed(_)) {
            return Ok(());
        }
        let verdict = self.created.verdict(world).map_or("none", Compliance::name);
        self.expect("verdict after undo", Compliance::NonCompliant.name(), verdict);
        let last = announcements(world, &self.created).pop();
        let reason =
            last.as_ref().and_then(|it| it.get("reason")).and_then(Value::as_str).unwrap_or("nothing announced");
        if reason.starts_with("held by demo until ") {
            self.undone = format!("{}, {verdict} again, held", self.undone);
        } else {
            self.problems.push(format!("after undo: expected a hold: received `{reason}`"));
        }
        self.expect_state("while held", &self.created.before.clone(), &self.created.state(world).await?);
        Ok(())
    }

    fn expect(&mut self, field: &str, expected: &str, found: &str) {
        if expected != found {
            self.problems.push(format!("{field}: expected {expected}: received `{found}`"));
        }
    }

    fn expect_state(&mut self, when: &str, expected: &State, found: &State) {
        self.problems.extend(expected.difference(found).map(|line| format!("{when}: missing `{line}`")));
        self.problems.extend(found.difference(expected).map(|line| format!("{when}: unexpected `{line}`")));
    }
}

/// Runs `rectify` against local AWS, as an operator would; the inner error is its output when it fails.
pub(super) async fn run_rectify(
    world: &World,
    rectify: &Path,
    words: &[&str],
) -> Result<Result<(), String>, DemoError> {
    let run = command(world, rectify)
        .args(words)
        .args(["--by", "demo", "--json"])
        .output()
        .await
        .map_err(|error| DemoError::CommandLine { program: rectify.to_owned(), why: error.to_string() })?;
    if run.status.success() {
        return Ok(Ok(()));
    }
    let output = String::from_utf8_lossy(if run.stderr.is_empty() { &run.stdout } else { &run.stderr });
    Ok(Err(output.trim().to_owned()))
}

/// `rectify` with the operator's credentials in local AWS, without arguments.
pub(super) fn command(world: &World, rectify: &Path) -> tokio::process::Command {
    let table = world.stack().tables.first().map(|table| table.name.clone()).unwrap_or_default();
    let mut command = tokio::process::Command::new(rectify);
    command
        .env("AWS_ENDPOINT_URL", world.endpoint())
        .env("AWS_REGION", &world.settings().region)
        .env("AWS_ACCESS_KEY_ID", "LKIAOPERATOR")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("LEDGER_TABLE", table);
    command
}

/// The announcements of the control's remediation about the resource, oldest first.
fn announcements(world: &World, created: &CreatedResource) -> Vec<Value> {
    let is_about_resource = |detail: &Value| {
        detail.get("control").and_then(Value::as_str) == Some(created.scenario.control)
            && detail.get("resourceId").and_then(Value::as_str) == Some(&created.resource.resource_id)
    };
    world.bus().announcements().into_iter().map(|it| it.detail).filter(is_about_resource).collect()
}

fn plan_lines(detail: &Value) -> Vec<String> {
    let plan = detail.get("plan").cloned().unwrap_or_default();
    let Ok(plan) = serde_json::from_value::<Plan<Value>>(plan) else { return vec!["unreadable".to_owned()] };
    let blocked = match &plan {
        Plan::Blocked { reason, .. } => Some(format!("blocked: {reason}")),
        Plan::Noop | Plan::Apply { .. } => None,
    };
    let steps = plan.steps().iter().map(|step| match &step.work {
        Work::Api(call) => format!("{} {}", step.level, operation(call)),
        Work::Manual(instruction) => format!("{} {instruction}", step.level),
    });
    blocked.into_iter().chain(steps).collect()
}

fn call_lines(detail: &Value) -> Vec<String> {
    let actions = detail.get("actions").and_then(Value::as_array);
    actions.map(|actions| actions.iter().map(rectify_compliance::plan::call_text).collect()).unwrap_or_default()
}

fn changes(before: &State, after: &State) -> Vec<String> {
    let removed = before.difference(after).map(|line| format!("- {line}"));
    removed.chain(after.difference(before).map(|line| format!("+ {line}"))).collect()
}

fn operation(call: &Value) -> String {
    let name = call.as_object().and_then(|call| call.keys().next()).cloned();
    name.or_else(|| call.as_str().map(str::to_owned)).unwrap_or_else(|| call.to_string())
}
