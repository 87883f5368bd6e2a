//! `rds-cluster-deletion-protection-enabled`: a single call can delete a database cluster.

use rectify_compliance::values::Flag;
use rectify_compliance::{Level, Setting, Verdict, control, parameters};

use crate::resources::cluster::{Cluster, MODIFY};
use crate::resources::database::CLUSTER;

parameters! {
    /// The clusters to evaluate; the managed rule has no parameters.
    pub ClusterEngines {
        /// Whether clusters of Amazon DocumentDB and Neptune are evaluated. Default false.
        #[serde(rename = "includeNonRds")]
        include_non_rds: Flag = Flag(false),
    }
}

control! {
    /// ## What it checks
    /// That `deletionProtection` of a DB cluster is true; a configuration item without the field counts as unprotected.
    /// Aurora clusters, Aurora Serverless v1 included, and Multi-AZ DB clusters are evaluated, each member of a global database on its own.
    /// Clusters of Amazon DocumentDB and Neptune, which AWS Config records as the same type, are NOT_APPLICABLE unless `includeNonRds` is true; AWS's managed rule reports them.
    /// A cluster that is being created or deleted is NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// One `rds:DeleteDBCluster` call, by mistake or with stolen credentials, deletes a cluster and, by default, its automated backups; of an Aurora cluster, RDS only requires that its instances were deleted first.
    /// With protection it takes another call, which can trigger an alarm.
    ///
    /// ## Compliant example
    /// ```json
    /// {"dbclusterIdentifier": "shop", "engine": "aurora-mysql", "deletionProtection": true}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"dbclusterIdentifier": "shop", "engine": "aurora-mysql", "deletionProtection": false}
    /// ```
    ///
    /// ## Parameters
    /// `includeNonRds` widens the set of clusters.
    ///
    /// ## Remediation
    /// L1: `rds:ModifyDBCluster` with the identifier and `DeletionProtection` true, and nothing else.
    /// What changes: RDS refuses to delete the cluster; it applies this immediately and without an outage, and other changes stay pending, because `ApplyImmediately` is not sent.
    /// What may break: a pipeline that deletes the cluster, or a stack that replaces it.
    /// Nothing is changed while the status of the cluster is not `available`.
    /// The call addresses the cluster by its identifier; another cluster that reuses the identifier is not touched.
    /// RDS offers no conditional write, so milliseconds pass between the last read and the write; the call sends only this flag.
    /// Undo sets the flag back to false, and is refused where it was changed meanwhile.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/rds-cluster-deletion-protection-enabled.html)
    /// - [Security Hub RDS.7](https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-7)
    /// - [Deleting Aurora clusters](https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_DeleteCluster.html)
    /// - [ModifyDBCluster](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html)
    pub RDS_CLUSTER_DELETION_PROTECTION_ENABLED: Setting<Cluster, bool, ClusterEngines> = SETTING {
        id: "rds-cluster-deletion-protection-enabled",
        title: "Database cluster can be deleted by one call",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: &[CLUSTER],
        level: L1,
        frameworks: {
            Fsbp: ["RDS.7"],
            Nist80053r5: ["CM-3", "SC-5(2)"],
        },
    }
}

const SETTING: Setting<Cluster, bool, ClusterEngines> = Setting {
    field: "deletionProtection",
    get: |cluster| cluster.deletion_protection,
    set: |cluster, on| cluster.deletion_protection = on,
    not_judged: |Cluster { database, .. }, params| {
        let (name, engine, status) = (&database.identifier, &database.engine, &database.status);
        if database.has_non_rds_engine() && !params.include_non_rds.0 {
            return Some(Verdict::not_applicable(format!("{name} ({engine}) is not an RDS database")));
        }
        database.is_creating_or_deleting().then(|| Verdict::not_applicable(format!("{name} is {status}")))
    },
    violation: |cluster, _| {
        let (name, engine) = (&cluster.database.identifier, &cluster.database.engine);
        (!cluster.deletion_protection).then(|| (format!("Cluster {name} ({engine}) has no deletion protection"), true))
    },
    call: MODIFY.member("DeletionProtection"),
    level: Level::L1,
    blocked: |_| None,
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::{Remediation, Resource};
    use rectify_testing::{Cases, Laws};
    use serde_json::json;

    use super::*;
    use crate::arbitrary::databases;
    use crate::resources::backups::tests::cluster_item;
    use crate::resources::database::Kind;

    const OFF: &str = "Cluster shop (aurora-mysql) has no deletion protection";
    const FIX: &str = r#"L1 ModifyDBCluster {"DBClusterIdentifier":"shop","DeletionProtection":true}"#;

    /// The cluster `shop`, whose item does not have the setting.
    fn cluster() -> Cluster {
        Cluster::from_item(&cluster_item(&json!({}))).unwrap()
    }

    #[test]
    fn cases() {
        let cases = Cases::of(&SETTING, cluster());
        let case = |name, change: fn(&mut Cluster)| cases.case(name, change);
        let to_docdb = |it: &mut Cluster| it.database.engine = "docdb".into();
        case("rds-cluster-deletion-protection-enabled/1", |it| it.deletion_protection = false).non_compliant(OFF);
        case("rds-cluster-deletion-protection-enabled/2", |it| it.database.engine = "mysql".into())
            .non_compliant("Cluster shop (mysql) has no deletion protection");
        case("rds-cluster-deletion-protection-enabled/3", to_docdb)
            .not_applicable("shop (docdb) is not an RDS database");
        case("rds-cluster-deletion-protection-enabled/3, included", to_docdb)
            .with(r#"{"includeNonRds": "true"}"#)
            .non_compliant("Cluster shop (docdb) has no deletion protection");
        case("rds-cluster-deletion-protection-enabled/4", |it| it.database.status = "deleting".into())
            .not_applicable("shop is deleting");
        case("rds-cluster-deletion-protection-enabled/5", |_| ()).non_compliant(OFF);
        // The only member of the call: no ApplyImmediately, and no other cluster of the global database.
        case("rds-cluster-deletion-protection-enabled/6", |_| ()).non_compliant(OFF).planned(&[FIX]);
        case("rds-cluster-deletion-protection-enabled/7", |_| ()).non_compliant(OFF).planned(&[FIX]);
        case("rds-cluster-deletion-protection-enabled/8", |it| it.deletion_protection = true).compliant();
        case("stopped", |it| it.database.status = "stopped".into())
            .non_compliant(OFF)
            .planned(&["blocked: status of shop is `stopped`, not `available`", FIX]);
    }

    #[test]
    fn laws() {
        let databases = databases(Kind::Cluster, &["aurora-mysql", "aurora-postgresql", "mysql", "docdb"]);
        let clusters = (databases, any::<bool>())
            .prop_map(|(database, deletion_protection)| Cluster { database, deletion_protection });
        let params = any::<bool>().prop_map(|it| ClusterEngines { include_non_rds: Flag(it) });
        Laws::of(&SETTING, &["/deletionProtection"], Remediation::predict)
            .never(|before, after| before.deletion_protection && !after.deletion_protection)
            .restores_full_state()
            .hold((clusters, params));
    }
}
