//! Periodic runs: pages, batches, and retired results of deleted resources.

use rectify_runtime::CallErrorKind;
use rectify_tests::controls::GLOBAL_WIDGET_DISABLED;

use super::*;

pub(super) fn many(count: usize) -> Vec<Widget> {
    (0..count).map(|number| Widget::disabled(&format!("d-{number:03}"), &["top"])).collect()
}

fn stored_results(resources: &[(&str, &str)], next: Option<&str>) -> Answer {
    let result = |(kind, id): &(&str, &str)| {
        json!({"EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {"ConfigRuleName": "rectify-widget-disabled", "ResourceType": kind, "ResourceId": id},
            "OrderingTimestamp": 1.5
        }, "ComplianceType": "NON_COMPLIANT"})
    };
    let mut body = json!({"EvaluationResults": resources.iter().map(result).collect::<Vec<_>>()});
    if let Some(next) = next {
        body["NextToken"] = json!(next);
    }
    Answer::ok(&body)
}

pub(super) fn results_request(next: Option<&str>) -> (String, Value) {
    let mut body = json!({
        "ConfigRuleName": "rectify-widget-disabled", "ComplianceTypes": ["COMPLIANT", "NON_COMPLIANT"], "Limit": 100
    });
    if let Some(next) = next {
        body["NextToken"] = json!(next);
    }
    ("GetComplianceDetailsByConfigRule".to_owned(), body)
}

fn not_applicable(kind: &str, id: &str, text: &str) -> Value {
    evaluation(kind, id, "NOT_APPLICABLE", Some(text), SCHEDULED_ON_WIRE)
}

/// The requests for these widgets, a hundred per request.
fn batches(widgets: &[Widget]) -> Vec<(String, Value)> {
    let found: Vec<Value> = widgets.iter().map(|widget| disabled(&widget.id, SCHEDULED_ON_WIRE)).collect();
    found.chunks(100).map(put).collect()
}

