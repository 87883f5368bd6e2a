//! What `ec2-ebs-encryption-by-default` must say and plan: a table of cases, then laws over generated settings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use rectify_compliance::StoredImage;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::plan::call_text;

use super::*;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const OURS: &str = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555";
const THEIRS: &str = "arn:aws:kms:eu-west-1:111122223333:key/99999999-2222-3333-4444-555555555555";
const OF_AWS: &str = "arn:aws:kms:eu-west-1:111122223333:key/00000000-2222-3333-4444-555555555555";
const WANT: &str = r#"{"kmsKeyId":"alias/volumes"}"#;
const CHANGE: &str = r#"{"kmsKeyId":"alias/volumes","allowKeyChange":"true"}"#;

fn parameters(text: &str) -> Ec2EbsEncryptionByDefaultParameters {
    RuleParameters::<Ec2EbsEncryptionByDefaultParameters>::parse(Some(text)).unwrap().control
}

fn key(arn: &str) -> KmsKey {
    KmsKey {
        arn: arn.to_owned(),
        state: "Enabled".to_owned(),
        spec: "SYMMETRIC_DEFAULT".to_owned(),
        aws_managed: arn == OF_AWS,
    }
}

/// Settings with this default key, `OURS` being the wanted one.
fn defaults(enabled: bool, default: Option<(&str, Option<&str>)>) -> EbsDefaults {
    EbsDefaults {
        account: AccountId::new("111122223333"),
        region: Region::new("eu-west-1"),
        enabled,
        keys: default.map(|(id, arn)| Keys { default_id: id.to_owned(), default: arn.map(key), wanted: key(OURS) }),
        unsupported_types: (!enabled).then(BTreeSet::new),
        tags: Tags::new(),
    }
}

fn verdict(subject: &EbsDefaults, params: &str) -> String {
    let verdict = Ec2EbsEncryptionByDefault.evaluate(subject, &parameters(params), NOW);
    let annotation = verdict.annotation().map_or_else(String::new, |it| format!(": {it}"));
    format!("{}{annotation}", verdict.compliance_type())
}

fn plan(subject: &EbsDefaults, params: &str) -> Vec<String> {
    let plan = Ec2EbsEncryptionByDefault.plan(subject, &parameters(params), NOW);
    let held = if let Plan::Hold { reason, .. } = &plan { vec![format!("held: {reason}")] } else { vec![] };
    let steps = plan.steps().iter().map(|step| format!("{} {}", step.level, step.action().map(call_text).unwrap()));
    held.into_iter().chain(steps).collect()
}

#[test]
fn every_case_has_its_verdict_and_its_plan() {
    let off = "NON_COMPLIANT: EBS encryption by default is off in eu-west-1";
    let wrong =
        |id: &str| format!("NON_COMPLIANT: EBS default key is another one in eu-west-1: {id}; expected alias/volumes");
    let enable = "L1 EnableEbsEncryptionByDefault {}".to_owned();
    let modify = format!("L2 ModifyEbsDefaultKmsKeyId {{\"KmsKeyId\":\"{OURS}\"}}");
    let needs = "held: changing the default key needs allowKeyChange".to_owned();
    let of_aws = Some(("alias/aws/ebs", Some(OF_AWS)));
    let old_types = |types: &[&str]| EbsDefaults {
        unsupported_types: Some(types.iter().map(|it| (*it).to_owned()).collect()),
        ..defaults(false, None)
    };
    let unread = EbsDefaults { unsupported_types: None, ..defaults(false, None) };
    let rows: Vec<(&str, EbsDefaults, &str, String, Vec<String>)> = vec![
        ("ec2-ebs-encryption-by-default/1", defaults(false, None), "{}", off.to_owned(), vec![enable.clone()]),
        ("ec2-ebs-encryption-by-default/2", defaults(true, None), "{}", "COMPLIANT".to_owned(), vec![]),
        (
            "ec2-ebs-encryption-by-default/3",
            defaults(true, of_aws),
            WANT,
            wrong("alias/aws/ebs"),
            vec![needs.clone(), modify.clone()],
        ),
        (
            "ec2-ebs-encryption-by-default/3 allowed",
            defaults(true, of_aws),
            CHANGE,
            wrong("alias/aws/ebs"),
            vec![modify.clone()],
        ),
        (
            "ec2-ebs-encryption-by-default/4",
            defaults(true, Some((OURS, Some(OURS)))),
            WANT,
            "COMPLIANT".to_owned(),
            vec![],
        ),
        (
            "ec2-ebs-encryption-by-default/5",
            old_types(&["t1.micro", "c1.medium"]),
            "{}",
            off.to_owned(),
            vec![
                "held: instances exist of types that could no longer be launched: `c1.medium, t1.micro`".to_owned(),
                enable.clone(),
            ],
        ),
        (
            "types not read",
            unread,
            "{}",
            off.to_owned(),
            vec!["held: the types of the instances were not read".to_owned(), enable.clone()],
        ),
        ("off and another key", defaults(false, of_aws), CHANGE, off.to_owned(), vec![modify.clone(), enable.clone()]),
        (
            "off and another key, not allowed",
            defaults(false, of_aws),
            WANT,
            off.to_owned(),
            vec![needs, modify.clone(), enable.clone()],
        ),
        ("off and the right key", defaults(false, Some((OURS, Some(OURS)))), WANT, off.to_owned(), vec![enable]),
        ("the default key is gone", defaults(true, Some((THEIRS, None))), CHANGE, wrong(THEIRS), vec![modify]),
        (
            "keys not read",
            defaults(true, None),
            WANT,
            "NON_COMPLIANT: EBS default key is not known in eu-west-1; expected alias/volumes".to_owned(),
            vec!["held: the default key was not read".to_owned()],
        ),
    ];
    for (case, subject, params, expected, steps) in rows {
        assert_eq!(verdict(&subject, params), expected, "{case}");
        assert_eq!(plan(&subject, params), steps, "{case}");
    }
}

