use super::*;
use crate::controls::s3_bucket_public_read_prohibited::READ;
use crate::controls::s3_bucket_public_write_prohibited::WRITE;
use crate::families::access::{Grant, Permission as Grants};
use crate::testing::{allow, allowing, bare, granting, open_access_point};
use rectify_compliance::Remediation;
use rectify_compliance::plan::call_text;
use rectify_compliance::values::Flag;
use rectify_testing::NOW;
use rectify_testing::cases::lines;
use serde_json::json;

/// The plan of the read control.
fn planned(subject: &Subject) -> Vec<String> {
    lines(&READ.plan(subject, &Params::default(), NOW))
}

fn put(flags: Flags) -> String {
    format!("L2 {}", call_text(&super::put(&bare(), flags)))
}

#[test]
fn only_the_flags_that_the_cause_requires_are_added() {
    let by_acl = || granting(Grantee::AllUsers, Grants::Read);
    let by_policy = || allowing(allow(json!({})));
    let both = Subject { acl: by_acl().acl, ..by_policy() };
    let some = Flags { block_public_policy: true, ..Flags::NONE };
    for (subject, expected) in [
        (by_acl(), Flags::ACL_PAIR),
        (by_policy(), Flags::POLICY_PAIR),
        (both, Flags::ALL),
        (Subject { block: Some(some), ..by_acl() }, Flags::ACL_PAIR.or(some)),
        (Subject { block: Some(Flags::ACL_PAIR), ..by_policy() }, Flags::ALL),
    ] {
        assert_eq!(planned(&subject), [put(expected)]);
    }
}

#[test]
fn an_account_block_that_ends_the_access_leaves_nothing_to_do() {
    let subject = Subject { account_block: Flags::ACL_PAIR, ..granting(Grantee::AllUsers, Grants::Read) };
    assert_eq!(planned(&subject), Vec::<String>::new());
}

#[test]
fn access_that_must_not_end_automatically_blocks_the_plan_with_a_reason() {
    let by_policy = || allowing(allow(json!({})));
    let partner = json!({"Sid": "Partner", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}});
    let point = Subject { access_points: vec![open_access_point("app", "s3:GetObject")], ..bare() };
    for (subject, pair, expected) in [
        (
            Subject { website: Some(true), ..by_policy() },
            Flags::POLICY_PAIR,
            "website: BucketWebsiteConfiguration is set",
        ),
        (
            Subject { website: None, ..by_policy() },
            Flags::POLICY_PAIR,
            "website: BucketWebsiteConfiguration was not read",
        ),
        (Subject { acl: None, ..bare() }, Flags::ACL_PAIR, "acl not read: the access that would be cut off is unknown"),
        (point, Flags::POLICY_PAIR, "accesspoint:app: the block of an access point cannot be changed after creation"),
        (
            Subject { policy_is_public: Some(true), ..bare() },
            Flags::POLICY_PAIR,
            "GetBucketPolicyStatus disagrees: S3 reports the policy public; statement not identified",
        ),
        (
            allowing(json!([allow(json!({})), allow(partner)])),
            Flags::POLICY_PAIR,
            "RestrictPublicBuckets would also cut off other principals in policy:Partner",
        ),
    ] {
        assert_eq!(
            planned(&subject),
            [format!("blocked: {expected}"), put(pair)],
            "a blocked plan still shows the call"
        );
    }
}

#[test]
fn other_principals_in_a_policy_matter_only_where_the_policy_is_the_cause() {
    let partner = allow(json!({"Principal": {"AWS": "arn:aws:iam::444455556666:root"}}));
    let subject = Subject { acl: granting(Grantee::AllUsers, Grants::Read).acl, ..allowing(partner) };
    assert_eq!(planned(&subject), [put(Flags::ACL_PAIR)]);
}

