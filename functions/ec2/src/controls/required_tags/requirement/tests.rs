//! Which tags satisfy a requirement: keys, values, patterns, case, and keys that are required twice.
use serde_json::json;

use super::*;

fn key(text: &str) -> TagKey {
    TagKey::try_from(text.to_owned()).unwrap()
}

fn required(value: serde_json::Value) -> RequiredTags {
    serde_json::from_value(value).unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn finding(given: serde_json::Value, (ignore_case, allow_empty): (bool, bool), pairs: &[(&str, &str)]) -> String {
    let violations = Requirements::merged(required(given), ignore_case, allow_empty).unwrap().violations(&tags(pairs));
    if violations.is_empty() { "none".to_owned() } else { annotation(&violations) }
}

#[test]
fn keys_and_values_are_compared_in_full() {
    const EXACT: (bool, bool) = (false, false);
    const ANY_CASE: (bool, bool) = (true, false);
    const EMPTY: (bool, bool) = (false, true);
    let owner = || json!({"Owner": {}});
    let env = || json!({"Env": {"values": ["prod", "test"]}});
    let cost = || json!({"Cost": {"pattern": "[0-9]{4}|none"}});
    for (case, given, how, pairs, expected) in [
        ("there", owner(), EXACT, vec![("Owner", "ada")], "none"),
        ("missing", owner(), EXACT, vec![], "Tags missing: Owner"),
        ("empty", owner(), EXACT, vec![("Owner", "")], "Tags empty: Owner"),
        ("empty allowed", owner(), EMPTY, vec![("Owner", "")], "none"),
        ("another case", owner(), EXACT, vec![("owner", "ada")], "Tags missing: Owner"),
        ("another case allowed", owner(), ANY_CASE, vec![("oWNER", "ada")], "none"),
        ("one of two matches", owner(), ANY_CASE, vec![("OWNER", ""), ("owner", "ada")], "none"),
        ("allowed value", env(), EXACT, vec![("Env", "test")], "none"),
        (
            "longer value",
            env(),
            EXACT,
            vec![("Env", "production")],
            "Tags wrong value: Env=\"production\" (allowed prod,test)",
        ),
        (
            "value of another case",
            env(),
            ANY_CASE,
            vec![("env", "Prod")],
            "Tags wrong value: Env=\"Prod\" (allowed prod,test)",
        ),
        (
            "empty is not an allowed value",
            env(),
            EMPTY,
            vec![("Env", "")],
            "Tags wrong value: Env=\"\" (allowed prod,test)",
        ),
        ("whole pattern", cost(), EXACT, vec![("Cost", "1234")], "none"),
        ("other branch", cost(), EXACT, vec![("Cost", "none")], "none"),
        (
            "part of a value",
            cost(),
            EXACT,
            vec![("Cost", "1234\n")],
            "Tags wrong value: Cost=\"1234\n\" (allowed pattern [0-9]{4}|none)",
        ),
        (
            "all at once",
            json!({"A": {}, "B": {}, "C": {"values": ["x"]}, "D": {}, "E": {}, "F": {}}),
            EXACT,
            vec![("B", ""), ("C", "y")],
            "Tags missing: A, D, E +1 more; empty: B; wrong value: C=\"y\" (allowed x)",
        ),
    ] {
        assert_eq!(finding(given, how, &pairs), expected, "{case}");
    }
}

#[test]
fn missing_key_names_its_lookalike() {
    let requirements = Requirements::merged(required(json!({"Owner": {}})), false, false).unwrap();
    let lookalike = Some("owner".to_owned());
    assert_eq!(
        requirements.violations(&tags(&[("owner", "ada")])),
        [TagViolation::Missing { key: key("Owner"), lookalike }]
    );
}

#[test]
fn stricter_of_two_requirements_for_a_key_wins() {
    let any = || (key("Env"), Allowed::default());
    let prod = || (key("Env"), Allowed::values(vec!["prod".to_owned()]));
    let test = || (key("ENV"), Allowed::values(vec!["test".to_owned()]));
    let only_prod = Requirements::merged([prod()], false, false);
    for given in [vec![any(), prod()], vec![prod(), any()], vec![prod(), prod()]] {
        assert_eq!(Requirements::merged(given, false, false), only_prod);
    }
    assert!(Requirements::merged([prod(), test()], false, false).is_ok(), "two keys");
    let error = Requirements::merged([prod(), test()], true, false).unwrap_err();
    assert_eq!(error, "the tag `ENV` is required twice, with different values");
}

#[test]
fn default_must_satisfy_its_requirement() {
    let requirements = Requirements::merged(required(json!({"Env": {"values": ["prod"]}, "Owner": {}})), false, false);
    let check = |defaults| requirements.clone().unwrap().check_defaults(&serde_json::from_value(defaults).unwrap());
    assert_eq!(check(json!({"Env": "prod", "Owner": "unassigned"})), Ok(()));
    assert_eq!(
        check(json!({"Env": "test"})),
        Err("defaults: `test` is not an allowed value of the tag `Env`".to_owned())
    );
    assert_eq!(check(json!({"Owner": ""})), Err("defaults: `` is not an allowed value of the tag `Owner`".to_owned()));
    assert_eq!(check(json!({"owner": "ada"})), Err("defaults: the tag `owner` is not required".to_owned()));
}

#[test]
fn reserved_keys_long_keys_and_invalid_patterns_are_rejected() {
    let read = |value| serde_json::from_value::<RequiredTags>(value).map_err(|error| error.to_string());
    let long = "k".repeat(129);
    for (value, expected) in [
        (json!({"aws:name": {}}), "expected a tag key without the reserved prefix `aws:`: received `aws:name`"),
        (json!({"AWS:name": {}}), "expected a tag key without the reserved prefix `aws:`"),
        (
            json!({"rectify:exempt": {}}),
            "expected a tag key without Rectify's own prefix `rectify:`: received `rectify:exempt`",
        ),
        (json!({"Rectify:Mode": {}}), "expected a tag key without Rectify's own prefix `rectify:`"),
        (json!({" ": {}}), "expected a tag key of 1 to 128 characters"),
        (json!({long: {}}), "expected a tag key of 1 to 128 characters"),
        (json!({"a": {"pattern": "("}}), "expected a regular expression: received `(`"),
        (json!({"a": {"pattern": "a)(b"}}), "expected a regular expression: received `a)(b`"),
        (json!({"a": {"value": "b"}}), "unknown field `value`"),
        (json!({"a": ["b"]}), "invalid type"),
    ] {
        let error = read(value.clone()).map(|_| ()).unwrap_err();
        assert!(error.contains(expected), "{value}: {error}");
    }
    assert!(read(json!({"é": {"pattern": "a|b"}})).is_ok());
}