#[test]
fn a_key_that_cannot_be_the_default_holds_the_plan() {
    let with = |change: fn(&mut KmsKey)| {
        let mut subject = defaults(true, Some((THEIRS, Some(THEIRS))));
        change(&mut subject.keys.as_mut().unwrap().wanted);
        plan(&subject, CHANGE).remove(0)
    };
    assert_eq!(with(|key| key.state = "Disabled".to_owned()), format!("held: key {OURS} is in state Disabled"));
    assert_eq!(
        with(|key| key.spec = "RSA_2048".to_owned()),
        format!("held: key {OURS} is of spec RSA_2048, not symmetric")
    );
    let abroad = OURS.replace("eu-west-1", "eu-central-1");
    assert_eq!(
        with(|key| key.arn = key.arn.replace("eu-west-1", "eu-central-1")),
        format!("held: key {abroad} is not of region eu-west-1")
    );
}

#[test]
fn undo_plays_the_inverse_last_action_first() {
    let done = [
        EbsAction::ModifyEbsDefaultKmsKeyId { kms_key_id: OURS.to_owned() },
        EbsAction::EnableEbsEncryptionByDefault {},
    ];
    let reset = EbsUndo::ResetEbsDefaultKmsKeyId {};
    let back = EbsUndo::ModifyEbsDefaultKmsKeyId { kms_key_id: THEIRS.to_owned() };
    for (default, expected) in [
        (("alias/aws/ebs", Some(OF_AWS)), reset.clone()),
        (("alias/aws/ebs", None), reset.clone()),
        ((OF_AWS, Some(OF_AWS)), reset),
        ((THEIRS, Some(THEIRS)), back.clone()),
        ((THEIRS, None), back),
    ] {
        let undo = Ec2EbsEncryptionByDefault.undo(&defaults(false, Some(default)), &done).unwrap();
        assert_eq!(undo, [EbsUndo::DisableEbsEncryptionByDefault {}, expected], "{default:?}");
    }
    let error = Ec2EbsEncryptionByDefault.undo(&defaults(false, None), &done).unwrap_err();
    assert_eq!(
        error.to_string(),
        "ModifyEbsDefaultKmsKeyId: cannot be undone: the before-image does not hold the previous key"
    );
}

