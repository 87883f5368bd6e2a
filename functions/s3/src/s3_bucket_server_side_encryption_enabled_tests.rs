#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, clippy::indexing_slicing)]

use rectify_compliance::Resource;
use rectify_compliance::parameters::RuleParameters;

use super::*;
use crate::encryption::BlockedEncryptionTypes;
use crate::testing::{NOW, allow, item, pics, policy};

pub(super) const OURS: &str = "arn:aws:kms:eu-west-1:111122223333:key/ours";
pub(super) const OTHER: &str = "arn:aws:kms:eu-west-1:111122223333:key/other";
pub(super) const AWS: &str = "arn:aws:kms:eu-west-1:111122223333:key/aws-s3";

pub(super) fn params(text: Value) -> Params {
    RuleParameters::<Params>::parse(Some(&text.to_string())).unwrap().control
}

pub(super) fn key_of(arn: &str) -> KmsKey {
    KmsKey { arn: arn.into(), state: "Enabled".into(), spec: "SYMMETRIC_DEFAULT".into(), aws_managed: arn == AWS }
}

pub(super) fn rule(algorithm: Algorithm, key: Option<&str>) -> Rule {
    let by_default = ByDefault { algorithm, key: key.map(str::to_owned) };
    Rule { apply_server_side_encryption_by_default: Some(by_default), ..Rule::default() }
}

pub(super) fn subject(rule: Option<Rule>) -> Subject {
    Subject {
        bucket: pics(),
        rule,
        refuses_unencrypted: false,
        keys: None,
        log_sources: None,
        unreadable_sources: BTreeSet::new(),
    }
}

/// The same with its key and the allowed ones resolved.
fn keyed(rule: Rule, current: Option<&str>, allowed: &[&str]) -> Subject {
    let keys = Keys { current: current.map(key_of), allowed: allowed.iter().map(|arn| key_of(arn)).collect() };
    Subject { keys: Some(keys), ..subject(Some(rule)) }
}

/// The same with no logs delivered there.
fn no_target(subject: Subject) -> Subject {
    Subject { log_sources: Some(BTreeSet::new()), ..subject }
}

pub(super) fn judge(subject: &Subject, params: &Params) -> Verdict {
    S3BucketServerSideEncryptionEnabled.evaluate(subject, params, NOW)
}

#[test]
fn the_algorithm_must_be_the_required_one_or_a_stronger_one() {
    let (aes, kms, dsse, fsx) = (Algorithm::Aes256, Algorithm::Kms, Algorithm::Dsse, Algorithm::Fsx);
    let weak =
        |is: &str, required: &str| Verdict::non_compliant(format!("Default encryption is {is}; {required} required"));
    for (case, algorithm, text, expected) in [
        ("s3-bucket-server-side-encryption-enabled/1", Some(aes), json!({}), Verdict::COMPLIANT),
        ("fsx, any", Some(fsx), json!({}), Verdict::COMPLIANT),
        ("none, any", None, json!({}), Verdict::non_compliant("No default encryption")),
        ("fsx, AES256", Some(fsx), json!({"requiredAlgorithm": "AES256"}), weak("aws:fsx", "AES256")),
        (
            "s3-bucket-server-side-encryption-enabled/2",
            Some(aes),
            json!({"requiredAlgorithm": "aws:kms"}),
            weak("AES256", "aws:kms"),
        ),
        (
            "s3-bucket-server-side-encryption-enabled/7",
            Some(dsse),
            json!({"requiredAlgorithm": "aws:kms"}),
            Verdict::COMPLIANT,
        ),
        ("kms, dsse", Some(kms), json!({"requiredAlgorithm": "aws:kms:dsse"}), weak("aws:kms", "aws:kms:dsse")),
        (
            "none, AES256",
            None,
            json!({"requiredAlgorithm": "AES256"}),
            Verdict::non_compliant("No default encryption; AES256 required"),
        ),
        ("requireCmk implies kms", Some(aes), json!({"requireCmk": true}), weak("AES256", "aws:kms")),
        ("keys imply kms", Some(aes), json!({"kmsKeyArns": "alias/ours"}), weak("AES256", "aws:kms")),
        ("bucket key, AES256", Some(aes), json!({"requireBucketKey": true}), Verdict::COMPLIANT),
    ] {
        let subject = subject(algorithm.map(|it| rule(it, None)));
        assert_eq!(judge(&subject, &params(text)), expected, "{case}");
    }
    assert!(params(json!({"requireCmk": true, "requiredAlgorithm": "aws:kms:dsse"})).required() == Some(dsse));
}

