//! The local Config engine, called by boto3: a client that is built from AWS's service model alone.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_config::config::{BehaviorVersion, Region};
use aws_sdk_config::error::ProvideErrorMetadata;
use aws_sdk_config::primitives::DateTime;
use aws_sdk_config::types::{ComplianceType, Evaluation, ResourceType};
use jiff::{SignedDuration, Timestamp};
use rectify_local::engine::{ConfigRule, Engine, EngineOutputs, EngineSettings, Fault, Operation, ResourceKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

const ACCOUNT: &str = "111122223333";

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The Python that has boto3: `RECTIFY_PYTHON`, or the project's virtual environment. The test fails if neither exists.
pub(crate) fn python() -> PathBuf {
    let python =
        std::env::var_os("RECTIFY_PYTHON").map_or_else(|| workspace().join(".local/venv/bin/python"), PathBuf::from);
    assert!(python.exists(), "python: `{}`: no such file; set RECTIFY_PYTHON", python.display());
    python
}

fn bucket(name: &str, captured: Timestamp, revision: &str) -> Value {
    json!({
        "relatedEvents": [],
        "relationships": [],
        "configuration": {"name": name, "owner": {"displayName": null, "id": "0a"}, "creationDate": "2026-01-02T03:04:05.000Z"},
        "supplementaryConfiguration": {
            "AccessControlList": "{\"grantSet\":null,\"grantList\":[]}",
            "BucketPolicy": {"policyText": null},
            "IsRequesterPaysEnabled": false
        },
        "tags": {"revision": revision},
        "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": format!("{captured:.3}"),
        "configurationStateId": captured.as_millisecond(),
        "awsAccountId": ACCOUNT,
        "configurationItemStatus": "OK",
        "resourceType": "AWS::S3::Bucket",
        "resourceId": name,
        "resourceName": name,
        "ARN": format!("arn:aws:s3:::{name}"),
        "awsRegion": "us-east-1",
        "availabilityZone": "Regional",
        "configurationStateMd5Hash": "",
        "resourceCreationTime": "2026-01-02T03:04:05.000Z"
    })
}

/// Records the items and injects the faults that `FIXTURE` of the script expects.
fn fill(engine: &Engine) {
    let first: Timestamp = "2026-03-04T05:06:07.512Z".parse().unwrap();
    for number in 0..12 {
        engine.record(bucket(&format!("page-{number:02}"), first, "0")).unwrap();
    }
    for second in 0..3 {
        let captured = first + SignedDuration::from_secs(second);
        engine.record(bucket("history", captured, &second.to_string())).unwrap();
    }
    let mut gone = bucket("history", first + SignedDuration::from_secs(3), "3");
    for (field, value) in [
        ("configurationItemStatus", json!("ResourceDeleted")),
        ("configuration", Value::Null),
        ("supplementaryConfiguration", json!({})),
        ("tags", json!({})),
    ] {
        gone[field] = value;
    }
    engine.record(gone).unwrap();
    assert_eq!(engine.recorded("AWS::S3::Bucket").len(), 12);
    assert!(engine.latest(&ResourceKey::new("AWS::S3::Bucket", "history")).is_some());

    engine.inject(Operation::ListDiscoveredResources, 1, &Fault::throttling());
    engine.inject(Operation::PutEvaluations, 1, &Fault::FailedEvaluations(vec!["page-01".to_owned()]));
}

fn engine() -> (Engine, EngineOutputs) {
    Engine::new(EngineSettings {
        account: ACCOUNT.to_owned(),
        region: "us-east-1".to_owned(),
        partition: "aws".to_owned(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_reads_the_engine_as_it_reads_aws_config() {
    let (engine, EngineOutputs { mut invocations, mut changes }) = engine();
    fill(&engine);

    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(engine.clone().serve(listener));
    let mut lines = tempfile::NamedTempFile::new().unwrap();
    let path = lines.path().to_owned();
    let driver = tokio::spawn(async move {
        while let Some(invocation) = invocations.recv().await {
            writeln!(lines, "{}", invocation.event).unwrap();
        }
    });

    let script = workspace().join("tests/python/config_client.py");
    let run = Command::new(python()).arg(script).arg(&endpoint).arg(&path).kill_on_drop(true).output();
    let output =
        tokio::time::timeout(Duration::from_secs(120), run).await.expect("the script ends within 2 min").unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["operations"], Operation::ALL.len() + 1, "all operations and an unknown one: {summary}");

    let mut sent = 0;
    while changes.try_recv().is_ok() {
        sent += 1;
    }
    assert_eq!(summary["changes"], sent, "one compliance change for each transition");
    server.abort();
    driver.abort();
}

/// An SDK time in milliseconds, rounded: the wire has fractional seconds as a float, and the SDK keeps its error.
fn milliseconds(time: Option<&DateTime>) -> i128 {
    (time.unwrap().as_nanos() + 500_000) / 1_000_000
}

/// The client that every deployed function uses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rust_sdk_reads_the_answers_and_keeps_milliseconds() {
    let (engine, mut outputs) = engine();
    fill(&engine);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(engine.clone().serve(listener));
    let config = aws_types::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "testing", "testing", None, None, "test",
        )))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .build();
    let client = aws_sdk_config::Client::new(&config);

    const MILLISECOND: i128 = 1_772_600_768_512;
    let captured = DateTime::from_nanos(MILLISECOND * 1_000_000).unwrap();
    let history = client.get_resource_config_history().resource_type(ResourceType::Bucket).resource_id("history");
    let items = history.later_time(captured).limit(1).send().await.unwrap().configuration_items.unwrap();
    let [item] = items.as_slice() else { panic!("one item: {items:?}") };
    assert_eq!(milliseconds(item.configuration_item_capture_time()), MILLISECOND);

    let rule = json!({"ConfigRuleName": "buckets", "Source": {
        "Owner": "CUSTOM_LAMBDA",
        "SourceIdentifier": format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:buckets"),
        "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ScheduledNotification"}]
    }});
    engine.put_rule(ConfigRule::from_template(&rule).unwrap()).unwrap();
    let token = outputs.invocations.recv().await.unwrap().event["resultToken"].as_str().unwrap().to_owned();
    let evaluation = Evaluation::builder()
        .compliance_resource_type("AWS::S3::Bucket")
        .compliance_resource_id("page-00")
        .compliance_type(ComplianceType::NonCompliant)
        .ordering_timestamp(captured)
        .build()
        .unwrap();
    let put = |token: &str| client.put_evaluations().evaluations(evaluation.clone()).result_token(token).send();
    // The injected failure of the first call is about another resource.
    assert_eq!(put(&token).await.unwrap().failed_evaluations(), []);
    let refused = put("TESTMODE").await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidResultTokenException"));
    assert!(refused.into_service_error().is_invalid_result_token_exception());

    let details = client.get_compliance_details_by_config_rule().config_rule_name("buckets").send().await.unwrap();
    let [result] = details.evaluation_results() else { panic!("one result: {details:?}") };
    let identifier = result.evaluation_result_identifier().unwrap();
    assert_eq!(milliseconds(identifier.ordering_timestamp()), MILLISECOND);
    assert_eq!(result.compliance_type(), Some(&ComplianceType::NonCompliant));
    let change = outputs.changes.recv().await.unwrap();
    assert_eq!(
        change.detail["newEvaluationResult"]["evaluationResultIdentifier"]["orderingTimestamp"],
        "2026-03-04T05:06:08.512Z"
    );
    server.abort();
}
