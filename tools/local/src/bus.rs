//! EventBridge on your machine: the template's event rules in moto, each with a queue in front of its functions.
//!
//! moto matches the real patterns but cannot invoke local functions. So a rule's function targets are replaced by an
//! internal queue, which is drained after each `PutEvents`. Targets that are queues get their events from moto. Queues
//! of the template that invoke a function are polled here too. This module does not interpret events. It adds one field
//! to what moto delivers: the `account`, which moto leaves out.

mod event_source;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Target as BusTarget};
use aws_sdk_sqs::types::QueueAttributeName;
use serde::Serialize;
use serde_json::{Value, json};

use crate::engine::ComplianceChange;
use crate::host::{Host, HostError};
use crate::stack::{EventRule, Stack, Target, Trigger};

/// The `source` of events that Rectify's functions put.
const RECTIFY_SOURCE: &str = "rectify";

/// The internal rule and queue that collect Rectify's announcements.
const ANNOUNCEMENTS: &str = "rectify-local-announcements";

/// Why the bus failed.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// A call that the backend refused.
    #[error("bus: {operation}: `{subject}`: {why}")]
    Call {
        /// The operation, with its service.
        operation: &'static str,
        /// The rule, queue or event that the call was about.
        subject: String,
        /// The error with its chain of causes.
        why: String,
    },
    /// No event rule of this name, or one without a schedule.
    #[error("bus: event rule `{0}`: no such rule with a schedule")]
    NoSchedule(String),
    /// A message that is not an event.
    #[error("bus: queue `{queue}`: message is not an event: {why}")]
    Message {
        /// The queue's name.
        queue: String,
        /// The parse error.
        why: String,
    },
    /// A target that is not deployed.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// An event that a function put on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announcement {
    /// E.g. `Rectify Outcome`.
    pub detail_type: String,
    /// The event's content.
    pub detail: Value,
}

/// An internal queue and the functions that its events invoke.
#[derive(Debug)]
struct InternalQueue {
    name: String,
    url: String,
    /// Function and constant input; empty for the announcements.
    functions: Vec<(String, Option<Value>)>,
}

/// The default event bus of one account and region.
#[derive(Debug)]
pub struct Bus {
    events: aws_sdk_eventbridge::Client,
    sqs: aws_sdk_sqs::Client,
    host: Host,
    account: String,
    scheduled: Vec<EventRule>,
    /// The lock is held while messages are delivered, so that no caller sees an empty queue and an event in flight.
    internal_queues: tokio::sync::Mutex<Vec<InternalQueue>>,
    /// Locked for the same reason.
    sources: tokio::sync::Mutex<Vec<event_source::SqsEventSource>>,
    announcements: Mutex<Vec<Announcement>>,
}

impl Bus {
    /// Creates the template's queues and event rules, and a queue for each rule that has functions as targets.
    ///
    /// # Errors
    /// The first call that the backend refuses.
    pub async fn start(
        events: aws_sdk_eventbridge::Client,
        sqs: aws_sdk_sqs::Client,
        host: Host,
        account: &str,
        stack: &Stack,
    ) -> Result<Self, BusError> {
        let bus = Self {
            events,
            sqs,
            host,
            account: account.to_owned(),
            scheduled: stack
                .event_rules
                .iter()
                .filter(|rule| matches!(rule.trigger, Trigger::Schedule(_)))
                .cloned()
                .collect(),
            internal_queues: tokio::sync::Mutex::default(),
            sources: tokio::sync::Mutex::default(),
            announcements: Mutex::default(),
        };
        // A dead-letter queue must exist before the queue that names it.
        for queue in stack.queues.iter().filter(|queue| queue.redrive.is_none()) {
            bus.create_queue(&queue.name).await?;
        }
        for queue in &stack.queues {
            if let Some(redrive) = &queue.redrive {
                bus.create_queue_with_redrive(&queue.name, redrive).await?;
            }
        }
        bus.create_event_sources(&stack.mappings).await?;
        let mut internal_queues = vec![bus.internal_queue(ANNOUNCEMENTS, Vec::new()).await?];
        bus.put_rule(
            ANNOUNCEMENTS,
            &json!({ "source": [RECTIFY_SOURCE] }),
            vec![bus.queue_target(0, ANNOUNCEMENTS).await?],
        )
        .await?;
        for rule in stack.event_rules.iter().filter(|rule| rule.enabled) {
            if let Trigger::Pattern(pattern) = &rule.trigger {
                internal_queues.extend(bus.deploy_rule(rule, pattern).await?);
            }
        }
        *bus.internal_queues.lock().await = internal_queues;
        Ok(bus)
    }

