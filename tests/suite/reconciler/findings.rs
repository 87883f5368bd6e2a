//! Findings that a rule still reports.

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

use super::env::{Env, RECORDED, delivered, left_out, page, reports, reports_nothing, reports_recorded, watched};

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("d-{number:03}")).collect()
}

/// The results in pages of a hundred, as AWS Config returns them.
fn pages(ids: &[String]) -> Replay {
    let pages: Vec<&[String]> = ids.chunks(100).collect();
    let last = pages.len() - 1;
    let next = |number: usize| (number < last).then(|| format!("page-{number}"));
    Replay::of(pages.iter().enumerate().map(|(number, ids)| page(ids, next(number).as_deref())))
}

#[tokio::test]
async fn finding_with_a_lost_event_is_requested_and_fixed_once() {
    let env = Env::with([Widget::disabled("d-1", &["top"])]).await;
    let summary = env.run(&reports(&["d-1"])).await.unwrap();
    assert_eq!(summary["requested"], json!({"finding": 1}));
    let requests = env.requests().await;
    let id = requests[0]["requestId"].as_str().unwrap();
    let expected = json!({
        "configRuleName": "rectify-widget-disabled", "awsAccountId": ACCOUNT, "awsRegion": REGION, "requestId": id,
        "resourceType": "Rectify::Test::Widget", "resourceId": "d-1", "resultRecordedTime": "2026-03-04T05:06:08.9Z"
    });
    assert_eq!(requests, [expected]);
    let disposition = env.world.deliver(&delivered(&requests[0])).await.unwrap();
    assert_eq!(disposition.name(), "verified");
    // The late event and the next run find it done: the request named the same finding.
    assert_eq!(env.world.deliver(&finding("d-1", RECORDED)).await.unwrap().name(), "acknowledged");
    let summary = env.run(&reports(&["d-1"])).await.unwrap();
    assert_eq!((left_out(&summary), env.requests().await.len()), (&json!({"recent": 1}), 0));
}

#[tokio::test]
async fn two_hundred_and_fifty_findings_take_turns_over_the_runs() {
    let mut env = Env::with([]).await;
    env.settings.max_fixes_per_hour = 0;
    env.settings.requests_per_run = 40;
    let all = ids(250);
    let mut requested = BTreeSet::new();
    for (run, expected) in [(0, 40), (1, 80), (2, 120)] {
        let replay = pages(&all);
        let summary = env.run(&replay).await.unwrap();
        let operations: Vec<String> = replay.requests().into_iter().map(|(operation, _)| operation).collect();
        assert_eq!(operations, ["GetComplianceDetailsByConfigRule"; 3]);
        assert_eq!((&summary["requested"], left_out(&summary)), (&json!({"finding": 40}), &json!({"limit": 210})));
        let ids = env.requested().await;
        assert_eq!(ids.len(), 40, "run {run}");
        requested.extend(ids);
        assert_eq!(requested.len(), expected, "run {run}");
    }
}

#[tokio::test]
async fn held_answered_and_recent_findings_are_skipped_and_counted() {
    let widgets = ["d-held", "d-fixed", "d-lost", "d-planned"].map(|id| Widget::disabled(id, &["top"]));
    let mut env = Env::with(widgets).await;
    let hold = Hold {
        control: "widget-disabled".to_owned(),
        by: "jane".to_owned(),
        reason: "a test".to_owned(),
        until: Timestamp::now() + jiff::SignedDuration::from_hours(24),
    };
    env.world.ledger().set_hold(&path("d-held"), &hold).await.unwrap();
    env.world.deliver(&finding("d-fixed", RECORDED)).await.unwrap();
    env.world.set("MODE", "plan");
    env.world.deliver(&finding("d-planned", RECORDED)).await.unwrap();
    env.world.set("MODE", "enforce");
    env.world.sandbox.announced().await;

    // The planned finding was blocked by mode `plan`, which no longer applies.
    let all = ["d-fixed", "d-held", "d-lost", "d-planned"];
    let summary = env.run(&reports(&all)).await.unwrap();
    assert_eq!(left_out(&summary), &json!({"held": 1, "recent": 1}));
    let requested: BTreeSet<String> = env.requested().await.into_iter().collect();
    assert_eq!(requested, BTreeSet::from(["d-lost".to_owned(), "d-planned".to_owned()]));
    let by_control = json!({"widget-disabled": {"held": 1, "recent": 1, "requested": 2}});
    assert_eq!(summary["controls"], by_control);

    // In mode `plan` a recent finding is requested again a day later; a fixed one never is.
    env.settings.controls[0].mode = Mode::Plan;
    let summary = env.run(&reports(&["d-planned", "d-fixed"])).await.unwrap();
    assert_eq!(left_out(&summary), &json!({"recent": 2}));
    let tomorrow = Timestamp::now() + jiff::SignedDuration::from_hours(25);
    let summary = env.run_at(&reports(&["d-planned", "d-fixed", "d-held"]), tomorrow).await.unwrap();
    assert_eq!((left_out(&summary), env.requested().await.len()), (&json!({"answered": 1}), 2));
}

#[tokio::test]
async fn exempt_finding_is_skipped_until_its_exemption_ends() {
    let env = Env::with([]).await;
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
        env.world.ledger().exempt(&exemption, &AuditEntry::now("jane", "exempt add", "SEC-1")).await.unwrap();
    }
    let summary = env.run(&reports(&["d-exempt", "d-over"])).await.unwrap();
    assert_eq!((left_out(&summary), env.requested().await), (&json!({"exempt": 1}), vec!["d-over".to_owned()]));
    // A day later the exemption has ended by itself.
    let later = now + jiff::SignedDuration::from_hours(25);
    env.run_at(&reports(&["d-exempt"]), later).await.unwrap();
    assert_eq!(env.requested().await, ["d-exempt"]);
}

