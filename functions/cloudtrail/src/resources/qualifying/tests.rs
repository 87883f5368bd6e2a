//! Which trails qualify, by table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use rectify_compliance::{AccountId, Region};
use serde_json::{Value, json};

use super::*;
use crate::resources::trail::{Description, ObservedFrom, Settings};

pub(crate) const OURS: &str = "111122223333";
pub(crate) const MANAGEMENT: &str = "444455556666";

/// A multi-region trail that is logging and whose deliveries do not fail, as us-east-1 shows it.
pub(crate) fn observed(name: &str, owner: &str, region: &str, selectors: &Value) -> ObservedTrail {
    let described = Description {
        name: Some(name.to_owned()),
        arn: Some(format!("arn:aws:cloudtrail:{region}:{owner}:trail/{name}")),
        log_file_validation_enabled: Some(true),
        settings: Settings {
            s3_bucket_name: Some("audit-logs".into()),
            is_multi_region_trail: Some(true),
            include_global_service_events: Some(true),
            cloud_watch_logs_log_group_arn: Some("arn:aws:logs:us-east-1:111122223333:log-group:audit:*".into()),
            ..Settings::default()
        },
        ..Description::default()
    };
    let here = ObservedFrom { account: AccountId::new(OURS), region: Region::new("us-east-1") };
    ObservedTrail {
        trail: described.seen(here).unwrap(),
        status: Some(Status { is_logging: true, latest_delivery_error: None }),
        selectors: Some(serde_json::from_value(selectors.clone()).unwrap()),
    }
}

pub(crate) fn single_region(mut it: ObservedTrail) -> ObservedTrail {
    it.trail.settings.is_multi_region_trail = Some(false);
    it.trail.settings.include_global_service_events = Some(false);
    it
}

pub(crate) fn stopped(mut it: ObservedTrail) -> ObservedTrail {
    it.status.as_mut().unwrap().is_logging = false;
    it
}

pub(crate) fn failing(mut it: ObservedTrail) -> ObservedTrail {
    it.status.as_mut().unwrap().latest_delivery_error = Some("NoSuchBucket".into());
    it
}

/// A trail that another account does not let this one read.
pub(crate) fn denied(it: ObservedTrail) -> ObservedTrail {
    ObservedTrail { status: None, selectors: None, ..it }
}

/// One selector of management events, of these halves and without these sources, and of one bucket's data events.
pub(crate) fn classic(half: &str, management: bool, excluded: &[&str]) -> Value {
    json!({"EventSelectors": [{"ReadWriteType": half, "IncludeManagementEvents": management,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::ledger/"]}],
        "ExcludeManagementEventSources": excluded}]})
}

/// An advanced selector of management events with these fields besides, and one of data events.
pub(crate) fn advanced(more: &[Value]) -> Value {
    let mut fields = vec![json!({"Field": "eventCategory", "Equals": ["Management"]})];
    fields.extend(more.iter().cloned());
    let data = json!([{"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]);
    json!({"AdvancedEventSelectors": [{"Name": "m", "FieldSelectors": fields}, {"Name": "d", "FieldSelectors": data}]})
}

fn set(all: &[&str]) -> BTreeSet<String> {
    all.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn trails_qualify_or_say_the_first_test_they_fail() {
    use Shortcoming::*;
    let fails = Standing::Fails;
    let kms = "kms.amazonaws.com";
    let reads = [json!({"Field": "readOnly", "Equals": ["true"]})];
    let named = [json!({"Field": "eventName", "Equals": ["RunInstances"]})];
    let ours = |selectors: &Value| observed("main", OURS, "eu-west-1", selectors);
    let foreign = || observed("main", MANAGEMENT, "eu-west-1", &classic("All", true, &[]));
    let all = || ours(&classic("All", true, &[]));
    let unknown = |mut it: ObservedTrail| {
        it.trail.settings.is_multi_region_trail = None;
        it
    };
    for (case, trail, expected) in [
        ("everything", all(), Standing::Qualifies),
        ("advanced", ours(&advanced(&[])), Standing::Qualifies),
        ("T1", single_region(all()), fails(SingleRegion)),
        ("T1, not known", unknown(all()), fails(SingleRegion)),
        ("T1, foreign", single_region(denied(foreign())), fails(SingleRegion)),
        ("T2", stopped(all()), fails(NotLogging)),
        ("T2 before T4", stopped(failing(all())), fails(NotLogging)),
        ("T3, nothing", ours(&classic("All", false, &[])), fails(NoManagementEvents)),
        ("T3, reads", ours(&advanced(&reads)), fails(OnlyReads)),
        ("T3, writes", ours(&classic("WriteOnly", true, &[])), fails(OnlyWrites)),
        ("T3, KMS", ours(&classic("All", true, &[kms])), fails(Excludes(set(&[kms])))),
        ("T3, named", ours(&advanced(&named)), fails(Narrowed(set(&["eventName"])))),
        ("T4", failing(all()), fails(DeliveryError("NoSuchBucket".into()))),
        ("foreign, readable", foreign(), Standing::Qualifies),
        ("foreign, stopped", stopped(foreign()), fails(NotLogging)),
        ("foreign, denied", denied(foreign()), Standing::Unverified),
        ("foreign, half denied", ObservedTrail { selectors: None, ..foreign() }, Standing::Unverified),
        ("unread", ObservedTrail { status: None, ..all() }, fails(Unread)),
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
        let events = serde_json::from_value::<Selectors>(selectors.clone()).unwrap().management_events();
        assert_eq!(events.shortcoming(wanted), expected, "{selectors:?} {wanted:?}");
    }
    let requirement = Requirement { events: Events::Unasked, logging: false };
    let nothing = stopped(observed("main", OURS, "eu-west-1", &classic("All", false, &[])));
    assert_eq!(nothing.standing(requirement), Standing::Qualifies);
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
