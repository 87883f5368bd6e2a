//! Scans of several accounts and regions.

use std::collections::BTreeSet;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;

use super::*;

const ROLE: &str = "SecurityAudit";

/// The keys of a role in this account, by which the emulator tells accounts apart.
async fn keys(sdk: &SdkConfig, account: &str) -> [(&'static str, String); 3] {
    let call = aws_sdk_sts::Client::new(sdk).assume_role().role_session_name("test");
    let answer = call.role_arn(format!("arn:aws:iam::{account}:role/{ROLE}")).send().await.unwrap();
    let keys = answer.credentials.unwrap();
    [
        ("AWS_ACCESS_KEY_ID", keys.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key),
        ("AWS_SESSION_TOKEN", keys.session_token),
    ]
}

/// Clients of this account.
async fn sdk_of(sdk: &SdkConfig, account: &str) -> SdkConfig {
    let [id, secret, token] = keys(sdk, account).await.map(|(_, value)| value);
    let credentials = SharedCredentialsProvider::new(Credentials::new(id, secret, Some(token), None, "test"));
    sdk.to_builder().credentials_provider(credentials).build()
}

/// Runs a scan with these variables besides region and endpoint.
async fn scan(arguments: &[&str], variables: &[(&'static str, String)]) -> Ran {
    let arguments: Vec<String> = ["scan"].iter().chain(arguments).map(|it| (*it).to_owned()).collect();
    let variables = variables.to_vec();
    let work = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut environment = vec![("AWS_REGION", REGION), ("AWS_ENDPOINT_URL", endpoint())];
        environment.extend(variables.iter().map(|(name, value)| (*name, value.as_str())));
        run(&arguments, &environment)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

fn own_keys() -> Vec<(&'static str, String)> {
    vec![("AWS_ACCESS_KEY_ID", "test".to_owned()), ("AWS_SECRET_ACCESS_KEY", "test".to_owned())]
}

/// Account, resource and status of each row.
fn rows(ran: &Ran) -> BTreeSet<(String, String, String)> {
    let scan = ran.json();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    let rows = scan["rows"].as_array().unwrap().iter();
    rows.map(|row| (text(row, "account"), text(row, "resourceId"), text(row, "status"))).collect()
}

fn row(account: &str, resource: &str, status: &str) -> (String, String, String) {
    (account.to_owned(), resource.to_owned(), status.to_owned())
}

#[tokio::test]
async fn each_account_is_read_with_its_own_credentials() {
    let sandbox = Sandbox::create().await;
    let other = "444455556666";
    let mine = open_group(&aws_sdk_ec2::Client::new(&sandbox.sdk), &sandbox.name).await;
    let theirs = open_group(&aws_sdk_ec2::Client::new(&sdk_of(&sandbox.sdk, other).await), &sandbox.name).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("# all\n{other}\n{ACCOUNT}\n")).unwrap();
    let file = file.path().to_str().unwrap();
    let only = ["--control", SSH, "--resource", &sandbox.name, "--json"];
    let both = scan(&[&only[..], &["--accounts", file, "--role-name", ROLE]].concat(), &own_keys()).await;
    let expected = [row(ACCOUNT, &mine, "failed"), row(other, &theirs, "failed")];
    assert_eq!((both.code, rows(&both)), (2, expected.clone().into()), "{both:?}");
    let role = format!("arn:aws:iam::{other}:role/{ROLE}");
    let one = scan(&[&only[..], &["--role-arn", &role, "--external-id", "rectify"]].concat(), &own_keys()).await;
    assert_eq!((one.code, rows(&one)), (2, [expected[1].clone()].into()), "{one:?}");
    // Every format tells the account of a row.
    for format in ["text", "html", "json", "jsonl", "csv", "ocsf", "asff", "sarif", "junit"] {
        let arguments = ["--control", SSH, "--resource", &sandbox.name, "--accounts", file, "--role-name", ROLE];
        let ran = scan(&[&arguments[..], &["--output", format]].concat(), &own_keys()).await;
        assert!(ran.out.contains(other) && ran.out.contains(ACCOUNT), "{format}: {ran:?}");
    }
}

#[tokio::test]
async fn organization_is_its_active_accounts() {
    let sandbox = Sandbox::create().await;
    let management = "777788889999";
    let sdk = sdk_of(&sandbox.sdk, management).await;
    let organizations = aws_sdk_organizations::Client::new(&sdk);
    organizations.create_organization().send().await.unwrap();
    let mut members = Vec::new();
    for name in ["one", "two", "closed"] {
        let call = organizations.create_account().account_name(name).email(format!("{name}@example.com"));
        let made = call.send().await.unwrap().create_account_status.unwrap();
        members.push(made.account_id.unwrap());
    }
    organizations.close_account().account_id(&members[2]).send().await.unwrap();
    let mut expected = BTreeSet::new();
    for account in [management, &members[0], &members[1], &members[2]] {
        let ec2 = aws_sdk_ec2::Client::new(&sdk_of(&sandbox.sdk, account).await);
        expected.insert(row(account, &open_group(&ec2, &sandbox.name).await, "failed"));
    }
    expected.retain(|(account, ..)| *account != members[2]);
    let arguments = ["--accounts", "organization", "--role-name", ROLE, "--control", SSH, "--json"];
    let arguments = [&arguments[..], &["--resource", &sandbox.name]].concat();
    let ran = scan(&arguments, &keys(&sandbox.sdk, management).await).await;
    assert_eq!((ran.code, rows(&ran)), (2, expected), "{ran:?}");
    let outside = scan(&arguments, &keys(&sandbox.sdk, "888899990000").await).await;
    assert!(outside.code == 1 && outside.err.contains("AWSOrganizationsNotInUseException"), "{outside:?}");
}

/// STS that knows one caller, and lets nobody assume a role.
async fn denying_sts() -> String {
    let answer = |body: String| async move {
        let caller = format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{ACCOUNT}:user/ada</Arn><UserId>A</UserId>\
             <Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        );
        let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        if body.contains("Action=GetCallerIdentity") {
            (StatusCode::OK, caller)
        } else {
            (StatusCode::FORBIDDEN, denied.to_owned())
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(answer))).await.unwrap() });
    format!("http://{address}")
}

