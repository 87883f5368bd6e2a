//! What CloudFormation manages and does not tag: looked up right before a change, and left alone.

use rectify_compliance::Declared;
use rectify_kms::controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED;
use rectify_kms_lambda::Clients;
use rectify_s3::S3_BUCKET_SSL_REQUESTS_ONLY;

use super::*;

const LOOKUP: &str = "cloudformation:DescribeStackResources";

async fn key() -> &'static str {
    let kms = aws_sdk_kms::Client::new(&sdk_at(endpoint()));
    kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id.leak()
}

async fn is_rotated(id: &str) -> bool {
    let kms = aws_sdk_kms::Client::new(&sdk_at(endpoint()));
    kms.get_key_rotation_status().key_id(id).send().await.unwrap().key_rotation_enabled
}

async fn reason<K>(control: &'static Declared<K>, around: &Surroundings, handled: &Disposition) -> String {
    let ledger = rectify_runtime::ledger::Ledger::new(&around.sdk, &around.name);
    ledger.attempt(control.meta.id, handled.attempt().unwrap()).await.unwrap().unwrap().reason
}

#[tokio::test]
async fn key_that_a_stack_manages_is_planned_and_the_stack_is_named() {
    let (around, id) = (Surroundings::create().await, key().await);
    let services = Services::default().in_stack(id, "keys");
    let handled = remedied::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &services, &around, id).await.unwrap();
    assert!(matches!(handled, Disposition::Ended { outcome: Outcome::Planned, .. }), "{handled:?}");
    assert_eq!(
        reason(&CMK_BACKING_KEY_ROTATION_ENABLED, &around, &handled).await,
        "managed by CloudFormation stack `keys`"
    );
    assert!(!is_rotated(id).await);
    assert_eq!(services.calls().iter().filter(|it| *it == LOOKUP).count(), 1, "{:?}", services.calls());
}

#[tokio::test]
async fn key_of_no_stack_is_fixed_after_one_lookup() {
    let (around, id) = (Surroundings::create().await, key().await);
    let services = Services::default();
    let handled = remedied::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &services, &around, id).await.unwrap();
    assert!(matches!(handled, Disposition::Ended { outcome: Outcome::Verified, .. }), "{handled:?}");
    assert!(is_rotated(id).await);
    assert_eq!(services.calls().iter().filter(|it| *it == LOOKUP).count(), 1, "{:?}", services.calls());
}

#[tokio::test]
async fn lookup_that_fails_fails_the_delivery_and_changes_nothing() {
    let (around, id) = (Surroundings::create().await, key().await);
    for code in ["AccessDenied", "Throttling"] {
        let services = Services::refusing([InjectedError { operation: Some(LOOKUP), number: 1, code }]);
        let fault =
            remedied::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &services, &around, id).await.unwrap_err();
        assert!(fault.to_string().contains(&format!("{LOOKUP}: {code}")), "{fault}");
        assert!(!is_rotated(id).await, "{code}");
    }
}

/// The bucket itself carries no tag of a stack: its policy is a resource of its own.
#[tokio::test]
async fn bucket_whose_policy_a_stack_manages_is_planned() {
    buckets().await;
    let around = Surroundings::create().await;
    let services = Services::default().in_stack("denied-reads", "policies");
    let handled =
        remedied::<_, rectify_s3_lambda::Clients>(&S3_BUCKET_SSL_REQUESTS_ONLY, &services, &around, "denied-reads")
            .await;
    let handled = handled.unwrap();
    assert!(matches!(handled, Disposition::Ended { outcome: Outcome::Planned, .. }), "{handled:?}");
    assert_eq!(
        reason(&S3_BUCKET_SSL_REQUESTS_ONLY, &around, &handled).await,
        "managed by CloudFormation stack `policies`"
    );
    assert!(!services.calls().contains(&"s3:PutBucketPolicy".to_owned()), "{:?}", services.calls());
}

#[tokio::test]
async fn nothing_is_looked_up_where_nothing_would_be_done_or_stacks_may_be_changed() {
    let (around, id) = (Surroundings::create().await, key().await);
    for (name, value, outcome) in
        [("MODE", "plan", Outcome::Planned), ("REMEDIATE_MANAGED_STACKS", "true", Outcome::Verified)]
    {
        let services = Services::default().in_stack(id, "keys");
        let mut shell =
            remediation(deployed::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED), &around, &services.sdk(REGION));
        match name {
            "MODE" => shell.settings.mode = value.parse().unwrap(),
            _ => shell.settings.remediate_managed_stacks = true,
        }
        let event = finding(&CMK_BACKING_KEY_ROTATION_ENABLED, id, "2026-03-04T05:06:08.900Z");
        let mut line = Invocation::start(CMK_BACKING_KEY_ROTATION_ENABLED.meta.id, "r");
        let worker = delivery("worker");
        let handled = remedy(&shell, &event, &worker, &mut line).await;
        let handled = handled.unwrap();
        assert!(matches!(&handled, Disposition::Ended { outcome: it, .. } if *it == outcome), "{name}: {handled:?}");
        assert!(!services.calls().contains(&LOOKUP.to_owned()), "{name}: {:?}", services.calls());
    }
}
