//! What profiles choose: controls by name, and parameters. Where a profile sets none, the default of the control holds.

/// The controls of `starter`.
pub(super) const STARTER: &[&str] = &[
    "restricted-ssh",
    "ec2-ebs-encryption-by-default",
    "s3-bucket-public-read-prohibited",
    "s3-bucket-public-write-prohibited",
    "iam-root-access-key-check",
    "mfa-enabled-for-iam-console-access",
    "cloud-trail-log-file-validation-enabled",
];

/// A parameter of a control, with its value in a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// The control.
    pub control: &'static str,
    /// The parameter.
    pub name: &'static str,
    /// The value, as AWS Config sends it.
    pub value: &'static str,
    /// The reason.
    pub why: &'static str,
}

/// What Security Hub passes to its rules (its pages of mid 2026).
#[rustfmt::skip]
pub(super) const SECURITY_HUB: &[Preset] = &[
    set("db-instance-backup-enabled", "backupRetentionMinimum", "7", "RDS.11 requires seven days"),
    set("iam-password-policy", "MaxPasswordAge", "none", "IAM.7 does not limit the age"),
    set("iam-password-policy", "MinimumPasswordLength", "8", "IAM.7 requires eight characters"),
    set("iam-password-policy", "PasswordReusePrevention", "none", "IAM.7 does not limit reuse"),
    set("restricted-common-ports", "blockedPorts", "22,23,25,110,135,143,445,1433,1434,3000,5000,5432,5500,5601,8080,8088,8888,9200,9300", "EC2.19 lists these beside the default ports"),
    set("vpc-flow-logs-enabled", "trafficType", "REJECT", "EC2.6 requires rejected traffic"),
    set("vpc-sg-open-only-to-authorized-ports", "authorizedTcpPorts", "80,443", "EC2.18 authorizes these"),
];

/// What both versions of the CIS benchmark require.
#[rustfmt::skip]
pub(super) const CIS: &[Preset] = &[
    set("iam-password-policy", "MaxPasswordAge", "none", "CIS has length and reuse only"),
    set("iam-password-policy", "RequireLowercaseCharacters", "false", "CIS has length and reuse only"),
    set("iam-password-policy", "RequireNumbers", "false", "CIS has length and reuse only"),
    set("iam-password-policy", "RequireSymbols", "false", "CIS has length and reuse only"),
    set("iam-password-policy", "RequireUppercaseCharacters", "false", "CIS has length and reuse only"),
    set("iam-user-unused-credentials-check", "maxCredentialUsageAge", "45", "CIS requires 45 days"),
    set("restricted-common-ports", "blockedPort1", "none", "CIS names the administration ports 22 and 3389"),
    set("restricted-common-ports", "blockedPort2", "none", "CIS names the administration ports 22 and 3389"),
    set("restricted-common-ports", "blockedPort4", "none", "CIS names the administration ports 22 and 3389"),
    set("restricted-common-ports", "blockedPort5", "none", "CIS names the administration ports 22 and 3389"),
    set("restricted-common-ports", "udpPorts", "22,3389", "CIS counts UDP; TCP 22 is evaluated by restricted-ssh"),
    set("vpc-flow-logs-enabled", "trafficType", "REJECT", "CIS requires rejected traffic"),
];

/// What version 5.0 requires beyond that.
pub(super) const CIS_50: &[Preset] = &[set("restricted-common-ports", "blockedPorts", "445", "5.1.2 is about CIFS")];

const fn set(control: &'static str, name: &'static str, value: &'static str, why: &'static str) -> Preset {
    Preset { control, name, value, why }
}
