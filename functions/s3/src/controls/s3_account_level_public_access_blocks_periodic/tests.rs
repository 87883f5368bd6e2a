use proptest::prelude::*;
use rectify_compliance::Scope;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Case, Cases, Laws, NOW};

use super::S3AccountLevelPublicAccessBlocksPeriodic as CONTROL;
use super::*;
use crate::families::access::{Grantee, Permission as Grants};
use crate::families::public_access::laws::flags;
use crate::testing::{allow, allowing, bare, granting, open_access_point};

const LACKS_ALL: &str =
    "Account block lacks BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets";
const PUT: &str = r#"L2 PutPublicAccessBlock {"AccountId":"111122223333","PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"BlockPublicPolicy":true,"IgnorePublicAcls":true,"RestrictPublicBuckets":true}}"#;
const ACCOUNT_WIDE: &str = r#"{"accountWide": "true"}"#;

fn account(block: Option<Flags>) -> AccountBlock {
    AccountBlock::new(&AccountId::new("111122223333"), block)
}

/// An account with this block and without public buckets.
fn unexposed(block: Option<Flags>) -> AccountBlock {
    AccountBlock { exposed: Some(BTreeSet::new()), ..account(block) }
}

fn case(name: &str, account: AccountBlock) -> Case<'_, S3AccountLevelPublicAccessBlocksPeriodic> {
    Cases::of(&CONTROL, account).case(name, |_| ())
}

fn read(text: &Value) -> Result<Params, String> {
    let read = RuleParameters::parse(Some(&text.to_string()));
    read.map(|it| it.control).map_err(|error| error.to_string())
}

