//! `rds-instance-public-access-check`: a database has a public endpoint.

use rectify_compliance::{Level, NoParameters, Setting, control};

use crate::resources::database::INSTANCE;
use crate::resources::instance::{Instance, MODIFY};

control! {
    /// ## What it checks
    /// That `publiclyAccessible` of a DB instance is false; a configuration item without the field counts as public.
    /// Subnets and security groups do not matter: with the flag, a change of either is enough to expose the database.
    /// Instances of a cluster are evaluated one by one, since each has its own endpoint.
    ///
    /// ## Why it matters
    /// The endpoint of a public instance resolves to a public IP address; a security group that is too open is then enough for anyone to guess passwords and exploit the engine.
    ///
    /// ## Compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "publiclyAccessible": false}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "publiclyAccessible": true}
    /// ```
    ///
    /// ## Parameters
    /// No parameters of its own.
    ///
    /// ## Remediation
    /// L2: `rds:ModifyDBInstance` with the identifier and `PubliclyAccessible` false, and nothing else.
    /// What changes: the endpoint resolves to the private IP address only; RDS applies this immediately, and other changes stay pending, because `ApplyImmediately` is not sent.
    /// What may break: every client outside of the VPC loses access, unless it is connected through a peering, a VPN or a transit gateway.
    /// Nothing is changed while the status of the instance is not `available`, nor on an instance of a Multi-AZ DB cluster, which RDS does not modify on its own.
    /// The call addresses the instance by its identifier; another instance that reuses the identifier is not touched.
    /// RDS offers no conditional write, so milliseconds pass between the last read and the write; the call sends only this flag.
    /// Undo makes the endpoint public again, and is refused where the flag was changed meanwhile; the public IP address can be another one.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/rds-instance-public-access-check.html)
    /// - [Security Hub RDS.2](https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-2)
    /// - [Hiding a DB instance in a VPC from the internet](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html#USER_VPC.Hiding)
    /// - [ModifyDBInstance](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html)
    pub RDS_INSTANCE_PUBLIC_ACCESS_CHECK: Setting<Instance, bool, NoParameters> = SETTING {
        id: "rds-instance-public-access-check",
        title: "Database has a public endpoint",
        severity: Critical,
        triggers: [Change],
        scope: Regional,
        resource_types: &[INSTANCE],
        level: L2,
        frameworks: {
            Cis30: ["2.3.3"],
            Cis50: ["2.2.3"],
            Fsbp: ["RDS.2"],
            Nist80053r5: ["AC-4", "AC-4(21)", "SC-7", "SC-7(11)", "SC-7(16)"],
            Pci40: ["1.2.8", "1.3.1", "1.4.2", "3.5.1.3"],
        },
    }
}

const SETTING: Setting<Instance, bool, NoParameters> = Setting {
    field: "publiclyAccessible",
    get: is_public,
    set: |instance, public| instance.publicly_accessible = Some(public),
    not_judged: |_, _| None,
    violation: |instance, _| {
        let name = &instance.database.identifier;
        is_public(instance).then(|| (format!("{name} is publicly accessible"), false))
    },
    call: MODIFY.member("PubliclyAccessible"),
    level: Level::L2,
    blocked: Instance::multi_az_cluster,
};

fn is_public(instance: &Instance) -> bool {
    instance.publicly_accessible != Some(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_compliance::Remediation;
    use rectify_testing::{Cases, Laws};

    use super::*;
    use crate::arbitrary::instances;
    use crate::resources::instance::tests::instance;

    const PUBLIC: &str = "orders is publicly accessible";
    const FIX: &str = r#"L2 ModifyDBInstance {"DBInstanceIdentifier":"orders","PubliclyAccessible":false}"#;

    #[test]
    fn cases() {
        let cases = Cases::of(&SETTING, Instance { publicly_accessible: Some(true), ..instance() });
        let case = |name, change: fn(&mut Instance)| cases.case(name, change);
        let multi_az_cluster =
            "blocked: orders belongs to Multi-AZ DB cluster shop, and RDS modifies the cluster, not its instances";
        case("rds-instance-public-access-check/1", |_| ()).non_compliant(PUBLIC).planned(&[FIX]);
        case("rds-instance-public-access-check/2", |it| it.publicly_accessible = Some(false)).compliant();
        case("rds-instance-public-access-check/3", |it| it.publicly_accessible = None).non_compliant(PUBLIC);
        case("rds-instance-public-access-check/4", |it| {
            it.database.engine = "aurora-mysql".into();
            it.cluster = Some("shop".into());
        })
        .non_compliant(PUBLIC)
        .planned(&[FIX]);
        case("rds-instance-public-access-check/5", |it| it.cluster = Some("shop".into()))
            .non_compliant(PUBLIC)
            .planned(&[multi_az_cluster, FIX]);
        case("being modified", |it| it.database.status = "modifying".into())
            .non_compliant(PUBLIC)
            .planned(&["blocked: status of orders is `modifying`, not `available`", FIX]);
    }

    /// `rds-instance-public-access-check/6`: nothing is planned for an instance that is not public.
    /// `rds-instance-public-access-check/7`: the deletion of a resource is one of the events derived for every control.
    #[test]
    fn laws() {
        Laws::of(&SETTING, &["/publiclyAccessible"], Remediation::predict)
            .never(|before, after| !is_public(before) && is_public(after))
            .meeting(&[("blocked", |plan| plan.blocker(true).is_some())])
            .hold((instances(), Just(NoParameters {})));
    }
}
