//! Trails.

use aws_sdk_cloudtrail::types::{AdvancedEventSelector, AdvancedFieldSelector, EventSelector, ReadWriteType};
use rectify_cloudtrail::controls::cloud_trail_cloud_watch_logs_enabled::{
    CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED, CloudTrailCloudWatchLogsEnabled,
};
use rectify_cloudtrail::controls::cloud_trail_encryption_enabled::CLOUD_TRAIL_ENCRYPTION_ENABLED;
use rectify_cloudtrail::controls::cloud_trail_log_file_validation_enabled::CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED;
use rectify_cloudtrail::controls::multi_region_cloudtrail_enabled::MULTI_REGION_CLOUDTRAIL_ENABLED;
use rectify_compliance::parameters::RuleParameters;
use rectify_local::backend::{Backend, BackendSettings};
use rectify_runtime::client::{Connect, Fix};
use rectify_tests::emulator::{ACCOUNT, REGION, sdk_at};
use rectify_tests::services::Services;
use serde_json::json;

use super::{SEPARATE, assert_model_conforms, target};

#[tokio::test]
async fn log_file_validation_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    let here = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(SEPARATE.into()).build();
    s3.create_bucket().bucket("model-logs").create_bucket_configuration(here).send().await.unwrap();
    let trails = aws_sdk_cloudtrail::Client::new(&sdk);
    let create = trails.create_trail().name("model").s3_bucket_name("model-logs").s3_key_prefix("audit");
    create.is_multi_region_trail(true).send().await.unwrap();

    let (target, params) = (target(&CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED, SEPARATE, "model"), Default::default());
    let calls = assert_model_conforms::<_, rectify_cloudtrail_lambda::Clients>(
        &CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED,
        &sdk,
        &target,
        &params,
    )
    .await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].starts_with("UpdateTrail {") && !calls[0].contains("S3"), "{calls:?}");
}

