//! Which tags are right: keys, values, patterns, letter case and what is given twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

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

fn told(given: serde_json::Value, (ignore_case, allow_empty): (bool, bool), pairs: &[(&str, &str)]) -> String {
    let faults = Requirements::merged(required(given), ignore_case, allow_empty).unwrap().faults(&tags(pairs));
    if faults.is_empty() { "right".to_owned() } else { words(&faults) }
}

#[test]
fn keys_and_values_are_compared_whole() {
    const EXACT: (bool, bool) = (false, false);
    const ANY_CASE: (bool, bool) = (true, false);
    const EMPTY: (bool, bool) = (false, true);
    let owner = || json!({"Owner": {}});
    let env = || json!({"Env": {"values": ["prod", "test"]}});
    let cost = || json!({"Cost": {"pattern": "[0-9]{4}|none"}});
    for (case, given, how, pairs, expected) in [
        ("there", owner(), EXACT, vec![("Owner", "ada")], "right"),
        ("missing", owner(), EXACT, vec![], "Tags missing: Owner"),
        ("empty", owner(), EXACT, vec![("Owner", "")], "Tags empty: Owner"),
        ("empty allowed", owner(), EMPTY, vec![("Owner", "")], "right"),
        ("another case", owner(), EXACT, vec![("owner", "ada")], "Tags missing: Owner"),
        ("another case allowed", owner(), ANY_CASE, vec![("oWNER", "ada")], "right"),
        ("one of two is right", owner(), ANY_CASE, vec![("OWNER", ""), ("owner", "ada")], "right"),
        ("allowed value", env(), EXACT, vec![("Env", "test")], "right"),
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
            "empty is no allowed value",
            env(),
            EMPTY,
            vec![("Env", "")],
            "Tags wrong value: Env=\"\" (allowed prod,test)",
        ),
        ("whole pattern", cost(), EXACT, vec![("Cost", "1234")], "right"),
        ("other branch", cost(), EXACT, vec![("Cost", "none")], "right"),
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
        assert_eq!(told(given, how, &pairs), expected, "{case}");
    }
}

#[test]
fn a_missing_key_tells_what_looks_like_it() {
    let requirements = Requirements::merged(required(json!({"Owner": {}})), false, false).unwrap();
    let lookalike = Some("owner".to_owned());
    assert_eq!(requirements.faults(&tags(&[("owner", "ada")])), [TagFault::Missing { key: key("Owner"), lookalike }]);
}

#[test]
fn a_key_is_required_once_by_whoever_says_more() {
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
fn a_default_must_mend_what_it_is_written_for() {
    let requirements = Requirements::merged(required(json!({"Env": {"values": ["prod"]}, "Owner": {}})), false, false);
    let check = |defaults| requirements.clone().unwrap().check_defaults(&serde_json::from_value(defaults).unwrap());
    assert_eq!(check(json!({"Env": "prod", "Owner": "nobody"})), Ok(()));
    assert_eq!(
        check(json!({"Env": "test"})),
        Err("defaults: `test` is no value that the tag `Env` may have".to_owned())
    );
    assert_eq!(check(json!({"Owner": ""})), Err("defaults: `` is no value that the tag `Owner` may have".to_owned()));
    assert_eq!(check(json!({"owner": "ada"})), Err("defaults: the tag `owner` is not required".to_owned()));
}

#[test]
fn keys_of_aws_long_keys_and_broken_patterns_are_refused() {
    let read = |value| serde_json::from_value::<RequiredTags>(value).map_err(|error| error.to_string());
    let long = "k".repeat(129);
    for (value, expected) in [
        (json!({"aws:name": {}}), "expected a tag key that people can write: received `aws:name`"),
        (json!({"AWS:name": {}}), "expected a tag key that people can write"),
        (
            json!({"rectify:exempt": {}}),
            "expected a tag key that does not decide about Rectify itself: received `rectify:exempt`",
        ),
        (json!({"Rectify:Mode": {}}), "expected a tag key that does not decide about Rectify itself"),
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
