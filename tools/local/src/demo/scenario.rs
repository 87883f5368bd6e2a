//! The demo's scenarios, one per resource.

use super::fixture::Fixture;

/// One resource, how it is created, and how it must end.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// The name shown in the report.
    pub name: &'static str,
    /// The control that evaluates it.
    pub control: &'static str,
    /// Creates the resource.
    pub(super) fixture: Fixture,
    /// How it must end.
    pub expected: ExpectedEnd,
}

/// How a scenario must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedEnd {
    /// Found, fixed, verified and undone. Exactly these lines of its state change, from the left text to the right one;
    /// an empty right text means that the line is removed.
    Fixed(&'static [(&'static str, &'static str)]),
    /// Found and planned: only an operator can act, so nothing changes.
    Planned,
    /// Compliant from the start: nothing is found and nothing changes.
    Untouched,
}

/// The demo's scenarios, in the order of the report.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "SSH open over IPv6 only",
        control: "restricted-ssh",
        fixture: Fixture::SshOverIpv6,
        expected: ExpectedEnd::Fixed(&[("ingress tcp 22-22 ::/0 temporary", "")]),
    },
    Scenario {
        name: "one permission, public and private ranges",
        control: "restricted-ssh",
        fixture: Fixture::SshMixed,
        expected: ExpectedEnd::Fixed(&[("ingress tcp 22-22 0.0.0.0/0 debugging", "")]),
    },
    Scenario {
        name: "all TCP ports open",
        control: "restricted-ssh",
        fixture: Fixture::AllTcpOpen,
        expected: ExpectedEnd::Planned,
    },
    Scenario {
        name: "SSH from the office only",
        control: "restricted-ssh",
        fixture: Fixture::SshFromOffice,
        expected: ExpectedEnd::Untouched,
    },
    Scenario {
        name: "bucket readable by policy",
        control: "s3-bucket-public-read-prohibited",
        fixture: Fixture::BucketByPolicy,
        expected: ExpectedEnd::Fixed(&[
            ("block BlockPublicPolicy=false", "block BlockPublicPolicy=true"),
            ("block RestrictPublicBuckets=false", "block RestrictPublicBuckets=true"),
        ]),
    },
    Scenario {
        name: "bucket readable by ACL",
        control: "s3-bucket-public-read-prohibited",
        fixture: Fixture::BucketByAcl { permission: "READ" },
        expected: ExpectedEnd::Fixed(&[
            ("block BlockPublicAcls=false", "block BlockPublicAcls=true"),
            ("block IgnorePublicAcls=false", "block IgnorePublicAcls=true"),
        ]),
    },
    Scenario {
        name: "bucket writable by ACL",
        control: "s3-bucket-public-write-prohibited",
        fixture: Fixture::BucketByAcl { permission: "WRITE" },
        expected: ExpectedEnd::Fixed(&[
            ("block BlockPublicAcls=false", "block BlockPublicAcls=true"),
            ("block IgnorePublicAcls=false", "block IgnorePublicAcls=true"),
        ]),
    },
    Scenario {
        name: "trail without log file validation",
        control: "cloud-trail-log-file-validation-enabled",
        fixture: Fixture::TrailWithoutValidation,
        expected: ExpectedEnd::Fixed(&[("LogFileValidationEnabled=false", "LogFileValidationEnabled=true")]),
    },
    Scenario {
        name: "EBS encryption by default is off",
        control: "ec2-ebs-encryption-by-default",
        fixture: Fixture::EbsEncryptionOff,
        expected: ExpectedEnd::Fixed(&[("EbsEncryptionByDefault=false", "EbsEncryptionByDefault=true")]),
    },
    Scenario {
        name: "root user with an access key",
        control: "iam-root-access-key-check",
        fixture: Fixture::RootAccessKey,
        expected: ExpectedEnd::Planned,
    },
];
