//! Verdicts and plans of `ec2-instance-required-security-group`, and properties that hold for every instance.
use proptest::prelude::*;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Case, Cases, Laws};

use super::requirement::FoundGroups;
use super::*;
use crate::resources::instance::tests::instance;

type Params = Ec2InstanceRequiredSecurityGroupParameters;

fn parse(text: &str) -> Result<Params, String> {
    RuleParameters::<Params>::parse(Some(text)).map(|it| it.control).map_err(|error| error.to_string())
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|it| (*it).to_owned()).collect()
}

fn interface(id: &str, is_primary: bool, groups: &[&str]) -> Interface {
    Interface {
        id: id.to_owned(),
        is_primary,
        groups: strings(groups),
        kind: Some("interface".to_owned()),
        requester_managed: Some(false),
        operator: None,
    }
}

/// The requirements in these tests, each with the groups of the VPC that satisfy it.
const FOUND: &[(&str, &[&str])] =
    &[("sg-b", &["sg-b"]), ("name:scan", &["sg-s"]), ("tag:role=base", &["sg-b", "sg-c"])];
/// Only the first requirement can be satisfied.
const ONLY_BASE: &[(&str, &[&str])] = &[("sg-b", &["sg-b"])];

/// `i-1` in `vpc-1` with these interfaces; `found` are the groups that satisfy each requirement.
fn subject(interfaces: Vec<Interface>, found: &[(&str, &[&str])]) -> InstanceInGroups {
    let found = found.iter().map(|(requirement, ids)| ((*requirement).to_owned(), strings(ids).into_iter().collect()));
    InstanceInGroups { instance: instance("running"), interfaces, found: FoundGroups(found.collect()), per_vpc: None }
}

/// `i-1` with one interface that has these groups.
fn one(groups: &[&str]) -> InstanceInGroups {
    subject(vec![interface("eni-1", true, groups)], FOUND)
}

fn two(first: &[&str], second: &[&str]) -> InstanceInGroups {
    subject(vec![interface("eni-1", true, first), interface("eni-2", false, second)], FOUND)
}

fn one_of(groups: &[&str], found: &[(&str, &[&str])]) -> InstanceInGroups {
    subject(vec![interface("eni-1", true, groups)], found)
}

fn case<'a>(name: &'a str, subject: InstanceInGroups, params: &str) -> Case<'a, Ec2InstanceRequiredSecurityGroup> {
    Cases::of(&Ec2InstanceRequiredSecurityGroup, subject).case(name, |_| ()).with(params)
}

