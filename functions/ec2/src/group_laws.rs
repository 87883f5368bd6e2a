//! What the tests of every control that closes security groups share: a group by its rules, and the laws beside
//! [`Laws`](rectify_testing::Laws).
#![allow(clippy::unwrap_used, clippy::panic)]

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{Control, Parameters, Remediation, Resource};
use rectify_testing::{Case, Cases, Laws, NOW};

use crate::arbitrary::{as_item, as_live, group};
use crate::families::authorization::Authorize;
use crate::families::revocation::Revoke;
use crate::resources::rule::{Direction, Rule};
use crate::resources::security_group::{GroupInNetwork, SecurityGroup};

/// A control that closes groups by revoking rules.
pub(crate) trait Closes: Remediation<Subject = GroupInNetwork, Action = Revoke, Undo = Authorize> {}

impl<K: Remediation<Subject = GroupInNetwork, Action = Revoke, Undo = Authorize>> Closes for K {}

pub(crate) fn parameters<P: Parameters>(text: &str) -> P {
    RuleParameters::<P>::parse(Some(text)).unwrap().control
}

/// A case about a group with these rules.
pub(crate) fn case<'a, K>(control: &'a K, name: &'a str, rules: Vec<Rule>) -> Case<'a, K>
where
    K: Control<Subject = GroupInNetwork>,
{
    Cases::of(control, group(rules)).case(name, |_| ())
}

/// The step that revokes these rules.
pub(crate) fn revoke(direction: Direction, ids: &[&str]) -> String {
    let ids = serde_json::to_string(ids).unwrap();
    format!(r#"L2 RevokeSecurityGroup{direction:?} {{"GroupId":"sg-1","SecurityGroupRuleIds":{ids}}}"#)
}

/// What EC2 makes of an undo: the rules again, under other ids.
pub(crate) fn play(group: &mut SecurityGroup, open: &Authorize) {
    for rule in open.rules() {
        let id = Some(format!("sgr-new-{}", group.rules.len()));
        group.rules.push(Rule { id, ..rule });
    }
    group.rules.sort();
}

/// Checks [`Laws`] and those of this module; one subject in ten must be fixed by machine.
pub(crate) fn hold<K: Closes>(control: &K, subjects: impl Strategy<Value = (GroupInNetwork, K::Params)>) {
    let reopened = |_: &K, mut live: GroupInNetwork, open: &Authorize| {
        play(&mut live.group, open);
        live
    };
    Laws::of(control, &["/group/rules"], reopened).hold(&subjects);
    let (all, applied) = (Cell::new(0), Cell::new(0));
    let config = Config { failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&subjects, |(subject, params)| {
        all.set(all.get() + 1);
        applied.set(applied.get() + u32::from(takes_only_what_is_wrong(control, &subject, &params)?));
        an_undo_that_breaks_off_is_known(control, &subject, &params)?;
        item_and_live_read_are_judged_alike(control, &subject, &params)
    });
    if let Err(broken) = run {
        panic!("{broken}");
    }
    assert!(applied.get() * 10 >= all.get(), "{} of {} fixed by machine", applied.get(), all.get());
}

/// A plan that a machine may apply takes away the rules that are a finding each alone, and no others.
fn takes_only_what_is_wrong<K: Closes>(
    control: &K,
    subject: &GroupInNetwork,
    params: &K::Params,
) -> Result<bool, TestCaseError> {
    let plan = control.plan(subject, params, NOW);
    if plan.calls().is_empty() || plan.blocker(true).is_some() {
        return Ok(false);
    }
    let after = plan.calls().into_iter().fold(subject.clone(), |live, action| control.predict(live, action));
    for rule in &subject.group.rules {
        let group = SecurityGroup { rules: vec![rule.clone()], ..subject.group.clone() };
        let alone = GroupInNetwork { group, network: subject.network.clone() };
        let is_finding = control.evaluate(&alone, params, NOW).is_non_compliant();
        prop_assert_eq!(after.group.rules.contains(rule), !is_finding, "{}", rule);
    }
    Ok(true)
}

/// After each call of an undo the model has the touched fields that the group has.
fn an_undo_that_breaks_off_is_known<K: Closes>(
    control: &K,
    subject: &GroupInNetwork,
    params: &K::Params,
) -> TestCaseResult {
    let done: Vec<Revoke> = control.plan(subject, params, NOW).calls().into_iter().cloned().collect();
    let mut live = done.iter().fold(subject.clone(), |live, action| control.predict(live, action));
    let mut modelled = live.clone();
    for open in control.undo(subject, &done).unwrap() {
        play(&mut live.group, &open);
        modelled = control.reverted(&modelled, &open).unwrap();
        prop_assert_eq!(control.touched_fields(&modelled, &done), control.touched_fields(&live, &done));
        prop_assert_eq!(control.reverted(&modelled, &open), Some(modelled.clone()), "what is there is not made again");
    }
    Ok(())
}

/// A group is judged alike, whether it came as an item or was read live.
fn item_and_live_read_are_judged_alike<K: Closes>(
    control: &K,
    subject: &GroupInNetwork,
    params: &K::Params,
) -> TestCaseResult {
    let mut rules: Vec<Rule> = as_live(&subject.group).into_iter().map(|rule| rule.try_into().unwrap()).collect();
    rules.sort();
    let live = SecurityGroup { rules, ..subject.group.clone() };
    for group in [SecurityGroup::from_item(&as_item(&subject.group)).unwrap(), live] {
        let read = GroupInNetwork { group, network: subject.network.clone() };
        prop_assert_eq!(control.evaluate(&read, params, NOW), control.evaluate(subject, params, NOW));
    }
    Ok(())
}