#[test]
fn a_bucket_key_is_required_of_kms_whatever_algorithm_is() {
    let off = || Verdict::non_compliant("Bucket key is off; required with aws:kms");
    let with = |algorithm, enabled| Rule { bucket_key_enabled: enabled, ..rule(algorithm, None) };
    for required in [json!(null), json!("any"), json!("AES256"), json!("aws:kms")] {
        let text = json!({"requiredAlgorithm": required, "requireBucketKey": "true"});
        for (case, rule, expected) in [
            ("s3-bucket-server-side-encryption-enabled/9", with(Algorithm::Kms, Some(false)), off()),
            ("not stated", with(Algorithm::Kms, None), off()),
            ("on", with(Algorithm::Kms, Some(true)), Verdict::COMPLIANT),
            ("two layers have none", with(Algorithm::Dsse, Some(false)), Verdict::COMPLIANT),
        ] {
            let subject = no_target(subject(Some(rule.clone())));
            assert_eq!(judge(&subject, &params(text.clone())), expected, "{case}, {required}");
            let plan = planned(&subject, text.clone());
            let fixed = plan
                .calls()
                .iter()
                .fold(subject, |live, action| S3BucketServerSideEncryptionEnabled.expect(live, action));
            let expected = if expected.is_compliant() { rule } else { with(Algorithm::Kms, Some(true)) };
            assert_eq!(fixed.rule, Some(expected), "{case}, {required}: {plan:?}");
        }
    }
    let none = subject(Some(rule(Algorithm::Aes256, None)));
    assert_eq!(judge(&none, &params(json!({"requireBucketKey": true}))), Verdict::COMPLIANT, "keys of S3 have none");
}

#[test]
fn an_item_that_says_nothing_is_completed_by_what_s3_says() {
    let recorded = RecordedEncryption::from_item(&item(json!({}))).unwrap();
    let facts = Facts { rule: Some(rule(Algorithm::Aes256, None)), ..Facts::default() };
    let subject = S3BucketServerSideEncryptionEnabled.subject(recorded, facts);
    let case = "s3-bucket-server-side-encryption-enabled/1";
    assert_eq!(judge(&subject, &Params::default()), Verdict::COMPLIANT, "{case}");
}

