#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{AccountId, ConfigurationItem, Region, Resource};

use super::*;
use crate::trail_delivery::Destination;
use crate::trail_delivery::tests::{GROUP, ROLE, destination, group, role};
use crate::trail_key::tests::{TRAIL, trail};

pub(super) fn now() -> Timestamp {
    "2026-03-04T06:00:00Z".parse().unwrap()
}

pub(super) fn parameters(text: &str) -> TrailLogsParameters {
    RuleParameters::parse(Some(text)).unwrap().control
}

/// With a group and a role to give.
pub(super) fn giving() -> TrailLogsParameters {
    TrailLogsParameters { log_group_arn: Some(group()), log_role_arn: Some(role()), ..TrailLogsParameters::default() }
}

pub(super) fn judge(subject: &DeliveringTrail, params: &TrailLogsParameters) -> Verdict {
    CloudTrailCloudWatchLogsEnabled.evaluate(subject, params, now())
}

pub(super) fn plan(subject: &DeliveringTrail, params: &TrailLogsParameters) -> Plan<Action> {
    CloudTrailCloudWatchLogsEnabled.plan(subject, params, now())
}

/// A trail that delivers, the latest of it at this time.
fn delivering(latest_at: Option<&str>, latest_error: Option<&str>) -> DeliveringTrail {
    let mut trail = trail(None);
    trail.settings.cloud_watch_logs_log_group_arn = Some(GROUP.into());
    trail.settings.cloud_watch_logs_role_arn = Some(ROLE.into());
    let latest_at = latest_at.map(|it| it.parse().unwrap());
    let delivery = Some(Delivery { latest_at, latest_error: latest_error.map(str::to_owned) });
    DeliveringTrail { trail, delivery, destination: None }
}

/// A trail that delivers nowhere, with where it would.
fn silent() -> DeliveringTrail {
    DeliveringTrail { trail: trail(None), delivery: None, destination: Some(destination()) }
}

fn update(group: &str, role: &str) -> Action {
    Action::UpdateTrail {
        name: TRAIL.into(),
        cloud_watch_logs_log_group_arn: group.into(),
        cloud_watch_logs_role_arn: role.into(),
    }
}

fn recorded(arn: &str, home_region: &str, group: &Value) -> RecordedTrail {
    let item = ConfigurationItem::from_notification(&json!({
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": TYPE, "resourceId": "main",
        "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": {"trailARN": arn, "homeRegion": home_region, "logFileValidationEnabled": true,
            "cloudWatchLogsLogGroupArn": group}
    }));
    RecordedTrail::from_item(&item.unwrap()).unwrap()
}

