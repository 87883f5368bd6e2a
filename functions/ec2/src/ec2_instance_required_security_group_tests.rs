//! What `ec2-instance-required-security-group` must say and plan: tables of cases, then laws over generated instances.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::plan::call_text;
use rectify_compliance::{StoredImage, Work};

use super::*;
use crate::group_requirement::FoundGroups;
use crate::instance::tests::instance;

type TheParameters = Ec2InstanceRequiredSecurityGroupParameters;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn parse(text: &str) -> Result<TheParameters, String> {
    RuleParameters::<TheParameters>::parse(Some(text)).map(|it| it.control).map_err(|error| error.to_string())
}

fn interface(id: &str, is_primary: bool, groups: &[&str]) -> Interface {
    Interface {
        id: id.to_owned(),
        is_primary,
        groups: groups.iter().map(|it| (*it).to_owned()).collect(),
        kind: Some("interface".to_owned()),
        requester_managed: Some(false),
        operator: None,
    }
}

/// `i-1` in `vpc-1` with these interfaces; of the groups asked for, these are there.
fn subject(interfaces: Vec<Interface>, found: &[(&str, &[&str])]) -> InstanceInGroups {
    let ids = |ids: &[&str]| ids.iter().map(|it| (*it).to_owned()).collect();
    let found = found.iter().map(|(wanted, there)| ((*wanted).to_owned(), ids(there))).collect();
    InstanceInGroups { instance: instance("running"), interfaces, found: FoundGroups(found), per_vpc: None }
}

fn told(subject: &InstanceInGroups, params: &str) -> String {
    let verdict = Ec2InstanceRequiredSecurityGroup.evaluate(subject, &parse(params).unwrap(), NOW);
    let annotation = verdict.annotation().map_or_else(String::new, |it| format!(": {it}"));
    format!("{}{annotation}", verdict.compliance_type())
}

fn plan(subject: &InstanceInGroups, params: &str) -> Vec<String> {
    let plan = Ec2InstanceRequiredSecurityGroup.plan(subject, &parse(params).unwrap(), NOW);
    let held = if let Plan::Hold { reason, .. } = &plan { vec![format!("held: {reason}")] } else { vec![] };
    let steps = plan.steps().iter().map(|step| match &step.work {
        Work::Call(action) => format!("{} {}", step.level, call_text(action)),
        Work::Person(words) => format!("{} person: {words}", step.level),
    });
    held.into_iter().chain(steps).collect()
}

const BASE: &str = r#"{"requiredGroups":"sg-b"}"#;
const EACH: &str = r#"{"requiredGroups":"sg-b","scope":"allEnis"}"#;
const ANY: &str = r#"{"requiredGroups":"sg-b, name:scan","match":"any"}"#;
const BOTH: &str = r#"{"requiredGroups":"sg-b, name:scan"}"#;

