//! Security groups: listed, read with the ids of their rules, closed and opened again.

use aws_sdk_ec2::types;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use rectify_compliance::{AccountId, Region, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::edge::{Apply, List, Place, ReadFacts, ReadLive, Revert};

use super::network::PrefixLists;
use super::{Clients, filter, tags};
use crate::authorization::{AuthorizeIngress, NewPermission};
use crate::permission::{GroupPair, IpPermission, Listed};
use crate::restricted_ssh::{RestrictedSsh, RestrictedSshAction, RestrictedSshParameters, RestrictedSshUndo};
use crate::rule::{LiveRule, Rule};
use crate::security_group::{GroupInNetwork, Network, SecurityGroup};

/// Groups a page: as many as one filter of `DescribeNetworkInterfaces` takes values.
const GROUPS_A_PAGE: i32 = 200;

/// The codes of a revocation of a rule that is gone; what is there is read before either is believed.
const NO_RULE: [&str; 2] = ["InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound"];

/// Rules a page, the most the API gives.
const RULES_A_PAGE: i32 = 1000;

impl ReadFacts<Clients> for RestrictedSsh {
    async fn facts(
        clients: &Clients,
        _target: &Target,
        group: &SecurityGroup,
        params: &RestrictedSshParameters,
    ) -> Result<Option<Network>, AwsError> {
        let mut lists = PrefixLists::default();
        let prefix_lists = lists.read(clients, &params.prefix_lists_to_read(group)).await?;
        let usage = if params.ignore_unattached.0 { Some(clients.usage(&group.id).await?) } else { None };
        Ok(Some(Network { prefix_lists, usage }))
    }
}

impl List<Clients> for RestrictedSsh {
    fn pages<'a>(
        clients: &'a Clients,
        place: &'a Place,
        params: &'a RestrictedSshParameters,
    ) -> impl Stream<Item = Result<Vec<GroupInNetwork>, AwsError>> + Send + 'a {
        let pages = clients.ec2.describe_security_groups().into_paginator().page_size(GROUPS_A_PAGE).send();
        try_unfold((pages, PrefixLists::default()), move |(mut pages, mut lists)| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("ec2:DescribeSecurityGroups", &error))?;
            let groups = own_groups(page.security_groups(), place)?;
            let subjects = clients.surround(groups, &mut lists, params).await?;
            Ok(Some((subjects, (pages, lists))))
        })
    }
}

/// The groups of the account that is judged; a shared VPC shows those of its other accounts, which judge them themselves.
fn own_groups(page: &[types::SecurityGroup], place: &Place) -> Result<Vec<SecurityGroup>, AwsError> {
    let mut groups = Vec::with_capacity(page.len());
    for group in page {
        let group = with_rules_of(group, &place.account, &place.region)?;
        if group.owner == place.account {
            groups.push(group);
        }
    }
    Ok(groups)
}

impl Clients {
    /// Adds to a page of groups what surrounds them, with as few calls as there are prefix lists and pages of interfaces.
    async fn surround(
        &self,
        groups: Vec<SecurityGroup>,
        lists: &mut PrefixLists,
        params: &RestrictedSshParameters,
    ) -> Result<Vec<GroupInNetwork>, AwsError> {
        let mut usages = if params.ignore_unattached.0 {
            Some(self.usages(groups.iter().map(|group| group.id.as_str())).await?)
        } else {
            None
        };
        let mut subjects = Vec::with_capacity(groups.len());
        for group in groups {
            let prefix_lists = lists.read(self, &params.prefix_lists_to_read(&group)).await?;
            let usage = usages.as_mut().map(|it| it.remove(&group.id).unwrap_or_default());
            subjects.push(GroupInNetwork { group, network: Network { prefix_lists, usage } });
        }
        Ok(subjects)
    }

    /// Every rule of a group, both directions, sorted.
    async fn rules(&self, group_id: &str) -> Result<Vec<Rule>, AwsError> {
        let request = self.ec2.describe_security_group_rules().filters(filter("group-id", [group_id]));
        let mut pages = request.into_paginator().page_size(RULES_A_PAGE).send();
        let mut rules = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("ec2:DescribeSecurityGroupRules", &error))?;
            for rule in page.security_group_rules() {
                rules.push(Rule::try_from(live_rule(rule))?);
            }
        }
        rules.sort();
        Ok(rules)
    }

    async fn revoke(&self, group_id: &str, rule_ids: Vec<String>) -> Result<(), AwsError> {
        const OPERATION: &str = "ec2:RevokeSecurityGroupIngress";
        let request =
            self.ec2.revoke_security_group_ingress().group_id(group_id).set_security_group_rule_ids(Some(rule_ids));
        let answer = request.send().await.map_err(|error| AwsError::call(OPERATION, &error))?;
        accepted(OPERATION, answer.r#return())
    }
}

