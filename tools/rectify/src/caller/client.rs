//! The calls that identify the caller, its accounts and its regions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};
use aws_sdk_organizations::types::AccountState;
use aws_sdk_sts::Client;
use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Region, ShapeError};
use rectify_runtime::AwsError;

use super::{Identity, Role};

/// The name of a role's session, which CloudTrail records with each call.
const SESSION: &str = "rectify";

/// The principal of the credentials. Every principal may make this call.
pub(super) async fn identity(config: &SdkConfig) -> Result<Identity, AwsError> {
    let answer = Client::new(config).get_caller_identity().send().await;
    let answer = answer.map_err(|error| AwsError::call("sts:GetCallerIdentity", &error))?;
    let account = answer.account.filter(|it| AccountId::is_id(it));
    let account = account.ok_or_else(|| ShapeError::missing("Account", "an account id"))?;
    let arn = answer.arn.ok_or_else(|| ShapeError::missing("Arn", "an ARN"))?;
    Ok(Identity { account: AccountId::new(account), arn })
}

/// The regions of the partition, and whether the account has enabled each.
pub(super) async fn regions(config: &SdkConfig) -> Result<BTreeMap<Region, bool>, AwsError> {
    let answer = aws_sdk_ec2::Client::new(config).describe_regions().all_regions(true).send().await;
    let answer = answer.map_err(|error| AwsError::call("ec2:DescribeRegions", &error))?;
    let region = |it: aws_sdk_ec2::types::Region| {
        let is_enabled = it.opt_in_status.as_deref() != Some("not-opted-in");
        it.region_name.map(|name| (Region::new(name), is_enabled))
    };
    Ok(answer.regions.unwrap_or_default().into_iter().filter_map(region).collect())
}

/// The active accounts of the organization, from all pages.
pub(super) async fn accounts(config: &SdkConfig) -> Result<BTreeSet<AccountId>, AwsError> {
    let mut pages = aws_sdk_organizations::Client::new(config).list_accounts().into_paginator().send();
    let mut accounts = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| AwsError::call("organizations:ListAccounts", &error))?;
        let active = page.accounts.unwrap_or_default().into_iter().filter(|it| it.state == Some(AccountState::Active));
        accounts.extend(active.filter_map(|it| it.id).map(AccountId::new));
    }
    Ok(accounts)
}

/// The credentials of a role, from a call each time.
#[derive(Debug)]
pub(super) struct RoleSession {
    client: Client,
    role: Role,
}

impl RoleSession {
    pub(super) fn new(config: &SdkConfig, role: Role) -> Self {
        Self { client: Client::new(config), role }
    }

    /// Assumes the role; also returns the principal of the session.
    pub(super) async fn assume(&self) -> Result<(Credentials, Identity), AwsError> {
        let Role { arn, external_id } = &self.role;
        let call = self.client.assume_role().role_arn(arn).role_session_name(SESSION);
        let answer = call.set_external_id(external_id.clone()).send().await;
        let answer = answer.map_err(|error| AwsError::call("sts:AssumeRole", &error))?;
        let it = answer.credentials.ok_or_else(|| ShapeError::missing("Credentials", "credentials"))?;
        let expiry = SystemTime::try_from(it.expiration)
            .map_err(|error| ShapeError::new("Credentials.Expiration", "a time", error))?;
        let token = Some(it.session_token);
        let credentials = Credentials::new(it.access_key_id, it.secret_access_key, token, Some(expiry), "AssumeRole");
        let arn = answer.assumed_role_user.ok_or_else(|| ShapeError::missing("AssumedRoleUser", "a user"))?.arn;
        let account = arn.split(':').nth(4).filter(|it| AccountId::is_id(it));
        let account = account.ok_or_else(|| ShapeError::new("AssumedRoleUser.Arn", "an account's ARN", &arn))?;
        Ok((credentials, Identity { account: AccountId::new(account), arn: arn.clone() }))
    }
}

impl ProvideCredentials for RoleSession {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let credentials = self.assume();
        future::ProvideCredentials::new(async {
            credentials.await.map(|(credentials, _)| credentials).map_err(CredentialsError::provider_error)
        })
    }
}
