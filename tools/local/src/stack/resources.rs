//! The resources that work locally, typed; the ignored ones by name.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};

use rectify_synth::{ROOT, Templates};

use super::intrinsics::{NESTED, Place, Resolver};
use super::roles;
use super::template::{Deployment, Resource, Template, text};
use super::{
    EventRule, Function, Index, Mapping, Named, OnFailure, Queue, Redrive, Rule, Stack, StackError, Table, Target,
    Trigger,
};
use crate::engine::ConfigRule;
use crate::iam::policy::Statement;

/// Types that do nothing locally: alarms, dashboards, log groups, topics and queue policies.
const IGNORED: &[&str] = &[
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
];

const CONFIG: &str = "config.amazonaws.com";
const EVENTS: &str = "events.amazonaws.com";

/// One resource with its properties resolved.
pub(super) struct Resolved<'a> {
    pub(super) id: &'a str,
    name: String,
    properties: Value,
}

impl Resolved<'_> {
    pub(super) fn refuse(&self, property: &str, why: impl Into<String>) -> StackError {
        StackError::Property { resource: self.id.to_owned(), property: property.to_owned(), why: why.into() }
    }

    /// A scalar property by its dotted path, as a string.
    fn text(&self, path: &str) -> Option<String> {
        self.get(path).and_then(text)
    }

    fn get(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(&self.properties, |value, step| value.get(step))
    }

    fn required(&self, path: &str) -> Result<String, StackError> {
        self.text(path).ok_or_else(|| self.refuse(path, "expected a string"))
    }

    fn number(&self, path: &str, default: u32) -> Result<u32, StackError> {
        match self.get(path) {
            None => Ok(default),
            Some(value) => {
                text(value).and_then(|it| it.parse().ok()).ok_or_else(|| self.refuse(path, "expected a whole number"))
            }
        }
    }

    pub(super) fn list(&self, path: &str) -> Result<&[Value], StackError> {
        match self.get(path) {
            None => Ok(&[]),
            Some(Value::Array(all)) => Ok(all),
            Some(_) => Err(self.refuse(path, "expected a list")),
        }
    }
}

/// The invoke permissions: (function name, principal).
type Permissions = BTreeSet<(String, String)>;

/// What the templates of a deployment contain. Targets stay ARNs, and policies apart from their roles, until all of it
/// is known.
#[derive(Default)]
struct Collected {
    stack: Stack,
    permissions: Permissions,
    policies: BTreeMap<String, Vec<Statement>>,
    attached: Vec<roles::Attached>,
}

pub(super) fn resolve(templates: &Templates, deployment: &Deployment) -> Result<Stack, StackError> {
    let mut collected = Collected::default();
    let root = templates.get(ROOT).ok_or_else(|| StackError::Template(format!("`{ROOT}`: no such template")))?;
    collected.add(root, templates, deployment)?;
    let Collected { mut stack, permissions, policies, attached } = collected;
    roles::attach(&mut stack.roles, &policies, attached)?;
    connect(&mut stack, &permissions)?;
    Ok(stack)
}

impl Collected {
    /// Adds the resources of a template, and of its nested templates.
    fn add(&mut self, text: &str, templates: &Templates, deployment: &Deployment) -> Result<(), StackError> {
        let template = Template::parse(text, deployment)?;
        let resolver = Resolver::new(&template, deployment, templates);
        for (id, resource) in &template.resources {
            let place = Place::new(format!("resource `{id}`"));
            if let Some(condition) = &resource.condition
                && !resolver.condition(condition, &place)?
            {
                continue;
            }
            let kind = resource.kind.as_str();
            if IGNORED.contains(&kind) {
                self.stack.ignored.push(format!("{id} ({kind})"));
                continue;
            }
            if kind == NESTED {
                let (nested, deployment) = resolver.nested(id, resource, &place)?;
                self.add(nested, templates, &deployment)?;
                continue;
            }
            let properties = if kind == "AWS::Serverless::Function" {
                with_globals(&template.function_globals, &resource.properties)
            } else {
                resource.properties.clone()
            };
            let properties = resolver.resolve(&properties, &place)?.unwrap_or_default();
            let resolved = Resolved { id, name: resolver.name(id, resource, &place)?, properties };
            self.add_resource(kind, resolved, &resolver, resource, &place)?;
        }
        Ok(())
    }

