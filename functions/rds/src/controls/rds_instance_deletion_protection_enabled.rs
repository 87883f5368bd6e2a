//! `rds-instance-deletion-protection-enabled`: a single call can delete a database.

use rectify_compliance::values::Globs;
use rectify_compliance::{Level, Setting, Verdict, control, parameters};

use crate::resources::database::INSTANCE;
use crate::resources::instance::{Instance, MODIFY};

/// The tag, key and value, that opts an instance out of deletion protection.
const OPT_OUT: (&str, &str) = ("deletionProtection", "off");

parameters! {
    /// The instances to evaluate.
    pub DatabaseEngines {
        /// The engines to evaluate, as RDS names them (`mysql`, `oracle-*`). Default: all.
        database_engines: Option<Globs> = None,
    }
}

control! {
    /// ## What it checks
    /// That `deletionProtection` of a DB instance is true; a configuration item without the field counts as unprotected.
    /// Instances that belong to a cluster are NOT_APPLICABLE: the setting belongs to the cluster, and RDS lets a member be deleted whatever the cluster's setting.
    /// AWS's managed rule reports such members as NON_COMPLIANT, which no call can fix.
    /// Security Hub evaluates RDS.8 for a list of engines that lacks Db2; instances of `db2-ae` and `db2-se` are evaluated here.
    ///
    /// ## Why it matters
    /// One `rds:DeleteDBInstance` call, by mistake or with stolen credentials, deletes a database and, by default, its automated backups.
    /// With protection it takes two calls, and the first can trigger an alarm.
    ///
    /// ## Compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "deletionProtection": true}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "deletionProtection": false}
    /// ```
    ///
    /// ## Parameters
    /// `databaseEngines` selects the instances to evaluate.
    ///
    /// ## Remediation
    /// L1: `rds:ModifyDBInstance` with the identifier and `DeletionProtection` true, and nothing else.
    /// What changes: RDS refuses to delete the instance; it applies this immediately and without an outage, whatever is pending for the maintenance window.
    /// What may break: a pipeline that deletes the instance, or a stack that replaces it.
    /// Nothing is changed while the status of the instance is not `available`, or where the instance is tagged `deletionProtection` = `off`.
    /// The call addresses the instance by its identifier; another instance that reuses the identifier is not touched.
    /// RDS offers no conditional write, so milliseconds pass between the last read and the write; the call sends only this flag.
    /// Undo sets the flag back to false, and is refused where it was changed meanwhile.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/rds-instance-deletion-protection-enabled.html)
    /// - [Security Hub RDS.8](https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-8)
    /// - [Deleting a DB instance](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html)
    /// - [ModifyDBInstance](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html)
    pub RDS_INSTANCE_DELETION_PROTECTION_ENABLED: Setting<Instance, bool, DatabaseEngines> = SETTING {
        id: "rds-instance-deletion-protection-enabled",
        title: "Database can be deleted by one call",
        severity: Low,
        triggers: [Change],
        scope: Regional,
        resource_types: &[INSTANCE],
        level: L1,
        frameworks: {
            Fsbp: ["RDS.8"],
            Nist80053r5: ["CM-3", "SC-5(2)", "SI-13(5)"],
        },
    }
}

