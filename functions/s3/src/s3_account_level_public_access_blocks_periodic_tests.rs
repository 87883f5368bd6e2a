#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, clippy::panic)]

use proptest::prelude::*;
use rectify_compliance::StoredImage;
use rectify_compliance::parameters::RuleParameters;

use super::*;
use crate::access::{Grantee, Permission as Grants};
use crate::public_access::laws;
use crate::testing::{NOW, allow, allowing, bare, granting, open_access_point};

fn params(text: &Value) -> Params {
    RuleParameters::<Params>::parse(Some(&text.to_string())).unwrap().control
}

fn account(block: Option<Flags>) -> AccountBlock {
    AccountBlock::new(&AccountId::new("111122223333"), block)
}

fn judge(block: Option<Flags>, text: &Value) -> Verdict {
    S3AccountLevelPublicAccessBlocksPeriodic.evaluate(&account(block), &params(text), NOW)
}

/// The plan with all opt-ins for an account with these exposed buckets.
fn planned(block: Option<Flags>, exposed: Option<&[&str]>) -> Plan<Action> {
    let exposed = exposed.map(|names| names.iter().map(|&name| name.to_owned()).collect());
    S3AccountLevelPublicAccessBlocksPeriodic.plan(
        &AccountBlock { exposed, ..account(block) },
        &params(&json!({"accountWide": "true"})),
        NOW,
    )
}

#[test]
fn the_flags_that_are_required_must_be_set() {
    let lacks = |flags: &str| Verdict::non_compliant(format!("Account block lacks {flags}"));
    let all_but_policy = Flags { block_public_policy: false, ..Flags::ALL };
    let every = "BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets";
    for (case, block, text, expected) in [
        ("s3-account-level-public-access-blocks-periodic/1", None, json!({}), lacks(every)),
        ("all", Some(Flags::ALL), json!({}), Verdict::COMPLIANT),
        ("half", Some(Flags::ACL_PAIR), json!({}), lacks("BlockPublicPolicy, RestrictPublicBuckets")),
        (
            "s3-account-level-public-access-blocks-periodic/2",
            Some(all_but_policy),
            json!({"BlockPublicPolicy": "False"}),
            Verdict::COMPLIANT,
        ),
        ("more than required", Some(Flags::ALL), json!({"BlockPublicPolicy": "false"}), Verdict::COMPLIANT),
        (
            "less than required",
            Some(Flags::NONE),
            json!({"BlockPublicPolicy": "false", "BlockPublicAcls": "false", "IgnorePublicAcls": "false"}),
            lacks("RestrictPublicBuckets"),
        ),
    ] {
        assert_eq!(judge(block, &text), expected, "{case}");
    }
}

#[test]
fn flags_are_read_in_every_spelling_and_one_must_be_required() {
    for value in [json!("True"), json!("TRUE"), json!(true), json!("")] {
        let text = json!({"IgnorePublicAcls": value});
        assert_eq!(params(&text), Params::default(), "s3-account-level-public-access-blocks-periodic/3: {text}");
    }
    let none = json!({"IgnorePublicAcls": false, "BlockPublicPolicy": false, "BlockPublicAcls": "false",
                      "RestrictPublicBuckets": "FALSE"});
    let error = RuleParameters::<Params>::parse(Some(&none.to_string())).unwrap_err();
    assert!(error.to_string().ends_with("are all false: expected one at least"), "{error}");
}

/// `s3-account-level-public-access-blocks-periodic/6`: the gate answers elsewhere, for it is declared so.
#[test]
fn it_is_judged_in_one_region() {
    assert_eq!(S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC.meta.scope, rectify_compliance::Scope::Global);
}

