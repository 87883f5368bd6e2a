//! Rounds that take several invocations: where the next one continues, and what is retired at the end.

use rectify_tests::controls::WIDGET_DISABLED;
use std::time::Duration;

use rectify_runtime::CallErrorKind;
use rectify_tests::events::invocation_with;

use super::*;

/// Too little time for a second page and for retiring.
const NEARLY_OVER: Duration = Duration::from_secs(30);

fn many(count: usize) -> Vec<Widget> {
    (0..count).map(|number| Widget::disabled(&format!("d-{number:03}"), &["top"])).collect()
}

/// AWS Config's results about these widgets.
fn results(ids: &[&str]) -> Answer {
    let result = |id: &&str| {
        json!({"EvaluationResultIdentifier": {"EvaluationResultQualifier": {
            "ConfigRuleName": "rectify-widget-disabled", "ResourceType": WIDGET, "ResourceId": id
        }}, "ComplianceType": "NON_COMPLIANT"})
    };
    Answer::ok(&json!({"EvaluationResults": ids.iter().map(result).collect::<Vec<_>>()}))
}

/// Runs one part of a round; returns its requests and its result.
async fn part(
    left: Duration,
    event: &Value,
    widgets: &FakeService,
    answers: Vec<Answer>,
) -> (Replay, Result<(), Error>) {
    let replay = Replay::of(answers);
    let ended = run_as(
        &on_change_and_schedule::<_, FakeService>(&WIDGET_DISABLED),
        &invocation_with(left),
        REGION,
        event,
        &replay,
        widgets,
    )
    .await;
    (replay, ended)
}

/// The event that a part sent to its own function.
fn passed_on(replay: &Replay) -> Value {
    let (operation, event) = replay.requests().pop().unwrap();
    assert_eq!(operation, "Invoke");
    event
}

fn ids(replay: &Replay) -> Vec<String> {
    let put = replay.requests().into_iter().filter(|(operation, _)| operation == "PutEvaluations");
    let all = put.flat_map(|(_, body)| body["Evaluations"].as_array().unwrap().clone());
    all.map(|it| it["ComplianceResourceId"].as_str().unwrap().to_owned()).collect()
}

/// A part reports what it read before it passes the rest on, with the token and the next page. Deleted resources are
/// retired at the end of the round by a separate listing, since no part knows the resources of the others.
#[tokio::test]
async fn round_continues_where_it_stopped_and_retires_once_at_its_end() {
    let widgets = FakeService::with(many(150));
    let first = plain(&scheduled());
    let (replay, ended) =
        part(NEARLY_OVER, &first, &widgets, vec![results(&[]), Answer::stored(), Answer::accepted()]).await;
    ended.unwrap();
    assert_eq!(ids(&replay), many(60).into_iter().map(|it| it.id).collect::<Vec<_>>());
    let second = passed_on(&replay);
    let hosts = replay.hosts();
    assert_eq!(hosts.last().unwrap(), "lambda.us-east-1.amazonaws.com");
    for key in ["invokingEvent", "ruleParameters", "resultToken", "configRuleName", "accountId"] {
        assert_eq!(second[key], first[key], "{key}");
    }
    // Between the parts an evaluated widget is deleted, and one appears on a page of the first part.
    let mut later = many(150);
    later[5] = Widget::disabled("d-005b", &["top"]);
    let widgets = FakeService::with(later);

    let held = || results(&["d-001", "d-005", "d-gone"]);
    let answers = vec![held(), Answer::stored(), held(), Answer::stored()];
    let (replay, ended) = part(Duration::from_secs(900), &second, &widgets, answers).await;
    ended.unwrap();
    let sent = ids(&replay);
    assert_eq!(sent.len(), 90 + 2);
    assert_eq!((sent[0].as_str(), &sent[90..]), ("d-060", &["d-005".to_owned(), "d-gone".to_owned()][..]));
}

