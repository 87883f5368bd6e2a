//! Which statements of a resource's policy let the public in.
//!
//! One analysis for every service. A statement does where it allows something to everybody, no condition restricts it to
//! somebody in particular, and no Deny takes it back.

use rectify_compliance::AccountId;

use crate::Policy;
use crate::principal::Principal;
use crate::statement::{Effect, Selection, Statement};

/// What differs between the policies of one kind of resource and those of another, as far as it decides who is let in.
#[derive(Debug, Clone, Copy)]
pub struct ResourceKind {
    /// Condition keys of the service that restrict beside those of every service.
    pub keys: &'static [Key],
    /// Keys of every service that do not restrict here, in lower case.
    pub ignored_keys: &'static [&'static str],
    /// Whether a value may have a wildcard where it names somebody in particular all the same.
    pub wildcards: Wildcards,
    /// Services that act for whoever owns the source of a request, and whose sources may change owner: a statement for one of
    /// them is as open as one for everybody until it names the source's account.
    pub shared_services: &'static [&'static str],
    /// Every action that such a policy can grant, in lists. Without them actions compare by their patterns.
    pub actions: &'static [&'static [&'static str]],
}

/// A condition key of one service.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Which of its values name somebody in particular.
    pub is_fixed: fn(&str) -> bool,
}

/// Whether a condition value with a wildcard can be a fixed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wildcards {
    /// Never: what AWS's managed rules require.
    Refused,
    /// Where an account, an organization or a bucket stands before it: `arn:<partition>:sns:*:111122223333:*`.
    BehindOwner,
}

impl ResourceKind {
    /// A kind with no keys, services or actions of its own.
    pub const PLAIN: Self =
        Self { keys: &[], ignored_keys: &[], wildcards: Wildcards::BehindOwner, shared_services: &[], actions: &[] };
}

impl Policy {
    /// The statements that let the public at the resource `arn` or below it: public Allows that no unconditional Deny for
    /// everybody cancels. A Deny with a condition, or for some actions or resources only, cancels nothing here.
    pub fn openings(&self, arn: &str, kind: &ResourceKind) -> Vec<&Statement> {
        self.0
            .iter()
            .filter(|it| it.effect == Effect::Allow && it.concerns(arn) && it.is_open(kind))
            .filter(|it| kind.has_action_of(&it.actions))
            .filter(|it| !self.0.iter().any(|deny| cancels(deny, it, arn, kind)))
            .collect()
    }

    /// The statements that let others in by name, or under a restricting condition: neither the public nor services nor
    /// identities of `account` itself.
    pub fn strangers(&self, arn: &str, account: &AccountId, kind: &ResourceKind) -> Vec<&Statement> {
        self.0
            .iter()
            .filter(|it| it.effect == Effect::Allow && it.concerns(arn) && !it.is_open(kind))
            .filter(|it| !it.principal.as_ref().is_some_and(|it| it.is_at_home(account)))
            .filter(|it| !it.conditions.iter().any(|condition| condition.keeps_to(account, kind)))
            .collect()
    }
}

impl Statement {
    /// Whether it speaks of the public, whatever its effect is and whatever else denies.
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

    fn has_action_of(&self, actions: &Selection) -> bool {
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
