//! The scheduled run that asks again about what was lost, left open, or failed to the end.
//!
//! AWS Config tells of a finding once, when a resource turns NON_COMPLIANT, and with best effort; so a finding whose event
//! was lost, or whose remediation failed in every attempt, would never be looked at again. A run asks the remediations
//! about such findings, through the bus, and they take each request through all their gates. It writes to no resource and
//! decides nothing about one: what it reads in the ledger beforehand only spares invocations.
//!
//! It never waits for an answer, and nothing it causes invokes it: the schedule alone does, and it reads its queue instead
//! of being invoked by it. Lambda counts invocations that follow from one another through SQS, SNS and S3, and stops the
//! chain after about sixteen; each run starts a new one, a remediation that it asks is the second, and a finding is asked
//! again three times at most, each time by another run.
//!
//! | module | noun |
//! |---|---|
//! | [`settings`] | what the function is told |
//! | `window` | which findings are next, so that nobody starves |
//! | `findings` | what a rule still reports |
//! | `open` | what was begun and has not ended |
//! | `letter`, `letters` | what could not be handled, and the answer to it |

mod findings;
mod letter;
mod letters;
mod open;
pub mod settings;
mod window;

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;

use rectify_compliance::{AccountId, Region, RemediationRequest, ResourceKey, ShapeError, Target, Timestamp};
use rectify_runtime::bus::Bus;
use rectify_runtime::config_service::key_hash;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::Ledger;
use rectify_runtime::settings::{Environment, FunctionSettings};
use rectify_runtime::{Fault, clients, serve};
use serde_json::{Value, json};
use settings::{Known, Settings, Watched};

use crate::client::Aws;

/// What the function keeps between invocations.
#[derive(Debug, Clone)]
pub struct Reconciler {
    /// What it is told.
    pub settings: Settings,
    /// Where it runs: its rules report the resources of this region.
    pub region: Region,
    /// AWS Config's results and the queues.
    pub aws: Aws,
    /// The ledger.
    pub ledger: Ledger,
    /// The event bus.
    pub bus: Bus,
}

/// Serves the schedule.
pub fn serve() -> ExitCode {
    serve::run("reconciler", Reconciler::from_environment, &async |shell, _, own, line| {
        let account = own.account.as_ref();
        let account =
            account.ok_or_else(|| ShapeError::missing("invokedFunctionArn", "the account of the function"))?;
        shell.run(account, Timestamp::now(), line).await
    })
}

/// The controls of the catalogue.
pub fn suite() -> Vec<Known> {
    let known =
        |control: &rectify_compliance::Entry| Known { id: control.meta.id, remediated: control.remediation.is_some() };
    rectify_catalogue::controls().map(known).collect()
}

impl Reconciler {
    /// Builds it from the environment, before the first event.
    ///
    /// # Errors
    /// [`Fault::Setting`] when a variable is missing or malformed.
    pub fn from_environment(environment: &Environment) -> Result<Self, Fault> {
        let function = FunctionSettings::read(environment)?;
        let settings = Settings::read(environment, &suite())?;
        let sdk = clients::sdk_config(environment, &function.region)?;
        Ok(Self {
            aws: Aws::new(&sdk),
            ledger: Ledger::new(&sdk, &settings.ledger_table),
            bus: Bus::new(&sdk, &settings.event_bus),
            region: function.region,
            settings,
        })
    }

    /// One run, in the account of the function's role. What fails does not keep the rest from being done.
    ///
    /// # Errors
    /// [`Fault::Incomplete`] when anything failed, at the end.
    pub async fn run(&self, account: &AccountId, now: Timestamp, line: &mut Invocation) -> Result<Value, Fault> {
        let controls = self.settings.in_account(account);
        let mut run = Run {
            shell: self,
            account,
            controls: controls.clone(),
            now,
            asked: HashSet::new(),
            tally: Tally::default(),
            faults: Vec::new(),
        };
        for control in &controls {
            if let Err(fault) = run.open_attempts(control).await {
                run.failed(control.id, &fault);
            }
        }
        let own_failures = run.letters().await;
        for control in in_turn(&controls, now).filter(|control| control.answers()) {
            if let Err(fault) = run.findings(control).await {
                run.failed(control.id, &fault);
            }
        }
        // This run is what replaces those that failed.
        if run.faults.is_empty() {
            run.delete("superseded", &own_failures).await;
        }
        run.tally.tell(line);
        match run.faults.first() {
            None => Ok(run.tally.summary()),
            Some(first) => Err(Fault::Incomplete { failed: run.faults.len(), first: first.clone() }),
        }
    }
}

/// The controls, each hour another one first: a run that Lambda cuts off must not always cut off the same.
fn in_turn(controls: &[Watched], now: Timestamp) -> impl Iterator<Item = &Watched> {
    let hour = usize::try_from(now.as_second().div_euclid(3600)).unwrap_or_default();
    let first = hour.checked_rem(controls.len()).unwrap_or_default();
    controls.iter().cycle().skip(first).take(controls.len())
}

