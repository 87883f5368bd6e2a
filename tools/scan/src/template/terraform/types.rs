//! The types of the AWS provider, with CloudFormation's name for each attribute.

use serde_json::{Map, Value};

use super::shapes::{acl, instance, log_group, protection};

/// A type of the AWS provider.
pub(super) struct Type {
    pub(super) terraform: &'static str,
    /// CloudFormation's type, or the provider's, for a part of a bucket that CloudFormation does not have as a type.
    pub(super) template: &'static str,
    /// Where the name is.
    pub(super) name: &'static str,
    pub(super) attributes: &'static [Attribute],
    pub(super) shape: Shape,
}

/// An attribute and its property, as JSON pointers.
pub(super) struct Attribute {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

/// How the properties follow from the attributes.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Attribute by attribute.
    One,
    /// Rules with several peers become rules with one.
    Group,
    /// A rule with several peers becomes several resources.
    Rule,
    /// Attribute by attribute, and then changed.
    Changed(fn(&mut Map<String, Value>)),
}

const fn at(from: &'static str, to: &'static str) -> Attribute {
    Attribute { from, to }
}

const fn one(
    terraform: &'static str,
    template: &'static str,
    name: &'static str,
    attributes: &'static [Attribute],
) -> Type {
    Type { terraform, template, name, attributes, shape: Shape::One }
}

pub(super) fn find(terraform: &str) -> Option<&'static Type> {
    TYPES.iter().find(|it| it.terraform == terraform)
}

const TAGS: Attribute = at("/tags_all", "/Tags");

