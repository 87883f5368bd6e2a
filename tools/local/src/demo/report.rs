//! What the demo shows a person or a machine.

use std::fmt;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::limits::Limit;
use super::story::Row;
use crate::proxy::Substitution;
use crate::world::World;

/// Operations that read; every other one writes.
const READS: [&str; 5] = ["Describe", "Get", "List", "Head", "Lookup"];

/// The width of the table where there is no terminal to fit it to, characters.
const WIDTH_ELSEWHERE: u16 = 160;

/// The demo's outcome.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// One a resource.
    pub rows: Vec<Row>,
    /// One a reason to leave a resource alone; none where the rows are not as they should be.
    pub limits: Vec<Limit>,
    /// What is wrong with the whole: events that were lost, calls nobody told of.
    pub problems: Vec<String>,
    /// What was answered in the emulator's place.
    pub substitutions: Vec<Substitution>,
}

impl Report {
    pub(super) fn of(rows: Vec<Row>, limits: Vec<Limit>, world: &World) -> Self {
        let mut problems = world.take_errors();
        problems.extend(
            world.host().dead_letters().iter().map(|letter| format!("{} gave up: {}", letter.function, letter.error)),
        );
        problems.extend(calls_untold(&rows, &limits, world));
        Self { rows, limits, problems, substitutions: world.proxy().substitutions() }
    }

    /// Whether every row and the whole are as they should be.
    #[must_use]
    pub fn is_as_it_should_be(&self) -> bool {
        let limits = self.limits.iter().all(|limit| limit.problems.is_empty());
        limits && self.problems.is_empty() && self.rows.iter().all(|row| row.problems.is_empty())
    }
}

/// Every write a remediation made to a service is one that it told of, by the count of operations.
fn calls_untold(rows: &[Row], limits: &[Limit], world: &World) -> Vec<String> {
    let calls = rows.iter().flat_map(|row| &row.calls).chain(limits.iter().flat_map(|limit| &limit.calls));
    let mut told: Vec<String> = calls.map(|call| first_word(call)).collect();
    let mut untold = Vec::new();
    for call in world.proxy().calls() {
        let writes = !READS.iter().any(|read| call.operation.starts_with(read));
        let own = ["dynamodb", "events", "config"].contains(&call.service.as_str());
        if !call.caller.ends_with("-fix") || own || !writes {
            continue;
        }
        match told.iter().position(|operation| *operation == call.operation) {
            Some(index) => drop(told.swap_remove(index)),
            None => untold.push(format!("{} called {}:{} and did not tell", call.caller, call.service, call.operation)),
        }
    }
    untold.extend(told.into_iter().map(|operation| format!("{operation} was told of and never called")));
    untold
}

/// The calls by their operation, then the lines of state that they changed; `--json` has the calls' whole input.
fn called(row: &Row) -> Vec<String> {
    row.calls.iter().map(|call| first_word(call)).chain(row.changes.iter().cloned()).collect()
}

/// A step in as many characters as a column bears; `--json` has the whole.
fn shortened(step: &str) -> String {
    const SHOWN: usize = 90;
    if step.chars().count() <= SHOWN {
        return step.to_owned();
    }
    step.chars().take(SHOWN - 1).chain(['…']).collect()
}

fn first_word(call: &str) -> String {
    call.split_whitespace().next().unwrap_or_default().to_owned()
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::UTF8_FULL);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        if !table.is_tty() {
            table.set_width(WIDTH_ELSEWHERE);
        }
        table.set_header(["", "resource", "finding", "plan", "calls made", "verdict after", "undone"]);
        for row in &self.rows {
            let mark = if row.problems.is_empty() { "ok" } else { "NOT OK" };
            let dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
            table.add_row([
                mark.to_owned(),
                format!("{}\n{}", row.name, row.resource),
                dash(row.finding.clone().unwrap_or_default()),
                dash(row.plan.iter().map(|step| shortened(step)).collect::<Vec<_>>().join("\n")),
                dash(called(row).join("\n")),
                row.after.clone(),
                row.undone.clone(),
            ]);
        }
        writeln!(out, "{table}")?;
        for limit in &self.limits {
            let mark = if limit.problems.is_empty() { "ok" } else { "NOT OK" };
            writeln!(out, "{mark:<7}{:<30} {:<13} {}", limit.name, limit.outcome, shortened(&limit.reason))?;
        }
        for substitution in &self.substitutions {
            writeln!(
                out,
                "not from moto: {}: {} ({} times)",
                substitution.call, substitution.what, substitution.times
            )?;
        }
        for row in &self.rows {
            for problem in &row.problems {
                writeln!(out, "not as it should be: {}: {problem}", row.name)?;
            }
        }
        for limit in &self.limits {
            for problem in &limit.problems {
                writeln!(out, "not as it should be: {}: {problem}", limit.name)?;
            }
        }
        for problem in &self.problems {
            writeln!(out, "not as it should be: {problem}")?;
        }
        let limits = self.limits.iter().map(|limit| limit.problems.is_empty());
        let all: Vec<bool> = self.rows.iter().map(|row| row.problems.is_empty()).chain(limits).collect();
        let right = all.iter().filter(|it| **it).count();
        write!(out, "{right} of {} as they should be", all.len())
    }
}
