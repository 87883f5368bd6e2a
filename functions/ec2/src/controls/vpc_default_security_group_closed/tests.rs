//! Verdicts and plans of `vpc-default-security-group-closed`, and properties that hold for every group.
use proptest::prelude::*;
use rectify_compliance::AccountId;
use rectify_testing::{Case, Cases, NOW};
use serde_json::json;

use super::*;
use crate::arbitrary::{ACCOUNT, egress, group, groups, ingress, item_of, tcp};
use crate::group_laws::{self, revoke};
use crate::resources::rule::{Direction, Peer, Rule};
use crate::resources::security_group::Usage;

const FOUND: &str = "Default group sg-1 of vpc-1 has rules:";

/// The default group with these rules, used by no interface.
fn unused(rules: Vec<Rule>) -> GroupInNetwork {
    let mut subject = group(rules);
    subject.group.name = Some(DEFAULT.to_owned());
    subject.network.usage = Some(Usage::default());
    subject
}

fn case(name: &str, subject: GroupInNetwork) -> Case<'_, VpcDefaultSecurityGroupClosed> {
    Cases::of(&VpcDefaultSecurityGroupClosed, subject).case(name, |_| ())
}

fn initial_rules() -> Vec<Rule> {
    vec![ingress("-1", -1, -1, "sg-1"), egress(ingress("-1", -1, -1, "0.0.0.0/0"))]
}

/// The steps that revoke [`initial_rules`].
fn revoke_initial_rules() -> [String; 2] {
    [revoke(Direction::Ingress, &["sgr-0"]), revoke(Direction::Egress, &["sgr-1"])]
}

#[test]
fn every_rule_is_revoked() {
    let found = |name, rules, counts: &str, steps: &[&str]| {
        case(name, unused(rules)).non_compliant(&format!("{FOUND} {counts}")).planned(steps);
    };
    let outbound = vec![egress(ingress("-1", -1, -1, "0.0.0.0/0"))];
    let revoke_outbound = revoke(Direction::Egress, &["sgr-0"]);
    found("vpc-default-security-group-closed/1", outbound, "0 ingress, 1 egress", &[&revoke_outbound]);
    let [ingress_step, egress_step] = revoke_initial_rules();
    let inbound = vec![ingress("-1", -1, -1, "sg-1")];
    found("vpc-default-security-group-closed/2", inbound, "1 ingress, 0 egress", &[&ingress_step]);
    found("as AWS creates it", initial_rules(), "1 ingress, 1 egress", &[&ingress_step, &egress_step]);
    case("vpc-default-security-group-closed/3", unused(vec![])).compliant();
}

#[test]
fn only_the_exact_name_is_the_default_group() {
    // vpc-default-security-group-closed/4
    for name in ["Default", "default-web", " default"] {
        let mut subject = unused(initial_rules());
        subject.group.name = Some(name.to_owned());
        case(name, subject).not_applicable("not the default group of a VPC");
    }
}

fn read(configuration: Value) -> Result<GroupInNetwork, String> {
    let group = NamedGroup::from_item(&item_of("sg-1", configuration)).map_err(|it| it.to_string())?;
    Ok(VpcDefaultSecurityGroupClosed.subject(group, ()))
}

#[test]
fn item_without_name_or_rules_is_an_error() {
    // vpc-default-security-group-closed/3: a missing list is an error.
    for (configuration, expected) in [
        (
            json!({"groupId": "sg-1", "ipPermissions": [], "ipPermissionsEgress": []}),
            "configuration.groupName: expected a group name: received `nothing`",
        ),
        (
            json!({"groupId": "sg-1", "groupName": "default", "ipPermissions": []}),
            "configuration.ipPermissionsEgress: expected a list of permissions: received `nothing`",
        ),
    ] {
        assert_eq!(read(configuration), Err(expected.to_owned()));
    }
    let closed = json!({"groupId": "sg-1", "groupName": "default", "ipPermissions": [], "ipPermissionsEgress": []});
    case("closed", read(closed).unwrap()).compliant();
}

