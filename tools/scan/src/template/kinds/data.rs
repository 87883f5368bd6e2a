//! Databases and tables, log groups and trails.

use super::{ANY, Absent, Answer, Kind, Property, answer, property};
use crate::template::forms::{flag, number, recovery, text, usable_key};

const BACKUPS: &[&str] = &["db-instance-backup-enabled"];
const MULTI_AZ: &[&str] = &["rds-multi-az-support"];
const PROTECTION: &[&str] = &["rds-instance-deletion-protection-enabled"];
const CLUSTER_PROTECTION: &[&str] = &["rds-cluster-deletion-protection-enabled"];
const UPGRADES: &[&str] = &["rds-automatic-minor-version-upgrade-enabled"];
const PUBLIC: &[&str] = &["rds-instance-public-access-check"];
const STORAGE: &[&str] = &["rds-storage-encrypted"];
const INSTANCES: &[&str] = &[
    "db-instance-backup-enabled",
    "rds-multi-az-support",
    "rds-instance-deletion-protection-enabled",
    "rds-automatic-minor-version-upgrade-enabled",
    "rds-instance-public-access-check",
    "rds-storage-encrypted",
];
const CLUSTERS: &[&str] = &["db-instance-backup-enabled", "rds-cluster-deletion-protection-enabled"];
const RECOVERY: &[&str] = &["dynamodb-pitr-enabled"];
const RETENTION: &[&str] = &["cw-loggroup-retention-period-check"];
const VALIDATION: &[&str] = &["cloud-trail-log-file-validation-enabled"];
const DELIVERY: &[&str] = &["cloud-trail-cloud-watch-logs-enabled"];
const TRAIL_KEY: &[&str] = &["cloud-trail-encryption-enabled"];

/// A database that is made from another one has its settings.
const SOURCES: &[&str] = &[
    "/DBSnapshotIdentifier",
    "/DBClusterSnapshotIdentifier",
    "/SnapshotIdentifier",
    "/SourceDBInstanceIdentifier",
    "/SourceDbiResourceId",
    "/SourceDBClusterIdentifier",
    "/DBClusterIdentifier",
    "/RestoreTime",
    "/UseLatestRestorableTime",
    "/SourceDBInstanceAutomatedBackupsArn",
];