/// Sorted by service.
pub(super) const TYPES: &[Type] = &[
    Type {
        shape: Shape::Group,
        ..one("aws_security_group", "AWS::EC2::SecurityGroup", "/id", &[at("/ingress", "/Ingress"), TAGS])
    },
    Type {
        shape: Shape::Rule,
        ..one(
            "aws_security_group_rule",
            "AWS::EC2::SecurityGroupIngress",
            "/id",
            &[
                at("/security_group_id", "/GroupId"),
                at("/type", "/type"),
                at("/protocol", "/protocol"),
                at("/from_port", "/from_port"),
                at("/to_port", "/to_port"),
                at("/cidr_blocks", "/cidr_blocks"),
                at("/ipv6_cidr_blocks", "/ipv6_cidr_blocks"),
                at("/prefix_list_ids", "/prefix_list_ids"),
                at("/source_security_group_id", "/SourceSecurityGroupId"),
                at("/self", "/self"),
            ],
        )
    },
    one(
        "aws_vpc_security_group_ingress_rule",
        "AWS::EC2::SecurityGroupIngress",
        "/id",
        &[
            at("/security_group_id", "/GroupId"),
            at("/ip_protocol", "/IpProtocol"),
            at("/from_port", "/FromPort"),
            at("/to_port", "/ToPort"),
            at("/cidr_ipv4", "/CidrIp"),
            at("/cidr_ipv6", "/CidrIpv6"),
            at("/prefix_list_id", "/SourcePrefixListId"),
            at("/referenced_security_group_id", "/SourceSecurityGroupId"),
        ],
    ),
    Type {
        shape: Shape::Changed(instance),
        ..one(
            "aws_instance",
            "AWS::EC2::Instance",
            "/id",
            &[
                at("/metadata_options/0/http_tokens", "/MetadataOptions/HttpTokens"),
                at("/metadata_options/0/http_endpoint", "/MetadataOptions/HttpEndpoint"),
                at("/metadata_options/0/http_put_response_hop_limit", "/MetadataOptions/HttpPutResponseHopLimit"),
                at("/associate_public_ip_address", "/NetworkInterfaces"),
                TAGS,
            ],
        )
    },
    one(
        "aws_ebs_volume",
        "AWS::EC2::Volume",
        "/id",
        &[at("/encrypted", "/Encrypted"), at("/kms_key_id", "/KmsKeyId"), TAGS],
    ),
    one(
        "aws_subnet",
        "AWS::EC2::Subnet",
        "/id",
        &[
            at("/map_public_ip_on_launch", "/MapPublicIpOnLaunch"),
            at("/assign_ipv6_address_on_creation", "/AssignIpv6AddressOnCreation"),
            at("/ipv6_native", "/Ipv6Native"),
            TAGS,
        ],
    ),
    balancer("aws_lb"),
    balancer("aws_alb"),
    one("aws_s3_bucket", "AWS::S3::Bucket", "/bucket", &[at("/bucket", "/BucketName"), TAGS]),
    one(
        "aws_s3_bucket_public_access_block",
        "aws_s3_bucket_public_access_block",
        "/id",
        &[
            at("/bucket", "/Bucket"),
            at("/block_public_acls", "/PublicAccessBlockConfiguration/BlockPublicAcls"),
            at("/ignore_public_acls", "/PublicAccessBlockConfiguration/IgnorePublicAcls"),
            at("/block_public_policy", "/PublicAccessBlockConfiguration/BlockPublicPolicy"),
            at("/restrict_public_buckets", "/PublicAccessBlockConfiguration/RestrictPublicBuckets"),
        ],
    ),
    one(
        "aws_s3_bucket_versioning",
        "aws_s3_bucket_versioning",
        "/id",
        &[at("/bucket", "/Bucket"), at("/versioning_configuration/0/status", "/VersioningConfiguration/Status")],
    ),
    one(
        "aws_s3_bucket_logging",
        "aws_s3_bucket_logging",
        "/id",
        &[
            at("/bucket", "/Bucket"),
            at("/target_bucket", "/LoggingConfiguration/DestinationBucketName"),
            at("/target_prefix", "/LoggingConfiguration/LogFilePrefix"),
        ],
    ),
    one(
        "aws_s3_bucket_ownership_controls",
        "aws_s3_bucket_ownership_controls",
        "/id",
        &[at("/bucket", "/Bucket"), at("/rule/0/object_ownership", "/OwnershipControls/Rules/ObjectOwnership")],
    ),
    Type {
        shape: Shape::Changed(acl),
        ..one(
            "aws_s3_bucket_acl",
            "aws_s3_bucket_acl",
            "/id",
            &[at("/bucket", "/Bucket"), at("/acl", "/AccessControl")],
        )
    },
    one(
        "aws_s3_bucket_server_side_encryption_configuration",
        "aws_s3_bucket_server_side_encryption_configuration",
        "/id",
        &[
            at("/bucket", "/Bucket"),
            at(
                "/rule/0/apply_server_side_encryption_by_default/0/sse_algorithm",
                "/BucketEncryption/ServerSideEncryptionConfiguration/ServerSideEncryptionByDefault/SSEAlgorithm",
            ),
            at(
                "/rule/0/apply_server_side_encryption_by_default/0/kms_master_key_id",
                "/BucketEncryption/ServerSideEncryptionConfiguration/ServerSideEncryptionByDefault/KMSMasterKeyID",
            ),
            at("/rule/0/bucket_key_enabled", "/BucketEncryption/ServerSideEncryptionConfiguration/BucketKeyEnabled"),
        ],
    ),
    one(
        "aws_s3_bucket_policy",
        "AWS::S3::BucketPolicy",
        "/id",
        &[at("/bucket", "/Bucket"), at("/policy", "/PolicyDocument")],
    ),
    one(
        "aws_efs_file_system",
        "AWS::EFS::FileSystem",
        "/id",
        &[at("/encrypted", "/Encrypted"), at("/kms_key_id", "/KmsKeyId"), TAGS],
    ),
    database("aws_db_instance", "/identifier"),
    database("aws_rds_cluster_instance", "/identifier"),
    one(
        "aws_rds_cluster",
        "AWS::RDS::DBCluster",
        "/cluster_identifier",
        &[
            at("/engine", "/Engine"),
            at("/deletion_protection", "/DeletionProtection"),
            at("/backup_retention_period", "/BackupRetentionPeriod"),
            at("/preferred_backup_window", "/PreferredBackupWindow"),
            at("/snapshot_identifier", "/SnapshotIdentifier"),
            TAGS,
        ],
    ),
    one(
        "aws_dynamodb_table",
        "AWS::DynamoDB::Table",
        "/name",
        &[
            at("/point_in_time_recovery/0/enabled", "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled"),
            TAGS,
        ],
    ),
    Type {
        shape: Shape::Changed(log_group),
        ..one(
            "aws_cloudwatch_log_group",
            "AWS::Logs::LogGroup",
            "/name",
            &[at("/retention_in_days", "/RetentionInDays"), at("/log_group_class", "/LogGroupClass"), TAGS],
        )
    },
    one(
        "aws_cloudtrail",
        "AWS::CloudTrail::Trail",
        "/name",
        &[
            at("/enable_log_file_validation", "/EnableLogFileValidation"),
            at("/cloud_watch_logs_group_arn", "/CloudWatchLogsLogGroupArn"),
            at("/kms_key_id", "/KMSKeyId"),
        ],
    ),
    one(
        "aws_kms_key",
        "AWS::KMS::Key",
        "/id",
        &[
            at("/enable_key_rotation", "/EnableKeyRotation"),
            at("/customer_master_key_spec", "/KeySpec"),
            at("/is_enabled", "/Enabled"),
            at("/multi_region", "/MultiRegion"),
            at("/policy", "/KeyPolicy"),
        ],
    ),
    one("aws_iam_policy", "AWS::IAM::ManagedPolicy", "/name", &[at("/policy", "/PolicyDocument")]),
    one("aws_iam_user", "AWS::IAM::User", "/name", &[]),
    one("aws_iam_user_policy", "AWS::IAM::UserPolicy", "/id", &[at("/user", "/UserName"), at("/name", "/PolicyName")]),
    one(
        "aws_iam_user_policy_attachment",
        "aws_iam_user_policy_attachment",
        "/id",
        &[at("/user", "/UserName"), at("/policy_arn", "/PolicyArn")],
    ),
    one(
        "aws_sns_topic",
        "AWS::SNS::Topic",
        "/name",
        &[at("/kms_master_key_id", "/KmsMasterKeyId"), at("/policy", "/PolicyDocument")],
    ),
    one(
        "aws_sns_topic_policy",
        "AWS::SNS::TopicPolicy",
        "/id",
        &[at("/arn", "/Topics"), at("/policy", "/PolicyDocument")],
    ),
    one(
        "aws_sqs_queue",
        "AWS::SQS::Queue",
        "/name",
        &[
            at("/kms_master_key_id", "/KmsMasterKeyId"),
            at("/sqs_managed_sse_enabled", "/SqsManagedSseEnabled"),
            at("/policy", "/PolicyDocument"),
        ],
    ),
    one(
        "aws_sqs_queue_policy",
        "AWS::SQS::QueuePolicy",
        "/id",
        &[at("/queue_url", "/Queues"), at("/policy", "/PolicyDocument")],
    ),
];

