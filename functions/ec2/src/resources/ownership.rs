//! Whether an AWS service owns a resource, so that what people set on it does not last.
//!
//! EC2 states it in three places, and each of them alone is enough. Knows no SDK and no control.

use serde_json::Value;

/// What EC2 states about who owns a resource, each part where the resource has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ownership<'a> {
    /// `RequesterManaged`: a service made it in the account's VPC.
    pub requester_managed: Option<bool>,
    /// `InterfaceType` of a network interface.
    pub interface_type: Option<&'a str>,
    /// `Operator.Managed`: a service manages it, e.g. an instance of EKS Auto Mode with its volumes and interfaces.
    pub operator_managed: Option<bool>,
}

/// The types of network interfaces that people make. All others are made by a service: `lambda`, `nat_gateway`,
/// `vpc_endpoint`, `network_load_balancer`, the `trunk` and `branch` interfaces of ECS and EKS, and those still to come
/// ([DescribeNetworkInterfaces](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterface.html),
/// November 2026).
const OF_PEOPLE: [&str; 3] = ["interface", "efa", "efa-only"];

impl<'a> Ownership<'a> {
    /// What the `configuration` of an item states.
    pub fn of(configuration: &'a Value) -> Self {
        let at = |pointer: &str| configuration.pointer(pointer);
        Self {
            requester_managed: at("/requesterManaged").and_then(Value::as_bool),
            interface_type: at("/interfaceType").and_then(Value::as_str).filter(|it| !it.is_empty()),
            operator_managed: at("/operator/managed").and_then(Value::as_bool),
        }
    }

    /// Whether a service owns it. What is not stated is not owned by one.
    pub fn is_of_a_service(&self) -> bool {
        self.requester_managed == Some(true)
            || self.operator_managed == Some(true)
            || self.interface_type.is_some_and(|kind| !OF_PEOPLE.contains(&kind))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_of_the_three_places_is_enough() {
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
            assert_eq!(Ownership::of(&configuration).is_of_a_service(), expected, "{configuration}");
        }
    }

    #[test]
    fn an_interface_is_of_a_service_unless_its_type_is_one_that_people_make() {
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
            "a_type_of_next_year",
        ] {
            let configuration = json!({"interfaceType": kind, "requesterManaged": false});
            assert!(Ownership::of(&configuration).is_of_a_service(), "{kind}");
        }
    }
}
