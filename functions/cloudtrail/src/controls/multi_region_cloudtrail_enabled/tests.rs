//! Verdicts and plans in tables, and the properties.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rectify_compliance::parameters::RuleParameters;
use rectify_compliance::{AccountId, Region};
use rectify_testing::{Cases, Laws};
use serde_json::json;

use super::*;
use crate::resources::qualifying::tests::{
    ACCOUNT, MANAGEMENT, advanced, classic, denied, failing, observed, single_region, stopped,
};
use crate::resources::trail::tests::ORGANIZATION;

type Params = MultiRegionCloudtrailEnabledParameters;

const MAIN: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";
const REQUIRE_ALL: &str = r#"{"readWriteType": "ALL"}"#;

fn params(text: &Value) -> Params {
    RuleParameters::parse(Some(&text.to_string())).unwrap().control
}

/// The trail `main`.
fn main_trail(selectors: &Value) -> ObservedTrail {
    observed("main", ACCOUNT, "eu-west-1", selectors)
}

/// A trail of this account in us-east-1 that records everything.
fn whole(name: &str) -> ObservedTrail {
    observed(name, ACCOUNT, "us-east-1", &classic("All", true, &[]))
}

/// An organization trail.
fn organization(selectors: &Value) -> ObservedTrail {
    observed("org", MANAGEMENT, "eu-west-1", selectors)
}

fn account(trails: Vec<ObservedTrail>) -> AccountTrails {
    AccountTrails::new(AccountId::new(ACCOUNT), Region::new("us-east-1"), trails)
}

