//! Failed invocations: their error kinds, and the requests they do not make.

use rectify_runtime::CallErrorKind;
use rectify_tests::controls::WIDGET_DISABLED;

use super::*;

fn failed(evaluations: &[Value]) -> Answer {
    Answer::ok(&json!({"FailedEvaluations": evaluations}))
}

/// `runtime/4`: only refused evaluations are sent again.
#[tokio::test]
async fn refused_evaluations_are_sent_again_without_the_others() {
    let ids = ["d-1", "d-2", "d-3"];
    let widgets = FakeService::with(ids.map(|id| Widget::disabled(id, &["top"])));
    let [first, second, third] = ids.map(|id| disabled(id, SCHEDULED_ON_WIRE));
    let replay = Replay::of([
        Answer::ok(&json!({"EvaluationResults": []})),
        failed(&[first.clone(), third.clone()]),
        failed(std::slice::from_ref(&third)),
        Answer::stored(),
    ]);
    run(&plain(&scheduled()), &replay, &widgets).await.unwrap();
    let expected = [put(&[first.clone(), second, third.clone()]), put(&[first, third.clone()]), put(&[third])];
    assert_eq!(replay.requests()[1..], expected);
}

/// `runtime/4`
#[tokio::test]
async fn repeatedly_refused_evaluations_fail_the_invocation() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let refused = disabled("d-1", CAPTURED_ON_WIRE);
    let replay = Replay::of((0..8).map(|_| failed(std::slice::from_ref(&refused))));
    let error = run(&plain(&change(&item("d-1", &["top"]))), &replay, &widgets).await.unwrap_err();
    assert_eq!(error, Error::EvaluationRefused { count: 1, first: format!("{WIDGET} d-1") });
    assert_eq!((error.kind(), replay.requests().len()), ("EvaluationRefused", 4));
}

#[tokio::test]
async fn throttled_call_is_repeated_in_full() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([Answer::refused("ThrottlingException"), Answer::stored()]);
    run(&plain(&change(&item("d-1", &["top"]))), &replay, &widgets).await.unwrap();
    let expected = put(&[disabled("d-1", CAPTURED_ON_WIRE)]);
    assert_eq!(replay.requests(), [expected.clone(), expected]);
}

#[tokio::test]
async fn errors_of_put_evaluations_decide_the_result() {
    for (code, kind) in [
        ("NoSuchConfigRuleException", None),
        ("InvalidResultTokenException", Some("CallRejected")),
        ("InvalidParameterValueException", Some("CallRejected")),
        ("AccessDeniedException", Some("AccessDenied")),
    ] {
        let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
        let replay = Replay::of([Answer::refused(code), Answer::stored()]);
        let result = run(&plain(&change(&item("d-1", &["top"]))), &replay, &widgets).await;
        assert_eq!(result.err().map(|error| error.kind()), kind, "{code}");
        assert_eq!(replay.requests(), [put(&[disabled("d-1", CAPTURED_ON_WIRE)])], "{code}");
    }
}

/// `runtime/7`: rejected values; accepted ones are tested with the parameters.
#[tokio::test]
async fn invalid_parameter_fails_without_a_request() {
    for (parameters, text) in [
        (json!({"tolerated": "11"}), "ruleParameters.tolerated: "),
        (json!({"tolerated": "some"}), "ruleParameters.tolerated: "),
        (json!({"plan": "whatever"}), "ruleParameters.plan: "),
        (json!({"tolarated": "1"}), "ruleParameters.tolarated: unknown parameter: did you mean `tolerated`"),
    ] {
        for invoking in [change(&item("d-1", &["top"])), scheduled(), oversized("d-1", "OK")] {
            let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
            let replay = Replay::of([Answer::stored()]);
            let error = run(&rule_event(&invoking, &parameters, TOKEN), &replay, &widgets).await.unwrap_err();
            assert_eq!(error.kind(), "InvalidParameter");
            assert!(error.to_string().starts_with(text), "{error}");
            assert_eq!((replay.requests(), widgets.calls()), (vec![], vec![]));
        }
    }
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([Answer::stored()]);
    let mut event = plain(&change(&item("d-1", &["top"])));
    event["ruleParameters"] = json!("{tolerated");
    assert_eq!(run(&event, &replay, &widgets).await.unwrap_err().kind(), "InvalidParameter");
    assert_eq!(replay.requests(), []);
}

/// A parameter that AWS Config sends as a string is applied.
#[tokio::test]
async fn parameter_as_string_changes_the_verdict() {
    for tolerated in [json!("1"), json!(1)] {
        let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
        let replay = Replay::of([Answer::stored()]);
        let event = rule_event(&change(&item("d-1", &["top"])), &json!({"tolerated": tolerated}), TOKEN);
        run(&event, &replay, &widgets).await.unwrap();
        assert_eq!(replay.requests(), [put(&[evaluation(WIDGET, "d-1", "COMPLIANT", None, CAPTURED_ON_WIRE)])]);
    }
}

