//! The one address of local AWS: names every call, forwards it, and says what the emulator cannot.
//!
//! Six things are done on the way: a call of a function is decided by its role ([`iam`](crate::iam)); a web page instead of an answer becomes the AWS error `NotImplementedLocally`;
//! what moto cannot have is put in (each time counted as a [`Substitution`]); CBOR, which moto does not speak, is carried
//! as JSON; faults a test asked for are injected; every call is recorded with its caller. The proxy keeps no state of AWS itself and knows no control.

mod answer;
mod call;
mod fault;
mod forward;
mod lookup;
pub mod roots;
pub mod rpc;
mod trail_events;
mod turn;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) use call::Pairs;
pub use call::{CallName, Protocol};
pub use fault::{Fault, FaultKind};

use crate::iam::policy::Statement;
use crate::iam::request::Place;
use crate::iam::{Guard, Refused};

/// How many calls are remembered; the oldest go first. `make local` may run for days.
const CALLS_KEPT: usize = 20_000;

/// Why the proxy is not there.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The address is taken or not ours.
    #[error("proxy: listen on `{address}`: {source}")]
    Listen {
        /// The address asked for.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The client towards the backend cannot be made.
    #[error("proxy: {0}")]
    Client(#[from] crate::backend::BackendError),
}

/// Where calls go.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    /// The address to listen on, e.g. `127.0.0.1:0` for any free port.
    pub listen: String,
    /// The emulator, e.g. `http://127.0.0.1:40001`.
    pub backend: String,
    /// Services (by signing name) that are served elsewhere, e.g. `config` by our own engine.
    pub upstreams: BTreeMap<String, String>,
    /// Where calls are made, for the ARNs that IAM is asked about.
    pub place: Place,
}

/// One call as it passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// When it arrived.
    pub at: Timestamp,
    /// The function or tool whose key signed it; the key itself if nobody registered it.
    pub caller: String,
    /// The service, e.g. `s3control`.
    pub service: String,
    /// The operation, e.g. `PutPublicAccessBlock`.
    pub operation: String,
    /// The status the caller saw; 0 where the connection was broken on purpose.
    pub status: u16,
    /// What the proxy did besides forwarding: the fault injected, or what it answered in the backend's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What the proxy answered in moto's place, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Substitution {
    /// `service:operation`.
    pub call: String,
    /// What was put in.
    pub what: String,
    /// How often.
    pub times: u32,
}

#[derive(Debug, Default)]
struct Ledger {
    calls: VecDeque<Call>,
    callers: BTreeMap<String, String>,
    faults: Vec<Fault>,
    substitutions: BTreeMap<(String, String), u32>,
    root_user: BTreeMap<&'static str, u32>,
    trail_events: Vec<Value>,
    guard: Guard,
}

#[derive(Debug)]
struct Shared {
    settings: ProxySettings,
    http: reqwest::Client,
    turns: turn::SerializedCalls,
    ledger: Mutex<Ledger>,
    put_events: watch::Sender<u64>,
}

