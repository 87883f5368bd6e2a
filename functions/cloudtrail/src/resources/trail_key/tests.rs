use rectify_compliance::AccountId;
use serde_json::json;

use super::*;
use crate::resources::trail::tests::{TRAIL, trail};

pub(crate) const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

pub(crate) fn key(arn: &str, state: &str) -> KeyAnswer {
    KeyAnswer::Known(Key { arn: arn.into(), state: state.into(), spec: "SYMMETRIC_DEFAULT".into() })
}

pub(crate) fn arn(text: &str) -> KeyArn {
    KeyArn::try_from(text.to_owned()).unwrap()
}

/// The statements that CloudTrail's documentation requires.
fn policy() -> Value {
    let service = json!({"Service": "cloudtrail.amazonaws.com"});
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": service, "Action": "kms:GenerateDataKey*", "Resource": "*", "Condition": {
            "StringEquals": {"aws:SourceArn": TRAIL},
            "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*:111122223333:trail/*"}}},
        {"Effect": "Allow", "Principal": service, "Action": "kms:DescribeKey", "Resource": "*"}
    ]})
}

pub(crate) fn candidate(answer: KeyAnswer) -> Candidate {
    Candidate::new(&arn(KEY), answer, Some(&policy()), &trail())
}

#[test]
fn a_key_is_identified_by_key_arn_or_alias_arn() {
    let alias = "arn:aws:kms:eu-west-1:111122223333:alias/trails";
    assert_eq!((arn(&format!(" {KEY} ")).as_str(), arn(alias).as_str()), (KEY, alias));
    assert!(is_key_arn(KEY) && !is_key_arn(alias));
    for text in ["", "1", "alias/x", "arn:aws:kms:eu-west-1:111122223333:grant/x", "arn:aws:kms::111122223333:key/1"] {
        let error = KeyArn::try_from(text.to_owned()).unwrap_err();
        assert_eq!(error, format!("expected the ARN of a KMS key or alias: received `{text}`"));
    }
    let account = AccountId::new("111122223333");
    assert!(is_foreign("arn:aws:kms:eu-west-1:444455556666:key/1", &account));
    assert!(!is_foreign(KEY, &account) && !is_foreign("1", &account));
}

#[test]
fn a_key_whose_policy_allows_cloudtrail_has_no_blockers() {
    assert_eq!(candidate(key(KEY, "Enabled")).blockers(), [""; 0]);
}

#[test]
fn an_unusable_key_gives_its_blockers() {
    let reasons = |candidate: Candidate| candidate.blockers().join("; ");
    let with = |policy: Option<&Value>| Candidate::new(&arn(KEY), key(KEY, "Enabled"), policy, &trail());
    let mut asymmetric = candidate(key(KEY, "Enabled"));
    if let KeyAnswer::Known(key) = &mut asymmetric.answer {
        key.spec = "RSA_2048".into();
    }
    let mut of_another_trail = policy();
    of_another_trail["Statement"][1]["Condition"]["StringEquals"]["aws:SourceArn"] = json!(format!("{TRAIL}-2"));
    let mut default = policy();
    default["Statement"].as_array_mut().unwrap().truncate(1);
    let mut denied = policy();
    denied["Statement"].as_array_mut().unwrap().push(json!({
        "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}
    }));
    let refused = |actions: &str| {
        format!("the policy of key {KEY} does not plainly allow cloudtrail.amazonaws.com {actions} for this trail")
    };
    for (case, candidate, expected) in [
        ("disabled", candidate(key(KEY, "Disabled")), format!("key {KEY} is in state Disabled")),
        ("asymmetric", asymmetric, format!("key {KEY} has spec RSA_2048, which is not symmetric")),
        ("gone", candidate(KeyAnswer::Missing), format!("key {KEY} does not exist")),
        ("denied", candidate(KeyAnswer::Denied), format!("key {KEY} cannot be read")),
        ("another account", with(None), format!("the policy of key {KEY} of another account cannot be read")),
        ("policy for another trail", with(Some(&of_another_trail)), refused("kms:GenerateDataKey")),
        ("policy of a new key", with(Some(&default)), refused("kms:GenerateDataKey, kms:DescribeKey")),
        ("a conditional deny", with(Some(&denied)), refused("kms:GenerateDataKey, kms:DescribeKey")),
    ] {
        assert_eq!(reasons(candidate), expected, "{case}");
    }
}
