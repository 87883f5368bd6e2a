//! Networks, instances, volumes, load balancers.

use super::{Absent, Answer, Kind, Property, answer, property};
use crate::template::forms::{addresses, attributes, flag, rules, same, text};

const PORTS: &[&str] = &["restricted-ssh", "restricted-common-ports", "vpc-sg-open-only-to-authorized-ports"];
const IMDS: &[&str] = &["ec2-imdsv2-check"];
const PUBLIC_IP: &[&str] = &["ec2-instance-no-public-ip"];
const VOLUMES: &[&str] = &["encrypted-volumes"];
const SUBNETS: &[&str] = &["subnet-auto-assign-public-ip-disabled"];
const PROTECTION: &[&str] = &["elb-deletion-protection-enabled"];

const METADATA: &str = "the account's defaults and the AMI decide";

const fn ports(control: &'static str) -> Answer {
    Answer { facts: "/network", ..answer(control) }
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        template: "AWS::EC2::SecurityGroup",
        recorded: "AWS::EC2::SecurityGroup",
        is_global: false,
        base: r#"{
            "configuration": {"groupId": "{id}", "groupName": "{name}", "ipPermissionsEgress": []},
            "network": {"prefixLists": {}, "usage": null}
        }"#,
        controls: &[
            ports("restricted-ssh"),
            ports("restricted-common-ports"),
            ports("vpc-sg-open-only-to-authorized-ports"),
        ],
        properties: &[property(
            "/SecurityGroupIngress",
            "/configuration/ipPermissions",
            rules,
            Absent::Is("[]"),
            PORTS,
        )
        .referring(&["SourceSecurityGroupId", "SourceSecurityGroupName", "SourceSecurityGroupOwnerId"])
        .partial()],
    },
    Kind {
        template: "AWS::EC2::Instance",
        recorded: "AWS::EC2::Instance",
        is_global: false,
        base: r#"{"configuration": {"instanceId": "{id}", "state": {"name": "running"}}}"#,
        controls: &[answer("ec2-imdsv2-check"), answer("ec2-instance-no-public-ip")],
        properties: &[
            property(
                "/MetadataOptions/HttpTokens",
                "/configuration/metadataOptions/httpTokens",
                text,
                Absent::Unknown(METADATA),
                IMDS,
            ),
            property(
                "/MetadataOptions/HttpEndpoint",
                "/configuration/metadataOptions/httpEndpoint",
                text,
                Absent::Is(r#""enabled""#),
                IMDS,
            ),
            property(
                "/MetadataOptions/HttpPutResponseHopLimit",
                "/configuration/metadataOptions/httpPutResponseHopLimit",
                same,
                Absent::Is("1"),
                IMDS,
            ),
            property(
                "/NetworkInterfaces",
                "/configuration/networkInterfaces",
                addresses,
                Absent::Unknown("the subnet decides"),
                PUBLIC_IP,
            ),
        ],
    },
    Kind {
        template: "AWS::EC2::Volume",
        recorded: "AWS::EC2::Volume",
        is_global: false,
        // A volume is declared to be attached; one that is not has no data yet.
        base: r#"{"configuration": {"state": "in-use", "attachments": [{"instanceId": "an instance"}]}}"#,
        controls: &[answer("encrypted-volumes")],
        properties: &[
            property(
                "/Encrypted",
                "/configuration/encrypted",
                flag,
                Absent::Unknown("the account's encryption by default decides"),
                VOLUMES,
            ),
            property("/KmsKeyId", "/configuration/kmsKeyId", text, Absent::Omitted, VOLUMES)
                .referring(super::ANY)
                .compared_with(&["kmsId"]),
        ],
    },
    Kind {
        template: "AWS::EC2::Subnet",
        recorded: "AWS::EC2::Subnet",
        is_global: false,
        base: r#"{"configuration": {"subnetId": "{id}", "defaultForAz": false}}"#,
        controls: &[answer("subnet-auto-assign-public-ip-disabled")],
        properties: &[
            subnet("/MapPublicIpOnLaunch", "/configuration/mapPublicIpOnLaunch"),
            subnet("/AssignIpv6AddressOnCreation", "/configuration/assignIpv6AddressOnCreation"),
            subnet("/Ipv6Native", "/configuration/ipv6Native"),
        ],
    },
    Kind {
        template: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        recorded: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        is_global: false,
        base: r#"{"configuration": {"loadBalancerName": "{name}", "state": {"code": "active"}}}"#,
        controls: &[answer("elb-deletion-protection-enabled")],
        properties: &[property(
            "/LoadBalancerAttributes",
            "/supplementaryConfiguration/LoadBalancerAttributes",
            attributes,
            Absent::Is(r#"[{"key": "deletion_protection.enabled", "value": "false"}]"#),
            PROTECTION,
        )],
    },
];

const fn subnet(from: &'static str, to: &'static str) -> Property {
    property(from, to, flag, Absent::Is("false"), SUBNETS)
}
