//! Cases for the rule and its remediation.

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{ConfigurationItem, Resource, ResourceState};
use rectify_testing::{Case, Cases};

use super::*;
use crate::resources::backups::tests::{backups, cluster_item};
use crate::resources::instance::tests::item;

const MINIMUM: &str = r#"{"backupRetentionMinimum": "7"}"#;
const WINDOW: &str = r#"{"preferredBackupWindow": "01:00-01:30"}"#;
const NONE: &str = "orders has no automated backups";
const SHORT: &str = "orders retains backups 3 d (minimum 7)";

/// A case for an instance with a retention of 3 days, after `change`.
fn case(name: &str, change: impl FnOnce(&mut Backups)) -> Case<'_, DbInstanceBackupEnabled> {
    Cases::of(&DbInstanceBackupEnabled, backups(3)).case(name, change)
}

fn retention(name: &str, days: u32) -> Case<'_, DbInstanceBackupEnabled> {
    case(name, |it| it.retention = Some(days))
}

fn of_item<'a>(name: &'a str, item: &ConfigurationItem) -> Case<'a, DbInstanceBackupEnabled> {
    case(name, |it| *it = Backups::from_item(item).unwrap())
}

/// The plan for the instance: one call with these settings.
fn fix(level: &str, settings: &str) -> String {
    format!(r#"{level} ModifyDBInstance {{{settings}}}"#)
}

fn days(level: &str, days: u32) -> String {
    fix(level, &format!(r#""BackupRetentionPeriod":{days},"DBInstanceIdentifier":"orders""#))
}

fn modify(retention: Option<u32>, window: Option<&str>) -> Action {
    let change = Change { backup_retention_period: retention, preferred_backup_window: window.map(str::to_owned) };
    Action::ModifyDBInstance { identifier: "orders".into(), change }
}

#[test]
fn retention_decides_the_verdict_and_the_level_of_the_fix() {
    let both = r#"{"backupRetentionPeriod": "14", "backupRetentionMinimum": "7"}"#;
    let exactly = r#"{"backupRetentionPeriod": 14}"#;
    let pending =
        |name, days, pending| case(name, |it| (it.retention, it.pending_retention) = (Some(days), Some(pending)));
    retention("db-instance-backup-enabled/1", 0).non_compliant(NONE).planned(&[&days("L2", 7)]);
    retention("by the target", 0).with(r#"{"targetRetention": 14}"#).non_compliant(NONE).planned(&[&days("L2", 14)]);
    retention("db-instance-backup-enabled/2", 3).with(MINIMUM).non_compliant(SHORT).planned(&[&days("L1", 7)]);
    retention("db-instance-backup-enabled/3", 1).compliant();
    retention("db-instance-backup-enabled/7", 35).with(MINIMUM).compliant();
    retention("db-instance-backup-enabled/8", 14).with(both).compliant();
    retention("shorter than exactly", 10)
        .with(both)
        .non_compliant("orders retains backups 10 d (required 14)")
        .planned(&[&days("L1", 14)]);
    retention("exactly, without a minimum", 3)
        .with(exactly)
        .non_compliant("orders retains backups 3 d (required 14)")
        .planned(&[&days("L1", 14)]);
    retention("longer than exactly", 21).with(exactly).non_compliant("orders retains backups 21 d (required 14)").planned(&[
        "L3 manual: decide whether the backups of orders that are more than 14 d old may be deleted; its retention of \
         21 d is longer than `backupRetentionPeriod`, and shortening it deletes them",
    ]);
    pending("pending and long enough", 0, 7).with(MINIMUM).compliant_with("orders retains backups 7 d: pending");
    pending("pending and too short", 0, 3).with(MINIMUM).non_compliant(SHORT);
    pending("about to become shorter", 7, 1).with(MINIMUM).compliant();
}

#[test]
fn another_backup_window_is_a_violation() {
    let window = r#""DBInstanceIdentifier":"orders","PreferredBackupWindow":"01:00-01:30""#;
    let in_addition = |days: u32| format!(r#""BackupRetentionPeriod":{days},{window}"#);
    retention("another window", 7)
        .with(WINDOW)
        .non_compliant("orders is backed up at 08:50-09:20 (required 01:00-01:30)")
        .planned(&[&fix("L2", window)]);
    retention("no backups and another window", 0)
        .with(WINDOW)
        .non_compliant("orders has no automated backups; is backed up at 08:50-09:20 (required 01:00-01:30)")
        .planned(&[&fix("L2", &in_addition(7))]);
    retention("too short and another window", 3)
        .with(r#"{"preferredBackupWindow": "01:00-01:30", "backupRetentionMinimum": 7}"#)
        .non_compliant(&format!("{SHORT}; is backed up at 08:50-09:20 (required 01:00-01:30)"))
        .planned(&[&fix("L2", &in_addition(7))]);
    retention("the window", 7).with(r#"{"preferredBackupWindow": " 08:50-09:20 "}"#).compliant();
}

#[test]
fn a_replica_or_a_database_being_created_is_not_applicable() {
    let replica = |name| case(name, |it| (it.retention, it.replica_of) = (Some(0), Some("first".into())));
    replica("db-instance-backup-enabled/5").not_applicable("orders is a read replica of first");
    replica("db-instance-backup-enabled/5, checked").with(r#"{"checkReadReplicas": "true"}"#).non_compliant(NONE);
    let created = json!({"backupRetentionPeriod": 0, "dBInstanceStatus": "creating"});
    of_item("being created", &item(&created)).not_applicable("orders is creating");
}

#[test]
fn a_cluster_is_judged_instead_of_its_instances() {
    let name = "db-instance-backup-enabled/4";
    let short = "shop retains backups 1 d (minimum 7)";
    let fix = r#"L1 ModifyDBCluster {"BackupRetentionPeriod":7,"DBClusterIdentifier":"shop"}"#;
    let member = json!({"engine": "aurora-mysql", "dBClusterIdentifier": "shop", "backupRetentionPeriod": 1});
    of_item(name, &item(&member))
        .with(MINIMUM)
        .not_applicable("orders belongs to cluster shop, which is evaluated instead");
    let cluster = cluster_item(&json!({}));
    of_item(name, &cluster).with(MINIMUM).non_compliant(short).planned(&[fix]);
    of_item("a cluster without a minimum", &cluster).compliant();
    let documents = cluster_item(&json!({"engine": "docdb"}));
    of_item("DocumentDB", &documents).with(MINIMUM).not_applicable("shop (docdb) is not an RDS database");
    of_item("DocumentDB, included", &documents)
        .with(r#"{"backupRetentionMinimum": 7, "includeNonRds": true}"#)
        .non_compliant(short)
        .planned(&[fix]);
}

#[test]
fn a_plan_is_blocked_while_the_database_cannot_be_modified() {
    case("db-instance-backup-enabled/6", |it| it.database.status = "modifying".into())
        .with(MINIMUM)
        .non_compliant(SHORT)
        .planned(&["blocked: status of orders is `modifying`, not `available`", &days("L1", 7)]);
    let replica = |name, engine: &str| {
        case(name, |it| (it.database.engine, it.replica_of) = (engine.into(), Some("first".into())))
            .with(r#"{"backupRetentionMinimum": 7, "checkReadReplicas": true}"#)
            .non_compliant(SHORT)
    };
    replica("a replica of MySQL", "mysql").planned(&[&days("L1", 7)]);
    let blocked = "blocked: orders is a sqlserver-ee read replica, which RDS does not back up";
    replica("a replica of SQL Server", "sqlserver-ee").planned(&[blocked, &days("L1", 7)]);
}

#[test]
fn turning_backups_on_is_pending_until_the_window() {
    let turn_on = [modify(Some(7), None)];
    let accepted = DbInstanceBackupEnabled.predict(backups(0), &turn_on[0]);
    assert_eq!(accepted, Backups { pending_retention: Some(7), ..backups(0) });
    assert_eq!(DbInstanceBackupEnabled.predict(backups(3), &turn_on[0]), backups(7));
    let touched_fields = |it: &Backups| DbInstanceBackupEnabled.touched_fields(it, &turn_on);
    assert_eq!(touched_fields(&accepted), touched_fields(&backups(7)));
    let mut modifying = backups(3);
    modifying.database.status = "modifying".into();
    assert!(DbInstanceBackupEnabled.is_in_progress(&modifying, &turn_on));
    assert!(!DbInstanceBackupEnabled.is_in_progress(&backups(3), &turn_on));
}

#[test]
fn undo_restores_the_previous_settings_and_never_turns_backups_off() {
    let undo = |before: &Backups, action: Action| DbInstanceBackupEnabled.undo(before, &[action]);
    assert_eq!(undo(&backups(3), modify(Some(7), None)), Ok(vec![modify(Some(3), None)]));
    let both = modify(Some(7), Some("01:00-01:30"));
    assert_eq!(undo(&backups(3), both), Ok(vec![modify(Some(3), Some("08:50-09:20"))]));
    let refused = undo(&backups(0), modify(Some(7), None)).unwrap_err();
    let expected = "ModifyDBInstance: cannot be undone: turning automated backups off again deletes them";
    assert_eq!(refused.to_string(), expected);
    assert_eq!(undo(&backups(0), modify(None, Some("01:00-01:30"))), Ok(vec![modify(None, Some("08:50-09:20"))]));
    let no_window = Backups { window: None, ..backups(3) };
    assert!(undo(&no_window, modify(None, Some("01:00-01:30"))).is_err());
}

#[test]
fn an_action_on_another_database_leaves_this_one_unchanged() {
    let change = Change { backup_retention_period: Some(7), preferred_backup_window: None };
    let of_a_cluster = Action::ModifyDBCluster { identifier: "orders".into(), change };
    assert_eq!(DbInstanceBackupEnabled.predict(backups(3), &of_a_cluster), backups(3));
    assert_eq!(backups(3).identity().key.id, "db-ORDERS");
}

#[test]
fn contradictory_or_malformed_parameters_are_rejected() {
    let error = |text: &str| RuleParameters::<BackupParameters>::parse(Some(text)).unwrap_err().to_string();
    let case = "db-instance-backup-enabled/8";
    let contradiction = r#"{"backupRetentionPeriod": "7", "backupRetentionMinimum": "14"}"#;
    let expected = "ruleParameters: backupRetentionPeriod `7` is shorter than backupRetentionMinimum `14`";
    assert_eq!(error(contradiction), expected, "{case}");
    let expected = "ruleParameters.preferredBackupWindow: expected hh:mm-hh:mm: received `1-2`";
    assert_eq!(error(r#"{"preferredBackupWindow": "1-2"}"#), expected);
    assert!(error(r#"{"targetRetention": 36}"#).contains("1..=35"));
}
