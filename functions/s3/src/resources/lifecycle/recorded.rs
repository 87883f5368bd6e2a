//! `supplementaryConfiguration.BucketLifecycleConfiguration` of an item, converted to the form of the API.
//!
//! AWS Config writes it with the names of an old SDK: -1 for unset days, and predicates with a `type` for filters.
//! Captured items show rules with prefixes and noncurrent transitions; the names in the other predicates, and of the
//! newer expiration of noncurrent versions, are those of that SDK and so a guess. A predicate of an unknown type is
//! rejected, since it could select any object.

use rectify_compliance::{ConfigurationItem, ShapeError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Abort, And, Configuration, Expiration, Filter, NoncurrentExpiration, NoncurrentTransition, Rule, Status,
    StorageClass, Tag, Transition,
};
use crate::resources::bucket;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedRule {
    id: Option<String>,
    status: Status,
    prefix: Option<String>,
    filter: Option<RecordedFilter>,
    expiration_in_days: Option<i32>,
    expiration_date: Option<Value>,
    expired_object_delete_marker: Option<bool>,
    transitions: Option<Vec<RecordedTransition>>,
    noncurrent_version_transitions: Option<Vec<RecordedTransition>>,
    noncurrent_version_expiration_in_days: Option<i32>,
    noncurrent_version_expiration: Option<RecordedTransition>,
    abort_incomplete_multipart_upload: Option<RecordedAbort>,
}

