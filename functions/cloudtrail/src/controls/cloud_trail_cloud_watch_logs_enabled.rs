//! `cloud-trail-cloud-watch-logs-enabled`: CloudTrail events do not reach CloudWatch Logs.
//!
//! Reads [`DeliveringTrail`], from an item or from the API; knows no API.

use rectify_compliance::values::{Bounded, Flag};
use rectify_compliance::{
    Control, FromItem, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Remediation,
    RemediationPermissions, Step, Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::trail::permissions::{DESCRIBE, GET, GET_STATUS, LIST_TAGS, UPDATE};
use crate::resources::trail::{LiveTrail, MANAGED_BY, RecordedTrail, TYPE, Trail, stack_resource};
use crate::resources::trail_delivery::{DeliveringTrail, Delivery, LogGroupArn, RoleArn};

control! {
    /// ## What it checks
    /// That each trail delivers to a CloudWatch Logs log group, `cloudWatchLogsLogGroupArn`.
    /// With `expectedDeliveryWindowAge`, the latest delivery that `cloudtrail:GetTrailStatus` reports must not be older than this number of hours; a trail that never delivered does not pass.
    /// With `checkDeliveryError`, the latest delivery must not have failed.
    /// A trail is evaluated only by the account in its ARN and in its home region; a replica, and an organization trail seen from a member account, are NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// Log files in a bucket are read only when an investigation needs them.
    /// Events in a log group can be matched as they arrive: metric filters and alarms report use of the root user or a changed policy within minutes.
    /// A log group that is configured but no longer receives events raises no alarm.
    ///
    /// ## Compliant example
    /// ```json
    /// {"name": "main", "homeRegion": "eu-west-1", "cloudWatchLogsLogGroupArn": "arn:<partition>:logs:eu-west-1:111122223333:log-group:trails:*"}
    /// ```
    ///
    /// ## Non-compliant example
    /// ```json
    /// {"name": "main", "homeRegion": "eu-west-1"}
    /// ```
    ///
    /// ## Parameters
    /// `expectedDeliveryWindowAge` and `checkDeliveryError` decide the verdict; `logGroupArn` and `logRoleArn`, both or neither, are what the remediation sets on a trail without a log group.
    ///
    /// ## Remediation
    /// L2: `cloudtrail:UpdateTrail` with only the trail's ARN, `CloudWatchLogsLogGroupArn` and `CloudWatchLogsRoleArn`, if both parameters are set and the trail has neither.
    /// What changes: events recorded from then on are also delivered to the log group.
    /// What may break: nothing; ingestion into the log group is charged, and can be a lot if the trail records data events.
    /// Blocked unless the log group exists in the trail's account and region and the role exists: its trust policy plainly lets `cloudtrail.amazonaws.com` assume it, without a condition, and the IAM policy simulation allows `logs:CreateLogStream` and `logs:PutLogEvents` on the trail's log stream.
    /// Also blocked for an organization trail, whose update needs permissions in the management account that the remediation's role does not have.
    /// The remediation's role may read, simulate and pass (to CloudTrail only) just the role in the stack parameter `CloudTrailLogsRoleArn`, and no role without it; `logRoleArn` must name the same role, otherwise the fix stays planned and needs an operator.
    /// An existing log group or role is never replaced, and an operator investigates a delivery that is late or fails.
    /// With `expectedDeliveryWindowAge`, the fix completes when the first events have arrived, some minutes later.
    /// The call supports no conditional write: a log group set in the milliseconds between the last read and the write is replaced.
    /// How to undo: the same call with both empty; events delivered in the meantime stay in the log group.
    ///
    /// ## References
    /// * [AWS Config managed rule](https://docs.aws.amazon.com/config/latest/developerguide/cloud-trail-cloud-watch-logs-enabled.html)
    /// * [Security Hub CloudTrail.5](https://docs.aws.amazon.com/securityhub/latest/userguide/cloudtrail-controls.html#cloudtrail-5)
    /// * [Sending events to CloudWatch Logs](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html)
    /// * [Role policy for CloudWatch Logs](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html)
    /// * [Stopping it](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/stop-cloudtrail-from-sending-events-to-cloudwatch-logs.html)
    /// * [GetTrailStatus](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html)
    pub CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED: CloudTrailCloudWatchLogsEnabled {
        id: "cloud-trail-cloud-watch-logs-enabled",
        title: "CloudTrail events do not reach CloudWatch Logs",
        severity: Low,
        triggers: [Change, Periodic(TwentyFourHours)],
        scope: Regional,
        resource_types: &[TYPE],
        level: L2,
        frameworks: {
            Fsbp: ["CloudTrail.5"],
            Nist80053r5: ["AC-2(4)", "AU-6(1)", "AU-6(3)", "AU-12", "AU-7(1)"],
            Pci40: ["10.2.1", "10.4.1.1"],
        },
    }
}

/// The only role that the deployment may pass: otherwise the author of the rule parameter could give CloudTrail more
/// permissions.
const ROLE: &str = "${CloudTrailLogsRoleArn}";
const DESCRIBE_LOG_GROUPS: Permission = Permission::unscoped("logs:DescribeLogGroups");
const GET_ROLE: Permission = Permission::on("iam:GetRole", ROLE);
const SIMULATE: Permission = Permission::on("iam:SimulatePrincipalPolicy", ROLE);
const PASS_ROLE: Permission =
    Permission::on("iam:PassRole", ROLE).when("iam:PassedToService", "cloudtrail.amazonaws.com");

parameters! {
    /// The deliveries that a trail needs, and the log group and role for a trail without them.
    pub TrailLogsParameters, check: both_or_neither {
        /// The maximum age of the latest delivery, hours, 1..=8760. Default: not checked.
        expected_delivery_window_age: Option<Bounded<1, 8760>> = None,
        /// Whether a failed latest delivery is noncompliant. Default false.
        check_delivery_error: Flag = Flag(false),
        /// The log group that the remediation sets on a trail without one, by ARN. Default: none, an operator chooses.
        #[schemars(with = "Option<String>")]
        log_group_arn: Option<LogGroupArn> = None,
        /// The role that CloudTrail assumes to write to it, by ARN. Default: none, an operator chooses.
        #[schemars(with = "Option<String>")]
        log_role_arn: Option<RoleArn> = None,
    }
}

fn both_or_neither(params: &TrailLogsParameters) -> Result<(), String> {
    match (&params.log_group_arn, &params.log_role_arn) {
        (Some(group), None) => Err(format!("logGroupArn `{}` needs logRoleArn", group.as_str())),
        (None, Some(role)) => Err(format!("logRoleArn `{}` needs logGroupArn", role.as_str())),
        (Some(_), Some(_)) | (None, None) => Ok(()),
    }
}

impl TrailLogsParameters {
    /// Whether deliveries must be read: the log group ARN alone does not decide.
    pub fn deliveries_matter(&self) -> bool {
        self.expected_delivery_window_age.is_some() || self.check_delivery_error.0
    }

    /// The log group and role that the remediation would set on this trail.
    pub fn destination_for(&self, trail: &Trail) -> Option<(&LogGroupArn, &RoleArn)> {
        let unset = trail.settings.cloud_watch_logs_log_group_arn.is_none();
        self.log_group_arn.as_ref().zip(self.log_role_arn.as_ref()).filter(|_| unset)
    }

    /// How the deliveries of a trail violate these parameters.
    fn violation(&self, delivery: &Delivery, now: Timestamp) -> Option<String> {
        if let Some(window) = self.expected_delivery_window_age {
            let max = i64::from(window.get());
            let Some(latest) = delivery.latest_at else {
                return Some(format!("no CloudWatch Logs delivery yet (max {max} h)"));
            };
            let age = now.duration_since(latest).as_secs();
            if age > max.saturating_mul(SECONDS_PER_HOUR) {
                let hours = age.saturating_add(SECONDS_PER_HOUR - 1) / SECONDS_PER_HOUR;
                return Some(format!("last CloudWatch Logs delivery {hours} h ago (max {max})"));
            }
        }
        let error = delivery.latest_error.as_ref().filter(|_| self.check_delivery_error.0)?;
        Some(format!("last CloudWatch Logs delivery failed: {error}"))
    }
}

const SECONDS_PER_HOUR: i64 = 3600;

/// The facts that a configuration item does not contain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryFacts {
    /// The trail to evaluate instead of the item.
    pub live: LiveTrail,
    /// Its deliveries, if the parameters need them.
    pub delivery: Option<Delivery>,
}