    fn add_resource(
        &mut self,
        kind: &str,
        resolved: Resolved<'_>,
        resolver: &Resolver<'_>,
        resource: &Resource,
        place: &Place,
    ) -> Result<(), StackError> {
        let stack = &mut self.stack;
        match kind {
            "AWS::Serverless::Function" => stack.functions.push(function(&resolved, resolver)?),
            "AWS::SQS::Queue" => stack.queues.push(Queue {
                logical_id: resolved.id.to_owned(),
                arn: resolver.arn("sqs", &resolved.name),
                redrive: redrive(&resolved)?,
                name: resolved.name,
            }),
            "AWS::Lambda::EventSourceMapping" => stack.mappings.push(mapping(&resolved)?),
            "AWS::DynamoDB::Table" => stack.tables.push(table(&resolved)?),
            "AWS::Config::ConfigRule" => stack.rules.push(config_rule(&resolved)?),
            "AWS::Events::Rule" => stack.event_rules.push(event_rule(&resolved)?),
            "AWS::IAM::ManagedPolicy" => {
                let arn = resolver.global_arn("iam", &format!("policy/{}", resolved.name));
                self.policies.insert(arn, roles::document(&resolved, "PolicyDocument", &resolved.properties)?);
            }
            "AWS::IAM::Role" => {
                let arn = resolver.role_arn(resource, &resolved.name, place)?;
                stack.roles.insert(arn.clone(), roles::inline_statements(&resolved)?);
                self.attached.push((arn, resolved.id.to_owned(), roles::attached(&resolved)?));
            }
            "AWS::Lambda::Permission" => {
                let function = resolved.required("FunctionName")?;
                self.permissions.insert((last_segment(&function).to_owned(), resolved.required("Principal")?));
            }
            other => {
                return Err(StackError::UnknownType { resource: resolved.id.to_owned(), kind: other.to_owned() });
            }
        }
        Ok(())
    }
}

/// Replaces the ARNs of targets by names: each must be a function or queue of the template, and its invocation
/// permitted.
fn connect(stack: &mut Stack, permissions: &Permissions) -> Result<(), StackError> {
    let functions: BTreeMap<&str, &str> =
        stack.functions.iter().map(|it| (it.arn.as_str(), it.name.as_str())).collect();
    let queues: BTreeMap<&str, &str> = stack.queues.iter().map(|it| (it.arn.as_str(), it.name.as_str())).collect();
    let permitted = |caller: &str, function: &str, principal: &'static str| {
        if permissions.contains(&(function.to_owned(), principal.to_owned())) {
            return Ok(());
        }
        Err(StackError::NotPermitted { caller: caller.to_owned(), function: function.to_owned(), principal })
    };
    for rule in &mut stack.rules {
        let arn = rule.function.as_str();
        let Some(name) = functions.get(arn) else {
            return Err(dangling(&rule.logical_id, "Source.SourceIdentifier", arn));
        };
        permitted(&rule.name, name, CONFIG)?;
        rule.function = (*name).to_owned();
    }
    for rule in &mut stack.event_rules {
        for target in &mut rule.targets {
            let Target::Function { name, input } = target else { continue };
            *target = match (functions.get(name.as_str()), queues.get(name.as_str())) {
                (Some(function), _) => {
                    permitted(&rule.name, function, EVENTS)?;
                    Target::Function { name: (*function).to_owned(), input: input.take() }
                }
                (None, Some(queue)) => Target::Queue((*queue).to_owned()),
                (None, None) => return Err(dangling(&rule.logical_id, "Targets.Arn", name)),
            };
        }
    }
    for mapping in &mut stack.mappings {
        let Some(queue) = queues.get(mapping.queue.as_str()) else {
            return Err(dangling(&mapping.logical_id, "EventSourceArn", &mapping.queue));
        };
        mapping.queue = (*queue).to_owned();
        // Lambda polls with the function's own role, so no permission to invoke is needed.
        if !functions.values().any(|name| *name == mapping.function) {
            return Err(dangling(&mapping.logical_id, "FunctionName", &mapping.function));
        }
    }
    Ok(())
}

