use serde_json::json;

use super::*;

fn notification() -> Value {
    json!({
        "configurationItemVersion": "1.3", "configurationStateId": 1_700_000_000_123_u64,
        "awsAccountId": "111122223333", "awsRegion": "eu-west-1", "resourceType": "AWS::S3::Bucket",
        "resourceId": "invoices", "resourceName": "invoices", "ARN": "arn:aws:s3:::invoices",
        "configurationItemStatus": "OK", "configurationItemCaptureTime": "2026-03-04T05:06:07.890Z",
        "configuration": {"name": "invoices"}, "availabilityZone": "Regional", "resourceCreationTime": null,
        "supplementaryConfiguration": {
            "AccessControlList": "{\"grantList\":[]}", "IsRequesterPaysEnabled": false,
            "BucketPolicy": {"policyText": null}, "Odd": "plain words"
        },
        "tags": {"team": "finance", "empty": null},
        "relationships": [{"resourceType": "AWS::KMS::Key", "resourceId": "k", "name": "Is encrypted by "}],
        "somethingNew": 1
    })
}

fn api() -> ApiItem {
    ApiItem {
        account: Some("111122223333".into()),
        region: Some("eu-west-1".into()),
        resource_type: Some("AWS::S3::Bucket".into()),
        resource_id: Some("invoices".into()),
        resource_name: Some("invoices".into()),
        arn: Some("arn:aws:s3:::invoices".into()),
        status: Some("OK".into()),
        captured_at: Some("2026-03-04T05:06:07.890Z".parse().unwrap()),
        configuration: Some("{\"name\":\"invoices\"}".into()),
        supplementary: HashMap::from([
            ("AccessControlList".into(), "\"{\\\"grantList\\\":[]}\"".into()),
            ("IsRequesterPaysEnabled".into(), "false".into()),
            ("BucketPolicy".into(), "{\"policyText\":null}".into()),
            ("Odd".into(), "plain words".into()),
        ]),
        tags: HashMap::from([("team".into(), "finance".into()), ("empty".into(), String::new())]),
        relationships: vec![Relationship {
            resource_type: "AWS::KMS::Key".into(),
            resource_id: Some("k".into()),
            resource_name: None,
            name: Some("Is encrypted by ".into()),
        }],
    }
}

#[test]
fn both_shapes_of_one_resource_give_the_same_item() {
    let item = ConfigurationItem::from_notification(&notification()).unwrap();
    assert_eq!(item, ConfigurationItem::from_api(api()).unwrap());
    assert_eq!(item.supplementary.get("AccessControlList"), Some(&json!({"grantList": []})));
    assert_eq!(item.supplementary.get("Odd"), Some(&json!("plain words")));
}

#[test]
fn a_null_supplement_counts_as_absent() {
    let mut event = notification();
    event["supplementaryConfiguration"] = json!({"PublicAccessBlockConfiguration": null});
    let item = ConfigurationItem::from_notification(&event).unwrap();
    assert_eq!(item.supplement("PublicAccessBlockConfiguration"), None);
    assert_eq!(item.supplement("ServerSideEncryptionConfiguration"), None);
}

#[test]
fn every_known_spelling_of_a_status_is_accepted() {
    for (text, recorded) in [
        ("OK", true),
        ("Ok", true),
        ("ResourceDiscovered", true),
        ("Discovered", true),
        ("ResourceDeleted", false),
        ("Deleted", false),
        ("ResourceNotRecorded", false),
        ("ResourceDeletedNotRecorded", false),
    ] {
        assert_eq!(ItemStatus::parse(text).unwrap().is_recorded(), recorded, "{text}");
    }
    assert!(ItemStatus::parse("Gone").unwrap_err().to_string().contains("received `Gone`"));
}

#[test]
fn identity_status_and_capture_time_are_required() {
    for key in [
        "awsAccountId",
        "awsRegion",
        "resourceType",
        "resourceId",
        "configurationItemStatus",
        "configurationItemCaptureTime",
    ] {
        let mut event = notification();
        event.as_object_mut().unwrap().remove(key);
        let error = ConfigurationItem::from_notification(&event).unwrap_err();
        assert!(error.path.contains(key), "{key}: {error}");
    }
}

