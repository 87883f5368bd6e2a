//! `cloudwatch-alarm-security-group-changes`: changes to security groups raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// A security group decides which hosts reach an instance or a database; one rule opens it to the internet.
    pub CLOUDWATCH_ALARM_SECURITY_GROUP_CHANGES {
        id: "cloudwatch-alarm-security-group-changes",
        title: "Changes to security groups raise no alarm",
        subject: "changes to security groups",
        events: [
            "AuthorizeSecurityGroupIngress",
            "AuthorizeSecurityGroupEgress",
            "RevokeSecurityGroupIngress",
            "RevokeSecurityGroupEgress",
            "CreateSecurityGroup",
            "DeleteSecurityGroup",
        ],
        metric: "SecurityGroupChanges",
        cis: "4.10",
        security_hub: "10",
    }
}
