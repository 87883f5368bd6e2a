//! Trails.

use rectify_cloudtrail::cloud_trail_log_file_validation_enabled::CloudTrailLogFileValidationEnabled;
use rectify_tests::services::Services;

use super::{ALONE, model_and_reality_agree, target};

#[tokio::test]
async fn validation_of_a_trail_is_as_expected_and_turned_off_again() {
    let sdk = Services::default().sdk(ALONE);
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    let here = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(ALONE.into()).build();
    s3.create_bucket().bucket("model-logs").create_bucket_configuration(here).send().await.unwrap();
    let trails = aws_sdk_cloudtrail::Client::new(&sdk);
    let create = trails.create_trail().name("model").s3_bucket_name("model-logs").s3_key_prefix("audit");
    create.is_multi_region_trail(true).send().await.unwrap();

    type Trails = CloudTrailLogFileValidationEnabled;
    let (target, params) = (target::<Trails>(ALONE, "model"), Default::default());
    let calls = model_and_reality_agree::<Trails, rectify_cloudtrail::client::Clients>(&sdk, &target, &params).await;
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].starts_with("UpdateTrail {") && !calls[0].contains("S3"), "{calls:?}");
}
