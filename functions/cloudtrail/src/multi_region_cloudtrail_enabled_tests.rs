//! The catalogue's cases and the plans, by table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{AccountId, Region};
use serde_json::json;

use super::*;
use crate::qualifying::Status;
use crate::trail::{Description, Settings, Vantage};

type Params = MultiRegionCloudtrailEnabledParameters;

const OURS: &str = "111122223333";
const MANAGEMENT: &str = "444455556666";

fn params(text: &Value) -> Params {
    RuleParameters::parse(Some(&text.to_string())).unwrap().control
}

pub(super) fn classic(half: &str, excluded: &[&str]) -> Value {
    json!({"EventSelectors": [{"ReadWriteType": half, "IncludeManagementEvents": true,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::ledger/"]}],
        "ExcludeManagementEventSources": excluded}]})
}

fn advanced(more: &[Value]) -> Value {
    let mut fields = vec![json!({"Field": "eventCategory", "Equals": ["Management"]})];
    fields.extend(more.iter().cloned());
    let data = json!([{"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]);
    json!({"AdvancedEventSelectors": [{"Name": "m", "FieldSelectors": fields}, {"Name": "d", "FieldSelectors": data}]})
}

pub(super) fn observed(
    name: &str,
    owner: &str,
    region: &str,
    multi: bool,
    logging: bool,
    selectors: &Value,
) -> ObservedTrail {
    let described = Description {
        name: Some(name.to_owned()),
        arn: Some(format!("arn:aws:cloudtrail:{region}:{owner}:trail/{name}")),
        log_file_validation_enabled: Some(true),
        settings: Settings {
            s3_bucket_name: Some("audit-logs".into()),
            is_multi_region_trail: Some(multi),
            include_global_service_events: Some(multi),
            cloud_watch_logs_log_group_arn: Some("arn:aws:logs:us-east-1:111122223333:log-group:audit:*".into()),
            ..Settings::default()
        },
        ..Description::default()
    };
    let here = Vantage { account: AccountId::new(OURS), region: Region::new("us-east-1") };
    ObservedTrail {
        trail: described.seen(here).unwrap(),
        status: Some(Status { is_logging: logging, latest_delivery_error: None }),
        selectors: Some(serde_json::from_value(selectors.clone()).unwrap()),
    }
}

fn main_trail(multi: bool, logging: bool, selectors: &Value) -> ObservedTrail {
    observed("main", OURS, "eu-west-1", multi, logging, selectors)
}

fn denied() -> ObservedTrail {
    let selectors = json!({"EventSelectors": []});
    ObservedTrail { status: None, selectors: None, ..observed("org", MANAGEMENT, "eu-west-1", true, true, &selectors) }
}

fn failing() -> ObservedTrail {
    let mut trail = main_trail(true, true, &classic("All", &[]));
    trail.status = Some(Status { is_logging: true, latest_delivery_error: Some("NoSuchBucket".into()) });
    trail
}

pub(super) fn account(trails: Vec<ObservedTrail>) -> AccountTrails {
    AccountTrails::new(AccountId::new(OURS), Region::new("us-east-1"), trails)
}

fn judge(trails: Vec<ObservedTrail>, given: &Value) -> Verdict {
    MultiRegionCloudtrailEnabled.evaluate(&account(trails), &params(given), Timestamp::UNIX_EPOCH)
}

fn plan(trails: Vec<ObservedTrail>, given: &Value) -> Plan<Action> {
    MultiRegionCloudtrailEnabled.plan(&account(trails), &params(given), Timestamp::UNIX_EPOCH)
}

#[test]
fn one_qualifying_trail_is_enough_and_without_one_the_nearest_is_told_first() {
    let kms = ["kms.amazonaws.com"];
    let rds = ["rdsdata.amazonaws.com"];
    let all = classic("All", &[]);
    let reads = json!({"Field": "readOnly", "Equals": ["true"]});
    let none = json!({});
    let want_all = json!({"readWriteType": "ALL"});
    let fails = |text: &str| Verdict::non_compliant(format!("No qualifying trail; {text}"));
    let passes = |text: &str| Verdict::Compliant(Some(text.into()));
    let main = "Trail main (eu-west-1, account 111122223333) qualifies";
    let trusted = "Organization trail org (eu-west-1, account 444455556666) cannot be read from here and is trusted";
    for (case, trails, given, expected) in [
        ("multi-region-cloudtrail-enabled/1", vec![main_trail(true, false, &all)], &none, fails("main: not logging")),
        ("multi-region-cloudtrail-enabled/2", vec![denied()], &none, passes(trusted)),
        (
            "multi-region-cloudtrail-enabled/2, not trusted",
            vec![denied()],
            &json!({"trustOrganizationTrail": "false"}),
            fails("org: organization trail not verifiable"),
        ),
        ("multi-region-cloudtrail-enabled/3", vec![main_trail(true, true, &advanced(&[]))], &want_all, passes(main)),
        (
            "multi-region-cloudtrail-enabled/3, reads only",
            vec![main_trail(true, true, &advanced(std::slice::from_ref(&reads)))],
            &want_all,
            fails("main: read events only"),
        ),
        (
            "reads only, any half wanted",
            vec![main_trail(true, true, &advanced(&[reads]))],
            &none,
            passes(&format!("{main}, read events only")),
        ),
        (
            "multi-region-cloudtrail-enabled/4",
            vec![main_trail(true, true, &classic("All", &kms))],
            &none,
            fails("main: excludes kms.amazonaws.com"),
        ),
        (
            "multi-region-cloudtrail-enabled/4, RDS",
            vec![main_trail(true, true, &classic("All", &rds))],
            &want_all,
            fails("main: excludes rdsdata.amazonaws.com"),
        ),
        (
            "multi-region-cloudtrail-enabled/5",
            vec![
                observed("one", OURS, "us-east-1", false, true, &all),
                observed("two", OURS, "us-east-1", false, true, &all),
            ],
            &none,
            fails("one: single region; two: single region"),
        ),
        ("multi-region-cloudtrail-enabled/7", vec![failing()], &none, fails("main: delivery fails with NoSuchBucket")),
        ("no trail", vec![], &none, Verdict::non_compliant("No qualifying trail; none shows in us-east-1")),
        (
            "the nearest first",
            vec![
                main_trail(true, false, &all),
                observed("a", OURS, "us-east-1", false, true, &all),
                observed("org", MANAGEMENT, "eu-west-1", true, true, &classic("All", &kms)),
                observed("z", OURS, "us-east-1", false, true, &all),
            ],
            &none,
            fails("org: excludes kms.amazonaws.com; main: not logging; a: single region +1 more"),
        ),
        (
            "one beside others",
            vec![observed("a", OURS, "us-east-1", false, true, &all), main_trail(true, true, &all)],
            &want_all,
            passes(main),
        ),
        ("stopped, allowed", vec![main_trail(true, false, &all)], &json!({"requireLogging": false}), passes(main)),
        (
            "nothing recorded, allowed",
            vec![main_trail(true, true, &json!({"EventSelectors": []}))],
            &json!({"includeManagementEvents": "FALSE", "readWriteType": "All"}),
            passes(main),
        ),
        (
            "another bucket",
            vec![main_trail(true, true, &all)],
            &json!({"s3BucketName": "other"}),
            fails("main: another S3 bucket"),
        ),
        (
            "no topic",
            vec![denied()],
            &json!({"snsTopicArn": "arn:aws:sns:us-east-1:111122223333:audit"}),
            fails("org: another SNS topic"),
        ),
        (
            "the log group without the suffix CloudTrail adds",
            vec![main_trail(true, true, &all)],
            &json!({"cloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:audit"}),
            passes(main),
        ),
    ] {
        assert_eq!(judge(trails, given), expected, "{case}");
    }
}

#[test]
fn the_wanted_half_is_read_in_any_letter_case_and_nothing_else_is() {
    let case = "multi-region-cloudtrail-enabled/6";
    for text in ["All", "ALL", "all", " ReadOnly ", "WRITEONLY"] {
        assert!(params(&json!({"readWriteType": text})).read_write_type.is_some(), "{case}: {text}");
    }
    let error = RuleParameters::<Params>::parse(Some(r#"{"readWriteType": "Both"}"#)).unwrap_err();
    let expected = "ruleParameters.readWriteType: expected ReadOnly, WriteOnly or ALL: received `Both`";
    assert_eq!(error.to_string(), expected, "{case}");
    let text = serde_json::to_string(&params(&json!({"readWriteType": "all"}))).unwrap();
    assert_eq!(RuleParameters::<Params>::parse(Some(&text)).unwrap().control.requirement().events, Events::All);
}

const MAIN: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";

#[test]
fn a_stopped_trail_is_started_and_nothing_more() {
    let case = "multi-region-cloudtrail-enabled/1";
    let start = Action::StartLogging { name: MAIN.into() };
    let stopped = || vec![main_trail(true, false, &classic("All", &[]))];
    let expected = Plan::Do { steps: vec![Step::call(Level::L1, start.clone())] };
    assert_eq!(plan(stopped(), &json!({})), expected, "{case}");
    assert_eq!(
        MultiRegionCloudtrailEnabled.undo(&account(stopped()), &[start]),
        Ok(vec![Undo::StopLogging { name: MAIN.into() }])
    );
    assert_eq!(plan(vec![main_trail(true, true, &classic("All", &[]))], &json!({})), Plan::Nothing);
}

#[test]
fn selectors_that_are_there_survive_the_one_that_is_added() {
    let case = "multi-region-cloudtrail-enabled/8";
    for before in
        [classic("WriteOnly", &["kms.amazonaws.com"]), advanced(&[json!({"Field": "eventName", "Equals": ["a"]})])]
    {
        let trails = || vec![main_trail(false, true, &before)];
        let Plan::Do { steps } = plan(trails(), &json!({"readWriteType": "ALL"})) else { panic!("{case}") };
        let levels: Vec<Level> = steps.iter().map(|it| it.level).collect();
        assert_eq!(levels, [Level::L2, Level::L2], "{case}");
        let calls: Vec<Value> = steps.iter().map(|it| serde_json::to_value(it.action().unwrap()).unwrap()).collect();
        let regions = json!({"Name": MAIN, "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true});
        assert_eq!(calls[0], json!({ "UpdateTrail": regions }), "{case}");
        let kind = before.as_object().unwrap().keys().next().unwrap();
        let put = calls[1]["PutEventSelectors"][kind].as_array().unwrap();
        let were = before[kind].as_array().unwrap();
        assert_eq!((&put[..were.len()], put.len()), (&were[..], were.len() + 1), "{case}");
        let done: Vec<Action> = steps.iter().map(|it| it.action().unwrap().clone()).collect();
        let undo = MultiRegionCloudtrailEnabled.undo(&account(trails()), &done).unwrap();
        let back: Vec<Value> = undo.iter().map(|it| serde_json::to_value(it).unwrap()).collect();
        assert_eq!(back[0]["PutEventSelectors"][kind], before[kind], "{case}");
        let single = json!({"Name": MAIN, "IsMultiRegionTrail": false, "IncludeGlobalServiceEvents": false});
        assert_eq!(back[1], json!({ "UpdateTrail": single }), "{case}");
    }
}

#[test]
fn what_calls_cannot_mend_is_held_or_left_to_a_person() {
    let all = classic("All", &[]);
    let organization = |mut it: ObservedTrail| {
        it.trail.settings.is_organization_trail = Some(true);
        it
    };
    let mut five = classic("WriteOnly", &[]);
    let one = five["EventSelectors"][0].clone();
    five["EventSelectors"] = json!([one, one, one, one, one]);
    let two = vec![
        observed("one", OURS, "us-east-1", false, true, &all),
        observed("two", OURS, "us-east-1", false, true, &all),
    ];
    let want_all = json!({"readWriteType": "ALL"});
    for (case, trails, given, reason) in [
        ("several", two, json!({}), "2 trails of the account could be made to qualify"),
        ("organization", vec![organization(main_trail(true, false, &all))], json!({}), "is an organization trail"),
        ("delivery fails", vec![failing()], json!({}), "by the calls alone: delivery fails with NoSuchBucket"),
        ("no place left", vec![main_trail(true, true, &five)], want_all.clone(), "as many event selectors as"),
        (
            "nothing to go back to",
            vec![main_trail(true, true, &json!({"EventSelectors": []}))],
            want_all,
            "no event selectors that could be restored",
        ),
    ] {
        let held = plan(trails, &given);
        assert!(held.obstacle(true).is_some_and(|it| it.contains(reason)), "{case}: {held:?}");
    }
    let foreign = observed("org", MANAGEMENT, "eu-west-1", true, false, &all);
    for trails in [vec![], vec![foreign], vec![main_trail(true, true, &all)]] {
        let plan = plan(trails, &json!({"s3BucketName": "other"}));
        assert_eq!((plan.level(), plan.calls().len()), (Some(Level::L3), 0), "{plan:?}");
    }
}
