//! `restricted-ssh`: no security group lets the internet reach SSH.
//!
//! Pure: the group and its surroundings come from outside, as an item, a listing or a live read.

use std::collections::{BTreeMap, BTreeSet};

use rectify_compliance::values::{Bounded, Flag, PortSet};
use rectify_compliance::{
    Control, FromItem, Inventory, Irreversible, Level, Parameters, Permission, Plan, Remediation, Step, Timestamp,
    Verdict, control, offenders, plan::call_text,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::authorization::AuthorizeIngress;
use crate::openness::{Breadth, Exposure, touches, without};
use crate::rule::{Peer, PortRange, Protocol, Rule};
use crate::security_group::{GroupInNetwork, Network, PrefixList, SecurityGroup, TYPE};

control! {
    /// ## What it checks
    /// Every ingress rule of a security group that lets TCP through on one of `ports`, protocol `-1` included.
    /// The group is NON_COMPLIANT when one CIDR is at most `maxPrefixV4` or `maxPrefixV6` bits long, or when the CIDRs of several rules cover the whole IPv4 or the whole IPv6 space together, as `0.0.0.0/1` and `128.0.0.0/1` do.
    /// A prefix list counts as the CIDRs in it.
    /// Security groups as sources, egress rules, UDP, ICMP and other protocols never count.
    /// A range of ports that AWS does not state, and one that makes no sense, is every port.
    ///
    /// ## Why it matters
    /// An SSH server that everybody can reach can be attacked by everybody: with guessed passwords, with leaked keys, and through whatever flaw its version has.
    /// A comparison with `0.0.0.0/0` alone misses IPv6, wide ranges of ports, prefix lists, and two halves that make a whole.
    ///
    /// ## Compliant example
    /// A rule for tcp 22 from `203.0.113.0/24`, beside one for tcp 443 from `0.0.0.0/0`.
    ///
    /// ## Non-compliant example
    /// A rule for tcp 20-25 from `::/0`.
    ///
    /// ## Parameters
    /// `ports`, `maxPrefixV4`, `maxPrefixV6`, `resolvePrefixLists` and `ignoreUnattached` decide what is found; `narrowWideRules` decides what the plan shows.
    /// A prefix list that cannot be read, because it is gone or not shared with this account, contributes nothing, and the annotation names it.
    ///
    /// ## Remediation
    /// Open rules whose ports all lie within `ports` are revoked by their ids in one `RevokeSecurityGroupIngress`, so every neighbour in the same permission stays (L2: it can cut off an operator).
    /// Everything else is planned for a person: a wider range of ports, protocol `-1`, a prefix list, and rules that are open only together.
    /// With `narrowWideRules` the plan spells out the calls that would narrow a wider range, but no machine makes them: they need a role that may authorize ingress, and the role of this remediation cannot open SSH.
    /// Nothing is revoked while the group belongs to another account, or while a service manages an interface that uses it.
    /// What may break is every SSH session and tool that comes from the internet.
    /// EC2 knows no revisions: between the last read and the revocation lie milliseconds in which a change by somebody else goes unseen; the call names ids, so a rule made in between is not touched.
    /// Undo makes each revoked rule again with its description and its tags; its id is a new one, and tags of AWS itself (`aws:…`) are not restored.
    ///
    /// ## References
    /// - [INCOMING_SSH_DISABLED](https://docs.aws.amazon.com/config/latest/developerguide/restricted-ssh.html)
    /// - [Security Hub EC2.13](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-13)
    /// - [RevokeSecurityGroupIngress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html)
    pub RestrictedSsh {
        id: "restricted-ssh",
        title: "Security group lets the whole internet reach SSH",
        severity: High,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Cis30: ["5.2", "5.3"],
            Cis50: ["5.3", "5.4"],
            Fsbp: ["EC2.13"],
            Nist80053r5: ["AC-4", "AC-4(21)", "CM-7", "SC-7", "SC-7(11)", "SC-7(16)", "SC-7(21)"],
            Pci40: ["1.2.8", "1.3.1", "1.3.2", "1.4.2", "1.5.1"],
        },
    }
}

