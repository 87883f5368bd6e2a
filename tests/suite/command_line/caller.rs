//! What the command line derives from the credentials: the account, and the table of the ledger.

use super::*;
use rectify_tests::emulator::create_table;

const CREDENTIALS: [(&str, &str); 3] =
    [("AWS_REGION", REGION), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// Runs the binary with credentials only.
async fn run_with_credentials(arguments: &[&str]) -> Ran {
    let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
    let work = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        run(&arguments, &[&CREDENTIALS[..], &[("AWS_ENDPOINT_URL", endpoint()), ("USER", "ada")]].concat())
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn ledger_is_found_by_the_prefix_of_the_stack() {
    let bench = Bench::create().await;
    let prefix = format!("{}-", bench.sandbox.name);
    let status = ["status", "--prefix", &prefix];
    let none = run_with_credentials(&status).await;
    let expected =
        format!("rectify: table: no `{prefix}Ledger` in region {REGION}: give the stack's output LedgerTable");
    assert!(none.code == 2 && none.err.starts_with(&expected), "{none:?}");
    // CloudFormation adds a suffix, and DynamoDB lists a hundred tables a page.
    let table = format!("{prefix}Ledger-1A2B3C");
    create_table(&bench.sandbox.sdk, &table).await;
    let found = run_with_credentials(&status).await;
    assert_eq!((found.code, found.out), (0, format!("running: no stop switch is on in {table}, {REGION}\n")));
    create_table(&bench.sandbox.sdk, &format!("{prefix}Ledger")).await;
    let several = run_with_credentials(&status).await;
    assert!(several.code == 2 && several.err.contains("with --table"), "{several:?}");
}

#[tokio::test]
async fn account_is_that_of_the_credentials() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let group = open_group(&ec2, &bench.sandbox.name).await;
    let plan = run_with_credentials(&["plan", SSH, &group]).await;
    assert!(plan.code == 1 && plan.out.contains("RevokeSecurityGroupIngress"), "{plan:?}");
    let table = bench.sandbox.name.as_str();
    let history = ["history", SSH, &group, "--table", table];
    let expected = format!("no attempt on AWS::EC2::SecurityGroup {group} in account {ACCOUNT}, region {REGION}\n");
    assert_eq!(run_with_credentials(&history).await.out, expected);
}

#[tokio::test]
async fn credentials_are_not_used_for_another_account() {
    let expected = format!(
        "account: expected {ACCOUNT}, the account of the credentials: received 444455556666: use credentials of 444455556666\n"
    );
    for (arguments, code) in [
        (&["plan", SSH, "sg-1", "--account", "444455556666"][..], 2),
        (&["plan", ROOT_KEYS, "444455556666"], 2),
        (&["scan", "--control", SSH, "--account", "444455556666"], 1),
    ] {
        let ran = run_with_credentials(arguments).await;
        assert!(ran.code == code && ran.err.ends_with(&expected), "{arguments:?}: {ran:?}");
    }
}

/// An AWS CLI that knows the profile `prod`, and records its arguments.
const AWS: &str = r#"#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case "$*" in
  "configure get region --profile prod") echo us-east-1 ;;
  "configure export-credentials --format process --profile prod")
    echo '{"Version":1,"AccessKeyId":"PROD","SecretAccessKey":"s","SessionToken":"t","Expiration":"2999-01-01T00:00:00Z"}' ;;
  *"--profile sso") echo "Error when retrieving token from sso: Token has expired and refresh failed" >&2; exit 255 ;;
  *) echo "The config profile (${*##* }) could not be found" >&2; exit 255 ;;
esac
"#;

/// A folder with that program.
fn folder_with_aws() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("aws");
    std::fs::write(&program, AWS).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// Runs the binary with this AWS CLI, its profile and no credentials but `extra`.
