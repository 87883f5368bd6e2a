//! Whoever acts in a chaotic world: a delivery, an undo, a person. Each meets trouble of its own, by its own random numbers,
//! and all that they do is one history.

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
    /// Who makes the calls of this task.
    pub static ACTOR: Arc<Actor>;
}

/// Who acts.
#[derive(Debug, Clone, PartialEq)]
pub enum Who {
    /// A remediation's function, for one event.
    Delivery {
        /// Its control.
        control: u8,
        /// The resource of the event.
        id: String,
        /// Why it may change nothing, if it may not: its mode, another region, another account.
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
    /// A person who decides.
    Decision(Decision),
    /// A person who changes a resource by hand.
    Person,
    /// Somebody who takes a lease by a clock that is wrong.
    Laptop,
    /// Who asks for another look.
    Reconciler,
}

/// What people decide.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// A stop switch on, for one control or all.
    Stop(Option<u8>),
    /// And off.
    Resume(Option<u8>),
    /// A hold on a resource.
    Hold(u8, String),
    /// Its end.
    EndHold(u8, String),
    /// An exemption of a resource, by its id, from one control or all.
    Exempt(String, Option<u8>, String),
    /// Its end.
    EndExemption(String),
    /// A control's breaker closed, its own and the one on a resource.
    Reset(u8, String),
}

/// What happened, in the order it did.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whose doing: the actor's number.
    pub actor: usize,
    /// Who that is.
    pub who: Who,
    /// What.
    pub event: Event,
}

/// What can happen.
#[derive(Debug, Clone)]
pub enum Event {
    /// A write to the ledger was carried out: its operation and input.
    Committed(String, Arc<Value>),
    /// A vault was read.
    Read(Vault),
    /// A call was carried out, or a hand was laid on (then there is no call): region, before, after.
    Wrote(Option<Call>, String, Vault, Vault),
    /// The service ended what it worked on: before, after.
    Settled(Vault, Vault),
    /// The actor died, or slept past the end of its lease.
    LeaseOver(&'static str),
    /// The actor is done.
    Ended(String),
}

/// How often things go wrong, of 10,000 calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// Calls to the ledger and the bus.
    pub ledger: u32,
    /// Calls to the vaults.
    pub vaults: u32,
}

/// What all actors share.
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
    /// Unique in its world.
    pub number: usize,
    /// Who it is.
    pub who: Who,
    stage: Arc<Env>,
    luck: Mutex<fastrand::Rng>,
    steps: AtomicUsize,
    last: usize,
    sleeps_at: usize,
    over: AtomicBool,
    /// Partition and owner of the lease it holds.
    lease: Mutex<Option<(String, String)>>,
}

/// What a call meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedFault {
    /// It is refused, and not carried out.
    Refused(u8),
    /// It is carried out, and its answer is lost.
    Lost(u8),
}

impl Env {
    /// Sets how often things go wrong from now on.
    pub fn set(&self, rates: Rates) {
        *self.rates.lock().unwrap_or_else(PoisonError::into_inner) = rates;
    }