/// `runtime/4`
#[tokio::test]
async fn two_hundred_and_fifty_resources_are_sent_as_a_hundred_a_hundred_and_fifty() {
    let widgets = FakeService::with(many(250));
    let replay = Replay::of([stored_results(&[], None), Answer::stored(), Answer::stored(), Answer::stored()]);
    run(&plain(&scheduled()), &replay, &widgets).await.unwrap();
    let requests = replay.requests();
    let sizes: Vec<usize> =
        requests[1..].iter().map(|(_, body)| body["Evaluations"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    assert_eq!(requests, [vec![results_request(None)], batches(&many(250))].concat());
}

/// `runtime/4`: full batches are reported, nothing is retired, the invocation fails.
#[tokio::test]
async fn interrupted_listing_reports_full_batches_retires_nothing_and_fails() {
    let widgets = FakeService::with(many(250));
    widgets.inject_fault(On::Page, 4, InjectedFault::Refused("RequestLimitExceeded", CallErrorKind::Throttled));
    let replay = Replay::of([stored_results(&[(WIDGET, "d-gone")], None), Answer::stored(), Answer::stored()]);
    let error = run(&plain(&scheduled()), &replay, &widgets).await.unwrap_err();
    assert_eq!(error.kind(), "Throttled");
    assert_eq!(replay.requests(), [vec![results_request(None)], batches(&many(100))].concat());
}

/// `runtime/9`: readable widgets get verdicts, the unreadable one keeps its result, and the run fails with its name.
#[tokio::test]
async fn unreadable_widget_does_not_affect_others_and_is_not_retired() {
    let widgets = FakeService::with(many(4));
    widgets.deny_reads("d-001", "AccessDenied", CallErrorKind::AccessDenied);
    let held = || stored_results(&[(WIDGET, "d-001"), (WIDGET, "d-002"), (WIDGET, "d-gone")], None);
    let replay = Replay::of([held(), Answer::stored(), held(), Answer::stored()]);
    let error = run(&plain(&scheduled()), &replay, &widgets).await.unwrap_err();
    let evaluated = ["d-000", "d-002", "d-003"].map(|id| disabled(id, SCHEDULED_ON_WIRE));
    let retired = [not_applicable(WIDGET, "d-gone", "resource deleted")];
    let expected = [results_request(None), put(&evaluated), results_request(None), put(&retired)];
    assert_eq!(replay.requests(), expected);
    assert_eq!(error.kind(), "RunIncomplete");
    assert_eq!(
        error.to_string(),
        format!("1 of 4 resources could not be read: {WIDGET} d-001 (widgets:DescribeWidget: AccessDenied)")
    );
}

#[tokio::test]
async fn unreadable_widgets_are_not_an_empty_list() {
    let widgets = FakeService::with(many(7));
    for widget in many(7) {
        widgets.deny_reads(&widget.id, "SlowDown", CallErrorKind::Throttled);
    }
    let held = || stored_results(&[(WIDGET, "d-001"), (WIDGET, "d-gone")], None);
    let replay = Replay::of([held(), Answer::stored(), held(), Answer::stored()]);
    let error = run(&plain(&scheduled()), &replay, &widgets).await.unwrap_err();
    let retired = put(&[not_applicable(WIDGET, "d-gone", "resource deleted")]);
    assert_eq!(replay.requests(), [results_request(None), put(&[]), results_request(None), retired]);
    let text = error.to_string();
    assert!(text.starts_with("7 of 7 resources could not be read: ") && text.ends_with(" +2 more"), "{text}");
}

/// With an unreadable resource excluded, the run succeeds.
#[tokio::test]
async fn excluded_widget_is_not_read() {
    let widgets = FakeService::with(many(2));
    widgets.deny_reads("d-001", "AccessDenied", CallErrorKind::AccessDenied);
    let replay = Replay::of([stored_results(&[], None), Answer::stored()]);
    let event = rule_event(&scheduled(), &json!({"excludeResources": "d-001"}), TOKEN);
    run(&event, &replay, &widgets).await.unwrap();
    assert_eq!(replay.requests(), [results_request(None), put(&[disabled("d-000", SCHEDULED_ON_WIRE)])]);
}

/// `runtime/5`: by type and id, after all pages of resources and of results.
#[tokio::test]
async fn vanished_resources_are_retired_by_type_and_id_after_every_page_of_results() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let first = || stored_results(&[(WIDGET, "d-1"), (WIDGET, "d-gone"), ("AWS::EC2::Volume", "d-gone")], Some("more"));
    let second = || stored_results(&[("AWS::EC2::Volume", "d-1"), (WIDGET, "d-gone-too")], None);
    let replay = Replay::of([first(), second(), Answer::stored(), first(), second(), Answer::stored()]);
    run(&plain(&scheduled()), &replay, &widgets).await.unwrap();
    let retired = [
        not_applicable(WIDGET, "d-gone", "resource deleted"),
        not_applicable(WIDGET, "d-gone-too", "resource deleted"),
    ];
    let expected = [
        results_request(None),
        results_request(Some("more")),
        put(&[disabled("d-1", SCHEDULED_ON_WIRE)]),
        results_request(None),
        results_request(Some("more")),
        put(&retired),
    ];
    assert_eq!(replay.requests(), expected);
}

#[tokio::test]
async fn incomplete_results_retire_nothing_and_fail_after_everything_is_reported() {
    let widgets = FakeService::with([Widget::disabled("d-1", &["top"])]);
    let first = || stored_results(&[(WIDGET, "d-1"), (WIDGET, "d-gone")], Some("more"));
    let refused = || Answer::refused("AccessDeniedException");
    let replay = Replay::of([first(), refused(), Answer::stored(), first(), refused()]);
    let error = run(&plain(&scheduled()), &replay, &widgets).await.unwrap_err();
    let requests = replay.requests();
    assert_eq!((error.kind(), requests.len()), ("AccessDenied", 5));
    assert_eq!(requests[2], put(&[disabled("d-1", SCHEDULED_ON_WIRE)]));
}

#[tokio::test]
async fn excluded_resources_of_a_list_are_not_applicable_and_others_are_evaluated() {
    let cellar = Widget { name: Some("cellar".to_owned()), ..Widget::disabled("d-2", &["top"]) };
    for excluded in ["x, d-2", "cell*"] {
        let widgets = FakeService::with([Widget::disabled("d-1", &["top"]), cellar.clone()]);
        let replay = Replay::of([stored_results(&[(WIDGET, "d-2")], None), Answer::stored()]);
        let event = rule_event(&scheduled(), &json!({ "excludeResources": excluded }), TOKEN);
        run(&event, &replay, &widgets).await.unwrap();
        let expected = [disabled("d-1", SCHEDULED_ON_WIRE), not_applicable(WIDGET, "d-2", "excluded by parameter")];
        assert_eq!(replay.requests(), [results_request(None), put(&expected)], "{excluded}");
    }
}

#[tokio::test]
async fn resource_listed_twice_is_reported_once() {
    let widgets = FakeService::with(many(61));
    // The list shifts between pages: the last resource of the first page is the first of the second.
    widgets.inject_fault(
        On::Page,
        2,
        InjectedFault::Before(|widgets| drop(widgets.insert("a".to_owned(), Widget::disabled("a", &["top"])))),
    );
    let replay = Replay::of([stored_results(&[], None), Answer::stored()]);
    run(&plain(&scheduled()), &replay, &widgets).await.unwrap();
    assert_eq!(replay.requests()[1], batches(&many(61))[0]);
}

#[tokio::test]
async fn empty_list_is_acknowledged_and_retires_old_results() {
    let widgets = FakeService::with([]);
    let held = || stored_results(&[(WIDGET, "d-gone")], None);
    let replay = Replay::of([held(), Answer::stored(), held(), Answer::stored()]);
    run(&plain(&scheduled()), &replay, &widgets).await.unwrap();
    let expected = [
        results_request(None),
        put(&[]),
        results_request(None),
        put(&[not_applicable(WIDGET, "d-gone", "resource deleted")]),
    ];
    assert_eq!(replay.requests(), expected);
}

#[tokio::test]
async fn global_control_outside_its_home_region_reports_the_account_and_lists_nothing() {
    let widgets = FakeService::with(many(3));
    let replay = Replay::of([Answer::stored()]);
    let event = plain(&scheduled());
    run_in(&on_change_and_schedule::<_, FakeService>(&GLOBAL_WIDGET_DISABLED), "eu-west-1", &event, &replay, &widgets)
        .await
        .unwrap();
    let expected = [put(&[not_applicable("AWS::::Account", ACCOUNT, "evaluated in us-east-1")])];
    assert_eq!(replay.requests(), expected);
    assert_eq!(widgets.calls(), []);
    // With another home region by parameter it runs here.
    let replay = Replay::of([stored_results(&[], None), Answer::stored()]);
    let event = rule_event(&scheduled(), &json!({"homeRegion": "eu-west-1"}), TOKEN);
    run_in(&on_change_and_schedule::<_, FakeService>(&GLOBAL_WIDGET_DISABLED), "eu-west-1", &event, &replay, &widgets)
        .await
        .unwrap();
    assert_eq!(replay.requests(), [results_request(None), batches(&many(3)).remove(0)]);
}

#[tokio::test]
async fn snapshot_delivery_starts_a_periodic_run_with_its_own_time() {
    let widgets = FakeService::with(many(1));
    let replay = Replay::of([stored_results(&[], None), Answer::stored()]);
    let invoking = json!({
        "configSnapshotId": "0a1b2c3d", "s3ObjectKey": "k", "s3Bucket": "b", "notificationCreationTime":
        "2026-03-04T06:00:00.250Z", "messageType": "ConfigurationSnapshotDeliveryCompleted", "recordVersion": "1.1"
    });
    run(&plain(&invoking), &replay, &widgets).await.unwrap();
    assert_eq!(replay.requests(), [results_request(None), batches(&many(1)).remove(0)]);
}

/// `runtime/8`, for the list.
#[tokio::test]
async fn denied_list_is_an_error_without_an_evaluation() {
    let widgets = FakeService::with(many(1));
    widgets.inject_fault(On::Page, 1, InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied));
    let replay = Replay::of([stored_results(&[], None), Answer::stored()]);
    let error = run(&plain(&scheduled()), &replay, &widgets).await.unwrap_err();
    assert_eq!((error.kind(), replay.requests()), ("AccessDenied", vec![results_request(None)]));
}

#[tokio::test]
async fn run_of_a_deleted_rule_succeeds() {
    // Nothing more is sent: neither the second hundred nor retired results, whether the batch was full or the last.
    for count in [1, 150] {
        let widgets = FakeService::with(many(count));
        let replay = Replay::of([stored_results(&[], None), Answer::refused("NoSuchConfigRuleException")]);
        run(&plain(&scheduled()), &replay, &widgets).await.unwrap();
        assert_eq!(replay.requests(), [results_request(None), batches(&many(count)).remove(0)]);
    }
    // It was gone before.
    let widgets = FakeService::with(many(1));
    let replay = Replay::of([Answer::refused("NoSuchConfigRuleException")]);
    run(&plain(&scheduled()), &replay, &widgets).await.unwrap();
    assert_eq!(replay.requests(), [results_request(None)]);
}
