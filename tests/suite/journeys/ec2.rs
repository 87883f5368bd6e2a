//! Security groups and account settings of EC2.

use aws_sdk_ec2::types::{Filter, IpPermission, IpRange, UserIdGroupPair};
use rectify_local::engine::ResourceKey;
use rectify_local::world::{ACCOUNT, World};

use serde_json::json;

use super::run_lifecycle;

/// A group with these TCP ports open to the internet and a web port open to a private range, all with descriptions.
async fn open_group(world: &World, ports: &[i32]) -> ResourceKey {
    let ec2 = &world.clients().ec2;
    let made = ec2.create_security_group().group_name("open").description("open").send().await.unwrap();
    let id = made.group_id.unwrap();
    let range = |cidr: &str| IpRange::builder().cidr_ip(cidr).description("why it is here").build();
    let tcp = |port: i32| IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port);
    let mut permissions = vec![tcp(443).ip_ranges(range("10.0.0.0/8")).build()];
    permissions.extend(ports.iter().map(|port| tcp(*port).ip_ranges(range("0.0.0.0/0")).build()));
    let authorize = ec2.authorize_security_group_ingress().group_id(&id).set_ip_permissions(Some(permissions));
    authorize.send().await.unwrap();
    ResourceKey::new("AWS::EC2::SecurityGroup", id)
}

#[tokio::test(flavor = "multi_thread")]
async fn open_ssh_is_revoked_and_undone() {
    run_lifecycle("restricted-ssh", "{}", async |world| open_group(world, &[22]).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_database_ports_are_revoked_and_undone() {
    run_lifecycle("restricted-common-ports", "{}", async |world| open_group(world, &[3306, 3389]).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unauthorized_ports_are_revoked_and_undone() {
    let parameters = r#"{"authorizedTcpPorts":"443"}"#;
    let open = async |world: &World| open_group(world, &[443, 8080]).await;
    run_lifecycle("vpc-sg-open-only-to-authorized-ports", parameters, open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn default_group_is_emptied_and_undone() {
    let default = async |world: &World| {
        let ec2 = &world.clients().ec2;
        let vpc = ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
        let in_vpc = Filter::builder().name("vpc-id").values(vpc).build();
        let groups = ec2.describe_security_groups().filters(in_vpc).send().await.unwrap().security_groups.unwrap();
        let id = groups[0].group_id().unwrap();
        let itself = UserIdGroupPair::builder().group_id(id).user_id(ACCOUNT).build();
        let from_itself = IpPermission::builder().ip_protocol("-1").user_id_group_pairs(itself).build();
        // moto leaves out the ingress rule that AWS creates.
        ec2.authorize_security_group_ingress().group_id(id).ip_permissions(from_itself).send().await.unwrap();
        ResourceKey::new("AWS::EC2::SecurityGroup", id)
    };
    run_lifecycle("vpc-default-security-group-closed", "{}", default).await;
}

/// A group with an egress rule, an open port and a private port; its baseline has another port instead of the open one.
async fn drifting_group(world: &World) -> ResourceKey {
    let group = open_group(world, &[8080]).await;
    let id = &group.resource_id;
    let rule = |port: i32, cidr: &str| {
        json!({"dir": "ingress", "proto": "tcp", "from": port, "to": port,
        "peer": {"kind": "v4", "value": cidr}, "description": "why it is here"})
    };
    let out = json!({"dir": "egress", "proto": "-1", "peer": {"kind": "v4", "value": "0.0.0.0/0"}});
    let rules = json!([rule(443, "10.0.0.0/8"), rule(5432, "10.1.0.0/16"), out]);
    let mut baseline = json!({"version": 1, "groupId": id, "rules": rules});
    baseline["sha256"] = json!(rectify_ec2::controls::security_group_drift::baseline::digest(baseline.clone()));
    let ssm = aws_sdk_ssm::Client::new(&world.clients().sdk);
    let put = ssm.put_parameter().name(format!("/sg-baseline/{id}")).r#type(aws_sdk_ssm::types::ParameterType::String);
    put.value(baseline.to_string()).send().await.unwrap();
    group
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_reset_to_the_baseline_and_undone() {
    // The baseline is seconds old, which would block the plan for an hour.
    let parameters = r#"{"approvalGraceMinutes":"0"}"#;
    run_lifecycle("security-group-drift", parameters, async |world| drifting_group(world).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encryption_is_enabled_and_undone() {
    let account = async |_: &World| ResourceKey::new("AWS::::Account", ACCOUNT);
    run_lifecycle("ec2-ebs-encryption-by-default", "{}", account).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flow_log_is_created_and_undone() {
    let unlogged = async |world: &World| {
        let clients = world.clients();
        clients.s3.create_bucket().bucket("flow-logs").send().await.unwrap();
        let vpc = clients.ec2.create_vpc().cidr_block("10.11.0.0/16").send().await.unwrap().vpc.unwrap();
        ResourceKey::new("AWS::EC2::VPC", vpc.vpc_id.unwrap())
    };
    let parameters = r#"{"trafficType":"ALL","destinationArn":"arn:aws:s3:::flow-logs"}"#;
    run_lifecycle("vpc-flow-logs-enabled", parameters, unlogged).await;
}
