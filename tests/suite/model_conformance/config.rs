//! The recorder of AWS Config, against the local engine.

use aws_sdk_config::types;
use aws_types::SdkConfig;
use jiff::{SignedDuration, Timestamp};
use rectify_compliance::{Control, Verdict};
use rectify_config::controls::config_recorder_healthy::{CONFIG_RECORDER_HEALTHY, ConfigRecorderHealthy};
use rectify_config_lambda::Clients;
use rectify_local::engine::{Engine, EngineOutputs, EngineSettings};
use rectify_runtime::client::Connect;
use rectify_tests::emulator::{ACCOUNT, REGION, sdk_at};

use super::{apply_and_undo, live, target};

/// AWS Config alone, with an SDK configuration for it; served until the runtime ends.
async fn aws_config() -> (Engine, EngineOutputs, SdkConfig) {
    let settings =
        EngineSettings { account: ACCOUNT.to_owned(), region: REGION.to_owned(), partition: "aws".to_owned() };
    let (engine, outputs) = Engine::new(settings);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(engine.clone().serve(listener));
    (engine, outputs, sdk_at(&endpoint))
}

async fn verdict(sdk: &SdkConfig) -> Verdict {
    let target = target(&CONFIG_RECORDER_HEALTHY, REGION, ACCOUNT);
    let params = Default::default();
    let recording = live::<_, Clients>(&CONFIG_RECORDER_HEALTHY, &Clients::connect(sdk), &target, &params).await;
    ConfigRecorderHealthy.evaluate(&recording, &params, Timestamp::now())
}

#[tokio::test]
async fn start_of_the_recorder_conforms() {
    let (engine, _outputs, sdk) = aws_config().await;
    engine.stop_recorder(Timestamp::now() - SignedDuration::from_hours(25));
    let target = target(&CONFIG_RECORDER_HEALTHY, REGION, ACCOUNT);
    let params = Default::default();
    let now = Timestamp::now();
    let (actions, mut after) =
        apply_and_undo::<_, Clients>(&CONFIG_RECORDER_HEALTHY, &sdk, &target, &params, now).await;
    let calls: Vec<String> = actions.iter().map(rectify_compliance::plan::call_text).collect();
    assert_eq!(calls, [r#"StartConfigurationRecorder {"ConfigurationRecorderName":"default"}"#]);
    assert!(!engine.is_recording());
    // The model cannot predict the start time that AWS Config sets.
    after.recorder.as_mut().unwrap().status.started = Some(now);
    assert!(ConfigRecorderHealthy.evaluate(&after, &params, now).is_compliant(), "{after:#?}");
}

/// Types, frequency and topic are read as they were put.
#[tokio::test]
async fn settings_are_read_as_they_were_put() {
    let (_engine, _outputs, sdk) = aws_config().await;
    assert_eq!(verdict(&sdk).await, Verdict::COMPLIANT, "healthy by default");

    let config = aws_sdk_config::Client::new(&sdk);
    let excluded = types::ExclusionByResourceTypes::builder().resource_types(types::ResourceType::Bucket).build();
    let strategy =
        types::RecordingStrategy::builder().use_only(types::RecordingStrategyType::ExclusionByResourceTypes).build();
    let group = types::RecordingGroup::builder().exclusion_by_resource_types(excluded).recording_strategy(strategy);
    let recorder = types::ConfigurationRecorder::builder()
        .name("default")
        .role_arn(format!("arn:aws:iam::{ACCOUNT}:role/config"))
        .recording_group(group.build());
    config.put_configuration_recorder().configuration_recorder(recorder.build()).send().await.unwrap();
    let channel = types::DeliveryChannel::builder().name("default").s3_bucket_name("config-delivery").build();
    config.put_delivery_channel().delivery_channel(channel).send().await.unwrap();
    let finding = "Recorder default: types excluded: AWS::S3::Bucket; delivery: no SNS topic";
    assert_eq!(verdict(&sdk).await, Verdict::non_compliant(finding));
}
