//! Which filters are accepted, with patterns of benchmarks and of users.

use super::*;
use crate::controls::cloudwatch_alarm_console_login_without_mfa::EVENTS as SIGN_IN;
use crate::controls::cloudwatch_alarm_root_usage::EVENTS as ROOT;
use crate::controls::cloudwatch_alarm_unauthorized_api_calls::EVENTS as CALLS;
use crate::families::alarm_chain::chain::tests::filter;

const ALL: Tolerance = Tolerance { noisy: true, variants: true };
const STRICT: Tolerance = Tolerance { noisy: false, variants: false };

#[test]
fn filters_for_root_activity() {
    let (broader, refused) =
        (Ok(Some("broader than required")), Rejection::Refused("counts actions of services for root"));
    let or = r#"{ $.userIdentity.type = "Root" || $.userIdentity.invokedBy NOT EXISTS || $.eventType != "AwsServiceEvent" }"#;
    for (case, pattern, tolerance, expected) in [
        (
            "cloudwatch-alarm-root-usage/1: bare, another order, more parentheses",
            "{ (($.eventType!=AwsServiceEvent)) && $.userIdentity.invokedBy NOT EXISTS && ($.userIdentity.type=Root) }",
            STRICT,
            Ok(None),
        ),
        (
            "cloudwatch-alarm-root-usage/2",
            r#"{ $.userIdentity.type = "Root" && $.eventType != "AwsServiceEvent" }"#,
            ALL,
            Err(refused.clone()),
        ),
        ("type alone", r#"{ $.userIdentity.type = "Root" }"#, ALL, Err(refused)),
        (
            "without eventType",
            r#"{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS }"#,
            STRICT,
            broader,
        ),
        ("joined by or", or, ALL, Ok(Some("matches nearly every event"))),
        ("joined by or, strictly", or, STRICT, Err(Rejection::Noisy)),
        (
            "a regular expression",
            "{ $.userIdentity.type = %Root% }",
            ALL,
            Err(Rejection::NotComparable("a regular expression".to_owned())),
        ),
        ("another subject", r#"{ $.eventName = "StopLogging" }"#, ALL, Err(Rejection::Unrelated)),
        ("every event", "", ALL, Err(Rejection::NotComparable("not a pattern in braces".to_owned()))),
    ] {
        assert_eq!(filter(pattern).check(&ROOT, tolerance), expected, "{case}");
    }
}

#[test]
fn filters_for_refused_calls() {
    let literal = r#"{ ($.errorCode ="*UnauthorizedOperation") || ($.errorCode ="AccessDenied*") || ($.sourceIPAddress!="delivery.logs.amazonaws.com") || ($.eventName!="HeadBucket") }"#;
    let v1 = r#"{ ($.errorCode ="*UnauthorizedOperation") || ($.errorCode ="AccessDenied*") && ($.sourceIPAddress!="delivery.logs.amazonaws.com") && ($.eventName!="HeadBucket") }"#;
    let v2 = r#"{ $.eventName!=HeadBucket && $.sourceIPAddress!=delivery.logs.amazonaws.com && ($.errorCode=AccessDenied* || $.errorCode=*UnauthorizedOperation) }"#;
    let exact = r#"{ $.errorCode = "Client.UnauthorizedOperation" || $.errorCode = "AccessDenied" }"#;
    for (case, pattern, tolerance, expected) in [
        ("the expected pattern", CALLS.pattern, STRICT, Ok(None)),
        ("cloudwatch-alarm-unauthorized-api-calls/3", literal, ALL, Ok(Some("matches nearly every event"))),
        ("cloudwatch-alarm-unauthorized-api-calls/3, strictly", literal, STRICT, Err(Rejection::Noisy)),
        (
            "cloudwatch-alarm-unauthorized-api-calls/4",
            v1,
            ALL,
            Ok(Some("AccessDenied of log delivery and of HeadBucket not covered")),
        ),
        ("CIS 5.0, strictly", v1, STRICT, Err(Rejection::Narrower)),
        ("V2, bare and reordered", v2, ALL, Ok(Some("log delivery and HeadBucket not covered"))),
        ("without wildcards", exact, ALL, Err(Rejection::Narrower)),
    ] {
        assert_eq!(filter(pattern).check(&CALLS, tolerance), expected, "{case}");
    }
}

#[test]
fn filters_for_sign_in_without_mfa() {
    let sso = r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }"#;
    let cis = r#"{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }"#;
    let users = r#"{ $.eventName = "ConsoleLogin" && $.additionalEventData.MFAUsed = "No" && $.responseElements.ConsoleLogin = "Success" && $.userIdentity.type = "IAMUser" }"#;
    for (case, pattern, tolerance, expected) in [
        ("the expected pattern", SIGN_IN.pattern, STRICT, Ok(None)),
        ("CIS", cis, STRICT, Ok(Some("broader than required"))),
        ("cloudwatch-alarm-console-login-without-mfa/5", sso, ALL, Ok(Some("root and federated sign-in not covered"))),
        ("CIS for single sign-on, strictly", sso, STRICT, Err(Rejection::Unrelated)),
        ("users only", users, ALL, Err(Rejection::Narrower)),
    ] {
        assert_eq!(filter(pattern).check(&SIGN_IN, tolerance), expected, "{case}");
    }
}

#[test]
fn a_filter_that_does_not_count_every_event_is_rejected() {
    type Change = fn(&mut MetricFilter);
    let changes: [(&str, Change); 8] = [
        ("reads transformed logs", |it| it.on_transformed_logs = true),
        ("restricted by field selection criteria", |it| {
            it.field_selection_criteria = Some("@aws.region = x".to_owned());
        }),
        ("split over dimensions", |it| it.emits_system_fields = true),
        ("split over dimensions", |it| it.transformations.iter_mut().for_each(|it| it.has_dimensions = true)),
        ("metric value is not a positive number", |it| it.transformations.clear()),
        ("metric value is not a positive number", |it| set_value(it, "0")),
        ("metric value is not a positive number", |it| set_value(it, "$.bytes")),
        ("metric value is not a positive number", |it| set_value(it, "inf")),
    ];
    for (why, change) in changes {
        let mut changed = filter(ROOT.pattern);
        change(&mut changed);
        assert_eq!(changed.check(&ROOT, ALL), Err(Rejection::Disqualified(why)));
    }
}

fn set_value(filter: &mut MetricFilter, value: &str) {
    filter.transformations.iter_mut().for_each(|it| it.metric_value = value.to_owned());
}

#[test]
fn the_closest_rejection_is_the_greatest() {
    let mut all = [
        Rejection::Disqualified("x"),
        Rejection::Unrelated,
        Rejection::NotComparable("x".to_owned()),
        Rejection::Narrower,
    ];
    all.sort();
    assert_eq!(all.last(), Some(&Rejection::Disqualified("x")));
    assert_eq!(all.first().map(ToString::to_string), Some("not comparable: x".to_owned()));
}
