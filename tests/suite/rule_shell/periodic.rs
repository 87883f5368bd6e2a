//! Inventories: pages, batches, and the results of what is gone.

use rectify_runtime::CallErrorKind;
use rectify_tests::controls::GLOBAL_DOOR_AJAR;

use super::*;

fn many(count: usize) -> Vec<Door> {
    (0..count).map(|number| Door::drawn(&format!("d-{number:03}"), &["top"])).collect()
}

fn stored_results(resources: &[(&str, &str)], next: Option<&str>) -> Answer {
    let result = |(kind, id): &(&str, &str)| {
        json!({"EvaluationResultIdentifier": {
            "EvaluationResultQualifier": {"ConfigRuleName": "rectify-door-ajar", "ResourceType": kind, "ResourceId": id},
            "OrderingTimestamp": 1.5
        }, "ComplianceType": "NON_COMPLIANT"})
    };
    let mut body = json!({"EvaluationResults": resources.iter().map(result).collect::<Vec<_>>()});
    if let Some(next) = next {
        body["NextToken"] = json!(next);
    }
    Answer::ok(&body)
}

fn ask_results(next: Option<&str>) -> (String, Value) {
    let mut body = json!({
        "ConfigRuleName": "rectify-door-ajar", "ComplianceTypes": ["COMPLIANT", "NON_COMPLIANT"], "Limit": 100
    });
    if let Some(next) = next {
        body["NextToken"] = json!(next);
    }
    ("GetComplianceDetailsByConfigRule".to_owned(), body)
}

fn not_applicable(kind: &str, id: &str, text: &str) -> Value {
    evaluation(kind, id, "NOT_APPLICABLE", Some(text), SCHEDULED_ON_WIRE)
}

/// The whole requests for these doors, a hundred each.
fn batches(doors: &[Door]) -> Vec<(String, Value)> {
    let found: Vec<Value> = doors.iter().map(|door| ajar(&door.id, SCHEDULED_ON_WIRE)).collect();
    found.chunks(100).map(put).collect()
}

/// `runtime/4`
#[tokio::test]
async fn two_hundred_and_fifty_resources_are_sent_as_a_hundred_a_hundred_and_fifty() {
    let doors = Doors::with(many(250));
    let replay = Replay::of([Answer::stored(), Answer::stored(), Answer::stored(), stored_results(&[], None)]);
    handled(&plain(&scheduled()), &replay, &doors).await.unwrap();
    let requests = replay.requests();
    let sizes: Vec<usize> =
        requests[..3].iter().map(|(_, body)| body["Evaluations"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 100, 50]);
    let mut expected = batches(&many(250));
    expected.push(ask_results(None));
    assert_eq!(requests, expected);
}

/// `runtime/4`: what was full is reported, nothing is retired, the invocation fails.
#[tokio::test]
async fn listing_that_breaks_off_reports_what_was_full_retires_nothing_and_fails() {
    let doors = Doors::with(many(250));
    doors.disturb(On::Page, 4, Trouble::Refused("RequestLimitExceeded", CallErrorKind::Throttled));
    let replay = Replay::of([Answer::stored(), stored_results(&[(DOOR, "d-gone")], None), Answer::stored()]);
    let fault = handled(&plain(&scheduled()), &replay, &doors).await.unwrap_err();
    assert_eq!(fault.kind(), "Throttled");
    assert_eq!(replay.requests(), batches(&many(100)));
}

/// `runtime/9`: the readable ones have verdicts, the other keeps its own and is not retired, and the run says so.
#[tokio::test]
async fn door_that_cannot_be_read_costs_no_other_its_verdict_and_is_not_retired() {
    let doors = Doors::with(many(4));
    doors.lock("d-001", "AccessDenied", CallErrorKind::AccessDenied);
    let replay = Replay::of([
        Answer::stored(),
        stored_results(&[(DOOR, "d-001"), (DOOR, "d-002"), (DOOR, "d-gone")], None),
        Answer::stored(),
    ]);
    let fault = handled(&plain(&scheduled()), &replay, &doors).await.unwrap_err();
    let judged = ["d-000", "d-002", "d-003"].map(|id| ajar(id, SCHEDULED_ON_WIRE));
    let retired = [not_applicable(DOOR, "d-gone", "resource deleted")];
    assert_eq!(replay.requests(), [put(&judged), ask_results(None), put(&retired)]);
    assert_eq!(fault.kind(), "RunIncomplete");
    assert_eq!(
        fault.to_string(),
        format!("1 of 4 resources could not be read: {DOOR} d-001 (doors:DescribeDoor: AccessDenied)")
    );
}

