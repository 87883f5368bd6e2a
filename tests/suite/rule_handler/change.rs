//! One evaluation per item.

use super::*;
use rectify_tests::controls::GLOBAL_WIDGET_DISABLED;

/// `runtime/10`: the same event twice gives the same request twice, so the second result replaces the first by itself.
#[tokio::test]
async fn evaluation_has_token_annotation_and_capture_time_in_milliseconds() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([Answer::stored(), Answer::stored()]);
    let event = plain(&change(&item("d-1", &["top"])));
    run(&event, &replay, &widgets).await.unwrap();
    run(&event, &replay, &widgets).await.unwrap();
    let expected = put(&[disabled("d-1", CAPTURED_ON_WIRE)]);
    assert_eq!(replay.requests(), [expected.clone(), expected]);
}

#[tokio::test]
async fn compliant_evaluation_has_no_annotation() {
    let widgets = FakeService::with([Widget::disabled("d-1", &[])]);
    let replay = Replay::of([Answer::stored()]);
    run(&plain(&change(&item("d-1", &[]))), &replay, &widgets).await.unwrap();
    assert_eq!(replay.requests(), [put(&[evaluation(WIDGET, "d-1", "COMPLIANT", None, CAPTURED_ON_WIRE)])]);
}

/// `runtime/9`
#[tokio::test]
async fn test_tokens_store_nothing() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    for token in ["TESTMODE", "No token found"] {
        let replay = Replay::of([Answer::stored()]);
        run(&rule_event(&change(&item("d-1", &["top"])), &json!({}), token), &replay, &widgets).await.unwrap();
        let (operation, mut body) = put(&[disabled("d-1", CAPTURED_ON_WIRE)]);
        body["ResultToken"] = json!(token);
        body["TestMode"] = json!(true);
        assert_eq!(replay.requests(), [(operation, body)]);
    }
    for missing in [Value::Null, json!("")] {
        let replay = Replay::of([Answer::stored()]);
        let mut event = plain(&change(&item("d-1", &["top"])));
        event["resultToken"] = missing;
        let error = run(&event, &replay, &widgets).await.unwrap_err();
        assert_eq!((error.kind(), replay.requests().len()), ("MalformedEvent", 0));
    }
}

/// `runtime/6`
#[tokio::test]
async fn long_annotation_is_cut_before_it_is_sent() {
    let id = "ä".repeat(300);
    let widgets = FakeService::with([Widget::disabled(&id, &["top"])]);
    let replay = Replay::of([Answer::stored()]);
    run(&plain(&change(&item(&id, &["top"]))), &replay, &widgets).await.unwrap();
    let (_, body) = &replay.requests()[0];
    assert_eq!(body["Evaluations"][0]["Annotation"], json!(format!("{}…", "ä".repeat(255))));
}

/// `runtime/3`
#[tokio::test]
async fn vanished_resource_is_not_applicable_without_a_read() {
    let cases: [(&str, bool, Value, &str); 6] = [
        ("ResourceDeleted", false, Value::Null, "resource deleted"),
        ("ResourceDeleted", true, Value::Null, "resource left the scope of the rule"),
        ("ResourceDeletedNotRecorded", false, Value::Null, "resource deleted"),
        ("ResourceNotRecorded", false, Value::Null, "resource not recorded"),
        ("OK", true, json!({"disabled": ["top"]}), "resource left the scope of the rule"),
        ("OK", true, Value::Null, "resource left the scope of the rule"),
    ];
    for (status, left, configuration, text) in cases {
        let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
        let replay = Replay::of([Answer::stored()]);
        let mut item = item("d-1", &[]);
        item["configurationItemStatus"] = json!(status);
        item["configuration"] = configuration;
        let mut event = plain(&change(&item));
        event["eventLeftScope"] = json!(left);
        run(&event, &replay, &widgets).await.unwrap();
        let expected = evaluation(WIDGET, "d-1", "NOT_APPLICABLE", Some(text), CAPTURED_ON_WIRE);
        assert_eq!(replay.requests(), [put(&[expected])], "{status} {left}");
        assert_eq!(widgets.calls(), [], "{status} {left}");
    }
}

#[tokio::test]
async fn resource_deleted_before_its_facts_are_read_is_not_applicable() {
    let widgets = FakeService::with([]);
    let replay = Replay::of([Answer::stored()]);
    run(&plain(&change(&item("d-1", &["top"]))), &replay, &widgets).await.unwrap();
    let expected = evaluation(WIDGET, "d-1", "NOT_APPLICABLE", Some("resource deleted"), CAPTURED_ON_WIRE);
    assert_eq!(replay.requests(), [put(&[expected])]);
    assert_eq!(widgets.calls(), [Call::Facts("d-1".to_owned())]);
}

#[tokio::test]
async fn excluded_resource_is_not_applicable_by_id_or_name_or_glob() {
    for exclude in ["d-1", "main gate", "d-*, other"] {
        let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
        let replay = Replay::of([Answer::stored()]);
        let mut item = item("d-1", &["top"]);
        item["resourceName"] = json!("main gate");
        let event = rule_event(&change(&item), &json!({"excludeResources": exclude}), TOKEN);
        run(&event, &replay, &widgets).await.unwrap();
        let expected = evaluation(WIDGET, "d-1", "NOT_APPLICABLE", Some("excluded by parameter"), CAPTURED_ON_WIRE);
        assert_eq!(replay.requests(), [put(&[expected])], "{exclude}");
    }
}

#[tokio::test]
async fn resource_of_another_type_is_not_applicable() {
    let widgets = FakeService::with([]);
    let replay = Replay::of([Answer::stored()]);
    let mut item = item("d-1", &["top"]);
    item["resourceType"] = json!("AWS::EC2::Volume");
    run(&plain(&change(&item)), &replay, &widgets).await.unwrap();
    let text = "AWS::EC2::Volume is not a type of this control";
    let expected = evaluation("AWS::EC2::Volume", "d-1", "NOT_APPLICABLE", Some(text), CAPTURED_ON_WIRE);
    assert_eq!(replay.requests(), [put(&[expected])]);
}

#[tokio::test]
async fn global_control_outside_its_home_region_evaluates_the_item_without_a_read() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([Answer::stored()]);
    let event = plain(&change(&item("d-1", &["top"])));
    run_in(&on_change_and_schedule::<_, FakeService>(&GLOBAL_WIDGET_DISABLED), "eu-west-1", &event, &replay, &widgets)
        .await
        .unwrap();
    let expected = evaluation(WIDGET, "d-1", "NOT_APPLICABLE", Some("evaluated in us-east-1"), CAPTURED_ON_WIRE);
    assert_eq!(replay.requests(), [put(&[expected])]);
    assert_eq!(widgets.calls(), []);
}

/// `runtime/11`: the older item is sent with its own, older time; AWS Config keeps the newer result.
#[tokio::test]
async fn older_item_that_arrives_second_keeps_its_older_time() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([Answer::stored(), Answer::stored()]);
    let mut older = item("d-1", &[]);
    older["configurationItemCaptureTime"] = json!("2026-03-04T05:06:06.001Z");
    run(&plain(&change(&item("d-1", &["top"]))), &replay, &widgets).await.unwrap();
    run(&plain(&change(&older)), &replay, &widgets).await.unwrap();
    let second = evaluation(WIDGET, "d-1", "COMPLIANT", None, 1_772_600_766.001);
    assert_eq!(replay.requests(), [put(&[disabled("d-1", CAPTURED_ON_WIRE)]), put(&[second])]);
}
