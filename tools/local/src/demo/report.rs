//! The demo's report: a paragraph per resource for the terminal, or JSON.

use std::fmt;

use serde::Serialize;

use super::limits::Limit;
use super::run::Row;
use crate::proxy::Substitution;
use crate::world::World;

/// Prefixes of operations that read; every other operation writes.
const READ_PREFIXES: [&str; 5] = ["Describe", "Get", "List", "Head", "Lookup"];

/// The demo's result.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// One per resource.
    pub rows: Vec<Row>,
    /// One per reason to leave a resource alone; empty if any row has a problem.
    pub limits: Vec<Limit>,
    /// Problems of the whole run: lost events, unannounced calls.
    pub problems: Vec<String>,
    /// The calls that the proxy answered instead of moto.
    pub substitutions: Vec<Substitution>,
}

impl Report {
    pub(super) fn of(rows: Vec<Row>, limits: Vec<Limit>, world: &World) -> Self {
        let mut problems = world.take_errors();
        problems.extend(
            world
                .host()
                .dead_letters()
                .iter()
                .map(|it| format!("{} failed on every attempt: {}", it.function, it.error)),
        );
        problems.extend(unannounced_calls(&rows, &limits, world));
        Self { rows, limits, problems, substitutions: world.proxy().substitutions() }
    }

    /// Whether the run, every row and every limit are free of problems.
    #[must_use]
    pub fn passed(&self) -> bool {
        let limits = self.limits.iter().all(|limit| limit.problems.is_empty());
        limits && self.problems.is_empty() && self.rows.iter().all(|row| row.problems.is_empty())
    }
}

/// Compares the writes that remediations made with those that they announced, by the count of operations.
fn unannounced_calls(rows: &[Row], limits: &[Limit], world: &World) -> Vec<String> {
    let calls = rows.iter().flat_map(|row| &row.calls).chain(limits.iter().flat_map(|limit| &limit.calls));
    let mut announced: Vec<String> = calls.map(|call| first_word(call)).collect();
    let mut problems = Vec::new();
    for call in world.proxy().calls() {
        let writes = !READ_PREFIXES.iter().any(|read| call.operation.starts_with(read));
        let bookkeeping = ["dynamodb", "events", "config"].contains(&call.service.as_str());
        if !call.caller.ends_with("-fix") || bookkeeping || !writes {
            continue;
        }
        match announced.iter().position(|operation| *operation == call.operation) {
            Some(index) => drop(announced.swap_remove(index)),
            None => problems.push(format!("{} did not announce {}:{}", call.caller, call.service, call.operation)),
        }
    }
    problems.extend(announced.into_iter().map(|operation| format!("{operation} was announced but never called")));
    problems
}

/// What happened to a resource, in order: each part with its lines. The plan is shown if no call was made.
fn paragraph(row: &Row) -> [(&'static str, Vec<String>); 5] {
    let plan = if row.calls.is_empty() { row.plan.as_slice() } else { &[] };
    [
        ("found", row.finding.iter().cloned().collect()),
        ("plan", plan.iter().map(|step| shortened(step)).collect()),
        ("called", calls_and_changes(row)),
        ("after", vec![row.after.clone()]),
        ("undone", vec![row.undone.clone()]),
    ]
}

/// The operations called, then the lines of state that they changed; `--json` has each call's full input.
fn calls_and_changes(row: &Row) -> Vec<String> {
    row.calls.iter().map(|call| first_word(call)).chain(row.changes.iter().cloned()).collect()
}

/// A text cut to the width of a terminal; `--json` has it in full.
fn shortened(step: &str) -> String {
    const MAX_CHARACTERS: usize = 90;
    if step.chars().count() <= MAX_CHARACTERS {
        return step.to_owned();
    }
    step.chars().take(MAX_CHARACTERS - 1).chain(['…']).collect()
}

fn first_word(call: &str) -> String {
    call.split_whitespace().next().unwrap_or_default().to_owned()
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            let mark = if row.problems.is_empty() { "ok" } else { "FAIL" };
            writeln!(out, "{mark:<7}{}, {}", row.name, row.resource)?;
            for (what, lines) in paragraph(row) {
                for (index, line) in lines.iter().enumerate() {
                    writeln!(out, "       {:<8}{line}", if index == 0 { what } else { "" })?;
                }
            }
            writeln!(out)?;
        }
        for limit in &self.limits {
            let mark = if limit.problems.is_empty() { "ok" } else { "FAIL" };
            writeln!(out, "{mark:<7}{:<30} {:<13} {}", limit.name, limit.outcome, shortened(&limit.reason))?;
        }
        for substitution in &self.substitutions {
            writeln!(
                out,
                "answered by the proxy, not by moto: {}: {} ({} times)",
                substitution.call, substitution.what, substitution.times
            )?;
        }
        for row in &self.rows {
            for problem in &row.problems {
                writeln!(out, "problem: {}: {problem}", row.name)?;
            }
        }
        for limit in &self.limits {
            for problem in &limit.problems {
                writeln!(out, "problem: {}: {problem}", limit.name)?;
            }
        }
        for problem in &self.problems {
            writeln!(out, "problem: {problem}")?;
        }
        let limits = self.limits.iter().map(|limit| limit.problems.is_empty());
        let all: Vec<bool> = self.rows.iter().map(|row| row.problems.is_empty()).chain(limits).collect();
        let passed = all.iter().filter(|it| **it).count();
        write!(out, "{passed} of {} as expected", all.len())
    }
}
