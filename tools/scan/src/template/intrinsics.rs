//! CloudFormation's intrinsic functions, as far as they are known before the deployment.
//!
//! A value is known, or names a resource of the template (which exists after the deployment under a name that is not
//! known yet), or is known only at deployment. Only parameters with a value, mappings and conditions make it known.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Gap, Opening};

/// The deepest chain of conditions and functions.
const DEEPEST: usize = 64;

/// What is known before the deployment.
pub(super) struct Known<'a> {
    /// The values of parameters; none for those without.
    pub(super) parameters: BTreeMap<String, Value>,
    /// `Mappings`.
    pub(super) mappings: &'a Value,
    /// `Conditions`.
    pub(super) conditions: &'a Value,
    /// What `Ref` and `Fn::GetAtt` of a resource return, as far as it can be stated.
    pub(super) resources: BTreeMap<String, Names>,
    /// `AWS::Region`, `AWS::AccountId` and the others. Those that were not given stand for any value.
    pub(super) pseudo: BTreeMap<&'static str, Value>,
    /// Whether region and account were given.
    pub(super) place_is_given: bool,
}

/// The names of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// What `Ref` returns.
    pub(super) reference: String,
    /// The ARN.
    pub(super) arn: String,
    /// The name or id.
    pub(super) id: String,
}

impl Names {
    /// The id for all of them.
    pub(super) fn plain(id: &str) -> Self {
        Self { reference: id.to_owned(), arn: id.to_owned(), id: id.to_owned() }
    }
}

/// A resolved value.
#[derive(Debug, Clone, PartialEq)]
enum Resolved {
    Known(Value),
    /// Contains the name of a resource of the template, or the account or region.
    Reference(Value),
    Unknown(String),
    /// `AWS::NoValue`.
    Nothing,
}

