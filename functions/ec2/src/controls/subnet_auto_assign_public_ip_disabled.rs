//! `subnet-auto-assign-public-ip-disabled`: a subnet assigns public addresses to the instances launched in it.

use rectify_compliance::values::Flag;
use rectify_compliance::{
    Control, Irreversible, Level, Permission, Plan, Remediation, RemediationPermissions, Step, Timestamp, Verdict,
    control, offenders, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::permissions::DESCRIBE_INSTANCES;
use crate::resources::subnet::{Subnet, TYPE};

control! {
    /// ## What it checks
    /// That a subnet assigns no public IPv4 address (`mapPublicIpOnLaunch`) and no IPv6 address (`assignIpv6AddressOnCreation`) to new network interfaces.
    /// A customer-owned address of an Outpost does not count.
    /// A subnet that another account shares is NOT_APPLICABLE: its owner evaluates it.
    /// An item without `mapPublicIpOnLaunch` fails the invocation.
    ///
    /// ## Why it matters
    /// Every instance launched in the subnet is reachable from the internet unless its launch says otherwise, whether or not anyone intended it.
    ///
    /// ## Compliant example
    /// ```json
    /// {"subnetId": "subnet-1", "mapPublicIpOnLaunch": false, "assignIpv6AddressOnCreation": false}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"subnetId": "subnet-1", "mapPublicIpOnLaunch": true, "assignIpv6AddressOnCreation": false}
    /// ```
    ///
    /// ## Parameters
    /// `checkIpv6` and `ignoreDefaultSubnets` determine the findings, `allowUsedSubnets` what the remediation may change.
    ///
    /// ## Remediation
    /// `ModifySubnetAttribute` turns off each attribute that is a finding, one per call (L2).
    /// What may break: instances launched later have no public address, unless their launch requests one; existing ones keep theirs.
    /// The plan is blocked if something launches instances into the subnet again and again, unless `allowUsedSubnets` is set: an Auto Scaling group, which every EKS managed node group is, a launch template or a managing service according to the instances in the subnet, or a Kubernetes cluster according to the tags of the subnet.
    /// An Auto Scaling group without an instance in the subnet is not seen, nor are the instances of other accounts in a shared subnet.
    /// In an IPv6-only subnet the plan is blocked too: its instances have no other address.
    /// If the second call fails, the first one stands and the attempt fails.
    /// Undo makes the same calls with the previous values.
    ///
    /// ## References
    /// - [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/subnet-auto-assign-public-ip-disabled.html)
    /// - [Security Hub EC2.15](https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-15)
    /// - [ModifySubnetAttribute](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html)
    pub SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED: SubnetAutoAssignPublicIpDisabled {
        id: "subnet-auto-assign-public-ip-disabled",
        title: "Subnet assigns public addresses to new instances",
        severity: Medium,
        triggers: [Change],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Fsbp: ["EC2.15"],
            Nist80053r5: [
                "AC-3", "AC-3(7)", "AC-4", "AC-4(21)", "AC-6", "AC-21", "SC-7", "SC-7(3)", "SC-7(4)", "SC-7(9)", "SC-7(11)",
                "SC-7(16)", "SC-7(20)", "SC-7(21)",
            ],
            Pci40: ["1.4.4"],
        },
    }
}

parameters! {
    /// The parameters of [`SubnetAutoAssignPublicIpDisabled`]; the managed rule has none.
    pub SubnetAutoAssignPublicIpDisabledParameters {
        /// Whether assigning IPv6 addresses is a finding. Default true, as in the managed rule.
        check_ipv6: Flag = Flag(true),
        /// Whether the default subnet of an Availability Zone is NOT_APPLICABLE. Default false.
        ignore_default_subnets: Flag = Flag(false),
        /// Whether the remediation may change a subnet that an Auto Scaling group, a launch template or a Kubernetes cluster uses. Default false.
        allow_used_subnets: Flag = Flag(false),
    }
}

/// An attribute of a subnet with its value. One call sets one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Attribute {
    /// Public IPv4 addresses.
    MapPublicIpOnLaunch {
        /// Whether they are assigned.
        value: bool,
    },
    /// IPv6 addresses.
    AssignIpv6AddressOnCreation {
        /// Whether they are assigned.
        value: bool,
    },
}

/// One call to EC2. The fix and its undo are the same call with the other value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum SubnetAction {
    /// `ModifySubnetAttribute`; other attributes keep their values.
    ModifySubnetAttribute {
        /// The subnet.
        subnet_id: String,
        /// The attribute.
        #[serde(flatten)]
        attribute: Attribute,
    },
}

