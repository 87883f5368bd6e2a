//! `cloudwatch-alarm-route-table-changes`: changes to route tables raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// A route decides where the traffic of a subnet goes.
    /// A changed one can lead it past a firewall, to the internet or to nowhere.
    pub CLOUDWATCH_ALARM_ROUTE_TABLE_CHANGES {
        id: "cloudwatch-alarm-route-table-changes",
        title: "Changes to route tables raise no alarm",
        subject: "changes to route tables",
        events: [
            "CreateRoute",
            "CreateRouteTable",
            "ReplaceRoute",
            "ReplaceRouteTableAssociation",
            "DeleteRouteTable",
            "DeleteRoute",
            "DisassociateRouteTable",
        ],
        also_from: "ec2.amazonaws.com",
        metric: "RouteTableChanges",
        cis: "4.13",
        security_hub: "13",
    }
}
