use proptest::prelude::*;
use rectify_compliance::parameters::RuleParameters;
use rectify_testing::{Cases, Laws};

use super::*;
use crate::resources::trail::arbitrary::trails;
use crate::resources::trail::tests::{
    FOREIGN, OF_ANOTHER_ACCOUNT, ORGANIZATION, REPLICA, REPLICATED, TRAIL, recorded, trail,
};
use crate::resources::trail_delivery::tests::{GROUP, ROLE, destination, group, role};

const DAY: &str = r#"{"expectedDeliveryWindowAge": "24"}"#;
const ERRORS: &str = r#"{"checkDeliveryError": "true"}"#;
const NO_GROUP: &str = "Trail main: no delivery to CloudWatch Logs";
const FIX: &str = r#"L2 UpdateTrail {"CloudWatchLogsLogGroupArn":"arn:aws:logs:eu-west-1:111122223333:log-group:trails/main:*","CloudWatchLogsRoleArn":"arn:aws:iam::111122223333:role/service-role/trails","Name":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}"#;

fn now() -> Timestamp {
    "2026-03-04T06:00:00Z".parse().unwrap()
}

/// Adds the parameters that name a log group and a role.
fn with_destination(more: Value) -> String {
    let mut params = more;
    params["logGroupArn"] = json!(GROUP);
    params["logRoleArn"] = json!(ROLE);
    params.to_string()
}

/// A trail that delivers, with its latest delivery time and error.
fn delivering(latest_at: Option<&str>, latest_error: Option<&str>) -> DeliveringTrail {
    let mut trail = trail();
    trail.settings.cloud_watch_logs_log_group_arn = Some(GROUP.into());
    trail.settings.cloud_watch_logs_role_arn = Some(ROLE.into());
    let latest_at = latest_at.map(|it| it.parse().unwrap());
    let delivery = Some(Delivery { latest_at, latest_error: latest_error.map(str::to_owned) });
    DeliveringTrail { trail, delivery, destination: None }
}

/// A trail that does not deliver, with the destination it would get.
fn silent() -> DeliveringTrail {
    DeliveringTrail { trail: trail(), delivery: None, destination: Some(destination()) }
}

fn update(group: &str, role: &str) -> Action {
    Action::UpdateTrail {
        name: TRAIL.into(),
        cloud_watch_logs_log_group_arn: group.into(),
        cloud_watch_logs_role_arn: role.into(),
    }
}

#[test]
fn a_trail_needs_a_log_group_and_the_deliveries_that_the_parameters_require() {
    let cases = Cases::of(&CloudTrailCloudWatchLogsEnabled, silent());
    let case = |name: &'static str, latest_at: Option<&str>, latest_error: Option<&str>| {
        cases.case(name, |it| *it = delivering(latest_at, latest_error)).at(now())
    };
    let unread =
        |name: &'static str| cases.case(name, |it| *it = DeliveringTrail { delivery: None, ..delivering(None, None) });
    let late = "Trail main: last CloudWatch Logs delivery 25 h ago (max 24)";

    cases.case("cloud-trail-cloud-watch-logs-enabled/1", |_| ()).non_compliant(NO_GROUP);
    case("cloud-trail-cloud-watch-logs-enabled/2", Some("2026-03-03T07:00:00Z"), None).with(DAY).compliant();
    case("cloud-trail-cloud-watch-logs-enabled/2, 25 h", Some("2026-03-03T05:00:00Z"), None)
        .with(DAY)
        .non_compliant(late);
    case("exactly at the limit", Some("2026-03-03T06:00:00Z"), None).with(DAY).compliant();
    case("a second past the limit", Some("2026-03-03T05:59:59Z"), None).with(DAY).non_compliant(late);
    case("in the future", Some("2026-03-04T06:00:05Z"), None).with(DAY).compliant();
    case("cloud-trail-cloud-watch-logs-enabled/3", None, None)
        .with(DAY)
        .non_compliant("Trail main: no CloudWatch Logs delivery yet (max 24 h)");
    case("cloud-trail-cloud-watch-logs-enabled/4", Some("2025-03-03T05:59:59Z"), None).compliant();
    case("an error that is not checked", None, Some("AccessDenied")).compliant();
    case("an error", Some("2026-03-04T05:59:59Z"), Some("AccessDenied"))
        .with(ERRORS)
        .non_compliant("Trail main: last CloudWatch Logs delivery failed: AccessDenied");
    case("no error", None, None).with(ERRORS).compliant();
    unread("not read, not checked").compliant();
    unread("not read").with(ERRORS).non_compliant("Trail main: deliveries to CloudWatch Logs were not read");
}

