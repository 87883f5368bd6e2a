//! Whether an AWS service owns a resource, so that user changes to it do not last.
//!
//! EC2 states it in three places; any one of them is enough. Knows no SDK and no control.

use serde_json::Value;

/// What EC2 states about the owner of a resource; a field is absent if the resource does not have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ownership<'a> {
    /// `RequesterManaged`: a service created it in the account's VPC.
    pub requester_managed: Option<bool>,
    /// `InterfaceType` of a network interface.
    pub interface_type: Option<&'a str>,
    /// `Operator.Managed`: a service manages it, e.g. an instance of EKS Auto Mode with its volumes and interfaces.
    pub operator_managed: Option<bool>,
}

/// The types of network interfaces that users create. All others are created by a service: `lambda`, `nat_gateway`,
/// `vpc_endpoint`, `network_load_balancer`, the `trunk` and `branch` interfaces of ECS and EKS, and future types
/// ([DescribeNetworkInterfaces](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html),
/// November 2026).
const USER_CREATED: [&str; 3] = ["interface", "efa", "efa-only"];

impl<'a> Ownership<'a> {
    /// The ownership stated in the `configuration` of an item.
    pub fn of(configuration: &'a Value) -> Self {
        let at = |pointer: &str| configuration.pointer(pointer);
        Self {
            requester_managed: at("/requesterManaged").and_then(Value::as_bool),
            interface_type: at("/interfaceType").and_then(Value::as_str).filter(|it| !it.is_empty()),
            operator_managed: at("/operator/managed").and_then(Value::as_bool),
        }
    }

    /// Whether a service owns it. Without a statement it counts as the user's.
    pub fn is_service_owned(&self) -> bool {
        self.requester_managed == Some(true)
            || self.operator_managed == Some(true)
            || self.interface_type.is_some_and(|kind| !USER_CREATED.contains(&kind))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_of_the_three_fields_is_enough() {
        for (configuration, expected) in [
            (json!({}), false),
            (json!({"requesterManaged": null, "interfaceType": null, "operator": null}), false),
            (json!({"requesterManaged": false, "interfaceType": "interface", "operator": {"managed": false}}), false),
            (json!({"interfaceType": "efa"}), false),
            (json!({"interfaceType": "efa-only", "requesterManaged": false}), false),
            (json!({"interfaceType": ""}), false),
            (json!({"requesterManaged": true, "interfaceType": "interface"}), true),
            (json!({"operator": {"managed": true, "principal": "eks.amazonaws.com"}}), true),
            (json!({"operator": {"principal": "eks.amazonaws.com"}}), false),
        ] {
            assert_eq!(Ownership::of(&configuration).is_service_owned(), expected, "{configuration}");
        }
    }

    #[test]
    fn interface_is_service_owned_unless_users_create_its_type() {
        for kind in [
            "lambda",
            "branch",
            "trunk",
            "nat_gateway",
            "natGateway",
            "vpc_endpoint",
            "network_load_balancer",
            "load_balancer",
            "gateway_load_balancer",
            "gateway_load_balancer_endpoint",
            "transit_gateway",
            "quicksight",
            "api_gateway_managed",
            "global_accelerator_managed",
            "iot_rules_managed",
            "aws_codestar_connections_managed",
            "ec2_instance_connect_endpoint",
            "a_future_type",
        ] {
            let configuration = json!({"interfaceType": kind, "requesterManaged": false});
            assert!(Ownership::of(&configuration).is_service_owned(), "{kind}");
        }
    }
}
