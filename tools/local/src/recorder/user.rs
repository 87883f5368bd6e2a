//! `AWS::IAM::User`: its policies, groups, boundary and tags. MFA, access keys and password are not in the item but
//! live reads.
//!
//! Policy documents are percent-encoded (RFC 3986), as in captured items.

use std::collections::BTreeMap;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{AttachedPolicy, Group, PermissionsBoundaryAttachmentType, User};
use serde_json::{Map, Value, json};

use super::observation::{NOT_APPLICABLE, Observation, iso, relationship, sorted, timestamp};
use super::{RecorderError, failed, required, unless};

/// IAM's error code for a user deleted since it was listed.
const DELETED: [&str; 1] = ["NoSuchEntity"];

pub(super) async fn read(iam: &Client) -> Result<Vec<Observation>, RecorderError> {
    let mut users = iam.list_users().into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(user) = users.next().await {
        let user = user.map_err(failed("iam:ListUsers", "all users"))?;
        observations.extend(observe(iam, user.user_name()).await?);
    }
    Ok(observations)
}

/// Reads one user; none if it was deleted since it was listed.
async fn observe(iam: &Client, name: &str) -> Result<Option<Observation>, RecorderError> {
    // ListUsers leaves out boundary and tags; GetUser has them.
    let answer = unless(&DELETED, iam.get_user().user_name(name).send().await).map_err(failed("iam:GetUser", name))?;
    let Some(user) = answer.and_then(|answer| answer.user) else { return Ok(None) };

    let inline =
        iam.list_user_policies().user_name(name).into_paginator().items().send().collect::<Result<Vec<_>, _>>();
    let inline = unless(&DELETED, inline.await).map_err(failed("iam:ListUserPolicies", name))?;
    let attached = iam
        .list_attached_user_policies()
        .user_name(name)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>();
    let attached = unless(&DELETED, attached.await).map_err(failed("iam:ListAttachedUserPolicies", name))?;
    let groups =
        iam.list_groups_for_user().user_name(name).into_paginator().items().send().collect::<Result<Vec<_>, _>>();
    let groups = unless(&DELETED, groups.await).map_err(failed("iam:ListGroupsForUser", name))?;
    let (Some(inline), Some(attached), Some(groups)) = (inline, attached, groups) else { return Ok(None) };

    let mut policies = Vec::new();
    for policy in inline {
        let answer = iam.get_user_policy().user_name(name).policy_name(&policy).send().await;
        if let Some(answer) = unless(&DELETED, answer).map_err(failed("iam:GetUserPolicy", name))? {
            policies.push(json!({ "policyName": policy, "policyDocument": encoded(answer.policy_document()) }));
        }
    }
    let mut relationships: Vec<Value> = groups.iter().map(membership).collect();
    for policy in &attached {
        relationships.extend(customer_managed(iam, name, policy).await?);
    }
    Ok(Some(item(&user, policies, &attached, &groups, relationships)))
}

/// AWS managed policies do not belong to the account and have no relationship.
async fn customer_managed(iam: &Client, user: &str, policy: &AttachedPolicy) -> Result<Option<Value>, RecorderError> {
    let arn = required(user, "policyArn", policy.policy_arn())?;
    if arn.split(':').nth(4) == Some("aws") {
        return Ok(None);
    }
    let answer =
        unless(&DELETED, iam.get_policy().policy_arn(arn).send().await).map_err(failed("iam:GetPolicy", arn))?;
    let id = answer.and_then(|answer| answer.policy).and_then(|policy| policy.policy_id);
    Ok(id.map(|id| relationship("AWS::IAM::Policy", &id, policy.policy_name(), "Is attached to CustomerManagedPolicy")))
}

fn membership(group: &Group) -> Value {
    relationship("AWS::IAM::Group", group.group_id(), Some(group.group_name()), "Is attached to Group")
}

