//! The cases of the control.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;

use super::*;
use crate::user::tests::alice;

const NOW: &str = "2026-07-01T00:00:00Z";

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn params(text: &str) -> AccessKeysRotatedParameters {
    RuleParameters::parse(Some(text)).unwrap().control
}

/// A key that ends in these four characters.
fn id(end: &str) -> KeyId {
    KeyId::new(format!("AKIAEXAMPLEEXAMP{end}"))
}

fn key(status: KeyStatus, created: &str) -> AccessKey {
    AccessKey { status, created: created.parse().unwrap(), last_use: None }
}

fn used(created: &str, last_use: LastUse) -> AccessKey {
    AccessKey { last_use: Some(last_use), ..key(KeyStatus::Active, created) }
}

fn at(time: &str) -> LastUse {
    LastUse::At(time.parse().unwrap())
}

fn keys<const N: usize>(keys: [(&str, AccessKey); N]) -> UserKeys {
    UserKeys { user: alice(), keys: keys.into_iter().map(|(end, key)| (id(end), key)).collect() }
}

fn judge(subject: &UserKeys, text: &str) -> Verdict {
    AccessKeysRotated.evaluate(subject, &params(text), now())
}

fn plan(subject: &UserKeys, text: &str) -> Plan<KeyAction> {
    AccessKeysRotated.plan(subject, &params(text), now())
}

fn turn(end: &str, status: KeyStatus) -> KeyAction {
    KeyAction::UpdateAccessKey { user_name: "alice".into(), access_key_id: id(end), status }
}

