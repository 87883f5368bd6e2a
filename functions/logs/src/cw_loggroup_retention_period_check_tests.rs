//! The control's table, its parameters and its plans.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use rectify_compliance::parameters::RuleParameters;

use super::*;

pub(super) type Params = CwLoggroupRetentionPeriodCheckParameters;

pub(super) fn group(name: &str, retention_in_days: Option<u32>) -> LogGroup {
    LogGroup {
        name: name.to_owned(),
        arn: format!("arn:aws:logs:eu-west-1:111122223333:log-group:{name}"),
        class: Some("STANDARD".to_owned()),
        retention_in_days,
        tags: Tags::new(),
    }
}

fn params(parameters: &Value) -> Params {
    RuleParameters::<Params>::parse(Some(&parameters.to_string())).unwrap().control
}

pub(super) fn judge(subject: &LogGroup, params: &Params) -> Verdict {
    CwLoggroupRetentionPeriodCheck.evaluate(subject, params, Timestamp::UNIX_EPOCH)
}

pub(super) fn plan(subject: &LogGroup, params: &Params) -> Plan<Action> {
    CwLoggroupRetentionPeriodCheck.plan(subject, params, Timestamp::UNIX_EPOCH)
}

fn put(retention_in_days: u32) -> Action {
    Action::PutRetentionPolicy { log_group_name: "/app".to_owned(), retention_in_days }
}

#[test]
fn retention_is_judged_between_minimum_and_maximum() {
    let (none, strict) = (json!({}), json!({"neverExpire": "noncompliant"}));
    let range = json!({"MinRetentionTime": "30", "MaxRetentionTime": "400"});
    let finding = |text: &str| Verdict::non_compliant(text);
    for (case, days, parameters, expected) in [
        ("cw-loggroup-retention-period-check/1", None, &none, Verdict::COMPLIANT),
        ("cw-loggroup-retention-period-check/1, strict", None, &strict, finding("/app keeps events for ever")),
        ("cw-loggroup-retention-period-check/2", Some(180), &none, finding("/app keeps 180 d (min 365)")),
        (
            "cw-loggroup-retention-period-check/3",
            Some(731),
            &json!({"MinRetentionTime": 1000}),
            finding("/app keeps 731 d (min 1096)"),
        ),
        ("cw-loggroup-retention-period-check/4", Some(3653), &none, Verdict::COMPLIANT),
        ("the minimum itself", Some(365), &none, Verdict::COMPLIANT),
        ("the range's ends", Some(30), &range, Verdict::COMPLIANT),
        ("the range's other end", Some(400), &range, Verdict::COMPLIANT),
        ("above the maximum", Some(545), &range, finding("/app keeps 545 d (max 400)")),
        ("for ever, with a maximum", None, &range, Verdict::COMPLIANT),
        ("the longest there is", Some(3653), &json!({"MinRetentionTime": "3653"}), Verdict::COMPLIANT),
    ] {
        assert_eq!(judge(&group("/app", days), &params(parameters)), expected, "{case}");
    }
}

#[test]
fn names_select_by_prefix_and_patterns_by_the_whole_name() {
    let chosen = |names: &str, name: &str| params(&json!({ "LogGroupNames": names })).selects(name);
    for (case, names, name, expected) in [
        ("cw-loggroup-retention-period-check/7", "/aws/", "/app/aws/", false),
        ("prefix", "/aws/", "/aws/lambda/x", true),
        ("second member", "/x, /aws/", "/aws/lambda/x", true),
        ("pattern", "*/lambda/?", "/aws/lambda/x", true),
        ("pattern is no prefix", "*/lambda", "/aws/lambda/x", false),
    ] {
        assert_eq!(chosen(names, name), expected, "{case}");
    }
    assert!(Params::default().selects("anything"));
    let other = judge(&group("/app", Some(1)), &params(&json!({"LogGroupNames": "/aws/"})));
    assert_eq!(other, Verdict::not_applicable("/app is not selected by LogGroupNames"));
}

