//! Log groups: listed, read with their tags, and their retention set.

use aws_sdk_cloudwatchlogs::types;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use rectify_compliance::{ResourceKey, ShapeError, Tags, Target};
use rectify_runtime::AwsError;
use rectify_runtime::client::{AccountRegion, Fix, Found, List, Listed, Page};

use super::Clients;
use rectify_logs::controls::cw_loggroup_retention_period_check::{
    Action, CwLoggroupRetentionPeriodCheck, CwLoggroupRetentionPeriodCheckParameters, LogGroup, TYPE,
};

/// Log groups per page, the API's maximum.
const GROUPS_PER_PAGE: i32 = 50;

/// The error code of a log group that does not exist.
pub(super) const NOT_FOUND: &str = "ResourceNotFoundException";

impl List<Clients> for CwLoggroupRetentionPeriodCheck {
    fn pages<'a>(
        &'a self,
        clients: &'a Clients,
        _place: &'a AccountRegion,
        params: &'a CwLoggroupRetentionPeriodCheckParameters,
        from: Option<String>,
    ) -> impl Stream<Item = Result<Page<LogGroup>, AwsError>> + Send + 'a {
        let request = clients.logs.describe_log_groups().set_next_token(from);
        let pages = request.into_paginator().page_size(GROUPS_PER_PAGE).send();
        try_unfold(pages, move |mut pages| async move {
            let Some(page) = pages.next().await else { return Ok(None) };
            let page = page.map_err(|error| AwsError::call("logs:DescribeLogGroups", &error))?;
            let mut resources = Vec::new();
            for group in page.log_groups.unwrap_or_default() {
                let name = group.log_group_name().ok_or_else(|| ShapeError::missing("logGroupName", "a name"))?;
                if params.selects(name) {
                    let found = Found { resource: ResourceKey::new(TYPE, name), name: None };
                    resources.extend(Listed::of(found, log_group(group).map(Some).map_err(AwsError::from)));
                }
            }
            Ok(Some((Page { resources, next: page.next_token.filter(|it| !it.is_empty()) }, pages)))
        })
    }
}

impl Fix<Clients> for CwLoggroupRetentionPeriodCheck {
    async fn live(
        &self,
        clients: &Clients,
        target: &Target,
        _params: &CwLoggroupRetentionPeriodCheckParameters,
    ) -> Result<Option<LogGroup>, AwsError> {
        let Some(group) = clients.log_group(target.name_or_id()).await? else { return Ok(None) };
        let request = clients.logs.list_tags_for_resource().resource_arn(&group.arn);
        match request.send().await.map_err(|error| AwsError::call("logs:ListTagsForResource", &error)) {
            Ok(answer) => {
                let tags: Tags = answer.tags.unwrap_or_default().into_iter().collect();
                Ok(Some(LogGroup { tags, ..group }))
            }
            Err(error) if error.is(NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn apply(&self, clients: &Clients, _target: &Target, action: &Action) -> Result<(), AwsError> {
        clients.put_retention(action).await
    }
}

impl Clients {
    /// The log group with exactly this name: the API filters by prefix only.
    async fn log_group(&self, name: &str) -> Result<Option<LogGroup>, AwsError> {
        let request = self.logs.describe_log_groups().log_group_name_prefix(name);
        let mut pages = request.into_paginator().page_size(GROUPS_PER_PAGE).send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| AwsError::call("logs:DescribeLogGroups", &error))?;
            let found = page.log_groups.unwrap_or_default().into_iter();
            if let Some(found) = found.into_iter().find(|it| it.log_group_name() == Some(name)) {
                return Ok(Some(log_group(found)?));
            }
        }
        Ok(None)
    }

    /// `PutRetentionPolicy`. A log group that is already gone is a success: the read that follows reports it.
    async fn put_retention(&self, action: &Action) -> Result<(), AwsError> {
        let Action::PutRetentionPolicy { log_group_name, retention_in_days } = action;
        let days = i32::try_from(*retention_in_days)
            .map_err(|_| ShapeError::new("retentionInDays", "a number of days", retention_in_days))?;
        let request = self.logs.put_retention_policy().log_group_name(log_group_name).retention_in_days(days);
        match request.send().await.map_err(|error| AwsError::call("logs:PutRetentionPolicy", &error)) {
            Ok(_) => Ok(()),
            Err(error) if error.is(NOT_FOUND) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn log_group(group: types::LogGroup) -> Result<LogGroup, ShapeError> {
    let name = group.log_group_name.ok_or_else(|| ShapeError::missing("logGroupName", "a name"))?;
    let arn = group.log_group_arn.or_else(|| group.arn.map(|it| it.trim_end_matches(":*").to_owned()));
    let retention_in_days = group
        .retention_in_days
        .map(|days| u32::try_from(days).map_err(|_| ShapeError::new("retentionInDays", "a number of days", days)))
        .transpose()?;
    Ok(LogGroup {
        arn: arn.ok_or_else(|| ShapeError::missing(format!("{name}.logGroupArn"), "an ARN"))?,
        class: group.log_group_class.map(|it| it.as_str().to_owned()),
        retention_in_days,
        name,
        tags: Tags::new(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn both_arn_fields_are_read_without_the_wildcard() {
        let arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/app";
        let answer = || types::LogGroup::builder().log_group_name("/app").retention_in_days(30);
        let starred = log_group(answer().arn(format!("{arn}:*")).build()).unwrap();
        let both = log_group(answer().arn(format!("{arn}:*")).log_group_arn(arn).build()).unwrap();
        assert_eq!(starred.arn, arn);
        assert_eq!(starred, both);
        assert!(log_group(answer().build()).is_err());
        assert!(log_group(answer().arn(arn).retention_in_days(-1).build()).is_err());
    }
}
