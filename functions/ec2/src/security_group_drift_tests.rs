//! What `security-group-drift` must say and plan, case by case, and what holds of it for every group.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::test_runner::Config;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Tags, Timestamp};

use serde_json::json;

use super::*;
use crate::arbitrary::{group, groups, ingress};
use crate::group_laws::{self, parameters, play};
use crate::rule::Peer;

type Params = SecurityGroupDriftParameters;

/// Long after every approval of these tests.
fn now() -> Timestamp {
    "2026-05-06T12:00:00Z".parse().unwrap()
}

/// A group beside a baseline that is long approved.
fn beside(live: Vec<Rule>, approved: Vec<Rule>) -> GroupAndBaseline {
    let subject = group(live);
    let baseline = Baseline::of(approved, Some("2026-05-01T00:00:00Z".parse().unwrap())).unwrap();
    GroupAndBaseline::of(subject.group, Approval { baseline: Some(baseline) }, subject.network.usage)
}

fn verdict(subject: &GroupAndBaseline, params: &Params) -> String {
    group_laws::verdict(&SecurityGroupDrift, subject, params)
}

fn plan(subject: &GroupAndBaseline, params: &Params) -> Vec<String> {
    group_laws::lines(&SecurityGroupDrift.plan(subject, params, now()))
}

fn egress(rule: Rule) -> Rule {
    Rule { direction: Direction::Egress, ..rule }
}

fn of_owner(rule: Rule, owner: &str) -> Rule {
    let Peer::Group { group_id, .. } = rule.peer else { panic!("{rule}: no group") };
    Rule { peer: Peer::Group { group_id, user_id: Some(owner.to_owned()) }, ..rule }
}

/// Case, live rules, approved rules, parameters, verdict.
type Row = (&'static str, Vec<Rule>, Vec<Rule>, &'static str, String);

const DRIFT: &str = "NON_COMPLIANT: Drift from baseline: ";

