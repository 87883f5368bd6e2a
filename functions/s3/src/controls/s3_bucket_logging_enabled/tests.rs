use proptest::prelude::*;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{AccountId, Region};
use rectify_policy::PolicyDocument;
use rectify_testing::{Case, Cases, Laws};

use super::S3BucketLoggingEnabled as CONTROL;
use super::target::Settings;
use super::*;
use crate::families::access::{Grant, Grantee, Ownership, Permission as Grants};
use crate::resources::encryption::Algorithm;
use crate::testing::{item, pics};

const TO_LOGS: &str = r#"{"targetBucket": "logs"}"#;
const PUT: &str = r#"L1 PutBucketLogging {"Bucket":"pics","BucketLoggingStatus":{"LoggingEnabled":{"TargetBucket":"logs","TargetPrefix":"pics/"}},"ExpectedBucketOwner":"111122223333"}"#;

/// The statement that S3's documentation recommends, with `changes`.
fn allow(changes: &Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::logs/*",
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::pics"},
                      "StringEquals": {"aws:SourceAccount": "111122223333"}}});
    statement.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    statement
}

fn policy(statements: &Value) -> Option<PolicyDocument> {
    Some(PolicyDocument(json!({"Version": "2012-10-17", "Statement": statements})))
}

/// A target bucket to which S3 delivers the logs.
fn settings() -> Settings {
    Settings {
        logging: None,
        algorithm: Some(Algorithm::Aes256),
        object_lock: false,
        requester_pays: false,
        policy: policy(&allow(&json!({}))),
        acl: Vec::new(),
        ownership: Ownership::BucketOwnerEnforced,
    }
}

fn to(bucket: &str, prefix: &str) -> Option<LoggingEnabled> {
    Some(LoggingEnabled { target_bucket: bucket.to_owned(), target_prefix: prefix.to_owned() })
}

fn subject(logging: Option<LoggingEnabled>, target: Option<Target>) -> Subject {
    Subject { bucket: pics(), logging, target }
}

fn case(name: &str, logging: Option<LoggingEnabled>) -> Case<'_, S3BucketLoggingEnabled> {
    Cases::of(&CONTROL, subject(logging, Some(Target::Here(Box::new(settings()))))).case(name, |_| ())
}

/// A case without logging, with a target bucket that has these changes.
fn off(name: &str, change: impl FnOnce(&mut Settings)) -> Case<'_, S3BucketLoggingEnabled> {
    let mut settings = settings();
    change(&mut settings);
    Cases::of(&CONTROL, subject(None, Some(Target::Here(Box::new(settings))))).case(name, |_| ()).with(TO_LOGS)
}

#[test]
fn logs_must_go_to_the_required_place() {
    let unset = item(json!({"BucketLoggingConfiguration": {"destinationBucketName": null, "logFilePrefix": null}}));
    assert_eq!(Subject::from_item(&unset).unwrap().logging, None, "s3-bucket-logging-enabled/1");
    case("s3-bucket-logging-enabled/1", None).with(TO_LOGS).non_compliant("Access logging is off").planned(&[PUT]);
    case("any place", to("elsewhere", "")).compliant();
    case("the target", to("logs", "x")).with(TO_LOGS).compliant();
    case("s3-bucket-logging-enabled/3", to("elsewhere", "a/"))
        .with(TO_LOGS)
        .non_compliant("Access logs go to elsewhere; required logs")
        .planned(&[
            "blocked: access logs already go to elsewhere/a/",
            "L0 manual: redirect the access logs to logs with prefix `pics/`, and what reads them",
        ]);
    let prefix = r#"{"targetBucket": "logs", "targetPrefix": "logs/"}"#;
    case("s3-bucket-logging-enabled/4", to("logs", "logs"))
        .with(prefix)
        .non_compliant("Access logs have prefix `logs`; required `logs/`")
        .planned(&[
            "blocked: access logs already go to logs/logs",
            "L0 manual: redirect the access logs to logs with prefix `logs/`, and what reads them",
        ]);
    case("the prefix", to("logs", "logs/")).with(prefix).compliant();
    case("the prefix is also that of the fix", None)
        .with(prefix)
        .non_compliant("Access logging is off")
        .planned(&[&PUT.replace("pics/", "logs/")]);
    case("s3-bucket-logging-enabled/7", None).non_compliant("Access logging is off").planned(&[
        "blocked: targetBucket is not set",
        "L0 manual: choose a bucket of the same account and region for the access logs, and set targetBucket",
    ]);
}

#[test]
fn buckets_for_access_logs_are_not_evaluated() {
    for own in [r#"{"targetBucket": "pics"}"#, r#"{"logTargetBuckets": "other, p*"}"#] {
        case("s3-bucket-logging-enabled/2", None).with(own).not_applicable("a bucket for access logs");
        let params = RuleParameters::<Params>::parse(Some(own)).unwrap().control;
        assert_eq!(params.target_for(&subject(None, None)), None);
    }
    let params = RuleParameters::<Params>::parse(Some(TO_LOGS)).unwrap().control;
    assert_eq!(params.target_for(&subject(None, None)), Some("logs"));
    assert_eq!(params.target_for(&subject(to("logs", ""), None)), None, "no fix, and so no read");
    for name in ["Logs", "lo", "logs,other", "log*", "arn:aws:s3:::logs"] {
        let error = RuleParameters::<Params>::parse(Some(&json!({ "targetBucket": name }).to_string())).unwrap_err();
        assert!(error.to_string().ends_with(&format!("expected the name of one bucket: received `{name}`")), "{error}");
    }
}

#[test]
fn a_target_that_gets_no_logs_or_logs_them_again_blocks_the_plan() {
    type Change = fn(&mut Settings);
    let rows: [(&str, Change, &str); 6] = [
        (
            "s3-bucket-logging-enabled/6",
            |it| it.algorithm = Some(Algorithm::Kms),
            "encrypts with aws:kms, under which S3 delivers no logs",
        ),
        ("lock", |it| it.object_lock = true, "has Object Lock, under which S3 delivers no logs"),
        ("payer", |it| it.requester_pays = true, "has Requester Pays, under which S3 delivers no logs"),
        (
            "a circle",
            |it| it.logging = to("pics", ""),
            "has access logs of its own, to pics, in which every delivery is logged again",
        ),
        (
            "itself",
            |it| it.logging = to("logs", ""),
            "has access logs of its own, to logs, in which every delivery is logged again",
        ),
        (
            "no policy",
            |it| it.policy = None,
            "does not let logging.s3.amazonaws.com put objects under `pics/` for pics",
        ),
    ];
    for (name, change, reason) in rows {
        let reason = format!("blocked: target bucket logs {reason}");
        off(name, change).non_compliant("Access logging is off").planned(&[&reason, PUT]);
    }
    let both = "blocked: target bucket logs has Object Lock, under which S3 delivers no logs; target bucket logs has \
                Requester Pays, under which S3 delivers no logs";
    off("all reasons", |it| (it.object_lock, it.requester_pays) = (true, true))
        .non_compliant("Access logging is off")
        .planned(&[both, PUT]);
    for (target, reason) in [
        (Some(Target::Elsewhere), "blocked: target bucket logs is not a bucket of this account in eu-west-1"),
        (None, "blocked: target bucket logs was not read"),
    ] {
        Cases::of(&CONTROL, subject(None, target))
            .case("s3-bucket-logging-enabled/5", |_| ())
            .with(TO_LOGS)
            .non_compliant("Access logging is off")
            .planned(&[reason, PUT]);
    }
}

#[test]
fn the_delivery_must_be_allowed_and_not_denied() {
    let insecure = json!({"Bool": {"aws:SecureTransport": "false"}});
    let deny = |changes: Value| {
        let mut statement =
            json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/*"});
        statement.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!([allow(&json!({})), statement])
    };
    let with = |key: &str, value: &str| allow(&json!({"Condition": {"StringEquals": {key: value}}}));
    for (name, statements, is_allowed) in [
        ("recommended", allow(&json!({})), true),
        ("the prefix alone", allow(&json!({"Resource": "arn:aws:s3:::logs/pics/*"})), true),
        ("another prefix", allow(&json!({"Resource": "arn:aws:s3:::logs/web/*"})), false),
        ("some keys of the prefix", allow(&json!({"Resource": "arn:aws:s3:::logs/pics/2026*"})), false),
        ("another bucket's objects", allow(&json!({"Resource": "arn:aws:s3:::other/*"})), false),
        ("for another source", with("aws:SourceArn", "arn:aws:s3:::web"), false),
        ("for another account", with("aws:SourceAccount", "444455556666"), false),
        ("under an unknown condition", with("aws:PrincipalOrgID", "o-1"), false),
        ("another service", allow(&json!({"Principal": {"Service": "cloudtrail.amazonaws.com"}})), false),
        ("HTTP denied", deny(json!({ "Condition": insecure })), true),
        ("all denied", deny(json!({})), false),
        (
            "unencrypted uploads denied",
            deny(json!({"Condition": {"Null": {"s3:x-amz-server-side-encryption": "true"}}})),
            false,
        ),
    ] {
        let found = off(name, |it| it.policy = policy(&statements)).non_compliant("Access logging is off");
        let refused =
            "blocked: target bucket logs does not let logging.s3.amazonaws.com put objects under `pics/` for pics";
        found.planned(&[refused, PUT][usize::from(is_allowed)..]);
    }
}

#[test]
fn without_a_policy_the_acl_allows_the_delivery_where_it_is_in_effect() {
    let grant = |permission| Grant { grantee: Grantee::LogDelivery, permission };
    let other = Grant { grantee: Grantee::Account("79a5".to_owned()), permission: Grants::FullControl };
    for (name, ownership, acl, is_allowed) in [
        ("both", Ownership::ObjectWriter, vec![grant(Grants::Write), grant(Grants::ReadAcp)], true),
        ("full control", Ownership::BucketOwnerPreferred, vec![grant(Grants::FullControl)], true),
        ("without reading the ACL", Ownership::ObjectWriter, vec![grant(Grants::Write)], false),
        ("of another grantee", Ownership::ObjectWriter, vec![other], false),
        ("not in effect", Ownership::BucketOwnerEnforced, vec![grant(Grants::FullControl)], false),
    ] {
        let settings = Settings { policy: None, acl, ownership, ..settings() };
        let blockers = Target::Here(Box::new(settings)).blockers("logs", &pics(), "pics/");
        assert_eq!(blockers.is_empty(), is_allowed, "{name}: {blockers:?}");
    }
}

#[test]
fn the_target_is_named_in_the_partition_of_the_bucket() {
    let china = Identity::named("pics", &AccountId::new("111122223333"), &Region::new("cn-north-1"));
    let of = |partition: &str| {
        let resource = format!("arn:{partition}:s3:::logs/*");
        let policy = policy(&allow(&json!({"Resource": resource, "Condition": {}})));
        Target::Here(Box::new(Settings { policy, ..settings() })).blockers("logs", &china, "pics/").is_empty()
    };
    assert!(of("aws-cn") && !of("aws"));
}

fn subjects() -> impl Strategy<Value = (Subject, Params)> {
    let place = || {
        prop::option::weighted(
            0.5,
            (prop::sample::select(vec!["logs", "pics"]), prop::sample::select(vec!["", "pics/"])),
        )
    };
    let enabled = |it: Option<(&str, &str)>| it.and_then(|(bucket, prefix)| to(bucket, prefix));
    let rare = || prop::bool::weighted(0.1);
    let target =
        (prop::bool::weighted(0.1), rare(), rare(), rare(), rare()).prop_map(|(logs, kms, lock, pays, open)| {
            Settings {
                logging: if logs { to("pics", "") } else { None },
                algorithm: Some(if kms { Algorithm::Kms } else { Algorithm::Aes256 }),
                object_lock: lock,
                requester_pays: pays,
                policy: if open { None } else { settings().policy },
                ..settings()
            }
        });
    let target = prop_oneof![
        1 => Just(None),
        1 => Just(Some(Target::Elsewhere)),
        8 => target.prop_map(|it| Some(Target::Here(Box::new(it)))),
    ];
    let params =
        (prop::sample::select(vec![None, Some("logs"), Some("logs"), Some("pics")]), prop::option::of(Just("logs/")));
    (place(), target, params).prop_map(move |(logging, target, (bucket, prefix))| {
        let params = Params {
            target_bucket: bucket.map(str::to_owned),
            target_prefix: prefix.map(str::to_owned),
            log_target_buckets: None,
        };
        (subject(enabled(logging), target), params)
    })
}

#[test]
fn laws() {
    let redirects = |before: &Subject, after: &Subject| before.logging.is_some() && before.logging != after.logging;
    Laws::of(&CONTROL, &["/logging", "/target"], Remediation::predict).never(redirects).hold(subjects());
}

proptest! {
    #[test]
    fn logs_are_sent_only_to_a_target_that_gets_them((live, params) in subjects()) {
        let plan = CONTROL.plan(&live, &params, rectify_testing::NOW);
        if plan.blocker(true).is_none() && plan != Plan::Noop {
            let (name, prefix) = (params.target_bucket.clone().unwrap(), params.target_prefix.unwrap_or("pics/".to_owned()));
            prop_assert_eq!(live.target.map(|it| it.blockers(&name, &live.bucket, &prefix)), Some(Vec::new()));
        }
    }
}