impl Known<'_> {
    /// A value with everything resolved. What is not known is null, and is in `openings` with its path.
    pub(super) fn resolve(&self, value: &Value, openings: &mut Vec<Opening>) -> Value {
        self.at(value, String::new(), 0, openings).unwrap_or(Value::Null)
    }

    /// None for `AWS::NoValue`.
    fn at(&self, value: &Value, path: String, depth: usize, openings: &mut Vec<Opening>) -> Option<Value> {
        if depth > DEEPEST * 4 {
            openings.push(Opening { path, gap: Gap::Unknown("nested too deeply".to_owned()) });
            return Some(Value::Null);
        }
        if let Some((name, argument)) = call(value) {
            if name == "Fn::If" {
                return match self.branch(argument, depth) {
                    Ok(branch) => self.at(branch, path, depth + 1, openings),
                    Err(reason) => {
                        openings.push(Opening { path, gap: Gap::Unknown(reason) });
                        Some(Value::Null)
                    }
                };
            }
            return match self.call(name, argument, depth) {
                Resolved::Known(value) => Some(value),
                Resolved::Reference(value) => {
                    openings.push(Opening { path, gap: Gap::Reference });
                    Some(value)
                }
                Resolved::Unknown(reason) => {
                    openings.push(Opening { path, gap: Gap::Unknown(reason) });
                    Some(Value::Null)
                }
                Resolved::Nothing => None,
            };
        }
        Some(match value {
            Value::Array(list) => {
                let mut resolved = Vec::with_capacity(list.len());
                for item in list {
                    let path = format!("{path}/{}", resolved.len());
                    resolved.extend(self.at(item, path, depth + 1, openings));
                }
                Value::Array(resolved)
            }
            Value::Object(members) => {
                let mut resolved = Map::new();
                for (key, member) in members {
                    if let Some(member) = self.at(member, format!("{path}/{key}"), depth + 1, openings) {
                        resolved.insert(key.clone(), member);
                    }
                }
                Value::Object(resolved)
            }
            Value::String(text) if text.contains("{{resolve:") => {
                openings.push(Opening { path, gap: Gap::Unknown("a dynamic reference".to_owned()) });
                Value::Null
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        })
    }

    /// An argument as one value: unknown if any part of it is.
    fn whole(&self, value: &Value, depth: usize) -> Resolved {
        let mut openings = Vec::new();
        let Some(resolved) = self.at(value, String::new(), depth + 1, &mut openings) else { return Resolved::Nothing };
        let unknown = openings.iter().find_map(|it| match &it.gap {
            Gap::Unknown(reason) => Some(reason.clone()),
            Gap::Reference => None,
        });
        match unknown {
            Some(reason) => Resolved::Unknown(reason),
            None if openings.is_empty() => Resolved::Known(resolved),
            None => Resolved::Reference(resolved),
        }
    }

    fn call(&self, name: &str, argument: &Value, depth: usize) -> Resolved {
        if depth > DEEPEST {
            return Resolved::Unknown(format!("{name} nested too deeply"));
        }
        let invalid = || Resolved::Unknown(format!("{name} {}", short(argument)));
        match (name, argument) {
            ("Ref", Value::String(target)) => self.reference(target),
            ("Fn::GetAtt", Value::String(text)) => {
                text.split_once('.').map_or_else(invalid, |(target, attribute)| self.attribute(target, attribute))
            }
            ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(target), Value::String(attribute)] => self.attribute(target, attribute),
                _ => invalid(),
            },
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &Map::new(), depth),
            ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(text), Value::Object(values)] => self.substitute(text, values, depth),
                _ => invalid(),
            },
            ("Fn::Join", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(between), list] => map(self.whole(list, depth), |list| {
                    let texts: Option<Vec<String>> = list.as_array()?.iter().map(text_of).collect();
                    Some(texts?.join(between.as_str()).into())
                })
                .unwrap_or_else(invalid),
                _ => invalid(),
            },
            ("Fn::Split", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(between), text] if !between.is_empty() => map(self.whole(text, depth), |text| {
                    Some(text.as_str()?.split(between.as_str()).map(Value::from).collect())
                })
                .unwrap_or_else(invalid),
                _ => invalid(),
            },
            ("Fn::Select", Value::Array(parts)) => match parts.as_slice() {
                [index, list] => {
                    let index = match self.whole(index, depth) {
                        Resolved::Known(index) => text_of(&index).and_then(|it| it.parse::<usize>().ok()),
                        _ => None,
                    };
                    index
                        .and_then(|index| map(self.whole(list, depth), |list| list.get(index).cloned()))
                        .unwrap_or_else(invalid)
                }
                _ => invalid(),
            },
            ("Fn::FindInMap", Value::Array(parts)) => match parts.as_slice() {
                [map, first, second, ..] => {
                    let key = |part: &Value| match self.whole(part, depth) {
                        Resolved::Known(key) => text_of(&key),
                        _ => None,
                    };
                    let find = || self.mappings.get(key(map)?)?.get(key(first)?)?.get(key(second)?).cloned();
                    find().map_or_else(invalid, Resolved::Known)
                }
                _ => invalid(),
            },
            ("Fn::ToJsonString", value) => {
                map(self.whole(value, depth), |value| Some(value.to_string().into())).unwrap_or_else(invalid)
            }
            ("Fn::Base64", text) => self.whole(text, depth),
            ("Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Condition", _) => {
                self.condition(&json!({ name: argument }), depth).map_or_else(invalid, |it| Resolved::Known(it.into()))
            }
            _ => invalid(),
        }
    }

    fn reference(&self, target: &str) -> Resolved {
        if target == "AWS::NoValue" {
            return Resolved::Nothing;
        }
        if let Some(value) = self.parameters.get(target) {
            return Resolved::Known(value.clone());
        }
        if let Some(value) = self.pseudo.get(target) {
            return if self.place_is_given {
                Resolved::Known(value.clone())
            } else {
                Resolved::Reference(value.clone())
            };
        }
        match self.resources.get(target) {
            Some(names) => Resolved::Reference(names.reference.clone().into()),
            None => Resolved::Unknown(format!("Ref {target}")),
        }
    }

    fn attribute(&self, target: &str, attribute: &str) -> Resolved {
        let Some(names) = self.resources.get(target) else {
            return Resolved::Unknown(format!("GetAtt {target}.{attribute}"));
        };
        Resolved::Reference(Value::String(match attribute {
            "Arn" | "TopicArn" | "LoadBalancerArn" | "DBInstanceArn" | "DBClusterArn" | "PolicyArn" => {
                names.arn.clone()
            }
            "GroupId" | "KeyId" | "QueueName" | "TopicName" | "SubnetId" | "VolumeId" | "InstanceId" | "UserName"
            | "TableName" => names.id.clone(),
            _ => format!("{}.{attribute}", names.id),
        }))
    }

    /// `${Name}`, `${Name.Attribute}`, and `${!Literal}`.
    fn substitute(&self, text: &str, values: &Map<String, Value>, depth: usize) -> Resolved {
        let (mut result, mut rest, mut has_reference) = (String::new(), text, false);
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else { break };
            result.push_str(before);
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let resolved = match (values.get(name), name.split_once('.')) {
                (Some(value), _) => self.whole(value, depth),
                (None, Some((target, attribute))) => self.attribute(target, attribute),
                (None, None) => self.reference(name),
            };
            let value = match resolved {
                Resolved::Known(value) => value,
                Resolved::Reference(value) => {
                    has_reference = true;
                    value
                }
                Resolved::Unknown(reason) => return Resolved::Unknown(reason),
                Resolved::Nothing => return Resolved::Unknown("AWS::NoValue in Fn::Sub".to_owned()),
            };
            let Some(value) = text_of(&value) else { return Resolved::Unknown(format!("Fn::Sub ${{{name}}}")) };
            result.push_str(&value);
        }
        result.push_str(rest);
        if result.contains("{{resolve:") {
            return Resolved::Unknown("a dynamic reference".to_owned());
        }
        if has_reference { Resolved::Reference(result.into()) } else { Resolved::Known(result.into()) }
    }

    /// The branch of `Fn::If`; both if they are equal.
    fn branch<'v>(&self, argument: &'v Value, depth: usize) -> Result<&'v Value, String> {
        let parts = argument.as_array().map_or(&[][..], Vec::as_slice);
        let [Value::String(name), yes, no] = parts else { return Err(format!("Fn::If {}", short(argument))) };
        match self.named_condition(name, depth) {
            Some(true) => Ok(yes),
            Some(false) => Ok(no),
            None if yes == no => Ok(yes),
            None => Err(format!("condition {name}")),
        }
    }

    /// Whether a condition holds; `None` if that is not known.
    pub(super) fn named_condition(&self, name: &str, depth: usize) -> Option<bool> {
        if depth > DEEPEST {
            return None;
        }
        self.condition(self.conditions.get(name)?, depth + 1)
    }

    fn condition(&self, condition: &Value, depth: usize) -> Option<bool> {
        if depth > DEEPEST {
            return None;
        }
        let (name, argument) = call(condition)?;
        let parts = argument.as_array().map_or(&[][..], Vec::as_slice);
        let mut each = parts.iter().map(|part| self.condition(part, depth + 1));
        match name {
            "Condition" => self.named_condition(argument.as_str()?, depth + 1),
            "Fn::Not" => each.next()?.map(|it| !it),
            "Fn::And" => {
                let all: Vec<Option<bool>> = each.collect();
                if all.contains(&Some(false)) { Some(false) } else { (!all.contains(&None)).then_some(true) }
            }
            "Fn::Or" => {
                let all: Vec<Option<bool>> = each.collect();
                if all.contains(&Some(true)) { Some(true) } else { (!all.contains(&None)).then_some(false) }
            }
            "Fn::Equals" => match parts {
                [one, other] => match (self.whole(one, depth), self.whole(other, depth)) {
                    (Resolved::Known(one), Resolved::Known(other)) => {
                        Some(one == other || text_of(&one).is_some_and(|it| Some(it) == text_of(&other)))
                    }
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}

/// Applies a function to what is known; `None` if it has no result.
fn map(resolved: Resolved, function: impl Fn(&Value) -> Option<Value>) -> Option<Resolved> {
    match resolved {
        Resolved::Known(value) => function(&value).map(Resolved::Known),
        Resolved::Reference(value) => function(&value).map(Resolved::Reference),
        Resolved::Unknown(reason) => Some(Resolved::Unknown(reason)),
        Resolved::Nothing => None,
    }
}

/// The function and its argument, if the value is a call.
fn call(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object().filter(|it| it.len() == 1)?;
    let (name, argument) = members.iter().next()?;
    let is_condition = name == "Condition" && argument.is_string();
    (name == "Ref" || name.starts_with("Fn::") || is_condition).then_some((name, argument))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The beginning of an argument.
fn short(argument: &Value) -> String {
    let text = argument.as_str().map_or_else(|| argument.to_string(), str::to_owned);
    if text.chars().count() <= 60 { text } else { text.chars().take(59).chain(['…']).collect() }
}