#[test]
fn groups_of_the_interfaces_decide() {
    let found: &[(&str, &[&str])] =
        &[("sg-b", &["sg-b"]), ("name:scan", &["sg-s"]), ("tag:role=base", &["sg-b", "sg-c"])];
    let one = |groups: &[&str]| subject(vec![interface("eni-1", true, groups)], found);
    let two = |first: &[&str], second: &[&str]| {
        subject(vec![interface("eni-1", true, first), interface("eni-2", false, second)], found)
    };
    let in_state = |state| InstanceInGroups { instance: instance(state), ..one(&["sg-a"]) };
    let none_found = |groups: &[&str]| subject(vec![interface("eni-1", true, groups)], &[]);
    let no_primary = subject(vec![interface("eni-2", false, &["sg-b"])], found);
    for (case, subject, params, expected) in [
        ("attached", one(&["sg-a", "sg-b"]), BASE, "COMPLIANT"),
        ("missing", one(&["sg-a"]), BASE, "NON_COMPLIANT: eni-1 lacks sg-b (required for vpc-1)"),
        ("missing both", one(&["sg-a"]), BOTH, "NON_COMPLIANT: eni-1 lacks sg-b, name:scan (required for vpc-1)"),
        ("only the first counts", two(&["sg-b"], &["sg-a"]), BASE, "COMPLIANT"),
        (
            "ec2-instance-required-security-group/1",
            two(&["sg-b"], &["sg-a"]),
            EACH,
            "NON_COMPLIANT: eni-2 lacks sg-b (required for vpc-1)",
        ),
        (
            "ec2-instance-required-security-group/2",
            none_found(&["sg-a"]),
            BASE,
            "NON_COMPLIANT: i-1 not satisfiable: no sg-b in vpc-1",
        ),
        ("attached though not found", none_found(&["sg-b"]), BASE, "COMPLIANT"),
        ("ec2-instance-required-security-group/3", one(&["sg-s"]), ANY, "COMPLIANT"),
        ("any, none", one(&["sg-a"]), ANY, "NON_COMPLIANT: eni-1 lacks any of sg-b, name:scan (required for vpc-1)"),
        (
            "any, one cannot be and the other is",
            subject(vec![interface("eni-1", true, &["sg-b"])], &[("sg-b", &["sg-b"])]),
            ANY,
            "COMPLIANT",
        ),
        (
            "any, one cannot be and the other is not",
            subject(vec![interface("eni-1", true, &[])], &[("sg-b", &["sg-b"])]),
            ANY,
            "NON_COMPLIANT: eni-1 lacks sg-b (required for vpc-1)",
        ),
        ("any, none can be", none_found(&[]), ANY, "NON_COMPLIANT: i-1 not satisfiable: no name:scan, sg-b in vpc-1"),
        (
            "ec2-instance-required-security-group/4",
            one(&["sg-a"]),
            r#"{"perVpc":{"vpc-2":["sg-b"]}}"#,
            "NOT_APPLICABLE: no requirement for vpc-1",
        ),
        ("no requirement at all", one(&["sg-a"]), "{}", "NOT_APPLICABLE: no requirement for vpc-1"),
        (
            "perVpc in place of requiredGroups",
            one(&["sg-b"]),
            r#"{"requiredGroups":"sg-b","perVpc":{"vpc-1":["name:scan"]}}"#,
            "NON_COMPLIANT: eni-1 lacks name:scan (required for vpc-1)",
        ),
        (
            "exempt by perVpc",
            one(&[]),
            r#"{"requiredGroups":"sg-b","perVpc":{"vpc-1":[]}}"#,
            "NOT_APPLICABLE: no requirement for vpc-1",
        ),
        (
            "ec2-instance-required-security-group/7",
            in_state("terminated"),
            BASE,
            "NOT_APPLICABLE: instance is terminated",
        ),
        ("stopped", in_state("stopped"), BASE, "NON_COMPLIANT: eni-1 lacks sg-b (required for vpc-1)"),
        (
            "ec2-instance-required-security-group/8",
            one(&["sg-c"]),
            r#"{"requiredGroups":"tag:role=base"}"#,
            "COMPLIANT",
        ),
        ("no primary", no_primary, BASE, "NON_COMPLIANT: i-1 tells no primary interface"),
        (
            "not read",
            one(&["sg-b"]),
            r#"{"perVpc":"ssm:/rectify/groups"}"#,
            "NON_COMPLIANT: i-1 not judged: `ssm:/rectify/groups` was not read",
        ),
    ] {
        assert_eq!(told(&subject, params), expected, "{case}");
    }
}

#[test]
fn what_is_kept_elsewhere_is_judged_like_what_is_given() {
    let read = |per_vpc: Value| InstanceInGroups {
        per_vpc: serde_json::from_value(per_vpc).unwrap(),
        ..subject(vec![interface("eni-1", true, &["sg-a"])], &[("sg-b", &["sg-b"])])
    };
    let params = r#"{"perVpc":"ssm:/rectify/groups"}"#;
    assert_eq!(told(&read(json!({"vpc-1": ["sg-b"]})), params), "NON_COMPLIANT: eni-1 lacks sg-b (required for vpc-1)");
    assert_eq!(told(&read(json!({"vpc-2": ["sg-b"]})), params), "NOT_APPLICABLE: no requirement for vpc-1");
}

