//! The local Lambda host against a function that fails in every way a process can.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rectify_local::host::{FunctionError, FunctionSpec, Host, HostError, HostSettings};
use serde_json::{Value, json};

const FUNCTION: &str = "rectify-misbehaving";
const ARN: &str = "arn:aws:lambda:us-east-1:111122223333:function:rectify-misbehaving";

fn spec() -> FunctionSpec {
    FunctionSpec {
        name: FUNCTION.to_owned(),
        arn: ARN.to_owned(),
        binary: PathBuf::from(env!("CARGO_BIN_EXE_misbehaving-function")),
        environment: BTreeMap::from([("MODE".to_owned(), "plan".to_owned())]),
        timeout: Duration::from_secs(30),
        memory: 256,
        retries: 2,
    }
}

fn settings(folder: &Path) -> HostSettings {
    let mut settings = HostSettings::new("us-east-1", folder.join("logs"));
    settings.environment.insert("AWS_ENDPOINT_URL".to_owned(), "http://127.0.0.1:9".to_owned());
    settings.retry_waits = [Duration::from_millis(5), Duration::from_millis(10)];
    settings
}

async fn host_with(folder: &Path, spec: FunctionSpec) -> Host {
    let host = Host::start(settings(folder)).await.unwrap();
    host.deploy(spec).unwrap();
    host
}

async fn process(host: &Host) -> u64 {
    host.invoke(FUNCTION, &json!({ "do": "report" })).await.unwrap()["process"].as_u64().unwrap()
}

/// Waits for a condition that follows an answer shortly after; the timeout matters only if the test fails.
async fn eventually(condition: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{condition}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn function_is_started_once_with_the_environment_of_lambda() {
    let folder = tempfile::tempdir().unwrap();
    let host = host_with(folder.path(), spec()).await;
    let report = host.invoke(FUNCTION, &json!({ "do": "report" })).await.unwrap();
    let environment = &report["environment"];
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", FUNCTION),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/rectify-misbehaving"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", &spec().access_key()),
        ("MODE", "plan"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    assert_eq!(environment.get("CARGO_MANIFEST_DIR"), None, "the host's environment is not inherited");
    assert_eq!(report["arn"], ARN);
    assert_eq!(process(&host).await, report["process"].as_u64().unwrap(), "the second event reuses the warm process");
}

#[tokio::test]
async fn answers_and_errors_come_back_as_the_function_gave_them() {
    let folder = tempfile::tempdir().unwrap();
    let host = host_with(folder.path(), spec()).await;
    let event = json!({ "do": "echo", "text": "é", "list": [1, null] });
    assert_eq!(host.invoke(FUNCTION, &event).await, Ok(event));
    let failure = host.invoke(FUNCTION, &json!({ "do": "fail" })).await;
    assert_eq!(failure, Err(FunctionError { error_type: "Misbehavior".to_owned(), message: "as ordered".to_owned() }));
    let panicked = host.invoke(FUNCTION, &json!({ "do": "panic" })).await.unwrap_err();
    assert!(panicked.message.contains("as ordered"), "{panicked}");
}

#[tokio::test]
async fn crash_fails_its_event_and_the_next_one_gets_a_new_process() {
    let folder = tempfile::tempdir().unwrap();
    let host = host_with(folder.path(), spec()).await;
    let before = process(&host).await;
    let crash = host.invoke(FUNCTION, &json!({ "do": "end", "status": 7 })).await.unwrap_err();
    assert_eq!(crash.error_type, "Runtime.ExitError");
    assert!(crash.message.ends_with("Error: Runtime exited with error: exit status 7"), "{crash}");
    assert_ne!(process(&host).await, before);
}

#[tokio::test]
async fn timeout_ends_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let host = host_with(folder.path(), FunctionSpec { timeout: Duration::from_millis(300), ..spec() }).await;
    let before = process(&host).await;
    let late = host.invoke(FUNCTION, &json!({ "do": "wait", "ms": 60_000 })).await.unwrap_err();
    assert_eq!(late.error_type, "Sandbox.Timedout");
    assert!(late.message.ends_with("Error: Task timed out after 0.30 seconds"), "{late}");
    assert_ne!(process(&host).await, before);
}

#[tokio::test]
async fn process_that_never_polls_for_an_event_times_out() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(HostSettings { init_timeout: Duration::from_millis(200), ..settings(folder.path()) })
        .await
        .unwrap();
    let started_with =
        |name: &str| FunctionSpec { environment: BTreeMap::from([(name.to_owned(), "1".to_owned())]), ..spec() };
    host.deploy(started_with("HANG_AT_START")).unwrap();
    let hung = host.invoke(FUNCTION, &json!({ "do": "echo" })).await.unwrap_err();
    assert!(hung.message.ends_with("Error: Init timed out after 0.20 seconds"), "{hung}");
}