impl ReadLive<Clients> for RestrictedSsh {
    async fn live(
        clients: &Clients,
        target: &Target,
        params: &RestrictedSshParameters,
    ) -> Result<Option<GroupInNetwork>, AwsError> {
        let id = target.resource.id.as_str();
        let answer = match clients.ec2.describe_security_groups().group_ids(id).send().await {
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
        group.rules = clients.rules(id).await?;
        let prefix_lists = PrefixLists::default().read(clients, &params.prefix_lists_to_read(&group)).await?;
        let usage = Some(clients.usage(id).await?);
        Ok(Some(GroupInNetwork { group, network: Network { prefix_lists, usage } }))
    }
}

impl Apply<Clients> for RestrictedSsh {
    /// One unknown id makes EC2 refuse the whole call, so what somebody else revoked meanwhile is left out of a second one.
    async fn apply(clients: &Clients, _target: &Target, action: &RestrictedSshAction) -> Result<(), AwsError> {
        let RestrictedSshAction::RevokeSecurityGroupIngress { group_id, security_group_rule_ids: ids } = action;
        let refused = match clients.revoke(group_id, ids.clone()).await {
            Err(error) if NO_RULE.iter().any(|code| error.is(code)) => error,
            answer => return answer,
        };
        let there = clients.rules(group_id).await?;
        let is_there = |id: &&String| there.iter().any(|rule| rule.id.as_ref() == Some(*id));
        let left: Vec<String> = ids.iter().filter(is_there).cloned().collect();
        match left.len() {
            0 => Ok(()),
            count if count == ids.len() => Err(refused),
            _ => clients.revoke(group_id, left).await,
        }
    }
}

impl Revert<Clients> for RestrictedSsh {
    async fn revert(clients: &Clients, _target: &Target, undo: &RestrictedSshUndo) -> Result<(), AwsError> {
        const OPERATION: &str = "ec2:AuthorizeSecurityGroupIngress";
        let RestrictedSshUndo::AuthorizeSecurityGroupIngress(call) = undo;
        let request = clients
            .ec2
            .authorize_security_group_ingress()
            .group_id(&call.group_id)
            .set_ip_permissions(Some(call.ip_permissions.iter().map(new_permission).collect()))
            .set_tag_specifications(tag_specifications(call));
        match request.send().await {
            Ok(answer) => accepted(OPERATION, answer.r#return()),
            Err(error) => {
                let error = AwsError::call(OPERATION, &error);
                if error.is("InvalidPermission.Duplicate") { Ok(()) } else { Err(error) }
            }
        }
    }
}

/// `Return` is true where EC2 did it; an answer without it is one of success.
fn accepted(operation: &'static str, answer: Option<bool>) -> Result<(), AwsError> {
    match answer {
        Some(false) => Err(ShapeError::new(format!("{operation}.Return"), "true", false).into()),
        Some(true) | None => Ok(()),
    }
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

fn live_rule(rule: &types::SecurityGroupRule) -> LiveRule {
    let text = |value: Option<&str>| value.filter(|it| !it.is_empty()).map(str::to_owned);
    LiveRule {
        id: text(rule.security_group_rule_id()),
        is_egress: rule.is_egress(),
        protocol: text(rule.ip_protocol()),
        from_port: rule.from_port(),
        to_port: rule.to_port(),
        cidr_ipv4: text(rule.cidr_ipv4()),
        cidr_ipv6: text(rule.cidr_ipv6()),
        prefix_list_id: text(rule.prefix_list_id()),
        group: rule.referenced_group_info().map(|it| (text(it.group_id()), text(it.user_id()))),
        description: text(rule.description()),
        tags: tags(rule.tags()),
    }
}

fn new_permission(permission: &NewPermission) -> types::IpPermission {
    let v4 = permission.ip_ranges.iter().map(|range| {
        types::IpRange::builder().cidr_ip(&range.cidr_ip).set_description(range.description.clone()).build()
    });
    let v6 = permission.ipv6_ranges.iter().map(|range| {
        types::Ipv6Range::builder().cidr_ipv6(&range.cidr_ipv6).set_description(range.description.clone()).build()
    });
    let some = |empty: bool| (!empty).then_some(());
    types::IpPermission::builder()
        .ip_protocol(&permission.ip_protocol)
        .set_from_port(permission.from_port)
        .set_to_port(permission.to_port)
        .set_ip_ranges(some(permission.ip_ranges.is_empty()).map(|()| v4.collect()))
        .set_ipv6_ranges(some(permission.ipv6_ranges.is_empty()).map(|()| v6.collect()))
        .build()
}

fn tag_specifications(call: &AuthorizeIngress) -> Option<Vec<types::TagSpecification>> {
    let specifications: Vec<types::TagSpecification> = call
        .tag_specifications
        .iter()
        .map(|it| {
            let tags = it.tags.iter().map(|tag| types::Tag::builder().key(&tag.key).value(&tag.value).build());
            types::TagSpecification::builder()
                .resource_type(types::ResourceType::from(it.resource_type.as_str()))
                .set_tags(Some(tags.collect()))
                .build()
        })
        .collect();
    (!specifications.is_empty()).then_some(specifications)
}
