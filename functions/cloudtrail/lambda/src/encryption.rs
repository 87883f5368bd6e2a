//! The KMS keys of trails: the current one, its state, and the allowed ones.

use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_kms::types::KeyMetadata;
use aws_sdk_kms::{Client, config};
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{AccountId, Arn, ShapeError, Target};
use rectify_runtime::client::{AccountRegion, Fix, List, Page, ReadFacts};
use rectify_runtime::{AwsError, CallErrorKind};
use serde_json::Value;

use super::{Clients, updated};
use rectify_cloudtrail::controls::cloud_trail_encryption_enabled::{
    Action, CloudTrailEncryptionEnabled, KeyFacts, TrailEncryptionParameters,
};
use rectify_cloudtrail::resources::trail::{RecordedTrail, Trail, TrailOwnership};
use rectify_cloudtrail::resources::trail_key::{
    Candidate, Key, KeyAnswer, KeyArn, KeyedTrail, Keys, is_foreign, is_key_arn,
};

impl Clients {
    /// The KMS client for the region of this key: an endpoint does not know the keys of other regions.
    fn kms_of(&self, key: &str) -> Client {
        let Some(region) = Arn::of(key, "kms").and_then(|it| it.region()) else { return self.kms.clone() };
        let region = config::Region::new(region.to_string());
        Client::from_conf(self.kms.config().to_builder().region(region).build())
    }

    /// `DescribeKey`. A denial is an answer for a key of another account, and an error for a key of this account.
    async fn key(&self, id: &str, account: &AccountId) -> Result<KeyAnswer, AwsError> {
        let error = match self.kms_of(id).describe_key().key_id(id).send().await {
            Ok(answer) => {
                let metadata = answer.key_metadata.ok_or_else(|| ShapeError::missing("KeyMetadata", "a key"))?;
                return Ok(KeyAnswer::Known(key(&metadata)?));
            }
            Err(error) if error.as_service_error().is_some_and(DescribeKeyError::is_not_found_exception) => {
                return Ok(KeyAnswer::Missing);
            }
            Err(error) => AwsError::call("kms:DescribeKey", &error),
        };
        let denied = error.kind() == Some(CallErrorKind::AccessDenied);
        if denied && is_foreign(id, account) { Ok(KeyAnswer::Denied) } else { Err(error) }
    }

    /// The ARNs that `kmsKeyArns` resolves to. An entry that resolves to no key is an error of the parameter.
    async fn allowed(&self, params: &TrailEncryptionParameters, account: &AccountId) -> Result<Vec<String>, AwsError> {
        let mut allowed = Vec::new();
        for id in params.allowed() {
            if is_key_arn(id) {
                allowed.push(id.clone());
                continue;
            }
            match self.key(id, account).await? {
                KeyAnswer::Known(key) => allowed.push(key.arn),
                KeyAnswer::Denied | KeyAnswer::Missing => {
                    return Err(ShapeError::new("ruleParameters.kmsKeyArns", "keys that can be read", id).into());
                }
            }
        }
        Ok(allowed)
    }

    /// The key of a trail and the allowed ones, if they matter.
    async fn keys(&self, trail: &Trail, params: &TrailEncryptionParameters) -> Result<Option<Keys>, AwsError> {
        if !params.keys_matter() || trail.ownership() != TrailOwnership::Local {
            return Ok(None);
        }
        let current = match &trail.settings.kms_key_id {
            Some(id) => Some(self.key(id, &trail.owner).await?),
            None => None,
        };
        Ok(Some(Keys { current, allowed: self.allowed(params, &trail.owner).await? }))
    }

    /// `GetKeyPolicy` of the only policy name, `default`.
    async fn key_policy(&self, arn: &str) -> Result<Value, AwsError> {
        let call = self.kms_of(arn).get_key_policy().key_id(arn).policy_name("default");
        let answer = call.send().await.map_err(|error| AwsError::call("kms:GetKeyPolicy", &error))?;
        let text = answer.policy.ok_or_else(|| ShapeError::missing("Policy", "a policy document"))?;
        Ok(rectify_policy::decode("Policy", &text)?)
    }

    /// The key that a fix would set, and what its policy allows.
    async fn candidate(&self, wanted: &KeyArn, trail: &Trail) -> Result<Candidate, AwsError> {
        let answer = self.key(wanted.as_str(), &trail.owner).await?;
        let policy = match &answer {
            KeyAnswer::Known(key) if !is_foreign(&key.arn, &trail.owner) => Some(self.key_policy(&key.arn).await?),
            KeyAnswer::Known(_) | KeyAnswer::Denied | KeyAnswer::Missing => None,
        };
        Ok(Candidate::new(wanted, answer, policy.as_ref(), trail))
    }

    /// A trail with its keys. The keys are not read for a trail without one.
    async fn keyed(&self, trail: Trail, params: &TrailEncryptionParameters) -> Result<Option<KeyedTrail>, AwsError> {
        let keys = if trail.settings.kms_key_id.is_some() { self.keys(&trail, params).await? } else { None };
        Ok(Some(KeyedTrail { trail, keys, candidate: None }))
    }
}

impl ReadFacts<Clients> for CloudTrailEncryptionEnabled {
    async fn facts(
        &self,
        clients: &Clients,
        target: &Target,
        recorded: &RecordedTrail,
        params: &TrailEncryptionParameters,
    ) -> Result<Option<Option<KeyFacts>>, AwsError> {
        let Some(live) = clients.settled(target, recorded, recorded.is_local()).await? else { return Ok(None) };
        let trail = recorded.judged(&live);
        let keys = if trail.settings.kms_key_id.is_some() { clients.keys(trail, params).await? } else { None };
        Ok(Some(Some(KeyFacts { keys, live })))
    }
}

impl List<Clients> for CloudTrailEncryptionEnabled {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        params: &'a TrailEncryptionParameters,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<KeyedTrail>, AwsError>> + Send + 'a {
        once(clients.read_trails(place, |trail| clients.keyed(trail, params)))
    }
}

impl Fix<Clients> for CloudTrailEncryptionEnabled {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &TrailEncryptionParameters,
    ) -> Result<Option<KeyedTrail>, AwsError> {
        let Some(trail) = clients.trail(target).await? else { return Ok(None) };
        let keys = clients.keys(&trail, params).await?;
        let candidate = match params.candidate_for(&trail) {
            Some(wanted) if trail.ownership() == TrailOwnership::Local => {
                Some(clients.candidate(wanted, &trail).await?)
            }
            Some(_) | None => None,
        };
        Ok(Some(KeyedTrail { trail, keys, candidate }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        let Action::UpdateTrail { name, kms_key_id } = action;
        updated(clients.update_trail(name).kms_key_id(kms_key_id)).await
    }
}

fn key(metadata: &KeyMetadata) -> Result<Key, ShapeError> {
    let missing = |field: &str| ShapeError::missing(format!("KeyMetadata.{field}"), "a text");
    Ok(Key {
        arn: metadata.arn().ok_or_else(|| missing("Arn"))?.to_owned(),
        state: metadata.key_state().ok_or_else(|| missing("KeyState"))?.as_str().to_owned(),
        spec: metadata.key_spec().ok_or_else(|| missing("KeySpec"))?.as_str().to_owned(),
    })
}
