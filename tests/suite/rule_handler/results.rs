//! What a periodic run sends again: only what differs from what AWS Config holds, each
//! finding once a day, and every other result once a week.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use rectify_runtime::clients::https;
use rectify_tests::events::invocation_with;

use super::periodic::{many, results_request};
use super::*;

const DAY: f64 = 86_400.0;

/// AWS Config's result about a widget.
fn result(id: &str, compliance: &str, annotation: &str, recorded: f64) -> Value {
    json!({"EvaluationResultIdentifier": {"EvaluationResultQualifier": {
        "ConfigRuleName": "rectify-widget-disabled", "ResourceType": WIDGET, "ResourceId": id
    }}, "ComplianceType": compliance, "Annotation": annotation, "ResultRecordedTime": recorded})
}

/// The same about a compliant widget.
fn without_annotation(id: &str, recorded: f64) -> Value {
    let mut result = result(id, "COMPLIANT", "", recorded);
    result.as_object_mut().unwrap().remove("Annotation");
    result
}

fn finding(id: &str) -> String {
    format!("{id}: flags top are disabled; expected none")
}

#[tokio::test]
async fn only_what_differs_from_the_results_is_reported_and_what_is_old() {
    let ago = |days: f64| SCHEDULED_ON_WIRE - days * DAY;
    let held = [
        result("d-000", "NON_COMPLIANT", &finding("d-000"), ago(0.1)),
        result("d-001", "NON_COMPLIANT", &finding("d-001"), ago(0.49)),
        result("d-002", "NON_COMPLIANT", &finding("d-002"), ago(0.5)),
        result("d-003", "NON_COMPLIANT", "another text", ago(0.1)),
        result("d-004", "COMPLIANT", &finding("d-004"), ago(0.1)),
        // Of an unknown age.
        json!({"EvaluationResultIdentifier": {"EvaluationResultQualifier": {
            "ConfigRuleName": "rectify-widget-disabled", "ResourceType": WIDGET, "ResourceId": "d-005"
        }}, "ComplianceType": "NON_COMPLIANT", "Annotation": finding("d-005")}),
        without_annotation("closed-1", ago(5.9)),
        without_annotation("closed-2", ago(6.0)),
        result("closed-3", "NON_COMPLIANT", &finding("closed-3"), ago(0.1)),
        result("closed-4", "COMPLIANT", "another text", ago(0.1)),
    ];
    let mut all = many(7);
    all.extend(["closed-1", "closed-2", "closed-3", "closed-4", "closed-5"].map(|id| Widget::disabled(id, &[])));
    let widgets = FakeService::with(all);
    let replay = Replay::of([Answer::ok(&json!({ "EvaluationResults": held })), Answer::stored()]);
    run(&plain(&scheduled()), &replay, &widgets).await.unwrap();
    let compliant = |id| evaluation(WIDGET, id, "COMPLIANT", None, SCHEDULED_ON_WIRE);
    let mut expected = ["closed-2", "closed-3", "closed-4", "closed-5"].map(compliant).to_vec();
    expected.extend(["d-002", "d-003", "d-004", "d-005", "d-006"].map(|id| disabled(id, SCHEDULED_ON_WIRE)));
    assert_eq!(replay.requests(), [results_request(None), put(&expected)]);
}

/// AWS Config learns that the rule ran, although there is nothing to store.
#[tokio::test]
async fn unchanged_results_are_acknowledged_with_an_empty_list() {
    let held: Vec<Value> = many(120)
        .iter()
        .map(|it| result(&it.id, "NON_COMPLIANT", &finding(&it.id), SCHEDULED_ON_WIRE - 0.1 * DAY))
        .collect();
    let widgets = FakeService::with(many(120));
    let replay = Replay::of([Answer::ok(&json!({ "EvaluationResults": held })), Answer::stored()]);
    run(&plain(&scheduled()), &replay, &widgets).await.unwrap();
    assert_eq!(replay.requests(), [results_request(None), put(&[])]);
}

/// The days on which a widget's verdict is sent in three weeks of daily runs; each result is recorded half a minute after
/// its run, and is never older than `oldest` days when one ends.
async fn days(widget: &Widget, held: impl Fn(f64) -> Value, oldest: f64) -> Vec<u32> {
    let (mut recorded, mut sent): (Option<f64>, Vec<u32>) = (None, Vec::new());
    for day in 0..21_u32 {
        let now = SCHEDULED_ON_WIRE + f64::from(day) * DAY;
        let at = rectify_compliance::Timestamp::from_millisecond((now * 1000.0) as i64).unwrap();
        let mut invoking = scheduled();
        invoking["notificationCreationTime"] = json!(at.to_string());
        let results: Vec<Value> = recorded.iter().map(|at| held(*at)).collect();
        let replay = Replay::of([Answer::ok(&json!({ "EvaluationResults": results })), Answer::stored()]);
        run(&plain(&invoking), &replay, &FakeService::with([widget.clone()])).await.unwrap();
        let (_, body) = replay.requests().pop().unwrap();
        if body["Evaluations"].as_array().unwrap().len() == 1 {
            sent.push(day);
            recorded = Some(now + 30.0);
        }
        assert!(now - recorded.unwrap() <= oldest * DAY, "day {day}");
    }
    sent
}

