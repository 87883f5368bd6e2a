//! Accepted and refused patterns, and how patterns in use relate to the expected ones.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

const ROOT: &str = r#"{ ($.userIdentity.type = "Root") && ($.userIdentity.invokedBy NOT EXISTS) && ($.eventType != "AwsServiceEvent") }"#;
const REFUSED: &str = r#"{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }"#;
const SIGN_IN: &str = r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed = "No") && ($.responseElements.ConsoleLogin = "Success") }"#;

fn read(text: &str) -> Pattern {
    Pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn relation(expected_pattern: &str, found: &str) -> Relation {
    read(expected_pattern).relation(&read(found)).unwrap()
}

#[test]
fn root_patterns_relate_by_matched_events() {
    use Relation::{Broader, Equivalent, Narrower, Unrelated};
    for (case, found, expected) in [
        ("the expected text", ROOT, Equivalent),
        (
            "quoted, without parentheses",
            r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }"#,
            Equivalent,
        ),
        (
            "bare",
            "{$.userIdentity.type=Root && $.userIdentity.invokedBy NOT EXISTS && $.eventType!=AwsServiceEvent}",
            Equivalent,
        ),
        (
            "another order, more parentheses",
            r#"{ (($.eventType != "AwsServiceEvent") && (($.userIdentity.invokedBy NOT EXISTS))) && $.userIdentity.type = Root }"#,
            Equivalent,
        ),
        ("without invokedBy", r#"{ $.userIdentity.type = "Root" && $.eventType != "AwsServiceEvent" }"#, Broader),
        ("without eventType", r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS }"#, Broader),
        (
            "joined by or",
            r#"{ $.userIdentity.type = "Root" || $.userIdentity.invokedBy NOT EXISTS || $.eventType != "AwsServiceEvent" }"#,
            Broader,
        ),
        (
            "one more condition",
            r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" && $.eventName = "ConsoleLogin" }"#,
            Narrower,
        ),
        ("something else", r#"{ $.eventName = "StopLogging" }"#, Unrelated),
        (
            "another case",
            r#"{ $.userIdentity.type = "root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }"#,
            Unrelated,
        ),
        (
            "the meaning of != for a missing field must not matter",
            r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType EXISTS && $.eventType != "AwsServiceEvent" }"#,
            Narrower,
        ),
    ] {
        assert_eq!(relation(ROOT, found), expected, "{case}");
    }
}

#[test]
fn denied_call_patterns_relate_by_matched_events() {
    use Relation::{Broader, Equivalent, Narrower, Unrelated};
    let (a, b) = (r#"($.errorCode = "*UnauthorizedOperation")"#, r#"($.errorCode = "AccessDenied*")"#);
    let (c, d) = (r#"($.sourceIPAddress!="delivery.logs.amazonaws.com")"#, r#"($.eventName!="HeadBucket")"#);
    for (case, found, expected) in [
        ("the expected text", REFUSED.to_owned(), Equivalent),
        ("bare", "{ $.errorCode = *UnauthorizedOperation || $.errorCode = AccessDenied* }".to_owned(), Equivalent),
        ("CIS 1.4 and 3.0", format!("{{ {a} || {b} || {c} || {d} }}"), Broader),
        ("CIS 5.0 to 7.0", format!("{{ {a} || {b} && {c} && {d} }}"), Narrower),
        ("V2", format!("{{ ({a} || {b}) && {c} && {d} }}"), Narrower),
        ("wider wildcards", r#"{ $.errorCode = "*Unauthorized*" || $.errorCode = "*Denied*" }"#.to_owned(), Broader),
        ("any error", "{ $.errorCode = * }".to_owned(), Broader),
        (
            "without wildcards",
            r#"{ $.errorCode = "Client.UnauthorizedOperation" || $.errorCode = "AccessDenied" }"#.to_owned(),
            Narrower,
        ),
        ("one of two", format!("{{ {b} }}"), Narrower),
        ("crossed", format!("{{ {a} && {c} || $.errorCode = Throttl* }}"), Unrelated),
    ] {
        assert_eq!(relation(REFUSED, &found), expected, "{case}: {found}");
    }
    let v1 = format!("{{ {a} || {b} && {c} && {d} }}");
    assert_eq!(relation(&v1, &format!("{{ {a} || ({b} && {c} && {d}) }}")), Equivalent, "&& binds closer than ||");
    assert_eq!(relation(&v1, &format!("{{ ({a} || {b}) && {c} && {d} }}")), Narrower);
}

#[test]
fn sign_in_patterns_relate_by_matched_events() {
    use Relation::{Broader, Equivalent, Narrower, Unrelated};
    for (case, found, expected) in [
        ("the expected text", SIGN_IN, Equivalent),
        ("CIS", r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }"#, Broader),
        (
            "CIS and Success",
            r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.responseElements.ConsoleLogin = "Success") }"#,
            Broader,
        ),
        (
            "CIS for single sign-on",
            r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }"#,
            Unrelated,
        ),
        ("without the result", r#"{ $.eventName = "ConsoleLogin" && $.additionalEventData.MFAUsed = "No" }"#, Broader),
        (
            "users only",
            r#"{ $.eventName = "ConsoleLogin" && $.additionalEventData.MFAUsed = "No" && $.responseElements.ConsoleLogin = "Success" && $.userIdentity.type = "IAMUser" }"#,
            Narrower,
        ),
    ] {
        assert_eq!(relation(SIGN_IN, found), expected, "{case}");
    }
}

#[test]
fn a_pattern_that_matches_ordinary_events_is_noisy() {
    for (found, expected) in [
        (ROOT, false),
        (REFUSED, false),
        (SIGN_IN, false),
        (r#"{ $.errorCode = "AccessDenied*" || $.eventName != "HeadBucket" }"#, true),
        (r#"{ $.userIdentity.type = "Root" || $.eventType != "AwsServiceEvent" }"#, true),
        (r#"{ $.eventName = "ConsoleLogin" && $.additionalEventData.MFAUsed != "Yes" }"#, false),
        ("{ $.eventName = * }", true),
        ("{ $.errorCode EXISTS }", true),
        ("{ $.invokedBy NOT EXISTS }", false),
    ] {
        assert_eq!(read(found).is_noisy(), Ok(expected), "{found}");
    }
}

#[test]
fn missing_alternatives_are_those_without_a_common_event() {
    let names = r#"{ ($.eventSource = x) && (($.eventName = A) || ($.eventName = B) || ($.eventName = C)) }"#;
    for (expected_pattern, found, expected) in [
        (names, "{ $.eventName = A || $.eventName = C }", &["B"][..]),
        (names, "{ $.eventName = C && $.eventSource = x }", &["A", "B"]),
        ("{ $.a = x || $.a = y }", "{ $.a = x || $.a = z }", &["y"]),
        (names, "{ $.eventName = A || $.eventName = B || $.eventName = C && $.region = z }", &[]),
        (REFUSED, "{ $.errorCode = AccessDenied }", &["*UnauthorizedOperation"]),
        (names, "{ $.eventName = D }", &[]),
        (names, "{ $.eventName = A && $.eventSource = y }", &[]),
        ("{ $.a = x && $.b = y }", "{ $.a = x }", &[]),
    ] {
        let missing = read(expected_pattern).missing(&read(found));
        assert_eq!(missing, Ok(expected.iter().map(|it| (*it).to_owned()).collect()), "{found}");
    }
}

#[test]
fn numbers_booleans_and_null_are_distinguished() {
    use Relation::{Broader, Equivalent, Narrower, Unrelated};
    for (expected_pattern, found, expected) in [
        ("{ $.n > 5 }", "{ $.n >= 5 }", Broader),
        ("{ $.n > 5 }", "{ $.n > 5.0 && $.n > 4 }", Equivalent),
        ("{ $.n < 5 }", "{ $.n <= 5 }", Broader),
        ("{ $.n <= 5 }", "{ $.n < 5 }", Narrower),
        ("{ $.n < 5 }", "{ $.n <= 4.5 || $.n > 4 && $.n < 5 }", Equivalent),
        ("{ $.n = 400 }", "{ $.n = 4e2 }", Equivalent),
        ("{ $.n = 7 }", "{ $.n > 5 }", Broader),
        ("{ $.b IS TRUE }", "{ $.b EXISTS }", Broader),
        ("{ $.b IS TRUE }", "{ $.b IS FALSE }", Unrelated),
        ("{ $.b IS NULL }", "{ $.b EXISTS }", Broader),
        ("{ $.b EXISTS }", "{ $.b IS NULL }", Narrower),
        ("{ $.a != x }", "{ $.a NOT EXISTS || $.a IS NULL || $.a != x }", Broader),
        ("{ $.a = x* && $.a = *y }", "{ $.a = x*y }", Equivalent),
        ("{ $.a = aba* && $.a = *aba }", "{ $.a = aba*aba }", Narrower),
        ("{ $.a = * }", "{ $.a EXISTS }", Broader),
        ("{ $.['a b'] = x }", "{ $.['a b']=x }", Equivalent),
    ] {
        assert_eq!(relation(expected_pattern, found), expected, "{expected_pattern} {found}");
    }
}

#[test]
fn an_invalid_pattern_is_refused_with_its_reason() {
    let syntax = |at, expected| NotComparable::Syntax { at, expected };
    for (text, expected) in [
        ("", NotComparable::NotJson),
        ("ERROR", NotComparable::NotJson),
        ("[ip, user, status = 4*]", NotComparable::NotJson),
        ("{", NotComparable::NotJson),
        ("{}", syntax(0, "a selector that begins with `$`")),
        ("{ $.a }", syntax(5, "an operator")),
        ("{ $.a = }", syntax(7, "a value")),
        ("{ $.a = \"x }", syntax(10, "`\"`")),
        (r#"{ $.a = "x\"y" }"#, syntax(9, "`\"`")),
        ("{ ($.a = x }", syntax(10, "`)`")),
        ("{ $.a = x $.b = y }", syntax(9, "`&&`, `||` or the end")),
        ("{ $.a = x & $.b = y }", syntax(9, "`&&`, `||` or the end")),
        ("{ !($.a = x) }", syntax(1, "a selector that begins with `$`")),
        ("{ $.a > x }", syntax(7, "a number")),
        ("{ $.a IS ABSENT }", syntax(14, "`NULL`, `TRUE` or `FALSE`")),
        ("{ $.a NOT NULL }", syntax(13, "an operator")),
        ("{ $.a = %Root% }", NotComparable::Regex),
        ("{ $.a = x && $.b != %y% }", NotComparable::Regex),
        ("{ $.a[*].b = x }", NotComparable::ManyValued),
        ("{ $ = x }", syntax(2, "the rest of a selector")),
    ] {
        assert_eq!(Pattern::parse(text), Err(expected), "{text}");
    }
    let mixed = read("{ $.n = 4* && $.n > 3 }");
    assert_eq!(mixed.is_noisy(), Err(NotComparable::NumberAndWildcard));
    assert_eq!(NotComparable::Regex.to_string(), "a regular expression");
    assert_eq!(syntax(5, "an operator").to_string(), "expected an operator at character 5");
}

#[test]
fn huge_patterns_are_refused_quickly() {
    let case = "cloudwatch-alarm-root-usage/14";
    let nested = |depth: usize| format!("{{ {}$.a = x{} }}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(Pattern::parse(&nested(50)), Err(NotComparable::TooDeep), "{case}");
    assert_eq!(Pattern::parse(&nested(100_000)), Err(NotComparable::TooDeep), "{case}");
    assert!(Pattern::parse(&nested(MAX_DEPTH)).is_ok(), "{case}");
    let many = |count: usize| {
        let terms: Vec<String> = (0..count).map(|number| format!("$.a{number} = x")).collect();
        format!("{{ {} }}", terms.join(" && "))
    };
    assert_eq!(Pattern::parse(&many(200)), Err(NotComparable::TooManyTerms), "{case}");
    let wide = read(&many(MAX_TERMS));
    assert_eq!(wide.relation(&wide), Err(NotComparable::TooManyRows), "{case}");
    let same: Vec<String> = (0..MAX_TERMS).map(|number| format!("$.a = *{number}*{}*", number * 7)).collect();
    let wild = read(&format!("{{ {} }}", same.join(" || ")));
    assert_eq!(wild.relation(&wild), Err(NotComparable::TooManyRows), "{case}");
}
