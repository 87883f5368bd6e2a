//! Resources that CloudFormation manages but does not tag: looked up right before a change, and not changed.

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

async fn reason<K>(control: &'static Declared<K>, sandbox: &Sandbox, disposition: &Disposition) -> String {
    let ledger = rectify_runtime::ledger::Ledger::new(&sandbox.sdk, &sandbox.name);
    ledger.attempt(control.meta.id, disposition.attempt().unwrap()).await.unwrap().unwrap().reason
}

#[tokio::test]
async fn key_that_a_stack_manages_is_planned_and_the_stack_is_named() {
    let (sandbox, id) = (Sandbox::create().await, key().await);
    let services = Services::default().in_stack(id, "keys");
    let disposition =
        remediate::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &services, &sandbox, id).await.unwrap();
    assert!(matches!(disposition, Disposition::Ended { outcome: Outcome::Planned, .. }), "{disposition:?}");
    assert_eq!(
        reason(&CMK_BACKING_KEY_ROTATION_ENABLED, &sandbox, &disposition).await,
        "managed by CloudFormation stack `keys`"
    );
    assert!(!is_rotated(id).await);
    assert_eq!(services.calls().iter().filter(|it| *it == LOOKUP).count(), 1, "{:?}", services.calls());
}

#[tokio::test]
async fn key_outside_any_stack_is_fixed_after_one_lookup() {
    let (sandbox, id) = (Sandbox::create().await, key().await);
    let services = Services::default();
    let disposition =
        remediate::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &services, &sandbox, id).await.unwrap();
    assert!(matches!(disposition, Disposition::Ended { outcome: Outcome::Verified, .. }), "{disposition:?}");
    assert!(is_rotated(id).await);
    assert_eq!(services.calls().iter().filter(|it| *it == LOOKUP).count(), 1, "{:?}", services.calls());
}

#[tokio::test]
async fn failed_lookup_fails_the_delivery_and_changes_nothing() {
    let (sandbox, id) = (Sandbox::create().await, key().await);
    for code in ["AccessDenied", "Throttling"] {
        let services = Services::refusing([InjectedError { operation: Some(LOOKUP), number: 1, code }]);
        let error =
            remediate::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &services, &sandbox, id).await.unwrap_err();
        assert!(error.to_string().contains(&format!("{LOOKUP}: {code}")), "{error}");
        assert!(!is_rotated(id).await, "{code}");
    }
}

/// The bucket has no stack tag: its policy is a separate resource of the stack.
#[tokio::test]
async fn bucket_whose_policy_a_stack_manages_is_planned() {
    buckets().await;
    let sandbox = Sandbox::create().await;
    let services = Services::default().in_stack("denied-reads", "policies");
    let disposition =
        remediate::<_, rectify_s3_lambda::Clients>(&S3_BUCKET_SSL_REQUESTS_ONLY, &services, &sandbox, "denied-reads")
            .await;
    let disposition = disposition.unwrap();
    assert!(matches!(disposition, Disposition::Ended { outcome: Outcome::Planned, .. }), "{disposition:?}");
    assert_eq!(
        reason(&S3_BUCKET_SSL_REQUESTS_ONLY, &sandbox, &disposition).await,
        "managed by CloudFormation stack `policies`"
    );
    assert!(!services.calls().contains(&"s3:PutBucketPolicy".to_owned()), "{:?}", services.calls());
}

#[tokio::test]
async fn no_lookup_in_mode_plan_or_if_stacks_may_be_changed() {
    let (sandbox, id) = (Sandbox::create().await, key().await);
    for (name, value, outcome) in
        [("MODE", "plan", Outcome::Planned), ("REMEDIATE_MANAGED_STACKS", "true", Outcome::Verified)]
    {
        let services = Services::default().in_stack(id, "keys");
        let mut context =
            remediation(deployed::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED), &sandbox, &services.sdk(REGION));
        match name {
            "MODE" => context.settings.mode = value.parse().unwrap(),
            _ => context.settings.remediate_managed_stacks = true,
        }
        let event = finding(&CMK_BACKING_KEY_ROTATION_ENABLED, id, "2026-03-04T05:06:08.900Z");
        let mut line = Invocation::start(CMK_BACKING_KEY_ROTATION_ENABLED.meta.id, "r");
        let worker = delivery("worker");
        let disposition = remedy(&context, &event, &worker, &mut line).await;
        let disposition = disposition.unwrap();
        assert!(
            matches!(&disposition, Disposition::Ended { outcome: it, .. } if *it == outcome),
            "{name}: {disposition:?}"
        );
        assert!(!services.calls().contains(&LOOKUP.to_owned()), "{name}: {:?}", services.calls());
    }
}
