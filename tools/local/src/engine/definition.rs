//! A Config rule's definition: its API shape and its validation.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ApiError;
use super::rule::Message;
use super::shape::{Violations, is_resource_type};

const OWNERS: [&str; 3] = ["CUSTOM_LAMBDA", "AWS", "CUSTOM_POLICY"];
const FREQUENCIES: [&str; 5] = ["One_Hour", "Three_Hours", "Six_Hours", "Twelve_Hours", "TwentyFour_Hours"];

/// `ConfigRule` of the service model, in `PutConfigRule` and `DescribeConfigRules`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ConfigRule {
    /// 1 to 128 characters; required for a new rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_rule_name: Option<String>,
    /// Assigned by AWS Config; may replace the name when a rule is updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_rule_arn: Option<String>,
    /// Assigned by AWS Config, `config-rule-` and six characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_rule_id: Option<String>,
    /// At most 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The resources that a change-triggered rule is invoked for; all if missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The function that evaluates, and the messages it is invoked for.
    pub source: Source,
    /// A JSON object as text, 1 to 1,024 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_parameters: Option<String>,
    /// How often a periodic rule runs, unless its source sets a frequency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_execution_frequency: Option<String>,
    /// `ACTIVE` in answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_rule_state: Option<String>,
    /// The service that created the rule; never set here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// `[{"Mode": "DETECTIVE"}]` in answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evaluation_modes: Vec<Mode>,
}

/// `Scope` of the service model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Scope {
    /// At most 100 resource types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compliance_resource_types: Vec<String>,
    /// Only resources that carry this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_key: Option<String>,
    /// Only resources whose tag has this value; needs the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_value: Option<String>,
    /// Only this resource; needs exactly one type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compliance_resource_id: Option<String>,
}

/// `Source` of the service model, without the members that a custom Lambda rule does not use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Source {
    /// `CUSTOM_LAMBDA`; this engine runs neither managed nor policy rules.
    pub owner: String,
    /// The function's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identifier: Option<String>,
    /// The messages the function is invoked for, 1 to 25.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_details: Vec<SourceDetail>,
}

/// `SourceDetail` of the service model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SourceDetail {
    /// Always `aws.config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_source: Option<String>,
    /// The name of a [`Message`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// Only for `ScheduledNotification`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_execution_frequency: Option<String>,
}

/// `EvaluationModeConfiguration` of the service model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Mode {
    /// `DETECTIVE` or `PROACTIVE`.
    pub mode: String,
}

impl ConfigRule {
    /// Reads the rule from the resolved properties of an `AWS::Config::ConfigRule`.
    ///
    /// In CloudFormation `InputParameters` is an object, in the API its JSON text; everything else is the same.
    ///
    /// # Errors
    /// A property of an unexpected type.
    pub fn from_template(properties: &Value) -> Result<Self, serde_json::Error> {
        let mut properties = properties.clone();
        if let Some(parameters) = properties.get_mut("InputParameters").filter(|value| value.is_object()) {
            *parameters = parameters.to_string().into();
        }
        serde_json::from_value(properties)
    }

    /// Validates the rule under this name.
    ///
    /// # Errors
    /// AWS Config's error, or one that the engine cannot run the rule.
    pub(super) fn check(&self, name: &str) -> Result<(), ApiError> {
        check(self, name)
    }
}

fn check(rule: &ConfigRule, name: &str) -> Result<(), ApiError> {
    check_model(rule, name)?;
    let refused = |why: String| Err(ApiError::invalid_parameter(why));
    if rule.source.owner != "CUSTOM_LAMBDA" {
        return refused(format!("local engine: runs rules of owner CUSTOM_LAMBDA only, not {}", rule.source.owner));
    }
    let function = rule.source.source_identifier.as_deref().unwrap_or_default();
    let segments: Vec<&str> = function.split(':').collect();
    if !matches!(segments.as_slice(), ["arn", _, "lambda", _, _, "function", name, ..] if !name.is_empty()) {
        return refused(format!(
            "The sourceIdentifier '{function}' is invalid. Please refer to the documentation for a list of valid values."
        ));
    }
    if rule.source.source_details.is_empty() {
        return refused("SourceDetails must be provided for a rule of owner CUSTOM_LAMBDA.".to_owned());
    }
    for detail in &rule.source.source_details {
        let scheduled = detail.message_type.as_deref() == Some(Message::Scheduled.name());
        if detail.message_type.is_none() {
            return refused("MessageType must be provided in each of SourceDetails.".to_owned());
        }
        if detail.maximum_execution_frequency.is_some() && !scheduled {
            return refused(
                "MaximumExecutionFrequency is only valid with the message type ScheduledNotification.".to_owned(),
            );
        }
    }
    if let Some(text) = &rule.input_parameters
        && !serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object())
    {
        return refused(format!("InputParameters is not a JSON object: {text}"));
    }
    rule.scope.as_ref().map_or(Ok(()), check_scope)
}

fn check_scope(scope: &Scope) -> Result<(), ApiError> {
    let types = &scope.compliance_resource_types;
    if let Some(unknown) = types.iter().find(|name| !is_resource_type(name)) {
        return Err(ApiError::invalid_parameter(format!("Unknown resource type in Scope: {unknown}")));
    }
    if scope.compliance_resource_id.is_some() && types.len() != 1 {
        return Err(ApiError::invalid_parameter(
            "A ComplianceResourceId needs exactly one of ComplianceResourceTypes.",
        ));
    }
    if scope.tag_value.is_some() && scope.tag_key.is_none() {
        return Err(ApiError::invalid_parameter("A TagValue needs a TagKey."));
    }
    if scope.tag_key.is_some() && scope.compliance_resource_id.is_some() {
        return Err(ApiError::invalid_parameter("A scope is by resource or by tag, not both."));
    }
    Ok(())
}

