//! The policies of users, and customer managed policies with the users, groups and roles that use them.

use std::collections::BTreeSet;

use aws_sdk_iam::types;
use rectify_compliance::{ByHand, Never, Parameters, ResourceKey, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{Fix, Found};

use super::{Clients, unless_missing};
use rectify_iam::controls::iam_user_no_policies_check::{
    IamUserNoPoliciesCheck, IamUserNoPoliciesCheckParameters, UserPolicies,
};
use rectify_iam::resources::managed_policy::{Description, ManagedPolicy, TYPE, Version};

/// The maximum page size of `ListPolicies`.
const MAX_PAGE_SIZE: i32 = 1000;

impl Clients {
    /// `ListPolicies`, all pages: all customer managed policies, with their names.
    pub(super) async fn all_policies(&self) -> Result<Vec<Found>, AwsError> {
        let call = self.iam.list_policies().scope(types::PolicyScopeType::Local);
        let mut pages = call.into_paginator().page_size(MAX_PAGE_SIZE).send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("iam:ListPolicies", &error))?;
            for it in page.policies.unwrap_or_default() {
                let id = it.policy_id.ok_or_else(|| ShapeError::missing("Policies.PolicyId", "an id"))?;
                found.push(Found { resource: ResourceKey::new(TYPE, id), name: it.policy_name });
            }
        }
        Ok(found)
    }

    /// `ListUserPolicies`, all pages: the names of the inline policies; `None` when the user is gone.
    async fn inline_policies(&self, name: &str) -> Result<Option<BTreeSet<String>>, AwsError> {
        let mut names = BTreeSet::new();
        let mut pages = self.iam.list_user_policies().user_name(name).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = unless_missing(page.map_err(|error| AwsError::call("iam:ListUserPolicies", &error)))?;
            let Some(page) = page else { return Ok(None) };
            names.extend(page.policy_names);
        }
        Ok(Some(names))
    }

    /// `GetPolicy` and `GetPolicyVersion` of its default version; `None` when there is no such policy.
    pub(super) async fn policy(&self, arn: &str) -> Result<Option<(types::Policy, String)>, AwsError> {
        let answer = self.iam.get_policy().policy_arn(arn).send().await;
        let answer = unless_missing(answer.map_err(|error| AwsError::call("iam:GetPolicy", &error)))?;
        let Some(answer) = answer else { return Ok(None) };
        let policy = answer.policy.ok_or_else(|| ShapeError::missing("Policy", "a policy"))?;
        let version = policy
            .default_version_id
            .as_deref()
            .ok_or_else(|| ShapeError::missing("Policy.DefaultVersionId", "a version"))?;
        let answer = self.iam.get_policy_version().policy_arn(arn).version_id(version).send().await;
        let answer = unless_missing(answer.map_err(|error| AwsError::call("iam:GetPolicyVersion", &error)))?;
        let Some(answer) = answer else { return Ok(None) };
        let document = answer
            .policy_version
            .and_then(|version| version.document)
            .ok_or_else(|| ShapeError::missing("PolicyVersion.Document", "a policy document"))?;
        Ok(Some((policy, document)))
    }

    /// `ListPolicies` of the account, page by page until the policy with this id is found: its ARN.
    async fn arn_of(&self, id: &str) -> Result<Option<String>, AwsError> {
        let call = self.iam.list_policies().scope(types::PolicyScopeType::Local);
        let mut pages = call.into_paginator().page_size(MAX_PAGE_SIZE).send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("iam:ListPolicies", &error))?;
            if let Some(policy) = page.policies().iter().find(|policy| policy.policy_id() == Some(id)) {
                let arn = policy.arn().ok_or_else(|| ShapeError::missing("Policies.Arn", "an ARN"))?;
                return Ok(Some(arn.to_owned()));
            }
        }
        Ok(None)
    }

    /// `ListEntitiesForPolicy`, all pages: each with its kind; `None` when the policy is gone.
    async fn users_of(&self, arn: &str) -> Result<Option<BTreeSet<String>>, AwsError> {
        let mut entities = BTreeSet::new();
        let mut pages = self.iam.list_entities_for_policy().policy_arn(arn).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = unless_missing(page.map_err(|error| AwsError::call("iam:ListEntitiesForPolicy", &error)))?;
            let Some(page) = page else { return Ok(None) };
            let users = page.policy_users().iter().map(|it| ("user", it.user_name()));
            let groups = page.policy_groups().iter().map(|it| ("group", it.group_name()));
            let roles = page.policy_roles().iter().map(|it| ("role", it.role_name()));
            for (kind, name) in users.chain(groups).chain(roles) {
                let name =
                    name.ok_or_else(|| ShapeError::missing(format!("ListEntitiesForPolicy.{kind}"), "a name"))?;
                entities.insert(format!("{kind} {name}"));
            }
        }
        Ok(Some(entities))
    }

    /// The policy with this id and its users; `None` when it is gone.
    async fn managed_policy(&self, id: &str) -> Result<Option<ManagedPolicy>, AwsError> {
        let Some(arn) = self.arn_of(id).await? else { return Ok(None) };
        let Some((policy, document)) = self.policy(&arn).await? else { return Ok(None) };
        let Some(users) = self.users_of(&arn).await? else { return Ok(None) };
        let policy = ManagedPolicy { used_by: Some(users), ..managed(&policy, document)? };
        // A policy that was deleted since it was listed may have a successor with its name.
        Ok(Some(policy).filter(|policy| policy.id == id))
    }
}

