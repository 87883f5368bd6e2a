//! Outcomes that are stored and not announced: the next delivery for the control and the resource announces them,
//! whatever was decided in the meantime.

use std::sync::atomic::Ordering;

use rectify_compliance::exemption::Exemption;
use rectify_runtime::ledger::AuditEntry;
use rectify_tests::outage::{Outage, during};

use super::*;

/// When a later finding about the same widget was recorded.
const LATER: &str = "2026-03-04T05:30:00.000Z";

/// Delivers a finding to a function that reaches the ledger and not the bus.
async fn deliver_unannounced(world: &World, recorded_at: &str, delivery: &rectify_runtime::remediation::Delivery) {
    let outage = Outage {
        containing: "PutEvents",
        first: 1,
        last: usize::MAX,
        code: "AccessDeniedException",
        takes_effect: false,
    };
    let (http, calls) = during(world.sandbox.http(), outage);
    let context = world.context_over(&world.sandbox.sdk_over(http));
    deliver_through(&context, &finding("d-1", recorded_at), delivery).await.unwrap_err();
    assert_ne!(calls.load(Ordering::SeqCst), 0, "an announcement was tried");
}

/// A fixed widget whose outcome is not announced.
async fn fixed() -> (World, Attempt) {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    deliver_unannounced(&world, RECORDED, &delivery("w")).await;
    let attempt = only(&world).await;
    assert_eq!((attempt.outcome, attempt.announced), (Some(Outcome::Verified), false));
    (world, attempt)
}

fn verified(attempt: &Attempt) -> (String, Value) {
    let calls: Vec<Value> = attempt.actions.iter().map(|record| record.action.clone()).collect();
    announcement(attempt, "Rectify Outcome", "verified", &calls)
}

/// The attempts indexed as in progress.
async fn registered(world: &World) -> Vec<String> {
    let open = world.ledger().attempts_in_progress("widget-disabled").await.unwrap();
    open.into_iter().map(|it| it.id).collect()
}