#[test]
fn a_trail_needs_a_group_and_deliveries_as_the_parameters_say() {
    let default = TrailLogsParameters::default();
    let day = parameters(r#"{"expectedDeliveryWindowAge": "24"}"#);
    let errors = parameters(r#"{"checkDeliveryError": "true"}"#);
    let found = |text: &str| Verdict::non_compliant(format!("Trail main: {text}"));
    let unread = DeliveringTrail { delivery: None, ..delivering(None, None) };
    for (case, subject, params, expected) in [
        ("cloud-trail-cloud-watch-logs-enabled/1", silent(), &default, found("no delivery to CloudWatch Logs")),
        (
            "cloud-trail-cloud-watch-logs-enabled/2",
            delivering(Some("2026-03-03T07:00:00Z"), None),
            &day,
            Verdict::COMPLIANT,
        ),
        (
            "cloud-trail-cloud-watch-logs-enabled/2, 25 h",
            delivering(Some("2026-03-03T05:00:00Z"), None),
            &day,
            found("last CloudWatch Logs delivery 25 h ago (max 24)"),
        ),
        ("to the second", delivering(Some("2026-03-03T06:00:00Z"), None), &day, Verdict::COMPLIANT),
        (
            "a second more",
            delivering(Some("2026-03-03T05:59:59Z"), None),
            &day,
            found("last CloudWatch Logs delivery 25 h ago (max 24)"),
        ),
        ("a moment from now", delivering(Some("2026-03-04T06:00:05Z"), None), &day, Verdict::COMPLIANT),
        (
            "cloud-trail-cloud-watch-logs-enabled/3",
            delivering(None, None),
            &day,
            found("no CloudWatch Logs delivery yet (max 24 h)"),
        ),
        (
            "cloud-trail-cloud-watch-logs-enabled/4",
            delivering(Some("2025-03-03T05:59:59Z"), None),
            &default,
            Verdict::COMPLIANT,
        ),
        ("an error nobody asks for", delivering(None, Some("AccessDenied")), &default, Verdict::COMPLIANT),
        (
            "an error",
            delivering(Some("2026-03-04T05:59:59Z"), Some("AccessDenied")),
            &errors,
            found("last CloudWatch Logs delivery failed: AccessDenied"),
        ),
        ("no error", delivering(None, None), &errors, Verdict::COMPLIANT),
        ("not read, not asked for", unread.clone(), &default, Verdict::COMPLIANT),
        ("not read", unread, &errors, found("its deliveries to CloudWatch Logs were not read")),
    ] {
        assert_eq!(judge(&subject, params), expected, "{case}");
    }
}

#[test]
fn an_item_of_ours_is_judged_and_one_of_elsewhere_is_not_unless_it_hides_ours() {
    let elsewhere = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main";
    let foreign = "arn:aws:cloudtrail:eu-west-1:444455556666:trail/main";
    let day = parameters(r#"{"expectedDeliveryWindowAge": "24"}"#);
    let verdict =
        |recorded: RecordedTrail, facts| judge(&CloudTrailCloudWatchLogsEnabled.subject(recorded, facts), &day);
    for blank in [json!(null), json!("")] {
        let case = "cloud-trail-cloud-watch-logs-enabled/1";
        assert!(verdict(recorded(TRAIL, "eu-west-1", &blank), None).is_non_compliant(), "{case}: {blank}");
    }
    let facts = Some(DeliveryFacts { live: None, delivery: delivering(Some("2026-03-04T05:00:00Z"), None).delivery });
    assert_eq!(verdict(recorded(TRAIL, "eu-west-1", &json!(GROUP)), facts), Verdict::COMPLIANT);
    let case = "cloud-trail-cloud-watch-logs-enabled/5";
    let replica = Verdict::not_applicable("Trail main is replicated from us-east-1; evaluated there");
    assert_eq!(verdict(recorded(elsewhere, "us-east-1", &json!(null)), None), replica, "{case}");
    let of_other = Verdict::not_applicable("Trail main belongs to account 444455556666; evaluated there");
    assert_eq!(verdict(recorded(foreign, "eu-west-1", &json!(null)), None), of_other);
    let hidden = Some(DeliveryFacts { live: Some(trail(None)), delivery: None });
    assert!(verdict(recorded(elsewhere, "us-east-1", &json!(GROUP)), hidden).is_non_compliant());
}

#[test]
fn group_and_role_are_given_both_or_neither() {
    let case = "cloud-trail-cloud-watch-logs-enabled/6";
    let error = |text: &str| RuleParameters::<TrailLogsParameters>::parse(Some(text)).unwrap_err().to_string();
    let group_alone = error(&json!({"logGroupArn": GROUP}).to_string());
    assert_eq!(group_alone, format!("ruleParameters: logGroupArn `{GROUP}` needs logRoleArn"), "{case}");
    let role_alone = error(&json!({"logRoleArn": ROLE}).to_string());
    assert_eq!(role_alone, format!("ruleParameters: logRoleArn `{ROLE}` needs logGroupArn"), "{case}");
    assert_eq!(parameters(&json!({"logGroupArn": GROUP, "logRoleArn": ROLE}).to_string()), giving());
    for text in [r#"{"expectedDeliveryWindowAge": "0"}"#, r#"{"expectedDeliveryWindowAge": "8761"}"#] {
        assert!(error(text).contains("expected a whole number in 1..=8760"), "{text}");
    }
}

#[test]
fn a_silent_trail_is_given_a_group_by_a_call_that_names_nothing_else() {
    assert_eq!(plan(&silent(), &giving()), Plan::Do { steps: vec![Step::call(Level::L2, update(GROUP, ROLE))] });
    let call = json!({"UpdateTrail": {
        "Name": TRAIL, "CloudWatchLogsLogGroupArn": GROUP, "CloudWatchLogsRoleArn": ROLE
    }});
    assert_eq!(serde_json::to_value(update(GROUP, ROLE)).unwrap(), call);
    assert_eq!(plan(&delivering(None, None), &giving()), Plan::Nothing);
    let mut replica = silent();
    replica.trail.home_region = Region::new("us-east-1");
    let mut foreign = silent();
    foreign.trail.owner = AccountId::new("444455556666");
    assert_eq!((plan(&replica, &giving()), plan(&foreign, &giving())), (Plan::Nothing, Plan::Nothing));
}

#[test]
fn a_person_chooses_where_nothing_is_given_and_looks_into_what_does_not_arrive() {
    let choose = format!(
        "choose a log group and a role as which CloudTrail may write to it, and set both for trail {TRAIL}, or name \
         them in logGroupArn and logRoleArn"
    );
    let chosen = plan(&silent(), &TrailLogsParameters::default());
    assert_eq!(chosen, Plan::Do { steps: vec![Step::person(Level::L2, choose)] });
    let stale = TrailLogsParameters { expected_delivery_window_age: Some(Bounded::of(24)), ..giving() };
    let mend = format!("find out why trail {TRAIL} does not deliver to {GROUP} as {ROLE}, and mend it");
    assert_eq!(
        plan(&delivering(Some("2026-03-01T05:00:00Z"), None), &stale),
        Plan::Do { steps: vec![Step::person(Level::L0, mend)] }
    );
}

#[test]
fn what_may_not_serve_holds_the_call() {
    let mut organization = silent();
    organization.trail.settings.is_organization_trail = Some(true);
    let mut with_a_role = silent();
    with_a_role.trail.settings.cloud_watch_logs_role_arn = Some("role".into());
    let unread = DeliveringTrail { destination: None, ..silent() };
    let roleless = Destination { role_rights: None, ..destination() };
    let roleless = DeliveringTrail { destination: Some(roleless), ..silent() };
    let not_read = format!("log group {GROUP} and role {ROLE} were not read");
    let no_role = format!("account 111122223333 has no role {ROLE}");
    for (subject, expected) in [
        (organization, "Trail main is an organization trail: its update needs "),
        (with_a_role, "trail main has role role without a log group"),
        (unread, not_read.as_str()),
        (roleless, no_role.as_str()),
    ] {
        let held = plan(&subject, &giving());
        let Plan::Hold { reason, steps } = &held else { panic!("{held:?}") };
        assert!(reason.starts_with(expected), "{reason}");
        assert_eq!(steps, &vec![Step::call(Level::L2, update(GROUP, ROLE))]);
    }
}

#[test]
fn group_and_role_are_the_footprint_and_empty_ones_take_them_away() {
    let fixed = CloudTrailCloudWatchLogsEnabled.expect(silent(), &update(GROUP, ROLE));
    assert_eq!(fixed, DeliveringTrail { delivery: None, ..delivering(None, None) });
    let both = json!({"cloudWatchLogsLogGroupArn": GROUP, "cloudWatchLogsRoleArn": ROLE});
    assert_eq!(CloudTrailCloudWatchLogsEnabled.footprint(&fixed, &[update(GROUP, ROLE)]), both);
    assert_eq!(CloudTrailCloudWatchLogsEnabled.footprint(&fixed, &[]), json!({}));
    let undo = CloudTrailCloudWatchLogsEnabled.undo(&silent(), &[update(GROUP, ROLE)]).unwrap();
    assert_eq!(undo, vec![update("", "")]);
    assert_eq!(CloudTrailCloudWatchLogsEnabled.expect(fixed, &undo[0]).trail, trail(None));
    let mut elsewhere = silent();
    elsewhere.trail.arn.push('2');
    assert_eq!(CloudTrailCloudWatchLogsEnabled.expect(elsewhere.clone(), &update(GROUP, ROLE)), elsewhere);
}

#[test]
fn a_first_delivery_is_waited_for_and_a_failed_one_is_not() {
    let done = [update(GROUP, ROLE)];
    assert!(CloudTrailCloudWatchLogsEnabled.is_settling(&delivering(None, None), &done));
    assert!(!CloudTrailCloudWatchLogsEnabled.is_settling(&delivering(None, None), &[]));
    assert!(!CloudTrailCloudWatchLogsEnabled.is_settling(&delivering(None, Some("AccessDenied")), &done));
    assert!(!CloudTrailCloudWatchLogsEnabled.is_settling(&delivering(Some("2026-03-03T05:00:00Z"), None), &done));
    let unset = DeliveringTrail { delivery: Some(Delivery::default()), ..silent() };
    assert!(!CloudTrailCloudWatchLogsEnabled.is_settling(&unset, &done));
}
