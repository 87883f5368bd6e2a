//! What carries: AWS Config's invocations to Lambda, its compliance changes to the bus, the bus's events to Lambda.
//!
//! Nothing may be on its way and counted nowhere, else a world looks quiet that is not: a message is taken from its channel
//! and counted elsewhere under one lock.

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
use crate::wiring::OnFailure;

/// Where each function's dead letters go, by the function's name.
pub(super) type DeadLetterTargets = BTreeMap<String, OnFailure>;

/// How often queues that invoke a function are looked into for messages whose delay is over.
const FEED_EVERY: Duration = Duration::from_secs(2);

/// Complaints kept; `make local` may run for days with one broken rule.
const COMPLAINTS_KEPT: usize = 1_000;

#[derive(Debug)]
struct Shared {
    invocations: Mutex<UnboundedReceiver<Invocation>>,
    changes: Mutex<UnboundedReceiver<ComplianceChange>>,
    publishing: AtomicUsize,
    sent_to_dlq: AtomicUsize,
    published: AtomicU64,
    complaints: Mutex<VecDeque<String>>,
}

impl Shared {
    fn complain(&self, why: &impl ToString) {
        let mut complaints = lock(&self.complaints);
        if complaints.len() == COMPLAINTS_KEPT {
            complaints.pop_front();
        }
        complaints.push_back(why.to_string());
    }
}

/// The running pumps; they end when this is dropped.
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
        graves: DeadLetterTargets,
    ) -> Self {
        let shared = Arc::new(Shared {
            invocations: Mutex::new(outputs.invocations),
            changes: Mutex::new(outputs.changes),
            publishing: AtomicUsize::new(0),
            sent_to_dlq: AtomicUsize::new(0),
            published: AtomicU64::new(0),
            complaints: Mutex::default(),
        });
        let tasks = vec![
            tokio::spawn(invoke(Arc::clone(&shared), host.clone())),
            tokio::spawn(publish(Arc::clone(&shared), Arc::clone(bus))),
            tokio::spawn(carry(Arc::clone(&shared), Arc::clone(bus), put_events)),
            tokio::spawn(feed(Arc::clone(&shared), Arc::clone(bus))),
            tokio::spawn(send_to_dlq(
                Arc::clone(&shared),
                Arc::clone(bus),
                host.clone(),
                host.dead_letter_count(),
                graves,
            )),
        ];
        Self { shared, tasks }
    }

    pub(super) fn stop(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    /// Invocations and changes that are not yet where they belong.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let invocations = lock(&self.shared.invocations).len();
        let changes = lock(&self.shared.changes);
        (invocations, changes.len() + self.shared.publishing.load(Ordering::SeqCst))
    }

    /// Dead letters that were delivered, or complained about.
    pub(super) fn sent_to_dlq(&self) -> usize {
        self.shared.sent_to_dlq.load(Ordering::SeqCst)
    }

    /// How many compliance changes went to the bus so far.
    pub(super) fn published(&self) -> u64 {
        self.shared.published.load(Ordering::SeqCst)
    }

    pub(super) fn take_errors(&self) -> Vec<String> {
        lock(&self.shared.complaints).drain(..).collect()
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
                    .map_err(|refusal| format!("rule `{}`: {refusal}", invocation.rule)),
            ))
        })
    };
    while let Some(taken) = next().await {
        if let Err(refusal) = taken {
            shared.complain(&refusal);
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
        if let Err(refusal) = bus.publish(&change).await {
            shared.complain(&refusal);
        }
        shared.publishing.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Empties queues of delayed messages, of which no event tells.
async fn feed(shared: Arc<Shared>, bus: Arc<Bus>) {
    while bus.feeds().await {
        tokio::time::sleep(FEED_EVERY).await;
        if let Err(refusal) = bus.feed().await {
            shared.complain(&refusal);
        }
    }
}

/// Empties the queues each time events were put on the bus; nothing else fills them at once.
async fn carry(shared: Arc<Shared>, bus: Arc<Bus>, mut put_events: watch::Receiver<u64>) {
    while put_events.changed().await.is_ok() {
        if let Err(refusal) = bus.drain().await {
            shared.complain(&refusal);
        }
    }
}

/// Sends each dead letter where its function's deployment says.
async fn send_to_dlq(
    shared: Arc<Shared>,
    bus: Arc<Bus>,
    host: Host,
    mut count: watch::Receiver<usize>,
    graves: DeadLetterTargets,
) {
    while count.changed().await.is_ok() {
        let known = shared.sent_to_dlq.load(Ordering::SeqCst);
        for letter in host.dead_letters().iter().skip(known) {
            let sent = match graves.get(&letter.function) {
                None => Ok(()),
                Some(OnFailure::Destination(queue)) => bus.send(queue, &letter.record.to_string()).await,
                Some(OnFailure::DeadLetterQueue(queue)) => bus.send(queue, &letter.payload.to_string()).await,
            };
            if let Err(refusal) = sent {
                shared.complain(&refusal);
            }
            shared.sent_to_dlq.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Channels and lists are whole between any two statements, so a poisoned lock is as good as another.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
