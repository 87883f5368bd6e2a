//! Console access, MFA devices, and the policy that requires them.

use std::collections::BTreeSet;

use aws_sdk_iam::types::SummaryKeyType;
use futures_util::Stream;
use rectify_compliance::{ResourceKey, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page, ReadFacts};

use super::{Clients, unless_missing, users};
use rectify_iam::controls::iam_user_mfa_enabled::{
    Credentials, Devices, IamUserMfaEnabled, IamUserMfaEnabledParameters,
};
use rectify_iam::controls::mfa_enabled_for_iam_console_access::{
    Console, ConsoleAccess, MfaEnabledForIamConsoleAccess, MfaEnabledForIamConsoleAccessParameters,
};
use rectify_iam::families::mfa::MfaUser;
use rectify_iam::families::mfa_policy::{AttachAction, Attachment, DetachAction, PolicyArn};
use rectify_iam::resources::access_key::AccessKey;
use rectify_iam::resources::policy::Document;
use rectify_iam::resources::user::{RecordedUser, User};

impl Clients {
    /// `ListMFADevices`, all pages and every kind of device; `None` when the user is gone.
    async fn mfa_devices(&self, name: &str) -> Result<Option<BTreeSet<String>>, AwsError> {
        let mut devices = BTreeSet::new();
        let mut pages = self.iam.list_mfa_devices().user_name(name).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = unless_missing(page.map_err(|error| AwsError::call("iam:ListMFADevices", &error)))?;
            let Some(page) = page else { return Ok(None) };
            devices.extend(page.mfa_devices.into_iter().map(|device| device.serial_number));
        }
        Ok(Some(devices))
    }

    /// A user's console access; `None` when the user is known to be gone. A user without a password may be gone, too.
    async fn console(&self, name: &str) -> Result<Option<Console>, AwsError> {
        if !self.has_password(name).await? {
            return Ok(Some(Console::NoPassword));
        }
        Ok(self.mfa_devices(name).await?.map(|mfa_devices| Console::Password { mfa_devices }))
    }

    /// A user with its devices; `None` when it is gone.
    async fn with_devices(
        &self,
        user: User,
        params: &IamUserMfaEnabledParameters,
    ) -> Result<Option<MfaUser<Devices>>, AwsError> {
        let Some(mfa_devices) = self.mfa_devices(&user.name).await? else { return Ok(None) };
        let mut credentials = None;
        if params.needs_credentials(mfa_devices.len()) {
            let password = self.has_password(&user.name).await?;
            let Some(keys) = self.access_keys(&user.name).await? else { return Ok(None) };
            let active_keys = keys.values().filter(|key| AccessKey::is_active(key)).count();
            credentials = Some(Credentials { password, active_keys });
        }
        Ok(Some(MfaUser { user, sign_in: Devices { mfa_devices, credentials }, attachment: None }))
    }

    /// A listed user with its console access; `None` when it is gone.
    async fn with_console(&self, user: User) -> Result<Option<MfaUser<ConsoleAccess>>, AwsError> {
        let Some(console) = self.console(&user.name).await? else { return Ok(None) };
        // IAM gives one answer for "no password" and "no user".
        if console == Console::NoPassword && self.user(&user.account, &user.id, &user.name).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(MfaUser { user, sign_in: ConsoleAccess { console }, attachment: None }))
    }

    /// The facts needed to attach `policy` to a user; `None` without a policy, or when the user is gone.
    async fn attachment(&self, name: &str, policy: Option<&PolicyArn>) -> Result<Option<Attachment>, AwsError> {
        let Some(policy) = policy else { return Ok(None) };
        let Some(attached) = self.attached_policies(name).await? else { return Ok(None) };
        let quota = self.summary().await?.number(&SummaryKeyType::AttachedPoliciesPerUserQuota);
        let quota = quota
            .and_then(|it| u32::try_from(it).ok())
            .ok_or_else(|| ShapeError::missing("SummaryMap.AttachedPoliciesPerUserQuota", "a number of policies"))?;
        Ok(Some(Attachment { attached, quota, policy: self.document(policy).await? }))
    }

    /// `ListAttachedUserPolicies`, all pages; `None` when the user is gone.
    pub(super) async fn attached_policies(&self, name: &str) -> Result<Option<BTreeSet<String>>, AwsError> {
        let mut attached = BTreeSet::new();
        let mut pages = self.iam.list_attached_user_policies().user_name(name).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = unless_missing(page.map_err(|error| AwsError::call("iam:ListAttachedUserPolicies", &error)))?;
            let Some(page) = page else { return Ok(None) };
            for policy in page.attached_policies.unwrap_or_default() {
                let arn =
                    policy.policy_arn.ok_or_else(|| ShapeError::missing("AttachedPolicies.PolicyArn", "an ARN"))?;
                attached.insert(arn);
            }
        }
        Ok(Some(attached))
    }

    /// The document of this policy; `None` when there is no such policy.
    async fn document(&self, policy: &PolicyArn) -> Result<Option<Document>, AwsError> {
        let Some((_, text)) = self.policy(policy.as_str()).await? else { return Ok(None) };
        Ok(Some(Document::read("PolicyVersion.Document", &text)?))
    }

    /// `AttachUserPolicy`; a policy that is already attached is a success.
    async fn attach(&self, action: &AttachAction) -> Result<(), AwsError> {
        let AttachAction::AttachUserPolicy { user_name, policy_arn } = action;
        let call = self.iam.attach_user_policy().user_name(user_name).policy_arn(policy_arn.as_str());
        call.send().await.map(drop).map_err(|error| AwsError::call("iam:AttachUserPolicy", &error))
    }

    /// `DetachUserPolicy`; a policy that is not attached is a success.
    async fn detach(&self, undo: &DetachAction) -> Result<(), AwsError> {
        let DetachAction::DetachUserPolicy { user_name, policy_arn } = undo;
        let answer = self.iam.detach_user_policy().user_name(user_name).policy_arn(policy_arn.as_str()).send().await;
        unless_missing(answer.map_err(|error| AwsError::call("iam:DetachUserPolicy", &error))).map(drop)
    }
}

