//! Which trails qualify, by table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::{AccountId, Region};
use serde_json::json;

use super::*;
use crate::trail::{Description, Settings, Vantage};

const OURS: &str = "111122223333";
const MANAGEMENT: &str = "444455556666";

fn observed(owner: &str, status: Option<(bool, &str)>, selectors: Option<serde_json::Value>) -> ObservedTrail {
    let here = Vantage { account: AccountId::new(OURS), region: Region::new("us-east-1") };
    let described = Description {
        name: Some("main".into()),
        arn: Some(format!("arn:aws:cloudtrail:eu-west-1:{owner}:trail/main")),
        log_file_validation_enabled: Some(true),
        settings: Settings { is_multi_region_trail: Some(true), ..Settings::default() },
        ..Description::default()
    };
    ObservedTrail {
        trail: described.seen(here).unwrap(),
        status: status.map(|(is_logging, error)| Status {
            is_logging,
            latest_delivery_error: Some(error.to_owned()).filter(|it| !it.is_empty()),
        }),
        selectors: selectors.map(|it| serde_json::from_value(it).unwrap()),
    }
}

fn classic(half: &str, management: bool, excluded: &[&str]) -> Option<serde_json::Value> {
    Some(json!({"EventSelectors": [{"ReadWriteType": half, "IncludeManagementEvents": management, "DataResources": [],
        "ExcludeManagementEventSources": excluded}]}))
}

fn advanced(more: &serde_json::Value) -> Option<serde_json::Value> {
    let mut fields = vec![json!({"Field": "eventCategory", "Equals": ["Management"]})];
    fields.extend(more.as_array().unwrap().iter().cloned());
    Some(json!({"AdvancedEventSelectors": [{"Name": "m", "FieldSelectors": fields}]}))
}

fn set(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn trails_qualify_or_say_the_first_test_they_fail() {
    use Shortcoming::*;
    let fails = Standing::Fails;
    let all = || classic("All", true, &[]);
    let kms = "kms.amazonaws.com";
    let reads = json!([{"Field": "readOnly", "Equals": ["true"]}]);
    let named = json!([{"Field": "eventName", "Equals": ["RunInstances"]}]);
    let single = |mut it: ObservedTrail| {
        it.trail.settings.is_multi_region_trail = Some(false);
        it
    };
    let untold = |mut it: ObservedTrail| {
        it.trail.settings.is_multi_region_trail = None;
        it
    };
    for (case, trail, expected) in [
        ("everything", observed(OURS, Some((true, "")), all()), Standing::Qualifies),
        ("advanced", observed(OURS, Some((true, "")), advanced(&json!([]))), Standing::Qualifies),
        ("T1", single(observed(OURS, Some((true, "")), all())), fails(SingleRegion)),
        ("T1, untold", untold(observed(OURS, Some((true, "")), all())), fails(SingleRegion)),
        ("T1, foreign", single(observed(MANAGEMENT, None, None)), fails(SingleRegion)),
        ("T2", observed(OURS, Some((false, "")), all()), fails(NotLogging)),
        ("T2 before T4", observed(OURS, Some((false, "NoSuchBucket")), all()), fails(NotLogging)),
        ("T3, nothing", observed(OURS, Some((true, "")), classic("All", false, &[])), fails(NoManagementEvents)),
        ("T3, reads", observed(OURS, Some((true, "")), advanced(&reads)), fails(OnlyReads)),
        ("T3, writes", observed(OURS, Some((true, "")), classic("WriteOnly", true, &[])), fails(OnlyWrites)),
        ("T3, KMS", observed(OURS, Some((true, "")), classic("All", true, &[kms])), fails(Excludes(set(&[kms])))),
        ("T3, named", observed(OURS, Some((true, "")), advanced(&named)), fails(Narrowed(set(&["eventName"])))),
        ("T4", observed(OURS, Some((true, "NoSuchBucket")), all()), fails(DeliveryError("NoSuchBucket".into()))),
        ("foreign, readable", observed(MANAGEMENT, Some((true, "")), all()), Standing::Qualifies),
        ("foreign, stopped", observed(MANAGEMENT, Some((false, "")), all()), fails(NotLogging)),
        ("foreign, denied", observed(MANAGEMENT, None, None), Standing::Unverified),
        ("foreign, half denied", observed(MANAGEMENT, Some((true, "")), None), Standing::Unverified),
        ("ours, unread", observed(OURS, None, all()), fails(Unread)),
    ] {
        assert_eq!(trail.standing(Requirement::EVERYTHING), expected, "{case}");
        assert_eq!(trail.counts(Requirement::EVERYTHING, false), expected == Standing::Qualifies, "{case}");
        let trusted = matches!(expected, Standing::Qualifies | Standing::Unverified);
        assert_eq!(trail.counts(Requirement::EVERYTHING, true), trusted, "{case}");
    }
}

#[test]
fn only_the_wanted_events_are_asked_for() {
    use Shortcoming::*;
    let kms = "kms.amazonaws.com";
    for (selectors, wanted, expected) in [
        (classic("All", false, &[]), Events::Unasked, None),
        (classic("All", false, &[]), Events::AnyHalf, Some(NoManagementEvents)),
        (classic("ReadOnly", true, &[]), Events::AnyHalf, None),
        (classic("WriteOnly", true, &[]), Events::AnyHalf, None),
        (classic("WriteOnly", true, &[kms]), Events::AnyHalf, Some(Excludes(set(&[kms])))),
        (classic("ReadOnly", true, &[]), Events::Reads, None),
        (classic("ReadOnly", true, &[]), Events::Writes, Some(OnlyReads)),
        (classic("WriteOnly", true, &[]), Events::Reads, Some(OnlyWrites)),
        (classic("All", true, &[]), Events::Writes, None),
        (classic("All", true, &[kms]), Events::Writes, Some(Excludes(set(&[kms])))),
    ] {
        let events = serde_json::from_value::<Selectors>(selectors.clone().unwrap()).unwrap().management_events();
        assert_eq!(events.shortcoming(wanted), expected, "{selectors:?} {wanted:?}");
    }
    let requirement = Requirement { events: Events::Unasked, logging: false };
    let stopped = observed(OURS, Some((false, "")), classic("All", false, &[]));
    assert_eq!(stopped.standing(requirement), Standing::Qualifies);
}

#[test]
fn the_nearer_to_qualifying_the_greater() {
    let mut all = [
        Shortcoming::DeliveryError("AccessDenied".into()),
        Shortcoming::NotLogging,
        Shortcoming::Excludes(set(&["kms.amazonaws.com"])),
        Shortcoming::SingleRegion,
        Shortcoming::OnlyReads,
    ];
    all.sort();
    let told: Vec<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "single region",
            "not logging",
            "read events only",
            "excludes kms.amazonaws.com",
            "delivery fails with AccessDenied"
        ]
    );
}
