//! The cases of the rule and of its remediation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{ConfigurationItem, Resource};

use super::*;
pub(super) use crate::key::tests::ID;
use crate::key::{Manager, Part};

pub(super) fn key(rotation: Option<Rotation>) -> Key {
    Key { rotation, ..crate::key::tests::key() }
}

pub(super) fn every(days: u32) -> Rotation {
    Rotation::On { period_in_days: Some(days) }
}

pub(super) fn params(text: &str) -> KeyRotationParameters {
    RuleParameters::parse(Some(text)).unwrap().control
}

pub(super) fn judge(subject: &Key, text: &str) -> Verdict {
    CmkBackingKeyRotationEnabled.evaluate(subject, &params(text), Timestamp::UNIX_EPOCH)
}

pub(super) fn plan(subject: &Key, text: &str) -> Plan<Action> {
    CmkBackingKeyRotationEnabled.plan(subject, &params(text), Timestamp::UNIX_EPOCH)
}

fn enable(rotation_period_in_days: Option<u32>) -> Action {
    Action::EnableKeyRotation { key_id: ID.into(), rotation_period_in_days }
}

fn do_it(action: Action) -> Plan<Action> {
    Plan::Do { steps: vec![Step::call(Level::L1, action)] }
}

const MAX_365: &str = r#"{"maxRotationPeriodInDays": "365"}"#;
const MAX_90: &str = r#"{"maxRotationPeriodInDays": 90}"#;
const DISABLED_TOO: &str = r#"{"includeDisabled": "True"}"#;

#[test]
fn a_key_is_judged_by_whether_and_how_often_kms_rotates_it() {
    let off = || key(Some(Rotation::Off));
    let on = |days| key(Some(every(days)));
    let told_on = || key(Some(Rotation::On { period_in_days: None }));
    let disabled = |rotation| Key { state: KeyState::Disabled, ..key(Some(rotation)) };
    let n = |text: &str| Verdict::non_compliant(format!("Key {ID} {text}"));
    for (case, subject, parameters, expected) in [
        ("cmk-backing-key-rotation-enabled/1", off(), "{}", n("rotation is off")),
        ("on", on(365), "{}", Verdict::COMPLIANT),
        ("on, told by an item", told_on(), "{}", Verdict::COMPLIANT),
        ("on, never more seldom than KMS allows", on(2560), "{}", Verdict::COMPLIANT),
        ("not told at all", key(None), "{}", n("rotation is off")),
        ("cmk-backing-key-rotation-enabled/7", on(730), MAX_365, n("rotates every 730 d (maximum 365 d)")),
        ("one day too long", on(366), MAX_365, n("rotates every 366 d (maximum 365 d)")),
        ("just short enough", on(365), MAX_365, Verdict::COMPLIANT),
        ("off, with a maximum", off(), MAX_365, n("rotation is off")),
        ("a period that is not known", told_on(), MAX_365, n("rotates in an unknown period (maximum 365 d)")),
        ("disabled, by the flag", disabled(Rotation::Off), DISABLED_TOO, n("(disabled) rotation is off")),
        (
            "disabled and on",
            disabled(every(365)),
            DISABLED_TOO,
            Verdict::Compliant(Some(format!("Key {ID} (disabled) rotates once it is enabled again").into())),
        ),
        (
            "cmk-backing-key-rotation-enabled/4, the primary",
            Key { part: Part::Primary, ..off() },
            "{}",
            n("rotation is off"),
        ),
        ("in between two primaries", Key { state: KeyState::Updating, ..off() }, "{}", n("rotation is off")),
    ] {
        assert_eq!(judge(&subject, parameters), expected, "{case}");
    }
}

#[test]
fn keys_that_kms_does_not_rotate_are_not_applicable() {
    let off = || key(Some(Rotation::Off));
    let of_spec = |spec: &str| Key { spec: spec.into(), ..off() };
    let of_origin = |origin: &str| Key { origin: origin.into(), ..off() };
    let in_state = |state| Key { state, ..off() };
    for (case, subject, expected) in [
        ("cmk-backing-key-rotation-enabled/2", of_spec("RSA_2048"), "(RSA_2048) has no automatic rotation"),
        ("cmk-backing-key-rotation-enabled/2, HMAC", of_spec("HMAC_256"), "(HMAC_256) has no automatic rotation"),
        ("cmk-backing-key-rotation-enabled/3", of_origin("EXTERNAL"), "(origin EXTERNAL) has no automatic rotation"),
        ("custom key store", of_origin("AWS_CLOUDHSM"), "(origin AWS_CLOUDHSM) has no automatic rotation"),
        (
            "cmk-backing-key-rotation-enabled/4",
            Key { part: Part::Replica, ..off() },
            "is a replica; evaluated where its primary key is",
        ),
        ("cmk-backing-key-rotation-enabled/5", Key { manager: Manager::Aws, ..off() }, "is managed by AWS"),
        ("cmk-backing-key-rotation-enabled/6", in_state(KeyState::PendingDeletion), "is in state PendingDeletion"),
        ("replicas first", in_state(KeyState::PendingReplicaDeletion), "is in state PendingReplicaDeletion"),
        ("no material", in_state(KeyState::PendingImport), "is in state PendingImport"),
        ("being made", in_state(KeyState::Creating), "is in state Creating"),
        ("out of reach", in_state(KeyState::Unavailable), "is in state Unavailable"),
        ("disabled", in_state(KeyState::Disabled), "is disabled"),
        ("KMS refuses to say", key(Some(Rotation::Unsupported)), "has no automatic rotation"),
    ] {
        assert_eq!(judge(&subject, "{}"), Verdict::not_applicable(format!("Key {ID} {expected}")), "{case}");
        assert_eq!(plan(&subject, "{}"), Plan::Nothing, "{case}");
    }
}