#[tokio::test]
async fn doors_that_cannot_be_read_are_no_empty_inventory() {
    let doors = Doors::with(many(7));
    for door in many(7) {
        doors.lock(&door.id, "SlowDown", CallErrorKind::Throttled);
    }
    let replay = Replay::of([stored_results(&[(DOOR, "d-001"), (DOOR, "d-gone")], None), Answer::stored()]);
    let fault = handled(&plain(&scheduled()), &replay, &doors).await.unwrap_err();
    assert_eq!(replay.requests(), [ask_results(None), put(&[not_applicable(DOOR, "d-gone", "resource deleted")])]);
    let text = fault.to_string();
    assert!(text.starts_with("7 of 7 resources could not be read: ") && text.ends_with(" +2 more"), "{text}");
}

/// Who knows that a resource cannot be read excludes it, and the run is whole.
#[tokio::test]
async fn excluded_door_need_not_be_read() {
    let doors = Doors::with(many(2));
    doors.lock("d-001", "AccessDenied", CallErrorKind::AccessDenied);
    let replay = Replay::of([Answer::stored(), stored_results(&[], None)]);
    let event = rule_event(&scheduled(), &json!({"excludeResources": "d-001"}), TOKEN);
    handled(&event, &replay, &doors).await.unwrap();
    let expected = [ajar("d-000", SCHEDULED_ON_WIRE), not_applicable(DOOR, "d-001", "excluded by parameter")];
    assert_eq!(replay.requests(), [put(&expected), ask_results(None)]);
}

/// `runtime/5`: by type and id, after all pages, those of the results included.
#[tokio::test]
async fn vanished_resources_are_retired_by_type_and_id_after_every_page_of_results() {
    let doors = Doors::with([Door::drawn("d-1", &["top"])]);
    let replay = Replay::of([
        Answer::stored(),
        stored_results(&[(DOOR, "d-1"), (DOOR, "d-gone"), ("AWS::EC2::Volume", "d-gone")], Some("more")),
        stored_results(&[("AWS::EC2::Volume", "d-1"), (DOOR, "d-gone-too")], None),
        Answer::stored(),
    ]);
    handled(&plain(&scheduled()), &replay, &doors).await.unwrap();
    let retired =
        [not_applicable(DOOR, "d-gone", "resource deleted"), not_applicable(DOOR, "d-gone-too", "resource deleted")];
    let expected =
        [put(&[ajar("d-1", SCHEDULED_ON_WIRE)]), ask_results(None), ask_results(Some("more")), put(&retired)];
    assert_eq!(replay.requests(), expected);
}

#[tokio::test]
async fn results_that_cannot_be_read_whole_retire_nothing_and_fail() {
    let doors = Doors::with([Door::drawn("d-1", &["top"])]);
    let replay = Replay::of([
        Answer::stored(),
        stored_results(&[(DOOR, "d-gone")], Some("more")),
        Answer::refused("AccessDeniedException"),
    ]);
    let fault = handled(&plain(&scheduled()), &replay, &doors).await.unwrap_err();
    assert_eq!((fault.kind(), replay.requests().len()), ("AccessDenied", 3));
}

#[tokio::test]
async fn excluded_resources_of_a_list_are_not_applicable_and_the_others_are_judged() {
    let cellar = Door { name: Some("cellar".to_owned()), ..Door::drawn("d-2", &["top"]) };
    for excluded in ["x, d-2", "cell*"] {
        let doors = Doors::with([Door::drawn("d-1", &["top"]), cellar.clone()]);
        let replay = Replay::of([Answer::stored(), stored_results(&[(DOOR, "d-2")], None)]);
        let event = rule_event(&scheduled(), &json!({ "excludeResources": excluded }), TOKEN);
        handled(&event, &replay, &doors).await.unwrap();
        let expected = [ajar("d-1", SCHEDULED_ON_WIRE), not_applicable(DOOR, "d-2", "excluded by parameter")];
        assert_eq!(replay.requests(), [put(&expected), ask_results(None)], "{excluded}");
    }
}