/// The key is in another region than the trail, as it is if the bucket is there.
#[tokio::test]
async fn key_of_a_trail_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    let here = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(SEPARATE.into()).build();
    s3.create_bucket().bucket("keyed-logs").create_bucket_configuration(here).send().await.unwrap();
    let trails = aws_sdk_cloudtrail::Client::new(&sdk);
    trails.create_trail().name("keyed").s3_bucket_name("keyed-logs").s3_key_prefix("audit").send().await.unwrap();
    let kms = aws_sdk_kms::Client::new(&Services::default().sdk("eu-west-2"));
    let policy = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"], "Resource": "*"}]});
    let key = kms.create_key().policy(policy.to_string()).send().await.unwrap().key_metadata.unwrap().arn.unwrap();

    type Clients = rectify_cloudtrail_lambda::Clients;
    let target = target(&CLOUD_TRAIL_ENCRYPTION_ENABLED, SEPARATE, "keyed");
    for parameters in [
        json!({"remediationKeyArn": key}),
        json!({"remediationKeyArn": key, "checkKeyState": "false"}),
        json!({"remediationKeyArn": key, "kmsKeyArns": key}),
    ] {
        let params = RuleParameters::parse(Some(&parameters.to_string())).unwrap().control;
        let calls = assert_model_conforms::<_, Clients>(&CLOUD_TRAIL_ENCRYPTION_ENABLED, &sdk, &target, &params).await;
        let arn = format!("arn:aws:cloudtrail:{SEPARATE}:{ACCOUNT}:trail/keyed");
        assert_eq!(calls, [format!(r#"UpdateTrail {{"KmsKeyId":"{key}","Name":"{arn}"}}"#)]);
    }
}

/// `Services` answers SimulatePrincipalPolicy, which moto lacks; moto answers everything else.
#[tokio::test]
async fn log_group_of_a_trail_conforms() {
    let services = Services::default();
    let sdk = services.sdk(SEPARATE);
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    let here = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(SEPARATE.into()).build();
    s3.create_bucket().bucket("watched-logs").create_bucket_configuration(here).send().await.unwrap();
    let trails = aws_sdk_cloudtrail::Client::new(&sdk);
    trails.create_trail().name("watched").s3_bucket_name("watched-logs").s3_key_prefix("audit").send().await.unwrap();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sdk);
    for name in ["watched-not", "watched"] {
        logs.create_log_group().log_group_name(name).send().await.unwrap();
    }
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let create = aws_sdk_iam::Client::new(&sdk).create_role().role_name("watched").path("/service-role/");
    let role = create.assume_role_policy_document(trust.to_string()).send().await.unwrap().role.unwrap().arn;

    type Clients = rectify_cloudtrail_lambda::Clients;
    let target = target(&CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED, SEPARATE, "watched");
    let group = format!("arn:aws:logs:{SEPARATE}:{ACCOUNT}:log-group:watched");
    for more in [json!({}), json!({"checkDeliveryError": "true"})] {
        let mut parameters = json!({"logGroupArn": group, "logRoleArn": role});
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let params = RuleParameters::parse(Some(&parameters.to_string())).unwrap().control;
        let calls =
            assert_model_conforms::<_, Clients>(&CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED, &sdk, &target, &params).await;
        let arn = format!("arn:aws:cloudtrail:{SEPARATE}:{ACCOUNT}:trail/watched");
        let call =
            json!({"CloudWatchLogsLogGroupArn": format!("{group}:*"), "CloudWatchLogsRoleArn": role, "Name": arn});
        assert_eq!(calls, [format!("UpdateTrail {call}")]);
    }
    assert!(services.calls().contains(&"iam:SimulatePrincipalPolicy".to_owned()), "{:?}", services.calls());

    let params =
        RuleParameters::parse(Some(&json!({"logGroupArn": format!("{group}-2"), "logRoleArn": role}).to_string()));
    let clients = Clients::connect(&sdk);
    let live =
        CloudTrailCloudWatchLogsEnabled.live(&clients, &target, &params.unwrap().control).await.unwrap().unwrap();
    let destination = live.destination.unwrap();
    assert!(!destination.log_group_exists && destination.role_rights.is_some(), "{destination:?}");
    let absent = role.replace("/service-role/", "/another-path/");
    let params = RuleParameters::parse(Some(&json!({"logGroupArn": group, "logRoleArn": absent}).to_string()));
    let live =
        CloudTrailCloudWatchLogsEnabled.live(&clients, &target, &params.unwrap().control).await.unwrap().unwrap();
    let destination = live.destination.unwrap();
    assert!(destination.log_group_exists && destination.role_rights.is_none(), "{destination:?}");
}

/// In a separate emulator: other tests would see a multi-region trail in the shared one.
#[tokio::test]
async fn recording_of_an_account_conforms_in_any_home_region() {
    let logs = tempfile::tempdir().unwrap();
    let backend = Backend::start(&BackendSettings::new(ACCOUNT, &logs.path().join("moto.log"))).await.unwrap();
    let sdk = sdk_at(backend.endpoint());
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    s3.create_bucket().bucket("model-logs").send().await.unwrap();
    type Clients = rectify_cloudtrail_lambda::Clients;
    let params = RuleParameters::parse(Some(r#"{"readWriteType": "ALL"}"#)).unwrap().control;
    let target = target(&MULTI_REGION_CLOUDTRAIL_ENABLED, REGION, ACCOUNT);

    let here = aws_sdk_cloudtrail::Client::new(&sdk);
    here.create_trail().name("here").s3_bucket_name("model-logs").send().await.unwrap();
    let writes = EventSelector::builder().read_write_type(ReadWriteType::WriteOnly).include_management_events(true);
    here.put_event_selectors().trail_name("here").event_selectors(writes.build()).send().await.unwrap();
    let calls = assert_model_conforms::<_, Clients>(&MULTI_REGION_CLOUDTRAIL_ENABLED, &sdk, &target, &params).await;
    let named: Vec<&str> = calls.iter().map(|it| it.split(' ').next().unwrap()).collect();
    assert_eq!(named, ["StartLogging", "UpdateTrail", "PutEventSelectors"], "{calls:?}");
    here.delete_trail().name("here").send().await.unwrap();

    let there = aws_types::region::Region::new("eu-west-1");
    let there = aws_sdk_cloudtrail::Client::new(&sdk.to_builder().region(there).build());
    let create = there.create_trail().name("there").s3_bucket_name("model-logs").is_multi_region_trail(true);
    create.send().await.unwrap();
    let field = |name: &str, value: &str| AdvancedFieldSelector::builder().field(name).equals(value).build().unwrap();
    let reads = AdvancedEventSelector::builder().name("reads");
    let reads = reads.field_selectors(field("eventCategory", "Management")).field_selectors(field("readOnly", "true"));
    let put = there.put_event_selectors().trail_name("there").advanced_event_selectors(reads.build().unwrap());
    put.send().await.unwrap();
    let calls = assert_model_conforms::<_, Clients>(&MULTI_REGION_CLOUDTRAIL_ENABLED, &sdk, &target, &params).await;
    assert_eq!(calls.len(), 2, "{calls:?}");
}
