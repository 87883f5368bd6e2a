//! `cloudwatch-alarm-nacl-changes`: changes to network ACLs raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// A network ACL filters the traffic of whole subnets, whatever their security groups allow.
    /// ACLs rarely change: a change is a project, a mistake or an intruder.
    pub CLOUDWATCH_ALARM_NACL_CHANGES {
        id: "cloudwatch-alarm-nacl-changes",
        title: "Changes to network ACLs raise no alarm",
        subject: "changes to network ACLs",
        events: [
            "CreateNetworkAcl",
            "CreateNetworkAclEntry",
            "DeleteNetworkAcl",
            "DeleteNetworkAclEntry",
            "ReplaceNetworkAclEntry",
            "ReplaceNetworkAclAssociation",
        ],
        metric: "NetworkAclChanges",
        cis: "4.11",
        security_hub: "11",
    }
}
