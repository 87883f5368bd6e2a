//! The recorder of AWS Config, over replayed answers: the control's reads and the handler's go to the same service.

use rectify_compliance::{ResourceKey, Target};
use rectify_config::controls::config_recorder_healthy::{Action, CONFIG_RECORDER_HEALTHY, ConfigRecorderHealthy};
use rectify_config_lambda::Clients;
use rectify_runtime::CallErrorKind;
use rectify_tests::replay::{Answer, Replay};

use super::*;

/// The reads, in their order.
const READS: [&str; 4] = [
    "DescribeConfigurationRecorders",
    "DescribeConfigurationRecorderStatus",
    "DescribeDeliveryChannels",
    "DescribeDeliveryChannelStatus",
];

/// AWS Config's answers for a healthy recorder, an hour before the scheduled event.
fn healthy() -> [Value; 4] {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig");
    [
        json!({"ConfigurationRecorders": [{
            "name": "default", "roleARN": role, "recordingScope": "PAID",
            "recordingGroup": {
                "allSupported": true, "includeGlobalResourceTypes": false, "resourceTypes": [],
                "exclusionByResourceTypes": {"resourceTypes": []},
                "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}
            },
            "recordingMode": {"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []}
        }]}),
        json!({"ConfigurationRecordersStatus": [{
            "name": "default", "recording": true, "lastStatus": "SUCCESS", "lastStartTime": 1_760_000_000.5,
            "lastStatusChangeTime": 1_772_600_000.25
        }]}),
        json!({"DeliveryChannels": [{
            "name": "default", "s3BucketName": "config-delivery",
            "snsTopicARN": format!("arn:aws:sns:eu-west-1:{ACCOUNT}:config")
        }]}),
        json!({"DeliveryChannelsStatus": [{
            "name": "default", "configSnapshotDeliveryInfo": {},
            "configHistoryDeliveryInfo": {
                "lastStatus": "SUCCESS", "lastAttemptTime": 1_772_600_400.1, "lastSuccessfulTime": 1_772_600_400.1
            },
            "configStreamDeliveryInfo": {"lastStatus": "SUCCESS", "lastStatusChangeTime": 1_772_600_000.75}
        }]}),
    ]
}

fn ok(answers: &[Value]) -> Vec<Answer> {
    answers.iter().map(Answer::ok).collect()
}

/// Runs the rule on schedule over these answers, and returns its result and the requests after that for earlier results.
async fn run(reads: Vec<Answer>) -> (Result<(), Error>, Vec<(String, Value)>) {
    let results = Answer::ok(&json!({"EvaluationResults": []}));
    let replay = Replay::of([vec![results], reads, vec![Answer::stored()]].concat());
    let settings = FunctionSettings { region: Region::new("eu-west-1"), home_region: None };
    let rule = on_schedule::<_, Clients>(&CONFIG_RECORDER_HEALTHY);
    let context = RuleContext::over(rule, &replay.sdk("eu-west-1"), settings);
    let event = rule_event(&scheduled(), &json!({}), "token");
    let mut line = Invocation::start(CONFIG_RECORDER_HEALTHY.meta.id, "request");
    let result = handle(&context, &event, &invocation(), &mut line).await;
    let mut requests = replay.requests();
    assert_eq!(requests.remove(0).0, "GetComplianceDetailsByConfigRule");
    (result, requests)
}

/// The verdict and annotation of the one evaluation that was sent.
fn sent(requests: &[(String, Value)]) -> (String, Option<String>) {
    let (_, body) = requests.iter().find(|(operation, _)| operation == "PutEvaluations").unwrap();
    let [evaluation] = body["Evaluations"].as_array().unwrap().as_slice() else { panic!("one evaluation: {body}") };
    let text = |key: &str| evaluation[key].as_str().map(str::to_owned);
    assert_eq!(text("ComplianceResourceType").unwrap(), "AWS::::Account");
    (text("ComplianceType").unwrap(), text("Annotation"))
}

#[tokio::test]
async fn healthy_recorder_is_compliant_and_its_reads_are_permitted() {
    let (result, requests) = run(ok(&healthy())).await;
    result.unwrap();
    assert_eq!(sent(&requests), ("COMPLIANT".to_owned(), None));
    let operations: Vec<&str> = requests.iter().map(|(operation, _)| operation.as_str()).collect();
    assert_eq!(operations[..4], READS);
    let calls: Vec<String> = READS.iter().map(|operation| format!("config:{operation}")).collect();
    assert_permitted(&entry(&CONFIG_RECORDER_HEALTHY.meta).rule_permissions(), &calls);
}

/// `config-recorder-healthy/10`: the SDK retries a throttled call, and no other call follows it.
#[tokio::test]
async fn denied_or_throttled_read_is_an_error() {
    for (number, read) in READS.iter().enumerate() {
        for (code, kind) in [("AccessDeniedException", "AccessDenied"), ("ThrottlingException", "Throttled")] {
            let mut reads = ok(&healthy()[..number]);
            reads.extend(std::iter::repeat_n(Answer::refused(code), 20));
            let (result, requests) = run(reads).await;
            let error = result.unwrap_err();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(read), "{error}");
            let refused = &requests[number..];
            assert!(refused.iter().all(|(operation, _)| operation == read), "{requests:?}");
            assert_eq!(refused.len() == 1, kind == "AccessDenied", "{requests:?}");
        }
    }
}

