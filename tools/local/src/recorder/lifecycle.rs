//! `BucketLifecycleConfiguration` of a bucket's item, in AWS Config's shape.
//!
//! The shape is that of an old SDK: a rule has every key, unset days are -1, and a filter is a predicate with a `type`.
//! Captured items confirm prefixes, noncurrent transitions and the keys of a rule; the rest follows that SDK's names.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types::{
    LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration, Tag, TransitionStorageClass,
};
use serde_json::{Value, json};

use super::{RecorderError, failed, unless};

/// The value of unset days.
const UNSET: i32 = -1;

/// The configuration; none if the bucket has none, so that its item has no such key.
pub(super) async fn read(s3: &Client, name: &str) -> Result<Option<Value>, RecorderError> {
    let answer = s3.get_bucket_lifecycle_configuration().bucket(name).send().await;
    let answer = unless(&["NoSuchLifecycleConfiguration"], answer);
    let answer = answer.map_err(failed("s3:GetBucketLifecycleConfiguration", name))?;
    Ok(answer.map(|answer| json!({ "rules": answer.rules().iter().map(rule).collect::<Vec<_>>() })))
}

#[allow(deprecated)] // The older form of a filter is still recorded.
fn rule(rule: &LifecycleRule) -> Value {
    let expiration = rule.expiration();
    let transitions = |list: Vec<Value>| if list.is_empty() { Value::Null } else { list.into() };
    let current = rule.transitions().iter().map(|it| {
        let class = it.storage_class().map(TransitionStorageClass::as_str);
        json!({ "days": it.days().unwrap_or(UNSET), "date": it.date().map(date), "storageClass": class })
    });
    let noncurrent = rule.noncurrent_version_transitions().iter().map(|it| {
        let class = it.storage_class().map(TransitionStorageClass::as_str);
        json!({ "days": it.noncurrent_days().unwrap_or(UNSET), "storageClass": class })
    });
    let noncurrent_days = rule.noncurrent_version_expiration().and_then(NoncurrentVersionExpiration::noncurrent_days);
    let abort =
        rule.abort_incomplete_multipart_upload().map(|it| json!({ "daysAfterInitiation": it.days_after_initiation() }));
    json!({
        "id": rule.id(),
        "prefix": rule.prefix(),
        "status": rule.status().as_str(),
        "filter": rule.filter().map(|filter| json!({ "predicate": predicate(filter) })),
        "expirationInDays": expiration.and_then(LifecycleExpiration::days).unwrap_or(UNSET),
        "expiredObjectDeleteMarker": expiration.and_then(LifecycleExpiration::expired_object_delete_marker).unwrap_or_default(),
        "noncurrentVersionExpirationInDays": noncurrent_days.unwrap_or(UNSET),
        "expirationDate": expiration.and_then(|it| it.date()).map(date),
        "transitions": transitions(current.collect()),
        "noncurrentVersionTransitions": transitions(noncurrent.collect()),
        "abortIncompleteMultipartUpload": abort
    })
}

/// The filter's only condition; null without one, which selects the whole bucket.
fn predicate(filter: &LifecycleRuleFilter) -> Value {
    if let Some(and) = filter.and() {
        let mut operands: Vec<Value> = and.prefix().map(prefix).into_iter().collect();
        operands.extend(and.tags().iter().map(tag));
        operands.extend(and.object_size_greater_than().map(larger));
        operands.extend(and.object_size_less_than().map(smaller));
        return json!({ "type": "LifecycleAndOperator", "operands": operands });
    }
    let parts = [
        filter.prefix().map(prefix),
        filter.tag().map(tag),
        filter.object_size_greater_than().map(larger),
        filter.object_size_less_than().map(smaller),
    ];
    parts.into_iter().flatten().next().unwrap_or_default()
}

fn prefix(prefix: &str) -> Value {
    json!({ "type": "LifecyclePrefixPredicate", "prefix": prefix })
}

fn tag(tag: &Tag) -> Value {
    json!({ "type": "LifecycleTagPredicate", "tag": { "key": tag.key(), "value": tag.value() } })
}

