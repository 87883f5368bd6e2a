//! Controls that limit which ports the internet may reach: each is a value of [`OpenPorts`].
//!
//! Rules are evaluated individually and in combination ([`exposure`](crate::families::exposure)). A rule that opens
//! only forbidden ports is revoked; everything else becomes a manual step.

use rectify_compliance::{
    Control, FromItem, Irreversible, Parameters, Periodic, Permission, Plan, Remediation, RemediationPermissions,
    Timestamp, Verdict,
};
use serde_json::Value;

use crate::families::authorization::Authorize;
use crate::families::port_limits::Limits;
use crate::families::revocation::{self, RevocationPlan, Revoke};
use crate::permissions;
use crate::resources::rule::{Direction, Protocol, Rule};
use crate::resources::security_group::{GroupInNetwork, Network, SecurityGroup};

/// A control that limits which ports the internet may reach.
#[derive(Debug, Clone, Copy)]
pub struct OpenPorts<P: 'static> {
    /// The limits that its parameters set.
    pub limits: fn(&P) -> Limits,
    /// The protocols whose rules it may revoke.
    pub revokes: fn(&Protocol) -> bool,
}

impl<P> OpenPorts<P> {
    fn can_revoke(&self, rule: &Rule) -> bool {
        rule.direction == Direction::Ingress && (self.revokes)(&rule.protocol) && rule.peer.is_cidr()
    }
}

impl<P: Parameters> FromItem for OpenPorts<P> {
    type Resource = SecurityGroup;
    type Facts = Network;

    fn fact_permissions(&self) -> &'static [Permission] {
        permissions::INTERNET_FACTS
    }

    fn subject(&self, group: SecurityGroup, network: Network) -> GroupInNetwork {
        GroupInNetwork { group, network }
    }
}

impl<P: Parameters> Periodic for OpenPorts<P> {
    fn list_permissions(&self) -> &'static [Permission] {
        permissions::INTERNET_LISTING
    }
}

impl<P: Parameters> Control for OpenPorts<P> {
    type Params = P;
    type Subject = GroupInNetwork;

    fn evaluate(&self, subject: &GroupInNetwork, params: &P, _now: Timestamp) -> Verdict {
        let limits = (self.limits)(params);
        if let Some(unattached) = limits.internet.unattached(&subject.network) {
            return unattached;
        }
        let note = limits.internet.note(&subject.network, limits.prefix_lists(&subject.group));
        let with_note = |text: String| match &note {
            Some(note) => format!("{text}; {note}"),
            None => text,
        };
        if limits.is_not_open(subject) {
            return Verdict::not_applicable(with_note("no rule lets the internet in".to_owned()));
        }
        let exposure = limits.exposure(subject);
        if exposure.is_empty() {
            return Verdict::Compliant(note.map(Into::into));
        }
        Verdict::non_compliant(with_note(limits.ports.finding(exposure.rules())))
    }
}

impl<P: Parameters> Remediation for OpenPorts<P> {
    type Action = Revoke;
    type Undo = Authorize;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions {
            read: permissions::INTERNET_LIVE,
            fix: &[permissions::REVOKE_INGRESS],
            undo: permissions::REOPEN_INGRESS,
        }
    }

    fn fix(&self, live: &GroupInNetwork, params: &P, _now: Timestamp) -> Plan<Revoke> {
        let limits = (self.limits)(params);
        let exposure = limits.exposure(live);
        let (revocable, others): (Vec<&Rule>, Vec<&Rule>) =
            exposure.broad.iter().partition(|rule| self.can_revoke(rule) && limits.ports.forbid_entirely(rule));
        let mut draft = RevocationPlan::new(&live.group, live.blockers());
        draft.revoke(revocable);
        for rule in others {
            limits.ports.add_manual_step(&mut draft, rule);
        }
        draft.narrow_combined(&exposure.combined);
        draft.plan()
    }

    fn predict(&self, live: GroupInNetwork, action: &Revoke) -> GroupInNetwork {
        revocation::predict(live, action)
    }

    /// All rules that a revocation can change.
    fn touched_fields(&self, subject: &GroupInNetwork, _done: &[Revoke]) -> Value {
        revocation::touched_fields(&subject.group, |rule| self.can_revoke(rule))
    }

    fn undo(&self, before: &GroupInNetwork, done: &[Revoke]) -> Result<Vec<Authorize>, Irreversible> {
        revocation::undo(&before.group, done)
    }

    fn reverted(&self, live: &GroupInNetwork, call: &Authorize) -> Option<GroupInNetwork> {
        Some(revocation::reverted(live, call))
    }
}