async fn run_with_profile(
    folder: &tempfile::TempDir,
    arguments: &[&str],
    extra: &[(&'static str, &'static str)],
) -> Ran {
    let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let extra = extra.to_vec();
    let work = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let fixed = [("PATH", path.as_str()), ("AWS_ENDPOINT_URL", endpoint()), ("USER", "ada")];
        run(&arguments, &[&fixed[..], &extra].concat())
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn profile_gives_credentials_and_region() {
    let bench = Bench::create().await;
    let group = open_group(&aws_sdk_ec2::Client::new(&bench.sandbox.sdk), &bench.sandbox.name).await;
    let folder = folder_with_aws();
    let calls = || std::fs::read_to_string(folder.path().join("calls")).unwrap_or_default();
    let plan = ["plan", SSH, &group];
    let named = run_with_profile(&folder, &[&plan[..], &["--profile", "prod"]].concat(), &[]).await;
    assert!(named.code == 1 && named.out.contains("RevokeSecurityGroupIngress"), "{named:?}");
    // Each is resolved once, however many clients use it.
    let both = "configure export-credentials --format process --profile prod\nconfigure get region --profile prod\n";
    assert_eq!(calls(), both);
    let selected = run_with_profile(&folder, &plan, &[("AWS_PROFILE", "prod"), ("AWS_REGION", REGION)]).await;
    assert_eq!((selected.code, selected.out), (1, named.out));
    assert_eq!(calls(), format!("{both}configure export-credentials --format process --profile prod\n"));
    // Credentials of the environment come before AWS_PROFILE, and after --profile.
    let keys = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test"), ("AWS_REGION", REGION)];
    let with = [&keys[..], &[("AWS_PROFILE", "absent")]].concat();
    assert_eq!(run_with_profile(&folder, &plan, &with).await.code, 1);
    let absent = run_with_profile(&folder, &[&plan[..], &["--profile", "absent"]].concat(), &keys).await;
    let expected = "rectify: credentials: aws configure export-credentials --format process: The config profile (absent) \
                    could not be found: `aws configure list-profiles` lists the profiles\n";
    assert_eq!((absent.code, absent.err.as_str()), (2, expected));
}

#[tokio::test]
async fn expired_session_names_the_login() {
    let folder = folder_with_aws();
    let region = [("AWS_REGION", REGION)];
    for (arguments, code) in [(&["status", "--profile", "sso"][..], 2), (&["scan", "--profile", "sso"], 1)] {
        let ran = run_with_profile(&folder, arguments, &region).await;
        let expected = "Token has expired and refresh failed: run `aws sso login --profile sso`\n";
        assert!(ran.code == code && ran.out.is_empty() && ran.err.ends_with(expected), "{ran:?}");
    }
    let version = run_with_profile(&folder, &["--version", "--profile", "sso"], &[]).await;
    assert_eq!(version.code, 0, "{version:?}");
}

#[tokio::test]
async fn resource_is_given_by_its_id_its_name_or_its_arn() {
    const CONTROL: &str = "iam-user-no-policies-check";
    let bench = Bench::create().await;
    let iam = aws_sdk_iam::Client::new(&bench.sandbox.sdk);
    let name = bench.sandbox.name.as_str();
    let user = iam.create_user().user_name(name).path("/team/").send().await.unwrap().user.unwrap();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
    iam.put_user_policy().user_name(name).policy_name("read").policy_document(policy).send().await.unwrap();
    for given in [user.user_id(), name, user.arn()] {
        let ran = bench.run(&["check", CONTROL, given, "--json"]).await;
        let found = &ran.json()["findings"][0];
        assert_eq!((ran.code, &found["resource"]["id"]), (1, &json!(user.user_id())), "{given}: {ran:?}");
        let ran = bench.run(&["plan", CONTROL, given, "--json"]).await;
        assert_eq!(ran.json()["findings"][0]["resource"]["id"], user.user_id(), "{given}: {ran:?}");
    }
    let absent = bench.run(&["check", CONTROL, "absent-user"]).await;
    assert!(absent.code == 2 && absent.err.contains("absent-user"), "{absent:?}");
}
