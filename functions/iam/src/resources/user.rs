//! An IAM user, from AWS Config or from IAM.
//!
//! AWS Config identifies a user by its id (`AIDA…`), the API by its name. After a user is deleted another user can get
//! its name, so a read by name compares the id.

use rectify_compliance::{
    AccountId, ConfigurationItem, Permission, Resource, ResourceIdentity, ResourceKey, ShapeError, Tags, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The resource type in AWS Config.
pub const TYPE: &str = "AWS::IAM::User";

/// The ARN pattern of every user of the account, for IAM policies.
pub(crate) const USERS: &str = "arn:${AWS::Partition}:iam::${AWS::AccountId}:user/*";

pub(crate) const LIST_USERS: Permission = Permission::unscoped("iam:ListUsers");
pub(crate) const GET_USER: Permission = Permission::on("iam:GetUser", USERS);
pub(crate) const GET_LOGIN_PROFILE: Permission = Permission::on("iam:GetLoginProfile", USERS);
pub(crate) const LIST_MFA_DEVICES: Permission = Permission::on("iam:ListMFADevices", USERS);
pub(crate) const LIST_ATTACHED_POLICIES: Permission = Permission::on("iam:ListAttachedUserPolicies", USERS);
pub(crate) const LIST_ACCESS_KEYS: Permission = Permission::on("iam:ListAccessKeys", USERS);
pub(crate) const GET_LAST_USE: Permission = Permission::on("iam:GetAccessKeyLastUsed", USERS);

/// A user, without its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// The account of the user.
    pub account: AccountId,
    /// `UserId`: its id in AWS Config.
    pub id: String,
    /// `UserName`: its identifier in the API.
    pub name: String,
    /// `Arn`.
    pub arn: String,
    /// `CreateDate`.
    pub created: Timestamp,
    /// Its tags, where read: `ListUsers` does not return them.
    pub tags: Tags,
}

impl User {
    /// The user as AWS Config identifies it.
    pub(crate) fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity {
            key: ResourceKey::new(TYPE, &self.id),
            arn: Some(&self.arn),
            name: Some(&self.name),
            tags: &self.tags,
        }
    }
}

/// A user as AWS Config records it: without passwords, MFA devices and access keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedUser(pub User);

impl Resource for RecordedUser {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let text = |key: &str, what: &str| {
            let path = format!("configuration.{key}");
            match item.configuration.get(key) {
                Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
                None => Err(ShapeError::missing(path, what)),
                Some(other) => Err(ShapeError::new(path, what, other)),
            }
        };
        let created = text("createDate", "an RFC 3339 time")?;
        let created =
            created.parse().map_err(|_| ShapeError::new("configuration.createDate", "an RFC 3339 time", &created))?;
        Ok(Self(User {
            account: item.account.clone(),
            id: item.resource.id.clone(),
            name: text("userName", "a user name")?,
            arn: text("arn", "an ARN")?,
            created,
            tags: item.tags.clone(),
        }))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn alice() -> User {
        User {
            account: AccountId::new("111122223333"),
            id: "AIDAEXAMPLEALICE00001".into(),
            name: "alice".into(),
            arn: "arn:aws:iam::111122223333:user/alice".into(),
            created: "2026-03-04T03:00:00Z".parse().unwrap(),
            tags: Tags::new(),
        }
    }

    pub(crate) fn item(configuration: &Value) -> ConfigurationItem {
        ConfigurationItem::from_notification(&json!({
            "awsAccountId": "111122223333", "awsRegion": "global", "resourceType": TYPE,
            "resourceId": "AIDAEXAMPLEALICE00001", "resourceName": "alice", "configurationItemStatus": "OK",
            "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z", "configuration": configuration
        }))
        .unwrap()
    }

    pub(crate) fn configuration() -> Value {
        json!({"path": "/", "userName": "alice", "userId": "AIDAEXAMPLEALICE00001",
            "arn": "arn:aws:iam::111122223333:user/alice", "createDate": "2026-03-04T03:00:00.000Z"})
    }

    #[test]
    fn a_recorded_user_has_its_id_and_name() {
        let user = RecordedUser::from_item(&item(&configuration())).unwrap().0;
        assert_eq!(user, alice());
        assert_eq!(user.identity().key, ResourceKey::new("AWS::IAM::User", "AIDAEXAMPLEALICE00001"));
    }

    #[test]
    fn an_item_without_a_required_field_is_rejected() {
        for key in ["userName", "arn", "createDate"] {
            for value in [json!(null), json!(""), json!("\u{0}")] {
                let mut configuration = configuration();
                configuration[key] = value.clone();
                let read = RecordedUser::from_item(&item(&configuration));
                let bad = key == "createDate" || value != json!("\u{0}");
                assert_eq!(read.is_err(), bad, "{key}: {value}");
            }
            let mut configuration = configuration();
            configuration.as_object_mut().unwrap().remove(key);
            let error = RecordedUser::from_item(&item(&configuration)).unwrap_err();
            assert_eq!((error.path, error.received), (format!("configuration.{key}"), "nothing".to_owned()));
        }
    }
}