#[test]
fn an_active_key_past_its_age_is_a_finding_that_shows_four_characters() {
    use KeyStatus::{Active, Expired, Inactive};
    // Ninety days before `NOW`.
    let limit = "2026-04-02T00:00:00Z";
    let old = key(Active, "2026-02-19T00:00:00Z");
    let finding = |text: &str| Verdict::non_compliant(text);
    let one = finding("Key …ABCD of alice is 132 d old (max 90)");
    for (case, subject, parameters, expected) in [
        ("access-keys-rotated/1", keys([("ABCD", key(Active, limit))]), "{}", Verdict::COMPLIANT),
        (
            "access-keys-rotated/1, a second more",
            keys([("ABCD", key(Active, "2026-04-01T23:59:59Z"))]),
            "{}",
            finding("Key …ABCD of alice is 90 d old (max 90)"),
        ),
        (
            "access-keys-rotated/2",
            keys([("ABCD", key(Inactive, "2020-01-01T00:00:00Z")), ("WXYZ", key(Active, limit))]),
            "{}",
            Verdict::COMPLIANT,
        ),
        ("expired is not active", keys([("ABCD", key(Expired, "2020-01-01T00:00:00Z"))]), "{}", Verdict::COMPLIANT),
        ("access-keys-rotated/3", keys([("ABCD", old), ("WXYZ", key(Active, limit))]), "{}", one),
        (
            "both",
            keys([("ABCD", old), ("WXYZ", key(Active, "2025-07-01T00:00:00Z"))]),
            "{}",
            finding("Keys of alice are too old: …ABCD (132 d), …WXYZ (365 d) (max 90 d)"),
        ),
        ("access-keys-rotated/4", keys([]), "{}", Verdict::COMPLIANT),
        ("access-keys-rotated/6", keys([("ABCD", key(Active, "2026-07-02T00:00:00Z"))]), "{}", Verdict::COMPLIANT),
        ("a longer life", keys([("ABCD", old)]), r#"{"maxAccessKeyAge":"132"}"#, Verdict::COMPLIANT),
    ] {
        assert_eq!(judge(&subject, parameters), expected, "{case}");
    }
}

#[test]
fn an_age_of_zero_and_a_rash_deactivation_are_refused() {
    let parse = |text: &str| {
        RuleParameters::<AccessKeysRotatedParameters>::parse(Some(text)).map(|it| it.control).unwrap_err().to_string()
    };
    let zero = parse(r#"{"maxAccessKeyAge":"0"}"#);
    assert!(zero.ends_with("expected a whole number in 1..=3650: received `0`"), "access-keys-rotated/7: {zero}");
    let rash = parse(r#"{"deactivateUnusedDays":"29"}"#);
    assert!(rash.ends_with("expected a whole number in 30..=3650: received `29`"), "{rash}");
}

#[test]
fn only_a_key_that_is_known_to_be_unused_is_turned_off() {
    let opted_in = r#"{"deactivateUnusedDays":"100"}"#;
    let made = "2025-07-01T00:00:00Z";
    let off = |end: &str| Plan::Do { steps: vec![Step::call(Level::L2, turn(end, KeyStatus::Inactive))] };
    for (case, key) in [
        ("access-keys-rotated/5, unused for 200 d", used(made, at("2025-12-13T00:00:00Z"))),
        ("access-keys-rotated/5, never used", used(made, LastUse::Never)),
        ("a moment past the limit", used(made, at("2026-03-22T23:59:59Z"))),
    ] {
        assert_eq!(plan(&keys([("ABCD", key)]), opted_in), off("ABCD"), "{case}");
        assert!(plan(&keys([("ABCD", key)]), "{}").calls().is_empty(), "{case}: not opted in");
    }
    for (case, key) in [
        ("access-keys-rotated/5, used yesterday", used(made, at("2026-06-30T00:00:00Z"))),
        ("exactly the limit", used(made, at("2026-03-23T00:00:00Z"))),
        ("never used, but made lately", used("2026-03-24T00:00:00Z", LastUse::Never)),
        ("not read", super::tests::key(KeyStatus::Active, made)),
    ] {
        let plan = plan(&keys([("ABCD", key)]), opted_in);
        assert_eq!((plan.level(), plan.calls().len(), plan.steps().len()), (Some(Level::L0), 0, 1), "{case}");
    }
}

#[test]
fn one_old_key_still_in_use_leaves_both_to_a_person() {
    let made = "2025-07-01T00:00:00Z";
    let subject = keys([("ABCD", used(made, LastUse::Never)), ("WXYZ", used(made, at("2026-06-30T00:00:00Z")))]);
    let plan = plan(&subject, r#"{"deactivateUnusedDays":"100"}"#);
    assert_eq!(plan.obstacle(true).as_deref(), Some("a step must be taken by a person"));
    let words = serde_json::to_string(&plan.steps()[1]).unwrap();
    assert!(words.contains("…WXYZ (365 d old, last used 2026-06-30T00:00:00Z)"), "{words}");
    assert!(!words.contains("EXAMPWXYZ"), "{words}");
}

#[test]
fn the_call_names_the_whole_key_and_its_undo_restores_the_status() {
    let before = keys([("ABCD", used("2025-07-01T00:00:00Z", LastUse::Never))]);
    let off = turn("ABCD", KeyStatus::Inactive);
    let call = json!({"UpdateAccessKey": {"UserName": "alice", "AccessKeyId": "AKIAEXAMPLEEXAMPABCD",
        "Status": "Inactive"}});
    assert_eq!(serde_json::to_value(&off).unwrap(), call);
    let fixed = AccessKeysRotated.expect(before.clone(), &off);
    assert!(!fixed.keys[&id("ABCD")].is_active());
    assert_eq!(
        AccessKeysRotated.footprint(&fixed, std::slice::from_ref(&off)),
        json!({"AKIAEXAMPLEEXAMPABCD": "Inactive"})
    );
    let undo = AccessKeysRotated.undo(&before, std::slice::from_ref(&off)).unwrap();
    assert_eq!(undo, [turn("ABCD", KeyStatus::Active)]);
    assert_eq!(AccessKeysRotated.expect(fixed, &undo[0]), before);
    assert_eq!(AccessKeysRotated.expect(before.clone(), &turn("OTHR", KeyStatus::Inactive)), before);
    assert_eq!(AccessKeysRotated.undo(&before, &[]), Ok(vec![]));
    assert_eq!(AccessKeysRotated.footprint(&before, &[]), json!({}));
}
