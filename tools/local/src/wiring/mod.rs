//! What is deployed, read from the template that deploys it, so that local and deployed cannot drift.
//!
//! [`Wiring::read`] resolves the template for one set of parameters and keeps what has a meaning here: functions with their
//! roles, Config rules, event rules, tables and queues. What has none is listed in [`Wiring::ignored`]; what is not known at all is an
//! error, and so are an intrinsic this resolver does not have and an invocation nobody permitted.

mod intrinsics;
mod resources;
mod roles;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::engine::ConfigRule;
use crate::iam::policy::Statement;
pub use template::Deployment;

/// Why a template cannot be wired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WiringError {
    /// Not YAML, or no template.
    #[error("template: {0}")]
    Template(String),
    /// A parameter without a value, unknown, or with a value the template does not allow.
    #[error("template: parameter `{name}`: {why}")]
    Parameter {
        /// The parameter.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// An expression that cannot be resolved.
    #[error("template: {place}: {why}")]
    Expression {
        /// Where it stands: a condition or a resource with the way into it.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// A resource of a type without an entry in the table of types.
    #[error("template: resource `{resource}`: type `{kind}` is not known here: wire it or list it as ignored")]
    UnknownType {
        /// Its logical id.
        resource: String,
        /// Its type.
        kind: String,
    },
    /// A property that is missing or has another shape than AWS gives it.
    #[error("template: resource `{resource}`: `{property}`: {why}")]
    Property {
        /// Its logical id.
        resource: String,
        /// The property.
        property: String,
        /// What is wrong.
        why: String,
    },
    /// Deployed, the caller would be refused.
    #[error("template: `{caller}` may not invoke function `{function}`: no AWS::Lambda::Permission for {principal}")]
    NotPermitted {
        /// The Config rule's or event rule's name.
        caller: String,
        /// The function's name.
        function: String,
        /// The service that invokes.
        principal: &'static str,
    },
}

/// A function to deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Function {
    /// Its id in the template.
    pub logical_id: String,
    /// Its name, at most 64 characters.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The name of its program: the last part of `CodeUri`.
    pub binary: String,
    /// Its own variables.
    pub environment: BTreeMap<String, String>,
    /// How long one invocation may take; 3 s where the template says nothing.
    pub timeout: Duration,
    /// MiB; 128 where the template says nothing.
    pub memory: u32,
    /// Attempts after the first of an asynchronous event, 0..=2.
    pub retries: u32,
    /// Where an event goes that failed in every attempt.
    pub on_failure: Option<OnFailure>,
    /// The ARN of its role; SAM makes one where the template says nothing.
    pub role: Option<String>,
}

/// Where Lambda sends an event that failed in every attempt, and in what shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum OnFailure {
    /// An on-failure destination (ARN): gets Lambda's record with the event and the error.
    Destination(String),
    /// A dead-letter queue (ARN): gets the event alone.
    DeadLetterQueue(String),
}

/// A Config rule to put.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id in the template.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// The name of the function that judges.
    pub function: String,
    /// The rule as `PutConfigRule` takes it.
    pub definition: ConfigRule,
}

/// What starts an event rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Trigger {
    /// Events that match this pattern.
    Pattern(Value),
    /// A schedule, e.g. `rate(1 hour)`.
    Schedule(String),
}

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Target {
    /// A function, by its name, which gets the event or the constant input instead.
    Function {
        /// Its name.
        name: String,
        /// What it gets in the event's place.
        input: Option<Value>,
    },
    /// A queue, by its name.
    Queue(String),
}

/// An event rule of the default bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventRule {
    /// Its id in the template.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// What starts it.
    pub trigger: Trigger,
    /// Who is told, in the template's order.
    pub targets: Vec<Target>,
    /// `State` is not `DISABLED`.
    pub enabled: bool,
}

/// A name and how it is used: `(pk, HASH)` in a key, `(pk, S)` as an attribute.
pub type Named = (String, String);

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key: attribute and `HASH` or `RANGE`.
    pub key: Vec<Named>,
    /// `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection: String,
    /// The attributes of `INCLUDE`.
    pub attributes: Vec<String>,
}

/// A DynamoDB table to create, billed by request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its id in the template.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// Attribute and type, `S`, `N` or `B`.
    pub attributes: Vec<Named>,
    /// Attribute and `HASH` or `RANGE`.
    pub key: Vec<Named>,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// The attribute that holds the expiry, if items expire.
    pub time_to_live: Option<String>,
}

/// A queue to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// Its id in the template.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Where a message goes that was received too often.
    pub redrive: Option<Redrive>,
}

/// The dead-letter queue of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redrive {
    /// Its ARN.
    pub arn: String,
    /// How often a message is received before.
    pub most: u32,
}

/// A queue whose messages invoke a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// Its id in the template.
    pub logical_id: String,
    /// The queue's name.
    pub queue: String,
    /// The function's name.
    pub function: String,
    /// The most messages of one invocation; 10 where the template says nothing.
    pub batch: u32,
    /// Whether the function's answer says which messages failed; otherwise they fail with the invocation.
    pub partial: bool,
}

/// A template for one set of parameters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wiring {
    /// Every function, by logical id.
    pub functions: Vec<Function>,
    /// Every Config rule, by logical id.
    pub rules: Vec<Rule>,
    /// Every event rule, by logical id.
    pub event_rules: Vec<EventRule>,
    /// Every table, by logical id.
    pub tables: Vec<Table>,
    /// Every queue, by logical id.
    pub queues: Vec<Queue>,
    /// Every queue that invokes a function, by logical id.
    pub mappings: Vec<Mapping>,
    /// What each role may do, by its ARN.
    pub roles: BTreeMap<String, Vec<Statement>>,
    /// `logical id (type)` of what exists there and has no meaning here.
    pub ignored: Vec<String>,
}

impl Wiring {
    /// Resolves a template for a deployment.
    ///
    /// # Errors
    /// [`WiringError`], naming the place in the template.
    pub fn read(template: &str, deployment: &Deployment) -> Result<Self, WiringError> {
        let template = template::Template::parse(template, deployment)?;
        resources::wire(&intrinsics::Resolver::new(&template, deployment))
    }

    /// The name of each table's partition key, by the table's name.
    #[must_use]
    pub fn partition_keys(&self) -> BTreeMap<String, String> {
        let key = |table: &Table| {
            let (name, _) = table.key.iter().find(|(_, kind)| kind == "HASH")?;
            Some((table.name.clone(), name.clone()))
        };
        self.tables.iter().filter_map(key).collect()
    }

    /// The function of this name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }
}
