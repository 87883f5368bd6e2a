//! Operators' decisions during a delivery: they apply to the next call, however far the delivery has come.

use rectify_compliance::exemption::Exemption;
use rectify_runtime::ledger::{AuditEntry, Ledger};
use rectify_tests::emulator::Sandbox;

use super::*;

/// A decision that an operator writes to the ledger.
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

/// The ledger as a client other than the function reaches it.
fn ledger(sandbox: &Sandbox) -> Ledger {
    Ledger::new(&sandbox.sdk, &sandbox.name)
}

/// A widget with two disabled flags; the decision is written while this call is answered.
async fn decided_at(decision: Decision, on: On, number: usize) -> World {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    let ledger = ledger(&world.sandbox);
    world.widgets.during_call(on, number, async move { decision.write(&ledger).await });
    world
}

fn writes(world: &World) -> Vec<Call> {
    world.widgets.writes()
}

/// `safety/4`: a decision during the first call prevents the second.
#[tokio::test]
async fn decision_during_a_call_prevents_the_next_call() {
    for decision in EVERY {
        let world = decided_at(decision, On::Apply, 1).await;
        let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        let attempt = only(&world).await;
        assert_eq!(writes(&world), [Call::Apply(enable("bottom"))], "{decision:?}");
        assert_eq!(ended(&disposition), (attempt.id.as_str(), decision.outcome()), "{decision:?}");
        assert!(attempt.reason.starts_with(&decision.reason()), "{decision:?}: {}", attempt.reason);
        assert_eq!((attempt.actions.len(), attempt.done().count()), (1, 1), "{decision:?}: the call is recorded");
        let open = matches!(decision, Decision::Stop(_));
        assert_eq!(attempt.state, if open { State::Open } else { State::Finished }, "{decision:?}");
        assert_eq!(
            world.ledger().attempts_in_progress("widget-disabled").await.unwrap().len(),
            usize::from(open),
            "{decision:?}"
        );
        let announced = world.sandbox.announced().await;
        let [(_, detail)] = announced.as_slice() else { panic!("{decision:?}: {announced:?}") };
        assert_eq!(detail["outcome"], decision.outcome().name(), "{decision:?}");
        // The call can be undone, whatever the outcome of the rest.
        world.undo(&attempt.id).await.unwrap();
        assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["bottom", "top"])), "{decision:?}");
    }
}

#[tokio::test]
async fn stopped_attempt_resumes_once_the_switch_is_released() {
    let world = decided_at(Decision::Stop("*"), On::Apply, 1).await;
    world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let stopped = only(&world).await;
    let again = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert!(matches!(&again, Disposition::Acknowledged(it) if it.attempt == stopped.id), "{again:?}");
    world.ledger().resume("*", "jane").await.unwrap();
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    assert_eq!(ended(&disposition), (stopped.id.as_str(), Outcome::Verified));
    assert_eq!(only(&world).await.before, stopped.before);
    assert_eq!(writes(&world), [Call::Apply(enable("bottom")), Call::Apply(enable("top"))]);
}

/// Before the attempt begins, and between the prior state and the first call: nothing is called.
#[tokio::test]
async fn decision_between_the_gates_and_the_first_call_is_obeyed() {
    for decision in EVERY {
        for read in [1, 2] {
            let world = decided_at(decision, On::Read, read).await;
            let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
            let attempt = only(&world).await;
            assert_eq!(writes(&world), [], "{decision:?} at read {read}");
            assert_eq!(ended(&disposition), (attempt.id.as_str(), decision.outcome()), "{decision:?} at read {read}");
            assert_eq!(attempt.reason, decision.reason(), "{decision:?} at read {read}");
            // An attempt that has begun stays open until the switch is released, and keeps its budget.
            let open = read == 2 && matches!(decision, Decision::Stop(_));
            assert_eq!(attempt.state, if open { State::Open } else { State::Finished }, "{decision:?} at read {read}");
            assert_eq!(world.sandbox.budget_used().await, u64::from(open), "{decision:?} at read {read}");
        }
    }
}

/// A registry that changed is read again; exemptions of other resources do not prevent the fix.
#[tokio::test]
async fn exemption_of_another_resource_does_not_stop_the_delivery() {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    for (on, number) in [(On::Read, 1), (On::Read, 2), (On::Apply, 1)] {
        let ledger = ledger(&world.sandbox);
        world.widgets.during_call(on, number, async move {
            exempt(&ledger, "widget-disabled", &format!("resource:other-{number}-{on:?}")).await;
        });
    }
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    assert_eq!(writes(&world), [Call::Apply(enable("bottom")), Call::Apply(enable("top"))]);
}

/// A hold that has ended does not count.
#[tokio::test]
async fn hold_that_has_ended_does_not_prevent_the_fix() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let over = Timestamp::now() - jiff::SignedDuration::from_secs(1);
    let (control, by, reason) = ("widget-disabled".to_owned(), "jane".to_owned(), "painting".to_owned());
    world.ledger().set_hold(&path("d-1"), &Hold { control, by, reason, until: over }).await.unwrap();
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// Every action of every control checks the global kill switch, and DynamoDB cancels one of two conflicting
/// transactions.
#[tokio::test]
async fn delivery_survives_transaction_conflicts_on_the_kill_switch() {
    use rectify_tests::outage::{Outage, during};
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    // The first five transactions conflict with another client's.
    let outage = Outage {
        containing: "TransactWriteItems",
        first: 1,
        last: 5,
        code: "TransactionConflict",
        takes_effect: false,
    };
    let (http, transactions) = during(world.sandbox.http(), outage);
    let context = world.context_over(&world.sandbox.sdk_over(http));
    let disposition = deliver_through(&context, &finding("d-1", RECORDED), &delivery("w")).await.unwrap();
    assert_eq!(ended(&disposition).1, Outcome::Verified);
    assert!(transactions.load(std::sync::atomic::Ordering::SeqCst) > 5, "the conflicts were met");
}
