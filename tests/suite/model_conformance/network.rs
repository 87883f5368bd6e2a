//! Subnets and network ACLs of EC2, against moto.

use aws_sdk_ec2::types::AttributeBooleanValue;
use rectify_ec2::SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED;
use rectify_ec2_lambda::Clients;
use rectify_tests::services::Services;

use super::{SEPARATE, assert_model_conforms, target};

#[tokio::test]
async fn attributes_of_a_subnet_conform() {
    let sdk = Services::default().sdk(SEPARATE);
    let ec2 = aws_sdk_ec2::Client::new(&sdk);
    let vpc = ec2.create_vpc().cidr_block("10.41.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let made = ec2.create_subnet().vpc_id(vpc).cidr_block("10.41.1.0/24").send().await.unwrap();
    let id = made.subnet.unwrap().subnet_id.unwrap();
    let on = AttributeBooleanValue::builder().value(true).build();
    ec2.modify_subnet_attribute().subnet_id(&id).map_public_ip_on_launch(on.clone()).send().await.unwrap();
    ec2.modify_subnet_attribute().subnet_id(&id).assign_ipv6_address_on_creation(on).send().await.unwrap();

    let target = target(&SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED, SEPARATE, &id);
    let params = Default::default();
    let calls =
        assert_model_conforms::<_, Clients>(&SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED, &sdk, &target, &params).await;
    let call = |attribute: &str| {
        format!("ModifySubnetAttribute {{\"{attribute}\":{{\"Value\":false}},\"SubnetId\":\"{id}\"}}")
    };
    assert_eq!(calls, [call("MapPublicIpOnLaunch"), call("AssignIpv6AddressOnCreation")]);
}
