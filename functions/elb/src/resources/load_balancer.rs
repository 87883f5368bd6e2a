//! An Application, Network or Gateway Load Balancer, from a configuration item or from the API.
//!
//! Depends on no control and no SDK.

use rectify_compliance::{
    ConfigurationItem, Operation, Permission, Resource, ResourceIdentity, ResourceKey, ResourceState, ShapeError, Tags,
    View,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The resource type in AWS Config. The resource id is the ARN.
pub const TYPE: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";

/// The key of the attribute that prevents a deletion.
pub const DELETION_PROTECTION: &str = "deletion_protection.enabled";

const DESCRIBE: Permission = Permission::unscoped("elasticloadbalancing:DescribeLoadBalancers");
const DESCRIBE_ATTRIBUTES: Permission = Permission::unscoped("elasticloadbalancing:DescribeLoadBalancerAttributes");
const DESCRIBE_TAGS: Permission = Permission::unscoped("elasticloadbalancing:DescribeTags");

// The three types; `loadbalancer/*` would include Classic Load Balancers.
const APPLICATION: &str =
    "arn:${AWS::Partition}:elasticloadbalancing:${AWS::Region}:${AWS::AccountId}:loadbalancer/app/*";
const GATEWAY: &str = "arn:${AWS::Partition}:elasticloadbalancing:${AWS::Region}:${AWS::AccountId}:loadbalancer/gwy/*";
const NETWORK: &str = "arn:${AWS::Partition}:elasticloadbalancing:${AWS::Region}:${AWS::AccountId}:loadbalancer/net/*";

const fn modify_attributes(of: &'static str) -> Permission {
    Permission::on("elasticloadbalancing:ModifyLoadBalancerAttributes", of)
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoadBalancer {
    /// `LoadBalancerName`.
    pub name: String,
    /// `LoadBalancerArn`, which is also the resource id in AWS Config.
    pub arn: String,
    /// `State.Code`.
    pub state: String,
    /// The attribute [`DELETION_PROTECTION`].
    pub deletion_protection: bool,
    /// The tags, if they were read.
    pub tags: Tags,
}

/// One of the `Attributes` of a load balancer, in the form of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Attribute {
    /// `Key`.
    pub key: String,
    /// `Value`.
    pub value: String,
}

impl Attribute {
    /// An attribute that is on or off.
    pub fn flag(key: &str, on: bool) -> Self {
        Self { key: key.to_owned(), value: on.to_string() }
    }
}

/// Whether an attribute with this value is on.
///
/// # Errors
/// [`ShapeError`] for a value other than `true` and `false`.
pub fn is_on(key: &str, value: &str) -> Result<bool, ShapeError> {
    value.parse().map_err(|_| ShapeError::new(key, "true or false", value))
}

impl ResourceState for LoadBalancer {
    fn identity(&self) -> ResourceIdentity<'_> {
        let Self { name, arn, tags, .. } = self;
        ResourceIdentity { key: ResourceKey::new(TYPE, arn), arn: Some(arn), name: Some(name), tags }
    }
}

/// `ModifyLoadBalancerAttributes`; attributes that it does not name stay unchanged.
pub const MODIFY_ATTRIBUTES: Operation = Operation {
    name: "ModifyLoadBalancerAttributes",
    resource: "LoadBalancerArn",
    permissions: &[modify_attributes(APPLICATION), modify_attributes(GATEWAY), modify_attributes(NETWORK)],
};

impl View for LoadBalancer {
    type Resource = RecordedLoadBalancer;
    /// Whether deletion protection is on, read if the item does not state it.
    type Facts = Option<bool>;
    const FACTS: &'static [Permission] = &[DESCRIBE_ATTRIBUTES];
    const READ: &'static [Permission] = &[DESCRIBE, DESCRIBE_ATTRIBUTES, DESCRIBE_TAGS];
    const LIST: &'static [Permission] = &[];

    fn of(recorded: RecordedLoadBalancer, live: Option<bool>) -> Self {
        let RecordedLoadBalancer { balancer, deletion_protection: stated } = recorded;
        Self { deletion_protection: stated.or(live).unwrap_or(false), ..balancer }
    }