    /// What happened since the last look.
    pub fn news(&self) -> Vec<Entry> {
        std::mem::take(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many calls to the ledger and the bus there were.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// An actor who dies at step `last` and sleeps at step `sleeps_at`, past the end of its lease.
    pub fn actor(self: &Arc<Self>, who: Who, luck: fastrand::Rng, last: usize, sleeps_at: usize) -> Arc<Actor> {
        Arc::new(Actor {
            number: self.actors.fetch_add(1, Ordering::SeqCst),
            who,
            stage: Arc::clone(self),
            luck: Mutex::new(luck),
            steps: AtomicUsize::new(0),
            last,
            sleeps_at,
            over: AtomicBool::new(false),
            lease: Mutex::default(),
        })
    }
}

impl Actor {
    /// Adds to the history.
    pub fn tell(&self, event: Event) {
        let entry = Entry { actor: self.number, who: self.who.clone(), event };
        self.stage.history.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// Whether it is dead.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Ends the lease it left behind, as time would.
    pub fn end_lease(&self, why: &'static str) {
        let Some((pk, owner)) = self.lease.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let is_its = |item: &serde_json::Map<String, Value>| {
            item["sk"]["S"] == "LEASE"
                && item["pk"]["S"] == pk.as_str()
                && item.get("owner").is_some_and(|it| it["S"] == owner.as_str())
        };
        self.stage.table.change(is_its, |item| drop(item.insert("until".to_owned(), json!({"N": "0"}))));
        self.tell(Event::LeaseOver(why));
    }

    /// A random number below `end`.
    pub fn luck(&self, end: u32) -> u32 {
        self.luck.lock().unwrap_or_else(PoisonError::into_inner).u32(..end)
    }

    /// The time a call takes in one direction; the last one never ends.
    pub async fn step(&self) {
        // Most take no time worth a change of turns.
        if self.luck(3) == 0 {
            self.stage.clock.wait(Duration::from_millis(u64::from(1 + self.luck(40)))).await;
        }
        let step = self.steps.fetch_add(1, Ordering::SeqCst) + 1;
        if step >= self.last {
            self.over.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        }
    }

    /// What the next call to the vaults meets.
    pub fn trouble_at_vaults(&self) -> Option<InjectedFault> {
        let rate = self.stage.rates.lock().unwrap_or_else(PoisonError::into_inner).vaults;
        self.trouble(rate)
    }

    fn trouble_at_ledger(&self) -> Option<InjectedFault> {
        let rate = self.stage.rates.lock().unwrap_or_else(PoisonError::into_inner).ledger;
        self.trouble(rate)
    }

    fn trouble(&self, rate: u32) -> Option<InjectedFault> {
        if self.luck(10_000) >= rate {
            return None;
        }
        let kind = u8::try_from(self.luck(60)).unwrap();
        Some(if self.luck(2) == 0 { InjectedFault::Refused(kind) } else { InjectedFault::Lost(kind) })
    }

    /// Sleeps, once, before a request to the ledger: what others do meanwhile, it finds when it wakes.
    async fn sleep(&self) {
        let step = self.steps.load(Ordering::SeqCst);
        let held = self.lease.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if step >= self.sleeps_at && step < self.sleeps_at + 4 && held {
            self.end_lease("it sleeps");
            self.stage.clock.wait(Duration::from_secs(60)).await;
        }
    }

    fn committed(&self, operation: &str, input: &Arc<Value>) {
        if input["Key"]["sk"]["S"] == "LEASE" {
            let given_back = input["UpdateExpression"].as_str().is_some_and(|text| text.starts_with("REMOVE"));
            let owner = input["ExpressionAttributeValues"][":owner"]["S"].as_str().unwrap_or_default();
            let place = (!given_back).then(|| (input["Key"]["pk"]["S"].as_str().unwrap().to_owned(), owner.to_owned()));
            *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = place;
        }
        self.tell(Event::Committed(operation.to_owned(), Arc::clone(input)));
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
        let (stage, actor) = (Arc::clone(&self.0), ACTOR.get());
        HttpConnectorFuture::new(async move {
            let (operation, input) = request_of(&request);
            let input = Arc::new(input);
            stage.calls.fetch_add(1, Ordering::SeqCst);
            actor.step().await;
            actor.sleep().await;
            let trouble = actor.trouble_at_ledger();
            if let Some(InjectedFault::Refused(kind)) = trouble {
                actor.step().await;
                return Ok(refusal(&operation, &input, kind).response());
            }
            let is_repeated = stage.table.has_done(&input);
            let answer = stage.table.answer(&operation, &input);
            if answer.status == 200 && !is_repeated && !matches!(operation.as_str(), "GetItem" | "Query" | "PutEvents")
            {
                actor.committed(&operation, &input);
            }
            actor.step().await;
            match trouble {
                Some(InjectedFault::Lost(kind)) if kind % 2 == 0 => {
                    Err(ConnectorError::timeout("the answer was lost".into()))
                }
                Some(_) => Ok(Answer::refused(500, "InternalServerError", "after it was done").response()),
                None => Ok(answer.response()),
            }
        })
    }
}

/// What a service answers that does nothing.
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
        (_, 1) => Answer::refused(500, "InternalServerError", "nothing was done"),
        _ => Answer::refused(400, "ProvisionedThroughputExceededException", "too much"),
    }
}
