//! Every selection of packages has the same features, so that `cargo build -p …` compiles no SDK a second time.

use std::collections::BTreeSet;
use std::process::Command;

use super::tree;

/// The packages of functions and the runtime.
const WITH_SDK: [&str; 17] = [
    "rectify-runtime",
    "rectify-awslambda-lambda",
    "rectify-cloudtrail-lambda",
    "rectify-config-lambda",
    "rectify-dynamodb-lambda",
    "rectify-ec2-lambda",
    "rectify-efs-lambda",
    "rectify-elb-lambda",
    "rectify-iam-lambda",
    "rectify-kms-lambda",
    "rectify-logs-lambda",
    "rectify-rds-lambda",
    "rectify-s3-lambda",
    "rectify-ssm-lambda",
    "rectify-sns-lambda",
    "rectify-sqs-lambda",
    "rectify-platform",
];

/// Each dependency of a selection with its features: `tokio v1.0.0|macros,rt`.
fn features(selection: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}|{f}"])
        .args(selection)
        .current_dir(tree::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn each_package_alone_has_the_features_of_the_workspace() {
    let workspace = features(&["--workspace"]);
    assert!(workspace.iter().any(|it| it.starts_with("aws-sdk-ec2 ")), "no SDK in {workspace:?}");
    for package in WITH_SDK {
        let alone = features(&["-p", package]);
        let others: Vec<&String> = alone.difference(&workspace).collect();
        assert!(
            others.is_empty(),
            "{package} alone: add the features of the workspace to tools/workspace-hack: {others:#?}"
        );
    }
}
