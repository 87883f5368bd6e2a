#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, clippy::indexing_slicing)]

use rectify_compliance::{AccountId, Region};
use rectify_testing::cases::lines;
use rectify_testing::{Case, Cases, NOW};

use super::S3BucketSslRequestsOnly as CONTROL;
use super::*;
use crate::testing::{item, pics, reordered};

const BUCKET: &str = "arn:aws:s3:::pics";
const OBJECTS: &str = "arn:aws:s3:::pics/*";

/// A Deny of HTTP on bucket and objects, changed by `changes`; null takes a key away.
pub(super) fn deny(changes: Value) -> Value {
    let mut statement = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [BUCKET, OBJECTS],
                               "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
    let fields = statement.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap().clone() {
        if value.is_null() {
            fields.remove(&key)
        } else {
            fields.insert(key, value)
        };
    }
    statement
}

pub(super) fn with_text(policy: Option<&str>) -> Subject {
    Subject { bucket: pics(), policy: policy.map(|text| Document::parse("Policy", text).unwrap()), website: false }
}

fn with(statements: Value) -> Subject {
    with_text(Some(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()))
}

fn case(name: &str, subject: Subject) -> Case<'_, S3BucketSslRequestsOnly> {
    Cases::of(&CONTROL, subject).case(name, |_| ())
}

pub(super) fn plan(subject: &Subject) -> Plan<Action> {
    CONTROL.plan(subject, &NoParameters {}, NOW)
}

#[test]
fn only_a_deny_of_all_http_on_all_of_the_bucket_is_enough() {
    let nothing = || Some("bucket and objects");
    let condition = |block: Value| deny(json!({"Condition": block}));
    let on = |resource: &str| deny(json!({"Resource": resource}));
    for (name, statements, place) in [
        ("s3-bucket-ssl-requests-only/2", on(OBJECTS), Some("the bucket (objects only)")),
        ("bucket only", on(BUCKET), Some("objects (bucket ARN only)")),
        ("s3-bucket-ssl-requests-only/3", json!([on(BUCKET), on(OBJECTS)]), None),
        ("s3-bucket-ssl-requests-only/4", deny(json!({"Principal": {"AWS": "111122223333"}})), nothing()),
        ("s3-bucket-ssl-requests-only/5", condition(json!({"Bool": {"aws:SecureTransport": false}})), None),
        ("s3-bucket-ssl-requests-only/5, text", deny(json!({})), None),
        ("list", condition(json!({"Bool": {"aws:SecureTransport": ["false"]}})), None),
        ("if exists", condition(json!({"BoolIfExists": {"AWS:securetransport": "false"}})), None),
        (
            "s3-bucket-ssl-requests-only/6",
            condition(json!({"Bool": {"aws:SecureTransport": "false"},
                             "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})),
            nothing(),
        ),
        ("s3-bucket-ssl-requests-only/7", deny(json!({"Sid": "MyOwn", "Principal": {"AWS": ["*"]}})), None),
        ("true", condition(json!({"Bool": {"aws:SecureTransport": "true"}})), nothing()),
        ("both", condition(json!({"Bool": {"aws:SecureTransport": ["true", "false"]}})), nothing()),
        ("string", condition(json!({"StringEquals": {"aws:SecureTransport": "false"}})), nothing()),
        ("version", condition(json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}})), nothing()),
        ("unconditional", deny(json!({"Condition": null})), nothing()),
        ("one action", deny(json!({"Action": "s3:GetObject"})), nothing()),
        ("among actions", deny(json!({"Action": ["sqs:*", "S3:*"]})), None),
        ("every action", deny(json!({"Action": "*"})), None),
        ("not action", deny(json!({"Action": null, "NotAction": "s3:PutObject"})), nothing()),
        ("not principal", deny(json!({"Principal": null, "NotPrincipal": {"AWS": "111122223333"}})), nothing()),
        ("not resource", deny(json!({"Resource": null, "NotResource": "arn:aws:s3:::other"})), nothing()),
        ("wildcard", on("arn:aws:s3:::pics*"), None),
        ("every resource", on("*"), None),
        ("every bucket", on("arn:aws:s3:::*"), None),
        ("part of the objects", json!([on(BUCKET), on("arn:aws:s3:::pics/a/*")]), Some("objects (bucket ARN only)")),
        ("another bucket", on("arn:aws:s3:::other"), nothing()),
        (
            "an allow with TLS",
            deny(json!({"Effect": "Allow", "Condition": {"Bool": {"aws:SecureTransport": "true"}}})),
            nothing(),
        ),
    ] {
        let finding = place.map(|it| format!("No Deny for aws:SecureTransport=false on {it}"));
        case(name, with(statements)).is(&finding.map_or(Verdict::COMPLIANT, Verdict::non_compliant));
    }
}