fn check_model(rule: &ConfigRule, name: &str) -> Result<(), ApiError> {
    let mut violations = Violations::default();
    violations.length("configRule.configRuleName", name, 1, 128);
    violations.length("configRule.description", rule.description.as_deref().unwrap_or_default(), 0, 256);
    violations.one_of("configRule.source.owner", &rule.source.owner, &OWNERS);
    if let Some(parameters) = &rule.input_parameters {
        violations.length("configRule.inputParameters", parameters, 1, 1024);
    }
    if let Some(identifier) = &rule.source.source_identifier {
        violations.length("configRule.source.sourceIdentifier", identifier, 1, 256);
    }
    violations.count("configRule.source.sourceDetails", rule.source.source_details.len(), 0, 25);
    let frequency = |violations: &mut Violations, at: &str, value: &Option<String>| {
        if let Some(value) = value {
            violations.one_of(at, value, &FREQUENCIES);
        }
    };
    frequency(&mut violations, "configRule.maximumExecutionFrequency", &rule.maximum_execution_frequency);
    for (number, detail) in (1..).zip(&rule.source.source_details) {
        let at = |member: &str| format!("configRule.source.sourceDetails.{number}.member.{member}");
        frequency(&mut violations, &at("maximumExecutionFrequency"), &detail.maximum_execution_frequency);
        if let Some(source) = &detail.event_source {
            violations.one_of(&at("eventSource"), source, &["aws.config"]);
        }
        if let Some(message) = &detail.message_type {
            violations.one_of(&at("messageType"), message, &Message::ALL.map(Message::name));
        }
    }
    for (number, mode) in (1..).zip(&rule.evaluation_modes) {
        let at = format!("configRule.evaluationModes.{number}.member.mode");
        violations.one_of(&at, &mode.mode, &["DETECTIVE", "PROACTIVE"]);
    }
    if let Some(scope) = &rule.scope {
        violations.count("configRule.scope.complianceResourceTypes", scope.compliance_resource_types.len(), 0, 100);
        for (member, value, max) in [
            ("tagKey", &scope.tag_key, 128),
            ("tagValue", &scope.tag_value, 256),
            ("complianceResourceId", &scope.compliance_resource_id, 768),
        ] {
            if let Some(value) = value {
                violations.length(&format!("configRule.scope.{member}"), value, 1, max);
            }
        }
    }
    violations.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::rule::tests::definition;

    fn frequency(rule: &mut ConfigRule, name: &str) {
        rule.source.source_details[0].maximum_execution_frequency = Some(name.to_owned());
    }

    fn scope(rule: &mut ConfigRule, scope: Value) {
        rule.scope = serde_json::from_value(scope).unwrap();
    }

    #[test]
    fn invalid_rule_is_refused() {
        const INVALID: &str = "InvalidParameterValueException";
        const MODEL: &str = "ValidationException: 1 validation error detected";
        type Edit = fn(&mut ConfigRule);
        let change = |edit: Edit| {
            let mut changed = definition("open-ssh", &[Message::Change], Value::Null);
            edit(&mut changed);
            changed.check("open-ssh").unwrap_err().to_string()
        };
        let rows: [(Edit, &str, &str); 9] = [
            (|rule| rule.source.owner = "AWS".to_owned(), INVALID, "runs rules of owner CUSTOM_LAMBDA only, not AWS"),
            (|rule| rule.source.owner = "ME".to_owned(), MODEL, "value set: [CUSTOM_LAMBDA, AWS, CUSTOM_POLICY]"),
            (|rule| rule.source.source_details.clear(), INVALID, "SourceDetails must be provided"),
            (|rule| rule.source.source_identifier = None, INVALID, "The sourceIdentifier '' is invalid."),
            (|rule| frequency(rule, "One_Hour"), INVALID, "only valid with the message type ScheduledNotification."),
            (
                |rule| frequency(rule, "Hourly"),
                MODEL,
                "'configRule.source.sourceDetails.1.member.maximumExecutionFrequency'",
            ),
            (
                |rule| rule.input_parameters = Some("[1]".to_owned()),
                INVALID,
                "InputParameters is not a JSON object: [1]",
            ),
            (|rule| scope(rule, json!({"TagValue": "blue"})), INVALID, "A TagValue needs a TagKey."),
            (
                |rule| scope(rule, json!({"ComplianceResourceId": "logs"})),
                INVALID,
                "needs exactly one of ComplianceResourceTypes.",
            ),
        ];
        for (edit, code, reason) in rows {
            let error = change(edit);
            assert!(error.starts_with(code) && error.contains(reason), "{error}");
        }
    }

    #[test]
    fn template_properties_become_a_rule() {
        let rule = ConfigRule::from_template(&json!({
            "ConfigRuleName": "rectify-open-ssh",
            "InputParameters": {"ports": "22"},
            "Scope": {"ComplianceResourceTypes": ["AWS::EC2::SecurityGroup"]},
            "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": "arn:aws:lambda:us-east-1:111122223333:function:x"}
        }))
        .unwrap();
        assert_eq!(rule.input_parameters.as_deref(), Some(r#"{"ports":"22"}"#));
        assert_eq!(rule.scope.unwrap().compliance_resource_types, ["AWS::EC2::SecurityGroup"]);
    }
}