#[derive(Deserialize)]
struct RecordedFilter {
    predicate: Option<Predicate>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
enum Predicate {
    #[serde(rename = "LifecyclePrefixPredicate")]
    Prefix { prefix: Option<String> },
    #[serde(rename = "LifecycleTagPredicate")]
    Tag { tag: RecordedTag },
    #[serde(rename = "LifecycleObjectSizeGreaterThanPredicate")]
    GreaterThan { object_size_greater_than: i64 },
    #[serde(rename = "LifecycleObjectSizeLessThanPredicate")]
    LessThan { object_size_less_than: i64 },
    #[serde(rename = "LifecycleAndOperator")]
    And { operands: Vec<Self> },
}

#[derive(Deserialize)]
struct RecordedTag {
    key: String,
    value: Option<String>,
}

/// A transition, or the expiration of noncurrent versions, which has no storage class.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedTransition {
    days: Option<i32>,
    date: Option<Value>,
    storage_class: Option<StorageClass>,
    newer_noncurrent_versions: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordedAbort {
    days_after_initiation: Option<i32>,
}

impl Configuration {
    /// Parses `BucketLifecycleConfiguration` of a configuration item; `None` where it is absent or null, which means
    /// that there is none. Items do not record the minimum object size for transitions.
    ///
    /// # Errors
    /// [`ShapeError`] when it is malformed, or has an unknown status or predicate, or negative days.
    pub fn from_item(item: &ConfigurationItem) -> Result<Option<Self>, ShapeError> {
        let path = bucket::path("BucketLifecycleConfiguration.rules");
        let Some(value) = item.supplement("BucketLifecycleConfiguration") else { return Ok(None) };
        let rules = match value.get("rules") {
            Some(Value::Null) => return Ok(None),
            rules => {
                rules.and_then(Value::as_array).ok_or_else(|| ShapeError::new(&*path, "a list of rules", value))?
            }
        };
        let rules = rules.iter().enumerate().map(|(at, rule)| rule_of(&format!("{path}[{at}]"), rule));
        Ok(Some(Self { rules: rules.collect::<Result<_, _>>()?, transition_default_minimum_object_size: None }))
    }
}

fn rule_of(path: &str, value: &Value) -> Result<Rule, ShapeError> {
    let recorded: RecordedRule = typed(path, value)?;
    let days = |field: &str, days: Option<i32>| days_of(&format!("{path}.{field}"), days);
    let expiration = Expiration {
        date: recorded.expiration_date.as_ref().and_then(date),
        days: days("expirationInDays", recorded.expiration_in_days)?,
        expired_object_delete_marker: recorded.expired_object_delete_marker.filter(|it| *it),
    };
    let noncurrent = |it: RecordedTransition| {
        Ok(NoncurrentTransition {
            noncurrent_days: days("noncurrentVersionTransitions.days", it.days)?,
            newer_noncurrent_versions: it.newer_noncurrent_versions,
            storage_class: it.storage_class,
        })
    };
    let current = |it: RecordedTransition| {
        Ok(Transition {
            date: it.date.as_ref().and_then(date),
            days: days("transitions.days", it.days)?,
            storage_class: it.storage_class,
        })
    };
    let newer = recorded.noncurrent_version_expiration;
    let stated = newer.as_ref().and_then(|it| it.days).filter(|it| *it != UNSET);
    let noncurrent_days = stated.or(recorded.noncurrent_version_expiration_in_days);
    let noncurrent_expiration = NoncurrentExpiration {
        noncurrent_days: days("noncurrentVersionExpirationInDays", noncurrent_days)?,
        newer_noncurrent_versions: newer.and_then(|it| it.newer_noncurrent_versions),
    };
    let abort = recorded.abort_incomplete_multipart_upload.map(|it| it.days_after_initiation);
    let abort = abort.map(|it| days("abortIncompleteMultipartUpload", it)).transpose()?;
    let (transitions, noncurrent_transitions) = (recorded.transitions, recorded.noncurrent_version_transitions);
    Ok(Rule {
        id: recorded.id,
        status: recorded.status,
        prefix: recorded.prefix,
        filter: recorded.filter.map(filter),
        expiration: (expiration != Expiration::default()).then_some(expiration),
        transitions: transitions.into_iter().flatten().map(current).collect::<Result<_, _>>()?,
        noncurrent_version_transitions: noncurrent_transitions
            .into_iter()
            .flatten()
            .map(noncurrent)
            .collect::<Result<_, _>>()?,
        noncurrent_version_expiration: noncurrent_expiration.noncurrent_days.is_some().then_some(noncurrent_expiration),
        abort_incomplete_multipart_upload: abort.map(|days_after_initiation| Abort { days_after_initiation }),
    })
}

/// Unset days.
const UNSET: i32 = -1;

fn days_of(path: &str, days: Option<i32>) -> Result<Option<i32>, ShapeError> {
    match days {
        None | Some(UNSET) => Ok(None),
        Some(days) if days >= 0 => Ok(Some(days)),
        Some(days) => Err(ShapeError::new(path, "days, or -1", days)),
    }
}

/// A date in any form: controls judge only whether there is one.
fn date(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn filter(recorded: RecordedFilter) -> Filter {
    let mut filter = Filter::default();
    match recorded.predicate {
        None => {}
        Some(Predicate::Prefix { prefix }) => filter.prefix = Some(prefix.unwrap_or_default()),
        Some(Predicate::Tag { tag }) => filter.tag = Some(tag.into()),
        Some(Predicate::GreaterThan { object_size_greater_than }) => {
            filter.object_size_greater_than = Some(object_size_greater_than);
        }
        Some(Predicate::LessThan { object_size_less_than }) => {
            filter.object_size_less_than = Some(object_size_less_than);
        }
        Some(Predicate::And { operands }) => {
            let mut and = And::default();
            operands.into_iter().for_each(|operand| join(&mut and, operand));
            filter.and = Some(and);
        }
    }
    filter
}

fn join(and: &mut And, operand: Predicate) {
    match operand {
        Predicate::Prefix { prefix } => and.prefix = prefix,
        Predicate::Tag { tag } => and.tags.push(tag.into()),
        Predicate::GreaterThan { object_size_greater_than } => {
            and.object_size_greater_than = Some(object_size_greater_than);
        }
        Predicate::LessThan { object_size_less_than } => and.object_size_less_than = Some(object_size_less_than),
        Predicate::And { operands } => operands.into_iter().for_each(|operand| join(and, operand)),
    }
}

impl From<RecordedTag> for Tag {
    fn from(tag: RecordedTag) -> Self {
        Self { key: tag.key, value: tag.value.unwrap_or_default() }
    }
}

fn typed<T: DeserializeOwned>(path: &str, value: &Value) -> Result<T, ShapeError> {
    T::deserialize(value).map_err(|error| ShapeError::new(path, "a lifecycle rule", error))
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value)]
mod tests {
    use super::super::tests::rule;
    use super::*;
    use crate::testing::item;
    use serde_json::json;

    fn read(configuration: Value) -> Result<Option<Configuration>, ShapeError> {
        Configuration::from_item(&item(json!({ "BucketLifecycleConfiguration": configuration })))
    }

    /// A rule as AWS Config writes it, with all its keys; `fields` replace those of a rule without actions.
    fn recorded(fields: Value) -> Value {
        let mut whole = json!({"id": "x", "prefix": null, "status": "Enabled", "filter": null, "expirationInDays": -1,
            "expiredObjectDeleteMarker": false, "noncurrentVersionExpirationInDays": -1, "expirationDate": null,
            "transitions": null, "noncurrentVersionTransitions": null, "abortIncompleteMultipartUpload": null});
        whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        whole
    }

