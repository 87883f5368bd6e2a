#![allow(clippy::needless_pass_by_value)]

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::plan::call_text;
use rectify_compliance::{Region, Resource};
use rectify_testing::cases::lines;
use rectify_testing::{Case, Cases, NOW};

use super::S3BucketServerSideEncryptionEnabled as CONTROL;
use super::*;
use crate::resources::encryption::BlockedEncryptionTypes;
use crate::testing::{allow, item, pics, policy};

pub(super) const ALLOWED: &str = "arn:aws:kms:eu-west-1:111122223333:key/allowed";
pub(super) const OTHER: &str = "arn:aws:kms:eu-west-1:111122223333:key/other";
pub(super) const AWS: &str = "arn:aws:kms:eu-west-1:111122223333:key/aws-s3";

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

/// A bucket with its key and the allowed keys resolved.
fn keyed(rule: Rule, current: Option<&str>, allowed: &[&str]) -> Subject {
    let keys = Keys { current: current.map(key_of), allowed: allowed.iter().map(|arn| key_of(arn)).collect() };
    Subject { keys: Some(keys), ..subject(Some(rule)) }
}

/// A bucket without log sources.
fn no_target(subject: Subject) -> Subject {
    Subject { log_sources: Some(BTreeSet::new()), ..subject }
}

/// A case for a bucket with these parameters.
fn case(name: &str, subject: Subject, params: Value) -> Case<'_, S3BucketServerSideEncryptionEnabled> {
    Cases::of(&CONTROL, subject).case(name, |_| ()).with(&params.to_string())
}

/// The call that sets this rule.
fn put(level: Level, rule: Rule) -> String {
    format!("{level} {}", call_text(&Action::PutBucketEncryption(PutEncryption::of(&pics(), rule))))
}

#[test]
fn the_algorithm_must_be_the_required_one_or_a_stronger_one() {
    let (aes, kms, dsse, fsx) = (Algorithm::Aes256, Algorithm::Kms, Algorithm::Dsse, Algorithm::Fsx);
    let weak = |current: &str, required: &str| Some(format!("Default encryption is {current}; {required} required"));
    let none = |text: &str| Some(format!("No default encryption{text}"));
    for (name, algorithm, params, finding) in [
        ("s3-bucket-server-side-encryption-enabled/1", Some(aes), json!({}), None),
        ("fsx, any", Some(fsx), json!({}), None),
        ("none, any", None, json!({}), none("")),
        ("fsx, AES256", Some(fsx), json!({"requiredAlgorithm": "AES256"}), weak("aws:fsx", "AES256")),
        (
            "s3-bucket-server-side-encryption-enabled/2",
            Some(aes),
            json!({"requiredAlgorithm": "aws:kms"}),
            weak("AES256", "aws:kms"),
        ),
        ("s3-bucket-server-side-encryption-enabled/7", Some(dsse), json!({"requiredAlgorithm": "aws:kms"}), None),
        ("kms, dsse", Some(kms), json!({"requiredAlgorithm": "aws:kms:dsse"}), weak("aws:kms", "aws:kms:dsse")),
        ("none, AES256", None, json!({"requiredAlgorithm": "AES256"}), none("; AES256 required")),
        ("requireCmk implies kms", Some(aes), json!({"requireCmk": true}), weak("AES256", "aws:kms")),
        ("keys imply kms", Some(aes), json!({"kmsKeyArns": "alias/allowed"}), weak("AES256", "aws:kms")),
        (
            "a stronger one is required as well",
            Some(kms),
            json!({"requireCmk": true, "requiredAlgorithm": "aws:kms:dsse"}),
            weak("aws:kms", "aws:kms:dsse"),
        ),
        ("bucket key, AES256", Some(aes), json!({"requireBucketKey": true}), None),
    ] {
        let expected = finding.map_or(Verdict::COMPLIANT, Verdict::non_compliant);
        case(name, subject(algorithm.map(|it| rule(it, None))), params).is(&expected);
    }
}

