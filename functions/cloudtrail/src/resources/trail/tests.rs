use serde_json::{Value, json};

use super::*;

const ACCOUNT: &str = "111122223333";
pub(crate) const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";
pub(crate) const REPLICA: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main";
pub(crate) const FOREIGN: &str = "arn:aws:cloudtrail:eu-west-1:444455556666:trail/main";
pub(crate) const REPLICATED: &str = "Trail main is replicated from us-east-1; evaluated there";
pub(crate) const OF_ANOTHER_ACCOUNT: &str = "Trail main belongs to account 444455556666; evaluated there";
/// Why the plan for an organization trail is blocked.
pub(crate) const ORGANIZATION: &str = "Trail main is an organization trail: its update needs \
    organizations:ListAWSServiceAccessForOrganization and iam:GetRole in the management account 111122223333, which this \
    remediation is not granted";

/// A trail in its account and home region, without a key and without a log group.
pub(crate) fn trail() -> Trail {
    Trail {
        name: "main".into(),
        arn: TRAIL.into(),
        owner: AccountId::new(ACCOUNT),
        home_region: Region::new("eu-west-1"),
        seen_from: ObservedFrom { account: AccountId::new(ACCOUNT), region: Region::new("eu-west-1") },
        log_file_validation: true,
        settings: Settings {
            s3_bucket_name: Some("audit-logs".into()),
            s3_key_prefix: Some("trails".into()),
            is_multi_region_trail: Some(true),
            is_organization_trail: Some(false),
            ..Settings::default()
        },
        tags: Tags::new(),
    }
}

/// The trail with this ARN as recorded in eu-west-1, with one changed configuration field.
pub(crate) fn recorded(arn: &str, member: &str, value: Value) -> RecordedTrail {
    let mut other = configuration();
    other["trailARN"] = json!(arn);
    other["homeRegion"] = json!(region_of(arn).unwrap().as_str());
    other[member] = value;
    RecordedTrail::from_item(&item(&other)).unwrap()
}

fn item(configuration: &Value) -> ConfigurationItem {
    ConfigurationItem::from_notification(&json!({
        "awsAccountId": ACCOUNT, "awsRegion": "eu-west-1", "resourceType": TYPE, "resourceId": "main",
        "resourceName": "main", "ARN": TRAIL,
        "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": configuration, "supplementaryConfiguration": {"Tags": []}, "tags": {}
    }))
    .unwrap()
}

fn configuration() -> Value {
    json!({
        "name": "main", "s3BucketName": "audit-logs", "s3KeyPrefix": "trails", "snsTopicARN": "topic",
        "includeGlobalServiceEvents": true, "isMultiRegionTrail": true, "homeRegion": "eu-west-1",
        "trailARN": TRAIL, "logFileValidationEnabled": true,
        "kmsKeyId": null, "hasCustomEventSelectors": false, "somethingNew": {"a": 1}
    })
}

fn seen(name: &str, arn: &str, from: &str) -> Trail {
    Description {
        name: Some(name.to_owned()),
        arn: Some(arn.to_owned()),
        log_file_validation_enabled: Some(true),
        ..Description::default()
    }
    .seen(ObservedFrom { account: AccountId::new(ACCOUNT), region: Region::new(from) })
    .unwrap()
}

fn main_in(region: &str, account: &str, from: &str) -> Trail {
    seen("main", &format!("arn:aws:cloudtrail:{region}:{account}:trail/main"), from)
}

#[test]
fn an_item_is_read_completely_and_missing_settings_are_none() {
    let recorded = RecordedTrail::from_item(&item(&configuration())).unwrap();
    let settings = Settings {
        sns_topic_arn: Some("topic".into()),
        include_global_service_events: Some(true),
        is_organization_trail: None,
        has_custom_event_selectors: Some(false),
        ..trail().settings
    };
    assert!(recorded.is_local() && recorded.has_validation());
    assert_eq!(recorded.or_live(None), Trail { settings, ..trail() });
}

#[test]
fn an_item_that_is_not_a_trail_is_refused() {
    for (key, value, path) in [
        ("logFileValidationEnabled", json!("true"), "configuration"),
        ("trailARN", json!("main"), "configuration.TrailARN"),
        ("trailARN", json!("arn:aws:s3:::main"), "configuration.TrailARN"),
        ("trailARN", json!("arn:aws:cloudtrail:eu-west-1::trail/main"), "configuration.TrailARN"),
        ("trailARN", json!("arn:aws:cloudtrail:eu-west-1:111122223333:channel/main"), "configuration.TrailARN"),
    ] {
        let mut other = configuration();
        other[key] = value.clone();
        let error = RecordedTrail::from_item(&item(&other)).unwrap_err();
        assert_eq!(error.path, path, "{value}");
    }
}

#[test]
fn missing_arn_region_and_name_are_taken_from_the_item() {
    for key in ["trailARN", "homeRegion", "name"] {
        let mut other = configuration();
        other[key] = Value::Null;
        let trail = RecordedTrail::from_item(&item(&other)).unwrap().or_live(None);
        assert_eq!(trail, RecordedTrail::from_item(&item(&configuration())).unwrap().or_live(None), "{key}");
    }
}

