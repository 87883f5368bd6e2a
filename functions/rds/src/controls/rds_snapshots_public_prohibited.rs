//! `rds-snapshots-public-prohibited`: a database snapshot is shared with every account.

use std::collections::BTreeSet;

use rectify_compliance::{
    Control, FromItem, Irreversible, Level, ManagedBy, NoParameters, Periodic, Permission, Plan, Remediation,
    RemediationPermissions, Step, Timestamp, Verdict, control,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::database::Kind;
use crate::resources::snapshot::{ALL, CLUSTER_SNAPSHOT, INSTANCE_SNAPSHOT, RESTORE, Snapshot};

control! {
    /// ## What it checks
    /// That the attribute `restore` of a manual DB snapshot or DB cluster snapshot does not have the value `all`.
    /// A snapshot that is shared with individual accounts is compliant, and the annotation has their number.
    /// Automated snapshots and those of AWS Backup are NOT_APPLICABLE: RDS does not share them.
    /// If the configuration item lacks the attribute, it is read live.
    /// Every 24 hours all manual snapshots of the account are read live, because AWS Config can record a changed attribute hours later; snapshots of other accounts are not listed.
    ///
    /// ## Why it matters
    /// Every AWS account can list a public snapshot, restore it and read the whole database.
    ///
    /// ## Compliant example
    /// ```json
    /// {"DBSnapshotAttributes": [{"attributeName": "restore", "attributeValues": ["444455556666"]}]}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"DBSnapshotAttributes": [{"attributeName": "restore", "attributeValues": ["all"]}]}
    /// ```
    ///
    /// ## Parameters
    /// No parameters of its own.
    ///
    /// ## Remediation
    /// L2: `rds:ModifyDBSnapshotAttribute` or `rds:ModifyDBClusterSnapshotAttribute` removes `all` from the attribute `restore`.
    /// What changes: only this account and the accounts in the attribute can restore the snapshot; copies and databases that others made of it stay theirs.
    /// What may break: accounts that restore the snapshot without being in the attribute.
    /// Nothing is changed while the status of the snapshot is not `available`.
    /// The call removes one value, so an account that is added in the milliseconds between the last read and the write is kept.
    /// Undo adds `all` again and so makes the snapshot public; it is refused where that has happened meanwhile.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/rds-snapshots-public-prohibited.html)
    /// - [Security Hub RDS.1](https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-1)
    /// - [Sharing a DB snapshot](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html)
    /// - [ModifyDBSnapshotAttribute](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSnapshotAttribute.html)
    /// - [ModifyDBClusterSnapshotAttribute](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBClusterSnapshotAttribute.html)
    pub RDS_SNAPSHOTS_PUBLIC_PROHIBITED: RdsSnapshotsPublicProhibited {
        id: "rds-snapshots-public-prohibited",
        title: "Database snapshot is shared with every account",
        severity: Critical,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[INSTANCE_SNAPSHOT, CLUSTER_SNAPSHOT],
        level: L2,
        frameworks: {
            Fsbp: ["RDS.1"],
            Nist80053r5: ["AC-3", "AC-4", "AC-6", "AC-21", "SC-7"],
            Pci40: ["3.5.1.3", "10.3.2"],
        },
    }
}

const INSTANCE_SNAPSHOTS: &str = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:snapshot:*";
const CLUSTER_SNAPSHOTS: &str = "arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster-snapshot:*";
const ACCOUNTS: [Permission; 2] = [
    Permission::on("rds:DescribeDBSnapshotAttributes", INSTANCE_SNAPSHOTS),
    Permission::on("rds:DescribeDBClusterSnapshotAttributes", CLUSTER_SNAPSHOTS),
];
const READ: &[Permission] = &[
    ACCOUNTS[0],
    ACCOUNTS[1],
    Permission::unscoped("rds:DescribeDBSnapshots"),
    Permission::unscoped("rds:DescribeDBClusterSnapshots"),
];
const MODIFY: &[Permission] = &[
    Permission::on("rds:ModifyDBSnapshotAttribute", INSTANCE_SNAPSHOTS),
    Permission::on("rds:ModifyDBClusterSnapshotAttribute", CLUSTER_SNAPSHOTS),
];

impl Control for RdsSnapshotsPublicProhibited {
    type Params = NoParameters;
    type Subject = Snapshot;

    fn evaluate(&self, snapshot: &Snapshot, _params: &NoParameters, _now: Timestamp) -> Verdict {
        let Snapshot { identifier, snapshot_type, .. } = snapshot;
        if !snapshot.can_be_shared() {
            return Verdict::not_applicable(format!("Snapshot {identifier} is {snapshot_type}: RDS does not share it"));
        }
        if snapshot.is_public() {
            return Verdict::non_compliant(format!("Snapshot {identifier} is restorable by all accounts"));
        }
        match snapshot.restorable_by.as_ref().map_or(0, BTreeSet::len) {
            0 => Verdict::COMPLIANT,
            1 => Verdict::Compliant(Some(format!("Snapshot {identifier} is shared with 1 account").into())),
            number => {
                Verdict::Compliant(Some(format!("Snapshot {identifier} is shared with {number} accounts").into()))
            }
        }
    }
}

impl FromItem for RdsSnapshotsPublicProhibited {
    type Resource = Snapshot;
    /// The accounts, where the item lacks them.
    type Facts = Option<BTreeSet<String>>;

    fn fact_permissions(&self) -> &'static [Permission] {
        &ACCOUNTS
    }

    fn subject(&self, snapshot: Snapshot, live: Option<BTreeSet<String>>) -> Snapshot {
        Snapshot { restorable_by: snapshot.restorable_by.or(live), ..snapshot }
    }
}

