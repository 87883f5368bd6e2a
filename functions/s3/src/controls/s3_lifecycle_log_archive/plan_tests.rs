#![allow(clippy::needless_pass_by_value)]

use rectify_testing::NOW;
use rectify_testing::cases::lines;

use super::S3LifecycleLogArchive as CONTROL;
use super::tests::{abort, case, params, subject, transition, versioned, with};
use super::*;
use crate::resources::versioning::Versioning;

fn planned(subject: &Subject, changes: Value) -> Plan<Action> {
    CONTROL.plan(subject, &params(changes), NOW)
}

/// The configuration in the only call of a plan.
fn put(plan: &Plan<Action>) -> Value {
    let calls = serde_json::to_value(plan.calls()).unwrap();
    calls[0]["PutBucketLifecycleConfiguration"]["LifecycleConfiguration"].clone()
}

#[test]
fn one_rule_is_added_after_the_existing_ones() {
    let three = json!([
        {"ID": "a", "Filter": {"And": {"Prefix": "web/", "Tags": [{"Key": "k", "Value": "v"}], "ObjectSizeLessThan": 9}},
            "Expiration": {"Days": 400}},
        {"ID": "b", "Status": "Disabled", "Filter": {}, "Transitions": [{"Days": 1, "StorageClass": "ONEZONE_IA"}]},
        {"ID": "c", "Filter": {"Prefix": "x"}, "Expiration": {"ExpiredObjectDeleteMarker": true},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 400, "NewerNoncurrentVersions": 3}},
    ]);
    let live = versioned(three.clone(), Some(Versioning::Enabled));
    let plan = planned(&live, json!({}));
    let before = serde_json::to_value(&live.lifecycle).unwrap();
    let after = put(&plan);
    let case = "s3-lifecycle-log-archive/7";
    assert_eq!(after["Rules"].as_array().unwrap()[..3], before["Rules"].as_array().unwrap()[..], "{case}");
    assert_eq!(
        after["Rules"].as_array().unwrap()[3..],
        [json!({"ID": "s3-lifecycle-log-archive", "Status": "Enabled", "Filter": {"Prefix": ""},
            "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}],
            "NoncurrentVersionTransitions": [{"NoncurrentDays": 90, "StorageClass": "GLACIER"}],
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}})],
        "{case}"
    );
    assert_eq!(after["TransitionDefaultMinimumObjectSize"], "varies_by_storage_class");
    assert!(matches!(&plan, Plan::Apply { .. }) && plan.level() == Some(Level::L2), "{plan:?}");
}