/// One call to CloudTrail. The fix and its undo are the same call with different destinations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// `UpdateTrail`; a field it leaves out keeps its value, and an empty field is cleared.
    UpdateTrail {
        /// `Name`: the trail's ARN.
        name: String,
        /// `CloudWatchLogsLogGroupArn`.
        cloud_watch_logs_log_group_arn: String,
        /// `CloudWatchLogsRoleArn`.
        cloud_watch_logs_role_arn: String,
    },
}

impl Control for CloudTrailCloudWatchLogsEnabled {
    type Params = TrailLogsParameters;
    type Subject = DeliveringTrail;

    fn evaluate(&self, subject: &DeliveringTrail, params: &Self::Params, now: Timestamp) -> Verdict {
        let DeliveringTrail { trail, delivery, .. } = subject;
        if let Some(elsewhere) = trail.evaluated_elsewhere() {
            return elsewhere;
        }
        let violation = match (&trail.settings.cloud_watch_logs_log_group_arn, delivery) {
            (None, _) => Some("no delivery to CloudWatch Logs".to_owned()),
            (Some(_), _) if !params.deliveries_matter() => None,
            (Some(_), None) => Some("deliveries to CloudWatch Logs were not read".to_owned()),
            (Some(_), Some(delivery)) => params.violation(delivery, now),
        };
        violation.map_or(Verdict::COMPLIANT, |it| Verdict::non_compliant(format!("Trail {}: {it}", trail.name)))
    }
}

