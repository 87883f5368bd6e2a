//! The calls that close a security group, as data, and what follows from them: the model, the way back, and the plan that
//! is drafted around them.
//!
//! Rules are revoked by their ids and by nothing else, so that every neighbour in the same permission stays.

use rectify_compliance::{Irreversible, Level, Plan, Step, offenders};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::families::authorization::Authorize;
use crate::resources::rule::{Direction, Rule};
use crate::resources::security_group::{GroupInNetwork, SecurityGroup};

/// A call that closes a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Revoke {
    /// Revokes ingress rules by their ids.
    RevokeSecurityGroupIngress(Revocation),
    /// Revokes egress rules by their ids.
    RevokeSecurityGroupEgress(Revocation),
}

/// The input of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Revocation {
    /// The group.
    pub group_id: String,
    /// The rules, `sgr-…`.
    pub security_group_rule_ids: Vec<String>,
}

impl Revoke {
    /// The call of one direction.
    pub fn of(direction: Direction, group_id: &str, security_group_rule_ids: Vec<String>) -> Self {
        let input = Revocation { group_id: group_id.to_owned(), security_group_rule_ids };
        match direction {
            Direction::Ingress => Self::RevokeSecurityGroupIngress(input),
            Direction::Egress => Self::RevokeSecurityGroupEgress(input),
        }
    }

    /// Which way it closes the group.
    pub const fn direction(&self) -> Direction {
        match self {
            Self::RevokeSecurityGroupIngress(_) => Direction::Ingress,
            Self::RevokeSecurityGroupEgress(_) => Direction::Egress,
        }
    }

    /// What is sent.
    pub const fn input(&self) -> &Revocation {
        match self {
            Self::RevokeSecurityGroupIngress(input) | Self::RevokeSecurityGroupEgress(input) => input,
        }
    }

    /// Takes the rules it revokes out of a group's.
    pub fn predict(&self, rules: &mut Vec<Rule>) {
        let gone = &self.input().security_group_rule_ids;
        rules.retain(|rule| rule.id.as_ref().is_none_or(|id| !gone.contains(id)));
    }

    /// The calls that make the revoked rules again, last rule first.
    ///
    /// # Errors
    /// [`Irreversible`] when the group as it was before does not hold a rule, or holds one that cannot be made again.
    pub fn undo(&self, before: &SecurityGroup) -> Result<Vec<Authorize>, Irreversible> {
        let action = match self {
            Self::RevokeSecurityGroupIngress(_) => "RevokeSecurityGroupIngress",
            Self::RevokeSecurityGroupEgress(_) => "RevokeSecurityGroupEgress",
        };
        let lost = |reason: String| Irreversible { action: action.to_owned(), reason };
        let ids = self.input().security_group_rule_ids.iter().rev();
        ids.map(|id| {
            let rule =
                before.rule(id).ok_or_else(|| lost(format!("the before-image does not hold the rule `{id}`")))?;
            Authorize::again(&before.id, rule)
                .ok_or_else(|| lost(format!("the rule `{id}` names no peer to be made again from")))
        })
        .collect()
    }
}

/// The calls that take revocations back, last one first.
///
/// # Errors
/// As [`Revoke::undo`].
pub fn undo(before: &SecurityGroup, done: &[Revoke]) -> Result<Vec<Authorize>, Irreversible> {
    let calls: Vec<Vec<Authorize>> = done.iter().rev().map(|close| close.undo(before)).collect::<Result<_, _>>()?;
    Ok(calls.into_iter().flatten().collect())
}

/// What `live` becomes by the call that makes a revoked rule again.
pub fn reverted(live: &GroupInNetwork, open: &Authorize) -> GroupInNetwork {
    let mut live = live.clone();
    open.predict(&mut live.group.rules);
    live
}

/// What `live` becomes by a revocation.
pub fn predict(mut live: GroupInNetwork, close: &Revoke) -> GroupInNetwork {
    close.predict(&mut live.group.rules);
    live
}

/// The rules that `touches` names, as anybody could have written them: all that a revocation can touch. Neither ids nor
/// other rules stand in the way of undo.
pub fn touched_fields(group: &SecurityGroup, touches: impl Fn(&Rule) -> bool) -> Value {
    let mut rules: Vec<Rule> = group
        .rules
        .iter()
        .filter(|rule| touches(rule))
        .map(|rule| Rule { id: None, tags: rule.own_tags(), ..rule.clone() })
        .collect();
    rules.sort();
    json!({ "groupId": group.id, "rules": rules })
}

/// A plan about one group in the making: the steps, and what forbids taking them by machine.
#[derive(Debug)]
pub struct RevocationPlan<'a, A> {
    group: &'a SecurityGroup,
    reasons: Vec<String>,
    steps: Vec<Step<A>>,
}

impl<'a, A: From<Revoke>> RevocationPlan<'a, A> {
    /// A draft about a group with these blockers in the way.
    pub fn new(group: &'a SecurityGroup, blockers: Vec<String>) -> Self {
        Self { group, reasons: blockers, steps: Vec::new() }
    }

    /// The group.
    pub const fn group(&self) -> &'a SecurityGroup {
        self.group
    }

    /// Names a precondition that does not hold.
    pub fn hold(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
    }

    /// Adds a step.
    pub fn push(&mut self, step: Step<A>) {
        self.steps.push(step);
    }

    /// Revokes these rules in one call per direction, level L2: what used them is cut off. Rules without an id are left to
    /// a person, and hold the plan, as do rules that undo could not make again.
    pub fn revoke<'r>(&mut self, rules: impl IntoIterator<Item = &'r Rule>) {
        let rules: Vec<&Rule> = rules.into_iter().collect();
        for direction in [Direction::Ingress, Direction::Egress] {
            let ids: Vec<String> =
                rules.iter().filter(|rule| rule.direction == direction).filter_map(|rule| rule.id.clone()).collect();
            if !ids.is_empty() {
                self.push(Step::call(Level::L2, Revoke::of(direction, &self.group.id, ids).into()));
            }
        }
        let lost =
            rules.iter().filter(|rule| Authorize::again(&self.group.id, rule).is_none()).map(ToString::to_string);
        let lost = offenders(lost);
        if !lost.is_empty() {
            self.hold(format!("undo could not make these rules again, since their peer is not stated: {lost}"));
        }
        let nameless: Vec<&Rule> = rules.into_iter().filter(|rule| rule.id.is_none()).collect();
        if !nameless.is_empty() {
            self.hold("the ids of the rules are not known: only a live read can be planned from");
        }
        for rule in nameless {
            self.push(Step::manual(Level::L2, format!("revoke the rule {rule} of {}", self.group.id)));
        }
    }

    /// Leaves rules that cover the internet only together to a person, who knows which of them is wanted.
    pub fn narrow_together(&mut self, rules: &[&Rule]) {
        if !rules.is_empty() {
            let rules = offenders(rules.iter().map(ToString::to_string));
            let text = format!("narrow these rules, which cover the internet together: {rules}");
            self.push(Step::manual(Level::L3, text));
        }
    }

    /// The plan.
    pub fn plan(self) -> Plan<A> {
        Plan::unless(&self.reasons, self.steps)
    }
}
