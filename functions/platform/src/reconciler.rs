//! The scheduled run that asks again about what was lost, left open, or failed to the end.
//!
//! AWS Config tells of a finding once, when a resource turns NON_COMPLIANT, and with best effort; so a finding whose event
//! was lost, or whose remediation failed in every attempt, would never be looked at again. A run asks the remediations
//! about such findings, through the bus, and they take each request through all their gates. It writes to no resource and
//! decides nothing about one: what it reads in the ledger beforehand only spares invocations.
//!
//! Each request is stored in the ledger before its event is put, since everybody with `events:PutEvents` can write such an
//! event; a remediation takes no other. How often it asks is counted in the ledger, too, for each control and resource:
//! what nobody answers is asked about less and less, and after five requests a person is given one message.
//!
//! It never waits for an answer, and nothing it causes invokes it: the schedule alone does, and it reads its queue instead
//! of being invoked by it. Lambda counts invocations that follow from one another through SQS, SNS and S3, and stops the
//! chain after about sixteen; each run starts a new one, and a remediation that it asks is the second.
//!
//! | module | noun |
//! |---|---|
//! | [`settings`] | what the function is told |
//! | `window` | which findings are next, so that nobody starves |
//! | `findings` | what a rule still reports |
//! | `open` | what was begun and has not ended |
//! | `letter`, `letters` | what could not be handled, and the answer to it |
//! | `judging` | what a rule's function could not judge |

mod findings;
mod judging;
mod letter;
mod letters;
mod open;
pub mod settings;
mod window;

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;

use futures_util::{StreamExt, stream};
use rectify_compliance::compliance_change::REMEDIATION_REQUESTED;
use rectify_compliance::{AccountId, Region, RemediationRequest, ResourceKey, ShapeError, Target, Timestamp};
use rectify_runtime::bus::{Bus, SOURCE};
use rectify_runtime::config_service::key_hash;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{RequestHistory, Ledger, StoredRequest, new_id};
use rectify_runtime::settings::{Environment, FunctionSettings};
use rectify_runtime::{Error, clients, serve};
use serde_json::{Value, json};
use settings::{Known, Settings, Watched};

use crate::client::{Aws, Message};

