#![allow(clippy::needless_pass_by_value)]

use rectify_compliance::{AccountId, Region};
use rectify_testing::cases::lines;
use rectify_testing::{Case, Cases, NOW};

use super::S3BucketSslRequestsOnly as CONTROL;
use super::*;
use crate::testing::{item, pics, reordered};

const BUCKET: &str = "arn:aws:s3:::pics";
const OBJECTS: &str = "arn:aws:s3:::pics/*";

/// A Deny of HTTP on bucket and objects, with `changes`; null removes a key.
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
fn only_a_deny_of_all_http_on_bucket_and_objects_is_compliant() {
    let nothing = || Some("bucket and objects");
    let condition = |block: Value| deny(json!({"Condition": block}));
    let on = |resource: &str| deny(json!({"Resource": resource}));
    for (name, statements, uncovered) in [
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
        let finding = uncovered.map(|it| format!("No Deny for aws:SecureTransport=false on {it}"));
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
fn one_statement_is_added_after_the_existing_ones() {
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
fn a_policy_with_an_equivalent_statement_is_compliant() {
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
fn a_website_a_large_policy_and_an_unusual_text_block_the_plan() {
    let website = lines(&plan(&Subject { website: true, ..with_text(None) }));
    assert!(website[0].starts_with("blocked: website: "), "{website:?}");
    let text = format!(r#"{{"Id":"{}","Statement":[]}}"#, "x".repeat(20_300));
    let size = text.len() + DENIAL.len();
    let large = lines(&plan(&with_text(Some(&text))));
    assert_eq!(large[0], format!("blocked: policy: {size} bytes with the statement, and S3 allows 20480"));
    let unusual = lines(&plan(&with_text(Some(r#"{"Statemen\u0074":[]}"#))));
    let reason = "blocked: policy: a statement cannot be inserted without changing the rest of the text";
    let instruction = format!("L2 manual: add to the statements of the bucket policy: {DENIAL}");
    assert_eq!(unusual, [reason.to_owned(), instruction]);
}

#[test]
fn two_roles_in_another_order_are_not_a_change() {
    let roles = |first: &str, second: &str| {
        let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
        with(
            json!({"Effect": "Allow", "Principal": {"AWS": [role(first), role(second)]}, "Action": "s3:Get*", "Resource": OBJECTS}),
        )
    };
    let (put, returned) = (roles("a", "b"), roles("b", "a"));
    assert_eq!(put, returned, "gate 10 compares the prediction with the state after a fix");
    let done: Vec<Action> = plan(&put).calls().into_iter().cloned().collect();
    let touched_fields = |it: &Subject| CONTROL.touched_fields(it, &done);
    assert_eq!(touched_fields(&put), touched_fields(&returned), "undo compares these");
    assert_ne!(touched_fields(&put), touched_fields(&roles("a", "c")));
    let stored = serde_json::to_value(&returned).unwrap();
    assert_eq!(stored["policy"], json!(returned.policy.as_ref().unwrap().text()), "the stored text is the one to send");
}

#[test]
fn a_policy_that_names_a_deleted_principal_blocks_the_plan() {
    let named = with(json!({"Sid": "Old", "Effect": "Allow", "Principal": {"AWS": ["AROAEXAMPLEID", "111122223333"]},
                            "Action": "s3:Get*", "Resource": OBJECTS}));
    let planned = lines(&plan(&named));
    assert_eq!(
        planned[0],
        "blocked: policy: statement `Old` names AROAEXAMPLEID, a deleted principal, and S3 rejects a policy that names one: \
         remove it from the policy"
    );
    assert!(planned.len() == 2 && planned[1].starts_with("L2 PutBucketPolicy"), "{planned:?}");
    assert_eq!(named, with_text(Some(&reordered(named.policy.as_ref().unwrap().text()))));
}

#[test]
fn the_stack_lookup_covers_the_region_of_the_bucket_and_the_home_region() {
    let looked_up = |region: &str| {
        let bucket = Identity::named("pics", &pics().account, &Region::new(region));
        let subject = Subject { bucket, ..with_text(None) };
        let plan = plan(&subject);
        let ids = plan.calls().into_iter().flat_map(|action| CONTROL.stack_resources(&subject, action));
        ids.map(|it| (it.id, it.region.map(|region| region.to_string()))).collect::<Vec<_>>()
    };
    let here = ("pics".to_owned(), None);
    assert_eq!(looked_up("us-east-1"), std::slice::from_ref(&here));
    assert_eq!(looked_up("eu-west-1"), [here, ("pics".to_owned(), Some("us-east-1".to_owned()))]);
}

#[test]
fn an_action_on_another_bucket_leaves_this_one_unchanged() {
    let other = Subject { bucket: Identity::named("other", &pics().account, &pics().region), ..with_text(None) };
    for action in plan(&other).calls() {
        assert_eq!(CONTROL.predict(with_text(None), action), with_text(None));
    }
}

#[test]
fn undo_restores_the_exact_text_or_deletes_the_policy() {
    let undo_calls = |before: &Subject| {
        let done: Vec<Action> = plan(before).calls().into_iter().cloned().collect();
        serde_json::to_value(CONTROL.undo(before, &done).unwrap()).unwrap()
    };
    let owner = "111122223333";
    assert_eq!(
        undo_calls(&with_text(None)),
        json!([{"DeleteBucketPolicy": {"Bucket": "pics", "ExpectedBucketOwner": owner}}])
    );
    let spaced = "{ \"Statement\" : [] }";
    assert_eq!(
        undo_calls(&with_text(Some(spaced))),
        json!([{"PutBucketPolicy": {"Bucket": "pics", "ExpectedBucketOwner": owner, "Policy": spaced}}])
    );
    assert_eq!(undo_calls(&with(deny(json!({})))), json!([]));
    let untouched = CONTROL.touched_fields(&with_text(Some(spaced)), &[]);
    assert_eq!(untouched, json!({}), "nothing was done");
}
