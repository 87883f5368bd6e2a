//! The rows of declared resources: a row for each control that can answer from a resource's properties.

use std::collections::BTreeMap;

use rectify_compliance::entry::EntryError;
use rectify_compliance::gate::RuleScope;
use rectify_compliance::parameters::CommonParameters;
use rectify_compliance::{ConfigurationItem, Entry, ShapeError, StoredState, Timestamp};
use serde_json::{Map, Value, json};

use super::companions::within;
use super::forms::Misfit;
use super::kinds::{self, Absent, Answer, Kind, Property, REQUIRED_TAGS, TAGGED, present};
use super::{Declared, Gap, Opening, Target, Unread};
use crate::judges::{ALL, ControlParameters, InvalidParameters};
use crate::{Outcome, Place, Row, Source};

/// The region that AWS Config records for resources without one.
const GLOBAL: &str = "global";

/// The members that no control reads, wherever they are: the group of an ingress rule is the one that it is joined to,
/// and an interface states its address apart from its subnet and groups.
const UNREAD: [&str; 4] = ["Description", "GroupId", "GroupSet", "SubnetId"];

/// Whether a control can answer from the properties of a resource.
#[must_use]
pub fn answers(control: &str) -> bool {
    control == REQUIRED_TAGS || kinds::all().any(|kind| kind.controls.iter().any(|it| it.control == control))
}

/// The types of CloudFormation that a control answers for, in the order of the tables. Empty for all types that the
/// control evaluates.
#[must_use]
pub fn types(control: &str) -> Vec<&'static str> {
    let has = |kind: &&Kind| kind.controls.iter().any(|it| it.control == control);
    kinds::all().filter(has).map(|kind| kind.template).collect()
}

/// The selected controls, ready to judge declared resources.
pub struct TemplateJudges {
    judges: Vec<Judge>,
    at: Timestamp,
}

struct Judge {
    entry: &'static Entry,
    parameters: String,
    given: Map<String, Value>,
    common: CommonParameters,
}

/// What is known of a resource for one control.
struct Mapped {
    document: Value,
    /// Why elements of a list are left out.
    left_out: Option<String>,
}

impl TemplateJudges {
    /// The judges of these controls; those that cannot answer from properties are left out. `at` is the time of the
    /// evaluation.
    ///
    /// # Errors
    /// [`InvalidParameters`] that name the control.
    pub fn new(
        controls: &[&'static Entry],
        parameters: &ControlParameters,
        at: Timestamp,
    ) -> Result<Self, InvalidParameters> {
        let mut judges = Vec::new();
        for entry in controls.iter().copied().filter(|it| answers(it.meta.id)) {
            let parameters = parameters.get(entry.meta.id).map_or("{}", String::as_str).to_owned();
            let invalid = |error| InvalidParameters::Control { control: entry.meta.id, error };
            entry.check_parameters(&parameters).map_err(invalid)?;
            let common = CommonParameters::parse(&parameters).map_err(invalid)?;
            // Checked above: it is an object.
            let given = serde_json::from_str(&parameters).unwrap_or_default();
            judges.push(Judge { entry, parameters, given, common });
        }
        Ok(Self { judges, at })
    }

    /// The controls, in their order.
    pub fn controls(&self) -> impl Iterator<Item = &'static Entry> {
        self.judges.iter().map(|judge| judge.entry)
    }

    /// The rows of the resources of a file, by control in the order of the selection, then by line.
    #[must_use]
    pub fn rows(&self, file: &str, resources: &[Declared], target: &Target) -> Vec<Row> {
        let mut resources: Vec<&Declared> = resources.iter().collect();
        resources.sort_by_key(|it| (it.line, it.id.clone()));
        let rows = self.judges.iter().flat_map(|judge| {
            resources.iter().filter_map(move |declared| {
                let (kind, answer) = judge.table(declared)?;
                let outcome = judge.outcome(kind, answer, declared, target, self.at);
                Some(row(judge.entry.meta.id, file, kind, declared, target, outcome))
            })
        });
        rows.collect()
    }
}

/// A row about what cannot be read: it belongs to every control.
#[must_use]
pub fn unread_row(file: &str, unread: &Unread, target: &Target) -> Row {
    let Unread { kind, id, line, reason } = unread;
    Row {
        control: ALL.to_owned(),
        place: place(target, false),
        resource_type: kind.clone(),
        resource_id: id.clone(),
        name: None,
        arn: None,
        source: Some(Source { file: file.to_owned(), line: *line }),
        outcome: Outcome::Unreadable { reason: reason.clone() },
    }
}

fn place(target: &Target, is_global: bool) -> Place {
    let region = if is_global { GLOBAL } else { target.region.as_str() };
    Place { account: target.account.to_string(), region: region.to_owned() }
}

fn row(control: &str, file: &str, kind: &Kind, declared: &Declared, target: &Target, outcome: Outcome) -> Row {
    let name = Some(declared.names.id.clone()).filter(|name| *name != declared.id);
    Row {
        control: control.to_owned(),
        place: place(target, kind.is_global),
        resource_type: kinds::recorded(&declared.kind).to_owned(),
        resource_id: declared.id.clone(),
        name,
        arn: None,
        source: Some(Source { file: file.to_owned(), line: declared.line }),
        outcome,
    }
}

