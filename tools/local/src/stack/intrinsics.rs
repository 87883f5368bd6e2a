//! CloudFormation's intrinsic functions: Ref, Sub, GetAtt, If, Join, Split, and the conditions Equals, Not, And, Or,
//! Condition.
//!
//! Generates names and ARNs as CloudFormation does, for the types that work locally. A limit on the depth detects
//! circular references.

use std::collections::BTreeMap;

use rectify_synth::Templates;
use serde_json::{Map, Value};

use super::StackError;
use super::template::{Deployment, Resource, Template, text};

/// Far deeper than any template nests; only a circular reference gets there.
const DEPTH: usize = 64;

/// A nested template, as SAM deploys it.
pub(super) const NESTED: &str = "AWS::Serverless::Application";

pub(super) struct Resolver<'a> {
    pub(super) template: &'a Template,
    pub(super) deployment: &'a Deployment,
    templates: &'a Templates,
}

/// The location in the template, for error messages and for detecting circular references.
#[derive(Clone)]
pub(super) struct Place {
    path: String,
    depth: usize,
}

impl Place {
    pub(super) fn new(path: String) -> Self {
        Self { path, depth: 0 }
    }

    fn at(&self, step: &str) -> Self {
        Self { path: format!("{}.{step}", self.path), depth: self.depth + 1 }
    }

