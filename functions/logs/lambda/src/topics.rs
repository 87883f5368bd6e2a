//! SNS topics and their KMS keys.

use std::collections::HashMap;

use aws_sdk_kms::types::{KeyManagerType, KeyMetadata};
use rectify_compliance::{AccountId, Arn, ShapeError};
use rectify_policy::PolicyDocument;
use rectify_runtime::{AwsError, CallErrorKind};

use super::Clients;
use rectify_logs::families::alarm_chain::observed::{Topic, TopicKey};
use rectify_logs::families::alarm_chain::target::topic;

/// The alias of the AWS managed key for SNS.
const AWS_MANAGED_KEY: &str = "alias/aws/sns";

/// The result of reading a topic.
#[derive(Debug)]
pub(super) struct Answer {
    /// The topic's ARN.
    pub arn: String,
    /// The facts that could be read.
    pub topic: Topic,
    /// The denial, if another account does not allow it to be read.
    pub denial: Option<AwsError>,
}

impl Clients {
    /// `GetTopicAttributes`, and the topic's key as far as it can be read. A denial is an error for a topic of this
    /// account, and an answer for a topic of another account.
    pub(super) async fn topic(&self, arn: String, account: &AccountId) -> Result<Answer, AwsError> {
        let request = self.sns.get_topic_attributes().topic_arn(&arn);
        let owner = topic(&arn).map(|(_, owner, _)| owner);
        let answer = request.send().await.map_err(|error| AwsError::call("sns:GetTopicAttributes", &error));
        let (topic, denial) = match answer {
            Ok(answer) => {
                let attributes = answer.attributes.unwrap_or_default();
                let (confirmed, policy) = confirmed_and_policy(&attributes).map_err(|error| error.within(&arn))?;
                let key = match attributes.get("KmsMasterKeyId").map(|it| it.trim()).filter(|it| !it.is_empty()) {
                    Some(key) => Some(self.key(key, owner.as_ref(), account).await?),
                    None => None,
                };
                (Topic::Read { confirmed, policy, key }, None)
            }
            Err(error) if error.is("NotFound") || error.is("NotFoundException") => (Topic::Gone, None),
            Err(error) if error.kind() == Some(CallErrorKind::AccessDenied) && owner.as_ref() != Some(account) => {
                (Topic::Denied, Some(error))
            }
            Err(error) => return Err(error),
        };
        Ok(Answer { arn, topic, denial })
    }

    /// The key of a topic of `owner`: a key id or alias without an account belongs to the owner.
    async fn key(&self, id: &str, owner: Option<&AccountId>, account: &AccountId) -> Result<TopicKey, AwsError> {
        if id.ends_with(AWS_MANAGED_KEY) {
            return Ok(TopicKey::OfAws);
        }
        let named = id.parse().ok().and_then(|it: Arn| it.account());
        if named.as_ref().or(owner) != Some(account) {
            return Ok(TopicKey::Foreign);
        }
        let request = self.kms.describe_key().key_id(id);
        let key = match request.send().await.map_err(|error| AwsError::call("kms:DescribeKey", &error)) {
            Ok(answer) => answer.key_metadata.ok_or_else(|| ShapeError::missing("KeyMetadata", "a key"))?,
            Err(error) if error.is("NotFoundException") => return Ok(TopicKey::Gone),
            Err(error) => return Err(error),
        };
        if key.key_manager == Some(KeyManagerType::Aws) {
            return Ok(TopicKey::OfAws);
        }
        let request = self.kms.get_key_policy().key_id(&key.key_id).policy_name("default");
        match request.send().await.map_err(|error| AwsError::call("kms:GetKeyPolicy", &error)) {
            Ok(answer) => Ok(read_key(key, answer.policy)?),
            Err(error) if error.is("NotFoundException") => Ok(TopicKey::Gone),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn set_topic(&self, arn: &str, name: &str, value: &str) -> Result<(), AwsError> {
        let request = self.sns.set_topic_attributes().topic_arn(arn).attribute_name(name).attribute_value(value);
        request.send().await.map(drop).map_err(|error| AwsError::call("sns:SetTopicAttributes", &error))
    }
}

fn confirmed_and_policy(attributes: &HashMap<String, String>) -> Result<(u32, PolicyDocument), ShapeError> {
    let text = |name: &str| attributes.get(name).ok_or_else(|| ShapeError::missing(name, "an attribute of the topic"));
    let confirmed = text("SubscriptionsConfirmed")?;
    let confirmed =
        confirmed.parse().map_err(|_| ShapeError::new("SubscriptionsConfirmed", "a whole number", confirmed))?;
    Ok((confirmed, document("Policy", text("Policy")?)?))
}

fn read_key(key: KeyMetadata, policy: Option<String>) -> Result<TopicKey, ShapeError> {
    let policy = policy.ok_or_else(|| ShapeError::missing("Policy", "the policy of the key"))?;
    Ok(TopicKey::Read {
        arn: key.arn.ok_or_else(|| ShapeError::missing("KeyMetadata.Arn", "an ARN"))?,
        state: key.key_state.ok_or_else(|| ShapeError::missing("KeyMetadata.KeyState", "a state"))?.as_str().to_owned(),
        policy: document("Policy", &policy)?,
    })
}

fn document(path: &str, text: &str) -> Result<PolicyDocument, ShapeError> {
    serde_json::from_str(text).map_err(|error| ShapeError::new(path, "a policy document", error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn topic_without_subscription_count_or_policy_is_refused() {
        let attributes = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            confirmed_and_policy(&pairs.collect())
        };
        let whole = attributes(&[("SubscriptionsConfirmed", "2"), ("Policy", r#"{"Statement": []}"#)]);
        assert_eq!(whole, Ok((2, PolicyDocument(json!({"Statement": []})))));
        for wrong in [
            &[("SubscriptionsConfirmed", "2")][..],
            &[("Policy", "{}")],
            &[("SubscriptionsConfirmed", "some"), ("Policy", "{}")],
            &[("SubscriptionsConfirmed", "2"), ("Policy", "{")],
        ] {
            assert!(attributes(wrong).is_err(), "{wrong:?}");
        }
    }
}