#[test]
fn a_bucket_key_is_required_with_kms_whatever_the_required_algorithm() {
    let with = |algorithm, enabled| Rule { bucket_key_enabled: enabled, ..rule(algorithm, None) };
    let fix = put(Level::L2, with(Algorithm::Kms, Some(true)));
    for required in [json!(null), json!("any"), json!("AES256"), json!("aws:kms")] {
        let case = |name, rule| {
            let params = json!({"requiredAlgorithm": required, "requireBucketKey": "true"});
            case(name, no_target(subject(Some(rule))), params)
        };
        for (name, enabled) in [("s3-bucket-server-side-encryption-enabled/9", Some(false)), ("not stated", None)] {
            let found = case(name, with(Algorithm::Kms, enabled));
            found.non_compliant("Bucket key is off; required with aws:kms").planned(&[&fix]);
        }
        case("on", with(Algorithm::Kms, Some(true))).compliant();
        case("dual-layer has none", with(Algorithm::Dsse, Some(false))).compliant();
    }
}

#[test]
fn facts_complete_an_item_without_a_rule() {
    let recorded = RecordedEncryption::from_item(&item(json!({}))).unwrap();
    let facts = Facts { rule: Some(rule(Algorithm::Aes256, None)), ..Facts::default() };
    case("s3-bucket-server-side-encryption-enabled/1", CONTROL.subject(recorded, facts), json!({})).compliant();
}