const fn link(from: &'static str, to: &'static str) -> Property {
    property(from, to, text, Absent::Omitted, INSTANCES).referring(ANY)
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        template: "AWS::RDS::DBInstance",
        recorded: "AWS::RDS::DBInstance",
        is_global: false,
        base: r#"{"configuration": {
            "dBInstanceIdentifier": "{id}", "dBInstanceArn": "{arn}", "dBInstanceStatus": "available"
        }}"#,
        controls: &[
            answer("db-instance-backup-enabled"),
            answer("rds-multi-az-support"),
            answer("rds-instance-deletion-protection-enabled"),
            answer("rds-automatic-minor-version-upgrade-enabled"),
            answer("rds-instance-public-access-check"),
            answer("rds-storage-encrypted"),
        ],
        properties: &[
            property(
                "/Engine",
                "/configuration/engine",
                text,
                Absent::Unknown("the source of the database decides"),
                INSTANCES,
            ),
            link("/DBClusterIdentifier", "/configuration/dBClusterIdentifier"),
            link("/SourceDBInstanceIdentifier", "/configuration/readReplicaSourceDBInstanceIdentifier"),
            link("/SourceDBClusterIdentifier", "/configuration/readReplicaSourceDBClusterIdentifier"),
            property(
                "/BackupRetentionPeriod",
                "/configuration/backupRetentionPeriod",
                number,
                Absent::IsWithout("1", SOURCES),
                BACKUPS,
            ),
            property("/PreferredBackupWindow", "/configuration/preferredBackupWindow", text, Absent::Omitted, BACKUPS),
            property("/MultiAZ", "/configuration/multiAZ", flag, Absent::Is("false"), MULTI_AZ),
            property("/DeletionProtection", "/configuration/deletionProtection", flag, Absent::Is("false"), PROTECTION),
            property(
                "/AutoMinorVersionUpgrade",
                "/configuration/autoMinorVersionUpgrade",
                flag,
                Absent::Is("true"),
                UPGRADES,
            ),
            property(
                "/PubliclyAccessible",
                "/configuration/publiclyAccessible",
                flag,
                Absent::Unknown("the subnet group and its VPC decide"),
                PUBLIC,
            ),
            property(
                "/StorageEncrypted",
                "/configuration/storageEncrypted",
                flag,
                Absent::IsWithout("false", SOURCES),
                STORAGE,
            ),
            property("/KmsKeyId", "/configuration/kmsKeyId", text, Absent::Omitted, STORAGE)
                .referring(ANY)
                .compared_with(&["kmsKeyId"]),
        ],
    },
    Kind {
        template: "AWS::RDS::DBCluster",
        recorded: "AWS::RDS::DBCluster",
        is_global: false,
        base: r#"{"configuration": {
            "dbclusterIdentifier": "{id}", "dbclusterArn": "{arn}", "status": "available"
        }}"#,
        controls: &[answer("db-instance-backup-enabled"), answer("rds-cluster-deletion-protection-enabled")],
        properties: &[
            property(
                "/Engine",
                "/configuration/engine",
                text,
                Absent::Unknown("the source of the cluster decides"),
                CLUSTERS,
            ),
            property(
                "/DeletionProtection",
                "/configuration/deletionProtection",
                flag,
                Absent::Is("false"),
                CLUSTER_PROTECTION,
            ),
            property(
                "/BackupRetentionPeriod",
                "/configuration/backupRetentionPeriod",
                number,
                Absent::IsWithout("1", SOURCES),
                BACKUPS,
            ),
            property("/PreferredBackupWindow", "/configuration/preferredBackupWindow", text, Absent::Omitted, BACKUPS),
        ],
    },
    Kind {
        template: "AWS::DynamoDB::Table",
        recorded: "AWS::DynamoDB::Table",
        is_global: false,
        base: r#"{"configuration": {"tableArn": "{arn}", "tableStatus": "ACTIVE"}}"#,
        controls: &[answer("dynamodb-pitr-enabled")],
        properties: &[property(
            "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled",
            "/supplementaryConfiguration/ContinuousBackupsDescription/pointInTimeRecoveryDescription/pointInTimeRecoveryStatus",
            recovery,
            Absent::Is(r#""DISABLED""#),
            RECOVERY,
        )],
    },
    Kind {
        template: "AWS::Logs::LogGroup",
        recorded: "AWS::Logs::LogGroup",
        is_global: false,
        base: r#"{"configuration": {"name": "{id}", "arn": "{arn}", "class": null}}"#,
        controls: &[answer("cw-loggroup-retention-period-check")],
        properties: &[
            property("/LogGroupClass", "/configuration/class", text, Absent::Omitted, RETENTION),
            property("/RetentionInDays", "/configuration/retentionInDays", number, Absent::Omitted, RETENTION),
        ],
    },
    Kind {
        template: "AWS::CloudTrail::Trail",
        recorded: "AWS::CloudTrail::Trail",
        is_global: false,
        base: r#"{"configuration": {"name": "{id}", "trailARN": "{arn}", "homeRegion": "{region}"}, "key": null}"#,
        controls: &[
            answer("cloud-trail-log-file-validation-enabled"),
            Answer {
                reads_with: &["expectedDeliveryWindowAge", "checkDeliveryError"],
                ..answer("cloud-trail-cloud-watch-logs-enabled")
            },
            Answer { facts: "/key", reads_with: &["kmsKeyArns"], ..answer("cloud-trail-encryption-enabled") },
        ],
        properties: &[
            property(
                "/EnableLogFileValidation",
                "/configuration/logFileValidationEnabled",
                flag,
                Absent::Is("false"),
                VALIDATION,
            ),
            property(
                "/CloudWatchLogsLogGroupArn",
                "/configuration/cloudWatchLogsLogGroupArn",
                text,
                Absent::Omitted,
                DELIVERY,
            )
            .referring(ANY),
            property("/KMSKeyId", "/configuration/kmsKeyId", text, Absent::Omitted, TRAIL_KEY).referring(ANY),
            // CloudTrail refuses to create a trail with a key that it cannot use.
            property("/KMSKeyId", "/key", usable_key, Absent::Omitted, TRAIL_KEY).referring(ANY),
        ],
    },
];
