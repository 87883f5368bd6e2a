//! Typed view of an `AWS::S3::Bucket` configuration item: what it records about access, and what it leaves open.
//!
//! Object ownership and the account's block are not in the item; who needs them reads them live.

use rectify_compliance::{AccountId, ConfigurationItem, Region, Resource, ShapeError, Tags};
use serde_json::Value;

use crate::access::{Acl, Flags, Grant, Policy};

/// A general purpose bucket as AWS Config recorded it. Directory buckets are of another type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// `resourceId`, which for buckets is the name.
    pub name: String,
    /// Who owns it.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// `tags`.
    pub tags: Tags,
    /// `supplementaryConfiguration.AccessControlList`; `None` where the item has none.
    pub acl: Option<Acl>,
    /// `supplementaryConfiguration.BucketPolicy.policyText`: no statements where it is null, `None` where it is absent.
    pub policy: Option<Policy>,
    /// `supplementaryConfiguration.PublicAccessBlockConfiguration`; absent means that the bucket has none.
    pub block: Option<Flags>,
    /// Whether `supplementaryConfiguration.BucketWebsiteConfiguration` is there.
    pub website: bool,
}

impl Resource for Bucket {
    const TYPES: &'static [&'static str] = &["AWS::S3::Bucket"];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let supplement = |key: &str| item.supplement(key);
        Ok(Self {
            name: item.resource.id.clone(),
            account: item.account.clone(),
            region: item.region.clone(),
            tags: item.tags.clone(),
            acl: supplement("AccessControlList")
                .map(|value| Grant::list_from_item(&path("AccessControlList"), value))
                .transpose()?,
            policy: supplement("BucketPolicy").map(policy).transpose()?.flatten(),
            block: supplement("PublicAccessBlockConfiguration")
                .map(|value| Flags::from_item(&path("PublicAccessBlockConfiguration"), value))
                .transpose()?,
            website: supplement("BucketWebsiteConfiguration").is_some_and(|it| !is_void(it)),
        })
    }
}

/// ARN of the bucket `name` in the partition of `region`.
pub fn arn(region: &Region, name: &str) -> String {
    region.partition().arn("s3", "", "", name)
}

fn policy(value: &Value) -> Result<Option<Policy>, ShapeError> {
    let fields =
        value.as_object().ok_or_else(|| ShapeError::new(path("BucketPolicy"), "an object", "something else"))?;
    let path = path("BucketPolicy.policyText");
    match fields.get("policyText") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(Policy::default())),
        Some(Value::String(text)) => Policy::parse(&path, text).map(Some),
        Some(_) => Err(ShapeError::new(path, "policy text or null", "something else")),
    }
}

/// An object all of whose values are null says as much as no object.
fn is_void(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.values().all(Value::is_null))
}

fn path(key: &str) -> String {
    format!("supplementaryConfiguration.{key}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::testing::{item, notification};
    use serde_json::json;

    fn read(supplementary: Value) -> Result<Bucket, ShapeError> {
        Bucket::from_item(&item(supplementary))
    }

    #[test]
    fn what_an_item_lacks_is_left_open_and_what_it_says_is_read() {
        let bucket = read(json!({})).unwrap();
        assert_eq!((bucket.acl, bucket.policy, bucket.block, bucket.website), (None, None, None, false));
        let bucket = read(json!({
            "AccessControlList": json!({"grantSet": null, "grantList": []}).to_string(),
            "BucketPolicy": {"policyText": null},
            "PublicAccessBlockConfiguration": {"blockPublicAcls": true, "ignorePublicAcls": true,
                "blockPublicPolicy": false, "restrictPublicBuckets": false},
            "BucketWebsiteConfiguration": {"indexDocumentSuffix": "index.html", "errorDocument": null}
        }))
        .unwrap();
        assert_eq!(
            (bucket.acl, bucket.policy, bucket.block, bucket.website),
            (Some(vec![]), Some(Policy::default()), Some(Flags::ACL_PAIR), true)
        );
        assert!(!read(json!({"BucketWebsiteConfiguration": {"indexDocumentSuffix": null}})).unwrap().website);
        assert_eq!(read(json!({"BucketPolicy": {}})).unwrap().policy, None);
    }

    #[test]
    fn what_is_there_and_cannot_be_decoded_is_refused() {
        for (supplementary, expected) in [
            (
                json!({"AccessControlList": "{\"grantList\":"}),
                "supplementaryConfiguration.AccessControlList: expected an object with a list of grants: received `text that is no JSON`",
            ),
            (
                json!({"BucketPolicy": "text"}),
                "supplementaryConfiguration.BucketPolicy: expected an object: received `something else`",
            ),
            (
                json!({"BucketPolicy": {"policyText": 7}}),
                "supplementaryConfiguration.BucketPolicy.policyText: expected policy text or null: received `something else`",
            ),
            (
                json!({"PublicAccessBlockConfiguration": "on"}),
                "supplementaryConfiguration.PublicAccessBlockConfiguration: expected an object of four flags: received `\"on\"`",
            ),
        ] {
            assert_eq!(read(supplementary).unwrap_err().to_string(), expected);
        }
        let error = read(json!({"BucketPolicy": {"policyText": "{\"Statement\": [secret"}})).unwrap_err();
        assert!(error.path.ends_with("policyText") && !error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn the_arn_is_of_the_partition_the_bucket_lies_in() {
        assert_eq!(arn(&Region::new("cn-north-1"), "pics"), "arn:aws-cn:s3:::pics");
        let mut elsewhere = notification(json!({}));
        elsewhere["awsRegion"] = json!("us-gov-west-1");
        let bucket = Bucket::from_item(&ConfigurationItem::from_notification(&elsewhere).unwrap()).unwrap();
        assert_eq!(arn(&bucket.region, &bucket.name), "arn:aws-us-gov:s3:::pics");
    }
}
