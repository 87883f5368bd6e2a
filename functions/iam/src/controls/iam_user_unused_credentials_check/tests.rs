//! Cases for the control, and the laws of the remediation over generated credentials.

use proptest::prelude::*;
use rectify_testing::{Case, Cases, Laws};

use super::*;
use crate::resources::user::tests::alice;
use KeyStatus::{Active, Expired, Inactive};

/// Ninety days and four hours before [`now`].
const LIMIT: &str = "2026-04-01T20:00:00Z";
const A_SECOND_EARLIER: &str = "2026-04-01T19:59:59Z";
const A_YEAR_AGO: &str = "2025-07-01T00:00:00Z";
const YESTERDAY: &str = "2026-06-30T00:00:00Z";
const DAYS_100: &str = "2026-03-23T00:00:00Z";

fn now() -> Timestamp {
    "2026-07-01T00:00:00Z".parse().unwrap()
}

fn used(at: &str) -> LastUse {
    at.parse().map_or(LastUse::Never, LastUse::At)
}

/// A password and keys: each with its creation and last use, a key also with the end of its id and its status.
type Credentials<'a> = (Option<(&'a str, &'a str)>, &'a [(&'a str, KeyStatus, &'a str, &'a str)]);

fn user((password, keys): Credentials<'_>) -> UserCredentials {
    let password = password.map(|(created, at)| Password { created: created.parse().unwrap(), last_use: used(at) });
    let key = |(end, status, created, at): &(&str, KeyStatus, &str, &str)| {
        let key = AccessKey { status: *status, created: created.parse().unwrap(), last_use: Some(used(at)) };
        (KeyId::new(format!("AKIAEXAMPLEEXAMP{end}")), key)
    };
    UserCredentials { user: alice(), password, keys: keys.iter().map(key).collect() }
}

fn case<'a>(name: &'a str, credentials: Credentials<'_>) -> Case<'a, IamUserUnusedCredentialsCheck> {
    Cases::of(&IamUserUnusedCredentialsCheck, user(credentials)).case(name, |_| ()).at(now())
}

#[test]
fn unused_credentials_are_findings_that_show_four_characters_of_a_key() {
    let all = "alice: password unused 100 d, key …ABCD unused 365 d, key …WXYZ never used (created 100 d ago); max 90";
    let keys = [("ABCD", Active, "2020-01-01T00:00:00Z", A_YEAR_AGO), ("WXYZ", Active, DAYS_100, "never")];
    case("iam-user-unused-credentials-check/1", (Some((DAYS_100, "never")), &[]))
        .non_compliant("alice: password never used (created 100 d ago); max 90");
    case("iam-user-unused-credentials-check/2", (Some((YESTERDAY, "2024-07-01T00:00:00Z")), &[])).compliant();
    case("a former password", (Some((DAYS_100, A_YEAR_AGO)), &[]))
        .non_compliant("alice: password never used (created 100 d ago); max 90");
    case("iam-user-unused-credentials-check/3", (None, &[("ABCD", Active, YESTERDAY, "never")])).compliant();
    let off = [("ABCD", Inactive, A_YEAR_AGO, "never"), ("WXYZ", Expired, A_YEAR_AGO, "never")];
    case("iam-user-unused-credentials-check/4", (None, &off)).compliant();
    case("iam-user-unused-credentials-check/5", (Some((A_YEAR_AGO, LIMIT)), &[("ABCD", Active, A_YEAR_AGO, LIMIT)]))
        .compliant();
    case("a second more", (None, &[("ABCD", Active, A_YEAR_AGO, A_SECOND_EARLIER)]))
        .non_compliant("alice: key …ABCD unused 90 d; max 90");
    case("iam-user-unused-credentials-check/6", (None, &[("WXYZ", Active, DAYS_100, "never")]))
        .non_compliant("alice: key …WXYZ never used (created 100 d ago); max 90");
    case("iam-user-unused-credentials-check/7", (Some((A_YEAR_AGO, "2026-05-15T00:00:00Z")), &[]))
        .with(r#"{"maxCredentialUsageAge":"45"}"#)
        .non_compliant("alice: password unused 47 d; max 45");
    case("all", (Some((A_YEAR_AGO, DAYS_100)), &keys)).non_compliant(all);
    case("no credentials", (None, &[])).compliant();
}

#[test]
fn unused_keys_are_turned_off_unless_an_operator_must_decide_on_the_password() {
    let off = r#"L2 UpdateAccessKey {"AccessKeyId":"AKIAEXAMPLEEXAMPABCD","Status":"Inactive","UserName":"alice"}"#;
    let keys = [("ABCD", Active, A_YEAR_AGO, "never"), ("WXYZ", Active, A_YEAR_AGO, YESTERDAY)];
    let finding = "alice: key …ABCD never used (created 365 d ago); max 90";
    case("one of two keys", (Some((A_YEAR_AGO, YESTERDAY)), &keys)).non_compliant(finding).planned(&[off]);
    case("password and key", (Some((A_YEAR_AGO, DAYS_100)), &keys))
        .non_compliant("alice: password unused 100 d, key …ABCD never used (created 365 d ago); max 90")
        .planned(&[
            "L3 manual: owner of user alice: the console password is unused 100 d: delete it (iam:DeleteLoginProfile) \
             unless the user needs it; it cannot be restored",
            off,
        ]);
    let mut unread = user((None, &keys[..1]));
    unread.keys.values_mut().for_each(|key| key.last_use = None);
    let cases = Cases::of(&IamUserUnusedCredentialsCheck, unread);
    let case = cases.case("not read", |_| ()).at(now());
    case.non_compliant(finding).planned(&["blocked: the last use of a key was not read", off]);
}

#[test]
fn laws() {
    let ago = |days: i64| Timestamp::from_second(now().as_second() - days * 24 * 60 * 60).unwrap();
    let last_use =
        || prop_oneof![1 => Just(LastUse::Never), 3 => (-5_i64..=400).prop_map(move |days| LastUse::At(ago(days)))];
    let created = || (-5_i64..=400).prop_map(ago);
    let status = prop::sample::select(vec![Active, Active, Active, Inactive, Expired]);
    let key = (status, created(), last_use()).prop_map(|(status, created, last_use)| AccessKey {
        status,
        created,
        last_use: Some(last_use),
    });
    let keys = prop::collection::btree_map("AKIA[A-Z0-9]{16}".prop_map(KeyId::new), key, 0..=2);
    let password = (created(), last_use()).prop_map(|(created, last_use)| Password { created, last_use });
    let users = (prop::option::weighted(0.3, password), keys).prop_map(|(password, keys)| UserCredentials {
        user: alice(),
        password,
        keys,
    });
    let params = (1_u32..=200)
        .prop_map(|days| IamUserUnusedCredentialsCheckParameters { max_credential_usage_age: Bounded::of(days) });
    Laws::of(&IamUserUnusedCredentialsCheck, &["/keys"], Remediation::predict)
        .at(now())
        .restores_full_state()
        .meeting(&[("fixed", |plan| plan.blocker(true).is_none()), ("by hand", |plan| plan.blocker(true).is_some())])
        .hold((users, params));
}
