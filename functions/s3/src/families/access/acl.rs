//! Access control lists, and the ownership setting that can disable them.

use rectify_compliance::ShapeError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The grants of a bucket's ACL.
pub type Acl = Vec<Grant>;

/// Group names in configuration items; in API responses they are the last segment of a URI.
const GROUPS: [(&str, Grantee); 3] = [
    ("AllUsers", Grantee::AllUsers),
    ("AuthenticatedUsers", Grantee::AuthenticatedUsers),
    ("LogDelivery", Grantee::LogDelivery),
];

/// One grant of an ACL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// The grantee.
    pub grantee: Grantee,
    /// The granted permission.
    pub permission: Permission,
}

/// The holder of a grant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grantee {
    /// Everyone, authenticated or not.
    AllUsers,
    /// Every principal with any AWS account.
    AuthenticatedUsers,
    /// The log delivery group of S3.
    LogDelivery,
    /// One account, by canonical id or email address.
    Account(String),
}

/// The permission of a grant on a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Permission {
    /// List the objects.
    Read,
    /// Read the ACL.
    ReadAcp,
    /// Create, overwrite and delete objects.
    Write,
    /// Replace the ACL, and so gain any other permission.
    WriteAcp,
    /// All permissions.
    FullControl,
}

/// `ObjectOwnership`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ownership {
    /// ACLs are disabled: existing ones have no effect.
    BucketOwnerEnforced,
    /// ACLs are in effect.
    BucketOwnerPreferred,
    /// ACLs are in effect; also the ownership of a bucket without ownership controls.
    ObjectWriter,
}

impl Ownership {
    /// Parses the API's spelling.
    ///
    /// # Errors
    /// [`ShapeError`] for an unknown value.
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        match text {
            "BucketOwnerEnforced" => Ok(Self::BucketOwnerEnforced),
            "BucketOwnerPreferred" => Ok(Self::BucketOwnerPreferred),
            "ObjectWriter" => Ok(Self::ObjectWriter),
            other => Err(ShapeError::new("OwnershipControls.Rules.ObjectOwnership", "a known ownership", other)),
        }
    }
}

impl Permission {
    /// Parses the item's spelling (`ReadAcp`) and the API's (`READ_ACP`).
    ///
    /// # Errors
    /// [`ShapeError`] for an unknown permission: it might grant access.
    pub fn parse(path: &str, text: &str) -> Result<Self, ShapeError> {
        match text {
            "Read" | "READ" => Ok(Self::Read),
            "ReadAcp" | "READ_ACP" => Ok(Self::ReadAcp),
            "Write" | "WRITE" => Ok(Self::Write),
            "WriteAcp" | "WRITE_ACP" => Ok(Self::WriteAcp),
            "FullControl" | "FULL_CONTROL" => Ok(Self::FullControl),
            other => Err(ShapeError::new(path, "a known permission", other)),
        }
    }

    /// Whether the holder can read, directly or after changing the ACL.
    pub const fn reads(self) -> bool {
        match self {
            Self::Read | Self::ReadAcp | Self::WriteAcp | Self::FullControl => true,
            Self::Write => false,
        }
    }

    /// Whether the holder can write, directly or after changing the ACL.
    pub const fn writes(self) -> bool {
        match self {
            Self::Write | Self::WriteAcp | Self::FullControl => true,
            Self::Read | Self::ReadAcp => false,
        }
    }

    /// The name in configuration items.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::ReadAcp => "ReadAcp",
            Self::Write => "Write",
            Self::WriteAcp => "WriteAcp",
            Self::FullControl => "FullControl",
        }
    }
}

impl Grantee {
    /// Parses a group from the bare name of an item or the URI of the API.
    ///
    /// # Errors
    /// [`ShapeError`] for an unknown group: it might include everyone.
    pub fn group(path: &str, text: &str) -> Result<Self, ShapeError> {
        let name = text.rsplit('/').next().unwrap_or(text);
        GROUPS
            .into_iter()
            .find_map(|(known, grantee)| (known == name).then_some(grantee))
            .ok_or_else(|| ShapeError::new(path, "a known group", text))
    }

    fn from_item(path: &str, value: &Value) -> Result<Self, ShapeError> {
        if let Some(text) = value.as_str() {
            return Self::group(path, text);
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
        match (text("uri"), text("id").or_else(|| text("emailAddress"))) {
            (Some(uri), _) => Self::group(path, uri),
            (None, Some(account)) => Ok(Self::Account(account.to_owned())),
            (None, None) => Err(ShapeError::new(path, "a group or an account", value)),
        }
    }

    /// The group's name, or `account`: canonical ids mean nothing to a reader.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AllUsers => "AllUsers",
            Self::AuthenticatedUsers => "AuthenticatedUsers",
            Self::LogDelivery => "LogDelivery",
            Self::Account(_) => "account",
        }
    }
}