/// How many requests in a row may stay without an answer before a person is given a message.
const MOST_UNANSWERED: u32 = 5;
/// How many requests are stored at a time.
const AT_A_TIME: usize = 8;

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
    let known = |control: &rectify_compliance::Entry| Known {
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
    /// [`Error::Incomplete`] when anything failed, at the end.
    pub async fn run(&self, account: &AccountId, now: Timestamp, line: &mut Invocation) -> Result<Value, Error> {
        let controls = self.settings.in_account(account);
        let mut run = Run {
            shell: self,
            account,
            controls: controls.clone(),
            now,
            asked: HashSet::new(),
            tally: RunSummary::default(),
            faults: Vec::new(),
        };
        for control in &controls {
            if let Err(fault) = run.open_attempts(control).await {
                run.failed(control.id, &fault);
            }
        }
        let own_failures = run.letters().await;
        run.start_evaluations().await;
        for control in in_turn(&controls, now).filter(|control| control.answers()) {
            if let Err(fault) = run.findings(control).await {
                run.failed(control.id, &fault);
            }
        }
        // This run is what replaces those that failed.
        if run.faults.is_empty() {
            for message in &own_failures {
                run.delete("superseded", message).await;
            }
        }
        run.tally.tell(line);
        match run.faults.first() {
            None => Ok(run.tally.summary()),
            Some(first) => Err(Error::Incomplete { failed: run.faults.len(), first: first.clone() }),
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
    tally: RunSummary,
    faults: Vec<String>,
}

/// One question: to which control, about what, and how often it was asked before.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    control: &'static str,
    rule: String,
    target: Target,
    recorded_at: Timestamp,
    asks: RequestHistory,
}

impl Question {
    /// The next question after these.
    fn new(control: &Watched, target: Target, recorded_at: Timestamp, before: Option<RequestHistory>) -> Self {
        let mode = control.mode.name().to_owned();
        let none = || RequestHistory {
            request: String::new(),
            at: Timestamp::MIN,
            mode: String::new(),
            unanswered: 0,
            handed_over: false,
        };
        let asks = RequestHistory { mode, ..before.unwrap_or_else(none) };
        Self { control: control.id, rule: control.rule.clone(), target, recorded_at, asks }
    }

    fn key(&self) -> (&'static str, u64) {
        (self.control, key_hash(&self.target.resource))
    }

    fn request(&self) -> RemediationRequest {
        let redrives = self.asks.unanswered;
        let request = RemediationRequest::new(&self.asks.request, &self.rule, &self.target, self.recorded_at);
        RemediationRequest { redrives, ..request }
    }
}

/// Whether a person must hear that nobody answers.
fn is_hopeless(asks: &RequestHistory) -> bool {
    asks.unanswered >= MOST_UNANSWERED && !asks.handed_over
}

/// Why a person is given a message about requests that nobody answers.
fn nobody_answers(asks: &RequestHistory) -> String {
    format!(
        "{} requests in a row had no answer, the last one at {}; asked once a day from now on",
        asks.unanswered, asks.at
    )
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

    /// RequestHistory; whether each question was taken, in their order. A request lies in the ledger before its event is put.
    async fn ask(&mut self, cause: &'static str, mut questions: Vec<Question>) -> Vec<bool> {
        for question in &mut questions {
            let hopeless = is_hopeless(&question.asks).then(|| nobody_answers(&question.asks));
            (question.asks.request, question.asks.at) = (new_id(self.now), self.now);
            if let Some(reason) = hopeless {
                let body =
                    json!({"source": SOURCE, "detail-type": REMEDIATION_REQUESTED, "detail": question.request()});
                let message = Message { body: body.to_string(), ..Message::default() };
                question.asks.handed_over = self.send_to_people(&message, &reason).await;
            }
        }
        let shell = self.shell;
        let now = self.now;
        let store = async |question: &Question| {
            let Question { control, target, recorded_at, asks, .. } = question;
            let request = StoredRequest::new(control, target, *recorded_at, now);
            shell.ledger.store_request(&asks.request, &request).await
        };
        let stored: Vec<Result<(), Error>> = stream::iter(&questions).map(store).buffered(AT_A_TIME).collect().await;
        let (ready, requests): (Vec<usize>, Vec<RemediationRequest>) = questions
            .iter()
            .enumerate()
            .zip(&stored)
            .filter(|(_, stored)| stored.is_ok())
            .map(|((place, question), _)| (place, question.request()))
            .unzip();
        let mut answers = stored;
        for (place, answer) in ready.into_iter().zip(self.shell.bus.request(&requests).await) {
            if let Some(slot) = answers.get_mut(place) {
                *slot = answer;
            }
        }
        let mut taken = Vec::with_capacity(questions.len());
        for (mut question, answer) in questions.into_iter().zip(answers) {
            taken.push(answer.is_ok());
            if let Err(fault) = answer {
                self.failed(question.control, &fault);
                continue;
            }
            self.asked.insert(question.key());
            self.tally.requested(question.control, cause);
            question.asks.unanswered = question.asks.unanswered.saturating_add(1);
            let Question { control, target, asks, .. } = &question;
            let noted = shell.ledger.save_request_history(control, target, asks, shell.settings.retry_after).await;
            if let Err(fault) = noted {
                self.failed(control, &fault);
            }
        }
        taken
    }

    /// Notes a failure; the run goes on.
    fn failed(&mut self, step: &str, fault: &Error) {
        let text = format!("{step}: {}: {fault}", fault.kind());
        tracing::warn!(step, error = %fault, "a step of the run failed");
        self.faults.push(text);
    }
}

/// What a run did and what it left alone.
#[derive(Debug, Default)]
struct RunSummary {
    requested: BTreeMap<&'static str, u64>,
    left_out: BTreeMap<&'static str, u64>,
    letters: BTreeMap<&'static str, u64>,
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

    fn letter(&mut self, answer: &'static str) {
        *self.letters.entry(answer).or_default() += 1;
    }

    fn evaluated(&mut self) {
        self.evaluations += 1;
    }

    fn summary(&self) -> Value {
        json!({
            "requested": self.requested, "leftOut": self.left_out, "deadLetters": self.letters,
            "evaluations": self.evaluations, "controls": self.by_control
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
        let watched =
            |id: &'static str| Watched { id, rule: format!("rectify-{id}"), mode: Mode::Plan, scheduled: false };
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
        let mut tally = RunSummary::default();
        tally.requested("a", "finding");
        tally.left_out("a", "held", 2);
        tally.left_out("b", "held", 1);
        tally.left_out("b", "recent", 0);
        tally.letter("asked-again");
        let told = json!({
            "requested": {"finding": 1}, "leftOut": {"held": 3}, "deadLetters": {"asked-again": 1}, "evaluations": 0,
            "controls": {"a": {"held": 2, "requested": 1}, "b": {"held": 1}}
        });
        assert_eq!(tally.summary(), told);
    }
}