impl FromItem for CloudTrailCloudWatchLogsEnabled {
    type Resource = RecordedTrail;
    /// `None` if the item alone decides.
    type Facts = Option<DeliveryFacts>;
    fn fact_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE, GET_STATUS]
    }

    fn subject(&self, recorded: RecordedTrail, facts: Option<DeliveryFacts>) -> DeliveringTrail {
        let DeliveryFacts { live, delivery } = facts.unwrap_or_default();
        DeliveringTrail { trail: recorded.or_live(live), delivery, destination: None }
    }
}

impl Periodic for CloudTrailCloudWatchLogsEnabled {
    fn list_permissions(&self) -> &'static [Permission] {
        &[DESCRIBE, GET_STATUS]
    }
}

impl Remediation for CloudTrailCloudWatchLogsEnabled {
    type Action = Action;
    type Undo = Action;

    fn permissions(&self) -> RemediationPermissions {
        RemediationPermissions {
            read: &[GET, LIST_TAGS, GET_STATUS, DESCRIBE_LOG_GROUPS, GET_ROLE, SIMULATE],
            fix: &[UPDATE, PASS_ROLE],
            // IAM cannot distinguish setting a group from clearing it: only `plan` keeps the remediation
            // from removing a group.
            undo: &[UPDATE],
        }
    }

    fn managed_by(&self) -> ManagedBy {
        MANAGED_BY
    }

    fn stack_resources(&self, _live: &DeliveringTrail, action: &Action) -> Vec<PhysicalId> {
        let Action::UpdateTrail { name, .. } = action;
        vec![stack_resource(name)]
    }

