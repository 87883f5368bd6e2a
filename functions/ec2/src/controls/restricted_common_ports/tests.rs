//! Verdicts and plans of `restricted-common-ports`. The logic shared with `restricted-ssh` is tested there.
use proptest::prelude::*;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::Case;

use super::*;
use crate::arbitrary::{groups, ingress, tcp};
use crate::group_laws::{self, parameters};
use crate::resources::rule::{Direction, Rule};

const WORLD: &str = "0.0.0.0/0";

fn case(name: &str, rules: Vec<Rule>) -> Case<'_, OpenPorts<RestrictedCommonPortsParameters>> {
    group_laws::case(&COMMON_PORTS, name, rules)
}

#[test]
fn blocked_ports_are_revoked_by_their_ids() {
    let found = |name, rules, params: &str, open: &str, ids: &[&str]| {
        case(name, rules)
            .with(params)
            .non_compliant(&format!("Blocked ports open to the internet: {open}"))
            .planned(&[&group_laws::revoke(Direction::Ingress, ids)]);
    };
    let desktop = vec![tcp(3389, 3389, "::/0")];
    found("restricted-common-ports/1", desktop, "{}", "tcp 3389 from ::/0", &["sgr-0"]);
    let more = r#"{"blockedPorts":"1433,5000-5010"}"#;
    found("restricted-common-ports/2", vec![tcp(5005, 5005, WORLD)], more, "tcp 5005 from 0.0.0.0/0", &["sgr-0"]);
    let both = vec![tcp(3389, 3389, WORLD), tcp(3389, 3389, "::/0")];
    found("restricted-common-ports/6", both, "{}", "tcp 3389 from 0.0.0.0/0, ::/0", &["sgr-0", "sgr-1"]);
    let two = vec![tcp(3389, 3389, WORLD), tcp(3306, 3306, "::/0")];
    let open = "tcp 3306 from ::/0; tcp 3389 from 0.0.0.0/0";
    found("two blocked ports are named one by one", two, "{}", open, &["sgr-0", "sgr-1"]);
    let ftp = vec![tcp(20, 20, WORLD), tcp(21, 21, WORLD)];
    let without = r#"{"blockedPort1":"none","blockedPort2":""}"#;
    found("a default turned off", ftp, without, "tcp 21 from 0.0.0.0/0", &["sgr-1"]);
    let row = vec![tcp(20, 21, WORLD)];
    found("adjacent blocked ports in one rule are revoked", row, "{}", "tcp 20-21 from 0.0.0.0/0", &["sgr-0"]);
}

#[test]
fn rule_that_opens_other_ports_too_is_a_manual_step() {
    let found = |name, rule, open: &str, step| {
        let finding = format!("Blocked ports open to the internet: {open} from 0.0.0.0/0");
        case(name, vec![rule]).non_compliant(&finding).planned(&[step]);
    };
    let (wide, all) = (tcp(3000, 4000, WORLD), ingress("-1", -1, -1, WORLD));
    let narrow = "L2 manual: narrow the rule sgr-0 tcp 3000-4000 from 0.0.0.0/0 to exclude tcp 20-21,3306,3389,4333";
    found("restricted-common-ports/5", wide, "tcp 3000-4000 (3306, 3389)", narrow);
    let replace = "L3 manual: replace the rule sgr-0 all traffic from 0.0.0.0/0 with rules for the required traffic, without tcp 20-21,3306,3389,4333 from the internet";
    found("all traffic includes every blocked port", all, "all traffic (20-21, 3306, 3389 +1 more)", replace);
}

