//! What `vpc-default-security-group-closed` must say and plan, and what holds of it for every group.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

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

/// The default group with these rules, used by nobody.
fn unused(rules: Vec<Rule>) -> GroupInNetwork {
    let mut subject = group(rules);
    subject.group.name = Some(DEFAULT.to_owned());
    subject.network.usage = Some(Usage::default());
    subject
}

fn case(name: &str, subject: GroupInNetwork) -> Case<'_, VpcDefaultSecurityGroupClosed> {
    Cases::of(&VpcDefaultSecurityGroupClosed, subject).case(name, |_| ())
}

fn stock() -> Vec<Rule> {
    vec![ingress("-1", -1, -1, "sg-1"), egress(ingress("-1", -1, -1, "0.0.0.0/0"))]
}

/// The steps that close a group with [`stock`].
fn close_stock() -> [String; 2] {
    [revoke(Direction::Ingress, &["sgr-0"]), revoke(Direction::Egress, &["sgr-1"])]
}

#[test]
fn every_rule_is_revoked() {
    let found = |name, rules, counts: &str, steps: &[&str]| {
        case(name, unused(rules)).non_compliant(&format!("{FOUND} {counts}")).planned(steps);
    };
    let out = vec![egress(ingress("-1", -1, -1, "0.0.0.0/0"))];
    let revoke_out = revoke(Direction::Egress, &["sgr-0"]);
    found("vpc-default-security-group-closed/1", out, "0 ingress, 1 egress", &[&revoke_out]);
    let [ingress_step, egress_step] = close_stock();
    let inward = vec![ingress("-1", -1, -1, "sg-1")];
    found("vpc-default-security-group-closed/2", inward, "1 ingress, 0 egress", &[&ingress_step]);
    found("as AWS makes it", stock(), "1 ingress, 1 egress", &[&ingress_step, &egress_step]);
    case("vpc-default-security-group-closed/3", unused(vec![])).compliant();
}

#[test]
fn only_the_exact_name_is_the_default_group() {
    // vpc-default-security-group-closed/4
    for name in ["Default", "default-web", " default"] {
        let mut subject = unused(stock());
        subject.group.name = Some(name.to_owned());
        case(name, subject).not_applicable("not the default group of a VPC");
    }
}

fn read(configuration: Value) -> Result<GroupInNetwork, String> {
    let group = NamedGroup::from_item(&item_of("sg-1", configuration)).map_err(|it| it.to_string())?;
    Ok(VpcDefaultSecurityGroupClosed.subject(group, ()))
}

#[test]
fn an_item_without_name_or_list_is_no_closed_group() {
    // vpc-default-security-group-closed/3: one list that is missing is an error.
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
fn a_permission_that_states_no_peer_is_a_rule_that_is_revoked_by_its_id_and_not_by_machine() {
    let peerless = || json!({"ipProtocol": "tcp", "fromPort": 22, "toPort": 22});
    let from_itself = json!({"ipProtocol": "-1", "userIdGroupPairs": [{"groupId": "sg-1"}]});
    let empty_lists = json!([{"ipProtocol": "-1", "ipRanges": [], "ipv6Ranges": null}]);
    for (name, ingress, egress, counts) in [
        ("vpc-default-security-group-closed/8", json!([peerless()]), json!([]), "1 ingress, 0 egress"),
        ("empty lists", json!([]), empty_lists, "0 ingress, 1 egress"),
        ("beside one with a peer", json!([peerless(), from_itself]), json!([peerless()]), "2 ingress, 1 egress"),
    ] {
        let configuration = json!({"groupId": "sg-1", "groupName": "default", "vpcId": "vpc-1",
            "ipPermissions": ingress, "ipPermissionsEgress": egress});
        case(name, read(configuration).unwrap()).non_compliant(&format!("{FOUND} {counts}"));
    }

    let subject = unused(vec![tcp(22, 22, ""), tcp(443, 443, "10.0.0.0/8")]);
    case("by its id", subject.clone()).non_compliant(&format!("{FOUND} 2 ingress, 0 egress")).planned(&[
        "held: undo could not make these rules again, since their peer is not stated: sgr-0 tcp 22 from an unstated peer",
        &revoke(Direction::Ingress, &["sgr-0", "sgr-1"]),
    ]);
    let plan = VpcDefaultSecurityGroupClosed.plan(&subject, &NoParameters {}, NOW);
    let close = |live, action| VpcDefaultSecurityGroupClosed.predict(live, action);
    case("closed", plan.calls().into_iter().fold(subject.clone(), close)).compliant();
    assert_is_lost(&subject);
}

/// The first rule, once revoked, cannot be made again.
fn assert_is_lost(subject: &GroupInNetwork) {
    let action = Revoke::of(Direction::Ingress, "sg-1", vec!["sgr-0".to_owned()]);
    assert_eq!(
        VpcDefaultSecurityGroupClosed.undo(subject, &[action]).unwrap_err().to_string(),
        "RevokeSecurityGroupIngress: cannot be undone: the rule `sgr-0` names no peer to be made again from"
    );
}

#[test]
fn a_group_that_is_used_foreign_or_not_read_whole_is_held() {
    let cases = Cases::of(&VpcDefaultSecurityGroupClosed, unused(stock()));
    let [ingress_step, egress_step] = close_stock();
    let held = |name, reason: &str, change: fn(&mut GroupInNetwork)| {
        cases.case(name, change).non_compliant(&format!("{FOUND} 1 ingress, 1 egress")).planned(&[
            &format!("held: {reason}"),
            &ingress_step,
            &egress_step,
        ]);
    };
    let used = "network interfaces use the group, among them `eni-1, eni-2, eni-3`";
    held("vpc-default-security-group-closed/5", used, |it| {
        let interfaces = ["eni-3", "eni-1", "eni-2", "eni-4"].map(str::to_owned).into();
        it.network.usage = Some(Usage { in_use: true, interfaces, ..Usage::default() });
    });
    held("another account's", "the group belongs to account `444455556666`", |it| {
        it.group.owner = AccountId::new("444455556666");
    });
    held("not read", "the interfaces that use the group were not read", |it| it.network.usage = None);
}

#[test]
fn undo_restores_the_reference_to_the_group_itself_with_both_of_its_names() {
    // vpc-default-security-group-closed/7
    let subject = unused(stock());
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
fn a_peer_without_an_id_cannot_be_made_again() {
    let mut subject = unused(stock());
    subject.group.rules[0].peer = Peer::Group { group_id: None, user_id: None };
    assert_is_lost(&subject);
}

/// The touched fields are all rules, so the laws say that a plan empties the group and that undo fills it again.
#[test]
fn laws() {
    let named = |mut subject: GroupInNetwork| {
        subject.group.name = Some(DEFAULT.to_owned());
        subject
    };
    group_laws::hold(&VpcDefaultSecurityGroupClosed, (groups().prop_map(named), Just(NoParameters {})));
}
