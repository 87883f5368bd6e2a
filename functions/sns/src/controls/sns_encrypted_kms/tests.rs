use proptest::prelude::*;
use rectify_testing::{Cases, Laws};

use super::*;
use crate::resources::topic::tests::{ARN, topic};

const KEY_ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/7c9e6679-7425-40de-944b-e07fc1f90ae7";

fn key() -> KmsKey {
    let text = str::to_owned;
    KmsKey { arn: text(KEY_ARN), state: text("Enabled"), spec: text("SYMMETRIC_DEFAULT"), aws_managed: false }
}

/// A topic to which alarms publish.
fn alarms() -> Topic {
    let statement = json!({"Sid": "Alarms", "Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
                           "Action": "SNS:Publish", "Resource": ARN});
    topic(Some(&json!({"Statement": [statement]}).to_string()))
}

/// A key policy that allows this service to use the key.
fn key_policy(service: &str) -> Value {
    json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Resource": "*",
                          "Action": ["kms:Decrypt", "kms:GenerateDataKey*"]}]})
}

fn subject(key: KmsKey) -> TopicWithKeys {
    let candidate = Candidate::new(key, &key_policy("cloudwatch.amazonaws.com"), &alarms());
    TopicWithKeys { topic: alarms(), keys: None, candidate: Some(candidate) }
}

fn keyed(topic: &mut TopicWithKeys, id: &str, current: KmsKey) {
    topic.topic.kms_key = Some(id.to_owned());
    topic.keys = Some(Keys { current: Some(current), allowed: vec![KEY_ARN.to_owned()] });
}

const FOUND: &str = "Topic alarms has no KMS key";
const WITH_KEY: &str = r#"{"kmsKeyId": "alias/topics"}"#;
const CALL: &str =
    r#"L2 SetTopicAttributes {"KmsMasterKeyId":"alias/topics","TopicArn":"arn:aws:sns:eu-west-1:111122223333:alarms"}"#;

#[test]
fn cases() {
    let cases = Cases::of(&SnsEncryptedKms, subject(key()));
    let managed = KmsKey { aws_managed: true, ..key() };
    let other = KmsKey { arn: format!("{KEY_ARN}0"), ..key() };
    let allowed = r#"{"kmsKeyIds": "alias/topics"}"#;
    let only_own = r#"{"acceptManagedKey": "false"}"#;
    cases.case("sns-encrypted-kms/1", |_| ()).with(WITH_KEY).non_compliant(FOUND).planned(&[CALL]);
    let by_aws = |it: &mut TopicWithKeys| keyed(it, "alias/aws/sns", managed.clone());
    cases.case("sns-encrypted-kms/2", by_aws).compliant();
    cases
        .case("sns-encrypted-kms/2, not accepted", by_aws)
        .with(only_own)
        .non_compliant("Topic alarms: key alias/aws/sns is managed by AWS");
    for id in ["alias/topics", KEY_ARN, "7c9e6679-7425-40de-944b-e07fc1f90ae7"] {
        cases.case("sns-encrypted-kms/3", |it| keyed(it, id, key())).with(allowed).compliant();
    }
    cases
        .case("another key", |it| keyed(it, "alias/other", other))
        .with(allowed)
        .non_compliant("Topic alarms: key alias/other is not in kmsKeyIds");
    cases
        .case("a key that is gone", |it| it.topic.kms_key = Some("alias/gone".into()))
        .with(only_own)
        .non_compliant("Topic alarms: key alias/gone does not exist");
    let manual = "L2 manual: set kmsKeyId to a key that publishers may use, or KmsMasterKeyId of the topic";
    cases.case("sns-encrypted-kms/5", |_| ()).non_compliant(FOUND).planned(&[manual]);
    cases
        .case("sns-encrypted-kms/7", |it| it.topic.arn.push_str(".fifo"))
        .non_compliant("Topic alarms.fifo has no KMS key");
}

