//! The setting of an account in a region that allows public documents.
//!
//! Depends on no control and no SDK.

use rectify_compliance::{
    AccountId, ConfigurationItem, ManagedBy, Operation, Permission, Region, Resource, ResourceIdentity, ResourceState,
    ShapeError, Tags, View,
};
use serde::{Deserialize, Serialize};

/// `SettingId`.
pub const SETTING_ID: &str = "/ssm/documents/console/public-sharing-permission";

const SETTING: &str = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:servicesetting/ssm/documents/console/public-sharing-permission";
const GET: Permission = Permission::on("ssm:GetServiceSetting", SETTING);
const UPDATE: Permission = Permission::on("ssm:UpdateServiceSetting", SETTING);

/// The setting of one account in one region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharingSetting {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// `SettingValue`.
    pub public_sharing: PublicSharing,
    /// Always empty: a setting has no tags.
    pub tags: Tags,
}

/// Whether documents can be made public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PublicSharing {
    /// They can.
    Enable,
    /// They cannot; documents that already are public stay so.
    Disable,
}

impl PublicSharing {
    /// Parses `SettingValue`.
    ///
    /// # Errors
    /// [`ShapeError`] for a value other than `Enable` and `Disable`.
    pub fn parse(value: &str) -> Result<Self, ShapeError> {
        match value {
            "Enable" => Ok(Self::Enable),
            "Disable" => Ok(Self::Disable),
            other => Err(ShapeError::new("ServiceSetting.SettingValue", "Enable or Disable", other)),
        }
    }

    /// The value in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enable => "Enable",
            Self::Disable => "Disable",
        }
    }
}

impl ResourceState for SharingSetting {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { tags: &self.tags, ..ResourceIdentity::account(&self.account) }
    }
}

/// `UpdateServiceSetting`.
pub const UPDATE_SERVICE_SETTING: Operation =
    Operation { name: "UpdateServiceSetting", resource: "SettingId", permissions: &[UPDATE] };

/// The item of a setting, which AWS Config does not record: no value of this type exists.
#[derive(Debug)]
pub enum NoItem {}

impl Resource for NoItem {
    const TYPES: &'static [&'static str] = &[];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        Err(ShapeError::new("configurationItem", "none: a service setting is not recorded", &item.resource))
    }
}

impl View for SharingSetting {
    type Resource = NoItem;
    type Facts = ();
    const FACTS: &'static [Permission] = &[];
    const READ: &'static [Permission] = &[GET];
    const LIST: &'static [Permission] = &[GET];
    const MANAGED_BY: ManagedBy = ManagedBy::Unmanaged("CloudFormation has no type for a service setting");

    fn of(item: NoItem, (): ()) -> Self {
        match item {}
    }

    fn call_id(&self) -> &str {
        SETTING_ID
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The setting of an account in eu-west-1.
    pub(crate) fn setting(public_sharing: PublicSharing) -> SharingSetting {
        SharingSetting {
            account: AccountId::new("111122223333"),
            region: Region::new("eu-west-1"),
            public_sharing,
            tags: Tags::new(),
        }
    }

    /// `ssm-automation-block-public-sharing/4`
    #[test]
    fn an_unknown_value_is_an_error() {
        for value in [PublicSharing::Enable, PublicSharing::Disable] {
            assert_eq!(PublicSharing::parse(value.as_str()), Ok(value));
        }
        for other in ["", "enable", "Default"] {
            assert_eq!(PublicSharing::parse(other).unwrap_err().path, "ServiceSetting.SettingValue");
        }
    }
}