impl Periodic for RdsSnapshotsPublicProhibited {
    fn list_permissions(&self) -> &'static [Permission] {
        READ
    }
}

/// One call to RDS. The fix and its undo are the same call with the value removed or added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// `ModifyDBSnapshotAttribute`.
    ModifyDBSnapshotAttribute {
        /// `DBSnapshotIdentifier`.
        #[serde(rename = "DBSnapshotIdentifier")]
        identifier: String,
        /// The values to remove or add.
        #[serde(flatten)]
        change: Change,
    },
    /// `ModifyDBClusterSnapshotAttribute`.
    ModifyDBClusterSnapshotAttribute {
        /// `DBClusterSnapshotIdentifier`.
        #[serde(rename = "DBClusterSnapshotIdentifier")]
        identifier: String,
        /// The values to remove or add.
        #[serde(flatten)]
        change: Change,
    },
}

/// A change of the values of one attribute; the others stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Change {
    /// `AttributeName`.
    pub attribute_name: String,
    /// `ValuesToAdd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values_to_add: Option<Vec<String>>,
    /// `ValuesToRemove`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values_to_remove: Option<Vec<String>>,
}

impl Change {
    /// Makes a snapshot public, or ends that.
    fn public(public: bool) -> Self {
        let values = |wanted: bool| wanted.then(|| vec![ALL.to_owned()]);
        Self { attribute_name: RESTORE.to_owned(), values_to_add: values(public), values_to_remove: values(!public) }
    }
}

impl Action {
    fn on(snapshot: &Snapshot, change: Change) -> Self {
        let identifier = snapshot.identifier.clone();
        match snapshot.kind {
            Kind::Instance => Self::ModifyDBSnapshotAttribute { identifier, change },
            Kind::Cluster => Self::ModifyDBClusterSnapshotAttribute { identifier, change },
        }
    }
}

impl Remediation for RdsSnapshotsPublicProhibited {
    type Action = Action;
    type Undo = Action;

    fn permissions(&self) -> RemediationPermissions {
        // IAM cannot restrict the value: only `fix` keeps the remediation from making a snapshot public.
        RemediationPermissions { read: READ, fix: MODIFY, undo: MODIFY }
    }

    fn managed_by(&self) -> ManagedBy {
        ManagedBy::Unmanaged("CloudFormation has no type for DB snapshots")
    }

    fn fix(&self, live: &Snapshot, _params: &NoParameters, _now: Timestamp) -> Plan<Action> {
        Plan::unless(live.blocker(), vec![Step::call(Level::L2, Action::on(live, Change::public(false)))])
    }

    fn predict(&self, mut live: Snapshot, action: &Action) -> Snapshot {
        for public in [true, false] {
            if *action == Action::on(&live, Change::public(public)) {
                let accounts = live.restorable_by.get_or_insert_default();
                let _was_there = if public { accounts.insert(ALL.to_owned()) } else { accounts.remove(ALL) };
            }
        }
        live
    }

