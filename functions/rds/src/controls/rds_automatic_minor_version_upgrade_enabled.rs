//! `rds-automatic-minor-version-upgrade-enabled`: a database does not receive minor version upgrades.

use rectify_compliance::{Level, NoParameters, Setting, Verdict, control};

use crate::resources::database::INSTANCE;
use crate::resources::instance::{Instance, MODIFY};

control! {
    /// ## What it checks
    /// That `autoMinorVersionUpgrade` of a DB instance is true; a configuration item without the field counts as off.
    /// Instances of a cluster are evaluated one by one: RDS upgrades a cluster only if all of its instances have the setting.
    /// The setting of the cluster itself (Security Hub RDS.35) is not evaluated.
    /// RDS Custom instances, which do not have the setting, and instances that are being created or deleted are NOT_APPLICABLE.
    /// Like AWS's managed rule, it reports the instances of a global database, although RDS does not upgrade those automatically.
    ///
    /// ## Why it matters
    /// Minor versions fix known vulnerabilities of the engine; a database that no one upgrades keeps them.
    ///
    /// ## Compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "autoMinorVersionUpgrade": true}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "autoMinorVersionUpgrade": false}
    /// ```
    ///
    /// ## Parameters
    /// No parameters of its own.
    ///
    /// ## Remediation
    /// L2: `rds:ModifyDBInstance` with the identifier and `AutoMinorVersionUpgrade` true, and nothing else.
    /// What changes: RDS upgrades the engine in the maintenance window of the instance once it marks a minor version as the target of automatic upgrades.
    /// What may break: an upgrade interrupts the database, for minutes where it has no standby; if such a version exists already, that happens in the next window.
    /// `ApplyImmediately` is never sent, since it would also apply all other pending changes.
    /// Nothing is changed while the status of the instance is not `available`, nor on an instance of a Multi-AZ DB cluster, which RDS modifies only through `rds:ModifyDBCluster`.
    /// The call addresses the instance by its identifier; another instance that reuses the identifier is not touched.
    /// RDS offers no conditional write, so milliseconds pass between the last read and the write; the call sends only this flag.
    /// Undo sets the flag back to false, and is refused where it was changed meanwhile; an upgrade that has taken place stays.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/rds-automatic-minor-version-upgrade-enabled.html)
    /// - [Security Hub RDS.13](https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-13)
    /// - [Automatic minor version upgrades](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.Upgrading.html#USER_UpgradeDBInstance.Upgrading.AutoMinorVersionUpgrades)
    /// - [ModifyDBInstance](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html)
    pub RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED: Setting<Instance, bool, NoParameters> = SETTING {
        id: "rds-automatic-minor-version-upgrade-enabled",
        title: "Database does not receive minor version upgrades",
        severity: High,
        triggers: [Change],
        scope: Regional,
        resource_types: &[INSTANCE],
        level: L2,
        frameworks: {
            Cis30: ["2.3.2"],
            Cis50: ["2.2.2"],
            Fsbp: ["RDS.13"],
            Nist80053r5: ["SI-2", "SI-2(2)", "SI-2(4)", "SI-2(5)"],
            Pci40: ["6.3.3"],
        },
    }
}

const SETTING: Setting<Instance, bool, NoParameters> = Setting {
    field: "autoMinorVersionUpgrade",
    get: is_on,
    set: |instance, on| instance.auto_minor_version_upgrade = Some(on),
    not_judged: |Instance { database, .. }, _| {
        let (name, engine, status) = (&database.identifier, &database.engine, &database.status);
        if engine.starts_with("custom-") {
            return Some(Verdict::not_applicable(format!("{name} ({engine}) has no automatic minor version upgrade")));
        }
        database.is_creating_or_deleting().then(|| Verdict::not_applicable(format!("{name} is {status}")))
    },
    violation: |instance, _| {
        let name = &instance.database.identifier;
        (!is_on(instance)).then(|| (format!("{name}: automatic minor version upgrade is off"), true))
    },
    call: MODIFY.member("AutoMinorVersionUpgrade"),
    level: Level::L2,
    blocked: Instance::multi_az_cluster,
};

fn is_on(instance: &Instance) -> bool {
    instance.auto_minor_version_upgrade == Some(true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::Remediation;
    use rectify_testing::{Cases, Laws};

    use super::*;
    use crate::arbitrary::instances;
    use crate::resources::instance::tests::instance;

    const OFF: &str = "orders: automatic minor version upgrade is off";
    const FIX: &str = r#"L2 ModifyDBInstance {"AutoMinorVersionUpgrade":true,"DBInstanceIdentifier":"orders"}"#;

    fn join_aurora(instance: &mut Instance) {
        instance.database.engine = "aurora-mysql".into();
        instance.cluster = Some("shop".into());
    }

    #[test]
    fn cases() {
        let cases = Cases::of(&SETTING, Instance { auto_minor_version_upgrade: Some(false), ..instance() });
        let case = |name, change: fn(&mut Instance)| cases.case(name, change);
        let multi_az_cluster =
            "blocked: orders belongs to Multi-AZ DB cluster shop, and RDS modifies the cluster, not its instances";
        let stopped = "blocked: status of orders is `stopped`, not `available`";
        case("rds-automatic-minor-version-upgrade-enabled/1", |_| ()).non_compliant(OFF).planned(&[FIX]);
        case("rds-automatic-minor-version-upgrade-enabled/2", |it| {
            join_aurora(it);
            it.auto_minor_version_upgrade = Some(true);
        })
        .compliant();
        case("rds-automatic-minor-version-upgrade-enabled/3", |it| it.cluster = Some("shop".into()))
            .non_compliant(OFF)
            .planned(&[multi_az_cluster, FIX]);
        case("rds-automatic-minor-version-upgrade-enabled/4", |it| it.database.engine = "custom-sqlserver-ee".into())
            .not_applicable("orders (custom-sqlserver-ee) has no automatic minor version upgrade");
        case("rds-automatic-minor-version-upgrade-enabled/5", join_aurora).non_compliant(OFF).planned(&[FIX]);
        // The only member of the call: no ApplyImmediately.
        case("rds-automatic-minor-version-upgrade-enabled/6", |it| it.pending_multi_az = Some(true))
            .non_compliant(OFF)
            .planned(&[FIX]);
        case("rds-automatic-minor-version-upgrade-enabled/7", |it| it.database.status = "stopped".into())
            .non_compliant(OFF)
            .planned(&[stopped, FIX]);
        case("rds-automatic-minor-version-upgrade-enabled/8", |it| it.replica_of = Some("first".into()))
            .non_compliant(OFF);
        case("rds-automatic-minor-version-upgrade-enabled/9", |it| it.auto_minor_version_upgrade = None)
            .non_compliant(OFF);
        case("being created", |it| it.database.status = "creating".into()).not_applicable("orders is creating");
    }

    /// `rds-automatic-minor-version-upgrade-enabled/10`: the undo is among the laws.
    #[test]
    fn laws() {
        Laws::of(&SETTING, &["/autoMinorVersionUpgrade"], Remediation::predict)
            .never(|before, after| is_on(before) && !is_on(after))
            .meeting(&[("blocked", |plan| plan.blocker(true).is_some())])
            .hold((instances(), Just(NoParameters {})));
    }
}
