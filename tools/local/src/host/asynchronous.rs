//! Asynchronous invocation: attempts, the waits between them, and dead letters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{FunctionError, Host, HostError, Shared, lock};

/// An event that failed in every attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// The function's name.
    pub function: String,
    /// The event.
    pub payload: Value,
    /// How the last attempt failed.
    pub error: FunctionError,
    /// The number of attempts.
    pub attempts: u32,
    /// The record that Lambda sends to an on-failure destination.
    pub record: Value,
}

/// Counts an event as pending until this is dropped.
struct Pending {
    shared: Arc<Shared>,
    function: String,
}

impl Pending {
    fn new(shared: &Arc<Shared>, function: &str) -> Self {
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        *lock(&shared.pending).entry(function.to_owned()).or_default() += 1;
        Self { shared: Arc::clone(shared), function: function.to_owned() }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let mut pending = lock(&self.shared.pending);
        let left = pending.get(&self.function).copied().unwrap_or_default().saturating_sub(1);
        if left == 0 {
            pending.remove(&self.function);
        } else {
            pending.insert(self.function.clone(), left);
        }
    }
}

impl Host {
    /// Accepts an event for a function and returns at once, as Lambda's asynchronous invocation does. A failed attempt
    /// is retried as often as the function's [`retries`](super::FunctionSpec::retries) allow; then the event becomes a
    /// [`DeadLetter`].
    ///
    /// # Errors
    /// [`HostError::Unknown`]: no such function.
    pub fn enqueue(&self, function: &str, payload: Value) -> Result<(), HostError> {
        let deployed = self.find(function)?;
        let pending = Pending::new(&self.shared, function);
        let (host, retries, arn) = (self.clone(), deployed.spec.retries, deployed.spec.arn.clone());
        let function = function.to_owned();
        tokio::spawn(async move {
            if let Err((error, attempts)) = host.attempt(&function, &payload, retries).await {
                let record = destination_record(&arn, &payload, &error, attempts);
                let mut dead_letters = lock(&host.shared.dead_letters);
                dead_letters.push(DeadLetter { function, payload, error, attempts, record });
                host.shared.dead_letter_count.send_replace(dead_letters.len());
            }
            drop(pending);
        });
        Ok(())
    }

    /// Events that failed in every attempt, oldest first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        lock(&self.shared.dead_letters).clone()
    }

    /// Watches the number of dead letters.
    #[must_use]
    pub fn dead_letter_count(&self) -> watch::Receiver<usize> {
        self.shared.dead_letter_count.subscribe()
    }

    /// Asynchronous events that are queued, running or waiting for their next attempt.
    #[must_use]
    pub fn pending(&self) -> usize {
        lock(&self.shared.pending).values().sum()
    }

    /// The number of asynchronous events accepted so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// [`Host::pending`] by function; functions without events are left out.
    #[must_use]
    pub fn pending_by_function(&self) -> BTreeMap<String, usize> {
        lock(&self.shared.pending).clone()
    }

    async fn attempt(&self, function: &str, payload: &Value, retries: u32) -> Result<(), (FunctionError, u32)> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.invoke(function, payload).await {
                Ok(_) => return Ok(()),
                Err(error) if attempts > retries => return Err((error, attempts)),
                Err(_) => tokio::time::sleep(self.wait_before(attempts)).await,
            }
        }
    }

    fn wait_before(&self, attempts: u32) -> Duration {
        let [first, later] = self.shared.settings.retry_waits;
        if attempts == 1 { first } else { later }
    }
}

fn destination_record(arn: &str, payload: &Value, error: &FunctionError, attempts: u32) -> Value {
    json!({
        "version": "1.0",
        "timestamp": Timestamp::now().to_string(),
        "requestContext": {
            "requestId": crate::request_id::next(),
            "functionArn": format!("{arn}:$LATEST"),
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": payload,
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
        "responsePayload": { "errorType": error.error_type, "errorMessage": error.message },
    })
}
