//! What holds of every control that closes security groups, for every group: laws over generated ones, each control's own
//! `_laws.rs` names them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestCaseError, TestRunner};
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Control, Parameters, Plan, Remediation, Resource, Timestamp};

use crate::arbitrary::{as_item, as_live, groups};
use crate::authorization::Open;
use crate::revocation::Close;
use crate::rule::Rule;
use crate::security_group::{GroupInNetwork, SecurityGroup};

pub(crate) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A control that closes groups by revoking rules.
pub(crate) trait Closes: Remediation<Subject = GroupInNetwork, Action = Close, Undo = Open> {}

impl<K: Remediation<Subject = GroupInNetwork, Action = Close, Undo = Open>> Closes for K {}

pub(crate) fn parameters<P: Parameters>(text: &str) -> P {
    RuleParameters::<P>::parse(Some(text)).unwrap().control
}

/// What EC2 makes of an undo: the rules again, under other ids.
pub(crate) fn play(group: &mut SecurityGroup, open: &Open) {
    for rule in open.rules() {
        let id = Some(format!("sgr-new-{}", group.rules.len()));
        group.rules.push(Rule { id, ..rule });
    }
    group.rules.sort();
}

/// Whether a machine that may do everything would apply the plan.
fn applicable<A>(plan: &Plan<A>) -> bool
where
    A: PartialEq,
{
    *plan != Plan::Nothing && plan.obstacle(true).is_none()
}

/// Of a thousand generated groups at least these many are faulty, in order, and fixed by machine.
pub(crate) fn generated_groups_are_varied<K: Closes>(control: &K, params: &K::Params, least: [u32; 3]) {
    let mut runner = TestRunner::deterministic();
    let mut seen = [0; 3];
    for _ in 0..1000 {
        let subject = groups().new_tree(&mut runner).unwrap().current();
        let faulty = control.evaluate(&subject, params, NOW).is_non_compliant();
        seen[0] += u32::from(faulty);
        seen[1] += u32::from(!faulty);
        seen[2] += u32::from(applicable(&control.plan(&subject, params, NOW)));
    }
    assert!(seen.iter().zip(least).all(|(seen, least)| *seen >= least), "faulty, in order, applicable: {seen:?}");
}

/// There is a plan exactly where there is a finding.
pub(crate) fn a_plan_follows_a_finding<K: Closes>(
    control: &K,
    subject: &GroupInNetwork,
    params: &K::Params,
) -> Result<(), TestCaseError> {
    let faulty = control.evaluate(subject, params, NOW).is_non_compliant();
    prop_assert_eq!(control.plan(subject, params, NOW) == Plan::Nothing, !faulty);
    Ok(())
}

/// A plan that a machine may apply ends the finding, is its own end, and takes away the rules that are faulty each alone.
pub(crate) fn a_plan_takes_only_what_is_wrong<K: Closes>(
    control: &K,
    subject: &GroupInNetwork,
    params: &K::Params,
) -> Result<(), TestCaseError> {
    let plan = control.plan(subject, params, NOW);
    if !applicable(&plan) {
        return Ok(());
    }
    let after = plan.calls().into_iter().fold(subject.clone(), |live, action| control.expect(live, action));
    prop_assert!(!control.evaluate(&after, params, NOW).is_non_compliant());
    prop_assert_eq!(control.plan(&after, params, NOW), Plan::Nothing);
    for rule in &subject.group.rules {
        let alone = GroupInNetwork {
            group: SecurityGroup { rules: vec![rule.clone()], ..subject.group.clone() },
            network: subject.network.clone(),
        };
        let faulty = control.evaluate(&alone, params, NOW).is_non_compliant();
        prop_assert_eq!(after.group.rules.contains(rule), !faulty, "{}", rule);
    }
    let group = SecurityGroup { rules: subject.group.rules.clone(), ..after.group };
    prop_assert_eq!(&GroupInNetwork { group, network: after.network }, subject);
    Ok(())
}

/// Undo restores what the actions touched, and the footprint shows that they touched it.
pub(crate) fn undo_restores_the_footprint<K: Closes>(
    control: &K,
    subject: &GroupInNetwork,
    params: &K::Params,
) -> Result<(), TestCaseError> {
    let done: Vec<Close> = control.plan(subject, params, NOW).calls().into_iter().cloned().collect();
    let after = done.iter().fold(subject.clone(), |live, action| control.expect(live, action));
    let mut restored = after.clone();
    let mut modelled = after.clone();
    for open in control.undo(subject, &done).unwrap() {
        play(&mut restored.group, &open);
        modelled = control.reverted(&modelled, &open).unwrap();
        // An undo that breaks off here is known by what it left.
        prop_assert_eq!(control.footprint(&modelled, &done), control.footprint(&restored, &done));
        prop_assert_eq!(control.reverted(&modelled, &open), Some(modelled.clone()), "what is there is not made again");
    }
    prop_assert_eq!(control.footprint(&restored, &done), control.footprint(subject, &done));
    if !done.is_empty() {
        prop_assert_ne!(control.footprint(&after, &done), control.footprint(subject, &done));
    }
    Ok(())
}

/// A group is judged alike, whether it came as an item or was read live.
pub(crate) fn item_and_live_read_are_judged_alike<K>(
    control: &K,
    subject: &GroupInNetwork,
    params: &K::Params,
) -> Result<(), TestCaseError>
where
    K: Control<Subject = GroupInNetwork>,
{
    let group = SecurityGroup::from_item(&as_item(&subject.group)).unwrap();
    let from_item = GroupInNetwork { group, network: subject.network.clone() };
    let mut rules: Vec<Rule> = as_live(&subject.group).into_iter().map(|rule| rule.try_into().unwrap()).collect();
    rules.sort();
    let group = SecurityGroup { rules, ..subject.group.clone() };
    let live = GroupInNetwork { group, network: subject.network.clone() };
    let expected = control.evaluate(subject, params, NOW);
    prop_assert_eq!(control.evaluate(&from_item, params, NOW), expected.clone());
    prop_assert_eq!(control.evaluate(&live, params, NOW), expected);
    Ok(())
}

/// Verdict as a person would be told of it.
pub(crate) fn verdict<K: Control>(control: &K, subject: &K::Subject, params: &K::Params) -> String {
    let verdict = control.evaluate(subject, params, NOW);
    let annotation = verdict.annotation().map_or_else(String::new, |it| format!(": {it}"));
    format!("{}{annotation}", verdict.compliance_type())
}

/// Plan, one line a step.
pub(crate) fn plan<K: Remediation>(control: &K, subject: &K::Subject, params: &K::Params) -> Vec<String> {
    lines(&control.plan(subject, params, NOW))
}

/// A plan's hold and its steps, one line each.
pub(crate) fn lines<A: serde::Serialize>(plan: &Plan<A>) -> Vec<String> {
    let held = if let Plan::Hold { reason, .. } = plan { vec![format!("held: {reason}")] } else { vec![] };
    let steps = plan.steps().iter().map(|step| match &step.work {
        rectify_compliance::Work::Call(call) => format!("{} {}", step.level, rectify_compliance::plan::call_text(call)),
        rectify_compliance::Work::Person(text) => format!("{} by hand: {text}", step.level),
    });
    held.into_iter().chain(steps).collect()
}
