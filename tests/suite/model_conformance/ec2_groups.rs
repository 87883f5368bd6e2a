//! Security groups of EC2, against moto.

use aws_sdk_ec2::types::{Filter, IpPermission, IpRange, Ipv6Range, UserIdGroupPair};
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Declared, Parameters};
use rectify_ec2::{
    RESTRICTED_COMMON_PORTS, SECURITY_GROUP_DRIFT, VPC_DEFAULT_SECURITY_GROUP_CLOSED,
    VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS,
};
use rectify_ec2_lambda::Clients;
use rectify_runtime::client::Fix;
use rectify_tests::emulator::ACCOUNT;
use rectify_tests::services::Services;

use super::{SEPARATE, assert_model_conforms, target};

fn ec2() -> aws_sdk_ec2::Client {
    aws_sdk_ec2::Client::new(&Services::default().sdk(SEPARATE))
}

fn parameters<P: Parameters>(text: &str) -> P {
    RuleParameters::<P>::parse(Some(text)).unwrap().control
}

fn ports(protocol: &str, from: i32, to: i32, peers: &[&str]) -> IpPermission {
    let permission = IpPermission::builder().ip_protocol(protocol).from_port(from).to_port(to);
    let permission = peers.iter().fold(permission, |it, peer| {
        if peer.contains(':') {
            it.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(*peer).description("why it is here").build())
        } else {
            it.ip_ranges(IpRange::builder().cidr_ip(*peer).description("why it is here").build())
        }
    });
    permission.build()
}

async fn group_with(name: &str, permissions: Vec<IpPermission>) -> String {
    let ec2 = ec2();
    let made = ec2.create_security_group().group_name(name).description("d").send().await.unwrap();
    let group = made.group_id.unwrap();
    let authorize = ec2.authorize_security_group_ingress().group_id(&group).set_ip_permissions(Some(permissions));
    authorize.send().await.unwrap();
    group
}

/// Checks a control on this group against the emulator, and returns the calls.
async fn calls<K>(control: &'static Declared<K>, group: &str, parameters: &K::Params) -> Vec<String>
where
    K: Fix<Clients>,
{
    let sdk = Services::default().sdk(SEPARATE);
    assert_model_conforms::<_, Clients>(control, &sdk, &target(control, SEPARATE, group), parameters).await
}

#[tokio::test]
async fn revocation_of_blocked_ports_conforms() {
    let group = group_with(
        "blocked",
        vec![
            ports("tcp", 3389, 3389, &["0.0.0.0/0", "10.0.0.0/8", "::/0"]),
            ports("tcp", 5005, 5005, &["0.0.0.0/0"]),
            ports("udp", 3389, 3389, &["0.0.0.0/0"]),
        ],
    )
    .await;
    let calls = calls(&RESTRICTED_COMMON_PORTS, &group, &parameters(r#"{"blockedPorts":"5000-5010"}"#)).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].starts_with("RevokeSecurityGroupIngress {"), "{calls:?}");
    assert_eq!(calls[0].matches("sgr-").count(), 3, "{calls:?}");
}

#[tokio::test]
async fn revocation_of_unauthorized_rules_conforms() {
    let group = group_with(
        "unauthorized",
        vec![
            ports("tcp", 443, 443, &["0.0.0.0/0"]),
            ports("tcp", 8080, 8090, &["0.0.0.0/0", "10.0.0.0/8"]),
            ports("udp", 53, 53, &["::/0"]),
            ports("icmp", 8, -1, &["0.0.0.0/0"]),
        ],
    )
    .await;
    let parameters = parameters(r#"{"authorizedTcpPorts":"443","otherProtocols":"noncompliant"}"#);
    let calls = calls(&VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS, &group, &parameters).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].matches("sgr-").count(), 3, "{calls:?}");
}

#[tokio::test]
async fn emptying_the_default_group_conforms() {
    let ec2 = ec2();
    let vpc = ec2.create_vpc().cidr_block("10.8.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let in_vpc = Filter::builder().name("vpc-id").values(vpc).build();
    let groups = ec2.describe_security_groups().filters(in_vpc).send().await.unwrap().security_groups.unwrap();
    let group = groups[0].group_id().unwrap();
    let itself = UserIdGroupPair::builder().group_id(group).user_id(ACCOUNT).description("from itself").build();
    let from_itself = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(itself).build();
    let authorize = ec2.authorize_security_group_ingress().group_id(group);
    authorize.ip_permissions(from_itself).ip_permissions(ports("tcp", 22, 22, &["::/0"])).send().await.unwrap();
    let calls = calls(&VPC_DEFAULT_SECURITY_GROUP_CLOSED, group, &Default::default()).await;
    let names: Vec<&str> = calls.iter().filter_map(|call| call.split(' ').next()).collect();
    assert_eq!(names, ["RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"], "{calls:?}");
}

/// Writes a baseline of these rules for a group into the parameter that the control reads.
async fn approve(group: &str, rules: serde_json::Value) {
    let mut baseline = serde_json::json!({"version": 1, "groupId": group, "rules": rules});
    baseline["sha256"] =
        serde_json::json!(rectify_ec2::controls::security_group_drift::baseline::digest(baseline.clone()));
    let ssm = aws_sdk_ssm::Client::new(&Services::default().sdk(SEPARATE));
    let put = ssm.put_parameter().name(format!("/sg-baseline/{group}"));
    put.r#type(aws_sdk_ssm::types::ParameterType::String).value(baseline.to_string()).send().await.unwrap();
}

#[tokio::test]
async fn reset_to_the_baseline_conforms() {
    let extra = ports("tcp", 8080, 8080, &["0.0.0.0/0"]);
    let kept = ports("tcp", 443, 443, &["0.0.0.0/0", "::/0"]);
    let group = group_with("drifting", vec![extra, kept]).await;
    let rule = |dir: &str, port: i32, kind: &str, value: &str| {
        // moto drops the description of a rule whose peer is a group.
        let description = (kind != "sg").then_some("why it is here");
        serde_json::json!({"dir": dir, "proto": "tcp", "from": port, "to": port,
            "peer": {"kind": kind, "value": value}, "description": description})
    };
    let rules = serde_json::json!([
        rule("ingress", 443, "v4", "0.0.0.0/0"),
        rule("ingress", 443, "v6", "::/0"),
        rule("ingress", 5432, "sg", &group),
        rule("egress", 443, "v4", "0.0.0.0/0"),
    ]);
    approve(&group, rules).await;
    let calls = calls(&SECURITY_GROUP_DRIFT, &group, &parameters(r#"{"approvalGraceMinutes":0}"#)).await;
    let names: Vec<&str> = calls.iter().filter_map(|call| call.split(' ').next()).collect();
    let expected = [
        "AuthorizeSecurityGroupIngress",
        "AuthorizeSecurityGroupEgress",
        "RevokeSecurityGroupIngress",
        "RevokeSecurityGroupEgress",
    ];
    assert_eq!(names, expected, "{calls:?}");
}
