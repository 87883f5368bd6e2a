//! Security groups: listed page by page, and read individually with the ids of their rules.

use aws_sdk_ec2::types;
use futures_util::stream::try_unfold;
use futures_util::{Stream, TryStreamExt};
use rectify_compliance::{AccountId, Region, ResourceKey, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{self, AccountRegion, Found, Page};

use super::network::PrefixLists;
use super::{Clients, tags};
use rectify_ec2::families::port_limits::Limits;
use rectify_ec2::resources::permission::{GroupPair, IpPermission, Listed};
use rectify_ec2::resources::security_group::{GroupInNetwork, Network, SecurityGroup, TYPE};

/// Groups per page: the maximum number of values of a `DescribeNetworkInterfaces` filter.
const GROUPS_PER_PAGE: i32 = 200;

/// A page of the groups of an account.
#[derive(Debug)]
pub(super) struct GroupPage {
    /// The groups that could be parsed.
    pub groups: Vec<SecurityGroup>,
    /// The others, with the reason.
    pub unreadable: Vec<(Found, AwsError)>,
    /// The token of the next page.
    pub next: Option<String>,
}

impl Clients {
    /// The groups of the evaluated account, page by page from `from` on. A shared VPC also shows groups of its other
    /// accounts, which evaluate them themselves.
    pub(super) fn group_pages<'a>(
        &'a self,
        place: &'a AccountRegion,
        from: Option<String>,
    ) -> impl Stream<Item = Result<GroupPage, AwsError>> + Send + 'a {
        let request = self.ec2.describe_security_groups().set_next_token(from);
        let pages = request.into_paginator().page_size(GROUPS_PER_PAGE).send();
        try_unfold(pages, move |mut pages| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("ec2:DescribeSecurityGroups", &error))?;
            let (mut groups, mut unreadable) = (Vec::new(), Vec::new());
            for group in page.security_groups() {
                match with_rules_of(group, &place.account, &place.region) {
                    Ok(group) if group.owner == place.account => groups.push(group),
                    Ok(_) => {}
                    Err(error) => unreadable.push((found(group).ok_or_else(|| error.clone())?, error.into())),
                }
            }
            let next = page.next_token.filter(|it| !it.is_empty());
            Ok(Some((GroupPage { groups, unreadable, next }, pages)))
        })
    }

    /// The keys of the same groups.
    pub(super) fn group_keys<'a>(
        &'a self,
        place: &'a AccountRegion,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        self.group_pages(place, None).map_ok(|page| {
            let read = page.groups.iter().map(found_group);
            read.chain(page.unreadable.into_iter().map(|(found, _)| found)).map(|it| it.resource).collect::<Vec<_>>()
        })
    }

    /// The network facts of a group, as far as the parameters require them.
    pub(super) async fn network(&self, group: &SecurityGroup, limits: &Limits) -> Result<Network, AwsError> {
        let prefix_lists = PrefixLists::default().read(self, &limits.prefix_lists_to_read(group)).await?;
        let ignoring = limits.internet.ignore_unattached;
        let usage = if ignoring { Some(self.usage(&group.id).await?.unnamed()) } else { None };
        Ok(Network { prefix_lists, usage })
    }

    /// Adds the network facts to a page of groups, with one call per prefix list and page of interfaces. Without the
    /// interfaces no group of the page can be evaluated; an unreadable prefix list affects only the groups that
    /// reference it.
    pub(super) async fn with_network(
        &self,
        page: GroupPage,
        lists: &mut PrefixLists,
        limits: &Limits,
    ) -> Result<Page<GroupInNetwork>, AwsError> {
        let mut usages = if limits.internet.ignore_unattached {
            Some(self.usages(page.groups.iter().map(|group| group.id.as_str())).await?)
        } else {
            None
        };
        let mut resources: Vec<_> =
            page.unreadable.into_iter().map(|(it, why)| client::Listed::Unreadable(it, why)).collect();
        for group in page.groups {
            let usage = usages.as_mut().map(|it| it.remove(&group.id).unwrap_or_default().unnamed());
            resources.push(match lists.read(self, &limits.prefix_lists_to_read(&group)).await {
                Ok(prefix_lists) => {
                    client::Listed::Read(GroupInNetwork { group, network: Network { prefix_lists, usage } })
                }
                Err(error) => client::Listed::Unreadable(found_group(&group), error),
            });
        }
        Ok(Page { resources, next: page.next })
    }

    /// A group with its rules and their ids; `None` when it is gone.
    pub(super) async fn group(&self, target: &Target) -> Result<Option<SecurityGroup>, AwsError> {
        let id = target.resource.id.as_str();
        let answer = match self.ec2.describe_security_groups().group_ids(id).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let error = AwsError::call("ec2:DescribeSecurityGroups", &error);
                return if error.is("InvalidGroup.NotFound") { Ok(None) } else { Err(error) };
            }
        };
        let Some(found) = answer.security_groups().iter().find(|group| group.group_id() == Some(id)) else {
            return Ok(None);
        };
        let mut group = without_rules(found, &target.account, &target.region)?;
        group.rules = self.rules(id).await?;
        Ok(Some(group))
    }
}