const SUBNETS: &str = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:subnet/*";
const MODIFY: Permission = Permission::on("ec2:ModifySubnetAttribute", SUBNETS);

impl Control for SubnetAutoAssignPublicIpDisabled {
    type Params = SubnetAutoAssignPublicIpDisabledParameters;
    type Subject = Subnet;

    fn evaluate(&self, subnet: &Subnet, params: &Self::Params, _now: Timestamp) -> Verdict {
        if subnet.owner != subnet.account {
            return Verdict::not_applicable(format!("shared by account {}", subnet.owner));
        }
        if subnet.default_for_az && params.ignore_default_subnets.0 {
            return Verdict::not_applicable("default subnet");
        }
        let assigned = match (subnet.map_public_ip_on_launch, params.assigns_ipv6(subnet)) {
            (false, false) => return Verdict::COMPLIANT,
            (true, false) => "public IPv4 addresses",
            (false, true) => "IPv6 addresses",
            (true, true) => "public IPv4 and IPv6 addresses",
        };
        let default = if subnet.default_for_az { " (default subnet)" } else { "" };
        Verdict::non_compliant(format!("{} assigns {assigned}{default}", subnet.id))
    }
}

impl Remediation for SubnetAutoAssignPublicIpDisabled {
    type Action = SubnetAction;
    type Undo = SubnetAction;

    fn permissions(&self) -> RemediationPermissions {
        const {
            RemediationPermissions {
                read: &[DESCRIBE_INSTANCES, Permission::unscoped("ec2:DescribeSubnets")],
                fix: &[MODIFY],
                undo: &[MODIFY],
            }
        }
    }

    fn fix(&self, live: &Subnet, params: &Self::Params, _now: Timestamp) -> Plan<SubnetAction> {
        let ipv4 = live.map_public_ip_on_launch.then_some(Attribute::MapPublicIpOnLaunch { value: false });
        let ipv6 = params.assigns_ipv6(live).then_some(Attribute::AssignIpv6AddressOnCreation { value: false });
        let step = |attribute| {
            let subnet_id = live.id.clone();
            Step::call(Level::L2, SubnetAction::ModifySubnetAttribute { subnet_id, attribute })
        };
        Plan::unless(params.blockers(live), [ipv4, ipv6].into_iter().flatten().map(step).collect())
    }

    fn predict(&self, mut live: Subnet, action: &SubnetAction) -> Subnet {
        let SubnetAction::ModifySubnetAttribute { subnet_id, attribute } = action;
        if *subnet_id == live.id {
            match attribute {
                Attribute::MapPublicIpOnLaunch { value } => live.map_public_ip_on_launch = *value,
                Attribute::AssignIpv6AddressOnCreation { value } => live.assign_ipv6_address_on_creation = *value,
            }
        }
        live
    }

    fn touched_fields(&self, subject: &Subnet, done: &[SubnetAction]) -> Value {
        let current =
            |SubnetAction::ModifySubnetAttribute { attribute, .. }: &SubnetAction| json!(attribute.of(subject));
        let fields = done.iter().map(current).filter_map(|it| it.as_object().cloned());
        Value::Object(fields.flatten().collect())
    }

    fn undo(&self, before: &Subnet, done: &[SubnetAction]) -> Result<Vec<SubnetAction>, Irreversible> {
        let restore = |SubnetAction::ModifySubnetAttribute { subnet_id, attribute }: &SubnetAction| {
            SubnetAction::ModifySubnetAttribute { subnet_id: subnet_id.clone(), attribute: attribute.of(before) }
        };
        Ok(done.iter().rev().map(restore).collect())
    }
}

impl Attribute {
    /// The same attribute with its value in this subnet.
    const fn of(self, subnet: &Subnet) -> Self {
        match self {
            Self::MapPublicIpOnLaunch { .. } => Self::MapPublicIpOnLaunch { value: subnet.map_public_ip_on_launch },
            Self::AssignIpv6AddressOnCreation { .. } => {
                Self::AssignIpv6AddressOnCreation { value: subnet.assign_ipv6_address_on_creation }
            }
        }
    }
}

impl SubnetAutoAssignPublicIpDisabledParameters {
    /// Whether the subnet assigns IPv6 addresses, and that is a finding.
    const fn assigns_ipv6(&self, subnet: &Subnet) -> bool {
        self.check_ipv6.0 && subnet.assign_ipv6_address_on_creation
    }

    /// Why the subnet must not be changed automatically.
    fn blockers(&self, live: &Subnet) -> Vec<String> {
        let mut reasons = Vec::new();
        if live.ipv6_native {
            reasons.push("instances of an IPv6-only subnet have no other address".to_owned());
        }
        match live.users() {
            None => reasons.push("what launches instances into the subnet was not read".to_owned()),
            Some(users) if users.is_empty() || self.allow_used_subnets.0 => {}
            Some(users) => {
                reasons.push(format!("the subnet is used by `{}`, which needs allowUsedSubnets", offenders(users)));
            }
        }
        reasons
    }
}

#[cfg(test)]
mod tests;