const SETTING: Setting<Instance, bool, DatabaseEngines> = Setting {
    field: "deletionProtection",
    get: |instance| instance.deletion_protection,
    set: |instance, on| instance.deletion_protection = on,
    not_judged: |instance, params| {
        let (name, engine) = (&instance.database.identifier, &instance.database.engine);
        match &params.database_engines {
            Some(engines) if !engines.matches(engine) => {
                Some(Verdict::not_applicable(format!("{name} has engine {engine}, which is not evaluated")))
            }
            _ => instance
                .membership()
                .map(|it| Verdict::not_applicable(format!("{it}, where deletion protection is set instead"))),
        }
    },
    violation: |instance, _| {
        let name = &instance.database.identifier;
        (!instance.deletion_protection).then(|| (format!("{name} has no deletion protection"), true))
    },
    call: MODIFY.member("DeletionProtection"),
    level: Level::L1,
    blocked: |instance| {
        let (key, value) = OPT_OUT;
        let tagged = instance.database.tags.get(key).is_some_and(|it| it.eq_ignore_ascii_case(value));
        tagged.then(|| format!("{} is tagged {key}={value}", instance.database.identifier))
    },
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{Remediation, Resource};
    use rectify_testing::{Cases, Laws};
    use serde_json::json;

    use super::*;
    use crate::arbitrary::instances;
    use crate::resources::instance::tests::{instance, item};

    const OFF: &str = "orders has no deletion protection";
    const FIX: &str = r#"L1 ModifyDBInstance {"DBInstanceIdentifier":"orders","DeletionProtection":true}"#;

    #[test]
    fn cases() {
        let cases = Cases::of(&SETTING, instance());
        let case = |name, change: fn(&mut Instance)| cases.case(name, change);
        let member = "orders belongs to cluster shop, where deletion protection is set instead";
        let two_engines = r#"{"databaseEngines": "mysql, postgres"}"#;
        let to_oracle = |it: &mut Instance| it.database.engine = "oracle-ee".into();
        let to_aurora = |it: &mut Instance| {
            it.database.engine = "aurora-mysql".into();
            it.cluster = Some("shop".into());
        };
        case("rds-instance-deletion-protection-enabled/1", |_| ()).non_compliant(OFF).planned(&[FIX]);
        case("rds-instance-deletion-protection-enabled/6", |it| it.deletion_protection = true).compliant();
        case("rds-instance-deletion-protection-enabled/2", to_aurora).not_applicable(member);
        case("member of a Multi-AZ cluster", |it| it.cluster = Some("shop".into())).not_applicable(member);
        case("rds-instance-deletion-protection-enabled/3", to_oracle)
            .with(two_engines)
            .not_applicable("orders has engine oracle-ee, which is not evaluated");
        case("an evaluated engine", |_| ()).with(two_engines).non_compliant(OFF);
        case("engines by pattern", to_oracle).with(r#"{"databaseEngines": "oracle-*"}"#).non_compliant(OFF);
        case("rds-instance-deletion-protection-enabled/5", |it| it.database.status = "deleting".into())
            .non_compliant(OFF)
            .planned(&["blocked: status of orders is `deleting`, not `available`", FIX]);
        case("opted out by tag", |it| drop(it.database.tags.insert("deletionProtection".into(), "Off".into())))
            .non_compliant(OFF)
            .planned(&["blocked: orders is tagged deletionProtection=off", FIX]);
    }

    #[test]
    fn an_item_without_the_field_is_a_finding() {
        let subject = Instance::from_item(&item(&json!({"deletionProtection": null}))).unwrap();
        Cases::of(&SETTING, subject).case("rds-instance-deletion-protection-enabled/4", |_| ()).non_compliant(OFF);
    }

    #[test]
    fn undo_restores_the_old_value_and_is_refused_where_protection_was_turned_off_meanwhile() {
        let done = [MODIFY.member("DeletionProtection").of("orders", &true)];
        let off = [MODIFY.member("DeletionProtection").of("orders", &false)];
        assert_eq!(SETTING.undo(&instance(), &done), Ok(off.to_vec()), "rds-instance-deletion-protection-enabled/7");
        let after = SETTING.predict(instance(), &done[0]);
        let meanwhile = SETTING.predict(after.clone(), &off[0]);
        assert_ne!(
            SETTING.touched_fields(&meanwhile, &done),
            SETTING.touched_fields(&after, &done),
            "rds-instance-deletion-protection-enabled/7"
        );
    }

    #[test]
    fn laws() {
        Laws::of(&SETTING, &["/deletionProtection"], Remediation::predict)
            .never(|before, after| before.deletion_protection && !after.deletion_protection)
            .hold((instances(), Just(DatabaseEngines::default())));
    }
}
