//! Verdicts and plans of `vpc-sg-open-only-to-authorized-ports`, and properties that hold for every group.
use proptest::prelude::*;
use proptest::test_runner::Config;
use rectify_compliance::Control;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Case, Cases, NOW};

use super::*;
use crate::arbitrary::{group, groups, ingress, tcp};
use crate::group_laws::{self, parameters};
use crate::resources::rule::{Direction, Rule};
use crate::resources::security_group::{PrefixList, Usage};

const OPEN: &str = "Open to the internet on unauthorized ports: ";
const WORLD: &str = "0.0.0.0/0";
const WEB: &str = r#"{"authorizedTcpPorts":"80,443"}"#;

fn case(name: &str, rules: Vec<Rule>) -> Case<'_, OpenPorts<VpcSgOpenOnlyToAuthorizedPortsParameters>> {
    group_laws::case(&AUTHORIZED_PORTS, name, rules)
}

fn found(name: &str, rules: Vec<Rule>, params: &str, open: &str, step: &str) {
    case(name, rules).with(params).non_compliant(&format!("{OPEN}{open}")).planned(&[step]);
}

#[test]
fn rules_without_an_authorized_port_are_revoked_by_their_ids() {
    let found = |name, rules, params, open, ids: &[&str]| {
        found(name, rules, params, open, &group_laws::revoke(Direction::Ingress, ids));
    };
    let udp = vec![ingress("udp", 443, 443, WORLD)];
    let open = "udp 443 from 0.0.0.0/0; authorized tcp 80,443";
    found("vpc-sg-open-only-to-authorized-ports/2", udp, WEB, open, &["sgr-0"]);
    let portless = vec![ingress("icmp", 8, 0, WORLD), ingress("47", -1, -1, "::/0")];
    found(
        "vpc-sg-open-only-to-authorized-ports/5 found",
        portless,
        r#"{"otherProtocols":"noncompliant"}"#,
        "icmp from 0.0.0.0/0; protocol 47 from ::/0; authorized none",
        &["sgr-0", "sgr-1"],
    );
    let one = vec![tcp(443, 443, WORLD), tcp(22, 22, "10.0.0.0/8")];
    let open = "tcp 443 from 0.0.0.0/0; authorized none";
    found("without lists every open port is unauthorized", one, "{}", open, &["sgr-1"]);
    let beside = vec![tcp(443, 443, WORLD), tcp(8080, 8080, WORLD), tcp(8080, 8080, "10.0.0.0/8")];
    let open = "tcp 8080 from 0.0.0.0/0; authorized tcp 80,443";
    found("an unauthorized rule beside an authorized one", beside, WEB, open, &["sgr-1"]);
}

#[test]
fn rule_that_also_opens_an_authorized_port_is_a_manual_step() {
    found(
        "vpc-sg-open-only-to-authorized-ports/1",
        vec![tcp(80, 443, WORLD)],
        WEB,
        "tcp 80-443 from 0.0.0.0/0; authorized tcp 80,443",
        "L2 manual: narrow the rule sgr-0 tcp 80-443 from 0.0.0.0/0 to tcp 80,443",
    );
    found(
        "all traffic is never authorized, not even by every port",
        vec![ingress("-1", -1, -1, WORLD)],
        r#"{"authorizedTcpPorts":"0-65535","authorizedUdpPorts":"0-65535"}"#,
        "all traffic from 0.0.0.0/0; authorized tcp 0-65535, udp 0-65535",
        "L3 manual: replace the rule sgr-0 all traffic from 0.0.0.0/0 with rules for the authorized ports",
    );
    found(
        "two halves combined are open on the ports they share",
        vec![tcp(443, 8443, "0.0.0.0/1"), tcp(443, 8443, "128.0.0.0/1")],
        WEB,
        "tcp 443-8443 from 0.0.0.0/1, 128.0.0.0/1; authorized tcp 80,443",
        "L3 manual: narrow these rules, which together cover the internet: sgr-0 tcp 443-8443 from 0.0.0.0/1, sgr-1 tcp 443-8443 from 128.0.0.0/1",
    );
    found(
        "missing ports count as every port",
        vec![tcp(-1, -1, "::/0")],
        r#"{"authorizedTcpPorts":"443"}"#,
        "tcp 0-65535 from ::/0; authorized tcp 443",
        "L2 manual: narrow the rule sgr-0 tcp 0-65535 from ::/0 to tcp 443",
    );
}

