//! The policies of users.

use std::collections::BTreeSet;

use rectify_compliance::{Never, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::Fix;

use super::{Clients, unless_missing};
use rectify_iam::controls::iam_user_no_policies_check::{
    IamUserNoPoliciesCheck, IamUserNoPoliciesCheckParameters, UserPolicies,
};

impl Clients {
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