fn item(
    user: &User,
    policies: Vec<Value>,
    attached: &[AttachedPolicy],
    groups: &[Group],
    mut relationships: Vec<Value>,
) -> Observation {
    relationships.sort_by_cached_key(Value::to_string);
    let created = timestamp(user.create_date());
    let tags: BTreeMap<String, String> =
        user.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    let boundary = user.permissions_boundary().map(|boundary| {
        json!({
            "permissionsBoundaryType": boundary.permissions_boundary_type().map(PermissionsBoundaryAttachmentType::as_str),
            "permissionsBoundaryArn": boundary.permissions_boundary_arn()
        })
    });
    let managed =
        attached.iter().map(|policy| json!({ "policyName": policy.policy_name(), "policyArn": policy.policy_arn() }));
    Observation {
        resource_id: user.user_id().to_owned(),
        resource_name: Some(user.user_name().to_owned()),
        arn: user.arn().to_owned(),
        region: "global".to_owned(),
        availability_zone: NOT_APPLICABLE,
        created,
        relationships,
        configuration: json!({
            "path": user.path(),
            "userName": user.user_name(),
            "userId": user.user_id(),
            "arn": user.arn(),
            "createDate": created.map(iso),
            "userPolicyList": sorted(policies),
            "groupList": sorted(groups.iter().map(|group| group.group_name().into())),
            "attachedManagedPolicies": sorted(managed),
            "permissionsBoundary": boundary,
            "tags": tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect::<Vec<_>>()
        }),
        supplementary: Map::new(),
        tags,
    }
}

/// A policy document as in items. IAM returns it percent-encoded; plain JSON of a backend is encoded here.
pub(super) fn encoded(document: &str) -> String {
    if !document.trim_start().starts_with('{') {
        return document.to_owned();
    }
    let mut text = String::with_capacity(document.len() * 2);
    for byte in document.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use aws_sdk_iam::primitives::DateTime;
    use aws_sdk_iam::types::Tag;

    use super::*;

    #[test]
    fn document_is_percent_encoded_once() {
        let plain = r#"{"Version": "2012-10-17", "Resource": "a+b/é"}"#;
        let once = "%7B%22Version%22%3A%20%222012-10-17%22%2C%20%22Resource%22%3A%20%22a%2Bb%2F%C3%A9%22%7D";
        assert_eq!(encoded(plain), once);
        assert_eq!(encoded(once), once);
    }

    #[test]
    fn user_becomes_an_aws_config_item() {
        let created = DateTime::from_secs(1_767_323_045);
        let user = User::builder()
            .path("/")
            .user_name("ada")
            .user_id("AIDAEXAMPLE")
            .arn("arn:aws:iam::111122223333:user/ada")
            .create_date(created)
            .tags(Tag::builder().key("team").value("blue").build().unwrap())
            .build()
            .unwrap();
        let group = Group::builder()
            .path("/")
            .group_name("staff")
            .group_id("AGPAEXAMPLE")
            .arn("arn:aws:iam::111122223333:group/staff")
            .create_date(created)
            .build()
            .unwrap();
        let attached = AttachedPolicy::builder().policy_name("View").policy_arn("arn:aws:iam::aws:policy/View").build();
        let groups = [group];
        let relationships = groups.iter().map(membership).collect();
        let observation = item(&user, vec![], &[attached], &groups, relationships);
        assert_eq!(observation.resource_id, "AIDAEXAMPLE");
        assert_eq!(
            observation.relationships,
            [json!({
                "resourceId": "AGPAEXAMPLE", "resourceName": "staff", "resourceType": "AWS::IAM::Group",
                "name": "Is attached to Group"
            })]
        );
        assert_eq!(
            observation.configuration,
            json!({
                "path": "/", "userName": "ada", "userId": "AIDAEXAMPLE", "arn": "arn:aws:iam::111122223333:user/ada",
                "createDate": "2026-01-02T03:04:05.000Z", "userPolicyList": [], "groupList": ["staff"],
                "attachedManagedPolicies": [{"policyName": "View", "policyArn": "arn:aws:iam::aws:policy/View"}],
                "permissionsBoundary": null, "tags": [{"key": "team", "value": "blue"}]
            })
        );
    }
}
