#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

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

/// Names a group and a role to give.
fn giving(more: Value) -> String {
    let mut params = more;
    params["logGroupArn"] = json!(GROUP);
    params["logRoleArn"] = json!(ROLE);
    params.to_string()
}

/// A trail that delivers, the latest of it at this time.
fn delivering(latest_at: Option<&str>, latest_error: Option<&str>) -> DeliveringTrail {
    let mut trail = trail();
    trail.settings.cloud_watch_logs_log_group_arn = Some(GROUP.into());
    trail.settings.cloud_watch_logs_role_arn = Some(ROLE.into());
    let latest_at = latest_at.map(|it| it.parse().unwrap());
    let delivery = Some(Delivery { latest_at, latest_error: latest_error.map(str::to_owned) });
    DeliveringTrail { trail, delivery, destination: None }
}

/// A trail that delivers nowhere, with where it would.
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
fn a_trail_needs_a_group_and_deliveries_as_the_parameters_say() {
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
    case("to the second", Some("2026-03-03T06:00:00Z"), None).with(DAY).compliant();
    case("a second more", Some("2026-03-03T05:59:59Z"), None).with(DAY).non_compliant(late);
    case("a moment from now", Some("2026-03-04T06:00:05Z"), None).with(DAY).compliant();
    case("cloud-trail-cloud-watch-logs-enabled/3", None, None)
        .with(DAY)
        .non_compliant("Trail main: no CloudWatch Logs delivery yet (max 24 h)");
    case("cloud-trail-cloud-watch-logs-enabled/4", Some("2025-03-03T05:59:59Z"), None).compliant();
    case("an error that does not matter", None, Some("AccessDenied")).compliant();
    case("an error", Some("2026-03-04T05:59:59Z"), Some("AccessDenied"))
        .with(ERRORS)
        .non_compliant("Trail main: last CloudWatch Logs delivery failed: AccessDenied");
    case("no error", None, None).with(ERRORS).compliant();
    unread("not read, does not matter").compliant();
    unread("not read").with(ERRORS).non_compliant("Trail main: its deliveries to CloudWatch Logs were not read");
}

#[test]
fn an_item_is_judged_where_its_trail_is_owned_unless_it_hides_one_that_is_owned_here() {
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
    case("of another account", FOREIGN, json!(null), None).not_applicable(OF_ANOTHER_ACCOUNT);
    let hidden = DeliveryFacts { live: Some(trail()), delivery: None };
    case("a replica that hides one", REPLICA, json!(GROUP), Some(hidden)).non_compliant(NO_GROUP);
}

#[test]
fn group_and_role_are_given_both_or_neither() {
    let case = "cloud-trail-cloud-watch-logs-enabled/6";
    let read = |text: &str| RuleParameters::<TrailLogsParameters>::parse(Some(text));
    let error = |text: &str| read(text).unwrap_err().to_string();
    let group_alone = error(&json!({"logGroupArn": GROUP}).to_string());
    assert_eq!(group_alone, format!("ruleParameters: logGroupArn `{GROUP}` needs logRoleArn"), "{case}");
    let role_alone = error(&json!({"logRoleArn": ROLE}).to_string());
    assert_eq!(role_alone, format!("ruleParameters: logRoleArn `{ROLE}` needs logGroupArn"), "{case}");
    let both = read(&giving(json!({}))).unwrap().control;
    assert_eq!((both.log_group_arn, both.log_role_arn), (Some(group()), Some(role())));
    for text in [r#"{"expectedDeliveryWindowAge": "0"}"#, r#"{"expectedDeliveryWindowAge": "8761"}"#] {
        assert!(error(text).contains("expected a whole number in 1..=8760"), "{text}");
    }
}

#[test]
fn a_trail_without_a_group_is_given_one_that_may_serve_and_a_group_is_never_replaced() {
    let cases = Cases::of(&CloudTrailCloudWatchLogsEnabled, silent());
    let choose = format!(
        "L2 by hand: choose a log group and a role as which CloudTrail may write to it, and set both for trail {TRAIL}, or \
         name them in logGroupArn and logRoleArn"
    );
    let look = format!("L0 by hand: find out why trail {TRAIL} does not deliver to {GROUP} as {ROLE}, and mend it");
    let given = |name: &'static str, change: fn(&mut DeliveringTrail)| {
        cases.case(name, change).with(&giving(json!({}))).non_compliant(NO_GROUP)
    };
    given("a group to give", |_| ()).planned(&[FIX]);
    cases.case("no group to give", |_| ()).non_compliant(NO_GROUP).planned(&[&choose]);
    cases
        .case("a late delivery", |it| *it = delivering(Some("2026-03-01T05:00:00Z"), None))
        .with(&giving(json!({"expectedDeliveryWindowAge": 24})))
        .at(now())
        .non_compliant("Trail main: last CloudWatch Logs delivery 73 h ago (max 24)")
        .planned(&[&look]);
    given("an organization trail", |it| it.trail.settings.is_organization_trail = Some(true))
        .planned(&[&format!("held: {ORGANIZATION}"), FIX]);
    given("a role alone", |it| it.trail.settings.cloud_watch_logs_role_arn = Some("role".into()))
        .planned(&["held: trail main has role role without a log group", FIX]);
    given("not read", |it| it.destination = None)
        .planned(&[&format!("held: log group {GROUP} and role {ROLE} were not read"), FIX]);
    given("no such role", |it| it.destination.as_mut().unwrap().role_rights = None)
        .planned(&[&format!("held: account 111122223333 has no role {ROLE}"), FIX]);
}

#[test]
fn group_and_role_are_the_footprint_and_empty_ones_take_them_away() {
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
fn a_first_delivery_is_waited_for_and_a_failed_one_is_not() {
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

/// A live read: a group with its deliveries, or no group and the one that would be given.
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
