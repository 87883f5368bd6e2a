//! Attempts that have not ended.

use rectify_compliance::Timestamp;
use rectify_runtime::ledger::State;
use rectify_tests::controls::Widget;
use rectify_tests::emulator::{endpoint, http, sdk_over};
use rectify_tests::events::finding;
use rectify_tests::outage::{Outage, during};
use rectify_tests::remediation::{deliver_through, delivery, path};
use serde_json::json;

use super::stage::{Env, RECORDED, delivered, left_out, reports_nothing};

/// A widget whose service accepted the change and still works on it.
async fn pending() -> Env {
    let stage = Env::with([Widget { settling: true, ..Widget::disabled("d-1", &["top"]) }]).await;
    stage.world.widgets.disturb(
        rectify_tests::fake_service::On::Apply,
        1,
        rectify_tests::fake_service::InjectedFault::Swallowed,
    );
    assert_eq!(stage.world.deliver(&finding("d-1", RECORDED)).await.unwrap().name(), "pending");
    stage.world.around.announced().await;
    stage
}

fn in_ten_minutes() -> Timestamp {
    Timestamp::now() + jiff::SignedDuration::from_mins(10)
}

/// AWS Config may call the resource compliant by now, or never have heard of it: the attempt is asked about all the same.
#[tokio::test]
async fn pending_attempt_is_asked_about_and_ended_whatever_config_says() {
    let stage = pending().await;
    stage.world.widgets.change("d-1", |widget| {
        widget.settling = false;
        widget.set("top", false);
    });
    let summary = stage.run(&reports_nothing()).await.unwrap();
    assert_eq!((left_out(&summary), stage.requests().await.len()), (&json!({"young": 1}), 0));

    let summary = stage.run_at(&reports_nothing(), in_ten_minutes()).await.unwrap();
    assert_eq!(summary["requested"], json!({"open-attempt": 1}));
    let requests = stage.requests().await;
    assert_eq!(stage.world.deliver(&delivered(&requests[0])).await.unwrap().name(), "verified");
    let attempts = stage.world.attempts("d-1").await;
    assert_eq!((attempts.len(), attempts[0].state), (1, State::Finished));
}

#[tokio::test]
async fn attempt_somebody_works_on_is_left_to_them() {
    let stage = pending().await;
    let until = Timestamp::now() + jiff::SignedDuration::from_hours(1);
    stage.world.ledger().lease(&path("d-1"), "somebody", Timestamp::now(), until).await.unwrap();
    let summary = stage.run_at(&reports_nothing(), in_ten_minutes()).await.unwrap();
    assert_eq!((left_out(&summary), stage.requests().await.len()), (&json!({"leased": 1}), 0));
}

/// A finding about a resource with an open attempt is asked about once, as the attempt it is.
#[tokio::test]
async fn finding_with_an_open_attempt_is_asked_about_once() {
    let stage = pending().await;
    let summary = stage.run_at(&super::stage::reports(&["d-1"]), in_ten_minutes()).await.unwrap();
    assert_eq!((&summary["requested"], left_out(&summary)), (&json!({"open-attempt": 1}), &json!({"asked": 1})));
    assert_eq!(stage.requests().await.len(), 1);
}

/// It ended, and the bus did not take its announcement: nothing else would bring anybody back to the resource.
#[tokio::test]
async fn attempt_that_ended_without_an_announcement_is_asked_about_and_announced() {
    let stage = Env::with([Widget::disabled("d-1", &["top"])]).await;
    let outage =
        Outage { holding: "PutEvents", first: 1, last: usize::MAX, code: "AccessDeniedException", works: false };
    let (http, _) = during(http(), outage);
    let shell = stage.world.shell_over(&sdk_over(endpoint(), http));
    deliver_through(&shell, &finding("d-1", RECORDED), &delivery("w")).await.unwrap_err();
    let attempt = stage.world.attempts("d-1").await.remove(0);
    assert_eq!((attempt.state, attempt.announced), (State::Finished, false));
    let summary = stage.run_at(&reports_nothing(), in_ten_minutes()).await.unwrap();
    assert_eq!(summary["requested"], json!({"open-attempt": 1}));
    let requests = stage.requests().await;
    stage.world.deliver(&delivered(&requests[0])).await.unwrap();
    let announced = stage.world.around.announced().await;
    assert_eq!((announced.len(), &announced[0].1["outcome"]), (1, &json!("verified")));
    let summary = stage.run_at(&reports_nothing(), in_ten_minutes()).await.unwrap();
    assert_eq!(summary["requested"], json!({}));
}
