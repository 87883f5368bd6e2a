//! Which trails qualify, in a table.

use rectify_compliance::{AccountId, Region};
use serde_json::{Value, json};

use super::*;
use crate::resources::trail::{Description, ObservedFrom, Settings};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const MANAGEMENT: &str = "444455556666";

/// A multi-region trail that is logging and whose deliveries succeed, as seen from us-east-1.
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
    let here = ObservedFrom { account: AccountId::new(ACCOUNT), region: Region::new("us-east-1") };
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

/// A trail of another account, which denies reading it.
pub(crate) fn denied(it: ObservedTrail) -> ObservedTrail {
    ObservedTrail { status: None, selectors: None, ..it }
}

/// One selector for management events of this type without these sources, and for the data events of one bucket.
pub(crate) fn classic(read_write_type: &str, management: bool, excluded: &[&str]) -> Value {
    json!({"EventSelectors": [{"ReadWriteType": read_write_type, "IncludeManagementEvents": management,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::ledger/"]}],
        "ExcludeManagementEventSources": excluded}]})
}

/// An advanced selector for management events with these additional fields, and one for data events.
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
fn trails_qualify_or_report_the_first_failed_check() {
    use FailedCheck::*;
    let fails = Qualification::Fails;
    let kms = "kms.amazonaws.com";
    let reads = [json!({"Field": "readOnly", "Equals": ["true"]})];
    let named = [json!({"Field": "eventName", "Equals": ["RunInstances"]})];
    let own = |selectors: &Value| observed("main", ACCOUNT, "eu-west-1", selectors);
    let foreign = || observed("main", MANAGEMENT, "eu-west-1", &classic("All", true, &[]));
    let all = || own(&classic("All", true, &[]));
    let unknown = |mut it: ObservedTrail| {
        it.trail.settings.is_multi_region_trail = None;
        it
    };
    for (case, trail, expected) in [
        ("everything", all(), Qualification::Qualifies),
        ("advanced", own(&advanced(&[])), Qualification::Qualifies),
        ("T1", single_region(all()), fails(SingleRegion)),
        ("T1, not known", unknown(all()), fails(SingleRegion)),
        ("T1, foreign", single_region(denied(foreign())), fails(SingleRegion)),
        ("T2", stopped(all()), fails(NotLogging)),
        ("T2 before T4", stopped(failing(all())), fails(NotLogging)),
        ("T3, nothing", own(&classic("All", false, &[])), fails(NoManagementEvents)),
        ("T3, reads", own(&advanced(&reads)), fails(OnlyReads)),
        ("T3, writes", own(&classic("WriteOnly", true, &[])), fails(OnlyWrites)),
        ("T3, KMS", own(&classic("All", true, &[kms])), fails(Excludes(set(&[kms])))),
        ("T3, named", own(&advanced(&named)), fails(Narrowed(set(&["eventName"])))),
        ("T4", failing(all()), fails(DeliveryError("NoSuchBucket".into()))),
        ("foreign, readable", foreign(), Qualification::Qualifies),
        ("foreign, stopped", stopped(foreign()), fails(NotLogging)),
        ("foreign, denied", denied(foreign()), Qualification::Unverified),
        ("foreign, selectors denied", ObservedTrail { selectors: None, ..foreign() }, Qualification::Unverified),
        ("unread", ObservedTrail { status: None, ..all() }, fails(Unread)),
    ] {
        assert_eq!(trail.qualification(Requirement::EVERYTHING), expected, "{case}");
        assert_eq!(trail.counts(Requirement::EVERYTHING, false), expected == Qualification::Qualifies, "{case}");
        let trusted = matches!(expected, Qualification::Qualifies | Qualification::Unverified);
        assert_eq!(trail.counts(Requirement::EVERYTHING, true), trusted, "{case}");
    }
}

#[test]
fn only_the_required_events_are_checked() {
    use FailedCheck::*;
    let kms = "kms.amazonaws.com";
    for (selectors, required, expected) in [
        (classic("All", false, &[]), Events::NotRequired, None),
        (classic("All", false, &[]), Events::ReadsOrWrites, Some(NoManagementEvents)),
        (classic("ReadOnly", true, &[]), Events::ReadsOrWrites, None),
        (classic("WriteOnly", true, &[]), Events::ReadsOrWrites, None),
        (classic("WriteOnly", true, &[kms]), Events::ReadsOrWrites, Some(Excludes(set(&[kms])))),
        (classic("ReadOnly", true, &[]), Events::Reads, None),
        (classic("ReadOnly", true, &[]), Events::Writes, Some(OnlyReads)),
        (classic("WriteOnly", true, &[]), Events::Reads, Some(OnlyWrites)),
        (classic("All", true, &[]), Events::Writes, None),
        (classic("All", true, &[kms]), Events::Writes, Some(Excludes(set(&[kms])))),
    ] {
        let events = serde_json::from_value::<Selectors>(selectors.clone()).unwrap().management_events();
        assert_eq!(events.failed_check(required), expected, "{selectors:?} {required:?}");
    }
    let requirement = Requirement { events: Events::NotRequired, logging: false };
    let nothing = stopped(observed("main", ACCOUNT, "eu-west-1", &classic("All", false, &[])));
    assert_eq!(nothing.qualification(requirement), Qualification::Qualifies);
}

#[test]
fn failed_checks_sort_by_closeness_to_qualifying() {
    let mut all = [
        FailedCheck::DeliveryError("AccessDenied".into()),
        FailedCheck::NotLogging,
        FailedCheck::Excludes(set(&["kms.amazonaws.com"])),
        FailedCheck::SingleRegion,
        FailedCheck::OnlyReads,
    ];
    all.sort();
    let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "single region",
            "not logging",
            "read events only",
            "excludes kms.amazonaws.com",
            "delivery fails with AccessDenied"
        ]
    );
}