/// `config-recorder-healthy/8`
#[tokio::test]
async fn missing_channel_is_a_finding_as_an_empty_list_or_an_error_code() {
    let [recorders, statuses, ..] = healthy();
    let known = || ok(&[recorders.clone(), statuses.clone()]);
    let none = [json!({"DeliveryChannels": []}), json!({"DeliveryChannelsStatus": []})];
    let refused = || Answer::refused("NoSuchDeliveryChannelException");
    for answers in [ok(&none), vec![refused(), refused()]] {
        let (result, requests) = run(known().into_iter().chain(answers).collect()).await;
        result.unwrap();
        let finding = Some("Recorder default: delivery: no channel".to_owned());
        assert_eq!(sent(&requests), ("NON_COMPLIANT".to_owned(), finding));
    }
}

/// `config-recorder-healthy/5`
#[tokio::test]
async fn recorder_of_an_aws_service_does_not_count() {
    let [mut recorders, mut statuses, channels, deliveries] = healthy();
    let name = json!("AWSConfigurationRecorderForSecurityHub");
    recorders["ConfigurationRecorders"][0]["name"] = name.clone();
    recorders["ConfigurationRecorders"][0]["servicePrincipal"] = json!("securityhub.amazonaws.com");
    recorders["ConfigurationRecorders"][0]["recordingScope"] = json!("INTERNAL");
    statuses["ConfigurationRecordersStatus"][0]["name"] = name;
    let finding = ("NON_COMPLIANT".to_owned(), Some("No configuration recorder in eu-west-1".to_owned()));
    let linked = ok(&[recorders, statuses, channels.clone(), deliveries.clone()]);
    let refused = || Answer::refused("NoSuchConfigurationRecorderException");
    let gone = [refused(), refused()].into_iter().chain(ok(&[channels, deliveries])).collect();
    for reads in [linked, gone] {
        let (result, requests) = run(reads).await;
        result.unwrap();
        assert_eq!(sent(&requests), finding);
    }
}

/// `config-recorder-healthy/7`, in upper case as AWS sends it.
#[tokio::test]
async fn failed_delivery_is_named_with_its_code() {
    let mut answers = healthy();
    let history = &mut answers[3]["DeliveryChannelsStatus"][0]["configHistoryDeliveryInfo"];
    (history["lastStatus"], history["lastErrorCode"]) = (json!("FAILURE"), json!("AccessDenied"));
    let (result, requests) = run(ok(&answers)).await;
    result.unwrap();
    let finding = Some("Recorder default: delivery: history failed: AccessDenied".to_owned());
    assert_eq!(sent(&requests), ("NON_COMPLIANT".to_owned(), finding));
}

#[tokio::test]
async fn unknown_status_is_an_error() {
    let mut answers = healthy();
    answers[1]["ConfigurationRecordersStatus"][0]["lastStatus"] = json!("DEGRADED");
    let (result, requests) = run(ok(&answers)).await;
    let error = result.unwrap_err();
    assert!(error.to_string().contains("received `DEGRADED`"), "{error}");
    assert!(requests.iter().all(|(operation, _)| operation != "PutEvaluations"), "{requests:?}");
}

/// The client returns the refusal and does not retry it: the handler decides what follows.
#[tokio::test]
async fn action_returns_the_refusal_of_a_start() {
    let target = Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::account(&AccountId::new(ACCOUNT)),
        name: None,
        arn: None,
    };
    let start = Action::StartConfigurationRecorder { configuration_recorder_name: "default".to_owned() };
    for (code, kind) in [
        ("UnmodifiableEntityException", CallErrorKind::Rejected),
        ("NoAvailableDeliveryChannelException", CallErrorKind::Rejected),
        ("AccessDeniedException", CallErrorKind::AccessDenied),
    ] {
        let replay = Replay::of([Answer::refused(code)]);
        let clients = Clients::connect(&replay.sdk(REGION));
        let error = ConfigRecorderHealthy.apply(&clients, &target, &start).await.unwrap_err();
        assert_eq!((error.code(), error.kind()), (Some(code), Some(kind)));
        let body = json!({"ConfigurationRecorderName": "default"});
        assert_eq!(replay.requests(), [("StartConfigurationRecorder".to_owned(), body)]);
    }
    assert_permitted(
        &entry(&CONFIG_RECORDER_HEALTHY.meta).remediation_permissions(),
        &["config:StartConfigurationRecorder".to_owned()],
    );
}
