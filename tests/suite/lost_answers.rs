//! Lost answers of a real service, through its own SDK client: a change that took effect is recorded and can be undone.

use std::sync::atomic::Ordering;

use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Region, ResourceKey, Target, Timestamp};
use rectify_rds::controls::rds_instance_deletion_protection_enabled::RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
use rectify_rds_lambda::Clients;
use rectify_runtime::clients::Pool;
use rectify_runtime::config_service::ConfigService;
use rectify_runtime::deadline::Deadline;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::ledger::{Attempt, Ledger, Outcome, ResourcePath};
use rectify_runtime::remediation::undo::{UndoRequest, Undone, undo};
use rectify_runtime::remediation::{Delivery, RemediationContext, deployed, handle, undoable};
use rectify_runtime::settings::{Environment, FunctionSettings, RemediationSettings};
use rectify_tests::emulator::{ACCOUNT, REGION, Sandbox, endpoint, http, sdk_over};
use rectify_tests::events::finding;
use rectify_tests::lost::{Reply, lossy};
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

/// AWS Config, which returns the database's name on every call.
fn config(target: &Target) -> Pool<ConfigService> {
    let history = json!({"configurationItems": [{
        "accountId": ACCOUNT, "configurationItemCaptureTime": 1.5, "configurationItemStatus": "OK",
        "resourceType": INSTANCE, "resourceId": target.resource.id, "resourceName": target.name, "awsRegion": REGION,
        "configuration": "{}"
    }]});
    ConfigService::pool(&Replay::of((0..8).map(|_| Answer::ok(&history))).sdk(REGION), &Region::new(REGION))
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

fn settings(sandbox: &Sandbox) -> Environment {
    Environment::of([
        ("AWS_REGION", REGION),
        ("MODE", "enforce"),
        ("EXEMPTIONS", "ledger"),
        ("MAX_FIXES_PERCENT", "100"),
        ("RULE_NAMES", "rectify-rds"),
        ("LEDGER_TABLE", &sandbox.name),
        ("EVENT_BUS", &sandbox.name),
    ])
}

/// Delivers the finding until a delivery succeeds, with these replies to the function's calls, and undoes the attempt.
async fn assert_recorded_and_undone(name: &str, script: &'static [Reply], tries: u32, seconds: i64, requests: usize) {
    let sandbox = Sandbox::create().await;
    let target = database(&sandbox.sdk, name).await;
    let (http, received) = lossy(http(), "Action=ModifyDBInstance&", script);
    let sdk = sdk_over(endpoint(), http);
    let sdk = sdk.to_builder().retry_config(RetryConfig::standard().with_max_attempts(tries)).build();
    let environment = settings(&sandbox);
    let function = FunctionSettings::read(&environment).unwrap();
    let control = &RDS_INSTANCE_DELETION_PROTECTION_ENABLED;
    let mut context = RemediationContext::over(
        deployed::<_, Clients>(control),
        &sdk,
        function,
        RemediationSettings::read(&environment).unwrap(),
    );
    context.config = config(&target);
    let mut outcomes = Vec::new();
    for number in 1..=3 {
        let delivery = Delivery {
            owner: format!("worker-{number}"),
            account: Some(AccountId::new(ACCOUNT)),
            deadline: Timestamp::now() + jiff::SignedDuration::from_secs(seconds),
            reads_until: Deadline::after(std::time::Duration::from_secs(60)),
        };
        let mut line = Invocation::start("rds", &delivery.owner);
        let result = handle(&context, &event(&target), &delivery, &mut line).await;
        outcomes.push(
            result.as_ref().map_or_else(rectify_runtime::Error::kind, rectify_runtime::remediation::Disposition::name),
        );
        if result.is_ok() {
            break;
        }
    }
    let ledger = Ledger::new(&sandbox.sdk, &sandbox.name);
    let attempts: Vec<Attempt> =
        ledger.attempts(&ResourcePath::of(&target), RDS_INSTANCE_DELETION_PROTECTION_ENABLED.meta.id).await.unwrap();
    let [attempt] = attempts.as_slice() else { panic!("{name}: {outcomes:?}: {attempts:#?}") };
    assert!(is_protected(&sandbox.sdk, name).await, "{name}: {outcomes:?}");
    assert_eq!((attempt.outcome, attempt.done().count()), (Some(Outcome::Verified), 1), "{name}: {outcomes:?}");
    assert_eq!(received.load(Ordering::SeqCst), requests, "{name}: {outcomes:?}: requests");
    assert_eq!(sandbox.budget_used().await, 1, "{name}: {outcomes:?}");

    let undoable = undoable::<_, Clients>(control);
    let pool = undoable.pool(&sandbox.sdk, &Region::new(REGION));
    let request = UndoRequest { attempt: attempt.id.clone(), by: "jane".to_owned(), hold_days: 7, overwrite: false };
    let undone = undo(&undoable, &ledger, &pool, &target.account, &request).await.unwrap();
    assert!(matches!(undone, Undone::Restored { .. }), "{name}: {undone:?}");
    assert!(!is_protected(&sandbox.sdk, name).await, "{name}");
}

async fn is_protected(sdk: &SdkConfig, name: &str) -> bool {
    let call = aws_sdk_rds::Client::new(sdk).describe_db_instances().db_instance_identifier(name);
    call.send().await.unwrap().db_instances.unwrap()[0].deletion_protection.unwrap()
}

/// The first request modifies the instance and its answer is lost; RDS would refuse a second one while it is modifying.
#[tokio::test]
async fn change_with_a_lost_answer_is_recorded_without_a_second_request() {
    let script = &[Reply::Lost, Reply::Refused(400, "InvalidDBInstanceState")];
    assert_recorded_and_undone("lost-answer", script, 4, 60, 1).await;
    assert_recorded_and_undone("lost-answer-in-a-hurry", script, 4, 10, 1).await;
}

/// The error code is not in any list; its status, 500, decides.
#[tokio::test]
async fn change_answered_with_any_5xx_is_recorded() {
    assert_recorded_and_undone("unknown-name", &[Reply::AppliedWithError(500, "ServiceFailure")], 1, 10, 1).await;
}

/// RDS answers that the instance is being modified, possibly by the call that was sent.
#[tokio::test]
async fn change_answered_as_in_progress_is_recorded() {
    assert_recorded_and_undone("busy", &[Reply::AppliedWithError(400, "InvalidDBInstanceState")], 1, 10, 1).await;
    assert_recorded_and_undone("really-busy", &[Reply::Refused(400, "InvalidDBInstanceState")], 1, 60, 2).await;
}