fn unknown(what: &str) -> Outcome {
    Outcome::NotScanned { reason: format!("unknown: {what}") }
}

impl Judge {
    /// The table from which the control answers for a resource.
    fn table(&self, declared: &Declared) -> Option<(&'static Kind, &'static Answer)> {
        const TAGS: &Kind = &TAGGED;
        let kind = if self.entry.meta.id == REQUIRED_TAGS {
            self.entry.meta.resource_types.contains(&kinds::recorded(&declared.kind)).then_some(TAGS)?
        } else {
            kinds::find(&declared.kind)?
        };
        kind.controls.iter().find(|it| it.control == self.entry.meta.id).map(|answer| (kind, answer))
    }

    fn outcome(&self, kind: &Kind, answer: &Answer, declared: &Declared, target: &Target, at: Timestamp) -> Outcome {
        if let Some(parameter) = self.reads(answer) {
            return unknown(&format!("parameter `{parameter}` needs live reads"));
        }
        let mapped = match self.map(kind, declared, target) {
            Ok(mapped) => mapped,
            Err(outcome) => return outcome,
        };
        let verdict = item(kind, declared, target, &mapped.document, at)
            .map_err(EntryError::from)
            .and_then(|item| self.evaluate(answer, &item, &mapped.document, at));
        match (verdict, mapped.left_out) {
            (Err(error), _) => Outcome::Unreadable { reason: error.to_string() },
            (Ok(outcome), Some(reason)) if !outcome.is_failed() => unknown(&reason),
            (Ok(outcome), _) => outcome,
        }
    }

    /// A parameter with which the control reads more than the resource.
    fn reads<'a>(&'a self, answer: &Answer) -> Option<&'a str> {
        let is_stored = |value: &Value| value.as_str().is_some_and(|it| it.trim().starts_with("ssm:"));
        let reads = |(name, value): &(&String, &Value)| answer.reads_with.contains(&name.as_str()) || is_stored(value);
        self.given.iter().find(reads).map(|(name, _)| name.as_str())
    }

    fn evaluate(
        &self,
        answer: &Answer,
        item: &ConfigurationItem,
        document: &Value,
        at: Timestamp,
    ) -> Result<Outcome, EntryError> {
        let home = self.common.home_region.clone().unwrap_or_else(|| item.region.default_home_region());
        let here = if item.region.as_str() == GLOBAL { &home } else { &item.region };
        let scope = RuleScope { meta: self.entry.meta, parameters: &self.common, here, home: &home };
        if let Some(verdict) = scope.out_of_scope(&item.resource, item.name.as_deref()) {
            return Ok(Outcome::of(&verdict, None));
        }
        let state: StoredState = match self.entry.change {
            Some(change) => {
                let facts = document.pointer(answer.facts).filter(|_| !answer.facts.is_empty());
                change.subject(item, facts.cloned().unwrap_or_default())?
            }
            None => self.entry.image(item.configuration.clone())?.image,
        };
        Ok(Outcome::of(&self.entry.evaluate(&state, &self.parameters, at)?, None))
    }

    /// The document of the item, or why there is none.
    fn map(&self, kind: &Kind, declared: &Declared, target: &Target) -> Result<Mapped, Outcome> {
        let base = serde_json::from_str(kind.base).unwrap_or_default();
        let mut mapped = Mapped { document: filled(base, declared, target), left_out: None };
        for property in kind.properties.iter().filter(|it| it.controls.contains(&self.entry.meta.id)) {
            let value = self.value(property, declared, &mut mapped.left_out)?;
            if let Some(value) = value {
                put(&mut mapped.document, property.to, value);
            }
        }
        Ok(mapped)
    }

    /// The value of a property in the form of the item; `None` if the item lacks it.
    fn value(
        &self,
        property: &Property,
        declared: &Declared,
        left_out: &mut Option<String>,
    ) -> Result<Option<Value>, Outcome> {
        let path = property.from;
        let mut open: Vec<&Opening> = declared.openings.iter().filter(|it| self.blocks(property, it)).collect();
        let present = present(&declared.properties, path);
        let elements = present.and_then(Value::as_array).filter(|_| property.is_partial);
        if let Some(elements) = elements {
            let mut known = Vec::new();
            for (at, element) in elements.iter().enumerate() {
                let path = format!("{path}/{at}");
                if let Some(opening) = open.iter().find(|it| within(&it.path, &path)) {
                    left_out.get_or_insert_with(|| at_deployment(opening));
                    continue;
                }
                match (property.form)(element) {
                    Ok(Value::Array(list)) => known.extend(list),
                    Ok(value) => known.push(value),
                    Err(Misfit::Unknown(reason)) => {
                        left_out.get_or_insert_with(|| misfit(&path, reason));
                    }
                    Err(Misfit::Expected(what)) => return Err(unreadable(&path, what, element)),
                }
            }
            open.retain(|it| !inside(&it.path, path));
            if open.is_empty() {
                return Ok(Some(known.into()));
            }
        }
        if let Some(opening) = open.first() {
            return Err(unknown(&at_deployment(opening)));
        }
        let default = |text: &str| Ok(serde_json::from_str(text).ok());
        match present {
            Some(value) => match (property.form)(value) {
                Ok(value) => Ok(Some(value)),
                Err(Misfit::Unknown(reason)) => Err(unknown(&misfit(path, reason))),
                Err(Misfit::Expected(what)) => Err(unreadable(path, what, value)),
            },
            None => match property.absent {
                Absent::Omitted => Ok(None),
                Absent::Is(value) => default(value),
                Absent::IsWithout(value, others) => match others.iter().find(|it| is_given(declared, it)) {
                    None => default(value),
                    Some(other) => Err(unknown(&misfit(path, &format!("{} decides", dotted(other))))),
                },
                Absent::Member { of, without: value, within } => {
                    default(if is_given(declared, of) { within } else { value })
                }
                Absent::Unknown(reason) => Err(unknown(&misfit(path, reason))),
            },
        }
    }

    /// Whether an opening leaves the property without a value that the control can use.
    fn blocks(&self, property: &Property, opening: &Opening) -> bool {
        let is_below = within(&opening.path, property.from);
        if !is_below {
            return within(property.from, &opening.path);
        }
        let names = opening.path.rsplit('/').find(|it| !it.bytes().all(|byte| byte.is_ascii_digit()));
        let leaf = names.unwrap_or_default();
        let is_compared = property.compared_with.iter().any(|it| self.given.contains_key(*it));
        let is_enough = property.references.iter().any(|it| *it == "*" || *it == leaf) && !is_compared;
        let is_answered = opening.gap == Gap::Reference && is_enough;
        !is_answered && !UNREAD.contains(&leaf)
    }
}

