//! `dynamodb-pitr-enabled`: a table cannot be restored to an earlier point in time.

use rectify_compliance::{Level, NoParameters, Setting, Verdict, control};

use crate::resources::table::{PointInTimeRecovery, TYPE, Table, UPDATE_CONTINUOUS_BACKUPS};

control! {
    /// ## What it checks
    /// That point-in-time recovery of every table is on.
    /// Each replica of a global table is evaluated in its own region: recovery of one replica does not cover the others.
    /// Tables that are being created, deleted or archived are NOT_APPLICABLE.
    /// If the item does not state the status, `dynamodb:DescribeContinuousBackups` is called.
    /// All tables are also listed daily, since AWS Config may record no item when only the recovery changes.
    ///
    /// ## Why it matters
    /// A faulty deployment or a stolen key can overwrite items faster than anyone notices.
    /// Without recovery, what the table held an hour ago exists only in backups that someone made.
    ///
    /// ## Compliant example
    /// ```json
    /// {"ContinuousBackupsDescription": {"pointInTimeRecoveryDescription": {"pointInTimeRecoveryStatus": "ENABLED"}}}
    /// ```
    ///
    /// ## Non-compliant example
    /// Continuous backups are `ENABLED` for every table; the inner status decides.
    /// ```json
    /// {"ContinuousBackupsDescription": {"continuousBackupsStatus": "ENABLED", "pointInTimeRecoveryDescription": {"pointInTimeRecoveryStatus": "DISABLED"}}}
    /// ```
    ///
    /// ## Parameters
    /// No parameters of its own.
    ///
    /// ## Remediation
    /// L2: `dynamodb:UpdateContinuousBackups` with the table and `PointInTimeRecoveryEnabled` true.
    /// What changes: DynamoDB keeps 35 days of history from now on, at a monthly price by the size of the table.
    /// What may break: nothing; neither throughput nor latency of the table changes.
    /// Nothing is changed while the status of the table is not `ACTIVE`.
    /// DynamoDB has no revision check, so another change can fall into the milliseconds between the last read and the write.
    /// Undo turns recovery off again; the history that was kept in between is lost.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/dynamodb-pitr-enabled.html)
    /// - [Security Hub DynamoDB.2](https://docs.aws.amazon.com/securityhub/latest/userguide/dynamodb-controls.html#dynamodb-2)
    /// - [Point-in-time recovery](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html)
    /// - [UpdateContinuousBackups](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html)
    pub DYNAMODB_PITR_ENABLED: Setting<Table, PointInTimeRecovery, NoParameters> = SETTING {
        id: "dynamodb-pitr-enabled",
        title: "Table has no point-in-time recovery",
        severity: Medium,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Fsbp: ["DynamoDB.2"],
            Nist80053r5: ["CP-6(2)", "CP-9", "CP-10", "SC-5(2)", "SI-12", "SI-13(5)"],
            Pci40: ["10.3.3", "10.5.1"],
        },
    }
}

const SETTING: Setting<Table, PointInTimeRecovery, NoParameters> = Setting {
    field: "pointInTimeRecovery",
    get: |table| PointInTimeRecovery { point_in_time_recovery_enabled: table.point_in_time_recovery },
    set: |table, to| table.point_in_time_recovery = to.point_in_time_recovery_enabled,
    not_judged: |table, _| table.exemption().map(Verdict::not_applicable),
    violation: |table, _| {
        let on = PointInTimeRecovery { point_in_time_recovery_enabled: true };
        (!table.point_in_time_recovery).then(|| (format!("Table {}: point-in-time recovery is off", table.name), on))
    },
    call: UPDATE_CONTINUOUS_BACKUPS.member("PointInTimeRecoverySpecification"),
    level: Level::L2,
    blocked: |_| None,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{FromItem, Plan, Remediation, Tags, Timestamp};
    use rectify_testing::{Cases, Laws};
    use serde_json::json;

    use super::*;
    use crate::resources::table::tests::{backups, recorded, table};

    const OFF: &str = "Table orders: point-in-time recovery is off";
    const FIX: &str = r#"L2 UpdateContinuousBackups {"PointInTimeRecoverySpecification":{"PointInTimeRecoveryEnabled":true},"TableName":"orders"}"#;

    #[test]
    fn cases() {
        let cases = Cases::of(&SETTING, table());
        let case = |name, change: fn(&mut Table)| cases.case(name, change);
        let with_status = |name, status: &str| cases.case(name, |it| it.status = status.into());
        let of_item = |name, backups, live| {
            let item = recorded(&json!("ACTIVE"), &backups).unwrap();
            cases.case(name, |it| *it = SETTING.subject(item, live))
        };
        let absent = "dynamodb-pitr-enabled/3";
        case("dynamodb-pitr-enabled/1", |_| ()).non_compliant(OFF).planned(&[FIX]);
        case("on", |it| it.point_in_time_recovery = true).compliant();
        of_item("dynamodb-pitr-enabled/2", backups(&json!("DISABLED")), None).non_compliant(OFF);
        of_item(absent, json!(null), Some(true)).compliant();
        of_item(absent, json!(null), Some(false)).non_compliant(OFF);
        // The primary in eu-west-1 is on, which this table does not know.
        case("dynamodb-pitr-enabled/4", |it| it.arn = "arn:aws:dynamodb:us-east-1:111122223333:table/orders".into())
            .non_compliant(OFF)
            .planned(&[FIX]);
        for status in ["CREATING", "DELETING", "ARCHIVING", "ARCHIVED"] {
            with_status("dynamodb-pitr-enabled/5", status).not_applicable(&format!("Table orders is {status}"));
        }
        for status in ["UPDATING", "INACCESSIBLE_ENCRYPTION_CREDENTIALS", "REPLICATION_NOT_AUTHORIZED", "NEW"] {
            let blocked = format!("blocked: status of orders is `{status}`, not `ACTIVE`");
            with_status("evaluated, and not changed now", status).non_compliant(OFF).planned(&[&blocked, FIX]);
        }
    }

    #[test]
    fn a_second_plan_is_empty_and_undo_turns_recovery_off() {
        let case = "dynamodb-pitr-enabled/8";
        let set = |enabled| {
            let to = PointInTimeRecovery { point_in_time_recovery_enabled: enabled };
            UPDATE_CONTINUOUS_BACKUPS.member("PointInTimeRecoverySpecification").of("orders", &to)
        };
        let fixed = SETTING.predict(table(), &set(true));
        assert_eq!(SETTING.plan(&fixed, &NoParameters {}, Timestamp::UNIX_EPOCH), Plan::Noop, "{case}");
        assert_eq!(SETTING.undo(&table(), &[set(true)]), Ok(vec![set(false)]));
    }

    fn tables() -> impl Strategy<Value = Table> {
        let status = prop_oneof![6 => Just("ACTIVE"), 1 => Just("UPDATING"), 1 => Just("DELETING")];
        let tags = prop::collection::btree_map("[a-z]{1,4}", "[a-z]{0,4}", 0..3);
        (status, any::<bool>(), tags).prop_map(|(status, point_in_time_recovery, tags): (_, _, Tags)| Table {
            status: status.into(),
            point_in_time_recovery,
            tags,
            ..table()
        })
    }

    #[test]
    fn laws() {
        Laws::of(&SETTING, &["/pointInTimeRecovery"], Remediation::predict)
            .never(|before, after| before.point_in_time_recovery && !after.point_in_time_recovery)
            .restores_full_state()
            .meeting(&[("blocked", |plan| matches!(plan, Plan::Blocked { .. }))])
            .hold((tables(), Just(NoParameters {})));
    }
}
