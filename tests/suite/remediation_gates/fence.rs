//! What people decide while a delivery is under way: it binds the next call, however far the delivery got.

use rectify_compliance::exemption::Exemption;
use rectify_runtime::ledger::{AuditEntry, Ledger};
use rectify_tests::emulator::Surroundings;

use super::*;

/// What a person writes into the ledger.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Decision {
    Stop(&'static str),
    Hold,
    Exempt(&'static str),
}

const EVERY: [Decision; 6] = [
    Decision::Stop("*"),
    Decision::Stop("widget-disabled"),
    Decision::Hold,
    Decision::Exempt("*"),
    Decision::Exempt("widget-disabled"),
    Decision::Stop("*"),
];

fn until() -> Timestamp {
    "2999-01-01T00:00:00Z".parse().unwrap()
}

impl Decision {
    /// Writes it, as the command line does.
    async fn write(self, ledger: &Ledger) {
        let (by, reason) = ("jane".to_owned(), "painting".to_owned());
        match self {
            Self::Stop(scope) => {
                let since = "2026-03-04T05:06:09Z".parse().unwrap();
                ledger.stop(&StopSwitch { scope: scope.to_owned(), by, reason, since }).await.unwrap();
            }
            Self::Hold => {
                let hold = Hold { control: "widget-disabled".to_owned(), by, reason, until: until() };
                ledger.set_hold(&path("d-1"), &hold).await.unwrap();
            }
            Self::Exempt(control) => exempt(ledger, control, "resource:d-1").await,
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            Self::Stop(_) => Outcome::Stopped,
            Self::Hold => Outcome::Planned,
            Self::Exempt(_) => Outcome::Exempt,
        }
    }

    fn reason(self) -> String {
        match self {
            Self::Stop(_) => "stopped by jane since 2026-03-04T05:06:09Z: painting".to_owned(),
            Self::Hold => "held by jane until 2999-01-01T00:00:00Z: painting".to_owned(),
            Self::Exempt(_) => {
                "exempt until 2999-01-01T00:00:00Z: painting (approved by jane, SEC-1, exemption 01X)".to_owned()
            }
        }
    }
}

async fn exempt(ledger: &Ledger, control: &str, selector: &str) {
    let exemption = Exemption {
        id: "01X".to_owned(),
        control: control.to_owned(),
        account: ACCOUNT.to_owned(),
        selector: selector.parse().unwrap(),
        reason: "painting".to_owned(),
        approver: "jane".to_owned(),
        ticket: "SEC-1".to_owned(),
        created: Timestamp::now(),
        until: until(),
        ended: None,
    };
    ledger.exempt(&exemption, &AuditEntry::now("jane", "exempt add", "")).await.unwrap();
}

/// The ledger, as somebody reaches it who is not the function.
fn ledger(around: &Surroundings) -> Ledger {
    Ledger::new(&around.sdk, &around.name)
}

/// A widget of two flags; the decision is written while this call is answered.
async fn decided_at(decision: Decision, on: On, number: usize) -> World {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    let ledger = ledger(&world.around);
    world.widgets.meanwhile(on, number, async move { decision.write(&ledger).await });
    world
}

fn written(world: &World) -> Vec<Call> {
    world.widgets.writes()
}

/// `safety/4`: the first call was being answered; the second is not sent.
#[tokio::test]
async fn decision_made_while_a_call_is_answered_keeps_the_next_from_being_sent() {
    for decision in EVERY {
        let world = decided_at(decision, On::Apply, 1).await;
        let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        let attempt = only(&world).await;
        assert_eq!(written(&world), [Call::Apply(shut("bottom"))], "{decision:?}");
        assert_eq!(ended(&handled), (attempt.id.as_str(), decision.outcome()), "{decision:?}");
        assert!(attempt.reason.starts_with(&decision.reason()), "{decision:?}: {}", attempt.reason);
        assert_eq!((attempt.actions.len(), attempt.done().count()), (1, 1), "{decision:?}: what was done is recorded");
        let open = matches!(decision, Decision::Stop(_));
        assert_eq!(attempt.state, if open { State::Open } else { State::Finished }, "{decision:?}");
        assert_eq!(
            world.ledger().open_attempts("widget-disabled").await.unwrap().len(),
            usize::from(open),
            "{decision:?}"
        );
        let announced = world.around.announced().await;
        let [(_, detail)] = announced.as_slice() else { panic!("{decision:?}: {announced:?}") };
        assert_eq!(detail["outcome"], decision.outcome().name(), "{decision:?}");
        // What was done can be taken back, whatever became of the rest.
        world.undo(&attempt.id).await.unwrap();
        assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["bottom", "top"])), "{decision:?}");
    }
}