#[test]
fn actions_are_spelt_as_the_api_has_them() {
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
fn the_role_of_the_remediation_cannot_turn_encryption_off() {
    let may: Vec<&str> = Ec2EbsEncryptionByDefault.fix_permissions().iter().map(|it| it.action).collect();
    assert_eq!(may, ["ec2:EnableEbsEncryptionByDefault", "ec2:ModifyEbsDefaultKmsKeyId"]);
}

/// What EC2 makes of an undo.
fn play(mut subject: EbsDefaults, undo: &EbsUndo) -> EbsDefaults {
    let default = |subject: &mut EbsDefaults, id: &str, arn: &str| {
        let keys = subject.keys.as_mut().unwrap();
        (keys.default_id, keys.default) = (id.to_owned(), Some(key(arn)));
    };
    match undo {
        EbsUndo::DisableEbsEncryptionByDefault {} => subject.enabled = false,
        EbsUndo::ModifyEbsDefaultKmsKeyId { kms_key_id } => default(&mut subject, kms_key_id, kms_key_id),
        EbsUndo::ResetEbsDefaultKmsKeyId {} => default(&mut subject, "alias/aws/ebs", OF_AWS),
    }
    subject
}

fn settings() -> impl Strategy<Value = (EbsDefaults, Ec2EbsEncryptionByDefaultParameters)> {
    let default = prop_oneof![
        Just(("alias/aws/ebs", OF_AWS)),
        Just((OF_AWS, OF_AWS)),
        Just((THEIRS, THEIRS)),
        Just((OURS, OURS)),
    ];
    let text = prop_oneof![2 => Just("{}"), 1 => Just(WANT), 3 => Just(CHANGE)];
    let state = prop_oneof![5 => Just("Enabled"), 1 => Just("PendingDeletion")];
    let types = prop_oneof![5 => Just(vec![]), 1 => Just(vec!["t1.micro".to_owned()])];
    (any::<bool>(), default, text, state, types).prop_map(|(enabled, (id, arn), text, state, types)| {
        let params = parameters(text);
        let mut subject = defaults(enabled, params.kms_key_id.is_some().then_some((id, Some(arn))));
        if let Some(keys) = &mut subject.keys {
            keys.wanted.state = state.to_owned();
        }
        subject.unsupported_types = (!enabled).then(|| types.into_iter().collect());
        (subject, params)
    })
}

#[test]
fn generated_settings_are_right_and_wrong_often_enough() {
    let mut runner = TestRunner::deterministic();
    let (mut wrong, mut right, mut applicable) = (0, 0, 0);
    for _ in 0..1000 {
        let (subject, params) = settings().new_tree(&mut runner).unwrap().current();
        let verdict = Ec2EbsEncryptionByDefault.evaluate(&subject, &params, NOW);
        wrong += u32::from(verdict.is_non_compliant());
        right += u32::from(verdict.is_compliant());
        let plan = Ec2EbsEncryptionByDefault.plan(&subject, &params, NOW);
        applicable += u32::from(plan != Plan::Nothing && plan.obstacle(true).is_none());
    }
    assert!(wrong >= 200 && right >= 200 && applicable >= 200, "wrong {wrong}, right {right}, applicable {applicable}");
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn settings_that_are_right_need_no_plan((subject, params) in settings()) {
        let wrong = Ec2EbsEncryptionByDefault.evaluate(&subject, &params, NOW).is_non_compliant();
        prop_assert_eq!(Ec2EbsEncryptionByDefault.plan(&subject, &params, NOW) == Plan::Nothing, !wrong);
    }

    #[test]
    fn an_applicable_plan_makes_the_settings_right_and_touches_nothing_else((subject, params) in settings()) {
        let plan = Ec2EbsEncryptionByDefault.plan(&subject, &params, NOW);
        if plan == Plan::Nothing || plan.obstacle(true).is_some() {
            return Ok(());
        }
        let after = plan.calls().into_iter().fold(subject.clone(), |live, action| Ec2EbsEncryptionByDefault.expect(live, action));
        prop_assert!(Ec2EbsEncryptionByDefault.evaluate(&after, &params, NOW).is_compliant());
        prop_assert!(after.enabled);
        let changes_key = plan.calls().iter().any(|call| matches!(call, EbsAction::ModifyEbsDefaultKmsKeyId { .. }));
        if !changes_key {
            prop_assert_eq!(&after.keys, &subject.keys);
        }
        prop_assert_eq!((&after.account, &after.region, &after.tags), (&subject.account, &subject.region, &subject.tags));
    }

    #[test]
    fn undo_restores_the_footprint((subject, params) in settings()) {
        let plan = Ec2EbsEncryptionByDefault.plan(&subject, &params, NOW);
        let done: Vec<EbsAction> = plan.calls().into_iter().cloned().collect();
        let after = done.iter().fold(subject.clone(), |live, action| Ec2EbsEncryptionByDefault.expect(live, action));
        let restored = Ec2EbsEncryptionByDefault.undo(&subject, &done).unwrap().iter().fold(after.clone(), play);
        let footprint = |subject: &EbsDefaults| Ec2EbsEncryptionByDefault.footprint(subject, &done);
        prop_assert_eq!(footprint(&restored), footprint(&subject));
        if !done.is_empty() {
            prop_assert_ne!(footprint(&after), footprint(&subject));
        }
    }

    #[test]
    fn an_image_reads_back_as_it_was_stored((subject, _) in settings()) {
        let text = serde_json::to_string(&StoredImage::of(&subject).unwrap()).unwrap();
        let read: StoredImage = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read.read::<EbsDefaults>().unwrap(), subject);
    }
}
