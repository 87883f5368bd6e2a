//! `cloudwatch-alarm-network-gateway-changes`: changes to network gateways raise no alarm.

use crate::families::alarm_control::alarm_on_events;

alarm_on_events! {
    /// A VPC reaches the internet, or a network outside of AWS, only through a gateway.
    /// An attached internet gateway is the first step to publish a private network.
    pub CLOUDWATCH_ALARM_NETWORK_GATEWAY_CHANGES {
        id: "cloudwatch-alarm-network-gateway-changes",
        title: "Changes to network gateways raise no alarm",
        subject: "changes to customer gateways and internet gateways",
        events: [
            "CreateCustomerGateway",
            "DeleteCustomerGateway",
            "AttachInternetGateway",
            "CreateInternetGateway",
            "DeleteInternetGateway",
            "DetachInternetGateway",
        ],
        metric: "NetworkGatewayChanges",
        cis: "4.12",
        security_hub: "12",
    }
}
