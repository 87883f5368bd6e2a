//! Verdicts and plans of `security-group-drift`, and properties that hold for every group.
use proptest::prelude::*;
use proptest::test_runner::Config;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Tags, Timestamp};
use rectify_testing::cases::lines;
use rectify_testing::{Case, Cases, Laws};
use serde_json::json;

use super::*;
use crate::arbitrary::{egress, group, groups, ingress, tcp};
use crate::group_laws::{apply, parameters};
use crate::resources::rule::{Peer, Rule};

type Params = SecurityGroupDriftParameters;

/// Long after every approval in these tests.
fn now() -> Timestamp {
    "2026-05-06T12:00:00Z".parse().unwrap()
}

/// A group with a baseline that was approved long ago.
fn with_baseline(live: Vec<Rule>, approved: Vec<Rule>) -> GroupAndBaseline {
    let subject = group(live);
    let baseline = Baseline::of(approved, Some("2026-05-01T00:00:00Z".parse().unwrap())).unwrap();
    GroupAndBaseline::of(subject.group, Approval { baseline: Some(baseline) }, subject.network.usage)
}

fn case(name: &str, subject: GroupAndBaseline) -> Case<'_, SecurityGroupDrift> {
    Cases::of(&SecurityGroupDrift, subject).case(name, |_| ()).at(now())
}

fn of_owner(rule: Rule, owner: Option<&str>) -> Rule {
    let Peer::Group { group_id, .. } = rule.peer else { panic!("{rule}: not a group") };
    Rule { peer: Peer::Group { group_id, user_id: owner.map(str::to_owned) }, ..rule }
}

/// An ingress rule for one port.
fn on(port: i32, peer: &str) -> Rule {
    tcp(port, port, peer)
}

const ANOTHER: Option<&str> = Some("444455556666");

#[test]
fn rules_that_allow_the_same_traffic_are_equal() {
    let same = |name, live, approved| case(name, with_baseline(live, approved)).compliant();
    let (v4, v6, web) = ("0.0.0.0/0", "::/0", on(443, "sg-2"));
    same("security-group-drift/1", vec![on(443, v4), on(443, v6)], vec![on(443, v6), on(443, v4)]);
    let all = Rule { from_port: Some(-1), to_port: Some(-1), ..ingress("-1", -1, -1, "10.0.0.0/8") };
    same("security-group-drift/2", vec![all], vec![ingress("all", -1, -1, "10.0.0.0/8")]);
    let written = "security-group-drift/9 any author, the live set counts";
    same(written, vec![on(443, v4), on(80, v4)], vec![on(80, v4), on(443, v4)]);
    let unowned = || vec![of_owner(web.clone(), None)];
    let of_another = || vec![of_owner(web.clone(), ANOTHER)];
    same("a missing owner is the account of the group", vec![web.clone()], unowned());
    same("security-group-drift/10", unowned(), of_another());
    same("the baseline does not state another account", of_another(), unowned());
    same("no owner on either side", unowned(), unowned());
}

#[test]
fn every_difference_is_named() {
    let differs = |name, live, approved, drift: &str| {
        case(name, with_baseline(live, approved)).non_compliant(&format!("Drift from baseline: {drift}"));
    };
    let (icmp, ping) = (vec![ingress("icmp", 3, -1, "10.0.0.0/8")], vec![on(3, "10.0.0.0/8")]);
    let drift = "+icmp 3/-1 from 10.0.0.0/8 (ingress), -tcp 3 from 10.0.0.0/8 (ingress)";
    differs("security-group-drift/3", icmp, ping, drift);
    let web = || vec![on(443, "sg-2")];
    let of_another = || vec![of_owner(on(443, "sg-2"), ANOTHER)];
    let drift = "+tcp 443 from 444455556666/sg-2 (ingress), -tcp 443 from sg-2 (ingress)";
    differs("security-group-drift/4", of_another(), web(), drift);
    let drift = "+tcp 443 from sg-3 (ingress), -tcp 443 from 444455556666/sg-2 (ingress)";
    let unowned = vec![of_owner(on(443, "sg-3"), None)];
    differs("another group without an owner", unowned, of_another(), drift);
    let all_out = || egress(ingress("-1", -1, -1, "0.0.0.0/0"));
    let (live, approved) = (vec![on(8080, "0.0.0.0/0"), all_out()], vec![on(443, "sg-2"), all_out()]);
    let drift = "+tcp 8080 from 0.0.0.0/0 (ingress), -tcp 443 from sg-2 (ingress)";
    differs("both kinds", live, approved, drift);
    let drift = "+tcp 443 from an unstated peer (ingress)";
    differs("a rule that states no peer", vec![on(443, "")], vec![], drift);
}

