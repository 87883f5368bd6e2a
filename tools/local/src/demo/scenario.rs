//! What the demo shows: one row a resource.

use super::fault::Fault;

/// The controls of the demo in Pascal case, as the template's parameters have them, and whether they have a step to opt in to.
pub(super) const CONTROLS: [(&str, bool); 6] = [
    ("RestrictedSsh", true),
    ("Ec2EbsEncryptionByDefault", true),
    ("S3BucketPublicReadProhibited", true),
    ("S3BucketPublicWriteProhibited", true),
    ("IamRootAccessKeyCheck", false),
    ("CloudTrailLogFileValidationEnabled", false),
];

/// One resource, what is wrong with it, and how it must end.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What people call it.
    pub name: &'static str,
    /// The control that judges it.
    pub control: &'static str,
    /// What is wrong.
    pub(super) fault: Fault,
    /// How it must end.
    pub ending: Ending,
}

/// How a scenario must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Found, fixed, verified, undone: exactly these lines of its state change, from left to right; an empty right side
    /// means that the line goes.
    Fixed(&'static [(&'static str, &'static str)]),
    /// Found and planned; a person must act, and nothing changes.
    Planned,
    /// Nothing is found and nothing changes.
    Right,
}

/// The demo's rows, in their order.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "SSH open over IPv6 only",
        control: "restricted-ssh",
        fault: Fault::SshOverIpv6,
        ending: Ending::Fixed(&[("ingress tcp 22-22 ::/0 temporary", "")]),
    },
    Scenario {
        name: "one permission, the world and a private range",
        control: "restricted-ssh",
        fault: Fault::SshMixed,
        ending: Ending::Fixed(&[("ingress tcp 22-22 0.0.0.0/0 debugging", "")]),
    },
    Scenario {
        name: "all TCP ports open",
        control: "restricted-ssh",
        fault: Fault::AllTcpOpen,
        ending: Ending::Planned,
    },
    Scenario {
        name: "SSH from the office only",
        control: "restricted-ssh",
        fault: Fault::SshFromOffice,
        ending: Ending::Right,
    },
    Scenario {
        name: "bucket readable by policy",
        control: "s3-bucket-public-read-prohibited",
        fault: Fault::BucketByPolicy,
        ending: Ending::Fixed(&[
            ("block BlockPublicPolicy=false", "block BlockPublicPolicy=true"),
            ("block RestrictPublicBuckets=false", "block RestrictPublicBuckets=true"),
        ]),
    },
    Scenario {
        name: "bucket readable by ACL",
        control: "s3-bucket-public-read-prohibited",
        fault: Fault::BucketByAcl { permission: "READ" },
        ending: Ending::Fixed(&[
            ("block BlockPublicAcls=false", "block BlockPublicAcls=true"),
            ("block IgnorePublicAcls=false", "block IgnorePublicAcls=true"),
        ]),
    },
    Scenario {
        name: "bucket writable by ACL",
        control: "s3-bucket-public-write-prohibited",
        fault: Fault::BucketByAcl { permission: "WRITE" },
        ending: Ending::Fixed(&[
            ("block BlockPublicAcls=false", "block BlockPublicAcls=true"),
            ("block IgnorePublicAcls=false", "block IgnorePublicAcls=true"),
        ]),
    },
    Scenario {
        name: "trail without validation",
        control: "cloud-trail-log-file-validation-enabled",
        fault: Fault::TrailWithoutValidation,
        ending: Ending::Fixed(&[("LogFileValidationEnabled=false", "LogFileValidationEnabled=true")]),
    },
    Scenario {
        name: "EBS encryption off",
        control: "ec2-ebs-encryption-by-default",
        fault: Fault::EbsEncryptionOff,
        ending: Ending::Fixed(&[("EbsEncryptionByDefault=false", "EbsEncryptionByDefault=true")]),
    },
    Scenario {
        name: "root user with a key",
        control: "iam-root-access-key-check",
        fault: Fault::RootAccessKey,
        ending: Ending::Planned,
    },
];