    #[test]
    fn rules_of_an_item_convert_to_those_of_the_api() {
        let predicate = |predicate: Value| json!({"filter": {"predicate": predicate}});
        let prefix = json!({"type": "LifecyclePrefixPredicate", "prefix": "a/"});
        let tag = json!({"type": "LifecycleTagPredicate", "tag": {"key": "k", "value": "v"}});
        let larger = json!({"type": "LifecycleObjectSizeGreaterThanPredicate", "objectSizeGreaterThan": 5});
        let smaller = json!({"type": "LifecycleObjectSizeLessThanPredicate", "objectSizeLessThan": 9});
        let both = json!({"type": "LifecycleAndOperator", "operands": [prefix, tag, larger, smaller]});
        for (given, expected) in [
            (json!({}), json!({})),
            (json!({"prefix": "a/", "status": "Disabled"}), json!({"Prefix": "a/", "Status": "Disabled"})),
            (json!({"filter": {}}), json!({"Filter": {}})),
            (predicate(json!(null)), json!({"Filter": {}})),
            (predicate(prefix.clone()), json!({"Filter": {"Prefix": "a/"}})),
            (predicate(tag.clone()), json!({"Filter": {"Tag": {"Key": "k", "Value": "v"}}})),
            (predicate(larger.clone()), json!({"Filter": {"ObjectSizeGreaterThan": 5}})),
            (predicate(smaller.clone()), json!({"Filter": {"ObjectSizeLessThan": 9}})),
            (
                predicate(both),
                json!({"Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}],
                    "ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 9}}}),
            ),
            (json!({"expirationInDays": 30}), json!({"Expiration": {"Days": 30}})),
            (
                json!({"expirationDate": "2027-01-01T00:00:00.000Z"}),
                json!({"Expiration": {"Date": "2027-01-01T00:00:00.000Z"}}),
            ),
            (json!({"expirationDate": 1_798_761_600_000_i64}), json!({"Expiration": {"Date": "1798761600000"}})),
            (json!({"expiredObjectDeleteMarker": true}), json!({"Expiration": {"ExpiredObjectDeleteMarker": true}})),
            (
                json!({"transitions": [{"days": 0, "date": null, "storageClass": "GLACIER"},
                    {"days": -1, "date": "2027-01-01T00:00:00.000Z", "storageClass": "DEEP_ARCHIVE"}]}),
                json!({"Transitions": [{"Days": 0, "StorageClass": "GLACIER"},
                    {"Date": "2027-01-01T00:00:00.000Z", "StorageClass": "DEEP_ARCHIVE"}]}),
            ),
            (
                json!({"noncurrentVersionTransitions": [{"days": 1, "storageClass": "GLACIER"}]}),
                json!({"NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "StorageClass": "GLACIER"}]}),
            ),
            (
                json!({"noncurrentVersionExpirationInDays": 400}),
                json!({"NoncurrentVersionExpiration": {"NoncurrentDays": 400}}),
            ),
            (
                json!({"noncurrentVersionExpiration": {"days": 400, "newerNoncurrentVersions": 3}}),
                json!({"NoncurrentVersionExpiration": {"NoncurrentDays": 400, "NewerNoncurrentVersions": 3}}),
            ),
            (
                json!({"abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}}),
                json!({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}),
            ),
        ] {
            let expected = Configuration { rules: vec![rule(expected)], transition_default_minimum_object_size: None };
            assert_eq!(read(json!({"rules": [recorded(given.clone())]})), Ok(Some(expected)), "{given}");
        }
    }

    #[test]
    fn an_absent_or_null_configuration_is_none() {
        for absent in [json!(null), json!({"rules": null})] {
            assert_eq!(read(absent), Ok(None));
        }
        assert_eq!(Configuration::from_item(&item(json!({}))), Ok(None));
    }

    #[test]
    fn rules_that_could_select_any_object_are_rejected() {
        for (configuration, path) in [
            (json!("on"), "rules"),
            (json!({"rules": {}}), "rules"),
            (json!({"rules": [recorded(json!({"status": "Paused"}))]}), "rules[0]"),
            (json!({"rules": [recorded(json!({})), {"id": "x"}]}), "rules[1]"),
            (
                json!({"rules": [recorded(json!({"filter": {"predicate": {"type": "LifecycleAgePredicate"}}}))]}),
                "rules[0]",
            ),
            (json!({"rules": [recorded(json!({"expirationInDays": -2}))]}), "rules[0].expirationInDays"),
            (json!({"rules": [recorded(json!({"expirationInDays": "30"}))]}), "rules[0]"),
        ] {
            let error = read(configuration.clone()).unwrap_err();
            let expected = format!("supplementaryConfiguration.BucketLifecycleConfiguration.{path}");
            assert_eq!(error.path, expected, "{configuration}: {error}");
        }
    }
}
