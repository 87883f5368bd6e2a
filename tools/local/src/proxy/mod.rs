//! The single endpoint of local AWS: names every call and forwards it to moto or to the Config engine.
//!
//! On the way the proxy
//!
//! - authorizes a function's call by its role ([`iam`](crate::iam)),
//! - turns a web page in place of an answer into the AWS error `NotImplementedLocally`,
//! - adds what moto does not have, each time counted as a [`Substitution`],
//! - translates CBOR, which moto does not speak, to JSON and back,
//! - injects the faults that a test set up,
//! - records every call with its caller.
//!
//! Apart from that it keeps no state of AWS, and it knows no control.

mod answer;
mod call;
mod fault;
mod forward;
pub mod lambda;
mod lookup;
pub mod rpc;
mod serialized;
mod trail_events;
pub mod xml_roots;

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
use crate::iam::{Authorizer, DeniedCall};

/// The maximum number of recorded calls; the oldest are dropped, since `make local` may run for days.
const MAX_CALLS: usize = 20_000;

/// Why the proxy does not start.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The address is in use or not local.
    #[error("proxy: listen on `{address}`: {source}")]
    Listen {
        /// The requested address.
        address: String,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The HTTP client for the backend cannot be created.
    #[error("proxy: {0}")]
    Client(#[from] crate::backend::BackendError),
}

/// Where the proxy listens and forwards to.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    /// The address to listen on, e.g. `127.0.0.1:0` for any free port.
    pub listen: String,
    /// The emulator, e.g. `http://127.0.0.1:40001`.
    pub backend: String,
    /// Endpoints of services that the emulator does not serve, by signing name, e.g. `config` for the engine.
    pub upstreams: BTreeMap<String, String>,
    /// The account that calls are made in, for the ARNs of IAM requests.
    pub place: Place,
}

/// A recorded call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// When it arrived.
    pub at: Timestamp,
    /// The function or tool whose key signed it; the key itself if it is not registered.
    pub caller: String,
    /// The service, e.g. `s3control`.
    pub service: String,
    /// The operation, e.g. `PutPublicAccessBlock`.
    pub operation: String,
    /// The status that the caller received; 0 if an injected fault broke the connection.
    pub status: u16,
    /// What the proxy did besides forwarding: the injected fault, the denial or the substitution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An answer, or a part of one, that the proxy gave instead of moto.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Substitution {
    /// `service:operation`.
    pub call: String,
    /// What the proxy answered.
    pub what: String,
    /// How many times.
    pub times: u32,
}

#[derive(Debug, Default)]
struct ProxyState {
    calls: VecDeque<Call>,
    callers: BTreeMap<String, String>,
    faults: Vec<Fault>,
    substitutions: BTreeMap<(String, String), u32>,
    root_user: BTreeMap<&'static str, u32>,
    trail_events: Vec<Value>,
    authorizer: Authorizer,
}

#[derive(Debug)]
struct Shared {
    settings: ProxySettings,
    http: reqwest::Client,
    serialized: serialized::SerializedCalls,
    state: Mutex<ProxyState>,
    put_events: watch::Sender<u64>,
}

