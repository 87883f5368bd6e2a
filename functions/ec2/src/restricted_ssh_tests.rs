//! What `restricted-ssh` must say and plan, case by case.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::{Level, Resource, Step};
use serde_json::json;
use std::collections::BTreeSet;

use super::*;
use crate::arbitrary::{group, ingress};
use crate::group_laws::{self, NOW};
use crate::rule::Direction;
use crate::security_group::{PrefixList, Usage};

fn parameters(text: &str) -> RestrictedSshParameters {
    group_laws::parameters(text)
}

fn verdict(subject: &GroupInNetwork, params: &RestrictedSshParameters) -> String {
    group_laws::verdict(&RestrictedSsh, subject, params)
}

fn plan(subject: &GroupInNetwork, params: &RestrictedSshParameters) -> Vec<String> {
    group_laws::plan(&RestrictedSsh, subject, params)
}

fn revoke(subject: &GroupInNetwork, ids: &[&str]) -> Close {
    Close::of(Direction::Ingress, &subject.group.id, ids.iter().map(|id| (*id).to_owned()).collect())
}

const OPEN: &str = "NON_COMPLIANT: SSH open to the internet: ";
const REVOKE: &str = "L2 RevokeSecurityGroupIngress {\"GroupId\":\"sg-1\",\"SecurityGroupRuleIds\":";

type Row = (&'static str, Vec<Rule>, &'static str, String, Vec<String>);

