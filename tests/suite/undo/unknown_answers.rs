//! Undo of an attempt of which an answer was lost: the live read says what was done.

use serde_json::json;

use super::*;

fn receipts(attempt: &Attempt) -> Vec<Option<serde_json::Value>> {
    attempt.actions.iter().map(|record| record.receipt.clone()).collect()
}

/// The one action of a widget with one flag: carried out or not, without an answer, by a function that had no time to ask again.
async fn unanswered(trouble: InjectedFault) -> (World, String) {
    let world = World::with([Widget::disabled("d-1", &["top"])]).await;
    world.widgets.disturb(On::Apply, 1, trouble);
    assert_eq!(world.deliver_hurried(&finding("d-1", FIRST)).await.unwrap_err().kind(), "ActionFailed");
    let attempt = world.attempts("d-1").await.pop().unwrap();
    assert_eq!(receipts(&attempt), [None]);
    (world, attempt.id)
}

#[tokio::test]
async fn action_that_is_so_is_taken_for_done_and_undone() {
    let (world, id) = unanswered(InjectedFault::AnswerLost).await;
    assert!(matches!(world.undo(&id).await.unwrap(), Undone::Restored { .. }));
    assert_eq!(world.widgets.widget("d-1"), Some(Widget::disabled("d-1", &["top"])));
    assert_eq!(receipts(&stored(&world, &id).await), [Some(json!({"Token": 101}))], "what undo needs was asked for");
    assert_eq!(world.widgets.effects().len(), 2);
}

#[tokio::test]
async fn action_that_is_not_so_is_nothing_to_undo() {
    let (world, id) = unanswered(InjectedFault::Answered(500, "ServiceFailure")).await;
    assert_eq!(world.undo(&id).await.unwrap(), Undone::NothingToUndo);
    assert_eq!((world.widgets.effects(), writes_of_undo(&world)), (vec![], vec![]));
    // The remediation goes on as if nobody had asked.
    assert_eq!(world.deliver(&finding("d-1", FIRST)).await.unwrap().name(), "verified");
}

/// What the service works on may still become so: nothing is decided about it.
#[tokio::test]
async fn action_the_service_still_works_on_is_refused() {
    let (world, id) = unanswered(InjectedFault::Answered(500, "ServiceFailure")).await;
    world.widgets.change("d-1", |widget| widget.settling = true);
    let fault = world.undo(&id).await.unwrap_err();
    let action = json!({"EnableFlag": {"Flag": "top"}});
    let why = "the service still works on the resource: try again when it is done; the resource is not held";
    assert_eq!(fault, refusal(&id, &format!("`{action}` may have arrived, and {why}")));
}

/// Six deliveries get no answer, the last of them changed the widget: it is given up, and can be undone all the same.
#[tokio::test]
async fn attempt_that_was_given_up_without_an_answer_can_be_undone() {
    for readable in [true, false] {
        let world = World::with([Widget::disabled("d-1", &["top"])]).await;
        for number in 1..=5 {
            world.widgets.disturb(
                On::Apply,
                number,
                InjectedFault::Refused("InternalError", CallErrorKind::Unavailable),
            );
        }
        world.widgets.disturb(On::Apply, 6, InjectedFault::AnswerLost);
        for number in 1..=6 {
            if number == 6 && !readable {
                // It reads once to go on, and once more to settle what it leaves.
                let reads = world.widgets.calls().iter().filter(|call| matches!(call, Call::Read(_))).count();
                let denied = InjectedFault::Refused("AccessDenied", CallErrorKind::AccessDenied);
                world.widgets.disturb(On::Read, reads + 2, denied);
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
