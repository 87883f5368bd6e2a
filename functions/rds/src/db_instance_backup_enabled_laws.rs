//! The laws of the remediation, over generated instances and clusters.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use rectify_compliance::StoredImage;

use super::tests::{MINIMUM, judge, plan};
use super::*;
use crate::arbitrary::{databases, is_mixed, seldom};

fn subjects() -> impl Strategy<Value = Backups> {
    const INSTANCES: &[&str] = &["mysql", "postgres", "oracle-ee", "sqlserver-se", "aurora-mysql"];
    const CLUSTERS: &[&str] = &["mysql", "aurora-postgresql", "docdb"];
    let retention = || prop_oneof![1 => Just(0_u32), 4 => 1..=14_u32, 1 => 15..=35_u32];
    let window = || "(0[1-9]|1[0-9]):[0-5]0-2[0-3]:[0-5]0";
    let instance = (
        databases(Kind::Instance, INSTANCES),
        seldom("shop".to_owned()),
        seldom("first".to_owned()),
        retention(),
        prop_oneof![3 => Just(None), 1 => retention().prop_map(Some)],
        window(),
    );
    let instance = instance.prop_map(|(database, cluster, replica_of, retention, pending, window)| Backups {
        database,
        cluster,
        replica_of,
        retention: Some(retention),
        pending_retention: pending,
        window: Some(window),
    });
    let cluster = (databases(Kind::Cluster, CLUSTERS), 1..=14_u32, window());
    let cluster = cluster.prop_map(|(database, retention, window)| Backups {
        database,
        cluster: None,
        replica_of: None,
        retention: Some(retention),
        pending_retention: None,
        window: Some(window),
    });
    prop_oneof![2 => instance, 1 => cluster]
}

fn parameters() -> impl Strategy<Value = String> {
    let days = || prop::option::of(1..=35_u32);
    let window = prop::option::of(Just("01:00-01:30"));
    (days(), days(), window, any::<bool>(), any::<bool>(), 1..=35_u32).prop_map(
        |(one, other, window, replicas, non_rds, target)| {
            // A period shorter than the minimum is refused.
            let (period, minimum) = if one < other { (other, one) } else { (one, other) };
            json!({
                "backupRetentionPeriod": period, "backupRetentionMinimum": minimum,
                "preferredBackupWindow": window, "checkReadReplicas": replicas, "includeNonRds": non_rds,
                "targetRetention": target
            })
            .to_string()
        },
    )
}

#[test]
fn generated_databases_are_of_every_kind() {
    assert!(is_mixed(subjects(), |it| judge(it, MINIMUM)));
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in subjects(), text in parameters()) {
        prop_assert_eq!(plan(&subject, &text) != Plan::Nothing, judge(&subject, &text).is_non_compliant());
    }

    #[test]
    fn the_fix_changes_nothing_but_the_fault_and_undo_restores_it(subject in subjects(), text in parameters()) {
        let plan_of_it = plan(&subject, &text);
        let mut live = subject.clone();
        let mut done = Vec::new();
        for action in plan_of_it.calls() {
            live = DbInstanceBackupEnabled.expect(live, action);
            done.push(action.clone());
        }
        prop_assert!(live.counted() >= subject.counted(), "shortened");
        let for_a_person = plan_of_it.steps().iter().any(|step| step.action().is_none());
        if !for_a_person {
            prop_assert!(!judge(&live, &text).is_non_compliant(), "{:?}", judge(&live, &text));
            prop_assert_eq!(plan(&live, &text), Plan::Nothing);
        }
        let Backups { retention, pending_retention, ref window, .. } = live;
        let only_backups = Backups { retention, pending_retention, window: window.clone(), ..subject.clone() };
        prop_assert_eq!(&live, &only_backups);

        let actions = done.clone();
        match DbInstanceBackupEnabled.undo(&subject, &done) {
            Ok(undo) => {
                for action in undo {
                    live = DbInstanceBackupEnabled.expect(live, &action);
                }
                prop_assert_eq!(DbInstanceBackupEnabled.footprint(&live, &actions), DbInstanceBackupEnabled.footprint(&subject, &actions));
            }
            Err(_) => prop_assert_eq!(subject.wanted().unwrap_or(0), 0),
        }
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored(subject in subjects(), text in parameters()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<Backups>(), Ok(subject.clone()));
        for action in plan(&subject, &text).calls() {
            let stored = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&stored).unwrap(), action);
        }
    }
}
