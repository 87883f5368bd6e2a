//! `AWS::CloudTrail::Trail`, in its home region and account only.
//!
//! The item contains neither tags nor whether the trail is logging (developer guide, "Supported resource types").

use std::collections::BTreeMap;

use aws_sdk_cloudtrail::types::Trail;
use serde_json::{Map, Value};

use super::observation::{Observation, REGIONAL, object};
use super::{RecorderError, failed, required};
use crate::engine::EngineSettings;

pub(super) async fn read(
    cloudtrail: &aws_sdk_cloudtrail::Client,
    settings: &EngineSettings,
) -> Result<Vec<Observation>, RecorderError> {
    // DescribeTrails is not paginated: an account has at most five trails per region.
    let answer = cloudtrail.describe_trails().include_shadow_trails(false).send().await;
    let answer = answer.map_err(failed("cloudtrail:DescribeTrails", "all trails"))?;
    let home = answer.trail_list().iter().filter(|trail| is_home(trail, settings));
    home.map(|trail| observe(trail, settings)).collect()
}

/// Multi-region and organization trails are listed everywhere, but each has one item.
fn is_home(trail: &Trail, settings: &EngineSettings) -> bool {
    let account = trail.trail_arn().and_then(|arn| arn.split(':').nth(4));
    trail.home_region().is_none_or(|region| region == settings.region)
        && account.is_none_or(|account| account == settings.account)
}

fn observe(trail: &Trail, settings: &EngineSettings) -> Result<Observation, RecorderError> {
    let name = required("a trail", "name", trail.name())?;
    let arn = required(name, "trailARN", trail.trail_arn())?;
    let text = |value: Option<&str>| value.map(Value::from);
    let flag = |value: Option<bool>| value.map(Value::from);
    Ok(Observation {
        resource_id: name.to_owned(),
        resource_name: Some(name.to_owned()),
        arn: arn.to_owned(),
        region: settings.region.clone(),
        availability_zone: REGIONAL,
        created: None,
        tags: BTreeMap::new(),
        relationships: Vec::new(),
        configuration: object([
            ("name", text(Some(name))),
            ("s3BucketName", text(trail.s3_bucket_name())),
            ("s3KeyPrefix", text(trail.s3_key_prefix())),
            ("snsTopicARN", text(trail.sns_topic_arn())),
            ("includeGlobalServiceEvents", flag(trail.include_global_service_events())),
            ("isMultiRegionTrail", flag(trail.is_multi_region_trail())),
            ("homeRegion", text(trail.home_region())),
            ("trailARN", text(Some(arn))),
            ("logFileValidationEnabled", flag(trail.log_file_validation_enabled())),
            ("cloudWatchLogsLogGroupArn", text(trail.cloud_watch_logs_log_group_arn())),
            ("cloudWatchLogsRoleArn", text(trail.cloud_watch_logs_role_arn())),
            ("kmsKeyId", text(trail.kms_key_id())),
            ("hasCustomEventSelectors", flag(trail.has_custom_event_selectors())),
            ("hasInsightSelectors", flag(trail.has_insight_selectors())),
            ("isOrganizationTrail", flag(trail.is_organization_trail())),
        ]),
        supplementary: Map::new(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn trail(region: &str, account: &str) -> Trail {
        Trail::builder()
            .name("audit")
            .trail_arn(format!("arn:aws:cloudtrail:{region}:{account}:trail/audit"))
            .home_region(region)
            .s3_bucket_name("audit-logs")
            .is_multi_region_trail(true)
            .log_file_validation_enabled(false)
            .build()
    }

    fn settings() -> EngineSettings {
        let text = str::to_owned;
        EngineSettings { account: text("111122223333"), region: text("us-east-1"), partition: text("aws") }
    }

    #[test]
    fn trail_of_another_region_or_account_has_no_item() {
        let rows = [
            ("us-east-1", "111122223333", true),
            ("eu-west-1", "111122223333", false),
            ("us-east-1", "444455556666", false),
        ];
        for (region, account, home) in rows {
            assert_eq!(is_home(&trail(region, account), &settings()), home, "{region} {account}");
        }
    }

    #[test]
    fn trail_becomes_an_item_without_unset_fields() {
        let observation = observe(&trail("us-east-1", "111122223333"), &settings()).unwrap();
        assert_eq!(observation.resource_id, "audit");
        assert_eq!(
            observation.configuration,
            json!({
                "name": "audit", "s3BucketName": "audit-logs", "isMultiRegionTrail": true, "homeRegion": "us-east-1",
                "trailARN": "arn:aws:cloudtrail:us-east-1:111122223333:trail/audit", "logFileValidationEnabled": false
            })
        );
    }
}
