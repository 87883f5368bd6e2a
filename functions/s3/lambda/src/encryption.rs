//! Default encryption of buckets, and the keys and access logs that a change depends on.

use std::collections::BTreeSet;

use aws_sdk_kms::types::{KeyManagerType, KeyMetadata};
use aws_sdk_s3::types;
use futures_util::stream::{self, StreamExt};
use rectify_compliance::kms_key::KmsKey;
use rectify_compliance::{ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{Fix, ReadFacts};

use super::listing::{CONCURRENCY, name};
use super::{Clients, Named, build_error, unless, unless_gone};
use rectify_s3::S3BucketServerSideEncryptionEnabled;
use rectify_s3::controls::s3_bucket_server_side_encryption_enabled::requirement::{
    Action, Facts, Keys, Params, PutEncryption, RecordedEncryption, Subject, Undo, refuses_unencrypted,
};
use rectify_s3::controls::s3_bucket_server_side_encryption_enabled::sets_kms_encryption;
use rectify_s3::resources::bucket::{Identity, OwnedBucket};
use rectify_s3::resources::encryption::{Algorithm, BlockedEncryptionTypes, ByDefault, Rule};

/// This many unreadable buckets block a plan; further ones are not read.
const MAX_UNREADABLE: usize = 100;

/// Buckets that deliver their access logs to a bucket, and buckets whose logging cannot be read.
#[derive(Debug, Default)]
struct LogSources {
    known: BTreeSet<String>,
    unreadable: BTreeSet<String>,
}

impl Clients {
    /// `GetBucketEncryption`; `None` if the bucket has no rule.
    pub(super) async fn encryption(&self, bucket: Named<'_>) -> Result<Option<Rule>, AwsError> {
        let call = self.s3.get_bucket_encryption().bucket(bucket.name).expected_bucket_owner(bucket.account.as_str());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketEncryption", &error));
        let Some(answer) = unless("ServerSideEncryptionConfigurationNotFoundError", answer)? else { return Ok(None) };
        let rules = answer.server_side_encryption_configuration.map(|it| it.rules).unwrap_or_default();
        match rules.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(rule(only)?)),
            several => {
                Err(ShapeError::new("ServerSideEncryptionConfiguration.Rules", "one rule", several.len()).into())
            }
        }
    }

    /// `DescribeKey`; `None` if there is no such key.
    async fn key(&self, id: &str) -> Result<Option<KmsKey>, AwsError> {
        let answer = self.kms.describe_key().key_id(id).send().await;
        let answer = answer.map_err(|error| AwsError::call("kms:DescribeKey", &error));
        let Some(answer) = unless("NotFoundException", answer)? else { return Ok(None) };
        let metadata = answer.key_metadata.ok_or_else(|| ShapeError::missing("KeyMetadata", "a key"))?;
        Ok(Some(key(&metadata)?))
    }

    /// The bucket's key and the allowed ones, if they matter.
    async fn keys(&self, rule: Option<&Rule>, params: &Params) -> Result<Option<Keys>, AwsError> {
        if !params.keys_matter() {
            return Ok(None);
        }
        let current = match rule.and_then(Rule::key) {
            Some(id) => self.key(id).await?,
            None => None,
        };
        let mut allowed = Vec::new();
        for id in params.allowed() {
            let missing = || ShapeError::new("ruleParameters.kmsKeyArns", "keys that exist", id);
            allowed.push(self.key(id).await?.ok_or_else(missing)?);
        }
        Ok(Some(Keys { current, allowed }))
    }

    async fn encryption_facts(
        &self,
        target: &Target,
        recorded: &RecordedEncryption,
        params: &Params,
    ) -> Result<Facts, AwsError> {
        let bucket = Named::of(target);
        let has_algorithm = |rule: &Option<Rule>| rule.as_ref().is_some_and(|rule| rule.algorithm().is_some());
        let rule = if has_algorithm(&recorded.rule) { None } else { self.encryption(bucket).await? };
        let policy = match has_algorithm(&recorded.rule) || has_algorithm(&rule) {
            true => None,
            false => Some(self.policy(bucket).await?),
        };
        let keys = self.keys(rule.as_ref().or(recorded.rule.as_ref()), params).await?;
        Ok(Facts { rule, policy, keys })
    }

    async fn encrypted(&self, target: &Target, params: &Params) -> Result<Subject, AwsError> {
        let bucket = Named::of(target);
        let tags = self.tags(bucket).await?;
        let rule = self.encryption(bucket).await?;
        let identity = Identity { tags, ..Identity::of_target(target) };
        let refuses_unencrypted = match rule.as_ref().and_then(Rule::algorithm) {
            Some(_) => false,
            None => refuses_unencrypted(Some(&self.policy(bucket).await?), &identity.arn),
        };
        let keys = self.keys(rule.as_ref(), params).await?;
        let unreadable_sources = BTreeSet::new();
        let mut subject =
            Subject { bucket: identity, rule, refuses_unencrypted, keys, log_sources: None, unreadable_sources };
        if sets_kms_encryption(&subject, params) {
            let LogSources { known, unreadable } = self.log_sources(bucket).await?;
            (subject.log_sources, subject.unreadable_sources) = (Some(known), unreadable);
        }
        Ok(subject)
    }

    /// The buckets whose server access logs go to this one, from the first page of buckets that has any, and those
    /// whose logging cannot be read. Source and target are in the same region, so only that region's buckets are read.
    async fn log_sources(&self, target: Named<'_>) -> Result<LogSources, AwsError> {
        let mut token = None;
        let mut found = LogSources::default();
        loop {
            let (buckets, next) = self.bucket_page(Some(target.region), token).await?;
            // A loop, because a closure that returns these futures is not general enough for every lifetime.
            let mut reads = Vec::with_capacity(buckets.len());
            for bucket in &buckets {
                reads.push(self.logging(Named { name: name(bucket)?, ..target }));
            }
            let targets: Vec<_> = stream::iter(reads).buffered(CONCURRENCY).collect().await;
            for (bucket, read) in buckets.iter().zip(targets) {
                match unless_gone(read).map(Option::flatten) {
                    Ok(Some(to)) if to.target_bucket == target.name => {
                        found.known.insert(name(bucket)?.to_owned());
                    }
                    Ok(_) => {}
                    // After a transient failure the next delivery reads the bucket.
                    Err(error) if error.may_pass() => return Err(error),
                    Err(error) => drop(found.unreadable.insert(format!("{} ({})", name(bucket)?, error.brief()))),
                }
            }
            match next {
                Some(next) if found.known.is_empty() && found.unreadable.len() < MAX_UNREADABLE => token = Some(next),
                Some(_) | None => return Ok(found),
            }
        }
    }

    /// `PutBucketEncryption`.
    async fn put_encryption(&self, call: &PutEncryption) -> Result<(), AwsError> {
        let rules = &call.server_side_encryption_configuration.rules;
        let rules = rules.iter().map(sdk_rule).collect::<Result<Vec<_>, _>>()?;
        let configuration = types::ServerSideEncryptionConfiguration::builder().set_rules(Some(rules)).build();
        let configuration = configuration.map_err(|error| build_error("ServerSideEncryptionConfiguration", &error))?;
        let OwnedBucket { name, owner } = &call.bucket;
        let put = self.s3.put_bucket_encryption().bucket(name).expected_bucket_owner(owner.as_str());
        let answer = put.server_side_encryption_configuration(configuration).send().await;
        answer.map(drop).map_err(|error| AwsError::call("s3:PutBucketEncryption", &error))
    }

    /// `DeleteBucketEncryption`; idempotent.
    async fn delete_encryption(&self, bucket: &OwnedBucket) -> Result<(), AwsError> {
        let call = self.s3.delete_bucket_encryption().bucket(&bucket.name).expected_bucket_owner(bucket.owner.as_str());
        call.send().await.map(drop).map_err(|error| AwsError::call("s3:DeleteBucketEncryption", &error))
    }
}

