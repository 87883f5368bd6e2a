//! Items that did not fit into their event.

use super::*;

const CAPTURE_SECONDS: f64 = CAPTURED_ON_WIRE;

/// The answer of `GetResourceConfigHistory` with a widget captured at this moment.
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

fn ask(later: Option<f64>) -> (String, Value) {
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
async fn oversized_item_is_asked_for_as_of_its_capture_time_and_judged_like_any_other() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([history(CAPTURE_SECONDS, &disabled_text()), Answer::stored()]);
    handled(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap();
    assert_eq!(replay.requests(), [ask(Some(CAPTURE_SECONDS)), put(&[disabled("d-1", CAPTURED_ON_WIRE)])]);
}

/// `runtime/27`: every field of the answer is optional, and what it leaves out the event states.
#[tokio::test]
async fn what_the_history_leaves_out_is_taken_from_the_event() {
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
        handled(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap();
        let expected = [ask(Some(CAPTURE_SECONDS)), put(&[disabled("d-1", CAPTURED_ON_WIRE)])];
        assert_eq!(replay.requests(), expected, "{fields:?}");
    }
}

/// `runtime/2`: empty, older, unknown, then without a bound; the newer item counts with its own time.
#[tokio::test]
async fn lagging_history_is_asked_again_and_at_last_without_a_bound() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let newer = CAPTURE_SECONDS + 60.25;
    let replay = Replay::of([
        empty(),
        history(CAPTURE_SECONDS - 0.001, &json!(json!({"disabled": []}).to_string())),
        Answer::refused("ResourceNotDiscoveredException"),
        history(newer, &disabled_text()),
        Answer::stored(),
    ]);
    handled(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap();
    let bounded = ask(Some(CAPTURE_SECONDS));
    let expected = [bounded.clone(), bounded.clone(), bounded, ask(None), put(&[disabled("d-1", newer)])];
    assert_eq!(replay.requests(), expected);
}

/// `runtime/2`: nothing as new as the summary came, so nothing is evaluated: neither from nothing nor from an older item.
#[tokio::test]
async fn item_that_never_comes_fails_the_invocation_by_name() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let older = || history(CAPTURE_SECONDS - 1.0, &json!(json!({"disabled": []}).to_string()));
    for answers in [[empty(), empty(), empty(), empty()], [older(), older(), older(), older()]] {
        let replay = Replay::of(answers);
        let fault = handled(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap_err();
        assert_eq!(fault.kind(), "HistoryNotReady");
        let bounded = ask(Some(CAPTURE_SECONDS));
        assert_eq!(replay.requests(), [bounded.clone(), bounded.clone(), bounded, ask(None)]);
    }
}

#[tokio::test]
async fn fetched_item_without_configuration_is_a_fault_and_one_that_is_gone_is_not_applicable() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([history(CAPTURE_SECONDS, &Value::Null)]);
    let fault = handled(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap_err();
    assert_eq!((fault.kind(), replay.requests().len()), ("UnexpectedShape", 1));

    let mut gone = json!({"configurationItems": [{
        "accountId": ACCOUNT, "configurationItemCaptureTime": CAPTURE_SECONDS + 5.0, "resourceType": WIDGET,
        "configurationItemStatus": "ResourceDeleted", "resourceId": "d-1", "awsRegion": REGION
    }]});
    gone["configurationItems"][0]["configuration"] = json!("null");
    let replay = Replay::of([Answer::ok(&gone), Answer::stored()]);
    handled(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap();
    let expected = evaluation(WIDGET, "d-1", "NOT_APPLICABLE", Some("resource deleted"), CAPTURE_SECONDS + 5.0);
    assert_eq!(replay.requests(), [ask(Some(CAPTURE_SECONDS)), put(&[expected])]);
}

/// `runtime/3`
#[tokio::test]
async fn oversized_event_about_a_deleted_resource_asks_no_history() {
    let widgets = FakeService::with([]);
    let replay = Replay::of([Answer::stored()]);
    handled(&plain(&oversized("d-1", "ResourceDeleted")), &replay, &widgets).await.unwrap();
    let expected = evaluation(WIDGET, "d-1", "NOT_APPLICABLE", Some("resource deleted"), CAPTURED_ON_WIRE);
    assert_eq!(replay.requests(), [put(&[expected])]);
}

#[tokio::test]
async fn history_that_may_not_be_read_is_a_fault_and_no_evaluation() {
    for (code, kind) in [
        ("AccessDeniedException", "AccessDenied"),
        ("NoAvailableConfigurationRecorderException", "CallRejected"),
        ("ValidationException", "CallRejected"),
    ] {
        let widgets = FakeService::with([]);
        let replay = Replay::of([Answer::refused(code)]);
        let fault = handled(&plain(&oversized("d-1", "OK")), &replay, &widgets).await.unwrap_err();
        assert_eq!((fault.kind(), replay.requests()), (kind, vec![ask(Some(CAPTURE_SECONDS))]), "{code}");
    }
}
