//! Deliveries of trails to CloudWatch Logs, and whether a log group and a role can receive them.

use aws_sdk_cloudtrail::operation::get_trail_status::GetTrailStatusError;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_iam::operation::get_role::GetRoleError;
use aws_sdk_iam::types::{EvaluationResult, PolicyEvaluationDecisionType};
use futures_util::Stream;
use futures_util::stream::once;
use rectify_compliance::{ShapeError, Target, Timestamp};
use rectify_runtime::client::{AccountRegion, Fix, List, Page, ReadFacts};
use rectify_runtime::{AwsError, CallErrorKind};
use serde_json::Value;

use super::{Clients, updated};
use rectify_cloudtrail::controls::cloud_trail_cloud_watch_logs_enabled::{
    Action, CloudTrailCloudWatchLogsEnabled, DeliveryFacts, TrailLogsParameters,
};
use rectify_cloudtrail::resources::trail::{RecordedTrail, Trail, TrailOwnership};
use rectify_cloudtrail::resources::trail_delivery::{
    DeliveringTrail, Delivery, Destination, LogGroupArn, RoleArn, RoleRights, WRITES,
};

impl Clients {
    /// `GetTrailStatus`, if deliveries matter; `None` when the trail is already gone.
    async fn delivering(
        &self,
        trail: Trail,
        params: &TrailLogsParameters,
    ) -> Result<Option<DeliveringTrail>, AwsError> {
        let mut delivering = DeliveringTrail { trail, delivery: None, destination: None };
        if !params.deliveries_matter() || delivering.trail.ownership() != TrailOwnership::Local {
            return Ok(Some(delivering));
        }
        match self.cloudtrail.get_trail_status().name(&delivering.trail.arn).send().await {
            Ok(status) => {
                let error = status.latest_cloud_watch_logs_delivery_error.filter(|it| !it.is_empty());
                delivering.delivery = Some(Delivery {
                    latest_at: status.latest_cloud_watch_logs_delivery_time.map(time).transpose()?,
                    latest_error: error,
                });
                Ok(Some(delivering))
            }
            Err(error) if matches!(error.as_service_error(), Some(GetTrailStatusError::TrailNotFoundException(_))) => {
                Ok(None)
            }
            Err(error) => Err(AwsError::call("cloudtrail:GetTrailStatus", &error)),
        }
    }

    /// The state of a log group and a role, for this trail.
    async fn destination(&self, group: &LogGroupArn, role: &RoleArn, trail: &Trail) -> Result<Destination, AwsError> {
        let (role_rights, role_is_denied) = match self.rights(role, &group.stream_of(trail)).await {
            Ok(rights) => (rights, false),
            // The stack grants access to one role by its ARN, and this is another one: an operator must see that.
            Err(AwsError::Call(error)) if error.kind == CallErrorKind::AccessDenied => (None, true),
            Err(error) => return Err(error),
        };
        Ok(Destination {
            log_group: group.clone(),
            log_group_exists: self.has_log_group(group).await?,
            role: role.clone(),
            role_rights,
            role_is_denied,
        })
    }

    /// What a role allows CloudTrail to do in a log stream; `None` if there is no such role.
    async fn rights(&self, role: &RoleArn, stream: &str) -> Result<Option<RoleRights>, AwsError> {
        let Some(trust) = self.trust_policy(role).await? else { return Ok(None) };
        Ok(Some(RoleRights::new(&trust, &self.allowed_writes(role, stream).await?)))
    }

    /// `DescribeLogGroups`, page by page until the group is found.
    async fn has_log_group(&self, group: &LogGroupArn) -> Result<bool, AwsError> {
        let mut pages = self.logs.describe_log_groups().log_group_name_prefix(group.name()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("logs:DescribeLogGroups", &error))?;
            if page.log_groups().iter().any(|it| it.arn().is_some_and(|arn| group.is(arn))) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `GetRole`: the role's trust policy; `None` if there is no such role, or the role with this name has another ARN.
    async fn trust_policy(&self, role: &RoleArn) -> Result<Option<Value>, AwsError> {
        let answer = match self.iam.get_role().role_name(role.name()).send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(GetRoleError::is_no_such_entity_exception) => {
                return Ok(None);
            }
            Err(error) => return Err(AwsError::call("iam:GetRole", &error)),
        };
        let found = answer.role.ok_or_else(|| ShapeError::missing("Role", "a role"))?;
        if found.arn != role.as_str() {
            return Ok(None);
        }
        let text = found
            .assume_role_policy_document
            .ok_or_else(|| ShapeError::missing("Role.AssumeRolePolicyDocument", "a policy document"))?;
        Ok(Some(rectify_policy::decode("Role.AssumeRolePolicyDocument", &text)?))
    }

