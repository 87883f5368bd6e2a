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