/// The second finding's delivery ends the first one's attempt; a retry of either announces it.
#[tokio::test]
async fn attempt_ended_by_another_finding_is_announced() {
    for next in [LATER, RECORDED] {
        let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
        world.widgets.inject_fault(On::Apply, 2, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
        world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
        world.sandbox.announced().await;
        deliver_unannounced(&world, LATER, &delivery("w")).await;
        let attempt = only(&world).await;
        assert_eq!((attempt.outcome, attempt.announced), (Some(Outcome::Verified), false));
        assert_eq!(registered(&world).await, [attempt.id.as_str()], "the reconciler requests it");
        world.deliver(&finding("d-1", next)).await.unwrap();
        assert_eq!(world.sandbox.announced().await, [verified(&attempt)], "{next}");
        for recorded_at in [RECORDED, LATER] {
            world.deliver(&finding("d-1", recorded_at)).await.unwrap();
        }
        assert_eq!(world.sandbox.announced().await, [], "{next}: once");
        assert_eq!(registered(&world).await, [""; 0], "{next}");
    }
}

/// A decision made before the retry leads to a new attempt; the fix is announced all the same, and first.
#[tokio::test]
async fn fix_is_announced_despite_a_later_stop_exemption_or_exclusion() {
    for decision in ["stop", "exempt", "exclude"] {
        let (mut world, attempt) = fixed().await;
        let (by, reason, now) = ("jane".to_owned(), "painting".to_owned(), Timestamp::now());
        match decision {
            "stop" => world.ledger().stop(&StopSwitch { scope: "*".to_owned(), by, reason, since: now }).await.unwrap(),
            "exempt" => {
                let exemption = Exemption {
                    id: "01X".to_owned(),
                    control: "widget-disabled".to_owned(),
                    account: ACCOUNT.to_owned(),
                    selector: "resource:d-1".parse().unwrap(),
                    reason,
                    approver: by,
                    ticket: "SEC-1".to_owned(),
                    created: now,
                    until: "2999-01-01T00:00:00Z".parse().unwrap(),
                    ended: None,
                };
                world.ledger().exempt(&exemption, &AuditEntry::now("jane", "exempt add", "")).await.unwrap();
            }
            _ => world.set("PARAMETERS", r#"{"excludeResources": "d-1"}"#),
        }
        let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        assert_ne!(ended(&disposition).0, attempt.id, "{decision}: a new attempt");
        let announced = world.sandbox.announced().await;
        assert_eq!(announced[0], verified(&attempt), "{decision}");
        let more: Vec<&Value> = announced[1..].iter().map(|(_, detail)| &detail["outcome"]).collect();
        let expected: &[&str] = match decision {
            "stop" => &["stopped"],
            "exempt" => &["exempt"],
            _ => &[],
        };
        assert_eq!(more, expected, "{decision}");
        assert_eq!(registered(&world).await, [""; 0], "{decision}");
    }
}

/// An undo may run without the bus; it keeps an unannounced attempt in the index.
#[tokio::test]
async fn fix_undone_before_its_announcement_is_announced() {
    let (world, attempt) = fixed().await;
    world.undo(&attempt.id).await.unwrap();
    assert_eq!(registered(&world).await, [attempt.id.as_str()]);
    assert_eq!(ended(&world.deliver(&finding("d-1", LATER)).await.unwrap()).1, Outcome::Planned, "held");
    let announced = world.sandbox.announced().await;
    assert_eq!(announced[0], verified(&attempt));
    assert_eq!((announced.len(), announced[1].0.as_str()), (2, "Rectify Plan"));
    assert_eq!(registered(&world).await, [""; 0]);
}

/// An undo ends an attempt in progress whose failure is not announced: it is announced later.
#[tokio::test]
async fn failure_of_an_attempt_ended_by_undo_is_announced() {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    world.widgets.inject_fault(On::Apply, 2, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
    deliver_unannounced(&world, RECORDED, &rectify_tests::remediation::hurried_delivery("w")).await;
    let attempt = only(&world).await;
    assert_eq!((attempt.outcome, attempt.state, attempt.announced), (Some(Outcome::Failed), State::Open, false));
    world.undo(&attempt.id).await.unwrap();
    world.deliver(&finding("d-1", LATER)).await.unwrap();
    let announced = world.sandbox.announced().await;
    assert_eq!(announced[0], announcement(&attempt, "Rectify Outcome", "failed", &[call("bottom")]));
    assert_eq!(registered(&world).await, [""; 0]);
}

/// An unannounced plan is announced before the next outcome.
#[tokio::test]
async fn plan_is_announced_although_the_retry_ends_otherwise() {
    let mut world = World::with([Widget::disabled("d-1", &["top"])]).await.setting("MODE", "plan");
    deliver_unannounced(&world, RECORDED, &delivery("w")).await;
    let plan = only(&world).await;
    assert_eq!(registered(&world).await, [plan.id.as_str()]);
    world.set("MODE", "enforce");
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    let announced: Vec<(String, Value)> = world.sandbox.announced().await;
    assert_eq!(announced[0], announcement(&plan, "Rectify Plan", "planned", &[]));
    assert_eq!((announced.len(), &announced[1].1["outcome"]), (2, &json!("verified")));
    assert_eq!(registered(&world).await, [""; 0]);
}

/// After an announced `pending`, a failure is announced too.
#[tokio::test]
async fn failure_after_an_announced_pending_is_announced() {
    let world = World::with([Widget { is_pending: true, ..Widget::disabled("d-1", &["top"]) }]).await;
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::NoEffect);
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Pending);
    assert_eq!(world.sandbox.announced().await.len(), 1);
    let reads = world.widgets.calls().iter().filter(|call| matches!(call, Call::Read(_))).count();
    world.widgets.inject_fault(
        On::Read,
        reads + 1,
        InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied),
    );
    world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    let attempt = only(&world).await;
    let expected = announcement(&attempt, "Rectify Outcome", "failed", &[call("top")]);
    assert_eq!(world.sandbox.announced().await, [expected]);
}
