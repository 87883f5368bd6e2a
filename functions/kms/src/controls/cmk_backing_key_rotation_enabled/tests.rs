//! The cases of the rule and of its remediation.

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{ConfigurationItem, Resource};
use rectify_testing::{Case, Cases};

use super::*;
use crate::resources::key::tests::ID;
use crate::resources::key::{Manager, Part};

pub(super) fn key(rotation: Option<Rotation>) -> Key {
    Key { rotation, ..crate::resources::key::tests::key() }
}

pub(super) fn every(days: u32) -> Rotation {
    Rotation::On { period_in_days: Some(days) }
}

/// A case for a key with this rotation.
fn case(name: &str, rotation: Rotation) -> Case<'_, CmkBackingKeyRotationEnabled> {
    changed(name, |key| key.rotation = Some(rotation))
}

/// A case for a key with rotation off and this change.
fn changed(name: &str, change: impl FnOnce(&mut Key)) -> Case<'_, CmkBackingKeyRotationEnabled> {
    Cases::of(&CmkBackingKeyRotationEnabled, key(Some(Rotation::Off))).case(name, change)
}

fn text(text: &str) -> String {
    format!("Key {ID} {text}")
}

fn enable(rotation_period_in_days: Option<u32>) -> Action {
    Action::EnableKeyRotation { key_id: ID.into(), rotation_period_in_days }
}

const FIX: &str = r#"L1 EnableKeyRotation {"KeyId":"5b0f4b3e-6a0c-4a3b-9a38-2f6b1d0e7c55"}"#;
const FIX_365: &str =
    r#"L1 EnableKeyRotation {"KeyId":"5b0f4b3e-6a0c-4a3b-9a38-2f6b1d0e7c55","RotationPeriodInDays":365}"#;
const FIX_90: &str =
    r#"L1 EnableKeyRotation {"KeyId":"5b0f4b3e-6a0c-4a3b-9a38-2f6b1d0e7c55","RotationPeriodInDays":90}"#;
const MAX_365: &str = r#"{"maxRotationPeriodInDays": "365"}"#;
const MAX_90: &str = r#"{"maxRotationPeriodInDays": 90}"#;
const DISABLED_TOO: &str = r#"{"includeDisabled": "True"}"#;