#[test]
fn every_case_has_its_verdict() {
    let tcp = |port, peer| ingress("tcp", port, port, peer);
    let described = |rule: Rule, text: &str| Rule { description: Some(text.to_owned()), ..rule };
    let unowned =
        |id: &'static str| Rule { peer: Peer::Group { group_id: Some(id.to_owned()), user_id: None }, ..tcp(443, id) };
    let rows: [Row; 17] = [
        (
            "security-group-drift/1",
            vec![tcp(443, "0.0.0.0/0"), tcp(443, "::/0")],
            vec![tcp(443, "::/0"), tcp(443, "0.0.0.0/0")],
            "{}",
            "COMPLIANT".to_owned(),
        ),
        (
            "security-group-drift/2",
            vec![Rule { from_port: Some(-1), to_port: Some(-1), ..ingress("-1", -1, -1, "10.0.0.0/8") }],
            vec![ingress("all", -1, -1, "10.0.0.0/8")],
            "{}",
            "COMPLIANT".to_owned(),
        ),
        (
            "security-group-drift/3",
            vec![ingress("icmp", 3, -1, "10.0.0.0/8")],
            vec![tcp(3, "10.0.0.0/8")],
            "{}",
            format!("{DRIFT}+icmp 3/-1 from 10.0.0.0/8 (ingress), -tcp 3 from 10.0.0.0/8 (ingress)"),
        ),
        (
            "security-group-drift/4",
            vec![of_owner(tcp(443, "sg-2"), "444455556666")],
            vec![tcp(443, "sg-2")],
            "{}",
            format!("{DRIFT}+tcp 443 from 444455556666/sg-2 (ingress), -tcp 443 from sg-2 (ingress)"),
        ),
        (
            "security-group-drift/5 not asked for",
            vec![described(tcp(443, "::/0"), "new")],
            vec![described(tcp(443, "::/0"), "old")],
            "{}",
            "COMPLIANT".to_owned(),
        ),
        (
            "security-group-drift/5 asked for",
            vec![described(tcp(443, "::/0"), "new")],
            vec![described(tcp(443, "::/0"), "old")],
            r#"{"compareDescriptions":"true"}"#,
            format!("{DRIFT}~tcp 443 from ::/0 (ingress)"),
        ),
        (
            "security-group-drift/9 whoever wrote a rule, the live set counts",
            vec![tcp(443, "0.0.0.0/0"), tcp(80, "0.0.0.0/0")],
            vec![tcp(80, "0.0.0.0/0"), tcp(443, "0.0.0.0/0")],
            "{}",
            "COMPLIANT".to_owned(),
        ),
        (
            "both kinds",
            vec![tcp(8080, "0.0.0.0/0"), egress(ingress("-1", -1, -1, "0.0.0.0/0"))],
            vec![tcp(443, "sg-2"), egress(ingress("-1", -1, -1, "0.0.0.0/0"))],
            "{}",
            format!("{DRIFT}+tcp 8080 from 0.0.0.0/0 (ingress), -tcp 443 from sg-2 (ingress)"),
        ),
        (
            "extra alone",
            vec![tcp(8080, "0.0.0.0/0")],
            vec![tcp(443, "sg-2")],
            r#"{"driftMode":"extra"}"#,
            format!("{DRIFT}+tcp 8080 from 0.0.0.0/0 (ingress)"),
        ),
        (
            "missing alone",
            vec![tcp(8080, "0.0.0.0/0")],
            vec![tcp(443, "sg-2")],
            r#"{"driftMode":"missing"}"#,
            format!("{DRIFT}-tcp 443 from sg-2 (ingress)"),
        ),
        (
            "one direction",
            vec![tcp(8080, "0.0.0.0/0"), egress(tcp(25, "0.0.0.0/0"))],
            vec![],
            r#"{"direction":"egress"}"#,
            format!("{DRIFT}+tcp 25 to 0.0.0.0/0 (egress)"),
        ),
        (
            "an owner that is not stated is the group's own",
            vec![tcp(443, "sg-2")],
            vec![unowned("sg-2")],
            "{}",
            "COMPLIANT".to_owned(),
        ),
        (
            "security-group-drift/10",
            vec![unowned("sg-2")],
            vec![of_owner(tcp(443, "sg-2"), "444455556666")],
            "{}",
            "COMPLIANT".to_owned(),
        ),
        (
            "the baseline does not state another account",
            vec![of_owner(tcp(443, "sg-2"), "444455556666")],
            vec![unowned("sg-2")],
            "{}",
            "COMPLIANT".to_owned(),
        ),
        ("neither states an owner", vec![unowned("sg-2")], vec![unowned("sg-2")], "{}", "COMPLIANT".to_owned()),
        (
            "another group without an owner",
            vec![unowned("sg-3")],
            vec![of_owner(tcp(443, "sg-2"), "444455556666")],
            "{}",
            format!("{DRIFT}+tcp 443 from sg-3 (ingress), -tcp 443 from 444455556666/sg-2 (ingress)"),
        ),
        (
            "a rule that states no peer",
            vec![tcp(443, "")],
            vec![],
            "{}",
            format!("{DRIFT}+tcp 443 from an unstated peer (ingress)"),
        ),
    ];
    for (case, live, approved, text, expected) in rows {
        assert_eq!(verdict(&beside(live, approved), &parameters(text)), expected, "{case}");
    }
}

#[test]
fn a_group_without_a_baseline_is_not_applicable() {
    let subject = GroupAndBaseline::of(group(vec![]).group, Approval::default(), None);
    assert_eq!(verdict(&subject, &Params::default()), "NOT_APPLICABLE: no baseline");
    assert_eq!(plan(&subject, &Params::default()), Vec::<String>::new());
}

