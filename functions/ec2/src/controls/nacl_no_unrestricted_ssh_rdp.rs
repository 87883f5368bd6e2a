//! `nacl-no-unrestricted-ssh-rdp`: a network ACL lets the internet reach SSH or RDP.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rectify_compliance::values::{Flag, PortSet};
use rectify_compliance::{
    Control, Irreversible, Level, Permission, Plan, Remediation, RemediationPermissions, Step, Timestamp, Verdict,
    control, offenders, parameters,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::families::exposure::covering;
use crate::resources::network_acl::{AclEntry, NetworkAcl, RuleAction, TYPE};
use crate::resources::rule::Protocol;

control! {
    /// ## What it checks
    /// The ingress entries of a network ACL, in the order of their rule numbers, for each of `ports`.
    /// The ACL is NON_COMPLIANT if an entry allows the port from `0.0.0.0/0` or `::/0` before an entry denies it to all addresses, or if several entries together allow it from every address.
    /// A deny of a smaller CIDR closes nothing; a deny behind the allow is never reached.
    /// The default ACL of a VPC is NOT_APPLICABLE, as in Security Hub, unless `skipDefault` is false.
    /// Unlike with the managed rule, an allow behind a deny of all addresses is no finding.
    /// An entry that cannot be read fails the invocation.
    ///
    /// ## Why it matters
    /// The network ACL is the second layer in front of every instance of its subnets: with it open, one wrong security group exposes SSH or RDP to the internet.
    ///
    /// ## Compliant example
    /// Rule 100 allows tcp 22 from `203.0.113.0/24`.
    ///
    /// ## Non-compliant example
    /// Rule 100 allows all traffic from `0.0.0.0/0`.
    ///
    /// ## Parameters
    /// `ports`, `protocols` and `skipDefault` determine the findings.
    ///
    /// ## Remediation
    /// `DeleteNetworkAclEntry` deletes each entry that opens nothing but `ports`, by its rule number (L2).
    /// Everything else becomes a manual step, and nothing is deleted then: an entry with further ports or of protocol `-1`, and entries that are open only in combination.
    /// The plan for a default ACL is blocked: every subnet without another ACL uses it.
    /// What may break: access to the ports, and, since a network ACL is stateless, responses to connections whose local port is one of them; 3389 is an ephemeral port.
    /// EC2 has no revision check: an entry that gets the same number in the milliseconds between the last read and the call is deleted instead.
    /// Undo creates each deleted entry again, with its number.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/nacl-no-unrestricted-ssh-rdp.html)
    /// - [Security Hub EC2.21](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-21)
    /// - [Network ACL rules](https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html)
    /// - [DeleteNetworkAclEntry](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkAclEntry.html)
    pub NACL_NO_UNRESTRICTED_SSH_RDP: NaclNoUnrestrictedSshRdp {
        id: "nacl-no-unrestricted-ssh-rdp",
        title: "Network ACL lets the internet reach SSH or RDP",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Cis30: ["5.1"],
            Cis50: ["5.2"],
            Fsbp: ["EC2.21"],
            Nist80053r5: ["AC-4(21)", "CA-9(1)", "CM-2", "CM-2(2)", "CM-7", "SC-7", "SC-7(5)", "SC-7(21)"],
            Pci40: ["1.3.1"],
        },
    }
}

parameters! {
    /// The parameters of [`NaclNoUnrestrictedSshRdp`]; the managed rule has none.
    pub NaclNoUnrestrictedSshRdpParameters {
        /// The ports to evaluate: a comma list of 1 to 16 ports or ranges, 0..=65535. Default 22,3389.
        ports: PortSet = PortSet::of([(22, 22), (3389, 3389)]),
        /// The protocols to evaluate. Default both: RDP uses UDP too.
        protocols: Protocols = Protocols::TcpUdp,
        /// Whether the default ACL of a VPC is NOT_APPLICABLE. Default true.
        skip_default: Flag = Flag(true),
    }
}

/// Which protocols are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocols {
    /// TCP.
    Tcp,
    /// TCP and UDP.
    TcpUdp,
}

/// Ports by protocol.
type OpenPorts = BTreeMap<&'static Protocol, BTreeSet<u16>>;