impl Grant {
    /// Whether the grant is public. Anyone can open an AWS account, so `AuthenticatedUsers` is public too unless a
    /// parameter excludes it.
    pub const fn is_public(&self, authenticated_users: bool) -> bool {
        match self.grantee {
            Grantee::AllUsers => true,
            Grantee::AuthenticatedUsers => authenticated_users,
            Grantee::LogDelivery | Grantee::Account(_) => false,
        }
    }

    /// Parses `AccessControlList` of a configuration item: `grantList` or `grantSet`, group grantees as bare strings.
    ///
    /// # Errors
    /// [`ShapeError`] when it is not such an object (e.g. text that cannot be decoded) or has an unknown group or
    /// permission.
    pub fn list_from_item(path: &str, value: &Value) -> Result<Acl, ShapeError> {
        let lists: Vec<&Vec<Value>> =
            ["grantList", "grantSet"].iter().filter_map(|key| value.get(key)?.as_array()).collect();
        if lists.is_empty() {
            return Err(ShapeError::new(path, "an object with a list of grants", kind_of(value)));
        }
        lists.into_iter().flatten().map(|grant| Self::from_item(path, grant)).collect()
    }

    fn from_item(path: &str, value: &Value) -> Result<Self, ShapeError> {
        let path = format!("{path}.grantList");
        let part = |key: &str| value.get(key).filter(|it| !it.is_null());
        let grantee = part("grantee").ok_or_else(|| ShapeError::new(&*path, "a grant with a grantee", value))?;
        let permission = part("permission")
            .and_then(Value::as_str)
            .ok_or_else(|| ShapeError::new(&*path, "a grant with a permission", value))?;
        Ok(Self { grantee: Grantee::from_item(&path, grantee)?, permission: Permission::parse(&path, permission)? })
    }
}

/// The type of a value, without its content: an ACL may name users.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text that is not JSON",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object without grants",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn grants_are_parsed_in_the_form_of_an_item() {
        let list = json!({"grantSet": null, "grantList": [
            {"grantee": {"id": "79a5", "displayName": null}, "permission": "FullControl"},
            {"grantee": "AllUsers", "permission": "ReadAcp"},
            {"grantee": "LogDelivery", "permission": "Write"}]});
        let grant = |grantee, permission| Grant { grantee, permission };
        assert_eq!(
            Grant::list_from_item("p", &list).unwrap(),
            [
                grant(Grantee::Account("79a5".into()), Permission::FullControl),
                grant(Grantee::AllUsers, Permission::ReadAcp),
                grant(Grantee::LogDelivery, Permission::Write),
            ]
        );
    }

    #[test]
    fn unknown_values_are_rejected_and_never_treated_as_private() {
        for (list, expected) in [
            (json!("{not json"), "p: expected an object with a list of grants: received `text that is not JSON`"),
            (
                json!({"grantList": null}),
                "p: expected an object with a list of grants: received `an object without grants`",
            ),
            (
                json!({"grantList": [{"grantee": "Everyone", "permission": "Read"}]}),
                "p.grantList: expected a known group: received `Everyone`",
            ),
            (
                json!({"grantList": [{"grantee": "AllUsers", "permission": "Peek"}]}),
                "p.grantList: expected a known permission: received `Peek`",
            ),
            (
                json!({"grantList": [{"grantee": {}, "permission": "Read"}]}),
                "p.grantList: expected a group or an account: received `{}`",
            ),
            (
                json!({"grantList": [{"permission": "Read"}]}),
                "p.grantList: expected a grant with a grantee: received `{\"permission\":\"Read\"}`",
            ),
        ] {
            assert_eq!(Grant::list_from_item("p", &list).unwrap_err().to_string(), expected);
        }
        assert!(Ownership::parse("Unknown").is_err());
    }

    #[test]
    fn both_spellings_of_permissions_and_groups_are_equivalent() {
        for (item, api, reads, writes) in [
            ("Read", "READ", true, false),
            ("ReadAcp", "READ_ACP", true, false),
            ("Write", "WRITE", false, true),
            ("WriteAcp", "WRITE_ACP", true, true),
            ("FullControl", "FULL_CONTROL", true, true),
        ] {
            let permission = Permission::parse("p", item).unwrap();
            assert_eq!(permission, Permission::parse("p", api).unwrap());
            assert_eq!((permission.reads(), permission.writes(), permission.name()), (reads, writes, item));
        }
        assert_eq!(
            Grantee::group("p", "http://acs.amazonaws.com/groups/global/AuthenticatedUsers").unwrap(),
            Grantee::AuthenticatedUsers
        );
        assert_eq!(
            Grantee::group("p", "http://acs.amazonaws.com/groups/s3/LogDelivery").unwrap(),
            Grantee::LogDelivery
        );
    }
}