#[test]
fn parameters_that_name_no_group_are_refused() {
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

fn modify(id: &str, groups: &[&str]) -> String {
    let groups = groups.iter().map(|group| format!("\"{group}\"")).collect::<Vec<_>>().join(",");
    format!(r#"L2 ModifyNetworkInterfaceAttribute {{"Groups":[{groups}],"NetworkInterfaceId":"{id}"}}"#)
}

#[test]
fn missing_groups_are_added_behind_those_there() {
    let found: &[(&str, &[&str])] =
        &[("sg-b", &["sg-b"]), ("name:scan", &["sg-s"]), ("tag:role=base", &["sg-b", "sg-c"])];
    let of = |interfaces| subject(interfaces, found);
    let one = |groups: &[&str]| of(vec![interface("eni-1", true, groups)]);
    let with = |change: fn(&mut InstanceInGroups)| {
        let mut it = one(&["sg-a"]);
        change(&mut it);
        it
    };
    let fix = modify("eni-1", &["sg-a", "sg-b"]);
    let held = |reason: &str| vec![format!("held: {reason}"), fix.clone()];
    let five = ["sg-1", "sg-2", "sg-3", "sg-4", "sg-5"];
    let six = [&five[..], &["sg-b"]].concat();
    let two = of(vec![interface("eni-1", true, &["sg-z", "sg-a"]), interface("eni-2", false, &["sg-c"])]);
    let role = r#"{"requiredGroups":"tag:role=base"}"#;
    let rows: Vec<(&str, InstanceInGroups, &str, Vec<String>)> = vec![
        ("right", one(&["sg-b"]), BASE, vec![]),
        ("missing", one(&["sg-a"]), BASE, vec![fix.clone()]),
        (
            "ec2-instance-required-security-group/6",
            two,
            EACH,
            vec![modify("eni-1", &["sg-z", "sg-a", "sg-b"]), modify("eni-2", &["sg-c", "sg-b"])],
        ),
        (
            "in the order of the requirements",
            one(&["sg-a"]),
            r#"{"requiredGroups":"name:scan,sg-b"}"#,
            vec![modify("eni-1", &["sg-a", "sg-s", "sg-b"])],
        ),
        (
            "the same group twice",
            subject(vec![interface("eni-1", true, &["sg-a"])], &[("sg-b", &["sg-b"]), ("name:b", &["sg-b"])]),
            r#"{"requiredGroups":"sg-b,name:b"}"#,
            vec![fix.clone()],
        ),
        (
            "ec2-instance-required-security-group/5",
            one(&five),
            BASE,
            vec!["held: eni-1 would have 6 groups; at most 5 are allowed".to_owned(), modify("eni-1", &six)],
        ),
        (
            "a larger quota",
            one(&five),
            r#"{"requiredGroups":"sg-b","maxGroupsPerEni":"6"}"#,
            vec![modify("eni-1", &six)],
        ),
        (
            "more than one would do",
            one(&["sg-a"]),
            role,
            vec![
                "held: more than one group would do for eni-1: sg-b, sg-c".to_owned(),
                "L2 person: add to eni-1 one of sg-b, sg-c".to_owned(),
            ],
        ),
        (
            "any, either would do",
            one(&["sg-a"]),
            ANY,
            vec![
                "held: more than one group would do for eni-1: sg-b, sg-s".to_owned(),
                "L2 person: add to eni-1 one of sg-b, sg-s".to_owned(),
            ],
        ),
        (
            "any, one can be",
            subject(vec![interface("eni-1", true, &["sg-a"])], &[("sg-b", &["sg-b"])]),
            ANY,
            vec![fix.clone()],
        ),
        (
            "not satisfiable",
            subject(vec![interface("eni-1", true, &["sg-a"])], &[("sg-b", &["sg-b"])]),
            BOTH,
            vec!["L0 person: make or share into vpc-1 a group that is name:scan".to_owned(), fix.clone()],
        ),
        (
            "made by a service",
            with(|it| it.interfaces[0].requester_managed = Some(true)),
            BASE,
            held("an AWS service made eni-1 for itself"),
        ),
        ("not read", with(|it| it.interfaces[0].requester_managed = None), BASE, held("eni-1 was not read by itself")),
        (
            "managed interface",
            with(|it| it.interfaces[0].operator = Some("eks".into())),
            BASE,
            held("eni-1 is managed by `eks`"),
        ),
        (
            "managed instance",
            with(|it| it.instance.operator = Some("eks".into())),
            BASE,
            held("the instance is managed by `eks`"),
        ),
        ("trunk", with(|it| it.interfaces[0].kind = Some("trunk".into())), BASE, held("eni-1 is of type `trunk`")),
        ("no type", with(|it| it.interfaces[0].kind = None), BASE, held("eni-1 is of type `unknown`")),
        ("EFA", with(|it| it.interfaces[0].kind = Some("efa".into())), BASE, vec![fix.clone()]),
    ];
    for (case, subject, params, expected) in rows {
        assert_eq!(plan(&subject, params), expected, "{case}");
    }
}

#[test]
fn undo_gives_an_interface_the_groups_it_had() {
    let before = subject(vec![interface("eni-1", true, &["sg-z", "sg-a"])], &[("sg-b", &["sg-b"])]);
    let action = |id: &str, groups: &[&str]| Action::ModifyNetworkInterfaceAttribute {
        network_interface_id: id.to_owned(),
        groups: groups.iter().map(|it| (*it).to_owned()).collect(),
    };
    let undo = Ec2InstanceRequiredSecurityGroup.undo(&before, &[action("eni-1", &["sg-z", "sg-a", "sg-b"])]);
    assert_eq!(undo, Ok(vec![action("eni-1", &["sg-z", "sg-a"])]));
    let error = Ec2InstanceRequiredSecurityGroup.undo(&before, &[action("eni-2", &["sg-b"])]).unwrap_err();
    assert!(error.to_string().contains("does not hold the groups of `eni-2`"), "{error}");
    let shuffled = subject(vec![interface("eni-1", true, &["sg-a", "sg-z"])], &[]);
    let done = [action("eni-1", &[])];
    assert_eq!(
        Ec2InstanceRequiredSecurityGroup.footprint(&shuffled, &done),
        Ec2InstanceRequiredSecurityGroup.footprint(&before, &done)
    );
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
    let there = |ids: Vec<&'static str>| prop::sample::subsequence(ids, 0..=1);
    let role = prop::sample::subsequence(vec!["sg-b", "sg-c"], 0..=2);
    let state = prop::sample::select(vec!["running", "running", "running", "stopped", "terminated"]);
    let sample = (first, second, there(vec!["sg-b"]), there(vec!["sg-s"]), role, state);
    sample.prop_map(|(first, second, base, scan, role, state)| {
        let found = [("sg-b", &base[..]), ("name:scan", &scan[..]), ("tag:role=base", &role[..])];
        let subject = subject(std::iter::once(first).chain(second).collect(), &found);
        InstanceInGroups { instance: instance(state), ..subject }
    })
}

fn parameter_texts() -> impl Strategy<Value = TheParameters> {
    let texts =
        vec![BASE, EACH, ANY, BOTH, r#"{"requiredGroups":"tag:role=base"}"#, r#"{"perVpc":{"vpc-2":["sg-b"]}}"#];
    prop::sample::select(texts).prop_map(|text| parse(text).unwrap())
}

#[test]
fn generated_instances_are_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let (mut nothing, mut held, mut done) = (0, 0, 0);
    for _ in 0..1000 {
        let subject = subjects().new_tree(&mut runner).unwrap().current();
        let params = parameter_texts().new_tree(&mut runner).unwrap().current();
        match Ec2InstanceRequiredSecurityGroup.plan(&subject, &params, NOW) {
            Plan::Nothing => nothing += 1,
            plan if plan.obstacle(true).is_some() => held += 1,
            _ => done += 1,
        }
    }
    assert!(nothing > 100 && held > 100 && done > 50, "{nothing} right, {held} held, {done} fixed");
}

proptest! {
    #[test]
    fn only_a_finding_is_planned_for(subject in subjects(), params in parameter_texts()) {
        let finding = Ec2InstanceRequiredSecurityGroup.evaluate(&subject, &params, NOW).is_non_compliant();
        prop_assert_eq!(Ec2InstanceRequiredSecurityGroup.plan(&subject, &params, NOW) != Plan::Nothing, finding);
    }

    #[test]
    fn the_fix_takes_no_group_away_and_undo_restores_each(subject in subjects(), params in parameter_texts()) {
        let plan = Ec2InstanceRequiredSecurityGroup.plan(&subject, &params, NOW);
        let mut live = subject.clone();
        let mut done = Vec::new();
        for action in plan.calls() {
            live = Ec2InstanceRequiredSecurityGroup.expect(live, action);
            done.push(action.clone());
        }
        for (before, after) in subject.interfaces.iter().zip(&live.interfaces) {
            prop_assert!(after.groups.starts_with(&before.groups));
            prop_assert_eq!(&Interface { groups: before.groups.clone(), ..after.clone() }, before);
        }
        prop_assert_eq!(&InstanceInGroups { interfaces: subject.interfaces.clone(), ..live.clone() }, &subject);
        if plan.obstacle(true).is_none() {
            prop_assert!(!Ec2InstanceRequiredSecurityGroup.evaluate(&live, &params, NOW).is_non_compliant());
            prop_assert_eq!(Ec2InstanceRequiredSecurityGroup.plan(&live, &params, NOW), Plan::Nothing);
        }
        let actions = done.clone();
        for action in Ec2InstanceRequiredSecurityGroup.undo(&subject, &done).unwrap() {
            live = Ec2InstanceRequiredSecurityGroup.expect(live, &action);
        }
        prop_assert_eq!(Ec2InstanceRequiredSecurityGroup.footprint(&live, &actions), Ec2InstanceRequiredSecurityGroup.footprint(&subject, &actions));
        prop_assert_eq!(live, subject);
    }

    #[test]
    fn images_and_actions_read_back_as_they_were_stored(subject in subjects(), params in parameter_texts()) {
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<InstanceInGroups>(), Ok(subject.clone()));
        for action in Ec2InstanceRequiredSecurityGroup.plan(&subject, &params, NOW).calls() {
            let text = serde_json::to_string(action).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Action>(&text).unwrap(), action);
        }
        let text = serde_json::to_string(&params).unwrap();
        prop_assert_eq!(parse(&text), Ok(params));
    }
}