#[test]
fn the_key_must_be_allowed() {
    let kms = |key| rule(Algorithm::Kms, key);
    let (listed, cmk) = (params(json!({"kmsKeyArns": "alias/ours"})), params(json!({"requireCmk": "true"})));
    let managed = "Key aws/s3 is managed by AWS; a customer managed key required";
    for (case, subject, params, expected) in [
        ("s3-bucket-server-side-encryption-enabled/3", keyed(kms(Some(OURS)), Some(OURS), &[OURS]), &listed, None),
        (
            "another",
            keyed(kms(Some(OTHER)), Some(OTHER), &[OURS]),
            &listed,
            Some(format!("Key {OTHER} is none of kmsKeyArns")),
        ),
        ("gone", keyed(kms(Some(OTHER)), None, &[OURS]), &listed, Some(format!("Key {OTHER} not found"))),
        ("s3-bucket-server-side-encryption-enabled/4", keyed(kms(None), None, &[]), &cmk, Some(managed.to_owned())),
        ("of AWS, named", keyed(kms(Some(AWS)), Some(AWS), &[]), &cmk, Some(managed.replace("aws/s3", AWS))),
        ("of a customer", keyed(kms(Some(OURS)), Some(OURS), &[]), &cmk, None),
        (
            "of AWS, not listed",
            keyed(kms(None), None, &[OURS]),
            &listed,
            Some("Key aws/s3 is none of kmsKeyArns".to_owned()),
        ),
        ("of AWS, listed", keyed(kms(None), None, &[AWS]), &listed, None),
        ("not read", subject(Some(kms(Some(OURS)))), &listed, Some(format!("Key {OURS} was not read"))),
    ] {
        let expected = expected.map_or(Verdict::COMPLIANT, Verdict::non_compliant);
        assert_eq!(judge(&subject, params), expected, "{case}");
    }
    let error = RuleParameters::<Params>::parse(Some(r#"{"kmsKeyArns":"alias/a, alias/*"}"#)).unwrap_err();
    assert!(error.to_string().contains("without wildcards: received `alias/*`"), "{error}");
}

#[test]
fn without_default_encryption_a_policy_that_refuses_all_unencrypted_objects_is_enough() {
    let deny = |changes: Value| {
        let mut statement = allow(json!({"Effect": "Deny", "Action": "s3:PutObject",
            "Condition": {"Null": {"s3:x-amz-server-side-encryption": "true"}}}));
        statement.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        policy(json!([statement]))
    };
    let condition = |condition: Value| deny(json!({ "Condition": condition }));
    let header = "s3:x-amz-server-side-encryption";
    for (case, policy, expected) in [
        ("null", deny(json!({})), true),
        ("boolean", condition(json!({"Null": {"s3:X-amz-server-side-encryption": true}})), true),
        ("not one of", condition(json!({"StringNotEquals": {header: ["AES256", "aws:kms"]}})), true),
        ("every action", deny(json!({"Action": "s3:*"})), true),
        ("allowed where absent", condition(json!({"Null": {header: "false"}})), false),
        ("not a kind", condition(json!({"StringNotEquals": {header: ["AES256", "none"]}})), false),
        ("if exists", condition(json!({"StringNotEqualsIfExists": {header: "AES256"}})), false),
        ("one prefix", deny(json!({"Resource": "arn:aws:s3:::pics/a/*"})), false),
        ("one account", deny(json!({"Principal": {"AWS": "111122223333"}})), false),
        ("reading", deny(json!({"Action": "s3:GetObject"})), false),
        ("allow", deny(json!({"Effect": "Allow"})), false),
        (
            "further condition",
            condition(json!({"Null": {header: "true"}, "StringEquals": {"aws:PrincipalAccount": "1"}})),
            false,
        ),
    ] {
        let recorded = RecordedEncryption::from_item(&item(json!({}))).unwrap();
        let subject =
            S3BucketServerSideEncryptionEnabled.subject(recorded, Facts { policy: Some(policy), ..Facts::default() });
        assert_eq!(judge(&subject, &Params::default()).is_compliant(), expected, "{case}");
        assert!(judge(&subject, &params(json!({"requiredAlgorithm": "AES256"}))).is_non_compliant(), "{case}");
    }
}

fn planned(subject: &Subject, text: Value) -> Plan<Action> {
    S3BucketServerSideEncryptionEnabled.plan(subject, &params(text), NOW)
}

#[test]
fn the_whole_rule_is_sent_with_all_that_it_does_not_change() {
    let blocked = BlockedEncryptionTypes { encryption_type: vec!["SSE-C".to_owned()] };
    let before = Rule {
        bucket_key_enabled: Some(true),
        blocked_encryption_types: Some(blocked),
        ..rule(Algorithm::Aes256, None)
    };
    let plan = planned(&no_target(subject(Some(before))), json!({"requiredAlgorithm": "aws:kms"}));
    let sent = json!([{"PutBucketEncryption": {"Bucket": "pics", "ExpectedBucketOwner": "111122223333",
        "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"},
            "BucketKeyEnabled": true, "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}]}}}]);
    let cases = "s3-bucket-server-side-encryption-enabled/5, s3-bucket-server-side-encryption-enabled/8";
    assert_eq!(serde_json::to_value(plan.calls()).unwrap(), sent, "{cases}");
    assert!(matches!(&plan, Plan::Do { .. }) && plan.level() == Some(Level::L2), "{plan:?}");

    let none = planned(&subject(None), json!({}));
    assert!(matches!(&none, Plan::Do { .. }) && none.level() == Some(Level::L1), "{none:?}");
    let listed = keyed(rule(Algorithm::Dsse, Some(OTHER)), Some(OTHER), &[OURS]);
    let case = "s3-bucket-server-side-encryption-enabled/7";
    let plan = planned(&no_target(listed), json!({"kmsKeyArns": OURS}));
    let Action::PutBucketEncryption(put) = plan.calls()[0];
    let expected = Rule { bucket_key_enabled: Some(false), ..rule(Algorithm::Dsse, Some(OURS)) };
    assert_eq!(put.rule(), Some(&expected), "{case}");
}

#[test]
fn what_a_machine_must_not_choose_or_end_is_held() {
    let kms = json!({"requiredAlgorithm": "aws:kms"});
    let aes = || rule(Algorithm::Aes256, None);
    let target = Subject { log_sources: Some(BTreeSet::from(["web".to_owned()])), ..subject(Some(aes())) };
    let locked = Subject {
        unreadable_sources: BTreeSet::from(["logs (s3:GetBucketLogging: AccessDenied)".to_owned()]),
        ..no_target(subject(Some(aes())))
    };
    let mut disabled = keyed(aes(), None, &[OURS]);
    disabled.keys.as_mut().unwrap().allowed[0].state = "PendingDeletion".into();
    let mut abroad = keyed(aes(), None, &[OURS]);
    abroad.bucket.region = rectify_compliance::Region::new("eu-central-1");
    for (subject, text, expected) in [
        (target, kms.clone(), "target of the server access logs of web"),
        (
            locked.clone(),
            kms.clone(),
            "whether access logs come from buckets that cannot be read is not known, and KMS default encryption ends \
             them: logs (s3:GetBucketLogging: AccessDenied)",
        ),
        (subject(Some(aes())), kms, "whether server access logs are delivered here was not read"),
        (keyed(aes(), None, &[OURS, OTHER]), json!({"kmsKeyArns": "a,b"}), "key: a person must choose among"),
        (keyed(aes(), None, &[]), json!({"requireCmk": true}), "key: kmsKeyArns names none to use"),
        (
            disabled,
            json!({"kmsKeyArns": "a"}),
            "key arn:aws:kms:eu-west-1:111122223333:key/ours is in state PendingDeletion",
        ),
        (
            abroad,
            json!({"kmsKeyArns": "a"}),
            "key arn:aws:kms:eu-west-1:111122223333:key/ours is not of region eu-central-1",
        ),
        (subject(Some(rule(Algorithm::Fsx, None))), json!({"requiredAlgorithm": "AES256"}), "aws:fsx: "),
    ] {
        let plan = planned(&subject, text);
        let held = matches!(&plan, Plan::Hold { reason, .. } if reason.starts_with(expected));
        assert!(held, "s3-bucket-server-side-encryption-enabled/6: {expected}: {plan:?}");
    }
    // Keys of S3 end no logs, whoever sends them.
    let unset = Subject { rule: None, ..locked };
    assert!(matches!(planned(&unset, json!({"requiredAlgorithm": "AES256"})), Plan::Do { .. }));
}
