//! What a rule still reports.

use std::collections::BTreeSet;

use rectify_compliance::Timestamp;
use rectify_compliance::exemption::Exemption;
use rectify_compliance::values::Bounded;
use rectify_runtime::ledger::{AuditEntry, Hold, StopSwitch};
use rectify_runtime::settings::{Mode, PerControl};
use rectify_tests::controls::Widget;
use rectify_tests::emulator::{ACCOUNT, REGION};
use rectify_tests::events::finding;
use rectify_tests::remediation::{early_in_the_hour, path};
use rectify_tests::replay::{Answer, Replay};
use serde_json::json;

use super::stage::{Env, RECORDED, delivered, left_out, page, reports, reports_nothing, reports_recorded, watched};

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("d-{number:03}")).collect()
}

/// The page as AWS Config hands it out, a hundred at a time.
fn pages(ids: &[String]) -> Replay {
    let pages: Vec<&[String]> = ids.chunks(100).collect();
    let last = pages.len() - 1;
    let next = |number: usize| (number < last).then(|| format!("page-{number}"));
    Replay::of(pages.iter().enumerate().map(|(number, ids)| page(ids, next(number).as_deref())))
}

#[tokio::test]
async fn finding_whose_event_was_lost_is_asked_about_and_fixed_once() {
    let stage = Env::with([Widget::disabled("d-1", &["top"])]).await;
    let summary = stage.run(&reports(&["d-1"])).await.unwrap();
    assert_eq!(summary["requested"], json!({"finding": 1}));
    let requests = stage.requests().await;
    let id = requests[0]["requestId"].as_str().unwrap();
    let expected = json!({
        "configRuleName": "rectify-widget-disabled", "awsAccountId": ACCOUNT, "awsRegion": REGION, "requestId": id,
        "resourceType": "Rectify::Test::Widget", "resourceId": "d-1", "resultRecordedTime": "2026-03-04T05:06:08.9Z"
    });
    assert_eq!(requests, [expected]);
    let handled = stage.world.deliver(&delivered(&requests[0])).await.unwrap();
    assert_eq!(handled.name(), "verified");
    // The event that was only late, and the next run, find it dealt with: the request named the very same finding.
    assert_eq!(stage.world.deliver(&finding("d-1", RECORDED)).await.unwrap().name(), "acknowledged");
    let summary = stage.run(&reports(&["d-1"])).await.unwrap();
    assert_eq!((left_out(&summary), stage.requests().await.len()), (&json!({"recent": 1}), 0));
}

#[tokio::test]
async fn two_hundred_and_fifty_findings_in_three_pages_take_turns() {
    let mut stage = Env::with([]).await;
    stage.settings.budget_per_hour = 0;
    stage.settings.requests_per_run = 40;
    let all = ids(250);
    let mut asked = BTreeSet::new();
    for (run, expected) in [(0, 40), (1, 80), (2, 120)] {
        let replay = pages(&all);
        let summary = stage.run(&replay).await.unwrap();
        let operations: Vec<String> = replay.requests().into_iter().map(|(operation, _)| operation).collect();
        assert_eq!(operations, ["GetComplianceDetailsByConfigRule"; 3]);
        assert_eq!((&summary["requested"], left_out(&summary)), (&json!({"finding": 40}), &json!({"limit": 210})));
        let requested = stage.asked().await;
        assert_eq!(requested.len(), 40, "run {run}");
        asked.extend(requested);
        assert_eq!(asked.len(), expected, "run {run}");
    }
}