#[test]
fn delivery_groups_are_not_judged() {
    let delivery = LogGroup { class: Some("DELIVERY".to_owned()), ..group("/app", Some(1)) };
    let expected = Verdict::not_applicable("/app is of class DELIVERY; its retention cannot be set");
    assert_eq!(judge(&delivery, &Params::default()), expected);
    assert_eq!(plan(&delivery, &Params::default()), Plan::Nothing);
    let infrequent = LogGroup { class: Some("INFREQUENT_ACCESS".to_owned()), ..group("/app", Some(1)) };
    assert!(judge(&infrequent, &Params::default()).is_non_compliant());
}

#[test]
fn parameters_that_no_group_can_satisfy_are_refused() {
    let refused = |text: &str| RuleParameters::<Params>::parse(Some(text)).unwrap_err().to_string();
    let contradiction = "ruleParameters: MinRetentionTime `1000` asks for 1096 days, more than MaxRetentionTime `1050`";
    assert_eq!(refused(r#"{"MinRetentionTime":"1000","MaxRetentionTime":"1050"}"#), contradiction);
    assert!(refused(r#"{"MinRetentionTime":"366","MaxRetentionTime":"365"}"#).contains("`365`"));
    assert!(refused(r#"{"MinRetentionTime":"3654"}"#).contains("1..=3653"));
    assert!(refused(r#"{"MinRetentionTime":"0"}"#).contains("1..=3653"));
    assert!(refused(r#"{"neverExpire":"Compliant"}"#).contains("neverExpire"));
    assert!(refused(r#"{"minRetentionTime":"30"}"#).contains("did you mean `MinRetentionTime`"));
}

#[test]
fn retention_is_raised_to_the_next_value_and_never_lowered() {
    let deletes = "set a shorter retention for /app, once nothing older is needed: it deletes older events";
    let raise = |days| Plan::Do { steps: vec![Step::call(Level::L1, put(days))] };
    let leave = || Plan::Do { steps: vec![Step::person(Level::L3, deletes)] };
    for (case, days, parameters, expected) in [
        ("cw-loggroup-retention-period-check/1", None, json!({"neverExpire": "noncompliant"}), leave()),
        ("cw-loggroup-retention-period-check/2", Some(180), json!({}), raise(365)),
        ("cw-loggroup-retention-period-check/3", Some(180), json!({"MinRetentionTime": "1000"}), raise(1096)),
        ("cw-loggroup-retention-period-check/4", Some(3653), json!({}), Plan::Nothing),
        ("too long", Some(545), json!({"MaxRetentionTime": "400"}), leave()),
        ("minimum is maximum", Some(7), json!({"MaxRetentionTime": "365"}), raise(365)),
    ] {
        assert_eq!(plan(&group("/app", days), &params(&parameters)), expected, "{case}");
    }
    let call = json!({"PutRetentionPolicy": {"logGroupName": "/app", "retentionInDays": 365}});
    assert_eq!(serde_json::to_value(put(365)).unwrap(), call);
}

#[test]
fn undo_sets_the_previous_value_and_nothing_where_there_was_none() {
    let before = group("/app", Some(180));
    assert_eq!(CwLoggroupRetentionPeriodCheck.undo(&before, &[put(365)]), Ok(vec![put(180)]));
    assert_eq!(CwLoggroupRetentionPeriodCheck.undo(&before, &[]), Ok(vec![]));
    assert!(CwLoggroupRetentionPeriodCheck.undo(&group("/app", None), &[put(365)]).is_err());
    assert_eq!(CwLoggroupRetentionPeriodCheck.expect(group("/other", Some(1)), &put(365)), group("/other", Some(1)));
    assert_eq!(CwLoggroupRetentionPeriodCheck.footprint(&before, &[put(365)]), json!({"retentionInDays": 180}));
    assert_eq!(CwLoggroupRetentionPeriodCheck.footprint(&before, &[]), json!({}));
}
