//! Undo of an attempt with a lost answer: the live read shows whether the action took effect.

use serde_json::json;

use super::*;

fn receipts(attempt: &Attempt) -> Vec<Option<serde_json::Value>> {
    attempt.actions.iter().map(|record| record.receipt.clone()).collect()
}

/// An attempt whose one action failed with this fault, by a function that had no time to repeat it.
async fn unanswered(injected: InjectedFault) -> (World, String) {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.inject_fault(On::Apply, 1, injected);
    assert_eq!(world.deliver_hurried(&finding("d-1", FIRST)).await.unwrap_err().kind(), "ActionFailed");
    let attempt = world.attempts("d-1").await.pop().unwrap();
    assert_eq!(receipts(&attempt), [None]);
    (world, attempt.id)
}

#[tokio::test]
async fn action_that_took_effect_is_undone() {
    let (world, id) = unanswered(InjectedFault::AnswerLost).await;
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["top"])));
    assert_eq!(
        receipts(&stored(&world, &id).await),
        [Some(json!({"Token": 101}))],
        "undo reads the receipt that it needs"
    );
    assert_eq!(world.widgets.effects().len(), 2);
}

#[tokio::test]
async fn action_without_effect_needs_no_undo() {
    let (world, id) = unanswered(InjectedFault::Answered(500, "ServiceFailure")).await;
    assert_eq!(world.undo(&id).await.unwrap(), Undone::NothingToUndo);
    assert_eq!((world.widgets.effects(), writes_of_undo(&world)), (vec![], vec![]));
    // The remediation resumes as without the undo.
    assert_eq!(world.deliver(&finding("d-1", FIRST)).await.unwrap().name(), "verified");
}

/// A pending action may still take effect: undo is refused.
#[tokio::test]
async fn undo_of_a_pending_action_is_refused() {
    let (world, id) = unanswered(InjectedFault::Answered(500, "ServiceFailure")).await;
    world.widgets.change("d-1", |widget| widget.is_pending = true);
    let error = world.undo(&id).await.unwrap_err();
    let action = json!({"EnableFlag": {"Flag": "top"}});
    let reason = "the service is still changing the resource: try again when it is done; the resource is not held";
    assert_eq!(error, refusal(&id, &format!("`{action}` may have been applied, and {reason}")));
}

/// Six deliveries get no answer and the last one changed the widget: the attempt ends as failed, and can still be
/// undone.
#[tokio::test]
async fn attempt_that_failed_without_an_answer_can_be_undone() {
    for readable in [true, false] {
        let world = World::with([Widget::disabled("d-1", &["top"])]).await;
        for number in 1..=5 {
            world.widgets.inject_fault(
                On::Apply,
                number,
                InjectedFault::Refused("InternalError", CallErrorKind::Unavailable),
            );
        }
        world.widgets.inject_fault(On::Apply, 6, InjectedFault::AnswerLost);
        for number in 1..=6 {
            if number == 6 && !readable {
                // It reads once to resume, and once more to resolve the last action.
                let reads = world.widgets.calls().iter().filter(|call| matches!(call, Call::Read(_))).count();
                let denied = InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied);
                world.widgets.inject_fault(On::Read, reads + 2, denied);
            }
            world.deliver_hurried(&finding("d-1", FIRST)).await.unwrap_err();
        }
        let attempt = world.attempts("d-1").await.pop().unwrap();
        assert_eq!((attempt.state, attempt.outcome), (State::Finished, Some(Outcome::Failed)));
        let expected = if readable { vec![Some(json!({"Token": 101}))] } else { vec![None] };
        assert_eq!(receipts(&attempt), expected, "{readable}");
        assert!(matches!(world.undo(&attempt.id).await.unwrap(), Undone::Restored { .. }), "{readable}");
        assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["top"])));
    }
}
