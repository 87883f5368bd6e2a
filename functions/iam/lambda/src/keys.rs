//! Access keys, and the last use of keys and passwords.

use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types;
use futures_util::Stream;
use rectify_compliance::{ResourceKey, ShapeError, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, List, Page};

use super::{Clients, time, unless_missing, users};
use rectify_iam::controls::access_keys_rotated::{AccessKeysRotated, AccessKeysRotatedParameters, UserKeys};
use rectify_iam::controls::iam_user_unused_credentials_check::{
    IamUserUnusedCredentialsCheck, IamUserUnusedCredentialsCheckParameters, Password, UserCredentials,
};
use rectify_iam::families::key_status::KeyAction;
use rectify_iam::resources::access_key::{AccessKey, AccessKeys, KeyId, KeyStatus, LastUse};
use rectify_iam::resources::user::User;

impl Clients {
    /// `ListAccessKeys`, all pages; `None` when the user is gone.
    pub(super) async fn access_keys(&self, name: &str) -> Result<Option<AccessKeys>, AwsError> {
        let mut keys = AccessKeys::new();
        let mut pages = self.iam.list_access_keys().user_name(name).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = unless_missing(page.map_err(|error| AwsError::call("iam:ListAccessKeys", &error)))?;
            let Some(page) = page else { return Ok(None) };
            for key in &page.access_key_metadata {
                let (id, key) = key_of(key)?;
                keys.insert(id, key);
            }
        }
        Ok(Some(keys))
    }

    /// A user with its password and keys, and their last use; `None` when it is gone.
    async fn with_credentials(&self, user: User) -> Result<Option<UserCredentials>, AwsError> {
        let Some(mut keys) = self.access_keys(&user.name).await? else { return Ok(None) };
        self.read_last_use(&mut keys).await?;
        let Some(profile) = self.login_profile(&user.name).await? else {
            return Ok(Some(UserCredentials { user, password: None, keys }));
        };
        let Some(described) = self.described_user(&user.name).await?.filter(|it| it.user_id == user.id) else {
            return Ok(None);
        };
        let password = Password {
            created: time("LoginProfile.CreateDate", profile.create_date)?,
            last_use: last_use("User.PasswordLastUsed", described.password_last_used)?,
        };
        Ok(Some(UserCredentials { user, password: Some(password), keys }))
    }

    /// Reads when each key was last used; a key that is already gone is removed.
    async fn read_last_use(&self, keys: &mut AccessKeys) -> Result<(), AwsError> {
        for (id, mut key) in std::mem::take(keys) {
            key.last_use = self.last_use(&id).await?;
            if key.last_use.is_some() {
                keys.insert(id, key);
            }
        }
        Ok(())
    }

    /// A user with its keys; `None` when it is gone.
    async fn with_keys(&self, user: User) -> Result<Option<UserKeys>, AwsError> {
        Ok(self.access_keys(&user.name).await?.map(|keys| UserKeys { user, keys }))
    }

    /// `GetAccessKeyLastUsed`; `None` when the key is already gone.
    async fn last_use(&self, key: &KeyId) -> Result<Option<LastUse>, AwsError> {
        let answer = self.iam.get_access_key_last_used().access_key_id(key.expose()).send().await;
        let answer = unless_missing(answer.map_err(|error| AwsError::call("iam:GetAccessKeyLastUsed", &error)))?;
        let Some(answer) = answer else { return Ok(None) };
        let used = answer.access_key_last_used.ok_or_else(|| ShapeError::missing("AccessKeyLastUsed", "a last use"))?;
        Ok(Some(last_use("AccessKeyLastUsed.LastUsedDate", used.last_used_date)?))
    }

    /// `UpdateAccessKey`: sets the status of a key, regardless of its current one.
    async fn set_status(&self, action: &KeyAction) -> Result<(), AwsError> {
        let KeyAction::UpdateAccessKey { user_name, access_key_id, status } = action;
        self.iam
            .update_access_key()
            .user_name(user_name)
            .access_key_id(access_key_id.expose())
            .status(status.api_name().into())
            .send()
            .await
            .map(drop)
            .map_err(|error| AwsError::call("iam:UpdateAccessKey", &error))
    }
}