/// The parameters of [`RestrictedSsh`]; the managed rule has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct RestrictedSshParameters {
    /// Ports treated as SSH: a comma list of 1 to 16 ports or ranges, 0..=65535. Default 22.
    pub ports: PortSet,
    /// IPv4 CIDRs with a prefix of at most that many bits are the internet, 0..=32. Default 0.
    pub max_prefix_v4: Bounded<0, 32>,
    /// IPv6 CIDRs with a prefix of at most that many bits are the internet, 0..=128. Default 0.
    pub max_prefix_v6: Bounded<0, 128>,
    /// Whether the entries of prefix lists are read and judged. Default true.
    pub resolve_prefix_lists: Flag,
    /// Whether a group that no network interface uses is NOT_APPLICABLE. Default false.
    pub ignore_unattached: Flag,
    /// Whether the plan shows the calls that split a wide TCP range; a person makes them. Default false.
    pub narrow_wide_rules: Flag,
}

impl Default for RestrictedSshParameters {
    fn default() -> Self {
        Self {
            ports: PortSet::single(22),
            max_prefix_v4: Bounded::of(0),
            max_prefix_v6: Bounded::of(0),
            resolve_prefix_lists: Flag(true),
            ignore_unattached: Flag(false),
            narrow_wide_rules: Flag(false),
        }
    }
}

impl Parameters for RestrictedSshParameters {}

const DESCRIBE_GROUPS: Permission = Permission::unscoped("ec2:DescribeSecurityGroups");
const DESCRIBE_RULES: Permission = Permission::unscoped("ec2:DescribeSecurityGroupRules");
const DESCRIBE_INTERFACES: Permission = Permission::unscoped("ec2:DescribeNetworkInterfaces");
const READ_PREFIX_LIST: Permission =
    Permission::on("ec2:GetManagedPrefixListEntries", "arn:${AWS::Partition}:ec2:${AWS::Region}:*:prefix-list/*");
