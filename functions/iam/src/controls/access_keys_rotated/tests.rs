//! Cases for the control.

use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Case, Cases};
use serde_json::json;

use super::*;
use crate::resources::user::tests::alice;
use KeyStatus::{Active, Expired, Inactive};

/// Ninety days before [`now`].
const LIMIT: &str = "2026-04-02T00:00:00Z";
const A_YEAR_AGO: &str = "2025-07-01T00:00:00Z";
const YESTERDAY: &str = "2026-06-30T00:00:00Z";
const UNUSED_100: &str = r#"{"deactivateUnusedDays":"100"}"#;

pub(super) fn now() -> Timestamp {
    "2026-07-01T00:00:00Z".parse().unwrap()
}

/// A key id that ends in these four characters.
fn id(end: &str) -> KeyId {
    KeyId::new(format!("AKIAEXAMPLEEXAMP{end}"))
}

fn key(status: KeyStatus, created: &str) -> AccessKey {
    AccessKey { status, created: created.parse().unwrap(), last_use: None }
}

fn used(created: &str, last_use: LastUse) -> AccessKey {
    AccessKey { last_use: Some(last_use), ..key(Active, created) }
}

fn at(time: &str) -> LastUse {
    LastUse::At(time.parse().unwrap())
}

fn user(keys: &[(&str, AccessKey)]) -> UserKeys {
    UserKeys { user: alice(), keys: keys.iter().map(|(end, key)| (id(end), *key)).collect() }
}

fn case<'a>(name: &'a str, keys: &[(&str, AccessKey)]) -> Case<'a, AccessKeysRotated> {
    Cases::of(&AccessKeysRotated, user(keys)).case(name, |_| ()).at(now())
}

fn turn(end: &str, status: KeyStatus) -> KeyAction {
    KeyAction::UpdateAccessKey { user_name: "alice".into(), access_key_id: id(end), status }
}

