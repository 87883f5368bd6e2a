//! `restricted-common-ports`: no security group lets the internet reach administrative or database ports.

use rectify_compliance::values::{Flag, PortList, PortOrNone, PortSet};
use rectify_compliance::{control, parameters};

use crate::families::open_ports::OpenPorts;
use crate::families::port_limits::{Limits, Ports};
use crate::resources::internet::{Internet, InternetParameters};
use crate::resources::rule::Protocol;
use crate::resources::security_group::TYPE;

control! {
    /// ## What it checks
    /// Every ingress rule of a security group that lets TCP or UDP through on a blocked port, protocol `-1` included.
    /// The blocked TCP ports are `blockedPort1` to `blockedPort5` and those in `blockedPorts`; the blocked UDP ports are those in `udpPorts`, by default none.
    /// The group is NON_COMPLIANT if the prefix length of a CIDR is at most `maxPrefixV4` or `maxPrefixV6`, or if the CIDRs of several rules together cover the whole IPv4 or IPv6 space, as `0.0.0.0/1` and `128.0.0.0/1` do.
    /// A prefix list counts as its CIDRs.
    /// Security groups as sources, egress rules, ICMP and other protocols never count.
    /// A missing or invalid port range counts as every port.
    ///
    /// ## Why it matters
    /// Scanners find reachable remote desktops, file transfer and databases within minutes, and attacks follow.
    /// Comparing one port with `0.0.0.0/0` alone misses IPv6, wide port ranges, prefix lists, and address ranges that are open only in combination.
    ///
    /// ## Compliant example
    /// A rule for tcp 3306 from `10.0.0.0/8`, beside one for tcp 443 from `0.0.0.0/0`.
    ///
    /// ## Non-compliant example
    /// A rule for tcp 3000-4000 from `0.0.0.0/0`, which includes 3306 and 3389.
    ///
    /// ## Parameters
    /// `blockedPort1` to `blockedPort5` and `blockedPorts` are those of the managed rule; a blank one has its default, and `none`, which the managed rule does not have, turns a default off.
    /// `udpPorts` is not in the managed rule, which reads TCP only; CIS counts UDP too, and the profiles `cis-3.0` and `cis-5.0` set it.
    /// `maxPrefixV4`, `maxPrefixV6`, `resolvePrefixLists` and `ignoreUnattached` determine the findings; `narrowWideRules` determines what the plan shows.
    /// A prefix list that cannot be read, because it was deleted or is not shared with this account, does not count, and the annotation names it.
    /// The managed rule evaluates groups "in use"; this one evaluates every group unless `ignoreUnattached` is set: an unused group can be attached later without any change to the group itself.
    ///
    /// ## Remediation
    /// Open rules whose ports are all blocked are revoked by id in one `RevokeSecurityGroupIngress`, so other rules of the same permission stay (L2: it can cut off clients).
    /// Everything else becomes a manual step: a wider port range, protocol `-1`, a prefix list, and rules that are open only in combination.
    /// With `narrowWideRules` the plan lists the calls that would narrow a wider range, but they are never made automatically: they need a role that may authorize ingress.
    /// Nothing is revoked if the group belongs to another account or if a service manages an interface that uses it.
    /// What may break: every client that reaches these ports from the internet.
    /// Undo recreates each revoked rule with its description and tags; the rule gets a new id, and `aws:` tags are not restored.
    ///
    /// ## References
    /// - [RESTRICTED_INCOMING_TRAFFIC](https://docs.aws.amazon.com/config/latest/developerguide/restricted-common-ports.html)
    /// - [Security Hub EC2.14](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-14)
    /// - [Security Hub EC2.19](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-19)
    /// - [RevokeSecurityGroupIngress](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html)
    pub RESTRICTED_COMMON_PORTS: OpenPorts<RestrictedCommonPortsParameters> = COMMON_PORTS {
        id: "restricted-common-ports",
        title: "Security group lets the whole internet reach administrative or database ports",
        severity: High,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Cis30: ["5.2", "5.3"],
            Cis50: ["5.3", "5.4"],
            Fsbp: ["EC2.14", "EC2.19"],
            Nist80053r5: ["AC-4", "CM-7", "SC-7", "SC-7(11)", "SC-7(21)"],
            Pci40: ["1.2.8", "1.3.1", "1.3.2", "1.4.2"],
        },
    }
}

parameters! {
    /// The parameters of [`RESTRICTED_COMMON_PORTS`]; the blocked ports are those of the managed rule.
    pub RestrictedCommonPortsParameters, check: something_is_blocked {
        /// A blocked TCP port, 0..=65535, or `none`. Default 20 (FTP data).
        blocked_port1: PortOrNone = PortOrNone(Some(20)),
        /// A blocked TCP port, 0..=65535, or `none`. Default 21 (FTP control).
        blocked_port2: PortOrNone = PortOrNone(Some(21)),
        /// A blocked TCP port, 0..=65535, or `none`. Default 3389 (remote desktop).
        blocked_port3: PortOrNone = PortOrNone(Some(3389)),
        /// A blocked TCP port, 0..=65535, or `none`. Default 3306 (MySQL).
        blocked_port4: PortOrNone = PortOrNone(Some(3306)),
        /// A blocked TCP port, 0..=65535, or `none`. Default 4333 (mSQL).
        blocked_port5: PortOrNone = PortOrNone(Some(4333)),
        /// More blocked TCP ports: a comma list of 1 to 128 ports or ranges, 0..=65535. Default none.
        blocked_ports: Option<PortList> = None,
        /// Blocked UDP ports: a comma list of 1 to 128 ports or ranges, 0..=65535. Default none.
        udp_ports: Option<PortList> = None,
        /// Whether the plan shows the calls that split a wide range, for an operator to make. Default false.
        narrow_wide_rules: Flag = Flag(false),
        ..internet: InternetParameters,
    }
}

fn something_is_blocked(params: &RestrictedCommonPortsParameters) -> Result<(), String> {
    if params.tcp().is_empty() && params.udp_ports.is_none() {
        return Err(
            "blockedPort1 to blockedPort5 are `none`, and blockedPorts and udpPorts are absent: no port is blocked"
                .into(),
        );
    }
    Ok(())
}

impl RestrictedCommonPortsParameters {
    /// All blocked TCP ports.
    fn tcp(&self) -> PortSet {
        let Self { blocked_port1, blocked_port2, blocked_port3, blocked_port4, blocked_port5, blocked_ports, .. } =
            self;
        let five = [blocked_port1, blocked_port2, blocked_port3, blocked_port4, blocked_port5];
        let five = five.into_iter().filter_map(|it| it.0).map(|port| (port, port));
        PortSet::of(five.chain(blocked_ports.iter().flat_map(|it| it.0.ranges().iter().copied())))
    }
}

const COMMON_PORTS: OpenPorts<RestrictedCommonPortsParameters> = OpenPorts {
    limits: |params| Limits {
        internet: Internet::of(&params.internet),
        ports: Ports::Closed {
            finding: "Blocked ports open to the internet",
            tcp: params.tcp(),
            udp: params.udp_ports.as_ref().map_or_else(PortSet::default, |it| it.0.clone()),
            narrow_wide_rules: params.narrow_wide_rules.0,
        },
    },
    revokes: |protocol| matches!(protocol, Protocol::Tcp | Protocol::Udp),
};

#[cfg(test)]
mod tests;