impl ReadFacts<Clients> for MfaEnabledForIamConsoleAccess {
    async fn facts(
        &self,
        clients: &Clients,
        target: &Target,
        RecordedUser(user): &RecordedUser,
        _params: &MfaEnabledForIamConsoleAccessParameters,
    ) -> Result<Option<Console>, AwsError> {
        if clients.user(&target.account, &user.id, &user.name).await?.is_none() {
            return Ok(None);
        }
        clients.console(&user.name).await
    }
}

impl List<Clients> for MfaEnabledForIamConsoleAccess {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a MfaEnabledForIamConsoleAccessParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<MfaUser<ConsoleAccess>>, AwsError>> + Send + 'a {
        users::pages(clients, place, from, |user| clients.with_console(user))
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a MfaEnabledForIamConsoleAccessParameters,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        users::keys(clients)
    }
}

impl Fix<Clients> for MfaEnabledForIamConsoleAccess {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &MfaEnabledForIamConsoleAccessParameters,
    ) -> Result<Option<MfaUser<ConsoleAccess>>, AwsError> {
        let Some(user) = clients.user_at(target).await? else { return Ok(None) };
        let Some(console) = clients.console(&user.name).await? else { return Ok(None) };
        let attachment = clients.attachment(&user.name, params.policy()).await?;
        Ok(Some(MfaUser { user, sign_in: ConsoleAccess { console }, attachment }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &AttachAction) -> Result<(), AwsError> {
        clients.attach(action).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &DetachAction) -> Result<(), AwsError> {
        clients.detach(undo).await
    }
}

impl List<Clients> for IamUserMfaEnabled {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        params: &'a IamUserMfaEnabledParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<MfaUser<Devices>>, AwsError>> + Send + 'a {
        users::pages(clients, place, from, |user| clients.with_devices(user, params))
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a IamUserMfaEnabledParameters,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        users::keys(clients)
    }
}

impl Fix<Clients> for IamUserMfaEnabled {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &IamUserMfaEnabledParameters,
    ) -> Result<Option<MfaUser<Devices>>, AwsError> {
        let Some(user) = clients.user_at(target).await? else { return Ok(None) };
        let Some(subject) = clients.with_devices(user, params).await? else { return Ok(None) };
        let attachment = clients.attachment(&subject.user.name, params.policy()).await?;
        Ok(Some(MfaUser { attachment, ..subject }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &AttachAction) -> Result<(), AwsError> {
        clients.attach(action).await
    }

    async fn revert(&self, clients: &Clients, _target: &Target, undo: &DetachAction) -> Result<(), AwsError> {
        clients.detach(undo).await
    }
}
