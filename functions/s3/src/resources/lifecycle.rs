//! Lifecycle configuration of a bucket as S3 holds it: when objects, their former versions and partial uploads move or go.
//!
//! Knows neither controls nor SDKs. S3 replaces a configuration whole, so everything the API has is here, in its spelling:
//! what is read is what is sent again.

mod recorded;
mod storage_class;

use rectify_compliance::canonical::unordered;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use storage_class::StorageClass;

/// A bucket's lifecycle configuration. Two are equal whatever the order of their rules and of what
/// these list: it means nothing to S3, which promises none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Configuration {
    /// `Rules`, in the order S3 returned them.
    pub rules: Vec<Rule>,
    /// `TransitionDefaultMinimumObjectSize`: how small an object is not moved. `None` where it is not known; a call without
    /// it sets S3's own default, whatever was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_default_minimum_object_size: Option<String>,
}

/// `LifecycleRule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rule {
    /// `ID`, unique in the configuration; S3 makes one up for a rule without.
    #[serde(rename = "ID", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `Status`.
    pub status: Status,
    /// `Prefix`: the older form of a filter, and of the whole configuration then (lifecycle V1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `Filter`: the newer form (V2); an empty one is the whole bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// `Expiration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// `Transitions`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<Transition>,
    /// `NoncurrentVersionTransitions`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noncurrent_version_transitions: Vec<NoncurrentTransition>,
    /// `NoncurrentVersionExpiration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_version_expiration: Option<NoncurrentExpiration>,
    /// `AbortIncompleteMultipartUpload`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_incomplete_multipart_upload: Option<Abort>,
}

/// `Status` of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// S3 follows it.
    Enabled,
    /// S3 does not.
    Disabled,
}

/// `LifecycleRuleFilter`: at most one of its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Filter {
    /// `Prefix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `Tag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
    /// `ObjectSizeGreaterThan`, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_size_greater_than: Option<i64>,
    /// `ObjectSizeLessThan`, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_size_less_than: Option<i64>,
    /// `And`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub and: Option<And>,
}

/// `LifecycleRuleAndOperator`: all of its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct And {
    /// `Prefix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `Tags`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// `ObjectSizeGreaterThan`, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_size_greater_than: Option<i64>,
    /// `ObjectSizeLessThan`, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_size_less_than: Option<i64>,
}

/// `Tag` of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// `Key`.
    pub key: String,
    /// `Value`.
    pub value: String,
}

/// `LifecycleExpiration`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Expiration {
    /// `Date`, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// `Days` after an object was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<i32>,
    /// `ExpiredObjectDeleteMarker`: markers with no version behind them go; no object does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_object_delete_marker: Option<bool>,
}

/// `Transition`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Transition {
    /// `Date`, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// `Days` after an object was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<i32>,
    /// `StorageClass`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<StorageClass>,
}

/// `NoncurrentVersionTransition`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NoncurrentTransition {
    /// `NoncurrentDays` since a newer version is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_days: Option<i32>,
    /// `NewerNoncurrentVersions` that stay whatever their age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_noncurrent_versions: Option<i32>,
    /// `StorageClass`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<StorageClass>,
}

/// `NoncurrentVersionExpiration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct NoncurrentExpiration {
    /// `NoncurrentDays` since a newer version is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_days: Option<i32>,
    /// `NewerNoncurrentVersions` that stay whatever their age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer_noncurrent_versions: Option<i32>,
}

/// `AbortIncompleteMultipartUpload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Abort {
    /// `DaysAfterInitiation` of an upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_after_initiation: Option<i32>,
}

/// In which of its two forms a configuration says what its rules are about; S3 refuses a mixture of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `Prefix` in every rule.
    Prefix,
    /// `Filter` in every rule.
    Filter,
}

impl PartialEq for Configuration {
    fn eq(&self, other: &Self) -> bool {
        let minimum = &self.transition_default_minimum_object_size;
        *minimum == other.transition_default_minimum_object_size && self.canonical() == other.canonical()
    }
}

impl Eq for Configuration {}

impl Configuration {
    /// The rules in the order of their ids, as JSON in which what they list is in order: what undo compares. S3 promises
    /// no order of rules, transitions and tags.
    pub fn canonical(&self) -> Vec<Value> {
        let mut rules: Vec<&Rule> = self.rules.iter().collect();
        rules.sort_by(|left, right| left.id.cmp(&right.id)); // ids are unique
        rules.into_iter().map(|rule| unordered(serde_json::to_value(rule).unwrap_or_default())).collect()
    }

    /// The form of all rules; `None` where they have different ones, or a rule has both or neither.
    pub fn form(&self) -> Option<Form> {
        let mut forms = self.rules.iter().map(|rule| match (&rule.prefix, &rule.filter) {
            (Some(_), None) => Some(Form::Prefix),
            (None, Some(_)) => Some(Form::Filter),
            (Some(_), Some(_)) | (None, None) => None,
        });
        let first = forms.next().unwrap_or(Some(Form::Filter));
        if forms.all(|form| form == first) { first } else { None }
    }
}