/// The part that lists the last page leaves retiring to another invocation if too little time is left.
#[tokio::test]
async fn retiring_runs_in_a_separate_invocation_if_little_time_is_left() {
    let widgets = FakeService::with(many(101));
    // Enough for pages, not for retiring.
    let left = Duration::from_secs(120);
    let answers = vec![results(&[]), Answer::stored(), Answer::stored(), Answer::accepted()];
    let (replay, ended) = part(left, &plain(&scheduled()), &widgets, answers).await;
    ended.unwrap();
    assert_eq!(ids(&replay).len(), 101);
    let second = passed_on(&replay);
    let (replay, ended) = part(left, &second, &widgets, vec![results(&["d-100", "d-gone"]), Answer::stored()]).await;
    ended.unwrap();
    assert_eq!(ids(&replay), ["d-gone"]);
}

/// The last part reports what any part could not read: an earlier part that failed would be retried and pass the rest
/// on again.
#[tokio::test]
async fn unreadable_resources_of_any_part_are_reported_at_the_end_and_not_retired() {
    let widgets = FakeService::with(many(150));
    widgets.deny_reads("d-001", "AccessDenied", CallErrorKind::AccessDenied);
    widgets.deny_reads("d-149", "AccessDenied", CallErrorKind::AccessDenied);
    let (replay, ended) =
        part(NEARLY_OVER, &plain(&scheduled()), &widgets, vec![results(&[]), Answer::stored(), Answer::accepted()])
            .await;
    ended.unwrap();
    let answers = vec![results(&["d-001", "d-149"]), Answer::stored()];
    let (replay, ended) = part(Duration::from_secs(900), &passed_on(&replay), &widgets, answers).await;
    let error = ended.unwrap_err();
    assert_eq!((error.kind(), ids(&replay).len()), ("RunIncomplete", 89));
    let text = error.to_string();
    assert!(text.starts_with("2 of 150 resources could not be read: ") && text.contains("d-001"), "{text}");
}

#[tokio::test]
async fn part_that_cannot_pass_the_rest_on_fails_and_retires_nothing() {
    let widgets = FakeService::with(many(150));
    let answers = vec![results(&[]), Answer::stored(), Answer::refused("AccessDeniedException")];
    let (replay, ended) = part(NEARLY_OVER, &plain(&scheduled()), &widgets, answers).await;
    let error = ended.unwrap_err();
    assert!(error.to_string().starts_with("lambda:Invoke: AccessDeniedException"), "{error}");
    assert_eq!((error.kind(), replay.requests().len()), ("AccessDenied", 3));
}

/// Each request that Lambda accepts starts an invocation: after a lost answer the request is not sent again, after
/// throttling it is.
#[tokio::test]
async fn rest_is_passed_on_again_only_after_throttling() {
    let widgets = FakeService::with(many(150));
    let lost = Answer::failed(500, "ServiceException");
    let answers = vec![results(&[]), Answer::stored(), lost, Answer::accepted()];
    let (replay, ended) = part(NEARLY_OVER, &plain(&scheduled()), &widgets, answers).await;
    let error = ended.unwrap_err();
    assert!(error.to_string().starts_with("lambda:Invoke: ServiceException"), "{error}");
    assert_eq!(replay.requests().len(), 3);

    let throttled = Answer::failed(429, "TooManyRequestsException");
    let answers = vec![results(&[]), Answer::stored(), throttled, Answer::accepted()];
    let (replay, ended) = part(NEARLY_OVER, &plain(&scheduled()), &widgets, answers).await;
    ended.unwrap();
    let requests = replay.requests();
    assert_eq!((requests.len(), &requests[2]), (4, &requests[3]));
}