#[test]
fn a_trail_is_local_only_in_its_account_and_home_region() {
    for (region, account, ownership) in [
        ("eu-west-1", ACCOUNT, TrailOwnership::Local),
        ("us-east-1", ACCOUNT, TrailOwnership::Replica),
        ("eu-west-1", "444455556666", TrailOwnership::OtherAccount),
        ("us-east-1", "444455556666", TrailOwnership::OtherAccount),
    ] {
        assert_eq!(main_in(region, account, "eu-west-1").ownership(), ownership, "{region} {account}");
    }
}

#[test]
fn only_a_local_trail_requires_the_validation_flag() {
    let description = |region: &str| Description {
        name: Some("main".into()),
        arn: Some(format!("arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/main")),
        ..Description::default()
    };
    let here = ObservedFrom { account: AccountId::new(ACCOUNT), region: Region::new("eu-west-1") };
    let error = description("eu-west-1").seen(here.clone()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main.LogFileValidationEnabled: expected true or false: \
         received `nothing`"
    );
    assert!(!description("us-east-1").seen(here.clone()).unwrap().log_file_validation);
    for nameless in [None, Some(String::new())] {
        let error = Description { name: nameless, ..description("us-east-1") }.seen(here.clone()).unwrap_err();
        assert_eq!(error.path, "Name");
    }
    let error = Description { arn: None, ..description("us-east-1") }.seen(here).unwrap_err();
    assert_eq!(error.path, "TrailARN");
}

#[test]
fn an_item_decides_alone_only_if_it_is_local_and_has_the_flag() {
    let unflagged = recorded(TRAIL, "logFileValidationEnabled", Value::Null);
    let replica = recorded(TRAIL, "homeRegion", json!("us-east-1"));
    let plain = recorded(TRAIL, "logFileValidationEnabled", json!(true));
    let (local, other) = (main_in("eu-west-1", ACCOUNT, "eu-west-1"), main_in("us-east-1", ACCOUNT, "eu-west-1"));
    let unrelated = seen("side", "arn:aws:cloudtrail:eu-west-1:111122223333:trail/side", "eu-west-1");

    assert!(plain.has_validation() && !unflagged.has_validation() && unflagged.is_local() && !replica.is_local());
    for (case, recorded, described, expected) in [
        ("a local trail, found live", &unflagged, vec![other.clone(), local.clone()], Some(Some(local.clone()))),
        ("a local trail, deleted", &unflagged, vec![other.clone(), unrelated.clone()], None),
        ("a replica that hides a local trail", &replica, vec![other.clone(), local.clone()], Some(Some(local))),
        ("a replica that hides nothing", &replica, vec![other, unrelated], Some(None)),
    ] {
        assert_eq!(recorded.settle(described), expected, "{case}");
    }
}

#[test]
fn of_trails_with_one_name_the_local_one_is_reported_then_a_replica() {
    let local = main_in("eu-west-1", ACCOUNT, "eu-west-1");
    let replica = main_in("us-east-1", ACCOUNT, "eu-west-1");
    let other_replica = main_in("us-east-2", ACCOUNT, "eu-west-1");
    let foreign = main_in("eu-west-1", "444455556666", "eu-west-1");
    let side = seen("side", "arn:aws:cloudtrail:eu-west-1:111122223333:trail/side", "eu-west-1");
    for (trails, reported) in [
        (vec![&foreign, &local, &side, &replica], vec![&local, &side]),
        (vec![&side, &replica, &local, &foreign], vec![&local, &side]),
        (vec![&foreign, &other_replica, &replica], vec![&replica]),
        (vec![&replica, &other_replica], vec![&replica]),
        (vec![&foreign], vec![&foreign]),
        (vec![], vec![]),
    ] {
        let trails: Vec<Trail> = trails.into_iter().cloned().collect();
        assert_eq!(one_per_name(trails.clone()).iter().collect::<Vec<_>>(), reported, "{trails:?}");
    }
}

#[test]
fn a_target_identifies_the_trail_of_its_account_and_region_regardless_of_its_arn() {
    let target = Target {
        account: AccountId::new(ACCOUNT),
        region: Region::new("cn-north-1"),
        resource: ResourceKey::new(TYPE, "main"),
        name: None,
        arn: Some("arn:aws-cn:cloudtrail:cn-northwest-1:444455556666:trail/main".into()),
    };
    assert_eq!(Trail::arn_of(&target), "arn:aws-cn:cloudtrail:cn-north-1:111122223333:trail/main");
}

#[test]
fn an_empty_string_is_an_unset_setting() {
    let mut blank = configuration();
    for key in ["s3BucketName", "s3KeyPrefix", "snsTopicARN", "kmsKeyId"] {
        blank[key] = json!("");
    }
    blank["cloudWatchLogsLogGroupArn"] = json!("");
    blank["cloudWatchLogsRoleArn"] = json!("");
    let recorded = RecordedTrail::from_item(&item(&blank)).unwrap();
    let expected = Settings {
        include_global_service_events: Some(true),
        is_multi_region_trail: Some(true),
        has_custom_event_selectors: Some(false),
        ..Settings::default()
    };
    assert_eq!(recorded.judged(&None).settings, expected);
    let live = Some(main_in("eu-west-1", ACCOUNT, "eu-west-1"));
    assert_eq!(Some(recorded.judged(&live)), live.as_ref());
}
