//! Where a resource lives and what it is called.

use serde::{Deserialize, Serialize};

/// The resource type AWS Config uses for checks of a whole account.
pub const ACCOUNT_TYPE: &str = "AWS::::Account";

/// An AWS account id: twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(String);

impl AccountId {
    /// Takes the id as AWS wrote it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text is an id: twelve digits.
    pub fn is_id(text: &str) -> bool {
        text.len() == 12 && text.bytes().all(|it| it.is_ascii_digit())
    }
}

impl std::fmt::Display for AccountId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// An AWS region code such as `eu-west-1`, or `global` as AWS Config writes it for IAM.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(String);

impl Region {
    /// Takes the code as AWS wrote it.
    pub fn new(code: impl Into<String>) -> Self {
        Self(code.into())
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The partition this region belongs to, told by its prefix.
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

    /// Where the global controls of this region's partition are evaluated unless told otherwise.
    pub fn default_home(&self) -> Self {
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
    /// The name as it stands in an ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An ARN in this partition.
    pub fn arn(&self, service: &str, region: &str, account: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{account}:{resource}", self.0)
    }
}

/// What AWS Config identifies a resource by: type and id. Ids alone repeat between types.
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

/// One resource, addressed well enough to call its API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The account that owns it.
    pub account: AccountId,
    /// The region it is reached in.
    pub region: Region,
    /// Type and id as AWS Config has them.
    pub resource: ResourceKey,
    /// `resourceName`, where the source of the event gave one or the shell resolved it.
    pub name: Option<String>,
    /// The ARN, where known.
    pub arn: Option<String>,
}

impl Target {
    /// The name where there is one, else the id: what most APIs want for types whose id is their name.
    pub fn name_or_id(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.resource.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_follows_from_the_region() {
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
    fn home_is_one_region_a_partition() {
        assert_eq!(Region::new("eu-west-1").default_home(), Region::new("us-east-1"));
        assert_eq!(Region::new("cn-northwest-1").default_home(), Region::new("cn-north-1"));
        assert_eq!(Region::new("us-gov-east-1").default_home(), Region::new("us-gov-west-1"));
    }
}
