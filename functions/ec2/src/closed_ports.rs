//! TCP ports that the internet must not reach: judgement and plan of the controls that differ only in which ports.

use rectify_compliance::values::PortSet;
use rectify_compliance::{Level, Plan, Step, Verdict, offenders, plan::call_text};

use crate::authorization::Open;
use crate::internet::{InternetParameters, sources};
use crate::openness::{Exposure, touches, within, without};
use crate::revocation::{self, Close, Draft};
use crate::rule::{Direction, PortRange, Protocol, Rule};
use crate::security_group::{GroupInNetwork, SecurityGroup};

/// The parameters of a control that closes TCP ports.
pub trait ClosedPorts: InternetParameters {
    /// How a finding begins.
    const FINDING: &'static str;

    /// The ports.
    fn ports(&self) -> PortSet;

    /// `narrowWideRules`: whether the plan spells out how a wider rule is narrowed.
    fn narrows_wide_rules(&self) -> bool;
}

/// Whether a rule lets TCP through on one of the ports.
pub fn reaches(rule: &Rule, ports: &PortSet) -> bool {
    rule.reaches(&Protocol::Tcp).is_some_and(|range| touches(range, ports))
}

fn exposure<'a>(subject: &'a GroupInNetwork, params: &impl ClosedPorts) -> Exposure<'a> {
    Exposure::of(subject, &Protocol::Tcp, &params.ports(), params.internet().breadth)
}

/// Judges a group.
pub fn evaluate<P: ClosedPorts>(subject: &GroupInNetwork, params: &P) -> Verdict {
    if let Some(unattached) = params.unattached(subject) {
        return unattached;
    }
    let exposure = exposure(subject, params);
    if exposure.is_empty() {
        return Verdict::Compliant(params.remark(subject).map(Into::into));
    }
    let ports = params.ports();
    let open = sources(exposure.rules(), |rule| reach(rule, &ports));
    Verdict::non_compliant(params.remarked(subject, format!("{}: {open}", P::FINDING)))
}

/// What would close a group.
pub fn plan<P: ClosedPorts>(live: &GroupInNetwork, params: &P) -> Plan<Close> {
    if !evaluate(live, params).is_non_compliant() {
        return Plan::Nothing;
    }
    let ports = params.ports();
    let exposure = exposure(live, params);
    let (exact, others): (Vec<&Rule>, Vec<&Rule>) = exposure.broad.iter().partition(|rule| is_exact(rule, &ports));
    let mut draft = Draft::new(&live.group, live.obstacles());
    draft.revoke(exact);
    for rule in others {
        if rule.protocol != Protocol::Tcp || !rule.peer.is_cidr() {
            let text =
                format!("replace the rule {rule} by rules for what is needed: without tcp {ports} from the internet");
            draft.push(Step::person(Level::L3, text));
        } else if params.narrows_wide_rules() {
            draft.hold(format!("narrowing the rule {rule} needs a role that may authorize ingress"));
            draft.push(Step::person(Level::L2, narrowing(&live.group, rule, &ports)));
        } else {
            draft.push(Step::person(Level::L2, format!("narrow the rule {rule} to leave out tcp {ports}")));
        }
    }
    draft.narrow_together(&exposure.joint);
    draft.plan()
}

/// All that a revocation can touch: ingress rules for TCP from CIDRs.
pub fn footprint(subject: &GroupInNetwork) -> serde_json::Value {
    revocation::footprint(&subject.group, |rule| {
        rule.direction == Direction::Ingress && rule.protocol == Protocol::Tcp && rule.peer.is_cidr()
    })
}

/// Whether a rule is about the ports alone, so that it can go whole.
fn is_exact(rule: &Rule, ports: &PortSet) -> bool {
    let range = PortRange::of(rule.from_port, rule.to_port);
    rule.protocol == Protocol::Tcp && rule.peer.is_cidr() && ports.covers(range.from, range.to)
}

/// What a rule reaches; where it is wider than several ports in question, with those of them it holds.
fn reach(rule: &Rule, ports: &PortSet) -> String {
    let range = rule.reaches(&Protocol::Tcp).unwrap_or(PortRange::ALL);
    let is_single = matches!(ports.ranges(), [(from, to)] if from == to);
    if is_single || ports.covers(range.from, range.to) {
        return rule.reach();
    }
    format!("{} ({})", rule.reach(), offenders(within(range, ports).iter().map(ToString::to_string)))
}

/// The calls by which a person narrows a wide rule.
fn narrowing(group: &SecurityGroup, rule: &Rule, ports: &PortSet) -> String {
    let left = without(PortRange::of(rule.from_port, rule.to_port), ports);
    let mut calls: Vec<String> = Open::narrowed(&group.id, rule, &left).iter().map(call_text).collect();
    calls.extend(rule.id.iter().map(|id| call_text(&Close::of(Direction::Ingress, &group.id, vec![id.clone()]))));
    calls.join(", then ")
}
