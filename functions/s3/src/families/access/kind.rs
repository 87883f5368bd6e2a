//! How S3 decides whether a policy is public.
//!
//! From "The meaning of public" (S3 User Guide), as `rectify_policy::condition` describes: a value is fixed if it has
//! no wildcard, and `aws:PrincipalOrgPaths`, which the page does not list, restricts nothing.

use rectify_compliance::Arn;
use rectify_policy::condition::is_fixed;
use rectify_policy::{Key, ResourceKind, Wildcards};

use super::actions;

/// An access point. Every request to it comes through that account's access point, so the access point keys restrict
/// nothing.
pub const ACCESS_POINT: ResourceKind = ResourceKind {
    keys: &[KEY_ID],
    ignored_keys: &["aws:principalorgpaths"],
    wildcards: Wildcards::Refused,
    shared_services: &[],
    actions: actions::ALL,
};

/// A bucket.
pub const BUCKET: ResourceKind = ResourceKind {
    keys: &[
        KEY_ID,
        Key { name: "s3:dataaccesspointarn", is_fixed: names_access_point_account },
        Key { name: "s3:dataaccesspointaccount", is_fixed },
    ],
    ..ACCESS_POINT
};

const KEY_ID: Key = Key { name: "s3:x-amz-server-side-encryption-aws-kms-key-id", is_fixed };

/// `arn:<partition>:s3:<region>:<account>:accesspoint/<name>`, where only the name may be a wildcard.
fn names_access_point_account(value: &str) -> bool {
    let Ok(arn) = value.parse::<Arn>() else { return false };
    let (Some(region), Some(account)) = (arn.region(), arn.account()) else { return false };
    let tail = arn.resource();
    [arn.partition(), arn.service(), region.as_str(), account.as_str()].into_iter().all(is_fixed)
        && (is_fixed(tail) || (tail.starts_with("accesspoint/") && !tail.contains("${")))
}

#[cfg(test)]
mod tests {
    use rectify_policy::Condition;

    use super::*;

    fn restricts(key: &str, value: &str, kind: &ResourceKind) -> bool {
        Condition { operator: "StringLike".into(), key: key.into(), values: vec![value.into()] }.restricts(kind)
    }

    #[test]
    fn access_point_keys_restrict_only_bucket_policies_and_only_the_name_may_be_a_wildcard() {
        let (arn, account) = ("s3:DataAccessPointArn", "s3:DataAccessPointAccount");
        for (key, value, expected) in [
            (arn, "arn:aws:s3:eu-west-1:111122223333:accesspoint/*", true),
            (arn, "arn:aws:s3:eu-west-1:111122223333:accesspoint/app", true),
            (arn, "arn:aws:s3:eu-west-1:*:accesspoint/app", false),
            (arn, "arn:aws:s3:*:111122223333:accesspoint/app", false),
            (arn, "*", false),
            (account, "111122223333", true),
            (account, "1111*", false),
        ] {
            assert_eq!(restricts(key, value, &BUCKET), expected, "{key} {value}");
            assert!(!restricts(key, value, &ACCESS_POINT), "{key} {value}");
        }
    }

    #[test]
    fn only_fixed_values_of_the_documented_keys_restrict() {
        for kind in [&BUCKET, &ACCESS_POINT] {
            assert!(restricts("s3:x-amz-server-side-encryption-aws-kms-key-id", "key-1", kind));
            assert!(restricts("aws:SourceArn", "arn:aws:sns:eu-west-1:111122223333:t", kind));
            assert!(!restricts("aws:SourceArn", "arn:aws:sns:eu-west-1:111122223333:*", kind));
            assert!(!restricts("aws:PrincipalOrgPaths", "o-abc/r-1", kind));
        }
    }
}