/// The step that gives an interface these groups.
fn modify(id: &str, groups: &[&str]) -> String {
    let groups = serde_json::to_string(groups).unwrap();
    format!(r#"L2 ModifyNetworkInterfaceAttribute {{"Groups":{groups},"NetworkInterfaceId":"{id}"}}"#)
}

const BASE: &str = r#"{"requiredGroups":"sg-b"}"#;
const EACH: &str = r#"{"requiredGroups":"sg-b","scope":"allEnis"}"#;
const ANY: &str = r#"{"requiredGroups":"sg-b, name:scan","match":"any"}"#;
const BOTH: &str = r#"{"requiredGroups":"sg-b, name:scan"}"#;
const ROLE: &str = r#"{"requiredGroups":"tag:role=base"}"#;
const STORED: &str = r#"{"perVpc":"ssm:/rectify/groups"}"#;
const LACKS_BASE: &str = "eni-1 lacks sg-b (required for vpc-1)";
const NO_REQUIREMENT: &str = "no requirement for vpc-1";

#[test]
fn missing_groups_are_appended() {
    let fixed = |name, subject, params, lack: &str, steps: &[&str]| {
        case(name, subject, params).non_compliant(&format!("{lack} (required for vpc-1)")).planned(steps);
    };
    let fix = modify("eni-1", &["sg-a", "sg-b"]);
    fixed("missing", one(&["sg-a"]), BASE, "eni-1 lacks sg-b", &[&fix]);
    let both = modify("eni-1", &["sg-a", "sg-b", "sg-s"]);
    fixed("missing both", one(&["sg-a"]), BOTH, "eni-1 lacks sg-b, name:scan", &[&both]);
    let reversed = r#"{"requiredGroups":"name:scan,sg-b"}"#;
    let fix_reversed = modify("eni-1", &["sg-a", "sg-s", "sg-b"]);
    let lack = "eni-1 lacks name:scan, sg-b";
    fixed("in the order of the requirements", one(&["sg-a"]), reversed, lack, &[&fix_reversed]);
    let twice = one_of(&["sg-a"], &[("sg-b", &["sg-b"]), ("name:b", &["sg-b"])]);
    let named_twice = r#"{"requiredGroups":"sg-b,name:b"}"#;
    fixed("the same group twice", twice, named_twice, "eni-1 lacks sg-b, name:b", &[&fix]);
    let second = modify("eni-2", &["sg-a", "sg-b"]);
    let of_second = two(&["sg-b"], &["sg-a"]);
    fixed("ec2-instance-required-security-group/1", of_second, EACH, "eni-2 lacks sg-b", &[&second]);
    let (first, second) = (modify("eni-1", &["sg-z", "sg-a", "sg-b"]), modify("eni-2", &["sg-c", "sg-b"]));
    let of_both = two(&["sg-z", "sg-a"], &["sg-c"]);
    let lack = "eni-1 lacks sg-b, eni-2 lacks sg-b";
    fixed("ec2-instance-required-security-group/6", of_both, EACH, lack, &[&first, &second]);
    fixed("any, one is satisfiable", one_of(&["sg-a"], ONLY_BASE), ANY, "eni-1 lacks sg-b", &[&fix]);
    let per_vpc = r#"{"requiredGroups":"sg-b","perVpc":{"vpc-1":["name:scan"]}}"#;
    let scan = modify("eni-1", &["sg-b", "sg-s"]);
    fixed("perVpc in place of requiredGroups", one(&["sg-b"]), per_vpc, "eni-1 lacks name:scan", &[&scan]);
    let stopped = InstanceInGroups { instance: instance("stopped"), ..one(&["sg-a"]) };
    fixed("stopped", stopped, BASE, "eni-1 lacks sg-b", &[&fix]);
}

#[test]
fn interfaces_with_the_required_groups_are_compliant() {
    case("attached", one(&["sg-a", "sg-b"]), BASE).compliant();
    case("only the primary counts", two(&["sg-b"], &["sg-a"]), BASE).compliant();
    case("attached though not found", one_of(&["sg-b"], &[]), BASE).compliant();
    case("ec2-instance-required-security-group/3", one(&["sg-s"]), ANY).compliant();
    case("any, one is unsatisfiable and the other attached", one_of(&["sg-b"], ONLY_BASE), ANY).compliant();
    case("ec2-instance-required-security-group/8", one(&["sg-c"]), ROLE).compliant();
}

#[test]
fn instance_without_requirement_or_gone_is_not_applicable() {
    let elsewhere = r#"{"perVpc":{"vpc-2":["sg-b"]}}"#;
    case("ec2-instance-required-security-group/4", one(&["sg-a"]), elsewhere).not_applicable(NO_REQUIREMENT);
    case("no requirement at all", one(&["sg-a"]), "{}").not_applicable(NO_REQUIREMENT);
    let exempt = r#"{"requiredGroups":"sg-b","perVpc":{"vpc-1":[]}}"#;
    case("exempt by perVpc", one(&[]), exempt).not_applicable(NO_REQUIREMENT);
    let gone = InstanceInGroups { instance: instance("terminated"), ..one(&["sg-a"]) };
    case("ec2-instance-required-security-group/7", gone, BASE).not_applicable("instance is terminated");
}

#[test]
fn unsatisfiable_unknown_or_ambiguous_requirement_is_not_fixed_automatically() {
    let fix = modify("eni-1", &["sg-a", "sg-b"]);
    let create =
        |wanted: &str| format!("L0 manual: create a group that matches {wanted} in vpc-1, or share one into it");
    let (no_base, no_scan) = (create("sg-b"), create("name:scan"));
    let unsatisfiable = |groups: &str| format!("i-1 not satisfiable: no {groups} in vpc-1");
    case("ec2-instance-required-security-group/2", one_of(&["sg-a"], &[]), BASE)
        .non_compliant(&unsatisfiable("sg-b"))
        .planned(&[&no_base]);
    case("any, none is satisfiable", one_of(&[], &[]), ANY)
        .non_compliant(&unsatisfiable("name:scan, sg-b"))
        .planned(&[&no_base, &no_scan]);
    case("one of two is satisfiable", one_of(&["sg-a"], ONLY_BASE), BOTH)
        .non_compliant(&unsatisfiable("name:scan"))
        .planned(&[&no_scan, &fix]);
    case("no primary", subject(vec![interface("eni-2", false, &["sg-b"])], FOUND), BASE)
        .non_compliant("i-1 reports no primary interface")
        .planned(&["blocked: the primary interface is not known"]);
    case("not read", one(&["sg-b"]), STORED)
        .non_compliant("i-1 not evaluated: `ssm:/rectify/groups` was not read")
        .planned(&["blocked: `ssm:/rectify/groups` was not read"]);
    let choice = |groups: &str| {
        [
            format!("blocked: more than one group satisfies the requirement for eni-1: {groups}"),
            format!("L2 manual: add to eni-1 one of {groups}"),
        ]
    };
    let [held, step] = choice("sg-b, sg-c");
    case("more than one candidate", one(&["sg-a"]), ROLE)
        .non_compliant("eni-1 lacks tag:role=base (required for vpc-1)")
        .planned(&[&held, &step]);
    let [held, step] = choice("sg-b, sg-s");
    case("any, two candidates", one(&["sg-a"]), ANY)
        .non_compliant("eni-1 lacks any of sg-b, name:scan (required for vpc-1)")
        .planned(&[&held, &step]);
}

#[test]
fn stored_requirements_count_like_inline_ones() {
    let read = |name, per_vpc: Value| {
        let per_vpc = serde_json::from_value(per_vpc).unwrap();
        case(name, InstanceInGroups { per_vpc, ..one(&["sg-a"]) }, STORED)
    };
    read("this VPC", json!({"vpc-1": ["sg-b"]})).non_compliant(LACKS_BASE);
    read("another VPC", json!({"vpc-2": ["sg-b"]})).not_applicable(NO_REQUIREMENT);
}

#[test]
fn group_quota_blocks_the_plan() {
    let five = ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5"];
    let step = modify("eni-1", &[&five[..], &["sg-b"]].concat());
    case("ec2-instance-required-security-group/5", one(&five), BASE)
        .non_compliant(LACKS_BASE)
        .planned(&["blocked: eni-1 would have 6 groups; at most 5 are allowed", &step]);
    case("a larger quota", one(&five), r#"{"requiredGroups":"sg-b","maxGroupsPerEni":"6"}"#)
        .non_compliant(LACKS_BASE)
        .planned(&[&step]);
}

#[test]
fn managing_service_or_special_interface_type_blocks_the_plan() {
    let cases = Cases::of(&Ec2InstanceRequiredSecurityGroup, one(&["sg-a"]));
    let fix = modify("eni-1", &["sg-a", "sg-b"]);
    let held = |reason: &str, change: fn(&mut InstanceInGroups)| {
        let held = format!("blocked: {reason}");
        cases.case(reason, change).with(BASE).non_compliant(LACKS_BASE).planned(&[&held, &fix]);
    };
    held("eni-1 is requester-managed", |it| it.interfaces[0].requester_managed = Some(true));
    held("eni-1 was not read with DescribeNetworkInterfaces", |it| it.interfaces[0].requester_managed = None);
    held("eni-1 is managed by `eks`", |it| it.interfaces[0].operator = Some("eks".into()));
    held("the instance is managed by `eks`", |it| it.instance.operator = Some("eks".into()));
    held("eni-1 is of type `trunk`", |it| it.interfaces[0].kind = Some("trunk".into()));
    held("eni-1 is of type `unknown`", |it| it.interfaces[0].kind = None);
    let efa = cases.case("EFA", |it| it.interfaces[0].kind = Some("efa".into()));
    efa.with(BASE).non_compliant(LACKS_BASE).planned(&[&fix]);
}

#[test]
fn parameters_that_do_not_name_a_group_are_rejected() {
    for (text, expected) in [
        (r#"{"requiredGroups":"web"}"#, "ruleParameters.requiredGroups: expected sg-…, name:… or tag:key=value"),
        (r#"{"perVpc":"{\"vpc-1\":[\"web\"]}"}"#, "ruleParameters.perVpc: expected JSON or `ssm:/rectify/…`: "),
        (r#"{"match":"ALL"}"#, "ruleParameters.match: unknown variant `ALL`"),
        (r#"{"scope":"all"}"#, "ruleParameters.scope: unknown variant `all`"),
        (r#"{"maxGroupsPerEni":"17"}"#, "ruleParameters.maxGroupsPerEni: expected a whole number in 1..=16"),
        (r#"{"groups":"sg-1"}"#, "ruleParameters.groups: unknown parameter"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    assert_eq!(parse(r#"{"requiredGroups":" , "}"#).unwrap().wanted("vpc-1", None), Ok(&[][..]));
}

#[test]
fn undo_restores_the_groups_of_an_interface() {
    let before = one(&["sg-z", "sg-a"]);
    let action = |id: &str, groups: &[&str]| Action::ModifyNetworkInterfaceAttribute {
        network_interface_id: id.to_owned(),
        groups: strings(groups),
    };
    let undo = Ec2InstanceRequiredSecurityGroup.undo(&before, &[action("eni-1", &["sg-z", "sg-a", "sg-b"])]);
    assert_eq!(undo, Ok(vec![action("eni-1", &["sg-z", "sg-a"])]));
    let error = Ec2InstanceRequiredSecurityGroup.undo(&before, &[action("eni-2", &["sg-b"])]).unwrap_err();
    assert!(error.to_string().contains("does not contain the groups of `eni-2`"), "{error}");
    let touched_fields = |it| Ec2InstanceRequiredSecurityGroup.touched_fields(&it, &[action("eni-1", &[])]);
    assert_eq!(touched_fields(one(&["sg-a", "sg-z"])), touched_fields(before));
}

fn subjects() -> impl Strategy<Value = InstanceInGroups> {
    let ids = || prop::sample::subsequence(vec!["sg-a", "sg-b", "sg-s", "sg-c", "sg-1", "sg-2"], 1..=5);
    let kind = prop::sample::select(vec!["interface", "interface", "interface", "efa", "trunk"]);
    let managed = prop::sample::select(vec![Some(false), Some(false), Some(false), Some(true), None]);
    let first = (ids(), kind, managed).prop_map(|(groups, kind, requester_managed)| Interface {
        kind: Some(kind.to_owned()),
        requester_managed,
        ..interface("eni-1", true, &groups)
    });
    let second = prop::option::of(ids().prop_map(|groups| interface("eni-2", false, &groups)));
    let at_most_one = |ids: Vec<&'static str>| prop::sample::subsequence(ids, 0..=1);
    let role = prop::sample::subsequence(vec!["sg-b", "sg-c"], 0..=2);
    let state = prop::sample::select(vec!["running", "running", "running", "stopped", "terminated"]);
    let sample = (first, second, at_most_one(vec!["sg-b"]), at_most_one(vec!["sg-s"]), role, state);
    sample.prop_map(|(first, second, base, scan, role, state)| {
        let found = [("sg-b", &base[..]), ("name:scan", &scan[..]), ("tag:role=base", &role[..])];
        let subject = subject(std::iter::once(first).chain(second).collect(), &found);
        InstanceInGroups { instance: instance(state), ..subject }
    })
}

const PARAMETERS: [&str; 6] = [BASE, EACH, ANY, BOTH, ROLE, r#"{"perVpc":{"vpc-2":["sg-b"]}}"#];

/// Whether an interface lost a group, changed the order of its groups, or changed in any other field.
fn removes_or_reorders(before: &InstanceInGroups, after: &InstanceInGroups) -> bool {
    before.interfaces.iter().zip(&after.interfaces).any(|(before, after)| {
        let same_groups = Interface { groups: before.groups.clone(), ..after.clone() };
        !after.groups.starts_with(&before.groups) || same_groups != *before
    })
}

#[test]
fn laws() {
    let params = prop::sample::select(&PARAMETERS[..]).prop_map(|text| parse(text).unwrap());
    Laws::of(&Ec2InstanceRequiredSecurityGroup, &["/interfaces"], Remediation::predict)
        .never(removes_or_reorders)
        .restores_full_state()
        .hold((subjects(), params));
}

#[test]
fn parameters_survive_a_round_trip() {
    for text in PARAMETERS {
        let params = parse(text).unwrap();
        assert_eq!(parse(&serde_json::to_string(&params).unwrap()), Ok(params), "{text}");
    }
}
