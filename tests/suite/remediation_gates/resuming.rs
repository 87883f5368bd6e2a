//! Attempts in progress: how the next delivery resumes or closes them.

use super::*;

const DENIED: InjectedFault = InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied);

/// An attempt that enabled the first of two flags; the call for the second failed without an effect.
async fn partial_attempt() -> (World, String) {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    world.widgets.inject_fault(On::Apply, 2, InjectedFault::Answered(500, "ServiceFailure"));
    world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
    let id = only(&world).await.id;
    (world, id)
}

#[tokio::test]
async fn lost_answer_is_resolved_without_a_second_change() {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::AnswerLost);
    assert_eq!(world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "ActionFailed");
    let unknown = only(&world).await.actions;
    assert_eq!(unknown.iter().map(|it| (&it.action, &it.receipt)).collect::<Vec<_>>(), [(&call("bottom"), &None)]);
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    let receipts: Vec<Value> = only(&world).await.done().map(|(_, receipt)| receipt.clone()).collect();
    assert_eq!(receipts, [json!({"Token": 101}), json!({"Token": 102})]);
    assert_eq!(world.widgets.effects(), [Call::Apply(enable("bottom")), Call::Apply(enable("top"))]);
}

/// Undo must not overwrite another change: the new attempt's prior state includes it.
#[tokio::test]
async fn attempt_is_closed_after_another_change_and_a_new_one_begins_from_it() {
    let (world, id) = partial_attempt().await;
    world.widgets.change("d-1", |widget| {
        widget.set("bottom", true);
        widget.set("top", false);
    });
    let changed = world.widgets.widget("d-1").unwrap();
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let attempts = world.attempts("d-1").await;
    let [first, second] = attempts.as_slice() else { panic!("{attempts:?}") };
    assert_eq!((first.id.as_str(), first.state, first.outcome), (id.as_str(), State::Finished, Some(Outcome::Failed)));
    let reason = "changed outside this attempt before it ended: bottom: expected `false`: found `true`";
    assert_eq!(first.reason, reason);
    assert_eq!(ended(&disposition), (second.id.as_str(), Outcome::Verified));
    assert_eq!(second.before.as_ref().unwrap().read::<Widget>().unwrap(), changed);
    assert_eq!(world.undo(&id).await.unwrap_err().kind(), "UndoRefused");
    world.undo(&second.id).await.unwrap();
    assert_eq!(world.widgets.widget("d-1"), Some(changed));
}

/// Another change made the resource compliant: no attempt begins, and undo does not revert that change.
#[tokio::test]
async fn attempt_completed_by_another_change_is_verified_with_a_reason() {
    let (world, id) = partial_attempt().await;
    world.widgets.change("d-1", |widget| {
        widget.flags.remove("bottom");
        widget.set("top", false);
    });
    let disposition = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let attempt = only(&world).await;
    assert_eq!(ended(&disposition), (id.as_str(), Outcome::Verified));
    let reason = "changed outside this attempt before it ended: bottom: expected `false`: found `null`";
    assert_eq!((attempt.reason.as_str(), attempt.after), (reason, None));
    assert_eq!(world.widgets.effects(), [Call::Apply(enable("bottom"))]);
}

/// A pending change can take days: undo keeps another change made in that time.
#[tokio::test]
async fn change_beside_a_pending_one_begins_a_new_attempt() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let settle = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
        *widgets.get_mut("d-1").unwrap() = Widget { is_pending: true, ..Widget::disabled("d-1", &["top"]) };
    };
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::After(settle));
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Pending);
    world.widgets.change("d-1", |widget| {
        *widget = Widget::disabled("d-1", &["side"]);
        widget.set("top", false);
    });
    let changed = world.widgets.widget("d-1");
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    let attempts = world.attempts("d-1").await;
    assert_eq!(attempts.iter().map(|it| it.outcome.unwrap()).collect::<Vec<_>>(), [Outcome::Failed, Outcome::Verified]);
    world.undo(&attempts[1].id).await.unwrap();
    assert_eq!(world.widgets.widget("d-1"), changed);
}

/// An attempt on a resource that can no longer be read ends as failed, and is announced.
#[tokio::test]
async fn attempt_on_an_unreadable_resource_ends_as_failed_and_is_announced() {
    let (world, id) = partial_attempt().await;
    world.sandbox.announced().await;
    for read in 3..20 {
        world.widgets.inject_fault(On::Read, read, DENIED);
    }
    for failures in 2..=6 {
        assert_eq!(only(&world).await.state, State::Open);
        let error = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
        assert_eq!((error.kind(), only(&world).await.failures), ("AccessDenied", failures));
    }
    let attempt = only(&world).await;
    assert_eq!((attempt.state, attempt.outcome), (State::Finished, Some(Outcome::Failed)));
    assert_eq!(world.sandbox.announced().await.len(), 1, "the last failure; the first was announced before");
    // The change is recorded, and undone once the resource can be read.
    world.widgets.clear_faults();
    world.undo(&id).await.unwrap();
    assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["bottom", "top"])));
}

#[tokio::test]
async fn failed_read_of_the_verification_counts_as_a_failure() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.inject_fault(On::Read, 3, DENIED);
    assert_eq!(world.deliver(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "AccessDenied");
    let attempt = only(&world).await;
    assert_eq!((attempt.state, attempt.outcome, attempt.failures), (State::Open, Some(Outcome::Failed), 1));
    let expected = announcement(&attempt, "Rectify Outcome", "failed", &[call("top")]);
    assert_eq!(world.sandbox.announced().await, [expected]);
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// A lost receipt of a call that took effect counts as a failure too.
#[tokio::test]
async fn lost_receipt_counts_as_a_failure() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.inject_fault(On::Apply, 1, InjectedFault::AnswerLost).inject_fault(On::Apply, 2, DENIED);
    world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
    world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
    let attempt = only(&world).await;
    assert_eq!((attempt.state, attempt.failures, attempt.actions[0].receipt.clone()), (State::Open, 2, None));
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}