/// A running proxy; it ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    endpoint: String,
    server: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Proxy {
    /// Listens and forwards from now on.
    ///
    /// # Errors
    /// [`ProxyError`]: the address cannot be listened on.
    pub async fn start(settings: ProxySettings) -> Result<Self, ProxyError> {
        let refused = |source| ProxyError::Listen { address: settings.listen.clone(), source };
        let listener = TcpListener::bind(&settings.listen).await.map_err(refused)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(refused)?);
        let http = crate::backend::plain_client()?;
        let shared = Arc::new(Shared {
            settings,
            http,
            turns: turn::SerializedCalls::default(),
            ledger: Mutex::default(),
            put_events: watch::Sender::new(0),
        });
        let app = axum::Router::new().fallback(forward::pass).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // axum retries what a listener can fail with and never returns.
            let _ended = axum::serve(listener, app).await;
        });
        Ok(Self { shared, endpoint, server })
    }

    /// The address callers use, e.g. `http://127.0.0.1:4599`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// From now on calls signed with this key are recorded under this name.
    pub fn register_caller(&self, access_key: &str, name: &str) {
        self.shared.ledger().callers.insert(access_key.to_owned(), name.to_owned());
    }

    /// From now on calls recorded under this name are decided by these statements, and those they do not allow are denied.
    pub fn give_role(&self, caller: &str, statements: Vec<Statement>) {
        self.shared.ledger().guard.give(caller, statements);
    }

    /// The IAM actions a caller with a role has used.
    #[must_use]
    pub fn actions_used(&self, caller: &str) -> BTreeSet<String> {
        self.shared.ledger().guard.used(caller)
    }

    /// The calls that a caller's role did not allow, oldest first; each is told once.
    #[must_use]
    pub fn take_refused(&self) -> Vec<Refused> {
        self.shared.ledger().guard.take_refused()
    }

    /// Every call so far, oldest first (the last 20 000).
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.ledger().calls.iter().cloned().collect()
    }

    /// The calls of one caller, as `service:operation`, oldest first.
    #[must_use]
    pub fn calls_of(&self, caller: &str) -> Vec<String> {
        self.shared
            .ledger()
            .calls
            .iter()
            .filter(|call| call.caller == caller)
            .map(|call| format!("{}:{}", call.service, call.operation))
            .collect()
    }

    /// Forgets the calls recorded so far.
    pub fn clear_calls(&self) {
        self.shared.ledger().calls.clear();
    }

    /// What was answered in the backend's place so far.
    #[must_use]
    pub fn substitutions(&self) -> Vec<Substitution> {
        let ledger = self.shared.ledger();
        ledger
            .substitutions
            .iter()
            .map(|((call, what), times)| Substitution { call: call.clone(), what: what.clone(), times: *times })
            .collect()
    }

    /// Makes the next calls that match go wrong.
    pub fn inject(&self, fault: Fault) {
        self.shared.ledger().faults.push(fault);
    }

    /// Faults that have not been used up.
    #[must_use]
    pub fn pending_faults(&self) -> Vec<Fault> {
        self.shared.ledger().faults.clone()
    }

    /// Takes all faults back that have not been used up.
    pub fn clear_faults(&self) {
        self.shared.ledger().faults.clear();
    }

    /// From now on `GetAccountSummary` tells of this many root access keys; moto knows no root user.
    pub fn set_root_access_keys(&self, count: u32) {
        self.shared.ledger().root_user.insert("AccountAccessKeysPresent", count);
    }

    /// From now on it tells of a root user with an MFA device, or without.
    pub fn set_root_mfa(&self, registered: bool) {
        self.shared.ledger().root_user.insert("AccountMFAEnabled", registered.into());
    }

    /// From now on it tells of a root user with a password, or without; moto does not tell of one at all.
    pub fn set_root_password(&self, present: bool) {
        self.shared.ledger().root_user.insert("AccountPasswordPresent", present.into());
    }

    /// Adds an event that `LookupEvents` finds, in the shape of CloudTrail's answer (`EventId`, `EventName`, `EventTime`
    /// in epoch seconds, `Username`, `Resources`, `CloudTrailEvent` …).
    pub fn seed_trail_event(&self, event: Value) {
        self.shared.ledger().trail_events.push(event);
    }

    /// Counts the calls that put events on the bus and succeeded, so that the event loop need not poll.
    #[must_use]
    pub fn put_events(&self) -> watch::Receiver<u64> {
        self.shared.put_events.subscribe()
    }

    /// Forgets calls, faults, seeded answers and counts; callers and their roles stay known.
    pub fn reset(&self) {
        let mut ledger = self.shared.ledger();
        let (callers, guard) = (std::mem::take(&mut ledger.callers), std::mem::take(&mut ledger.guard));
        *ledger = Ledger { callers, guard, ..Ledger::default() };
    }
}

impl Shared {
    /// The ledger is plain data that is whole between any two statements, so a poisoned lock is as good as another.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn substituted(&self, call: &CallName, what: &str) -> String {
        let key = (format!("{}:{}", call.service, call.operation), what.to_owned());
        *self.ledger().substitutions.entry(key).or_default() += 1;
        what.to_owned()
    }

    fn record(&self, at: Timestamp, caller: String, call: &CallName, status: u16, note: Option<String>) {
        let mut ledger = self.ledger();
        if ledger.calls.len() == CALLS_KEPT {
            ledger.calls.pop_front();
        }
        ledger.calls.push_back(Call {
            at,
            caller,
            service: call.service.clone(),
            operation: call.operation.clone(),
            status,
            note,
        });
    }
}
