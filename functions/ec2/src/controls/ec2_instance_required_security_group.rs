//! `ec2-instance-required-security-group`: every instance has the security groups that are mandatory in its VPC.
//!
//! Pure: the instance, its interfaces and the groups of its VPC are passed in as one [`InstanceInGroups`].

pub mod required_groups;
pub mod requirement;

use std::collections::BTreeSet;

use rectify_compliance::json_parameter::JsonParameter;
use rectify_compliance::values::Bounded;
use rectify_compliance::{
    Control, FromItem, Irreversible, Level, Periodic, Permission, Plan, Remediation, RemediationPermissions, Step,
    Timestamp, Verdict, control, offenders, parameters,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::required_groups::{Match, RequiredGroups};
use self::requirement::{GroupRequirement, GroupRequirements, PerVpc};
use crate::permissions::{DESCRIBE_GROUPS, DESCRIBE_INSTANCES, DESCRIBE_INTERFACES};
use crate::resources::instance::TYPE;
use crate::resources::instance_groups::{GroupFacts, InstanceInGroups, Interface, RecordedInterfaces};
use crate::resources::stored_parameter::{GET_PARAMETER, known};

control! {
    /// ## What it checks
    /// That the primary network interface of an instance, or every one with `scope` `allEnis`, has the security groups that are mandatory in its VPC.
    /// A group is given by id, by `name:` or by `tag:`; names and tags are looked up among the groups of that VPC, and if several match, one of them is enough.
    /// A requirement that no group of the VPC satisfies is a finding of its own: a group of another VPC never counts, one that is shared into the VPC does.
    /// A group of another VPC that is associated with this VPC counts if an interface has it; whether it could be added is unknown.
    /// Instances in a VPC without a requirement are NOT_APPLICABLE, and so are instances that are gone; a stopped instance is evaluated.
    /// An item without interfaces records only the groups of the primary one; with `allEnis` the interfaces are then read live.
    ///
    /// ## Why it matters
    /// A mandatory group lets scanners, agents and backups reach an instance, or keeps it in a known quarantine.
    /// An instance without it goes unmonitored.
    ///
    /// ## Compliant example
    /// With `requiredGroups` `sg-0a`: `{"networkInterfaces": [{"attachment": {"deviceIndex": 0}, "groups": [{"groupId": "sg-0a"}, {"groupId": "sg-0b"}]}]}`.
    ///
    /// ## Non-compliant example
    /// With the same parameter: `{"networkInterfaces": [{"attachment": {"deviceIndex": 0}, "groups": [{"groupId": "sg-0b"}]}]}`.
    ///
    /// ## Parameters
    /// `requiredGroups` applies to every VPC that `perVpc` does not name; `perVpc` is JSON, `{"vpc-1": ["sg-0a", "name:base"]}`, or the name of a Systems Manager parameter below `/rectify/`: `ssm:/rectify/groups`.
    /// `match` determines whether all groups are mandatory or any one is enough; with `any`, an unsatisfiable requirement does not count if another one is satisfiable.
    /// `maxGroupsPerEni` is the quota of the account.
    ///
    /// ## Remediation
    /// L2: `ec2:ModifyNetworkInterfaceAttribute` with the current groups of the interface, in their order, followed by the missing ones; the call replaces the whole set.
    /// What may break: no group is removed, but each added group can allow more traffic.
    /// Blocked if a service manages the instance or the interface, if the interface is requester-managed or neither a standard interface nor an EFA, if it would have more than `maxGroupsPerEni` groups, or if more than one group satisfies the requirement.
    /// A requirement that no group of the VPC satisfies becomes a manual step.
    /// EC2 has no revision check: a group that another principal adds or removes in the milliseconds between the last read and the write is lost or comes back.
    /// How to undo: the same call with the previous groups of the interface.
    ///
    /// ## References
    /// - [ModifyNetworkInterfaceAttribute](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html)
    /// - [DescribeSecurityGroups](https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html)
    /// - [Amazon VPC quotas](https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups)
    pub EC2_INSTANCE_REQUIRED_SECURITY_GROUP: Ec2InstanceRequiredSecurityGroup {
        id: "ec2-instance-required-security-group",
        title: "Instance runs without its mandatory security group",
        severity: Medium,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Nist80053r5: ["CM-6", "SC-7"],
        },
    }
}

parameters! {
    /// The parameters of [`Ec2InstanceRequiredSecurityGroup`].
    pub Ec2InstanceRequiredSecurityGroupParameters {
        /// The groups that are mandatory in every VPC. Default: none.
        required_groups: Option<GroupRequirements> = None,
        /// The groups that are mandatory in a VPC, instead of `requiredGroups`. Default: none.
        per_vpc: Option<JsonParameter<PerVpc>> = None,
        /// Whether `all` groups are mandatory or `any` is enough. Default all.
        #[serde(rename = "match")]
        matching: Match = Match::All,
        /// Whether the `primary` interface is evaluated or `allEnis`. Default primary.
        scope: InterfaceScope = InterfaceScope::Primary,
        /// The maximum number of groups per interface, the quota of the account, 1..=16. Default 5.
        max_groups_per_eni: Bounded<1, 16> = Bounded::of(5),
    }
}

