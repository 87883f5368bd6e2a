#![allow(clippy::unwrap_used)]

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

/// What is planned against readers.
fn planned(subject: &Subject) -> Vec<String> {
    lines(&READ.plan(subject, &Params::default(), NOW))
}

fn put(flags: Flags) -> String {
    format!("L2 {}", call_text(&super::put(&bare(), flags)))
}

#[test]
fn only_the_pair_the_cause_needs_is_added_to_the_flags_that_are_set() {
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
fn an_account_that_covers_it_meanwhile_leaves_nothing_to_do() {
    let subject = Subject { account_block: Flags::ACL_PAIR, ..granting(Grantee::AllUsers, Grants::Read) };
    assert_eq!(planned(&subject), Vec::<String>::new());
}

#[test]
fn what_a_machine_must_not_end_is_held_and_named() {
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
        (Subject { acl: None, ..bare() }, Flags::ACL_PAIR, "acl not read: what would be cut off is not known"),
        (point, Flags::POLICY_PAIR, "accesspoint:app: the block of an access point cannot be changed after creation"),
        (
            Subject { policy_is_public: Some(true), ..bare() },
            Flags::POLICY_PAIR,
            "GetBucketPolicyStatus disagrees: S3 reports the policy public; statement not identified",
        ),
        (
            allowing(json!([allow(json!({})), allow(partner)])),
            Flags::POLICY_PAIR,
            "RestrictPublicBuckets would also cut off others in policy:Partner",
        ),
    ] {
        assert_eq!(planned(&subject), [format!("held: {expected}"), put(pair)], "a held plan still shows the call");
    }
}

#[test]
fn a_policy_that_names_others_matters_only_where_the_policy_is_the_cause() {
    let partner = allow(json!({"Principal": {"AWS": "arn:aws:iam::444455556666:root"}}));
    let subject = Subject { acl: granting(Grantee::AllUsers, Grants::Read).acl, ..allowing(partner) };
    assert_eq!(planned(&subject), [put(Flags::ACL_PAIR)]);
}

#[test]
fn a_tag_of_a_bucket_public_on_purpose_holds() {
    let tagged = |value: &str| {
        let mut subject = allowing(allow(json!({})));
        subject.bucket.tags = [("public".into(), value.into())].into();
        subject
    };
    let params = Params { public_tag: Some("public=yes".parse().unwrap()), ..Params::default() };
    let held = |value: &str, params| lines(&READ.plan(&tagged(value), params, NOW)).remove(0);
    assert_eq!(held("yes", &params), "held: tag `public=yes` marks the bucket as public on purpose");
    assert_eq!(held("no", &params), put(Flags::POLICY_PAIR));
    assert_eq!(held("yes", &Params::default()), put(Flags::POLICY_PAIR));
}

#[test]
fn a_website_does_not_hold_a_plan_against_a_write_only_grant() {
    let reading = Grant { grantee: Grantee::AllUsers, permission: Grants::Read };
    let mut also_read = granting(Grantee::AllUsers, Grants::Write);
    also_read.acl.as_mut().unwrap().push(reading);
    for (subject, is_held) in [
        (granting(Grantee::AllUsers, Grants::Write), false),
        (granting(Grantee::AllUsers, Grants::FullControl), true),
        (also_read, true),
        (allowing(allow(json!({"Action": "s3:PutObject"}))), true),
    ] {
        let plan = WRITE.plan(&Subject { website: Some(true), ..subject }, &Params::default(), NOW);
        let held = lines(&plan).contains(&"held: website: BucketWebsiteConfiguration is set".to_owned());
        assert_eq!(held, is_held, "{plan:?}");
    }
}

#[test]
fn readers_whom_a_parameter_spares_are_not_cut_off_by_machine() {
    let params = Params { treat_authenticated_users_as_public: Flag(false), ..Params::default() };
    let sparing = |subject: &Subject| lines(&READ.plan(subject, &params, NOW));
    let mut subject = granting(Grantee::AllUsers, Grants::Read);
    let fix = put(Flags::ACL_PAIR);
    assert_eq!(sparing(&subject), std::slice::from_ref(&fix));
    subject.acl.as_mut().unwrap().push(Grant { grantee: Grantee::AuthenticatedUsers, permission: Grants::Read });
    assert_eq!(planned(&subject), std::slice::from_ref(&fix));
    let held = "held: IgnorePublicAcls would also cut off AuthenticatedUsers, who are not public by parameter";
    assert_eq!(sparing(&subject), [held.to_owned(), fix]);
}

#[test]
fn calls_are_spelt_as_the_api_has_them() {
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
    let undone = |before: &Subject| serde_json::to_value(READ.undo(before, &done).unwrap()).unwrap();
    assert_eq!(undone(&subject), json!([put(flags(true, false))]));
    let delete = json!({"DeletePublicAccessBlock": {"Bucket": "pics", "ExpectedBucketOwner": "111122223333"}});
    assert_eq!(undone(&bare()), json!([delete]));
    assert_eq!(READ.undo(&bare(), &[]), Ok(Vec::new()));
    assert_eq!(READ.touched_fields(&subject, &done), flags(true, false));
    assert_eq!(READ.touched_fields(&bare(), &done), Value::Null);
}
