//! The actors of a chaos test: deliveries, undos, operators. Each has its own random faults, and all share one history.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use serde_json::{Value, json};

use crate::table::{Answer, Table, request_of};
use crate::vaults::{Call, Vault};
use crate::virtual_time::VirtualTime;

tokio::task_local! {
    /// The actor that makes the calls of this task.
    pub static ACTOR: Arc<Actor>;
}

/// The kinds of actor.
#[derive(Debug, Clone, PartialEq)]
pub enum ActorKind {
    /// A remediation's function, for one event.
    Delivery {
        /// Its control.
        control: u8,
        /// The resource of the event.
        id: String,
        /// The reason why it must change nothing, if there is one: its mode, another region, another account.
        forbidden: Option<&'static str>,
    },
    /// An undo of this attempt.
    Undo {
        /// Its control.
        control: u8,
        /// The attempt's resource.
        id: String,
        /// The attempt.
        attempt: String,
    },
    /// An operator who makes a decision.
    Decision(Decision),
    /// An operator who changes a resource by hand.
    Operator,
    /// An owner of leases with a wrong clock.
    WrongClock,
    /// The reconciler, which requests remediations.
    Reconciler,
}

/// The decisions of operators.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Sets a kill switch, for one control or all.
    Stop(Option<u8>),
    /// Releases a kill switch.
    Resume(Option<u8>),
    /// Sets a hold on a resource.
    Hold(u8, String),
    /// Ends a hold.
    EndHold(u8, String),
    /// Exempts a resource, by its id, from one control or all.
    Exempt(String, Option<u8>, String),
    /// Ends an exemption.
    EndExemption(String),
    /// Resets a control's breaker and the one of a resource.
    Reset(u8, String),
}

/// An entry of the history.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The actor's number.
    pub actor: usize,
    /// The kind of actor.
    pub kind: ActorKind,
    /// The event.
    pub event: Event,
}

/// The events of the history.
#[derive(Debug, Clone)]
pub enum Event {
    /// A write to the ledger took effect: its operation and input.
    Committed(String, Arc<Value>),
    /// A vault was read.
    Read(Vault),
    /// A call took effect, or an operator changed a vault (then there is no call): region, before, after.
    Wrote(Option<Call>, String, Vault, Vault),
    /// The service completed a pending change: before, after.
    Settled(Vault, Vault),
    /// The lease ended: the actor died, or slept past its end.
    LeaseOver(&'static str),
    /// The actor has finished.
    Ended(String),
}

/// The number of faults per 10,000 calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// Calls to the ledger and the bus.
    pub ledger: u32,
    /// Calls to the vaults.
    pub vaults: u32,
}

/// The environment that all actors share.
#[derive(Debug, Default)]
pub struct Env {
    /// The clock.
    pub clock: VirtualTime,
    /// The ledger and the bus.
    pub table: Table,
    history: Mutex<Vec<Entry>>,
    rates: Mutex<Rates>,
    actors: AtomicUsize,
    calls: AtomicUsize,
}

/// One actor.
#[derive(Debug)]
pub struct Actor {
    /// Unique in its environment.
    pub number: usize,
    /// Its kind.
    pub kind: ActorKind,
    env: Arc<Env>,
    random: Mutex<fastrand::Rng>,
    steps: AtomicUsize,
    last: usize,
    sleeps_at: usize,
    died: AtomicBool,
    /// Partition and owner of the lease it holds.
    lease: Mutex<Option<(String, String)>>,
}

/// A fault injected into a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedFault {
    /// The call is refused, without an effect.
    Refused(u8),
    /// The call takes effect, and its answer is lost.
    Lost(u8),
}

impl Env {
    /// Sets the rates of faults from now on.
    pub fn set(&self, rates: Rates) {
        *self.rates.lock().unwrap_or_else(PoisonError::into_inner) = rates;
    }

