//! The rules of a security group: read with their ids, revoked and authorized.

use aws_sdk_ec2::types;
use rectify_compliance::ShapeError;
use rectify_runtime::AwsError;

use super::{Clients, filter, tags};
use rectify_ec2::families::authorization::{Authorization, Authorize, NewPermission};
use rectify_ec2::families::revocation::Revoke;
use rectify_ec2::resources::live_rule::LiveRule;
use rectify_ec2::resources::permission::IpPermission;
use rectify_ec2::resources::rule::Rule;

/// The error codes for revoking a rule that is gone; the rules are read before either code is trusted.
const NO_RULE: [&str; 2] = ["InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound"];

/// The error code for authorizing a rule that already exists.
const DUPLICATE: &str = "InvalidPermission.Duplicate";

/// Rules per page, the API's maximum.
const RULES_PER_PAGE: i32 = 1000;

impl Clients {
    /// All rules of a group, in both directions, sorted.
    pub(super) async fn rules(&self, group_id: &str) -> Result<Vec<Rule>, AwsError> {
        let request = self.ec2.describe_security_group_rules().filters(filter("group-id", [group_id]));
        let mut pages = request.into_paginator().page_size(RULES_PER_PAGE).send();
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

    /// Revokes rules. EC2 refuses the complete call because of one unknown id, so a second call omits rules that were
    /// revoked in the meantime.
    pub(super) async fn close(&self, call: &Revoke) -> Result<(), AwsError> {
        let input = call.input();
        let refused = match self.revoke(call, input.security_group_rule_ids.clone()).await {
            Err(error) if NO_RULE.iter().any(|code| error.is(code)) => error,
            answer => return answer,
        };
        let existing = self.rules(&input.group_id).await?;
        let exists = |id: &&String| existing.iter().any(|rule| rule.id.as_ref() == Some(*id));
        let left: Vec<String> = input.security_group_rule_ids.iter().filter(exists).cloned().collect();
        match left.len() {
            0 => Ok(()),
            count if count == input.security_group_rule_ids.len() => Err(refused),
            _ => self.revoke(call, left).await,
        }
    }

    async fn revoke(&self, call: &Revoke, rule_ids: Vec<String>) -> Result<(), AwsError> {
        let group_id = &call.input().group_id;
        match call {
            Revoke::RevokeSecurityGroupIngress(_) => {
                const OPERATION: &str = "ec2:RevokeSecurityGroupIngress";
                let request = self.ec2.revoke_security_group_ingress().group_id(group_id);
                let answer = request.set_security_group_rule_ids(Some(rule_ids)).send().await;
                accepted(OPERATION, answer.map_err(|error| AwsError::call(OPERATION, &error))?.r#return())
            }
            Revoke::RevokeSecurityGroupEgress(_) => {
                const OPERATION: &str = "ec2:RevokeSecurityGroupEgress";
                let request = self.ec2.revoke_security_group_egress().group_id(group_id);
                let answer = request.set_security_group_rule_ids(Some(rule_ids)).send().await;
                accepted(OPERATION, answer.map_err(|error| AwsError::call(OPERATION, &error))?.r#return())
            }
        }
    }

    /// Authorizes the rule of an undo again; a rule that already exists is a success.
    pub(super) async fn reopen(&self, call: &Authorize) -> Result<(), AwsError> {
        match self.authorize(call, &call.input().ip_permissions).await {
            Err(error) if error.is(DUPLICATE) => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// Authorizes rules and returns their ids. EC2 refuses the complete call because of one existing rule, so a second
    /// call omits rules that were authorized in the meantime.
    pub(super) async fn open(&self, call: &Authorize) -> Result<Vec<String>, AwsError> {
        let Authorization { group_id, ip_permissions, .. } = call.input();
        let wanted = call.rules();
        match self.authorize(call, ip_permissions).await {
            Ok(ids) if ids.len() == wanted.len() => return Ok(ids),
            Ok(_) => {}
            Err(error) if error.is(DUPLICATE) => {
                let existing = self.rules(group_id).await?;
                let is_missing = |permission: &&NewPermission| {
                    let rules = IpPermission::from((*permission).clone()).flatten(call.direction()).unwrap_or_default();
                    rules.iter().any(|rule| !existing.iter().any(|it| it.is_same_traffic(rule)))
                };
                let missing: Vec<NewPermission> = ip_permissions.iter().filter(is_missing).cloned().collect();
                if !missing.is_empty() {
                    self.authorize(call, &missing).await?;
                }
            }
            Err(error) => return Err(error),
        }
        let existing = self.rules(group_id).await?;
        let is_wanted = |rule: &Rule| wanted.iter().any(|it| it.is_same_traffic(rule));
        Ok(existing.into_iter().filter(is_wanted).filter_map(|rule| rule.id).collect())
    }

    async fn authorize(&self, call: &Authorize, permissions: &[NewPermission]) -> Result<Vec<String>, AwsError> {
        let input = call.input();
        let permissions = Some(permissions.iter().map(new_permission).collect());
        let made = match call {
            Authorize::AuthorizeSecurityGroupIngress(_) => {
                const OPERATION: &str = "ec2:AuthorizeSecurityGroupIngress";
                let request = self.ec2.authorize_security_group_ingress().group_id(&input.group_id);
                let request = request.set_ip_permissions(permissions).set_tag_specifications(tag_specifications(input));
                let answer = request.send().await.map_err(|error| AwsError::call(OPERATION, &error))?;
                accepted(OPERATION, answer.r#return())?;
                answer.security_group_rules
            }
            Authorize::AuthorizeSecurityGroupEgress(_) => {
                const OPERATION: &str = "ec2:AuthorizeSecurityGroupEgress";
                let request = self.ec2.authorize_security_group_egress().group_id(&input.group_id);
                let request = request.set_ip_permissions(permissions).set_tag_specifications(tag_specifications(input));
                let answer = request.send().await.map_err(|error| AwsError::call(OPERATION, &error))?;
                accepted(OPERATION, answer.r#return())?;
                answer.security_group_rules
            }
        };
        let mut ids: Vec<String> =
            made.unwrap_or_default().into_iter().filter_map(|rule| rule.security_group_rule_id).collect();
        ids.sort();
        Ok(ids)
    }
}

/// `Return` is true if EC2 applied the change; an answer without it is a success, too.
fn accepted(operation: &'static str, answer: Option<bool>) -> Result<(), AwsError> {
    match answer {
        Some(false) => Err(ShapeError::new(format!("{operation}.Return"), "true", false).into()),
        Some(true) | None => Ok(()),
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
    let lists = permission.prefix_list_ids.iter().map(|list| {
        types::PrefixListId::builder()
            .prefix_list_id(&list.prefix_list_id)
            .set_description(list.description.clone())
            .build()
    });
    let groups = permission.user_id_group_pairs.iter().map(|pair| {
        types::UserIdGroupPair::builder()
            .group_id(&pair.group_id)
            .set_user_id(pair.user_id.clone())
            .set_description(pair.description.clone())
            .build()
    });
    types::IpPermission::builder()
        .ip_protocol(&permission.ip_protocol)
        .set_from_port(permission.from_port)
        .set_to_port(permission.to_port)
        .set_ip_ranges(some(v4))
        .set_ipv6_ranges(some(v6))
        .set_prefix_list_ids(some(lists))
        .set_user_id_group_pairs(some(groups))
        .build()
}

/// A list; `None` if it is empty.
fn some<T>(list: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let list: Vec<T> = list.collect();
    (!list.is_empty()).then_some(list)
}

fn tag_specifications(input: &Authorization) -> Option<Vec<types::TagSpecification>> {
    some(input.tag_specifications.iter().map(|it| {
        let tags = it.tags.iter().map(|tag| types::Tag::builder().key(&tag.key).value(&tag.value).build());
        types::TagSpecification::builder()
            .resource_type(types::ResourceType::from(it.resource_type.as_str()))
            .set_tags(Some(tags.collect()))
            .build()
    }))
}