impl List<Clients> for AccessKeysRotated {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a AccessKeysRotatedParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<UserKeys>, AwsError>> + Send + 'a {
        users::pages(clients, place, from, |user| clients.with_keys(user))
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a AccessKeysRotatedParameters,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        users::keys(clients)
    }
}

impl Fix<Clients> for AccessKeysRotated {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &AccessKeysRotatedParameters,
    ) -> Result<Option<UserKeys>, AwsError> {
        let Some(user) = clients.user_at(target).await? else { return Ok(None) };
        let Some(mut keys) = clients.access_keys(&user.name).await? else { return Ok(None) };
        if params.deactivate_unused_days.is_some() {
            clients.read_last_use(&mut keys).await?;
        }
        Ok(Some(UserKeys { user, keys }))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &KeyAction) -> Result<(), AwsError> {
        clients.set_status(action).await
    }
}

impl List<Clients> for IamUserUnusedCredentialsCheck {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        _params: &'a IamUserUnusedCredentialsCheckParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<UserCredentials>, AwsError>> + Send + 'a {
        users::pages(clients, place, from, |user| clients.with_credentials(user))
    }

    fn keys<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        _params: &'a IamUserUnusedCredentialsCheckParameters,
    ) -> impl Stream<Item = Result<Vec<ResourceKey>, AwsError>> + Send + 'a {
        users::keys(clients)
    }
}

impl Fix<Clients> for IamUserUnusedCredentialsCheck {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &IamUserUnusedCredentialsCheckParameters,
    ) -> Result<Option<UserCredentials>, AwsError> {
        let Some(user) = clients.user_at(target).await? else { return Ok(None) };
        clients.with_credentials(user).await
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &KeyAction) -> Result<(), AwsError> {
        clients.set_status(action).await
    }
}

/// The last use of a credential; IAM leaves out the date of one that was never used.
fn last_use(path: &str, date: Option<DateTime>) -> Result<LastUse, ShapeError> {
    date.map_or(Ok(LastUse::Never), |date| time(path, date).map(LastUse::At))
}

fn key_of(key: &types::AccessKeyMetadata) -> Result<(KeyId, AccessKey), ShapeError> {
    let missing = |field: &str, what| ShapeError::missing(format!("AccessKeyMetadata.{field}"), what);
    let id = key.access_key_id().ok_or_else(|| missing("AccessKeyId", "an id"))?;
    let status = key.status().ok_or_else(|| missing("Status", "a status"))?;
    let created = key.create_date().ok_or_else(|| missing("CreateDate", "a time"))?;
    let key = AccessKey {
        status: KeyStatus::parse(status.as_str())?,
        created: time("AccessKeyMetadata.CreateDate", *created)?,
        last_use: None,
    };
    Ok((KeyId::new(id), key))
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::types::StatusType;

    use super::*;

    fn answer() -> types::builders::AccessKeyMetadataBuilder {
        types::AccessKeyMetadata::builder()
            .user_name("alice")
            .access_key_id("AKIAEXAMPLEEXAMPABCD")
            .status(StatusType::Active)
            .create_date(DateTime::from_secs(1_772_593_200))
    }

    #[test]
    fn incomplete_key_is_refused() {
        let key =
            AccessKey { status: KeyStatus::Active, created: "2026-03-04T03:00:00Z".parse().unwrap(), last_use: None };
        assert_eq!(key_of(&answer().build()), Ok((KeyId::new("AKIAEXAMPLEEXAMPABCD"), key)));
        for (answer, path) in [
            (answer().set_access_key_id(None), "AccessKeyMetadata.AccessKeyId"),
            (answer().set_status(None), "AccessKeyMetadata.Status"),
            (answer().status("Suspended".into()), "AccessKeyMetadata.Status"),
            (answer().set_create_date(None), "AccessKeyMetadata.CreateDate"),
        ] {
            assert_eq!(key_of(&answer.build()).unwrap_err().path, path);
        }
    }
}
