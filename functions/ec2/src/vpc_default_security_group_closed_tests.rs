//! What `vpc-default-security-group-closed` must say and plan, and what holds of it for every group.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::json;

use super::*;
use crate::arbitrary::{ACCOUNT, group, groups, ingress, item_of};
use crate::group_laws::{self, NOW, play};
use crate::rule::{Direction, Rule};
use crate::security_group::Usage;

const NONE: NoParameters = NoParameters {};

fn verdict(subject: &GroupInNetwork) -> String {
    group_laws::verdict(&VpcDefaultSecurityGroupClosed, subject, &NONE)
}

fn plan(subject: &GroupInNetwork) -> Vec<String> {
    group_laws::plan(&VpcDefaultSecurityGroupClosed, subject, &NONE)
}

/// The default group with these rules, used by nobody.
fn unused(rules: Vec<Rule>) -> GroupInNetwork {
    let mut subject = group(rules);
    subject.group.name = Some(DEFAULT.to_owned());
    subject.network.usage = Some(Usage::default());
    subject
}

fn egress(rule: Rule) -> Rule {
    Rule { direction: Direction::Egress, ..rule }
}

fn stock() -> Vec<Rule> {
    vec![ingress("-1", -1, -1, "sg-1"), egress(ingress("-1", -1, -1, "0.0.0.0/0"))]
}

