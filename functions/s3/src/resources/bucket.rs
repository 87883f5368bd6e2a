//! Typed view of an `AWS::S3::Bucket` configuration item: what it records about access, and what it leaves open.
//!
//! Object ownership and the account's block are not in the item; who needs them reads them live.

use rectify_compliance::{AccountId, ConfigurationItem, Region, Resource, ResourceKey, ShapeError, Tags, Target};
use rectify_policy::{Document, Policy};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::families::access::{Acl, Flags, Grant};

/// The resource type in AWS Config. Its id is the bucket's name; directory buckets are of another type.
pub const TYPE: &str = "AWS::S3::Bucket";

/// The types of every control over buckets.
pub const TYPES: &[&str] = &[TYPE];

/// Any bucket, for a role: its ARN has neither region nor account, so a permission cannot be scoped closer.
pub const BUCKETS: &str = "arn:${AWS::Partition}:s3:::*";

/// Which bucket, and whose: the part of every subject that no action changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Its name, which is its id.
    #[serde(rename = "bucket")]
    pub name: String,
    /// Who owns it.
    pub account: AccountId,
    /// Where it lies.
    pub region: Region,
    /// Its ARN.
    pub arn: String,
    /// Its tags; empty where they were not read.
    pub tags: Tags,
}

impl Identity {
    /// The bucket an item is about.
    pub fn of_item(item: &ConfigurationItem) -> Self {
        Self { tags: item.tags.clone(), ..Self::named(&item.resource.id, &item.account, &item.region) }
    }

    /// The bucket a target names, its tags not read.
    pub fn of_target(target: &Target) -> Self {
        Self::named(&target.resource.id, &target.account, &target.region)
    }

    /// The bucket of this name, its tags not read.
    pub fn named(name: &str, account: &AccountId, region: &Region) -> Self {
        Self {
            name: name.to_owned(),
            account: account.clone(),
            region: region.clone(),
            arn: arn(region, name),
            tags: Tags::new(),
        }
    }

    /// As AWS Config identifies it.
    pub fn key(&self) -> ResourceKey {
        ResourceKey::new(TYPE, self.name.as_str())
    }
}

/// Makes a subject about one bucket an image: identified by its field `bucket`.
macro_rules! state_of_bucket {
    ($subject:ty) => {
        impl rectify_compliance::ResourceState for $subject {
            const VERSION: u16 = 1;

            fn key(&self) -> rectify_compliance::ResourceKey {
                self.bucket.key()
            }

            fn arn(&self) -> Option<&str> {
                Some(&self.bucket.arn)
            }

            fn tags(&self) -> &rectify_compliance::Tags {
                &self.bucket.tags
            }
        }
    };
}
pub(crate) use state_of_bucket;

/// A general purpose bucket as AWS Config recorded it, with all that decides who can reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Which one.
    pub identity: Identity,
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

/// `supplementaryConfiguration.BucketPolicy.policyText`: `Some(None)` where it is null, which says that there is no policy,
/// `None` where it is absent, which says nothing.
///
/// # Errors
/// [`ShapeError`] when something is there that cannot be read as a policy.
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
/// [`ShapeError`] when something else than four flags is there.
pub fn block(item: &ConfigurationItem) -> Result<Option<Flags>, ShapeError> {
    let value = item.supplement("PublicAccessBlockConfiguration");
    value.map(|value| Flags::from_item(&path("PublicAccessBlockConfiguration"), value)).transpose()
}

/// Whether `supplementaryConfiguration.BucketWebsiteConfiguration` says something.
pub fn website(item: &ConfigurationItem) -> bool {
    item.supplement("BucketWebsiteConfiguration").is_some_and(|it| !is_void(it))
}

/// An object all of whose values are null says as much as no object.
fn is_void(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.values().all(Value::is_null))
}

pub(crate) fn path(key: &str) -> String {
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

    /// By its tags a bucket is known to be CloudFormation's, or exempt.
    #[test]
    fn a_recorded_bucket_has_the_tags_of_its_item() {
        let mut tagged = item(json!({}));
        tagged.tags.insert("team".to_owned(), "web".to_owned());
        let tags = Bucket::from_item(&tagged).unwrap().identity.tags;
        assert_eq!(tags, Tags::from([("team".to_owned(), "web".to_owned())]));
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
        assert_eq!(bucket.identity.arn, "arn:aws-us-gov:s3:::pics");
    }
}
