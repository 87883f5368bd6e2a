//! Lifecycle configurations of buckets. S3 replaces them completely, so elements that the SDK does not know, and drops
//! from its answer, are reported separately.

mod elements;

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types;
use rectify_compliance::{ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;

use self::elements::Unknown;
use super::{Clients, Named, build_error, unless, unless_gone};
use rectify_s3::S3LifecycleLogArchive;
use rectify_s3::controls::s3_lifecycle_log_archive::requirement::{Action, Params, PutLifecycle, Subject, Undo};
use rectify_s3::resources::bucket::{Identity, OwnedBucket};
use rectify_s3::resources::lifecycle::{
    Abort, And, Configuration, Expiration, Filter, NoncurrentExpiration, NoncurrentTransition, Rule, Status,
    StorageClass, Tag, Transition,
};

impl Clients {
    /// `GetBucketLifecycleConfiguration`, if there is one, and its unknown elements.
    async fn lifecycle(&self, bucket: Named<'_>) -> Result<Option<(Configuration, Vec<String>)>, AwsError> {
        let unknown = Unknown::default();
        let call = self.s3.get_bucket_lifecycle_configuration().bucket(bucket.name);
        let call = call.expected_bucket_owner(bucket.account.as_str()).customize().interceptor(unknown.clone());
        let answer = call.send().await.map_err(|error| AwsError::call("s3:GetBucketLifecycleConfiguration", &error));
        let Some(answer) = unless("NoSuchLifecycleConfiguration", answer)? else { return Ok(None) };
        let minimum = answer.transition_default_minimum_object_size().map(|it| it.as_str().to_owned());
        let rules = answer.rules.unwrap_or_default().into_iter().map(rule).collect::<Result<_, _>>()?;
        Ok(Some((Configuration { rules, transition_default_minimum_object_size: minimum }, unknown.found()?)))
    }

    async fn with_lifecycle(&self, target: &Target) -> Result<Subject, AwsError> {
        let bucket = Named::of(target);
        let (lifecycle, unknown) = self.lifecycle(bucket).await?.unzip();
        Ok(Subject {
            lifecycle,
            versioning: Some(self.versioning(bucket).await?.status),
            bucket: Identity { tags: self.tags(bucket).await?, ..Identity::of_target(target) },
            unknown: unknown.unwrap_or_default(),
        })
    }

    /// `PutBucketLifecycleConfiguration`.
    async fn put_lifecycle(&self, call: &PutLifecycle) -> Result<(), AwsError> {
        let Configuration { rules, transition_default_minimum_object_size: minimum } = &call.lifecycle_configuration;
        let rules = rules.iter().map(sdk_rule).collect::<Result<Vec<_>, _>>()?;
        let configuration = types::BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build();
        let configuration = configuration.map_err(|error| build_error("LifecycleConfiguration", &error))?;
        let minimum = minimum.as_deref().map(types::TransitionDefaultMinimumObjectSize::from);
        let put = self.s3.put_bucket_lifecycle_configuration().bucket(&call.bucket.name);
        let put = put.expected_bucket_owner(call.bucket.owner.as_str()).lifecycle_configuration(configuration);
        let answer = put.set_transition_default_minimum_object_size(minimum).send().await;
        answer.map(drop).map_err(|error| AwsError::call("s3:PutBucketLifecycleConfiguration", &error))
    }

    /// `DeleteBucketLifecycle`; idempotent.
    async fn delete_lifecycle(&self, bucket: &OwnedBucket) -> Result<(), AwsError> {
        let call = self.s3.delete_bucket_lifecycle().bucket(&bucket.name).expected_bucket_owner(bucket.owner.as_str());
        call.send().await.map(drop).map_err(|error| AwsError::call("s3:DeleteBucketLifecycle", &error))
    }
}

/// A rule's own `Prefix` is deprecated, but a configuration that has it must keep it.
#[allow(deprecated)]
fn rule(rule: types::LifecycleRule) -> Result<Rule, ShapeError> {
    let status = match rule.status {
        types::ExpirationStatus::Enabled => Status::Enabled,
        types::ExpirationStatus::Disabled => Status::Disabled,
        other => return Err(ShapeError::new("Rules.Status", "Enabled or Disabled", other)),
    };
    let transition = |it: types::Transition| {
        Ok::<_, ShapeError>(Transition {
            date: it.date.map(text).transpose()?,
            days: it.days,
            storage_class: class(it.storage_class),
        })
    };
    let former = |it: types::NoncurrentVersionTransition| NoncurrentTransition {
        noncurrent_days: it.noncurrent_days,
        newer_noncurrent_versions: it.newer_noncurrent_versions,
        storage_class: class(it.storage_class),
    };
    let expiration = |it: types::LifecycleExpiration| {
        Ok::<_, ShapeError>(Expiration {
            date: it.date.map(text).transpose()?,
            days: it.days,
            expired_object_delete_marker: it.expired_object_delete_marker,
        })
    };
    Ok(Rule {
        id: rule.id,
        status,
        prefix: rule.prefix,
        filter: rule.filter.map(filter),
        expiration: rule.expiration.map(expiration).transpose()?,
        transitions: rule.transitions.into_iter().flatten().map(transition).collect::<Result<_, _>>()?,
        noncurrent_version_transitions: rule.noncurrent_version_transitions.into_iter().flatten().map(former).collect(),
        noncurrent_version_expiration: rule.noncurrent_version_expiration.map(|it| NoncurrentExpiration {
            noncurrent_days: it.noncurrent_days,
            newer_noncurrent_versions: it.newer_noncurrent_versions,
        }),
        abort_incomplete_multipart_upload: rule
            .abort_incomplete_multipart_upload
            .map(|it| Abort { days_after_initiation: it.days_after_initiation }),
    })
}

fn filter(filter: types::LifecycleRuleFilter) -> Filter {
    let tag = |it: types::Tag| Tag { key: it.key, value: it.value };
    Filter {
        prefix: filter.prefix,
        tag: filter.tag.map(tag),
        object_size_greater_than: filter.object_size_greater_than,
        object_size_less_than: filter.object_size_less_than,
        and: filter.and.map(|and| And {
            prefix: and.prefix,
            tags: and.tags.into_iter().flatten().map(tag).collect(),
            object_size_greater_than: and.object_size_greater_than,
            object_size_less_than: and.object_size_less_than,
        }),
    }
}

fn class(class: Option<types::TransitionStorageClass>) -> Option<StorageClass> {
    class.map(|it| StorageClass::from(it.as_str().to_owned()))
}

fn text(date: DateTime) -> Result<String, ShapeError> {
    date.fmt(DateTimeFormat::DateTime).map_err(|error| build_error("Date", &error))
}

#[allow(deprecated)]
fn sdk_rule(rule: &Rule) -> Result<types::LifecycleRule, ShapeError> {
    let status = match rule.status {
        Status::Enabled => types::ExpirationStatus::Enabled,
        Status::Disabled => types::ExpirationStatus::Disabled,
    };
    let transition = |it: &Transition| {
        let transition = types::Transition::builder().set_date(it.date.as_deref().map(moment).transpose()?);
        let transition = transition.set_days(it.days).set_storage_class(sdk_class(it.storage_class.as_ref()));
        Ok::<_, ShapeError>(transition.build())
    };
    let former = |it: &NoncurrentTransition| {
        types::NoncurrentVersionTransition::builder()
            .set_noncurrent_days(it.noncurrent_days)
            .set_newer_noncurrent_versions(it.newer_noncurrent_versions)
            .set_storage_class(sdk_class(it.storage_class.as_ref()))
            .build()
    };
    let expiration = |it: &Expiration| {
        let expiration = types::LifecycleExpiration::builder().set_date(it.date.as_deref().map(moment).transpose()?);
        let marker = it.expired_object_delete_marker;
        Ok::<_, ShapeError>(expiration.set_days(it.days).set_expired_object_delete_marker(marker).build())
    };
    let gone = |it: &NoncurrentExpiration| {
        let gone = types::NoncurrentVersionExpiration::builder().set_noncurrent_days(it.noncurrent_days);
        gone.set_newer_noncurrent_versions(it.newer_noncurrent_versions).build()
    };
    let abort = |it: &Abort| {
        let abort = types::AbortIncompleteMultipartUpload::builder();
        abort.set_days_after_initiation(it.days_after_initiation).build()
    };
    let transitions = rule.transitions.iter().map(transition).collect::<Result<_, _>>()?;
    let former = rule.noncurrent_version_transitions.iter().map(former).collect();
    types::LifecycleRule::builder()
        .set_id(rule.id.clone())
        .status(status)
        .set_prefix(rule.prefix.clone())
        .set_filter(rule.filter.as_ref().map(sdk_filter).transpose()?)
        .set_expiration(rule.expiration.as_ref().map(expiration).transpose()?)
        .set_transitions(Some(transitions))
        .set_noncurrent_version_transitions(Some(former))
        .set_noncurrent_version_expiration(rule.noncurrent_version_expiration.as_ref().map(gone))
        .set_abort_incomplete_multipart_upload(rule.abort_incomplete_multipart_upload.as_ref().map(abort))
        .build()
        .map_err(|error| build_error("Rules", &error))
}

fn sdk_filter(filter: &Filter) -> Result<types::LifecycleRuleFilter, ShapeError> {
    let tag = |it: &Tag| {
        let tag = types::Tag::builder().key(&it.key).value(&it.value).build();
        tag.map_err(|error| build_error("Filter.Tag", &error))
    };
    let and = |it: &And| {
        let and = types::LifecycleRuleAndOperator::builder().set_prefix(it.prefix.clone());
        let and = and.set_tags(Some(it.tags.iter().map(tag).collect::<Result<_, _>>()?));
        let and = and.set_object_size_greater_than(it.object_size_greater_than);
        Ok::<_, ShapeError>(and.set_object_size_less_than(it.object_size_less_than).build())
    };
    Ok(types::LifecycleRuleFilter::builder()
        .set_prefix(filter.prefix.clone())
        .set_tag(filter.tag.as_ref().map(tag).transpose()?)
        .set_object_size_greater_than(filter.object_size_greater_than)
        .set_object_size_less_than(filter.object_size_less_than)
        .set_and(filter.and.as_ref().map(and).transpose()?)
        .build())
}

fn sdk_class(class: Option<&StorageClass>) -> Option<types::TransitionStorageClass> {
    class.map(|it| types::TransitionStorageClass::from(it.name()))
}

fn moment(date: &str) -> Result<DateTime, ShapeError> {
    DateTime::from_str(date, DateTimeFormat::DateTime).map_err(|error| build_error("Date", &error))
}

impl Fix<Clients> for S3LifecycleLogArchive {
    async fn live(&self, clients: &Clients, target: &Target, _params: &Params) -> Result<Option<Subject>, AwsError> {
        unless_gone(clients.with_lifecycle(target).await)
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        let Action::PutBucketLifecycleConfiguration(call) = action;
        clients.put_lifecycle(call).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &Undo) -> Result<(), AwsError> {
        match undo {
            Undo::PutBucketLifecycleConfiguration(call) => clients.put_lifecycle(call).await,
            Undo::DeleteBucketLifecycle(bucket) => clients.delete_lifecycle(bucket).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rule_is_sent_as_it_was_read() {
        for fields in [
            json!({"Status": "Disabled", "Filter": {}}),
            json!({"ID": "a", "Status": "Enabled", "Prefix": "", "Expiration": {"ExpiredObjectDeleteMarker": false}}),
            json!({"ID": "b", "Status": "Enabled", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 400},
                "Transitions": [{"Days": 0, "StorageClass": "GLACIER"}, {"Date": "2030-01-01T00:00:00.5Z", "StorageClass": "COLDEST"}],
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}),
            json!({"ID": "c", "Status": "Enabled", "Filter": {"Tag": {"Key": "k", "Value": ""}},
                "Expiration": {"Date": "2030-01-01T00:00:00Z"}}),
            json!({"ID": "d", "Status": "Enabled", "Filter": {"ObjectSizeGreaterThan": 1, "ObjectSizeLessThan": 5_000_000_000_i64},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2}}),
            json!({"ID": "e", "Status": "Enabled", "Filter": {"And": {"Prefix": "x", "ObjectSizeGreaterThan": 1, "ObjectSizeLessThan": 2,
                "Tags": [{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "v"}]}},
                "NoncurrentVersionTransitions": [{"NoncurrentDays": 3, "NewerNoncurrentVersions": 2, "StorageClass": "GLACIER_IR"}]}),
        ] {
            let read: Rule = serde_json::from_value(fields.clone()).unwrap();
            assert_eq!(rule(sdk_rule(&read).unwrap()), Ok(read), "{fields}");
        }
    }

    #[test]
    fn unknown_status_is_refused() {
        let unknown = types::LifecycleRule::builder().status("Paused".into()).build().unwrap();
        assert!(rule(unknown).is_err());
    }
}
