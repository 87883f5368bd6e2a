//! The laws of remediation over generated configurations and requirements.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use rectify_compliance::StoredImage;

use super::tests::{judge, params, subject};
use super::*;
use crate::log_archive::Versioning;
use crate::testing::NOW;

const CLASSES: [&str; 7] =
    ["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "COLDEST"];

fn prefixes() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "l", "logs/", "logs/web/", "data/"])
}

/// What a rule is about, in the newer form, in every shape there is.
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

/// What a rule does: any of the actions, each with days or a date where it may have one.
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
    let former = (days(), class())
        .prop_map(|(days, class)| json!({"NoncurrentDays": days, "NewerNoncurrentVersions": 2, "StorageClass": class}));
    let lists = (prop::collection::vec(transition, 0..2), prop::collection::vec(former, 0..2));
    let gone = prop::option::of(days().prop_map(|days| json!({ "NoncurrentDays": days })));
    let abort = prop::option::of(days().prop_map(|days| json!({ "DaysAfterInitiation": days })));
    (expiration, lists, gone, abort).prop_map(|(expiration, (transitions, former), gone, abort)| {
        json!({"Expiration": expiration, "Transitions": transitions, "NoncurrentVersionTransitions": former,
            "NoncurrentVersionExpiration": gone, "AbortIncompleteMultipartUpload": abort})
    })
}

fn rules() -> impl Strategy<Value = Vec<Value>> {
    let rule = (filters(), prefixes(), actions(), any::<bool>());
    (prop::collection::vec(rule, 0..4), any::<bool>()).prop_map(|(rules, old)| {
        let made = rules.into_iter().enumerate().map(|(number, (filter, prefix, mut rule, enabled))| {
            rule["ID"] = json!(format!("rule {number}"));
            rule["Status"] = json!(if enabled { "Enabled" } else { "Disabled" });
            rule[if old { "Prefix" } else { "Filter" }] = if old { json!(prefix) } else { filter };
            rule
        });
        made.collect()
    })
}

