//! `AWS::EC2::Volume`: its encryption, and what it is attached to.

use std::collections::BTreeSet;
use std::fmt;

use rectify_compliance::{
    AccountId, ConfigurationItem, Region, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags,
    offenders,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The resource type.
pub const TYPE: &str = "AWS::EC2::Volume";

/// States of a volume that holds no data yet or never will again.
const WITHOUT_DATA: [&str; 4] = ["creating", "deleting", "deleted", "error"];

/// A volume, from an item or a live read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// `VolumeId`.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// `Size`, GiB.
    pub size: Option<i64>,
    /// `State`, e.g. `in-use`. An unknown state counts as one with data.
    pub state: Option<String>,
    /// `Encrypted`.
    pub encrypted: bool,
    /// `KmsKeyId`: the ARN of its key.
    pub kms_key_id: Option<String>,
    /// `Attachments`: each instance with its device, `i-1 /dev/xvda`.
    pub attachments: BTreeSet<String>,
    /// Its tags.
    pub tags: Tags,
}

impl Volume {
    /// The ARN of the volume `id`.
    pub fn arn_of(region: &Region, account: &AccountId, id: &str) -> String {
        region.partition().arn("ec2", region.as_str(), account.as_str(), &format!("volume/{id}"))
    }

    /// An attachment: the instance, or the service that attached it to a task of its own, and the device.
    pub fn attachment(instance: Option<&str>, device: Option<&str>) -> String {
        let instance = instance.unwrap_or("a service");
        device.map_or_else(|| instance.to_owned(), |device| format!("{instance} {device}"))
    }

    /// Its state, if it holds no data in it.
    pub fn state_without_data(&self) -> Option<&str> {
        self.state.as_deref().filter(|state| WITHOUT_DATA.contains(state))
    }
}

/// `vol-1 (100 GiB, on i-1 /dev/xvda)`.
impl fmt::Display for Volume {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.size.map_or_else(String::new, |size| format!("{size} GiB, "));
        let on = offenders(self.attachments.iter().cloned());
        let attached = if on.is_empty() { "not attached".to_owned() } else { format!("on {on}") };
        write!(out, "{} ({size}{attached})", self.id)
    }
}

impl ResourceState for Volume {
    fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.id), arn: Some(&self.arn), name: None, tags: &self.tags }
    }
}

impl Resource for Volume {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let id = item.resource.id.as_str();
        let at = |pointer: &str| item.configuration.pointer(pointer).filter(|it| !it.is_null());
        let text = |pointer: &str| at(pointer).and_then(Value::as_str).map(str::to_owned);
        let attachments = at("/attachments").and_then(Value::as_array).into_iter().flatten();
        let attachment = |it: &Value| {
            let text = |key: &str| it.get(key).and_then(Value::as_str);
            Self::attachment(text("instanceId"), text("device"))
        };
        Ok(Self {
            id: id.to_owned(),
            arn: item.arn.clone().unwrap_or_else(|| Self::arn_of(&item.region, &item.account, id)),
            size: at("/size").and_then(Value::as_i64),
            // The published schema has an object, items have the text.
            state: text("/state").or_else(|| text("/state/value")),
            encrypted: at("/encrypted")
                .and_then(Value::as_bool)
                .ok_or_else(|| ShapeError::missing("configuration.encrypted", "a boolean"))?,
            kms_key_id: text("/kmsKeyId"),
            attachments: attachments.map(attachment).collect(),
            tags: item.tags.clone(),
        })
    }
}