    /// Whether it is public: undo keeps accounts that were added or removed meanwhile.
    fn touched_fields(&self, subject: &Snapshot, done: &[Action]) -> Value {
        if done.is_empty() { json!({}) } else { json!({ "public": subject.is_public() }) }
    }

    fn undo(&self, before: &Snapshot, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        Ok(done.iter().map(|_| Action::on(before, Change::public(true))).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_testing::{Cases, Laws};

    use super::*;
    use crate::resources::snapshot::tests::snapshot;

    const PUBLIC: &str = "Snapshot orders-1 is restorable by all accounts";
    const FIX: &str = r#"L2 ModifyDBSnapshotAttribute {"AttributeName":"restore","DBSnapshotIdentifier":"orders-1","ValuesToRemove":["all"]}"#;

    fn accounts(values: &[&str]) -> Option<BTreeSet<String>> {
        Some(values.iter().map(|it| (*it).to_owned()).collect())
    }

    #[test]
    fn a_snapshot_is_a_finding_if_every_account_may_restore_it() {
        let cases = Cases::of(&RdsSnapshotsPublicProhibited, snapshot());
        let case = |name, change: fn(&mut Snapshot)| cases.case(name, change);
        let subject = |it: &mut Snapshot, live| *it = RdsSnapshotsPublicProhibited.subject(it.clone(), live);
        case("not shared", |_| ()).compliant();
        case("rds-snapshots-public-prohibited/1", |it| it.restorable_by = accounts(&["all"]))
            .non_compliant(PUBLIC)
            .planned(&[FIX]);
        case("rds-snapshots-public-prohibited/2", |it| it.restorable_by = accounts(&["all", "444455556666"]))
            .non_compliant(PUBLIC)
            .planned(&[FIX]);
        case("shared with one", |it| it.restorable_by = accounts(&["444455556666"]))
            .compliant_with("Snapshot orders-1 is shared with 1 account");
        case("shared", |it| it.restorable_by = accounts(&["444455556666", "777788889999"]))
            .compliant_with("Snapshot orders-1 is shared with 2 accounts");
        case("rds-snapshots-public-prohibited/3", |it| {
            it.kind = Kind::Cluster;
            it.restorable_by = accounts(&["all"]);
        })
        .non_compliant(PUBLIC)
        .planned(&[&FIX.replace("DBSnapshot", "DBClusterSnapshot")]);
        case("rds-snapshots-public-prohibited/4", |it| {
            it.snapshot_type = "automated".into();
            it.restorable_by = None;
        })
        .not_applicable("Snapshot orders-1 is automated: RDS does not share it");
        case("rds-snapshots-public-prohibited/5, unknown", |it| it.restorable_by = None).non_compliant(PUBLIC);
        cases
            .case("rds-snapshots-public-prohibited/5, read live", |it| {
                it.restorable_by = None;
                subject(it, accounts(&[]));
            })
            .compliant();
        cases
            .case("the item has the accounts", |it| {
                it.restorable_by = accounts(&["all"]);
                subject(it, None);
            })
            .non_compliant(PUBLIC);
        case("rds-snapshots-public-prohibited/7", |it| {
            it.status = "copying".into();
            it.restorable_by = accounts(&["all"]);
        })
        .non_compliant(PUBLIC)
        .planned(&["blocked: status of orders-1 is `copying`, not `available`", FIX]);
    }

    #[test]
    fn laws() {
        let values =
            prop::collection::btree_set(prop::sample::select(vec!["all", "444455556666", "777788889999"]), 0..3);
        let status = prop::sample::select(vec!["available", "available", "creating"]);
        let kind = prop::sample::select(vec![Kind::Instance, Kind::Cluster]);
        let snapshots = (values, status, kind).prop_map(|(values, status, kind)| Snapshot {
            kind,
            status: status.to_owned(),
            restorable_by: Some(values.into_iter().map(str::to_owned).collect()),
            ..snapshot()
        });
        Laws::of(&RdsSnapshotsPublicProhibited, &["/restorableBy"], Remediation::predict)
            .never(|before, after| {
                let without_all = |it: &Snapshot| -> BTreeSet<String> {
                    it.restorable_by.iter().flatten().filter(|it| *it != ALL).cloned().collect()
                };
                after.is_public() || without_all(before) != without_all(after)
            })
            .restores_full_state()
            .meeting(&[("blocked", |plan| matches!(plan, Plan::Blocked { .. }))])
            .hold((snapshots, Just(NoParameters {})));
    }
}
