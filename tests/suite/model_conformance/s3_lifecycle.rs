//! Lifecycle configurations. moto 5.2.5 drops object sizes in a filter and `NewerNoncurrentVersions`, ignores the
//! default minimum object size, and lacks newer elements: tests of these run against replayed answers of S3.

use aws_sdk_s3::types;
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;
use rectify_compliance::{Plan, Remediation, Timestamp};
use rectify_runtime::client::{Connect, Fix};
use rectify_s3::{S3_LIFECYCLE_LOG_ARCHIVE, S3LifecycleLogArchive};
use rectify_s3_lambda::Clients;
use rectify_tests::emulator::sdk_over;
use rectify_tests::services::Services;
use serde_json::json;

use super::{assert_model_conforms, live, target};

/// Parameters that select every bucket.
fn params() -> <S3LifecycleLogArchive as rectify_compliance::Control>::Params {
    serde_json::from_value(json!({"bucketNames": "*"})).unwrap()
}

/// Creates a bucket with these rules, if any, and checks the fix of its lifecycle and its undo.
async fn fix_and_undo(name: &str, rules: Vec<types::builders::LifecycleRuleBuilder>) -> Vec<String> {
    let sdk = Services::default().sdk("us-east-1");
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true).build());
    s3.create_bucket().bucket(name).send().await.unwrap();
    if !rules.is_empty() {
        let rules = rules.into_iter().map(|rule| rule.status(types::ExpirationStatus::Enabled).build().unwrap());
        let rules = types::BucketLifecycleConfiguration::builder().set_rules(Some(rules.collect())).build().unwrap();
        s3.put_bucket_lifecycle_configuration().bucket(name).lifecycle_configuration(rules).send().await.unwrap();
    }
    let target = target(&S3_LIFECYCLE_LOG_ARCHIVE, "us-east-1", name);
    assert_model_conforms::<_, Clients>(&S3_LIFECYCLE_LOG_ARCHIVE, &sdk, &target, &params()).await
}

fn rule(id: &str) -> types::builders::LifecycleRuleBuilder {
    types::LifecycleRule::builder().id(id)
}

#[tokio::test]
async fn lifecycle_of_a_bucket_without_one_conforms() {
    let calls = fix_and_undo("model-no-lifecycle", vec![]).await;
    assert!(calls.len() == 1 && calls[0].starts_with("PutBucketLifecycleConfiguration {"), "{calls:?}");
}

#[tokio::test]
async fn rule_appended_to_existing_rules_conforms() {
    let filter = types::LifecycleRuleFilter::builder;
    let tag = |key: &str| types::Tag::builder().key(key).value("v").build().unwrap();
    let and = types::LifecycleRuleAndOperator::builder().prefix("x/").tags(tag("k")).tags(tag("l")).build();
    let expiration = types::LifecycleExpiration::builder;
    let transition = types::Transition::builder().days(30).storage_class(types::TransitionStorageClass::StandardIa);
    let noncurrent = types::NoncurrentVersionTransition::builder().noncurrent_days(30).newer_noncurrent_versions(2);
    let noncurrent = noncurrent.storage_class(types::TransitionStorageClass::StandardIa).build();
    let gone = types::NoncurrentVersionExpiration::builder().noncurrent_days(400).build();
    let rules = vec![
        rule("and").filter(filter().and(and).build()).expiration(expiration().days(400).build()),
        rule("tag").filter(filter().tag(tag("k")).build()).noncurrent_version_transitions(noncurrent),
        rule("prefix").filter(filter().prefix("y/").build()).transitions(transition.build()),
        rule("empty").filter(filter().build()).noncurrent_version_expiration(gone),
        rule("markers").filter(filter().build()).expiration(expiration().expired_object_delete_marker(true).build()),
    ];
    let calls = fix_and_undo("model-lifecycle", rules).await;
    assert!(calls.len() == 1 && calls[0].contains("\"ID\":\"s3-lifecycle-log-archive\""), "{calls:?}");
}

#[tokio::test]
#[allow(deprecated)] // The test is about the older form.
async fn rule_is_added_in_the_older_form_if_the_others_have_it() {
    let old = rule("old").prefix("").expiration(types::LifecycleExpiration::builder().days(400).build());
    let calls = fix_and_undo("model-old-lifecycle", vec![old]).await;
    assert!(!calls[0].contains("Filter"), "{calls:?}");
}