#[test]
fn the_key_must_be_allowed() {
    let kms = |key| rule(Algorithm::Kms, key);
    let (listed, cmk) = (json!({"kmsKeyArns": "alias/allowed"}), json!({"requireCmk": "true"}));
    let managed = "Key aws/s3 is managed by AWS; a customer managed key is required";
    for (name, subject, params, finding) in [
        (
            "s3-bucket-server-side-encryption-enabled/3",
            keyed(kms(Some(ALLOWED)), Some(ALLOWED), &[ALLOWED]),
            &listed,
            None,
        ),
        (
            "another",
            keyed(kms(Some(OTHER)), Some(OTHER), &[ALLOWED]),
            &listed,
            Some(format!("Key {OTHER} is not in kmsKeyArns")),
        ),
        ("gone", keyed(kms(Some(OTHER)), None, &[ALLOWED]), &listed, Some(format!("Key {OTHER} not found"))),
        ("s3-bucket-server-side-encryption-enabled/4", keyed(kms(None), None, &[]), &cmk, Some(managed.to_owned())),
        ("AWS managed, named", keyed(kms(Some(AWS)), Some(AWS), &[]), &cmk, Some(managed.replace("aws/s3", AWS))),
        ("customer managed", keyed(kms(Some(ALLOWED)), Some(ALLOWED), &[]), &cmk, None),
        (
            "AWS managed, not listed",
            keyed(kms(None), None, &[ALLOWED]),
            &listed,
            Some("Key aws/s3 is not in kmsKeyArns".to_owned()),
        ),
        ("AWS managed, listed", keyed(kms(None), None, &[AWS]), &listed, None),
        ("not read", subject(Some(kms(Some(ALLOWED)))), &listed, Some(format!("Key {ALLOWED} was not read"))),
    ] {
        case(name, subject, params.clone()).is(&finding.map_or(Verdict::COMPLIANT, Verdict::non_compliant));
    }
    let error = RuleParameters::<Params>::parse(Some(r#"{"kmsKeyArns":"alias/a, alias/*"}"#)).unwrap_err();
    assert!(error.to_string().contains("without wildcards: received `alias/*`"), "{error}");
}

#[test]
fn a_policy_that_denies_unencrypted_uploads_replaces_default_encryption() {
    let deny = |changes: Value| {
        let mut statement = allow(json!({"Effect": "Deny", "Action": "s3:PutObject",
            "Condition": {"Null": {"s3:x-amz-server-side-encryption": "true"}}}));
        statement.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        policy(json!([statement]))
    };
    let condition = |condition: Value| deny(json!({ "Condition": condition }));
    let header = "s3:x-amz-server-side-encryption";
    for (name, policy, is_sufficient) in [
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
        let subject = CONTROL.subject(recorded, Facts { policy: Some(policy), ..Facts::default() });
        let sufficient = Verdict::Compliant(Some(Annotation::new("bucket policy refuses unencrypted objects")));
        let expected = if is_sufficient { sufficient } else { Verdict::non_compliant("No default encryption") };
        case(name, subject.clone(), json!({})).is(&expected);
        case(name, subject, json!({"requiredAlgorithm": "AES256"}))
            .non_compliant("No default encryption; AES256 required");
    }
}

#[test]
fn the_complete_rule_is_sent_with_unchanged_settings() {
    let blocked = BlockedEncryptionTypes { encryption_type: vec!["SSE-C".to_owned()] };
    let before = Rule {
        bucket_key_enabled: Some(true),
        blocked_encryption_types: Some(blocked),
        ..rule(Algorithm::Aes256, None)
    };
    let both = "s3-bucket-server-side-encryption-enabled/5, s3-bucket-server-side-encryption-enabled/8";
    case(both, no_target(subject(Some(before))), json!({"requiredAlgorithm": "aws:kms"}))
        .non_compliant("Default encryption is AES256; aws:kms required")
        .planned(&[concat!(
            r#"L2 PutBucketEncryption {"Bucket":"pics","ExpectedBucketOwner":"111122223333","#,
            r#""ServerSideEncryptionConfiguration":{"Rules":[{"#,
            r#""ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms"},"#,
            r#""BlockedEncryptionTypes":{"EncryptionType":["SSE-C"]},"BucketKeyEnabled":true}]}}"#,
        )]);
    let off = |rule| Rule { bucket_key_enabled: Some(false), ..rule };
    case("none", subject(None), json!({}))
        .non_compliant("No default encryption")
        .planned(&[&put(Level::L1, off(rule(Algorithm::Aes256, None)))]);
    let unlisted = keyed(rule(Algorithm::Dsse, Some(OTHER)), Some(OTHER), &[ALLOWED]);
    case("s3-bucket-server-side-encryption-enabled/7", no_target(unlisted), json!({"kmsKeyArns": ALLOWED}))
        .non_compliant(&format!("Key {OTHER} is not in kmsKeyArns"))
        .planned(&[&put(Level::L2, off(rule(Algorithm::Dsse, Some(ALLOWED))))]);
}

#[test]
fn a_choice_of_key_or_access_logs_block_the_plan() {
    let kms = json!({"requiredAlgorithm": "aws:kms"});
    let aes = || rule(Algorithm::Aes256, None);
    let target = Subject { log_sources: Some(BTreeSet::from(["web".to_owned()])), ..subject(Some(aes())) };
    let locked = Subject {
        unreadable_sources: BTreeSet::from(["logs (s3:GetBucketLogging: AccessDenied)".to_owned()]),
        ..no_target(subject(Some(aes())))
    };
    let mut disabled = keyed(aes(), None, &[ALLOWED]);
    disabled.keys.as_mut().unwrap().allowed[0].state = "PendingDeletion".into();
    let mut other_region = keyed(aes(), None, &[ALLOWED]);
    other_region.bucket.region = Region::new("eu-central-1");
    let planned = |subject: &Subject, params: Value| {
        let params = RuleParameters::parse(Some(&params.to_string())).unwrap().control;
        lines(&CONTROL.plan(subject, &params, NOW))
    };
    for (subject, params, expected) in [
        (target, kms.clone(), "target of the server access logs of web"),
        (
            locked.clone(),
            kms.clone(),
            "buckets that cannot be read may deliver access logs here, and KMS default encryption ends their delivery: \
             logs (s3:GetBucketLogging: AccessDenied)",
        ),
        (subject(Some(aes())), kms, "the sources of server access logs were not read"),
        (keyed(aes(), None, &[ALLOWED, OTHER]), json!({"kmsKeyArns": "a,b"}), "key: an operator must choose among"),
        (keyed(aes(), None, &[]), json!({"requireCmk": true}), "key: kmsKeyArns names no key that can be used"),
        (
            disabled,
            json!({"kmsKeyArns": "a"}),
            "key arn:aws:kms:eu-west-1:111122223333:key/allowed is in state PendingDeletion",
        ),
        (
            other_region,
            json!({"kmsKeyArns": "a"}),
            "key arn:aws:kms:eu-west-1:111122223333:key/allowed is not in region eu-central-1",
        ),
        (subject(Some(rule(Algorithm::Fsx, None))), json!({"requiredAlgorithm": "AES256"}), "aws:fsx: "),
    ] {
        let planned = planned(&subject, params);
        let is_blocked = planned[0].starts_with(&format!("blocked: {expected}"));
        assert!(is_blocked, "s3-bucket-server-side-encryption-enabled/6: {expected}: {planned:?}");
    }
    // S3 managed keys do not affect log delivery.
    let unset = planned(&Subject { rule: None, ..locked }, json!({"requiredAlgorithm": "AES256"}));
    assert!(unset[0].starts_with("L1 PutBucketEncryption"), "{unset:?}");
}
