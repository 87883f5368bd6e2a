//! Oversized items, which AWS Config leaves out of the event.

use super::*;

const CAPTURE_SECONDS: f64 = CAPTURED_ON_WIRE;

/// The answer of `GetResourceConfigHistory` with a widget captured at this time.
fn history(captured: f64, configuration: &Value) -> Answer {
    Answer::ok(&json!({"configurationItems": [{
        "version": "1.3", "accountId": ACCOUNT, "configurationItemCaptureTime": captured,
        "configurationItemStatus": "OK", "configurationStateId": "1772600767512", "resourceType": WIDGET,
        "resourceId": "d-1", "awsRegion": REGION, "configuration": configuration,
        "supplementaryConfiguration": {}, "tags": {}, "relationships": []
    }]}))
}

fn empty() -> Answer {
    Answer::ok(&json!({"configurationItems": []}))
}

fn history_request(later: Option<f64>) -> (String, Value) {
    let mut body = json!({"resourceType": WIDGET, "resourceId": "d-1", "limit": 1});
    if let Some(later) = later {
        body["laterTime"] = json!(later);
    }
    ("GetResourceConfigHistory".to_owned(), body)
}

fn disabled_text() -> Value {
    json!(json!({"disabled": ["top"]}).to_string())
}

/// `runtime/1`, `runtime/2`
#[tokio::test]
async fn oversized_item_is_fetched_by_capture_time_and_evaluated_like_any_other() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([history(CAPTURE_SECONDS, &disabled_text()), Answer::stored()]);
    run(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap();
    assert_eq!(replay.requests(), [history_request(Some(CAPTURE_SECONDS)), put(&[disabled("d-1", CAPTURED_ON_WIRE)])]);
}

/// `runtime/27`: every field of the answer is optional, and missing ones are taken from the event.
#[tokio::test]
async fn fields_missing_in_the_history_are_taken_from_the_event() {
    let whole = json!({
        "accountId": ACCOUNT, "configurationItemCaptureTime": CAPTURE_SECONDS, "configurationItemStatus": "OK",
        "resourceType": WIDGET, "resourceId": "d-1", "awsRegion": REGION, "configuration": disabled_text()
    });
    let fields = [
        "awsRegion",
        "accountId",
        "configurationItemCaptureTime",
        "configurationItemStatus",
        "resourceType",
        "resourceId",
    ];
    let left_out = fields.iter().map(|field| vec![*field]).chain([fields.to_vec()]);
    for fields in left_out {
        let mut item = whole.clone();
        for field in &fields {
            item.as_object_mut().unwrap().remove(*field);
        }
        let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
        let replay = Replay::of([Answer::ok(&json!({"configurationItems": [item]})), Answer::stored()]);
        run(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap();
        let expected = [history_request(Some(CAPTURE_SECONDS)), put(&[disabled("d-1", CAPTURED_ON_WIRE)])];
        assert_eq!(replay.requests(), expected, "{fields:?}");
    }
}

/// `runtime/2`: empty, older, unknown, then without `laterTime`; the newer item counts with its own time.
#[tokio::test]
async fn lagging_history_is_read_again_and_at_last_without_later_time() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let newer = CAPTURE_SECONDS + 60.25;
    let replay = Replay::of([
        empty(),
        history(CAPTURE_SECONDS - 0.001, &json!(json!({"disabled": []}).to_string())),
        Answer::refused("ResourceNotDiscoveredException"),
        history(newer, &disabled_text()),
        Answer::stored(),
    ]);
    run(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap();
    let bounded = history_request(Some(CAPTURE_SECONDS));
    let expected = [bounded.clone(), bounded.clone(), bounded, history_request(None), put(&[disabled("d-1", newer)])];
    assert_eq!(replay.requests(), expected);
}

/// `runtime/2`: without an item as new as the summary nothing is evaluated, not even an older item.
#[tokio::test]
async fn missing_item_fails_the_invocation() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let older = || history(CAPTURE_SECONDS - 1.0, &json!(json!({"disabled": []}).to_string()));
    for answers in [[empty(), empty(), empty(), empty()], [older(), older(), older(), older()]] {
        let replay = Replay::of(answers);
        let error = run(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap_err();
        assert_eq!(error.kind(), "HistoryNotReady");
        let bounded = history_request(Some(CAPTURE_SECONDS));
        assert_eq!(replay.requests(), [bounded.clone(), bounded.clone(), bounded, history_request(None)]);
    }
}

#[tokio::test]
async fn fetched_item_without_configuration_is_an_error_and_a_deleted_one_not_applicable() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([history(CAPTURE_SECONDS, &Value::Null)]);
    let error = run(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap_err();
    assert_eq!((error.kind(), replay.requests().len()), ("UnexpectedShape", 1));

    let mut gone = json!({"configurationItems": [{
        "accountId": ACCOUNT, "configurationItemCaptureTime": CAPTURE_SECONDS + 5.0, "resourceType": WIDGET,
        "configurationItemStatus": "ResourceDeleted", "resourceId": "d-1", "awsRegion": REGION
    }]});
    gone["configurationItems"][0]["configuration"] = json!("null");
    let replay = Replay::of([Answer::ok(&gone), Answer::stored()]);
    run(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap();
    let expected = evaluation(WIDGET, "d-1", "NOT_APPLICABLE", Some("resource deleted"), CAPTURE_SECONDS + 5.0);
    assert_eq!(replay.requests(), [history_request(Some(CAPTURE_SECONDS)), put(&[expected])]);
}

/// `runtime/3`
#[tokio::test]
async fn oversized_event_about_a_deleted_resource_reads_no_history() {
    let widgets = FakeService::with([]);
    let replay = Replay::of([Answer::stored()]);
    run(&plain(&oversized("d-1", "ResourceDeleted")), &replay, &widgets).await.unwrap();
    let expected = evaluation(WIDGET, "d-1", "NOT_APPLICABLE", Some("resource deleted"), CAPTURED_ON_WIRE);
    assert_eq!(replay.requests(), [put(&[expected])]);
}

#[tokio::test]
async fn denied_history_is_an_error_without_an_evaluation() {
    for (code, kind) in [
        ("AccessDeniedException", "AccessDenied"),
        ("NoAvailableConfigurationRecorderException", "CallRejected"),
        ("ValidationException", "CallRejected"),
    ] {
        let widgets = FakeService::with([]);
        let replay = Replay::of([Answer::refused(code)]);
        let error = run(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap_err();
        assert_eq!((error.kind(), replay.requests()), (kind, vec![history_request(Some(CAPTURE_SECONDS))]), "{code}");
    }
}
