//! The events that selectors record: tables and properties.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn classic(selectors: &Value) -> Selectors {
    serde_json::from_value(json!({ "EventSelectors": selectors })).unwrap()
}

fn advanced(fields: &Value) -> Selectors {
    let selectors = json!([{"Name": null, "FieldSelectors": fields}]);
    serde_json::from_value(json!({ "AdvancedEventSelectors": selectors })).unwrap()
}

fn selector(read_write_type: &str, management: bool, excluded: &[&str]) -> Value {
    json!({"ReadWriteType": read_write_type, "IncludeManagementEvents": management, "DataResources": [],
        "ExcludeManagementEventSources": excluded})
}

fn events(reads: Option<&[&str]>, writes: Option<&[&str]>, narrowed_by: &[&str]) -> ManagementEvents {
    let set = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<String>>();
    ManagementEvents { reads: reads.map(set), writes: writes.map(set), narrowed_by: set(narrowed_by) }
}

const KMS: &[&str] = &["kms.amazonaws.com"];

#[test]
fn basic_selectors_give_event_types_and_excluded_sources() {
    let rds = "rdsdata.amazonaws.com";
    for (case, selectors, expected) in [
        ("none", json!([]), events(None, None, &[])),
        ("all", json!([selector("All", true, &[])]), events(Some(&[]), Some(&[]), &[])),
        ("data only", json!([selector("All", false, &[])]), events(None, None, &[])),
        ("reads", json!([selector("ReadOnly", true, &[])]), events(Some(&[]), None, &[])),
        (
            "reads and writes apart",
            json!([selector("ReadOnly", true, &[]), selector("WriteOnly", true, &[])]),
            events(Some(&[]), Some(&[]), &[]),
        ),
        ("without a source", json!([selector("All", true, KMS)]), events(Some(KMS), Some(KMS), &[])),
        (
            "a second selector includes the source again",
            json!([selector("All", true, KMS), selector("WriteOnly", true, &[])]),
            events(Some(KMS), Some(&[]), &[]),
        ),
        (
            "two selectors that exclude different sources exclude none",
            json!([selector("All", true, KMS), selector("All", true, &[rds])]),
            events(Some(&[]), Some(&[]), &[]),
        ),
    ] {
        assert_eq!(classic(&selectors).management_events(), expected, "{case}");
    }
}

#[test]
fn advanced_selectors_count_only_without_other_field_filters() {
    let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
    let only = |field: Value| json!([management, field]);
    for (case, fields, expected) in [
        ("plain", json!([management]), events(Some(&[]), Some(&[]), &[])),
        ("data", json!([{"Field": "eventCategory", "Equals": ["Data"]}]), events(None, None, &[])),
        ("no category", json!([{"Field": "readOnly", "Equals": ["true"]}]), events(None, None, &[])),
        ("not data", json!([{"Field": "eventCategory", "NotEquals": ["Data"]}]), events(None, None, &[])),
        ("reads", only(json!({"Field": "readOnly", "Equals": ["true"]})), events(Some(&[]), None, &[])),
        ("writes", only(json!({"Field": "readOnly", "Equals": ["false"]})), events(None, Some(&[]), &[])),
        (
            "readOnly with NotEquals",
            only(json!({"Field": "readOnly", "NotEquals": ["true"]})),
            events(None, None, &["readOnly"]),
        ),
        (
            "without a source",
            only(json!({"Field": "eventSource", "NotEquals": KMS})),
            events(Some(KMS), Some(KMS), &[]),
        ),
        ("one source", only(json!({"Field": "eventSource", "Equals": KMS})), events(None, None, &["eventSource"])),
        (
            "two operators on one field",
            only(json!({"Field": "eventSource", "NotEquals": KMS, "NotStartsWith": ["s3"]})),
            events(None, None, &["eventSource"]),
        ),
        (
            "some names",
            only(json!({"Field": "eventName", "NotEquals": ["Decrypt"]})),
            events(None, None, &["eventName"]),
        ),
        (
            "an unknown field",
            only(json!({"Field": "userIdentity.arn", "NotStartsWith": ["arn"]})),
            events(None, None, &["userIdentity.arn"]),
        ),
    ] {
        assert_eq!(advanced(&fields).management_events(), expected, "{case}");
    }
    let both =
        json!([management, {"Field": "readOnly", "Equals": ["true"]}, {"Field": "readOnly", "Equals": ["false"]}]);
    assert_eq!(advanced(&both).management_events(), events(None, None, &["readOnly"]));
}

proptest! {
    /// One more selector can only add events, and selectors read back as they were written.
    #[test]
    fn a_plain_selector_added_to_any_other_records_everything(
        read_write_type in prop::sample::select(vec!["All", "ReadOnly", "WriteOnly"]),
        management in any::<bool>(),
        excluded in prop::bool::ANY,
    ) {
        let given = selector(read_write_type, management, if excluded { KMS } else { &[] });
        let selectors = classic(&json!([given, selector("All", true, &[])]));
        prop_assert_eq!(selectors.management_events(), events(Some(&[]), Some(&[]), &[]));
        let text = serde_json::to_string(&selectors).unwrap();
        prop_assert_eq!(serde_json::from_str::<Selectors>(&text).unwrap(), selectors);
        let Selectors::AdvancedEventSelectors(mut all) = advanced(&json!([])) else { unreachable!() };
        all.push(AdvancedEventSelector::all_management_events());
        let plain = Selectors::AdvancedEventSelectors(all);
        prop_assert_eq!(plain.management_events(), events(Some(&[]), Some(&[]), &[]));
    }
}

#[test]
fn selectors_in_another_order_are_equal() {
    let resource = |values: Value| json!({"Type": "AWS::S3::Object", "Values": values});
    let lambda = json!({"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]});
    let with = |resources: Value| {
        let mut given = selector("All", true, &["kms.amazonaws.com", "rdsdata.amazonaws.com"]);
        given["DataResources"] = resources;
        given
    };
    let one =
        classic(&json!([with(json!([resource(json!(["arn:a", "arn:b"])), lambda])), selector("All", false, &[])]));
    let other =
        classic(&json!([selector("All", false, &[]), with(json!([lambda, resource(json!(["arn:b", "arn:a"]))]))]));
    assert_eq!(one, other);
    assert_eq!(one.canonical(), other.canonical());
    assert_ne!(one, classic(&json!([with(json!([resource(json!(["arn:a"])), lambda])), selector("All", false, &[])])));
    let category = json!({"Field": "eventCategory", "Equals": ["Management"]});
    let source = |of: Value| json!({"Field": "eventSource", "NotEquals": of});
    assert_eq!(
        advanced(&json!([category, source(json!(["a", "b"]))])),
        advanced(&json!([source(json!(["b", "a"])), category]))
    );
    assert_ne!(
        advanced(&json!([category, source(json!(["a", "b"]))])),
        advanced(&json!([category, source(json!(["a"]))]))
    );
}