const fn balancer(terraform: &'static str) -> Type {
    const ATTRIBUTES: &[Attribute] = &[at("/enable_deletion_protection", "/LoadBalancerAttributes"), TAGS];
    let template = "AWS::ElasticLoadBalancingV2::LoadBalancer";
    Type { terraform, template, name: "/name", attributes: ATTRIBUTES, shape: Shape::Changed(protection) }
}

const fn database(terraform: &'static str, name: &'static str) -> Type {
    const ATTRIBUTES: &[Attribute] = &[
        at("/engine", "/Engine"),
        at("/cluster_identifier", "/DBClusterIdentifier"),
        at("/replicate_source_db", "/SourceDBInstanceIdentifier"),
        at("/snapshot_identifier", "/DBSnapshotIdentifier"),
        at("/backup_retention_period", "/BackupRetentionPeriod"),
        at("/backup_window", "/PreferredBackupWindow"),
        at("/multi_az", "/MultiAZ"),
        at("/deletion_protection", "/DeletionProtection"),
        at("/auto_minor_version_upgrade", "/AutoMinorVersionUpgrade"),
        at("/publicly_accessible", "/PubliclyAccessible"),
        at("/storage_encrypted", "/StorageEncrypted"),
        at("/kms_key_id", "/KmsKeyId"),
        TAGS,
    ];
    one(terraform, "AWS::RDS::DBInstance", name, ATTRIBUTES)
}