/// Which interfaces are evaluated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum InterfaceScope {
    /// The primary interface.
    #[default]
    Primary,
    /// All interfaces.
    AllEnis,
}

const READS: &[Permission] = &[DESCRIBE_GROUPS, DESCRIBE_INSTANCES, GET_PARAMETER];
const MODIFY: &str = "ec2:ModifyNetworkInterfaceAttribute";
/// IAM authorizes the call on the interface, its new groups and the instance it is attached to.
const MODIFIES: &[Permission] = &[
    Permission::on(MODIFY, "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*"),
    Permission::on(MODIFY, "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*"),
    Permission::on(MODIFY, "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:instance/*"),
];

impl FromItem for Ec2InstanceRequiredSecurityGroup {
    type Resource = RecordedInterfaces;
    /// `None` if nothing is required.
    type Facts = Option<GroupFacts>;
    fn fact_permissions(&self) -> &'static [Permission] {
        READS
    }

    fn subject(&self, recorded: RecordedInterfaces, facts: Option<GroupFacts>) -> InstanceInGroups {
        recorded.among(facts.unwrap_or_default())
    }
}

impl Periodic for Ec2InstanceRequiredSecurityGroup {
    fn list_permissions(&self) -> &'static [Permission] {
        READS
    }
}

impl Control for Ec2InstanceRequiredSecurityGroup {
    type Params = Ec2InstanceRequiredSecurityGroupParameters;
    type Subject = InstanceInGroups;

    fn evaluate(&self, subject: &InstanceInGroups, params: &Self::Params, _now: Timestamp) -> Verdict {
        let instance = &subject.instance;
        if let Some(state) = instance.state.as_ref().filter(|_| instance.is_gone()) {
            return Verdict::not_applicable(format!("instance is {state}"));
        }
        let vpc = instance.vpc_id.as_deref().unwrap_or_default();
        let required = match params.wanted(vpc, subject.per_vpc.as_ref()) {
            Ok([]) => return Verdict::not_applicable(format!("no requirement for {vpc}")),
            Ok(required) => required,
            Err(reason) => return Verdict::non_compliant(format!("{} not evaluated: {reason}", instance.id)),
        };
        let required_groups = RequiredGroups::of(subject, required, params.matching);
        if !required_groups.unsatisfiable.is_empty() {
            let named = offenders(required_groups.unsatisfiable.iter().map(ToString::to_string));
            return Verdict::non_compliant(format!("{} not satisfiable: no {named} in {vpc}", instance.id));
        }
        let in_scope: Vec<&Interface> = params.in_scope(subject).collect();
        if in_scope.is_empty() {
            return Verdict::non_compliant(format!("{} reports no primary interface", instance.id));
        }
        let lacks = |it: &&&Interface| !required_groups.missing(it).is_empty();
        let lacking: Vec<String> =
            in_scope.iter().filter(lacks).map(|it| required_groups.describe_missing(it)).collect();
        if lacking.is_empty() {
            return Verdict::COMPLIANT;
        }
        Verdict::non_compliant(format!("{} (required for {vpc})", offenders(lacking)))
    }
}

/// One call to EC2. The fix and its undo are the same call with another set of groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Ec2InstanceRequiredSecurityGroupAction {
    /// Replaces the groups of an interface.
    ModifyNetworkInterfaceAttribute {
        /// The interface.
        network_interface_id: String,
        /// All its groups.
        groups: Vec<String>,
    },
}

type Action = Ec2InstanceRequiredSecurityGroupAction;