    /// `SimulatePrincipalPolicy`, all pages: the actions that IAM allows the role in a log stream, including
    /// permissions boundary and organization policies.
    async fn allowed_writes(&self, role: &RoleArn, stream: &str) -> Result<Vec<String>, AwsError> {
        let call = self.iam.simulate_principal_policy().policy_source_arn(role.as_str()).resource_arns(stream);
        let mut pages = call.set_action_names(Some(WRITES.map(str::to_owned).into())).into_paginator().send();
        let mut allowed = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("iam:SimulatePrincipalPolicy", &error))?;
            allowed.extend(allowed_of(page.evaluation_results.unwrap_or_default()));
        }
        Ok(allowed)
    }
}

impl ReadFacts<Clients> for CloudTrailCloudWatchLogsEnabled {
    async fn facts(
        &self,
        clients: &Clients,
        target: &Target,
        recorded: &RecordedTrail,
        params: &TrailLogsParameters,
    ) -> Result<Option<Option<DeliveryFacts>>, AwsError> {
        let Some(live) = clients.settled(target, recorded, recorded.is_local()).await? else { return Ok(None) };
        let trail = recorded.judged(&live);
        if trail.settings.cloud_watch_logs_log_group_arn.is_none() {
            return Ok(Some(Some(DeliveryFacts { live, delivery: None })));
        }
        let delivering = clients.delivering(trail.clone(), params).await?;
        Ok(delivering.map(|it| Some(DeliveryFacts { live, delivery: it.delivery })))
    }
}

impl List<Clients> for CloudTrailCloudWatchLogsEnabled {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        place: &'a AccountRegion,
        params: &'a TrailLogsParameters,
        _from: Option<String>,
    ) -> impl Stream<Item = Result<Page<DeliveringTrail>, AwsError>> + Send + 'a {
        once(clients.read_trails(place, |trail| clients.delivering(trail, params)))
    }
}

impl Fix<Clients> for CloudTrailCloudWatchLogsEnabled {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        params: &TrailLogsParameters,
    ) -> Result<Option<DeliveringTrail>, AwsError> {
        let Some(trail) = clients.trail(target).await? else { return Ok(None) };
        let Some(mut live) = clients.delivering(trail, params).await? else { return Ok(None) };
        if let Some((group, role)) = params.destination_for(&live.trail)
            && live.trail.ownership() == TrailOwnership::Local
        {
            live.destination = Some(clients.destination(group, role, &live.trail).await?);
        }
        Ok(Some(live))
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        let Action::UpdateTrail { name, cloud_watch_logs_log_group_arn: group, cloud_watch_logs_role_arn: role } =
            action;
        let request = clients.update_trail(name).cloud_watch_logs_log_group_arn(group);
        updated(request.cloud_watch_logs_role_arn(role)).await
    }
}

/// The allowed actions of a simulation: denied neither explicitly nor implicitly.
fn allowed_of(results: Vec<EvaluationResult>) -> impl Iterator<Item = String> {
    let allowed = results.into_iter().filter(|it| it.eval_decision == PolicyEvaluationDecisionType::Allowed);
    allowed.map(|it| it.eval_action_name)
}

fn time(time: DateTime) -> Result<Timestamp, ShapeError> {
    Timestamp::from_second(time.secs())
        .map_err(|_| ShapeError::new("LatestCloudWatchLogsDeliveryTime", "a time", time.secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decision_allowed_counts_as_allowed() {
        let result = |action: &str, decision: &str| {
            EvaluationResult::builder().eval_action_name(action).eval_decision(decision.into()).build().unwrap()
        };
        let results = [("a", "allowed"), ("b", "implicitDeny"), ("c", "explicitDeny"), ("d", "someday")];
        let results = results.map(|(action, decision)| result(action, decision)).into();
        assert_eq!(allowed_of(results).collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn time_out_of_range_is_refused() {
        assert_eq!(time(DateTime::from_secs(0)), Ok(Timestamp::UNIX_EPOCH));
        assert!(time(DateTime::from_secs(i64::MAX)).is_err());
    }
}
