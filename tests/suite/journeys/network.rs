//! Subnets and network ACLs.

use aws_sdk_ec2::types::{AttributeBooleanValue, PortRange, RuleAction};
use rectify_local::engine::ResourceKey;
use rectify_local::world::World;

use super::run_lifecycle;

/// A new VPC.
async fn vpc(world: &World) -> String {
    let made = world.clients().ec2.create_vpc().cidr_block("10.31.0.0/16").send().await.unwrap();
    made.vpc.unwrap().vpc_id.unwrap()
}

/// A subnet that assigns public IPv4 and IPv6 addresses, without instances.
async fn subnet_that_assigns_addresses(world: &World) -> ResourceKey {
    let ec2 = &world.clients().ec2;
    let made = ec2.create_subnet().vpc_id(vpc(world).await).cidr_block("10.31.1.0/24").send().await.unwrap();
    let id = made.subnet.unwrap().subnet_id.unwrap();
    let on = AttributeBooleanValue::builder().value(true).build();
    ec2.modify_subnet_attribute().subnet_id(&id).map_public_ip_on_launch(on.clone()).send().await.unwrap();
    ec2.modify_subnet_attribute().subnet_id(&id).assign_ipv6_address_on_creation(on).send().await.unwrap();
    ResourceKey::new("AWS::EC2::Subnet", id)
}

#[tokio::test(flavor = "multi_thread")]
async fn subnet_assigns_no_addresses_and_is_undone() {
    run_lifecycle("subnet-auto-assign-public-ip-disabled", "{}", subnet_that_assigns_addresses).await;
}

/// A network ACL that lets the internet reach SSH over IPv4 and RDP over IPv6, beside a web port.
async fn open_network_acl(world: &World) -> ResourceKey {
    let ec2 = &world.clients().ec2;
    let made = ec2.create_network_acl().vpc_id(vpc(world).await).send().await.unwrap();
    let id = made.network_acl.unwrap().network_acl_id.unwrap();
    let entry = |number: i32, port: i32| {
        let ports = PortRange::builder().from(port).to(port).build();
        let create = ec2.create_network_acl_entry().network_acl_id(&id).rule_number(number).egress(false);
        create.protocol("6").port_range(ports).rule_action(RuleAction::Allow)
    };
    entry(100, 443).cidr_block("0.0.0.0/0").send().await.unwrap();
    entry(110, 22).cidr_block("0.0.0.0/0").send().await.unwrap();
    entry(120, 3389).ipv6_cidr_block("::/0").send().await.unwrap();
    ResourceKey::new("AWS::EC2::NetworkAcl", id)
}

#[tokio::test(flavor = "multi_thread")]
async fn network_acl_is_closed_and_undone() {
    run_lifecycle("nacl-no-unrestricted-ssh-rdp", "{}", open_network_acl).await;
}
