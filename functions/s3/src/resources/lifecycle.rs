//! Lifecycle configuration of a bucket: when S3 transitions, expires or aborts objects, noncurrent versions and
//! multipart uploads.
//!
//! Depends on no control and no SDK. A call replaces the complete configuration, so every element of the API is here,
//! in its spelling: elements are sent back as they were read.

mod recorded;
mod storage_class;

use rectify_compliance::canonical::unordered;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use storage_class::StorageClass;

/// A bucket's lifecycle configuration. Equality ignores the order of rules and of the lists in them: the order has no
/// meaning to S3, which does not preserve it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Configuration {
    /// `Rules`, in the order S3 returned them.
    pub rules: Vec<Rule>,
    /// `TransitionDefaultMinimumObjectSize`: objects below this size do not transition. `None` where unknown; a call
    /// without it resets the value to S3's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_default_minimum_object_size: Option<String>,
}

/// `LifecycleRule`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rule {
    /// `ID`, unique in the configuration; S3 generates one for a rule without.
    #[serde(rename = "ID", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `Status`.
    pub status: Status,
    /// `Prefix`: the older form of a filter; then the whole configuration uses it (lifecycle V1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// `Filter`: the newer form (V2); an empty filter selects the whole bucket.
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
    /// S3 applies the rule.
    Enabled,
    /// S3 ignores the rule.
    Disabled,
}

/// `LifecycleRuleFilter`: at most one of its members is set.
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

/// `LifecycleRuleAndOperator`: all of its members apply.
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
    /// `Days` after an object was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<i32>,
    /// `ExpiredObjectDeleteMarker`: removes delete markers without noncurrent versions; deletes no object.
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
    /// `Days` after an object was created.
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
    /// `NoncurrentDays` since the version became noncurrent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_days: Option<i32>,
    /// `NewerNoncurrentVersions` to retain, whatever their age.
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
    /// `NoncurrentDays` since the version became noncurrent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent_days: Option<i32>,
    /// `NewerNoncurrentVersions` to retain, whatever their age.
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

/// The form in which the rules of a configuration select objects; S3 rejects a mixture.
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
    /// The rules as JSON, sorted by id and with sorted lists, for the comparison before an undo. S3 does not preserve
    /// the order of rules, transitions and tags.
    pub fn canonical(&self) -> Vec<Value> {
        let mut rules: Vec<&Rule> = self.rules.iter().collect();
        rules.sort_by(|left, right| left.id.cmp(&right.id)); // ids are unique
        rules.into_iter().map(|rule| unordered(serde_json::to_value(rule).unwrap_or_default())).collect()
    }

    /// The form of all rules; `None` where they mix forms, or a rule has both or neither.
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
    /// An enabled rule for the objects under `prefix`, without actions.
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

    /// Its id, for display.
    pub fn name(&self) -> &str {
        self.id.as_deref().unwrap_or("without id")
    }

    /// Whether S3 applies the rule.
    pub fn is_enabled(&self) -> bool {
        self.status == Status::Enabled
    }

    /// Whether the rule applies to every object under `prefix`.
    pub fn covers(&self, prefix: &str) -> bool {
        !self.is_narrowed() && prefix.starts_with(self.scope())
    }

    /// Whether the rule can apply to an object under `prefix`, also if only to objects with a certain tag or size.
    pub fn touches(&self, prefix: &str) -> bool {
        prefix.starts_with(self.scope()) || self.scope().starts_with(prefix)
    }

    /// The prefix of the objects it applies to; empty for all.
    fn scope(&self) -> &str {
        let filter = self.filter.as_ref();
        let within = filter.and_then(|it| it.and.as_ref()).and_then(|and| and.prefix.as_deref());
        self.prefix.as_deref().or(filter.and_then(|it| it.prefix.as_deref())).or(within).unwrap_or_default()
    }

    /// Whether a tag or size filter limits the rule.
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
#[allow(clippy::needless_pass_by_value)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    pub(super) fn rule(fields: Value) -> Rule {
        let mut whole = json!({"ID": "x", "Status": "Enabled"});
        whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn a_rule_covers_a_prefix_unless_a_tag_or_size_limits_it() {
        let tag = json!({"Key": "k", "Value": "v"});
        for (case, fields, covers, touches) in [
            ("neither", json!({}), true, true),
            ("empty filter", json!({"Filter": {}}), true, true),
            ("empty prefix", json!({"Filter": {"Prefix": ""}}), true, true),
            ("old empty prefix", json!({"Prefix": ""}), true, true),
            ("above", json!({"Filter": {"Prefix": "lo"}}), true, true),
            ("old, the same", json!({"Prefix": "logs/"}), true, true),
            ("and, with a prefix only", json!({"Filter": {"And": {"Prefix": "logs/"}}}), true, true),
            ("below", json!({"Filter": {"Prefix": "logs/web/"}}), false, true),
            ("other prefix", json!({"Filter": {"Prefix": "data/"}}), false, false),
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
    fn a_configuration_with_mixed_forms_has_none() {
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
