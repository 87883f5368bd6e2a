//! The program of a service, which is deployed, answers like the separate program of each of its functions.

use std::collections::BTreeMap;
use std::time::Duration;

use rectify_local::host::{FunctionError, FunctionSpec, Host, HostSettings};
use rectify_runtime::serve::FUNCTION;
use rectify_tests::binaries::{self, SAMPLE};
use serde_json::{Value, json};

/// The answers of a function in `program` to each event.
async fn answers(program: &str, function: &str, events: &[Value]) -> Vec<Result<Value, FunctionError>> {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start(HostSettings::new("us-east-1", folder.path().join("logs"))).await.unwrap();
    let name = format!("rectify-{function}");
    let variables = [
        (FUNCTION, function),
        ("MODE", "plan"),
        ("LEDGER_TABLE", "rectify-Ledger"),
        ("RULE_NAMES", "rectify-*"),
        ("PARAMETERS", "{}"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ];
    host.deploy(FunctionSpec {
        name: name.clone(),
        arn: format!("arn:aws:lambda:us-east-1:111122223333:function:{name}"),
        binary: binaries::folder().join(program),
        environment: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        timeout: Duration::from_secs(60),
        memory: 256,
        retries: 0,
    })
    .unwrap();
    let mut answers = Vec::new();
    for event in events {
        answers.push(host.invoke(&name, event).await);
    }
    answers
}

/// Events that a function answers without a call to AWS; the first is an event of the control with an unknown
/// parameter.
fn events(id: &str) -> Vec<Value> {
    let folder = binaries::root().join("events").join(id);
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let first = names.iter().find(|name| name.to_string_lossy().starts_with("compliant-")).unwrap();
    let mut unknown: Value = serde_json::from_slice(&std::fs::read(folder.join(first)).unwrap()).unwrap();
    unknown["ruleParameters"] = json!(r#"{"noSuchParameter": "1"}"#);
    vec![unknown, json!({}), json!({"source": "aws.config", "detail-type": "another", "detail": {}})]
}

#[tokio::test(flavor = "multi_thread")]
async fn program_of_a_service_answers_like_those_of_its_functions() {
    let mut seen = BTreeMap::<String, usize>::new();
    for id in SAMPLE {
        let service = rectify_catalogue::service(rectify_catalogue::find(id).unwrap());
        let events = events(id);
        for function in [id.to_owned(), format!("{id}-remediation")] {
            let own = answers(&function, &function, &events).await;
            let shared = answers(&format!("{service}-functions"), &function, &events).await;
            assert_eq!(own, shared, "{function}");
            for answer in own {
                *seen.entry(answer.map_or_else(|error| error.error_type, |value| value.to_string())).or_default() += 1;
            }
        }
    }
    assert!(seen.contains_key("InvalidParameter") && seen.len() > 2, "{seen:?}");
}