#[test]
fn a_null_configuration_stays_null_in_both_shapes() {
    let mut event = notification();
    event["configuration"] = Value::Null;
    assert_eq!(ConfigurationItem::from_notification(&event).unwrap().configuration, Value::Null);
    for text in [None, Some(String::new()), Some("null".to_owned())] {
        let item = ConfigurationItem::from_api(ApiItem { configuration: text, ..api() }).unwrap();
        assert_eq!(item.configuration, Value::Null);
    }
}

#[test]
fn fields_missing_in_the_history_come_from_the_event() {
    let summary = ItemSummary {
        target: Target {
            account: AccountId::new("111122223333"),
            region: Region::new("eu-west-1"),
            resource: ResourceKey::new("AWS::S3::Bucket", "invoices"),
            name: Some("invoices".into()),
            arn: Some("arn:aws:s3:::invoices".into()),
        },
        status: ItemStatus::Ok,
        captured_at: "2026-03-04T05:06:07.890Z".parse().unwrap(),
    };
    let whole = ConfigurationItem::from_api(api()).unwrap();
    for (missing, item) in [
        ("runtime/27", ApiItem { region: None, ..api() }),
        ("an empty region", ApiItem { region: Some(String::new()), ..api() }),
        ("account", ApiItem { account: None, ..api() }),
        ("type", ApiItem { resource_type: None, ..api() }),
        ("id", ApiItem { resource_id: None, ..api() }),
        ("name", ApiItem { resource_name: None, ..api() }),
        ("an empty name", ApiItem { resource_name: Some(String::new()), ..api() }),
        ("ARN", ApiItem { arn: None, ..api() }),
        ("status", ApiItem { status: None, ..api() }),
        ("capture time", ApiItem { captured_at: None, ..api() }),
        (
            "all of it",
            ApiItem {
                configuration: api().configuration,
                supplementary: api().supplementary,
                tags: api().tags,
                relationships: api().relationships,
                ..ApiItem::default()
            },
        ),
    ] {
        assert_eq!(ConfigurationItem::from_api(item.or_summary(&summary)).as_ref(), Ok(&whole), "{missing}");
    }
    let newer = ApiItem {
        region: Some("eu-west-2".into()),
        status: Some("ResourceDeleted".into()),
        captured_at: Some("2026-03-04T06:00:00Z".parse().unwrap()),
        ..api()
    };
    assert_eq!(newer.clone().or_summary(&summary), newer, "fields of the response are kept");
    let bare = ConfigurationItem::from_api(ApiItem { tags: HashMap::new(), relationships: vec![], ..api() }).unwrap();
    assert_eq!((bare.tags.len(), bare.relationships.len()), (0, 0));
}

#[test]
fn a_relationship_without_a_type_is_ignored_and_relationships_may_be_absent() {
    let mut event = notification();
    let whole = ConfigurationItem::from_notification(&event).unwrap();
    event["relationships"] = json!([{"resourceId": "k"}, event["relationships"][0], null]);
    assert_eq!(ConfigurationItem::from_notification(&event).as_ref(), Ok(&whole));
    for key in ["relationships", "tags", "supplementaryConfiguration", "resourceName", "ARN"] {
        for absent in [true, false] {
            let mut event = notification();
            event[key] = Value::Null;
            if absent {
                event.as_object_mut().unwrap().remove(key);
            }
            let item = ConfigurationItem::from_notification(&event).unwrap();
            assert_eq!(item.resource, whole.resource, "{key}");
        }
    }
}

#[test]
fn every_status_parses_from_its_name() {
    for status in [
        ItemStatus::Ok,
        ItemStatus::Discovered,
        ItemStatus::Deleted,
        ItemStatus::NotRecorded,
        ItemStatus::DeletedNotRecorded,
    ] {
        assert_eq!(ItemStatus::parse(status.name()), Ok(status));
    }
}
