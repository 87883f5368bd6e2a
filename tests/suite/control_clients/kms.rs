//! KMS keys.

use rectify_kms::controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED;
use rectify_kms::controls::kms_key_policy_no_public_access::KMS_KEY_POLICY_NO_PUBLIC_ACCESS;
use rectify_kms_lambda::Clients;

use super::*;

/// Creates a key in `region`.
async fn key(region: &str) -> String {
    let kms = aws_sdk_kms::Client::new(&Services::default().sdk(region));
    kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id
}

/// A key policy that denies the rule's reads leads to an error, not to a verdict.
#[tokio::test]
async fn denied_read_of_a_key_is_an_error() {
    key("eu-north-1").await;
    each_denied_read_is_reported(
        &on_change_and_schedule::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED),
        "eu-north-1",
        "AccessDeniedException",
    )
    .await;
}

/// `kms-key-policy-no-public-access/9`
#[tokio::test]
async fn denied_read_of_a_key_policy_is_an_error() {
    key("eu-central-2").await;
    let rule = on_change_and_schedule::<_, Clients>(&KMS_KEY_POLICY_NO_PUBLIC_ACCESS);
    each_denied_read_is_reported(&rule, "eu-central-2", "AccessDeniedException").await;
}

/// `kms-key-policy-no-public-access/10`: KMS refuses the policy, and a deleted key is gone.
#[tokio::test]
async fn refused_key_policy_fails_terminally_and_a_deleted_key_ends_as_gone() {
    let (sandbox, kms) = (Sandbox::create().await, aws_sdk_kms::Client::new(&sdk_at(endpoint())));
    let id = key(REGION).await;
    let allow =
        |principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"});
    let root = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")});
    let policy = json!({"Version": "2012-10-17", "Statement": [allow(root), allow(json!("*"))]}).to_string();
    kms.put_key_policy().key_id(&id).policy_name("default").policy(policy).send().await.unwrap();
    for code in ["MalformedPolicyDocumentException", "AccessDeniedException"] {
        let sandbox = Sandbox::create().await;
        let operation = Some("kms:PutKeyPolicy");
        let services = Services::refusing([InjectedError { operation, number: 1, code }]);
        let error =
            remediate::<_, Clients>(&KMS_KEY_POLICY_NO_PUBLIC_ACCESS, &services, &sandbox, &id).await.unwrap_err();
        assert!(matches!(&error, Error::ActionFailed { terminal: true, .. }), "{code}: {error:?}");
    }
    let services = Services::default();
    let unknown = "00000000-0000-0000-0000-000000000000";
    let gone = remediate::<_, Clients>(&KMS_KEY_POLICY_NO_PUBLIC_ACCESS, &services, &sandbox, unknown).await.unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), ["kms:DescribeKey"]);
}

#[tokio::test]
async fn unsupported_key_is_not_applicable_and_a_deleted_key_is_left_out() {
    key("eu-south-1").await;
    for code in ["UnsupportedOperationException", "NotFoundException"] {
        let operation = Some("kms:GetKeyRotationStatus");
        let services = Services::refusing([InjectedError { operation, number: 1, code }]);
        run_scheduled(
            &on_change_and_schedule::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED),
            &services,
            "eu-south-1",
        )
        .await
        .unwrap();
        // AWS Config shows neither.
        assert_eq!(services.evaluations()[0]["Evaluations"], json!([]), "{code}");
    }
}

/// A key policy that denies the remediation's write fails the attempt terminally.
#[tokio::test]
async fn denied_rotation_fails_terminally_and_a_deleted_key_ends_as_gone() {
    let sandbox = Sandbox::create().await;
    let id = key(REGION).await;
    let operation = Some("kms:EnableKeyRotation");
    let services = Services::refusing([InjectedError { operation, number: 1, code: "AccessDeniedException" }]);
    let error = remediate::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &services, &sandbox, &id).await.unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, .. }), "{error:?}");

    let services = Services::default();
    let unknown = "00000000-0000-0000-0000-000000000000";
    let gone = remediate::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &services, &sandbox, unknown).await.unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), ["kms:DescribeKey"]);
}
