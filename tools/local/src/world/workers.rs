//! The tasks that deliver AWS Config's invocations to Lambda, its compliance changes to the bus, the bus's events to
//! Lambda, and dead letters to their queues.
//!
//! Every message in flight must be counted, or local AWS looks idle when it is not: one lock covers taking a message
//! from its channel and counting it elsewhere.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::bus::Bus;
use crate::engine::{ComplianceChange, EngineOutputs, Invocation};
use crate::host::Host;
use crate::stack::OnFailure;

/// Where each function's dead letters go, by the function's name.
pub(super) type DeadLetterTargets = BTreeMap<String, OnFailure>;

/// How often event source queues are polled for messages whose delay is over.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Errors kept; `make local` may run for days with one broken rule.
const MAX_ERRORS: usize = 1_000;

#[derive(Debug)]
struct Shared {
    invocations: Mutex<UnboundedReceiver<Invocation>>,
    changes: Mutex<UnboundedReceiver<ComplianceChange>>,
    publishing: AtomicUsize,
    sent_to_dlq: AtomicUsize,
    published: AtomicU64,
    errors: Mutex<VecDeque<String>>,
}

impl Shared {
    fn report(&self, error: &impl ToString) {
        let mut errors = lock(&self.errors);
        if errors.len() == MAX_ERRORS {
            errors.pop_front();
        }
        errors.push_back(error.to_string());
    }
}

/// The running tasks; dropping this ends them.
#[derive(Debug)]
pub(super) struct Workers {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Workers {
    pub(super) fn start(
        outputs: EngineOutputs,
        host: &Host,
        bus: &Arc<Bus>,
        put_events: watch::Receiver<u64>,
        targets: DeadLetterTargets,
    ) -> Self {
        let shared = Arc::new(Shared {
            invocations: Mutex::new(outputs.invocations),
            changes: Mutex::new(outputs.changes),
            publishing: AtomicUsize::new(0),
            sent_to_dlq: AtomicUsize::new(0),
            published: AtomicU64::new(0),
            errors: Mutex::default(),
        });
        let tasks = vec![
            tokio::spawn(invoke(Arc::clone(&shared), host.clone())),
            tokio::spawn(publish(Arc::clone(&shared), Arc::clone(bus))),
            tokio::spawn(deliver_events(Arc::clone(&shared), Arc::clone(bus), put_events)),
            tokio::spawn(poll_event_sources(Arc::clone(&shared), Arc::clone(bus))),
            tokio::spawn(send_to_dlq(
                Arc::clone(&shared),
                Arc::clone(bus),
                host.clone(),
                host.dead_letter_count(),
                targets,
            )),
        ];
        Self { shared, tasks }
    }

    pub(super) fn stop(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    /// The number of invocations and of changes that are not delivered yet.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let invocations = lock(&self.shared.invocations).len();
        let changes = lock(&self.shared.changes);
        (invocations, changes.len() + self.shared.publishing.load(Ordering::SeqCst))
    }

    /// The number of dead letters that were sent, or reported as an error.
    pub(super) fn sent_to_dlq(&self) -> usize {
        self.shared.sent_to_dlq.load(Ordering::SeqCst)
    }

    /// The number of compliance changes published so far.
    pub(super) fn published(&self) -> u64 {
        self.shared.published.load(Ordering::SeqCst)
    }

    pub(super) fn take_errors(&self) -> Vec<String> {
        lock(&self.shared.errors).drain(..).collect()
    }
}

async fn invoke(shared: Arc<Shared>, host: Host) {
    let next = || {
        poll_fn(|context| {
            let mut invocations = lock(&shared.invocations);
            let Poll::Ready(invocation) = invocations.poll_recv(context) else { return Poll::Pending };
            let Some(invocation) = invocation else { return Poll::Ready(None) };
            let function = invocation.function_arn.rsplit(':').next().unwrap_or_default();
            Poll::Ready(Some(
                host.enqueue(function, invocation.event)
                    .map_err(|error| format!("rule `{}`: {error}", invocation.rule)),
            ))
        })
    };
    while let Some(taken) = next().await {
        if let Err(error) = taken {
            shared.report(&error);
        }
    }
}

async fn publish(shared: Arc<Shared>, bus: Arc<Bus>) {
    let next = || {
        poll_fn(|context| {
            let mut changes = lock(&shared.changes);
            let polled = changes.poll_recv(context);
            if matches!(polled, Poll::Ready(Some(_))) {
                shared.publishing.fetch_add(1, Ordering::SeqCst);
                shared.published.fetch_add(1, Ordering::SeqCst);
            }
            polled
        })
    };
    while let Some(change) = next().await {
        if let Err(error) = bus.publish(&change).await {
            shared.report(&error);
        }
        shared.publishing.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Polls the event source queues: a delayed message becomes visible without any event.
async fn poll_event_sources(shared: Arc<Shared>, bus: Arc<Bus>) {
    while bus.has_event_sources().await {
        tokio::time::sleep(POLL_INTERVAL).await;
        if let Err(error) = bus.poll_event_sources().await {
            shared.report(&error);
        }
    }
}

/// Drains the queues after each `PutEvents`; nothing else fills them immediately.
async fn deliver_events(shared: Arc<Shared>, bus: Arc<Bus>, mut put_events: watch::Receiver<u64>) {
    while put_events.changed().await.is_ok() {
        if let Err(error) = bus.drain().await {
            shared.report(&error);
        }
    }
}

/// Sends each dead letter to the target of its function.
async fn send_to_dlq(
    shared: Arc<Shared>,
    bus: Arc<Bus>,
    host: Host,
    mut count: watch::Receiver<usize>,
    targets: DeadLetterTargets,
) {
    while count.changed().await.is_ok() {
        let known = shared.sent_to_dlq.load(Ordering::SeqCst);
        for dead_letter in host.dead_letters().iter().skip(known) {
            let sent = match targets.get(&dead_letter.function) {
                None => Ok(()),
                Some(OnFailure::Destination(queue)) => bus.send(queue, &dead_letter.record.to_string()).await,
                Some(OnFailure::DeadLetterQueue(queue)) => bus.send(queue, &dead_letter.payload.to_string()).await,
            };
            if let Err(error) = sent {
                shared.report(&error);
            }
            shared.sent_to_dlq.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Channels and lists are consistent between any two statements, so a poisoned lock is safe to use.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
