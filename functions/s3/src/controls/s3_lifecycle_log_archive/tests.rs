#![allow(clippy::needless_pass_by_value)]

use rectify_compliance::Resource;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Case, Cases};

use super::S3LifecycleLogArchive as CONTROL;
use super::*;
use crate::resources::versioning::Versioning;
use crate::testing::{item, pics};

/// Parameters that select `pics`, with `changes`.
fn text(changes: Value) -> String {
    with(json!({"bucketNames": "pics"}), changes).to_string()
}

pub(super) fn params(changes: Value) -> Params {
    RuleParameters::parse(Some(&text(changes))).unwrap().control
}

/// A case for a selected bucket with these parameters.
pub(super) fn case(name: &str, subject: Subject, changes: Value) -> Case<'_, S3LifecycleLogArchive> {
    Cases::of(&CONTROL, subject).case(name, |_| ()).with(&text(changes))
}

/// The bucket, never versioned, with these rules in the form of the API; each is enabled and for the whole bucket
/// unless its fields differ.
pub(super) fn subject(rules: Value) -> Subject {
    let rules = rules.as_array().unwrap().iter().map(|fields| {
        let fields = fields.as_object().unwrap();
        let mut rule = json!({"ID": "x", "Status": "Enabled"});
        if !fields.contains_key("Prefix") && !fields.contains_key("Filter") {
            rule["Filter"] = json!({});
        }
        rule.as_object_mut().unwrap().extend(fields.clone());
        serde_json::from_value(rule).unwrap()
    });
    let lifecycle = Configuration {
        rules: rules.collect(),
        transition_default_minimum_object_size: Some("varies_by_storage_class".to_owned()),
    };
    Subject { bucket: pics(), lifecycle: Some(lifecycle), versioning: Some(Versioning::Off), unknown: Vec::new() }
}

pub(super) fn versioned(rules: Value, versioning: Option<Versioning>) -> Subject {
    Subject { versioning, ..subject(rules) }
}

pub(super) fn transition(days: i32, class: &str) -> Value {
    json!({"ID": "move", "Transitions": [{"Days": days, "StorageClass": class}]})
}

pub(super) fn abort(days: i32) -> Value {
    json!({"ID": "abort", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days}})
}

/// The rule with these additional fields.
pub(super) fn with(mut rule: Value, fields: Value) -> Value {
    rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    rule
}

const NO_MOVE: &str = "no transition to GLACIER, DEEP_ARCHIVE, GLACIER_IR within 90 d";

