//! KMS keys. moto 5.2.5 lacks rotation periods, so a shorter one runs against replayed answers of KMS.

use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;
use rectify_kms::controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED;
use rectify_tests::emulator::sdk_over;
use rectify_tests::services::Services;
use serde_json::{Value, json};

use super::{SEPARATE, assert_model_conforms, target};

type Clients = rectify_kms_lambda::Clients;

#[tokio::test]
async fn rotation_conforms() {
    let sdk = Services::default().sdk(SEPARATE);
    let tag = aws_sdk_kms::types::Tag::builder().tag_key("team").tag_value("pay").build().unwrap();
    let create = aws_sdk_kms::Client::new(&sdk).create_key().tags(tag);
    let id = create.send().await.unwrap().key_metadata.unwrap().key_id;
    let (target, params) = (target(&CMK_BACKING_KEY_ROTATION_ENABLED, SEPARATE, &id), Default::default());
    let calls = assert_model_conforms::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &sdk, &target, &params).await;
    assert_eq!(calls, [format!("EnableKeyRotation {{\"KeyId\":\"{id}\"}}")]);
}

const ID: &str = "5b0f4b3e-6a0c-4a3b-9a38-2f6b1d0e7c55";

/// The answers to a live read of the key while its rotation period is `days`: key, rotation, tags.
fn read_while(days: u32) -> [Value; 3] {
    [
        json!({"KeyMetadata": {
            "KeyId": ID, "Arn": format!("arn:aws:kms:{SEPARATE}:111122223333:key/{ID}"), "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", "KeyState": "Enabled", "MultiRegion": false
        }}),
        json!({"KeyId": ID, "KeyRotationEnabled": true, "RotationPeriodInDays": days}),
        json!({"Tags": [], "Truncated": false}),
    ]
}

/// `cmk-backing-key-rotation-enabled/7`
#[tokio::test]
async fn shorter_rotation_period_conforms() {
    let mut answers = read_while(730).to_vec();
    for _again in 0..2 {
        answers.push(json!({}));
        answers.extend(read_while(365));
    }
    answers.extend([json!({}), json!({})]);
    answers.extend(read_while(730));
    let event = |body: Value| {
        let request = http::Request::builder().uri("https://localhost/").body(SdkBody::empty()).unwrap();
        ReplayEvent::new(request, http::Response::builder().status(200).body(body.to_string().into()).unwrap())
    };
    let replay = StaticReplayClient::new(answers.into_iter().map(event).collect());
    let sdk = sdk_over("https://localhost", SharedHttpClient::new(replay.clone()));
    let target = target(&CMK_BACKING_KEY_ROTATION_ENABLED, SEPARATE, ID);
    let params = serde_json::from_value(json!({"maxRotationPeriodInDays": "365"})).unwrap();
    let calls = assert_model_conforms::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &sdk, &target, &params).await;
    assert_eq!(calls, [format!("EnableKeyRotation {{\"KeyId\":\"{ID}\",\"RotationPeriodInDays\":365}}")]);

    let sent: Vec<Value> = replay
        .actual_requests()
        .filter(|request| request.headers().get("x-amz-target") == Some("TrentService.EnableKeyRotation"))
        .map(|request| serde_json::from_slice(request.body().bytes().unwrap()).unwrap())
        .collect();
    let enable = |days: u32| json!({"KeyId": ID, "RotationPeriodInDays": days});
    assert_eq!(sent, [enable(365), enable(365), enable(730), enable(730)]);
}