    fn refuse(&self, why: impl Into<String>) -> StackError {
        StackError::Expression { place: self.path.clone(), why: why.into() }
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn new(template: &'a Template, deployment: &'a Deployment, templates: &'a Templates) -> Self {
        Self { template, deployment, templates }
    }

    /// The value of an expression; `None` is `AWS::NoValue`, which removes its key or list member.
    pub(super) fn resolve(&self, value: &Value, place: &Place) -> Result<Option<Value>, StackError> {
        if place.depth > DEPTH {
            return Err(place.refuse("circular reference"));
        }
        match value {
            Value::Array(all) => {
                let mut resolved = Vec::with_capacity(all.len());
                for (index, member) in all.iter().enumerate() {
                    resolved.extend(self.resolve(member, &place.at(&index.to_string()))?);
                }
                Ok(Some(Value::Array(resolved)))
            }
            Value::Object(object) => match function(object) {
                Some((name, argument)) => self.call(name, argument, &place.at(name)),
                None => self.resolve_object(object, place).map(Some),
            },
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn resolve_object(&self, object: &Map<String, Value>, place: &Place) -> Result<Value, StackError> {
        let mut resolved = Map::new();
        for (key, member) in object {
            if let Some(value) = self.resolve(member, &place.at(key))? {
                resolved.insert(key.clone(), value);
            }
        }
        Ok(Value::Object(resolved))
    }

    fn call(&self, name: &str, argument: &Value, place: &Place) -> Result<Option<Value>, StackError> {
        match name {
            "Ref" => match argument.as_str() {
                Some("AWS::NoValue") => Ok(None),
                Some(target) => self.reference(target, place).map(Some),
                None => Err(place.refuse("expected a name")),
            },
            "Fn::GetAtt" => {
                let path = self.texts(argument, place)?;
                let (Some(id), Some(attribute)) = (path.first(), path.get(1..).map(|rest| rest.join("."))) else {
                    return Err(place.refuse("expected a resource and an attribute"));
                };
                self.attribute(id, &attribute, place).map(|text| Some(Value::String(text)))
            }
            "Fn::Sub" => self.substitute(argument, place).map(|text| Some(Value::String(text))),
            "Fn::Join" => {
                let Some([separator, list]) = argument.as_array().map(Vec::as_slice) else {
                    return Err(place.refuse("expected a separator and a list"));
                };
                let list = self.resolve(list, place)?.unwrap_or_default();
                let separator = separator.as_str().ok_or_else(|| place.refuse("expected a separator and a list"))?;
                Ok(Some(Value::String(self.texts(&list, place)?.join(separator))))
            }
            "Fn::Split" => {
                let refuse = || place.refuse("expected a separator and a string");
                let Some([Value::String(separator), text]) = argument.as_array().map(Vec::as_slice) else {
                    return Err(refuse());
                };
                let Some(Value::String(text)) = self.resolve(text, place)? else { return Err(refuse()) };
                Ok(Some(text.split(separator.as_str()).collect()))
            }
            "Fn::If" => {
                let Some([condition, yes, no]) = argument.as_array().map(Vec::as_slice) else {
                    return Err(place.refuse("expected a condition and two values"));
                };
                let condition = condition.as_str().ok_or_else(|| place.refuse("expected a condition's name"))?;
                self.resolve(if self.condition(condition, place)? { yes } else { no }, place)
            }
            "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" | "Condition" => {
                self.decide(name, argument, place).map(|it| Some(Value::Bool(it)))
            }
            other => Err(place.refuse(format!("`{other}` is not supported locally"))),
        }
    }

    /// Whether a condition of the template holds.
    pub(super) fn condition(&self, name: &str, place: &Place) -> Result<bool, StackError> {
        let expression = self
            .template
            .conditions
            .get(name)
            .ok_or_else(|| place.refuse(format!("condition `{name}` is not declared")))?;
        let place = Place { path: format!("condition `{name}`"), depth: place.depth + 1 };
        match self.resolve(expression, &place)? {
            Some(Value::Bool(it)) => Ok(it),
            _ => Err(place.refuse("expected a condition function")),
        }
    }

    fn decide(&self, name: &str, argument: &Value, place: &Place) -> Result<bool, StackError> {
        if name == "Condition" {
            let referred = argument.as_str().ok_or_else(|| place.refuse("expected a condition's name"))?;
            return self.condition(referred, place);
        }
        let Some(Value::Array(members)) = self.resolve(argument, place)? else {
            return Err(place.refuse("expected a list"));
        };
        if name == "Fn::Equals" {
            let [left, right] = members.as_slice() else { return Err(place.refuse("expected two values")) };
            // CloudFormation compares strings: 5 equals "5".
            return Ok(left == right || text(left).is_some_and(|left| text(right) == Some(left)));
        }
        let truths: Option<Vec<bool>> = members.iter().map(Value::as_bool).collect();
        let truths = truths.ok_or_else(|| place.refuse("expected conditions"))?;
        match (name, truths.as_slice()) {
            ("Fn::Not", [one]) => Ok(!one),
            ("Fn::And", [_, _, ..]) => Ok(truths.iter().all(|it| *it)),
            ("Fn::Or", [_, _, ..]) => Ok(truths.iter().any(|it| *it)),
            _ => Err(place.refuse("wrong number of conditions")),
        }
    }

    fn reference(&self, target: &str, place: &Place) -> Result<Value, StackError> {
        let deployment = self.deployment;
        let pseudo = match target {
            "AWS::Region" => Some(&deployment.region),
            "AWS::AccountId" => Some(&deployment.account),
            "AWS::Partition" => Some(&deployment.partition),
            "AWS::StackName" => Some(&deployment.stack),
            _ => None,
        };
        if let Some(value) = pseudo {
            return Ok(Value::String(value.clone()));
        }
        if let Some(value) = self.template.parameters.get(target) {
            return Ok(value.clone());
        }
        let resource = self.existing(target, place)?;
        let name = self.name(target, resource, place)?;
        Ok(Value::String(match resource.kind.as_str() {
            "AWS::SQS::Queue" => {
                format!("https://sqs.{}.{}/{}/{name}", deployment.region, self.url_suffix(), deployment.account)
            }
            "AWS::IAM::ManagedPolicy" => self.global_arn("iam", &format!("policy/{name}")),
            "AWS::SNS::Topic" => self.arn("sns", &name),
            _ => name,
        }))
    }

    fn attribute(&self, id: &str, attribute: &str, place: &Place) -> Result<String, StackError> {
        let resource = self.existing(id, place)?;
        let name = self.name(id, resource, place)?;
        Ok(match (resource.kind.as_str(), attribute) {
            ("AWS::Serverless::Function" | "AWS::Lambda::Function", "Arn") => {
                self.arn("lambda", &format!("function:{name}"))
            }
            ("AWS::SQS::Queue", "Arn") => self.arn("sqs", &name),
            ("AWS::SQS::Queue", "QueueName") | ("AWS::SNS::Topic", "TopicName") => name,
            ("AWS::DynamoDB::Table", "Arn") => self.arn("dynamodb", &format!("table/{name}")),
            ("AWS::Events::Rule", "Arn") => self.arn("events", &format!("rule/{name}")),
            ("AWS::Logs::LogGroup", "Arn") => format!("{}:*", self.arn("logs", &format!("log-group:{name}"))),
            ("AWS::IAM::Role", "Arn") => self.role_arn(resource, &name, place)?,
            ("AWS::CloudWatch::Alarm", "Arn") => self.arn("cloudwatch", &format!("alarm:{name}")),
            // IAM generates it; here it follows from the name.
            ("AWS::IAM::Role", "RoleId") => {
                let name = name.to_ascii_uppercase();
                format!("AROA{}", name.chars().filter(char::is_ascii_alphanumeric).collect::<String>())
            }
            (NESTED, path) if path.starts_with("Outputs.") => {
                self.output(id, resource, path.trim_start_matches("Outputs."), place)?
            }
            (kind, _) => return Err(place.refuse(format!("`{attribute}` of `{id}` ({kind}) is not supported locally"))),
        })
    }

    /// `Fn::Sub` with `${Name}`, `${Resource.Attribute}`, `${!literal}`, and its own variables in the long form.
    fn substitute(&self, argument: &Value, place: &Place) -> Result<String, StackError> {
        let nothing = Map::new();
        let (template, own) = match argument {
            Value::String(template) => (template.as_str(), &nothing),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(template), Value::Object(own)] => (template.as_str(), own),
                _ => return Err(place.refuse("expected a string and a mapping")),
            },
            _ => return Err(place.refuse("expected a string")),
        };
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                return Err(place.refuse(format!("`{template}`: a `${{` is not closed")));
            };
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str(&format!("${{{literal}}}"));
            } else {
                out.push_str(&self.substituted(name.trim(), own, place)?);
            }
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn substituted(&self, name: &str, own: &Map<String, Value>, place: &Place) -> Result<String, StackError> {
        let value = match (own.get(name), name.split_once('.')) {
            (Some(value), _) => self.resolve(value, &place.at(name))?.unwrap_or_default(),
            (None, Some((id, attribute))) => Value::String(self.attribute(id, attribute, place)?),
            (None, None) => self.reference(name, place)?,
        };
        text(&value).ok_or_else(|| place.refuse(format!("`{name}` is not a string")))
    }

