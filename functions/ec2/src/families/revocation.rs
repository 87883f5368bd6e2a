//! The `RevokeSecurityGroup…` calls as data, with their predicted effect, their undo, and the plan around them.
//!
//! Rules are revoked by id only, so the other rules of the same permission stay.

use rectify_compliance::{Irreversible, Level, Plan, Step, offenders};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::families::authorization::Authorize;
use crate::resources::rule::{Direction, Rule};
use crate::resources::security_group::{GroupInNetwork, SecurityGroup};

/// A call that revokes rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Revoke {
    /// Revokes ingress rules by their ids.
    RevokeSecurityGroupIngress(Revocation),
    /// Revokes egress rules by their ids.
    RevokeSecurityGroupEgress(Revocation),
}

/// The input of both calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Revocation {
    /// The group.
    pub group_id: String,
    /// The rules, `sgr-…`.
    pub security_group_rule_ids: Vec<String>,
}

impl Revoke {
    /// The call for a direction.
    pub fn of(direction: Direction, group_id: &str, security_group_rule_ids: Vec<String>) -> Self {
        let input = Revocation { group_id: group_id.to_owned(), security_group_rule_ids };
        match direction {
            Direction::Ingress => Self::RevokeSecurityGroupIngress(input),
            Direction::Egress => Self::RevokeSecurityGroupEgress(input),
        }
    }

    /// Whether it revokes ingress or egress.
    pub const fn direction(&self) -> Direction {
        match self {
            Self::RevokeSecurityGroupIngress(_) => Direction::Ingress,
            Self::RevokeSecurityGroupEgress(_) => Direction::Egress,
        }
    }

    /// The input of the call.
    pub const fn input(&self) -> &Revocation {
        match self {
            Self::RevokeSecurityGroupIngress(input) | Self::RevokeSecurityGroupEgress(input) => input,
        }
    }

    /// Removes the revoked rules from the rules of a group.
    pub fn predict(&self, rules: &mut Vec<Rule>) {
        let revoked = &self.input().security_group_rule_ids;
        rules.retain(|rule| rule.id.as_ref().is_none_or(|id| !revoked.contains(id)));
    }

    /// The calls that recreate the revoked rules, last rule first.
    ///
    /// # Errors
    /// [`Irreversible`] if the prior state does not contain a rule, or contains one that cannot be recreated.
    pub fn undo(&self, before: &SecurityGroup) -> Result<Vec<Authorize>, Irreversible> {
        let action = match self {
            Self::RevokeSecurityGroupIngress(_) => "RevokeSecurityGroupIngress",
            Self::RevokeSecurityGroupEgress(_) => "RevokeSecurityGroupEgress",
        };
        let irreversible = |reason: String| Irreversible { action: action.to_owned(), reason };
        let ids = self.input().security_group_rule_ids.iter().rev();
        ids.map(|id| {
            let rule = before
                .rule(id)
                .ok_or_else(|| irreversible(format!("the prior state does not contain the rule `{id}`")))?;
            Authorize::recreate(&before.id, rule)
                .ok_or_else(|| irreversible(format!("the rule `{id}` states no peer and cannot be recreated")))
        })
        .collect()
    }
}

/// The calls that undo revocations, last one first.
///
/// # Errors
/// As [`Revoke::undo`].
pub fn undo(before: &SecurityGroup, done: &[Revoke]) -> Result<Vec<Authorize>, Irreversible> {
    let calls: Vec<Vec<Authorize>> = done.iter().rev().map(|call| call.undo(before)).collect::<Result<_, _>>()?;
    Ok(calls.into_iter().flatten().collect())
}

/// `live` after an undo call.
pub fn reverted(live: &GroupInNetwork, call: &Authorize) -> GroupInNetwork {
    let mut live = live.clone();
    call.predict(&mut live.group.rules);
    live
}

/// `live` after a revocation.
pub fn predict(mut live: GroupInNetwork, call: &Revoke) -> GroupInNetwork {
    call.predict(&mut live.group.rules);
    live
}

/// The rules that a revocation can change, without ids and reserved tags, so that neither these nor other rules block
/// an undo.
pub fn touched_fields(group: &SecurityGroup, can_change: impl Fn(&Rule) -> bool) -> Value {
    let mut rules: Vec<Rule> = group
        .rules
        .iter()
        .filter(|rule| can_change(rule))
        .map(|rule| Rule { id: None, tags: rule.own_tags(), ..rule.clone() })
        .collect();
    rules.sort();
    json!({ "groupId": group.id, "rules": rules })
}

/// A plan under construction for one group: the steps, and the reasons that block it.
#[derive(Debug)]
pub struct RevocationPlan<'a, A> {
    group: &'a SecurityGroup,
    reasons: Vec<String>,
    steps: Vec<Step<A>>,
}

impl<'a, A: From<Revoke>> RevocationPlan<'a, A> {
    /// An empty plan for a group, with these blockers.
    pub fn new(group: &'a SecurityGroup, blockers: Vec<String>) -> Self {
        Self { group, reasons: blockers, steps: Vec::new() }
    }

    /// The group.
    pub const fn group(&self) -> &'a SecurityGroup {
        self.group
    }

    /// Blocks the plan for this reason.
    pub fn block(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
    }

    /// Adds a step.
    pub fn push(&mut self, step: Step<A>) {
        self.steps.push(step);
    }

    /// Revokes these rules in one call per direction, level L2: clients that use them lose access. Rules without an id
    /// become manual steps and block the plan; rules that undo could not recreate block it too.
    pub fn revoke<'r>(&mut self, rules: impl IntoIterator<Item = &'r Rule>) {
        let rules: Vec<&Rule> = rules.into_iter().collect();
        for direction in [Direction::Ingress, Direction::Egress] {
            let ids: Vec<String> =
                rules.iter().filter(|rule| rule.direction == direction).filter_map(|rule| rule.id.clone()).collect();
            if !ids.is_empty() {
                self.push(Step::call(Level::L2, Revoke::of(direction, &self.group.id, ids).into()));
            }
        }
        let irreversible =
            rules.iter().filter(|rule| Authorize::recreate(&self.group.id, rule).is_none()).map(ToString::to_string);
        let irreversible = offenders(irreversible);
        if !irreversible.is_empty() {
            self.block(format!("undo could not recreate these rules, because they state no peer: {irreversible}"));
        }
        let without_id: Vec<&Rule> = rules.into_iter().filter(|rule| rule.id.is_none()).collect();
        if !without_id.is_empty() {
            self.block("the rule ids are not known: a plan needs a live read");
        }
        for rule in without_id {
            self.push(Step::manual(Level::L2, format!("revoke the rule {rule} of {}", self.group.id)));
        }
    }

    /// Adds a manual step for rules that cover the internet only in combination: an operator decides which of them to keep.
    pub fn narrow_combined(&mut self, rules: &[&Rule]) {
        if !rules.is_empty() {
            let rules = offenders(rules.iter().map(ToString::to_string));
            let text = format!("narrow these rules, which together cover the internet: {rules}");
            self.push(Step::manual(Level::L3, text));
        }
    }

    /// The plan.
    pub fn plan(self) -> Plan<A> {
        Plan::unless(self.reasons, self.steps)
    }
}
