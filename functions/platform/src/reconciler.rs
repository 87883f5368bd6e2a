//! The scheduled run that retries findings whose event was lost, or whose remediation is unfinished or failed.
//!
//! AWS Config emits one event per finding, when a resource turns NON_COMPLIANT, with best-effort delivery. A finding
//! whose event was lost, or whose remediation failed in every attempt, would never be handled again. A run requests the
//! remediations of such findings through the bus, and each request passes all their gates. The reconciler changes no
//! resource and decides nothing about one: it reads the ledger beforehand only to avoid needless invocations.
//!
//! Each request is stored in the ledger before its event is put, since every principal with `events:PutEvents` can put
//! such an event; a remediation accepts no other. The ledger also counts the requests per control and resource:
//! unanswered requests are repeated at growing intervals, and after five of them one message is escalated to operators.
//!
//! The reconciler never waits for an answer, and nothing it causes invokes it: only the schedule does, and it polls its
//! queue instead of being invoked by it. Lambda counts chained invocations through SQS, SNS and S3, and stops a chain
//! after about sixteen. Each run starts a new chain, in which a requested remediation is the second invocation.
//!
//! | module | content |
//! |---|---|
//! | [`settings`] | the function's settings |
//! | `window` | the selection of the next findings, without starvation |
//! | `findings` | the findings that a rule still reports |
//! | `open` | attempts in progress |
//! | `dead_letter`, `dead_letters` | messages of the dead-letter queue and their handling |
//! | `judging` | events that a rule's function failed to evaluate |

mod dead_letter;
mod dead_letters;
mod findings;
mod judging;
mod open;
pub mod settings;
mod window;

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;

use futures_util::{StreamExt, stream};
use rectify_compliance::compliance_change::REMEDIATION_REQUESTED;
use rectify_compliance::{AccountId, Region, RemediationRequest, ResourceKey, Target, Timestamp};
use rectify_runtime::bus::{Bus, SOURCE};
use rectify_runtime::config_service::key_hash;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{Ledger, RequestHistory, StoredRequest, new_id};
use rectify_runtime::settings::{Environment, FunctionSettings};
use rectify_runtime::{Error, clients, serve};
use serde_json::{Value, json};
use settings::{KnownControl, Settings, Watched};

use crate::client::{Aws, Message};

/// How many consecutive requests may stay unanswered before a message is escalated to operators.
const MAX_UNANSWERED: u32 = 5;
/// How many requests are stored concurrently.
const CONCURRENCY: usize = 8;

/// The context of the function, kept between invocations.
#[derive(Debug, Clone)]
pub struct Reconciler {
    /// The settings.
    pub settings: Settings,
    /// The function's region: its rules report the resources of this region.
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
    serve::run("reconciler", Reconciler::from_environment, &async |reconciler, _, own, log| {
        let account = crate::own_account(own)?;
        reconciler.run(account, Timestamp::now(), log).await
    })
}

/// All controls of the catalogue.
pub fn catalogue() -> Vec<KnownControl> {
    let known = |control: &rectify_compliance::Entry| KnownControl {
        id: control.meta.id,
        remediated: control.remediation.is_some(),
        scheduled: control.meta.frequency().is_some(),
    };
    rectify_catalogue::controls().map(known).collect()
}

impl Reconciler {
    /// Builds it from the environment, before the first event.
    ///
    /// # Errors
    /// [`Error::Setting`] when a variable is missing or malformed.
    pub fn from_environment(environment: &Environment) -> Result<Self, Error> {
        let function = FunctionSettings::read(environment)?;
        let settings = Settings::read(environment, &catalogue())?;
        let sdk = clients::sdk_config(environment, &function.region)?;
        Ok(Self {
            aws: Aws::new(&sdk),
            ledger: Ledger::new(&sdk, &settings.ledger_table),
            bus: Bus::new(&sdk, &settings.event_bus),
            region: function.region,
            settings,
        })
    }