#[test]
fn logs_must_be_retained_transitioned_and_cleaned_up() {
    let (good, tag) = (|| [transition(90, "GLACIER"), abort(7)], json!({"Tag": {"Key": "k", "Value": "v"}}));
    let also = |rule: Value| Value::from_iter(good().into_iter().chain([rule]));
    let expiring = |fields: Value| with(json!({"ID": "tmp", "Expiration": {"Days": 30}}), fields);
    let early = "expires after 30 d (< 365) in rule tmp";
    for (name, rules, violations) in [
        (
            "s3-lifecycle-log-archive/1",
            json!([with(transition(90, "GLACIER"), json!({"Status": "Disabled"})), abort(7)]),
            vec![NO_MOVE],
        ),
        ("none", json!([]), vec![NO_MOVE, "no abort rule"]),
        (
            "s3-lifecycle-log-archive/2: empty filter, empty prefix",
            json!([transition(90, "GLACIER"), with(abort(7), json!({"Filter": {"Prefix": ""}}))]),
            vec![],
        ),
        (
            "s3-lifecycle-log-archive/2: old prefix",
            json!([with(transition(90, "GLACIER"), json!({"Prefix": ""})), with(abort(7), json!({"Prefix": ""}))]),
            vec![],
        ),
        ("s3-lifecycle-log-archive/3", Value::from_iter(good()), vec![]),
        (
            "s3-lifecycle-log-archive/4",
            json!([with(transition(90, "GLACIER"), json!({"Filter": tag})), abort(7)]),
            vec![NO_MOVE],
        ),
        ("s3-lifecycle-log-archive/5", also(expiring(json!({}))), vec![early]),
        ("expires in time", also(json!({"Expiration": {"Days": 365}})), vec![]),
        ("expires, by tag", also(expiring(json!({"Filter": tag}))), vec![early]),
        ("expires, below", also(expiring(json!({"Filter": {"Prefix": "web/"}}))), vec![early]),
        ("expires, disabled", also(expiring(json!({"Status": "Disabled"}))), vec![]),
        (
            "expires immediately",
            also(json!({"ID": "t", "Expiration": {"Days": 0}})),
            vec!["expires after 0 d (< 365) in rule t"],
        ),
        (
            "expires on a date",
            also(json!({"ID": "t", "Expiration": {"Date": "2040-01-01T00:00:00Z"}})),
            vec!["expires on 2040-01-01T00:00:00Z in rule t"],
        ),
        ("markers expire", also(json!({"Expiration": {"ExpiredObjectDeleteMarker": true}})), vec![]),
        ("moved too late", json!([transition(91, "GLACIER"), abort(7)]), vec![NO_MOVE]),
        ("moved to another class", json!([transition(60, "STANDARD_IA"), abort(7)]), vec![NO_MOVE]),
        (
            "moved on a date",
            json!([{"Transitions": [{"Date": "2026-01-01T00:00:00Z", "StorageClass": "GLACIER"}]}, abort(7)]),
            vec![NO_MOVE],
        ),
        ("aborted too late", json!([transition(0, "DEEP_ARCHIVE"), abort(8)]), vec!["aborts after 8 d (> 7)"]),
        ("aborted never", json!([transition(0, "DEEP_ARCHIVE")]), vec!["no abort rule"]),
    ] {
        let finding = format!("Lifecycle: {}", violations.join("; "));
        let expected = if violations.is_empty() { Verdict::COMPLIANT } else { Verdict::non_compliant(finding) };
        case(name, subject(rules), json!({})).is(&expected);
    }
    let nothing = Subject { lifecycle: None, ..subject(json!([])) };
    let finding = format!("Lifecycle: {NO_MOVE}; no abort rule");
    case("no configuration", nothing.clone(), json!({})).non_compliant(&finding);
    case("lax", nothing, json!({"transitionDays": 0, "abortMultipartDays": "0"})).compliant();
}

#[test]
fn rules_for_other_objects_do_not_matter() {
    let logs = json!({"logPrefix": "logs/"});
    let below = |rule: Value, prefix: &str| with(rule, json!({"Filter": {"Prefix": prefix}}));
    let good = || [below(transition(90, "GLACIER"), "logs/"), below(abort(7), "lo")];
    let also = |rule: Value| subject(Value::from_iter(good().into_iter().chain([rule])));
    let expiring = |prefix| also(below(json!({"ID": "tmp", "Expiration": {"Days": 1}}), prefix));
    case("other prefix", expiring("data/"), logs.clone()).compliant();
    for prefix in ["", "logs/web/"] {
        case(prefix, expiring(prefix), logs.clone()).non_compliant("Lifecycle: expires after 1 d (< 365) in rule tmp");
    }
    let part = subject(json!([below(transition(90, "GLACIER"), "logs/web/"), abort(7)]));
    case("a part of the logs", part, logs).non_compliant(&format!("Lifecycle: {NO_MOVE}"));
}

