//! A resource of any type that has tags: the subject of `required-tags`.
//!
//! Knows no SDK. Covers the resource types, where their items keep tags, and whether tags are required of a resource at
//! all.

use rectify_compliance::{
    AccountId, ConfigurationItem, Partition, Region, Resource, ResourceIdentity, ResourceKey, ResourceState,
    ShapeError, Tags, Target,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::controls::required_tags::requirement::{DefaultValues, RequiredTags};
use crate::resources::instance;
use crate::resources::ownership::Ownership;

/// The types of the managed rule `required-tags`. Source: its page, November 2026.
pub const TYPES: &[&str] = &[
    "AWS::ACM::Certificate",
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::CloudFormation::Stack",
    "AWS::CodeBuild::Project",
    "AWS::DynamoDB::Table",
    "AWS::EC2::CustomerGateway",
    instance::TYPE,
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NetworkAcl",
    "AWS::EC2::NetworkInterface",
    "AWS::EC2::RouteTable",
    crate::resources::security_group::TYPE,
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::EC2::VPNConnection",
    "AWS::EC2::VPNGateway",
    "AWS::EC2::Volume",
    "AWS::ElasticLoadBalancing::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBSecurityGroup",
    "AWS::RDS::DBSnapshot",
    "AWS::RDS::DBSubnetGroup",
    "AWS::RDS::EventSubscription",
    "AWS::Redshift::Cluster",
    "AWS::Redshift::ClusterParameterGroup",
    "AWS::Redshift::ClusterSecurityGroup",
    "AWS::Redshift::ClusterSnapshot",
    "AWS::Redshift::ClusterSubnetGroup",
    "AWS::S3::Bucket",
];

/// ARNs of types whose id is not an ARN: type, service, and the prefix before the name.
const ARNS: &[(&str, &str, &str)] = &[
    ("AWS::DynamoDB::Table", "dynamodb", "table/"),
    ("AWS::ElasticLoadBalancing::LoadBalancer", "elasticloadbalancing", "loadbalancer/"),
    ("AWS::RDS::DBInstance", "rds", "db:"),
    ("AWS::RDS::DBSecurityGroup", "rds", "secgrp:"),
    ("AWS::RDS::DBSnapshot", "rds", "snapshot:"),
    ("AWS::RDS::DBSubnetGroup", "rds", "subgrp:"),
    ("AWS::RDS::EventSubscription", "rds", "es:"),
    ("AWS::Redshift::Cluster", "redshift", "cluster:"),
    ("AWS::Redshift::ClusterParameterGroup", "redshift", "parametergroup:"),
    ("AWS::Redshift::ClusterSecurityGroup", "redshift", "securitygroup:"),
    ("AWS::Redshift::ClusterSubnetGroup", "redshift", "subnetgroup:"),
];

/// A resource with its tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaggedResource {
    /// Type and id.
    pub key: ResourceKey,
    /// The account that owns it.
    pub account: AccountId,
    /// The region it is in.
    pub region: Region,
    /// The ARN, if known.
    pub arn: Option<String>,
    /// Whether tags are required, and if not, why.
    pub standing: TaggingSupport,
    /// Its tags, as recorded or as read live.
    pub tags: Tags,
    /// Its tags as read live, after the recorded ones violated a requirement.
    pub live_tags: Option<Tags>,
    /// The values of parameters that are stored in Systems Manager.
    #[serde(default)]
    pub stored: StoredTags,
}

/// Whether tags can be required of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TaggingSupport {
    /// They can.
    Ordinary,
    /// An AWS service owns it ([`Ownership`]).
    RequesterManaged,
    /// The resource is gone, although EC2 still lists it; its state.
    Gone(String),
}

impl TaggingSupport {
    /// The tagging support of an existing resource.
    pub fn under(ownership: Ownership<'_>) -> Self {
        if ownership.is_service_owned() { Self::RequesterManaged } else { Self::Ordinary }
    }
}

/// The values of parameters that are stored in Systems Manager.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StoredTags {
    /// The value of `required`.
    pub required: Option<RequiredTags>,
    /// The value of `defaults`.
    pub defaults: Option<DefaultValues>,
}