/// Three approved rules, of which one is missing; one is extra.
fn drifting() -> GroupAndBaseline {
    let tcp = |port, peer| ingress("tcp", port, port, peer);
    let kept = || vec![tcp(443, "0.0.0.0/0"), egress(ingress("-1", -1, -1, "0.0.0.0/0"))];
    let approved = [kept(), vec![Rule { description: Some("app".to_owned()), ..tcp(5432, "sg-2") }]].concat();
    beside([kept(), vec![tcp(8080, "0.0.0.0/0")]].concat(), approved)
}

const STEPS: [&str; 2] = [
    r#"L2 AuthorizeSecurityGroupIngress {"GroupId":"sg-1","IpPermissions":[{"FromPort":5432,"IpProtocol":"tcp","ToPort":5432,"UserIdGroupPairs":[{"Description":"app","GroupId":"sg-2","UserId":"111122223333"}]}]}"#,
    r#"L2 RevokeSecurityGroupIngress {"GroupId":"sg-1","SecurityGroupRuleIds":["sgr-1"]}"#,
];

#[test]
fn what_is_missing_is_made_before_what_is_extra_is_revoked() {
    assert_eq!(plan(&drifting(), &Params::default()), STEPS);
}

#[test]
fn a_change_under_way_and_a_baseline_that_would_empty_the_group_hold_the_plan() {
    let tagged = |value: &str| {
        let mut subject = drifting();
        subject.group.tags = Tags::from([("approved-change".to_owned(), value.to_owned())]);
        subject
    };
    let mut renewed = drifting();
    renewed.baseline.as_mut().unwrap().approved_at = Some("2026-05-06T11:30:00Z".parse().unwrap());
    for (subject, reason) in [
        (renewed.clone(), Some("the baseline was changed at 2026-05-06T11:30:00Z")),
        (tagged("2026-05-06T11:00:01Z CHG-7"), Some("a change was approved: `2026-05-06T11:00:01Z CHG-7`")),
        (tagged("2026-05-06T13:00:00Z"), Some("a change was approved: `2026-05-06T13:00:00Z`")),
        (tagged("CHG-7"), Some("the tag approved-change does not begin with a time: `CHG-7`")),
        (tagged("2026-05-06T11:00:00Z CHG-7"), None),
    ] {
        let held: Vec<String> = reason.iter().map(|it| format!("held: {it}")).collect();
        let steps = STEPS.map(str::to_owned).to_vec();
        assert_eq!(plan(&subject, &Params::default()), [held, steps].concat());
    }
    let none = parameters(r#"{"approvalGraceMinutes":0}"#);
    assert_eq!(plan(&renewed, &none), STEPS, "no grace");
    let tcp = |port| ingress("tcp", port, port, "10.0.0.0/8");
    let emptied = beside(vec![tcp(1), tcp(2), tcp(3)], vec![tcp(1)]);
    assert_eq!(plan(&emptied, &none)[0], "held: 2 of the 3 rules would be revoked, more than half");
    let halved = beside(vec![tcp(1), tcp(2)], vec![tcp(1)]);
    assert!(plan(&halved, &none)[0].starts_with("L2 Revoke"));
}

#[test]
fn a_description_is_left_to_a_person() {
    let rule = |text: &str| Rule { description: Some(text.to_owned()), ..ingress("tcp", 22, 22, "10.0.0.0/8") };
    let params = parameters(r#"{"compareDescriptions":true}"#);
    assert_eq!(
        plan(&beside(vec![rule("new")], vec![rule("old")]), &params),
        ["L1 by hand: describe the rule tcp 22 from 10.0.0.0/8 (ingress) as `old`"]
    );
}

#[test]
fn undo_revokes_what_was_made_by_its_new_id_and_makes_again_what_was_revoked() {
    let subject = drifting();
    let calls: Vec<RuleChange> =
        SecurityGroupDrift.plan(&subject, &Params::default(), now()).calls().into_iter().cloned().collect();
    let undo = SecurityGroupDrift.undo_answered(&subject, &calls, &[json!(["sgr-new"]), json!([])]).unwrap();
    assert_eq!(
        undo.iter().map(rectify_compliance::plan::call_text).collect::<Vec<_>>(),
        [
            r#"AuthorizeSecurityGroupIngress {"GroupId":"sg-1","IpPermissions":[{"FromPort":8080,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":8080}]}"#,
            r#"RevokeSecurityGroupIngress {"GroupId":"sg-1","SecurityGroupRuleIds":["sgr-new"]}"#,
        ]
    );
    for call in &undo {
        let text = serde_json::to_string(call).unwrap();
        assert_eq!(serde_json::from_str::<RuleChange>(&text).unwrap(), *call, "{text}");
    }
    for answers in [&[][..], &[json!(null), json!([])], &[json!("sgr-new"), json!([])]] {
        let error = SecurityGroupDrift.undo_answered(&subject, &calls, answers).unwrap_err();
        assert_eq!(error.action, "AuthorizeSecurityGroupIngress", "what it made is not known: {answers:?}");
    }
}

#[test]
fn parameters_that_cannot_be_met_are_refused() {
    let name = |it: &str| format!("ruleParameters: baselineName: expected {it}");
    for (text, expected) in [
        (r#"{"baselineName":"/sg-baseline/all"}"#, name("{groupId} in it: received `/sg-baseline/all`")),
        (r#"{"baselineName":"/other/{groupId}"}"#, name("/sg-baseline/…: received `/other/{groupId}`")),
        (r#"{"baselineSource":"s3"}"#, name("bucket/sg-baseline/…: received `/sg-baseline/{groupId}`")),
        (r#"{"baselineSource":"config"}"#, "ruleParameters: baselineSource `config` needs baselineTime".to_owned()),
        (
            r#"{"baselineTime":"2026-01-01T00:00:00Z"}"#,
            "ruleParameters: baselineTime belongs to baselineSource `config`".to_owned(),
        ),
    ] {
        let error = RuleParameters::<Params>::parse(Some(text)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let s3: Params = parameters(r#"{"baselineSource":"s3","baselineName":"approved/sg-baseline/{groupId}.json"}"#);
    assert_eq!(s3.object("sg-1"), Some(("approved".to_owned(), "sg-baseline/sg-1.json".to_owned())));
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_plan_makes_the_group_its_baseline_and_undo_makes_it_what_it_was(live in groups(), other in groups()) {
        let subject = beside(live.group.rules, other.group.rules);
        let params = Params::default();
        let plan = SecurityGroupDrift.plan(&subject, &params, now());
        let drifts = SecurityGroupDrift.evaluate(&subject, &params, now()).is_non_compliant();
        prop_assert_eq!(plan == Plan::Nothing, !drifts);
        let done: Vec<RuleChange> = plan.calls().into_iter().cloned().collect();
        let after = done.iter().fold(subject.clone(), |live, action| SecurityGroupDrift.expect(live, action));
        prop_assert!(SecurityGroupDrift.evaluate(&after, &params, now()).is_compliant());
        prop_assert_eq!(SecurityGroupDrift.plan(&after, &params, now()), Plan::Nothing);

        // The ids that EC2 would have given to what was made.
        let mut restored = after.group.clone();
        let mut answers = Vec::new();
        for action in &done {
            let mut made = Vec::new();
            if let RuleChange::Open(open) = action {
                for rule in open.rules() {
                    let id = format!("sgr-made-{}-{}", answers.len(), made.len());
                    let place = restored.rules.iter_mut().find(|it| it.traffic() == rule.traffic()).unwrap();
                    place.id = Some(id.clone());
                    made.push(id);
                }
            }
            answers.push(Value::from(made));
        }
        for call in SecurityGroupDrift.undo_answered(&subject, &done, &answers).unwrap() {
            match call {
                RuleChange::Open(open) => play(&mut restored, &open),
                RuleChange::Close(close) => close.expect(&mut restored.rules),
            }
        }
        let restored = GroupAndBaseline { group: restored, ..after };
        prop_assert_eq!(SecurityGroupDrift.footprint(&restored, &done), SecurityGroupDrift.footprint(&subject, &done));
    }
}
