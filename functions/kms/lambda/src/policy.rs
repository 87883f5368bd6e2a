//! The policies of keys.

use aws_sdk_kms::operation::get_key_policy::GetKeyPolicyError;
use futures_util::stream::Stream;
use rectify_compliance::{ResourceKey, SetCall, ShapeError, Target};
use rectify_policy::{Document, PolicyParameters, PublicPolicy};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page, ReadFacts};
use rectify_runtime::views::value_of;

use super::Clients;
use rectify_kms::resources::key::Key;
use rectify_kms::resources::key_policy::{KeyWithPolicy, PUT, RecordedPolicy, exemption};

/// The only name that a key policy can have.
const POLICY_NAME: &str = "default";

impl Clients {
    /// `GetKeyPolicy`; `None` when the key is already gone.
    async fn policy(&self, id: &str) -> Result<Option<Document>, AwsError> {
        match self.kms.get_key_policy().key_id(id).policy_name(POLICY_NAME).send().await {
            Ok(answer) => {
                let text = answer.policy.ok_or_else(|| ShapeError::missing("Policy", "a policy document"))?;
                Ok(Some(Document::parse("Policy", &text)?))
            }
            Err(error) if error.as_service_error().is_some_and(GetKeyPolicyError::is_not_found_exception) => Ok(None),
            Err(error) => Err(AwsError::call("kms:GetKeyPolicy", &error)),
        }
    }

    /// A key with its policy, without its tags; `None` when there is no such key. The policy of an exempt key is not
    /// read.
    async fn key_with_policy(&self, id: &str) -> Result<Option<KeyWithPolicy>, AwsError> {
        let Some(key) = self.describe(id).await? else { return Ok(None) };
        if exemption(&key).is_some() {
            return Ok(Some(KeyWithPolicy { key, policy: None }));
        }
        Ok(self.policy(id).await?.map(|policy| KeyWithPolicy { key, policy: Some(policy) }))
    }
}

impl ReadFacts<Clients> for PublicPolicy<KeyWithPolicy> {
    async fn facts(
        &self,
        clients: &Clients,
        _target: &Target,
        recorded: &RecordedPolicy,
        _params: &PolicyParameters,
    ) -> Result<Option<Option<Document>>, AwsError> {
        if recorded.is_sufficient() {
            return Ok(Some(None));
        }
        Ok(clients.policy(&recorded.key.id).await?.map(Some))
    }
}

impl List<Clients> for PublicPolicy<KeyWithPolicy> {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a PolicyParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<KeyWithPolicy>, AwsError>> + Send + 'a {
        clients.pages(from, move |id| async move { clients.key_with_policy(&id).await })
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a PolicyParameters,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        clients.ids()
    }
}

impl Fix<Clients> for PublicPolicy<KeyWithPolicy> {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &PolicyParameters,
    ) -> Result<Option<KeyWithPolicy>, AwsError> {
        let id = &target.resource.id;
        match clients.key_with_policy(id).await? {
            // Nothing is planned for an exempt key, and the tags of AWS managed keys cannot be read.
            Some(key) if key.policy.is_none() => Ok(Some(key)),
            Some(KeyWithPolicy { key, policy }) => {
                Ok((clients.tags(id).await?).map(|tags| KeyWithPolicy { key: Key { tags, ..key }, policy }))
            }
            None => Ok(None),
        }
    }

    /// `PutKeyPolicy`; idempotent.
    async fn apply(&self, clients: &Clients, _target: &Target, action: &SetCall) -> Result<(), AwsError> {
        let (id, member, value) = action.parts(PUT.resource)?;
        let policy: String = value_of(member, value)?;
        let call = clients.kms.put_key_policy().key_id(id).policy_name(POLICY_NAME).policy(policy);
        call.send().await.map(drop).map_err(|error| AwsError::call("kms:PutKeyPolicy", &error))
    }
}
