//! Subnets and network ACLs.

use aws_sdk_ec2::types::AttributeBooleanValue;
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