    fn fix(&self, live: &DeliveringTrail, params: &Self::Params, _now: Timestamp) -> Plan<Action> {
        let trail = &live.trail;
        let settings = &trail.settings;
        if let Some(group) = &settings.cloud_watch_logs_log_group_arn {
            let role = settings.cloud_watch_logs_role_arn.as_deref().unwrap_or("no role");
            let task = format!("find and fix why trail {} does not deliver to {group} as {role}", trail.arn);
            return Plan::steps_in_order(vec![Step::manual(Level::L0, task)]);
        }
        let Some((group, role)) = params.destination_for(trail) else {
            let task = format!(
                "choose a log group and a role that lets CloudTrail write to it, and set both for trail {}, or name \
                 them in logGroupArn and logRoleArn",
                trail.arn
            );
            return Plan::steps_in_order(vec![Step::manual(Level::L2, task)]);
        };
        let mut reasons: Vec<String> = trail.update_blocker().into_iter().collect();
        if let Some(other) = &settings.cloud_watch_logs_role_arn {
            reasons.push(format!("trail {} has role {other} without a log group", trail.name));
        }
        match live.destination.as_ref().filter(|it| it.log_group == *group && it.role == *role) {
            Some(destination) => reasons.extend(destination.blockers(trail)),
            None => reasons.push(format!("log group {} and role {} were not read", group.as_str(), role.as_str())),
        }
        let steps = vec![Step::call(
            Level::L2,
            Action::UpdateTrail {
                name: trail.arn.clone(),
                cloud_watch_logs_log_group_arn: group.as_str().to_owned(),
                cloud_watch_logs_role_arn: role.as_str().to_owned(),
            },
        )];
        Plan::unless(reasons, steps)
    }

    fn predict(&self, mut live: DeliveringTrail, action: &Action) -> DeliveringTrail {
        let Action::UpdateTrail { name, cloud_watch_logs_log_group_arn: group, cloud_watch_logs_role_arn: role } =
            action;
        if *name == live.trail.arn {
            let set = |text: &String| Some(text.clone()).filter(|it| !it.is_empty());
            live.trail.settings.cloud_watch_logs_log_group_arn = set(group);
            live.trail.settings.cloud_watch_logs_role_arn = set(role);
            live.destination = None;
        }
        live
    }

    /// No delivery to the new log group has succeeded or failed yet: CloudTrail delivers within minutes.
    fn is_in_progress(&self, after: &DeliveringTrail, done: &[Action]) -> bool {
        let is_set = |Action::UpdateTrail { name, cloud_watch_logs_log_group_arn: group, .. }: &Action| {
            *name == after.trail.arn && after.trail.settings.cloud_watch_logs_log_group_arn.as_ref() == Some(group)
        };
        done.iter().any(is_set) && after.delivery == Some(Delivery::default())
    }

    /// Only these two settings, so that a later change of the bucket does not block an undo.
    /// The full before and after states prove that nothing else changed.
    fn touched_fields(&self, subject: &DeliveringTrail, done: &[Action]) -> Value {
        if done.is_empty() {
            return json!({});
        }
        let settings = &subject.trail.settings;
        json!({
            "cloudWatchLogsLogGroupArn": settings.cloud_watch_logs_log_group_arn,
            "cloudWatchLogsRoleArn": settings.cloud_watch_logs_role_arn,
        })
    }

    fn undo(&self, before: &DeliveringTrail, done: &[Action]) -> Result<Vec<Action>, Irreversible> {
        let settings = &before.trail.settings;
        let restore = |Action::UpdateTrail { name, .. }: &Action| Action::UpdateTrail {
            name: name.clone(),
            cloud_watch_logs_log_group_arn: settings.cloud_watch_logs_log_group_arn.clone().unwrap_or_default(),
            cloud_watch_logs_role_arn: settings.cloud_watch_logs_role_arn.clone().unwrap_or_default(),
        };
        Ok(done.iter().rev().map(restore).collect())
    }
}

#[cfg(test)]
mod tests;