#[test]
fn the_required_flags_must_be_set() {
    let all_but_policy = Flags { block_public_policy: false, ..Flags::ALL };
    let one = r#"{"BlockPublicPolicy": "false", "BlockPublicAcls": "false", "IgnorePublicAcls": "false"}"#;
    case("s3-account-level-public-access-blocks-periodic/1", account(None)).non_compliant(LACKS_ALL);
    case("all", account(Some(Flags::ALL))).compliant();
    case("one pair", account(Some(Flags::ACL_PAIR)))
        .non_compliant("Account block lacks BlockPublicPolicy, RestrictPublicBuckets");
    case("s3-account-level-public-access-blocks-periodic/2", account(Some(all_but_policy)))
        .with(r#"{"BlockPublicPolicy": "False"}"#)
        .compliant();
    case("more than required", account(Some(Flags::ALL))).with(r#"{"BlockPublicPolicy": "false"}"#).compliant();
    case("less than required", account(Some(Flags::NONE)))
        .with(one)
        .non_compliant("Account block lacks RestrictPublicBuckets");
}

#[test]
fn flags_parse_in_every_spelling_and_one_must_be_required() {
    for value in [json!("True"), json!("TRUE"), json!(true), json!("")] {
        let text = json!({"IgnorePublicAcls": value});
        assert_eq!(read(&text), Ok(Params::default()), "s3-account-level-public-access-blocks-periodic/3: {text}");
    }
    let none = json!({"IgnorePublicAcls": false, "BlockPublicPolicy": false, "BlockPublicAcls": "false",
                      "RestrictPublicBuckets": "FALSE"});
    let error = read(&none).unwrap_err();
    assert!(error.ends_with("are all false: expected at least one"), "{error}");
}

/// `s3-account-level-public-access-blocks-periodic/6`: the gate answers in other regions, because of this scope.
#[test]
fn it_is_evaluated_in_one_region() {
    assert_eq!(S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC.meta.scope, Scope::Global);
}

#[test]
fn the_fix_is_one_call_that_keeps_the_flags_already_set() {
    case("none", unexposed(None)).with(ACCOUNT_WIDE).non_compliant(LACKS_ALL).planned(&[PUT]);
    case("s3-account-level-public-access-blocks-periodic/7", unexposed(Some(Flags::ACL_PAIR)))
        .with(r#"{"accountWide": true, "BlockPublicAcls": false, "IgnorePublicAcls": false}"#)
        .non_compliant("Account block lacks BlockPublicPolicy, RestrictPublicBuckets")
        .planned(&[PUT]);
}

#[test]
fn access_in_use_and_a_missing_opt_in_block_the_plan() {
    let blocked = |name, exposed: Option<Vec<String>>, reason: &str| {
        let exposed = exposed.map(BTreeSet::from_iter);
        let case = case(name, AccountBlock { exposed, ..account(None) }).with(ACCOUNT_WIDE);
        case.non_compliant(LACKS_ALL).planned(&[&format!("blocked: {reason}"), PUT]);
    };
    blocked(
        "s3-account-level-public-access-blocks-periodic/4",
        Some(vec!["web in eu-west-1 (policy:Open)".to_owned()]),
        "public access in use would end: web in eu-west-1 (policy:Open)",
    );
    blocked("not read", None, "the buckets of the account were not read");
    let many = (0..MAX_EXPOSED_BUCKETS).map(|number| format!("b{number:03}")).collect();
    blocked("many", Some(many), "public access in use would end, at least: b000, b001, b002 +97 more");
    case("no opt-in", unexposed(None))
        .non_compliant(LACKS_ALL)
        .planned(&["blocked: accountWide is not true, and the block applies to every bucket of the account", PUT]);
}

/// Unknown is never safe: an operator must check these, whatever is known of the others.
#[test]
fn unreadable_buckets_block_the_plan_and_are_named() {
    let blocked = |names: Vec<String>, which: &str| {
        let account = AccountBlock { unreadable: names.into_iter().collect(), ..unexposed(None) };
        let reason = "blocked: public access that would end is unknown for buckets that cannot be read";
        let found = case(which, account).with(ACCOUNT_WIDE).non_compliant(LACKS_ALL);
        found.planned(&[&format!("{reason}{which}"), PUT]);
    };
    blocked(vec!["logs (s3:GetBucketAcl: AccessDenied)".to_owned()], ": logs (s3:GetBucketAcl: AccessDenied)");
    let many = (0..MAX_EXPOSED_BUCKETS).map(|number| format!("b{number:03}")).collect();
    blocked(many, ", at least: b000, b001, b002 +97 more");
}

#[test]
fn a_bucket_counts_for_the_access_that_the_flags_would_end() {
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

fn generated() -> impl Strategy<Value = (AccountBlock, Params)> {
    let names = || prop::collection::btree_set("[a-z]{3}", 0..3);
    let accounts = (prop::option::of(flags()), prop::option::of(names()), names())
        .prop_map(|(block, exposed, unreadable)| AccountBlock { exposed, unreadable, ..account(block) });
    let params = (flags(), any::<bool>()).prop_map(|(required, account_wide)| Params {
        ignore_public_acls: Flag(required.ignore_public_acls),
        block_public_policy: Flag(required.block_public_policy),
        block_public_acls: Flag(required.block_public_acls),
        restrict_public_buckets: Flag(required.restrict_public_buckets),
        account_wide: Flag(account_wide),
    });
    (accounts, params)
}

#[test]
fn laws() {
    Laws::of(&CONTROL, &["/block", "/exposed", "/unreadable"], |_, live, undo| AccountBlock {
        block: undo.flags(),
        ..live
    })
    .never(|before, after| !after.block.unwrap_or_default().missing(before.block.unwrap_or_default()).is_empty())
    .hold(generated());
}

proptest! {
    #[test]
    fn the_plan_applies_only_with_the_opt_in_and_where_all_buckets_are_private((account, params) in generated()) {
        prop_assert_eq!(CONTROL.evaluate(&account, &params, NOW).is_non_compliant(), account.lacks(&params));
        if let Plan::Apply { .. } = CONTROL.plan(&account, &params, NOW) {
            prop_assert!(params.account_wide.0 && account.exposed.is_some_and(|it| it.is_empty()));
            prop_assert!(account.unreadable.is_empty());
        }
    }
}
