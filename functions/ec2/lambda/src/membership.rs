//! The security groups of instances: the existing groups, the attached ones, and attaching more.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_ec2::types;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use rectify_compliance::{ResourceKey, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, Found, List, Listed, Page, ReadFacts};

use super::instances::{instance, operator};
use super::{Clients, filter};
use rectify_ec2::controls::ec2_instance_required_security_group::requirement::{FoundGroups, GroupRequirement, PerVpc};
use rectify_ec2::controls::ec2_instance_required_security_group::{
    Ec2InstanceRequiredSecurityGroup, Ec2InstanceRequiredSecurityGroupAction,
    Ec2InstanceRequiredSecurityGroupParameters, InterfaceScope,
};
use rectify_ec2::resources::instance::TYPE;
use rectify_ec2::resources::instance_groups::{
    GroupFacts, InstanceInGroups, Interface, RecordedInterfaces, is_primary,
};

/// The maximum page size of these listings.
const PAGE_SIZE: i32 = 1000;

/// States of existing instances.
const EXISTING_STATES: [&str; 4] = ["pending", "running", "stopping", "stopped"];

type Parameters = Ec2InstanceRequiredSecurityGroupParameters;

impl ReadFacts<Clients> for Ec2InstanceRequiredSecurityGroup {
    async fn facts(
        &self,
        clients: &Clients,
        target: &Target,
        recorded: &RecordedInterfaces,
        params: &Parameters,
    ) -> Result<Option<Option<GroupFacts>>, AwsError> {
        let Some(vpc) = recorded.instance.vpc_id.as_deref().filter(|_| !recorded.instance.is_gone()) else {
            return Ok(Some(None));
        };
        let per_vpc = clients.stored(params.per_vpc.as_ref()).await?;
        let found = clients.found_groups(vpc, params, per_vpc.as_ref()).await?;
        let mut interfaces = None;
        if params.scope == InterfaceScope::AllEnis && !recorded.lists_interfaces() {
            let Some(live) = clients.describe_instance(&target.resource.id).await? else { return Ok(None) };
            interfaces = Some(listed(&live)?);
        }
        Ok(Some(Some(GroupFacts { found, interfaces, per_vpc })))
    }
}

/// The cache of a listing: the groups of each VPC, and the value of `perVpc`.
#[derive(Debug, Default)]
struct Cache {
    per_vpc: Option<Option<PerVpc>>,
    found: HashMap<String, Result<FoundGroups, AwsError>>,
}

impl List<Clients> for Ec2InstanceRequiredSecurityGroup {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        params: &'a Parameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<InstanceInGroups>, AwsError>> + Send + 'a {
        let request = clients.ec2.describe_instances().include_managed_resources(true).set_next_token(from);
        let pages = request
            .filters(filter("instance-state-name", EXISTING_STATES))
            .into_paginator()
            .page_size(PAGE_SIZE)
            .send();
        try_unfold((pages, Cache::default()), move |(mut pages, mut cache)| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("ec2:DescribeInstances", &error))?;
            cache.read_per_vpc(clients, params).await?;
            let mut resources = Vec::new();
            for answer in page.reservations().iter().flat_map(types::Reservation::instances) {
                let id = answer.instance_id().ok_or_else(|| ShapeError::missing("Instances.InstanceId", "an id"))?;
                let found = Found { resource: ResourceKey::new(TYPE, id), name: None };
                resources.extend(Listed::of(found, cache.subject(answer, clients, place, params).await.map(Some)));
            }
            let next = page.next_token.filter(|it| !it.is_empty());
            Ok(Some((Page { resources, next }, (pages, cache))))
        })
    }
}

impl Cache {
    /// The value of `perVpc`: no instance can be evaluated without it.
    async fn read_per_vpc(&mut self, clients: &Clients, params: &Parameters) -> Result<Option<PerVpc>, AwsError> {
        let per_vpc = match &self.per_vpc {
            Some(read) => read.clone(),
            None => clients.stored(params.per_vpc.as_ref()).await?,
        };
        self.per_vpc = Some(per_vpc.clone());
        Ok(per_vpc)
    }

    /// The groups of a VPC, from the cache or from EC2; a failed read is cached, too.
    async fn groups_of(
        &mut self,
        vpc: Option<&str>,
        clients: &Clients,
        params: &Parameters,
    ) -> Result<(FoundGroups, Option<PerVpc>), AwsError> {
        let per_vpc = self.read_per_vpc(clients, params).await?;
        let Some(vpc) = vpc else { return Err(ShapeError::missing("Instances.VpcId", "a VPC").into()) };
        let found = match self.found.get(vpc) {
            Some(found) => found.clone(),
            None => clients.found_groups(vpc, params, per_vpc.as_ref()).await,
        };
        self.found.insert(vpc.to_owned(), found.clone());
        Ok((found?, per_vpc))
    }

    /// A listed instance with the groups of its VPC.
    async fn subject(
        &mut self,
        answer: &types::Instance,
        clients: &Clients,
        place: &AccountRegion,
        params: &Parameters,
    ) -> Result<InstanceInGroups, AwsError> {
        let instance = instance(answer, &place.account, &place.region)?;
        let interfaces = listed(answer)?;
        let (found, per_vpc) = self.groups_of(instance.vpc_id.as_deref(), clients, params).await?;
        Ok(InstanceInGroups { instance, interfaces, found, per_vpc })
    }
}

