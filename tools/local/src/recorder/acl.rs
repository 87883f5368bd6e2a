//! A bucket's access control list as AWS Config writes it: JSON inside a string, with its own names.
//!
//! A grantee or permission without such a name is an error: leaving the grant out would hide it.

use aws_sdk_s3::types::{Grant, Grantee, Owner, Permission};
use serde_json::{Value, json};

use super::RecorderError;

/// S3's groups and Config's names for them; all URIs start with [`GROUP_URI_PREFIX`].
const GROUPS: [(&str, &str); 3] = [
    ("global/AllUsers", "AllUsers"),
    ("global/AuthenticatedUsers", "AuthenticatedUsers"),
    ("s3/LogDelivery", "LogDelivery"),
];
const GROUP_URI_PREFIX: &str = "http://acs.amazonaws.com/groups/";

/// A bucket's owner, as in the configuration and in the list.
pub(super) fn owner(owner: Option<&Owner>) -> Value {
    json!({ "displayName": owner.and_then(Owner::display_name), "id": owner.and_then(Owner::id) })
}

/// The value of `AccessControlList`.
pub(super) fn text(bucket: &str, owned_by: Option<&Owner>, grants: &[Grant]) -> Result<String, RecorderError> {
    let mut list = grants.iter().map(|grant| entry(bucket, grant)).collect::<Result<Vec<Value>, _>>()?;
    list.sort_by_cached_key(Value::to_string);
    let list = json!({ "grantSet": null, "grantList": list, "owner": owner(owned_by), "isRequesterCharged": false });
    Ok(list.to_string())
}

fn entry(bucket: &str, grant: &Grant) -> Result<Value, RecorderError> {
    let unknown = |field: &'static str, why: String| RecorderError::Answer { resource: bucket.to_owned(), field, why };
    let permission = match grant.permission() {
        Some(Permission::FullControl) => "FullControl",
        Some(Permission::Read) => "Read",
        Some(Permission::ReadAcp) => "ReadAcp",
        Some(Permission::Write) => "Write",
        Some(Permission::WriteAcp) => "WriteAcp",
        other => return Err(unknown("permission", format!("no name for {other:?} in AWS Config"))),
    };
    let grantee = grant.grantee().ok_or_else(|| unknown("grantee", "missing".to_owned()))?;
    let named = name(grantee).ok_or_else(|| unknown("grantee", format!("no name for {grantee:?} in AWS Config")))?;
    Ok(json!({ "grantee": named, "permission": permission }))
}

/// A group is a string, a user an object.
fn name(grantee: &Grantee) -> Option<Value> {
    if let Some(id) = grantee.id() {
        return Some(json!({ "id": id, "displayName": grantee.display_name() }));
    }
    let group = grantee.uri()?.strip_prefix(GROUP_URI_PREFIX)?;
    GROUPS.iter().find(|(path, _)| *path == group).map(|(_, name)| Value::from(*name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use aws_sdk_s3::types::Type;

    use super::*;

    fn grant(grantee: Grantee, permission: Permission) -> Grant {
        Grant::builder().grantee(grantee).permission(permission).build()
    }

    fn group(uri: &str) -> Grantee {
        Grantee::builder().r#type(Type::Group).uri(uri).build().unwrap()
    }

    #[test]
    fn users_are_objects_and_groups_are_strings() {
        let owner = Owner::builder().id("0a").build();
        let user = Grantee::builder().r#type(Type::CanonicalUser).id("0a").build().unwrap();
        let grants = [
            grant(group("http://acs.amazonaws.com/groups/global/AllUsers"), Permission::Read),
            grant(group("http://acs.amazonaws.com/groups/s3/LogDelivery"), Permission::WriteAcp),
            grant(user, Permission::FullControl),
        ];
        let text = text("logs", Some(&owner), &grants).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({
                "grantSet": null,
                "grantList": [
                    {"grantee": "AllUsers", "permission": "Read"},
                    {"grantee": "LogDelivery", "permission": "WriteAcp"},
                    {"grantee": {"id": "0a", "displayName": null}, "permission": "FullControl"}
                ],
                "owner": {"displayName": null, "id": "0a"},
                "isRequesterCharged": false
            })
        );
    }

    #[test]
    fn grant_without_a_name_is_an_error() {
        let rows = [
            grant(group("http://example.com/AllUsers"), Permission::Read),
            grant(group("http://acs.amazonaws.com/groups/global/AllUsers"), Permission::from("TAKE")),
            Grant::builder().permission(Permission::Read).build(),
        ];
        for row in rows {
            assert!(matches!(text("logs", None, &[row]), Err(RecorderError::Answer { .. })));
        }
    }
}
