#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use rectify_compliance::Parameters;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Cases, Laws, NOW};

use super::*;

type Params = CwLoggroupRetentionPeriodCheckParameters;

const STRICT: &str = r#"{"neverExpire": "noncompliant"}"#;
const RANGE: &str = r#"{"MinRetentionTime": "30", "MaxRetentionTime": "400"}"#;
const SHORTEN: &str =
    "L3 manual: set a shorter retention for /app once older events are no longer needed: this deletes them";

fn group(name: &str, retention_in_days: Option<u32>) -> LogGroup {
    LogGroup {
        name: name.to_owned(),
        arn: format!("arn:aws:logs:eu-west-1:111122223333:log-group:{name}"),
        class: Some("STANDARD".to_owned()),
        retention_in_days,
        tags: Tags::new(),
    }
}

fn put(retention_in_days: u32) -> Action {
    Action::PutRetentionPolicy { log_group_name: "/app".to_owned(), retention_in_days }
}

#[test]
fn retention_below_the_minimum_is_raised_to_the_next_value_and_never_lowered() {
    let cases = Cases::of(&CwLoggroupRetentionPeriodCheck, group("/app", None));
    let days = |name: &'static str, days| cases.case(name, |it| it.retention_in_days = Some(days));
    let raised = |days: u32| format!(r#"L1 PutRetentionPolicy {{"logGroupName":"/app","retentionInDays":{days}}}"#);
    cases.case("cw-loggroup-retention-period-check/1", |_| ()).compliant();
    cases
        .case("cw-loggroup-retention-period-check/1, strict", |_| ())
        .with(STRICT)
        .non_compliant("/app keeps events forever")
        .planned(&[SHORTEN]);
    days("cw-loggroup-retention-period-check/2", 180)
        .non_compliant("/app keeps 180 d (min 365)")
        .planned(&[&raised(365)]);
    days("cw-loggroup-retention-period-check/3", 731)
        .with(r#"{"MinRetentionTime": 1000}"#)
        .non_compliant("/app keeps 731 d (min 1096)")
        .planned(&[&raised(1096)]);
    days("cw-loggroup-retention-period-check/4", 3653).compliant();
    days("the minimum itself", 365).compliant();
    days("the lower end of the range", 30).with(RANGE).compliant();
    days("the upper end of the range", 400).with(RANGE).compliant();
    days("above the maximum", 545).with(RANGE).non_compliant("/app keeps 545 d (max 400)").planned(&[SHORTEN]);
    cases.case("forever, with a maximum", |_| ()).with(RANGE).compliant();
    days("the maximum retention", 3653).with(r#"{"MinRetentionTime": "3653"}"#).compliant();
    days("minimum is maximum", 7)
        .with(r#"{"MaxRetentionTime": "365"}"#)
        .non_compliant("/app keeps 7 d (min 365)")
        .planned(&[&raised(365)]);
    days("not selected", 1)
        .with(r#"{"LogGroupNames": "/aws/"}"#)
        .not_applicable("/app is not selected by LogGroupNames");
    let class = |name: &'static str, class: &str| {
        cases.case(name, |it| *it = LogGroup { class: Some(class.to_owned()), ..group("/app", Some(1)) })
    };
    class("delivery", "DELIVERY").not_applicable("/app is of class DELIVERY; its retention cannot be set");
    class("infrequent access", "INFREQUENT_ACCESS").non_compliant("/app keeps 1 d (min 365)");
}

#[test]
fn names_are_prefixes_and_patterns_match_the_whole_name() {
    for (case, names, name, expected) in [
        ("cw-loggroup-retention-period-check/7", "/aws/", "/app/aws/", false),
        ("prefix", "/aws/", "/aws/lambda/x", true),
        ("second member", "/x, /aws/", "/aws/lambda/x", true),
        ("pattern", "*/lambda/?", "/aws/lambda/x", true),
        ("a pattern is not a prefix", "*/lambda", "/aws/lambda/x", false),
    ] {
        let params = Params { log_group_names: Some(names.parse().unwrap()), ..Params::default() };
        assert_eq!(params.selects(name), expected, "{case}");
    }
    assert!(Params::default().selects("anything"));
}

#[test]
fn unsatisfiable_parameters_are_refused() {
    let error = |text: &str| RuleParameters::<Params>::parse(Some(text)).unwrap_err().to_string();
    let contradiction = "ruleParameters: MinRetentionTime `1000` requires 1096 days, more than MaxRetentionTime `1050`";
    assert_eq!(error(r#"{"MinRetentionTime":"1000","MaxRetentionTime":"1050"}"#), contradiction);
    assert!(error(r#"{"MinRetentionTime":"366","MaxRetentionTime":"365"}"#).contains("`365`"));
    assert!(error(r#"{"MinRetentionTime":"3654"}"#).contains("1..=3653"));
    assert!(error(r#"{"MinRetentionTime":"0"}"#).contains("1..=3653"));
    assert!(error(r#"{"neverExpire":"Compliant"}"#).contains("neverExpire"));
    assert!(error(r#"{"minRetentionTime":"30"}"#).contains("did you mean `MinRetentionTime`"));
}

#[test]
fn undo_restores_the_previous_value_and_fails_without_one() {
    let before = group("/app", Some(180));
    assert_eq!(CwLoggroupRetentionPeriodCheck.undo(&before, &[put(365)]), Ok(vec![put(180)]));
    assert_eq!(CwLoggroupRetentionPeriodCheck.undo(&before, &[]), Ok(vec![]));
    assert!(CwLoggroupRetentionPeriodCheck.undo(&group("/app", None), &[put(365)]).is_err());
    assert_eq!(CwLoggroupRetentionPeriodCheck.predict(group("/other", Some(1)), &put(365)), group("/other", Some(1)));
    assert_eq!(CwLoggroupRetentionPeriodCheck.touched_fields(&before, &[put(365)]), json!({"retentionInDays": 180}));
    assert_eq!(CwLoggroupRetentionPeriodCheck.touched_fields(&before, &[]), json!({}));
}

fn groups() -> impl Strategy<Value = LogGroup> {
    let retention = prop::option::of(prop::sample::select(RETENTIONS.to_vec()));
    let class = prop::option::of(prop::sample::select(vec!["STANDARD", "STANDARD", "INFREQUENT_ACCESS", "DELIVERY"]));
    let tags = prop::collection::btree_map("[a-z]{1,4}", "[a-z]{0,4}", 0..3);
    ("/(app|aws)/[a-z]{1,6}", retention, class, tags).prop_map(|(name, retention, class, tags)| LogGroup {
        class: class.map(str::to_owned),
        tags,
        ..group(&name, retention)
    })
}

fn parameters() -> impl Strategy<Value = Params> {
    let names = prop::option::of(prop::sample::select(vec!["/app/", "/aws/,*x*"]).prop_map(|it| it.parse().unwrap()));
    let never = prop::sample::select(vec![NeverExpire::Compliant, NeverExpire::NonCompliant]);
    (names, 1..=MAX_RETENTION, prop::option::of(1..=MAX_RETENTION), never)
        .prop_map(|(log_group_names, min, max, never_expire)| Params {
            log_group_names,
            min_retention_time: Days::of(min),
            max_retention_time: max.map(Days::of),
            never_expire,
        })
        .prop_filter("satisfiable", |it| it.check().is_ok())
}

#[test]
fn laws() {
    let lowers = |before: &LogGroup, after: &LogGroup| match (before.retention_in_days, after.retention_in_days) {
        (Some(was), Some(is)) if was != is => is < was || !RETENTIONS.contains(&is),
        (was, is) => was != is,
    };
    Laws::of(&CwLoggroupRetentionPeriodCheck, &["/retentionInDays"], Remediation::predict)
        .never(lowers)
        .restores_full_state()
        .hold((groups(), parameters()));
}

proptest! {
    #[test]
    fn a_longer_minimum_never_accepts_what_a_shorter_one_rejects(subject in groups(), params in parameters(), more in 0..MAX_RETENTION) {
        let longer = Params { min_retention_time: Days::of(params.min_retention_time.get() + more), ..params.clone() };
        prop_assume!(longer.check().is_ok());
        let finds = |params| CwLoggroupRetentionPeriodCheck.evaluate(&subject, params, NOW).is_non_compliant();
        prop_assert!(!finds(&params) || finds(&longer));
    }
}