fn subjects() -> impl Strategy<Value = (Subject, Params)> {
    let versioning = [None, Some(Versioning::Off), Some(Versioning::Enabled), Some(Versioning::Suspended)];
    let text = (
        prop::sample::select(vec![0, 30, 90]),
        prop::sample::select(vec![0, 7]),
        prop::sample::select(vec!["", "logs/"]),
        prop::sample::select(vec!["GLACIER,DEEP_ARCHIVE", "STANDARD_IA", "GLACIER_IR"]),
        any::<bool>(),
    );
    (rules(), any::<bool>(), prop::sample::select(versioning.to_vec()), text).prop_map(
        |(rules, some, versioning, (transition, abort, prefix, classes, noncurrent))| {
            let made = subject(Value::from(rules));
            let lifecycle = made.lifecycle.clone().filter(|it| some || !it.rules.is_empty());
            let params = params(json!({"transitionDays": transition, "abortMultipartDays": abort, "logPrefix": prefix,
                "storageClasses": classes, "requireNoncurrent": noncurrent}));
            (Subject { lifecycle, versioning, ..made }, params)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn the_fix_adds_one_rule_that_expires_nothing_and_undo_takes_it_away((before, params) in subjects()) {
        let plan = S3LifecycleLogArchive.plan(&before, &params, NOW);
        prop_assert_eq!(plan != Plan::Nothing, judge(&before, &params).is_non_compliant());
        prop_assert!(plan == Plan::Nothing || !plan.steps().is_empty());
        let actions: Vec<Action> = plan.calls().into_iter().cloned().collect();
        prop_assert!(actions.len() <= 1);
        let Some(action) = actions.first() else { return Ok(()) };
        let after = S3LifecycleLogArchive.expect(before.clone(), action);
        let lifecycle = after.lifecycle.clone().unwrap();
        let (added, kept) = lifecycle.rules.split_last().unwrap();
        prop_assert_eq!(kept, before.rules());
        prop_assert!(added.expiration.is_none() && added.noncurrent_version_expiration.is_none(), "{:?}", added);
        prop_assert!(added.covers(&params.log_prefix) && (params.log_prefix.is_empty() || !added.touches("data/")));
        if let Some(was) = before.lifecycle.as_ref().filter(|it| !it.rules.is_empty()) {
            let size = &was.transition_default_minimum_object_size;
            prop_assert_eq!(&lifecycle.transition_default_minimum_object_size, size);
            prop_assert_eq!(lifecycle.form(), was.form());
        }
        prop_assert_eq!(&after.bucket, &before.bucket);

        // What is left is a person's: with nothing left, all is well and nothing more is planned.
        let alone = plan.steps().iter().all(|step| step.action().is_some());
        prop_assert_eq!(judge(&after, &params).is_compliant(), alone, "{:?}", after);
        prop_assert_eq!(S3LifecycleLogArchive.plan(&after, &params, NOW) == Plan::Nothing, alone);
        prop_assert!(S3LifecycleLogArchive.plan(&after, &params, NOW).calls().is_empty());

        let done = [action.clone()];
        let restored = S3LifecycleLogArchive.undo(&before, &done).unwrap().iter().fold(after, |live, undo| match undo {
            Undo::PutBucketLifecycleConfiguration(put) => {
                Subject { lifecycle: Some(put.lifecycle_configuration.clone()), ..live }
            }
            Undo::DeleteBucketLifecycle { .. } => Subject { lifecycle: None, ..live },
        });
        prop_assert_eq!(S3LifecycleLogArchive.footprint(&restored, &actions), S3LifecycleLogArchive.footprint(&before, &actions));
        prop_assert_eq!(restored, before);
    }

    /// A rule that is applied lets no enabled rule about the same objects come too late.
    #[test]
    fn what_is_applied_overtakes_nothing((before, params) in subjects()) {
        let plan = S3LifecycleLogArchive.plan(&before, &params, NOW);
        let (Plan::Do { .. }, Some(action)) = (&plan, plan.calls().first().copied()) else { return Ok(()) };
        let after = S3LifecycleLogArchive.expect(before.clone(), action).lifecycle.unwrap();
        let added = after.rules.last().unwrap();
        let abort = |rule: &crate::lifecycle::Rule| {
            rule.abort_incomplete_multipart_upload.as_ref().and_then(|it| it.days_after_initiation)
        };
        for rule in before.rules().iter().filter(|it| it.is_enabled() && it.touches(&params.log_prefix)) {
            prop_assert!(abort(added).is_none() || abort(rule).is_none_or(|days| Some(days) <= abort(added)), "{:?}", rule);
            for (ours, theirs) in added.transitions.iter().flat_map(|ours| rule.transitions.iter().map(move |it| (ours, it))) {
                let (class, next) = (ours.storage_class.as_ref().unwrap(), theirs.storage_class.as_ref().unwrap());
                prop_assert!(theirs.days.is_some_and(|days| Some(days) <= ours.days) || class.leads_to(next), "{:?}", rule);
            }
        }
    }

    #[test]
    fn the_order_of_rules_and_of_what_they_list_means_nothing((before, params) in subjects()) {
        let plan = S3LifecycleLogArchive.plan(&before, &params, NOW);
        let actions: Vec<Action> = plan.calls().into_iter().cloned().collect();
        let mut turned = before.clone();
        if let Some(lifecycle) = &mut turned.lifecycle {
            lifecycle.rules.reverse();
            for rule in &mut lifecycle.rules {
                rule.transitions.reverse();
                rule.noncurrent_version_transitions.reverse();
                rule.filter.iter_mut().filter_map(|it| it.and.as_mut()).for_each(|it| it.tags.reverse());
            }
        }
        prop_assert_eq!(S3LifecycleLogArchive.footprint(&turned, &actions), S3LifecycleLogArchive.footprint(&before, &actions));
        prop_assert_eq!(turned, before);
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored((before, params) in subjects()) {
        prop_assert_eq!(StoredImage::of(&before).unwrap().read::<Subject>(), Ok(before.clone()));
        for action in S3LifecycleLogArchive.plan(&before, &params, NOW).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&text).unwrap(), action);
        }
    }
}