const ACLS: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-acl/*";

impl Control for NaclNoUnrestrictedSshRdp {
    type Params = NaclNoUnrestrictedSshRdpParameters;
    type Subject = NetworkAcl;

    fn evaluate(&self, acl: &NetworkAcl, params: &Self::Params, _now: Timestamp) -> Verdict {
        if acl.is_default && params.skip_default.0 {
            return Verdict::not_applicable("default network ACL");
        }
        let open = params.open(acl);
        if open.is_empty() {
            return Verdict::COMPLIANT;
        }
        let more = open.len().saturating_sub(3);
        let rule = |(entry, ports): (&AclEntry, OpenPorts)| {
            format!("rule {} allows {} from {}", entry.rule_number, traffic(&ports), entry.source)
        };
        let rules: Vec<String> = open.into_iter().take(3).map(rule).collect();
        let rest = if more > 0 { format!(" +{more} more") } else { String::new() };
        let subnets = offenders(acl.subnets.iter().cloned());
        let used = if subnets.is_empty() { "used by no subnet".to_owned() } else { format!("used by {subnets}") };
        Verdict::non_compliant(format!("{} ({used}): {}{rest}", acl.id, rules.join("; ")))
    }
}

/// The call of the remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum AclAction {
    /// Deletes an entry.
    DeleteNetworkAclEntry {
        /// The ACL.
        network_acl_id: String,
        /// The number of the entry.
        rule_number: i32,
        /// Always false.
        egress: bool,
    },
}

/// The call of undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum AclUndo {
    /// Creates an entry that allows ports.
    CreateNetworkAclEntry {
        /// The ACL.
        network_acl_id: String,
        /// The number of the entry.
        rule_number: i32,
        /// Always false.
        egress: bool,
        /// The protocol's number: `6` or `17`.
        protocol: String,
        /// Always `allow`.
        rule_action: RuleAction,
        /// The source, if it is IPv4.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cidr_block: Option<Ipv4Net>,
        /// The source, if it is IPv6.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ipv6_cidr_block: Option<Ipv6Net>,
        /// The ports.
        port_range: Range,
    },
}

/// `PortRange`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Range {
    /// The lowest port.
    pub from: u16,
    /// The highest port.
    pub to: u16,
}

impl Remediation for NaclNoUnrestrictedSshRdp {
    type Action = AclAction;
    type Undo = AclUndo;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[Permission::unscoped("ec2:DescribeNetworkAcls")],
                fix: &[Permission::on("ec2:DeleteNetworkAclEntry", ACLS)],
                undo: &[Permission::on("ec2:CreateNetworkAclEntry", ACLS)],
            }
        }
    }

    fn fix(&self, live: &NetworkAcl, params: &Self::Params, _now: Timestamp) -> Plan<AclAction> {
        let step = |(entry, ports): (&AclEntry, OpenPorts)| {
            let (network_acl_id, rule_number) = (live.id.clone(), entry.rule_number);
            if params.is_exact(entry) {
                let delete = AclAction::DeleteNetworkAclEntry { network_acl_id, rule_number, egress: false };
                return Step::call(Level::L2, delete);
            }
            let (allowed, source, open) = (entry.traffic(), entry.source, traffic(&ports));
            let text = format!(
                "narrow rule {rule_number} of {network_acl_id}, which allows {allowed} from {source}, or deny {open} \
                 with a lower rule number"
            );
            Step::manual(Level::L2, text)
        };
        let default = live.is_default.then_some("every subnet without another network ACL uses the default one");
        Plan::unless(default, params.open(live).into_iter().map(step).collect())
    }

    fn predict(&self, mut live: NetworkAcl, action: &AclAction) -> NetworkAcl {
        let AclAction::DeleteNetworkAclEntry { network_acl_id, rule_number, .. } = action;
        if *network_acl_id == live.id {
            live.entries.retain(|entry| entry.rule_number != *rule_number);
        }
        live
    }

    /// The entries with the numbers of the deleted ones.
    fn touched_fields(&self, subject: &NetworkAcl, done: &[AclAction]) -> Value {
        let numbers: BTreeSet<i32> =
            done.iter().map(|AclAction::DeleteNetworkAclEntry { rule_number, .. }| *rule_number).collect();
        let entries: Vec<&AclEntry> =
            subject.entries.iter().filter(|entry| numbers.contains(&entry.rule_number)).collect();
        json!({ "entries": entries })
    }

    fn undo(&self, before: &NetworkAcl, done: &[AclAction]) -> Result<Vec<AclUndo>, Irreversible> {
        let create = |AclAction::DeleteNetworkAclEntry { network_acl_id, rule_number, .. }: &AclAction| {
            let recorded = before.entries.iter().find(|entry| entry.rule_number == *rule_number);
            let (entry, protocol) =
                recorded.and_then(|entry| Some((entry, number(&entry.protocol)?))).ok_or_else(|| {
                    let reason = format!("the prior state has no entry {rule_number} of tcp or udp");
                    Irreversible { action: "DeleteNetworkAclEntry".to_owned(), reason }
                })?;
            let (cidr_block, ipv6_cidr_block) = match entry.source {
                IpNet::V4(net) => (Some(net), None),
                IpNet::V6(net) => (None, Some(net)),
            };
            Ok(AclUndo::CreateNetworkAclEntry {
                network_acl_id: network_acl_id.clone(),
                rule_number: *rule_number,
                egress: false,
                protocol: protocol.to_owned(),
                rule_action: entry.action,
                cidr_block,
                ipv6_cidr_block,
                port_range: Range { from: entry.from_port, to: entry.to_port },
            })
        };
        done.iter().rev().map(create).collect()
    }
}

impl NaclNoUnrestrictedSshRdpParameters {
    /// The entries through which the internet reaches a port, in their order, each with these ports.
    fn open<'a>(&self, acl: &'a NetworkAcl) -> BTreeMap<&'a AclEntry, OpenPorts> {
        let protocols: &'static [Protocol] = match self.protocols {
            Protocols::Tcp => &[Protocol::Tcp],
            Protocols::TcpUdp => &[Protocol::Tcp, Protocol::Udp],
        };
        let mut open: BTreeMap<&AclEntry, OpenPorts> = BTreeMap::new();
        for protocol in protocols {
            for port in self.ports.ranges().iter().flat_map(|(from, to)| *from..=*to) {
                for is_v4 in [true, false] {
                    for entry in opening(acl, |it| it.matches(protocol, port) && it.source.addr().is_ipv4() == is_v4) {
                        open.entry(entry).or_default().entry(protocol).or_default().insert(port);
                    }
                }
            }
        }
        open
    }

    /// Whether the entry opens nothing but `ports`, and opens them by itself.
    fn is_exact(&self, entry: &AclEntry) -> bool {
        let only_these = self.ports.covers(entry.from_port, entry.to_port) && number(&entry.protocol).is_some();
        only_these && entry.is_from_everywhere()
    }
}

/// `tcp 22,3389 and udp 3389`.
fn traffic(ports: &OpenPorts) -> String {
    let of_protocol = |(protocol, ports): (&&Protocol, &BTreeSet<u16>)| {
        format!("{protocol} {}", PortSet::of(ports.iter().map(|port| (*port, *port))))
    };
    ports.iter().map(of_protocol).collect::<Vec<_>>().join(" and ")
}

/// The IANA number of a protocol that has ports.
const fn number(protocol: &Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::Tcp => Some("6"),
        Protocol::Udp => Some("17"),
        Protocol::All | Protocol::Icmp | Protocol::Icmpv6 | Protocol::Other(_) => None,
    }
}

/// Of the entries of one address family that match, those that let every address in, alone or together, before one
/// denies every address.
fn opening(acl: &NetworkAcl, matches: impl Fn(&AclEntry) -> bool) -> Vec<&AclEntry> {
    let reached = acl.entries.iter().filter(|entry| matches(entry));
    let reached = reached.take_while(|entry| entry.action == RuleAction::Allow || !entry.is_from_everywhere());
    let (mut open, narrow): (Vec<&AclEntry>, Vec<&AclEntry>) =
        reached.filter(|entry| entry.action == RuleAction::Allow).partition(|entry| entry.is_from_everywhere());
    let combined = covering(&narrow.iter().map(|entry| entry.source).collect::<Vec<_>>());
    open.extend(narrow.into_iter().filter(|entry| combined.contains(&entry.source)));
    open
}

#[cfg(test)]
mod tests;