#[test]
fn one_qualifying_trail_is_enough_and_otherwise_the_closest_is_named_first() {
    let cases = Cases::of(&MultiRegionCloudtrailEnabled, account(vec![]));
    let case = |name: &'static str, trails: Vec<ObservedTrail>| cases.case(name, |it| *it = account(trails));
    let all = classic("All", true, &[]);
    let without = |source: &str| classic("All", true, &[source]);
    let reads = advanced(&[json!({"Field": "readOnly", "Equals": ["true"]})]);
    let qualifies = |text: &str| Verdict::Compliant(Some(text.into()));
    let main = qualifies("Trail main (eu-west-1, account 111122223333) qualifies");
    let reads_only = qualifies("Trail main (eu-west-1, account 111122223333) qualifies, read events only");
    let trusted =
        qualifies("Organization trail org (eu-west-1, account 444455556666) cannot be read from here and is trusted");
    case("multi-region-cloudtrail-enabled/1", vec![stopped(main_trail(&all))])
        .non_compliant("No qualifying trail; main: not logging");
    case("multi-region-cloudtrail-enabled/2", vec![denied(organization(&all))]).is(&trusted);
    case("multi-region-cloudtrail-enabled/2, not trusted", vec![denied(organization(&all))])
        .with(r#"{"trustOrganizationTrail": "false"}"#)
        .non_compliant("No qualifying trail; org: organization trail not verifiable");
    case("multi-region-cloudtrail-enabled/3", vec![main_trail(&advanced(&[]))]).with(REQUIRE_ALL).is(&main);
    case("multi-region-cloudtrail-enabled/3, reads only", vec![main_trail(&reads)])
        .with(REQUIRE_ALL)
        .non_compliant("No qualifying trail; main: read events only");
    case("reads only, reads or writes required", vec![main_trail(&reads)]).is(&reads_only);
    case("multi-region-cloudtrail-enabled/4", vec![main_trail(&without("kms.amazonaws.com"))])
        .non_compliant("No qualifying trail; main: excludes kms.amazonaws.com");
    case("multi-region-cloudtrail-enabled/4, RDS", vec![main_trail(&without("rdsdata.amazonaws.com"))])
        .with(REQUIRE_ALL)
        .non_compliant("No qualifying trail; main: excludes rdsdata.amazonaws.com");
    case("multi-region-cloudtrail-enabled/5", vec![single_region(whole("one")), single_region(whole("two"))])
        .non_compliant("No qualifying trail; one: single region; two: single region");
    case("multi-region-cloudtrail-enabled/7", vec![failing(main_trail(&all))])
        .non_compliant("No qualifying trail; main: delivery fails with NoSuchBucket");
    case("no trail", vec![]).non_compliant("No qualifying trail; no trail is visible in us-east-1");
    let several = vec![
        stopped(main_trail(&all)),
        single_region(whole("a")),
        organization(&without("kms.amazonaws.com")),
        single_region(whole("z")),
    ];
    case("the closest first", several).non_compliant(
        "No qualifying trail; org: excludes kms.amazonaws.com; main: not logging; a: single region +1 more",
    );
    case("one of several qualifies", vec![single_region(whole("a")), main_trail(&all)]).with(REQUIRE_ALL).is(&main);
    case("stopped, allowed", vec![stopped(main_trail(&all))]).with(r#"{"requireLogging": false}"#).is(&main);
    case("nothing recorded, allowed", vec![main_trail(&json!({"EventSelectors": []}))])
        .with(r#"{"includeManagementEvents": "FALSE", "readWriteType": "All"}"#)
        .is(&main);
    case("another bucket", vec![main_trail(&all)])
        .with(r#"{"s3BucketName": "other"}"#)
        .non_compliant("No qualifying trail; main: another S3 bucket");
    case("no topic", vec![denied(organization(&all))])
        .with(r#"{"snsTopicArn": "arn:aws:sns:us-east-1:111122223333:audit"}"#)
        .non_compliant("No qualifying trail; org: another SNS topic");
    case("the log group without the suffix CloudTrail adds", vec![main_trail(&all)])
        .with(r#"{"cloudWatchLogsLogGroupArn": "arn:aws:logs:us-east-1:111122223333:log-group:audit"}"#)
        .is(&main);
}

#[test]
fn read_write_type_is_case_insensitive_and_other_values_are_refused() {
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

#[test]
fn a_stopped_trail_is_only_started() {
    let case = "multi-region-cloudtrail-enabled/1";
    let before = account(vec![stopped(main_trail(&classic("All", true, &[])))]);
    Cases::of(&MultiRegionCloudtrailEnabled, before.clone())
        .case(case, |_| ())
        .non_compliant("No qualifying trail; main: not logging")
        .planned(&[&format!(r#"L1 StartLogging {{"Name":"{MAIN}"}}"#)]);
    let start = Action::StartLogging { name: MAIN.into() };
    let stop = Undo::StopLogging { name: MAIN.into() };
    assert_eq!(MultiRegionCloudtrailEnabled.undo(&before, &[start]), Ok(vec![stop]), "{case}");
}

#[test]
fn existing_selectors_survive_the_added_one() {
    let case = "multi-region-cloudtrail-enabled/8";
    for before in [
        classic("WriteOnly", true, &["kms.amazonaws.com"]),
        advanced(&[json!({"Field": "eventName", "Equals": ["a"]})]),
    ] {
        let live = account(vec![single_region(main_trail(&before))]);
        let require_all = params(&json!({"readWriteType": "ALL"}));
        let plan = MultiRegionCloudtrailEnabled.plan(&live, &require_all, Timestamp::UNIX_EPOCH);
        let Plan::Apply { steps } = plan else { panic!("{case}") };
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
        let undo = MultiRegionCloudtrailEnabled.undo(&live, &done).unwrap();
        let back: Vec<Value> = undo.iter().map(|it| serde_json::to_value(it).unwrap()).collect();
        assert_eq!(back[0]["PutEventSelectors"][kind], before[kind], "{case}");
        let single = json!({"Name": MAIN, "IsMultiRegionTrail": false, "IncludeGlobalServiceEvents": false});
        assert_eq!(back[1], json!({ "UpdateTrail": single }), "{case}");
    }
}

#[test]
fn insufficient_calls_are_blocked_or_left_to_an_operator() {
    let cases = Cases::of(&MultiRegionCloudtrailEnabled, account(vec![]));
    let case = |name: &'static str, trails: Vec<ObservedTrail>| cases.case(name, |it| *it = account(trails));
    let all = classic("All", true, &[]);
    let mut managed = stopped(main_trail(&all));
    managed.trail.settings.is_organization_trail = Some(true);
    let mut five = classic("WriteOnly", true, &[]);
    let one = five["EventSelectors"][0].clone();
    five["EventSelectors"] = json!([one, one, one, one, one]);
    case("several", vec![single_region(whole("one")), single_region(whole("two"))])
        .non_compliant("No qualifying trail; one: single region; two: single region")
        .planned(&[
            "blocked: 2 trails of the account could be made to qualify",
            "L2 manual: make one of these trails record all management events in all regions: \
             arn:aws:cloudtrail:us-east-1:111122223333:trail/one, arn:aws:cloudtrail:us-east-1:111122223333:trail/two",
        ]);
    case("an organization trail", vec![managed])
        .non_compliant("No qualifying trail; main: not logging")
        .planned(&[&format!("blocked: {ORGANIZATION}"), &format!(r#"L1 StartLogging {{"Name":"{MAIN}"}}"#)]);
    case("delivery fails", vec![failing(main_trail(&all))])
        .non_compliant("No qualifying trail; main: delivery fails with NoSuchBucket")
        .planned(&[
            "blocked: trail main would still not qualify after these calls: delivery fails with NoSuchBucket",
            &format!("L2 manual: find and fix why trail {MAIN} does not qualify: delivery fails with NoSuchBucket"),
        ]);
    case("the maximum number of selectors", vec![main_trail(&five)])
        .with(REQUIRE_ALL)
        .non_compliant("No qualifying trail; main: write events only")
        .planned(&["blocked: trail main: it already has the maximum number of event selectors"]);
    case("no selectors to restore", vec![main_trail(&json!({"EventSelectors": []}))])
        .with(REQUIRE_ALL)
        .non_compliant("No qualifying trail; main: no management events")
        .planned(&["blocked: trail main: it has no event selectors that an undo could restore"]);
    let create = "L3 manual: owner of account 111122223333: create a multi-region trail of all management events with a \
                  bucket, a key and log file validation of your choice, or have the organization's management account \
                  create one";
    let other_bucket = r#"{"s3BucketName": "other"}"#;
    for (trails, gap) in [
        (vec![], "no trail is visible in us-east-1"),
        (vec![stopped(organization(&all))], "org: not logging"),
        (vec![main_trail(&all)], "main: another S3 bucket"),
    ] {
        case("no trail that can be changed", trails)
            .with(other_bucket)
            .non_compliant(&format!("No qualifying trail; {gap}"))
            .planned(&[create]);
    }
}

fn accounts() -> impl Strategy<Value = AccountTrails> {
    let owner = prop::sample::select(vec![ACCOUNT, ACCOUNT, ACCOUNT, MANAGEMENT]);
    let read_write_type = prop::sample::select(vec!["All", "ReadOnly", "WriteOnly"]);
    let excluded = prop::sample::select(vec![vec![], vec![], vec!["kms.amazonaws.com"]]);
    let region = prop::sample::select(vec!["us-east-1", "eu-west-1"]);
    let trail = ("[a-z]{3,6}", owner, region, any::<bool>(), any::<bool>(), read_write_type, excluded).prop_map(
        |(name, owner, region, multi_region, logging, read_write_type, excluded)| {
            let all = observed(&name, owner, region, &classic(read_write_type, true, &excluded));
            let regions = if multi_region { all } else { single_region(all) };
            if logging { regions } else { stopped(regions) }
        },
    );
    prop::collection::vec(trail, 0..3).prop_map(|trails| {
        let by_arn: BTreeMap<String, ObservedTrail> = trails.into_iter().map(|it| (it.trail.arn.clone(), it)).collect();
        account(by_arn.into_values().collect())
    })
}

/// An account after one undo call.
fn reverted(control: &MultiRegionCloudtrailEnabled, mut live: AccountTrails, undo: &Undo) -> AccountTrails {
    let same = match undo.clone() {
        Undo::StopLogging { name } => {
            let trails = live.trails.iter_mut().filter(|it| it.trail.arn == name);
            trails.filter_map(|it| it.status.as_mut()).for_each(|it| it.is_logging = false);
            return live;
        }
        Undo::UpdateTrail { name, is_multi_region_trail, include_global_service_events } => {
            Action::UpdateTrail { name, is_multi_region_trail, include_global_service_events }
        }
        Undo::PutEventSelectors { trail_name, selectors } => Action::PutEventSelectors { trail_name, selectors },
    };
    control.predict(live, &same)
}

/// Whether a trail records less, or differs in anything else.
fn weakened(before: &ObservedTrail, after: &ObservedTrail) -> bool {
    let events = |it: &ObservedTrail| it.selectors.as_ref().unwrap().management_events();
    let is_logging = |it: &ObservedTrail| it.status.as_ref().unwrap().is_logging;
    let lost =
        |required| events(before).failed_check(required).is_none() && events(after).failed_check(required).is_some();
    let mut same_regions = after.trail.clone();
    same_regions.settings.is_multi_region_trail = before.trail.settings.is_multi_region_trail;
    same_regions.settings.include_global_service_events = before.trail.settings.include_global_service_events;
    [Events::ReadsOrWrites, Events::Reads, Events::Writes, Events::All].into_iter().any(lost)
        || (is_logging(before) && !is_logging(after))
        || same_regions != before.trail
}

#[test]
fn laws() {
    let read_write_type = prop::sample::select(vec![None, Some(ReadWriteType::All), Some(ReadWriteType::ReadOnly)]);
    let params = (read_write_type, any::<bool>()).prop_map(|(read_write_type, logging)| Params {
        read_write_type,
        require_logging: Flag(logging),
        ..Params::default()
    });
    Laws::of(&MultiRegionCloudtrailEnabled, &["/trails"], reverted)
        .never(|before, after| before.trails.iter().zip(&after.trails).any(|(before, after)| weakened(before, after)))
        .restores_full_state()
        .blocked_by_lack()
        .hold((accounts(), params));
}
