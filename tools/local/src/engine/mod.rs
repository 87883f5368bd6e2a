//! The AWS Config engine: rules, items, invocations, results, compliance changes and recorder, behind AWS Config's API.
//!
//! It knows nothing about functions, the emulator of the other services, or any control. It sends invocations and
//! compliance changes to two channels ([`EngineOutputs`]); the receiver runs functions and publishes events. The
//! channels are unbounded: a function that the receiver runs calls the engine, so an engine that waited for its
//! receiver would deadlock.
//!
//! As in AWS, putting a rule evaluates it at once, a rule is invoked only for the message types in its source, and a
//! compliance change is sent on a transition only. Unlike AWS, deleting a rule is instant, `StartConfigRulesEvaluation`
//! may be called more than once a minute (inject a [`Fault`] to test the error), and the recording group is stored and
//! described but has no effect.

mod api;
mod clock;
mod definition;
mod diff;
mod error;
mod fault;
mod history;
mod invoke;
mod item;
mod notification;
mod page;
mod recording;
mod results;
mod rule;
mod server;
mod shape;
mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;

pub use self::definition::{ConfigRule, Mode, Scope, Source, SourceDetail};
pub use self::error::{ApiError, EngineError};
pub use self::fault::{Fault, Operation};
pub use self::invoke::Recorded;
pub use self::item::ResourceKey;
pub use self::results::{Compliance, Evaluated};
pub use self::rule::Message;

use self::clock::Clock;
use self::fault::Faults;
use self::history::History;
use self::recording::Recording;
use self::results::Results;
use self::rule::Rule;
use self::token::Tokens;

/// The account and region of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSettings {
    /// 12 digits.
    pub account: String,
    /// For example `us-east-1`.
    pub region: String,
    /// `aws`, `aws-cn` or `aws-us-gov`; part of every ARN that the engine creates.
    pub partition: String,
}

/// The receivers of the engine's two channels. Keep both while the engine is used: it fails if it cannot send.
#[derive(Debug)]
pub struct EngineOutputs {
    /// Functions to invoke.
    pub invocations: mpsc::UnboundedReceiver<Invocation>,
    /// Compliance changes to put on the event bus.
    pub changes: mpsc::UnboundedReceiver<ComplianceChange>,
}

/// An asynchronous invocation of a rule's function.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The ARN in the rule's `SourceIdentifier`.
    pub function_arn: String,
    /// The rule's name.
    pub rule: String,
    /// The message type it is invoked for.
    pub message: Message,
    /// The resource it is about; none for a periodic run.
    pub resource: Option<ResourceKey>,
    /// The event for the function.
    pub event: Value,
}

/// A change of a resource's compliance with a rule, or its first result.
#[derive(Debug, Clone, PartialEq)]
pub struct ComplianceChange {
    /// The rule's name.
    pub rule: String,
    /// The evaluated resource.
    pub resource: ResourceKey,
    /// The new result.
    pub new: Evaluated,
    /// The old result; none for the first one.
    pub old: Option<Evaluated>,
    /// The event's `detail`.
    pub detail: Value,
}

impl ComplianceChange {
    /// The event's `source`.
    pub const SOURCE: &str = "aws.config";
    /// The event's `detail-type`.
    pub const DETAIL_TYPE: &str = "Config Rules Compliance Change";
}

/// AWS Config. Clones share one state.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: EngineSettings,
    clock: Clock,
    tokens: Tokens,
    invocations: mpsc::UnboundedSender<Invocation>,
    changes: mpsc::UnboundedSender<ComplianceChange>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rules: BTreeMap<String, Rule>,
    /// The number of rules ever created, so that a rule created again after its deletion gets a new id.
    rules_created: u64,
    history: History,
    results: Results,
    faults: Faults,
    oversized: BTreeSet<ResourceKey>,
    recording: Recording,
}

