//! The command `scan`.

use super::*;

/// The statuses of the rows of a scan, by resource.
fn statuses(scan: &Value) -> Vec<(&str, &str)> {
    let rows = scan["rows"].as_array().unwrap().iter();
    rows.map(|row| (row["resourceId"].as_str().unwrap(), row["status"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn finding_is_reported_with_its_plan_and_the_exit_code_of_its_severity() {
    let bench = Bench::create().await;
    let ec2 = aws_sdk_ec2::Client::new(&bench.sandbox.sdk);
    let group = open_group(&ec2, &bench.sandbox.name).await;
    let scan = ["scan", "--control", SSH, "--resource", &group];
    let found = bench.run(&[&scan[..], &["--json"]].concat()).await;
    assert_eq!((found.code, statuses(&found.json())), (2, vec![(group.as_str(), "failed")]), "{found:?}");
    assert!(found.json()["rows"][0]["plan"]["steps"][0]["call"].get("RevokeSecurityGroupIngress").is_some());
    let critical = bench.run(&[&scan[..], &["--fail-on", "critical"]].concat()).await;
    assert!(critical.code == 0 && critical.out.contains(&group) && critical.err.is_empty(), "{critical:?}");
    let none = bench.run(&["scan", "--control", SSH, "--resource", "sg-none"]).await;
    assert!(none.code == 0 && none.out.ends_with("\nNo findings\n"), "{none:?}");
}

#[tokio::test]
async fn outputs_go_to_their_files_and_the_text_to_standard_output() {
    let bench = Bench::create().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scan.json");
    let output = format!("json:{}", file.display());
    let ran = bench.run(&["scan", "--control", SSH, "--resource", "sg-none", "--output", &output]).await;
    assert!(ran.code == 0 && ran.out.ends_with("\nNo findings\n"), "{ran:?}");
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&written["controls"], &written["source"]), (&json!([SSH]), &json!("live")));
    let absent = format!("json:{}/absent/scan.json", folder.path().display());
    let ran = bench.run(&["scan", "--control", SSH, "--resource", "sg-none", "--output", &absent]).await;
    assert!(ran.code == 1 && ran.err.contains("--output: "), "{ran:?}");
}

#[test]
fn no_error_of_a_scan_has_the_exit_code_of_a_finding() {
    let place = [("AWS_REGION", REGION), ("AWS_ACCOUNT_ID", ACCOUNT)];
    let rows: [Unusable<'_>; 4] = [
        (&["scan", "--control", "restricted-sh"], &[], "did you mean `restricted-ssh`?"),
        (&["scan", "--output", "jsn"], &[], "received `jsn`: did you mean `json`?"),
        (&["scan"], &KEYS, "region: expected --region, AWS_REGION or a region in the profile"),
        (&["scan"], &place, "credentials: no AWS_ACCESS_KEY_ID, and the AWS CLI does not start"),
    ];
    for (arguments, environment, expected) in rows {
        let ran = run(arguments, environment);
        assert!(ran.code == 1 && ran.out.is_empty() && ran.err.contains(expected), "{arguments:?}: {ran:?}");
    }
    assert_eq!(run(&["scan", "--help"], &[]).code, 0);
}
