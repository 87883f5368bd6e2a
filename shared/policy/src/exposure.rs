//! The statements of a resource policy that grant public access.
//!
//! One analysis for every service. A statement grants public access if it allows everyone an action, no condition
//! restricts it to specific principals or sources, and no Deny cancels it.

use std::collections::BTreeSet;

use rectify_compliance::AccountId;

use crate::Policy;
use crate::principal::Principal;
use crate::statement::{Effect, Selection, Statement};

/// The differences between the policies of resource types that affect public access.
#[derive(Debug, Clone, Copy)]
pub struct ResourceKind {
    /// Service-specific condition keys that restrict, beside the global ones.
    pub keys: &'static [Key],
    /// Global condition keys that do not restrict here, in lower case.
    pub ignored_keys: &'static [&'static str],
    /// Whether a condition value with a wildcard can restrict.
    pub wildcards: Wildcards,
    /// Services that act for the owner of a request's source, where the source may change owner. A statement for one of
    /// them is public unless it names the source account.
    pub shared_services: &'static [&'static str],
    /// Every action that such a policy can grant, in lists. If empty, actions are compared by their patterns.
    pub actions: &'static [&'static [&'static str]],
}

/// A condition key of one service.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Whether a value restricts.
    pub is_fixed: fn(&str) -> bool,
}

/// Whether a condition value with a wildcard can restrict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wildcards {
    /// Never, as in AWS managed rules.
    Refused,
    /// If the value also names an account, an organization or a bucket: `arn:<partition>:sns:*:111122223333:*`.
    BehindOwner,
}

impl ResourceKind {
    /// A kind with no keys, services or actions of its own.
    pub const PLAIN: Self =
        Self { keys: &[], ignored_keys: &[], wildcards: Wildcards::BehindOwner, shared_services: &[], actions: &[] };
}

impl Policy {
    /// The statements that grant public access to the resource `arn` or below it: public Allows that no unconditional
    /// Deny for everyone cancels. A Deny with a condition, or for only some of the actions or resources, does not
    /// cancel.
    pub fn public_statements(&self, arn: &str, kind: &ResourceKind) -> Vec<&Statement> {
        self.public_positions(arn, kind).into_iter().filter_map(|position| self.0.get(position)).collect()
    }

    /// The positions of these statements in the policy.
    pub fn public_positions(&self, arn: &str, kind: &ResourceKind) -> BTreeSet<usize> {
        let is_public = |it: &Statement| {
            it.effect == Effect::Allow
                && it.concerns(arn)
                && it.is_open(kind)
                && kind.grants_any_of(&it.actions)
                && !self.0.iter().any(|deny| cancels(deny, it, arn, kind))
        };
        self.0.iter().enumerate().filter(|(_, it)| is_public(it)).map(|(position, _)| position).collect()
    }

    /// The statements that grant access to named external principals, or under a restricting condition. Not those for
    /// the public, for services or for identities of `account`.
    pub fn external_statements(&self, arn: &str, account: &AccountId, kind: &ResourceKind) -> Vec<&Statement> {
        self.0
            .iter()
            .filter(|it| it.effect == Effect::Allow && it.concerns(arn) && !it.is_open(kind))
            .filter(|it| !it.principal.as_ref().is_some_and(|it| it.is_internal(account)))
            .filter(|it| !it.conditions.iter().any(|condition| condition.restricts_to_account(account, kind)))
            .collect()
    }
}

impl Statement {
    /// Whether it applies to the public, whatever its effect, and ignoring other statements.
    pub fn is_open(&self, kind: &ResourceKind) -> bool {
        let is_public = self.principal.as_ref().is_none_or(Principal::is_public);
        let is_shared = |name: &&str| self.principal.as_ref().is_some_and(|it| it.has_service(name));
        (is_public && !self.conditions.iter().any(|it| it.restricts(kind)))
            || (kind.shared_services.iter().any(is_shared)
                && !self.conditions.iter().any(|it| it.names_source_account(kind)))
    }
}

impl ResourceKind {
    /// The listed actions that are selected.
    fn selected(&self, actions: &Selection) -> impl Iterator<Item = &'static str> {
        self.actions.iter().copied().flatten().copied().filter(move |it| actions.has_action(it))
    }

    fn grants_any_of(&self, actions: &Selection) -> bool {
        self.actions.is_empty() || self.selected(actions).next().is_some()
    }
}

fn cancels(deny: &Statement, allow: &Statement, arn: &str, kind: &ResourceKind) -> bool {
    let covers_actions = || match kind.actions {
        [] => deny.actions.covers_actions_of(&allow.actions),
        _ => kind.selected(&allow.actions).all(|it| deny.actions.has_action(it)),
    };
    deny.effect == Effect::Deny
        && deny.is_for_everyone()
        && deny.conditions.is_empty()
        && deny.covers_resources_of(allow, arn)
        && covers_actions()
}

#[cfg(test)]
#[path = "exposure_tests.rs"]
mod tests;