    /// One run, in the account of the function's role. A failed step does not prevent the others.
    ///
    /// # Errors
    /// [`Error::Incomplete`] at the end, when any step failed.
    pub async fn run(&self, account: &AccountId, now: Timestamp, log: &mut Invocation) -> Result<Value, Error> {
        let controls = self.settings.in_account(account);
        let mut run = Run {
            reconciler: self,
            account,
            controls: controls.clone(),
            now,
            requested: HashSet::new(),
            tally: RunSummary::default(),
            failures: Vec::new(),
        };
        for control in &controls {
            if let Err(error) = run.attempts_in_progress(control).await {
                run.failed(control.id, &error);
            }
        }
        let own_failures = run.dead_letters().await;
        run.start_evaluations().await;
        for control in rotated_by_hour(&controls, now).filter(|control| control.handles_requests()) {
            if let Err(error) = run.findings(control).await {
                run.failed(control.id, &error);
            }
        }
        // This run replaces the failed ones.
        if run.failures.is_empty() {
            for message in &own_failures {
                run.delete("superseded", message).await;
            }
        }
        run.tally.log_to(log);
        match run.failures.first() {
            None => Ok(run.tally.summary()),
            Some(first) => Err(Error::Incomplete { failed: run.failures.len(), first: first.clone() }),
        }
    }
}

/// The controls, starting with another one each hour: a run that Lambda ends early must not always skip the same ones.
fn rotated_by_hour(controls: &[Watched], now: Timestamp) -> impl Iterator<Item = &Watched> {
    let hour = usize::try_from(now.as_second().div_euclid(3600)).unwrap_or_default();
    let first = hour.checked_rem(controls.len()).unwrap_or_default();
    controls.iter().cycle().skip(first).take(controls.len())
}

/// The state of one run.
struct Run<'a> {
    reconciler: &'a Reconciler,
    account: &'a AccountId,
    /// All controls, with their modes in this account.
    controls: Vec<Watched>,
    now: Timestamp,
    /// The findings requested in this run, so that each is requested once.
    requested: HashSet<(&'static str, u64)>,
    tally: RunSummary,
    failures: Vec<String>,
}

/// A request to a control about a resource, with the history of earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PendingRequest {
    control: &'static str,
    rule: String,
    target: Target,
    recorded_at: Timestamp,
    history: RequestHistory,
}

impl PendingRequest {
    /// The next request after `before`.
    fn new(control: &Watched, target: Target, recorded_at: Timestamp, before: Option<RequestHistory>) -> Self {
        let mode = control.mode.name().to_owned();
        let none = || RequestHistory {
            request: String::new(),
            at: Timestamp::MIN,
            mode: String::new(),
            unanswered: 0,
            handed_over: false,
        };
        let history = RequestHistory { mode, ..before.unwrap_or_else(none) };
        Self { control: control.id, rule: control.rule.clone(), target, recorded_at, history }
    }

    fn key(&self) -> (&'static str, u64) {
        (self.control, key_hash(&self.target.resource))
    }

    fn event_detail(&self) -> RemediationRequest {
        let redrives = self.history.unanswered;
        let request = RemediationRequest::new(&self.history.request, &self.rule, &self.target, self.recorded_at);
        RemediationRequest { redrives, ..request }
    }
}

/// Whether the unanswered requests must be escalated to operators.
fn must_escalate(history: &RequestHistory) -> bool {
    history.unanswered >= MAX_UNANSWERED && !history.handed_over
}

/// The reason of the escalation of unanswered requests.
fn escalation_reason(history: &RequestHistory) -> String {
    format!(
        "{} consecutive requests had no answer, the last one at {}; from now on it is requested once a day",
        history.unanswered, history.at
    )
}

