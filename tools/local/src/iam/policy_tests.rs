//! Cases of AWS's documented evaluation logic.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn decided(statements: &Value, request: &Request) -> Decision {
    decide(&Statement::all_of(&json!({ "Statement": statements })).unwrap(), request)
}

#[test]
fn default_is_not_allowed_and_deny_overrides_allow() {
    use Decision::{Allowed, Denied, NotAllowed};
    let get = Request::new("s3:GetObject", "arn:aws:s3:::logs/a/b");
    let allow = |action: &str, resource: &str| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let deny = |action: &str, resource: &str| json!({"Effect": "Deny", "Action": action, "Resource": resource});
    for (case, statements, expected) in [
        ("no statement", json!([]), NotAllowed),
        ("exact match", json!([allow("s3:GetObject", "arn:aws:s3:::logs/a/b")]), Allowed),
        ("one statement without a list", allow("s3:GetObject", "*"), Allowed),
        ("action in another case", json!([allow("S3:getobject", "*")]), Allowed),
        ("action with a wildcard", json!([allow("s3:Get*", "*")]), Allowed),
        ("any action", json!([allow("*", "*")]), Allowed),
        ("single-character wildcard", json!([allow("s3:GetObjec?", "*")]), Allowed),
        ("another action", json!([allow("s3:GetObjectAcl", "*")]), NotAllowed),
        ("prefix of the action", json!([allow("s3:GetObj", "*")]), NotAllowed),
        ("wildcard across slashes", json!([allow("s3:GetObject", "arn:aws:s3:::logs/*")]), Allowed),
        ("resource in another case", json!([allow("s3:GetObject", "arn:aws:s3:::Logs/*")]), NotAllowed),
        ("the bucket only", json!([allow("s3:GetObject", "arn:aws:s3:::logs")]), NotAllowed),
        ("denied before", json!([deny("s3:*", "*"), allow("s3:GetObject", "*")]), Denied),
        ("denied after", json!([allow("s3:GetObject", "*"), deny("s3:*", "*")]), Denied),
        ("something else denied", json!([allow("s3:*", "*"), deny("s3:Put*", "*")]), Allowed),
        ("denied elsewhere", json!([allow("s3:*", "*"), deny("s3:*", "arn:aws:s3:::state*")]), Allowed),
        ("NotAction", json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]), Allowed),
        (
            "NotAction that excludes it",
            json!([{"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "Resource": "*"}]),
            NotAllowed,
        ),
        (
            "denied except for this resource",
            json!([allow("s3:*", "*"), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::logs/*"}]),
            Allowed,
        ),
        (
            "denied except for another resource",
            json!([allow("s3:*", "*"), {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::state"}]),
            Denied,
        ),
        (
            "any member of a list",
            json!([{"Effect": "Allow", "Action": ["ec2:*", "s3:GetObject"], "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::logs/*"]}]),
            Allowed,
        ),
    ] {
        assert_eq!(decided(&statements, &get), expected, "{case}");
    }
    let listed = Request::new("s3:ListAllMyBuckets", "*");
    assert_eq!(decided(&allow("s3:ListAllMyBuckets", "*"), &listed), Allowed);
    let scoped = decided(&allow("s3:ListAllMyBuckets", "arn:aws:s3:::*"), &listed);
    assert_eq!(scoped, NotAllowed, "an action without a resource type is allowed on `*` only");
}

#[test]
fn conditions_hold_as_documented() {
    let none = Request::new("a:B", "*");
    let one = none.clone().with("aws:SourceAccount", ["111122223333"]);
    let tags = |keys: &[&str]| none.clone().with("aws:TagKeys", keys.iter().copied());
    let arn = none.clone().with("aws:SourceArn", ["arn:aws:sns:eu-west-1:111122223333:topic:a"]);
    for (case, operator, key, values, request, holds) in [
        ("equal", "StringEquals", "aws:SourceAccount", json!("111122223333"), &one, true),
        ("key in another case", "StringEquals", "AWS:sourceaccount", json!("111122223333"), &one, true),
        ("one of several", "StringEquals", "aws:SourceAccount", json!(["1", "111122223333"]), &one, true),
        ("unequal", "StringEquals", "aws:SourceAccount", json!("1*"), &one, false),
        ("missing", "StringEquals", "aws:SourceAccount", json!("1"), &none, false),
        ("missing, if it exists", "StringEqualsIfExists", "aws:SourceAccount", json!("1"), &none, true),
        ("unequal, if it exists", "StringEqualsIfExists", "aws:SourceAccount", json!("1"), &one, false),
        ("not equal", "StringNotEquals", "aws:SourceAccount", json!(["1", "2"]), &one, true),
        (
            "not equal, but one of several is",
            "StringNotEquals",
            "aws:SourceAccount",
            json!(["1", "111122223333"]),
            &one,
            false,
        ),
        ("not equal and missing", "StringNotEquals", "aws:SourceAccount", json!("1"), &none, true),
        ("like", "StringLike", "aws:SourceAccount", json!("1111????3333"), &one, true),
        ("not like", "StringNotLike", "aws:SourceAccount", json!("1*"), &one, false),
        ("all", "ForAllValues:StringLike", "aws:TagKeys", json!(["a*", "b"]), &tags(&["a", "ab", "b"]), true),
        (
            "one outside the list",
            "ForAllValues:StringLike",
            "aws:TagKeys",
            json!(["a*", "b"]),
            &tags(&["a", "c"]),
            false,
        ),
        ("all of none", "ForAllValues:StringLike", "aws:TagKeys", json!("a"), &none, true),
        ("any", "ForAnyValue:StringLike", "aws:TagKeys", json!("rectify:*"), &tags(&["a", "rectify:mode"]), true),
        (
            "none of the values",
            "ForAnyValue:StringLike",
            "aws:TagKeys",
            json!("rectify:*"),
            &tags(&["a", "Rectify:mode"]),
            false,
        ),
        ("any of none", "ForAnyValue:StringLike", "aws:TagKeys", json!("*"), &none, false),
        ("absent", "Null", "aws:TagKeys", json!("true"), &none, true),
        ("present", "Null", "aws:TagKeys", json!(false), &tags(&["a"]), true),
        ("present but must be absent", "Null", "aws:TagKeys", json!("true"), &tags(&["a"]), false),
        ("absent but must be present", "Null", "aws:TagKeys", json!("false"), &none, false),
        (
            "boolean",
            "Bool",
            "aws:SecureTransport",
            json!("false"),
            &none.clone().with("aws:SecureTransport", ["false"]),
            true,
        ),
        ("an ARN", "ArnLike", "aws:SourceArn", json!("arn:*:sns:*:111122223333:topic:*"), &arn, true),
        (
            "a wildcard stays within a part of the ARN",
            "ArnLike",
            "aws:SourceArn",
            json!("arn:aws:*:topic:a"),
            &arn,
            false,
        ),
        (
            "the last part of an ARN may contain colons",
            "ArnEquals",
            "aws:SourceArn",
            json!("arn:aws:sns:*:*:*"),
            &arn,
            true,
        ),
    ] {
        let statement =
            json!({"Effect": "Allow", "Action": "a:B", "Resource": "*", "Condition": {operator: {key: values}}});
        let expected = if holds { Decision::Allowed } else { Decision::NotAllowed };
        assert_eq!(decided(&statement, request), expected, "{case}");
    }
    let both = json!({"Effect": "Allow", "Action": "a:B", "Resource": "*", "Condition": {
        "ForAllValues:StringLike": {"aws:TagKeys": "a"}, "Null": {"aws:TagKeys": "false"}}});
    assert_eq!(decided(&both, &none), Decision::NotAllowed, "every key of a block must hold");
    assert_eq!(decided(&both, &tags(&["a"])), Decision::Allowed);
}

#[test]
fn unsupported_policy_is_an_error_when_read() {
    let read = |statement: Value| Statement::all_of(&json!({ "Statement": [statement] })).unwrap_err();
    for (statement, expected) in [
        (json!({"Effect": "Permit", "Action": "*", "Resource": "*"}), "Effect: expected Allow or Deny"),
        (json!({"Effect": "Allow", "Resource": "*"}), "expected Action or NotAction"),
        (json!({"Effect": "Allow", "Action": "*"}), "expected Resource or NotResource"),
        (json!({"Effect": "Allow", "Action": "*", "Resource": "none"}), "expected an ARN or `*`: received `none`"),
        (json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}), "`Principal` is not supported"),
        (
            json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"DateLessThan": {"a": "b"}}}),
            "`DateLessThan` is not supported",
        ),
        (
            json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"ForSome:Bool": {"a": "b"}}}),
            "`ForSome` is not supported",
        ),
    ] {
        let error = read(statement.clone());
        assert!(error.contains(expected), "{statement}: {error}");
    }
    assert_eq!(Statement::all_of(&json!({})).unwrap_err(), "expected a Statement");
}