#[test]
fn authorized_ports_are_compliant_and_a_closed_group_is_not_applicable() {
    let all_from_private_range = vec![ingress("-1", -1, -1, "10.0.0.0/8"), tcp(443, 443, WORLD)];
    case("vpc-sg-open-only-to-authorized-ports/4", all_from_private_range).with(WEB).compliant();
    let icmp = vec![ingress("icmp", 8, 0, WORLD)];
    case("vpc-sg-open-only-to-authorized-ports/5 ignored", icmp).with(WEB).compliant();
    case("vpc-sg-open-only-to-authorized-ports/6", vec![tcp(1020, 1024, "::/0")])
        .with(r#"{"authorizedTcpPorts":"443,1020-1025"}"#)
        .compliant();
    let halves = vec![tcp(443, 443, "0.0.0.0/1"), tcp(443, 443, "128.0.0.0/1")];
    case("two halves on an authorized port", halves).with(WEB).compliant();
    case("vpc-sg-open-only-to-authorized-ports/3", vec![tcp(22, 22, "10.0.0.0/8")])
        .with(WEB)
        .not_applicable("no rule lets the internet in");
}

#[test]
fn invalid_list_is_rejected() {
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
        let error = RuleParameters::<VpcSgOpenOnlyToAuthorizedPortsParameters>::parse(Some(text)).unwrap_err();
        assert_eq!(error.to_string(), expected, "{case}");
    }
}

#[test]
fn every_ingress_prefix_list_is_read_and_open_ones_are_manual_steps() {
    let subject = group(vec![ingress("47", -1, -1, "pl-1"), tcp(8080, 8080, "pl-2")]);
    let text = r#"{"authorizedTcpPorts":"443"}"#;
    let limits = (AUTHORIZED_PORTS.limits)(&parameters(text));
    assert_eq!(limits.prefix_lists_to_read(&subject.group), ["pl-1".to_owned(), "pl-2".to_owned()].into());
    let cases = Cases::of(&AUTHORIZED_PORTS, subject);
    let second_is = |list: PrefixList| {
        let lists = [("pl-1".to_owned(), PrefixList::Unreadable), ("pl-2".to_owned(), list)].into();
        cases.case("prefix lists", |it| it.network.prefix_lists = lists).with(text)
    };
    second_is(PrefixList::Entries(["::/0".parse().unwrap()].into()))
        .non_compliant(&format!("{OPEN}tcp 8080 from pl-2; authorized tcp 443; prefix list pl-1 not readable"))
        .planned(&["L3 manual: replace the rule sgr-0 tcp 8080 from pl-2 with rules for the authorized ports"]);
    second_is(PrefixList::Unreadable)
        .not_applicable("no rule lets the internet in; prefix list pl-1, pl-2 not readable");
}

#[test]
fn unattached_group_is_ignored_only_if_configured() {
    let mut subject = group(vec![tcp(22, 22, WORLD)]);
    subject.network.usage = Some(Usage::default());
    let cases = Cases::of(&AUTHORIZED_PORTS, subject);
    cases.case("evaluated", |_| ()).non_compliant(&format!("{OPEN}tcp 22 from 0.0.0.0/0; authorized none"));
    let ignoring = r#"{"ignoreUnattached":true}"#;
    cases.case("ignored", |_| ()).with(ignoring).not_applicable("no network interface uses the group");
}

#[test]
fn long_list_is_shortened() {
    let ports = (0..100).map(|it| (it * 2 + 1000).to_string()).collect::<Vec<_>>().join(",");
    let authorized = "1000,1002,1004,1006,1008,1010,1012,1014,1016,1018,1020,1022…";
    assert_eq!(authorized.chars().count(), 60);
    case("a long list", vec![tcp(22, 22, "::/0")])
        .with(&format!(r#"{{"authorizedTcpPorts":"{ports}"}}"#))
        .non_compliant(&format!("{OPEN}tcp 22 from ::/0; authorized tcp {authorized}"));
}

#[test]
fn laws() {
    let params = prop_oneof![
        3 => Just(r#"{"authorizedTcpPorts":"443"}"#),
        2 => Just(r#"{"authorizedTcpPorts":"20-22,443","authorizedUdpPorts":"22"}"#),
        1 => Just("{}"),
        1 => Just(r#"{"authorizedTcpPorts":"0-65535","authorizedUdpPorts":"0-65535"}"#),
        1 => Just(r#"{"authorizedTcpPorts":"443","maxPrefixV4":"8"}"#),
        1 => Just(r#"{"otherProtocols":"noncompliant","ignoreUnattached":"true"}"#),
        1 => Just(r#"{"authorizedTcpPorts":"443","resolvePrefixLists":"false"}"#),
    ];
    group_laws::hold(&AUTHORIZED_PORTS, (groups(), params.prop_map(parameters)));
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn more_authorized_ports_never_add_findings(subject in groups()) {
        let found = |text| {
            AUTHORIZED_PORTS.evaluate(&subject, &parameters(text), NOW).is_non_compliant()
        };
        let (none, some) = (found("{}"), found(r#"{"authorizedTcpPorts":"443"}"#));
        let most = found(r#"{"authorizedTcpPorts":"20-443","authorizedUdpPorts":"22"}"#);
        prop_assert!(none >= some && some >= most);
    }
}