/// A listed group's key and name.
pub(super) fn found_group(group: &SecurityGroup) -> Found {
    Found { resource: ResourceKey::new(TYPE, &group.id), name: group.name.clone() }
}

/// The same for a group that could not be parsed; `None` if even its id is missing.
fn found(group: &types::SecurityGroup) -> Option<Found> {
    Some(Found { resource: ResourceKey::new(TYPE, group.group_id()?), name: group.group_name().map(str::to_owned) })
}

fn without_rules(
    group: &types::SecurityGroup,
    account: &AccountId,
    region: &Region,
) -> Result<SecurityGroup, ShapeError> {
    let id = group.group_id().ok_or_else(|| ShapeError::missing("SecurityGroups.GroupId", "a group id"))?;
    let owner = group.owner_id().ok_or_else(|| ShapeError::missing("SecurityGroups.OwnerId", "an account id"))?;
    let owner = AccountId::new(owner);
    let arn = group.security_group_arn().map(str::to_owned);
    Ok(SecurityGroup {
        account: account.clone(),
        region: region.clone(),
        id: id.to_owned(),
        name: group.group_name().map(str::to_owned),
        vpc_id: group.vpc_id().map(str::to_owned),
        arn: arn.unwrap_or_else(|| SecurityGroup::arn_of(region, &owner, id)),
        owner,
        tags: tags(group.tags()),
        rules: Vec::new(),
    })
}

fn with_rules_of(
    group: &types::SecurityGroup,
    account: &AccountId,
    region: &Region,
) -> Result<SecurityGroup, ShapeError> {
    let permissions = |list: &[types::IpPermission]| list.iter().map(permission).collect();
    let rules =
        SecurityGroup::rules_of(permissions(group.ip_permissions()), permissions(group.ip_permissions_egress()))
            .map_err(|error| error.within(group.group_id().unwrap_or("SecurityGroups")))?;
    Ok(SecurityGroup { rules, ..without_rules(group, account, region)? })
}

fn permission(permission: &types::IpPermission) -> IpPermission {
    let listed = |value: Option<&str>, description: Option<&str>| Listed::Described {
        value: value.unwrap_or_default().to_owned(),
        description: description.map(str::to_owned),
    };
    IpPermission {
        ip_protocol: permission.ip_protocol().map(str::to_owned),
        from_port: permission.from_port(),
        to_port: permission.to_port(),
        ip_ranges: None,
        ipv4_ranges: Some(permission.ip_ranges().iter().map(|it| listed(it.cidr_ip(), it.description())).collect()),
        ipv6_ranges: Some(permission.ipv6_ranges().iter().map(|it| listed(it.cidr_ipv6(), it.description())).collect()),
        prefix_list_ids: Some(
            permission.prefix_list_ids().iter().map(|it| listed(it.prefix_list_id(), it.description())).collect(),
        ),
        user_id_group_pairs: Some(
            permission
                .user_id_group_pairs()
                .iter()
                .map(|it| GroupPair {
                    group_id: it.group_id().map(str::to_owned),
                    user_id: it.user_id().map(str::to_owned),
                    description: it.description().map(str::to_owned),
                })
                .collect(),
        ),
    }
}
