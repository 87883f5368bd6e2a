//! Keys, policies, users.

use super::{ANY, Absent, Answer, Kind, answer, property};
use crate::template::forms::{flag, key_state, managed, named, policy, primary, text, versions};

const ROTATION: &[&str] = &["cmk-backing-key-rotation-enabled"];
const KEY_POLICY: &[&str] = &["kms-key-policy-no-public-access"];
const KEYS: &[&str] = &["cmk-backing-key-rotation-enabled", "kms-key-policy-no-public-access"];
const STATEMENTS: &[&str] =
    &["iam-policy-no-statements-with-admin-access", "iam-policy-no-statements-with-full-access"];
const USERS: &[&str] = &["iam-user-no-policies-check"];

pub(super) const KINDS: &[Kind] = &[
    Kind {
        template: "AWS::KMS::Key",
        recorded: "AWS::KMS::Key",
        is_global: false,
        base: r#"{
            "configuration": {"keyId": "{id}", "arn": "{arn}", "keyManager": "CUSTOMER", "multiRegion": false},
            "supplementaryConfiguration": {"Policy": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"AWS": "{account}"}, "Action": "kms:*", "Resource": "*"
            }]}}
        }"#,
        controls: &[
            Answer { reads_with: &["maxRotationPeriodInDays"], ..answer("cmk-backing-key-rotation-enabled") },
            answer("kms-key-policy-no-public-access"),
        ],
        properties: &[
            property("/KeySpec", "/configuration/keySpec", text, Absent::Is(r#""SYMMETRIC_DEFAULT""#), KEYS),
            property("/Origin", "/configuration/origin", text, Absent::Is(r#""AWS_KMS""#), KEYS),
            property("/Enabled", "/configuration/keyState", key_state, Absent::Is(r#""Enabled""#), KEYS),
            property("/MultiRegion", "/configuration/multiRegionConfiguration", primary, Absent::Omitted, KEYS),
            property(
                "/EnableKeyRotation",
                "/supplementaryConfiguration/KeyRotationStatus",
                flag,
                Absent::Is("false"),
                ROTATION,
            ),
            property("/KeyPolicy", "/supplementaryConfiguration/Policy", policy, Absent::Omitted, KEY_POLICY)
                .referring(ANY),
        ],
    },
    Kind {
        template: "AWS::IAM::ManagedPolicy",
        recorded: "AWS::IAM::Policy",
        is_global: true,
        base: r#"{"configuration": {"policyId": "{id}", "policyName": "{name}", "arn": "{arn}"}}"#,
        controls: &[
            answer("iam-policy-no-statements-with-admin-access"),
            answer("iam-policy-no-statements-with-full-access"),
        ],
        properties: &[property(
            "/PolicyDocument",
            "/configuration/policyVersionList",
            versions,
            Absent::Unknown("it has no PolicyDocument"),
            STATEMENTS,
        )
        .referring(ANY)],
    },
    Kind {
        template: "AWS::IAM::User",
        recorded: "AWS::IAM::User",
        is_global: true,
        base: r#"{"configuration": {
            "userName": "{id}", "arn": "{arn}", "createDate": "2026-01-01T00:00:00Z"
        }}"#,
        controls: &[answer("iam-user-no-policies-check")],
        properties: &[
            property("/Policies", "/configuration/userPolicyList", named, Absent::Omitted, USERS).referring(ANY),
            property("/ManagedPolicyArns", "/configuration/attachedManagedPolicies", managed, Absent::Omitted, USERS)
                .referring(ANY)
                .compared_with(&["allowedPolicyArns"]),
        ],
    },
];
