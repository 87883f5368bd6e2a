//! Verdicts and plans of `restricted-ssh`, and properties that hold for every group.
use proptest::prelude::*;
use rectify_compliance::{
    AccountId, Control, FromItem, Irreversible, Level, Plan, Remediation, Resource, Step, Verdict,
};
use rectify_testing::{Case, Cases, NOW};
use serde_json::json;
use std::collections::BTreeSet;

use super::*;
use crate::arbitrary::{egress, group, groups, ingress, tcp};
use crate::families::authorization::Authorize;
use crate::families::revocation::Revoke;
use crate::group_laws::{self, parameters};
use crate::resources::rule::{Direction, Rule};
use crate::resources::security_group::{GroupInNetwork, Network, PrefixList, SecurityGroup, Usage};

const OPEN: &str = "SSH open to the internet: ";
const WORLD: &str = "0.0.0.0/0";

fn case(name: &str, rules: Vec<Rule>) -> Case<'_, OpenPorts<RestrictedSshParameters>> {
    group_laws::case(&SSH, name, rules)
}

fn revoke(ids: &[&str]) -> String {
    group_laws::revoke(Direction::Ingress, ids)
}

#[test]
fn rules_for_only_the_ports_are_revoked_by_id() {
    let found = |name, rules, params: &str, open: &str, ids: &[&str]| {
        case(name, rules).with(params).non_compliant(&format!("{OPEN}{open}")).planned(&[&revoke(ids)]);
    };
    found("restricted-ssh/1", vec![tcp(22, 22, "::/0")], "{}", "tcp 22 from ::/0", &["sgr-0"]);
    let beside = vec![tcp(22, 22, WORLD), tcp(22, 22, "10.1.23.2/32")];
    found("restricted-ssh/5", beside, "{}", "tcp 22 from 0.0.0.0/0", &["sgr-0"]);
    let beside = vec![ingress("-1", -1, -1, "sg-2"), tcp(22, 22, WORLD)];
    found("restricted-ssh/6", beside, "{}", "tcp 22 from 0.0.0.0/0", &["sgr-1"]);
    let both = vec![tcp(22, 22, WORLD), tcp(22, 22, "::/0")];
    found("IPv4 and IPv6 at once", both, "{}", "tcp 22 from 0.0.0.0/0, ::/0", &["sgr-0", "sgr-1"]);
    let others = vec![tcp(2222, 2222, WORLD), tcp(22, 22, WORLD)];
    let ports = r#"{"ports":"2222, 8022"}"#;
    found("ports as a parameter", others, ports, "tcp 2222 from 0.0.0.0/0", &["sgr-1"]);
    let broad = vec![tcp(22, 22, "10.0.0.0/8"), tcp(22, 22, "2001:db8::/32")];
    let max_prefix = r#"{"maxPrefixV4":"8","maxPrefixV6":"31"}"#;
    found("prefix length as a parameter", broad, max_prefix, "tcp 22 from 10.0.0.0/8", &["sgr-0"]);
    found(
        "a long list of port ranges is shortened",
        (22..=25).map(|to| tcp(22, to, WORLD)).collect(),
        r#"{"ports":"22-25"}"#,
        "tcp 22 from 0.0.0.0/0; tcp 22-23 from 0.0.0.0/0; tcp 22-24 from 0.0.0.0/0 +1 more",
        &["sgr-0", "sgr-1", "sgr-2", "sgr-3"],
    );
}

#[test]
fn rule_that_opens_other_ports_too_is_a_manual_step() {
    let found = |name, rules, params: &str, open: &str, steps: &[&str]| {
        case(name, rules).with(params).non_compliant(&format!("{OPEN}{open} from 0.0.0.0/0")).planned(steps);
    };
    let narrow = |what: &str| format!("L2 manual: narrow the rule sgr-0 {what} from 0.0.0.0/0 to exclude tcp 22");
    let range = vec![tcp(20, 25, WORLD)];
    found("restricted-ssh/2 a range around 22", range, "{}", "tcp 20-25", &[&narrow("tcp 20-25")]);
    for (name, rule) in [
        ("restricted-ssh/2 every port", tcp(0, 65535, WORLD)),
        ("restricted-ssh/2 no ports stated", tcp(-1, -1, WORLD)),
    ] {
        found(name, vec![rule], "{}", "tcp 0-65535", &[&narrow("tcp 0-65535")]);
    }
    found(
        "restricted-ssh/2 calls listed",
        vec![tcp(22, 25, WORLD)],
        r#"{"narrowWideRules":"true"}"#,
        "tcp 22-25",
        &[
            "blocked: narrowing the rule sgr-0 tcp 22-25 from 0.0.0.0/0 needs a role that may authorize ingress",
            r#"L2 manual: AuthorizeSecurityGroupIngress {"GroupId":"sg-1","IpPermissions":[{"FromPort":23,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":25}]}, then RevokeSecurityGroupIngress {"GroupId":"sg-1","SecurityGroupRuleIds":["sgr-0"]}"#,
        ],
    );
    let replace = "L3 manual: replace the rule sgr-0 all traffic from 0.0.0.0/0 with rules for the required traffic, without tcp 22 from the internet";
    found("restricted-ssh/3", vec![ingress("-1", -1, -1, WORLD)], "{}", "all traffic", &[replace]);
    let halves = vec![tcp(22, 22, "0.0.0.0/1"), tcp(22, 22, "128.0.0.0/1")];
    let combined = "L3 manual: narrow these rules, which together cover the internet: sgr-0 tcp 22 from 0.0.0.0/1, sgr-1 tcp 22 from 128.0.0.0/1";
    case("restricted-ssh/9", halves)
        .non_compliant(&format!("{OPEN}tcp 22 from 0.0.0.0/1, 128.0.0.0/1"))
        .planned(&[combined]);
}

