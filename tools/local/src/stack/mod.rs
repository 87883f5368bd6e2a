//! The stack, read from the template that is deployed to AWS, so that the local and the deployed stack cannot differ.
//!
//! [`Stack::read`] resolves the root template and its nested ones for one set of parameters and keeps the resources
//! that work locally: functions with their roles, Config rules, event rules, tables, queues and event source mappings. Types that do
//! nothing locally are listed in [`Stack::ignored`]. Any other type is an error, and so are an unsupported intrinsic
//! function and an invocation without a permission.

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
use rectify_synth::Templates;
pub use template::Deployment;

/// Why a template cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StackError {
    /// Not YAML, or not a template.
    #[error("template: {0}")]
    Template(String),
    /// A parameter without a value, unknown, or with a value the template does not allow.
    #[error("template: parameter `{name}`: {why}")]
    Parameter {
        /// The parameter.
        name: String,
        /// The reason.
        why: String,
    },
    /// An expression that cannot be resolved.
    #[error("template: {place}: {why}")]
    Expression {
        /// Its location: a condition, or a resource and the path into it.
        place: String,
        /// The reason.
        why: String,
    },
    /// A resource of an unsupported type.
    #[error(
        "template: resource `{resource}`: type `{kind}` is not supported locally: implement it or list it as ignored"
    )]
    UnknownType {
        /// Its logical id.
        resource: String,
        /// Its type.
        kind: String,
    },
    /// A property that is missing or has an unexpected value.
    #[error("template: resource `{resource}`: `{property}`: {why}")]
    Property {
        /// Its logical id.
        resource: String,
        /// The property.
        property: String,
        /// The reason.
        why: String,
    },
    /// In AWS, the invocation would be denied.
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
    /// Its logical id.
    pub logical_id: String,
    /// Its name, at most 64 characters.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The name of its program: the last part of `CodeUri`.
    pub binary: String,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// The timeout of one invocation; 3 s by default.
    pub timeout: Duration,
    /// Memory in MiB; 128 by default.
    pub memory: u32,
    /// Retries of an asynchronous event, 0..=2.
    pub retries: u32,
    /// The destination of an event that failed in every attempt.
    pub on_failure: Option<OnFailure>,
    /// The ARN of its role; without one, SAM creates a role.
    pub role: Option<String>,
}

/// The destination of an event that failed in every attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum OnFailure {
    /// The ARN of an on-failure destination, which receives Lambda's record with the event and the error.
    Destination(String),
    /// The ARN of a dead-letter queue, which receives the event only.
    DeadLetterQueue(String),
}

/// A Config rule to put.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its logical id.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// The name of the function that evaluates.
    pub function: String,
    /// The rule in the shape of `PutConfigRule`.
    pub definition: ConfigRule,
}

/// The trigger of an event rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Trigger {
    /// Events that match this pattern.
    Pattern(Value),
    /// A schedule, e.g. `rate(1 hour)`.
    Schedule(String),
}

/// A target of an event rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Target {
    /// A function, invoked with the event or with a constant input.
    Function {
        /// Its name.
        name: String,
        /// The constant input, if any.
        input: Option<Value>,
    },
    /// A queue, by its name.
    Queue(String),
}

/// An event rule of the default bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventRule {
    /// Its logical id.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// Its trigger.
    pub trigger: Trigger,
    /// Its targets, in the template's order.
    pub targets: Vec<Target>,
    /// Whether its `State` is not `DISABLED`.
    pub enabled: bool,
}

/// An attribute and its role or type: `(pk, HASH)` in a key schema, `(pk, S)` in the definitions.
pub type Named = (String, String);

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its key schema: attribute and `HASH` or `RANGE`.
    pub key: Vec<Named>,
    /// `ALL`, `KEYS_ONLY` or `INCLUDE`.
    pub projection: String,
    /// The non-key attributes of `INCLUDE`.
    pub attributes: Vec<String>,
}

/// A DynamoDB table to create, with on-demand billing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its logical id.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// Attribute and type, `S`, `N` or `B`.
    pub attributes: Vec<Named>,
    /// Attribute and `HASH` or `RANGE`.
    pub key: Vec<Named>,
    /// Global secondary indexes.
    pub indexes: Vec<Index>,
    /// The time-to-live attribute, if items expire.
    pub time_to_live: Option<String>,
}

/// A queue to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// Its logical id.
    pub logical_id: String,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its redrive policy, if any.
    pub redrive: Option<Redrive>,
}

/// The redrive policy of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redrive {
    /// The ARN of the dead-letter queue.
    pub arn: String,
    /// `maxReceiveCount`.
    pub most: u32,
}

/// An event source mapping: a queue whose messages invoke a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// Its logical id.
    pub logical_id: String,
    /// The queue's name.
    pub queue: String,
    /// The function's name.
    pub function: String,
    /// The batch size; 10 by default.
    pub batch: u32,
    /// Whether the function reports batch item failures; otherwise all messages fail with the invocation.
    pub partial: bool,
}

/// The resolved stack.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stack {
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
    /// Every event source mapping, by logical id.
    pub mappings: Vec<Mapping>,
    /// The statements of each role, by its ARN.
    pub roles: BTreeMap<String, Vec<Statement>>,
    /// `logical id (type)` of each resource that does nothing locally.
    pub ignored: Vec<String>,
}

impl Stack {
    /// Resolves the root template for a deployment, and each nested template with the parameters that it is passed.
    ///
    /// # Errors
    /// [`StackError`], which names the location in the template.
    pub fn read(templates: &Templates, deployment: &Deployment) -> Result<Self, StackError> {
        resources::resolve(templates, deployment)
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
