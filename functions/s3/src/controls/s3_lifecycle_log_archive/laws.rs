//! The laws of the remediation over generated configurations and requirements.

use proptest::prelude::*;
use rectify_testing::{Laws, NOW};

use super::S3LifecycleLogArchive as CONTROL;
use super::tests::{params, subject};
use super::*;
use crate::resources::versioning::Versioning;

const CLASSES: [&str; 7] =
    ["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "COLDEST"];

fn prefixes() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "l", "logs/", "logs/web/", "data/"])
}

/// Filters in the newer form, of every shape.
fn filters() -> impl Strategy<Value = Value> {
    let tag = || json!({"Key": "k", "Value": "v"});
    prop_oneof![
        Just(json!({})),
        prefixes().prop_map(|prefix| json!({ "Prefix": prefix })),
        Just(json!({"Tag": tag()})),
        Just(json!({"ObjectSizeGreaterThan": 1})),
        Just(json!({"ObjectSizeLessThan": 9})),
        (prefixes(), 0..3_usize, any::<bool>()).prop_map(move |(prefix, tags, size)| {
            let mut and = json!({ "Prefix": prefix, "Tags": vec![tag(); tags] });
            if size {
                and["ObjectSizeGreaterThan"] = json!(1);
            }
            json!({ "And": and })
        }),
    ]
}

fn days() -> impl Strategy<Value = i32> {
    prop::sample::select(vec![0, 3, 7, 30, 90, 180, 364, 365, 400])
}

/// The actions of a rule: any of them, each with days, or a date where allowed.
fn actions() -> impl Strategy<Value = Value> {
    let class = || prop::sample::select(CLASSES.to_vec());
    let date = "2030-01-01T00:00:00Z";
    let expiration = prop_oneof![
        4 => Just(json!(null)),
        2 => days().prop_map(|days| json!({ "Days": days })),
        1 => Just(json!({ "Date": date })),
        1 => Just(json!({"ExpiredObjectDeleteMarker": true})),
    ];
    let transition = (days(), class(), any::<bool>()).prop_map(move |(days, class, dated)| match dated {
        true => json!({"Date": date, "StorageClass": class}),
        false => json!({"Days": days, "StorageClass": class}),
    });
    let noncurrent = (days(), class())
        .prop_map(|(days, class)| json!({"NoncurrentDays": days, "NewerNoncurrentVersions": 2, "StorageClass": class}));
    let lists = (prop::collection::vec(transition, 0..2), prop::collection::vec(noncurrent, 0..2));
    let noncurrent_expiration = prop::option::of(days().prop_map(|days| json!({ "NoncurrentDays": days })));
    let abort = prop::option::of(days().prop_map(|days| json!({ "DaysAfterInitiation": days })));
    (expiration, lists, noncurrent_expiration, abort).prop_map(|(expiration, (current, noncurrent), expired, abort)| {
        json!({"Expiration": expiration, "Transitions": current, "NoncurrentVersionTransitions": noncurrent,
            "NoncurrentVersionExpiration": expired, "AbortIncompleteMultipartUpload": abort})
    })
}

fn rules() -> impl Strategy<Value = Vec<Value>> {
    let rule = (filters(), prefixes(), actions(), any::<bool>());
    (prop::collection::vec(rule, 0..4), any::<bool>()).prop_map(|(rules, old)| {
        let rules = rules.into_iter().enumerate().map(|(number, (filter, prefix, mut rule, enabled))| {
            rule["ID"] = json!(format!("rule {number}"));
            rule["Status"] = json!(if enabled { "Enabled" } else { "Disabled" });
            rule[if old { "Prefix" } else { "Filter" }] = if old { json!(prefix) } else { filter };
            rule
        });
        rules.collect()
    })
}

fn subjects() -> impl Strategy<Value = (Subject, Params)> {
    let versioning = [None, Some(Versioning::Off), Some(Versioning::Enabled), Some(Versioning::Suspended)];
    let text = (
        prop::sample::select(vec![0, 0, 30, 90]),
        prop::sample::select(vec![0, 7]),
        prop::sample::select(vec!["", "logs/"]),
        prop::sample::select(vec!["GLACIER,DEEP_ARCHIVE", "STANDARD_IA", "GLACIER_IR"]),
        any::<bool>(),
    );
    (rules(), any::<bool>(), prop::sample::select(versioning.to_vec()), text).prop_map(
        |(rules, has_configuration, versioning, (transition, abort, prefix, classes, noncurrent))| {
            let subject = subject(Value::from(rules));
            let lifecycle = subject.lifecycle.clone().filter(|it| has_configuration || !it.rules.is_empty());
            let params = params(json!({"transitionDays": transition, "abortMultipartDays": abort, "logPrefix": prefix,
                "storageClasses": classes, "requireNoncurrent": noncurrent}));
            (Subject { lifecycle, versioning, ..subject }, params)
        },
    )
}

