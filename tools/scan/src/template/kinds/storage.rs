//! Buckets and file systems.

use super::{ANY, Absent, Answer, Kind, Property, answer, property};
use crate::template::forms::{acl, default_encryption, flag, logging, ownership, policy, same, text};

const PUBLIC: &[&str] = &["s3-bucket-public-read-prohibited", "s3-bucket-public-write-prohibited"];
const BLOCK: &[&str] = &[
    "s3-bucket-level-public-access-prohibited",
    "s3-bucket-public-read-prohibited",
    "s3-bucket-public-write-prohibited",
];
const POLICY: &[&str] =
    &["s3-bucket-public-read-prohibited", "s3-bucket-public-write-prohibited", "s3-bucket-ssl-requests-only"];
const VERSIONING: &[&str] = &["s3-bucket-versioning-enabled"];
const LOGGING: &[&str] = &["s3-bucket-logging-enabled"];
const ENCRYPTION: &[&str] = &["s3-bucket-server-side-encryption-enabled"];
const FILES: &[&str] = &["efs-encrypted-check"];

/// Since April 2023 S3 blocks public access to each new bucket, unless the request says otherwise.
const fn block(from: &'static str, to: &'static str) -> Property {
    let default = Absent::Member { of: "/PublicAccessBlockConfiguration", without: "true", within: "false" };
    property(from, to, flag, default, BLOCK)
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        template: "AWS::S3::Bucket",
        recorded: "AWS::S3::Bucket",
        is_global: false,
        base: r#"{
            "configuration": {"name": "{id}"},
            "supplementaryConfiguration": {"BucketPolicy": {"policyText": null}},
            "access": {
                "accountBlock": {
                    "BlockPublicAcls": false, "IgnorePublicAcls": false, "BlockPublicPolicy": false,
                    "RestrictPublicBuckets": false
                }
            },
            "nothing": {}
        }"#,
        controls: &[
            Answer {
                facts: "/nothing",
                reads_with: &["acceptAccountLevel"],
                ..answer("s3-bucket-level-public-access-prohibited")
            },
            Answer { facts: "/access", ..answer("s3-bucket-public-read-prohibited") },
            Answer { facts: "/access", ..answer("s3-bucket-public-write-prohibited") },
            answer("s3-bucket-logging-enabled"),
            Answer {
                facts: "/nothing",
                reads_with: &["kmsKeyArns", "requireCmk"],
                ..answer("s3-bucket-server-side-encryption-enabled")
            },
            answer("s3-bucket-ssl-requests-only"),
            answer("s3-bucket-versioning-enabled"),
        ],
        properties: &[
            block(
                "/PublicAccessBlockConfiguration/BlockPublicAcls",
                "/supplementaryConfiguration/PublicAccessBlockConfiguration/blockPublicAcls",
            ),
            block(
                "/PublicAccessBlockConfiguration/IgnorePublicAcls",
                "/supplementaryConfiguration/PublicAccessBlockConfiguration/ignorePublicAcls",
            ),
            block(
                "/PublicAccessBlockConfiguration/BlockPublicPolicy",
                "/supplementaryConfiguration/PublicAccessBlockConfiguration/blockPublicPolicy",
            ),
            block(
                "/PublicAccessBlockConfiguration/RestrictPublicBuckets",
                "/supplementaryConfiguration/PublicAccessBlockConfiguration/restrictPublicBuckets",
            ),
            property(
                "/AccessControl",
                "/supplementaryConfiguration/AccessControlList",
                acl,
                Absent::Is(r#"{"grantList": []}"#),
                PUBLIC,
            ),
            property(
                "/OwnershipControls/Rules",
                "/access/ownership",
                ownership,
                Absent::Is(r#""BucketOwnerEnforced""#),
                PUBLIC,
            ),
            property(
                "/PolicyDocument",
                "/supplementaryConfiguration/BucketPolicy/policyText",
                policy,
                Absent::Omitted,
                POLICY,
            )
            .referring(ANY),
            property(
                "/VersioningConfiguration/Status",
                "/supplementaryConfiguration/BucketVersioningConfiguration/status",
                text,
                Absent::Omitted,
                VERSIONING,
            ),
            property(
                "/LoggingConfiguration",
                "/supplementaryConfiguration/BucketLoggingConfiguration",
                logging,
                Absent::Omitted,
                LOGGING,
            )
            .referring(&["DestinationBucketName"])
            .compared_with(&["targetBucket"]),
            property(
                "/BucketEncryption/ServerSideEncryptionConfiguration",
                "/supplementaryConfiguration/ServerSideEncryptionConfiguration",
                default_encryption,
                Absent::Is(r#"{"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]}"#),
                ENCRYPTION,
            )
            .referring(&["KMSMasterKeyID"]),
        ],
    },
    Kind {
        template: "AWS::EFS::FileSystem",
        recorded: "AWS::EFS::FileSystem",
        is_global: false,
        base: r#"{"configuration": {"FileSystemId": "{id}"}}"#,
        controls: &[answer("efs-encrypted-check")],
        properties: &[
            property("/Encrypted", "/configuration/Encrypted", flag, Absent::Is("false"), FILES),
            property("/KmsKeyId", "/configuration/KmsKeyId", same, Absent::Omitted, FILES)
                .referring(ANY)
                .compared_with(&["KmsKeyId"]),
        ],
    },
];