fn inside(path: &str, parent: &str) -> bool {
    path != parent && within(path, parent)
}

fn is_given(declared: &Declared, path: &str) -> bool {
    present(&declared.properties, path).is_some() || declared.openings.iter().any(|it| within(&it.path, path))
}

/// A pointer as people write it.
fn dotted(pointer: &str) -> String {
    let text = pointer.trim_start_matches('/').replace('/', ".");
    if text.is_empty() { "Properties".to_owned() } else { text }
}

fn at_deployment(opening: &Opening) -> String {
    let path = dotted(&opening.path);
    match &opening.gap {
        Gap::Unknown(source) => format!("value known only at deployment: {path} ({source})"),
        Gap::Reference => format!("value known only at deployment: {path}"),
    }
}

fn misfit(pointer: &str, reason: &str) -> String {
    format!("value known only at deployment: {} ({reason})", dotted(pointer))
}

fn unreadable(pointer: &str, expected: &str, received: &Value) -> Outcome {
    let text = received.to_string();
    let shown: String = text.chars().take(80).collect();
    Outcome::Unreadable { reason: format!("{}: expected {expected}: received `{shown}`", dotted(pointer)) }
}

/// A value with the names of the resource in place of `{id}` and the others.
fn filled(value: Value, declared: &Declared, target: &Target) -> Value {
    match value {
        Value::String(text) => {
            let names = &declared.names;
            let parts = [
                ("{id}", names.reference.as_str()),
                ("{name}", names.id.as_str()),
                ("{arn}", names.arn.as_str()),
                ("{region}", target.region.as_str()),
                ("{account}", target.account.as_str()),
            ];
            parts.iter().fold(text, |text, (from, to)| text.replace(from, to)).into()
        }
        Value::Array(list) => list.into_iter().map(|it| filled(it, declared, target)).collect(),
        Value::Object(members) => members.into_iter().map(|(key, it)| (key, filled(it, declared, target))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// Sets a member at a pointer; objects on the way are made.
fn put(document: &mut Value, pointer: &str, value: Value) {
    let mut at = document;
    for key in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Value::Object(members) = at else { return };
        at = members.entry(key).or_insert(Value::Null);
    }
    *at = value;
}

/// The item that AWS Config will record, as far as the control reads it.
fn item(
    kind: &Kind,
    declared: &Declared,
    target: &Target,
    document: &Value,
    at: Timestamp,
) -> Result<ConfigurationItem, ShapeError> {
    let names = &declared.names;
    let place = place(target, kind.is_global);
    let part = |key: &str| document.get(key).cloned().unwrap_or(Value::Null);
    let tags: BTreeMap<String, String> = serde_json::from_value(part("tags")).unwrap_or_default();
    ConfigurationItem::from_notification(&json!({
        "awsAccountId": place.account, "awsRegion": place.region,
        "resourceType": kinds::recorded(&declared.kind), "resourceId": names.reference, "resourceName": names.id,
        "ARN": names.arn, "configurationItemStatus": "ResourceDiscovered", "configurationItemCaptureTime": at,
        "configuration": part("configuration"), "supplementaryConfiguration": part("supplementaryConfiguration"),
        "tags": tags,
    }))
}