#[test]
fn noncurrent_versions_need_a_rule_where_there_can_be_any() {
    let noncurrent = |fields: Value| with(json!({"ID": "noncurrent"}), fields);
    let moved =
        noncurrent(json!({"NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "StorageClass": "STANDARD_IA"}]}));
    let expired = |days: i32| noncurrent(json!({"NoncurrentVersionExpiration": {"NoncurrentDays": days}}));
    let tagged = |rule: &Value| with(rule.clone(), json!({"Filter": {"Tag": {"Key": "k", "Value": "v"}}}));
    let (none, early) = (
        "Lifecycle: no rule for noncurrent versions",
        "Lifecycle: noncurrent versions expire after 364 d (< 365) in rule noncurrent",
    );
    for (name, rules, versioning, finding) in [
        ("s3-lifecycle-log-archive/6", vec![], Some(Versioning::Suspended), Some(none)),
        ("enabled", vec![], Some(Versioning::Enabled), Some(none)),
        ("status missing", vec![], None, Some(none)),
        ("never on", vec![], Some(Versioning::Off), None),
        ("never on, early", vec![expired(1)], Some(Versioning::Off), None),
        ("moved", vec![moved.clone()], Some(Versioning::Enabled), None),
        ("expired in time", vec![expired(365)], Some(Versioning::Enabled), None),
        ("expired early", vec![expired(364)], Some(Versioning::Enabled), Some(early)),
        ("expired early, by tag", vec![moved.clone(), tagged(&expired(364))], Some(Versioning::Enabled), Some(early)),
        ("moved, by tag", vec![tagged(&moved)], Some(Versioning::Enabled), Some(none)),
    ] {
        let rules = Value::from_iter([transition(90, "GLACIER"), abort(7)].into_iter().chain(rules));
        let subject = versioned(rules, versioning);
        case(name, subject.clone(), json!({})).is(&finding.map_or(Verdict::COMPLIANT, Verdict::non_compliant));
        case(name, subject, json!({"requireNoncurrent": "FALSE"})).compliant();
    }
}

#[test]
fn only_log_buckets_are_evaluated() {
    let mut bucket = subject(json!([]));
    bucket.bucket.tags.insert("kind".to_owned(), "logs".to_owned());
    for (params, is_selected) in [
        (json!({"bucketNames": "web-*, logs"}), false),
        (json!({"bucketNames": "web-*, p?cs"}), true),
        (json!({"bucketTag": "kind=logs"}), true),
        (json!({"bucketTag": "kind=data"}), false),
        (json!({"bucketTag": "other=logs"}), false),
        (json!({"bucketNames": "web-*", "bucketTag": "kind=logs"}), true),
        (json!({}), false),
    ] {
        let case = Cases::of(&CONTROL, bucket.clone());
        let case = case.case("s3-lifecycle-log-archive/8", |_| ()).with(&params.to_string());
        if is_selected {
            drop(case.non_compliant(&format!("Lifecycle: {NO_MOVE}; no abort rule")));
        } else {
            case.not_applicable("neither bucketNames nor bucketTag selects it as a log bucket");
        }
    }
}

#[test]
fn contradictory_or_malformed_parameters_are_rejected() {
    for (text, expected) in [
        (json!({"transitionDays": 365}), "transitionDays: expected less than minRetentionDays `365`: received `365`"),
        (json!({"storageClasses": "GLACIER, STANDARD"}), "received `STANDARD`"),
        (json!({"minRetentionDays": 0}), "1..=36500"),
        (json!({"abortMultipartDays": 366}), "0..=365"),
        (json!({"bucketTag": "logs"}), "expected key=value"),
    ] {
        let error = RuleParameters::<Params>::parse(Some(&text.to_string())).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(params(json!({"storageClasses": " , "})), params(json!({})));
    let stored = serde_json::to_value(params(json!({}))).unwrap();
    assert_eq!(serde_json::from_value::<Params>(stored).unwrap(), params(json!({})));
}

#[test]
fn a_missing_versioning_status_is_none_and_an_unknown_one_an_error() {
    let read = |supplementary: Value| Subject::from_item(&item(supplementary));
    assert_eq!(read(json!({})).unwrap().versioning, None);
    let versioning = |status: Value| read(json!({"BucketVersioningConfiguration": {"status": status}}));
    assert_eq!(versioning(json!(null)).unwrap().versioning, None);
    assert_eq!(versioning(json!("Off")).unwrap().versioning, Some(Versioning::Off));
    assert_eq!(versioning(json!("Suspended")).unwrap().versioning, Some(Versioning::Suspended));
    for status in [json!("Paused"), json!(true)] {
        assert!(versioning(status).unwrap_err().path.ends_with("BucketVersioningConfiguration.status"));
    }
}
