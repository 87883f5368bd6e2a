//! One table for each rule about restricting conditions.
#![allow(clippy::needless_pass_by_value)]

use serde_json::json;

use super::*;
use crate::exposure::Key;

const STRICT: ResourceKind = ResourceKind { wildcards: Wildcards::Refused, ..ResourceKind::PLAIN };

fn restricts(operator: &str, key: &str, values: Value, kind: &ResourceKind) -> bool {
    let block = json!({operator: {key: values}});
    Condition::list("p", Some(&block)).unwrap().iter().any(|it| it.restricts(kind))
}

#[test]
fn a_fixed_value_of_a_known_key_restricts() {
    for (operator, key, values, expected) in [
        ("StringEquals", "aws:SourceVpce", json!("vpce-1"), true),
        ("stringequals", "AWS:sourcevpce", json!(["vpce-1", "vpce-2"]), true),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgID", json!("o-abc"), true),
        ("ArnLike", "aws:SourceArn", json!("arn:aws:sns:eu-west-1:111122223333:t"), true),
        ("StringEqualsIgnoreCase", "aws:PrincipalAccount", json!(111_122_223_333_u64), true),
        ("StringLike", "aws:PrincipalOrgID", json!("o-*"), false),
        ("StringEquals", "aws:SourceVpce", json!(["vpce-1", "vpce-?"]), false),
        ("StringEquals", "aws:userid", json!("AROAEXAMPLEID:*"), false),
        ("StringEquals", "aws:SourceAccount", json!("${aws:PrincipalAccount}"), false),
        ("StringEquals", "aws:SourceVpc", json!([]), false),
        ("StringEqualsIfExists", "aws:SourceVpc", json!("vpc-1"), false),
        ("ForAllValues:StringEquals", "aws:PrincipalOrgID", json!("o-abc"), false),
        ("StringNotEquals", "aws:SourceVpc", json!("vpc-1"), false),
        ("Null", "aws:SourceVpc", json!("false"), false),
        ("Bool", "aws:SecureTransport", json!(true), false),
        ("StringEquals", "aws:Referer", json!("https://example.com/"), false),
        ("IpAddress", "aws:SourceVpc", json!("10.0.0.0/8"), false),
    ] {
        assert_eq!(restricts(operator, key, values.clone(), &STRICT), expected, "{operator} {key} {values}");
    }
}

#[test]
fn a_network_restricts_if_its_prefix_is_at_least_8_or_32_bits() {
    for (values, expected) in [
        (json!("203.0.113.0/24"), true),
        (json!("203.0.113.7"), true),
        (json!(["10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12"]), true),
        (json!("2001:db8::/32"), true),
        (json!("8.0.0.0/7"), false),
        (json!("0.0.0.0/1"), false),
        (json!("0.0.0.0/0"), false),
        (json!("2001:db8::/31"), false),
        (json!("::/0"), false),
        (json!(["203.0.113.0/24", "0.0.0.0/0"]), false),
        (json!("somewhere"), false),
    ] {
        assert_eq!(restricts("IpAddress", "aws:SourceIp", values.clone(), &STRICT), expected, "{values}");
    }
    assert!(!restricts("NotIpAddress", "aws:SourceIp", json!("203.0.113.0/24"), &STRICT));
}

#[test]
fn only_an_account_key_with_this_account_restricts_to_it() {
    let account = AccountId::new("111122223333");
    let restricts = |key: &str, values: &[&str]| {
        let values = values.iter().map(|&it| it.into()).collect();
        Condition { operator: "StringEquals".into(), key: key.into(), values }.restricts_to_account(&account, &STRICT)
    };
    assert!(restricts("aws:PrincipalAccount", &["111122223333"]));
    assert!(!restricts("aws:PrincipalAccount", &["111122223333", "444455556666"]));
    assert!(!restricts("aws:SourceVpce", &["111122223333"]));
}

#[test]
fn a_malformed_condition_is_rejected() {
    for block in [json!("x"), json!({"StringEquals": "x"}), json!({"StringEquals": {"aws:SourceVpc": {"a": 1}}})] {
        assert!(Condition::list("p", Some(&block)).is_err(), "{block}");
    }
    assert_eq!(Condition::list("p", None), Ok(Vec::new()));
}

#[test]
fn a_wildcard_may_follow_an_owner_if_the_kind_allows_it() {
    for (operator, key, value, expected) in [
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:111122223333:*", true),
        ("StringLike", "aws:SourceArn", "arn:aws:sns:eu-west-1:111122223333:*", true),
        ("StringLike", "aws:PrincipalArn", "arn:aws:iam::111122223333:*", true),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:pics", true),
        ("StringLike", "aws:SourceArn", "arn:aws:s3:::pics/*", true),
        ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-abc/r-1/*", true),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:t", false),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:1111*:t", false),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::pics*", false),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:accesspoint/*", false),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:*:*:accesspoint/app", false),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:111122223333:${aws:username}", false),
        ("ArnLike", "aws:SourceArn", "*", false),
        // A wildcard of a string operator matches colons: this would match a log group with this name in any account.
        ("StringLike", "aws:SourceArn", "arn:aws:*:111122223333:*", false),
        ("StringLike", "aws:SourceArn", "arn:aws:logs:*:111122223333:*", false),
        ("StringLike", "aws:SourceArn", "arn:aws:sns:eu-west-1:*:t", false),
        ("StringLike", "aws:PrincipalOrgPaths", "o-*/r-1/*", false),
        ("StringLike", "aws:PrincipalOrgPaths", "o-abc*", false),
        ("StringLike", "aws:PrincipalOrgID", "o-*", false),
        ("StringLike", "aws:PrincipalAccount", "1111*", false),
    ] {
        assert_eq!(restricts(operator, key, json!(value), &ResourceKind::PLAIN), expected, "{operator} {key} {value}");
        assert!(!restricts(operator, key, json!(value), &STRICT) || !value.contains('*'), "{operator} {key} {value}");
    }
}

#[test]
fn a_kind_adds_keys_of_its_service_and_ignores_others() {
    let own: ResourceKind = ResourceKind {
        keys: &[Key { name: "kms:calleraccount", is_fixed }],
        ignored_keys: &["aws:principalorgpaths"],
        ..ResourceKind::PLAIN
    };
    for (key, value, plain, with_own) in [
        ("kms:CallerAccount", "111122223333", false, true),
        ("kms:callerAccount", "111122223333", false, true),
        ("kms:CallerAccount", "*", false, false),
        ("kms:ViaService", "s3.eu-west-1.amazonaws.com", false, false),
        ("aws:PrincipalOrgPaths", "o-abc/r-1", true, false),
        ("aws:SourceVpce", "vpce-1", true, true),
    ] {
        let both = [&ResourceKind::PLAIN, &own].map(|kind| restricts("StringEquals", key, json!(value), kind));
        assert_eq!(both, [plain, with_own], "{key} {value}");
    }
}

#[test]
fn the_source_account_is_named_by_its_key_or_by_an_arn_with_an_account() {
    for (operator, key, value, expected) in [
        ("StringEquals", "aws:SourceAccount", "111122223333", true),
        ("ArnLike", "aws:SourceArn", "arn:aws:sns:eu-west-1:111122223333:t", true),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::pics", false),
        ("StringEqualsIfExists", "aws:SourceAccount", "111122223333", false),
        ("StringEquals", "aws:SourceVpce", "vpce-1", false),
    ] {
        let condition = Condition { operator: operator.into(), key: key.into(), values: vec![value.into()] };
        assert_eq!(condition.names_source_account(&ResourceKind::PLAIN), expected, "{operator} {key} {value}");
    }
}