impl Run<'_> {
    /// A resource of the function's own account and region.
    fn target(&self, resource: &ResourceKey) -> Target {
        Target {
            account: self.account.clone(),
            region: self.reconciler.region.clone(),
            resource: resource.clone(),
            name: None,
            arn: None,
        }
    }

    /// Sends requests; returns whether each was accepted, in order. Each is stored in the ledger before its event is
    /// put.
    async fn send_requests(&mut self, cause: &'static str, mut pending: Vec<PendingRequest>) -> Vec<bool> {
        for request in &mut pending {
            let escalation = must_escalate(&request.history).then(|| escalation_reason(&request.history));
            (request.history.request, request.history.at) = (new_id(self.now), self.now);
            if let Some(reason) = escalation {
                let body =
                    json!({"source": SOURCE, "detail-type": REMEDIATION_REQUESTED, "detail": request.event_detail()});
                let message = Message { body: body.to_string(), ..Message::default() };
                request.history.handed_over = self.send_to_operators(&message, &reason).await;
            }
        }
        let reconciler = self.reconciler;
        let now = self.now;
        let store = async |request: &PendingRequest| {
            let PendingRequest { control, target, recorded_at, history, .. } = request;
            let stored = StoredRequest::new(control, target, *recorded_at, now);
            reconciler.ledger.store_request(&history.request, &stored).await
        };
        let stored: Vec<Result<(), Error>> = stream::iter(&pending).map(store).buffered(CONCURRENCY).collect().await;
        let (ready, requests): (Vec<usize>, Vec<RemediationRequest>) = pending
            .iter()
            .enumerate()
            .zip(&stored)
            .filter(|(_, stored)| stored.is_ok())
            .map(|((place, request), _)| (place, request.event_detail()))
            .unzip();
        let mut answers = stored;
        for (place, answer) in ready.into_iter().zip(self.reconciler.bus.request(&requests).await) {
            if let Some(slot) = answers.get_mut(place) {
                *slot = answer;
            }
        }
        let mut accepted = Vec::with_capacity(pending.len());
        for (mut request, answer) in pending.into_iter().zip(answers) {
            accepted.push(answer.is_ok());
            if let Err(error) = answer {
                self.failed(request.control, &error);
                continue;
            }
            self.requested.insert(request.key());
            self.tally.requested(request.control, cause);
            request.history.unanswered = request.history.unanswered.saturating_add(1);
            let PendingRequest { control, target, history, .. } = &request;
            let saved =
                reconciler.ledger.save_request_history(control, target, history, reconciler.settings.retry_after).await;
            if let Err(error) = saved {
                self.failed(control, &error);
            }
        }
        accepted
    }

    /// Records a failure; the run continues.
    fn failed(&mut self, step: &str, error: &Error) {
        let text = format!("{step}: {}: {error}", error.kind());
        tracing::warn!(step, error = %error, "a step of the run failed");
        self.failures.push(text);
    }
}

/// The counts of a run: requested, left out, dead letters, evaluations.
#[derive(Debug, Default)]
struct RunSummary {
    requested: BTreeMap<&'static str, u64>,
    left_out: BTreeMap<&'static str, u64>,
    dead_letters: BTreeMap<&'static str, u64>,
    evaluations: u64,
    by_control: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
}

impl RunSummary {
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

    fn dead_letter(&mut self, answer: &'static str) {
        *self.dead_letters.entry(answer).or_default() += 1;
    }

    fn evaluated(&mut self) {
        self.evaluations += 1;
    }

    fn summary(&self) -> Value {
        json!({
            "requested": self.requested, "skipped": self.left_out, "deadLetters": self.dead_letters,
            "evaluations": self.evaluations, "controls": self.by_control
        })
    }

    fn log_to(&self, log: &mut Invocation) {
        log.note("run", self.summary());
        let counts = [
            ("Requests", "Cause", &self.requested),
            ("Skipped", "Reason", &self.left_out),
            ("DeadLetters", "Answer", &self.dead_letters),
        ];
        for (metric, dimension, counts) in counts {
            for (value, count) in counts {
                log.count(metric, dimension, value, *count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rectify_runtime::settings::Mode;

    use super::*;

    #[test]
    fn first_control_rotates_by_hour_and_none_is_skipped() {
        let watched =
            |id: &'static str| Watched { id, rule: format!("rectify-{id}"), mode: Mode::Plan, scheduled: false };
        let controls = [watched("a"), watched("b"), watched("c")];
        let order = |hour: i64| -> String {
            let now = Timestamp::from_second(hour * 3600 + 17).unwrap_or_default();
            rotated_by_hour(&controls, now).map(|control| control.id).collect()
        };
        assert_eq!([order(0), order(1), order(2), order(3)], ["abc", "bca", "cab", "abc"]);
        assert_eq!(rotated_by_hour(&[], Timestamp::UNIX_EPOCH).count(), 0);
    }

    #[test]
    fn left_out_findings_are_counted_by_reason_and_by_control() {
        let mut tally = RunSummary::default();
        tally.requested("a", "finding");
        tally.left_out("a", "held", 2);
        tally.left_out("b", "held", 1);
        tally.left_out("b", "recent", 0);
        tally.dead_letter("requested-again");
        let expected = json!({
            "requested": {"finding": 1}, "skipped": {"held": 3}, "deadLetters": {"requested-again": 1}, "evaluations": 0,
            "controls": {"a": {"held": 2, "requested": 1}, "b": {"held": 1}}
        });
        assert_eq!(tally.summary(), expected);
    }
}