/// A running proxy; dropping this ends it.
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
    /// Starts the proxy.
    ///
    /// # Errors
    /// [`ProxyError`]: the proxy cannot listen on the address.
    pub async fn start(settings: ProxySettings) -> Result<Self, ProxyError> {
        let failed = |source| ProxyError::Listen { address: settings.listen.clone(), source };
        let listener = TcpListener::bind(&settings.listen).await.map_err(failed)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(failed)?);
        let http = crate::backend::plain_client()?;
        let shared = Arc::new(Shared {
            settings,
            http,
            serialized: serialized::SerializedCalls::default(),
            state: Mutex::default(),
            put_events: watch::Sender::new(0),
        });
        let app = axum::Router::new().fallback(forward::handle).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // axum retries every listener error and never returns.
            let _ended = axum::serve(listener, app).await;
        });
        Ok(Self { shared, endpoint, server })
    }

    /// The endpoint for callers, e.g. `http://127.0.0.1:4599`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Records calls signed with this key under this name from now on.
    pub fn register_caller(&self, access_key: &str, name: &str) {
        self.shared.state().callers.insert(access_key.to_owned(), name.to_owned());
    }

    /// Authorizes the calls recorded under this name by these statements from now on.
    pub fn set_role(&self, caller: &str, statements: Vec<Statement>) {
        self.shared.state().authorizer.set_role(caller, statements);
    }

    /// The IAM actions a caller with a role has used.
    #[must_use]
    pub fn actions_used(&self, caller: &str) -> BTreeSet<String> {
        self.shared.state().authorizer.used(caller)
    }

    /// Takes the calls that a caller's role did not allow since the last call, oldest first.
    #[must_use]
    pub fn take_denied(&self) -> Vec<DeniedCall> {
        self.shared.state().authorizer.take_denied()
    }

    /// The recorded calls, oldest first (the last 20,000).
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.iter().cloned().collect()
    }

    /// The calls of one caller, as `service:operation`, oldest first.
    #[must_use]
    pub fn calls_of(&self, caller: &str) -> Vec<String> {
        self.shared
            .state()
            .calls
            .iter()
            .filter(|call| call.caller == caller)
            .map(|call| format!("{}:{}", call.service, call.operation))
            .collect()
    }

    /// Clears the recorded calls.
    pub fn clear_calls(&self) {
        self.shared.state().calls.clear();
    }

    /// The answers that the proxy gave instead of moto so far.
    #[must_use]
    pub fn substitutions(&self) -> Vec<Substitution> {
        let state = self.shared.state();
        state
            .substitutions
            .iter()
            .map(|((call, what), times)| Substitution { call: call.clone(), what: what.clone(), times: *times })
            .collect()
    }

    /// Injects a fault into the next calls that match.
    pub fn inject(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// The injected faults that are not used up.
    #[must_use]
    pub fn pending_faults(&self) -> Vec<Fault> {
        self.shared.state().faults.clone()
    }

    /// Removes the injected faults that are not used up.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Sets the number of root access keys in `GetAccountSummary`; moto has no root user.
    pub fn set_root_access_keys(&self, count: u32) {
        self.shared.state().root_user.insert("AccountAccessKeysPresent", count);
    }

    /// Sets in `GetAccountSummary` whether the root user has an MFA device.
    pub fn set_root_mfa(&self, registered: bool) {
        self.shared.state().root_user.insert("AccountMFAEnabled", registered.into());
    }

    /// Sets in `GetAccountSummary` whether the root user has a password, which moto leaves out.
    pub fn set_root_password(&self, present: bool) {
        self.shared.state().root_user.insert("AccountPasswordPresent", present.into());
    }

    /// Adds an event that `LookupEvents` returns, in the shape of its answer (`EventId`, `EventName`, `EventTime` in
    /// epoch seconds, `Username`, `Resources`, `CloudTrailEvent` …).
    pub fn seed_trail_event(&self, event: Value) {
        self.shared.state().trail_events.push(event);
    }

    /// Watches the number of successful `PutEvents` calls, so that the event loop need not poll.
    #[must_use]
    pub fn put_events(&self) -> watch::Receiver<u64> {
        self.shared.put_events.subscribe()
    }

    /// Clears calls, faults, seeded answers and counts; callers and their roles stay.
    pub fn reset(&self) {
        let mut state = self.shared.state();
        let (callers, authorizer) = (std::mem::take(&mut state.callers), std::mem::take(&mut state.authorizer));
        *state = ProxyState { callers, authorizer, ..ProxyState::default() };
    }
}

impl Shared {
    /// The state is plain data, consistent between any two statements, so a poisoned lock is safe to use.
    fn state(&self) -> MutexGuard<'_, ProxyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn substituted(&self, call: &CallName, what: &str) -> String {
        let key = (format!("{}:{}", call.service, call.operation), what.to_owned());
        *self.state().substitutions.entry(key).or_default() += 1;
        what.to_owned()
    }

    fn record(&self, at: Timestamp, caller: String, call: &CallName, status: u16, note: Option<String>) {
        let mut state = self.state();
        if state.calls.len() == MAX_CALLS {
            state.calls.pop_front();
        }
        state.calls.push_back(Call {
            at,
            caller,
            service: call.service.clone(),
            operation: call.operation.clone(),
            status,
            note,
        });
    }
}