impl State {
    fn new(recording: Recording) -> Self {
        Self {
            rules: BTreeMap::default(),
            rules_created: 0,
            history: History::default(),
            results: Results::default(),
            faults: Faults::default(),
            oversized: BTreeSet::default(),
            recording,
        }
    }

    fn rule(&self, name: &str) -> Result<&Rule, ApiError> {
        self.rules.get(name).ok_or_else(|| ApiError::no_such_rule(name))
    }
}

impl Engine {
    /// An engine without rules and items, and the receivers of its channels.
    pub fn new(settings: EngineSettings) -> (Self, EngineOutputs) {
        let (invocations, invocations_receiver) = mpsc::unbounded_channel();
        let (changes, changes_receiver) = mpsc::unbounded_channel();
        let clock = Clock::default();
        let recording = Recording::healthy(&settings, clock.now());
        let shared = Shared {
            settings,
            clock,
            tokens: Tokens::default(),
            invocations,
            changes,
            state: Mutex::new(State::new(recording)),
        };
        let outputs = EngineOutputs { invocations: invocations_receiver, changes: changes_receiver };
        (Self { shared: Arc::new(shared) }, outputs)
    }

    /// The account and region of the engine.
    pub fn settings(&self) -> &EngineSettings {
        &self.shared.settings
    }

    /// The engine's time: each reading is at least a millisecond later than the one before.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Puts a rule as `PutConfigRule` does, and starts its first evaluation.
    ///
    /// # Errors
    /// AWS Config's error for an invalid definition.
    pub fn put_rule(&self, rule: ConfigRule) -> Result<(), EngineError> {
        Ok(api::put_rule(self, rule)?)
    }

    /// Deletes a rule and its results.
    ///
    /// # Errors
    /// `NoSuchConfigRuleException`.
    pub fn delete_rule(&self, name: &str) -> Result<(), EngineError> {
        Ok(api::delete_rule(self, name)?)
    }

    /// All rules, by name, as `DescribeConfigRules` returns them.
    pub fn rules(&self) -> Vec<ConfigRule> {
        self.lock().rules.values().map(Rule::describe).collect()
    }

    /// The stored results of one rule; empty for an unknown rule.
    pub fn results(&self, rule: &str) -> Vec<(ResourceKey, Evaluated)> {
        let state = self.lock();
        state.results.of_rule(rule).map(|(key, result)| (key.clone(), result.clone())).collect()
    }

    /// The stored result of one rule about one resource.
    pub fn result(&self, rule: &str, key: &ResourceKey) -> Option<Evaluated> {
        let state = self.lock();
        state.results.of_rule(rule).find(|(candidate, _)| *candidate == key).map(|(_, result)| result.clone())
    }

    /// The newest item of a resource in the notification shape, including one that records its deletion.
    pub fn latest(&self, key: &ResourceKey) -> Option<Value> {
        self.lock().history.latest(key).map(|item| item.notification().clone())
    }

    /// The recorded resources of a type, without deleted ones.
    pub fn recorded(&self, resource_type: &str) -> Vec<ResourceKey> {
        let state = self.lock();
        let live = state.history.all_latest().filter(|item| !item.deleted && item.key.resource_type == resource_type);
        live.map(|item| item.key.clone()).collect()
    }

    /// Whether AWS Config's recorder is on; while it is off, resources must not be read for this engine.
    pub fn is_recording(&self) -> bool {
        self.lock().recording.is_recording()
    }

    /// Stops AWS Config's recorder as `StopConfigurationRecorder` does, at the time `at`.
    pub fn stop_recorder(&self, at: Timestamp) {
        self.lock().recording.stop(at);
    }

    /// Sends oversized notifications for this resource from now on, as if its item were too big.
    pub fn force_oversized(&self, key: ResourceKey) {
        self.lock().oversized.insert(key);
    }

    /// Injects a fault into the next `times` calls of an operation, after the faults injected before.
    pub fn inject(&self, operation: Operation, times: usize, fault: &Fault) {
        self.lock().faults.add(operation, times, fault);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not make every later call panic; each change of the state is one step.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