#[test]
fn every_case_has_its_verdict_and_its_plan() {
    let revoke = |direction: &str, id: &str| {
        format!(r#"L2 RevokeSecurityGroup{direction} {{"GroupId":"sg-1","SecurityGroupRuleIds":["{id}"]}}"#)
    };
    let found = |rules: &str| format!("NON_COMPLIANT: Default group sg-1 of vpc-1 has rules: {rules}");
    let rows = [
        (
            "vpc-default-security-group-closed/1",
            vec![egress(ingress("-1", -1, -1, "0.0.0.0/0"))],
            found("0 ingress, 1 egress"),
            vec![revoke("Egress", "sgr-0")],
        ),
        (
            "vpc-default-security-group-closed/2",
            vec![ingress("-1", -1, -1, "sg-1")],
            found("1 ingress, 0 egress"),
            vec![revoke("Ingress", "sgr-0")],
        ),
        ("vpc-default-security-group-closed/3", vec![], "COMPLIANT".to_owned(), vec![]),
        (
            "as AWS makes it",
            stock(),
            found("1 ingress, 1 egress"),
            vec![revoke("Ingress", "sgr-0"), revoke("Egress", "sgr-1")],
        ),
    ];
    for (case, rules, expected, steps) in rows {
        let subject = unused(rules);
        assert_eq!(verdict(&subject), expected, "{case}");
        assert_eq!(plan(&subject), steps, "{case}");
    }
}

#[test]
fn only_the_exact_name_is_the_default_group() {
    // vpc-default-security-group-closed/4
    for name in ["Default", "default-web", " default"] {
        let mut subject = unused(stock());
        subject.group.name = Some(name.to_owned());
        assert_eq!(verdict(&subject), "NOT_APPLICABLE: not the default group of a VPC", "{name}");
        assert_eq!(plan(&subject), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn an_item_without_name_or_list_is_no_closed_group() {
    // vpc-default-security-group-closed/3: one list that is missing is an error.
    let read = |configuration| NamedGroup::from_item(&item_of("sg-1", configuration)).map_err(|it| it.to_string());
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
        assert_eq!(read(configuration).unwrap_err(), expected);
    }
    let closed = json!({"groupId": "sg-1", "groupName": "default", "ipPermissions": [], "ipPermissionsEgress": []});
    assert_eq!(verdict(&VpcDefaultSecurityGroupClosed.subject(read(closed).unwrap(), ())), "COMPLIANT");
}

#[test]
fn a_permission_that_states_no_peer_is_a_rule_that_is_revoked_by_its_id_and_not_by_machine() {
    let permissions = |ingress: serde_json::Value, egress: serde_json::Value| {
        let configuration = json!({"groupId": "sg-1", "groupName": "default", "vpcId": "vpc-1",
            "ipPermissions": ingress, "ipPermissionsEgress": egress});
        verdict(
            &VpcDefaultSecurityGroupClosed.subject(NamedGroup::from_item(&item_of("sg-1", configuration)).unwrap(), ()),
        )
    };
    let found = |rules: &str| format!("NON_COMPLIANT: Default group sg-1 of vpc-1 has rules: {rules}");
    let peerless = || json!({"ipProtocol": "tcp", "fromPort": 22, "toPort": 22});
    let from_itself = json!({"ipProtocol": "-1", "userIdGroupPairs": [{"groupId": "sg-1"}]});
    for (case, ingress, egress, expected) in [
        ("vpc-default-security-group-closed/8", json!([peerless()]), json!([]), "1 ingress, 0 egress"),
        (
            "empty lists",
            json!([]),
            json!([{"ipProtocol": "-1", "ipRanges": [], "ipv6Ranges": null}]),
            "0 ingress, 1 egress",
        ),
        ("beside one with a peer", json!([peerless(), from_itself]), json!([peerless()]), "2 ingress, 1 egress"),
    ] {
        assert_eq!(permissions(ingress, egress), found(expected), "{case}");
    }

    let subject = unused(vec![ingress("tcp", 22, 22, ""), ingress("tcp", 443, 443, "10.0.0.0/8")]);
    let lost =
        "undo could not make these rules again, since their peer is not stated: sgr-0 tcp 22 from an unstated peer";
    let revoke = r#"L2 RevokeSecurityGroupIngress {"GroupId":"sg-1","SecurityGroupRuleIds":["sgr-0","sgr-1"]}"#;
    assert_eq!(plan(&subject), [format!("held: {lost}"), revoke.to_owned()]);
    let after = VpcDefaultSecurityGroupClosed
        .plan(&subject, &NONE, NOW)
        .calls()
        .into_iter()
        .fold(subject.clone(), |live, action| VpcDefaultSecurityGroupClosed.expect(live, action));
    assert_eq!(verdict(&after), "COMPLIANT");
    let action = Close::of(Direction::Ingress, "sg-1", vec!["sgr-0".to_owned()]);
    let undo = VpcDefaultSecurityGroupClosed.undo(&subject, &[action]).unwrap_err().to_string();
    assert!(undo.contains("the rule `sgr-0` names no peer to be made again from"), "{undo}");
}

#[test]
fn a_group_that_is_used_foreign_or_not_read_whole_is_held() {
    let steps = &plan(&unused(stock()))[..];
    let mut used = unused(stock());
    used.network.usage = Some(Usage {
        in_use: true,
        interfaces: ["eni-3", "eni-1", "eni-2", "eni-4"].map(str::to_owned).into(),
        ..Usage::default()
    });
    let mut foreign = unused(stock());
    foreign.group.owner = rectify_compliance::AccountId::new("444455556666");
    let mut unread = unused(stock());
    unread.network.usage = None;
    for (case, subject, reason) in [
        (
            "vpc-default-security-group-closed/5",
            used,
            "network interfaces use the group, among them `eni-1, eni-2, eni-3`",
        ),
        ("another account's", foreign, "the group belongs to account `444455556666`"),
        ("not read", unread, "the interfaces that use the group were not read"),
    ] {
        assert!(verdict(&subject).starts_with("NON_COMPLIANT"), "{case}");
        assert_eq!(plan(&subject), [&[format!("held: {reason}")], steps].concat(), "{case}");
    }
}

#[test]
fn undo_restores_the_reference_to_the_group_itself_with_both_of_its_names() {
    // vpc-default-security-group-closed/7
    let subject = unused(stock());
    let done: Vec<Close> =
        VpcDefaultSecurityGroupClosed.plan(&subject, &NONE, NOW).calls().into_iter().cloned().collect();
    let calls = VpcDefaultSecurityGroupClosed.undo(&subject, &done).unwrap();
    assert_eq!(
        calls.iter().map(|call| serde_json::to_value(call).unwrap()).collect::<Vec<_>>(),
        [
            json!({"AuthorizeSecurityGroupEgress": {"GroupId": "sg-1",
                "IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}}),
            json!({"AuthorizeSecurityGroupIngress": {"GroupId": "sg-1",
                "IpPermissions": [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1", "UserId": ACCOUNT}]}]}}),
        ]
    );
}

#[test]
fn a_peer_without_an_id_cannot_be_made_again() {
    let mut subject = unused(stock());
    subject.group.rules[0].peer = crate::rule::Peer::Group { group_id: None, user_id: None };
    let action = Close::of(Direction::Ingress, "sg-1", vec!["sgr-0".to_owned()]);
    assert_eq!(
        VpcDefaultSecurityGroupClosed.undo(&subject, &[action]).unwrap_err().to_string(),
        "RevokeSecurityGroupIngress: cannot be undone: the rule `sgr-0` names no peer to be made again from"
    );
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn an_applicable_plan_empties_the_group_and_undo_fills_it_again(mut subject in groups()) {
        subject.group.name = Some(DEFAULT.to_owned());
        group_laws::a_plan_follows_a_finding(&VpcDefaultSecurityGroupClosed, &subject, &NONE)?;
        group_laws::a_plan_takes_only_what_is_wrong(&VpcDefaultSecurityGroupClosed, &subject, &NONE)?;
        group_laws::undo_restores_the_footprint(&VpcDefaultSecurityGroupClosed, &subject, &NONE)?;
        group_laws::item_and_live_read_are_judged_alike(&VpcDefaultSecurityGroupClosed, &subject, &NONE)?;
        let after = VpcDefaultSecurityGroupClosed.plan(&subject, &NONE, NOW).calls().into_iter().fold(subject.clone(), |live, action| VpcDefaultSecurityGroupClosed.expect(live, action));
        prop_assert_eq!(after.group.rules, vec![]);
    }

    #[test]
    fn undone_rules_are_the_same_but_for_their_ids(mut subject in groups()) {
        subject.group.name = Some(DEFAULT.to_owned());
        let done: Vec<Close> =
            VpcDefaultSecurityGroupClosed.plan(&subject, &NONE, NOW).calls().into_iter().cloned().collect();
        let mut group = SecurityGroup { rules: vec![], ..subject.group.clone() };
        for open in VpcDefaultSecurityGroupClosed.undo(&subject, &done).unwrap() {
            play(&mut group, &open);
        }
        let nameless = |rules: &[Rule]| {
            let mut rules: Vec<Rule> = rules.iter().map(|rule| Rule { id: None, ..rule.clone() }).collect();
            rules.sort();
            rules
        };
        prop_assert_eq!(nameless(&group.rules), nameless(&subject.group.rules));
    }
}
