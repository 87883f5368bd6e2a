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

/// The attribute that turns encryption by keys of SQS on.
pub const SSE: &str = "SqsManagedSseEnabled";

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
    /// `KmsMasterKeyId`; `None` without server-side encryption by a KMS key.
    pub kms_key: Option<String>,
    /// `SqsManagedSseEnabled`: server-side encryption by keys of SQS; off where it is missing.
    pub sqs_managed_sse: bool,
    /// Its tags.
    pub tags: Tags,
}

impl Queue {
    /// The attributes that [`of`](Self::of) reads.
    pub const ATTRIBUTES: [&str; 4] = ["QueueArn", "Policy", "KmsMasterKeyId", SSE];

    /// Builds the queue from its attributes, which an item and `GetQueueAttributes` have in the same form.
    ///
    /// # Errors
    /// [`ShapeError`] if the ARN is missing, or an attribute cannot be read.
    pub fn of<'a>(url: &str, attribute: impl Fn(&str) -> Option<&'a str>, tags: Tags) -> Result<Self, ShapeError> {
        let given = |name: &str| attribute(name).filter(|it| !it.is_empty());
        let sqs_managed_sse = match given(SSE) {
            None => false,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(other) => return Err(ShapeError::new(SSE, "true or false", other)),
        };
        Ok(Self {
            url: url.to_owned(),
            arn: attribute("QueueArn").ok_or_else(|| ShapeError::missing("QueueArn", "an ARN"))?.to_owned(),
            policy: given("Policy").map(|it| Document::parse("Policy", it)).transpose()?,
            kms_key: given("KmsMasterKeyId").map(str::to_owned),
            sqs_managed_sse,
            tags,
        })
    }
}

impl Queue {
    /// The last part of its URL.
    pub fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }
}

impl ResourceState for Queue {
    fn identity(&self) -> ResourceIdentity<'_> {
        let (key, name) = (ResourceKey::new(TYPE, &self.url), Some(self.name()));
        ResourceIdentity { key, arn: Some(&self.arn), name, tags: &self.tags }
    }
}

impl Resource for Queue {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let given = |name: &str| item.configuration.get(name).filter(|it| !it.is_null());
        let other = |it: &&Value| !it.is_string() && !it.is_boolean();
        if let Some((name, other)) =
            Self::ATTRIBUTES.into_iter().find_map(|name| Some((name, given(name).filter(other)?)))
        {
            return Err(ShapeError::new(format!("configuration.{name}"), "text", other));
        }
        let attribute = |name: &str| match (given(name), name) {
            (None, "QueueArn") => item.arn.as_deref(),
            (Some(Value::Bool(on)), _) => Some(if *on { "true" } else { "false" }),
            (value, _) => value.and_then(Value::as_str),
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
        let (url, arn) = (URL.to_owned(), ARN.to_owned());
        Queue { url, arn, policy, kms_key: None, sqs_managed_sse: false, tags: Tags::new() }
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
            (json!({"QueueArn": ARN, "SqsManagedSseEnabled": "on"}), "configuration.SqsManagedSseEnabled"),
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
