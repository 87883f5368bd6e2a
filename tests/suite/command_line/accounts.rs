//! Scans of several accounts and regions.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use rectify_local::backend::{Backend, BackendSettings};
use rectify_tests::emulator::sdk_at;

use super::*;

const ROLE: &str = "SecurityAudit";

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

/// The accounts that were scanned.
fn accounts(ran: &Ran) -> BTreeSet<String> {
    let scan = ran.json();
    let places = scan["places"].as_array().unwrap().iter();
    places.map(|it| it["account"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_account_is_read_with_its_own_credentials() {
    let sandbox = Sandbox::create().await;
    let other = "444455556666".to_owned();
    let mine = open_group(&aws_sdk_ec2::Client::new(&sandbox.sdk), &sandbox.name).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("# all\n{other}\n{ACCOUNT}\n")).unwrap();
    let file = file.path().to_str().unwrap();
    let only = ["--control", SSH, "--resource", &sandbox.name, "--json"];
    let both = scan(&[&only[..], &["--accounts", file, "--role-name", ROLE]].concat(), &own_keys()).await;
    assert_eq!((both.code, rows(&both)), (2, [row(ACCOUNT, &mine, "failed")].into()), "{both:?}");
    assert_eq!(accounts(&both), [ACCOUNT.to_owned(), other.clone()].into());
    let role = format!("arn:aws:iam::{other}:role/{ROLE}");
    let one = scan(&[&only[..], &["--role-arn", &role, "--external-id", "rectify"]].concat(), &own_keys()).await;
    assert_eq!((one.code, rows(&one), accounts(&one)), (0, BTreeSet::new(), [other].into()), "{one:?}");
}

/// STS that knows one caller, and denies every role.
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
    let disabled = scan(&[&only[..], &[skipped.as_str()]].concat(), &own_keys()).await;
    let expected = format!("--region: account {ACCOUNT} has not enabled {skipped}: enable it");
    assert!(disabled.code == 1 && disabled.out.contains(&expected), "{disabled:?}");
    let unknown = scan(&[&only[..], &["us-est-1"]].concat(), &own_keys()).await;
    let expected = "expected a region of this partition: received `us-est-1`: did you mean `us-east-1`?";
    assert!(unknown.code == 1 && unknown.out.contains(expected), "{unknown:?}");
}

/// In an AWS of its own, since other tests must not see an organization.
#[tokio::test]
async fn active_accounts_of_the_organization_are_scanned() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let backend = Backend::start(&BackendSettings::new(ACCOUNT, log.path())).await.unwrap();
    let variables = [own_keys(), vec![("AWS_ENDPOINT_URL", backend.endpoint().to_owned())]].concat();
    let arguments = ["--accounts", "organization", "--role-name", ROLE, "--control", SSH, "--json"];
    let outside = scan(&arguments, &variables).await;
    let expected =
        "--accounts organization: expected an active account: received none: use credentials of the management account";
    assert!(outside.code == 1 && outside.out.contains(expected), "{outside:?}");

    let sdk = sdk_at(backend.endpoint());
    let organizations = aws_sdk_organizations::Client::new(&sdk);
    organizations.create_organization().send().await.unwrap();
    let create = async |name: &str| {
        let call = organizations.create_account().account_name(name).email(format!("{name}@example.com"));
        call.send().await.unwrap().create_account_status.unwrap().account_id.unwrap()
    };
    let (member, closed) = (create("member").await, create("closed").await);
    organizations.close_account().account_id(&closed).send().await.unwrap();
    let mine = open_group(&aws_sdk_ec2::Client::new(&sdk), "exposed").await;
    let ran = scan(&arguments, &variables).await;
    assert_eq!((ran.code, accounts(&ran)), (2, [ACCOUNT.to_owned(), member.clone()].into()), "{ran:?}");
    let rows = rows(&ran);
    assert!(rows.contains(&row(ACCOUNT, &mine, "failed")), "{rows:?}");
    assert!(rows.iter().all(|(account, group, _)| *group != mine || account == ACCOUNT), "{rows:?}");
    backend.stop().await.unwrap();
}
