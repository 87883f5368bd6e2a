//! The ends of alarm chains, created in the emulator: a trail with a log group, and a topic with a subscription.

use aws_sdk_cloudtrail::types::{EventSelector, ReadWriteType};
use aws_types::SdkConfig;
use serde_json::{Value, json};

use crate::emulator::ACCOUNT;

/// The name of the log group, of the trail and, with `-logs`, of its bucket.
pub const TRAIL: &str = "chain";

/// A multi-region trail of all management events with a log group that has no filter.
pub async fn trail(sdk: &SdkConfig) {
    let region = sdk.region().unwrap().as_ref().to_owned();
    let logs = aws_sdk_cloudwatchlogs::Client::new(sdk);
    logs.create_log_group().log_group_name(TRAIL).send().await.unwrap();
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(sdk).force_path_style(true).build());
    let bucket = format!("{TRAIL}-logs-{region}");
    let elsewhere = (region != "us-east-1").then(|| {
        let here = region.as_str().into();
        aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(here).build()
    });
    s3.create_bucket().bucket(&bucket).set_create_bucket_configuration(elsewhere).send().await.unwrap();
    let trails = aws_sdk_cloudtrail::Client::new(sdk);
    trails
        .create_trail()
        .name(TRAIL)
        .s3_bucket_name(&bucket)
        .is_multi_region_trail(true)
        .cloud_watch_logs_log_group_arn(format!("arn:aws:logs:{region}:{ACCOUNT}:log-group:{TRAIL}:*"))
        .cloud_watch_logs_role_arn(format!("arn:aws:iam::{ACCOUNT}:role/trail"))
        .send()
        .await
        .unwrap();
    let all = EventSelector::builder().read_write_type(ReadWriteType::All).include_management_events(true).build();
    trails.put_event_selectors().trail_name(TRAIL).event_selectors(all).send().await.unwrap();
    trails.start_logging().name(TRAIL).send().await.unwrap();
}

/// Creates a topic with one confirmed subscription, to which `service` may publish, and returns its ARN.
pub async fn topic(sdk: &SdkConfig, name: &str, service: &str) -> String {
    let sns = aws_sdk_sns::Client::new(sdk);
    let arn = sns.create_topic().name(name).send().await.unwrap().topic_arn.unwrap();
    let publish = json!({"Version": "2012-10-17", "Statement": [{"Sid": "publish", "Effect": "Allow",
        "Principal": {"Service": service}, "Action": "sns:Publish", "Resource": arn}]});
    set(&sns, &arn, "Policy", &publish.to_string()).await;
    confirm(sdk, &arn, 1).await;
    arn
}

/// Sets moto's number of confirmed subscriptions, which moto never counts itself: it reads the number from an attribute
/// whose name is misspelled in its model (moto 5.2.5, `sns/models`).
pub async fn confirm(sdk: &SdkConfig, arn: &str, confirmed: u32) {
    set(&aws_sdk_sns::Client::new(sdk), arn, "SubscriptionsConfimed", &confirmed.to_string()).await;
}

/// Encrypts the topic with a new key whose policy has this statement.
pub async fn encrypt(sdk: &SdkConfig, topic: &str, statement: &Value) {
    let kms = aws_sdk_kms::Client::new(sdk);
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let key = kms.create_key().policy(policy).send().await.unwrap().key_metadata.unwrap().key_id;
    set(&aws_sdk_sns::Client::new(sdk), topic, "KmsMasterKeyId", &key).await;
}

async fn set(sns: &aws_sdk_sns::Client, topic: &str, name: &str, value: &str) {
    sns.set_topic_attributes().topic_arn(topic).attribute_name(name).attribute_value(value).send().await.unwrap();
}

/// Creates a filter with this pattern on the trail's log group, and an alarm on it that notifies these topics.
pub async fn filter_and_alarm(sdk: &SdkConfig, pattern: &str, topics: &[&str]) {
    let metric = aws_sdk_cloudwatchlogs::types::MetricTransformation::builder();
    let metric = metric.metric_namespace("Audit").metric_name("Watched").metric_value("1").build().unwrap();
    let filter = aws_sdk_cloudwatchlogs::Client::new(sdk).put_metric_filter().log_group_name(TRAIL);
    filter.filter_name("watch").filter_pattern(pattern).metric_transformations(metric).send().await.unwrap();
    aws_sdk_cloudwatch::Client::new(sdk)
        .put_metric_alarm()
        .alarm_name("watch")
        .namespace("Audit")
        .metric_name("Watched")
        .statistic("Sum".into())
        .period(300)
        .evaluation_periods(1)
        .threshold(1.0)
        .comparison_operator("GreaterThanOrEqualToThreshold".into())
        .set_alarm_actions(Some(topics.iter().map(|it| (*it).to_owned()).collect()))
        .send()
        .await
        .unwrap();
}