impl Remediation for Ec2InstanceRequiredSecurityGroup {
    type Action = Action;
    type Undo = Action;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions {
            read: &[DESCRIBE_GROUPS, DESCRIBE_INSTANCES, DESCRIBE_INTERFACES, GET_PARAMETER],
            fix: MODIFIES,
            // IAM cannot restrict the set of groups: only `plan` keeps the remediation from removing groups.
            undo: MODIFIES,
        }
    }

    fn fix(&self, live: &InstanceInGroups, params: &Self::Params, _now: Timestamp) -> Plan<Action> {
        let vpc = live.instance.vpc_id.as_deref().unwrap_or_default();
        let required = match params.wanted(vpc, live.per_vpc.as_ref()) {
            Ok(required) => required,
            Err(reason) => return Plan::blocked(reason, vec![]),
        };
        let required_groups = RequiredGroups::of(live, required, params.matching);
        let (mut steps, mut reasons) = (Vec::new(), Vec::new());
        reasons.extend(live.instance.operator.as_ref().map(|it| format!("the instance is managed by `{it}`")));
        for requirement in &required_groups.unsatisfiable {
            let text = format!("create a group that matches {requirement} in {vpc}, or share one into it");
            steps.push(Step::manual(Level::L0, text));
        }
        for interface in params.in_scope(live) {
            let missing = required_groups.missing(interface);
            if missing.is_empty() {
                continue;
            }
            let Some(added) = required_groups.groups_to_add(&missing) else {
                let one_of = offenders(missing.iter().flat_map(|it| it.candidates.iter().cloned()));
                reasons.push(format!("more than one group satisfies the requirement for {}: {one_of}", interface.id));
                steps.push(Step::manual(Level::L2, format!("add to {} one of {one_of}", interface.id)));
                continue;
            };
            let mut groups = interface.groups.clone();
            groups.extend(added);
            reasons.extend(params.blockers(interface, groups.len()));
            let network_interface_id = interface.id.clone();
            steps.push(Step::call(Level::L2, Action::ModifyNetworkInterfaceAttribute { network_interface_id, groups }));
        }
        if params.in_scope(live).next().is_none() {
            reasons.push("the primary interface is not known".to_owned());
        }
        Plan::unless(reasons, steps)
    }

    fn predict(&self, mut live: InstanceInGroups, action: &Action) -> InstanceInGroups {
        let Action::ModifyNetworkInterfaceAttribute { network_interface_id, groups } = action;
        for interface in live.interfaces.iter_mut().filter(|it| it.id == *network_interface_id) {
            interface.groups.clone_from(groups);
        }
        live
    }

    /// The groups of the touched interfaces; their order is ignored, as EC2 does not guarantee one.
    fn touched_fields(&self, subject: &InstanceInGroups, done: &[Action]) -> Value {
        let groups = |Action::ModifyNetworkInterfaceAttribute { network_interface_id: id, .. }: &Action| {
            let interface = subject.interfaces.iter().find(|it| it.id == *id);
            let groups = interface.map(|it| it.groups.iter().collect::<BTreeSet<_>>());
            (id.clone(), json!(groups))
        };
        Value::Object(done.iter().map(groups).collect::<Map<_, _>>())
    }

    fn undo(&self, before: &InstanceInGroups, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        let restore = |action: &Action| {
            let Action::ModifyNetworkInterfaceAttribute { network_interface_id: id, .. } = action;
            let found = before.interfaces.iter().find(|it| it.id == *id).filter(|it| !it.groups.is_empty());
            let interface = found.ok_or_else(|| Irreversible {
                action: "ModifyNetworkInterfaceAttribute".to_owned(),
                reason: format!("the prior state does not contain the groups of `{id}`"),
            })?;
            let (network_interface_id, groups) = (id.clone(), interface.groups.clone());
            Ok(Action::ModifyNetworkInterfaceAttribute { network_interface_id, groups })
        };
        done.iter().rev().map(restore).collect()
    }
}

impl Ec2InstanceRequiredSecurityGroupParameters {
    /// The groups that are mandatory in a VPC.
    ///
    /// # Errors
    /// `perVpc` is stored and was not read.
    pub fn wanted<'a>(&'a self, vpc: &str, read: Option<&'a PerVpc>) -> Result<&'a [GroupRequirement], String> {
        let everywhere = self.required_groups.as_ref().map_or(&[][..], GroupRequirements::list);
        let per_vpc = known(self.per_vpc.as_ref(), read)?;
        Ok(per_vpc.and_then(|it| it.get(vpc)).map_or(everywhere, Vec::as_slice))
    }

    fn in_scope<'a>(&self, subject: &'a InstanceInGroups) -> impl Iterator<Item = &'a Interface> {
        let all = self.scope == InterfaceScope::AllEnis;
        subject.interfaces.iter().filter(move |it| all || it.is_primary)
    }

    /// Why an interface must not get `count` groups automatically.
    fn blockers(&self, interface: &Interface, count: usize) -> Vec<String> {
        let Interface { id, kind, .. } = interface;
        let mut reasons = Vec::new();
        match interface.requester_managed {
            None => reasons.push(format!("{id} was not read with DescribeNetworkInterfaces")),
            Some(true) => reasons.push(format!("{id} is requester-managed")),
            Some(false) => {}
        }
        reasons.extend(interface.operator.as_ref().map(|it| format!("{id} is managed by `{it}`")));
        if !matches!(kind.as_deref(), Some("interface" | "efa")) {
            reasons.push(format!("{id} is of type `{}`", kind.as_deref().unwrap_or("unknown")));
        }
        let max = self.max_groups_per_eni.get();
        if u32::try_from(count).is_ok_and(|count| count > max) || count > 16 {
            reasons.push(format!("{id} would have {count} groups; at most {max} are allowed"));
        }
        reasons
    }
}

#[cfg(test)]
mod tests;
