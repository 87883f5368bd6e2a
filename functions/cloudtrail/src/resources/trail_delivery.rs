//! Deliveries of a trail to CloudWatch Logs, and the destination that a remediation would set.
//!
//! Knows no control and no SDK. Of a role, only its missing permissions are kept, never policy text.

use rectify_compliance::{Arn, ResourceIdentity, ResourceState, Timestamp};
use rectify_policy::ServiceRequest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::trail::Trail;
use crate::resources::trail_key::SERVICE;

/// The actions CloudTrail takes in a log group with its role ([role policy for CloudWatch Logs]).
///
/// [role policy for CloudWatch Logs]: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html
pub const WRITES: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

/// The ARN of a log group, as CloudTrail writes it: `arn:<partition>:logs:eu-west-1:111122223333:log-group:trails:*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline)]
pub struct LogGroupArn(Arn);

/// The ARN of a role: `arn:<partition>:iam::111122223333:role/path/name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(inline)]
pub struct RoleArn(Arn);

impl LogGroupArn {
    /// The ARN, with the trailing `:*`.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name of the log group.
    pub fn name(&self) -> &str {
        self.0.resource().trim_start_matches("log-group:").trim_end_matches(":*")
    }

    /// Whether `arn` identifies this log group, with or without the `:*`.
    pub fn is(&self, arn: &str) -> bool {
        arn.trim_end_matches(":*") == self.as_str().trim_end_matches(":*")
    }

    /// The log stream that CloudTrail writes the events of this trail to.
    pub fn stream_of(&self, trail: &Trail) -> String {
        let group = self.as_str().trim_end_matches('*');
        format!("{group}log-stream:{}_CloudTrail_{}", trail.owner, trail.home_region)
    }
}

impl RoleArn {
    /// The ARN.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name of the role, without its path.
    pub fn name(&self) -> &str {
        self.as_str().rsplit('/').next().unwrap_or_default()
    }
}

impl TryFrom<String> for LogGroupArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bare = text.trim().trim_end_matches(":*");
        let named = |arn: &Arn| {
            let name = arn.resource().strip_prefix("log-group:").unwrap_or_default();
            arn.region().is_some() && !name.is_empty() && !name.contains([':', '*'])
        };
        let starred = Arn::of(bare, "logs").filter(named).and_then(|it| format!("{it}:*").parse().ok());
        starred.map(Self).ok_or_else(|| format!("expected the ARN of a log group: received `{}`", text.trim()))
    }
}

impl TryFrom<String> for RoleArn {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let role = text.trim();
        let named =
            |arn: &Arn| arn.resource().strip_prefix("role/").is_some_and(|it| !it.is_empty() && !it.ends_with('/'));
        let arn = Arn::of(role, "iam").filter(named).map(Self);
        arn.ok_or_else(|| format!("expected the ARN of a role: received `{role}`"))
    }
}

impl From<LogGroupArn> for String {
    fn from(arn: LogGroupArn) -> Self {
        arn.0.into()
    }
}

impl From<RoleArn> for String {
    fn from(arn: RoleArn) -> Self {
        arn.0.into()
    }
}

/// A trail with its deliveries to CloudWatch Logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveringTrail {
    /// The trail.
    pub trail: Trail,
    /// The status of its deliveries; read only if the parameters need it.
    pub delivery: Option<Delivery>,
    /// The destination that a remediation would set; read only by the remediation.
    pub destination: Option<Destination>,
}

/// The fields of `GetTrailStatus` about CloudWatch Logs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delivery {
    /// `LatestCloudWatchLogsDeliveryTime`; `None` if nothing was ever delivered.
    pub latest_at: Option<Timestamp>,
    /// `LatestCloudWatchLogsDeliveryError`; `None` if the latest delivery did not fail.
    pub latest_error: Option<String>,
}

/// A log group, and the role that CloudTrail would assume to write to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Destination {
    /// The log group.
    pub log_group: LogGroupArn,
    /// Whether it exists in the trail's account and region.
    pub log_group_exists: bool,
    /// The role.
    pub role: RoleArn,
    /// Its permissions; `None` if the trail's account has no such role, or if reading the role was denied.
    pub role_rights: Option<RoleRights>,
    /// Whether the remediation's role may not read this role, and so may not pass it either.
    #[serde(default)]
    pub role_is_denied: bool,
}

/// What CloudTrail may do with a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleRights {
    /// Whether its trust policy plainly lets CloudTrail assume it.
    pub trusts_cloudtrail: bool,
    /// Those of [`WRITES`] that IAM does not allow it on the trail's log stream.
    pub refused: Vec<String>,
}

impl RoleRights {
    /// The permissions of a role with this trust policy that IAM allows these actions.
    pub fn new(trust: &Value, allowed: &[String]) -> Self {
        // The context keys that CloudTrail sends when it assumes a role are undocumented, so no condition counts as
        // met.
        let assume = ServiceRequest { service: SERVICE, action: "sts:AssumeRole", resource: None, context: &[] };
        let refused = WRITES.into_iter().filter(|action| !allowed.iter().any(|it| it == action));
        Self { trusts_cloudtrail: assume.is_allowed_by(trust), refused: refused.map(str::to_owned).collect() }
    }
}

impl Destination {
    /// Why this trail may not deliver there; empty if it may.
    pub fn blockers(&self, trail: &Trail) -> Vec<String> {
        let (group, role) = (self.log_group.as_str(), self.role.as_str());
        let mut reasons = Vec::new();
        if !self.log_group_exists {
            reasons.push(format!("account {} has no log group {group} in {}", trail.owner, trail.home_region));
        }
        match &self.role_rights {
            None if self.role_is_denied => reasons.push(format!(
                "the remediation may not read or pass role {role}: set the stack's CloudTrailLogsRoleArn to it"
            )),
            None => reasons.push(format!("account {} has no role {role}", trail.owner)),
            Some(rights) => {
                if !rights.trusts_cloudtrail {
                    reasons.push(format!("the trust policy of role {role} does not plainly let {SERVICE} assume it"));
                }
                if !rights.refused.is_empty() {
                    let refused = rights.refused.join(", ");
                    reasons.push(format!("role {role} is not allowed {refused} in log group {group}"));
                }
            }
        }
        reasons
    }
}

impl ResourceState for DeliveringTrail {
    fn identity(&self) -> ResourceIdentity<'_> {
        self.trail.identity()
    }
}

#[cfg(test)]
pub(crate) mod tests;