#[tokio::test]
async fn what_is_held_answered_or_was_tried_just_now_is_left_alone_and_told() {
    let widgets = ["d-held", "d-fixed", "d-lost", "d-planned"].map(|id| Widget::disabled(id, &["top"]));
    let mut stage = Env::with(widgets).await;
    let hold = Hold {
        control: "widget-disabled".to_owned(),
        by: "jane".to_owned(),
        reason: "a test".to_owned(),
        until: Timestamp::now() + jiff::SignedDuration::from_hours(24),
    };
    stage.world.ledger().set_hold(&path("d-held"), &hold).await.unwrap();
    stage.world.deliver(&finding("d-fixed", RECORDED)).await.unwrap();
    stage.world.set("MODE", "plan");
    stage.world.deliver(&finding("d-planned", RECORDED)).await.unwrap();
    stage.world.set("MODE", "enforce");
    stage.world.around.announced().await;

    // The planned one was planned in a lower mode: what kept it from being enforced is gone.
    let all = ["d-fixed", "d-held", "d-lost", "d-planned"];
    let summary = stage.run(&reports(&all)).await.unwrap();
    assert_eq!(left_out(&summary), &json!({"held": 1, "recent": 1}));
    let asked: BTreeSet<String> = stage.asked().await.into_iter().collect();
    assert_eq!(asked, BTreeSet::from(["d-lost".to_owned(), "d-planned".to_owned()]));
    let by_control = json!({"widget-disabled": {"held": 1, "recent": 1, "requested": 2}});
    assert_eq!(summary["controls"], by_control);

    // In mode plan it was tried just now; a day later it is asked about again, and what was fixed for good never.
    stage.settings.controls[0].mode = Mode::Plan;
    let summary = stage.run(&reports(&["d-planned", "d-fixed"])).await.unwrap();
    assert_eq!(left_out(&summary), &json!({"recent": 2}));
    let tomorrow = Timestamp::now() + jiff::SignedDuration::from_hours(25);
    let summary = stage.run_at(&reports(&["d-planned", "d-fixed", "d-held"]), tomorrow).await.unwrap();
    assert_eq!((left_out(&summary), stage.asked().await.len()), (&json!({"answered": 1}), 2));
}

#[tokio::test]
async fn exempt_finding_is_left_alone_and_one_whose_exemption_is_over_is_asked_about() {
    let stage = Env::with([]).await;
    let now = Timestamp::now();
    for (id, selector, days) in [("01A", "resource:d-exempt", 1), ("01B", "resource:d-over", -1)] {
        let exemption = Exemption {
            id: id.to_owned(),
            control: "*".to_owned(),
            account: ACCOUNT.to_owned(),
            selector: selector.parse().unwrap(),
            reason: "vendor widget".to_owned(),
            approver: "jane".to_owned(),
            ticket: "SEC-1".to_owned(),
            created: now - jiff::SignedDuration::from_hours(48),
            until: now + jiff::SignedDuration::from_hours(24 * days),
            ended: None,
        };
        stage.world.ledger().exempt(&exemption, &AuditEntry::now("jane", "exempt add", "SEC-1")).await.unwrap();
    }
    let summary = stage.run(&reports(&["d-exempt", "d-over"])).await.unwrap();
    assert_eq!((left_out(&summary), stage.asked().await), (&json!({"exempt": 1}), vec!["d-over".to_owned()]));
    // The day after, without anybody's doing.
    let later = now + jiff::SignedDuration::from_hours(25);
    stage.run_at(&reports(&["d-exempt"]), later).await.unwrap();
    assert_eq!(stage.asked().await, ["d-exempt"]);
}