fn rows() -> Vec<Row> {
    let tcp = |from, to, peer| ingress("tcp", from, to, peer);
    let egress = |rule: Rule| Rule { direction: Direction::Egress, ..rule };
    let open = |what: &str| format!("{OPEN}{what}");
    let revoke = |ids: &str| vec![format!("{REVOKE}[{ids}]}}")];
    let compliant = || "COMPLIANT".to_owned();
    let world = "0.0.0.0/0";
    vec![
        ("restricted-ssh/1", vec![tcp(22, 22, "::/0")], "{}", open("tcp 22 from ::/0"), revoke("\"sgr-0\"")),
        (
            "restricted-ssh/2 a range around 22",
            vec![tcp(20, 25, world)],
            "{}",
            open("tcp 20-25 from 0.0.0.0/0"),
            vec!["L2 by hand: narrow the rule sgr-0 tcp 20-25 from 0.0.0.0/0 to leave out tcp 22".to_owned()],
        ),
        (
            "restricted-ssh/2 every port",
            vec![tcp(0, 65535, world)],
            "{}",
            open("tcp 0-65535 from 0.0.0.0/0"),
            vec!["L2 by hand: narrow the rule sgr-0 tcp 0-65535 from 0.0.0.0/0 to leave out tcp 22".to_owned()],
        ),
        (
            "restricted-ssh/2 no ports stated",
            vec![tcp(-1, -1, world)],
            "{}",
            open("tcp 0-65535 from 0.0.0.0/0"),
            vec!["L2 by hand: narrow the rule sgr-0 tcp 0-65535 from 0.0.0.0/0 to leave out tcp 22".to_owned()],
        ),
        (
            "restricted-ssh/2 narrowed on paper",
            vec![tcp(22, 25, world)],
            r#"{"narrowWideRules":"true"}"#,
            open("tcp 22-25 from 0.0.0.0/0"),
            vec![
                "held: narrowing the rule sgr-0 tcp 22-25 from 0.0.0.0/0 needs a role that may authorize ingress".to_owned(),
                "L2 by hand: AuthorizeSecurityGroupIngress {\"GroupId\":\"sg-1\",\"IpPermissions\":[{\"FromPort\":23,\"IpProtocol\":\"tcp\",\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}],\"ToPort\":25}]}, then RevokeSecurityGroupIngress {\"GroupId\":\"sg-1\",\"SecurityGroupRuleIds\":[\"sgr-0\"]}".to_owned(),
            ],
        ),
        (
            "restricted-ssh/3",
            vec![ingress("-1", -1, -1, world)],
            "{}",
            open("all traffic from 0.0.0.0/0"),
            vec!["L3 by hand: replace the rule sgr-0 all traffic from 0.0.0.0/0 by rules for what is needed: without tcp 22 from the internet".to_owned()],
        ),
        (
            "restricted-ssh/4",
            vec![ingress("47", -1, -1, world), ingress("udp", 22, 22, world), ingress("icmp", 8, 0, world)],
            "{}",
            compliant(),
            vec![],
        ),
        (
            "restricted-ssh/5",
            vec![tcp(22, 22, world), tcp(22, 22, "10.1.23.2/32")],
            "{}",
            open("tcp 22 from 0.0.0.0/0"),
            revoke("\"sgr-0\""),
        ),
        (
            "restricted-ssh/6",
            vec![ingress("-1", -1, -1, "sg-2"), tcp(22, 22, world)],
            "{}",
            open("tcp 22 from 0.0.0.0/0"),
            revoke("\"sgr-1\""),
        ),
        ("restricted-ssh/7", vec![egress(tcp(22, 22, world)), egress(ingress("-1", -1, -1, world))], "{}", compliant(), vec![]),
        (
            "restricted-ssh/9",
            vec![tcp(22, 22, "0.0.0.0/1"), tcp(22, 22, "128.0.0.0/1")],
            "{}",
            open("tcp 22 from 0.0.0.0/1, 128.0.0.0/1"),
            vec!["L3 by hand: narrow these rules, which cover the internet together: sgr-0 tcp 22 from 0.0.0.0/1, sgr-1 tcp 22 from 128.0.0.0/1".to_owned()],
        ),
        (
            "both families at once",
            vec![tcp(22, 22, world), tcp(22, 22, "::/0")],
            "{}",
            open("tcp 22 from 0.0.0.0/0, ::/0"),
            revoke("\"sgr-0\",\"sgr-1\""),
        ),
        ("another port is another control's", vec![tcp(23, 23, world), tcp(443, 443, world)], "{}", compliant(), vec![]),
        (
            "ports as a parameter",
            vec![tcp(2222, 2222, world), tcp(22, 22, world)],
            r#"{"ports":"2222, 8022"}"#,
            open("tcp 2222 from 0.0.0.0/0"),
            revoke("\"sgr-1\""),
        ),
        (
            "breadth as a parameter",
            vec![tcp(22, 22, "10.0.0.0/8"), tcp(22, 22, "2001:db8::/32")],
            r#"{"maxPrefixV4":"8","maxPrefixV6":"31"}"#,
            open("tcp 22 from 10.0.0.0/8"),
            revoke("\"sgr-0\""),
        ),
        (
            "four kinds of reach are bounded",
            vec![tcp(22, 22, world), tcp(22, 23, world), tcp(22, 24, world), tcp(22, 25, world)],
            r#"{"ports":"22-25"}"#,
            open("tcp 22 from 0.0.0.0/0; tcp 22-23 from 0.0.0.0/0; tcp 22-24 from 0.0.0.0/0 +1 more"),
            revoke("\"sgr-0\",\"sgr-1\",\"sgr-2\",\"sgr-3\""),
        ),
    ]
}

#[test]
fn every_case_has_its_verdict_and_its_plan() {
    for (case, rules, text, expected, steps) in rows() {
        let (subject, params) = (group(rules), parameters(text));
        assert_eq!(verdict(&subject, &params), expected, "{case}");
        assert_eq!(plan(&subject, &params), steps, "{case}");
    }
}

