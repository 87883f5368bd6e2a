use serde_json::json;

use super::*;

pub(crate) const ID: &str = "5b0f4b3e-6a0c-4a3b-9a38-2f6b1d0e7c55";

fn configuration(changes: &Value) -> Value {
    let mut configuration = json!({
        "keyId": ID, "arn": format!("arn:aws:kms:eu-west-1:111122223333:key/{ID}"), "keyManager": "CUSTOMER",
        "keySpec": "SYMMETRIC_DEFAULT", "customerMasterKeySpec": "SYMMETRIC_DEFAULT", "origin": "AWS_KMS",
        "keyState": "Enabled", "multiRegion": false, "awsaccountId": "111122223333"
    });
    for (key, value) in changes.as_object().unwrap() {
        configuration[key] = value.clone();
    }
    configuration
}

pub(crate) fn item(changes: &Value, supplementary: &Value) -> ConfigurationItem {
    ConfigurationItem::from_notification(&json!({
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": TYPE, "resourceId": ID,
        "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": configuration(changes), "supplementaryConfiguration": supplementary, "tags": {"team": "pay"}
    }))
    .unwrap()
}

fn recorded(changes: &Value, supplementary: &Value) -> Result<RecordedKey, ShapeError> {
    RecordedKey::from_item(&item(changes, supplementary))
}

/// The key of the unchanged item: tagged, with rotation off.
pub(crate) fn key() -> Key {
    Key {
        id: ID.into(),
        arn: format!("arn:aws:kms:eu-west-1:111122223333:key/{ID}"),
        manager: Manager::Customer,
        spec: "SYMMETRIC_DEFAULT".into(),
        origin: "AWS_KMS".into(),
        part: Part::Single,
        state: KeyState::Enabled,
        rotation: Some(Rotation::Off),
        tags: Tags::from([("team".into(), "pay".into())]),
    }
}

#[test]
fn item_becomes_a_key() {
    let case = "cmk-backing-key-rotation-enabled/9";
    for (tags, status) in [(json!({}), json!(false)), (json!([]), json!("false")), (json!(null), json!("False"))] {
        let read = recorded(&json!({}), &json!({"Tags": tags, "KeyRotationStatus": status})).unwrap();
        assert_eq!(read.key(), &key(), "{case}: {tags} {status}");
    }
    let on = recorded(&json!({}), &json!({"KeyRotationStatus": true})).unwrap();
    assert_eq!(on.key().rotation, Some(Rotation::On { period_in_days: None }));
    assert_eq!(recorded(&json!({}), &json!({})).unwrap().key().rotation, None);
    let older = recorded(&json!({"keySpec": null}), &json!({"KeyRotationStatus": false})).unwrap();
    assert_eq!(older.key(), &key());
}

#[test]
fn missing_or_unknown_fields_are_errors() {
    for (changes, path) in [
        (json!({"keyId": null}), "configuration.KeyId"),
        (json!({"arn": ""}), "configuration.Arn"),
        (json!({"keyManager": null}), "configuration.KeyManager"),
        (json!({"keyManager": "PARTNER"}), "configuration.KeyManager"),
        (json!({"keySpec": null, "customerMasterKeySpec": null}), "configuration.KeySpec"),
        (json!({"origin": null}), "configuration.Origin"),
        (json!({"keyState": "Frozen"}), "configuration.KeyState"),
        (
            json!({"multiRegion": true, "multiRegionConfiguration": {"multiRegionKeyType": "SPARE"}}),
            "configuration.MultiRegionKeyType",
        ),
        (json!({"multiRegion": "yes"}), "configuration"),
    ] {
        let error = recorded(&changes, &json!({})).unwrap_err();
        assert_eq!(error.path, path, "{changes}: {error}");
    }
    for status in [json!("perhaps"), json!(1), json!({})] {
        assert!(recorded(&json!({}), &json!({"KeyRotationStatus": status})).is_err(), "{status}");
    }
}

#[test]
fn multi_region_key_is_identified_by_flag_or_id() {
    let kind = |kind: &str| json!({"multiRegion": true, "multiRegionConfiguration": {"multiRegionKeyType": kind}});
    let by_id = json!({"keyId": "mrk-5b0f4b3e6a0c4a3b9a382f6b1d0e7c55", "multiRegion": null});
    for (changes, part) in [
        (json!({}), Part::Single),
        (json!({"multiRegion": null}), Part::Single),
        (kind("PRIMARY"), Part::Primary),
        (kind("REPLICA"), Part::Replica),
        (json!({"multiRegion": true}), Part::Unknown),
        (by_id, Part::Unknown),
    ] {
        assert_eq!(recorded(&changes, &json!({})).unwrap().key().part, part, "{changes}");
    }
    let unknown_part = Description::deserialize(&configuration(&json!({"multiRegion": true}))).unwrap();
    assert!(unknown_part.live().unwrap_err().path.contains("MultiRegionKeyType"));
}

#[test]
fn item_suffices_if_it_contains_all_needed_fields() {
    let (none, off, on) = (json!({}), json!({"KeyRotationStatus": false}), json!({"KeyRotationStatus": true}));
    let unknown_part = json!({"multiRegion": true});
    for (changes, supplementary, with_period, is_sufficient) in [
        (&json!({}), &none, false, false),
        (&json!({}), &off, false, true),
        (&json!({}), &off, true, true),
        (&json!({}), &on, false, true),
        (&json!({}), &on, true, false),
        (&json!({"keyManager": "AWS"}), &none, true, true),
        (&json!({"keyState": "PendingDeletion"}), &none, false, true),
        (&unknown_part, &on, false, false),
    ] {
        let recorded = recorded(changes, supplementary).unwrap();
        assert_eq!(recorded.is_sufficient(with_period), is_sufficient, "{changes} {supplementary} {with_period}");
    }
}

#[test]
fn missing_period_is_the_default() {
    assert_eq!(Rotation::answered(true, None), Ok(Rotation::On { period_in_days: Some(365) }));
    assert_eq!(Rotation::answered(true, Some(90)), Ok(Rotation::On { period_in_days: Some(90) }));
    assert_eq!(Rotation::answered(false, Some(90)), Ok(Rotation::Off));
    for days in [0, -1] {
        assert!(Rotation::answered(true, Some(days)).is_err());
    }
}