fn larger(size: i64) -> Value {
    json!({ "type": "LifecycleObjectSizeGreaterThanPredicate", "objectSizeGreaterThan": size })
}

fn smaller(size: i64) -> Value {
    json!({ "type": "LifecycleObjectSizeLessThanPredicate", "objectSizeLessThan": size })
}

/// RFC 3339; a date that cannot be formatted is written in its debug form, so that it is not lost.
fn date(date: &DateTime) -> String {
    date.fmt(DateTimeFormat::DateTime).unwrap_or_else(|_| format!("{date:?}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use aws_sdk_s3::types::{
        AbortIncompleteMultipartUpload, ExpirationStatus, LifecycleRuleAndOperator, NoncurrentVersionTransition,
        Transition,
    };

    use super::*;

    fn label() -> Tag {
        Tag::builder().key("k").value("v").build().unwrap()
    }

    #[test]
    fn every_rule_has_every_key() {
        let bare = LifecycleRule::builder().id("a").status(ExpirationStatus::Disabled);
        #[allow(deprecated)]
        let bare = bare.prefix("x").build().unwrap();
        assert_eq!(
            rule(&bare),
            json!({"id": "a", "prefix": "x", "status": "Disabled", "filter": null, "expirationInDays": -1,
                "expiredObjectDeleteMarker": false, "noncurrentVersionExpirationInDays": -1, "expirationDate": null,
                "transitions": null, "noncurrentVersionTransitions": null, "abortIncompleteMultipartUpload": null})
        );
        let full = LifecycleRule::builder()
            .id("b")
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("").build())
            .expiration(LifecycleExpiration::builder().date(DateTime::from_secs(1_893_456_000)).build())
            .transitions(Transition::builder().days(0).storage_class(TransitionStorageClass::Glacier).build())
            .noncurrent_version_transitions(
                NoncurrentVersionTransition::builder()
                    .noncurrent_days(3)
                    .storage_class(TransitionStorageClass::Glacier)
                    .build(),
            )
            .noncurrent_version_expiration(NoncurrentVersionExpiration::builder().noncurrent_days(9).build())
            .abort_incomplete_multipart_upload(
                AbortIncompleteMultipartUpload::builder().days_after_initiation(7).build(),
            );
        assert_eq!(
            rule(&full.build().unwrap()),
            json!({"id": "b", "prefix": null, "status": "Enabled",
                "filter": {"predicate": {"type": "LifecyclePrefixPredicate", "prefix": ""}}, "expirationInDays": -1,
                "expiredObjectDeleteMarker": false, "noncurrentVersionExpirationInDays": 9,
                "expirationDate": "2030-01-01T00:00:00Z",
                "transitions": [{"days": 0, "date": null, "storageClass": "GLACIER"}],
                "noncurrentVersionTransitions": [{"days": 3, "storageClass": "GLACIER"}],
                "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}})
        );
    }

    #[test]
    fn filter_becomes_its_predicate() {
        let filter = LifecycleRuleFilter::builder;
        let tag = json!({"type": "LifecycleTagPredicate", "tag": {"key": "k", "value": "v"}});
        let larger = json!({"type": "LifecycleObjectSizeGreaterThanPredicate", "objectSizeGreaterThan": 1});
        let and = LifecycleRuleAndOperator::builder().prefix("x").tags(label()).object_size_greater_than(1).build();
        for (filter, expected) in [
            (filter().build(), json!(null)),
            (filter().tag(label()).build(), tag.clone()),
            (filter().object_size_greater_than(1).build(), larger.clone()),
            (
                filter().object_size_less_than(9).build(),
                json!({"type": "LifecycleObjectSizeLessThanPredicate", "objectSizeLessThan": 9}),
            ),
            (
                filter().and(and).build(),
                json!({"type": "LifecycleAndOperator",
                    "operands": [{"type": "LifecyclePrefixPredicate", "prefix": "x"}, tag, larger]}),
            ),
        ] {
            assert_eq!(predicate(&filter), expected);
        }
    }
}