#[test]
fn other_protocols_ports_and_directions_do_not_count() {
    let others = vec![ingress("47", -1, -1, WORLD), ingress("udp", 22, 22, WORLD), ingress("icmp", 8, 0, WORLD)];
    case("restricted-ssh/4", others).compliant();
    case("restricted-ssh/7", vec![egress(tcp(22, 22, WORLD)), egress(ingress("-1", -1, -1, WORLD))]).compliant();
    case("other ports belong to other controls", vec![tcp(23, 23, WORLD), tcp(443, 443, WORLD)]).compliant();
}

#[test]
fn missing_ipv6_ranges_count_as_empty() {
    let item = crate::arbitrary::item_of(
        "sg-1",
        json!({"groupId": "sg-1", "ipPermissionsEgress": [], "ipPermissions": [
            {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": ["10.0.0.0/8"], "prefixListIds": null}]}),
    );
    let subject = SSH.subject(SecurityGroup::from_item(&item).unwrap(), Network::default());
    Cases::of(&SSH, subject).case("restricted-ssh/8", |_| ()).compliant();
}

#[test]
fn sixty_open_rules_are_one_call() {
    // restricted-ssh/10
    let described = |index| Rule { description: Some(format!("{index}")), ..tcp(22, 22, &format!("{index}.0.0.0/8")) };
    let (subject, params) = (group((0..60).map(described).collect()), parameters(r#"{"maxPrefixV4":"8"}"#));
    let ids: Vec<String> = (0..60).map(|index| format!("sgr-{index}")).collect();
    let step = Step::call(Level::L2, Revoke::of(Direction::Ingress, "sg-1", ids));
    assert_eq!(SSH.plan(&subject, &params, NOW), Plan::Apply { steps: vec![step] });
    let found = Verdict::non_compliant(format!("{OPEN}tcp 22 from 0.0.0.0/8, 1.0.0.0/8, 10.0.0.0/8 +57 more"));
    assert_eq!(SSH.evaluate(&subject, &params, NOW), found);
}

#[test]
fn prefix_list_counts_as_its_entries_and_is_a_manual_step() {
    let cases = Cases::of(&SSH, group(vec![tcp(22, 22, "pl-1")]));
    let list =
        |name, list: PrefixList| cases.case(name, |it| drop(it.network.prefix_lists.insert("pl-1".to_owned(), list)));
    let entries = |nets: &[&str]| PrefixList::Entries(nets.iter().map(|net| net.parse().unwrap()).collect());
    list("narrow", entries(&["10.0.0.0/8"])).compliant();
    list("wide", entries(&["10.0.0.0/8", "::/0"])).non_compliant(&format!("{OPEN}tcp 22 from pl-1")).planned(&[
        "L3 manual: replace the rule sgr-0 tcp 22 from pl-1 with rules for the required traffic, without tcp 22 from the internet",
    ]);
    let with_note = |text: &str| Verdict::Compliant(Some(text.into()));
    list("unreadable", PrefixList::Unreadable).is(&with_note("prefix list pl-1 not readable"));
    let unread = r#"{"resolvePrefixLists":"false"}"#;
    cases.case("resolution turned off", |_| ()).with(unread).is(&with_note("prefix lists not resolved"));
    let limits = (SSH.limits)(&parameters(unread));
    assert_eq!(limits.prefix_lists_to_read(&group(vec![tcp(22, 22, "pl-1")]).group), BTreeSet::new());
}

#[test]
fn only_prefix_lists_of_rules_for_the_ports_are_read() {
    let subject = group(vec![tcp(443, 443, "pl-1"), ingress("-1", -1, -1, "pl-2"), ingress("udp", 22, 22, "pl-3")]);
    let limits = (SSH.limits)(&RestrictedSshParameters::default());
    assert_eq!(limits.prefix_lists_to_read(&subject.group), BTreeSet::from(["pl-2".to_owned()]));
}

#[test]
fn unreadable_prefix_list_is_also_named_in_a_finding() {
    Cases::of(&SSH, group(vec![tcp(22, 22, WORLD), tcp(22, 22, "pl-1")]))
        .case("beside", |it| drop(it.network.prefix_lists.insert("pl-1".to_owned(), PrefixList::Unreadable)))
        .non_compliant(&format!("{OPEN}tcp 22 from 0.0.0.0/0; prefix list pl-1 not readable"));
}

#[test]
fn unattached_group_is_ignored_only_if_configured() {
    let cases = Cases::of(&SSH, group(vec![tcp(22, 22, WORLD)]));
    let (open, ignoring) = (format!("{OPEN}tcp 22 from 0.0.0.0/0"), r#"{"ignoreUnattached":"TRUE"}"#);
    let unattached = |it: &mut GroupInNetwork| it.network.usage = Some(Usage::default());
    cases.case("evaluated", unattached).non_compliant(&open);
    cases.case("ignored", unattached).with(ignoring).not_applicable("no network interface uses the group");
    cases.case("use not read", |it| it.network.usage = None).with(ignoring).non_compliant(&open);
}

#[test]
fn unmet_precondition_blocks_the_plan() {
    let cases = Cases::of(&SSH, group(vec![tcp(22, 22, WORLD)]));
    let held = |reason: &str, step: &str, change: fn(&mut GroupInNetwork)| {
        cases
            .case(reason, change)
            .non_compliant(&format!("{OPEN}tcp 22 from 0.0.0.0/0"))
            .planned(&[&format!("blocked: {reason}"), step]);
    };
    let step = revoke(&["sgr-0"]);
    held("the group belongs to account `444455556666`", &step, |it| it.group.owner = AccountId::new("444455556666"));
    held("interfaces managed by `eks.amazonaws.com` use the group", &step, |it| {
        let operators = ["eks.amazonaws.com".to_owned()].into();
        it.network.usage = Some(Usage { in_use: true, operators, ..Usage::default() });
    });
    held("the interfaces that use the group were not read", &step, |it| it.network.usage = None);
    let by_hand = "L2 manual: revoke the rule tcp 22 from 0.0.0.0/0 of sg-1";
    held("the rule ids are not known: a plan needs a live read", by_hand, |it| {
        it.group.rules[0].id = None;
    });
}

#[test]
fn manual_step_for_a_wide_rule_blocks_the_revocation_of_another() {
    let subject = group(vec![tcp(22, 22, WORLD), ingress("-1", -1, -1, "::/0")]);
    let plan = SSH.plan(&subject, &RestrictedSshParameters::default(), NOW);
    assert_eq!(plan.blocker(true).as_deref(), Some("a step of level L3 is never applied automatically"));
    assert_eq!(plan.calls().len(), 1);
}

fn undo(subject: &GroupInNetwork, ids: &[&str]) -> Result<Vec<Authorize>, Irreversible> {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    SSH.undo(subject, &[Revoke::of(Direction::Ingress, "sg-1", ids)])
}

#[test]
fn undo_recreates_revoked_rules_with_description_and_tags_last_first() {
    let mut subject = group(vec![tcp(22, 22, WORLD), tcp(22, 22, "::/0")]);
    subject.group.rules[0].description = Some("office".to_owned());
    subject.group.rules[1].tags = [("team".to_owned(), "net".to_owned()), ("aws:x".to_owned(), "y".to_owned())].into();
    assert_eq!(
        serde_json::to_value(undo(&subject, &["sgr-0", "sgr-1"]).unwrap()).unwrap(),
        json!([
            {"AuthorizeSecurityGroupIngress": {"GroupId": "sg-1",
                "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}],
                "TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": [{"Key": "team", "Value": "net"}]}]}},
            {"AuthorizeSecurityGroupIngress": {"GroupId": "sg-1",
                "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
                    "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "office"}]}]}},
        ])
    );
}

#[test]
fn undo_fails_for_a_rule_missing_from_the_prior_state() {
    assert_eq!(
        undo(&group(vec![]), &["sgr-9"]).unwrap_err().to_string(),
        "RevokeSecurityGroupIngress: cannot be undone: the prior state does not contain the rule `sgr-9`"
    );
}

#[test]
fn remediation_role_cannot_authorize_rules() {
    let may = [SSH.permissions().read, SSH.permissions().fix].concat();
    let opens = |action: &str| action.contains("Authorize") || action.contains("CreateTags");
    assert!(!may.iter().any(|it| opens(it.action)), "{may:?}");
}

#[test]
fn laws() {
    let params = prop_oneof![
        4 => Just("{}"),
        1 => Just(r#"{"ports":"20-25"}"#),
        1 => Just(r#"{"maxPrefixV4":"8"}"#),
        1 => Just(r#"{"ignoreUnattached":"true"}"#),
        1 => Just(r#"{"narrowWideRules":"true"}"#),
        1 => Just(r#"{"resolvePrefixLists":"false"}"#),
    ];
    group_laws::hold(&SSH, (groups(), params.prop_map(parameters)));
}