    fn call_id(&self) -> &str {
        &self.arn
    }
}

/// A load balancer as AWS Config recorded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedLoadBalancer {
    balancer: LoadBalancer,
    deletion_protection: Option<bool>,
}

impl RecordedLoadBalancer {
    /// The ARN.
    pub fn arn(&self) -> &str {
        &self.balancer.arn
    }

    /// Whether the item states the attribute.
    pub fn is_sufficient(&self) -> bool {
        self.deletion_protection.is_some()
    }
}

impl Resource for RecordedLoadBalancer {
    const TYPES: &'static [&'static str] = &[TYPE];

    fn from_item(item: &ConfigurationItem) -> Result<Self, ShapeError> {
        let required = |pointer: &str, path: &str| {
            let text = item.configuration.pointer(pointer).and_then(Value::as_str).filter(|it| !it.is_empty());
            let missing = || ShapeError::missing(format!("configuration.{path}"), "a non-empty string");
            text.map(str::to_owned).ok_or_else(missing)
        };
        let attributes = item.supplement("LoadBalancerAttributes").and_then(Value::as_array).into_iter().flatten();
        let mut protection = attributes.filter(|it| it.get("key").is_some_and(|key| key == DELETION_PROTECTION));
        let value = protection.next().and_then(|it| it.get("value")).and_then(Value::as_str);
        Ok(Self {
            balancer: LoadBalancer {
                name: required("/loadBalancerName", "loadBalancerName")?,
                arn: item.resource.id.clone(),
                state: required("/state/code", "state.code")?,
                deletion_protection: false,
                tags: item.tags.clone(),
            },
            deletion_protection: value.map(|it| is_on(DELETION_PROTECTION, it)).transpose()?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) const ARN: &str =
        "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/50dc6c495c0c9188";

    /// The Application Load Balancer `shop`, unprotected.
    pub(crate) fn balancer() -> LoadBalancer {
        LoadBalancer {
            name: "shop".into(),
            arn: ARN.into(),
            state: "active".into(),
            deletion_protection: false,
            tags: Tags::from([("team".into(), "shop".into())]),
        }
    }

    /// Its item with these `LoadBalancerAttributes` and this configuration besides its name.
    pub(crate) fn recorded(attributes: &Value, state: &Value) -> Result<RecordedLoadBalancer, ShapeError> {
        let item = ConfigurationItem::from_notification(&json!({
            "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": TYPE, "resourceId": ARN,
            "resourceName": "shop", "configurationItemStatus": "OK",
            "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
            "configuration": {"loadBalancerArn": ARN, "loadBalancerName": "shop", "state": state},
            "supplementaryConfiguration": {"LoadBalancerAttributes": attributes}, "tags": {"team": "shop"}
        }));
        RecordedLoadBalancer::from_item(&item.unwrap())
    }

    #[test]
    fn an_item_states_the_attribute_or_a_live_read_does() {
        let active = json!({"code": "active"});
        let attribute = |value: &str| {
            json!([{"key": "idle_timeout.timeout_seconds", "value": "60"},
            {"key": DELETION_PROTECTION, "value": value}])
        };
        let on = LoadBalancer { deletion_protection: true, ..balancer() };
        for (attributes, sufficient, live, expected) in [
            (attribute("true"), true, None, &on),
            (attribute("false"), true, None, &balancer()),
            (json!([]), false, Some(true), &on),
            (json!(null), false, Some(false), &balancer()),
            (json!(null), false, None, &balancer()),
        ] {
            let recorded = recorded(&attributes, &active).unwrap();
            assert_eq!(recorded.is_sufficient(), sufficient, "{attributes}");
            assert_eq!(LoadBalancer::of(recorded, live), *expected, "{attributes}");
        }
        assert_eq!(recorded(&attribute("on"), &active).unwrap_err().path, DELETION_PROTECTION);
        assert_eq!(recorded(&attribute("true"), &json!(null)).unwrap_err().path, "configuration.state.code");
    }
}