#[tokio::test]
async fn stopped_attempt_goes_on_where_it_was_once_the_switch_is_released() {
    let world = decided_at(Decision::Stop("*"), On::Apply, 1).await;
    world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let stopped = only(&world).await;
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(&again, Disposition::Acknowledged(it) if it.attempt == stopped.id), "{again:?}");
    world.ledger().resume("*", "jane").await.unwrap();
    let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert_eq!(ended(&handled), (stopped.id.as_str(), Outcome::Verified));
    assert_eq!(only(&world).await.before, stopped.before);
    assert_eq!(written(&world), [Call::Apply(shut("bottom")), Call::Apply(shut("top"))]);
}

/// Before anything was begun, and between the before-image and the first call: nothing is called.
#[tokio::test]
async fn decision_made_between_the_gates_and_the_first_call_is_obeyed() {
    for decision in EVERY {
        for read in [1, 2] {
            let world = decided_at(decision, On::Read, read).await;
            let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
            let attempt = only(&world).await;
            assert_eq!(written(&world), [], "{decision:?} at read {read}");
            assert_eq!(ended(&handled), (attempt.id.as_str(), decision.outcome()), "{decision:?} at read {read}");
            assert_eq!(attempt.reason, decision.reason(), "{decision:?} at read {read}");
            // An attempt that was begun stays open until the switch is released, and keeps what it took.
            let open = read == 2 && matches!(decision, Decision::Stop(_));
            assert_eq!(attempt.state, if open { State::Open } else { State::Finished }, "{decision:?} at read {read}");
            assert_eq!(world.around.budget_used().await, u64::from(open), "{decision:?} at read {read}");
        }
    }
}

/// A registry that changed is read again; what does not concern the resource does not keep it from being fixed.
#[tokio::test]
async fn exemption_of_something_else_does_not_end_what_is_under_way() {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    for (on, number) in [(On::Read, 1), (On::Read, 2), (On::Apply, 1)] {
        let ledger = ledger(&world.around);
        world.widgets.meanwhile(on, number, async move {
            exempt(&ledger, "widget-disabled", &format!("resource:other-{number}-{on:?}")).await;
        });
    }
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    assert_eq!(written(&world), [Call::Apply(shut("bottom")), Call::Apply(shut("top"))]);
}

/// A hold that is over is no hold; one that a person wrote by hand without an end is.
#[tokio::test]
async fn hold_that_is_over_does_not_fence_anything_off() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let over = Timestamp::now() - jiff::SignedDuration::from_secs(1);
    let (control, by, reason) = ("widget-disabled".to_owned(), "jane".to_owned(), "painting".to_owned());
    world.ledger().set_hold(&path("d-1"), &Hold { control, by, reason, until: over }).await.unwrap();
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// Every action of every control checks the one switch for all, and of two that meet there one is cancelled.
#[tokio::test]
async fn delivery_that_meets_others_at_the_switch_gets_through() {
    use rectify_tests::emulator::{endpoint, http, sdk_over};
    use rectify_tests::outage::{Outage, during};
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    // The first five transactions meet somebody else's.
    let outage = Outage { holding: "TransactWriteItems", first: 1, last: 5, code: "TransactionConflict", works: false };
    let (http, met) = during(http(), outage);
    let shell = world.shell_over(&sdk_over(endpoint(), http));
    let handled = deliver_through(&shell, &finding("d-1", RECORDED), &delivery("w")).await.unwrap();
    assert_eq!(ended(&handled).1, Outcome::Verified);
    assert!(met.load(std::sync::atomic::Ordering::SeqCst) > 5, "or this proves nothing");
}