impl Fix<Clients> for Ec2InstanceRequiredSecurityGroup {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &Parameters,
    ) -> Result<Option<InstanceInGroups>, AwsError> {
        let Some(answer) = clients.describe_instance(&target.resource.id).await? else { return Ok(None) };
        let instance = instance(&answer, &target.account, &target.region)?;
        if instance.is_gone() {
            let (interfaces, found, per_vpc) = Default::default();
            return Ok(Some(InstanceInGroups { instance, interfaces, found, per_vpc }));
        }
        let mut cache = Cache::default();
        let (found, per_vpc) = cache.groups_of(instance.vpc_id.as_deref(), clients, params).await?;
        let interfaces = clients.interfaces_of(&instance.id).await?;
        Ok(Some(InstanceInGroups { instance, interfaces, found, per_vpc }))
    }

    async fn apply(
        &self,
        clients: &Clients,
        _target: &Target,
        action: &Ec2InstanceRequiredSecurityGroupAction,
    ) -> Result<(), AwsError> {
        clients.replace_groups(action).await
    }
}

impl Clients {
    async fn replace_groups(&self, action: &Ec2InstanceRequiredSecurityGroupAction) -> Result<(), AwsError> {
        let Ec2InstanceRequiredSecurityGroupAction::ModifyNetworkInterfaceAttribute { network_interface_id, groups } =
            action;
        let request = self.ec2.modify_network_interface_attribute().network_interface_id(network_interface_id);
        let answer = request.set_groups(Some(groups.clone())).send().await;
        answer.map(drop).map_err(|error| AwsError::call("ec2:ModifyNetworkInterfaceAttribute", &error))
    }

    /// The groups of a VPC that match the requirements there; without requirements there is no call.
    async fn found_groups(
        &self,
        vpc: &str,
        params: &Parameters,
        per_vpc: Option<&PerVpc>,
    ) -> Result<FoundGroups, AwsError> {
        let wanted = params.wanted(vpc, per_vpc).map_err(|reason| ShapeError::new("perVpc", "a value", reason))?;
        let mut found = BTreeMap::new();
        for requirement in wanted {
            found.insert(requirement.to_string(), self.matching_groups(vpc, requirement).await?);
        }
        Ok(FoundGroups(found))
    }

    /// `DescribeSecurityGroups` of one VPC and one requirement, all pages. EC2 treats `*` and `?` in a filter as
    /// wildcards, so the answer is compared again.
    async fn matching_groups(&self, vpc: &str, wanted: &GroupRequirement) -> Result<BTreeSet<String>, AwsError> {
        let by = match wanted {
            GroupRequirement::Id(id) => filter("group-id", [id]),
            GroupRequirement::Name(name) => filter("group-name", [name]),
            GroupRequirement::Tag { key, value } => filter(&format!("tag:{key}"), [value]),
        };
        let request = self.ec2.describe_security_groups().filters(filter("vpc-id", [vpc])).filters(by);
        let mut pages = request.into_paginator().page_size(PAGE_SIZE).send();
        let mut ids = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("ec2:DescribeSecurityGroups", &error))?;
            let matching =
                page.security_groups().iter().filter(|group| group.vpc_id() == Some(vpc) && is(group, wanted));
            ids.extend(matching.filter_map(|group| group.group_id().map(str::to_owned)));
        }
        Ok(ids)
    }

    /// `DescribeNetworkInterfaces` of one instance, all pages.
    async fn interfaces_of(&self, instance_id: &str) -> Result<Vec<Interface>, AwsError> {
        let request = self.ec2.describe_network_interfaces().include_managed_resources(true);
        let request = request.filters(filter("attachment.instance-id", [instance_id]));
        let mut pages = request.into_paginator().page_size(PAGE_SIZE).send();
        let mut interfaces = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("ec2:DescribeNetworkInterfaces", &error))?;
            for it in page.network_interfaces() {
                let attachment = it.attachment();
                interfaces.push(Interface {
                    id: id_of(it.network_interface_id())?,
                    is_primary: is_primary(
                        attachment.and_then(types::NetworkInterfaceAttachment::device_index).map(i64::from),
                        attachment.and_then(types::NetworkInterfaceAttachment::network_card_index).map(i64::from),
                    ),
                    groups: group_ids(it.groups()),
                    kind: it.interface_type().map(|kind| kind.as_str().to_owned()),
                    requester_managed: Some(it.requester_managed() == Some(true)),
                    operator: operator(it.operator()),
                });
            }
        }
        interfaces.sort_by(|left, right| left.id.cmp(&right.id));
        Ok(interfaces)
    }
}

/// The interfaces in an instance's description.
fn listed(answer: &types::Instance) -> Result<Vec<Interface>, ShapeError> {
    let interface = |it: &types::InstanceNetworkInterface| {
        let attachment = it.attachment();
        Ok(Interface {
            id: id_of(it.network_interface_id())?,
            is_primary: is_primary(
                attachment.and_then(types::InstanceNetworkInterfaceAttachment::device_index).map(i64::from),
                attachment.and_then(types::InstanceNetworkInterfaceAttachment::network_card_index).map(i64::from),
            ),
            groups: group_ids(it.groups()),
            kind: it.interface_type().map(str::to_owned),
            requester_managed: None,
            operator: operator(it.operator()),
        })
    };
    answer.network_interfaces().iter().map(interface).collect()
}

fn id_of(id: Option<&str>) -> Result<String, ShapeError> {
    id.map(str::to_owned).ok_or_else(|| ShapeError::missing("NetworkInterfaceId", "an interface id"))
}

fn group_ids(groups: &[types::GroupIdentifier]) -> Vec<String> {
    groups.iter().filter_map(|group| group.group_id().map(str::to_owned)).collect()
}

fn is(group: &types::SecurityGroup, wanted: &GroupRequirement) -> bool {
    match wanted {
        GroupRequirement::Id(id) => group.group_id() == Some(id),
        GroupRequirement::Name(name) => group.group_name() == Some(name),
        GroupRequirement::Tag { key, value } => {
            group.tags().iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(value))
        }
    }
}
