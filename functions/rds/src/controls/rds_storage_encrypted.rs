//! `rds-storage-encrypted`: the storage of a database is not encrypted.

use rectify_compliance::{ByHand, Level, Verdict, control, parameters};

use crate::DESCRIBE_INSTANCES;
use crate::resources::database::INSTANCE;
use crate::resources::instance::Instance;

control! {
    /// ## What it checks
    /// That `storageEncrypted` of a DB instance is true; a configuration item without the field counts as unencrypted.
    /// With `kmsKeyId` it also checks that the storage is encrypted with that key.
    /// An instance of a cluster has the encryption of its cluster and is evaluated like any other.
    ///
    /// ## Why it matters
    /// Encryption of the storage also covers the backups, snapshots and read replicas, so none of them can be read without permission to use the key.
    ///
    /// ## Compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "storageEncrypted": true}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"dBInstanceIdentifier": "orders", "engine": "mysql", "storageEncrypted": false}
    /// ```
    ///
    /// ## Parameters
    /// `kmsKeyId` is the required key.
    /// It is not an alias: an alias can point to another key later, while the key of a database never changes.
    ///
    /// ## Remediation
    /// L3: the plan has manual steps only, for an operator, because RDS cannot encrypt existing storage or change its key.
    /// What changes: a new database, restored from an encrypted copy of a snapshot, replaces the old one.
    /// What may break: writes after the snapshot are lost unless writing is stopped first; the database is down until clients use the new endpoint.
    /// How to undo: switch the clients back to the old database, as long as it is not deleted.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/rds-storage-encrypted.html)
    /// - [Security Hub RDS.3](https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-3)
    /// - [Encrypting Amazon RDS resources](https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html)
    /// - [CopyDBSnapshot](https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html)
    pub RDS_STORAGE_ENCRYPTED: ByHand<Instance, StorageParameters> = CONTROL {
        id: "rds-storage-encrypted",
        title: "Database storage is not encrypted",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: &[INSTANCE],
        level: L3,
        frameworks: {
            Cis30: ["2.3.1"],
            Cis50: ["2.2.1"],
            Fsbp: ["RDS.3"],
            Nist80053r5: ["CA-9(1)", "SC-13", "SC-28", "SC-28(1)"],
            Pci40: ["3.5.1", "8.3.2"],
        },
    }
}

parameters! {
    /// The parameters of [`RDS_STORAGE_ENCRYPTED`].
    pub StorageParameters, check: check {
        /// The required key: its id or its ARN. Default: any key.
        kms_key_id: Option<String> = None,
    }
}

fn check(params: &StorageParameters) -> Result<(), String> {
    match &params.kms_key_id {
        Some(key) if key.contains("alias/") => {
            Err(format!("kmsKeyId `{key}` is an alias: expected the id or the ARN of a key"))
        }
        _ => Ok(()),
    }
}

const CONTROL: ByHand<Instance, StorageParameters> = ByHand {
    judge,
    instructions: |instance, params| replacement(instance, params.kms_key_id.as_deref().unwrap_or("a key")).into(),
    level: Level::L3,
    list: &[],
    read: &[DESCRIBE_INSTANCES],
    needs_name: true,
};

fn judge(instance: &Instance, params: &StorageParameters) -> Verdict {
    let name = &instance.database.identifier;
    if instance.storage_encrypted != Some(true) {
        return Verdict::non_compliant(format!("{name} storage is unencrypted"));
    }
    let Some(required) = &params.kms_key_id else { return Verdict::COMPLIANT };
    let key = instance.kms_key_id.as_deref().unwrap_or("an unknown key");
    match key == required || key.ends_with(&format!(":key/{required}")) {
        true => Verdict::COMPLIANT,
        false => Verdict::non_compliant(format!("{name} storage is encrypted with {key} (required {required})")),
    }
}

