//! Where a resource is and how it is named.

use serde::{Deserialize, Serialize};

/// AWS Config's resource type for checks of a whole account.
pub const ACCOUNT_TYPE: &str = "AWS::::Account";

/// An AWS account id: twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(String);

impl AccountId {
    /// The id as AWS writes it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a string is an account id: twelve digits.
    pub fn is_id(text: &str) -> bool {
        text.len() == 12 && text.bytes().all(|it| it.is_ascii_digit())
    }
}

impl std::fmt::Display for AccountId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// An AWS Region code such as `eu-west-1`, or `global` as AWS Config writes it for IAM.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(String);

impl Region {
    /// The code as AWS writes it.
    pub fn new(code: impl Into<String>) -> Self {
        Self(code.into())
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition of this region, identified by the prefix of its code.
    pub fn partition(&self) -> Partition {
        const PREFIXES: [(&str, &str); 7] = [
            ("cn-", "aws-cn"),
            ("us-gov-", "aws-us-gov"),
            ("us-isob-", "aws-iso-b"),
            ("us-isof-", "aws-iso-f"),
            ("eu-isoe-", "aws-iso-e"),
            ("eusc-", "aws-eusc"),
            ("us-iso-", "aws-iso"),
        ];
        let name =
            PREFIXES.iter().find(|(prefix, _)| self.0.starts_with(prefix)).map_or("aws", |(_, partition)| partition);
        Partition(name.to_owned())
    }

    /// The default home region: where the global controls of this region's partition are evaluated.
    pub fn default_home_region(&self) -> Self {
        Self::new(match self.partition().as_str() {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            "aws" => "us-east-1",
            _ => return self.clone(),
        })
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// The second segment of an ARN, e.g. `aws-cn`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(String);

impl Partition {
    /// The name as in an ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An ARN in this partition.
    pub fn arn(&self, service: &str, region: &str, account: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{account}:{resource}", self.0)
    }
}

/// AWS Config's key of a resource: type and id. Different types can have the same id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceKey {
    /// `resourceType`, e.g. `AWS::EC2::SecurityGroup`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `resourceId` as AWS Config writes it: often not the name (IAM `AIDA…`, RDS `db-…`).
    pub id: String,
}

impl ResourceKey {
    /// The resource `id` of type `kind`.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }

    /// The account as a whole.
    pub fn account(account: &AccountId) -> Self {
        Self::new(ACCOUNT_TYPE, account.as_str())
    }
}

impl std::fmt::Display for ResourceKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {}", self.kind, self.id)
    }
}

/// One resource, with the identifiers that calls to its API need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The account that owns it.
    pub account: AccountId,
    /// The region of its API endpoint.
    pub region: Region,
    /// Type and id in AWS Config.
    pub resource: ResourceKey,
    /// `resourceName`, if the event has it or the handler resolved it.
    pub name: Option<String>,
    /// The ARN, if known.
    pub arn: Option<String>,
}

impl Target {
    /// The name if there is one, else the id. Most APIs take this for types whose id is their name.
    pub fn name_or_id(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.resource.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_determines_the_partition() {
        for (region, partition) in [
            ("eu-west-1", "aws"),
            ("global", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-east-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(Region::new(region).partition().as_str(), partition, "{region}");
        }
    }

    #[test]
    fn each_partition_has_one_default_home_region() {
        assert_eq!(Region::new("eu-west-1").default_home_region(), Region::new("us-east-1"));
        assert_eq!(Region::new("cn-northwest-1").default_home_region(), Region::new("cn-north-1"));
        assert_eq!(Region::new("us-gov-east-1").default_home_region(), Region::new("us-gov-west-1"));
    }
}
