//! Values and changes that schemas and stored files lack, and the exceptions from the law.
//!
//! Controls are given by their ids, separated by commas, in which `*` matches any text.

/// Values to try in addition to those of the schema and of the sample events.
pub(super) const VALUES: &[(&str, &[&str], &str)] = &[
    ("cloudwatch-alarm-*", &["topicArn"], r#""arn:aws:sns:us-east-1:111122223333:alarms""#),
    ("cloudwatch-alarm-*", &["logGroupName"], r#""elsewhere""#),
    ("cloudwatch-alarm-*", &["namespace"], r#""Audit""#),
    ("config-recorder-healthy", &["globalTypesRegion"], r#""ap-south-1""#),
    ("multi-region-cloudtrail-enabled", &["snsTopicArn"], r#""arn:aws:sns:eu-west-1:111122223333:trails""#),
    ("required-tags", &["tag2Key", "tag3Key", "tag4Key", "tag5Key", "tag6Key"], r#""Team""#),
    ("required-tags", &["tag2Value", "tag3Value", "tag4Value", "tag5Value", "tag6Value"], r#""other""#),
    ("required-tags", &["defaults"], r#""{\"CostCenter\":\"4711\"}""#),
    ("required-tags", &["protectedKeys"], r#""CostCenter""#),
    ("restricted-common-ports", &["blockedPort1", "blockedPort2", "blockedPort5"], r#""443""#),
    ("restricted-common-ports", &["udpPorts"], r#""53""#),
    ("s3-lifecycle-log-archive", &["storageClasses"], r#""DEEP_ARCHIVE""#),
    ("sns-encrypted-kms", &["kmsKeyId", "kmsKeyIds"], r#""alias/topics""#),
    ("security-group-drift", &["baselineName"], r#""/sg-baseline/other/{groupId}""#),
    ("security-group-drift", &["baselineTime"], r#""2026-01-01T00:00:00Z""#),
];

/// Changes to stored subjects: JSON pointers with the values to set. Subjects without these places are skipped.
pub(super) const CHANGES: &[(&str, &[(&str, &str)])] = &[
    ("cloudwatch-alarm-*", &[("/metrics/0/alarms/0/threshold", "2.0")]),
    (
        "cloudwatch-alarm-*",
        &[("/metrics/0/alarms/0/actions", r#"["arn:aws:lambda:eu-west-1:111122223333:function:page"]"#)],
    ),
    (
        "cloudwatch-alarm-*",
        &[
            ("/metrics/0/alarms/0/actions", r#"["arn:aws:sns:eu-west-1:444455556666:alarms"]"#),
            ("/topics", r#"{"arn:aws:sns:eu-west-1:444455556666:alarms": {"is": "denied"}}"#),
        ],
    ),
    (
        "cloudwatch-alarm-*",
        &[
            ("/trails/0/trail/owner", r#""444455556666""#),
            ("/trails/0/trail/arn", r#""arn:aws:cloudtrail:eu-west-1:444455556666:trail/main""#),
            ("/trails/0/trail/settings/isOrganizationTrail", "true"),
            ("/trails/0/status", "null"),
            ("/trails/0/selectors", "null"),
        ],
    ),
    // Every event with a name: a noisy pattern for all that select events by name.
    ("cloudwatch-alarm-*", &[("/groups/trail/0/pattern", r#""{ $.eventName = * }""#)]),
    ("cloudwatch-alarm-*", &[("/metrics", "[]"), ("/ownAlarmExists", "false")]),
    (
        "cloudwatch-alarm-iam-policy-changes",
        &[(
            "/groups/trail/0/pattern",
            r#""{ $.eventSource = iam.amazonaws.com && ($.eventName = DeleteGroupPolicy || $.eventName = DeleteRolePolicy || $.eventName = DeleteUserPolicy || $.eventName = PutGroupPolicy || $.eventName = PutRolePolicy || $.eventName = PutUserPolicy || $.eventName = CreatePolicy || $.eventName = DeletePolicy || $.eventName = CreatePolicyVersion || $.eventName = DeletePolicyVersion || $.eventName = AttachRolePolicy || $.eventName = DetachRolePolicy || $.eventName = AttachUserPolicy || $.eventName = DetachUserPolicy || $.eventName = AttachGroupPolicy || $.eventName = DetachGroupPolicy) }""#,
        )],
    ),
    (
        "cloudwatch-alarm-route-table-changes",
        &[(
            "/groups/trail/0/pattern",
            r#""{ $.eventSource = ec2.amazonaws.com && ($.eventName = CreateRoute || $.eventName = CreateRouteTable || $.eventName = ReplaceRoute || $.eventName = ReplaceRouteTableAssociation || $.eventName = DeleteRouteTable || $.eventName = DeleteRoute || $.eventName = DisassociateRouteTable) }""#,
        )],
    ),
    (
        "cloudwatch-alarm-vpc-changes",
        &[(
            "/groups/trail/0/pattern",
            r#""{ $.eventName = CreateVpc || $.eventName = DeleteVpc || $.eventName = ModifyVpcAttribute || $.eventName = AcceptVpcPeeringConnection || $.eventName = CreateVpcPeeringConnection || $.eventName = DeleteVpcPeeringConnection || $.eventName = RejectVpcPeeringConnection }""#,
        )],
    ),
    (
        "cloudwatch-alarm-root-usage",
        &[(
            "/groups/trail/0/pattern",
            r#""{ (($.userIdentity.type = \"Root\") && ($.userIdentity.invokedBy NOT EXISTS) && ($.eventType != \"AwsServiceEvent\")) || ($.userIdentity.type != \"Root\") }""#,
        )],
    ),
    ("required-tags", &[("/tags", r#"{"CostCenter": ""}"#)]),
    ("required-tags", &[("/tags", r#"{"costcenter": "4711"}"#)]),
    ("required-tags", &[("/tags", r#"{"CostCenter": "4711", "Team": "web"}"#)]),
    ("restricted-common-ports, vpc-sg-open-only-to-authorized-ports", &[("/group/rules/0", OPEN_TO_A_NETWORK)]),
    ("restricted-common-ports", &[("/group/rules", OPEN_RESOLVER)]),
    ("restricted-*", &[("/group/rules", WIDE_RULE), ("/network", IN_USE)]),
    (
        "subnet-auto-assign-public-ip-disabled",
        &[("/mapPublicIpOnLaunch", "true"), ("/launchers", r#"["Auto Scaling group web"]"#)],
    ),
];

const OPEN_TO_A_NETWORK: &str = r#"{"direction": "ingress", "protocol": "tcp", "fromPort": 3389, "toPort": 3389,
    "peer": {"cidrIpv6": "2001:db8::/32"}, "description": null, "tags": {}, "id": null}"#;
const OPEN_RESOLVER: &str = r#"[{"direction": "ingress", "protocol": "udp", "fromPort": 53, "toPort": 53,
    "peer": {"cidrIpv4": "0.0.0.0/0"}, "description": null, "tags": {}, "id": "sgr-0a1b2c3d4e5f60718"}]"#;
const WIDE_RULE: &str = r#"[{"direction": "ingress", "protocol": "tcp", "fromPort": 1, "toPort": 4000,
    "peer": {"cidrIpv4": "0.0.0.0/0"}, "description": null, "tags": {}, "id": "sgr-0a1b2c3d4e5f60718"}]"#;
const IN_USE: &str = r#"{"prefixLists": {}, "usage": {"inUse": true, "operators": []}}"#;

const WITHOUT_VARIANT: &str = "cloudwatch-alarm-cloudtrail-changes, cloudwatch-alarm-cmk-disabled-or-deleted,
    cloudwatch-alarm-config-changes, cloudwatch-alarm-console-login-failures, cloudwatch-alarm-nacl-changes,
    cloudwatch-alarm-network-gateway-changes, cloudwatch-alarm-organizations-changes, cloudwatch-alarm-root-usage, cloudwatch-alarm-s3-bucket-policy-changes,
    cloudwatch-alarm-security-group-changes";

/// Parameters that have an effect only combined with others.
pub(super) struct Combined {
    pub(super) control: &'static str,
    pub(super) parameters: &'static [&'static str],
    pub(super) others: &'static str,
    pub(super) reason: &'static str,
}

/// Each parameter is tried together with `others`; one that has an effect by itself must not be listed.
pub(super) const COMBINED: &[Combined] = &[
    Combined {
        control: "cloud-trail-cloud-watch-logs-enabled",
        parameters: &["logGroupArn"],
        others: r#"{"logRoleArn": "arn:aws:iam::111122223333:role/trails", "logGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:audit:*"}"#,
        reason: "CloudTrail accepts a log group only with its role; one without the other is rejected",
    },
    Combined {
        control: "cloud-trail-cloud-watch-logs-enabled",
        parameters: &["logRoleArn"],
        others: r#"{"logRoleArn": "arn:aws:iam::111122223333:role/trails", "logGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:audit:*"}"#,
        reason: "CloudTrail accepts a role only with its log group; one without the other is rejected",
    },
    Combined {
        control: "cloudwatch-alarm-*",
        parameters: &["threshold"],
        others: r#"{"topicArn": "arn:aws:sns:us-east-1:111122223333:alarms", "maxThreshold": 50}"#,
        reason: "without a topic no alarm is created, and its threshold is at most maxThreshold",
    },
    Combined {
        control: "config-recorder-healthy",
        parameters: &["requireAllSupported"],
        others: r#"{"requiredTypes": "AWS::S3::Bucket"}"#,
        reason: "false without a required type is rejected",
    },
    Combined {
        control: "config-recorder-healthy",
        parameters: &["requiredTypes"],
        others: r#"{"requireAllSupported": "false", "requiredTypes": "AWS::EC2::Volume"}"#,
        reason: "if all types are required, so are these",
    },
    Combined {
        control: "ec2-ebs-encryption-by-default",
        parameters: &["allowKeyChange"],
        others: r#"{"kmsKeyId": "alias/volumes"}"#,
        reason: "allows a change to the key that kmsKeyId names",
    },
    Combined {
        control: "ec2-instance-required-security-group",
        parameters: &["match", "maxGroupsPerEni", "scope"],
        others: r#"{"requiredGroups": "sg-0a0000000000000b2, name:scan, name:base"}"#,
        reason: "without a required group there is nothing to evaluate",
    },
    Combined {
        control: "*mfa-enabled*",
        parameters: &["mfaPolicyArn"],
        others: r#"{"mfaPolicyOptIn": "true", "mfaPolicyArn": "arn:aws:iam::111122223333:policy/other"}"#,
        reason: "the remediation attaches the policy only with the opt-in",
    },
    Combined {
        control: "*mfa-enabled*",
        parameters: &["mfaPolicyOptIn"],
        others: r#"{"mfaPolicyArn": "arn:aws:iam::111122223333:policy/require-mfa"}"#,
        reason: "opts in to the policy that mfaPolicyArn names; without one it is rejected",
    },
    Combined {
        control: "required-tags",
        parameters: &["tag2Value", "tag3Value", "tag4Value", "tag5Value", "tag6Value"],
        others: r#"{"tag2Key": "Team", "tag3Key": "Team", "tag4Key": "Team", "tag5Key": "Team", "tag6Key": "Team"}"#,
        reason: "a value without its key is rejected",
    },
    Combined {
        control: "required-tags",
        parameters: &["protectedKeys"],
        others: r#"{"defaults": "{\"CostCenter\":\"4711\"}"}"#,
        reason: "the remediation writes only keys that have a default",
    },
    Combined {
        control: "s3-lifecycle-log-archive",
        parameters: &[
            "abortMultipartDays",
            "logPrefix",
            "minRetentionDays",
            "requireNoncurrent",
            "storageClasses",
            "transitionDays",
        ],
        others: r#"{"bucketNames": "*"}"#,
        reason: "a bucket is evaluated only if bucketNames or bucketTag selects it",
    },
    Combined {
        control: "security-group-drift",
        parameters: &["baselineSource=s3"],
        others: r#"{"baselineName": "bucket/sg-baseline/{groupId}"}"#,
        reason: "the name of an object begins with its bucket",
    },
    Combined {
        control: "security-group-drift",
        parameters: &["baselineSource=config"],
        others: r#"{"baselineTime": "2026-01-01T00:00:00Z"}"#,
        reason: "the configuration history is read at a point in time",
    },
    Combined {
        control: "security-group-drift",
        parameters: &["baselineTime"],
        others: r#"{"baselineSource": "config"}"#,
        reason: "only the configuration history is read at a point in time",
    },
];

/// Parameters, or single values of them as `parameter=value`, that change no verdict and no plan. One that does must
/// not be listed.
pub(super) const NO_EFFECT: &[(&str, &[&str], &str)] = &[
    (
        "restricted-*, vpc-sg-open-only-to-authorized-ports",
        &["resolvePrefixLists"],
        "determines which prefix lists are read; a subject has only the entries that were read",
    ),
    (
        "security-group-drift",
        &["baselineName", "baselineSource", "baselineTime"],
        "determine where the baseline is read; a subject has the baseline that was read",
    ),
    (
        "security-group-drift",
        &["requireBaseline"],
        "fails the read of a group without a baseline, before there is a subject",
    ),
    (
        "cloudwatch-alarm-*",
        &["unverifiedTopic=noncompliant"],
        "the default fails the read of such a chain, before there is a subject; a subject without a read topic is a finding",
    ),
    (
        WITHOUT_VARIANT,
        &["acceptVariants"],
        "its pattern has no known variant, so none is accepted either way; the alarm controls share their parameters",
    ),
];
