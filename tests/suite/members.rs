//! Functions of a central account and the events of its members, with an emulator that keeps accounts apart.

mod remediation;

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use aws_types::SdkConfig;
use rectify_compliance::{AccountId, Region};
use rectify_ec2::EC2_EBS_ENCRYPTION_BY_DEFAULT;
use rectify_local::backend::{Backend, BackendSettings};
use rectify_runtime::Error;
use rectify_runtime::clients::sdk_config_over;
use rectify_runtime::invocation::Invocation;
use rectify_runtime::members::Members;
use rectify_runtime::rule::{RuleContext, handle, on_schedule};
use rectify_runtime::serve::InvocationInfo;
use rectify_runtime::settings::{Environment, FunctionSettings};
use rectify_tests::emulator::endpoint;
use rectify_tests::events::{invocation, rule_event, scheduled};
use rectify_tests::replay::{Answer, Replay};
use rectify_tests::services::{InjectedError, Services};
use serde_json::{Value, json};

/// The account of moto's callers without a role.
const CENTRAL: &str = "123456789012";
/// A listed account.
const MEMBER: &str = "444455556666";
/// An account that is not listed.
const STRANGER: &str = "777788889999";
const REGION: &str = "eu-north-1";

/// An emulator that reads the account from the caller's key: with `MOTO_ACCOUNT_ID` every caller has the same one.
async fn accounts() -> (Backend, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("moto_server");
    let mut settings = BackendSettings::new(CENTRAL, &folder.path().join("log"));
    let real = std::fs::canonicalize(&settings.program).unwrap();
    std::fs::write(&program, format!("#!/bin/sh\nunset MOTO_ACCOUNT_ID\nexec '{}' \"$@\"\n", real.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    settings.program = program;
    (Backend::start(&settings).await.unwrap(), folder)
}

/// The central account's configuration for these services at `endpoint`.
fn sdk(services: &Services, endpoint: &str) -> SdkConfig {
    let environment = Environment::of([
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_MAX_ATTEMPTS", "1"),
    ]);
    sdk_config_over(&environment, &Region::new(REGION), services.sdk(REGION).http_client().unwrap()).unwrap()
}

/// The members in this environment.
fn members(sdk: &SdkConfig, region: &str, variables: &[(&str, &str)]) -> Result<Option<Members>, Error> {
    let base = [("MEMBER_ACCOUNTS", MEMBER), ("MEMBER_ROLE", "rectify-member-read"), ("MEMBER_EXTERNAL_ID", "e-1")];
    let environment = Environment::of(base.iter().chain(variables).copied());
    Members::read(&environment, sdk, &Region::new(region))
}

/// A function of the central account that knows its members.
fn central(services: &Services, endpoint: &str) -> RuleContext {
    let settings = FunctionSettings { region: Region::new(REGION), home_region: None };
    let sdk = sdk(services, endpoint);
    let rule = on_schedule::<_, rectify_ec2_lambda::Clients>(&EC2_EBS_ENCRYPTION_BY_DEFAULT);
    RuleContext::over(rule, &sdk, settings).reaching(members(&sdk, REGION, &[]).unwrap())
}

/// The scheduled event of a rule in this account.
fn of(account: &str) -> Value {
    let mut invoking = scheduled();
    invoking["awsAccountId"] = json!(account);
    let mut event = rule_event(&invoking, &json!({}), "token");
    event["accountId"] = json!(account);
    event
}

async fn run(context: &RuleContext, event: &Value) -> Result<(), Error> {
    let own = InvocationInfo { account: Some(AccountId::new(CENTRAL)), ..invocation() };
    handle(context, event, &own, &mut Invocation::start("c", "request")).await
}

/// Turns encryption on in the member, with a role there: its own account stays without.
async fn encrypt(endpoint: &str) {
    let sdk = sdk(&Services::default(), endpoint);
    let known = members(&sdk, REGION, &[]).unwrap().unwrap();
    let session = known.session(&AccountId::new(MEMBER)).await.unwrap().unwrap();
    let ec2 = aws_sdk_ec2::Client::new(&session.config(&sdk));
    ec2.enable_ebs_encryption_by_default().send().await.unwrap();
}

/// The account and verdict of each evaluation, without the earlier result that [`Services`] has for AWS Config and that
/// every round ends.
fn verdicts(services: &Services) -> Vec<(String, String)> {
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    let all = services.evaluations();
    let all = all.iter().flat_map(|body| body["Evaluations"].as_array().unwrap());
    let all = all.map(|it| (text(&it["ComplianceResourceId"]), text(&it["ComplianceType"])));
    all.filter(|(account, _)| account != rectify_tests::emulator::ACCOUNT).collect()
}

#[tokio::test]
async fn rule_reads_and_reports_in_each_account_with_its_own_credentials() {
    let (backend, _folder) = accounts().await;
    encrypt(backend.endpoint()).await;
    let services = Services::default();
    let context = central(&services, backend.endpoint());
    for account in [MEMBER, CENTRAL, MEMBER] {
        run(&context, &of(account)).await.unwrap();
    }
    let verdict = |account: &str, verdict: &str| (account.to_owned(), verdict.to_owned());
    let (member, own) = (verdict(MEMBER, "COMPLIANT"), verdict(CENTRAL, "NON_COMPLIANT"));
    assert_eq!(verdicts(&services), [member.clone(), own, member]);
    // Each account's round sends as often as the others.
    let keys = services.evaluators();
    let rounds: Vec<&[String]> = keys.chunks(keys.len() / 3).collect();
    assert_eq!((rounds[1][0].as_str(), rounds[0]), ("test", rounds[2]));
    assert!(rounds[0].iter().all(|key| key != "test") && rounds[1].iter().all(|key| key == "test"));
    // The role is assumed once.
    let assumed = services.calls().iter().filter(|it| *it == "sts:AssumeRole").count();
    assert_eq!(assumed, 1, "{:?}", services.calls());
}

#[tokio::test]
async fn account_that_is_not_a_member_is_refused_without_a_call() {
    let services = Services::default();
    let context = central(&services, endpoint());
    let error = run(&context, &of(STRANGER)).await.unwrap_err();
    assert_eq!(error, Error::ForeignAccount { home: CENTRAL.to_owned(), account: STRANGER.to_owned() });
    // The rule of one account and the resources of another.
    let mut mixed = of(MEMBER);
    mixed["accountId"] = json!(CENTRAL);
    let error = run(&context, &mixed).await.unwrap_err();
    assert_eq!(error, Error::ForeignAccount { home: CENTRAL.to_owned(), account: MEMBER.to_owned() });
    assert_eq!((services.calls(), services.evaluations()), (vec![], vec![]));
}

#[tokio::test]
async fn denied_role_is_an_error_that_names_it_and_the_next_event_tries_again() {
    let denied = InjectedError { operation: Some("sts:AssumeRole"), number: 1, code: "AccessDenied" };
    let services = Services::refusing([denied]);
    let context = central(&services, endpoint());
    let error = run(&context, &of(MEMBER)).await.unwrap_err();
    assert_eq!(error.kind(), "MemberRoleNotAssumed");
    let expected = "account `444455556666`: `arn:aws:iam::444455556666:role/rectify-member-read` not assumed: \
                    sts:AssumeRole: AccessDenied: as scripted; deploy deploy/member.yaml there, with the central account \
                    and the external id of rectify.yaml";
    assert_eq!((error.to_string().as_str(), services.evaluations()), (expected, vec![]));
    run(&context, &of(MEMBER)).await.unwrap();
    assert_eq!(verdicts(&services).len(), 1);
}

/// STS's answer: credentials that expire in this time.
fn issued(left: Duration) -> Answer {
    let until = jiff::Timestamp::try_from(SystemTime::now() + left).unwrap();
    Answer::ec2(
        "AssumeRole",
        &format!(
            "<AssumeRoleResult><Credentials><AccessKeyId>k</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
             <SessionToken>t</SessionToken><Expiration>{until}</Expiration></Credentials></AssumeRoleResult>"
        ),
    )
}

#[tokio::test]
async fn throttled_call_is_repeated_and_credentials_are_renewed_before_an_invocation_could_outlive_them() {
    let minutes = |count: u64| Duration::from_secs(count * 60);
    let replay = Replay::of([Answer::refused_by_sts("Throttling"), issued(minutes(19)), issued(minutes(60))]);
    let name = ("AWS_LAMBDA_FUNCTION_NAME", "rectify-restricted-ssh");
    let known = members(&replay.sdk("cn-north-1"), "cn-north-1", &[name]).unwrap().unwrap();
    let member = AccountId::new(MEMBER);
    for expected_calls in [2, 3, 3] {
        assert!(known.session(&member).await.unwrap().is_some());
        assert_eq!(replay.forms().len(), expected_calls);
    }
    let form = replay.forms().pop().unwrap();
    for part in [
        "RoleArn=arn%3Aaws-cn%3Aiam%3A%3A444455556666%3Arole%2Frectify-member-read",
        "ExternalId=e-1",
        "RoleSessionName=rectify-restricted-ssh",
    ] {
        assert!(form.contains(part), "{part}: {form}");
    }
    assert!(known.session(&AccountId::new(STRANGER)).await.unwrap().is_none());
}

#[test]
fn settings_of_members_are_complete_or_refused() {
    let sdk = Replay::of([]).sdk("us-east-1");
    let refusal = |variables: &[(&str, &str)]| members(&sdk, "us-east-1", variables).err().map(|it| it.to_string());
    let expected = "MEMBER_ACCOUNTS: expected accounts of 12 digits, separated by commas: received `12`";
    assert_eq!(refusal(&[("MEMBER_ACCOUNTS", "444455556666, 12")]).as_deref(), Some(expected));
    let expected = "MEMBER_EXTERNAL_ID: expected a value: received nothing";
    assert_eq!(refusal(&[("MEMBER_EXTERNAL_ID", "")]).as_deref(), Some(expected));
    assert!(members(&sdk, "us-east-1", &[("MEMBER_ACCOUNTS", "")]).unwrap().is_none());
}