    /// Puts a compliance change on the bus, as AWS Config does.
    ///
    /// # Errors
    /// The backend refuses the event.
    pub async fn publish(&self, change: &ComplianceChange) -> Result<(), BusError> {
        self.put_event(ComplianceChange::SOURCE, ComplianceChange::DETAIL_TYPE, &change.detail).await
    }

    /// Puts any event on the bus; unlike AWS, moto accepts `aws.*` sources from any caller.
    ///
    /// # Errors
    /// The backend refuses the event.
    pub async fn put_event(&self, source: &str, detail_type: &str, detail: &Value) -> Result<(), BusError> {
        let entry =
            PutEventsRequestEntry::builder().source(source).detail_type(detail_type).detail(detail.to_string()).build();
        let answer =
            self.events.put_events().entries(entry).send().await.map_err(call("events:PutEvents", detail_type))?;
        match answer.entries().iter().find_map(|entry| entry.error_message()) {
            Some(why) => Err(BusError::Call {
                operation: "events:PutEvents",
                subject: detail_type.to_owned(),
                why: why.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// Sends a message to a queue of the template, given by its ARN.
    ///
    /// # Errors
    /// No such queue.
    pub async fn send(&self, queue_arn: &str, text: &str) -> Result<(), BusError> {
        let name = queue_arn.rsplit(':').next().unwrap_or_default();
        let url = self.sqs.get_queue_url().queue_name(name).send().await.map_err(call("sqs:GetQueueUrl", queue_arn))?;
        let sent = self.sqs.send_message().set_queue_url(url.queue_url).message_body(text).send().await;
        sent.map(|_| ()).map_err(call("sqs:SendMessage", queue_arn))
    }

    /// Delivers the messages of all queues to their functions, and returns the number delivered.
    ///
    /// # Errors
    /// A call that the backend refuses, or a target that is not deployed; undelivered messages stay in their queue.
    pub async fn drain(&self) -> Result<usize, BusError> {
        let internal_queues = self.internal_queues.lock().await;
        let mut delivered = 0;
        for queue in internal_queues.iter() {
            delivered += self.drain_queue(queue).await?;
        }
        drop(internal_queues);
        Ok(delivered + self.poll_event_sources().await?)
    }

    /// The events that functions have put on the bus so far, oldest first.
    #[must_use]
    pub fn announcements(&self) -> Vec<Announcement> {
        self.announcements.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The event rules with a schedule; nothing runs them on time here, only [`Bus::fire`].
    #[must_use]
    pub fn scheduled(&self) -> &[EventRule] {
        &self.scheduled
    }

    /// Triggers a scheduled event rule now.
    ///
    /// # Errors
    /// No such scheduled rule, or a target that is not deployed.
    pub fn fire(&self, rule: &str) -> Result<(), BusError> {
        let scheduled = self.scheduled.iter().find(|it| it.name == rule || it.logical_id == rule);
        let scheduled = scheduled.ok_or_else(|| BusError::NoSchedule(rule.to_owned()))?;
        for target in &scheduled.targets {
            if let Target::Function { name, input } = target {
                let event = input.clone().unwrap_or_else(|| self.scheduled_event(&scheduled.name));
                self.host.enqueue(name, event)?;
            }
        }
        Ok(())
    }

    async fn deploy_rule(&self, rule: &EventRule, pattern: &Value) -> Result<Option<InternalQueue>, BusError> {
        let mut functions = Vec::new();
        let mut targets = Vec::new();
        for target in &rule.targets {
            match target {
                Target::Function { name, input } => functions.push((name.clone(), input.clone())),
                Target::Queue(queue) => targets.push(self.queue_target(targets.len(), queue).await?),
            }
        }
        let mut internal_queue = None;
        if !functions.is_empty() {
            let name = format!("rectify-local-{}", rule.logical_id);
            internal_queue = Some(self.internal_queue(&name, functions).await?);
            targets.push(self.queue_target(targets.len(), &name).await?);
        }
        self.put_rule(&rule.name, pattern, targets).await?;
        Ok(internal_queue)
    }

    async fn internal_queue(
        &self,
        name: &str,
        functions: Vec<(String, Option<Value>)>,
    ) -> Result<InternalQueue, BusError> {
        Ok(InternalQueue { name: name.to_owned(), url: self.create_queue(name).await?, functions })
    }

    async fn create_queue(&self, name: &str) -> Result<String, BusError> {
        let is_fifo = name.ends_with(".fifo").then(|| "true".to_owned());
        let create = self.sqs.create_queue().queue_name(name);
        let create = create.set_attributes(is_fifo.map(|it| HashMap::from([(QueueAttributeName::FifoQueue, it)])));
        let answer = create.send().await.map_err(call("sqs:CreateQueue", name))?;
        answer.queue_url.ok_or_else(|| unexpected("sqs:CreateQueue", name, "no QueueUrl"))
    }

    async fn queue_target(&self, position: usize, queue: &str) -> Result<BusTarget, BusError> {
        use aws_sdk_sqs::types::QueueAttributeName::QueueArn;
        let url = self.sqs.get_queue_url().queue_name(queue).send().await.map_err(call("sqs:GetQueueUrl", queue))?;
        let request = self.sqs.get_queue_attributes().set_queue_url(url.queue_url).attribute_names(QueueArn);
        let answer = request.send().await.map_err(call("sqs:GetQueueAttributes", queue))?;
        let arn = answer
            .attributes()
            .and_then(|all| all.get(&QueueArn))
            .ok_or_else(|| unexpected("sqs:GetQueueAttributes", queue, "no QueueArn"))?;
        BusTarget::builder()
            .id(format!("target-{position}"))
            .arn(arn)
            .build()
            .map_err(|error| unexpected("events:PutTargets", queue, &error.to_string()))
    }

    async fn put_rule(&self, name: &str, pattern: &Value, targets: Vec<BusTarget>) -> Result<(), BusError> {
        let put = self.events.put_rule().name(name).event_pattern(pattern.to_string());
        put.send().await.map_err(call("events:PutRule", name))?;
        let answer = self
            .events
            .put_targets()
            .rule(name)
            .set_targets(Some(targets))
            .send()
            .await
            .map_err(call("events:PutTargets", name))?;
        match answer.failed_entries().first() {
            None => Ok(()),
            Some(failed) => Err(unexpected("events:PutTargets", name, failed.error_message().unwrap_or_default())),
        }
    }

    async fn drain_queue(&self, queue: &InternalQueue) -> Result<usize, BusError> {
        let mut delivered = 0;
        loop {
            let request =
                self.sqs.receive_message().queue_url(&queue.url).max_number_of_messages(10).wait_time_seconds(0);
            let answer = request.send().await.map_err(call("sqs:ReceiveMessage", &queue.name))?;
            if answer.messages().is_empty() {
                return Ok(delivered);
            }
            for message in answer.messages() {
                let body = message.body().unwrap_or_default();
                let event: Value = serde_json::from_str(body)
                    .map_err(|error| BusError::Message { queue: queue.name.clone(), why: error.to_string() })?;
                self.dispatch(queue, event)?;
                let done =
                    self.sqs.delete_message().queue_url(&queue.url).set_receipt_handle(message.receipt_handle.clone());
                done.send().await.map_err(call("sqs:DeleteMessage", &queue.name))?;
                delivered += 1;
            }
        }
    }

    fn dispatch(&self, queue: &InternalQueue, mut event: Value) -> Result<(), BusError> {
        if queue.functions.is_empty() {
            let detail_type = event.get("detail-type").and_then(Value::as_str).unwrap_or_default().to_owned();
            let detail = event.get("detail").cloned().unwrap_or_default();
            self.announcements
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Announcement { detail_type, detail });
            return Ok(());
        }
        if let Some(envelope) = event.as_object_mut() {
            envelope.entry("account").or_insert_with(|| json!(self.account));
        }
        for (function, input) in &queue.functions {
            self.host.enqueue(function, input.clone().unwrap_or_else(|| event.clone()))?;
        }
        Ok(())
    }

    /// EventBridge's scheduled event; its time has second precision, as in AWS.
    fn scheduled_event(&self, rule: &str) -> Value {
        json!({
            "version": "0",
            "id": crate::request_id::next(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self.account,
            "time": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": self.events.config().region().map(ToString::to_string),
            "resources": [rule],
            "detail": {},
        })
    }
}

/// Maps a failed call to the error that names it.
fn call<E: std::error::Error + Send + Sync + 'static>(
    operation: &'static str,
    subject: &str,
) -> impl FnOnce(E) -> BusError {
    move |error| BusError::Call { operation, subject: subject.to_owned(), why: DisplayErrorContext(&error).to_string() }
}

fn unexpected(operation: &'static str, subject: &str, what: &str) -> BusError {
    BusError::Call { operation, subject: subject.to_owned(), why: format!("unexpected answer: {what}") }
}
