//! Rule invocations: the engine's reactions to items, schedules and requests.

use serde_json::Value;

use super::error::{ApiError, EngineError};
use super::item::{Item, ResourceKey};
use super::results::Evaluated;
use super::rule::{Message, Rule};
use super::{ComplianceChange, Engine, Invocation, Shared, State, diff, notification};

/// The result of recording an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The rules that it invoked.
    pub invoked: Vec<String>,
    /// Change-triggered rules with the item in scope that do not subscribe to its message type: as in AWS, they miss
    /// the change.
    pub unsubscribed: Vec<String>,
}

impl Engine {
    /// Records an item in the notification shape and invokes the change-triggered rules with the resource in scope.
    ///
    /// An item of more than 256 KB is sent as an oversized notification.
    /// A resource that was deleted or lost the rule's tag is sent with `eventLeftScope: true`.
    ///
    /// # Errors
    /// An invalid item, or one that is not newer than the resource's last item.
    pub fn record(&self, item: Value) -> Result<Recorded, EngineError> {
        let item = Item::parse(item)?;
        let mut state = self.lock();
        self.shared.record(&mut state, item)
    }

    /// Records the deletion of a resource.
    ///
    /// # Errors
    /// The resource was never recorded, or is recorded as deleted.
    pub fn record_deleted(&self, key: &ResourceKey) -> Result<Recorded, EngineError> {
        let mut state = self.lock();
        let last = state.history.latest(key).filter(|item| !item.deleted);
        let deletion = last.ok_or_else(|| EngineError::NotRecorded(key.clone()))?.deletion(self.shared.clock.now());
        self.shared.record(&mut state, deletion)
    }

    /// Invokes a periodic rule now.
    ///
    /// # Errors
    /// `NoSuchConfigRuleException`, or `InvalidParameterValueException` for a rule without `ScheduledNotification`.
    pub fn start_schedule(&self, rule: &str) -> Result<(), EngineError> {
        let state = self.lock();
        let rule = state.rule(rule)?;
        if !rule.subscribes(Message::Scheduled) {
            let why = format!("local engine: rule {} has no message type {}", rule.name, Message::Scheduled.name());
            return Err(ApiError::invalid_parameter(why).into());
        }
        Ok(self.shared.schedule(rule)?)
    }

    /// Invokes every rule with `ConfigurationSnapshotDeliveryCompleted` for a snapshot in `bucket` under `object_key`.
    ///
    /// # Errors
    /// The receiver of the invocations is dropped.
    pub fn deliver_snapshot(&self, bucket: &str, object_key: &str) -> Result<(), EngineError> {
        let state = self.lock();
        for rule in state.rules.values().filter(|rule| rule.subscribes(Message::Snapshot)) {
            let created = self.shared.clock.now();
            let notification = notification::snapshot(bucket, object_key, &crate::request_id::next(), created);
            self.shared.invoke(rule, Message::Snapshot, &notification, None, false)?;
        }
        Ok(())
    }

    /// Evaluates a rule as `StartConfigRulesEvaluation` does: a periodic run if it is periodic, and every recorded
    /// resource in scope if it is change-triggered.
    ///
    /// # Errors
    /// `NoSuchConfigRuleException`.
    pub fn evaluate(&self, rule: &str) -> Result<(), EngineError> {
        let state = self.lock();
        Ok(self.shared.evaluate(&state, state.rule(rule)?)?)
    }
}

impl Shared {
    fn record(&self, state: &mut State, item: Item) -> Result<Recorded, EngineError> {
        self.clock.advance_to(item.captured);
        let (previous, item) = state.history.record(item)?;
        let diff = diff::between(previous.as_deref(), &item);
        let (message, notification) = self.notification(state, previous.as_deref(), &item, &diff);
        state.recording.succeed(self.clock.now());
        let mut recorded = Recorded::default();
        for rule in state.rules.values() {
            let Some(left_scope) = left_scope(rule, previous.as_deref(), &item) else { continue };
            if rule.subscribes(message) {
                self.invoke(rule, message, &notification, Some(&item.key), left_scope)?;
                recorded.invoked.push(rule.name.clone());
            } else if rule.subscribes(Message::Change) || rule.subscribes(Message::Oversized) {
                recorded.unsubscribed.push(rule.name.clone());
            }
        }
        Ok(recorded)
    }

    /// Starts the periodic run, and an evaluation of every live resource in scope.
    pub(super) fn evaluate(&self, state: &State, rule: &Rule) -> Result<(), ApiError> {
        if rule.subscribes(Message::Scheduled) {
            self.schedule(rule)?;
        }
        for item in state.history.all_latest().filter(|item| !item.deleted && rule.covers(item)) {
            let (message, notification) = self.notification(state, Some(item), item, &Value::Null);
            if rule.subscribes(message) {
                self.invoke(rule, message, &notification, Some(&item.key), false)?;
            }
        }
        Ok(())
    }

    fn schedule(&self, rule: &Rule) -> Result<(), ApiError> {
        let notification = notification::scheduled(&self.settings.account, self.clock.now());
        self.invoke(rule, Message::Scheduled, &notification, None, false)
    }

    fn notification(&self, state: &State, previous: Option<&Item>, item: &Item, diff: &Value) -> (Message, Value) {
        let created = self.clock.now();
        let size = item.notification().to_string().len();
        if size > notification::MAX_ITEM_SIZE || state.oversized.contains(&item.key) {
            (Message::Oversized, notification::oversized(previous, item, created))
        } else {
            (Message::Change, notification::change(item, diff, created))
        }
    }

    fn invoke(
        &self,
        rule: &Rule,
        message: Message,
        notification: &Value,
        resource: Option<&ResourceKey>,
        left_scope: bool,
    ) -> Result<(), ApiError> {
        let token = self.tokens.issue(&rule.id, self.clock.now());
        let invocation = Invocation {
            function_arn: rule.function.clone(),
            rule: rule.name.clone(),
            message,
            resource: resource.cloned(),
            event: notification::rule_event(&self.settings, rule, notification, &token, left_scope),
        };
        self.invocations.send(invocation).map_err(|_| ApiError::receiver_dropped("invocations"))
    }

    /// Sends a compliance change for the event bus.
    pub(super) fn announce(
        &self,
        rule: &Rule,
        resource: ResourceKey,
        new: Evaluated,
        old: Option<Evaluated>,
    ) -> Result<(), ApiError> {
        let created = self.clock.now();
        let detail = notification::compliance_change(&self.settings, rule, &resource, &new, old.as_ref(), created);
        let change = ComplianceChange { rule: rule.name.clone(), resource, new, old, detail };
        self.changes.send(change).map_err(|_| ApiError::receiver_dropped("compliance changes"))
    }
}

/// Whether the resource left the rule's scope with this item; none if it was not in scope.
fn left_scope(rule: &Rule, previous: Option<&Item>, item: &Item) -> Option<bool> {
    if !item.deleted && rule.covers(item) {
        return Some(false);
    }
    // A deleted resource has no tags: its last item decides.
    let last = previous.filter(|previous| !previous.deleted).unwrap_or(item);
    rule.covers(last).then_some(true)
}

#[cfg(test)]
#[path = "invoke_tests.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