#[test]
fn a_missing_list_of_ipv6_ranges_is_an_empty_one() {
    // restricted-ssh/8
    let item = crate::arbitrary::item_of(
        "sg-1",
        json!({"groupId": "sg-1", "ipPermissionsEgress": [], "ipPermissions": [
            {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": ["10.0.0.0/8"], "prefixListIds": null}]}),
    );
    let subject = RestrictedSsh.subject(SecurityGroup::from_item(&item).unwrap(), Network::default());
    assert_eq!(verdict(&subject, &parameters("{}")), "COMPLIANT");
}

#[test]
fn sixty_open_rules_are_one_call() {
    // restricted-ssh/10
    let rules = (0..60).map(|index| Rule {
        description: Some(format!("{index}")),
        ..ingress("tcp", 22, 22, &format!("{index}.0.0.0/8"))
    });
    let (subject, params) = (group(rules.collect()), parameters(r#"{"maxPrefixV4":"8"}"#));
    let ids: Vec<String> = (0..60).map(|index| format!("sgr-{index}")).collect();
    let step = Step::call(Level::L2, Close::of(Direction::Ingress, "sg-1", ids));
    assert_eq!(RestrictedSsh.plan(&subject, &params, NOW), Plan::Do { steps: vec![step] });
    assert_eq!(verdict(&subject, &params), format!("{OPEN}tcp 22 from 0.0.0.0/8, 1.0.0.0/8, 10.0.0.0/8 +57 more"));
}

#[test]
fn prefix_lists_count_as_their_entries_and_are_left_to_a_person() {
    let list = |entries: Option<&[&str]>| match entries {
        Some(nets) => PrefixList::Entries(nets.iter().map(|net| net.parse().unwrap()).collect()),
        None => PrefixList::Unreadable,
    };
    let by_hand = "L3 by hand: replace the rule sgr-0 tcp 22 from pl-1 by rules for what is needed: without tcp 22 from the internet";
    for (entries, text, expected, steps) in [
        (Some(&["10.0.0.0/8"][..]), "{}", "COMPLIANT".to_owned(), vec![]),
        (Some(&["10.0.0.0/8", "::/0"]), "{}", format!("{OPEN}tcp 22 from pl-1"), vec![by_hand]),
        (None, "{}", "COMPLIANT: prefix list pl-1 not readable".to_owned(), vec![]),
        (
            Some(&["0.0.0.0/0"]),
            r#"{"resolvePrefixLists":"false"}"#,
            "COMPLIANT: prefix lists not resolved".to_owned(),
            vec![],
        ),
    ] {
        let (mut subject, params) = (group(vec![ingress("tcp", 22, 22, "pl-1")]), parameters(text));
        let wanted = params.prefix_lists_to_read(&subject.group);
        subject.network.prefix_lists = wanted.into_iter().map(|id| (id, list(entries))).collect();
        assert_eq!(verdict(&subject, &params), expected);
        assert_eq!(plan(&subject, &params), steps, "{expected}");
    }
}

#[test]
fn only_prefix_lists_in_reach_of_a_port_are_read() {
    let subject =
        group(vec![ingress("tcp", 443, 443, "pl-1"), ingress("-1", -1, -1, "pl-2"), ingress("udp", 22, 22, "pl-3")]);
    assert_eq!(parameters("{}").prefix_lists_to_read(&subject.group), BTreeSet::from(["pl-2".to_owned()]));
}

#[test]
fn an_unreadable_prefix_list_is_named_beside_a_finding_too() {
    let mut subject = group(vec![ingress("tcp", 22, 22, "0.0.0.0/0"), ingress("tcp", 22, 22, "pl-1")]);
    subject.network.prefix_lists.insert("pl-1".to_owned(), PrefixList::Unreadable);
    assert_eq!(
        verdict(&subject, &parameters("{}")),
        format!("{OPEN}tcp 22 from 0.0.0.0/0; prefix list pl-1 not readable")
    );
}

#[test]
fn an_unattached_group_is_left_out_only_where_asked_for() {
    let mut subject = group(vec![ingress("tcp", 22, 22, "0.0.0.0/0")]);
    subject.network.usage = Some(Usage::default());
    assert_eq!(verdict(&subject, &parameters("{}")), format!("{OPEN}tcp 22 from 0.0.0.0/0"));
    let ignoring = parameters(r#"{"ignoreUnattached":"TRUE"}"#);
    assert_eq!(verdict(&subject, &ignoring), "NOT_APPLICABLE: no network interface uses the group");
    assert_eq!(plan(&subject, &ignoring), Vec::<String>::new());
    subject.network.usage = None;
    assert_eq!(verdict(&subject, &ignoring), format!("{OPEN}tcp 22 from 0.0.0.0/0"));
}

#[test]
fn a_precondition_that_does_not_hold_holds_the_plan() {
    let open = || group(vec![ingress("tcp", 22, 22, "0.0.0.0/0")]);
    let mut foreign = open();
    foreign.group.owner = rectify_compliance::AccountId::new("444455556666");
    let mut managed = open();
    managed.network.usage =
        Some(Usage { in_use: true, operators: ["eks.amazonaws.com".to_owned()].into(), ..Usage::default() });
    let mut unread = open();
    unread.network.usage = None;
    let mut from_item = open();
    from_item.group.rules[0].id = None;
    for (subject, reason, step) in [
        (foreign, "the group belongs to account `444455556666`", format!("{REVOKE}[\"sgr-0\"]}}")),
        (managed, "interfaces managed by `eks.amazonaws.com` use the group", format!("{REVOKE}[\"sgr-0\"]}}")),
        (unread, "the interfaces that use the group were not read", format!("{REVOKE}[\"sgr-0\"]}}")),
        (
            from_item,
            "the ids of the rules are not known: only a live read can be planned from",
            "L2 by hand: revoke the rule tcp 22 from 0.0.0.0/0 of sg-1".to_owned(),
        ),
    ] {
        assert_eq!(plan(&subject, &parameters("{}")), vec![format!("held: {reason}"), step]);
    }
}

#[test]
fn a_wide_rule_keeps_the_exact_one_from_being_revoked_alone() {
    let subject = group(vec![ingress("tcp", 22, 22, "0.0.0.0/0"), ingress("-1", -1, -1, "::/0")]);
    let plan = RestrictedSsh.plan(&subject, &parameters("{}"), NOW);
    assert_eq!(plan.obstacle(true).as_deref(), Some("a step of level L3 is never applied by machine"));
    assert_eq!(plan.calls().len(), 1);
}

#[test]
fn undo_makes_every_revoked_rule_again_with_description_and_tags_last_first() {
    let mut subject = group(vec![ingress("tcp", 22, 22, "0.0.0.0/0"), ingress("tcp", 22, 22, "::/0")]);
    subject.group.rules[0].description = Some("office".to_owned());
    subject.group.rules[1].tags = [("team".to_owned(), "net".to_owned()), ("aws:x".to_owned(), "y".to_owned())].into();
    let action = revoke(&subject, &["sgr-0", "sgr-1"]);
    let calls = RestrictedSsh.undo(&subject, &[action]).unwrap();
    assert_eq!(
        calls.iter().map(|call| serde_json::to_value(call).unwrap()).collect::<Vec<_>>(),
        [
            json!({"AuthorizeSecurityGroupIngress": {"GroupId": "sg-1",
                "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}],
                "TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": [{"Key": "team", "Value": "net"}]}]}}),
            json!({"AuthorizeSecurityGroupIngress": {"GroupId": "sg-1",
                "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
                    "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "office"}]}]}}),
        ]
    );
}

#[test]
fn undo_refuses_what_the_before_image_does_not_hold() {
    let subject = group(vec![]);
    let action = revoke(&subject, &["sgr-9"]);
    assert_eq!(
        RestrictedSsh.undo(&subject, &[action]).unwrap_err().to_string(),
        "RevokeSecurityGroupIngress: cannot be undone: the before-image does not hold the rule `sgr-9`"
    );
}

#[test]
fn the_role_of_the_remediation_cannot_open_a_group() {
    let may: Vec<&str> = [RestrictedSsh.read_permissions(), RestrictedSsh.fix_permissions()]
        .concat()
        .iter()
        .map(|it| it.action)
        .collect();
    assert!(!may.iter().any(|action| action.contains("Authorize") || action.contains("CreateTags")), "{may:?}");
}
