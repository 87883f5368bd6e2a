//! Verdicts and plans of `encrypted-volumes`.
use proptest::prelude::*;
use rectify_compliance::Resource;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Cases, Laws};
use serde_json::{Value, json};

use super::*;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555";
const OTHER: &str = "arn:aws:kms:eu-west-1:444455556666:key/99999999-2222-3333-4444-555555555555";
const PLAIN: &str = "vol-1 (100 GiB, on i-1 /dev/xvda) is not encrypted";
const COPY: &str = "L3 manual: stop what writes to vol-1, then ec2:CreateSnapshot of it, ec2:CopySnapshot with \
                    Encrypted=true, and ec2:CreateVolume from the copy in the same Availability Zone";
const SWAP: &str = "L3 manual: stop the instance, detach vol-1, attach the new volume in its place (i-1 /dev/xvda), and \
                    start the instance";

fn read(change: impl FnOnce(&mut Value)) -> Result<Volume, String> {
    let attached = json!({"instanceId": "i-1", "device": "/dev/xvda", "state": "attached"});
    let mut configuration =
        json!({"volumeId": "vol-1", "size": 100, "state": "in-use", "encrypted": false, "attachments": [attached]});
    change(&mut configuration);
    let item = crate::arbitrary::item(TYPE, "vol-1", configuration, &[("team", "web")]);
    Volume::from_item(&item).map_err(|error| error.to_string())
}

fn volume() -> Volume {
    read(|_| ()).unwrap()
}

fn encrypted(volume: &mut Volume) {
    (volume.encrypted, volume.kms_key_id) = (true, Some(KEY.to_owned()));
}

#[test]
fn attached_volume_must_be_encrypted() {
    let cases = Cases::of(&CONTROL, volume());
    let case = |name, change: fn(&mut Volume)| cases.case(name, change);
    let detached = |it: &mut Volume| it.attachments.clear();
    case("encrypted-volumes/1", |_| ()).non_compliant(PLAIN).planned(&[COPY, SWAP]);
    case("encrypted", encrypted).compliant();
    case("encrypted-volumes/2", detached).not_applicable("volume is not attached");
    case("encrypted-volumes/2 evaluated", detached)
        .with(r#"{"checkUnattached": "true"}"#)
        .non_compliant("vol-1 (100 GiB, not attached) is not encrypted")
        .planned(&[COPY]);
    case("encrypted-volumes/5", |it| it.state = Some("deleting".into())).not_applicable("volume is deleting");
    case("state unknown", |it| it.state = None).non_compliant(PLAIN);
    case("encrypted-volumes/7", |it| it.attachments.extend(["i-2 /dev/sdf".to_owned()]))
        .non_compliant("vol-1 (100 GiB, on i-1 /dev/xvda, i-2 /dev/sdf) is not encrypted");
    // Each volume of an instance has its own item.
    let second = Volume { id: "vol-2".into(), ..volume() };
    Cases::of(&CONTROL, second)
        .case("encrypted-volumes/10", |_| ())
        .non_compliant("vol-2 (100 GiB, on i-1 /dev/xvda) is not encrypted");
}

#[test]
fn key_is_compared_by_id_or_arn() {
    let cases = Cases::of(&CONTROL, volume());
    let case =
        |name, change: fn(&mut Volume), key: &str| cases.case(name, change).with(&json!({"kmsId": key}).to_string());
    case("by ARN", encrypted, KEY).compliant();
    case("by id", encrypted, "11111111-2222-3333-4444-555555555555").compliant();
    case("part of an id", encrypted, "555555555555")
        .non_compliant(&format!("vol-1 is encrypted with {KEY}; expected 555555555555"));
    case("encrypted-volumes/4", encrypted, OTHER)
        .non_compliant(&format!("vol-1 is encrypted with {KEY}; expected {OTHER}"));
    // The key of another account is compared without a read.
    case("encrypted-volumes/8", |it| (it.encrypted, it.kms_key_id) = (true, Some(OTHER.into())), OTHER).compliant();
    case("key not stated", |it| it.encrypted = true, KEY)
        .non_compliant(&format!("vol-1 is encrypted with an unknown key; expected {KEY}"))
        .planned(&[&COPY.replace("true,", &format!("true and KmsKeyId={KEY},")), SWAP]);
    case("unencrypted", |_| (), KEY).non_compliant(PLAIN);
}

#[test]
fn alias_or_anything_else_is_not_a_key() {
    for (case, given) in [
        ("encrypted-volumes/3", "alias/volumes"),
        ("encrypted-volumes/3", "arn:aws:kms:eu-west-1:111122223333:alias/volumes"),
        ("another service", "arn:aws:s3:::key/1"),
        ("two keys", "1,2"),
    ] {
        let text = json!({"kmsId": given}).to_string();
        let error = RuleParameters::<EncryptedVolumesParameters>::parse(Some(&text)).unwrap_err().to_string();
        assert!(error.contains("expected a key id or the ARN of a key") && error.contains(given), "{case}: {error}");
    }
}

#[test]
fn item_is_read_in_both_shapes() {
    assert_eq!(read(|it| it["state"] = json!({"value": "in-use"})), Ok(volume()), "encrypted-volumes/9");
    for attachments in [Value::Null, json!([])] {
        let unattached = read(|it| it["attachments"] = attachments).unwrap();
        Cases::of(&CONTROL, unattached).case("encrypted-volumes/6", |_| ()).not_applicable("volume is not attached");
    }
    let of_task = read(|it| it["attachments"] = json!([{"instanceOwningService": "fargate.amazonaws.com"}])).unwrap();
    assert_eq!(of_task.attachments, ["a service".to_owned()].into());
    for encrypted in [Value::Null, json!("false")] {
        let error = read(|it| it["encrypted"] = encrypted).unwrap_err();
        assert!(error.starts_with("configuration.encrypted: expected a boolean"), "{error}");
    }
}

#[test]
fn laws() {
    let attachments = prop::collection::btree_set("i-[0-9] /dev/xvd[a-c]", 0..3);
    let state = prop::sample::select(vec!["in-use", "in-use", "available", "deleting"]);
    let volumes = (any::<bool>(), prop::option::of(Just(KEY.to_owned())), attachments, state).prop_map(
        |(encrypted, kms_key_id, attachments, state)| Volume {
            encrypted,
            kms_key_id,
            attachments,
            state: Some(state.to_owned()),
            ..volume()
        },
    );
    let params = (prop::option::of(Just(OTHER.to_owned())), any::<bool>())
        .prop_map(|(kms_id, unattached)| EncryptedVolumesParameters { kms_id, check_unattached: Flag(unattached) });
    Laws::of(&CONTROL, &[], |_, _, call| match *call {}).by_hand().hold((volumes, params));
}