fn dangling(resource: &str, property: &str, arn: &str) -> StackError {
    StackError::Property {
        resource: resource.to_owned(),
        property: property.to_owned(),
        why: format!("`{arn}` is not a function or queue of this template"),
    }
}

/// Merges as SAM does: a function's own values override the globals; mappings such as variables and tags are merged.
fn with_globals(globals: &Value, own: &Value) -> Value {
    match (globals, own) {
        (Value::Object(globals), Value::Object(own)) => {
            let mut merged: Map<String, Value> = globals.clone();
            for (key, value) in own {
                let value = merged.get(key).map_or_else(|| value.clone(), |inherited| with_globals(inherited, value));
                merged.insert(key.clone(), value);
            }
            Value::Object(merged)
        }
        (_, own) => own.clone(),
    }
}

fn function(resource: &Resolved<'_>, resolver: &Resolver<'_>) -> Result<Function, StackError> {
    if resource.get("Events").is_some() {
        return Err(resource.refuse(
            "Events",
            "SAM event sources are not supported locally: declare the event rule and its permission",
        ));
    }
    let code = resource.required("CodeUri")?;
    let binary = code.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if binary.is_empty() {
        return Err(resource.refuse("CodeUri", "expected a folder with the name of its binary"));
    }
    let mut environment = BTreeMap::new();
    if let Some(variables) = resource.get("Environment.Variables") {
        let variables =
            variables.as_object().ok_or_else(|| resource.refuse("Environment.Variables", "expected a mapping"))?;
        for (name, value) in variables {
            let value = text(value)
                .ok_or_else(|| resource.refuse(&format!("Environment.Variables.{name}"), "expected a string"))?;
            environment.insert(name.clone(), value);
        }
    }
    if resource.name.chars().count() > 64 {
        return Err(resource.refuse("FunctionName", format!("`{}` has more than 64 characters", resource.name)));
    }
    let retries = resource.number("EventInvokeConfig.MaximumRetryAttempts", 2)?;
    if retries > 2 {
        return Err(
            resource.refuse("EventInvokeConfig.MaximumRetryAttempts", format!("expected 0 to 2: received `{retries}`"))
        );
    }
    Ok(Function {
        logical_id: resource.id.to_owned(),
        arn: resolver.arn("lambda", &format!("function:{}", resource.name)),
        name: resource.name.clone(),
        binary: binary.to_owned(),
        environment,
        timeout: Duration::from_secs(resource.number("Timeout", 3)?.into()),
        memory: resource.number("MemorySize", 128)?,
        retries,
        on_failure: on_failure(resource),
        role: resource.text("Role"),
    })
}

/// A destination takes precedence over a dead-letter queue: with both set Lambda uses both, and the destination's
/// record contains the event too.
fn on_failure(resource: &Resolved<'_>) -> Option<OnFailure> {
    let destination =
        resource.text("EventInvokeConfig.DestinationConfig.OnFailure.Destination").map(OnFailure::Destination);
    destination.or_else(|| resource.text("DeadLetterQueue.TargetArn").map(OnFailure::DeadLetterQueue))
}

fn config_rule(resource: &Resolved<'_>) -> Result<Rule, StackError> {
    let mut definition = ConfigRule::from_template(&resource.properties)
        .map_err(|error| resource.refuse("Properties", error.to_string()))?;
    definition.config_rule_name = Some(resource.name.clone());
    Ok(Rule {
        logical_id: resource.id.to_owned(),
        name: resource.name.clone(),
        function: resource.required("Source.SourceIdentifier")?,
        definition,
    })
}

