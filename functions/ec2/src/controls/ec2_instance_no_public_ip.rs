//! `ec2-instance-no-public-ip`: an instance has a public address.

use rectify_compliance::values::Flag;
use rectify_compliance::{ByHand, Level, Verdict, control, offenders, parameters};

use crate::permissions::DESCRIBE_INSTANCES;
use crate::resources::instance::TYPE;
use crate::resources::instance_addresses::{Address, AddressKind, InstanceAddresses};

control! {
    /// ## What it checks
    /// That no network interface of an instance has a public IPv4 address, an Elastic IP or a carrier IP; with `checkIpv6` also no global IPv6 address.
    /// All interfaces and all their private addresses are evaluated; the managed rule reads the instance's primary address only.
    /// A stopped instance keeps its Elastic IP, so it is evaluated; one that is terminated or shutting down is NOT_APPLICABLE.
    /// An item without `networkInterfaces` fails the invocation.
    ///
    /// ## Why it matters
    /// The security group is all that keeps the internet from an instance with a public address.
    ///
    /// ## Compliant example
    /// ```json
    /// {"networkInterfaces": [{"networkInterfaceId": "eni-1", "privateIpAddress": "10.0.1.17"}]}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"networkInterfaces": [{"networkInterfaceId": "eni-1", "association": {"publicIp": "203.0.113.7", "ipOwnerId": "amazon"}}]}
    /// ```
    ///
    /// ## Parameters
    /// `checkIpv6` determines whether global IPv6 addresses are findings.
    ///
    /// ## Remediation
    /// L3: the plan has manual steps only, one for each address, because all that reaches the instance there is cut off, and an address that EC2 assigned cannot be obtained again.
    /// What changes: an Elastic IP or carrier IP is disassociated, an assigned address is turned off at its interface, an IPv6 address is unassigned.
    /// An Auto Scaling group or a launch template that launched the instance has to change first; otherwise the replacement has an address too.
    /// What may break: everything that connects to the address, and outbound connections unless the subnet has a NAT gateway.
    /// How to undo: an Elastic IP can be associated again; any other address is lost.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/ec2-instance-no-public-ip.html)
    /// - [Security Hub EC2.9](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-9)
    /// - [IP addressing of instances](https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html)
    pub EC2_INSTANCE_NO_PUBLIC_IP: ByHand<InstanceAddresses, Ec2InstanceNoPublicIpParameters> = CONTROL {
        id: "ec2-instance-no-public-ip",
        title: "Instance has a public address",
        severity: High,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L3,
        frameworks: {
            Fsbp: ["EC2.9"],
            Nist80053r5: [
                "AC-3", "AC-3(7)", "AC-4", "AC-4(21)", "AC-6", "AC-21", "SC-7", "SC-7(3)", "SC-7(4)", "SC-7(9)", "SC-7(11)",
                "SC-7(16)", "SC-7(20)", "SC-7(21)",
            ],
        },
    }
}

parameters! {
    /// The parameters of [`EC2_INSTANCE_NO_PUBLIC_IP`]; the managed rule has none.
    pub Ec2InstanceNoPublicIpParameters {
        /// Whether a global IPv6 address is a finding. Default false.
        check_ipv6: Flag = Flag(false),
    }
}

const CONTROL: ByHand<InstanceAddresses, Ec2InstanceNoPublicIpParameters> = ByHand {
    judge: |subject, params| {
        let instance = &subject.instance;
        if let Some(state) = instance.state.as_ref().filter(|_| instance.is_gone()) {
            return Verdict::not_applicable(format!("instance is {state}"));
        }
        let found = offenders(params.violating(subject).map(Address::to_string));
        if found.is_empty() {
            return Verdict::COMPLIANT;
        }
        let launched = instance.launched_by().map_or_else(String::new, |it| format!("; launched by {it}"));
        Verdict::non_compliant(format!("{} has {found}{launched}", instance.id))
    },
    instructions: |subject, params| {
        let launcher = subject.instance.launched_by().map(|launcher| {
            format!("turn off public addresses in the settings of {launcher}, which launches replacements with them")
        });
        launcher.into_iter().chain(params.violating(subject).map(remove)).collect()
    },
    level: Level::L3,
    list: &[],
    read: &[DESCRIBE_INSTANCES],
    needs_name: false,
};

impl Ec2InstanceNoPublicIpParameters {
    /// The addresses that are findings.
    fn violating<'a>(&self, subject: &'a InstanceAddresses) -> impl Iterator<Item = &'a Address> {
        let check_ipv6 = self.check_ipv6.0;
        subject.addresses.iter().filter(move |it| it.kind != AddressKind::Ipv6 || check_ipv6)
    }
}

/// The step that removes an address.
fn remove(address: &Address) -> String {
    let Address { ip, interface, kind } = address;
    let interface = interface.as_deref().unwrap_or("its interface");
    match kind {
        AddressKind::Assigned => format!(
            "ec2:ModifyNetworkInterfaceAttribute of {interface} with AssociatePublicIpAddress=false, which gives up \
             {ip}, or replace the instance by one without a public address"
        ),
        AddressKind::Elastic | AddressKind::Carrier => format!("ec2:DisassociateAddress of {ip} from {interface}"),
        AddressKind::Ipv6 => format!("ec2:UnassignIpv6Addresses of {ip} from {interface}"),
    }
}

#[cfg(test)]
mod tests;
