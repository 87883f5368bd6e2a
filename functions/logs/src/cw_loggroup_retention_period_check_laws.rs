//! The laws of the remediation, over generated log groups and parameters.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use rectify_compliance::StoredImage;

use super::tests::{Params, group, judge, plan};
use super::*;

fn groups() -> impl Strategy<Value = LogGroup> {
    let retention = prop::option::of(prop::sample::select(RETENTIONS.to_vec()));
    let class = prop::option::of(prop::sample::select(vec!["STANDARD", "STANDARD", "INFREQUENT_ACCESS", "DELIVERY"]));
    let tags = prop::collection::btree_map("[a-z]{1,4}", "[a-z]{0,4}", 0..3);
    ("/(app|aws)/[a-z]{1,6}", retention, class, tags).prop_map(|(name, retention, class, tags)| LogGroup {
        class: class.map(str::to_owned),
        tags,
        ..group(&name, retention)
    })
}

fn parameters() -> impl Strategy<Value = Params> {
    let names = prop::option::of(prop::sample::select(vec!["/app/", "/aws/,*x*"]).prop_map(|it| it.parse().unwrap()));
    let never = prop::sample::select(vec![NeverExpire::Compliant, NeverExpire::NonCompliant]);
    (names, 1..=LONGEST, prop::option::of(1..=LONGEST), never)
        .prop_map(|(log_group_names, shortest, longest, never_expire)| Params {
            log_group_names,
            min_retention_time: Days::of(shortest),
            max_retention_time: longest.map(Days::of),
            never_expire,
        })
        .prop_filter("satisfiable", |it| it.check().is_ok())
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in groups(), params in parameters()) {
        prop_assert_eq!(plan(&subject, &params) != Plan::Nothing, judge(&subject, &params).is_non_compliant());
    }

    #[test]
    fn a_fix_raises_retention_to_a_value_there_is_and_leaves_all_else_and_undo_restores_it(
        subject in groups(), params in parameters()
    ) {
        let planned = plan(&subject, &params);
        let mut live = subject.clone();
        let mut done = Vec::new();
        for action in planned.calls() {
            live = CwLoggroupRetentionPeriodCheck.expect(live, action);
            done.push(action.clone());
        }
        if !done.is_empty() {
            prop_assert!(judge(&live, &params).is_compliant());
            prop_assert_eq!(plan(&live, &params), Plan::Nothing);
            prop_assert!(live.retention_in_days > subject.retention_in_days && subject.retention_in_days.is_some());
            prop_assert!(RETENTIONS.contains(&live.retention_in_days.unwrap()));
        }
        let only_retention = LogGroup { retention_in_days: live.retention_in_days, ..subject.clone() };
        prop_assert_eq!(&live, &only_retention);
        for action in CwLoggroupRetentionPeriodCheck.undo(&subject, &done).unwrap() {
            live = CwLoggroupRetentionPeriodCheck.expect(live, &action);
        }
        prop_assert_eq!(live, subject);
    }

    #[test]
    fn a_longer_minimum_never_passes_what_a_shorter_one_finds(subject in groups(), params in parameters(), more in 0..LONGEST) {
        let longer = Params { min_retention_time: Days::of(params.min_retention_time.get() + more), ..params.clone() };
        prop_assume!(longer.check().is_ok());
        prop_assert!(!judge(&subject, &params).is_non_compliant() || judge(&subject, &longer).is_non_compliant());
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored(subject in groups(), params in parameters()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<LogGroup>(), Ok(subject.clone()));
        for action in plan(&subject, &params).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&text).unwrap(), action);
        }
    }
}