const GROUPS: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*";
const RULES: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group-rule/*";

impl FromItem for RestrictedSsh {
    type Resource = SecurityGroup;
    type Facts = Network;
    const FACTS: &'static [Permission] = &[DESCRIBE_INTERFACES, READ_PREFIX_LIST];

    fn subject(group: SecurityGroup, network: Network) -> GroupInNetwork {
        GroupInNetwork { group, network }
    }
}

impl Inventory for RestrictedSsh {
    const LISTING: &'static [Permission] = &[DESCRIBE_GROUPS, DESCRIBE_INTERFACES, READ_PREFIX_LIST];
}

impl Control for RestrictedSsh {
    type Params = RestrictedSshParameters;
    type Subject = GroupInNetwork;

    fn evaluate(subject: &GroupInNetwork, params: &RestrictedSshParameters, _now: Timestamp) -> Verdict {
        let unattached = subject.network.usage.as_ref().is_some_and(|usage| !usage.in_use);
        if params.ignore_unattached.0 && unattached {
            return Verdict::not_applicable("no network interface uses the group");
        }
        let exposure = params.exposure(subject);
        let remark = params.remark(subject);
        if exposure.is_empty() {
            return Verdict::Compliant(remark.map(Into::into));
        }
        let finding = format!("SSH open to the internet: {}", sources(exposure.rules()));
        Verdict::non_compliant(remark.map_or_else(|| finding.clone(), |remark| format!("{finding}; {remark}")))
    }
}

/// What the remediation may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum RestrictedSshAction {
    /// Revokes ingress rules by their ids.
    RevokeSecurityGroupIngress {
        /// The group.
        group_id: String,
        /// The rules, `sgr-…`.
        security_group_rule_ids: Vec<String>,
    },
}

impl RestrictedSshAction {
    fn revoke(group: &SecurityGroup, security_group_rule_ids: Vec<String>) -> Self {
        Self::RevokeSecurityGroupIngress { group_id: group.id.clone(), security_group_rule_ids }
    }
}

/// What undo may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestrictedSshUndo {
    /// Makes one rule again.
    AuthorizeSecurityGroupIngress(AuthorizeIngress),
}

impl Remediation for RestrictedSsh {
    type Action = RestrictedSshAction;
    /// Nothing: the before-image holds every rule whole.
    type Receipt = ();
    type Undo = RestrictedSshUndo;
    const LIVE: &'static [Permission] = &[DESCRIBE_GROUPS, DESCRIBE_RULES, DESCRIBE_INTERFACES, READ_PREFIX_LIST];
    const CALLS: &'static [Permission] = &[Permission::on("ec2:RevokeSecurityGroupIngress", GROUPS)];
    const UNDOES: &'static [Permission] = &[
        Permission::on("ec2:AuthorizeSecurityGroupIngress", GROUPS),
        Permission::on("ec2:AuthorizeSecurityGroupIngress", RULES),
        Permission::on("ec2:CreateTags", RULES).when("ec2:CreateAction", "AuthorizeSecurityGroupIngress"),
    ];

    fn plan(live: &GroupInNetwork, params: &RestrictedSshParameters, now: Timestamp) -> Plan<RestrictedSshAction> {
        if !Self::evaluate(live, params, now).is_non_compliant() {
            return Plan::Nothing;
        }
        let exposure = params.exposure(live);
        let (exact, others): (Vec<&Rule>, Vec<&Rule>) = exposure.broad.iter().partition(|rule| params.is_exact(rule));
        let mut reasons = obstacles(live);
        let ids: Vec<String> = exact.iter().filter_map(|rule| rule.id.clone()).collect();
        if ids.len() < exact.len() {
            reasons.push("the ids of the rules are not known: only a live read can be planned from".to_owned());
        }
        let mut steps = Vec::new();
        if !ids.is_empty() {
            steps.push(Step::call(Level::L2, RestrictedSshAction::revoke(&live.group, ids)));
        }
        steps.extend(
            exact
                .iter()
                .filter(|rule| rule.id.is_none())
                .map(|rule| Step::person(Level::L2, format!("revoke the rule {rule} of {}", live.group.id))),
        );
        for rule in others {
            let is_tcp_range = rule.protocol == Protocol::Tcp && !matches!(rule.peer, Peer::PrefixList(_));
            if is_tcp_range && params.narrow_wide_rules.0 {
                reasons.push(format!("narrowing the rule {rule} needs a role that may authorize ingress"));
            }
            steps.push(params.by_hand(&live.group, rule, is_tcp_range));
        }
        if !exposure.joint.is_empty() {
            let rules = offenders(exposure.joint.iter().map(ToString::to_string));
            steps.push(Step::person(
                Level::L3,
                format!("narrow these rules, which cover the internet together: {rules}"),
            ));
        }
        if reasons.is_empty() { Plan::steps_in_order(steps) } else { Plan::hold(reasons.join("; "), steps) }
    }

    fn expect(mut live: GroupInNetwork, action: &RestrictedSshAction) -> GroupInNetwork {
        let RestrictedSshAction::RevokeSecurityGroupIngress { security_group_rule_ids: revoked, .. } = action;
        live.group.rules.retain(|rule| rule.id.as_ref().is_none_or(|id| !revoked.contains(id)));
        live
    }

    /// The TCP rules with a CIDR, ingress, as anybody could have written them: all that a revocation can touch. Neither
    /// ids nor rules of other kinds stand in the way of undo.
    fn footprint(subject: &GroupInNetwork, _done: &[RestrictedSshAction]) -> Value {
        let touchable =
            |rule: &&Rule| rule.protocol == Protocol::Tcp && matches!(rule.peer, Peer::CidrIpv4(_) | Peer::CidrIpv6(_));
        let mut rules: Vec<Rule> = subject
            .group
            .ingress()
            .filter(touchable)
            .map(|rule| Rule { id: None, tags: rule.own_tags(), ..rule.clone() })
            .collect();
        rules.sort();
        json!({ "groupId": subject.group.id, "ingress": rules })
    }

    fn undo(
        before: &GroupInNetwork,
        done: &[(RestrictedSshAction, ())],
    ) -> Result<Vec<RestrictedSshUndo>, Irreversible> {
        let revoked = done.iter().rev().flat_map(|(action, ())| {
            let RestrictedSshAction::RevokeSecurityGroupIngress { security_group_rule_ids, .. } = action;
            security_group_rule_ids.iter().rev()
        });
        revoked
            .map(|id| {
                let rule = before.group.rule(id).ok_or_else(|| Irreversible {
                    action: "RevokeSecurityGroupIngress".to_owned(),
                    reason: format!("the before-image does not hold the rule `{id}`"),
                })?;
                let again = AuthorizeIngress::again(&before.group.id, rule).ok_or_else(|| Irreversible {
                    action: "RevokeSecurityGroupIngress".to_owned(),
                    reason: format!("the rule `{id}` has no CIDR to be made again from"),
                })?;
                Ok(RestrictedSshUndo::AuthorizeSecurityGroupIngress(again))
            })
            .collect()
    }
}

impl RestrictedSshParameters {
    fn exposure<'a>(&self, subject: &'a GroupInNetwork) -> Exposure<'a> {
        let breadth = Breadth { v4: self.max_prefix_v4.get(), v6: self.max_prefix_v6.get() };
        Exposure::of(subject, &Protocol::Tcp, &self.ports, breadth)
    }

    /// The prefix lists of the rules that reach one of the ports, whether they are to be read or not.
    fn prefix_lists_in_reach(&self, group: &SecurityGroup) -> BTreeSet<String> {
        let in_reach = |rule: &&Rule| rule.reaches(&Protocol::Tcp).is_some_and(|range| touches(range, &self.ports));
        group
            .ingress()
            .filter(in_reach)
            .filter_map(|rule| if let Peer::PrefixList(id) = &rule.peer { Some(id.clone()) } else { None })
            .collect()
    }

    /// The prefix lists without which the group cannot be judged: what the edge has to read, and nothing else.
    pub fn prefix_lists_to_read(&self, group: &SecurityGroup) -> BTreeSet<String> {
        if self.resolve_prefix_lists.0 { self.prefix_lists_in_reach(group) } else { BTreeSet::new() }
    }

    /// What the verdict does not rest on although it could.
    fn remark(&self, subject: &GroupInNetwork) -> Option<String> {
        let in_reach = self.prefix_lists_in_reach(&subject.group);
        if !self.resolve_prefix_lists.0 {
            return (!in_reach.is_empty()).then(|| "prefix lists not resolved".to_owned());
        }
        let unread = in_reach.into_iter().filter(|id| match subject.network.prefix_lists.get(id) {
            Some(PrefixList::Entries(_)) => false,
            Some(PrefixList::Unreadable) | None => true,
        });
        let named = offenders(unread);
        (!named.is_empty()).then(|| format!("prefix list {named} not readable"))
    }

    /// Whether a rule is about SSH alone, so that it can go whole.
    fn is_exact(&self, rule: &Rule) -> bool {
        let range = PortRange::of(rule.from_port, rule.to_port);
        rule.protocol == Protocol::Tcp
            && matches!(rule.peer, Peer::CidrIpv4(_) | Peer::CidrIpv6(_))
            && self.ports.covers(range.from, range.to)
    }

    /// What a person does about an open rule that also serves something else.
    fn by_hand(&self, group: &SecurityGroup, rule: &Rule, is_tcp_range: bool) -> Step<RestrictedSshAction> {
        let ports = &self.ports;
        if !is_tcp_range {
            let text =
                format!("replace the rule {rule} by rules for what is needed: without tcp {ports} from the internet");
            return Step::person(Level::L3, text);
        }
        if !self.narrow_wide_rules.0 {
            return Step::person(Level::L2, format!("narrow the rule {rule} to leave out tcp {ports}"));
        }
        let left = without(PortRange::of(rule.from_port, rule.to_port), ports);
        let mut calls: Vec<String> = AuthorizeIngress::narrowed(&group.id, rule, &left)
            .map(|call| call_text(&RestrictedSshUndo::AuthorizeSecurityGroupIngress(call)))
            .into_iter()
            .collect();
        calls.extend(rule.id.iter().map(|id| call_text(&RestrictedSshAction::revoke(group, vec![id.clone()]))));
        Step::person(Level::L2, calls.join(", then "))
    }
}

/// The preconditions that do not hold.
fn obstacles(live: &GroupInNetwork) -> Vec<String> {
    let group = &live.group;
    let mut reasons = Vec::new();
    if group.owner != group.account {
        reasons.push(format!("the group belongs to account `{}`", group.owner));
    }
    match &live.network.usage {
        None => reasons.push("the interfaces that use the group were not read".to_owned()),
        Some(usage) if !usage.operators.is_empty() => {
            let operators = offenders(usage.operators.iter().cloned());
            reasons.push(format!("interfaces managed by `{operators}` use the group"));
        }
        Some(_) => {}
    }
    reasons
}

/// `tcp 22 from 0.0.0.0/0, ::/0; …`: peers by what they reach, both sorted and bounded.
fn sources<'a>(rules: impl Iterator<Item = &'a Rule>) -> String {
    let mut by_reach: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in rules {
        by_reach.entry(rule.reach()).or_default().push(rule.peer.to_string());
    }
    let more = by_reach.len().saturating_sub(3);
    let named: Vec<String> =
        by_reach.into_iter().take(3).map(|(reach, peers)| format!("{reach} from {}", offenders(peers))).collect();
    let rest = if more > 0 { format!(" +{more} more") } else { String::new() };
    format!("{}{rest}", named.join("; "))
}

#[cfg(test)]
#[path = "restricted_ssh_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "restricted_ssh_laws.rs"]
mod laws;