    /// The resource of this id, if its condition holds in this deployment.
    fn existing(&self, id: &str, place: &Place) -> Result<&Resource, StackError> {
        if place.depth > DEPTH {
            return Err(place.refuse("circular reference"));
        }
        let resource = self
            .template
            .resources
            .get(id)
            .ok_or_else(|| place.refuse(format!("`{id}` is not a parameter or resource")))?;
        match &resource.condition {
            Some(condition) if !self.condition(condition, place)? => {
                Err(place.refuse(format!("`{id}` is not deployed: condition `{condition}` is false")))
            }
            _ => Ok(resource),
        }
    }

    /// The name in the template, else a generated one from stack and logical id.
    pub(super) fn name(&self, id: &str, resource: &Resource, place: &Place) -> Result<String, StackError> {
        let property = match resource.kind.as_str() {
            "AWS::Serverless::Function" | "AWS::Lambda::Function" => "FunctionName",
            "AWS::Config::ConfigRule" => "ConfigRuleName",
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            "AWS::IAM::Role" => "RoleName",
            "AWS::IAM::ManagedPolicy" => "ManagedPolicyName",
            "AWS::SNS::Topic" => "TopicName",
            "AWS::CloudWatch::Alarm" => "AlarmName",
            _ => "Name",
        };
        let given = resource
            .properties
            .get(property)
            .map(|value| self.resolve(value, &place.at(property)))
            .transpose()?
            .flatten();
        match given {
            None => Ok(format!("{}-{id}{}", self.deployment.stack, suffix(resource))),
            Some(value) => text(&value).ok_or_else(|| place.refuse(format!("`{property}` of `{id}` is not a string"))),
        }
    }

