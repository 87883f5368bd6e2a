//! A topic, read from a configuration item or from the API.
//!
//! Depends on no control and no SDK.

use rectify_compliance::{
    Arn, ConfigurationItem, Operation, Permission, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError,
    Tags, View,
};
use rectify_policy::Document;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// AWS Config's type. The id is the ARN of the topic.
pub const TYPE: &str = "AWS::SNS::Topic";

/// The topics of the function's own region and account.
pub const TOPICS: &str = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*";

/// The attribute with the KMS key.
pub const KEY: &str = "KmsMasterKeyId";

/// The actions of the default policy of a topic.
const OWNER_ACTIONS: [&str; 8] = [
    "SNS:GetTopicAttributes",
    "SNS:SetTopicAttributes",
    "SNS:AddPermission",
    "SNS:RemovePermission",
    "SNS:DeleteTopic",
    "SNS:Subscribe",
    "SNS:ListSubscriptionsByTopic",
    "SNS:Publish",
];

/// A topic with the attributes that the controls read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Topic {
    /// `TopicArn`.
    pub arn: String,
    /// `Policy`; `None` where it is missing, which only an item is known to lack.
    pub policy: Option<Document>,
    /// `KmsMasterKeyId`: id, ARN or alias; `None` without encryption.
    pub kms_key: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

impl Topic {
    /// Builds the topic from its attributes, which an item and `GetTopicAttributes` have in the same form.
    ///
    /// # Errors
    /// [`ShapeError`] if the policy cannot be read.
    pub fn of<'a>(arn: &str, attribute: impl Fn(&str) -> Option<&'a str>, tags: Tags) -> Result<Self, ShapeError> {
        let policy = attribute("Policy").filter(|it| !it.is_empty());
        let policy = policy.map(|it| Document::parse("Policy", it)).transpose()?;
        let kms_key = attribute(KEY).filter(|it| !it.is_empty()).map(str::to_owned);
        Ok(Self { arn: arn.to_owned(), policy, kms_key, tags })
    }

    /// The last part of its ARN.
    pub fn name(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or_default()
    }

    /// The policy of a new topic, which allows everything to the account that owns it.
    pub fn default_policy(&self) -> String {
        let account = self.arn.parse().ok().and_then(|it: Arn| it.account());
        json!({
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [{
                "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": {"AWS": "*"},
                "Action": OWNER_ACTIONS, "Resource": self.arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": account}}
            }]
        })
        .to_string()
    }
}

impl ResourceState for Topic {
    fn identity(&self) -> ResourceIdentity<'_> {
        let key = ResourceKey::new(TYPE, &self.arn);
        ResourceIdentity { key, arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

impl Resource for Topic {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        for name in ["Policy", KEY] {
            if let Some(other) = item.configuration.get(name).filter(|it| !it.is_string() && !it.is_null()) {
                return Err(ShapeError::new(format!("configuration.{name}"), "text", other));
            }
        }
        let attribute = |name: &str| item.configuration.get(name)?.as_str();
        let topic = Self::of(&item.resource.id, attribute, item.tags.clone());
        topic.map_err(|error| error.within("configuration"))
    }
}

/// `SetTopicAttributes`, which sets one attribute.
pub const SET: Operation = Operation {
    name: "SetTopicAttributes",
    resource: "TopicArn",
    permissions: &[Permission::on("sns:SetTopicAttributes", TOPICS)],
};

impl View for Topic {
    type Resource = Self;
    /// The live topic, read where the item has no policy.
    type Facts = Option<Self>;
    const FACTS: &'static [Permission] = &[Permission::on("sns:GetTopicAttributes", TOPICS)];
    const READ: &'static [Permission] =
        &[Permission::on("sns:GetTopicAttributes", TOPICS), Permission::on("sns:ListTagsForResource", TOPICS)];
    const LIST: &'static [Permission] = &[];

    fn of(recorded: Self, live: Option<Self>) -> Self {
        match live {
            Some(live) => Self { tags: recorded.tags, ..live },
            None => recorded,
        }
    }

    fn call_id(&self) -> &str {
        &self.arn
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rectify_compliance::item::ApiItem;
    use serde_json::Value;

    use super::*;

    pub(crate) const ARN: &str = "arn:aws:sns:eu-west-1:111122223333:alarms";

    /// The topic `alarms` with this policy.
    pub(crate) fn topic(policy: Option<&str>) -> Topic {
        let policy = policy.map(|it| Document::parse("p", it).unwrap());
        Topic { arn: ARN.to_owned(), policy, kms_key: None, tags: Tags::new() }
    }

    pub(crate) fn item(configuration: &Value) -> ConfigurationItem {
        ConfigurationItem::from_notification(&json!({
            "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": TYPE, "resourceId": ARN,
            "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
            "configuration": configuration
        }))
        .unwrap()
    }

    #[test]
    fn policy_of_an_item_is_text_or_missing() {
        let text = topic(None).default_policy();
        let recorded = item(&json!({"Policy": text}));
        assert_eq!(Topic::from_item(&recorded), Ok(topic(Some(&text))));
        let configuration = Some(recorded.configuration.to_string());
        let of_history = ApiItem { configuration, status: Some("OK".to_owned()), ..ApiItem::default() };
        let of_history = ApiItem { captured_at: Some(recorded.captured_at), ..of_history }.about(&recorded.target());
        let of_history = ConfigurationItem::from_api(of_history).unwrap();
        assert_eq!(Topic::from_item(&of_history), Ok(topic(Some(&text))), "sns-topic-no-public-access/10");
        for none in [json!({}), json!({"Policy": null}), json!({"Policy": ""})] {
            assert_eq!(Topic::from_item(&item(&none)), Ok(topic(None)), "{none}");
        }
        for malformed in [json!({"Policy": {}}), json!({"Policy": "{}"})] {
            let error = Topic::from_item(&item(&malformed)).unwrap_err();
            assert!(error.path.starts_with("configuration.Policy"), "{error}");
        }
    }

    #[test]
    fn live_topic_replaces_an_item_without_policy() {
        let live = topic(Some(&topic(None).default_policy()));
        assert_eq!(<Topic as View>::of(topic(None), Some(live.clone())), live);
        assert_eq!(<Topic as View>::of(live.clone(), None), live);
    }
}