#[tokio::test]
async fn a_finding_is_sent_each_day_and_no_result_gets_older_than_seven() {
    let closed = days(&Widget::disabled("d-000", &[]), |at| without_annotation("d-000", at), 7.0).await;
    assert_eq!(closed, [0, 7, 14]);
    let open = |at| result("d-000", "NON_COMPLIANT", &finding("d-000"), at);
    let open = days(&Widget::disabled("d-000", &["top"]), open, 1.0).await;
    assert_eq!(open, (0..21).collect::<Vec<_>>());
}

/// A later part compares, too.
#[tokio::test]
async fn each_part_of_a_round_reports_only_what_differs() {
    let held: Vec<Value> = many(150)
        .iter()
        .map(|it| result(&it.id, "NON_COMPLIANT", &finding(&it.id), SCHEDULED_ON_WIRE - 0.1 * DAY))
        .collect();
    let mut changed = many(150);
    changed[120] = Widget::disabled("d-120", &[]);
    let widgets = FakeService::with(changed);
    let rule = on_change_and_schedule::<_, FakeService>(&WIDGET_DISABLED);
    let mut event = plain(&scheduled());
    let mut sent = Vec::new();
    for _ in 0..5 {
        let results = Answer::ok(&json!({ "EvaluationResults": held }));
        let replay = Replay::of([results, Answer::stored(), Answer::accepted()]);
        run_as(&rule, &invocation_with(Duration::from_secs(30)), REGION, &event, &replay, &widgets).await.unwrap();
        let mut requests = replay.requests();
        let Some(("Invoke", next)) = requests.last().map(|(operation, body)| (operation.as_str(), body.clone())) else {
            break;
        };
        event = next;
        sent.extend(requests.drain(..).filter(|(operation, _)| operation == "PutEvaluations").map(|(_, body)| body));
    }
    let lists: Vec<Value> = sent.iter().map(|body| body["Evaluations"].clone()).collect();
    let compliant = evaluation(WIDGET, "d-120", "COMPLIANT", None, SCHEDULED_ON_WIRE);
    assert_eq!(lists, [json!([]), json!([]), json!([compliant]), json!([])]);
}

/// Throttled calls are sent again; if the results stay unread, every verdict is sent and the run fails.
#[tokio::test]
async fn unread_results_withhold_nothing() {
    let held = || {
        Answer::ok(
            &json!({"EvaluationResults": [result("d-000", "NON_COMPLIANT", &finding("d-000"), SCHEDULED_ON_WIRE - 0.1 * DAY)]}),
        )
    };
    let throttled = || Answer::refused("ThrottlingException");
    let all = ["d-000", "d-001"].map(|id| disabled(id, SCHEDULED_ON_WIRE));
    let widgets = FakeService::with(many(2));
    let replay = Replay::of([throttled(), held(), Answer::stored()]);
    run(&plain(&scheduled()), &replay, &widgets).await.unwrap();
    assert_eq!(replay.requests(), [results_request(None), results_request(None), put(&all[1..])]);

    for refused in ["AccessDeniedException", "InvalidNextTokenException"] {
        let replay = Replay::of([Answer::refused(refused), Answer::stored(), Answer::refused(refused)]);
        let error = run(&plain(&scheduled()), &replay, &widgets).await.unwrap_err();
        assert!(error.to_string().contains(refused), "{error}");
        assert_eq!(replay.requests(), [results_request(None), put(&all), results_request(None)]);
    }
}

/// AWS Config with results that never end, and what it is sent.
async fn endless(State(sent): State<Arc<Mutex<Vec<Value>>>>, headers: HeaderMap, body: String) -> String {
    let request: Value = serde_json::from_str(&body).unwrap();
    // The rest of the round is passed on to Lambda.
    let Some(target) = headers.get("x-amz-target") else { return String::new() };
    let answer = if target.to_str().unwrap().ends_with("PutEvaluations") {
        sent.lock().unwrap().push(request["Evaluations"].clone());
        json!({ "FailedEvaluations": [] })
    } else {
        let next = request["NextToken"].as_str().map_or(0, |it| it.parse::<u64>().unwrap()) + 1;
        json!({"EvaluationResults": [], "NextToken": next.to_string()})
    };
    answer.to_string()
}

/// An account with so many results that reading them leaves no time to evaluate.
#[tokio::test]
async fn results_that_take_half_of_the_time_are_left_unread() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(endless).with_state(Arc::clone(&sent));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let widgets = FakeService::with(many(2));
    let sdk = Replay::of([]).sdk(REGION).to_builder().http_client(https()).endpoint_url(endpoint).build();
    let settings = FunctionSettings { region: Region::new(REGION), home_region: None };
    let rule = on_change_and_schedule::<_, FakeService>(&WIDGET_DISABLED);
    let context = RuleContext::over(rule, &widgets.reached_through(&sdk), settings);
    let mut line = Invocation::start("widget-disabled", "request");
    let own = invocation_with(Duration::from_secs(2));
    handle(&context, &plain(&scheduled()), &own, &mut line).await.unwrap();
    let all = ["d-000", "d-001"].map(|id| disabled(id, SCHEDULED_ON_WIRE));
    assert_eq!(*sent.lock().unwrap(), [json!(all)]);
    server.abort();
}