#[test]
fn parameters_select_the_differences() {
    let found = |name, subject, params: &str, drift: &str| {
        case(name, subject).with(params).non_compliant(&format!("Drift from baseline: {drift}"));
    };
    let described = |text: &str| vec![Rule { description: Some(text.to_owned()), ..on(443, "::/0") }];
    let changed_description = || with_baseline(described("new"), described("old"));
    case("security-group-drift/5 off", changed_description()).compliant();
    let compared = r#"{"compareDescriptions":"true"}"#;
    found("security-group-drift/5 on", changed_description(), compared, "~tcp 443 from ::/0 (ingress)");
    let both = || with_baseline(vec![on(8080, "0.0.0.0/0")], vec![on(443, "sg-2")]);
    found("only extra", both(), r#"{"driftMode":"extra"}"#, "+tcp 8080 from 0.0.0.0/0 (ingress)");
    found("only missing", both(), r#"{"driftMode":"missing"}"#, "-tcp 443 from sg-2 (ingress)");
    let out = with_baseline(vec![on(8080, "0.0.0.0/0"), egress(on(25, "0.0.0.0/0"))], vec![]);
    found("one direction", out, r#"{"direction":"egress"}"#, "+tcp 25 to 0.0.0.0/0 (egress)");
}

#[test]
fn group_without_a_baseline_is_not_applicable() {
    let subject = GroupAndBaseline::of(group(vec![]).group, Approval::default(), None);
    case("no baseline", subject).not_applicable("no baseline");
}

/// Three approved rules, one of them missing, and one extra rule.
fn drifting() -> GroupAndBaseline {
    let kept = || vec![on(443, "0.0.0.0/0"), egress(ingress("-1", -1, -1, "0.0.0.0/0"))];
    let approved = [kept(), vec![Rule { description: Some("app".to_owned()), ..on(5432, "sg-2") }]].concat();
    with_baseline([kept(), vec![on(8080, "0.0.0.0/0")]].concat(), approved)
}

const DRIFTING: &str = "Drift from baseline: +tcp 8080 from 0.0.0.0/0 (ingress), -tcp 5432 from sg-2 (ingress)";

const STEPS: [&str; 2] = [
    r#"L2 AuthorizeSecurityGroupIngress {"GroupId":"sg-1","IpPermissions":[{"FromPort":5432,"IpProtocol":"tcp","ToPort":5432,"UserIdGroupPairs":[{"Description":"app","GroupId":"sg-2","UserId":"111122223333"}]}]}"#,
    r#"L2 RevokeSecurityGroupIngress {"GroupId":"sg-1","SecurityGroupRuleIds":["sgr-1"]}"#,
];

#[test]
fn missing_rules_are_authorized_before_extra_ones_are_revoked() {
    case("drifting", drifting()).non_compliant(DRIFTING).planned(&STEPS);
}

#[test]
fn approved_change_in_progress_blocks_the_plan() {
    let cases = Cases::of(&SecurityGroupDrift, drifting());
    let held = |reason: &str, change: &dyn Fn(&mut GroupAndBaseline)| {
        let held = format!("blocked: {reason}");
        cases.case(reason, change).at(now()).non_compliant(DRIFTING).planned(&[&held, STEPS[0], STEPS[1]]);
    };
    let tag = |it: &mut GroupAndBaseline, value: &str| {
        it.group.tags = Tags::from([("approved-change".to_owned(), value.to_owned())]);
    };
    let recently_approved = |it: &mut GroupAndBaseline| {
        it.baseline.as_mut().unwrap().approved_at = Some("2026-05-06T11:30:00Z".parse().unwrap());
    };
    held("the baseline was changed at 2026-05-06T11:30:00Z", &recently_approved);
    for value in ["2026-05-06T11:00:01Z CHG-7", "2026-05-06T13:00:00Z"] {
        held(&format!("a change was approved: `{value}`"), &|it| tag(it, value));
    }
    held("the tag approved-change does not begin with a time: `CHG-7`", &|it| tag(it, "CHG-7"));
    let old = cases.case("an old approval", |it| tag(it, "2026-05-06T11:00:00Z CHG-7"));
    old.at(now()).non_compliant(DRIFTING).planned(&STEPS);
    let no_grace = cases.case("no grace", recently_approved).with(r#"{"approvalGraceMinutes":0}"#);
    no_grace.at(now()).non_compliant(DRIFTING).planned(&STEPS);
}

#[test]
fn revoking_most_of_the_group_blocks_the_plan() {
    let plan = |live: &[i32]| {
        let rules = |ports: &[i32]| ports.iter().map(|port| on(*port, "10.0.0.0/8")).collect();
        lines(&SecurityGroupDrift.plan(&with_baseline(rules(live), rules(&[1])), &Params::default(), now()))
    };
    assert_eq!(plan(&[1, 2, 3])[0], "blocked: 2 of the 3 rules would be revoked, more than half");
    assert!(plan(&[1, 2])[0].starts_with("L2 Revoke"));
}

#[test]
fn changed_description_is_a_manual_step() {
    let rule = |text: &str| vec![Rule { description: Some(text.to_owned()), ..on(22, "10.0.0.0/8") }];
    case("changed description", with_baseline(rule("new"), rule("old")))
        .with(r#"{"compareDescriptions":true}"#)
        .non_compliant("Drift from baseline: ~tcp 22 from 10.0.0.0/8 (ingress)")
        .planned(&["L1 manual: set the description of the rule tcp 22 from 10.0.0.0/8 (ingress) to `old`"]);
}

#[test]
fn undo_revokes_new_rules_by_id_and_recreates_revoked_ones() {
    let subject = drifting();
    let calls: Vec<RuleChange> =
        SecurityGroupDrift.plan(&subject, &Params::default(), now()).calls().into_iter().cloned().collect();
    let undo = SecurityGroupDrift.undo_with_responses(&subject, &calls, &[json!(["sgr-new"]), json!([])]).unwrap();
    assert_eq!(
        undo.iter().map(rectify_compliance::plan::call_text).collect::<Vec<_>>(),
        [
            r#"AuthorizeSecurityGroupIngress {"GroupId":"sg-1","IpPermissions":[{"FromPort":8080,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"0.0.0.0/0"}],"ToPort":8080}]}"#,
            r#"RevokeSecurityGroupIngress {"GroupId":"sg-1","SecurityGroupRuleIds":["sgr-new"]}"#,
        ]
    );
    let stored = serde_json::to_string(&undo).unwrap();
    assert_eq!(serde_json::from_str::<Vec<RuleChange>>(&stored).unwrap(), undo, "{stored}");
    for answers in [&[][..], &[json!(null), json!([])], &[json!("sgr-new"), json!([])]] {
        let error = SecurityGroupDrift.undo_with_responses(&subject, &calls, answers).unwrap_err();
        assert_eq!(error.action, "AuthorizeSecurityGroupIngress", "created rules are unknown: {answers:?}");
    }
}

#[test]
fn contradictory_parameters_are_rejected() {
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

fn subjects() -> impl Strategy<Value = GroupAndBaseline> {
    (groups(), groups(), any::<bool>()).prop_map(|(live, other, drifts)| {
        let approved = if drifts { other.group.rules } else { live.group.rules.clone() };
        with_baseline(live.group.rules, approved)
    })
}

/// Undo needs the responses of EC2, so the property below covers it.
#[test]
fn laws() {
    Laws::of(&SecurityGroupDrift, &["/group/rules"], Remediation::predict)
        .at(now())
        .irreversible(|_| true)
        .hold((subjects(), Just(Params::default())));
}

/// Assigns ids to the rules that an authorization created, as EC2 does, and returns them.
fn answer(group: &mut SecurityGroup, index: usize, action: &RuleChange) -> Value {
    let RuleChange::Authorize(call) = action else { return json!([]) };
    let assign = |(number, rule): (usize, Rule)| {
        let id = format!("sgr-new-{index}-{number}");
        let created = group.rules.iter_mut().find(|it| it.traffic() == rule.traffic()).unwrap();
        created.id = Some(id.clone());
        id
    };
    call.rules().into_iter().enumerate().map(assign).collect()
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn undo_restores_the_group(subject in subjects()) {
        let plan = SecurityGroupDrift.plan(&subject, &Params::default(), now());
        let done: Vec<RuleChange> = plan.calls().into_iter().cloned().collect();
        let after = done.iter().fold(subject.clone(), |live, action| SecurityGroupDrift.predict(live, action));
        let mut group = after.group.clone();
        let answers: Vec<Value> =
            done.iter().enumerate().map(|(index, action)| answer(&mut group, index, action)).collect();
        for call in SecurityGroupDrift.undo_with_responses(&subject, &done, &answers).unwrap() {
            match call {
                RuleChange::Authorize(call) => apply(&mut group, &call),
                RuleChange::Revoke(call) => call.predict(&mut group.rules),
            }
        }
        let restored = GroupAndBaseline { group, ..after };
        prop_assert_eq!(SecurityGroupDrift.touched_fields(&restored, &done), SecurityGroupDrift.touched_fields(&subject, &done));
    }
}
