//! Volumes and what the network of a VPC exposes: denied and missing reads, and plans that are left to an operator.

use aws_sdk_ec2::types::{
    AttributeBooleanValue, LaunchTemplateSpecification, RequestLaunchTemplateData as LaunchTemplateData,
};
use rectify_ec2::{
    EC2_INSTANCE_NO_PUBLIC_IP, ENCRYPTED_VOLUMES, NACL_NO_UNRESTRICTED_SSH_RDP, SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED,
};
use rectify_ec2_lambda::Clients;

use super::instances::{each_denied_live_read_is_an_error, instance};
use super::*;

fn ec2() -> aws_sdk_ec2::Client {
    aws_sdk_ec2::Client::new(&sdk_at(endpoint()))
}

/// Remediates a resource that violates, and returns the outcome with the calls.
async fn outcome<K: Fix<Clients>>(control: &'static Declared<K>, id: &str) -> (Outcome, Vec<String>) {
    let (sandbox, services) = (Sandbox::create().await, Services::default());
    let disposition = remediate::<_, Clients>(control, &services, &sandbox, id).await.unwrap();
    let Disposition::Ended { outcome, .. } = disposition else { panic!("{disposition:?}") };
    (outcome, services.calls())
}

#[tokio::test]
async fn unencrypted_volume_is_read_and_left_to_an_operator() {
    let id = instance().await;
    let found = ec2().describe_instances().instance_ids(id).send().await.unwrap();
    let mapping = &found.reservations()[0].instances()[0].block_device_mappings()[0];
    let volume = mapping.ebs().unwrap().volume_id().unwrap();
    let read = "ec2:DescribeVolumes";
    let (ended, calls) = outcome(&ENCRYPTED_VOLUMES, volume).await;
    assert_eq!((ended, calls.iter().all(|call| call == read)), (Outcome::Planned, true), "{calls:?}");
    let gone = outcome(&ENCRYPTED_VOLUMES, "vol-00000000000000000").await;
    assert_eq!(gone, (Outcome::Gone, vec![read.to_owned()]));
    each_denied_live_read_is_an_error::<_, Clients>(&ENCRYPTED_VOLUMES, volume, &[read], "no write").await;
}

/// A subnet of a new VPC that assigns public IPv4 and IPv6 addresses.
async fn open_subnet(cidr: &str) -> String {
    let ec2 = ec2();
    let vpc = ec2.create_vpc().cidr_block(cidr).send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let made = ec2.create_subnet().vpc_id(vpc).cidr_block(cidr).send().await.unwrap();
    let id = made.subnet.unwrap().subnet_id.unwrap();
    let on = AttributeBooleanValue::builder().value(true).build();
    ec2.modify_subnet_attribute().subnet_id(&id).map_public_ip_on_launch(on.clone()).send().await.unwrap();
    ec2.modify_subnet_attribute().subnet_id(&id).assign_ipv6_address_on_creation(on).send().await.unwrap();
    id
}

/// `subnet-auto-assign-public-ip-disabled/6`, `subnet-auto-assign-public-ip-disabled/8`
#[tokio::test]
async fn subnet_that_keeps_one_attribute_is_a_failed_attempt_and_a_deleted_one_is_gone() {
    let (sandbox, id) = (Sandbox::create().await, open_subnet("10.21.0.0/24").await);
    let write = "ec2:ModifySubnetAttribute";
    let services =
        Services::refusing([InjectedError { operation: Some(write), number: 2, code: "UnauthorizedOperation" }]);
    let error = remediate::<_, Clients>(&SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED, &services, &sandbox, &id).await;
    let error = error.unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, number: 2, total: 2, .. }), "{error:?}");
    let after = ec2().describe_subnets().subnet_ids(&id).send().await.unwrap().subnets.unwrap();
    let attributes = (after[0].map_public_ip_on_launch(), after[0].assign_ipv6_address_on_creation());
    assert_eq!(attributes, (Some(false), Some(true)), "changed in part");

    let gone = outcome(&SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED, "subnet-00000000000000000").await;
    assert_eq!(gone, (Outcome::Gone, vec!["ec2:DescribeSubnets".to_owned()]));
}

/// `subnet-auto-assign-public-ip-disabled/5`: an instance in the subnet shows that a launch template launches into it.
#[tokio::test]
async fn subnet_is_kept_while_instances_are_launched_into_it() {
    let (ec2, id) = (ec2(), open_subnet("10.22.0.0/24").await);
    let data = LaunchTemplateData::builder().image_id("ami-12c6146b").build();
    ec2.create_launch_template().launch_template_name("fleet").launch_template_data(data).send().await.unwrap();
    let template = LaunchTemplateSpecification::builder().launch_template_name("fleet").version("1").build();
    let run = ec2.run_instances().launch_template(template).subnet_id(&id).min_count(1).max_count(1);
    run.send().await.unwrap();
    let (ended, calls) = outcome(&SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED, &id).await;
    let write = "ec2:ModifySubnetAttribute";
    assert_eq!((ended, calls.contains(&write.to_owned())), (Outcome::Planned, false), "{calls:?}");
    let reads = ["ec2:DescribeSubnets", "ec2:DescribeInstances"];
    each_denied_live_read_is_an_error::<_, Clients>(&SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED, &id, &reads, write).await;
}

#[tokio::test]
async fn denied_or_missing_network_acl_is_reported() {
    let (read, write) = ("ec2:DescribeNetworkAcls", "ec2:DeleteNetworkAclEntry");
    let vpc = ec2().create_vpc().cidr_block("10.23.0.0/24").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let made = ec2().create_network_acl().vpc_id(vpc).send().await.unwrap();
    let id = made.network_acl.unwrap().network_acl_id.unwrap();
    each_denied_live_read_is_an_error::<_, Clients>(&NACL_NO_UNRESTRICTED_SSH_RDP, &id, &[read], write).await;
    // The ACL has no entries.
    let closed = outcome(&NACL_NO_UNRESTRICTED_SSH_RDP, &id).await;
    assert_eq!(closed, (Outcome::AlreadyCompliant, vec![read.to_owned()]));

    // moto 5.2.5 names a route table here.
    let gone = InjectedError { operation: Some(read), number: 1, code: "InvalidNetworkAclID.NotFound" };
    let (sandbox, services) = (Sandbox::create().await, Services::refusing([gone]));
    let gone = remediate::<_, Clients>(&NACL_NO_UNRESTRICTED_SSH_RDP, &services, &sandbox, &id).await.unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
}

#[tokio::test]
async fn public_address_is_read_and_left_to_an_operator() {
    let (read, id) = ("ec2:DescribeInstances", instance().await);
    let address = ec2().allocate_address().send().await.unwrap().allocation_id.unwrap();
    ec2().associate_address().allocation_id(address).instance_id(&id).send().await.unwrap();
    let (ended, calls) = outcome(&EC2_INSTANCE_NO_PUBLIC_IP, &id).await;
    assert_eq!((ended, calls.iter().all(|call| call == read)), (Outcome::Planned, true), "{calls:?}");
    let gone = outcome(&EC2_INSTANCE_NO_PUBLIC_IP, "i-00000000000000000").await;
    assert_eq!(gone, (Outcome::Gone, vec![read.to_owned()]));
    each_denied_live_read_is_an_error::<_, Clients>(&EC2_INSTANCE_NO_PUBLIC_IP, &id, &[read], "no write").await;
}
