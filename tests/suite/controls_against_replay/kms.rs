//! Keys.

use rectify_kms::controls::cmk_backing_key_rotation_enabled::CMK_BACKING_KEY_ROTATION_ENABLED;
use rectify_kms_lambda::Clients;

use super::*;

/// A key of its own in `region`.
async fn key(region: &str) -> String {
    let kms = aws_sdk_kms::Client::new(&Services::default().sdk(region));
    kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id
}

/// A key policy that does not let the rule in is no verdict.
#[tokio::test]
async fn denied_read_of_a_key_is_a_fault() {
    key("eu-north-1").await;
    each_denied_read_is_told(
        &on_change_and_schedule::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED),
        "eu-north-1",
        "AccessDeniedException",
    )
    .await;
}

#[tokio::test]
async fn key_that_kms_calls_unsupported_is_not_applicable_and_one_that_is_gone_is_left_out() {
    key("eu-south-1").await;
    for (code, said) in
        [("UnsupportedOperationException", "has no automatic rotation"), ("NotFoundException", "no resource in scope")]
    {
        let operation = Some("kms:GetKeyRotationStatus");
        let services = Services::refusing([InjectedError { operation, number: 1, code }]);
        inventory(&on_change_and_schedule::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED), &services, "eu-south-1")
            .await
            .unwrap();
        let sent = services.evaluations()[0]["Evaluations"][0].clone();
        assert_eq!(sent["ComplianceType"], "NOT_APPLICABLE", "{sent}");
        assert!(sent["Annotation"].as_str().unwrap().ends_with(said), "{sent}");
    }
}

/// A key policy that does not let the remediation in ends the attempt for good.
#[tokio::test]
async fn denied_rotation_fails_the_attempt_for_good_and_a_key_that_is_gone_needs_nothing() {
    let around = Surroundings::create().await;
    let id = key(REGION).await;
    let operation = Some("kms:EnableKeyRotation");
    let services = Services::refusing([InjectedError { operation, number: 1, code: "AccessDeniedException" }]);
    let fault = remedied::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &services, &around, &id).await.unwrap_err();
    assert!(matches!(&fault, Error::ActionFailed { terminal: true, .. }), "{fault:?}");

    let services = Services::default();
    let unknown = "00000000-0000-0000-0000-000000000000";
    let gone = remedied::<_, Clients>(&CMK_BACKING_KEY_ROTATION_ENABLED, &services, &around, unknown).await.unwrap();
    assert!(matches!(gone, Disposition::Ended { outcome: Outcome::Gone, .. }), "{gone:?}");
    assert_eq!(services.calls(), ["kms:DescribeKey"]);
}