#[test]
fn laws() {
    Laws::of(&CONTROL, &["/lifecycle", "/unknown"], |_, live, undo| match undo {
        Undo::PutBucketLifecycleConfiguration(put) => {
            Subject { lifecycle: Some(put.lifecycle_configuration.clone()), ..live }
        }
        Undo::DeleteBucketLifecycle { .. } => Subject { lifecycle: None, ..live },
    })
    .hold(subjects());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn the_fix_adds_at_most_one_rule_without_expiration((before, params) in subjects()) {
        let plan = CONTROL.plan(&before, &params, NOW);
        prop_assert!(plan.calls().len() <= 1);
        let Some(action) = plan.calls().first().copied() else { return Ok(()) };
        let after = CONTROL.predict(before.clone(), action);
        let lifecycle = after.lifecycle.clone().unwrap();
        let (added, kept) = lifecycle.rules.split_last().unwrap();
        prop_assert_eq!(kept, before.rules());
        prop_assert!(added.expiration.is_none() && added.noncurrent_version_expiration.is_none(), "{:?}", added);
        prop_assert!(added.covers(&params.log_prefix) && (params.log_prefix.is_empty() || !added.touches("data/")));
        if let Some(previous) = before.lifecycle.as_ref().filter(|it| !it.rules.is_empty()) {
            let size = &previous.transition_default_minimum_object_size;
            prop_assert_eq!(&lifecycle.transition_default_minimum_object_size, size);
            prop_assert_eq!(lifecycle.form(), previous.form());
        }
        let is_complete = plan.steps().len() == plan.calls().len();
        let next = CONTROL.plan(&after, &params, NOW);
        prop_assert_eq!(next == Plan::Noop, is_complete, "{:?}", after);
        prop_assert!(next.calls().is_empty());
    }

    /// An applied rule preempts no enabled rule for the same objects.
    #[test]
    fn an_applied_rule_preempts_no_other((before, params) in subjects()) {
        let plan = CONTROL.plan(&before, &params, NOW);
        let (Plan::Apply { .. }, Some(action)) = (&plan, plan.calls().first().copied()) else { return Ok(()) };
        let after = CONTROL.predict(before.clone(), action).lifecycle.unwrap();
        let added = after.rules.last().unwrap();
        let abort = |rule: &crate::resources::lifecycle::Rule| {
            rule.abort_incomplete_multipart_upload.as_ref().and_then(|it| it.days_after_initiation)
        };
        for rule in before.rules().iter().filter(|it| it.is_enabled() && it.touches(&params.log_prefix)) {
            prop_assert!(abort(added).is_none() || abort(rule).is_none_or(|days| Some(days) <= abort(added)), "{:?}", rule);
            for (new, old) in added.transitions.iter().flat_map(|new| rule.transitions.iter().map(move |it| (new, it))) {
                let (class, next) = (new.storage_class.as_ref().unwrap(), old.storage_class.as_ref().unwrap());
                prop_assert!(old.days.is_some_and(|days| Some(days) <= new.days) || class.can_transition_to(next), "{:?}", rule);
            }
        }
    }

    #[test]
    fn equality_ignores_the_order_of_rules_and_their_lists((before, params) in subjects()) {
        let plan = CONTROL.plan(&before, &params, NOW);
        let actions: Vec<Action> = plan.calls().into_iter().cloned().collect();
        let mut reversed = before.clone();
        if let Some(lifecycle) = &mut reversed.lifecycle {
            lifecycle.rules.reverse();
            for rule in &mut lifecycle.rules {
                rule.transitions.reverse();
                rule.noncurrent_version_transitions.reverse();
                rule.filter.iter_mut().filter_map(|it| it.and.as_mut()).for_each(|it| it.tags.reverse());
            }
        }
        prop_assert_eq!(CONTROL.touched_fields(&reversed, &actions), CONTROL.touched_fields(&before, &actions));
        prop_assert_eq!(reversed, before);
    }
}
