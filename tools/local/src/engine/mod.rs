//! AWS Config's engine: rules, items, invocations, results, compliance changes and recorder, over AWS Config's own wire.
//!
//! It knows nothing of functions, of the emulator behind the other services, or of any control.
//! What it wants done it puts into two channels ([`EngineOutputs`]); whoever holds their ends runs functions and sends events.
//! The channels are unbounded on purpose: a function that the driver runs calls back into the engine, so an engine that
//! waited for its driver would wait for itself.
//!
//! As in AWS: putting a rule evaluates it at once; a rule hears only the messages its source lists; compliance changes are
//! sent on a transition only. Not as in AWS: deleting a rule is instant, `StartConfigRulesEvaluation` may be called more
//! than once a minute (inject a [`Fault`] to see the refusal), and the recording group is kept and told, but not obeyed.

mod api;
mod clock;
mod definition;
mod diff;
mod error;
mod fault;
mod history;
mod invoke;
mod item;
mod notice;
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

/// Whose AWS Config this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSettings {
    /// Twelve digits.
    pub account: String,
    /// For example `us-east-1`.
    pub region: String,
    /// `aws`, `aws-cn` or `aws-us-gov`; stands in every ARN the engine makes.
    pub partition: String,
}

/// The ends of the engine's two channels. Drop neither while the engine is used: it refuses to lose what it sends.
#[derive(Debug)]
pub struct EngineOutputs {
    /// Functions to invoke.
    pub invocations: mpsc::UnboundedReceiver<Invocation>,
    /// Compliance changes to put on the event bus.
    pub changes: mpsc::UnboundedReceiver<ComplianceChange>,
}

/// A rule's function to invoke, asynchronously, as AWS Config does it.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The ARN in the rule's `SourceIdentifier`.
    pub function_arn: String,
    /// The rule's name.
    pub rule: String,
    /// Why it is invoked.
    pub message: Message,
    /// The resource it is about; none for a periodic run.
    pub resource: Option<ResourceKey>,
    /// The whole event, as the function gets it.
    pub event: Value,
}

/// A resource whose compliance with a rule changed, or was judged for the first time.
#[derive(Debug, Clone, PartialEq)]
pub struct ComplianceChange {
    /// The rule's name.
    pub rule: String,
    /// The resource that was judged.
    pub resource: ResourceKey,
    /// What it is now.
    pub new: Evaluated,
    /// What it was; none for the first result.
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
    /// Counts rules ever put, so that a rule put again after its deletion gets another id.
    rules_made: u64,
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
            rules_made: 0,
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
    /// An engine without rules and items, and the ends of its channels.
    pub fn new(settings: EngineSettings) -> (Self, EngineOutputs) {
        let (invocations, invocations_end) = mpsc::unbounded_channel();
        let (changes, changes_end) = mpsc::unbounded_channel();
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
        let outputs = EngineOutputs { invocations: invocations_end, changes: changes_end };
        (Self { shared: Arc::new(shared) }, outputs)
    }

    /// Whose AWS Config this is.
    pub fn settings(&self) -> &EngineSettings {
        &self.shared.settings
    }

    /// The engine's time: every reading is later than all before it, by at least a millisecond.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Puts a rule as `PutConfigRule` does, and starts its first evaluation.
    ///
    /// # Errors
    /// AWS Config's refusal of the definition.
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

    /// All rules, in the order of their names, as `DescribeConfigRules` gives them.
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

    /// The newest item of a resource in the notification shape, also one that says the resource is gone.
    pub fn latest(&self, key: &ResourceKey) -> Option<Value> {
        self.lock().history.latest(key).map(|item| item.notification().clone())
    }

    /// The resources of a type that are recorded and not gone.
    pub fn recorded(&self, resource_type: &str) -> Vec<ResourceKey> {
        let state = self.lock();
        let live = state.history.all_latest().filter(|item| !item.deleted && item.key.resource_type == resource_type);
        live.map(|item| item.key.clone()).collect()
    }

    /// Whether AWS Config's recorder is on; while it is off, whoever observes resources for this engine must not.
    pub fn is_recording(&self) -> bool {
        self.lock().recording.is_recording()
    }

    /// Stops AWS Config's recorder as if somebody had called `StopConfigurationRecorder` at `at`.
    pub fn stop_recorder(&self, at: Timestamp) {
        self.lock().recording.stop(at);
    }

    /// From now on announces this resource by summary only, as if its item were too big to send.
    pub fn force_oversized(&self, key: ResourceKey) {
        self.lock().oversized.insert(key);
    }

    /// Makes the next `times` calls of an operation answer with a fault, after those injected before.
    pub fn inject(&self, operation: Operation, times: usize, fault: &Fault) {
        self.lock().faults.add(operation, times, fault);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not turn every later answer into a panic; each change of the state is one step.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