#[test]
fn an_unusable_key_is_not_set() {
    let blocked = |case: &str, candidate: Option<Candidate>, reason: &str| {
        let subject = TopicWithKeys { candidate, ..subject(key()) };
        let reason = format!("blocked: {reason}");
        Cases::of(&SnsEncryptedKms, subject)
            .case(case, |_| ())
            .with(WITH_KEY)
            .non_compliant(FOUND)
            .planned(&[&reason, CALL]);
    };
    let of = |key: KmsKey| subject(key).candidate;
    let refused = Candidate::new(key(), &key_policy("events.amazonaws.com"), &alarms());
    let actions = "cloudwatch.amazonaws.com kms:GenerateDataKey, cloudwatch.amazonaws.com kms:Decrypt";
    let reason = format!("the policy of key {KEY_ARN} does not plainly allow {actions}");
    blocked("sns-encrypted-kms/4", Some(refused), &reason);
    let disabled = KmsKey { state: "Disabled".into(), ..key() };
    blocked("sns-encrypted-kms/6", of(disabled), &format!("key {KEY_ARN} is in state Disabled"));
    let managed = KmsKey { aws_managed: true, ..key() };
    let reason = format!("key {KEY_ARN} is managed by AWS, and its policy cannot allow publishers");
    blocked("the key of AWS", of(managed), &reason);
    let elsewhere = KmsKey { arn: KEY_ARN.replace("eu-west-1", "eu-west-2"), ..key() };
    blocked("another region", of(elsewhere.clone()), &format!("key {} is not in region eu-west-1", elsewhere.arn));
    blocked("no such key", None, "key alias/topics does not exist");

    let other = "arn:aws:kms:eu-west-1:111122223333:key/other";
    let keys = Some(Keys { current: None, allowed: vec![other.to_owned()] });
    Cases::of(&SnsEncryptedKms, TopicWithKeys { keys, ..subject(key()) })
        .case("a key that is not allowed", |_| ())
        .with(r#"{"kmsKeyId": "alias/topics", "kmsKeyIds": "other"}"#)
        .non_compliant(FOUND)
        .planned(&[&format!("blocked: key {KEY_ARN} is not in kmsKeyIds"), CALL]);
}

#[test]
fn undo_restores_no_key_or_the_previous_one() {
    let done = [SET.member(KEY).of(ARN, &"alias/topics")];
    let mut before = subject(key());
    let none = [SET.member(KEY).of(ARN, &"")];
    assert_eq!(SnsEncryptedKms.undo(&before, &done), Ok(none.to_vec()), "sns-encrypted-kms/8");
    before.topic.kms_key = Some("alias/aws/sns".into());
    let previous = [SET.member(KEY).of(ARN, &"alias/aws/sns")];
    assert_eq!(SnsEncryptedKms.undo(&before, &done), Ok(previous.to_vec()));
}

#[test]
fn laws() {
    let state = prop_oneof![8 => Just("Enabled"), 1 => Just("Disabled")];
    let id = prop::option::weighted(0.6, prop::sample::select(vec!["alias/aws/sns", "alias/old"]));
    let subjects = (state, id, any::<bool>(), any::<bool>()).prop_map(|(state, id, own, has_parameter)| {
        let keys = Some(Keys { current: None, allowed: vec![KEY_ARN.to_owned()] });
        let mut subject = TopicWithKeys { keys, ..subject(KmsKey { state: state.to_owned(), ..key() }) };
        if let Some(id) = id {
            keyed(&mut subject, id, KmsKey { aws_managed: id == "alias/aws/sns", ..key() });
        }
        let kms_key_id = has_parameter.then(|| "alias/topics".to_owned());
        let params = TopicKeyParameters { kms_key_id, accept_managed_key: Flag(own), ..TopicKeyParameters::default() };
        (subject, params)
    });
    Laws::of(&SnsEncryptedKms, &["/topic/kmsKey", "/keys/current"], Remediation::predict).hold(subjects);
}
