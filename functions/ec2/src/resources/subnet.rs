//! `AWS::EC2::Subnet`: the addresses that it assigns, and what launches instances into it.

use std::collections::BTreeSet;

use rectify_compliance::{
    AccountId, ConfigurationItem, Region, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The resource type.
pub const TYPE: &str = "AWS::EC2::Subnet";

/// Prefix of the tags of subnets that a Kubernetes cluster uses, for its nodes or for its load balancers.
const KUBERNETES: &str = "kubernetes.io/";

/// A subnet, from an item or a live read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    /// The account that is evaluated.
    pub account: AccountId,
    /// `OwnerId`; another account shares the subnet.
    pub owner: AccountId,
    /// `SubnetId`.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// `DefaultForAz`.
    pub default_for_az: bool,
    /// `Ipv6Native`: it has no IPv4 addresses.
    pub ipv6_native: bool,
    /// `MapPublicIpOnLaunch`.
    pub map_public_ip_on_launch: bool,
    /// `AssignIpv6AddressOnCreation`.
    pub assign_ipv6_address_on_creation: bool,
    /// What launched the instances in it, e.g. `Auto Scaling group web`; only a remediation reads it.
    pub launchers: Option<BTreeSet<String>>,
    /// Its tags.
    pub tags: Tags,
}

impl Subnet {
    /// The ARN of the subnet `id`.
    pub fn arn_of(region: &Region, owner: &AccountId, id: &str) -> String {
        region.partition().arn("ec2", region.as_str(), owner.as_str(), &format!("subnet/{id}"))
    }

    /// What will launch further instances into it: the launchers, and a Kubernetes cluster according to its tags.
    /// `None` if the launchers are unknown.
    pub fn users(&self) -> Option<BTreeSet<String>> {
        let mut users = self.launchers.clone()?;
        users.extend(
            self.tags.keys().filter(|key| key.starts_with(KUBERNETES)).map(|key| format!("Kubernetes ({key})")),
        );
        Some(users)
    }
}

impl ResourceState for Subnet {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.id), arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

impl Resource for Subnet {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let id = item.resource.id.as_str();
        let at = |key: &str| item.configuration.get(key).filter(|it| !it.is_null());
        let flag = |key: &str| {
            let read = |it: &Value| {
                it.as_bool().ok_or_else(|| ShapeError::new(format!("configuration.{key}"), "a boolean", it))
            };
            at(key).map(read).transpose()
        };
        let owner = at("ownerId").and_then(Value::as_str).map_or_else(|| item.account.clone(), AccountId::new);
        let map_public = flag("mapPublicIpOnLaunch")?;
        Ok(Self {
            account: item.account.clone(),
            id: id.to_owned(),
            arn: item.arn.clone().unwrap_or_else(|| Self::arn_of(&item.region, &owner, id)),
            owner,
            default_for_az: flag("defaultForAz")?.unwrap_or(false),
            ipv6_native: flag("ipv6Native")?.unwrap_or(false),
            map_public_ip_on_launch: map_public
                .ok_or_else(|| ShapeError::missing("configuration.mapPublicIpOnLaunch", "a boolean"))?,
            // Items recorded before EC2 had the attribute lack it.
            assign_ipv6_address_on_creation: flag("assignIpv6AddressOnCreation")?.unwrap_or(false),
            launchers: None,
            tags: item.tags.clone(),
        })
    }
}
