//! Attempts in progress.

use rectify_compliance::{AccountId, Timestamp};
use rectify_runtime::bus::Bus;
use rectify_runtime::ledger::State;
use rectify_tests::controls::Widget;
use rectify_tests::emulator::ACCOUNT;
use rectify_tests::events::finding;
use rectify_tests::outage::{Outage, during};
use rectify_tests::remediation::{deliver_through, delivery, path};
use serde_json::json;

use super::env::{Env, RECORDED, delivered, left_out, reports_nothing};

/// An environment with a widget whose change is accepted and pending.
async fn pending() -> Env {
    let env = Env::with([Widget { is_pending: true, ..Widget::disabled("d-1", &["top"]) }]).await;
    env.world.widgets.inject_fault(
        rectify_tests::fake_service::On::Apply,
        1,
        rectify_tests::fake_service::InjectedFault::NoEffect,
    );
    assert_eq!(env.world.deliver(&finding("d-1", RECORDED)).await.unwrap().name(), "pending");
    env.world.sandbox.announced().await;
    env
}

fn in_ten_minutes() -> Timestamp {
    Timestamp::now() + jiff::SignedDuration::from_mins(10)
}

/// AWS Config may report the resource as compliant, or not know it: the attempt is requested all the same.
#[tokio::test]
async fn pending_attempt_is_requested_and_ended_whatever_config_reports() {
    let env = pending().await;
    env.world.widgets.change("d-1", |widget| {
        widget.is_pending = false;
        widget.set("top", false);
    });
    let summary = env.run(&reports_nothing()).await.unwrap();
    assert_eq!((left_out(&summary), env.requests().await.len()), (&json!({"too-recent": 1}), 0));

    let summary = env.run_at(&reports_nothing(), in_ten_minutes()).await.unwrap();
    assert_eq!(summary["requested"], json!({"open-attempt": 1}));
    let requests = env.requests().await;
    assert_eq!(env.world.deliver(&delivered(&requests[0])).await.unwrap().name(), "verified");
    let attempts = env.world.attempts("d-1").await;
    assert_eq!((attempts.len(), attempts[0].state), (1, State::Finished));
}

/// The attempt of a listed member is requested in its account; that of another account is not.
#[tokio::test]
async fn attempt_in_a_member_is_requested_by_the_central_account() {
    let mut env = pending().await;
    let run = async |env: &Env| {
        let bus = Bus::new(&env.world.sandbox.sdk, &env.settings.event_bus);
        env.run_of("444455556666", &reports_nothing(), bus, in_ten_minutes()).await.unwrap()
    };
    assert_eq!(left_out(&run(&env).await), &json!({"account": 1}));
    env.settings.members = [AccountId::new(ACCOUNT)].into();
    assert_eq!(run(&env).await["requested"], json!({"open-attempt": 1}));
    let [request] = env.requests().await.try_into().unwrap();
    assert_eq!(request["awsAccountId"], ACCOUNT);
}

#[tokio::test]
async fn attempt_under_a_lease_is_skipped() {
    let env = pending().await;
    let until = Timestamp::now() + jiff::SignedDuration::from_hours(1);
    env.world.ledger().lease(&path("d-1"), "another-worker", Timestamp::now(), until).await.unwrap();
    let summary = env.run_at(&reports_nothing(), in_ten_minutes()).await.unwrap();
    assert_eq!((left_out(&summary), env.requests().await.len()), (&json!({"leased": 1}), 0));
}

/// A finding about a resource with an attempt in progress is requested once, as that attempt.
#[tokio::test]
async fn finding_with_an_attempt_in_progress_is_requested_once() {
    let env = pending().await;
    let summary = env.run_at(&super::env::reports(&["d-1"]), in_ten_minutes()).await.unwrap();
    assert_eq!(
        (&summary["requested"], left_out(&summary)),
        (&json!({"open-attempt": 1}), &json!({"already-requested": 1}))
    );
    assert_eq!(env.requests().await.len(), 1);
}

/// The attempt ended, and the bus refused its announcement: nothing else would trigger another one.
#[tokio::test]
async fn unannounced_attempt_is_requested_and_announced() {
    let env = Env::with([Widget::disabled("d-1", &["top"])]).await;
    let outage = Outage {
        containing: "PutEvents",
        first: 1,
        last: usize::MAX,
        code: "AccessDeniedException",
        takes_effect: false,
    };
    let (http, _) = during(env.world.sandbox.http(), outage);
    let context = env.world.context_over(&env.world.sandbox.sdk_over(http));
    deliver_through(&context, &finding("d-1", RECORDED), &delivery("w")).await.unwrap_err();
    let attempt = env.world.attempts("d-1").await.remove(0);
    assert_eq!((attempt.state, attempt.announced), (State::Finished, false));
    let summary = env.run_at(&reports_nothing(), in_ten_minutes()).await.unwrap();
    assert_eq!(summary["requested"], json!({"open-attempt": 1}));
    let requests = env.requests().await;
    env.world.deliver(&delivered(&requests[0])).await.unwrap();
    let announced = env.world.sandbox.announced().await;
    assert_eq!((announced.len(), &announced[0].1["outcome"]), (1, &json!("verified")));
    let summary = env.run_at(&reports_nothing(), in_ten_minutes()).await.unwrap();
    assert_eq!(summary["requested"], json!({}));
}