#[test]
fn only_missing_actions_are_added_in_the_form_of_the_other_rules() {
    let no_abort = planned(&subject(json!([transition(90, "GLACIER")])), json!({}));
    let expected = json!({"ID": "s3-lifecycle-log-archive", "Status": "Enabled", "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}});
    assert_eq!(put(&no_abort)["Rules"][1], expected);
    assert!(matches!(&no_abort, Plan::Apply { .. }) && no_abort.level() == Some(Level::L1), "{no_abort:?}");

    let old =
        planned(&subject(json!([with(abort(7), json!({"Prefix": ""}))])), json!({"storageClasses": "DEEP_ARCHIVE"}));
    let expected = json!({"ID": "s3-lifecycle-log-archive", "Status": "Enabled", "Prefix": "",
        "Transitions": [{"Days": 90, "StorageClass": "DEEP_ARCHIVE"}]});
    assert_eq!(put(&old)["Rules"][1], expected);

    let none = Subject { lifecycle: None, ..subject(json!([])) };
    let plan = planned(&none, json!({"logPrefix": "logs/"}));
    let after = put(&plan);
    assert_eq!(after["TransitionDefaultMinimumObjectSize"], "all_storage_classes_128K");
    assert_eq!((&after["Rules"][0]["Filter"], &after["Rules"][1]), (&json!({"Prefix": "logs/"}), &json!(null)));
    let done: Vec<Action> = plan.calls().into_iter().cloned().collect();
    let undo = json!([{"DeleteBucketLifecycle": {"Bucket": "pics", "ExpectedBucketOwner": "111122223333"}}]);
    assert_eq!(serde_json::to_value(CONTROL.undo(&none, &done).unwrap()).unwrap(), undo);
}

#[test]
fn retention_is_a_manual_step() {
    let name = "s3-lifecycle-log-archive/5";
    let keep = "L3 manual: retain for at least 365 days, or remove the expiration:";
    let (expiring, good) = (json!({"ID": "tmp", "Expiration": {"Days": 30}}), [transition(90, "GLACIER"), abort(7)]);
    let and_good = |rule: &Value| Value::from_iter([rule.clone()].into_iter().chain(good.clone()));
    let early = "expires after 30 d (< 365) in rule tmp";
    let by_hand = format!("{keep} logs expire after 30 d (< 365) in rule tmp");
    case(name, subject(and_good(&expiring)), json!({}))
        .non_compliant(&format!("Lifecycle: {early}"))
        .planned(&[&by_hand]);
    let plan = planned(&subject(json!([expiring])), json!({}));
    let planned = lines(&plan);
    assert!(planned.len() == 2 && planned[0].starts_with("L2 PutBucketLifecycleConfiguration"), "{planned:?}");
    assert_eq!((&planned[1], plan.blocker(true).is_some()), (&by_hand, true), "{name}");

    let noncurrent = json!({"ID": "noncurrent", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}});
    case("noncurrent versions", versioned(and_good(&noncurrent), Some(Versioning::Enabled)), json!({}))
        .non_compliant("Lifecycle: noncurrent versions expire after 30 d (< 365) in rule noncurrent")
        .planned(&[&format!("{keep} noncurrent versions expire after 30 d (< 365) in rule noncurrent")]);
    case("nothing moves", versioned(json!([abort(7)]), Some(Versioning::Enabled)), json!({"transitionDays": 0}))
        .non_compliant("Lifecycle: no rule for noncurrent versions")
        .planned(&["L3 manual: transition noncurrent versions, or expire them after 365 days or more"]);
}

#[test]
fn a_rule_that_would_preempt_another_or_lose_an_element_is_blocked() {
    let moved = |days: i32, class: &str| json!([transition(days, class), abort(7)]);
    let below = |rule: Value| with(rule, json!({"Filter": {"Prefix": "web/"}}));
    let dated =
        json!({"ID": "dated", "Transitions": [{"Date": "2040-01-01T00:00:00Z", "StorageClass": "DEEP_ARCHIVE"}]});
    let noncurrent = json!({"ID": "noncurrent", "Filter": {"Prefix": "web/"},
        "NoncurrentVersionTransitions": [{"NoncurrentDays": 91, "StorageClass": "GLACIER"}]});
    let kept = json!({"ID": "kept", "Filter": {"Prefix": "web/"}, "NoncurrentVersionTransitions":
        [{"NoncurrentDays": 30, "NewerNoncurrentVersions": 2, "StorageClass": "GLACIER"}]});
    let full: Vec<Value> = (0..1000).map(|number| json!({"ID": number.to_string(), "Status": "Disabled"})).collect();
    let unknown = Subject { unknown: vec!["Rule.Pause".to_owned()], ..subject(json!([abort(7)])) };
    let mut without_size = subject(json!([abort(7)]));
    without_size.lifecycle.as_mut().unwrap().transition_default_minimum_object_size = None;
    let mut without_form = subject(json!([abort(7)]));
    without_form.lifecycle.as_mut().unwrap().rules[0].filter = None;
    let ia = json!({"storageClasses": "STANDARD_IA", "transitionDays": 29});
    for (subject, text, expected) in [
        (subject(moved(91, "GLACIER")), json!({}), "rule move: moves objects to GLACIER after 91 d"),
        (subject(moved(180, "STANDARD_IA")), json!({}), "rule move: moves objects to STANDARD_IA after 180 d"),
        (
            subject(moved(30, "DEEP_ARCHIVE")),
            json!({"storageClasses": "GLACIER"}),
            "rule move: moves objects to DEEP_ARCHIVE after 30 d",
        ),
        (subject(moved(61, "STANDARD_IA")), json!({}), "rule move: moves objects to STANDARD_IA after 61 d"),
        (
            subject(moved(90, "GLACIER_IR")),
            json!({"storageClasses": "GLACIER"}),
            "rule move: moves objects to GLACIER_IR after 90 d",
        ),
        (
            subject(json!([below(transition(59, "GLACIER")), abort(7)])),
            json!({"storageClasses": "STANDARD_IA", "transitionDays": 30}),
            "rule move: moves objects to GLACIER after 59 d",
        ),
        (subject(moved(30, "COLDEST")), json!({}), "rule move: moves objects to COLDEST after 30 d"),
        (subject(json!([abort(7), dated])), json!({}), "rule dated: moves objects to DEEP_ARCHIVE, not by days only"),
        (
            versioned(json!([abort(7), noncurrent]), Some(Versioning::Enabled)),
            json!({}),
            "rule noncurrent: moves versions to GLACIER after 91 d",
        ),
        (
            versioned(json!([abort(7), kept]), Some(Versioning::Enabled)),
            json!({}),
            "rule kept: moves versions to GLACIER, not by days only",
        ),
        (subject(json!([abort(8)])), json!({}), "rule abort: aborts incomplete uploads after 8 d, not 7"),
        (subject(json!([below(abort(8))])), json!({}), "rule abort: aborts incomplete uploads after 8 d, not 7"),
        (subject(Value::from(full)), json!({}), "lifecycle: 1000 rules, and S3 allows 1000"),
        (unknown, json!({}), "lifecycle: Rule.Pause: unknown, and would be lost"),
        (without_size, json!({}), "lifecycle: TransitionDefaultMinimumObjectSize was not returned"),
        (without_form, json!({}), "lifecycle: rules mix Prefix and Filter"),
        (subject(json!([abort(7), {"Prefix": "old"}])), json!({}), "lifecycle: rules mix Prefix and Filter"),
        (
            subject(json!([{"ID": "s3-lifecycle-log-archive", "Status": "Disabled"}])),
            json!({}),
            "rule s3-lifecycle-log-archive: exists already",
        ),
        (subject(json!([])), ia, "transitionDays 29: S3 moves objects to STANDARD_IA after at least 30 days"),
    ] {
        let planned = lines(&planned(&subject, text));
        assert!(planned[0].starts_with(&format!("blocked: {expected}")), "{expected}: {planned:?}");
        assert!(planned.len() == 2 && planned[1].contains("PutBucketLifecycleConfiguration"), "{planned:?}");
    }
}

#[test]
fn compatible_rules_do_not_block_the_plan() {
    let below = |rule: Value| with(rule, json!({"Filter": {"Prefix": "web/"}}));
    for rules in [
        json!([transition(60, "STANDARD_IA"), abort(7)]),
        json!([transition(180, "DEEP_ARCHIVE"), abort(3)]),
        json!([below(transition(30, "GLACIER")), below(abort(3))]),
        json!([below(transition(30, "DEEP_ARCHIVE"))]),
        json!([below(transition(90, "GLACIER"))]),
        json!([with(transition(400, "STANDARD_IA"), json!({"Status": "Disabled"}))]),
        json!([{"Expiration": {"Days": 400}}]),
    ] {
        let plan = planned(&subject(rules.clone()), json!({}));
        assert!(matches!(plan, Plan::Apply { .. }), "{rules}: {plan:?}");
    }
    let logs = json!({"logPrefix": "logs/"});
    let plan = planned(&subject(json!([below(transition(180, "STANDARD_IA"))])), logs);
    assert!(matches!(plan, Plan::Apply { .. }), "a rule outside the logs: {plan:?}");
}
