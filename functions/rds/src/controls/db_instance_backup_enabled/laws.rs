//! The laws of the remediation, over generated instances and clusters.

use proptest::prelude::*;
use rectify_testing::Laws;

use super::*;
use crate::arbitrary::{databases, rarely};

fn subjects() -> impl Strategy<Value = Backups> {
    const INSTANCES: &[&str] = &["mysql", "postgres", "oracle-ee", "sqlserver-se", "aurora-mysql"];
    const CLUSTERS: &[&str] = &["mysql", "aurora-postgresql", "docdb"];
    let retention = || prop_oneof![1 => Just(0_u32), 4 => 1..=14_u32, 1 => 15..=35_u32];
    let window = || "(0[1-9]|1[0-9]):[0-5]0-2[0-3]:[0-5]0".prop_map(Some);
    let instance = (
        databases(Kind::Instance, INSTANCES),
        rarely("shop".to_owned()),
        rarely("first".to_owned()),
        retention().prop_map(Some),
        prop_oneof![3 => Just(None), 1 => retention().prop_map(Some)],
        window(),
    );
    let instance = instance.prop_map(|(database, cluster, replica_of, retention, pending_retention, window)| Backups {
        database,
        cluster,
        replica_of,
        retention,
        pending_retention,
        window,
    });
    let cluster = (databases(Kind::Cluster, CLUSTERS), (1..=14_u32).prop_map(Some), window());
    let cluster = cluster.prop_map(|(database, retention, window)| Backups {
        database,
        cluster: None,
        replica_of: None,
        retention,
        pending_retention: None,
        window,
    });
    prop_oneof![2 => instance, 1 => cluster]
}

fn parameters() -> impl Strategy<Value = BackupParameters> {
    let days = || prop::option::of((1..=35_u32).prop_map(Bounded::of));
    let window =
        prop::option::of(Just("01:00-01:30")).prop_map(|it| it.and_then(|it| Window::try_from(it.to_owned()).ok()));
    (days(), days(), window, any::<bool>(), any::<bool>(), 1..=35_u32).prop_map(
        |(first, second, window, replicas, non_rds, target)| {
            // Parsing rejects a period shorter than the minimum.
            let in_order = first.map(Bounded::get) >= second.map(Bounded::get);
            let (period, minimum) = if in_order { (first, second) } else { (second, first) };
            BackupParameters {
                backup_retention_period: period,
                backup_retention_minimum: minimum,
                preferred_backup_window: window,
                check_read_replicas: Flag(replicas),
                target_retention: Bounded::of(target),
                include_non_rds: Flag(non_rds),
            }
        },
    )
}

#[test]
fn laws() {
    Laws::of(&DbInstanceBackupEnabled, &["/retention", "/pendingRetention", "/window"], Remediation::predict)
        .never(|before, after| after.evaluated_retention() < before.evaluated_retention())
        .irreversible(|subject| subject.retention_after_window().unwrap_or(0) == 0)
        .meeting(&[("blocked", |plan| matches!(plan, Plan::Blocked { .. }))])
        .hold((subjects(), parameters()));
}
