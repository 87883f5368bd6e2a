//! Subnets and network ACLs of EC2, against moto.

use aws_sdk_ec2::types::{AttributeBooleanValue, PortRange, RuleAction};
use rectify_compliance::{Remediation, Timestamp};
use rectify_ec2::{NACL_NO_UNRESTRICTED_SSH_RDP, NaclNoUnrestrictedSshRdp, SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED};
use rectify_ec2_lambda::Clients;
use rectify_runtime::client::{Connect, Fix};
use rectify_tests::services::{InjectedError, Services};

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

/// moto 5.2.5 fails with an internal error where EC2 returns `InvalidNetworkAclEntry.NotFound`, so the second deletion,
/// after a lost response, gets an injected error.
#[tokio::test]
async fn entries_of_a_network_acl_conform() {
    let sdk = Services::default().sdk(SEPARATE);
    let ec2 = aws_sdk_ec2::Client::new(&sdk);
    let vpc = ec2.create_vpc().cidr_block("10.42.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let id = ec2.create_network_acl().vpc_id(vpc).send().await.unwrap().network_acl.unwrap().network_acl_id.unwrap();
    for (number, protocol, port, v4, v6) in [
        (100, "6", 22, Some("0.0.0.0/0"), None),
        (110, "17", 3389, None, Some("::/0")),
        (120, "6", 443, Some("0.0.0.0/0"), None),
    ] {
        let create = ec2.create_network_acl_entry().network_acl_id(&id).rule_number(number).egress(false);
        let create = create.protocol(protocol).rule_action(RuleAction::Allow);
        let create = create.port_range(PortRange::builder().from(port).to(port).build());
        create.set_cidr_block(v4.map(str::to_owned)).set_ipv6_cidr_block(v6.map(str::to_owned)).send().await.unwrap();
    }

    let target = target(&NACL_NO_UNRESTRICTED_SSH_RDP, SEPARATE, &id);
    let (control, clients, params) = (NaclNoUnrestrictedSshRdp, Clients::connect(&sdk), Default::default());
    let live = async || control.live(&clients, &target, &params).await.unwrap().unwrap();
    let before = live().await;
    let plan = control.plan(&before, &params, Timestamp::now());
    let done: Vec<_> = plan.calls().into_iter().cloned().collect();
    assert_eq!((done.len(), plan.blocker(true)), (2, None), "{plan:?}");
    let mut expected = before.clone();
    for action in &done {
        expected = control.predict(expected, action);
        control.apply(&clients, &target, action).await.unwrap();
        assert_eq!(live().await, expected, "after {action:?}");
        let operation = Some("ec2:DeleteNetworkAclEntry");
        let gone = InjectedError { operation, number: 1, code: "InvalidNetworkAclEntry.NotFound" };
        let again = Clients::connect(&Services::refusing([gone]).sdk(SEPARATE));
        control.apply(&again, &target, action).await.unwrap();
    }
    for undo in control.undo(&before, &done).unwrap() {
        control.revert(&clients, &target, &undo).await.unwrap();
        control.revert(&clients, &target, &undo).await.unwrap();
    }
    assert_eq!(live().await, before);
}
