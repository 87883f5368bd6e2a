//! `restricted-ssh`: no security group lets the internet reach SSH.

use rectify_compliance::values::{Flag, PortSet};
use rectify_compliance::{control, parameters};

use crate::families::open_ports::OpenPorts;
use crate::families::port_limits::{Limits, Ports};
use crate::resources::internet::{Internet, InternetParameters};
use crate::resources::rule::Protocol;
use crate::resources::security_group::TYPE;

control! {
    /// ## What it checks
    /// Every ingress rule of a security group that lets TCP through on one of `ports`, protocol `-1` included.
    /// The group is NON_COMPLIANT if the prefix length of a CIDR is at most `maxPrefixV4` or `maxPrefixV6`, or if the CIDRs of several rules together cover the whole IPv4 or IPv6 space, as `0.0.0.0/1` and `128.0.0.0/1` do.
    /// A prefix list counts as its CIDRs.
    /// Security groups as sources, egress rules, UDP, ICMP and other protocols never count.
    /// A missing or invalid port range counts as every port.
    ///
    /// ## Why it matters
    /// An SSH server that anyone can reach can be attacked by anyone: with guessed passwords, leaked keys, and any vulnerability of its version.
    /// Comparing with `0.0.0.0/0` alone misses IPv6, wide port ranges, prefix lists, and address ranges that are open only in combination.
    ///
    /// ## Compliant example
    /// A rule for tcp 22 from `203.0.113.0/24`, beside one for tcp 443 from `0.0.0.0/0`.
    ///
    /// ## Non-compliant example
    /// A rule for tcp 20-25 from `::/0`.
    ///
    /// ## Parameters
    /// `ports`, `maxPrefixV4`, `maxPrefixV6`, `resolvePrefixLists` and `ignoreUnattached` determine the findings; `narrowWideRules` determines what the plan shows.
    /// A prefix list that cannot be read, because it was deleted or is not shared with this account, does not count, and the annotation names it.
    ///
    /// ## Remediation
    /// Open rules whose ports are all in `ports` are revoked by id in one `RevokeSecurityGroupIngress`, so other rules of the same permission stay (L2: it can cut off an operator).
    /// Everything else becomes a manual step: a wider port range, protocol `-1`, a prefix list, and rules that are open only in combination.
    /// With `narrowWideRules` the plan lists the calls that would narrow a wider range, but they are never made automatically: they need a role that may authorize ingress, and the role of this remediation cannot open SSH.
    /// Nothing is revoked if the group belongs to another account or if a service manages an interface that uses it.
    /// What may break: every SSH session and tool that connects from the internet.
    /// EC2 has no revision check: a change in the milliseconds between the last read and the revocation goes unnoticed; the call names ids, so a rule created in between is not touched.
    /// Undo recreates each revoked rule with its description and tags; the rule gets a new id, and `aws:` tags are not restored.
    ///
    /// ## References
    /// - [INCOMING_SSH_DISABLED](https://docs.aws.amazon.com/config/latest/developerguide/restricted-ssh.html)
    /// - [Security Hub EC2.13](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-13)
    /// - [RevokeSecurityGroupIngress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html)
    pub RESTRICTED_SSH: OpenPorts<RestrictedSshParameters> = SSH {
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

parameters! {
    /// The parameters of [`RESTRICTED_SSH`]; the managed rule has none.
    pub RestrictedSshParameters {
        /// Ports treated as SSH: a comma list of 1 to 16 ports or ranges, 0..=65535. Default 22.
        ports: PortSet = PortSet::single(22),
        /// Whether the plan shows the calls that split a wide TCP range, for an operator to make. Default false.
        narrow_wide_rules: Flag = Flag(false),
        ..internet: InternetParameters,
    }
}

const SSH: OpenPorts<RestrictedSshParameters> = OpenPorts {
    limits: |params| Limits {
        internet: Internet::of(&params.internet),
        ports: Ports::Closed {
            finding: "SSH open to the internet",
            tcp: params.ports.clone(),
            udp: PortSet::default(),
            narrow_wide_rules: params.narrow_wide_rules.0,
        },
    },
    revokes: |protocol| *protocol == Protocol::Tcp,
};

#[cfg(test)]
mod tests;
