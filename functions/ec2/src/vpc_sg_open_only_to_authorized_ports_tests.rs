//! What `vpc-sg-open-only-to-authorized-ports` must say and plan, case by case.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;

use super::*;
use crate::arbitrary::{group, ingress};
use crate::group_laws::{parameters, plan, verdict};
use crate::security_group::{PrefixList, Usage};

const OPEN: &str = "NON_COMPLIANT: Open to the internet on unauthorized ports: ";

type Row = (&'static str, Vec<Rule>, &'static str, String, Vec<String>);

fn rows() -> Vec<Row> {
    let tcp = |from, to, peer| ingress("tcp", from, to, peer);
    let open = |what: &str| format!("{OPEN}{what}");
    let revoke = |ids: &str| {
        vec![format!(r#"L2 RevokeSecurityGroupIngress {{"GroupId":"sg-1","SecurityGroupRuleIds":[{ids}]}}"#)]
    };
    let by_hand = |level: &str, what: &str| vec![format!("{level} by hand: {what}")];
    let (world, web) = ("0.0.0.0/0", r#"{"authorizedTcpPorts":"80,443"}"#);
    let not_open = || "NOT_APPLICABLE: no rule lets the internet in".to_owned();
    let compliant = || "COMPLIANT".to_owned();
    vec![
        (
            "vpc-sg-open-only-to-authorized-ports/1",
            vec![tcp(80, 443, world)],
            web,
            open("tcp 80-443 from 0.0.0.0/0; authorized tcp 80,443"),
            by_hand("L2", "narrow the rule sgr-0 tcp 80-443 from 0.0.0.0/0 to tcp 80,443"),
        ),
        (
            "vpc-sg-open-only-to-authorized-ports/2",
            vec![ingress("udp", 443, 443, world)],
            web,
            open("udp 443 from 0.0.0.0/0; authorized tcp 80,443"),
            revoke(r#""sgr-0""#),
        ),
        ("vpc-sg-open-only-to-authorized-ports/3", vec![tcp(22, 22, "10.0.0.0/8")], web, not_open(), vec![]),
        (
            "vpc-sg-open-only-to-authorized-ports/4",
            vec![ingress("-1", -1, -1, "10.0.0.0/8"), tcp(443, 443, world)],
            web,
            compliant(),
            vec![],
        ),
        (
            "vpc-sg-open-only-to-authorized-ports/5 ignored",
            vec![ingress("icmp", 8, 0, world)],
            web,
            compliant(),
            vec![],
        ),
        (
            "vpc-sg-open-only-to-authorized-ports/5 found",
            vec![ingress("icmp", 8, 0, world), ingress("47", -1, -1, "::/0")],
            r#"{"otherProtocols":"noncompliant"}"#,
            open("icmp from 0.0.0.0/0; protocol 47 from ::/0; authorized none"),
            revoke(r#""sgr-0","sgr-1""#),
        ),
        (
            "vpc-sg-open-only-to-authorized-ports/6",
            vec![tcp(1020, 1024, "::/0")],
            r#"{"authorizedTcpPorts":"443,1020-1025"}"#,
            compliant(),
            vec![],
        ),
        (
            "without lists every open port is one too many",
            vec![tcp(443, 443, world), tcp(22, 22, "10.0.0.0/8")],
            "{}",
            open("tcp 443 from 0.0.0.0/0; authorized none"),
            revoke(r#""sgr-1""#),
        ),
        (
            "all traffic is never authorized, not even by every port",
            vec![ingress("-1", -1, -1, world)],
            r#"{"authorizedTcpPorts":"0-65535","authorizedUdpPorts":"0-65535"}"#,
            open("all traffic from 0.0.0.0/0; authorized tcp 0-65535, udp 0-65535"),
            by_hand("L3", "replace the rule sgr-0 all traffic from 0.0.0.0/0 by rules for what is authorized"),
        ),
        (
            "two halves are open together, on the ports they share",
            vec![tcp(443, 8443, "0.0.0.0/1"), tcp(443, 8443, "128.0.0.0/1")],
            web,
            open("tcp 443-8443 from 0.0.0.0/1, 128.0.0.0/1; authorized tcp 80,443"),
            by_hand(
                "L3",
                "narrow these rules, which cover the internet together: sgr-0 tcp 443-8443 from 0.0.0.0/1, sgr-1 tcp 443-8443 from 128.0.0.0/1",
            ),
        ),
        (
            "two halves on an authorized port",
            vec![tcp(443, 443, "0.0.0.0/1"), tcp(443, 443, "128.0.0.0/1")],
            web,
            compliant(),
            vec![],
        ),
        (
            "a wrong rule beside a right one",
            vec![tcp(443, 443, world), tcp(8080, 8080, world), tcp(8080, 8080, "10.0.0.0/8")],
            web,
            open("tcp 8080 from 0.0.0.0/0; authorized tcp 80,443"),
            revoke(r#""sgr-1""#),
        ),
        (
            "ports that are not stated are every port",
            vec![tcp(-1, -1, "::/0")],
            r#"{"authorizedTcpPorts":"443"}"#,
            open("tcp 0-65535 from ::/0; authorized tcp 443"),
            by_hand("L2", "narrow the rule sgr-0 tcp 0-65535 from ::/0 to tcp 443"),
        ),
    ]
}

#[test]
fn every_case_has_its_verdict_and_its_plan() {
    for (case, rules, text, expected, steps) in rows() {
        let (subject, params) = (group(rules), parameters(text));
        assert_eq!(verdict(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &params), expected, "{case}");
        assert_eq!(plan(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &params), steps, "{case}");
    }
}

#[test]
fn a_list_that_is_none_is_refused() {
    for (case, text, expected) in [
        (
            "vpc-sg-open-only-to-authorized-ports/7",
            r#"{"authorizedTcpPorts":"443-80"}"#,
            "ruleParameters.authorizedTcpPorts: expected a range from low to high: received `443-80`",
        ),
        (
            "an unknown word",
            r#"{"otherProtocols":"forbid"}"#,
            "ruleParameters.otherProtocols: unknown variant `forbid`, expected `ignore` or `noncompliant`",
        ),
    ] {
        let error = RuleParameters::<Params>::parse(Some(text)).unwrap_err();
        assert_eq!(error.to_string(), expected, "{case}");
    }
}

#[test]
fn every_prefix_list_of_an_ingress_rule_is_read_and_left_to_a_person() {
    let mut subject = group(vec![ingress("47", -1, -1, "pl-1"), ingress("tcp", 8080, 8080, "pl-2")]);
    let params: Params = parameters(r#"{"authorizedTcpPorts":"443"}"#);
    assert_eq!(params.prefix_lists_to_read(&subject.group), ["pl-1".to_owned(), "pl-2".to_owned()].into());
    subject.network.prefix_lists.insert("pl-1".to_owned(), PrefixList::Unreadable);
    let entries = PrefixList::Entries(["::/0".parse().unwrap()].into());
    subject.network.prefix_lists.insert("pl-2".to_owned(), entries);
    assert_eq!(
        verdict(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &params),
        format!("{OPEN}tcp 8080 from pl-2; authorized tcp 443; prefix list pl-1 not readable")
    );
    let step = "L3 by hand: replace the rule sgr-0 tcp 8080 from pl-2 by rules for what is authorized";
    assert_eq!(plan(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &params), [step]);
    subject.network.prefix_lists.insert("pl-2".to_owned(), PrefixList::Unreadable);
    assert_eq!(
        verdict(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &params),
        "NOT_APPLICABLE: no rule lets the internet in; prefix list pl-1, pl-2 not readable"
    );
}

#[test]
fn an_unattached_group_is_left_out_only_where_asked_for() {
    let mut subject = group(vec![ingress("tcp", 22, 22, "0.0.0.0/0")]);
    subject.network.usage = Some(Usage::default());
    let ignoring = parameters(r#"{"ignoreUnattached":true}"#);
    let unattached = "NOT_APPLICABLE: no network interface uses the group";
    assert_eq!(verdict(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &ignoring), unattached);
    let found = verdict(&VpcSgOpenOnlyToAuthorizedPorts, &subject, &parameters("{}"));
    assert_eq!(found, format!("{OPEN}tcp 22 from 0.0.0.0/0; authorized none"));
}

#[test]
fn a_long_list_is_not_repeated_whole() {
    let ports = (0..100).map(|it| (it * 2 + 1000).to_string()).collect::<Vec<_>>().join(",");
    let params = parameters(&format!(r#"{{"authorizedTcpPorts":"{ports}"}}"#));
    let text = verdict(&VpcSgOpenOnlyToAuthorizedPorts, &group(vec![ingress("tcp", 22, 22, "::/0")]), &params);
    let authorized = "1000,1002,1004,1006,1008,1010,1012,1014,1016,1018,1020,1022…";
    assert!(text.contains("authorized tcp 1000,1002") && text.ends_with('…'), "{text}");
    assert!(text.len() < OPEN.len() + authorized.len() + 60, "{text}");
}