/// Lambda may deliver an event twice, and retries a failed part: each run does the same and passes on the same part
/// number, so that both rounds end alike.
#[tokio::test]
async fn part_that_is_delivered_twice_does_the_same_twice() {
    let widgets = FakeService::with(many(150));
    widgets.deny_reads("d-001", "AccessDenied", CallErrorKind::AccessDenied);
    let answers = || vec![results(&[]), Answer::stored(), Answer::accepted()];
    let (replay, ended) = part(NEARLY_OVER, &plain(&scheduled()), &widgets, answers()).await;
    ended.unwrap();
    let second = passed_on(&replay);
    let mut third = Vec::new();
    for _ in 0..2 {
        let (replay, ended) = part(NEARLY_OVER, &second, &widgets, answers()).await;
        ended.unwrap();
        assert_eq!(ids(&replay).len(), 60);
        third.push(passed_on(&replay));
    }
    assert_eq!(third[0], third[1]);
    assert_eq!(third[0]["rectifyRound"]["part"], 3);
    // The last part fails because of the unreadable widget; Lambda retries it, and it fails the same way.
    for _ in 0..2 {
        let answers = vec![results(&["d-gone"]), Answer::stored(), results(&["d-gone"]), Answer::stored()];
        let (replay, ended) = part(Duration::from_secs(900), &third[0], &widgets, answers).await;
        let text = ended.unwrap_err().to_string();
        assert!(text.starts_with("1 of 150 resources could not be read: "), "{text}");
        assert_eq!((ids(&replay).len(), ids(&replay).pop().unwrap()), (31, "d-gone".to_owned()));
    }
}

/// A rule that is deleted during a round ends it: nothing is passed on, and nothing fails.
#[tokio::test]
async fn round_of_a_deleted_rule_ends() {
    let widgets = FakeService::with(many(150));
    let gone = || Answer::refused("NoSuchConfigRuleException");
    let (replay, ended) = part(NEARLY_OVER, &plain(&scheduled()), &widgets, vec![gone()]).await;
    ended.unwrap();
    assert_eq!(replay.requests().len(), 1);
    let (replay, ended) =
        part(NEARLY_OVER, &plain(&scheduled()), &widgets, vec![results(&[]), Answer::stored(), Answer::accepted()])
            .await;
    ended.unwrap();
    let mut event = passed_on(&replay);
    event["rectifyRound"]["step"] = json!("retire");
    let (replay, ended) = part(Duration::from_secs(900), &event, &widgets, vec![gone()]).await;
    ended.unwrap();
    assert_eq!(replay.requests().len(), 1);
}

/// A part in AWS Config's test mode is followed by parts in test mode.
#[tokio::test]
async fn round_in_test_mode_stays_in_test_mode() {
    let widgets = FakeService::with(many(150));
    let mut event = plain(&scheduled());
    event["resultToken"] = json!("TESTMODE");
    let (replay, ended) =
        part(NEARLY_OVER, &event, &widgets, vec![results(&[]), Answer::stored(), Answer::accepted()]).await;
    ended.unwrap();
    let answers = vec![results(&[]), Answer::stored()];
    let (next, ended) = part(Duration::from_secs(900), &passed_on(&replay), &widgets, answers).await;
    ended.unwrap();
    for requests in [replay.requests(), next.requests()] {
        assert_eq!((requests[1].0.as_str(), &requests[1].1["TestMode"]), ("PutEvaluations", &json!(true)));
    }
}

/// Each part makes progress, however little time is left after it has read what AWS Config holds.
#[tokio::test]
async fn round_ends_after_as_many_parts_as_it_has_pages() {
    let widgets = FakeService::with(many(250));
    let (mut event, mut reported, mut parts) = (plain(&scheduled()), Vec::new(), 0);
    loop {
        parts += 1;
        // The last part only retires.
        let answers = match parts {
            7 => vec![results(&[])],
            _ => vec![results(&[]), Answer::stored(), Answer::accepted()],
        };
        let (replay, ended) = part(NEARLY_OVER, &event, &widgets, answers).await;
        ended.unwrap();
        reported.extend(ids(&replay));
        if replay.requests().last().unwrap().0 != "Invoke" {
            break;
        }
        event = passed_on(&replay);
    }
    assert_eq!((parts, reported), (7, many(250).into_iter().map(|it| it.id).collect()));
}
