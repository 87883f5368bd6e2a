//! Answers of a real service that get lost, through its own SDK client: a change that was made is known and can be undone.

use std::sync::atomic::Ordering;

use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Region, ResourceKey, Target, Timestamp};
use rectify_rds::controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
use rectify_rds_lambda::Clients;
use rectify_runtime::config_service::ConfigService;
use rectify_runtime::deadline::Deadline;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{Attempt, Ledger, Outcome, ResourcePath};
use rectify_runtime::remediation::undo::{UndoRequest, Undone, undo};
use rectify_runtime::remediation::{Delivery, RemediationContext, deployed, handle, undoable};
use rectify_runtime::settings::{Environment, FunctionSettings, RemediationSettings};
use rectify_tests::emulator::{ACCOUNT, REGION, Surroundings, endpoint, http, sdk_over};
use rectify_tests::events::finding;
use rectify_tests::lost::{Hears, losing};
use rectify_tests::replay::{Answer, Replay};
use serde_json::{Value, json};

const RECORDED: &str = "2026-03-04T05:06:08.900Z";
const INSTANCE: &str = "AWS::RDS::DBInstance";

/// A database in moto without deletion protection, as AWS Config names it.
async fn database(sdk: &SdkConfig, name: &str) -> Target {
    let create = aws_sdk_rds::Client::new(sdk).create_db_instance().db_instance_identifier(name).engine("postgres");
    let create = create.db_instance_class("db.m6g.large").allocated_storage(20).master_username("root");
    let created = create.master_user_password("not a secret").send().await.unwrap().db_instance.unwrap();
    Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new(REGION),
        resource: ResourceKey::new(INSTANCE, created.dbi_resource_id.unwrap()),
        name: Some(name.to_owned()),
        arn: None,
    }
}

/// AWS Config, which knows the database's name, as often as it is asked.
fn config(target: &Target) -> ConfigService {
    let known = json!({"configurationItems": [{
        "accountId": ACCOUNT, "configurationItemCaptureTime": 1.5, "configurationItemStatus": "OK",
        "resourceType": INSTANCE, "resourceId": target.resource.id, "resourceName": target.name, "awsRegion": REGION,
        "configuration": "{}"
    }]});
    ConfigService::new(&Replay::of((0..8).map(|_| Answer::ok(&known))).sdk(REGION))
}

fn event(target: &Target) -> Value {
    let mut event = finding(&target.resource.id, RECORDED);
    event["detail"]["resourceType"] = json!(INSTANCE);
    event["detail"]["configRuleName"] = json!("rectify-rds");
    let qualifier =
        &mut event["detail"]["newEvaluationResult"]["evaluationResultIdentifier"]["evaluationResultQualifier"];
    qualifier["resourceType"] = json!(INSTANCE);
    qualifier["configRuleName"] = json!("rectify-rds");
    event
}

fn settings(around: &Surroundings) -> Environment {
    Environment::of([
        ("AWS_REGION", REGION),
        ("MODE", "enforce"),
        ("EXEMPTIONS", "ledger"),
        ("BUDGET_SHARE_PERCENT", "100"),
        ("RULE_NAMES", "rectify-rds"),
        ("LEDGER_TABLE", &around.name),
        ("EVENT_BUS", &around.name),
    ])
}

/// Delivers the finding to a function that hears this of its calls, until a delivery ends well, and undoes what it did.
async fn is_known_and_undone(name: &str, script: &'static [Hears], tries: u32, seconds: i64, requests: usize) {
    let around = Surroundings::create().await;
    let target = database(&around.sdk, name).await;
    let (http, met) = losing(http(), "Action=ModifyDBInstance&", script);
    let sdk = sdk_over(endpoint(), http);
    let sdk = sdk.to_builder().retry_config(RetryConfig::standard().with_max_attempts(tries)).build();
    let environment = settings(&around);
    let function = FunctionSettings::read(&environment).unwrap();
    let control = &RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
    let mut shell = RemediationContext::over(
        deployed::<_, Clients>(control),
        &sdk,
        function,
        RemediationSettings::read(&environment).unwrap(),
    );
    shell.config = config(&target);
    let mut outcomes = Vec::new();
    for number in 1..=3 {
        let delivery = Delivery {
            owner: format!("worker-{number}"),
            account: Some(AccountId::new(ACCOUNT)),
            deadline: Timestamp::now() + jiff::SignedDuration::from_secs(seconds),
            reads_until: Deadline::after(std::time::Duration::from_secs(60)),
        };
        let mut line = Invocation::start("rds", &delivery.owner);
        let result = handle(&shell, &event(&target), &delivery, &mut line).await;
        outcomes.push(
            result.as_ref().map_or_else(rectify_runtime::Error::kind, rectify_runtime::remediation::Disposition::name),
        );
        if result.is_ok() {
            break;
        }
    }
    let ledger = Ledger::new(&around.sdk, &around.name);
    let attempts: Vec<Attempt> =
        ledger.attempts(&ResourcePath::of(&target), RDS_INSTANCE_DELETION_PROTECTION_ENABLED.meta.id).await.unwrap();
    let [attempt] = attempts.as_slice() else { panic!("{name}: {outcomes:?}: {attempts:#?}") };
    assert!(is_protected(&around.sdk, name).await, "{name}: {outcomes:?}");
    assert_eq!((attempt.outcome, attempt.done().count()), (Some(Outcome::Verified), 1), "{name}: {outcomes:?}");
    assert_eq!(met.load(Ordering::SeqCst), requests, "{name}: {outcomes:?}: requests");
    assert_eq!(around.budget_used().await, 1, "{name}: {outcomes:?}");

    let undoable = undoable::<_, Clients>(control);
    let pool = undoable.pool(&around.sdk, &Region::new(REGION));
    let request = UndoRequest { attempt: attempt.id.clone(), by: "jane".to_owned(), hold_days: 7, overwrite: false };
    let undone = undo(&undoable, &ledger, &pool, &target.account, &request).await.unwrap();
    assert!(matches!(undone, Undone::Restored { .. }), "{name}: {undone:?}");
    assert!(!is_protected(&around.sdk, name).await, "{name}");
}

async fn is_protected(sdk: &SdkConfig, name: &str) -> bool {
    let call = aws_sdk_rds::Client::new(sdk).describe_db_instances().db_instance_identifier(name);
    call.send().await.unwrap().db_instances.unwrap()[0].deletion_protection.unwrap()
}

/// The first request makes RDS modify the instance, and its answer is lost; a second one would be refused because of it.
#[tokio::test]
async fn change_whose_answer_was_lost_is_known_whatever_a_second_request_would_hear() {
    let script = &[Hears::Nothing, Hears::InjectedError(400, "InvalidDBInstanceState")];
    is_known_and_undone("lost-answer", script, 4, 60, 1).await;
    is_known_and_undone("lost-answer-in-a-hurry", script, 4, 10, 1).await;
}

/// The name of an error of the service is one nobody listed; its status is not.
#[tokio::test]
async fn change_that_was_answered_with_a_5xx_of_any_name_is_known() {
    is_known_and_undone("unknown-name", &[Hears::Error(500, "ServiceFailure")], 1, 10, 1).await;
}

/// RDS says that it is busy, which may be with what was sent.
#[tokio::test]
async fn change_that_was_answered_as_being_in_progress_is_known() {
    is_known_and_undone("busy", &[Hears::Error(400, "InvalidDBInstanceState")], 1, 10, 1).await;
    is_known_and_undone("really-busy", &[Hears::InjectedError(400, "InvalidDBInstanceState")], 1, 60, 2).await;
}
