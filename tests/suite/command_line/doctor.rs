//! `rectify doctor` before a deployment, and against `rectify.yaml`.

use aws_sdk_config::types::{ConfigurationRecorder, DeliveryChannel};

use super::*;

/// The result of a check: whether it passed, and what it found.
fn result(ran: &Ran, check: &str) -> (bool, String) {
    let json = ran.json();
    let all = json["checks"].as_array().unwrap();
    let found = all.iter().find(|it| it["check"] == check).unwrap_or_else(|| panic!("{check}: {ran:?}"));
    (found["ok"].as_bool().unwrap(), found["saw"].as_str().unwrap().to_owned())
}

/// moto starts without a recorder, and has no `GetAccountSettings`: a check that cannot run names its call.
#[tokio::test]
async fn what_a_deployment_needs_is_checked_without_a_ledger() {
    let bench = Bench::create().await;
    let arguments = ["doctor", "--before", "--prefix", "rectify-", "--json"];
    let before = bench.run(&arguments).await;
    assert_eq!(before.code, 1, "{before:?}");
    assert_eq!(result(&before, "recorder").1, "no configuration recorder: no change is reported");
    assert_eq!(result(&before, "channel").1, "no delivery channel: AWS Config records nothing without one");
    let (fits, rules) = result(&before, "rules");
    let count = rectify_catalogue::controls().count();
    assert!(fits && rules.starts_with(&format!("{count} to deploy, ")), "{rules}");
    let (fits, roles) = result(&before, "roles");
    assert!(fits && roles.starts_with("at most ") && roles.ends_with(", of 1000"), "{roles}");
    let (_, functions) = result(&before, "functions");
    assert!(functions.contains("lambda:GetAccountSettings") || functions.contains("concurrency"), "{functions}");

    let config = aws_sdk_config::Client::new(&bench.sandbox.sdk);
    let role = format!("arn:aws:iam::{ACCOUNT}:role/config");
    let recorder = ConfigurationRecorder::builder().name("default").role_arn(role).build();
    config.put_configuration_recorder().configuration_recorder(recorder).send().await.unwrap();
    let channel = DeliveryChannel::builder().name("default").s3_bucket_name("config-logs").build();
    config.put_delivery_channel().delivery_channel(channel).send().await.unwrap();
    config.start_configuration_recorder().configuration_recorder_name("default").send().await.unwrap();
    let after = bench.run(&arguments).await;
    assert_eq!(result(&after, "recorder"), (true, "`default` is recording".to_owned()));
    assert_eq!(result(&after, "channel"), (true, "delivers to `config-logs`".to_owned()));
    config.stop_configuration_recorder().configuration_recorder_name("default").send().await.unwrap();
    config.delete_delivery_channel().delivery_channel_name("default").send().await.unwrap();
    config.delete_configuration_recorder().configuration_recorder_name("default").send().await.unwrap();
}

#[tokio::test]
async fn a_deployment_is_compared_with_the_file() {
    let bench = Bench::create().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rectify.yaml");
    std::fs::write(&file, "prefix: absent-\nmode: off\ncontrols: { restricted-ssh: plan }\n").unwrap();
    let arguments = ["doctor", "--settings", file.to_str().unwrap(), "--prefix", "absent-", "--json"];
    let seen = bench.run(&arguments).await;
    assert_eq!(seen.code, 1, "{seen:?}");
    let expected = "not deployed: restricted-ssh: run `rectify synth` and deploy again";
    assert_eq!(result(&seen, "selection"), (false, expected.to_owned()));
    let expected = "remediation not deployed: restricted-ssh: run `rectify synth` and deploy again";
    assert_eq!(result(&seen, "modes"), (false, expected.to_owned()));

    std::fs::write(&file, "mode: offf\n").unwrap();
    let refused = bench.run(&arguments[..3]).await;
    assert!(refused.code == 2 && refused.err.contains("mode: expected off, observe, plan or enforce"), "{refused:?}");
    let missing = bench.run(&["doctor", "--before", "--settings", "absent.yaml"]).await;
    assert!(missing.code == 2 && missing.err.contains("absent.yaml: "), "{missing:?}");
}