#[test]
fn an_item_is_evaluated_where_its_trail_is_owned_unless_it_hides_a_local_trail() {
    let cases = Cases::of(&CloudTrailCloudWatchLogsEnabled, silent());
    let case = |name: &'static str, arn: &str, group: Value, facts: Option<DeliveryFacts>| {
        let recorded = recorded(arn, "cloudWatchLogsLogGroupArn", group);
        cases.case(name, |it| *it = CloudTrailCloudWatchLogsEnabled.subject(recorded, facts)).with(DAY).at(now())
    };
    for blank in [json!(null), json!("")] {
        case("cloud-trail-cloud-watch-logs-enabled/1", TRAIL, blank, None).non_compliant(NO_GROUP);
    }
    let recent = DeliveryFacts { live: None, delivery: delivering(Some("2026-03-04T05:00:00Z"), None).delivery };
    case("a group", TRAIL, json!(GROUP), Some(recent)).compliant();
    case("cloud-trail-cloud-watch-logs-enabled/5", REPLICA, json!(null), None).not_applicable(REPLICATED);
    case("in another account", FOREIGN, json!(null), None).not_applicable(OF_ANOTHER_ACCOUNT);
    let hidden = DeliveryFacts { live: Some(trail()), delivery: None };
    case("a replica that hides a local trail", REPLICA, json!(GROUP), Some(hidden)).non_compliant(NO_GROUP);
}

#[test]
fn log_group_and_role_need_each_other() {
    let case = "cloud-trail-cloud-watch-logs-enabled/6";
    let read = |text: &str| RuleParameters::<TrailLogsParameters>::parse(Some(text));
    let error = |text: &str| read(text).unwrap_err().to_string();
    let group_alone = error(&json!({"logGroupArn": GROUP}).to_string());
    assert_eq!(group_alone, format!("ruleParameters: logGroupArn `{GROUP}` needs logRoleArn"), "{case}");
    let role_alone = error(&json!({"logRoleArn": ROLE}).to_string());
    assert_eq!(role_alone, format!("ruleParameters: logRoleArn `{ROLE}` needs logGroupArn"), "{case}");
    let both = read(&with_destination(json!({}))).unwrap().control;
    assert_eq!((both.log_group_arn, both.log_role_arn), (Some(group()), Some(role())));
    for text in [r#"{"expectedDeliveryWindowAge": "0"}"#, r#"{"expectedDeliveryWindowAge": "8761"}"#] {
        assert!(error(text).contains("expected a whole number in 1..=8760"), "{text}");
    }
}

#[test]
fn a_missing_log_group_is_set_and_an_existing_one_is_never_replaced() {
    let cases = Cases::of(&CloudTrailCloudWatchLogsEnabled, silent());
    let choose = format!(
        "L2 manual: choose a log group and a role that lets CloudTrail write to it, and set both for trail {TRAIL}, \
         or name them in logGroupArn and logRoleArn"
    );
    let investigate = format!("L0 manual: find and fix why trail {TRAIL} does not deliver to {GROUP} as {ROLE}");
    let planned = |name: &'static str, change: fn(&mut DeliveringTrail)| {
        cases.case(name, change).with(&with_destination(json!({}))).non_compliant(NO_GROUP)
    };
    planned("a usable log group", |_| ()).planned(&[FIX]);
    cases.case("no log group in the parameters", |_| ()).non_compliant(NO_GROUP).planned(&[&choose]);
    cases
        .case("a late delivery", |it| *it = delivering(Some("2026-03-01T05:00:00Z"), None))
        .with(&with_destination(json!({"expectedDeliveryWindowAge": 24})))
        .at(now())
        .non_compliant("Trail main: last CloudWatch Logs delivery 73 h ago (max 24)")
        .planned(&[&investigate]);
    planned("an organization trail", |it| it.trail.settings.is_organization_trail = Some(true))
        .planned(&[&format!("blocked: {ORGANIZATION}"), FIX]);
    planned("a role alone", |it| it.trail.settings.cloud_watch_logs_role_arn = Some("role".into()))
        .planned(&["blocked: trail main has role role without a log group", FIX]);
    planned("not read", |it| it.destination = None)
        .planned(&[&format!("blocked: log group {GROUP} and role {ROLE} were not read"), FIX]);
    planned("no such role", |it| it.destination.as_mut().unwrap().role_rights = None)
        .planned(&[&format!("blocked: account 111122223333 has no role {ROLE}"), FIX]);
}

