//! The cases of the rule and of its remediation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Image, Resource};

use super::*;
use crate::backups::tests::{backups, cluster_item};
use crate::instance::tests::item;

pub(super) const MINIMUM: &str = r#"{"backupRetentionMinimum": "7"}"#;

pub(super) fn judge(subject: &Backups, text: &str) -> Verdict {
    let params = RuleParameters::parse(Some(text)).unwrap().control;
    DbInstanceBackupEnabled.evaluate(subject, &params, Timestamp::UNIX_EPOCH)
}

pub(super) fn plan(subject: &Backups, text: &str) -> Plan<Action> {
    let params = RuleParameters::parse(Some(text)).unwrap().control;
    DbInstanceBackupEnabled.plan(subject, &params, Timestamp::UNIX_EPOCH)
}

fn modify(retention: Option<u32>, window: Option<&str>) -> Action {
    let change = Change { backup_retention_period: retention, preferred_backup_window: window.map(str::to_owned) };
    Action::ModifyDBInstance { identifier: "orders".into(), change }
}

fn do_it(level: Level, action: Action) -> Plan<Action> {
    Plan::Do { steps: vec![Step::call(level, action)] }
}

fn in_status(retention: u32, status: &str) -> Backups {
    let mut backups = backups(retention);
    backups.database.status = status.to_owned();
    backups
}

