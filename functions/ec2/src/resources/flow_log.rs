//! A VPC and its flow logs, as EC2 returns them. Knows no control.

use std::fmt;

use rectify_compliance::{AccountId, Arn, Region, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The resource type of a VPC.
pub const TYPE: &str = "AWS::EC2::VPC";

/// A VPC with the flow logs for all of it, from the oldest to the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedVpc {
    /// The account that evaluates it.
    pub account: AccountId,
    /// `OwnerId`: another account if the VPC is shared.
    pub owner: AccountId,
    /// Its region.
    pub region: Region,
    /// `VpcId`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its tags.
    pub tags: Tags,
    /// Its flow logs; those of its subnets and network interfaces are not listed.
    pub flow_logs: Vec<FlowLog>,
}

impl LoggedVpc {
    /// A VPC without flow logs.
    pub fn new(account: &AccountId, owner: AccountId, region: &Region, id: &str, tags: Tags) -> Self {
        let arn = region.partition().arn("ec2", region.as_str(), owner.as_str(), &format!("vpc/{id}"));
        let (account, region) = (account.clone(), region.clone());
        Self { account, owner, region, id: id.to_owned(), arn, tags, flow_logs: Vec::new() }
    }
}

impl ResourceState for LoggedVpc {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.id), arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

/// A flow log of a VPC.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowLog {
    /// `FlowLogId`; `None` in a model, before EC2 assigned it.
    pub id: Option<String>,
    /// `TrafficType`.
    pub traffic: Traffic,
    /// Whether `FlowLogStatus` is `ACTIVE`.
    pub is_active: bool,
    /// Whether `DeliverLogsStatus` is `FAILED`.
    pub delivery_failed: bool,
    /// `LogDestination`, an ARN; `None` if only the name of a log group is known.
    pub destination: Option<String>,
}

/// Flow logs are compared without their ids, which EC2 assigns.
impl PartialEq for FlowLog {
    fn eq(&self, other: &Self) -> bool {
        let Self { id: _, traffic, is_active, delivery_failed, destination } = self;
        *traffic == other.traffic
            && *is_active == other.is_active
            && *delivery_failed == other.delivery_failed
            && *destination == other.destination
    }
}

impl FlowLog {
    /// A new flow log that delivers to this bucket.
    pub fn delivering(traffic: Traffic, bucket: &BucketArn) -> Self {
        let destination = Some(bucket.as_str().to_owned());
        Self { id: None, traffic, is_active: true, delivery_failed: false, destination }
    }

    /// The id for messages.
    pub fn shown_id(&self) -> &str {
        self.id.as_deref().unwrap_or("a new flow log")
    }

    /// Whether it delivers to this bucket and prefix.
    pub fn delivers_to(&self, bucket: &BucketArn) -> bool {
        let bare = |arn: &str| arn.trim_end_matches('/').to_owned();
        self.destination.as_deref().is_some_and(|it| bare(it) == bare(bucket.as_str()))
    }
}

/// `TrafficType`: which traffic a flow log records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Traffic {
    /// Accepted traffic.
    Accept,
    /// Rejected traffic.
    Reject,
    /// Accepted and rejected traffic.
    All,
}

impl Traffic {
    /// The name in the EC2 API.
    pub const fn api_name(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
            Self::All => "ALL",
        }
    }

    /// Reads the name in the EC2 API.
    ///
    /// # Errors
    /// [`ShapeError`] if the name is unknown: which traffic such a flow log records is not known.
    pub fn read(name: &str) -> Result<Self, ShapeError> {
        let known = [Self::Accept, Self::Reject, Self::All].into_iter().find(|it| it.api_name() == name);
        known.ok_or_else(|| ShapeError::new("TrafficType", "ACCEPT, REJECT or ALL", name))
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.api_name())
    }
}

/// The ARN of a bucket, with or without a prefix: `arn:<partition>:s3:::name/prefix`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline)]
pub struct BucketArn(Arn);

impl BucketArn {
    /// The ARN.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for BucketArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bucket = text.trim();
        let named = |arn: &Arn| {
            let name = arn.resource().split('/').next().unwrap_or_default();
            arn.service() == "s3" && arn.account().is_none() && !name.is_empty() && !arn.resource().contains([':', '*'])
        };
        let arn = bucket.parse().ok().filter(named).map(Self);
        arn.ok_or_else(|| format!("expected the ARN of a bucket: received `{bucket}`"))
    }
}

impl From<BucketArn> for String {
    fn from(arn: BucketArn) -> Self {
        arn.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_is_an_arn_with_or_without_a_prefix() {
        let read = |text: &str| BucketArn::try_from(text.to_owned()).map(|it| it.as_str().to_owned());
        for arn in ["arn:aws:s3:::flow-logs", "arn:aws-cn:s3:::flow-logs/vpc/"] {
            assert_eq!(read(&format!(" {arn} ")), Ok(arn.to_owned()));
        }
        for other in ["flow-logs", "arn:aws:s3:::", "arn:aws:s3:::*", "arn:aws:logs:eu-west-1:111122223333:log-group:a"]
        {
            assert_eq!(read(other), Err(format!("expected the ARN of a bucket: received `{other}`")));
        }
    }

    #[test]
    fn unknown_traffic_is_an_error() {
        assert_eq!(Traffic::read("REJECT"), Ok(Traffic::Reject));
        assert!(Traffic::read("DROP").unwrap_err().to_string().contains("`DROP`"));
    }

    #[test]
    fn destinations_are_compared_without_a_final_slash() {
        let bucket = |text: &str| BucketArn::try_from(text.to_owned()).unwrap();
        let log = FlowLog::delivering(Traffic::All, &bucket("arn:aws:s3:::flow-logs/vpc/"));
        assert!(log.delivers_to(&bucket("arn:aws:s3:::flow-logs/vpc")));
        assert!(!log.delivers_to(&bucket("arn:aws:s3:::flow-logs")));
    }
}