impl Fix<Clients> for IamUserNoPoliciesCheck {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &IamUserNoPoliciesCheckParameters,
    ) -> Result<Option<UserPolicies>, AwsError> {
        let Some(user) = clients.user_at(target).await? else { return Ok(None) };
        let Some(inline) = clients.inline_policies(&user.name).await? else { return Ok(None) };
        let Some(attached) = clients.attached_policies(&user.name).await? else { return Ok(None) };
        Ok(Some(UserPolicies { user, inline, attached }))
    }

    async fn apply(&self, _clients: &Clients, _target: &Target, action: &Never) -> Result<(), AwsError> {
        match *action {}
    }
}

impl<P: Parameters> Fix<Clients> for ByHand<ManagedPolicy, P> {
    async fn live(&self, clients: &Clients, target: &Target, _params: &P) -> Result<Option<ManagedPolicy>, AwsError> {
        clients.managed_policy(&target.resource.id).await
    }

    async fn apply(&self, _clients: &Clients, _target: &Target, action: &Never) -> Result<(), AwsError> {
        match *action {}
    }
}

fn managed(policy: &types::Policy, document: String) -> Result<ManagedPolicy, ShapeError> {
    let text = |value: Option<&str>| value.map(str::to_owned);
    let count = |value: Option<i32>| value.and_then(|it| u32::try_from(it).ok());
    let tags: Tags = policy.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    let description = Description {
        policy_id: text(policy.policy_id()),
        policy_name: text(policy.policy_name()),
        arn: text(policy.arn()),
        attachment_count: count(policy.attachment_count()),
        permissions_boundary_usage_count: count(policy.permissions_boundary_usage_count()),
        policy_version_list: vec![Version { document: Some(document), is_default_version: true }],
    };
    description.policy(tags).map_err(|error| error.within("Policy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_an_answer_is_read() {
        let policy = types::Policy::builder()
            .policy_id("ANPAEXAMPLEDEPLOY0001")
            .policy_name("deploy")
            .arn("arn:aws:iam::111122223333:policy/team/deploy")
            .attachment_count(3)
            .permissions_boundary_usage_count(1)
            .tags(types::Tag::builder().key("team").value("blue").build().unwrap());
        let read = managed(&policy.clone().build(), "%7B%22Statement%22:%5B%5D%7D".to_owned()).unwrap();
        let expected = ManagedPolicy {
            id: "ANPAEXAMPLEDEPLOY0001".to_owned(),
            name: "deploy".to_owned(),
            arn: "arn:aws:iam::111122223333:policy/team/deploy".to_owned(),
            tags: Tags::from([("team".to_owned(), "blue".to_owned())]),
            attachments: Some(3),
            boundaries: 1,
            statements: Default::default(),
            used_by: None,
        };
        assert_eq!(read, expected);
        let unnamed = policy.set_policy_name(None).build();
        assert_eq!(managed(&unnamed, r#"{"Statement":[]}"#.to_owned()).unwrap_err().path, "Policy.policyName");
    }
}