/// What a rule reads before it can evaluate an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TagFacts {
    /// The current tags, if the recorded ones violate a requirement.
    pub live_tags: Option<Tags>,
    /// The values of stored parameters.
    #[serde(default)]
    pub stored: StoredTags,
}

impl Resource for TaggedResource {
    const TYPES: &'static [&'static str] = TYPES;

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let at = |pointer: &str| item.configuration.pointer(pointer);
        let state = at("/state/name").and_then(Value::as_str).filter(|_| item.resource.kind == instance::TYPE);
        let standing = match state {
            Some(state) if instance::is_gone(state) => TaggingSupport::Gone(state.to_owned()),
            _ => TaggingSupport::under(Ownership::of(&item.configuration)),
        };
        Ok(Self {
            key: item.resource.clone(),
            account: item.account.clone(),
            region: item.region.clone(),
            arn: item.arn.clone(),
            standing,
            tags: tags_of(item)?,
            live_tags: None,
            stored: StoredTags::default(),
        })
    }
}

impl TaggedResource {
    /// Whether its tags are read from EC2.
    pub fn is_ec2_type(&self) -> bool {
        is_ec2_type(&self.key.kind)
    }
}

/// Whether a type belongs to EC2, whose tags are read and written by id.
pub fn is_ec2_type(kind: &str) -> bool {
    kind.starts_with("AWS::EC2::")
}

/// The ARN of a resource of another service; `None` if it cannot be derived.
pub fn arn_of(target: &Target) -> Option<String> {
    let kind = target.resource.kind.as_str();
    if let Some(arn) = &target.arn {
        return Some(arn.clone());
    }
    if target.resource.id.starts_with("arn:") {
        return Some(target.resource.id.clone());
    }
    let partition: Partition = target.region.partition();
    if kind == "AWS::S3::Bucket" {
        return Some(partition.arn("s3", "", "", &target.resource.id));
    }
    let (_, service, prefix) = ARNS.iter().find(|(name, _, _)| *name == kind)?;
    // The resource id of a database instance is not its name.
    let name = if kind == "AWS::RDS::DBInstance" { target.name.as_deref()? } else { target.name_or_id() };
    let resource = format!("{prefix}{name}");
    Some(partition.arn(service, target.region.as_str(), target.account.as_str(), &resource))
}

/// The tags of an item: its tag map, or else the supplementary configuration, where some types keep them.
fn tags_of(item: &ConfigurationItem) -> Result<Tags, ShapeError> {
    if !item.tags.is_empty() {
        return Ok(item.tags.clone());
    }
    if let Some(list) = item.supplement("Tags") {
        return listed(list).ok_or_else(|| ShapeError::new("supplementaryConfiguration.Tags", "a list of tags", list));
    }
    match item.supplement("BucketTaggingConfiguration").map(|it| it.pointer("/tagSets/0/tags").unwrap_or(&Value::Null))
    {
        None | Some(Value::Null) => Ok(Tags::new()),
        Some(tags) => Tags::deserialize(tags)
            .map_err(|error| ShapeError::new("supplementaryConfiguration.BucketTaggingConfiguration", "tags", error)),
    }
}

/// Tags from a list of keys and values, in either capitalization.
fn listed(list: &Value) -> Option<Tags> {
    let text = |tag: &Value, names: [&str; 2]| names.iter().find_map(|name| tag.get(name)?.as_str().map(str::to_owned));
    let pair = |tag: &Value| Some((text(tag, ["key", "Key"])?, text(tag, ["value", "Value"]).unwrap_or_default()));
    list.as_array()?.iter().map(pair).collect()
}

