//! A call that failed in passing: it is repeated within its delivery, and what may have happened is never forgotten.

use super::*;

async fn one_flag() -> World {
    World::with([Widget::disabled("d-1", &["top"])]).await
}

fn receipts(attempt: &Attempt) -> Vec<Option<Value>> {
    attempt.actions.iter().map(|record| record.receipt.clone()).collect()
}

/// Whatever the service answers about a call that it carried out, the change is in the ledger, is undone, and counts.
#[tokio::test]
async fn change_that_was_answered_with_an_error_is_known_and_undone() {
    for (status, code) in [
        (400, "InvalidDBInstanceState"),
        (409, "OperationAborted"),
        (409, "ConcurrentModification"),
        (500, "ServiceFailure"),
        (500, "KMSInternalException"),
        (503, "DependencyTimeoutException"),
        (503, "SlowDown"),
    ] {
        let world = one_flag().await;
        world.widgets.disturb(On::Apply, 1, InjectedFault::Misreported(status, code));
        let fault = world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
        assert!(matches!(&fault, Error::ActionFailed { terminal: false, .. }), "{code}: {fault:?}");
        assert_eq!(receipts(&only(&world).await), [None], "{code}");
        let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        let attempt = only(&world).await;
        assert_eq!(ended(&handled), (attempt.id.as_str(), Outcome::Verified), "{code}");
        assert_eq!(receipts(&attempt), [Some(json!({"Token": 101}))], "{code}");
        assert_eq!(world.around.budget_used().await, 1, "{code}: it was used");
        world.undo(&attempt.id).await.unwrap();
        assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["top"])), "{code}");
    }
}

/// The first request was carried out without an answer, the second is refused because of it: the delivery sees for itself.
#[tokio::test]
async fn refusal_of_a_repeated_call_does_not_make_the_first_one_undone() {
    let world = one_flag().await;
    world.widgets.disturb(On::Apply, 1, InjectedFault::AnswerLost);
    for number in 2..=9 {
        world.widgets.disturb(On::Apply, number, InjectedFault::Answered(400, "InvalidParameterValue"));
    }
    let fault = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    assert!(matches!(&fault, Error::ActionFailed { terminal: true, .. }), "{fault:?}");
    let attempt = only(&world).await;
    assert_eq!((attempt.state, receipts(&attempt)), (State::Finished, vec![None]), "its receipt could not be had");
    world.widgets.calm();
    world.undo(&attempt.id).await.unwrap();
    assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["top"])));
}

#[tokio::test]
async fn passing_failure_is_repeated_within_the_delivery() {
    for trouble in [
        InjectedFault::Refused("Throttling", CallErrorKind::Throttled),
        InjectedFault::Answered(503, "ServiceFailure"),
        InjectedFault::Answered(400, "InvalidDBInstanceState"),
        InjectedFault::AnswerLost,
    ] {
        let world = one_flag().await;
        world.widgets.disturb(On::Apply, 1, trouble);
        assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
        let attempt = only(&world).await;
        assert_eq!((receipts(&attempt), attempt.failures), (vec![Some(json!({"Token": 101}))], 0));
        assert_eq!((world.widgets.effects().len(), world.widgets.writes().len()), (1, 2));
    }
}

/// Between a refusal and its repetition lie seconds: what somebody did in them is not written over.
#[tokio::test]
async fn call_is_not_repeated_after_somebody_changed_the_resource() {
    // The reads: two to act, and one before the call is repeated.
    let gone = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
        widgets.get_mut("d-1").unwrap().flags.remove("top");
    };
    let shut =
        |widgets: &mut std::collections::BTreeMap<String, Widget>| widgets.get_mut("d-1").unwrap().set("top", false);
    for change in [gone as fn(&mut std::collections::BTreeMap<String, Widget>), shut] {
        let world = one_flag().await;
        world.widgets.disturb(On::Apply, 1, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
        world.widgets.disturb(On::Read, 3, InjectedFault::Before(change));
        let fault = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
        assert!(fault.to_string().contains("changed by somebody else before it could be repeated"), "{fault}");
        assert_eq!((world.widgets.writes().len(), only(&world).await.actions), (1, vec![]));
        assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::AlreadyCompliant);
        assert_eq!(world.around.budget_used().await, 0);
    }
}

/// A function that is about to be ended asks nothing again: the next delivery does.
#[tokio::test]
async fn call_is_not_repeated_without_time_for_it() {
    let world = one_flag().await;
    world.widgets.disturb(On::Apply, 1, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
    assert_eq!(world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "ActionFailed");
    assert_eq!(world.widgets.writes().len(), 1);
}
