//! An attempt that was begun and not ended: what its next delivery makes of what it finds.

use super::*;

const DENIED: InjectedFault = InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied);

/// An attempt that shut the first of two flags and got no answer about the second, which it did not shut.
async fn half_done() -> (World, String) {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    world.widgets.disturb(On::Apply, 2, InjectedFault::Answered(500, "ServiceFailure"));
    world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
    let id = only(&world).await.id;
    (world, id)
}

#[tokio::test]
async fn lost_answer_is_settled_without_a_second_change() {
    let world = World::with([Widget::disabled("d-1", &["bottom", "top"])]).await;
    world.widgets.disturb(On::Apply, 1, InjectedFault::AnswerLost);
    assert_eq!(world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "ActionFailed");
    let unknown = only(&world).await.actions;
    assert_eq!(unknown.iter().map(|it| (&it.action, &it.receipt)).collect::<Vec<_>>(), [(&call("bottom"), &None)]);
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    let receipts: Vec<Value> = only(&world).await.done().map(|(_, receipt)| receipt.clone()).collect();
    assert_eq!(receipts, [json!({"Token": 101}), json!({"Token": 102})]);
    assert_eq!(world.widgets.effects(), [Call::Apply(shut("bottom")), Call::Apply(shut("top"))]);
}

/// Undo must not restore what was there before somebody changed it: their change is the new attempt's before-image.
#[tokio::test]
async fn attempt_that_somebody_interfered_with_is_closed_and_a_new_one_begins_from_what_they_left() {
    let (world, id) = half_done().await;
    world.widgets.change("d-1", |widget| {
        widget.set("bottom", true);
        widget.set("top", false);
    });
    let theirs = world.widgets.widget("d-1").unwrap();
    let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let attempts = world.attempts("d-1").await;
    let [first, second] = attempts.as_slice() else { panic!("{attempts:?}") };
    assert_eq!((first.id.as_str(), first.state, first.outcome), (id.as_str(), State::Finished, Some(Outcome::Failed)));
    let reason = "changed by somebody else before it was ended: bottom: expected `false`: found `true`";
    assert_eq!(first.reason, reason);
    assert_eq!(ended(&handled), (second.id.as_str(), Outcome::Verified));
    assert_eq!(second.before.as_ref().unwrap().read::<Widget>().unwrap(), theirs);
    assert_eq!(world.undo(&id).await.unwrap_err().kind(), "UndoRefused");
    world.undo(&second.id).await.unwrap();
    assert_eq!(world.widgets.widget("d-1"), Some(theirs));
}

/// Somebody else ended it their own way: the control holds, nothing is begun, and undo does not take their work for its own.
#[tokio::test]
async fn attempt_that_somebody_else_ended_is_verified_and_says_so() {
    let (world, id) = half_done().await;
    world.widgets.change("d-1", |widget| {
        widget.flags.remove("bottom");
        widget.set("top", false);
    });
    let handled = world.deliver(&finding("d-1", RECORDED)).await.unwrap();
    let attempt = only(&world).await;
    assert_eq!(ended(&handled), (id.as_str(), Outcome::Verified));
    let reason = "changed by somebody else before it was ended: bottom: expected `false`: found `null`";
    assert_eq!((attempt.reason.as_str(), attempt.after), (reason, None));
    assert_eq!(world.widgets.effects(), [Call::Apply(shut("bottom"))]);
}

/// Days lie between two looks at what a service works on: who changed something in them keeps it through an undo.
#[tokio::test]
async fn change_beside_a_pending_one_begins_anew() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    let settle = |widgets: &mut std::collections::BTreeMap<String, Widget>| {
        *widgets.get_mut("d-1").unwrap() = Widget { settling: true, ..Widget::disabled("d-1", &["top"]) };
    };
    world.widgets.disturb(On::Apply, 1, InjectedFault::After(settle));
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Pending);
    world.widgets.change("d-1", |widget| {
        *widget = Widget::disabled("d-1", &["side"]);
        widget.set("top", false);
    });
    let theirs = world.widgets.widget("d-1");
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
    let attempts = world.attempts("d-1").await;
    assert_eq!(attempts.iter().map(|it| it.outcome.unwrap()).collect::<Vec<_>>(), [Outcome::Failed, Outcome::Verified]);
    world.undo(&attempts[1].id).await.unwrap();
    assert_eq!(world.widgets.widget("d-1"), theirs);
}

/// A resource that cannot be read any more does not keep its attempt open for ever, and somebody is told.
#[tokio::test]
async fn attempt_whose_resource_cannot_be_read_is_given_up_and_told() {
    let (world, id) = half_done().await;
    world.around.announced().await;
    for read in 3..20 {
        world.widgets.disturb(On::Read, read, DENIED);
    }
    for failures in 2..=6 {
        assert_eq!(only(&world).await.state, State::Open);
        let fault = world.deliver(&finding("d-1", RECORDED)).await.unwrap_err();
        assert_eq!((fault.kind(), only(&world).await.failures), ("AccessDenied", failures));
    }
    let attempt = only(&world).await;
    assert_eq!((attempt.state, attempt.outcome), (State::Finished, Some(Outcome::Failed)));
    assert_eq!(world.around.announced().await.len(), 1, "that it was given up; that it fails had been told");
    // What was done is known, and undone once the resource can be read.
    world.widgets.calm();
    world.undo(&id).await.unwrap();
    assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["bottom", "top"])));
}

#[tokio::test]
async fn verification_that_cannot_read_is_a_failure_like_any_other() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.disturb(On::Read, 3, DENIED);
    assert_eq!(world.deliver(&finding("d-1", RECORDED)).await.unwrap_err().kind(), "AccessDenied");
    let attempt = only(&world).await;
    assert_eq!((attempt.state, attempt.outcome, attempt.failures), (State::Open, Some(Outcome::Failed), 1));
    let told = announcement(&attempt, "Rectify Outcome", "failed", &[call("top")]);
    assert_eq!(world.around.announced().await, [told]);
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}

/// The receipt of a call that was carried out cannot be had: that is counted, too.
#[tokio::test]
async fn receipt_that_cannot_be_had_is_a_failure_like_any_other() {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.disturb(On::Apply, 1, InjectedFault::AnswerLost).disturb(On::Apply, 2, DENIED);
    world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
    world.deliver_hurried(&finding("d-1", RECORDED)).await.unwrap_err();
    let attempt = only(&world).await;
    assert_eq!((attempt.state, attempt.failures, attempt.actions[0].receipt.clone()), (State::Open, 2, None));
    assert_eq!(ended(&world.deliver(&finding("d-1", RECORDED)).await.unwrap()).1, Outcome::Verified);
}
