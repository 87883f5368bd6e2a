//! The controls that say which ports the internet may reach: each is a value of [`OpenPorts`].
//!
//! A rule that opens ports is judged alone and together with others ([`openness`](crate::families::openness)). What is open and serves
//! nothing else is revoked; everything else is left to a person.

use rectify_compliance::{
    Control, FromItem, Inventory, Irreversible, Parameters, Permission, Plan, Remediation, Timestamp, Verdict,
};
use serde_json::Value;

use crate::families::authorization::Open;
use crate::families::port_limits::Limits;
use crate::families::revocation::{self, Close, Draft};
use crate::permissions;
use crate::resources::rule::{Direction, Protocol, Rule};
use crate::resources::security_group::{GroupInNetwork, Network, SecurityGroup};

/// A control that says which ports the internet may reach.
#[derive(Debug, Clone, Copy)]
pub struct OpenPorts<P: 'static> {
    /// What its parameters say.
    pub limits: fn(&P) -> Limits,
    /// The protocols whose rules it can revoke.
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

impl<P: Parameters> Inventory for OpenPorts<P> {
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
        let remark = limits.internet.remark(&subject.network, limits.prefix_lists(&subject.group));
        let remarked = |text: String| match &remark {
            Some(remark) => format!("{text}; {remark}"),
            None => text,
        };
        if limits.is_not_open(subject) {
            return Verdict::not_applicable(remarked("no rule lets the internet in".to_owned()));
        }
        let exposure = limits.exposure(subject);
        if exposure.is_empty() {
            return Verdict::Compliant(remark.map(Into::into));
        }
        Verdict::non_compliant(remarked(limits.ports.finding(exposure.rules())))
    }
}

impl<P: Parameters> Remediation for OpenPorts<P> {
    type Action = Close;
    type Undo = Open;

    fn read_permissions(&self) -> &'static [Permission] {
        permissions::INTERNET_LIVE
    }

    fn fix_permissions(&self) -> &'static [Permission] {
        &[permissions::REVOKE_INGRESS]
    }

    fn undo_permissions(&self) -> &'static [Permission] {
        permissions::REOPEN_INGRESS
    }

    fn fix(&self, live: &GroupInNetwork, params: &P, _now: Timestamp) -> Plan<Close> {
        let limits = (self.limits)(params);
        let exposure = limits.exposure(live);
        let (exact, others): (Vec<&Rule>, Vec<&Rule>) =
            exposure.broad.iter().partition(|rule| self.can_revoke(rule) && limits.ports.forbid_whole(rule));
        let mut draft = Draft::new(&live.group, live.obstacles());
        draft.revoke(exact);
        for rule in others {
            limits.ports.leave_to_a_person(&mut draft, rule);
        }
        draft.narrow_together(&exposure.joint);
        draft.plan()
    }

    fn expect(&self, live: GroupInNetwork, action: &Close) -> GroupInNetwork {
        revocation::expect(live, action)
    }

    /// All rules that a revocation can touch.
    fn footprint(&self, subject: &GroupInNetwork, _done: &[Close]) -> Value {
        revocation::footprint(&subject.group, |rule| self.can_revoke(rule))
    }

    fn undo(&self, before: &GroupInNetwork, done: &[Close]) -> Result<Vec<Open>, Irreversible> {
        revocation::undo(&before.group, done)
    }

    fn reverted(&self, live: &GroupInNetwork, open: &Open) -> Option<GroupInNetwork> {
        Some(revocation::reverted(live, open))
    }
}