const ANSWER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
    <Rule><ID>sizes</ID><Filter><And><Prefix>x/</Prefix><ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>\
    <ObjectSizeLessThan>9</ObjectSizeLessThan></And></Filter><Status>Enabled</Status><NoncurrentVersionExpiration>\
    <NoncurrentDays>400</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions>\
    </NoncurrentVersionExpiration></Rule><Rule><ID>small</ID><Filter><ObjectSizeLessThan>5</ObjectSizeLessThan></Filter>\
    <Status>Disabled</Status><Transition><Date>2030-01-01T00:00:00Z</Date><StorageClass>COLDEST</StorageClass></Transition>\
    EXTRA</Rule></LifecycleConfiguration>";

/// An S3 that answers a live read with this lifecycle, and every later call with success.
fn replay(lifecycle: &str) -> StaticReplayClient {
    let event = |body: &str| {
        let request = http::Request::builder().uri("https://localhost/").body(SdkBody::empty()).unwrap();
        let answer =
            http::Response::builder().header("x-amz-transition-default-minimum-object-size", "varies_by_storage_class");
        ReplayEvent::new(request, answer.status(200).body(SdkBody::from(body)).unwrap())
    };
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let tagging = "<Tagging><TagSet/></Tagging>";
    StaticReplayClient::new([lifecycle, versioning, tagging, "", ""].map(event).into_iter().collect())
}

#[tokio::test]
async fn fields_that_moto_drops_are_sent_as_read() {
    let replay = replay(&ANSWER.replace("EXTRA", ""));
    let clients = Clients::connect(&sdk_over("https://localhost", SharedHttpClient::new(replay.clone())));
    let target = target(&S3_LIFECYCLE_LOG_ARCHIVE, "us-east-1", "logs");
    let before = live::<_, _>(&S3_LIFECYCLE_LOG_ARCHIVE, &clients, &target, &params()).await;
    let plan = S3LifecycleLogArchive.plan(&before, &params(), Timestamp::now());
    assert!(matches!(plan, Plan::Apply { .. }), "{plan:?}");
    let action = plan.calls()[0].clone();
    S3LifecycleLogArchive.apply(&clients, &target, &action).await.unwrap();
    for undo in S3LifecycleLogArchive.undo(&before, &[action]).unwrap() {
        S3LifecycleLogArchive.revert(&clients, &target, &undo).await.unwrap();
    }
    let puts: Vec<_> = replay.actual_requests().skip(3).collect();
    assert_eq!(puts.len(), 2);
    for (number, put) in puts.into_iter().enumerate() {
        let body = std::str::from_utf8(put.body().bytes().unwrap()).unwrap();
        for kept in [
            "<ObjectSizeGreaterThan>1</ObjectSizeGreaterThan>",
            "<ObjectSizeLessThan>9</ObjectSizeLessThan>",
            "<NewerNoncurrentVersions>3</NewerNoncurrentVersions>",
            "<Filter><ObjectSizeLessThan>5</ObjectSizeLessThan></Filter>",
            "<Date>2030-01-01T00:00:00Z</Date>",
            "<StorageClass>COLDEST</StorageClass>",
        ] {
            assert!(body.contains(kept), "{kept}: {body}");
        }
        assert_eq!(body.contains("s3-lifecycle-log-archive"), number == 0, "{body}");
        let minimum = put.headers().get("x-amz-transition-default-minimum-object-size");
        assert_eq!(minimum, Some("varies_by_storage_class"));
    }
}

#[tokio::test]
async fn element_unknown_to_the_sdk_blocks_the_plan() {
    let replay = replay(&ANSWER.replace("EXTRA", "<Pause><Days>3</Days></Pause>"));
    let clients = Clients::connect(&sdk_over("https://localhost", SharedHttpClient::new(replay)));
    let before = live::<_, _>(
        &S3_LIFECYCLE_LOG_ARCHIVE,
        &clients,
        &target(&S3_LIFECYCLE_LOG_ARCHIVE, "us-east-1", "logs"),
        &params(),
    )
    .await;
    let plan = S3LifecycleLogArchive.plan(&before, &params(), Timestamp::now());
    let reason = "lifecycle: Pause.Days, Rule.Pause: unknown, and would be lost";
    assert!(matches!(&plan, Plan::Blocked { reason: blocked, .. } if blocked == reason), "{plan:?}");
}
