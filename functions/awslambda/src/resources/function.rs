//! A function with its policy, read from a configuration item and from the API, and the calls that edit the policy.
//!
//! Depends on no control and no SDK.

use rectify_compliance::{
    ConfigurationItem, ManagedBy, Operation, Permission, Resource, ResourceIdentity, ResourceKey, ResourceState,
    SetCall, ShapeError, Tags, View,
};
use rectify_policy::condition::is_fixed;
use rectify_policy::{Document, Key, ResourceKind, Wildcards};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// AWS Config's type. The id is the name of the function.
pub const TYPE: &str = "AWS::Lambda::Function";

/// The functions of the function's own region and account.
pub const FUNCTIONS: &str = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*";

/// A function and its policy, without those of its versions and aliases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Function {
    /// `FunctionName`.
    pub name: String,
    /// `FunctionArn`, without a qualifier.
    pub arn: String,
    /// `GetPolicy`; `None` for a function without statements, which only its account may invoke.
    pub policy: Option<Document>,
    /// Its tags.
    pub tags: Tags,
}

impl ResourceState for Function {
    fn identity(&self) -> ResourceIdentity<'_> {
        let key = ResourceKey::new(TYPE, &self.name);
        ResourceIdentity { key, arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

/// A function as AWS Config recorded it: an item has no policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFunction {
    /// `functionName`.
    pub name: String,
    /// `functionArn`.
    pub arn: String,
    /// Its tags.
    pub tags: Tags,
}

impl Resource for RecordedFunction {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let arn = item.configuration.get("functionArn").and_then(Value::as_str).or(item.arn.as_deref());
        let arn = arn.ok_or_else(|| ShapeError::missing("configuration.functionArn", "an ARN"))?;
        Ok(Self { name: item.resource.id.clone(), arn: arn.to_owned(), tags: item.tags.clone() })
    }
}

/// `RemovePermission`.
pub const REMOVE: Operation = Operation {
    name: "RemovePermission",
    resource: "FunctionName",
    permissions: &[Permission::on("lambda:RemovePermission", FUNCTIONS)],
};

/// `AddPermission`.
pub const ADD: Operation = Operation {
    name: "AddPermission",
    resource: "FunctionName",
    permissions: &[Permission::on("lambda:AddPermission", FUNCTIONS)],
};

/// The conditions that `AddPermission` can express: operator and key in lower case, and the member of its input.
const CONDITIONS: [(&str, &str, &str); 6] = [
    ("arnlike", "aws:sourcearn", "SourceArn"),
    ("bool", "lambda:invokedviafunctionurl", "InvokedViaFunctionUrl"),
    ("stringequals", "aws:principalorgid", "PrincipalOrgID"),
    ("stringequals", "aws:sourceaccount", "SourceAccount"),
    ("stringequals", "lambda:eventsourcetoken", "EventSourceToken"),
    ("stringequals", "lambda:functionurlauthtype", "FunctionUrlAuthType"),
];

/// How the policy of a function is read. S3 invokes a function for any bucket, unless the statement names an account.
pub const KIND: ResourceKind = ResourceKind {
    keys: &[Key { name: "lambda:eventsourcetoken", is_fixed }],
    shared_services: &["s3.amazonaws.com"],
    ..ResourceKind::PLAIN
};

impl Function {
    /// The policy of an answer: without statements it counts as none.
    ///
    /// # Errors
    /// [`ShapeError`] if it cannot be read.
    pub fn policy_of(text: &str) -> Result<Option<Document>, ShapeError> {
        Ok(Some(Document::parse("Policy", text)?).filter(|it| !it.policy().0.is_empty()))
    }

    /// Whether the statement with this `Sid` is public in a policy of the function `arn`, however wildcards are read.
    pub fn is_public(policy: &Document, arn: &str, sid: &str) -> bool {
        let kind = ResourceKind { wildcards: Wildcards::Refused, ..KIND };
        policy.position_of(sid).is_some_and(|it| policy.policy().public_positions(arn, &kind).contains(&it))
    }

    /// The `AddPermission` that adds a statement as it is; `None` if there is no such call.
    pub fn addition(&self, statement: &Value) -> Option<SetCall> {
        let mut input = Map::from_iter([(ADD.resource.to_owned(), self.name.as_str().into())]);
        for (element, value) in statement.as_object()? {
            match element.as_str() {
                "Effect" if value == "Allow" => {}
                "Resource" if text(value)? == self.arn => {}
                "Sid" => drop(input.insert("StatementId".to_owned(), text(value)?.into())),
                "Action" => drop(input.insert("Action".to_owned(), text(value)?.into())),
                "Principal" => drop(input.insert("Principal".to_owned(), principal(value)?.into())),
                "Condition" => input.extend(conditions(value)?),
                _ => return None,
            }
        }
        let is_complete = ["StatementId", "Action", "Principal"].iter().all(|it| input.contains_key(*it));
        is_complete.then(|| SetCall { operation: ADD.name.to_owned(), input })
    }
}

/// A value, or the only member of a list, as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(list) => list.first().filter(|_| list.len() == 1).and_then(text),
        Value::Null | Value::Number(_) | Value::Object(_) => None,
    }
}

/// The principal in the form of the call: `*`, an ARN, an account or a service.
fn principal(value: &Value) -> Option<String> {
    let Some(kinds) = value.as_object() else { return text(value) };
    let mut kinds = kinds.iter();
    match (kinds.next(), kinds.next()) {
        (Some((kind, value)), None) if kind == "AWS" || kind == "Service" => text(value),
        _ => None,
    }
}

