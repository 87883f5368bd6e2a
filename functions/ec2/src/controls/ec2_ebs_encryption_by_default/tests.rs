//! Verdicts and plans of `ec2-ebs-encryption-by-default`, and properties that hold for all settings.
use proptest::prelude::*;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Case, Cases, Laws};

use super::*;

const REQUIRED: &str = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555";
const OTHER: &str = "arn:aws:kms:eu-west-1:111122223333:key/99999999-2222-3333-4444-555555555555";
const AWS_MANAGED: &str = "arn:aws:kms:eu-west-1:111122223333:key/00000000-2222-3333-4444-555555555555";
const KEY: &str = r#"{"kmsKeyId":"alias/volumes"}"#;
const CHANGE: &str = r#"{"kmsKeyId":"alias/volumes","allowKeyChange":"true"}"#;

const OFF: &str = "EBS encryption by default is off in eu-west-1";
const ENABLE: &str = "L1 EnableEbsEncryptionByDefault {}";
const NEEDS: &str = "blocked: changing the default key needs allowKeyChange";
/// The response if the AWS managed key is the default.
const AWS_DEFAULT: Option<(&str, Option<&str>)> = Some(("alias/aws/ebs", Some(AWS_MANAGED)));
const REQUIRED_DEFAULT: Option<(&str, Option<&str>)> = Some((REQUIRED, Some(REQUIRED)));

fn key(arn: &str) -> KmsKey {
    KmsKey {
        arn: arn.to_owned(),
        state: "Enabled".to_owned(),
        spec: "SYMMETRIC_DEFAULT".to_owned(),
        aws_managed: arn == AWS_MANAGED,
    }
}

/// Settings with this default key; the required key is `REQUIRED`.
fn defaults(enabled: bool, default: Option<(&str, Option<&str>)>) -> EbsDefaults {
    EbsDefaults {
        account: AccountId::new("111122223333"),
        region: Region::new("eu-west-1"),
        enabled,
        keys: default.map(|(id, arn)| Keys { default_id: id.to_owned(), default: arn.map(key), wanted: key(REQUIRED) }),
        unsupported_types: (!enabled).then(BTreeSet::new),
        tags: Tags::new(),
    }
}

fn case<'a>(name: &'a str, subject: EbsDefaults, params: &str) -> Case<'a, Ec2EbsEncryptionByDefault> {
    Cases::of(&Ec2EbsEncryptionByDefault, subject).case(name, |_| ()).with(params)
}

