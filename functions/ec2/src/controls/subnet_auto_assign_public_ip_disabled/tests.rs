//! Verdicts and plans of `subnet-auto-assign-public-ip-disabled`.
use proptest::prelude::*;
use rectify_compliance::{AccountId, Resource};
use rectify_testing::{Cases, Laws};

use super::*;
use crate::arbitrary::{ACCOUNT, item};

const IPV4: &str = r#"L2 ModifySubnetAttribute {"MapPublicIpOnLaunch":{"Value":false},"SubnetId":"subnet-1"}"#;
const IPV6: &str = r#"L2 ModifySubnetAttribute {"AssignIpv6AddressOnCreation":{"Value":false},"SubnetId":"subnet-1"}"#;
const USABLE: &str = r#"{"allowUsedSubnets": "true"}"#;

fn read(change: impl FnOnce(&mut Value)) -> Result<Subnet, String> {
    let mut configuration = json!({
        "subnetId": "subnet-1", "ownerId": ACCOUNT, "defaultForAz": false, "mapPublicIpOnLaunch": false,
        "assignIpv6AddressOnCreation": false, "ipv6Native": false
    });
    change(&mut configuration);
    Subnet::from_item(&item(TYPE, "subnet-1", configuration, &[("team", "net")])).map_err(|error| error.to_string())
}

/// A subnet, read live, that assigns public IPv4 addresses.
fn subnet() -> Subnet {
    let live = read(|it| it["mapPublicIpOnLaunch"] = json!(true)).unwrap();
    Subnet { launchers: Some([].into()), ..live }
}

fn ipv6_only(subnet: &mut Subnet) {
    (subnet.map_public_ip_on_launch, subnet.assign_ipv6_address_on_creation) = (false, true);
}

fn launched_by(launcher: &str) -> impl FnOnce(&mut Subnet) {
    move |it| it.launchers = Some([launcher.to_owned()].into())
}