fn conditions(value: &Value) -> Option<Map<String, Value>> {
    let mut input = Map::new();
    for (operator, keys) in value.as_object()? {
        for (key, value) in keys.as_object()? {
            let written = (operator.to_lowercase(), key.to_lowercase());
            let is_written = |row: &&(&str, &str, &str)| (row.0, row.1) == (&*written.0, &*written.1);
            let (_, _, member) = CONDITIONS.iter().find(is_written)?;
            input.insert((*member).to_owned(), text(value)?.into());
        }
    }
    Some(input)
}

impl View for Function {
    type Resource = RecordedFunction;
    /// `GetPolicy`; `None` for a function without one.
    type Facts = Option<Document>;
    const FACTS: &'static [Permission] = &[Permission::on("lambda:GetPolicy", FUNCTIONS)];
    const READ: &'static [Permission] =
        &[Permission::on("lambda:GetPolicy", FUNCTIONS), Permission::on("lambda:ListTags", FUNCTIONS)];
    const LIST: &'static [Permission] =
        &[Permission::unscoped("lambda:ListFunctions"), Permission::on("lambda:GetPolicy", FUNCTIONS)];
    const MANAGED_BY: ManagedBy =
        ManagedBy::Lookup("the statement id, which is the physical id of an `AWS::Lambda::Permission`");

    fn of(RecordedFunction { name, arn, tags }: RecordedFunction, policy: Option<Document>) -> Self {
        Self { name, arn, policy, tags }
    }

    fn call_id(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) const ARN: &str = "arn:aws:lambda:eu-west-1:111122223333:function:resize";

    /// The function `resize` with this policy.
    pub(crate) fn function(policy: Option<&str>) -> Function {
        let policy = policy.and_then(|it| Function::policy_of(it).unwrap());
        Function { name: "resize".to_owned(), arn: ARN.to_owned(), policy, tags: Tags::new() }
    }

    #[test]
    fn item_has_the_arn_in_its_configuration_or_beside_it() {
        let item = |arn: Value, configuration: Value| {
            ConfigurationItem::from_notification(&json!({
                "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": TYPE, "resourceId": "resize",
                "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
                "ARN": arn, "configuration": configuration
            }))
            .unwrap()
        };
        let expected = Ok(function(None));
        for item in [item(json!(null), json!({"functionArn": ARN})), item(json!(ARN), json!({}))] {
            assert_eq!(RecordedFunction::from_item(&item).map(|it| Function::of(it, None)), expected);
        }
        assert!(RecordedFunction::from_item(&item(json!(null), json!({}))).is_err());
    }

    #[test]
    fn policy_without_statements_counts_as_none() {
        assert_eq!(Function::policy_of(r#"{"Statement":[]}"#), Ok(None));
        assert!(Function::policy_of("{}").is_err());
    }

    #[test]
    fn a_statement_is_added_by_a_call_that_expresses_all_of_it() {
        let base = json!({"Sid": "A", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction",
                          "Resource": ARN});
        let call = json!({"FunctionName": "resize", "StatementId": "A", "Action": "lambda:InvokeFunction",
                          "Principal": "*"});
        let url = json!({"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}});
        let token = json!({"StringEquals": {"lambda:EventSourceToken": ["amzn1.skill"]}});
        let source = json!({"StringEquals": {"AWS:SourceAccount": "111122223333"},
                            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::pics"}});
        let both = json!({"SourceAccount": "111122223333", "SourceArn": "arn:aws:s3:::pics"});
        for (change, expected) in [
            (json!({}), Some(json!({}))),
            (json!({"Action": ["lambda:InvokeFunction"], "Principal": {"AWS": ["*"]}}), Some(json!({}))),
            (json!({"Principal": {"Service": "s3.amazonaws.com"}}), Some(json!({"Principal": "s3.amazonaws.com"}))),
            (json!({"Condition": url}), Some(json!({"FunctionUrlAuthType": "NONE"}))),
            (json!({"Condition": token}), Some(json!({"EventSourceToken": "amzn1.skill"}))),
            (json!({"Condition": source}), Some(both)),
            (
                json!({"Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}}}),
                Some(json!({"InvokedViaFunctionUrl": "true"})),
            ),
            (json!({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}), None),
            (json!({"Condition": {"StringLike": {"aws:SourceAccount": "1*"}}}), None),
            (json!({"Action": ["lambda:InvokeFunction", "lambda:GetFunction"]}), None),
            (json!({"Principal": {"AWS": ["*", "111122223333"]}}), None),
            (json!({"Principal": {"AWS": "*", "Service": "s3.amazonaws.com"}}), None),
            (json!({"Resource": "*"}), None),
            (json!({"Effect": "Deny"}), None),
            (json!({"NotAction": "lambda:GetFunction"}), None),
        ] {
            let merge = |base: &Value, change: &Value| {
                let mut merged = base.as_object().unwrap().clone();
                merged.extend(change.as_object().unwrap().clone());
                merged
            };
            let input = expected.map(|it| merge(&call, &it));
            let added = function(None).addition(&Value::Object(merge(&base, &change)));
            assert_eq!(added.map(|it| it.input), input, "{change}");
        }
        assert_eq!(function(None).addition(&json!({"Effect": "Allow"})), None);
    }
}