#[test]
fn group_and_role_are_the_touched_fields_and_empty_values_clear_them() {
    let fixed = CloudTrailCloudWatchLogsEnabled.predict(silent(), &update(GROUP, ROLE));
    assert_eq!(fixed, DeliveringTrail { delivery: None, ..delivering(None, None) });
    let both = json!({"cloudWatchLogsLogGroupArn": GROUP, "cloudWatchLogsRoleArn": ROLE});
    assert_eq!(CloudTrailCloudWatchLogsEnabled.touched_fields(&fixed, &[update(GROUP, ROLE)]), both);
    assert_eq!(CloudTrailCloudWatchLogsEnabled.touched_fields(&fixed, &[]), json!({}));
    let undo = CloudTrailCloudWatchLogsEnabled.undo(&silent(), &[update(GROUP, ROLE)]).unwrap();
    assert_eq!(undo, vec![update("", "")]);
    assert_eq!(CloudTrailCloudWatchLogsEnabled.predict(fixed, &undo[0]).trail, trail());
    let mut elsewhere = silent();
    elsewhere.trail.arn.push('2');
    assert_eq!(CloudTrailCloudWatchLogsEnabled.predict(elsewhere.clone(), &update(GROUP, ROLE)), elsewhere);
}

#[test]
fn a_fix_is_in_progress_until_the_first_delivery_succeeds_or_fails() {
    let done = [update(GROUP, ROLE)];
    assert!(CloudTrailCloudWatchLogsEnabled.is_in_progress(&delivering(None, None), &done));
    assert!(!CloudTrailCloudWatchLogsEnabled.is_in_progress(&delivering(None, None), &[]));
    assert!(!CloudTrailCloudWatchLogsEnabled.is_in_progress(&delivering(None, Some("AccessDenied")), &done));
    assert!(!CloudTrailCloudWatchLogsEnabled.is_in_progress(&delivering(Some("2026-03-03T05:00:00Z"), None), &done));
    let unset = DeliveringTrail { delivery: Some(Delivery::default()), ..silent() };
    assert!(!CloudTrailCloudWatchLogsEnabled.is_in_progress(&unset, &done));
}

fn deliveries() -> impl Strategy<Value = Delivery> {
    let hours = prop::option::of(0i64..48);
    let error = prop::option::of(Just("AccessDenied".to_owned()));
    (hours, error).prop_map(|(hours, latest_error)| Delivery {
        latest_at: hours.map(|it| Timestamp::from_second(now().as_second() - it * 3600).unwrap()),
        latest_error,
    })
}

/// A live read: a log group with its deliveries, or no log group and a candidate.
fn subjects() -> impl Strategy<Value = DeliveringTrail> {
    (trails(), any::<bool>(), deliveries(), any::<bool>()).prop_map(|(mut trail, delivers, delivery, exists)| {
        trail.settings.cloud_watch_logs_log_group_arn = delivers.then(|| GROUP.to_owned());
        trail.settings.cloud_watch_logs_role_arn = delivers.then(|| ROLE.to_owned());
        let mut found = destination();
        found.log_group_exists = exists;
        DeliveringTrail {
            trail,
            delivery: Some(if delivers { delivery } else { Delivery::default() }),
            destination: (!delivers).then_some(found),
        }
    })
}

#[test]
fn laws() {
    let params = (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(window, errors, give)| TrailLogsParameters {
        expected_delivery_window_age: window.then(|| Bounded::of(24)),
        check_delivery_error: Flag(errors),
        log_group_arn: give.then(group),
        log_role_arn: give.then(role),
    });
    let touched =
        ["/trail/settings/cloudWatchLogsLogGroupArn", "/trail/settings/cloudWatchLogsRoleArn", "/destination"];
    Laws::of(&CloudTrailCloudWatchLogsEnabled, &touched, Remediation::predict)
        .never(|before, after| {
            before.trail.settings.cloud_watch_logs_log_group_arn.is_some() && after.trail != before.trail
        })
        .at(now())
        .meeting(&[
            ("fixed", |plan| plan.blocker(true).is_none()),
            ("held", |plan| matches!(plan, Plan::Blocked { .. })),
        ])
        .hold((subjects(), params));
}
