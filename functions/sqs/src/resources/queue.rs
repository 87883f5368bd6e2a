//! A queue, read from a configuration item or from the API.
//!
//! Depends on no control and no SDK.

use rectify_compliance::{
    ConfigurationItem, Operation, Permission, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags,
    View,
};
use rectify_policy::Document;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// AWS Config's type. The id is the URL of the queue.
pub const TYPE: &str = "AWS::SQS::Queue";

/// The queues of the function's own region and account.
pub const QUEUES: &str = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:*";

/// A queue with the attributes that the controls read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// `QueueUrl`.
    pub url: String,
    /// `QueueArn`.
    pub arn: String,
    /// `Policy`; `None` for a queue without one, which only its owner may use.
    pub policy: Option<Document>,
    /// Its tags.
    pub tags: Tags,
}

impl Queue {
    /// The attributes that [`of`](Self::of) reads.
    pub const ATTRIBUTES: [&str; 2] = ["QueueArn", "Policy"];

    /// Builds the queue from its attributes, which an item and `GetQueueAttributes` have in the same form.
    ///
    /// # Errors
    /// [`ShapeError`] if the ARN is missing, or the policy cannot be read.
    pub fn of<'a>(url: &str, attribute: impl Fn(&str) -> Option<&'a str>, tags: Tags) -> Result<Self, ShapeError> {
        let policy = attribute("Policy").filter(|it| !it.is_empty());
        Ok(Self {
            url: url.to_owned(),
            arn: attribute("QueueArn").ok_or_else(|| ShapeError::missing("QueueArn", "an ARN"))?.to_owned(),
            policy: policy.map(|it| Document::parse("Policy", it)).transpose()?,
            tags,
        })
    }
}

impl ResourceState for Queue {
    fn identity(&self) -> ResourceIdentity<'_> {
        let name = self.url.rsplit('/').next();
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.url), arn: Some(&self.arn), name, tags: &self.tags }
    }
}

impl Resource for Queue {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let given = |name: &str| item.configuration.get(name).filter(|it| !it.is_null());
        if let Some((name, other)) =
            Self::ATTRIBUTES.into_iter().find_map(|name| Some((name, given(name).filter(|it| !it.is_string())?)))
        {
            return Err(ShapeError::new(format!("configuration.{name}"), "text", other));
        }
        let attribute = |name: &str| match (given(name).and_then(Value::as_str), name) {
            (None, "QueueArn") => item.arn.as_deref(),
            (text, _) => text,
        };
        let queue = Self::of(&item.resource.id, attribute, item.tags.clone());
        queue.map_err(|error| error.within("configuration"))
    }
}

/// `SetQueueAttributes`; attributes that it does not name stay unchanged. The stored call has the attribute beside the
/// URL.
pub const SET: Operation = Operation {
    name: "SetQueueAttributes",
    resource: "QueueUrl",
    permissions: &[Permission::on("sqs:SetQueueAttributes", QUEUES)],
};

impl View for Queue {
    type Resource = Self;
    type Facts = ();
    const FACTS: &'static [Permission] = &[];
    const READ: &'static [Permission] =
        &[Permission::on("sqs:GetQueueAttributes", QUEUES), Permission::on("sqs:ListQueueTags", QUEUES)];
    const LIST: &'static [Permission] = &[];

    fn of(queue: Self, (): ()) -> Self {
        queue
    }

    fn call_id(&self) -> &str {
        &self.url
    }

    /// An attribute takes up to 60 seconds to take effect, and SQS does not report when it has
    /// (`SetQueueAttributes`, API reference).
    fn is_in_progress(&self) -> bool {
        true
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) const URL: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/jobs";
    pub(crate) const ARN: &str = "arn:aws:sqs:eu-west-1:111122223333:jobs";

    /// The queue `jobs` with this policy.
    pub(crate) fn queue(policy: Option<&str>) -> Queue {
        let policy = policy.map(|it| Document::parse("p", it).unwrap());
        Queue { url: URL.to_owned(), arn: ARN.to_owned(), policy, tags: Tags::new() }
    }

    pub(crate) fn item(url: &str, configuration: &Value) -> ConfigurationItem {
        ConfigurationItem::from_notification(&json!({
            "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": TYPE, "resourceId": url,
            "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
            "configuration": configuration
        }))
        .unwrap()
    }

    #[test]
    fn attributes_of_an_item_are_text_or_missing() {
        let text = r#"{"Statement":[]}"#;
        let read = Queue::from_item(&item(URL, &json!({"QueueArn": ARN, "Policy": text})));
        assert_eq!(read, Ok(queue(Some(text))));
        for none in [json!({"QueueArn": ARN}), json!({"QueueArn": ARN, "Policy": ""})] {
            assert_eq!(Queue::from_item(&item(URL, &none)), Ok(queue(None)), "{none}");
        }
        for (malformed, path) in [
            (json!({"QueueArn": ARN, "Policy": {}}), "configuration.Policy"),
            (json!({"QueueArn": ARN, "Policy": "{}"}), "configuration.Policy.Statement"),
            (json!({"Policy": text}), "configuration.QueueArn"),
        ] {
            assert_eq!(Queue::from_item(&item(URL, &malformed)).unwrap_err().path, path);
        }
    }

    #[test]
    fn url_stays_as_aws_config_has_it() {
        let url = "https://eu-west-1.queue.amazonaws.com/111122223333/jobs";
        let read = Queue::from_item(&item(url, &json!({"QueueArn": ARN}))).unwrap();
        assert_eq!((read.call_id(), read.identity().key.id.as_str()), (url, url), "sqs-queue-no-public-access/5");
        assert_eq!(read.identity().name, Some("jobs"));
    }
}
