//! `cloudwatch-alarm-vpc-changes`: changes to VPCs raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// A peering connection joins two networks, possibly of two accounts.
    /// A new VPC may lack the flow logs and limits of the others.
    pub CLOUDWATCH_ALARM_VPC_CHANGES {
        id: "cloudwatch-alarm-vpc-changes",
        title: "Changes to VPCs raise no alarm",
        subject: "changes to VPCs and their peering connections",
        events: [
            "CreateVpc",
            "DeleteVpc",
            "ModifyVpcAttribute",
            "AcceptVpcPeeringConnection",
            "CreateVpcPeeringConnection",
            "DeleteVpcPeeringConnection",
            "RejectVpcPeeringConnection",
        ],
        retired: ["AttachClassicLinkVpc", "DetachClassicLinkVpc", "DisableVpcClassicLink", "EnableVpcClassicLink"],
        metric: "VpcChanges",
        cis: "4.14",
        security_hub: "14",
    }
}