fn rule(rule: &types::ServerSideEncryptionRule) -> Result<Rule, ShapeError> {
    const PATH: &str = "ApplyServerSideEncryptionByDefault.SSEAlgorithm";
    let by_default = |default: &types::ServerSideEncryptionByDefault| {
        Ok(ByDefault {
            algorithm: Algorithm::parse(PATH, default.sse_algorithm().as_str())?,
            key: default.kms_master_key_id().filter(|it| !it.is_empty()).map(str::to_owned),
        })
    };
    Ok(Rule {
        apply_server_side_encryption_by_default: rule
            .apply_server_side_encryption_by_default()
            .map(by_default)
            .transpose()?,
        bucket_key_enabled: rule.bucket_key_enabled(),
        blocked_encryption_types: rule.blocked_encryption_types().map(|blocked| {
            let mut types: Vec<String> = blocked.encryption_type().iter().map(|it| it.as_str().to_owned()).collect();
            // S3 does not guarantee an order.
            types.sort();
            BlockedEncryptionTypes { encryption_type: types }
        }),
    })
}

fn sdk_rule(rule: &Rule) -> Result<types::ServerSideEncryptionRule, ShapeError> {
    let by_default = |default: &ByDefault| {
        types::ServerSideEncryptionByDefault::builder()
            .sse_algorithm(types::ServerSideEncryption::from(default.algorithm.name()))
            .set_kms_master_key_id(default.key.clone())
            .build()
            .map_err(|error| build_error("ApplyServerSideEncryptionByDefault", &error))
    };
    let blocked = |blocked: &BlockedEncryptionTypes| {
        let types = blocked.encryption_type.iter().map(|it| types::EncryptionType::from(it.as_str())).collect();
        types::BlockedEncryptionTypes::builder().set_encryption_type(Some(types)).build()
    };
    Ok(types::ServerSideEncryptionRule::builder()
        .set_apply_server_side_encryption_by_default(
            rule.apply_server_side_encryption_by_default.as_ref().map(by_default).transpose()?,
        )
        .set_bucket_key_enabled(rule.bucket_key_enabled)
        .set_blocked_encryption_types(rule.blocked_encryption_types.as_ref().map(blocked))
        .build())
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

impl ReadFacts<Clients> for S3BucketServerSideEncryptionEnabled {
    async fn facts(
        &self,
        clients: &Clients,
        target: &Target,
        recorded: &RecordedEncryption,
        params: &Params,
    ) -> Result<Option<Facts>, AwsError> {
        unless_gone(clients.encryption_facts(target, recorded, params).await)
    }
}

impl Fix<Clients> for S3BucketServerSideEncryptionEnabled {
    async fn live(&self, clients: &Clients, target: &Target, params: &Params) -> Result<Option<Subject>, AwsError> {
        unless_gone(clients.encrypted(target, params).await)
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        let Action::PutBucketEncryption(call) = action;
        clients.put_encryption(call).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        match undo {
            Undo::PutBucketEncryption(call) => clients.put_encryption(call).await,
            Undo::DeleteBucketEncryption(bucket) => clients.delete_encryption(bucket).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_is_sent_as_it_was_read() {
        let whole = Rule {
            apply_server_side_encryption_by_default: Some(ByDefault {
                algorithm: Algorithm::Dsse,
                key: Some("arn:aws:kms:eu-west-1:111122223333:key/1".to_owned()),
            }),
            bucket_key_enabled: Some(false),
            blocked_encryption_types: Some(BlockedEncryptionTypes { encryption_type: vec!["SSE-C".to_owned()] }),
        };
        for read in [whole, Rule::default()] {
            assert_eq!(rule(&sdk_rule(&read).unwrap()), Ok(read));
        }
    }

    #[test]
    fn unknown_algorithm_and_incomplete_key_are_refused() {
        let unknown = types::ServerSideEncryptionByDefault::builder().sse_algorithm("rot13".into()).build().unwrap();
        let unknown =
            types::ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(unknown).build();
        assert!(rule(&unknown).is_err());
        assert!(key(&KeyMetadata::builder().key_id("1").build().unwrap()).is_err());
    }
}
