//! `AWS::EC2::Instance`: its identity, its state, and who else manages it.
//!
//! Knows no control and no SDK; fields that only one control evaluates belong to that control's subject.

use rectify_compliance::{AccountId, ConfigurationItem, Region, ResourceIdentity, ResourceKey, Tags};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The resource type.
pub const TYPE: &str = "AWS::EC2::Instance";

/// States of an instance that will never run again; EC2 still lists it for about an hour.
const GONE: [&str; 2] = ["shutting-down", "terminated"];

/// The part of an instance that every instance control needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// The account that is evaluated.
    pub account: AccountId,
    /// The region it is in.
    pub region: Region,
    /// `InstanceId`.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// `State.Name`, e.g. `running`. An unknown state does not count as gone.
    pub state: Option<String>,
    /// `VpcId`; an instance that is gone has none.
    pub vpc_id: Option<String>,
    /// The service that manages it (`Operator.Managed`), if any.
    pub operator: Option<String>,
    /// Its tags.
    pub tags: Tags,
}

impl Instance {
    /// The instance as AWS Config identifies it.
    pub(crate) fn identity(&self) -> ResourceIdentity<'_> {
        ResourceIdentity { key: ResourceKey::new(TYPE, &self.id), arn: Some(&self.arn), name: None, tags: &self.tags }
    }

    /// The instance of an item.
    pub fn of_item(item: &ConfigurationItem) -> Self {
        let id = item.resource.id.as_str();
        let text = |pointer: &str| {
            let text = item.configuration.pointer(pointer).and_then(Value::as_str);
            text.filter(|it| !it.is_empty()).map(str::to_owned)
        };
        Self {
            account: item.account.clone(),
            region: item.region.clone(),
            id: id.to_owned(),
            arn: item.arn.clone().unwrap_or_else(|| Self::arn_of(&item.region, &item.account, id)),
            state: text("/state/name"),
            vpc_id: text("/vpcId"),
            operator: operator(&item.configuration),
            tags: item.tags.clone(),
        }
    }

    /// The ARN of the instance `id`.
    pub fn arn_of(region: &Region, account: &AccountId, id: &str) -> String {
        region.partition().arn("ec2", region.as_str(), account.as_str(), &format!("instance/{id}"))
    }

    /// Whether it will never run again.
    pub fn is_gone(&self) -> bool {
        self.state.as_deref().is_some_and(is_gone)
    }

    /// The Auto Scaling group or else the launch template that launched it, and will launch replacements with the same
    /// settings. Identified by `aws:` tags, which only AWS can set.
    pub fn launched_by(&self) -> Option<String> {
        let tag = |key: &str| self.tags.get(key).filter(|value| !value.is_empty());
        let group = tag("aws:autoscaling:groupName").map(|name| format!("Auto Scaling group {name}"));
        group.or_else(|| tag("aws:ec2launchtemplate:id").map(|id| format!("launch template {id}")))
    }
}

/// The service that manages a resource according to `operator` in its configuration, if any.
pub fn operator(configuration: &Value) -> Option<String> {
    let managed = configuration.pointer("/operator/managed").and_then(Value::as_bool) == Some(true);
    let principal = configuration.pointer("/operator/principal").and_then(Value::as_str).filter(|it| !it.is_empty());
    managed.then(|| principal.unwrap_or("a service").to_owned())
}

/// Whether an instance in this state will never run again.
pub fn is_gone(state: &str) -> bool {
    GONE.contains(&state)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// The item of an instance with this `configuration`.
    pub(crate) fn item_of(configuration: Value) -> ConfigurationItem {
        crate::arbitrary::item(TYPE, "i-1", configuration, &[("team", "web")])
    }

    /// `i-1` in this state.
    pub(crate) fn instance(state: &str) -> Instance {
        Instance::of_item(&item_of(json!({"state": {"code": 16, "name": state}, "vpcId": "vpc-1"})))
    }

    #[test]
    fn item_becomes_an_instance() {
        let item = item_of(json!({
            "state": {"code": 16, "name": "running"}, "vpcId": "vpc-1",
            "operator": {"managed": true, "principal": "eks.amazonaws.com"}
        }));
        let expected = Instance {
            account: AccountId::new("111122223333"),
            region: Region::new("eu-west-1"),
            id: "i-1".to_owned(),
            arn: "arn:aws:ec2:eu-west-1:111122223333:instance/i-1".to_owned(),
            state: Some("running".to_owned()),
            vpc_id: Some("vpc-1".to_owned()),
            operator: Some("eks.amazonaws.com".to_owned()),
            tags: Tags::from([("team".to_owned(), "web".to_owned())]),
        };
        assert_eq!(Instance::of_item(&item), expected);
        let bare = Instance::of_item(&item_of(json!({"operator": {"managed": false}})));
        assert_eq!((bare.state, bare.vpc_id, bare.operator), (None, None, None));
    }

    #[test]
    fn only_terminated_and_shutting_down_are_gone() {
        for (state, gone) in
            [("terminated", true), ("shutting-down", true), ("stopped", false), ("stopping", false), ("pending", false)]
        {
            assert_eq!(instance(state).is_gone(), gone, "{state}");
        }
        assert!(!Instance { state: None, ..instance("running") }.is_gone());
    }

    #[test]
    fn launcher_is_identified_by_aws_tags() {
        let with = |tags: &[(&str, &str)]| {
            let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            Instance { tags, ..instance("running") }.launched_by()
        };
        let group = ("aws:autoscaling:groupName", "web");
        let template = ("aws:ec2launchtemplate:id", "lt-1");
        assert_eq!(with(&[group, template]).as_deref(), Some("Auto Scaling group web"));
        assert_eq!(with(&[template]).as_deref(), Some("launch template lt-1"));
        assert_eq!(with(&[("Name", "web")]), None);
    }
}