/// AWS Config sends no second event when a grace period ends.
#[tokio::test]
async fn finding_is_requested_and_enforced_after_its_grace_period() {
    let mut env = Env::with([Widget::disabled("d-1", &["top"])]).await;
    env.settings.grace_minutes = PerControl::all(Bounded::of(1));
    env.world.set("GRACE_MINUTES", "1");
    let ago = Timestamp::now() - jiff::SignedDuration::from_secs(50);
    let recorded = Timestamp::from_millisecond(ago.as_millisecond()).unwrap();
    let reported = || reports_recorded("d-1", recorded);
    assert_eq!(env.world.deliver(&finding("d-1", &recorded.to_string())).await.unwrap().name(), "planned");
    let summary = env.run(&reported()).await.unwrap();
    assert_eq!((left_out(&summary), env.requests().await.len()), (&json!({"recent": 1}), 0));
    while Timestamp::now() < recorded + jiff::SignedDuration::from_mins(1) {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    env.run(&reported()).await.unwrap();
    let requests = env.requests().await;
    assert_eq!(env.world.deliver(&delivered(&requests[0])).await.unwrap().name(), "verified");
}

#[tokio::test]
async fn nothing_is_requested_under_a_kill_switch_or_without_budget() {
    let mut env = Env::with([Widget::disabled("d-1", &["top"])]).await;
    let (by, reason) = ("jane".to_owned(), "a test".to_owned());
    let stop = StopSwitch { scope: "widget-disabled".to_owned(), by, reason, since: Timestamp::now() };
    env.world.ledger().stop(&stop).await.unwrap();
    let summary = env.run(&reports(&["d-2", "d-3"])).await.unwrap();
    assert_eq!(left_out(&summary), &json!({"stopped": 2}));
    env.world.ledger().resume("widget-disabled", "jane").await.unwrap();

    early_in_the_hour().await;
    env.settings.max_fixes_per_hour = 1;
    env.world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let summary = env.run(&reports(&["d-2", "d-3"])).await.unwrap();
    assert_eq!((left_out(&summary), env.requested().await), (&json!({"budget": 2}), Vec::<String>::new()));
    // A finding in mode `plan` does not use the budget.
    env.settings.controls[0].mode = Mode::Plan;
    env.run(&reports(&["d-2"])).await.unwrap();
    assert_eq!(env.requested().await, ["d-2"]);
}

#[tokio::test]
async fn undeployed_rule_is_skipped_and_an_error_fails_the_run_at_its_end() {
    let mut env = Env::with([]).await;
    env.settings.controls =
        ["widget-disabled", "named-widget-disabled", "global-widget-disabled"].map(watched).to_vec();
    let answers =
        [Answer::refused("NoSuchConfigRuleException"), Answer::refused("AccessDeniedException"), page(&ids(1), None)];
    let error = env.run(&Replay::of(answers)).await.unwrap_err();
    assert_eq!(error.kind(), "RunIncomplete");
    let text = error.to_string();
    assert!(text.starts_with("1 steps failed: ") && text.contains("AccessDenied"), "{text}");
    assert_eq!(env.requested().await, ["d-000"]);
}

#[tokio::test]
async fn control_in_mode_observe_is_not_listed() {
    let mut env = Env::with([]).await;
    env.settings.controls[0].mode = Mode::Observe;
    let replay = reports_nothing();
    env.run(&replay).await.unwrap();
    assert_eq!(replay.requests(), []);
}

/// Only the entries that the bus refuses are sent again.
#[tokio::test]
async fn throttled_events_are_sent_again_until_accepted() {
    let env = Env::with([]).await;
    let entries = |refused: usize, accepted: usize| {
        let refused = (0..refused).map(|_| json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}));
        let accepted = (0..accepted).map(|number| json!({"EventId": number.to_string()}));
        let entries: Vec<_> = refused.clone().chain(accepted).collect();
        Answer::ok(&json!({"FailedEntryCount": refused.count(), "Entries": entries}))
    };
    let events = Replay::of([entries(3, 7), entries(1, 2), entries(0, 1), entries(0, 2)]);
    let bus = rectify_runtime::bus::Bus::new(&events.sdk(REGION), "default");
    let summary = env.run_through(&pages(&ids(12)), bus, Timestamp::now()).await.unwrap();
    assert_eq!(summary["requested"], json!({"finding": 12}));
    let sizes: Vec<usize> =
        events.requests().iter().map(|(_, body)| body["Entries"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [10, 3, 1, 2]);
}

#[tokio::test]
async fn refused_events_fail_the_run_and_are_sent_by_the_next() {
    let env = Env::with([]).await;
    let refused = || Answer::ok(&json!({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}));
    let events = Replay::of([refused(), refused(), refused(), refused()]);
    let bus = rectify_runtime::bus::Bus::new(&events.sdk(REGION), "default");
    let error = env.run_through(&reports(&["d-1"]), bus, Timestamp::now()).await.unwrap_err();
    let text = "1 steps failed: widget-disabled: ServiceUnavailable: events:PutEvents: InternalFailure: ";
    assert_eq!((error.kind(), error.to_string().as_str()), ("RunIncomplete", text));
    assert_eq!(events.requests().len(), 4);
    env.run(&reports(&["d-1"])).await.unwrap();
    assert_eq!(env.requested().await, ["d-1"]);
}