#[test]
fn rule_without_a_peer_counts_and_blocks_the_plan() {
    let peerless = || json!({"ipProtocol": "tcp", "fromPort": 22, "toPort": 22});
    let from_own_group = json!({"ipProtocol": "-1", "userIdGroupPairs": [{"groupId": "sg-1"}]});
    let empty_lists = json!([{"ipProtocol": "-1", "ipRanges": [], "ipv6Ranges": null}]);
    for (name, ingress, egress, counts) in [
        ("vpc-default-security-group-closed/8", json!([peerless()]), json!([]), "1 ingress, 0 egress"),
        ("empty lists", json!([]), empty_lists, "0 ingress, 1 egress"),
        ("beside one with a peer", json!([peerless(), from_own_group]), json!([peerless()]), "2 ingress, 1 egress"),
    ] {
        let configuration = json!({"groupId": "sg-1", "groupName": "default", "vpcId": "vpc-1",
            "ipPermissions": ingress, "ipPermissionsEgress": egress});
        case(name, read(configuration).unwrap()).non_compliant(&format!("{FOUND} {counts}"));
    }

    let subject = unused(vec![tcp(22, 22, ""), tcp(443, 443, "10.0.0.0/8")]);
    case("by its id", subject.clone()).non_compliant(&format!("{FOUND} 2 ingress, 0 egress")).planned(&[
        "blocked: undo could not recreate these rules, because they state no peer: sgr-0 tcp 22 from an unstated peer",
        &revoke(Direction::Ingress, &["sgr-0", "sgr-1"]),
    ]);
    let plan = VpcDefaultSecurityGroupClosed.plan(&subject, &NoParameters {}, NOW);
    let apply = |live, action| VpcDefaultSecurityGroupClosed.predict(live, action);
    case("closed", plan.calls().into_iter().fold(subject.clone(), apply)).compliant();
    assert_irreversible(&subject);
}

/// The first rule cannot be recreated once revoked.
fn assert_irreversible(subject: &GroupInNetwork) {
    let action = Revoke::of(Direction::Ingress, "sg-1", vec!["sgr-0".to_owned()]);
    assert_eq!(
        VpcDefaultSecurityGroupClosed.undo(subject, &[action]).unwrap_err().to_string(),
        "RevokeSecurityGroupIngress: cannot be undone: the rule `sgr-0` states no peer and cannot be recreated"
    );
}

#[test]
fn group_in_use_of_another_account_or_partly_read_is_blocked() {
    let cases = Cases::of(&VpcDefaultSecurityGroupClosed, unused(initial_rules()));
    let [ingress_step, egress_step] = revoke_initial_rules();
    let held = |name, reason: &str, change: fn(&mut GroupInNetwork)| {
        cases.case(name, change).non_compliant(&format!("{FOUND} 1 ingress, 1 egress")).planned(&[
            &format!("blocked: {reason}"),
            &ingress_step,
            &egress_step,
        ]);
    };
    let used = "network interfaces use the group, among them `eni-1, eni-2, eni-3`";
    held("vpc-default-security-group-closed/5", used, |it| {
        let interfaces = ["eni-3", "eni-1", "eni-2", "eni-4"].map(str::to_owned).into();
        it.network.usage = Some(Usage { in_use: true, interfaces, ..Usage::default() });
    });
    held("group of another account", "the group belongs to account `444455556666`", |it| {
        it.group.owner = AccountId::new("444455556666");
    });
    held("not read", "the interfaces that use the group were not read", |it| it.network.usage = None);
}

#[test]
fn undo_restores_the_self_reference_with_group_and_account() {
    // vpc-default-security-group-closed/7
    let subject = unused(initial_rules());
    let plan = VpcDefaultSecurityGroupClosed.plan(&subject, &NoParameters {}, NOW);
    let done: Vec<Revoke> = plan.calls().into_iter().cloned().collect();
    assert_eq!(
        serde_json::to_value(VpcDefaultSecurityGroupClosed.undo(&subject, &done).unwrap()).unwrap(),
        json!([
            {"AuthorizeSecurityGroupEgress": {"GroupId": "sg-1",
                "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}},
            {"AuthorizeSecurityGroupIngress": {"GroupId": "sg-1",
                "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1", "UserId": ACCOUNT}]}]}},
        ])
    );
}

#[test]
fn group_peer_without_an_id_cannot_be_recreated() {
    let mut subject = unused(initial_rules());
    subject.group.rules[0].peer = Peer::Group { group_id: None, user_id: None };
    assert_irreversible(&subject);
}

/// The touched fields are all rules, so the laws prove that the plan revokes every rule and that undo restores them.
#[test]
fn laws() {
    let named = |mut subject: GroupInNetwork| {
        subject.group.name = Some(DEFAULT.to_owned());
        subject
    };
    group_laws::hold(&VpcDefaultSecurityGroupClosed, (groups().prop_map(named), Just(NoParameters {})));
}