#[tokio::test]
async fn process_that_exits_at_its_start_reports_its_status() {
    let folder = tempfile::tempdir().unwrap();
    let host = host_with(
        folder.path(),
        FunctionSpec { environment: BTreeMap::from([("END_AT_START".to_owned(), "1".to_owned())]), ..spec() },
    )
    .await;
    let ended = host.invoke(FUNCTION, &json!({ "do": "echo" })).await.unwrap_err();
    assert!(ended.message.ends_with("Runtime exited with error: exit status 4"), "{ended}");
}

#[tokio::test]
async fn function_runs_as_many_instances_as_configured() {
    let folder = tempfile::tempdir().unwrap();
    for (instances, different) in [(1, false), (2, true)] {
        let host = Host::start(HostSettings { instances, ..settings(folder.path()) }).await.unwrap();
        host.deploy(spec()).unwrap();
        let wait = json!({ "do": "wait", "ms": 400 });
        let (first, second) = tokio::join!(host.invoke(FUNCTION, &wait), host.invoke(FUNCTION, &wait));
        assert_eq!(first.unwrap() != second.unwrap(), different, "{instances} instances");
    }
}

#[tokio::test]
async fn asynchronous_event_is_tried_three_times_and_then_dead_lettered() {
    let folder = tempfile::tempdir().unwrap();
    let host = host_with(folder.path(), spec()).await;
    let event = json!({ "do": "fail" });
    host.enqueue(FUNCTION, event.clone()).unwrap();
    host.enqueue(FUNCTION, json!({ "do": "echo" })).unwrap();
    assert_eq!(host.pending(), 2);
    eventually("both events end", || host.pending() == 0).await;
    let dead_letters = host.dead_letters();
    assert_eq!(dead_letters.len(), 1, "{dead_letters:?}");
    let dead_letter = &dead_letters[0];
    assert_eq!((dead_letter.function.as_str(), &dead_letter.payload, dead_letter.attempts), (FUNCTION, &event, 3));
    assert_eq!(dead_letter.record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(dead_letter.record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(
        dead_letter.record["responsePayload"],
        json!({ "errorType": "Misbehavior", "errorMessage": "as ordered" })
    );
}

#[tokio::test]
async fn function_deployed_without_retries_is_tried_once() {
    let folder = tempfile::tempdir().unwrap();
    let host = host_with(folder.path(), FunctionSpec { retries: 0, ..spec() }).await;
    host.enqueue(FUNCTION, json!({ "do": "end", "status": 1 })).unwrap();
    eventually("the event ends", || host.pending() == 0).await;
    assert_eq!(host.dead_letters().iter().map(|dead_letter| dead_letter.attempts).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn output_is_kept_and_written_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let host = host_with(folder.path(), spec()).await;
    host.invoke(FUNCTION, &json!({ "do": "write", "text": "a line" })).await.unwrap();
    eventually("the line arrives", || host.logs(FUNCTION) == ["a line"]).await;
    assert_eq!(std::fs::read_to_string(folder.path().join("logs/rectify-misbehaving.log")).unwrap(), "a line\n");
}

#[tokio::test]
async fn function_that_is_not_deployed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(settings(folder.path())).await.unwrap();
    let unknown = host.invoke("rectify-absent", &Value::Null).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "ResourceNotFoundException: lambda host: function `rectify-absent` is not deployed"
    );
    assert!(matches!(host.enqueue("rectify-absent", Value::Null), Err(HostError::Unknown(_))));
    let missing = host.deploy(FunctionSpec { binary: folder.path().join("absent"), ..spec() });
    assert!(matches!(missing, Err(HostError::Binary { .. })), "{missing:?}");
}