/// One run on its way.
struct Run<'a> {
    shell: &'a Reconciler,
    account: &'a AccountId,
    /// The suite, with its modes in this account.
    controls: Vec<Watched>,
    now: Timestamp,
    /// What was asked about in this run, so that a finding is asked about once.
    asked: HashSet<(&'static str, u64)>,
    tally: Tally,
    faults: Vec<String>,
}

/// One question: to which control, about what.
struct Question {
    control: &'static str,
    request: RemediationRequest,
}

impl Question {
    fn key(&self) -> (&'static str, u64) {
        let RemediationRequest { resource_type, resource_id, .. } = &self.request;
        (self.control, key_hash(&ResourceKey::new(resource_type, resource_id)))
    }
}

impl Run<'_> {
    /// A resource of the function's own account and region.
    fn target(&self, resource: &ResourceKey) -> Target {
        Target {
            account: self.account.clone(),
            region: self.shell.region.clone(),
            resource: resource.clone(),
            name: None,
            arn: None,
        }
    }

    /// Asks; whether each question was taken, in their order.
    async fn ask(&mut self, cause: &'static str, questions: &[Question]) -> Vec<bool> {
        let requests: Vec<RemediationRequest> = questions.iter().map(|it| it.request.clone()).collect();
        let mut taken = Vec::with_capacity(questions.len());
        for (question, answer) in questions.iter().zip(self.shell.bus.request(&requests).await) {
            taken.push(answer.is_ok());
            match answer {
                Ok(()) => {
                    self.asked.insert(question.key());
                    self.tally.requested(question.control, cause);
                }
                Err(fault) => self.failed(question.control, &fault),
            }
        }
        taken
    }

    /// Notes a failure; the run goes on.
    fn failed(&mut self, step: &str, fault: &Fault) {
        let text = format!("{step}: {}: {fault}", fault.kind());
        tracing::warn!(step, error = %fault, "a step of the run failed");
        self.faults.push(text);
    }
}

/// What a run did and what it left alone.
#[derive(Debug, Default)]
struct Tally {
    requested: BTreeMap<&'static str, u64>,
    left_out: BTreeMap<&'static str, u64>,
    letters: BTreeMap<&'static str, u64>,
    by_control: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
}

impl Tally {
    fn requested(&mut self, control: &'static str, cause: &'static str) {
        *self.requested.entry(cause).or_default() += 1;
        *self.by_control.entry(control).or_default().entry("requested").or_default() += 1;
    }

    fn left_out(&mut self, control: &'static str, reason: &'static str, count: u64) {
        if count > 0 {
            *self.left_out.entry(reason).or_default() += count;
            *self.by_control.entry(control).or_default().entry(reason).or_default() += count;
        }
    }

    fn letter(&mut self, answer: &'static str) {
        *self.letters.entry(answer).or_default() += 1;
    }

    fn summary(&self) -> Value {
        json!({
            "requested": self.requested, "leftOut": self.left_out, "deadLetters": self.letters, "controls": self.by_control
        })
    }

    fn tell(&self, line: &mut Invocation) {
        line.note("run", self.summary());
        let counts = [
            ("Requests", "Cause", &self.requested),
            ("LeftOut", "Reason", &self.left_out),
            ("DeadLetters", "Answer", &self.letters),
        ];
        for (metric, dimension, counts) in counts {
            for (value, count) in counts {
                line.count(metric, dimension, value, *count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rectify_runtime::settings::Mode;

    use super::*;

    #[test]
    fn each_hour_another_control_is_first_and_none_is_left_out() {
        let watched = |id: &'static str| Watched { id, rule: format!("rectify-{id}"), mode: Mode::Plan };
        let controls = [watched("a"), watched("b"), watched("c")];
        let order = |hour: i64| -> String {
            let now = Timestamp::from_second(hour * 3600 + 17).unwrap_or_default();
            in_turn(&controls, now).map(|control| control.id).collect()
        };
        assert_eq!([order(0), order(1), order(2), order(3)], ["abc", "bca", "cab", "abc"]);
        assert_eq!(in_turn(&[], Timestamp::UNIX_EPOCH).count(), 0);
    }

    #[test]
    fn what_was_left_out_is_counted_by_reason_and_by_control() {
        let mut tally = Tally::default();
        tally.requested("a", "finding");
        tally.left_out("a", "held", 2);
        tally.left_out("b", "held", 1);
        tally.left_out("b", "recent", 0);
        tally.letter("asked-again");
        let told = json!({
            "requested": {"finding": 1}, "leftOut": {"held": 3}, "deadLetters": {"asked-again": 1},
            "controls": {"a": {"held": 2, "requested": 1}, "b": {"held": 1}}
        });
        assert_eq!(tally.summary(), told);
    }
}