#[tokio::test]
async fn malformed_events_fail_without_a_request() {
    let with = |edit: fn(&mut Value)| {
        let mut invoking = change(&item("d-1", &["top"]));
        edit(&mut invoking);
        plain(&invoking)
    };
    let mut no_json = plain(&json!({}));
    no_json["invokingEvent"] = json!("{");
    let mut nothing = plain(&json!({}));
    nothing["invokingEvent"] = Value::Null;
    let events = [
        (json!([]), "MalformedEvent"),
        (no_json, "MalformedEvent"),
        (nothing, "MalformedEvent"),
        (plain(&json!({"messageType": "ComplianceChangeNotification"})), "MalformedEvent"),
        (plain(&json!({"messageType": null})), "MalformedEvent"),
        (with(|it| drop(it.as_object_mut().unwrap().remove("configurationItem"))), "MalformedEvent"),
        (with(|it| it["configurationItem"]["configurationItemCaptureTime"] = json!("yesterday")), "MalformedEvent"),
        (with(|it| it["configurationItem"]["resourceId"] = Value::Null), "MalformedEvent"),
        (with(|it| it["configurationItem"]["configurationItemStatus"] = json!("Weird")), "MalformedEvent"),
        (with(|it| it["configurationItem"]["configuration"] = Value::Null), "UnexpectedShape"),
        (with(|it| it["configurationItem"]["configuration"] = json!({})), "UnexpectedShape"),
        (with(|it| it["configurationItem"]["configuration"] = json!({"disabled": "top"})), "UnexpectedShape"),
        (plain(&json!({"messageType": "ScheduledNotification", "awsAccountId": ACCOUNT})), "MalformedEvent"),
    ];
    for (event, kind) in events {
        let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
        let replay = Replay::of([Answer::stored()]);
        let error = run(&event, &replay, &widgets).await.unwrap_err();
        assert_eq!((error.kind(), replay.requests().len()), (kind, 0), "{event}: {error}");
    }
}

/// `runtime/8`
#[tokio::test]
async fn unreadable_facts_are_an_error_without_an_evaluation() {
    for (code, kind, named) in [
        ("AccessDenied", CallErrorKind::AccessDenied, "AccessDenied"),
        ("SlowDown", CallErrorKind::Throttled, "Throttled"),
        ("Timeout", CallErrorKind::Unavailable, "ServiceUnavailable"),
        ("Weird", CallErrorKind::Rejected, "CallRejected"),
    ] {
        let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
        widgets.inject_fault(On::Read, 1, InjectedFault::Refused(code, kind));
        let replay = Replay::of([Answer::stored()]);
        let error = run(&plain(&change(&item("d-1", &["top"]))), &replay, &widgets).await.unwrap_err();
        assert_eq!((error.kind(), replay.requests().len()), (named, 0));
    }
}

#[tokio::test]
async fn item_of_another_account_is_an_error_before_any_read() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([Answer::stored()]);
    let mut foreign = item("d-1", &["top"]);
    foreign["awsAccountId"] = json!("444455556666");
    let error = run(&plain(&change(&foreign)), &replay, &widgets).await.unwrap_err();
    let expected = Error::ForeignAccount { home: ACCOUNT.to_owned(), account: "444455556666".to_owned() };
    assert_eq!(error, expected);
    assert_eq!((replay.requests(), widgets.calls()), (vec![], vec![]));

    let mut elsewhere = scheduled();
    elsewhere["awsAccountId"] = json!("444455556666");
    let error = run(&plain(&elsewhere), &replay, &widgets).await.unwrap_err();
    assert_eq!(error, expected);
    assert_eq!((replay.requests(), widgets.calls()), (vec![], vec![]));
}

#[tokio::test]
async fn event_with_an_unsupported_trigger_is_an_error() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let replay = Replay::of([Answer::stored()]);
    let event = plain(&scheduled());
    let error =
        run_in(&on_change::<_, FakeService>(&WIDGET_DISABLED), REGION, &event, &replay, &widgets).await.unwrap_err();
    assert_eq!(error, Error::UnsupportedTrigger { half: "periodic" });
    let event = plain(&change(&item("d-1", &["top"])));
    let error =
        run_in(&on_schedule::<_, FakeService>(&WIDGET_DISABLED), REGION, &event, &replay, &widgets).await.unwrap_err();
    assert_eq!(error, Error::UnsupportedTrigger { half: "change" });
    assert_eq!((replay.requests(), widgets.calls()), (vec![], vec![]));
}
