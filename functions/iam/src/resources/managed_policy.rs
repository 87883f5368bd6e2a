//! A managed policy with the statements of its default version, from AWS Config or from IAM.
//!
//! AWS Config identifies a policy by its id (`ANPA…`), the API by its ARN. Inline policies are not managed policies.

use std::collections::BTreeSet;

use rectify_compliance::{
    Arn, ConfigurationItem, Permission, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags,
};
use rectify_policy::{Policy, PolicyType, decode};
use serde::{Deserialize, Serialize};

/// The resource type in AWS Config.
pub const TYPE: &str = "AWS::IAM::Policy";

/// The ARN pattern of every customer managed policy of the account, for IAM policies.
const POLICIES: &str = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/*";

pub(crate) const LIST_POLICIES: Permission = Permission::unscoped("iam:ListPolicies");
pub(crate) const GET_POLICY: Permission = Permission::on("iam:GetPolicy", POLICIES);
pub(crate) const GET_POLICY_VERSION: Permission = Permission::on("iam:GetPolicyVersion", POLICIES);
pub(crate) const LIST_ENTITIES: Permission = Permission::on("iam:ListEntitiesForPolicy", POLICIES);

/// A managed policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagedPolicy {
    /// `PolicyId`: its id in AWS Config.
    pub id: String,
    /// `PolicyName`.
    pub name: String,
    /// `Arn`: its identifier in the API.
    pub arn: String,
    /// Its tags.
    pub tags: Tags,
    /// `AttachmentCount`; `None` where missing.
    pub attachments: Option<u32>,
    /// `PermissionsBoundaryUsageCount`; 0 where missing, so that the policy is evaluated.
    pub boundaries: u32,
    /// The statements of its default version.
    pub statements: Policy,
    /// The users, groups and roles that use it, each with its kind: `role deploy`. Read only by a remediation.
    pub used_by: Option<BTreeSet<String>>,
}

/// A policy as AWS Config or IAM describes it. Reads the `configuration` of an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Description {
    /// `PolicyId`.
    pub policy_id: Option<String>,
    /// `PolicyName`.
    pub policy_name: Option<String>,
    /// `Arn`.
    pub arn: Option<String>,
    /// `AttachmentCount`.
    pub attachment_count: Option<u32>,
    /// `PermissionsBoundaryUsageCount`.
    pub permissions_boundary_usage_count: Option<u32>,
    /// The versions, or the default one alone.
    pub policy_version_list: Vec<Version>,
}

/// A version of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Version {
    /// `Document`, percent-encoded.
    pub document: Option<String>,
    /// `IsDefaultVersion`: the version that IAM evaluates.
    pub is_default_version: bool,
}

impl Description {
    /// The policy with these tags.
    ///
    /// # Errors
    /// [`ShapeError`] without an identifier or the document of the default version, and for a document that is not an
    /// identity policy.
    pub fn policy(self, tags: Tags) -> Result<ManagedPolicy, ShapeError> {
        const DOCUMENT: &str = "policyVersionList.document";
        let required =
            |member: &str, value: Option<String>| value.ok_or_else(|| ShapeError::missing(member, "a string"));
        let default = self.policy_version_list.into_iter().find(|it| it.is_default_version);
        let document = default.and_then(|it| it.document);
        let document = document.ok_or_else(|| ShapeError::missing(DOCUMENT, "a default version with its document"))?;
        Ok(ManagedPolicy {
            id: required("policyId", self.policy_id)?,
            name: required("policyName", self.policy_name)?,
            arn: required("arn", self.arn)?,
            tags,
            attachments: self.attachment_count,
            boundaries: self.permissions_boundary_usage_count.unwrap_or(0),
            statements: Policy::of(DOCUMENT, &decode(DOCUMENT, &document)?, PolicyType::Identity)?,
            used_by: None,
        })
    }
}

impl ManagedPolicy {
    /// Whether AWS manages it, so that the account cannot change it.
    pub(crate) fn is_managed_by_aws(&self) -> bool {
        Arn::of(&self.arn, "iam").and_then(|arn| arn.account()).is_some_and(|it| it.as_str() == "aws")
    }
}

impl ResourceState for ManagedPolicy {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity {
            key: ResourceKey::new(TYPE, &self.id),
            arn: Some(&self.arn),
            name: Some(&self.name),
            tags: &self.tags,
        }
    }
}

impl Resource for ManagedPolicy {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let read = serde_json::from_value(item.configuration.clone());
        let description: Description =
            read.map_err(|error| ShapeError::new("configuration", "a managed policy", error))?;
        let description = Description { policy_id: Some(item.resource.id.clone()), ..description };
        description.policy(item.tags.clone()).map_err(|error| error.within("configuration"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The item of the policy `deploy` with these versions.
    pub(crate) fn item(versions: &Value) -> ConfigurationItem {
        ConfigurationItem::from_notification(&json!({
            "awsAccountId": "111122223333", "awsRegion": "global", "resourceType": TYPE,
            "resourceId": "ANPAEXAMPLEDEPLOY0001", "resourceName": "deploy", "configurationItemStatus": "OK",
            "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "tags": {"team": "blue"},
            "configuration": {"policyName": "deploy", "policyId": "ANPAEXAMPLEDEPLOY0001",
                "arn": "arn:aws:iam::111122223333:policy/team/deploy", "attachmentCount": 3,
                "permissionsBoundaryUsageCount": 0, "policyVersionList": versions}
        }))
        .unwrap()
    }

    /// A version with these statements, percent-encoded as far as JSON needs it.
    pub(crate) fn version(statements: &Value, is_default: bool) -> Value {
        let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let document = document.replace('%', "%25").replace('{', "%7B").replace('"', "%22").replace('}', "%7D");
        json!({"document": document, "versionId": "v1", "isDefaultVersion": is_default})
    }

    /// The policy `deploy` with these statements, attached to three.
    pub(crate) fn deploy(statements: &Value) -> ManagedPolicy {
        ManagedPolicy::from_item(&item(&json!([version(statements, true)]))).unwrap()
    }

    #[test]
    fn an_item_without_a_readable_default_version_is_rejected() {
        let statement = json!({"Sid": "a+b", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"});
        let read = deploy(&statement);
        assert_eq!((read.statements.0[0].label.as_str(), read.attachments, read.boundaries), ("a+b", Some(3), 0));
        assert_eq!(read.identity().key, ResourceKey::new(TYPE, "ANPAEXAMPLEDEPLOY0001"));
        for (versions, path) in [
            (json!([]), "configuration.policyVersionList.document"),
            (json!([version(&statement, false)]), "configuration.policyVersionList.document"),
            (json!([{"isDefaultVersion": true}]), "configuration.policyVersionList.document"),
            (json!([{"isDefaultVersion": true, "document": "%7B"}]), "configuration.policyVersionList.document"),
            (json!([{"isDefaultVersion": true, "document": [{}]}]), "configuration"),
            (
                json!([version(&json!({"Effect": "Allow"}), true)]),
                "configuration.policyVersionList.document.Statement[0].Action",
            ),
            (json!(null), "configuration"),
        ] {
            assert_eq!(ManagedPolicy::from_item(&item(&versions)).unwrap_err().path, path, "{versions}");
        }
        let mut unnamed = item(&json!([version(&statement, true)]));
        unnamed.configuration["policyName"] = json!(null);
        assert_eq!(ManagedPolicy::from_item(&unnamed).unwrap_err().path, "configuration.policyName");
    }
}