    pub(super) fn arn(&self, service: &str, rest: &str) -> String {
        let Deployment { partition, region, account, .. } = self.deployment;
        format!("arn:{partition}:{service}:{region}:{account}:{rest}")
    }

    /// The text of a nested template, and its deployment: named after both stacks, with the parameters it is passed.
    pub(super) fn nested(
        &self,
        id: &str,
        application: &Resource,
        place: &Place,
    ) -> Result<(&'a str, Deployment), StackError> {
        let resolved = self.resolve(&application.properties, place)?.unwrap_or_default();
        let location = resolved.get("Location").and_then(Value::as_str);
        let location = location.ok_or_else(|| place.refuse("`Location`: expected a string"))?;
        let template = self.templates.get(location);
        let template = template.ok_or_else(|| StackError::Template(format!("`{location}`: no such template")))?;
        let mut parameters = BTreeMap::new();
        for (name, value) in resolved.get("Parameters").and_then(Value::as_object).into_iter().flatten() {
            let value = text(value).ok_or_else(|| place.refuse(format!("`Parameters.{name}`: expected a string")))?;
            parameters.insert(name.clone(), value);
        }
        let stack = self.name(id, application, place)?;
        Ok((template, Deployment { stack, parameters, ..self.deployment.clone() }))
    }

    /// An output of a nested template.
    fn output(&self, id: &str, application: &Resource, output: &str, place: &Place) -> Result<String, StackError> {
        let (template, deployment) = self.nested(id, application, place)?;
        let template = Template::parse(template, &deployment)?;
        let value = template.outputs.get(output).and_then(|it| it.get("Value"));
        let value = value.ok_or_else(|| place.refuse(format!("`{id}` has no output `{output}`")))?;
        let value = Resolver::new(&template, &deployment, self.templates).resolve(value, &place.at(output))?;
        value
            .as_ref()
            .and_then(text)
            .ok_or_else(|| place.refuse(format!("output `{output}` of `{id}` is not a string")))
    }

    /// The ARN of a role with this name: its path comes before the name.
    pub(super) fn role_arn(&self, role: &Resource, name: &str, place: &Place) -> Result<String, StackError> {
        let path = match role.properties.get("Path") {
            Some(path) => self.resolve(path, &place.at("Path"))?.as_ref().and_then(text),
            None => Some("/".to_owned()),
        };
        let path = path.ok_or_else(|| place.refuse("`Path` is not a string"))?;
        Ok(self.global_arn("iam", &format!("role{path}{name}")))
    }

    /// The ARN of a global resource.
    pub(super) fn global_arn(&self, service: &str, rest: &str) -> String {
        let Deployment { partition, account, .. } = self.deployment;
        format!("arn:{partition}:{service}::{account}:{rest}")
    }

    fn url_suffix(&self) -> &'static str {
        if self.deployment.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }

    fn texts(&self, value: &Value, place: &Place) -> Result<Vec<String>, StackError> {
        let all = value.as_array().ok_or_else(|| place.refuse("expected a list"))?;
        all.iter().map(|it| text(it).ok_or_else(|| place.refuse("expected a list of strings"))).collect()
    }
}

/// The end of a generated name: SQS requires one of a FIFO queue.
fn suffix(resource: &Resource) -> &'static str {
    let is_fifo =
        resource.kind == "AWS::SQS::Queue" && resource.properties.get("FifoQueue") == Some(&Value::Bool(true));
    if is_fifo { ".fifo" } else { "" }
}

/// `{"Fn::Name": argument}`, `{"Ref": …}` or `{"Condition": "name"}`: an object with exactly one such key. A
/// `Condition` that is not a string belongs to a policy statement and is left alone.
fn function(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = object.iter();
    let (Some((key, argument)), None) = (entries.next(), entries.next()) else { return None };
    let is_function = key == "Ref" || key.starts_with("Fn::") || (key == "Condition" && argument.is_string());
    is_function.then_some((key.as_str(), argument))
}