#[test]
fn an_instance_is_judged_by_its_retention_and_window() {
    let n = |text: &str| Verdict::non_compliant(format!("orders {text}"));
    let retention = |days: u32| json!({"backupRetentionPeriod": days});
    let pending = |days: u32, later: u32| json!({"backupRetentionPeriod": days, "pendingModifiedValues": {"backupRetentionPeriod": later}});
    let replica = json!({"backupRetentionPeriod": 0, "readReplicaSourceDBInstanceIdentifier": "first"});
    let both = r#"{"backupRetentionPeriod": "14", "backupRetentionMinimum": "7"}"#;
    let window = r#"{"preferredBackupWindow": "01:00-01:30"}"#;
    for (case, changes, parameters, expected) in [
        ("db-instance-backup-enabled/1", retention(0), "{}", n("has no automated backups")),
        ("db-instance-backup-enabled/2", retention(3), MINIMUM, n("retains backups 3 d (minimum 7)")),
        ("db-instance-backup-enabled/3", retention(1), "{}", Verdict::COMPLIANT),
        (
            "db-instance-backup-enabled/5",
            replica.clone(),
            "{}",
            Verdict::not_applicable("orders is a read replica of first"),
        ),
        (
            "db-instance-backup-enabled/5, checked",
            replica,
            r#"{"checkReadReplicas": "true"}"#,
            n("has no automated backups"),
        ),
        ("db-instance-backup-enabled/7", retention(35), MINIMUM, Verdict::COMPLIANT),
        ("db-instance-backup-enabled/8", retention(14), both, Verdict::COMPLIANT),
        ("longer than exactly", retention(21), both, n("retains backups 21 d (required 14)")),
        ("shorter than exactly", retention(10), both, n("retains backups 10 d (required 14)")),
        (
            "pending and long enough",
            pending(0, 7),
            MINIMUM,
            Verdict::Compliant(Some("orders retains backups 7 d: pending".into())),
        ),
        ("pending and too short", pending(0, 3), MINIMUM, n("retains backups 3 d (minimum 7)")),
        ("about to become shorter", pending(7, 1), MINIMUM, Verdict::COMPLIANT),
        ("another window", retention(7), window, n("is backed up at 08:50-09:20 (required 01:00-01:30)")),
        (
            "both at once",
            retention(0),
            window,
            n("has no automated backups; is backed up at 08:50-09:20 (required 01:00-01:30)"),
        ),
        ("the window", retention(7), r#"{"preferredBackupWindow": " 08:50-09:20 "}"#, Verdict::COMPLIANT),
        (
            "being created",
            json!({"backupRetentionPeriod": 0, "dBInstanceStatus": "creating"}),
            "{}",
            Verdict::not_applicable("orders is creating"),
        ),
    ] {
        let subject = Backups::from_item(&item(&changes)).unwrap();
        assert_eq!(judge(&subject, parameters), expected, "{case}");
    }
}

#[test]
fn a_cluster_is_judged_in_the_place_of_its_instances() {
    let case = "db-instance-backup-enabled/4";
    let member = json!({"engine": "aurora-mysql", "dBClusterIdentifier": "shop", "backupRetentionPeriod": 1});
    let member = Backups::from_item(&item(&member)).unwrap();
    let na = Verdict::not_applicable("orders belongs to cluster shop, which is evaluated instead");
    assert_eq!(judge(&member, MINIMUM), na, "{case}");
    let cluster = |changes: &Value| Backups::from_item(&cluster_item(changes)).unwrap();
    let short = Verdict::non_compliant("shop retains backups 1 d (minimum 7)");
    assert_eq!(judge(&cluster(&json!({})), MINIMUM), short, "{case}");
    assert_eq!(judge(&cluster(&json!({})), "{}"), Verdict::COMPLIANT);
    let documents = cluster(&json!({"engine": "docdb"}));
    assert_eq!(judge(&documents, MINIMUM), Verdict::not_applicable("shop (docdb) is not of RDS"));
    let included = r#"{"backupRetentionMinimum": 7, "includeNonRds": true}"#;
    assert_eq!(judge(&documents, included), short);
    let change = Change { backup_retention_period: Some(7), preferred_backup_window: None };
    let modify = Action::ModifyDBCluster { identifier: "shop".into(), change };
    assert_eq!(plan(&cluster(&json!({})), MINIMUM), do_it(Level::L1, modify.clone()));
    let call = json!({"ModifyDBCluster": {"DBClusterIdentifier": "shop", "BackupRetentionPeriod": 7}});
    assert_eq!(serde_json::to_value(modify).unwrap(), call);
}

#[test]
fn the_level_of_the_fix_is_what_it_costs() {
    let window = r#"{"preferredBackupWindow": "01:00-01:30"}"#;
    for (case, subject, parameters, expected) in [
        ("db-instance-backup-enabled/1", backups(0), "{}", do_it(Level::L2, modify(Some(7), None))),
        ("by the target", backups(0), r#"{"targetRetention": 14}"#, do_it(Level::L2, modify(Some(14), None))),
        ("db-instance-backup-enabled/2", backups(3), MINIMUM, do_it(Level::L1, modify(Some(7), None))),
        ("db-instance-backup-enabled/7", backups(35), MINIMUM, Plan::Nothing),
        ("exactly", backups(3), r#"{"backupRetentionPeriod": 14}"#, do_it(Level::L1, modify(Some(14), None))),
        ("the window alone", backups(3), window, do_it(Level::L2, modify(None, Some("01:00-01:30")))),
        (
            "both",
            backups(3),
            r#"{"preferredBackupWindow": "01:00-01:30", "backupRetentionMinimum": 7}"#,
            do_it(Level::L2, modify(Some(7), Some("01:00-01:30"))),
        ),
    ] {
        assert_eq!(plan(&subject, parameters), expected, "{case}");
    }
    let call = json!({"ModifyDBInstance": {"DBInstanceIdentifier": "orders", "BackupRetentionPeriod": 7}});
    assert_eq!(serde_json::to_value(modify(Some(7), None)).unwrap(), call);
}

#[test]
fn nothing_shortens_a_retention_but_a_person() {
    let shorter = plan(&backups(21), r#"{"backupRetentionPeriod": 14}"#);
    assert_eq!((shorter.level(), shorter.calls().len()), (Some(Level::L3), 0), "{shorter:?}");
    assert!(shorter.obstacle(true).is_some());
}

#[test]
fn a_database_that_cannot_be_changed_now_waits() {
    let case = "db-instance-backup-enabled/6";
    let steps = |retention| vec![Step::call(Level::L1, modify(Some(retention), None))];
    let reason = "status of orders is `modifying`, not `available`";
    assert_eq!(plan(&in_status(3, "modifying"), MINIMUM), Plan::hold(reason, steps(7)), "{case}");
    let mut replica = Backups { replica_of: Some("first".into()), ..backups(3) };
    let both = r#"{"backupRetentionMinimum": 7, "checkReadReplicas": true}"#;
    assert_eq!(plan(&replica, both), Plan::Do { steps: steps(7) });
    replica.database.engine = "sqlserver-ee".into();
    let reason = "orders is a read replica of engine sqlserver-ee, of which RDS takes no backups";
    assert_eq!(plan(&replica, both), Plan::hold(reason, steps(7)));
}

#[test]
fn backups_that_are_turned_on_wait_for_the_window() {
    let accepted = DbInstanceBackupEnabled.expect(backups(0), &modify(Some(7), None));
    assert_eq!(accepted, Backups { pending_retention: Some(7), ..backups(0) });
    assert!(judge(&accepted, MINIMUM).is_compliant());
    assert_eq!(DbInstanceBackupEnabled.expect(backups(3), &modify(Some(7), None)), backups(7));
    let (waiting, there) = (accepted, backups(7));
    let footprint = |it: &Backups| DbInstanceBackupEnabled.footprint(it, &[modify(Some(7), None)]);
    assert_eq!(footprint(&waiting), footprint(&there));
    assert!(DbInstanceBackupEnabled.is_settling(&in_status(3, "modifying"), &[modify(Some(7), None)]));
    assert!(!DbInstanceBackupEnabled.is_settling(&backups(3), &[modify(Some(7), None)]));
}

#[test]
fn undo_sets_what_was_set_before_and_never_turns_backups_off() {
    let undo = |before: &Backups, action: Action| DbInstanceBackupEnabled.undo(before, &[action]);
    assert_eq!(undo(&backups(3), modify(Some(7), None)), Ok(vec![modify(Some(3), None)]));
    let both = modify(Some(7), Some("01:00-01:30"));
    assert_eq!(undo(&backups(3), both), Ok(vec![modify(Some(3), Some("08:50-09:20"))]));
    let refused = undo(&backups(0), modify(Some(7), None)).unwrap_err();
    let said = "ModifyDBInstance: cannot be undone: turning automated backups off again deletes them";
    assert_eq!(refused.to_string(), said);
    assert_eq!(undo(&backups(0), modify(None, Some("01:00-01:30"))), Ok(vec![modify(None, Some("08:50-09:20"))]));
    let no_window = Backups { window: None, ..backups(3) };
    assert!(undo(&no_window, modify(None, Some("01:00-01:30"))).is_err());
}

#[test]
fn an_action_on_another_database_changes_nothing_of_this_one() {
    let change = Change { backup_retention_period: Some(7), preferred_backup_window: None };
    let of_a_cluster = Action::ModifyDBCluster { identifier: "orders".into(), change };
    assert_eq!(DbInstanceBackupEnabled.expect(backups(3), &of_a_cluster), backups(3));
    assert_eq!(backups(3).key().id, "db-ORDERS");
}

#[test]
fn parameters_that_cannot_all_hold_are_refused() {
    let refusal = |text: &str| RuleParameters::<BackupParameters>::parse(Some(text)).unwrap_err().to_string();
    let case = "db-instance-backup-enabled/8";
    let contradiction = r#"{"backupRetentionPeriod": "7", "backupRetentionMinimum": "14"}"#;
    let said = "ruleParameters: backupRetentionPeriod `7` is shorter than backupRetentionMinimum `14`";
    assert_eq!(refusal(contradiction), said, "{case}");
    let said = "ruleParameters.preferredBackupWindow: expected hh:mm-hh:mm: received `1-2`";
    assert_eq!(refusal(r#"{"preferredBackupWindow": "1-2"}"#), said);
    assert!(refusal(r#"{"targetRetention": 36}"#).contains("1..=35"));
}
