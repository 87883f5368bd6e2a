//! `cloud-trail-cloud-watch-logs-enabled`: CloudTrail events do not reach CloudWatch Logs.
//!
//! Knows trails with their deliveries as [`DeliveringTrail`], whatever they were read from, and no API.

use rectify_compliance::values::{Bounded, Flag};
use rectify_compliance::{
    Control, FromItem, Irreversible, Level, ManagedBy, Periodic, Permission, PhysicalId, Plan, Remediation, Step,
    Timestamp, Verdict, control, parameters,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::resources::trail::permissions::{DESCRIBE, GET, GET_STATUS, LIST_TAGS, UPDATE};
use crate::resources::trail::{LiveTrail, MANAGED_BY, RecordedTrail, TYPE, Trail, stack_resource};
use crate::resources::trail_delivery::{DeliveringTrail, Delivery, LogGroupArn, RoleArn};

control! {
    /// ## What it checks
    /// That each trail names a log group of CloudWatch Logs, `cloudWatchLogsLogGroupArn`.
    /// With `expectedDeliveryWindowAge` the latest delivery there, as `cloudtrail:GetTrailStatus` tells it, must not be older than so many hours; a trail that never delivered does not pass.
    /// With `checkDeliveryError` the latest delivery must not have failed.
    /// A trail is judged by the account in its ARN and in its home region only; a replica, and an organization trail seen from a member, answer NOT_APPLICABLE.
    ///
    /// ## Why it matters
    /// Files in a bucket are read when somebody looks for something.
    /// Events in a log group can be matched as they come: metric filters and alarms on them tell of the use of the root user or of a changed policy within minutes.
    /// A group that is named but no longer reached is a watch that nobody keeps.
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
    /// `expectedDeliveryWindowAge` and `checkDeliveryError` decide what is found; `logGroupArn` and `logRoleArn`, given both or neither, are what a trail without a group is given.
    ///
    /// ## Remediation
    /// L2: `cloudtrail:UpdateTrail` with the trail's ARN, `CloudWatchLogsLogGroupArn` and `CloudWatchLogsRoleArn`, and with nothing else, where both parameters are given and the trail has neither.
    /// What changes: events recorded from then on are delivered to the group as well.
    /// What may break: nothing; what goes into the group is paid for, and may be a lot where the trail records data events.
    /// Held back unless the group is there, in the trail's account and region, and the role is: its trust policy plainly lets `cloudtrail.amazonaws.com` assume it, without a condition, and IAM's own simulation of its policies allows `logs:CreateLogStream` and `logs:PutLogEvents` in the stream of the trail.
    /// Held back for an organization trail as well, whose update needs rights in the management account that the remediation's role does not have.
    /// The remediation's role may read, try and pass the one role that the stack's parameter `CloudTrailLogsRoleArn` names, to CloudTrail only, and none without it; both must name the same, or the fix is planned and a person is needed.
    /// A group or role that a trail has is never replaced, and a delivery that is late or fails is for a person to look into.
    /// With `expectedDeliveryWindowAge` the fix is done once the first events have arrived, some minutes later.
    /// The call has no revision to compare, so milliseconds lie between the last read and the write; a group that somebody sets within them is replaced.
    /// How to undo: the same call with both empty; events delivered meanwhile stay in the group.
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

/// The one role that the deployment grants passing: any other would let whoever sets the parameter give CloudTrail more.
const ROLE: &str = "${CloudTrailLogsRoleArn}";
const DESCRIBE_LOG_GROUPS: Permission = Permission::unscoped("logs:DescribeLogGroups");
const GET_ROLE: Permission = Permission::on("iam:GetRole", ROLE);
const SIMULATE: Permission = Permission::on("iam:SimulatePrincipalPolicy", ROLE);
const PASS_ROLE: Permission =
    Permission::on("iam:PassRole", ROLE).when("iam:PassedToService", "cloudtrail.amazonaws.com");

parameters! {
    /// The deliveries that a trail needs, and the group and role that a trail without them is given.
    pub TrailLogsParameters, check: both_or_neither {
        /// The oldest latest delivery that is enough, hours, 1..=8760. Default: any, or none.
        expected_delivery_window_age: Option<Bounded<1, 8760>> = None,
        /// Whether a failed latest delivery is a finding. Default false.
        check_delivery_error: Flag = Flag(false),
        /// The log group that the remediation gives a trail without one, by its ARN. Default: none, and a person chooses.
        #[schemars(with = "Option<String>")]
        log_group_arn: Option<LogGroupArn> = None,
        /// The role as which CloudTrail then writes to it, by its ARN. Default: none, and a person chooses.
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
    /// Whether deliveries decide, and not the name of a group alone.
    pub fn deliveries_matter(&self) -> bool {
        self.expected_delivery_window_age.is_some() || self.check_delivery_error.0
    }

    /// Where a remediation would make this trail deliver to.
    pub fn destination_for(&self, trail: &Trail) -> Option<(&LogGroupArn, &RoleArn)> {
        let unset = trail.settings.cloud_watch_logs_log_group_arn.is_none();
        self.log_group_arn.as_ref().zip(self.log_role_arn.as_ref()).filter(|_| unset)
    }

    /// The violation of these parameters by the deliveries of a trail.
    fn violation(&self, delivery: &Delivery, now: Timestamp) -> Option<String> {
        if let Some(window) = self.expected_delivery_window_age {
            let max = i64::from(window.get());
            let Some(latest) = delivery.latest_at else {
                return Some(format!("no CloudWatch Logs delivery yet (max {max} h)"));
            };
            let age = now.duration_since(latest).as_secs();
            if age > max.saturating_mul(SECONDS_AN_HOUR) {
                let hours = age.saturating_add(SECONDS_AN_HOUR - 1) / SECONDS_AN_HOUR;
                return Some(format!("last CloudWatch Logs delivery {hours} h ago (max {max})"));
            }
        }
        let error = delivery.latest_error.as_ref().filter(|_| self.check_delivery_error.0)?;
        Some(format!("last CloudWatch Logs delivery failed: {error}"))
    }
}

const SECONDS_AN_HOUR: i64 = 3600;

/// The facts that an item does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryFacts {
    /// The trail to judge in the item's place.
    pub live: LiveTrail,
    /// Its deliveries, where they matter.
    pub delivery: Option<Delivery>,
}

/// One call to CloudTrail. The fix and its undo are the same call with another destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "PascalCase")]
pub enum Action {
    /// `UpdateTrail`; every field it leaves out stays as it is, and one that is empty is cleared.
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
        if let Some(elsewhere) = trail.judged_elsewhere() {
            return elsewhere;
        }
        let violation = match (&trail.settings.cloud_watch_logs_log_group_arn, delivery) {
            (None, _) => Some("no delivery to CloudWatch Logs".to_owned()),
            (Some(_), _) if !params.deliveries_matter() => None,
            (Some(_), None) => Some("its deliveries to CloudWatch Logs were not read".to_owned()),
            (Some(_), Some(delivery)) => params.violation(delivery, now),
        };
        violation.map_or(Verdict::COMPLIANT, |it| Verdict::non_compliant(format!("Trail {}: {it}", trail.name)))
    }
}

impl FromItem for CloudTrailCloudWatchLogsEnabled {
    type Resource = RecordedTrail;
    /// Nothing where the item alone decides.
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
    fn read_permissions(&self) -> &'static [Permission] {
        &[GET, LIST_TAGS, GET_STATUS, DESCRIBE_LOG_GROUPS, GET_ROLE, SIMULATE]
    }
    fn fix_permissions(&self) -> &'static [Permission] {
        &[UPDATE, PASS_ROLE]
    }
    // IAM does not distinguish a group from an empty one: only `plan` keeps the remediation from taking a group away.
    fn undo_permissions(&self) -> &'static [Permission] {
        &[UPDATE]
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
            let words = format!("find out why trail {} does not deliver to {group} as {role}, and mend it", trail.arn);
            return Plan::steps_in_order(vec![Step::manual(Level::L0, words)]);
        }
        let Some((group, role)) = params.destination_for(trail) else {
            let words = format!(
                "choose a log group and a role as which CloudTrail may write to it, and set both for trail {}, or name \
                 them in logGroupArn and logRoleArn",
                trail.arn
            );
            return Plan::steps_in_order(vec![Step::manual(Level::L2, words)]);
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
        if reasons.is_empty() { Plan::steps_in_order(steps) } else { Plan::blocked(reasons.join("; "), steps) }
    }

    fn predict(&self, mut live: DeliveringTrail, action: &Action) -> DeliveringTrail {
        let Action::UpdateTrail { name, cloud_watch_logs_log_group_arn: group, cloud_watch_logs_role_arn: role } =
            action;
        if *name == live.trail.arn {
            let given = |text: &String| Some(text.clone()).filter(|it| !it.is_empty());
            live.trail.settings.cloud_watch_logs_log_group_arn = given(group);
            live.trail.settings.cloud_watch_logs_role_arn = given(role);
            live.destination = None;
        }
        live
    }

    /// Nothing has arrived yet in the group it was given, and nothing has failed: CloudTrail delivers within minutes.
    fn is_in_progress(&self, after: &DeliveringTrail, done: &[Action]) -> bool {
        let given = |Action::UpdateTrail { name, cloud_watch_logs_log_group_arn: group, .. }: &Action| {
            *name == after.trail.arn && after.trail.settings.cloud_watch_logs_log_group_arn.as_ref() == Some(group)
        };
        done.iter().any(given) && after.delivery == Some(Delivery::default())
    }

    /// The two settings, so that a later change of the bucket does not block an undo.
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