    /// The entries of the history since the last call.
    pub fn new_entries(&self) -> Vec<Entry> {
        std::mem::take(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The number of calls to the ledger and the bus so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// An actor that dies at step `last` and sleeps at step `sleeps_at`, past the end of its lease.
    pub fn actor(
        self: &Arc<Self>,
        kind: ActorKind,
        random: fastrand::Rng,
        last: usize,
        sleeps_at: usize,
    ) -> Arc<Actor> {
        Arc::new(Actor {
            number: self.actors.fetch_add(1, Ordering::SeqCst),
            kind,
            env: Arc::clone(self),
            random: Mutex::new(random),
            steps: AtomicUsize::new(0),
            last,
            sleeps_at,
            died: AtomicBool::new(false),
            lease: Mutex::default(),
        })
    }
}

impl Actor {
    /// Adds to the history.
    pub fn record(&self, event: Event) {
        let entry = Entry { actor: self.number, kind: self.kind.clone(), event };
        self.env.history.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// Whether it has died.
    pub fn has_died(&self) -> bool {
        self.died.load(Ordering::SeqCst)
    }

    /// Ends the lease it left, as time does.
    pub fn end_lease(&self, reason: &'static str) {
        let Some((pk, owner)) = self.lease.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let is_its = |item: &serde_json::Map<String, Value>| {
            item["sk"]["S"] == "LEASE"
                && item["pk"]["S"] == pk.as_str()
                && item.get("owner").is_some_and(|it| it["S"] == owner.as_str())
        };
        self.env.table.change(is_its, |item| drop(item.insert("until".to_owned(), json!({"N": "0"}))));
        self.record(Event::LeaseOver(reason));
    }

    /// A random number below `end`.
    pub fn random(&self, end: u32) -> u32 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).u32(..end)
    }

    /// Waits for the time of a call in one direction; the last step never returns.
    pub async fn step(&self) {
        // Most take too little time for another actor to run.
        if self.random(3) == 0 {
            self.env.clock.wait(Duration::from_millis(u64::from(1 + self.random(40)))).await;
        }
        let step = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        if step >= self.last {
            self.died.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }

    /// The fault of the next call to the vaults, if any.
    pub fn fault_at_vaults(&self) -> Option<InjectedFault> {
        let rate = self.env.rates.lock().unwrap_or_else(PoisonError::into_inner).vaults;
        self.fault(rate)
    }

    fn fault_at_ledger(&self) -> Option<InjectedFault> {
        let rate = self.env.rates.lock().unwrap_or_else(PoisonError::into_inner).ledger;
        self.fault(rate)
    }

    fn fault(&self, rate: u32) -> Option<InjectedFault> {
        if self.random(10_000) >= rate {
            return None;
        }
        let kind = u8::try_from(self.random(60)).unwrap();
        Some(if self.random(2) == 0 { InjectedFault::Refused(kind) } else { InjectedFault::Lost(kind) })
    }

    /// Sleeps once before a request to the ledger, so that others act in the meantime.
    async fn sleep(&self) {
        let step = self.steps.load(Ordering::SeqCst);
        let held = self.lease.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if step >= self.sleeps_at && step < self.sleeps_at + 4 && held {
            self.end_lease("it sleeps");
            self.env.clock.wait(Duration::from_secs(60)).await;
        }
    }

    fn committed(&self, operation: &str, input: &Arc<Value>) {
        if input["Key"]["sk"]["S"] == "LEASE" {
            let released = input["UpdateExpression"].as_str().is_some_and(|text| text.starts_with("REMOVE"));
            let owner = input["ExpressionAttributeValues"][":owner"]["S"].as_str().unwrap_or_default();
            let lease = (!released).then(|| (input["Key"]["pk"]["S"].as_str().unwrap().to_owned(), owner.to_owned()));
            *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
        }
        self.record(Event::Committed(operation.to_owned(), Arc::clone(input)));
    }
}

/// The network between the actors and their ledger.
#[derive(Debug, Clone)]
pub struct Network(pub Arc<Env>);

impl Network {
    /// As the SDK's HTTP client.
    pub fn http(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}

impl HttpClient for Network {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (env, actor) = (Arc::clone(&self.0), ACTOR.get());
        HttpConnectorFuture::new(async move {
            let (operation, input) = request_of(&request);
            let input = Arc::new(input);
            env.calls.fetch_add(1, Ordering::SeqCst);
            actor.step().await;
            actor.sleep().await;
            let fault = actor.fault_at_ledger();
            if let Some(InjectedFault::Refused(kind)) = fault {
                actor.step().await;
                return Ok(refusal(&operation, &input, kind).response());
            }
            let is_repeated = env.table.has_committed(&input);
            let answer = env.table.answer(&operation, &input);
            if answer.status == 200 && !is_repeated && !matches!(operation.as_str(), "GetItem" | "Query" | "PutEvents")
            {
                actor.committed(&operation, &input);
            }
            actor.step().await;
            match fault {
                Some(InjectedFault::Lost(kind)) if kind % 2 == 0 => {
                    Err(ConnectorError::timeout("the answer was lost".into()))
                }
                Some(_) => Ok(Answer::refused(500, "InternalServerError", "after the effect").response()),
                None => Ok(answer.response()),
            }
        })
    }
}

/// The answer to a call without an effect.
fn refusal(operation: &str, input: &Value, kind: u8) -> Answer {
    match (operation, kind % 3) {
        ("TransactWriteItems", 0) => {
            let none = json!({"Code": "None"});
            let mut reasons = vec![none; input["TransactItems"].as_array().unwrap().len()];
            reasons[0] = json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"});
            Answer::cancelled(&reasons)
        }
        ("PutEvents", 0) => {
            let refused = json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "later"});
            let entries = vec![refused; input["Entries"].as_array().unwrap().len()];
            Answer { status: 200, body: json!({"FailedEntryCount": entries.len(), "Entries": entries}) }
        }
        (_, 1) => Answer::refused(500, "InternalServerError", "no effect"),
        _ => Answer::refused(400, "ProvisionedThroughputExceededException", "too much"),
    }
}
