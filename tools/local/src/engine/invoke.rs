//! Who is invoked, and when: the engine's reactions to items, schedules and requests.

use serde_json::Value;

use super::error::{ApiError, EngineError};
use super::item::{Item, ResourceKey};
use super::results::Evaluated;
use super::rule::{Message, Rule};
use super::{ComplianceChange, Engine, Invocation, Shared, State, diff, notice};

/// What an item set in motion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The rules that were invoked.
    pub invoked: Vec<String>,
    /// Change rules in whose scope the item is, but which do not subscribe to its message: AWS loses the change silently.
    pub unheard: Vec<String>,
}

impl Engine {
    /// Records an item in the notification shape and invokes the change rules that it concerns.
    ///
    /// An item of more than 256 KB is announced by summary only.
    /// A resource that is gone or lost the rule's tag is announced with `eventLeftScope: true`.
    ///
    /// # Errors
    /// An item of another shape, or not newer than the last one of its resource.
    pub fn record(&self, item: Value) -> Result<Recorded, EngineError> {
        let item = Item::parse(item)?;
        let mut state = self.lock();
        self.shared.record(&mut state, item)
    }

    /// Records that a resource is gone.
    ///
    /// # Errors
    /// The resource was never recorded, or is recorded as gone.
    pub fn record_deleted(&self, key: &ResourceKey) -> Result<Recorded, EngineError> {
        let mut state = self.lock();
        let last = state.history.latest(key).filter(|item| !item.deleted);
        let gone = last.ok_or_else(|| EngineError::NotRecorded(key.clone()))?.gone(self.shared.clock.now());
        self.shared.record(&mut state, gone)
    }

    /// Invokes a periodic rule as if its period were over.
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

    /// Invokes every rule that waits for snapshots, as if one had been delivered to `bucket` under `object_key`.
    ///
    /// # Errors
    /// Nobody holds the other end of the invocations.
    pub fn deliver_snapshot(&self, bucket: &str, object_key: &str) -> Result<(), EngineError> {
        let state = self.lock();
        for rule in state.rules.values().filter(|rule| rule.subscribes(Message::Snapshot)) {
            let created = self.shared.clock.now();
            let notification = notice::snapshot(bucket, object_key, &crate::request_id::next(), created);
            self.shared.invoke(rule, Message::Snapshot, &notification, None, false)?;
        }
        Ok(())
    }

    /// Evaluates a rule anew: a periodic run if it is periodic, and every recorded resource in scope if it hears changes.
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
        self.clock.pass(item.captured);
        let (previous, item) = state.history.record(item)?;
        let diff = diff::between(previous.as_deref(), &item);
        let (message, notification) = self.notification(state, previous.as_deref(), &item, &diff);
        state.recording.succeed(self.clock.now());
        let mut recorded = Recorded::default();
        for rule in state.rules.values() {
            let Some(left_scope) = reach(rule, previous.as_deref(), &item) else { continue };
            if rule.subscribes(message) {
                self.invoke(rule, message, &notification, Some(&item.key), left_scope)?;
                recorded.invoked.push(rule.name.clone());
            } else if rule.subscribes(Message::Change) || rule.subscribes(Message::Oversized) {
                recorded.unheard.push(rule.name.clone());
            }
        }
        Ok(recorded)
    }

    /// The periodic run and the look at every live resource in scope that `StartConfigRulesEvaluation` asks for.
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
        let notification = notice::scheduled(&self.settings.account, self.clock.now());
        self.invoke(rule, Message::Scheduled, &notification, None, false)
    }

    fn notification(&self, state: &State, previous: Option<&Item>, item: &Item, diff: &Value) -> (Message, Value) {
        let created = self.clock.now();
        let size = item.notification().to_string().len();
        if size > notice::LARGEST_ITEM || state.oversized.contains(&item.key) {
            (Message::Oversized, notice::oversized(previous, item, created))
        } else {
            (Message::Change, notice::change(item, diff, created))
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
            event: notice::rule_event(&self.settings, rule, notification, &token, left_scope),
        };
        self.invocations.send(invocation).map_err(|_| ApiError::nobody_listens("invocations"))
    }

    /// Puts a transition on its way to the event bus.
    pub(super) fn announce(
        &self,
        rule: &Rule,
        resource: ResourceKey,
        new: Evaluated,
        old: Option<Evaluated>,
    ) -> Result<(), ApiError> {
        let created = self.clock.now();
        let detail = notice::compliance_change(&self.settings, rule, &resource, &new, old.as_ref(), created);
        let change = ComplianceChange { rule: rule.name.clone(), resource, new, old, detail };
        self.changes.send(change).map_err(|_| ApiError::nobody_listens("compliance changes"))
    }
}

/// Whether an item concerns a rule and, if so, whether the resource thereby left the rule's scope.
fn reach(rule: &Rule, previous: Option<&Item>, item: &Item) -> Option<bool> {
    if !item.deleted && rule.covers(item) {
        return Some(false);
    }
    // A gone resource has no tags any more: what counts is where it was.
    let last = previous.filter(|previous| !previous.deleted).unwrap_or(item);
    rule.covers(last).then_some(true)
}

#[cfg(test)]
#[path = "invoke_tests.rs"]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests;
