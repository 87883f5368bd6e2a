//! Temporary failures of a call: it is repeated within its delivery, and a possible effect stays recorded.

use super::*;

async fn one_flag() -> World {
    World::with([Widget::disabled("d-1", &["top"])]).await
}

fn receipts(attempt: &Attempt) -> Vec<Option<Value>> {
    attempt.actions.iter().map(|record| record.receipt.clone()).collect()
}

/// Whatever the service answers to a call that took effect, the change is in the ledger, can be undone, and counts.
#[tokio::test]
async fn change_answered_with_an_error_is_recorded_and_undone() {
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
        world.widgets.inject_fault(On::Apply, 1, InjectedFault::Misreported(status, code));
        let error = world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
        assert!(matches!(&error, Error::ActionFailed { terminal: false, .. }), "{code}: {error:?}");
        assert_eq!(receipts(&only(&world).await), [None], "{code}");
        let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
        let attempt = only(&world).await;
        assert_eq!(ended(&disposition), (attempt.id.as_str(), Outcome::Verified), "{code}");
        assert_eq!(receipts(&attempt), [Some(json!({"Token": 101}))], "{code}");
        assert_eq!(world.sandbox.budget_used().await, 1, "{code}: the budget is used");
        world.undo(&attempt.id).await.unwrap();
        assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["top"])), "{code}");
    }
}

/// The first request took effect without an answer, and the second is refused because of it: the live read decides.
#[tokio::test]
async fn refusal_of_a_repeated_call_does_not_hide_the_first_one() {
    let world = one_flag().await;
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::AnswerLost);
    for number in 2..=9 {
        world.widgets.inject_fault(On::Apply, number, InjectedFault::Answered(400, "InvalidParameterValue"));
    }
    let error = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
    assert!(matches!(&error, Error::ActionFailed { terminal: true, .. }), "{error:?}");
    let attempt = only(&world).await;
    assert_eq!((attempt.state, receipts(&attempt)), (State::Finished, vec![None]), "its receipt is lost");
    world.widgets.clear_faults();
    world.undo(&attempt.id).await.unwrap();
    assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["top"])));
}

#[tokio::test]
async fn temporary_failure_is_repeated_within_the_delivery() {
    for injected in [
        InjectedFault::Refused("Throttling", CallErrorKind::Throttled),
        InjectedFault::Answered(503, "ServiceFailure"),
        InjectedFault::Answered(400, "InvalidDBInstanceState"),
        InjectedFault::AnswerLost,
    ] {
        let world = one_flag().await;
        world.widgets.inject_fault(On::Apply, 1, injected);
        assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
        let attempt = only(&world).await;
        assert_eq!((receipts(&attempt), attempt.failures), (vec![Some(json!({"Token": 101}))], 0));
        assert_eq!((world.widgets.effects().len(), world.widgets.writes().len()), (1, 2));
    }
}

/// A change made in the seconds between a refusal and the repetition is not overwritten.
#[tokio::test]
async fn call_is_not_repeated_after_another_change() {
    // The reads: two to act, and one before the call is repeated.
    let gone = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
        widgets.get_mut("d-1").unwrap().flags.remove("top");
    };
    let enable =
        |widgets: &mut std::collections::BTreeMap<String, Widget>| widgets.get_mut("d-1").unwrap().set("top", false);
    for change in [gone as fn(&mut std::collections::BTreeMap<String, Widget>), enable] {
        let world = one_flag().await;
        world.widgets.inject_fault(On::Apply, 1, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
        world.widgets.inject_fault(On::Read, 3, InjectedFault::Before(change));
        let error = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
        assert!(error.to_string().contains("changed outside this attempt before the call could be retried"), "{error}");
        assert_eq!((world.widgets.writes().len(), only(&world).await.actions), (1, vec![]));
        assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::AlreadyCompliant);
        assert_eq!(world.sandbox.budget_used().await, 0);
    }
}

/// A function that is about to time out does not repeat a call; the next delivery does.
#[tokio::test]
async fn call_is_not_repeated_without_enough_time() {
    let world = one_flag().await;
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::Refused("Throttling", CallErrorKind::Throttled));
    assert_eq!(world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "ActionFailed");
    assert_eq!(world.widgets.writes().len(), 1);
}
