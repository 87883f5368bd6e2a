//! Verdicts and plans of `ec2-instance-no-public-ip`.
use proptest::prelude::*;
use rectify_compliance::Resource;
use rectify_testing::{Case, Cases, Laws};
use serde_json::{Value, json};

use super::*;
use crate::resources::instance::tests::{instance, item_of};

const IPV6_TOO: &str = r#"{"checkIpv6": "true"}"#;

fn read(change: impl FnOnce(&mut Value)) -> Result<InstanceAddresses, String> {
    let interface =
        |id: &str| json!({"networkInterfaceId": id, "privateIpAddress": "10.0.1.17", "privateIpAddresses": []});
    let mut configuration =
        json!({"state": {"name": "running"}, "networkInterfaces": [interface("eni-1"), interface("eni-2")]});
    change(&mut configuration);
    InstanceAddresses::from_item(&item_of(configuration)).map_err(|error| error.to_string())
}

fn case<'a>(
    name: &'a str,
    change: impl FnOnce(&mut Value),
) -> Case<'a, ByHand<InstanceAddresses, Ec2InstanceNoPublicIpParameters>> {
    Cases::of(&CONTROL, read(change).unwrap()).case(name, |_| ())
}

/// An association with an address of this owner.
fn public(owner: &str) -> Value {
    json!({"publicIp": "203.0.113.7", "publicDnsName": "", "ipOwnerId": owner})
}

const TURN_OFF: &str = "L3 manual: ec2:ModifyNetworkInterfaceAttribute of eni-1 with AssociatePublicIpAddress=false, \
                        which gives up 203.0.113.7, or replace the instance by one without a public address";
const DISASSOCIATE: &str = "L3 manual: ec2:DisassociateAddress of 203.0.113.7 from eni-1";

#[test]
fn every_address_of_every_interface_counts() {
    let at = |pointer: &'static str, value: Value| {
        move |it: &mut Value| *it.pointer_mut("/networkInterfaces").unwrap().pointer_mut(pointer).unwrap() = value
    };
    let first = |value: Value| move |it: &mut Value| it["networkInterfaces"][0]["association"] = value;
    case("none", |_| ()).compliant();
    case("ec2-instance-no-public-ip/1", first(public("amazon")))
        .non_compliant("i-1 has 203.0.113.7 on eni-1")
        .planned(&[TURN_OFF]);
    case("ec2-instance-no-public-ip/2", |it| it["networkInterfaces"][1]["association"] = public("amazon"))
        .non_compliant("i-1 has 203.0.113.7 on eni-2");
    case("ec2-instance-no-public-ip/3", first(public("111122223333")))
        .non_compliant("i-1 has 203.0.113.7 on eni-1 (Elastic IP)")
        .planned(&[DISASSOCIATE]);
    case("of a secondary address", at("/0/privateIpAddresses", json!([{}, {"association": public("111122223333")}])))
        .non_compliant("i-1 has 203.0.113.7 on eni-1 (Elastic IP)");
    case("stated by the instance only", |it| it["publicIpAddress"] = json!("203.0.113.7"))
        .non_compliant("i-1 has 203.0.113.7");
    case("ec2-instance-no-public-ip/9", first(json!({"carrierIp": "203.0.113.7", "ipOwnerId": "amazon"})))
        .non_compliant("i-1 has 203.0.113.7 on eni-1 (carrier IP)")
        .planned(&[DISASSOCIATE]);
    case("ec2-instance-no-public-ip/7", |it| {
        it["publicIpAddress"] = json!("203.0.113.7");
        let association = public("amazon");
        it["networkInterfaces"][0]["association"] = association.clone();
        it["networkInterfaces"][0]["privateIpAddresses"] =
            json!([{"primary": true, "association": association}, {}, {}]);
    })
    .non_compliant("i-1 has 203.0.113.7 on eni-1");
}

#[test]
fn ipv6_counts_if_it_is_global_and_evaluated() {
    let with = |addresses: Value| move |it: &mut Value| it["networkInterfaces"][0]["ipv6Addresses"] = addresses;
    let global = || with(json!([{"ipv6Address": "2001:db8::1"}]));
    case("ec2-instance-no-public-ip/4", global()).compliant();
    case("ec2-instance-no-public-ip/4 evaluated", global())
        .with(IPV6_TOO)
        .non_compliant("i-1 has 2001:db8::1 on eni-1")
        .planned(&["L3 manual: ec2:UnassignIpv6Addresses of 2001:db8::1 from eni-1"]);
    case("as text", with(json!(["2001:db8::1"]))).with(IPV6_TOO).non_compliant("i-1 has 2001:db8::1 on eni-1");
    case("local", with(json!([{"ipv6Address": "fd00::1"}, {"ipv6Address": "fe80::1"}]))).with(IPV6_TOO).compliant();
    case("unreadable", with(json!(["?"]))).with(IPV6_TOO).non_compliant("i-1 has ? on eni-1");
}

#[test]
fn state_and_launcher_of_the_instance_count() {
    let in_state = |state: &'static str| {
        move |it: &mut Value| {
            it["state"]["name"] = json!(state);
            it["networkInterfaces"][0]["association"] = public("111122223333");
        }
    };
    case("ec2-instance-no-public-ip/5", in_state("stopped")).non_compliant("i-1 has 203.0.113.7 on eni-1 (Elastic IP)");
    case("ec2-instance-no-public-ip/6", in_state("terminated")).not_applicable("instance is terminated");
    case("without interfaces", |it| *it = json!({"state": {"name": "terminated"}}))
        .not_applicable("instance is terminated");
    let mut of_group = read(in_state("running")).unwrap();
    of_group.instance.tags.insert("aws:autoscaling:groupName".into(), "web".into());
    Cases::of(&CONTROL, of_group)
        .case("of a group", |_| ())
        .non_compliant("i-1 has 203.0.113.7 on eni-1 (Elastic IP); launched by Auto Scaling group web")
        .planned(&[
            "L3 manual: turn off public addresses in the settings of Auto Scaling group web, which launches replacements \
             with them",
            DISASSOCIATE,
        ]);
}

#[test]
fn item_without_interfaces_is_an_error() {
    for (stated, expected) in [
        (Value::Null, "configuration.networkInterfaces: expected a list: received `nothing`"),
        (json!("none"), "configuration.networkInterfaces: expected a list of interfaces"),
        (json!([{"association": "none"}]), "configuration.networkInterfaces: expected a list of interfaces"),
    ] {
        let error = read(|it| it["networkInterfaces"] = stated).unwrap_err();
        assert!(error.starts_with(expected), "ec2-instance-no-public-ip/8: {error}");
    }
}

#[test]
fn laws() {
    use AddressKind::{Assigned, Carrier, Elastic, Ipv6};
    let kind = prop::sample::select(vec![Assigned, Elastic, Carrier, Ipv6, Ipv6, Ipv6]);
    let address = ("[0-9.]{7}", prop::option::of("eni-[0-9]"), kind).prop_map(|(ip, interface, kind)| Address {
        ip,
        interface,
        kind,
    });
    let state = prop::sample::select(vec!["running", "running", "stopped", "terminated"]);
    let subjects = (state, prop::collection::btree_set(address, 0..3))
        .prop_map(|(state, addresses)| InstanceAddresses { instance: instance(state), addresses });
    let params = any::<bool>().prop_map(|ipv6| Ec2InstanceNoPublicIpParameters { check_ipv6: Flag(ipv6) });
    Laws::of(&CONTROL, &[], |_, _, call| match *call {}).by_hand().hold((subjects, params));
}