#[test]
fn udp_ports_are_blocked_beside_tcp_ports() {
    let params = r#"{"blockedPorts":"445","udpPorts":"22,3389"}"#;
    let open = |name, rule, open: &str, step: &str| {
        let finding = format!("Blocked ports open to the internet: {open} from ::/0");
        case(name, vec![rule]).with(params).non_compliant(&finding).planned(&[step]);
    };
    let revoke = group_laws::revoke(Direction::Ingress, &["sgr-0"]);
    open("restricted-common-ports/8", ingress("udp", 3389, 3389, "::/0"), "udp 3389", &revoke);
    let narrow = "L2 manual: narrow the rule sgr-0 udp 20-30 from ::/0 to exclude udp 22,3389";
    open("a wide UDP range names the UDP port", ingress("udp", 20, 30, "::/0"), "udp 20-30 (22)", narrow);
    let replace = "L3 manual: replace the rule sgr-0 all traffic from ::/0 with rules for the required traffic, without tcp 20-21,445,3306,3389,4333 and udp 22,3389 from the internet";
    let everything = "all traffic (tcp 20-21, tcp 3306, tcp 3389 +4 more)";
    open("all traffic includes both", ingress("-1", -1, -1, "::/0"), everything, replace);
    case("a TCP port does not block UDP", vec![ingress("udp", 445, 445, "::/0")]).with(params).compliant();
    case("a UDP port does not block TCP", vec![tcp(22, 22, "::/0")]).with(params).compliant();
}

#[test]
fn narrow_sources_other_protocols_and_other_ports_do_not_count() {
    case("restricted-common-ports/3", vec![tcp(3306, 3306, "10.0.0.0/8")]).compliant();
    case("restricted-common-ports/4", vec![ingress("udp", 3389, 3389, WORLD)]).compliant();
    case("a port that is not blocked", vec![tcp(22, 22, WORLD)]).compliant();
}

#[test]
fn parameters_that_block_nothing_or_are_not_ports_are_rejected() {
    let none = (1..=5).map(|index| format!(r#""blockedPort{index}":"none""#)).collect::<Vec<_>>().join(",");
    for (case, text, expected) in [
        (
            "restricted-common-ports/7",
            r#"{"blockedPort1":"abc"}"#.to_owned(),
            "ruleParameters.blockedPort1: expected a whole number in 0..=65535 or none: received `abc`",
        ),
        (
            "nothing is blocked",
            format!("{{{none}}}"),
            "ruleParameters: blockedPort1 to blockedPort5 are `none`, and blockedPorts and udpPorts are absent: no port is blocked",
        ),
        (
            "a reversed range",
            r#"{"blockedPorts":"5010-5000"}"#.to_owned(),
            "ruleParameters.blockedPorts: expected a range from low to high: received `5010-5000`",
        ),
    ] {
        let error = RuleParameters::<RestrictedCommonPortsParameters>::parse(Some(&text)).unwrap_err();
        assert_eq!(error.to_string(), expected, "{case}");
    }
    let only: RestrictedCommonPortsParameters = parameters(&format!(r#"{{{none},"blockedPorts":"1433"}}"#));
    assert_eq!(only.tcp(), PortSet::single(1433));
    let udp: RestrictedCommonPortsParameters = parameters(&format!(r#"{{{none},"udpPorts":"53"}}"#));
    assert!(udp.tcp().is_empty());
}

#[test]
fn laws() {
    let params = prop_oneof![
        2 => Just(r#"{"blockedPorts":"22"}"#),
        2 => Just(r#"{"blockedPorts":"22-25,443"}"#),
        1 => Just("{}"),
        1 => Just(r#"{"blockedPorts":"22","maxPrefixV4":"8"}"#),
        1 => Just(r#"{"blockedPorts":"22","ignoreUnattached":"true"}"#),
        1 => Just(r#"{"blockedPort1":"443","narrowWideRules":"true"}"#),
        1 => Just(r#"{"blockedPorts":"22","resolvePrefixLists":"false"}"#),
        1 => Just(r#"{"blockedPorts":"22","udpPorts":"22-25,53"}"#),
    ];
    group_laws::hold(&COMMON_PORTS, (groups(), params.prop_map(parameters)));
}
