//! `vpc-sg-open-only-to-authorized-ports`: the internet reaches only authorized ports.

use rectify_compliance::values::{PortList, PortSet};
use rectify_compliance::{control, parameters};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::families::open_ports::OpenPorts;
use crate::families::port_limits::{Limits, Ports};
use crate::resources::internet::{Internet, InternetParameters};
use crate::resources::rule::Protocol;
use crate::resources::security_group::TYPE;

control! {
    /// ## What it checks
    /// That every ingress rule that is open to the internet allows only authorized ports: TCP rules only ports in `authorizedTcpPorts`, UDP rules only ports in `authorizedUdpPorts`.
    /// A rule is open if the prefix length of one of its CIDRs is at most `maxPrefixV4` or `maxPrefixV6`; rules whose CIDRs cover the whole IPv4 or IPv6 space only together are evaluated as one.
    /// The whole range of a rule must be authorized: 80-443 is not authorized by 80 and 443.
    /// Protocol `-1` from the internet is always a finding; protocols without ports are a finding only with `otherProtocols` `noncompliant`.
    /// A group that is not open to the internet at all is NOT_APPLICABLE, as with the managed rule.
    ///
    /// ## Why it matters
    /// A list of ports that must be closed misses the port that is opened tomorrow; a list of ports that may be open does not.
    ///
    /// ## Compliant example
    /// With `authorizedTcpPorts` `443,1020-1025`: a rule for tcp 1020-1024 from `::/0`.
    ///
    /// ## Non-compliant example
    /// With `authorizedTcpPorts` `80,443`: a rule for tcp 80-443 from `0.0.0.0/0`.
    ///
    /// ## Parameters
    /// `authorizedTcpPorts` and `authorizedUdpPorts` are those of the managed rule; without them every open rule is a finding.
    /// `otherProtocols`, `maxPrefixV4`, `maxPrefixV6`, `resolvePrefixLists` and `ignoreUnattached` are additions; their defaults match the documented behavior of the managed rule.
    /// AWS does not document how the managed rule evaluates ICMP and other protocols.
    /// A prefix list that cannot be read, because it was deleted or is not shared with this account, does not count, and the annotation names it.
    ///
    /// ## Remediation
    /// Open CIDR rules without any authorized port are revoked by id in one `RevokeSecurityGroupIngress`, so other rules of the same permission stay (L2: it cuts off clients).
    /// Everything else becomes a manual step: rules with some authorized ports, protocol `-1`, prefix lists, and rules that are open only in combination.
    /// "All traffic" from sources other than the internet is not touched.
    /// Nothing is revoked if the group belongs to another account or if a service manages an interface that uses it.
    /// What may break: every client on the internet that uses an unauthorized port.
    /// Undo recreates each revoked rule with its description and tags; the rule gets a new id, and `aws:` tags are not restored.
    ///
    /// ## References
    /// - [VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS](https://docs.aws.amazon.com/config/latest/developerguide/vpc-sg-open-only-to-authorized-ports.html)
    /// - [Security Hub EC2.18](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-18)
    /// - [RevokeSecurityGroupIngress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html)
    pub VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS: OpenPorts<VpcSgOpenOnlyToAuthorizedPortsParameters> = AUTHORIZED_PORTS {
        id: "vpc-sg-open-only-to-authorized-ports",
        title: "Security group is open to the internet on an unauthorized port",
        severity: High,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Fsbp: ["EC2.18"],
            Nist80053r5: ["AC-4", "AC-4(21)", "SC-7", "SC-7(11)", "SC-7(16)", "SC-7(21)"],
            Pci40: ["1.2.5", "1.3.1", "1.4.2"],
        },
    }
}

parameters! {
    /// The parameters of [`VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS`]; the authorized ports are those of the managed rule.
    pub VpcSgOpenOnlyToAuthorizedPortsParameters {
        /// TCP ports that may be open to the internet: a comma list of 1 to 128 ports or ranges, 0..=65535. Default none.
        authorized_tcp_ports: Option<PortList> = None,
        /// UDP ports that may be open to the internet: a comma list of 1 to 128 ports or ranges, 0..=65535. Default none.
        authorized_udp_ports: Option<PortList> = None,
        /// How an open rule for a protocol without ports is evaluated: `ignore` or `noncompliant`. Default ignore.
        other_protocols: OtherProtocols = OtherProtocols::Ignore,
        ..internet: InternetParameters,
    }
}

/// How an open rule for a protocol without ports is evaluated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OtherProtocols {
    /// Never a finding.
    #[default]
    Ignore,
    /// A finding.
    Noncompliant,
}

const AUTHORIZED_PORTS: OpenPorts<VpcSgOpenOnlyToAuthorizedPortsParameters> = OpenPorts {
    limits: |params| {
        let ports = |list: &Option<PortList>| list.as_ref().map_or_else(PortSet::default, |it| it.0.clone());
        Limits {
            internet: Internet::of(&params.internet),
            ports: Ports::Authorized {
                tcp: ports(&params.authorized_tcp_ports),
                udp: ports(&params.authorized_udp_ports),
                other_protocols: params.other_protocols == OtherProtocols::Ignore,
            },
        }
    },
    revokes: |protocol| *protocol != Protocol::All,
};

#[cfg(test)]
mod tests;