#[tokio::test]
async fn resource_listed_twice_is_reported_once() {
    let doors = Doors::with(many(61));
    // The list shifts under the reader: what stood at the end of the first page stands at the start of the second.
    doors.disturb(On::Page, 2, Trouble::Before(|doors| drop(doors.insert("a".to_owned(), Door::drawn("a", &["top"])))));
    let replay = Replay::of([Answer::stored(), stored_results(&[], None)]);
    handled(&plain(&scheduled()), &replay, &doors).await.unwrap();
    assert_eq!(replay.requests()[0], batches(&many(61))[0]);
}

#[tokio::test]
async fn empty_inventory_is_answered_for_the_account_and_retires_what_was_there() {
    let doors = Doors::with([]);
    let replay = Replay::of([Answer::stored(), stored_results(&[(DOOR, "d-gone")], None), Answer::stored()]);
    handled(&plain(&scheduled()), &replay, &doors).await.unwrap();
    let expected = [
        put(&[not_applicable("AWS::::Account", ACCOUNT, "no resource in scope")]),
        ask_results(None),
        put(&[not_applicable(DOOR, "d-gone", "resource deleted")]),
    ];
    assert_eq!(replay.requests(), expected);
}

#[tokio::test]
async fn global_control_outside_of_home_answers_for_the_account_and_lists_nothing() {
    let doors = Doors::with(many(3));
    let replay = Replay::of([Answer::stored()]);
    let event = plain(&scheduled());
    handled_in(&on_change_and_schedule::<_, Doors>(&GLOBAL_DOOR_AJAR), "eu-west-1", &event, &replay, &doors)
        .await
        .unwrap();
    let expected = [put(&[not_applicable("AWS::::Account", ACCOUNT, "evaluated in us-east-1")])];
    assert_eq!(replay.requests(), expected);
    assert_eq!(doors.calls(), []);
    // Another home by parameter: here it is at home.
    let replay = Replay::of([Answer::stored(), stored_results(&[], None)]);
    let event = rule_event(&scheduled(), &json!({"homeRegion": "eu-west-1"}), TOKEN);
    handled_in(&on_change_and_schedule::<_, Doors>(&GLOBAL_DOOR_AJAR), "eu-west-1", &event, &replay, &doors)
        .await
        .unwrap();
    assert_eq!(replay.requests(), [batches(&many(3)).remove(0), ask_results(None)]);
}

#[tokio::test]
async fn snapshot_delivery_starts_a_periodic_run_with_its_own_time() {
    let doors = Doors::with(many(1));
    let replay = Replay::of([Answer::stored(), stored_results(&[], None)]);
    let invoking = json!({
        "configSnapshotId": "0a1b2c3d", "s3ObjectKey": "k", "s3Bucket": "b", "notificationCreationTime":
        "2026-03-04T06:00:00.250Z", "messageType": "ConfigurationSnapshotDeliveryCompleted", "recordVersion": "1.1"
    });
    handled(&plain(&invoking), &replay, &doors).await.unwrap();
    assert_eq!(replay.requests(), [batches(&many(1)).remove(0), ask_results(None)]);
}

/// `runtime/8`: of the list as well.
#[tokio::test]
async fn list_that_may_not_be_read_is_a_fault_and_no_evaluation() {
    let doors = Doors::with(many(1));
    doors.disturb(On::Page, 1, Trouble::Refused("AccessDenied", CallErrorKind::AccessDenied));
    let replay = Replay::of([Answer::stored()]);
    let fault = handled(&plain(&scheduled()), &replay, &doors).await.unwrap_err();
    assert_eq!((fault.kind(), replay.requests().len()), ("AccessDenied", 0));
}

#[tokio::test]
async fn rule_that_is_gone_ends_a_run_well() {
    // Nobody is left to tell: neither the second hundred nor what vanished, whether a batch was full or the last.
    for count in [1, 150] {
        let doors = Doors::with(many(count));
        let replay = Replay::of([Answer::refused("NoSuchConfigRuleException")]);
        handled(&plain(&scheduled()), &replay, &doors).await.unwrap();
        assert_eq!(replay.requests(), [batches(&many(count)).remove(0)]);
    }
}