#[test]
fn the_fix_is_one_call_that_keeps_the_flags_that_are_set() {
    let sent = |plan: &Plan<Action>| serde_json::to_value(plan.calls()).unwrap();
    let all = json!({"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true,
                     "RestrictPublicBuckets": true});
    let put = json!([{"PutPublicAccessBlock": {"AccountId": "111122223333", "PublicAccessBlockConfiguration": all}}]);
    let plan = planned(None, Some(&[]));
    assert!(matches!(&plan, Plan::Do { steps } if steps.len() == 1), "{plan:?}");
    assert_eq!((sent(&plan), plan.level()), (put.clone(), Some(Level::L2)));
    assert_eq!(planned(Some(Flags::ALL), Some(&[])), Plan::Nothing);

    let text = json!({"accountWide": true, "BlockPublicAcls": false, "IgnorePublicAcls": false});
    let half = AccountBlock { exposed: Some(BTreeSet::new()), ..account(Some(Flags::ACL_PAIR)) };
    let kept = S3AccountLevelPublicAccessBlocksPeriodic.plan(&half, &params(&text), NOW);
    assert_eq!(sent(&kept), put, "s3-account-level-public-access-blocks-periodic/7");
}

#[test]
fn access_in_use_and_a_missing_opt_in_hold_the_plan() {
    let reason = |plan: Plan<Action>| match plan {
        Plan::Hold { reason, steps } if steps.len() == 1 => reason,
        other => format!("no hold: {other:?}"),
    };
    assert_eq!(
        reason(planned(None, Some(&["web in eu-west-1 (policy:Open)"]))),
        "public access in use would end: web in eu-west-1 (policy:Open)",
        "s3-account-level-public-access-blocks-periodic/4"
    );
    assert_eq!(reason(planned(None, None)), "the buckets of the account were not read");
    let many: Vec<String> = (0..MOST_EXPOSED).map(|number| format!("b{number:03}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(
        reason(planned(None, Some(&many))),
        "public access in use would end, at least: b000, b001, b002 +97 more"
    );
    let unasked = AccountBlock { exposed: Some(BTreeSet::new()), ..account(None) };
    assert_eq!(
        reason(S3AccountLevelPublicAccessBlocksPeriodic.plan(&unasked, &Params::default(), NOW)),
        "accountWide is not true, and the block concerns every bucket of the account"
    );
}

/// Unknown is never safe: whatever is known of the others, a person must look at these.
#[test]
fn buckets_that_cannot_be_read_hold_the_plan_and_are_named() {
    let planned = |names: Vec<String>| {
        let unreadable = names.into_iter().collect();
        let live = AccountBlock { exposed: Some(BTreeSet::new()), unreadable, ..account(None) };
        S3AccountLevelPublicAccessBlocksPeriodic.plan(&live, &params(&json!({"accountWide": "true"})), NOW)
    };
    let Plan::Hold { reason, steps } = planned(vec!["logs (s3:GetBucketAcl: AccessDenied)".to_owned()]) else {
        panic!("no hold")
    };
    assert_eq!(
        (reason.as_str(), steps.len()),
        (
            "whether public access would end is not known of buckets that cannot be read: \
             logs (s3:GetBucketAcl: AccessDenied)",
            1
        )
    );
    let many = (0..MOST_EXPOSED).map(|number| format!("b{number:03}")).collect();
    let Plan::Hold { reason, .. } = planned(many) else { panic!("no hold") };
    assert!(reason.ends_with("cannot be read, at least: b000, b001, b002 +97 more"), "{reason}");
}

#[test]
fn a_bucket_counts_for_what_the_wanted_flags_would_end_there() {
    let by_acl = || granting(Grantee::AllUsers, Grants::Read);
    let by_policy = || allowing(allow(json!({"Action": "s3:PutObject"})));
    let both = public_access::Subject { acl: by_acl().acl, ..by_policy() };
    let point = public_access::Subject { access_points: vec![open_access_point("app", "s3:GetObject")], ..bare() };
    let covered = public_access::Subject { block: Some(Flags::ALL), ..both.clone() };
    let already = public_access::Subject { account_block: Flags::ACL_PAIR, ..both.clone() };
    let blocking = Flags { block_public_acls: true, block_public_policy: true, ..Flags::NONE };
    for (bucket, wanted, expected) in [
        (bare(), Flags::ALL, None),
        (by_acl(), Flags::ALL, Some("acl AllUsers:Read")),
        (by_acl(), Flags::POLICY_PAIR, None),
        (by_policy(), Flags::ALL, Some("policy:Open")),
        (by_policy(), Flags::ACL_PAIR, None),
        (both.clone(), Flags::ALL, Some("acl AllUsers:Read, policy:Open")),
        (both, blocking, None),
        (point, Flags::ALL, Some("accesspoint:app")),
        (covered, Flags::ALL, None),
        (already, Flags::ALL, Some("policy:Open")),
    ] {
        let expected = expected.map(|causes| format!("pics in eu-west-1 ({causes})"));
        assert_eq!(exposed(&bucket, wanted), expected, "{wanted:?}: {bucket:?}");
    }
}

fn accounts() -> impl Strategy<Value = AccountBlock> {
    let names = || prop::collection::btree_set("[a-z]{3}", 0..3);
    (prop::option::of(laws::flags()), prop::option::of(names()), names())
        .prop_map(|(block, exposed, unreadable)| AccountBlock { exposed, unreadable, ..account(block) })
}

proptest! {
    #[test]
    fn the_fix_sets_what_is_required_and_weakens_nothing_and_undo_restores_it(
        subject in accounts(), required in laws::flags(), account_wide in any::<bool>(),
    ) {
        let params = Params {
            ignore_public_acls: Flag(required.ignore_public_acls),
            block_public_policy: Flag(required.block_public_policy),
            block_public_acls: Flag(required.block_public_acls),
            restrict_public_buckets: Flag(required.restrict_public_buckets),
            account_wide: Flag(account_wide),
        };
        let plan = S3AccountLevelPublicAccessBlocksPeriodic.plan(&subject, &params, NOW);
        prop_assert_eq!(plan != Plan::Nothing, S3AccountLevelPublicAccessBlocksPeriodic.evaluate(&subject, &params, NOW).is_non_compliant());
        prop_assert_eq!(plan == Plan::Nothing, !subject.lacks(&params));
        if let Plan::Do { .. } = plan {
            prop_assert!(account_wide && subject.exposed.as_ref().is_some_and(BTreeSet::is_empty));
        }
        let actions: Vec<Action> = plan.calls().into_iter().cloned().collect();
        let after = actions.iter().fold(subject.clone(), |live, action| S3AccountLevelPublicAccessBlocksPeriodic.expect(live, action));
        prop_assert_eq!(S3AccountLevelPublicAccessBlocksPeriodic.evaluate(&after, &params, NOW), Verdict::COMPLIANT);
        prop_assert_eq!(S3AccountLevelPublicAccessBlocksPeriodic.plan(&after, &params, NOW), Plan::Nothing);
        prop_assert!(after.block.unwrap_or_default().lacking(subject.block.unwrap_or_default()).is_empty());

        let done = actions.to_vec();
        let restored = S3AccountLevelPublicAccessBlocksPeriodic.undo(&subject, &done).unwrap().iter().fold(after, |live, undo| match undo {
            Undo::PutPublicAccessBlock(put) => AccountBlock { block: Some(put.public_access_block_configuration), ..live },
            Undo::DeletePublicAccessBlock { .. } => AccountBlock { block: None, ..live },
        });
        prop_assert_eq!(S3AccountLevelPublicAccessBlocksPeriodic.footprint(&restored, &actions), S3AccountLevelPublicAccessBlocksPeriodic.footprint(&subject, &actions));
        prop_assert_eq!(restored.block, subject.block);
        prop_assert_eq!(StoredImage::of(&subject).unwrap().read::<AccountBlock>(), Ok(subject));
    }
}