/// The steps that replace the database by an encrypted one: those of its cluster if it belongs to one.
fn replacement(instance: &Instance, key: &str) -> [String; 3] {
    let name = &instance.database.identifier;
    let (database, snapshot, copy, restore) = match &instance.cluster {
        Some(cluster) => (
            format!("cluster {cluster} of {name}"),
            "rds:CreateDBClusterSnapshot",
            "rds:CopyDBClusterSnapshot",
            "rds:RestoreDBClusterFromSnapshot",
        ),
        None => (name.clone(), "rds:CreateDBSnapshot", "rds:CopyDBSnapshot", "rds:RestoreDBInstanceFromDBSnapshot"),
    };
    [
        format!("{database}: stop writes, then {snapshot}"),
        format!("{copy} with KmsKeyId {key}, then {restore} from the copy, with the settings of the old database"),
        "switch the clients to the new endpoint; delete the old database and its snapshots once nothing needs them"
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rectify_testing::{Cases, Laws};

    use serde_json::json;

    use super::*;
    use crate::arbitrary::instances;
    use crate::resources::instance::tests::instance;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const UNENCRYPTED: &str = "orders storage is unencrypted";
    const SWITCH: &str = "L3 manual: switch the clients to the new endpoint; delete the old database and its snapshots \
                          once nothing needs them";

    fn with_key(key: &str) -> String {
        json!({ "kmsKeyId": key }).to_string()
    }

    #[test]
    fn encryption_and_key_decide_the_verdict() {
        let encrypted = Instance { storage_encrypted: Some(true), kms_key_id: Some(KEY.into()), ..instance() };
        let cases = Cases::of(&CONTROL, encrypted);
        let case = |name, change: fn(&mut Instance)| cases.case(name, change);
        let other = KEY.replace("1234abcd", "abcd1234");
        let wrong = format!("orders storage is encrypted with {KEY} (required {other})");
        case("rds-storage-encrypted/1", |it| it.storage_encrypted = Some(false)).non_compliant(UNENCRYPTED);
        case("not recorded", |it| it.storage_encrypted = None).non_compliant(UNENCRYPTED);
        case("rds-storage-encrypted/2", |_| ()).compliant();
        case("rds-storage-encrypted/3, by ARN", |_| ()).with(&with_key(KEY)).compliant();
        case("rds-storage-encrypted/3, by id", |_| ())
            .with(&with_key("1234abcd-12ab-34cd-56ef-1234567890ab"))
            .compliant();
        case("rds-storage-encrypted/4", |_| ()).with(&with_key(&other)).non_compliant(&wrong);
        case("the end of an id", |_| ()).with(&with_key("1234567890ab")).non_compliant(
            "orders storage is encrypted with arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab (required 1234567890ab)",
        );
        case("unknown key", |it| it.kms_key_id = None)
            .with(&with_key(KEY))
            .non_compliant(&format!("orders storage is encrypted with an unknown key (required {KEY})"));
        for alias in ["alias/orders", "arn:aws:kms:eu-west-1:111122223333:alias/orders"] {
            let params = StorageParameters { kms_key_id: Some(alias.into()) };
            assert!(check(&params).unwrap_err().contains(alias), "rds-storage-encrypted/3");
        }
    }

    #[test]
    fn a_plan_has_manual_steps_only() {
        let cases = Cases::of(&CONTROL, Instance { storage_encrypted: Some(false), ..instance() });
        cases.case("rds-storage-encrypted/6", |_| ()).non_compliant(UNENCRYPTED).planned(&[
            "L3 manual: orders: stop writes, then rds:CreateDBSnapshot",
            "L3 manual: rds:CopyDBSnapshot with KmsKeyId a key, then rds:RestoreDBInstanceFromDBSnapshot from the copy, with the settings of the old database",
            SWITCH,
        ]);
        let aurora = |it: &mut Instance| it.cluster = Some("shop".into());
        cases.case("rds-storage-encrypted/5", aurora).with(&with_key(KEY)).non_compliant(UNENCRYPTED).planned(&[
            "L3 manual: cluster shop of orders: stop writes, then rds:CreateDBClusterSnapshot",
            &format!("L3 manual: rds:CopyDBClusterSnapshot with KmsKeyId {KEY}, then rds:RestoreDBClusterFromSnapshot from the copy, with the settings of the old database"),
            SWITCH,
        ]);
    }

    #[test]
    fn laws() {
        let subjects = (instances(), any::<bool>())
            .prop_map(|(it, encrypted)| Instance { storage_encrypted: Some(encrypted), ..it });
        Laws::of(&CONTROL, &[], |_, _, call| match *call {})
            .by_hand()
            .hold((subjects, Just(StorageParameters::default())));
    }
}