#[test]
fn rotation_status_and_period_determine_the_verdict() {
    use Rotation::Off;
    let off = text("rotation is off");
    let unknown = Rotation::On { period_in_days: None };
    case("cmk-backing-key-rotation-enabled/1", Off).non_compliant(&off).planned(&[FIX]);
    case("on", every(365)).compliant();
    case("on, stated by an item", unknown).compliant();
    case("on, with the maximum period of KMS", every(2560)).compliant();
    changed("not stated", |it| it.rotation = None).non_compliant(&off).planned(&[FIX]);
    case("cmk-backing-key-rotation-enabled/7", every(730))
        .with(MAX_365)
        .non_compliant(&text("rotates every 730 d (maximum 365 d)"))
        .planned(&[FIX_365]);
    case("one day too long", every(366))
        .with(MAX_365)
        .non_compliant(&text("rotates every 366 d (maximum 365 d)"))
        .planned(&[FIX_365]);
    case("exactly the maximum", every(365)).with(MAX_365).compliant();
    case("much shorter", every(90)).with(MAX_365).compliant();
    case("off, the default period is short enough", Off).with(MAX_365).non_compliant(&off).planned(&[FIX]);
    case("off, the default period is far shorter", Off)
        .with(r#"{"maxRotationPeriodInDays": 2560}"#)
        .non_compliant(&off)
        .planned(&[FIX]);
    case("off, the default period is too long", Off).with(MAX_90).non_compliant(&off).planned(&[FIX_90]);
    case("unknown period", unknown)
        .with(MAX_365)
        .non_compliant(&text("rotates in an unknown period (maximum 365 d)"))
        .planned(&[FIX_365]);
    changed("cmk-backing-key-rotation-enabled/4, the primary", |it| it.part = Part::Primary)
        .non_compliant(&off)
        .planned(&[FIX]);
}

#[test]
fn key_state_other_than_enabled_blocks_the_plan() {
    let held = |state: &str| format!("blocked: KeyState is `{state}`: rotation can be set while it is `Enabled`");
    let disabled = |name, rotation| {
        let state = KeyState::Disabled;
        changed(name, |it| (it.state, it.rotation) = (state, Some(rotation))).with(DISABLED_TOO)
    };
    disabled("disabled, included", Rotation::Off)
        .non_compliant(&text("(disabled) rotation is off"))
        .planned(&[&held("Disabled"), FIX]);
    disabled("disabled and on", every(365)).compliant_with(&text("(disabled) rotates once it is enabled again"));
    changed("changing the primary Region", |it| it.state = KeyState::Updating)
        .non_compliant(&text("rotation is off"))
        .planned(&[&held("Updating"), FIX]);
}

#[test]
fn keys_without_automatic_rotation_are_not_applicable() {
    let spec = |name, spec: &str| changed(name, |it| it.spec = spec.into());
    let origin = |name, origin: &str| changed(name, |it| it.origin = origin.into());
    let state = |name, state| changed(name, |it| it.state = state);
    for (case, reason) in [
        (spec("cmk-backing-key-rotation-enabled/2", "RSA_2048"), "(RSA_2048) has no automatic rotation"),
        (spec("cmk-backing-key-rotation-enabled/2, HMAC", "HMAC_256"), "(HMAC_256) has no automatic rotation"),
        (origin("cmk-backing-key-rotation-enabled/3", "EXTERNAL"), "(origin EXTERNAL) has no automatic rotation"),
        (origin("custom key store", "AWS_CLOUDHSM"), "(origin AWS_CLOUDHSM) has no automatic rotation"),
        (
            changed("cmk-backing-key-rotation-enabled/4", |it| it.part = Part::Replica),
            "is a replica; evaluated where its primary key is",
        ),
        (changed("cmk-backing-key-rotation-enabled/5", |it| it.manager = Manager::Aws), "is managed by AWS"),
        (state("cmk-backing-key-rotation-enabled/6", KeyState::PendingDeletion), "is in state PendingDeletion"),
        (state("pending replica deletion", KeyState::PendingReplicaDeletion), "is in state PendingReplicaDeletion"),
        (state("pending import", KeyState::PendingImport), "is in state PendingImport"),
        (state("creating", KeyState::Creating), "is in state Creating"),
        (state("unavailable", KeyState::Unavailable), "is in state Unavailable"),
        (state("disabled", KeyState::Disabled), "is disabled"),
        (case("rotation unsupported", Rotation::Unsupported), "has no automatic rotation"),
    ] {
        case.not_applicable(&text(reason));
    }
}

#[test]
fn incomplete_item_is_completed_by_a_live_read() {
    let name = "cmk-backing-key-rotation-enabled/8";
    let item = ConfigurationItem::from_notification(&json!({
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": TYPE, "resourceId": ID,
        "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": {
            "keyId": ID, "arn": format!("arn:aws:kms:eu-west-1:111122223333:key/{ID}"), "keyManager": "CUSTOMER",
            "keySpec": "SYMMETRIC_DEFAULT", "origin": "AWS_KMS", "keyState": "Enabled", "multiRegion": false
        }
    }))
    .unwrap();
    let recorded = RecordedKey::from_item(&item).unwrap();
    assert!(!recorded.is_sufficient(false), "{name}");
    let with_live = |live| changed(name, |it| *it = CmkBackingKeyRotationEnabled.subject(recorded.clone(), live));
    with_live(Some(key(Some(every(365))))).compliant();
    for live in [Some(key(Some(Rotation::Off))), None] {
        with_live(live).non_compliant(&text("rotation is off")).planned(&[FIX]);
    }
}

#[test]
fn undo_restores_the_previous_rotation() {
    let done = [enable(None)];
    let undo = |before| CmkBackingKeyRotationEnabled.undo(&key(before), &done);
    let stored = |before| serde_json::to_value(undo(before).unwrap()).unwrap();
    assert_eq!(stored(Some(Rotation::Off)), json!([{"DisableKeyRotation": {"KeyId": ID}}]));
    let before = json!([{"EnableKeyRotation": {"KeyId": ID, "RotationPeriodInDays": 730}}]);
    assert_eq!(stored(Some(every(730))), before);
    assert_eq!(CmkBackingKeyRotationEnabled.undo(&key(None), &[]), Ok(vec![]));
    assert!(undo(None).is_err());
}

#[test]
fn action_on_another_key_changes_nothing() {
    let other = Action::EnableKeyRotation { key_id: "other".into(), rotation_period_in_days: None };
    let off = key(Some(Rotation::Off));
    assert_eq!(CmkBackingKeyRotationEnabled.predict(off.clone(), &other), off);
}

#[test]
fn period_outside_the_kms_range_is_rejected() {
    for text in [r#"{"maxRotationPeriodInDays": 89}"#, r#"{"maxRotationPeriodInDays": "2561"}"#] {
        assert!(RuleParameters::<KeyRotationParameters>::parse(Some(text)).is_err(), "{text}");
    }
}
