//! One table for each rule about public access.
#![allow(clippy::needless_pass_by_value)]

use serde_json::{Value, json};

use super::*;

const BUCKET: &str = "arn:aws:s3:::pics";

/// [`ResourceKind::PLAIN`] with a list of actions.
const LISTED: ResourceKind =
    ResourceKind { actions: &[&["s3:GetObject", "s3:GetObjectAcl"], &["s3:PutObject"]], ..ResourceKind::PLAIN };

fn policy(statements: &Value) -> Policy {
    Policy::parse("p", &json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
}

fn public_statements(statements: &Value, kind: &ResourceKind) -> Vec<String> {
    policy(statements).public_statements(BUCKET, kind).iter().map(|it| it.label.clone()).collect()
}

fn allow(sid: &str, action: &str) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": action, "Resource": "arn:aws:s3:::pics/*"})
}

fn deny(action: &str, resource: &Value) -> Value {
    json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource})
}

fn with(principal: Value, condition: Value) -> Value {
    json!({"Sid": "A", "Effect": "Allow", "Principal": principal, "Action": "s3:GetObject",
           "Resource": "arn:aws:s3:::pics/*", "Condition": condition})
}

#[test]
fn a_statement_is_public_if_its_principal_is_and_no_condition_restricts() {
    let vpce = json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}});
    let tls = json!({"Bool": {"aws:SecureTransport": "true"}});
    let mut both = vpce.clone();
    both["Bool"] = tls["Bool"].clone();
    for (principal, condition, open) in [
        (json!("*"), json!({}), true),
        (json!({"AWS": ["arn:aws:iam::111122223333:role/x", "*"]}), json!({}), true),
        (json!({"Federated": "accounts.google.com"}), json!({}), true),
        (json!({"AWS": "arn:aws:iam::111122223333:root"}), json!({}), false),
        (json!({"Service": "events.amazonaws.com"}), json!({}), false),
        (json!("*"), vpce, false),
        (json!("*"), tls, true),
        (json!("*"), both, false),
    ] {
        let expected: &[&str] = if open { &["A"] } else { &[] };
        let statement = with(principal, condition);
        assert_eq!(public_statements(&json!([statement]), &ResourceKind::PLAIN), expected, "{statement}");
        assert_eq!(public_statements(&statement, &ResourceKind::PLAIN), expected, "a single one need not be a list");
    }
    let all_but = json!({"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "*", "Resource": "*"});
    let deny = deny("s3:*", &json!("*"));
    assert_eq!(
        public_statements(&json!([deny, all_but]), &ResourceKind::PLAIN),
        ["1"],
        "without a Sid the position is the name"
    );
}

#[test]
fn a_statement_about_another_resource_is_ignored() {
    for (resource, open) in [("arn:aws:s3:::pics", true), ("*", true), ("arn:aws:s3:::other/*", false)] {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": resource});
        assert_eq!(public_statements(&statement, &ResourceKind::PLAIN).is_empty(), !open, "{resource}");
    }
}

#[test]
fn only_an_unconditional_deny_for_everyone_that_covers_the_whole_allow_cancels_it() {
    let both = json!(["arn:aws:s3:::pics", "arn:aws:s3:::pics/*"]);
    let mut conditional = deny("s3:*", &both);
    conditional["Condition"] = json!({"Bool": {"aws:SecureTransport": "false"}});
    let mut named = deny("s3:*", &both);
    named["Principal"] = json!({"AWS": "arn:aws:iam::111122223333:root"});
    for (deny, open) in [
        (deny("s3:*", &both), false),
        (deny("S3:Get*", &both), false),
        (deny("*", &json!("*")), false),
        (deny("s3:GetObject", &json!("arn:aws:s3:::pics/private/*")), true),
        (deny("s3:Put*", &both), true),
        (conditional, true),
        (named, true),
    ] {
        let expected: &[&str] = if open { &["A"] } else { &[] };
        for kind in [&LISTED, &ResourceKind::PLAIN] {
            assert_eq!(public_statements(&json!([allow("A", "s3:GetObject"), deny]), kind), expected, "{deny}");
        }
    }
}

#[test]
fn actions_are_compared_by_the_list_or_without_one_by_their_patterns() {
    let everything = json!("*");
    let all_but_put = json!({"Effect": "Deny", "Principal": "*", "NotAction": "s3:PutObject", "Resource": "*"});
    let not_put = json!({"Sid": "A", "Effect": "Allow", "Principal": "*", "NotAction": "s3:Put*", "Resource": "*"});
    for (statement, deny, listed, plain) in [
        (allow("A", "s3:Get*"), deny("s3:GetObject*", &everything), false, true),
        (allow("A", "s3:Get*"), deny("s3:G*", &everything), false, false),
        (allow("A", "s3:GetObject"), all_but_put, false, true),
        (not_put.clone(), deny("s3:Get*", &everything), false, true),
        (not_put, deny("*", &everything), false, false),
        (allow("A", "s3:*"), deny("s3:Get*", &everything), true, true),
        (allow("A", "s3:ListAllMyBuckets"), deny("s3:Put*", &everything), false, true),
        (allow("A", "sqs:*"), deny("s3:*", &everything), false, true),
    ] {
        let statements = json!([statement, deny]);
        let open = [&LISTED, &ResourceKind::PLAIN].map(|kind| !public_statements(&statements, kind).is_empty());
        assert_eq!(open, [listed, plain], "{statements}");
    }
}

#[test]
fn a_statement_for_a_shared_service_must_name_the_source_account() {
    let shared = ResourceKind { shared_services: &["s3.amazonaws.com"], ..ResourceKind::PLAIN };
    let arn = |arn: &str| json!({"ArnLike": {"aws:SourceArn": arn}});
    let account = json!({"StringEquals": {"aws:SourceAccount": "111122223333"}});
    let s3 = json!({"Service": "s3.amazonaws.com"});
    for (principal, condition, open) in [
        (s3.clone(), json!({}), true),
        (json!({"Service": ["events.amazonaws.com", "s3.amazonaws.com"]}), json!({}), true),
        (s3.clone(), arn("arn:aws:s3:::pics"), true),
        (s3.clone(), account, false),
        (s3.clone(), arn("arn:aws:s3:eu-west-1:111122223333:x"), false),
        (json!({"Service": "events.amazonaws.com"}), json!({}), false),
        (json!({"AWS": "111122223333"}), json!({}), false),
    ] {
        let statement = with(principal, condition);
        assert_eq!(!public_statements(&statement, &shared).is_empty(), open, "{statement}");
        assert!(public_statements(&statement, &ResourceKind::PLAIN).is_empty(), "{statement}");
    }
}

#[test]
fn strangers_are_external_principals_and_restricting_conditions() {
    let with = |sid: &str, principal: Value, condition: Value| {
        let mut statement = with(principal, condition);
        statement["Sid"] = sid.into();
        statement
    };
    let none = json!({});
    let policy = policy(&json!([
        with("Public", json!("*"), none.clone()),
        with("Partner", json!({"AWS": "arn:aws:iam::444455556666:root"}), none.clone()),
        with("Own", json!({"AWS": "arn:aws:iam::111122223333:role/app"}), none.clone()),
        with("Service", json!({"Service": "logging.s3.amazonaws.com"}), none),
        with("Vpce", json!("*"), json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}})),
        with("OwnByKey", json!("*"), json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}})),
    ]));
    let external_statements = policy.external_statements(BUCKET, &AccountId::new("111122223333"), &ResourceKind::PLAIN);
    assert_eq!(external_statements.iter().map(|it| it.label.as_str()).collect::<Vec<_>>(), ["Partner", "Vpce"]);
}
