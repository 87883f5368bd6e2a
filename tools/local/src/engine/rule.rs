//! A validated rule: the messages it subscribes to, its scope and its description.

use super::EngineSettings;
use super::definition::{ConfigRule, Mode};
use super::error::ApiError;
use super::item::Item;

/// The maximum number of rules in an account; AWS answers `MaxNumberOfConfigRulesExceededException` beyond it.
pub(super) const MAX_RULES: usize = 1000;

/// The message types that a rule can subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// A resource was created, changed or deleted, or is re-evaluated.
    Change,
    /// The same, with an item that is too big to send.
    Oversized,
    /// The rule's schedule is due.
    Scheduled,
    /// A snapshot of all items was delivered.
    Snapshot,
}

impl Message {
    /// All message types.
    pub const ALL: [Self; 4] = [Self::Change, Self::Oversized, Self::Scheduled, Self::Snapshot];

    /// The `messageType` of the notification.
    pub fn name(self) -> &'static str {
        match self {
            Self::Change => "ConfigurationItemChangeNotification",
            Self::Oversized => "OversizedConfigurationItemChangeNotification",
            Self::Scheduled => "ScheduledNotification",
            Self::Snapshot => "ConfigurationSnapshotDeliveryCompleted",
        }
    }
}

/// A validated rule with its name and id.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) function: String,
    definition: ConfigRule,
}

impl Rule {
    /// Validates a definition under its final name and id.
    pub(super) fn new(
        definition: ConfigRule,
        name: String,
        id: String,
        settings: &EngineSettings,
    ) -> Result<Self, ApiError> {
        definition.check(&name)?;
        let function = definition.source.source_identifier.clone().unwrap_or_default();
        let EngineSettings { account, region, partition } = settings;
        let arn = format!("arn:{partition}:config:{region}:{account}:config-rule/{id}");
        Ok(Self { name, id, arn, function, definition })
    }

    /// Whether the rule's source lists this message type.
    pub(super) fn subscribes(&self, message: Message) -> bool {
        let mut details = self.definition.source.source_details.iter();
        details.any(|detail| detail.message_type.as_deref() == Some(message.name()))
    }

    /// Whether an item is in the rule's scope by type, id and tag.
    pub(super) fn covers(&self, item: &Item) -> bool {
        let Some(scope) = &self.definition.scope else { return true };
        let types = &scope.compliance_resource_types;
        let type_matches = types.is_empty() || types.contains(&item.key.resource_type);
        let id_matches = scope.compliance_resource_id.as_ref().is_none_or(|id| *id == item.key.resource_id);
        let tag_matches = scope.tag_key.as_deref().is_none_or(|key| {
            let value = item.tag(key);
            scope.tag_value.as_deref().map_or(value.is_some(), |wanted| value == Some(wanted))
        });
        type_matches && id_matches && tag_matches
    }

    /// The parameters as JSON text; an empty object if the rule has none.
    pub(super) fn parameters(&self) -> &str {
        self.definition.input_parameters.as_deref().unwrap_or("{}")
    }

    /// The rule as `DescribeConfigRules` returns it.
    pub(super) fn describe(&self) -> ConfigRule {
        let mut rule = ConfigRule {
            config_rule_name: Some(self.name.clone()),
            config_rule_arn: Some(self.arn.clone()),
            config_rule_id: Some(self.id.clone()),
            config_rule_state: Some("ACTIVE".to_owned()),
            ..self.definition.clone()
        };
        if rule.evaluation_modes.is_empty() {
            rule.evaluation_modes = vec![Mode { mode: "DETECTIVE".to_owned() }];
        }
        rule
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::engine::item::tests::bucket;

    pub(in crate::engine) fn settings() -> EngineSettings {
        EngineSettings {
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            partition: "aws".to_owned(),
        }
    }

    /// A rule on `messages`, with the scope given as JSON.
    pub(in crate::engine) fn definition(name: &str, messages: &[Message], scope: Value) -> ConfigRule {
        let details: Vec<Value> = messages
            .iter()
            .map(|message| json!({"EventSource": "aws.config", "MessageType": message.name()}))
            .collect();
        let mut rule = json!({
            "ConfigRuleName": name,
            "Source": {
                "Owner": "CUSTOM_LAMBDA",
                "SourceIdentifier": format!("arn:aws:lambda:us-east-1:111122223333:function:{name}"),
                "SourceDetails": details
            }
        });
        rule["Scope"] = scope;
        serde_json::from_value(rule).unwrap()
    }

    fn rule(definition: ConfigRule) -> Result<Rule, ApiError> {
        Rule::new(definition, "open-ssh".to_owned(), "config-rule-abc123".to_owned(), &settings())
    }

    #[test]
    fn scope_selects_by_type_id_and_tag() {
        let item = |tags| Item::parse(bucket("logs", "2026-03-04T05:06:07.512Z", tags)).unwrap();
        let rows = [
            (Value::Null, json!({}), true),
            (json!({"ComplianceResourceTypes": ["AWS::S3::Bucket"]}), json!({}), true),
            (json!({"ComplianceResourceTypes": ["AWS::IAM::User"]}), json!({}), false),
            (json!({"ComplianceResourceTypes": ["AWS::S3::Bucket"], "ComplianceResourceId": "logs"}), json!({}), true),
            (
                json!({"ComplianceResourceTypes": ["AWS::S3::Bucket"], "ComplianceResourceId": "other"}),
                json!({}),
                false,
            ),
            (json!({"TagKey": "team"}), json!({"team": "blue"}), true),
            (json!({"TagKey": "team"}), json!({"Team": "blue"}), false),
            (json!({"TagKey": "team", "TagValue": "blue"}), json!({"team": "blue"}), true),
            (json!({"TagKey": "team", "TagValue": "blue"}), json!({"team": "red"}), false),
        ];
        for (scope, tags, covered) in rows {
            let rule = rule(definition("open-ssh", &[Message::Change], scope.clone())).unwrap();
            assert_eq!(rule.covers(&item(tags.clone())), covered, "{scope} {tags}");
        }
    }
}
