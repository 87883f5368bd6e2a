//! The KMS keys of topics.

use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_kms::types::{KeyManagerType, KeyMetadata};
use rectify_compliance::kms_key::KmsKey;
use rectify_compliance::values::StringList;
use rectify_compliance::{SetCall, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{Fix, ReadFacts};

use super::Clients;
use rectify_sns::controls::sns_encrypted_kms::{Candidate, Keys, SnsEncryptedKms, TopicKeyParameters, TopicWithKeys};
use rectify_sns::resources::topic::Topic;

impl Clients {
    /// `DescribeKey` of an id, ARN or alias; `None` when there is no such key.
    async fn key(&self, id: &str) -> Result<Option<KmsKey>, AwsError> {
        match self.kms.describe_key().key_id(id).send().await {
            Ok(answer) => {
                let metadata = answer.key_metadata.ok_or_else(|| ShapeError::missing("KeyMetadata", "a key"))?;
                Ok(Some(key(&metadata)?))
            }
            Err(error) if error.as_service_error().is_some_and(DescribeKeyError::is_not_found_exception) => Ok(None),
            Err(error) => Err(AwsError::call("kms:DescribeKey", &error)),
        }
    }

    /// The key of a topic and the allowed ones, if the verdict depends on them.
    async fn keys(&self, topic: &Topic, params: &TopicKeyParameters) -> Result<Option<Keys>, AwsError> {
        if !params.keys_matter() {
            return Ok(None);
        }
        let current = match &topic.kms_key {
            Some(id) => self.key(id).await?,
            None => None,
        };
        let mut allowed = Vec::new();
        for id in params.kms_key_ids.as_ref().map_or(&[][..], StringList::list) {
            let missing = || ShapeError::new("ruleParameters.kmsKeyIds", "keys that exist", id);
            allowed.push(self.key(id).await?.ok_or_else(missing)?.arn);
        }
        Ok(Some(Keys { current, allowed }))
    }

    /// The key that a fix would set, checked against its policy.
    async fn candidate(&self, id: &str, topic: &Topic) -> Result<Option<Candidate>, AwsError> {
        let Some(key) = self.key(id).await? else { return Ok(None) };
        let call = self.kms.get_key_policy().key_id(&key.arn).policy_name("default");
        let answer = call.send().await.map_err(|error| AwsError::call("kms:GetKeyPolicy", &error))?;
        let text = answer.policy.ok_or_else(|| ShapeError::missing("Policy", "a policy document"))?;
        let policy = rectify_policy::decode("Policy", &text)?;
        Ok(Some(Candidate::new(key, &policy, topic)))
    }
}

fn key(metadata: &KeyMetadata) -> Result<KmsKey, ShapeError> {
    let missing = |field: &str| ShapeError::missing(format!("KeyMetadata.{field}"), "a value");
    Ok(KmsKey {
        arn: metadata.arn().ok_or_else(|| missing("Arn"))?.to_owned(),
        state: metadata.key_state().ok_or_else(|| missing("KeyState"))?.as_str().to_owned(),
        spec: metadata.key_spec().ok_or_else(|| missing("KeySpec"))?.as_str().to_owned(),
        aws_managed: *metadata.key_manager().ok_or_else(|| missing("KeyManager"))? == KeyManagerType::Aws,
    })
}

impl ReadFacts<Clients> for SnsEncryptedKms {
    async fn facts(
        &self,
        clients: &Clients,
        _target: &Target,
        topic: &Topic,
        params: &TopicKeyParameters,
    ) -> Result<Option<Option<Keys>>, AwsError> {
        clients.keys(topic, params).await.map(Some)
    }
}

impl Fix<Clients> for SnsEncryptedKms {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &TopicKeyParameters,
    ) -> Result<Option<TopicWithKeys>, AwsError> {
        let Some(topic) = clients.tagged_topic(&target.resource.id).await? else { return Ok(None) };
        let keys = clients.keys(&topic, params).await?;
        let candidate = match &params.kms_key_id {
            Some(id) => clients.candidate(id, &topic).await?,
            None => None,
        };
        Ok(Some(TopicWithKeys { topic, keys, candidate }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &SetCall) -> Result<(), AwsError> {
        clients.set(action).await
    }
}
