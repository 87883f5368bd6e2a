//! Shared by the tests of every control that revokes security group rules: cases built from rules, and laws in addition
//! to [`Laws`](rectify_testing::Laws).
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

/// A control whose remediation revokes rules.
pub(crate) trait RevokesRules: Remediation<Subject = GroupInNetwork, Action = Revoke, Undo = Authorize> {}

impl<K: Remediation<Subject = GroupInNetwork, Action = Revoke, Undo = Authorize>> RevokesRules for K {}

pub(crate) fn parameters<P: Parameters>(text: &str) -> P {
    RuleParameters::<P>::parse(Some(text)).unwrap().control
}

/// A case for a group with these rules.
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

/// Applies an undo call as EC2 does: the rules come back under new ids.
pub(crate) fn apply(group: &mut SecurityGroup, call: &Authorize) {
    for rule in call.rules() {
        let id = Some(format!("sgr-new-{}", group.rules.len()));
        group.rules.push(Rule { id, ..rule });
    }
    group.rules.sort();
}

/// Checks [`Laws`] and the laws of this module; at least one subject in ten must be fixed automatically.
pub(crate) fn hold<K: RevokesRules>(control: &K, subjects: impl Strategy<Value = (GroupInNetwork, K::Params)>) {
    let reopened = |_: &K, mut live: GroupInNetwork, call: &Authorize| {
        apply(&mut live.group, call);
        live
    };
    Laws::of(control, &["/group/rules"], reopened).hold(&subjects);
    let (all, applied) = (Cell::new(0), Cell::new(0));
    let config = Config { failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&subjects, |(subject, params)| {
        all.set(all.get() + 1);
        applied.set(applied.get() + u32::from(revokes_exactly_the_violating_rules(control, &subject, &params)?));
        partial_undo_is_modeled(control, &subject, &params)?;
        item_and_live_read_get_the_same_verdict(control, &subject, &params)
    });
    if let Err(broken) = run {
        panic!("{broken}");
    }
    assert!(applied.get() * 10 >= all.get(), "{} of {} fixed automatically", applied.get(), all.get());
}

/// A plan that may be applied automatically revokes every rule that is a finding by itself, and no others.
fn revokes_exactly_the_violating_rules<K: RevokesRules>(
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

/// After each undo call, the model and the group have the same touched fields.
fn partial_undo_is_modeled<K: RevokesRules>(
    control: &K,
    subject: &GroupInNetwork,
    params: &K::Params,
) -> TestCaseResult {
    let done: Vec<Revoke> = control.plan(subject, params, NOW).calls().into_iter().cloned().collect();
    let mut live = done.iter().fold(subject.clone(), |live, action| control.predict(live, action));
    let mut modeled = live.clone();
    for call in control.undo(subject, &done).unwrap() {
        apply(&mut live.group, &call);
        modeled = control.reverted(&modeled, &call).unwrap();
        prop_assert_eq!(control.touched_fields(&modeled, &done), control.touched_fields(&live, &done));
        prop_assert_eq!(
            control.reverted(&modeled, &call),
            Some(modeled.clone()),
            "an existing rule is not created again"
        );
    }
    Ok(())
}

/// A group gets the same verdict from an item and from a live read.
fn item_and_live_read_get_the_same_verdict<K: RevokesRules>(
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