#[test]
fn without_a_policy_nothing_is_denied() {
    let finding = "No Deny for aws:SecureTransport=false on bucket and objects (no policy)";
    for supplementary in [json!({}), json!({"BucketPolicy": {"policyText": null}})] {
        let subject = Subject::from_item(&item(supplementary)).unwrap();
        case("s3-bucket-ssl-requests-only/1", subject).non_compliant(finding);
    }
    let undecodable = item(json!({"BucketPolicy": {"policyText": "{"}}));
    assert!(Subject::from_item(&undecodable).is_err());
    let served = item(json!({"BucketWebsiteConfiguration": {"indexDocumentSuffix": "index.html"}}));
    assert!(Subject::from_item(&served).unwrap().website);
}

const DENIAL: &str = r#"{"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::pics","arn:aws:s3:::pics/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#;

fn planned_text(subject: &Subject) -> String {
    match plan(subject).calls().as_slice() {
        [Action::PutBucketPolicy(call)] => call.policy.text().to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn one_statement_is_added_behind_those_there_are() {
    let none = format!(r#"{{"Version":"2012-10-17","Statement":[{DENIAL}]}}"#);
    assert_eq!(planned_text(&with_text(None)), none);
    let (old, numbered) = (DENIAL.replace("\"s3:*\"", "\"s3:Get*\""), DENIAL.replace("Transport\",", "Transport2\","));
    assert_eq!(
        planned_text(&with_text(Some(&format!("{{ \"Statement\": [ {old} ] }}")))),
        format!("{{ \"Statement\": [ {old},{numbered} ] }}")
    );
    let call = json!({"PutBucketPolicy": {"Bucket": "pics", "ExpectedBucketOwner": "111122223333", "Policy": none}});
    let plan = plan(&with_text(None));
    assert_eq!(plan.level(), Some(Level::L2));
    assert_eq!(serde_json::to_value(plan.calls()).unwrap(), json!([call]));
}

#[test]
fn a_policy_that_says_it_already_is_left_alone() {
    let statement = deny(json!({"Sid": "SomeOtherName"}));
    case("s3-bucket-ssl-requests-only/7", with(statement)).compliant();
}

#[test]
fn the_statement_names_the_bucket_in_its_own_partition() {
    let china = Identity::named("pics", &AccountId::new("111122223333"), &Region::new("cn-north-1"));
    let subject = Subject { bucket: china, ..with_text(None) };
    let after = CONTROL.predict(subject.clone(), plan(&subject).calls().first().unwrap());
    assert!(planned_text(&subject).contains(r#"["arn:aws-cn:s3:::pics","arn:aws-cn:s3:::pics/*"]"#));
    case("s3-bucket-ssl-requests-only/8", after).compliant();
    let foreign = Subject { bucket: subject.bucket, ..with(deny(json!({}))) };
    case("s3-bucket-ssl-requests-only/8: another partition is another bucket", foreign)
        .non_compliant("No Deny for aws:SecureTransport=false on bucket and objects");
}

#[test]
fn what_a_machine_must_not_write_is_held_and_named() {
    let served = lines(&plan(&Subject { website: true, ..with_text(None) }));
    assert!(served[0].starts_with("held: website: "), "{served:?}");
    let text = format!(r#"{{"Id":"{}","Statement":[]}}"#, "x".repeat(20_300));
    let size = text.len() + DENIAL.len();
    let large = lines(&plan(&with_text(Some(&text))));
    assert_eq!(large[0], format!("held: policy: {size} bytes with the statement, and S3 takes 20480"));
    let odd = lines(&plan(&with_text(Some(r#"{"Statemen\u0074":[]}"#))));
    let why = "held: policy: a statement cannot be put into its text without touching anything else";
    let words = format!("L2 by hand: add to the statements of the bucket policy: {DENIAL}");
    assert_eq!(odd, [why.to_owned(), words]);
}

#[test]
fn two_roles_in_another_order_are_no_change() {
    let roles = |one: &str, other: &str| {
        let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
        with(
            json!({"Effect": "Allow", "Principal": {"AWS": [role(one), role(other)]}, "Action": "s3:Get*", "Resource": OBJECTS}),
        )
    };
    let (put, returned) = (roles("a", "b"), roles("b", "a"));
    assert_eq!(put, returned, "gate 10 and what is expected after a fix");
    let done: Vec<Action> = plan(&put).calls().into_iter().cloned().collect();
    let touched_fields = |it: &Subject| CONTROL.touched_fields(it, &done);
    assert_eq!(touched_fields(&put), touched_fields(&returned), "what undo compares");
    assert_ne!(touched_fields(&put), touched_fields(&roles("a", "c")));
    let stored = serde_json::to_value(&returned).unwrap();
    assert_eq!(stored["policy"], json!(returned.policy.as_ref().unwrap().text()), "the text is kept for what is sent");
}

#[test]
fn a_policy_that_names_a_deleted_principal_is_left_to_a_person() {
    let named = with(json!({"Sid": "Old", "Effect": "Allow", "Principal": {"AWS": ["AROAEXAMPLEID", "111122223333"]},
                            "Action": "s3:Get*", "Resource": OBJECTS}));
    let planned = lines(&plan(&named));
    assert_eq!(
        planned[0],
        "held: policy: statement `Old` names AROAEXAMPLEID, a principal that was deleted, and S3 takes no policy that names \
         one: take it out of the policy"
    );
    assert!(planned.len() == 2 && planned[1].starts_with("L2 PutBucketPolicy"), "{planned:?}");
    assert_eq!(named, with_text(Some(&reordered(named.policy.as_ref().unwrap().text()))));
}

#[test]
fn a_stack_is_looked_for_where_the_bucket_is_and_where_policies_of_any_bucket_are_set() {
    let looked_for = |region: &str| {
        let bucket = Identity::named("pics", &pics().account, &Region::new(region));
        let subject = Subject { bucket, ..with_text(None) };
        let plan = plan(&subject);
        let ids = plan.calls().into_iter().flat_map(|action| CONTROL.stack_resources(&subject, action));
        ids.map(|it| (it.id, it.region.map(|region| region.to_string()))).collect::<Vec<_>>()
    };
    let here = ("pics".to_owned(), None);
    assert_eq!(looked_for("us-east-1"), std::slice::from_ref(&here));
    assert_eq!(looked_for("eu-west-1"), [here, ("pics".to_owned(), Some("us-east-1".to_owned()))]);
}

#[test]
fn an_action_on_another_bucket_changes_nothing_of_this_one() {
    let other = Subject { bucket: Identity::named("other", &pics().account, &pics().region), ..with_text(None) };
    for action in plan(&other).calls() {
        assert_eq!(CONTROL.predict(with_text(None), action), with_text(None));
    }
}

#[test]
fn undo_restores_the_very_text_or_removes_what_was_added() {
    let taken_back = |before: &Subject| {
        let done: Vec<Action> = plan(before).calls().into_iter().cloned().collect();
        serde_json::to_value(CONTROL.undo(before, &done).unwrap()).unwrap()
    };
    let owner = "111122223333";
    assert_eq!(
        taken_back(&with_text(None)),
        json!([{"DeleteBucketPolicy": {"Bucket": "pics", "ExpectedBucketOwner": owner}}])
    );
    let spaced = "{ \"Statement\" : [] }";
    assert_eq!(
        taken_back(&with_text(Some(spaced))),
        json!([{"PutBucketPolicy": {"Bucket": "pics", "ExpectedBucketOwner": owner, "Policy": spaced}}])
    );
    assert_eq!(taken_back(&with(deny(json!({})))), json!([]));
    let spaces = CONTROL.touched_fields(&with_text(Some(spaced)), &[]);
    assert_eq!(spaces, json!({}), "nothing was done");
}