fn modify() -> String {
    format!(r#"L2 ModifyEbsDefaultKmsKeyId {{"KmsKeyId":"{REQUIRED}"}}"#)
}

fn wrong_key(id: &str) -> String {
    format!("EBS default key in eu-west-1 is {id}; expected alias/volumes")
}

#[test]
fn setting_is_turned_on() {
    case("ec2-ebs-encryption-by-default/1", defaults(false, None), "{}").non_compliant(OFF).planned(&[ENABLE]);
    case("ec2-ebs-encryption-by-default/2", defaults(true, None), "{}").compliant();
    case("off and the right key", defaults(false, REQUIRED_DEFAULT), KEY).non_compliant(OFF).planned(&[ENABLE]);
    let mut subject = defaults(false, None);
    subject.unsupported_types = Some(["t1.micro", "c1.medium"].map(str::to_owned).into());
    case("ec2-ebs-encryption-by-default/5", subject.clone(), "{}").non_compliant(OFF).planned(&[
        "blocked: existing instances have types that could no longer be launched: `c1.medium, t1.micro`",
        ENABLE,
    ]);
    subject.unsupported_types = None;
    case("types not read", subject, "{}")
        .non_compliant(OFF)
        .planned(&["blocked: the types of the instances were not read", ENABLE]);
}

#[test]
fn key_is_changed_if_allowed_and_before_the_setting() {
    let (aws, modify) = (wrong_key("alias/aws/ebs"), modify());
    let on = || defaults(true, AWS_DEFAULT);
    case("ec2-ebs-encryption-by-default/3", on(), KEY).non_compliant(&aws).planned(&[NEEDS, &modify]);
    case("ec2-ebs-encryption-by-default/3 allowed", on(), CHANGE).non_compliant(&aws).planned(&[&modify]);
    case("ec2-ebs-encryption-by-default/4", defaults(true, REQUIRED_DEFAULT), KEY).compliant();
    let off = || defaults(false, AWS_DEFAULT);
    case("off and another key", off(), CHANGE).non_compliant(OFF).planned(&[&modify, ENABLE]);
    case("off and another key, not allowed", off(), KEY).non_compliant(OFF).planned(&[NEEDS, &modify, ENABLE]);
    case("the default key is gone", defaults(true, Some((OTHER, None))), CHANGE)
        .non_compliant(&wrong_key(OTHER))
        .planned(&[&modify]);
    case("keys not read", defaults(true, None), KEY)
        .non_compliant("EBS default key in eu-west-1 is unknown; expected alias/volumes")
        .planned(&["blocked: the default key was not read"]);
}

#[test]
fn unusable_key_blocks_the_plan() {
    let elsewhere = REQUIRED.replace("eu-west-1", "eu-central-1");
    let held = |reason: String, arn: &str, change: fn(&mut KmsKey)| {
        let mut subject = defaults(true, Some((OTHER, Some(OTHER))));
        change(&mut subject.keys.as_mut().unwrap().wanted);
        let step = format!(r#"L2 ModifyEbsDefaultKmsKeyId {{"KmsKeyId":"{arn}"}}"#);
        case(&reason, subject, CHANGE)
            .non_compliant(&wrong_key(OTHER))
            .planned(&[&format!("blocked: {reason}"), &step]);
    };
    held(format!("key {REQUIRED} is in state Disabled"), REQUIRED, |key| key.state = "Disabled".to_owned());
    held(format!("key {REQUIRED} has spec RSA_2048, which is not symmetric"), REQUIRED, |key| {
        key.spec = "RSA_2048".to_owned();
    });
    held(format!("key {elsewhere} is not in region eu-west-1"), &elsewhere, |key| {
        key.arn = key.arn.replace("eu-west-1", "eu-central-1");
    });
}

#[test]
fn undo_reverts_the_last_action_first() {
    let done = [
        EbsAction::ModifyEbsDefaultKmsKeyId { kms_key_id: REQUIRED.to_owned() },
        EbsAction::EnableEbsEncryptionByDefault {},
    ];
    let reset = EbsUndo::ResetEbsDefaultKmsKeyId {};
    let restore = EbsUndo::ModifyEbsDefaultKmsKeyId { kms_key_id: OTHER.to_owned() };
    for (default, expected) in [
        (("alias/aws/ebs", Some(AWS_MANAGED)), reset.clone()),
        (("alias/aws/ebs", None), reset.clone()),
        ((AWS_MANAGED, Some(AWS_MANAGED)), reset),
        ((OTHER, Some(OTHER)), restore.clone()),
        ((OTHER, None), restore),
    ] {
        let undo = Ec2EbsEncryptionByDefault.undo(&defaults(false, Some(default)), &done).unwrap();
        assert_eq!(undo, [EbsUndo::DisableEbsEncryptionByDefault {}, expected], "{default:?}");
    }
    let error = Ec2EbsEncryptionByDefault.undo(&defaults(false, None), &done).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ModifyEbsDefaultKmsKeyId: cannot be undone: the prior state does not contain the previous key"
    );
}

#[test]
fn actions_are_spelled_as_in_the_api() {
    assert_eq!(
        serde_json::to_value(EbsAction::ModifyEbsDefaultKmsKeyId { kms_key_id: "k".to_owned() }).unwrap(),
        json!({"ModifyEbsDefaultKmsKeyId": {"KmsKeyId": "k"}})
    );
    assert_eq!(
        serde_json::to_value(EbsUndo::ResetEbsDefaultKmsKeyId {}).unwrap(),
        json!({"ResetEbsDefaultKmsKeyId": {}})
    );
}

#[test]
fn remediation_role_cannot_disable_encryption() {
    let may: Vec<&str> = Ec2EbsEncryptionByDefault.permissions().fix.iter().map(|it| it.action).collect();
    assert_eq!(may, ["ec2:EnableEbsEncryptionByDefault", "ec2:ModifyEbsDefaultKmsKeyId"]);
}

/// Applies an undo call as EC2 does.
fn apply(_: &Ec2EbsEncryptionByDefault, mut subject: EbsDefaults, undo: &EbsUndo) -> EbsDefaults {
    let default = |subject: &mut EbsDefaults, id: &str, arn: &str| {
        let keys = subject.keys.as_mut().unwrap();
        (keys.default_id, keys.default) = (id.to_owned(), Some(key(arn)));
    };
    match undo {
        EbsUndo::DisableEbsEncryptionByDefault {} => subject.enabled = false,
        EbsUndo::ModifyEbsDefaultKmsKeyId { kms_key_id } => default(&mut subject, kms_key_id, kms_key_id),
        EbsUndo::ResetEbsDefaultKmsKeyId {} => default(&mut subject, "alias/aws/ebs", AWS_MANAGED),
    }
    subject
}

fn settings() -> impl Strategy<Value = (EbsDefaults, Ec2EbsEncryptionByDefaultParameters)> {
    let default = prop_oneof![
        Just(("alias/aws/ebs", AWS_MANAGED)),
        Just((AWS_MANAGED, AWS_MANAGED)),
        Just((OTHER, OTHER)),
        Just((REQUIRED, REQUIRED)),
    ];
    let text = prop_oneof![2 => Just("{}"), 1 => Just(KEY), 3 => Just(CHANGE)];
    let state = prop_oneof![5 => Just("Enabled"), 1 => Just("PendingDeletion")];
    let types = prop_oneof![5 => Just(vec![]), 1 => Just(vec!["t1.micro".to_owned()])];
    (any::<bool>(), default, text, state, types).prop_map(|(enabled, (id, arn), text, state, types)| {
        let params = RuleParameters::<Ec2EbsEncryptionByDefaultParameters>::parse(Some(text)).unwrap().control;
        let mut subject = defaults(enabled, params.kms_key_id.is_some().then_some((id, Some(arn))));
        if let Some(keys) = &mut subject.keys {
            keys.wanted.state = state.to_owned();
        }
        subject.unsupported_types = (!enabled).then(|| types.into_iter().collect());
        (subject, params)
    })
}

#[test]
fn laws() {
    let touched = ["/enabled", "/unsupportedTypes", "/keys/defaultId", "/keys/default"];
    Laws::of(&Ec2EbsEncryptionByDefault, &touched, apply)
        .never(|before, after| before.enabled && !after.enabled)
        .hold(settings());
}

#[test]
fn enabling_the_setting_leaves_the_keys_unchanged() {
    let enabled = |default| {
        let action = EbsAction::EnableEbsEncryptionByDefault {};
        Ec2EbsEncryptionByDefault.predict(defaults(false, default), &action)
    };
    for default in [None, AWS_DEFAULT, REQUIRED_DEFAULT, Some((OTHER, None))] {
        assert_eq!(enabled(default), defaults(true, default));
    }
}