#[tokio::test]
async fn account_whose_role_cannot_be_assumed_is_unreadable() {
    let sandbox = Sandbox::create().await;
    let mine = open_group(&aws_sdk_ec2::Client::new(&sandbox.sdk), &sandbox.name).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("444455556666\n{ACCOUNT}\n")).unwrap();
    let file = file.path().to_str().unwrap();
    let sts = ("AWS_ENDPOINT_URL_STS", denying_sts().await);
    let variables = [own_keys(), vec![sts]].concat();
    let only = ["--control", SSH, "--resource", &sandbox.name];
    let arguments = [&only[..], &["--accounts", file, "--role-name", ROLE, "--json"]].concat();
    let ran = scan(&arguments, &variables).await;
    let expected = [row(ACCOUNT, &mine, "failed"), row("444455556666", "*", "unreadable")];
    assert_eq!((ran.code, rows(&ran)), (2, expected.into()), "{ran:?}");
    let reasons: Vec<Value> = ran.json()["rows"].as_array().unwrap().iter().map(|it| it["reason"].clone()).collect();
    assert!(reasons.contains(&json!("sts:AssumeRole: AccessDenied")), "{reasons:?}");
    let role = scan(&[&only[..], &["--role-arn", "arn:aws:iam::444455556666:role/Audit"]].concat(), &variables).await;
    let expected =
        "rectify: --role-arn: arn:aws:iam::444455556666:role/Audit: sts:AssumeRole: AccessDenied: check the role's";
    assert!(role.code == 1 && role.err.starts_with(expected), "{role:?}");
}

#[tokio::test]
async fn all_regions_are_those_that_the_account_has_enabled() {
    let sandbox = Sandbox::create().await;
    let group = open_group(&aws_sdk_ec2::Client::new(&sandbox.sdk), &sandbox.name).await;
    let only = ["--control", SSH, "--resource", &sandbox.name, "--json", "--region"];
    let all = scan(&[&only[..], &["all"]].concat(), &own_keys()).await;
    assert_eq!((all.code, rows(&all)), (2, [row(ACCOUNT, &group, "failed")].into()), "{all:?}");
    let places: Vec<Value> = all.json()["places"].as_array().unwrap().iter().map(|it| it["region"].clone()).collect();
    assert!(places.len() > 10 && places.contains(&json!("eu-west-1")), "{places:?}");
    assert!(places.iter().all(|it| !it.as_str().unwrap().starts_with("cn-")), "of one partition: {places:?}");
    let note = format!("not enabled in account {ACCOUNT}, so not scanned: ");
    let skipped = all.err.trim_end().strip_prefix(&note).unwrap().split(", ").next().unwrap().to_owned();
    assert!(!places.contains(&json!(skipped)), "{skipped}: {places:?}");
    let disabled = scan(&[&only[..], &[&skipped]].concat(), &own_keys()).await;
    let expected = format!("--region: account {ACCOUNT} has not enabled {skipped}: enable it");
    assert!(disabled.code == 1 && disabled.out.contains(&expected), "{disabled:?}");
    let unknown = scan(&[&only[..], &["us-est-1"]].concat(), &own_keys()).await;
    let expected = "expected a region of this partition: received `us-est-1`: did you mean `us-east-1`?";
    assert!(unknown.code == 1 && unknown.out.contains(expected), "{unknown:?}");
}
