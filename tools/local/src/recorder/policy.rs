//! `AWS::IAM::Policy`: a customer managed policy with all its versions. Relationships to the users, groups and roles that
//! use it are left out.
//!
//! Policy documents are percent-encoded (RFC 3986), as in captured items.

use std::collections::BTreeMap;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{Policy, PolicyScopeType, PolicyVersion};
use serde_json::{Map, Value, json};

use super::observation::{NOT_APPLICABLE, Observation, iso, sorted, timestamp};
use super::user::encoded;
use super::{RecorderError, failed, required, unless};

/// IAM's error code for a policy or a version deleted since it was listed.
const DELETED: [&str; 1] = ["NoSuchEntity"];

pub(super) async fn read(iam: &Client) -> Result<Vec<Observation>, RecorderError> {
    let mut policies = iam.list_policies().scope(PolicyScopeType::Local).into_paginator().items().send();
    let mut observations = Vec::new();
    while let Some(policy) = policies.next().await {
        let policy = policy.map_err(failed("iam:ListPolicies", "all policies"))?;
        observations.extend(observe(iam, required("a policy", "arn", policy.arn())?).await?);
    }
    Ok(observations)
}

/// Reads one policy; none if it was deleted since it was listed.
async fn observe(iam: &Client, arn: &str) -> Result<Option<Observation>, RecorderError> {
    // ListPolicies leaves out the tags; GetPolicy has them.
    let answer =
        unless(&DELETED, iam.get_policy().policy_arn(arn).send().await).map_err(failed("iam:GetPolicy", arn))?;
    let Some(policy) = answer.and_then(|answer| answer.policy) else { return Ok(None) };
    let listed = iam.list_policy_versions().policy_arn(arn).into_paginator().items().send();
    let listed = unless(&DELETED, listed.collect::<Result<Vec<_>, _>>().await);
    let Some(listed) = listed.map_err(failed("iam:ListPolicyVersions", arn))? else { return Ok(None) };
    let mut versions = Vec::new();
    for version in listed {
        // ListPolicyVersions leaves out the documents.
        let id = required(arn, "versionId", version.version_id())?;
        let answer = unless(&DELETED, iam.get_policy_version().policy_arn(arn).version_id(id).send().await);
        let answer = answer.map_err(failed("iam:GetPolicyVersion", arn))?;
        versions.extend(answer.and_then(|answer| answer.policy_version));
    }
    Ok(Some(item(arn, &policy, &versions)?))
}

fn item(arn: &str, policy: &Policy, versions: &[PolicyVersion]) -> Result<Observation, RecorderError> {
    let id = required(arn, "policyId", policy.policy_id())?;
    let name = required(arn, "policyName", policy.policy_name())?;
    let created = policy.create_date().and_then(timestamp);
    let tags: BTreeMap<String, String> =
        policy.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    Ok(Observation {
        resource_id: id.to_owned(),
        resource_name: Some(name.to_owned()),
        arn: arn.to_owned(),
        region: "global".to_owned(),
        availability_zone: NOT_APPLICABLE,
        created,
        relationships: Vec::new(),
        configuration: json!({
            "policyName": name,
            "policyId": id,
            "arn": arn,
            "path": policy.path(),
            "defaultVersionId": policy.default_version_id(),
            "attachmentCount": policy.attachment_count(),
            "permissionsBoundaryUsageCount": policy.permissions_boundary_usage_count(),
            "isAttachable": policy.is_attachable(),
            "description": policy.description(),
            "createDate": created.map(iso),
            "updateDate": policy.update_date().and_then(timestamp).map(iso),
            "policyVersionList": sorted(versions.iter().map(version))
        }),
        supplementary: Map::new(),
        tags,
    })
}

fn version(version: &PolicyVersion) -> Value {
    json!({
        "document": version.document().map(encoded),
        "versionId": version.version_id(),
        "isDefaultVersion": version.is_default_version(),
        "createDate": version.create_date().and_then(timestamp).map(iso)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use aws_sdk_iam::primitives::DateTime;
    use aws_sdk_iam::types::Tag;

    use super::*;

    #[test]
    fn policy_becomes_an_aws_config_item() {
        let created = DateTime::from_secs(1_767_323_045);
        let arn = "arn:aws:iam::111122223333:policy/team/deploy";
        let policy = Policy::builder()
            .policy_name("deploy")
            .policy_id("ANPAEXAMPLE")
            .arn(arn)
            .path("/team/")
            .default_version_id("v2")
            .attachment_count(1)
            .permissions_boundary_usage_count(0)
            .is_attachable(true)
            .create_date(created)
            .update_date(created)
            .tags(Tag::builder().key("team").value("blue").build().unwrap())
            .build();
        let of = |id: &str, is_default| {
            let version = PolicyVersion::builder().version_id(id).is_default_version(is_default).create_date(created);
            version.document("{}").build()
        };
        let observation = item(arn, &policy, &[of("v1", false), of("v2", true)]).unwrap();
        assert_eq!((observation.resource_id.as_str(), observation.tags.len()), ("ANPAEXAMPLE", 1));
        let at = "2026-01-02T03:04:05.000Z";
        assert_eq!(
            observation.configuration,
            json!({
                "policyName": "deploy", "policyId": "ANPAEXAMPLE", "arn": arn, "path": "/team/", "defaultVersionId": "v2",
                "attachmentCount": 1, "permissionsBoundaryUsageCount": 0, "isAttachable": true, "description": null,
                "createDate": at, "updateDate": at, "policyVersionList": [
                    {"document": "%7B%7D", "versionId": "v1", "isDefaultVersion": false, "createDate": at},
                    {"document": "%7B%7D", "versionId": "v2", "isDefaultVersion": true, "createDate": at}
                ]
            })
        );
    }
}
