//! EventBridge on your machine: the template's event rules in moto, each with a queue that leads to its functions.
//!
//! moto matches the real patterns; it cannot invoke our functions, so a rule's function targets are reached through a queue
//! of ours, which is emptied whenever somebody put events on the bus. Targets that are queues get their events from moto.
//! A queue of the template that invokes a function is emptied into it likewise. What an event says is not known here. One
//! thing is added to what moto delivers: the `account`, which it leaves out.

mod fed;

use std::sync::{Mutex, PoisonError};

use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, Target as BusTarget};
use serde::Serialize;
use serde_json::{Value, json};

use crate::engine::ComplianceChange;
use crate::host::{Host, HostError};
use crate::wiring::{EventRule, Target, Trigger, Wiring};

/// The `source` of events that functions put themselves.
const OWN_SOURCE: &str = "rectify";

/// The rule and queue through which our own events can be read; the name is ours alone.
const ANNOUNCEMENTS: &str = "rectify-local-announcements";

/// Why the bus cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// A call that the backend refused.
    #[error("bus: {operation}: `{subject}`: {why}")]
    Call {
        /// The operation, with its service.
        operation: &'static str,
        /// What it was called for.
        subject: String,
        /// The whole chain of causes.
        why: String,
    },
    /// The event rule has no schedule, or there is none of this name.
    #[error("bus: event rule `{0}`: no such rule with a schedule")]
    NoSchedule(String),
    /// A message that is no event.
    #[error("bus: queue `{queue}`: message is no event: {why}")]
    Message {
        /// The queue's name.
        queue: String,
        /// What is wrong.
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

/// A queue of ours, and who is told of what arrives in it.
#[derive(Debug)]
struct Bridge {
    name: String,
    url: String,
    /// Function and constant input; none for the announcements.
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
    /// Behind a lock that is held while messages are carried, so that nobody sees an empty queue and an event on its way.
    bridges: tokio::sync::Mutex<Vec<Bridge>>,
    /// Behind a lock for the same reason.
    fed: tokio::sync::Mutex<Vec<fed::SqsEventSource>>,
    announcements: Mutex<Vec<Announcement>>,
}

impl Bus {
    /// Creates the template's queues and event rules, and a queue for each rule that has functions as targets.
    ///
    /// # Errors
    /// The first call the backend refuses.
    pub async fn start(
        events: aws_sdk_eventbridge::Client,
        sqs: aws_sdk_sqs::Client,
        host: Host,
        account: &str,
        wiring: &Wiring,
    ) -> Result<Self, BusError> {
        let bus = Self {
            events,
            sqs,
            host,
            account: account.to_owned(),
            scheduled: wiring
                .event_rules
                .iter()
                .filter(|rule| matches!(rule.trigger, Trigger::Schedule(_)))
                .cloned()
                .collect(),
            bridges: tokio::sync::Mutex::default(),
            fed: tokio::sync::Mutex::default(),
            announcements: Mutex::default(),
        };
        // Those that others lead to come first.
        for queue in wiring.queues.iter().filter(|queue| queue.redrive.is_none()) {
            bus.create_queue(&queue.name).await?;
        }
        for queue in &wiring.queues {
            if let Some(redrive) = &queue.redrive {
                bus.create_queue_before(&queue.name, redrive).await?;
            }
        }
        bus.feed_from(&wiring.mappings).await?;
        let mut bridges = vec![bus.bridge(ANNOUNCEMENTS, Vec::new()).await?];
        bus.put_rule(
            ANNOUNCEMENTS,
            &json!({ "source": [OWN_SOURCE] }),
            vec![bus.queue_target(0, ANNOUNCEMENTS).await?],
        )
        .await?;
        for rule in wiring.event_rules.iter().filter(|rule| rule.enabled) {
            if let Trigger::Pattern(pattern) = &rule.trigger {
                bridges.extend(bus.connect(rule, pattern).await?);
            }
        }
        *bus.bridges.lock().await = bridges;
        Ok(bus)
    }

    /// Puts a compliance change on the bus, as AWS Config does.
    ///
    /// # Errors
    /// The backend refuses the event.
    pub async fn publish(&self, change: &ComplianceChange) -> Result<(), BusError> {
        self.put_event(ComplianceChange::SOURCE, ComplianceChange::DETAIL_TYPE, &change.detail).await
    }

    /// Puts any event on the bus; unlike AWS, moto takes events of `aws.*` from everyone.
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

    /// Puts a text into a queue of the template, given by its ARN.
    ///
    /// # Errors
    /// There is no such queue.
    pub async fn send(&self, queue_arn: &str, text: &str) -> Result<(), BusError> {
        let name = queue_arn.rsplit(':').next().unwrap_or_default();
        let url = self.sqs.get_queue_url().queue_name(name).send().await.map_err(call("sqs:GetQueueUrl", queue_arn))?;
        let sent = self.sqs.send_message().set_queue_url(url.queue_url).message_body(text).send().await;
        sent.map(|_| ()).map_err(call("sqs:SendMessage", queue_arn))
    }

    /// Carries what lies in the queues to the functions; the answer is how many events were carried.
    ///
    /// # Errors
    /// A call the backend refuses, or a target that is not deployed; what was not carried stays in its queue.
    pub async fn drain(&self) -> Result<usize, BusError> {
        let bridges = self.bridges.lock().await;
        let mut carried = 0;
        for bridge in bridges.iter() {
            carried += self.empty(bridge).await?;
        }
        drop(bridges);
        Ok(carried + self.feed().await?)
    }

    /// What functions have put on the bus so far, oldest first.
    #[must_use]
    pub fn announcements(&self) -> Vec<Announcement> {
        self.announcements.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The event rules with a schedule; time does not pass here, so they start when [`Bus::fire`] says so.
    #[must_use]
    pub fn scheduled(&self) -> &[EventRule] {
        &self.scheduled
    }

    /// Starts an event rule as if its time had come.
    ///
    /// # Errors
    /// There is no such scheduled rule, or a target is not deployed.
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

    async fn connect(&self, rule: &EventRule, pattern: &Value) -> Result<Option<Bridge>, BusError> {
        let mut functions = Vec::new();
        let mut targets = Vec::new();
        for target in &rule.targets {
            match target {
                Target::Function { name, input } => functions.push((name.clone(), input.clone())),
                Target::Queue(queue) => targets.push(self.queue_target(targets.len(), queue).await?),
            }
        }
        let mut bridge = None;
        if !functions.is_empty() {
            let name = format!("rectify-local-{}", rule.logical_id);
            bridge = Some(self.bridge(&name, functions).await?);
            targets.push(self.queue_target(targets.len(), &name).await?);
        }
        self.put_rule(&rule.name, pattern, targets).await?;
        Ok(bridge)
    }

    async fn bridge(&self, name: &str, functions: Vec<(String, Option<Value>)>) -> Result<Bridge, BusError> {
        Ok(Bridge { name: name.to_owned(), url: self.create_queue(name).await?, functions })
    }

    async fn create_queue(&self, name: &str) -> Result<String, BusError> {
        let answer = self.sqs.create_queue().queue_name(name).send().await.map_err(call("sqs:CreateQueue", name))?;
        answer.queue_url.ok_or_else(|| missing("sqs:CreateQueue", name, "QueueUrl"))
    }

    async fn queue_target(&self, position: usize, queue: &str) -> Result<BusTarget, BusError> {
        use aws_sdk_sqs::types::QueueAttributeName::QueueArn;
        let url = self.sqs.get_queue_url().queue_name(queue).send().await.map_err(call("sqs:GetQueueUrl", queue))?;
        let asked = self.sqs.get_queue_attributes().set_queue_url(url.queue_url).attribute_names(QueueArn);
        let answer = asked.send().await.map_err(call("sqs:GetQueueAttributes", queue))?;
        let arn = answer
            .attributes()
            .and_then(|all| all.get(&QueueArn))
            .ok_or_else(|| missing("sqs:GetQueueAttributes", queue, "QueueArn"))?;
        BusTarget::builder()
            .id(format!("target-{position}"))
            .arn(arn)
            .build()
            .map_err(|fault| missing("events:PutTargets", queue, &fault.to_string()))
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
            Some(failed) => Err(missing("events:PutTargets", name, failed.error_message().unwrap_or_default())),
        }
    }

    async fn empty(&self, bridge: &Bridge) -> Result<usize, BusError> {
        let mut carried = 0;
        loop {
            let asked =
                self.sqs.receive_message().queue_url(&bridge.url).max_number_of_messages(10).wait_time_seconds(0);
            let answer = asked.send().await.map_err(call("sqs:ReceiveMessage", &bridge.name))?;
            if answer.messages().is_empty() {
                return Ok(carried);
            }
            for message in answer.messages() {
                let body = message.body().unwrap_or_default();
                let event: Value = serde_json::from_str(body)
                    .map_err(|fault| BusError::Message { queue: bridge.name.clone(), why: fault.to_string() })?;
                self.carry(bridge, event)?;
                let done =
                    self.sqs.delete_message().queue_url(&bridge.url).set_receipt_handle(message.receipt_handle.clone());
                done.send().await.map_err(call("sqs:DeleteMessage", &bridge.name))?;
                carried += 1;
            }
        }
    }

    fn carry(&self, bridge: &Bridge, mut event: Value) -> Result<(), BusError> {
        if bridge.functions.is_empty() {
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
        for (function, input) in &bridge.functions {
            self.host.enqueue(function, input.clone().unwrap_or_else(|| event.clone()))?;
        }
        Ok(())
    }

    /// The event of a schedule, in EventBridge's shape; its time has second precision, as there.
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

/// SerializedCalls a failed call into the error that names it.
fn call<E: std::error::Error + Send + Sync + 'static>(
    operation: &'static str,
    subject: &str,
) -> impl FnOnce(E) -> BusError {
    move |fault| BusError::Call { operation, subject: subject.to_owned(), why: DisplayErrorContext(&fault).to_string() }
}

fn missing(operation: &'static str, subject: &str, what: &str) -> BusError {
    BusError::Call { operation, subject: subject.to_owned(), why: format!("the answer says: {what}") }
}