fn event_rule(resource: &Resolved<'_>) -> Result<EventRule, StackError> {
    let trigger = match (resource.get("EventPattern"), resource.text("ScheduleExpression")) {
        (Some(pattern), None) if pattern.is_object() => Trigger::Pattern(pattern.clone()),
        (None, Some(schedule)) => Trigger::Schedule(schedule),
        _ => return Err(resource.refuse("EventPattern", "expected a pattern or a schedule")),
    };
    if let Some(bus) = resource.text("EventBusName").filter(|bus| bus != "default") {
        return Err(resource.refuse("EventBusName", format!("`{bus}`: only the default bus is supported locally")));
    }
    let mut targets = Vec::new();
    for target in resource.list("Targets")? {
        if let Some(unsupported) = ["InputPath", "InputTransformer"].iter().find(|name| target.get(**name).is_some()) {
            return Err(resource
                .refuse(&format!("Targets.{unsupported}"), "not supported locally: use Input or the event itself"));
        }
        let arn = target
            .get("Arn")
            .and_then(Value::as_str)
            .ok_or_else(|| resource.refuse("Targets.Arn", "expected a string"))?;
        let input = target
            .get("Input")
            .and_then(Value::as_str)
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| resource.refuse("Targets.Input", error.to_string()))?;
        targets.push(Target::Function { name: arn.to_owned(), input });
    }
    let enabled = resource.text("State").is_none_or(|state| state != "DISABLED");
    Ok(EventRule { logical_id: resource.id.to_owned(), name: resource.name.clone(), trigger, targets, enabled })
}

fn redrive(resource: &Resolved<'_>) -> Result<Option<Redrive>, StackError> {
    if resource.get("RedrivePolicy").is_none() {
        return Ok(None);
    }
    let arn = resource.required("RedrivePolicy.deadLetterTargetArn")?;
    Ok(Some(Redrive { arn, most: resource.number("RedrivePolicy.maxReceiveCount", 10)? }))
}

fn mapping(resource: &Resolved<'_>) -> Result<Mapping, StackError> {
    let response_types = resource.list("FunctionResponseTypes")?;
    Ok(Mapping {
        logical_id: resource.id.to_owned(),
        queue: resource.required("EventSourceArn")?,
        function: last_segment(&resource.required("FunctionName")?).to_owned(),
        batch: resource.number("BatchSize", 10)?,
        partial: response_types.iter().any(|it| it == "ReportBatchItemFailures"),
    })
}

fn table(resource: &Resolved<'_>) -> Result<Table, StackError> {
    let mut indexes = Vec::new();
    for index in resource.list("GlobalSecondaryIndexes")? {
        let missing = || resource.refuse("GlobalSecondaryIndexes", "expected a name, a key and a projection");
        let projection = index.get("Projection").ok_or_else(missing)?;
        let attributes =
            projection.get("NonKeyAttributes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        indexes.push(Index {
            name: index.get("IndexName").and_then(text).ok_or_else(missing)?,
            key: pairs(index.get("KeySchema"), "KeyType").ok_or_else(missing)?,
            projection: projection.get("ProjectionType").and_then(text).ok_or_else(missing)?,
            attributes: attributes.iter().filter_map(text).collect(),
        });
    }
    let required = |property: &str, role: &str| {
        pairs(resource.get(property), role).ok_or_else(|| resource.refuse(property, "expected a list of attributes"))
    };
    let expires = resource.get("TimeToLiveSpecification.Enabled").and_then(text).is_some_and(|it| it == "true");
    Ok(Table {
        logical_id: resource.id.to_owned(),
        name: resource.name.clone(),
        attributes: required("AttributeDefinitions", "AttributeType")?,
        key: required("KeySchema", "KeyType")?,
        indexes,
        time_to_live: resource.text("TimeToLiveSpecification.AttributeName").filter(|_| expires),
    })
}

fn pairs(list: Option<&Value>, role: &str) -> Option<Vec<Named>> {
    let pair = |it: &Value| Some((it.get("AttributeName").and_then(text)?, it.get(role).and_then(text)?));
    list?.as_array()?.iter().map(pair).collect()
}

/// A function's name from its name or ARN.
fn last_segment(function: &str) -> &str {
    function.rsplit(':').next().unwrap_or(function)
}