#[test]
fn the_tag_of_an_intentionally_public_bucket_blocks_the_plan() {
    let tagged = |value: &str| {
        let mut subject = allowing(allow(json!({})));
        subject.bucket.tags = [("public".into(), value.into())].into();
        subject
    };
    let params = Params { public_tag: Some("public=yes".parse().unwrap()), ..Params::default() };
    let first_line = |value: &str, params| lines(&READ.plan(&tagged(value), params, NOW)).remove(0);
    assert_eq!(first_line("yes", &params), "blocked: tag `public=yes` marks the bucket as intentionally public");
    assert_eq!(first_line("no", &params), put(Flags::POLICY_PAIR));
    assert_eq!(first_line("yes", &Params::default()), put(Flags::POLICY_PAIR));
}

#[test]
fn a_website_does_not_block_the_plan_for_a_write_only_grant() {
    let reading = Grant { grantee: Grantee::AllUsers, permission: Grants::Read };
    let mut also_read = granting(Grantee::AllUsers, Grants::Write);
    also_read.acl.as_mut().unwrap().push(reading);
    for (subject, is_blocked) in [
        (granting(Grantee::AllUsers, Grants::Write), false),
        (granting(Grantee::AllUsers, Grants::FullControl), true),
        (also_read, true),
        (allowing(allow(json!({"Action": "s3:PutObject"}))), true),
    ] {
        let plan = WRITE.plan(&Subject { website: Some(true), ..subject }, &Params::default(), NOW);
        let blocked = lines(&plan).contains(&"blocked: website: BucketWebsiteConfiguration is set".to_owned());
        assert_eq!(blocked, is_blocked, "{plan:?}");
    }
}

#[test]
fn readers_that_a_parameter_allows_are_not_cut_off_automatically() {
    let params = Params { treat_authenticated_users_as_public: Flag(false), ..Params::default() };
    let planned_with = |subject: &Subject| lines(&READ.plan(subject, &params, NOW));
    let mut subject = granting(Grantee::AllUsers, Grants::Read);
    let fix = put(Flags::ACL_PAIR);
    assert_eq!(planned_with(&subject), std::slice::from_ref(&fix));
    subject.acl.as_mut().unwrap().push(Grant { grantee: Grantee::AuthenticatedUsers, permission: Grants::Read });
    assert_eq!(planned(&subject), std::slice::from_ref(&fix));
    let blocked =
        "blocked: IgnorePublicAcls would also cut off AuthenticatedUsers, which the parameters do not treat as public";
    assert_eq!(planned_with(&subject), [blocked.to_owned(), fix]);
}

#[test]
fn calls_serialize_in_the_spelling_of_the_api() {
    let flags = |acls: bool, policy: bool| {
        json!({"BlockPublicAcls": acls, "IgnorePublicAcls": acls,
               "BlockPublicPolicy": policy, "RestrictPublicBuckets": policy})
    };
    let put = |flags| {
        json!({"PutPublicAccessBlock": {"Bucket": "pics", "ExpectedBucketOwner": "111122223333",
               "PublicAccessBlockConfiguration": flags}})
    };
    let subject = Subject { block: Some(Flags::ACL_PAIR), ..allowing(allow(json!({}))) };
    let done = [super::put(&subject, Flags::ALL)];
    assert_eq!(serde_json::to_value(&done).unwrap(), json!([put(flags(true, true))]));
    let undo_calls = |before: &Subject| serde_json::to_value(READ.undo(before, &done).unwrap()).unwrap();
    assert_eq!(undo_calls(&subject), json!([put(flags(true, false))]));
    let delete = json!({"DeletePublicAccessBlock": {"Bucket": "pics", "ExpectedBucketOwner": "111122223333"}});
    assert_eq!(undo_calls(&bare()), json!([delete]));
    assert_eq!(READ.undo(&bare(), &[]), Ok(Vec::new()));
    assert_eq!(READ.touched_fields(&subject, &done), flags(true, false));
    assert_eq!(READ.touched_fields(&bare(), &done), Value::Null);
}