/// AWS Config sends no second event when a grace ends.
#[tokio::test]
async fn finding_whose_grace_has_ended_is_asked_about_and_enforced() {
    let mut stage = Env::with([Widget::disabled("d-1", &["top"])]).await;
    stage.settings.grace_minutes = PerControl::all(Bounded::of(1));
    stage.world.set("GRACE_MINUTES", "1");
    let ago = Timestamp::now() - jiff::SignedDuration::from_secs(50);
    let recorded = Timestamp::from_millisecond(ago.as_millisecond()).unwrap();
    let reported = || reports_recorded("d-1", recorded);
    assert_eq!(stage.world.deliver(&finding("d-1", &recorded.to_string())).await.unwrap().name(), "planned");
    let summary = stage.run(&reported()).await.unwrap();
    assert_eq!((left_out(&summary), stage.requests().await.len()), (&json!({"recent": 1}), 0));
    while Timestamp::now() < recorded + jiff::SignedDuration::from_mins(1) {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    stage.run(&reported()).await.unwrap();
    let requests = stage.requests().await;
    assert_eq!(stage.world.deliver(&delivered(&requests[0])).await.unwrap().name(), "verified");
}

#[tokio::test]
async fn nothing_is_asked_under_a_stop_switch_or_without_budget() {
    let mut stage = Env::with([Widget::disabled("d-1", &["top"])]).await;
    let (by, reason) = ("jane".to_owned(), "a test".to_owned());
    let stop = StopSwitch { scope: "widget-disabled".to_owned(), by, reason, since: Timestamp::now() };
    stage.world.ledger().stop(&stop).await.unwrap();
    let summary = stage.run(&reports(&["d-2", "d-3"])).await.unwrap();
    assert_eq!(left_out(&summary), &json!({"stopped": 2}));
    stage.world.ledger().resume("widget-disabled", "jane").await.unwrap();

    early_in_the_hour().await;
    stage.settings.budget_per_hour = 1;
    stage.world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let summary = stage.run(&reports(&["d-2", "d-3"])).await.unwrap();
    assert_eq!((left_out(&summary), stage.asked().await), (&json!({"budget": 2}), Vec::<String>::new()));
    // What is only planned takes nothing from it.
    stage.settings.controls[0].mode = Mode::Plan;
    stage.run(&reports(&["d-2"])).await.unwrap();
    assert_eq!(stage.asked().await, ["d-2"]);
}

#[tokio::test]
async fn rule_that_is_not_deployed_is_passed_over_and_a_fault_fails_the_run_after_the_others() {
    let mut stage = Env::with([]).await;
    stage.settings.controls =
        ["widget-disabled", "named-widget-disabled", "global-widget-disabled"].map(watched).to_vec();
    let answers =
        [Answer::refused("NoSuchConfigRuleException"), Answer::refused("AccessDeniedException"), page(&ids(1), None)];
    let fault = stage.run(&Replay::of(answers)).await.unwrap_err();
    assert_eq!(fault.kind(), "RunIncomplete");
    let text = fault.to_string();
    assert!(text.starts_with("1 steps failed: ") && text.contains("AccessDenied"), "{text}");
    assert_eq!(stage.asked().await, ["d-000"]);
}

#[tokio::test]
async fn control_nobody_listens_for_is_not_even_listed() {
    let mut stage = Env::with([]).await;
    stage.settings.controls[0].mode = Mode::Observe;
    let replay = reports_nothing();
    stage.run(&replay).await.unwrap();
    assert_eq!(replay.requests(), []);
}

/// What the bus refuses is sent again, and it alone.
#[tokio::test]
async fn throttled_events_are_sent_again_until_they_are_taken() {
    let stage = Env::with([]).await;
    let entries = |refused: usize, taken: usize| {
        let refused = (0..refused).map(|_| json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}));
        let taken = (0..taken).map(|number| json!({"EventId": number.to_string()}));
        let entries: Vec<_> = refused.clone().chain(taken).collect();
        Answer::ok(&json!({"FailedEntryCount": refused.count(), "Entries": entries}))
    };
    let events = Replay::of([entries(3, 7), entries(1, 2), entries(0, 1), entries(0, 2)]);
    let bus = rectify_runtime::bus::Bus::new(&events.sdk(REGION), "default");
    let summary = stage.run_through(&pages(&ids(12)), bus, Timestamp::now()).await.unwrap();
    assert_eq!(summary["requested"], json!({"finding": 12}));
    let sizes: Vec<usize> =
        events.requests().iter().map(|(_, body)| body["Entries"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [10, 3, 1, 2]);
}

#[tokio::test]
async fn events_the_bus_never_takes_fail_the_run_and_are_first_in_the_next() {
    let stage = Env::with([]).await;
    let refused = || Answer::ok(&json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}));
    let events = Replay::of([refused(), refused(), refused(), refused()]);
    let bus = rectify_runtime::bus::Bus::new(&events.sdk(REGION), "default");
    let fault = stage.run_through(&reports(&["d-1"]), bus, Timestamp::now()).await.unwrap_err();
    let text = "1 steps failed: widget-disabled: ServiceUnavailable: events:PutEvents: InternalFailure: ";
    assert_eq!((fault.kind(), fault.to_string().as_str()), ("RunIncomplete", text));
    assert_eq!(events.requests().len(), 4);
    stage.run(&reports(&["d-1"])).await.unwrap();
    assert_eq!(stage.asked().await, ["d-1"]);
}
