//! What `restricted-common-ports` must say and plan, case by case. What it shares with `restricted-ssh` is tested there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;

use super::*;
use crate::arbitrary::{group, ingress};
use crate::group_laws::{parameters, plan, verdict};

const OPEN: &str = "NON_COMPLIANT: Blocked ports open to the internet: ";

type Row = (&'static str, Vec<Rule>, &'static str, String, Vec<String>);

fn rows() -> Vec<Row> {
    let tcp = |from, to, peer| ingress("tcp", from, to, peer);
    let open = |what: &str| format!("{OPEN}{what}");
    let revoke = |ids: &str| {
        vec![format!(r#"L2 RevokeSecurityGroupIngress {{"GroupId":"sg-1","SecurityGroupRuleIds":[{ids}]}}"#)]
    };
    let compliant = || "COMPLIANT".to_owned();
    let world = "0.0.0.0/0";
    vec![
        (
            "restricted-common-ports/1",
            vec![tcp(3389, 3389, "::/0")],
            "{}",
            open("tcp 3389 from ::/0"),
            revoke(r#""sgr-0""#),
        ),
        (
            "restricted-common-ports/2",
            vec![tcp(5005, 5005, world)],
            r#"{"blockedPorts":"1433,5000-5010"}"#,
            open("tcp 5005 from 0.0.0.0/0"),
            revoke(r#""sgr-0""#),
        ),
        ("restricted-common-ports/3", vec![tcp(3306, 3306, "10.0.0.0/8")], "{}", compliant(), vec![]),
        ("restricted-common-ports/4", vec![ingress("udp", 3389, 3389, world)], "{}", compliant(), vec![]),
        (
            "restricted-common-ports/5",
            vec![tcp(3000, 4000, world)],
            "{}",
            open("tcp 3000-4000 (3306, 3389) from 0.0.0.0/0"),
            vec!["L2 by hand: narrow the rule sgr-0 tcp 3000-4000 from 0.0.0.0/0 to leave out tcp 20-21,3306,3389,4333".to_owned()],
        ),
        (
            "restricted-common-ports/6",
            vec![tcp(3389, 3389, world), tcp(3389, 3389, "::/0")],
            "{}",
            open("tcp 3389 from 0.0.0.0/0, ::/0"),
            revoke(r#""sgr-0","sgr-1""#),
        ),
        (
            "two blocked ports are two reaches",
            vec![tcp(3389, 3389, world), tcp(3306, 3306, "::/0")],
            "{}",
            open("tcp 3306 from ::/0; tcp 3389 from 0.0.0.0/0"),
            revoke(r#""sgr-0","sgr-1""#),
        ),
        (
            "all traffic holds every blocked port",
            vec![ingress("-1", -1, -1, world)],
            "{}",
            open("all traffic (20-21, 3306, 3389 +1 more) from 0.0.0.0/0"),
            vec!["L3 by hand: replace the rule sgr-0 all traffic from 0.0.0.0/0 by rules for what is needed: without tcp 20-21,3306,3389,4333 from the internet".to_owned()],
        ),
        (
            "a default taken away",
            vec![tcp(20, 20, world), tcp(21, 21, world)],
            r#"{"blockedPort1":"none","blockedPort2":""}"#,
            open("tcp 21 from 0.0.0.0/0"),
            revoke(r#""sgr-1""#),
        ),
        (
            "two blocked ports in a row are one exact rule",
            vec![tcp(20, 21, world)],
            "{}",
            open("tcp 20-21 from 0.0.0.0/0"),
            revoke(r#""sgr-0""#),
        ),
        ("a port that is not blocked", vec![tcp(22, 22, world)], "{}", compliant(), vec![]),
    ]
}

#[test]
fn every_case_has_its_verdict_and_its_plan() {
    for (case, rules, text, expected, steps) in rows() {
        let (subject, params) = (group(rules), parameters(text));
        assert_eq!(verdict(&RestrictedCommonPorts, &subject, &params), expected, "{case}");
        assert_eq!(plan(&RestrictedCommonPorts, &subject, &params), steps, "{case}");
    }
}

#[test]
fn parameters_that_block_nothing_or_are_no_ports_are_refused() {
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
            "ruleParameters: blockedPort1 to blockedPort5 are `none` and blockedPorts is absent: no port is blocked",
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
    let only = format!(r#"{{{none},"blockedPorts":"1433"}}"#);
    assert_eq!(parameters::<RestrictedCommonPortsParameters>(&only).ports(), PortSet::single(1433));
}