impl Rule {
    /// An enabled rule about the objects below `prefix`, which does nothing yet.
    pub fn of(id: &str, form: Form, prefix: &str) -> Self {
        let (old, new) = match form {
            Form::Prefix => (Some(prefix.to_owned()), None),
            Form::Filter => (None, Some(Filter { prefix: Some(prefix.to_owned()), ..Filter::default() })),
        };
        Self {
            id: Some(id.to_owned()),
            status: Status::Enabled,
            prefix: old,
            filter: new,
            expiration: None,
            transitions: Vec::new(),
            noncurrent_version_transitions: Vec::new(),
            noncurrent_version_expiration: None,
            abort_incomplete_multipart_upload: None,
        }
    }

    /// Its id, for texts.
    pub fn name(&self) -> &str {
        self.id.as_deref().unwrap_or("without id")
    }

    /// Whether S3 follows it.
    pub fn is_enabled(&self) -> bool {
        self.status == Status::Enabled
    }

    /// Whether it is about every object below `prefix`.
    pub fn covers(&self, prefix: &str) -> bool {
        !self.is_narrowed() && prefix.starts_with(self.scope())
    }

    /// Whether it is about an object below `prefix`, be it one of some tag or size.
    pub fn touches(&self, prefix: &str) -> bool {
        prefix.starts_with(self.scope()) || self.scope().starts_with(prefix)
    }

    /// The prefix of the objects it is about, empty for all.
    fn scope(&self) -> &str {
        let filter = self.filter.as_ref();
        let within = filter.and_then(|it| it.and.as_ref()).and_then(|and| and.prefix.as_deref());
        self.prefix.as_deref().or(filter.and_then(|it| it.prefix.as_deref())).or(within).unwrap_or_default()
    }

    /// Whether it is about objects of some tag or size only.
    fn is_narrowed(&self) -> bool {
        self.filter.as_ref().is_some_and(|filter| {
            let within = filter.and.as_ref().is_some_and(|and| {
                !and.tags.is_empty() || and.object_size_greater_than.is_some() || and.object_size_less_than.is_some()
            });
            within
                || filter.tag.is_some()
                || filter.object_size_greater_than.is_some()
                || filter.object_size_less_than.is_some()
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::needless_pass_by_value)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    pub(super) fn rule(fields: Value) -> Rule {
        let mut whole = json!({"ID": "x", "Status": "Enabled"});
        whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn a_rule_covers_what_is_below_its_prefix_and_nothing_that_a_tag_or_size_picks() {
        let tag = json!({"Key": "k", "Value": "v"});
        for (case, fields, covers, touches) in [
            ("neither", json!({}), true, true),
            ("empty filter", json!({"Filter": {}}), true, true),
            ("empty prefix", json!({"Filter": {"Prefix": ""}}), true, true),
            ("old empty prefix", json!({"Prefix": ""}), true, true),
            ("above", json!({"Filter": {"Prefix": "lo"}}), true, true),
            ("old, the same", json!({"Prefix": "logs/"}), true, true),
            ("and, of a prefix alone", json!({"Filter": {"And": {"Prefix": "logs/"}}}), true, true),
            ("below", json!({"Filter": {"Prefix": "logs/web/"}}), false, true),
            ("beside", json!({"Filter": {"Prefix": "data/"}}), false, false),
            ("tag", json!({"Filter": {"Tag": tag}}), false, true),
            ("larger", json!({"Filter": {"ObjectSizeGreaterThan": 1}}), false, true),
            ("smaller", json!({"Filter": {"ObjectSizeLessThan": 1}}), false, true),
            ("and tags", json!({"Filter": {"And": {"Prefix": "", "Tags": [tag, tag]}}}), false, true),
            ("and size", json!({"Filter": {"And": {"Prefix": "logs/", "ObjectSizeLessThan": 1}}}), false, true),
            ("and larger", json!({"Filter": {"And": {"Prefix": "data/", "ObjectSizeGreaterThan": 1}}}), false, false),
        ] {
            let rule = rule(fields);
            assert_eq!((rule.covers("logs/"), rule.touches("logs/")), (covers, touches), "{case}");
        }
    }

    #[test]
    fn a_configuration_has_one_form_or_none() {
        let (old, new) = (json!({"Prefix": ""}), json!({"Filter": {}}));
        for (rules, expected) in [
            (vec![], Some(Form::Filter)),
            (vec![old.clone(), old.clone()], Some(Form::Prefix)),
            (vec![new.clone(), new.clone()], Some(Form::Filter)),
            (vec![old.clone(), new.clone()], None),
            (vec![json!({})], None),
            (vec![new, json!({})], None),
            (vec![json!({"Prefix": "", "Filter": {}})], None),
        ] {
            let rules = rules.into_iter().map(rule).collect();
            let configuration = Configuration { rules, transition_default_minimum_object_size: None };
            assert_eq!(configuration.form(), expected, "{configuration:?}");
        }
    }
}
