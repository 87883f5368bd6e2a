//! Typed view of an `AWS::S3::Bucket` configuration item: its access settings, some of which may be missing.
//!
//! Object ownership and the account's block are not in the item; the controls that need them read them live.

use rectify_compliance::{
    AccountId, ConfigurationItem, Region, Resource, ResourceIdentity, ResourceKey, ShapeError, Tags, Target,
};
use rectify_policy::{Document, Policy};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::families::access::{Acl, Flags, Grant};

/// The resource type in AWS Config. Its id is the bucket's name; directory buckets have another type.
pub const TYPE: &str = "AWS::S3::Bucket";

/// The resource types of every control for buckets.
pub const TYPES: &[&str] = &[TYPE];

/// Any bucket, for permissions: a bucket ARN has neither region nor account, so the scope cannot be narrower.
pub const BUCKETS: &str = "arn:${AWS::Partition}:s3:::*";

/// The identity of a bucket: the fields of every subject that no action changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Its name, which is also its id.
    #[serde(rename = "bucket")]
    pub name: String,
    /// The owner account.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
    /// Its ARN.
    pub arn: String,
    /// Its tags; empty where not read.
    pub tags: Tags,
}

impl Identity {
    /// The bucket of an item.
    pub fn of_item(item: &ConfigurationItem) -> Self {
        Self { tags: item.tags.clone(), ..Self::named(&item.resource.id, &item.account, &item.region) }
    }

    /// The bucket of a target, without tags.
    pub fn of_target(target: &Target) -> Self {
        Self::named(&target.resource.id, &target.account, &target.region)
    }

    /// The bucket of this name, without tags.
    pub fn named(name: &str, account: &AccountId, region: &Region) -> Self {
        Self {
            name: name.to_owned(),
            account: account.clone(),
            region: region.clone(),
            arn: arn(region, name),
            tags: Tags::new(),
        }
    }

    /// The bucket in calls.
    pub fn owned(&self) -> OwnedBucket {
        OwnedBucket { name: self.name.clone(), owner: self.account.clone() }
    }

    /// The bucket as AWS Config identifies it.
    pub(crate) fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.name), arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

/// A bucket in a call that changes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedBucket {
    /// `Bucket`.
    #[serde(rename = "Bucket")]
    pub name: String,
    /// `ExpectedBucketOwner`: the call fails if another account owns the bucket by now.
    #[serde(rename = "ExpectedBucketOwner")]
    pub owner: AccountId,
}

/// A general purpose bucket as AWS Config recorded it, with its access settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket.
    pub identity: Identity,
    /// `supplementaryConfiguration.AccessControlList`; `None` where the item has none.
    pub acl: Option<Acl>,
    /// `supplementaryConfiguration.BucketPolicy.policyText`: no statements where null, `None` where absent.
    pub policy: Option<Policy>,
    /// `supplementaryConfiguration.PublicAccessBlockConfiguration`; absent means that the bucket has none.
    pub block: Option<Flags>,
    /// Whether `supplementaryConfiguration.BucketWebsiteConfiguration` is set.
    pub website: bool,
}

impl Resource for Bucket {
    const TYPES: &'static [&'static str] = TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let supplement = |key: &str| item.supplement(key);
        Ok(Self {
            identity: Identity::of_item(item),
            acl: supplement("AccessControlList")
                .map(|value| Grant::list_from_item(&path("AccessControlList"), value))
                .transpose()?,
            policy: policy(item)?.map(|document| document.map(Policy::from).unwrap_or_default()),
            block: block(item)?,
            website: website(item),
        })
    }
}

/// ARN of the bucket `name` in the partition of `region`.
pub fn arn(region: &Region, name: &str) -> String {
    region.partition().arn("s3", "", "", name)
}

/// `supplementaryConfiguration.BucketPolicy.policyText`: `Some(None)` where null, which means that there is no policy;
/// `None` where absent, which means that the policy is unknown.
///
/// # Errors
/// [`ShapeError`] when the value cannot be parsed as a policy.
pub fn policy(item: &ConfigurationItem) -> Result<Option<Option<Document>>, ShapeError> {
    let Some(value) = item.supplement("BucketPolicy") else { return Ok(None) };
    let fields =
        value.as_object().ok_or_else(|| ShapeError::new(path("BucketPolicy"), "an object", "something else"))?;
    let path = path("BucketPolicy.policyText");
    match fields.get("policyText") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(Value::String(text)) => Document::parse(&path, text).map(|document| Some(Some(document))),
        Some(_) => Err(ShapeError::new(path, "policy text or null", "something else")),
    }
}

/// `supplementaryConfiguration.PublicAccessBlockConfiguration`; absent means that the bucket has none.
///
/// # Errors
/// [`ShapeError`] when the value is not an object of four flags.
pub fn block(item: &ConfigurationItem) -> Result<Option<Flags>, ShapeError> {
    let value = item.supplement("PublicAccessBlockConfiguration");
    value.map(|value| Flags::from_item(&path("PublicAccessBlockConfiguration"), value)).transpose()
}

/// Whether `supplementaryConfiguration.BucketWebsiteConfiguration` is set.
pub fn website(item: &ConfigurationItem) -> bool {
    item.supplement("BucketWebsiteConfiguration").is_some_and(|it| !is_empty_object(it))
}

/// Whether all values of an object are null, which is equivalent to no object.
fn is_empty_object(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.values().all(Value::is_null))
}

pub(crate) fn path(key: &str) -> String {
    format!("supplementaryConfiguration.{key}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{item, notification};
    use serde_json::json;

    fn read(supplementary: Value) -> Result<Bucket, ShapeError> {
        Bucket::from_item(&item(supplementary))
    }

    /// The tags decide whether a bucket belongs to CloudFormation or is exempt.
    #[test]
    fn a_recorded_bucket_has_the_tags_of_its_item() {
        let mut tagged = item(json!({}));
        tagged.tags.insert("team".to_owned(), "web".to_owned());
        let tags = Bucket::from_item(&tagged).unwrap().identity.tags;
        assert_eq!(tags, Tags::from([("team".to_owned(), "web".to_owned())]));
    }

    #[test]
    fn missing_settings_of_an_item_are_none_and_present_ones_are_parsed() {
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
    fn settings_that_cannot_be_decoded_are_rejected() {
        for (supplementary, expected) in [
            (
                json!({"AccessControlList": "{\"grantList\":"}),
                "supplementaryConfiguration.AccessControlList: expected an object with a list of grants: received `text that is not JSON`",
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
    fn the_arn_has_the_partition_of_the_bucket() {
        assert_eq!(arn(&Region::new("cn-north-1"), "pics"), "arn:aws-cn:s3:::pics");
        let mut other_region = notification(json!({}));
        other_region["awsRegion"] = json!("us-gov-west-1");
        let bucket = Bucket::from_item(&ConfigurationItem::from_notification(&other_region).unwrap()).unwrap();
        assert_eq!(bucket.identity.arn, "arn:aws-us-gov:s3:::pics");
    }
}