#[test]
fn an_active_key_past_its_maximum_age_is_a_finding_that_shows_four_characters() {
    let old = key(Active, "2026-02-19T00:00:00Z");
    let one = "Key …ABCD of alice is 132 d old (max 90)";
    case("access-keys-rotated/1", &[("ABCD", key(Active, LIMIT))]).compliant();
    case("access-keys-rotated/1, a second more", &[("ABCD", key(Active, "2026-04-01T23:59:59Z"))])
        .non_compliant("Key …ABCD of alice is 90 d old (max 90)");
    case("access-keys-rotated/2", &[("ABCD", key(Inactive, "2020-01-01T00:00:00Z")), ("WXYZ", key(Active, LIMIT))])
        .compliant();
    case("expired is not active", &[("ABCD", key(Expired, "2020-01-01T00:00:00Z"))]).compliant();
    case("access-keys-rotated/3", &[("ABCD", old), ("WXYZ", key(Active, LIMIT))]).non_compliant(one);
    case("both", &[("ABCD", old), ("WXYZ", key(Active, A_YEAR_AGO))])
        .non_compliant("Keys of alice are too old: …ABCD (132 d), …WXYZ (365 d) (max 90 d)");
    case("access-keys-rotated/4", &[]).compliant();
    case("access-keys-rotated/6", &[("ABCD", key(Active, "2026-07-02T00:00:00Z"))]).compliant();
    case("a longer life", &[("ABCD", old)]).with(r#"{"maxAccessKeyAge":"132"}"#).compliant();
}

#[test]
fn an_age_of_zero_and_an_early_deactivation_are_rejected() {
    let parse = |text: &str| {
        RuleParameters::<AccessKeysRotatedParameters>::parse(Some(text)).map(|it| it.control).unwrap_err().to_string()
    };
    let zero = parse(r#"{"maxAccessKeyAge":"0"}"#);
    assert!(zero.ends_with("expected a whole number in 1..=3650: received `0`"), "access-keys-rotated/7: {zero}");
    let early = parse(r#"{"deactivateUnusedDays":"29"}"#);
    assert!(early.ends_with("expected a whole number in 30..=3650: received `29`"), "{early}");
}

#[test]
fn only_a_key_known_to_be_unused_is_turned_off() {
    let off = r#"L2 UpdateAccessKey {"AccessKeyId":"AKIAEXAMPLEEXAMPABCD","Status":"Inactive","UserName":"alice"}"#;
    let old = "Key …ABCD of alice is 365 d old (max 90)";
    let by_hand = |age: &str| {
        format!(
            "L0 manual: user alice or its owner: create a new access key, move the workloads that sign with …ABCD ({age}) \
             to it, then deactivate and delete the old one"
        )
    };
    for (name, last_use, by_default) in [
        ("access-keys-rotated/5, unused for 200 d", at("2025-12-13T00:00:00Z"), "last used 2025-12-13T00:00:00Z"),
        ("access-keys-rotated/5, never used", LastUse::Never, "never used"),
        ("a moment past the limit", at("2026-03-22T23:59:59Z"), "last used 2026-03-22T23:59:59Z"),
    ] {
        let key = [("ABCD", used(A_YEAR_AGO, last_use))];
        case(name, &key).with(UNUSED_100).non_compliant(old).planned(&[off]);
        case(name, &key).non_compliant(old).planned(&[&by_hand(&format!("365 d old, {by_default}"))]);
    }
    for (name, key, finding, age) in [
        (
            "access-keys-rotated/5, used yesterday",
            used(A_YEAR_AGO, at(YESTERDAY)),
            old,
            "365 d old, last used 2026-06-30T00:00:00Z",
        ),
        (
            "exactly the limit",
            used(A_YEAR_AGO, at("2026-03-23T00:00:00Z")),
            old,
            "365 d old, last used 2026-03-23T00:00:00Z",
        ),
        (
            "never used, but created recently",
            used("2026-03-24T00:00:00Z", LastUse::Never),
            "Key …ABCD of alice is 99 d old (max 90)",
            "99 d old, never used",
        ),
        ("not read", key(Active, A_YEAR_AGO), old, "365 d old"),
    ] {
        case(name, &[("ABCD", key)]).with(UNUSED_100).non_compliant(finding).planned(&[&by_hand(age)]);
    }
}

#[test]
fn one_old_key_still_in_use_leaves_both_to_an_operator() {
    let keys = [("ABCD", used(A_YEAR_AGO, LastUse::Never)), ("WXYZ", used(A_YEAR_AGO, at(YESTERDAY)))];
    case("both old", &keys)
        .with(UNUSED_100)
        .non_compliant("Keys of alice are too old: …ABCD (365 d), …WXYZ (365 d) (max 90 d)")
        .planned(&[
            r#"L2 UpdateAccessKey {"AccessKeyId":"AKIAEXAMPLEEXAMPABCD","Status":"Inactive","UserName":"alice"}"#,
            "L0 manual: user alice or its owner: create a new access key, move the workloads that sign with …WXYZ (365 d \
             old, last used 2026-06-30T00:00:00Z) to it, then deactivate and delete the old one",
        ]);
}

#[test]
fn undo_restores_only_the_status_of_the_key() {
    let before = user(&[("ABCD", used(A_YEAR_AGO, LastUse::Never))]);
    let off = [turn("ABCD", Inactive)];
    let fixed = AccessKeysRotated.predict(before.clone(), &off[0]);
    assert_eq!(AccessKeysRotated.touched_fields(&fixed, &off), json!({"AKIAEXAMPLEEXAMPABCD": "Inactive"}));
    assert_eq!(AccessKeysRotated.undo(&before, &off), Ok(vec![turn("ABCD", Active)]));
    assert_eq!(AccessKeysRotated.predict(before.clone(), &turn("OTHR", Inactive)), before);
    assert_eq!(AccessKeysRotated.undo(&before, &[]), Ok(vec![]));
    assert_eq!(AccessKeysRotated.touched_fields(&before, &[]), json!({}));
}