#[test]
fn an_item_that_does_not_say_is_judged_by_the_live_key() {
    let case = "cmk-backing-key-rotation-enabled/8";
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
    assert!(!recorded.suffices(false), "{case}");
    for (live, expected) in [
        (Some(key(Some(every(365)))), Verdict::COMPLIANT),
        (Some(key(Some(Rotation::Off))), Verdict::non_compliant(format!("Key {ID} rotation is off"))),
        (None, Verdict::non_compliant(format!("Key {ID} rotation is off"))),
    ] {
        assert_eq!(judge(&CmkBackingKeyRotationEnabled.subject(recorded.clone(), live), "{}"), expected, "{case}");
    }
}

#[test]
fn the_fix_names_a_period_only_where_the_default_is_too_long() {
    let off = key(Some(Rotation::Off));
    let case = "cmk-backing-key-rotation-enabled/7";
    assert_eq!(plan(&key(Some(every(730))), MAX_365), do_it(enable(Some(365))), "{case}");
    assert_eq!(plan(&off, "{}"), do_it(enable(None)));
    assert_eq!(plan(&off, MAX_365), do_it(enable(None)));
    assert_eq!(plan(&off, r#"{"maxRotationPeriodInDays": 2560}"#), do_it(enable(None)));
    assert_eq!(plan(&off, MAX_90), do_it(enable(Some(90))));
    assert_eq!(plan(&key(Some(every(90))), MAX_365), Plan::Nothing);
    let call = json!({"EnableKeyRotation": {"KeyId": ID}});
    assert_eq!(serde_json::to_value(enable(None)).unwrap(), call);
    let call = json!({"EnableKeyRotation": {"KeyId": ID, "RotationPeriodInDays": 90}});
    assert_eq!(serde_json::to_value(enable(Some(90))).unwrap(), call);
}

#[test]
fn a_key_that_is_not_enabled_is_left_alone() {
    for state in [KeyState::Disabled, KeyState::Updating] {
        let subject = Key { state, ..key(Some(Rotation::Off)) };
        let reason = format!("KeyState is `{state:?}`: rotation can be set while it is `Enabled`");
        assert_eq!(plan(&subject, DISABLED_TOO), Plan::hold(reason, vec![Step::call(Level::L1, enable(None))]));
    }
}

#[test]
fn undo_restores_the_rotation_there_was() {
    let done = [enable(None)];
    let disable = Undo::DisableKeyRotation { key_id: ID.into() };
    assert_eq!(CmkBackingKeyRotationEnabled.undo(&key(Some(Rotation::Off)), &done), Ok(vec![disable]));
    let before = Undo::EnableKeyRotation { key_id: ID.into(), rotation_period_in_days: 730 };
    assert_eq!(CmkBackingKeyRotationEnabled.undo(&key(Some(every(730))), &done), Ok(vec![before]));
    assert_eq!(CmkBackingKeyRotationEnabled.undo(&key(None), &[]), Ok(vec![]));
    assert!(CmkBackingKeyRotationEnabled.undo(&key(None), &done).is_err());
}

#[test]
fn an_action_on_another_key_changes_nothing_of_this_one() {
    let other = Action::EnableKeyRotation { key_id: "other".into(), rotation_period_in_days: None };
    assert_eq!(CmkBackingKeyRotationEnabled.expect(key(Some(Rotation::Off)), &other), key(Some(Rotation::Off)));
}

#[test]
fn a_period_that_kms_does_not_know_is_refused() {
    for text in [r#"{"maxRotationPeriodInDays": 89}"#, r#"{"maxRotationPeriodInDays": "2561"}"#] {
        assert!(RuleParameters::<KeyRotationParameters>::parse(Some(text)).is_err(), "{text}");
    }
}