#[test]
fn assigned_addresses_are_a_finding() {
    let cases = Cases::of(&SubnetAutoAssignPublicIpDisabled, subnet());
    let case = |name, change: fn(&mut Subnet)| cases.case(name, change);
    let default = |it: &mut Subnet| it.default_for_az = true;
    let v4 = "subnet-1 assigns public IPv4 addresses";
    case("subnet-auto-assign-public-ip-disabled/1", |_| ()).non_compliant(v4).planned(&[IPV4]);
    case("none", |it| it.map_public_ip_on_launch = false).compliant();
    case("subnet-auto-assign-public-ip-disabled/2", ipv6_only)
        .non_compliant("subnet-1 assigns IPv6 addresses")
        .planned(&[IPV6]);
    case("subnet-auto-assign-public-ip-disabled/2 ignored", ipv6_only).with(r#"{"checkIpv6": "false"}"#).compliant();
    case("subnet-auto-assign-public-ip-disabled/3", default)
        .non_compliant("subnet-1 assigns public IPv4 addresses (default subnet)")
        .planned(&[IPV4]);
    case("subnet-auto-assign-public-ip-disabled/3 ignored", default)
        .with(r#"{"ignoreDefaultSubnets": "true"}"#)
        .not_applicable("default subnet");
    case("subnet-auto-assign-public-ip-disabled/4", |it| it.owner = AccountId::new("444455556666"))
        .not_applicable("shared by account 444455556666");
    let both = |it: &mut Subnet| it.assign_ipv6_address_on_creation = true;
    case("subnet-auto-assign-public-ip-disabled/6", both)
        .non_compliant("subnet-1 assigns public IPv4 and IPv6 addresses")
        .planned(&[IPV4, IPV6]);
    case("IPv6 is kept if it is not evaluated", both)
        .with(r#"{"checkIpv6": "false"}"#)
        .non_compliant(v4)
        .planned(&[IPV4]);
}

#[test]
fn use_of_the_subnet_blocks_the_plan() {
    let cases = Cases::of(&SubnetAutoAssignPublicIpDisabled, subnet());
    let v4 = "subnet-1 assigns public IPv4 addresses";
    let used = "blocked: the subnet is used by `Auto Scaling group web`, which needs allowUsedSubnets";
    let by_group = || launched_by("Auto Scaling group web");
    cases.case("subnet-auto-assign-public-ip-disabled/5", by_group()).non_compliant(v4).planned(&[used, IPV4]);
    cases.case("used, and allowed", by_group()).with(USABLE).non_compliant(v4).planned(&[IPV4]);
    let tagged = |it: &mut Subnet| drop(it.tags.insert("kubernetes.io/role/elb".into(), "1".into()));
    let cluster = "blocked: the subnet is used by `Kubernetes (kubernetes.io/role/elb)`, which needs allowUsedSubnets";
    cases.case("of a cluster without nodes", tagged).non_compliant(v4).planned(&[cluster, IPV4]);
    let unread = "blocked: what launches instances into the subnet was not read";
    let not_read = |it: &mut Subnet| it.launchers = None;
    cases.case("not read", not_read).with(USABLE).non_compliant(v4).planned(&[unread, IPV4]);
    let native = |it: &mut Subnet| {
        ipv6_only(it);
        it.ipv6_native = true;
    };
    let no_other = "blocked: instances of an IPv6-only subnet have no other address";
    cases.case("IPv6-only", native).non_compliant("subnet-1 assigns IPv6 addresses").planned(&[no_other, IPV6]);
}

#[test]
fn item_states_what_is_assigned() {
    for stated in [Value::Null, json!("true")] {
        let error = read(|it| it["mapPublicIpOnLaunch"] = stated).unwrap_err();
        let expected = "configuration.mapPublicIpOnLaunch: expected a boolean";
        assert!(error.starts_with(expected), "subnet-auto-assign-public-ip-disabled/7: {error}");
    }
    let of_outpost = read(|it| it["mapCustomerOwnedIpOnLaunch"] = json!(true)).unwrap();
    Cases::of(&SubnetAutoAssignPublicIpDisabled, of_outpost)
        .case("subnet-auto-assign-public-ip-disabled/9", |_| ())
        .compliant();
    let old = read(|it| *it = json!({"mapPublicIpOnLaunch": false})).unwrap();
    Cases::of(&SubnetAutoAssignPublicIpDisabled, old).case("recorded before IPv6", |_| ()).compliant();
}

#[test]
fn undo_restores_both_attributes() {
    let before = Subnet { assign_ipv6_address_on_creation: true, ..subnet() };
    let plan = SubnetAutoAssignPublicIpDisabled.plan(&before, &Default::default(), rectify_testing::NOW);
    let done: Vec<SubnetAction> = plan.calls().into_iter().cloned().collect();
    let of = |attribute| SubnetAction::ModifySubnetAttribute { subnet_id: "subnet-1".to_owned(), attribute };
    let restored =
        [Attribute::AssignIpv6AddressOnCreation { value: true }, Attribute::MapPublicIpOnLaunch { value: true }];
    let undo = SubnetAutoAssignPublicIpDisabled.undo(&before, &done);
    assert_eq!(undo, Ok(restored.map(of).to_vec()), "subnet-auto-assign-public-ip-disabled/10");
}

#[test]
fn laws() {
    let launchers = prop::option::weighted(0.9, prop::collection::btree_set("Auto Scaling group [ab]", 0..2));
    let often = || prop::bool::weighted(0.1);
    let subnets =
        (any::<[bool; 2]>(), often(), often(), launchers).prop_map(|([ipv4, ipv6], native, shared, launchers)| {
            let owner = AccountId::new(if shared { "444455556666" } else { ACCOUNT });
            Subnet {
                owner,
                ipv6_native: native,
                map_public_ip_on_launch: ipv4 && !native,
                assign_ipv6_address_on_creation: ipv6,
                launchers,
                ..subnet()
            }
        });
    let params = any::<[bool; 2]>().prop_map(|[check, allow]| SubnetAutoAssignPublicIpDisabledParameters {
        check_ipv6: Flag(check),
        allow_used_subnets: Flag(allow),
        ..Default::default()
    });
    let assigns = ["/mapPublicIpOnLaunch", "/assignIpv6AddressOnCreation"];
    Laws::of(&SubnetAutoAssignPublicIpDisabled, &assigns, Remediation::predict)
        .never(|_, after| after.map_public_ip_on_launch)
        .restores_full_state()
        .hold((subnets, params));
}
