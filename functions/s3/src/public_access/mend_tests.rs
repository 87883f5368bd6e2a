#![allow(clippy::unwrap_used)]

use super::*;
use crate::access::{Grant, Permission as Grants};
use crate::testing::{allow, allowing, bare, granting, open_access_point};
use rectify_compliance::values::Flag;
use serde_json::json;

fn read_plan(subject: &Subject) -> Plan<Action> {
    plan(subject, &Params::default(), Access::Read)
}

fn put(flags: Flags) -> Vec<Step<Action>> {
    vec![Step::call(
        Level::L2,
        Action::PutPublicAccessBlock(PublicAccessBlock {
            bucket: "pics".to_owned(),
            expected_bucket_owner: "111122223333".to_owned(),
            public_access_block_configuration: flags,
        }),
    )]
}

fn reason(plan: &Plan<Action>) -> &str {
    let Plan::Hold { reason, .. } = plan else { return "no hold" };
    reason
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
        (both, Flags::ACL_PAIR.or(Flags::POLICY_PAIR)),
        (Subject { block: Some(some), ..by_acl() }, Flags::ACL_PAIR.or(some)),
        (Subject { block: Some(Flags::ACL_PAIR), ..by_policy() }, Flags::ACL_PAIR.or(Flags::POLICY_PAIR)),
    ] {
        assert_eq!(read_plan(&subject), Plan::Do { steps: put(expected) });
    }
}

#[test]
fn an_account_that_covers_it_meanwhile_leaves_nothing_to_do() {
    let subject = Subject { account_block: Flags::ACL_PAIR, ..granting(Grantee::AllUsers, Grants::Read) };
    assert_eq!(read_plan(&subject), Plan::Nothing);
}

#[test]
fn what_a_machine_must_not_end_is_held_and_named() {
    let by_policy = || allowing(allow(json!({})));
    let partner = json!({"Sid": "Partner", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}});
    let point = Subject { access_points: vec![open_access_point("app", "s3:GetObject")], ..bare() };
    for (subject, expected) in [
        (Subject { website: Some(true), ..by_policy() }, "website: BucketWebsiteConfiguration is set"),
        (Subject { website: None, ..by_policy() }, "website: BucketWebsiteConfiguration was not read"),
        (Subject { acl: None, ..bare() }, "acl not read: what would be cut off is not known"),
        (point, "accesspoint:app: the block of an access point cannot be changed after creation"),
        (
            Subject { policy_is_public: Some(true), ..bare() },
            "GetBucketPolicyStatus disagrees: S3 reports the policy public; statement not identified",
        ),
        (
            allowing(json!([allow(json!({})), allow(partner)])),
            "RestrictPublicBuckets would also cut off others in policy:Partner",
        ),
    ] {
        let plan = read_plan(&subject);
        assert_eq!(reason(&plan), expected);
        assert_eq!(plan.calls().len(), 1, "a held plan still shows the call: {plan:?}");
    }
}

#[test]
fn a_policy_that_names_others_matters_only_where_the_policy_is_the_cause() {
    let partner = allow(json!({"Principal": {"AWS": "arn:aws:iam::444455556666:root"}}));
    let subject = Subject { acl: granting(Grantee::AllUsers, Grants::Read).acl, ..allowing(partner) };
    assert_eq!(read_plan(&subject), Plan::Do { steps: put(Flags::ACL_PAIR) });
}

#[test]
fn a_tag_of_a_bucket_public_on_purpose_holds() {
    let tagged = |value: &str| {
        let mut subject = allowing(allow(json!({})));
        subject.bucket.tags = [("public".into(), value.into())].into();
        subject
    };
    let params = Params { public_tag: Some("public=yes".parse().unwrap()), ..Params::default() };
    let planned = |value| plan(&tagged(value), &params, Access::Read);
    assert_eq!(reason(&planned("yes")), "tag `public=yes` marks the bucket as public on purpose");
    assert_eq!(reason(&planned("no")), "no hold");
    assert_eq!(reason(&read_plan(&tagged("yes"))), "no hold");
}

#[test]
fn a_website_does_not_hold_a_plan_against_a_write_only_grant() {
    let served = |subject| Subject { website: Some(true), ..subject };
    let reading = Grant { grantee: Grantee::AllUsers, permission: Grants::Read };
    let mut also_read = granting(Grantee::AllUsers, Grants::Write);
    also_read.acl.as_mut().unwrap().push(reading);
    for (subject, held) in [
        (granting(Grantee::AllUsers, Grants::Write), false),
        (granting(Grantee::AllUsers, Grants::FullControl), true),
        (also_read, true),
        (allowing(allow(json!({"Action": "s3:PutObject"}))), true),
    ] {
        let plan = plan(&served(subject), &Params::default(), Access::Write);
        assert_eq!(reason(&plan) == "website: BucketWebsiteConfiguration is set", held, "{plan:?}");
    }
}

#[test]
fn readers_whom_a_parameter_spares_are_not_cut_off_by_machine() {
    let params = Params { treat_authenticated_users_as_public: Flag(false), ..Params::default() };
    let mut subject = granting(Grantee::AllUsers, Grants::Read);
    assert_eq!(plan(&subject, &params, Access::Read), Plan::Do { steps: put(Flags::ACL_PAIR) });
    subject.acl.as_mut().unwrap().push(Grant { grantee: Grantee::AuthenticatedUsers, permission: Grants::Read });
    let expected = "IgnorePublicAcls would also cut off AuthenticatedUsers, who are not public by parameter";
    assert_eq!(reason(&plan(&subject, &params, Access::Read)), expected);
    assert_eq!(read_plan(&subject), Plan::Do { steps: put(Flags::ACL_PAIR) });
}

#[test]
fn calls_are_spelt_as_the_api_has_them() {
    let subject = Subject { block: Some(Flags::ACL_PAIR), ..allowing(allow(json!({}))) };
    let steps = read_plan(&subject);
    let action = *steps.calls().first().unwrap();
    let all = json!({"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true});
    assert_eq!(
        serde_json::to_value(action).unwrap(),
        json!({"PutPublicAccessBlock": {"Bucket": "pics", "ExpectedBucketOwner": "111122223333",
               "PublicAccessBlockConfiguration": all}})
    );
    let taken_back = |before: &Subject| undo(before, std::slice::from_ref(action)).unwrap();
    let restored = json!({"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": false, "RestrictPublicBuckets": false});
    assert_eq!(
        serde_json::to_value(taken_back(&subject)).unwrap(),
        json!([{"PutPublicAccessBlock": {"Bucket": "pics", "ExpectedBucketOwner": "111122223333",
                "PublicAccessBlockConfiguration": restored}}])
    );
    assert_eq!(
        serde_json::to_value(taken_back(&bare())).unwrap(),
        json!([{"DeletePublicAccessBlock": {"Bucket": "pics", "ExpectedBucketOwner": "111122223333"}}])
    );
    assert_eq!(undo(&bare(), &[]), Ok(Vec::new()));
    assert_eq!(footprint(&subject), restored);
    assert_eq!(footprint(&bare()), Value::Null);
}