impl ResourceState for TaggedResource {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: self.key.clone(), arn: self.arn.as_deref(), name: None, tags: &self.tags }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    fn item(kind: &str, configuration: Value, supplementary: Value) -> ConfigurationItem {
        let Value::Object(supplementary) = supplementary else { unreachable!("an object") };
        ConfigurationItem { supplementary, ..crate::arbitrary::item(kind, "r-1", configuration, &[]) }
    }

    /// A volume with these tags.
    pub(crate) fn tagged(tags: Tags) -> TaggedResource {
        let item = ConfigurationItem { tags, ..item("AWS::EC2::Volume", json!({}), json!({})) };
        TaggedResource::from_item(&item).unwrap()
    }

    fn read(supplementary: Value) -> Result<Tags, String> {
        let item = item("AWS::S3::Bucket", json!({}), supplementary);
        TaggedResource::from_item(&item).map(|it| it.tags).map_err(|error| error.to_string())
    }

    #[test]
    fn tags_are_read_wherever_a_type_keeps_them() {
        let expected = Tags::from([("Owner".to_owned(), "ada".to_owned())]);
        assert_eq!(tagged(expected.clone()).tags, expected);
        assert_eq!(read(json!({"Tags": [{"key": "Owner", "value": "ada"}]})), Ok(expected.clone()));
        assert_eq!(read(json!({"Tags": [{"Key": "Owner", "Value": "ada"}]})), Ok(expected.clone()));
        let bucket = json!({"BucketTaggingConfiguration": {"tagSets": [{"tags": {"Owner": "ada"}}]}});
        assert_eq!(read(bucket), Ok(expected));
        for none in [json!({}), json!({"Tags": []}), json!({"BucketTaggingConfiguration": {"tagSets": []}})] {
            assert_eq!(read(none.clone()), Ok(Tags::new()), "{none}");
        }
        for broken in [json!({"Tags": "Owner"}), json!({"Tags": [{"name": "Owner"}]})] {
            assert!(read(broken.clone()).is_err(), "{broken}");
        }
    }

    #[test]
    fn service_owned_and_gone_resources_are_recognized() {
        let standing = |kind: &str, configuration| {
            TaggedResource::from_item(&item(kind, configuration, json!({}))).unwrap().standing
        };
        const INTERFACE: &str = "AWS::EC2::NetworkInterface";
        let operated = || json!({"operator": {"managed": true, "principal": "eks.amazonaws.com"}});
        assert_eq!(standing(INTERFACE, json!({"requesterManaged": true})), TaggingSupport::RequesterManaged);
        assert_eq!(
            standing(INTERFACE, json!({"requesterManaged": false, "interfaceType": "lambda"})),
            TaggingSupport::RequesterManaged,
            "required-tags/9"
        );
        assert_eq!(standing(INTERFACE, json!({"requesterManaged": false})), TaggingSupport::Ordinary);
        assert_eq!(standing(INTERFACE, json!({"interfaceType": "efa"})), TaggingSupport::Ordinary);
        for kind in [INTERFACE, instance::TYPE, "AWS::EC2::Volume"] {
            assert_eq!(standing(kind, operated()), TaggingSupport::RequesterManaged, "required-tags/10: {kind}");
        }
        let gone = || json!({"state": {"name": "terminated"}});
        assert_eq!(standing(instance::TYPE, gone()), TaggingSupport::Gone("terminated".to_owned()));
        let mut gone_and_operated = gone();
        gone_and_operated["operator"] = operated()["operator"].clone();
        assert_eq!(standing(instance::TYPE, gone_and_operated), TaggingSupport::Gone("terminated".to_owned()));
        assert_eq!(standing("AWS::EC2::VPC", gone()), TaggingSupport::Ordinary);
    }

    #[test]
    fn arn_is_derived_from_type_and_id() {
        let arn = |kind: &str, id: &str, name: Option<&str>| {
            arn_of(&Target {
                account: AccountId::new("111122223333"),
                region: Region::new("cn-north-1"),
                resource: ResourceKey::new(kind, id),
                name: name.map(str::to_owned),
                arn: None,
            })
        };
        for (kind, id, name, expected) in [
            ("AWS::S3::Bucket", "logs", None, Some("arn:aws-cn:s3:::logs")),
            ("AWS::RDS::DBInstance", "db-X", Some("main"), Some("arn:aws-cn:rds:cn-north-1:111122223333:db:main")),
            ("AWS::RDS::DBInstance", "db-X", None, None),
            ("AWS::DynamoDB::Table", "t", None, Some("arn:aws-cn:dynamodb:cn-north-1:111122223333:table/t")),
            ("AWS::CloudFormation::Stack", "arn:aws-cn:x", None, Some("arn:aws-cn:x")),
            ("AWS::Redshift::ClusterSnapshot", "s", None, None),
        ] {
            assert_eq!(arn(kind, id, name).as_deref(), expected, "{kind}");
        }
        assert!(TYPES.is_sorted(), "{TYPES:?}");
    }
}
